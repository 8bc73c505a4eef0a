"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import primitive, wrap
from .dims import dimension
from .elementwise import clone, where
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(view=True, selects=True, name="diagonal")
def diagonal_of(xp, x, *, offset, dim1, dim2):
    """The diagonal of x in the plane of two dimensions, as the last dimension; see ``diagonal``."""
    return xp.diagonal(x, offset, dim1, dim2)


@primitive(name="diag_embed")
def embed_diagonal(xp, g, *, offset, dim1, dim2, shape):
    """Zeros of ``shape`` with g on the diagonal: the transpose of ``diagonal_of``."""
    return xp.embed_diagonal(g, offset, dim1, dim2, shape)


diagonal_of.grads(x=lambda xp, g, out, x, *, offset, dim1, dim2: xp.embed_diagonal(g, offset, dim1, dim2, x.shape))
embed_diagonal.grads(g=lambda xp, u, out, g, *, offset, dim1, dim2, shape: xp.diagonal(u, offset, dim1, dim2))


def _plane(name: str, dim1: int, dim2: int, ndim: int, shape: Any) -> tuple[int, int]:
    if ndim < 2:
        raise ShapeError(f"{name}: wants at least 2 dimensions, got shape {tuple(shape)}")
    a, b = dimension(name, dim1, ndim), dimension(name, dim2, ndim)
    if a == b:
        raise ValueError(f"{name}: dim1 and dim2 must differ, got {dim1} and {dim2}")
    return a, b


@composed
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The entries x[i, i + offset] of the plane of dim1 and dim2, as a new last dimension; a view.

    >>> import autograd
    >>> autograd.diagonal(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    a, b = _plane("diagonal", dim1, dim2, input.ndim, input.shape)
    return diagonal_of(input, offset=offset, dim1=a, dim2=b)


@composed
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dimension of x as the diagonal of the plane of dim1 and dim2 of the result.

    >>> import autograd
    >>> autograd.diag_embed(autograd.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    if input.ndim == 0:
        raise ShapeError("diag_embed: wants at least 1 dimension, got a 0-d Tensor")
    a, b = _plane("diag_embed", dim1, dim2, input.ndim + 1, input.shape)
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((a, b)):
        shape.insert(d, size)
    return embed_diagonal(input, offset=offset, dim1=a, dim2=b, shape=tuple(shape))


@composed
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a vector x on its diagonal; or of a matrix x its diagonal, a copy.

    >>> import autograd
    >>> autograd.diag(autograd.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag: wants 1 or 2 dimensions, got shape {tuple(input.shape)}; use diagonal or diag_embed")
    return clone(diagonal_of(input, offset=diagonal, dim1=0, dim2=1))


@composed
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with the entries of x, flattened, on its diagonal.

    >>> import autograd
    >>> autograd.diagflat(autograd.tensor([[1.0], [2.0]]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return diag_embed(reshape(input, -1), offset)


@composed
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of x with ``src`` on the diagonal that ``diagonal`` gives.

    >>> import autograd
    >>> autograd.diagonal_scatter(autograd.zeros(2, 2), autograd.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    a, b = _plane("diagonal_scatter", dim1, dim2, input.ndim, input.shape)
    ones = np.ones(diagonal(input.detach(), offset, a, b).shape, bool)
    if tuple(src.shape) != ones.shape:
        raise ShapeError(
            f"diagonal_scatter: src has shape {tuple(src.shape)}, and the diagonal of x of shape {tuple(input.shape)} "
            f"shape {ones.shape}"
        )
    static = {"offset": offset, "dim1": a, "dim2": b, "shape": tuple(input.shape)}
    return where(embed_diagonal(wrap(ones), **static), embed_diagonal(src, **static), input)


@composed
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zeros above it: x[..., i, j] where j ≤ i + diagonal.

    >>> import autograd
    >>> autograd.tril(autograd.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", input, lambda i, j: j <= i + diagonal)


@composed
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zeros below it: x[..., i, j] where j ≥ i + diagonal.

    >>> import autograd
    >>> autograd.triu(autograd.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", input, lambda i, j: j >= i + diagonal)


def _triangle(name: str, x: Any, inside: Any) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"{name}: wants at least 2 dimensions, got shape {tuple(x.shape)}")
    rows, columns = x.shape[-2:]
    mask = inside(np.arange(rows)[:, None], np.arange(columns))
    return where(wrap(mask), x, wrap(x.dtype.type(0)))
