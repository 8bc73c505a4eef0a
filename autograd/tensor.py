"""Tensor: an array that knows how it came about. Its operators and mathematical methods are in ``methods``."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes, inplace, modes, printing
from .backward import backward
from .creation import _leaf, check_can_require_grad, check_device
from .devices import CPU, device, typename
from .errors import DTypeError, GraphError, ShapeError, describe
from .keywords import composed
from .methods import Operations
from .node import Node, next_tick
from .ops import elementwise as ew
from .ops.dims import dimension
from .primitive import Primitive, results_are, wrap
from .properties import Properties
from .unsupported import refuse_methods

__all__ = ["Tensor"]


class RemovableHandle:
    """What registering a hook returns; ``remove()`` takes the hook away. Also a context manager."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Takes the hook away; nothing happens the second time."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Tensor(Properties, Operations):
    """An array with a gradient. Made by ``autograd.tensor`` and by every operation.

    ``Tensor(data)`` makes a float Tensor of the default dtype, as in PyTorch.

    >>> from autograd import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __new__(cls, data: Any = (), *, requires_grad: bool = False) -> Tensor:
        from .creation import tensor

        out = tensor(data, dtype=None if isinstance(data, Node) else dtypes.get_default_dtype())
        out._requires_grad = requires_grad
        return out

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return tuple(self._array.shape)

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self._array.ndim

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries, a NumPy dtype."""
        return self._array.dtype

    @property
    def device(self) -> device:
        """Where the entries are: on the CPU; equal to ``"cpu"``."""
        return CPU

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per entry."""
        return self._array.dtype.itemsize

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all entries."""
        return self._array.size * self._array.dtype.itemsize

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of dimension ``dim``."""
        return self.shape if dim is None else self.shape[dimension("size", dim, self.ndim)]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self._array.ndim

    def numel(self) -> int:
        """How many entries there are."""
        return self._array.size

    ndimension, nelement = dim, numel

    def element_size(self) -> int:
        """Bytes per entry."""
        return self._array.dtype.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self._array.dtype.kind == "f"

    # Its gradient

    @property
    def requires_grad(self) -> bool:
        """Whether what is computed from it is recorded."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value:
            check_can_require_grad("requires_grad", self.dtype)
        elif self._primitive is not None:
            raise GraphError(
                f"requires_grad: this Tensor is the result of {self._primitive.name}; only leaves can be switched off. "
                "Use detach() for the value without the gradient"
            )
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Sets ``requires_grad``, and returns the Tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it is not the recorded result of an operation; ``backward`` fills ``.grad`` of leaves."""
        return self._primitive is None

    @property
    def grad_fn(self) -> Primitive | None:
        """The primitive that made it; None for leaves."""
        return self._primitive

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` has added up so far, None if none has reached it."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise DTypeError(f"grad: wants a Tensor or None, got {describe(value)}")
            if value.shape != self.shape or value.dtype != self.dtype:
                raise ShapeError(
                    f"grad: a Tensor that is {describe(self._array)} cannot have a gradient that is "
                    f"{describe(value._array)}"
                )
        self._grad = value

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Adds this Tensor's gradient with respect to every leaf to the leaf's ``.grad``; see ``autograd.backward``."""
        backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Lets ``backward`` fill ``.grad`` although this is not a leaf."""
        self._must_require_grad("retain_grad")
        if self._primitive is not None:
            self._more()["retain_grad"] = True

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was asked of this result."""
        return bool(self._extra and self._extra.get("retain_grad"))

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls ``hook(grad)`` whenever this Tensor's gradient has been computed; what it returns replaces it.

        >>> from autograd import tensor
        >>> x = tensor(3.0, requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 2)
        >>> (x * x).backward(); x.grad
        tensor(12.)
        """
        self._must_require_grad("register_hook")
        hooks = self._more().setdefault("hooks", {})
        key = next_tick()
        hooks[key] = hook
        return RemovableHandle(hooks, key)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls ``hook(tensor)`` after ``backward`` has added to the ``.grad`` of this leaf.

        >>> from autograd import tensor
        >>> x = tensor(3.0, requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
        >>> (x * x).backward()
        tensor(6.)
        """
        self._must_require_grad("register_post_accumulate_grad_hook")
        if self._primitive is not None:
            raise GraphError(
                f"register_post_accumulate_grad_hook: this is the result of {self._primitive.name}, and only leaves "
                "accumulate; use register_hook"
            )
        hooks = self._more().setdefault("accumulated", {})
        key = next_tick()
        hooks[key] = hook
        return RemovableHandle(hooks, key)

    def _must_require_grad(self, name: str) -> None:
        if not self._requires_grad:
            raise GraphError(f"{name}: this Tensor does not require grad, so no gradient will reach it")

    def _more(self) -> dict[str, Any]:
        if self._extra is None:
            self._extra = {}
        return self._extra

    # Its data

    @property
    def data(self) -> Tensor:
        """The same memory without the gradient. Prefer ``detach``."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise DTypeError(f"data: wants a Tensor, got {describe(value)}")
        if value.dtype.kind != "f" and self._requires_grad:
            check_can_require_grad("data", value.dtype)
        if value._array is self._array:
            return
        tick, where = next_tick(), inplace.caller()
        self._shared_memory().mark(tick, where)
        self._array = value._materialise()
        if isinstance(self._array, np.ndarray):
            self._memory = value._shared_memory()
            self._memory.add(self)
            self._memory.mark(tick, where)

    def detach(self) -> Tensor:
        """The same memory, cut off from the graph: no gradient flows back through the result."""
        if modes.local.namespace is not None:
            return wrap(self._array)
        out = wrap(self._materialise())
        out._memory = self._shared_memory()
        out._memory.add(out)
        if modes.active and modes.local.recording:
            inplace.note(out)
            if self._requires_grad:
                out._more()["cut"] = "detach"
        return out

    def detach_(self) -> Tensor:
        """Cuts this very Tensor off from the graph: it becomes a leaf that does not require grad."""
        self._primitive = self._inputs = self._static = self._extra = None
        self._requires_grad, self._tick = False, 0
        return self

    def numpy(self) -> np.ndarray:
        """The array itself; writing into it writes into the Tensor (say so with ``increment_version``)."""
        if not isinstance(self._array, (np.ndarray, np.generic)):
            raise GraphError("numpy: inside a compiled function there are no values yet; return the Tensor instead")
        return self._materialise()

    def item(self) -> Any:
        """The value of a Tensor with one entry, as a Python number."""
        if self._array.size != 1:
            raise ShapeError(f"item: wants a Tensor with one entry, got shape {self.shape}; index it, or use tolist()")
        return self._array.item()

    def tolist(self) -> Any:
        """The entries as nested lists of Python numbers, or one number."""
        return self._array.tolist()

    @composed
    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False
    ) -> Tensor:
        """In another dtype, ``to(float64)``, or that of another Tensor; the Tensor itself if it has it already."""
        for a in args:
            if isinstance(a, Tensor):
                dtype = a.dtype
            elif isinstance(a, str) and not hasattr(np, a):
                device = a
            else:
                dtype = a
        check_device("to", device)
        wanted = self.dtype if dtype is None else dtypes.as_dtype(dtype)
        if wanted == self.dtype:
            return ew.clone(self) if copy else self
        return ew.to(self, dtype=wanted)

    def type(self, dtype: Any = None) -> Any:
        """In another dtype, as ``to``; without one the name of its type, such as ``"autograd.FloatTensor"``."""
        return typename(self) if dtype is None else self.to(dtype=dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of ``other``."""
        return self.to(other)

    def float(self) -> Tensor:
        """In float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(dtypes.float64)

    def half(self) -> Tensor:
        """In float16."""
        return self.to(dtypes.float16)

    def int(self) -> Tensor:
        """In int32."""
        return self.to(dtypes.int32)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(dtypes.int64)

    def short(self) -> Tensor:
        """In int16."""
        return self.to(dtypes.int16)

    def char(self) -> Tensor:
        """In int8."""
        return self.to(dtypes.int8)

    def byte(self) -> Tensor:
        """In uint8."""
        return self.to(dtypes.uint8)

    def bool(self) -> Tensor:
        """In bool: whether each entry is not 0."""
        return self.to(dtypes.bool_)

    def cpu(self) -> Tensor:
        """The Tensor itself: it is on the CPU."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Tensor:
        """Refused: there is only the CPU."""
        raise RuntimeError("cuda: there is no CUDA device; leave the Tensor on the CPU (cuda.is_available() is False)")

    @composed
    def contiguous(self) -> Tensor:
        """The Tensor itself if its entries lie in order in memory, else a copy in which they do."""
        array = self._array
        if not isinstance(array, np.ndarray) or array.flags.c_contiguous:
            return self
        # By way of one dimension, since a copy keeps the order of the dimensions in memory.
        return ew.clone(self.reshape(array.size)).reshape(self.shape)

    # Python's protocols

    __hash__ = Node.__hash__

    def __repr__(self) -> str:
        return printing.text(self)

    def _repr_html_(self) -> str:
        return printing.notebook(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.ndim == 0 else format(repr(self), spec)

    def __bool__(self) -> Any:
        if self._array.size != 1:
            raise ShapeError(
                f"bool: the truth of a Tensor with {self._array.size} entries is ambiguous; use .any() or .all()"
            )
        return self._concrete("bool").__bool__()

    def __float__(self) -> Any:
        return self._one("float").__float__()

    def __int__(self) -> Any:
        return self._one("int").__int__()

    def __index__(self) -> Any:
        if self.dtype.kind not in "iu" or self._array.size != 1:
            raise DTypeError(f"index: wants an integer Tensor with one entry, got {describe(self._array)}")
        return operator.index(self._array.item())

    def _one(self, name: str) -> Any:
        if self._array.size != 1:
            raise ShapeError(f"{name}: wants a Tensor with one entry, got shape {self.shape}")
        return self._concrete(name).item()

    def _concrete(self, name: str) -> Any:
        if not isinstance(self._array, (np.ndarray, np.generic)):
            raise GraphError(
                f"{name}: inside a compiled function there are no values yet to decide by; use where(), "
                "or take this part out of the function"
            )
        return self._array

    def __len__(self) -> Any:
        if self.ndim == 0:
            raise TypeError("len: a 0-d Tensor has no length")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iter: a 0-d Tensor cannot be iterated over; item() gives its value")
        return (self[i] for i in range(self._array.shape[0]))

    def __contains__(self, value: Any) -> Any:
        return builtins.bool((self == value)._array.any())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._concrete("numpy"), dtype=dtype, copy=copy)

    def __reduce__(self) -> Any:
        self._must_be_leaf("pickle")
        return _rebuild, (self.__class__, self.numpy(), self._requires_grad, getattr(self, "__dict__", None))

    def __copy__(self) -> Tensor:
        self._must_be_leaf("copy")
        copied = _rebuild(self.__class__, self.numpy(), self._requires_grad, getattr(self, "__dict__", None))
        copied._array, copied._grad = self._array, self._grad
        copied._memory = self._shared_memory()
        copied._memory.add(copied)
        return copied

    def __deepcopy__(self, memo: dict[Any, Any]) -> Tensor:
        self._must_be_leaf("deepcopy")
        copied = _rebuild(self.__class__, np.array(self.numpy()), self._requires_grad, getattr(self, "__dict__", None))
        if self._grad is not None:
            grad = self._grad
            copied._grad = grad.clone() if grad.is_sparse else wrap(np.array(grad.numpy()))
        memo[id(self)] = copied
        return copied

    def _must_be_leaf(self, name: str) -> None:
        if self._primitive is not None:
            raise GraphError(
                f"{name}: this Tensor is the result of {self._primitive.name}, and its graph cannot be copied; "
                "detach() it first"
            )


def _rebuild(cls: type[Tensor], array: np.ndarray, requires_grad: builtins.bool, attributes: Any) -> Tensor:
    out = object.__new__(cls)
    plain = _leaf("pickle", array[()], False)
    for name in Node.__slots__:
        if name != "__weakref__":
            setattr(out, name, getattr(plain, name))
    out._requires_grad = requires_grad
    if attributes:
        out.__dict__.update(attributes)
    return out


refuse_methods(Tensor)
results_are(Tensor)
