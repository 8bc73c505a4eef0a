"""The backward pass as the profiler follows it: node by node, through the list that the walk takes them from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..node import Node
from ..primitive import pick
from . import flops
from .memory import itemsize, owner_of, size

if TYPE_CHECKING:
    from .recorder import profile

__all__ = ["Order"]


class Order(list[Node]):
    """The nodes of one walk, the next one last. What passes between two that are taken out belongs to the first."""

    def __init__(self, profiler: profile, nodes: Sequence[Node], observe: Any) -> None:
        super().__init__(nodes)
        self.profiler, self.observe = profiler, observe
        self.node: Node | None = None
        self.forget()

    def forget(self) -> None:
        """Nothing is known of the next visit yet."""
        self.asked: list[flops.Asked] = []
        self.given: tuple[Any, ...] = ()
        self.static: Mapping[str, Any] = {}
        self.touched = self.taken = self.itemsize = 0

    def __bool__(self) -> bool:
        if len(self):
            return True
        if self.node is not None:
            now = self.profiler._credit()
            self.close(now)
            self.profiler._settle(now)
        return False

    def pop(self, index: Any = -1) -> Node:
        """The next node."""
        profiler = self.profiler
        now = profiler._credit()
        if self.node is not None:
            self.close(now)
        node = self.node = super().pop(index)
        assert node._primitive is not None
        source = node._inputs[0] if node._primitive is pick and node._inputs else node
        name = "" if source._primitive is None else source._primitive.name
        origin = profiler._origins.get(node._tick)
        here = profiler._place
        line, module = (None, ()) if origin is None else origin
        profiler._push("visit", name, profiler._at(name, line, module, here.region, "backward"), now)
        self.ops = profiler._ops
        return node

    def close(self, now: int) -> None:
        """Closes the visit that is open, up to ``now``."""
        node, profiler = self.node, self.profiler
        assert node is not None
        cell, primitive = profiler._cell, node._primitive
        self.node = None
        made = 0
        inner = profiler._ops != self.ops  # operations of their own, which count for themselves
        if self.asked and primitive is not None:
            cell.visits += 1
            cell.gradient_bytes += self.taken
            if not inner:
                value = node._array if type(node._array) is tuple else (node._array,)
                shapes = [getattr(getattr(x, "_array", x), "shape", ()) for x in self.given]
                made = flops.backward(primitive, self.asked, shapes, [v.shape for v in value], self.static)
                cell.flops += made
                cell.work[made, self.touched, self.itemsize] += 1
        shown = bool(self.asked) or inner
        facts = {"line": profiler._place.line, "flops": made, "bytes": self.taken}
        self.forget()
        profiler._back(now, shown, facts)

    def edge(self, node: Node, index: int, g: Any, gx: Any) -> None:
        """One gradient that a rule gave: what the walk shows to its observer."""
        if self.observe is not None:
            self.observe(node, index, g, gx)
        profiler = self.profiler
        now = profiler._credit()
        upstream = [_values(u) for u in (g if isinstance(g, list) else [g]) if u is not None]
        downstream = _values(gx)
        assert node._primitive is not None and node._inputs is not None
        others = {id(owner_of(a)) for a in upstream if isinstance(a, np.ndarray)}
        taken = 0 if gx is g else profiler._live.take(downstream, others)
        if not self.asked:
            self.given, self.static = node._inputs, node._static or {}
        if taken:
            if not self.touched:
                self.touched = sum(map(size, upstream))
            self.touched += size(downstream)
            if flops.reads_all(node._primitive):
                self.touched += sum(size(_values(x)) for i, x in enumerate(node._inputs) if i != index)
        self.taken += taken
        self.itemsize = max(self.itemsize, itemsize([downstream]))
        sizes = [getattr(a, "size", 1) for a in (*upstream, downstream)]
        self.asked.append(flops.Asked(index, sum(sizes[:-1]), sizes[-1], bool(taken)))
        profiler._settle(now)


def _values(x: Any) -> Any:
    """The array of a gradient, which may be a Tensor, or the rows of a sparse one."""
    return x._array if isinstance(x, Node) else getattr(x, "values", x)
