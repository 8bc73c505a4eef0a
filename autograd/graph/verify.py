"""``verify``: the rule of every node of a graph, beside centred differences of its forward function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import modes
from ..backward import history
from ..errors import DTypeError, GraphError, describe
from ..function import Joint
from ..gradcheck import differences
from ..node import Node
from ..primitive import pick, wrap
from .clusters import Group, arranged
from .drawing import Drawing
from .look import Look, source_line
from .names import named, scope
from .scalars import again
from .themes import THEMES, Theme
from .trace import Graph, Vertex, _then, _Tracer

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Verdict", "Verification", "verify"]

# Up to this many entries in and out every partial derivative is looked at, and above it random directions.
_FEW = 64
# By how much a point is moved to leave a kink, relative to the size of its entries.
_ASIDE = 1e-2
# They read half of a symmetric matrix, and their rules share the gradient between both halves.
_SYMMETRIC = {"cholesky", "eigh"}
_ON_PURPOSE = {"scale_gradient": "its rule scales the gradient, on purpose"}
_SYMBOLS = {"right": "✓", "kink": "≈", "wrong": "✗", "not checked": "?"}
# Blue and vermilion are told apart by every kind of eyes: border, fill and text on bright and on dark ground.
_BRIGHT = {
    "right": ("#0072b2", "#d9ecf8", "#000000"), "kink": ("#7a6a00", "#f6f0b8", "#000000"),
    "wrong": ("#b34700", "#ffc9a3", "#000000"), "not checked": ("#8a8a8a", "#f4f4f4", "#4d4d4d"),
}  # fmt: skip
_DARK = {
    "right": ("#56b4e9", "#123a55", "#e8e8e8"), "kink": ("#d8c84a", "#46400f", "#f5ecd8"),
    "wrong": ("#ff8c42", "#7a2e00", "#ffffff"), "not checked": ("#8a9099", "#24272d", "#c8c8c8"),
}  # fmt: skip


@dataclass(slots=True)
class Verdict:
    """What was found out about one node.

    Attributes:
        kind: "right"; "kink", where the two differ at this very point and agree right beside it; "wrong"; or
            "not checked".
        operation, name: of the node; the name is None where its result has none.
        text: the largest difference, or why nothing was checked; empty for what is right.
        where: file and line, where they were recorded.
    """

    kind: str
    operation: str
    name: str | None
    text: str
    where: tuple[str, int] | None

    def __str__(self) -> str:
        name = self.operation if self.name is None else f"{self.name} = {self.operation}"
        place = f" ({source_line(self.where)})" if self.where else ""
        return f"{_SYMBOLS[self.kind]} {name}{place}" + (f": {self.text}" if self.text else "")


class _VerdictLook(Look):
    """Boxes coloured by verdict, closed groups by the worst in them."""

    def __init__(self, theme: Theme, verdicts: Mapping[str, Verdict]) -> None:
        super().__init__(theme)
        self.verdicts, self.color = verdicts, "verdict"
        red, green, blue = (int(theme.background[i : i + 2], 16) for i in (1, 3, 5))
        self.palette = _BRIGHT if red + green + blue > 384 else _DARK
        words = {"right": "the rule is right", "kink": "right but for a kink here", "wrong": "the rule is wrong"}
        found = {verdict.kind for verdict in verdicts.values()}
        self.legend = " · ".join(f"{_SYMBOLS[k]} {words.get(k, k)}" for k in _SYMBOLS if k in found)

    def _worst(self, box: Vertex | Group) -> Verdict | None:
        vertices = box.vertices() if isinstance(box, Group) else [box]
        found = [self.verdicts[v.id] for v in vertices if v.id in self.verdicts]
        order = ["right", "not checked", "kink", "wrong"]
        return max(found, key=lambda verdict: order.index(verdict.kind), default=None)

    def colors(self, box: Vertex | Group) -> tuple[str, str, str]:
        """Border, fill and text."""
        worst = self._worst(box)
        return self.theme.box("constant") if worst is None else self.palette[worst.kind]

    def attributes(self, box: Vertex | Group) -> dict[str, str]:
        """The attributes of the box in DOT: a wrong rule has a thick border too."""
        worst = self._worst(box)
        given = super().attributes(box)
        if worst is not None:
            given["penwidth"] = "4" if worst.kind == "wrong" else "1.5"
        return given


class Verification(Drawing):
    """The graph with a verdict on every node, made by ``verify``: a picture as ``draw`` makes, and a table.

    Attributes:
        verdicts: a ``Verdict`` for each operation, in the order of computation.
        ok: whether no rule is wrong.
        failures: the verdicts on those that are.
        graph, source: the records of the picture, and its DOT text.
    """

    def __init__(self, graph: Graph, verdicts: dict[str, Verdict], arrange: dict[str, Any], look: Look) -> None:
        self.verdicts = list(verdicts.values())
        graph = Graph([_marked(v, verdicts.get(v.id)) for v in graph.vertices], graph.edges)
        direction = arrange.pop("direction")
        root, note = arranged(graph, **arrange)
        super().__init__(graph, root, look, direction, note)

    @property
    def failures(self) -> list[Verdict]:
        """The verdicts on wrong rules."""
        return [verdict for verdict in self.verdicts if verdict.kind == "wrong"]

    @property
    def ok(self) -> bool:
        """Whether no rule is wrong."""
        return not self.failures

    @property
    def table(self) -> str:
        """A line for each node."""
        return "\n".join(map(str, self.verdicts))

    def print(self) -> None:
        """Prints the table, and what it comes to."""
        print(self.table)
        print(repr(self))

    def __repr__(self) -> str:
        counts = {kind: sum(v.kind == kind for v in self.verdicts) for kind in _SYMBOLS}
        said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no operation"
        names = ", ".join(dict.fromkeys(v.operation for v in self.failures))
        return f"<Verification: {said}{f' ({names})' if names else ''}>"


def verify(
    tensors: Tensor | Sequence[Tensor],
    *,
    names: Mapping[str, Any] | None = None,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    seed: int = 0,
    depth: int | None = None,
    limit: int | None = 100,
    direction: str = "LR",
    theme: str = "light",
) -> Verification:
    """Checks the rule of every node behind ``tensors`` against centred differences, and paints the verdicts.

    Each operation is looked at alone, in float64, at the values that it had: its rule, and
    (f(x + εv) − f(x − εv)) / 2ε of its forward function. A wrong rule therefore shows at its own node and nowhere else.
    Small operations are compared entry by entry, large ones along random directions. Where the two differ, points right
    beside are tried: at a kink or tie they agree again there. Integers, and inputs without gradient, stay as they are.
    No ``.grad`` is touched, and the graph is kept.

    Arguments:
        tensors: the result, or several.
        names: what to call Tensors, as in ``draw``.
        atol, rtol: how far apart the two may be, |analytic − numeric| ≤ atol + rtol |numeric|.
        seed: of the random directions.
        depth, limit, direction, theme: of the picture, as in ``draw``.

    Returns a ``Verification``, with ``.ok``, ``.failures`` and ``.print()``; it is a ``Drawing``.

    Raises:
        DTypeError: something else than Tensors came.
        GraphError: the graph was freed.

    >>> import autograd
    >>> @autograd.primitive
    ... def wrong_cube(xp, x):
    ...     return x * x * x
    >>> _ = wrong_cube.grads(x=lambda xp, g, out, x: g * 2 * x * x)
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> found = verify(wrong_cube(x) + 1.0)
    >>> found
    <Verification: 1 right, 1 wrong (wrong_cube)>
    >>> print(found.failures[0])
    ✗ wrong_cube: d output0 / d input0: analytic 18, numeric 27, difference -9
    """
    roots: list[Any] = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    for root in roots or [None]:
        if not isinstance(root, Node):
            raise DTypeError(f"verify: wants a Tensor or a list of Tensors, got {describe(root)}")
    for name, value, choices in (("direction", direction, ("LR", "TB")), ("theme", theme, THEMES)):
        if value not in choices:
            raise ValueError(f"verify: {name} is one of {', '.join(map(repr, choices))}, got {value!r}")
    try:
        order = history(roots)
        inputs = {node: [_then(x, node) for x in node._inputs or ()] for node in order}
    except GraphError as error:
        raise GraphError(
            "verify: the graph behind this Tensor was freed by backward(); verify it before backward(), "
            "or call backward(retain_graph=True)"
        ) from error
    known = named(names, scope())
    tracer = _Tracer(order, inputs, roots, known, constants=True)
    graph = tracer.graph(None)
    verdicts: dict[str, Verdict] = {}
    with modes.enable_grad(), modes.watching_nothing(), np.errstate(all="ignore"):
        for node in order:
            if node._primitive is pick:
                continue
            shown = node if node in tracer.vertices else tracer.outputs[node][0]
            kind, text = _Check(node, inputs[node], atol, rtol, seed).verdict()
            assert node._primitive is not None
            where = (node._extra or {}).get("where")
            found = Verdict(kind, node._primitive.name, known.get(shown), text, where)
            verdicts[tracer.vertices[shown].id] = found
    arrange = {"depth": depth, "limit": limit, "direction": direction}
    return Verification(graph, verdicts, arrange, _VerdictLook(THEMES[theme], verdicts))


class _Check:
    """One node, taken out of its graph."""

    def __init__(self, node: Node, inputs: list[Any], atol: float, rtol: float, seed: int) -> None:
        self.node, self.inputs = node, inputs
        self.tolerances: dict[str, Any] = {"atol": atol, "rtol": rtol, "seed": seed}
        assert node._primitive is not None
        primitive = node._primitive
        rules = primitive.rules_of(len(inputs)) if primitive.variadic else primitive.rules
        self.checked = [isinstance(x, Node) and x._requires_grad and rules[i] is not None for i, x in enumerate(inputs)]

    def verdict(self) -> tuple[str, str]:
        """The kind, and what there is to say."""
        assert self.node._primitive is not None
        name = self.node._primitive.name
        if name in _ON_PURPOSE:
            return "not checked", _ON_PURPOSE[name]
        function = self._function()
        if function is None:
            return "not checked", "its forward function cannot be called again by itself"
        if not any(self.checked):
            return "not checked", "no input of it gets a gradient"
        try:
            reason = self._unlike(function)
            if reason:
                return "not checked", reason
            here = self._differences(function, self._point())
            if not here:
                return "right", ""
            if not self._relative(function):
                return "right", ""
            rng = np.random.default_rng(self.tolerances["seed"])
            if any(not self._differences(function, self._point(rng)) for _ in range(2)):
                return "kink", f"only at this very point, a kink or a tie: {here[0][1].strip()}"
        except Exception as error:  # a user's function may raise anything when it is run in float64
            return "not checked", f"run in float64 it raised {type(error).__name__}: {error}"
        values = [*(x._array for x in self.inputs if isinstance(x, Node)), *self._outputs()]
        if not all(np.all(np.isfinite(a)) for a in values):
            return "not checked", "an input or the result holds NaN or Inf"
        if name == "svd" and (self.node._static or {}).get("full_matrices"):
            return "not checked", "its further singular vectors are not unique"
        return "wrong", here[0][1].strip()

    def _function(self) -> Callable[..., Any] | None:
        """The operation as a function of its inputs, in which it records itself with its own rule."""
        primitive, static = self.node._primitive, self.node._static or {}
        assert primitive is not None
        if not isinstance(primitive, Joint):
            known = {n: _wide(v) for n, v in again(self.node).items()}
            if primitive.name in _SYMMETRIC:
                return lambda x: primitive((x + x.mT) / 2, **known)
            return lambda *xs: primitive(*xs, **known)
        cls = getattr(primitive.pull, "args", (None,))[0]
        if "_args" not in static or cls is None:
            return None
        places = static["_places"][1]

        def apply(*xs: Any) -> Any:
            args = list(static["_args"])
            for place, x in zip(places, xs, strict=True):
                args[place] = x
            return cls.apply(*args)

        return apply

    def _point(self, rng: Any = None) -> list[Any]:
        """The inputs in float64, as leaves; with ``rng`` somewhere beside."""
        point: list[Any] = []
        for x, checked in zip(self.inputs, self.checked, strict=True):
            if not isinstance(x, Node):
                point.append(x)
                continue
            array = np.array(x._array)
            if array.dtype.kind == "f":
                array = array.astype(np.float64)
                if rng is not None:
                    scale = np.maximum(np.abs(array), np.sqrt(np.mean(np.square(array))) if array.size else 0.0)
                    array = array + _ASIDE * np.where(scale > 0, scale, 1.0) * rng.standard_normal(array.shape)
            leaf = wrap(array[()])
            leaf._requires_grad = checked
            point.append(leaf)
        return point

    def _unlike(self, function: Callable[..., Any]) -> str:
        """Why differences would say nothing: run again, the operation gives something else."""
        was = self._outputs()
        again = function(*self._point())
        now = [y for y in (again if isinstance(again, (tuple, list)) else [again]) if isinstance(y, Node)]
        if isinstance(self.node._primitive, Joint):
            now = [now[i] for i in (self.node._static or {})["_places"][0]]
        changed = any(x._memory is not None and x._memory.changed > self.node._tick for x in self._nodes())
        if changed or len(now) != len(was):
            return ""
        for a, y in zip(was, now, strict=True):
            digits = 1e-2 if a.dtype.itemsize < 4 else 1e-3
            scale = float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) if np.size(a) else 0.0
            if np.shape(a) != y.shape or not np.allclose(a, y._array, rtol=digits, atol=digits * scale, equal_nan=True):
                return "run again, its forward function gives another value: it is random, or reads something else"
        return ""

    def _nodes(self) -> list[Node]:
        return [x for x in [*self.inputs, self.node] if isinstance(x, Node)]

    def _outputs(self) -> tuple[Any, ...]:
        return self.node._array if type(self.node._array) is tuple else (self.node._array,)

    def _differences(
        self, function: Callable[..., Any], point: list[Any], **tolerances: float
    ) -> list[tuple[float, str]]:
        arrays = self._outputs()
        entries = sum(np.size(a) for a in arrays) + sum(
            x._array.size for x, checked in zip(point, self.checked, strict=True) if checked
        )
        return differences(function, point, fast_mode=entries > _FEW, **{**self.tolerances, **tolerances})

    def _relative(self, function: Callable[..., Any]) -> list[tuple[float, str]]:
        """The differences for steps in proportion to each entry: tiny entries want tinier steps."""
        point = self._point()
        steps, sizes = list(point), list(point)
        for i, checked in enumerate(self.checked):
            if checked:
                array = point[i]._array
                sizes[i] = wrap(np.where(array == 0, 1.0, np.abs(array))[()])
                steps[i] = wrap(np.zeros_like(array)[()])
                steps[i]._requires_grad = True
                point[i] = wrap(array)

        def moved(*us: Any) -> Any:
            parts = zip(point, us, sizes, self.checked, strict=True)
            return function(*[x + u * size if checked else x for x, u, size, checked in parts])

        largest = max((float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in self._outputs()), default=0.0)
        return self._differences(moved, steps, atol=1e-9 * largest)


def _marked(vertex: Vertex, verdict: Verdict | None) -> Vertex:
    """The vertex with the symbol of its verdict before its name."""
    if verdict is None:
        return vertex
    symbol = _SYMBOLS[verdict.kind]
    if vertex.name is not None:
        return replace(vertex, name=f"{symbol} {vertex.name}")
    return replace(vertex, operation=f"{symbol} {vertex.operation}")


def _wide(value: Any) -> Any:
    return np.dtype(np.float64) if isinstance(value, np.dtype) and value.kind == "f" else value
