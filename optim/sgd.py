"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd

from .optimizer import Optimizer, Params, decayed

__all__ = ["SGD", "plain_mean", "sgd"]

Rate = float | Callable[[float], float]


def plain_mean(step: float) -> float:
    """γₜ = (t − 1) / t, with which the running average γₜ A + (1 − γₜ) a is the plain mean of all a so far.

    Source: MIT's 6.036 notes, running averages.

    >>> average = 0.0
    >>> for t, a in enumerate([3.0, 5.0, 10.0], 1):
    ...     average = plain_mean(t) * average + (1 - plain_mean(t)) * a
    >>> round(average, 12)
    6.0
    """
    return (step - 1) / step


def at(rate: Rate, step: float) -> float:
    """A rate at this step, where it may be a function of the step."""
    return rate(step) if callable(rate) else rate


def sgd(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    momentum: Rate = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool | str = False,
    maximize: bool = False,
    form: str = "pytorch",
) -> tuple[Any, dict[str, Any]]:
    """One step of SGD: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``momentum_buffer`` of that shape (zeros at first), where there is momentum.
        step: which step this is, 1 for the first.
        lr, momentum, and the rest: as those of ``SGD``.

    >>> import numpy as np
    >>> sgd(np, np.array([1.0]), np.array([2.0]), {}, 1, lr=0.25)
    (array([0.5]), {})
    """
    g = decayed(p, g, weight_decay, maximize)
    if not momentum:
        p -= lr * g
        return p, state
    momentum = at(momentum, step)
    buffer = state["momentum_buffer"]
    buffer *= momentum
    if form == "velocity":
        buffer += lr * g
        p -= buffer
        return p, {"momentum_buffer": buffer}
    if form == "average":
        buffer += (1 - momentum) * g
    else:
        # PyTorch does not dampen the first gradient.
        buffer += (1 - dampening * (step > 1)) * g if dampening else g
    p -= lr * (g + momentum * buffer if nesterov else buffer)
    return p, {"momentum_buffer": buffer}


class SGD(Optimizer):
    """p ← p − lr · b, where b ← momentum · b + (1 − dampening) · g; the first b is g.

    With ``nesterov`` the step is along g + momentum · b.

    Source: Sutskever et al. 2013, On the importance of initialization and momentum in deep learning, in PyTorch's form:
    lr multiplies the buffer and not the gradient that goes into it.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        momentum: how much of the buffer stays. With a form other than PyTorch's it may be a function of the step,
            which is 1 for the first; ``optim.plain_mean`` is one.
        dampening: how much of the gradient does not go into it.
        weight_decay: λ, which adds λ p to the gradient.
        nesterov: look ahead by one more momentum step; wants momentum and no dampening. ``"look_ahead"``, with the
            velocity form, takes the gradient at p − momentum · b itself, for which ``step`` wants a closure: the form
            of the lectures on Nesterov's accelerated gradient (CS7015, and the M2DS lectures on deep learning).
        maximize: go up instead of down.
        foreach, fused: taken for PyTorch's sake; parameters are always updated together.
        differentiable: refused where True.
        form: ``"pytorch"``; ``"velocity"``: b ← momentum · b + lr · g and p ← p − b, which differs where lr changes,
            the form of the lectures (CS224N, 6.036, CS7015, M2DS); or ``"average"``: b ← momentum · b +
            (1 − momentum) · g from b = 0 and p ← p − lr · b, a running average of gradients, of 6.036's notes.

    Raises:
        ValueError: a negative lr, momentum or weight_decay; nesterov without momentum or with dampening, or with
            a form that has none. GraphError: a sparse gradient together with weight_decay.

    >>> import autograd
    >>> w = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([0.5000, 1.0000], requires_grad=True)
    """

    rule = staticmethod(sgd)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: Rate = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool | str = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        form: str = "pytorch",
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused, "form": form,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "weight_decay")
        momentum, dampening, nesterov, form = (group[k] for k in ("momentum", "dampening", "nesterov", "form"))
        if form not in ("pytorch", "velocity", "average"):
            raise ValueError(f"SGD: form must be 'pytorch', 'velocity' or 'average', got {form!r}")
        if callable(momentum):
            if form == "pytorch":
                raise ValueError("SGD: momentum may be a function of the step with form='velocity' or 'average' alone")
        else:
            self._wants(group, "momentum")
        if form != "pytorch" and dampening:
            raise ValueError(f"SGD: form={form!r} has no dampening, got {dampening}")
        if nesterov not in (False, True, "look_ahead"):
            raise ValueError(f"SGD: nesterov must be True, False or 'look_ahead', got {nesterov!r}")
        if nesterov and (dampening != 0 or not (callable(momentum) or momentum > 0)):
            raise ValueError(
                "SGD: nesterov wants a momentum above 0 and no dampening, "
                f"got momentum={momentum} and dampening={dampening}"
            )
        if (nesterov and (nesterov == "look_ahead") != (form == "velocity")) or (nesterov and form == "average"):
            raise ValueError(
                "SGD: nesterov=True goes with form='pytorch', nesterov='look_ahead' with form='velocity'; "
                f"got nesterov={nesterov!r} and form={form!r}"
            )

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("step",) if callable(group["momentum"]) else ()

    def takes_sparse(self, group: dict[str, Any]) -> bool:
        self._refuse_decay_of_rows(group)
        return self.leaves_zeros_alone(group)

    def leaves_zeros_alone(self, group: dict[str, Any]) -> bool:
        # Momentum moves the rows of earlier steps too.
        return not group["momentum"] and not group["weight_decay"]

    def _loss(self, closure: Callable[[], Any] | None) -> Any:
        ahead = [group for group in self.param_groups if group["nesterov"] == "look_ahead"]
        if not ahead:
            return super()._loss(closure)
        if closure is None:
            raise TypeError(
                "SGD.step: nesterov='look_ahead' takes the gradient at a point ahead, so it wants a closure that "
                "calls zero_grad(), computes the loss, calls backward() and returns the loss"
            )
        here: list[tuple[Any, Any]] = []
        try:
            with autograd.no_grad():
                for group in ahead:
                    for p in group["params"]:
                        entry = self.state.get(p, {})
                        buffer = entry.get("momentum_buffer")
                        if buffer is not None:
                            here.append((p, p.detach().clone()))
                            p -= at(group["momentum"], float(entry.get("step", 0)) + 1) * buffer
            return super()._loss(closure)
        finally:
            with autograd.no_grad():
                for p, value in reversed(here):  # of Tensors that share memory the first one's is the oldest
                    p.copy_(value)
