"""Entries brought to mean 0 and variance 1 on NumPy's arrays, in as few passes as there are, block by block.

An array is seen as (outer, kept, inner): the moments are taken over what is outside and inside, for each of the kept.
A block is some of the kept with all that belongs to them.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..backends.numpy_blocks import SPREAD, aligned, by_blocks
from ..backends.numpy_reductions import ones

_BLOCK = 1 << 20  # bytes; more on several threads, which else wait for each other, and less where there are more arrays
# Entries that make a row long; entries from which on several rows are better taken as one.
_LONG, _MANY = 1024, 1 << 15


@functools.lru_cache(maxsize=512)
def plan(shape: tuple[int, ...], axes: tuple[int, ...], weighted: tuple[int, ...] | None, dtype: Any) -> Any:
    """How to see x of ``shape`` for moments over ``axes``; None where the plain rules are to be used.

    Returns (view, shape of the moments, whether a weight of shape ``weighted`` differs along the inner and not along
    the kept, how often it is repeated along those).
    """
    if dtype not in (np.float32, np.float64) or 0 in shape:
        return None
    start, end = 0, len(shape)
    while end and end - 1 in axes:
        end -= 1
    while start < end and start in axes:
        start += 1
    if start == end or end == len(shape) or any(d in axes for d in range(start, end)):
        return None
    view = (math.prod(shape[:start]), math.prod(shape[start:end]), math.prod(shape[end:]))
    if view[2] == 1:
        return None
    moments = tuple(1 if d in axes else n for d, n in enumerate(shape))
    if weighted is None:
        return view, moments, False, 1
    full = (1,) * (len(shape) - len(weighted)) + weighted
    if full[:start] == (1,) * start and full[end:] == (1,) * (len(shape) - end):
        # From some dimension on as x, before it one number.
        given = math.prod(full)
        fits = given == 1 or shape[start:end][-len(_stripped(full[start:end])) :] == _stripped(full[start:end])
        return (view, moments, False, view[1] // given) if fits else None
    return (view, moments, True, 1) if not start and full == (1,) * end + shape[end:] else None


def _stripped(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Without leading sizes of 1."""
    lead = next((i for i, n in enumerate(sizes) if n != 1), len(sizes))
    return sizes[lead:]


def _seen(x: Any, view: tuple[int, int, int]) -> Any:
    """As (outer, kept, inner), or (kept, inner) where nothing is outside, which takes less time."""
    return x.reshape(view if view[0] > 1 else view[1:])


def _part(x: Any, start: int, stop: int) -> Any:
    return x[start:stop] if x.ndim == 2 else x[:, start:stop]


def _total(x: Any) -> Any:
    """The sum for each of the kept."""
    return _total_of_product(x, ones(x.shape[-1], x.dtype))


def _total_of_product(x: Any, y: Any) -> Any:
    sums = np.vecdot(x, y)
    return sums if x.ndim == 2 else np.add.reduce(sums, axis=0)


def _repeated(weight: Any, times: int) -> Any:
    flat = weight.reshape(-1)
    return flat if times == 1 else np.tile(flat, times)


def _rows_at_once(view: tuple[int, int, int]) -> int:
    """How many short rows to take as one: to longer ones NumPy broadcasts in less than half the time."""
    return max(1, _LONG // view[2]) if view[1] * view[2] >= _MANY else 1


def _by_entry(ufunc: Any, x: Any, repeated: Any, out: Any) -> Any:
    """``ufunc`` of each row of x and the same numbers, which are ``repeated`` for several rows; into ``out``."""
    n = x.shape[1]
    several = math.gcd(len(x), repeated.size // n) * n
    ufunc(x.reshape(-1, several), repeated[:several], out=out.reshape(-1, several))
    return out


def standardized(x: Any, weight: Any, bias: Any, eps: float, how: Any) -> Any:
    """(x − mean) · scale · weight + bias, with mean, variance and scale; ``how`` is the ``plan`` of both."""
    view, moments, inside, times = how
    kept, n = view[1], view[0] * view[2]
    out = aligned(x.shape, x.dtype)
    xs, outs = _seen(x, view), _seen(out, view)
    mean, variance, scale = np.empty((3, kept), x.dtype)
    times = _rows_at_once(view) if inside else times
    given = None if weight is None else _repeated(weight, times)
    shift = None if bias is None else _repeated(bias, times)

    def block(i: int, j: int) -> None:
        x, y = _part(xs, i, j), _part(outs, i, j)
        middle, spread, factor = mean[i:j], variance[i:j], scale[i:j]
        np.divide(_total(x), n, out=middle)
        np.subtract(x, middle[:, None], out=y)
        np.divide(_total_of_product(y, y), n, out=spread)
        np.add(spread, eps, out=factor)
        np.sqrt(factor, out=factor)
        np.divide(1, factor, out=factor)
        y *= (factor if given is None or inside else factor * given[i:j])[:, None]
        if inside:
            if given is not None:
                _by_entry(np.multiply, y, given, y)
            if shift is not None:
                _by_entry(np.add, y, shift, y)
        elif shift is not None:
            y += shift[i:j, None]

    by_blocks(block, kept, n * x.itemsize, _BLOCK << (x.nbytes >= SPREAD), broadcast=view[2], alike=True)
    return out, mean.reshape(moments), variance.reshape(moments), scale.reshape(moments)


def standardized_back(g: Any, x: Any, weight: Any, mean: Any, scale: Any, how: Any) -> Any:
    """The gradients in x, and in weight and bias, of the weight's size; in both what x needs anyway.

    With s the scale, n entries, r = g · weight, u = Σ r and t = Σ r (x − mean), that in x is
    s (r − u / n − (x − mean) s² t / n).
    """
    view, _, inside, times = how
    kept, n = view[1], view[0] * view[2]
    out = np.empty(x.shape, x.dtype)
    xs, gs, outs = _seen(x, view), _seen(g, view), _seen(out, view)
    mean, scale = mean.reshape(-1), scale.reshape(-1)
    given = None if weight is None else _repeated(weight, _rows_at_once(view) if inside else times)
    slope, total = np.empty((2, kept), x.dtype)
    parts: dict[int, Any] = {}

    def block(i: int, j: int) -> None:
        x, g, result, middle, factor = _part(xs, i, j), _part(gs, i, j), _part(outs, i, j), mean[i:j], scale[i:j]
        r, y = g, aligned(g.shape, g.dtype) if inside else result
        np.subtract(x, middle[:, None], out=y)
        if inside:
            product = np.multiply(g, y, out=aligned(g.shape, g.dtype))
            left = np.ones((2, j - i), g.dtype)  # of two rows, for with one OpenBLAS takes other threads
            left[0] = factor
            parts[i] = (left @ product)[0], (left @ g)[1]
            if given is not None:
                r = _by_entry(np.multiply, g, given, product)
        u, t = _total(r), _total_of_product(r, y)
        t *= factor
        slope[i:j], total[i:j] = t, u
        t *= factor
        t *= -1 / n
        u *= -1 / n
        y *= t[:, None]
        y += r
        y += u[:, None]
        y *= (factor if given is None or inside else factor * given[i:j])[:, None]
        if inside:
            np.copyto(result, y)

    size = _BLOCK >> (inside and x.nbytes < SPREAD)
    by_blocks(block, kept, n * x.itemsize, size, broadcast=view[2], alike=True)
    if not inside:
        if times > 1:
            slope, total = (np.add.reduce(sums.reshape(times, -1), axis=0) for sums in (slope, total))
        return out, slope, total
    in_weight, in_bias = parts.pop(0)
    for i in sorted(parts):  # always in one order, whichever thread was first
        in_weight = in_weight + parts[i][0]
        in_bias = in_bias + parts[i][1]
    return out, in_weight, in_bias
