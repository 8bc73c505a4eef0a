"""Modules that hold modules, in a chain, a list or a dict."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar

from autograd.errors import describe

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]

N = TypeVar("N", bound="_Numbered")


class _Numbered(Module):
    """Modules under the names "0", "1", …, with what a Python list can do."""

    def _check(self, module: Any) -> None:
        if not isinstance(module, Module):
            made = "; write an instance, with parentheses" if isinstance(module, type) else ""
            if not made and callable(module):
                made = "; a function goes into a class with a forward, nn.ReLU() for relu"
            raise TypeError(f"{type(self).__name__}: wants modules, got {describe(module)}{made}")

    def _checked(self, modules: Any) -> list[Module]:
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}: wants several modules, as a list say, got {describe(modules)}")
        found = list(modules)
        for module in found:
            self._check(module)
        return found

    def _names(self) -> list[str]:
        return [name for name, _ in self._own("module")]

    def _name(self, index: int) -> str:
        names = self._names()
        if not hasattr(index, "__index__"):
            raise TypeError(f"{type(self).__name__}: an index must be an int or a slice, got {describe(index)}")
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__}: index {index} is out of range, there are {len(names)} modules")
        return names[index]

    def _renumber(self, modules: list[Module]) -> None:
        for name in self._names():
            delattr(self, name)
        for i, module in enumerate(modules):
            self.register_module(str(i), module)

    def __len__(self) -> int:
        return len(self._own("module"))

    def __iter__(self) -> Iterator[Any]:
        return iter([module for _, module in self._own("module")])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(self._own("module")[index])
        return getattr(self, self._name(index))

    def _part(self, named: list[tuple[str, Module]]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        self._check(module)
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        for name in self._names()[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        self._renumber(list(self))

    def append(self: N, module: Module) -> N:
        """Adds a module at the end, and returns the whole."""
        self._check(module)
        self.register_module(str(len(self)), module)
        return self

    def extend(self: N, modules: Iterable[Module]) -> N:
        """Adds several modules at the end, and returns the whole."""
        for module in self._checked(modules):
            self.append(module)
        return self

    def insert(self: N, index: int, module: Module) -> N:
        """Puts a module before the one at ``index``, and returns the whole."""
        self._check(module)
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"{type(self).__name__}: index {index} is out of range, there are {len(modules)} modules")
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Takes away the module at ``key``, or those of a slice, and returns it."""
        found = self[key]
        del self[key]
        return found

    def __iadd__(self: N, other: Iterable[Module]) -> N:
        return self.extend(other)


class Sequential(_Numbered):
    """Modules one after the other, the output of each the input of the next.

    Arguments:
        args: the modules, named "0", "1", …; or one dict with names of one's own.

    A Sequential can be indexed, sliced, joined (``+``) and repeated (``* 3``, the same modules again).

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

    def forward(self, input: Any) -> Any:
        """The last module's output for the first one's ``input``."""
        values = self.__dict__
        for name, kind in self._kinds.items():
            if kind == "module":
                input = values[name](input)
        return input

    def _part(self, named: list[tuple[str, Module]]) -> Sequential:
        return type(self)(dict(named))

    def __add__(self, other: Any) -> Sequential:
        return Sequential(*self, *self._addable(other))

    def __iadd__(self, other: Any) -> Sequential:
        return self.extend(self._addable(other))

    def _addable(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: + wants another Sequential, got {describe(other)}; extend() takes a list")
        return other

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*(list(self) * self._times(other)))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Sequential:
        return self.extend(list(self) * (self._times(other) - 1))

    def _times(self, other: Any) -> int:
        if not isinstance(other, int):
            raise TypeError(f"Sequential: * wants an int, how often to repeat the modules, got {describe(other)}")
        if other <= 0:
            raise ValueError(f"Sequential: * wants a positive number of repetitions, got {other}")
        return other


class ModuleList(_Numbered):
    """A list of modules, whose parameters count as the model's; it has no forward of its own.

    Arguments:
        modules: what to begin with.

    Raises:
        TypeError: something that is not a module. IndexError: there is no such module.

    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.blocks = ModuleList(nn.Linear(4, 4) for _ in range(3))
    ...     def forward(self, x):
    ...         for block in self.blocks:
    ...             x = x + block(x).tanh()
    ...         return x
    >>> Net()
    Net(
      (blocks): ModuleList(
        (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
      )
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _part(self, named: list[tuple[str, Module]]) -> ModuleList:
        return type(self)([module for _, module in named])

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *self._checked(other)])

    def __repr__(self) -> str:
        texts = [repr(module) for module in self]
        lines, start = [], 0
        for i, text in enumerate(texts, 1):
            if i < len(texts) and texts[i] == text:
                continue
            name = f"({start}): " if i == start + 1 else f"({start}-{i - 1}): {i - start} x "
            lines.append("  " + (name + text).replace("\n", "\n  ") + "\n")
            start = i
        return f"{self._get_name()}(" + "".join(["\n", *lines] if lines else []) + ")"


class ModuleDict(Module):
    """Modules by names of one's own, whose parameters count as the model's; it has no forward of its own.

    Arguments:
        modules: a mapping, or pairs of name and module, to begin with.

    Raises:
        TypeError: something that is not a module. KeyError: there is no such name, or it is that of an attribute.

    >>> import nn
    >>> heads = ModuleDict({"policy": nn.Linear(8, 4), "value": nn.Linear(8, 1)})
    >>> list(heads), heads["value"], "reward" in heads
    (['policy', 'value'], Linear(in_features=8, out_features=1, bias=True), False)
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def _all(self) -> dict[str, Module]:
        return dict(self._own("module"))

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(f"ModuleDict: there is no module {key!r}, only {', '.join(map(repr, self)) or 'none'}")
        return self.__dict__[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._own("module"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __contains__(self, key: Any) -> bool:
        return self._kinds.get(key) == "module" and self.__dict__[key] is not None

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._all().keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._all().values()

    def items(self) -> ItemsView[str, Module]:
        """Pairs of name and module."""
        return self._all().items()

    def clear(self) -> None:
        """Takes away all modules."""
        for key in self:
            del self[key]

    def pop(self, key: str) -> Any:
        """Takes away the module of that name, and returns it."""
        module = self[key]
        del self[key]
        return module

    def update(self, modules: Any) -> None:
        """Adds the modules of a mapping or of pairs, in the place of those of the same names."""
        for key, module in pairs("ModuleDict", modules):
            self[key] = module


def pairs(owner: str, given: Any) -> list[tuple[str, Any]]:
    """The items of a mapping, or of an iterable of pairs."""
    items: Callable[[], Any] | None = getattr(given, "items", None)
    if items is None and not isinstance(given, Iterable):
        raise TypeError(f"{owner}: wants a mapping or pairs of name and value, got {describe(given)}")
    found = [tuple(pair) if isinstance(pair, Iterable) else (pair,) for pair in (given if items is None else items())]
    for i, pair in enumerate(found):
        if len(pair) != 2:
            raise ValueError(f"{owner}: entry {i} is not a pair of name and value but has {len(pair)} parts")
    return found
