"""The page that plays steps: the drawing on one side, what happens in the step on the other."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import location
from . import render
from .dot import _haste
from .player_template import TEMPLATE
from .steps import Step, shown
from .trace import Amount, Edge, Graph, Vertex
from .words import FONT, escaped_text, in_parentheses

# Longer texts would make boxes and arrows too wide to see the drawing's shape; the panel has them whole.
_WIDEST = 24


def page(graph: Graph, names: Mapping[str, str], steps: Sequence[Step], total: int, title: str) -> str:
    """The HTML page of ``steps``, which are part of ``total``."""
    used = {id for step in steps for id in (step.node, step.target, *(x.node for x in step.inputs)) if id is not None}
    vertices = [v for v in graph.vertices if v.id in used]
    edges = {i: edge for i, edge in enumerate(graph.edges) if edge.target in used and edge.source in used}
    places = {edge: place for place, edge in enumerate(edges)}
    drawn = render.svg(_source(vertices, edges, names, steps))
    left_out = ""
    if len(steps) < total:
        left_out = (
            f"This page plays {len(steps):,} of the {total:,} steps, those nearest to the result; "
            "`for step in step_through(...)` goes through all of them, and html(limit=...) takes more."
        )
    data = {
        "steps": [_entry(step, places, names) for step in steps],
        "note": left_out,
        "incoming": {v.id: [place for i, place in places.items() if edges[i].target == v.id] for v in vertices},
    }
    # Inside a script no character reference is read; without < nothing there can end it.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " ")
    parts = {"title": html.escape(title), "drawing": drawn, "data": text}
    return re.sub(r"\{\{(title|drawing|data)\}\}", lambda found: parts[found[1]], TEMPLATE)


def _source(
    vertices: Sequence[Vertex], edges: Mapping[int, Edge], names: Mapping[str, str], steps: Sequence[Step]
) -> str:
    """DOT text whose parts carry classes, so that the page colours them; values show, gradients appear step by step."""
    from graphviz import Digraph

    text = Digraph(
        graph_attr={
            "rankdir": "LR",
            "fontname": FONT,
            "bgcolor": "transparent",
            "nodesep": "0.35",
            "ranksep": "0.5",
            **_haste([(edge.source, edge.target) for edge in edges.values()]),
        },
        node_attr={"shape": "box", "style": "rounded", "fontname": FONT, "fontsize": "12", "margin": "0.14,0.06"},
        edge_attr={"fontname": FONT, "fontsize": "11", "arrowsize": "0.7"},
    )
    final = {step.target: step for step in steps if step.target is not None}
    for v in vertices:
        name = names[v.id]
        lines = [_heading(name, v.operation)]
        if v.kind != "number" and v.value is not None:
            lines.append(_brief(v.value))
        if v.id in final:
            lines.append(f"∂ {_brief(final[v.id].total)}")
        kind = "output" if v.output else v.kind
        text.node(v.id, "\\n".join(escaped_text(_short(line)) for line in lines), **{"class": kind})
    products = {step.edge: step for step in steps if step.edge is not None}
    for place, (i, edge) in enumerate(edges.items()):
        label = f" {escaped_text(_product(products[i]))} " if i in products else None
        # By the id the page finds it again: a renderer writes edges in an order of its own.
        text.edge(edge.source, edge.target, label=label, id=f"passage{place}")
    return text.source


def _heading(name: str, operation: str | None) -> str:
    return name if operation in (None, name.rstrip("₀₁₂₃₄₅₆₇₈₉")) else f"{name} = {operation}"


def _product(step: Step) -> str:
    if len(step.product) <= _WIDEST and step.local is not None:
        return step.product
    return f"∂ {_short(_brief(step.downstream))}"


def _brief(value: Amount | None) -> str:
    text = shown(value)
    return text if value is None or (value.entries is not None and len(text) <= _WIDEST) else str(value.shape)


def _short(text: str) -> str:
    return text if len(text) <= 2 * _WIDEST else text[: 2 * _WIDEST - 1] + "…"


def _entry(step: Step, places: Mapping[int, int], names: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows of a step, as texts."""
    backward = step.phase == "backward"
    left = step.formula.split(" = ", 1)[0]
    # ∂f/∂y: the letter before the slash is the result's.
    result = left.split("/∂", 1)[0]
    entry: dict[str, Any] = {
        "number": step.number, "phase": step.phase, "node": step.node, "name": step.name,
        "heading": _heading(step.name, step.operation),
        "formula": step.formula, "rule": step.rule, "note": step.note,
        "inputs": [[x.argument, x.name, _table(x.value), x.node] for x in step.inputs], "value": _table(step.value),
        "where": location(step.where) if step.where else "",
        "module": ".".join(name for name, _ in step.module),
    }  # fmt: skip
    if backward:
        entry |= {
            "target": step.target, "edge": places.get(-1 if step.edge is None else step.edge), "left": left,
            "upstream": _factor(f"{result}/∂{step.name}", step.upstream),
            "local": _factor(f"∂{step.name}/∂{step.target_name}", step.local),
            "downstream": _factor(left, step.downstream),
            "sum": f"{left} = {_sum(step)}" if step.uses > 1 else "",
            "use": f"This is use {step.use} of {step.uses} of {step.target_name}:" if step.uses > 1 else "",
            "argument": step.argument,
        }  # fmt: skip
    return entry


def _sum(step: Step) -> str:
    if step.before is None or step.downstream is None:
        return shown(step.total)
    return f"{shown(step.before)} + {in_parentheses(shown(step.downstream))} = {shown(step.total)}"


def _factor(name: str, value: Amount | None) -> list[Any] | None:
    return None if value is None else [name, _table(value)]


def _table(value: Amount | None) -> Any:
    """Rows of entries for a matrix, one text for anything else."""
    if value is not None and value.entries is not None and value.entries.ndim == 2 and value.entries.size:
        return [[shown(_scalar(value, entry)) for entry in row] for row in value.entries]
    return shown(value)


def _scalar(value: Amount, entry: Any) -> Amount:
    import numpy as np

    return Amount((), value.dtype, 0.0, np.asarray(entry))
