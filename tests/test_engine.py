"""Backward, grad, hooks, and what switches recording on and off."""

from __future__ import annotations

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import autograd
from autograd import (
    GraphError,
    ShapeError,
    Tensor,
    enable_grad,
    grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    tensor,
)


def leaf(value, dtype="float64"):
    return tensor(value, dtype=dtype, requires_grad=True)


def test_cube_twice_accumulates():
    x = leaf(3.0)
    y = x**3
    y.backward(retain_graph=True)
    assert x.grad.item() == 27.0
    y.backward()
    assert x.grad.item() == 54.0


def test_a_freed_graph_says_so():
    x = leaf(3.0)
    y = x**3
    y.backward()
    with pytest.raises(
        GraphError, match=r"the graph behind this pow was freed by an earlier backward pass.*retain_graph=True"
    ):
        y.backward()
    assert x.grad.item() == 27.0


def test_a_graph_freed_in_part_says_so():
    x = leaf(3.0)
    inner = x * x
    (inner + 1).backward()
    with pytest.raises(GraphError, match="the graph behind this mul was freed"):
        (inner * 2).backward()


def test_a_chain_of_a_million_ops():
    """No recursion in forward, backward or in taking the graph down."""
    x = leaf(1.0)
    y = x
    for _ in range(500_000):
        y = y * 1.000001
        y = y + 1e-9
    y.backward()
    assert x.grad.item() == pytest.approx(1.000001**500_000, rel=1e-9)


def test_a_long_graph_is_dropped_without_recursion():
    gc.disable()
    try:
        for make in (lambda y: y * 0.5, lambda y: autograd.tanh(y), lambda y: y[None][0] + 1):
            y = leaf([1.0])
            for _ in range(100_000):
                y = make(y)
            del y
    finally:
        gc.enable()


def test_the_lecture_example():
    x, y, z = leaf(1.0), leaf(2.0), leaf(0.0)
    f = (x + y) * autograd.maximum(y, z)
    assert f.item() == 6.0
    f.backward()
    assert (x.grad.item(), y.grad.item(), z.grad.item()) == (2.0, 5.0, 0.0)


def test_reused_nodes_add_up():
    a = leaf(2.0)
    b = a * a
    c = b + b
    d = c * b + a
    d.backward()  # 2a⁴ + a
    assert a.grad.item() == 8 * 2.0**3 + 1


def test_a_tensor_used_twice_by_one_op():
    x = leaf([2.0, 3.0])
    (x * x).backward(tensor([1.0, 10.0], dtype="float64"))
    assert x.grad.tolist() == [4.0, 60.0]
    y = leaf([1.0, 2.0])
    autograd.cat([y, y * 2, y]).backward(tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    assert y.grad.tolist() == [12.0, 16.0]


def test_a_node_reached_by_paths_of_different_length():
    x = leaf(1.5)
    near = x * 2
    far = near
    for _ in range(10):
        far = far + 1
    (near * far).backward()
    assert x.grad.item() == 2 * 13.0 + 3.0 * 2


def test_what_backward_hands_out_is_nobody_elses_memory():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    g = tensor([1.0, 1.0], dtype="float64")
    (x + y).backward(g)
    x.grad.numpy()[0] = 50.0
    assert y.grad.tolist() == [1.0, 1.0]
    assert g.tolist() == [1.0, 1.0]
    a, b = grad(x + y, (x, y), g)
    a.numpy()[0] = 50.0
    assert b.tolist() == [1.0, 1.0]
    assert g.tolist() == [1.0, 1.0]


def test_accumulating_leaves_an_older_gradient_tensor_that_was_copied_alone():
    x = leaf([1.0])
    (x * 2).sum().backward()
    kept = x.grad.clone()
    (x * 3).sum().backward()
    assert kept.tolist() == [2.0]
    assert x.grad.tolist() == [5.0]


def test_backward_wants_a_gradient_for_what_is_no_scalar():
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match=r"wants a scalar to start from.*shape \(2,\).*\.sum\(\)"):
        (x * 2).backward()
    (x * 2).backward(tensor([1.0, 3.0], dtype="float64"))
    assert x.grad.tolist() == [2.0, 6.0]
    with pytest.raises(ShapeError, match=r"shape \(3,\).*\(2,\)"):
        (x * 2).backward(autograd.ones(3))


def test_backward_of_one_entry_in_any_shape():
    x = leaf([[3.0]])
    (x * x).backward()
    assert x.grad.tolist() == [[6.0]]


def test_backward_of_several_tensors_and_into_chosen_leaves():
    x, y = leaf(2.0), leaf(3.0)
    autograd.backward([x * y, x * x], [tensor(10.0), None])
    assert (x.grad.item(), y.grad.item()) == (34.0, 20.0)
    x.grad = y.grad = None
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 3.0
    assert y.grad is None


def test_backward_of_a_leaf_is_its_gradient():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_grad_of_several_outputs_and_inputs():
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = grad([x * y, y * y], [x, y], [tensor(1.0), tensor(10.0)])
    assert (gx.item(), gy.item()) == (3.0, 62.0)
    assert x.grad is None and y.grad is None


def test_grad_with_respect_to_a_result_in_between():
    x = leaf(2.0)
    inner = x * x
    outer = inner * inner + x
    g_inner, g_x = grad(outer, [inner, x])
    assert (g_inner.item(), g_x.item()) == (8.0, 33.0)
    assert [g.item() for g in grad(x * 3, [x])] == [3.0]


def test_grad_with_respect_to_the_output_itself():
    x = leaf(2.0)
    y = x * x
    assert [g.item() for g in grad(y, [y, x])] == [1.0, 4.0]


def test_unused_inputs():
    x, y = leaf(2.0), leaf([3.0, 4.0])
    with pytest.raises(GraphError, match=r"do not depend on inputs\[1\].*allow_unused=True.*materialize_grads=True"):
        grad(x * x, [x, y])
    assert grad(x * x, [x, y], allow_unused=True)[1] is None
    zeros = grad(x * x, [x, y], materialize_grads=True)[1]
    assert zeros.tolist() == [0.0, 0.0]
    assert zeros.dtype == np.float64


def test_grad_refuses_an_input_without_gradient():
    x = leaf(2.0)
    with pytest.raises(GraphError, match=r"inputs\[1\] does not require grad"):
        grad(x * x, [x, tensor(1.0)])


def test_gradients_of_gradients_four_deep():
    x = leaf(1.3)
    y, expected = x**6, 1.3**6
    for k in range(4):
        (y,) = grad(y, x, create_graph=True)
        expected = np.prod(6.0 - np.arange(k + 1)) * 1.3 ** (5 - k)
        assert y.item() == pytest.approx(expected, rel=1e-12)
    s = leaf(0.7)
    y = autograd.sin(s)
    for want in (np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin):
        (y,) = grad(y, s, create_graph=True)
        assert y.item() == pytest.approx(want(0.7), rel=1e-12)


def test_backward_with_create_graph_differentiates_grad():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.grad = None
    (first * first).backward()  # d(9x⁴)/dx
    assert x.grad.item() == 36 * 8.0


def test_a_gradient_penalty():
    w, x = leaf([[1.0, -2.0], [0.5, 3.0]]), leaf([0.3, -0.4])
    y = autograd.tanh(w @ x).sum()
    (gx,) = grad(y, x, create_graph=True)
    assert autograd.gradcheck(
        lambda w, x: (grad(autograd.tanh(w @ x).sum(), x, create_graph=True)[0] ** 2).sum(), (w, x)
    )
    assert gx.requires_grad


def test_hooks_run_in_order_and_replace():
    x = leaf(3.0)
    seen = []
    x.register_hook(lambda g: seen.append(("first", g.item())))
    handle = x.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: seen.append(("third", g.item())))
    (x * x).backward()
    assert seen == [("first", 6.0), ("third", 12.0)]
    assert x.grad.item() == 12.0
    handle.remove()
    handle.remove()
    x.grad = None
    (x * x).backward()
    assert x.grad.item() == 6.0
    with x.register_hook(lambda g: -g):
        x.grad = None
        (x * x).backward()
        assert x.grad.item() == -6.0
    x.grad = None
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_a_hook_on_a_result_sees_the_whole_gradient_and_changes_what_flows_on():
    x = leaf(3.0)
    y = x * 2
    seen = []

    def clip(g):
        seen.append(g.item())
        return g * 0.5

    y.register_hook(clip)
    (y * y + y).backward()
    assert seen == [13.0]
    assert x.grad.item() == 13.0


def test_a_hook_must_keep_the_shape():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match=r"hook: .*shape \(2,\).*shape \(\)"):
        (x * x).sum().backward()
    y = leaf([1.0, 2.0])
    y.register_hook(lambda g: 3.0)
    with pytest.raises(ShapeError, match=r"hook: .*float 3\.0"):
        (y * y).sum().backward()


def test_hooks_under_create_graph_are_differentiated():
    x = leaf(2.0)
    x.register_hook(lambda g: g * g)
    (g,) = grad(x * x, x, create_graph=True)
    assert g.item() == 16.0


def test_a_hook_that_keeps_or_changes_the_gradient_does_not_disturb_backward():
    x = leaf([1.0, 2.0])
    kept = []
    y = x * 3
    y.register_hook(kept.append)
    (y * y).sum().backward()
    assert kept[0].tolist() == [6.0, 12.0]
    assert x.grad.tolist() == [18.0, 36.0]


def test_retain_grad():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    (y * 3).backward()
    assert y.grad.item() == 3.0
    with pytest.raises(GraphError, match="retain_grad: this Tensor does not require grad"):
        tensor(1.0).retain_grad()
    with pytest.raises(GraphError, match="register_hook: this Tensor does not require grad"):
        tensor(1.0).register_hook(print)


def test_detach_cuts():
    x = leaf(2.0)
    y = x * x
    z = y.detach()
    assert not z.requires_grad and z.is_leaf
    (y * z).backward()
    assert x.grad.item() == 16.0
    assert (x.detach() * 2).requires_grad is False
    y.detach_()
    assert y.is_leaf and y.grad_fn is None


def test_leaves_and_their_flags():
    x = leaf(2.0)
    y = x * x
    assert x.is_leaf and not y.is_leaf
    assert y.grad_fn.name == "mul" and x.grad_fn is None
    with pytest.raises(GraphError, match="only leaves can be switched off"):
        y.requires_grad = False
    x.requires_grad_(False)
    assert not (x * x).requires_grad


@pytest.mark.parametrize("switch", [no_grad, inference_mode, lambda: set_grad_enabled(False)])
def test_switching_recording_off(switch):
    x = leaf(2.0)
    with switch():
        assert not autograd.is_grad_enabled()
        assert not (x * x).requires_grad
        assert not autograd.tanh(x).requires_grad
        with enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    assert (x * x).requires_grad


def test_switches_as_decorators():
    x = leaf(2.0)

    @no_grad()
    def off(v):
        return v * v

    @no_grad
    def off_without_call(v):
        return v * v

    @enable_grad()
    def on(v):
        return v * v

    assert not off(x).requires_grad
    assert not off_without_call(x).requires_grad
    assert (x * x).requires_grad
    with no_grad():
        assert on(x).requires_grad
    assert off.__name__ == "off"


def test_a_decorated_function_may_call_itself():
    @no_grad()
    def countdown(n):
        return [autograd.is_grad_enabled()] if n == 0 else [*countdown(n - 1), autograd.is_grad_enabled()]

    assert countdown(3) == [False] * 4
    assert autograd.is_grad_enabled()


def test_an_exception_switches_back():
    for make in (no_grad, inference_mode, lambda: set_grad_enabled(False)):
        with pytest.raises(ZeroDivisionError), make():
            raise ZeroDivisionError
        assert autograd.is_grad_enabled()
    switch = no_grad()
    with switch, switch:
        assert not autograd.is_grad_enabled()
    assert autograd.is_grad_enabled()


def test_set_grad_enabled_as_a_function():
    set_grad_enabled(False)
    assert not autograd.is_grad_enabled()
    set_grad_enabled(True)
    assert autograd.is_grad_enabled()


def in_thread(function):
    outcome = []

    def run():
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def test_recording_is_switched_per_thread():
    x = leaf(2.0)
    inside, leave = threading.Event(), threading.Event()

    def other():
        with no_grad():
            inside.set()
            leave.wait(10)
            return (x * x).requires_grad

    results = []
    thread = threading.Thread(target=lambda: results.append(other()))
    thread.start()
    inside.wait(10)
    assert (x * x).requires_grad
    assert autograd.tanh(x).requires_grad
    leave.set()
    thread.join()
    assert results == [False]
    with no_grad():
        assert in_thread(autograd.is_grad_enabled)
        assert in_thread(lambda: (x * x).requires_grad)


def test_threads_go_backward_at_once():
    def work(seed):
        rng = np.random.default_rng(seed)
        w = leaf(rng.standard_normal((8, 8)))
        for _ in range(50):
            w.grad = None
            y = w
            for _ in range(5):
                y = autograd.tanh(y @ w)
            y.sum().backward()
        return w.grad.numpy()

    alone = [work(s) for s in range(4)]
    results = [None] * 4
    threads = [threading.Thread(target=lambda s=s: results.__setitem__(s, work(s))) for s in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for a, b in zip(alone, results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_deepcopy_and_pickle_of_leaves():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other.tolist() == [1.0, 2.0]
        assert other.requires_grad and other.dtype == np.float64
        other.detach().numpy()[0] = 9.0
        assert x.tolist() == [1.0, 2.0]
    assert copy.deepcopy(x).grad.tolist() == [2.0, 4.0]
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]
    with pytest.raises(GraphError, match=r"deepcopy: this Tensor is the result of mul.*detach"):
        copy.deepcopy(x * x)
    with pytest.raises(GraphError, match="pickle: this Tensor is the result of mul"):
        pickle.dumps(x * x)


def test_a_graph_may_be_walked_from_its_tensors():
    x, y = leaf(1.0), leaf(2.0)
    z = x * y
    assert isinstance(z, Tensor)
    assert z._inputs == (x, y) and z.grad_fn is autograd.mul


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (lambda xp, g, out, x, w: g.T @ x, (2, 3)),  # transposed
        (lambda xp, g, out, x, w: xp.sum(g, axis=None), ()),  # an axis too few
        (lambda xp, g, out, x, w: (x.T @ g)[:1], (1, 2)),  # which would broadcast
    ],
)
def test_a_rule_that_gives_another_shape_than_that_of_its_input_is_refused(rule, shape):
    project = autograd.primitive(lambda xp, x, w: x @ w)
    project.grads(x=lambda xp, g, out, x, w: g @ w.T, w=rule)
    for create_graph in (False, True):
        x, w = leaf(np.ones((2, 3))), leaf(np.ones((3, 2)))
        with pytest.raises(ShapeError, match="its rule for input 1 gives a gradient of shape ") as error:
            project(x, w).sum().backward(create_graph=create_graph)
        assert f"of shape {shape}, and the input has shape (3, 2)" in str(error.value)
