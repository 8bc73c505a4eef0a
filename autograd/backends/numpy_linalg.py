"""Linear algebra on NumPy arrays, over leading dimensions: LAPACK through NumPy and SciPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import LinAlgError


def inv(x: Any) -> Any:
    """x⁻¹."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"inv: {_which(x)} is singular, so it has no inverse; pinv gives the pseudoinverse") from None


def solve(a: Any, b: Any) -> Any:
    """a⁻¹ b, for matrices b."""
    try:
        return np.linalg.solve(a, b if b.ndim >= 2 else b[:, None])
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"solve: {_which(a)} is singular, so the system has no unique solution; lstsq gives the smallest"
        ) from None


def solve_triangular(a: Any, b: Any, upper: bool, unitriangular: bool) -> Any:
    """a⁻¹ b for triangular a; a zero on the diagonal gives infinities, as BLAS does."""
    from scipy.linalg import get_blas_funcs

    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    n = a.shape[-1]
    out = np.empty((*batch, *b.shape[-2:]), b.dtype)
    if n < math.prod(batch):
        # Row by row for all matrices at once takes fewer calls than matrix by matrix.
        with np.errstate(all="ignore"):
            for i in reversed(range(n)) if upper else range(n):
                done = slice(i + 1, n) if upper else slice(0, i)
                row = b[..., i, :] - (a[..., i : i + 1, done] @ out[..., done, :])[..., 0, :]
                out[..., i, :] = row if unitriangular else row / a[..., i, i, None]
    elif out.size:
        trsm = get_blas_funcs("trsm", (a, b))
        a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, out.shape)
        for at in np.ndindex(*batch):
            # BLAS counts along columns: the transpose of a C-ordered matrix goes in without a copy.
            out[at] = trsm(1.0, a[at].T, b[at], lower=upper, trans_a=1, diag=unitriangular)
    return out


def cholesky(x: Any) -> Any:
    """The lower triangular L with L Lᵀ = x."""
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "cholesky: the matrix is not positive-definite; it must be symmetric with eigenvalues above 0 "
            "(adding a small multiple of the identity makes a nearly singular one so)"
        ) from None


def qr(x: Any, mode: str) -> Any:
    """Q and R with Q R = x."""
    return tuple(np.linalg.qr(x, mode))  # type: ignore[call-overload]


def svd(x: Any, full_matrices: bool) -> Any:
    """U, S and Vᵀ with U diag(S) Vᵀ = x."""
    return tuple(np.linalg.svd(x, full_matrices=full_matrices))


def eigh(x: Any, upper: bool) -> Any:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix, of which one triangle is read."""
    return tuple(np.linalg.eigh(x, UPLO="U" if upper else "L"))


def slogdet(x: Any) -> Any:
    """The determinant's sign, and the logarithm of its absolute value."""
    return tuple(np.linalg.slogdet(x))


def det(x: Any) -> Any:
    """The determinant."""
    return np.linalg.det(x)


def cofactors(x: Any) -> Any:
    """det(x) x⁻ᵀ, also for singular x: there it is made of the singular vectors."""
    with np.errstate(all="ignore"):
        d = np.linalg.det(x)
        if np.all(d != 0) and np.all(np.isfinite(d)):
            return d[..., None, None] * np.swapaxes(np.linalg.inv(x), -1, -2)
    u, s, vt = np.linalg.svd(x)
    n = s.shape[-1]
    # The product of all singular values but the i-th, without dividing by one that is 0.
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1).astype(x.dtype)
    return (np.linalg.det(u) * np.linalg.det(vt))[..., None, None] * ((u * others[..., None, :]) @ vt)


def expm(x: Any) -> Any:
    """The matrix exponential."""
    from scipy.linalg import expm

    return expm(x) if x.size else np.zeros_like(x)


def distances(x: Any, y: Any) -> Any:
    """|xᵢ − yⱼ| for each row of x and each of y."""
    from scipy.spatial.distance import cdist

    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    out = np.empty((*batch, x.shape[-2], y.shape[-2]), x.dtype)
    if x.shape[-1] == 0 or not out.size:
        out[...] = 0
        return out
    x, y = np.broadcast_to(x, (*batch, *x.shape[-2:])), np.broadcast_to(y, (*batch, *y.shape[-2:]))
    for at in np.ndindex(*batch):
        out[at] = cdist(x[at], y[at])
    return out


def _which(x: Any) -> str:
    if x.ndim == 2:
        return "the matrix"
    singular = np.argwhere(np.linalg.slogdet(x)[0] == 0)
    return f"matrix {tuple(map(int, singular[0]))} of the batch" if len(singular) else "a matrix of the batch"
