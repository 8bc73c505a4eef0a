"""``record``: while it is open, every operation notes where in the program and in the model it was called."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable
from typing import Any

from .. import modes
from ..inplace import caller, note
from ..node import Node
from ..primitive import Primitive, pick
from ..tree import flatten

__all__ = ["record"]

_next_call = itertools.count(1).__next__


class record(modes._Switch):
    """Notes for every operation inside its source line, the modules that it was called in, and how long it took.

    Pictures show the line, group what belongs to one module and may be coloured by time; ``explain`` names the line
    at which a gradient was cut off. A context manager and a decorator, for this thread; the forward pass belongs
    inside. Each operation costs several microseconds more inside, and nothing outside.

    >>> import autograd
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> with autograd.record():
    ...     y = x * x
    >>> autograd.draw(y).graph.vertices[-1].where is None
    False
    """

    # How many are open in all threads: a module that is called asks no more than this.
    active = 0

    def __init__(self) -> None:
        self._settings = {"recording": True}

    def __enter__(self) -> None:
        others = tuple(w for w in modes.local.watchers if w is not _note)
        self._settings = {"recording": True, "watchers": (_note, *others)}
        super().__enter__()
        with modes._lock:
            record.active += 1

    def __exit__(self, *_: object) -> None:
        with modes._lock:
            record.active -= 1
        super().__exit__()

    @staticmethod
    def module(module: Any) -> contextlib.AbstractContextManager[None]:
        """Says that what runs inside belongs to ``module``; for a base class of modules to open around ``forward``.

        Its name is that in the module around it, ``blocks.0``, and for the outermost that of the caller's variable.

        Arguments:
            module: has a ``named_modules()`` as that of ``nn.Module``.
        """
        local = modes.local
        if local.profiler is not None:
            return local.profiler._module(module, _inside(module) if local.recording else None)
        return _inside(module) if local.recording else contextlib.nullcontext()


class _inside:
    # Not made of a generator: contextlib's frames would pass for the user's.
    def __init__(self, module: Any) -> None:
        self.module = module
        self._names: dict[Any, str] | None = None

    def __enter__(self) -> None:
        local, module = modes.local, self.module
        self.before = local.modules
        outer, path, calls = self.before or (None, (), ())
        name = _variable(module) if outer is None else outer.names().get(module, "")
        local.modules = self, (*path, (name, type(module).__name__)), (*calls, _next_call())

    def __exit__(self, *_: object) -> None:
        modes.local.modules = self.before

    def names(self) -> dict[Any, str]:
        """The dotted name of every module in this one."""
        if self._names is None:
            self._names = {module: name for name, module in self.module.named_modules()}
        return self._names


def _variable(module: Any) -> str:
    """What the code that called ``module`` calls it; "" where it has no name."""
    frame: Any = sys._getframe(1)
    where = caller()
    while frame is not None and (frame.f_code.co_filename, frame.f_lineno) != where:
        frame = frame.f_back
    if frame is None:
        return ""
    owner = frame.f_locals.get("self")
    own = {f"self.{name}": value for name, value in getattr(owner, "__dict__", {}).items()}
    for variables in (frame.f_locals, own, frame.f_globals):
        for name, value in variables.items():
            if value is module and not name.startswith("_"):
                return name
    return ""


def _note(op: Primitive, inputs: tuple[Any, ...], static: Any, out: Any) -> None:
    for y in out if type(out) is tuple else (out,):
        note(y)
        if y._primitive is pick and y._inputs:
            note(y._inputs[0])
        elif y._primitive is None:
            nodes = [x for x in inputs if isinstance(x, Node)]
            if any(x._requires_grad for x in nodes):
                y._extra["cut"] = op.name if modes.local.grad else "no_grad"
                continue
            # What is computed from something cut off hangs on the same cut, and on its line.
            before = next((x._extra for x in nodes if x._extra and "cut" in x._extra), None)
            if before is not None:
                y._extra.update(cut=before["cut"], where=before["where"])


def recorded(function: Callable[[], Any]) -> Any:
    """The Tensor that ``function()`` gives, or all those in its lists and dicts, run under ``record``."""
    with record():
        result = function()
    if isinstance(result, Node):
        return result
    return [leaf for leaf in flatten(result)[0] if isinstance(leaf, Node)] or result
