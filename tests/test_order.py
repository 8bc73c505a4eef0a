"""Scans, orders and statistics where NaNs, ties, zeros, dtypes and empty Tensors decide: as in PyTorch."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

import autograd as ag
from autograd import GraphError, gradcheck, gradgradcheck, tensor

nan, inf = math.nan, math.inf

# Expressions in the module m (this one or PyTorch) and its function t that makes tensors.
SAME = {
    "max with NaN": lambda m, t: t([1.0, nan, 3, nan]).max(0),
    "min with NaN": lambda m, t: t([1.0, nan, 3, nan]).min(0),
    "max of bools": lambda m, t: t([False, True, True]).max(0),
    "min of bools": lambda m, t: t([True, False, False]).min(),
    "max of a 0-d bool": lambda m, t: t(True).max(0),
    "max of integers": lambda m, t: t([1, 3, 3]).max(0),
    "argmax with NaN": lambda m, t: t([1.0, nan, 3]).argmax(),
    "argmin with NaN": lambda m, t: t([[1.0, nan, 3], [0.0, 1.0, 2.0]]).argmin(1),
    "aminmax with NaN": lambda m, t: m.aminmax(t([1.0, nan])),
    "cummax": lambda m, t: t([1.0, 3, 3, nan, 2, nan, 4]).cummax(0),
    "cummin": lambda m, t: t([2.0, 3, 2, nan, 2, nan, 1]).cummin(0),
    "cummax of bools": lambda m, t: t([False, True, True]).cummax(0),
    "cummax of a 0-d tensor": lambda m, t: t(2.0).cummax(0),
    "cummax of nothing": lambda m, t: m.zeros(0).cummax(0),
    "cumsum of bools": lambda m, t: t([True, True]).cumsum(0),
    "cumsum of bytes": lambda m, t: t([200, 100]).to(m.uint8).cumsum(0),
    "cumsum to int32": lambda m, t: t([1.0, 2.0]).cumsum(0, dtype=m.int32),
    "cumprod of integers": lambda m, t: t([[1, 2], [3, 4]]).cumprod(-1),
    "cumsum of a 0-d tensor": lambda m, t: t(2).cumsum(-1),
    "prod of bools": lambda m, t: t([True, False]).prod(),
    "prod of bytes": lambda m, t: t([100, 100]).to(m.uint8).prod(),
    "prod of nothing": lambda m, t: m.zeros(2, 0).prod(1),
    "prod to float64": lambda m, t: t([1, 2]).prod(0, dtype=m.float64),
    "logcumsumexp of infinities": lambda m, t: t([-inf, -inf, 1.0, inf, 2, nan, 3]).logcumsumexp(0),
    "sort with NaN": lambda m, t: t([1.0, nan, 3, nan, -inf]).sort(),
    "sort with NaN, descending": lambda m, t: t([1.0, nan, 3, nan]).sort(descending=True),
    "sort with ties": lambda m, t: t([1, 0, 1, 0, 1]).sort(stable=True),
    "sort with ties, descending": lambda m, t: m.sort(t([1, 0, 1, 0, 1]), 0, True),
    "sort of bools": lambda m, t: t([True, False, True]).sort(),
    "sort of bytes, descending": lambda m, t: t([0, 200, 3]).to(m.uint8).sort(descending=True),
    "sort of a 0-d tensor": lambda m, t: t(2.0).sort(),
    "sort of nothing": lambda m, t: m.zeros(0, 2).sort(0),
    "argsort of a 0-d tensor": lambda m, t: t(2.0).argsort(),
    "msort of a 0-d tensor": lambda m, t: m.msort(t(2.0)),
    "topk with NaN": lambda m, t: t([1.0, nan, 3]).topk(2),
    "topk smallest with NaN": lambda m, t: t([1.0, nan, 3]).topk(2, largest=False),
    "topk of integers": lambda m, t: t([[3, 1], [2, 5]]).topk(1, 0),
    "topk of none": lambda m, t: t([3, 1]).topk(0),
    "kthvalue with NaN": lambda m, t: t([1.0, nan, 3]).kthvalue(3)[0].isnan(),
    "kthvalue of a 0-d tensor": lambda m, t: t(2.0).kthvalue(1),
    "median with NaN": lambda m, t: t([1.0, nan, nan]).median(0),
    "median of all with NaN": lambda m, t: t([1.0, nan, 0]).median(),
    "median of integers": lambda m, t: t([[4, 1, 3, 2]]).median(1, True),
    "nanmedian": lambda m, t: t([[1.0, nan, nan, 2.0], [3.0, nan, 1, 2]]).nanmedian(1),
    "nanmedian of NaNs only": lambda m, t: t([nan, nan]).nanmedian(),
    "nanmedian of integers": lambda m, t: t([1, 2, 3]).nanmedian(),
    "mode": lambda m, t: t([1.0, 3, 1, 3, 3, 1]).mode(),
    "mode without repetition": lambda m, t: t([1, 5, 3]).mode(),
    "mode with NaN": lambda m, t: t([1.0, nan, nan]).mode(),
    "mode of bools": lambda m, t: t([True, False, True]).mode(),
    "mode of a 0-d tensor": lambda m, t: t(2.0).mode(),
    "quantile with NaN": lambda m, t: t([[1.0, nan, 3], [1, 2, 3]]).quantile(t([0.3, 0.5]), 1, keepdim=True),
    "quantile at the ends": lambda m, t: t([4.0, 1, 3]).quantile(t([0.0, 1.0])),
    "quantile nearest": lambda m, t: t([1.0, 2, 3, 4]).quantile(0.5, interpolation="nearest"),
    "quantile nearest, even": lambda m, t: t([1.0, 2, 3, 4, 5, 6]).quantile(0.5, interpolation="nearest"),
    "nanquantile": lambda m, t: t([[1.0, nan, 3], [nan, nan, nan]]).nanquantile(0.5, 1),
    "nansum of integers": lambda m, t: t([1, 2]).to(m.int32).nansum(),
    "nanmean of NaNs only": lambda m, t: t([[nan, nan], [1, nan]]).nanmean(1),
    "count_nonzero": lambda m, t: t([[1.0, 0, nan], [True, 0, 0]]).count_nonzero(dim=1),
    "norm p=0": lambda m, t: m.norm(t([1.0, 0, nan, inf]), 0),
    "dist p=0": lambda m, t: m.dist(t([1.0, 2]), t([[0.0], [5]]), 0),
    "diff of bools": lambda m, t: t([True, False, False]).diff(),
    "diff more often than there are entries": lambda m, t: t([1.0, 4, 9]).diff(n=5),
    "diff of integers with append": lambda m, t: t([1, 4]).diff(append=t([9])),
    "trapezoid of integers": lambda m, t: m.trapezoid(t([1, 2, 3])),
    "trapezoid of one point": lambda m, t: m.trapezoid(t([1.0])),
    "cumulative_trapezoid": lambda m, t: m.cumulative_trapezoid(m.ones(2, 3), t([0.0, 1, 3]), dim=1),
    "cov of integers": lambda m, t: t([[0, 1, 2], [2, 1, 0]]).cov(),
    "corrcoef of one variable": lambda m, t: t([1.0, 2.0]).corrcoef(),
    "renorm of zeros": lambda m, t: t([[0.0, 0], [3, 4]]).renorm(2, 0, 1),
    "unique": lambda m, t: m.unique(t([3, 1, 1.0, nan, nan]), return_inverse=True, return_counts=True),
    "unique of a matrix": lambda m, t: m.unique(t([[3, 1], [1, 3]]), return_inverse=True),
    "unique rows": lambda m, t: m.unique(t([[1, 2], [1, 2], [0, 5]]), dim=0, return_inverse=True, return_counts=True),
    "unique columns": lambda m, t: t([[1, 1, 0], [2, 2, 5]]).unique(dim=1, return_counts=True),
    "unique of a 0-d tensor": lambda m, t: t(3).unique(return_inverse=True),
    "unique of nothing": lambda m, t: m.zeros(0).unique(return_counts=True),
    "unique_consecutive": lambda m, t: m.unique_consecutive(t([1, 1, 2, 1]), True, True),
    "unique_consecutive of a matrix": lambda m, t: t([[1, 1], [2, 2]]).unique_consecutive(return_inverse=True),
    "unique_consecutive columns": lambda m, t: m.unique_consecutive(t([[1, 1, 2], [1, 1, 2]]), True, True, 1),
    "bincount": lambda m, t: t([1, 1, 3]).bincount(),
    "bincount with weights": lambda m, t: m.bincount(t([1, 1, 3]), t([0.5, 1, 2]), minlength=6),
    "bincount with integer weights": lambda m, t: m.bincount(t([1, 1, 3]), t([1, 1, 2])),
    "bincount of nothing": lambda m, t: m.bincount(m.zeros(0).long(), minlength=2),
    "histc": lambda m, t: t([1.0, 2, 2, 3, nan, 9]).histc(4, 0, 4),
    "histc of equal entries": lambda m, t: t([1.0, 1]).histc(4),
    "histogram": lambda m, t: t([1.0, 2, 2, 5]).histogram(4),
    "histogram within a range": lambda m, t: m.histogram(t([1.0, 2, 2, 5, nan]), 4, range=(0.0, 4.0)),
    "searchsorted of NaN": lambda m, t: m.searchsorted(t([1.0, 3, 5]), t([3.0, nan, inf])),
    "searchsorted of a number": lambda m, t: m.searchsorted(t([1.0, 3, 5]), 3, out_int32=True),
    "searchsorted row by row": lambda m, t: m.searchsorted(t([[1.0, 3, 5], [2, 4, 6]]), t([[3.0], [4]]), side="right"),
    "searchsorted with sorter": lambda m, t: m.searchsorted(t([5.0, 3, 1]), t([3.0]), sorter=t([2, 1, 0])),
    "bucketize": lambda m, t: m.bucketize(t([[3.0, 6], [9, 1]]), t([1.0, 3, 5]), right=True),
    "bucketize of a number": lambda m, t: m.bucketize(4, t([1.0, 3, 5])),
}


@pytest.mark.reference
@pytest.mark.parametrize("name", SAME)
def test_values_and_dtypes_are_pytorchs(name):
    import torch

    ours, theirs = SAME[name](ag, tensor), SAME[name](torch, torch.tensor)
    pairs = list(zip(ours, theirs, strict=True)) if isinstance(theirs, tuple) else [(ours, theirs)]
    for a, b in pairs:
        assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


@pytest.mark.reference
def test_results_have_pytorchs_names():
    import torch

    for name, arguments in {
        "max": (0,), "min": (0,), "cummax": (0,), "cummin": (0,), "sort": (), "topk": (1,), "kthvalue": (1,),
        "median": (0,), "nanmedian": (0,), "mode": (), "aminmax": (), "histogram": (2,),
    }.items():  # fmt: skip
        ours = getattr(ag.ones(3), name)(*arguments)
        theirs = getattr(torch.ones(3), name)(*arguments)
        for field in ours._fields:
            assert hasattr(theirs, field), name
        assert len(ours) == len(theirs)


GRADIENTS = {
    "median, ties": (lambda x: x.median(), [1.0, 2, 2, 3]),
    "median, NaN": (lambda x: x.median(), [1.0, nan, nan, 3]),
    "nanmedian, ties": (lambda x: x.nanmedian(), [1.0, nan, 2, 2, 3]),
    "median along dim, ties": (lambda x: x.median(0)[0], [2.0, 2, 2, 3]),
    "cummax, ties": (lambda x: x.cummax(0)[0], [1.0, 2, 2, 0, 2]),
    "cummin, NaN": (lambda x: x.cummin(0)[0], [1.0, nan, 0]),
    "aminmax, ties": (lambda x: sum(x.aminmax()), [1.0, 1, 2, 2, 2]),
    "mode": (lambda x: x.mode()[0], [1.0, 2, 2, 3]),
    "prod, one zero": (lambda x: x.prod(), [2.0, 0, 3]),
    "prod, two zeros": (lambda x: x.prod(), [2.0, 0, 0, 3]),
    "cumprod, zeros": (lambda x: x.cumprod(0), [2.0, 0, 3, 0, 5]),
    "nansum": (lambda x: x.nansum(), [1.0, nan, 2]),
    "renorm": (lambda x: x.reshape(2, 2).renorm(2, 0, 1.0), [1.0, 2, 0.1, 0.1]),
    "sort, NaN": (lambda x: x.sort(descending=True)[0] * x, [1.0, nan, 3, 2]),
}


@pytest.mark.reference
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_pytorchs(name):
    import torch

    function, values = GRADIENTS[name]
    ours, theirs = tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    function(ours).sum().backward()
    function(theirs).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-6)


def test_products_of_zeros_have_exact_gradients_of_first_and_second_order():
    for values in ([2.0, 0, 3], [0.0, 0, 3], [0.0, 0, 0], [2.0, 0, 3, 0, 5]):
        x = tensor(values, dtype="float64", requires_grad=True)
        for function in (ag.prod, lambda x: x.cumprod(0)):
            assert gradcheck(function, x)
            assert gradgradcheck(function, x)


def test_the_gradient_of_a_product_divides_by_nothing():
    x = tensor([1e-100, 1e-100, 1e200, 0.0, 1.0], dtype="float64", requires_grad=True)
    x.prod().backward()
    np.testing.assert_allclose(x.grad.tolist(), [0, 0, 0, 1, 0], rtol=1e-12)


def test_logcumsumexp_has_a_gradient_without_overflow_and_after_minus_infinity():
    x = tensor([-inf, 800.0, -800.0, 1000.0, 1000.0], dtype="float64", requires_grad=True)
    (g,) = ag.grad(x.logcumsumexp(0).sum(), x, create_graph=True)
    third = math.exp(-200)
    np.testing.assert_allclose(g.tolist(), [0, 2 + 1.5 * third, 0, 1.5, 0.5], rtol=1e-12)
    (second,) = ag.grad(g.sum(), x)
    assert np.isfinite(second.numpy()).all()


def test_scans_along_a_long_dimension_are_as_those_along_a_short_one():
    """One row and several rows take different ways through the recurrence."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 50, 3))
    together = ag.ops.scans.linear_recurrence(tensor(a), tensor(b), axis=0).numpy()
    for column in range(3):
        alone = ag.ops.scans.linear_recurrence(tensor(a[:, column]), tensor(b[:, column]), axis=0)
        np.testing.assert_allclose(together[:, column], alone.numpy(), rtol=1e-14)


@pytest.mark.parametrize("largest", [False, True])
def test_topk_is_the_front_of_a_stable_sort_whatever_way_it_takes(largest):
    rng = np.random.default_rng(0)
    for n, k in ((300, 30), (256, 32), (1000, 1), (300, 200)):
        x = rng.integers(0, 40, (3, n)).astype("float32")  # with many ties
        x[0, rng.integers(0, n, 5)] = nan
        x[1, :] = nan
        expected = tensor(x).sort(descending=largest)
        for dim, a in ((1, x), (0, x.T)):
            found = tensor(a).topk(k, dim, largest)
            np.testing.assert_array_equal(np.moveaxis(found.indices.numpy(), dim, 1), expected.indices.numpy()[:, :k])
            np.testing.assert_array_equal(np.moveaxis(found.values.numpy(), dim, 1), expected.values.numpy()[:, :k])


@st.composite
def scanned(draw):
    """An array with ties and zeros that may be transposed, reversed or strided, and one of its dimensions."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    x = draw(arrays.arrays(np.float64, tuple(2 * n for n in shape), elements=st.integers(-4, 4).map(lambda n: n / 2)))
    for d in range(x.ndim):
        step = draw(st.sampled_from([2, -2]))
        x = x[(slice(None),) * d + (slice(None, None, step),)]
    x = x.transpose(draw(st.permutations(range(x.ndim))))
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


@settings(deadline=None)
@given(scanned())
def test_scans_and_orders_of_random_strides_and_dims(case):
    x, dim = case
    g = np.random.default_rng(0).standard_normal(x.shape)
    t = ag.from_numpy(x).requires_grad_()

    def slope(y):
        return ag.grad(y, t, tensor(g))[0].numpy()

    y = t.cumsum(dim)
    np.testing.assert_allclose(y.detach().numpy(), np.cumsum(x, dim))
    np.testing.assert_allclose(slope(y), np.flip(np.cumsum(np.flip(g, dim), dim), dim), atol=1e-12)
    y = t.sort(dim)
    np.testing.assert_array_equal(y.values.detach().numpy(), np.sort(x, dim))
    restored = np.zeros(x.shape)
    np.put_along_axis(restored, np.argsort(x, dim, kind="stable"), g, dim)
    np.testing.assert_array_equal(slope(y.values), restored)
    y = t.cumprod(dim)
    np.testing.assert_allclose(y.detach().numpy(), np.cumprod(x, dim))
    # Entry i is a factor of every product from the i-th on; there it is replaced by 1.
    expected = np.zeros(x.shape)
    n, rows, upstream = x.shape[dim], np.moveaxis(x, dim, 0), np.moveaxis(g, dim, 0)
    for i in range(n):
        others = rows.copy()
        others[i] = 1
        np.moveaxis(expected, dim, 0)[i] = (np.cumprod(others, 0) * upstream)[i:].sum(0)
    np.testing.assert_allclose(slope(y), expected, atol=1e-10)


def test_unique_and_bincount_pass_gradient_on():
    x = tensor([3.0, 1.0, 3.0], requires_grad=True)
    (x.unique() * tensor([10.0, 20.0])).sum().backward()
    assert x.grad.tolist() == [20.0, 10.0, 0.0]
    w = tensor([1.0, 2.0, 3.0], requires_grad=True)
    (ag.bincount(tensor([0, 2, 0]), w) * tensor([1.0, 2.0, 4.0])).sum().backward()
    assert w.grad.tolist() == [1.0, 4.0, 1.0]


def test_numpys_keywords():
    x = tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
    a = x.numpy()
    assert x.cumsum(axis=1).tolist() == np.cumsum(a, axis=1).tolist()
    assert x.prod(axis=(0, 1), keepdims=True).tolist() == np.prod(a, axis=(0, 1), keepdims=True).tolist()
    assert x.sort(axis=0, descending=True).values.tolist() == a[::-1].tolist()
    assert x.argsort(axis=1).tolist() == np.argsort(a, axis=1).tolist()
    assert ag.quantile(x, 0.5, axis=1, keepdims=True).tolist() == np.quantile(a, 0.5, axis=1, keepdims=True).tolist()
    assert x.diff(axis=0).tolist() == np.diff(a, axis=0).tolist()
    assert ag.nansum(x, axis=0).tolist() == np.nansum(a, axis=0).tolist()
    assert ag.count_nonzero(x, axis=1).tolist() == [3, 3]
    assert x.median(axis=1).values.tolist() == [2.0, 5.0]
    assert x.aminmax(axis=1).min.tolist() == [1.0, 4.0]
    assert ag.trapezoid(x, axis=0).tolist() == np.trapezoid(a, axis=0).tolist()


@pytest.mark.parametrize(
    "name, arguments", [("cumsum", (1,)), ("cumprod", (0,)), ("renorm", (2, 0, 1.0))], ids=lambda v: str(v)
)
def test_in_place_forms_are_as_the_others_and_record_gradient(name, arguments):
    gradients = []
    for form in (name, f"{name}_"):
        x = tensor([[1.0, 2.0], [3.0, 0.5]], requires_grad=True)
        y = x * 2
        z = getattr(y, form)(*arguments)
        assert (z is y) == form.endswith("_")
        (z * z).sum().backward()
        gradients.append((z.tolist(), x.grad.tolist()))
    assert gradients[0] == gradients[1]


@pytest.mark.jax
def test_what_depends_on_values_for_its_shape_is_refused_in_a_compiled_function():
    from autograd.backends.jax import jit

    for function in (ag.unique, ag.unique_consecutive, ag.bincount):
        with pytest.raises(GraphError, match="call it outside"):
            jit(function)(tensor([1, 2]))
