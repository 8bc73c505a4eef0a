"""Every public object of the three packages, under all of its names, with the file that it is from."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

PACKAGES = ("autograd", "nn", "optim")
# Modules whose names are public under the module's own name. The first that has an object is its home.
_NAMESPACES = """
    autograd autograd.linalg autograd.special autograd.functional autograd.random autograd.cuda
    nn nn.functional nn.init nn.data nn.regularizers nn.scalar nn.averaging
    nn.training nn.utils nn.utils.rnn nn.utils.parametrize nn.utils.parametrizations nn.utils.stateless
    optim optim.lr_scheduler optim.swa_utils
"""
NAMESPACES = _NAMESPACES.split()
# What functions return and what holds their records: documented under the file it is in.
_INNER = """
    autograd.graph.drawing autograd.graph.player autograd.graph.expand autograd.graph.explain autograd.graph.verify
    autograd.profiling autograd.backends nn.model_summary nn.model_health.report nn.model_health.measure
"""
INNER = _INNER.split()
# What `from __future__ import annotations` leaves in a module.
Feature = type(annotations)


@dataclass
class Entry:
    """One object under the names that one namespace has for it."""

    names: list[str]  # qualified, the main one first
    value: Any
    home: str  # the module that it is from
    same_as: str = ""  # the main name that it has in another namespace
    members: list[Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.names[0]


def public(module: types.ModuleType) -> dict[str, Any]:
    """The public names of a namespace: those in ``__all__``, or all that begin with no underscore."""
    names = getattr(module, "__all__", None)
    listed = [name for name in (names or dir(module)) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in listed}
    return {name: value for name, value in found.items() if not isinstance(value, types.ModuleType | Feature)}


def homes() -> dict[int, str]:
    """Where values without a ``__module__`` of their own, such as dtypes, are from."""
    modules = [importlib.import_module(f"autograd.{name}") for name in ("constants", "dtypes", "random")]
    return {id(value): module.__name__ for module in modules for name, value in public(module).items()}


def entries() -> list[Entry]:
    """Every public object, once for each namespace that has it."""
    found: list[Entry] = []
    known: dict[int, str] = {}
    at_home = homes()
    for namespace in [*NAMESPACES, *INNER, *rules()]:
        module = importlib.import_module(namespace)
        here: dict[Any, Entry] = {}
        inner = namespace not in NAMESPACES
        for name, value in sorted(public(module).items(), key=lambda pair: pair[0].lower()):
            plain = isinstance(value, bool | float | int | str | None)
            key = name if plain else id(value)
            if inner and id(value) in known:
                continue
            home = getattr(value, "__module__", None) or ""
            if plain or isinstance(value, np.dtype):
                home = at_home.get(id(value), "autograd.constants")
            elif home.split(".")[0] not in PACKAGES:
                home = "autograd.dtypes" if namespace == "autograd" else namespace
            if inner:
                home = namespace
            if key in here:
                here[key].names.append(f"{namespace}.{name}")
                if name == getattr(value, "__name__", name):
                    here[key].names.sort(key=lambda n, own=name: n.rpartition(".")[2] != own)
                continue
            here[key] = Entry([f"{namespace}.{name}"], value, home)
        for key, entry in here.items():
            if key in known:
                entry.same_as = known[key]
                entry.home = namespace
            elif isinstance(key, int):
                known[key] = entry.name
            if inspect.isclass(entry.value) and not entry.same_as and entry.home.split(".")[0] in PACKAGES:
                entry.members = list(members(entry, known))
            found.append(entry)
    return found


def rules() -> list[str]:
    """The files of optimizers, which have the pure update rules."""
    folder = pathlib.Path(importlib.import_module("optim").__file__ or "").parent
    plumbing = {"__init__", "packs", "threads", "whole", "optimizer", "swa_utils"}
    return [f"optim.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem not in plumbing]


def members(entry: Entry, known: dict[int, str]) -> Iterator[Entry]:
    """Methods and properties of a class and of those bases that are no public classes themselves."""
    cls = entry.value
    if not cls.__module__.startswith(PACKAGES):
        return
    public_ids = {id(value) for space in NAMESPACES for value in public(importlib.import_module(space)).values()}
    seen: dict[str, Any] = {}
    documented = {c for base in cls.__mro__[1:] if id(base) in public_ids for c in base.__mro__}
    for base in cls.__mro__:
        if base.__module__.split(".")[0] not in PACKAGES or base in documented:
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") and name not in seen:
                seen[name] = value
    groups: dict[int, Entry] = {}
    for name, value in sorted(seen.items()):
        inside = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        described = isinstance(inside, property) or callable(inside)
        refused = not isinstance(inside, property) and not hasattr(cls, name)
        if not described or refused or inspect.isclass(inside) or not inspect.getdoc(inside):
            continue
        if id(inside) in groups:
            groups[id(inside)].names.append(f"{entry.name}.{name}")
            continue
        groups[id(inside)] = Entry([f"{entry.name}.{name}"], value, entry.home, known.get(id(inside), ""))
    yield from groups.values()
