"""The operators and methods of a Tensor that are operations: one line each, the work is in ``ops``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import inplace
from .errors import DTypeError, ShapeError
from .node import Node
from .ops import elementwise as ew
from .ops import fused, indexing, linalg, reduction
from .ops import shape as shapes
from .primitive import Primitive, binary_operator, constant

if TYPE_CHECKING:
    from .tensor import Tensor


def _method(op: Primitive) -> Callable[..., Tensor]:
    """A primitive as a method: only functions bind to an instance."""

    def method(self: Tensor, *inputs: Any, **static: Any) -> Tensor:
        return op(self, *inputs, **static)

    method.__name__, method.__doc__ = op.name, op.__doc__
    return method


def _in_place(function: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """The method that puts a function's result into the Tensor's own memory."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return inplace.write(self, function(self, *args, **kwargs), name)

    method.__name__, method.__doc__ = name, f"In place: {function.__doc__}"
    return method


class Operations(Node):
    """What Tensors can be computed with."""

    __slots__ = ()

    # Arithmetic and comparison

    __add__ = binary_operator(ew.add, operator.add)
    __radd__ = binary_operator(ew.add, operator.add, reflected=True)
    __sub__ = binary_operator(ew.sub, operator.sub)
    __rsub__ = binary_operator(ew.sub, operator.sub, reflected=True)
    __mul__ = binary_operator(ew.mul, operator.mul)
    __rmul__ = binary_operator(ew.mul, operator.mul, reflected=True)
    __truediv__ = binary_operator(ew.div, operator.truediv)
    __rtruediv__ = binary_operator(ew.div, operator.truediv, reflected=True)
    __floordiv__ = binary_operator(ew.floor_divide, operator.floordiv)
    __rfloordiv__ = binary_operator(ew.floor_divide, operator.floordiv, reflected=True)
    __mod__ = binary_operator(ew.remainder, operator.mod)
    __rmod__ = binary_operator(ew.remainder, operator.mod, reflected=True)
    __pow__ = binary_operator(ew.pow, operator.pow)
    __rpow__ = binary_operator(ew.pow, operator.pow, reflected=True)
    __matmul__ = _method(linalg.matmul)
    __neg__ = _method(ew.neg)
    __abs__ = _method(ew.abs)
    __lt__ = _method(ew.lt)
    __le__ = _method(ew.le)
    __gt__ = _method(ew.gt)
    __ge__ = _method(ew.ge)
    __and__ = __rand__ = _method(ew.bitwise_and)
    __or__ = __ror__ = _method(ew.bitwise_or)
    __invert__ = _method(ew.bitwise_not)

    def __rmatmul__(self, other: Any) -> Tensor:
        return linalg.matmul(constant("matmul", other), self)

    def __eq__(self, other: Any) -> Any:
        return ew.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ew.ne(self, other) if _comparable(other) else NotImplemented

    def __pos__(self: Any) -> Tensor:
        return self

    add, sub, mul, div = (_method(op) for op in (ew.add, ew.sub, ew.mul, ew.div))
    subtract, multiply, divide, true_divide = sub, mul, div, div
    floor_divide, remainder, pow, neg = (_method(op) for op in (ew.floor_divide, ew.remainder, ew.pow, ew.neg))
    eq, ne, lt, le, gt, ge = (_method(op) for op in (ew.eq, ew.ne, ew.lt, ew.le, ew.gt, ew.ge))
    logical_and, logical_or, logical_not = (_method(op) for op in (ew.logical_and, ew.logical_or, ew.logical_not))
    exp, expm1, log, log1p, sqrt, square = (
        _method(op) for op in (ew.exp, ew.expm1, ew.log, ew.log1p, ew.sqrt, ew.square)
    )
    abs, sign, floor, ceil, sin, cos = (_method(op) for op in (ew.abs, ew.sign, ew.floor, ew.ceil, ew.sin, ew.cos))
    tanh, sigmoid, relu = (_method(op) for op in (ew.tanh, ew.sigmoid, ew.relu))
    maximum, minimum, clone = (_method(op) for op in (ew.maximum, ew.minimum, ew.clone))
    clamp = clip = ew.clamp

    def where(self, condition: Any, other: Any) -> Tensor:
        """This Tensor where the condition holds, ``other`` elsewhere."""
        return ew.where(condition, self, other)

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """``value`` where the mask is True, this Tensor elsewhere."""
        return ew.where(mask, value, self)

    # Reductions

    sum, mean, var, std = reduction.sum, reduction.mean, reduction.var, reduction.std
    max, min, amax, amin, norm = reduction.max, reduction.min, reduction.amax, reduction.amin, reduction.norm
    softmax, log_softmax, logsumexp = fused.softmax, fused.log_softmax, fused.logsumexp
    argmax, argmin = reduction.argmax, reduction.argmin
    all, any = reduction.all, reduction.any

    # Shape

    reshape = view = shapes.reshape
    flatten, permute, transpose, movedim = shapes.flatten, shapes.permute, shapes.transpose, shapes.movedim
    swapaxes = swapdims = shapes.transpose
    expand, squeeze, unsqueeze = shapes.expand, shapes.squeeze, shapes.unsqueeze
    split, chunk, unbind = shapes.split, shapes.chunk, shapes.unbind
    matmul = _method(linalg.matmul)

    def view_as(self: Any, other: Tensor) -> Tensor:
        """In the shape of ``other``."""
        return self.reshape(other.shape)

    def expand_as(self: Any, other: Tensor) -> Tensor:
        """Expanded to the shape of ``other``."""
        return self.expand(other.shape)

    def t(self: Any) -> Tensor:
        """The transpose of a matrix; what has fewer than two dimensions as it is."""
        if self.ndim > 2:
            raise ShapeError(f"t: wants at most 2 dimensions, got shape {self.shape}; use transpose(dim0, dim1)")
        return self.T

    @property
    def T(self: Any) -> Tensor:
        """The dimensions in reverse order."""
        return shapes.permute_to(self, dims=tuple(range(self.ndim))[::-1])

    @property
    def mT(self: Any) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise ShapeError(f"mT: wants at least 2 dimensions, got shape {self.shape}")
        return shapes.transpose(self, -2, -1)

    # Indexing

    def __getitem__(self, key: Any) -> Tensor:
        return indexing.getitem(self, key=indexing.normal_key("getitem", self, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.set_item(self, key, value)

    # In place

    add_ = __iadd__ = _in_place(add, "add_")
    sub_ = __isub__ = _in_place(sub, "sub_")
    mul_ = __imul__ = _in_place(mul, "mul_")
    div_ = __itruediv__ = _in_place(div, "div_")
    pow_ = __ipow__ = _in_place(pow, "pow_")
    exp_, log_, sqrt_, neg_ = (_in_place(f, f"{f.__name__}_") for f in (exp, log, sqrt, neg))
    abs_, tanh_, sigmoid_, relu_ = (_in_place(f, f"{f.__name__}_") for f in (abs, tanh, sigmoid, relu))
    clamp_, masked_fill_ = _in_place(clamp, "clamp_"), _in_place(masked_fill, "masked_fill_")

    def fill_(self, value: Any) -> Tensor:
        """Puts ``value`` into every entry."""
        indexing.set_item(self, Ellipsis, value, "fill_")
        return self  # type: ignore[return-value]

    def zero_(self) -> Tensor:
        """Puts 0 into every entry."""
        indexing.set_item(self, Ellipsis, 0, "zero_")
        return self  # type: ignore[return-value]

    def copy_(self, source: Any) -> Tensor:
        """Puts the entries of ``source``, which broadcasts to this shape, into this Tensor."""
        indexing.set_item(self, Ellipsis, source, "copy_")
        return self  # type: ignore[return-value]

    def uniform_(self: Any, a: Any = 0.0, b: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Puts uniform random numbers from [a, b) into every entry."""
        from .random import rand_like

        return inplace.write(self, (rand_like(self, generator=generator) * (b - a) + a), "uniform_")

    def normal_(self: Any, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Puts normal random numbers of the given mean and standard deviation into every entry."""
        from .random import randn_like

        return inplace.write(self, randn_like(self, generator=generator) * std + mean, "normal_")

    # NumPy's functions

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = _UFUNCS.get(ufunc.__name__)
        if op is None or method != "__call__" or kwargs:
            with_what = f" with {', '.join(kwargs)}" if kwargs else "" if method == "__call__" else f".{method}"
            raise DTypeError(
                f"np.{ufunc.__name__}{with_what}: there is no gradient for this on Tensors; use autograd's function of "
                "that meaning, or t.detach().numpy() for the plain array"
            )
        return op(*[constant(op.name, x) for x in inputs])


def _comparable(other: Any) -> bool:
    return isinstance(other, (Node, np.ndarray, np.generic, float, int)) or hasattr(other, "aval")


_UFUNCS: dict[str, Primitive] = {
    "add": ew.add, "subtract": ew.sub, "multiply": ew.mul, "divide": ew.div, "floor_divide": ew.floor_divide,
    "remainder": ew.remainder, "power": ew.pow, "float_power": ew.pow, "negative": ew.neg, "absolute": ew.abs,
    "matmul": linalg.matmul, "equal": ew.eq, "not_equal": ew.ne, "less": ew.lt, "less_equal": ew.le,
    "greater": ew.gt, "greater_equal": ew.ge, "maximum": ew.maximum, "minimum": ew.minimum,
    "exp": ew.exp, "expm1": ew.expm1, "log": ew.log, "log1p": ew.log1p, "sqrt": ew.sqrt, "square": ew.square,
    "sign": ew.sign, "floor": ew.floor, "ceil": ew.ceil, "sin": ew.sin, "cos": ew.cos, "tanh": ew.tanh,
    "bitwise_and": ew.bitwise_and, "bitwise_or": ew.bitwise_or, "invert": ew.bitwise_not,
    "logical_and": ew.logical_and, "logical_or": ew.logical_or, "logical_not": ew.logical_not,
}  # fmt: skip
