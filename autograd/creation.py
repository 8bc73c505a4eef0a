"""Making Tensors: from data, and filled with a value."""

from __future__ import annotations

import builtins
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, modes
from .errors import DTypeError, ShapeError, describe
from .keywords import composed
from .node import Node
from .ops.dims import sizes_of
from .primitive import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "arange", "as_tensor", "asarray", "complex", "empty", "empty_like", "empty_strided", "eye", "from_numpy", "full",
    "full_like", "is_tensor", "linspace", "logspace", "new_empty", "new_full", "new_ones", "new_tensor", "new_zeros",
    "numel", "ones", "ones_like", "polar", "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros",
    "zeros_like",
]  # fmt: skip


@composed
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


@composed
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a Tensor: itself if it is one, sharing memory with an ndarray, else as ``tensor``.

    >>> a = np.zeros(2); t = as_tensor(a); a[0] = 1.0; t
    tensor([1., 0.], dtype=float64)
    """
    check_device("as_tensor", device)
    if isinstance(data, Node):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined, return-value]
    return _leaf("as_tensor", _array_of("as_tensor", data, dtype), False)


@composed
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a Tensor, sharing memory where it can: a Tensor itself, an ndarray's memory, else a copy.

    Arguments:
        copy: True for a copy in any case; False raises where a copy would be needed; None copies where needed.

    >>> a = np.zeros(2); t = asarray(a); a[0] = 1.0; t
    tensor([1., 0.], dtype=float64)
    """
    check_device("asarray", device)
    shareable = isinstance(obj, (Node, np.ndarray)) and (dtype is None or dtypes.as_dtype(dtype) == obj.dtype)
    if copy is False and not shareable:
        raise ValueError(f"asarray: {describe(obj)} cannot be shared without a copy; leave out copy=False")
    if copy and isinstance(obj, Node):
        out: Any = obj.clone() if shareable else obj.to(dtype)  # type: ignore[attr-defined]
    else:
        out = tensor(obj, dtype) if copy else as_tensor(obj, dtype)
    if out is not obj and not out._requires_grad and requires_grad:
        out.requires_grad_()
    return out


@composed
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
    if device is not None and str(device) not in ("cpu", "cpu:0"):
        raise ValueError(f"{name}: device {str(device)!r} is not supported; there is only 'cpu'")


@composed
def scalar_tensor(value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d Tensor of a number, of the default dtype also for an int.

    >>> scalar_tensor(3)
    tensor(3.)
    """
    if np.ndim(value._array if isinstance(value, Node) else value):
        raise ShapeError(f"scalar_tensor: wants one number, got {describe(value)}; use tensor()")
    return tensor(value, _float(dtype), device, requires_grad)


@composed
def is_tensor(x: Any) -> builtins.bool:
    """Whether ``x`` is a Tensor.

    >>> is_tensor(zeros(2)), is_tensor([0.0])
    (True, False)
    """
    return isinstance(x, Node)


@composed
def numel(input: Tensor) -> int:
    """How many entries x has.

    >>> numel(zeros(2, 3))
    6
    """
    return input.numel()


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
        if dtype is None and (array.dtype.kind == "f" or array.size == 0):
            meeting = _dtype_of(data)
            floating = meeting is not None and meeting.kind == "f"
            array = array.astype(meeting if floating or (meeting and not array.size) else dtypes.get_default_dtype())
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O":
            raise DTypeError(
                f"{name}: an array of Python objects has no gradient; give numbers of one dtype, integers within int64"
            )
        dtypes.as_dtype(array.dtype)
    return array if dtype is None else array.astype(dtypes.as_dtype(dtype), copy=False)


def _refuse(name: str, data: Any) -> None:
    if isinstance(data, builtins.complex):
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
    if data is None or isinstance(data, (str, dict, builtins.complex)):
        _refuse(name, data)
    return data


def _dtype_of(data: Any) -> Any:
    """The dtype in which the Tensors, arrays and NumPy numbers of nested lists meet; None if there are none."""
    if isinstance(data, (list, tuple)):
        found = [d for d in {_dtype_of(item) for item in data} if d is not None]
        return None if not found else functools.reduce(dtypes._wider, found)
    return data.dtype if hasattr(data, "dtype") else None


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


@composed
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of shape ``size``, given as ints or one tuple.

    >>> zeros(2)
    tensor([0., 0.])
    """
    return _filled("zeros", np.zeros(sizes_of("zeros", size), _float(dtype)), device, requires_grad)


@composed
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of shape ``size``, given as ints or one tuple.

    >>> ones(2)
    tensor([1., 1.])
    """
    return _filled("ones", np.ones(sizes_of("ones", size), _float(dtype)), device, requires_grad)


@composed
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of shape ``size`` whose entries are whatever was in memory.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return _filled("empty", np.empty(sizes_of("empty", size), _float(dtype)), device, requires_grad)


@composed
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` in every entry of shape ``size``.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    value = _array_of("full", fill_value, dtype)
    return _filled("full", np.full(sizes_of("full", (size,)), value, value.dtype), device, requires_grad)


@composed
def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of x's shape and dtype.

    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    return zeros(*input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


@composed
def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of x's shape and dtype.

    >>> ones_like(tensor([1, 2]))
    tensor([1, 1])
    """
    return ones(*input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


@composed
def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An uninitialised Tensor of x's shape and dtype.

    >>> empty_like(tensor([1, 2])).dtype
    dtype('int64')
    """
    return empty(*input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


@composed
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``fill_value`` in every entry of x's shape and dtype.

    >>> full_like(tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """
    return full(tuple(input.shape), fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


@composed
def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix of zeros.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _filled("eye", np.eye(n, m, dtype=_float(dtype)), device, requires_grad)


@composed
def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, … up to but not including ``end``.

    >>> arange(3), arange(0, 1, 0.5)
    (tensor([0, 1, 2]), tensor([0.0000, 0.5000]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if hasattr(v, "item") else v for v in (start, end, step))
    if step == 0:
        raise ValueError("arange: step must not be 0")
    if (end - start) * step < 0:
        raise ValueError(f"arange: step {step} does not lead from {start} to {end}; give the step the other sign")
    if dtype is None:
        some_float = any(isinstance(v, builtins.float) for v in (start, end, step))
        dtype = dtypes.get_default_dtype() if some_float else dtypes.int64
    return _filled("arange", np.arange(start, end, step).astype(dtypes.as_dtype(dtype)), device, requires_grad)


@composed
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values evenly spaced from ``start`` to ``end``, both included.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _filled("linspace", _spaced("linspace", start, end, steps, dtype), device, requires_grad)


@composed
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: Any = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` powers of ``base`` whose exponents are evenly spaced from ``start`` to ``end``, both included.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    exponents = _spaced("logspace", start, end, steps, "float64")
    return _filled("logspace", np.power(builtins.float(base), exponents).astype(_float(dtype)), device, requires_grad)


def _spaced(name: str, start: Any, end: Any, steps: int, dtype: Any) -> np.ndarray:
    start, end = (v.item() if hasattr(v, "item") else v for v in (start, end))
    if steps < 0:
        raise ValueError(f"{name}: steps must not be negative, got {steps}")
    return np.linspace(start, end, steps).astype(_float(dtype))


@composed
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The rows and columns of the entries of the lower triangle of a (row, col) matrix, shape (2, n).

    >>> tril_indices(2, 2).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    return _indices("tril_indices", np.tri(row, col, offset, bool), dtype, device)


@composed
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The rows and columns of the entries of the upper triangle of a (row, col) matrix, shape (2, n).

    >>> triu_indices(2, 2).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    return _indices("triu_indices", ~np.tri(row, col, offset - 1, bool), dtype, device)


def _indices(name: str, mask: np.ndarray, dtype: Any, device: Any) -> Tensor:
    return _filled(name, np.stack(np.nonzero(mask)).astype(dtypes.as_dtype(dtype or "int64")), device, False)


# As methods: new Tensors of the dtype of one that is there


def new_tensor(x: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of ``data``, of x's dtype.

    >>> zeros(2, dtype=dtypes.float64).new_tensor([1, 2])
    tensor([1., 2.], dtype=float64)
    """
    return tensor(data, dtype or x.dtype, device, requires_grad)


def new_zeros(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of shape ``size``, of x's dtype.

    >>> tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """
    return zeros(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_ones(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of shape ``size``, of x's dtype.

    >>> tensor([1, 2]).new_ones(3)
    tensor([1, 1, 1])
    """
    return ones(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_empty(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An uninitialised Tensor of shape ``size``, of x's dtype.

    >>> tensor([1, 2]).new_empty(3).shape
    (3,)
    """
    return empty(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_full(
    x: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``fill_value`` in every entry of shape ``size``, of x's dtype.

    >>> tensor([1.0, 2.0]).new_full((3,), 7)
    tensor([7., 7., 7.])
    """
    return full(size, fill_value, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


# What there is not, with a word on what to use


@composed
def empty_strided(*_: Any, **__: Any) -> Tensor:
    """Refused: the strides of a Tensor are not chosen by its maker."""
    raise DTypeError("empty_strided: Tensors of chosen strides are not supported; use empty(), and permute() of it")


@composed
def complex(*_: Any, **__: Any) -> Tensor:
    """Refused: there are no complex Tensors."""
    raise DTypeError("complex: complex numbers are not supported; keep real and imaginary parts apart")


@composed
def polar(*_: Any, **__: Any) -> Tensor:
    """Refused: there are no complex Tensors."""
    raise DTypeError("polar: complex numbers are not supported; keep abs · cos(angle) and abs · sin(angle) apart")
