"""What happens with one batch: forward, loss, backward, step; and the walk over those of validation."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd import GraphError, ShapeError, Tensor, no_grad
from autograd.errors import describe

from ..module import Module
from ..utils import clip_grad_norm_
from .batches import Batches, inputs_and_target
from .callbacks import Callback
from .progress import Silent
from .run import Means, Run


class Stepper:
    """Makes an epoch's steps."""

    def __init__(self, run: Run, clip_grad_norm: float | None, nonfinite: str) -> None:
        self.run = run
        self.clip_grad_norm = clip_grad_norm
        self.nonfinite = nonfinite
        self.wants_closure = getattr(run.optimizer, "wants_closure", False) or _wants_argument(run.optimizer.step)
        if self.wants_closure and run.accumulate > 1:
            raise ValueError(
                f"fit: {type(run.optimizer).__name__} computes a batch's loss several times in a step, so batches "
                "cannot be accumulated; give a larger batch_size"
            )
        plain = Callback.on_step_end
        self.hooks = [h for h in run.callbacks if getattr(h.on_step_end, "__func__", None) is not plain]

    def epoch(self, scheduling: Scheduling, show: Silent, interrupted: Callable[[], bool]) -> bool:
        """Goes through the rest of the epoch's batches; False where it was ended before its end."""
        run = self.run
        gathered = items = 0
        value = math.nan
        run.exhausted = False
        assert run.iterator is not None
        for batch in run.iterator:
            if gathered == 0:
                run.optimizer.zero_grad()
            done, value = self._batch(batch)
            items += done
            run.batch += 1
            gathered += 1
            show.batch(run.means.loss())
            if gathered == run.accumulate:
                self._step(items, value, scheduling)
                gathered = items = 0
                if (run.stopped is not None or interrupted()) and not run.at_last_batch():
                    return False
        run.exhausted = True
        if run.batch == 0:
            raise ValueError(
                f"fit: train gave no batches in epoch {run.epoch}"
                + ("; a generator can be walked once only, so give a list or a DataLoader" * (run.epoch > 1))
            )
        if gathered:
            self._step(items, value, scheduling)
        return True

    def _batch(self, batch: Any) -> tuple[int, float]:
        """Forward and backward; how many items the gradient now holds more of, and the loss."""
        run = self.run
        where = f"fit: epoch {run.epoch}, batch {run.batch + 1} of train"
        inputs, target = inputs_and_target(batch, where)
        with _noted(where, inputs, target):
            if self.wants_closure:
                outputs: list[Any] = []
                first = run.optimizer.step(lambda: self._closure(inputs, target, outputs, where))
                output, loss = outputs[0], _scalar(first, where)
            else:
                output = run.model(*inputs)
                loss = _scalar(run.loss(output, target), where)
            value, n = loss.item(), _items(inputs, target)
            if not math.isfinite(value) and self.nonfinite != "keep":
                if self.nonfinite == "raise" or self.wants_closure:
                    raise FloatingPointError(
                        f"{where}: the loss is {value}; look for a learning rate that is too high, log or division at "
                        "0, or NaN in the data (autograd.detect_anomaly() names the operation), or give "
                        "clip_grad_norm; nonfinite='skip' leaves such batches out"
                    )
                run.history.skipped += 1
                return 0, value
            if not self.wants_closure:
                if not loss.requires_grad:
                    raise GraphError(
                        f"{where}: the loss does not depend on anything that requires a gradient; was it computed "
                        "under no_grad(), from detach()ed values, or are all parameters frozen?"
                    )
                # The gradient of the union of batches is their mean weighted by their items.
                weighted = run.accumulate > 1 and run.means.per_item
                (loss * n if weighted else loss).backward()
            run.means.add(value, n, output, target)
        return n, value

    def _closure(self, inputs: list[Any], target: Any, outputs: list[Any], where: str) -> Tensor:
        run = self.run
        run.optimizer.zero_grad()
        outputs.append(run.model(*inputs))
        loss = _scalar(run.loss(outputs[-1], target), where)
        loss.backward()
        self._clip()
        return loss

    def _step(self, items: int, loss: float, scheduling: Scheduling) -> None:
        run = self.run
        if not items:
            return
        if not self.wants_closure:
            if run.accumulate > 1 and run.means.per_item:
                for p in self._parameters():
                    if p.grad is not None:
                        p.grad = p.grad / items
            self._clip()
            run.optimizer.step()
        run.step += 1
        scheduling.after_step()
        for hook in self.hooks:
            hook.on_step_end(run, loss)

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.run.optimizer.param_groups for p in group["params"]]

    def _clip(self) -> None:
        if self.clip_grad_norm is None:
            return
        try:
            clip_grad_norm_(self._parameters(), self.clip_grad_norm, error_if_nonfinite=self.nonfinite == "raise")
        except RuntimeError as error:
            where = f"fit: epoch {self.run.epoch}, up to batch {self.run.batch}"
            raise FloatingPointError(f"{where}: the gradient is not finite ({error})") from error


class Scheduling:
    """Calls the schedule when it is due, with the monitored value where it wants one."""

    def __init__(self, scheduler: Any, every: str, watched: str) -> None:
        if scheduler is not None and not hasattr(scheduler, "step"):
            raise TypeError(f"fit: scheduler must have a step method, got {describe(scheduler)}")
        self.scheduler, self.every, self.watched = scheduler, every, watched
        self.wants_value = scheduler is not None and _wants_argument(scheduler.step)
        if self.wants_value and every == "step":
            raise ValueError(
                f"fit: {type(scheduler).__name__} steps by a value that is there after each epoch; leave "
                "schedule_every='epoch'"
            )

    def after_step(self) -> None:
        if self.scheduler is not None and self.every == "step":
            self.scheduler.step()

    def after_epoch(self, values: dict[str, Any]) -> None:
        if self.scheduler is not None and self.every == "epoch":
            self.scheduler.step(*([values[self.watched]] if self.wants_value else []))


def _wants_argument(method: Any) -> bool:
    parameters = inspect.signature(method).parameters.values()
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def walk(who: str, model: Module, loss: Any, data: Batches, means: Means) -> None:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    means.reset()
    try:
        with no_grad():
            for i, batch in enumerate(data.begin()):
                where = f"{who}: batch {i + 1} of {data.argument}"
                inputs, target = inputs_and_target(batch, where)
                with _noted(where, inputs, target):
                    output = model(*inputs)
                    value = 0.0 if loss is None else _scalar(loss(output, target), where).item()
                    means.add(value, _items(inputs, target), output, target)
    finally:
        for module, mode in modes:
            module.training = mode
    if not means.items:
        raise ValueError(f"{who}: {data.argument} gave no batches")


def _scalar(loss: Any, where: str) -> Tensor:
    if not isinstance(loss, Tensor):
        raise TypeError(f"{where}: the loss gave {describe(loss)}; it must give a Tensor")
    if loss.numel() != 1:
        raise ShapeError(
            f"{where}: the loss has shape {loss.shape}, and must be one number; take its mean, or make the loss with "
            "reduction='mean'"
        )
    return loss


def _items(inputs: list[Any], target: Any) -> int:
    """How many items a batch has: the first size of its target, or of its input."""
    for value in (target, *inputs):
        if isinstance(value, Tensor) and value.ndim:
            return len(value)
    return 1


@contextmanager
def _noted(where: str, inputs: list[Any], target: Any) -> Iterator[None]:
    """Adds to an error that comes from the model, the loss or a metric which batch it was."""
    try:
        yield
    except Exception as error:
        given = ", ".join(map(describe, inputs))
        error.add_note(f"{where}: input {given}; target {describe(target)}")
        raise
