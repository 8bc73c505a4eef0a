"""A graph of scalars as the figure of a network: inputs on the left, a column for each operation, sums as one node."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import replace

from .themes import THEMES, Theme
from .trace import Amount, Edge, Graph, Vertex
from .words import FONT, escaped, escaped_text, number

_SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "maximum": "max", "minimum": "min", "sum": "Σ"}


class _Figure:
    def __init__(self, graph: Graph, groups: dict[str, str], inputs: set[str], hidden: set[str]) -> None:
        self.vertices = {v.id: replace(v) for v in graph.vertices}
        self.edges = [replace(e) for e in graph.edges]
        self.groups, self.inputs = groups, inputs
        self.weights: dict[int, Vertex] = {}  # the factor on an edge, by the edge's identity
        self.biases: dict[str, list[Vertex]] = {}
        self._pass_by(hidden)
        self._numbers_inside()
        self._sums()

    def _uses(self) -> Counter[str]:
        return Counter(e.source for e in self.edges)

    def _into(self) -> dict[str, list[Edge]]:
        into: dict[str, list[Edge]] = {}
        for edge in self.edges:
            into.setdefault(edge.target, []).append(edge)
        return into

    def _pass_by(self, hidden: set[str]) -> None:
        """Leaves out nodes that only bring scalars together."""
        into = self._into()
        kept: list[Edge] = []
        seen: set[tuple[str, str]] = set()

        def sources(edge: Edge) -> list[Edge]:
            if edge.source not in hidden:
                return [edge]
            return [s for inner in into.get(edge.source, []) for s in sources(inner)]

        for edge in self.edges:
            if edge.target in hidden:
                continue
            if edge.source not in hidden:
                kept.append(edge)
                continue
            for inner in sources(edge):
                if (inner.source, edge.target) not in seen:
                    seen.add((inner.source, edge.target))
                    kept.append(replace(inner, target=edge.target, upstream=None, local=None))
        self.edges = kept
        for v in hidden:
            self.vertices.pop(v, None)

    def _numbers_inside(self) -> None:
        """Python's numbers are written in the operation that uses them."""
        kept = []
        for edge in self.edges:
            source = self.vertices[edge.source]
            if source.kind == "number" or (source.kind == "constant" and source.name is None):
                target = self.vertices[edge.target]
                target.arguments = {edge.argument: _value(source.value), **target.arguments}
            else:
                kept.append(edge)
        self.edges = kept
        used = {e.source for e in kept} | {e.target for e in kept}
        self.vertices = {k: v for k, v in self.vertices.items() if k in used or v.operation or v.output}

    def _sums(self) -> None:
        """A chain of additions is one node, Σ."""
        uses, into = self._uses(), self._into()
        goes: dict[str, str] = {}
        for v in list(self.vertices.values()):
            if v.operation != "add":
                continue
            for edge in into.get(v.id, []):
                inner = self.vertices[edge.source]
                chained = inner.operation in ("add", "sum") and inner.name is None and not inner.output
                if chained and uses[inner.id] == 1 and not inner.arguments:
                    goes[inner.id] = v.id
                    v.operation = "sum"
        kept = []
        for edge in self.edges:
            target = edge.target
            while target in goes:
                target = goes[target]
            if edge.source not in goes:
                kept.append(edge if target == edge.target else replace(edge, target=target))
        self.edges = kept
        for inner_id in goes:
            del self.vertices[inner_id]

    def factors_on_edges(self) -> None:
        """``x → × → Σ`` with a weight that is a leaf becomes one edge ``x → Σ``, and such a bias a line of the sum."""
        uses, into = self._uses(), self._into()
        out: dict[str, list[Edge]] = {}
        for edge in self.edges:
            out.setdefault(edge.source, []).append(edge)
        dropped: set[int] = set()
        for v in list(self.vertices.values()):
            edges = into.get(v.id, [])
            if v.operation == "mul" and v.name is None and len(edges) == 2 and uses[v.id] == 1 and not v.arguments:
                weight = self._weight([self.vertices[e.source] for e in edges], uses)
                if weight is None:
                    continue
                (other,) = [e for e in edges if e.source != weight.id]
                (onward,) = out[v.id]
                joined = replace(onward, source=other.source, upstream=None, local=None)
                joined.downstream = other.downstream
                self.edges[next(i for i, e in enumerate(self.edges) if e is onward)] = joined
                self.weights[id(joined)] = weight
                dropped |= {id(e) for e in edges}
                del self.vertices[v.id]
            elif v.operation in ("sum", "add"):
                for edge in edges:
                    source = self.vertices.get(edge.source)
                    if source is not None and source.kind == "variable" and uses[source.id] == 1 and len(edges) > 1:
                        self.biases.setdefault(v.id, []).append(source)
                        dropped.add(id(edge))
        self.edges = [e for e in self.edges if id(e) not in dropped]
        used = {e.source for e in self.edges} | {e.target for e in self.edges}
        self.vertices = {k: v for k, v in self.vertices.items() if k in used or v.operation or v.output}

    @staticmethod
    def _weight(sources: list[Vertex], uses: Counter[str]) -> Vertex | None:
        leaves = [v for v in sources if v.kind == "variable"]
        if len(sources) == 2 and sources[0].id == sources[1].id:
            return None
        return min(leaves, key=lambda v: uses[v.id]) if leaves else None

    def graph(self) -> Graph:
        """The records of what is drawn."""
        return Graph(list(self.vertices.values()), self.edges)

    def dot(self, direction: str, whole: dict[str, str], theme: Theme) -> str:
        """The DOT text, with the colours of ``theme``."""
        from graphviz import Digraph

        text = Digraph(
            graph_attr={
                "rankdir": direction, "fontname": FONT, "fontsize": "10", "fontcolor": theme.faint,
                "bgcolor": theme.background, "nodesep": "0.12", "ranksep": "0.5", "labelloc": "b", "labeljust": "l",
                "label": self._legend(whole),
            },
            node_attr={
                "shape": "record", "style": "rounded,filled", "fontname": FONT, "fontsize": "10",
                "margin": "0.08,0.03", "height": "0.2",
            },
            edge_attr={
                "color": theme.line, "fontname": FONT, "fontsize": "9", "fontcolor": theme.variable[0],
                "arrowsize": "0.5",
            },
        )  # fmt: skip
        depth, inputs = self._depths()
        heading_style = {"shape": "plaintext", "style": "", "fontcolor": theme.faint, "height": "0.3"}
        for v in self.vertices.values():
            text.node(v.id, self._label(v, direction), **self._style(v, whole, theme))
        for i, ids in enumerate(self._columns(depth, inputs)):
            with text.subgraph(graph_attr={"rank": "same"}) as column:
                stack: list[str] = []
                for group, box in ids:
                    if group is not None:  # the name of what stands below it
                        stack.append(f"heading{i}_{len(stack)}")
                        column.node(stack[-1], escaped_text(group), **heading_style)
                    stack.append(box)
                column.node(stack[0])
                for above, below in itertools.pairwise(stack):
                    column.edge(above, below, style="invis")
        for edge in self.edges:
            far = {"minlen": "2"} if edge.source in inputs and not self.weights else {}
            weight = self.weights.get(id(edge))
            label = None
            if weight is not None:
                label = f" × {_value(weight.value)} "
                if weight.gradient is not None:
                    label += rf"\n ∇ {_value(weight.gradient)} "
            text.edge(edge.source, edge.target, label=label, **far)
        return text.source

    def _depths(self) -> tuple[dict[str, int], list[str]]:
        """The column of each vertex, and the inputs of the first layer, which nothing computed is combined with."""
        depth: dict[str, int] = {}
        into = self._into()
        for v in self.vertices.values():
            depth[v.id] = max((depth[e.source] + 1 for e in into.get(v.id, [])), default=0)
        for edge in reversed(self.edges):
            if edge.source not in into:
                depth[edge.source] = depth[edge.target] - 1
        return depth, [v for v in self.vertices if v in self.inputs and depth[v] == 0]

    def _columns(self, depth: dict[str, int], inputs: list[str]) -> list[list[tuple[str | None, str]]]:
        """What stands in each column, in order, with the heading that comes before it, if one does.

        Entries of a Tensor stand as they are in it, and anything else beside what uses it.
        """
        order: dict[str, tuple[int, ...]] = {}
        used: dict[str, str] = {}
        for edge in self.edges:
            used.setdefault(edge.source, edge.target)
        for i, v in reversed(list(enumerate(self.vertices.values()))):
            own = v.operation is not None and v.name is not None
            order[v.id] = (i,) if own or v.id not in used or v.id in inputs else (*order[used[v.id]], i)
        columns: dict[int, list[str]] = {}
        for box in self.vertices:
            columns.setdefault(-1 if box in inputs else depth[box], []).append(box)
        placed = []
        for ids in columns.values():
            ids.sort(key=lambda v: (self.vertices[v].operation is None, order[v]))
            groups = [self.groups.get(v) for v in ids]
            placed.append([(g if g != h else None, v) for g, h, v in zip(groups, [None, *groups], ids, strict=False)])
        return placed

    @staticmethod
    def _style(v: Vertex, whole: dict[str, str], theme: Theme) -> dict[str, str]:
        style = dict(zip(("color", "fillcolor", "fontcolor"), theme.box("output" if v.output else v.kind), strict=True))
        if v.output:
            style["penwidth"] = "1.8"
        elif v.operation in whole:
            style["style"] = "filled,dashed"
        return style

    def _label(self, v: Vertex, direction: str) -> str:
        heading = "" if v.name is None else escaped(v.name)
        if v.operation is not None:
            symbol = _SYMBOLS.get(v.operation, escaped(v.operation))
            given = ", ".join(escaped(a) for a in v.arguments.values())
            operation = f"{symbol} {given}" if given else symbol
            if heading and _is_named_after(v):
                heading = f"{heading}, {given}" if given else heading
            else:
                heading = f"{heading} = {operation}" if heading else operation
        lines = [
            f"+ {escaped(bias.name or '')} {_value(bias.value)}, ∇ {_value(bias.gradient)}"
            for bias in self.biases.get(v.id, [])
        ]
        if v.value is not None and v.value.entries is not None:
            lines.append(_value(v.value))
        elif v.value is not None:
            lines.append(str(v.value.shape))
        if v.gradient is not None and v.gradient.entries is not None:
            lines.append(f"∇ {_value(v.gradient)}")
        label = "|".join([heading, "".join(rf"{line}\l" for line in lines)]) if lines else heading
        return label if direction == "LR" else f"{{{label}}}"

    def _legend(self, whole: dict[str, str]) -> str:
        parts = ["each node: its value, and ∇ its gradient"] if any(v.gradient for v in self.vertices.values()) else []
        if self.weights:
            parts.append("on an edge: × weight, and ∇ the weight's gradient")
        parts += [f"{escaped_text(name)} stays whole: {escaped_text(reason)}" for name, reason in whole.items()]
        return "".join(rf"{part}\l" for part in parts)


def _is_named_after(v: Vertex) -> bool:
    """Whether the name is that of the operation, with a number and an index."""
    return v.name is not None and re.fullmatch(rf"{re.escape(v.operation or '')}(_\d+)?(\[.*\])?", v.name) is not None


def _value(amount: Amount | None) -> str:
    if amount is None or amount.entries is None:
        return "…"
    return number(amount.entries.reshape(-1)[0].item()) if amount.entries.size == 1 else str(amount.shape)


def network(
    graph: Graph,
    groups: dict[str, str],
    inputs: set[str],
    hidden: set[str],
    whole: dict[str, str],
    weights: str,
    direction: str,
    theme: str,
) -> tuple[Graph, str]:
    """The graph that the figure shows, and its DOT text.

    Arguments:
        graph: the records of a graph of scalars.
        groups: the operation on Tensors that a vertex belongs to, by its id.
        inputs: ids of entries of inputs without gradient.
        hidden: ids of vertices that only bring scalars together.
        whole: operations that were not taken apart, and why.
        weights: ``"nodes"`` or ``"edges"``.
        direction: ``"LR"`` or ``"TB"``.
        theme: one of ``THEMES``.
    """
    figure = _Figure(graph, groups, inputs, hidden)
    if weights == "edges":
        figure.factors_on_edges()
    return figure.graph(), figure.dot(direction, whole, THEMES[theme])
