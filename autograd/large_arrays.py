"""Elementwise functions of large arrays, block by block: what they compute on the way stays in the cache, and threads
share the blocks. Each entry is computed as it would be in one piece: the results are the same bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backends.numpy_blocks import BLOCK, SPREAD, by_blocks

__all__ = ["APART", "DIRECT", "LARGE", "SAMPLE", "evaluate", "flat", "run"]

# Entries, below which it costs more than it saves.
LARGE = 1 << 19
# The first entries, which a function is tried on. Not one alone: it may take another way for very few.
SAMPLE = slice(256)
# Forward functions that are one pass over memory, and what writes into ``out`` itself.
DIRECT: dict[Callable[..., Any], Callable[..., Any]] = {}
# Forward functions and rules that take one block after the other themselves.
APART: set[Callable[..., Any]] = set()
# Arrays that others read and write on the way, beside what they get and give: about so many.
_ON_THE_WAY = 4


def flat(a: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The entries of ``a`` in a row, without a copy, if it has this shape.

    >>> flat(np.eye(2), (2, 2)), flat(np.eye(2)[:, 0], (2,))
    (array([1., 0., 0., 1.]), None)
    """
    if a.shape != shape:
        return None
    if a.flags.c_contiguous:
        return a.reshape(-1)
    return None if any(a.strides) else np.broadcast_to(a[(0,) * a.ndim], a.size)


def run(task: Callable[[slice], None], n: int, size: int, arrays: int) -> None:
    """Calls ``task`` for blocks of about one length that make up ``n`` entries of ``size`` bytes.

    Arguments:
        arrays: how many it reads and writes, all in all: the more, the sooner other threads pay.
    """
    length = -(-n // -(-n * size // BLOCK))
    by_blocks(lambda start, stop: task(slice(start, stop)), n, size * arrays, length * size * arrays)


def evaluate(function: Callable[..., Any], xp: Any, arrays: Sequence[Any], static: dict[str, Any]) -> Any:
    """``function(xp, *arrays, **static)``, for an elementwise function of large arrays."""
    first = max((a for a in arrays if type(a) is np.ndarray), key=np.ndim)
    ufunc, touched = DIRECT.get(function), first.itemsize * (len(arrays) + 1)
    if function in APART or (ufunc is not None and first.size * touched < 3 * SPREAD):
        return function(xp, *arrays, **static)
    cut = [flat(a, first.shape) if type(a) is np.ndarray and a.ndim else None for a in arrays]
    plain = any(row is None and type(a) is np.ndarray and a.ndim for row, a in zip(cut, arrays, strict=True))
    if plain or any(type(value) is np.ndarray for value in static.values()):
        return function(xp, *arrays, **static)  # some are broadcast, or not in order in memory

    def part(span: slice) -> list[Any]:
        return [a if row is None else row[span] for row, a in zip(cut, arrays, strict=True)]

    given = part(SAMPLE)
    with np.errstate(all="ignore"):
        tried = function(xp, *given, **static)
    several = type(tried) is tuple
    samples = tried if several else (tried,)
    if not all(type(one) is np.ndarray and one.shape == (SAMPLE.stop,) for one in samples) or any(
        np.may_share_memory(one, a) for one in samples for a in given
    ):
        return function(xp, *arrays, **static)  # it gives what it got
    found = [np.empty(first.shape, one.dtype) for one in samples]
    rows = [out.reshape(-1) for out in found]

    def task(span: slice) -> None:
        if ufunc is not None:
            ufunc(*part(span), out=rows[0][span])
            return
        results = function(xp, *part(span), **static)
        for row, one in zip(rows, results if several else (results,), strict=True):
            row[span] = one

    run(task, first.size, first.itemsize, len(arrays) + len(found) + (0 if ufunc is not None else _ON_THE_WAY))
    return tuple(found) if several else found[0]
