"""LRScheduler: the count of steps, the rates of the groups, and the state that every schedule shares."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral
from types import FunctionType
from typing import Any

from autograd import Tensor
from autograd.errors import describe
from autograd.keywords import explain_keywords

from ..optimizer import Optimizer

__all__ = ["LRScheduler"]


def values_of(optimizer: Optimizer, key: str) -> list[Any]:
    """The groups' values of this name, Tensors as copies."""
    return [v.clone() if isinstance(v, Tensor) else v for v in (group[key] for group in optimizer.param_groups)]


def set_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Gives a group this value; a Tensor keeps its place and takes the number."""
    if isinstance(group[key], Tensor):
        group[key].fill_(float(value))
    else:
        group[key] = value


def per_group(owner: str, name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from a list of them or from one for all."""
    if not isinstance(value, (list, tuple)):
        return [value] * len(optimizer.param_groups)
    if len(value) != len(optimizer.param_groups):
        raise ValueError(
            f"{owner}: {name} has {len(value)} values, and the optimizer {len(optimizer.param_groups)} parameter "
            "groups; give one number, or one for each group"
        )
    return list(value)


def wants_optimizer(owner: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{owner}: optimizer must be an optim.Optimizer, got {describe(optimizer)}")


def wants_count(owner: str, name: str, value: Any, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{owner}: {name} must be an integer of at least {least}, got {value!r}")


def wants_at_least(owner: str, name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{owner}: {name} must be at least {least:g}, got {value}")


def wants_between(owner: str, name: str, value: float, low: float = 0.0, high: float = 1.0) -> None:
    if not low <= value <= high:
        raise ValueError(f"{owner}: {name} must be between {low:g} and {high:g}, got {value}")


class LRScheduler:
    """Base class of schedules: sets the learning rate of each parameter group at each ``step()``.

    A subclass gives ``get_lr``, which returns the rates for ``self.last_epoch``, one for each group, from
    ``self.base_lrs`` or from the rates that the groups have. Call ``step()`` after ``optimizer.step()``.

    Arguments:
        optimizer: the optimizer whose groups are changed. A group remembers its first rate as ``"initial_lr"``.
        last_epoch: the last step that was taken, to resume after it; −1 to start.

    Raises:
        TypeError: no optimizer. KeyError: resumed, and a group has no ``"initial_lr"``.

    >>> import autograd, optim
    >>> class Thirds(optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 3**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = optim.SGD([autograd.zeros(2, requires_grad=True)], lr=9.0)
    >>> scheduler = Thirds(optimizer)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [3.0]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        explain_keywords(cls, "optim")

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        wants_optimizer(self._name, optimizer)
        self.optimizer = optimizer
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, values_of(optimizer, "lr"), strict=True):
                group.setdefault("initial_lr", lr)
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" not in group:
                raise KeyError(
                    f"{self._name}: resumed at last_epoch={last_epoch}, but group {i} has no 'initial_lr'; load the "
                    "optimizer's state first, or leave last_epoch out"
                )
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule remembers, in PyTorch's layout; the optimizer's own state has the rates.

        >>> import autograd, optim
        >>> optimizer = optim.SGD([autograd.zeros(2, requires_grad=True)], lr=0.1)
        >>> state = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9).state_dict()
        >>> state["gamma"], state["last_epoch"]
        (0.9, 0)
        """
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what ``state_dict`` returned, here or in PyTorch. Load the optimizer's state as well."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates that this schedule set last, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for ``self.last_epoch``; called by ``step()``. For the present ones ask ``get_last_lr()``."""
        raise NotImplementedError(f"{self._name}: get_lr must return a rate for each group of self.optimizer")

    def step(self, epoch: int | None = None) -> None:
        """Goes to the next step and sets its rates.

        Arguments:
            epoch: goes to this step instead, by the schedule's formula. PyTorch discourages it, and it warns here too.
        """
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                f"{self._name}: step() was called before optimizer.step(), so the first rate is never used; call "
                "optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            self._warn_of_epoch()
        self._update_lr(epoch)

    def _warn_of_epoch(self) -> None:
        warnings.warn(
            f"{self._name}: step(epoch) is going away in PyTorch; call step() without an argument",
            UserWarning,
            stacklevel=3,
        )

    def _update_lr(self, epoch: int | None = None) -> None:
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                values = getattr(self, "_get_closed_form_lr", self.get_lr)()
        finally:
            self._get_lr_called_within_step = False
        groups = self.optimizer.param_groups
        if len(values) != len(groups):
            raise ValueError(
                f"{self._name}: has rates for {len(values)} parameter groups, and the optimizer has {len(groups)}; "
                "make the schedule after the last add_param_group"
            )
        for group, lr in zip(groups, values, strict=True):
            set_value(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")

    def _scaled(self, factor: float) -> list[Any]:
        """The present rates times a factor."""
        self._warn_outside_step()
        return [lr * factor for lr in values_of(self.optimizer, "lr")]

    def _present(self) -> list[Any]:
        self._warn_outside_step()
        return values_of(self.optimizer, "lr")

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                f"{self._name}: get_lr() is for step(); the present rates are get_last_lr()", UserWarning, stacklevel=4
            )


def callables_state(functions: Sequence[Any]) -> list[dict[str, Any] | None]:
    """The attributes of callable objects; plain functions have none to save."""
    return [None if f is None or isinstance(f, FunctionType) else f.__dict__.copy() for f in functions]
