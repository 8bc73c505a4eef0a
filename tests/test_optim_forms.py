"""Forms of the lectures, and other ways to set an optimizer."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import optim


def test_velocity_keeps_the_rate_of_its_time():
    w = autograd.tensor([0.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5, form="velocity")
    for lr, expected in ((1.0, -1.0), (0.1, -1.6), (0.0, -1.9)):
        optimizer.param_groups[0]["lr"] = lr
        w.grad = autograd.ones(1)
        optimizer.step()
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)


def test_nesterov_looks_ahead():
    start = np.array([1.5, -0.5])
    w = autograd.tensor(start, requires_grad=True)
    fixed = autograd.tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([w, fixed], lr=0.05, momentum=0.9, nesterov="look_ahead", form="velocity")
    memory, value, velocity = w.numpy(), start.copy(), np.zeros(2)

    def closure():
        optimizer.zero_grad()
        loss = (w**4).sum() + (w[0] * w[1]) ** 2
        loss.backward()
        return loss

    def gradient(x):
        return 4 * x**3 + 2 * x * x[::-1] ** 2

    for _ in range(20):
        # The lectures' three lines.
        ahead = value - 0.9 * velocity
        velocity = 0.9 * velocity + 0.05 * gradient(ahead)
        value = value - velocity
        loss = optimizer.step(closure)
        np.testing.assert_allclose(loss.item(), (ahead**4).sum() + ahead.prod() ** 2, rtol=1e-10)
        np.testing.assert_allclose(w.numpy(), value, rtol=1e-10)
    assert w.numpy() is memory
    assert fixed.item() == 2.0
    with pytest.raises(TypeError, match="nesterov='look_ahead' takes the gradient at a point ahead"):
        optimizer.step()
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    np.testing.assert_allclose(w.numpy(), value, rtol=1e-10)


def test_an_error_on_the_way_ahead_leaves_everything_where_it_was():
    w = autograd.tensor([1.0, 2.0, 3.0], requires_grad=True)
    left, right = w.detach()[:2].requires_grad_(), w.detach()[1:].requires_grad_()  # which share an entry
    failing = []

    def momentum(step):
        if failing and failing.pop():
            raise RuntimeError("no momentum")
        return 0.5

    groups = [{"params": [left]}, {"params": [right]}]
    optimizer = optim.SGD(groups, lr=0.1, momentum=momentum, form="velocity", nesterov="look_ahead")

    def closure():
        optimizer.zero_grad()
        loss = (left**2).sum() + (right**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    before = w.tolist()
    failing[:] = [True, False]  # at the second group
    with pytest.raises(RuntimeError, match="no momentum"):
        optimizer.step(closure)
    assert w.tolist() == before
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert w.tolist() == before


def test_asgd_keeps_the_mean_of_its_points():
    w = autograd.tensor([4.0], requires_grad=True)
    optimizer = optim.ASGD([w], lr=0.1, t0=2)
    points = []
    for _ in range(6):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
        points.append(w.item())
    # Averaging starts at the third step, and the weight that a step uses was set by the one before.
    mean = points[0]
    for t, point in enumerate(points, 1):
        mean += (point - mean) / max(1, t - 1 - 2)
    np.testing.assert_allclose(optimizer.state[w]["ax"].numpy(), mean, rtol=1e-5)


def test_a_rate_may_be_a_tensor():
    w = autograd.zeros(2, requires_grad=True)
    w.grad = autograd.ones(2)
    optim.SGD([w], lr=autograd.tensor(0.5)).step()
    assert w.tolist() == [-0.5, -0.5]
