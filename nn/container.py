"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, overload

from autograd.errors import describe

from .module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules one after the other, the output of each the input of the next.

    Arguments:
        args: the modules, named "0", "1", …; or one dict with names of one's own.

    Raises:
        TypeError: something that is not a module. IndexError: there is no such module.

    >>> import nn, autograd
    >>> net = Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> net(autograd.ones(5, 4)).shape, len(net), net[1], net[-1].weight.shape
    ((5, 2), 3, Tanh(), (2, 3))
    >>> net[:2]
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], dict) else enumerate(args)
        for name, module in named:
            self._check(module)
            self.register_module(str(name), module)

    def _check(self, module: Any) -> None:
        if not isinstance(module, Module):
            made = "; write an instance, with parentheses" if isinstance(module, type) else ""
            raise TypeError(f"Sequential: wants modules, got {describe(module)}{made}")

    def _names(self) -> list[str]:
        return [name for name, _ in self._own("module")]

    def _name(self, index: int) -> str:
        names = self._names()
        if not hasattr(index, "__index__"):
            raise TypeError(f"Sequential: an index must be an int or a slice, got {describe(index)}")
        if not -len(names) <= index < len(names):
            raise IndexError(f"Sequential: index {index} is out of range, there are {len(names)} modules")
        return names[index]

    def forward(self, input: Any) -> Any:
        """The last module's output for the first one's ``input``."""
        values = self.__dict__
        for name, kind in self._kinds.items():
            if kind == "module":
                input = values[name](input)
        return input

    def __len__(self) -> int:
        return len(self._own("module"))

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._own("module")])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(self._own("module")[index]))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, module: Module) -> None:
        self._check(module)
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        for name in self._names()[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        self._renumber([module for _, module in self._own("module")])

    def _renumber(self, modules: list[Module]) -> None:
        for name in self._names():
            delattr(self, name)
        for i, module in enumerate(modules):
            self.register_module(str(i), module)

    def append(self, module: Module) -> Sequential:
        """Adds a module at the end, and returns the whole."""
        self._check(module)
        self.register_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Sequential:
        """Adds several modules at the end, and returns the whole."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Puts a module before the one at ``index``, and returns the whole."""
        self._check(module)
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"Sequential: index {index} is out of range, there are {len(modules)} modules")
        modules.insert(index, module)
        self._renumber(modules)
        return self
