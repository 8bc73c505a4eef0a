"""Elementwise operations on large arrays, block by block and on several threads: the same bits as in one piece."""

from __future__ import annotations

import gc
import sys
import warnings
import weakref

import numpy as np
import pytest

import autograd
import nn
from autograd import large_arrays, large_gradients, tensor, threads
from autograd.backends import numpy as xp
from autograd.backends import numpy_blocks
from autograd.primitive import registry

F = nn.functional
SIZE = 2003
CALLS = sys.modules["autograd.primitive"]

CHAINS = {
    "one": lambda x, y: x * y,
    "a sum handed on": lambda x, y: (x + y) + (y + x),
    "numbers": lambda x, y: 2 * (1 - x) / 3 - -y,
    "functions": lambda x, y: (-x * x).exp() * y.sin() + x.tanh() * 0.5 + y.cos(),
    "used twice": lambda x, y: (x * x) * (x + y) * y,
    "after a selection": lambda x, y: x.relu() * y.sigmoid() - autograd.maximum(x, y) * x.clamp(-1, 1),
    "branches": lambda x, y: autograd.where(x > 0, x.abs().log(), y) * x,
    "activations": lambda x, y: F.gelu(x) * F.silu(y) + F.gelu(y, approximate="tanh") + F.elu(x) + F.mish(y),
    "a constant": lambda x, y: (x * tensor(np.linspace(0, 1, x.numel(), dtype=x.dtype)).reshape(x.shape)).exp() + y,
    "a mean": lambda x, y: ((x * y).tanh() * x + y).mean(),
    "a reduction between": lambda x, y: (x * y).exp() / (x * x).sum() * y,
    "broadcast": lambda x, y: (x * y[..., :1]).tanh() * y + x,
    "not in order": lambda x, y: (x.T * y.T).exp() * x.T,
    "two dtypes": lambda x, y: (x.double() * y).float() * x,
    "unused": lambda x, y: (x * 2).detach() * y.exp(),
}


@pytest.fixture
def in_blocks(monkeypatch):
    """A function that sets whether everything is computed in blocks, or nothing."""
    monkeypatch.setattr(large_arrays, "BLOCK", 4096)
    monkeypatch.setattr(large_arrays, "SPREAD", 0)
    monkeypatch.setattr(numpy_blocks, "SPREAD", 0)
    monkeypatch.setattr(threads, "available", lambda: 3)

    def choose(yes):
        for module, name in ((CALLS, "LARGE"), (large_gradients, "LARGE"), (large_gradients, "LARGE_ALONE")):
            monkeypatch.setattr(module, name, 256 if yes else 1 << 60)

    return choose


def arrays(dtype, shape):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for _ in range(3)]


def both_ways(in_blocks, compute):
    results = []
    for yes in (False, True):
        in_blocks(yes)
        results.append(compute())
    for plain, fast in zip(*results, strict=True):
        assert plain.dtype == fast.dtype
        np.testing.assert_array_equal(plain, fast)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(SIZE,), (40, 51)])
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_operations(name, shape, dtype, in_blocks):
    a, b, g = arrays(dtype, shape)

    def compute():
        x, y = tensor(a, requires_grad=True), tensor(b, requires_grad=True)
        y.grad = tensor(np.ones_like(b))
        out = CHAINS[name](x, y)
        upstream = g.T if out.shape != g.shape else g
        out.backward(tensor(upstream.astype(out.dtype)) if out.ndim else None)
        return [out.detach().numpy(), y.grad.numpy(), *([] if x.grad is None else [x.grad.numpy()])]

    both_ways(in_blocks, compute)


def test_hooks_kept_gradients_and_several_passes(in_blocks):
    a, b, g = arrays("f8", SIZE)

    def compute():
        x, y = tensor(a, requires_grad=True), tensor(b, requires_grad=True)
        seen = []
        z = (x * y).tanh()
        w = z * x
        z.retain_grad()
        w.register_hook(lambda upstream: seen.append(upstream.numpy().copy()))
        out = (w.exp() + z) * y
        out.backward(tensor(g), retain_graph=True)
        (gz,) = autograd.grad(out, z, tensor(g), retain_graph=True)
        (gx,) = autograd.grad(out, x, tensor(g), retain_graph=True)
        autograd.backward([out, w], [tensor(g), tensor(b)])
        return [x.grad.numpy(), y.grad.numpy(), z.grad.numpy(), gz.numpy(), gx.numpy(), *seen]

    both_ways(in_blocks, compute)


def test_second_derivatives(in_blocks):
    a, _, g = arrays("f8", SIZE)

    def compute():
        x = tensor(a, requires_grad=True)
        (gx,) = autograd.grad((x * x).exp() * x.sin(), x, tensor(g), create_graph=True)
        (gx * gx).sum().backward()
        return [gx.detach().numpy(), x.grad.numpy()]

    both_ways(in_blocks, compute)


def test_upstream_gradients_are_not_written_to(in_blocks):
    in_blocks(True)
    a, b, g = arrays("f4", SIZE)
    x, y = tensor(a, requires_grad=True), tensor(b, requires_grad=True)
    upstream = tensor(g.copy())
    z = x + y
    (z + z * z + x).backward(upstream)
    np.testing.assert_array_equal(upstream.numpy(), g)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    assert not np.shares_memory(x.grad.numpy(), upstream.numpy())


def test_a_graph_is_freed_and_overwriting_is_noticed(in_blocks):
    in_blocks(True)
    a, b, _ = arrays("f4", SIZE)
    x, y = tensor(a, requires_grad=True), tensor(b)
    out = ((x * y).exp() * y).sum()
    out.backward()
    with pytest.raises(autograd.GraphError, match="freed"):
        out.backward()
    out = ((x * y).exp() * y).sum()
    y.mul_(2)
    with pytest.raises(autograd.GraphError, match="overwr"):
        out.backward()


def test_no_cycle_keeps_arrays(in_blocks):
    in_blocks(True)
    gc.disable()
    try:
        x = tensor(arrays("f4", SIZE)[0], requires_grad=True)
        y = x * x
        z = y.exp()
        arrays_within = [weakref.ref(t.numpy()) for t in (y.detach(), z.detach())]
        z.backward(z.detach())
        gradient = weakref.ref(x.grad.numpy())
        x.grad = None
        del y, z
        assert [ref() for ref in (*arrays_within, gradient)] == [None] * 3
    finally:
        gc.enable()


def test_an_error_is_the_one_of_the_whole(in_blocks):
    in_blocks(True)
    x, y = tensor(np.ones(SIZE, "f4")), tensor(np.ones(SIZE + 1, "f4"))
    with pytest.raises(autograd.ShapeError, match="do not broadcast"):
        x * y
    with pytest.raises(autograd.DTypeError, match="bool"):
        -tensor(np.ones(SIZE, bool))


def test_warnings_are_those_of_the_whole(in_blocks):
    in_blocks(True)
    x = tensor(np.zeros(SIZE, "f4"))
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (x.log() == -np.inf).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        x.log()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", [name for name, op in registry.items() if op.spreads])
@np.errstate(all="ignore")
def test_every_elementwise_forward(name, dtype, in_blocks):
    op = registry[name]
    if name in ("to", "clip"):
        static = {"to": {"dtype": np.dtype("f2")}, "clip": {"min": 0.2, "max": 0.7}}[name]
    else:
        static = {
            k: 1 for k, p in op.__signature__.parameters.items() if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        }
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0.1, 0.9, SIZE).astype(dtype) for _ in op.inputs]
    for kind in (dtype, "i4", "?"):
        given = [a if kind == dtype else (a * 4).astype(kind) for a in inputs]
        try:
            plain = op.forward(xp, *given, **static)
        except (TypeError, ValueError, AttributeError):
            continue
        fast = large_arrays.evaluate(op.forward, xp, given, static)
        for one, other in zip(*[r if type(r) is tuple else (r,) for r in (plain, fast)], strict=True):
            if one is None or other is None:  # what is saved for a backward pass, where there is such a thing
                assert one is other
                continue
            assert one.dtype == other.dtype and one.shape == other.shape
            np.testing.assert_array_equal(one, other)
