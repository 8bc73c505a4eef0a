"""Adam beside torch.optim.Adam (foreach and fused) and beside one streaming pass over the bytes that it must touch.

    python benchmarks/optimizers.py [--entries 10000000] [--tensors 1 10 1000] [--threads 2] [--json optimizers.json]

The entries are spread evenly over the tensors. A step reads the parameter, its gradient and two moments and writes
all but the gradient: seven streams of 4 bytes an entry. The streaming pass moves as many, with nothing to compute. All
contestants take turns in one process, and the minimum of the repeats is reported; the results are compared first.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--entries", type=int, default=10_000_000, help="in all tensors together")
parser.add_argument("--tensors", type=int, nargs="+", default=[1, 10, 1000], help="over how many tensors")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=15)
parser.add_argument("--json", help="also write the figures here")
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # read by both libraries

import numpy as np
import torch

import autograd
import optim

torch.set_num_threads(arguments.threads)


def ours(starts: list[np.ndarray], gradients: list[np.ndarray]) -> tuple[Callable[[], Any], list[Any]]:
    """A step of optim.Adam, and its parameters."""
    leaves = [autograd.tensor(a, requires_grad=True) for a in starts]
    for leaf, g in zip(leaves, gradients, strict=True):
        leaf.grad = autograd.from_numpy(g)
    return optim.Adam(leaves).step, leaves


def theirs(kind: str, starts: list[np.ndarray], gradients: list[np.ndarray]) -> tuple[Callable[[], Any], list[Any]]:
    """A step of torch.optim.Adam, and its parameters."""
    leaves = [torch.tensor(a, requires_grad=True) for a in starts]
    for leaf, g in zip(leaves, gradients, strict=True):
        leaf.grad = torch.from_numpy(g)
    return torch.optim.Adam(leaves, **{kind: True}).step, leaves


def streaming(entries: int) -> Callable[[], None]:
    """Four arrays read and three of them written, on all threads."""
    a, b, c, d = (torch.zeros(entries) for _ in range(4))

    def touch() -> None:
        a.add_(b)  # reads two, writes one
        c.add_(1.0)
        d.add_(1.0)

    return touch


def measure(steps: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Milliseconds of each, the contestants taking turns."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(arguments.repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best[name], (time.perf_counter() - start) * 1e3)
    return best


def main() -> None:
    rng = np.random.default_rng(0)
    figures = []
    columns = ("glassgrad", "foreach", "fused", "streaming")
    print(f"{'tensors':>8}" + "".join(f"{name + ' ms':>14}" for name in columns) + f"{'/ streaming':>14}")
    for count in arguments.tensors:
        size = arguments.entries // count
        starts = [rng.standard_normal(size, np.float32) for _ in range(count)]
        gradients = [rng.standard_normal(size, np.float32) for _ in range(count)]
        contestants = {
            "glassgrad": ours(starts, gradients),
            "foreach": theirs("foreach", starts, gradients),
            "fused": theirs("fused", starts, gradients),
        }
        for step, _ in contestants.values():
            step(), step()
        for a, b in zip(contestants["glassgrad"][1], contestants["foreach"][1], strict=True):
            np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)
        best = measure(
            {**{name: step for name, (step, _) in contestants.items()}, "streaming": streaming(size * count)}
        )
        figures.append({"tensors": count, "entries": size * count, "threads": arguments.threads, "ms": best})
        ratio = best["glassgrad"] / best["streaming"]
        print(f"{count:>8}" + "".join(f"{best[name]:>14.2f}" for name in columns) + f"{ratio:>14.2f}")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    main()
