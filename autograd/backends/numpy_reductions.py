"""Sums and extremes along some dimensions, where NumPy's own take several times as long.

NumPy's reductions call their inner loop once for each row, which on rows of ten takes longer than the additions. A
product with a vector of ones reads memory once and in order; a maximum is taken over the rows turned into columns.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

# Entries below which a plain call is quicker; how long a row may be whose sum is a product, whose rounding is coarser
# than that of NumPy's pairwise sums; bytes of a row that is turned; entries of the block that is turned at once.
FEW, LONGEST, TURNED, BLOCK = 128, 4096, 256, 8000

# Entries up to which OpenBLAS multiplies by a vector on one thread. With more it wakes others, which then wait for a
# tenth of a second, busily: a processor less for all that comes next, where these sums gain next to nothing.
ALONE = 9000
# Rows up to which the columns of some are a product; of more, columns lie too far apart in memory.
MANY = 128


def sum_along(x: Any, axis: Any, keepdims: bool) -> Any:
    """Σ x along ``axis``; of leading or trailing dimensions, or both, as products with vectors of ones."""
    if axis is None or type(x) is not np.ndarray or x.size < FEW or not x.flags.c_contiguous:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    plan = _plan(x.shape, axis, keepdims, x.dtype)
    if plan is None:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    rows, right, columns, left, shape = plan
    if right is not None:
        x = x.reshape(rows)
        x = (x @ right).reshape(-1) if len(rows) == 3 else _across(x, right)
    if left is not None:
        x = x if columns is None else x.reshape(columns)
        x = left @ x if x.size <= ALONE else _down(left, x)
    return x if shape is None else x.reshape(shape)


def _across(x: Any, ones: Any) -> Any:
    """x (n, m) @ ones (m,), in products of ``ALONE`` entries and one of what is left."""
    n, m = x.shape
    step = ALONE // m
    whole = n - n % step
    out = np.empty(n, x.dtype)
    np.matmul(x[:whole].reshape(-1, step, m), ones, out=out[:whole].reshape(-1, step))
    if whole < n:
        np.matmul(x[whole:], ones, out=out[whole:])
    return out


def _down(ones: Any, x: Any) -> Any:
    """Σ of x (n, m) over its rows, in products of ``ALONE`` entries: of some rows where these are many, or columns."""
    n, m = x.shape
    if n > MANY:
        step = ALONE // m
        if step < 4:
            return np.add.reduce(x, axis=0)
        whole = n - n % step
        out = np.add.reduce(np.matmul(ones[:step], x[:whole].reshape(-1, step, m)), axis=0)
        if whole < n:
            out += ones[: n - whole] @ x[whole:]
        return out
    step = ALONE // n
    whole = m - m % step
    out = np.empty(m, x.dtype)
    np.matmul(ones, x[:, :whole].reshape(n, -1, step).swapaxes(0, 1), out=out[:whole].reshape(-1, step))
    if whole < m:
        np.matmul(ones, x[:, whole:], out=out[whole:])
    return out


@functools.lru_cache(maxsize=1024)
def _plan(shape: tuple[int, ...], axis: Any, keepdims: bool, dtype: Any) -> Any:
    """(rows, ones, columns, ones, result): what is reshaped and multiplied; None where NumPy is to sum."""
    if dtype not in (np.float32, np.float64) or 0 in shape:
        return None
    axes = {d % len(shape) for d in (axis if isinstance(axis, tuple) else (axis,))}
    start, end = 0, len(shape)
    while end and end - 1 in axes:
        end -= 1
    while start < end and start in axes:
        start += 1
    if not axes or start == end or any(start <= d < end for d in axes):
        return None
    first, kept, last = math.prod(shape[:start]), math.prod(shape[start:end]), math.prod(shape[end:])
    if last > LONGEST:
        return None
    left = ones(min(first, ALONE), dtype) if start else None
    right = ones(last, dtype) if end < len(shape) else None
    result = tuple(1 if d in axes else n for d, n in enumerate(shape) if keepdims or d not in axes)
    columns = (first, kept)
    count, most = first * kept, max(ALONE // last, 1)
    block = next(k for k in range(most, 0, -1) if count % k == 0)
    fits = 4 * block >= min(count, most)  # else, as with a prime, there would be many small products
    return (
        (count // block, block, last) if fits else (count, last),
        right,
        None if right is None and columns == shape else columns,
        left,
        None if result == (kept,) or (left is None and result == (count,)) else result,
    )


def ones(n: int, dtype: Any) -> Any:
    """A vector of them, to be read; short ones are kept."""
    return _kept_ones(n, dtype) if n <= ALONE else np.ones(n, dtype)


@functools.lru_cache(maxsize=256)
def _kept_ones(n: int, dtype: Any) -> Any:
    vector = np.ones(n, dtype)
    vector.flags.writeable = False  # others use it
    return vector


def extreme_along(ufunc: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The largest (``np.maximum``) or smallest (``np.minimum``) along ``axis``; of short rows by columns."""
    if type(x) is np.ndarray and x.size >= FEW and x.ndim > 1 and (axis == -1 or axis == x.ndim - 1):
        n = x.shape[-1]
        if n * x.itemsize <= TURNED and x.flags.c_contiguous:
            shape = (*x.shape[:-1], 1) if keepdims else x.shape[:-1]
            return _by_columns(ufunc, x.reshape(-1, n)).reshape(shape)
    return ufunc.reduce(x, axis=axis, keepdims=keepdims)


def _by_columns(ufunc: Any, rows: Any) -> Any:
    count, n = rows.shape
    block = BLOCK // n
    if count <= block:
        return ufunc.reduce(np.ascontiguousarray(rows.T), axis=0)
    out = np.empty(count, rows.dtype)
    turned = np.empty((n, block), rows.dtype)
    for start in range(0, count, block):
        part = rows[start : start + block]
        columns = turned[:, : len(part)]
        columns[...] = part.T
        ufunc.reduce(columns, axis=0, out=out[start : start + block])
    return out
