"""Picking entries: by index along a dimension, by mask, and finding where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe, mismatch
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .dims import dimension
from .indexing import gather as gather_along
from .indexing import getitem, known
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


def positions(name: str, index: Any, n: int, dim: int | None, *, wraps: bool = False) -> Any:
    """The integers of ``index``, a copy, checked against the size n of dimension ``dim`` where they are known.

    ``wraps`` allows negative ones, which count from the end.
    """
    if not isinstance(index, (Node, np.ndarray)):
        raise DTypeError(f"{name}: the index must be an integer Tensor, got {describe(index)}")
    array = index._array if isinstance(index, Node) else index
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{name}: the index must hold integers, got {describe(array)}; use index.long()")
    if isinstance(array, (np.ndarray, np.generic)):
        # A copy: what is written into the index later must not change where the gradient goes.
        array = np.array(array)
        lowest = -n if wraps else 0
        if array.size and not (lowest <= array.min() and array.max() < n):
            bad = array.max() if array.max() >= n else array.min()
            where = f"{n} entries" if dim is None else f"dim {dim} of size {n}"
            raise IndexError(f"{name}: index {bad} is out of range for {where}; it can be {lowest} to {n - 1}")
    return array


def check_sizes(name: str, index: Any, x: Any, d: int | None, what: str = "x") -> None:
    """Raises the ShapeError of an index that has other dimensions than ``x``, or is larger, dimension d aside."""
    if index.ndim != x.ndim or any(n > m for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if i != d):
        raise ShapeError(
            f"{name}: an index of shape {tuple(index.shape)} does not fit {what} of shape {tuple(x.shape)}; it wants "
            f"as many dimensions, and no size above {what}'s" + ("" if d is None else f" except along dim {d}")
        )


@composed
def gather(input: Tensor, dim: int, index: Any, *, axis: int | None = None, sparse_grad: bool = False) -> Tensor:
    """Entries of x named by ``index`` along ``dim``: out[i, j] = x[index[i, j], j] for dim 0 of a matrix.

    Arguments:
        input: a Tensor.
        dim: the dimension (NumPy's name for it: ``axis``).
        index: integers, as many dimensions as x, no size above x's but that of ``dim``; the result has its shape.

    >>> import autograd
    >>> autograd.gather(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, autograd.tensor([[0], [1]]))
    tensor([[1.],
            [4.]])
    """
    if sparse_grad:
        raise DTypeError("gather: sparse_grad=True is not supported, there are no sparse Tensors; leave it out")
    d = dimension("gather", dim if axis is None else axis, input.ndim)
    array = positions("gather", index, input.shape[d] if input.ndim else 1, d)
    if input.ndim == 0:
        return reshape(gather_along(reshape(input, 1), wrap(array.reshape(-1)), axis=0), tuple(array.shape))
    if array.ndim == 0:
        return reshape(gather(input, d, wrap(array.reshape(1))), ())
    check_sizes("gather", array, input, d)
    return gather_along(input, wrap(array), axis=d)


@composed
def take_along_dim(input: Tensor, indices: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """Entries of x named by ``indices`` along ``dim``, the other dimensions broadcast; without ``dim`` x is flattened.

    ``x.take_along_dim(x.argsort(dim), dim)`` is x sorted.

    >>> import autograd
    >>> autograd.take_along_dim(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([[1, 0]]), 1)
    tensor([[2., 1.],
            [4., 3.]])
    """
    dim = dim if axis is None else axis
    if dim is None:
        input, dim, indices = reshape(input, -1), 0, reshape(_integers("take_along_dim", indices), -1)
    d = dimension("take_along_dim", dim, input.ndim)
    n = input.shape[d] if input.ndim else 1
    array = positions("take_along_dim", indices, n, d, wraps=True)
    if array.ndim != input.ndim:
        raise ShapeError(
            f"take_along_dim: x has shape {tuple(input.shape)} and the indices {tuple(array.shape)}; "
            "they must have as many dimensions"
        )
    if input.ndim == 0:
        return gather(input, 0, wrap(array))
    others = [n for i, n in enumerate(array.shape) if i != d], [n for i, n in enumerate(input.shape) if i != d]
    try:
        common = list(np.broadcast_shapes(*map(tuple, others)))
    except ValueError:
        raise ShapeError(f"take_along_dim: shapes {mismatch([tuple(o) for o in others])} (without dim {d})") from None
    wanted = wrap(array).expand(*common[:d], array.shape[d], *common[d:])
    return gather_along(input.expand(*common[:d], n, *common[d:]), wanted, axis=d)


def _integers(name: str, index: Any) -> Any:
    return wrap(positions(name, index, 1 << 62, None, wraps=True))


@composed
def take(input: Tensor, index: Any) -> Tensor:
    """Entries of x named by their place along the flattened x; the result has the shape of ``index``.

    >>> import autograd
    >>> autograd.take(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([0, -1]))
    tensor([1., 4.])
    """
    return getitem(reshape(input, -1), key=positions("take", index, input.numel(), None, wraps=True))


@composed
def index_select(input: Tensor, dim: int, index: Any, *, axis: int | None = None) -> Tensor:
    """The slices of x along ``dim`` that the vector ``index`` names, a copy.

    >>> import autograd
    >>> autograd.index_select(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, autograd.tensor([1]))
    tensor([[2.],
            [4.]])
    """
    d = dimension("index_select", dim if axis is None else axis, input.ndim)
    array = positions("index_select", index, input.shape[d] if input.ndim else 1, d)
    if array.ndim > 1:
        raise ShapeError(f"index_select: the index must be a vector, got shape {tuple(array.shape)}")
    if input.ndim == 0:
        return reshape(getitem(reshape(input, 1), key=array.reshape(-1)), ())
    return getitem(input, key=slices_at(array.reshape(-1), d))


def slices_at(array: Any, d: int) -> Any:
    """The key of the slices along dimension d that a vector of integers names."""
    return (*(slice(None),) * d, array) if d else array


@composed
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice number ``index`` along ``dim``, without that dimension, a view.

    >>> import autograd
    >>> autograd.select(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, -1)
    tensor([2., 4.])
    """
    if input.ndim == 0:
        raise IndexError("select: a 0-d Tensor has no dimension to select from")
    d = dimension("select", dim, input.ndim)
    i, n = index.__index__(), input.shape[d]
    if not -n <= i < n:
        raise IndexError(f"select: index {i} is out of range for dim {d} of size {n}")
    return getitem(input, key=(*(slice(None),) * d, i))


@composed
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The ``length`` slices of x along ``dim`` from ``start`` on, a view.

    >>> import autograd
    >>> autograd.narrow(autograd.tensor([1.0, 2.0, 3.0, 4.0]), 0, 1, 2)
    tensor([2., 3.])
    """
    if input.ndim == 0:
        raise IndexError("narrow: a 0-d Tensor has no dimension to narrow")
    d = dimension("narrow", dim, input.ndim)
    first, n = start.__index__(), input.shape[d]
    first = first + n if first < 0 else first
    if length < 0 or first < 0 or first + length > n:
        raise ShapeError(f"narrow: start {start} and length {length} go beyond dim {d} of size {n}")
    return getitem(input, key=(*(slice(None),) * d, slice(first, first + length)))


@composed
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The entries of x where the mask is True, flat; x and mask broadcast.

    >>> import autograd
    >>> x = autograd.tensor([1.0, -2.0, 3.0])
    >>> autograd.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    chosen = known("masked_select", boolean("masked_select", mask))
    try:
        shape = np.broadcast_shapes(tuple(input.shape), chosen.shape)
    except ValueError:
        raise ShapeError(f"masked_select: shapes {mismatch([tuple(input.shape), chosen.shape])}") from None
    # A copy: what is written into the mask later must not change where the gradient goes.
    chosen = np.array(np.broadcast_to(chosen, shape))
    return getitem(input if tuple(input.shape) == shape else input.expand(shape), key=(chosen,))


def boolean(name: str, mask: Any) -> Any:
    """``mask`` as a Tensor, or the error of one that is not boolean."""
    if isinstance(mask, np.ndarray):
        mask = wrap(mask)
    if not isinstance(mask, Node) or mask.dtype.kind != "b":
        raise DTypeError(
            f"{name}: the mask must be a bool Tensor, got {describe(mask)}; compare something, or mask.bool()"
        )
    return mask


@composed
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where x is not 0: the indices of each such entry as a row, or one vector for each dimension as a tuple.

    Arguments:
        as_tuple: give the tuple, with which x can be indexed.

    >>> import autograd
    >>> autograd.nonzero(autograd.tensor([[0, 5], [7, 0]])).tolist()
    [[0, 1], [1, 0]]
    """
    array = known("nonzero", input)
    if as_tuple:
        return tuple(wrap(v) for v in np.nonzero(np.atleast_1d(array)))
    return wrap(np.argwhere(array))


@composed
def argwhere(input: Tensor) -> Tensor:
    """The indices of each entry of x that is not 0, as rows.

    >>> import autograd
    >>> autograd.argwhere(autograd.tensor([0, 5, 7])).tolist()
    [[1], [2]]
    """
    return nonzero(input)


@composed
def one_hot(x: Tensor, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a one at each class, int64 as in PyTorch: shape (...) becomes (..., num_classes).

    Arguments:
        x: integers from 0 to num_classes − 1.
        num_classes: by default the largest of x plus 1.

    >>> import autograd
    >>> autograd.one_hot(autograd.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    array = positions("one_hot", x, 1 << 62 if num_classes == -1 else num_classes, None)
    if num_classes == -1:
        values = known("one_hot", array)
        if not values.size:
            raise ValueError("one_hot: x is empty, so num_classes must be given")
        num_classes = int(values.max()) + 1
    elif num_classes < 1:
        raise ValueError(f"one_hot: num_classes must be above 0, or -1 for the largest of x plus 1; got {num_classes}")
    return (wrap(array[..., None]) == wrap(np.arange(num_classes))).long()
