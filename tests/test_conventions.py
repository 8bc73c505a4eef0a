"""Ties, kinks, infinities and branches not taken: what they give, and that PyTorch gives the same.

The table of docs/conventions.md says in words what these rows say in numbers.
"""

from __future__ import annotations

import math
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import grad, tensor

NAN, INF = math.nan, math.inf
PAGE = pathlib.Path(__file__).parents[1] / "docs" / "conventions.md"


@dataclass(frozen=True)
class Row:
    """A function of Tensors (``m`` is autograd or torch) with its value and gradients at given points.

    ``differs`` says why, where PyTorch's gradient is deliberately another (and then must be another).
    """

    name: str
    function: Any
    inputs: tuple[Any, ...]
    value: Any
    gradients: tuple[Any, ...]
    differs: str = ""


def where_row(
    name: str, inner: Any, at: list[float], value: list[float], gradient: list[float], differs: str = ""
) -> Row:
    return Row(name, lambda m, x: m.where(x > 0, inner(m, x), m.zeros_like(x)), (at,), value, (gradient,), differs)


ZERO_SLOPE = "PyTorch gives 0 · ∞ = NaN"
ROWS = [
    Row(
        "maximum tie",
        lambda m, x, y: m.maximum(x, y),
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]),
        [1, 3, 3],
        ([0.5, 0, 1], [0.5, 1, 0]),
    ),
    Row(
        "minimum tie",
        lambda m, x, y: m.minimum(x, y),
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]),
        [1, 2, 2],
        ([0.5, 1, 0], [0.5, 0, 1]),
    ),
    Row("amax tie", lambda m, x: m.amax(x, 0), ([3.0, 1.0, 3.0, 3.0],), 3.0, ([1 / 3, 0, 1 / 3, 1 / 3],)),
    Row("amin tie", lambda m, x: m.amin(x, 0), ([1.0, 1.0, 3.0, 2.0],), 1.0, ([0.5, 0.5, 0, 0],)),
    Row("max of all, tie", lambda m, x: x.max(), ([3.0, 1.0, 3.0],), 3.0, ([0.5, 0, 0.5],)),
    Row("min of all, tie", lambda m, x: x.min(), ([1.0, 1.0, 3.0],), 1.0, ([0.5, 0.5, 0],)),
    Row("max along dim, tie", lambda m, x: x.max(0).values, ([3.0, 1.0, 3.0],), 3.0, ([1, 0, 0],)),
    Row("min along dim, tie", lambda m, x: x.min(0).values, ([1.0, 1.0, 3.0],), 1.0, ([1, 0, 0],)),
    Row(
        "clamp at its bounds",
        lambda m, x: m.clamp(x, -1, 1),
        ([-2.0, -1.0, 0.0, 1.0, 2.0],),
        [-1, -1, 0, 1, 1],
        ([0, 1, 1, 1, 0],),
    ),
    Row(
        "clamp at Tensor bounds",
        lambda m, x, low: m.clamp(x, low),
        ([1.0, 1.0, 1.0], [1.0, 0.0, 2.0]),
        [1, 1, 2],
        ([1, 1, 0], [0, 0, 1]),
    ),
    Row("max_pool tie", lambda m, x: m.max_pool1d(x[None], 3)[0], ([1.0, 3.0, 3.0],), [3], ([0, 1, 0],)),
    Row("relu at 0", lambda m, x: m.relu(x), ([-1.0, 0.0, 1.0],), [0, 0, 1], ([0, 0, 1],)),
    Row("abs at 0", lambda m, x: m.abs(x), ([-1.0, 0.0, 1.0],), [1, 0, 1], ([-1, 0, 1],)),
    Row("sign", lambda m, x: m.sign(x), ([-1.0, 0.0, 1.0],), [-1, 0, 1], ([0, 0, 0],)),
    Row(
        "std of equal entries",
        lambda m, x: m.std(x, 0),
        ([[1.0, 3.0], [1.0, 5.0]],),
        [0, 2**0.5],
        ([[0, -(0.5**0.5)], [0, 0.5**0.5]],),
    ),
    Row("sqrt at 0", lambda m, x: m.sqrt(x), ([0.0, 4.0],), [0, 2], ([INF, 0.25],)),
    Row(
        "lp_pool of zeros",
        lambda m, x: (m if m is ag else m.nn.functional).lp_pool1d(x[None], 2.0, 2)[0],
        ([0.0, 0.0, 3.0, 4.0],),
        [0, 5],
        ([0, 0, 0.6, 0.8],),
    ),
    Row("log at 0", lambda m, x: m.log(x), ([0.0, 2.0],), [-INF, math.log(2)], ([INF, 0.5],)),
    Row("division by 0", lambda m, x, y: x / y, ([1.0], [0.0]), [INF], ([INF], [-INF])),
    Row("x ** 0 at 0", lambda m, x: x**0, ([0.0, 2.0],), [1, 1], ([0, 0],)),
    Row("x ** 2 at 0", lambda m, x: x**2, ([0.0, -3.0],), [0, 9], ([0, -6],)),
    Row("x ** 1 at 0", lambda m, x: x**1, ([0.0, -3.0],), [0, -3], ([1, 1],)),
    Row("x ** 0.5 at 0", lambda m, x: x**0.5, ([0.0, 4.0],), [0, 2], ([INF, 0.25],)),
    Row("0 ** y", lambda m, y: 0.0**y, ([0.0, 2.0],), [1, 0], ([0, 0],)),
    Row("x ** y at x = 0", lambda m, x, y: x**y, ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]), [1, 0, 0], ([0, 1, 0], [0, 0, 0])),
    *[
        Row(
            f"norm at 0, p = {p}",
            lambda m, x, p=p: m.norm(x, p) if m is ag else m.linalg.vector_norm(x, p),
            ([0.0, 0.0],),
            0.0,
            ([0, 0],),
        )
        for p in (1, 2, 3, 1.5, 0.5, INF, -INF)
    ],
    Row(
        "norm with one entry 0, p = 3",
        lambda m, x: m.norm(x, 3) if m is ag else m.linalg.vector_norm(x, 3),
        ([0.0, 2.0],),
        2.0,
        ([0, 1],),
    ),
    where_row("where, log not taken", lambda m, x: m.log(x), [0.0, 1.0], [0, 0], [0, 1], ZERO_SLOPE),
    where_row("where, sqrt not taken", lambda m, x: m.sqrt(x), [0.0, 4.0], [0, 2], [0, 0.25], ZERO_SLOPE),
    where_row("where, division not taken", lambda m, x: 1 / x, [0.0, 2.0], [0, 0.5], [0, -0.25], ZERO_SLOPE),
    where_row(
        "where, chain not taken", lambda m, x: m.exp(m.sqrt(x)) * m.log(x), [0.0, 1.0], [0, 0], [0, math.e], ZERO_SLOPE
    ),
    where_row("where, power not taken", lambda m, x: x**-1.5, [0.0, 1.0], [0, 1], [0, -1.5], ZERO_SLOPE),
    where_row("where, sum not taken", lambda m, x: m.sqrt(x) + m.log(x), [0.0, 1.0], [0, 1], [0, 1.5], ZERO_SLOPE),
    Row(
        "maximum, sqrt not taken",
        lambda m, x: m.maximum(m.sqrt(x), m.ones_like(x)),
        ([0.0, 4.0],),
        [1, 2],
        ([0, 0.25],),
        ZERO_SLOPE,
    ),
    Row("indexing, log not read", lambda m, x: m.log(x)[1:], ([0.0, 2.0],), [math.log(2)], ([0, 0.5],), ZERO_SLOPE),
    Row(
        "sigmoid far out",
        lambda m, x: m.sigmoid(x),
        ([-1000.0, 0.0, 1000.0, INF, -INF],),
        [0, 0.5, 1, 1, 0],
        ([0, 0.25, 0, 0, 0],),
    ),
    Row("tanh far out", lambda m, x: m.tanh(x), ([-1000.0, 0.0, INF],), [-1, 0, 1], ([0, 1, 0],)),
    Row(
        "softmax far out",
        lambda m, x: m.softmax(x, 0)[1:],
        ([1000.0, 999.0, -1000.0],),
        [1 / (1 + math.e), 0],
        ([-0.19661193, 0.19661193, 0],),
    ),
    Row("softmax with −∞", lambda m, x: m.softmax(x, 0)[:1], ([0.0, 0.0, -INF],), [0.5], ([0.25, -0.25, 0],)),
    Row("log_softmax far out", lambda m, x: m.log_softmax(x, 0)[1:], ([1000.0, 0.0],), [-1000.0], ([-1, 1],)),
    Row("logsumexp far out", lambda m, x: m.logsumexp(x, 0), ([1000.0, 1000.0],), 1000 + math.log(2), ([0.5, 0.5],)),
    Row(
        "logsumexp far below", lambda m, x: m.logsumexp(x, 0), ([-1000.0, -1000.0],), -1000 + math.log(2), ([0.5, 0.5],)
    ),
    Row("logsumexp with −∞", lambda m, x: m.logsumexp(x, 0), ([1.0, -INF],), 1.0, ([1, 0],)),
    Row("logsumexp of −∞ only", lambda m, x: m.logsumexp(x, 0), ([-INF, -INF],), -INF, ([0, 0],), "PyTorch gives NaN"),
    Row(
        "cross_entropy of extreme logits",
        lambda m, x: cross_entropy(m)(x, m.tensor([1, 0])),
        ([[1000.0, -1000.0], [1000.0, -1000.0]],),
        1000.0,
        ([[0.5, -0.5], [0, 0]],),
    ),
    Row(
        "cross_entropy with every row ignored",
        lambda m, x: cross_entropy(m)(x, m.tensor([-100, -100])),
        ([[1.0, 2.0], [0.0, 1.0]],),
        NAN,
        ([[0, 0], [0, 0]],),
    ),
    Row("mean of nothing", lambda m, x: x.mean(), ([],), NAN, ([],)),
    Row("NaN in maximum", lambda m, x: m.maximum(x, m.ones_like(x)), ([NAN, 2.0],), [NAN, 2], ([1, 1],)),
    Row("NaN in max of all", lambda m, x: x.max(), ([1.0, NAN, NAN],), NAN, ([0, 0.5, 0.5],)),
    Row(
        "NaN in amax",
        lambda m, x: m.amax(x, 1),
        ([[1.0, NAN], [1.0, 2.0]],),
        [NAN, 2],
        ([[0, 1], [0, 1]],),
        "PyTorch gives NaN to the whole slice",
    ),
    Row("NaN in max along dim", lambda m, x: x.max(0).values, ([1.0, NAN, NAN],), NAN, ([0, 1, 0],)),
    Row("NaN in sort", lambda m, x: m.sort(x)[0], ([NAN, 2.0, 1.0],), [1, 2, NAN], ([1, 1, 1],)),
    Row("NaN in median of all", lambda m, x: x.median(), ([1.0, NAN, 0.0],), NAN, ([0, 1, 0],)),
    Row("cummax tie", lambda m, x: x.cummax(0).values, ([1.0, 2.0, 2.0, 0.0],), [1, 2, 2, 2], ([1, 1, 2, 0],)),
    Row("cummin tie", lambda m, x: x.cummin(0).values, ([2.0, 1.0, 1.0, 3.0],), [2, 1, 1, 1], ([1, 1, 2, 0],)),
    Row("median of all, tie", lambda m, x: x.median(), ([1.0, 2.0, 2.0, 3.0],), 2.0, ([0, 0.5, 0.5, 0],)),
    Row("median of an even number", lambda m, x: x.median(0).values, ([4.0, 1.0, 3.0, 2.0],), 2.0, ([0, 0, 0, 1],)),
    Row("mode, tie", lambda m, x: x.mode().values, ([3.0, 1.0, 3.0, 1.0],), 1.0, ([0, 0, 0, 1],)),
    Row("prod with one 0", lambda m, x: x.prod(), ([2.0, 0.0, 3.0],), 0.0, ([0, 6, 0],)),
    Row("prod with two 0", lambda m, x: x.prod(), ([0.0, 2.0, 0.0],), 0.0, ([0, 0, 0],)),
    Row("cumprod with a 0", lambda m, x: x.cumprod(0), ([2.0, 0.0, 3.0],), [2, 0, 0], ([1, 8, 0],)),
    Row(
        "logcumsumexp after −∞",
        lambda m, x: m.logcumsumexp(x, 0),
        ([-INF, 1.0, 1.0],),
        [-INF, 1, 1 + math.log(2)],
        ([0, 1.5, 0.5],),
        "PyTorch gives NaN",
    ),
    Row("asin at ±1", lambda m, x: m.asin(x), ([-1.0, 1.0],), [-math.pi / 2, math.pi / 2], ([INF, INF],)),
    Row("logit at 0 and 1", lambda m, x: m.logit(x), ([0.0, 1.0],), [-INF, INF], ([INF, INF],)),
    Row("sinc at 0", lambda m, x: m.sinc(x), ([0.0, 0.5],), [1, 2 / math.pi], ([0, -4 / math.pi],)),
    Row("trunc and round", lambda m, x: m.trunc(x) + m.round(x), ([0.5, 1.5, -1.5],), [0, 3, -3], ([0, 0, 0],)),
    Row("atan2 at (0, 0)", lambda m, y, x: m.atan2(y, x), ([0.0], [0.0]), [0], ([0], [0])),
    Row("hypot at (0, 0)", lambda m, x, y: m.hypot(x, y), ([0.0], [0.0]), [0], ([0], [0]), "PyTorch gives 0 / 0"),
    Row(
        "xlogy at x = 0",
        lambda m, x, y: m.xlogy(x, y),
        ([0.0, 0.0], [-1.0, 2.0]),
        [0, 0],
        ([0, math.log(2)], [0, 0]),
    ),
    Row("copysign at 0", lambda m, x, y: m.copysign(x, y), ([0.0, 2.0], [-1.0, -1.0]), [0, -2], ([0, -1], [0, 0])),
    Row("copysign at ∞", lambda m, x, y: m.copysign(x, y), ([INF], [-1.0]), [-INF], ([-1], [0]), "PyTorch gives ∞ / ∞"),
    Row(
        "fmax tie and NaN",
        lambda m, x, y: m.fmax(x, y),
        ([1.0, NAN, 1.0], [1.0, 2.0, NAN]),
        [1, 2, 1],
        ([1, 0, 1], [0, 1, 0]),
    ),
    Row(
        "nan_to_num",
        lambda m, x: m.nan_to_num(x, posinf=1.0, neginf=-1.0),
        ([NAN, INF, -INF, 2.0],),
        [0, 1, -1, 2],
        ([0, 0, 0, 1],),
    ),
    Row(
        "logaddexp of −∞ only",
        lambda m, x, y: m.logaddexp(x, y),
        ([-INF], [-INF]),
        [-INF],
        ([0], [0]),
        "PyTorch gives NaN",
    ),
    Row("remainder of negatives", lambda m, x: m.remainder(x, 3), ([-1.0, 4.0],), [2, 1], ([1, 1],)),
]


def cross_entropy(m: Any) -> Any:
    return m.cross_entropy if m is ag else m.nn.functional.cross_entropy


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def ours(row, create_graph=False):
    inputs = [tensor(np.array(x, dtype="float64"), requires_grad=True) for x in row.inputs]
    with np.errstate(all="ignore"):
        y = row.function(ag, *inputs)
        gradients = grad(y, inputs, ag.ones_like(y), create_graph=create_graph, materialize_grads=True)
    return inputs, y, gradients


@every_row
def test_convention(row):
    for create_graph in (False, True):
        _, y, gradients = ours(row, create_graph)
        np.testing.assert_allclose(y.detach().numpy(), row.value, rtol=1e-7)
        for g, want in zip(gradients, row.gradients, strict=True):
            np.testing.assert_allclose(g.detach().numpy(), want, rtol=1e-7, atol=1e-12)


@every_row
def test_the_page_of_conventions_has_the_row(row):
    assert f"| {row.name} |" in PAGE.read_text(encoding="utf-8")


def test_the_page_has_no_other_rows():
    lines = [
        line.split("|")[1].strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    assert sorted(n for n in lines if n != "Where") == sorted(row.name for row in ROWS)


@every_row
@pytest.mark.reference
def test_convention_is_pytorchs(row):
    import torch

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in row.inputs]
    y = row.function(torch, *inputs)
    gradients = torch.autograd.grad(y, inputs, torch.ones_like(y), allow_unused=True)
    np.testing.assert_allclose(y.detach().numpy(), row.value, rtol=1e-7)
    equal = [
        np.allclose(g.numpy() if g is not None else np.zeros(np.shape(want)), want, rtol=1e-7, atol=1e-12)
        for g, want in zip(gradients, row.gradients, strict=True)
    ]
    if row.differs:
        assert not all(equal), f"PyTorch agrees by now: {gradients}"
        assert any(np.isnan(g.numpy()).any() for g in gradients)
    else:
        assert all(equal), gradients


@pytest.mark.jax
@every_row
def test_convention_holds_compiled(row):
    from autograd.backends.jax import jit

    def program(inputs):
        y = row.function(ag, *inputs)
        return y, list(grad(y, inputs, ag.ones_like(y), materialize_grads=True))

    inputs = [tensor(np.array(x, dtype="float64"), requires_grad=True) for x in row.inputs]
    y, gradients = jit(program)(inputs)
    np.testing.assert_allclose(y.numpy(), row.value, rtol=1e-7)
    for g, want in zip(gradients, row.gradients, strict=True):
        np.testing.assert_allclose(g.numpy(), want, rtol=1e-7, atol=1e-12)


BRANCHES = {
    "log": (lambda x: ag.log(x), lambda x: -1 / x**2),
    "sqrt": (lambda x: ag.sqrt(x), lambda x: -0.25 * x**-1.5),
    "division": (lambda x: 1 / x, lambda x: 2 / x**3),
    "power": (lambda x: x**0.5, lambda x: -0.25 * x**-1.5),
    "chain": (lambda x: ag.log(ag.sqrt(x)), lambda x: -0.5 / x**2),
}


def second_derivative(inner, x):
    with np.errstate(all="ignore"):
        y = ag.where(x > 0, inner(x), ag.zeros_like(x)).sum()
        (first,) = grad(y, x, create_graph=True)
        (second,) = grad(first.sum(), x)
    return second


@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_not_taken_passes_nothing_on_in_second_order_either(name):
    inner, expected = BRANCHES[name]
    x = tensor([0.0, 2.0], dtype="float64", requires_grad=True)
    np.testing.assert_allclose(second_derivative(inner, x).numpy(), [0.0, expected(2.0)], rtol=1e-12)


@pytest.mark.jax
@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_not_taken_passes_nothing_on_in_second_order_compiled(name):
    from autograd.backends.jax import jit

    inner, expected = BRANCHES[name]
    x = tensor([0.0, 2.0], dtype="float64", requires_grad=True)
    found = jit(lambda x: second_derivative(inner, x))(x)
    np.testing.assert_allclose(found.numpy(), [0.0, expected(2.0)], rtol=1e-12)


def test_a_nan_that_is_taken_is_not_hidden():
    x = tensor([-1.0, 4.0], dtype="float64", requires_grad=True)
    with np.errstate(all="ignore"):
        (g,) = grad(ag.where(x > -5, ag.sqrt(x), 0.0).sum(), x)
    np.testing.assert_allclose(g.numpy(), [NAN, 0.25])
