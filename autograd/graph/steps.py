"""The steps of one forward and one backward pass as plain records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..node import Node
from ..primitive import pick
from .formulas import Formula, forward_formula, rule_formula
from .mathematics import subscript
from .notes import note
from .trace import Amount, Edge, Graph, Vertex, _Tracer, amount
from .words import in_parentheses, number, text

# Arrays of at most so many entries are shown entry by entry.
SHOWN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One input of an operation: which argument of it, what it is called, its vertex in the drawing, its value."""

    argument: str
    name: str
    node: str
    value: Amount | None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: an operation that is computed, or what its rule sends back to one of its inputs.

    In both phases ``node`` is the operation's vertex in the drawing and ``name`` what it is called; ``inputs`` are its
    inputs and ``value`` its result. ``formula`` is written with the names of the program, ``rule`` with those of the
    gradient rule (or forward function) that it was read from.

    A backward step sends ``downstream`` to ``target``, called ``target_name``, through ``argument``. It is
    ``upstream`` × ``local`` entry by entry where there is a ``local``. It is use ``use`` of ``uses`` of the target:
    ``before`` is the sum of the earlier ones, and ``total`` the sum with this one. The first backward step is the one
    that starts: it has no ``argument``, and its target is the result itself.

    ``where`` and ``module`` are there for what ran inside ``record``.
    """

    number: int
    phase: str
    node: str
    name: str
    operation: str
    formula: str
    rule: str
    inputs: tuple[Input, ...]
    value: Amount | None
    note: str
    where: tuple[str, int] | None = None
    module: tuple[tuple[str, str], ...] = ()
    argument: str | None = None
    target: str | None = None
    target_name: str | None = None
    edge: int | None = None
    upstream: Amount | None = None
    local: Amount | None = None
    downstream: Amount | None = None
    use: int = 0
    uses: int = 0
    before: Amount | None = None
    total: Amount | None = None

    @property
    def product(self) -> str:
        """``upstream × local = downstream``, or as much of it as there is."""
        if self.downstream is None:
            return ""
        if self.upstream is not None and self.local is not None:
            return f"{shown(self.upstream)} × {in_parentheses(shown(self.local))} = {shown(self.downstream)}"
        if self.upstream is not None:
            return f"{shown(self.upstream)} → {shown(self.downstream)}"
        return shown(self.downstream)

    @property
    def sum(self) -> str:
        """What this use adds to the gradient of the target, where that has several: ``3 + 2 = 5``."""
        if self.uses < 2 or self.downstream is None or self.total is None:
            return ""
        if self.before is None:
            return shown(self.total)
        return f"{shown(self.before)} + {in_parentheses(shown(self.downstream))} = {shown(self.total)}"

    @property
    def branch(self) -> str:
        """The sum in a sentence: ``this is use 2 of 3 of y: 3 + 2 = 5``."""
        return f"this is use {self.use} of {self.uses} of {self.target_name}: {self.sum}" if self.sum else ""


@dataclass(slots=True)
class Stepped(Graph):
    """A graph with the steps of its two passes."""

    steps: list[Step]


def shown(value: Amount | None) -> str:
    """The entries of a small array, shape and norm of a large one."""
    if value is None:
        return "several results"
    if value.entries is not None:
        return text(value)
    return f"{value.shape} with norm {number(value.norm)}"


class Stepper(_Tracer):
    """The tracer that also notes, for each edge, when the backward pass came along it, its formula and its sum."""

    small, small_local = SHOWN, float("inf")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.taken: list[Edge] = []
        self.formulas: dict[int, Formula] = {}  # by id of the edge
        self.forward: dict[str, Formula] = {}  # by vertex
        self.totals: dict[int, Amount | None] = {}
        self.sums: dict[str, Any] = {}  # of what is used more than once
        self.uses: Counter[str] = Counter()
        self.parts: set[str] = set()
        self.summed: set[int] = set()  # edges to inputs that were broadcast

    def _operation(self, node: Node) -> None:
        super()._operation(node)
        vertex = self.vertices[node]
        source: Any = node
        if node._primitive is pick and len(self.outputs[self.inputs[node][0]]) == 1:
            source = self.inputs[node][0]
        self.forward[vertex.id] = forward_formula(source._primitive, self._arrays(source), source._static or {})

    def _arrays(self, node: Node) -> list[Any]:
        return [x._array if isinstance(x, Node) else x for x in self.inputs[node]]

    def _backward(self, gradients: Sequence[Any]) -> None:
        self.uses.update(edge.source for edge in self.edges.values())
        for root, g in zip(self.roots, gradients, strict=True):
            self.sums[self.vertices[root].id] = g
        super()._backward(gradients)
        self.sums.clear()

    def _take(self, node: Node, index: int, upstream: Any, g: Any) -> None:
        edge = self.edges[node, index]
        self.taken.append(edge)
        assert node._primitive is not None
        if node._primitive.elementwise and np.shape(upstream) != np.shape(g):
            self.summed.add(id(edge))
        if node._primitive is pick:  # gradients of several results do not add up
            self.totals[id(edge)] = edge.downstream
            self.parts.add(edge.source)
        elif self.uses[edge.source] == 1 and edge.source not in self.sums:
            self.totals[id(edge)] = edge.downstream
        else:
            before = self.sums.get(edge.source)
            # A copy, since the walk adds further gradients into the array that it hands out.
            total = self.sums[edge.source] = np.array(g) if before is None else np.asarray(before) + np.asarray(g)
            self.totals[id(edge)] = amount(total, small=self.small)
        self.formulas[id(edge)] = rule_formula(
            node._primitive, index, self._arrays(node), node._array, node._static or {}, upstream
        )

    def _observe(self, node: Node, index: int, upstream: Any, downstream: Any) -> None:
        super()._observe(node, index, upstream, downstream)
        self._take(node, index, upstream, downstream)

    def _unpacked(self, parent: Node, slots: list[Any]) -> Any:
        outputs = self.outputs[parent]
        if len(outputs) > 1:
            for node in reversed(outputs):
                assert node._static is not None
                g = slots[node._static["index"]]
                # An op of several inputs comes here once for each of them.
                if g is not None and id(self.edges[node, 0]) not in self.totals:
                    self.edges[node, 0].downstream = amount(g, small=self.small)
                    self._take(node, 0, g, g)
        return super()._unpacked(parent, slots)

    def graph(self, gradients: Sequence[Any] | None) -> Stepped:
        graph = super().graph(gradients)
        return Stepped(graph.vertices, graph.edges, _Writer(self, graph).steps())


class _Writer:
    """Writes the steps of a traced graph, with a name for each vertex."""

    def __init__(self, stepper: Stepper, graph: Graph) -> None:
        self.stepper, self.graph = stepper, graph
        self.by_id = {v.id: v for v in graph.vertices}
        self.names = labels(graph)
        self.places = {id(edge): i for i, edge in enumerate(graph.edges)}
        self.into: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self.into.setdefault(edge.target, []).append(edge)
        self.root = next(v for v in graph.vertices if v.output)
        self.result = self.root.name or "L"

    def steps(self) -> list[Step]:
        found: list[Step] = []
        for vertex in self.graph.vertices:
            if vertex.kind == "operation":
                formula = self.stepper.forward[vertex.id]
                left = self.names[vertex.id]
                found.append(
                    Step(
                        len(found) + 1,
                        "forward",
                        **self._common(vertex),
                        formula=f"{left} = {formula.named(self._argument_names(vertex))}",
                        rule=f"out = {formula.named({})}",
                        note="",
                    )
                )
        if self.graph.has_gradients or self.root.gradient is not None:
            self._backward(found)
        return found

    def _backward(self, found: list[Step]) -> None:
        uses: dict[str, int] = {self.root.id: 1}
        for edge in self.stepper.taken:
            uses[edge.source] = uses.get(edge.source, 0) + 1
        seen = {self.root.id: 1}
        sums: dict[str, Amount | None] = {}
        start = sums[self.root.id] = self.root.gradient
        name = self.names[self.root.id]
        formula = f"∂{self.result}/∂{self.result} = {shown(start)}"
        is_one = start is not None and start.entries is not None and bool((start.entries == 1).all())
        what = f"with the gradient of {self.result} with respect to itself" if is_one else "with the gradient given"
        if self.root.name is None:
            what = f"here called {self.result}, {what}"
        found.append(
            Step(
                len(found) + 1, "backward", **self._common(self.root), formula=formula, rule=formula,
                note=f"the backward pass starts at {name}, {what}",
                target=self.root.id, target_name=name, downstream=start, use=1, uses=uses[self.root.id], total=start,
            )
        )  # fmt: skip
        for edge in self.stepper.taken:
            vertex, target = self.by_id[edge.target], edge.source
            seen[target] = seen.get(target, 0) + 1
            formula_ = self.stepper.formulas[id(edge)]
            names = self._argument_names(vertex)
            target_name = self.names[target]
            apart = target in self.stepper.parts
            total = self.stepper.totals[id(edge)]
            found.append(
                Step(
                    len(found) + 1,
                    "backward",
                    **self._common(vertex),
                    formula=f"∂{self.result}/∂{target_name} = {formula_.named(names)}",
                    rule=f"∂L/∂{edge.argument} = {formula_.named({})}",
                    note=note(vertex, edge, names, id(edge) in self.stepper.summed),
                    argument=edge.argument,
                    target=target,
                    target_name=target_name,
                    edge=self.places[id(edge)],
                    upstream=edge.upstream,
                    local=edge.local,
                    downstream=edge.downstream,
                    use=1 if apart else seen[target],
                    uses=1 if apart else uses[target],
                    before=None if apart else sums.get(target),
                    total=total,
                )
            )
            sums[target] = total

    def _common(self, vertex: Vertex) -> dict[str, Any]:
        inputs = tuple(
            Input(edge.argument, self.names[edge.source], edge.source, self.by_id[edge.source].value)
            for edge in self.into.get(vertex.id, ())
        )
        return {
            "node": vertex.id, "name": self.names[vertex.id], "operation": vertex.operation or vertex.kind,
            "inputs": inputs, "value": vertex.value, "where": vertex.where, "module": vertex.module,
        }  # fmt: skip

    def _argument_names(self, vertex: Vertex) -> dict[str, str]:
        edges = self.into.get(vertex.id, ())
        arguments = [edge.argument for edge in edges]
        names = {edge.argument: self.names[edge.source] for edge in edges if arguments.count(edge.argument) == 1}
        names["out"] = self.names[vertex.id]
        if "g" in names.values():
            names["g"] = "upstream"  # a program's own g is another
        return names


def labels(graph: Graph) -> dict[str, str]:
    """What each vertex is called: its name, a number itself, or its operation with an index where there are several."""
    parents = {edge.target: edge.source for edge in graph.edges}
    plain: dict[str, str] = {}
    for vertex in graph.vertices:
        if vertex.kind == "number":
            plain[vertex.id] = shown(vertex.value)
        elif vertex.name is None and vertex.operation != "pick":
            plain[vertex.id] = vertex.operation or vertex.kind
    counts = Counter(plain.values()) + Counter(v.name for v in graph.vertices if v.name is not None)
    found: dict[str, str] = {}
    used: Counter[str] = Counter()
    for vertex in graph.vertices:
        if vertex.name is not None:
            name = vertex.name
        elif vertex.operation == "pick":
            name = f"{found[parents[vertex.id]]}[{vertex.arguments['index']}]"
        else:
            name = plain[vertex.id]
            if vertex.kind != "number" and counts[name] > 1:
                used[name] += 1
                name += subscript(used[name])
        found[vertex.id] = name
    return found
