"""Joining Tensors side by side, and the splits that undo it; ``cat``, ``stack`` and ``split`` are in ``shape``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..keywords import composed
from .broadcasting import atleast_1d, atleast_2d, atleast_3d
from .dims import dimension, sizes_of
from .indexing import add_at
from .shape import _of_one_dtype, _several, cat, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined side by side: along dim 1, vectors along dim 0.

    >>> import autograd
    >>> autograd.hstack([autograd.tensor([1.0]), autograd.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    xs = [atleast_1d(x) for x in _several("hstack", tensors)]
    return cat(xs, 0 if xs[0].ndim == 1 else 1)


@composed
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined one above the other, along dim 0; a vector is a row.

    >>> import autograd
    >>> autograd.vstack([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return cat([atleast_2d(x) for x in _several("vstack", tensors)], 0)


@composed
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along dim 2, after giving them at least three dimensions.

    >>> import autograd
    >>> autograd.dstack([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0])])
    tensor([[[1., 3.],
             [2., 4.]]])
    """
    return cat([atleast_3d(x) for x in _several("dstack", tensors)], 2)


@composed
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as columns beside each other; what has two dimensions or more joined along dim 1.

    >>> import autograd
    >>> autograd.column_stack([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0])])
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _several("column_stack", tensors)
    return cat([x if x.ndim > 1 else reshape(x, x.numel(), 1) for x in xs], 1)


@composed
def block_diag(*tensors: Tensor) -> Tensor:
    """The matrix with the given matrices along its diagonal and zeros elsewhere; a vector is a row.

    >>> import autograd
    >>> autograd.block_diag(autograd.ones(1, 2), autograd.tensor(3.0))
    tensor([[1., 1., 0.],
            [0., 0., 3.]])
    """
    blocks = [atleast_2d(x) for x in _of_one_dtype(_several("block_diag", tensors))]
    for x in blocks:
        if x.ndim > 2:
            raise ShapeError(f"block_diag: wants at most 2 dimensions, got shape {tuple(x.shape)}")
    width = sum(x.shape[1] for x in blocks)
    rows, left = [], 0
    for x in blocks:
        height, columns = x.shape
        rows.append(add_at(x, key=(slice(None), slice(left, left + columns)), shape=(height, width)))
        left += columns
    return cat(rows, 0)


@composed
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of x along ``dim``, views of it: that many (the first ones larger by one), or cut at the indices.

    >>> import autograd
    >>> [part.tolist() for part in autograd.tensor_split(autograd.tensor([1, 2, 3, 4, 5]), 2)]
    [[1, 2, 3], [4, 5]]
    >>> [part.tolist() for part in autograd.tensor_split(autograd.tensor([1, 2, 3]), (1, 7))]
    [[1], [2, 3], []]
    """
    return _split("tensor_split", input, indices_or_sections, dim)


def _split(name: str, x: Tensor, where: Any, dim: int) -> tuple[Tensor, ...]:
    if x.ndim == 0:
        raise ShapeError(f"{name}: a 0-d Tensor has nothing to split")
    d = dimension(name, dim, x.ndim)
    n = x.shape[d]
    if hasattr(where, "tolist"):  # a Tensor or an array
        where = where.tolist()
    if isinstance(where, (list, tuple)):
        cuts = list(sizes_of(name, (list(where),)))
    else:
        (parts,) = sizes_of(name, (where,))
        if parts <= 0:
            raise ValueError(f"{name}: wants at least 1 part, got {parts}")
        cuts = [i * (n // parts) + min(i, n % parts) for i in range(1, parts)]
    before = (slice(None),) * d
    bounds = [(0 if i == 0 else cuts[i - 1], n if i == len(cuts) else cuts[i]) for i in range(len(cuts) + 1)]
    return tuple(x[(*before, slice(start, end))] for start, end in bounds)


def _evenly(name: str, x: Tensor, where: Any, dim: int, at_least: int) -> tuple[Tensor, ...]:
    if x.ndim < at_least:
        raise ShapeError(f"{name}: wants at least {at_least} dimensions, got shape {tuple(x.shape)}")
    if hasattr(where, "__index__") and where > 0 and x.shape[dim] % where:
        raise ShapeError(
            f"{name}: {x.shape[dim]}, the size of dim {dim}, is not a multiple of {where}; use tensor_split"
        )
    return _split(name, x, where, dim)


@composed
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Parts of x along dim 1 (dim 0 of a vector): that many equal ones, or cut at the indices.

    >>> import autograd
    >>> [part.shape for part in autograd.hsplit(autograd.zeros(2, 4), 2)]
    [(2, 2), (2, 2)]
    """
    return _evenly("hsplit", input, indices_or_sections, min(max(input.ndim - 1, 0), 1), 1)


@composed
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Parts of x along dim 0: that many equal ones, or cut at the indices.

    >>> import autograd
    >>> [part.shape for part in autograd.vsplit(autograd.zeros(4, 2), [1])]
    [(1, 2), (3, 2)]
    """
    return _evenly("vsplit", input, indices_or_sections, 0, 2)


@composed
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Parts of x along dim 2: that many equal ones, or cut at the indices.

    >>> import autograd
    >>> [part.shape for part in autograd.dsplit(autograd.zeros(1, 2, 4), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _evenly("dsplit", input, indices_or_sections, 2, 3)
