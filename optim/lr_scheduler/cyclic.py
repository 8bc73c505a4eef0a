"""Schedules that go up and down, with the momentum going down and up: over and over, or once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import (
    LRScheduler,
    callables_state,
    per_group,
    set_value,
    wants_at_least,
    wants_between,
    wants_count,
    wants_optimizer,
)

__all__ = ["CyclicLR", "OneCycleLR"]


class _WithMomentum(LRScheduler):
    """What both cycles share: setting the groups' momentum, or the first of their betas."""

    cycle_momentum: bool
    use_beta1: bool

    def _start_momentum(self, base_momentum: Any, max_momentum: Any, fresh: bool) -> tuple[list[Any], list[Any]]:
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                f"{self._name}: {type(self.optimizer).__name__} has neither momentum nor betas to cycle; pass "
                "cycle_momentum=False"
            )
        self.use_beta1 = "betas" in defaults
        low = per_group(self._name, "base_momentum", self.optimizer, base_momentum)
        high = per_group(self._name, "max_momentum", self.optimizer, max_momentum)
        if fresh:
            for group, base, top in zip(self.optimizer.param_groups, low, high, strict=True):
                self._set_momentum(group, top)
                group["max_momentum"] = top
                group["base_momentum"] = base
        return low, high

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Lets the rates go up from base_lr to max_lr and down again along lines, over and over.

    lr = base + (max − base) h s, where h goes from 0 to 1 in step_size_up steps and back to 0 in step_size_down, and
    s is the scale of the cycle: 1 (``"triangular"``), half of it each cycle (``"triangular2"``), or γᵗ
    (``"exp_range"``). The momentum goes the other way: momentum = max_momentum − (max_momentum − base_momentum) h s.

    Source: Smith 2017, Cyclical learning rates for training neural networks.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        base_lr, max_lr: the lowest and the highest rate, a number or one for each group.
        step_size_up, step_size_down: the steps of the way up and down; down is as up if not given.
        mode: ``"triangular"``, ``"triangular2"`` or ``"exp_range"``.
        gamma: γ of ``"exp_range"``.
        scale_fn: a scale of one's own, in place of mode's.
        scale_mode: whether scale_fn gets the number of the ``"cycle"``, 1 for the first, or of the step
            (``"iterations"``).
        cycle_momentum: whether momentum, or the first of betas, goes along.
        base_momentum, max_momentum: the lowest and the highest momentum, a number or one for each group.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: an unknown mode or scale_mode, a step size that is too small, lists that do not fit the groups, or
            an optimizer without momentum and betas.

    >>> import optim
    >>> def cycle(optimizer):
    ...     return CyclicLR(optimizer, base_lr=1.0, max_lr=5.0, step_size_up=2, mode="triangular2")
    >>> optim.lr_scheduler.preview(cycle, steps=8)
    array([1., 3., 5., 3., 1., 2., 3., 2.])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        wants_optimizer(self._name, optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"{self._name}: mode must be 'triangular', 'triangular2' or 'exp_range', got {mode!r}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"{self._name}: scale_mode must be 'cycle' or 'iterations', got {scale_mode!r}")
        wants_at_least(self._name, "step_size_up", step_size_up, 1)
        down = step_size_up if step_size_down is None else step_size_down
        wants_at_least(self._name, "step_size_down", down, 0)
        self.optimizer = optimizer
        base_lrs = per_group(self._name, "base_lr", optimizer, base_lr)
        self.max_lrs = per_group(self._name, "max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_value(group, "lr", lr)
        self.total_size = float(step_size_up) + float(down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._start_momentum(
                base_momentum, max_momentum, fresh=last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The scale of the cycle or step x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 0.5 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[Any]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ends = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, base, top in ends:
                self._set_momentum(group, top - (top - base) * height)
        return [base + (top - base) * height for base, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule remembers; of ``scale_fn`` the attributes of a callable object, and no function."""
        return {**super().state_dict(), "_scale_fn_custom": callables_state([self._scale_fn_custom])[0]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what ``state_dict`` returned; a function stays the one that this schedule was made with."""
        saved = state_dict["_scale_fn_custom"]
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if saved is not None:
            self._scale_fn_custom.__dict__.update(saved)


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))


def _line(start: float, end: float, part: float) -> float:
    return start + (end - start) * part


class OneCycleLR(_WithMomentum):
    """Lets the rates go up to max_lr once and far down again, over all steps of the training.

    They go from max_lr / div_factor up to max_lr in the part pct_start of the steps, and down to
    max_lr / div_factor / final_div_factor in the rest; with three_phase first down as they went up, and then to the
    lowest. The momentum goes the other way. Call ``step()`` after each batch.

    Source: Smith and Topin 2018, Super-convergence: very fast training of neural networks using large learning rates.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        max_lr: the highest rate, a number or one for each group.
        total_steps: the number of steps; if not given, epochs times steps_per_epoch.
        epochs, steps_per_epoch: passes over the data, and batches in each.
        pct_start: the part of the steps that goes up, a float from 0 to 1.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: whether momentum, or the first of betas, goes along.
        base_momentum, max_momentum: the lowest and the highest momentum, a number or one for each group.
        div_factor, final_div_factor: how much lower the rates begin, and end below that.
        three_phase: whether there is a phase of its own for the end.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: no number of steps, an argument out of range, lists that do not fit the groups, an optimizer
            without momentum and betas, or a step after the last.

    >>> import optim
    >>> def cycle(optimizer):
    ...     return OneCycleLR(optimizer, 8.0, total_steps=8, pct_start=0.5, anneal_strategy="linear", div_factor=4.0)
    >>> optim.lr_scheduler.preview(cycle, steps=8).round(3)
    array([2., 4., 6., 8., 6., 4., 2., 0.])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        wants_optimizer(self._name, optimizer)
        self.optimizer = optimizer
        if total_steps is not None:
            wants_count(self._name, "total_steps", total_steps)
            self.total_steps = total_steps
        elif epochs is not None and steps_per_epoch is not None:
            wants_count(self._name, "epochs", epochs)
            wants_count(self._name, "steps_per_epoch", steps_per_epoch)
            self.total_steps = epochs * steps_per_epoch
        else:
            raise ValueError(f"{self._name}: wants total_steps, or both epochs and steps_per_epoch")
        wants_between(self._name, "pct_start", pct_start)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"{self._name}: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        peak, last = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        if three_phase:
            self._schedule_phases = [
                _phase(peak, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                _phase(float(2 * pct_start * self.total_steps) - 2, "max_lr", "initial_lr", "base_momentum",
                       "max_momentum"),
                _phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]  # fmt: skip
        else:
            self._schedule_phases = [
                _phase(peak, "initial_lr", "max_lr", "max_momentum", "base_momentum"),
                _phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum"),
            ]
        self._anneal_func_type = anneal_strategy
        max_lrs = per_group(self._name, "max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(base_momentum, max_momentum, fresh=last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"{self._name}: step {step} is past the last of total_steps={self.total_steps}; count a step for each "
                "batch of all epochs"
            )
        begin: float = 0
        for phase in self._schedule_phases[:-1]:
            if step <= phase["end_step"]:
                break
            begin = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        anneal = _cosine if self._anneal_func_type == "cos" else _line
        length = phase["end_step"] - begin
        # A phase of no steps is at its end.
        part = (step - begin) / length if length else 1.0
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(anneal(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, anneal(*ends, part))
        return rates


def _phase(end_step: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    return {
        "end_step": end_step, "start_lr": start_lr, "end_lr": end_lr,
        "start_momentum": start_momentum, "end_momentum": end_momentum,
    }  # fmt: skip
