"""Finding the op that made the first NaN or Inf. Nothing of this costs anything while it is off."""

from __future__ import annotations

import linecache
from typing import Any

import numpy as np

from . import modes
from .errors import describe, location
from .inplace import caller
from .node import Node
from .primitive import Primitive, pick

__all__ = [
    "AnomalyError", "detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly",
]  # fmt: skip


class AnomalyError(ArithmeticError, RuntimeError):
    """A NaN or Inf that an operation or its gradient made, found by ``detect_anomaly``."""


class _AnomalySwitch(modes._Switch):
    def __init__(self, mode: bool, check_nan: bool) -> None:
        self._mode, self._check_nan = bool(mode), bool(check_nan)
        self._settings = {"watchers": (), "anomaly": False}

    def _now(self) -> dict[str, Any]:
        others = tuple(w for w in modes.local.watchers if w not in (_note_line, _check_forward))
        own = (_note_line, *([_check_forward] if self._check_nan else [])) if self._mode else ()
        return {"watchers": (*own, *others), "anomaly": self._mode and self._check_nan}

    def __enter__(self) -> None:
        self._settings = self._now()
        super().__enter__()

    def _again(self) -> Any:
        return _AnomalySwitch(self._mode, self._check_nan)


class detect_anomaly(_AnomalySwitch):
    """Stops at the first NaN or Inf, in the forward or the backward pass, and says where it came from.

    The error names the operation, the line of your program that called it, and the ranges of its inputs. An Inf
    that was put in on purpose, such as −∞ in a mask, passes: only a NaN, or an Inf made of finite numbers, is an
    anomaly. A context manager and a decorator; both passes belong inside. Ops are several times slower in it.

    Arguments:
        check_nan: False only notes the lines, and checks nothing.

    Raises:
        AnomalyError: which is an ArithmeticError and, as in PyTorch, a RuntimeError.

    >>> import autograd
    >>> x = autograd.tensor([1.0, -1.0], requires_grad=True)
    >>> try:
    ...     with autograd.detect_anomaly():
    ...         y = autograd.sqrt(x)
    ... except autograd.AnomalyError as error:
    ...     print(str(error).split(", at ")[0])
    sqrt: the result has 1 NaN among 2 entries
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


class set_detect_anomaly(_AnomalySwitch):
    """Switches the detection on or off at once, in this thread; back at the end when used in a ``with``.

    >>> with set_detect_anomaly(True): is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode, check_nan)
        self._stack = [{"watchers": modes.local.watchers, "anomaly": modes.local.anomaly}]
        modes._set(**self._now())

    def __enter__(self) -> None:
        modes._set(**self._now())


def is_anomaly_enabled() -> bool:
    """Whether the detection is on in this thread.

    >>> is_anomaly_enabled()
    False
    """
    return _note_line in modes.local.watchers


def is_anomaly_check_nan_enabled() -> bool:
    """Whether NaN and Inf are looked for, and not only lines noted.

    >>> is_anomaly_check_nan_enabled()
    False
    """
    return modes.local.anomaly


def _note_line(op: Primitive, inputs: tuple[Any, ...], static: Any, out: Any) -> None:
    """Leaves the user's line with what was recorded."""
    for y in out if type(out) is tuple else (out,):
        if y._primitive is None:
            continue
        nodes = [y, y._inputs[0]] if y._primitive is pick and y._inputs else [y]
        for node in nodes:
            if node._extra is None:
                node._extra = {}
            node._extra.setdefault("where", caller())


def _check_forward(op: Primitive, inputs: tuple[Any, ...], static: Any, out: Any) -> None:
    values = [a for y in (out if type(out) is tuple else (out,)) if (a := _floats(y)) is not None]
    nans, infinite = _count(np.isnan, values), _count(np.isinf, values)
    given = [a for x in inputs if (a := _floats(x)) is not None]
    if not nans and (not infinite or _count(np.isinf, given)):
        return
    what = "NaN" if nans else "Inf"
    origin = ""
    if nans and _count(np.isnan, given):
        origin = ", which came in with an input"
    total = sum(a.size for a in values)
    raise AnomalyError(
        f"{op.name}: the result {_share(nans or infinite, what, total)}{origin}, at {_line(caller())}"
        + _ranges(op, inputs)
    )


def check_backward(node: Any, index: int, upstream: Any, downstream: Any) -> None:
    """Raises for a NaN in the downstream gradient, or an Inf that was not in the upstream one."""
    values = _floats(downstream)
    if values is None:
        return
    nans, infinite = _count(np.isnan, [values]), _count(np.isinf, [values])
    before = [a for u in (upstream if isinstance(upstream, list) else [upstream]) if (a := _floats(u)) is not None]
    if not nans and (not infinite or _count(np.isinf, before)):
        return
    op = node._primitive
    where = (node._extra or {}).get("where")
    place = f"computed at {_line(where)}" if where else "recorded before detect_anomaly was on"
    argument = op.inputs[min(index, len(op.inputs) - 1)] + (f"[{index}]" if op.variadic else "")
    came_in = ", which came in with the upstream gradient" if nans and _count(np.isnan, before) else ""
    raise AnomalyError(
        f"backward of {op.name}: the gradient with respect to {argument} "
        f"{_share(nans or infinite, 'NaN' if nans else 'Inf', values.size)}{came_in}; {op.name} was {place}"
        + _ranges(op, node._inputs or ())
        + "".join(f"\n  upstream gradient: {_range(a)}" for a in before)
    )


def _floats(x: Any) -> Any:
    """The entries of a floating Tensor, array or number; None for anything else, also for what jax is tracing."""
    a = x._array if isinstance(x, Node) else x
    if isinstance(a, float):
        return np.asarray(a)
    return a if isinstance(a, (np.ndarray, np.generic)) and a.dtype.kind == "f" else None


def _count(test: Any, arrays: list[Any]) -> int:
    return sum(int(np.count_nonzero(test(a))) for a in arrays)


def _share(found: int, what: str, total: int) -> str:
    return f"is {what}" if total == 1 else f"has {found} {what} among {total} entries"


def _line(where: tuple[str, int]) -> str:
    source = linecache.getline(*where).strip()
    return location(where) + (f": {source}" if source else "")


def _ranges(op: Primitive, inputs: tuple[Any, ...]) -> str:
    lines = []
    for i, x in enumerate(inputs):
        a = x._array if isinstance(x, Node) else x
        name = f"{op.inputs[0]}[{i}]" if op.variadic else op.inputs[i]
        if isinstance(a, (np.ndarray, np.generic)):
            lines.append(f"\n  {name}: {_range(a)}")
        elif isinstance(a, (bool, int, float)):
            lines.append(f"\n  {name}: {describe(a)}")
    return "".join(lines)


def _range(a: Any) -> str:
    a = np.asarray(a)
    finite = a[np.isfinite(a)] if a.dtype.kind == "f" else a.reshape(-1).astype(int)
    text = describe(a)
    if finite.size:
        low, high = finite.min(), finite.max()
        text += f", all {low:.6g}" if low == high else f", from {low:.6g} to {high:.6g}"
    for test, name in ((np.isnan, "NaN"), (np.isinf, "Inf")):
        n = _count(test, [a]) if a.dtype.kind == "f" else 0
        text += f", {n} {name}" if n else ""
    return text
