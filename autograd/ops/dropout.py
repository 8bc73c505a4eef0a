"""Dropout: entries, or whole channels, left out at random while training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import wrap
from .activations import SELU_ALPHA, SELU_SCALE, floating, placed

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _kept(name: str, x: Any, shape: tuple[int, ...], p: float, generator: Generator | None) -> np.ndarray:
    """True with probability 1 − p; ``random`` is imported here since it imports the ops itself."""
    from ..random import stream

    check_probability(name, p)
    draw: Any = stream(generator).random(shape, np.float64 if x.dtype == np.float64 else np.float32)
    return np.asarray(draw >= p)


def check_probability(name: str, p: float) -> None:
    """Raises the ValueError of what is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is a probability and must be within 0 and 1, got {p}")


def _scaled(name: str, input: Any, shape: tuple[int, ...], p: float, inplace: bool, generator: Any) -> Any:
    factor = _kept(name, input, shape, p, generator).astype(input.dtype)
    if p < 1:
        factor *= 1 / (1 - p)
    return placed(name, input, input * wrap(factor[()]), inplace)


@composed
def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Each entry 0 with probability p, the others divided by 1 − p, so that the expectation stays.

    Arguments:
        input: any shape.
        p: the probability of being left out.
        training: if False the input is returned as it is.
        inplace: put the result into the input's memory.
        generator: the stream of random numbers; the common one if left out.

    Source: Srivastava and others, Dropout, 2014.

    >>> import autograd
    >>> sorted(set(autograd.dropout(autograd.ones(100), 0.5).tolist()))
    [0.0, 2.0]
    """
    check_probability("dropout", p)
    floating("dropout", input)
    if not training or p == 0:
        return input
    return _scaled("dropout", input, tuple(input.shape), p, inplace, generator)


def _channels(name: str, input: Any, spatial: int) -> tuple[int, ...]:
    """The shape of one number for each channel: (N, C, 1, …), or (C, 1, …) for an input without N."""
    floating(name, input)
    if input.ndim not in (spatial + 1, spatial + 2):
        raise ShapeError(
            f"{name}: input must have {spatial + 2} dimensions, (N, C, …), or {spatial + 1} without N, got shape "
            f"{tuple(input.shape)}"
        )
    lead = input.ndim - spatial
    return (*input.shape[:lead], *[1] * spatial)


@composed
def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Each channel of (N, C, L) or (C, L) 0 with probability p, the others divided by 1 − p; see ``dropout``.

    >>> import autograd
    >>> autograd.dropout1d(autograd.ones(2, 3, 4), 0.0).shape
    (2, 3, 4)
    """
    return _dropout_of_channels("dropout1d", input, 1, p, training, inplace, generator)


@composed
def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Each channel of (N, C, H, W) or (C, H, W) 0 with probability p, the others divided by 1 − p; see ``dropout``.

    PyTorch still reads a 3-d input as (N, C, L) and warns that this will change; here it is (C, H, W).

    >>> import autograd
    >>> autograd.dropout2d(autograd.ones(2, 3, 4, 4), 0.0).shape
    (2, 3, 4, 4)
    """
    return _dropout_of_channels("dropout2d", input, 2, p, training, inplace, generator)


@composed
def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Each channel of (N, C, D, H, W) or (C, D, H, W) 0 with probability p, the others divided by 1 − p.

    >>> import autograd
    >>> autograd.dropout3d(autograd.ones(2, 3, 2, 2, 2), 0.0).shape
    (2, 3, 2, 2, 2)
    """
    return _dropout_of_channels("dropout3d", input, 3, p, training, inplace, generator)


def _dropout_of_channels(
    name: str, input: Any, spatial: int, p: float, training: bool, inplace: bool, generator: Any
) -> Tensor:
    check_probability(name, p)
    shape = _channels(name, input, spatial)
    return _scaled(name, input, shape, p, inplace, generator) if training and p else input


@composed
def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Each entry −λα with probability p, and then all scaled and shifted so that mean 0 and variance 1 stay.

    To be used with ``selu``, whose lowest value −λα is. The arguments are those of ``dropout``.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks, 2017.

    >>> import autograd
    >>> len(set(autograd.alpha_dropout(autograd.ones(100), 0.5, training=True).tolist()))
    2
    """
    check_probability("alpha_dropout", p)
    floating("alpha_dropout", input)
    return _alpha("alpha_dropout", input, tuple(input.shape), p, inplace, generator) if training and p else input


@composed
def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """``alpha_dropout`` of whole channels of (N, C, …).

    >>> import autograd
    >>> autograd.feature_alpha_dropout(autograd.ones(2, 3, 4), 0.5, training=True).shape
    (2, 3, 4)
    """
    check_probability("feature_alpha_dropout", p)
    floating("feature_alpha_dropout", input)
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: input must be (N, C, …), got shape {tuple(input.shape)}")
    shape = (*input.shape[:2], *[1] * (input.ndim - 2))
    return _alpha("feature_alpha_dropout", input, shape, p, inplace, generator) if training and p else input


def _alpha(name: str, input: Any, shape: tuple[int, ...], p: float, inplace: bool, generator: Any) -> Tensor:
    if p == 1:
        return placed(name, input, input * 0, inplace)
    lowest = -SELU_ALPHA * SELU_SCALE
    a = 1 / math.sqrt((1 - p) * (1 + p * lowest**2))
    kept = _kept(name, input, shape, p, generator).astype(input.dtype)
    shift = (1 - kept) * (lowest * a) - a * p * lowest
    return placed(name, input, input * wrap((kept * a)[()]) + wrap(shift[()]), inplace)
