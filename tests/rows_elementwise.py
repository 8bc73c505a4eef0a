"""Rows of the entry-by-entry primitives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, binary_samples, draw, unary_samples

import autograd


def unary(name: str, numpy: Any, *, torch: Any = None, gradient: bool = True, **domain: Any) -> Row:
    return Row(name, unary_samples(**domain), numpy, torch or name, gradient=gradient)


def binary(
    name: str, numpy: Any, *, torch: Any = None, gradient: bool = True, samples: Any = None, **domain: Any
) -> Row:
    return Row(name, samples or binary_samples(**domain), numpy, torch or name, gradient=gradient)


def with_torch_scalars(name: str) -> Any:
    """PyTorch's function of two tensors, which wants tensors also where ours takes numbers."""

    def call(torch: Any, x: Any, y: Any) -> Any:
        dtype = next(v.dtype for v in (x, y) if isinstance(v, torch.Tensor))
        x, y = (v if isinstance(v, torch.Tensor) else torch.tensor(v, dtype=dtype) for v in (x, y))
        return getattr(torch, name)(x, y)

    return call


def remainder_in_torch(torch: Any, x: Any, y: Any) -> Any:
    """By the definition: PyTorch's own has no gradient for y."""
    return x - y * torch.floor(torch.as_tensor(x / y))


def comparison_samples() -> list[Sample]:
    x = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, np.nan]])
    y = np.array([1.0, 3.0, 2.0])
    return [
        Sample((x, y)),
        Sample((x, 1)),
        Sample((np.array(2.0), np.array(2.0))),
        Sample((np.arange(3), np.arange(3)[::-1])),
    ]


def comparison(name: str, numpy: Any) -> Row:
    return Row(name, comparison_samples(), numpy, with_torch_scalars(name), gradient=False)


BITS = [
    Sample((np.array([6, 3, -1]), np.array([3, 5, 12]))),
    Sample((np.array([[True], [False]]), np.array([True, False]))),
]
POW = [
    *binary_samples(low=0.3, high=2.0, second=(-2.0, 2.0), numbers=(2, 1.5, 3)),
    *[Sample((draw((2, 3), avoid=(0,))[0], n)) for n in (2, 3, 1, 0, -1, -2.0)],
    *[Sample((x, 0.5)) for x in draw((), (2, 3), low=0.2)],
]
WHERE_MASK = np.array([[True, False, True], [False, False, True]])


def where_samples() -> list[Sample]:
    shapes = [((2, 3), (2, 3)), ((), (2, 3)), ((3,), (2, 1)), ((1,), (4, 2, 3))]
    samples = [Sample((WHERE_MASK, *draw(*s))) for s in shapes]
    samples += [Sample((WHERE_MASK, draw((2, 3))[0], n)) for n in (0, 1.5)]
    samples += [Sample((WHERE_MASK, 0.5, draw((3,))[0])), Sample((np.array(True), *draw((), ())))]
    return [*samples, Sample((WHERE_MASK[:, :0], *draw((2, 0), (1,))))]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


CLAMP_BOUNDS = [(-1, 1), (None, 0.5), (0, None)]
ROWS = [
    binary("add", np.add),
    binary("sub", np.subtract),
    binary("mul", np.multiply),
    binary("div", np.divide, avoid=(0,)),
    binary("floor_divide", np.floor_divide, low=-2.5, second=(3, 5), numbers=(2.3,), avoid=(0,), gradient=False),
    binary("remainder", np.remainder, low=-2.5, second=(3, 5), numbers=(2.7,), avoid=(0,), torch=remainder_in_torch),
    binary("pow", np.power, samples=POW),
    unary("neg", np.negative),
    unary("exp", np.exp),
    unary("expm1", np.expm1),
    unary("log", np.log, low=0.2),
    unary("log1p", np.log1p, low=-0.8),
    unary("sqrt", np.sqrt, low=0.2),
    unary("deviation", np.sqrt, torch="sqrt", low=0.2),
    unary("square", np.square),
    unary("abs", np.abs, avoid=(0,)),
    unary("sign", np.sign, avoid=(0,)),
    unary("floor", np.floor, avoid=(-2, -1, 0, 1, 2)),
    unary("ceil", np.ceil, avoid=(-2, -1, 0, 1, 2)),
    unary("sin", np.sin),
    unary("cos", np.cos),
    unary("tanh", np.tanh),
    unary("sigmoid", sigmoid),
    unary("relu", lambda x: np.maximum(x, 0), avoid=(0,)),
    binary("maximum", np.maximum, torch=with_torch_scalars("maximum")),
    binary("minimum", np.minimum, torch=with_torch_scalars("minimum")),
    Row(
        "clip",
        [s for a, b in CLAMP_BOUNDS for s in unary_samples(avoid=(-1, 0, 0.5, 1), min=a, max=b)],
        lambda x, min, max: np.clip(x, -math.inf if min is None else min, math.inf if max is None else max),
        "clamp",
    ),
    Row("where", where_samples(), np.where, "where"),
    Row(
        "to",
        unary_samples(dtype=np.dtype("float64")),
        lambda x, dtype: x.astype(dtype),
        lambda torch, x, dtype: x.to(torch.float64),
    ),
    unary("clone", np.copy),
    comparison("eq", np.equal),
    comparison("ne", np.not_equal),
    comparison("lt", np.less),
    comparison("le", np.less_equal),
    comparison("gt", np.greater),
    comparison("ge", np.greater_equal),
    Row("logical_and", [*BITS, *comparison_samples()[:1]], np.logical_and, "logical_and", gradient=False),
    Row("logical_or", [*BITS, *comparison_samples()[:1]], np.logical_or, "logical_or", gradient=False),
    Row("logical_not", [Sample(s.inputs[:1]) for s in BITS], np.logical_not, "logical_not", gradient=False),
    Row("bitwise_and", BITS, np.bitwise_and, "bitwise_and", gradient=False),
    Row("bitwise_or", BITS, np.bitwise_or, "bitwise_or", gradient=False),
    Row("bitwise_not", [Sample(s.inputs[:1]) for s in BITS], np.bitwise_not, "bitwise_not", gradient=False),
    # Functions composed of the primitives above.
    Row(
        "clamp with Tensors",
        [
            Sample((*draw((2, 3), (3,), seed=1), np.array(2.5))),
            Sample((draw((2, 3))[0], draw((2, 1), high=0.0, seed=5)[0], 1.91)),
        ],
        lambda x, low, high: np.minimum(np.maximum(x, low), high),
        lambda torch, x, low, high: torch.clamp(x, low, high if isinstance(high, torch.Tensor) else x.new_tensor(high)),
        op=autograd.clamp,
    ),
    Row(
        "masked_fill",
        [Sample((draw((2, 3))[0], WHERE_MASK, 0.5))],
        lambda x, mask, value: np.where(mask, value, x),
        lambda torch, x, mask, value: x.masked_fill(mask, value),
        op=lambda x, mask, value: x.masked_fill(mask, value),
    ),
]
