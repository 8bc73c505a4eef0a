"""The exercises of the notebook on values and gradients."""

from __future__ import annotations

import math
import random

import autograd

from .exercises import Answer, exercise, wrong


@exercise("1.1")
def three_gates(add_gate: Answer, multiply_gate: Answer, maximum_gate: Answer) -> str:
    """Downstream is upstream times local. Local derivatives: of a sum 1 and 1, of x·y first y and then x, of the
    larger input of a maximum 1 and of the other one 0."""
    examples = [(1.0, 2.0, 5.0), (10.0, 2.0, 5.0), (-3.0, 4.0, -0.5), (0.5, -1.0, -2.0)]
    for g, x, y in examples:
        pair = _pair(add_gate(g, x, y))
        pair.gives((g, g))
    for g, x, y in examples:
        pair = _pair(multiply_gate(g, x, y))
        right, kept = (g * y, g * x), (g * x, g * y)
        pair.holds(
            not _close(pair, kept), f"gives each input its own value times g; a product switches: x gets {right[0]:g}."
        )
        pair.holds(g == 1 or not _close(pair, (y, x)), f"leaves the upstream gradient out: times {g:g}.")
        pair.gives(right)
    for g, x, y in examples:
        pair = _pair(maximum_gate(g, x, y))
        pair.holds(not _close(pair, (g, g)), "gives both inputs the gradient; only the larger one moves the output.")
        pair.holds(
            not _close(pair, (max(x, y) if x > y else 0, max(x, y) if y > x else 0)) or g == max(x, y),
            "passes the larger value on; what travels back is the gradient g.",
        )
        pair.holds(
            not _close(pair, (g, 0.0) if x < y else (0.0, g)),
            "gives the gradient to the smaller input; that one can move a little and nothing changes.",
        )
        pair.gives((g, 0.0) if x > y else (0.0, g))
    return "Sums distribute, products switch, maxima route; and none needs to know what lies beyond."


@exercise("1.2")
def on_paper(by_hand: Answer) -> str:
    """Values first: u·v = 6, v + w = 2. Then from the right: the outer product hands 2 to u·v and 6 to v + w. What
    comes to v along its two arrows is added."""
    got = by_hand.done().value
    if isinstance(got, dict) and all(isinstance(got.get(name), int | float) for name in "uvw"):
        if got["v"] in (4, 6):
            wrong(f"v has {got['v']} from one of its two uses, and that part is right; what comes from the other one?")
        if got == {"u": 2, "v": 3, "w": -1}:
            wrong("These are the values of u, v and w; the gradients are asked for.")
        by_hand.holds(got["u"] != 3, "gives u only its local derivative, v = 3; times what comes from upstream.")
        by_hand.holds(got["v"] != 24, "multiplies what comes to v along its two arrows; it is to be added.")
    by_hand.gives({"u": 6.0, "v": 10.0, "w": 6.0})
    return "You did by hand what backward() does."


@exercise("1.3")
def way_back(backward_order: Answer) -> str:
    """Go through the graph depth first from the result, and enter a name into the list when everything that it depends
    on is in it. That is a forward order; reverse it."""
    _ordered(backward_order, {"f": ["a", "b"], "a": ["x", "y"], "b": ["y", "z"]}, "f")
    _ordered(backward_order, {"c": ["t", "t"], "d": ["c"], "e": ["d", "c"]}, "e")
    _ordered(backward_order, {"e": ["c", "d"], "d": ["c"], "c": ["t", "t"]}, "e")
    _ordered(backward_order, {"p": ["x"], "q": ["p"], "r": ["q"], "out": ["p", "r", "x"]}, "out")
    _ordered(backward_order, {"used": ["x"], "unused": ["x", "used"], "out": ["used"]}, "out")
    _ordered(backward_order, {}, "x")
    draw = random.Random(0)
    for _ in range(20):
        names = [f"n{i}" for i in range(12)]
        draw.shuffle(names)
        graph = {name: draw.choices(names[:i], k=draw.randint(1, 3)) for i, name in enumerate(names) if i > 2}
        _ordered(backward_order, graph, names[-1])
    return "No box passes on a gradient before it has all of it."


@exercise("1.4")
def tie_of_three(nested: Answer, together: Answer) -> str:
    """A two-way tie halves the gradient. In the nested form the inner maximum and t tie first, and then r and s share
    what the inner maximum got. One operation over three equal entries gives each the same."""
    r, s, t = (autograd.tensor(1.0, requires_grad=True) for _ in range(3))
    shares = autograd.grad(autograd.maximum(autograd.maximum(r, s), t), [r, s, t])
    for answer in (nested, together):
        if isinstance(answer.value, tuple | list) and ... in answer.value:
            wrong(f"{answer.label} still has ... in it: put a number for each of r, s and t there.")
    values = nested.done().value
    if isinstance(values, tuple | list) and all(isinstance(v, int | float) for v in values):
        nested.holds(
            not math.isclose(sum(values), 1) or not all(math.isclose(v, 1 / 3) for v in values),
            "shares evenly among three; but the outer maximum sees only two inputs, and halves.",
        )
        nested.holds(math.isclose(sum(values), 1), "does not add up to 1: a tie shares the gradient, and loses none.")
    nested.gives([g.item() for g in shares])
    row = autograd.stack([r, s, t])
    together.gives([g.item() for g in autograd.grad(row.amax(), [r, s, t])])
    return "The same value, computed in two ways, may have two different subgradients at a tie; both are fair."


@exercise("1.5")
def gradient_descent(descend: Answer) -> str:
    """In each step make two Tensors with requires_grad=True from the present x and y, call f(...).backward() on them,
    and subtract rate times .grad from each."""

    def bowl(x, y):
        return x * x + 3.0 * y * y

    def coupled(x, y):
        return (x - 1.0) * (x - 1.0) + x * y + y * y

    found = descend(bowl, 1.0, -1.0, 0.1, 3)
    path = found.value
    found.holds(isinstance(path, list) and len(path) > 0, "is to be a list of points.")
    found.holds(len(path) == 4, f"has {len(path)} points; the start and one more for each of 3 steps make 4.")
    pairs = all(isinstance(p, tuple | list) and len(p) == 2 for p in path)
    found.holds(pairs, "is to be a list of pairs (x, y).")
    plain = all(isinstance(v, int | float) for p in path for v in p)
    found.holds(plain, "is to hold plain numbers: take .item() of Tensors.")
    found.holds(tuple(path[0]) == (1.0, -1.0), "does not begin with the start.")
    found.holds(not _near(path[1], (1.2, -1.6)), "goes uphill: a step goes against the gradient.")
    found.holds(not _near(path[1], (-1.0, 5.0)), "leaves the rate out.")
    piled = [(1.0, -1.0), (0.8, -0.4), (0.44, 0.44)]
    found.holds(
        not (_near(path[1], piled[1]) and _near(path[2], piled[2])),
        "has a right first step, and then old gradients in .grad: backward() adds to them. Make new Tensors each time.",
    )
    found.gives(_descent(lambda x, y: (2 * x, 6 * y), 1.0, -1.0, 0.1, 3), rtol=1e-4, atol=1e-5)
    second = descend(coupled, 0.5, 2.0, 0.2, 2)
    one_by_one = (0.5 - 0.2 * 1.0, 2.0 - 0.2 * (0.3 + 4.0))
    second.holds(
        not _near(second.value[1], one_by_one),
        "moves x first and takes the gradient by y at the new place; both are taken at the same point.",
    )
    wanted = _descent(lambda x, y: (2 * (x - 1) + y, x + 2 * y), 0.5, 2.0, 0.2, 2)
    second.gives(wanted, rtol=1e-4, atol=1e-5)
    descend(bowl, 2.0, 2.0, 0.1, 0).gives([(2.0, 2.0)])
    return "These few lines, with more than two numbers in them, train networks."


def _pair(answer: Answer) -> Answer:
    value = answer.done().value
    if isinstance(value, tuple | list) and ... in value:
        wrong(f"{answer.label} still has ... in it.")
    return answer.holds(
        isinstance(value, tuple | list) and len(value) == 2, "is to be two numbers, the gradient for x and that for y."
    )


def _near(got, wanted) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5) for a, b in zip(got, wanted, strict=True))


def _close(pair: Answer, wanted: tuple[float, float]) -> bool:
    try:
        return _near([float(v) for v in pair.value], wanted)
    except (TypeError, ValueError):
        return False


def _descent(slopes, x: float, y: float, rate: float, steps: int) -> list[tuple[float, float]]:
    path = [(x, y)]
    for _ in range(steps):
        by_x, by_y = slopes(x, y)
        x, y = x - rate * by_x, y - rate * by_y
        path.append((x, y))
    return path


def _ordered(backward_order: Answer, graph: dict[str, list[str]], result: str) -> None:
    """Refuses an order in which a name is missing, doubled, out of place, or no part of the result."""
    found = backward_order({name: list(sources) for name, sources in graph.items()}, result)
    order = found.value
    found.holds(isinstance(order, list), "is to be a list of names.")
    found.holds(len(order) > 0, "is empty.")
    found.label = (
        f"For the graph {graph} your order is {order}, which" if len(graph) < 6 else "Of a larger graph your order"
    )
    needed, waiting = set(), [result]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += graph.get(name, [])
    if order == [result] and len(needed) > 1:
        found.holds(False, "stops at the result; it has to go on to all that the result depends on.")
    for name in order:
        found.holds(order.count(name) == 1, f"has {name} more than once.")
        found.holds(name in needed, f"has {name}, which {result} does not depend on.")
    missing = needed - set(order)
    found.holds(not missing, f"lacks {', '.join(sorted(missing))}.")
    if len(order) > 1 and order[-1] == result:
        found.holds(False, "goes forward; reverse it.")
    for name in order:
        for source in graph.get(name, []):
            found.holds(
                order.index(name) < order.index(source),
                f"has {source} before {name}, which uses it: then a part of its gradient is not there yet.",
            )
