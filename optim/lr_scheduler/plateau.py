"""Schedules that lower the rates when a measured value stops getting better."""

from __future__ import annotations

import math
from typing import SupportsFloat

from ..optimizer import Optimizer
from .base import LRScheduler, per_group, set_value, values_of, wants_between, wants_optimizer

__all__ = ["HalveWhenWorseLR", "ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rates by factor when a value has not got better for more than patience steps.

    Better than the best so far is, for mode ``"min"``, below best (1 − threshold) (``"rel"``) or below
    best − threshold (``"abs"``), and for ``"max"`` likewise above.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        mode: ``"min"`` for a value that should fall, such as a loss; ``"max"`` for one that should rise.
        factor: what the rates are multiplied by, below 1.
        patience: how many steps without improvement are allowed.
        threshold: how much better a value must be to count.
        threshold_mode: whether threshold is a part of the best (``"rel"``) or a difference (``"abs"``).
        cooldown: for how many steps after a change none is counted as bad.
        min_lr: the lowest rate, a number or one for each group.
        eps: a change smaller than this is not made.

    Raises:
        ValueError: a factor of at least 1, an unknown mode or threshold_mode, or a min_lr that does not fit the groups.

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.5, 2.5]:
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        wants_optimizer(self._name, optimizer)
        if not factor < 1:
            raise ValueError(f"{self._name}: factor must be below 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"{self._name}: mode must be 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{self._name}: threshold_mode must be 'rel' or 'abs', got {threshold_mode!r}")
        self.factor = factor
        self.optimizer = optimizer
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group(self._name, "min_lr", optimizer, min_lr)
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = values_of(optimizer, "lr")
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best: float = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Whether steps are not counted as bad, after a change."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Takes note of a measured value, and lowers the rates if it has not got better for too long.

        Arguments:
            metrics: the value, such as the validation loss: a number or a Tensor of one entry.
            epoch: the number of this step instead of the next; it warns, as PyTorch does.
        """
        if epoch is not None:
            self._warn_of_epoch()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        value = float(metrics)
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = values_of(self.optimizer, "lr")

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            bound = self.best * (1 + sign * self.threshold)
        else:
            bound = self.best + sign * self.threshold
        return value > bound if self.mode == "max" else value < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ValueError(
                    f"{self._name}: min_lr has {len(self.min_lrs)} values, and the optimizer now {len(groups)} "
                    "parameter groups; append to scheduler.min_lrs with each add_param_group"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_value(group, "lr", new)


class HalveWhenWorseLR(LRScheduler):
    """Multiplies the rates by factor whenever a value is worse than at the step before: the lectures' halving.

    lr ← factor · lr if the value of this step is above that of the last. ``ReduceLROnPlateau`` compares with the best
    so far instead, and waits.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        factor: what the rates are multiplied by, from 0 to 1.

    Raises:
        ValueError: a factor outside [0, 1].

    >>> import autograd, optim
    >>> optimizer = optim.SGD([autograd.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = HalveWhenWorseLR(optimizer)
    >>> for loss in [3.0, 2.0, 2.5, 2.25]:
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 0.5) -> None:
        wants_optimizer(self._name, optimizer)
        wants_between(self._name, "factor", factor)
        self.optimizer = optimizer
        self.factor = factor
        self.last_epoch = 0
        self.previous = math.inf
        self._last_lr = values_of(optimizer, "lr")

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Takes note of a measured value, and lowers the rates if it is above the last one, or not a number.

        Arguments:
            metrics: the value, such as the validation loss: a number or a Tensor of one entry.
        """
        value = float(metrics)
        if not value <= self.previous:
            for group in self.optimizer.param_groups:
                set_value(group, "lr", group["lr"] * self.factor)
        if not math.isnan(value):
            self.previous = value
        self.last_epoch += 1
        self._last_lr = values_of(self.optimizer, "lr")
