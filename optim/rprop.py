"""Rprop: steps that grow while the gradient keeps its sign and shrink where it changes."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params

__all__ = ["Rprop", "rprop"]


def rprop(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Rprop: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``prev`` (zeros at first) and ``step_size`` (lr at first) of that shape.
        step: which step this is, 1 for the first.
        lr, etas, step_sizes, maximize: as those of ``Rprop``.

    >>> import numpy as np
    >>> start = {"prev": np.array([1.0]), "step_size": np.array([0.25])}
    >>> p, state = rprop(np, np.array([1.0]), np.array([4.0]), start, 2, lr=0.25)
    >>> p, state["step_size"]
    (array([0.7]), array([0.3]))
    """
    before, size = state["prev"], state["step_size"]
    if maximize:
        g = -g
    turn = xp.sign(before * g)
    shrink, grow = etas
    low, high = step_sizes
    size *= xp.where(turn > 0, grow, xp.where(turn < 0, shrink, 1.0)).astype(size.dtype)
    # To [low, high], written so that it lands in the state's own memory.
    size += xp.maximum(low - size, 0)
    size -= xp.maximum(size - high, 0)
    kept = xp.where(turn < 0, 0, g)
    p -= xp.sign(kept) * size
    before *= 0
    before += kept
    return p, {"prev": before, "step_size": size}


class Rprop(Optimizer):
    """p ← p − s · sign(g); s grows by η⁺ where g has the sign of the step before and shrinks by η⁻ where not.

    Where the sign changed, p stays this once. It is meant for whole batches.

    Source: Riedmiller and Braun 1993, A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm; without the step back (iRprop−): Igel and Hüsken 2000.

    Arguments:
        params: parameters or parameter groups.
        lr: s at first.
        etas: (η⁻, η⁺), with 0 < η⁻ < 1 < η⁺.
        step_sizes: the least and the largest s.
        maximize: go up instead of down.
        foreach: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.

    Raises:
        ValueError: a negative lr, or etas that are not on both sides of 1.

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    rule = staticmethod(rprop)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise ValueError(f"Rprop: etas must be (below 1, above 1) and above 0, got {group['etas']}")

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def start(self, group: dict[str, Any], name: str) -> float:
        return float(group["lr"]) if name == "step_size" else 0.0
