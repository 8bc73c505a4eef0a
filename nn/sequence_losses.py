"""Losses of sequences whose alignment with their targets is not known, as modules."""

from __future__ import annotations

from typing import Any

from autograd import Tensor

from . import functional as F
from .loss import Loss

__all__ = ["CTCLoss"]


class CTCLoss(Loss):
    """−ln of the probability of all alignments that read as the target, when repeats and then blanks are taken out.

    Arguments:
        blank: the class that stands for nothing.
        reduction: ``"mean"``, each loss divided by the length of its target and then averaged; ``"sum"`` or ``"none"``.
        zero_infinity: take 0 for the loss of a target that is too long for its input, which otherwise is infinite.

    Shapes: log_probs (T, N, C) or (T, C), log-probabilities of the classes at each step; targets int64 (N, S), or all
    of them one after the other; input_lengths and target_lengths (N,), or tuples of ints.

    Raises:
        ShapeError, DTypeError: the inputs do not fit each other. IndexError: a class is out of range. ValueError: a
        length is out of range, or a target holds the blank.

    Source: Graves, Fernández, Gomez and Schmidhuber, Connectionist Temporal Classification, 2006.

    >>> import autograd
    >>> log_probs = autograd.log_softmax(autograd.zeros(3, 1, 2), -1)
    >>> CTCLoss()(log_probs, autograd.tensor([[1]]), (3,), (1,))
    tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        """The loss of the log-probabilities of each step against ``targets``."""
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
