"""From the records of a graph to DOT text, with plain and record labels only: every renderer draws those alike."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .trace import Amount, Edge, Graph, Vertex

# The one name that renderers know the widths of; a list of fonts would be measured as another font.
FONT = "DejaVu Sans"

_QUIET = {"style": "rounded,filled,dashed", "color": "#a8a8a8", "fillcolor": "#f6f6f6", "fontcolor": "#5f5f5f"}
_STYLES = {
    "variable": {"style": "rounded,filled", "color": "#2f6db5", "fillcolor": "#dceafb"},
    "constant": _QUIET,
    "number": {"shape": "box", **_QUIET, "width": "0.3", "height": "0.3", "margin": "0.08,0.04"},
    "operation": {},
    "output": {"color": "#b07a00", "fillcolor": "#fdefcf", "penwidth": "1.8"},
}
_GRADIENT = "#8f1d5a"
# Arguments such as an index may be large; their beginning is enough to tell ops apart.
_ARGUMENT_WIDTH = 28
# Above this many vertices a box for each Python number would make layout take time with the square of their count.
_MANY = 1000
# Above this many passages of edges over ranks, layout is cut short.
_PASSAGES = 1000

_record_escapes = str.maketrans(
    {"\\": r"\\", '"': r"\"", "&": "&amp;", "\n": r"\\n", "\r": r"\\r", "\t": r"\\t"}
    | {character: "\\" + character for character in "{}|<>"}
)


def dot(graph: Graph, direction: str) -> str:
    """The DOT text of ``graph``, running "LR" (left to right) or "TB" (top to bottom)."""
    from graphviz import Digraph

    text = Digraph(
        graph_attr={
            "rankdir": direction, "fontname": FONT, "fontsize": "10", "fontcolor": "#5f5f5f", "bgcolor": "white",
            "nodesep": "0.3", "ranksep": "0.45", "labelloc": "b", "labeljust": "l", **_haste(graph), **_legend(graph),
        },
        node_attr={
            "shape": "record", "style": "rounded,filled", "color": "#555555", "fillcolor": "white",
            "fontname": FONT, "fontsize": "11", "margin": "0.12,0.05",
        },
        edge_attr={
            "color": "#777777", "fontname": FONT, "fontsize": "10", "fontcolor": _GRADIENT, "arrowsize": "0.7",
        },
    )  # fmt: skip
    vertices, edges = graph.vertices, graph.edges
    if len(vertices) > _MANY:
        vertices, edges = _numbers_inside(graph)
    for vertex in vertices:
        label = vertex_label(vertex)
        if direction == "TB" and vertex.kind != "number":
            label = f"{{{label}}}"  # braces turn the fields of a record by a right angle
        text.node(vertex.id, label, **_STYLES["output" if vertex.output else vertex.kind])
    for edge in edges:
        text.edge(edge.source, edge.target, label=edge_label(edge) or None)
    return text.source


def _numbers_inside(graph: Graph) -> tuple[list[Vertex], list[Edge]]:
    """The graph with numbers and nameless scalars as arguments of the operations that use them, not as vertices."""
    numbers = {
        v.id: text(v.value)
        for v in graph.vertices
        if v.kind in ("number", "constant") and v.name is None and not v.output
        if v.value is not None and v.value.shape == ()
    }
    arguments: dict[str, dict[str, str]] = {}
    for edge in graph.edges:
        if edge.source in numbers:
            arguments.setdefault(edge.target, {})[edge.argument] = numbers[edge.source]
    vertices = [
        replace(v, arguments={**arguments[v.id], **v.arguments}) if v.id in arguments else v
        for v in graph.vertices
        if v.id not in numbers
    ]
    return vertices, [edge for edge in graph.edges if edge.source not in numbers]


def _haste(graph: Graph) -> dict[str, str]:
    """Limits on the search for a good layout, for graphs whose edges pass over many ranks.

    A value used in each of a hundred steps has thousands of such passages, and the search takes a time that grows
    with their square.
    """
    depth = {v.id: 0 for v in graph.vertices}
    for edge in graph.edges:
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    made = {edge.target for edge in graph.edges}
    for edge in reversed(graph.edges):  # an input is placed beside its first use
        if edge.source not in made:
            depth[edge.source] = depth[edge.target] - 1
    passed = sum(max(0, depth[edge.target] - depth[edge.source] - 1) for edge in graph.edges)
    if passed <= _PASSAGES:
        return {}
    limits = {"nslimit": "0.05", "nslimit1": "0.05", "mclimit": "0.2"}
    return {**limits, "splines": "line"} if passed > 10 * _PASSAGES else limits


def _legend(graph: Graph) -> dict[str, str]:
    if not graph.has_gradients:
        return {}
    kinds = {vertex.kind for vertex in graph.vertices}
    colours = ["blue: gets a gradient", *["dashed: constant"] * bool(kinds & {"constant", "number"}), "yellow: result"]
    parts = [" · ".join(colours)]
    if any(edge.local is not None for edge in graph.edges):
        parts.append("on an edge: upstream × local = downstream gradient")
    if any(edge.downstream is not None and edge.local is None for edge in graph.edges):
        parts.append("∇: downstream gradient, |∇| its Euclidean norm")
    return {"label": "".join(rf"{part}\l" for part in parts)}


def vertex_label(vertex: Vertex) -> str:
    """The record label of a vertex: a heading, and a line for each thing that is known of it."""
    if vertex.kind == "number":
        assert vertex.value is not None
        return text(vertex.value)
    heading = vertex.kind if vertex.name is None else escaped(vertex.name)
    if vertex.operation is not None:
        operation = escaped(vertex.operation)
        heading = operation if vertex.name is None else f"{heading} = {operation}"
    lines = [escaped(_shortened(f"{name}={value}")) for name, value in vertex.arguments.items()]
    if vertex.value is not None:
        plain = vertex.operation is not None and not vertex.value.shape
        if not plain:
            shape = str(vertex.value.shape) if vertex.value.shape else "scalar"
            lines.append(f"{shape} {vertex.value.dtype}")
        if vertex.overwritten:
            lines.append("value overwritten since")
        elif vertex.value.entries is not None:
            lines.append(f"value {text(vertex.value)}")
    if vertex.gradient is not None:
        lines.append(_gradient(vertex))
    return "|".join([heading, "".join(rf"{line}\l" for line in lines)] if lines else [heading])


def _gradient(vertex: Vertex) -> str:
    gradient = vertex.gradient
    assert gradient is not None
    if gradient.entries is None:
        return f"|∇| {number(gradient.norm)}".replace("|", r"\|")
    if gradient.entries.size == 1 and 1 < len(vertex.uses) <= 4:
        terms = [text(use) for use in vertex.uses]
        total = " + ".join([terms[0], *(_in_parentheses(term) for term in terms[1:])])
        return f"grad {total} = {text(gradient)}"
    return f"grad {text(gradient)}"


def edge_label(edge: Edge) -> str:
    """``upstream × local = downstream`` where that holds entry by entry, or shape and norm of the downstream gradient.

    The spaces around it keep it off the nodes.
    """
    if edge.downstream is None:
        return ""
    if edge.local is not None and edge.upstream is not None:
        return f" {text(edge.upstream)} × {_in_parentheses(text(edge.local))} = {text(edge.downstream)} "
    if edge.downstream.entries is not None:
        return f" ∇ {text(edge.downstream)} "
    return rf" ∇ {edge.downstream.shape} \n |∇| {number(edge.downstream.norm)} "


def _in_parentheses(term: str) -> str:
    return f"({term})" if term.startswith("-") else term


def _shortened(argument: str) -> str:
    return argument if len(argument) <= _ARGUMENT_WIDTH else argument[: _ARGUMENT_WIDTH - 1] + "…"


def escaped(name: str) -> str:
    """``name`` as it stands inside a record label, where every character of it then shows.

    >>> print(escaped('a|b "c"'))
    a\\|b \\"c\\"
    """
    shown = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", str(name))
    # Records drop spaces at the ends and draw several as one, unless they are escaped.
    return re.sub(r"^ | $|(?<= ) ", r"\\ ", shown.translate(_record_escapes))


def text(amount: Amount) -> str:
    """The entries of a small array with four digits."""
    assert amount.entries is not None
    return _nested(amount.entries.tolist())


def _nested(entries: Any) -> str:
    return f"[{', '.join(map(_nested, entries))}]" if isinstance(entries, list) else number(entries)


def number(value: Any) -> str:
    """A number with four digits, and 0 without a sign.

    >>> number(2.0), number(-0.0), number(1 / 3), number(True)
    ('2', '0', '0.3333', 'True')
    """
    if isinstance(value, int):
        return str(value)
    return f"{value + 0.0:.4g}"
