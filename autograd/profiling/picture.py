"""A profile as a picture, bars for the dearest operations and a flame of the modules; and as a page with tables."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.themes import THEMES
from ..graph.words import FONT
from .tables import BACKWARD, FORWARD, OUTSIDE, Row, in_seconds, percent

if TYPE_CHECKING:
    from .report import Report

__all__ = ["page", "picture"]

_MOST = 14  # bars
_WIDTH, _MARGIN, _NAMES, _NUMBERS = 760.0, 14.0, 150.0, 210.0
_LINE, _BAR, _SIZE = 24.0, 13.0, 11.0
_LETTER = 0.58 * _SIZE  # about the width of one, on the safe side
_WIDE = 0.64 * _SIZE  # and of one that must not stand out of its box
_LEVELS = 12  # rows of the flame


@dataclass(frozen=True)
class _Colours:
    background: str
    ink: str
    faint: str
    box: tuple[str, str, str]
    forward: str = FORWARD
    backward: str = BACKWARD
    outside: str = OUTSIDE


# A page's own colours follow those that its reader chose.
_PAGE = _Colours("none", "currentColor", "currentColor", ("#8888", "#8883", "currentColor"))
_GREYS = {"forward": "#c4c4c4", "backward": "#7d7d7d", "outside": "#ffffff"}


def _colours(theme: str) -> _Colours:
    if theme not in THEMES:
        raise ValueError(f"svg: theme is one of {', '.join(map(repr, THEMES))}, got {theme!r}")
    chosen = THEMES[theme]
    greys = _GREYS if theme == "print" else {}
    return _Colours(chosen.background, chosen.ink, chosen.faint, chosen.group, **greys)


def picture(report: Report, theme: str = "light") -> str:
    """One ``<svg>`` element."""
    return _drawn(report, _colours(theme))


def _drawn(report: Report, colours: _Colours) -> str:
    rows = report.by_op()[:_MOST]
    parts = list(_head(report, colours))
    y = _MARGIN + 58
    longest = max([row.time_ns for row in rows] + [report.outside_ns], default=0)
    scale = (_WIDTH - 2 * _MARGIN - _NAMES - _NUMBERS) / longest if longest else 0.0
    for row in rows:
        parts += _bar(row, y, scale, report.total_ns, colours)
        y += _LINE
    outside = Row("(outside)", outside_ns=report.outside_ns)
    parts += _bar(outside, y, scale, report.total_ns, colours)
    y += _LINE + 10
    modules = report.by_module()
    if any(row.kind for row in modules):
        parts.append(_text(_MARGIN, y + 10, "modules: time with all inside, forward and backward", colours.faint))
        y += 20
        flame, deepest = _flame(list(modules), y, report.total_ns, colours)
        parts += flame
        y += deepest * _LINE
    height = y + _MARGIN
    back = f'<rect width="{_WIDTH:g}" height="{height:g}" fill="{colours.background}"/>'
    return (
        f'<svg width="{_WIDTH:g}pt" height="{height:g}pt" viewBox="0 0 {_WIDTH:g} {height:g}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="{FONT}, Verdana, sans-serif" font-size="{_SIZE:g}">'
        f"{'' if colours.background == 'none' else back}{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, color: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}"{more}>{html.escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"{more}/>'


def _head(report: Report, colours: _Colours) -> Iterator[str]:
    words = (
        f"{in_seconds(report.total_ns)}: forward {in_seconds(report.forward_ns)}, backward "
        f"{in_seconds(report.backward_ns)}, outside {in_seconds(report.outside_ns)}"
    )
    yield _text(_MARGIN, _MARGIN + 10, words, colours.ink, more=' font-weight="bold"')
    x, y = _MARGIN, _MARGIN + 30
    legend = (
        (colours.forward, "forward"), (colours.backward, "backward"), (colours.outside, "outside of operations"),
    )  # fmt: skip
    for color, words in legend:
        yield _box(x, y - 9, 10, 10, color, f' stroke="{colours.faint}" stroke-width="0.5"')
        yield _text(x + 15, y, words, colours.faint)
        x += 15 + (len(words) + 2) * _LETTER
    share = percent(report.floor * 1e9, report.total_ns)
    yield _text(x, y, f"strong: what this machine would need at least, {share} of the whole", colours.faint)


def _bar(row: Row, y: float, scale: float, total: int, colours: _Colours) -> Iterator[str]:
    """Name, forward and backward, each strong as far as its floor and pale beyond, and the numbers."""
    middle = y + _BAR - 2.5
    room = int(_NAMES / _LETTER)
    name = row.name if len(row.name) <= room else row.name[: room - 1] + "…"
    yield _text(_MARGIN + _NAMES - 8, middle, name, colours.ink, "end")
    x = _MARGIN + _NAMES
    border = f' stroke="{colours.faint}" stroke-width="0.5"'
    for ns, least, color in (
        (row.forward_ns, row.forward_floor, colours.forward),
        (row.backward_ns, row.backward_floor, colours.backward),
        (row.outside_ns, 0.0, colours.outside),
    ):
        if ns:
            yield _box(x, y, ns * scale, _BAR, color, ' fill-opacity="0.4"' + border)
            if least:
                yield _box(x, y, min(least * 1e9, ns) * scale, _BAR, color)
            x += ns * scale
    numbers = f"{in_seconds(row.time_ns)}, {percent(row.time_ns, total)}"
    if row.share is not None:
        numbers += f"; floor {percent(row.share, 1)}"
    yield _text(x + 7, middle, numbers, colours.faint)


def _flame(rows: Sequence[Row], top: float, total: int, colours: _Colours) -> tuple[list[str], int]:
    """A box for each module, as wide as its time, below the module that it is in; and how many levels there are."""
    parts, deepest = [], 0
    ends: list[float] = [_MARGIN]  # where the next box of each level begins
    scale = (_WIDTH - 2 * _MARGIN) / total
    for row in rows:
        del ends[row.depth + 1 :]
        x = ends[row.depth]
        width = row.total_ns * scale
        ends[row.depth] = x + width
        ends.append(x)
        if row.depth >= _LEVELS or width < 0.4:
            continue
        deepest = max(deepest, row.depth + 1)
        y = top + row.depth * _LINE
        label = row.name.rpartition(".")[2] if row.depth else row.name
        label = f"{label}: {row.kind}" if row.kind and row.kind != label else label
        edge, fill, ink = colours.box if row.kind else ("none", "none", colours.faint)
        room = int((width - 8) / _WIDE)
        short = label.partition(": ")[0]
        shown = next(
            (text for text in (label, short) if len(text) <= room), short[: room - 1] + "…" if room > 3 else ""
        )
        words = f"{row.name}: {in_seconds(row.total_ns)}, {percent(row.total_ns, total)}"
        words += f"; itself {in_seconds(row.time_ns)}"
        border = f' stroke="{edge}" stroke-width="0.75"'
        inside = _box(x, y, width, _LINE - 3, fill, border)
        inside += _text(x + 4, y + 14, shown, ink) if shown else ""
        parts.append(f"<g><title>{html.escape(words)}</title>{inside}</g>")
    return parts, deepest


_STYLE = """
:root { color-scheme: light dark }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; max-width: 75em }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; font-size: 13px; font-variant-numeric: tabular-nums }
td, th { padding: 2px 10px; white-space: nowrap }
tr + tr td { border-top: 1px solid #8883 }
h2 { font-size: 15px; margin: 1.5em 0 0.3em }
.wide { overflow-x: auto }
"""


def page(report: Report, title: str) -> str:
    """One HTML page that needs nothing else."""
    tables = [("operations", report.by_op())]
    modules, regions = report.by_module(), report.by_region()
    if any(row.kind for row in modules):
        tables.append(("modules", modules))
    tables.append(("lines", report.by_line()))
    if len(regions) > 1:
        tables.append(("regions", regions))
    body = "".join(f'<h2>{name}</h2><div class="wide">{table._repr_html_()}</div>' for name, table in tables)
    words = "<br>".join(map(html.escape, report._summary()))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{_drawn(report, _PAGE)}<p>{words}</p>{body}</body></html>\n"
    )
