"""Operations on Tensors taken apart into operations on their entries, each of which is a 0-d Tensor.

The forward functions of primitives are written against a namespace. Here is one more, in which an array is a grid of
scalar Tensors: evaluated in it, a forward function leaves behind the graph of all of its multiplications and additions.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..backends import numpy_windows
from ..backends import tensor as tensor_namespace
from ..node import Node
from ..primitive import wrap

# Below this e**x neither overflows nor loses digits, and softmax is taken apart as it stands in a textbook.
_MODERATE = 50.0


def gathered(tensors: list[Any], shape: tuple[int, ...]) -> Any:
    """A grid of ``tensors``, in the order of its entries."""
    entries = np.empty(len(tensors), object)
    for i, t in enumerate(tensors):
        entries[i] = t
    return Grid(entries.reshape(shape))


def _grid(entries: Any) -> Grid:
    return Grid(entries) if isinstance(entries, np.ndarray) else gathered([entries], ())


def _each(function: Callable[..., Any], *xs: Any) -> Any:
    """``function`` of the entries of what broadcasts together."""
    return _grid(np.frompyfunc(function, len(xs), 1)(*[x.entries if isinstance(x, Grid) else x for x in xs]))


def values(x: Any) -> Any:
    """The numbers in a grid, as an array; an array as it is."""
    if not isinstance(x, Grid):
        return x
    return np.array([_value(t) for t in x.entries.reshape(-1)], x.dtype).reshape(x.shape)


def _value(t: Any) -> Any:
    return t._array if isinstance(t, Node) else t


def _binary(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return lambda x, y: _each(function, x, y), lambda x, y: _each(function, y, x)


def _comparison(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: function(values(x), values(y))


class Grid:
    """An array of scalar Tensors, with as much of an array's behaviour as forward functions ask for."""

    __slots__ = ("entries",)
    __array_ufunc__ = None  # so that an array on the left leaves the operation to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, entries: Any) -> None:
        self.entries = entries  # an array of objects

    shape = property(lambda self: self.entries.shape)
    ndim = property(lambda self: self.entries.ndim)
    size = property(lambda self: self.entries.size)
    T = property(lambda self: Grid(self.entries.T))

    @property
    def dtype(self) -> Any:
        """That of the first entry which is a Tensor; it decides nothing but what constants are made of."""
        found = next((t for t in self.entries.reshape(-1) if isinstance(t, Node)), None)
        return np.dtype(np.float64) if found is None else found.dtype

    __add__, __radd__ = _binary(operator.add)
    __sub__, __rsub__ = _binary(operator.sub)
    __mul__, __rmul__ = _binary(operator.mul)
    __truediv__, __rtruediv__ = _binary(operator.truediv)
    __pow__, __rpow__ = _binary(operator.pow)
    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)

    def __neg__(self) -> Any:
        return _each(operator.neg, self)

    def __matmul__(self, other: Any) -> Any:
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return matmul(other, self)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, key: Any) -> Any:
        return _grid(self.entries[key])

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a grid of scalars is not an array of numbers")

    def reshape(self, *shape: Any) -> Any:
        """The entries in the same order in another shape."""
        return Grid(self.entries.reshape(*shape))

    def swapaxes(self, first: int, second: int) -> Any:
        """Two dimensions exchanged."""
        return Grid(self.entries.swapaxes(first, second))

    def transpose(self, *dims: Any) -> Any:
        """Dimensions in another order."""
        return Grid(self.entries.transpose(*dims))

    def astype(self, dtype: Any) -> Any:
        """The same entries: a scalar keeps its own dtype."""
        return self

    copy = astype

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Products, one multiplication after the other."""
        return _reduced(operator.mul, self, axis, keepdims)


# What only moves entries about: it makes no node.


def _routed(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of arrays as one of grids; what is no grid may come along."""

    def route(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, (tuple, list)):
            x = [y.entries if isinstance(y, Grid) else np.asarray(y, object) for y in x]
        else:
            x = x.entries if isinstance(x, Grid) else x
        return _grid(function(x, *args, **kwargs))

    return route


broadcast_to = repeat_to = _routed(np.broadcast_to)
concatenate = _routed(np.concatenate)
stack = _routed(np.stack)
swapaxes = _routed(np.swapaxes)
transpose = _routed(np.transpose)
diagonal = _routed(np.diagonal)
sliding_windows = _routed(numpy_windows.sliding_windows)


def index(x: Any, key: Any) -> Any:
    """``x[key]``."""
    return x[key]


def set_at(x: Any, value: Any, key: Any) -> Any:
    """``x`` with ``value`` at ``key``."""
    out = x.entries.copy()
    if isinstance(value, Grid):
        places = np.arange(out.size).reshape(out.shape)[key]
        sources = np.broadcast_to(value.entries, places.shape).reshape(-1)
        flat = out.reshape(-1)
        for place, source in zip(places.reshape(-1), sources, strict=True):
            flat[place] = source
    else:
        out[key] = value
    return Grid(out)


def add_at(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``key``; a zero is a number, and no addition."""
    out = np.full(shape, 0.0, object)
    places = np.arange(out.size).reshape(shape)[key]
    flat = out.reshape(-1)
    for place, source in zip(np.reshape(places, -1), np.broadcast_to(g.entries, np.shape(places)).flat, strict=True):
        flat[place] = flat[place] + source if isinstance(flat[place], Node) else source
    return Grid(out)


def embed_diagonal(g: Any, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` on that diagonal."""
    places = np.diagonal(np.arange(math.prod(shape)).reshape(shape), offset, dim1, dim2)
    return add_at(g.reshape(-1), places.reshape(-1), (math.prod(shape),)).reshape(shape)


def overlap_add(windows: Any, size: Any, stride: Any, dilation: Any) -> Any:
    """The transpose of ``sliding_windows``."""
    shape = (*windows.shape[:2], *size)
    places = np.arange(math.prod(shape)).reshape(shape)
    k = len(size)
    places = numpy_windows.sliding_windows(places, windows.shape[2 : 2 + k], stride, dilation)
    return add_at(windows.reshape(-1), places.reshape(-1), (math.prod(shape),)).reshape(shape)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Entries of ``x`` and of ``y``; which of them is known."""
    parts = [a.entries if isinstance(a, Grid) else np.asarray(a, object) for a in (x, y)]
    return _grid(np.where(condition, *parts))


def astype(x: Any, dtype: Any) -> Any:
    """A grid as it is, an array in another dtype."""
    return x if isinstance(x, Grid) else np.asarray(x).astype(dtype)


def zeros_like(x: Any) -> Any:
    """Zeros, which are numbers and no nodes."""
    return np.zeros(x.shape, x.dtype)


def ones_like(x: Any) -> Any:
    """Ones, likewise."""
    return np.ones(x.shape, x.dtype)


one_hot = numpy_namespace.one_hot


# What computes.


def _mapped(name: str) -> Callable[..., Any]:
    ours, plain = getattr(tensor_namespace, name), getattr(numpy_namespace, name)

    def function(*xs: Any) -> Any:
        return _each(ours, *xs) if any(isinstance(x, Grid) for x in xs) else plain(*xs)

    return function


abs, ceil, floor, sign, trunc = map(_mapped, ("abs", "ceil", "floor", "sign", "trunc"))
exp, expm1, log, log1p, sqrt = map(_mapped, ("exp", "expm1", "log", "log1p", "sqrt"))
sin, cos, sinh, cosh, tanh, sigmoid = map(_mapped, ("sin", "cos", "sinh", "cosh", "tanh", "sigmoid"))
maximum, minimum, normal_cdf = map(_mapped, ("maximum", "minimum", "normal_cdf"))
logical_and, logical_or, logical_not = map(_mapped, ("logical_and", "logical_or", "logical_not"))


def _reduced(function: Callable[[Any, Any], Any], x: Any, axis: Any, keepdims: bool) -> Any:
    axes = range(x.ndim) if axis is None else [d % x.ndim for d in ((axis,) if isinstance(axis, int) else axis)]
    kept = [d for d in range(x.ndim) if d not in axes]
    rows = x.entries.transpose(*kept, *axes).reshape(*(x.shape[d] for d in kept), -1)
    if not x.size:
        raise ValueError("nothing to take together")
    out = functools.reduce(lambda a, b: _each(function, a, b), (_grid(rows[..., i]) for i in range(rows.shape[-1])))
    return out.reshape(tuple(1 if d in axes else n for d, n in enumerate(x.shape))) if keepdims else out


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sums, one addition after the other."""
    if not isinstance(x, Grid):
        return numpy_namespace.sum(x, axis=axis, keepdims=keepdims)
    return _reduced(operator.add, x, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest, by one comparison after the other."""
    return _reduced(tensor_namespace.maximum, x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest, likewise."""
    return _reduced(tensor_namespace.minimum, x, axis, keepdims)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Where the largest is: known, and no node."""
    return np.argmax(values(x), axis=axis, keepdims=keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Where the smallest is."""
    return np.argmin(values(x), axis=axis, keepdims=keepdims)


def argsort(x: Any, *args: Any, **kwargs: Any) -> Any:
    """The order of the entries."""
    return numpy_namespace.argsort(values(x), *args, **kwargs)


def argtop(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Where the largest entries are."""
    return numpy_namespace.argtop(values(x), *args, **kwargs)


def matmul(x: Any, y: Any) -> Any:
    """Sums of products, each product before its addition."""
    parts = [a.entries if isinstance(a, Grid) else np.asarray(a).astype(object) for a in (x, y)]
    return _grid(np.matmul(*parts))


def _scanned(function: Callable[[Any, Any], Any], x: Any, axis: int, reverse: bool) -> Any:
    lines = np.moveaxis(x.entries, axis, 0)
    out = np.empty_like(lines)
    order = range(len(lines))[:: -1 if reverse else 1]
    total = None
    for i in order:
        total = _grid(lines[i]) if total is None else _each(function, total, _grid(lines[i]))
        out[i] = total.entries[()]  # of no dimensions the scalar itself
    return Grid(np.moveaxis(out, 0, axis))


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running sums."""
    return _scanned(operator.add, x, axis, reverse)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running products."""
    return _scanned(operator.mul, x, axis, reverse)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """hₜ = bₜ + aₜ hₜ₋₁ along ``axis``."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    slopes, lines = (np.moveaxis(broadcast_to(x, shape).entries, axis, 0) for x in (a, b))
    out = np.empty_like(lines)
    before: Any = None
    for i in range(len(lines))[:: -1 if reverse else 1]:
        h = _grid(lines[i])
        before = h if before is None else h + _grid(slopes[i]) * before
        out[i] = before.entries[()]
    return Grid(np.moveaxis(out, 0, axis))


def _shifted(x: Any, axis: Any) -> Any:
    """``x``, less the largest entry along ``axis`` as a constant where e**x would be too large."""
    numbers = values(x)
    if np.all(np.abs(numbers) < _MODERATE):
        return x
    return x - np.max(numbers, axis=axis, keepdims=True)


def softmax(x: Any, axis: int) -> Any:
    """e**x / Σ e**x."""
    e = exp(_shifted(x, axis))
    return e / sum(e, axis=axis, keepdims=True)


def convolve(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """For each entry of the result the products of a kernel with what lies under it; nothing for the padding."""
    spatial = tuple(zip(x.shape[2:], padding, strict=True))
    padded = np.full((*x.shape[:2], *(n + before + after for n, (before, after) in spatial)), None, object)
    padded[(slice(None), slice(None), *(slice(before, before + n) for n, (before, _) in spatial))] = x.entries
    k = len(spatial)
    windows = numpy_windows.sliding_windows(padded, w.shape[2:], stride, dilation)  # (N, C, *kernel, *out)
    n, out = x.shape[0], windows.shape[2 + k :]
    filters, channels = w.shape[0] // groups, w.shape[1]
    result = np.empty((n, w.shape[0], *out), object)
    for place in np.ndindex(*result.shape):
        sample, o, *at = place
        start = o // filters * channels
        under = windows[(sample, slice(start, start + channels), *[slice(None)] * k, *at)].reshape(-1)
        pairs = zip(under, w.entries[o].reshape(-1), strict=True)
        result[place] = functools.reduce(operator.add, [a * b for a, b in pairs if a is not None] or [0.0])
    return Grid(result)


def convolve_back(y: Any, w: Any, size: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The transpose of ``convolve``: each entry of ``y`` times a kernel, added up where that lies."""
    k, filters, channels = len(size), w.shape[0] // groups, w.shape[1]
    wide = tuple(n + before + after for n, (before, after) in zip(size, padding, strict=True))
    shape = (y.shape[0], channels * groups, *wide)
    places = numpy_windows.sliding_windows(np.arange(math.prod(shape)).reshape(shape), w.shape[2:], stride, dilation)
    terms, lies = [], []
    for place in np.ndindex(*y.shape):
        sample, o, *at = place
        start = o // filters * channels
        lies.append(places[(sample, slice(start, start + channels), *[slice(None)] * k, *at)].reshape(-1))
        terms += [y.entries[place] * b for b in w.entries[o].reshape(-1)]
    x = add_at(gathered(terms, (len(terms),)), np.concatenate(lies), (math.prod(shape),)).reshape(shape)
    return x[(..., *(slice(before, before + n) for n, (before, _) in zip(size, padding, strict=True)))]


# Operations whose forward functions guard against overflow in ways that no textbook shows.


def _log_softmax(xp: Any, x: Any, *, axis: int) -> Any:
    shifted = _shifted(x, axis)
    return shifted - log(sum(exp(shifted), axis=axis, keepdims=True))


def _logsumexp(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    shifted = _shifted(x, axis)
    total = log(sum(exp(shifted), axis=axis, keepdims=keepdims))
    return total if shifted is x else total + np.max(values(x), axis=axis, keepdims=keepdims)


def _cross_entropy(xp: Any, logits: Any, target: Any, *, smoothing: float = 0.0) -> Any:
    rows, classes = logits.shape
    p = softmax(logits, axis=1)
    if not smoothing:
        return _shared_out(sum(-log(p[np.arange(rows), target])), rows)
    q = (1 - smoothing) * one_hot(target, classes, np.float64) + smoothing / classes
    return _shared_out(sum(-log(p) * q), rows)


def _mean(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    total = sum(x, axis=axis, keepdims=keepdims)
    return _shared_out(total, x.size // total.size)


def _shared_out(total: Any, count: int) -> Any:
    return total if count == 1 else total / count


EXPANSIONS: dict[str, Callable[..., Any]] = {
    "log_softmax_along": _log_softmax,
    "reduce_logsumexp": _logsumexp,
    "softmax_cross_entropy": _cross_entropy,
    "reduce_mean": _mean,
}


def constant(x: Any) -> Any:
    """A grid of constants with the entries of an array."""
    a = np.asarray(x)
    return gathered([wrap(v) for v in a.reshape(-1)], a.shape)


def again(node: Node) -> dict[str, Any]:
    """The static arguments with which the forward function of ``node`` can be run once more, without side effects."""
    primitive, static = node._primitive, node._static or {}
    assert primitive is not None
    told = {n for n, v in static.items() if n.startswith("_") and callable(v)}  # as of running means
    return {n: v for n, v in static.items() if n not in primitive.saves and n not in told}
