"""Schedules that multiply the present rate: by steps, at milestones, each step, along a line or a polynomial."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, wants_at_least, wants_between

__all__ = ["ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class StepLR(LRScheduler):
    """Multiplies the rates by gamma every step_size steps: lr = lr₀ γ^⌊t / step_size⌋.

    With ``step_size=5, gamma=0.5`` it is the lectures' halving after every five epochs.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        step_size: the number of steps between changes, at least 1.
        gamma: γ, the factor.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a step_size below 1.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: StepLR(o, step_size=2, gamma=0.5), steps=6, lr=8.0)
    array([8., 8., 4., 4., 2., 2.])
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        wants_at_least(self._name, "step_size", step_size, 1)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        changes = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma) if changes else self._present()

    def _get_closed_form_lr(self) -> list[Any]:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiplies the rates by gamma at each milestone: lr = lr₀ γ^(number of milestones up to t).

    Arguments:
        optimizer: the optimizer whose groups are changed.
        milestones: steps; one that is listed twice counts twice.
        gamma: γ, the factor.
        last_epoch: the last step that was taken, to resume after it.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: MultiStepLR(o, milestones=[1, 4], gamma=0.5), steps=6, lr=8.0)
    array([8., 4., 4., 4., 2., 2.])
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self) -> list[Any]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]


class ConstantLR(LRScheduler):
    """Multiplies the rates by factor for the first total_iters steps, and no longer after them.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        factor: the factor, in [0, 1].
        total_iters: the number of steps for which it holds.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a factor outside [0, 1], or a total_iters below 0.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: ConstantLR(o, factor=0.25, total_iters=2), steps=4, lr=8.0)
    array([2., 2., 8., 8.])
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        wants_between(self._name, "factor", factor)
        wants_at_least(self._name, "total_iters", total_iters, 0)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch != self.total_iters:
            return self._present()
        if self.factor == 0:
            return list(self.base_lrs)
        return self._scaled(1 / self.factor)

    def _get_closed_form_lr(self) -> list[Any]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """Lets the factor of the rates go along a line, from start_factor to end_factor at step total_iters.

    lr = lr₀ (start + (end − start) min(t, total) / total): a warm-up, or a linear decay.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        start_factor: the first factor, in (0, 1].
        end_factor: the last factor, in [0, 1].
        total_iters: the number of steps from the first to the last, at least 1.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a factor out of range, or a total_iters below 1.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: LinearLR(o, start_factor=0.25, total_iters=3), steps=5, lr=8.0)
    array([2., 4., 6., 8., 8.])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"{self._name}: start_factor must be above 0 and at most 1, got {start_factor}")
        wants_between(self._name, "end_factor", end_factor)
        wants_at_least(self._name, "total_iters", total_iters, 1)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present()
        rise = self.end_factor - self.start_factor
        return self._scaled(1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def _get_closed_form_lr(self) -> list[Any]:
        part = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * part
        return [lr * factor for lr in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiplies the rates by gamma at every step: lr = lr₀ γᵗ.

    With ``gamma=math.exp(-k)`` it is the lectures' exponential decay, lr = lr₀ e^(−k t).

    Arguments:
        optimizer: the optimizer whose groups are changed.
        gamma: γ, the factor.
        last_epoch: the last step that was taken, to resume after it.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: ExponentialLR(o, gamma=0.5), steps=4, lr=8.0)
    array([8., 4., 2., 1.])
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return self._present() if self._is_initial else self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Any]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class PolynomialLR(LRScheduler):
    """Lets the rates fall to 0 at step total_iters: lr = lr₀ (1 − min(t, total) / total)^power.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        total_iters: the step at which the rates are 0, at least 1.
        power: the exponent; 1 is a line.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a total_iters below 1.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: PolynomialLR(o, total_iters=4), steps=6, lr=8.0)
    array([8., 6., 4., 2., 0., 0.])
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        wants_at_least(self._name, "total_iters", total_iters, 1)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present()
        left = self.total_iters - self.last_epoch
        return self._scaled((left / (left + 1)) ** self.power)

    def _get_closed_form_lr(self) -> list[Any]:
        left = 1 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]
