"""Layers beside PyTorch eager: forward in inference, and forward with backward, at sizes of small networks.

    python benchmarks/layers.py [NAME ...] [--threads 1] [--json layers.json]

Every row is measured in this one process, the two taking turns, and the minimum of the repeats is reported. Values and
gradients are compared first, so that a wrong answer never counts as fast. With names, only rows whose layer contains
one of them are run.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="*", help="rows to run, by a part of the layer's name")
parser.add_argument("--threads", type=int, default=1, help="BLAS and PyTorch threads")
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

# How long one contestant runs before it is the other's turn, in seconds.
TURN = 0.01

Library = Any
Build = Callable[[Library], Any]


def function(call: Callable[[Library, Any], Any]) -> Build:
    """A layer that is a function of ``nn.functional``."""
    return lambda nn: lambda x: call(nn.functional, x)


def lenet(nn: Library) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def digits(nn: Library) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


# What the layer is, the shape of its input, how it is built from ``nn`` or ``torch.nn``, and for a layer that takes
# integers (or a loss, which compares with classes) below which number they are drawn.
ROWS: list[tuple[str, tuple[int, ...], Build, int | None]] = [
    ("Linear(64, 64)", (32, 64), lambda nn: nn.Linear(64, 64), None),
    ("ReLU", (32, 64), lambda nn: nn.ReLU(), None),
    ("GELU", (32, 256), lambda nn: nn.GELU(), None),
    ("GELU('tanh')", (32, 256), lambda nn: nn.GELU("tanh"), None),
    ("SiLU", (32, 256), lambda nn: nn.SiLU(), None),
    ("Softmax", (32, 64), lambda nn: nn.Softmax(-1), None),
    ("LogSoftmax", (32, 64), lambda nn: nn.LogSoftmax(-1), None),
    ("CrossEntropyLoss", (32, 10), lambda nn: nn.CrossEntropyLoss(), 10),
    ("MSELoss", (32, 10), lambda nn: nn.MSELoss(), None),
    ("HuberLoss", (32, 10), lambda nn: nn.HuberLoss(), None),
    ("Dropout(0.5)", (32, 256), lambda nn: nn.Dropout(0.5), None),
    ("Embedding(1000, 64)", (32, 16), lambda nn: nn.Embedding(1000, 64), 1000),
    ("LayerNorm(64)", (32, 16, 64), lambda nn: nn.LayerNorm(64), None),
    ("RMSNorm(64)", (32, 16, 64), lambda nn: nn.RMSNorm(64), None),
    ("BatchNorm1d(64)", (32, 64), lambda nn: nn.BatchNorm1d(64), None),
    ("BatchNorm2d(16)", (32, 16, 8, 8), lambda nn: nn.BatchNorm2d(16), None),
    ("GroupNorm(4, 16)", (32, 16, 8, 8), lambda nn: nn.GroupNorm(4, 16), None),
    ("InstanceNorm2d(16)", (32, 16, 8, 8), lambda nn: nn.InstanceNorm2d(16), None),
    ("MaxPool2d(2)", (4, 3, 16, 16), lambda nn: nn.MaxPool2d(2), None),
    ("MaxPool2d(2)", (32, 32, 8, 8), lambda nn: nn.MaxPool2d(2), None),
    ("MaxPool2d(3, 2, 1)", (32, 32, 8, 8), lambda nn: nn.MaxPool2d(3, 2, 1), None),
    ("MaxPool1d(2)", (32, 16, 64), lambda nn: nn.MaxPool1d(2), None),
    ("AvgPool2d(2)", (32, 32, 8, 8), lambda nn: nn.AvgPool2d(2), None),
    ("AvgPool2d(3, 2, 1)", (32, 32, 8, 8), lambda nn: nn.AvgPool2d(3, 2, 1), None),
    ("AdaptiveAvgPool2d(1)", (32, 32, 8, 8), lambda nn: nn.AdaptiveAvgPool2d(1), None),
    ("Conv2d(1, 6, 5, padding=2)", (32, 1, 28, 28), lambda nn: nn.Conv2d(1, 6, 5, padding=2), None),
    ("Conv2d(6, 16, 5)", (32, 6, 14, 14), lambda nn: nn.Conv2d(6, 16, 5), None),
    ("Conv2d(16, 32, 3, padding=1)", (32, 16, 8, 8), lambda nn: nn.Conv2d(16, 32, 3, padding=1), None),
    ("Conv2d(3, 8, 3)", (4, 3, 16, 16), lambda nn: nn.Conv2d(3, 8, 3), None),
    ("Conv2d(32, 64, 1)", (32, 32, 8, 8), lambda nn: nn.Conv2d(32, 64, 1), None),
    ("Conv1d(16, 32, 3)", (32, 16, 64), lambda nn: nn.Conv1d(16, 32, 3), None),
    ("ConvTranspose2d(16, 8, 2, 2)", (32, 16, 8, 8), lambda nn: nn.ConvTranspose2d(16, 8, 2, 2), None),
    ("pad(1)", (32, 16, 8, 8), function(lambda f, x: f.pad(x, (1, 1, 1, 1))), None),
    ("pad(1, 'reflect')", (32, 16, 8, 8), function(lambda f, x: f.pad(x, (1, 1, 1, 1), mode="reflect")), None),
    ("interpolate(2)", (4, 3, 16, 16), function(lambda f, x: f.interpolate(x, scale_factor=2)), None),
    (
        "interpolate(2, 'bilinear')",
        (4, 3, 16, 16),
        function(lambda f, x: f.interpolate(x, scale_factor=2, mode="bilinear")),
        None,
    ),
    ("LeNet", (32, 1, 28, 28), lenet, None),
    ("two convolutions", (32, 1, 8, 8), digits, None),
]
RANDOM = ("Dropout",)


class Contestant:
    """One library's layer with its input, and what is measured of it."""

    def __init__(self, library: Library, modules: Library, shape: tuple[int, ...], build: Build, below: int | None):
        rng = np.random.default_rng(0)
        x = rng.standard_normal(shape).astype(np.float32)
        self.library, self.layer = library, build(modules)
        is_lookup, is_loss = "Embedding" in type(self.layer).__name__, "Loss" in type(self.layer).__name__
        if is_lookup:
            self.inputs = [library.tensor(rng.integers(0, below, shape))]
        else:
            self.inputs = [library.tensor(x, requires_grad=True)]
        if is_loss:
            target = rng.integers(0, below, shape[0]) if below else rng.standard_normal(shape).astype(np.float32)
            self.inputs.append(library.tensor(target))
        self.parameters = list(self.layer.parameters()) if hasattr(self.layer, "parameters") else []
        with library.no_grad():
            for p in self.parameters:
                p.copy_(library.tensor((rng.standard_normal(tuple(p.shape)) * 0.1).astype(np.float32)))
        self.wanted = [*([] if is_lookup else self.inputs[:1]), *self.parameters]
        y = self.layer(*self.inputs)
        self.upstream = library.tensor(rng.standard_normal(tuple(y.shape)).astype(np.float32))

    def forward(self) -> Any:
        with self.library.no_grad():
            return self.layer(*self.inputs)

    def both(self) -> Any:
        for t in self.wanted:
            t.grad = None
        y = self.layer(*self.inputs)
        y.backward(self.upstream)
        return y

    def results(self) -> list[np.ndarray]:
        y = self.both()
        return [y.detach().numpy(), *(t.grad.numpy() for t in self.wanted)]


def best(contestants: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds per call, the minimum over repeats in which the contestants take turns."""
    calls = {}
    for name, call in contestants.items():
        call()
        start = time.perf_counter()
        call()
        calls[name] = min(max(int(TURN / (time.perf_counter() - start)), 1), 500)
    times = dict.fromkeys(contestants, float("inf"))
    for _ in range(arguments.repeats):
        for name, call in contestants.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                call()
            times[name] = min(times[name], (time.perf_counter() - start) / calls[name])
    return times


def main() -> None:
    print(f"threads: {arguments.threads}, minimum of {arguments.repeats} repeats, taken in turns; µs")
    print(f"{'':50}{'forward':^27}{'forward+backward':^27}")
    print(f"{'':50}" + f"{'glassgrad':>10}{'PyTorch':>9}{'ratio':>8}" * 2)
    rows: list[dict[str, Any]] = []
    for label, shape, build, below in ROWS:
        if arguments.names and not any(name.lower() in label.lower() for name in arguments.names):
            continue
        ours = Contestant(autograd, nn, shape, build, below)
        theirs = Contestant(torch, torch.nn, shape, build, below)
        if not label.startswith(RANDOM):
            for a, b in zip(ours.results(), theirs.results(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3, err_msg=label)
        row: dict[str, Any] = {"layer": label, "shape": shape}
        line = f"{label:32}{shape!s:18}"
        for what in ("forward", "both"):
            times = best({"glassgrad": getattr(ours, what), "pytorch": getattr(theirs, what)})
            row["forward" if what == "forward" else "forward+backward"] = times
            a, b = times["glassgrad"], times["pytorch"]
            line += f"{a * 1e6:10.1f}{b * 1e6:9.1f}{a / b:8.2f}"
        rows.append(row)
        print(line, flush=True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"threads": arguments.threads, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
