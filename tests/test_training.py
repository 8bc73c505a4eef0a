"""fit: what it measures, when it stops, what it leaves behind, and what it refuses."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from training import Halving, Net, data, linear, loader, quiet, sgd, train, weights

import autograd
import nn
import optim
from autograd import GraphError, ShapeError
from nn.functional import cross_entropy, mse_loss
from nn.training import (  # fmt: skip
    Accuracy,
    BestWeights,
    Callback,
    Checkpoint,
    EarlyStopping,
    LambdaCallback,
    Metric,
    evaluate,
)


def test_it_is_the_loop_that_one_would_write():
    x, y = data()
    batches = [(autograd.tensor(a), autograd.tensor(b)) for a, b in zip(np.split(x, 5), np.split(y, 5), strict=True)]
    model, other = linear(), linear()
    optimizer = sgd(other)
    losses, right = [], []
    for _ in range(3):
        total, correct = 0.0, 0
        for a, b in batches:
            output = other(a)
            loss = cross_entropy(output, b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(b)
            correct += int((output.argmax(1) == b).sum())
        losses.append(total / 40)
        right.append(correct / 40)
    history = quiet(model, cross_entropy, sgd(model), batches, epochs=3, metrics=["accuracy"])
    assert history == {"loss": losses, "accuracy": right, "lr": [0.1] * 3}
    assert weights(model) == weights(other)
    assert len(history.seconds) == history.epochs == 3 and history.stopped is None and not history.interrupted


def test_validation_is_in_evaluation_mode_and_without_a_graph():
    seen = []

    class Watch(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            out = self.layer(x)
            seen.append((self.training, out.requires_grad, len(x)))
            return out

    model = Watch()
    x, y = data()
    history = quiet(model, cross_entropy, sgd(model), (x, y), (x[:10], y[:10]), epochs=1, metrics=["accuracy"])
    assert seen == [(True, True, 32), (True, True, 8), (False, False, 10)]
    assert evaluate(model, (x[:10], y[:10]), cross_entropy, ["accuracy"]) == {
        "loss": history["valid_loss"][0], "accuracy": history["valid_accuracy"][0],
    }  # fmt: skip


@pytest.mark.parametrize("mode", [True, False])
def test_modes_are_left_as_they_were(mode):
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Identity())
    model.train(mode)
    model[1].eval()
    seen = []
    watch = LambdaCallback(on_step_end=lambda run, loss: seen.append([m.training for m in run.model.modules()]))
    before = [m.training for m in model.modules()]
    x, y = data()
    quiet(model, cross_entropy, sgd(model), (x, y), (x, y), epochs=2, callbacks=[watch])
    assert [m.training for m in model.modules()] == before
    # A layer that is frozen in a model in training mode stays so; a model in evaluation mode is put in training.
    assert all(row == ([True, True, False, True] if mode else [True] * 4) for row in seen) and len(seen) == 4

    def fails(output, target):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        quiet(model, fails, sgd(model), (x, y))
    assert [m.training for m in model.modules()] == before


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gathered_gradients_are_those_of_one_batch(reduction):
    x, y = (a.astype(np.float64) if a.dtype.kind == "f" else a for a in data(42))

    class Loss(nn.Module):
        def __init__(self):
            super().__init__()
            self.reduction = reduction

        def forward(self, output, target):
            return cross_entropy(output, target, reduction=self.reduction)

    def run(size, accumulate):
        model = linear().double()
        batches = [(x[i : i + size], y[i : i + size]) for i in range(0, 42, size)]
        history = quiet(model, Loss(), sgd(model, 0.01), batches, accumulate=accumulate)
        return model.weight.detach().numpy(), history["loss"]

    (a, losses), (b, others) = run(12, 1), run(4, 3)
    np.testing.assert_allclose(a, b, rtol=1e-12)
    assert losses == pytest.approx(others, rel=1e-12)


def test_gradients_are_clipped():
    x, y = data()
    norms = []

    def norm(run, loss):
        norms.append(math.sqrt(sum(float((p.grad**2).sum()) for p in run.model.parameters())))

    model = linear()
    quiet(model, cross_entropy, sgd(model), (x, y), clip_grad_norm=0.05, callbacks=[LambdaCallback(on_step_end=norm)])
    assert len(norms) == 4 and norms == pytest.approx([0.05] * 4, rel=1e-4)


def test_schedules_step_when_they_should():
    x, y = data()
    model = linear()
    optimizer = sgd(model, 1.0)
    history = quiet(model, cross_entropy, optimizer, (x, y), epochs=5, scheduler=Halving(optimizer))
    assert history["lr"] == [1, 1, 0.5, 0.5, 0.25]
    optimizer = sgd(model, 1.0)
    history = quiet(model, cross_entropy, optimizer, (x, y), scheduler=Halving(optimizer), schedule_every="step")
    assert history["lr"] == [0.5, 0.25]
    given = []

    class Plateau:
        def step(self, metrics, epoch=None):
            given.append(metrics)

    history = quiet(model, cross_entropy, optimizer, (x, y), (x, y), scheduler=Plateau())
    assert given == history["valid_loss"]
    given.clear()
    history = quiet(
        model, cross_entropy, optimizer, (x, y), scheduler=Plateau(), metrics="accuracy", monitor="accuracy"
    )
    assert given == history["accuracy"]
    with pytest.raises(ValueError, match="leave schedule_every='epoch'"):
        quiet(model, cross_entropy, optimizer, (x, y), scheduler=Plateau(), schedule_every="step")


def test_an_optimizer_that_wants_a_closure():
    class Twice(optim.SGD):
        """Two plain steps on each batch."""

        def step(self, closure):
            loss = closure()
            super().step()
            closure()
            super().step()
            return loss

    x, y = data()
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    model, other = linear(), linear()
    history = quiet(model, cross_entropy, Twice(model.parameters(), lr=0.1), batches)
    expected = quiet(other, cross_entropy, sgd(other), [b for b in batches for _ in range(2)])
    assert weights(model) == weights(other)
    assert history["loss"] != expected["loss"] and history.epochs == 2
    with pytest.raises(ValueError, match="cannot be accumulated"):
        quiet(model, cross_entropy, Twice(model.parameters(), lr=0.1), batches, accumulate=2)


def test_early_stopping_puts_the_best_weights_back():
    values = iter([3.0, 2.0, 2.5, 1.95, 2.0, 2.0, 9.0])
    kept = []

    def falling(output, target):
        return next(values)

    x, y = data()
    model = linear()
    stop = EarlyStopping(patience=3, min_delta=0.1, monitor="falling", mode="min")
    history = quiet(
        model, cross_entropy, sgd(model), [(x, y)], epochs=100, metrics=[falling],
        callbacks=[stop, LambdaCallback(on_epoch_end=lambda run, values: kept.append(weights(run.model)))],
    )  # fmt: skip
    # 1.95 is better than 2.0, but not by 0.1.
    assert history.epochs == 5 and history.best_epoch == 2 and stop.best == 2.0
    assert weights(model) == kept[1]
    assert history.stopped == "3 epochs without a better falling, which was best in epoch 2 (2)"
    assert "weights: of epoch 2" in repr(history)


def test_callbacks_and_metrics_can_be_used_again():
    stop, metric = EarlyStopping(patience=2, min_delta=0.01), Accuracy()
    runs = [train(epochs=40, callbacks=[stop], metrics=[metric]) for _ in range(2)]
    assert runs[0][1] == runs[1][1] and runs[0][1].epochs < 40
    assert runs[0][1].best_epoch == runs[1][1].best_epoch and weights(runs[0][0]) == weights(runs[1][0])


def test_the_largest_is_best_where_it_should_be_and_nan_never():
    for monitor, mode, numbers, best in (
        ("valid_accuracy", "auto", None, None),
        ("number", "max", [1.0, math.nan, 3.0, 2.0], 3),
        ("number", "min", [math.nan, 2.0, 1.0, 1.0], 3),
        ("valid_number", "max", [0.0, 1.0, 0.0, 0.0], 2),
    ):
        given = iter(np.repeat(numbers or [0.0], 2 if monitor.startswith("valid") else 1).tolist())
        named = {"number": lambda output, target, given=given: next(given)}
        metrics = ["accuracy"] if numbers is None else named
        x, y = data()
        model = linear()
        keep = BestWeights(monitor, mode)
        valid = [(x, y)] if monitor.startswith("valid") else None
        history = quiet(model, cross_entropy, sgd(model), [(x, y)], valid, epochs=4, metrics=metrics, callbacks=[keep])
        assert history.best_epoch == (best or 1 + int(np.argmax(history["valid_accuracy"])))


# Ctrl-C


def ctrl_c(at, times=1):
    def press(run, loss):
        if run.step == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return LambdaCallback(on_step_end=press)


def test_ctrl_c_ends_after_the_batch_with_the_best_weights(capsys):
    kept = {}
    keep = LambdaCallback(on_epoch_end=lambda run, values: kept.update({run.epoch: weights(run.model)}))
    model, history = train(epochs=50, callbacks=[ctrl_c(5 * 7 + 3), keep], scheduler=None)
    assert history.interrupted and history.epochs == 7
    assert history.stopped == "interrupted in epoch 8, after 3 of its batches"
    best = 1 + int(np.argmin(history["valid_loss"]))
    assert history.best_epoch == best and weights(model) == kept[best]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_without_validation_leaves_the_last_weights():
    model, last = linear(), {}
    keep = LambdaCallback(on_step_end=lambda run, loss: last.update(weights(run.model)))
    history = quiet(model, cross_entropy, sgd(model), loader(*data()), epochs=9, callbacks=[keep, ctrl_c(12)])
    assert history.interrupted and history.epochs == 2 and history.best_epoch is None
    assert weights(model) == last


def test_ctrl_c_before_the_first_epoch_ends():
    _, history = train(callbacks=[ctrl_c(1)])
    assert history.interrupted and history == {} and history.best_epoch is None
    assert repr(history).startswith("epoch") and "interrupted in epoch 1" in history._repr_html_()


def test_ctrl_c_in_the_last_batch_of_an_epoch_lets_it_be_validated():
    _, history = train(epochs=9, callbacks=[ctrl_c(10)])
    assert history.interrupted and len(history["valid_loss"]) == history.epochs == 2
    assert history.stopped == "interrupted in epoch 2, after all of its batches"


def test_ctrl_c_goes_by_the_loss_where_it_is_not_known_which_metric_is_best():
    metrics = {"mine": lambda output, target: output.sum()}
    _, history = train(epochs=9, callbacks=[ctrl_c(23)], metrics=metrics, monitor="valid_mine", scheduler=None)
    assert history.best_epoch == 1 + int(np.argmin(history["valid_loss"]))


def test_a_callback_ends_training_after_a_batch():
    class Enough(Callback):
        def on_step_end(self, run, loss):
            if run.step == 7:
                run.stop("seven is enough")

    _, history = train(callbacks=[Enough()])
    assert history.epochs == 1 and history.stopped == "seven is enough" and not history.interrupted


def test_it_works_in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(train()))
    thread.start()
    thread.join()
    model, history = train()
    assert found[0][1] == history and weights(found[0][0]) == weights(model)


def test_a_second_ctrl_c_interrupts_at_once():
    model = Net()
    model.eval()
    with pytest.raises(KeyboardInterrupt):
        quiet(model, cross_entropy, sgd(model), loader(*data()), callbacks=[ctrl_c(2, times=2)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and not model.training


def test_an_interrupt_that_another_handler_raises_ends_it_too():
    def handler(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        _, history = train(callbacks=[ctrl_c(7)])
        assert history.interrupted and history.epochs == 1 and signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_real_ctrl_c_in_a_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, autograd, nn, optim\n"
        "x = autograd.ones(64, 1)\n"
        "model = nn.Linear(1, 1)\n"
        "press = nn.training.LambdaCallback(\n"
        "    on_step_end=lambda run, loss: run.step == 3 and os.kill(os.getpid(), signal.SIGINT))\n"
        "h = nn.training.fit(model, nn.functional.mse_loss, optim.SGD(model.parameters(), lr=0.1), (x, x),\n"
        "                    epochs=10**6, callbacks=[press])\n"
        "print(h.interrupted, h.stopped)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True interrupted in epoch 2, after 1 of its batches\n"
    assert "Ctrl-C again interrupts at once" in done.stderr


def test_several_inputs_and_numpy_batches():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, a, b):
            return self.layer(autograd.stack([a, b], 1)).squeeze(1)

    a, b = np.random.default_rng(0).standard_normal((2, 64)).astype("f")
    model = Two()
    history = quiet(model, mse_loss, sgd(model), (a, b, a - 2 * b), epochs=60, metrics=["r2"])
    assert history["r2"][-1] > 0.99
    np.testing.assert_allclose(model.layer.weight.detach().numpy(), [[1, -2]], atol=0.05)


# Bad input


def test_a_loss_that_is_not_finite_is_named():
    x, y = data()
    bad = x.copy()
    bad[17] = math.nan
    batches = list(zip(np.split(bad, 5), np.split(y, 5), strict=True))
    model = linear()
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 3 of train: the loss is nan; .*nonfinite='skip'"):
        quiet(model, cross_entropy, sgd(model), batches)
    model, other = linear(), linear()
    history = quiet(model, cross_entropy, sgd(model), batches, nonfinite="skip", metrics=["accuracy"])
    assert history.skipped == 2 and "loss not finite: 2" in repr(history)
    assert history == quiet(other, cross_entropy, sgd(other), batches[:2] + batches[3:], metrics=["accuracy"])
    assert weights(model) == weights(other)
    history = quiet(model, cross_entropy, sgd(model), batches, nonfinite="keep")
    assert math.isnan(history["loss"][0]) and np.isnan(model.weight.detach().numpy()).all()


def test_a_gradient_that_is_not_finite_is_named():
    model = nn.Linear(1, 1)
    x = np.zeros((4, 1), "f")

    def root(output, target):
        return ((output - output).sum() * 1.0).sqrt()

    with pytest.raises(FloatingPointError, match="epoch 1, up to batch 1: the gradient is not finite"):
        quiet(model, root, sgd(model), (x, x), clip_grad_norm=1.0)


X, Y = data()
MODEL = linear()
BAD = {
    "no module": (
        lambda: quiet(lambda x: x, cross_entropy, sgd(MODEL), (X, Y)),
        TypeError, "model must be an nn.Module",
    ),
    "loss class": (lambda: quiet(MODEL, nn.Tanh, sgd(MODEL), (X, Y)), TypeError, "make one of it: Tanh()"),
    "optimizer class": (lambda: quiet(MODEL, mse_loss, optim.SGD, (X, Y)), TypeError, "SGD(model.parameters())"),
    "optimizer of another": (lambda: quiet(MODEL, mse_loss, sgd(linear()), (X, Y)), ValueError, "none of the model's"),
    "no optimizer": (lambda: quiet(MODEL, mse_loss, 0.1, (X, Y)), TypeError, "got float 0.1"),
    "no loss": (lambda: quiet(MODEL, "mse", sgd(MODEL), (X, Y)), TypeError, "loss must be a function"),
    "one array": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), X), TypeError, "train must be a DataLoader"),
    "no data": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), 3), TypeError, "got int 3"),
    "empty list": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), []), ValueError, "train gave no batches in epoch 1"),
    "empty validation": (
        lambda: quiet(MODEL, cross_entropy, sgd(MODEL), (X, Y), []),
        ValueError, "valid gave no batches",
    ),
    "generator": (
        lambda: quiet(MODEL, cross_entropy, sgd(MODEL), iter([(X, Y)])),
        ValueError, "can be walked once only",
    ),
    "batch of one": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), [(X,)]), TypeError, "a tuple of 1; a batch is (input,"),
    "batch": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), [{"x": X}]), TypeError, "batch 1 of train is dict"),
    "no scalar": (
        lambda: quiet(MODEL, lambda o, t: cross_entropy(o, t, reduction="none"), sgd(MODEL), (X, Y)),
        ShapeError, "epoch 1, batch 1 of train: the loss has shape (32,), and must be one number",
    ),
    "no Tensor": (lambda: quiet(MODEL, lambda o, t: 1.0, sgd(MODEL), (X, Y)), TypeError, "the loss gave float 1.0"),
    "no graph": (lambda: quiet(MODEL, lambda o, t: autograd.tensor(1.0), sgd(MODEL), (X, Y)), GraphError, "no_grad()"),
    "epochs": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), epochs=0), ValueError, "epochs must be"),
    "accumulate": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), accumulate=1.5), ValueError, "got 1.5"),
    "nonfinite": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), nonfinite="no"), ValueError, "'skip', 'keep'"),
    "schedule_every": (
        lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), schedule_every="batch"),
        ValueError, "'step'",
    ),
    "clip": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), clip_grad_norm=0), ValueError, "must be above 0"),
    "metric": (lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), metrics=["acc"]), ValueError, "none of accuracy"),
    "callback": (
        lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), callbacks=[print]),
        TypeError, "nn.training.Callback",
    ),
    "scheduler": (
        lambda: quiet(MODEL, mse_loss, sgd(MODEL), (X, Y), scheduler=3),
        TypeError, "must have a step method",
    ),
    "monitor": (
        lambda: quiet(MODEL, cross_entropy, sgd(MODEL), (X, Y), callbacks=[EarlyStopping(monitor="valid_loss")]),
        ValueError, "EarlyStopping: monitor 'valid_loss' is none of loss; there is no validation data",
    ),
    "unknown mode": (
        lambda: quiet(MODEL, cross_entropy, sgd(MODEL), (X, Y), metrics={"m": mse_loss}, callbacks=[BestWeights("m")]),
        ValueError, "give mode='min' or 'max'",
    ),
    "patience": (lambda: EarlyStopping(0), ValueError, "at least 1, got 0"),
    "mode": (lambda: EarlyStopping(mode="best"), ValueError, "got 'best'"),
    "min_delta": (lambda: EarlyStopping(min_delta=-1), ValueError, "must not be negative"),
    "every": (lambda: Checkpoint("x", every_steps=0), ValueError, "every_steps must be"),
    "lambda": (lambda: LambdaCallback(on_epoch=print), TypeError, "'on_epoch' is none of on_fit_begin"),
    "lambda value": (lambda: LambdaCallback(on_epoch_end=3), TypeError, "must be a function"),
    "nothing": (lambda: evaluate(MODEL, (X, Y)), ValueError, "wants a loss or metrics"),
    "evaluate": (lambda: evaluate(3, (X, Y)), TypeError, "model must be an nn.Module"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_a_sentence(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)


def test_an_error_of_the_model_tells_the_batch():
    x = np.zeros((8, 4), "f")
    with pytest.raises(ShapeError) as caught:
        quiet(MODEL, cross_entropy, sgd(MODEL), (X[:8], Y[:8]), (x, Y[:8]))
    assert caught.value.__notes__ == [
        "fit, epoch 1: batch 1 of valid: input float32 of shape (8, 4); target int64 of shape (8,)"
    ]
    with pytest.raises(ShapeError) as caught:
        quiet(MODEL, mse_loss, sgd(MODEL), (X[:8], np.zeros(8, "f")))
    assert caught.value.__notes__[0].startswith("fit: epoch 1, batch 1 of train: input float32 of shape (8, 3); target")


def test_base_classes_say_what_to_define():
    with pytest.raises(NotImplementedError, match="define reset"):
        Metric()
    assert Callback().state_dict() == {}
