"""Matrices that stay orthogonal while they are learned."""

from __future__ import annotations

import numpy as np

import autograd
from autograd import ShapeError, Tensor, no_grad

from ..module import Module
from .parametrize import register_parametrization, tensor_of

__all__ = ["orthogonal"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _skew(x: Tensor) -> Tensor:
    """The n × n matrix A = −Aᵀ whose first columns below the diagonal are those of ``x`` (n, k)."""
    n, k = x.shape[-2:]
    lower = x.tril()
    if n != k:
        lower = autograd.cat([lower, autograd.zeros(*x.shape[:-2], n, n - k, dtype=x.dtype)], dim=-1)  # (…, n, n)
    return lower - lower.mT


def _reflected(x: Tensor) -> Tensor:
    """The first k columns of H₁ H₂ … Hₖ, Hᵢ the reflection along column i of ``x`` (n, k), whose diagonal counts as 1.

    The product is I − V S⁻¹ Vᵀ, S the upper triangle of VᵀV with its diagonal halved.
    """
    n, k = x.shape[-2:]
    unit = autograd.eye(n, k, dtype=x.dtype)
    v = x.tril(-1) + unit
    inner = v.mT @ v
    s = inner.triu(1) + 0.5 * inner * autograd.eye(k, dtype=x.dtype)
    return unit - v @ autograd.linalg.solve_triangular(s, v[..., :k, :].mT, upper=True)


def _with_positive_diagonal(matrix: Tensor) -> Tensor:
    """Q of matrix = Q R where R has a positive diagonal, which makes it the only one."""
    q, r = autograd.linalg.qr(matrix)
    return q * autograd.sign(r.diagonal(dim1=-2, dim2=-1)).unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    n = q.shape[-1]
    return autograd.allclose(
        q.mT @ q, autograd.eye(n, dtype=q.dtype), rtol=0.0, atol=10 * n * float(np.finfo(q.dtype).eps)
    )


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            # The diagonal holds signs only, which are not learned.
            q = _reflected(x) * autograd.sign(x.detach().diagonal(dim1=-2, dim2=-1)).unsqueeze(-2)
        else:
            a = _skew(x)
            if self.orthogonal_map == "matrix_exp":
                q = autograd.matrix_exp(a)
            else:
                half, identity = 0.5 * a, autograd.eye(n, dtype=a.dtype)
                q = autograd.linalg.solve(identity - half, identity + half)
            q = q[..., :k]
        base = self.__dict__.get("base")
        q = q if base is None else base @ q
        return q.mT if wide else q

    @no_grad()
    def right_inverse(self, value: Tensor) -> Tensor:
        if value.shape != self.shape:
            raise ShapeError(f"orthogonal: the matrix must have shape {self.shape}, got {value.shape}")
        if "base" not in self.__dict__:
            raise NotImplementedError(
                f"orthogonal: with the map {self.orthogonal_map} and use_trivialization=False the matrix cannot be "
                "assigned; leave use_trivialization=True"
            )
        q = value.mT if value.shape[-2] < value.shape[-1] else value
        n, k = q.shape[-2:]
        if n != k:
            q = _with_positive_diagonal(
                autograd.cat([q, autograd.randn(*q.shape[:-2], n, n - k, dtype=q.dtype)], dim=-1)
            )
        else:
            q = q.clone() if _is_orthogonal(q) else _with_positive_diagonal(q)
        self.base = q.detach()
        # Where every map gives the first columns of the identity: the result is then the base.
        return -autograd.eye(*value.shape[-2:], dtype=value.dtype).expand(value.shape).clone()


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keeps a module's matrix orthogonal while it is learned: QᵀQ = 1, or QQᵀ = 1 where it is wide.

    Q = B φ(X): B is the matrix that there is, made orthogonal, and X is learned, with φ one of
    ``"matrix_exp"``: exp(A), ``"cayley"``: (1 − A/2)⁻¹ (1 + A/2), where A = X − Xᵀ of X's lower triangle; and
    ``"householder"``: the product of the reflections along X's columns.

    Arguments:
        module: any with that parameter.
        name: the parameter's name, of a matrix or a batch of them.
        orthogonal_map: φ; by default matrix_exp for square matrices and householder for others.
        use_trivialization: False leaves B out; the matrix then starts elsewhere and cannot be assigned, and only
            matrix_exp and cayley are there.

    Returns the module.

    Raises:
        ValueError: another map. ShapeError: fewer than two dimensions.

    Source: Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.

    >>> import nn
    >>> layer = orthogonal(nn.Linear(3, 5))
    >>> autograd.allclose(layer.weight.T @ layer.weight, autograd.eye(3), atol=1e-5)
    True
    """
    weight = tensor_of("orthogonal", module, name)
    if weight.ndim < 2:
        raise ShapeError(f"orthogonal: wants a matrix or several, got shape {weight.shape}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal: orthogonal_map must be one of {', '.join(_MAPS)}, got {orthogonal_map!r}")
    if orthogonal_map == "householder" and not use_trivialization:
        raise ValueError("orthogonal: householder needs use_trivialization=True; or take matrix_exp or cayley")
    kept = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, kept, unsafe=True)
