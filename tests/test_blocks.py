"""What NumPy computes in blocks, and large arrays on several threads, against the plain rule beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd
import nn
from autograd import tensor, threads
from autograd.backends import numpy as xp
from autograd.backends import numpy_blocks
from autograd.backends import tensor as tensors
from autograd.backends.numpy_blocks import BLOCK, SPREAD, aligned, by_blocks
from autograd.ops import moments, numpy_moments
from autograd.ops.activations import times_normal_cdf
from autograd.ops.along import Along
from autograd.ops.attention import attend
from autograd.ops.moments import standardize

BUFFER = np.getbufsize()


def rule(op, name):
    return op.rules[op.inputs.index(name)]


def within(got, expected, dtype, few=8):
    """Equal but for a few roundings of the largest entries."""
    assert got.dtype == dtype and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=few * np.finfo(dtype).eps * np.abs(expected).max())


@pytest.mark.parametrize("size", [1, 1000, BLOCK, SPREAD, 3 * SPREAD])
@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_every_unit_is_in_one_block(count, size):
    seen = np.zeros(count, int)

    def work(start, stop):
        seen[start:stop] += 1

    by_blocks(work, count, size)
    assert (seen == 1).all()


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (33, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_aligned_arrays_begin_with_a_line_of_the_cache(shape, dtype):
    for _ in range(5):
        x = aligned(shape, dtype)
        assert x.shape == shape and x.dtype == dtype and x.flags.c_contiguous and x.flags.writeable
        assert x.__array_interface__["data"][0] % 64 == 0 or not x.size
        assert x.base.nbytes == x.nbytes and not isinstance(x.base.base, np.ndarray)


@pytest.mark.parametrize("shape", [(256, 256), (2, 256, 128)])
def test_what_begins_with_a_line_of_the_cache_begins_its_memory(shape):
    y = nn.LayerNorm(shape[1:])(autograd.rand(shape))
    assert (y.storage_offset(), y[1:].storage_offset()) == (0, y.numel() // shape[0])


def test_an_error_in_a_block_is_raised():
    def work(start, stop):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        by_blocks(work, 4, SPREAD)


@pytest.mark.parametrize(
    ("shape", "axes", "affine"), [((40, 64), (1,), (64,)), ((64, 13, 16), (0, 2), (13, 1)), ((2, 40, 64), (2,), (64,))]
)
def test_moments_are_the_same_bits_for_any_number_of_threads(shape, axes, affine, monkeypatch):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape).astype("f") for _ in range(2))
    weight, bias = (rng.standard_normal(affine).astype("f") for _ in range(2))
    monkeypatch.setattr(moments, "_FEW", 0)
    kept = math.prod(n for d, n in enumerate(shape) if d not in axes)
    monkeypatch.setattr(numpy_moments, "_BLOCK", 5 * x.nbytes // kept)

    def results():
        out, mean, scale, along = standardize.forward(xp, x, weight, bias, axes=axes, eps=1e-5)
        how = {"axes": axes, "eps": 1e-5, "mean": mean, "scale": scale, "_along": along}
        gradients = [rule(standardize, name)(xp, g, out, x, weight, bias, **how) for name in ("x", "weight", "bias")]
        return [out, mean, scale, *gradients]

    same_for_threads(results, monkeypatch)


def test_attention_is_the_same_bits_for_any_number_of_threads(monkeypatch):
    q, k, v = np.random.default_rng(0).standard_normal((3, 13, 128, 16)).astype("f")
    q[7] *= 100  # so that the scores of its block, of 8 heads, are too large to do without a shift
    same_for_threads(lambda: attend.forward(xp, q, k, v, scale=0.25)[:2], monkeypatch)


def same_for_threads(results, monkeypatch):
    monkeypatch.setattr(numpy_blocks, "SPREAD", 0)
    found = []
    for n in (1, 2, 3, 5):
        monkeypatch.setattr(threads, "available", lambda n=n: n)
        found.append(results())
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("turned", [False, True])
def test_gelu_in_place_is_the_expression(approximate, dtype, turned):
    x, g = (3 * np.random.default_rng(0).standard_normal((2, 9, BLOCK // 16 + 1))).astype(dtype)
    x[0, :3] = 0, -40, 40
    x = x[:, ::-1].T if turned else x
    g = np.asfortranarray(g.T if turned else g)
    forward, gradient = times_normal_cdf.forward, rule(times_normal_cdf, "x")
    out, slope = forward(xp, x, approximate=approximate)
    fast = gradient(xp, g, out, x, approximate=approximate, slope=slope)
    assert slope.dtype == dtype and slope.shape == x.shape
    with autograd.no_grad():
        alone, nothing = forward(xp, x, approximate=approximate)
    assert nothing is None
    np.testing.assert_array_equal(alone, out)
    few = (slice(0, 9), slice(0, 9))  # less than what is done in place
    within(out[few], forward(xp, x[few], approximate=approximate)[0], dtype)
    within(fast[few], gradient(tensors, tensor(g[few]), None, tensor(x[few]), approximate=approximate).numpy(), dtype)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_in_place_far_out(approximate):
    x = np.tile(np.array([-np.inf, -1000, 1000, np.inf, np.nan], np.float32), 4096)
    with np.errstate(invalid="ignore"):
        out, slope = times_normal_cdf.forward(xp, x, approximate=approximate)
    np.testing.assert_array_equal(out[:5], [np.nan, 0, 1000, np.inf, np.nan])
    np.testing.assert_array_equal(slope[1:3], [0, 1])


# Shape, axes, shape of weight and bias: kept inside, outside, both; short rows and long ones, several to a block.
NORMS = [
    ((700, 65), (1,), (65,)), ((1024, 128), (1,), (128,)), ((40, 8, 300), (2,), (300,)), ((5, 3000), (1,), (3000,)),
    ((5, 6, 7), (1, 2), (6, 7)), ((8, 6, 20, 31), (0, 2, 3), (6, 1, 1)), ((3, 4, 9), (2,), (4, 1)),
    ((3, 4, 9), (2,), (3, 4, 1)), ((2, 3, 4), (2,), (1,)), ((2, 3, 900), (0, 2), (3, 1)),
    ((6, 64, 64, 64), (0, 2, 3), (64, 1, 1)), ((1, 8), (1,), (8,)), ((9,), (0,), (9,)), ((3, 1, 5), (2,), (5,)),
]  # fmt: skip
OF_ROWS = [norm for norm in NORMS if norm[1] == (len(norm[0]) - 1,) and norm[2] == norm[0][-1:]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "axes", "affine", "few"), [(*norm, 0) for norm in NORMS] + [(*norm, 1 << 62) for norm in OF_ROWS]
)
@pytest.mark.parametrize("given", ["wb", "w", "b", ""])
def test_normalization_by_blocks_or_rows_is_the_plain_one(shape, axes, affine, few, given, dtype, monkeypatch):
    monkeypatch.setattr(moments, "_FEW", few)
    rng = np.random.default_rng(0)
    x, g = (2 + rng.standard_normal((2, *shape))).astype(dtype)
    x = np.asfortranarray(x) if few else x
    weight, bias = (rng.standard_normal(affine).astype(dtype) if name in given else None for name in "wb")
    shown = []
    how = {"axes": axes, "eps": 1e-3, "_tell": lambda *pair: shown.append(pair)}
    out, mean, scale, along = standardize.forward(xp, x, weight, bias, **how)
    assert np.getbufsize() == BUFFER
    exact = x.astype(float)
    centre, variance = exact.mean(axes, keepdims=True), exact.var(axes, keepdims=True)
    for got, wanted in zip((*shown[0], scale), (centre, variance, 1 / np.sqrt(variance + 1e-3)), strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=20 * np.finfo(dtype).eps)
    y = (exact - centre) / np.sqrt(variance + 1e-3)
    y = y if weight is None else y * weight
    within(out, y if bias is None else y + bias, dtype, 20)
    doubles = [None if a is None else tensor(a.astype(float)) for a in (g, x, weight, bias)]
    for name, value in (("x", x), ("weight", weight), ("bias", bias)):
        if value is None:
            continue
        plain = rule(standardize, name)(tensors, doubles[0], None, *doubles[1:], axes=axes, eps=1e-3).numpy()
        saved = {"mean": mean, "scale": scale}
        for left in (along, None):
            fast = rule(standardize, name)(xp, g, out, x, weight, bias, axes=axes, eps=1e-3, **saved, _along=left)
            assert fast.dtype == dtype and fast.shape == plain.shape
            terms = x.size / plain.size  # that are added up, of which neither x nor g has mean 0
            room = np.finfo(dtype).eps * (20 * np.sqrt(terms) + terms) * np.abs(x).max() * np.abs(g).max()
            np.testing.assert_allclose(fast, plain, rtol=0, atol=room)


@pytest.mark.parametrize(("shape", "axes", "affine"), [((1024, 128), (1,), (128,)), ((16, 8, 256), (0, 2), (8, 1))])
def test_gradients_of_normalization_far_from_0_keep_their_digits(shape, axes, affine):
    rng = np.random.default_rng(0)
    x, g, weight, bias = (rng.standard_normal(s).astype("f") for s in (shape, shape, affine, affine))
    x += 100
    found = []
    for dtype in ("f4", "f8"):
        given = [tensor(a.astype(dtype), requires_grad=True) for a in (x, weight, bias)]
        standardize(*given, axes=axes, eps=1e-5).backward(tensor(g.astype(dtype)))
        found.append([leaf.grad.numpy() for leaf in given])
    for a, exact in zip(*found, strict=True):
        assert np.abs(a - exact).max() < 2e-5 * np.abs(exact).max()


def test_normalization_far_from_0_keeps_its_digits():
    x = 1000 + np.random.default_rng(0).standard_normal((64, 256)).astype(np.float32)
    out = standardize.forward(xp, x, axes=(1,), eps=0.0)[0]
    exact = x.astype(float)
    exact = (exact - exact.mean(1, keepdims=True)) / exact.std(1, keepdims=True)
    assert np.abs(out - exact).max() < 1e-4
    same = standardize.forward(xp, np.full((64, 256), 3, np.float32), axes=(1,), eps=1e-5)[0]
    assert np.abs(same).max() < 1e-3


def test_gradients_left_for_other_rules_are_taken_once_and_with_their_upstream_gradient():
    along, g = Along(), np.ones(3)
    along.put(g, weight=1, bias=2)
    assert along.take(np.ones(3), "weight") is None
    assert along.take(g, "weight") == 1 and along.take(g, "weight") is None
    tensor(1.0).add_(1)  # which might have been into g
    assert along.take(g, "bias") is None


def test_normalization_backward_twice_with_another_upstream_gradient_in_the_same_memory(monkeypatch):
    monkeypatch.setattr(moments, "_FEW", 0)
    x, weight = (tensor(np.random.default_rng(0).standard_normal(s), requires_grad=True) for s in ((4, 3), (3,)))
    y = autograd.layer_norm(x, 3, weight)
    g = autograd.ones(4, 3, dtype=y.dtype)
    autograd.grad(y, x, g, retain_graph=True)
    (before,) = autograd.grad(y, weight, g, retain_graph=True)
    autograd.grad(y, x, g, retain_graph=True)
    g.mul_(2)
    (after,) = autograd.grad(y, weight, g)
    np.testing.assert_allclose(after.numpy(), 2 * before.numpy())


def test_backward_twice_with_an_upstream_gradient_that_numpy_wrote_into_in_between():
    q, k = (tensor(np.random.default_rng(seed).standard_normal((2, 3, 40, 32)), requires_grad=True) for seed in (0, 1))
    y = attend(q, k, k, scale=0.2)
    buffer = np.ones(y.shape)
    g = autograd.from_numpy(buffer)
    (before,) = autograd.grad(y, k, g, retain_graph=True)
    autograd.grad(y, q, g, retain_graph=True)
    buffer *= 2
    (after,) = autograd.grad(y, k, g)
    np.testing.assert_allclose(after.numpy(), 2 * before.numpy(), rtol=1e-9, atol=1e-9)


# Shapes of q, k and v, of a mask, and how they lie in memory.
HEADS = [
    ((16, 4, 16, 8), (16, 4, 16, 8), (16, 4, 16, 8), None, "in turn"),
    ((16, 2, 32, 32), (16, 2, 64, 32), (16, 2, 64, 16), (64,), "in turn"),
    ((3, 2, 33, 20), (3, 2, 33, 20), (3, 2, 33, 7), (33, 33), "in turn"),
    ((3, 70, 16), (3, 50, 16), (3, 50, 5), (3, 1, 50), "as they are"),
    ((2, 3, 300, 8), (2, 3, 310, 8), (2, 3, 310, 8), (2, 1, 300, 310), "as they are"),
    ((2, 3, 300, 8), (2, 3, 310, 8), (2, 3, 310, 8), (3, 1, 310), "in turn"),
    ((2, 3, 300, 8), (2, 3, 310, 8), (2, 3, 310, 8), (1, 3, 1, 1), "backwards"),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [1.0, 40.0])  # scores too large for e^x without a shift
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("q", "k", "v", "mask", "order"), HEADS)
def test_attention_by_heads_is_the_plain_one(q, k, v, mask, order, causal, spread, dtype):
    rng = np.random.default_rng(0)

    def drawn(shape, scale=1.0):
        x = (scale * rng.standard_normal(shape)).astype(dtype)
        if order == "in turn" and x.ndim == 4:
            return np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2)
        return x[..., ::-1] if order == "backwards" else x

    g = drawn((*q[:-1], v[-1]))
    q, k, v = drawn(q, spread), drawn(k), drawn(v)
    mask = None if mask is None else np.where(rng.random(mask) < 0.3, -np.inf, rng.standard_normal(mask)).astype(dtype)
    how = {"scale": q.shape[-1] ** -0.5, "causal": causal}
    out, weights, along = attend.forward(xp, q, k, v, mask, **how)
    assert np.getbufsize() == BUFFER
    doubles = [a if a is None else a.astype(float) for a in (q, k, v, mask)]
    exact = plain_attention(*doubles, **how)
    room = 60 * spread * np.finfo(dtype).eps
    assert out.dtype == weights.dtype == dtype and weights.shape == (*q.shape[:-1], k.shape[-2])
    np.testing.assert_allclose(out, exact, rtol=0, atol=room * np.abs(v).max())
    tensor_inputs = [None if a is None else tensor(a) for a in doubles]
    for name, x in zip(("query", "key", "value"), (q, k, v), strict=True):
        plain = rule(attend, name)(tensors, tensor(g.astype(float)), None, *tensor_inputs, **how).numpy()
        for left in (along, None):
            fast = rule(attend, name)(xp, g, out, q, k, v, mask, **how, weights=weights, _along=left)
            assert fast.dtype == dtype and fast.shape == x.shape
            np.testing.assert_allclose(fast, plain, rtol=0, atol=room * 10 * max(1, np.abs(plain).max()))


def plain_attention(q, k, v, mask, scale, causal):
    scores = q * scale @ k.swapaxes(-1, -2)
    scores = scores if mask is None else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    with np.errstate(invalid="ignore"):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return np.nan_to_num(e / e.sum(-1, keepdims=True)) @ v


def test_attention_lies_in_memory_as_its_query():
    q, k, v = (x.transpose(0, 2, 1, 3) for x in np.random.default_rng(0).standard_normal((3, 4, 32, 8, 16)))
    out, weights, _ = attend.forward(xp, q, k, v, scale=0.25)
    assert out.transpose(0, 2, 1, 3).flags.c_contiguous and weights.flags.c_contiguous
    for gradient in (rule(attend, "query")(xp, out, out, q, k, v, scale=0.25, weights=weights),):
        assert gradient.transpose(0, 2, 1, 3).flags.c_contiguous


def test_attention_in_second_order_where_it_goes_by_heads():
    rng = np.random.default_rng(0)
    q, k, v = (tensor(rng.standard_normal((2, 2, 16, 32)), requires_grad=True) for _ in range(3))

    def slopes(attention):
        y = attention(q, k, v)
        first = autograd.grad((y * y).sum(), (q, k, v), create_graph=True)
        return autograd.grad(sum((g * g).sum() for g in first), (q, k, v))

    def plain(q, k, v):
        return autograd.softmax(q * 0.2 @ k.mT, -1) @ v

    for fast, slow in zip(slopes(lambda *x: attend(*x, scale=0.2)), slopes(plain), strict=True):
        np.testing.assert_allclose(fast.numpy(), slow.numpy(), rtol=1e-9, atol=1e-9)


def test_attention_that_is_recorded_to_be_looked_at_shows_its_weights():
    q, k, v = (autograd.randn(2, 3, 40, 33, requires_grad=True) for _ in range(3))
    plain = autograd.scaled_dot_product_attention(q, k, v, is_causal=True)
    with autograd.record():
        shown = autograd.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert (plain.grad_fn.name, shown.grad_fn.name) == ("attention", "matmul")
    np.testing.assert_allclose(shown.detach(), plain.detach(), rtol=1e-5, atol=1e-6)
