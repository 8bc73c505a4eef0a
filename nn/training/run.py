"""Run: everything that a training in progress is made of, and how it is put into a checkpoint."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Generator, Tensor, no_grad

from ..module import Module
from .batches import Batches, set_streams, streams
from .callbacks import Callback
from .history import History
from .metric import Metric

__all__ = ["Run"]


class Means:
    """Loss and metrics of the batches so far."""

    def __init__(self, metrics: Mapping[str, Metric], per_item: bool) -> None:
        self.metrics = metrics
        self.per_item = per_item
        self.reset()

    def reset(self) -> None:
        self.total, self.items = 0.0, 0
        for metric in self.metrics.values():
            metric.reset()

    def add(self, loss: float, items: int, output: Any, target: Any) -> None:
        """Takes a batch in; a loss that is a sum over items counts as it is, one that is a mean by its items."""
        self.total += loss * items if self.per_item else loss
        self.items += items
        if self.metrics:
            with no_grad():
                output = output.detach() if isinstance(output, Tensor) else output
                for metric in self.metrics.values():
                    metric.update(output, target)

    def loss(self) -> float:
        return self.total / self.items if self.items else math.nan

    def values(self) -> dict[str, Any]:
        """Loss and metrics; NaN where every batch was left out."""
        none = not self.items
        return {"loss": self.loss(), **{n: math.nan if none else m.compute() for n, m in self.metrics.items()}}

    def state_dict(self) -> dict[str, Any]:
        gathered = {name: metric.state_dict() for name, metric in self.metrics.items()}
        return {"total": self.total, "items": self.items, "metrics": gathered}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.total, self.items = state["total"], state["items"]
        for name, metric in self.metrics.items():
            metric.load_state_dict(state["metrics"][name])


class Run:
    """A training in progress, as callbacks see it.

    Attributes:
        model, loss, optimizer, scheduler: those given to ``fit``.
        epochs: how many there are to be.
        epoch: the one that runs or has just ended, from 1.
        completed: how many have ended.
        batch: how many batches of the epoch are done.
        step: how many steps the optimizer has made in all.
        history: the History so far.
        metrics: the metrics of the training batches, by name.
        stopped: the reason given to ``stop``, or None.
    """

    def __init__(
        self,
        model: Module,
        loss: Any,
        optimizer: Any,
        scheduler: Any,
        train: Batches,
        valid: Batches | None,
        means: Means,
        callbacks: Sequence[Callback],
        epochs: int,
        monitor: str | None,
        accumulate: int,
    ) -> None:
        self.model, self.loss, self.optimizer, self.scheduler = model, loss, optimizer, scheduler
        self.train, self.valid, self.means, self.callbacks = train, valid, means, callbacks
        self.metrics = means.metrics
        self.valid_means = Means(copy.deepcopy(means.metrics), means.per_item)
        self.epochs, self.accumulate = epochs, accumulate
        self.monitor = monitor or ("loss" if valid is None else "valid_loss")
        self.epoch = self.completed = self.batch = self.step = 0
        self.exhausted = False
        self.history = History()
        self.stopped: str | None = None
        self.iterator: Iterator[Any] | None = None

    def stop(self, reason: str) -> None:
        """Ends training after this epoch, or after this batch where it is called during one."""
        self.stopped = reason

    def at_last_batch(self) -> bool:
        """Whether no batch of the epoch is left, as far as one knows without asking for the next."""
        return self.exhausted or self.batch == self.train.length()

    def watched(self, who: str, monitor: str | None, mode: str = "auto") -> tuple[str, bool]:
        """The name in the history that is watched, and whether lower is better; a ValueError where it is not there."""
        name = monitor or self.monitor
        plain = name.removeprefix("valid_")
        names = ["loss", *self.metrics]
        known = [*names, *(f"valid_{n}" for n in names if self.valid is not None)]
        if name not in known:
            why = "; there is no validation data" if plain in names else ""
            raise ValueError(f"{who}: monitor {name!r} is none of {', '.join(known)}{why}")
        if mode != "auto":
            return name, mode == "min"
        higher = False if plain == "loss" else self.metrics[plain].higher_is_better
        if higher is None:
            raise ValueError(f"{who}: whether more of {name!r} is better is not known; give mode='min' or 'max'")
        return name, not higher

    # Weights

    def copy_of_weights(self) -> dict[str, Any]:
        """The values of the model's parameters and of all its buffers."""
        return copy.deepcopy(_weights(self.model))

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Puts back what ``copy_of_weights`` gave."""
        _load_weights(self.model, weights)

    # Checkpoints

    def _is(self) -> dict[str, Any]:
        """What must be the same in the run that goes on."""
        return {
            "model": type(self.model).__name__,
            "optimizer": type(self.optimizer).__name__,
            "scheduler": None if self.scheduler is None else type(self.scheduler).__name__,
            "metrics": list(self.metrics),
            "callbacks": [type(callback).__name__ for callback, _ in self._remembering()],
            "validation data": self.valid is not None,
            "accumulate": self.accumulate,
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything that the run goes on from, as it is now."""
        return {
            "is": self._is(),
            "completed": self.completed,
            "batch": self.batch,
            "step": self.step,
            "stopped": self.stopped,
            "model": _weights(self.model),
            "loss": _weights(self.loss) if isinstance(self.loss, Module) else None,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "streams": streams(),
            "generators": [_get(generator) for generator in self._generators()],
            "train": self.train.state_dict(self.batch),
            "valid": None if self.valid is None else self.valid.state_dict(0),
            "means": self.means.state_dict(),
            "history": self.history.state_dict(),
            "callbacks": [state for _, state in self._remembering()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes to where ``state_dict`` was asked."""
        for what, now in self._is().items():
            if state["is"][what] != now:
                raise ValueError(
                    f"fit: resume wants what the checkpoint was written with; {what} was {state['is'][what]!r} there "
                    f"and is {now!r} here"
                )
        self.load_weights(state["model"])
        if isinstance(self.loss, Module):
            _load_weights(self.loss, state["loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        self.completed, self.batch, self.step = state["completed"], state["batch"], state["step"]
        self.epoch = self.completed + (self.batch > 0)
        self.stopped = state["stopped"]
        self.history.load_state_dict(state["history"])
        for (callback, _), remembered in zip(self._remembering(), state["callbacks"], strict=True):
            callback.load_state_dict(remembered)
        if self.valid is not None:
            self.valid.load_state_dict(state["valid"], 0)
        self.iterator = self.train.load_state_dict(state["train"], self.batch)
        self.means.load_state_dict(state["means"])
        for generator, place in zip(self._generators(), state["generators"], strict=True):
            _set(generator, place)
        set_streams(state["streams"])

    def _remembering(self) -> list[tuple[Callback, dict[str, Any]]]:
        """The callbacks that have a state; the others may differ in a run that goes on."""
        states = [(callback, callback.state_dict()) for callback in self.callbacks]
        return [(callback, state) for callback, state in states if state]

    def _generators(self) -> list[Any]:
        """Random streams that modules hold themselves."""
        modules = [m for m in (self.model, self.loss) if isinstance(m, Module)]
        found = (value for top in modules for module in top.modules() for value in vars(module).values())
        return [value for value in found if isinstance(value, (Generator, np.random.Generator))]


def _get(generator: Any) -> Any:
    return generator.get_state() if isinstance(generator, Generator) else generator.bit_generator.state


def _set(generator: Any, state: Any) -> None:
    if isinstance(generator, Generator):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


def _weights(module: Module) -> dict[str, Any]:
    state = module.state_dict()
    rest = {name: buffer for name, buffer in module.named_buffers() if name not in state}
    return {"state": dict(state), "other buffers": rest}


def _load_weights(module: Module, weights: Mapping[str, Any]) -> None:
    module.load_state_dict(weights["state"])
    buffers = dict(module.named_buffers())
    with no_grad():
        for name, value in weights["other buffers"].items():
            buffers[name].copy_(value)
