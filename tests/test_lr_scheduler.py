"""Every schedule: its formula, PyTorch's values, a saved state that continues, and what it refuses."""

from __future__ import annotations

import inspect
import math
import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from schedules import SCHEDULES, Row, Shrink

import autograd
import optim
from optim import lr_scheduler, swa_utils

OURS = SimpleNamespace(**{name: getattr(lr_scheduler, name) for name in lr_scheduler.__all__}, SWALR=swa_utils.SWALR)
CASES = [(name, i, row) for name, rows in SCHEDULES.items() for i, row in enumerate(rows)]
IDS = [f"{name}-{i}" for name, i, _ in CASES]
REFERENCE = [case for case in CASES if not case[2].ours]


def optimizer_of(kind, library=optim, zeros=autograd.zeros, lr=0.1):
    """An SGD, an Adam, or an SGD of two groups with rates of their own."""
    a, b = (zeros(2, requires_grad=True) for _ in range(2))
    if kind == "adam":
        return library.Adam([a], lr=lr)
    if kind == "groups":
        return library.SGD([{"params": [a]}, {"params": [b], "lr": lr / 2}], lr=lr, momentum=0.5)
    return library.SGD([a], lr=lr, momentum=0.5)


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


def readings(optimizer):
    return [float(x) for group in optimizer.param_groups for x in (group["lr"], momentum_of(group))]


def advance(row: Row, scheduler, optimizer, t):
    """The step before t, and on to t."""
    optimizer.step()
    scheduler.step(row.measured(t)) if row.measured else scheduler.step()


def run(row: Row, scheduler, optimizer, begin, end):
    """The readings of the steps from begin to before end; the scheduler is at begin."""
    out = []
    for t in range(begin, end):
        if t > begin:
            advance(row, scheduler, optimizer, t)
        out.append(readings(optimizer))
        assert [float(lr) for lr in scheduler.get_last_lr()] == [float(g["lr"]) for g in optimizer.param_groups]
    return np.array(out)


def test_every_schedule_has_a_row():
    classes = {
        name for module in (lr_scheduler, swa_utils) for name in module.__all__
        if inspect.isclass(getattr(module, name)) and issubclass(getattr(module, name), lr_scheduler.LRScheduler)
    }  # fmt: skip
    assert classes - {"LRScheduler"} == SCHEDULES.keys()
    assert all(len(rows) >= 2 for rows in SCHEDULES.values())


@pytest.mark.parametrize(("name", "i", "row"), [c for c in CASES if c[2].formula], ids=lambda x: str(x)[:30])
def test_rates_follow_the_formula(name, i, row):
    optimizer = optimizer_of(row.optimizer)
    first = [group["lr"] for group in optimizer.param_groups]
    scheduler = row.make(OURS, optimizer)
    got = run(row, scheduler, optimizer, 0, row.steps)
    expected = [[row.formula(t, lr) for lr in first] for t in range(row.steps)]
    np.testing.assert_allclose(got[:, ::2], expected, rtol=1e-10, atol=1e-15)
    if row.momentum:
        expected = [[row.momentum(t)] * len(first) for t in range(row.steps)]
        np.testing.assert_allclose(got[:, 1::2], expected, rtol=1e-12)


@pytest.mark.parametrize("through", ["pickle", "as it is"])
@pytest.mark.parametrize(("name", "i", "row"), CASES, ids=IDS)
def test_saved_state_continues(name, i, row, through):
    optimizer = optimizer_of(row.optimizer)
    scheduler = row.make(OURS, optimizer)
    run(row, scheduler, optimizer, 0, 78)
    state = scheduler.state_dict(), optimizer.state_dict()
    if through == "pickle":
        state = pickle.loads(pickle.dumps(state))
    again = optimizer_of(row.optimizer, lr=7.0)
    resumed = row.make(OURS, again)
    resumed.load_state_dict(state[0])
    again.load_state_dict(state[1])
    assert resumed.get_last_lr() == [group["lr"] for group in again.param_groups]
    expected = run(row, scheduler, optimizer, 77, row.steps)
    np.testing.assert_array_equal(run(row, resumed, again, 77, row.steps), expected)


def test_a_callable_object_is_saved_with_its_state():
    optimizer = optimizer_of("sgd")
    state = lr_scheduler.LambdaLR(optimizer, Shrink(0.5)).state_dict()
    other = lr_scheduler.LambdaLR(optimizer, Shrink(0.9))
    other.load_state_dict(state)
    assert other.lr_lambdas[0].base == 0.5
    state = lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, scale_fn=Shrink(0.5)).state_dict()
    cyclic = lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, scale_fn=Shrink(0.9))
    cyclic.load_state_dict(state)
    assert cyclic.scale_fn(1) == 0.5


def theirs_module():
    import torch

    from torch.optim import lr_scheduler as schedules, swa_utils as averages  # isort: skip

    names = {name: getattr(schedules, name) for name in schedules.__all__}
    return torch, SimpleNamespace(**names, SWALR=averages.SWALR)


@pytest.mark.reference
@pytest.mark.parametrize(("name", "i", "row"), REFERENCE, ids=[f"{n}-{i}" for n, i, _ in REFERENCE])
def test_values_and_states_are_pytorchs(name, i, row):
    torch, theirs = theirs_module()
    a, b = optimizer_of(row.optimizer), optimizer_of(row.optimizer, torch.optim, torch.zeros)
    ours, other = row.make(OURS, a), row.make(theirs, b)
    for group in b.param_groups:
        for p in group["params"]:
            p.grad = torch.zeros_like(p)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The epoch parameter")
        got, expected = run(row, ours, a, 0, row.steps), run(row, other, b, 0, row.steps)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-17)
    assert_same_keys(ours.state_dict(), other.state_dict())
    for group, peer in zip(a.param_groups, b.param_groups, strict=True):
        for key in set(peer) - set(optimizer_of(row.optimizer, torch.optim, torch.zeros).param_groups[0]):
            assert group[key] == pytest.approx(peer[key]), key


def assert_same_keys(ours, theirs):
    assert ours.keys() == theirs.keys()
    for a, b in zip(ours.get("_schedulers", ()), theirs.get("_schedulers", ()), strict=True):
        assert_same_keys(a, b)


@pytest.mark.reference
@pytest.mark.parametrize(("name", "i", "row"), REFERENCE, ids=[f"{n}-{i}" for n, i, _ in REFERENCE])
def test_pytorchs_state_continues_here(name, i, row):
    torch, theirs = theirs_module()
    b = optimizer_of(row.optimizer, torch.optim, torch.zeros)
    other = row.make(theirs, b)
    for group in b.param_groups:
        for p in group["params"]:
            p.grad = torch.zeros_like(p)
    run(row, other, b, 0, 78)
    a = optimizer_of(row.optimizer, lr=7.0)
    ours = row.make(OURS, a)
    ours.load_state_dict(other.state_dict())
    a.load_state_dict(b.state_dict())
    got, expected = run(row, ours, a, 77, row.steps), run(row, other, b, 77, row.steps)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-17)


RESUMED = {
    "StepLR": {"step_size": 7}, "MultiStepLR": {"milestones": [5, 79, 90]}, "ExponentialLR": {"gamma": 0.9},
    "ConstantLR": {"total_iters": 90}, "LinearLR": {"total_iters": 120}, "PolynomialLR": {"total_iters": 150},
    "CosineAnnealingLR": {"T_max": 50}, "CosineAnnealingWarmRestarts": {"T_0": 100},
    "LambdaLR": {"lr_lambda": lambda t: 0.9**t}, "MultiplicativeLR": {"lr_lambda": lambda t: 0.9},
    "OneCycleLR": {"max_lr": 1.0, "total_steps": 200}, "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 20},
}  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize(("name", "arguments"), RESUMED.items(), ids=RESUMED)
def test_resuming_by_last_epoch_is_pytorchs(name, arguments):
    torch, theirs = theirs_module()
    values = []
    for library, zeros, schedules in ((optim, autograd.zeros, OURS), (torch.optim, torch.zeros, theirs)):
        first = optimizer_of("sgd", library, zeros)
        scheduler = getattr(schedules, name)(first, **arguments)
        first.param_groups[0]["params"][0].grad = zeros(2)
        run(Row(None), scheduler, first, 0, 78)
        second = optimizer_of("sgd", library, zeros)
        second.load_state_dict(first.state_dict())
        second.param_groups[0]["params"][0].grad = zeros(2)
        resumed = getattr(schedules, name)(second, **arguments, last_epoch=77)
        assert resumed.last_epoch == 78
        values.append(run(Row(None), resumed, second, 78, 150))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("name", sorted(name for name in RESUMED if name not in ("CyclicLR", "OneCycleLR")))
def test_a_given_epoch_is_pytorchs(name):
    torch, theirs = theirs_module()
    values = []
    for library, zeros, schedules in ((optim, autograd.zeros, OURS), (torch.optim, torch.zeros, theirs)):
        optimizer = optimizer_of("groups", library, zeros)
        scheduler = getattr(schedules, name)(optimizer, **RESUMED[name])
        optimizer.step()
        for epoch in (5, 130, 3, 79, 0, 40):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step(epoch)
            values.append(readings(optimizer))
    half = len(values) // 2
    np.testing.assert_allclose(values[:half], values[half:], rtol=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("growth", [1, 2, 3])
def test_restarts_between_steps_are_pytorchs(growth):
    torch, theirs = theirs_module()
    values = []
    for library, zeros, schedules in ((optim, autograd.zeros, OURS), (torch.optim, torch.zeros, theirs)):
        optimizer = optimizer_of("sgd", library, zeros)
        scheduler = schedules.CosineAnnealingWarmRestarts(optimizer, 5, growth)
        for i in range(200):
            scheduler.step(i / 3)
            values.append([*readings(optimizer), scheduler.T_cur, scheduler.T_i, scheduler.last_epoch])
    np.testing.assert_allclose(values[:200], values[200:], rtol=1e-9, atol=1e-12)


def test_restarts_at_given_steps_equal_counted_ones():
    a, b = optimizer_of("sgd"), optimizer_of("sgd")
    counted = lr_scheduler.CosineAnnealingWarmRestarts(a, 5, 3)
    given = lr_scheduler.CosineAnnealingWarmRestarts(b, 5, 3)
    for epoch in range(1, 700):
        counted.step()
        given.step(epoch)
        assert readings(a) == readings(b)
        assert (counted.T_cur, counted.T_i) == (given.T_cur, given.T_i)


@pytest.mark.reference
@pytest.mark.parametrize(
    "name", sorted(set(SCHEDULES) - {"InverseTimeLR", "ConstantThenInverseLR", "HalveWhenWorseLR"})
)
def test_arguments_are_pytorchs(name):
    _, theirs = theirs_module()
    ours, other = (inspect.signature(getattr(x, name)).parameters.values() for x in (OURS, theirs))
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in other]


def test_rates_are_those_that_the_optimizer_takes():
    w = autograd.zeros(1, requires_grad=True)
    optimizer = optim.SGD([w], lr=8.0)
    scheduler = lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    for _ in range(3):
        w.grad = autograd.ones(1)
        optimizer.step()
        scheduler.step()
    assert w.item() == -(8 + 4 + 2)


def test_a_rate_that_is_a_tensor_keeps_its_place():
    optimizer = optimizer_of("sgd")
    rate = optimizer.param_groups[0]["lr"] = autograd.tensor(0.5)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert scheduler.base_lrs[0].item() == 0.5


def test_the_wrong_order_warns():
    optimizer = optimizer_of("sgd")
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"StepLR: step\(\) was called before optimizer.step"):
        scheduler.step()
    optimizer = optimizer_of("sgd")
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    scheduler.step()
    with pytest.warns(UserWarning, match=r"present rates are get_last_lr"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match=r"call step\(\) without an argument"):
        scheduler.step(5)


def test_a_loss_that_is_not_a_number_is_worse_and_is_not_compared_with():
    optimizer = optimizer_of("sgd", lr=1.0)
    scheduler = lr_scheduler.HalveWhenWorseLR(optimizer)
    rates = []
    for loss in (3.0, math.nan, 2.0, autograd.tensor(2.5), 2.5):
        scheduler.step(loss)
        rates += scheduler.get_last_lr()
    assert rates == [1.0, 0.5, 0.5, 0.25, 0.25]


def test_preview_shows_the_rates():
    got = lr_scheduler.preview(lambda o: lr_scheduler.CyclicLR(o, 1.0, 3.0, 2), steps=6)
    np.testing.assert_allclose(got, [1, 2, 3, 2, 1, 2])


def late_group(schedule):
    optimizer = optimizer_of("sgd")
    scheduler = schedule(optimizer)
    optimizer.add_param_group({"params": [autograd.zeros(3, requires_grad=True)]})
    optimizer.step()
    scheduler.step()


def past_the_end():
    optimizer = optimizer_of("sgd")
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3)
    for t in range(1, 6):
        advance(Row(None), scheduler, optimizer, t)


def sgd():
    return optimizer_of("sgd")


def chained(*parts, optimizer=None):
    return lr_scheduler.ChainedScheduler(list(parts), optimizer)


def sequential(milestones):
    optimizer = sgd()
    return lr_scheduler.SequentialLR(optimizer, [lr_scheduler.StepLR(optimizer, 3) for _ in range(2)], milestones)


def plateau_of_late_group():
    optimizer = optimizer_of("sgd")
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.01])
    optimizer.add_param_group({"params": [autograd.zeros(3, requires_grad=True)]})
    scheduler.step(1.0)
    scheduler.step(1.0)


s = lr_scheduler
REFUSED = {
    "no optimizer": (lambda: s.StepLR([1.0], 3), TypeError, "StepLR: optimizer must be an optim.Optimizer, got list"),
    "no optimizer of plateau": (lambda: s.ReduceLROnPlateau(3), TypeError, "must be an optim.Optimizer, got int 3"),
    "resumed": (lambda: s.StepLR(sgd(), 3, last_epoch=4), KeyError, "group 0 has no 'initial_lr'"),
    "step_size": (lambda: s.StepLR(sgd(), 0), ValueError, "StepLR: step_size must be at least 1, got 0"),
    "factor": (lambda: s.ConstantLR(sgd(), 1.5), ValueError, "ConstantLR: factor must be between 0 and 1, got 1.5"),
    "total_iters": (lambda: s.ConstantLR(sgd(), total_iters=-1), ValueError, "total_iters must be at least 0, got -1"),
    "start": (lambda: s.LinearLR(sgd(), 0.0), ValueError, "start_factor must be above 0 and at most 1, got 0.0"),
    "end": (lambda: s.LinearLR(sgd(), end_factor=2.0), ValueError, "end_factor must be between 0 and 1, got 2.0"),
    "no warm-up": (lambda: s.LinearLR(sgd(), total_iters=0), ValueError, "total_iters must be at least 1, got 0"),
    "polynomial": (lambda: s.PolynomialLR(sgd(), 0), ValueError, "PolynomialLR: total_iters must be at least 1"),
    "T_max": (lambda: s.CosineAnnealingLR(sgd(), 0), ValueError, "T_max must be at least 1, got 0"),
    "T_0": (lambda: s.CosineAnnealingWarmRestarts(sgd(), 2.5), ValueError, "T_0 must be an integer of at least 1"),
    "T_mult": (lambda: s.CosineAnnealingWarmRestarts(sgd(), 2, 0), ValueError, "T_mult must be an integer of at least"),
    "eta_min": (lambda: s.CosineAnnealingWarmRestarts(sgd(), 2, 1, "0"), ValueError, "eta_min must be a number"),
    "negative": (lambda: s.CosineAnnealingWarmRestarts(sgd(), 2).step(-1), ValueError, "epoch must not be negative"),
    "mode": (lambda: s.CyclicLR(sgd(), 0.1, 1.0, mode="square"), ValueError, "mode must be 'triangular', .* 'square'"),
    "scale_mode": (lambda: s.CyclicLR(sgd(), 0.1, 1.0, scale_mode="x"), ValueError, "scale_mode must be 'cycle' or"),
    "step_size_up": (lambda: s.CyclicLR(sgd(), 0.1, 1.0, 0), ValueError, "step_size_up must be at least 1, got 0"),
    "max_lr": (lambda: s.CyclicLR(sgd(), 0.1, [1.0, 2.0]), ValueError, "max_lr has 2 values, and the optimizer 1"),
    "no steps": (lambda: s.OneCycleLR(sgd(), 0.1, epochs=3), ValueError, "wants total_steps, or both epochs and"),
    "total_steps": (lambda: s.OneCycleLR(sgd(), 0.1, 0), ValueError, "total_steps must be an integer of at least 1"),
    "pct_start": (lambda: s.OneCycleLR(sgd(), 0.1, 9, pct_start=1.5), ValueError, "pct_start must be between 0 and 1"),
    "anneal": (lambda: s.OneCycleLR(sgd(), 0.1, 9, anneal_strategy="x"), ValueError, "must be 'cos' or 'linear'"),
    "past the end": (past_the_end, ValueError, "step 4 is past the last of total_steps=3"),
    "plateau factor": (lambda: s.ReduceLROnPlateau(sgd(), factor=1.0), ValueError, "factor must be below 1, got 1.0"),
    "plateau mode": (lambda: s.ReduceLROnPlateau(sgd(), "low"), ValueError, "mode must be 'min' or 'max', got 'low'"),
    "threshold": (lambda: s.ReduceLROnPlateau(sgd(), threshold_mode="x"), ValueError, "must be 'rel' or 'abs', got"),
    "min_lr": (lambda: s.ReduceLROnPlateau(sgd(), min_lr=[1, 2]), ValueError, "min_lr has 2 values"),
    "late min_lr": (plateau_of_late_group, ValueError, "append to scheduler.min_lrs"),
    "halve": (lambda: s.HalveWhenWorseLR(sgd(), 2.0), ValueError, "factor must be between 0 and 1, got 2.0"),
    "k": (lambda: s.InverseTimeLR(sgd(), -1.0), ValueError, "InverseTimeLR: k must not be negative, got -1.0"),
    "tau": (lambda: s.ConstantThenInverseLR(sgd(), 0), ValueError, "tau must be above 0, got 0"),
    "lambda": (lambda: s.LambdaLR(sgd(), 3.0), TypeError, "LambdaLR: lr_lambda must be a function .* float 3.0"),
    "lambdas": (lambda: s.MultiplicativeLR(sgd(), [abs, abs]), ValueError, "lr_lambda has 2 values"),
    "no parts": (lambda: s.SequentialLR(sgd(), [], []), ValueError, "SequentialLR: schedulers is empty"),
    "no schedule": (lambda: chained(3), TypeError, r"schedulers\[0\] must be a schedule, got int 3"),
    "measured part": (lambda: chained(s.ReduceLROnPlateau(sgd())), ValueError, "wants a measured value"),
    "two optimizers": (lambda: chained(s.StepLR(sgd(), 3), s.StepLR(sgd(), 3)), ValueError, "for another optimizer"),
    "milestones": (lambda: sequential([3, 4]), ValueError, "2 schedules want 1 milestones between them, got 2"),
    "parts": (
        lambda: sequential([3]).load_state_dict({"_schedulers": []}), ValueError, "state has 0 schedules, this one 2",
    ),
    "late group": (
        lambda: late_group(lambda o: s.InverseTimeLR(o, 0.1)), ValueError,
        "has rates for 1 parameter groups, and the optimizer has 2",
    ),
    "get_lr": (lambda: s.LRScheduler(sgd()), NotImplementedError, "get_lr must return a rate for each group"),
    "no momentum": (
        lambda: s.OneCycleLR(without_momentum(), 0.1, 9), ValueError, "has neither momentum nor betas to cycle",
    ),
    "anneal epochs": (lambda: swa_utils.SWALR(sgd(), 0.1, -1), ValueError, "anneal_epochs must be an integer of at"),
    "anneal strategy": (lambda: swa_utils.SWALR(sgd(), 0.1, 3, "x"), ValueError, "must be 'cos' or 'linear', got 'x'"),
}  # fmt: skip


def without_momentum():
    optimizer = sgd()
    del optimizer.defaults["momentum"]
    return optimizer


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_late_group_is_scaled_with_the_others():
    optimizer = sgd()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.add_param_group({"params": [autograd.zeros(3, requires_grad=True)], "lr": 8.0})
    optimizer.step()
    scheduler.step()
    assert math.isclose(optimizer.param_groups[1]["lr"], 4.0)
