"""fit: training in one call, that can be interrupted, killed and resumed; and evaluate."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from autograd import Tensor
from autograd.errors import describe

from ..module import Module
from .batches import Batches
from .callbacks import BestWeights, Callback, Checkpoint
from .checkpoint import CheckpointError, previous_path, read_checkpoint
from .history import History
from .metrics import as_metrics
from .progress import Silent, reporter
from .run import Means, Run
from .steps import Scheduling, Stepper, walk

__all__ = ["evaluate", "fit"]


def fit(
    model: Module,
    loss: Callable[[Any, Any], Tensor],
    optimizer: Any,
    train: Any,
    valid: Any = None,
    *,
    epochs: int,
    metrics: Any = (),
    callbacks: Iterable[Callback] = (),
    scheduler: Any = None,
    schedule_every: str = "epoch",
    clip_grad_norm: float | None = None,
    accumulate: int = 1,
    batch_size: int = 32,
    monitor: str | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    resume: bool | str | os.PathLike[str] = False,
    nonfinite: str = "raise",
    progress: bool = True,
) -> History:
    """Trains a model: for each batch forward, loss, backward, step; after each epoch validation.

    Ctrl-C ends training after the batch (or the validation) that is running, and ``fit`` returns as usual: with the
    weights of the best epoch where there is validation data, else the last ones, and a history that says so. A second
    Ctrl-C interrupts at once. At the end every layer is in the mode, training or evaluation, that it was in before.

    Arguments:
        model: the module; trained in place. While it is in training mode as a whole, layers that are in evaluation
            mode stay so.
        loss: a function or module of (output, target) that gives a scalar.
        optimizer: of the model's parameters.
        train: a DataLoader; or any iterable of batches (input, target) or (input, input, …, target), that can be
            walked once per epoch; or a Dataset, or arrays (x, y), from which shuffled batches are made.
        valid: data of the same kinds to validate on after each epoch, without shuffling; None for none.
        epochs: how many there are to be in all, those before a resumed run included.
        metrics: names (``"accuracy"``, ``"f1_macro"``, ``"mae"``, ``"r2"``, …), Metrics, functions of output and target
            averaged over the items, or a dict that names such. Those of the training data are taken as training goes.
        callbacks: ``EarlyStopping`` and the like, called in their order.
        scheduler: of the learning rate; its ``step()`` is called after each epoch, or ``step(value)`` with the
            monitored value where it wants one.
        schedule_every: ``"epoch"``, or ``"step"`` to call it after each step of the optimizer.
        clip_grad_norm: the largest norm of all gradients together; they are scaled down to it.
        accumulate: over how many batches a step's gradient is gathered. The step is that of one batch of them all.
        batch_size: of the loaders made here.
        monitor: the value in the history that tells which epoch is best; ``"valid_loss"``, or ``"loss"`` without
            validation.
        checkpoint: a path, or a ``Checkpoint`` that says how often; after each epoch everything is written there that
            training goes on from.
        resume: True to go on from ``checkpoint`` where that file is there (from the start where it is not); or the path
            of another one. Given the same data and arguments, the run is then bit for bit the one that was never
            stopped.
        nonfinite: for a loss that is NaN or infinite: ``"raise"``, ``"skip"`` the batch and count it, or ``"keep"``
            going.
        progress: show how far it is: a bar by tqdm in a terminal or notebook, a line per epoch in a log.

    Returns the History, one value per epoch for ``"loss"`` (the mean over the items), each metric, the same for
    validation under ``"valid_…"``, and ``"lr"``, the rate of the epoch's last step.

    Raises:
        ValueError: an argument that does not fit, an empty loader. ShapeError: a loss that is no scalar.
        FloatingPointError: a loss that is not finite. FileExistsError: there is a checkpoint, and ``resume`` is False.
        CheckpointError: a file that is no checkpoint. Where the last checkpoint is damaged, the one before it is taken,
        with a warning.

    >>> import autograd, nn, optim
    >>> x = autograd.linspace(-1, 1, 64).reshape(64, 1)
    >>> model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    >>> optimizer = optim.Adam(model.parameters(), lr=0.02)
    >>> history = fit(model, nn.MSELoss(), optimizer, (x, x**2), epochs=50, metrics=["r2"], progress=False)
    >>> history["r2"][-1] > 0.9
    True
    """
    model, loss, optimizer = _checked(model, loss, optimizer)
    counts = (("epochs", epochs), ("accumulate", accumulate), ("batch_size", batch_size))
    for name, value in counts:
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
            raise ValueError(f"fit: {name} must be a whole number, at least 1, got {value!r}")
    for name, choice, choices in (
        ("schedule_every", schedule_every, ("epoch", "step")),
        ("nonfinite", nonfinite, ("raise", "skip", "keep")),
    ):
        if choice not in choices:
            raise ValueError(f"fit: {name} must be one of {', '.join(map(repr, choices))}, got {choice!r}")
    if clip_grad_norm is not None and not clip_grad_norm > 0:
        raise ValueError(f"fit: clip_grad_norm must be above 0, got {clip_grad_norm!r}")
    means = _means(metrics, loss)
    for name, metric in means.metrics.items():
        if not metric.is_number:
            raise TypeError(
                f"fit: {name} is a matrix, and a history holds numbers; after fit, "
                "evaluate(model, valid, metrics=[ConfusionMatrix()]) gives it"
            )
    hooks = list(callbacks)
    for hook in hooks:
        if not isinstance(hook, Callback):
            raise TypeError(f"fit: callbacks must be of nn.training.Callback, got {describe(hook)}")
    if checkpoint is not None:
        hooks.append(checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint))
    if valid is not None and not any(isinstance(hook, BestWeights) for hook in hooks):
        named = means.metrics.get((monitor or "loss").removeprefix("valid_"))
        unclear = named is not None and named.higher_is_better is None
        hooks.insert(0, BestWeights("valid_loss" if unclear else None, only_if_interrupted=True))
    # A file holds what all other callbacks remember of the same step.
    hooks.sort(key=lambda hook: isinstance(hook, Checkpoint))
    run = Run(
        model, loss, optimizer, scheduler,
        Batches("train", train, batch_size, shuffle=True),
        None if valid is None else Batches("valid", valid, batch_size, shuffle=False),
        means, hooks, epochs, monitor, accumulate,
    )  # fmt: skip
    watched, _ = run.watched("fit", monitor, "min")
    stepper = Stepper(run, clip_grad_norm, nonfinite)
    scheduling = Scheduling(scheduler, schedule_every, watched)
    writers = [hook for hook in hooks if isinstance(hook, Checkpoint)]
    for hook in hooks:
        hook.on_fit_begin(run)
    _resume(run, writers[-1].path if writers else None, resume)

    modes = [(module, module.training) for module in model.modules()]
    show = reporter(progress, epochs, run.train.length(), run.completed, run.batch)
    try:
        with _interrupts(show) as interrupted:
            try:
                _train(run, stepper, scheduling, show, writers, interrupted)
            except KeyboardInterrupt:
                # Not from the handler below, which is silent the first time: some other code raised it.
                if interrupted():
                    raise
                run.history.interrupted = True
        history = run.history
        if history.interrupted:
            history.stopped = f"interrupted in epoch {run.epoch}, after {run.batch or 'all'} of its batches"
        else:
            history.stopped = run.stopped
        for hook in hooks:
            hook.on_fit_end(run)
    finally:
        show.close()
        for module, mode in modes:
            module.training = mode
    return history


def evaluate(
    model: Module, data: Any, loss: Callable[[Any, Any], Tensor] | None = None, metrics: Any = (), batch_size: int = 32
) -> dict[str, Any]:
    """Loss and metrics of a model on data, in evaluation mode and without gradients.

    Arguments:
        model, data, loss, metrics, batch_size: as those of ``fit``; also ``ConfusionMatrix``.

    Returns the values by name, with ``"loss"`` where a loss is given; a ``ConfusionMatrix`` is given back
    itself, filled.

    >>> import autograd, nn
    >>> x, y = autograd.tensor([[1.0, 0.0], [0.0, 1.0]]), autograd.tensor([0, 1])
    >>> evaluate(nn.Identity(), (x, y), nn.CrossEntropyLoss(), metrics=["accuracy"])  # doctest: +ELLIPSIS
    {'loss': 0.313261..., 'accuracy': 1.0}
    """
    if not isinstance(model, Module):
        raise TypeError(f"evaluate: model must be an nn.Module, got {describe(model)}")
    means = _means(metrics, loss)
    if loss is None and not means.metrics:
        raise ValueError("evaluate: wants a loss or metrics")
    walk("evaluate", model, loss, Batches("data", data, batch_size, shuffle=False), means)
    values = means.values()
    for name, metric in means.metrics.items():
        if not metric.is_number:
            values[name] = metric
    if loss is None:
        del values["loss"]
    return values


def _means(metrics: Any, loss: Any) -> Means:
    return Means(as_metrics(metrics), per_item=getattr(loss, "reduction", "mean") != "sum")


def _checked(model: Any, loss: Any, optimizer: Any) -> tuple[Module, Any, Any]:
    if not isinstance(model, Module):
        raise TypeError(f"fit: model must be an nn.Module, got {describe(model)}")
    for name, value in (("loss", loss), ("optimizer", optimizer)):
        if isinstance(value, type):
            made = f"{value.__name__}()" if name == "loss" else f"{value.__name__}(model.parameters())"
            raise TypeError(f"fit: {name} is the class {value.__name__}; make one of it: {made}")
    if not callable(loss):
        raise TypeError(f"fit: loss must be a function or module of (output, target), got {describe(loss)}")
    if not all(hasattr(optimizer, name) for name in ("step", "zero_grad", "param_groups")):
        raise TypeError(f"fit: optimizer must be one of optim's, got {describe(optimizer)}")
    own = set(model.parameters())
    if not any(p in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            "fit: the optimizer has none of the model's parameters, so the model would never learn; make the optimizer "
            "of model.parameters()"
        )
    return model, loss, optimizer


def _resume(run: Run, checkpoint: Path | None, resume: Any) -> None:
    goes_elsewhere = resume is not True and (resume is False or checkpoint != Path(resume).resolve())
    if goes_elsewhere and checkpoint is not None and checkpoint.exists():
        raise FileExistsError(
            f"fit: {checkpoint} is there already; resume=True goes on from it; for another run delete it or give "
            "another path"
        )
    if resume is False:
        return
    path = checkpoint if resume is True else Path(resume).resolve()
    if path is None:
        raise ValueError("fit: resume=True goes on from checkpoint, and none is given; give checkpoint=path")
    previous = previous_path(path)
    if resume is True and not path.exists() and not previous.exists():
        return
    try:
        state = read_checkpoint(path)
    except (CheckpointError, FileNotFoundError) as error:
        lost = isinstance(error, FileNotFoundError) or error.damaged
        if not lost or not previous.exists():
            raise
        state = read_checkpoint(previous)
        warnings.warn(f"fit: going on from {previous}, because {error}", stacklevel=3)
        if path.exists():
            # Else the next checkpoint would put the damaged file in the place of the good one.
            os.replace(path, path.with_name(path.name + ".damaged"))
    run.load_state_dict(state)


def _train(
    run: Run,
    stepper: Stepper,
    scheduling: Scheduling,
    show: Silent,
    writers: list[Checkpoint],
    interrupted: Callable[[], bool],
) -> None:
    while run.completed < run.epochs and run.stopped is None:
        began = time.monotonic()
        if not run.model.training:
            run.model.train()
        if run.batch == 0:
            run.epoch = run.completed + 1
            run.means.reset()
            for hook in run.callbacks:
                hook.on_epoch_begin(run)
            run.iterator = run.train.begin()
        whole = stepper.epoch(scheduling, show, interrupted)
        if not whole:
            for writer in writers:
                writer.write(run)
            run.history.interrupted = run.stopped is None
            return
        values = {**run.means.values(), **_validate(run), "lr": float(run.optimizer.param_groups[0]["lr"])}
        run.iterator, run.batch = None, 0
        run.completed += 1
        run.history.append(values, time.monotonic() - began)
        scheduling.after_epoch(values)
        for hook in run.callbacks:
            hook.on_epoch_end(run, values)
        for writer in writers:
            writer.after_epoch(run)
        show.epoch(run.epoch, values, run.history.seconds[-1])
        if interrupted() and run.completed < run.epochs and run.stopped is None:
            for writer in writers:
                writer.write(run)
            run.history.interrupted = True
            return


def _validate(run: Run) -> dict[str, Any]:
    if run.valid is None:
        return {}
    walk(f"fit, epoch {run.epoch}", run.model, run.loss, run.valid, run.valid_means)
    return {f"valid_{name}": value for name, value in run.valid_means.values().items()}


@contextlib.contextmanager
def _interrupts(show: Silent) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C is only remembered, so that no step is cut in half; the second raises KeyboardInterrupt."""
    came = False

    def handle(number: int, frame: Any) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True
        # The signal may have come while something was being written, which a stream does not take twice.
        with contextlib.suppress(RuntimeError):
            show.note("Ending training after this batch; Ctrl-C again interrupts at once.")

    mine = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if mine:
        signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: came
    finally:
        if mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)
