"""The largest entry of each window: its value, where it is, and the way its gradient takes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backends import numpy as numpy_namespace
from ..node import Node
from ..primitive import primitive


class Reach(NamedTuple):
    """Which entries of a dimension lie under a kernel at each of its places: start + step · clip(j, first, last).

    j < width runs over the kernel's entries; ``start``, ``first`` and ``last`` have one number for each place. What
    would lie outside is thus the window's first or last entry once more, which changes no maximum. Where nothing lies
    outside and the places are evenly spaced, ``gap`` is their distance, else 0.
    """

    width: int
    step: int
    start: Any
    first: Any
    last: Any
    gap: int = 0

    def under(self, x: Any, axis: int, j: int) -> Any:
        """The entries of x along ``axis`` that lie under entry j; a view where they are evenly spaced."""
        key: Any
        if self.gap:
            first = int(self.start[0]) + self.step * j
            key = slice(first, first + (len(self.start) - 1) * self.gap + 1, self.gap)
        else:
            key = self.start + self.step * np.clip(j, self.first, self.last)
        return x[(slice(None),) * axis + (key,)]


def reach_of(size: int, kernel: int, stride: int, padding: int, dilation: int, places: int) -> Reach:
    """The reach of a kernel in a dimension of ``size``; ``first`` > ``last`` where all of it is on padding."""
    start = np.arange(places) * stride - padding
    first, last = -(np.minimum(start, 0) // dilation), np.minimum((size - 1 - start) // dilation, kernel - 1)
    inside = not first.any() and bool((last == kernel - 1).all())
    return Reach(kernel, dilation, start, first, last, stride if inside else 0)


@primitive(selects=True, name="max_pool")
def max_windows(xp, x, *, reach, tile=None):
    """The largest entry of each window of x (N, C, *size): (N, C, *out).

    There is one ``Reach`` for each dimension, and one dimension is reduced after the other. ``tile`` is the kernel
    where the windows are tiles: none overlap, and together they are x.
    """
    for d, line in enumerate(reach, start=2):
        best = line.under(x, d, 0)
        for j in range(1, line.width):
            best = xp.maximum(best, line.under(x, d, j))
        x = best
    return xp.astype(x, x.dtype) if all(line.width == 1 for line in reach) else x


def _max_windows_x(xp, g, out, x, *, reach, tile=None):
    if xp is numpy_namespace and tile is not None and out.size:
        # No places and no adding up: a quarter of the time.
        gx = _into_tiles(g, out, x, tile)
        if gx is not None:
            return gx
    places = max_places(x, reach=reach) if isinstance(x, Node) else max_places.forward(xp, x, reach=reach)
    return _take_places_x(xp, g, out, x, places)


max_windows.grads(x=_max_windows_x)


def _into_tiles(g: Any, out: Any, x: Any, tile: Sequence[int]) -> Any:
    """g (N, C, *out) where in x the first largest entry of each tile is, 0 elsewhere; None if there is NaN in x."""
    total = np.add.reduce(out, axis=None)
    if total != total:
        return None
    gx = np.empty(x.shape, g.dtype)
    # Bit patterns times 0 or 1 choose much faster than ``where``, and 0 · ∞ cannot come of them.
    bits = np.dtype(f"u{g.dtype.itemsize}")
    gx_bits, g_bits = gx.view(bits), g.view(bits)
    left = None  # the tiles that have not given theirs yet
    for place in itertools.product(*map(range, tile)):
        part = (slice(None), slice(None), *(slice(j, None, k) for j, k in zip(place, tile, strict=True)))
        wins = x[part] == out
        if left is None:
            left = ~wins
        else:
            wins &= left
            left ^= wins
        np.multiply(g_bits, wins, out=gx_bits[part])
    return gx


@primitive
def max_places(xp, x, *, reach):
    """Where in x (N, C, *size), its last dimensions flattened, the largest entry of each window is: (N, C, *out).

    There is one ``Reach`` for each dimension, and one dimension is reduced after the other. Of equal entries the
    first counts, and NaN is larger than all.
    """
    size = x.shape[2:]
    under: list[Any] = []  # for each dimension that is done, which entry of the kernel it was
    for d, line in reversed(list(enumerate(reach, start=2))):
        before = (x, *under)
        best, *under = (line.under(a, d, 0) for a in before)
        small = np.uint8 if line.width <= 256 else np.int64
        chosen: Any = xp.astype(xp.zeros_like(best), small)
        for j in range(1, line.width):
            other, *others = (line.under(a, d, j) for a in before)
            other = xp.astype(other, x.dtype)  # read three times, so a copy without gaps pays
            wins = (other > best) | (other != other)
            # Arithmetic on small numbers takes a fiftieth of the time of a choice with ``where``.
            chosen = xp.maximum(chosen, wins * small(j))
            under = [old + (new - old) * wins for new, old in zip(others, under, strict=True)]
            best = xp.maximum(best, other)
        x, under = best, [chosen, *under]
    places: Any = 0
    for d, (n, line, j) in enumerate(zip(size, reach, under, strict=True)):
        column = (-1, *[1] * (len(size) - 1 - d))
        if not line.gap:
            j = xp.minimum(xp.maximum(j, line.first.reshape(column)), line.last.reshape(column))
        places = places * n + (line.start.reshape(column) + line.step * j)
    return places


@primitive(selects=True, name="max_pool")
def take_places(xp, x, places):
    """The entries of x (N, C, *size), its last dimensions flattened, that ``places`` (N, C, *out) names."""
    return xp.index(x.reshape(-1), flat_places(places, x.shape[2:])).reshape(places.shape)


def _take_places_x(xp, g, out, x, places):
    return xp.add_at(g.reshape(-1), flat_places(places, x.shape[2:]), (math.prod(x.shape),)).reshape(x.shape)


take_places.grads(x=_take_places_x)


def flat_places(places: Any, size: Sequence[int]) -> Any:
    """``places`` (N, C, *out) in (N, C, size), counted along the whole of it."""
    array = places._array if isinstance(places, Node) else places
    n, c, *out = array.shape
    channels = array.reshape(n * c, math.prod(out)) + np.arange(n * c)[:, None] * math.prod(size)
    return channels.reshape(-1)
