"""Dtype names, the default dtype, and PyTorch's rules for mixing dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DTypeError

__all__ = [
    "bool", "bool_", "double", "float", "float16", "float32", "float64", "get_default_dtype", "half",
    "int", "int16", "int32", "int64", "int8", "long", "set_default_dtype", "short", "uint16", "uint32",
    "uint64", "uint8",
]  # fmt: skip

_bool, _int, _float, _complex = bool, int, float, complex

float16 = half = np.dtype("float16")
float32 = float = np.dtype("float32")
float64 = double = np.dtype("float64")
uint8 = np.dtype("uint8")
uint16, uint32, uint64 = np.dtype("uint16"), np.dtype("uint32"), np.dtype("uint64")
int8 = np.dtype("int8")
int16 = short = np.dtype("int16")
int32 = int = np.dtype("int32")
int64 = long = np.dtype("int64")
bool_ = bool = np.dtype("bool")

# NumPy's kind letters in the order in which one category gives way to the next.
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}

_default = np.dtype("float32")


def get_default_dtype() -> np.dtype:
    """The dtype that Python floats become, float32 unless ``set_default_dtype`` changed it.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Makes ``dtype`` (a floating dtype) the one that Python floats become.

    Raises DTypeError when ``dtype`` is not a floating dtype.

    >>> set_default_dtype("float64"); get_default_dtype()
    dtype('float64')
    >>> set_default_dtype(float32)
    """
    global _default
    dtype = as_dtype(dtype)
    if dtype.kind != "f":
        raise DTypeError(f"set_default_dtype: wants a floating dtype such as float32, got {dtype}")
    _default = dtype


def as_dtype(dtype: Any) -> np.dtype:
    """``dtype`` as a NumPy dtype that the engine computes with, or a DTypeError that says which there are."""
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise DTypeError(f"dtype: {dtype!r} is not a dtype; use float32, float64, int64, bool, ...") from None
    if result.kind == "c":
        raise DTypeError(f"dtype: complex numbers ({result}) are not supported; keep real and imaginary parts apart")
    if result.kind not in _CATEGORY or result == np.dtype("longdouble"):
        raise DTypeError(f"dtype: {result} arrays are not supported; use a floating, integer or bool dtype")
    return result


def result_type(arrays: list[Any]) -> np.dtype:
    """The dtype in which arrays and Python numbers meet, by PyTorch's rules.

    The highest category wins (bool < integer < floating). Within it arrays with dimensions decide,
    then 0-d arrays, then Python numbers, so that neither a number nor a 0-d float64 turns a float32
    array into float64.
    """
    dimensioned: np.dtype | None = None
    zero: np.dtype | None = None
    number: np.dtype | None = None
    for a in arrays:
        dtype = getattr(a, "dtype", None)
        if dtype is None:
            kind = np.dtype("bool") if isinstance(a, _bool) else int64 if isinstance(a, _int) else _default
            number = kind if number is None else _wider(number, kind)
        elif a.ndim:
            dimensioned = dtype if dimensioned is None else _wider(dimensioned, dtype)
        else:
            zero = dtype if zero is None else _wider(zero, dtype)
    result = dimensioned
    for lower in (zero, number):
        if result is None or (lower is not None and _CATEGORY[lower.kind] > _CATEGORY[result.kind]):
            result = lower
    assert result is not None
    return result


def _wider(a: np.dtype, b: np.dtype) -> np.dtype:
    if _CATEGORY[a.kind] != _CATEGORY[b.kind]:
        return a if _CATEGORY[a.kind] > _CATEGORY[b.kind] else b
    return np.promote_types(a, b)
