"""Penalties, max-norm, noise, tying and ensembles: their formulas, their gradients and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim


def model():
    autograd.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def weights(net, biases=False):
    return np.concatenate([p.numpy().ravel() for n, p in net.named_parameters() if biases or not n.endswith("bias")])


# Penalty, its value and the gradient at a weight.
PENALTIES = {
    "L2": (nn.regularizers.L2(0.3), lambda w: 0.3 * (w**2).sum(), lambda w: 0.6 * w),
    "L1": (nn.regularizers.L1(0.2), lambda w: 0.2 * np.abs(w).sum(), lambda w: 0.2 * np.sign(w)),
    "ElasticNet": (
        nn.regularizers.ElasticNet(l1=0.2, l2=0.3),
        lambda w: 0.2 * np.abs(w).sum() + 0.3 * (w**2).sum(),
        lambda w: 0.2 * np.sign(w) + 0.6 * w,
    ),
}


def test_every_penalty_has_a_row():
    classes = {n for n in nn.regularizers.__all__ if isinstance(getattr(nn.regularizers, n), type)}
    assert classes == set(PENALTIES)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalty(name):
    penalty, value, slope = PENALTIES[name]
    net = model()
    loss = penalty(net)
    np.testing.assert_allclose(loss.item(), value(weights(net)), rtol=1e-14)
    loss.backward()
    for n, p in net.named_parameters():
        if n.endswith("bias"):
            assert p.grad is None
        else:
            np.testing.assert_allclose(p.grad.numpy(), slope(p.numpy()), rtol=1e-14)
    every = type(penalty)(**penalty._strengths, biases=True)
    np.testing.assert_allclose(every(net).item(), value(weights(net, biases=True)), rtol=1e-14)
    first = type(penalty)(**penalty._strengths, which=lambda n, p: n.startswith("0"))
    np.testing.assert_allclose(first(net).item(), value(net[0].weight.numpy()), rtol=1e-14)
    assert repr(penalty).startswith(f"{name}(")


def test_l2_takes_the_steps_of_weight_decay():
    a, b = model(), model()
    x = autograd.randn(8, 3, dtype=autograd.float64)
    groups = [
        {"params": [p for n, p in b.named_parameters() if "weight" in n], "weight_decay": 0.2},
        {"params": [p for n, p in b.named_parameters() if "bias" in n]},
    ]
    for net, optimizer, penalty in (
        (a, optim.SGD(a.parameters(), lr=0.1), nn.regularizers.L2(0.1)),
        (b, optim.SGD(groups, lr=0.1), None),
    ):
        for _ in range(5):
            optimizer.zero_grad()
            loss = (net(x) ** 2).mean()
            (loss if penalty is None else loss + penalty(net)).backward()
            optimizer.step()
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-12)


def test_a_shared_weight_counts_once():
    encoder = nn.Linear(3, 2)
    net = nn.Sequential(encoder, nn.TiedLinear(encoder))
    np.testing.assert_allclose(nn.regularizers.L2(1.0)(net).item(), (encoder.weight.numpy() ** 2).sum(), rtol=1e-6)
    net(autograd.ones(4, 3)).sum().backward()
    both = encoder.weight.grad.numpy().copy()
    encoder.weight.grad = None
    # The sum over both uses: with the other use cut off, each gives its part.
    x = autograd.ones(4, 3)
    autograd.linear(autograd.linear(x, encoder.weight.detach(), encoder.bias), encoder.weight.T).sum().backward()
    part = encoder.weight.grad.numpy().copy()
    encoder.weight.grad = None
    autograd.linear(encoder(x), encoder.weight.detach().T).sum().backward()
    np.testing.assert_allclose(both, part + encoder.weight.grad.numpy(), rtol=1e-5)
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("layer", [nn.Linear(6, 4), nn.Conv2d(3, 4, 3)], ids=["Linear", "Conv2d"])
def test_max_norm(layer):
    with autograd.no_grad():
        layer.weight[0] *= 0.01
        layer.weight[1] *= 100
    memory, before, bias = layer.weight.numpy(), layer.weight.numpy().copy(), layer.bias.numpy().copy()
    nn.regularizers.max_norm_(layer, 0.5)
    norms = np.sqrt((before.reshape(4, -1) ** 2).sum(1))
    expected = before * np.minimum(1, 0.5 / norms).reshape(-1, *[1] * (before.ndim - 1))
    np.testing.assert_allclose(layer.weight.numpy(), expected, rtol=1e-5)
    assert layer.weight.numpy() is memory
    np.testing.assert_array_equal(layer.bias.numpy(), bias)


def test_noise_on_the_inputs_is_weight_decay_on_average():
    rng = np.random.default_rng(0)
    x, y, w = (autograd.tensor(rng.standard_normal(s)) for s in ((1, 3), (1,), (3,)))
    noise = nn.GaussianNoise(0.3, generator=autograd.Generator().manual_seed(0))
    many = noise(x.expand(400_000, 3))
    loss = (((many @ w) - y) ** 2).mean().item()
    clean = (((x @ w) - y) ** 2).mean().item()
    np.testing.assert_allclose(loss, clean + 0.09 * (w.numpy() ** 2).sum(), rtol=0.01)


def test_noise_on_weights():
    layer = nn.Linear(3, 2)
    plain = layer.weight.numpy().copy()
    nn.utils.parametrize.register_parametrization(layer, "weight", nn.GaussianNoise(0.1))
    x = autograd.ones(5, 3)
    assert not np.array_equal(layer(x).detach().numpy(), layer(x).detach().numpy())
    layer(x).sum().backward()
    np.testing.assert_allclose(layer.parametrizations.weight.original.grad.numpy(), np.full((2, 3), 5.0), rtol=1e-6)
    layer.eval()
    np.testing.assert_array_equal(layer.weight.detach().numpy(), plain)


def test_votes_and_means():
    tables = [np.eye(3)[[0, 1, 2, 2]], np.eye(3)[[0, 1, 1, 0]], 5 * np.eye(3)[[1, 1, 0, 1]]]

    class Says(nn.Module):
        def __init__(self, table):
            super().__init__()
            self.table = autograd.tensor(table)

        def forward(self, x):
            return self.table

    ensemble = nn.Ensemble(Says(t) for t in tables)
    x = autograd.zeros(4, 1)
    # Three members disagree wholly about the last two: the first class with a vote is taken.
    assert ensemble.vote(x).tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(ensemble(x).numpy(), sum(tables) / 3)
    softmax = [np.exp(t) / np.exp(t).sum(1, keepdims=True) for t in tables]
    np.testing.assert_allclose(ensemble.mean_probability(x).numpy(), sum(softmax) / 3, rtol=1e-12)


def test_bootstrap_is_drawn_with_replacement_and_from_a_seed():
    one, two = (nn.bootstrap(range(500), generator=autograd.Generator().manual_seed(3)) for _ in range(2))
    assert list(one) == list(two) and len(set(one)) < 400
    counts = np.bincount([i for _ in range(200) for i in nn.bootstrap(range(5))], minlength=5)
    assert counts.sum() == 1000 and counts.min() > 130


ERRORS = {
    "negative": (lambda: nn.regularizers.L2(-1), ValueError, "L2: strength must not be negative, got -1"),
    "not a model": (lambda: nn.regularizers.L1(1)([1]), TypeError, "wants a model"),
    "nothing left": (
        lambda: nn.regularizers.L1(1)(nn.ReLU()), ValueError, "ReLU has no parameter left to regularize",
    ),
    "limit": (lambda: nn.regularizers.max_norm_(nn.Linear(1, 1), 0), ValueError, "limit must be above 0"),
    "std": (lambda: nn.GaussianNoise(-0.1), ValueError, "GaussianNoise: std must not be negative"),
    "tied": (lambda: nn.TiedLinear(nn.ReLU()), TypeError, "linear must be an nn.Linear, got .*ReLU"),
    "no members": (lambda: nn.Ensemble([]), ValueError, "at least one member"),
    "member": (lambda: nn.Ensemble([1]), TypeError, "member 0 must be an nn.Module"),
    "empty": (lambda: nn.bootstrap([]), ValueError, "the data set is empty"),
    "size": (lambda: nn.bootstrap([1], 0), ValueError, "size must be at least 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
