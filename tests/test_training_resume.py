"""A run that goes on from a checkpoint is, bit for bit, the one that never stopped."""

from __future__ import annotations

import shutil
import signal

import numpy as np
import pytest
from training import OPTIMIZERS, Halving, Net, data, loader, train, weights

import autograd
import nn
import optim
from nn.training import Callback, Checkpoint, CheckpointError, EarlyStopping, LambdaCallback

STEPS = 15  # 3 epochs of 5 batches


class Crash(Callback):
    """Ends the run as an error would, at a step."""

    def __init__(self, at=None):
        self.at = at

    def on_step_end(self, run, loss):
        if run.step == self.at:
            raise ZeroDivisionError


class Augmented(nn.data.Dataset):
    """Items with noise from each of the common streams."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i] + np.float32(0.1 * np.random.rand() + 0.1 * autograd.rand(()).item()), self.y[i]


class Stream(nn.data.IterableDataset):
    """The same items in every epoch, of unknown number."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        return zip(self.x, self.y, strict=True)


class Plain:
    """Batches in an order of the common stream, from something that does not know its place."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        for rows in np.split(autograd.randperm(len(self.x)).numpy(), 5):
            yield self.x[rows], self.y[rows]


class PlainWithGenerator(Plain):
    def __init__(self, x, y):
        super().__init__(x, y)
        self.generator = autograd.Generator().manual_seed(3)

    def __iter__(self):
        for rows in np.split(autograd.randperm(len(self.x), generator=self.generator).numpy(), 5):
            yield self.x[rows], self.y[rows]


SOURCES = {
    "loader with a generator": loader,
    "loader on the common stream": lambda x, y: loader(x, y, generator=False),
    "items with noise": lambda x, y: nn.data.DataLoader(Augmented(x, y), batch_size=8, shuffle=True),
    "loader that works ahead": lambda x, y: nn.data.DataLoader(
        nn.data.TensorDataset(x, y), batch_size=8, shuffle=True, num_workers=2
    ),
    "data set without a length": lambda x, y: nn.data.DataLoader(Stream(x, y), batch_size=8),
    "arrays": lambda x, y: (x, y),
    "list of batches": lambda x, y: list(zip(np.split(x, 5), np.split(y, 5), strict=True)),
    "iterable": Plain,
    "iterable with a generator": PlainWithGenerator,
}


def assert_goes_on(tmp_path, at, **arguments):
    """Runs to the end, and again to an error at step ``at`` and on from there; both must be one."""
    arguments = {"epochs": 3, "batch_size": 8, **arguments}
    model, history = train(callbacks=[Crash()], **arguments)
    path = tmp_path / "run.ckpt"
    with pytest.raises(ZeroDivisionError):
        train(callbacks=[Crash(at)], checkpoint=Checkpoint(path, every_steps=1), resume=True, **arguments)
    # Whoever drew random numbers in between must not matter.
    again, resumed = train(callbacks=[Crash()], checkpoint=path, resume=True, **arguments)
    assert resumed == history and resumed.epochs == 3
    assert weights(again) == weights(model)
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("at", range(1, STEPS + 1))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_at_every_step(optimizer, at, tmp_path):
    assert_goes_on(tmp_path, at, optimizer=optimizer)


@pytest.mark.parametrize("at", [1, 4, 5, 6, 13])
@pytest.mark.parametrize("source", SOURCES)
def test_from_every_source(source, at, tmp_path):
    assert_goes_on(tmp_path, at, make_train=SOURCES[source])


@pytest.mark.parametrize("at", [2, 3, 4, 8])
def test_with_gathered_gradients_and_schedule_per_step(at, tmp_path):
    assert_goes_on(tmp_path, at, accumulate=2, schedule_every="step")


@pytest.mark.parametrize("at", range(2, 30, 3))
def test_again_and_again(at, tmp_path):
    """Each run dies a few steps after the one before it."""
    model, history = train(callbacks=[Crash()], epochs=6)
    path = tmp_path / "run.ckpt"
    for place in range(at, 31, 4):
        with pytest.raises(ZeroDivisionError):
            train(callbacks=[Crash(place)], checkpoint=Checkpoint(path, every_steps=1), resume=True, epochs=6)
    again, resumed = train(callbacks=[Crash()], checkpoint=path, resume=True, epochs=6)
    assert resumed == history and weights(again) == weights(model)


def test_a_loader_does_not_draw_again_what_is_done(tmp_path):
    asked = []

    class Counted(nn.data.TensorDataset):
        def __getitem__(self, i):
            asked.append(i)
            return super().__getitem__(i)

    def counted(x, y):
        return nn.data.DataLoader(Counted(x, y), batch_size=8, shuffle=True)

    path = tmp_path / "run.ckpt"
    with pytest.raises(ZeroDivisionError):
        train(callbacks=[Crash(4)], checkpoint=Checkpoint(path, every_steps=1), make_train=counted, epochs=1)
    done = set(asked[:24])
    asked.clear()
    train(checkpoint=path, resume=True, make_train=counted, epochs=1)
    assert sorted(asked) == sorted(set(range(40)) - done)


def test_a_file_holds_what_later_callbacks_remember(tmp_path):
    class Count(Callback):
        n = 0

        def on_step_end(self, run, loss):
            self.n += 1
            if self.n == self.dies_at:
                raise ZeroDivisionError

        def state_dict(self):
            return {"n": self.n}

        def load_state_dict(self, state):
            self.n = state["n"]

    for dies_at in (8, None):
        count = Count()
        count.dies_at = dies_at
        checkpoint = Checkpoint(tmp_path / "run.ckpt", every_steps=1)
        try:
            train(callbacks=[checkpoint, count], resume=True)
        except ZeroDivisionError:
            assert dies_at
    assert count.n == STEPS


def test_each_step_is_written_once(tmp_path, monkeypatch):
    written = []
    write = Checkpoint.write
    monkeypatch.setattr(Checkpoint, "write", lambda self, run: (written.append(run.step), write(self, run)))
    for every_epochs, every_steps, expected in (
        (1, 1, [*range(1, 16)]),
        (1, None, [5, 10, 15]),
        (2, None, [10, 15]),
        (None, None, [15]),
        (None, 4, [4, 8, 12, 15]),
        (2, 5, [5, 10, 15]),
    ):
        path = tmp_path / f"{every_epochs} {every_steps}.ckpt"
        train(checkpoint=Checkpoint(path, every_epochs, every_steps))
        assert written == expected
        written.clear()


def test_early_stopping_remembers(tmp_path):
    def stopping():
        return EarlyStopping(patience=2, min_delta=0.01)

    model, history = train(epochs=40, callbacks=[stopping(), Crash()])
    assert history.epochs < 40 and history.best_epoch == history.epochs - 2
    path = tmp_path / "run.ckpt"
    for place in range(3, 5 * history.epochs, 4):
        with pytest.raises(ZeroDivisionError):
            train(
                epochs=40, callbacks=[stopping(), Crash(place)], checkpoint=Checkpoint(path, every_steps=1), resume=True
            )
    for _ in range(2):  # the second finds a run that has ended
        again, resumed = train(epochs=40, callbacks=[stopping(), Crash()], checkpoint=path, resume=True)
        assert resumed == history and weights(again) == weights(model)
        assert (resumed.stopped, resumed.best_epoch) == (history.stopped, history.best_epoch)


def test_more_epochs_are_added(tmp_path):
    model, history = train(epochs=4)
    path = tmp_path / "run.ckpt"
    train(epochs=2, checkpoint=path)
    again, resumed = train(epochs=4, checkpoint=path, resume=True)
    assert resumed == history and weights(again) == weights(model)
    again, resumed = train(epochs=4, resume=path)
    assert resumed == history and weights(again) == weights(model)


def test_after_ctrl_c(tmp_path):
    model, history = train()
    for at in (2, 5, 7):
        path = tmp_path / f"{at}.ckpt"
        stop = LambdaCallback(
            on_step_end=lambda run, loss, at=at: run.step == at and signal.raise_signal(signal.SIGINT)
        )
        _, part = train(callbacks=[stop], checkpoint=path)
        assert part.interrupted and part.epochs == at // 5
        again, resumed = train(callbacks=[LambdaCallback()], checkpoint=path, resume=True)
        assert resumed == history and weights(again) == weights(model)
        assert not resumed.interrupted and resumed.stopped is None and resumed.best_epoch is None


@pytest.mark.parametrize(
    "make",
    {
        "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 2),
        "MultiStepLR": lambda o: optim.lr_scheduler.MultiStepLR(o, [2, 4]),
        "ReduceLROnPlateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5),
        "CosineAnnealingLR": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 6),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_with_schedules(make, tmp_path):
    def run(at, **arguments):
        autograd.manual_seed(0)
        model = Net()
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        history = nn.training.fit(
            model, nn.functional.cross_entropy, optimizer, loader(*data()), epochs=6, scheduler=make[1](optimizer),
            callbacks=[Crash(at)], progress=False, **arguments,
        )  # fmt: skip
        return weights(model), history

    expected = run(None)
    assert len(set(expected[1]["lr"])) > 1
    for at in (3, 11, 21):
        checkpoint = Checkpoint(tmp_path / f"{at}.ckpt", every_steps=1)
        with pytest.raises(ZeroDivisionError):
            run(at, checkpoint=checkpoint)
        assert run(None, checkpoint=checkpoint, resume=True) == expected


# Files


def test_the_one_before_is_taken_where_the_last_is_damaged(tmp_path):
    model, history = train()
    path = tmp_path / "run.ckpt"
    with pytest.raises(ZeroDivisionError):
        train(callbacks=[Crash(8)], checkpoint=Checkpoint(path, every_steps=1))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.warns(UserWarning, match=r"going on from .*run\.ckpt\.previous, because .*is damaged"):
        again, resumed = train(callbacks=[Crash()], checkpoint=path, resume=True)
    assert resumed == history and weights(again) == weights(model)
    assert (tmp_path / "run.ckpt.damaged").exists()


def test_two_damaged_files_and_foreign_ones_are_refused(tmp_path):
    path, previous = tmp_path / "run.ckpt", tmp_path / "run.ckpt.previous"
    train(checkpoint=path, epochs=2)
    whole = path.read_bytes()
    shutil.copy(path, tmp_path / "copy")
    path.write_bytes(b"PK\3\4 of another kind")
    with pytest.raises(CheckpointError, match=r"no checkpoint of fit.*the one before it is .*previous"):
        train(checkpoint=path, resume=True)
    assert path.exists()
    path.write_bytes(whole[:-1])
    previous.write_bytes(whole[:100])
    with pytest.raises(CheckpointError, match="damaged"):
        train(checkpoint=path, resume=True)
    path.unlink()
    previous.unlink()
    with pytest.raises(FileNotFoundError):
        train(resume=path)


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "run.ckpt"
    train(checkpoint=path, epochs=1)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="resume=True goes on from it"):
        train(checkpoint=path, epochs=1)
    train(checkpoint=tmp_path / "other.ckpt", epochs=1)
    with pytest.raises(FileExistsError, match="delete it or give another path"):
        train(checkpoint=path, resume=tmp_path / "other.ckpt", epochs=2)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="give checkpoint=path"):
        train(resume=True, epochs=1)


def test_a_link_stays_a_link_and_a_folder_may_be_left(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run.ckpt").symlink_to(tmp_path / "disk" / "run.ckpt")
    monkeypatch.chdir(tmp_path)
    leave = LambdaCallback(on_epoch_begin=lambda run: monkeypatch.chdir(tmp_path / "elsewhere"))
    _, history = train(checkpoint="run.ckpt", callbacks=[leave])
    assert (tmp_path / "run.ckpt").is_symlink() and not list((tmp_path / "elsewhere").iterdir())
    assert sorted(p.name for p in (tmp_path / "disk").iterdir()) == ["run.ckpt", "run.ckpt.previous"]
    assert train(resume=tmp_path / "run.ckpt")[1] == history


def test_another_run_is_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    train(checkpoint=path, epochs=1)
    for arguments, text in (
        ({"optimizer": "SGD with momentum"}, "optimizer was 'Adam' there and is 'SGD' here"),
        ({"metrics": []}, "metrics was"),
        ({"callbacks": [EarlyStopping()]}, "callbacks was"),
        ({"accumulate": 2}, "accumulate was 1"),
        ({"scheduler": None}, "scheduler was 'Halving'"),
        ({"hidden": 7}, r"first\.weight"),
        ({"make_train": SOURCES["list of batches"]}, "give the same kind"),
    ):
        with pytest.raises(ValueError, match=text):
            train(checkpoint=path, resume=True, **{"epochs": 2, **arguments})


def test_shorter_data_is_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    with pytest.raises(ZeroDivisionError):
        train(callbacks=[Crash(4)], checkpoint=Checkpoint(path, every_steps=1), make_train=SOURCES["list of batches"])
    with pytest.raises(ValueError, match="train gave 2 batches, and in the run that goes on 3"):
        train(
            callbacks=[Crash()],
            checkpoint=path,
            resume=True,
            make_train=lambda x, y: SOURCES["list of batches"](x, y)[:2],
        )


def test_the_best_weights_have_a_file(tmp_path):
    best = tmp_path / "best.safetensors"
    saved = {}

    def remember(run, values):
        saved[run.epoch] = {k: v.numpy().copy() for k, v in run.model.state_dict().items()}

    stop = EarlyStopping(patience=50)
    _, history = train(
        epochs=8, callbacks=[stop, LambdaCallback(on_epoch_end=remember)],
        checkpoint=Checkpoint(tmp_path / "run.ckpt", best=best),
    )  # fmt: skip
    expected = saved[1 + int(np.argmin(history["valid_loss"]))]
    for name, value in nn.training.load(best).items():
        np.testing.assert_array_equal(value.numpy(), expected[name])


def test_a_schedule_of_ones_own_is_as_good(tmp_path):
    assert_goes_on(tmp_path, 7, scheduler=None)
    assert Halving(optim.SGD([autograd.ones(1, requires_grad=True)], lr=1)).state_dict() == {"calls": 0}
