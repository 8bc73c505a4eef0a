"""The inside of every group laid out by itself, so that a page can open and close groups without a layout engine.

The page makes room for an opened group by moving apart what is beside, above and below it.
"""

from __future__ import annotations

import json
from typing import Any

from . import render
from .clusters import Group
from .dot import arrow_lines, box_lines, explanations, in_dot, layout_attributes, record_label
from .look import NUMBER, Look, hint
from .themes import THEMES
from .trace import Edge, Graph, Vertex

__all__ = ["levels"]

# What comes into a group from outside, or leaves it, stands at its border under its name.
_PORT = {"shape": "plaintext", "margin": "0.04,0.02", "fontsize": "10"}
# No box of a page is asked for more of a name than this.
_PORT_WIDTH = 24

Box = Vertex | Group


class _Level:
    """What one group shows of the graph when it is open."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.arrows: dict[Any, tuple[str, str, list[Edge]]] = {}
        self.ports: dict[str, tuple[str, str]] = {}  # side and text, by id

    def connect(self, source: Box | str, target: Box | str, edge: Edge | None) -> None:
        """Adds an arrow; those from and to ports say nothing, for the one outside says it already."""
        ends = _id(source), _id(target)
        plain = isinstance(source, Vertex) and isinstance(target, Vertex)
        key: Any = id(edge) if plain else ends
        edges = self.arrows.setdefault(key, (*ends, []))[2]
        if edge is not None:
            edges.append(edge)

    def port(self, side: str, of: str, text: str) -> str:
        name = f"{side}_{of}"
        text = text if len(text) <= _PORT_WIDTH else text[: _PORT_WIDTH - 1] + "…"
        self.ports.setdefault(name, (side, text))
        return name


def levels(graph: Graph, root: Group, look: Look, direction: str, note: str) -> dict[str, Any]:
    """All that the page needs to know, made of lists, numbers and strings."""
    found = {group.id: _Level(group) for group in (root, *root.groups())}
    above = _chains(root, (root,))
    named = {v.id: v for v in graph.vertices}
    for edge in graph.edges:
        if edge.source not in above or edge.target not in above:
            continue
        source, target = named[edge.source], named[edge.target]
        left: tuple[Box, ...] = (*above[source.id], source)
        right: tuple[Box, ...] = (*above[target.id], target)
        k = 1
        while left[k] is right[k]:
            k += 1
        found[left[k - 1].id].connect(left[k], right[k], edge)
        for level, inner in zip(left[k:-1], left[k + 1 :], strict=True):
            port = found[level.id].port("out", inner.id, f"→ {_name(right[k])}")
            found[level.id].connect(inner, port, None)
        for level, inner in zip(right[k:-1], right[k + 1 :], strict=True):
            port = found[level.id].port("in", source.id, _name(source))
            found[level.id].connect(port, inner, None)
    texts = {id: {b.id: box_lines(b) for b in level.group.members} for id, level in found.items()}
    sources = [_source(level, texts[id], direction) for id, level in found.items()]
    layouts = [json.loads(layout) for layout in render.laid_out_all(sources, "json0")]
    return {
        "levels": {
            id: _placed(level, texts[id], layout, look)
            for (id, level), layout in zip(found.items(), layouts, strict=True)
        },
        "open": [group.id for group in root.groups() if not group.closed],
        "notes": [*explanations(graph, look), *([note] if note else [])],
        "look": look.theme is THEMES["dark"],
        "themes": [_colors(THEMES["light"] if look.theme is THEMES["dark"] else look.theme), _colors(THEMES["dark"])],
    }


def _chains(group: Group, chain: tuple[Group, ...]) -> dict[str, tuple[Group, ...]]:
    """For each vertex the groups around it, outermost first."""
    found: dict[str, tuple[Group, ...]] = {}
    for member in group.members:
        if isinstance(member, Group):
            found |= _chains(member, (*chain, member))
        else:
            found[member.id] = chain
    return found


def _id(end: Box | str) -> str:
    return end if isinstance(end, str) else end.id


def _name(box: Box) -> str:
    return box_lines(box)[0]


def _colors(theme: Any) -> dict[str, Any]:
    kinds = ("operation", "variable", "constant", "output", "group")
    return {
        "background": theme.background, "ink": theme.ink, "faint": theme.faint, "line": theme.line,
        "gradient": theme.gradient, "frames": theme.frames, "kinds": {kind: theme.box(kind) for kind in kinds},
    }  # fmt: skip


def _source(level: _Level, texts: dict[str, list[str]], direction: str) -> str:
    """The DOT text of a level."""
    from graphviz import Digraph

    arrows = [(source, target) for source, target, _ in level.arrows.values()]
    picture = Digraph(**layout_attributes(arrows, direction))
    for box in level.group.members:
        heading, *others = texts[box.id]
        # Room for the sign at which a group is opened.
        label = record_label(["⊞ " + heading if isinstance(box, Group) else heading, *others])
        number = isinstance(box, Vertex) and box.kind == "number"
        turned = direction == "TB" and not number
        picture.node(box.id, f"{{{label}}}" if turned else label, **(NUMBER if number else {}))
    for side, rank in (("in", "source"), ("out", "sink")):
        with picture.subgraph(graph_attr={"rank": rank}) as border:
            for id, (where, name) in level.ports.items():
                if where == side:
                    border.node(id, in_dot([name]), **_PORT)
    for source, target, edges in level.arrows.values():
        picture.edge(source, target, label=in_dot(arrow_lines(edges)) or None)
    return picture.source


def _placed(level: _Level, texts: dict[str, list[str]], drawn: dict[str, Any], look: Look) -> dict[str, Any]:
    """Sizes and places of a level's boxes and arrows, in points from the upper left."""
    _, _, width, height = map(float, drawn["bb"].split(","))
    boxes = {member.id: member for member in level.group.members}
    placed: dict[int, str] = {}
    nodes: list[dict[str, Any]] = []
    for node in drawn.get("objects", ()):
        if "pos" not in node:
            continue
        id = placed[node["_gvid"]] = node["name"]
        x, y = map(float, node["pos"].split(","))
        entry: dict[str, Any] = {
            "id": id, "x": round(x, 1), "y": round(height - y, 1),
            "w": round(float(node["width"]) * 72, 1), "h": round(float(node["height"]) * 72, 1),
        }  # fmt: skip
        port = level.ports.get(id)
        entry |= _facts(boxes[id], texts[id], look) if port is None else {"kind": "port", "lines": [port[1]]}
        nodes.append(entry)
    arrows = []
    for drawn_edge, (_, _, edges) in zip(drawn.get("edges", ()), level.arrows.values(), strict=True):
        end, *points = drawn_edge["pos"].split(" ")
        numbers = [float(n) for point in (*points, end.removeprefix("e,")) for n in point.split(",")]
        arrow: dict[str, Any] = {
            "from": placed[drawn_edge["tail"]], "to": placed[drawn_edge["head"]],
            "d": [round(height - n if i % 2 else n, 1) for i, n in enumerate(numbers)],
        }  # fmt: skip
        if "lp" in drawn_edge:
            x, y = map(float, drawn_edge["lp"].split(","))
            arrow |= {"x": round(x, 1), "y": round(height - y, 1), "lines": arrow_lines(edges)}
        arrows.append(arrow)
    return {"w": width, "h": height, "nodes": nodes, "edges": arrows, "title": level.group.heading}


def _facts(box: Box, lines: list[str], look: Look) -> dict[str, Any]:
    kind = "group" if isinstance(box, Group) else "output" if box.output else box.kind
    facts: dict[str, Any] = {"kind": kind, "lines": lines}
    if isinstance(box, Group) and box.times > 1:
        facts["times"] = box.times
    if hint(box):
        facts["hint"] = hint(box)
    if look.color is not None and kind != "number":
        facts["fill"], facts["ink"] = look.colors(box)[1:]
    return facts
