"""What a gradient is the sum of: uses, terms of the loss, paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backward import history
from ..node import Node
from .causes import Finding, Pass, Passage, along, shown
from .words import number

# The largest uses are told one by one. More terms or paths than these are not: each term takes a backward pass of its
# own, and the number of paths doubles with every branch.
_USES, _TERMS, _PATHS = 10, 32, 16


def _share_of(part: Any, total: Any) -> float:
    """How much of ``total`` the part is, along total's direction; these add up to 1."""
    square = float(np.sum(np.square(total, dtype=np.float64)))
    return float(np.sum(np.multiply(part, total, dtype=np.float64))) / square if square else 0.0


def _percent(part: Any, total: Any) -> str:
    return f"{shown(part)}, {100 * _share_of(part, total):.3g} % of it" if np.any(total) else shown(part)


def uses(run_: Pass, target: Node) -> Iterator[Finding]:
    """The gradient that came back from each use."""
    steps, total = run_.users.get(target, []), run_.gradients[target]
    if len(steps) < 2:
        return
    told = sorted(range(len(steps)), key=lambda i: -abs(_share_of(steps[i].downstream, total)))[:_USES]
    for i in sorted(told):
        step = steps[i]
        text = f"Use {i + 1} of {len(steps)}, in {run_.at(step.node)}, gives {_percent(step.downstream, total)}."
        yield run_.finding("use", step.node, text, _share_of(step.downstream, total))
    if len(steps) > _USES:
        rest = sum(steps[i].downstream for i in set(range(len(steps))) - set(told))
        text = f"The other {len(steps) - _USES} uses give {_percent(rest, total)} together."
        yield Finding("use", text, value=_share_of(rest, total))


def terms(run_: Pass, target: Node) -> Iterator[Finding]:
    """The share of each term of the sum that the root is, regularizers marked as such."""
    found = _terms(run_)
    if not 2 <= len(found) <= _TERMS:
        return
    total, start = run_.gradients[target], np.asarray(run_.gradients[run_.root])
    for node, factor in found:
        g = run_.share(node, (start * factor).astype(node._array.dtype).reshape(node._array.shape)[()], target)
        if g is None or not np.any(g):
            continue
        label = run_.at(node) if factor == 1 else f"{number(factor)} · {run_.at(node)}"
        kind = "regularizer" if _is_regularizer(run_, node) else "loss term"
        note = ", which depends on parameters only," if kind == "regularizer" else ""
        yield run_.finding(kind, node, f"The term {label}{note} gives {_percent(g, total)}.", _share_of(g, total))


def _terms(run_: Pass) -> list[tuple[Node, float]]:
    """The nodes that the root is a sum of, each with its factor."""
    found: list[tuple[Node, float]] = []
    waiting: list[tuple[Node, float]] = [(run_.root, 1.0)]
    while waiting:
        node, factor = waiting.pop(0)
        op = None if node._primitive is None else node._primitive.name
        inputs = run_.inputs.get(node, [])
        further: list[tuple[Node, float]] | None = None
        if node in run_.names and (found or waiting):
            pass  # beside others, what has a name of its own is one term
        elif op in ("add", "sub") and all(np.size(_raw(x)) == 1 for x in inputs):
            signs = (1.0, 1.0 if op == "add" else -1.0)
            further = [(x, factor * s) for x, s in zip(inputs, signs, strict=True) if _differentiable(x)]
        elif op == "neg":
            further = [(inputs[0], -factor)]
        elif op in ("mul", "div") and np.size(node._array) == 1 and sum(map(_differentiable, inputs)) == 1:
            i = 0 if _differentiable(inputs[0]) else 1
            other = float(np.asarray(_raw(inputs[1 - i])).reshape(-1)[0])
            if op == "mul" or (i == 0 and other):
                further = [(inputs[i], factor * other if op == "mul" else factor / other)]
        if further is None:
            found.append((node, factor))
        else:
            waiting[:0] = further
    return found


def _raw(x: Any) -> Any:
    return x._array if isinstance(x, Node) else x


def _differentiable(x: Any) -> bool:
    return isinstance(x, Node) and x._requires_grad


def _is_regularizer(run_: Pass, term: Node) -> bool:
    """Whether the term depends on nothing but leaves that get a gradient."""
    return all(
        _differentiable(x) or x._array.size == 1
        for node in history([term])
        for x in run_.inputs[node]
        if isinstance(x, Node)
    )


def paths(run_: Pass, target: Node) -> Iterator[Finding]:
    """The product of the local gradients along each path from ``target`` to the root, if there are several and few."""
    found = _paths(run_, target)
    if found is None or len(found) < 2:
        return
    total = run_.gradients[target]
    for path in found:
        g = _along(run_, path)
        if g is not None:
            route = " → ".join(run_.name(step.node) for step in path)
            text = f"The path {run_.names.get(target) or 'x'} → {route} gives {_percent(g, total)}."
            yield Finding("path", text, value=_share_of(g, total))


def _paths(run_: Pass, target: Node) -> list[list[Passage]] | None:
    """All paths; None where there are too many to tell them one by one."""
    found: list[list[Passage]] = []
    waiting: list[tuple[Node, Any]] = [(target, None)]
    while waiting:
        x, chain = waiting.pop()  # the last passage, and the chain before it
        if x is run_.root:
            path = []
            while chain is not None:
                passage, chain = chain
                path.append(passage)
            found.append(path[::-1])
        else:
            waiting += [(passage.node, (passage, chain)) for passage in reversed(run_.users.get(x, []))]
        if len(found) + len(waiting) > _PATHS:
            return None
    return found


def _along(run_: Pass, path: list[Passage]) -> Any:
    g: Any = np.asarray(run_.gradients[run_.root])[()]
    for step in reversed(path):
        g = along(run_, step, g)
        if g is None:
            return None
    return np.asarray(g)
