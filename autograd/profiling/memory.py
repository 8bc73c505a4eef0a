"""How much memory arrays take, each counted once, and how much of it is alive at a time."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Live", "itemsize", "owner_of", "size"]


class Live:
    """The bytes of arrays that are alive, by their owners."""

    def __init__(self) -> None:
        self.bytes = self.peak = 0
        self.refs: dict[int, _Ref] = {}

    def take(self, array: Any, others: set[int]) -> int:
        """The bytes that ``array`` newly takes; 0 for memory of ``others`` (owners by id) or that was seen before."""
        if not isinstance(array, np.ndarray):
            return array.nbytes if isinstance(array, np.generic) else 0
        owner = owner_of(array)
        key = id(owner)
        if key in others or key in self.refs:
            return 0
        ref = self.refs[key] = _Ref(owner, _gone)
        ref.key, ref.live, ref.size = key, self, owner.nbytes
        self.bytes += ref.size
        self.peak = max(self.peak, self.bytes)
        return ref.size


class _Ref(weakref.ref):
    __slots__ = ("key", "live", "size")
    key: int
    live: Live
    size: int


def _gone(ref: Any) -> None:
    ref.live.bytes -= ref.size
    ref.live.refs.pop(ref.key, None)


def owner_of(array: np.ndarray) -> np.ndarray:
    """The array whose memory ``array`` looks into."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def size(array: Any) -> int:
    """Bytes of the entries of ``array``; 0 for a number."""
    return array.nbytes if isinstance(array, (np.ndarray, np.generic)) else 0


def itemsize(arrays: Sequence[Any]) -> int:
    """Bytes of an entry, the largest of several arrays."""
    return max((a.dtype.itemsize for a in arrays if hasattr(a, "dtype")), default=0)
