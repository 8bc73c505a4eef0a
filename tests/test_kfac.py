"""KFAC: its factors and steps beside plain loops over examples and places, its state, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim


def dense_model():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2, bias=False)).to(autograd.float64)
    return model, autograd.randn(7, 4, dtype="float64"), autograd.randn(7, 2, dtype="float64")


def conv_model():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, (2, 3), stride=(1, 2), padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(30, 2))
    model = model.to(autograd.float64)
    x = autograd.randn(5, 2, 4, 3, dtype="float64")
    return model, x, autograd.randn(5, 2, dtype="float64")


MODELS = {"dense": dense_model, "conv": conv_model}


def loss_of(model, x, y):
    return ((model(x) - y) ** 2).mean(0).sum()


def outputs(model, x):
    """Every layer with its input and output."""
    seen = []
    for layer in model:
        out = layer(x)
        seen.append((layer, x, out))
        x = out
    return seen


def places(layer, x):
    """The inputs that meet the weight at every place of one example, as rows."""
    if isinstance(layer, nn.Linear):
        rows = [x]
    else:
        (kh, kw), (sh, sw), (ph, pw) = layer.kernel_size, layer.stride, layer.padding
        x = np.pad(x, ((0, 0), (ph, ph), (pw, pw)))
        rows = [
            x[:, i : i + kh, j : j + kw].reshape(-1)
            for i in range(0, x.shape[1] - kh + 1, sh)
            for j in range(0, x.shape[2] - kw + 1, sw)
        ]
    rows = np.array(rows)
    return rows if layer.bias is None else np.concatenate([rows, np.ones((len(rows), 1))], 1)


def factors_by_hand(model, x, y):
    """A and G of each layer, from the loss of every example by itself."""
    found = {}
    for i in range(len(x)):
        seen = outputs(model, x[i : i + 1])
        loss = ((seen[-1][2] - y[i]) ** 2).sum()
        gradients = autograd.grad(loss, [out for _, _, out in seen])
        for (layer, inputs, _), g in zip(seen, gradients, strict=True):
            if not hasattr(layer, "weight"):
                continue
            a = places(layer, inputs.detach().numpy()[0])
            g = g.numpy()[0].reshape(len(layer.weight), -1).T  # (places, m)
            pair = found.setdefault(layer, [0, 0])
            pair[0] = pair[0] + sum(np.outer(r, r) for r in a) / len(x)
            pair[1] = pair[1] + sum(np.outer(r, r) for r in g) / len(g) / len(x)
    return found


CONVOLUTIONS = {
    "plain": {},
    "stride": {"stride": (2, 1), "padding": (1, 2)},
    "same": {"padding": "same", "dilation": (2, 1)},
    "valid": {"padding": "valid", "bias": False},
    "reflect": {"padding": (2, 1), "padding_mode": "reflect"},
    "circular": {"padding": "same", "padding_mode": "circular", "stride": 1},
}


@pytest.mark.parametrize("kwargs", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_the_inputs_of_a_convolution_are_what_its_weight_meets(kwargs):
    conv = nn.Conv2d(2, 3, (3, 2), **kwargs).to(autograd.float64)
    x = autograd.randn(4, 2, 6, 7, dtype="float64")
    optimizer = optim.KFAC(conv, lr=0.1)
    out = conv(x)
    rows = optimizer._layers[0].rows(x)
    weight = np.concatenate([p.detach().numpy().reshape(3, -1) for p in conv.parameters()], 1)
    seen = (rows @ weight.T).reshape(4, -1, 3).swapaxes(1, 2).reshape(out.shape)
    np.testing.assert_allclose(seen, out.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_a_step_solves_with_the_kronecker_product(build):
    model, x, y = build()
    damping, decay = 0.1, 0.02
    before = {p: p.numpy().copy() for p in model.parameters()}
    by_hand = factors_by_hand(model, x, y)
    optimizer = optim.KFAC(model, lr=0.3, momentum=0.0, damping=damping, weight_decay=decay)
    loss_of(model, x, y).backward()
    optimizer.step()
    for layer, (a, g) in by_hand.items():
        state = optimizer.state[layer.weight]
        np.testing.assert_allclose(state["factor_a"].numpy(), a, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(state["factor_g"].numpy(), g, rtol=1e-10, atol=1e-12)
        params = [p for p in (layer.weight, layer.bias) if p is not None]
        full = np.concatenate(
            [(p.grad.numpy() + decay * before[p]).reshape(len(layer.weight), -1) for p in params], 1
        )  # (m, n)
        pi = np.sqrt(np.trace(a) / len(a) / (np.trace(g) / len(g)))
        root = np.sqrt(damping + decay)
        fisher = np.kron(g + root / pi * np.eye(len(g)), a + root * pi * np.eye(len(a)))
        step = np.linalg.solve(fisher, full.reshape(-1)).reshape(full.shape)
        wanted = np.concatenate([before[p].reshape(len(full), -1) for p in params], 1) - 0.3 * step
        got = np.concatenate([p.numpy().reshape(len(full), -1) for p in params], 1)
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


def test_means_run_and_inverses_wait():
    model, x, y = dense_model()
    optimizer = optim.KFAC(model, lr=0.1, momentum=0.5, decay=0.6, factor_every=2, inverse_every=4)
    weight = model[0].weight
    seen, inverses, buffer, points = [], [], None, [weight.numpy().copy()]
    for t in range(6):
        by_hand = factors_by_hand(model, x, y)[model[0]]
        optimizer.zero_grad()
        loss_of(model, x, y).backward()
        gradient = np.concatenate([weight.grad.numpy(), model[0].bias.grad.numpy()[:, None]], 1)
        optimizer.step()
        state = optimizer.state[weight]
        if t % 2 == 0:
            keep = min(1 - 1 / (t // 2 + 1), 0.6)
            seen = by_hand if not len(seen) else [keep * m + (1 - keep) * n for m, n in zip(seen, by_hand, strict=True)]
        np.testing.assert_allclose(state["factor_a"].numpy(), seen[0], rtol=1e-9)
        np.testing.assert_allclose(state["factor_g"].numpy(), seen[1], rtol=1e-9)
        if t % 4 == 0:
            inverses = optim.kfac.kfac_damped_inverses(*seen, 1e-3)
        np.testing.assert_allclose(state["inverse_a"].numpy(), inverses[0], rtol=1e-7)
        step = (inverses[1] @ gradient @ inverses[0])[:, :-1]
        buffer = step if buffer is None else 0.5 * buffer + step
        points.append(points[-1] - 0.1 * buffer)
        np.testing.assert_allclose(weight.numpy(), points[-1], rtol=1e-7, atol=1e-10)


def train(model, optimizer, x, y, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()


def test_it_needs_far_fewer_steps_where_inputs_are_badly_scaled():
    def losses(make):
        autograd.manual_seed(0)
        x = autograd.randn(200, 10) * autograd.logspace(-2, 1, 10)
        y = (x[:, 0] > 0).long()
        model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 2))
        return train(model, make(model), x, y, 60)

    kfac = losses(lambda m: optim.KFAC(m, lr=0.05, damping=1e-2, momentum=0.9))
    best_sgd = min(losses(lambda m, lr=lr: optim.SGD(m.parameters(), lr=lr, momentum=0.9)) for lr in (0.01, 0.1, 1.0))
    assert kfac < 0.5 * best_sgd, (kfac, best_sgd)


def test_saved_state_and_copies_continue_bit_for_bit():
    def start(seed):
        autograd.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(1, 2, 3, padding="same"), nn.Flatten(), nn.Linear(32, 3), nn.LayerNorm(3))

    model = start(0)
    x, y = autograd.randn(8, 1, 4, 4), autograd.randint(0, 3, (8,))
    optimizer = optim.KFAC(model, lr=0.01, inverse_every=4)
    train(model, optimizer, x, y, 6)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    twin, twin_optimizer = copy.deepcopy((model, optimizer))
    again = start(1)
    other = optim.KFAC(again, lr=9.0)
    again.load_state_dict(weights)
    other.load_state_dict(saved)
    for _ in range(2):
        for m, o in ((model, optimizer), (twin, twin_optimizer), (again, other)):
            train(m, o, x, y, 3)
    for p, q, r in zip(model.parameters(), twin.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
        np.testing.assert_array_equal(p.numpy(), r.numpy())


def test_frozen_layers_evaluation_and_detached_hooks():
    model, x, y = dense_model()
    model[0].weight.requires_grad_(False)
    optimizer = optim.KFAC(model, lr=0.1)
    kept = model[0].weight.numpy().copy()
    loss_of(model, x, y).backward()
    optimizer.step()
    np.testing.assert_array_equal(model[0].weight.numpy(), kept)
    assert "factor_a" in optimizer.state[model[2].weight]
    before = optimizer.state[model[2].weight]["factor_a"].numpy().copy()
    model.eval()
    model(x * 5)
    with autograd.no_grad():
        model.train()(x * 5)
    optimizer.detach()
    loss_of(model, x * 5, y).backward()
    optimizer.step()
    np.testing.assert_array_equal(optimizer.state[model[2].weight]["factor_a"].numpy(), before)


def test_a_skipped_step_leaves_the_factors_clean():
    model, x, y = dense_model()
    optimizer = optim.KFAC(model, lr=0.1)
    optimizer.nonfinite = "skip"
    (loss_of(model, x, y) * float("nan")).backward()
    optimizer.step()
    optimizer.zero_grad()
    loss_of(model, x, y).backward()
    optimizer.step()
    assert all(np.isfinite(p.numpy()).all() for p in model.parameters())
    assert all(np.isfinite(v.numpy()).all() for entry in optimizer.state.values() for v in entry.values())


def test_a_sum_over_the_batch_has_the_same_factors():
    model, x, y = dense_model()
    other = copy.deepcopy(model)
    a, b = optim.KFAC(model), optim.KFAC(other, batch_averaged=False)
    loss_of(model, x, y).backward()
    (loss_of(other, x, y) * len(x)).backward()
    a.step(), b.step()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        if "factor_g" in a.state[p]:
            np.testing.assert_allclose(a.state[p]["factor_g"].numpy(), b.state[q]["factor_g"].numpy(), rtol=1e-12)


def load_other():
    model, x, y = dense_model()
    optimizer = optim.KFAC(model, momentum=0.0)
    loss_of(model, x, y).backward()
    optimizer.step()
    optim.KFAC(nn.Sequential(nn.Linear(9, 3), nn.Linear(3, 2, bias=False)), momentum=0.0).load_state_dict(
        optimizer.state_dict()
    )


ERRORS = {
    "model": (lambda: optim.KFAC([autograd.zeros(2)]), TypeError, "KFAC: model must be a module"),
    "nothing": (lambda: optim.KFAC(nn.Tanh()), ValueError, "KFAC: the parameter list is empty"),
    "lr": (lambda: optim.KFAC(nn.Linear(2, 2), lr=-1), ValueError, "KFAC: lr must not be negative"),
    "damping": (lambda: optim.KFAC(nn.Linear(2, 2), damping=0), ValueError, "KFAC: damping must be above 0, got 0"),
    "decay": (lambda: optim.KFAC(nn.Linear(2, 2), decay=1), ValueError, "decay must be at least 0 and below 1, got 1"),
    "every": (lambda: optim.KFAC(nn.Linear(2, 2), inverse_every=0), ValueError, "inverse_every must be a whole number"),
    "load": (load_other, autograd.ShapeError, r"factor_a of parameter 0 of group 0 \(0.weight\) has shape \(5, 5\)"),
}


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
