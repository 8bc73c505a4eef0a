"""Ready-made parametrizations."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor, no_grad

from .. import functional as F
from ..convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module
from .orthogonal import orthogonal
from .parametrize import register_parametrization, tensor_of

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def norm_except(v: Tensor, dim: int) -> Tensor:
    """The norms of the slices of ``v`` along ``dim``, with every other size 1; for dim = −1 the norm of all of it."""
    if dim == -1:
        return autograd.linalg.vector_norm(v)
    others = tuple(d for d in range(v.ndim) if d != dim)
    return autograd.linalg.vector_norm(v, dim=others, keepdim=True) if others else v.abs()


def sliced(name: str, weight: Tensor, dim: int | None) -> int:
    """``dim`` counted from the front, −1 for None."""
    if dim is None or dim == -1:
        return -1
    if not -weight.ndim <= dim < weight.ndim:
        raise IndexError(f"{name}: dim must be from {-weight.ndim} to {weight.ndim - 1}, got {dim}")
    return dim % weight.ndim


def output_dim(module: Module) -> int:
    """The dimension of a module's weight that counts its outputs."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


class _WeightNorm(Module):
    """w = g v / ‖v‖."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except(weight, self.dim), weight


class _SpectralNorm(Module):
    """w / σ(w), σ the largest singular value, from a power iteration whose vectors are kept."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm: dim must be from {-weight.ndim} to {weight.ndim - 1}, got {dim}")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = as_matrix(weight, self.dim)
                u, v = (autograd.randn(n, dtype=matrix.dtype) for n in matrix.shape)
                self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
                self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
                power_iteration(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            power_iteration(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        return weight / spectral_radius(matrix, self._u, self._v)

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """``weight`` with dimension ``dim`` first and all others as one."""
    return (weight.movedim(dim, 0) if dim else weight).flatten(1)  # (out, in·k…)


@no_grad()
def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, count: int, eps: float) -> None:
    """Brings ``u`` and ``v`` nearer to the first singular vectors of ``matrix``, in place."""
    for _ in range(count):
        u.copy_(F.normalize(matrix @ v, dim=0, eps=eps))
        v.copy_(F.normalize(matrix.T @ u, dim=0, eps=eps))


def spectral_radius(matrix: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """uᵀ W v; of copies of ``u`` and ``v``, which the next forward overwrites before the backward of this one."""
    return u.clone() @ (matrix @ v.clone())


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learns length and direction of a module's weight apart: w = g v / ‖v‖.

    ``parametrizations.weight.original0`` is g, ``original1`` v. A state dict with ``weight_g`` and ``weight_v``, as the
    older ``nn.utils.weight_norm`` writes it, is read too.

    Arguments:
        module: any with that parameter.
        name: the parameter's name.
        dim: the dimension over whose slices the norms are; None for one norm of the whole.

    Returns the module.

    Source: Salimans and Kingma, "Weight normalization", 2016.

    >>> import nn
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    weight = tensor_of("weight_norm", module, name)
    register_parametrization(module, name, _WeightNorm(sliced("weight_norm", weight, dim)), unsafe=True)
    module.register_load_state_dict_pre_hook(_OldNames(name))
    return module


class _OldNames:
    """A hook that renames ``weight_g`` and ``weight_v``; a class, since modules with their hooks are pickled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Any, state: dict[str, Any], prefix: str, *_: Any) -> None:
        old = [f"{prefix}{self.name}_{letter}" for letter in "gv"]
        if all(key in state for key in old):
            for i, key in enumerate(old):
                state[f"{prefix}parametrizations.{self.name}.original{i}"] = state.pop(key)


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divides a module's weight by its largest singular value: the layer is then 1-Lipschitz.

    The singular vectors are followed by ``n_power_iterations`` steps of a power iteration whenever the weight is read
    in training mode, in the buffers ``_u`` and ``_v`` of the parametrization.

    Arguments:
        module: any with that parameter.
        name: the parameter's name.
        eps: the smallest norm that is divided by.
        dim: the dimension of outputs, 0 by default and 1 for transposed convolutions; the others count as one.

    Returns the module.

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    >>> import nn
    >>> layer = spectral_norm(nn.Linear(3, 2), n_power_iterations=20)
    >>> round(autograd.linalg.matrix_norm(layer.weight, 2).item(), 4)
    1.0
    """
    weight = tensor_of("spectral_norm", module, name)
    dim = output_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
