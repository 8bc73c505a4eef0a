"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["NAdam", "nadam"]


def nadam(
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
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of NAdam: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg`` and ``exp_avg_sq`` of that shape (zeros at first), and the number ``mu_product`` (1 first).
        step: which step this is, 1 for the first.
        lr, betas, and the rest: as those of ``NAdam``.

    >>> import numpy as np
    >>> start = {"exp_avg": np.zeros(1), "exp_avg_sq": np.zeros(1), "mu_product": 1.0}
    >>> p, state = nadam(np, np.array([1.0]), np.array([3.0]), start, 1, lr=0.25)
    >>> p.round(4), round(state["mu_product"], 4)
    (array([0.7359]), 0.4501)
    """
    m, v = state["exp_avg"], state["exp_avg_sq"]
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = decayed(p, g, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    product = state["mu_product"] * mu
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    scale = xp.sqrt(v)
    scale /= (1 - beta2**step) ** 0.5
    scale += eps
    update = g * (lr * (1 - mu) / (1 - product))
    update += m * (lr * mu_next / (1 - product * mu_next))
    update /= scale
    p -= update
    return p, {"exp_avg": m, "exp_avg_sq": v, "mu_product": product}


class NAdam(Optimizer):
    """p ← p − lr · m̄ / (√v̂ + ε), where m̄ looks one momentum step ahead.

    m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g²; v̂ = v / (1 − β₂ᵗ);
    μₜ = β₁ (1 − ½ 0.96^(t ψ)); m̄ = μₜ₊₁ m / (1 − μ₁ ⋯ μₜ₊₁) + (1 − μₜ) g / (1 − μ₁ ⋯ μₜ).

    Source: Dozat 2016, Incorporating Nesterov momentum into Adam.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε.
        weight_decay: λ, which adds λ p to the gradient.
        momentum_decay: ψ.
        decoupled_weight_decay: p ← (1 − lr λ) p instead of λ p in the gradient.
        maximize: go up instead of down.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.

    Raises:
        ValueError: a negative lr, eps, weight_decay or momentum_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = NAdam([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7359, -1.7359], requires_grad=True)
    """

    rule = staticmethod(nadam)

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "weight_decay", "momentum_decay")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "mu_product")

    def start(self, group: dict[str, Any], name: str) -> float:
        return 1.0 if name == "mu_product" else 0.0
