"""Rows of the normalisations and of attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd


def functional(name: str) -> Any:
    return lambda torch, *inputs, **static: getattr(torch.nn.functional, name)(*inputs, **static)


def standardized(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def affine(y: Any, weight: Any, bias: Any, channels: bool = True) -> Any:
    shape = (-1, *[1] * (y.ndim - 2)) if channels else None
    for p, join in ((weight, np.multiply), (bias, np.add)):
        if p is not None:
            y = join(y, p.reshape(shape) if shape else p)
    return y


def standardize(x: Any, weight: Any = None, bias: Any = None, *, axes: Any, eps: float) -> Any:
    return affine(standardized(x, axes, eps), weight, bias, channels=False)


def torch_standardize(torch: Any, x: Any, weight: Any = None, bias: Any = None, *, axes: Any, eps: float) -> Any:
    centred = x - x.mean(axes, keepdim=True)
    y = centred / torch.sqrt((centred * centred).mean(axes, keepdim=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def standardize_samples() -> list[Sample]:
    cases = [
        ((4,), (0,), (4,)), ((3, 4), (1,), (4,)), ((3, 4), (0,), (4,)), ((2, 3, 4), (0, 2), (3, 1)),
        ((2, 3, 4), (1, 2), (3, 1)), ((2, 3, 2, 2), (2, 3), (3, 1, 1)), ((2, 0, 3), (2,), (3,)),
    ]  # fmt: skip
    samples = []
    for i, (shape, axes, affine_shape) in enumerate(cases):
        x, weight, bias = draw(shape, affine_shape, affine_shape, seed=i)
        given = [(x, weight, bias), (x,), (x, weight), (x, None, bias)][i % 4 : i % 4 + 1] if i else [(x,)]
        samples += [Sample(g, {"axes": axes, "eps": 0.1}) for g in given]
    (x,) = draw((4, 6), seed=9)
    return [*samples, Sample((x[::-1, ::-2],), {"axes": (1,), "eps": 1e-5})]


def rms(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    return x / np.sqrt((x * x).mean(axes, keepdims=True) + eps)


LAST = [((4,), (4,)), ((3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 2, 2, 3), (3,)), ((0, 3), (3,))]


def layer_norm_samples(parameters: int) -> list[Sample]:
    samples = []
    for i, (shape, sizes) in enumerate(LAST):
        x, *given = draw(shape, *[sizes] * parameters, seed=i)
        samples.append(Sample((x, sizes, *given)))
    samples.append(Sample((draw((3, 4))[0], 4), {"eps": 0.5}))
    return samples


def layer_norm(x: Any, sizes: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axes = (-1,) if isinstance(sizes, int) else tuple(range(-len(sizes), 0))
    return affine(standardized(x, axes, eps), weight, bias, channels=False)


def rms_norm(x: Any, sizes: Any, weight: Any = None, eps: float | None = None) -> Any:
    axes = (-1,) if isinstance(sizes, int) else tuple(range(-len(sizes), 0))
    return affine(rms(x, axes, np.finfo(np.float64).eps if eps is None else eps), weight, None, channels=False)


def wants_a_tuple(name: str) -> Any:
    """PyTorch's function wants normalized_shape as a tuple."""

    def call(torch: Any, x: Any, sizes: Any, *given: Any, **static: Any) -> Any:
        return getattr(torch.nn.functional, name)(x, (sizes,) if isinstance(sizes, int) else sizes, *given, **static)

    return call


BATCHES = [((4, 3), True), ((4, 3), False), ((2, 3, 2), True), ((2, 3, 2, 2), False), ((2, 3, 1, 2, 1), True)]


def batch_norm_samples() -> list[Sample]:
    samples = []
    for i, (shape, with_affine) in enumerate(BATCHES):
        x, weight, bias, mean = draw(shape, (3,), (3,), (3,), seed=i)
        variance = draw((3,), low=0.5, high=1.5, seed=i)[0]
        given = (weight, bias) if with_affine else (None, None)
        samples += [
            Sample((x, mean, variance, *given), {"training": False}),
            Sample((x, None, None, *given), {"training": True, "eps": 0.1}),
        ]
    return samples


def batch_norm(
    x: Any, mean: Any, variance: Any, weight: Any, bias: Any, training: bool = False, eps: float = 1e-5
) -> Any:
    axes = (0, *range(2, x.ndim))
    if training:
        return affine(standardized(x, axes, eps), weight, bias)
    shape = (-1, *[1] * (x.ndim - 2))
    return affine((x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + eps), weight, bias)


def instance_norm_samples() -> list[Sample]:
    samples = []
    for i, shape in enumerate([(2, 3, 4), (2, 3, 2, 2)]):
        x, weight, bias, mean = draw(shape, (3,), (3,), (3,), seed=i)
        variance = draw((3,), low=0.5, high=1.5, seed=i)[0]
        samples += [
            Sample((x, None, None, weight, bias)),
            Sample((x, None, None, None, None), {"eps": 0.1}),
            Sample((x, mean, variance, weight, bias), {"use_input_stats": False}),
        ]
    return samples


def instance_norm(
    x: Any, mean: Any, variance: Any, weight: Any, bias: Any, use_input_stats: bool = True, eps: float = 1e-5
) -> Any:
    if not use_input_stats:
        return batch_norm(x, mean, variance, weight, bias, False, eps)
    return affine(standardized(x, tuple(range(2, x.ndim)), eps), weight, bias)


def group_norm_samples() -> list[Sample]:
    samples = []
    for i, shape in enumerate([(3, 6), (2, 4, 3), (2, 4, 2, 2)]):
        x, weight, bias = draw(shape, shape[1:2], shape[1:2], seed=i)
        samples += [Sample((x, 2, weight, bias)), Sample((x, 1), {"eps": 0.1})]
    return samples


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return affine(standardized(x.reshape(x.shape[0], groups, -1), (2,), eps).reshape(x.shape), weight, bias)


def normalize_samples() -> list[Sample]:
    cases = [((2, 3), {}), ((3,), {"dim": 0}), ((2, 3, 2), {"p": 1.0, "dim": -1}), ((2, 3), {"p": 3.0, "dim": (0, 1)})]
    samples = [Sample(tuple(draw(s, avoid=(0,), seed=i)), static) for i, (s, static) in enumerate(cases)]
    return [*samples, Sample(tuple(draw((2, 3), avoid=(0,))), {"eps": 100.0})]


def normalize(x: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    return x / np.maximum((np.abs(x) ** p).sum(dim, keepdims=True) ** (1 / p), eps)


def softmax(x: Any) -> Any:
    if not x.size:
        return x
    with np.errstate(invalid="ignore"):
        e = np.exp(x - x.max(-1, keepdims=True))
        return np.nan_to_num(e / e.sum(-1, keepdims=True))


def masked_softmax(x: Any, mask: Any = None, causal: bool = False) -> Any:
    x = x if mask is None else x + mask
    return softmax(np.where(np.tri(*x.shape[-2:], dtype=bool), x, -np.inf) if causal else x)


def torch_masked_softmax(torch: Any, x: Any, mask: Any = None, causal: bool = False) -> Any:
    x = x if mask is None else x + mask
    if causal:
        x = x.masked_fill(~torch.ones(x.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    return torch.softmax(x, -1)


MASK = np.array([[True, False, True], [False, True, False], [False, False, False], [True, True, True]])


def attention_samples() -> list[Sample]:
    shapes = [((2, 4), (3, 4), (3, 2)), ((2, 3, 2), (2, 3, 2), (2, 3, 2)), ((1, 2, 4, 2), (1, 2, 3, 2), (1, 2, 3, 2))]
    samples = [Sample(tuple(draw(*s, seed=i))) for i, s in enumerate(shapes)]
    q, k, v, mask = draw(*shapes[2], (4, 3), seed=7)
    return [
        *samples,
        Sample((q, k, v), {"is_causal": True}),
        Sample((q, k, v, mask), {"scale": 0.3}),
        Sample((q, k, v, MASK)),
        Sample((q, k, v, MASK[None, 1:2])),
        Sample((q[:, :, :0], k, v)),
        Sample(tuple(draw((2, 4, 3, 2), (2, 2, 3, 2), (2, 2, 3, 1), seed=8)), {"enable_gqa": True, "is_causal": True}),
        Sample(tuple(draw((3, 2, 2), (1, 4, 2), (1, 4, 2), seed=9)), {"enable_gqa": True}),
    ]


def attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    if not scores.size:
        return np.zeros((*scores.shape[:-1], v.shape[-1]))
    return masked_softmax(scores, causal=is_causal) @ v


ROWS = [
    # The primitives
    Row("standardize", standardize_samples(), standardize, torch_standardize),
    Row(
        "scale_to_unit",
        [
            Sample(tuple(draw((3, 4), (4,))), {"axes": (1,), "eps": 0.1}),
            Sample(tuple(draw((2, 3, 4), seed=1)), {"axes": (1, 2), "eps": 1e-5}),
            Sample(tuple(draw((4,), (4,), seed=2)), {"axes": (0,), "eps": 1e-5}),
        ],
        lambda x, weight=None, *, axes, eps: affine(rms(x, axes, eps), weight, None, channels=False),
        lambda torch, x, weight=None, *, axes, eps: torch.nn.functional.rms_norm(x, x.shape[axes[0] :], weight, eps),
    ),
    Row(
        "masked_softmax",
        [
            Sample(tuple(draw((2, 3)))),
            Sample(tuple(draw((2, 3), (3,), seed=1))),
            Sample(tuple(draw((2, 2, 3), seed=2)), {"causal": True}),
            Sample(tuple(draw((2, 3, 3), (3, 3), seed=3)), {"causal": True}),
            Sample(tuple(draw((2, 0)))),
        ],
        masked_softmax,
        torch_masked_softmax,
    ),
    Row(
        "attend",
        [
            Sample(tuple(draw((2, 4), (3, 4), (3, 2))), {"scale": 0.5}),
            Sample(tuple(draw((2, 3, 2), (1, 3, 2), (2, 3, 1), seed=1)), {"scale": 1.0, "causal": True}),
            Sample(tuple(draw((1, 2, 4, 2), (1, 2, 3, 2), (1, 2, 3, 2), (4, 3), seed=2)), {"scale": 0.7}),
            # Enough to go by heads
            Sample(tuple(draw((2, 10, 33), (2, 40, 33), (2, 40, 3), seed=3)), {"scale": 0.3}),
        ],
        lambda q, k, v, mask=None, *, scale, causal=False: attention(q, k, v, mask, causal, scale),
        lambda torch, q, k, v, mask=None, *, scale, causal=False: torch.nn.functional.scaled_dot_product_attention(
            q, k, v, mask, is_causal=causal, scale=scale
        ),
    ),
    # The public functions
    Row("layer_norm", layer_norm_samples(2), layer_norm, wants_a_tuple("layer_norm"), op=autograd.layer_norm),
    Row("rms_norm", layer_norm_samples(1), rms_norm, wants_a_tuple("rms_norm"), op=autograd.rms_norm),
    # PyTorch has no gradient for running moments.
    Row(
        "batch_norm",
        batch_norm_samples(),
        batch_norm,
        functional("batch_norm"),
        op=autograd.batch_norm,
        constant=(1, 2),
    ),
    Row(
        "instance_norm",
        instance_norm_samples(),
        instance_norm,
        functional("instance_norm"),
        op=autograd.instance_norm,
        constant=(1, 2),
    ),
    Row("group_norm", group_norm_samples(), group_norm, functional("group_norm"), op=autograd.group_norm),
    Row("normalize", normalize_samples(), normalize, functional("normalize"), op=autograd.normalize),
    Row(
        "scaled_dot_product_attention",
        attention_samples(),
        attention,
        functional("scaled_dot_product_attention"),
        op=autograd.scaled_dot_product_attention,
    ),
]
