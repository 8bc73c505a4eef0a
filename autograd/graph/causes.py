"""What one backward pass tells: where a gradient became 0, and where a NaN or Inf came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..anomaly import _ranges
from ..backends import numpy as numpy_namespace
from ..backward import Part, history, run, unbroadcast
from ..node import Node
from ..primitive import pick
from .look import source_line
from .trace import _then
from .words import number

# An explanation names the nearest of many causes; looking at all of them would take a backward pass each.
_CAUSES, _CANDIDATES = 5, 40
# Slopes below this count as saturated.
_FLAT = 1e-3


@dataclass(slots=True)
class Finding:
    """One answer of ``explain``.

    Attributes:
        kind: what it is, in a word or two, such as "unused" or "dead relu".
        text: the sentence.
        operation: the operation that it is about, or None.
        where: file and line of that operation, where they were recorded.
        value: a number that belongs to it: how many entries, or a share of the gradient; else None.
    """

    kind: str
    text: str
    operation: str | None = None
    where: tuple[str, int] | None = None
    value: float | None = None


@dataclass(slots=True)
class Passage:
    """One edge of the backward pass: input number ``index`` of ``node``."""

    node: Node
    index: int
    upstream: Any
    downstream: np.ndarray


class Pass:
    """A backward pass from ``root`` that leaves every ``.grad`` and the graph as they are.

    Raises:
        GraphError: the graph was freed, or a value in it was overwritten since.
    """

    def __init__(self, root: Node, start: Any, names: Mapping[Node, str]) -> None:
        self.root, self.names = root, names
        self.order = history([root])
        self.inputs = {node: [_then(x, node) for x in node._inputs or ()] for node in self.order}
        self.steps: list[Passage] = []
        self.users: dict[Node, list[Passage]] = {}
        self.gradients: dict[Node, Any] = {}
        self.outputs: dict[Node, list[Node]] = {}  # those in use of each operation that has several
        for node in self.order:
            if node._primitive is pick:
                self.outputs.setdefault(self.inputs[node][0], []).append(node)
        if start is not None:
            self.gradients[root] = start
            with unretained(self.order), np.errstate(all="ignore"):
                self.gradients.update(run([root], [start], retain_graph=True, observe=self._observe))

    def _observe(self, node: Node, index: int, upstream: Any, downstream: Any) -> None:
        # Copied at once: the walk adds further gradients into these very arrays.
        if isinstance(upstream, list):
            upstream = [None if u is None else np.array(u) for u in upstream]
            self._part(node, upstream)
        else:
            upstream = self.gradients[node] = np.array(upstream)
        step = Passage(node, index, upstream, np.array(np.asarray(downstream)))
        self.steps.append(step)
        self.users.setdefault(self.inputs[node][index], []).append(step)

    def _part(self, parent: Node, slots: list[Any]) -> None:
        """Notes what came to each output of ``parent``, which the walk shows to nobody."""
        for node in self.outputs.pop(parent, ()):
            assert node._static is not None
            g = slots[node._static["index"]]
            if g is not None:
                self.gradients[node] = g
                self.users.setdefault(parent, []).append(Passage(node, 0, g, g))

    def share(self, start: Node, g: Any, target: Node) -> Any:
        """The gradient of ``target`` that comes of the gradient ``g`` at ``start`` alone, or None."""
        if start is target:
            return np.asarray(g)
        if start._primitive is None:
            return None
        with unretained(self.order), np.errstate(all="ignore"):
            found = run([start], [g], inputs=[target], retain_graph=True).get(target)
        return None if found is None else np.asarray(found)

    def name(self, node: Node) -> str:
        """``h = relu`` or ``relu``, in backquotes."""
        own = self.names.get(node)
        if node._primitive is None:
            return f"`{own}`" if own else "a constant" if not node._requires_grad else "a leaf without a name"
        return f"`{own} = {node._primitive.name}`" if own else f"`{node._primitive.name}`"

    def finding(self, kind: str, node: Node, text: str, value: float | None = None) -> Finding:
        """A finding about ``node``."""
        operation = None if node._primitive is None else node._primitive.name
        return Finding(kind, text, operation, where(node), value)

    def at(self, node: Node) -> str:
        """Its name, and where in the program it was called, if that was recorded."""
        return self.name(node) + place(node)


class unretained:
    """Switches ``retain_grad()`` off for a while: it asks for the gradients of the user's own passes."""

    def __init__(self, order: list[Node]) -> None:
        self.order = order

    def __enter__(self) -> None:
        self.nodes = [n for n in self.order if n._extra is not None and n._extra.pop("retain_grad", False)]

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            assert node._extra is not None
            node._extra["retain_grad"] = True


def where(node: Node) -> tuple[str, int] | None:
    """File and line that ``record`` noted."""
    return (node._extra or {}).get("where")


def place(node: Node) -> str:
    """`` (file:line: text)``, or nothing."""
    line = where(node)
    return f" ({source_line(line)})" if line else ""


def said(g: Any) -> str:
    """``is 3`` of a number, ``has norm 3`` of several."""
    return f"is {shown(g)}" if np.size(g) == 1 else f"has norm {shown(g).removeprefix('|∇| ')}"


def shown(g: Any) -> str:
    """A number, or the norm of several."""
    g = np.asarray(g, np.float64)
    if g.size == 1:
        return number(float(g.reshape(-1)[0]))
    return f"|∇| {number(float(np.linalg.norm(g)))}"


# Why a gradient is 0


_SATURATING = {
    "sigmoid", "tanh", "softplus", "elu", "gelu", "silu", "mish", "erf", "erfc", "atan", "softmax", "log_softmax",
    "cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "exp",
}  # fmt: skip
_CHOOSING = {"amax", "amin", "maximum", "minimum", "max_pool", "median", "fmax", "fmin", "cummax", "cummin"}
_READING = {"getitem", "gather", "lookup", "diagonal"}
_FLAT_EVERYWHERE = {"sign", "floor", "ceil", "round", "trunc", "heaviside", "rounded_quotient"}
_PRODUCTS = {"mul", "matmul", "linear", "einsum", "conv", "div"}


def zeros(run_: Pass, target: Node) -> Iterator[Finding]:
    """Why entries of target's gradient are 0: the nearest operations that stop a gradient which would have come."""
    g = np.asarray(run_.gradients[target])
    zero = g == 0
    if not zero.any():
        return
    if all(np.any(step.downstream) for step in run_.users.get(target, ())) and len(run_.users.get(target, ())) > 1:
        parts = [step.downstream for step in run_.users[target]]
        cancelled = zero & np.any([part != 0 for part in parts], axis=0)
        if cancelled.any():
            at = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(cancelled)))
            terms = " + ".join(number(float(np.atleast_1d(part)[at])) for part in parts).replace("+ -", "− ")
            count = int(cancelled.sum())
            yield Finding(
                "cancelled",
                f"The gradients of its {len(parts)} uses cancel in {count} of {g.size} entries, as in {terms} = 0.",
                value=count,
            )
    found = 0
    for step, blocked in _blocks(run_, target):
        source = run_.inputs[step.node][step.index]
        would = run_.share(source, blocked.astype(source._array.dtype)[()], target)
        count = 0 if would is None else int(np.count_nonzero(zero & (would != 0)))
        if count:
            yield _blocked(run_, step, blocked, count, g.size)
            found += 1
            if found == _CAUSES:
                return


def _blocks(run_: Pass, target: Node) -> Iterator[tuple[Passage, np.ndarray]]:
    """The operations between ``target`` and the root that lose gradient, nearest first, and 1 where they do."""
    waiting, seen, left = [target], {target}, _CANDIDATES
    while waiting and left:
        x = waiting.pop(0)
        for step in run_.users.get(x, ()):
            up, down = step.upstream, step.downstream
            alive = any(u is not None and np.any(u) for u in (up if isinstance(up, list) else [up]))
            lost = np.zeros(0, bool)
            if alive and not down.all():
                lost = (down == 0) & (_local(run_, step) == 0)
                primitive = step.node._primitive
                assert primitive is not None
                if primitive.elementwise and not isinstance(up, list) and up.shape == down.shape:
                    lost &= up != 0
            if lost.any():
                left -= 1
                yield step, np.asarray(lost)
            if not (alive and not down.any()) and step.node not in seen:
                seen.add(step.node)
                waiting.append(step.node)


def _local(run_: Pass, step: Passage) -> np.ndarray:
    """What the rule makes of an upstream gradient without zeros, at random so that no sum cancels."""
    rng = np.random.default_rng(0)

    def anything(a: Any) -> Any:
        return (1 + rng.random(a.shape)).astype(a.dtype) if a.shape else a.dtype.type(1)

    array = step.node._array
    g = [anything(a) for a in array] if type(array) is tuple else anything(array)
    g = along(run_, step, g)
    return np.asarray(next(part for part in g if part is not None) if isinstance(g, list) else g)


def along(run_: Pass, step: Passage, g: Any) -> Any:
    """The downstream gradient on one edge for the upstream gradient ``g``; None without a rule.

    For one of several outputs it is that of all, with None for the others.
    """
    node, x = step.node, run_.inputs[step.node][step.index]
    primitive = node._primitive
    assert primitive is not None
    values = [v._array if isinstance(v, Node) else v for v in run_.inputs[node]]
    rule = primitive.rules_of(len(values))[step.index] if primitive.variadic else primitive.rules[step.index]
    if rule is None:
        return None
    with np.errstate(all="ignore"):
        g = rule(numpy_namespace, g, node._array, *values, **(node._static or {}))
        if type(g) is Part:
            slots: list[Any] = [None] * len(x._array)
            slots[g.index] = g.g
            return slots
        return None if g is None else unbroadcast(numpy_namespace, np.asarray(g)[()], x._array.shape)


def _blocked(run_: Pass, step: Passage, blocked: np.ndarray, count: int, of: int) -> Finding:
    node, primitive = step.node, step.node._primitive
    assert primitive is not None
    inputs, name = run_.inputs[node], run_.at(node)
    x = np.asarray(inputs[step.index]._array)
    dead = _some(int(blocked.sum()), blocked.size)
    effect = f" That makes the gradient 0 in {_some(count, of)}." if of > 1 else ""
    op = primitive.name
    if op in ("relu", "leaky_relu"):
        text = f"{name} passes nothing back: its input is ≤ 0 in {dead} (dead ReLU)."
        return run_.finding("dead relu", node, f"{text}{effect}", count)
    if op == "where":
        text = f"{name} did not choose {dead} of this branch: its condition masks them."
        return run_.finding("masked", node, f"{text}{effect}", count)
    if op == "setitem":
        text = f"{name} overwrote {dead}, so that they do not count any more."
        return run_.finding("masked", node, f"{text}{effect}", count)
    if op in ("clamp", "hardtanh", "nan_to_num"):
        low, high = (node._static or {}).get("min"), (node._static or {}).get("max")
        if op == "hardtanh":
            low, high = (node._static or {}).get("low"), (node._static or {}).get("high")
        text = f"{name} clipped {dead}: they are outside [{_bound(low, '−∞')}, {_bound(high, '∞')}]."
        return run_.finding("clipped", node, f"{text}{effect}", count)
    if op in _CHOOSING:
        text = f"{name} did not choose {dead}: others were larger."
        if "min" in op:
            text = text.replace("larger", "smaller")
        return run_.finding("not chosen", node, f"{text}{effect}", count)
    if op in _READING:
        return run_.finding("not read", node, f"{name} did not read {dead}.{effect}", count)
    if op in _FLAT_EVERYWHERE:
        return run_.finding("flat", node, f"{name} has slope 0 everywhere.{effect}", count)
    if op in _SATURATING:
        text = f"{name} is saturated in {dead}: {_of(x[blocked])}, where its slope is 0 to rounding."
        return run_.finding("saturated", node, f"{text}{effect}", count)
    if op in _PRODUCTS and len(inputs) > 1:
        other = inputs[1 - step.index] if step.index < 2 else inputs[0]
        factor = run_.name(other) if isinstance(other, Node) else f"the number {number(float(other))}"
        values = other._array if isinstance(other, Node) else other
        zero = int(np.count_nonzero(np.asarray(values) == 0))
        if zero:
            some = "" if zero == np.size(values) else f" in {zero} of {np.size(values)} entries, as in dropout"
            text = f"{name} multiplies by 0: {factor} is 0{some}."
            return run_.finding("times zero", node, f"{text}{effect}", count)
    text = f"{name} has slope 0 in {dead}: {_of(x[blocked] if x.shape == blocked.shape else x)}."
    return run_.finding("flat", node, f"{text}{effect}", count)


def _some(count: int, of: int) -> str:
    return f"{count} of {of} entries" if of > 1 else "its only entry"


def _bound(value: Any, otherwise: str) -> str:
    if isinstance(value, (int, float, np.generic)):
        return otherwise if np.isinf(value) else number(float(value))
    return otherwise if value is None else "…"


def _of(x: Any) -> str:
    low, high = float(np.min(x)), float(np.max(x))
    return f"its input is {number(low)}" if low == high else f"its input runs from {number(low)} to {number(high)}"


def flats(run_: Pass, target: Node) -> Iterator[Finding]:
    """Saturated operations between ``target`` and the root that leave little of the gradient, but more than 0."""
    waiting, seen = [target], {target}
    while waiting:
        for step in run_.users.get(waiting.pop(0), ()):
            node, up, down = step.node, step.upstream, step.downstream
            assert node._primitive is not None
            name = node._primitive.name
            if name in _SATURATING and name != "exp" and not isinstance(up, list) and up.shape == down.shape:
                before, after = float(np.abs(up).max(initial=0)), float(np.abs(down).max(initial=0))
                if 0 < after < _FLAT * before:
                    x = np.asarray(run_.inputs[node][step.index]._array)
                    yield run_.finding(
                        "saturated",
                        node,
                        f"{run_.at(node)} is nearly saturated: {_of(x)}, and of a gradient of at most "
                        f"{number(before)} it passes {number(after)} on.",
                        after / before,
                    )
            if node not in seen:
                seen.add(node)
                waiting.append(node)


# Where a NaN or Inf came from


def _floats(x: Any) -> Any:
    a = x._array if isinstance(x, Node) else x
    if isinstance(a, float):
        return np.asarray(a)
    return a if isinstance(a, (np.ndarray, np.generic)) and a.dtype.kind == "f" else None


def _has(test: Any, arrays: list[Any]) -> bool:
    return any(a is not None and bool(test(a).any()) for a in arrays)


def not_finite(a: Any) -> bool:
    """Whether there is a NaN or an Inf in ``a``."""
    return _has(lambda x: ~np.isfinite(x), [_floats(a)])


def origin_forward(run_: Pass) -> Iterator[Finding]:
    """The leaves and the first operation that brought in a NaN, or else an Inf, going forward."""
    told = False
    for test, what in ((np.isnan, "NaN"), (np.isinf, "Inf")):
        for node in run_.order:
            inputs = run_.inputs[node]
            for x in inputs:
                if isinstance(x, Node) and x._primitive is None and what == "NaN" and _has(test, [_floats(x)]):
                    count = int(np.count_nonzero(test(x._array)))
                    text = f"{run_.name(x)} itself holds {count} {what}, from before any operation."
                    yield Finding("nan in data", text, value=count)
                    return
            out = [_floats(a) for a in (node._array if type(node._array) is tuple else (node._array,))]
            given = [_floats(x) for x in inputs]
            allowed = np.isnan if what == "NaN" else (lambda a: ~np.isfinite(a))
            if not _has(test, out) or _has(allowed, given):
                continue
            a = next(a for a in out if a is not None and test(a).any())
            count = int(np.count_nonzero(test(a)))
            text = (
                f"The first {what} going forward was made by {run_.at(node)}, in {_some(count, np.size(a))}"
                f"{_at(run_, node, a, test)}."
            )
            yield run_.finding("nan forward" if what == "NaN" else "inf forward", node, text, count)
            told = True
            break
        if told and what == "NaN" and not _inf_before(run_):
            return


def _inf_before(run_: Pass) -> bool:
    """Whether some operation made an Inf of finite numbers, from which a NaN may have come."""
    return any(type(node._array) is not tuple and _has(np.isinf, [_floats(node)]) for node in run_.order)


def origin_backward(run_: Pass) -> Iterator[Finding]:
    """The first edge of the backward pass on which a finite upstream gradient became a NaN or Inf."""
    for step in run_.steps:
        ups = step.upstream if isinstance(step.upstream, list) else [step.upstream]
        if not_finite(step.downstream) and not any(u is not None and not_finite(u) for u in ups):
            a = step.downstream
            what = "NaN" if np.isnan(a).any() else "Inf"
            test = np.isnan if what == "NaN" else np.isinf
            node = step.node
            assert node._primitive is not None
            primitive = node._primitive
            argument = primitive.inputs[min(step.index, len(primitive.inputs) - 1)]
            text = (
                f"The first {what} going backward came from the rule of {run_.at(node)} for its input {argument}, in "
                f"{_some(int(np.count_nonzero(test(a))), a.size)}{_at(run_, node, a, test)}."
            )
            yield run_.finding("nan backward" if what == "NaN" else "inf backward", node, text)
            return


def _at(run_: Pass, node: Node, a: Any, test: Any) -> str:
    """The inputs' values at the first such entry, or their ranges."""
    primitive, inputs = node._primitive, run_.inputs[node]
    assert primitive is not None
    if not primitive.elementwise:
        return _ranges(primitive, tuple(inputs)).replace("\n  ", "; ")
    a = np.asarray(a)
    at = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(test(a)))) if a.ndim else ()
    words = []
    for name, x in zip(primitive.inputs, inputs, strict=False):
        values = x._array if isinstance(x, Node) else x
        if values is None:
            continue
        spread = np.broadcast_to(values, np.broadcast_shapes(np.shape(values), a.shape))
        label = run_.names.get(x) if isinstance(x, Node) else None
        words.append(f"{label or name} = {number(np.asarray(spread[at]).item())}")
    index = f" at [{', '.join(map(str, at))}]" if at else ""
    return f": {', '.join(words)}{index}" if words else ""
