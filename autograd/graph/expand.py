"""``expand``: the scalar graph inside a graph of Tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import modes
from ..backward import history, run
from ..errors import DTypeError, GraphError, describe, location
from ..function import Joint
from ..node import Node, next_tick
from ..ops.indexing import getitem
from ..ops.shape import reshape_to, stack_along
from ..primitive import Primitive, pick, registry, wrap
from . import scalars
from .causes import unretained
from .drawing import Drawing
from .names import named, scope
from .network import network
from .scalars import EXPANSIONS, Grid, again, constant, gathered, values
from .themes import THEMES
from .trace import _then, _Tracer, starting_gradients

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Expansion", "Scalar", "expand"]


@dataclass(slots=True)
class Scalar:
    """One entry of a Tensor in the scalar graph.

    ``gradient`` is None where the entry gets none. ``tensor`` is the node of the scalar graph, a 0-d Tensor.
    """

    name: str
    index: tuple[int, ...]
    value: float
    gradient: float | None
    tensor: Tensor

    def __str__(self) -> str:
        return self.name + (f"[{', '.join(map(str, self.index))}]" if self.index else "")


class Expansion(Drawing):
    """A scalar graph, made by ``expand``: a picture that shows and saves itself as any ``Drawing``, and its parts.

    Attributes:
        scalars: from (name of a Tensor, index) to the ``Scalar``, for every entry that is a node of its own.
            Reshaping, indexing and the like only move entries about: the entries of their results are those of
            their inputs, and have no place of their own here.
        whole: names of the operations that stayed whole, as they have no expansion, with the reason.
        results: the entries of what was expanded, 0-d Tensors with the whole scalar graph behind them: they can be
            differentiated, drawn, and stepped through like any others.
        names: what each scalar Tensor is called, for ``draw`` and ``step_through``.
        graph, source: the records of the picture, and its DOT text.

    Unlike other drawings it keeps its Tensors alive.
    """

    scalars: dict[tuple[str, tuple[int, ...]], Scalar]
    whole: dict[str, str]
    results: list[Tensor]
    names: dict[str, Tensor]

    def __init__(self, opened: _Opening, starts: list[Any] | None, weights: str, direction: str, theme: str) -> None:
        order = history(opened.roots)
        given = {node: [_then(x, node) for x in node._inputs or ()] for node in order}
        tracer = _Tracer(order, given, opened.roots, opened.labels, constants=True)
        gradients: dict[Node, Any] = {}
        graph = tracer.graph(starts)
        if starts is not None:
            with np.errstate(all="ignore"):
                gradients = _gradients(opened.roots, starts)
        self.scalars = {}
        self.names = {}
        for name, grid in opened.grids.items():
            reached = any(t in gradients for t in grid.entries.reshape(-1))
            for index in np.ndindex(*grid.shape):
                t = grid.entries[index]
                g = gradients.get(t, 0.0 if reached and t._requires_grad else None)
                record = Scalar(name, index, float(t._array), None if g is None else float(g), t)
                self.scalars[name, index] = record
                self.names[str(record)] = t
        self.whole = opened.whole
        self.results = list(opened.roots)
        groups = {tracer.vertices[t].id: group for t, group in opened.groups.items() if t in tracer.vertices}
        inputs = {tracer.vertices[t].id for t in opened.inputs if t in tracer.vertices}
        hidden = {tracer.vertices[t].id for t in opened.routing if t in tracer.vertices}
        self.graph, self.source = network(graph, groups, inputs, hidden, opened.whole, weights, direction, theme)
        self._svg, self.note = None, ""

    def __repr__(self) -> str:
        return f"<Expansion: {len(self.scalars)} scalars, {len(self.graph.vertices)} nodes>"


def _gradients(roots: Sequence[Any], starts: Sequence[Any]) -> dict[Node, Any]:
    """The gradient of every scalar behind ``roots``."""
    found: dict[Node, Any] = {}

    def observe(node: Node, index: int, upstream: Any, downstream: Any) -> None:
        if not isinstance(upstream, list):
            found[node] = upstream

    found.update(run(roots, starts, retain_graph=True, observe=observe))
    for root, g in zip(roots, starts, strict=True):
        if root._requires_grad:
            found.setdefault(root, g)
    return found


def _kind(x: Node) -> str:
    """What to call an input without a name."""
    if x._primitive is not None:
        return x._primitive.name
    return "variable" if x._requires_grad else "constant"


class _TooMany(Exception): ...


class _Opening:
    """Opens one operation after the other, oldest first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.made = 0
        self.grids: dict[str, Grid] = {}  # by the name of a Tensor
        self.labels: dict[Node, str] = {}  # what an entry is called, by its scalar
        self.groups: dict[Node, str] = {}  # the operation that a scalar was made by
        self.inputs: list[Node] = []
        self.routing: list[Node] = []  # nodes that only bring scalars together
        self.whole: dict[str, str] = {}
        self.roots: list[Any] = []
        self._of: dict[Node, Any] = {}  # a Grid, a tuple of them, or an array of something else than floats
        self._new: list[Any] = []

    def open(self, order: list[Node], inputs: dict[Node, list[Any]], roots: Sequence[Node], names: Any) -> None:
        """Fills in everything; ``order`` are the recorded nodes, ``inputs`` what each was computed from."""
        taken: dict[str, int] = {}

        def name_of(x: Node, otherwise: str) -> str:
            name = names.get(x, otherwise)
            taken[name] = taken.get(name, 0) + 1
            return name if taken[name] == 1 else f"{name}_{taken[name]}"

        for node in order:
            for x in inputs[node]:
                if isinstance(x, Node) and x not in self._of:
                    if _overwritten(x, node):
                        raise _refused(x, node)
                    self._leaf(x, name_of(x, _kind(x)))
            assert node._primitive is not None
            if node._primitive is pick:
                assert node._static is not None
                self._of[node] = self._of[inputs[node][0]][node._static["index"]]
                made = self._new = []
            else:
                made = self._operation(node, inputs[node])
            name = name_of(node, node._primitive.name)
            for t in made:
                self.groups[t] = name
            if isinstance(self._of[node], Grid):
                self._entries(name, self._of[node], set(made))
        for root in roots:
            if root not in self._of:
                self._leaf(root, name_of(root, _kind(root)))
            self.roots += list(self._of[root].entries.reshape(-1))

    def _count(self, n: int, what: Node) -> None:
        self.made += n
        if self.made > self.limit:
            shapes = f"of shape {tuple(what._array.shape)}" if hasattr(what._array, "shape") else ""
            op = "a Tensor" if what._primitive is None else what._primitive.name
            raise GraphError(
                f"expand: more than {self.limit} scalars, reached at {op} {shapes}; give a smaller input (x[:1]), "
                "expand a later node, open fewer operations (depth=1), or raise the limit: expand(t, limit=...)"
            )

    def _leaf(self, x: Node, name: str) -> None:
        array = x._array
        if array.dtype.kind != "f":
            self._of[x] = array
            return
        self._count(array.size, x)
        grid = self._of[x] = constant(array)
        for t in grid.entries.reshape(-1):
            t._requires_grad = x._requires_grad
        self._entries(name, grid, set(grid.entries.reshape(-1)))
        if not x._requires_grad:
            self.inputs += list(grid.entries.reshape(-1))

    def _entries(self, name: str, grid: Grid, new: set[Any]) -> None:
        """Gives the entries their names, unless they are those of an input, only moved."""
        if any(t not in new or t in self.labels for t in grid.entries.reshape(-1)):
            return
        self.grids[name] = grid
        for index in np.ndindex(*grid.shape):
            self.labels[grid.entries[index]] = name + (f"[{', '.join(map(str, index))}]" if index else "")

    def _watch(self, op: Primitive, inputs: Any, static: Any, out: Any) -> None:
        self._new.append(out)
        if self.made + len(self._new) > self.limit:
            raise _TooMany

    def _operation(self, node: Node, inputs: list[Any]) -> list[Any]:
        self._new = []
        reason = "its gradient is computed as a whole" if isinstance(node._primitive, Joint) else ""
        opened = None
        stale = [x for x in [*inputs, node] if isinstance(x, Node) and _overwritten(x, node)]
        if not reason:
            try:
                with modes.watching(self._watch):
                    opened = self._opened(node, inputs)
            except _TooMany:
                self._count(len(self._new), node)
            except Exception as error:  # whatever stands in the way, the operation can stay whole
                reason = f"its forward function is not made of elementary operations ({error})"
            else:
                reason = "" if stale else self._difference(node, inputs, opened)
        if reason and stale:
            raise _refused(stale[0], node)
        if reason:
            assert node._primitive is not None
            self.whole[node._primitive.name] = reason
            self._new = []
            opened = self._kept_whole(node, inputs)
        self._of[node] = opened
        made = [t for out in self._new for t in (out if type(out) is tuple else (out,))]
        where = (node._extra or {}).get("where")
        for t in made:
            if where is not None:
                t._extra = {**(t._extra or {}), "where": where}
        self._count(len(made), node)
        return made

    def _opened(self, node: Node, inputs: list[Any]) -> Any:
        """The result as a grid of scalars, from those of the inputs."""
        primitive = node._primitive
        assert primitive is not None
        static = again(node)
        given = [self._of[x] if isinstance(x, Node) else x for x in inputs]
        if primitive.elementwise:
            cells = [constant(x) if isinstance(x, (np.ndarray, np.generic)) else x for x in given]
            if not any(isinstance(x, Grid) for x in cells):
                raise TypeError("only numbers")
            arrays = [x.entries for x in cells if isinstance(x, Grid)]
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
            spread = [np.broadcast_to(x.entries, shape) if isinstance(x, Grid) else x for x in cells]
            outs = [
                primitive(*[x[index] if isinstance(x, np.ndarray) else x for x in spread], **static)
                for index in np.ndindex(*shape)
            ]
            return gathered(outs, shape)
        function = primitive.forward
        if registry.get(function.__name__) is primitive:
            function = EXPANSIONS.get(function.__name__, function)
        out = function(scalars, *given, **static)
        if primitive.saves and function is primitive.forward:
            out = out[0]
        if type(node._array) is tuple:
            return tuple(_uniform(part) for part in out)
        return _uniform(out)

    def _difference(self, node: Node, inputs: list[Any], opened: Any) -> str:
        """What tells the opened operation from the recorded one; "" where values and gradients agree."""
        several = type(node._array) is tuple
        parts, arrays = (opened, node._array) if several else ((opened,), (node._array,))
        # A sum may cancel: its rounding errors are in proportion to its terms.
        floats = [x._array for x in inputs if isinstance(x, Node) and x._array.dtype.kind == "f"]
        largest = max((float(np.abs(a).max(initial=0.0)) for a in floats), default=0.0)
        for part, array in zip(parts, arrays, strict=True):
            same = part.shape == tuple(array.shape)
            if not same or not _close(values(part), np.asarray(array), array.dtype, largest):
                return "its entries are not what the elementary operations give"
        primitive = node._primitive
        assert primitive is not None
        if primitive.elementwise:
            return ""
        rng = np.random.default_rng(0)
        upstream = [np.asarray(rng.standard_normal(a.shape)).astype(a.dtype)[()] for a in arrays]
        tensors = {x for x in inputs if isinstance(x, Node) and x._requires_grad}
        extra, node._extra = node._extra, None  # its hooks, and its .grad, are for the user's own passes
        try:
            whole = run([node], [upstream if several else upstream[0]], retain_graph=True, stop=tensors)
        finally:
            node._extra = extra
        cells = {t for x in tensors for t in self._of[x].entries.reshape(-1) if t._requires_grad}
        roots = [t for part in parts for t in part.entries.reshape(-1)]
        starts = [g for u in upstream for g in np.reshape(u, -1)]
        single = run(roots, starts, retain_graph=True, stop=cells)
        want = dict.fromkeys(cells, 0.0)  # one scalar may stand at several places
        for x in tensors:
            if x in whole:
                for t, share in zip(self._of[x].entries.reshape(-1), np.reshape(whole[x], -1), strict=True):
                    if t in want:
                        want[t] += float(share)
        mine = np.array([single.get(t, 0.0) for t in want], np.float64)
        if not _close(mine, np.array(list(want.values())), arrays[0].dtype):
            return "its rule and the elementary operations share the gradient differently here (a tie or a kink)"
        return ""

    def _kept_whole(self, node: Node, inputs: list[Any]) -> Any:
        """The operation as one node, with the entries of its inputs brought together and its result taken apart."""
        given = []
        for x in inputs:
            grid = self._of[x] if isinstance(x, Node) else None
            if isinstance(grid, Grid):
                cells = list(grid.entries.reshape(-1))
                if not cells:
                    given.append(wrap(x._array))
                    continue
                together = stack_along(*cells)
                shaped = reshape_to(together, shape=grid.shape)
                self.routing += [together, shaped]
                given.append(shaped)
            else:
                given.append(x)
        whole = wrap(node._array)
        whole._requires_grad, whole._primitive, whole._static = True, node._primitive, node._static
        whole._inputs, whole._tick = tuple(given), next_tick()
        self._new.append(whole)
        if type(node._array) is not tuple:
            return self._apart(whole)
        parts = [pick(whole, index=i) for i in range(len(node._array))]
        self._new += parts
        return tuple(self._apart(part) if part.dtype.kind == "f" else part._array for part in parts)

    def _apart(self, whole: Any) -> Grid:
        outs = [getitem(whole, key=index) for index in np.ndindex(*whole.shape)] if whole.ndim else [whole]
        if whole.ndim:
            self._new += outs
        return gathered(outs, tuple(whole.shape))


def _uniform(out: Any) -> Grid:
    """A grid in which numbers, such as those of padding, are Tensors too."""
    if not isinstance(out, Grid):
        raise TypeError("the result holds no scalar")
    kind = out.dtype
    entries = out.entries.reshape(-1)
    if not all(isinstance(t, (Node, int, float, np.generic)) for t in entries):
        raise TypeError("the result holds something else than scalars")
    cells = [t if isinstance(t, Node) else wrap(kind.type(t)) for t in entries]
    return gathered(cells, out.shape)


def _close(a: Any, b: Any, dtype: Any, scale: float = 0.0) -> bool:
    """Whether two arrays agree up to the rounding errors of ``dtype`` in numbers as large as in b, or ``scale``."""
    finite = np.abs(b[np.isfinite(b)])
    scale = float(finite.max(initial=scale if np.isfinite(scale) else 0.0))
    digits = {8: 1e-9, 4: 1e-4}.get(dtype.itemsize, 1e-2)
    return bool(np.allclose(a, b, rtol=10 * digits, atol=digits * scale, equal_nan=True))


def expand(
    tensors: Tensor | Sequence[Tensor],
    *,
    loss: Tensor | None = None,
    depth: int | None = None,
    gradient: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 1000,
    weights: str = "nodes",
    direction: str = "LR",
    theme: str = "light",
) -> Expansion:
    """The scalar graph inside a graph of Tensors: every multiplication and addition, with its value and gradient.

    A matrix product becomes its products and sums, a softmax its exponentials, their sum and the quotients. Operations
    that only move entries about (reshape, transpose, indexing, concatenation) become no nodes at all. What cannot be
    taken apart stays one node between scalars, and ``.whole`` says why. Layers are columns, inputs stand on the left.
    The gradients of the scalars are the entries of the Tensors' gradients. No ``.grad`` is touched, and no hook is run.

    Arguments:
        tensors: the result, or several.
        loss: what the gradients are of, if not of the result itself: with it a node inside a bigger graph is shown
            with the gradient that comes to it from ``loss``. An input of the part shown has the share that comes
            through this part.
        depth: how many operations to open, counted back from the result; what is before them is taken as an input. None
            opens all. ``depth=1`` opens one node of a bigger graph.
        gradient: the upstream gradient to start from, of the result's shape. Scalar results start from 1.
        names: what to call Tensors, as in ``draw``.
        limit: above this many scalars there is an error instead of a picture.
        weights: ``"nodes"`` draws every factor and product as a node; ``"edges"`` writes ``× w`` on the edge
            between two neurons.
        direction: ``"LR"`` from left to right, ``"TB"`` from top to bottom.
        theme: ``"light"``, ``"dark"``, ``"print"`` or ``"colour-blind"``.

    Returns an ``Expansion``, which is a ``Drawing``.

    Raises:
        DTypeError: something else than Tensors came, or they hold no floats.
        GraphError: the graph was freed, is larger than ``limit``, or a value in it was overwritten since.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0])
    >>> w = autograd.tensor([[3.0, 4.0]], requires_grad=True)
    >>> y = autograd.tanh(w @ x).sum()
    >>> picture = autograd.expand(y)
    >>> picture.scalars["matmul", (0,)].value
    11.0
    >>> y.backward()
    >>> picture.scalars["w", (0, 1)].gradient == w.grad[0, 1].item()
    True
    """
    several = isinstance(tensors, (list, tuple))
    roots: list[Any] = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    for root in roots or [None]:
        if not isinstance(root, Node):
            raise DTypeError(f"expand: wants a Tensor or a list of Tensors, got {describe(root)}")
        if root._array.dtype.kind != "f":
            raise DTypeError(f"expand: wants floating Tensors, which have a graph behind them; got {describe(root)}")
    for name, value, allowed in (
        ("weights", weights, ("nodes", "edges")), ("direction", direction, ("LR", "TB")), ("theme", theme, THEMES),
    ):  # fmt: skip
        if value not in allowed:
            raise ValueError(f"expand: {name} is one of {', '.join(map(repr, allowed))}, got {value!r}")
    if depth is not None and (not isinstance(depth, int) or depth < 1):
        raise ValueError(f"expand: depth counts operations, from 1; got {depth!r}")
    if loss is not None and gradient is not None:
        raise ValueError("expand: give loss or gradient, not both: loss says what the upstream gradient is")
    try:
        order = history(roots)
        inputs = {node: [_then(x, node) for x in node._inputs or ()] for node in order}
        if loss is not None:
            gradient = _reaching(loss, roots)
        given = gradient if gradient is None or several or loss is not None else [gradient]
        starts = starting_gradients(roots, given)
    except GraphError as error:
        if "freed" not in str(error):
            raise
        raise GraphError(
            "expand: the graph behind this Tensor was freed by backward(); expand it before backward(), "
            "or call backward(retain_graph=True)"
        ) from error
    if depth is not None:
        order = _last(order, inputs, roots, depth)
    opening = _Opening(limit)
    # The ops of the scalar graph are recorded whatever the caller has switched off, and shown to none of its watchers.
    with modes.enable_grad(), modes.watching_nothing(), np.errstate(all="ignore"):
        opening.open(order, inputs, roots, named(names, scope()))
    if starts is not None:
        starts = [g for start in starts for g in np.reshape(start, -1)]
        kept = [i for i, t in enumerate(opening.roots) if t._requires_grad]
        opening.roots, starts = [opening.roots[i] for i in kept], [starts[i] for i in kept]
    return Expansion(opening, starts, weights, direction, theme)


def _reaching(loss: Any, roots: list[Any]) -> list[Any]:
    """The gradient of ``loss`` with respect to each root."""
    if not isinstance(loss, Node):
        raise DTypeError(f"expand: loss must be a Tensor, got {describe(loss)}")
    starts = starting_gradients([loss], None)
    if starts is None:
        raise GraphError("expand: loss must be a scalar that requires grad; reduce it (.sum(), .mean())")
    with unretained(history([loss])), np.errstate(all="ignore"):
        found = run([loss], starts, inputs=roots, retain_graph=True)
    missing = next((root for root in roots if root not in found), None)
    if missing is not None:
        raise GraphError(f"expand: loss does not depend on this Tensor ({describe(missing)})")
    return [found[root] for root in roots]


def _last(order: list[Node], inputs: dict[Node, list[Any]], roots: list[Any], depth: int) -> list[Node]:
    """The recorded nodes at most ``depth`` operations back from the roots; outputs of one operation go with it."""
    recorded, kept = set(order), dict.fromkeys(root for root in roots if root._primitive is not None)
    edge = list(kept)
    while edge and depth > 0:
        parents = [x for node in edge if node._primitive is pick for x in inputs[node]]
        kept.update(dict.fromkeys(parents))
        operations = [*(node for node in edge if node._primitive is not pick), *parents]
        depth -= 1
        if depth:
            edge = [x for node in operations for x in inputs[node] if isinstance(x, Node) and x in recorded]
            edge = [x for x in dict.fromkeys(edge) if x not in kept]
            kept.update(dict.fromkeys(edge))
    return [node for node in order if node in kept]


def _overwritten(x: Node, node: Node) -> bool:
    """Whether the value with which ``x`` went into ``node``, or came out of it, was written over since."""
    if x._memory is None:
        return False
    return x._memory.changed > node._tick or (x is not node and x._memory.changed == node._tick)


def _refused(x: Node, node: Node) -> GraphError:
    assert x._memory is not None and node._primitive is not None
    place = "" if x._memory.where is None else f" at {location(x._memory.where)}"
    return GraphError(
        f"expand: a value that {node._primitive.name} used was overwritten in place{place} since; "
        "expand before that, for instance before the optimizer's step"
    )
