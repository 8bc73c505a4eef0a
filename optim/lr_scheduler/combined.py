"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from autograd.errors import describe

from ..optimizer import Optimizer
from .base import LRScheduler, set_value, values_of
from .plateau import HalveWhenWorseLR, ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    """What both share: the checks of the parts, and their states."""

    _schedulers: Sequence[LRScheduler]

    def _check_parts(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        if not schedulers:
            raise ValueError(f"{self._name}: schedulers is empty; give at least one")
        for i, part in enumerate(schedulers):
            if not isinstance(part, LRScheduler):
                raise TypeError(f"{self._name}: schedulers[{i}] must be a schedule, got {describe(part)}")
            optimizer = optimizer or part.optimizer
            if isinstance(part, (ReduceLROnPlateau, HalveWhenWorseLR)):
                raise ValueError(
                    f"{self._name}: schedulers[{i}] is a {part._name}, whose step() wants a measured value; call it "
                    "by itself, next to this one"
                )
            if part.optimizer is not optimizer:
                raise ValueError(
                    f"{self._name}: schedulers[{i}], a {part._name}, was made for another optimizer; make all of them "
                    "with the same one"
                )
        assert optimizer is not None
        return optimizer

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule and its parts remember."""
        return {**super().state_dict(), "_schedulers": [part.state_dict() for part in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what ``state_dict`` returned, for the parts too."""
        states = state_dict["_schedulers"]
        if len(states) != len(self._schedulers):
            raise ValueError(
                f"{self._name}.load_state_dict: the state has {len(states)} schedules, this one {len(self._schedulers)}"
            )
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for part, state in zip(self._schedulers, states, strict=True):
            part.load_state_dict(state)


class SequentialLR(_Combined):
    """Follows one schedule after the other: the next from each milestone on, each as if it began there.

    The schedules may themselves be made of schedules, at any place. (In PyTorch only the first may, and its own
    milestones then come one step early.)

    Arguments:
        optimizer: the optimizer whose groups are changed.
        schedulers: the schedules, all made for this optimizer.
        milestones: the steps at which the second, third, ... begin; one fewer than schedules.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: no schedules, as many milestones as do not fit them, one that wants measured values, or one of
            another optimizer. TypeError: one that is no schedule.

    >>> import optim
    >>> from optim.lr_scheduler import ExponentialLR, LinearLR
    >>> def warm_up_then_decay(optimizer):
    ...     warm_up = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    ...     return SequentialLR(optimizer, [warm_up, ExponentialLR(optimizer, gamma=0.5)], milestones=[3])
    >>> optim.lr_scheduler.preview(warm_up_then_decay, steps=6, lr=8.0)
    array([2., 4., 6., 8., 4., 2.])
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self.optimizer = self._check_parts(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{self._name}: {len(schedulers)} schedules want {len(schedulers) - 1} milestones between them, got "
                f"{len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        # Each part has taken its first step when it was made; only the one of step 0 may.
        self.recursive_undo()
        self._first()._initial_step()
        self._last_lr = self._first().get_last_lr()

    def _first(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, 0)]

    def _initial_step(self) -> None:
        self.last_epoch = 0
        self._first()._initial_step()
        self._last_lr = self._first().get_last_lr()

    def _update_lr(self, epoch: int | None = None) -> None:
        """Begins anew, as a part whose turn it is; parts are not sent to other steps than 0."""
        self.last_epoch = 0
        self._first()._update_lr(0)
        self._last_lr = self._first().get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Takes back the first step of the parts, and of theirs."""
        sched = self if sched is None else sched
        if isinstance(sched, _Combined):
            for part in sched._schedulers:
                self.recursive_undo(part)
        else:
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Goes to the next step, by the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        part = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            part._update_lr(0)
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(_Combined):
    """Takes a step of every schedule at each step, so that their factors multiply.

    Arguments:
        schedulers: the schedules, all made for one optimizer.
        optimizer: that optimizer; the schedules' if not given.

    Raises:
        ValueError: no schedules, one that wants measured values, or one of another optimizer. TypeError: one that is
            no schedule.

    >>> import optim
    >>> from optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> def both(optimizer):
    ...     return ChainedScheduler([ConstantLR(optimizer, 0.25, total_iters=2), ExponentialLR(optimizer, gamma=0.5)])
    >>> optim.lr_scheduler.preview(both, steps=4, lr=8.0)
    array([2., 1., 2., 1.])
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.optimizer = self._check_parts(schedulers, optimizer)
        self._schedulers = schedulers
        self._last_lr = values_of(self.optimizer, "lr")

    def _initial_step(self) -> None:
        for part in self._schedulers:
            part._initial_step()
        self._last_lr = values_of(self.optimizer, "lr")

    def _update_lr(self, epoch: int | None = None) -> None:
        """Begins anew from the first rates, as a part whose turn it is."""
        for group in self.optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        self._initial_step()

    def step(self) -> None:  # type: ignore[override]
        """Goes to the next step of every schedule."""
        for part in self._schedulers:
            part.step()
        self._last_lr = values_of(self.optimizer, "lr")
