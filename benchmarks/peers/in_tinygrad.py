"""The workloads in tinygrad, each step compiled by its TinyJit.

On a CPU it needs clang; where there is none, that of the package ziglang serves.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import inputs

# tinygrad hands its source to the compiler by a pipe, for a target that zig calls by another name.
_CLANG = """#!{python}
import subprocess, sys, tempfile
from pathlib import Path
given = [a for a in sys.argv[1:] if not a.startswith("--target=")]
with tempfile.TemporaryDirectory() as folder:
    source, result = Path(folder, "a.c"), Path(folder, "a.o")
    source.write_bytes(sys.stdin.buffer.read())
    given[given.index("-o") + 1], given[given.index("-")] = str(result), str(source)
    target = ["-target", "x86_64-freestanding-none", "-g0", "-fno-sanitize=all", "-fno-stack-protector"]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *target, *given], check=True, stdout=sys.stderr)
    sys.stdout.buffer.write(result.read_bytes())
"""


def _provide_clang() -> None:
    """Before tinygrad is loaded: what it shall call, and a cache of its own, as it does not tell compilers apart."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, True)
    os.environ["CACHEDB"] = str(Path(folder, "cache.db"))
    if not shutil.which("clang"):
        wrapper = Path(folder, "clang")
        wrapper.write_text(_CLANG.format(python=sys.executable), encoding="utf-8")
        wrapper.chmod(0o755)
        os.environ["CC"] = str(wrapper)


_provide_clang()
from tinygrad import Context, Tensor, TinyJit, nn

Step = Callable[[], Any]


def _training(loss_of: Callable[[list[Tensor]], Tensor], weights: list[np.ndarray], optimizer: str = "SGD") -> Step:
    ps = [Tensor(w) for w in weights]
    make = nn.optim.SGD(ps, lr=inputs.RATE) if optimizer == "SGD" else nn.optim.Adam(ps, lr=inputs.ADAM, eps=1e-8)

    @TinyJit
    def step() -> Tensor:
        with Context(TRAINING=1):
            make.zero_grad()
            loss = loss_of(ps)
            loss.backward()
            return loss.realize(*make.schedule_step())

    return step


def _mlp(name: str, optimizer: str) -> Step:
    x, y, weights, activation = inputs.mlp(name)
    data, classes = Tensor(x), Tensor(y)

    def loss(ps: list[Tensor]) -> Tensor:
        h = data
        for i in range(0, len(ps), 2):
            h = h.linear(ps[i].T, ps[i + 1])
            if i + 2 < len(ps):
                h = h.relu() if activation == "relu" else h.tanh()
        return h.sparse_categorical_crossentropy(classes)

    return _training(loss, weights, optimizer)


def _lenet() -> Step:
    x, y, weights = inputs.lenet()
    data, classes = Tensor(x), Tensor(y)

    def loss(ps: list[Tensor]) -> Tensor:
        h = data.conv2d(ps[0], ps[1], padding=2).relu().max_pool2d()
        h = h.conv2d(ps[2], ps[3]).relu().max_pool2d().flatten(1)
        for i in range(4, len(ps), 2):
            h = h.linear(ps[i].T, ps[i + 1])
            h = h.relu() if i + 2 < len(ps) else h
        return h.sparse_categorical_crossentropy(classes)

    return _training(loss, weights)


def _stack() -> Step:
    x, y, weights = inputs.stack()
    data, classes = Tensor(x), Tensor(y)

    def loss(ps: list[Tensor]) -> Tensor:
        h = data
        for i in range(0, len(ps) - 2, 3):
            h = h.conv2d(ps[i], padding=1)
            mean = h.mean((0, 2, 3))
            scale = (h.var((0, 2, 3), correction=0) + 1e-5).rsqrt()
            h = h.batchnorm(ps[i + 1], ps[i + 2], mean, scale).relu()
        return h.mean((2, 3)).linear(ps[-2].T, ps[-1]).sparse_categorical_crossentropy(classes)

    return _training(loss, weights)


def _elementwise() -> Step:
    x = Tensor(inputs.elements())

    @TinyJit
    def step() -> Tensor:
        x.grad = None
        y = (-x * x).exp() * x.sin() + x.tanh() * 0.5
        loss = (y * y + x).mean()
        loss.backward()
        return loss.realize(x.grad)

    return step


def workloads() -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it."""
    return {
        **{
            f"{name}, {optimizer}": partial(_mlp, name, optimizer)
            for name, optimizer in itertools.product(("digits MLP", "MNIST MLP"), ("SGD", "Adam"))
        },
        **{name: partial(_mlp, name, "SGD") for name in ("20 narrow layers", "4 × 1024 MLP")},
        "LeNet": _lenet,
        "conv stack": _stack,
        "elementwise, 10⁶": _elementwise,
    }
