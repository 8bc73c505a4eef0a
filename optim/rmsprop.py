"""RMSprop: steps scaled by the root of a running mean of squared gradients."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed
from .sgd import Rate, at

__all__ = ["RMSprop", "rmsprop"]


def rmsprop(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    alpha: Rate = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
    eps_inside_root: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of RMSprop: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``square_avg``, with centered ``grad_avg`` and with momentum ``momentum_buffer``, of that shape
            (zeros at first).
        step: which step this is, 1 for the first.
        lr, alpha, and the rest: as those of ``RMSprop``.

    >>> import numpy as np
    >>> rmsprop(np, np.array([1.0]), np.array([4.0]), {"square_avg": np.zeros(1)}, 1, lr=0.25, alpha=0.75, eps=0.0)
    (array([0.5]), {'square_avg': array([4.])})
    """
    alpha = at(alpha, step)
    g = decayed(p, g, weight_decay, maximize)
    v = state["square_avg"]
    v *= alpha
    v += (1 - alpha) * g * g
    new, spread = {"square_avg": v}, v
    if centered:
        mean = state["grad_avg"]
        mean += (1 - alpha) * (g - mean)
        new["grad_avg"] = mean
        spread = v - mean * mean
    if eps_inside_root:
        scale = xp.sqrt(spread + eps)
    else:
        scale = xp.sqrt(spread)
        scale += eps
    update = g / scale
    if momentum:
        buffer = state["momentum_buffer"]
        buffer *= momentum
        buffer += update
        new["momentum_buffer"] = update = buffer
    p -= lr * update
    return p, new


class RMSprop(Optimizer):
    """p ← p − lr · g / (√v + ε), with v ← α v + (1 − α) g².

    With ``centered``, v is less the square of a running mean of g; with momentum, b ← momentum · b + g / (√v + ε) and
    p ← p − lr · b.

    Source: Hinton 2012, lecture 6 of Neural networks for machine learning; centered: Graves 2013, Generating sequences
    with recurrent neural networks.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        alpha: α, or a function of the step that gives it, 1 being the first: the changing rate of running averages in
            MIT's 6.036 notes.
        eps: ε.
        weight_decay: λ, which adds λ p to the gradient.
        momentum: how much of the buffer stays.
        centered: divide by the running standard deviation.
        maximize: go up instead of down.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.
        eps_inside_root: divide by √(v + ε), the form of the lectures of CS7015, and of 6.036 under the name adadelta.

    Raises:
        ValueError: a negative number among these.

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.25, alpha=0.75)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    rule = staticmethod(rmsprop)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: Rate = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        eps_inside_root: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "eps_inside_root": eps_inside_root,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "momentum", "weight_decay", *(() if callable(group["alpha"]) else ("alpha",)))

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        names = ("square_avg", "momentum_buffer" if group["momentum"] else "", "grad_avg" if group["centered"] else "")
        return tuple(filter(None, names))
