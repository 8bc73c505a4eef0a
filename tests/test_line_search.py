"""Line searches: the conditions hold where they stop, the trials are PyTorch's, and a step is one short call."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
import nn
import optim
from optim.line_search import armijo, best_rate, strong_wolfe


def problem(seed):
    """A function with its gradient, a point, a descent direction and a first rate, of one of four kinds."""
    rng = np.random.default_rng(seed)
    n, kind = rng.integers(1, 6), seed % 4
    a = rng.standard_normal((n, n))
    a = a @ a.T + 0.1 * np.eye(n)

    def function(x):
        if kind == 0:
            return float(0.5 * x @ a @ x), a @ x
        if kind == 1:
            return float(np.sum(np.cos(3 * x) + 0.1 * x * x)), -3 * np.sin(3 * x) + 0.2 * x
        if kind == 2:
            r = 1 + x @ a @ x
            return float(np.log(r) + np.sum(0.01 * x**4)), 2 * a @ x / r + 0.04 * x**3
        # Not finite where an entry reaches 3, a wall that searches run into.
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.sum(-np.log(3 - x) + x * x)), 1 / (3 - x) + 2 * x

    x = rng.standard_normal(n) * (0.5 if kind == 3 else 2)
    f, g = function(x)
    direction = -g * np.exp(rng.normal()) + 0.1 * np.linalg.norm(g) * rng.standard_normal(n)
    return function, x, np.exp(3 * rng.normal()), direction, f, g


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.9, 0.5, 0.1]))
def test_the_wolfe_conditions_hold(seed, c2):
    function, x, t, d, f, g = problem(seed)
    slope = float(g @ d)
    assume(slope < -1e-6)
    counted = []

    def objective(x, t, d):
        counted.append(t)
        return function(x + t * d)

    new, gradient, rate, evaluations = strong_wolfe(objective, x, t, d, f, g, slope, c2=c2, max_ls=100)
    assert evaluations == len(counted)
    expected, g_expected = function(x + rate * d)
    np.testing.assert_array_equal(gradient, g_expected)
    assert new == expected
    assert new <= f + 1e-4 * rate * slope
    assert abs(float(gradient @ d)) <= -c2 * slope
    assert rate > 0


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-4, 0.1, 0.5]), st.sampled_from([0.5, 0.8]))
def test_armijo_takes_the_first_rate_that_decreases_enough(seed, c1, shrink):
    function, x, t, d, f, g = problem(seed)
    slope = float(g @ d)
    assume(slope < -1e-6)

    def value(x, t, d):
        return function(x + t * d)[0]

    new, rate, evaluations = armijo(value, x, t, d, f, slope, c1, shrink, max_ls=200)
    assert new == value(x, rate, d) <= f + c1 * rate * slope
    assert rate == pytest.approx(t * shrink ** (evaluations - 1))
    if evaluations > 1:
        assert not value(x, rate / shrink, d) <= f + c1 * rate / shrink * slope


def test_armijo_gives_up_where_nothing_decreases():
    assert armijo(lambda x, t, d: 2.0, np.zeros(1), 1.0, np.ones(1), 1.0, -1.0, max_ls=7) == (1.0, 0.0, 7)


def test_best_rate_keeps_the_lowest_and_never_one_that_is_not_finite():
    values = {0.1: 3.0, 0.2: float("nan"), 0.3: 1.0, 0.4: float("inf"), 0.5: 1.0}
    assert best_rate(lambda x, t, d: values[t], None, None, values) == (1.0, 0.3, 5)
    assert best_rate(lambda x, t, d: math.nan, None, None, [1.0]) == (math.inf, 0.0, 1)


@pytest.mark.reference
@pytest.mark.parametrize("max_ls", [25, 10, 3, 1, 0])
@pytest.mark.parametrize("c2", [0.9, 0.5, 0.1])
def test_trials_are_those_of_pytorchs_lbfgs(c2, max_ls):
    import torch
    from torch.optim.lbfgs import _strong_wolfe

    compared = 0
    for seed in range(300):
        if seed % 4 == 3:
            continue  # PyTorch's goes on with NaN
        function, x, t, d, f, g = problem(seed)
        slope = float(g @ d)
        if slope >= 0:
            continue
        trials, others = [], []

        def ours(x, t, d, function=function, trials=trials):
            trials.append(t)
            return function(x + t * d)

        def theirs(x, t, d, function=function, others=others):
            others.append(float(t))
            value, gradient = function(x.numpy() + float(t) * d.numpy())
            return value, torch.tensor(gradient)

        a = strong_wolfe(ours, x, t, d, f, g, slope, c2=c2, max_ls=max_ls)
        start, direction, gradient = torch.tensor(x), torch.tensor(d), torch.tensor(g)
        b = _strong_wolfe(theirs, start, t, direction, f, gradient, gradient.dot(direction), c2=c2, max_ls=max_ls)
        np.testing.assert_allclose(trials, others, rtol=1e-8)
        np.testing.assert_allclose(a[0], float(b[0]), rtol=1e-10)
        np.testing.assert_allclose(a[1], b[1].numpy(), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(a[2], float(b[2]), rtol=1e-8)
        assert a[3] == b[3]
        compared += 1
    assert compared > 200


def test_rates_agree_with_scipys_on_a_parabola():
    from scipy.optimize import line_search

    a = np.diag([1.0, 10.0])
    x = np.array([3.0, -1.0])
    g = a @ x
    f = 0.5 * x @ g
    rate = strong_wolfe(
        lambda x, t, d: (0.5 * (x + t * d) @ a @ (x + t * d), a @ (x + t * d)), x, 1.0, -g, f, g, -g @ g, c2=0.1
    )[2]
    expected = line_search(lambda x: 0.5 * x @ a @ x, lambda x: a @ x, x, -g, c2=0.1)[0]
    exact = (g @ g) / (g @ a @ g)
    assert rate == pytest.approx(exact)
    assert abs(rate - exact) <= abs(expected - exact) + 1e-12


def model_and_closure(dtype="float64"):
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8, dtype=dtype), nn.Tanh(), nn.Linear(8, 1, dtype=dtype))
    x = autograd.randn(20, 3, dtype=dtype)
    y = (x * x).sum(1, keepdim=True)
    calls = []

    def closure():
        calls.append(1)
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    return model, closure, calls


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", ["rates", "armijo", "wolfe"])
def test_a_model_gets_better_with_every_call(method, dtype):
    model, closure, calls = model_and_closure(dtype)
    losses = [closure().item()]
    arrays = [p.numpy() for p in model.parameters()]
    for _ in range(20):
        before = len(calls)
        found = optim.line_search(closure, model.parameters(), method)
        assert found.success
        assert found.evaluations == len(calls) - before
        assert found.loss < losses[-1]
        assert closure().item() == found.loss  # the parameters are where the result says
        losses.append(found.loss)
    assert losses[-1] < 0.5 * losses[0]
    assert all(p.numpy() is a and p.numpy().dtype == dtype for p, a in zip(model.parameters(), arrays, strict=True))


@pytest.mark.parametrize("method", ["rates", "armijo", "wolfe"])
def test_rates_far_too_large_are_passed_over(method):
    w = autograd.tensor([1.0, -2.0], requires_grad=True)

    def closure():
        loss = (w * w).sum().exp() - w.sum()
        loss.backward()
        return loss

    found = optim.line_search(closure, [w], method, rate=1e30, rates=[1e30, 1e-3], max_ls=200)
    assert found.success
    assert np.isfinite(w.numpy()).all()
    assert found.loss < math.exp(5) + 1


def test_the_lectures_search_takes_the_best_of_its_rates():
    w = autograd.tensor([2.0], requires_grad=True)

    def closure():
        loss = (w * w).sum()
        loss.backward()
        return loss

    found = optim.line_search(closure, [w], "rates", rates=[0.01, 0.1, 0.4, 1.0])
    assert (found.rate, found.evaluations) == (0.4, 5)
    np.testing.assert_allclose(w.numpy(), 2 - 0.4 * 4, rtol=1e-6)
    found = optim.line_search(closure, [w], "rates", rates=[5.0])
    assert (found.rate, found.success) == (0.0, False)
    np.testing.assert_allclose(w.numpy(), 2 - 0.4 * 4, rtol=1e-6)


def test_a_direction_of_ones_own():
    a, b = autograd.tensor([2.0], requires_grad=True), autograd.tensor(1.0, requires_grad=True)

    def closure():
        loss = (a * a).sum() + 0 * b
        loss.backward()
        return loss

    newton = [-a.detach(), autograd.zeros(())]
    found = optim.line_search(closure, [a, b], direction=newton)
    assert (found.rate, found.loss, a.item(), b.item()) == (1.0, 0.0, 0.0, 1.0)
    assert optim.line_search(closure, [a, b]) == (0.0, 0.0, 1, True)  # at the minimum there is nowhere to go


def quadratic(sign=1.0, backward=True):
    w = autograd.tensor([2.0], requires_grad=True)

    def closure():
        loss = sign * (w * w).sum()
        if backward:
            loss.backward()
        return loss

    return closure, w


def search(*args, sign=1.0, backward=True, **kwargs):
    closure, w = quadratic(sign, backward)
    return optim.line_search(closure, [w], *args, **kwargs)


REFUSED = {
    "method": (lambda: search("newton"), ValueError, "method must be 'rates', 'armijo' or 'wolfe', got 'newton'"),
    "constants": (lambda: search(c1=0.5, c2=0.1), ValueError, "wants 0 < c1 < c2 < 1, got c1=0.5 and c2=0.1"),
    "shrink": (lambda: search(shrink=1.0), ValueError, "shrink must be between 0 and 1, got 1.0"),
    "rate": (lambda: search(rate=0.0), ValueError, r"rates must be above 0 and finite, at least one, got \[0.0\]"),
    "rates": (lambda: search("rates", rates=[]), ValueError, r"at least one, got \[\]"),
    "max_ls": (lambda: search(max_ls=0), ValueError, "max_ls must be at least 1, got 0"),
    "params": (lambda: optim.line_search(abs, []), ValueError, "the parameter list is empty"),
    "kind": (lambda: optim.line_search(abs, [1.0]), TypeError, "parameter 0 must be a Tensor, got float 1.0"),
    "no gradient": (lambda: search(backward=False), autograd.GraphError, r"call loss.backward\(\) in it"),
    "infinite": (lambda: search(sign=math.inf), ValueError, "the loss at the start must be finite, got inf"),
    "upward": (lambda: search(direction=[autograd.ones(1)]), ValueError, "direction must go down, .* is 4.0; change"),
    "directions": (lambda: search(direction=[]), ValueError, "one Tensor for each of 1 parameters, got 0"),
    "shape": (lambda: search(direction=[autograd.ones(2)]), autograd.ShapeError, r"direction 0 has shape \(2,\), its"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
