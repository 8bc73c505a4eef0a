"""Lion: steps of one size, in the direction of the sign of a running mean."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params

__all__ = ["Lion", "lion"]


def lion(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Lion: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg`` of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, betas, weight_decay, maximize: as those of ``Lion``.

    >>> import numpy as np
    >>> p, state = lion(np, np.array([1.0]), np.array([3.0]), {"exp_avg": np.zeros(1)}, 1, lr=0.25)
    >>> p, state["exp_avg"].round(6)
    (array([0.75]), array([0.03]))
    """
    m = state["exp_avg"]
    beta1, beta2 = betas
    if maximize:
        g = -g
    p *= 1 - lr * weight_decay
    mix = beta1 * m
    mix += (1 - beta1) * g
    p -= lr * xp.sign(mix)
    m *= beta2
    m += (1 - beta2) * g
    return p, {"exp_avg": m}


class Lion(Optimizer):
    """p ← (1 − lr λ) p − lr · sign(β₁ m + (1 − β₁) g), and then m ← β₂ m + (1 − β₂) g.

    Source: Chen et al. 2023, Symbolic discovery of optimization algorithms.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate, the size of each step; three to ten times smaller than Adam's.
        betas: (β₁, β₂), each in [0, 1).
        weight_decay: λ; three to ten times larger than AdamW's.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative lr or weight_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Lion([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    rule = staticmethod(lion)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "weight_decay")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg",)

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ()
