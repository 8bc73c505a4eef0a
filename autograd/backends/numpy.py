"""NumPy's names, and the few operations that its vocabulary lacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import (
    abs,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    argmax,
    argmin,
    broadcast_to,
    ceil,
    concatenate,
    copysign,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    floor,
    fmax,
    fmin,
    fmod,
    gcd,
    hypot,
    isclose,
    lcm,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    maximum,
    minimum,
    nextafter,
    ones_like,
    round,
    sign,
    signbit,
    sin,
    sinc,
    sinh,
    sqrt,
    stack,
    tan,
    tanh,
    trunc,
    where,
    zeros_like,
)

from ..sparse_rows import SparseRows
from . import FORWARD, VOCABULARY
from . import numpy_linalg as linalg
from .numpy_normal import normal_cdf
from .numpy_reductions import extreme_along, sum_along
from .numpy_rows import sum_rows
from .numpy_scans import argsort, argtop, cumlogsumexp, cummax, cummin, cumprod, cumsum, linear_recurrence, searchsorted
from .numpy_windows import convolve, convolve_back, correlate, overlap_add, sliding_windows

__all__ = [*FORWARD, *VOCABULARY]

# glibc gives freed arrays above 128 KiB back to the system, and the page faults of getting such memory anew cost a
# convolutional network a fifth of its time. Freeing one array as large as glibc lets it be raises that limit for the
# process (mallopt(3), M_MMAP_THRESHOLD). Its pages are never touched, so nothing is used up; elsewhere it does nothing.
np.empty((1 << 25) - 4160, np.uint8)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's sum, without the microsecond that its wrapper takes."""
    return sum_along(x, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's max, without its wrapper."""
    return extreme_along(np.maximum, x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's min, without its wrapper."""
    return extreme_along(np.minimum, x, axis, keepdims)


def transpose(x: Any, axes: Any = None) -> Any:
    """NumPy's transpose, without its wrapper."""
    return x.transpose(axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """NumPy's swapaxes, without its wrapper."""
    return x.swapaxes(axis1, axis2)


def repeat_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` broadcast to ``shape``, not to be written to: a copy where that is quicker than a view of stride 0."""
    if math.prod(shape) > 4096:
        return np.broadcast_to(x, shape)
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


def astype(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x.astype(dtype)


def special(name: str, *args: Any) -> Any:
    """The function ``name`` of SciPy, which is loaded at the first use."""
    import scipy.special

    out = getattr(scipy.special, name)(*args)
    dtype = next(a.dtype for a in args if hasattr(a, "dtype"))
    return out if out.dtype == dtype else out.astype(dtype)  # SciPy has no float16


def index(x: Any, key: Any) -> Any:
    """``x[key]``; a single entry comes as a 0-d view, so that it shares x's memory as any part does."""
    out = x[key]
    if isinstance(out, np.generic) and isinstance(key, tuple) and Ellipsis not in key:
        return x[(*key, Ellipsis)]
    return out


def set_at(x: Any, value: Any, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``x[key]``; of entries named twice the last one counts."""
    out = np.array(x)
    out[key] = value
    return out


def add_at(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``key``, the transpose of reading ``key``."""
    if repeats(key):
        axis = _only_axis(key) if len(shape) > 1 else None
        if axis is not None:
            rows = key if isinstance(key, np.ndarray) else key[axis]
            values = np.moveaxis(g, axis, 0) if axis else g.reshape(rows.size, *shape[1:])
            rows = np.where(rows < 0, rows + shape[axis], rows).reshape(-1)
            out = sum_rows(values, rows, shape[axis])
            return np.moveaxis(out, 0, axis) if axis else out
    out = np.zeros(shape, g.dtype)
    if repeats(key):
        np.add.at(out, key, g)
    else:
        out[key] = g
    return out


def _only_axis(key: Any) -> int | None:
    """The dimension along which alone ``key`` names something: its slices, by a vector, or by any array if first."""
    if isinstance(key, np.ndarray):
        return 0
    d = len(key) - 1
    whole = d > 0 and all(isinstance(k, slice) and k == slice(None) for k in key[:d])
    return d if whole and np.ndim(key[d]) == 1 else None


def add_rows(g: Any, key: Any, shape: tuple[int, ...], skipped: int | None, sparse: bool = True) -> Any:
    """Zeros of ``shape`` with the rows of ``g`` added at those that ``key`` names, but for row ``skipped``; sparse."""
    rows = key.reshape(-1)
    # A copy, since it is kept: whoever made g may write into it.
    values = np.array(g.reshape(rows.size, *shape[1:]))  # (n, …)
    if skipped is not None:
        kept = rows != skipped
        rows, values = rows[kept], values[kept]
    return SparseRows(np.where(rows < 0, rows + shape[0], rows), values, shape, sparse)


def extreme_at(x: Any, value: Any, key: Any, largest: bool) -> Any:
    """A copy of ``x`` with the larger (smaller) of itself and all of ``value`` at ``key``."""
    out = np.array(x)
    (np.maximum if largest else np.minimum).at(out, key, value)
    return out


def diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """The diagonal of a plane of ``x`` as the last dimension, a view that can be written to if x can."""
    out = np.diagonal(x, offset, dim1, dim2)
    if x.flags.writeable:
        out.flags.writeable = True
    return out


def embed_diagonal(g: Any, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` on that diagonal."""
    out = np.zeros(shape, g.dtype)
    diagonal(out, offset, dim1, dim2)[...] = g
    return out


def one_hot(classes: Any, n: int, dtype: Any) -> Any:
    """Rows of zeros with a one at each class."""
    rows = classes if classes.ndim == 1 else classes.reshape(-1)
    out = np.zeros((rows.size, n), dtype)
    out[np.arange(rows.size), rows] = 1
    return out if classes.ndim == 1 else out.reshape(*classes.shape, n)


def logaddexp(x: Any, y: Any) -> Any:
    """ln(eˣ + eʸ), without NumPy's warning where one is NaN."""
    with np.errstate(invalid="ignore"):
        return np.logaddexp(x, y)


def logaddexp2(x: Any, y: Any) -> Any:
    """log₂(2ˣ + 2ʸ), without NumPy's warning where one is NaN."""
    with np.errstate(invalid="ignore"):
        return np.logaddexp2(x, y)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), without overflow at either end."""
    # The numerator is 1 or eˣ; choosing between the two with where would take four times as long as both.
    e = np.exp(np.minimum(x, 0))
    e /= 1 + np.exp(-np.abs(x))
    return e


def softmax(x: Any, axis: int) -> Any:
    """eˣ / Σ eˣ along ``axis``."""
    e = x - max(x, axis=axis, keepdims=True)
    np.exp(e, out=e)
    e /= sum(e, axis=axis, keepdims=True)
    return e


def repeats(key: Any) -> bool:
    """Whether ``x[key]`` may name one entry twice: only integer arrays can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(k, np.ndarray) and k.dtype.kind in "iu" and k.size > 1 for k in parts)


def winners(shape: tuple[int, ...], key: Any) -> Any:
    """Ones where ``x[key] = value`` leaves the entry of ``value`` in place, zeros where a later one replaces it."""
    order = np.arange(np.zeros(shape, bool)[key].size).reshape(np.zeros(shape, bool)[key].shape)
    last = np.full(shape, -1)
    last[key] = order
    return last[key] == order
