"""Rows of matrix products, layers and losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd

MATMULS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((2, 2, 3), (3, 2)),
    ((2, 2, 3), (2, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((1, 1), (1, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
    ((2, 3), (2, 3, 1)),
    ((1, 2, 3), (2, 3, 2)),
]
LINEARS = [
    ((3,), (2, 3)),
    ((4, 3), (2, 3)),
    ((2, 2, 3), (2, 3)),
    ((2, 1, 2, 3), (1, 3)),
    ((0, 3), (2, 3)),
    ((1, 1), (1, 1)),
]
AXES = [((3,), 0), ((1,), 0), ((2, 3), 1), ((2, 3), 0), ((2, 3, 2), 1), ((0, 3), 1)]


def matmul_samples() -> list[Sample]:
    samples = [Sample(tuple(draw(s, t, seed=i))) for i, (s, t) in enumerate(MATMULS)]
    x, y = draw((4, 3), (4, 3), seed=20)
    return [*samples, Sample((x[::-1], y.T[:, ::-2]))]


def linear_samples() -> list[Sample]:
    samples = []
    for i, (s, t) in enumerate(LINEARS):
        x, weight, bias = draw(s, t, t[:1], seed=i)
        samples += [Sample((x, weight, bias)), Sample((x, weight))]
    return samples


def numpy_linear(x: Any, weight: Any, bias: Any = 0) -> Any:
    return x @ weight.T + bias


def numpy_softmax(x: Any, axis: int) -> Any:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def along(word: str) -> list[Sample]:
    return [Sample(tuple(draw(s, seed=i)), {word: d}) for i, (s, d) in enumerate(AXES)]


def distribution(shape: tuple[int, ...]) -> np.ndarray:
    (p,) = draw(shape, low=0.1, seed=7)
    return p / p.sum(0 if len(shape) == 1 else 1, keepdims=True)


def numpy_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Row by row, as the definition says."""
    classes = input.shape[0 if input.ndim == 1 else 1]
    rows = np.moveaxis(input[None] if input.ndim == 1 else input, 1, -1).reshape(-1, classes)
    weights = np.ones(classes) if weight is None else weight
    probabilities = target.dtype.kind == "f"
    if probabilities:
        targets = np.moveaxis(target[None] if input.ndim == 1 else target, 1, -1).reshape(-1, classes)
    else:
        targets = target.reshape(-1)
    losses, counted = [], 0.0
    for logits, t in zip(rows, targets, strict=True):
        if not probabilities and t == ignore_index:
            losses.append(0.0)
            continue
        q = t if probabilities else np.eye(classes)[t]
        q = q * (1 - label_smoothing) + label_smoothing / classes
        losses.append(-np.sum(weights * q * (logits - np.log(np.sum(np.exp(logits))))))
        counted += 1.0 if probabilities else weights[t]
    if reduction == "none":
        shape = input.shape[2:] if input.ndim == 1 else (input.shape[0], *input.shape[2:])
        return np.reshape(losses, shape)
    return np.sum(losses) / (counted if reduction == "mean" else 1)


def cross_entropy_samples() -> list[Sample]:
    (logits,), classes = draw((4, 3)), np.array([0, 2, 1, 2])
    weight = np.array([0.5, 2.0, 1.25])
    some = np.array([0, -100, 1, -100])
    samples = [Sample((logits, classes)), Sample((*draw((3,)), np.array(1))), Sample((*draw((1, 1)), np.array([0])))]
    for reduction in ("mean", "sum", "none"):
        for smoothing in (0.0, 0.1):
            options = {"reduction": reduction, "label_smoothing": smoothing}
            samples += [
                Sample((logits, classes), options),
                Sample((logits, classes, weight), options),
                Sample((logits, some, weight), options),
                Sample((logits, distribution((4, 3))), options),
                Sample((logits, distribution((4, 3)), weight), options),
            ]
    samples += [Sample((logits, np.array([0, 2, 1, 2])), {"ignore_index": 2})]
    (images,) = draw((2, 3, 2, 2), seed=4)
    places = np.array([[[0, 1], [2, 2]], [[1, 0], [-100, 2]]])
    samples += [Sample((images, places), {"reduction": r}) for r in ("mean", "none")]
    samples += [
        Sample((images, places, weight), {"label_smoothing": 0.2}),
        Sample((images, distribution((2, 3, 2, 2)), weight)),
    ]
    return [*samples, Sample((*draw((3,), seed=6), distribution((3,))))]


def torch_cross_entropy(torch: Any, *inputs: Any, **options: Any) -> Any:
    return torch.nn.functional.cross_entropy(*inputs, **options)


def embedding_row(name: str, *paddings: Any, cut: bool = False) -> Row:
    """With paddings that occur among the numbers the gradient is cut there, and with others it is whole."""
    return Row(
        name,
        [
            Sample((np.array(k), *draw((4, 2))), {"padding_idx": p})
            for k in (1, [1, 2, 1], [[1, 2], [2, 2]])
            for p in paddings
        ],
        lambda input, weight, padding_idx: weight[input],
        lambda torch, input, weight, padding_idx: torch.nn.functional.embedding(input, weight, padding_idx),
        op=autograd.embedding,
        cut=cut,
    )


ROWS = [
    Row("matmul", matmul_samples(), np.matmul, "matmul"),
    Row(
        "linear",
        linear_samples(),
        numpy_linear,
        lambda torch, x, weight, bias=None: torch.nn.functional.linear(x, weight, bias),
    ),
    Row("softmax_along", along("axis"), numpy_softmax, lambda torch, x, axis: torch.softmax(x, axis)),
    Row(
        "log_softmax_along",
        along("axis"),
        lambda x, axis: np.log(numpy_softmax(x, axis)),
        lambda torch, x, axis: torch.log_softmax(x, axis),
    ),
    Row(
        "softmax_cross_entropy",
        [Sample((*draw((n, 3)), np.arange(n) % 3), {"smoothing": e}) for n in (1, 4) for e in (0.0, 0.1)],
        lambda logits, target, smoothing: numpy_cross_entropy(logits, target, label_smoothing=smoothing),
        lambda torch, logits, target, smoothing: torch_cross_entropy(torch, logits, target, label_smoothing=smoothing),
    ),
    # Public functions composed of the primitives above.
    Row("softmax", along("dim"), lambda x, dim: numpy_softmax(x, dim), "softmax", op=autograd.softmax),
    Row(
        "log_softmax",
        along("dim"),
        lambda x, dim: np.log(numpy_softmax(x, dim)),
        "log_softmax",
        op=autograd.log_softmax,
    ),
    # PyTorch has no gradient for the weight of the classes, and neither has a target.
    Row(
        "cross_entropy",
        cross_entropy_samples(),
        numpy_cross_entropy,
        torch_cross_entropy,
        op=autograd.cross_entropy,
        constant=(1, 2),
    ),
    Row(
        "lookup",
        [Sample(draw((4, 2)), {"key": np.array(k, np.int64)}) for k in (1, [1, 2, 1], [[1, 2], [2, -2]], [])],
        lambda x, *, key: x[key],
        lambda torch, x, *, key: x[torch.tensor(key)],
    ),
    embedding_row("embedding", None, 0, -1),
    embedding_row("embedding with padding", 2, -3, cut=True),
]
