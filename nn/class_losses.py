"""Losses of classifiers: of logits, log-probabilities or probabilities, against classes or distributions."""

from __future__ import annotations

import math
from typing import Any

import autograd
from autograd import DTypeError, ShapeError, Tensor

from . import functional as F
from .linear import Linear
from .loss import Loss
from .losses_functional import check_probabilities, check_tensors, reduced

__all__ = ["CrossEntropyLoss", "LinearCrossEntropyLoss", "MulticlassNLLLoss", "NLLLoss", "SoftTargetLoss"]


class CrossEntropyLoss(Loss):
    """−ln softmax(input)_target, averaged: for logits and classes.

    Arguments:
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.

    Shapes: input (C,), (N, C) or (N, C, d₁, …); target int64 of that shape without C, or probabilities of all of it.

    Raises:
        ShapeError, DTypeError: input and target do not fit each other. IndexError: a class is out of range.

    >>> from autograd import tensor
    >>> CrossEntropyLoss()(tensor([[2.0, 0.0], [0.0, 2.0]]), tensor([0, 1]))
    tensor(0.1269)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the logits ``input`` against ``target``."""
        return F.cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class SoftTargetLoss(Loss):
    """Cross-entropy with the class itself at 1 − ε and every other one at ε / (C − 1): labels that are not trusted.

    −Σ_c q_c ln softmax(input)_c, averaged over the rows. ``CrossEntropyLoss(label_smoothing=ε)`` spreads ε over all
    classes, the right one among them, and so keeps 1 − ε + ε / C for it.

    Arguments:
        epsilon: ε, from 0 to (C − 1) / C, where every class is as likely.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (C,), (N, C) or (N, C, d₁, …), logits of two classes or more; target int64 of that shape without C.

    Raises:
        ValueError: ε is negative, or so large that other classes would be likelier than the right one.
        ShapeError, DTypeError: input and target do not fit each other. IndexError: a class is out of range.

    Source: the lecture on regularization; Szegedy and others, Rethinking the Inception Architecture, 2016.

    >>> from autograd import tensor
    >>> SoftTargetLoss(0.1)(tensor([[2.0, 0.0], [0.0, 2.0]]), tensor([0, 1]))
    tensor(0.3269)
    """

    def __init__(self, epsilon: float, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if not 0 <= epsilon < 1:
            raise ValueError(f"SoftTargetLoss: epsilon must be at least 0 and below 1, got {epsilon}")
        self.epsilon = epsilon

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the logits ``input`` against the softened ``target``."""
        check_tensors("SoftTargetLoss", input=input, target=target)
        if target.is_floating_point():
            raise DTypeError(
                f"SoftTargetLoss: target must hold integer classes, which are softened here, got {target.dtype}; "
                "give probabilities to CrossEntropyLoss"
            )
        n = input.shape[1 if input.ndim > 1 else 0] if input.ndim else 0
        if n < 2:
            raise ShapeError(f"SoftTargetLoss: input must have at least two classes, got shape {tuple(input.shape)}")
        smoothing = self.epsilon * n / (n - 1)
        if smoothing > 1:
            raise ValueError(
                f"SoftTargetLoss: with epsilon={self.epsilon} and {n} classes the others would be likelier than the "
                f"right one; epsilon can be at most {(n - 1) / n:g}"
            )
        return F.cross_entropy(input, target, reduction=self.reduction, label_smoothing=smoothing)

    def extra_repr(self) -> str:
        return f"epsilon={self.epsilon}, reduction={self.reduction!r}"


class NLLLoss(Loss):
    """−input_target, averaged: for log-probabilities (those of ``LogSoftmax``) and classes.

    Arguments:
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (C,), (N, C) or (N, C, d₁, …); target int64 of that shape without C.

    Raises:
        ShapeError, DTypeError: input and target do not fit each other. IndexError: a class is out of range.

    >>> from autograd import tensor
    >>> NLLLoss()(tensor([[-0.5, -1.0], [-2.0, -0.1]]), tensor([0, 1]))
    tensor(0.3000)
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the log-probabilities ``input`` against ``target``."""
        return F.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MulticlassNLLLoss(Loss):
    """−Σ_k actual_k ln guess_k, averaged over the rows: for probabilities (those of ``Softmax``) and one-hot targets.

    Where the guess is 0 and the actual value too, the term is 0. Logits are better given to ``CrossEntropyLoss``,
    which needs no logarithm of a small number; for two classes and one probability there is ``BCELoss``.

    Arguments:
        reduction: ``"mean"`` or ``"sum"`` over the rows, or ``"none"``.

    Shapes: guess and actual (C,), (N, C) or (N, C, d₁, …); output 0-d, or theirs without C with ``"none"``.

    Raises:
        ShapeError: the shapes differ. ValueError: a guess is outside [0, 1].

    Source: the lecture's negative log-likelihood for many classes.

    >>> from autograd import tensor
    >>> MulticlassNLLLoss()(tensor([[0.5, 0.25, 0.25]]), tensor([[0.0, 1.0, 0.0]]))
    tensor(1.3863)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, guess: Tensor, actual: Tensor) -> Tensor:
        """The loss of the probabilities ``guess`` against ``actual``."""
        check_probabilities("MulticlassNLLLoss", self.reduction, guess, actual, roles=("guess", "actual"))
        if not guess.ndim:
            raise ShapeError("MulticlassNLLLoss: guess must have a dimension of classes, got a 0-d Tensor")
        # The logarithm of 1 where nothing counts: its slope stays finite there.
        counted = autograd.where(actual == 0, 1.0, guess)
        losses = -(actual * counted.log()).sum(1 if guess.ndim > 1 else 0)
        return reduced(losses, self.reduction)


class LinearCrossEntropyLoss(Loss):
    """A ``Linear`` layer and the ``CrossEntropyLoss`` of its logits in one: the last layer of a classifier.

    Arguments:
        in_features: the last size of the input.
        num_classes: C, how many classes.
        out_features: sizes d₁, … that the target has besides the batch's; none by default.
        bias: whether the layer has one.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.
        options: must be None: the logits are always computed whole.

    Shapes: input (N, in_features) or (in_features,); target (N, *out_features) or out_features of int64 classes;
    ``linear.weight`` (C · d₁ · …, in_features).

    >>> from autograd import tensor
    >>> LinearCrossEntropyLoss(3, 5)(autograd.ones(2, 3), tensor([0, 4])).shape
    ()
    """

    weight: Tensor | None

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: None = None,
    ) -> None:
        super().__init__(reduction)
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(
                f"LinearCrossEntropyLoss: weight must have shape {(num_classes,)}, one for each class, got "
                f"{tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"LinearCrossEntropyLoss: label_smoothing must be within 0 and 1, got {label_smoothing}")
        if options is not None:
            raise ValueError("LinearCrossEntropyLoss: options are not supported; leave them out")
        self.register_buffer("weight", weight)
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        outputs = math.prod(self.out_features, start=num_classes)
        self.linear = Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the layer's logits against ``target``."""
        logits = self.linear(input).reshape(*input.shape[:-1], self.num_classes, *self.out_features)  # (N, C, d₁, …)
        ignored = -100 if self.ignore_index is None else self.ignore_index
        return F.cross_entropy(logits, target, self.weight, ignored, self.reduction, self.label_smoothing)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
            f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}"
        )
