"""``profile``: every nanosecond of a block of code is credited to what was running, once.

There is one clock. Whatever begins or ends (an operation, a visit of the backward pass to a node, a module, a region)
reads it, and what has passed since it was last read belongs to whatever was innermost until then. So the parts add up
to the whole by construction. What the profiler itself does between two readings is counted apart, and so is what a
reading takes, measured whenever a profile is opened.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import modes
from ..graph.record import _variable, record
from ..inplace import _packages
from ..node import Node
from ..primitive import Primitive, pick
from . import flops
from .memory import Live, itemsize, owner_of, size
from .report import Report
from .visits import Order

__all__ = ["profile"]

_NO_FACTS: Mapping[str, Any] = {}
_CLOCKS: dict[str, Callable[[], int]] = {"wall": time.perf_counter_ns, "cpu": time.thread_time_ns}

Path = tuple[tuple[str, str], ...]
Line = tuple[str, int] | None

# What the backward pass spends on no node in particular: finding the order, adding to .grad, hooks of leaves.
WALK = "(walk)"


class Cell:
    """What was spent in one operation, module, line, region and direction."""

    __slots__ = ("bytes", "calls", "flops", "gradient_bytes", "ns", "visits", "work")

    def __init__(self) -> None:
        self.ns = self.calls = self.visits = self.bytes = self.gradient_bytes = self.flops = 0
        # (FLOPs, bytes touched, bytes of an entry) ↦ how often: what the floor is computed from.
        self.work: Counter[tuple[int, int, int]] = Counter()


class Place:
    """Where time is credited: the operation that is visited (None outside of any), its line, module, region, phase."""

    __slots__ = ("cell", "cells", "line", "module", "op", "phase", "region")

    def __init__(self, op: str | None, line: Line, module: Path, region: tuple[str, ...], phase: str) -> None:
        self.op, self.line, self.module, self.region, self.phase = op, line, module, region, phase
        self.cells: dict[tuple[str, Line], Cell] = {}  # of operations that run here

    cell: Cell


class _Switch(modes._Switch):
    def __init__(self, profiler: profile) -> None:
        self._settings = {
            "watchers": (*modes.local.watchers, profiler._ran),
            "profiler": profiler,
            "clock": profiler._clock,
        }


class profile(Report):
    """Measures what each operation, module and line inside costs, forward and backward.

    A context manager; it shows itself as a table, in notebooks with bars. ``by_op()``, ``by_module()``, ``by_line()``
    and ``by_region()`` are the tables, ``save`` writes a picture, a page, or a trace for Perfetto. It sees this
    thread only. Opened again, it adds to what it has.

    ``total`` is the time of the block in seconds, without that which the profiler took itself (``overhead``). It is the
    sum of ``forward``, operations outside of a backward pass; ``backward``, all inside of one; and ``outside``: Python,
    data, the optimizer. ``wall`` is ``total`` and ``overhead``.

    Arguments:
        trace: keep every event for ``save("trace.json")``; some hundred bytes each.
        clock: ``"wall"``, or ``"cpu"`` for the processor time of this thread alone, in which the time that a busy
            machine gives to other programs has no part, nor has that of the threads that share a matrix product.

    Raises:
        RuntimeError: one is open in this thread already. ValueError: there is no such clock.

    >>> import autograd
    >>> w = autograd.ones(3, 3, requires_grad=True)
    >>> with autograd.profile() as p:
    ...     (w @ w).sum().backward()
    >>> [(row.name, row.calls, row.flops) for row in p.by_op(sort="name")]
    [('(walk)', 0, 0), ('matmul', 1, 162), ('sum', 1, 18)]
    """

    def __init__(self, *, trace: bool = True, clock: str = "wall") -> None:
        if clock not in _CLOCKS:
            raise ValueError(f"profile: clock is 'wall' or 'cpu', got {clock!r}")
        self._clock = _CLOCKS[clock]
        self._cells: dict[tuple[Any, ...], Cell] = {}
        self._calls: Counter[Path] = Counter()
        self._region_calls: Counter[tuple[str, ...]] = Counter()
        self._events: list[tuple[Any, ...]] | None = [] if trace else None
        self._overhead = self._wall = self._opened = self._mark = self._reading = 0
        self._origin: int | None = None
        self._live = Live()
        self._peak = 0
        self._start_over()

    def _start_over(self) -> None:
        self._walking = False  # between _walk() and _visits()
        self._stack: list[tuple[Place, str, str, int]] = []
        self._outer: list[Any] = []  # the modules that are being called
        self._names: dict[Any, dict[Any, str]] = {}
        self._origins: dict[int, tuple[Line, Path]] = {}  # by tick, where a node was recorded
        self._own: dict[Any, bool] = {}  # code ↦ whether it is Glassgrad's
        self._ops = 0
        self._pass_line: Line = None
        self._peak = max(self._peak, self._live.peak)
        self._live = Live()
        self._places: dict[tuple[Any, ...], Place] = {}
        self._place = self._at(None, None, (), (), "forward")
        self._cell = self._place.cell

    # Open and close

    def __enter__(self) -> profile:
        if modes.local.profiler is not None:
            raise RuntimeError(
                "profile: one is open in this thread already, and time can be credited once only; "
                'give the inner part a name instead: with autograd.profile.region("..."):'
            )
        self._switch = _Switch(self)
        self._switch.__enter__()
        with modes._lock:
            record.active += 1
        self._start_over()
        readings = [self._clock() for _ in range(50)]
        self._reading = min(after - before for before, after in itertools.pairwise(readings))
        self._mark = self._opened = self._clock()
        if self._origin is None:
            self._origin = self._opened
        return self

    def __exit__(self, *_: object) -> None:
        now = self._credit()
        self._wall += now - self._opened
        self._mark = now
        if self._events is not None:
            self._events.append(("profile", "profile", self._opened, now, self._place, {}))
        with modes._lock:
            record.active -= 1
        self._switch.__exit__()
        self._start_over()

    # Credit

    def _at(self, op: str | None, line: Line, module: Path, region: tuple[str, ...], phase: str) -> Place:
        key = (op, module, line, region, phase)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(op, line, module, region, phase)
            place.cell = self._cells.setdefault(key, Cell())
        return place

    def _credit(self) -> int:
        """Now, up to which time belongs to what was innermost."""
        now = self._clock()
        self._give(self._cell, now - self._mark)
        return now

    def _give(self, cell: Cell, passed: int) -> None:
        """Credits what ``passed`` between two readings of the clock, without that which a reading takes."""
        reading = min(self._reading, passed)
        cell.ns += passed - reading
        self._overhead += reading

    def _settle(self, now: int) -> None:
        """Ends the profiler's own work, which began at ``now``."""
        self._mark = self._clock()
        self._overhead += self._mark - now

    def _push(self, kind: str, name: str, place: Place, now: int) -> None:
        self._stack.append((self._place, kind, name, now))
        self._place, self._cell = place, place.cell
        self._settle(now)

    def _pop(self, shown: bool = True, facts: Mapping[str, Any] = _NO_FACTS) -> None:
        now = self._credit()
        self._back(now, shown, facts)
        self._settle(now)

    def _back(self, now: int, shown: bool, facts: Mapping[str, Any]) -> None:
        """To what was around this until ``now``, without settling."""
        place = self._place
        self._place, kind, name, began = self._stack.pop()
        self._cell = self._place.cell
        if self._events is not None and shown:
            self._events.append((kind, name, began, now, place, facts))

    def _line(self) -> Line:
        """File and line of the innermost frame outside Glassgrad."""
        frame: Any = sys._getframe(2)
        own = self._own
        while frame is not None:
            code = frame.f_code
            mine = own.get(code)
            if mine is None:
                mine = own[code] = code.co_filename.startswith(_packages) or code.co_filename == contextlib.__file__
            if not mine:
                return code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None

    # Forward

    def _ran(self, op: Primitive, inputs: tuple[Any, ...], static: Mapping[str, Any], out: Any) -> None:
        local = modes.local
        began, ended = local.began, local.ended
        if began < self._mark:  # something in the operation has a name of its own; what is left is from there on
            began = self._mark
        self._give(self._cell, began - self._mark)
        place = self._place
        line = self._line()
        if place.phase == "backward" and line == self._pass_line:
            line = place.line  # a rule made of operations: they belong to the line whose gradient it is
        cell = place.cells.get((op.name, line))
        if cell is None:
            cell = self._at(op.name, line, place.module, place.region, place.phase).cell
            place.cells[op.name, line] = cell
        self._give(cell, ended - began)
        cell.calls += 1
        self._ops += 1
        outs = out if type(out) is tuple else (out,)
        noted = line, place.module
        for y in outs:
            if y._primitive is not None:
                self._origins[y._tick] = noted
                if y._primitive is pick and y._inputs:
                    self._origins[y._inputs[0]._tick] = noted
        arrays = [x._array if isinstance(x, Node) else x for x in inputs]
        results = [y._array for y in outs]
        shapes = [getattr(a, "shape", ()) for a in arrays]
        made = flops.forward(op, shapes, [getattr(a, "shape", ()) for a in results], static)
        others = {id(owner_of(a)) for a in arrays if isinstance(a, np.ndarray)}
        taken = sum(self._live.take(a, others) for a in results)
        if op.saves and outs[0]._primitive is not None:
            node = outs[0]._inputs[0] if outs[0]._primitive is pick else outs[0]
            taken += sum(self._live.take((node._static or {}).get(name), others) for name in op.saves)
        what = flops.kind(op)
        touched = sum(map(size, results))
        if what == "move":
            touched = 2 * (size(arrays[1]) if results[0] is arrays[0] and len(arrays) > 1 else touched)
        elif what == "view":
            touched = 2 * taken
        else:
            touched += sum(map(size, arrays))
        cell.bytes += taken
        cell.flops += made
        cell.work[made, touched, itemsize(results)] += 1
        if self._events is not None:
            facts = {"shapes": shapes, "line": line, "flops": made, "bytes": taken}
            self._events.append(("forward", op.name, began, ended, place, facts))
        self._settle(ended)

    @contextlib.contextmanager
    def _writing(self, t: Any, result: Any, name: str) -> Iterator[None]:
        """Around putting ``result`` into the memory of ``t``, in place."""
        now = self._credit()
        line = self._line()
        here = self._place
        self._push("forward", name, self._at(name, line, here.module, here.region, here.phase), now)
        self._cell.calls += 1
        self._cell.work[0, 2 * result._array.nbytes, result._array.dtype.itemsize] += 1
        try:
            yield
        finally:
            self._pop(facts={"line": line})
        if t._primitive is not None:
            self._origins[t._tick] = self._origins.get(result._tick, (line, here.module))

    def _noted(self, node: Any) -> None:
        """Remembers where a node was made that no operation shows: of a ``Function``, of a view written through."""
        now = self._credit()
        self._origins[node._tick] = self._line(), self._place.module
        self._settle(now)

    # Modules and regions

    def _module(self, module: Any, also: contextlib.AbstractContextManager[None] | None) -> _Call:
        """Around a call of ``module``, inside of ``also``, if there is something else that wants to know."""
        return _Call(self, module, also)

    def _enter(self, module: Any) -> None:
        now = self._credit()
        outer = self._outer[-1] if self._outer else None
        names = self._names.setdefault(outer, {})
        if module not in names:
            if outer is None:
                names[module] = _variable(module)
            else:
                names.update((inner, name) for name, inner in outer.named_modules())
                names.setdefault(module, "")
        kind = type(module).__name__
        here = self._place
        place = self._at(here.op, here.line, (*here.module, (names[module], kind)), here.region, here.phase)
        self._outer.append(module)
        self._calls[place.module] += 1
        self._push("module", names[module] or kind, place, now)

    def _leave(self) -> None:
        self._outer.pop()
        self._pop()

    class region(contextlib.ContextDecorator):
        """Gives a part of the program a name in the profile that is open, if one is: ``with profile.region("data"):``.

        A context manager and a decorator. Outside of a profile it does nothing.

        Arguments:
            name: what its row is called.
            once: do nothing directly inside a region of this name, for functions that call their like.
        """

        def __init__(self, name: str, *, once: bool = False) -> None:
            if not isinstance(name, str) or not name:
                raise TypeError(f"profile.region: wants a name, got {name!r}")
            self.name, self.once = name, once
            self._within: list[Any] = []

        def _recreate_cm(self) -> profile.region:
            return profile.region(self.name, once=self.once)

        def __enter__(self) -> None:
            profiler = modes.local.profiler
            if profiler is not None and self.once and profiler._place.region[-1:] == (self.name,):
                profiler = None
            self._within.append(profiler)
            if profiler is not None:
                now = profiler._credit()
                here = profiler._place
                place = profiler._at(here.op, here.line, here.module, (*here.region, self.name), here.phase)
                profiler._region_calls[place.region] += 1
                profiler._push("region", self.name, place, now)

        def __exit__(self, *_: object) -> None:
            profiler = self._within.pop()
            if profiler is not None and profiler is modes.local.profiler:
                profiler._pop()

    # Backward

    @property
    def _forward_now(self) -> bool:
        """Whether no backward pass is going on."""
        return self._place.phase == "forward"

    def _backward_pass(self) -> contextlib.AbstractContextManager[None]:
        """Around a call of ``backward``."""
        now = self._credit()
        self._pass_line = self._line()
        return _Pass(self, now, True)

    def _walk(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls ``run``, which walks back through a graph."""
        now = self._credit()
        if self._forward_now:
            self._pass_line = self._line()
        with _Pass(self, now, self._place.op != WALK):
            self._walking = True
            try:
                return run(*args, **kwargs)
            finally:
                self._walking = False

    def _visits(self, order: list[Node], observe: Any) -> tuple[Order, Callable[..., None]]:
        """The nodes to visit as a list that notes which of them is, and an observer of edges."""
        now = self._credit()
        self._walking = False
        noted = Order(self, order, observe)
        edge = noted.edge
        self._settle(now)
        return noted, edge


class _Pass:
    """Around a backward pass, or a walk in one. ``now`` is when it began, up to which time is credited."""

    __slots__ = ("depth", "now", "profiler", "shown")

    def __init__(self, profiler: profile, now: int, shown: bool) -> None:
        self.profiler, self.now, self.shown = profiler, now, shown

    def __enter__(self) -> None:
        profiler = self.profiler
        self.depth = len(profiler._stack)
        place = profiler._at(WALK, None, (), profiler._place.region, "backward")
        profiler._push("backward", "backward", place, self.now)

    def __exit__(self, *_: object) -> None:
        while len(self.profiler._stack) > self.depth + 1:  # a visit that an error ended
            self.profiler._pop(shown=False)
        self.profiler._pop(shown=self.shown)


class _Call:
    # Not made of a generator: contextlib's frames would pass for the user's.
    __slots__ = ("also", "module", "profiler")

    def __init__(self, profiler: profile, module: Any, also: Any) -> None:
        self.profiler, self.module, self.also = profiler, module, also

    def __enter__(self) -> None:
        if self.also is not None:
            self.also.__enter__()
        self.profiler._enter(self.module)

    def __exit__(self, *error: Any) -> None:
        self.profiler._leave()
        if self.also is not None:
            self.also.__exit__(*error)
