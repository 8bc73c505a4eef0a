"""Making Tensors: from data, and filled with a value."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, modes
from .errors import DTypeError, ShapeError, describe
from .node import Node
from .ops.dims import sizes_of
from .primitive import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "ones",
    "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of ``data``.

    Arguments:
        data: a number, nested lists or tuples of numbers, an ndarray, or a Tensor.
        dtype: by default Python floats become the default dtype (float32), ints int64, and arrays keep theirs.
        device: None or ``"cpu"``.
        requires_grad: record what is computed from it; floating dtypes only.

    Raises:
        ShapeError: lists of different lengths beside each other. DTypeError: what are not numbers.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    check_device("tensor", device)
    return _leaf("tensor", np.array(_array_of("tensor", data, dtype))[()], requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a Tensor: itself if it is one, sharing memory with an ndarray, else as ``tensor``.

    >>> a = np.zeros(2); t = as_tensor(a); a[0] = 1.0; t
    tensor([1., 0.], dtype=float64)
    """
    check_device("as_tensor", device)
    if isinstance(data, Node):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined, return-value]
    return _leaf("as_tensor", _array_of("as_tensor", data, dtype), False)


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of ``array``.

    >>> from_numpy(np.arange(3))
    tensor([0, 1, 2])
    """
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"from_numpy: wants an ndarray, got {describe(array)}; use tensor() for other data")
    return as_tensor(array)


def check_device(name: str, device: Any) -> None:
    """Raises the error for a device that there is not."""
    if device is not None and str(device) != "cpu":
        raise ValueError(f"{name}: device {str(device)!r} is not supported; there is only 'cpu'")


def _leaf(name: str, array: Any, requires_grad: bool) -> Tensor:
    if modes.local.namespace is not None and isinstance(array, (np.ndarray, np.generic)):
        array = modes.local.namespace.asarray(array)
    out = wrap(array)
    if requires_grad:
        check_can_require_grad(name, array.dtype)
        out._requires_grad = True
    return out


def check_can_require_grad(name: str, dtype: Any) -> None:
    """Raises the DTypeError of integers that are to have a gradient."""
    if dtype.kind != "f":
        raise DTypeError(
            f"{name}: only floating Tensors can require grad, got {dtype}; write 1.0 for 1, or give dtype=float32"
        )


def _array_of(name: str, data: Any, dtype: Any) -> Any:
    if isinstance(data, Node):
        array = data._array
    elif isinstance(data, (np.ndarray, np.generic)) or (modes.local.namespace is not None and hasattr(data, "aval")):
        array = data
    else:
        _refuse(name, data)
        try:
            array = np.array(_plain(name, data))
        except ValueError:
            raise ShapeError(f"{name}: the lists are ragged: {_ragged(data)}") from None
        except OverflowError as error:
            raise DTypeError(f"{name}: {error}; the largest integers are int64") from None
        if dtype is None and not _has_numpy(data) and (array.dtype.kind == "f" or array.size == 0):
            array = array.astype(dtypes.get_default_dtype())
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O":
            raise DTypeError(
                f"{name}: an array of Python objects has no gradient; give numbers of one dtype, integers within int64"
            )
        dtypes.as_dtype(array.dtype)
    return array if dtype is None else array.astype(dtypes.as_dtype(dtype), copy=False)


def _refuse(name: str, data: Any) -> None:
    if isinstance(data, complex):
        raise DTypeError(f"{name}: complex numbers are not supported; keep real and imaginary parts apart")
    if data is None or isinstance(data, (str, bytes, dict, set)):
        raise DTypeError(f"{name}: wants numbers, lists of numbers, an array or a Tensor, got {describe(data)}")
    if not isinstance(data, (builtins.int, builtins.float, builtins.bool, list, tuple, range)) and not hasattr(
        data, "__array__"
    ):
        raise DTypeError(f"{name}: wants numbers, lists of numbers, an array or a Tensor, got {describe(data)}")


def _plain(name: str, data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_plain(name, item) for item in data]
    if isinstance(data, Node):
        if data._requires_grad:
            raise DTypeError(
                f"{name}: the list holds Tensors that require grad, and their gradient would be lost; "
                "use stack() or cat(), or detach() them"
            )
        return data._array
    if data is None or isinstance(data, (str, dict, complex)):
        _refuse(name, data)
    return data


def _has_numpy(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_has_numpy(item) for item in data[:1])
    return hasattr(data, "dtype")


def _ragged(data: Any) -> str:
    if not isinstance(data, (list, tuple)):
        return "the parts differ in shape"
    shapes = [np.shape(item) if not _is_ragged(item) else None for item in data]
    if None in shapes:
        i = shapes.index(None)
        return f"in item {i}, {_ragged(data[i])}"
    first = shapes[0]
    i, other = next((i, s) for i, s in enumerate(shapes) if s != first)
    return f"item 0 has shape {first} and item {i} shape {other}; all must be the same"


def _is_ragged(item: Any) -> bool:
    try:
        np.shape(item)
    except ValueError:
        return True
    return False


def _filled(name: str, array: np.ndarray, device: Any, requires_grad: bool) -> Tensor:
    check_device(name, device)
    return _leaf(name, array[()], requires_grad)


def _float(dtype: Any) -> np.dtype:
    return dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of shape ``size``, given as ints or one tuple.

    >>> zeros(2)
    tensor([0., 0.])
    """
    return _filled("zeros", np.zeros(sizes_of("zeros", size), _float(dtype)), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of shape ``size``, given as ints or one tuple.

    >>> ones(2)
    tensor([1., 1.])
    """
    return _filled("ones", np.ones(sizes_of("ones", size), _float(dtype)), device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape ``size`` whose entries are whatever was in memory.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return _filled("empty", np.empty(sizes_of("empty", size), _float(dtype)), device, requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` in every entry of shape ``size``.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    value = _array_of("full", fill_value, dtype)
    return _filled("full", np.full(sizes_of("full", (size,)), value, value.dtype), device, requires_grad)


def zeros_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of x's shape and dtype.

    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    return zeros(*x.shape, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def ones_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of x's shape and dtype.

    >>> ones_like(tensor([1, 2]))
    tensor([1, 1])
    """
    return ones(*x.shape, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def empty_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An uninitialised Tensor of x's shape and dtype.

    >>> empty_like(tensor([1, 2])).dtype
    dtype('int64')
    """
    return empty(*x.shape, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def full_like(
    x: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``fill_value`` in every entry of x's shape and dtype.

    >>> full_like(tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """
    return full(tuple(x.shape), fill_value, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix of zeros.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _filled("eye", np.eye(n, m, dtype=_float(dtype)), device, requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, … up to but not including ``end``.

    >>> arange(3), arange(0, 1, 0.5)
    (tensor([0, 1, 2]), tensor([0.0000, 0.5000]))
    """
    if end is None:
        start, end = 0, start
    if step == 0:
        raise ValueError("arange: step must not be 0")
    if dtype is None:
        some_float = any(isinstance(v, builtins.float) for v in (start, end, step))
        dtype = dtypes.get_default_dtype() if some_float else dtypes.int64
    return _filled("arange", np.arange(start, end, step).astype(dtypes.as_dtype(dtype)), device, requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values evenly spaced from ``start`` to ``end``, both included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _filled("linspace", np.linspace(start, end, steps, dtype=_float(dtype)), device, requires_grad)
