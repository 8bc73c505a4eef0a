"""Averaged models, their learning rate and statistics, step hooks, gradient noise, rates by fan-in."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from optim import swa_utils


class WithBuffers(nn.Module):
    """A linear layer whose buffers, one of numbers and one of counts, change with each call."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.register_buffer("mean", autograd.zeros(3))
        self.register_buffer("calls", autograd.tensor(0, dtype="int64"))

    def forward(self, x):
        with autograd.no_grad():
            self.mean.copy_(x.mean(0))
            self.calls.add_(1)
        return self.linear(x)


def trained(model, steps, seed=0):
    """The weights and buffers after each step of a training."""
    autograd.manual_seed(seed)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        x = autograd.randn(8, 3)
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()
        yield [np.array(t.numpy()) for t in [*model.parameters(), *model.buffers()]]


def weights(averaged):
    return [t.numpy() for t in [*averaged.module.parameters(), *averaged.module.buffers()]]


AVERAGES = {
    "equal": ({}, lambda a, p, n: a + (p - a) / (n + 1)),
    "equal, one by one": ({"avg_fn": swa_utils.get_swa_avg_fn()}, lambda a, p, n: a + (p - a) / (n + 1)),
    "equal, at once": ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, lambda a, p, n: a + (p - a) / (n + 1)),
    "forgetting": ({"avg_fn": swa_utils.get_ema_avg_fn(0.8)}, lambda a, p, n: 0.8 * a + 0.2 * p),
    "forgetting, at once": ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.8)}, lambda a, p, n: 0.8 * a + 0.2 * p),
    "one's own": ({"avg_fn": lambda a, p, n: autograd.maximum(a, p)}, lambda a, p, n: np.maximum(a, p)),
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize(("arguments", "formula"), AVERAGES.values(), ids=AVERAGES)
def test_averages_follow_their_formula(arguments, formula, use_buffers):
    model = WithBuffers()
    averaged = swa_utils.AveragedModel(model, use_buffers=use_buffers, **arguments)
    expected = None
    for n, values in enumerate(trained(model, 6)):
        averaged.update_parameters(model)
        if n == 0:
            expected = values
        else:
            count = len(values) if use_buffers else 2
            mixed = [formula(a, p, n) for a, p in zip(expected, values, strict=True)]
            expected = [
                m.astype(p.dtype) if i < count else p for i, (m, p) in enumerate(zip(mixed, values, strict=True))
            ]
        for got, value in zip(weights(averaged), expected, strict=True):
            np.testing.assert_allclose(got, value, rtol=1e-5, atol=1e-7)
        assert averaged.n_averaged.item() == n + 1
    x = autograd.randn(4, 3)
    np.testing.assert_array_equal(averaged(x).numpy(), averaged.module(x).numpy())


@pytest.mark.reference
@pytest.mark.parametrize("name", ["equal", "forgetting", "forgetting, at once"])
def test_averages_are_pytorchs(name):
    import torch
    from torch.optim import swa_utils as theirs

    made = {
        "equal": lambda m: {},
        "forgetting": lambda m: {"avg_fn": m.get_ema_avg_fn(0.8)},
        "forgetting, at once": lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(0.8)},
    }[name]
    model, other = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    averaged, peer = (
        swa_utils.AveragedModel(model, **made(swa_utils)), theirs.AveragedModel(other, **made(theirs))
    )  # fmt: skip
    assert list(averaged.state_dict()) == list(peer.state_dict())
    rng = np.random.default_rng(0)
    for _ in range(5):
        w, b = rng.standard_normal((2, 3)).astype("f"), rng.standard_normal(2).astype("f")
        model.load_state_dict({"weight": autograd.tensor(w), "bias": autograd.tensor(b)})
        other.load_state_dict({"weight": torch.tensor(w), "bias": torch.tensor(b)})
        averaged.update_parameters(model)
        peer.update_parameters(other)
    for key, value in peer.state_dict().items():
        np.testing.assert_allclose(averaged.state_dict()[key].numpy(), value.numpy(), rtol=1e-6)


def test_the_model_is_untouched_and_the_average_is_saved():
    model = WithBuffers()
    averaged = swa_utils.AveragedModel(model)
    for values in trained(model, 3):
        averaged.update_parameters(model)
        for p, value in zip([*model.parameters(), *model.buffers()], values, strict=True):
            np.testing.assert_array_equal(p.numpy(), value)
    again = swa_utils.AveragedModel(WithBuffers())
    again.load_state_dict(pickle.loads(pickle.dumps(averaged.state_dict())))
    for _ in trained(model, 2, seed=1):
        averaged.update_parameters(model)
        again.update_parameters(model)
    for a, b in zip(weights(averaged), weights(again), strict=True):
        np.testing.assert_array_equal(a, b)
    copied = copy.deepcopy(averaged)
    assert copied.n_averaged.item() == 5


def test_averaging_smooths_a_noisy_training():
    autograd.manual_seed(0)
    x = autograd.randn(256, 3)
    target = autograd.tensor([[1.0, -2.0, 0.5]])
    model = nn.Linear(3, 1, bias=False)
    optimizer = optim.SGD(model.parameters(), lr=0.3)
    averaged = swa_utils.AveragedModel(model)
    for step in range(300):
        rows = autograd.randint(0, 256, (4,))
        y = x[rows] @ target.T + autograd.randn(4, 1)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[rows]), y).backward()
        optimizer.step()
        if step >= 50:
            averaged.update_parameters(model)
    error = [float(((m.weight - target) ** 2).sum()) for m in (model, averaged.module)]
    assert error[1] < 0.2 * error[0]


@pytest.mark.parametrize("interrupted", [False, True])
def test_statistics_are_measured_anew(interrupted):
    layer = nn.BatchNorm1d(3)
    model = nn.Sequential(layer, nn.Linear(3, 2))
    with autograd.no_grad():
        layer.running_mean.fill_(9.0)
    model[1].eval()
    batches = [autograd.randn(4, 3) for _ in range(5)]

    def loader():
        for i, x in enumerate(batches):
            if interrupted and i == 3:
                raise KeyboardInterrupt
            yield (x, "target") if i % 2 else x

    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            swa_utils.update_bn(loader(), model)
    else:
        swa_utils.update_bn(loader(), model)
        expected = np.mean([x.numpy() for x in batches], axis=(0, 1))
        np.testing.assert_allclose(layer.running_mean.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert layer.momentum == 0.1
    assert (model.training, layer.training, model[1].training) == (True, True, False)


def test_statistics_of_batch_norm_are_those_of_all_data():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.InstanceNorm1d(3, track_running_stats=True))
    with autograd.no_grad():
        model[1].running_mean.fill_(9.0)
    batches = [autograd.randn(6, 3, 4) for _ in range(5)]
    swa_utils.update_bn(batches, model.eval())
    every = np.stack([x.numpy() for x in batches])
    np.testing.assert_allclose(model[0].running_mean.numpy(), every.mean((0, 1, 3)), rtol=1e-4, atol=1e-6)
    expected = np.mean([x.var((0, 2), ddof=1) for x in every], axis=0)
    np.testing.assert_allclose(model[0].running_var.numpy(), expected, rtol=1e-4)
    assert model[0].momentum == 0.1
    assert not model[0].training


# Step hooks


def leaf(*values):
    return autograd.tensor(values, requires_grad=True)


def test_hooks_run_around_each_step():
    w = leaf(1.0)
    optimizer = optim.SGD([w], lr=1.0)
    seen = []
    first = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", w.item(), args, kwargs)))
    last = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", w.item(), o is optimizer)))
    w.grad = autograd.ones(1)
    optimizer.step()
    assert seen == [("before", 1.0, (), {}), ("after", 0.0, True)]
    first.remove()
    second = optimizer.register_step_pre_hook(lambda *_: seen.append("second"))
    first.remove()  # for the second time, and not that of another hook
    optimizer.step()
    assert seen[2] == "second"
    second.remove()
    last.remove()
    optimizer.step()
    assert len(seen) == 4


def test_a_hook_can_change_the_arguments():
    optimizer = optim.SGD([leaf(1.0)], lr=1.0)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: "changed",), {}))
    assert optimizer.step() == "changed"


def test_hooks_of_a_subclass_run_once():
    class Twice(optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            return super().step(closure)

    w = leaf(1.0)
    optimizer = Twice([w], lr=1.0)
    seen = []
    optimizer.register_step_pre_hook(lambda *_: seen.append(1))
    w.grad = autograd.ones(1)
    optimizer.step()
    assert w.item() == -1.0
    assert seen == [1]


def test_hooks_are_not_copied():
    optimizer = optim.SGD([leaf(1.0)], lr=1.0)
    optimizer.register_step_pre_hook(lambda *_: 1 / 0)
    copy.deepcopy(optimizer).step()
    pickle.loads(pickle.dumps(optimizer)).step()
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    with pytest.raises(TypeError, match="SGD: a hook must be a function, got int 3"):
        optimizer.register_step_post_hook(3)


# Gradient noise


@pytest.mark.parametrize("through_closure", [False, True])
def test_noise_has_the_variance_of_its_formula(through_closure):
    w = autograd.zeros(20_000, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    generator = autograd.Generator().manual_seed(0)
    noise = optim.GradientNoise(optimizer, eta=0.3, gamma=0.55, generator=generator)
    for t in (0, 1, 2, 200):
        noise.t = t
        before = w.numpy().copy()
        w.grad = None

        def closure():
            w.grad = autograd.full((20_000,), 2.0)
            return w.grad.sum()

        if through_closure:
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
        moved = before - w.numpy()
        assert moved.mean() == pytest.approx(2.0, abs=0.02)
        assert moved.var() == pytest.approx(0.3 / (1 + t) ** 0.55, rel=0.05)
        assert noise.t == t + 1
    noise.remove()
    w.grad = autograd.zeros(20_000)
    before = w.numpy().copy()
    optimizer.step()
    np.testing.assert_array_equal(w.numpy(), before)


def test_noise_is_seeded_and_leaves_what_has_no_gradient():
    ends = []
    for _ in range(2):
        autograd.manual_seed(5)
        a, b = leaf(1.0, 2.0), leaf(3.0)
        optimizer = optim.Adam([a, b])
        optim.GradientNoise(optimizer)
        for _ in range(3):
            a.grad = autograd.zeros(2)
            optimizer.step()
        ends.append(a.tolist())
        assert b.item() == 3.0
    assert ends[0] == ends[1] != [1.0, 2.0]


def test_rates_by_fan_in():
    model = nn.Sequential(nn.Linear(16, 100), nn.Linear(100, 16), nn.Linear(16, 2))
    optimizer = optim.SGD(optim.fan_in_groups(model.parameters(), lr=2.0), lr=9.0)
    rates = {p: group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert [rates[p] for p in model.parameters()] == [0.5, 2.0, 0.2, 2.0, 0.5, 2.0]
    assert len(optimizer.param_groups) == 3


def other_model():
    averaged = swa_utils.AveragedModel(nn.Linear(2, 2))
    averaged.update_parameters(nn.Linear(2, 3))


def both_averages():
    average = swa_utils.get_ema_avg_fn()
    swa_utils.AveragedModel(nn.Linear(2, 2), avg_fn=average, multi_avg_fn=average)


REFUSED = {
    "decay": (lambda: swa_utils.get_ema_avg_fn(1.5), ValueError, "get_ema_avg_fn: decay must be between 0 and 1, got"),
    "decays": (lambda: swa_utils.get_ema_multi_avg_fn(-1), ValueError, "get_ema_multi_avg_fn: decay must be between"),
    "both": (both_averages, ValueError, "two ways to average; give one of them"),
    "model": (other_model, ValueError, "wants a model with the parameters and buffers of the one that"),
    "eta": (lambda: optim.GradientNoise(optim.SGD([leaf(1.0)]), -1), ValueError, "eta must not be negative, got -1"),
    "gamma": (
        lambda: optim.GradientNoise(optim.SGD([leaf(1.0)]), 1, -2), ValueError, "gamma must not be negative, got -2",
    ),
    "fan-in": (lambda: optim.fan_in_groups([3.0], 1.0), TypeError, "parameter 0 must be a Tensor, got float 3.0"),
    "name": (lambda: swa_utils.get_average, AttributeError, "has no attribute 'get_average'"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
