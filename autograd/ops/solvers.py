"""Inverses, pseudoinverses, and linear systems."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import primitive, wrap
from .elementwise import check_floating
from .linalg import check_same_dtype, check_square, matmul, mT
from .reduction import reduce_sum
from .shape import reshape_to, squeeze, transpose, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="inv")
def inverse_of(xp, x):
    """x⁻¹; see ``inv``."""
    return xp.linalg.inv(x)


inverse_of.grads(x=lambda xp, g, out, x: -(mT(xp, out) @ g @ mT(xp, out)))


@primitive(name="solve")
def solve_systems(xp, a, b):
    """a⁻¹ b of matrices; see ``solve``."""
    return xp.linalg.solve(a, b)


solve_systems.grads(
    a=lambda xp, g, out, a, b: -(xp.linalg.solve(mT(xp, a), g) @ mT(xp, out)),
    b=lambda xp, g, out, a, b: xp.linalg.solve(mT(xp, a), g),
)


@primitive(name="solve_triangular")
def solve_triangular_systems(xp, a, b, *, upper, unitriangular):
    """a⁻¹ b for triangular a, of which only that triangle is looked at; see ``solve_triangular``."""
    return xp.linalg.solve_triangular(a, b, upper, unitriangular)


def _triangular_a(xp, g, out, a, b, *, upper, unitriangular):
    n = a.shape[-1]
    triangle = np.tri(n, k=-1 if unitriangular else 0, dtype=a.dtype)
    back = xp.linalg.solve_triangular(mT(xp, a), g, not upper, unitriangular)
    return -(back @ mT(xp, out)) * (triangle.T if upper else triangle)


solve_triangular_systems.grads(
    a=_triangular_a,
    b=lambda xp, g, out, a, b, *, upper, unitriangular: xp.linalg.solve_triangular(
        mT(xp, a), g, not upper, unitriangular
    ),
)


@primitive(name="pinv")
def pseudoinverse(xp, x, *, atol, rtol):
    """V diag(1/s) Uᵀ over the singular values s above max(atol, rtol · the largest); see ``pinv``."""
    if not math.prod(x.shape):
        return xp.swapaxes(x, -1, -2) + 0
    u, s, vt = xp.linalg.svd(x, False)
    kept = s > xp.maximum(atol, rtol * xp.max(s, axis=-1, keepdims=True))
    reciprocal = xp.where(kept, 1 / xp.where(kept, s, xp.ones_like(s)), xp.zeros_like(s))
    return mT(xp, vt) @ (reciprocal[..., None] * mT(xp, u))


def _pseudoinverse_x(xp, g, out, x, *, atol, rtol):
    # Golub and Pereyra, "The differentiation of pseudo-inverses", 1973: right where the rank is locally constant.
    p, pt, gt = out, mT(xp, out), mT(xp, g)
    left = gt @ p @ pt  # (..., m, n)
    right = pt @ p @ gt
    return left - x @ (p @ left) + right - (right @ p) @ x - pt @ g @ pt


pseudoinverse.grads(x=_pseudoinverse_x)


@composed
def inv(A: Tensor) -> Tensor:
    """A⁻¹, of a square matrix or a batch of them.

    Raises LinAlgError when A is singular.

    >>> import autograd
    >>> autograd.linalg.inv(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square("inv", A)
    return inverse_of(A)


@composed
def inverse(input: Tensor) -> Tensor:
    """``linalg.inv`` under its older name.

    >>> import autograd
    >>> autograd.inverse(autograd.tensor([[4.0]]))
    tensor([[0.2500]])
    """
    return inv(input)


@composed
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B, or with X A = B if not ``left``.

    Arguments:
        A: (..., n, n).
        B: (..., n, k), or (..., k, n) if not ``left``; or vectors: (n,), or of A's shape without its last size.
        left: on which side of X the matrix A stands.

    Raises LinAlgError when A is singular.

    >>> import autograd
    >>> autograd.linalg.solve(autograd.tensor([[2.0, 0.0], [0.0, 4.0]]), autograd.tensor([1.0, 1.0]))
    tensor([0.5000, 0.2500])
    """
    check_square("solve", A)
    check_same_dtype("solve", A, B)
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]):
        if not left:
            raise ShapeError("solve: left=False wants matrices B, got vectors; use B.unsqueeze(-2)")
        _check_rows("solve", A, B, -1)
        return squeeze(solve_systems(A, unsqueeze(B, -1)), -1)
    _check_rows("solve", A, B, -2 if left else -1)
    if left:
        return solve_systems(A, B)
    return transpose(solve_systems(transpose(A, -2, -1), transpose(B, -2, -1)), -2, -1)


@composed
def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with A X = B for triangular A, or with X A = B if not ``left``.

    Only one triangle of A is looked at. A zero on its diagonal gives infinities.

    Arguments:
        A: (..., n, n).
        B: (..., n, k), or (..., k, n) if not ``left``.
        upper: whether A is upper triangular.
        left: on which side of X the matrix A stands.
        unitriangular: take the diagonal of A to be ones, without looking at it.

    >>> import autograd
    >>> a = autograd.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> autograd.linalg.solve_triangular(a, autograd.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    check_square("solve_triangular", A)
    check_same_dtype("solve_triangular", A, B)
    if B.ndim < 2:
        raise ShapeError(
            f"solve_triangular: B must have at least 2 dimensions, got shape {tuple(B.shape)}; use B.unsqueeze(-1)"
        )
    _check_rows("solve_triangular", A, B, -2 if left else -1)
    if left:
        return solve_triangular_systems(A, B, upper=upper, unitriangular=unitriangular)
    out = solve_triangular_systems(
        transpose(A, -2, -1), transpose(B, -2, -1), upper=not upper, unitriangular=unitriangular
    )
    return transpose(out, -2, -1)


def _check_rows(name: str, a: Any, b: Any, dim: int) -> None:
    if b.ndim < -dim or b.shape[dim] != a.shape[-1]:
        raise ShapeError(
            f"{name}: A of shape {tuple(a.shape)} and B of shape {tuple(b.shape)} do not fit: "
            f"B must have size {a.shape[-1]} in dimension {dim}"
        )


@composed
def pinv(A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False) -> Tensor:
    """The Moore–Penrose pseudoinverse A⁺, of (..., m, n) one of (..., n, m).

    Singular values up to max(atol, rtol · the largest of them) count as 0. The gradient takes their number to be
    fixed, as it is in the neighbourhood of a matrix of full rank.

    Arguments:
        A: a matrix, or a batch of them.
        atol: 0 by default.
        rtol: max(m, n) times the dtype's epsilon by default, 0 if only atol is given.
        hermitian: A is symmetric (which makes no difference to the result).

    >>> import autograd
    >>> autograd.linalg.pinv(autograd.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    check_matrix("pinv", A)
    if hermitian:
        check_square("pinv with hermitian=True", A)
    atol, rtol = tolerances("pinv", A, atol, rtol)
    return pseudoinverse(A, atol=atol, rtol=rtol)


@composed
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """``linalg.pinv`` under its older name, with rtol called ``rcond``.

    >>> import autograd
    >>> autograd.pinverse(autograd.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return pinv(input, rtol=rcond)


class LeastSquares(NamedTuple):
    """What ``lstsq`` returns."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@composed
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """The X that makes ‖A X − B‖ smallest, and of several such the smallest: A⁺ B.

    Arguments:
        A: (..., m, n).
        B: (..., m, k), or vectors (..., m).
        rcond: singular values up to ``rcond`` times the largest count as 0; max(m, n) · epsilon by default.
        driver: PyTorch's choice of LAPACK routine; what it decides here is only which results are given.

    Returns:
        solution: (..., n, k), or (..., n) for vectors. It has a gradient, that of ``pinv``.
        residuals: Σ (A X − B)², (..., k), if m > n and the driver is "gels", "gelsd" or "gelss"; else empty.
        rank: of each matrix; empty for "gels".
        singular_values: for "gelsd" and "gelss"; else empty.

    >>> import autograd
    >>> a = autograd.tensor([[2.0], [0.0]])
    >>> autograd.linalg.lstsq(a, autograd.tensor([[4.0], [1.0]])).solution
    tensor([[2.]])
    """
    from .decompositions import svdvals

    check_matrix("lstsq", A)
    check_same_dtype("lstsq", A, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(f"lstsq: driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got {driver!r}")
    vectors = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    if B.ndim < 1 or B.shape[-1 if vectors else -2] != A.shape[-2]:
        raise ShapeError(
            f"lstsq: A of shape {tuple(A.shape)} and B of shape {tuple(B.shape)} do not fit: their rows must be as many"
        )
    b = unsqueeze(B, -1) if vectors else B
    solution = matmul(pinv(A, rtol=rcond), b)
    nothing = wrap(np.zeros(0, A.dtype))
    residuals, singular_values, rank = nothing, nothing, wrap(np.zeros(0, np.int64))
    if driver in ("gels", "gelsd", "gelss") and A.shape[-2] > A.shape[-1]:
        error = matmul(A, solution) - b
        residuals = reduce_sum(error * error, axis=(error.ndim - 2,))
    if driver != "gels":
        s = svdvals(A.detach())
        _, rtol = tolerances("lstsq", A, None, rcond)
        largest = s[..., :1]
        rank = reduce_sum(s > largest * rtol, axis=(s.ndim - 1,))
        singular_values = s if driver in ("gelsd", "gelss") else nothing
    return LeastSquares(squeeze(solution, -1) if vectors else solution, residuals, rank, singular_values)


@composed
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B, from the Cholesky factor of A: L Lᵀ = A, or Lᵀ L = A if ``upper``.

    >>> import autograd
    >>> autograd.cholesky_solve(autograd.tensor([[4.0]]), autograd.tensor([[2.0]]))
    tensor([[1.]])
    """
    check_square("cholesky_solve", L)
    first, second = (transpose(L, -2, -1), L) if upper else (L, transpose(L, -2, -1))
    half = solve_triangular(first, B, upper=False)
    return solve_triangular(second, half, upper=True)


@composed
def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """A⁻¹, from the Cholesky factor of A: L Lᵀ = A, or Lᵀ L = A if ``upper``.

    >>> import autograd
    >>> autograd.cholesky_inverse(autograd.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    check_square("cholesky_inverse", L)
    return cholesky_solve(wrap(np.eye(L.shape[-1], dtype=L.dtype)), L, upper)


@composed
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a linear map: its first ``ind`` dimensions are rows, the others columns.

    >>> import autograd
    >>> autograd.linalg.tensorinv(autograd.eye(4).reshape(4, 2, 2), ind=1).shape
    (2, 2, 4)
    """
    if ind <= 0:
        raise ValueError(f"tensorinv: ind must be above 0, got {ind}")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    n = math.prod(rows)
    if math.prod(columns) != n:
        raise ShapeError(f"tensorinv: the sizes {rows} and {columns} must have the same product")
    return reshape_to(inv(reshape_to(A, shape=(n, n))), shape=(*columns, *rows))


@composed
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B.

    Arguments:
        A: of B's shape followed by X's.
        B: what the product should be.
        dims: dimensions of A to move to its end first.

    >>> import autograd
    >>> autograd.linalg.tensorsolve(autograd.eye(4).reshape(4, 2, 2), autograd.ones(4)).shape
    (2, 2)
    """
    from .shape import movedim

    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    n, unknown = math.prod(B.shape), tuple(A.shape[B.ndim :])
    if tuple(A.shape[: B.ndim]) != tuple(B.shape) or math.prod(unknown) != n:
        raise ShapeError(
            f"tensorsolve: A of shape {tuple(A.shape)} must begin with B's shape {tuple(B.shape)}, and its other sizes "
            f"{unknown} have the product {n}"
        )
    return reshape_to(solve(reshape_to(A, shape=(n, n)), reshape_to(B, shape=(n,))), shape=unknown)


def check_matrix(name: str, x: Any) -> None:
    """Raises the error of an op that wants floating matrices, or batches of them."""
    check_floating(name, x)
    if x.ndim < 2:
        raise ShapeError(f"{name}: wants a matrix (at least 2 dimensions), got shape {tuple(x.shape)}")


def tolerances(name: str, x: Any, atol: Any, rtol: Any) -> tuple[float, float]:
    """PyTorch's defaults: relative to the largest singular value, unless an absolute one is given."""
    for given in (atol, rtol):
        if given is not None and not isinstance(given, (int, float)):
            raise TypeError(f"{name}: atol and rtol must be numbers, got {type(given).__name__}")
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if not atol else 0.0
    return float(atol or 0.0), float(rtol)
