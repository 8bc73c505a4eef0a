"""The products of a layer in the form that the matrix library is quickest at, and its bias beside them.

The library brings a transposed weight into its own order slowly, which counts where few rows are multiplied with a
large one, and shares the gradient of one that is about square badly between threads. Both were measured with OpenBLAS,
in float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import threads
from ..backends.numpy_reductions import ones

__all__ = ["LARGE", "PACKED", "WIDE", "add_to_rows", "affine", "in_one_product", "outer_sum", "sum_of_rows"]

# Entries of a weight, below which there is nothing to gain.
LARGE = 1 << 14
# Multiplications from which the library packs its operands; it has another way for smaller products.
PACKED = 1_000_000
# Rows, in any layer and in one with many inputs; and entries of a weight whose gradient is computed in parts.
_FEW, _FEW_OF_MANY, _MANY = 48, 64, 512
_IN_PARTS = 1 << 18
# Entries of a result to whose rows a bias is added several at a time, and how many then.
WIDE, _LONG = 1 << 16, 1 << 13
_BLOCK = 128  # columns, so that a part of the transposed result stays in the first cache


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x Wᵀ + b of matrices; None for a vector, or where the plain form is as quick. For 16 rows 1.8 times as quick."""
    rows = len(x)
    if (
        x.ndim != 2
        or rows > _FEW_OF_MANY
        or rows * weight.size < PACKED
        or (rows > _FEW and weight.shape[1] < _MANY)
        or x.dtype != np.float32
        or type(x) is not np.ndarray
    ):
        return None
    turned = weight @ x.T  # (out, N)
    out = np.empty((rows, len(weight)), x.dtype)
    for k in range(0, len(weight), _BLOCK):
        part = slice(k, k + _BLOCK)
        if bias is None:
            out[:, part] = turned[part].T
        else:
            np.add(turned[part].T, bias[part], out=out[:, part])
    return out


def outer_sum(g: Any, x: Any) -> Any:
    """gᵀ x of g (N, out) and x (N, in), the gradient of a weight, in two or three parts; None as for ``affine``."""
    n, m = g.shape[1], x.shape[1]
    if not n <= m <= 2 * n or n * m < _IN_PARTS or len(x) > 2 * _FEW_OF_MANY or x.dtype != np.float32:
        return None
    if type(g) is not np.ndarray or threads.available() < 2:
        return None
    out = np.empty((n, m), x.dtype)
    step = -(-m // (m // n + 1) // 16) * 16
    for k in range(0, m, step):
        np.matmul(g.T, x[:, k : k + step], out=out[:, k : k + step])
    return out


def in_one_product(g: Any, weight: Any) -> Any:
    """g (..., out) W; NumPy takes a product for each matrix of g, which for large g takes twice as long."""
    if g.size * weight.shape[1] < PACKED:
        return g @ weight
    out = np.empty((*g.shape[:-1], weight.shape[1]), weight.dtype)
    np.matmul(g.reshape(-1, g.shape[-1]), weight, out=out.reshape(-1, weight.shape[1]))
    return out


def add_to_rows(x: Any, bias: Any) -> None:
    """x += bias of x (N, out), to several rows as if they were one: from row to row NumPy takes its time."""
    if x.ndim == 2 and x.shape[1] < _LONG:
        several = math.gcd(len(x), _LONG // x.shape[1])
        x, bias = x.reshape(-1, several * x.shape[1]), np.tile(bias, several)
    x += bias


def sum_of_rows(g: Any) -> Any:
    """Σ g over all dimensions but the last, as a product that has the threads of the layer's others; else g itself."""
    if g.ndim < 2 or type(g) is not np.ndarray or not g.flags.c_contiguous:
        return g
    rows = g.size // g.shape[-1]
    return ones(rows, g.dtype) @ g.reshape(rows, -1)
