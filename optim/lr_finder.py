"""Finding a learning rate: a short training in which it grows from far too small to far too large."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import GraphError
from autograd.errors import describe

from .optimizer import Optimizer

__all__ = ["LRFinderResult", "lr_finder"]


@dataclass(frozen=True)
class LRFinderResult:
    """The curve that ``lr_finder`` measured.

    ``rates`` and ``losses`` are arrays of one length, a rate and the loss of the batch that was trained with it;
    ``smoothed`` is the losses under a Gaussian window, which does not shift the curve along the rates.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss falls most steeply per decade: a good one to train with.

        It lies below the rate of the lowest loss, near which training is about to diverge.

        Raises:
            ValueError: the loss falls nowhere, or fewer than three rates were measured.
        """
        if len(self.rates) < 3:
            raise ValueError(f"lr_finder: a suggestion wants at least 3 rates, got {len(self.rates)}; start lower")
        # Behind the lowest loss it can fall steeply too: from a spike that it has just jumped to.
        slopes = np.gradient(self.smoothed, np.log10(self.rates))[: int(np.argmin(self.smoothed)) + 1]
        steepest = int(np.argmin(slopes))
        if slopes[steepest] >= 0:
            raise ValueError("lr_finder: the loss falls at no rate; look at plot(), and start lower or take more steps")
        return float(self.rates[steepest])

    def plot(self, axes: Any = None) -> Any:
        """Draws the losses over the rates, on a log scale, with the suggestion; returns matplotlib's axes.

        Arguments:
            axes: where to draw; new ones if not given.

        Raises:
            ImportError: matplotlib is missing.
        """
        if axes is None:
            try:
                import matplotlib.pyplot as plt
            except ImportError as error:
                raise ImportError("lr_finder: plot() wants matplotlib; run `pip install matplotlib`") from error
            _, axes = plt.subplots(layout="constrained")
        axes.plot(self.rates, self.losses, color="0.75", linewidth=1, label="loss of the batch")
        axes.plot(self.rates, self.smoothed, color="tab:blue", label="smoothed")
        with contextlib.suppress(ValueError):
            axes.axvline(
                self.suggestion, color="tab:red", linestyle="--", label=f"steepest descent, at {self.suggestion:.2g}"
            )
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.grid(alpha=0.3)
        axes.legend()
        return axes


def lr_finder(
    model: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    loader: Iterable[Any],
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    *,
    diverged: float = 4.0,
    smoothing: float = 3.0,
    progress: bool = True,
) -> LRFinderResult:
    """Trains for a moment with rates from start to end, evenly on a log scale, and takes everything back.

    It stops early at a loss that is not finite or above ``diverged`` times the first. Afterwards, and also when
    interrupted, parameters, buffers, gradients, modes, the optimizer and the random streams (the common one, and
    ``loader.generator``) are as they were, to the bit. What step hooks remember for themselves is not known here.

    Source: Smith 2017, Cyclical learning rates for training neural networks (the range test); the lectures' search on
    a log scale.

    Arguments:
        model: the module to train.
        loss: a function of the model's output and the target that returns the loss to go backward from.
        optimizer: an optimizer of the model's parameters, whose step needs no closure; all groups get the same rate.
        loader: batches (input, target), begun anew when there are no more.
        start, end: the first and the last rate, 0 < start < end.
        steps: the number of batches and rates, at least 2.
        diverged: how many times the first loss ends the search, above 1.
        smoothing: the width of the window of ``smoothed``, in steps; 0 for none.
        progress: whether to show a progress bar, if tqdm is there.

    Returns an ``LRFinderResult``: ``rates``, ``losses``, ``smoothed``, ``suggestion`` and ``plot()``.

    Raises:
        ValueError: a number out of range, an empty loader, a batch that is no pair, or a first loss that is not finite.
        GraphError: no parameter of the optimizer gets a gradient.

    >>> import autograd, nn, optim
    >>> _ = autograd.manual_seed(0)
    >>> model, x = nn.Linear(3, 1), autograd.randn(64, 3)
    >>> data = nn.data.DataLoader(nn.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> found = optim.lr_finder(model, nn.functional.mse_loss, optimizer, data, progress=False)
    >>> 0.01 < found.suggestion < 1
    True
    """
    if not 0 < start < end < math.inf:
        raise ValueError(f"lr_finder: wants 0 < start < end, got start={start} and end={end}")
    if steps < 2:
        raise ValueError(f"lr_finder: steps must be at least 2, got {steps}")
    if not diverged > 1:
        raise ValueError(f"lr_finder: diverged must be above 1, got {diverged}")
    if not smoothing >= 0:
        raise ValueError(f"lr_finder: smoothing must not be negative, got {smoothing}")
    rates = np.geomspace(start, end, steps)
    losses: list[float] = []
    # Divergence is what is looked for, and no reason to warn.
    with _restored(model, optimizer, loader), np.errstate(over="ignore", invalid="ignore"):
        model.train()
        batches = _endless(loader)
        for rate in _with_progress(rates, progress):
            x, y = next(batches)
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
            optimizer.zero_grad()
            with autograd.enable_grad():
                value = loss(model(x), y)
            number = float(value)
            if not losses and not math.isfinite(number):
                raise ValueError(f"lr_finder: the first loss must be finite, got {number}")
            if not math.isfinite(number) or (losses and number > diverged * abs(losses[0])):
                break
            losses.append(number)
            value.backward()
            if len(losses) == 1 and all(p.grad is None for group in optimizer.param_groups for p in group["params"]):
                raise GraphError(
                    "lr_finder: no parameter of the optimizer gets a gradient from the loss; make the optimizer with "
                    "this model's parameters()"
                )
            optimizer.step()
    found = np.array(losses)
    from scipy.ndimage import gaussian_filter1d  # takes a tenth of a second, for those who need it

    smoothed = gaussian_filter1d(found, smoothing, mode="nearest") if smoothing else found.copy()
    return LRFinderResult(rates[: len(found)], found, smoothed)


def _endless(loader: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    while True:
        batch = None
        for batch in loader:
            if not isinstance(batch, (list, tuple)) or len(batch) != 2:
                raise ValueError(f"lr_finder: a batch must be a pair (input, target), got {describe(batch)}")
            yield batch[0], batch[1]
        if batch is None:
            raise ValueError("lr_finder: the loader has no batches")


def _with_progress(rates: np.ndarray, progress: bool) -> Iterable[float]:
    if progress:
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            return tqdm(rates, desc="learning rates", unit="batch", leave=False)
    return rates


@contextlib.contextmanager
def _restored(model: Any, optimizer: Optimizer, loader: Any) -> Iterator[None]:
    """Takes everything that training changes back in the end."""
    params = list(dict.fromkeys([*model.parameters(), *(p for g in optimizer.param_groups for p in g["params"])]))
    values = [p.detach().clone() for p in params]
    gradients = [p.grad for p in params]
    buffers = {name: b.detach().clone() for name, b in model.named_buffers()}
    modes = [(module, module.training) for module in model.modules()]
    state, stepped = copy.deepcopy(optimizer.state_dict()), optimizer._opt_called
    rates = [group["lr"] for group in optimizer.param_groups]
    generator = getattr(loader, "generator", None)
    random = autograd.get_rng_state(), generator and generator.get_state()
    for p in params:
        p.grad = None
    try:
        yield
    finally:
        with autograd.no_grad():
            for p, value, gradient in zip(params, values, gradients, strict=True):
                p.copy_(value)
                p.grad = gradient
            for name, b in model.named_buffers():
                b.copy_(buffers[name])
        for module, training in modes:
            module.training = training
        optimizer.load_state_dict(state)
        optimizer._opt_called = stepped
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        autograd.set_rng_state(random[0])
        if generator is not None:
            generator.set_state(random[1])
