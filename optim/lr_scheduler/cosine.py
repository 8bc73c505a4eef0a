"""Schedules along a cosine, once or with restarts."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, wants_at_least, wants_count

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """Lets the rates fall to eta_min along half a cosine: lr = η + (lr₀ − η) (1 + cos(π t / T)) / 2.

    It goes on after T, up again along the same cosine.

    Source: Loshchilov and Hutter 2017, SGDR: stochastic gradient descent with warm restarts.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        T_max: T, the step at which the rates are lowest, at least 1.
        eta_min: η, the lowest rate.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a T_max below 1.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: CosineAnnealingLR(o, T_max=4), steps=5, lr=8.0).round(3)
    array([8. , 6.828, 4. , 1.172, 0. ])
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        wants_at_least(self._name, "T_max", T_max, 1)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        present = self._present()
        if self._is_initial:
            return present
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        before = 1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # The present rate is the lowest, so that no factor leads away from it.
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - self.eta_min) * rise for lr, base in zip(present, self.base_lrs, strict=True)]
        factor = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / before
        return [self.eta_min + (lr - self.eta_min) * factor for lr in present]

    def _get_closed_form_lr(self) -> list[Any]:
        part = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lets the rates fall along half a cosine and jump back, over and over, in longer and longer cycles.

    lr = η + (lr₀ − η) (1 + cos(π t / T)) / 2 for the step t within the cycle and its length T.

    Source: Loshchilov and Hutter 2017, SGDR: stochastic gradient descent with warm restarts.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        T_0: the length of the first cycle in steps, at least 1.
        T_mult: the factor by which each cycle is longer than the one before, an integer of at least 1.
        eta_min: η, the lowest rate.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a T_0 or T_mult that is not a positive integer, or an eta_min that is not a number.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2), steps=7, lr=8.0).round(3)
    array([8. , 4. , 8. , 6.828, 4. , 1.172, 8. ])
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        wants_count(self._name, "T_0", T_0)
        wants_count(self._name, "T_mult", T_mult)
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"{self._name}: eta_min must be a number, got {eta_min!r}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        part = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes to the next step, or to ``epoch``, which may lie between steps, and sets its rates.

        Raises:
            ValueError: a negative epoch.
        """
        if epoch is None and self.last_epoch >= 0:
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
            self._set(self.last_epoch + 1)
            return
        epoch = 0 if epoch is None else epoch
        if epoch < 0:
            raise ValueError(f"{self._name}: epoch must not be negative, got {epoch}")
        if self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            cycle = 0
            while self._start_of(cycle + 1) <= epoch:
                cycle += 1
            self.T_i = self.T_0 * self.T_mult**cycle
            self.T_cur = epoch - self._start_of(cycle)
        self._set(math.floor(epoch))

    def _start_of(self, cycle: int) -> int:
        return self.T_0 * (self.T_mult**cycle - 1) // (self.T_mult - 1)

    def _set(self, epoch: int) -> None:
        self.last_epoch = epoch - 1
        self._update_lr()
