"""Shampoo: each dimension of a tensor has a matrix that the gradient is divided by a root of."""

from __future__ import annotations

from typing import Any

from .optimizer import Params, decayed
from .whole import WholeTensorOptimizer

__all__ = ["Shampoo", "shampoo"]


def inverse_root(xp: Any, matrix: Any, power: float, eps: float) -> Any:
    """(matrix + ε I)^(−power) of a symmetric positive (n, n); of the diagonal alone where it is given as (n,)."""
    if matrix.ndim == 1:
        return (matrix + eps) ** -power
    values, vectors = xp.linalg.eigh(matrix)
    # Rounding can make the smallest eigenvalues negative.
    return (vectors * (xp.maximum(values, 0) + eps) ** -power) @ vectors.T


def shampoo(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    epsilon: float = 1e-4,
    update_freq: int = 1,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Shampoo: the new p and state.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: for each dimension i of n entries ``precond_i`` and ``inv_precond_i``, (n, n), or (n,) for the diagonal
            alone; with momentum ``momentum_buffer`` of the shape of p. Zeros at first.
        step: which step this is, 1 for the first; a Python number where update_freq is above 1.
        lr, momentum, and the rest: as those of ``Shampoo``.

    >>> import numpy as np
    >>> start = {"precond_0": np.zeros((2, 2)), "inv_precond_0": np.zeros((2, 2))}
    >>> p, state = shampoo(np, np.zeros(2), np.array([3.0, 4.0]), start, 1, lr=1.0, epsilon=1e-8)
    >>> p.round(6)
    array([-0.6, -0.8])
    """
    g = decayed(p, g, weight_decay, maximize)
    shape = g.shape
    update = tensor = g if g.ndim else g.reshape(1)
    new: dict[str, Any] = {}
    for i in range(tensor.ndim):
        total = state[f"precond_{i}"]
        rows = xp.swapaxes(tensor, 0, i).reshape(tensor.shape[i], -1)  # (n, the rest)
        total += rows @ rows.T if total.ndim == 2 else (rows * rows).sum(1)
        root = state[f"inv_precond_{i}"]
        if update_freq == 1 or (step - 1) % update_freq == 0:
            root = inverse_root(xp, total, 1 / (2 * tensor.ndim), epsilon)
        new[f"precond_{i}"], new[f"inv_precond_{i}"] = total, root
        rows = xp.swapaxes(update, 0, i)
        flat = rows.reshape(rows.shape[0], -1)
        flat = root @ flat if total.ndim == 2 else root[:, None] * flat
        update = xp.swapaxes(flat.reshape(rows.shape), 0, i)
    update = update.reshape(shape)
    if momentum:
        buffer = state["momentum_buffer"]
        buffer *= momentum
        buffer += update
        new["momentum_buffer"] = update = buffer
    p -= lr * update
    return p, new


class Shampoo(WholeTensorOptimizer):
    """p ← p − lr · G ×₁ H₁^(−1/2k) ⋯ ×ₖ Hₖ^(−1/2k) for a tensor of k dimensions, with Hᵢ = ε I + Σ G₍ᵢ₎ G₍ᵢ₎ᵀ.

    G₍ᵢ₎ is the gradient as a matrix whose rows go along dimension i, ×ᵢ multiplies along that dimension. For a matrix
    this is L^(−1/4) G R^(−1/4), for a vector (ε I + Σ g gᵀ)^(−1/2) g, which is Adagrad with the full matrix.

    Source: Gupta, Koren and Singer 2018, Shampoo: preconditioned stochastic tensor optimization.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        momentum: how much stays of the buffer that the preconditioned gradient is added into.
        weight_decay: λ, which adds λ p to the gradient.
        epsilon: ε.
        update_freq: the roots are computed anew at every so many steps, the first included.
        maximize: go up instead of down.
        max_size: a dimension larger than this keeps the diagonal of Hᵢ alone, as the paper has it for large ones.

    Raises:
        ValueError: a negative lr, momentum, weight_decay or epsilon, or an update_freq or max_size below 1.
        FloatingPointError: a gradient with NaN or infinity; ``nonfinite = "skip"`` passes over such steps.

    >>> import autograd
    >>> w = autograd.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> optimizer = Shampoo([w], lr=0.5, epsilon=0.0)
    >>> (w * w).sum().backward(); optimizer.step(); w
    tensor([[1.5000, 0.0000],
            [0.0000, 0.5000]], requires_grad=True)
    """

    rule = staticmethod(shampoo)
    nonfinite = "raise"  # NaN has no roots, and would stay in the sums

    def __init__(
        self,
        params: Params,
        lr: float = 1e-1,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        epsilon: float = 1e-4,
        update_freq: int = 1,
        *,
        maximize: bool = False,
        max_size: int = 8192,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "weight_decay": weight_decay, "epsilon": epsilon,
            "update_freq": update_freq, "maximize": maximize, "max_size": max_size,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "momentum", "weight_decay", "epsilon")
        for name in ("update_freq", "max_size"):
            if not isinstance(group[name], int) or group[name] < 1:
                raise ValueError(f"Shampoo: {name} must be a whole number above 0, got {group[name]}")

    def state_shapes(self, shape: tuple[int, ...], group: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        shapes = {"momentum_buffer": shape} if group["momentum"] else {}
        for i, n in enumerate(shape or (1,)):
            shapes[f"precond_{i}"] = shapes[f"inv_precond_{i}"] = (n, n) if n <= group["max_size"] else (n,)
        return shapes
