"""Dropout: how often, how much and what it leaves out, what stays the same, and the lectures' form of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd
import nn

# Sampled means may be off by so many standard errors; the seeds are fixed, so that a failure is no accident.
SIGMAS = 5
RATES = (0.1, 0.5, 0.8)
CHANNELS = {"Dropout1d": 1, "Dropout2d": 2, "Dropout3d": 3}
ALL = ["Dropout", *CHANNELS, "AlphaDropout", "FeatureAlphaDropout"]
LOWEST = -1.6732632423543772 * 1.0507009873554805


@pytest.fixture(autouse=True)
def seed():
    autograd.manual_seed(3)


def shape_for(name):
    return (4, 3, *[2] * CHANNELS.get(name, 1))


def check_rate(dropped, p):
    """The share of True in independent draws is p, within what chance allows."""
    assert abs(dropped.mean() - p) < SIGMAS * math.sqrt(p * (1 - p) / dropped.size)


@pytest.mark.parametrize("p", RATES)
def test_entries_are_zero_or_scaled(p):
    x = np.random.default_rng(0).standard_normal((200, 200))
    out = nn.Dropout(p)(autograd.tensor(x)).numpy()
    dropped = out == 0
    check_rate(dropped, p)
    np.testing.assert_allclose(out[~dropped], x[~dropped] / (1 - p), rtol=1e-15)


@pytest.mark.parametrize("p", RATES)
def test_entries_are_independent(p):
    dropped = (nn.Dropout(p)(autograd.ones(200, 200)).numpy() == 0) - p
    for a, b in ((dropped[1:], dropped[:-1]), (dropped[:, 1:], dropped[:, :-1])):
        assert abs((a * b).mean()) < SIGMAS * p * (1 - p) / math.sqrt(a.size)
    check_rate(dropped[:, 0] > 0, p)  # no row or column is special
    check_rate(dropped[0] > 0, p)


@pytest.mark.parametrize("p", RATES)
def test_the_expectation_stays(p):
    x = autograd.tensor([0.5, -1.0, 3.0], dtype=autograd.float64)
    draws = nn.Dropout(p)(x.expand(20_000, 3)).numpy()
    errors = np.abs(x.numpy()) * math.sqrt(p / (1 - p) / len(draws))
    assert (np.abs(draws.mean(0) - x.numpy()) < SIGMAS * errors).all()


@pytest.mark.parametrize("p", RATES)
@pytest.mark.parametrize("name", CHANNELS)
def test_whole_channels(name, p):
    spatial = (3, 2, 2)[: CHANNELS[name]]
    layer = getattr(nn, name)(p)
    x = np.random.default_rng(0).uniform(1, 2, (60, 50, *spatial))
    out = layer(autograd.tensor(x)).numpy()
    dropped = (out == 0).reshape(60, 50, -1)
    assert (dropped.all(-1) == dropped.any(-1)).all()
    check_rate(dropped[..., 0], p)
    kept = out != 0
    np.testing.assert_allclose(out[kept], x[kept] / (1 - p), rtol=1e-15)
    # Each sample has channels of its own, and an input without a batch dimension has channels too.
    assert len(np.unique(dropped[..., 0], axis=0)) > 30
    single = (layer(autograd.tensor(x[0])).numpy() == 0).reshape(50, -1)
    assert (single.all(-1) == single.any(-1)).all()
    assert 0 < single.sum() < single.size


@pytest.mark.parametrize("p", RATES)
def test_alpha_dropout_keeps_mean_and_variance(p):
    x = np.random.default_rng(0).standard_normal((400, 500))
    out = nn.AlphaDropout(p)(autograd.tensor(x)).numpy()
    n = out.size
    assert abs(out.mean()) < SIGMAS / math.sqrt(n)
    squares = out**2
    assert abs(squares.mean() - 1) < SIGMAS * squares.std() / math.sqrt(n)
    scale = 1 / math.sqrt((1 - p) * (1 + p * LOWEST**2))
    lowest = scale * LOWEST * (1 - p)
    dropped = np.isclose(out, lowest, rtol=1e-12)
    check_rate(dropped, p)
    np.testing.assert_allclose(out[~dropped], scale * (x[~dropped] - p * LOWEST), rtol=1e-12, atol=1e-12)


def test_feature_alpha_dropout_sets_whole_channels():
    x = np.random.default_rng(0).standard_normal((60, 50, 4))
    out = nn.FeatureAlphaDropout(0.3)(autograd.tensor(x)).numpy()
    same = np.ptp(out, axis=-1) == 0
    check_rate(same, 0.3)
    assert len(np.unique(out[same])) == 1


@pytest.mark.parametrize("name", ALL)
def test_eval_is_the_identity(name):
    layer = getattr(nn, name)(0.5)
    model = nn.Sequential(layer).eval()
    x = autograd.randn(*shape_for(name), requires_grad=True)
    np.testing.assert_array_equal(model(x).detach().numpy(), x.detach().numpy())
    model(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 1)
    model.train()
    assert not autograd.equal(model(x), x)


@pytest.mark.parametrize("name", ALL)
def test_manual_seed_repeats_it(name):
    layer, x = getattr(nn, name)(0.5), autograd.randn(8, *shape_for(name)[1:])
    autograd.manual_seed(7)
    first, second = layer(x).numpy(), layer(x).numpy()
    autograd.manual_seed(7)
    np.testing.assert_array_equal(layer(x).numpy(), first)
    np.testing.assert_array_equal(layer(x).numpy(), second)
    assert not np.array_equal(first, second), "two calls leave out the same"
    autograd.manual_seed(8)
    assert not np.array_equal(layer(x).numpy(), first), "the seed makes no difference"


@pytest.mark.parametrize("name", ALL)
def test_eval_mode_draws_nothing(name):
    """What comes after it at test time does not depend on how many dropout layers there are."""
    layer, x = getattr(nn, name)(0.5).eval(), autograd.randn(*shape_for(name))
    autograd.manual_seed(7)
    wanted = autograd.rand(3).tolist()
    autograd.manual_seed(7)
    layer(x)
    assert autograd.rand(3).tolist() == wanted


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_passes_what_was_kept(name):
    layer = getattr(nn, name)(0.4)
    x = autograd.randn(*shape_for(name), dtype=autograd.float64, requires_grad=True)
    autograd.manual_seed(5)
    out = layer(x)
    g = autograd.randn(*x.shape, dtype=autograd.float64)
    out.backward(g)
    autograd.manual_seed(5)
    # The layer is affine in x once the draw is fixed, so its difference is what it passes on.
    slope = layer((x + 1).detach()).numpy() - out.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), g.numpy() * slope, rtol=1e-10, atol=1e-12)
    assert 0 < (np.abs(slope) < 1e-12).sum() < slope.size


@pytest.mark.parametrize("name", ALL)
def test_in_place_gives_the_same(name):
    x = autograd.randn(*shape_for(name))
    autograd.manual_seed(5)
    wanted = getattr(nn, name)(0.4)(x).numpy()
    assert not np.array_equal(wanted, x.numpy())
    autograd.manual_seed(5)
    out = getattr(nn, name)(0.4, inplace=True)(x)
    np.testing.assert_array_equal(out.numpy(), wanted)
    np.testing.assert_array_equal(x.numpy(), wanted)


@pytest.mark.parametrize("name", ALL)
def test_all_and_nothing(name):
    x = autograd.randn(*shape_for(name))
    np.testing.assert_array_equal(getattr(nn, name)(0.0)(x).numpy(), x.numpy())
    np.testing.assert_array_equal(getattr(nn, name)(1.0)(x).numpy(), 0)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
@pytest.mark.parametrize("name", ALL)
def test_p_is_a_probability(name, p):
    with pytest.raises(ValueError, match=f"{name}: p is a probability and must be within 0 and 1, got {p}"):
        getattr(nn, name)(p)


@pytest.mark.parametrize("p", RATES)
def test_lectures_form_is_the_same_model_in_another_scale(p):
    """m x with weights W, and x with (1 − p) W at test time, is what Dropout does with weights (1 − p) W."""
    rng = np.random.default_rng(0)
    x, trained = rng.standard_normal((1, 6)), rng.standard_normal((6, 3))
    layer, weights = nn.Dropout(p), autograd.tensor((1 - p) * trained)
    many = autograd.tensor(np.repeat(x, 20_000, axis=0))
    kept = nn.Dropout(p)(autograd.ones(20_000, 6)).numpy() != 0
    lectures = (kept * x) @ trained
    ours = (layer(many) @ weights).numpy()
    # Two samples of one distribution, whose mean is the output at test time.
    for name, draws in (("lectures", lectures), ("ours", ours)):
        errors = draws.std(0) / math.sqrt(len(draws))
        np.testing.assert_array_less(np.abs(draws.mean(0) - (x @ trained * (1 - p))[0]), SIGMAS * errors, err_msg=name)
    np.testing.assert_allclose(ours.std(0), lectures.std(0), rtol=0.05)
    np.testing.assert_allclose((layer.eval()(autograd.tensor(x)) @ weights).numpy(), x @ (trained * (1 - p)))


def test_weights_of_a_unit_that_was_left_out_are_not_updated():
    hidden, drop, out = nn.Linear(3, 20), nn.Dropout(0.5), nn.Linear(20, 2)
    activations = drop(hidden(autograd.randn(1, 3)))
    out(activations).sum().backward()
    left_out = activations.detach().numpy()[0] == 0
    assert 0 < left_out.sum() < 20
    for gradient in (out.weight.grad.numpy().T, hidden.weight.grad.numpy(), hidden.bias.grad.numpy()[:, None]):
        assert (gradient[left_out] == 0).all()
        assert (gradient[~left_out] != 0).any(1).all()
