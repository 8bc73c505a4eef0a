"""Weight and spectral normalisation by a hook before forward, with the older names of their parameters."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import no_grad

from .. import functional as F
from ..module import Module
from ..parameter import Parameter
from .parametrizations import (
    as_matrix,
    norm_except,
    output_dim,
    power_iteration,
    sliced,
    spectral_radius,
)
from .parametrize import tensor_of

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class _WeightNorm:
    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute(self, module: Module) -> Any:
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / norm_except(v, self.dim))

    def __call__(self, module: Module, args: Any) -> None:
        module.__dict__[self.name] = self.compute(module)


class _SpectralNorm:
    def __init__(self, name: str, count: int, dim: int, eps: float) -> None:
        self.name, self.count, self.dim, self.eps = name, count, dim, eps

    def compute(self, module: Module, iterate: bool) -> Any:
        weight, u, v = (getattr(module, f"{self.name}_{end}") for end in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if iterate:
            # The other way round than in the parametrization: v first, as PyTorch has it here.
            power_iteration(matrix.T, v, u, self.count, self.eps)
        return weight / spectral_radius(matrix, u, v)

    def __call__(self, module: Module, args: Any) -> None:
        module.__dict__[self.name] = self.compute(module, module.training)


def _must_be_new(function: str, kind: Any, module: Module, name: str) -> None:
    if any(isinstance(hook, kind) and hook.name == name for hook, _ in module._forward_pre_hooks.values()):
        raise RuntimeError(f"{function}: {name!r} of this {type(module).__name__} has it already")


def _taken(function: str, kind: Any, module: Module, name: str) -> Any:
    """The hook of that name, taken away."""
    for key, (hook, _) in list(module._forward_pre_hooks.items()):
        if isinstance(hook, kind) and hook.name == name:
            del module._forward_pre_hooks[key]
            return hook
    raise ValueError(f"{function}: {name!r} of this {type(module).__name__} was not normalised")


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learns length and direction of a module's weight apart, as ``weight_g`` and ``weight_v``: w = g v / ‖v‖.

    ``nn.utils.parametrizations.weight_norm`` does the same without a hook, so that the weight is right whenever it is
    read; this one recomputes it before every forward.

    Arguments:
        module: any with that parameter.
        name: the parameter's name.
        dim: the dimension over whose slices the norms are; None for one norm of the whole.

    Returns the module.

    Source: Salimans and Kingma, "Weight normalization", 2016.

    >>> import nn
    >>> [name for name, _ in weight_norm(nn.Linear(3, 2)).named_parameters()]
    ['bias', 'weight_g', 'weight_v']
    """
    _must_be_new("weight_norm", _WeightNorm, module, name)
    weight = tensor_of("weight_norm", module, name)
    hook = _WeightNorm(name, sliced("weight_norm", weight, dim))
    delattr(module, name)
    with no_grad():
        module.register_parameter(f"{name}_g", Parameter(norm_except(weight, hook.dim)))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    module.__dict__[name] = hook.compute(module).detach()
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Makes the weight a parameter again, with its present value, and returns the module."""
    hook = _taken("remove_weight_norm", _WeightNorm, module, name)
    with no_grad():
        weight = hook.compute(module)
    for old in (name, f"{name}_g", f"{name}_v"):
        delattr(module, old)
    module.register_parameter(name, Parameter(weight))
    return module


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divides a module's weight by its largest singular value before every forward.

    What is learned is ``weight_orig``; the singular vectors are the buffers ``weight_u`` and ``weight_v``.
    ``nn.utils.parametrizations.spectral_norm`` does the same without a hook.

    Arguments:
        module: any with that parameter.
        name: the parameter's name.
        n_power_iterations: steps of the power iteration in each forward in training mode.
        eps: the smallest norm that is divided by.
        dim: the dimension of outputs, 0 by default and 1 for transposed convolutions; the others count as one.

    Returns the module.

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    >>> import nn
    >>> list(spectral_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    _must_be_new("spectral_norm", _SpectralNorm, module, name)
    weight = tensor_of("spectral_norm", module, name)
    if n_power_iterations <= 0:
        raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
    hook = _SpectralNorm(name, n_power_iterations, output_dim(module) if dim is None else dim % weight.ndim, eps)
    rows, columns = as_matrix(weight, hook.dim).shape
    delattr(module, name)
    module.register_parameter(f"{name}_orig", Parameter(weight.detach(), weight.requires_grad))
    module.__dict__[name] = weight.detach()
    for end, size in (("u", rows), ("v", columns)):
        start = autograd.randn(size, dtype=weight.dtype)
        module.register_buffer(f"{name}_{end}", F.normalize(start, dim=0, eps=eps))
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Makes the weight a parameter again, with its present value, and returns the module."""
    hook = _taken("remove_spectral_norm", _SpectralNorm, module, name)
    with no_grad():
        weight = hook.compute(module, iterate=False)
    for old in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, old)
    module.register_parameter(name, Parameter(weight))
    return module
