"""Modules that hold parameters, in a list or a dict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from autograd import Tensor
from autograd.errors import describe

from .container import pairs
from .module import Module
from .parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _held(value: Any) -> Any:
    """A Tensor as a parameter, anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _line(name: str, value: Any) -> str:
    if isinstance(value, Tensor):
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"  ({name}): {kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
    return f"  ({name}): Object of type: {type(value).__name__}"


class _Holder(Module):
    """Values by name; those that are Tensors are parameters."""

    def _entries(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: it only holds parameters."""
        raise NotImplementedError(
            f"{type(self).__name__}: only holds parameters and cannot be called; use them in the forward of its owner"
        )

    def extra_repr(self) -> str:
        return "\n".join(_line(name, value) for name, value in self._entries())


class ParameterList(_Holder):
    """A list of parameters that count as the model's.

    Arguments:
        values: what to begin with; Tensors become parameters, anything else is kept as it is.

    Raises:
        IndexError: there is no such entry.

    >>> import autograd
    >>> weights = ParameterList([autograd.zeros(2, 3), autograd.ones(3)])
    >>> len(weights), [tuple(w.shape) for w in weights], list(weights.state_dict())
    (2, [(2, 3), (3,)], ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _entries(self) -> list[tuple[str, Any]]:
        return [(str(i), self.__dict__[str(i)]) for i in range(self._size)]

    def _name(self, index: Any) -> str:
        if not hasattr(index, "__index__"):
            raise TypeError(f"ParameterList: an index must be an int or a slice, got {describe(index)}")
        if not -self._size <= index < self._size:
            raise IndexError(f"ParameterList: index {index} is out of range, there are {self._size} entries")
        return str(index % self._size)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([value for _, value in self._entries()])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)([value for _, value in self._entries()[index]])
        return self.__dict__[self._name(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _held(value))

    def append(self, value: Any) -> ParameterList:
        """Adds an entry at the end, and returns the whole."""
        setattr(self, str(self._size), _held(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds several entries at the end, and returns the whole."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList: wants several values, as a list say, got {describe(values)}")
        for value in values:
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)


class ParameterDict(_Holder):
    """A dict of parameters that count as the model's.

    Arguments:
        parameters: a mapping, or pairs of name and value, to begin with; Tensors become parameters, anything else is
            kept as it is. A plain dict is taken in the order of its names, as in PyTorch.

    Raises:
        KeyError: there is no such name, or it is that of an attribute. TypeError: a name that is not a string.

    >>> import autograd
    >>> scales = ParameterDict({"left": autograd.ones(2), "right": autograd.zeros(2)})
    >>> list(scales), scales["left"].requires_grad, "top" in scales
    (['left', 'right'], True, False)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _entries(self) -> list[tuple[str, Any]]:
        return [(key, self.__dict__[key]) for key in self._keys]

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(
                f"ParameterDict: there is no entry {key!r}, only {', '.join(map(repr, self._keys)) or 'none'}"
            )
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: a name must be a string, got {describe(key)}")
        if not key or "." in key:
            raise ValueError(f"ParameterDict: a name must be without dots and not empty, got {key!r}")
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"ParameterDict: there is already an attribute {key!r}; take another name")
        setattr(self, key, _held(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)
        del self._keys[key]

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._keys))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> ValuesView[Any]:
        """The parameters, and other values."""
        return dict(self._entries()).values()

    def items(self) -> ItemsView[str, Any]:
        """Pairs of name and value."""
        return dict(self._entries()).items()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of that name, or ``default``."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of that name; without one, ``default`` becomes it."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Takes away the value of that name, and returns it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Takes away the last pair of name and value, and returns it."""
        if not self._keys:
            raise KeyError("ParameterDict: popitem of an empty one")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Takes away everything."""
        for key in self:
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dict with the same parameters."""
        return ParameterDict(self.items())

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with ``default`` under each of the names."""
        return ParameterDict((key, default) for key in keys)

    def update(self, parameters: Any) -> None:
        """Adds the values of a mapping or of pairs, in the place of those of the same names."""
        given = pairs("ParameterDict", parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            given.sort(key=lambda pair: pair[0])  # PyTorch's order, which those of optimizers' states go by
        for key, value in given:
            self[key] = value

    def __or__(self, other: Any) -> ParameterDict:
        copy = self.copy()
        copy.update(other)
        return copy

    def __ror__(self, other: Any) -> dict[str, Any]:
        return {**other, **dict(self._entries())}

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self
