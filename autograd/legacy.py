"""The older ways of PyTorch's to make a Tensor, which much code still has: ``LongTensor([1, 2])``, ``w.new(2, 3)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .creation import as_tensor, empty, tensor
from .node import Node

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "Variable",
]  # fmt: skip


def _made(name: str, dtype: np.dtype, args: tuple[Any, ...]) -> Tensor:
    if len(args) == 1 and isinstance(args[0], (list, np.ndarray, Node)):
        return tensor(args[0], dtype)
    if len(args) == 1 and isinstance(args[0], tuple):
        # In PyTorch a Size gives the sizes and a tuple the data; here shapes are tuples.
        raise TypeError(
            f"{name}: the tuple {args[0]} could be sizes or data; write empty({args[0]}) or tensor({list(args[0])})"
        )
    return empty(*(args or (0,)), dtype=dtype)


def new(x: Tensor, *args: Any) -> Tensor:
    """A Tensor of x's dtype: with the entries of a list, an array or a Tensor, or uninitialised with the given sizes.

    ``new_tensor``, ``new_zeros`` and ``new_empty`` say which of the two is meant.

    >>> import autograd
    >>> autograd.zeros(1).new(2, 3).zero_().shape
    (2, 3)
    >>> autograd.zeros(1).new([1, 2])
    tensor([1., 2.])
    """
    return _made("new", x.dtype, args)


class _OfDtype(type):
    """Tensors of its dtype are the instances of such a class."""

    _dtype: np.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Node) and instance._array.dtype == cls._dtype

    def __call__(cls, *args: Any) -> Any:
        return _made(cls.__name__, cls._dtype, args)


class FloatTensor(metaclass=_OfDtype):
    """A float32 Tensor: of a list, an array or a Tensor, or uninitialised with the given sizes.

    >>> FloatTensor([1, 2])
    tensor([1., 2.])
    >>> isinstance(FloatTensor(2, 3), FloatTensor)
    True
    """

    _dtype = dtypes.float32


class DoubleTensor(metaclass=_OfDtype):
    """A float64 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.float64


class HalfTensor(metaclass=_OfDtype):
    """A float16 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.float16


class LongTensor(metaclass=_OfDtype):
    """An int64 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.int64


class IntTensor(metaclass=_OfDtype):
    """An int32 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.int32


class ShortTensor(metaclass=_OfDtype):
    """An int16 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.int16


class CharTensor(metaclass=_OfDtype):
    """An int8 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.int8


class ByteTensor(metaclass=_OfDtype):
    """A uint8 Tensor; see ``FloatTensor``."""

    _dtype = dtypes.uint8


class BoolTensor(metaclass=_OfDtype):
    """A bool Tensor; see ``FloatTensor``."""

    _dtype = dtypes.bool_


class _OfTensors(type):
    """Every Tensor is an instance of such a class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Node)

    def __call__(cls, data: Any, requires_grad: bool = False) -> Tensor:
        out = as_tensor(data).detach()
        out.requires_grad = requires_grad
        return out


class Variable(metaclass=_OfTensors):
    """The Tensor itself, as a leaf: since PyTorch 0.4 Tensors have gradients themselves.

    >>> Variable(tensor([1.0, 2.0]), requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
