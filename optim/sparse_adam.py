"""SparseAdam: Adam on the rows that a sparse gradient names."""

from __future__ import annotations

from typing import Any

from autograd import GraphError

from .optimizer import Optimizer, Params

__all__ = ["SparseAdam", "sparse_adam"]


def sparse_adam(
    xp: Any,
    p: Any,
    g: Any,
    state: dict[str, Any],
    step: Any,
    *,
    lr: Any,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of SparseAdam: the new p and state. In NumPy they are updated in place, in ``jax.numpy`` new.

    Arguments:
        xp: the array namespace.
        p, g: parameter and gradient, arrays of one shape.
        state: ``exp_avg`` and ``exp_avg_sq`` of that shape (zeros at first).
        step: which step this is, 1 for the first.
        lr, betas, eps, maximize: as those of ``SparseAdam``.

    >>> import numpy as np
    >>> zeros = {"exp_avg": np.zeros((1, 2)), "exp_avg_sq": np.zeros((1, 2))}
    >>> p, state = sparse_adam(np, np.ones((1, 2)), np.full((1, 2), 3.0), zeros, 1, lr=0.25)
    >>> p.round(6)
    array([[0.75, 0.75]])
    """
    m, v = state["exp_avg"], state["exp_avg_sq"]
    beta1, beta2 = betas
    if maximize:
        g = -g
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    update = m / (xp.sqrt(v) + eps)
    update *= lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    p -= update
    return p, {"exp_avg": m, "exp_avg_sq": v}


class SparseAdam(Optimizer):
    """p ← p − lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε) in the rows of the gradient; other rows rest.

    m and v are Adam's, of those steps in which the row had a gradient; t counts the steps of the whole table. For
    ``nn.Embedding(..., sparse=True)``, whose table may be far larger than what one batch looks up.

    Source: Kingma and Ba 2015, Adam: a method for stochastic optimization, in PyTorch's form for sparse gradients.

    Arguments:
        params: parameters or parameter groups.
        lr: the learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: ε, which here is not scaled with the correction of v.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative lr or eps, or a beta outside [0, 1). GraphError: a gradient that is not sparse.

    >>> import autograd
    >>> table = autograd.ones(4, 2, requires_grad=True)
    >>> optimizer = SparseAdam([table], lr=0.25)
    >>> autograd.embedding(autograd.tensor([2]), table, sparse=True).sum().backward()
    >>> optimizer.step(); table.detach()[1:3]
    tensor([[1.0000, 1.0000],
            [0.7500, 0.7500]])
    """

    rule = staticmethod(sparse_adam)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "eps")
        self._wants_betas(group)

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def takes_sparse(self, group: dict[str, Any]) -> bool:
        return True

    def _update(self) -> None:
        for g, group in enumerate(self.param_groups):
            for i, p in enumerate(group["params"]):
                if p.grad is not None and not p.grad.is_sparse:
                    raise GraphError(
                        f"SparseAdam: {self.where(g, i)} has a dense gradient; use optim.Adam for it, or an embedding "
                        "with sparse=True"
                    )
        super()._update()
