"""Adadelta: steps as large as the last ones were, for their gradients."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed
from .sgd import Rate, at

__all__ = ["Adadelta", "adadelta"]


def adadelta(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    rho: Rate = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
    accumulate_updates: bool = True,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adadelta: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``square_avg`` and, with accumulate_updates, ``acc_delta`` of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, rho, and the rest: as those of ``Adadelta``.

    >>> import numpy as np
    >>> zeros = {"square_avg": np.zeros(1), "acc_delta": np.zeros(1)}
    >>> p, state = adadelta(np, np.array([1.0]), np.array([4.0]), zeros, 1, lr=1.0, rho=0.75, eps=1.0)
    >>> p.round(4), state["acc_delta"].round(4)
    (array([-0.7889]), array([0.8]))
    """
    rho = at(rho, step)
    g = decayed(p, g, weight_decay, maximize)
    v = state["square_avg"]
    v *= rho
    v += (1 - rho) * g * g
    scale = xp.sqrt(v + eps)
    if not accumulate_updates:
        p -= lr * g / scale
        return p, {"square_avg": v}
    u = state["acc_delta"]
    change = xp.sqrt(u + eps)
    change /= scale
    change *= g
    u *= rho
    u += (1 - rho) * change * change
    p -= lr * change
    return p, {"square_avg": v, "acc_delta": u}


class Adadelta(Optimizer):
    """p ← p − lr · Δ, with Δ = √(u + ε) / √(v + ε) · g, v ← ρ v + (1 − ρ) g² and then u ← ρ u + (1 − ρ) Δ².

    Source: Zeiler 2012, Adadelta: an adaptive learning rate method.

    Arguments:
        params: parameters or parameter groups.
        lr: what Δ is scaled by.
        rho: ρ in [0, 1], or a function of the step that gives it, 1 being the first: the changing rate of running
            averages in MIT's 6.036 notes.
        eps: ε.
        weight_decay: λ, which adds λ p to the gradient.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.
        maximize: go up instead of down.
        accumulate_updates: False leaves out u: p ← p − lr · g / √(v + ε), which 6.036's notes call adadelta.

    Raises:
        ValueError: a negative number among these, or a rho above 1.

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adadelta([w], eps=1.0)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([-0.6903,  0.4807], requires_grad=True)
    """

    rule = staticmethod(adadelta)

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: Rate = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        accumulate_updates: bool = True,
    ) -> None:
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
            "accumulate_updates": accumulate_updates,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "weight_decay")
        rho = group["rho"]
        if not callable(rho) and not 0 <= float(rho) <= 1:
            raise ValueError(f"Adadelta: rho must be between 0 and 1, got {rho}")

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta") if group["accumulate_updates"] else ("square_avg",)
