"""What a profile found: totals, tables, and the files that it is saved to."""

from __future__ import annotations

import html
import linecache
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from .tables import Row, Table, in_bytes, in_flops, in_seconds, percent

if TYPE_CHECKING:
    from .recorder import Cell

__all__ = ["Report"]

# What PyTorch's profiler calls them.
_ELSEWHERE = {
    "key_averages": "by_op(), by_module() and by_line() are the tables",
    "table": "print(p) and print(p.by_op()) are the tables",
    "total_average": "total, forward, backward and outside are the sums",
    "events": 'trace() has the events, and save("trace.json") writes them',
    "export_chrome_trace": 'it is save("trace.json")',
    "export_stacks": "by_line() has the lines",
    "step": "open the profile around the steps that are to be in it, or open it again: it adds",
}

# Rows that the text and the notebook show unasked.
_SHOWN = 12


class Report:
    """The readings of a profile, in seconds; the numbers that end in ``_ns`` are whole, and add up exactly."""

    _cells: dict[tuple[Any, ...], Cell]
    _calls: Counter[Any]
    _region_calls: Counter[Any]
    _events: list[tuple[Any, ...]] | None
    _overhead: int
    _wall: int
    _peak: int
    _origin: int | None

    def __getattr__(self, name: str) -> Any:
        hint = f"; {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        raise AttributeError(f"profile: there is no {name!r}{hint}", name=name, obj=self)

    def _ns(self, phase: str, outside: bool | None = None) -> int:
        found = ((key, cell.ns) for key, cell in self._cells.items() if key[4] == phase)
        return sum(ns for key, ns in found if outside is None or outside is (key[0] is None))

    @property
    def forward_ns(self) -> int:
        """Nanoseconds in operations outside of a backward pass."""
        return self._ns("forward", False)

    @property
    def backward_ns(self) -> int:
        """Nanoseconds in backward passes."""
        return self._ns("backward")

    @property
    def outside_ns(self) -> int:
        """Nanoseconds in neither."""
        return self._ns("forward", True)

    @property
    def overhead_ns(self) -> int:
        """Nanoseconds that the profiler took for itself."""
        return self._overhead

    @property
    def wall_ns(self) -> int:
        """Nanoseconds by the clock, once the block is closed."""
        return self._wall

    @property
    def total_ns(self) -> int:
        """Nanoseconds in all, without the profiler's own."""
        return self.forward_ns + self.backward_ns + self.outside_ns

    @property
    def forward(self) -> float:
        """Seconds in operations outside of a backward pass."""
        return self.forward_ns * 1e-9

    @property
    def backward(self) -> float:
        """Seconds in backward passes."""
        return self.backward_ns * 1e-9

    @property
    def outside(self) -> float:
        """Seconds in neither: Python, data, the optimizer."""
        return self.outside_ns * 1e-9

    @property
    def overhead(self) -> float:
        """Seconds that the profiler took for itself, which are in none of the others."""
        return self.overhead_ns * 1e-9

    @property
    def total(self) -> float:
        """Seconds in all: forward, backward and outside."""
        return self.total_ns * 1e-9

    @property
    def wall(self) -> float:
        """Seconds by the clock, with the profiler's own."""
        return self.wall_ns * 1e-9

    @property
    def peak_bytes(self) -> int:
        """The most bytes of arrays alive at one time, of those that operations and gradients inside handed on."""
        return self._peak

    @property
    def flops(self) -> int:
        """Floating-point operations of all."""
        return sum(cell.flops for cell in self._cells.values())

    @property
    def floor(self) -> float:
        """Seconds below which this machine could not do all these operations one after the other."""
        return sum(row.floor for row in self.by_op())

    @property
    def share(self) -> float | None:
        """``floor`` as a part of ``total``."""
        return self.floor / self.total if self.total_ns else None

    # Tables

    def _grouped(self, key: Callable[[tuple[Any, ...]], Hashable], name: Callable[[Any], str]) -> dict[Any, Row]:
        rows: dict[Any, Row] = {}
        for at, cell in self._cells.items():
            group = key(at)
            if group is None or not (cell.ns or cell.calls or cell.visits):
                continue
            if group not in rows:
                rows[group] = Row(name(group))
            rows[group]._add(cell, "outside" if at[0] is None else at[4])
        return rows

    def by_op(self, sort: str | None = "time", limit: int | None = None) -> Table:
        """A row for each operation; ``(walk)`` is what the backward pass did at no operation in particular.

        With ``outside`` they add up to ``total``.

        Arguments:
            sort: a column's name, largest first; ``"name"``, from A; None, in the order of the first call.
            limit: show so many rows.
        """
        rows = self._grouped(lambda at: at[0], str)
        return Table("op", list(rows.values()), self.total_ns, sort, limit)

    def by_module(self, sort: str | None = None, limit: int | None = None) -> Table:
        """A row for each module that was called, under its name from the outermost; ``(no module)`` is all else.

        Times are a row's own, without those of modules inside, and add up to ``total``; ``total`` of a row has them.
        Time backward is that of the operations that were recorded in the module.
        """
        paths = self._grouped(lambda at: at[1], lambda path: ".".join(n for n, _ in path if n) or _kind(path))
        rows = self._nested(paths, self._calls, _kind, "(no module)")
        return Table("module", rows, self.total_ns, sort, limit)

    def by_region(self, sort: str | None = None, limit: int | None = None) -> Table:
        """A row for each region, and ``(no region)`` for all else; they add up to ``total`` as those of modules do."""
        paths = self._grouped(lambda at: at[3], "/".join)
        rows = self._nested(paths, self._region_calls, lambda path: "", "(no region)")
        return Table("region", rows, self.total_ns, sort, limit)

    def by_line(self, sort: str | None = "time", limit: int | None = None) -> Table:
        """A row for each line of the program that called operations; backward is that of what the line recorded.

        ``(no line)`` is the backward pass's own work, and that through what was recorded before the profile.
        """
        named = self._grouped(
            lambda at: None if at[0] is None else at[2] or (),
            lambda line: f"{os.path.basename(line[0])}:{line[1]}" if line else "(no line)",
        )
        for line, row in named.items():
            row.text = linecache.getline(*line).strip() if line else ""
        return Table("line", list(named.values()), self.total_ns, sort, limit)

    def _nested(self, rows: dict[Any, Row], calls: Counter[Any], kind: Callable[[Any], str], rest: str) -> list[Row]:
        """Rows in the order of a tree, with how deep they are and what they are with all inside them."""
        children: dict[Any, dict[Any, None]] = {(): {}}
        for path in (*calls, *rows):
            for depth in range(len(path)):
                children.setdefault(path[:depth], {})[path[: depth + 1]] = None
                children.setdefault(path[: depth + 1], {})
        ordered: list[Row] = []

        def visit(path: Any) -> int:
            row = rows.get(path) or Row(".".join(n for n, _ in path if n) if kind(path) else "/".join(path))
            row.kind, row.depth, row.calls = kind(path), len(path) - 1, calls[path]
            ordered.append(row)
            row.total_ns = row.time_ns + sum(map(visit, children[path]))
            return row.total_ns

        for path in children[()]:
            visit(path)
        own = rows.get(())
        if own is not None:
            own.name, own.total_ns, own.depth = rest, own.time_ns, 0
            own.calls = 0
            ordered.append(own)
        return ordered

    # Showing

    def _summary(self) -> Iterator[str]:
        regions = [row for row in self.by_region() if row.name != "(no region)" and row.depth == 0]
        named = "".join(f", {row.name} {in_seconds(row.total_ns)}" for row in regions)
        yield (
            f"total {in_seconds(self.total_ns)}: forward {in_seconds(self.forward_ns)}, backward "
            f"{in_seconds(self.backward_ns)}, outside {in_seconds(self.outside_ns)}"
        )
        if named:
            yield f"regions: {named[2:]}"
        yield f"the profiler itself took {in_seconds(self.overhead_ns)} more, which are in none of these"
        yield f"largest memory alive at a time, of what operations and gradients made: {in_bytes(self.peak_bytes)}"
        if self.total_ns:
            yield (
                f"{in_flops(self.flops)} FLOPs; the floor of this machine is {in_seconds(self.floor * 1e9)}, "
                f"{percent(self.floor * 1e9, self.total_ns)} of the total"
            )

    def __repr__(self) -> str:
        if not self._cells or not self.total_ns:
            return "<profile: nothing yet>"
        return "\n".join([repr(self.by_op(limit=_SHOWN)), *self._summary()])

    def _repr_html_(self) -> str:
        if not self.total_ns:
            return f"<p>{html.escape(repr(self))}</p>"
        words = "<br>".join(map(html.escape, self._summary()))
        parts = [self.by_op(limit=_SHOWN)._repr_html_()]
        if self._calls:
            modules = self.by_module(limit=None)
            parts.append(f"<details><summary>by module</summary>{modules._repr_html_()}</details>")
        parts.append(f"<details><summary>by line</summary>{self.by_line(limit=_SHOWN)._repr_html_()}</details>")
        return f"{''.join(parts)}<p>{words}</p>"

    def svg(self, theme: str = "light") -> str:
        """The picture as one ``<svg>`` element: the dearest operations, and below them the modules as a flame.

        Arguments:
            theme: ``"light"``, ``"dark"``, ``"print"`` or ``"colour-blind"``, as in ``autograd.draw``.
        """
        from .picture import picture

        return picture(self, theme)

    def html(self, title: str = "profile") -> str:
        """The picture and the tables as one page that needs nothing else."""
        from .picture import page

        return page(self, title)

    def trace(self) -> dict[str, Any]:
        """The events in Chrome's trace format, for chrome://tracing and Perfetto.

        Raises RuntimeError where ``trace=False`` kept none.
        """
        from .chrome import trace

        return trace(self._events, self._origin)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Writes a file, whole or not at all, in the format that the ending names.

        Arguments:
            path: ends in ``.json`` (a trace for chrome://tracing and Perfetto), ``.html`` (a page), ``.svg`` or
                ``.png`` (the picture), or ``.txt`` (the tables).

        Returns the path.

        Raises:
            ValueError: the ending is none of these. ImportError: PNG needs what is not installed.
        """
        from .files import save

        return save(self, path)

    def text(self) -> str:
        """All tables as text."""
        tables = [self.by_op(), *([self.by_module()] if self._calls else []), self.by_line()]
        tables += [self.by_region()] if self._region_calls else []
        return "\n\n".join([*map(repr, tables), "\n".join(self._summary())]) + "\n"


def _kind(path: Any) -> str:
    return path[-1][1] if path else ""
