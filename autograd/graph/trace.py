"""The recorded graph as plain records: what was computed from what, with which values and gradients.

The records hold small copies and no Tensors, so a picture keeps no graph alive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..backward import _upstream, history, run, unbroadcast
from ..errors import GraphError
from ..inplace import earlier
from ..node import Node
from ..primitive import pick
from ..sparse_rows import SparseRows
from .distribution import Statistics, statistics

# Arrays of at most this many entries are shown whole.
SMALL = 4


@dataclass(slots=True)
class Amount:
    """An array as a picture shows it: shape, dtype, norm, and the entries if there are few, else their distribution."""

    shape: tuple[int, ...]
    dtype: str
    norm: float
    entries: np.ndarray | None
    statistics: Statistics | None = None


@dataclass(slots=True)
class Vertex:
    """A box of the picture.

    ``kind`` is "variable" (a leaf that gets a gradient), "constant" or "operation". ``uses`` are the gradients
    that came back from each use, in the order of the backward pass; ``gradient`` is their sum. ``memory`` are the bytes
    of the value and of what the operation keeps for its rule; of a view, 0.

    What ``record`` noted: ``where`` is file and line, ``module`` (name, class name) of each module around it from the
    outermost, ``call`` a number for each of these calls, ``seconds`` how long the operation took.
    """

    id: str
    kind: str
    operation: str | None = None
    name: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    value: Amount | None = None
    overwritten: bool = False
    gradient: Amount | None = None
    uses: list[Amount] = field(default_factory=list)
    output: bool = False
    memory: int = 0
    where: tuple[str, int] | None = None
    module: tuple[tuple[str, str], ...] = ()
    call: tuple[int, ...] = ()
    seconds: float | None = None


@dataclass(slots=True)
class Edge:
    """An arrow from an input to the operation that used it, and what the backward pass sent the other way.

    ``local`` is there where downstream = upstream × local holds entry by entry.
    """

    source: str
    target: str
    argument: str
    upstream: Amount | None = None
    local: Amount | None = None
    downstream: Amount | None = None


@dataclass(slots=True)
class Graph:
    """Vertices in the order of creation, and edges in the order of their targets."""

    vertices: list[Vertex]
    edges: list[Edge]

    @property
    def has_gradients(self) -> bool:
        """Whether a backward pass was made for the picture."""
        return any(edge.downstream is not None for edge in self.edges)


def trace(
    roots: Sequence[Node],
    *,
    names: Mapping[Node, str],
    gradients: Sequence[Any] | None,
    constants: bool,
    caller: str = "draw",
    tracer: type[_Tracer] | None = None,
) -> Graph:
    """The graph behind ``roots``, oldest node first.

    Arguments:
        roots: the results to draw.
        names: what Tensors are called.
        gradients: the upstream gradient of each root for a backward pass of the picture's own, or None for none.
        constants: whether to have vertices for inputs that get no gradient.
        caller: the public function that asks, for its errors.
        tracer: a ``_Tracer`` that notes more than the usual.

    Raises:
        GraphError: the graph was freed.
    """
    try:
        order = history(roots)
        inputs = {node: [_then(x, node) for x in node._inputs or ()] for node in order}
    except GraphError as error:
        raise GraphError(
            f"{caller}: the graph behind this Tensor was freed by backward(); {caller.replace('_', ' ')} it before "
            "backward(), or call backward(retain_graph=True)"
        ) from error
    return (tracer or _Tracer)(order, inputs, roots, names, constants).graph(gradients)


def amount(array: Any, distribution: bool = False, small: int = SMALL) -> Amount | None:
    """What to show of ``array``; None for arrays without values, as inside a compiled function."""
    if not isinstance(array, (np.ndarray, np.generic, SparseRows)):
        return None
    array = np.asarray(array)
    numbers = array.astype(np.float64) if array.dtype.kind == "f" else array
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(np.sum(np.square(numbers, dtype=np.float64))))
    few = array.size <= small
    return Amount(
        tuple(array.shape),
        str(array.dtype),
        norm,
        array.copy() if few else None,
        statistics(array) if distribution and not few else None,
    )


def _arguments(static: Mapping[str, Any]) -> dict[str, str]:
    """The static arguments of an op in words: those that were set, and that a reader would have written."""
    given = {n: v for n, v in static.items() if v is not None and v is not False and not n.startswith("_")}
    # An array of floats is something that the op keeps for its rule; arrays of integers and masks are indices.
    return {name: _in_words(v) for name, v in given.items() if not isinstance(v, np.ndarray) or v.dtype.kind != "f"}


def _in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_in_words, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, slice):
        ends = ["" if end is None else str(end) for end in (value.start, value.stop)]
        return ":".join([*ends, str(value.step)] if value.step is not None else ends)
    if isinstance(value, np.ndarray) and value.size > SMALL:
        return f"{value.dtype} of shape {value.shape}"
    return repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)


def _bytes(x: Node) -> int:
    own = [] if x._primitive is not None and x._primitive.view else [x._array]
    arrays = [a for a in (*own, *(x._static or {}).values()) if isinstance(a, (np.ndarray, np.generic))]
    return sum(a.nbytes for a in arrays)


def _then(x: Any, node: Node) -> Any:
    """``x`` as it was when ``node`` used it."""
    return earlier(x, node) if isinstance(x, Node) and x._tick > node._tick else x


class _Tracer:
    """Walks the recorded graph once and fills in the records."""

    small = SMALL  # arrays of so many entries are kept whole,
    small_local: float = SMALL  # and so large ones get the local gradients of elementwise operations

    def __init__(
        self,
        order: list[Node],
        inputs: dict[Node, list[Any]],
        roots: Sequence[Node],
        names: Mapping[Node, str],
        constants: bool,
    ) -> None:
        self.order, self.inputs, self.roots, self.names, self.constants = order, inputs, roots, names, constants
        self.vertices: dict[Node, Vertex] = {}
        self.all: list[Vertex] = []
        self.edges: dict[tuple[Node, int], Edge] = {}
        # The outputs in use of each primitive that has several. With only one in use they are drawn as one vertex.
        self.outputs: dict[Node, list[Node]] = {}
        for node in order:
            if node._primitive is pick:
                self.outputs.setdefault(inputs[node][0], []).append(node)

    def graph(self, gradients: Sequence[Any] | None) -> Graph:
        for node in self.order:
            if len(self.outputs.get(node, ())) != 1:
                self._operation(node)
        for root in self.roots:
            self._vertex(root, None).output = True
        if gradients is not None:
            self._backward(gradients)
        return Graph(self.all, list(self.edges.values()))

    def _add(self, **facts: Any) -> Vertex:
        vertex = Vertex(f"n{len(self.all)}", **facts)
        self.all.append(vertex)
        return vertex

    def _operation(self, node: Node) -> None:
        source = node
        if node._primitive is pick and len(self.outputs[self.inputs[node][0]]) == 1:
            source = self.inputs[node][0]
        primitive = source._primitive
        assert primitive is not None
        given = self.inputs[source]
        sources = [self._input(x, source) for x in given]
        vertex = self.vertices[node] = self._add(
            kind="operation", operation=primitive.name, arguments=_arguments(source._static or {})
        )
        self._describe(vertex, node, node._tick + 1)  # one later: an op in place writes at its own tick
        for index, vertex_in in enumerate(sources):
            if vertex_in is not None:
                argument = primitive.inputs[0] if primitive.variadic else primitive.inputs[index]
                self.edges[source, index] = Edge(vertex_in.id, vertex.id, argument)

    def _input(self, x: Any, user: Node) -> Vertex | None:
        if isinstance(x, Node):
            return self._vertex(x, user) if x._requires_grad or self.constants else None
        if x is None or not self.constants:
            return None
        return self._add(kind="number", value=amount(np.asarray(x), small=self.small))

    def _vertex(self, x: Node, user: Node | None) -> Vertex:
        vertex = self.vertices.get(x)
        if vertex is None:
            vertex = self.vertices[x] = self._add(kind="variable" if x._requires_grad else "constant")
            self._describe(vertex, x, None if user is None else user._tick)
        return vertex

    def _describe(self, vertex: Vertex, x: Node, since: int | None) -> None:
        vertex.name = self.names.get(x)
        if type(x._array) is not tuple:
            vertex.value = amount(x._array, True, self.small)
        vertex.overwritten = since is not None and x._memory is not None and x._memory.changed >= since
        vertex.memory = _bytes(x)
        if x._extra is not None:
            vertex.where, vertex.seconds = x._extra.get("where"), x._extra.get("seconds")
            vertex.module, vertex.call = x._extra.get("module", ()), x._extra.get("call", ())

    def _backward(self, gradients: Sequence[Any]) -> None:
        """Fills in the gradients by a pass that leaves graph and ``.grad`` alone."""
        # retain_grad() asks for .grad after the user's own passes, not after this one.
        retaining = [n for n in self.order if n._extra is not None and n._extra.pop("retain_grad", False)]
        with np.errstate(all="ignore"):
            try:
                leaves = run(self.roots, gradients, retain_graph=True, observe=self._observe)
            finally:
                for node in retaining:
                    assert node._extra is not None
                    node._extra["retain_grad"] = True
        for leaf, g in leaves.items():
            self._arrived(leaf, g)
        by_id = {vertex.id: vertex for vertex in self.all}
        for edge in self.edges.values():
            if edge.downstream is not None:
                by_id[edge.source].uses.append(edge.downstream)
        for root, g in zip(self.roots, gradients, strict=True):
            self._arrived(root, g)
        for vertex in self.all:
            if vertex.gradient is None and len(vertex.uses) == 1:  # the walk ends here, at an op without slope
                vertex.gradient = vertex.uses[0]

    def _arrived(self, x: Node, g: Any) -> None:
        if x in self.vertices and self.vertices[x].gradient is None:
            self.vertices[x].gradient = amount(g, True, self.small)

    def _observe(self, node: Node, index: int, upstream: Any, downstream: Any) -> None:
        # Shown at once: the walk adds further gradients into these very arrays.
        if isinstance(upstream, list):
            upstream = self._unpacked(node, upstream)
        else:
            self._arrived(node, upstream)
        edge = self.edges[node, index]
        edge.downstream = amount(downstream, small=self.small)
        if upstream is not None:
            edge.upstream = amount(upstream, small=self.small)
            local = self._local(node, index, upstream)
            edge.local = None if local is None else amount(local, small=self.small)

    def _unpacked(self, parent: Node, slots: list[Any]) -> Any:
        """Puts the gradients of a primitive's outputs where they belong, and returns that of the only one in use."""
        outputs = self.outputs[parent]
        for node in outputs:
            assert node._static is not None
            g = slots[node._static["index"]]
            if g is not None:
                self._arrived(node, g)
                if len(outputs) > 1:
                    self.edges[node, 0].downstream = amount(g, small=self.small)
        return slots[outputs[0]._static["index"]] if len(outputs) == 1 and outputs[0]._static else None

    def _local(self, node: Node, index: int, upstream: Any) -> Any:
        """The rule at upstream gradient 1, where downstream is upstream × that, entry by entry."""
        primitive, x = node._primitive, self.inputs[node][index]
        assert primitive is not None
        shape = np.shape(node._array) if type(node._array) is not tuple else None
        if shape != x._array.shape or x._array.size > (self.small_local if primitive.elementwise else 1):
            return None
        rule = primitive.rule(index)
        assert rule is not None
        arrays = [v._array if isinstance(v, Node) else v for v in node._inputs or ()]
        one = np.ones(shape, upstream.dtype) if shape else upstream.dtype.type(1)
        local = rule(numpy_namespace, one, node._array, *arrays, **(node._static or {}))
        return local if np.shape(local) == shape else unbroadcast(numpy_namespace, local, shape)


def starting_gradients(roots: Sequence[Any], given: Sequence[Any] | None, caller: str = "draw") -> list[Any] | None:
    """The arrays that a backward pass starts from; None where the roots leave open what it would be of."""
    if given is None:
        given = [None] * len(roots)
        arrays = [root._array for root in roots]
        if not all(isinstance(a, (np.ndarray, np.generic)) and a.size == 1 for a in arrays):
            return None
        if not all(root._requires_grad for root in roots):
            return None
    if len(given) != len(roots):
        raise ValueError(f"{caller}: got {len(roots)} Tensors and {len(given)} gradients; give one for each")
    return [_upstream(caller, root, g, False) for root, g in zip(roots, given, strict=True)]
