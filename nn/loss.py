"""Losses as modules: how far a prediction is from its target, as one number to go backward from."""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "GaussianNLLLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "PoissonNLLLoss",
    "SmoothL1Loss",
]  # fmt: skip


class Loss(Module):
    """Base class of losses, which all have a reduction: ``"mean"``, ``"sum"`` or ``"none"``."""

    _more_reductions: tuple[str, ...] = ()

    def __init__(self, reduction: str) -> None:
        super().__init__()
        F.check_reduction(self._get_name(), reduction, *self._more_reductions)
        self.reduction = reduction


class MSELoss(Loss):
    """Mean over all entries of (input − target)²: the square loss.

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


class L1Loss(Loss):
    """Mean over all entries of |input − target|; arguments, shapes and errors are those of ``MSELoss``.

    >>> from autograd import tensor
    >>> L1Loss()(tensor([1.0, 2.0]), tensor([1.0, 4.0]))
    tensor(1.)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of ``input`` against ``target``."""
        return F.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """Mean of d² / (2 beta) where the difference d is below beta in size, |d| − beta / 2 elsewhere.

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola goes over into the straight line, at least 0.

    Shapes: input and target of one shape.

    Source: Girshick, Fast R-CNN, 2015.

    >>> from autograd import tensor
    >>> SmoothL1Loss(reduction="none")(tensor([0.5, 3.0]), tensor([0.0, 0.0]))
    tensor([0.1250, 2.5000])
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if beta < 0:
            raise ValueError(f"SmoothL1Loss: beta must be at least 0, got {beta}")
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of ``input`` against ``target``."""
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(Loss):
    """Mean of d² / 2 where the difference d is at most delta in size, delta (|d| − delta / 2) elsewhere.

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola goes over into the straight line, above 0.

    Shapes: input and target of one shape.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> from autograd import tensor
    >>> HuberLoss(reduction="none", delta=2.0)(tensor([0.5, 3.0]), tensor([0.0, 0.0]))
    tensor([0.1250, 4.0000])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if delta <= 0:
            raise ValueError(f"HuberLoss: delta must be above 0, got {delta}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of ``input`` against ``target``."""
        return F.huber_loss(input, target, self.reduction, self.delta)


class BCELoss(Loss):
    """−(t ln p + (1 − t) ln(1 − p)), averaged: for probabilities (those of ``Sigmoid``) and targets of two classes.

    The logarithms are cut off at −100.

    Arguments:
        weight: broadcasts to the input's shape, how much each entry counts; the mean is over the number of entries.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input p and target t of one shape, t 0, 1 or between.

    Raises:
        ShapeError: the shapes differ. ValueError: a probability is outside [0, 1].

    >>> from autograd import tensor
    >>> BCELoss()(tensor([0.5, 0.25]), tensor([1.0, 0.0]))
    tensor(0.4904)
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the probabilities ``input`` against ``target``."""
        return F.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """−(w t ln σ(x) + (1 − t) ln(1 − σ(x))), averaged: for logits and targets of two classes; without overflow.

    Arguments:
        weight: broadcasts to the input's shape, how much each entry counts; the mean is over the number of entries.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: w, broadcasts to that shape: how much more the positive class counts.

    Shapes: input x and target t of one shape, t 0, 1 or between.

    Raises:
        ShapeError: the shapes differ.

    >>> from autograd import tensor
    >>> BCEWithLogitsLoss()(tensor([0.0, 1000.0]), tensor([1.0, 1.0]))
    tensor(0.3466)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of the logits ``input`` against ``target``."""
        return F.binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


class KLDivLoss(Loss):
    """t (ln t − x), averaged, t the target and x the input: the Kullback–Leibler divergence, summed over a row.

    Arguments:
        reduction: ``"batchmean"``, the divergence in the mathematical sense, averaged over the rows; ``"mean"`` over
            all entries, ``"sum"`` or ``"none"``.
        log_target: whether the target is ln t.

    Shapes: input (log-probabilities) and target (probabilities) of one shape, (N, …).

    >>> from autograd import tensor
    >>> KLDivLoss(reduction="batchmean")(tensor([[0.25, 0.75]]).log(), tensor([[0.5, 0.5]]))
    tensor(0.1438)
    """

    _more_reductions = ("batchmean",)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The divergence of the distribution with the logarithms ``input`` from ``target``."""
        return F.kl_div(input, target, self.reduction, self.log_target)


class PoissonNLLLoss(Loss):
    """eˣ − t x, averaged, or x − t ln(x + eps) without ``log_input``: for counts t; without the constant ln t!.

    Arguments:
        log_input: whether the input x is the logarithm of the expectation, rather than the expectation itself.
        full: add Stirling's t ln t − t + ln(2πt) / 2 for ln t!, where t > 1.
        eps: keeps the logarithm away from 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input and target of one shape.

    >>> from autograd import tensor
    >>> PoissonNLLLoss()(tensor([0.0, 1.0]), tensor([1.0, 2.0]))
    tensor(0.8591)
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """The loss of the expectations, or their logarithms, against the counts ``target``."""
        return F.poisson_nll_loss(log_input, target, self.log_input, self.full, self.eps, self.reduction)


class GaussianNLLLoss(Loss):
    """(ln v + (x − t)² / v) / 2, averaged, where v is the variance or eps, whichever is larger.

    Arguments:
        full: add the constant ln(2π) / 2.
        eps: what the variance is at least; the gradient of var is as if it were not there.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: input (expectations) and target of one shape; var of that shape, of that shape with 1 for, or without,
    the last size, or a number.

    Raises:
        ShapeError: the shapes do not fit. ValueError: a variance is negative.

    Source: Nix and Weigend, Estimating the Mean and Variance of the Target Probability Distribution, 1994.

    >>> from autograd import tensor
    >>> GaussianNLLLoss()(tensor([0.0]), tensor([2.0]), tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """The loss of the expectations ``input`` and the variances ``var`` against ``target``."""
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
