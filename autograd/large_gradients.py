"""The backward pass through elementwise operations on large arrays, block by block.

A gradient that goes through several of them would be written to memory and read again by each. Here all of them take a
block of entries before any takes the next, so that what goes from one to the other stays in the cache, and every thread
takes blocks of its own. Each entry is computed by the same rules in the same order: the results are the same bits.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from .backends import numpy as xp
from .large_arrays import APART, SAMPLE, flat, run
from .node import LastWrite, Node

__all__ = ["LARGE", "walk"]

# Entries, below which it costs more than it saves, of several operations in a row and of one alone.
LARGE, LARGE_ALONE = 1 << 18, 1 << 19
_OF_A_RULE = 3  # arrays that it reads and writes, about


class Step:
    """One node: which of its inputs have rules, and what the rules take, entries in a row."""

    __slots__ = ("asked", "cut", "names", "node", "values")

    def __init__(self, node: Any, asked: list[Any], values: list[Any], cut: list[Any], names: tuple[str, ...]) -> None:
        self.node, self.asked, self.values, self.cut, self.names = node, asked, values, cut, names

    def arguments(self, span: slice) -> tuple[list[Any], dict[str, Any]]:
        """The result, the inputs and the static arguments of the entries of ``span``."""
        values = [a if row is None else row[span] for row, a in zip(self.cut, self.values, strict=True)]
        if not self.names:
            return values, {}
        n = len(values) - len(self.names)
        return values[:n], dict(zip(self.names, values[n:], strict=True))


def walk(
    node: Any, g: np.ndarray, order: list[Any], grads: dict[Any, Any], owned: set[Any], selected: bool,
    wanted: Collection[Any], needed: set[Any] | None, retain_graph: bool,
) -> bool | None:  # fmt: skip
    """Visits ``node``, whose gradient is ``g``, and those that follow in ``order``, as many as are elementwise.

    They are taken from ``order``, and ``grads`` and ``owned`` are left as ``backward.run`` leaves them.

    Returns whether an operation that selects has been met, or None where nothing was done.
    """
    start = {node: g}
    steps: list[Step] = []
    behind = selected  # an operation that selects
    while True:
        found = _step(node, g if not steps else grads.get(node), g.shape, grads, wanted, needed)
        if found is None or (behind and not node._primitive.selects):
            break
        steps.append(found)
        behind = behind or node._primitive.selects
        if len(steps) > len(order):
            break
        node = order[-len(steps)]
    if not steps or (len(steps) == 1 and g.size < LARGE_ALONE):
        return None
    for x in [x for step in steps for x in (step.node, *(x for x, _ in step.asked))]:
        if x not in start and x in grads:
            start[x] = grads[x]
    entries: dict[Any, Any] = {x: flat(a, g.shape) for x, a in start.items()}
    sample = {x: row[SAMPLE] for x, row in entries.items()}
    visited: list[Step] = []
    ends = _block(steps, SAMPLE, dict(sample), set(), visited=visited)
    if ends is None:
        return None
    handed_on = {x: start[y] for x, part in ends.items() for y, given in sample.items() if part is given}
    into = {x: np.empty(g.size, part.dtype) for x, part in ends.items() if x not in handed_on}
    kept = {x for x in into if x in owned}
    into |= {x: entries[x] for x in kept}

    def task(span: slice) -> None:
        _block(visited, span, {x: row[span] for x, row in entries.items()}, kept, into)

    if into:
        run(task, g.size, g.itemsize, sum(1 + _OF_A_RULE * len(step.asked) for step in visited))
    if len(steps) > 1:
        del order[1 - len(steps) :]
    for step in visited:
        selected = selected or step.node._primitive.selects
        grads.pop(step.node, None)
        owned.discard(step.node)
        if not retain_graph:
            step.node._inputs = step.node._static = None
        if needed is not None:
            needed.discard(step.node)
    for x, row in into.items():
        if x not in kept:
            grads[x] = row.reshape(g.shape)
            owned.add(x)
    grads |= handed_on
    return selected


def _step(
    node: Any, g: Any, shape: tuple[int, ...], grads: dict[Any, Any], wanted: Collection[Any], needed: set[Any] | None
) -> Step | None:
    """How to visit a node, if what its rules take is of one shape and in order in memory, and nothing else is to do."""
    primitive, given, tick = node._primitive, node._inputs, node._tick
    if not primitive.spreads or given is None or node._extra is not None or node in wanted or LastWrite.tick >= tick:
        return None
    if not _in_order(g, shape):
        return None
    if type(node._array) is not np.ndarray or node._array.shape != shape:
        return None
    static = node._static or {}
    values: list[Any] = [node._array]
    asked: list[Any] = []
    for index, x in enumerate(given):
        if not isinstance(x, Node):
            values.append(x)
            continue
        values.append(x._array)
        if x._tick > tick:
            return None
        rule = primitive.rules[index] if x._requires_grad else None
        if rule in APART:
            return None
        if rule is None or (needed is not None and x not in needed):
            continue
        if x._array.shape != shape or not _in_order(grads.get(x), shape):
            return None  # where x was broadcast, its gradient is a sum
        asked.append((x, rule))
    values += static.values()
    cut = [flat(a, shape) if type(a) is np.ndarray and a.ndim else None for a in values]
    if any(row is None and type(a) is np.ndarray and a.ndim for row, a in zip(cut, values, strict=True)):
        return None
    return Step(node, asked, values, cut, tuple(static))


def _in_order(g: Any, shape: tuple[int, ...]) -> bool:
    return g is None or (type(g) is np.ndarray and flat(g, shape) is not None)


def _block(
    steps: list[Step], span: slice, grads: dict[Any, Any], kept: set[Any], into: dict[Any, Any] | None = None,
    visited: list[Step] | None = None,
) -> dict[Any, Any] | None:  # fmt: skip
    """All steps on the entries of ``span``, from ``grads``: the gradients that leave them, written ``into`` arrays.

    Without those it is only tried; then None says that a rule does not do what those of elementwise functions do.
    ``visited`` is to hold the steps that a gradient has reached.
    """
    owned = set(kept)
    reached: dict[Any, Any] = {}
    for step in steps:
        g = grads.pop(step.node, None)
        reached.pop(step.node, None)
        if g is None:
            continue
        if visited is not None:
            visited.append(step)
        values, static = step.arguments(span)
        for x, rule in step.asked:
            gx = rule(xp, g, *values, **static)
            if gx is None:
                continue
            if into is None and (type(gx) is not np.ndarray or gx.shape != g.shape):
                return None
            if gx.dtype != x._array.dtype:
                gx = gx.astype(x._array.dtype)
            before = grads.get(x)
            if before is None:
                if gx.base is None and gx is not g:
                    owned.add(x)
            elif x in owned:
                before += gx
                gx = before
            else:
                gx = before + gx
                owned.add(x)
            grads[x] = reached[x] = gx
    if into is not None:
        for x, gx in reached.items():
            if x in into and x not in kept:
                into[x][span] = gx
    return reached
