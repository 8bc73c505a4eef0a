"""Reductions over random shapes, strides and axes: values as NumPy's, gradients by each reduction's own formula."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as arrays

import autograd
from autograd import Tensor


def weights(x, axis):
    """∂(the largest entry)/∂x: the share of each entry in the ties of its slice."""
    chosen = x == x.max(axis=axis, keepdims=True)
    return chosen / chosen.sum(axis=axis, keepdims=True)


def entries(x, axis):
    return x.size if axis is None else math.prod(x.shape[d] for d in axis)


# name: (our function, NumPy's, the slope of a slice's result with respect to its entries)
REDUCTIONS = {
    "sum": (autograd.sum, np.sum, lambda x, axis: np.ones_like(x)),
    "mean": (autograd.mean, np.mean, lambda x, axis: np.full_like(x, 1 / entries(x, axis))),
    "amax": (autograd.amax, np.max, weights),
    "amin": (autograd.amin, np.min, lambda x, axis: weights(-x, axis)),
    "logsumexp": (
        autograd.logsumexp,
        lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
        lambda x, axis: np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True),
    ),
    "var": (
        lambda x, axis, keepdims: autograd.var(x, axis=axis, keepdims=keepdims, correction=0),
        np.var,
        lambda x, axis: 2 * (x - x.mean(axis=axis, keepdims=True)) / entries(x, axis),
    ),
    "norm": (
        lambda x, axis, keepdims: autograd.norm(x, axis=axis, keepdims=keepdims),
        lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
        lambda x, axis: x / np.where((n := np.sqrt((x * x).sum(axis=axis, keepdims=True))) == 0, 1, n),
    ),
}


@st.composite
def reductions(draw):
    """A reduction, an array that may be transposed, reversed or strided, some of its axes, and keepdims."""
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    # Quarters make ties likely, and sums exact.
    numbers = st.integers(-8, 8).map(lambda n: n / 4)
    x = draw(arrays.arrays(np.float64, tuple(2 * n for n in shape), elements=numbers))
    for d in range(x.ndim):
        step = draw(st.sampled_from([2, -2, None]))
        x = x[(slice(None),) * d + (slice(None, shape[d]) if step is None else slice(None, None, step),)]
    x = x.transpose(draw(st.permutations(range(x.ndim))))
    axes = draw(st.none() | st.lists(st.integers(-x.ndim, x.ndim - 1), max_size=x.ndim) if x.ndim else st.none())
    if axes is not None:
        axes = tuple({a % x.ndim: a for a in axes}.values())
    return draw(st.sampled_from(sorted(REDUCTIONS))), x, axes, draw(st.booleans())


@given(reductions())
def test_value_and_gradient(case):
    name, x, axis, keepdims = case
    ours, numpys, slope = REDUCTIONS[name]
    t = autograd.from_numpy(x).requires_grad_()
    y = ours(t, axis=axis, keepdims=keepdims)
    expected = numpys(x, axis=axis, keepdims=keepdims)
    assert isinstance(y, Tensor) and y.shape == np.shape(expected)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    upstream = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(upstream)
    spread = upstream if keepdims or axis is None else np.expand_dims(upstream, axis)
    np.testing.assert_allclose(
        t.grad.numpy(), slope(x, tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in axis)) * spread,
        rtol=1e-11, atol=1e-12,
    )  # fmt: skip


@given(reductions())
def test_pytorchs_keywords_mean_the_same(case):
    name, x, axis, keepdims = case
    if name not in ("sum", "mean", "amax", "amin", "logsumexp"):
        name = "sum"
    ours = REDUCTIONS[name][0]
    t = autograd.from_numpy(x)
    a, b = ours(t, axis=axis, keepdims=keepdims), ours(t, dim=axis, keepdim=keepdims)
    assert a.shape == b.shape
    np.testing.assert_array_equal(a.numpy(), b.numpy())
