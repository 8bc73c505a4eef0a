"""The learning-rate finder: its curve, its suggestion, and that it leaves no trace."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd
import nn
import optim
from optim import LRFinderResult


class Dropped(nn.Module):
    """Draws from the common random stream while training, and counts its calls in a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", autograd.zeros(2))

    def forward(self, x):
        with autograd.no_grad():
            self.calls.add_(1)
        return nn.functional.dropout(x, 0.1, self.training)


def setting(optimizer="SGD", trained=0):
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), Dropped(), nn.Linear(16, 1))
    x = autograd.randn(128, 4)
    y = x.sum(1, keepdim=True)
    order = autograd.Generator().manual_seed(3)
    loader = nn.data.DataLoader(nn.data.TensorDataset(x, y), batch_size=16, shuffle=True, generator=order)
    made = getattr(optim, optimizer)(model.parameters(), lr=0.01)
    for _ in range(trained):
        made.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        made.step()
    return model, made, loader


def numbers(state):
    return {k: {n: np.array(v.numpy()) for n, v in entry.items() if v is not None} for k, entry in state.items()}


def picture(model, optimizer, loader):
    """Everything that must be as before."""
    state = optimizer.state_dict()
    return copy.deepcopy({
        "values": [(p.numpy() if p is not None else None) for p in [*model.parameters(), *model.buffers()]],
        "gradients": [None if p.grad is None else p.grad.numpy() for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "state": numbers(state["state"]),
        "groups": state["param_groups"],
        "random": autograd.get_rng_state(),
        "order": loader.generator.get_state(),
        "stepped": optimizer._opt_called,
    })  # fmt: skip


def assert_same(a, b):
    np.testing.assert_equal(a, b)


OPTIMIZERS = ["SGD", "Adam", "Adadelta", "Adagrad", "ASGD", "Lion", "NAdam", "RAdam", "RMSprop", "Rprop"]


@pytest.mark.parametrize("trained", [0, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_everything_is_as_before(optimizer, trained):
    model, made, loader = setting(optimizer, trained)
    model[2].eval()
    before, arrays = picture(model, made, loader), [p.numpy() for p in model.parameters()]
    gradients = [p.grad for p in model.parameters()]
    optim.lr_finder(model, nn.functional.mse_loss, made, loader, steps=40, progress=False)
    assert_same(picture(model, made, loader), before)
    assert all(p.numpy() is a for p, a in zip(model.parameters(), arrays, strict=True))
    assert all(p.grad is g for p, g in zip(model.parameters(), gradients, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_as_if_nothing_had_happened(optimizer):
    ends = []
    for find in (False, True):
        model, made, loader = setting(optimizer, trained=2)
        if find:
            optim.lr_finder(model, nn.functional.mse_loss, made, loader, steps=30, progress=False)
        for x, y in loader:
            made.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            made.step()
        ends.append([p.numpy().copy() for p in model.parameters()])
    assert_same(*ends)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_leaves_no_trace(kind):
    model, made, loader = setting("Adam", trained=2)
    before = picture(model, made, loader)
    calls = []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 7:
            raise kind
        return nn.functional.mse_loss(output, target)

    with pytest.raises(kind):
        optim.lr_finder(model, loss, made, loader, progress=False)
    assert_same(picture(model, made, loader), before)


def test_the_curve_is_that_of_a_training_with_these_rates():
    model, made, loader = setting()
    found = optim.lr_finder(model, nn.functional.mse_loss, made, loader, start=1e-4, end=0.1, steps=20, progress=False)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 0.1, 20))
    expected = []
    batches = [batch for _ in range(3) for batch in loader]
    autograd.manual_seed(0)
    model, made, loader = setting()
    batches = iter(loader)
    for rate in found.rates:
        try:
            x, y = next(batches)
        except StopIteration:
            batches = iter(loader)
            x, y = next(batches)
        made.param_groups[0]["lr"] = float(rate)
        made.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        made.step()
        expected.append(loss.item())
    np.testing.assert_array_equal(found.losses, expected)


def test_it_stops_where_the_loss_diverges():
    model, made, loader = setting()
    found = optim.lr_finder(model, nn.functional.mse_loss, made, loader, start=1e-3, end=1e4, steps=60, progress=False)
    assert 10 < len(found.rates) == len(found.losses) == len(found.smoothed) < 60
    assert found.losses.max() <= 4 * found.losses[0]
    assert np.isfinite(found.losses).all()


def test_the_suggestion_is_where_a_known_curve_falls_most_steeply():
    rates = np.geomspace(1e-6, 1.0, 121)
    losses = 2 - np.tanh(2 * (np.log10(rates) + 3))
    assert LRFinderResult(rates, losses, losses).suggestion == pytest.approx(1e-3, rel=0.1)


def test_the_suggestion_is_not_the_way_back_from_a_spike():
    rates = np.geomspace(1e-6, 100.0, 161)
    decades = np.log10(rates)
    jumped = 6 * np.exp(-(((decades - 1) / 0.2) ** 2)) + 0.5 * (1 + np.tanh(4 * (decades - 1)))
    losses = 2 - np.tanh(2 * (decades + 3)) + jumped
    assert LRFinderResult(rates, losses, losses).suggestion == pytest.approx(1e-3, rel=0.1)


def test_the_suggestion_trains_and_ten_times_the_end_does_not():
    model, made, loader = setting()
    found = optim.lr_finder(model, nn.functional.mse_loss, made, loader, start=1e-5, end=100.0, progress=False)
    final = []
    for rate in (found.suggestion, 10 * found.rates[-1]):
        model, made, loader = setting()
        made.param_groups[0]["lr"] = float(rate)
        with np.errstate(over="ignore", invalid="ignore"):
            for x, y in 5 * list(loader):
                made.zero_grad()
                loss = nn.functional.mse_loss(model(x), y)
                loss.backward()
                made.step()
        final.append(loss.item())
    assert final[0] < 0.2 * found.losses[0]
    assert not final[1] < found.losses[0]


def test_smoothing_does_not_shift_the_curve():
    model, made, loader = setting()
    a, b = (
        optim.lr_finder(model, nn.functional.mse_loss, made, loader, smoothing=s, steps=50, progress=False)
        for s in (0.0, 3.0)
    )
    np.testing.assert_array_equal(a.losses, a.smoothed)
    np.testing.assert_array_equal(a.losses, b.losses)
    assert np.abs(np.diff(b.smoothed, 2)).sum() < 0.3 * np.abs(np.diff(a.smoothed, 2)).sum()
    assert b.smoothed[:-8].mean() == pytest.approx(a.losses[:-8].mean(), rel=0.1)


def test_it_draws_its_curve(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    model, made, loader = setting()
    found = optim.lr_finder(model, nn.functional.mse_loss, made, loader, start=1e-5, progress=False)
    axes = found.plot()
    assert axes.get_xscale() == "log"
    assert any("steepest descent" in text.get_text() for text in axes.get_legend().get_texts())
    assert found.plot(axes) is axes
    axes.figure.savefig(tmp_path / "curve.png")
    matplotlib.pyplot.close(axes.figure)


def test_progress_is_shown(capsys):
    pytest.importorskip("tqdm")
    model, made, loader = setting()
    optim.lr_finder(model, nn.functional.mse_loss, made, loader, steps=5)
    assert "learning rates" in capsys.readouterr().err


def find(loss=nn.functional.mse_loss, batches=None, **kwargs):
    model, made, loader = setting()
    return optim.lr_finder(model, loss, made, loader if batches is None else batches, progress=False, **kwargs)


def other_optimizer():
    model, _, loader = setting()
    made = optim.SGD(nn.Linear(2, 2).parameters())
    optim.lr_finder(model, nn.functional.mse_loss, made, loader, progress=False)


REFUSED = {
    "start": (lambda: find(start=0.0), ValueError, "wants 0 < start < end, got start=0.0 and end=10.0"),
    "end": (lambda: find(start=2.0, end=1.0), ValueError, "wants 0 < start < end"),
    "steps": (lambda: find(steps=1), ValueError, "steps must be at least 2, got 1"),
    "diverged": (lambda: find(diverged=1.0), ValueError, "diverged must be above 1, got 1.0"),
    "smoothing": (lambda: find(smoothing=-1.0), ValueError, "smoothing must not be negative, got -1.0"),
    "empty": (lambda: find(batches=[]), ValueError, "the loader has no batches"),
    "batch": (lambda: find(batches=[autograd.ones(2, 4)]), ValueError, r"must be a pair \(input, target\), got"),
    "not finite": (
        lambda: find(lambda a, b: (a - b).sum() * float("nan")), ValueError, "the first loss must be finite, got nan",
    ),
    "another model": (other_optimizer, autograd.GraphError, "make the optimizer with this model's parameters"),
    "no fall": (
        lambda: LRFinderResult(*[np.array([1.0, 2.0, 3.0])] * 3).suggestion, ValueError, "the loss falls at no rate",
    ),
    "short": (lambda: LRFinderResult(*[np.array([1.0])] * 3).suggestion, ValueError, "wants at least 3 rates, got 1"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
