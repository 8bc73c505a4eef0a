"""Running results, sort orders and searches on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "argsort", "argtop", "cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum", "linear_recurrence", "searchsorted",
]  # fmt: skip


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running sum along ``axis``, from its end if ``reverse``."""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running product along ``axis``, from its end if ``reverse``."""
    return np.flip(np.cumprod(np.flip(x, axis), axis), axis) if reverse else np.cumprod(x, axis)


def cummax(x: Any, axis: int) -> Any:
    """Largest entry so far along ``axis``; NaN from the first NaN on."""
    return np.maximum.accumulate(x, axis)


def cummin(x: Any, axis: int) -> Any:
    """Smallest entry so far along ``axis``; NaN from the first NaN on."""
    return np.minimum.accumulate(x, axis)


def cumlogsumexp(x: Any, axis: int) -> Any:
    """ln of the running sum of eˣ along ``axis``."""
    with np.errstate(invalid="ignore"):  # a NaN goes through in silence
        return np.logaddexp.accumulate(x, axis)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """hₜ = bₜ + aₜ hₜ₋₁ along ``axis``; the first a counts for nothing, not even if it is infinite."""
    h = np.empty(b.shape, b.dtype)
    steps = slice(None, None, -1 if reverse else 1)
    a, b, out = (np.moveaxis(v, axis, 0)[steps] for v in (a, b, h))
    n = out.shape[0]
    if h.size == n:  # one row: Python's numbers are quicker than arrays of one entry
        level, levels = 0.0, []
        for t, (factor, term) in enumerate(zip(a.reshape(-1).tolist(), b.reshape(-1).tolist(), strict=True)):
            level = term + factor * level if t else term
            levels.append(level)
        out[...] = np.array(levels).reshape(out.shape)
        return h
    if n:
        out[0] = b[0]
    for t in range(1, n):
        np.multiply(a[t], out[t - 1], out=out[t])
        out[t] += b[t]
    return h


def argsort(x: Any, axis: int) -> Any:
    """The indices that sort x along ``axis``, stable, NaNs last."""
    return np.argsort(x, axis=axis, kind="stable")


def argtop(x: Any, k: int, axis: int, largest: bool) -> Any:
    """The first k of the indices that sort x along ``axis``, with the largest first or the smallest."""
    n = x.shape[axis]
    rows = np.moveaxis(x, axis, -1)
    if 0 < k <= n // 8 and n >= 256 and x.dtype.kind == "f":
        place = n - k if largest else k - 1
        edge = np.partition(rows, place, axis=-1)[..., place, None]  # the last value that is among the k
        if not np.isnan(edge).any():
            # Beyond the edge lie fewer than k; of those at the edge the first ones fill up. A NaN is largest.
            chosen = ~(rows <= edge) if largest else rows < edge
            at_edge = rows == edge
            chosen |= at_edge & (np.cumsum(at_edge, -1) <= k - np.sum(chosen, -1, keepdims=True))
            candidates = np.nonzero(chosen)[-1].reshape(*rows.shape[:-1], k)
            order = _order(np.take_along_axis(rows, candidates, -1), largest)
            return np.moveaxis(np.take_along_axis(candidates, order, -1), -1, axis)
    return np.moveaxis(_order(rows, largest)[..., :k], -1, axis)


def _order(rows: Any, descending: bool) -> Any:
    if not descending:
        return argsort(rows, -1)
    return rows.shape[-1] - 1 - argsort(rows[..., ::-1], -1)[..., ::-1]


def searchsorted(a: Any, v: Any, side: Any) -> Any:
    """Where v goes into a, row by row if a has several."""
    if a.ndim == 1:
        return np.searchsorted(a, v, side)
    rows, values = a.reshape(-1, a.shape[-1]), v.reshape(-1, v.shape[-1])
    out = np.empty(values.shape, np.int64)
    for row, value, place in zip(rows, values, out, strict=True):
        place[:] = np.searchsorted(row, value, side)
    return out.reshape(v.shape)
