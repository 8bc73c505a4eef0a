"""Losses of margins and of distances as modules: what is right has to be ahead of what is wrong by so much."""

from __future__ import annotations

from collections.abc import Callable

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from .distance import PairwiseDistance
from .loss import Loss
from .losses_functional import check, reduced, values

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "HingeLoss", "MarginRankingLoss", "MaxMarginLoss",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


class HingeLoss(Loss):
    """max(0, margin − guess · actual), averaged, for labels of 1 and −1: the loss of a support vector machine.

    Arguments:
        margin: how far on the right side a guess has to be to cost nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: guess and actual of one shape; output 0-d, or theirs with ``"none"``.

    Raises:
        ShapeError: the shapes differ. ValueError: a label is neither 1 nor −1.

    Source: the lecture on neural networks; Cortes and Vapnik, Support-Vector Networks, 1995.

    >>> from autograd import tensor
    >>> HingeLoss(reduction="none")(tensor([2.0, 0.25, 0.25]), tensor([1.0, 1.0, -1.0]))
    tensor([0.0000, 0.7500, 1.2500])
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, guess: Tensor, actual: Tensor) -> Tensor:
        """The loss of the scores ``guess`` against the labels ``actual``."""
        check("HingeLoss", self.reduction, guess, actual, roles=("guess", "actual"))
        labels = values(actual)
        if labels is not None and (abs(labels) != 1).any():
            wrong = labels[abs(labels) != 1].flat[0]
            raise ValueError(
                f"HingeLoss: labels must be 1 or -1, got {wrong:g}; classes of 0 and 1 become such by 2 * actual - 1"
            )
        return reduced(autograd.clamp(self.margin - guess * actual, min=0), self.reduction)

    def extra_repr(self) -> str:
        return f"margin={self.margin}, reduction={self.reduction!r}"


class MaxMarginLoss(Loss):
    """max(0, margin + s_c − s), averaged: the score s of what is true is to be above s_c, that of what is corrupt.

    Arguments:
        margin: Δ, by how much the true score has to be above the corrupt one to cost nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: score and corrupt_score of one shape; output 0-d, or theirs with ``"none"``.

    Raises:
        ShapeError: the shapes differ.

    Source: the lecture on window classification; Collobert and others, Natural Language Processing (Almost) from
    Scratch, 2011.

    >>> from autograd import tensor
    >>> MaxMarginLoss(reduction="none")(tensor([3.0, 0.5]), tensor([1.0, 1.0]))
    tensor([0.0000, 1.5000])
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, score: Tensor, corrupt_score: Tensor) -> Tensor:
        """The loss of the true scores against the corrupt ones, pair by pair."""
        check("MaxMarginLoss", self.reduction, score, corrupt_score, roles=("score", "corrupt_score"))
        return reduced(autograd.clamp(self.margin + corrupt_score - score, min=0), self.reduction)

    def extra_repr(self) -> str:
        return f"margin={self.margin}, reduction={self.reduction!r}"


class HingeEmbeddingLoss(Loss):
    """x where the target is 1, max(0, margin − x) where it is −1, averaged; x is a distance.

    Arguments:
        margin: how far apart what does not belong together has to be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input and target of one shape. For scores rather than distances there is ``HingeLoss``.

    >>> from autograd import tensor
    >>> HingeEmbeddingLoss()(tensor([0.5, 0.25]), tensor([1.0, -1.0]))
    tensor(0.6250)
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the distances ``input`` against ``target``."""
        return F.hinge_embedding_loss(input, target, self.margin, self.reduction)


class SoftMarginLoss(Loss):
    """ln(1 + e^(−t x)), averaged, with targets t of 1 and −1; without overflow.

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input and target of one shape.

    >>> from autograd import tensor
    >>> SoftMarginLoss(reduction="sum")(tensor([0.0, 1000.0]), tensor([1.0, 1.0]))
    tensor(0.6931)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the scores ``input`` against ``target``."""
        return F.soft_margin_loss(input, target, self.reduction)


class MarginRankingLoss(Loss):
    """max(0, margin − t (x₁ − x₂)), averaged: for t = 1 the first is to be larger, for t = −1 the second.

    Arguments:
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input1, input2 and target of one shape.

    >>> from autograd import tensor
    >>> MarginRankingLoss()(tensor([1.0]), tensor([3.0]), tensor([1.0]))
    tensor(2.)
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss of the scores of both sides against which is to be larger."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class CosineEmbeddingLoss(Loss):
    """1 − cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) − margin) where it is −1, averaged.

    Arguments:
        margin: from −1 to 1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input1 and input2 (N, D), with a target (N,), or (D,), with a 0-d one.

    >>> from autograd import tensor
    >>> x, y = tensor([[1.0, 0.0], [1.0, 1.0]]), tensor([[0.0, 1.0], [1.0, 1.0]])
    >>> CosineEmbeddingLoss(reduction="none")(x, y, tensor([1, -1]))
    tensor([1., 1.])
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss of the pairs of vectors against which of them belong together."""
        return F.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class MultiMarginLoss(Loss):
    """Σ_j max(0, w_t (margin − x_t + x_j))ᵖ / C over the classes j other than the target t, averaged.

    Arguments:
        p: 1 or 2.
        margin: by how much the target's score should be above the others.
        weight: (C,), how much each target class counts; it multiplies the p-th power.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (N, C) or (C,); target (N,) or 0-d, int64 classes.

    Raises:
        IndexError: a class is out of range.

    Source: Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, 2001.

    >>> from autograd import tensor
    >>> MultiMarginLoss()(tensor([[0.0, 1.0, 0.5]]), tensor([1]))
    tensor(0.1667)
    """

    weight: Tensor | None

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p}")
        if weight is not None and weight.ndim != 1:
            raise ShapeError(f"MultiMarginLoss: weight must be (C,), got shape {tuple(weight.shape)}")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the scores ``input`` against the classes ``target``."""
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelMarginLoss(Loss):
    """Σ max(0, 1 − (x_t − x_j)) / C over the target classes t and the classes j that are none, averaged.

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (N, C) or (C,); target int64 of that shape: the target classes of each row, and −1 after the last.

    Raises:
        IndexError: a class is out of range.

    >>> from autograd import tensor
    >>> MultiLabelMarginLoss()(tensor([[0.1, 0.2, 0.4, 0.8]]), tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the scores ``input`` against the classes that ``target`` lists."""
        return F.multilabel_margin_loss(input, target, self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """Mean over the classes of −(t ln σ(x) + (1 − t) ln σ(−x)), averaged over the rows.

    Arguments:
        weight: (C,), how much each class counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (logits) and target (0 or 1) of one shape, (N, C).

    >>> from autograd import tensor
    >>> MultiLabelSoftMarginLoss()(tensor([[0.0, 2.0]]), tensor([[1.0, 1.0]]))
    tensor(0.4100)
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the logits ``input`` against ``target``."""
        return F.multilabel_soft_margin_loss(input, target, self.weight, self.reduction)


class TripletMarginLoss(Loss):
    """max(0, margin + ‖a − p‖ − ‖a − n‖), averaged, for anchor a, positive p and negative n.

    Arguments:
        margin: by how much the negative should be farther away, above 0.
        p: of which norm.
        eps: what is added to the differences, so that the norm's slope is finite.
        swap: take the distance of positive and negative for that of anchor and negative where it is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: anchor, positive and negative of one shape, (N, D) or (D,).

    Source: Balntas, Riba, Ponsa and Mikolajczyk, Learning Local Feature Descriptors with Triplets, 2016.

    >>> from autograd import tensor
    >>> TripletMarginLoss()(tensor([[0.0, 0.0]]), tensor([[1.0, 0.0]]), tensor([[1.5, 0.0]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: margin must be above 0, got {margin}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of the triples of vectors."""
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction
        )


class TripletMarginWithDistanceLoss(Loss):
    """``TripletMarginLoss`` with any distance.

    Arguments:
        distance_function: of two Tensors (N, D), gives (N,); ``PairwiseDistance()`` if None.
        margin: by how much the negative should be farther away, above 0.
        swap: take the distance of positive and negative for that of anchor and negative where it is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: anchor, positive and negative of one shape.

    >>> from autograd import tensor
    >>> loss = TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().sum(-1))
    >>> loss(tensor([[0.0, 0.0]]), tensor([[1.0, 0.0]]), tensor([[1.5, 0.0]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: margin must be above 0, got {margin}")
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of the triples of vectors."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
