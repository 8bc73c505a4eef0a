"""Rows of the activations that are not among the basic ones."""

from __future__ import annotations

import numpy as np
from layers import OURS, Row, floats
from scipy.special import erf, expit

import autograd
import nn
from autograd import DTypeError, ShapeError


def spread(rng):
    """Entries on both sides of every kink, and none at one."""
    x = rng.uniform(-8, 8, (6, 4))
    return [np.concatenate([x, rng.uniform(-0.45, 0.45, (2, 4))])]


def ints():
    return (autograd.tensor([1, 2]),)


def array():
    return (np.ones(3),)


INTS = (ints, DTypeError, "float")
ARRAY = (array, DTypeError, "must be a Tensor")


def row(name, formula, *arguments, inputs=spread, refuses=(), **settings):
    """A row for ``nn.name(*arguments, **settings)`` with its formula."""
    make = lambda lib: getattr(lib.nn, name)(*arguments, **settings)  # noqa: E731
    return Row(make, inputs, lambda m, x: formula(x), refuses=refuses)


def in_place(name, *arguments, random=False, **settings):
    """A row with the activation written into the output of a layer, which does not need it again."""
    return Row(
        lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 3), getattr(lib.nn, name)(*arguments, inplace=True, **settings)),
        floats((4, 3)), random=random,
    )  # fmt: skip


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def elu(x, alpha=1.0, rate=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) * rate))


def hardsigmoid(lib, **settings):
    """In PyTorch by its definition: the gradient there is multiplied by a 1/6 of float32 precision."""
    module = lib.nn.Hardsigmoid(**settings)
    if lib is not OURS:
        module.forward = lambda x: (x + 3).clamp(0, 6) / 6
    return module


ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def maxout(module, x):
    w, b = module.weight.numpy(), module.bias
    pieces = x @ w.T + (0 if b is None else b.numpy())
    return pieces.reshape(*x.shape[:-1], module.out_features, module.pieces).max(-1)


LAYERS = {
    "LogSigmoid": [row("LogSigmoid", lambda x: -np.log1p(np.exp(-x)), refuses=(ARRAY,))],
    "Softsign": [row("Softsign", lambda x: x / (1 + np.abs(x)), refuses=(ARRAY,))],
    "Tanhshrink": [row("Tanhshrink", lambda x: x - np.tanh(x))],
    "Hardshrink": [
        row("Hardshrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), refuses=(ARRAY,)),
        row("Hardshrink", lambda x: np.where(np.abs(x) > 2, x, 0), lambd=2),
    ],
    "Softshrink": [
        row("Softshrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), refuses=(ARRAY,)),
        row("Softshrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 2, 0), 2),
    ],
    "Hardsigmoid": [
        Row(hardsigmoid, spread, lambda m, x: np.clip(x / 6 + 0.5, 0, 1), refuses=(ARRAY,)),
        Row(lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 3), hardsigmoid(lib, inplace=True)), floats((4, 3))),
    ],
    "Hardswish": [row("Hardswish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), refuses=(ARRAY,)), in_place("Hardswish")],
    "Hardtanh": [
        row("Hardtanh", lambda x: np.clip(x, -1, 1), refuses=(ARRAY,)),
        row("Hardtanh", lambda x: np.clip(x, -2, 3), -2, max_val=3.0),
        in_place("Hardtanh", -0.5),
    ],
    "ReLU6": [row("ReLU6", lambda x: np.clip(x, 0, 6), refuses=(ARRAY,)), in_place("ReLU6")],
    "LeakyReLU": [
        row("LeakyReLU", lambda x: np.maximum(x, 0.01 * x), refuses=(ARRAY, INTS)),
        row("LeakyReLU", lambda x: np.maximum(x, 0.3 * x), negative_slope=0.3),
        in_place("LeakyReLU", 0.2),
    ],
    "RReLU": [
        Row(lambda lib: lib.nn.RReLU(), spread, random=True, refuses=(ARRAY, INTS)),
        Row(lambda lib: lib.nn.RReLU(0.25, upper=0.25), spread, lambda m, x: np.maximum(x, 0.25 * x)),
        in_place("RReLU", 0.1, 0.3, random=True),
    ],
    "PReLU": [
        row("PReLU", lambda x: np.maximum(x, 0.25 * x), refuses=(ARRAY, INTS)),
        row(
            "PReLU", lambda x: np.maximum(x, 0.125 * x), 4, init=0.125,
            refuses=((lambda: (autograd.ones(2, 3),), ShapeError, "has 3 channels"),),
        ),
        Row(lambda lib: lib.nn.PReLU(num_parameters=2), floats((3, 2, 4))),
    ],
    "ELU": [row("ELU", elu, refuses=(ARRAY, INTS)), row("ELU", lambda x: elu(x, 0.5), 0.5), in_place("ELU", alpha=2)],
    "CELU": [row("CELU", elu, refuses=(ARRAY,)), row("CELU", lambda x: elu(x, 2, 0.5), alpha=2.0), in_place("CELU")],
    "SELU": [row("SELU", lambda x: SCALE * elu(x, ALPHA), refuses=(ARRAY,)), in_place("SELU")],
    "GELU": [
        row("GELU", lambda x: x * (1 + erf(x / np.sqrt(2))) / 2, refuses=(INTS,)),
        row(
            "GELU", lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2, approximate="tanh",
        ),
    ],
    "SiLU": [row("SiLU", lambda x: x * expit(x), refuses=(ARRAY,)), in_place("SiLU")],
    "Mish": [row("Mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), refuses=(ARRAY,)), in_place("Mish")],
    "Softplus": [
        row("Softplus", lambda x: np.log1p(np.exp(x)), refuses=(ARRAY,)),
        row("Softplus", lambda x: np.where(2 * x > 5, x, np.log1p(np.exp(2 * x)) / 2), 2, threshold=5),
    ],
    "Threshold": [
        row("Threshold", lambda x: np.where(x > 0.5, x, 20), 0.5, 20, refuses=(ARRAY,)),
        in_place("Threshold", 0.1, value=-1.0),
    ],
    "GLU": [
        row(
            "GLU", lambda x: x[:, :2] * expit(x[:, 2:]),
            refuses=((lambda: (autograd.ones(2, 3),), ShapeError, "must be even"), INTS),
        ),
        row("GLU", lambda x: x[:4] * expit(x[4:]), dim=0),
    ],
    "Softmin": [
        row("Softmin", lambda x: softmax(-x, 1), dim=1),
        row(
            "Softmin", lambda x: softmax(-x, 0), -2,
            refuses=((lambda: (autograd.ones(3),), IndexError, "dim"),),
        ),
    ],
    "Softmax2d": [
        row(
            "Softmax2d", lambda x: softmax(x, 1), inputs=floats((2, 3, 2, 4)),
            refuses=((lambda: (autograd.ones(2, 3),), ShapeError, r"must be \(N, C, H, W\)"),),
        ),
        row("Softmax2d", lambda x: softmax(x, 0), inputs=floats((3, 2, 4))),
    ],
    "Step": [
        Row(lambda lib: nn.Step(), spread, lambda m, x: (x >= 0).astype(float), ours_alone=True),
    ],
    "Maxout": [
        Row(
            lambda lib: nn.Maxout(3, 2), floats((4, 3)), maxout, ours_alone=True,
            refuses=((lambda: (autograd.ones(4, 2),), ShapeError, "linear"),),
        ),
        Row(lambda lib: nn.Maxout(3, 2, pieces=5, bias=False), floats((2, 4, 3)), maxout, ours_alone=True),
        Row(lambda lib: nn.Maxout(3, 4, 1), floats((3,)), maxout, ours_alone=True),
    ],
}  # fmt: skip
