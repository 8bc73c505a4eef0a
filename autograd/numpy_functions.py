"""NumPy's functions, with NumPy's arguments and defaults, in terms of the functions of this package.

Each is named after the function of ``np`` that it stands for; products and linear algebra are in ``numpy_linalg``.
``interop`` refuses ``out``, ``where`` and ``initial`` before these are called.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .creation import as_tensor
from .errors import DTypeError, ShapeError
from .node import Node
from .ops.dims import dimension


def _ours(name: str, of: str) -> Any:
    """The function ``name`` of autograd, dots included; an error that names NumPy's function if there is none."""
    import autograd

    found: Any = autograd
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise DTypeError(f"np.{of}: there is no gradient for this on Tensors; t.detach().numpy() gives the plain array")
    return found


def _dims(t: Any, axis: Any) -> Any:
    """``axis``, with None spelled out where that matters."""
    return tuple(range(t.ndim)) if axis is None else axis


# Reductions


def sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    return _ours("sum", "sum")(as_tensor(a), axis=axis, keepdims=keepdims, dtype=dtype)


def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
    return _ours("mean", "mean")(_floating(a, dtype), axis=axis, keepdims=keepdims)


def var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    _refuse("var", mean=mean)
    ddof = ddof if correction is None else correction
    return _ours("var", "var")(_floating(a, dtype), axis=axis, keepdims=keepdims, correction=ddof)


def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    _refuse("std", mean=mean)
    ddof = ddof if correction is None else correction
    return _ours("std", "std")(_floating(a, dtype), axis=axis, keepdims=keepdims, correction=ddof)


def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    _refuse("average", returned=returned or None)
    a = _floating(a, None)
    if weights is None:
        return a.mean(axis=axis, keepdims=keepdims)
    weights = as_tensor(weights)
    if weights.shape != a.shape:
        if weights.ndim != 1 or not isinstance(axis, int):
            raise ShapeError(
                f"np.average: weights of shape {weights.shape} fit neither the values, of shape {a.shape}, nor one axis"
            )
        line = [1] * a.ndim
        line[axis] = -1
        weights = weights.reshape(line).expand(a.shape)
    return (a * weights).sum(axis=axis, keepdims=keepdims) / weights.sum(axis=axis, keepdims=keepdims)


def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    a, op = as_tensor(a) if dtype is None else as_tensor(a).to(dtype), _ours("prod", "prod")
    if isinstance(axis, (tuple, list)):
        for d in sorted((dimension("np.prod", d, a.ndim) for d in axis), reverse=True):
            a = op(a, d, keepdims)
        return a
    if axis is None:
        whole = op(a)
        return whole.reshape([1] * a.ndim) if keepdims else whole
    return op(a, axis, keepdims)


def max(a, axis=None, out=None, keepdims=False, initial=None, where=None):
    return _ours("amax", "max")(as_tensor(a), axis=axis, keepdims=keepdims)


def min(a, axis=None, out=None, keepdims=False, initial=None, where=None):
    return _ours("amin", "min")(as_tensor(a), axis=axis, keepdims=keepdims)


def amax(a, axis=None, out=None, keepdims=False, initial=None, where=None):
    return max(a, axis, keepdims=keepdims)


def amin(a, axis=None, out=None, keepdims=False, initial=None, where=None):
    return min(a, axis, keepdims=keepdims)


def ptp(a, axis=None, out=None, keepdims=False):
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


def argmax(a, axis=None, out=None, *, keepdims=False):
    return _ours("argmax", "argmax")(as_tensor(a), axis=axis, keepdims=keepdims)


def argmin(a, axis=None, out=None, *, keepdims=False):
    return _ours("argmin", "argmin")(as_tensor(a), axis=axis, keepdims=keepdims)


def all(a, axis=None, out=None, keepdims=False, *, where=None):
    return _ours("all", "all")(as_tensor(a), axis=axis, keepdims=keepdims)


def any(a, axis=None, out=None, keepdims=False, *, where=None):
    return _ours("any", "any")(as_tensor(a), axis=axis, keepdims=keepdims)


def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
    a = as_tensor(a)
    return sum(a.where(a == a, 0), axis, dtype, keepdims=keepdims)


def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
    a = _floating(a, dtype)
    return nansum(a, axis, keepdims=keepdims) / (a == a).sum(axis=axis, keepdims=keepdims)


def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    return quantile(a, 0.5, axis, keepdims=keepdims)


def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    _refuse("quantile", weights=weights)
    a = as_tensor(a)
    q = as_tensor(np.asarray(q, a.dtype))
    return _ours("quantile", "quantile")(a, q, axis, keepdims, interpolation=method)


def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return quantile(a, np.asarray(q) / 100, axis, None, overwrite_input, method, keepdims, weights=weights)


# Scans, differences and order


def cumsum(a, axis=None, dtype=None, out=None):
    a = as_tensor(a) if dtype is None else as_tensor(a).to(dtype)
    return _ours("cumsum", "cumsum")(a.reshape(-1) if axis is None else a, 0 if axis is None else axis)


def cumprod(a, axis=None, dtype=None, out=None):
    a = as_tensor(a) if dtype is None else as_tensor(a).to(dtype)
    return _ours("cumprod", "cumprod")(a.reshape(-1) if axis is None else a, 0 if axis is None else axis)


def diff(a, n=1, axis=-1, prepend=None, append=None):
    _refuse("diff", prepend=prepend, append=append)
    a = as_tensor(a)
    axis = dimension("np.diff", axis, a.ndim)
    before = (slice(None),) * axis
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    _refuse("sort", order=order)
    a = as_tensor(a)
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return _ours("sort", "sort")(a, dim=axis)[0]


def argsort(a, axis=-1, kind=None, order=None, *, stable=None):
    _refuse("argsort", order=order)
    a = as_tensor(a)
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return _ours("argsort", "argsort")(a, dim=axis, stable=True)


# Entry by entry


def where(condition, x=None, y=None):
    if x is None and y is None:
        return np.nonzero(np.asarray(condition))
    return _ours("where", "where")(as_tensor(condition) != 0, x, y)


def clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None, dtype=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    low, high = (as_tensor(v) if isinstance(v, np.ndarray) else v for v in (low, high))
    return as_tensor(a) if low is None and high is None else _ours("clamp", "clip")(as_tensor(a), low, high)


def round(a, decimals=0, out=None):
    return _ours("round", "round")(as_tensor(a), decimals=decimals)


def around(a, decimals=0, out=None):
    return round(a, decimals)


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    return _ours("nan_to_num", "nan_to_num")(as_tensor(x), nan, posinf, neginf)


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    return as_tensor(np.isclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol, equal_nan=equal_nan))


def sinc(x):
    return _ours("sinc", "sinc")(as_tensor(x))


def real(val):
    return as_tensor(val)


def copy(a, order="K", subok=False):
    return _ours("clone", "copy")(as_tensor(a))


def zeros_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    return full_like(a, 0, dtype, order, subok, shape)


def ones_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    return full_like(a, 1, dtype, order, subok, shape)


def empty_like(prototype, dtype=None, order="K", subok=True, shape=None, *, device=None):
    return full_like(prototype, 0, dtype, order, subok, shape)


def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    t = as_tensor(a)
    sizes = t.shape if shape is None else shape
    return as_tensor(np.full(sizes, fill_value, t.dtype if dtype is None else dtype))


# Shape


def reshape(a, /, shape=None, order="C", *, newshape=None, copy=None):
    _in_order("reshape", order)
    shape = newshape if shape is None else shape
    return as_tensor(a).reshape(shape)


def ravel(a, order="C"):
    _in_order("ravel", order)
    return as_tensor(a).reshape(-1)


def transpose(a, axes=None):
    a = as_tensor(a)
    return a.permute(*(range(a.ndim)[::-1] if axes is None else axes))


def matrix_transpose(x, /):
    return as_tensor(x).mT


def swapaxes(a, axis1, axis2):
    return as_tensor(a).transpose(axis1, axis2)


def moveaxis(a, source, destination):
    return as_tensor(a).movedim(source, destination)


def squeeze(a, axis=None):
    a = as_tensor(a)
    for d in () if axis is None else axis if isinstance(axis, tuple) else (axis,):
        if a.shape[d] != 1:
            raise ShapeError(f"np.squeeze: axis {d} of shape {a.shape} has size {a.shape[d]}, not 1")
    return a.squeeze() if axis is None else a.squeeze(axis)


def expand_dims(a, axis):
    a = as_tensor(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for d in sorted(dimension("np.expand_dims", d, a.ndim + len(axes)) for d in axes):
        a = a.unsqueeze(d)
    return a


def broadcast_to(array, shape, subok=False):
    return as_tensor(array).expand(shape)


def broadcast_arrays(*args, subok=False):
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(broadcast_to(a, shape) if isinstance(a, Node) else np.broadcast_to(a, shape) for a in args)


def atleast_1d(*arys):
    return _at_least(1, arys)


def atleast_2d(*arys):
    return _at_least(2, arys)


def flip(m, axis=None):
    m = as_tensor(m)
    return _ours("flip", "flip")(m, _dims(m, axis))


def fliplr(m):
    return flip(m, 1)


def flipud(m):
    return flip(m, 0)


def roll(a, shift, axis=None):
    return _ours("roll", "roll")(as_tensor(a), shift, axis)


def rot90(m, k=1, axes=(0, 1)):
    return _ours("rot90", "rot90")(as_tensor(m), k, axes)


def tile(A, reps):
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    return _ours("tile", "tile")(as_tensor(A), reps)


def repeat(a, repeats, axis=None):
    repeats = repeats if isinstance(repeats, int) else as_tensor(np.asarray(repeats))
    return _ours("repeat_interleave", "repeat")(as_tensor(a), repeats, axis)


def concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind"):
    parts = [as_tensor(a) for a in arrays]
    parts, axis = ([p.reshape(-1) for p in parts], 0) if axis is None else (parts, axis)
    joined = _ours("cat", "concatenate")(parts, axis)
    return joined if dtype is None else joined.to(dtype)


def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    joined = _ours("stack", "stack")([as_tensor(a) for a in arrays], axis)
    return joined if dtype is None else joined.to(dtype)


def vstack(tup, *, dtype=None, casting="same_kind"):
    return concatenate([atleast_2d(a) for a in tup], dtype=dtype)


def hstack(tup, *, dtype=None, casting="same_kind"):
    parts = [atleast_1d(a) for a in tup]
    return concatenate(parts, axis=0 if parts[0].ndim == 1 else 1, dtype=dtype)


def dstack(tup):
    return concatenate([expand_dims(p, 2) if p.ndim == 2 else p for p in map(atleast_2d, tup)], axis=2)


def column_stack(tup):
    parts = [as_tensor(a) for a in tup]
    return concatenate([p.reshape(-1, 1) if p.ndim < 2 else p for p in parts], axis=1)


def append(arr, values, axis=None):
    return concatenate([as_tensor(arr), as_tensor(values)], axis)


def split(ary, indices_or_sections, axis=0):
    n = as_tensor(ary).shape[axis]
    if isinstance(indices_or_sections, int) and n % indices_or_sections:
        raise ShapeError(f"np.split: {n} entries along axis {axis} do not make {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, axis)


def array_split(ary, indices_or_sections, axis=0):
    ary = as_tensor(ary)
    before = (slice(None),) * dimension("np.split", axis, ary.ndim)
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int):
        size, more = divmod(n, indices_or_sections)
        ends = [size * i + (i if i < more else more) for i in range(indices_or_sections + 1)]
    else:
        ends = [0, *indices_or_sections, n]
    return [ary[(*before, slice(i, j))] for i, j in itertools.pairwise(ends)]


def hsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, 0 if np.ndim(ary) == 1 else 1)


def vsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, 0)


def unstack(x, /, *, axis=0):
    return as_tensor(x).unbind(axis)


def pad(array, pad_width, mode="constant", **kwargs):
    array = as_tensor(array)
    if mode != "constant" or set(kwargs) - {"constant_values"}:
        raise DTypeError(f"np.pad: with Tensors there is mode='constant' with constant_values, got mode={mode!r}, "
                         f"{sorted(kwargs)}; nn.functional.pad has more")  # fmt: skip
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
    fill = kwargs.get("constant_values", 0)
    if not isinstance(fill, (int, float)):
        raise DTypeError("np.pad: with Tensors constant_values is one number")
    for d, (before, after) in enumerate(widths.tolist()):
        shape = list(array.shape)
        sides = []
        for n in (before, after):
            shape[d] = n
            sides.append(as_tensor(np.full(shape, fill, array.dtype)))
        if before or after:
            array = concatenate([sides[0], array, sides[1]], axis=d)
    return array


def diag(v, k=0):
    return _ours("diag", "diag")(as_tensor(v), k)


def diagonal(a, offset=0, axis1=0, axis2=1):
    return _ours("diagonal", "diagonal")(as_tensor(a), offset, axis1, axis2)


def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    return diagonal(a, offset, axis1, axis2).sum(-1, dtype=dtype)


def tril(m, k=0):
    return _ours("tril", "tril")(as_tensor(m), k)


def triu(m, k=0):
    return _ours("triu", "triu")(as_tensor(m), k)


def take(a, indices, axis=None, out=None, mode="raise"):
    a = as_tensor(a)
    if mode != "raise":
        raise DTypeError(f"np.take: with Tensors mode is 'raise', got {mode!r}")
    indices = np.asarray(indices)
    if axis is None:
        return a.reshape(-1)[indices]
    return a[(*(slice(None),) * dimension("np.take", axis, a.ndim), indices)]


def take_along_axis(arr, indices, axis=-1):
    arr, indices = as_tensor(arr), as_tensor(indices)
    if axis is None:
        arr, axis = arr.reshape(-1), 0
    return _ours("take_along_dim", "take_along_axis")(arr, indices, axis)


def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    _refuse("meshgrid", sparse=sparse or None)
    return list(_ours("meshgrid", "meshgrid")(*[as_tensor(x) for x in xi], indexing=indexing))


def _floating(a: Any, dtype: Any) -> Any:
    """As a floating Tensor: NumPy averages and solves integers too."""
    t = as_tensor(a)
    if dtype is not None:
        return t.to(dtype)
    return t if t.dtype.kind == "f" else t.to("float64")


def _at_least(n: int, arrays: Sequence[Any]) -> Any:
    found = []
    for a in arrays:
        t: Any = a if isinstance(a, Node) else np.asanyarray(a)
        found.append(t.reshape([1] * (n - t.ndim) + list(t.shape)) if t.ndim < n else t)
    return found[0] if len(found) == 1 else tuple(found)


def _in_order(name: str, order: str) -> None:
    if order not in ("C", "K", "A"):
        raise DTypeError(f"np.{name}: with Tensors the order is 'C', got {order!r}; transpose first")


def _refuse(name: str, **arguments: Any) -> None:
    for argument, value in arguments.items():
        if value is not None and value is not np._NoValue:
            raise DTypeError(
                f"np.{name}: {argument}= is not supported with Tensors; t.detach().numpy() gives the plain array"
            )
