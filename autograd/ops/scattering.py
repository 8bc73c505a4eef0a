"""Writing or adding at indices: the counterparts of ``gathering``, as functions that leave x as it is.

Where an index names an entry twice, what is added adds up; of what replaces it the last one counts, and
gets the gradient alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import primitive, wrap
from .dims import dimension
from .elementwise import clone, where
from .gathering import boolean, check_sizes, positions, slices_at
from .indexing import add_at, along, getitem, normal_key, setitem
from .shape import reshape, unbind

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(selects=True)
def extreme_at(xp, x, value, *, key, largest):
    """A copy of x with the larger (smaller) of itself and all of ``value`` at ``key``."""
    return xp.extreme_at(x, value, key, largest)


def _share(xp, g, out, x, value, key):
    """The upstream gradient divided evenly among the entries that are equal to the extreme."""
    mine = xp.astype(x == out, g.dtype)
    theirs = xp.astype(value == xp.index(out, key), g.dtype)
    return g / (mine + xp.add_at(theirs, key, x.shape)), mine, theirs


def _extreme_x(xp, g, out, x, value, *, key, largest):
    each, mine, _ = _share(xp, g, out, x, value, key)
    return xp.where(mine != 0, each, xp.zeros_like(g))


def _extreme_value(xp, g, out, x, value, *, key, largest):
    each, _, theirs = _share(xp, g, out, x, value, key)
    return xp.where(theirs != 0, xp.index(each, key), xp.zeros_like(theirs))


extreme_at.grads(x=_extreme_x, value=_extreme_value)


def _target(name: str, x: Any, dim: int, index: Any, src: Any) -> tuple[int, Any]:
    """The dimension, and the index checked against x and src, both of which have at least one dimension."""
    d = dimension(name, dim, x.ndim)
    array = positions(name, index, x.shape[d], d)
    if not array.size:
        return d, array.reshape((0,) * x.ndim)
    check_sizes(name, array, x, d)
    if src is not None:
        check_sizes(name, array, src, None, "src")
    return d, array


def _same_dtype(name: str, x: Any, src: Any, what: str = "src") -> Any:
    if isinstance(src, np.ndarray):
        src = wrap(src)
    if not isinstance(src, Node):
        raise no_tensor(name, what, src)
    if src.dtype != x.dtype:
        raise DTypeError(f"{name}: x is {x.dtype} and {what} {src.dtype}; convert one, for example {what}.to(x.dtype)")
    return src


def _part(src: Any, shape: tuple[int, ...]) -> Any:
    """The entries of src that an index of ``shape`` has values for."""
    if tuple(src.shape) == tuple(shape):
        return src
    return getitem(src, key=tuple(slice(n) for n in shape))


def _as_vectors(function: Any, x: Any, dim: int, index: Any, src: Any, *rest: Any) -> Any:
    """``function`` of a 0-d x, as that of a vector of one entry."""
    src = reshape(src, -1) if hasattr(src, "shape") else src
    return reshape(function(reshape(x, 1), dim, reshape(index, -1), src, *rest), ())


@composed
def scatter(
    input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """x with ``src`` at the places that ``index`` names along ``dim``: out[index[i, j], j] = src[i, j] for dim 0.

    Arguments:
        input: a Tensor.
        dim: the dimension.
        index: integers, as many dimensions as x; no size above x's (but that of ``dim``) nor src's.
        src: a Tensor of x's dtype, or a number, which may also be given as ``value``.
        reduce: None to replace, ``"add"``, or ``"multiply"``.

    >>> import autograd
    >>> x, index = autograd.zeros(2, 2), autograd.tensor([[1], [0]])
    >>> autograd.scatter(x, 1, index, autograd.tensor([[5.0], [6.0]]))
    tensor([[0., 5.],
            [6., 0.]])
    """
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter: wants src, a Tensor or a number")
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter: reduce must be None, 'add' or 'multiply', got {reduce!r}; scatter_reduce has more")
    number = isinstance(src, (int, float))
    if reduce is not None:
        full = _full(src, tuple(index.shape), input.dtype) if number else src
        if reduce == "add":
            return scatter_add(input, dim, index, full)
        return scatter_reduce(input, dim, index, full, "prod")
    if input.ndim == 0:
        return _as_vectors(scatter, input, dim, index, src)
    if not number:
        src = _same_dtype("scatter", input, src)
    d, array = _target("scatter", input, dim, index, None if number else src)
    return setitem(input, src if number else _part(src, array.shape), key=along(array, d))


def _full(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return wrap(np.full(shape, value, dtype))


@composed
def scatter_add(input: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """x with ``src`` added at the places that ``index`` names along ``dim``; see ``scatter``.

    >>> import autograd
    >>> autograd.scatter_add(autograd.zeros(3), 0, autograd.tensor([1, 1, 0]), autograd.tensor([1.0, 2.0, 3.0]))
    tensor([3., 3., 0.])
    """
    if input.ndim == 0:
        return _as_vectors(scatter_add, input, dim, index, src)
    src = _same_dtype("scatter_add", input, src)
    d, array = _target("scatter_add", input, dim, index, src)
    return input + add_at(_part(src, array.shape), key=along(array, d), shape=tuple(input.shape))


@composed
def scatter_reduce(input: Tensor, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Tensor:
    """x with the entries of ``src`` that go to one place reduced together; see ``scatter``.

    Arguments:
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``. Equal extremes share the gradient. The
            product takes memory for x as many times as its most often named entry is named.
        include_self: whether x's own entry is reduced too; if not, it stays only where nothing goes.

    >>> import autograd
    >>> x, index = autograd.tensor([1.0, 1.0]), autograd.tensor([0, 0])
    >>> autograd.scatter_reduce(x, 0, index, autograd.tensor([3.0, 8.0]), "mean")
    tensor([4., 1.])
    """
    name = "scatter_reduce"
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ValueError(f"{name}: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    if input.ndim == 0:
        return reshape(
            scatter_reduce(
                reshape(input, 1), dim, reshape(index, -1), reshape(src, -1), reduce, include_self=include_self
            ),
            (),
        )
    src = _same_dtype(name, input, src)
    d, array = _target(name, input, dim, index, src)
    return _reduced_at(input, _part(src, array.shape), along(array, d), reduce, include_self, d)


def _reduced_at(x: Any, values: Any, key: Any, reduce: str, include_self: bool, d: int) -> Any:
    shape = tuple(x.shape)
    ones = wrap(np.ones(values.shape, np.int64))
    counts = add_at(ones, key=key, shape=shape)
    start = x
    if not include_self:
        neutral = {"sum": 0, "mean": 0, "prod": 1}.get(reduce)
        if neutral is None:
            neutral = _lowest(x.dtype) if reduce == "amax" else _highest(x.dtype)
        start = where(counts > 0, _full(neutral, (), x.dtype), x)
    if reduce in ("amax", "amin"):
        return extreme_at(start, values, key=key, largest=reduce == "amax")
    if reduce == "prod":
        return _product_at(start, values, key, d)
    total = start + add_at(values, key=key, shape=shape)
    if reduce == "sum":
        return total
    counts = counts + 1 if include_self else where(counts > 0, counts, 1)
    return total / counts.to(x.dtype) if x.dtype.kind == "f" else (total // counts).to(x.dtype)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else np.iinfo(dtype).max


def _product_at(x: Any, values: Any, key: Any, d: int) -> Any:
    """x times all of ``values`` at ``key``: in layers, none of which names an entry twice.

    So no rule has to divide by an entry that may be 0.
    """
    layer, count = _layers(key, tuple(x.shape), d)
    factors = setitem(_full(1, (count, *x.shape), x.dtype), values, key=(layer, *key))
    for factor in unbind(factors):
        x = x * factor
    return x


def _layers(key: Any, shape: tuple[int, ...], d: int) -> tuple[Any, int]:
    """How many times each entry that ``key`` names was named before, and the largest of these plus 1."""
    if not all(isinstance(k, np.ndarray) for k in key):  # known to JAX later: each its own
        n = max(k.shape[d] for k in key)
        line = [1] * len(shape)
        line[d] = n
        return np.arange(n).reshape(line), n
    grids = np.broadcast_arrays(*key)
    places = np.ravel_multi_index(tuple(grids), shape).reshape(-1)
    order = np.argsort(places, kind="stable")
    _, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    before = np.empty(places.size, np.int64)
    before[order] = np.arange(places.size) - np.repeat(starts, counts)
    return before.reshape(grids[0].shape), int(counts.max(initial=1))


@composed
def index_add(input: Tensor, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
    """x with ``alpha`` times the slices of ``source`` along ``dim`` added to those that the vector ``index`` names.

    >>> import autograd
    >>> autograd.index_add(autograd.zeros(2), 0, autograd.tensor([1, 1]), autograd.tensor([3.0, 4.0]), alpha=2)
    tensor([ 0., 14.])
    """
    if input.ndim == 0:
        source = reshape(source, -1)
        return reshape(index_add(reshape(input, 1), dim, reshape(index, -1), source, alpha=alpha), ())
    source = _same_dtype("index_add", input, source, "source")
    d, array = _slices("index_add", input, dim, index, source)
    scaled = source if isinstance(alpha, (int, float)) and alpha == 1 else source * alpha
    return input + add_at(scaled, key=slices_at(array, d), shape=tuple(input.shape))


@composed
def index_copy(input: Tensor, dim: int, index: Any, source: Any) -> Tensor:
    """x with the slices of ``source`` along ``dim`` in place of those that the vector ``index`` names.

    >>> import autograd
    >>> autograd.index_copy(autograd.zeros(3), 0, autograd.tensor([2, 0]), autograd.tensor([3.0, 4.0]))
    tensor([4., 0., 3.])
    """
    if input.ndim == 0:
        return _as_vectors(index_copy, input, dim, index, source)
    source = _same_dtype("index_copy", input, source, "source")
    d, array = _slices("index_copy", input, dim, index, source)
    return setitem(input, source, key=slices_at(array, d))


def _slices(name: str, x: Any, dim: int, index: Any, source: Any, *, wraps: bool = False) -> tuple[int, Any]:
    d = dimension(name, dim, x.ndim)
    array = positions(name, index, x.shape[d], d, wraps=wraps)
    if array.ndim > 1:
        raise ShapeError(f"{name}: the index must be a vector, got shape {tuple(array.shape)}")
    array = array.reshape(-1)
    if source is not None:
        wanted = (*x.shape[:d], array.shape[0], *x.shape[d + 1 :])
        if tuple(source.shape) != wanted:
            raise ShapeError(
                f"{name}: source has shape {tuple(source.shape)}; for x of shape {tuple(x.shape)} and "
                f"{array.shape[0]} indices along dim {d} it must be {wanted}"
            )
    return d, array


@composed
def index_reduce(input: Tensor, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Tensor:
    """x with the slices of ``source`` along ``dim`` that the vector ``index`` sends to one place reduced together.

    Arguments:
        reduce, include_self: as in ``scatter_reduce``, but no ``"sum"``, which is ``index_add``.

    >>> import autograd
    >>> x, index = autograd.tensor([1.0, 1.0]), autograd.tensor([0, 0])
    >>> autograd.index_reduce(x, 0, index, autograd.tensor([3.0, 8.0]), "prod")
    tensor([24.,  1.])
    """
    name = "index_reduce"
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ValueError(f"{name}: reduce must be 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    if input.ndim == 0:
        vector, source = reshape(input, 1), reshape(source, -1)
        return reshape(index_reduce(vector, dim, reshape(index, -1), source, reduce, include_self=include_self), ())
    source = _same_dtype(name, input, source, "source")
    d, array = _slices(name, input, dim, index, source)
    if not math.prod(source.shape):
        return clone(input)
    # An index for each entry, since the product has to know which of them are named twice.
    line = [-1 if i == d else 1 for i in range(input.ndim)]
    every = array.reshape(line) + np.zeros(source.shape, np.int64)
    return _reduced_at(input, source, along(every, d), reduce, include_self, d)


@composed
def index_fill(input: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """x with ``value`` (a number or a 0-d Tensor) in the slices along ``dim`` that the vector ``index`` names.

    >>> import autograd
    >>> autograd.index_fill(autograd.zeros(3), 0, autograd.tensor([2, 0]), 7)
    tensor([7., 0., 7.])
    """
    if isinstance(value, Node) and value.ndim:
        raise ShapeError(f"index_fill: value must be a number or a 0-d Tensor, got shape {tuple(value.shape)}")
    if input.ndim == 0:
        return reshape(index_fill(reshape(input, 1), dim, reshape(index, -1), value), ())
    d, array = _slices("index_fill", input, dim, index, None, wraps=True)
    return setitem(input, value, key=slices_at(array, d))


@composed
def index_put(input: Tensor, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Tensor:
    """x with ``values`` at ``x[indices]``, which broadcast together; added to what is there with ``accumulate``.

    Arguments:
        indices: a tuple of integer or bool Tensors, one for each of the first dimensions; None keeps a dimension.
        values: a Tensor of x's dtype that broadcasts to the shape of ``x[indices]``.

    >>> import autograd
    >>> at = (autograd.tensor([0, 0]), autograd.tensor([1, 1]))
    >>> autograd.index_put(autograd.zeros(1, 2), at, autograd.tensor(2.0), accumulate=True)
    tensor([[0., 4.]])
    """
    if not isinstance(indices, (tuple, list)):
        raise DTypeError(f"index_put: indices must be a tuple of Tensors, got {describe(indices)}")
    key = normal_key("index_put", input, tuple(slice(None) if k is None else k for k in indices))
    values = _same_dtype("index_put", input, values, "values")
    if not accumulate:
        return setitem(input, values, key=key)
    shape = _shape_at("index_put", input, key)
    try:
        np.broadcast_to(np.empty(values.shape), shape)
    except ValueError:
        raise ShapeError(
            f"index_put: values of shape {tuple(values.shape)} do not broadcast to {shape}, the shape of x[indices]"
        ) from None
    return input + add_at(values.expand(shape), key=key, shape=tuple(input.shape))


def _shape_at(name: str, x: Any, key: Any) -> tuple[int, ...]:
    try:
        return tuple(np.broadcast_to(np.False_, x.shape)[key].shape)
    except TypeError:  # JAX's, of an index that it is tracing
        return tuple(getitem(x.detach(), key=key).shape)
    except IndexError as error:
        raise IndexError(f"{name}: {error} (x has shape {tuple(x.shape)})") from None


@composed
def put(input: Tensor, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """x with ``source`` at the places ``index`` along the flattened x; added to what is there with ``accumulate``.

    >>> import autograd
    >>> autograd.put(autograd.zeros(2, 2), autograd.tensor([1, -1]), autograd.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [0., 6.]])
    """
    array = positions("put", index, math.prod(input.shape), None, wraps=True).reshape(-1)
    source = _same_dtype("put", input, source, "source")
    if math.prod(source.shape) != array.shape[0]:
        raise ShapeError(f"put: {array.shape[0]} indices want as many entries, source has shape {tuple(source.shape)}")
    flat, values = reshape(input, -1), reshape(source, -1)
    if accumulate:
        return reshape(flat + add_at(values, key=array, shape=tuple(flat.shape)), tuple(input.shape))
    return reshape(setitem(flat, values, key=array), tuple(input.shape))


@composed
def masked_scatter(input: Tensor, mask: Any, source: Any) -> Tensor:
    """x with the entries of ``source``, in their order, where the mask is True.

    Raises ShapeError when there are fewer of them than the mask has True.

    >>> import autograd
    >>> mask = autograd.tensor([True, False, True])
    >>> autograd.masked_scatter(autograd.zeros(3), mask, autograd.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 2.])
    """
    source = _same_dtype("masked_scatter", input, source, "source")
    mask = boolean("masked_scatter", mask)
    mask = mask if tuple(mask.shape) == tuple(input.shape) else mask.expand(input.shape)
    before = mask._array.reshape(-1).cumsum() - 1
    n = math.prod(source.shape)
    if isinstance(before, np.ndarray):
        if before.size and before[-1] >= n:
            raise ShapeError(f"masked_scatter: the mask has {before[-1] + 1} True, but source only {n} entries")
        before = before.astype(np.int64)
    if n == 0 or not before.size:
        return clone(input)
    picked = getitem(reshape(source, -1), key=before.clip(0, n - 1))
    return where(mask, reshape(picked, tuple(input.shape)), input)
