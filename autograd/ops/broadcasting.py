"""Bringing shapes together and repeating entries: broadcast, repeat, tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe, mismatch
from ..keywords import composed
from ..node import Node
from .dims import dimension, sizes_of
from .elementwise import clone
from .indexing import known
from .shape import broadcast_to as broadcast_view
from .shape import expand, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that the shapes (tuples, or ints for one dimension) broadcast to.

    >>> broadcast_shapes((2, 1), 3)
    (2, 3)
    """
    sizes = [sizes_of("broadcast_shapes", (s,)) for s in shapes]
    try:
        return np.broadcast_shapes(*sizes)
    except ValueError:
        raise ShapeError(f"broadcast_shapes: shapes {mismatch(sizes)}") from None


@composed
def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """x repeated, without copying, to a shape that it broadcasts to; the same as ``expand``.

    >>> import autograd
    >>> autograd.broadcast_to(autograd.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return expand(input, *size)


@composed
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The Tensors in the shape that they broadcast to together, as views.

    >>> import autograd
    >>> [t.shape for t in autograd.broadcast_tensors(autograd.zeros(3), autograd.zeros(2, 1))]
    [(2, 3), (2, 3)]
    """
    shape = _common_shape("broadcast_tensors", tensors)
    return tuple(x if tuple(x.shape) == shape else broadcast_view(x, shape=shape) for x in tensors)


def _common_shape(name: str, tensors: Any) -> tuple[int, ...]:
    for i, x in enumerate(tensors):
        if not isinstance(x, Node):
            raise DTypeError(f"{name}: wants Tensors, argument {i} is {describe(x)}")
    shapes = [tuple(x.shape) for x in tensors]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"{name}: shapes {mismatch(shapes)}") from None


def _atleast(name: str, tensors: Any, raised: Any) -> Any:
    single = len(tensors) == 1
    if single and isinstance(tensors[0], (list, tuple)):
        tensors, single = tensors[0], False
    for i, x in enumerate(tensors):
        if not isinstance(x, Node):
            raise DTypeError(f"{name}: wants Tensors, argument {i} is {describe(x)}")
    results = tuple(raised(x) for x in tensors)
    return results[0] if single else results


@composed
def atleast_1d(*tensors: Any) -> Any:
    """The Tensor with at least one dimension; a tuple of them for several.

    >>> import autograd
    >>> autograd.atleast_1d(autograd.tensor(1.0))
    tensor([1.])
    """
    return _atleast("atleast_1d", tensors, lambda x: x if x.ndim else reshape(x, 1))


@composed
def atleast_2d(*tensors: Any) -> Any:
    """The Tensor with at least two dimensions, the new ones in front; a tuple of them for several.

    >>> import autograd
    >>> autograd.atleast_2d(autograd.tensor([1.0, 2.0])).shape
    (1, 2)
    """
    return _atleast("atleast_2d", tensors, lambda x: x if x.ndim > 1 else reshape(x, 1, x.numel()))


@composed
def atleast_3d(*tensors: Any) -> Any:
    """The Tensor with at least three dimensions: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1).

    >>> import autograd
    >>> autograd.atleast_3d(autograd.zeros(2, 3)).shape
    (2, 3, 1)
    """

    def raised(x: Any) -> Any:
        if x.ndim > 2:
            return x
        return reshape(x, *x.shape, 1) if x.ndim == 2 else reshape(x, 1, x.numel(), 1)

    return _atleast("atleast_3d", tensors, raised)


def repeat(x: Tensor, *repeats: Any) -> Tensor:
    """x laid out ``repeats[d]`` times along each dimension d, a copy; as NumPy's ``tile``.

    Raises ShapeError for fewer repeats than dimensions.

    >>> import autograd
    >>> autograd.tensor([1.0, 2.0]).repeat(2, 2)
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    times = sizes_of("repeat", repeats)
    if len(times) < x.ndim:
        raise ShapeError(
            f"repeat: got {len(times)} numbers of repeats for the {x.ndim} dimensions of shape {tuple(x.shape)}; "
            "give one for each, or use tile"
        )
    if min(times, default=0) < 0:
        raise ValueError(f"repeat: the numbers of repeats must not be negative, got {times}")
    if all(n == 1 for n in times):
        return reshape(clone(x), (1,) * (len(times) - x.ndim) + tuple(x.shape))
    shape = (1,) * (len(times) - x.ndim) + tuple(x.shape)
    apart = reshape(x, tuple(n for size in shape for n in (1, size)))  # (1, n0, 1, n1, ...)
    spread = broadcast_view(apart, shape=tuple(n for pair in zip(times, shape, strict=True) for n in pair))
    return _owned(reshape(spread, tuple(r * n for r, n in zip(times, shape, strict=True))), x)


def _owned(result: Any, x: Any) -> Any:
    """``result``, or a copy of it if it still shares x's memory."""
    shares = isinstance(result._array, np.ndarray) and np.may_share_memory(result._array, x._array)
    return clone(result) if shares else result


@composed
def tile(input: Tensor, *dims: Any) -> Tensor:
    """x laid out ``dims[d]`` times along each dimension; missing numbers are 1, counted from the last dimension.

    >>> import autograd
    >>> autograd.tile(autograd.tensor([[1.0], [2.0]]), (2,))
    tensor([[1., 1.],
            [2., 2.]])
    """
    times = sizes_of("tile", dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@composed
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each entry of x repeated beside itself: ``repeats`` times, or ``repeats[i]`` times the slice i along ``dim``.

    Arguments:
        input: a Tensor; alone, it is the repeats, and the result each index i repeated ``x[i]`` times.
        repeats: an int, or integers of shape (n,) or (1,), n the size of ``dim``.
        dim: the dimension; None flattens x first.
        output_size: the size of the result along ``dim``, checked if given.

    >>> import autograd
    >>> autograd.repeat_interleave(autograd.tensor([1.0, 2.0]), autograd.tensor([1, 3]))
    tensor([1., 2., 2., 2.])
    """
    from ..creation import as_tensor

    name = "repeat_interleave"
    if repeats is None:
        counts = _counts(name, input)
        return as_tensor(np.repeat(np.arange(counts.size), counts))
    if dim is None:
        input, dim = reshape(input, -1), 0
    d = dimension(name, dim, input.ndim)
    input = atleast_1d(input)
    n = input.shape[d]
    counts = _counts(name, repeats)
    if counts.size not in (1, n) or counts.ndim > 1:
        raise ShapeError(f"{name}: got repeats of shape {counts.shape} for dim {d} of size {n}; give one int, or {n}")
    total = int(counts.sum()) if counts.size == n else int(counts.reshape(())) * n
    if output_size is not None and output_size != total:
        raise ShapeError(f"{name}: output_size is {output_size}, but the repeats add up to {total}")
    if counts.size == n != 1:
        return input[(slice(None),) * d + (np.repeat(np.arange(n), counts),)]
    times = int(counts.reshape(()))
    shape = tuple(input.shape)
    apart = reshape(input, (*shape[: d + 1], 1, *shape[d + 1 :]))
    spread = broadcast_view(apart, shape=(*shape[: d + 1], times, *shape[d + 1 :]))
    return _owned(reshape(spread, (*shape[:d], n * times, *shape[d + 1 :])), input)


def _counts(name: str, repeats: Any) -> Any:
    counts = np.asarray(known(name, repeats)) if isinstance(repeats, Node) else np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise DTypeError(f"{name}: repeats must be integers, got {describe(repeats)}")
    if counts.size and counts.min() < 0:
        raise ValueError(f"{name}: repeats must not be negative, got {counts.min()}")
    return counts
