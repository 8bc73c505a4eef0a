"""Padding: entries put around sequences, images and volumes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import ClassVar

from autograd import ShapeError, Tensor

from . import functional as F
from .arguments import check_sizes
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    padding: tuple[int, ...]
    _dims: ClassVar[int]
    _mode: ClassVar[str] = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        # What is negative is cut off.
        self.padding = check_sizes(self._get_name(), "padding", padding, 2 * self._dims, -sys.maxsize)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) ↦ (N, C, …), larger in the last dimensions."""
        if input.ndim not in (self._dims + 1, self._dims + 2):
            raise ShapeError(
                f"{self._get_name()}: input must have {self._dims + 2} dimensions, (N, C, …), or {self._dims + 1} "
                f"without N, got shape {input.shape}"
            )
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """(…) ↦ (…), larger in the last dimensions."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A number put on both sides of the last dimension.

    Arguments:
        padding: how much on every side, or (before, after); what is negative is cut off.
        value: the number.

    Shapes: input (…, L), output (…, before + L + after).

    Raises:
        TypeError, ValueError: padding is neither an int nor two of them. ShapeError: more is cut off than there is.

    >>> from autograd import tensor
    >>> ConstantPad1d((2, 1), 7.0)(tensor([[1.0, 2.0]]))
    tensor([[7., 7., 1., 2., 7.]])
    """

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """``ConstantPad1d`` of the last two dimensions; padding is an int or (left, right, top, bottom).

    >>> from autograd import ones
    >>> ConstantPad2d((1, 0, 0, 1), 7.0)(ones(1, 2))
    tensor([[7., 1., 1.],
            [7., 7., 7.]])
    """

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """``ConstantPad1d`` of the last three dimensions; padding is an int or (left, right, top, bottom, front, back).

    >>> from autograd import ones
    >>> ConstantPad3d((0, 0, 1, 1, 2, 2), 7.0)(ones(1, 3, 4, 5)).shape
    (1, 7, 6, 5)
    """

    _dims = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Zeros put on both sides of the last dimension; padding as in ``ConstantPad1d``.

    >>> from autograd import tensor
    >>> ZeroPad1d((2, 1))(tensor([[1.0, 2.0]]))
    tensor([[0., 0., 1., 2., 0.]])
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Zeros put around the last two dimensions; padding as in ``ConstantPad2d``.

    >>> from autograd import ones
    >>> ZeroPad2d(1)(ones(1, 1))
    tensor([[0., 0., 0.],
            [0., 1., 0.],
            [0., 0., 0.]])
    """


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Zeros put around the last three dimensions; padding as in ``ConstantPad3d``.

    >>> from autograd import ones
    >>> ZeroPad3d(1)(ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """


class ReflectionPad1d(_Pad):
    """Sequences continued by their own mirror image, without repeating the outermost entry.

    Arguments:
        padding: how much on every side, or (before, after), each below L; what is negative is cut off.

    Shapes: input (N, C, L) or (C, L), output with before + L + after for L.

    Raises:
        TypeError, ValueError: padding is neither an int nor two of them. ShapeError: it is larger than what there is to
        mirror, or the input has other dimensions.

    >>> from autograd import tensor
    >>> ReflectionPad1d((2, 1))(tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2.]])
    """

    _dims, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """``ReflectionPad1d`` of images, (N, C, H, W) or (C, H, W); padding is an int or (left, right, top, bottom).

    >>> from autograd import arange
    >>> ReflectionPad2d((1, 0, 1, 0))(arange(4.0).reshape(1, 2, 2))
    tensor([[[3., 2., 3.],
             [1., 0., 1.],
             [3., 2., 3.]]])
    """

    _dims, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """``ReflectionPad1d`` of volumes; padding is an int or (left, right, top, bottom, front, back).

    >>> from autograd import ones
    >>> ReflectionPad3d(1)(ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    _dims, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Sequences continued by their outermost entries.

    Arguments:
        padding: how much on every side, or (before, after); what is negative is cut off.

    Shapes: input (N, C, L) or (C, L), output with before + L + after for L.

    Raises:
        TypeError, ValueError: padding is neither an int nor two of them. ShapeError: the input has other dimensions.

    >>> from autograd import tensor
    >>> ReplicationPad1d((2, 1))(tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    _dims, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """``ReplicationPad1d`` of images, (N, C, H, W) or (C, H, W); padding is an int or (left, right, top, bottom).

    >>> from autograd import arange
    >>> ReplicationPad2d((1, 0, 1, 0))(arange(4.0).reshape(1, 2, 2))
    tensor([[[0., 0., 1.],
             [0., 0., 1.],
             [2., 2., 3.]]])
    """

    _dims, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """``ReplicationPad1d`` of volumes; padding is an int or (left, right, top, bottom, front, back).

    >>> from autograd import ones
    >>> ReplicationPad3d(1)(ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    _dims, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Sequences continued by their other end, as if they were closed to a ring.

    Arguments:
        padding: how much on every side, or (before, after), each at most L; what is negative is cut off.

    Shapes: input (N, C, L) or (C, L), output with before + L + after for L.

    Raises:
        TypeError, ValueError: padding is neither an int nor two of them. ShapeError: it goes more than once around, or
        the input has other dimensions.

    >>> from autograd import tensor
    >>> CircularPad1d((2, 1))(tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1.]])
    """

    _dims, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """``CircularPad1d`` of images, (N, C, H, W) or (C, H, W); padding is an int or (left, right, top, bottom).

    >>> from autograd import arange
    >>> CircularPad2d((1, 0, 1, 0))(arange(4.0).reshape(1, 2, 2))
    tensor([[[3., 2., 3.],
             [1., 0., 1.],
             [3., 2., 3.]]])
    """

    _dims, _mode = 2, "circular"


class CircularPad3d(_Pad):
    """``CircularPad1d`` of volumes; padding is an int or (left, right, top, bottom, front, back).

    >>> from autograd import ones
    >>> CircularPad3d(1)(ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    _dims, _mode = 3, "circular"
