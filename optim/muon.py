"""Muon: momentum made orthogonal, for the matrices of hidden layers."""

from __future__ import annotations

from typing import Any

from autograd import ShapeError

from .optimizer import Params
from .whole import WholeTensorOptimizer

__all__ = ["Muon", "muon"]


def orthogonal(xp: Any, g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """About U Vᵀ for g = U S Vᵀ (n, m), by Newton and Schulz's iteration, which moves singular values near 1."""
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g
    x = x / xp.maximum(xp.sqrt(xp.sum(x * x)), eps).astype(x.dtype)
    for _ in range(steps):
        gram = x @ x.T  # (n, n), the smaller side
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


def muon(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> tuple[Any, dict[str, Any]]:
    """One step of Muon: the new p and state.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, (n, m).
        state: ``momentum_buffer`` (n, m), zeros at first.
        step: which step this is, 1 for the first.
        lr, weight_decay, and the rest: as those of ``Muon``.

    >>> import numpy as np
    >>> start = {"momentum_buffer": np.zeros((2, 2))}
    >>> p, state = muon(np, np.zeros((2, 2)), np.array([[0.0, 3.0], [3.0, 0.0]]), start, 1, lr=1.0)
    >>> p.round(2)
    array([[ 0.  , -1.11],
           [-1.11,  0.  ]])
    """
    buffer = state["momentum_buffer"]
    buffer += (1 - momentum) * (g - buffer)
    update = g + momentum * (buffer - g) if nesterov else buffer
    update = orthogonal(xp, update, ns_coefficients, ns_steps, eps)
    n, m = p.shape
    ratio = 0.2 * max(n, m) ** 0.5 if adjust_lr_fn == "match_rms_adamw" else max(1.0, n / m) ** 0.5
    p *= 1 - lr * weight_decay
    p -= lr * ratio * update
    return p, {"momentum_buffer": buffer}


class Muon(WholeTensorOptimizer):
    """p ← (1 − lr λ) p − lr · ratio · O, where O is nearly the orthogonal matrix U Vᵀ of the momentum U S Vᵀ.

    b ← momentum · b + (1 − momentum) g, and with ``nesterov`` the momentum is momentum · b + (1 − momentum) g. For the
    matrices of hidden layers; give biases, embeddings and the last layer to AdamW.

    Source: Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks; Liu et al. 2025, Muon is
    scalable for LLM training. PyTorch runs the iteration in bfloat16, here it runs in the parameter's dtype.

    Arguments:
        params: parameters or parameter groups, of two dimensions.
        lr: the learning rate.
        weight_decay: λ.
        momentum: how much of the buffer stays.
        nesterov: look ahead by one more momentum step.
        ns_coefficients: (a, b, c) of the iteration x ← a x + (b x xᵀ + c (x xᵀ)²) x.
        eps: the least norm to divide by.
        ns_steps: how often it is run.
        adjust_lr_fn: ``"original"`` or None: ratio = √max(1, n/m) for (n, m); ``"match_rms_adamw"``:
            0.2 √max(n, m), with which AdamW's rates can be kept.

    Raises:
        ValueError: a negative number among these, an unknown adjust_lr_fn, or 100 steps and more. ShapeError: a
            parameter that is not of two dimensions.

    >>> import autograd
    >>> w = autograd.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> optimizer = Muon([w], lr=0.1, weight_decay=0.0)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([[1.9311, 0.0000],
            [0.0000, 0.8886]], requires_grad=True)
    """

    rule = staticmethod(muon)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "weight_decay", "momentum", "eps")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: ns_coefficients must be three numbers, got {group['ns_coefficients']}")
        if not 0 <= group["ns_steps"] < 100:
            raise ValueError(f"Muon: ns_steps must be at least 0 and below 100, got {group['ns_steps']}")
        for i, p in enumerate(group["params"]):
            if p.ndim != 2:
                raise ShapeError(
                    f"Muon: parameter {i} must have two dimensions, got shape {p.shape}; give biases and other "
                    "parameters to optim.AdamW"
                )

    def state_shapes(self, shape: tuple[int, ...], group: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        return {"momentum_buffer": shape}

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ()
