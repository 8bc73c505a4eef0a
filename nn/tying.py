"""A layer that uses another's weight, turned around."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor
from autograd.errors import describe

from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["TiedLinear"]


class TiedLinear(Module):
    """x W + b with the weight W of a Linear layer: the decoder of an autoencoder whose weights are tied.

    The two layers have one weight, which gets the sum of both gradients; ``parameters()`` gives it once, and a
    ``state_dict`` names it under both.

    Source: lectures, parameter tying.

    Arguments:
        linear: the layer whose weight (out_features, in_features) is used.
        bias: whether there is a b of its own, (in_features,), zeros at first.

    Shapes: input (…, linear.out_features), output (…, linear.in_features).

    Raises:
        TypeError: linear is not a Linear layer.

    >>> encoder = Linear(4, 2)
    >>> decoder = TiedLinear(encoder)
    >>> decoder(encoder(autograd.ones(3, 4))).shape, decoder.weight is encoder.weight
    ((3, 4), True)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, linear: Linear, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if not isinstance(linear, Linear):
            raise TypeError(f"TiedLinear: linear must be an nn.Linear, got {describe(linear)}")
        self.weight = linear.weight
        dtype = linear.weight.dtype if dtype is None else dtype
        if bias:
            self.bias = Parameter(autograd.zeros(linear.in_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)

    def forward(self, input: Tensor) -> Tensor:
        """(…, out_features) ↦ (…, in_features)."""
        return autograd.linear(input, self.weight.T, self.bias)

    def extra_repr(self) -> str:
        features = self.weight.shape
        return f"in_features={features[0]}, out_features={features[1]}, bias={self.bias is not None}"
