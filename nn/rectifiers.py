"""Rectifiers as modules: activations that pass on what is positive, and little of what is negative."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor

from . import functional as F
from .activation import Hardtanh, InPlace
from .arguments import check_size
from .init import constant_
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU", "ELU", "GELU", "Hardswish", "LeakyReLU", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU",
    "Softplus", "Threshold",
]  # fmt: skip


class ReLU(InPlace):
    """max(x, 0).

    Arguments:
        inplace: put the result into the input's memory.

    >>> from autograd import tensor
    >>> ReLU()(tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    _function = staticmethod(F.relu)


class ReLU6(Hardtanh):
    """min(max(x, 0), 6).

    Arguments:
        inplace: put the result into the input's memory.

    >>> from autograd import tensor
    >>> ReLU6()(tensor([-1.0, 2.0, 7.0]))
    tensor([0., 2., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return InPlace.extra_repr(self)  # without the bounds


class LeakyReLU(InPlace):
    """x for x > 0, negative_slope · x below: max(x, k x), for a slope k below 1.

    Arguments:
        negative_slope: k.
        inplace: put the result into the input's memory.

    Source: Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013; lectures.

    >>> from autograd import tensor
    >>> LeakyReLU(0.1)(tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x or negative_slope · x."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return self._with_settings(f"negative_slope={self.negative_slope}")


class RReLU(InPlace):
    """x for x > 0, a x below: while training with an a for each entry, uniform from [lower, upper), else their mean.

    Arguments:
        lower, upper: between what the slopes lie.
        inplace: put the result into the input's memory.

    Raises:
        ValueError: lower is above upper.

    Source: Xu, Wang, Chen and Li, Empirical Evaluation of Rectified Activations in Convolutional Network, 2015.

    >>> from autograd import tensor
    >>> RReLU(0.2, 0.4).eval()(tensor([-1.0, 2.0]))
    tensor([-0.3000,  2.0000])
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not lower <= upper:
            raise ValueError(f"RReLU: lower must not be above upper, got {lower} and {upper}")
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x or a x."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return self._with_settings(f"lower={self.lower}, upper={self.upper}")


class PReLU(Module):
    """x for x > 0, w x below, where w is learned.

    Arguments:
        num_parameters: 1, or the number of channels, for a w for each.
        init: what w starts at.
        device: None or ``"cpu"``.
        dtype: of w, the default dtype by default.

    Shapes: any for one w, else (N, C, …), ``weight`` (num_parameters,).

    Raises:
        ValueError: num_parameters is below 1. ShapeError: an input of another number of channels.

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015; lectures.

    >>> from autograd import tensor
    >>> PReLU()(tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = check_size("PReLU", "num_parameters", num_parameters, 1)
        self.init = init
        self.weight = Parameter(autograd.empty(self.num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets w to ``init``."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x or w x."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class _Exponential(InPlace):
    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ the function of x."""
        return self._function(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self._with_settings(f"alpha={self.alpha}")


class ELU(_Exponential):
    """x for x > 0, alpha (eˣ − 1) below.

    The lectures write a eˣ − 1 for the part below, which is the same for a = 1 and jumps at 0 for any other a.

    Arguments:
        alpha: what the function comes to on the left, with a minus.
        inplace: put the result into the input's memory.

    Source: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units,
    2016; lectures.

    >>> from autograd import tensor
    >>> ELU()(tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    _function = staticmethod(F.elu)


class CELU(_Exponential):
    """x for x > 0, alpha (e^(x / alpha) − 1) below: ``ELU`` with slope 1 at 0 for every alpha.

    Arguments:
        alpha: what the function comes to on the left, with a minus; not 0.
        inplace: put the result into the input's memory.

    Source: Barron, Continuously Differentiable Exponential Linear Units, 2017.

    >>> from autograd import tensor
    >>> CELU(2.0)(tensor([-2.0, 2.0]))
    tensor([-1.2642,  2.0000])
    """

    _function = staticmethod(F.celu)


class SELU(InPlace):
    """λx for x > 0, λα (eˣ − 1) below, with the λ and α that bring the layers' activations to mean 0 and variance 1.

    Weights are to start with mean 0 and variance 1 / fan-in, and ``AlphaDropout`` is the dropout to use.

    Arguments:
        inplace: put the result into the input's memory.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks, 2017.

    >>> from autograd import tensor
    >>> SELU()(tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    _function = staticmethod(F.selu)


class SiLU(InPlace):
    """x σ(x), also called swish.

    Arguments:
        inplace: put the result into the input's memory.

    Source: Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units, 2018.

    >>> from autograd import tensor
    >>> SiLU()(tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """

    _function = staticmethod(F.silu)


class Mish(InPlace):
    """x tanh(ln(1 + eˣ)).

    Arguments:
        inplace: put the result into the input's memory.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Neural Activation Function, 2019.

    >>> from autograd import tensor
    >>> Mish()(tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """

    _function = staticmethod(F.mish)


class GELU(Module):
    """x Φ(x), with Φ the distribution function of the standard normal distribution.

    Arguments:
        approximate: ``"none"``, or ``"tanh"`` for x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    >>> from autograd import tensor
    >>> GELU()(tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x Φ(x)."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardswish(InPlace):
    """x (x / 6 + 1/2) with the second factor cut off at 0 and 1: ``SiLU`` without the exponential.

    Arguments:
        inplace: put the result into the input's memory.

    Source: Howard and others, Searching for MobileNetV3, 2019.

    >>> from autograd import tensor
    >>> Hardswish()(tensor([0.0, 1.5, 4.0]))
    tensor([0.0000, 1.1250, 4.0000])
    """

    _function = staticmethod(F.hardswish)

    def extra_repr(self) -> str:
        return ""


class Softplus(Module):
    """ln(1 + e^βx) / β, a smooth max(x, 0); x itself where βx is above the threshold.

    Arguments:
        beta: β, the larger, the nearer to ``ReLU``.
        threshold: from where on it is taken to be x.

    >>> from autograd import tensor
    >>> Softplus()(tensor([0.0, 1.0]))
    tensor([0.6931, 1.3133])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ ln(1 + e^βx) / β."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Threshold(InPlace):
    """x where it is above the threshold, ``value`` elsewhere.

    Arguments:
        threshold, value: the two numbers.
        inplace: put the result into the input's memory.

    >>> from autograd import tensor
    >>> Threshold(0.5, 9.0)(tensor([-1.0, 2.0]))
    tensor([9., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ x or ``value``."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return self._with_settings(f"threshold={self.threshold}, value={self.value}")
