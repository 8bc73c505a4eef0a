"""Writing in place: what is recorded, what is refused, and how views take part."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

import autograd
from autograd import GraphError, ShapeError, grad, no_grad, tensor


def leaf(value):
    return tensor(value, dtype="float64", requires_grad=True)


def this_line():
    import inspect

    return inspect.currentframe().f_back.f_lineno


def test_leaves_are_updated_under_no_grad():
    w = leaf([1.0, 2.0])
    (w * w).sum().backward()
    memory = w.numpy()
    with no_grad():
        w -= 0.5 * w.grad
        w.mul_(2)
        w[0] = 7.0
        w.add_(1)
    assert w.tolist() == [8.0, 1.0]
    assert w.numpy() is memory
    assert w.is_leaf and w.requires_grad


def test_a_leaf_that_requires_grad_is_not_written_while_recording():
    w = leaf([1.0, 2.0])
    for write in (
        lambda: w.add_(1),
        lambda: w.__setitem__(0, 3.0),
        lambda: w.zero_(),
        lambda: w.detach().requires_grad_().mul_(2),
    ):
        with pytest.raises(GraphError, match=r"a leaf Tensor that requires grad is being changed in place.*no_grad"):
            write()
    assert w.tolist() == [1.0, 2.0]
    plain = tensor([1.0, 2.0])
    plain += 1
    assert plain.tolist() == [2.0, 3.0]


def test_an_overwritten_value_names_the_op_and_the_line_that_overwrote_it():
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y * y
    y += 1
    line = this_line() - 1
    with pytest.raises(GraphError) as error:
        z.sum().backward()
    message = str(error.value)
    assert message.startswith("mul: ")
    assert f"{__file__}:{line}" in message
    assert "float64 of shape (2,)" in message and "clone()" in message


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda y: y.add_(1), "add_"),
        (lambda y: y.__setitem__(0, 5.0), "setitem"),
        (lambda y: y.detach().mul_(2), "detach"),
        (lambda y: y[0:1].zero_(), "view"),
        (lambda y: y.data.fill_(3), "data"),
        (lambda y: y.copy_(y * 2), "copy_"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_every_way_of_overwriting_is_noticed(write, name):
    x = leaf([1.0, 2.0])
    y = x * 2
    z = autograd.exp(y)
    u = y * y
    write(y)
    z.sum().backward(retain_graph=True)  # exp needs only its own result
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([2.0, 4.0]))
    with pytest.raises(GraphError, match=rf"mul: .*overwritten in place at {re.escape(__file__)}"):
        u.sum().backward()


def test_an_overwritten_result_is_noticed_where_its_rule_needs_it():
    x = leaf([1.0, 2.0])
    z = autograd.exp(x)
    z.detach().add_(1)
    with pytest.raises(GraphError, match="exp: backward needs a value"):
        z.sum().backward()


def test_rules_that_do_not_need_the_value_are_not_disturbed():
    x = leaf([1.0, 2.0])
    y = x * 2
    s = y + y.reshape(1, 2)[0] - y.sum()
    t = autograd.cat([y, y])
    y.mul_(10)
    (s.sum() + t.sum()).backward()
    assert x.grad.tolist() == [2 * (1 + 1 - 2) + 4.0] * 2


def test_numpy_writes_are_noticed_when_announced():
    x = leaf([1.0, 2.0])
    y = x * x
    x.numpy()[0] = 5.0
    autograd.increment_version(x)
    line = this_line() - 1
    with pytest.raises(GraphError, match=rf"mul: .*{re.escape(__file__)}:{line}"):
        y.sum().backward()


def test_what_was_announced_before_an_error_counts():
    x = leaf([1.0, 2.0])
    y = x * x
    x.numpy()[0] = 5.0
    with pytest.raises(AttributeError):
        autograd.increment_version([x, "no Tensor"])
    with pytest.raises(GraphError, match="overwritten in place"):
        y.sum().backward()


def test_a_leaf_overwritten_between_forward_and_backward():
    w, x = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = (w * x).sum()
    with no_grad():
        w.sub_(0.1)
    with pytest.raises(GraphError, match="mul: backward needs a value"):
        y.backward()
    y = (w * x).sum()
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), [3.0, 4.0])


@pytest.mark.parametrize(
    ("write", "value", "slope"),
    [
        (lambda y: y.add_(3), lambda x: 2 * x + 3, lambda x: 2 + 0 * x),
        (lambda y: y.mul_(3), lambda x: 6 * x, lambda x: 6 + 0 * x),
        (lambda y: y.div_(4), lambda x: x / 2, lambda x: 0.5 + 0 * x),
        (lambda y: y.sub_(1), lambda x: 2 * x - 1, lambda x: 2 + 0 * x),
        (lambda y: y.pow_(2), lambda x: 4 * x**2, lambda x: 8 * x),
        (lambda y: y.exp_(), lambda x: np.exp(2 * x), lambda x: 2 * np.exp(2 * x)),
        (lambda y: y.log_(), lambda x: np.log(2 * x), lambda x: 1 / x),
        (lambda y: y.sqrt_(), lambda x: np.sqrt(2 * x), lambda x: 1 / np.sqrt(2 * x)),
        (lambda y: y.neg_(), lambda x: -2 * x, lambda x: -2 + 0 * x),
        (lambda y: y.abs_(), lambda x: 2 * x, lambda x: 2 + 0 * x),
        (lambda y: y.tanh_(), lambda x: np.tanh(2 * x), lambda x: 2 / np.cosh(2 * x) ** 2),
        (lambda y: y.relu_(), lambda x: 2 * x, lambda x: 2 + 0 * x),
        (lambda y: y.clamp_(max=2.5), lambda x: np.minimum(2 * x, 2.5), lambda x: np.where(2 * x < 2.5, 2.0, 0.0)),
        (
            lambda y: y.masked_fill_(tensor([True, False, False]), 9.0),
            lambda x: np.r_[9, 2 * x[1:]],
            lambda x: np.r_[0.0, 2, 2],
        ),
        (lambda y: y.fill_(9.0), lambda x: 9 + 0 * x, lambda x: 0 * x),
        (lambda y: y.zero_(), lambda x: 0 * x, lambda x: 0 * x),
        (lambda y: y.mul_(y), lambda x: 4 * x**2, lambda x: 8 * x),
        (lambda y: y[1:].mul_(5), lambda x: 2 * x * [1, 5, 5], lambda x: np.r_[2.0, 10, 10]),
        (lambda y: y.reshape(3, 1).T.add_(1), lambda x: 2 * x + 1, lambda x: 2 + 0 * x),
    ],
)
def test_writing_a_result_is_recorded(write, value, slope):
    a = np.array([0.5, 1.0, 1.5])
    x = leaf(a)
    y = x * 2
    write(y)
    np.testing.assert_allclose(y.detach().numpy(), value(a), rtol=1e-14)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(a), rtol=1e-12)


def test_augmented_assignment_keeps_the_tensor():
    x = leaf([1.0, 2.0])
    y = x * 1
    same = y
    y += x
    y *= x
    y -= 1
    y /= 2
    assert same is y
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_setitem_with_gradient():
    x, v = leaf([1.0, 2.0, 3.0]), leaf(10.0)
    y = x * x
    y[1] = v * v
    y[-1] *= 2
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [4.0, 0.0, 4 * 4 * 27.0])
    assert v.grad.item() == 4 * 1000.0


def test_a_plain_tensor_becomes_a_result_when_gradient_is_written_into_it():
    x = leaf([1.0, 2.0])
    buffer = tensor(np.zeros((2, 2)))
    for i in range(2):
        buffer[i] = x * (i + 1)
    assert buffer.requires_grad and not buffer.is_leaf
    (buffer * buffer).sum().backward()
    assert x.grad.tolist() == [10.0, 20.0]


def test_a_view_taken_before_sees_the_base_written():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 2
    view = y[1:]
    y.mul_(3)
    assert view.tolist() == [12.0, 18.0]
    (view * view).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.0, 2 * 12 * 6, 2 * 18 * 6])


def test_a_base_sees_its_view_written():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 2
    y[1:].mul_(3)
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [2 * 2 * 2, 2 * 12 * 6, 2 * 18 * 6])


def test_overlapping_views():
    x = leaf([1.0, 2.0, 3.0, 4.0])
    y = x * 1
    left, right = y[:3], y[1:]
    left.mul_(2)
    right.add_(left.sum())
    w = np.array([1.0, 10.0, 100.0, 1000.0])
    (y * tensor(w)).sum().backward()
    total = w[1:].sum()
    np.testing.assert_allclose(x.grad.numpy(), [2 * (w[0] + total), 2 * (w[1] + total), 2 * (w[2] + total), w[3]])


def test_views_of_a_leaf_that_requires_grad_are_not_written():
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match="leaf Tensor that requires grad"):
        x[0:1].mul_(2)
    with pytest.raises(GraphError, match="leaf Tensor that requires grad"):
        x.reshape(2, 1).zero_()


def test_an_entry_picked_by_integers_is_a_view():
    x = tensor([1.0, 2.0])
    entry = x[0]
    x[0] += 5
    assert entry.item() == 6.0
    entry.zero_()
    x[1].mul_(2)
    assert x.tolist() == [0.0, 4.0]


def test_gradient_of_a_write_through_an_entry():
    w = leaf(3.0)
    x = autograd.zeros(2, dtype=autograd.float64)
    x[1].add_(w * 2)
    (x * x).sum().backward()
    assert w.grad.item() == 24.0


def test_a_refused_write_writes_nothing():
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match="memory of a leaf"):
        x[:1].add_(1)
    assert x.tolist() == [1.0, 2.0]


def test_shapes_must_stay():
    x = leaf([1.0, 2.0]) * 1
    with pytest.raises(ShapeError, match=r"add_: the result has shape \(3, 2\)"):
        x.add_(autograd.ones(3, 2))


def step(rng, pool, numbers):
    """One random statement, to be run on the pool of any library that has these operators."""
    kind = rng.choice(
        ["mul", "add", "tanh", "view", "view", "in place", "in place", "in place", "setitem", "clone", "sum"]
    )
    i, j = rng.randrange(len(pool)), rng.randrange(len(pool))
    a, b = pool[i], pool[j]
    shape, other = tuple(a.shape), tuple(b.shape)
    fits = other == shape or other == () or (shape and other == shape[-1:])
    if kind in ("mul", "add"):
        if not fits:
            return None
        return (lambda p: p.append(p[i] * p[j])) if kind == "mul" else (lambda p: p.append(p[i] + p[j]))
    if kind == "tanh":
        return lambda p: p.append(numbers.tanh(p[i]))
    if kind == "clone":
        return lambda p: p.append(numbers.clone(p[i]))
    if kind == "sum":
        return (lambda p: p.append(p[i].sum(0))) if shape else None
    if kind == "view":
        views = ["whole"]
        if shape:
            views += ["rest", "first", "new"]
        if len(shape) == 2:
            views += ["transpose", "column"]
        how = rng.choice(views)
        return {
            "whole": lambda p: p.append(p[i][...]),
            "rest": lambda p: p.append(p[i][1:]) if shape[0] > 1 else None,
            "first": lambda p: p.append(numbers.first(p[i])),
            "new": lambda p: p.append(p[i][None]) if len(shape) == 1 else None,
            "transpose": lambda p: p.append(p[i].T),
            "column": lambda p: p.append(p[i][:, -1]),
        }[how]
    if kind == "setitem":
        if not shape or not (other == () or other == shape[1:]):
            return None
        at = rng.randrange(shape[0])

        def assign(p):
            p[i][at] = numbers.operand(p[j])

        return assign
    how = rng.choice(["multiply", "add", "number", "tanh", "slice"])
    if how in ("multiply", "add") and not fits:
        return None
    if how == "slice":
        return (lambda p: numbers.multiply_(p[i][:1], 1.5)) if shape else None
    return {
        "multiply": lambda p: numbers.multiply_(p[i], numbers.operand(p[j])),
        "add": lambda p: numbers.add_(p[i], numbers.operand(p[j])),
        "number": lambda p: numbers.add_(p[i], 0.25),
        "tanh": lambda p: numbers.tanh_(p[i]),
    }[how]


class Ours:
    """What a program calls by name, on Tensors."""

    operand = staticmethod(lambda x: x)
    first = staticmethod(lambda x: x[0])
    tanh = staticmethod(lambda x: x.tanh())
    clone = staticmethod(lambda x: x.clone())
    multiply_ = staticmethod(lambda x, y: x.mul_(y))
    add_ = staticmethod(lambda x, y: x.add_(y))
    tanh_ = staticmethod(lambda x: x.tanh_())


class Torch(Ours):
    """The same on PyTorch's, which goes wrong where what is written overlaps what is read."""

    operand = staticmethod(lambda x: x.clone())


class Arrays:
    """The same on NumPy's arrays."""

    operand = staticmethod(lambda x: x)
    first = staticmethod(lambda x: x[0, ...])
    tanh = staticmethod(np.tanh)
    clone = staticmethod(np.copy)
    multiply_ = staticmethod(lambda x, y: np.multiply(x, y, out=x))
    add_ = staticmethod(lambda x, y: np.add(x, y, out=x))
    tanh_ = staticmethod(lambda x: np.tanh(x, out=x))


STARTS = [((3,), 0.3), ((2, 3), 0.5), ((), 0.7), ((3,), 0.2)]


def start_values(seed):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape) for shape, _ in STARTS]


def run_in_numpy(seed, values, length):
    """The weighted sum of everything at the end, by NumPy alone, whose views are views too."""
    rng, pool = random.Random(seed), [np.array(v) for v in values]
    for _ in range(length):
        statement = step(rng, pool, Arrays)
        if statement is not None:
            statement(pool)
            pool[:] = [p if isinstance(p, np.ndarray) else np.array(p) for p in pool]
    weights = np.random.default_rng(seed)
    return sum(float(np.sum(p * weights.standard_normal(np.shape(p)))) for p in pool), pool


def run_in_ours(seed, values, length):
    rng, leaves = random.Random(seed), [leaf(v) for v in values]
    pool = [x.clone() for x in leaves]
    for _ in range(length):
        statement = step(rng, pool, Ours)
        if statement is not None:
            statement(pool)
    weights = np.random.default_rng(seed)
    total = sum((p * tensor(weights.standard_normal(p.shape))).sum() for p in pool)
    return leaves, pool, total


def test_random_programs_have_the_gradient_of_finite_differences():
    """Views, writes and ops in random order: the right gradient, or an error, never a wrong gradient."""
    compared = 0
    for seed in range(300):
        values, length = start_values(seed), 4 + seed % 9
        leaves, pool, total = run_in_ours(seed, values, length)
        expected, arrays = run_in_numpy(seed, values, length)
        for ours, array in zip(pool, arrays, strict=True):
            np.testing.assert_allclose(ours.detach().numpy(), array, rtol=1e-12, atol=1e-12, err_msg=f"program {seed}")
        assert total.item() == pytest.approx(expected, rel=1e-10, abs=1e-10)
        try:
            gradients = grad(total, leaves, materialize_grads=True)
        except GraphError as error:
            assert "overwritten in place" in str(error)
            continue
        compared += 1
        direction = [np.random.default_rng(seed + 1).standard_normal(v.shape) for v in values]
        analytic = sum(float(np.sum(g.numpy() * d)) for g, d in zip(gradients, direction, strict=True))
        eps = 1e-6
        above, below = (
            run_in_numpy(seed, [v + sign * eps * d for v, d in zip(values, direction, strict=True)], length)[0]
            for sign in (1, -1)
        )
        assert analytic == pytest.approx((above - below) / (2 * eps), rel=1e-6, abs=1e-7), f"program {seed}"
    assert compared > 150


@pytest.mark.reference
def test_random_programs_have_pytorchs_values_and_gradients():
    import torch

    agreed = raised = 0
    for seed in range(2500):
        values, length = start_values(seed), 4 + seed % 12
        theirs_rng, rng = random.Random(seed), random.Random(seed)
        their_leaves = [torch.tensor(v, requires_grad=True) for v in values]
        leaves = [leaf(v) for v in values]
        # The last one is a leaf itself, so that writing it or its views is refused.
        their_pool = [*[x.clone() for x in their_leaves[:-1]], their_leaves[-1]]
        pool = [*[x.clone() for x in leaves[:-1]], leaves[-1]]
        stopped = False
        for _ in range(length):
            statement, ours = step(theirs_rng, their_pool, Torch), step(rng, pool, Ours)
            if statement is None:
                continue
            try:
                statement(their_pool)
            except RuntimeError:
                with pytest.raises(GraphError):
                    ours(pool)
                stopped = True
                break
            ours(pool)
        if stopped:
            raised += 1
            continue
        for a, b in zip(pool, their_pool, strict=True):
            np.testing.assert_allclose(
                a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-12, err_msg=f"{seed}"
            )
        weights = np.random.default_rng(seed)
        w = [weights.standard_normal(p.shape) for p in pool]
        total = sum((p * tensor(v)).sum() for p, v in zip(pool, w, strict=True))
        their_total = sum((p * torch.tensor(v)).sum() for p, v in zip(their_pool, w, strict=True))
        try:
            expected = torch.autograd.grad(their_total, their_leaves, allow_unused=True)
        except RuntimeError:
            continue
        try:
            gradients = grad(total, leaves, allow_unused=True)
        except GraphError:
            raised += 1
            continue
        agreed += 1
        for a, b, v in zip(gradients, expected, values, strict=True):
            ours_value = np.zeros(v.shape) if a is None else a.numpy()
            theirs_value = np.zeros(v.shape) if b is None else b.numpy()
            np.testing.assert_allclose(ours_value, theirs_value, rtol=1e-10, atol=1e-12, err_msg=f"program {seed}")
    assert agreed > 1000, (agreed, raised)


@pytest.mark.parametrize("create_graph", [False, True])
def test_overwriting_one_of_several_outputs_that_a_rule_needs_is_an_error(create_graph):
    a = tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    w, v = autograd.linalg.eigh(a)
    kept = v * 1
    v.mul_(3)
    with pytest.raises(GraphError, match=r"overwritten in place at .*test_inplace\.py"):
        grad(kept.sum() + w.sum(), a, create_graph=create_graph)
