"""Metrics of numbers, functions as metrics, and metrics by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd import ShapeError
from autograd.errors import describe

from .confusion import F1, Accuracy, Precision, Recall
from .metric import Metric, to_array

__all__ = ["MeanAbsoluteError", "MeanSquaredError", "R2"]


class _Regression(Metric):
    """What is gathered over pairs of one shape, (N,) or (N, d₁, …), in double precision."""

    def update(self, output: Any, target: Any) -> None:
        output, target = to_array(output), to_array(target)
        # (N, 1) beside (N,) would broadcast to (N, N).
        if output.shape != target.shape or not output.ndim:
            raise ShapeError(
                f"{type(self).__name__}: output is {describe(output)} and target {describe(target)}; they must be of "
                "one shape (N, …)" + ("; squeeze(-1) the output" * (output.shape == (*target.shape, 1)))
            )
        if len(output):
            n = len(output)
            self._update(output.reshape(n, -1).astype(np.float64), target.reshape(n, -1).astype(np.float64))

    def _update(self, output: np.ndarray, target: np.ndarray) -> None:
        raise NotImplementedError


class MeanAbsoluteError(_Regression):
    """The mean of |output − target| over all entries.

    >>> from autograd import tensor
    >>> mae = MeanAbsoluteError(); mae.update(tensor([1.0, 3.0]), tensor([1.0, 2.0])); mae.compute()
    0.5
    """

    name = "mae"
    higher_is_better = False
    gathered = ("total", "count")

    def reset(self) -> None:
        self.total, self.count = 0.0, 0

    def _update(self, output: np.ndarray, target: np.ndarray) -> None:
        self.total += float(np.abs(target - output).sum())
        self.count += output.size

    def compute(self) -> float:
        if not self.count:
            raise self._empty()
        return self.total / self.count


class MeanSquaredError(MeanAbsoluteError):
    """The mean of (output − target)² over all entries.

    >>> from autograd import tensor
    >>> mse = MeanSquaredError(); mse.update(tensor([1.0, 3.0]), tensor([1.0, 1.0])); mse.compute()
    2.0
    """

    name = "mse"

    def _update(self, output: np.ndarray, target: np.ndarray) -> None:
        self.total += float(((target - output) ** 2).sum())
        self.count += output.size


class R2(_Regression):
    """The coefficient of determination: 1 − Σ (y − ŷ)² / Σ (y − ȳ)², averaged over the columns of (N, d) targets.

    1 is perfect, 0 as good as the mean; where all targets are equal it is 1 if they are met and else 0.

    Source: the sums of squares are merged over batches as by Chan, Golub and LeVeque 1979.

    >>> from autograd import tensor
    >>> r2 = R2(); r2.update(tensor([1.0, 2.0, 4.0]), tensor([1.0, 2.0, 3.0])); r2.compute()
    0.5
    """

    name = "r2"
    higher_is_better = True
    gathered = ("count", "mean", "around", "residual")

    def reset(self) -> None:
        self.count = 0
        self.mean = self.around = self.residual = np.zeros(0)

    def _update(self, output: np.ndarray, target: np.ndarray) -> None:
        n, mean = len(target), target.mean(0)
        around, residual = ((target - mean) ** 2).sum(0), ((target - output) ** 2).sum(0)
        if not self.count:
            self.count, self.mean, self.around, self.residual = n, mean, around, residual
            return
        if self.mean.shape != mean.shape:
            raise ShapeError(f"R2: a batch has {mean.size} columns and the ones before {self.mean.size}")
        difference, total = mean - self.mean, self.count + n
        self.around = self.around + around + difference**2 * (self.count * n / total)
        self.mean = self.mean + difference * (n / total)
        self.residual = self.residual + residual
        self.count = total

    def compute(self) -> float:
        if self.count < 2:
            raise ValueError(f"R2: wants at least two targets, got {self.count}")
        constant = self.around == 0
        values = 1 - self.residual / np.where(constant, 1, self.around)
        values[constant] = np.where(self.residual[constant] == 0, 1.0, 0.0)
        return float(np.average(values))


class _Mean(Metric):
    """A function of output and target, averaged over the items."""

    gathered = ("total", "count")

    def __init__(self, name: str, function: Callable[[Any, Any], Any]) -> None:
        self.name, self.function = name, function
        super().__init__()

    def reset(self) -> None:
        self.total, self.count = 0.0, 0

    def update(self, output: Any, target: Any) -> None:
        value = to_array(self.function(output, target))
        if value.size != 1:
            raise ShapeError(f"metric {self.name}: the function gave {describe(value)}; it must give one number")
        n = len(target)
        self.total += float(value.reshape(())) * n
        self.count += n

    def compute(self) -> float:
        if not self.count:
            raise self._empty()
        return self.total / self.count


_BY_NAME: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy, "mae": MeanAbsoluteError, "mse": MeanSquaredError, "r2": R2,
    **{
        kind.name + suffix: functools.partial(kind, average)
        for kind in (Precision, Recall, F1)
        for suffix, average in (("", "binary"), ("_macro", "macro"), ("_micro", "micro"), ("_weighted", "weighted"))
    },
}  # fmt: skip


def as_metrics(given: Any) -> dict[str, Metric]:
    """Metrics by name, of names, metrics and functions, or a dict of such."""
    if isinstance(given, (str, Metric)) or callable(given):
        given = [given]
    pairs: Iterable[tuple[str | None, Any]]
    pairs = given.items() if isinstance(given, Mapping) else [(None, metric) for metric in given]
    metrics: dict[str, Metric] = {}
    for name, metric in pairs:
        if isinstance(metric, str):
            if metric not in _BY_NAME:
                raise ValueError(f"metrics: {metric!r} is none of {', '.join(_BY_NAME)}; a function can be one too")
            metric = _BY_NAME[metric]()
        elif isinstance(metric, type):
            raise TypeError(f"metrics: {metric.__name__} is a class; make one of it: {metric.__name__}()")
        elif not isinstance(metric, Metric):
            if not callable(metric):
                raise TypeError(
                    f"metrics: a metric is a name, a Metric or a function of output and target, got {describe(metric)}"
                )
            metric = _Mean(str(name or getattr(metric, "__name__", type(metric).__name__)), metric)
        name = str(name or metric.name)
        if name in metrics or name in ("loss", "lr", "epoch"):
            raise ValueError(f"metrics: there are two values called {name!r}; name them in a dict")
        metrics[name] = metric
    return metrics
