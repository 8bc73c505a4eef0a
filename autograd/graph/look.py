"""How each box of a picture looks: by its kind, or by an amount that is to be compared."""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable

from ..errors import GraphError, location
from .clusters import Group
from .themes import Heat, Theme
from .trace import Graph, Vertex
from .words import bytes_text, escaped_text, number, seconds_text

__all__ = ["COLORS", "NUMBER", "Look", "hint", "source_line"]


def _gradient(vertices: list[Vertex]) -> float | None:
    gradients = [v.gradient for v in vertices if v.gradient is not None]
    entries = sum(math.prod(g.shape) for g in gradients)
    return math.hypot(*(g.norm for g in gradients)) / math.sqrt(entries) if entries else None


def _memory(vertices: list[Vertex]) -> float | None:
    return float(sum(v.memory for v in vertices if v.kind != "number"))


def _time(vertices: list[Vertex]) -> float | None:
    seconds = [v.seconds for v in vertices if v.kind == "operation" and v.seconds is not None]
    return sum(seconds) if seconds else None


# What boxes can be coloured by: how it is measured, what it is called, and how its numbers are written.
COLORS: dict[str, tuple[Callable[[list[Vertex]], float | None], str, Callable[[float], str]]] = {
    "gradient": (_gradient, "root mean square of the gradient", number),
    "memory": (_memory, "memory of the values", bytes_text),
    "time": (_time, "time of the forward pass", seconds_text),
}


# The size and shape of the box of a plain number.
NUMBER = {"shape": "box", "width": "0.3", "height": "0.3", "margin": "0.08,0.04"}


class Look:
    """The colours of boxes.

    Arguments:
        theme: those of the kinds, and those of the heat.
        color: what to colour by instead of the kind; a key of ``COLORS``.
        graph, root: what is drawn, over which the colours are spread.
    """

    def __init__(
        self, theme: Theme, color: str | None = None, graph: Graph | None = None, root: Group | None = None
    ) -> None:
        self.theme, self.color = theme, color
        self.legend = ""
        if color is None:
            return
        self._measure, what, written = COLORS[color]
        assert graph is not None and root is not None
        boxes: list[Vertex | Group] = [*graph.vertices, *root.groups()]
        amounts = {box.id: self.amount(box) for box in boxes}
        if not any(amount is not None for amount in amounts.values()):
            needs = (
                "the times that autograd.record() notes: draw(lambda: …) runs the program under it"
                if color == "time"
                else "a gradient: draw a scalar that requires grad, or give gradient="
            )
            raise GraphError(f"draw: color={color!r} needs {needs}")
        # Boxes that are seen, and those inside of closed ones, which a reader may open.
        self._heat = Heat(amount for amount in amounts.values() if amount is not None)
        self.legend = (
            f"colour: {what}, {written(self._heat.low)} ({theme.extremes[0]}) to "
            f"{written(self._heat.high)} ({theme.extremes[1]})"
        )

    def amount(self, box: Vertex | Group) -> float | None:
        """What the box is coloured by."""
        return self._measure(list(box.vertices()) if isinstance(box, Group) else [box])

    def colors(self, box: Vertex | Group) -> tuple[str, str, str]:
        """Border, fill and text."""
        kind = "group" if isinstance(box, Group) else "output" if box.output else box.kind
        border, fill, ink = self.theme.box(kind)
        if self.color is not None and kind != "number":
            amount = self.amount(box)
            fill, ink = self.theme.operation[1:] if amount is None else self.theme.warm(self._heat.part(amount))
        return border, fill, ink

    def attributes(self, box: Vertex | Group) -> dict[str, str]:
        """The attributes of the box in DOT."""
        kind = "group" if isinstance(box, Group) else "output" if box.output else box.kind
        colors = dict(zip(("color", "fillcolor", "fontcolor"), self.colors(box), strict=True))
        usual = dict(zip(("color", "fillcolor", "fontcolor"), self.theme.operation, strict=True))
        given = {} if colors == usual else {n: c for n, c in colors.items() if n != "fontcolor" or c != usual[n]}
        tooltip = hint(box)
        if tooltip:
            given["tooltip"] = escaped_text(tooltip)
        if kind in ("constant", "number"):
            given["style"] = "rounded,filled,dashed"
        elif kind == "variable":
            given["style"] = "rounded,filled"
        elif kind == "group":
            given["penwidth"] = "1.5"
        elif kind == "output":
            given["penwidth"] = "1.8"
        if kind == "number":
            given |= NUMBER
        return given


def hint(box: Vertex | Group) -> str:
    """What a reader sees who points at the box: the source line and the module."""
    if isinstance(box, Group):
        return box.heading
    if box.where is None:
        return ""
    path = ".".join(name or kind for name, kind in box.module)
    return source_line(box.where) + (f" · in {path}" if path else "")


def source_line(where: tuple[str, int]) -> str:
    """File, line number and the line itself."""
    text = linecache.getline(*where).strip()
    return location(where, folder=False) + (f": {text}" if text else "")
