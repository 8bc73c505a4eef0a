"""Primitive: a forward function and one gradient rule per differentiable input, and the call that records."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, modes
from .backends import numpy as numpy_namespace
from .errors import DTypeError, GraphError, LinAlgError, ShapeError, blames, describe, mismatch, no_tensor
from .keywords import unknown_keyword
from .large_arrays import LARGE, evaluate
from .node import Node, next_tick

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Primitive", "primitive"]

Rule = Callable[..., Any]

tensor_class: type[Node] = Node
# Every primitive of this package; the tests ask it which rows they must have.
registry: dict[str, Primitive] = {}

_new, _ndarray = object.__new__, np.ndarray
_scalars = frozenset({np.float32, np.float64})
# What PyTorch calls the first and the second input.
_TORCH_NAMES = {"input": 0, "other": 1, "exponent": 1}
_plain_numbers = frozenset({float, int})
_numbers = _plain_numbers | {bool, type(None)}


def results_are(cls: type[Node]) -> None:
    """Makes ``cls`` the class of results. Tensor has the ops as its methods, so they come before it."""
    global tensor_class
    tensor_class = cls


class _SignatureOfForward:
    """A primitive's signature, made when first asked for: that takes longer than all else of making a primitive.

    The class has none of its own. (With a ``__getattr__`` instead, Python would look up every attribute the slow way.)
    """

    def __get__(self, op: Any, cls: Any) -> inspect.Signature:
        if op is None:
            raise AttributeError("__signature__")
        signature = inspect.signature(op.forward)
        parameters = list(signature.parameters.values())[1:]
        signature = signature.replace(parameters=parameters, return_annotation="Tensor")
        op.__dict__["__signature__"] = signature
        return signature


class Primitive:
    """An operation with its derivative: what ``@primitive`` makes of a forward function.

    Called with Tensors (and numbers, for elementwise ones) it computes on their arrays and records
    itself on the result if an input requires grad.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        elementwise: bool,
        promote: str | None,
        selects: bool,
        view: bool,
        saves: tuple[str, ...],
        name: str | None,
    ) -> None:
        self.forward = forward
        self.name = name or forward.__name__
        self.__name__ = self.name
        self.__qualname__ = self.name
        self.__module__ = forward.__module__
        self.__doc__ = forward.__doc__
        self.__wrapped__ = forward
        self.elementwise = elementwise
        self.selects = selects
        self.view = view
        self.promote = promote
        self.saves = saves
        self.inputs, self.variadic, self._defaults = _parameters(forward)
        self._names = frozenset({*self.inputs, *_TORCH_NAMES})
        self.rules: tuple[Rule | None, ...] = (None,) * len(self.inputs)
        self.smooth = False  # whether every input has a rule
        self.plain = False  # and there are one or two, of an operation of ours that takes nothing apart
        self.own = own = forward.__module__.startswith(f"{__package__}.")
        # Whether parts of large arrays may be computed apart; functions of others might look at more than entries.
        self.spreads = elementwise and own and not self.variadic
        if own:
            if forward.__name__ in registry:
                raise ValueError(f"primitive: there are two primitives named {forward.__name__}")
            registry[forward.__name__] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.inputs)})>"

    __signature__: Any = _SignatureOfForward()

    def grads(self, **rules: Rule) -> Primitive:
        """Sets the rule of each differentiable input, by the input's name in the forward function.

        A rule is ``lambda xp, g, out, *inputs, **static: ...``: from the upstream gradient ``g`` and the
        primitive's result and inputs it gives the downstream gradient. Broadcasting is undone by the
        caller. The rule of ``*inputs`` also gets ``index=``, the place of the input it is asked for.
        """
        unknown = set(rules) - set(self.inputs)
        if unknown:
            raise TypeError(f"{self.name}.grads: no input named {sorted(unknown)}; there are {list(self.inputs)}")
        self.rules = tuple(rules.get(name, old) for name, old in zip(self.inputs, self.rules, strict=True))
        self.smooth = None not in self.rules
        # What the rules of others give is looked at: it may be nothing, or of another shape or dtype.
        self.plain = self.own and self.smooth and len(self.rules) < 3 and not self.variadic and not self.selects
        return self

    def rule(self, index: int) -> Rule | None:
        """The gradient rule of input number ``index``, or None where the primitive has none."""
        if not self.variadic:
            return self.rules[index]
        shared = self.rules[0]
        return None if shared is None else lambda *args, **static: shared(*args, index=index, **static)

    def __call__(self, *inputs: Any, **static: Any) -> Tensor:
        if static and not self._names.isdisjoint(static):
            inputs, static = self._positioned(inputs, static)
        xp, record = numpy_namespace, True
        if modes.active:
            if modes.local.watchers:
                return self._watched(inputs, static)
            xp, record = modes.local.namespace or xp, modes.local.grad
        arrays: list[Any] = []
        requires_grad = False
        for x in inputs:
            if isinstance(x, Node):
                if x._requires_grad:
                    requires_grad = True
                    if xp is not numpy_namespace and isinstance(x._array, (np.ndarray, np.generic)):
                        raise captured(self.name, x)
                arrays.append(x._array)
            elif type(x) in _numbers:
                arrays.append(x)
            else:
                return self(*[constant(self.name, x) for x in inputs], **static)
        if self.view and xp is numpy_namespace:
            arrays[0] = inputs[0]._materialise()
        if self.promote is not None and arrays:
            arrays = self._promoted(arrays)
        try:
            large = self.spreads and arrays and type(arrays[0]) is _ndarray and arrays[0].size >= LARGE
            if large and xp is numpy_namespace:
                value = evaluate(self.forward, xp, arrays, static)
            else:
                value = self.forward(xp, *arrays, **static)
        except (ValueError, TypeError, IndexError, AttributeError, np.linalg.LinAlgError) as error:
            raise self._explained(error, arrays, static) from error
        if self.saves:
            value, *saved = value
            if requires_grad and record:
                static = {**static, **dict(zip(self.saves, saved, strict=True))}
        out = _new(tensor_class)
        out._array = value
        out._grad = out._memory = out._extra = None
        if requires_grad and record and (self.smooth or self._differentiable(inputs)):
            out._requires_grad = True
            out._primitive = self
            out._inputs = inputs
            out._static = static
            out._tick = next_tick()
        else:
            out._requires_grad = False
            out._primitive = out._inputs = out._static = None
            out._tick = 0
        if type(value) is tuple:
            outs = tuple([_output(out, i) for i in range(len(value))])
            if self.view and xp is numpy_namespace:
                for view in outs:
                    _share(inputs[0], view)
            elif out._requires_grad and xp is numpy_namespace:
                out._extra = {"outputs": [y._shared_memory() for y in outs]}  # whose overwriting the rules must notice
            return outs  # type: ignore[return-value]
        if self.view and xp is numpy_namespace:
            _share(inputs[0], out)
        return out  # type: ignore[return-value]

    def rules_of(self, count: int) -> list[Rule | None]:
        """The rules of ``count`` inputs, for one visit of the backward pass to a node."""
        return [self.rule(i) for i in range(count)]

    def _positioned(self, inputs: tuple[Any, ...], static: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Inputs that were given by name, in their places."""
        given = dict(zip(self.inputs, inputs, strict=False))
        rest: dict[str, Any] = {}
        for key, value in static.items():
            name = key
            if key not in self.inputs and key in _TORCH_NAMES and _TORCH_NAMES[key] < len(self.inputs):
                name = self.inputs[_TORCH_NAMES[key]]
            if name in given:
                raise TypeError(f"{self.name}: got {key!r} twice, by place and by name")
            (given if name in self.inputs else rest)[name] = value
        last = max(i for i, name in enumerate(self.inputs) if name in given)
        for name in self.inputs[:last]:
            if name not in given and name not in self._defaults:
                raise TypeError(f"{self.name}: input {name!r} is missing")
        return tuple(given.get(name, self._defaults.get(name)) for name in self.inputs[: last + 1]), rest

    def _watched(self, inputs: tuple[Any, ...], static: dict[str, Any]) -> Any:
        """The call, shown afterwards to those who watch this thread's ops."""
        local = modes.local
        watchers, local.watchers = local.watchers, ()
        local.began = local.clock()
        try:
            with np.errstate(all="ignore") if local.anomaly else contextlib.nullcontext():
                out = self(*inputs, **static)
        finally:
            local.watchers = watchers
        local.ended = local.clock()
        local.took = (local.ended - local.began) * 1e-9
        for watch in watchers:
            watch(self, inputs, static, out)
        return out

    def _differentiable(self, inputs: tuple[Any, ...]) -> bool:
        if not any(self.rules):
            return False
        for name, x, rule in zip(self.inputs, inputs, self.rules, strict=False):
            if rule is None and isinstance(x, Node) and x._requires_grad:
                raise GraphError(
                    f"{self.name}: there is no gradient with respect to {name}; "
                    f"pass {name}.detach() if it is a constant"
                )
        return True

    def _promoted(self, arrays: list[Any]) -> list[Any]:
        a, b = arrays[0], arrays[-1]
        if type(a) in _plain_numbers:
            a, b = b, a
        if (  # what most calls are, in half the time
            type(a) is np.ndarray
            and a.dtype.kind == "f"
            and (b is a or type(b) in _plain_numbers or (type(b) is np.ndarray and b.dtype is a.dtype))
            and len(arrays) < 3
        ):
            return arrays
        if self.inputs[0] == "condition":
            if arrays[0] is None:
                raise no_tensor(self.name, "condition", None)
            return [arrays[0], *self._promote(arrays[1:])]
        return self._promote(arrays)

    def _promote(self, arrays: list[Any]) -> list[Any]:
        first = None
        weak_float = False
        for a in arrays:
            dtype = getattr(a, "dtype", None)
            if dtype is None:
                weak_float = weak_float or type(a) is float
            elif first is None:
                first = dtype
            elif dtype is not first and dtype != first:
                break
        else:
            if first is not None and (
                first.kind == "f" or (self.promote == "same" and not weak_float and first.kind != "b")
            ):
                return arrays
        dtype = dtypes.result_type(arrays)
        if self.promote == "float" and dtype.kind != "f":
            dtype = dtypes.get_default_dtype()
        if first is None:  # numbers only, as in where(mask, 1.0, 0.0)
            if None in arrays:  # NumPy would take it for NaN
                raise no_tensor(
                    self.name, self.inputs[-len(arrays) :][arrays.index(None)], None, "a Tensor or a number"
                )
            return [np.asarray(a, dtype)[()] for a in arrays]
        return [a.astype(dtype) if hasattr(a, "dtype") else a for a in arrays]

    def _explained(self, error: Exception, arrays: list[Any], static: dict[str, Any]) -> Exception:
        if isinstance(error, (ShapeError, DTypeError, LinAlgError)):
            return error
        takes = self.__signature__.parameters
        unknown = [name for name in static if name not in takes and name not in self.saves]
        if unknown and isinstance(error, TypeError):
            return unknown_keyword(self.name, unknown[0], takes)
        if not arrays:
            return TypeError(f"{self.name}: input {self.inputs[0]!r} is missing")
        for i, a in enumerate(arrays):
            if (a is None or not self.elementwise) and not hasattr(a, "dtype") and blames(error, a):
                role = self.inputs[min(i, len(self.inputs) - 1)]
                return no_tensor(self.name, role, a, "a Tensor or a number" if self.elementwise else "a Tensor")
        if isinstance(error, AttributeError):
            return error
        got = " and ".join(describe(a) for a in arrays)
        if static:
            got += "".join(f", {name}={value!r}" for name, value in static.items() if value is not None)
        if (
            self.elementwise
            and isinstance(error, TypeError)
            and any(hasattr(a, "dtype") and a.dtype.kind == "b" for a in arrays)
        ):
            return DTypeError(f"{self.name}: does not take bool, got {got}; convert it, or use ~, & and | on bool")
        if self.elementwise and isinstance(error, ValueError):
            shapes = [tuple(a.shape) for a in arrays if hasattr(a, "shape")]
            return ShapeError(f"{self.name}: shapes {mismatch(shapes)}")
        kinds = {TypeError: DTypeError, IndexError: IndexError, np.linalg.LinAlgError: LinAlgError}
        kind = next((ours for theirs, ours in kinds.items() if isinstance(error, theirs)), ShapeError)
        return kind(f"{self.name}: {error} (got {got})")


def _parameters(forward: Callable[..., Any]) -> tuple[tuple[str, ...], bool, dict[str, Any]]:
    """The inputs of a forward function, whether they are ``*inputs``, and the defaults of all its parameters.

    A plain function's are read from its code, since several hundred are asked when the package is imported.
    """
    if type(forward) is not FunctionType or hasattr(forward, "__wrapped__"):
        parameters = list(inspect.signature(forward).parameters.values())[1:]
        inputs = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        return inputs, variadic, {p.name: p.default for p in parameters if p.default is not p.empty}
    code, last = forward.__code__, forward.__defaults__ or ()
    places, variadic = code.co_argcount, bool(code.co_flags & inspect.CO_VARARGS)
    inputs = code.co_varnames[1:places]
    defaults = {**dict(zip(inputs[len(inputs) - len(last) :], last, strict=False)), **(forward.__kwdefaults__ or {})}
    if variadic:
        inputs += (code.co_varnames[places + code.co_kwonlyargcount],)
    return inputs, variadic, defaults


def captured(name: str, x: Node) -> GraphError:
    """The error for a Tensor from outside that a compiled function uses without having it as an argument."""
    return GraphError(
        f"{name}: a compiled function uses a Tensor ({describe(x._array)}) that requires grad and is not among its "
        "arguments; its value would be frozen at the first call: pass it as an argument"
    )


def primitive(
    forward: Callable[..., Any] | None = None,
    *,
    elementwise: bool = False,
    promote: str | None = None,
    selects: bool = False,
    view: bool = False,
    saves: tuple[str, ...] = (),
    name: str | None = None,
) -> Any:
    """Makes a forward function ``forward(xp, *arrays, **static)`` into a differentiable operation.

    ``xp`` is the array namespace: NumPy, the engine's own functions on Tensors, or jax.numpy. Arrays are
    positional, static arguments keyword-only. Set the gradient rules with ``.grads``.

    Arguments:
        elementwise: each entry of the result depends on the same (broadcast) entry of the inputs.
        promote: ``"same"`` brings the inputs to one dtype first, ``"float"`` to a floating one.
        selects: part of the input may not reach the result, as in ``where``; see ``backward.run``.
        view: the result shares its first input's memory where the namespace can do that.
        saves: names of arrays that the forward function returns after its result, and that the rules then get
            as keyword arguments. They spare a computation; a rule must do without them too, since they have no
            gradient of their own: a rule that runs on Tensors does not get them.
        name: what pictures and errors call it, if not by the forward function's name.

    >>> import autograd
    >>> @primitive
    ... def cube(xp, x):
    ...     return x * x * x
    >>> _ = cube.grads(x=lambda xp, g, out, x: g * 3 * x * x)
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> cube(x).backward(); x.grad
    tensor(27.)
    """

    def make(forward: Callable[..., Any]) -> Primitive:
        return Primitive(
            forward,
            elementwise=elementwise,
            promote=promote,
            selects=selects,
            view=view,
            saves=saves,
            name=name,
        )

    return make if forward is None else make(forward)


def wrap(array: Any) -> Tensor:
    """A Tensor around ``array`` itself, without gradient."""
    out = _new(tensor_class)
    out._array = array
    out._grad = out._memory = out._extra = out._primitive = out._inputs = out._static = None
    out._requires_grad = False
    out._tick = 0
    return out  # type: ignore[return-value]


def constant(name: str, x: Any) -> Any:
    """An operand that is not a Tensor, as one or as a Python number; a DTypeError for what is neither."""
    if isinstance(x, Node) or type(x) in _numbers:
        return x
    if isinstance(x, np.generic):
        return x.item()  # NumPy's scalars count as numbers, as in PyTorch: they never upcast
    if isinstance(x, np.ndarray):
        dtypes.as_dtype(x.dtype)
        return wrap(x)
    if modes.local.namespace is not None and hasattr(x, "dtype"):
        return wrap(x)
    if isinstance(x, complex):
        raise DTypeError(f"{name}: complex numbers are not supported, got {x!r}")
    if hasattr(type(x), "_raise"):  # stands for a value that was overwritten
        x._raise()
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        raise DTypeError(
            f"{name}: {describe(x)} is a {type(x).__module__}.{type(x).__name__} of another library; "
            "convert it first: autograd.tensor(numpy.asarray(x))"
        )
    raise DTypeError(f"{name}: wants Tensors or numbers, got {describe(x)}; make a Tensor of it with autograd.tensor")


def _share(base: Node, view: Node) -> None:
    array, of = view._array, base._array
    if type(array) is np.ndarray and (array.base is of or (array.base is not None and array.base is of.base)):
        view._memory = memory = base._shared_memory()
        memory.add(view)


def binary_operator(
    op: Primitive, operate: Callable[[Any, Any], Any], reflected: bool = False, arrays: bool = False
) -> Any:
    """The method for an infix operator: two NumPy scalars are combined at once, and so are floating arrays if
    ``arrays`` says that ``operate`` is all that ``op`` does with them; all else goes through ``op``.

    NumPy's scalar arithmetic costs 35 ns and a ufunc on the same values 400, so scalar programs spend their time here;
    on arrays of a thousand entries it spares the half of an operation.
    """

    def method(x: Any, y: Any) -> Any:
        if not modes.active:
            a = x._array
            kind = type(a)
            if isinstance(y, Node):
                b = y._array
                requires_grad = x._requires_grad or y._requires_grad
            else:
                b = y
                requires_grad = x._requires_grad
            other = type(b)
            if kind in _scalars:
                quick = other is kind or other is float or other is int
            elif arrays and kind is _ndarray and a.dtype.kind == "f" and a.size < LARGE:
                quick = (
                    other is float
                    or other is int
                    or (other is _ndarray and b is not y and b.dtype is a.dtype and b.size < LARGE)
                )
            else:
                quick = False
            if quick:
                try:
                    value = operate(b, a) if reflected else operate(a, b)
                except ValueError:  # they do not broadcast
                    return op(y, x) if reflected else op(x, y)
                out = _new(tensor_class)
                out._array = value
                out._grad = out._memory = out._extra = None
                if requires_grad:
                    out._requires_grad = True
                    out._primitive = op
                    out._inputs = (y, x) if reflected else (x, y)
                    out._static = None
                    out._tick = next_tick()
                else:
                    out._requires_grad = False
                    out._primitive = out._inputs = out._static = None
                    out._tick = 0
                return out
        return op(y, x) if reflected else op(x, y)

    return method


def _output(parent: Node, index: int) -> Node:
    """What ``pick(parent, index=index)`` gives, without the call."""
    out = wrap(parent._array[index])
    if parent._requires_grad:
        out._requires_grad, out._primitive, out._inputs = True, pick, (parent,)
        out._static, out._tick = {"index": index}, next_tick()
    return out


@primitive
def pick(xp, parent, *, index):
    """Output number ``index`` of a primitive that gives several."""
    return parent[index]
