"""Losses of classes and of distances as functions, under the names of PyTorch's ``torch.nn.functional``."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

from .losses_functional import (
    check,
    check_reduction,
    check_tensors,
    check_weight_dtype,
    loss_function,
    mean_by_weight,
    reduced,
    values,
    weighted,
)

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


@loss_function
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
    check("nll_loss", reduction, input, target, same_shape=False)
    _check_integer("nll_loss", target)
    if input.ndim == 0:
        raise ShapeError("nll_loss: input must have a dimension of classes, got a 0-d Tensor")
    classes = 0 if input.ndim == 1 else 1
    n = input.shape[classes]
    wanted = (*input.shape[:classes], *input.shape[classes + 1 :])
    if target.shape != wanted:
        raise ShapeError(
            f"nll_loss: for input of shape {input.shape} target must have shape {wanted}, got {target.shape}"
        )
    _check_class_weight("nll_loss", input, weight, n)
    _check_classes("nll_loss", target, n, ignore_index)
    rows = input if input.ndim == 2 else input.movedim(classes, -1).reshape(-1, n)  # (rows, C)
    given = values(target)
    if weight is None and given is not None and not (given == ignore_index).any():
        losses = -rows[np.arange(rows.shape[0]), given.reshape(-1)]
        return reduced(losses.reshape(wanted) if input.ndim != 2 else losses, reduction)
    counted = target != ignore_index
    safe = target.masked_fill(~counted, 0).reshape(-1)  # (rows,)
    row_weight = counted.reshape(-1).to(input.dtype)  # (rows,)
    if weight is not None:
        row_weight = weight[safe] * row_weight
    # Where every row is left out the mean is 0 / 0, and no gradient may come of that.
    losses = (-rows[np.arange(rows.shape[0]), safe] * row_weight).masked_fill(~counted.reshape(-1), 0)
    if reduction == "none":
        return losses.reshape(wanted)
    return losses.sum() if reduction == "sum" else mean_by_weight(losses, row_weight)


def _check_class_weight(name: str, input: Tensor, weight: Tensor | None, n: int) -> None:
    """Raises the errors of weights that are not one for each of n classes, of the dtype of ``input``."""
    if weight is None:
        return
    check_tensors(name, weight=weight)
    if weight.shape != (n,):
        raise ShapeError(
            f"{name}: weight must have shape {(n,)}, one for each class of input {input.shape}, got {weight.shape}"
        )
    check_weight_dtype(name, input, weight, "input is")


def _check_integer(name: str, target: Tensor) -> None:
    if target.dtype.kind not in "iu":
        raise DTypeError(f"{name}: target must hold integer classes, got {describe(target)}; convert it: target.long()")


def _check_classes(name: str, target: Tensor, n: int, ignore_index: int | None) -> None:
    given = values(target)
    if given is None:
        return
    bad = given[(given != ignore_index) & ((given < 0) | (given >= n))]
    if bad.size:
        raise IndexError(
            f"{name}: target has class {bad.flat[0]}, and input {n} classes; targets go from 0 to {n - 1}"
            + (
                f" (rows to leave out carry ignore_index={ignore_index})"
                if bad.flat[0] < 0 and ignore_index is not None
                else ""
            )
        )


@loss_function
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """x where the target is 1, max(0, margin − x) where it is −1; x is a distance.

    >>> hinge_embedding_loss(autograd.tensor([0.5, 0.25]), autograd.tensor([1.0, -1.0]))
    tensor(0.6250)
    """
    check("hinge_embedding_loss", reduction, input, target)
    apart = autograd.where(target != 1, autograd.clamp(margin - input, min=0), 0.0)
    return reduced(apart + autograd.where(target != -1, input, 0.0), reduction)


@loss_function
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, margin − t (x₁ − x₂)): for t = 1 the first is to be larger, for t = −1 the second.

    >>> margin_ranking_loss(autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([1.0]))
    tensor(2.)
    """
    check("margin_ranking_loss", reduction, input1, input2, roles=("input1", "input2"))
    check("margin_ranking_loss", reduction, input1, target, roles=("input1", "target"))
    return reduced(autograd.clamp(margin - target * (input1 - input2), min=0), reduction)


@loss_function
def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """ln(1 + e^(−t x)), with targets t of 1 and −1; without overflow.

    >>> soft_margin_loss(autograd.tensor([0.0, 1000.0]), autograd.tensor([1.0, -1.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    check("soft_margin_loss", reduction, input, target)
    if target.dtype.kind == "b":
        raise DTypeError("soft_margin_loss: target must hold 1 and -1, got bool; make them by 2 * target.float() - 1")
    return reduced(autograd.softplus(-target * input, threshold=math.inf), reduction)


@loss_function
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 − cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) − margin) where it is −1.

    Arguments:
        input1, input2: (N, D), with a target of shape (N,), or (D,), with a 0-d one.
        target: 1 or −1.
        margin: from −1 to 1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> x = autograd.tensor([[1.0, 0.0], [1.0, 1.0]]); y = autograd.tensor([[0.0, 1.0], [1.0, 1.0]])
    >>> cosine_embedding_loss(x, y, autograd.tensor([1, -1]), reduction="none")
    tensor([1., 1.])
    """
    name = "cosine_embedding_loss"
    check(name, reduction, input1, input2, roles=("input1", "input2"))
    check_tensors(name, target=target)
    if input1.ndim not in (1, 2) or target.shape != input1.shape[:-1]:
        raise ShapeError(
            f"{name}: inputs must be (N, D) with a target (N,), or (D,) with a 0-d target, got {input1.shape} and "
            f"{target.shape}"
        )
    # What is added keeps the root's slope finite for vectors of zeros.
    size1, size2 = (x.square().sum(-1) + 1e-12 for x in (input1, input2))
    cosine = (input1 * input2).sum(-1) / (size1 * size2).sqrt()
    apart = autograd.where(target == -1, autograd.clamp(cosine - margin, min=0), 0.0)
    return reduced(autograd.where(target == 1, 1 - cosine, 0.0) + apart, reduction)


@loss_function
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + ‖a − p‖ − ‖a − n‖), for anchor a, positive p and negative n.

    Arguments:
        anchor, positive, negative: (N, D) or (D,), of one shape.
        margin: by how much the negative should be farther away, above 0.
        p: of which norm.
        eps: what is added to the differences, so that the norm's slope is finite.
        swap: take the distance of positive and negative for that of anchor and negative where it is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Source: Balntas, Riba, Ponsa and Mikolajczyk, Learning Local Feature Descriptors with Triplets, 2016.

    >>> a, p, n = (autograd.tensor([[v, 0.0]]) for v in (0.0, 1.0, 1.5))
    >>> triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return (x - y + eps).norm(p, -1)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


@loss_function
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with any distance; the Euclidean one if left out.

    >>> a, p, n = (autograd.tensor([[v, 0.0]]) for v in (0.0, 1.0, 1.5))
    >>> triplet_margin_with_distance_loss(a, p, n, distance_function=lambda x, y: (x - y).abs().sum(-1))
    tensor(0.5000)
    """

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return (x - y + 1e-6).norm(2, -1)

    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance_function or distance, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    check_reduction(name, reduction)
    check_tensors(name, anchor=anchor, positive=positive, negative=negative)
    if margin <= 0:
        raise ValueError(f"{name}: margin must be above 0, got {margin}")
    if not anchor.shape == positive.shape == negative.shape or not anchor.ndim:
        raise ShapeError(
            f"{name}: anchor, positive and negative must have one shape, (N, D) or (D,), got {anchor.shape}, "
            f"{positive.shape} and {negative.shape}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = autograd.minimum(far, distance(positive, negative))
    return reduced(autograd.clamp(margin + near - far, min=0), reduction)


@loss_function
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ_j max(0, w_t (margin − x_t + x_j))ᵖ / C over the classes j other than the target t.

    Arguments:
        input: scores, (N, C) or (C,).
        target: int64 classes, (N,) or 0-d.
        p: 1 or 2.
        margin: by how much the target's score should be above the others.
        weight: (C,), how much each target class counts; it multiplies the p-th power.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> multi_margin_loss(autograd.tensor([[0.0, 1.0, 0.5]]), autograd.tensor([1]))
    tensor(0.1667)
    """
    name = "multi_margin_loss"
    check(name, reduction, input, target, same_shape=False)
    _check_integer(name, target)
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, got {p}")
    if input.ndim not in (1, 2) or target.shape != input.shape[:-1]:
        raise ShapeError(
            f"{name}: input must be (N, C) with a target (N,), or (C,) with a 0-d target, got {input.shape} and "
            f"{target.shape}"
        )
    scores, classes = input.reshape(-1, input.shape[-1]), target.reshape(-1)  # (N, C), (N,)
    n = scores.shape[1]
    _check_classes(name, target, n, None)
    _check_class_weight(name, input, weight, n)
    chosen = scores[np.arange(scores.shape[0]), classes].unsqueeze(1)  # (N, 1)
    excess = autograd.clamp(margin - chosen + scores, min=0)
    excess = excess.square() if p == 2 else excess
    if weight is not None:
        excess = excess * weight[classes].unsqueeze(1)
    others = classes.unsqueeze(1) != autograd.arange(n)
    losses = autograd.where(others, excess, 0.0).sum(1) / n
    return reduced(losses.reshape(input.shape[:-1]), reduction)


@loss_function
def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Σ max(0, 1 − (x_t − x_j)) / C over the target classes t and the classes j that are none.

    Arguments:
        input: scores, (N, C) or (C,).
        target: int64 of the same shape: the target classes of each row, and −1 after the last.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> multilabel_margin_loss(autograd.tensor([[0.1, 0.2, 0.4, 0.8]]), autograd.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    check(name, reduction, input, target)
    _check_integer(name, target)
    if input.ndim not in (1, 2):
        raise ShapeError(f"{name}: input must be (N, C) or (C,), got {input.shape}")
    n = input.shape[-1]
    scores, listed = input.reshape(-1, n), target.reshape(-1, n)  # (N, C)
    _check_classes(name, target, n, -1)
    # An entry counts if there is no −1 up to it.
    stops = (listed < 0).to(input.dtype) @ autograd.as_tensor(np.triu(np.ones((n, n), input.dtype)))
    counts = stops == 0
    safe = listed.masked_fill(~counts, 0)
    named = (safe.unsqueeze(2) == autograd.arange(n)) & counts.unsqueeze(2)  # (N, listed, C)
    is_target = named.any(1)  # (N, C)
    chosen = scores[np.arange(scores.shape[0])[:, None], safe]  # (N, listed)
    excess = autograd.clamp(1 - chosen.unsqueeze(2) + scores.unsqueeze(1), min=0)  # (N, listed, C)
    pairs = counts.unsqueeze(2) & ~is_target.unsqueeze(1)
    losses = autograd.where(pairs, excess, 0.0).sum((1, 2)) / n
    return reduced(losses.reshape(input.shape[:-1]), reduction)


@loss_function
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Mean over the classes of −(t ln σ(x) + (1 − t) ln σ(−x)).

    Arguments:
        input: logits, (N, C).
        target: of the same shape, 0 or 1.
        weight: (C,), how much each class counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> multilabel_soft_margin_loss(autograd.tensor([[0.0, 2.0]]), autograd.tensor([[1.0, 1.0]]))
    tensor(0.4100)
    """
    check("multilabel_soft_margin_loss", reduction, input, target)
    losses = weighted("multilabel_soft_margin_loss", autograd.logistic_nll(input, target), weight)
    return reduced(losses.mean(-1), reduction)
