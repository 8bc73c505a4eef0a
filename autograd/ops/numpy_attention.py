"""Attention on NumPy's arrays: some heads at a time, so that their scores stay in the cache from product to product."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..backends.numpy_blocks import BLOCK, aligned, by_blocks
from ..backends.numpy_reductions import ALONE

# Up to which score e^x needs no shift by the largest of its row, and from which sum of a row on none of its entries
# that count are rounded for being small: then the row's largest is not looked for.
_TOP, _LEAST = 60.0, 1e-18
_FEW = 1 << 14  # products of entries below which the plain expression is quicker
# Products of entries in all, from which keys and values are turned, and in one head, up to which: OpenBLAS has a way of
# its own for small matrices, which takes twice as long where the second is transposed.
_SOME, _SMALL = 1 << 16, 1_000_000
_MANY = 1 << 15  # entries, from which on it pays to look where in memory an array begins


def attended(q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool, softmax: Any) -> Any:
    """softmax(scale · q kᵀ + mask) v, and the weights; None where the plain expression is to be used.

    ``softmax(scores, mask)`` gives the weights of scores that are too large or too small to do without a shift.
    """
    if not _fits(q, k, v):
        return None
    turns = _turns(q, k)
    new = aligned if turns and q.size >= _MANY else np.empty
    weights = new((*q.shape[:-1], k.shape[-2]), q.dtype)
    out = np.empty_like(q, shape=(*q.shape[:-1], v.shape[-1]))  # in memory the dimensions lie as those of q
    seen = _lower_triangle(*weights.shape[-2:], q.dtype) if causal else None
    ones = np.ones(k.shape[-2], q.dtype)

    def heads(q: Any, k: Any, v: Any, mask: Any, weights: Any, out: Any) -> None:
        q, turned = (q, _turned(k, scale)) if turns else (q * scale, k.swapaxes(-1, -2))
        e = np.matmul(q, turned, out=weights)
        if mask is not None:
            e += mask
        if not -np.inf < np.maximum.reduce(e, axis=None) <= _TOP or not _shared(e, seen, ones):
            e[...] = softmax(np.matmul(q, turned), mask)
        np.matmul(e, v, out=out)

    _by_heads(heads, (q, k, v), mask, (weights, out))
    return out, weights


def _turns(q: Any, k: Any) -> bool:
    one = q.shape[-1] * q.shape[-2] * k.shape[-2]
    return one <= _SMALL and q.size * k.shape[-2] >= _SOME


def _turned(x: Any, scale: float) -> Any:
    """x times ``scale``, with rows for columns."""
    turned = (aligned if x.size >= _MANY else np.empty)((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    np.copyto(turned, x.swapaxes(-1, -2))
    turned *= scale
    return turned


def _fits(q: Any, k: Any, v: Any) -> bool:
    return (
        q.ndim > 2
        and q.shape[:-2] == k.shape[:-2] == v.shape[:-2]
        and q.dtype in (np.float32, np.float64)
        and q.size * k.shape[-2] >= _FEW
        and v.shape[-1] > 0
    )


@functools.lru_cache(maxsize=8)
def _lower_triangle(rows: int, columns: int, dtype: Any) -> Any:
    ones = np.tri(rows, columns, dtype=dtype)
    ones.flags.writeable = False  # of a few sizes, which come again in every step
    return ones


def _shared(scores: Any, seen: Any, ones: Any) -> bool:
    """Puts the softmax of each row in the place of its scores, if all sums of e^x are large enough to tell."""
    np.exp(scores, out=scores)
    if seen is not None:
        scores *= seen
    alone = scores.shape[-2] * scores.shape[-1] <= ALONE
    sums = (np.matmul if alone else np.vecdot)(scores, ones)[..., None]  # a third of the time where rows are short
    if not np.minimum.reduce(sums, axis=None) >= _LEAST:
        return False
    np.divide(1, sums, out=sums)
    scores *= sums
    return True


def _by_heads(work: Any, inputs: tuple[Any, ...], mask: Any, results: tuple[Any, ...]) -> None:
    """Calls ``work`` with some heads of the inputs, their mask, and where their results are to be put."""
    scores = results[0]
    unit = scores[0].nbytes
    if unit > BLOCK and scores.ndim > 3:
        for i in range(len(scores)):
            part = mask if mask is None or mask.ndim < scores.ndim else mask[i if len(mask) > 1 else 0]
            _by_heads(work, tuple(x[i] for x in inputs), part, tuple(x[i] for x in results))
        return
    varied = mask is not None and mask.ndim == scores.ndim and len(mask) > 1

    def block(i: int, j: int) -> None:
        part = mask[i:j] if varied else mask
        work(*(x[i:j] for x in inputs), part, *(x[i:j] for x in results))

    by_blocks(block, len(scores), unit, broadcast=scores.shape[-1], alike=True)


def attended_back(g: Any, out: Any, q: Any, k: Any, v: Any, weights: Any, scale: float) -> Any:
    """The gradients in q, k and v; None as for ``attended``.

    With P the weights that in the scores is P (g vᵀ − Σ g out), the sum along rows.
    """
    if not _fits(q, k, v) or not g.shape == out.shape == (*q.shape[:-1], v.shape[-1]):
        return None
    gq, gk, gv = (np.empty_like(x) for x in (q, k, v))
    turns = _turns(g, k)

    def heads(g: Any, out: Any, q: Any, k: Any, v: Any, mask: None, weights: Any, gq: Any, gk: Any, gv: Any) -> None:
        np.matmul(weights.swapaxes(-1, -2), g, out=gv)
        slope = np.matmul(g, _turned(v, scale) if turns else (v * scale).swapaxes(-1, -2))
        less = np.vecdot(g, out)
        less *= scale
        slope -= less[..., None]
        slope *= weights
        np.matmul(slope, k, out=gq)
        np.matmul(slope.swapaxes(-1, -2), q, out=gk)

    _by_heads(heads, (g, out, q, k, v), None, (weights, gq, gk, gv))
    return gq, gk, gv
