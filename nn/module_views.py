"""A module's parameters, buffers and submodules as dicts that can be written to: PyTorch's ``module._parameters``."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from autograd import Tensor
from autograd.errors import describe

if TYPE_CHECKING:
    from .module_attributes import Attributes

__all__ = ["Kept"]


class Kept(MutableMapping[str, Any]):
    """What one module itself keeps of one kind, by name; what is written or deleted here is so in the module.

    >>> import autograd, nn
    >>> layer = nn.Linear(1, 1)
    >>> weight = layer._parameters.pop("weight")
    >>> layer.weight = weight * 2  # no parameter any more, but computed
    >>> list(layer._parameters)
    ['bias']
    """

    def __init__(self, module: Attributes, kind: str) -> None:
        self._values, self._kinds, self._kind = module.__dict__, module._kinds, kind
        self._non_persistent = module._non_persistent

    def __getitem__(self, name: str) -> Any:
        if self._kinds.get(name) != self._kind:
            raise KeyError(name)
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        from .module import Module

        wanted, called = (Module, "an nn.Module") if self._kind == "module" else (Tensor, "a Tensor")
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"{self._kind} {name!r} must be {called} or None, got {describe(value)}")
        if self._kinds.get(name) != self._kind:
            self._kinds.pop(name, None)
            self._non_persistent.discard(name)
            self._kinds[name] = self._kind
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        if self._kinds.get(name) != self._kind:
            raise KeyError(name)
        del self._kinds[name], self._values[name]
        self._non_persistent.discard(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, kind in self._kinds.items() if kind == self._kind)

    def __len__(self) -> int:
        return sum(kind == self._kind for kind in self._kinds.values())

    def __repr__(self) -> str:
        return repr(dict(self))
