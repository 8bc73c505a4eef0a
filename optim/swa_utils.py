"""Averages of weights under PyTorch's path: ``SWALR``, and what ``nn.averaging`` has.

``optim`` needs no modules for anything else, so ``nn`` is imported when one of its names is first asked for.
"""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

from .lr_scheduler.base import LRScheduler, per_group, wants_count, wants_optimizer
from .optimizer import Optimizer

if TYPE_CHECKING:
    from nn.averaging import (
        AveragedModel,
        get_ema_avg_fn,
        get_ema_multi_avg_fn,
        get_swa_avg_fn,
        get_swa_multi_avg_fn,
        update_bn,
    )

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "get_ema_avg_fn",
    "get_swa_avg_fn",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("nn.averaging"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class SWALR(LRScheduler):
    """Lets the rates go to swa_lr within anneal_epochs steps and keeps them there, while weights are averaged.

    lr = swa_lr α + lr₀ (1 − α) with α = (1 − cos(π t / n)) / 2 (``"cos"``) or t / n (``"linear"``), t up to n.

    Source: Izmailov et al. 2018, Averaging weights leads to wider optima and better generalization.

    Arguments:
        optimizer: the optimizer whose groups are changed.
        swa_lr: the last rate, a number or one for each group.
        anneal_epochs: n, the number of steps to it; 0 for at once.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: the last step that was taken, to resume after it.

    Raises:
        ValueError: an unknown strategy, a negative number of steps, or a swa_lr that does not fit the groups.

    >>> import optim
    >>> def to_one(optimizer):
    ...     return optim.swa_utils.SWALR(optimizer, swa_lr=1.0, anneal_epochs=4, anneal_strategy="linear")
    >>> optim.lr_scheduler.preview(to_one, steps=6, lr=5.0)
    array([5., 4., 3., 2., 1., 1.])
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        wants_optimizer(self._name, optimizer)
        wants_count(self._name, "anneal_epochs", anneal_epochs, least=0)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"{self._name}: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        rates = per_group(self._name, "swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How far the rates are at this step, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        present = self._present()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group, lr in zip(self.optimizer.param_groups, present, strict=True):
            end = group["swa_lr"]
            # The rate to start from is worked out anew, since another schedule may have changed it until now.
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
