"""Matrices as products of simpler ones: Cholesky, QR, singular values, symmetric eigenvalues.

The rules are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, and of Townsend, "Differentiating the singular value decomposition", 2016. Eigenvectors and
singular vectors are determined only up to their signs, and only where the values are distinct: a function that
depends on their choice has no gradient, and where values coincide the gradient of the vectors is infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import GraphError
from ..keywords import composed
from ..primitive import primitive
from .linalg import check_square, mT
from .shape import cat, transpose
from .solvers import check_matrix

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="cholesky")
def cholesky_factor(xp, x):
    """The lower triangular L with L Lᵀ = x; see ``cholesky``."""
    return xp.linalg.cholesky(x)


def _cholesky_x(xp, g, out, x):
    lower = np.tri(x.shape[-1], dtype=x.dtype)
    strictly = np.tri(x.shape[-1], k=-1, dtype=x.dtype)
    inner = mT(xp, out) @ g
    inner = (inner * lower + mT(xp, inner * strictly)) / 2
    transposed = mT(xp, out)
    half = xp.linalg.solve_triangular(transposed, inner, True, False)  # L⁻ᵀ Φ
    return mT(xp, xp.linalg.solve_triangular(transposed, mT(xp, half), True, False))


cholesky_factor.grads(x=_cholesky_x)


@primitive(name="qr")
def qr_factors(xp, x, *, mode):
    """Orthonormal Q and upper triangular R with Q R = x; see ``qr``."""
    return xp.linalg.qr(x, mode)


def _qr_x(xp, g, out, x, *, mode):
    (q, r), (g_q, g_r) = out, g
    rows, columns = x.shape[-2:]
    if mode == "complete" and rows > columns:
        raise GraphError(
            f"qr: there is no gradient for mode='complete' with more rows ({rows}) than columns ({columns}): the "
            "further columns of Q can be any basis; use mode='reduced'"
        )
    inner = 0
    if g_r is not None:
        inner = r @ mT(xp, g_r)
    if g_q is not None:
        inner = inner - mT(xp, g_q) @ q
    lower = np.tri(columns, dtype=x.dtype)
    strictly = np.tri(columns, k=-1, dtype=x.dtype)
    total = q @ (inner * lower + mT(xp, inner * strictly))
    if g_q is not None:
        total = g_q + total
    return mT(xp, xp.linalg.solve_triangular(r, mT(xp, total), True, False))  # total R⁻ᵀ


qr_factors.grads(x=_qr_x)


@primitive(name="svd")
def singular_values_and_vectors(xp, x, *, full_matrices):
    """U, S and Vᵀ with U diag(S) Vᵀ = x; see ``svd``."""
    return xp.linalg.svd(x, full_matrices)


def _svd_x(xp, g, out, x, *, full_matrices):
    (u, s, vt), (g_u, g_s, g_vt) = out, g
    k = s.shape[-1]
    u, g_u = _thin(xp, u, g_u, k)
    v, g_v = _thin(xp, mT(xp, vt), None if g_vt is None else mT(xp, g_vt), k)
    vt = mT(xp, v)
    eye = np.eye(k, dtype=x.dtype)
    middle = 0
    if g_s is not None:
        middle = g_s[..., None] * eye
    if g_u is not None or g_v is not None:
        # 1 / (s_j² − s_i²) off the diagonal
        between = (1 - eye) / ((s * s)[..., None, :] - (s * s)[..., None] + eye)
        if g_u is not None:
            within = mT(xp, u) @ g_u
            middle = middle + (within - mT(xp, within)) * between * s[..., None, :]
        if g_v is not None:
            within = vt @ g_v
            middle = middle + s[..., None] * ((within - mT(xp, within)) * between)
    result = u @ middle @ vt
    if g_u is not None and x.shape[-2] > k:
        result = result + (g_u - u @ (mT(xp, u) @ g_u)) / s[..., None, :] @ vt
    if g_v is not None and x.shape[-1] > k:
        result = result + u @ mT(xp, (g_v - v @ (vt @ g_v)) / s[..., None, :])
    return result


def _thin(xp, u, g, k):
    """The first k columns of u and their gradient, which the others' goes into: they span what those leave."""
    if u.shape[-1] == k:
        return u, g
    first, rest = u[..., :k], u[..., k:]
    return first, None if g is None else g[..., :k] - rest @ (mT(xp, g[..., k:]) @ first)


singular_values_and_vectors.grads(x=_svd_x)


@primitive(name="eigh")
def symmetric_eigen(xp, x, *, upper):
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix; see ``eigh``."""
    return xp.linalg.eigh(x, upper)


def _symmetric_eigen_x(xp, g, out, x, *, upper):
    (w, v), (g_w, g_v) = out, g
    eye = np.eye(x.shape[-1], dtype=x.dtype)
    middle = 0
    if g_w is not None:
        middle = g_w[..., None] * eye
    if g_v is not None:
        # 1 / (w_j − w_i) off the diagonal
        between = (1 - eye) / (w[..., None, :] - w[..., None] + eye)
        middle = middle + (mT(xp, v) @ g_v) * between
    return v @ middle @ mT(xp, v)


symmetric_eigen.grads(x=_symmetric_eigen_x)


@composed
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L Lᵀ = A, or the upper triangular Lᵀ.

    Only the lower triangle of A is looked at; the gradient is symmetric.

    Arguments:
        A: (..., n, n), symmetric and positive-definite.
        upper: return Lᵀ.

    Raises LinAlgError when A is not positive-definite.

    >>> import autograd
    >>> autograd.linalg.cholesky(autograd.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_square("cholesky", A)
    factor = cholesky_factor(A)
    return transpose(factor, -2, -1) if upper else factor


class QR(NamedTuple):
    """What ``qr`` returns."""

    Q: Any
    R: Any


@composed
def qr(A: Tensor, mode: str = "reduced") -> QR:
    """Q with orthonormal columns and upper triangular R, of which A = Q R.

    Arguments:
        A: (..., m, n); with k = min(m, n), of full rank for the gradient.
        mode: "reduced" for Q (..., m, k) and R (..., k, n), "complete" for Q (..., m, m) and R (..., m, n) (without
            gradient if m > n), or "r" for the reduced R only, and an empty Q.

    >>> import autograd
    >>> abs(autograd.linalg.qr(autograd.tensor([[3.0], [4.0]])).R)
    tensor([[5.]])
    """
    check_matrix("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    rows, columns = A.shape[-2:]
    if rows < columns:
        # Of a wide matrix the first columns give Q, and Qᵀ times the others the rest of R.
        q, r = qr_factors(A[..., :rows], mode="reduced")
        r = cat([r, transpose(q, -2, -1) @ A[..., rows:]], -1)
    else:
        q, r = qr_factors(A, mode="complete" if mode == "complete" else "reduced")
    return QR(A.detach().reshape(-1)[:0] if mode == "r" else q, r)


class SVD(NamedTuple):
    """What ``linalg.svd`` returns."""

    U: Any
    S: Any
    Vh: Any


@composed
def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """U, S and Vᵀ with A = U diag(S) Vᵀ: orthonormal columns of U and V, S descending and not negative.

    Each column of U and row of Vᵀ may have the other sign. The gradient of U and V is infinite where singular values
    coincide; that of S is there too.

    Arguments:
        A: (..., m, n); with k = min(m, n):
        full_matrices: U (..., m, m) and Vᵀ (..., n, n), rather than (..., m, k) and (..., k, n).

    >>> import autograd
    >>> autograd.linalg.svd(autograd.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    tensor([3., 2.])
    """
    check_matrix("svd", A)
    return SVD(*singular_values_and_vectors(A, full_matrices=full_matrices))


@composed
def svdvals(A: Tensor) -> Tensor:
    """The singular values of A, descending.

    >>> import autograd
    >>> autograd.linalg.svdvals(autograd.tensor([[0.0, 2.0], [3.0, 0.0]]))
    tensor([3., 2.])
    """
    check_matrix("svdvals", A)
    return singular_values_and_vectors(A, full_matrices=False)[1]


class ClassicSVD(NamedTuple):
    """What ``svd`` returns."""

    U: Any
    S: Any
    V: Any


@composed
def classic_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> ClassicSVD:
    """``linalg.svd`` under its older name, with V rather than Vᵀ, and the reduced form by default.

    >>> import autograd
    >>> autograd.svd(autograd.ones(3, 2)).V.shape
    (2, 2)
    """
    u, s, vt = svd(input, not some)
    if not compute_uv:
        u, vt = u.detach() * 0, vt.detach() * 0
    return ClassicSVD(u, s, transpose(vt, -2, -1))


@composed
def classic_qr(input: Tensor, some: bool = True) -> QR:
    """``linalg.qr`` under its older name: "reduced" if ``some``, else "complete".

    >>> import autograd
    >>> autograd.qr(autograd.ones(3, 2)).Q.shape
    (3, 2)
    """
    return qr(input, "reduced" if some else "complete")


@composed
def classic_cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """``linalg.cholesky`` under its older name.

    >>> import autograd
    >>> autograd.cholesky(autograd.tensor([[4.0]]))
    tensor([[2.]])
    """
    return cholesky(input, upper=upper)


class Eigen(NamedTuple):
    """What ``eigh`` returns."""

    eigenvalues: Any
    eigenvectors: Any


@composed
def eigh(A: Tensor, UPLO: str = "L") -> Eigen:
    """Eigenvalues w, ascending, and orthonormal eigenvectors V of a symmetric matrix: A = V diag(w) Vᵀ.

    Each column of V may have the other sign. The gradient of V is infinite where eigenvalues coincide; that of w is
    there too.

    Arguments:
        A: (..., n, n), symmetric.
        UPLO: which triangle of A is looked at, "L" or "U".

    >>> import autograd
    >>> autograd.linalg.eigh(autograd.tensor([[3.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 3.])
    """
    check_square("eigh", A)
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return Eigen(*symmetric_eigen(A, upper=UPLO == "U"))


@composed
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric matrix, ascending; arguments as ``eigh``.

    >>> import autograd
    >>> autograd.linalg.eigvalsh(autograd.tensor([[3.0, 0.0], [0.0, 1.0]]))
    tensor([1., 3.])
    """
    return eigh(A, UPLO).eigenvalues
