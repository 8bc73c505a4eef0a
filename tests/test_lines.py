"""Convolutions as products of lines, against those of whole windows, and sums that stay on one thread."""

from __future__ import annotations

import contextlib
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
from autograd import tensor
from autograd.backends import numpy_lines, numpy_narrow, numpy_reductions, numpy_weights, numpy_windows

NEVER = {"LITTLE": 1 << 60}
# All lines of a batch at once; many parts, each of few images and rows; products of a few entries.
ALWAYS = [
    {"LITTLE": 0},
    {"LITTLE": 0, "FEW": 1 << 60, "COLUMNS": 1, "RUN": 1},
    {"LITTLE": 0, "LEAST": 60, "PART_BYTES": 1 << 10},
    {
        "LITTLE": 0,
        "LEAST": 60,
        "PART_BYTES": 1 << 12,
        "SMALL_PRODUCT": 300,
        "LONG": (8, 4),
        "VECTORS": 4,
        "SUMMED": 6,
        "SHORT": 3,
    }
    | {"MANY": 6, "WIDE": 4, "FILTERS": 2, "FEW": 6, "MOST": 8, "COLUMNS": 1, "RUN": 1},
]


def with_lines(settings, function):
    def forget():
        numpy_lines.plan.cache_clear()
        numpy_weights.plan.cache_clear()

    forget()
    with contextlib.ExitStack() as stack:
        for module in (numpy_lines, numpy_narrow, numpy_weights):
            for name, value in settings.items():
                if hasattr(module, name):
                    stack.enter_context(mock.patch.object(module, name, value))
        try:
            return function()
        finally:
            forget()


def products(x, w, y, size, *how):
    return (
        numpy_windows.convolve(x, w, *how),
        numpy_windows.convolve_back(y, w, size, *how),
        numpy_windows.correlate(x, y, w.shape[2:], *how),
    )


@given(
    dims=st.integers(1, 3), batch=st.integers(0, 5), groups=st.integers(1, 2), channels=st.sampled_from([1, 2, 5]),
    filters=st.integers(1, 4), settings=st.sampled_from(ALWAYS), dtype=st.sampled_from(["f4", "f8"]),
    strided=st.booleans(), data=st.data(), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_lines_give_what_windows_give(dims, batch, groups, channels, filters, settings, dtype, strided, data, seed):
    def draw(numbers):
        return tuple(data.draw(numbers) for _ in range(dims))

    size, kernel, stride, dilation = (draw(st.integers(1, n)) for n in (9, 3, 3, 2))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    assume(all(n + sum(p) >= s for n, p, s in zip(size, padding, spans, strict=True)))
    out = [(n + sum(p) - span) // s + 1 for n, p, span, s in zip(size, padding, spans, stride, strict=True)]
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, groups * channels, *size)).astype(dtype)
    w = rng.standard_normal((groups * filters, channels, *kernel)).astype(dtype)
    y = rng.standard_normal((batch, groups * filters, *out)).astype(dtype)
    if strided:
        x, w, y = (np.asfortranarray(a)[..., ::-1] for a in (x, w, y))
    how = stride, padding, dilation, groups
    plain = with_lines(NEVER, lambda: products(x, w, y, size, *how))
    tolerance = {"f4": 5e-5, "f8": 1e-11}[dtype]
    for a, b in zip(with_lines(settings, lambda: products(x, w, y, size, *how)), plain, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("stride", [1, 2])
def test_second_derivatives_through_lines(stride):
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal((3, 4, 7, 6)), rng.standard_normal((5, 4, 3, 3)), rng.standard_normal(5)

    def second():
        x, w, b = (tensor(a, requires_grad=True) for a in arrays)
        y = ag.conv2d(x, w, b, stride=stride, padding=1)
        first = ag.grad((y * y * y).sum(), [x, w, b], create_graph=True)
        return [g.numpy() for g in ag.grad(sum((g * g).sum() for g in first), [x, w, b])]

    for a, b in zip(with_lines(ALWAYS[1], second), with_lines(NEVER, second), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * abs(b).max())


@pytest.mark.parametrize("name", ["correlate_lines", "correlate_pixels", "convolve_back_narrow"])
def test_a_gradient_is_the_same_for_any_number_of_threads(name):
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((16, 8, 32, 32)).astype("f4") for _ in range(2))
    w = rng.standard_normal((8, 8, 3, 3)).astype("f4")
    ones, pads = (1, 1), ((1, 1), (1, 1))
    calls = {
        "correlate_lines": lambda: numpy_lines.correlate_lines(x, y, (3, 3), ones, pads, ones, 1),
        "correlate_pixels": lambda: numpy_weights.correlate_pixels(x, y, (3, 3), ones, pads, ones, 1),
        "convolve_back_narrow": lambda: with_lines(
            {"LITTLE": 0, "COLUMNS": 1, "LEAST": 1 << 20},
            lambda: numpy_windows.convolve_back(y, w, (32, 32), ones, pads, ones, 1),
        ),
    }
    found = []
    for threads in (1, 2, 3):
        with mock.patch.object(numpy_lines.threads, "available", lambda threads=threads: threads):
            found.append(calls[name]())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((300, 50), 0),
        ((9001, 3), 0),
        ((7, 5000), 0),
        ((40, 6, 300), (0, 2)),
        ((700, 1, 4096), 2),
        ((60, 331, 3), (1, 2)),
    ],
)
def test_sums_of_many_entries_are_those_of_numpy(shape, axis, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for keepdims in (False, True):
        total = numpy_reductions.sum_along(x, axis, keepdims)
        expected = x.astype("f8").sum(axis, keepdims=keepdims)
        assert total.dtype == dtype and total.shape == expected.shape
        np.testing.assert_allclose(
            total, expected, rtol=1e-4 if dtype == "f4" else 1e-11, atol=1e-3 if dtype == "f4" else 1e-11
        )


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("rows", "n"), [(10007, 10), (2 * 10007, 10), (1009, 10), (3, 3001), (5003, 1)])
def test_sums_along_rows_whose_number_has_no_fitting_divisor_are_few_products(rows, n, dtype):
    x = 1 + np.random.default_rng(0).standard_normal((rows, n)).astype(dtype)
    x[1, n // 2], x[rows - 1, 0] = np.nan, np.inf
    with mock.patch.object(np, "matmul", wraps=np.matmul) as products:
        total = numpy_reductions.sum_along(x, 1, False)
    assert (n > 1 and rows > 5) == (products.call_count == 2)
    assert np.isnan(total[1]) and total[rows - 1] == np.inf and total.dtype == dtype
    np.testing.assert_allclose(total, x.sum(1, dtype="f8"), rtol=1e-4 if dtype == "f4" else 1e-10, atol=1e-3)
