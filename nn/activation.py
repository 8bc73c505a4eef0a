"""Activations as modules; each maps a Tensor of any shape to one of the same shape."""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(Module):
    """max(x, 0).

    Arguments:
        inplace: put the result into the input's memory.

    >>> from autograd import tensor
    >>> ReLU()(tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ max(x, 0)."""
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).

    >>> from autograd import tensor
    >>> Tanh()(tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ tanh x."""
        return F.tanh(input)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ).

    >>> from autograd import tensor
    >>> Sigmoid()(tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ σ(x)."""
        return F.sigmoid(input)


class Softmax(Module):
    """softmax(x)ᵢ = e^xᵢ / Σⱼ e^xⱼ along dimension ``dim``, which has to be given.

    >>> from autograd import tensor
    >>> Softmax(dim=-1)(tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ softmax(x)."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """ln softmax(x) = x − ln Σⱼ e^xⱼ along dimension ``dim``, which has to be given.

    >>> from autograd import tensor
    >>> LogSoftmax(dim=-1)(tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ ln softmax(x)."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
