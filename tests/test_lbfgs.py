"""LBFGS beside PyTorch's and SciPy's, its memory, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import autograd
import optim


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def quadratic(x):
    return (x * x * x.new_tensor([1.0, 10.0, 100.0, 0.1])).sum() + x.sum()


def follow(library, optimizers, loss, dtype, steps, start=(-1.2, 1.0, 0.5, -0.3), **kwargs):
    x = library.tensor(np.array(start, dtype))
    x.requires_grad = True
    optimizer = optimizers.LBFGS([x], **kwargs)

    def closure():
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        return value

    points, losses = [], []
    for _ in range(steps):
        losses.append(float(optimizer.step(closure).detach()))
        points.append(x.detach().numpy().copy())
    return np.array(points), losses, optimizer


VARIANTS = [
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 4},
    {"lr": 0.1, "max_iter": 5},
    {"lr": 0.05, "max_iter": 4, "history_size": 2, "tolerance_change": 1e-5},
]


@pytest.mark.reference
@pytest.mark.parametrize("kwargs", VARIANTS, ids=str)
@pytest.mark.parametrize("loss", [quadratic, rosenbrock])
def test_follows_pytorch(loss, kwargs):
    import torch

    ours, our_losses, a = follow(autograd, optim, loss, "float64", 6, **kwargs)
    theirs, their_losses, b = follow(torch, torch.optim, loss, "float64", 6, **kwargs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(our_losses, their_losses, rtol=1e-6, atol=1e-8)
    mine, other = a.state_dict(), b.state_dict()
    for key in ("func_evals", "n_iter"):
        assert mine["state"][0][key] == other["state"][0][key]
    assert mine["state"][0].keys() == other["state"][0].keys() - {"al"}
    assert mine["param_groups"] == other["param_groups"]
    a.load_state_dict(other)
    assert a.state_dict()["state"][0]["d"].shape == (4,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finds_the_minimum_of_rosenbrock(dtype):
    kwargs = {"line_search_fn": "strong_wolfe", "max_iter": 50, "tolerance_change": 1e-20}
    points, losses, _ = follow(autograd, optim, rosenbrock, dtype, 10, (-1.2, 1.0), **kwargs)
    assert points.dtype == dtype
    np.testing.assert_allclose(points[-1], 1, atol=1e-3 if dtype == "float32" else 1e-7)
    assert losses == sorted(losses, reverse=True)


def test_the_direction_is_that_of_the_bfgs_matrix():
    rng = np.random.default_rng(0)
    n = 5
    hessian = rng.standard_normal((n, n))
    hessian = hessian @ hessian.T + np.eye(n)
    steps = [rng.standard_normal(n) for _ in range(4)]
    changes = [hessian @ s for s in steps]
    h = 0.3 * np.eye(n)
    for y, s in zip(changes, steps, strict=True):
        v = np.eye(n) - np.outer(y, s) / (y @ s)
        h = v.T @ h @ v + np.outer(s, s) / (y @ s)
    g = rng.standard_normal(n)
    np.testing.assert_allclose(optim.lbfgs.lbfgs_direction(g, changes, steps, 0.3), -h @ g, rtol=1e-12)


def pair(seed=0):
    rng = np.random.default_rng(seed)
    a = autograd.tensor(rng.standard_normal((2, 3)), requires_grad=True)
    b = autograd.tensor(rng.standard_normal(3), requires_grad=True)
    optimizer = optim.LBFGS([a, b], max_iter=3, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = ((a * b).exp() - a).sum() + (a * a).sum() + (b**4).sum()
        value.backward()
        return value

    return a, b, optimizer, closure


def test_saved_state_continues_bit_for_bit():
    a, b, optimizer, closure = pair()
    for _ in range(3):
        optimizer.step(closure)
    saved, values = pickle.loads(pickle.dumps(optimizer.state_dict())), (a.numpy().copy(), b.numpy().copy())
    for _ in range(3):
        optimizer.step(closure)
    c, d, other, other_closure = pair(1)
    c.data, d.data = (autograd.tensor(v) for v in values)
    other.load_state_dict(saved)
    for _ in range(3):
        other.step(other_closure)
    np.testing.assert_array_equal(a.numpy(), c.numpy())
    np.testing.assert_array_equal(b.numpy(), d.numpy())


def test_parameters_keep_their_memory_and_frozen_ones_their_values():
    a, b, optimizer, closure = pair()
    b.requires_grad_(False)
    memory, kept = a.numpy(), b.numpy().copy()
    start = memory.copy()
    optimizer.step(closure)
    assert a.numpy() is memory
    assert (memory != start).all()
    np.testing.assert_array_equal(b.numpy(), kept)


def test_a_gradient_that_is_not_finite_can_be_refused():
    a, _, optimizer, closure = pair()
    a.data.fill_(1e5)
    start = a.numpy().copy()
    optimizer.nonfinite = "raise"
    with np.errstate(over="ignore", invalid="ignore"):
        with pytest.raises(FloatingPointError, match="LBFGS: the parameters has a gradient"):
            optimizer.step(closure)
        optimizer.nonfinite = "skip"
        optimizer.step(closure)
    np.testing.assert_array_equal(a.numpy(), start)


def leaf(n=2):
    return autograd.zeros(n, requires_grad=True)


def load_other():
    _, _, optimizer, closure = pair()
    optimizer.step(closure)
    optim.LBFGS([leaf(4), leaf(3)]).load_state_dict(optimizer.state_dict())


def reshaped():
    a, _, optimizer, closure = pair()
    optimizer.step(closure)
    a.data = autograd.zeros(1, 3, dtype="float64")
    optimizer.step(closure)


ERRORS = {
    "groups": (lambda: optim.LBFGS([{"params": [leaf()]}, {"params": [leaf()]}]), ValueError, "are one group"),
    "lr": (lambda: optim.LBFGS([leaf()], lr=-1), ValueError, "LBFGS: lr must not be negative"),
    "search": (lambda: optim.LBFGS([leaf()], line_search_fn="armijo"), ValueError, "None or 'strong_wolfe', got 'ar"),
    "history": (lambda: optim.LBFGS([leaf()], history_size=0), ValueError, "history_size must be a whole number"),
    "closure": (lambda: optim.LBFGS([leaf()]).step(), TypeError, "LBFGS.step: wants a closure"),
    "load": (load_other, autograd.ShapeError, "d has 9 entries in the state, and the parameters, .* 7"),
    "reshaped": (reshaped, autograd.ShapeError, "the parameters have 6 entries now, and its state 9"),
}


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
