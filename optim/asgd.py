"""ASGD: gradient descent with a falling rate, which also keeps the mean of the points it passed."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["ASGD", "asgd"]


def asgd(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of ASGD: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``ax`` of that shape (zeros at first), and the numbers ``eta`` (lr at first) and ``mu`` (1 at first).
        step: which step this is, 1 for the first.
        lr, lambd, and the rest: as those of ``ASGD``.

    >>> import numpy as np
    >>> start = {"ax": np.zeros(1), "eta": 0.25, "mu": 1.0}
    >>> p, state = asgd(np, np.array([1.0]), np.array([2.0]), start, 1, lr=0.25, lambd=0.0)
    >>> p, state["ax"], state["eta"]
    (array([0.5]), array([0.5]), 0.25)
    """
    mean, eta, mu = state["ax"], state["eta"], state["mu"]
    g = decayed(p, g, weight_decay, maximize)
    p *= 1 - lambd * eta
    p -= eta * g
    mean += mu * (p - mean)
    after = step - t0
    new_mu = 1 / xp.maximum(after, 1.0)
    return p, {"ax": mean, "eta": lr / (1 + lambd * lr * step) ** alpha, "mu": new_mu}


class ASGD(Optimizer):
    """p ← (1 − lambd · η) p − η g, with η = lr / (1 + lambd · lr · t)^alpha after step t; ``ax`` is the mean of p.

    The mean starts at step t0; before that ``ax`` is p. ``optimizer.state[p]["ax"]`` holds it.

    Source: Polyak and Juditsky 1992, Acceleration of stochastic approximation by averaging.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        lambd: how much p decays, and how fast η falls.
        alpha: the power with which η falls.
        t0: the step from which p is averaged.
        weight_decay: λ, which adds λ p to the gradient.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative lr or weight_decay.

    >>> import autograd
    >>> w = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = ASGD([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([0.5000, 1.0000], requires_grad=True)
    """

    rule = staticmethod(asgd)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "weight_decay")

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "eta", "mu")

    def start(self, group: dict[str, Any], name: str) -> float:
        return {"ax": 0.0, "eta": float(group["lr"]), "mu": 1.0}[name]
