"""Gradients of broadcasting ops for every pair of shapes up to four dimensions, against einsum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd
from autograd import ShapeError, grad, tensor

SIZES = (5, 4, 3, 2)  # of the dimensions -4 to -1, all different so that no two can be mistaken for each other
LETTERS = "abcd"
SHAPES = [shape for n in range(5) for shape in itertools.product(*[(1, size) for size in SIZES[4 - n :]])]
PAIRS = list(itertools.product(SHAPES, repeat=2))


def letters(shape):
    """One letter for each dimension along which entries differ."""
    return "".join(c for c, n in zip(LETTERS[4 - len(shape) :], shape, strict=True) if n > 1)


def packed(a):
    """``a`` without its dimensions of size 1."""
    return a.reshape([n for n in a.shape if n > 1])


def reduced(subscripts, *operands, shape):
    return np.einsum(subscripts, *map(packed, operands)).reshape(shape)


def all_pairs():
    rng = np.random.default_rng(0)
    for s, t in PAIRS:
        x, y = rng.uniform(0.5, 2.0, s), rng.uniform(0.5, 2.0, t)
        g = rng.standard_normal(np.broadcast_shapes(s, t))
        yield x, y, g


def gradients(op, x, y, g):
    a, b = tensor(x, requires_grad=True), tensor(y, requires_grad=True)
    return [d.numpy() for d in grad(op(a, b), (a, b), tensor(g))]


def check(found, expected, x, y):
    for name, a, b in zip(("x", "y"), found, expected, strict=True):
        assert a.shape == b.shape, (name, x.shape, y.shape)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=f"{name} of {x.shape} and {y.shape}")


def test_there_are_all_pairs():
    assert len(SHAPES) == 31
    assert len(PAIRS) == 961


def test_add():
    for x, y, g in all_pairs():
        out = letters(g.shape)
        expected = [reduced(f"{out}->{letters(v.shape)}", g, shape=v.shape) for v in (x, y)]
        check(gradients(autograd.add, x, y, g), expected, x, y)


def test_sub():
    for x, y, g in all_pairs():
        out = letters(g.shape)
        expected = [sign * reduced(f"{out}->{letters(v.shape)}", g, shape=v.shape) for sign, v in ((1, x), (-1, y))]
        check(gradients(autograd.sub, x, y, g), expected, x, y)


def test_mul():
    for x, y, g in all_pairs():
        a, b, out = letters(x.shape), letters(y.shape), letters(g.shape)
        expected = [reduced(f"{out},{b}->{a}", g, y, shape=x.shape), reduced(f"{out},{a}->{b}", g, x, shape=y.shape)]
        check(gradients(autograd.mul, x, y, g), expected, x, y)


def test_div():
    for x, y, g in all_pairs():
        a, b, out = letters(x.shape), letters(y.shape), letters(g.shape)
        expected = [
            reduced(f"{out},{b}->{a}", g, 1 / y, shape=x.shape),
            reduced(f"{out},{a},{b}->{b}", g, x, -1 / y**2, shape=y.shape),
        ]
        check(gradients(autograd.div, x, y, g), expected, x, y)


def test_where_under_a_condition_that_broadcasts_too():
    for x, y, g in all_pairs():
        condition = np.arange(SIZES[-1]) % 2 == 0
        whole = np.broadcast_shapes(condition.shape, g.shape)
        u = np.broadcast_to(g, whole) * 1.5
        taken = np.broadcast_to(condition, whole).astype(float)
        found = gradients(lambda p, q, c=condition: autograd.where(tensor(c), p, q), x, y, u)
        out = letters(whole)
        expected = [
            reduced(f"{out},{out}->{letters(v.shape)}", u, part, shape=v.shape)
            for v, part in ((x, taken), (y, 1 - taken))
        ]
        check(found, expected, x, y)


def test_a_value_broadcast_into_several_uses_collects_all_of_them():
    """0-d, size-1 and full operands, each used three times, sum over the uses as over the entries."""
    for x, y, g in all_pairs():
        found = gradients(lambda p, q: (p * q + q) - q * 3 * p, x, y, g)
        a, b, out = letters(x.shape), letters(y.shape), letters(g.shape)
        expected = [
            reduced(f"{out},{b}->{a}", g, -2 * y, shape=x.shape),
            reduced(f"{out},{a}->{b}", g, 1 - 2 * x, shape=y.shape),
        ]
        check(found, expected, x, y)


def test_second_order_of_mul():
    """The gradient of (g · y summed to x's shape) · v with respect to g and y is broadcast v times y and g."""
    for x, y, g in all_pairs():
        a, b, u = (tensor(v, requires_grad=True) for v in (x, y, g))
        (gx,) = grad(a * b, a, u, create_graph=True)
        v = np.random.default_rng(1).standard_normal(x.shape)
        gy, gu = grad(gx, (b, u), tensor(v))
        out = letters(g.shape)
        np.testing.assert_allclose(
            gy.numpy(),
            reduced(f"{out},{letters(v.shape)}->{letters(y.shape)}", g, v, shape=y.shape),
            rtol=1e-12,
            atol=1e-12,
        )
        np.testing.assert_allclose(gu.numpy(), np.broadcast_to(v * y, g.shape), rtol=1e-12)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "pow", "lt", "where"])
def test_pairs_that_do_not_broadcast_are_refused(name):
    op = getattr(autograd, name)
    for s, t in PAIRS:
        for d in range(min(len(s), len(t))):
            i, j = len(s) - 1 - d, len(t) - 1 - d
            if s[i] == 1 or t[j] == 1:
                continue
            wrong = (*t[:j], t[j] + 4, *t[j + 1 :])
            x, y = autograd.ones(s), autograd.ones(wrong)
            with pytest.raises(ShapeError) as error:
                op(x > 0, x, y) if name == "where" else op(x, y)
            message = str(error.value)
            assert message.startswith(f"{name}: shapes")
            assert str(s) in message and str(wrong) in message
            assert f"dimension -{d + 1} is {s[i]} against {wrong[j]}" in message
