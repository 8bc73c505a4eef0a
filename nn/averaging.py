"""Averages of a model's weights over training: equal (SWA), exponential (EMA), or one's own.

PyTorch keeps these in ``optim.swa_utils``, and that path works here too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import autograd
from autograd import Tensor, no_grad

from .module import Module
from .normalization import _BatchNorm

__all__ = [
    "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The average that forgets: a ← decay a + (1 − decay) p, as a function of (a, p, number averaged).

    Arguments:
        decay: from 0, which keeps the last model only, to 1, which keeps the first.

    Raises:
        ValueError: a decay outside [0, 1].

    >>> import autograd
    >>> get_ema_avg_fn(0.75)(autograd.tensor([4.0]), autograd.tensor([8.0]), 1)
    tensor([5.])
    """
    _wants_decay("get_ema_avg_fn", decay)

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * averaged + (1 - decay) * current

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The average that forgets, as a function that changes a list of Tensors in place.

    Arguments:
        decay: from 0, which keeps the last model only, to 1, which keeps the first.

    Raises:
        ValueError: a decay outside [0, 1].

    >>> import autograd
    >>> averaged = [autograd.tensor([4.0])]
    >>> get_ema_multi_avg_fn(0.75)(averaged, [autograd.tensor([8.0])], 1)
    >>> averaged
    [tensor([5.])]
    """
    _wants_decay("get_ema_multi_avg_fn", decay)

    def average(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        _move(averaged, current, 1 - decay)

    return average


def get_swa_avg_fn() -> Average:
    """The equal average: a ← a + (p − a) / (n + 1), as a function of (a, p, n averaged so far).

    >>> import autograd
    >>> get_swa_avg_fn()(autograd.tensor([4.0]), autograd.tensor([10.0]), 2)
    tensor([6.])
    """

    def average(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged + (current - averaged) / (float(num_averaged) + 1)

    return average


def get_swa_multi_avg_fn() -> MultiAverage:
    """The equal average, as a function that changes a list of Tensors in place.

    >>> import autograd
    >>> averaged = [autograd.tensor([4.0])]
    >>> get_swa_multi_avg_fn()(averaged, [autograd.tensor([10.0])], 2)
    >>> averaged
    [tensor([6.])]
    """

    def average(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        _move(averaged, current, 1 / (float(num_averaged) + 1))

    return average


def _move(averaged: Sequence[Tensor], current: Sequence[Tensor], part: float) -> None:
    """Moves each Tensor this part of the way; counts are cut to whole numbers."""
    with no_grad():
        for a, p in zip(averaged, current, strict=True):
            a.copy_((a + (p - a) * part).to(a.dtype))


def _wants_decay(owner: str, decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"{owner}: decay must be between 0 and 1, got {decay}")


class AveragedModel(Module):
    """A copy of a model whose weights are the average of those that the model had at each ``update_parameters``.

    Equal weights (stochastic weight averaging) unless another average is given. The first update copies. Buffers, such
    as the statistics of batch norm, are copied from the model unless ``use_buffers``; ``update_bn`` measures them anew.

    Source: Izmailov et al. 2018, Averaging weights leads to wider optima and better generalization; Polyak and
    Juditsky 1992, Acceleration of stochastic approximation by averaging.

    Arguments:
        model: the model, which is copied.
        device: where the copy should be; the same place as everything.
        avg_fn: a function of (averaged, current, number averaged so far) that returns the new average of a Tensor.
        multi_avg_fn: a function of the same with lists of Tensors of one dtype, which changes the first list in place.
        use_buffers: whether buffers are averaged too.

    Raises:
        ValueError: both avg_fn and multi_avg_fn are given, or ``update_parameters`` gets another kind of model.

    >>> import autograd, nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = optim.swa_utils.AveragedModel(model)
    >>> for value in [1.0, 2.0, 6.0]:
    ...     with autograd.no_grad():
    ...         _ = model.weight.fill_(value)
    ...     averaged.update_parameters(model)
    >>> averaged(autograd.ones(1)).item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: avg_fn and multi_avg_fn are two ways to average; give one of them")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", autograd.tensor(0, dtype="int64", device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the present weights of the model into the average.

        Raises:
            ValueError: the model has other parameters or buffers than the one that was copied.
        """
        averaged, current = _weights(self.module), _weights(model)
        copied = list(zip(_buffers(self.module), _buffers(model), strict=False))
        if [t.shape for t in averaged + _buffers(self.module)] != [t.shape for t in current + _buffers(model)]:
            raise ValueError(
                "AveragedModel: update_parameters wants a model with the parameters and buffers of the one that was "
                "copied; their number or shapes differ"
            )
        if self.use_buffers:
            averaged, current, copied = averaged + _buffers(self.module), current + _buffers(model), []
        with no_grad():
            if self.n_averaged.item() == 0:
                copied += zip(averaged, current, strict=True)
            elif self.avg_fn is not None:
                for a, p in zip(averaged, current, strict=True):
                    a.copy_(self.avg_fn(a, p, self.n_averaged).to(a.dtype))
            else:
                average = self.multi_avg_fn or get_swa_multi_avg_fn()
                for dtype in dict.fromkeys(t.dtype for t in averaged):
                    chosen = [i for i, t in enumerate(averaged) if t.dtype == dtype]
                    average([averaged[i] for i in chosen], [current[i] for i in chosen], self.n_averaged)
            for a, p in copied:
                a.copy_(p)
            self.n_averaged.add_(1)


def _buffers(model: Module) -> list[Tensor]:
    return [b.detach() for b in model.buffers()]


def _weights(model: Module) -> list[Tensor]:
    return [p.detach() for p in model.parameters()]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Measures the running statistics of the model's batch norm layers anew, in one pass over the data.

    Averaged weights have never seen data, so the statistics that belong to them are unknown.

    Arguments:
        loader: batches, each a Tensor or a tuple or list that begins with one: the model's input.
        model: the model; its layers' ``momentum`` and mode are as before afterwards.
        device: where the batches are put; the same place as everything.

    >>> import autograd, nn, optim
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> optim.swa_utils.update_bn([autograd.ones(4, 2)], model)
    """
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = [module.training for module in model.modules()]
    try:
        model.train()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        with no_grad():
            for batch in loader:
                x = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(x if device is None else x.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, training in zip(model.modules(), was_training, strict=True):
            module.training = training
