"""Sliding windows over NumPy arrays, and the three products of a convolution built on them.

The windows of a few images at a time are copied into a matrix, which stays in the cache while a matrix product reads
it. What comes last in it is what is copied at once, and should be long: the channels, or the pixels where there are
few channels; the images where there are groups of channels, and where windows are added up.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import threads
from .numpy_lines import LEAST, PARTS, Pads, Sizes, are_small, convolve_lines, correlate_lines, reach
from .numpy_narrow import convolve_back_narrow, is_narrow
from .numpy_weights import are_wide, correlate_pixels

# How many bytes of columns are made at a time: about what a second-level cache holds.
COLUMN_BYTES = 1 << 20

# With fewer channels than these pixels come last, with fewer than those the images of a convolution's input.
FEW_CHANNELS, MANY_CHANNELS = 4, 8


def sliding_windows(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """(N, C, *size) ↦ (N, C, *kernel, *out): for each entry of a kernel what lies under it at each of its places."""
    return _windows(x, 2, kernel, stride, dilation).copy()


def overlap_add(windows: Any, size: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """The transpose of ``sliding_windows``: (N, C, *kernel, *out) added up where they lie in (N, C, *size)."""
    x = np.zeros((*windows.shape[:2], *size), windows.dtype)
    _add_windows(x, windows, 2, stride, ((0, 0),) * len(size), dilation)
    return x


def convolve(x: Any, w: Any, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (O, C / groups, *kernel) ↦ (N, O, *out)."""
    n, o, kernel = x.shape[0], w.shape[0], w.shape[2:]
    if _is_pointwise(kernel, stride, padding):
        pixels = x.reshape(n, groups, w.shape[1], math.prod(x.shape[2:]))
        return (w.reshape(groups, o // groups, -1) @ pixels).reshape(n, o, *x.shape[2:])
    out = _places(x.shape[2:], kernel, stride, padding, dilation)
    if are_small(x, w.shape, out):
        return convolve_lines(x, w, out, stride, padding, dilation, groups)
    how = (out, kernel, stride, padding, dilation)
    y = np.empty((n, o, *out), x.dtype)
    if groups == 1 and x.shape[1] < FEW_CHANNELS:
        pixels = y.reshape(n, o, math.prod(out))
        for part, columns in _pixels_last(x, *how):
            np.matmul(w.reshape(o, -1), columns, out=pixels[part])
    elif groups > 1 or x.shape[1] < MANY_CHANNELS:
        scratch = _Scratch(x.dtype)
        matrix = w.reshape(groups, o // groups, -1)
        for part, columns in _images_last(x, groups, *how):
            product = np.matmul(matrix, columns, out=scratch.array(groups, o // groups, columns.shape[2]))
            y[part] = np.moveaxis(product.reshape(o, *out, -1), -1, 0)
    else:
        turned = np.moveaxis(w, (0, 1), (-1, -2)).reshape(-1, o)  # (kernel · C, O)
        for part, rows in _channels_last(x, *how):
            y[part] = np.moveaxis((rows @ turned).reshape(-1, *out, o), -1, 1)
    return y


def convolve_back(y: Any, w: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, O, *out), (O, C / groups, *kernel) ↦ (N, C, *size)."""
    n, o = y.shape[:2]
    c, kernel, out = w.shape[1] * groups, w.shape[2:], y.shape[2:]
    if is_narrow(y, w.shape, stride, dilation, groups) and are_small(y, w.shape, size):
        return convolve_back_narrow(y, w, size, stride, padding, dilation, _add_windows)
    around = _turned_padding(out, size, kernel, stride, padding, dilation)
    is_gain = groups == 1 and c >= o and 4 * math.prod(size) <= 5 * math.prod(out)
    if around is not None and (is_gain or are_small(y, w.shape, size)):
        return convolve(y, _turned(w, groups), stride, around, dilation, groups)
    has_many = groups > 1 or c >= FEW_CHANNELS
    if has_many and max(stride) > 1 == max(dilation) and are_small(y, w.shape, out):
        return _convolve_back_by_phases(y, w, size, stride, padding, groups)
    matrix = w.reshape(groups, o // groups, -1).swapaxes(1, 2)
    if _is_pointwise(kernel, stride, padding) and out == size:
        pixels = y.reshape(n, groups, o // groups, math.prod(out))
        return (matrix @ pixels).reshape(n, c, *size)
    x = np.empty((n, c, *size), y.dtype)
    products, sums = _Scratch(y.dtype), _Scratch(y.dtype)
    for part in _parts(n, c * math.prod((*kernel, *out)) * y.itemsize):
        rows = _rows(y[part], groups)
        windows = np.matmul(matrix, rows, out=products.array(groups, matrix.shape[1], rows.shape[2]))
        windows = windows.reshape(c, *kernel, *out, -1)
        images = sums.array(c, *size, windows.shape[-1])
        images.fill(0)
        _add_windows(images, windows, 1, stride, padding, dilation)
        x[part] = np.moveaxis(images, -1, 0)
    return x


def _convolve_back_by_phases(y: Any, w: Any, size: Sizes, stride: Sizes, padding: Pads, groups: int) -> Any:
    """``convolve_back`` as one convolution for each place modulo ``stride``, with the entries of w that reach it."""
    x = np.zeros((len(y), w.shape[1] * groups, *size), y.dtype)

    def fill(phase: Sizes) -> None:
        part, taken, around = [], [], []
        for r, n, s, k, (before, _) in zip(phase, size, stride, w.shape[2:], padding, strict=True):
            first = (r + before) % s
            taken.append(slice(first, None, s))
            part.append(slice(r, n, s))
            around.append((len(range(first, k, s)) - 1 - (r + before) // s, 0))
        whole = slice(None), slice(None)
        some, target = w[(*whole, *taken)], x[(*whole, *part)]
        if some.size and target.size:
            ones = (1,) * len(size)
            target[...] = convolve_lines(y, _turned(some, groups), target.shape[2:], ones, tuple(around), ones, groups)

    tasks = [functools.partial(fill, phase) for phase in np.ndindex(*stride)]
    threads.run(tasks, threads.available() if len(y) * math.prod(y.shape[2:]) * w.size > LEAST else 1)
    return x


def correlate(x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (N, O, *out) ↦ (O, C / groups, *kernel)."""
    c, o = x.shape[1], y.shape[1]
    has_few = groups == 1 and c < FEW_CHANNELS
    shape = (o, c // groups, *kernel)
    if not has_few and are_small(x, shape, y.shape[2:]):
        if are_wide(shape, y.shape[2:], stride, groups):
            return correlate_pixels(x, y, kernel, stride, padding, dilation, groups)
        return correlate_lines(x, y, kernel, stride, padding, dilation, groups)
    how = (y.shape[2:], kernel, stride, padding, dilation)
    if groups == 1 and c >= FEW_CHANNELS:
        turned = np.zeros((math.prod(kernel) * c, o), x.dtype)
        for part, rows in _channels_last(x, *how):
            turned += rows.T @ np.moveaxis(y[part], 1, -1).reshape(-1, o)
        return np.moveaxis(turned.reshape(*kernel, c, o), (-1, -2), (0, 1)).copy()
    w = np.zeros((groups, o // groups, c // groups * math.prod(kernel)), x.dtype)
    if groups > 1:
        for part, columns in _images_last(x, groups, *how):
            w += _rows(y[part], groups) @ columns.swapaxes(1, 2)
    else:
        pixels = y.reshape(-1, o, math.prod(y.shape[2:]))
        images = max(-(-len(x) // max(min(len(x) * w.size * pixels.shape[2] // LEAST, PARTS), 1)), 1)
        sums: dict[int, Any] = {}

        def add(start: int) -> None:
            some = pixels[start : start + images]
            sums[start] = [
                np.add.reduce(some[part] @ columns.swapaxes(1, 2), axis=0)
                for part, columns in _pixels_last(x[start : start + images], *how)
            ]

        starts = range(0, len(x), images)
        threads.run([functools.partial(add, start) for start in starts], threads.available() if len(starts) > 1 else 1)
        for start in starts:
            for found in sums[start]:
                w += found
    return w.reshape(o, c // groups, *kernel)


def _places(size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Sizes:
    return tuple(
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, k, s, (a, b), d in zip(size, kernel, stride, padding, dilation, strict=True)
    )


def _turned_padding(out: Sizes, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """With which padding the transpose of a convolution is one with the turned kernel; None if that is no gain.

    Reading windows is quicker than adding them up, unless there are more of them.
    """
    if math.prod(stride) != 1 or math.prod(kernel) == 1:
        return None
    around = tuple((d * (k - 1) - a, d * (k - 1) - b) for k, (a, b), d in zip(kernel, padding, dilation, strict=True))
    if min(map(min, around)) < 0 or _places(out, kernel, stride, around, dilation) != tuple(size):
        return None
    return around


def _turned(w: Any, groups: int) -> Any:
    """w (O, C / groups, *kernel) with its kernels turned around, for the way back: (C, O / groups, *kernel)."""
    turned = np.flip(w, tuple(range(2, w.ndim))).reshape(groups, -1, *w.shape[1:]).swapaxes(1, 2)
    return turned.reshape(groups * w.shape[1], -1, *w.shape[2:])


def _is_pointwise(kernel: Sizes, stride: Sizes, padding: Pads) -> bool:
    return math.prod(kernel) == math.prod(stride) == 1 and not any(map(any, padding))


def _windows(x: Any, lead: int, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """x (*lead, *size, *rest) as (*lead, *kernel, *out, *rest), a view; ``lead`` says how many dimensions lead."""
    end = lead + len(kernel)
    out = _places(x.shape[lead:end], kernel, stride, ((0, 0),) * len(kernel), dilation)
    steps = x.strides[lead:end]
    strides = (
        *x.strides[:lead],
        *(step * d for step, d in zip(steps, dilation, strict=True)),
        *(step * s for step, s in zip(steps, stride, strict=True)),
        *x.strides[end:],
    )
    shape = (*x.shape[:lead], *kernel, *out, *x.shape[end:])
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _add_windows(x: Any, windows: Any, lead: int, stride: Sizes, padding: Pads, dilation: Sizes) -> None:
    """Adds windows (*lead, *kernel, *out, *rest) to x (*lead, *size, *rest) where they lie, but for the padding."""
    end = lead + len(stride)
    kernel, out = windows.shape[lead:end], windows.shape[end : end + len(stride)]
    reaches = [
        [reach(p * d - before, s, n, size) for p in range(k)]
        for k, s, d, n, size, (before, _) in zip(kernel, stride, dilation, out, x.shape[lead:end], padding, strict=True)
    ]
    whole = (slice(None),) * lead
    for place in np.ndindex(*kernel):
        meet = [line[p] for line, p in zip(reaches, place, strict=True)]
        x[(*whole, *(target for target, _ in meet))] += windows[(*whole, *place, *(source for _, source in meet))]


class _Scratch:
    """Memory that the parts of a batch use one after the other: getting it anew costs more than filling it."""

    def __init__(self, dtype: Any) -> None:
        self.flat = np.empty(0, dtype)

    def array(self, *shape: int) -> Any:
        """An array of ``shape`` in this memory."""
        size = math.prod(shape)
        if size > self.flat.size:
            self.flat = np.empty(size, self.flat.dtype)
        return self.flat[:size].reshape(shape)


def _parts(n: int, image_bytes: int) -> Iterator[slice]:
    """Slices of the batch whose windows, of so many bytes for each image, fill ``COLUMN_BYTES``."""
    step = max(COLUMN_BYTES // max(image_bytes, 1), 1)
    return (slice(i, i + step) for i in range(0, n, step))


def _images_last(x: Any, groups: int, *how: Any) -> Iterator[tuple[slice, Any]]:
    """The windows of x (N, C, *size), part by part, as (groups, C / groups · kernel, out · n)."""
    for part, windows in _columns(np.moveaxis(x, 0, -1), x.ndim - 1, 1, None, *how):
        yield part, windows.reshape(groups, x.shape[1] // groups * math.prod(how[1]), -1)


def _pixels_last(x: Any, *how: Any) -> Iterator[tuple[slice, Any]]:
    """The windows of x (N, C, *size), part by part, as (n, C · kernel, out)."""
    for part, windows in _columns(x, 0, 2, None, *how):
        yield part, windows.reshape(len(windows), x.shape[1] * math.prod(how[1]), math.prod(how[0]))


def _channels_last(x: Any, *how: Any) -> Iterator[tuple[slice, Any]]:
    """The windows of x (N, C, *size), part by part, as (n · out, kernel · C)."""
    dims = x.ndim - 2
    order = (0, *range(1 + dims, 1 + 2 * dims), *range(1, 1 + dims), 1 + 2 * dims)  # (n, *out, *kernel, C)
    for part, windows in _columns(np.moveaxis(x, 1, -1), 0, 1, order, *how):
        yield part, windows.reshape(-1, math.prod(how[1]) * x.shape[1])


def _columns(
    x: Any, batch: int, lead: int, order: Any, out: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes
) -> Iterator[tuple[slice, Any]]:
    """The windows of x (*lead, *size, *rest), a part of its dimension ``batch`` at a time.

    They come as (*lead, *kernel, *out, *rest) with ``lead`` leading dimensions, or in ``order``; each is gone when
    the next one comes.
    """
    end = lead + len(kernel)
    size = x.shape[lead:end]
    full = tuple(m + a + b for m, (a, b) in zip(size, padding, strict=True))
    inside = (slice(None),) * lead + tuple(slice(a, a + m) for m, (a, _) in zip(size, padding, strict=True))
    images, columns = _Scratch(x.dtype), _Scratch(x.dtype)
    rest = math.prod(x.shape[:lead] + x.shape[end:]) // max(x.shape[batch], 1)
    for part in _parts(x.shape[batch], rest * math.prod((*kernel, *out)) * x.itemsize):
        image = x[(slice(None),) * batch + (part,)]
        if full != size or not image.flags.c_contiguous:
            given = image
            image = images.array(*given.shape[:lead], *full, *given.shape[end:])
            if full != size:
                image.fill(0)
            image[inside] = given
        windows = _windows(image, lead, kernel, stride, dilation)
        windows = windows[(slice(None),) * end + tuple(map(slice, out))]
        if order is not None:
            windows = windows.transpose(order)
        part_columns = columns.array(*windows.shape)
        part_columns[...] = windows
        yield part, part_columns


def _rows(y: Any, groups: int) -> Any:
    """y (n, O, *out) as (groups, O / groups, out · n)."""
    n, o = y.shape[:2]
    return np.moveaxis(y, 0, -1).reshape(groups, o // groups, n * math.prod(y.shape[2:]))
