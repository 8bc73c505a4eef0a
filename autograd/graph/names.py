"""What the caller calls its Tensors: variables, entries of lists and dicts, parameters of modules."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import DTypeError, describe
from ..node import Node

_package = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# Containers are searched this deep, and only their first entries: a data set in scope must not make drawing slow.
_DEPTH, _ENTRIES = 3, 1000
# A notebook's own variables hold earlier results, which have better names.
_HISTORY = frozenset({"In", "Out"})


def scope() -> list[Mapping[str, Any]]:
    """The local and global variables of the innermost function outside this package."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_package):
        frame = frame.f_back
    local, outer = frame.f_locals, frame.f_globals
    return [dict(local)] if local is outer else [dict(local), dict(outer)]


def named(given: Mapping[str, Any] | None, scopes: list[Mapping[str, Any]]) -> dict[Node, str]:
    """A name for every Tensor that can be reached by one.

    ``given`` comes first. In the scopes the parameters of modules come before plain variables: the variable
    of a loop over ``model.parameters()`` would name the last of them otherwise.

    Raises:
        DTypeError: something in ``given`` is no Tensor and holds none.
    """
    names: dict[Node, str] = {}
    for name, value in (given or {}).items():
        found = [*_module(name, value), *_tensors(name, value, _DEPTH)]
        if not isinstance(name, str) or not found:
            raise DTypeError(
                f"draw: names wants {{'name': Tensor, ...}}, also with modules and lists or dicts of Tensors; "
                f"got {name!r}: {describe(value)}"
            )
        _add(names, found)
    variables = [(n, v) for s in scopes for n, v in s.items() if _is_name(n)]
    for name, value in variables:
        _add(names, _module(name, value))
    for depth in (0, _DEPTH):
        for name, value in variables:
            _add(names, _tensors(name, value, depth))
    for s in scopes[:1]:
        for name, value in getattr(s.get("self"), "__dict__", {}).items():
            _add(names, _tensors(f"self.{name}", value, 1))
    return names


def _is_name(name: str) -> bool:
    """Whether a reader would know it: tools put variables of their own into a scope."""
    return name.isidentifier() and not name.startswith("_") and name not in _HISTORY


def _add(names: dict[Node, str], found: Any) -> None:
    for name, tensor in found:
        names.setdefault(tensor, name)


def _module(name: str, value: Any) -> Iterator[tuple[str, Node]]:
    for method in ("named_parameters", "named_buffers"):
        # Asked of the class, because an instance may answer to any name (a mock, a module object of another library).
        if not isinstance(value, type) and callable(getattr(type(value), method, None)):
            for part, tensor in getattr(value, method)():
                if isinstance(tensor, Node):
                    yield f"{name}.{part}", tensor


def _tensors(name: str, value: Any, depth: int) -> Iterator[tuple[str, Node]]:
    if isinstance(value, Node):
        yield name, value
    elif depth and isinstance(value, (list, tuple)):
        for i, entry in enumerate(value[:_ENTRIES]):
            yield from _tensors(f"{name}[{i}]", entry, depth - 1)
    elif depth and isinstance(value, dict):
        for key, entry in list(value.items())[:_ENTRIES]:
            yield from _tensors(f"{name}[{key!r}]", entry, depth - 1)
