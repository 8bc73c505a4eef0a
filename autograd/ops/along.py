"""Gradients that a rule has computed along with its own."""

from __future__ import annotations

import weakref
from typing import Any

from ..node import LastWrite

__all__ = ["Along"]


class Along:
    """What the rule of one input leaves for those of the others, which the same visit of the walk asks after it.

    A primitive saves one, under a name with an underscore. It is taken out with the upstream gradient that it was
    put in with, once, and not after something was written in place: a later pass computes anew.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: Any = None

    def put(self, g: Any, **gradients: Any) -> None:
        """Leaves ``gradients``, which belong to the upstream gradient ``g``; that itself is not kept alive."""
        self._left = (weakref.ref(g), LastWrite.tick, gradients)

    def take(self, g: Any, name: str) -> Any:
        """What was left under ``name``, or None."""
        left = self._left
        if left is None or left[0]() is not g or left[1] != LastWrite.tick:
            return None
        return left[2].pop(name, None)
