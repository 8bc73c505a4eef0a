"""Metric: the base class of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["Metric"]


class Metric:
    """Base class of metrics: ``update`` with each batch, then ``compute``; ``reset`` to start again.

    One's own has ``reset``, ``update`` and ``compute``, and keeps what it gathers in attributes whose names are in
    ``gathered``, so that a checkpoint in the middle of an epoch holds them.

    >>> class Largest(Metric):
    ...     name, gathered = "largest", ("value",)
    ...     def reset(self):
    ...         self.value = 0.0
    ...     def update(self, output, target):
    ...         self.value = max(self.value, output.max().item())
    ...     def compute(self):
    ...         return self.value
    >>> import autograd
    >>> metric = Largest(); metric.update(autograd.tensor([1.0, 5.0]), None); metric.compute()
    5.0
    """

    name: str = ""
    higher_is_better: bool | None = None
    is_number = True
    gathered: tuple[str, ...] = ()

    def __init__(self) -> None:
        if not self.name:
            self.name = type(self).__name__.lower()
        self.reset()

    def reset(self) -> None:
        """Forgets all batches."""
        raise NotImplementedError(f"{type(self).__name__}: define reset(self)")

    def update(self, output: Any, target: Any) -> None:
        """Takes a batch in: what the model gave, and what it should have."""
        raise NotImplementedError(f"{type(self).__name__}: define update(self, output, target)")

    def compute(self) -> Any:
        """The metric of all batches since ``reset``."""
        raise NotImplementedError(f"{type(self).__name__}: define compute(self)")

    def state_dict(self) -> dict[str, Any]:
        """What was gathered, for a checkpoint."""
        return {name: getattr(self, name) for name in self.gathered}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` gave."""
        for name in self.gathered:
            setattr(self, name, state_dict[name])

    def _empty(self) -> ValueError:
        return ValueError(f"{type(self).__name__}: there is nothing to compute from; call update(output, target) first")


def to_array(value: Any) -> np.ndarray:
    """The array of a Tensor, or of anything like one."""
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
