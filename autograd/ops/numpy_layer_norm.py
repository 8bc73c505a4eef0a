"""Layer normalization of few entries on NumPy's arrays: in as few calls as there are, since these are what takes time.

Where nothing of it is in the caches, as between the products of a network, that holds up to a megabyte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.numpy_blocks import aligned
from ..backends.numpy_reductions import ones

__all__ = ["are_few_rows", "standardized_rows", "standardized_rows_back"]

# Entries that make a row long: of more than ``few`` entries NumPy's buffers are then better set, as is done block by
# block. And entries from which on it pays to look where in memory an array begins.
_LONG, _MANY = 144, 1 << 15


def are_few_rows(x: Any, weight: Any, bias: Any, axes: tuple[int, ...], few: int) -> bool:
    """Whether the moments over ``axes`` are those along the last dimension of x, and weight and bias go along it."""
    return (
        len(axes) == 1
        and axes[0] == x.ndim - 1
        and 0 < x.size < (few if x.shape[-1] >= _LONG else 16 * few)
        and (x.dtype == np.float32 or x.dtype == np.float64)
        and (weight is None or (weight.shape == x.shape[-1:] and weight.dtype == x.dtype))
        and (bias is None or (bias.shape == x.shape[-1:] and bias.dtype == x.dtype))
    )


def standardized_rows(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """(x − mean) · scale · weight + bias with the moments along the last dimension, and mean, variance and scale."""
    n = x.shape[-1]
    mean = np.vecdot(x, ones(n, x.dtype))[..., None]
    mean /= n
    out = np.subtract(x, mean, out=aligned(x.shape, x.dtype) if x.size >= _MANY else None)
    variance = np.vecdot(out, out)[..., None]
    variance /= n
    scale = variance + eps
    np.sqrt(scale, out=scale)
    np.divide(1, scale, out=scale)
    out *= scale
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out, mean, variance, scale


def standardized_rows_back(g: Any, x: Any, weight: Any, mean: Any, scale: Any) -> Any:
    """The gradients in x, weight and bias; see ``standardized_back``."""
    n = x.shape[-1]
    out = x - mean
    product = np.multiply(g, out, out=aligned(x.shape, x.dtype) if x.size >= _MANY else None)
    rows = x.size // n
    left = np.ones((2, rows), x.dtype)  # of two rows, for with one OpenBLAS takes other threads
    left[0] = scale.reshape(-1)
    in_weight, in_bias = (left @ product.reshape(rows, n))[0], (left @ g.reshape(rows, n))[1]
    along = ones(n, x.dtype) if weight is None else weight
    slope = np.vecdot(product, along)[..., None]
    slope *= scale
    slope *= scale
    slope /= -n
    level = np.vecdot(g, along)[..., None]
    level /= n
    out *= slope
    out += g if weight is None else np.multiply(g, weight, out=product)
    out -= level
    out *= scale
    return out, in_weight, in_bias
