"""Activations as modules; each maps a Tensor to one of the same shape, but for ``GLU`` and ``Maxout``.

Those that pass on what is positive are in ``rectifiers``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = [
    "GLU", "Hardshrink", "Hardsigmoid", "Hardtanh", "LogSigmoid", "LogSoftmax", "Maxout", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softshrink", "Softsign", "Step", "Tanh", "Tanhshrink",
]  # fmt: skip


class _Plain(Module):
    """A function of the input alone."""

    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ the function of x."""
        return self._function(input)


class InPlace(Module):
    """A function of the input that may write into it."""

    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ the function of x."""
        return self._function(input, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""

    def _with_settings(self, settings: str) -> str:
        return f"{settings}, inplace=True" if self.inplace else settings


class Tanh(_Plain):
    """tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2 σ(2x) − 1.

    >>> from autograd import tensor
    >>> Tanh()(tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    _function = staticmethod(F.tanh)


class Sigmoid(_Plain):
    """σ(x) = 1 / (1 + e⁻ˣ), the logistic function.

    >>> from autograd import tensor
    >>> Sigmoid()(tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """

    _function = staticmethod(F.sigmoid)


class LogSigmoid(_Plain):
    """ln σ(x) = −ln(1 + e⁻ˣ), without underflow.

    >>> from autograd import tensor
    >>> LogSigmoid()(tensor([0.0, -1000.0]))
    tensor([-6.9315e-01, -1.0000e+03])
    """

    _function = staticmethod(F.logsigmoid)


class Softsign(_Plain):
    """x / (1 + |x|), with slope 1 / (1 + |x|)²: it saturates more slowly than tanh.

    >>> from autograd import tensor
    >>> Softsign()(tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    _function = staticmethod(F.softsign)


class Tanhshrink(_Plain):
    """x − tanh x.

    >>> from autograd import tensor
    >>> Tanhshrink()(tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """

    _function = staticmethod(F.tanhshrink)


class Step(Module):
    """0 for x < 0, 1 elsewhere: the first neurons' threshold, with gradient 0 everywhere.

    Gradient descent moves nothing that is in front of it, which is why ``Sigmoid``, ``Tanh`` and ``ReLU`` took its
    place; σ(βx) comes to it as β grows.

    Source: lectures; McCulloch and Pitts, A Logical Calculus of the Ideas Immanent in Nervous Activity, 1943.

    >>> from autograd import tensor
    >>> Step()(tensor([-0.5, 0.0, 2.0]))
    tensor([0., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ 0 or 1."""
        # Unlike a comparison, sign keeps the input in the graph, so that what is in front gets gradients of 0.
        return autograd.clamp(autograd.sign(input) + 1, max=1)


class Hardsigmoid(InPlace):
    """x / 6 + 1/2, cut off at 0 and 1.

    Arguments:
        inplace: put the result into the input's memory.

    >>> from autograd import tensor
    >>> Hardsigmoid()(tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    _function = staticmethod(F.hardsigmoid)

    def extra_repr(self) -> str:
        return ""


class Hardtanh(InPlace):
    """x, cut off at min_val and max_val; the gradient is 0 there and beyond.

    Arguments:
        min_val, max_val: the bounds.
        inplace: put the result into the input's memory.
        min_value, max_value: older names of the bounds, with a warning.

    Raises:
        ValueError: max_val is not above min_val.

    >>> from autograd import tensor
    >>> Hardtanh()(tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        if min_value is not None or max_value is not None:
            warnings.warn(
                "Hardtanh: min_value and max_value are older names; say min_val and max_val",
                FutureWarning,
                stacklevel=2,
            )
            min_val = min_val if min_value is None else min_value
            max_val = max_val if max_value is None else max_value
        if not max_val > min_val:
            raise ValueError(f"{self._get_name()}: max_val must be above min_val, got {max_val} and {min_val}")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ min(max(x, min_val), max_val)."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return self._with_settings(f"min_val={self.min_val}, max_val={self.max_val}")


class _Shrink(_Plain):
    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ the function of x."""
        return self._function(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(_Shrink):
    """x where |x| is above lambd, 0 elsewhere.

    >>> from autograd import tensor
    >>> Hardshrink()(tensor([-1.0, 0.25, 2.0]))
    tensor([-1.,  0.,  2.])
    """

    _function = staticmethod(F.hardshrink)


class Softshrink(_Shrink):
    """x brought nearer to 0 by lambd, at least 0, and no further than to 0.

    >>> from autograd import tensor
    >>> Softshrink()(tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    _function = staticmethod(F.softshrink)


class _Along(_Plain):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ the function of x, along ``dim``."""
        return self._function(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Along):
    """softmax(x)ᵢ = e^xᵢ / Σⱼ e^xⱼ along dimension ``dim``, which has to be given.

    >>> from autograd import tensor
    >>> Softmax(dim=-1)(tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    _function = staticmethod(F.softmax)


class LogSoftmax(_Along):
    """ln softmax(x) = x − ln Σⱼ e^xⱼ along dimension ``dim``, which has to be given.

    >>> from autograd import tensor
    >>> LogSoftmax(dim=-1)(tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    _function = staticmethod(F.log_softmax)


class Softmin(_Along):
    """softmax(−x) along dimension ``dim``, which has to be given.

    >>> from autograd import tensor
    >>> Softmin(dim=-1)(tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    _function = staticmethod(F.softmin)


class GLU(_Along):
    """a σ(b), where a and b are the first and the second half of the input along ``dim``.

    Arguments:
        dim: along which dimension, of even size; the output has half of it.

    Raises:
        ShapeError: the size is odd.

    Source: Dauphin, Fan, Auli and Grangier, Language Modeling with Gated Convolutional Networks, 2017.

    >>> from autograd import tensor
    >>> GLU()(tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    _function = staticmethod(F.glu)

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)


class Softmax2d(Module):
    """``Softmax`` over the channels at each pixel.

    Shapes: input (N, C, H, W) or (C, H, W), output the same.

    Raises:
        ShapeError: an input of other dimensions.

    >>> import autograd
    >>> Softmax2d()(autograd.zeros(4, 1, 2))[0]
    tensor([[0.2500, 0.2500]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """x ↦ softmax(x) over the channels."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: input must be (N, C, H, W) or (C, H, W), got shape {input.shape}")
        return F.softmax(input, -3)


class Maxout(Module):
    """max(W₁x + b₁, …, W_k x + b_k), entry by entry: a unit that learns its own convex activation, with k pieces.

    With W₂ = 0 and b₂ = 0 it is ``ReLU`` behind ``Linear``, with W₂ = s W₁ and b₂ = s b₁ ``LeakyReLU`` with slope s.
    The parameters start as those of one ``Linear`` with ``pieces`` outputs for each unit.

    Arguments:
        in_features, out_features: the last size of input and output.
        pieces: k, at least 1; the lectures' 2 doubles the parameters of a ``Linear``.
        bias: whether there are bᵢ.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (…, in_features), output (…, out_features), ``weight`` (out_features · pieces, in_features) with
    the pieces of one unit side by side, ``bias`` (out_features · pieces,).

    Raises:
        ValueError: a size below its least. ShapeError: an input whose last size is not in_features.

    Source: Goodfellow and others, Maxout Networks, 2013; lectures.

    >>> Maxout(3, 2)(autograd.ones(5, 3)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = check_size("Maxout", "in_features", in_features)
        self.out_features = check_size("Maxout", "out_features", out_features)
        self.pieces = check_size("Maxout", "pieces", pieces, 1)
        rows = self.out_features * self.pieces
        self.weight = Parameter(autograd.empty(rows, self.in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(rows, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew, as those of ``Linear``."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """(…, in_features) ↦ (…, out_features)."""
        outputs = F.linear(input, self.weight, self.bias)
        return outputs.unflatten(-1, (self.out_features, self.pieces)).max(-1).values  # (…, out, k) ↦ (…, out)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, pieces={self.pieces}, "
            f"bias={self.bias is not None}"
        )
