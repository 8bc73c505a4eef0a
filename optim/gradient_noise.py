"""Gradient noise that fades: random steps early in training, out of bad places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
from autograd import Generator

from .optimizer import Optimizer

__all__ = ["GradientNoise"]


class GradientNoise:
    """Adds normal noise to every gradient before each step: g ← g + N(0, σ²) with σ² = eta / (1 + t)^gamma.

    Source: Neelakantan et al. 2015, Adding gradient noise improves learning for very deep networks.

    Arguments:
        optimizer: the optimizer whose gradients are changed, by a hook before its step.
        eta: η, the variance at the first step; the paper tries 0.01, 0.3 and 1.
        gamma: γ, how fast the noise fades.
        generator: the source of the noise; the common stream if not given.

    ``t`` is the number of steps so far; set it to go on after a break. ``remove()`` ends the noise. Sparse gradients
    become dense.

    Raises:
        ValueError: a negative eta or gamma.

    >>> import autograd, optim
    >>> w = autograd.zeros(3, requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=1.0)
    >>> noise = optim.GradientNoise(optimizer, eta=0.01)
    >>> w.grad = autograd.zeros(3)
    >>> optimizer.step()
    >>> bool((w != 0).all()), bool((w.abs() < 1).all()), noise.t
    (True, True, 1)
    """

    def __init__(
        self, optimizer: Optimizer, eta: float = 0.3, gamma: float = 0.55, generator: Generator | None = None
    ) -> None:
        for name, value in (("eta", eta), ("gamma", gamma)):
            if not value >= 0:
                raise ValueError(f"GradientNoise: {name} must not be negative, got {value}")
        self.eta, self.gamma, self.generator = eta, gamma, generator
        self.t = 0
        self._handle = optimizer.register_step_pre_hook(self._before)

    @property
    def sigma(self) -> float:
        """The standard deviation of the next step's noise."""
        return (self.eta / (1 + self.t) ** self.gamma) ** 0.5

    def remove(self) -> None:
        """Ends the noise."""
        self._handle.remove()

    def _before(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        closure = args[0] if args else kwargs.get("closure")
        if closure is None:
            self._add(optimizer)
            return None
        # The gradients come from the closure, within the step.
        return (self._noisy(optimizer, closure), *args[1:]), {k: v for k, v in kwargs.items() if k != "closure"}

    def _noisy(self, optimizer: Optimizer, closure: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            loss = closure()
            self._add(optimizer)
            return loss

        return call

    def _add(self, optimizer: Optimizer) -> None:
        sigma = self.sigma
        with autograd.no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        noise = autograd.randn(*p.shape, dtype=p.dtype, generator=self.generator)
                        p.grad = p.grad + sigma * noise
        self.t += 1
