"""What may change between the steps of any optimizer, and what any of them refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from optimizers import ROWS, make

import autograd
import optim


def leaf(*shape):
    return autograd.zeros(*shape, requires_grad=True)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


REFUSALS = [(name, kwargs, message) for name, row in ROWS.items() for kwargs, message in row.refuses]


@pytest.mark.parametrize(("name", "kwargs", "message"), REFUSALS, ids=lambda v: str(v)[:40])
def test_arguments_out_of_range_are_refused(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(name, [leaf(2, 2)], **kwargs)
    # In a group too, and in a state that is loaded.
    with pytest.raises(ValueError, match=message):
        make(name, [{"params": [leaf(2, 2)], **kwargs}])
    optimizer = make(name, [leaf(2, 2)])
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0].update(kwargs)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)


def stepped(name, kwargs, count=3, shape=(2, 3), seed=0):
    """An optimizer after two steps, and its parameters with gradients for another."""
    rng = np.random.default_rng(seed)
    params = [autograd.tensor(rng.standard_normal(shape), requires_grad=True) for _ in range(count)]
    optimizer = make(name, params, **kwargs)
    for t in range(3):
        for p in params:
            p.grad = autograd.tensor(rng.standard_normal(shape))
        if t < 2:
            optimizer.step()
    return optimizer, params


@pytest.mark.parametrize("name", ROWS)
def test_changes_between_steps_are_noticed(name):
    kwargs = ROWS[name].variants[1]
    # As it goes where nothing is changed.
    optimizer, params = stepped(name, kwargs)
    optimizer.step()
    expected = [p.numpy().copy() for p in params]

    # Frozen: the middle one has no gradient, and the others go on as before.
    optimizer, params = stepped(name, kwargs)
    params[1].requires_grad_(False)
    params[1].grad = None
    kept = params[1].numpy().copy()
    optimizer.step()
    assert_same([p.numpy() for p in params], [expected[0], kept, expected[2]])

    # New memory: the old is left alone, and the state goes on.
    optimizer, params = stepped(name, kwargs)
    old = params[1].numpy()
    kept = old.copy()
    params[1].data = autograd.tensor(kept)
    optimizer.step()
    np.testing.assert_array_equal(old, kept)
    assert_same([p.numpy() for p in params], expected)

    # A view into the parameter shows every step.
    optimizer, params = stepped(name, kwargs)
    view = params[2].numpy()[0]
    optimizer.step()
    np.testing.assert_array_equal(view, expected[2][0])

    # Re-tied: two parameters in one memory are updated one after the other.
    kwargs = {**kwargs, "weight_decay": 0.0} if "weight_decay" in kwargs else kwargs
    optimizer, params = stepped(name, kwargs)
    params[1].data = params[0].detach()
    params[2].grad = None
    alone, apart = stepped(name, kwargs)
    apart[2].grad = None
    apart[1].data = apart[0].detach().clone()
    alone.step(), optimizer.step()
    if name not in ("Adafactor", "ASGD"):  # whose steps depend on the point even without weight decay
        start = stepped(name, kwargs)[1][0].numpy()
        moves = sum(p.numpy() - start for p in apart[:2])
        np.testing.assert_allclose(params[0].numpy() - start, moves, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(params[0].numpy(), params[1].numpy())

    # Added.
    kwargs = ROWS[name].variants[1]
    optimizer, params = stepped(name, kwargs)
    new = autograd.tensor(np.ones((2, 3)), requires_grad=True)
    new.grad = autograd.tensor(np.full((2, 3), 0.5))
    optimizer.add_param_group({"params": [new]})
    optimizer.step()
    assert_same([p.numpy() for p in params], expected)
    assert (new.numpy() != 1).all()

    # Another shape, whose state or gradient is the old one's.
    optimizer, params = stepped(name, kwargs)
    params[0].data = autograd.ones(3, 4, dtype="float64")
    with pytest.raises(autograd.ShapeError, match=rf"{name}: parameter 0 of group 0"):
        optimizer.step()


@pytest.mark.parametrize("name", ROWS)
def test_loading_into_another_shape_names_the_parameter(name):
    optimizer, _ = stepped(name, ROWS[name].variants[1])
    other = make(name, [("hidden.weight", leaf(2, 3)), ("out", leaf(5, 4)), ("last", leaf(2, 3))], lr=0.5)
    with pytest.raises(autograd.ShapeError, match=rf"{name}.load_state_dict: \w+ of parameter 1 of group 0 \(out\)"):
        other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.5
    assert not other.state


@pytest.mark.parametrize("name", ROWS)
def test_gradients_that_are_not_finite(name):
    kwargs = ROWS[name].variants[1]
    optimizer, params = stepped(name, kwargs)
    start, state = [p.numpy().copy() for p in params], copy.deepcopy(optimizer.state_dict()["state"])
    params[1].grad[0, 1], params[1].grad[1, 2] = float("nan"), float("inf")

    optimizer.nonfinite = "raise"
    message = f"{name}: parameter 1 of group 0 has a gradient with 1 NaN and 1 infinite of 6 entries"
    with pytest.raises(FloatingPointError, match=message):
        optimizer.step()
    optimizer.nonfinite = "skip"
    optimizer.step()
    assert_same([p.numpy() for p in params], start)
    for number, entry in optimizer.state_dict()["state"].items():
        assert_same([v.numpy() for v in entry.values()], [v.numpy() for v in state[number].values()])

    optimizer.nonfinite = "never"
    with pytest.raises(ValueError, match="nonfinite must be 'apply', 'raise' or 'skip', got 'never'"):
        optimizer.step()
    if name == "Shampoo":  # which cannot
        return
    optimizer.nonfinite = "apply"
    with np.errstate(all="ignore"):
        optimizer.step()
    assert not np.isfinite(params[1].numpy()).all() or name == "Rprop"


def test_state_that_a_group_asks_for_later_is_made_then():
    w = autograd.zeros(2, requires_grad=True)
    w.grad = autograd.ones(2)
    optimizer = optim.SGD([w], lr=1.0)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    optimizer.step()
    assert w.tolist() == [-3.5, -3.5] and optimizer.state[w]["momentum_buffer"].tolist() == [1.5, 1.5]
    optimizer = optim.Adam([w], lr=1.0)
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = True
    optimizer.step()
    assert (optimizer.state[w]["max_exp_avg_sq"].numpy() > 0).all()


def test_a_subclass_may_compute_what_the_rule_gets_anew_at_each_step():
    class Halving(optim.SGD):
        scale = 1.0

        def hyper(self, group):
            return {**super().hyper(group), "lr": group["lr"] * self.scale}

    w = autograd.zeros(2, requires_grad=True)
    w.grad = autograd.ones(2)
    optimizer = Halving([w], lr=1.0)
    for _ in range(3):
        optimizer.step()
        optimizer.scale /= 2
    assert w.tolist() == [-1.75, -1.75]
