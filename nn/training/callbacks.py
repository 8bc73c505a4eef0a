"""Callbacks: what happens between the steps of ``fit``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.errors import describe

from .checkpoint import write_checkpoint
from .files import save

if TYPE_CHECKING:
    from .run import Run

__all__ = ["BestWeights", "Callback", "Checkpoint", "EarlyStopping", "LambdaCallback"]


class Callback:
    """Base class of callbacks: override what is needed.

    Each is given the run: ``run.model``, ``run.loss``, ``run.optimizer``, ``run.scheduler``, ``run.history``,
    ``run.epoch`` (from 1), ``run.batch`` (batches done in the epoch), ``run.step`` (optimizer steps done in all), and
    ``run.stop(reason)``, which ends training after the batch or epoch. One that remembers something returns it from
    ``state_dict``, for a run to go on with, always the same keys.

    >>> import autograd, nn, optim
    >>> class Count(Callback):
    ...     n = 0
    ...     def on_step_end(self, run, loss):
    ...         self.n += 1
    >>> model, count = nn.Linear(1, 1), Count()
    >>> x = autograd.ones(8, 1)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> _ = nn.training.fit(
    ...     model, nn.MSELoss(), optimizer, (x, x), epochs=2, batch_size=4, callbacks=[count], progress=False)
    >>> count.n
    4
    """

    def on_fit_begin(self, run: Run) -> None:
        """Before all else; where a run goes on, what was remembered is loaded after it."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch; not where a run goes on in its middle."""

    def on_step_end(self, run: Run, loss: float) -> None:
        """After each step of the optimizer, with the loss of its last batch."""

    def on_epoch_end(self, run: Run, values: Mapping[str, float]) -> None:
        """After an epoch and its validation, with what the history now ends in."""

    def on_fit_end(self, run: Run) -> None:
        """When training ends or was interrupted by Ctrl-C, not when an error ends it."""

    def state_dict(self) -> dict[str, Any]:
        """What the callback remembers, of numbers, strings, Tensors, lists and dicts."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` gave."""


class LambdaCallback(Callback):
    """A callback of functions.

    Arguments:
        on_fit_begin, on_epoch_begin, on_step_end, on_epoch_end, on_fit_end: functions with the arguments of the
            methods of ``Callback``.

    >>> callback = LambdaCallback(on_epoch_end=lambda run, values: print(run.epoch, values["loss"]))
    """

    def __init__(self, **functions: Callable[..., None]) -> None:
        known = [name for name in vars(Callback) if name.startswith("on_")]
        for name, function in functions.items():
            if name not in known:
                raise TypeError(f"LambdaCallback: {name!r} is none of {', '.join(known)}")
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function, got {describe(function)}")
            setattr(self, name, function)


class _Monitor(Callback):
    """Knows whether an epoch was the best so far."""

    def __init__(self, monitor: str | None = None, mode: str = "auto", min_delta: float = 0.0) -> None:
        name = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{name}: mode must be 'auto', 'min' or 'max', got {mode!r}")
        if not min_delta >= 0:
            raise ValueError(f"{name}: min_delta must not be negative, got {min_delta}")
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.best: float | None = None
        self.best_epoch = 0

    def on_fit_begin(self, run: Run) -> None:
        self.best, self.best_epoch = None, 0
        self._watched, self._lower = run.watched(type(self).__name__, self.monitor, self.mode)

    def improved(self, run: Run, values: Mapping[str, float]) -> bool:
        """Whether this epoch's value is the best, by more than min_delta; it is remembered then. NaN never is."""
        value = values[self._watched]
        sign = 1 if self._lower else -1
        if math.isnan(value) or (self.best is not None and not sign * value < sign * self.best - self.min_delta):
            return False
        self.best, self.best_epoch = value, run.epoch
        return True

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]


class BestWeights(_Monitor):
    """Keeps a copy of the weights and buffers of the best epoch, and puts it back when training ends.

    ``history.best_epoch`` tells which it was. The optimizer's state stays that of the last step.

    Arguments:
        monitor: a name in the history; by default that of ``fit``: ``"valid_loss"``, or ``"loss"`` without validation.
        mode: whether the best is the ``"min"`` or the ``"max"``; ``"auto"`` knows it for losses and the metrics here.
        min_delta: how much better than the best a value must be to count.
        only_if_interrupted: put it back only after Ctrl-C.

    >>> import autograd, nn, optim
    >>> x, model = autograd.ones(8, 1), nn.Linear(1, 1)
    >>> history = nn.training.fit(
    ...     model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), (x, x), (x, x), epochs=9,
    ...     callbacks=[BestWeights()], progress=False)
    >>> kept = nn.training.evaluate(model, (x, x), nn.MSELoss())["loss"]
    >>> kept == min(history["valid_loss"]) == history["valid_loss"][history.best_epoch - 1]
    True
    """

    def __init__(
        self,
        monitor: str | None = None,
        mode: str = "auto",
        min_delta: float = 0.0,
        only_if_interrupted: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.only_if_interrupted = only_if_interrupted
        self.weights: dict[str, Any] | None = None

    def on_fit_begin(self, run: Run) -> None:
        super().on_fit_begin(run)
        self.weights = None

    def on_epoch_end(self, run: Run, values: Mapping[str, float]) -> None:
        if self.improved(run, values):
            self.weights = run.copy_of_weights()

    def on_fit_end(self, run: Run) -> None:
        if self.weights is not None and (run.history.interrupted or not self.only_if_interrupted):
            run.load_weights(self.weights)
            run.history.best_epoch = self.best_epoch

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "weights": self.weights}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.weights = state_dict["weights"]


class EarlyStopping(BestWeights):
    """Ends training when nothing got better for some epochs, and puts the best weights back.

    Arguments:
        patience: after how many epochs in a row without improvement training ends, at least 1.
        min_delta: how much better than the best a value must be to count.
        monitor: a name in the history; by default that of ``fit``: ``"valid_loss"``, or ``"loss"`` without validation.
        mode: whether the best is the ``"min"`` or the ``"max"``; ``"auto"`` knows it for losses and the metrics here.

    Source: Prechelt 1998, Early stopping - but when?

    >>> import autograd, nn, optim
    >>> x = autograd.ones(8, 1)
    >>> model = nn.Linear(1, 1)
    >>> stop = EarlyStopping(patience=3, min_delta=0.01)
    >>> history = nn.training.fit(
    ...     model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), (x, 3 * x), (x, 3 * x), epochs=200,
    ...     callbacks=[stop], progress=False)
    >>> history.epochs == history.best_epoch + 3 < 200
    True
    """

    def __init__(
        self, patience: int = 10, min_delta: float = 0.0, monitor: str | None = None, mode: str = "auto"
    ) -> None:
        if isinstance(patience, bool) or not hasattr(patience, "__index__") or patience < 1:
            raise ValueError(f"EarlyStopping: patience must be a whole number of epochs, at least 1, got {patience!r}")
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.waited = 0

    def on_fit_begin(self, run: Run) -> None:
        super().on_fit_begin(run)
        self.waited = 0

    def on_epoch_end(self, run: Run, values: Mapping[str, float]) -> None:
        best_epoch = self.best_epoch
        super().on_epoch_end(run, values)
        self.waited = 0 if self.best_epoch != best_epoch else self.waited + 1
        if self.waited >= self.patience:
            best = f", which was best in epoch {self.best_epoch} ({self.best:.6g})" if self.best is not None else ""
            run.stop(f"{self.waited} epochs without a better {self._watched}{best}")

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.waited = state_dict["waited"]


class Checkpoint(_Monitor):
    """Writes all that training needs to go on as if it had never stopped; ``fit(resume=True)`` reads it.

    The file before the last is kept beside it, as ``path`` + ``.previous``.

    Arguments:
        path: the file.
        every_epochs: write after each so many epochs; None for not at all. The end of training is always written.
        every_steps: write also after each so many steps of the optimizer.
        best: a ``.safetensors`` or ``.npz`` file for the weights of the best epoch, written whenever one is.
        monitor, mode, min_delta: which is the best, as for ``BestWeights``.

    Raises:
        ValueError: every_epochs or every_steps is below 1.

    >>> import autograd, nn, optim, tempfile
    >>> x = autograd.ones(8, 1)
    >>> def run(epochs, path):
    ...     model = nn.Linear(1, 1)
    ...     optimizer = optim.Adam(model.parameters())
    ...     return nn.training.fit(
    ...         model, nn.MSELoss(), optimizer, (x, 3 * x), epochs=epochs, checkpoint=path, resume=True, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, both = run(2, folder + "/run.ckpt"), run(5, folder + "/run.ckpt")
    >>> first.epochs, both.epochs, both["loss"][:2] == first["loss"]
    (2, 5, True)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every_epochs: int | None = 1,
        every_steps: int | None = None,
        best: str | os.PathLike[str] | None = None,
        monitor: str | None = None,
        mode: str = "auto",
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        for name, every in (("every_epochs", every_epochs), ("every_steps", every_steps)):
            if every is not None and (isinstance(every, bool) or not hasattr(every, "__index__") or every < 1):
                raise ValueError(f"Checkpoint: {name} must be a whole number, at least 1, or None, got {every!r}")
        # What a link points to, and the same file wherever the program goes.
        self.path = Path(path).resolve()
        self.every_epochs, self.every_steps = every_epochs, every_steps
        self.best_path = None if best is None else Path(best).resolve()

    def on_fit_begin(self, run: Run) -> None:
        if self.best_path is not None:
            super().on_fit_begin(run)

    def on_step_end(self, run: Run, loss: float) -> None:
        # At the end of an epoch the checkpoint after its validation follows at once.
        if self.every_steps is not None and run.step % self.every_steps == 0 and not run.at_last_batch():
            self.write(run)

    def on_epoch_end(self, run: Run, values: Mapping[str, float]) -> None:
        if self.best_path is not None and self.improved(run, values):
            save(run.model, self.best_path)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.best_path is None else super().state_dict()

    def after_epoch(self, run: Run) -> None:
        """Called when every callback has seen the epoch's end, so that the file holds what they remember of it."""
        ended = run.completed >= run.epochs or run.stopped is not None
        due = ((run.completed, self.every_epochs), (run.step, self.every_steps))
        if ended or any(every is not None and done % every == 0 for done, every in due):
            self.write(run)

    def write(self, run: Run) -> None:
        """Writes the file now."""
        write_checkpoint(run.state_dict(), self.path)
