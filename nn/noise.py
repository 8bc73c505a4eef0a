"""Gaussian noise on what passes through, while training."""

from __future__ import annotations

import autograd
from autograd import Generator, Tensor

from .module import Module

__all__ = ["GaussianNoise"]


class GaussianNoise(Module):
    """x + ε with ε ~ N(0, std²) for each entry while training, x itself in eval mode.

    Before the first layer it is noise on the inputs, which for a linear model and a square loss comes to the penalty
    std² Σ w² on average; behind a layer, noise on its activations. As the parametrization of a weight it is noise on
    that weight, drawn anew whenever the weight is used, and the gradient goes to the weight without it:

    >>> import nn
    >>> layer = nn.Linear(3, 2)
    >>> _ = nn.utils.parametrize.register_parametrization(layer, "weight", nn.GaussianNoise(0.1))
    >>> bool((layer.weight == layer.weight).all()), bool((layer.eval().weight == layer.weight).all())
    (False, True)

    Source: lectures, noise added to the inputs; Bishop 1995, Training with noise is equivalent to Tikhonov
    regularization.

    Arguments:
        std: the noise's standard deviation, not negative.
        generator: the source of randomness; the common stream by default.

    Shapes: any floating Tensor, and the output alike.

    Raises:
        ValueError: a negative std.

    >>> noise = nn.GaussianNoise(0.5)
    >>> noise.eval()(autograd.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, std: float, generator: Generator | None = None) -> None:
        super().__init__()
        if not std >= 0:
            raise ValueError(f"GaussianNoise: std must not be negative, got {std}")
        self.std = std
        self.generator = generator

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x + ε."""
        if not self.training or self.std == 0:
            return input
        return input + self.std * autograd.randn(*input.shape, dtype=input.dtype, generator=self.generator)

    def extra_repr(self) -> str:
        return f"std={self.std}"
