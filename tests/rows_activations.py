"""Rows of the activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw
from scipy import special

import autograd

SHAPES = [(), (0,), (1,), (2, 3), (2, 0, 3), (2, 1, 2, 2)]


def samples(low: float = -2.0, high: float = 2.0, avoid: Any = (), **static: Any) -> list[Sample]:
    """One array of several shapes, and with negative strides and its dimensions exchanged."""
    arrays = [draw(s, low=low, high=high, avoid=avoid, seed=i)[0] for i, s in enumerate(SHAPES)]
    (a,) = draw((4, 3), low=low, high=high, avoid=avoid, seed=9)
    return [Sample((x,), static) for x in [*arrays, a[::-1, ::-2].T]]


def variants(*statics: dict[str, Any], **domain: Any) -> list[Sample]:
    """All shapes for the first of the static arguments, one for each of the others."""
    rest = [Sample(tuple(draw((2, 3), seed=i, **domain)), s) for i, s in enumerate(statics[1:])]
    return [*samples(**domain, **statics[0]), *rest]


def functional(name: str) -> Any:
    return lambda torch, *inputs, **static: getattr(torch.nn.functional, name)(*inputs, **static)


def row(name: str, numpy: Any, *statics: dict[str, Any], **domain: Any) -> Row:
    """A public function, called as PyTorch's of the same name is."""
    return Row(name, variants(*(statics or ({},)), **domain), numpy, functional(name), op=getattr(autograd, name))


def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "none":
        return x * special.ndtr(x)
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(beta * x)) / beta)


def elu(x: Any, alpha: float = 1.0, scale: float = 1.0, rate: float = 1.0) -> Any:
    return scale * np.where(x > 0, x, alpha * np.expm1(x * rate))


def in_halves(x: Any, dim: int = -1) -> Any:
    a, b = np.split(x, 2, dim)
    return a * special.expit(b)


def prelu_samples() -> list[Sample]:
    shapes = [((), (1,)), ((3,), (1,)), ((2, 3), (3,)), ((2, 3, 2), (3,)), ((2, 1, 2, 2), ()), ((0, 3), (3,))]
    return [Sample(tuple(draw(s, w, avoid=(0,), seed=i))) for i, (s, w) in enumerate(shapes)]


def prelu(x: Any, weight: Any) -> Any:
    w = weight.reshape(()) if weight.size == 1 else weight.reshape(-1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, w * x)


KINK = {"avoid": (0,)}
ROWS = [
    # The primitives
    Row(
        "times_normal_cdf",
        variants({}, {"approximate": "tanh"}),
        gelu,
        lambda torch, x, **static: torch.nn.functional.gelu(x, **static),
    ),
    Row("times_sigmoid", samples(), lambda x: x * special.expit(x), functional("silu")),
    Row("times_tanh_of_softplus", samples(), lambda x: x * np.tanh(softplus(x)), functional("mish")),
    Row(
        "smooth_relu",
        variants({}, {"beta": 2.0}, {"threshold": 0.5}, avoid=(0, 0.5)),
        lambda x, beta=1.0, threshold=math.inf: softplus(x, beta, threshold),
        lambda torch, x, beta=1.0, threshold=math.inf: torch.nn.functional.softplus(x, beta, threshold),
    ),
    Row(
        "exponential_linear",
        variants({}, {"alpha": 1.5}, {"alpha": 1.5, "scale": 1.2}, {"alpha": 2.0, "rate": 0.5}, **KINK),
        elu,
        lambda torch, x, alpha=1.0, scale=1.0, rate=1.0: scale * torch.where(x > 0, x, alpha * torch.expm1(x * rate)),
    ),
    Row(
        "sloped",
        variants({"slope": 0.1}, {"slope": -2.0}, **KINK),
        lambda x, slope: np.where(x > 0, x, slope * x),
        lambda torch, x, slope: torch.nn.functional.leaky_relu(x, slope),
    ),
    Row(
        "cut_off",
        [Sample(s.inputs, {"low": -1.0, "high": 0.5}) for s in samples(avoid=(-1, 0.5))],
        lambda x, low, high: np.clip(x, low, high),
        lambda torch, x, low, high: torch.nn.functional.hardtanh(x, low, high),
    ),
    # The public functions
    row("gelu", gelu, {}, {"approximate": "tanh"}),
    row("silu", lambda x: x * special.expit(x)),
    row("mish", lambda x: x * np.tanh(softplus(x))),
    row("softplus", softplus, {}, {"beta": 2.0}, {"beta": 2.0, "threshold": 1.0}, avoid=(0, 0.5)),
    row("logsigmoid", lambda x: np.log(special.expit(x))),
    row("softsign", lambda x: x / (1 + np.abs(x)), **KINK),
    row("tanhshrink", lambda x: x - np.tanh(x)),
    row("elu", elu, {}, {"alpha": 1.5}, **KINK),
    row("selu", lambda x: elu(x, 1.6732632423543772, 1.0507009873554805), **KINK),
    row("celu", lambda x, alpha=1.0: elu(x, alpha, 1.0, 1 / alpha), {}, {"alpha": 2.0}, **KINK),
    row(
        "leaky_relu",
        lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        {},
        {"negative_slope": 0.2},
        **KINK,
    ),
    Row("prelu", prelu_samples(), prelu, functional("prelu"), op=autograd.prelu),
    row(
        "hardtanh",
        lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
        {},
        {"min_val": -0.5, "max_val": 1.5},
        avoid=(-1, 1, -0.5, 1.5),
    ),
    row("relu6", lambda x: np.clip(x, 0, 6), low=-8.0, high=8.0, avoid=(0, 6)),
    # By the definition in PyTorch too: its own multiplies the gradient by a 1/6 of float32 precision.
    Row(
        "hardsigmoid",
        samples(low=-5.0, high=5.0, avoid=(-3, 3)),
        lambda x: np.clip(x + 3, 0, 6) / 6,
        lambda torch, x: torch.clamp(x + 3, 0, 6) / 6,
        op=autograd.hardsigmoid,
    ),
    row("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, low=-5.0, high=5.0, avoid=(-3, 3)),
    row(
        "hardshrink",
        lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0),
        {},
        {"lambd": 1.0},
        avoid=(-0.5, 0.5, -1, 1),
    ),
    row(
        "softshrink",
        lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
        {},
        {"lambd": 1.0},
        avoid=(-0.5, 0.5, -1, 1),
    ),
    Row(
        "threshold",
        [Sample((*s.inputs, 0.5, 7.0)) for s in samples(avoid=(0.5,))],
        lambda x, threshold, value: np.where(x > threshold, x, value),
        functional("threshold"),
        op=autograd.threshold,
    ),
    Row(
        "glu",
        [
            Sample(tuple(draw(s, seed=i)), {"dim": d})
            for i, (s, d) in enumerate([((2,), -1), ((2, 4), 1), ((4, 3), 0), ((2, 2, 3), 1), ((0, 2), 1)])
        ],
        in_halves,
        functional("glu"),
        op=autograd.glu,
    ),
]
