"""``record``: while it is open, every operation notes where in the program and in the model it was called."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .. import modes
from ..inplace import caller, note
from ..node import Node
from ..primitive import Primitive, pick

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
        return _inside(module) if modes.local.recording else contextlib.nullcontext()


@contextlib.contextmanager
def _inside(module: Any) -> Iterator[None]:
    local = modes.local
    before = local.modules
    outer, path, calls = before or (None, (), ())
    name = _variable(module) if outer is None else _below(outer, module)
    local.modules = module, (*path, (name, type(module).__name__)), (*calls, _next_call())
    try:
        yield
    finally:
        local.modules = before


def _below(outer: Any, module: Any) -> str:
    """The dotted name of ``module`` in ``outer``; "" where it is no part of it."""
    return next((name for name, m in outer.named_modules() if m is module), "")


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
        elif y._primitive is None and any(isinstance(x, Node) and x._requires_grad for x in inputs):
            y._extra["cut"] = op.name if modes.local.grad else "no_grad"


def recorded(function: Callable[[], Any]) -> Any:
    """What ``function()`` gives, run under ``record``."""
    with record():
        return function()
