"""Layer normalization of few entries on NumPy's arrays: as few calls as there are, since these are what takes time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.numpy_reductions import ones

__all__ = ["are_along_rows", "standardized_rows", "standardized_rows_back"]


def are_along_rows(x: Any, weight: Any, bias: Any, axes: tuple[int, ...]) -> bool:
    """Whether the moments over ``axes`` are those along the last dimension of x, and weight and bias go along it."""
    return (
        x.size > 0
        and len(axes) == 1
        and axes[0] == x.ndim - 1
        and (x.dtype == np.float32 or x.dtype == np.float64)
        and (weight is None or (weight.shape == x.shape[-1:] and weight.dtype == x.dtype))
        and (bias is None or (bias.shape == x.shape[-1:] and bias.dtype == x.dtype))
    )


def standardized_rows(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """(x − mean) · scale · weight + bias with the moments along the last dimension, and mean, variance and scale."""
    n = x.shape[-1]
    mean = np.vecdot(x, ones(n, x.dtype))[..., None]
    mean /= n
    out = x - mean
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
    product = g * out
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
