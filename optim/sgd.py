"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params

__all__ = ["SGD", "sgd"]


def sgd(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of SGD: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``momentum_buffer`` of that shape (zeros at first), where there is momentum.
        step: which step this is, 1 for the first.
        lr, momentum, dampening, weight_decay, nesterov, maximize: as those of ``SGD``.

    >>> import numpy as np
    >>> sgd(np, np.array([1.0]), np.array([2.0]), {}, 1, lr=0.25)
    (array([0.5]), {})
    """
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    if momentum:
        buffer = state["momentum_buffer"]
        buffer *= momentum
        # PyTorch does not dampen the first gradient.
        buffer += (1 - dampening * (step > 1)) * g if dampening else g
        state = {"momentum_buffer": buffer}
        g = g + momentum * buffer if nesterov else buffer
    p -= lr * g
    return p, state


class SGD(Optimizer):
    """p ← p − lr · b, where b ← momentum · b + (1 − dampening) · g; the first b is g.

    With ``nesterov`` the step is along g + momentum · b.

    Source: Sutskever et al. 2013, On the importance of initialization and momentum in deep learning, in PyTorch's form:
    lr multiplies the buffer and not the gradient that goes into it.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        momentum: how much of the buffer stays.
        dampening: how much of the gradient does not go into it.
        weight_decay: λ, which adds λ p to the gradient.
        nesterov: look ahead by one more momentum step; wants momentum and no dampening.
        maximize: go up instead of down.
        foreach, fused: taken for PyTorch's sake; parameters are always updated together.

    Raises:
        ValueError: a negative lr, momentum or weight_decay; nesterov without momentum or with dampening.

    >>> import autograd
    >>> w = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([0.5000, 1.0000], requires_grad=True)
    """

    rule = staticmethod(sgd)
    counts_steps = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        self._wants(group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                "SGD: nesterov wants a momentum above 0 and no dampening, "
                f"got momentum={group['momentum']} and dampening={group['dampening']}"
            )

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def hyper(self, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "lr": float(group["lr"]), "momentum": float(group["momentum"]), "dampening": float(group["dampening"]),
            "weight_decay": float(group["weight_decay"]), "nesterov": group["nesterov"], "maximize": group["maximize"],
        }  # fmt: skip
