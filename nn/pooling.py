"""Pooling: one number for each window of a channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd import Tensor
from autograd.errors import describe

from . import functional as F
from .arguments import check_size, check_sizes
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

Ints = int | Sequence[int]
# One number for each dimension; None keeps the size that the input has.
OutputSize = int | None | Sequence[int | None]


class _Pool(Module):
    kernel_size: Ints
    stride: Ints | None
    padding: Ints
    _dims: ClassVar[int]
    _function: ClassVar[Callable[..., Any]]

    def _check(self, **sizes: Any) -> None:
        """Raises the error of the first setting that is neither an int nor one for each dimension."""
        for what, value in sizes.items():
            if value is not None:
                check_sizes(self._get_name(), what, value, self._dims, 0 if what == "padding" else 1)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._check(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """(N, C, …) ↦ (N, C, …), and with ``return_indices`` the pair of that and the indices."""
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest entry of each window; the gradient goes to it alone, to the first of several.

    Arguments:
        kernel_size: the window's size, an int or one for each dimension, as the next three.
        stride: how far the window moves, by default its size.
        padding: −∞ put on each side, at most half the window's size.
        dilation: the distance of the window's entries.
        return_indices: return also where the largest entries are, for ``MaxUnpool1d``.
        ceil_mode: let a last window that begins inside hang over the end.

    Shapes: input (N, C, L) or (C, L), output (N, C, L′) with
    L′ = ⌊(L + 2 padding − dilation (kernel_size − 1) − 1) / stride⌋ + 1, or ⌈…⌉ with ``ceil_mode``.

    Raises:
        ValueError: sizes below their least, too much padding. ShapeError: an input of other dimensions or too small.

    >>> from autograd import tensor
    >>> MaxPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    _dims = 1
    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """``MaxPool1d`` for images, (N, C, H, W) or (C, H, W); sizes are ints or pairs (of H, of W).

    >>> from autograd import ones
    >>> MaxPool2d(3, stride=2, padding=1)(ones(1, 2, 8, 6)).shape
    (1, 2, 4, 3)
    """

    _dims = 2
    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """``MaxPool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W); sizes are ints or triples.

    >>> from autograd import ones
    >>> MaxPool3d((1, 2, 2))(ones(1, 2, 3, 4, 4)).shape
    (1, 2, 3, 2, 2)
    """

    _dims = 3
    _function = staticmethod(F.max_pool3d)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self._check(kernel_size=kernel_size, stride=stride, padding=padding)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) ↦ (N, C, …)."""
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class AvgPool1d(_Pool):
    """The mean of each window.

    Arguments:
        kernel_size: the window's size, an int or one for each dimension, as the next two.
        stride: how far the window moves, by default its size.
        padding: zeros put on each side, at most half the window's size.
        ceil_mode: let a last window that begins inside hang over the end.
        count_include_pad: whether the zeros count in the mean.

    Shapes: input (N, C, L) or (C, L), output (N, C, L′) with L′ = ⌊(L + 2 padding − kernel_size) / stride⌋ + 1, or
    ⌈…⌉ with ``ceil_mode``.

    Raises:
        ValueError: sizes below their least, too much padding. ShapeError: an input of other dimensions or too small.

    >>> from autograd import tensor
    >>> AvgPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    _dims = 1

    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = check_sizes("AvgPool1d", "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else check_sizes("AvgPool1d", "stride", stride, 1)
        self.padding = check_sizes("AvgPool1d", "padding", padding, 1, 0)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) ↦ (N, C, L′)."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPool):
    """``AvgPool1d`` for images, (N, C, H, W) or (C, H, W); sizes are ints or pairs (of H, of W).

    Arguments:
        divisor_override: what the sum of each window is divided by, instead of the number of its entries.

    >>> from autograd import ones
    >>> AvgPool2d(2, divisor_override=1)(ones(1, 2, 4))
    tensor([[[4., 4.]]])
    """

    _dims = 2
    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """``AvgPool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W); ``divisor_override`` as in ``AvgPool2d``.

    >>> from autograd import ones
    >>> AvgPool3d(2, stride=1)(ones(1, 2, 3, 4, 4)).shape
    (1, 2, 2, 3, 3)
    """

    _dims = 3
    _function = staticmethod(F.avg_pool3d)


class _LPPool(_Pool):
    def __init__(
        self, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self._check(kernel_size=kernel_size, stride=stride)
        if not hasattr(norm_type, "__float__"):
            raise TypeError(f"{self._get_name()}: norm_type must be a number, got {describe(norm_type)}")
        if norm_type == 0:
            raise ValueError(f"{self._get_name()}: norm_type must not be 0, got {norm_type!r}")
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) ↦ (N, C, …)."""
        return self._function(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """(Σ xᵖ)^(1/p) over each window, p the norm_type: the sum for 1, near the maximum of positive x for a large p.

    Arguments:
        norm_type: p, not 0.
        kernel_size: the window's size, an int or one for each dimension, as ``stride``.
        stride: how far the window moves, by default its size.
        ceil_mode: let a last window that begins inside hang over the end.

    Shapes: those of ``AvgPool1d`` without padding.

    Raises:
        ValueError: norm_type is 0. ShapeError: an input of other dimensions or too small.

    >>> from autograd import tensor
    >>> LPPool1d(2, 2)(tensor([[3.0, 4.0, 0.0, 1.0]]))
    tensor([[5., 1.]])
    """

    _dims = 1
    _function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """``LPPool1d`` for images, (N, C, H, W) or (C, H, W); sizes are ints or pairs (of H, of W).

    >>> from autograd import ones
    >>> LPPool2d(2, 2)(ones(1, 2, 4))
    tensor([[[2., 2.]]])
    """

    _dims = 2
    _function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """``LPPool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W); sizes are ints or triples.

    >>> from autograd import ones
    >>> LPPool3d(1, 2)(ones(1, 2, 2, 4))
    tensor([[[[8., 8.]]]])
    """

    _dims = 3
    _function = staticmethod(F.lp_pool3d)


class _AdaptivePool(_Pool):
    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        given = output_size if isinstance(output_size, (tuple, list)) else [output_size] * self._dims
        if len(given) != self._dims:
            raise ValueError(
                f"{self._get_name()}: output_size must be an int or {self._dims} ints or Nones, got {output_size!r}"
            )
        for size in given:
            if size is not None:
                check_size(self._get_name(), "output_size", size)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        """(N, C, …) ↦ (N, C, *output_size)."""
        return self._function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means of as many windows as asked for: entry i is that of x from ⌊i L / L′⌋ up to ⌈(i + 1) L / L′⌉.

    Arguments:
        output_size: L′, an int, or one for each dimension; None keeps the size.

    Shapes: input (N, C, L) or (C, L) with any L, output (N, C, L′).

    Raises:
        ValueError: a negative size, or another number of them. ShapeError: an input of other dimensions.

    >>> from autograd import tensor
    >>> AdaptiveAvgPool1d(2)(tensor([[1.0, 3.0, 2.0]]))
    tensor([[2.0000, 2.5000]])
    """

    _dims = 1
    _function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptivePool):
    """``AdaptiveAvgPool1d`` for images, (N, C, H, W) or (C, H, W).

    >>> from autograd import ones
    >>> AdaptiveAvgPool2d((None, 2))(ones(1, 3, 4, 5)).shape
    (1, 3, 4, 2)
    """

    _dims = 2
    _function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptivePool):
    """``AdaptiveAvgPool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W).

    >>> from autograd import ones
    >>> AdaptiveAvgPool3d(1)(ones(2, 3, 4, 5, 6)).shape
    (2, 3, 1, 1, 1)
    """

    _dims = 3
    _function = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """(N, C, …) ↦ (N, C, *output_size), and with ``return_indices`` the pair of that and the indices."""
        return self._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest entries of as many windows as asked for, the windows of ``AdaptiveAvgPool1d``.

    Arguments:
        output_size: L′, an int, or one for each dimension; None keeps the size.
        return_indices: return also where the largest entries are.

    Shapes and errors: those of ``AdaptiveAvgPool1d``.

    >>> from autograd import tensor
    >>> AdaptiveMaxPool1d(2)(tensor([[1.0, 3.0, 2.0]]))
    tensor([[3., 3.]])
    """

    _dims = 1
    _function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """``AdaptiveMaxPool1d`` for images, (N, C, H, W) or (C, H, W).

    >>> from autograd import ones
    >>> AdaptiveMaxPool2d((None, 2))(ones(1, 3, 4, 5)).shape
    (1, 3, 4, 2)
    """

    _dims = 2
    _function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """``AdaptiveMaxPool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W).

    >>> from autograd import ones
    >>> AdaptiveMaxPool3d(1)(ones(2, 3, 4, 5, 6)).shape
    (2, 3, 1, 1, 1)
    """

    _dims = 3
    _function = staticmethod(F.adaptive_max_pool3d)


class _MaxUnpool(_Pool):
    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        name, dims = self._get_name(), self._dims
        self.kernel_size = check_sizes(name, "kernel_size", kernel_size, dims)
        self.stride = self.kernel_size if stride is None else check_sizes(name, "stride", stride, dims)
        self.padding = check_sizes(name, "padding", padding, dims, 0)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The pooled (N, C, …) and its indices ↦ (N, C, …), of the sizes ``output_size`` if given."""
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """What ``MaxPool1d`` kept, back where it was, and zeros elsewhere.

    Arguments:
        kernel_size, stride, padding: those of the pooling.

    Shapes: input (N, C, L) or (C, L), indices of that shape, output (N, C, L′) with
    L′ = (L − 1) stride − 2 padding + kernel_size, or what ``output_size`` says at the call, to choose between the sizes
    that the pooling makes equal.

    Raises:
        IndexError: indices outside the output. ShapeError: indices of another shape, an output_size out of reach.

    >>> from autograd import tensor
    >>> x = tensor([[1.0, 3.0, 2.0, 0.0]])
    >>> MaxUnpool1d(2)(*MaxPool1d(2, return_indices=True)(x))
    tensor([[0., 3., 2., 0.]])
    """

    _dims = 1
    _function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """``MaxUnpool1d`` for images, (N, C, H, W) or (C, H, W); indices count the entries of H · W.

    >>> from autograd import tensor
    >>> MaxUnpool2d(2)(tensor([[[4.0]]]), tensor([[[2]]]))
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    _dims = 2
    _function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """``MaxUnpool1d`` for volumes, (N, C, D, H, W) or (C, D, H, W); indices count the entries of D · H · W.

    >>> from autograd import ones, tensor
    >>> MaxUnpool3d((1, 1, 2))(ones(1, 1, 1, 1), tensor([[[[1]]]]))
    tensor([[[[0., 1.]]]])
    """

    _dims = 3
    _function = staticmethod(F.max_unpool3d)
