"""Adam and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, decayed

__all__ = ["Adam", "AdamW", "adam"]


def adam(
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
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
    bias_correction: bool = True,
    eps_inside_root: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adam: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg``, ``exp_avg_sq`` and with amsgrad ``max_exp_avg_sq``, of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, betas, and the rest: as those of ``Adam``.

    >>> import numpy as np
    >>> zeros = {"exp_avg": np.zeros(1), "exp_avg_sq": np.zeros(1)}
    >>> p, state = adam(np, np.array([1.0]), np.array([3.0]), zeros, 1, lr=0.25)
    >>> p.round(6), state["exp_avg"].round(6)
    (array([0.75]), array([0.3]))
    """
    m, v = state["exp_avg"], state["exp_avg_sq"]
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = decayed(p, g, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    change = g - m
    change *= 1 - beta1
    m += change
    square = g * g
    square *= 1 - beta2
    v *= beta2
    v += square
    new = {"exp_avg": m, "exp_avg_sq": v}
    if amsgrad:
        # max(top, v), written so that it lands in the state's own memory.
        top = state["max_exp_avg_sq"]
        larger = v > top
        top *= ~larger
        top += xp.where(larger, v, 0)
        v = new["max_exp_avg_sq"] = top
    correction1, correction2 = (1 - beta1**step, 1 - beta2**step) if bias_correction else (1, 1)
    # √(v / c) + ε = (√v + ε √c) / √c, which saves going over the array once more.
    if eps_inside_root:
        scale = xp.sqrt(v + eps * correction2)
    else:
        scale = xp.sqrt(v)
        scale += eps * correction2**0.5
    update = m / scale
    update *= lr * correction2**0.5 / correction1
    p -= update
    return p, new


class Adam(Optimizer):
    """p ← p − lr · m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t.

    m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g² are running means, which the division corrects for starting at 0.

    Source: Kingma and Ba 2015, Adam: a method for stochastic optimization; amsgrad: Reddi et al. 2018; decoupled decay:
    Loshchilov and Hutter 2019.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate, about how far one step goes.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε, which bounds the step where gradients vanish.
        weight_decay: λ, which adds λ p to the gradient.
        amsgrad: divide by the largest v so far.
        maximize: go up instead of down.
        foreach, fused: taken for PyTorch's sake; parameters are always updated together.
        capturable, differentiable: refused where True.
        decoupled_weight_decay: p ← (1 − lr λ) p instead of λ p in the gradient, as in AdamW.
        bias_correction: False leaves m and v as they are: the form of Stanford's CS224N notes.
        eps_inside_root: divide by √(v̂ + ε), the form of MIT's 6.036 notes.

    Raises:
        ValueError: a negative lr, eps or weight_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.25)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.7500, -1.7500], requires_grad=True)
    """

    rule = staticmethod(adam)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        bias_correction: bool = True,
        eps_inside_root: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay, "bias_correction": bias_correction,
            "eps_inside_root": eps_inside_root,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps", "weight_decay")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")


class AdamW(Adam):
    """Adam with p ← (1 − lr λ) p before each step, which leaves the decay out of the running means.

    Source: Loshchilov and Hutter 2019, Decoupled weight decay regularization.

    Arguments:
        params, lr, betas, eps, amsgrad, and the rest: as those of ``Adam``.
        weight_decay: λ.

    Raises:
        ValueError: a negative lr, eps or weight_decay, or a beta outside [0, 1).

    >>> import autograd
    >>> w = autograd.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.25, weight_decay=1.0)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([ 0.5000, -1.2500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        bias_correction: bool = True,
        eps_inside_root: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True, bias_correction=bias_correction,
            eps_inside_root=eps_inside_root,
        )  # fmt: skip
