"""Schedules that are a function of the step: one's own, and those of the lectures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.errors import describe

from ..optimizer import Optimizer
from .base import LRScheduler, callables_state, per_group

__all__ = ["ConstantThenInverseLR", "InverseTimeLR", "LambdaLR", "MultiplicativeLR"]

Factor = Callable[[int], float]


class _Functions(LRScheduler):
    """What LambdaLR and MultiplicativeLR share: a function for each group, saved where it is an object."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        self.lr_lambdas = per_group(self._name, "lr_lambda", optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{self._name}: lr_lambda must be a function of the step, got {describe(function)}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule remembers; of ``lr_lambda`` the attributes of callable objects, and no functions."""
        return {**super().state_dict(), "lr_lambdas": callables_state(self.lr_lambdas)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what ``state_dict`` returned; functions stay those that this schedule was made with."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                function.__dict__.update(saved)


class LambdaLR(_Functions):
    """Sets the rates to a function of the step: lr = lr₀ λ(t).

    Arguments:
        optimizer: the optimizer whose groups are changed.
        lr_lambda: λ, a function of the step that returns the factor, or a list of one for each group.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        TypeError: an lr_lambda that cannot be called. ValueError: as many functions as there are not groups.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: LambdaLR(o, lambda t: 1 / (1 + t) ** 0.5), steps=4, lr=6.0)
    array([6. , 4.24264069, 3.46410162, 3. ])
    """

    def get_lr(self) -> list[Any]:
        return [lr * function(self.last_epoch) for function, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_Functions):
    """Multiplies the rates at each step by a function of it: lr ← lr λ(t).

    Arguments:
        optimizer: the optimizer whose groups are changed.
        lr_lambda: λ, a function of the step that returns the factor, or a list of one for each group.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        TypeError: an lr_lambda that cannot be called. ValueError: as many functions as there are not groups.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: MultiplicativeLR(o, lambda t: 0.5 if t < 3 else 1.0), steps=4, lr=8.0)
    array([8., 4., 2., 2.])
    """

    def get_lr(self) -> list[Any]:
        present = self._present()
        if self._is_initial:
            return present
        return [lr * function(self.last_epoch) for function, lr in zip(self.lr_lambdas, present, strict=True)]


class InverseTimeLR(LRScheduler):
    """Decays the rates by the number of steps: lr = lr₀ / (1 + k t), the lectures' 1/t decay.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        k: how fast; after 1/k steps the rates are half of the first ones. At least 0.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a negative k.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: InverseTimeLR(o, k=1.0), steps=4, lr=12.0)
    array([12., 6., 4., 3.])
    """

    def __init__(self, optimizer: Optimizer, k: float, last_epoch: int = -1) -> None:
        if not k >= 0:
            raise ValueError(f"{self._name}: k must not be negative, got {k}")
        self.k = k
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return [lr / (1 + self.k * self.last_epoch) for lr in self.base_lrs]


class ConstantThenInverseLR(LRScheduler):
    """Keeps the rates until step τ and then decays them by the number of steps: lr = lr₀ τ / max(t, τ).

    Source: Bengio 2012, Practical recommendations for gradient-based training of deep architectures; the lectures.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        tau: τ, the step at which the decay begins, above 0.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: a tau that is not above 0.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: ConstantThenInverseLR(o, tau=2), steps=5, lr=12.0)
    array([12., 12., 12., 8., 6.])
    """

    def __init__(self, optimizer: Optimizer, tau: float, last_epoch: int = -1) -> None:
        if not tau > 0:
            raise ValueError(f"{self._name}: tau must be above 0, got {tau}")
        self.tau = tau
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return [lr * (self.tau / max(self.last_epoch, self.tau)) for lr in self.base_lrs]
