"""What sees through the engine: pictures of the recorded graph, with every value and gradient in it."""

from __future__ import annotations

from .drawing import Drawing, draw
from .record import record

__all__ = ["Drawing", "draw", "record"]
