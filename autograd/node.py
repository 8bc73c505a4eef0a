"""What one Tensor holds: its array, its gradient, and the record of how it came about."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .primitive import Primitive

# One clock for the process: a node's tick says when it was recorded, a memory's when it was last
# written, so "was this overwritten since?" is one comparison, and creation order is a topological order.
next_tick = itertools.count(1).__next__


class LastWrite:
    """When any memory was last written in place: a node recorded since then has nothing to check."""

    tick = 0


class Memory:
    """What Tensors that share memory share: when it was last written, and by which source line."""

    __slots__ = ("_prune_at", "changed", "views", "where")

    def __init__(self) -> None:
        self.changed = 0
        self.where: tuple[str, int] | None = None
        self.views: list[weakref.ref[Node]] = []
        self._prune_at = 16

    def mark(self, tick: int, where: tuple[str, int]) -> None:
        """Notes that the memory was written at ``tick`` by the line ``where``."""
        self.changed, self.where = tick, where
        LastWrite.tick = tick

    def add(self, view: Node) -> None:
        """Remembers a Tensor that shares this memory, for as long as it lives."""
        if len(self.views) >= self._prune_at:
            self.views = [v for v in self.views if v() is not None]
            self._prune_at = 16 + 2 * len(self.views)
        self.views.append(weakref.ref(view))


class Node:
    """The slots of a Tensor; all of its behaviour is in ``tensor.Tensor``.

    A leaf has no ``_primitive``. A node whose ``_inputs`` are None although it has a ``_primitive`` was
    freed by a backward pass. ``_array`` is an ndarray, a NumPy scalar (0-d values: far cheaper than 0-d
    arrays, and turned into one when somebody asks for its memory), or an array of another namespace.
    """

    __slots__ = (
        "__weakref__",
        "_array",
        "_extra",
        "_grad",
        "_inputs",
        "_memory",
        "_primitive",
        "_requires_grad",
        "_static",
        "_tick",
    )
    shape: Any
    ndim: Any
    dtype: Any
    _array: Any
    _grad: Any  # Tensor | None
    _requires_grad: bool
    _primitive: Primitive | None
    _inputs: tuple[Any, ...] | None
    _static: dict[str, Any] | None
    _tick: int
    _memory: Memory | None
    _extra: dict[str, Any] | None  # hooks and such, rarely there

    __hash__ = object.__hash__

    def _materialise(self) -> Any:
        """The array as one with memory of its own that others may share."""
        if isinstance(self._array, np.generic):
            self._array = np.array(self._array)
        return self._array

    def _shared_memory(self) -> Memory:
        memory = self._memory
        if memory is None:
            memory = self._memory = Memory()
            memory.add(self)
        return memory
