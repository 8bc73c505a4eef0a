"""Rows of the affine layers, plain activations, containers, and the losses that examples use most."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from layers import Row, floats


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def nll(x, t, weight=None, ignore=-100, reduction="mean"):
    w = np.where(t == ignore, 0.0, 1.0 if weight is None else weight[np.where(t == ignore, 0, t)])
    losses = -np.take_along_axis(x, np.where(t == ignore, 0, t)[:, None], 1)[:, 0] * w
    return losses if reduction == "none" else losses.sum() / (w.sum() if reduction == "mean" else 1)


def classes(n, c, *more):
    return lambda rng: [rng.standard_normal((n, c, *more)), rng.integers(0, c, (n, *more))]


def log_probabilities(rng):
    x, t = classes(4, 3)(rng)
    return [np.log(softmax(x, 1)), t]


def pair(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal((4, 3))]


def ignored(rng):
    x, t = classes(5, 3)(rng)
    t[1] = -1
    return [x, t]


def affine(module, x):
    bias = 0 if module.bias is None else module.bias.numpy()
    return x @ module.weight.numpy().T + bias


def chain(module, x):
    return affine(module[2], np.tanh(affine(module[0], x)))


WEIGHT = np.array([0.5, 2.0, 1.0])


def weight(lib):
    return lib.tensor(WEIGHT)


LAYERS = {
    "Linear": [
        Row(lambda lib: lib.nn.Linear(3, 2), floats((4, 3)), affine),
        Row(lambda lib: lib.nn.Linear(3, 2, bias=False), floats((2, 4, 3)), affine),
        Row(lambda lib: lib.nn.Linear(3, 2), floats((3,)), affine),
    ],
    "Sequential": [
        Row(
            lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2)),
            floats((5, 3)), chain,
        ),
        Row(
            lambda lib: lib.nn.Sequential(OrderedDict(a=lib.nn.Linear(3, 4), b=lib.nn.Tanh(), c=lib.nn.Linear(4, 2))),
            floats((5, 3)), chain,
        ),
    ],
    "ReLU": [Row(lambda lib: lib.nn.ReLU(), floats((4, 3)), lambda m, x: np.maximum(x, 0))],
    "Tanh": [Row(lambda lib: lib.nn.Tanh(), floats((4, 3)), lambda m, x: np.tanh(x))],
    "Sigmoid": [Row(lambda lib: lib.nn.Sigmoid(), floats((4, 3)), lambda m, x: 1 / (1 + np.exp(-x)))],
    "Softmax": [
        Row(lambda lib: lib.nn.Softmax(dim=1), floats((4, 3)), lambda m, x: softmax(x, 1)),
        Row(lambda lib: lib.nn.Softmax(dim=-2), floats((4, 3)), lambda m, x: softmax(x, 0)),
    ],
    "LogSoftmax": [Row(lambda lib: lib.nn.LogSoftmax(dim=1), floats((4, 3)), lambda m, x: np.log(softmax(x, 1)))],
    "Identity": [Row(lambda lib: lib.nn.Identity(3, unused=1), floats((4, 3)), lambda m, x: x)],
    "Flatten": [
        Row(lambda lib: lib.nn.Flatten(), floats((2, 3, 4)), lambda m, x: x.reshape(2, 12)),
        Row(lambda lib: lib.nn.Flatten(0, 1), floats((2, 3, 4)), lambda m, x: x.reshape(6, 4)),
    ],
    "MSELoss": [
        Row(lambda lib: lib.nn.MSELoss(), pair, lambda m, x, y: ((x - y) ** 2).mean()),
        Row(lambda lib: lib.nn.MSELoss(reduction="sum"), pair, lambda m, x, y: ((x - y) ** 2).sum()),
        Row(lambda lib: lib.nn.MSELoss(reduction="none"), pair, lambda m, x, y: (x - y) ** 2),
    ],
    "CrossEntropyLoss": [
        Row(lambda lib: lib.nn.CrossEntropyLoss(), classes(4, 3), lambda m, x, t: nll(np.log(softmax(x, 1)), t)),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(weight=weight(lib), ignore_index=-1), ignored,
            lambda m, x, t: nll(np.log(softmax(x, 1)), t, WEIGHT, -1),
        ),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(label_smoothing=0.3, reduction="sum"), classes(4, 3),
            lambda m, x, t: 0.7 * nll(np.log(softmax(x, 1)), t, reduction="sum") - 0.1 * np.log(softmax(x, 1)).sum(),
        ),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(reduction="none"), classes(4, 3, 2),
            lambda m, x, t: -np.take_along_axis(np.log(softmax(x, 1)), t[:, None], 1)[:, 0],
        ),
    ],
    "NLLLoss": [
        Row(lambda lib: lib.nn.NLLLoss(), log_probabilities, lambda m, x, t: nll(x, t)),
        Row(
            lambda lib: lib.nn.NLLLoss(weight=weight(lib), ignore_index=-1), ignored,
            lambda m, x, t: nll(x, t, WEIGHT, -1),
        ),
        Row(lambda lib: lib.nn.NLLLoss(reduction="sum"), log_probabilities, lambda m, x, t: nll(x, t, reduction="sum")),
        Row(
            lambda lib: lib.nn.NLLLoss(reduction="none"), classes(4, 3, 2),
            lambda m, x, t: -np.take_along_axis(x, t[:, None], 1)[:, 0],
        ),
    ],
}  # fmt: skip
