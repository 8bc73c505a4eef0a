"""Affine layers, and those that only pass on or reshape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten"]


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
        self.in_features = check_size("Linear", "in_features", in_features)
        self.out_features = check_size("Linear", "out_features", out_features)
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
        return autograd.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """x₁ᵀ W_o x₂ + b_o for each output o.

    W and b start uniform on ±1/√in1_features.

    Arguments:
        in1_features, in2_features: the last sizes of the two inputs.
        out_features: the last size of the output.
        bias: whether there is a b.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input1 (…, in1_features), input2 (…, in2_features), output (…, out_features), ``weight``
    (out_features, in1_features, in2_features), ``bias`` (out_features,).

    Raises:
        ValueError: in1_features is below 1. ShapeError: inputs of other last sizes, or of leading ones that differ.

    >>> Bilinear(3, 4, 2)(autograd.ones(5, 3), autograd.ones(5, 4)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features = check_size("Bilinear", "in1_features", in1_features, 1)
        self.in2_features = check_size("Bilinear", "in2_features", in2_features)
        self.out_features = check_size("Bilinear", "out_features", out_features)
        shape = (self.out_features, self.in1_features, self.in2_features)
        self.weight = Parameter(autograd.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """(…, in1_features), (…, in2_features) ↦ (…, out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


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
        return autograd.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One dimension as several: the opposite of ``Flatten``.

    Arguments:
        dim: which dimension.
        unflattened_size: its new sizes, a tuple or list of ints whose product is the old size; one may be −1.

    Raises:
        TypeError: the sizes are not ints. ShapeError: their product is not the old size.

    >>> Unflatten(1, (2, 3))(autograd.ones(4, 6)).shape
    (4, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, str):
            raise TypeError(f"Unflatten: named dimensions are not supported, got dim={dim!r}; give its number")
        if not isinstance(unflattened_size, (tuple, list)) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {unflattened_size!r}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """(…, d₁ · d₂ · …, …) ↦ (…, d₁, d₂, …, …)."""
        return autograd.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
