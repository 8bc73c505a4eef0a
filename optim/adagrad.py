"""Adagrad: steps scaled by the root of the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["Adagrad", "adagrad"]


def adagrad(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
    eps_inside_root: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adagrad: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``sum`` of that shape, at first filled with initial_accumulator_value.
        step: which step this is, 1 for the first.
        lr, lr_decay, and the rest: as those of ``Adagrad``.

    >>> import numpy as np
    >>> adagrad(np, np.array([1.0]), np.array([4.0]), {"sum": np.array([9.0])}, 1, lr=0.25)
    (array([0.8]), {'sum': array([25.])})
    """
    g = decayed(p, g, weight_decay, maximize)
    v = state["sum"]
    v += g * g
    scale = xp.sqrt(v + eps) if eps_inside_root else xp.sqrt(v)
    if not eps_inside_root:
        scale += eps
    update = g / scale
    update *= lr / (1 + (step - 1) * lr_decay)
    p -= update
    return p, {"sum": v}


class Adagrad(Optimizer):
    """p ← p − η g / (√v + ε), with v ← v + g² and η = lr / (1 + (t − 1) · lr_decay) at step t.

    Sparse gradients change the rows that they name and no others.

    Source: Duchi et al. 2011, Adaptive subgradient methods for online learning and stochastic optimization.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        lr_decay: how fast η falls.
        weight_decay: λ, which adds λ p to the gradient.
        initial_accumulator_value: v at first.
        eps: ε.
        maximize: go up instead of down.
        foreach, fused: taken for PyTorch's sake; parameters are always updated together.
        differentiable: refused where True.
        eps_inside_root: divide by √(v + ε), the form of the lectures (CS224N's notes, CS7015).

    Raises:
        ValueError: a negative number among these. GraphError: a sparse gradient together with weight_decay.

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    rule = staticmethod(adagrad)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        eps_inside_root: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused, "eps_inside_root": eps_inside_root,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def start(self, group: dict[str, Any], name: str) -> float:
        return float(group["initial_accumulator_value"])

    def takes_sparse(self, group: dict[str, Any]) -> bool:
        self._refuse_decay_of_rows(group)
        return True

    def leaves_zeros_alone(self, group: dict[str, Any]) -> bool:
        return not group["weight_decay"] and group["eps"] > 0
