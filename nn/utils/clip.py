"""Clipping gradients between backward and the optimizer's step."""

from __future__ import annotations

from collections.abc import Iterable

import autograd
from autograd import DTypeError, SparseGradient, Tensor, no_grad
from autograd.errors import describe

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(name: str, tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for x in found:
        if not isinstance(x, Tensor):
            hint = "; pass model.parameters()" if hasattr(x, "parameters") or isinstance(x, str) else ""
            raise DTypeError(f"{name}: wants Tensors, got {describe(x)}{hint}")
    return found


def _entries(x: Tensor) -> Tensor:
    """The Tensor itself, or the rows of a sparse gradient, whose other entries are 0."""
    return x.coalesce().values() if isinstance(x, SparseGradient) else x


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all entries of several Tensors, as if they were one vector.

    ‖x‖ₚ = (Σ |xᵢ|ᵖ)^(1/p); for p = ∞ the largest |xᵢ|.

    Arguments:
        tensors: one Tensor or several, of any shapes.
        norm_type: p.
        error_if_nonfinite: refuse a norm that is NaN or infinite.
        foreach: has no effect; there is one way to compute it.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is True.

    >>> get_total_norm([autograd.tensor([3.0]), autograd.tensor([[4.0]])])
    tensor(5.)
    """
    found = _listed("get_total_norm", tensors)
    order = float(norm_type)
    if not found:
        return autograd.tensor(0.0)
    norms = [autograd.linalg.vector_norm(_entries(x), order) for x in found]
    total = norms[0] if len(norms) == 1 else autograd.linalg.vector_norm(
        autograd.stack([norm.to(norms[0].dtype) for norm in norms]), order
    )  # fmt: skip
    if error_if_nonfinite and not autograd.isfinite(total):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of order {order:g} of the gradients is {total.item()}, so they cannot be "
            "scaled; look where it comes from, with autograd.detect_anomaly() say, or pass error_if_nonfinite=False"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales the gradients of ``parameters`` by max_norm / (total_norm + 10⁻⁶) in place, if that is less than 1.

    Arguments:
        parameters: one Tensor or several; those without a gradient are left out.
        max_norm: the norm that the gradients are to have at most.
        total_norm: the norm that they have, from ``get_total_norm``.
        foreach: has no effect; there is one way to compute it.
    """
    factor = float(max_norm) / (float(total_norm) + 1e-6)
    if factor >= 1:
        return
    for p in _listed("clip_grads_with_norm_", parameters):
        if p.grad is not None:
            p.grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales the gradients of ``parameters`` in place so that their common norm is at most ``max_norm``.

    g ← g · min(1, max_norm / (‖g‖ₚ + 10⁻⁶)), with the norm of all gradients together: their direction stays.

    Arguments:
        parameters: one Tensor or several; those without a gradient are left out.
        max_norm: the largest norm allowed.
        norm_type: p of the norm, ``float("inf")`` for the largest entry.
        error_if_nonfinite: refuse a norm that is NaN or infinite, instead of spreading it.
        foreach: has no effect; there is one way to compute it.

    Returns the norm before clipping, a Tensor without dimensions.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is True.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.

    >>> w = autograd.zeros(2, requires_grad=True)
    >>> w.grad = autograd.tensor([6.0, 8.0])
    >>> clip_grad_norm_(w, max_norm=5.0)
    tensor(10.)
    >>> w.grad
    tensor([3.0000, 4.0000])
    """
    found = _listed("clip_grad_norm_", parameters)
    total = get_total_norm([p.grad for p in found if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Brings every entry of the gradients of ``parameters`` into [−clip_value, clip_value], in place.

    Arguments:
        parameters: one Tensor or several; those without a gradient are left out.
        clip_value: the largest absolute value allowed.
        foreach: has no effect; there is one way to compute it.

    >>> w = autograd.zeros(2, requires_grad=True)
    >>> w.grad = autograd.tensor([6.0, -0.5])
    >>> clip_grad_value_(w, 1.0); w.grad
    tensor([ 1.0000, -0.5000])
    """
    bound = float(clip_value)
    for p in _listed("clip_grad_value_", parameters):
        if p.grad is None:
            continue
        if isinstance(p.grad, SparseGradient):
            p.grad = p.grad.coalesce()  # rows named twice are added before they are compared
        _entries(p.grad).clamp_(-bound, bound)
