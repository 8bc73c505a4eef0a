"""Cross-entropy of rows of logits on NumPy's arrays: large ones block by block, each read and written once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.numpy_blocks import by_blocks
from ..backends.numpy_reductions import extreme_along, sum_along

__all__ = ["entropy", "entropy_back"]

# Entries below which they are one block, and bytes of a block: many, since threads wait for each other between passes.
_FEW, _BLOCK = 1 << 16, 1 << 21


def _of_rows(logits: Any, target: Any, smoothing: float, out: Any = None) -> tuple[Any, Any, Any]:
    """e^(logits − largest), in ``out`` if given, its sum in each row, and each row's loss."""
    e = np.subtract(logits, extreme_along(np.maximum, logits, 1, True), out=out)
    chosen = e[np.arange(len(e)), target]
    if smoothing:
        chosen = (1 - smoothing) * chosen + smoothing / e.shape[1] * sum_along(e, 1, False)
    np.exp(e, out=e)
    total = sum_along(e, 1, False)
    losses = np.log(total)
    losses -= chosen
    return e, total, losses


def entropy(logits: Any, target: Any, smoothing: float) -> tuple[Any, Any, Any]:
    """The mean of −Σ_c q_c ln softmax(logits)_c over rows, and e^(logits − largest) with its sum in each row."""
    rows, classes = logits.shape
    if logits.size < _FEW:
        e, total, losses = _of_rows(logits, target, smoothing)
    else:
        e = np.empty_like(logits)
        total, losses = np.empty((2, rows), logits.dtype)

        def block(i: int, j: int) -> None:
            _, total[i:j], losses[i:j] = _of_rows(logits[i:j], target[i:j], smoothing, e[i:j])

        by_blocks(block, rows, 2 * classes * logits.itemsize, _BLOCK, broadcast=classes, alike=True)
    return np.add.reduce(losses) / rows, e, total


def _of_rows_back(each: Any, factor: Any, target: Any, smoothing: float, e: Any, out: Any = None) -> Any:
    gx = np.multiply(e, factor[:, None], out=out)
    if smoothing:
        gx -= each * (smoothing / e.shape[1])
    gx[np.arange(len(e)), target] -= each * (1 - smoothing) if smoothing else each
    return gx


def entropy_back(g: Any, target: Any, smoothing: float, e: Any, total: Any) -> Any:
    """(softmax − q) g / rows, the softmax from its exponentials ``e`` and their sums."""
    rows, classes = e.shape
    each = g / rows
    factor = each / total
    if e.size < _FEW:
        return _of_rows_back(each, factor, target, smoothing, e)
    out = np.empty_like(e)

    def block(i: int, j: int) -> None:
        _of_rows_back(each, factor[i:j], target[i:j], smoothing, e[i:j], out[i:j])

    by_blocks(block, rows, 2 * classes * e.itemsize, _BLOCK, broadcast=classes)
    return out
