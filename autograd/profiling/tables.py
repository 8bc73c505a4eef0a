"""Rows of a profile, and tables of them: as text, and in notebooks with bars."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from .machine import floor

if TYPE_CHECKING:
    from .recorder import Cell

__all__ = ["Row", "Table", "in_bytes", "in_flops", "in_seconds", "percent"]

# Orange for forward and blue for backward are told apart by every kind of eyes, on white and on black.
FORWARD, BACKWARD, OUTSIDE = "#e69f00", "#3a92c8", "#8c8c8c"


@dataclass
class Row:
    """One row of a profile's table.

    ``calls`` are those of the operation (of the module, the region), ``visits`` those of the backward pass. Times are
    in seconds, and as ``_ns`` in whole nanoseconds. ``bytes`` is the memory that results and what is kept for the
    backward pass newly took, ``gradient_bytes`` that of gradients. ``floor`` are the seconds that this machine would
    need at least, ``share`` is ``floor`` as a part of the time in operations, None without any.

    ``total`` is the time with that of all modules (regions) inside, ``depth`` how many are around, ``kind`` a module's
    class, ``text`` the source of a line.
    """

    name: str
    calls: int = 0
    visits: int = 0
    forward_ns: int = 0
    backward_ns: int = 0
    outside_ns: int = 0
    bytes: int = 0
    gradient_bytes: int = 0
    flops: int = 0
    forward_floor: float = 0.0
    backward_floor: float = 0.0
    total_ns: int = 0
    depth: int = 0
    kind: str = ""
    text: str = field(default="", repr=False)

    def _add(self, cell: Cell, where: str) -> None:
        """Adds what a cell holds; ``where`` is "forward", "backward" or "outside"."""
        setattr(self, f"{where}_ns", getattr(self, f"{where}_ns") + cell.ns)
        self.total_ns += cell.ns
        for name in ("calls", "visits", "bytes", "gradient_bytes", "flops"):
            setattr(self, name, getattr(self, name) + getattr(cell, name))
        least = sum(times * floor(*work) for work, times in cell.work.items())
        if where == "backward":
            self.backward_floor += least
        else:
            self.forward_floor += least

    @property
    def time_ns(self) -> int:
        """The row's own time in nanoseconds."""
        return self.forward_ns + self.backward_ns + self.outside_ns

    @property
    def forward(self) -> float:
        """Seconds forward."""
        return self.forward_ns * 1e-9

    @property
    def backward(self) -> float:
        """Seconds backward."""
        return self.backward_ns * 1e-9

    @property
    def outside(self) -> float:
        """Seconds outside of operations."""
        return self.outside_ns * 1e-9

    @property
    def time(self) -> float:
        """The row's own seconds: forward, backward and outside."""
        return self.time_ns * 1e-9

    @property
    def total(self) -> float:
        """Seconds with those of all modules or regions inside."""
        return self.total_ns * 1e-9

    @property
    def floor(self) -> float:
        """Seconds that this machine would need at least."""
        return self.forward_floor + self.backward_floor

    @property
    def share(self) -> float | None:
        """The floor as a part of the time in operations, forward and backward; None where that is 0."""
        spent = self.forward + self.backward
        return self.floor / spent if spent and self.floor else None


_SORTS = (
    "time", "total", "forward", "backward", "outside", "calls", "visits", "bytes", "gradient_bytes", "flops", "floor",
    "share", "name",
)  # fmt: skip


class Table(Sequence[Row]):
    """Rows, which a table prints itself with; all of them can be indexed, also those that ``limit`` does not show."""

    def __init__(self, what: str, rows: Sequence[Row], total_ns: int, sort: str | None, limit: int | None) -> None:
        if sort is not None and sort not in _SORTS:
            raise ValueError(f"by_{what}: sort is one of {', '.join(map(repr, _SORTS))}, or None; got {sort!r}")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
            raise ValueError(f"by_{what}: limit is a number of at least 0, or None; got {limit!r}")
        self.what, self.total_ns, self.limit = what, total_ns, limit
        self.nested = sort is None
        self.rows = list(rows)
        if sort == "name":
            self.rows.sort(key=lambda row: row.name)
        elif sort is not None:
            self.rows.sort(key=lambda row: -(getattr(row, sort) or 0))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def _shown(self) -> list[Row]:
        return self.rows if self.limit is None else self.rows[: self.limit]

    def _columns(self) -> list[str]:
        if self.what in ("op", "line"):
            times = ["calls", "forward", "backward", "of total"]
        else:
            times = ["calls", "forward", "backward", "outside", "of total", "with inner"]
        last = ["source"] if self.what == "line" else []
        return [self.what, *times, "memory", "gradients", "FLOPs", "floor/time", *last]

    def _cells(self, row: Row) -> dict[str, str]:
        indent = "  " * row.depth if self.nested else ""
        short = row.name.rpartition(".")[2] if self.nested and row.depth and self.what == "module" else row.name
        name = f"{short}: {row.kind}" if row.kind and row.kind != short else short
        return {
            self.what: indent + name,
            "calls": str(row.calls) if row.calls else "",
            "forward": in_seconds(row.forward_ns) if row.forward_ns else "",
            "backward": in_seconds(row.backward_ns) if row.backward_ns else "",
            "outside": in_seconds(row.outside_ns) if row.outside_ns else "",
            "of total": percent(row.time_ns, self.total_ns),
            "with inner": percent(row.total_ns, self.total_ns),
            "memory": in_bytes(row.bytes) if row.bytes else "",
            "gradients": in_bytes(row.gradient_bytes) if row.gradient_bytes else "",
            "FLOPs": in_flops(row.flops) if row.flops else "",
            "floor/time": "" if row.share is None else percent(row.share, 1),
            "source": row.text if len(row.text) <= 60 else row.text[:59] + "…",
        }

    def _more(self) -> str:
        rest = self.rows[len(self._shown()) :]
        if not rest:
            return ""
        return f"and {len(rest)} more, {percent(sum(row.time_ns for row in rest), self.total_ns)} of the total"

    def __repr__(self) -> str:
        columns = self._columns()
        lines = [columns, *([self._cells(row)[c] for c in columns] for row in self._shown())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        left = {self.what, "source"}
        text = [
            "  ".join(
                cell.ljust(w) if c in left else cell.rjust(w) for c, cell, w in zip(columns, line, widths, strict=True)
            ).rstrip()
            for line in lines
        ]
        more = self._more()
        return "\n".join([text[0], "─" * max(map(len, text)), *text[1:], *([more] if more else [])])

    def _repr_html_(self) -> str:
        columns = [c for c in self._columns() if c != "of total"]
        head = "".join(
            f'<th style="text-align: {"left" if c in (self.what, "source") else "right"}">{html.escape(c)}</th>'
            for c in [columns[0], "of total", *columns[1:]]
        )
        longest = max((row.time_ns for row in self._shown()), default=0)
        body = "".join(f"<tr>{self._html_row(row, columns, longest)}</tr>" for row in self._shown())
        more = self._more()
        below = f"<p>{html.escape(more)}</p>" if more else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"

    def _html_row(self, row: Row, columns: list[str], longest: int) -> str:
        cells = self._cells(row)
        parts = [_html_cell(cells[columns[0]], left=True), f"<td>{_bar(row, longest)}{cells['of total']}</td>"]
        parts += [_html_cell(cells[c], left=c == "source") for c in columns[1:]]
        return "".join(parts)


def _html_cell(text: str, left: bool) -> str:
    indent = len(text) - len(text.lstrip())
    style = f"text-align: {'left' if left else 'right'}; white-space: nowrap"
    style += f"; padding-left: {indent}em" if indent else ""
    return f'<td style="{style}">{html.escape(text.strip())}</td>'


def _bar(row: Row, longest: int) -> str:
    """A line of up to 120 pixels: forward, backward, outside."""
    pieces = ""
    for ns, color in ((row.forward_ns, FORWARD), (row.backward_ns, BACKWARD), (row.outside_ns, OUTSIDE)):
        width = 120 * ns / longest if longest else 0
        if width >= 0.5:
            style = f"display: inline-block; height: 9px; width: {width:.1f}px; background: {color}"
            pieces += f'<span style="{style}"></span>'
    return f'<span style="display: inline-block; width: 126px; text-align: left; font-size: 0">{pieces}</span>'


def in_seconds(ns: float) -> str:
    """A time with three digits.

    >>> in_seconds(1234), in_seconds(56_700_000), in_seconds(12)
    ('1.23 µs', '56.7 ms', '12 ns')
    """
    ns = round(ns)
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            value = ns / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"
    return f"{ns} ns"


def in_bytes(count: int) -> str:
    """Bytes, as ``nn.summary`` writes them.

    >>> in_bytes(512), in_bytes(3 * 2**20)
    ('512 B', '3.0 MiB')
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def in_flops(count: float) -> str:
    """A count with the letter of its thousands.

    >>> in_flops(162), in_flops(2_500_000)
    ('162', '2.5 M')
    """
    for letter, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {letter}"
    return f"{count:.0f}"


def percent(part: float, whole: float) -> str:
    """A part in percent.

    >>> percent(1, 3), percent(1, 200), percent(0, 0)
    ('33 %', '0.5 %', '')
    """
    if not whole:
        return ""
    value = 100 * part / whole
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"
