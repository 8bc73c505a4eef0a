"""Rows of convolutions, pooling, windows and resampling; the NumPy references loop over every place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd
from autograd.ops.window_maxima import Reach, reach_of

Ints = int | tuple[int, ...]


def each(value: Any, dims: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * dims


def places(out: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, out))


def unbatched(function: Callable[..., Any], dims: int) -> Callable[..., Any]:
    """``function`` of a batch, for an input that may come without one."""

    def either(x: Any, *inputs: Any, **static: Any) -> Any:
        if x.ndim == dims + 2:
            return function(x, *inputs, **static)
        result = function(x[None], *[i[None] if i.ndim == x.ndim else i for i in inputs], **static)
        return tuple(r[0] for r in result) if isinstance(result, tuple) else result[0]

    return either


def windows_of(x: Any, kernel: Any, stride: Any, dilation: Any = 1) -> Any:
    """The windows (N, C, *kernel, *out) of x (N, C, *size)."""
    dims = x.ndim - 2
    kernel, stride, dilation = (each(v, dims) for v in (kernel, stride, dilation))
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    result = np.zeros((*x.shape[:2], *kernel, *out), x.dtype)
    for i in places(tuple(out)):
        key = [slice(a * s, a * s + d * (k - 1) + 1, d) for a, s, k, d in zip(i, stride, kernel, dilation, strict=True)]
        result[(..., *i)] = x[(slice(None), slice(None), *key)]
    return result


def padded(x: Any, pads: Any) -> Any:
    return np.pad(x, [(0, 0), (0, 0), *pads])


def convolution(
    x: Any, w: Any, b: Any = 0, *, stride: Ints = 1, padding: Any = 0, dilation: Ints = 1, groups: int = 1
) -> Any:
    dims = x.ndim - 2
    spans = [d * (k - 1) for k, d in zip(w.shape[2:], each(dilation, dims), strict=True)]
    if isinstance(padding, str):
        pads = [(s // 2, s - s // 2) if padding == "same" else (0, 0) for s in spans]
    else:
        pads = [(p, p) if isinstance(p, int) else p for p in each(padding, dims)]
    windows = windows_of(padded(x, pads), w.shape[2:], stride, dilation)
    axes = "abc"[:dims], "uvw"[:dims]
    parts = [
        np.einsum(f"ni{axes[0]}{axes[1]},oi{axes[0]}->no{axes[1]}", part, kernel)
        for part, kernel in zip(np.split(windows, groups, 1), np.split(w, groups, 0), strict=True)
    ]
    return np.concatenate(parts, 1) + np.reshape(b, (-1, *[1] * dims))


def transposed(
    y: Any,
    w: Any,
    b: Any = 0,
    *,
    stride: Ints = 1,
    padding: Any = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Any:
    """Every entry paints a kernel."""
    dims = y.ndim - 2
    stride, padding, dilation = each(stride, dims), each(padding, dims), each(dilation, dims)
    full = [
        (n - 1) * s + d * (k - 1) + 1 + e
        for n, s, d, k, e in zip(y.shape[2:], stride, dilation, w.shape[2:], each(output_padding, dims), strict=True)
    ]
    o = w.shape[1] * groups
    x = np.zeros((y.shape[0], o, *full))
    per = w.shape[0] // groups
    for n, c in itertools.product(range(y.shape[0]), range(y.shape[1])):
        group = slice(c // per * w.shape[1], (c // per + 1) * w.shape[1])
        for i in places(y.shape[2:]):
            key = [
                slice(a * s, a * s + d * (k - 1) + 1, d)
                for a, s, k, d in zip(i, stride, w.shape[2:], dilation, strict=True)
            ]
            x[(n, group, *key)] += y[(n, c, *i)] * w[c]
    x = x[(slice(None), slice(None), *(slice(p, m - p) for p, m in zip(padding, full, strict=True)))]
    return x + np.reshape(b, (-1, *[1] * dims))


def pool_places(
    x: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, dilation: Any = 1
) -> tuple[tuple[int, ...], Callable[[tuple[int, ...]], Any]]:
    """How many places there are, and which entries lie under the kernel at a place, by their indices."""
    dims = x.ndim - 2
    kernel, padding, dilation = each(kernel, dims), each(padding, dims), each(dilation, dims)
    stride = kernel if stride is None else each(stride, dims)
    out = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        m = (math.ceil if ceil_mode else math.floor)((n + 2 * p - d * (k - 1) - 1) / s) + 1
        out.append(m - 1 if ceil_mode and (m - 1) * s >= n + p else m)

    def under(i: tuple[int, ...]) -> Any:
        lines = [
            [a * s - p + d * j for j in range(k)]
            for a, s, p, d, k in zip(i, stride, padding, dilation, kernel, strict=True)
        ]
        return list(itertools.product(*lines))

    return tuple(out), under


def is_inside(place: tuple[int, ...], size: tuple[int, ...]) -> bool:
    return all(0 <= a < n for a, n in zip(place, size, strict=True))


def max_pool(
    x: Any,
    *,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    size = x.shape[2:]
    out, under = pool_places(x, kernel_size, stride, padding, ceil_mode, dilation)
    y, indices = np.zeros((*x.shape[:2], *out)), np.zeros((*x.shape[:2], *out), int)
    for i in places(out):
        inside = [np.ravel_multi_index(p, size) for p in under(i) if is_inside(p, size)]
        entries = x.reshape(*x.shape[:2], math.prod(size))[:, :, inside]
        y[(..., *i)] = entries.max(-1)
        indices[(..., *i)] = np.array(inside)[entries.argmax(-1)]
    return (y, indices) if return_indices else y


def avg_pool(
    x: Any,
    *,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    size = x.shape[2:]
    out, under = pool_places(x, kernel_size, stride, padding, ceil_mode)
    y = np.zeros((*x.shape[:2], *out))
    for i in places(out):
        found = under(i)
        inside = [np.ravel_multi_index(p, size) for p in found if is_inside(p, size)]
        pads = each(padding, len(size))
        counted = [p for p in found if all(a < n + q for a, n, q in zip(p, size, pads, strict=True))]
        count = divisor_override or len(counted if count_include_pad else inside)
        y[(..., *i)] = x.reshape(*x.shape[:2], math.prod(size))[:, :, inside].sum(-1) / count
    return y


def lp_pool(x: Any, *, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    mean = avg_pool(x**norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode)
    return (mean * math.prod(each(kernel_size, x.ndim - 2))) ** (1 / norm_type)


def adaptive(x: Any, output_size: Any, reduce: Callable[..., Any]) -> Any:
    dims = x.ndim - 2
    out = tuple(n if m is None else m for m, n in zip(each(output_size, dims), x.shape[2:], strict=True))
    y = np.zeros((*x.shape[:2], *out))
    for i in places(out):
        key = [slice(a * n // m, math.ceil((a + 1) * n / m)) for a, m, n in zip(i, out, x.shape[2:], strict=True)]
        y[(..., *i)] = reduce(x[(slice(None), slice(None), *key)], axis=tuple(range(2, 2 + dims)))
    return y


def unpool(x: Any, indices: Any, *, kernel_size: int, stride: Any = None, output_size: Any = None) -> Any:
    size = output_size or [n * kernel_size for n in x.shape[2:]]
    y = np.zeros((*x.shape[:2], math.prod(size)))
    for n, c in itertools.product(*map(range, x.shape[:2])):
        y[n, c, indices[n, c].reshape(-1)] = x[n, c].reshape(-1)
    return y.reshape(*x.shape[:2], *size)


def unpool_samples(dims: int) -> list[Sample]:
    samples = []
    for size, options in ((4, {}), (5, {"output_size": (5,) * dims})):
        (x,) = draw((2, 2, *[size] * dims))
        y, indices = max_pool(x, kernel_size=2, return_indices=True)
        samples.append(Sample((y, indices), {"kernel_size": 2, **options}))
    return samples


def unfolded(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    windows = windows_of(padded(x, [(p, p) for p in each(padding, 2)]), kernel_size, stride, dilation)
    return windows.reshape(x.shape[0], x.shape[1] * math.prod(each(kernel_size, 2)), math.prod(windows.shape[4:]))


def folded(columns: Any, output_size: Any, kernel_size: Any, **how: Any) -> Any:
    """By the definition of a transpose: each entry of the image is its product with the columns of a unit image."""
    kernel, size = each(kernel_size, 2), each(output_size, 2)
    c = columns.shape[1] // math.prod(kernel)
    units = np.eye(c * math.prod(size)).reshape(-1, c, *size)
    matrix = unfolded(units, kernel_size, **how).reshape(c * math.prod(size), -1)
    return (columns.reshape(columns.shape[0], -1) @ matrix.T).reshape(-1, c, *size)


def unfolded_along(x: Any, dimension: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return x.reshape(1)
    dimension %= x.ndim
    views = np.moveaxis(np.lib.stride_tricks.sliding_window_view(x, size, dimension), dimension, 0)
    return np.moveaxis(views[::step], 0, dimension)


def in_torch(name: str) -> Callable[..., Any]:
    return lambda torch, *inputs, **static: getattr(torch.nn.functional, name)(*inputs, **static)


def convolution_row(name: str, samples: list[Sample]) -> Row:
    dims = int(name[-2])
    reference = transposed if "transpose" in name else convolution
    return Row(name, samples, unbatched(reference, dims), in_torch(name), op=getattr(autograd, name))


def pooling_row(name: str, samples: list[Sample], reference: Callable[..., Any]) -> Row:
    return Row(name, samples, unbatched(reference, int(name[-2])), in_torch(name), op=getattr(autograd, name))


def given(*shapes: tuple[int, ...], **static: Any) -> Sample:
    return Sample(tuple(draw(*shapes)), static)


def strided(shape: tuple[int, ...], **static: Any) -> Sample:
    """An input with negative strides, and none of its dimensions in order."""
    (x,) = draw(tuple(reversed(shape)))
    return Sample((x.T[:, :, ::-1],), static)


HOW = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
PLANE = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2), "groups": 2}

PRIMITIVES = [
    Row(
        "convolve",
        [given((2, 4, 5, 5), (2, 2, 2, 2), (2,), **PLANE), given((2, 2, 4), (3, 2, 1), **HOW)],
        convolution,
        lambda torch, x, w, b=None, **how: (
            torch.nn.functional.conv2d(
                torch.nn.functional.pad(x, (0, 1, 1, 1)), w, b, how["stride"], 0, how["dilation"], how["groups"]
            )
            if w.ndim == 4
            else torch.nn.functional.conv1d(x, w, b)
        ),
    ),
    Row(
        "convolve_back",
        [given((2, 2, 2), (2, 3, 2), size=(5,), **{**HOW, "stride": (2,), "padding": ((0, 0),)})],
        lambda y, w, size, stride, **how: transposed(y, w, stride=stride, output_padding=1),
        lambda torch, y, w, size, stride, **how: torch.nn.functional.conv_transpose1d(
            y, w, stride=stride, output_padding=1
        ),
    ),
    Row(
        "correlate",
        [given((2, 2, 5), (2, 3, 2), kernel=(2,), **{**HOW, "stride": (2,)})],
        lambda x, y, kernel, stride, **how: np.einsum("nckt,not->ock", windows_of(x, kernel, stride), y),
        lambda torch, x, y, kernel, stride, **how: torch.einsum("nctk,not->ock", x.unfold(2, kernel[0], stride[0]), y),
    ),
    Row(
        "sliding_windows",
        [
            given((1, 2, 5), kernel=(2,), stride=(2,), dilation=(2,)),
            given((2, 1, 4, 3), kernel=(2, 1), stride=(1, 2), dilation=(1, 1)),
        ],
        windows_of,
        lambda torch, x, kernel, stride, dilation: (
            x.unfold(2, 3, 2)[..., ::2].mT
            if x.ndim == 3
            else x.unfold(2, 2, 1)[..., None, ::2, :].permute(0, 1, 5, 3, 2, 4)
        ),
    ),
    Row(
        "overlap_add",
        [given((1, 4, 2, 2, 2, 2), size=(3, 3), stride=(1, 1), dilation=(1, 1))],
        lambda w, size, **how: folded(w.reshape(1, 16, 4), size, 2),
        lambda torch, w, size, **how: torch.nn.functional.fold(w.reshape(1, 16, 4), size, 2),
    ),
    Row(
        "window_sum",
        [
            given((2, 2, 4, 5), kernel=(2, 3), stride=(2, 1)),
            given((1, 2, 3), kernel=(1,), stride=(1,)),
        ],
        lambda x, kernel, stride: avg_pool(x, kernel_size=kernel, stride=stride, divisor_override=1),
        lambda torch, x, kernel, stride: (
            torch.nn.functional.avg_pool2d(x, kernel, stride, divisor_override=1) if x.ndim == 4 else x * 1
        ),
    ),
    Row(
        "max_windows",
        [
            given((2, 2, 4, 6), reach=(reach_of(4, 2, 2, 0, 1, 2), reach_of(6, 3, 3, 0, 1, 2)), tile=(2, 3)),
            given((2, 2, 4, 6), reach=(reach_of(4, 2, 2, 0, 1, 2), reach_of(6, 3, 3, 0, 1, 2))),
        ],
        lambda x, reach, tile=None: max_pool(x, kernel_size=(2, 3)),
        lambda torch, x, reach, tile=None: torch.nn.functional.max_pool2d(x, (2, 3)),
    ),
    Row(
        "max_places",
        [
            given(
                (2, 2, 4, 5),
                reach=tuple(Reach(k, 1, np.arange(3), np.zeros(3, int), np.full(3, k - 1)) for k in (2, 3)),
            ),
        ],
        lambda x, reach: max_pool(x, kernel_size=(2, 3), stride=1, return_indices=True)[1],
        lambda torch, x, reach: torch.nn.functional.max_pool2d(x, (2, 3), 1, return_indices=True)[1],
        gradient=False,
    ),
    Row(
        "take_places",
        [Sample((*draw((2, 1, 2, 3)), np.array([[[[0, 5]]], [[[4, 4]]]])))],
        lambda x, places: np.take_along_axis(x.reshape(2, 1, 6), places.reshape(2, 1, 2), 2).reshape(places.shape),
        lambda torch, x, places: x.flatten(2).gather(2, places.flatten(2)).reshape(places.shape),
    ),
]
CONVOLUTIONS = [
    convolution_row(
        "conv1d",
        [
            given((2, 2, 6), (3, 2, 3), (3,), stride=2, padding=1),
            given((2, 6), (3, 2, 3), padding="same", dilation=2),
            given((2, 4, 5), (4, 1, 2), (4,), groups=4, padding="valid"),
            given((0, 2, 6), (3, 2, 3), (3,)),
            given((1, 1, 1), (1, 1, 1), (1,)),
        ],
    ),
    convolution_row(
        "conv2d",
        [
            given((2, 2, 5, 4), (3, 2, 3, 2), (3,)),
            given((2, 4, 6, 5), (4, 2, 3, 2), (4,), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
            given((2, 5, 4), (3, 2, 3, 3), padding="same"),
            given((2, 3, 3, 3), (2, 3, 1, 1), (2,)),
            given((0, 2, 4, 4), (3, 2, 2, 2)),
            Sample((draw((4, 5, 2, 2))[0].T[:, :, ::-1], draw((4, 5, 2, 3))[0].T[::-1, :, :2, :3])),
        ],
    ),
    convolution_row(
        "conv3d",
        [
            given((1, 2, 3, 4, 3), (2, 2, 2, 2, 1), (2,), stride=(1, 2, 1), padding=(0, 1, 0)),
            given((2, 3, 2, 3), (2, 1, 3, 1, 3), groups=2, padding="same"),
        ],
    ),
    convolution_row(
        "conv_transpose1d",
        [
            given((2, 2, 3), (2, 3, 3), (3,), stride=2, padding=1, output_padding=1),
            given((2, 3), (2, 3, 2)),
            given((1, 2, 4), (2, 1, 2), dilation=2, output_padding=1, padding=1),
        ],
    ),
    convolution_row(
        "conv_transpose2d",
        [
            given((2, 2, 2, 3), (2, 3, 3, 2), (3,), stride=(2, 1), padding=(1, 0), output_padding=(1, 0)),
            given((1, 4, 2, 2), (4, 1, 2, 2), groups=2, dilation=2),
            given((2, 2, 3), (2, 3, 1, 1)),
            given((0, 2, 2, 2), (2, 1, 2, 2)),
        ],
    ),
    convolution_row("conv_transpose3d", [given((1, 2, 2, 1, 2), (2, 2, 2, 1, 2), (2,), stride=2, padding=(0, 0, 1))]),
]
MAXIMA = [
    pooling_row(
        "max_pool1d",
        [
            given((2, 2, 6), kernel_size=2),
            given((2, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True, return_indices=True),
            given((1, 2, 7), kernel_size=2, stride=1, dilation=3),
            given((2, 1, 1), kernel_size=1),
        ],
        max_pool,
    ),
    pooling_row(
        "max_pool2d",
        [
            given((2, 2, 4, 6), kernel_size=2),
            given((2, 5, 6), kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True, return_indices=True),
            given((1, 2, 6, 5), kernel_size=2, stride=1, padding=1, dilation=2, return_indices=True),
            given((0, 2, 4, 4), kernel_size=2, return_indices=True),
            strided((2, 2, 4, 4), kernel_size=2, stride=1),
        ],
        max_pool,
    ),
    pooling_row("max_pool3d", [given((1, 2, 3, 4, 4), kernel_size=2, stride=1, return_indices=True)], max_pool),
]
MEANS = [
    pooling_row(
        "avg_pool1d",
        [
            given((2, 2, 6), kernel_size=2),
            given((2, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True),
            given((1, 2, 7), kernel_size=3, stride=2, padding=1, count_include_pad=False),
            given((1, 2, 3), kernel_size=1),
        ],
        avg_pool,
    ),
    pooling_row(
        "avg_pool2d",
        [
            given((2, 2, 4, 6), kernel_size=2),
            given((2, 6, 5), kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True),
            given((1, 2, 6, 5), kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
            given((1, 1, 4, 4), kernel_size=2, stride=1, divisor_override=3),
            given((0, 2, 4, 4), kernel_size=2),
            strided((2, 2, 4, 4), kernel_size=2, stride=1),
        ],
        avg_pool,
    ),
    pooling_row("avg_pool3d", [given((1, 2, 3, 4, 4), kernel_size=(2, 3, 2), stride=1, padding=1)], avg_pool),
    *[
        Row(
            f"lp_pool{dims}d",
            [
                Sample(tuple(draw((2, *[5] * dims), low=0.2)), {"norm_type": p, "kernel_size": 2, "ceil_mode": ceil})
                for p, ceil in ((2.0, False), (3.0, True))
            ],
            unbatched(lp_pool, dims),
            in_torch(f"lp_pool{dims}d"),
            op=getattr(autograd, f"lp_pool{dims}d"),
        )
        for dims in (1, 2, 3)
    ],
]
ADAPTIVE = [
    pooling_row(
        f"adaptive_{kind}_pool{dims}d",
        [
            given((2, 2, *(6, 5, 3)[:dims]), output_size=3),
            given((2, *(5, 4, 3)[:dims]), output_size=2),
            *([given((1, 2, 4, 3), output_size=(2, None)), given((0, 1, 4, 3), output_size=2)] if dims == 2 else []),
        ],
        lambda x, output_size, reduce=reduce: adaptive(x, output_size, reduce),
    )
    for dims in (1, 2, 3)
    for kind, reduce in (("avg", np.mean), ("max", np.max))
]
UNPOOLED = [
    Row(
        f"max_unpool{d}d",
        unpool_samples(d),
        unpool,
        in_torch(f"max_unpool{d}d"),
        op=getattr(autograd, f"max_unpool{d}d"),
    )
    for d in (1, 2, 3)
]
FOLDS = [
    Row(
        "unfold",
        [
            given((2, 2, 4, 5), kernel_size=(2, 3)),
            given((2, 4, 5), kernel_size=2, dilation=2, padding=1, stride=(1, 2)),
            given((0, 2, 4, 5), kernel_size=2),
        ],
        unbatched(unfolded, 2),
        in_torch("unfold"),
        op=autograd.unfold,
    ),
    Row(
        "fold",
        [
            given((2, 8, 4), output_size=3, kernel_size=2),
            given((4, 12), output_size=(4, 5), kernel_size=2, dilation=2, padding=1, stride=(1, 2)),
        ],
        lambda x, **how: folded(x, **how) if x.ndim == 3 else folded(x[None], **how)[0],
        in_torch("fold"),
        op=autograd.fold,
    ),
    Row(
        "unfold along a dimension",
        [
            given((5,), dimension=0, size=3, step=2),
            given((2, 5, 3), dimension=1, size=2, step=1),
            given((2, 3), dimension=-1, size=3, step=1),
            given((), dimension=0, size=1, step=1),
            given((0, 4), dimension=1, size=2, step=2),
        ],
        unfolded_along,
        lambda torch, x, **how: x.unfold(**how),
        op=autograd.Tensor.unfold,
    ),
]
ROWS = [*PRIMITIVES, *CONVOLUTIONS, *MAXIMA, *MEANS, *ADAPTIVE, *UNPOOLED, *FOLDS]
