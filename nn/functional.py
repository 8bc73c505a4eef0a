"""Layers and losses as functions, under the names of PyTorch's ``torch.nn.functional``."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import (
    DTypeError,
    GraphError,
    ShapeError,
    Tensor,
    cross_entropy,
    embedding,
    linear,
    log_softmax,
    sigmoid,
    softmax,
    tanh,
)
from autograd.errors import describe

__all__ = [
    "cross_entropy", "embedding", "linear", "log_softmax", "mse_loss", "nll_loss", "relu", "sigmoid", "softmax", "tanh",
]  # fmt: skip


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), entry by entry.

    Arguments:
        input: any shape.
        inplace: put the result into the input's memory.

    >>> relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu_() if inplace else autograd.relu(input)


def check_reduction(name: str, reduction: str) -> None:
    """Raises the ValueError of a reduction that there is not."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _check_tensors(name: str, input: Any, target: Any) -> None:
    for role, value in (("input", input), ("target", target)):
        if not isinstance(value, Tensor):
            raise DTypeError(f"{name}: {role} must be a Tensor, got {describe(value)}; make one with autograd.tensor")


def _check_same_shape(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape == target.shape:
        return
    fix = "bring them to one shape first"
    if input.shape == (*target.shape, 1):
        fix = "add the missing dimension, target.unsqueeze(-1), or take it from the input, input.squeeze(-1)"
    elif target.shape == (*input.shape, 1):
        fix = "take away the last dimension, target.squeeze(-1), or add it to the input, input.unsqueeze(-1)"
    raise ShapeError(
        f"{name}: input of shape {input.shape} and target of shape {target.shape} would be broadcast against each "
        f"other, and every prediction compared with targets that are not its own; {fix}"
    )


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Mean over all entries of (input − target)².

    Arguments:
        input, target: Tensors of one shape; unlike PyTorch's they are never broadcast.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: the shapes differ, (N, 1) against (N,) say.

    >>> mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction)
    _check_tensors("mse_loss", input, target)
    _check_same_shape("mse_loss", input, target)
    return _reduced((input - target).square(), reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """−w_t · input_t for the class t of each row; their mean is Σ −w_t input_t / Σ w_t.

    Arguments:
        input: log-probabilities, (C,), (N, C) or (N, C, d₁, …).
        target: int64 classes in [0, C), of input's shape without C.
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError, DTypeError: input and target do not fit each other. IndexError: a class is out of range.

    >>> nll_loss(autograd.tensor([[-0.5, -1.0], [-2.0, -0.1]]), autograd.tensor([0, 1]))
    tensor(0.3000)
    """
    check_reduction("nll_loss", reduction)
    _check_tensors("nll_loss", input, target)
    if target.dtype.kind not in "iu":
        raise DTypeError(
            f"nll_loss: target must hold integer classes, got {describe(target)}; convert it: target.long()"
        )
    if input.ndim == 0:
        raise ShapeError("nll_loss: input must have a dimension of classes, got a 0-d Tensor")
    classes = 0 if input.ndim == 1 else 1
    n = input.shape[classes]
    wanted = (*input.shape[:classes], *input.shape[classes + 1 :])
    if target.shape != wanted:
        raise ShapeError(
            f"nll_loss: for input of shape {input.shape} target must have shape {wanted}, got {target.shape}"
        )
    if weight is not None and weight.shape != (n,):
        raise ShapeError(f"nll_loss: weight must have shape {(n,)}, one for each class, got {weight.shape}")
    _check_classes(target, n, ignore_index)
    counted = target != ignore_index
    safe = target.masked_fill(~counted, 0).reshape(-1)  # (rows,)
    rows = input.movedim(classes, -1).reshape(-1, n)  # (rows, C)
    row_weight = counted.reshape(-1).to(input.dtype)  # (rows,)
    if weight is not None:
        row_weight = weight[safe] * row_weight
    losses = -rows[np.arange(rows.shape[0]), safe] * row_weight
    if reduction == "none":
        return losses.reshape(wanted)
    return losses.sum() if reduction == "sum" else losses.sum() / row_weight.sum()


def _check_classes(target: Tensor, n: int, ignore_index: int) -> None:
    try:
        given = target.numpy()
    except GraphError:  # inside a compiled function, where there are no values to look at
        return
    bad = given[(given != ignore_index) & ((given < 0) | (given >= n))]
    if bad.size:
        raise IndexError(
            f"nll_loss: target has class {bad.flat[0]}, and input {n} classes; targets go from 0 to {n - 1}"
            + (f" (rows to leave out carry ignore_index={ignore_index})" if bad.flat[0] < 0 else "")
        )
