"""Keywords that an operation does not take: an error that says what to use instead."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .errors import not_a_tensor

__all__ = ["composed", "explain_keywords", "unknown_keyword"]

F = TypeVar("F", bound=Callable[..., Any])

# Keywords of PyTorch's that no operation here takes, and what to write where PyTorch would take them.
_INSTEAD = {
    "out": "use what is returned, or put it into a Tensor with copy_()",
    "inplace": "use the method whose name ends with an underscore",
    "layout": "Tensors are dense; leave it out",
    "memory_format": "entries are in order as contiguous() has them; leave it out",
    "names": "named dimensions are not supported; use their numbers",
    "pin_memory": "there is only the CPU; leave it out",
    "size_average": "use reduction='mean' or reduction='sum'",
    "reduce": "use reduction='none' for the single losses",
}


def unknown_keyword(name: str, keyword: str, takes: Iterable[str]) -> TypeError:
    """The error for a keyword that ``name`` does not take.

    >>> unknown_keyword("sum", "keep_dim", ["input", "dim", "keepdim"])
    TypeError("sum: keyword 'keep_dim' is not supported; did you mean 'keepdim'?")
    """
    takes = list(takes)
    instead = _INSTEAD.get(keyword)
    if instead is None:
        close = difflib.get_close_matches(keyword, takes, n=1)
        instead = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(takes)}"
    return TypeError(f"{name}: keyword {keyword!r} is not supported; {instead}")


def _unknown(name: str, function: Callable[..., Any], kwargs: Iterable[str]) -> TypeError | None:
    """The error for the first of ``kwargs`` that ``function`` does not take; None if it takes them all."""
    takes = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        return None
    unknown = next((keyword for keyword in kwargs if keyword not in takes), None)
    return None if unknown is None else unknown_keyword(name, unknown, [p for p in takes if p != "self"])


def explain_keywords(cls: type, package: str) -> None:
    """Lets a class of ``package`` say of a keyword that it does not take what was perhaps meant."""
    if "__init__" not in cls.__dict__ or not cls.__module__.startswith(f"{package}."):
        return
    init = cls.__init__  # type: ignore[misc]

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except TypeError as error:
            explained = _unknown(type(self).__name__, init, kwargs)
            if explained is None:
                raise
            raise explained from error

    cls.__init__ = __init__  # type: ignore[misc]


def composed(function: F) -> F:
    """A public function whose errors for a keyword that it does not take and for what is no Tensor are sentences.

    Primitives do that themselves.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            name = function.__name__
            explained = _unknown(name, function, kwargs) if isinstance(error, TypeError) else None
            explained = explained or not_a_tensor(error, name, function, args, kwargs)
            if explained is None:
                raise
            raise explained from error

    return call  # type: ignore[return-value]
