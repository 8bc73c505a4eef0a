"""The colours of pictures: for bright and dark surroundings, for printing, and apart for every kind of eyes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["THEMES", "Heat", "Theme"]


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. The kinds of boxes are border and fill, and the colour of their text."""

    background: str
    ink: str
    faint: str
    line: str
    gradient: str
    operation: tuple[str, str, str]
    variable: tuple[str, str, str]
    constant: tuple[str, str, str]
    output: tuple[str, str, str]
    group: tuple[str, str, str]
    frames: tuple[str, str]
    heat: tuple[str, ...]
    extremes: tuple[str, str] = ("pale", "dark red")
    words: tuple[str, str] = ("blue", "yellow")

    def box(self, kind: str) -> tuple[str, str, str]:
        """Border, fill and text colour of a kind of box."""
        boxes = {"variable": self.variable, "constant": self.constant, "number": self.constant,
                 "output": self.output, "group": self.group}  # fmt: skip
        return boxes.get(kind, self.operation)

    def warm(self, part: float) -> tuple[str, str]:
        """Fill and text colour of a box at ``part`` of the way from the coolest to the hottest."""
        fill = self.heat[round(part * (len(self.heat) - 1))]
        red, green, blue = ((int(fill[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5))
        # Black and white stand out equally well from a surface of brightness 0.18.
        return fill, "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 else "#ffffff"


_YELLOW_TO_RED = ("#fff7d6", "#fee9a0", "#fdd26b", "#fcae4d", "#f57f38", "#dd4a27", "#a81c1c")
# From dark blue to yellow, with evenly growing brightness: alike for all colour vision, and in grey.
_BLUE_TO_YELLOW = ("#00224e", "#2a3f6d", "#575d6d", "#7c7b78", "#a59c74", "#d2c060", "#fee838")

THEMES = {
    "light": Theme(
        background="#ffffff", ink="#000000", faint="#5f5f5f", line="#777777", gradient="#8f1d5a",
        operation=("#555555", "#ffffff", "#000000"), variable=("#2f6db5", "#dceafb", "#000000"),
        constant=("#a8a8a8", "#f6f6f6", "#5f5f5f"), output=("#b07a00", "#fdefcf", "#000000"),
        group=("#4c7a5d", "#e4f2e7", "#000000"), frames=("#f7faf8", "#eef4f0"), heat=_YELLOW_TO_RED,
    ),
    "dark": Theme(
        background="#16181c", ink="#e8e8e8", faint="#a3a7ad", line="#8a9099", gradient="#f29ac4",
        operation=("#9aa0a8", "#24272d", "#e8e8e8"), variable=("#6fa8e8", "#1d3350", "#e8e8e8"),
        constant=("#6f757d", "#1f2227", "#a3a7ad"), output=("#e0a93a", "#473511", "#f5ecd8"),
        group=("#79b38d", "#1f3a2a", "#e8e8e8"), frames=("#1a1e1f", "#1f2525"), heat=_YELLOW_TO_RED,
    ),
    "print": Theme(
        background="#ffffff", ink="#000000", faint="#333333", line="#000000", gradient="#000000",
        operation=("#000000", "#ffffff", "#000000"), variable=("#000000", "#e6e6e6", "#000000"),
        constant=("#777777", "#ffffff", "#333333"), output=("#000000", "#ffffff", "#000000"),
        group=("#000000", "#d4d4d4", "#000000"), frames=("#ffffff", "#f5f5f5"),
        heat=("#ffffff", "#ececec", "#d6d6d6", "#bdbdbd", "#a0a0a0", "#808080", "#5c5c5c"),
        extremes=("white", "dark"), words=("grey", "thick"),
    ),
    "colour-blind": Theme(
        background="#ffffff", ink="#000000", faint="#4d4d4d", line="#6b6b6b", gradient="#9c3d00",
        operation=("#444444", "#ffffff", "#000000"), variable=("#0072b2", "#d3e9f7", "#000000"),
        constant=("#9a9a9a", "#f4f4f4", "#4d4d4d"), output=("#d55e00", "#fde3cf", "#000000"),
        group=("#7a6a00", "#f6f0b8", "#000000"), frames=("#fafafa", "#f1f1ee"), heat=_BLUE_TO_YELLOW,
        extremes=("dark blue", "yellow"), words=("blue", "orange"),
    ),
}  # fmt: skip


class Heat:
    """Where amounts stand between the smallest and the largest of them, in orders of magnitude.

    >>> heat = Heat([1.0, 100.0, 0.0])
    >>> heat.part(10.0), heat.part(0.0)
    (0.5, 0.0)
    """

    def __init__(self, amounts: Iterable[float]) -> None:
        sound = [a for a in amounts if 0 < a < math.inf]
        self.low, self.high = (min(sound), max(sound)) if sound else (0.0, 0.0)

    def part(self, amount: float) -> float:
        """0 for the smallest and for nothing at all, 1 for the largest."""
        if not amount > self.low:
            return 0.0
        if amount >= self.high:
            return 1.0
        return math.log(amount / self.low) / math.log(self.high / self.low)
