"""The one device that there is, and the facts that scripts ask about dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .errors import DTypeError, describe
from .node import Node

__all__ = [
    "can_cast", "device", "finfo", "get_default_device", "iinfo", "is_complex", "is_floating_point",
    "promote_types", "result_type", "set_default_device", "typename",
]  # fmt: skip


class device(str):
    """Where Tensors are: the CPU. Compares equal to ``"cpu"``.

    Raises ValueError for any other device.

    >>> device("cpu").type, device("cpu") == "cpu"
    ('cpu', True)
    """

    __slots__ = ()
    index = None  # type: ignore[assignment]

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> device:
        if str(type) not in ("cpu", "cpu:0") or index not in (None, 0):
            name = str(type) if index is None else f"{type}:{index}"
            raise ValueError(f"device: {name!r} is not supported; there is only 'cpu'")
        return str.__new__(cls, "cpu")

    @property
    def type(self) -> str:
        """``"cpu"``"""
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __enter__(self) -> device:
        return self

    def __exit__(self, *_: object) -> None:
        pass


CPU = device("cpu")


def get_default_device() -> device:
    """Where new Tensors are made: on the CPU.

    >>> get_default_device()
    device(type='cpu')
    """
    return CPU


def set_default_device(device_: Any) -> None:
    """Accepts the CPU, and raises ValueError for any other device."""
    if device_ is not None:
        device(device_)


class finfo:
    """The limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution.

    >>> finfo(dtypes.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, dtype: Any = None) -> None:
        self.dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
        if self.dtype.kind != "f":
            raise DTypeError(f"finfo: wants a floating dtype, got {self.dtype}; use iinfo")
        facts = np.finfo(self.dtype)
        self.bits: int = facts.bits
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, float(getattr(facts, name)))

    def __repr__(self) -> str:
        return f"finfo(dtype={self.dtype}, " + ", ".join(f"{n}={v:.6g}" for n, v in list(vars(self).items())[2:]) + ")"


class iinfo:
    """The limits of an integer dtype: bits, max, min.

    >>> iinfo(dtypes.uint8).max
    255
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtypes.as_dtype(dtype)
        if self.dtype.kind not in "iu":
            raise DTypeError(f"iinfo: wants an integer dtype, got {self.dtype}; use finfo")
        facts = np.iinfo(self.dtype)
        self.bits, self.max, self.min = facts.bits, int(facts.max), int(facts.min)

    def __repr__(self) -> str:
        return f"iinfo(dtype={self.dtype}, max={self.max}, min={self.min})"


def is_floating_point(input: Any) -> bool:
    """Whether a Tensor's dtype is a floating one.

    >>> import autograd
    >>> is_floating_point(autograd.zeros(2)), is_floating_point(autograd.arange(2))
    (True, False)
    """
    return _tensor("is_floating_point", input)._array.dtype.kind == "f"


def is_complex(input: Any) -> bool:
    """False: there are no complex Tensors.

    >>> import autograd
    >>> is_complex(autograd.zeros(2))
    False
    """
    _tensor("is_complex", input)
    return False


def can_cast(from_: Any, to: Any) -> bool:
    """Whether ``from_`` goes into ``to`` without changing kind: not a float into integers, nothing into bool.

    >>> can_cast(dtypes.float64, dtypes.float32), can_cast(dtypes.float32, dtypes.int64)
    (True, False)
    """
    a, b = dtypes.as_dtype(from_), dtypes.as_dtype(to)
    return not (a.kind == "f" and b.kind in "iu") and (b.kind != "b" or a.kind == "b")


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """The dtype in which two dtypes meet.

    >>> promote_types(dtypes.int64, dtypes.float16)
    dtype('float16')
    """
    return dtypes._wider(dtypes.as_dtype(type1), dtypes.as_dtype(type2))


def result_type(tensor1: Any, tensor2: Any) -> np.dtype:
    """The dtype of an operation on two Tensors or numbers.

    >>> import autograd
    >>> result_type(autograd.arange(2), 1.5)
    dtype('float32')
    """
    return dtypes.result_type([x._array if isinstance(x, Node) else x for x in (tensor1, tensor2)])


_TYPE_NAMES = {
    "float32": "FloatTensor", "float64": "DoubleTensor", "float16": "HalfTensor", "int64": "LongTensor",
    "int32": "IntTensor", "int16": "ShortTensor", "int8": "CharTensor", "uint8": "ByteTensor", "bool": "BoolTensor",
}  # fmt: skip


def typename(obj: Any) -> str:
    """``"autograd.FloatTensor"`` and the like for Tensors, the class's full name for anything else.

    >>> import autograd
    >>> typename(autograd.zeros(2)), typename([])
    ('autograd.FloatTensor', 'builtins.list')
    """
    if isinstance(obj, Node):
        name = str(obj.dtype)
        return f"autograd.{_TYPE_NAMES.get(name, name)}"
    kind = obj if isinstance(obj, type) else type(obj)
    return f"{kind.__module__}.{kind.__qualname__}"


def _tensor(name: str, x: Any) -> Node:
    if not isinstance(x, Node):
        raise DTypeError(f"{name}: wants a Tensor, got {describe(x)}")
    return x
