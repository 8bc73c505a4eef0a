"""From the records of a graph to DOT text, with plain and record labels only: every renderer draws those alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .clusters import Group
from .distribution import Statistics, sparkline
from .look import Look
from .themes import THEMES, Theme
from .trace import Edge, Graph, Vertex
from .words import (
    FONT,
    bytes_text,
    escaped,
    escaped_text,
    in_parentheses,
    number,
    seconds_text,
    shortened,
    text,
)

# Above this many passages of edges over ranks, layout is cut short.
_PASSAGES = 1000


def dot(graph: Graph, direction: str, look: Look | None = None, root: Group | None = None, note: str = "") -> str:
    """The DOT text of ``graph``, running "LR" (left to right) or "TB" (top to bottom).

    Arguments:
        look: the colours.
        root: its vertices in groups, each in a frame, or closed and a single box.
        note: a sentence to write below.
    """
    from graphviz import Digraph

    look = look or Look(THEMES["light"])
    root = root or Group("", "", "", list(graph.vertices))
    stands_for: dict[str, Vertex | Group] = {}
    _represent(root, stands_for)
    arrows = joined(graph.edges, stands_for)
    attributes = layout_attributes([(source.id, target.id) for source, target, _ in arrows], direction, look.theme)
    attributes["graph_attr"] |= _legend(graph, look, note)
    picture = Digraph(**attributes)
    _add_boxes(picture, root, direction, look, 0)
    for source, target, edges in arrows:
        picture.edge(source.id, target.id, label=in_dot(arrow_lines(edges)) or None)
    return picture.source


def _represent(group: Group, stands_for: dict[str, Vertex | Group]) -> None:
    """Notes what each vertex is drawn as: itself, or the closed group around it."""
    for member in group.members:
        if isinstance(member, Group) and not member.closed:
            _represent(member, stands_for)
        elif isinstance(member, Group):
            stands_for.update((vertex.id, member) for vertex in member.vertices())
        else:
            stands_for[member.id] = member


def layout_attributes(
    arrows: Sequence[tuple[str, str]], direction: str, theme: Theme = THEMES["light"]
) -> dict[str, Any]:
    """What goes into every ``Digraph``: fonts, distances, colours, and how long the search for places may take."""
    return {
        "graph_attr": {
            "rankdir": direction, "fontname": FONT, "fontsize": "10", "fontcolor": theme.faint,
            "bgcolor": theme.background, "nodesep": "0.3", "ranksep": "0.45", "labelloc": "b", "labeljust": "l",
            **_haste(arrows),
        },
        "node_attr": {
            "shape": "record", "style": "rounded,filled", "color": theme.operation[0], "fillcolor": theme.operation[1],
            "fontcolor": theme.operation[2], "fontname": FONT, "fontsize": "11", "margin": "0.12,0.05",
        },
        "edge_attr": {
            "color": theme.line, "fontname": FONT, "fontsize": "10", "fontcolor": theme.gradient, "arrowsize": "0.7",
        },
    }  # fmt: skip


def _add_boxes(picture: Any, group: Group, direction: str, look: Look, level: int) -> None:
    for member in group.members:
        if isinstance(member, Group) and not member.closed:
            frame = {
                "label": escaped_text(member.heading), "labelloc": "t", "labeljust": "l", "style": "rounded,filled",
                "fontcolor": look.theme.faint, "color": look.theme.group[0],
                "fillcolor": look.theme.frames[level % 2], "tooltip": escaped_text(member.heading),
            }  # fmt: skip
            with picture.subgraph(name=f"cluster_{member.id}", graph_attr=frame) as inner:
                _add_boxes(inner, member, direction, look, level + 1)
            continue
        label = record_label(box_lines(member))
        if direction == "TB" and (isinstance(member, Group) or member.kind != "number"):
            label = f"{{{label}}}"  # braces turn the fields of a record by a right angle
        picture.node(member.id, label, **look.attributes(member))


def joined(
    edges: Sequence[Edge], stands_for: Mapping[str, Vertex | Group]
) -> list[tuple[Vertex | Group, Vertex | Group, list[Edge]]]:
    """The arrows: from, to, and the edges that each stands for, of which there are several where a group is closed."""
    arrows: dict[Any, tuple[Vertex | Group, Vertex | Group, list[Edge]]] = {}
    for place, edge in enumerate(edges):
        source, target = stands_for.get(edge.source), stands_for.get(edge.target)
        if source is None or target is None or source is target:
            continue
        plain = isinstance(source, Vertex) and isinstance(target, Vertex)
        arrows.setdefault(place if plain else (source.id, target.id), (source, target, []))[2].append(edge)
    return list(arrows.values())


def numbers_inside(graph: Graph) -> Graph:
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
    return Graph(vertices, [edge for edge in graph.edges if edge.source not in numbers])


def _haste(arrows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Limits on the search for a good layout, for graphs whose edges pass over many ranks.

    A value used in each of a hundred steps has thousands of such passages, and the search takes a time that grows
    with their square.
    """
    depth: dict[str, int] = {}
    for source, target in arrows:
        depth[target] = max(depth.get(target, 0), depth.setdefault(source, 0) + 1)
    made = {target for _, target in arrows}
    for source, target in reversed(arrows):  # an input is placed beside its first use
        if source not in made:
            depth[source] = depth[target] - 1
    passed = sum(max(0, depth[target] - depth[source] - 1) for source, target in arrows)
    if passed <= _PASSAGES:
        return {}
    limits = {"nslimit": "0.05", "nslimit1": "0.05", "mclimit": "0.2"}
    return {**limits, "splines": "line"} if passed > 10 * _PASSAGES else limits


def _legend(graph: Graph, look: Look, note: str) -> dict[str, str]:
    parts = [*explanations(graph, look), *([note] if note else [])]
    return {"label": "".join(rf"{escaped_text(part)}\l" for part in parts)} if parts else {}


def explanations(graph: Graph, look: Look) -> list[str]:
    """What the colours and the numbers mean, a sentence each."""
    parts = [look.legend] if look.legend else []
    if not graph.has_gradients:
        return parts
    kinds = {vertex.kind for vertex in graph.vertices}
    blue, yellow = look.theme.words
    colours = [f"{blue}: gets a gradient", *["dashed: constant"] * bool(kinds & {"constant", "number"})]
    parts = parts or [" · ".join([*colours, f"{yellow}: result"])]
    if any(edge.local is not None for edge in graph.edges):
        parts.append("on an edge: upstream × local = downstream gradient")
    if any(edge.downstream is not None and edge.local is None for edge in graph.edges):
        parts.append("∇: downstream gradient, |∇| its Euclidean norm")
    return parts


def box_lines(box: Vertex | Group) -> list[str]:
    """What stands in a box: a heading, and a line for each thing that is known of it."""
    if isinstance(box, Group):
        return _group_lines(box)
    if box.kind == "number":
        assert box.value is not None
        return [text(box.value)]
    heading = box.kind if box.name is None else str(box.name)
    if box.operation is not None:
        heading = box.operation if box.name is None else f"{box.name} = {box.operation}"
    lines = [shortened(f"{name}={value}") for name, value in box.arguments.items()]
    if box.value is not None:
        plain = box.operation is not None and not box.value.shape
        if not plain:
            shape = str(box.value.shape) if box.value.shape else "scalar"
            lines.append(f"{shape} {box.value.dtype}")
        if box.overwritten:
            lines.append("value overwritten since")
        elif box.value.entries is not None:
            lines.append(f"value {text(box.value)}")
        elif box.value.statistics is not None:
            lines += _distribution(box.value.statistics)
    if box.gradient is not None:
        lines.append(_gradient(box))
    return [heading, *lines]


def _group_lines(group: Group) -> list[str]:
    vertices = list(group.vertices())
    operations = [v for v in vertices if v.kind == "operation"]
    variables = [v for v in vertices if v.kind == "variable"]
    entries = sum(math.prod(v.value.shape) for v in variables if v.value is not None)
    lines = [_count(len(operations), "operation")]
    if variables:
        lines.append(f"{_count(len(variables), 'variable')} of {entries:,} entries")
    if operations and operations[-1].value is not None and operations[-1].value.shape:
        lines.append(f"gives {operations[-1].value.shape}")
    gradients = [v.gradient.norm for v in variables if v.gradient is not None]
    if gradients:
        lines.append(f"|∇| {number(math.hypot(*gradients))}")
    used = [bytes_text(sum(v.memory for v in vertices if v.kind != "number"))]
    seconds = [v.seconds for v in operations if v.seconds is not None]
    used += [seconds_text(sum(seconds))] if seconds else []
    lines.append(" · ".join(used))
    return [group.heading + (f" ×{group.times}" if group.times > 1 else ""), *lines]


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _distribution(found: Statistics) -> list[str]:
    if found.low == found.high:
        lines = [f"all {number(found.low)}"]
    else:
        lines = [
            f"{number(found.low)} {sparkline(found.counts)} {number(found.high)}",
            f"mean {number(found.mean)} ± {number(found.deviation)}",
        ]
    broken = [f"{count:,} {name}" for count, name in ((found.nan, "NaN"), (found.infinite, "Inf")) if count]
    return [*lines, *([", ".join(broken)] if broken else [])]


def record_label(lines: Sequence[str]) -> str:
    """The lines of a box as a record's label: the first is the heading, the others are flushed left below it."""
    heading, *others = map(escaped, lines)
    return "|".join([heading, "".join(rf"{line}\l" for line in others)] if others else [heading])


def _gradient(vertex: Vertex) -> str:
    gradient = vertex.gradient
    assert gradient is not None
    if gradient.entries is None:
        found = gradient.statistics
        bars = "" if found is None or found.low == found.high else f" {sparkline(found.counts)}"
        return f"|∇| {number(gradient.norm)}{bars}"
    if gradient.entries.size == 1 and 1 < len(vertex.uses) <= 4:
        terms = [text(use) for use in vertex.uses]
        total = " + ".join([terms[0], *(in_parentheses(term) for term in terms[1:])])
        return f"grad {total} = {text(gradient)}"
    return f"grad {text(gradient)}"


def arrow_lines(edges: Sequence[Edge]) -> list[str]:
    """What stands at an arrow: ``upstream × local = downstream`` where that holds entry by entry, or shape and norm of
    the downstream gradient. An arrow for several values says how many."""
    if len(edges) != 1:
        return [f"{len(edges)} values"] if len({edge.source for edge in edges}) > 1 else []
    edge = edges[0]
    if edge.downstream is None:
        return []
    if edge.local is not None and edge.upstream is not None:
        return [f"{text(edge.upstream)} × {in_parentheses(text(edge.local))} = {text(edge.downstream)}"]
    if edge.downstream.entries is not None:
        return [f"∇ {text(edge.downstream)}"]
    return [f"∇ {edge.downstream.shape}", f"|∇| {number(edge.downstream.norm)}"]


def in_dot(lines: Sequence[str]) -> str:
    """Lines as an edge's label. The spaces around them keep them off the boxes."""
    breaks = r" \n "
    return f" {breaks.join(map(escaped_text, lines))} " if lines else ""
