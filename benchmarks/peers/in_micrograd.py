"""The workloads of scalars in micrograd."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from micrograd.engine import Value

from . import inputs

Step = Callable[[], Any]


def tanh(x: Value) -> Value:
    """micrograd has no tanh of its own, so it gets one as its authors write theirs."""
    y = math.tanh(x.data)
    out = Value(y, (x,), "tanh")

    def backward() -> None:
        x.grad += (1 - y * y) * out.grad

    out._backward = backward
    return out


def workloads() -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it."""
    return {"scalar chain": scalar_chain, "scalar network": scalar_network}


def scalar_chain() -> Step:
    sys.setrecursionlimit(10_000)  # its backward pass calls itself for each operation
    y = Value(1.0001)

    def step() -> Any:
        y.grad = 0
        z = y
        for _ in range(inputs.CHAIN // 2):
            z = z * y
            z = z + y
        z.backward()
        return z

    return step


def scalar_network() -> Step:
    points, targets, weights = inputs.scalar_network()
    layers = [
        ([[Value(float(w)) for w in row] for row in rows], [Value(float(b)) for b in biases])
        for rows, biases in zip(weights[::2], weights[1::2], strict=True)
    ]
    everything = [p for rows, biases in layers for p in (*(w for row in rows for w in row), *biases)]
    xs = [[float(v) for v in point] for point in points]

    def score(x: Any) -> Any:
        for i, (rows, biases) in enumerate(layers):
            sums = []
            for row, bias in zip(rows, biases, strict=True):
                total = bias
                for w, v in zip(row, x, strict=True):
                    total = total + w * v
                sums.append(total if i == len(layers) - 1 else tanh(total))
            x = sums
        return x[0]

    def step() -> Any:
        for p in everything:
            p.grad = 0
        loss = Value(0.0)
        for x, y in zip(xs, targets.tolist(), strict=True):
            loss = (score(x) - y) ** 2 + loss
        loss.backward()
        return loss

    return step
