"""Convolutions, their transposes, and the windows that both are about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from . import init
from .arguments import check_size, check_sizes
from .module import Module
from .parameter import Parameter

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Fold", "Unfold",
]  # fmt: skip

Ints = int | Sequence[int]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """The parameters of a convolution or of its transpose, and how it moves."""

    weight: Parameter
    bias: Parameter | None
    transposed: bool
    _dims: ClassVar[int]
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: Ints | str,
        dilation: Ints,
        output_padding: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        name, dims = self._get_name(), self._dims
        self.in_channels = check_size(name, "in_channels", in_channels)
        self.out_channels = check_size(name, "out_channels", out_channels)
        self.groups = check_size(name, "groups", groups, 1)
        for what, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % groups:
                raise ValueError(f"{name}: {what} must be a multiple of groups={groups}, got {channels}")
        self.kernel_size = check_sizes(name, "kernel_size", kernel_size, dims)
        self.stride = check_sizes(name, "stride", stride, dims)
        self.dilation = check_sizes(name, "dilation", dilation, dims)
        self.padding: tuple[int, ...] | str
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"{name}: padding must be ints, 'same' or 'valid', got {padding!r}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(f"{name}: padding='same' wants stride 1, got {self.stride}")
            self.padding = padding
        else:
            self.padding = check_sizes(name, "padding", padding, dims, 0)
        self.output_padding = check_sizes(name, "output_padding", output_padding, dims, 0)
        self.padding_mode = padding_mode
        before, after = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (before, after // groups, *self.kernel_size)
        self.weight = Parameter(autograd.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = (0,) * self._dims
        if self.padding != usual:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self._dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != usual:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_Convolution):
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"{self._get_name()}: padding_mode must be one of {', '.join(map(repr, _PADDING_MODES))}, "
                f"got {padding_mode!r}"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """(N, in, …) ↦ (N, out, …)."""
        padding: Ints | str = self.padding
        # An input that does not fit stays as it is, so that the error tells what was given.
        fits = self.padding_mode != "zeros" and input.ndim in (self._dims + 1, self._dims + 2)
        if fits and input.shape[-self._dims - 1] == self.in_channels:
            input, padding = F.pad(input, self._pads(), self.padding_mode), 0
        return self._function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _pads(self) -> list[int]:
        """What ``pad`` wants: before and after the last dimension, then those of the dimension before it."""
        if isinstance(self.padding, tuple):
            return [p for padding in reversed(self.padding) for p in (padding, padding)]
        if self.padding == "valid":
            return [0, 0] * self._dims
        spans = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [p for span in reversed(spans) for p in (span // 2, span - span // 2)]


class Conv1d(_Conv):
    """yₒ[t] = bₒ + Σ_c Σ_k w[o, c, k] · x[c, stride · t + dilation · k − padding]: a kernel that moves along sequences.

    w and b start uniform on ±1/√(in_channels / groups · entries of the kernel), as in PyTorch.

    Arguments:
        in_channels, out_channels: of input and output; multiples of ``groups``.
        kernel_size: an int, or one for each dimension, as the next three.
        stride: how far the kernel moves from one output to the next.
        padding: how much is put on each side, or ``"same"``, so that the size stays (stride 1), or ``"valid"``, none.
        dilation: the distance of the kernel's entries.
        groups: input and output channels are split into so many groups that do not see each other.
        bias: whether there is a b.
        padding_mode: what is put there: ``"zeros"``; ``"reflect"``, mirrored at the outermost entry; ``"replicate"``,
            that entry; ``"circular"``, the other end.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, L′) with
    L′ = ⌊(L + 2 padding − dilation (kernel_size − 1) − 1) / stride⌋ + 1, ``weight`` (out_channels,
    in_channels / groups, kernel_size), ``bias`` (out_channels,).

    Raises:
        ValueError: sizes below their least, channels that groups does not divide, an unknown padding.
        ShapeError: an input of other channels or dimensions, or one that the kernel does not fit into.

    Source: LeCun and others, Backpropagation Applied to Handwritten Zip Code Recognition, 1989; for the sizes Dumoulin
    and Visin, A guide to convolution arithmetic for deep learning, 2016.

    >>> Conv1d(2, 4, 3, padding="same")
    Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same)
    >>> Conv1d(2, 4, 3, stride=2)(autograd.ones(5, 2, 9)).shape
    (5, 4, 4)
    """

    _dims = 1
    _function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """``Conv1d`` for images, (N, in_channels, H, W) or without N; sizes are ints or pairs (of H, of W).

    >>> Conv2d(3, 8, (3, 5), padding=(1, 2), padding_mode="reflect")(autograd.ones(2, 3, 6, 7)).shape
    (2, 8, 6, 7)
    """

    _dims = 2
    _function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """``Conv1d`` for volumes, (N, in_channels, D, H, W) or without N; sizes are ints or triples.

    >>> Conv3d(1, 2, 3, stride=(1, 2, 2))(autograd.ones(1, 1, 4, 5, 5)).shape
    (1, 2, 2, 2, 2)
    """

    _dims = 3
    _function = staticmethod(F.conv3d)


class _ConvTranspose(_Convolution):
    transposed = True
    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        name = self._get_name()
        if padding_mode != "zeros":
            raise ValueError(f"{name}: padding_mode can only be 'zeros', got {padding_mode!r}; pad the input instead")
        if isinstance(padding, str):
            raise ValueError(f"{name}: padding must be an int or {self._dims} of them, got {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, in, …) ↦ (N, out, …), of the spatial sizes ``output_size`` if given."""
        extra = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        dims, sizes = self._dims, tuple(output_size)
        if input.ndim not in (dims + 1, dims + 2):
            raise ShapeError(
                f"{self._get_name()}: input must have {dims + 2} dimensions, (N, C, …), or {dims + 1} without N, "
                f"got shape {input.shape}"
            )
        if len(sizes) == input.ndim:
            sizes = sizes[-dims:]
        if len(sizes) != dims:
            raise ShapeError(
                f"{self._get_name()}: output_size must have {dims} entries, or {input.ndim} with those of batch and "
                f"channels, got {tuple(output_size)}"
            )
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-dims:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        extra = tuple(size - low for size, low in zip(sizes, least, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ShapeError(
                f"{self._get_name()}: output_size must lie within {least} and {most} for an input of shape "
                f"{input.shape}, got {list(sizes)}"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """The transpose of ``Conv1d`` as a linear map, plus b: each entry of the input paints a kernel, scaled by it.

    With the arguments of a convolution it leads from the sizes of that one's output back to those of its input.

    Arguments:
        in_channels, out_channels, kernel_size, stride, groups, bias, dilation, device, dtype: as in ``Conv1d``.
        padding: how much is cut off on each side.
        output_padding: how much is added at the end, below stride or dilation: a choice between the sizes that a
            convolution with stride maps to one. ``layer(x, output_size=…)`` chooses at the call instead.
        padding_mode: must be ``"zeros"``.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, L′) with
    L′ = (L − 1) stride − 2 padding + dilation (kernel_size − 1) + output_padding + 1, ``weight`` (in_channels,
    out_channels / groups, kernel_size), ``bias`` (out_channels,).

    Raises:
        ValueError: as in ``Conv1d``. ShapeError: an input of other channels or dimensions, an output_size out of reach.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.

    >>> up = ConvTranspose1d(2, 4, 3, stride=2)
    >>> up(autograd.ones(5, 2, 4)).shape, up(autograd.ones(5, 2, 4), output_size=[10]).shape
    ((5, 4, 9), (5, 4, 10))
    """

    _dims = 1
    _function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """``ConvTranspose1d`` for images, (N, in_channels, H, W) or without N; sizes are ints or pairs (of H, of W).

    >>> ConvTranspose2d(8, 3, 4, stride=2, padding=1)(autograd.ones(2, 8, 5, 7)).shape
    (2, 3, 10, 14)
    """

    _dims = 2
    _function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """``ConvTranspose1d`` for volumes, (N, in_channels, D, H, W) or without N; sizes are ints or triples.

    >>> ConvTranspose3d(2, 1, 2, stride=2)(autograd.ones(1, 2, 2, 3, 3)).shape
    (1, 1, 4, 6, 6)
    """

    _dims = 3
    _function = staticmethod(F.conv_transpose3d)


class _Windows(Module):
    def __init__(self, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints) -> None:
        super().__init__()
        for what, value, least in (
            ("kernel_size", kernel_size, 1), ("dilation", dilation, 1), ("padding", padding, 0), ("stride", stride, 1),
        ):  # fmt: skip
            check_sizes(self._get_name(), what, value, 2, least)
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Unfold(_Windows):
    """Every window of an image as a column, so that a convolution is a product of matrices.

    Arguments:
        kernel_size, dilation, padding, stride: which windows, ints or pairs (of H, of W), as in ``Conv2d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C · kH · kW, number of windows).

    Raises:
        ShapeError: an input of other dimensions, or without room for one window.

    >>> Unfold(2)(autograd.arange(6.0).reshape(1, 2, 3))
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """

    def __init__(self, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) ↦ (N, C · kH · kW, windows)."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Windows):
    """Columns of windows put back into an image, and added where they overlap: the transpose of ``Unfold``.

    Arguments:
        output_size: (H, W) of the image, or an int for both.
        kernel_size, dilation, padding, stride: as in ``Unfold``.

    Shapes: input (N, C · kH · kW, number of windows) or without N, output (N, C, H, W).

    Raises:
        ShapeError: rows that the kernel's size does not divide, or a number of windows that does not fit.

    >>> Fold((2, 3), 2)(autograd.ones(4, 2))
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """

    def __init__(
        self, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        check_sizes("Fold", "output_size", output_size, 2)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """(N, C · kH · kW, windows) ↦ (N, C, H, W)."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
