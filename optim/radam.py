"""RAdam: Adam that waits until its second moment can be trusted."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["RAdam", "radam"]


def radam(
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
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of RAdam: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg`` and ``exp_avg_sq`` of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, betas, and the rest: as those of ``RAdam``.

    >>> import numpy as np
    >>> zeros = {"exp_avg": np.zeros(1), "exp_avg_sq": np.zeros(1)}
    >>> p, state = radam(np, np.array([1.0]), np.array([3.0]), zeros, 1, lr=0.25)
    >>> p.round(6)
    array([0.25])
    """
    m, v = state["exp_avg"], state["exp_avg_sq"]
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = decayed(p, g, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    correction2 = 1 - beta2**step
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / correction2
    trusted = length > 5
    # 6 where it is not used keeps the root real.
    safe = xp.where(trusted, length, 6.0) * 1.0
    rectified = ((safe - 4) * (safe - 2) * longest / ((longest - 4) * (longest - 2) * safe)) ** 0.5
    scale = xp.sqrt(v)
    scale += eps
    scale /= xp.where(trusted, rectified * correction2**0.5, 1.0).astype(scale.dtype)
    update = m * (lr / (1 - beta1**step))
    update /= xp.where(trusted, scale, xp.ones_like(scale))
    p -= update
    return p, {"exp_avg": m, "exp_avg_sq": v}


class RAdam(Optimizer):
    """Adam's step times rₜ once ρₜ > 5, and before that p ← p − lr m̂ without the division by √v̂.

    ρ∞ = 2 / (1 − β₂) − 1, ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ) is how many gradients v averages, and
    rₜ = √((ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ)) rectifies the variance of the division; ε is added to √v.

    Source: Liu et al. 2020, On the variance of the adaptive learning rate and beyond.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε.
        weight_decay: λ, which adds λ p to the gradient.
        decoupled_weight_decay: p ← (1 − lr λ) p instead of λ p in the gradient.
        maximize: go up instead of down.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.

    Raises:
        ValueError: a negative lr, eps or weight_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RAdam([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    rule = staticmethod(radam)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "weight_decay")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")
