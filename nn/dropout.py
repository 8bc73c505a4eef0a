"""Dropout: entries, or whole channels, left out at random while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from autograd import Tensor
from autograd.errors import describe

from . import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not hasattr(p, "__float__"):
            raise TypeError(f"{self._get_name()}: p must be a number within 0 and 1, got {describe(p)}")
        if not 0 <= p <= 1:
            raise ValueError(f"{self._get_name()}: p is a probability and must be within 0 and 1, got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x with parts left out while training, x itself in eval mode."""
        return self._function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """m x / (1 − p) while training, with m 0 with probability p, else 1, for each entry anew; x itself in eval mode.

    The division keeps the expectation of each entry at x, so that nothing is left to do at test time.

    The lectures divide by nothing: they train with m x, and at test time multiply the outputs of the units, or what is
    the same the weights behind them, by the probability 1 − p with which a unit was kept (they write p for that). Both
    are one model in two scales: weights W that were trained behind m x are the weights (1 − p) W here.

    >>> import autograd, nn
    >>> x, trained, p = autograd.randn(5, 4), autograd.randn(4, 2), 0.25
    >>> layer = nn.Dropout(p)
    >>> kept = layer(autograd.ones(5, 4)) != 0
    >>> lectures_training, lectures_test = (kept * x) @ trained, x @ (trained * (1 - p))
    >>> weights = trained * (1 - p)
    >>> autograd.allclose((kept * x / (1 - p)) @ weights, lectures_training)
    True
    >>> autograd.allclose(layer.eval()(x) @ weights, lectures_test)
    True

    Arguments:
        p: the probability of being left out; 0.5 is usual for hidden units, 0.2 for inputs.
        inplace: put the result into the input's memory.

    Shapes: any, floating.

    Raises:
        TypeError, ValueError: p is no number within 0 and 1. DTypeError: the input is not floating.

    Source: Srivastava and others, Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014; lectures.

    >>> sorted(set(nn.Dropout(0.75)(autograd.ones(100)).tolist()))
    [0.0, 4.0]
    """

    _function = staticmethod(F.dropout)


class Dropout1d(_Dropout):
    """``Dropout`` of whole channels: neighbours in a sequence are too much alike to be left out one by one.

    Arguments:
        p: the probability of a channel being left out.
        inplace: put the result into the input's memory.

    Shapes: input (N, C, L) or (C, L), output the same.

    Raises:
        ValueError: p is not within 0 and 1. ShapeError: an input of other dimensions.

    Source: Tompson and others, Efficient Object Localization Using Convolutional Networks, 2015.

    >>> import autograd
    >>> sorted(set(Dropout1d(0.5)(autograd.ones(9, 9, 3)).sum(-1).reshape(-1).tolist()))
    [0.0, 6.0]
    """

    _function = staticmethod(F.dropout1d)


class Dropout2d(_Dropout):
    """``Dropout1d`` for images, (N, C, H, W) or (C, H, W), which PyTorch still reads as (N, C, L).

    >>> import autograd
    >>> sorted(set(Dropout2d(0.5)(autograd.ones(9, 9, 2, 2)).sum((-1, -2)).reshape(-1).tolist()))
    [0.0, 8.0]
    """

    _function = staticmethod(F.dropout2d)


class Dropout3d(_Dropout):
    """``Dropout1d`` for volumes, (N, C, D, H, W) or (C, D, H, W).

    >>> import autograd
    >>> Dropout3d(0.5)(autograd.ones(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    """

    _function = staticmethod(F.dropout3d)


class AlphaDropout(_Dropout):
    """Entries set to the lowest value of ``SELU``, then all scaled and shifted so that mean 0 and variance 1 stay.

    Arguments:
        p: the probability of an entry being set.
        inplace: put the result into the input's memory.

    Shapes: any, floating.

    Raises:
        ValueError: p is not within 0 and 1.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks, 2017.

    >>> import autograd
    >>> len(set(AlphaDropout(0.5)(autograd.ones(100)).tolist()))
    2
    """

    _function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels of (N, C, …).

    >>> import autograd
    >>> FeatureAlphaDropout(0.5)(autograd.ones(2, 3, 4)).shape
    (2, 3, 4)
    """

    _function = staticmethod(F.feature_alpha_dropout)
