"""Computing again instead of keeping: the same gradients, and less memory."""

from __future__ import annotations

import tracemalloc
import weakref

import numpy as np
import pytest

import autograd
from autograd import GraphError, checkpoint, grad, manual_seed, no_grad, rand, tensor

RNG = np.random.default_rng(0)
W = [tensor(RNG.standard_normal((4, 4)) / 2, requires_grad=True) for _ in range(4)]


def layer(x, w):
    return autograd.tanh(x @ w) + x


def segment(x):
    """Uses two parameters that are not its arguments."""
    return layer(layer(x, W[1]), W[2])


def noisy(x):
    return x * rand(3, 4, dtype="float64") @ W[1]


def nested(x):
    return layer(checkpoint(segment, layer(x, W[3])), W[2])


def branches(x):
    return {"sum": x + W[1][0], "parts": (x * 2, [x.detach(), "text", x > 0])}


def in_place(x):
    y = x * 1
    y[0] = W[1][0]
    y.mul_(W[2][0])
    return y


def untaken(x):
    return autograd.where(x > 0, autograd.log(x * (x > 0)), x @ W[1])


PROGRAMS = {f.__name__: f for f in (segment, noisy, nested, branches, in_place, untaken)}


def total(result):
    if isinstance(result, dict):
        return (result["sum"] ** 2).sum() + result["parts"][0].sum() + result["parts"][1][0].sum()
    return (result**2).sum()


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("kind", PROGRAMS)
@pytest.mark.parametrize("start", ["argument requires grad", "only parameters"])
def test_the_gradients_are_the_same(kind, start):
    found = []
    leaf = tensor(np.random.default_rng(1).standard_normal((3, 4)), requires_grad=start != "only parameters")
    for run in (lambda f, x: f(x), checkpoint):
        manual_seed(0)
        x = leaf * 1.5
        loss = total(run(PROGRAMS[kind], layer(x, W[0])))
        after = rand(1).item()
        sources = [t for t in (leaf, *W) if t.requires_grad]
        first = grad(loss, sources, create_graph=True, materialize_grads=True)
        second = grad(sum((g * g).sum() for g in first), sources, materialize_grads=True)
        found.append((loss, *first, *second, tensor(after)))
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(plain.detach().numpy(), again.detach().numpy(), rtol=1e-12)
    (g,) = grad(total(checkpoint(PROGRAMS[kind], layer(leaf, W[0]))), W[0])
    assert np.isfinite(g.numpy()).all()


def test_backward_fills_the_leaves_once_and_calls_their_hooks_once():
    seen = []
    w = tensor([1.0, 2.0], requires_grad=True)
    handle = w.register_hook(lambda g: seen.append(g.tolist()))
    x = tensor([3.0, 4.0], requires_grad=True)
    checkpoint(lambda t: t * w + w, x).sum().backward()
    assert seen == [[4.0, 5.0]]
    assert w.grad.tolist() == [4.0, 5.0] and x.grad.tolist() == [1.0, 2.0]
    handle.remove()


def test_a_parameter_behind_another_is_counted_once():
    x = tensor([2.0], requires_grad=True)
    y = x * x  # used inside together with x
    checkpoint(lambda: x * y).sum().backward()
    assert x.grad.tolist() == [12.0]


def test_the_way_to_the_result_is_not_kept():
    made = []

    def function(x):
        y = x.exp()
        made.append(weakref.ref(y.numpy()))
        return y.sin().sum()

    x = tensor(np.ones(10), requires_grad=True)
    loss = checkpoint(function, x)
    assert made[0]() is None
    loss.backward()
    assert len(made) == 2 and made[1]() is None
    np.testing.assert_allclose(x.grad.numpy(), np.cos(np.e) * np.e)


def test_memory_of_a_deep_chain():
    x = tensor(np.ones(50_000), requires_grad=True)

    def ten(t):
        for _ in range(10):
            t = (t * 1.01).tanh()
        return t

    def kept(run):
        tracemalloc.start()
        try:
            y = x
            for _ in range(5):
                y = run(ten, y)
            return tracemalloc.get_traced_memory()[0] / x.numpy().nbytes
        finally:
            tracemalloc.stop()

    assert kept(lambda f, t: f(t)) > 90
    assert kept(checkpoint) < 6


def test_random_numbers_go_on_as_without_it_and_may_differ_when_asked_to():
    drawn = []

    def function(x):
        drawn.append(rand(1).item())
        return x * 1

    x = tensor([1.0], requires_grad=True)
    checkpoint(function, x).backward()
    assert drawn[0] == drawn[1]
    checkpoint(function, x, preserve_rng_state=False).backward()
    assert drawn[2] != drawn[3]
    assert len(set(drawn)) == 3


def test_without_gradient_it_is_a_call():
    x = tensor([1.0, 2.0])
    assert not checkpoint(lambda t: t * 2, x).requires_grad
    assert checkpoint(lambda t, *, n: t.tolist()[:n], x, n=1) == [1.0]
    with no_grad():
        assert not checkpoint(segment, x.double() @ tensor(np.ones((2, 4)))).requires_grad


def test_a_captured_tensor_may_be_the_result():
    w = tensor([1.0], requires_grad=True)
    checkpoint(lambda x: (w, w * x), tensor([5.0]), use_reentrant=False)[0].backward()
    assert w.grad.tolist() == [1.0]


@pytest.mark.jax
def test_it_is_compiled():
    from autograd.backends.jax import jit

    def program(x, w):
        y = checkpoint(lambda t: layer(layer(t, w), w), x)
        return grad((y * y).sum(), [x, w])

    x = tensor(np.ones((3, 4)), requires_grad=True)
    for a, b in zip(program(x, W[0]), jit(program)(x, W[0]), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_what_was_overwritten_is_an_error():
    x = tensor(np.ones((3, 4)), requires_grad=True)
    data = tensor(np.ones((3, 4)))
    y = checkpoint(lambda t, d: t * d, x, data)
    data.zero_()
    with pytest.raises(GraphError, match=r"checkpoint: .*overwritten in place at"):
        y.sum().backward()

    def careless(t):
        t.mul_(2)
        return t * 1

    y = checkpoint(careless, x * 1)
    with pytest.raises(GraphError, match=r"checkpoint: .*overwritten in place"):
        y.sum().backward()


def test_a_second_run_that_differs_is_an_error():
    sizes = iter([3, 2])
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)

    def shrinking(t):
        return t[: next(sizes)]

    with pytest.raises(GraphError, match=r"shrinking gave .*\(2,\).*\(3,\)"):
        checkpoint(shrinking, x).sum().backward()


def test_what_is_not_supported_says_so():
    with pytest.raises(TypeError, match="context_fn"):
        checkpoint(segment, W[0], context_fn=None)
    with pytest.raises(TypeError, match="wants a function"):
        checkpoint(W[0])


@pytest.mark.reference
def test_it_is_pytorchs():
    import torch
    from torch.utils.checkpoint import checkpoint as theirs

    results = []
    for library, run in ((autograd, checkpoint), (torch, theirs)):
        w = library.tensor([[1.0, 2.0], [3.0, -1.0]], requires_grad=True)
        x = library.tensor([[0.1, 0.2]], requires_grad=True)

        def function(t, w=w):
            return (t @ w).tanh()

        run(function, x, use_reentrant=False).sum().backward()
        results.append((x.grad.numpy(), w.grad.numpy()))
    for ours, reference in zip(*results, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-6)
