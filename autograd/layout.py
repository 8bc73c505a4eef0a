"""Where a Tensor's entries lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GraphError
from .ops.dims import dimension

if TYPE_CHECKING:
    from .tensor import Tensor


def _array(name: str, x: Any) -> Any:
    if not isinstance(x._array, (np.ndarray, np.generic)):
        raise GraphError(f"{name}: inside a compiled function a Tensor has no place in memory")
    return x._array


def is_contiguous(x: Tensor) -> bool:
    """Whether the entries lie in order in memory.

    >>> import autograd
    >>> autograd.zeros(2, 3).T.is_contiguous()
    False
    """
    return bool(_array("is_contiguous", x).flags.c_contiguous)


def stride(x: Tensor, dim: int | None = None) -> Any:
    """How many entries lie between one and the next along each dimension, or along ``dim``.

    >>> import autograd
    >>> autograd.zeros(2, 3).stride()
    (3, 1)
    """
    array = _array("stride", x)
    strides = tuple(s // array.itemsize for s in array.strides)
    return strides if dim is None else strides[dimension("stride", dim, x.ndim)]


def storage_offset(x: Tensor) -> int:
    """How many entries lie before the first one, in the memory that the Tensor is a view of.

    >>> import autograd
    >>> autograd.zeros(4)[2:].storage_offset()
    2
    """
    array = _array("storage_offset", x)
    base = array
    while isinstance(getattr(base, "base", None), np.ndarray):
        base = base.base
    return (_address(array) - _address(base)) // array.itemsize


def data_ptr(x: Tensor) -> int:
    """The address of the first entry."""
    _array("data_ptr", x)
    return _address(x._materialise())


def _address(array: Any) -> int:
    return array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else 0
