"""The floor: forward and backward pass in NumPy, written out for one model each, into buffers that are made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import inputs

Step = Callable[[], Any]


def _mlp(name: str, adam: bool) -> Step:
    x, y, weights, activation = inputs.mlp(name)
    batch, pairs = len(x), list(zip(weights[::2], weights[1::2], strict=True))
    values = [x, *[np.empty((batch, len(b)), np.float32) for _, b in pairs]]
    slopes = [np.empty_like(v) for v in values]
    masks = [np.empty(v.shape, bool) for v in values]
    gradients = [np.empty_like(w) for w in weights]
    moments = [(np.zeros_like(w), np.zeros_like(w), np.empty_like(w)) for w in weights]
    rows, last, count = np.arange(batch), len(pairs), 0
    largest = np.empty((batch, 1), np.float32)

    def forward_and_backward() -> Any:
        for i, (w, b) in enumerate(pairs, 1):
            z = values[i]
            np.matmul(values[i - 1], w.T, out=z)
            z += b
            if i < last:
                (np.maximum(z, 0, out=z) if activation == "relu" else np.tanh(z, out=z))
        z, g = values[last], slopes[last]
        np.maximum.reduce(z, axis=1, keepdims=True, out=largest)
        z -= largest
        np.exp(z, out=g)
        total = np.add.reduce(g, axis=1, keepdims=True)
        loss = np.log(total).mean() - z[rows, y].mean()
        g /= total
        g[rows, y] -= 1
        g /= batch
        for i in range(last, 0, -1):
            g, a = slopes[i], values[i - 1]
            np.matmul(g.T, a, out=gradients[2 * i - 2])
            np.add.reduce(g, axis=0, out=gradients[2 * i - 1])
            if i > 1:
                below = slopes[i - 1]
                np.matmul(g, pairs[i - 1][0], out=below)
                if activation == "relu":
                    np.greater(a, 0, out=masks[i - 1])
                    below *= masks[i - 1]
                else:
                    a *= a
                    np.subtract(1, a, out=a)
                    below *= a
        return loss

    def sgd() -> Any:
        loss = forward_and_backward()
        for p, g in zip(weights, gradients, strict=True):
            g *= inputs.RATE
            p -= g
        return loss

    def adaptive() -> Any:
        nonlocal count
        loss = forward_and_backward()
        count += 1
        scale = inputs.ADAM / (1 - 0.9**count)
        correction = 1 / (1 - 0.999**count) ** 0.5
        for p, g, (m, v, buffer) in zip(weights, gradients, moments, strict=True):
            np.subtract(g, m, out=buffer)
            buffer *= 0.1
            m += buffer
            g *= g
            g *= 0.001
            v *= 0.999
            v += g
            np.sqrt(v, out=buffer)
            buffer *= correction
            buffer += 1e-8
            np.divide(m, buffer, out=buffer)
            buffer *= scale
            p -= buffer
        return loss

    return adaptive if adam else sgd


def _elementwise() -> Step:
    x = inputs.elements()
    a, b, c, d, y, e = (np.empty_like(x) for _ in range(6))
    block = 1 << 14  # six buffers of it stay in the cache

    def step() -> Any:
        total = 0.0
        for start in range(0, x.size, block):
            span = slice(start, start + block)
            v, bell, sine, hyperbolic, out, spare = x[span], a[span], b[span], c[span], y[span], e[span]
            np.multiply(v, v, out=bell)
            np.negative(bell, out=bell)
            np.exp(bell, out=bell)
            np.sin(v, out=sine)
            np.tanh(v, out=hyperbolic)
            np.multiply(bell, sine, out=out)
            np.multiply(hyperbolic, 0.5, out=spare)
            out += spare
            total += float(np.add.reduce(out * out + v, dtype=np.float32))
            out *= 2  # from here on the gradient: 2 y (bell cos − 2 x bell sine + (1 − tanh²) / 2) + 1
            np.multiply(hyperbolic, hyperbolic, out=hyperbolic)
            np.subtract(1, hyperbolic, out=hyperbolic)
            hyperbolic *= 0.5
            np.multiply(v, sine, out=spare)
            spare *= -2
            np.cos(v, out=sine)
            spare += sine
            spare *= bell
            spare += hyperbolic
            spare *= out
            spare += 1
            np.divide(spare, x.size, out=d[span])
        return total / x.size

    return step


def workloads() -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it."""
    return {
        **{
            f"{name}, {optimizer}": partial(_mlp, name, optimizer == "Adam")
            for name in ("digits MLP", "MNIST MLP")
            for optimizer in ("SGD", "Adam")
        },
        **{name: partial(_mlp, name, False) for name in ("20 narrow layers", "4 × 1024 MLP")},
        "elementwise, 10⁶": _elementwise,
    }
