"""Sliding windows over the last dimensions of (N, C, *size), and what is made of them directly.

``sliding_windows`` and ``overlap_add`` are each other's transposes, and so are ``unfold`` and ``fold``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..errors import DTypeError, ShapeError, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .dims import dimension
from .indexing import add_at

if TYPE_CHECKING:
    from ..tensor import Tensor

Ints = int | Sequence[int]


@primitive
def sliding_windows(xp, x, *, kernel, stride, dilation):
    """(N, C, *kernel, *out): for each entry of a kernel what of x (N, C, *size) lies under it at each place."""
    return xp.sliding_windows(x, kernel, stride, dilation)


@primitive
def overlap_add(xp, windows, *, size, stride, dilation):
    """(N, C, *size): windows (N, C, *kernel, *out) added up where they lie."""
    return xp.overlap_add(windows, size, stride, dilation)


sliding_windows.grads(
    x=lambda xp, g, out, x, *, kernel, stride, dilation: xp.overlap_add(g, x.shape[2:], stride, dilation)
)
overlap_add.grads(
    windows=lambda xp, g, out, windows, *, size, stride, dilation: xp.sliding_windows(
        g, windows.shape[2 : 2 + len(size)], stride, dilation
    )
)


@primitive
def window_sum(xp, x, *, kernel, stride):
    """(N, C, *out): the sum of what of x (N, C, *size) lies under a kernel at each place."""
    if kernel == tuple(x.shape[2:]):
        # A product with ones takes a fifth of the time of a sum over short lines.
        area = math.prod(kernel)
        total = x.reshape(*x.shape[:2], area) @ np.ones(area, x.dtype)
        return total.reshape(*x.shape[:2], *[1] * len(kernel))
    for d, (k, s) in enumerate(zip(kernel, stride, strict=True), start=2):
        reach = (x.shape[d] - k) // s * s + 1
        total = xp.astype(x[(slice(None),) * d + (slice(0, reach, s),)], x.dtype)
        for i in range(1, k):
            total += x[(slice(None),) * d + (slice(i, i + reach, s),)]
        x = total
    return x


def _window_sum_x(xp, g, out, x, *, kernel, stride):
    if kernel == tuple(x.shape[2:]):
        return xp.repeat_to(g, x.shape)
    if xp is numpy_namespace and kernel == stride:
        return _repeated(g, x.shape, kernel)  # nothing to add up: a third of the time
    dims = len(kernel)
    for d in reversed(range(dims)):
        size = (*g.shape[2 : 2 + d], x.shape[2 + d], *g.shape[3 + d :])
        line = tuple(k if e == d else 1 for e, k in enumerate(kernel))
        step = tuple(s if e == d else 1 for e, s in enumerate(stride))
        each = g.reshape(*g.shape[:2], *[1] * dims, *g.shape[2:])
        windows = xp.broadcast_to(each, (*g.shape[:2], *line, *g.shape[2:]))  # (N, C, *line, *out)
        g = xp.overlap_add(windows, size, step, (1,) * dims)
    return g


window_sum.grads(x=_window_sum_x)


def _repeated(g: Any, shape: Sequence[int], tile: Sequence[int]) -> Any:
    """g (N, C, *out) in each entry of its tile of (N, C, *size), and 0 where there is none."""
    covered = tuple(m * k for m, k in zip(g.shape[2:], tile, strict=True))
    gx = (np.empty if covered == tuple(shape[2:]) else np.zeros)(shape, g.dtype)
    for place in itertools.product(*map(range, tile)):
        reach = zip(place, covered, tile, strict=True)
        gx[(slice(None), slice(None), *(slice(j, n, k) for j, n, k in reach))] = g
    return gx


def sizes(name: str, what: str, value: Any, dims: int, least: int = 1) -> tuple[int, ...]:
    """One int for each dimension, given as one for all or as a sequence."""
    if type(value) is int and value >= least:
        return (value,) * dims
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) == 1:
        values = values * dims
    if len(values) != dims:
        raise ShapeError(f"{name}: {what} must be an int or {dims} of them, got {value!r}")
    for v in values:
        if isinstance(v, bool) or not hasattr(v, "__index__"):
            raise DTypeError(f"{name}: {what} must be an int or {dims} of them, got {value!r}")
        if v < least:
            raise ValueError(f"{name}: {what} must be at least {least}, got {value!r}")
    return tuple(v.__index__() for v in values)


def batched(name: str, x: Any, dims: int) -> tuple[Tensor, bool]:
    """x as (N, C, *size), and whether it came with its N."""
    if not isinstance(x, Node):
        raise no_tensor(name, "input", x)
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{name}: wants input {layout(dims)} or without batch, got shape {tuple(x.shape)}")
    return (x, True) if x.ndim == dims + 2 else (x.unsqueeze(0), False)  # type: ignore[return-value, attr-defined]


def layout(dims: int) -> str:
    """The dimensions of a batch of signals, images or volumes, in words."""
    return f"(batch, channels, {', '.join(('length',) if dims == 1 else ('depth', 'height', 'width')[3 - dims :])})"


def pad_around(x: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    """x (N, C, *size) with zeros put before and after each of its last dimensions."""
    if not any(map(any, pads)):
        return x
    size = [n + a + b for n, (a, b) in zip(x.shape[2:], pads, strict=True)]
    inside = [slice(a, a + n) for n, (a, _) in zip(x.shape[2:], pads, strict=True)]
    return add_at(x, key=(slice(None), slice(None), *inside), shape=(*x.shape[:2], *size))


@composed
def unfold(input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor:
    """The windows of images as columns: (N, C, H, W) ↦ (N, C · kH · kW, places), or both without N.

    >>> import autograd
    >>> autograd.unfold(autograd.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    x, has_batch = batched("unfold", input, 2)
    kernel, stride, padding, dilation = _settings("unfold", kernel_size, stride, padding, dilation)
    places = _places("unfold", x.shape[2:], kernel, stride, padding, dilation)
    windows = sliding_windows(pad_around(x, [(p, p) for p in padding]), kernel=kernel, stride=stride, dilation=dilation)
    columns = windows.reshape(x.shape[0], x.shape[1] * math.prod(kernel), math.prod(places))
    return columns if has_batch else columns[0]


@composed
def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Columns added up as windows of images of ``output_size``, (N, C · kH · kW, places) ↦ (N, C, H, W).

    The transpose of ``unfold``: where windows overlap, their entries add up.

    >>> import autograd
    >>> autograd.fold(autograd.ones(4, 4), 3, 2)
    tensor([[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]])
    """
    if not isinstance(input, Node):
        raise no_tensor("fold", "input", input)
    size = sizes("fold", "output_size", output_size, 2)
    kernel, stride, padding, dilation = _settings("fold", kernel_size, stride, padding, dilation)
    places = _places("fold", size, kernel, stride, padding, dilation)
    area = math.prod(kernel)
    if input.ndim not in (2, 3) or input.shape[-2] % area or input.shape[-1] != math.prod(places):
        raise ShapeError(
            f"fold: wants (N, C · {area}, {math.prod(places)}), or without N, for output_size {size} and kernel "
            f"{kernel}; got shape {tuple(input.shape)}"
        )
    n, c = (input.shape[0] if input.ndim == 3 else 1), input.shape[-2] // area
    full = tuple(m + 2 * p for m, p in zip(size, padding, strict=True))
    windows = input.reshape(n, c, *kernel, *places)
    images = overlap_add(windows, size=full, stride=stride, dilation=dilation)
    (top, left), (height, width) = padding, size
    if any(padding):
        images = images[:, :, top : top + height, left : left + width]
    return images if input.ndim == 3 else images[0]


def unfold_along(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """The windows of ``size`` entries along one dimension, ``step`` apart; their entries come as a last dimension.

    Unlike PyTorch's, the result is a copy: writing into it does not change x.

    >>> import autograd
    >>> autograd.arange(5.0).unfold(0, 3, 2)
    tensor([[0., 1., 2.],
            [2., 3., 4.]])
    """
    d = _dimension("unfold", dimension, x.ndim)
    (size,), (step,) = sizes("unfold", "size", size, 1), sizes("unfold", "step", step, 1)
    n = x.shape[d] if x.ndim else 1
    if size > n:
        raise ShapeError(f"unfold: size {size} is larger than dim {d} of shape {tuple(x.shape)}")
    lines = (x if x.ndim else x.reshape(1)).movedim(d, -1)  # (..., n)
    windows = sliding_windows(lines.reshape(1, -1, n), kernel=(size,), stride=(step,), dilation=(1,))
    windows = windows.reshape(*lines.shape[:-1], size, windows.shape[-1])
    return windows.movedim(-1, d) if x.ndim else windows.reshape(size)


_dimension = dimension


def _settings(name: str, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[tuple[int, ...], ...]:
    return (
        sizes(name, "kernel_size", kernel, 2),
        sizes(name, "stride", stride, 2),
        sizes(name, "padding", padding, 2, 0),
        sizes(name, "dilation", dilation, 2),
    )


def _places(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> list[int]:
    """How many places a kernel has along each dimension."""
    places = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
    if min(places) < 1:
        raise ShapeError(
            f"{name}: a kernel of {kernel} with dilation {dilation} does not fit into size {tuple(size)} "
            f"padded by {padding}"
        )
    return places
