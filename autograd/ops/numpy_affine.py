"""The products of a layer with few rows and large weights, in the form that the matrix library is quickest at.

It brings a transposed weight into its own order slowly, which counts where few rows are multiplied with it, and shares
the gradient of one that is about square badly between threads. Both were measured with OpenBLAS, in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import threads

__all__ = ["LARGE", "affine", "outer_sum"]

# Entries of a weight, below which there is nothing to gain.
LARGE = 1 << 14
# Multiplications from which the library packs its operands; it has another way for smaller products.
_PACKED = 1_000_000
# Rows, in any layer and in one with many inputs; and entries of a weight whose gradient is computed in parts.
_FEW, _FEW_OF_MANY, _MANY = 48, 64, 512
_IN_PARTS = 1 << 18
_BLOCK = 128  # columns, so that a part of the transposed result stays in the first cache


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x Wᵀ + b of matrices; None for a vector, or where the plain form is as quick. For 16 rows 1.8 times as quick."""
    rows = len(x)
    if (
        x.ndim != 2
        or rows > _FEW_OF_MANY
        or rows * weight.size < _PACKED
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
