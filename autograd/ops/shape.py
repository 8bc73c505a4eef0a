"""Operations that move entries without computing on them: reshape, permute, expand, join and split.

Where NumPy can give a view, the result shares its input's memory, as in PyTorch.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .dims import dimension, sizes_of

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(view=True, name="reshape")
def reshape_to(xp, x, *, shape):
    """The same entries in the same order in another shape; see ``reshape``."""
    return x.reshape(shape)


reshape_to.grads(x=lambda xp, g, out, x, *, shape: g.reshape(x.shape))


@primitive(view=True, name="permute")
def permute_to(xp, x, *, dims):
    """Dimensions in another order; see ``permute``."""
    return xp.transpose(x, dims)


@functools.cache
def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dims.index(d) for d in range(len(dims)))


permute_to.grads(x=lambda xp, g, out, x, *, dims: xp.transpose(g, _inverse(dims)))


@primitive(view=True, name="expand")
def broadcast_to(xp, x, *, shape):
    """x repeated along dimensions of size 1 and new leading ones; see ``expand``."""
    return xp.broadcast_to(x, shape)


broadcast_to.grads(x=lambda xp, g, out, x, *, shape: g)


@primitive(name="cat")
def concatenate(xp, *xs, axis=0):
    """Tensors joined along ``axis``; see ``cat``."""
    return xp.concatenate(xs, axis)


def _concatenate_xs(xp, g, out, *xs, axis=0, index):
    start = sum(x.shape[axis] for x in xs[:index])
    return g[(slice(None),) * axis + (slice(start, start + xs[index].shape[axis]),)]


concatenate.grads(xs=_concatenate_xs)


@primitive(name="stack")
def stack_along(xp, *xs, axis=0):
    """Tensors of one shape joined along a new dimension; see ``stack``."""
    return xp.stack(xs, axis)


stack_along.grads(xs=lambda xp, g, out, *xs, axis=0, index: g[(slice(None),) * axis + (index,)])


@primitive(view=True, name="split")
def split_at(xp, x, *, sizes, axis=0):
    """The parts of x of the given sizes along ``axis``; see ``split``."""
    before = (slice(None),) * axis
    ends = list(accumulate(sizes))
    return tuple([x[(*before, slice(end - n, end))] for end, n in zip(ends, sizes, strict=True)])


def _split_x(xp, g, out, x, *, sizes, axis=0):
    return xp.concatenate([xp.zeros_like(o) if part is None else part for part, o in zip(g, out, strict=True)], axis)


split_at.grads(x=_split_x)


@composed
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same entries in the same order in another shape; one size may be -1 and is worked out.

    Raises ShapeError when the number of entries differs.

    >>> import autograd
    >>> autograd.reshape(autograd.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    sizes = sizes_of("reshape", shape)
    if -1 in sizes:
        known = math.prod(n for n in sizes if n != -1)
        if sizes.count(-1) == 1 and known and input.numel() % known == 0:
            sizes = tuple(input.numel() // known if n == -1 else n for n in sizes)
    if -1 in sizes or math.prod(sizes) != input.numel():
        raise ShapeError(f"reshape: {input.numel()} entries of shape {tuple(input.shape)} do not fill shape {sizes}")
    return reshape_to(input, shape=sizes)


@composed
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from ``start_dim`` to ``end_dim`` made one.

    >>> import autograd
    >>> autograd.flatten(autograd.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    a, b = dimension("flatten", start_dim, input.ndim), dimension("flatten", end_dim, input.ndim)
    if a > b:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = tuple(input.shape)
    return reshape_to(input, shape=(*shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :]))


@composed
def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Dimension ``dim`` made several, of the given sizes; one of them may be -1 and is worked out.

    >>> import autograd
    >>> autograd.unflatten(autograd.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    d = dimension("unflatten", dim, input.ndim)
    if input.ndim == 0:
        raise ShapeError("unflatten: a 0-d Tensor has no dimension to unflatten")
    wanted, n = sizes_of("unflatten", (sizes,)), input.shape[d]
    known = math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) == 1 and known and n % known == 0:
        wanted = tuple(n // known if size == -1 else size for size in wanted)
    if -1 in wanted or math.prod(wanted) != n or not wanted:
        raise ShapeError(
            f"unflatten: sizes {wanted} do not multiply to {n}, the size of dim {d} of {tuple(input.shape)}"
        )
    return reshape_to(input, shape=(*input.shape[:d], *wanted, *input.shape[d + 1 :]))


@composed
def ravel(input: Tensor) -> Tensor:
    """All dimensions made one.

    >>> import autograd
    >>> autograd.ravel(autograd.zeros(2, 3)).shape
    (6,)
    """
    return reshape_to(input, shape=(input.numel(),))


@composed
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; what has fewer than two dimensions as it is.

    >>> import autograd
    >>> autograd.t(autograd.zeros(2, 3)).shape
    (3, 2)
    """
    if input.ndim > 2:
        raise ShapeError(f"t: wants at most 2 dimensions, got shape {tuple(input.shape)}; use transpose(dim0, dim1)")
    return permute_to(input, dims=tuple(range(input.ndim))[::-1])


@composed
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, which for real entries is the adjoint of each matrix.

    >>> import autograd
    >>> autograd.adjoint(autograd.zeros(2, 3, 4)).shape
    (2, 4, 3)
    """
    if input.ndim < 2:
        raise ShapeError(f"adjoint: wants at least 2 dimensions, got shape {tuple(input.shape)}")
    return transpose(input, -2, -1)


@composed
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The dimensions in another order, given one by one or as one sequence.

    >>> import autograd
    >>> autograd.permute(autograd.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    order = tuple(dimension("permute", d, input.ndim) for d in sizes_of("permute", order if dims is None else (dims,)))
    if sorted(order) != list(range(input.ndim)):
        raise ShapeError(
            f"permute: dims {order} are not the {input.ndim} dimensions of shape {tuple(input.shape)} in some order"
        )
    return permute_to(input, dims=order)


@composed
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged.

    >>> import autograd
    >>> autograd.transpose(autograd.zeros(2, 3, 4), 0, -1).shape
    (4, 3, 2)
    """
    order = list(range(input.ndim))
    a, b = dimension("transpose", dim0, input.ndim), dimension("transpose", dim1, input.ndim)
    if order:
        order[a], order[b] = order[b], order[a]
    return permute_to(input, dims=tuple(order))


@composed
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimension ``source`` moved to place ``destination``; both may be tuples.

    >>> import autograd
    >>> autograd.movedim(autograd.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    sources = [dimension("movedim", d, input.ndim) for d in sizes_of("movedim", (source,))]
    places = [dimension("movedim", d, input.ndim) for d in sizes_of("movedim", (destination,))]
    if len(sources) != len(places):
        raise ShapeError(f"movedim: {len(sources)} dimensions do not go to {len(places)} places")
    moved = dict(zip(places, sources, strict=True))
    rest = iter(d for d in range(input.ndim) if d not in sources)
    return permute(input, tuple(moved[d] if d in moved else next(rest) for d in range(input.ndim)))


@composed
def expand(x: Tensor, *sizes: Any) -> Tensor:
    """x repeated, without copying, along dimensions of size 1 and new leading ones; -1 keeps a size.

    >>> import autograd
    >>> autograd.tensor([[1.0], [2.0]]).expand(-1, 3).shape
    (2, 3)
    """
    shape = sizes_of("expand", sizes)
    extra = len(shape) - x.ndim
    full = tuple(x.shape[d - extra] if n == -1 and d >= extra else n for d, n in enumerate(shape))
    if extra < 0 or any(m not in (1, n) for m, n in zip(x.shape, full[max(extra, 0) :], strict=False)):
        raise ShapeError(f"expand: shape {tuple(x.shape)} does not expand to {shape}; only sizes of 1 can be repeated")
    return broadcast_to(x, shape=full)


@composed
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Dimensions of size 1 taken away: all of them, or those of ``dim`` that have size 1.

    >>> import autograd
    >>> autograd.squeeze(autograd.zeros(1, 3, 1)).shape
    (3,)
    """
    dims = (
        range(input.ndim) if dim is None else [dimension("squeeze", d, input.ndim) for d in sizes_of("squeeze", (dim,))]
    )
    return reshape_to(input, shape=tuple(n for d, n in enumerate(input.shape) if n != 1 or d not in dims))


@composed
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of size 1 put in at place ``dim``.

    >>> import autograd
    >>> autograd.unsqueeze(autograd.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    at = dimension("unsqueeze", dim, input.ndim + 1)
    return reshape_to(input, shape=(*input.shape[:at], 1, *input.shape[at:]))


def _several(name: str, tensors: Any) -> list[Any]:
    if isinstance(tensors, Node) or not isinstance(tensors, (tuple, list)):
        raise DTypeError(f"{name}: wants a list or tuple of Tensors, got {describe(tensors)}")
    if not tensors:
        raise ValueError(f"{name}: got an empty list; it wants at least one Tensor")
    for i, x in enumerate(tensors):
        if not isinstance(x, Node):
            raise DTypeError(f"{name}: wants Tensors, item {i} is {describe(x)}")
    return list(tensors)


@composed
def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors joined along dimension ``dim``; their other sizes are equal.

    >>> import autograd
    >>> autograd.cat([autograd.zeros(2, 3), autograd.zeros(1, 3)]).shape
    (3, 3)
    """
    xs = _several("cat", tensors)
    shapes = [x.shape for x in xs]
    if (0,) in shapes and any(len(shape) != 1 for shape in shapes):
        # As in PyTorch: an empty vector, with which a loop may have begun, joins with anything.
        xs, shapes = [x for x in xs if x.shape != (0,)], [shape for shape in shapes if shape != (0,)]
    first = shapes[0]
    d = dimension("cat", dim if axis is None else axis, len(first))
    for i, shape in enumerate(shapes):
        if not shape or (shape != first and (len(shape) != len(first) or _without(shape, d) != _without(first, d))):
            raise ShapeError(
                f"cat: item 0 has shape {first} and item {i} {shape}; "
                f"all sizes but that of dim {d} must be equal, and there must be a dimension (stack makes one)"
            )
    return concatenate(*_of_one_dtype(xs), axis=d)


@composed
def stack(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors of one shape joined along a new dimension ``dim``.

    >>> import autograd
    >>> autograd.stack([autograd.tensor(1.0), autograd.tensor(2.0)])
    tensor([1., 2.])
    """
    xs = _several("stack", tensors)
    first = xs[0].shape
    for i, x in enumerate(xs):
        if x.shape != first:
            raise ShapeError(f"stack: item 0 has shape {first} and item {i} {x.shape}; they must be the same")
    return stack_along(*_of_one_dtype(xs), axis=dimension("stack", dim if axis is None else axis, xs[0].ndim + 1))


def _without(shape: tuple[int, ...], d: int) -> tuple[int, ...]:
    return shape[:d] + shape[d + 1 :]


def _of_one_dtype(xs: list[Any]) -> list[Any]:
    if len({x.dtype for x in xs}) == 1:
        return xs
    from ..dtypes import result_type

    dtype = result_type([x._array for x in xs])
    return [x if x.dtype == dtype else x.to(dtype) for x in xs]


@composed
def split(x: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of x along ``dim``, views of it: of one size (the last may be smaller), or of the listed sizes.

    >>> import autograd
    >>> [len(part) for part in autograd.split(autograd.zeros(7, 2), 3)]
    [3, 3, 1]
    """
    d = dimension("split", dim, x.ndim)
    if x.ndim == 0:
        raise ShapeError("split: a 0-d Tensor has nothing to split")
    n = x.shape[d]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size <= 0:
            raise ValueError(f"split: the size of a part must be above 0, got {size}")
        sizes = tuple(min(size, n - start) for start in range(0, n, size)) or (0,)
    else:
        sizes = sizes_of("split", (list(split_size_or_sections),))
        if sum(sizes) != n or min(sizes, default=0) < 0:
            raise ShapeError(
                f"split: sizes {list(sizes)} do not add up to {n}, the size of dim {d} of {tuple(x.shape)}"
            )
    return split_at(x, sizes=sizes, axis=d)


@composed
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """x in at most ``chunks`` parts of equal size along ``dim`` (the last may be smaller), views of it.

    >>> import autograd
    >>> [len(part) for part in autograd.chunk(autograd.zeros(7), 3)]
    [3, 3, 1]
    """
    if chunks <= 0:
        raise ValueError(f"chunk: wants at least 1 chunk, got {chunks}")
    n = input.shape[dimension("chunk", dim, input.ndim)] if input.ndim else 0
    return split(input, max(-(-n // chunks), 1), dim)


@composed
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices of x along ``dim``, without that dimension.

    >>> import autograd
    >>> autograd.unbind(autograd.tensor([1.0, 2.0]))
    (tensor(1.), tensor(2.))
    """
    d = dimension("unbind", dim, input.ndim)
    return tuple(squeeze(part, d) for part in split(input, 1, d)) if input.shape[d] else ()
