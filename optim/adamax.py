"""Adamax: Adam with the largest gradient in place of the root of the mean square."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["Adamax", "adamax"]


def adamax(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adamax: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg`` and ``exp_inf`` of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, betas, eps, weight_decay, maximize: as those of ``Adamax``.

    >>> import numpy as np
    >>> zeros = {"exp_avg": np.zeros(1), "exp_inf": np.zeros(1)}
    >>> p, state = adamax(np, np.array([1.0]), np.array([3.0]), zeros, 1, lr=0.25)
    >>> p.round(6)
    array([0.75])
    """
    m, u = state["exp_avg"], state["exp_inf"]
    beta1, beta2 = betas
    g = decayed(p, g, weight_decay, maximize)
    m *= beta1
    m += (1 - beta1) * g
    size = xp.abs(g)
    size += eps
    u *= beta2
    # max(u, size), written so that it lands in the state's own memory.
    size -= u
    u += xp.maximum(size, 0)
    update = m / u
    update *= lr / (1 - beta1**step)
    p -= update
    return p, {"exp_avg": m, "exp_inf": u}


class Adamax(Optimizer):
    """p ← p − lr / (1 − β₁ᵗ) · m / u, with u ← max(β₂ u, |g| + ε) and m ← β₁ m + (1 − β₁) g.

    Source: Kingma and Ba 2015, Adam: a method for stochastic optimization, section 7.1.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε.
        weight_decay: λ, which adds λ p to the gradient.
        maximize: go up instead of down.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.

    Raises:
        ValueError: a negative lr, eps or weight_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    rule = staticmethod(adamax)

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "weight_decay")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")
