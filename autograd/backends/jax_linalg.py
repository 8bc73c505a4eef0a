"""Linear algebra on the values that JAX traces; where NumPy raises (a singular matrix, say), they are NaN or inf."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.numpy.linalg import det, inv
from jax.scipy.linalg import expm


def solve(a: Any, b: Any) -> Any:
    """a⁻¹ b, for matrices b."""
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return jnp.linalg.solve(jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(b, (*batch, *b.shape[-2:])))


def solve_triangular(a: Any, b: Any, upper: bool, unitriangular: bool) -> Any:
    """a⁻¹ b for triangular a."""
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    return jax.lax.linalg.triangular_solve(a, b, left_side=True, lower=not upper, unit_diagonal=unitriangular)


def cholesky(x: Any) -> Any:
    """The lower triangular L with L Lᵀ = x."""
    return jnp.linalg.cholesky(x, symmetrize_input=False)


def qr(x: Any, mode: str) -> Any:
    """Q and R with Q R = x."""
    return tuple(jnp.linalg.qr(x, mode))


def svd(x: Any, full_matrices: bool) -> Any:
    """U, S and Vᵀ with U diag(S) Vᵀ = x."""
    return tuple(jnp.linalg.svd(x, full_matrices=full_matrices))


def eigh(x: Any, upper: bool) -> Any:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix, of which one triangle is read."""
    return tuple(jnp.linalg.eigh(x, UPLO="U" if upper else "L", symmetrize_input=False))


def slogdet(x: Any) -> Any:
    """The determinant's sign, and the logarithm of its absolute value."""
    return tuple(jnp.linalg.slogdet(x))


def cofactors(x: Any) -> Any:
    """det(x) x⁻ᵀ, also for singular x: there it is made of the singular vectors."""
    d = det(x)[..., None, None]
    u, s, vt = jnp.linalg.svd(x)
    others = jnp.where(jnp.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    made = (det(u) * det(vt))[..., None, None] * ((u * others[..., None, :]) @ vt)
    return jnp.where(d != 0, d * jnp.swapaxes(inv(x), -1, -2), made)


def distances(x: Any, y: Any) -> Any:
    """|xᵢ − yⱼ| for each row of x and each of y."""
    d = x[..., :, None, :] - y[..., None, :, :]
    return jnp.sqrt(jnp.sum(d * d, axis=-1))
