"""The exercises of notebook 8: rates, momentum, Adam, schedules, line search."""

from __future__ import annotations

import math

import numpy as np

import autograd
import optim

from .exercises import Answer, exercise, wrong


@exercise("8.1")
def best_rate(answer: Answer) -> str:
    """Along, the factor is 1 − η low, which is positive; across it may be negative. Where are the two equally large?"""
    for low, high in ((1.0, 30.0), (2.0, 2.0), (0.5, 8.0), (0.01, 1.0)):
        got = answer(low, high)
        rate = got.number()
        factors = abs(1 - rate * low), abs(1 - rate * high)
        got.holds(rate > 0, f"is {rate:.4g}; a rate is above 0.")
        if np.isclose(rate, 2 / high) and low != high:
            got.holds(False, "is the rate at which the steep direction only just does not grow; it never gets smaller.")
        if np.isclose(rate, 1 / high) and low != high:
            got.holds(False, "is safe, and done across in one step, but along the valley a larger one is faster.")
        got.holds(max(factors) < 1, f"makes a direction grow: the factors are {factors[0]:.3g} and {factors[1]:.3g}.")
        got.holds(
            np.isclose(rate, 2 / (low + high)),
            f"is {rate:.4g}, with factors {factors[0]:.4g} along and {factors[1]:.4g} across; the larger can "
            "be made smaller.",
        )
    return "Both directions then shrink by (high − low) / (high + low) per step: 29/31 in our bowl."


@exercise("8.2")
def momentum_step(answer: Answer) -> str:
    """First the new buffer, from the old one and the gradient; then the point moves by the new buffer."""
    gradients = np.random.default_rng(0).normal(size=(4, 3))
    for lr, mu in ((0.2, 0.9), (0.5, 0.0), (0.02, 0.5)):
        weight = autograd.tensor([1.0, -2.0, 0.5], dtype=autograd.float64, requires_grad=True)
        optimizer = optim.SGD([weight], lr=lr, momentum=mu)
        p, b = weight.detach().numpy().copy(), np.zeros(3)
        for t, g in enumerate(gradients, 1):
            here, buffer = p.copy(), b.copy()
            weight.grad = autograd.tensor(g)
            optimizer.step()
            got = answer(p, b, g, lr, mu)
            wanted = mu * buffer + g
            got.holds(
                isinstance(got.value, tuple) and len(got.value) == 2,
                "is to return two things, the point and the buffer.",
            )
            new_p, new_b = (np.asarray(value) for value in got.value)
            where = f"In step {t}, with mu = {mu}: "
            if np.allclose(new_p, here):
                wrong(where + "the point stays where it was.")
            if not (np.array_equal(p, here) and np.array_equal(b, buffer)):
                wrong(where + "p or b was changed in place (by += or -=); make new arrays.")
            if t > 1 and mu and np.allclose(new_p, here - lr * buffer):
                wrong(where + "the point moves by the old buffer; the gradient of this step comes too late.")
            if t > 1 and mu and np.allclose(new_p, here - lr * g):
                wrong(where + "the point moves by the gradient alone, and the buffer is not used.")
            if mu and np.allclose(new_b, mu * buffer + (1 - mu) * g):
                wrong(where + "your buffer is a running average, with 1 − mu in front of g; here g counts in full.")
            if np.allclose(new_b, mu * buffer + lr * g):
                wrong(where + "the rate is in the buffer already; here it multiplies the buffer only in the step.")
            Answer(new_b, where + "the buffer").gives(wanted)
            if np.allclose(new_p, here + lr * wanted):
                wrong(where + "the point goes uphill; the step is minus the rate times the buffer.")
            Answer(new_p, where + "the point").gives(weight.detach().numpy())
            p, b = new_p, new_b
    return "Step for step it goes where optim.SGD goes."


@exercise("8.3")
def adam_step(answer: Answer) -> str:
    """Two running averages, of g and of g²; each divided by 1 − βᵗ; then their quotient, with the root below."""
    gradients = np.random.default_rng(1).normal(size=(6, 3)) * [1.0, 100.0, 0.01]
    for options in ({}, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2}):
        beta1, beta2, eps = options.get("beta1", 0.9), options.get("beta2", 0.999), options.get("eps", 1e-8)
        weight = autograd.tensor([1.0, -2.0, 0.5], dtype=autograd.float64, requires_grad=True)
        optimizer = optim.Adam([weight], lr=0.1, betas=(beta1, beta2), eps=eps)
        p, m, v = weight.detach().numpy().copy(), np.zeros(3), np.zeros(3)
        for t, g in enumerate(gradients, 1):
            old = p.copy(), m.copy(), v.copy()
            weight.grad = autograd.tensor(g)
            optimizer.step()
            got = answer(p, m, v, g, t, 0.1, **options)
            got.holds(isinstance(got.value, tuple) and len(got.value) == 3, "is to return three things: p, m and v.")
            new_p, new_m, new_v = (np.asarray(value) for value in got.value)
            where = f"In step {t}: "
            if not all(np.array_equal(a, b) for a, b in zip(old, (p, m, v), strict=True)):
                wrong(where + "p, m or v was changed in place (by += or *=); make new arrays.")
            wanted_m, wanted_v = beta1 * old[1] + (1 - beta1) * g, beta2 * old[2] + (1 - beta2) * g * g
            m_hat, v_hat = wanted_m / (1 - beta1**t), wanted_v / (1 - beta2**t)
            if np.allclose(new_m, m_hat) and not np.allclose(m_hat, wanted_m):
                wrong(
                    where + "you return the corrected average; what is kept for the next step is m without correction."
                )
            Answer(new_m, where + "m").gives(wanted_m)
            Answer(new_v, where + "v").gives(wanted_v)
            for wrong_step, sentence in (
                (wanted_m / (np.sqrt(wanted_v) + eps), "the averages are not corrected for their start at 0."),
                (m_hat / (np.sqrt(wanted_v) + eps), "m is corrected, and v is not."),
                (m_hat / (v_hat + eps), "you divide by v; it is its root that has the size of a gradient."),
                (m_hat / np.sqrt(v_hat + eps), "ε stands beside the root here, not under it."),
                (-m_hat / (np.sqrt(v_hat) + eps), "the point goes uphill; the step is to be taken off p."),
                (
                    wanted_m / (1 - beta1 ** (t + 1)) / (np.sqrt(wanted_v / (1 - beta2 ** (t + 1))) + eps),
                    "the corrections are one step ahead; t is 1 in the first step already.",
                ),
            ):
                if np.allclose(new_p, old[0] - 0.1 * wrong_step, rtol=1e-9):
                    wrong(where + sentence)
            Answer(new_p, where + "the point").gives(weight.detach().numpy())
            p, m, v = new_p, new_m, new_v
    return "Step for step it goes where optim.Adam goes, also with gradients of 100 and 0.01 side by side."


@exercise("8.4")
def warmup_cosine(answer: Answer) -> str:
    """Two cases. In the second, s is (steps since the warm-up) / (steps from there to the last)."""
    for total, warmup in ((100, 10), (50, 5), (11, 1)):
        for step in range(warmup):
            got = answer(step, total, warmup)
            if step == 0 and warmup > 1 and got.number() == 0:
                got.holds(False, "is 0: the first step would be wasted. It is to be 1 / warmup.")
            got.gives((step + 1) / warmup)
        last = answer(total - 1, total, warmup)
        last.holds(
            abs(last.number()) < 1e-9,
            f"is {last.number():.4g}; the last step is number total − 1, and there the factor is 0.",
        )
        for step in range(warmup, total):
            s = (step - warmup) / (total - 1 - warmup)
            answer(step, total, warmup).gives(0.5 * (1 + math.cos(math.pi * s)), atol=1e-9)
    return "It can go straight into optim.lr_scheduler.LambdaLR."


@exercise("8.5")
def backtrack(answer: Answer) -> str:
    """A while loop: as long as the condition does not hold, halve t. Work out f(p) and ‖g‖² before it."""
    curvatures = np.array([1.0, 30.0])

    def bowl(p):
        return 0.5 * float((curvatures * p * p).sum())

    def line(p):
        return float(p.sum())

    def barrier(p):
        return float(-np.log(p).sum()) if (p > 0).all() else math.nan

    p = np.array([-4.0, 1.4])
    started = p.copy()
    rows = [
        (bowl, p, curvatures * p, {}, 0.0625),
        (line, p, np.ones(2), {}, 1.0),
        (line, p, np.ones(2), {"t": 8.0}, 8.0),
        (bowl, p, curvatures * p, {"t": 0.06}, 0.06),
        (bowl, p, curvatures * p, {"c": 0.5}, 0.03125),
        (lambda p: -bowl(p) if p[0] < -4.5 else bowl(p), p, curvatures * p, {"c": 0.9}, 0.0),
        (barrier, np.array([1.0, 2.0]), -1 / np.array([1.0, 2.0]), {}, 1.0),
        (lambda p: barrier(3 - p), np.array([1.0, 2.0]), 1 / (3 - np.array([1.0, 2.0])), {"t": 32.0}, None),
        (lambda p: barrier(p) + 5 * float(p.sum()), np.array([1.0, 2.0]), 5 - 1 / np.array([1.0, 2.0]), {}, None),
    ]
    for f, point, g, options, wanted in rows:
        t0, c = options.get("t", 1.0), options.get("c", 1e-4)
        if wanted is None or wanted == 0.0:
            wanted = t0
            while not f(point - wanted * g) <= f(point) - c * wanted * float((g * g).sum()):
                wanted /= 2
        calls = 0

        def counted(p, f=f):
            nonlocal calls
            calls += 1
            if calls > 300:
                wrong("The search never ends: is t made smaller in each round?")
            return f(p)

        counted.__name__ = "f"
        got = answer(counted, point, g, **options)
        got.holds(np.array_equal(p, started), "changed the point that it was given.")
        rate = got.number()
        got.holds(rate > 1e-9, f"is {rate:.2g}: the trial points are to be p − t g, downhill.")
        if not np.isfinite(f(point - rate * g)):
            got.holds(
                False, "ends at a point where the loss is NaN: such a comparison is false whichever way it is put."
            )
        if np.isclose(rate, wanted / 2) and wanted == t0:
            got.holds(False, f"is {rate:.4g}: halved once too often. Test the first rate before you halve it.")
        got.gives(wanted)
    return "Also where the loss is NaN beyond a wall, the search comes back from there."
