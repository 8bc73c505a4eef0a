"""The workloads in MyGrad. It has no optimizers, so that theirs are those of NumPy, written out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet import losses

from . import inputs

Step = Callable[[], Any]


def _training(loss_of: Callable[[list[Any]], Any], weights: list[np.ndarray], optimizer: str = "SGD") -> Step:
    ps = [mg.tensor(w) for w in weights]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    count = 0

    def step() -> Any:
        nonlocal count
        count += 1
        loss = loss_of(ps)
        loss.backward()
        for p, (m, v) in zip(ps, moments, strict=True):
            g = p.grad
            if optimizer == "SGD":
                p.data -= inputs.RATE * g
            else:
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p.data -= inputs.ADAM * (m / (1 - 0.9**count)) / (np.sqrt(v / (1 - 0.999**count)) + 1e-8)
            p.null_grad()
        return loss.item()

    return step


def _scalar_chain() -> Step:
    y = mg.tensor(1.0001)

    def step() -> Any:
        y.null_grad()
        z = y
        for _ in range(inputs.CHAIN // 2):
            z = z * y
            z = z + y
        z.backward()
        return z.item()

    return step


def _mlp(name: str, optimizer: str) -> Step:
    x, y, weights, activation = inputs.mlp(name)

    def loss(ps: list[Any]) -> Any:
        h = x
        for i in range(0, len(ps), 2):
            h = mg.matmul(h, ps[i].T) + ps[i + 1]
            if i + 2 < len(ps):
                h = mg.maximum(h, 0) if activation == "relu" else mg.tanh(h)
        return losses.softmax_crossentropy(h, y)

    return _training(loss, weights, optimizer)


def _elementwise() -> Step:
    x = mg.tensor(inputs.elements())

    def step() -> Any:
        x.null_grad()
        y = mg.exp(-x * x) * mg.sin(x) + mg.tanh(x) * 0.5
        loss = mg.mean(y * y + x)
        loss.backward()
        return loss.item()

    return step


def _embedding() -> Step:
    table, words, targets = inputs.embedding()
    return _training(lambda ps: mg.mean((ps[0][words] - targets) ** 2), [table])


def workloads() -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it."""
    return {
        "scalar chain": _scalar_chain,
        **{
            f"{name}, {optimizer}": partial(_mlp, name, optimizer)
            for name in ("digits MLP", "MNIST MLP")
            for optimizer in ("SGD", "Adam")
        },
        **{name: partial(_mlp, name, "SGD") for name in ("20 narrow layers", "4 × 1024 MLP")},
        "elementwise, 10⁶": _elementwise,
        "embedding, 50,000 rows": _embedding,
    }
