"""The engine beside PyTorch eager and hand-written NumPy: scalar ops, and one training step of the digits MLP.

    python benchmarks/engine.py [--threads 2] [--json engine.json]

Every row is measured in this one process, the contestants taking turns, and the minimum of the repeats is
reported. The losses are compared first, so that a wrong answer never counts as fast.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable
from typing import Any

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=2, help="BLAS and PyTorch threads")
parser.add_argument("--repeats", type=int, default=15)
parser.add_argument("--json", help="also write the figures here")
arguments = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(arguments.threads)  # read when the BLAS libraries are loaded, so before NumPy

import numpy as np
import torch

import autograd
import nn

torch.set_num_threads(arguments.threads)

CHAIN = 1000
SIZES, BATCH = (64, 64, 10), 32


def scalar_chain(library: Any, op: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A chain of one op on scalars: the forward pass alone, and with the backward pass."""
    y = library.tensor(1.0 if op == "add" else 1.0001, requires_grad=True)

    def forward() -> Any:
        z = y
        if op == "add":
            for _ in range(CHAIN):
                z = z + y
        else:
            for _ in range(CHAIN):
                z = z * y
        return z

    def both() -> Any:
        y.grad = None
        z = forward()
        z.backward()
        return y.grad

    return forward, both


def by_size() -> list[dict[str, float]]:
    """Seconds per operation of a chain of additions, forward and backward, by how long it is."""
    y = autograd.tensor(1.0, requires_grad=True)
    rows = []
    for nodes in (10**3, 10**4, 10**5, 10**6):
        forward = back = float("inf")
        for _ in range(max(3, 10**5 // nodes)):
            start, z = time.perf_counter(), y
            for _ in range(nodes):
                z = z + y
            middle = time.perf_counter()
            z.backward()
            forward = min(forward, (middle - start) / nodes)
            back = min(back, (time.perf_counter() - middle) / nodes)
            y.grad = None
        rows.append({"nodes": nodes, "forward": forward, "backward": back})
    return rows


def mlp_data() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    parameters = []
    for n, m in itertools.pairwise(SIZES):
        parameters += [(rng.standard_normal((m, n)) / n**0.5).astype(np.float32), np.zeros(m, np.float32)]
    return rng.random((BATCH, SIZES[0]), np.float32), rng.integers(0, SIZES[-1], BATCH), parameters


def mlp_by_hand() -> Callable[[], Any]:
    """Forward and backward pass as one would write them for this network alone, without an engine."""
    x, labels, (w1, b1, w2, b2) = *mlp_data()[:2], mlp_data()[2]
    rows = np.arange(BATCH)

    def step() -> Any:
        hidden = x @ w1.T
        hidden += b1
        active = np.maximum(hidden, 0)
        logits = active @ w2.T
        logits += b2
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        total = p.sum(axis=1, keepdims=True)
        loss = (np.log(total).sum() - logits[rows, labels].sum()) / BATCH
        p /= total
        p[rows, labels] -= 1
        p /= BATCH
        dw2, db2 = p.T @ active, p.sum(axis=0)
        g = p @ w2
        g *= active > 0
        dw1, db1 = g.T @ x, g.sum(axis=0)
        return loss, (dw1, db1, dw2, db2)

    return lambda: step()[0]


def mlp(library: Any, modules: Any) -> Callable[[], Any]:
    """The same as a model of ``modules``, as its users write it."""
    x, labels, parameters = mlp_data()
    model = modules.Sequential(modules.Linear(SIZES[0], SIZES[1]), modules.ReLU(), modules.Linear(SIZES[1], SIZES[2]))
    with library.no_grad():
        for p, value in zip(model.parameters(), parameters, strict=True):
            p.copy_(library.tensor(value))
    inputs, targets, criterion = library.tensor(x), library.tensor(labels), modules.CrossEntropyLoss()

    def step() -> Any:
        model.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        return loss

    return step


def best(contestants: dict[str, Callable[[], Any]], calls: int) -> dict[str, float]:
    """Seconds per call, the minimum over repeats in which the contestants take turns."""
    times = dict.fromkeys(contestants, float("inf"))
    for call in contestants.values():
        for _ in range(max(calls // 10, 3)):
            call()
    for _ in range(arguments.repeats):
        for name, call in contestants.items():
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times[name] = min(times[name], (time.perf_counter() - start) / calls)
    return times


def main() -> None:
    rows: list[dict[str, Any]] = []
    for op in ("add", "mul"):
        ours, theirs = scalar_chain(autograd, op), scalar_chain(torch, op)
        assert abs(ours[1]().item() - theirs[1]().item()) < 1e-2 * abs(theirs[1]().item()), op
        for which, label, goal in ((0, "forward", 1 / 3), (1, "forward+backward", 1 / 2)):
            times = best({"glassgrad": ours[which], "pytorch": theirs[which]}, 10)
            times = {name: t / CHAIN for name, t in times.items()}
            rows.append({"workload": f"scalar {op}, {label}, per op", "goal vs pytorch": goal, **times})
    contestants = {"glassgrad": mlp(autograd, nn), "pytorch": mlp(torch, torch.nn), "numpy by hand": mlp_by_hand()}
    losses = {name: step().item() for name, step in contestants.items()}
    assert np.allclose(list(losses.values()), losses["numpy by hand"], rtol=1e-5), losses
    workload = f"MLP {'-'.join(map(str, SIZES))}, batch {BATCH}, forward+backward"
    rows.append({"workload": workload, "goal vs pytorch": 1 / 2, "goal vs numpy": 1.5, **best(contestants, 200)})

    print(f"threads: {arguments.threads}, minimum of {arguments.repeats} repeats, taken in turns")
    print(f"{'':48}{'glassgrad':>12}{'PyTorch':>12}{'NumPy':>12}{'/PyTorch':>10}{'/NumPy':>8}   goals")
    for row in rows:
        by_hand = row.get("numpy by hand")
        print(
            f"{row['workload']:48}{row['glassgrad'] * 1e6:9.2f} µs{row['pytorch'] * 1e6:9.2f} µs"
            + (f"{by_hand * 1e6:9.2f} µs" if by_hand else " " * 12)
            + f"{row['glassgrad'] / row['pytorch']:10.2f}"
            + (f"{row['glassgrad'] / by_hand:8.2f}" if by_hand else " " * 8)
            + f"   ≤ {row['goal vs pytorch']:.2f}"
            + (f", ≤ {row['goal vs numpy']:.2f}" if by_hand else "")
        )
    sizes = by_size()
    for size in sizes:
        print(f"a graph of {size['nodes']:9,} nodes, per op: forward {size['forward'] * 1e6:.2f} µs, "
              f"backward {size['backward'] * 1e6:.2f} µs")  # fmt: skip
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"threads": arguments.threads, "rows": rows, "sizes": sizes}, file, indent=1)


if __name__ == "__main__":
    main()
