"""NumPy's names, and the few operations that its vocabulary lacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import (
    abs,
    argmax,
    argmin,
    broadcast_to,
    ceil,
    concatenate,
    cos,
    exp,
    expm1,
    floor,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    maximum,
    minimum,
    ones_like,
    sign,
    sin,
    sqrt,
    stack,
    swapaxes,
    tanh,
    transpose,
    where,
    zeros_like,
)

from . import VOCABULARY

__all__ = [*VOCABULARY]


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's sum, without the microsecond that its wrapper takes."""
    return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's max, without its wrapper."""
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's min, without its wrapper."""
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


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
    out = np.zeros(shape, g.dtype)
    if not repeats(key):
        out[key] = g
    elif not isinstance(key, np.ndarray) or out.ndim == 1:
        np.add.at(out, key, g)
    elif shape[0] * key.size <= 1 << 16:
        # A product with the one-hot matrix is several times faster than adding row by row.
        one_hot = np.zeros((shape[0], key.size), g.dtype)
        one_hot[key.reshape(-1), np.arange(key.size)] = 1
        out = (one_hot @ g.reshape(key.size, -1)).reshape(shape)
    else:
        rows = np.where(key < 0, key + shape[0], key).reshape(-1)
        order = np.argsort(rows, kind="stable")
        named, starts = np.unique(rows[order], return_index=True)
        out[named] = np.add.reduceat(g.reshape(key.size, *shape[1:])[order], starts, axis=0)
    return out


def one_hot(classes: Any, n: int, dtype: Any) -> Any:
    """Rows of zeros with a one at each class."""
    rows = classes if classes.ndim == 1 else classes.reshape(-1)
    out = np.zeros((rows.size, n), dtype)
    out[np.arange(rows.size), rows] = 1
    return out if classes.ndim == 1 else out.reshape(*classes.shape, n)


def softmax(x: Any, axis: int) -> Any:
    """eˣ / Σ eˣ along ``axis``."""
    e = np.exp(x - max(x, axis=axis, keepdims=True))
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
