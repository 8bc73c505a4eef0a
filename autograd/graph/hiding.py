"""Leaving parts of a graph out of the picture."""

from __future__ import annotations

from .trace import Edge, Graph

__all__ = ["without"]


def without(graph: Graph, *, parameters: bool, intermediates: bool) -> Graph:
    """The graph with or without the leaves that get a gradient, and the operations that have no name.

    What an operation that is left out was computed from is drawn as the input of those that use it, without gradients.
    """
    if parameters and intermediates:
        return graph
    hidden = {
        v.id for v in graph.vertices
        if not v.output and ((v.kind == "variable" and not parameters)
                             or (v.kind == "operation" and v.name is None and not intermediates))
    }  # fmt: skip
    operations = {v.id for v in graph.vertices if v.kind == "operation"}
    behind: dict[str, dict[str, None]] = {id: {} for id in hidden & operations}
    edges: list[Edge] = []
    drawn: set[tuple[str, str]] = set()
    for edge in graph.edges:  # in the order of their targets, so what is behind a source is known
        sources = [edge.source] if edge.source not in hidden else list(behind.get(edge.source, ()))
        if edge.target in behind:
            behind[edge.target].update(dict.fromkeys(sources))
        elif sources == [edge.source]:
            edges.append(edge)
        else:
            new = [source for source in sources if (source, edge.target) not in drawn]
            edges += [Edge(source, edge.target, edge.argument) for source in new]
            drawn.update((source, edge.target) for source in new)
    used = {id for edge in edges for id in (edge.source, edge.target)}
    # A number that only operations without a name used would stand alone.
    vertices = [v for v in graph.vertices if v.id not in hidden and (v.output or v.kind == "operation" or v.id in used)]
    return Graph(vertices, edges)
