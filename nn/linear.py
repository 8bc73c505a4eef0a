"""Affine layers, and those that only pass on or reshape."""

from __future__ import annotations

import math
from typing import Any

import autograd
from autograd import ShapeError, Tensor
from autograd.errors import describe

from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Flatten", "Identity", "Linear"]


class Linear(Module):
    """x Wᵀ + b.

    W and b start uniform on ±1/√in_features, as in PyTorch (kaiming_uniform_ with a = √5).

    Arguments:
        in_features, out_features: the last size of input and output.
        bias: whether there is a b.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (…, in_features), output (…, out_features), ``weight`` (out_features, in_features), ``bias``
    (out_features,).

    Raises:
        ValueError: a size below 0. ShapeError: an input whose last size is not in_features.

    >>> Linear(3, 2)
    Linear(in_features=3, out_features=2, bias=True)
    >>> Linear(3, 2)(autograd.ones(5, 3)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if isinstance(size, bool) or not hasattr(size, "__index__"):
                raise TypeError(f"Linear: {name} must be an int, got {describe(size)}")
            if size < 0:
                raise ValueError(f"Linear: {name} must not be negative, got {size}")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(autograd.empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """(…, in_features) ↦ (…, out_features)."""
        try:
            return autograd.linear(input, self.weight, self.bias)
        except ShapeError as error:
            raise ShapeError(
                f"{self}: wants input of shape (…, {self.in_features}), got {getattr(input, 'shape', describe(input))}"
            ) from error

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """The input itself; takes any arguments, so that it can stand for any layer.

    >>> Identity(54, unused=True)(autograd.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x."""
        return input


class Flatten(Module):
    """Dimensions ``start_dim`` to ``end_dim`` as one; by default all but the first, that of the batch.

    >>> Flatten()(autograd.ones(4, 2, 3)).shape
    (4, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """(N, d₁, d₂, …) ↦ (N, d₁ · d₂ · …)."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
