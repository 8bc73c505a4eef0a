"""The exercises of notebook 14, your own op, layer and optimizer."""

from __future__ import annotations

import functools

import numpy as np

import autograd
import nn
from autograd import primitive

from .exercises import Answer, NotYet, exercise, wrong


def _with_numpy(answer: Answer) -> Answer:
    """A rule as it is called in training, with NumPy for xp."""
    rule = answer.done().value

    @functools.wraps(rule)
    def called(*inputs, **static):
        return rule(np, *inputs, **static)

    return Answer(called, answer.label)


def _again(op, inputs, label: str) -> None:
    """Refuses a rule that cannot be differentiated itself."""
    try:
        right = autograd.gradcheck(op, inputs, raise_exception=False)
        right = right and autograd.gradgradcheck(op, inputs, raise_exception=False)
    except Exception as error:
        raise NotYet(
            f"{label} is right on arrays, and fails on Tensors, when a gradient is differentiated again: "
            f"{type(error).__name__}: {error}. Use operators and the functions of xp, not those of NumPy."
        ) from error
    if not right:
        wrong(f"{label} is right on arrays, but its own derivative is not: something in it is taken for a constant.")


@exercise("14.1")
def width_rule(rule_for_width):
    """Keep x fixed. The exponent is −x² width⁻² / 2, and its derivative by the width is x² / width³. The outer
    derivative is out again, as in the rule for x."""
    rng = np.random.default_rng(0)
    called = _with_numpy(rule_for_width)
    for shape, of_width in (((4,), (4,)), ((3, 4), (4,)), ((2, 3), ())):
        x, width = rng.normal(size=shape), rng.uniform(0.5, 2, of_width)
        out, g = np.exp(-0.5 * (x / width) ** 2), rng.normal(size=shape)
        wanted = g * out * x * x / width**3
        got = called(g, out, x, width)
        given = np.asarray(got.value)
        if given.shape != wanted.shape:
            wrong(
                f"{rule_for_width.label} gives shape {given.shape} for x of shape {shape}; give a value for every "
                "entry of x, and leave it to the engine to add up what belongs to one width."
            )
        got.holds(not np.allclose(given * g, wanted), "lacks the upstream gradient g: downstream = upstream × local.")
        got.gives(wanted)

    @primitive(elementwise=True, promote="float")
    def op(xp, x, width):
        return xp.exp(-0.5 * (x / width) * (x / width))

    op.grads(x=lambda xp, g, out, x, width: -g * out * x / (width * width), width=rule_for_width.value)
    x = autograd.tensor(rng.normal(size=(3, 4)), requires_grad=True)
    width = autograd.tensor(rng.uniform(0.5, 2, 4), requires_grad=True)
    _again(op, [x, width], rule_for_width.label)
    return "The second derivatives are right too, and nobody wrote them down."


@exercise("14.2")
def rms_rule(rule_for_rms):
    """Square the definition: out² · n = Σ xⱼ², so 2 n · out · ∂out/∂xᵢ = 2 xᵢ. n is x.shape[axis]. g and out have size
    1 along the axis and are broadcast against x by themselves."""
    rng = np.random.default_rng(0)
    called = _with_numpy(rule_for_rms)
    for shape, axis in (((3, 4), -1), ((3, 4), 0), ((2, 3, 5), 1)):
        x = rng.normal(size=shape)
        n = x.shape[axis]
        out = np.sqrt((x * x).mean(axis, keepdims=True))
        g = rng.normal(size=out.shape)
        got = called(g, out, x, axis=axis)
        wanted = g * x / (n * out)
        given = np.asarray(got.value)
        if given.shape == wanted.shape:
            got.holds(not np.allclose(given, n * wanted), "lacks the 1/n of the mean.")
            got.holds(
                not np.allclose(given * x.size, n * wanted),
                "is divided by the number of all entries; the mean runs along one axis only.",
            )
            got.holds(not np.allclose(given * g, wanted), "lacks the upstream gradient g.")
        got.gives(wanted)

    @primitive
    def op(xp, x, *, axis):
        return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=True) / x.shape[axis])

    op.grads(x=rule_for_rms.value)
    for axis in (-1, 0):
        x = autograd.tensor(rng.normal(size=(3, 4)), requires_grad=True)
        _again(functools.partial(op, axis=axis), [x], rule_for_rms.label)
    return "A reduction hands its gradient back to every entry that went into it."


@exercise("14.3")
def quantize(Quantize):
    """On the way back pretend that nothing was rounded. Clipping is a real bend though: an entry beyond the limit
    cannot move the result, so it gets 0. `w.abs() <= ctx.limit` is a mask of True and False; multiply by it. backward
    returns one value for each argument of forward."""
    op = Quantize.done().value
    if not (isinstance(op, type) and issubclass(op, autograd.Function)):
        wrong(f"{Quantize.label} is to be a class derived from autograd.Function.")
    values, upstream = np.array([-0.9, -0.26, 0.1, 0.24, 0.5, 0.7]), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    for step, limit in ((0.25, 0.5), (0.2, 0.8)):
        w = autograd.tensor(values, requires_grad=True)
        rounded = step * np.round(np.clip(values, -limit, limit) / step)

        def forward(w, step, limit):
            return op.apply(w, step, limit)

        def backward(w, step, limit):
            result = op.apply(w, step, limit)
            try:
                (result * autograd.tensor(upstream)).sum().backward()
            except autograd.DTypeError as error:
                if "ellipsis" in str(error):
                    wrong("Quantize.backward still returns ...: put the gradient for w there.")
                raise
            return w.grad

        Answer(forward, "Quantize.apply")(w, step, limit).gives(rounded)
        backward.__name__ = "the gradient through Quantize.apply"
        got = Answer(backward, "gradient")(w, step, limit)
        given, inside = got.value.numpy(), np.abs(values) <= limit
        got.holds(given.any(), "is 0 everywhere: that is the true slope of a staircase, and nothing learns from it.")
        got.holds(
            not np.allclose(given, upstream),
            "passes the upstream gradient to entries beyond the limit too; those have been clipped.",
        )
        got.holds(
            not np.allclose(given, inside), "is 1 inside of the limit whatever comes from above: multiply by upstream."
        )
        got.gives(upstream * inside)
    return "It learns as if there were no staircase."


@exercise("14.4")
def quantized_linear(QuantizedLinear):
    """Derive from nn.Linear, keep `levels` in __init__ after super().__init__(in_features, out_features), and in
    forward call nn.functional.linear with Quantize.apply(self.weight, step, limit) in the place of the weight."""
    kind = QuantizedLinear.done().value
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        wrong(f"{QuantizedLinear.label} is to be a class derived from nn.Module (nn.Linear is one).")
    autograd.manual_seed(3)
    for n, m, levels in ((12, 8, 1), (20, 5, 3)):
        layer = Answer(kind, QuantizedLinear.label)(n, m, levels).value
        shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
        Answer(shapes, "the parameters' shapes, by name,").gives({"weight": (m, n), "bias": (m,)})
        with autograd.no_grad():
            layer.bias.copy_(autograd.randn(m))
        before = layer.weight.detach().numpy().copy()
        limit = 2 * before.std(ddof=1)
        wanted = limit / levels * np.round(np.clip(before, -limit, limit) / (limit / levels))
        made = f"{QuantizedLinear.label}({n}, {m}, {levels})"
        eye = autograd.eye(n)
        out = Answer(layer, made)(eye)
        if not np.array_equal(layer.weight.detach().numpy(), before):
            wrong(
                f"{made} writes the rounded weights into self.weight. Keep the precise ones: the steps of an optimizer "
                "are smaller than one level, and would be lost each time."
            )
        out.holds(tuple(out.value.shape) == (n, m), f"is to have shape {(n, m)}, and has {tuple(out.value.shape)}.")
        given = out.value.detach().numpy()
        if np.allclose(given, wanted.T):
            wrong(f"{made} leaves out its bias.")
        used = (given - layer.bias.detach().numpy()).T
        found = len(np.unique(used.round(4)))
        if found > 2 * levels + 1:
            wrong(f"{made} computes with {found} different weights; at most 2 · {levels} + 1 are wanted.")
        Answer(used, f"the weight that {made} computes with").gives(wanted, rtol=1e-3, atol=1e-5)
        try:
            (layer(eye) * autograd.randn(n, m)).sum().backward()
        except RuntimeError as error:
            raise NotYet(f"{made}: going backward raised {type(error).__name__}: {error}") from error
        g = layer.weight.grad
        if g is None or not g.numpy().any():
            wrong(f"No gradient came to the weight of {made}: round by Quantize.apply, and do not detach what it gets.")
    return "A layer is its parameters and one function; everything else it has inherited."


@exercise("14.5")
def belief(adabelief):
    """Follow the formulas line by line. m must be the new mean when it is subtracted from g. `step` is t, 1 at the
    first step. xp.sqrt is the root. Return (p, {"m": m, "s": s})."""
    rng = np.random.default_rng(0)
    hyper = {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}
    called = _with_numpy(adabelief)

    def reference(p, g, m, s, t, old_mean=False, plain=False, square=False, no_eps=False):
        (b1, b2), eps = hyper["betas"], hyper["eps"]
        before, m = m, b1 * m + (1 - b1) * g
        s = b2 * s + (1 - b2) * (g if square else g - (before if old_mean else m)) ** 2 + (0 if no_eps else eps)
        k1, k2 = (1, 1) if plain else (1 - b1**t, 1 - b2**t)
        return p - hyper["lr"] * (m / k1) / (np.sqrt(s / k2) + eps), m, s

    slips = {
        "old_mean": "subtracts the old mean from g; it is the new one that is the prediction of this step.",
        "plain": "leaves out the correction of the two means, by 1 − β₁ᵗ and 1 − β₂ᵗ.",
        "square": "averages g² as Adam does; here it is (g − m)², how far the gradient is from what was expected.",
        "no_eps": "leaves out the ε that is added to s.",
    }
    for shape, first in (((3,), 3), ((7,), 1)):  # in the middle of a run, where all slips show, and from its start
        p = rng.normal(size=shape)
        m, s = (rng.normal(size=shape), rng.uniform(size=shape)) if first > 1 else np.zeros((2, *shape))
        state, mine = {"m": m.copy(), "s": s.copy()}, p.copy()
        for t in range(first, first + 4):
            g = rng.normal(size=shape)
            kept = g.copy()
            ways = {slip: reference(p, g, m, s, t, **{slip: True})[0] for slip in slips}
            p, m, s = reference(p, g, m, s, t)
            got = called(mine, g, state, t, **hyper)
            if not isinstance(got.value, tuple) or len(got.value) != 2 or not isinstance(got.value[1], dict):
                wrong(f'{adabelief.label} is to return two things: the new p, and {{"m": m, "s": s}}.')
            if not np.array_equal(g, kept):
                wrong(f"{adabelief.label} writes into g, which belongs to the parameter: begin with a new array.")
            mine, state = got.value
            if mine is ... or mine is None:
                wrong(f"{adabelief.label} is not written yet.")
            for slip, sentence in slips.items():
                if np.shape(mine) == shape and np.allclose(mine, ways[slip]) and not np.allclose(mine, p):
                    wrong(f"{adabelief.label}, step {t}: it {sentence}")
            Answer(mine, f"p of {adabelief.label} after step {t}").gives(p)
            Answer(state, f"the state of {adabelief.label} after step {t}").gives({"m": m, "s": s})
    return "That is the whole optimizer; groups, schedules and saving it come from the base class."
