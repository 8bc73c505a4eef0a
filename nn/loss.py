"""Losses as modules: how far a prediction is from its target, as one number to go backward from."""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["CrossEntropyLoss", "MSELoss", "NLLLoss"]


class _Loss(Module):
    def __init__(self, reduction: str) -> None:
        super().__init__()
        F.check_reduction(type(self).__name__, reduction)
        self.reduction = reduction


class MSELoss(_Loss):
    """Mean over all entries of (input − target)².

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input and target of one shape, which PyTorch would broadcast; output 0-d, or theirs with ``"none"``.

    Raises:
        ShapeError: the shapes differ, (N, 1) against (N,) say.

    >>> from autograd import tensor
    >>> MSELoss()(tensor([1.0, 2.0]), tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of ``input`` against ``target``."""
        return F.mse_loss(input, target, self.reduction)


class CrossEntropyLoss(_Loss):
    """−ln softmax(input)_target, averaged: for logits and classes.

    Arguments:
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: ε, the share of the target that is spread evenly over all classes.

    Shapes: input (C,), (N, C) or (N, C, d₁, …); target int64 of that shape without C, or probabilities of all of it.

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


class NLLLoss(_Loss):
    """−input_target, averaged: for log-probabilities (those of ``LogSoftmax``) and classes.

    Arguments:
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (C,), (N, C) or (N, C, d₁, …); target int64 of that shape without C.

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
