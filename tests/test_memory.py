"""Memory goes back at once, without the garbage collector."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd
from autograd import grad, no_grad, tensor


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parameters(rng):
    shapes = [(16, 8), (16,), (4, 16), (4,)]
    return [tensor(rng.standard_normal(s) * 0.3, dtype="float32", requires_grad=True) for s in shapes]


def loss_of(weights, x, y):
    w1, b1, w2, b2 = weights
    hidden = autograd.relu(autograd.linear(x, w1, b1))
    return autograd.cross_entropy(autograd.linear(hidden, w2, b2), y)


def train(steps, weights, x, y):
    for _ in range(steps):
        for w in weights:
            w.grad = None
        loss = loss_of(weights, x, y)
        loss.backward()
        with no_grad():
            for w in weights:
                w -= 0.1 * w.grad
    return loss.item()


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_ten_thousand_training_steps_leave_memory_where_it_was(no_collector):
    rng = np.random.default_rng(0)
    weights = parameters(rng)
    x, y = tensor(rng.standard_normal((32, 8)), dtype="float32"), tensor(rng.integers(0, 4, 32))
    first = train(500, weights, x, y)
    tracemalloc.start()
    try:
        train(20, weights, x, y)
        before = tracemalloc.get_traced_memory()[0]
        train(480, weights, x, y)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 4096
    gc.collect()  # what first use has left
    resident = resident_bytes()
    last = train(9_000, weights, x, y)
    assert resident_bytes() - resident < 2 << 20
    assert gc.collect() == 0
    assert last < first


def program_kinds():
    w = tensor(np.ones((3, 3)), requires_grad=True)
    x = tensor(np.ones((2, 3)))

    def hooked():
        y = autograd.tanh(x @ w)
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        return y, y.sum()

    def in_place():
        y = x @ w
        y[0] = 2.0
        y.mul_(w[0])
        return y, y.sum()

    def views():
        y = x @ w
        a, b = y.split(1)
        return y, (a * b.reshape(-1).detach()).sum()

    def pairs():
        y = (x @ w).max(1).values
        return y, y.sum()

    def plain():
        y = x @ w
        return y, autograd.softmax(y * y, 1).mean()

    return {f.__name__: (w, f) for f in (plain, hooked, in_place, views, pairs)}


@pytest.mark.parametrize("kind", program_kinds())
@pytest.mark.parametrize("ending", ["backward", "retained", "grad", "dropped", "create_graph"])
def test_a_graph_is_freed_by_reference_counts_alone(no_collector, kind, ending):
    w, program = program_kinds()[kind]
    y, loss = program()
    dead = weakref.ref(y)
    del y
    if ending == "backward":
        loss.backward()
    elif ending == "retained":
        loss.backward(retain_graph=True)
        del loss
    elif ending == "grad":
        grad(loss, w)
    elif ending == "create_graph":
        (g,) = grad(loss, w, create_graph=True)
        grad(g.sum(), w, allow_unused=True) if g.requires_grad else None
        del g, loss
    else:
        del loss
    assert dead() is None


def test_backward_lets_go_of_values_as_it_goes(no_collector):
    x = tensor(np.ones(1000), requires_grad=True)
    y = autograd.exp(x)
    array = weakref.ref(y.numpy())
    loss = (y * y).sum()
    del y
    assert array() is not None
    loss.backward()
    assert array() is None
    assert loss.item() == pytest.approx(1000 * np.e**2)


def test_no_grad_keeps_nothing(no_collector):
    x = tensor(np.ones(1000), requires_grad=True)
    with no_grad():
        y = autograd.exp(x)
        dead = weakref.ref(y)
        z = y * 2
    del y
    assert dead() is None
    assert z._inputs is None


def test_a_view_keeps_its_memory_and_not_the_other_way_round(no_collector):
    x = tensor(np.ones(10))
    for _ in range(1000):
        x[2:]
        x.detach()
    assert len(x._memory.views) < 100
