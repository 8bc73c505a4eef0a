"""nn.health: sick models get the warning that fits them and no other, healthy ones none; looking changes nothing."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from nn.model_health.statistics import dead_units, describe_entries, effective_rank, saturated_entries, units

CLASSES = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def same_draws():
    autograd.manual_seed(0)


def batch(n=64, features=16, classes=4):
    generator = autograd.Generator().manual_seed(1)
    x = autograd.randn(n, features, generator=generator)
    return x, autograd.randint(0, classes, (n,), generator=generator)


def layers(activation, depth, initialise=None, width=32):
    """``depth`` hidden layers, and one that gives 4 classes; all biases 0."""
    made, size = [], 16
    for n in [width] * depth + [4]:
        linear = nn.Linear(size, n)
        nn.init.zeros_(linear.bias)
        if initialise is not None:
            initialise(linear.weight)
        made += [linear, activation()]
        size = n
    return nn.Sequential(*made[:-1])


def he(w):
    nn.init.kaiming_normal_(w)


def xavier(w):
    nn.init.xavier_uniform_(w)


def xavier_times_100(w):
    xavier(w)
    w.data.mul_(100)


def with_dead_units():
    model = layers(nn.ReLU, 3, he, width=25)
    model[2].bias.data[:18] = -10.0
    return model


def with_a_dead_layer():
    model = layers(nn.ReLU, 3, he)
    nn.init.constant_(model[2].bias, -10.0)
    return model


def with_rank_1():
    model = layers(nn.ReLU, 3, he)
    model[2].weight.data = autograd.outer(autograd.randn(32), autograd.randn(32)) / 4
    return model


def with_sigmoids_that_saturate():
    return layers(nn.Sigmoid, 1, xavier_times_100)


SICK = {
    "some dead units": (
        with_dead_units,
        r"72 % of units in `3` \(ReLU\) are 0 on this batch.*lower the rate, He initialisation.*leaky ReLU",
    ),
    "a dead layer": (with_a_dead_layer, r"100 % of units in `3` \(ReLU\) are 0 on this batch"),
    "saturated tanh": (
        lambda: layers(nn.Tanh, 3, xavier_times_100),
        r"9\d % of the outputs in `1` \(Tanh\), 9\d % in `3` \(Tanh\), .* are saturated.*xavier_uniform_",
    ),
    "saturated sigmoid": (with_sigmoids_that_saturate, r"9\d % of the outputs in `1` \(Sigmoid\) are saturated"),
    "vanishing": (
        lambda: layers(nn.Sigmoid, 20),
        r"the gradient vanishes on the way back: that of `0` \(Linear\) is \de-\d+ times that of `40`.*20 layers.*ReLU",
    ),
    "exploding": (
        lambda: layers(nn.ReLU, 10, nn.init.normal_),
        r"the gradient explodes on the way back: that of `0` .*clip_grad_norm_",
    ),
    "zero": (
        lambda: layers(nn.ReLU, 3, nn.init.zeros_),
        r"the weights of `0` \(Linear\), `2` \(Linear\), `4` \(Linear\), `6` \(Linear\) are all 0, a saddle point",
    ),
    "all alike": (
        lambda: layers(nn.Tanh, 2, lambda w: nn.init.constant_(w, 0.1)),
        r"the weights of `0` \(Linear\), .* are the same for every unit",
    ),
    "rank 1": (with_rank_1, r"effective rank of only 1\.0 of 32 in `2` \(Linear\): .*orthogonal_"),
}


@pytest.mark.parametrize(("make", "sentence"), SICK.values(), ids=SICK)
def test_a_sick_model_gets_its_warning_and_no_other(make, sentence):
    model = make()
    report = nn.health(model, batch(), loss=CLASSES, optimizer=optim.Adam(model.parameters()))
    assert len(report.warnings) == 1, report
    assert re.search(sentence, report.warnings[0]), report.warnings
    assert f"! {report.warnings[0]}" in repr(report)


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [(100.0, "changes the weights by .* of their size.*lower the"), (1e-9, "by only .*raise the"), (0.01, None)],
)
def test_steps_that_are_too_large_or_too_small(rate, sentence):
    model = layers(nn.ReLU, 3, he)
    report = nn.health(model, batch(), loss=CLASSES, optimizer=optim.SGD(model.parameters(), lr=rate))
    assert len(report.warnings) == (sentence is not None)
    assert sentence is None or re.search(sentence, report.warnings[0])


class Convolutional(nn.Module):
    """Activations that are called as functions and write into their input."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 16, 3, padding=1)
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(16 * 4, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.first(x.reshape(-1, 1, 4, 4)))), 2)
        x = self.second(x).relu()
        return self.out(self.dropout(x.flatten(1)))


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 16)
        self.lstm = nn.LSTM(16, 32, 2, batch_first=True)
        self.encoder = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.cell = nn.GRUCell(32, 32)
        self.out = nn.Linear(32, 4)

    def forward(self, x):
        words = x[:, :8].abs().long()
        h = None
        for x in self.encoder(self.lstm(self.words(words))[0]).unbind(1):
            h = self.cell(x, h)
        return self.out(h)


HEALTHY = {
    "relu": lambda: layers(nn.ReLU, 4, he),
    "tanh": lambda: layers(nn.Tanh, 4, xavier),
    "as they start": lambda: layers(nn.ReLU, 2),
    "one of sigmoids": lambda: layers(nn.Sigmoid, 1),
    "a last layer of zeros": lambda: nn.Sequential(*layers(nn.ReLU, 2, he)[:-1], zeros(nn.Linear(32, 4))),
    "images": Convolutional,
    "sequences": Sequences,
    "probabilities at the end": lambda: nn.Sequential(layers(nn.Tanh, 1, xavier), nn.Softmax(-1)),
}


def zeros(layer):
    nn.init.zeros_(layer.weight)
    return layer


@pytest.mark.parametrize("make", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_model_gets_none(make):
    model = make()
    report = nn.health(model, batch(), loss=CLASSES, optimizer=optim.Adam(model.parameters()))
    assert report.warnings == []
    assert repr(report).endswith("no warnings")


def test_looking_changes_nothing():
    model = Convolutional()
    model.norm.eval()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = batch()
    for _ in range(2):
        CLASSES(model(x), y).backward()
        optimizer.step()
    state, memory = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    gradients = [(p.grad, p.grad.clone()) for p in model.parameters()]
    modes, stream = [m.training for m in model.modules()], copy.deepcopy(autograd.get_rng_state())
    report = nn.health(model, (x, y), loss=CLASSES, optimizer=optimizer)
    assert all((state[name] == value).all() for name, value in model.state_dict().items())
    assert all(p.grad is g and (g == old).all() for p, (g, old) in zip(model.parameters(), gradients, strict=True))
    assert modes == [m.training for m in model.modules()]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    now = optimizer.state_dict()
    assert now["param_groups"] == memory["param_groups"]
    for key, entry in memory["state"].items():
        assert all(np.array_equal(now["state"][key][n], v) for n, v in entry.items())
    # Also the random stream: what comes now is the very step that was foretold, with the same dropout.
    before = [p.detach().clone() for p in model.out.parameters()]
    assert report.loss == CLASSES(model(x), y).item()
    autograd.set_rng_state(stream)
    optimizer.zero_grad()
    CLASSES(model(x), y).backward()
    optimizer.step()
    row = next(row for row in report.layers if row.path == "out")
    moved = sum(((p.detach() - b) ** 2).sum().item() for p, b in zip(model.out.parameters(), before, strict=True))
    whole = sum((b**2).sum().item() for b in before)
    np.testing.assert_allclose(row.update, np.sqrt(moved / whole), rtol=1e-5)
    gradient = sum((p.grad**2).sum().item() for p in model.out.parameters())
    np.testing.assert_allclose(row.weight_gradient, np.sqrt(gradient), rtol=1e-5)


def test_numbers_are_those_of_the_layers():
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU(inplace=True), nn.Linear(8, 4))
    x, y = batch()
    hidden = model[0](x)
    active = hidden.relu()
    loss = CLASSES(model[2](active), y)
    before, behind = autograd.grad(loss, [hidden, active])
    report = nn.health(model, (x.numpy(), y.numpy()), loss=CLASSES)
    first, second, last = report.layers
    assert [row.path for row in report.layers] == ["0", "1", "2"]
    assert [row.kind for row in report.layers] == ["Linear", "ReLU", "Linear"]
    # In front of an activation that writes into its input it is what was there before.
    for row, out, g in ((first, hidden, before), (second, active, behind)):
        out, g = out.detach().numpy(), g.numpy()
        np.testing.assert_allclose(
            [row.activation.mean, row.activation.std, row.gradient.norm],
            [out.mean(), out.std(), np.linalg.norm(g)], rtol=1e-4,
        )  # fmt: skip
        np.testing.assert_allclose(row.activation.quantiles[3], np.median(out), rtol=1e-4, atol=1e-7)
        assert row.activation.counts.sum() == out.size
        np.testing.assert_allclose(row.rank, effective_rank(out, centred=True), rtol=1e-3)
    assert first.dead is None and second.dead == (active.numpy() == 0).all(0).mean()
    assert second.weights is None and second.weight_rank is None
    w = model[2].weight.detach().numpy()
    np.testing.assert_allclose(last.weight_rank, effective_rank(w), rtol=1e-6)
    assert (last.weight_size, last.units, last.samples, last.shape) == (4, 4, 64, (64, 4))
    np.testing.assert_allclose(report.loss, loss.item(), rtol=1e-6)
    assert report.layers[0].update is None


def test_functions_in_a_forward_are_layers_too():
    report = nn.health(Convolutional(), batch(), loss=CLASSES)
    assert [row.name for row in report.layers] == [
        "`first` (Conv2d)", "`norm` (BatchNorm2d)", "`relu()`", "`second` (Conv2d)", "`relu() 2`",
        "`dropout` (Dropout)", "`out` (Linear)",
    ]  # fmt: skip
    assert report.layers[2].units == 8 and report.layers[2].samples == 64 * 16
    assert report.layers[2].dead is not None and report.layers[2].gradient is not None
    inside = nn.health(nn.Sequential(Convolutional()), batch(), loss=CLASSES)
    assert "`0: relu() 2`" in [row.name for row in inside.layers]


def test_channels_count_as_units():
    model = nn.Sequential(nn.Conv1d(2, 4, 1), nn.ReLU())
    nn.init.zeros_(model[0].bias)
    model[0].bias.data[:2] = -100.0
    report = nn.health(model, autograd.randn(8, 2, 5))
    assert report.layers[1].dead == 0.5 and report.layers[1].samples == 40 and report.layers[1].units == 4
    assert report.loss is None and report.layers[0].gradient is None


def test_units_behind_a_recurrent_layer_are_its_features():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.lstm, self.relu = nn.Conv1d(3, 5, 1), nn.LSTM(7, 6, batch_first=True), nn.ReLU()

        def forward(self, x):
            return self.relu(self.lstm(self.conv(x).relu())[0])

    rows = {row.path: row for row in nn.health(Tagger(), autograd.randn(2, 3, 7)).layers}
    assert [row.units for row in rows.values()] == [5, 5, 6, 6]
    assert list(rows) == ["conv", "relu()", "lstm", "relu"]


def test_a_module_that_returns_nothing_is_no_layer():
    class Silent(nn.Module):
        def forward(self, x):
            return None

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.silent, self.out = Silent(), nn.Linear(3, 2)

        def forward(self, x):
            self.silent(x)
            return self.out(x).relu()

    assert [row.path for row in nn.health(Model(), autograd.ones(4, 3)).layers] == ["out", "relu()"]


def test_a_layer_that_is_called_often_and_one_that_is_not():
    model = Sequences()
    model.idle = nn.Linear(2, 2)
    report = nn.health(model, batch(), loss=CLASSES, optimizer=optim.AdamW(model.parameters(), lr=1e-3))
    rows = {row.path: row for row in report.layers}
    assert rows["cell"].samples == 64 * 8 and rows["cell"].activation.counts.sum() == 64 * 8 * 32
    assert rows["lstm"].shape == (64, 8, 32)
    assert rows["idle"].shape is None and rows["idle"].weight_gradient is None and rows["idle"].weight_rank > 1
    assert "not called" in repr(report)
    model.words.sparse = True
    again = nn.health(model, batch(), loss=CLASSES)
    assert again.layers[0].weight_gradient == rows["words"].weight_gradient > 0
    assert rows["encoder: relu()"].dead is not None


def test_numbers_that_are_not_finite_are_found_where_they_begin():
    model = layers(nn.ReLU, 2, he)
    model[2].weight.data[0, 0] = np.nan
    report = nn.health(model, batch(), loss=CLASSES)
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("`2` (Linear) is the first layer whose output is not finite (64 of 2048 entri")
    assert "not finite" in repr(report) and "not finite" in report._repr_html_()

    report = nn.health(layers(nn.Tanh, 1, xavier), batch(), loss=lambda o, t: (o * 0).sqrt().sum())
    assert [w for w in report.warnings if w.startswith("the gradient that reaches `2` (Linear) is not finite")]


def test_two_states_tell_the_step():
    model = layers(nn.ReLU, 1, he)
    before = copy.deepcopy(model.state_dict())
    with autograd.no_grad():
        for p in model.parameters():
            p.mul_(1.5)
    report = nn.health(model, batch(), loss=CLASSES, before=before)
    np.testing.assert_allclose([row.update for row in report.layers if row.update], 1 / 3, rtol=1e-6)
    assert "lower the learning rate" in report.warnings[0]


@pytest.mark.parametrize(
    "make", [lambda m: optim.LBFGS(m.parameters()), lambda m: optim.KFAC(m, lr=1e-3)], ids=["LBFGS", "KFAC"]
)
def test_optimizers_that_compute_the_loss_themselves(make):
    model = layers(nn.Tanh, 1, xavier)
    old = copy.deepcopy(model.state_dict())
    report = nn.health(model, batch(), loss=CLASSES, optimizer=make(model))
    assert all(row.update > 0 for row in report.layers if row.weights is not None)
    assert all((old[name] == p).all() for name, p in model.state_dict().items())


model = nn.Linear(16, 4)
REFUSED = {
    "model": (lambda: nn.health(print, batch()), TypeError, "model must be an nn.Module, got"),
    "class": (lambda: nn.health(nn.Linear, batch()), TypeError, "model must be an nn.Module"),
    "batch": (lambda: nn.health(model, batch()[:1], loss=CLASSES), TypeError, r"batch must be \(input, target\)"),
    "batch of lists": (lambda: nn.health(model, ([1.0], 2), loss=CLASSES), TypeError, "Tensors or arrays, got list"),
    "nothing": (lambda: nn.health(model, ()), TypeError, "got an empty tuple"),
    "loss of each": (
        lambda: nn.health(model, batch(), loss=nn.CrossEntropyLoss(reduction="none")), autograd.ShapeError,
        r"one number, got float32 of shape \(64,\)",
    ),
    "optimizer without loss": (
        lambda: nn.health(model, batch()[0], optimizer=optim.SGD(model.parameters())), ValueError, "give loss="
    ),
    "another's optimizer": (
        lambda: nn.health(model, batch(), loss=CLASSES, optimizer=optim.SGD(nn.Linear(1, 1).parameters())), ValueError,
        "none of the model's parameters",
    ),
    "both": (
        lambda: nn.health(model, batch(), loss=CLASSES, optimizer=optim.SGD(model.parameters()), before={}), ValueError,
        "either an optimizer or",
    ),
    "before": (
        lambda: nn.health(model, batch(), loss=CLASSES, before={"weight": autograd.ones(2)}), ValueError,
        r"weight of shape \(4, 16\), got float32 of shape \(2,\)",
    ),
    "before that is now": (
        lambda: nn.health(model, batch(), loss=CLASSES, before=model.state_dict()), ValueError, "deepcopy"
    ),
    "input": (lambda: nn.health(model, (autograd.ones(3, 2), batch()[1]), loss=CLASSES), autograd.ShapeError, "Linear"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
    assert not model._forward_hooks


def test_names_are_shown_as_text():
    model = nn.Sequential()
    model.add_module("<b>", nn.Linear(16, 4))
    page = nn.health(model, batch(), loss=CLASSES)._repr_html_()
    assert "&lt;b&gt; (Linear)" in page and "<b>" not in page
    assert page.count("<img") == 1 and "http" not in page


def test_pictures_show_every_layer():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    for make in (with_a_dead_layer, HEALTHY["relu"], lambda: nn.Sequential(nn.Linear(16, 4))):
        model = make()
        report = nn.health(model, batch(), loss=CLASSES, optimizer=optim.Adam(model.parameters()))
        figure = report.plot()
        figure.canvas.draw()
        labels = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
        assert labels == [row.name.replace("`", "") for row in report.layers]
        pyplot.close(figure)


# As a callback


def trained(callbacks, rate=0.1, epochs=3):
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4))
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    data = batch(128)
    history = nn.training.fit(
        model, CLASSES, optimizer, data, data, epochs=epochs, batch_size=32, callbacks=callbacks, progress=False
    )
    return model, history


def test_training_is_the_same_with_the_callback():
    watch = nn.training.HealthCallback(batch(), every_epochs=2, every_steps=3)
    seen, plain = trained([watch]), trained([])
    assert seen[1] == plain[1]
    assert all(
        (a == b).all() for a, b in zip(seen[0].state_dict().values(), plain[0].state_dict().values(), strict=True)
    )
    np.testing.assert_allclose(watch.epochs, [0, 0.75, 1.5, 2, 2.25])
    assert watch.warnings == [] and len(watch.reports) == 5
    assert all(row.update is not None for row in watch.reports[-1].layers if row.weights is not None)
    assert repr(watch) == "HealthCallback: 5 looks, at epochs 0 to 2.25"


def test_what_goes_wrong_shows_over_time():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    watch = nn.training.HealthCallback(batch())
    model = layers(nn.ReLU, 2, he)
    data = batch(128)
    nn.training.fit(
        model, CLASSES, optim.SGD(model.parameters(), lr=3.0), data, epochs=3, callbacks=[watch], progress=False,
        nonfinite="keep",
    )  # fmt: skip
    assert watch.reports[0].warnings and "lower the learning rate" in watch.warnings[0]
    assert any("are 0 on this batch" in sentence for sentence in watch.warnings)
    figure = watch.plot()
    figure.canvas.draw()
    assert len(figure.axes) == 4 and figure.legends[0].get_texts()[0].get_text() == "0 (Linear)"
    pyplot.close(figure)
    assert "<img" in watch._repr_html_() and "epoch 0:" in watch._repr_html_()


def test_the_callback_refuses():
    with pytest.raises(ValueError, match="every_epochs must be a whole number, at least 1, got 0"):
        nn.training.HealthCallback(batch(), every_epochs=0)
    with pytest.raises(ValueError, match="every_steps must be a whole number, at least 1, got 1\\.5"):
        nn.training.HealthCallback(batch(), every_steps=1.5)
    with pytest.raises(ValueError, match="nothing was seen yet"):
        nn.training.HealthCallback(batch()).plot()
    assert repr(nn.training.HealthCallback(batch())) == "HealthCallback: 0 looks"


# Numbers


@pytest.mark.parametrize("k", [1, 3, 10])
def test_effective_rank_of_equal_singular_values_is_their_number(k):
    rng = np.random.default_rng(k)
    q, r = (np.linalg.qr(rng.standard_normal((20, 20)))[0] for _ in range(2))
    matrix = q[:, :k] @ r[:k]
    np.testing.assert_allclose(effective_rank(matrix), k)
    np.testing.assert_allclose(effective_rank(1e-30 * matrix), k)
    np.testing.assert_allclose(effective_rank(matrix.astype("float32")), k, rtol=1e-5)


def test_effective_rank_at_its_ends():
    assert effective_rank(np.zeros((4, 3))) == effective_rank(np.zeros((0, 3))) == 0
    assert effective_rank(np.full((5, 4), 7.0), centred=True) == 0
    assert np.isnan(effective_rank(np.full((2, 2), np.nan)))
    s = np.array([3.0, 1.0])
    entropy = -(s / 4 * np.log(s / 4)).sum()
    np.testing.assert_allclose(effective_rank(np.diag(s)), np.exp(entropy))
    # Of a large one some rows and columns tell.
    large = np.random.default_rng(0).standard_normal((3000, 600))
    assert 200 < effective_rank(large) <= 300


def test_units_and_what_is_counted_of_them():
    images = np.arange(24.0).reshape(2, 3, 4)
    assert units(images, 1).shape == (8, 3) and units(images, -1).shape == (6, 4)
    np.testing.assert_array_equal(units(images, 1)[:, 1], images[:, 1].reshape(-1))
    assert units(np.ones(3), -1).shape == (1, 3) and units(np.float32(2), -1).shape == (1, 1)
    matrix = np.array([[0.0, 0.0, 1.0], [0.0, 2.0, -1.0]])
    assert dead_units(matrix) == 1 / 3 and saturated_entries(matrix, -0.5, 0.5) == 0.5
    assert dead_units(np.ones((0, 3))) == saturated_entries(np.ones((0, 3)), 0, 1) == 0


def test_distributions_of_odd_entries():
    assert describe_entries([]) is None and describe_entries([np.ones(0)]) is None
    same = describe_entries([np.full(5, 1e20)])
    assert same.std == 0 and same.counts.sum() == 5
    none = describe_entries([np.full(3, np.inf)])
    assert none.nonfinite == 3 and np.isnan(none.mean)
    many = describe_entries([np.random.default_rng(0).standard_normal(1_000_000)])
    np.testing.assert_allclose(many.quantiles[1:-1], [-1.645, -0.674, 0, 0.674, 1.645], atol=0.02)
