"""Convolutions, pooling and windows over shapes, strides, padding and dilation, against loops over every place."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import rows_windows
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import GraphError, tensor
from autograd.backends import numpy_windows
from autograd.ops.convolution import convolve, convolve_back, correlate

sizes = st.tuples(st.integers(1, 7), st.integers(1, 7))
small = st.tuples(st.integers(1, 3), st.integers(1, 3))
pads = st.tuples(st.integers(0, 2), st.integers(0, 2))
seeds = st.integers(0, 2**32 - 1)
# Pixels, images or channels last, whatever the number of channels.
LAYOUTS = [{"FEW_CHANNELS": few, "MANY_CHANNELS": many} for few, many in ((99, 99), (0, 99), (0, 0))]


def span(kernel, dilation):
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]


def fits(size, kernel, padding, dilation):
    return all(n + 2 * p >= s for n, p, s in zip(size, padding, span(kernel, dilation), strict=True))


def every_window_meets(size, kernel, stride, padding, dilation, ceil):
    """Whether each window has an entry of the input under it."""
    out, under = rows_windows.pool_places(np.zeros((1, 1, *size)), kernel, stride, padding, ceil, dilation)
    return all(any(rows_windows.is_inside(p, size) for p in under(i)) for i in rows_windows.places(out))


def gradients(f, *arrays, seed=0):
    """f's value, the upstream gradient that is drawn for it, and the gradients of each array."""
    inputs = [tensor(a, requires_grad=True) for a in arrays]
    y = f(*inputs)
    u = np.random.default_rng(seed).standard_normal(y.shape)
    return y.detach().numpy(), u, [g.numpy() for g in ag.grad(y, inputs, tensor(u))]


@given(
    batch=st.integers(0, 2),
    groups=st.integers(1, 2),
    channels=small,
    size=sizes,
    kernel=small,
    stride=small,
    padding=st.one_of(pads, st.just("valid"), st.just("same")),
    dilation=small,
    reverse=st.booleans(),
    layout=st.sampled_from(LAYOUTS),
    seed=seeds,
)
def test_conv2d_is_the_loop_and_its_gradients_are_its_transposes(
    batch, groups, channels, size, kernel, stride, padding, dilation, reverse, layout, seed
):
    if padding == "same":
        stride = (1, 1)
    else:
        assume(fits(size, kernel, (0, 0) if padding == "valid" else padding, dilation))
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, groups * channels[0], *size))
    w = rng.standard_normal((groups * channels[1], channels[0], *kernel))
    b = rng.standard_normal(groups * channels[1])
    if reverse:
        x, w = x[:, :, ::-1, ::-1], w[::-1, :, :, ::-1]
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    with mock.patch.multiple(numpy_windows, **layout):
        y, u, (gx, gw, gb) = gradients(lambda *inputs: ag.conv2d(*inputs, **how), x, w, b, seed=seed)
    np.testing.assert_allclose(y, rows_windows.convolution(x, w, b, **how), rtol=1e-12, atol=1e-12)
    # The map is linear in each of its inputs, so each gradient's product with its input is that of u with y.
    product = np.sum(u * (y - b[:, None, None]))
    for a, g in ((x, gx), (w, gw)):
        assert g.shape == a.shape
        np.testing.assert_allclose(np.sum(a * g), product, rtol=1e-9, atol=1e-9)
        # ... and along another direction, which the gradient has not seen.
        other = rng.standard_normal(a.shape)
        inputs = {"x": x, "w": w, ("x" if a is x else "w"): other}
        moved = rows_windows.convolution(inputs["x"], inputs["w"], **how)
        np.testing.assert_allclose(np.sum(other * g), np.sum(u * moved), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gb, u.sum((0, 2, 3)), rtol=1e-12, atol=1e-12)


@given(
    size=sizes,
    kernel=small,
    stride=small,
    padding=pads,
    dilation=small,
    extra=pads,
    groups=st.integers(1, 2),
    seed=seeds,
)
def test_conv_transpose2d_paints_kernels_and_undoes_what_conv2d_transposes(
    size, kernel, stride, padding, dilation, extra, groups, seed
):
    assume(all(e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)))
    out = [
        (n - 1) * s + m + e - 2 * p
        for n, s, m, e, p in zip(size, stride, span(kernel, dilation), extra, padding, strict=True)
    ]
    assume(min(out) >= 1)
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, 2 * groups, *size)), rng.standard_normal((2 * groups, 1, *kernel))
    how = {"stride": stride, "padding": padding, "output_padding": extra, "groups": groups, "dilation": dilation}
    y, u, (gx, gw) = gradients(lambda x, w: ag.conv_transpose2d(x, w, **how), x, w, seed=seed)
    np.testing.assert_allclose(y, rows_windows.transposed(x, w, **how), rtol=1e-12, atol=1e-12)
    for a, g in ((x, gx), (w, gw)):
        np.testing.assert_allclose(np.sum(a * g), np.sum(u * y), rtol=1e-9, atol=1e-9)


@given(
    size=sizes,
    kernel=small,
    stride=small,
    padding=pads,
    dilation=small,
    ceil=st.booleans(),
    ties=st.booleans(),
    seed=seeds,
)
def test_max_pool2d_is_the_loop_and_its_gradient_goes_to_the_first_largest(
    size, kernel, stride, padding, dilation, ceil, ties, seed
):
    assume(fits(size, kernel, padding, dilation) and all(2 * p <= k for p, k in zip(padding, kernel, strict=True)))
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (2, 2, *size)).astype(float) if ties else rng.standard_normal((2, 2, *size))
    how = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil}
    if not every_window_meets(size, kernel, stride, padding, dilation, ceil):
        with pytest.raises(ag.ShapeError, match="on padding"):
            ag.max_pool2d(tensor(x), **how)
        return
    expected, places = rows_windows.max_pool(x, **how, return_indices=True)
    y, u, (g,) = gradients(lambda x: ag.max_pool2d(x, **how), x, seed=seed)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(ag.max_pool2d(tensor(x), **how, return_indices=True)[1].numpy(), places)
    scattered = np.zeros((4, size[0] * size[1]))
    np.add.at(scattered, (np.arange(4)[:, None], places.reshape(4, -1)), u.reshape(4, -1))
    np.testing.assert_allclose(g, scattered.reshape(x.shape), rtol=1e-12, atol=1e-12)


@given(size=sizes, kernel=small, stride=small, padding=pads, ceil=st.booleans(), count=st.booleans(), seed=seeds)
def test_avg_pool2d_is_the_loop(size, kernel, stride, padding, ceil, count, seed):
    assume(fits(size, kernel, padding, (1, 1)) and all(2 * p <= k for p, k in zip(padding, kernel, strict=True)))
    x = np.random.default_rng(seed).standard_normal((2, 2, *size))
    how = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil, "count_include_pad": count}
    y, u, (g,) = gradients(lambda x: ag.avg_pool2d(x, **how), x, seed=seed)
    np.testing.assert_allclose(y, rows_windows.avg_pool(x, **how), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.sum(x * g), np.sum(u * y), rtol=1e-9, atol=1e-9)


@settings(max_examples=50)
@given(size=sizes, kernel=small, stride=small, padding=pads, dilation=small, seed=seeds)
def test_fold_is_the_transpose_of_unfold(size, kernel, stride, padding, dilation, seed):
    assume(fits(size, kernel, padding, dilation))
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 2, *size))
    how = {"dilation": dilation, "padding": padding, "stride": stride}
    columns = ag.unfold(tensor(x), kernel, **how)
    u = tensor(rng.standard_normal(columns.shape))
    image = ag.fold(u, size, kernel, **how)
    np.testing.assert_allclose((columns * u).sum().item(), (tensor(x) * image).sum().item(), rtol=1e-9, atol=1e-9)


@settings(max_examples=50)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), data=st.data(), step=st.integers(1, 3), seed=seeds)
def test_unfold_along_a_dimension_is_numpys_sliding_windows(shape, data, step, seed):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    size = data.draw(st.integers(1, shape[dim]))
    x = np.random.default_rng(seed).standard_normal(shape)
    expected = rows_windows.unfolded_along(x, dim, size, step)
    y, u, (g,) = gradients(lambda x: x.unfold(dim, size, step), x, seed=seed)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_allclose(np.sum(x * g), np.sum(u * y), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_parts_of_a_batch_give_what_the_whole_gives(monkeypatch, groups, layout):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, 4, 6, 6)), rng.standard_normal((6, 4 // groups, 3, 3))
    how = {"stride": (1, 1), "padding": ((1, 1), (1, 0)), "dilation": (1, 1), "groups": groups}
    for name, value in layout.items():
        monkeypatch.setattr(numpy_windows, name, value)
    results = []
    for budget in (1, 10**9):
        monkeypatch.setattr("autograd.backends.numpy_windows.COLUMN_BYTES", budget)
        y = convolve(tensor(x), tensor(w), **how)
        back = convolve_back(y, tensor(w), size=(6, 6), **how)
        results.append((y, back, correlate(tensor(x), y, kernel=(3, 3), **how)))
    for one, whole in zip(*results, strict=True):
        np.testing.assert_allclose(one.numpy(), whole.numpy(), rtol=1e-12)


def test_max_pool_passes_nan_on_and_finds_minus_infinity_inside_the_input():
    x = np.ones((1, 1, 4, 4))
    x[0, 0, 1, 1] = np.nan
    y = ag.max_pool2d(tensor(x), 2).numpy()[0, 0]
    assert np.isnan(y[0, 0]) and np.isfinite(y[0, 1:]).all() and np.isfinite(y[1]).all()
    lowest = tensor(np.full((1, 1, 3, 3), -np.inf), requires_grad=True)
    y, places = ag.max_pool2d(lowest, 3, 2, 1, return_indices=True)
    assert places.tolist() == [[[[0, 1], [3, 4]]]]
    y.sum().backward()
    assert lowest.grad.tolist() == [[[[1, 1, 0], [1, 1, 0], [0, 0, 0]]]]


def test_pooling_of_integers_is_exact():
    assert ag.max_pool1d(tensor([[[1, 2**60 + 1, 2**60]]]), 3).tolist() == [[[2**60 + 1]]]


def test_unpooling_puts_back_what_pooling_took():
    x = tensor(np.arange(16.0).reshape(1, 1, 4, 4))
    y, places = ag.max_pool2d(x, 2, return_indices=True)
    again = ag.max_unpool2d(y, places, 2)
    assert ag.max_pool2d(again, 2).tolist() == y.tolist()
    assert (again != 0).sum() == 4


def test_the_windows_of_unfold_are_a_copy():
    x = ag.zeros(4)
    windows = x.unfold(0, 2, 1)
    windows.fill_(1)
    assert x.tolist() == [0, 0, 0, 0]


def test_a_large_global_pooling_takes_no_memory_for_its_windows():
    x = ag.ones(1, 1, 300, 300, requires_grad=True)
    ag.avg_pool2d(x, 300).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 / 90000, rtol=1e-5)
    (g,) = ag.grad(ag.max_pool1d(x.reshape(1, 1, -1), 90000).sum(), x)
    assert g.sum() == 1 and g[0, 0, 0, 0] == 1


def test_gradient_of_a_convolution_in_a_smaller_graph_is_freed_like_any_other():
    w = ag.ones(1, 1, 2, 2, requires_grad=True)
    y = ag.conv2d(ag.ones(1, 1, 3, 3), w).sum()
    y.backward()
    with pytest.raises(GraphError, match="freed"):
        y.backward()


@pytest.mark.jax
def test_pooling_indices_and_unpooling_compile():
    from autograd.backends.jax import jit

    def both(x):
        y, places = ag.max_pool2d(x, 2, return_indices=True)
        return places, ag.max_unpool2d(y, places, 2)

    x = tensor(np.random.default_rng(0).standard_normal((2, 2, 4, 4)))
    for ours, compiled in zip(both(x), jit(both)(x), strict=True):
        np.testing.assert_array_equal(ours.numpy(), compiled.numpy())


@pytest.mark.reference
@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_puts_the_odd_place_where_pytorch_does(kernel, dilation):
    import torch

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, 1, 9)), rng.standard_normal((1, 1, kernel))
    y = ag.conv1d(tensor(x), tensor(w), padding="same", dilation=dilation)
    z = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(w), padding="same", dilation=dilation)
    np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-12)
