"""Writing into a Tensor's memory: what is recorded, what is refused, and who overwrote what.

A Tensor that is changed in place while gradient is recorded becomes the result of that change; the
record that it had moves to a new node. Nodes that used the Tensor before were recorded
earlier than its present tick, and find the older node through ``earlier``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import modes
from .errors import DTypeError, GraphError, ShapeError, location
from .node import LastWrite, Memory, Node, next_tick
from .primitive import Primitive, wrap

__all__ = ["increment_version"]

_here = os.path.dirname(os.path.abspath(__file__))
# The distribution's packages lie beside each other; none of their lines is what a user wants to be shown.
_packages = tuple(
    os.path.join(os.path.dirname(_here), name) + os.sep for name in (os.path.basename(_here), "nn", "optim")
)


def caller() -> tuple[str, int]:
    """File and line of the innermost frame outside Glassgrad."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_packages):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def note(node: Any) -> None:
    """Leaves with ``node`` where it was made: "where", "seconds", and "module" and "call" inside of modules."""
    if node._extra is None:
        node._extra = {}
    extra, local = node._extra, modes.local
    extra.setdefault("where", caller())
    extra.setdefault("seconds", local.took)
    if local.modules is not None:
        _, extra["module"], extra["call"] = local.modules


def increment_version(tensors: Node | Iterable[Node]) -> None:
    """Says that the memory of ``tensors`` was written outside the engine, through ``t.numpy()`` say.

    A backward pass that needs a value from before then raises, instead of using the new one.

    >>> from autograd import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> w.numpy()[0] = 5.0
    >>> increment_version(w)
    """
    where, tick = caller(), next_tick()
    LastWrite.tick = tick  # first, so that what was marked counts even if a later one of ``tensors`` is none
    for t in [tensors] if isinstance(tensors, Node) else tensors:
        memory = t._memory or t._shared_memory()
        memory.changed, memory.where = tick, where


def earlier(x: Node, node: Node) -> Node:
    """``x`` as it was when ``node`` was recorded with it as an input."""
    while x._tick > node._tick:
        older = None if x._extra is None else x._extra.get("older")
        if older is None:
            raise freed(node)
        x = older
    return x


def freed(node: Node) -> GraphError:
    """The error of going backward through ``node`` once more."""
    name = "?" if node._primitive is None else node._primitive.name
    return GraphError(
        f"backward: the graph behind this {name} was freed by an earlier backward pass, which keeps nothing that "
        "it is done with; give that earlier call retain_graph=True to go backward through it again"
    )


def snapshot(t: Any) -> Any:
    """A node with the record that ``t`` has now."""
    old = wrap(t._array)
    old._requires_grad, old._primitive, old._inputs = t._requires_grad, t._primitive, t._inputs
    old._static, old._tick, old._extra, old._memory = t._static, t._tick, t._extra, t._memory
    t._extra = None
    return old


# Ops whose rules look at no value of their first input; all others keep a copy of what they replace.
_NEEDS_NO_VALUE = frozenset({"add", "sub", "setitem"})


def write(t: Any, result: Any, name: str) -> Any:
    """Puts ``result``, computed from ``t`` and perhaps others, into ``t``'s memory, and returns ``t``.

    Raises:
        GraphError: ``t`` is a leaf that requires grad, and gradient is being recorded.
        ShapeError: ``result`` is larger than ``t``.
        DTypeError: ``result`` does not fit t's dtype (a float into integers).
    """
    _check_leaf(t, name)
    if tuple(result.shape) != tuple(t.shape):
        raise ShapeError(
            f"{name}: the result has shape {tuple(result.shape)}, the Tensor that it should go into {tuple(t.shape)}"
        )
    if not np.can_cast(result.dtype, t.dtype, "same_kind"):
        raise DTypeError(
            f"{name}: the result is {result.dtype}, and the Tensor that it should go into {t.dtype}; "
            f"convert it first: t.to({result.dtype})"
        )
    record = modes.local.grad and result._requires_grad
    how = (result._primitive, result._inputs, result._static) if record else None
    if modes.local.namespace is not None:
        old = snapshot(t)
        t._array = result._array.astype(t.dtype)
        if how is not None:
            _record(t, old, next_tick(), how)
        return t
    profiler = modes.local.profiler
    if profiler is None or not modes.local.watchers:  # inside an operation it is a part of that
        return _replace(t, name, how, lambda array: np.copyto(array, result._array, casting="same_kind"))
    with profiler._writing(t, result, name):
        return _replace(t, name, how, lambda array: np.copyto(array, result._array, casting="same_kind"))


def write_at(t: Any, setitem: Primitive, key: Any, value: Any, name: str) -> None:
    """Puts ``value`` at ``t[key]`` and touches nothing else, recorded as the primitive ``setitem``."""
    if modes.local.namespace is not None:
        write(t, setitem(t, value, key=key), name)
        return
    _check_leaf(t, name)
    a_tensor = isinstance(value, Node)
    record = modes.local.grad and (t._requires_grad or (a_tensor and value._requires_grad))
    how = (setitem, (t, value), {"key": key}) if record else None
    local = modes.local
    began = local.clock() if local.watchers else 0
    _replace(t, name, how, lambda array: array.__setitem__(key, value._array if a_tensor else value))
    if local.watchers:
        local.began, local.ended = began, local.clock()
        local.took = (local.ended - began) * 1e-9
    for watch in local.watchers:
        watch(setitem, (t, value), {"key": key}, t)


def _check_leaf(t: Any, name: str) -> None:
    if modes.local.grad and t._requires_grad and t._primitive is None:
        raise GraphError(
            f"{name}: a leaf Tensor that requires grad is being changed in place; "
            f"do it inside `with no_grad():`, or write a new Tensor: t = {_out_of_place(name)}"
        )


def _replace(t: Any, name: str, how: Any, put: Callable[[Any], None]) -> Any:
    memory = t._shared_memory()
    if not t._materialise().flags.writeable:
        if t.is_sparse:
            raise t._refused(name)
        raise GraphError(
            f"{name}: this Tensor's memory cannot be written: it is expanded, so that several entries are one "
            "place in memory, or made from a read-only array; write to a clone() of it"
        )
    old, overlapping = None, []
    if how is not None:
        overlapping = _overlapping(t, memory, name)  # first of all: it may refuse, and then nothing is written
        old = snapshot(t)
        if how[0].name not in _NEEDS_NO_VALUE:
            old._array, old._memory = np.array(t._array), None
    tick = next_tick()
    put(t._array)
    memory.mark(tick, caller())
    if how is not None:
        _record(t, old, tick, how)
        _carry_over(t, overlapping)
    return t


def _record(t: Any, old: Any, tick: int, how: Any) -> None:
    t._requires_grad, t._primitive, t._static = True, how[0], how[2]
    t._inputs = tuple(old if x is t else x for x in how[1])
    t._tick, t._extra = tick, {"older": old}
    if modes.local.watchers:
        note(t)
    LastWrite.tick = tick


def _out_of_place(name: str) -> str:
    return f"t.{name.rstrip('_')}(...)" if name.endswith("_") else "where(mask, value, t)"


def _overlapping(t: Any, memory: Memory, name: str) -> list[tuple[Any, Any, Any]]:
    """Every other Tensor that shares memory with ``t``: where it does, and with which of t's entries.

    Raises GraphError when one of them is a leaf that requires grad.
    """
    found = []
    for alias in [v() for v in memory.views]:
        if alias is None or alias is t or not np.may_share_memory(alias._array, t._array):
            continue
        places = _places(t._array)
        order = np.argsort(places, kind="stable")
        mine = _places(alias._array)
        at = np.minimum(np.searchsorted(places[order], mine), places.size - 1)
        source = order[at]
        mask = (places[source] == mine).reshape(alias.shape)
        if not mask.any():
            continue
        if alias._requires_grad and alias._primitive is None:
            raise GraphError(
                f"{name}: this writes into the memory of a leaf Tensor that requires grad; "
                "do it inside `with no_grad():`, or on a clone() of it"
            )
        found.append((alias, mask, source.reshape(alias.shape)))
    return found


def _carry_over(t: Any, overlapping: list[tuple[Any, Any, Any]]) -> None:
    """Lets every other Tensor that shares the memory just written have t's gradient where they overlap."""
    for alias, mask, source in overlapping:
        from .ops.elementwise import where

        before = snapshot(alias)
        mixed = where(wrap(mask), t.reshape(-1)[source], before)
        alias._requires_grad, alias._primitive, alias._static = True, mixed._primitive, mixed._static
        alias._inputs, alias._tick, alias._extra = mixed._inputs, next_tick(), {"older": before}
        if modes.local.recording:
            note(alias)
        if modes.local.profiler is not None:
            modes.local.profiler._noted(alias)
        LastWrite.tick = alias._tick


def _places(array: Any) -> Any:
    """The address of each entry of ``array``, flat."""
    start, strides = array.__array_interface__["data"][0], array.strides
    grid = sum(
        (np.arange(n).reshape([-1] + [1] * (array.ndim - 1 - d)) * strides[d] for d, n in enumerate(array.shape)),
        np.zeros((), np.int64),
    )
    return (start + np.broadcast_to(grid, array.shape)).reshape(-1)


class Overwritten:
    """Stands for a value that a rule may read, but that was overwritten after the rule's op used it.

    Its shape and dtype are still known; any other use is the error that names op and line. So a rule
    that never looks at the value, such as that of ``add``, is not disturbed.
    """

    __slots__ = ("_message", "dtype", "ndim", "shape", "size")

    def __init__(self, array: Any, node: Node, memory: Memory) -> None:
        assert node._primitive is not None
        self.shape, self.dtype, self.ndim, self.size = array.shape, array.dtype, array.ndim, array.size
        place = "" if memory.where is None else f" at {location(memory.where)}"
        self._message = (
            f"{node._primitive.name}: backward needs a value ({array.dtype} of shape {tuple(array.shape)}) that was "
            f"overwritten in place{place} after {node._primitive.name} had used it; "
            "use an op that makes a new Tensor there, or give this one a clone()"
        )

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise GraphError(self._message)

    def __getattr__(self, name: str) -> Any:
        raise GraphError(self._message)

    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __len__ = __bool__ = __float__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _raise
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __abs__ = __invert__ = __iter__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __and__ = __rand__ = __or__ = __ror__ = _raise
    __hash__ = None  # type: ignore[assignment]
