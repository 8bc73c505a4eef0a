"""Operations written as a class with ``forward`` and ``backward``, PyTorch's way."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import modes
from .errors import DTypeError, GraphError, ShapeError, describe, location
from .inplace import Overwritten, note
from .node import Memory, Node, next_tick
from .primitive import Primitive, Rule, _output, wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

# From the upstream gradients of the outputs, the outputs, the inputs and the static arguments: a gradient per input.
Pull = Callable[[list[Any], Any, Sequence[Any], dict[str, Any]], Sequence[Any]]


class Joint(Primitive):
    """An op whose gradients with respect to all inputs are computed together, by ``pull``."""

    def __init__(self, name: str, pull: Pull, module: str, *, selects: bool = False) -> None:
        self.name = self.__name__ = self.__qualname__ = name
        self.__module__ = module
        self.pull = pull
        self.elementwise = self.view = self.smooth = self.plain = self.spreads = False
        self.selects = selects
        self.variadic = True
        self.promote = None
        self.saves = ()
        self.inputs = ("inputs",)
        self.rules = (None,)

    def __call__(self, *inputs: Any, **static: Any) -> Tensor:
        raise TypeError(f"{self.name}: this is called through its class, {self.name}.apply(...)")

    def rule(self, index: int) -> Rule:
        """The rule of input number ``index`` alone."""
        return self.rules_of(index + 1)[index]

    def rules_of(self, count: int) -> Any:
        """Rules that share one call of ``pull``, made when the first of them is asked."""
        found: list[Sequence[Any]] = []

        def rule_of(index: int) -> Rule:
            def rule(xp: Any, g: Any, out: Any, *values: Any, **static: Any) -> Any:
                if not found:
                    found.append(self.pull(g if isinstance(g, list) else [g], out, values, static))
                return found[0][index]

            return rule

        return [rule_of(i) for i in range(count)]


def recorded(op: Joint, inputs: tuple[Any, ...], results: Sequence[Any], tick: int, **static: Any) -> list[Any]:
    """New Tensors with the values of ``results``, as outputs of ``op``."""
    arrays = tuple(r._array for r in results)
    node = wrap(arrays[0] if len(arrays) == 1 else arrays)
    node._requires_grad, node._primitive, node._inputs, node._static = True, op, inputs, static
    node._tick = tick
    outs = [node] if len(arrays) == 1 else [_output(node, i) for i in range(len(arrays))]
    for out, r in zip(outs, results, strict=True):
        if isinstance(r._array, np.ndarray) and (r._memory is not None or any(r is x for x in inputs)):
            out._memory = memory = r._shared_memory()
            memory.add(out)
    if modes.local.recording:
        for made in (node, *outs):
            note(made)
    if modes.local.profiler is not None:
        modes.local.profiler._noted(node)
    return outs


def not_owned(g: Any) -> Any:
    """``g`` as something that the walk will not add into: whoever computed it may still use it."""
    return g.view() if type(g) is np.ndarray else g


class FunctionCtx:
    """What ``forward`` leaves for ``backward``: Tensors by ``save_for_backward``, anything else as attributes."""

    needs_input_grad: tuple[bool, ...] = ()
    """For each argument of ``apply``, whether it is a Tensor that requires grad."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._saved: list[Any] = []
        self._saved_at = 0
        self._output_memories: dict[int, Memory | None] = {}  # by the place of a saved Tensor that is an output
        self._outputs: list[Any] | None = None  # there while backward runs
        self._not_differentiable: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps Tensors (or None) for ``saved_tensors``; overwriting one before backward is an error there."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Node):
                raise DTypeError(
                    f"{self._name}.save_for_backward: wants Tensors or None, argument {i} is {describe(t)}; "
                    "keep anything else as an attribute: ctx.name = value"
                )
        self._saved, self._saved_at = list(tensors), next_tick()

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` was given."""
        return tuple(self._read(i, t) for i, t in enumerate(self._saved))

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Says that no gradient flows back from these outputs."""
        self._not_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True, the default) or None for an output that nothing depends on."""
        self._materialize = bool(value)

    def mark_dirty(self, *inputs: Any) -> None:
        """Refused: a ``forward`` that overwrites its inputs is not supported."""
        raise GraphError(
            f"{self._name}.mark_dirty: changing an input in place is not supported in a Function; return a new Tensor"
        )

    def _settle(self, results: Sequence[Any], outs: Sequence[Any]) -> None:
        """Forgets the Tensors that are outputs: they lead to this ctx, and the cycle would keep all of them."""
        for i, saved in enumerate(self._saved):
            for k, result in enumerate(results):
                if saved is not None and saved is result:
                    self._saved[i] = k
                    shared = outs[k]._shared_memory() if isinstance(outs[k]._array, np.ndarray) else None
                    self._output_memories[i] = shared
        self._not_differentiable = ()

    def _read(self, i: int, saved: Any) -> Any:
        if type(saved) is not int:
            if saved is not None and saved._memory is not None:
                self._check(saved, saved._memory)
            return saved
        if self._outputs is None:
            raise GraphError(f"{self._name}: saved_tensors holds an output, which is there only in backward")
        out, memory = self._outputs[saved], self._output_memories[i]
        if memory is not None:
            self._check(out, memory)
        return out

    def _check(self, t: Any, memory: Memory) -> None:
        if memory.changed > self._saved_at:
            place = "" if memory.where is None else f" at {location(memory.where)}"
            raise GraphError(
                f"{self._name}: backward needs a saved Tensor ({describe(t)}) that was overwritten in place{place} "
                f"after {self._name} had saved it; use an op that makes a new Tensor there, or give this one a clone()"
            )


class Function:
    """A differentiable operation of one's own: ``forward`` computes, ``backward`` is the chain rule.

    Both are static methods. ``forward(ctx, *args)`` runs without recording and returns a Tensor or a tuple.
    ``backward(ctx, *upstream)`` gets the upstream gradient of each output and returns the downstream gradient of
    each argument of ``forward``, None for those that have none. ``apply`` calls and records it. Written with
    Tensor operations, ``backward`` can be differentiated again. Instead of taking ``ctx``, ``forward`` may leave it
    to ``setup_context(ctx, inputs, output)``.

    The multiply gate, [downstream] = [upstream] × [local gradient]:

    >>> import autograd
    >>> class Multiply(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x, y):
    ...         ctx.save_for_backward(x, y)
    ...         return x * y
    ...     @staticmethod
    ...     def backward(ctx, upstream):
    ...         x, y = ctx.saved_tensors
    ...         return upstream * y, upstream * x
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> y = autograd.tensor(-4.0, requires_grad=True)
    >>> z = Multiply.apply(x, y)
    >>> z.backward()
    >>> x.grad, y.grad
    (tensor(-4.), tensor(3.))

    A straight-through estimator (Bengio, Léonard and Courville, 2013) rounds forward and passes the gradient on as if
    it had not:

    >>> class Round(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return autograd.floor(x + 0.5)
    ...     @staticmethod
    ...     def backward(ctx, upstream):
    ...         return upstream
    >>> x = autograd.tensor([0.2, 0.7], requires_grad=True)
    >>> (Round.apply(x) * autograd.tensor([2.0, 3.0])).sum().backward()
    >>> x.grad
    tensor([2., 3.])
    """

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__}: a Function is not instantiated; call {type(self).__name__}.apply(...)")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result for the arguments of ``apply``; overridden."""
        raise NotImplementedError("Function: define the static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Saves what ``backward`` needs, if ``forward`` is written without ``ctx``."""
        raise NotImplementedError("Function: define the static method setup_context(ctx, inputs, output)")

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The gradient with respect to each argument; overridden."""
        raise NotImplementedError(
            "Function: there is no backward; define the static method backward(ctx, *upstream), "
            "which returns one gradient for each argument of forward"
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Computes ``forward`` of ``args`` and records it if a Tensor among them requires grad."""
        ctx = FunctionCtx(cls.__name__)
        ctx.needs_input_grad = tuple(isinstance(x, Node) and x._requires_grad for x in args)
        with modes.no_grad():
            if cls.setup_context is Function.setup_context:
                value = cls.forward(ctx, *args)
            else:
                value = cls.forward(*args)
                cls.setup_context(ctx, args, value)
        results = list(value) if isinstance(value, (tuple, list)) else [value]
        if not (modes.local.grad and any(ctx.needs_input_grad)):
            return value
        places = [
            i
            for i, r in enumerate(results)
            if isinstance(r, Node) and r.dtype.kind == "f" and not any(r is t for t in ctx._not_differentiable)
        ]
        if not places:
            return value
        inputs = tuple(x for x in args if isinstance(x, Node))
        tensor_places = [i for i, x in enumerate(args) if isinstance(x, Node)]
        made = recorded(
            cls._op(),
            inputs,
            [results[i] for i in places],
            next_tick(),
            _ctx=ctx,
            _places=(places, tensor_places, len(args)),
            _args=tuple(None if isinstance(x, Node) else x for x in args),
        )
        outs: list[Any] = [r.detach() if isinstance(r, Node) else r for r in results]  # type: ignore[attr-defined]
        for i, out in zip(places, made, strict=True):
            outs[i] = out
        ctx._settle(results, outs)
        # The values of outputs without gradient, and what a gradient of zeros for them looks like.
        ctx._fixed = [None if i in places else r for i, r in enumerate(outs)]  # type: ignore[attr-defined]
        return tuple(outs) if isinstance(value, (tuple, list)) else outs[0]

    @classmethod
    def _op(cls) -> Joint:
        op = cls.__dict__.get("_joint")
        if op is None:
            op = cls._joint = Joint(cls.__name__, functools.partial(_pull, cls), cls.__module__)  # type: ignore[attr-defined]
        return op


def _pull(cls: Any, g: list[Any], out: Any, values: Sequence[Any], static: dict[str, Any]) -> list[Any]:
    """Runs ``cls.backward`` on the upstream gradients ``g`` and sorts out what it returns."""
    ctx, (places, tensor_places, count) = static["_ctx"], static["_places"]
    recording = any(isinstance(u, Node) for u in g)
    made = list(out) if len(places) > 1 else [out]
    outputs: list[Any] = list(ctx._fixed)
    upstreams: list[Any] = [None] * len(outputs)
    for i, o, u in zip(places, made, g, strict=True):
        outputs[i] = o if isinstance(o, (Node, Overwritten)) else wrap(o)
        upstreams[i] = u if u is None or isinstance(u, Node) else wrap(u)
    if ctx._materialize:
        for i, (o, u) in enumerate(zip(outputs, upstreams, strict=True)):
            if u is None and isinstance(o, (Node, Overwritten)):
                upstreams[i] = wrap(np.zeros(o.shape, o.dtype)[()])
    once = recording and getattr(cls.backward, "_once", False)
    ctx._outputs = outputs
    try:
        with contextlib.nullcontext() if recording and not once else modes.no_grad():
            returned = cls.backward(ctx, *upstreams)
    finally:
        ctx._outputs = None
    returned = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    if len(returned) < count or any(extra is not None for extra in returned[count:]):
        raise GraphError(
            f"{cls.__name__}.backward: returned {len(returned)} gradients, and {cls.__name__}.forward was given "
            f"{count} arguments; return one for each, None for those that have none"
        )
    if once:
        nodes = [v for v in (*values, *upstreams) if isinstance(v, Node)]
        returned = [
            _Once.apply(cls.__name__, r, *nodes) if isinstance(r, Node) and r.dtype.kind == "f" else r for r in returned
        ]
    return [
        _checked(cls.__name__, i, returned[i], x, recording) if ctx.needs_input_grad[i] else None
        for i, x in zip(tensor_places, values, strict=True)
    ]


def _checked(name: str, i: int, g: Any, x: Any, recording: bool) -> Any:
    if g is None:
        return None
    if not isinstance(g, Node):
        raise DTypeError(f"{name}.backward: gradient {i} must be a Tensor or None, got {describe(g)}")
    shape = tuple(x.shape)
    try:
        fits = np.broadcast_shapes(tuple(g.shape), shape) == tuple(g.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}.backward: gradient {i} has shape {tuple(g.shape)}, and argument {i} of forward {shape}; "
            "they must be the same"
        )
    return g if recording else not_owned(g._array)


class _Once(Function):
    """The identity, with an error for a backward."""

    @staticmethod
    def forward(ctx: Any, name: str, g: Any, *others: Any) -> Any:
        ctx.name = name
        return g.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        raise GraphError(
            f"{ctx.name}: its backward is marked once_differentiable, so there is no gradient of its gradient; "
            "write it with Tensor operations and leave the mark away"
        )


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a ``Function.backward`` that computes in ways that are not recorded: differentiating it is an error.

    >>> import autograd, numpy as np
    >>> class Sine(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return autograd.tensor(np.sin(x.numpy()))
    ...     @staticmethod
    ...     @autograd.once_differentiable
    ...     def backward(ctx, upstream):
    ...         (x,) = ctx.saved_tensors
    ...         return upstream * autograd.tensor(np.cos(x.numpy()))
    >>> x = autograd.tensor(0.0, requires_grad=True)
    >>> Sine.apply(x).backward(); x.grad
    tensor(1.)
    """

    @functools.wraps(backward)
    def marked(*args: Any) -> Any:
        return backward(*args)

    marked._once = True  # type: ignore[attr-defined]
    return marked
