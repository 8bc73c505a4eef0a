"""Seeing a schedule before training with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import autograd

from ..sgd import SGD
from .base import LRScheduler

__all__ = ["preview"]


def preview(make: Callable[..., LRScheduler], steps: int, lr: float = 0.1) -> np.ndarray:
    """The learning rates of a schedule's first steps, to print or to plot, without training.

    Arguments:
        make: a function that takes an optimizer and returns its schedule; it is called with an ``SGD`` of its own.
        steps: how many rates to return.
        lr: the optimizer's learning rate.

    Returns an array of shape (steps,). Plot it with ``matplotlib.pyplot.plot(preview(...))``.

    >>> import optim
    >>> optim.lr_scheduler.preview(lambda o: optim.lr_scheduler.StepLR(o, step_size=2), steps=4, lr=1.0)
    array([1. , 1. , 0.1, 0.1])
    """
    optimizer = SGD([autograd.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    rates = []
    for step in range(steps):
        if step:
            scheduler.step()
        rates.append(float(scheduler.get_last_lr()[0]))
        optimizer.step()
    return np.array(rates)
