"""Adafactor: Adam's scaling from row and column means of the squares alone."""

from __future__ import annotations

from typing import Any

from .optimizer import Params
from .whole import WholeTensorOptimizer

__all__ = ["Adafactor", "adafactor"]


def adafactor(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adafactor: the new p and state.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``row_var`` (…, n, 1) and ``col_var`` (…, 1, m) of a p (…, n, m), ``variance`` of the shape of other p;
            zeros at first.
        step: which step this is, 1 for the first.
        lr, beta2_decay, and the rest: as those of ``Adafactor``.

    >>> import numpy as np
    >>> p, state = adafactor(np, np.array([2.0]), np.array([3.0]), {"variance": np.zeros(1)}, 1, lr=0.25)
    >>> p, state["variance"]
    (array([1.5]), array([9.]))
    """
    if maximize:
        g = -g
    eps1 = float(xp.finfo(p.dtype).eps) if eps[0] is None else eps[0]
    new_part = step**beta2_decay
    size = xp.maximum(eps[1], xp.sqrt(xp.mean(p * p))) * xp.minimum(lr, step**-0.5)
    p *= 1 - lr * weight_decay
    square = g * g
    if g.ndim > 1:
        row, column = state["row_var"], state["col_var"]
        row += new_part * (square.mean(-1, keepdims=True) - row)
        column += new_part * (square.mean(-2, keepdims=True) - column)
        state = {"row_var": row, "col_var": column}
        # (…, n, 1) · (…, 1, m)
        variance = row * column / xp.maximum(row.mean(-2, keepdims=True), eps1)
    else:
        variance = state["variance"]
        variance += new_part * (square - variance)
        state = {"variance": variance}
    update = g / xp.sqrt(xp.maximum(variance, eps1 * eps1))
    update *= size / xp.maximum(1.0, xp.sqrt(xp.mean(update * update)) / d)
    p -= update
    return p, state


class Adafactor(WholeTensorOptimizer):
    """p ← p − α u / max(1, RMS(u) / d), with u = g / √v, α = max(ε₂, RMS(p)) · min(lr, 1/√t), and v of rank one.

    Of a matrix (the last two dimensions) only the row and column means of g² are kept, r and c, as running means with
    the rate 1 − t^beta2_decay; v = r cᵀ / mean(r). Of a vector v is such a mean of g² itself. This needs n + m numbers
    where Adam needs 2 n m.

    Source: Shazeer and Stern 2018, Adafactor: adaptive learning rates with sublinear memory cost, in PyTorch's form.

    Arguments:
        params: parameters or parameter groups.
        lr: the largest relative step.
        beta2_decay: the power with which the running means slow down.
        eps: (ε₁, ε₂): v is at least ε₁², the dtype's precision if None; ε₂ is the least scale of p.
        d: u is made smaller where its RMS is above d.
        weight_decay: λ: p ← (1 − lr λ) p first.
        foreach: taken for PyTorch's sake.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative number among these, beta2_decay above 0, or d below 1.

    >>> import autograd
    >>> w = autograd.tensor([2.0, -2.0], requires_grad=True)
    >>> optimizer = Adafactor([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 1.5000, -1.5000], requires_grad=True)
    """

    rule = staticmethod(adafactor)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "weight_decay")
        if not float(group["beta2_decay"]) <= 0:
            raise ValueError(f"Adafactor: beta2_decay must not be above 0, got {group['beta2_decay']}")
        eps1, eps2 = group["eps"]
        if (eps1 is not None and not eps1 >= 0) or not eps2 >= 0:
            raise ValueError(f"Adafactor: eps must not be negative, got {group['eps']}")
        if not group["d"] >= 1:
            raise ValueError(f"Adafactor: d must be at least 1, got {group['d']}")

    def state_shapes(self, shape: tuple[int, ...], group: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        if len(shape) < 2:
            return {"variance": shape}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
