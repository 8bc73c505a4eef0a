"""Watching which operations run: for counting, timing and explaining."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes
from .node import Node
from .primitive import Primitive

__all__ = ["watch"]


class Ran:
    """One operation that ran: what ``watch`` shows.

    Attributes:
        primitive: the operation, with its ``name`` and whether it is ``elementwise`` or a ``view``.
        inputs: what it was called with, Tensors, numbers and None.
        static: its other arguments, by name.
        result: a Tensor, or a tuple of Tensors.
    """

    __slots__ = ("inputs", "primitive", "result", "static")

    def __init__(self, primitive: Primitive, inputs: tuple[Any, ...], static: dict[str, Any], result: Any) -> None:
        self.primitive, self.inputs, self.static, self.result = primitive, inputs, static, result

    def __repr__(self) -> str:
        return f"<ran {self.primitive.name}>"

    def kept(self) -> list[np.ndarray | np.generic]:
        """The arrays that the graph keeps for this operation's backward; none if it was not recorded."""
        results = self.result if isinstance(self.result, tuple) else (self.result,)
        node = next((r for r in results if r._requires_grad), None)
        if node is None:
            return []
        if isinstance(self.result, tuple) and node._inputs:
            node = node._inputs[0]  # the node of all outputs together, which has the static arguments
        values = [*(r._array for r in results), *(x._array for x in self.inputs if isinstance(x, Node))]
        values += (node._static or {}).values()
        return [v for v in values if isinstance(v, (np.ndarray, np.generic))]


class watch(modes.watching):
    """Shows every operation that runs inside to a function, after it has run.

    A context manager. Composed functions show the operations that they are made of. What the function computes itself
    is not shown to it.

    Arguments:
        callback: called with one object that has ``primitive``, ``inputs``, ``static``, ``result`` and ``kept()``, the
            arrays that the graph keeps for this operation's backward.

    >>> import autograd
    >>> seen = []
    >>> with watch(lambda op: seen.append(op.primitive.name)):
    ...     y = autograd.ones(2, 3) @ autograd.ones(3) + 1.0
    >>> seen
    ['matmul', 'add']
    """

    def __init__(self, callback: Callable[[Any], None]) -> None:
        def show(primitive: Primitive, inputs: tuple[Any, ...], static: dict[str, Any], result: Any) -> None:
            with modes.watching_nothing():
                callback(Ran(primitive, inputs, static, result))

        super().__init__(show)
