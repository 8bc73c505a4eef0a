"""What a quicker way under NumPy gives, against the plain rule beside it."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import GraphError, linear, tensor, threads
from autograd.backends import numpy as xp
from autograd.backends.numpy_rows import FEW, SMALL, sum_rows
from autograd.ops.moments import average, average_of_product, standardize
from autograd.ops.numpy_affine import affine
from autograd.ops.window_maxima import max_windows, reach_of
from autograd.ops.windows import window_sum

few = st.integers(1, 3)


def rule(op, name):
    return op.rules[op.inputs.index(name)]


def tiled(rng, tile, out, dtype):
    """Entries of which many are equal, and the reach of a kernel that tiles them."""
    size = [k * m for k, m in zip(tile, out, strict=True)]
    x = rng.integers(0, 3, (2, 2, *size)).astype(dtype)
    return x, tuple(reach_of(n, k, k, 0, 1, m) for n, k, m in zip(size, tile, out, strict=True))


@given(
    tile=st.lists(few, min_size=1, max_size=3), dtype=st.sampled_from(["f2", "f4", "f8"]), data=st.data(),
    special=st.sampled_from([0.0, -np.inf, np.nan]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_max_pooling_of_tiles_gives_the_gradient_to_the_same_entries(tile, dtype, data, special, seed):
    rng = np.random.default_rng(seed)
    x, reach = tiled(rng, tile, [data.draw(few) for _ in tile], dtype)
    x[rng.random(x.shape) < 0.2] = special
    y = max_windows.forward(xp, x, reach=reach)
    g = rng.standard_normal(y.shape).astype(dtype)
    g[rng.random(g.shape) < 0.2] = np.inf
    plain = rule(max_windows, "x")(xp, g, y, x, reach=reach)
    fast = rule(max_windows, "x")(xp, g, y, x, reach=reach, tile=tuple(tile))
    assert fast.dtype == dtype
    np.testing.assert_array_equal(fast, plain)


def test_max_pooling_of_tiles_that_are_not_in_order_in_memory():
    rng = np.random.default_rng(0)
    x, reach = tiled(rng, (2, 3), (2, 2), "f4")
    x = np.asfortranarray(x)[:, :, ::-1]
    y = max_windows.forward(xp, x, reach=reach)
    g = np.broadcast_to(np.float32(2), y.shape)
    plain = rule(max_windows, "x")(xp, g, y, x, reach=reach)
    np.testing.assert_array_equal(rule(max_windows, "x")(xp, g, y, x, reach=reach, tile=(2, 3)), plain)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (2, 3)])
def test_sums_of_tiles_have_the_gradient_of_the_recorded_rule(size):
    rng = np.random.default_rng(0)
    x = tensor(rng.standard_normal((2, 3, *size)), requires_grad=True)
    y = window_sum(x, kernel=(2, 3), stride=(2, 3))
    g = tensor(rng.standard_normal(y.shape))
    fast = rule(window_sum, "x")(xp, g.numpy(), y.detach().numpy(), x.detach().numpy(), kernel=(2, 3), stride=(2, 3))
    from autograd.backends import tensor as tensors

    plain = rule(window_sum, "x")(tensors, g, y, x, kernel=(2, 3), stride=(2, 3))
    np.testing.assert_array_equal(fast, plain.detach().numpy())


SHAPES = [
    ((6, 5), (0,), None, (5,)),
    ((6, 5), (1,), None, (5,)),
    ((4, 3, 2, 2), (0, 2, 3), None, (3, 1, 1)),
    ((4, 3, 2, 2), (2, 3), None, (3, 1, 1)),
    ((4, 6, 2), (2, 3), (4, 3, 2, 2), (3, 2, 1)),
    ((2, 3, 4), (1, 2), None, (3, 4)),
    ((2, 3, 4), (2,), None, (4,)),
    ((3, 4), (0, 1), None, (1,)),
    ((2, 3, 4), (1,), None, (4,)),
]


@pytest.mark.parametrize(("shape", "axes", "view", "spread"), SHAPES)
@pytest.mark.parametrize("affine", [True, False])
def test_the_rules_of_normalisation_with_saved_moments_are_those_without(shape, axes, view, spread, affine):
    rng = np.random.default_rng(0)
    x, g = 3 + rng.standard_normal((2, *shape))
    weight = rng.standard_normal(spread).reshape(-1) if affine else None
    how = {"axes": axes, "eps": 1e-3, "_view": view, "_spread": spread}
    out, mean, scale, _ = standardize.forward(xp, x, weight, weight, **how)
    for name in ("x", "weight", "bias") if affine else ("x",):
        plain = rule(standardize, name)(xp, g, out, x, weight, weight, **how)
        fast = rule(standardize, name)(xp, g, out, x, weight, weight, **how, mean=mean, scale=scale)
        np.testing.assert_allclose(fast, plain, rtol=1e-10, atol=1e-12, err_msg=name)


@given(shape=st.lists(st.integers(0, 3), min_size=1, max_size=4), data=st.data())
def test_means_as_matrix_products_are_means(shape, data):
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    x, y = np.random.default_rng(0).standard_normal((2, *shape))
    n = np.prod([shape[d] for d in axes]) or 1
    np.testing.assert_allclose(average(xp, x, axes), x.sum(axes, keepdims=True) / n, atol=1e-14)
    product = average_of_product(xp, x, y, axes)
    np.testing.assert_allclose(product, (x * y).sum(axes, keepdims=True) / n, atol=1e-14)
    for mean in (average(xp, x, axes), product):
        assert not np.shares_memory(mean, x)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8"])
@pytest.mark.parametrize("width", [(), (1,), (3, FEW)])
@pytest.mark.parametrize("n", [7, SMALL])
def test_rows_are_added_up_as_one_by_one(dtype, width, n):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 5, 40)
    values = rng.integers(-4, 5, (40, *width)).astype(dtype)
    expected = np.zeros((n, *width), dtype)
    np.add.at(expected, rows, values)
    got = sum_rows(values, rows, n)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "rows", [np.arange(9), np.array([2, 3, 7]), np.array([4]), np.array([], int), np.array([3, 2])]
)
@pytest.mark.parametrize("width", [(), (5,), (3, FEW)])
def test_rows_that_come_once_are_put_into_their_places(rows, width):
    values = np.random.default_rng(0).standard_normal((len(rows), *width)).astype("f4")
    expected = np.zeros((9, *width), "f4")
    np.add.at(expected, rows, values)
    got = sum_rows(values, rows, 9)
    np.testing.assert_array_equal(got, expected)
    assert not np.shares_memory(got, values) and got.dtype == values.dtype


@pytest.mark.parametrize("times", [5, SMALL])
def test_an_infinite_row_stays_in_its_own_row(times):
    values = np.ones((8 * times, FEW // times + 8), np.float32)
    values[3] = np.inf
    got = sum_rows(values, np.arange(8 * times) % 8, 8)
    assert np.isinf(got[3]).all() and np.isfinite(np.delete(got, 3, axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(
    "shape",
    [
        (40, 10), (7, 20), (3, 5, 16), (2, 3, 4, 8), (300, 3, 2), (1, 200), (200, 1), (5, 1, 40), (2000, 30),
        (129, 80), (130, 3000), (9100, 3), (120, 100),
    ],
)  # fmt: skip
def test_sums_and_extremes_are_numpys(shape, dtype):
    x = (100 * np.random.default_rng(0).standard_normal(shape)).astype(dtype)
    several = [axes for n in range(1, len(shape) + 1) for axes in itertools.combinations(range(len(shape)), n)]
    for array, axis, keepdims in itertools.product(
        (x, x.T.copy().T), [None, *range(-len(shape), len(shape)), *several], (False, True)
    ):
        exact = np.add.reduce(array.astype(float), axis=axis, keepdims=keepdims)
        got = xp.sum(array, axis, keepdims)
        assert got.shape == exact.shape and got.dtype == dtype
        size = np.add.reduce(np.abs(array.astype(float)), axis=axis, keepdims=keepdims)
        assert (np.abs(got - exact) <= 4 * (np.finfo(dtype).eps if dtype != np.int64 else 0) * size).all()
        if not isinstance(axis, tuple):
            for ours, theirs in ((xp.max, np.maximum), (xp.min, np.minimum)):
                found, wanted = ours(array, axis, keepdims), theirs.reduce(array, axis=axis, keepdims=keepdims)
                assert found.shape == wanted.shape and (found == wanted).all()


def test_sums_and_extremes_of_what_is_not_finite():
    x = np.ones((50, 20), np.float32)
    x[3, 4], x[7, 1] = np.nan, -np.inf
    assert np.isnan(xp.max(x, -1)[3]) and np.isnan(xp.sum(x, -1)[3])
    assert xp.min(x, -1)[7] == xp.sum(x, -1)[7] == -np.inf
    assert np.isfinite(np.delete(xp.sum(x, -1), [3, 7])).all()
    assert np.isfinite(np.delete(xp.sum(x, 0), [1, 4])).all()


SCALAR_OPS = [
    lambda x, y, n: (x + y).tanh(), lambda x, y, n: x - y.tanh(), lambda x, y, n: (x * y).tanh(),
    lambda x, y, n: x / (y * y + 1), lambda x, y, n: (x * x + 1) ** y.tanh(), lambda x, y, n: (x**2).tanh(),
    lambda x, y, n: (x + n).tanh(), lambda x, y, n: n - x.tanh(), lambda x, y, n: (n * x).tanh(),
    lambda x, y, n: x.tanh() / n, lambda x, y, n: n / (x * x + 1), lambda x, y, n: (x * n).tanh(),
    lambda x, y, n: autograd.maximum(x, y), lambda x, y, n: -x,
]  # fmt: skip


def scalar_program(rng, leaves):
    """A value computed from ``leaves`` and numbers with every infix operator, in some order, values used again."""
    values = list(leaves)
    for _ in range(40):
        x, y = (values[i] for i in rng.integers(0, len(values), 2))
        values.append(SCALAR_OPS[rng.integers(len(SCALAR_OPS))](x, y, float(rng.uniform(0.5, 1.5))))
    return sum(values[1:], values[0])


@pytest.mark.parametrize("seed", range(20))
def test_scalars_go_backward_as_all_else_does(seed):
    rng = np.random.default_rng(seed)
    dtypes = [autograd.float64] * 3 if seed % 2 else [autograd.float32, autograd.float64, autograd.float32]
    leaves = [autograd.tensor(rng.uniform(-1, 1), dtype=d, requires_grad=True) for d in dtypes]
    out = scalar_program(rng, leaves)
    expected = autograd.grad(out, leaves, retain_graph=True)  # asked for certain inputs, the walk takes the plain way
    out.backward(retain_graph=True)
    for x, g in zip(leaves, expected, strict=True):
        assert x.grad.dtype == g.dtype and np.array_equal(x.grad.numpy(), g.numpy())
    out.backward()
    for x, g in zip(leaves, expected, strict=True):
        assert np.array_equal(x.grad.numpy(), 2 * g.numpy())
    with pytest.raises(GraphError, match="retain_graph"):
        out.backward()


def test_scalars_go_backward_by_either_way_in_turn():
    x = tensor(2.0, requires_grad=True)
    a, b, c = x.sum(), x * 3, autograd.sign(x)
    c.register_hook(lambda g: None)
    (a + b + c).backward()
    assert x.grad.item() == 4.0


ARRAYS = {
    "one shape": ((3, 4), (3, 4), "f4", "f4"),
    "of which one is repeated": ((3, 1), (4,), "f8", "f8"),
    "no dimensions": ((), (2,), "f4", "f4"),
    "no entries": ((0, 3), (3,), "f4", "f4"),
    "half precision": ((5,), (5,), "f2", "f2"),
    "two dtypes": ((3,), (3,), "f4", "f8"),
    "integers": ((3,), (3,), "i8", "f4"),
    "integers only": ((3,), (3,), "i8", "i8"),
    "a float": ((3, 2), 0.3, "f4", None),
    "an int": ((3, 2), -7, "f8", None),
    "a bool": ((3, 2), True, "f4", None),
}


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize("name", ARRAYS)
def test_operators_on_arrays_do_as_their_functions(name, operate):
    shape, other, dtype, its = ARRAYS[name]
    rng = np.random.default_rng(0)

    def operand(shape, dtype):
        return tensor((rng.standard_normal(shape) * 4 + 9).astype(dtype), requires_grad=dtype[0] == "f")

    x, y = operand(shape, dtype), operand(other, its) if its else other
    for a, b in ((x, y), (y, x)):
        quick = operate(a, b)
        with autograd.watch(lambda op: None):
            plain = operate(a, b)
        assert quick.dtype == plain.dtype and quick.grad_fn is plain.grad_fn
        np.testing.assert_array_equal(quick.detach(), plain.detach())
        if quick.requires_grad:
            given = [t for t in (x, y) if isinstance(t, autograd.Tensor) and t.requires_grad]
            pairs = zip(autograd.grad(quick.sum(), given), autograd.grad(plain.sum(), given), strict=True)
            for mine, theirs in pairs:
                np.testing.assert_array_equal(mine, theirs)
        assert quick.requires_grad is plain.requires_grad


def test_operators_on_arrays_that_do_not_broadcast_say_so():
    with pytest.raises(autograd.ShapeError, match=r"add: shapes \(2, 3\) and \(4,\) do not broadcast"):
        autograd.ones(2, 3) + autograd.ones(4)
    with autograd.no_grad():
        assert not (autograd.ones(2, requires_grad=True) * 2).requires_grad


def test_what_rules_of_others_give_for_scalars_is_looked_at():
    x, y = tensor(2.0, requires_grad=True), tensor(3.0, requires_grad=True)
    op = autograd.primitive(lambda xp, x, y: x * y, name="op")
    op.grads(x=lambda xp, g, out, x, y: np.ones(4) * g, y=lambda xp, g, out, x, y: None)
    (op(x, y) * y).backward()
    assert (x.grad.shape, x.grad.dtype, x.grad.item(), y.grad.item()) == ((), autograd.float32, 12.0, 6.0)
    shifted = autograd.primitive(lambda xp, x, y: x + (y or 0), name="shifted")
    shifted.grads(x=lambda xp, g, out, x, y: g, y=lambda xp, g, out, x, y: g)
    assert autograd.grad(shifted(x, None), x)[0].item() == 1.0
    x.grad = None
    shifted(x, None).backward()
    assert x.grad.item() == 1.0


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize(
    ("rows", "n", "m"),
    [(16, 300, 300), (33, 517, 517), (64, 600, 530), (2, 1024, 1030), (64, 200, 300), (128, 700, 515), (1, 1000, 1000)],
)
def test_layers_with_few_rows_and_large_weights(rows, n, m, biased, dtype, monkeypatch):
    monkeypatch.setattr(threads, "available", lambda: 2)
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal(m).astype(dtype) if biased else None
    wide, up = rng.standard_normal((rows, 2 * n)).astype(dtype), rng.standard_normal((rows, m)).astype(dtype)
    for x, g in (
        (wide[:, :n].copy(), up),
        (wide[:, ::2], np.asfortranarray(up)),
        (wide.T[:n].copy().T, np.broadcast_to(up[0], up.shape)),
    ):
        exact = x.astype("f8") @ weight.T.astype("f8") + (0 if bias is None else bias)
        out = linear.forward(xp, x, weight, bias)
        tolerance = {"rtol": 0, "atol": 40 * np.finfo(dtype).eps * np.sqrt(n)}
        np.testing.assert_allclose(out, exact, **tolerance)
        assert out.dtype == dtype and out.flags.c_contiguous
        gradient = rule(linear, "weight")(xp, g, out, x, weight, bias)
        np.testing.assert_allclose(gradient, g.T.astype("f8") @ x.astype("f8"), **tolerance)
        assert gradient.dtype == dtype and gradient.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("leading", "n", "m"),
    [((16, 64), 128, 96), ((3, 4), 2, 9000), ((7, 5, 31), 65, 90), ((1, 1031), 61, 67), ((3,), 4, 5)],
)
def test_layers_of_several_leading_sizes(leading, n, m, dtype):
    rng = np.random.default_rng(0)
    one, up, weight, bias = (rng.standard_normal(s).astype(dtype) for s in ((*leading, n), (*leading, m), (m, n), m))
    rows = tuple(range(len(leading)))
    for x, g in (
        (one, up),
        (one[::-1, ..., ::-1], np.asfortranarray(up)),
        (one, np.broadcast_to(up[..., :1], up.shape)),
    ):
        exact_x, exact_g, w, b = (a.astype("f8") for a in (x, g, weight, bias))
        tolerance = {"rtol": 0, "atol": 100 * np.finfo(dtype).eps * np.sqrt(max(n, m, g.size // m))}
        out = linear.forward(xp, x, weight, bias)
        np.testing.assert_allclose(out, exact_x @ w.T + b, **tolerance)
        in_x, in_weight, in_bias = (rule(linear, name)(xp, g, out, x, weight, bias) for name in ("x", "weight", "bias"))
        np.testing.assert_allclose(in_x, exact_g @ w, **tolerance)
        np.testing.assert_allclose(in_weight, np.tensordot(exact_g, exact_x, (rows, rows)), **tolerance)
        total = in_bias if in_bias.ndim == 1 else in_bias.sum(rows, "f8")  # which the walk does
        np.testing.assert_allclose(total, exact_g.sum(rows), **tolerance)
        assert {a.dtype for a in (out, in_x, in_weight, in_bias)} == {np.dtype(dtype)} and in_x.shape == x.shape


@pytest.mark.parametrize("n", [1, 40, 48, 64, 512])
def test_a_vector_and_a_large_weight_give_a_vector(n):
    rng = np.random.default_rng(0)
    x, weight = (rng.standard_normal(s).astype("f4") for s in ((n,), (1_000_000 // n**2 + 128, n)))
    bias = rng.standard_normal(len(weight)).astype("f4")
    np.testing.assert_allclose(linear.forward(xp, x, weight), weight @ x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(linear.forward(xp, x, weight, bias), weight @ x + bias, rtol=0, atol=1e-4)


def test_few_rows_and_large_weights_take_the_quick_way():
    x, weight = np.ones((16, 512), "f4"), np.ones((512, 512), "f4")
    assert affine(x, weight, None) is not None and affine(x.astype("f8"), weight.astype("f8"), None) is None
    assert affine(np.ones((256, 512), "f4"), weight, None) is None


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("rows", "classes"), [(1, 1), (5, 3), (64, 10), (700, 101), (33, 5000), (40, 60_000)])
def test_cross_entropy_of_few_and_of_many_logits(rows, classes, smoothing, dtype):
    rng = np.random.default_rng(0)
    logits = tensor((rng.standard_normal((rows, classes)) * 3).astype(dtype), requires_grad=True)
    target = tensor(rng.integers(0, classes, rows))
    scores = autograd.log_softmax(logits.detach().double(), 1)
    expected = -(1 - smoothing) * scores[np.arange(rows), target.numpy()] - smoothing / classes * scores.sum(1)
    loss = autograd.cross_entropy(logits, target, label_smoothing=smoothing)
    eps = np.finfo(dtype).eps
    assert loss.dtype == logits.dtype and abs(loss.item() - expected.mean().item()) <= 20 * eps * abs(loss.item())
    (quick,) = autograd.grad(loss * 3, logits, retain_graph=True)
    (plain,) = autograd.grad(loss * 3, logits, create_graph=True)
    assert quick.dtype == logits.dtype
    np.testing.assert_allclose(quick, plain.detach(), rtol=0, atol=20 * eps / rows)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("given", "out"), [((2, 3, 0), 4), ((2, 3, 5), 0), ((0, 3, 0), 4), ((0,), 4), ((5,), 0)])
def test_products_over_nothing_and_of_no_columns(given, out, create_graph):
    x = autograd.ones(*given, requires_grad=True)
    weight, bias = autograd.ones(out, given[-1], requires_grad=True), autograd.ones(out, requires_grad=True)
    for y, inputs in ((linear(x, weight, bias), (x, weight, bias)), (x @ weight.T, (x, weight))):
        assert y.shape == (*given[:-1], out)
        gradients = autograd.grad(y.sum(), inputs, create_graph=create_graph)
        assert [g.shape for g in gradients] == [x.shape for x in inputs]
