"""The exercises of notebook 3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .exercises import Answer, exercise, wrong


def _rules(answer: Answer, count: int) -> tuple[Any, ...]:
    """The rules of a Value that was handed in, after a look at what it is made of."""
    made = answer.value
    if not all(hasattr(made, name) for name in ("data", "inputs", "rules")):
        wrong(f"{answer.label} is to be a Value; it is of type {type(made).__name__}.")
    if len(made.inputs) != count:
        wrong(f"{answer.label} has {len(made.inputs)} inputs; wanted {count}.")
    if made.rules is ... or any(rule is ... for rule in made.rules):
        wrong(f"{answer.label} has no rules yet, only `...`.")
    if len(made.rules) != count or not all(map(callable, made.rules)):
        wrong(f"{answer.label} is to have a rule for each input, a function of g, in a tuple of {count}.")
    return made.rules


@exercise("3.1")
def division(div: Answer) -> str:
    """x / y is x times 1/y: its slope with respect to x is 1/y, and that of 1/y with respect to y is −1/y²."""
    for x, y, g in [(6.0, 2.0, 1.0), (3.0, -4.0, 1.0), (-1.5, 0.5, 7.0), ([1.0, 2.0], [4.0, -5.0], [1.0, 3.0])]:
        x, y, g = (np.asarray(v) for v in (x, y, g))
        quotient = div(x, y)
        first, second = _rules(quotient, 2)
        Answer(quotient.value.data, f"the data of {quotient.label}").gives(x / y)
        if g.ndim == 0 and g != 1 and np.allclose(first(g), 1 / y):
            wrong("a rule gives upstream times local slope; yours forgets the upstream gradient g.")
        Answer(first, "the rule for x")(g).gives(g / y)
        down = second(g)
        if np.allclose(down, -g / y**2) and not np.allclose(x, 1):
            wrong("the rule for y has lost its x: x / y is x times 1/y, so the slope is x times that of 1/y.")
        Answer(second, "the rule for y")(g).gives(-g * x / y**2)
    return "Like multiplying, dividing needs nothing but its own inputs."


class _Stand:
    """Has what a Value has, and nothing else."""

    births = looks = 0

    def __init__(self, *inputs: _Stand) -> None:
        self._inputs, self.data, self.grad = inputs, np.float64(0), None
        self.rules = tuple(lambda g: g for _ in inputs)
        self.born = _Stand.births = _Stand.births + 1

    @property
    def inputs(self) -> tuple[_Stand, ...]:
        _Stand.looks += 1
        if _Stand.looks > 1_000_000:
            wrong("some values are looked at again and again, once for each path: wait only for those not in `seen`.")
        return self._inputs

    def __repr__(self) -> str:
        return "root"


@exercise("3.2")
def history(history: Answer) -> str:
    """Go from value to inputs, and note each value when it is first met; then sort all that were met by `born`."""
    _Stand.looks = 0
    leaf = _Stand()
    a, b = _Stand(), _Stand()
    total = _Stand(a, b)
    older = _Stand(leaf)
    diamond = _Stand(_Stand(older, leaf), older)
    skipping = _Stand(leaf)
    for _ in range(3):
        skipping = _Stand(skipping, leaf, skipping)
    graphs = {"a leaf": (leaf, 1), "a sum": (total, 3), "a diamond": (diamond, 4), "a value used often": (skipping, 5)}
    for name, (root, size) in graphs.items():
        _ordered(history, root, size, name)
    deep = _Stand()
    for _ in range(20_000):
        deep = _Stand(deep)
    try:
        history.done().value(deep)
    except RecursionError:
        wrong("a chain of 20,000 values is too deep for recursion: keep a list of the values still to be looked at.")
    _ordered(history, deep, 20_001, "a chain of 20,000")
    wide = _Stand()
    for _ in range(40):
        wide = _Stand(wide, wide)
    _ordered(history, wide, 41, "40 doublings")
    return "One visit of each value, however many paths lead there."


def _ordered(history: Answer, root: _Stand, size: int, name: str) -> None:
    order = history(root).value
    if not isinstance(order, list | tuple):
        wrong(f"history is to give a list; it gave something of type {type(order).__name__}.")
    if not all(isinstance(v, _Stand) for v in order):
        wrong("the list is to hold the values themselves.")
    if len(set(order)) < len(order):
        wrong(f"in {name}, {len(order) - len(set(order))} values come more than once: remember which were seen.")
    if root not in order:
        wrong(f"in {name}, the root itself is missing.")
    if len(order) != size:
        wrong(f"in {name} there are {size} values; yours found {len(order)}.")
    place = {v: i for i, v in enumerate(order)}
    if size > 1 and all(place[v] < place[i] for v in order for i in v.inputs):
        wrong("your order is the wrong way round: each value is to come after its inputs.")
    if any(place[i] > place[v] for v in order for i in v.inputs):
        wrong(f"in {name}, a value comes before one of its inputs: the order in which you met them will not do.")


@exercise("3.3")
def unbroadcast(unbroadcast: Answer) -> str:
    """There are g.ndim − len(shape) axes in front: sum over those first. Then over axes that are 1 in shape but longer
    in g, with keepdims=True."""
    rng = np.random.default_rng(0)
    for long, short in [
        ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((2, 3), ()), ((4, 2, 3), (2, 1)),
        ((3, 3), (3,)), ((3, 3), (3, 1)), ((5, 1, 3), (1, 1)), ((2, 1), (2, 1)), ((), ()),
    ]:  # fmt: skip
        g = rng.normal(size=long) if long else np.asarray(1.5)
        wanted = g
        for _ in range(len(long) - len(short)):
            wanted = wanted.sum(axis=0)
        for axis, n in enumerate(short):
            if n == 1:
                wanted = wanted.sum(axis=axis, keepdims=True)
        got = unbroadcast(g, short)
        case = f"unbroadcast of shape {long} to {short}"
        array = np.asarray(got.value)
        if array.shape == wanted.shape and wanted.size < g.size and not np.allclose(array, wanted):
            factor = g.size / wanted.size
            if np.allclose(array * factor, wanted):
                wrong(f"{case}: yours takes the mean; gradients of several uses add up.")
        Answer(array, case).gives(wanted)
    return "A broadcast is a repeated use, and gradients of several uses add up."


@exercise("3.4")
def product(matmul: Answer) -> str:
    """The gradient of X is G Wᵀ, (n, m) times (m, k); that of W has the shape (k, m): which two make it?"""
    rng = np.random.default_rng(0)
    for n, k, m in [(2, 3, 4), (1, 5, 2), (3, 3, 3)]:
        x, w, g = rng.normal(size=(n, k)), rng.normal(size=(k, m)), rng.normal(size=(n, m))
        z = Answer(matmul(x, w).value, "matmul(x, w)")
        for_x, for_w = _rules(z, 2)
        Answer(z.value.data, f"the data of {z.label}").gives(x @ w)
        Answer(for_x, "the rule for x")(g).gives(g @ w.T)
        Answer(for_w, "the rule for w")(g).gives(x.T @ g)
    return "Going back through a matrix is multiplying by its transpose."


@exercise("3.5")
def one_node(fused_cross_entropy: Answer) -> str:
    """Take the row's largest score away, then log_p = shifted − ln Σ e^shifted. The loss is the mean of
    −log_p[rows, classes]; the rule takes e^log_p, subtracts 1 at [rows, classes], and divides by n."""
    rng = np.random.default_rng(0)
    for scores in [rng.normal(size=(3, 4)), rng.normal(size=(5, 10)) * 3, np.array([[1000.0, -1000, 0], [0, 0, 1000]])]:
        classes = rng.integers(0, scores.shape[1], len(scores))
        rows = np.arange(len(scores))
        kept = scores.copy()
        loss = fused_cross_entropy(scores, classes)
        made = loss.value
        (rule,) = _rules(loss, 1)
        shifted = scores - scores.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        p /= p.sum(axis=1, keepdims=True)
        each = np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, classes]
        data = np.asarray(made.data)
        if data.dtype == object or data.shape != ():
            wrong(f"the loss is to be one number, the mean over the rows; yours is {made.data!r}.")
        if not np.isfinite(data):
            wrong(f"for scores of ±1000 the loss is {data}: take the largest score of each row away before exp.")
        if math.isclose(float(data), each.sum(), rel_tol=1e-9) and len(each) > 1 and each.sum() > 0:
            wrong("the loss is the sum over the rows; the mean is wanted.")
        Answer(data, "the loss").gives(each.mean())
        difference = p.copy()
        difference[rows, classes] -= 1
        for g in (1.0, -2.5, 1.0):  # the last one shows a rule that has changed what it remembers
            down = Answer(rule, "the rule")(np.asarray(g))
            if g != 1 and np.allclose(np.asarray(down.value), difference / len(classes)):
                wrong("the rule forgets the upstream gradient g: multiply by it.")
            if g == -2.5 and np.allclose(
                np.asarray(down.value) / g, difference / len(classes) - (p - difference) / len(classes)
            ):
                wrong("the second call of the rule gives another result: it subtracts in place from what it remembers.")
            down.gives(g * difference / len(classes))
        if not np.array_equal(scores, kept):
            wrong("the scores were changed: make a copy before you subtract in place.")
    return "Probabilities minus the right answer: a whole subgraph in one line."
