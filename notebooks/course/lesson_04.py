"""The exercises of notebook 4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import primitive

from .exercises import Answer, exercise, wrong


@exercise("4.1")
def centred(centred: Answer) -> str:
    """The two points are x + h and x − h: how far apart are they?"""
    for f, x, h in [(np.sin, 0.3, 0.1), (np.exp, 1.0, 0.01), (lambda x: x**3, -2.0, 0.5), (np.cos, 0.0, 1e-4)]:
        wanted = (f(x + h) - f(x - h)) / (2 * h)
        got = centred(f, x, h)
        value = got.number()
        for other, name in [((f(x + h) - f(x)) / h, "to the right"), ((f(x) - f(x - h)) / h, "to the left")]:
            if np.isclose(value, other) and not np.isclose(other, wanted):
                wrong(f"that is the one-sided difference {name}; take one point on each side of x.")
        if np.isclose(value, wanted * h * h) and not np.isclose(wanted, 0):
            wrong("in Python `a / 2 * h` is (a / 2) · h: put parentheses around 2 * h.")
        got.gives(wanted, rtol=1e-7, atol=1e-10)
    points = centred(lambda x: x**2, np.array([1.0, 2.0]), 0.1)
    points.gives([2.0, 4.0], rtol=1e-7)
    return "For a parabola it is exact with any step, since its third derivative is 0."


@exercise("4.2")
def best_step(best_step: Answer) -> str:
    """E'(h) = M h / 3 − u F / h². Set it to 0 and solve for h³."""
    rng = np.random.default_rng(0)
    for F, M, u in [(1.0, 1.0, 1.1e-16), (2.0, 0.5, 1e-10), *rng.uniform(0.1, 5, (4, 3))]:
        got = best_step(F, M, u)
        h, wanted = got.number(), (3 * u * F / M) ** (1 / 3)
        got.holds(h > 0, "is not positive: a step has a length.")
        if not np.isclose(h, wanted, atol=0):
            if np.isclose(h, (u * F / M) ** (1 / 3), atol=0):
                wrong("nearly: the 3 of the derivative M h / 3 is lost.")
            if np.isclose(h, (3 * u * M / F) ** (1 / 3), atol=0):
                wrong("F and M have changed places: the larger the third derivative, the smaller the step is to be.")
            if np.isclose(h, wanted**1.5, atol=0):
                wrong("that is a square root; after multiplying with h² there is h³.")
            if np.isclose(h, wanted**3, atol=0):
                wrong("that is h³: take the cube root.")
        got.gives(wanted, rtol=1e-6, atol=0.0)
    return "A third of the digits go into the step: the cube root of 1e-16 is about 5e-6."


@exercise("4.3")
def numeric_gradient(numeric_gradient: Answer) -> str:
    """For each index: copy x twice, add h to the entry in one copy, take it away in the other, and divide the
    difference of f by 2 h."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 3))
    matrix = rng.normal(size=(2, 3))
    cases: list[tuple[Callable[[Any], float], np.ndarray, np.ndarray]] = [
        (lambda x: float((x**2).sum()), np.array([1.0, -2.0, 3.0]), np.array([2.0, -4.0, 6.0])),
        (lambda x: float((np.sin(x) * weights).sum()), matrix, np.cos(matrix) * weights),
        (lambda x: float(np.prod(x)), np.array([[2.0], [3.0], [5.0]]), np.array([[15.0], [10.0], [6.0]])),
        (lambda x: float(np.exp(x)), np.array(0.5), np.exp(0.5)),
        (lambda x: float((x**2).sum()) / 4, np.array([1, -2]), np.array([0.5, -1.0])),
    ]
    for f, x, wanted in cases:
        kept, asked = x.copy(), []

        def counted(y: Any, f: Any = f, asked: list[Any] = asked) -> float:
            asked.append(np.array(y, float))
            return f(y)

        counted.__name__ = "f"
        got = numeric_gradient(counted, x)
        if not np.array_equal(x, kept):
            wrong("x was changed, and not put back as it was (adding and subtracting h rounds). Work on a copy of it.")
        array = np.asarray(got.value, float)
        if array.shape == wanted.shape and not array.any() and wanted.any():
            wrong("the gradient is all zeros: is something written into it, and are the copies of x of type float?")
        moved = [np.count_nonzero(np.abs(y - kept) > 1e-12) for y in asked if y.shape == x.shape]
        if x.size > 1 and moved and max(moved) > 1:
            wrong("several entries were moved at once: put one back, or begin with a new copy, before the next moves.")
        if len(asked) == x.size + 1 and x.size > 1:
            wrong("these are one-sided differences; centred ones ask f twice for each entry.")
        if x.dtype.kind == "i" and array.shape == wanted.shape and not np.allclose(array, wanted, rtol=1e-5):
            wrong("x holds integers here, and would round what is added: let its copies and the gradient be float.")
        got.gives(wanted, rtol=1e-5, atol=1e-7)
    return "It works for every function, and asks it twice for each entry."


def _elementwise(name: str, forward: Any, rule: Any) -> Any:
    forward.__name__ = name
    made = primitive(elementwise=True, promote="float")(forward)
    made.grads(x=rule)
    return made


@exercise("4.4")
def trustworthy(trustworthy: Answer) -> str:
    """In a loop: inputs = [autograd.randn(*shape, dtype=float64, requires_grad=True) for shape in shapes], and if
    gradcheck(operation, inputs, raise_exception=False) is False, return False. Return True after the loop."""

    def ask(operation: Any, *shapes: Any) -> bool:
        answer = trustworthy(operation, *shapes)
        answer.holds(isinstance(answer.value, bool | np.bool_), "is neither True nor False.")
        return bool(answer.value)

    true_rule = _elementwise("square", lambda xp, x: x * x, lambda xp, g, out, x: 2 * g * x)
    negative = _elementwise("square_2", lambda xp, x: x * x, lambda xp, g, out, x: xp.where(x > 0, 2.0, 2.5) * g * x)
    positive = _elementwise("square_3", lambda xp, x: x * x, lambda xp, g, out, x: xp.where(x < 0, 2.0, 2.5) * g * x)
    places = set()

    def watched(xp: Any, x: Any) -> Any:
        places.add(tuple(np.round(np.asarray(x), 2).ravel()))
        return x * x

    right = _elementwise("square_4", watched, lambda xp, g, out, x: 2 * g * x)

    @primitive
    def shares(xp: Any, x: Any) -> Any:
        return x / x.sum(axis=-1, keepdims=True)

    shares.grads(x=lambda xp, g, out, x: (g - g.mean(axis=-1, keepdims=True)) / x.sum(axis=-1, keepdims=True))

    @primitive(elementwise=True, promote="float")
    def times(xp: Any, x: Any, y: Any) -> Any:
        return x * y

    times.grads(x=lambda xp, g, out, x, y: g * y, y=lambda xp, g, out, x, y: g * y)

    state = autograd.get_rng_state()
    try:
        if ask(negative, (2, 3)) and ask(positive, (2, 3)):
            wrong("it gives True for a rule that is wrong: is gradcheck called, with raise_exception=False?")
        if not ask(true_rule, (2, 3)) or not ask(autograd.matmul, (2, 3), (3, 2)):
            wrong("it gives False for a rule that is right. Are the inputs float64?")
        for operation, shapes, sentence in [
            (negative, [(3,)], "a rule that is wrong for negative inputs slips through: randn draws both signs."),
            (positive, [(3,)], "a rule that is wrong for positive inputs slips through."),
            (times, [(3,), (3,)], "a rule that is wrong for the second input slips through: let all require grad."),
            (shares, [(2, 3)], "a rule that is wrong only for unequal upstream gradients slips through: do not sum."),
        ]:
            if ask(operation, *shapes):
                wrong(sentence)
        ask(right, (3,))
        if len(places) < 3:
            wrong("it looks at too few places: draw new inputs several times. A rule may be wrong only above 1, say.")
    finally:
        autograd.set_rng_state(state)
    return "Random, of both signs, every input, every output, several times."


def _rule(answer: Answer) -> Callable[..., Answer]:
    """A rule to be called without the namespace, which is NumPy."""
    function = answer.done().value
    answer.holds(callable(function), "is to be a function, rule(xp, g, out, x).")

    def call(*arrays: Any) -> Any:
        return function(np, *arrays)

    call.__name__ = answer.label

    def ask(*arrays: Any) -> Answer:
        return Answer(Answer(call, answer.label)(*arrays).value, f"the gradient by {answer.label}")

    return ask


@exercise("4.5")
def repaired(leaky_rule: Answer, softmax_rule: Answer, normalise_rule: Answer, project_w_rule: Answer) -> str:
    """leaky: 0.1. softmax: out · (g − Σ g · out). normalise: the share of s is −out · mean(g · out) / s.
    project: xᵀ g, of shape (k, n) times (n, m)."""
    rng = np.random.default_rng(0)
    leaky, softmax, normalise, project = map(_rule, (leaky_rule, softmax_rule, normalise_rule, project_w_rule))
    for n, k in [(2, 3), (4, 5), (3, 3)]:
        x, g, w = rng.normal(size=(n, k)), rng.normal(size=(n, k)), rng.normal(size=(k, 2))
        leaky(g, np.where(x > 0, x, 0.1 * x), x).gives(g * np.where(x > 0, 1, 0.1))
        p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        down = softmax(g, p, x)
        if np.allclose(np.asarray(down.value), g * p * (1 - p)):
            wrong("softmax_rule has only the terms with i = j; every p_i depends on every x_j.")
        down.gives(p * (g - (g * p).sum(axis=1, keepdims=True)))
        c = x - x.mean(axis=1, keepdims=True)
        s = np.sqrt((c * c).mean(axis=1, keepdims=True))
        out = c / s
        without_mean, product = g - g.mean(axis=1, keepdims=True), g * out
        down = normalise(g, out, x)
        value = np.asarray(down.value)
        if np.allclose(value, without_mean / s):
            wrong("normalise_rule still treats the spread as a constant: add its share.")
        if np.allclose(value, (without_mean + out * product.mean(axis=1, keepdims=True)) / s):
            wrong("normalise_rule adds the share of the spread; a larger spread makes the results smaller.")
        if np.allclose(value, (without_mean - out * product.sum(axis=1, keepdims=True)) / s):
            wrong("normalise_rule sums where it is to take the mean: there is a 1/n in the slope of s.")
        down.gives((without_mean - out * product.mean(axis=1, keepdims=True)) / s)
        upstream = rng.normal(size=(n, 2))
        project(upstream, x @ w, x, w).gives(x.T @ upstream)
    return "Four rules that will never be noticed again, which is the best that can be said of a rule."


@exercise("4.6")
def judge(judge: Answer) -> str:
    """If rule(x) is below the smaller of the two slopes or above the larger (by more than `close`), it is wrong.
    Else it is right where the two slopes are close, and a kink where they are not."""
    cases = [
        (np.sin, np.cos, 0.7, "right"),
        (np.exp, np.exp, 2.0, "right"),
        (lambda x: max(x, 0.0), lambda x: float(x > 0), 0.0, "kink"),
        (lambda x: max(x, 0.0), lambda x: 1.0, 0.0, "kink"),
        (abs, lambda x: 0.0, 0.0, "kink"),
        (lambda x: min(x, 2 * x), lambda x: 1.5, 0.0, "kink"),
        (lambda x: max(x, 0.0), lambda x: float(x > 0), -1.0, "right"),
        (np.sin, lambda x: -np.cos(x), 0.7, "wrong"),
        (lambda x: max(x, 0.0), lambda x: 2.0, 0.0, "wrong"),
        (lambda x: max(x, 0.0), lambda x: -0.5, 0.0, "wrong"),
        (abs, lambda x: 1.0, -3.0, "wrong"),
        (np.exp, lambda x: 1.01 * np.exp(x), 0.0, "wrong"),
    ]
    sentences = {
        ("right", "kink"): "the slopes left and right differ here: a kink",
        ("right", "wrong"): "the rule is wrong here, and passes as right",
        ("kink", "right"): "there is no kink here: left and right agree, and the rule too",
        ("kink", "wrong"): "a wrong rule passes as a kink: only slopes from the left one to the right one are fair",
        ("wrong", "right"): "the rule is right here",
        ("wrong", "kink"): "this slope is fair: it lies between the left one and the right one",
    }
    for f, rule, x, wanted in cases:
        got = judge(f, rule, x).done()
        if got.value not in ("right", "kink", "wrong"):
            wrong(f'judge is to give "right", "kink" or "wrong"; it gave {got.value!r}.')
        if got.value != wanted:
            slopes = [(f(x + 1e-5) - f(x)) / 1e-5, (f(x) - f(x - 1e-5)) / 1e-5]
            wrong(
                f"with slopes {slopes[1]:.4f} on the left and {slopes[0]:.4f} on the right, and the rule saying "
                f"{rule(x):.4f}, it gave {got.value!r}: {sentences[got.value, wanted]}."
            )
    return "One half, 0 and 1 are all fair at the kink of ReLU, and 2 is not."
