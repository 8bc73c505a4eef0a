"""Formulas read from rules: of every primitive there is one, and it says what the rule computes."""

from __future__ import annotations

import re
import weakref

import numpy as np
import scipy.special
from rows import LIBRARY, ROWS
from test_ops import call, recorded, tensors

import autograd
from autograd import step_through, tensor
from autograd.backends import numpy as numpy_namespace
from autograd.backward import history
from autograd.graph.formulas import forward_formula, rule_formula
from autograd.node import Node
from autograd.primitive import primitive, registry

# Rules that have no short formula: loops, several results at once, and arrangements that one line cannot tell apart.
WITHOUT = {"eigh", "gru", "logcumsumexp", "lstm", "rnn", "split", "svd", "window_sum"}


def formulas(node):
    """The formula of a node's result and of each gradient that it passes on, by the rule's names."""
    op, static = node._primitive, node._static or {}
    values = [x._array if isinstance(x, Node) else x for x in node._inputs]
    found = {"out": forward_formula(op, values, static).named({})}
    for i, x in enumerate(node._inputs):
        if isinstance(x, Node) and x.requires_grad and op.rule(i) is not None:
            name = op.inputs[0] if op.variadic else op.inputs[i]
            found[name] = rule_formula(op, i, values, node._array, static).named({})
    return found


def of(function, *inputs, **static):
    """The formulas of the last op that ``function`` records."""
    return formulas(history([function(*inputs, **static)])[-1])


def x(*shape):
    return autograd.tensor(np.full(shape, 0.5), requires_grad=True)


def test_every_primitive_gives_some_formula():
    found: dict[str, set[str]] = {}
    for row in (row for row in ROWS if row.gradient):
        for sample in row.samples:
            inputs, _ = tensors(row, sample)
            for node in history(recorded(call(row, sample, inputs))):
                found.setdefault(node._primitive.name, set()).update(formulas(node).values())
    smooth = {registry[name].name for name in LIBRARY if any(registry[name].rules)}
    assert smooth <= set(found), f"no row records {sorted(smooth - set(found))}"
    for name, texts in found.items():
        for text in texts:
            assert text and text.count("(") == text.count(")") and text.count("[") == text.count("]"), (name, text)
            assert not re.search(r"\bxp\b|lambda|\ue000|\ue001", text), (name, text)
            assert max(map(len, text.split("\n"))) < 230, (name, text)
    assert {name for name, texts in found.items() if any("the rule of" in t for t in texts)} <= WITHOUT


RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
SIGNS = {"·": "*", "−": "-", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", " = ": " == ", "∞": "inf", "not ": "~"}
SIGNS |= {" and ": ") & (", " or ": ") | ("}
FUNCTIONS = {
    "abs": np.abs, "where": np.where, "sqrt": np.sqrt, "ln": np.log, "σ": scipy.special.expit, "exp": np.exp,
    "sign": np.sign, "π": np.pi, "inf": np.inf, "cos": np.cos, "sin": np.sin, "cosh": np.cosh, "sinh": np.sinh,
    "tanh": np.tanh, "Φ": scipy.special.ndtr, "min": np.minimum, "max": np.maximum, "log1p": np.log1p,
    "floor": np.floor, "trunc": np.trunc, "softplus": lambda x: np.logaddexp(0, x), "zeta": scipy.special.zeta,
    **{name: getattr(scipy.special, name) for name in ("digamma", "erfcx", "gammaln", "i0", "i0e", "i1", "i1e")},
}  # fmt: skip
# Helpers of theirs have a name in the formula, and no formula of their own.
NAMED = {"binary_cross_entropy", "digamma", "logaddexp", "logaddexp2", "polygamma"}


def in_python(text):
    """A formula as the expression that a computer would compute."""
    text = re.sub(r"\|([^|]+)\|", r"abs(\1)", text)
    text = re.sub(
        rf"([{RAISED}]+)", lambda found: f"**{found[1].translate(str.maketrans(RAISED, '0123456789-'))}", text
    )
    for sign, meant in SIGNS.items():
        text = text.replace(sign, meant)
    text = re.sub(r"√([\w.]+)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"(\w+) is NaN", r"\1 != \1", text)
    text = re.sub(r"\[([^\[\]]*)\]", r"(1.0 * ((\1)))", text)
    while " where " in text:
        at = text.rindex(" where ")  # it has no other to its right, so the first else there is its own
        begin, end, middle = edge(text, at, -1), edge(text, at, 1), text.index(", else ", at)
        yes, condition, no = text[begin:at], text[at + 7 : middle], text[middle + 7 : end]
        text = f"{text[:begin]}where(({condition}), {yes}, {no}){text[end:]}"
    return text


def edge(text, at, step):
    """The end of the brackets around a place, in one direction."""
    depth = 0
    while True:
        depth += {"(": step, ")": -step}.get(text[at], 0)
        if depth < 0:
            return at if step > 0 else at + 1
        at += step


def test_formulas_compute_what_the_rules_compute():
    """Of every elementwise op: the formula, read back, gives the gradient that the rule gives."""
    checked = set()
    for row in (row for row in ROWS if row.gradient):
        for sample in row.samples:
            inputs, _ = tensors(row, sample)
            for node in history(recorded(call(row, sample, inputs))):
                op, static = node._primitive, node._static or {}
                if not op.elementwise:
                    continue
                values = [v._array if isinstance(v, Node) else v for v in node._inputs]
                g = np.random.default_rng(0).standard_normal(np.shape(node._array))
                names = {"g": g, "out": node._array, **dict(zip(op.inputs, values, strict=False))}
                for i, v in enumerate(node._inputs):
                    if not (isinstance(v, Node) and v.requires_grad and op.rules[i]):
                        continue
                    expression, *where = rule_formula(op, i, values, node._array, static).named({}).split("\n")
                    if op.name in NAMED:
                        continue
                    with np.errstate(all="ignore"):
                        for line in where:
                            name, meant = re.split(" = | ⇔ ", re.sub("^where", "", line).strip(), maxsplit=1)
                            names[name] = eval(in_python(f"({meant})"), FUNCTIONS, names)
                        got = eval(in_python(f"({expression})"), FUNCTIONS, names)
                        kept = {n: s for n, s in static.items() if n not in op.saves}
                        want = op.rule(i)(numpy_namespace, g, node._array, *values, **kept)
                    np.testing.assert_allclose(
                        got * np.ones_like(want), want, rtol=2e-3, atol=1e-12, err_msg=f"{op.name}: {expression}"
                    )
                    checked.add(op.name)
    assert checked | NAMED == {registry[n].name for n in LIBRARY if registry[n].elementwise and any(registry[n].rules)}


def test_formulas_of_the_lectures_functions():
    assert of(autograd.tanh, x()) == {"out": "tanh(x)", "x": "g · (1 − out²)"}
    assert of(autograd.sigmoid, x()) == {"out": "σ(x)", "x": "g · out · (1 − out)"}
    assert of(autograd.relu, x()) == {"out": "max(x, 0)", "x": "g · [out > 0]"}
    assert of(autograd.exp, x()) == {"out": "exp(x)", "x": "g · out"}
    assert of(autograd.log, x()) == {"out": "ln(x)", "x": "g / x"}
    assert of(autograd.sqrt, x()) == {"out": "√x", "x": "g / (2 · out)"}
    assert of(autograd.div, x(), x()) == {"out": "x / y", "x": "g / y", "y": "−g · out / y"}
    assert of(autograd.mul, x(), x()) == {"out": "x · y", "x": "g · y", "y": "g · x"}
    assert of(autograd.softmax, x(2, 3), 1) == {"out": "softmax(x)", "x": "out · (g − Σ(g · out, dim 1))"}
    assert of(autograd.abs, x()) == {"out": "|x|", "x": "g · sign(x)"}
    assert of(autograd.rsqrt, x()) == {"out": "1 / √x", "x": "g · (−0.5 · out³)"}
    assert of(autograd.erf, x())["x"] == "g · 2 / √π · exp(−x²)"
    assert of(autograd.linear, x(2, 3), x(4, 3), x(4)) == {
        "out": "x @ weightᵀ + bias", "x": "g @ weight", "weight": "gᵀ @ x", "bias": "g",
    }  # fmt: skip


def test_what_the_call_fixed_is_decided():
    assert of(autograd.pow, x(), 2) == {"out": "x²", "x": "g · 2 · x"}
    assert of(autograd.pow, x(), 3) == {"out": "x³", "x": "g · 3 · x²"}
    assert of(autograd.pow, x(), x())["x"] == "g · (0 where y = 0, else y · x^(1 where y = 0, else y − 1))"
    assert of(autograd.matmul, x(2, 3), x(3, 4)) == {"out": "x @ y", "x": "g @ yᵀ", "y": "xᵀ @ g"}
    assert of(autograd.matmul, x(3), x(3))["y"] == "g · x"
    assert of(autograd.mean, x(2, 3))["x"] == "g / 6, for every entry"
    assert of(autograd.clamp, x(), 0.0, 1.0)["x"] == "g · [x ≥ 0] · [x ≤ 1]"
    assert of(autograd.clamp, x(), max=1.0)["x"] == "g · [x ≤ 1]"
    assert of(autograd.leaky_relu, x(), 0.1)["x"] == "g · ([x > 0] · 0.9 + 0.1)"
    assert of(lambda t: t[1:, 0], x(2, 3))["out"] == "x[1:, 0]"


def test_names_that_a_rule_gives_are_explained():
    logits, target = x(4, 3), tensor([0, 1, 2, 0])
    assert of(autograd.cross_entropy, logits, target)["logits"].splitlines() == [
        "(probabilities − q) · g / 4", "where probabilities = softmax(logits)", "      q = one_hot(target)",
    ]  # fmt: skip
    assert of(autograd.gelu, x())["x"].splitlines() == [
        "g · (Φ(x) + x · density)", "where density = exp(x² · (−0.5)) · 1 / √(2 · π)",
    ]  # fmt: skip


def test_two_rules_on_one_line_are_told_apart():
    assert of(autograd.xlogy, x(), x())["y"] == "g · x / y"
    pair = primitive(lambda xp, a, b: a * b * b, name="pair")
    pair.grads(a=lambda xp, g, out, a, b: g * b * b, b=lambda xp, g, out, a, b: g * (2 * a * b))
    assert of(pair, x(), x()) == {"out": "a · b²", "a": "g · b²", "b": "g · 2 · a · b"}


def test_a_rule_without_source():
    """As one typed into a plain interpreter, whose lines are kept nowhere."""
    scope: dict[str, object] = {"primitive": primitive, "__name__": "typed"}
    exec(
        "cube = primitive(lambda xp, x: x * x * x, name='cube')\ncube.grads(x=lambda xp, g, out, x: g * 3 * x * x)",
        scope,
    )
    cube = scope["cube"]
    assert of(cube, x()) == {"out": "cube(x)", "x": "the rule of cube, of g, x"}
    t = x()
    assert [step.formula for step in step_through(cube(t))][-1] == "∂L/∂t = the rule of cube, of g, t"


def test_a_rule_that_no_formula_can_be_made_of():
    @primitive
    def odd(xp, x):
        return x

    def rule(xp, g, out, x):
        for _ in range(2):
            g = g * 1
        return g

    odd.grads(x=rule)
    assert of(odd, x()) == {"out": "x", "x": "the rule of odd, of g, x"}


class Sine(autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return tensor(np.sin(x.numpy())) * scale

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return upstream * autograd.cos(x) * ctx.scale, None


def test_functions_are_read_too():
    t = x()
    assert [s.formula for s in step_through(Sine.apply(t, 2.0)) if s.argument] == [
        "∂L/∂t = g · cos(x) · scale\nwhere x = what forward saved"
    ]


def test_formulas_are_kept():
    from autograd.graph import formulas as module

    module._formulas.clear()
    t = x()
    for _ in range(50):
        t = t * 1.5
    step_through(t)
    assert len(module._formulas) == 2
    pair = primitive(lambda xp, a: a, name="pair")
    pair.grads(a=lambda xp, g, out, a: g)
    assert of(pair, x())["a"] == "g"
    pair.grads(a=lambda xp, g, out, a: -g)
    assert of(pair, x())["a"] == "−g"


def test_no_tensor_is_kept_by_a_function():
    def result():
        t = x()
        y = Sine.apply(t, 2.0)
        step_through(y)
        return weakref.ref(t)

    assert result()() is None
