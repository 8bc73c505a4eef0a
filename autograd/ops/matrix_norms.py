"""Norms of vectors and matrices, and what is told by singular values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import LinAlgError, ShapeError
from ..keywords import composed
from .decompositions import eigvalsh, svdvals
from .dims import Dims, normal_dims
from .elementwise import abs, check_floating, pow
from .linalg import check_square
from .reduction import amax, amin, norm, reduce_max, reduce_min, reduce_sum
from .shape import movedim, squeeze, unsqueeze
from .solvers import check_matrix, inv, tolerances

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def vector_norm(
    x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over all entries, or along ``dim``, with p = ``ord``.

    Arguments:
        x: a floating Tensor of any shape.
        ord: any number; 0 counts the entries that are not 0, ``inf`` and ``-inf`` are the largest and smallest |x|.
        dim (or axis): a dimension or several; None for all.
        keepdim: leave the reduced dimensions in the shape, with size 1.
        dtype: convert x to it first.

    >>> import autograd
    >>> autograd.linalg.vector_norm(autograd.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    x = x if dtype is None else x.to(dtype)
    check_floating("vector_norm", x)
    if isinstance(ord, bool) or not isinstance(ord, (int, float)):
        raise TypeError(f"vector_norm: ord must be a number, got {ord!r}; matrix_norm takes 'fro' and 'nuc'")
    dims = normal_dims("vector_norm", x, dim, axis)
    if ord > 0 or ord == -math.inf:
        return norm(x, ord, dims, keepdim)
    if ord == 0:
        return reduce_sum((x != 0).to(x.dtype), axis=dims, keepdims=keepdim)
    return pow(reduce_sum(pow(abs(x), ord), axis=dims, keepdims=keepdim), 1 / ord)


@composed
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of matrices: of (..., m, n) one number each.

    Arguments:
        A: a matrix or a batch of them.
        ord: "fro" √Σ a², "nuc" the sum of the singular values, 2 and -2 the largest and smallest of them,
            1 and -1 the largest and smallest sum of |a| down a column, inf and -inf along a row.
        dim: the two dimensions that rows and columns are counted along.
        keepdim: leave these dimensions in the shape, with size 1.
        dtype: convert A to it first.

    >>> import autograd
    >>> autograd.linalg.matrix_norm(autograd.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    A = A if dtype is None else A.to(dtype)
    check_matrix("matrix_norm", A)
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise ValueError(f"matrix_norm: dim must be two dimensions, got {dim!r}")
    rows, columns = normal_dims("matrix_norm", A, tuple(dim))  # type: ignore[misc]
    if ord == "fro":
        return norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or (isinstance(ord, (int, float)) and math.fabs(ord) == 2):
        s = svdvals(movedim(A, (rows, columns), (-2, -1)))
        last = (s.ndim - 1,)
        if ord == "nuc":
            out = reduce_sum(s, axis=last)
        else:
            _check_some(A)
            out = (reduce_max if ord > 0 else reduce_min)(s, axis=last)
        if keepdim:
            for d in sorted((rows, columns)):
                out = unsqueeze(out, d)
        return out
    if not isinstance(ord, (int, float)) or math.fabs(ord) not in (1, math.inf):
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', ±1, ±2 or ±inf, got {ord!r}")
    _check_some(A)
    along, across = (rows, columns) if math.fabs(ord) == 1 else (columns, rows)
    sums = reduce_sum(abs(A), axis=(along,), keepdims=True)
    out = (reduce_max if ord > 0 else reduce_min)(sums, axis=(across,), keepdims=True)
    return out if keepdim else squeeze(out, (rows, columns))


def _check_some(A: Any) -> None:
    if not math.prod(A.shape):
        raise ShapeError(f"matrix_norm: nothing to choose from: the Tensor has shape {tuple(A.shape)}")


@composed
def linalg_norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``vector_norm`` of all entries by default; of a vector or along one ``dim`` with ``ord``; else ``matrix_norm``.

    >>> import autograd
    >>> autograd.linalg.norm(autograd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if dim is None and ord is not None and A.ndim not in (1, 2):
        raise ShapeError(
            f"norm: with ord={ord!r} and without dim it wants a vector or a matrix, got shape {tuple(A.shape)}; "
            "give dim, one dimension or two"
        )
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    dims = dim if isinstance(dim, (tuple, list)) or dim is None else (dim,)
    if (A.ndim == 1 and dims is None) or (dims is not None and len(dims) == 1):
        return vector_norm(A, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)


@composed
def matrix_rank(A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False) -> Tensor:
    """How many singular values are above max(atol, rtol · the largest), as int64; it has no gradient.

    Arguments:
        A: (..., m, n).
        atol: 0 by default.
        rtol: max(m, n) times the dtype's epsilon by default, 0 if only atol is given.
        hermitian: A is symmetric, so that |eigenvalues| do.

    >>> import autograd
    >>> autograd.linalg.matrix_rank(autograd.ones(3, 3))
    tensor(1)
    """
    check_matrix("matrix_rank", A)
    atol, rtol = tolerances("matrix_rank", A, atol, rtol)
    s = abs(eigvalsh(A.detach())) if hermitian else svdvals(A.detach())
    if not s.shape[-1]:
        return reduce_sum(s > 0, axis=(s.ndim - 1,))
    bound = amax(s, -1, True) * rtol
    return reduce_sum(s > bound.clamp(min=atol), axis=(s.ndim - 1,))


@composed
def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number ‖A‖ₚ ‖A⁻¹‖ₚ, which says how much errors grow in solving with A; ∞ for a singular A.

    Arguments:
        A: (..., m, n), square unless p is None, 2 or -2.
        p: as ``ord`` of ``matrix_norm``; None and 2 are the largest singular value over the smallest.

    >>> import autograd
    >>> autograd.linalg.cond(autograd.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    check_matrix("cond", A)
    if p is None or p in (2, -2):
        s = svdvals(A)
        largest, smallest = amax(s, -1), amin(s, -1)
        return smallest / largest if p == -2 else largest / smallest
    check_square("cond", A)
    try:
        inverse = inv(A)
    except LinAlgError:
        return matrix_norm(A, p) * math.inf
    return matrix_norm(A, p) * matrix_norm(inverse, p)
