"""What is switched on in this thread: recording, and the namespace that ops compute in.

Ops look at one global, ``active``: it is 0 while every thread records on NumPy, which is the usual
case, and then they ask nothing more. Each thread's own answer is in ``local``.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "is_profiling", "no_grad", "set_grad_enabled"]

F = TypeVar("F", bound=Callable[..., Any])

active = 0
_lock = threading.Lock()


class _Local(threading.local):
    grad = True
    namespace: Any = None  # None is NumPy
    watchers: tuple[Callable[..., None], ...] = ()  # each is shown every op: (primitive, inputs, static, result)
    anomaly = False
    recording = False
    modules: Any = None  # while recording: the call of the innermost module, names and numbers of all calls around
    took = 0.0  # seconds that the op shown to the watchers took,
    began = ended = 0  # and when, in nanoseconds of this clock
    clock: Callable[[], int] = time.perf_counter_ns
    profiler: Any = None  # the open ``profile``
    unusual = False


local = _Local()


def _set(**settings: Any) -> None:
    global active
    for name, value in settings.items():
        setattr(local, name, value)
    unusual = not local.grad or local.namespace is not None or bool(local.watchers)
    if unusual != local.unusual:
        local.unusual = unusual
        with _lock:
            active += 1 if unusual else -1


def is_grad_enabled() -> bool:
    """Whether ops record themselves in this thread.

    >>> with no_grad(): is_grad_enabled()
    False
    """
    return local.grad


def is_profiling() -> bool:
    """Whether a ``profile`` is open in this thread.

    >>> import autograd
    >>> with autograd.profile(): is_profiling()
    True
    """
    return active > 0 and local.profiler is not None  # one that is open watches


class _Switch:
    """Sets attributes of ``local`` for the length of a ``with`` block or of a decorated function."""

    _settings: dict[str, Any]
    _stack: list[dict[str, Any]]

    def __enter__(self) -> None:
        stack = self.__dict__.setdefault("_stack", [])
        stack.append({name: getattr(local, name) for name in self._settings})
        _set(**self._settings)

    def __exit__(self, *_: object) -> None:
        _set(**self._stack.pop())

    def _again(self) -> _Switch:
        """A switch of the same settings, for one call: a switch's stack belongs to one thread."""
        other = object.__new__(type(self))
        other._settings = self._settings
        return other

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{type(self).__name__}: {function.__name__} is a generator; open `with {type(self).__name__}():` "
                "inside it, around the work and not around the yield"
            )

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return switched  # type: ignore[return-value]


class _GradSwitch(_Switch):
    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        switch = object.__new__(cls)
        switch.__init__()  # type: ignore[misc]
        return switch if function is None else switch(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self._settings = {"grad": False}


class no_grad(_GradSwitch):
    """Ops inside are not recorded: for evaluation and for changing parameters by hand.

    A context manager and a decorator, as in PyTorch.

    >>> from autograd import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     (w * 2).requires_grad
    False
    """


class inference_mode(_GradSwitch):
    """The same as ``no_grad``; there is no cheaper kind of Tensor here."""


class enable_grad(_GradSwitch):
    """Ops inside are recorded again, inside ``no_grad``."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self._settings = {"grad": True}


class set_grad_enabled(_Switch):
    """Switches recording on or off at once, and back at the end when used in a ``with``.

    >>> with set_grad_enabled(False): is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self._settings = {"grad": bool(mode)}
        self._stack = [{"grad": local.grad}]
        _set(grad=bool(mode))

    def __enter__(self) -> None:
        _set(grad=self._settings["grad"])


class watching(_Switch):
    """Shows every op inside to ``watcher``, called with (primitive, inputs, static arguments, result)."""

    def __init__(self, watcher: Callable[..., None]) -> None:
        self._settings = {"watchers": (watcher,)}

    def __enter__(self) -> None:
        # Its own is the last; those before it are of whoever watched when this was entered before.
        self._settings = {"watchers": (*local.watchers, self._settings["watchers"][-1])}
        super().__enter__()


class watching_nothing(_Switch):
    """Shows the ops inside to nobody: those of a watcher itself."""

    def __init__(self) -> None:
        self._settings = {"watchers": ()}


class namespace(_Switch):
    """Ops inside compute in ``xp`` (a module of ``autograd.backends``) instead of NumPy."""

    def __init__(self, xp: Any) -> None:
        self._settings = {"namespace": xp}
