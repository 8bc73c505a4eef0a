"""``convolve_back`` to images of few channels: a row of the kernel after the other, on lines of pixels.

A product for so few channels is too low to be quick. So it is made for all columns of the kernel, (C · kernel₂ · …) of
them, over its rows, whose lines overlap in memory; what the columns give is added up where it lies. Images come last in
memory meanwhile, so that all passes are over long runs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import threads
from .numpy_lines import Pads, Sizes, multiply, parts_of, reach, room

# Channels of the input up to which, and columns of the kernel from which on, this is quicker; pixels of a line.
FEW, COLUMNS, RUN = 8, 4, 128

# How many bytes of lines and products are made at a time.
PART_BYTES = 3 << 19


def is_narrow(y: Any, w: Sizes, stride: Sizes, dilation: Sizes, groups: int) -> bool:
    """Whether this is quicker for the upstream gradient y and a weight of this shape."""
    c, columns, long = w[1], math.prod(w[3:]), len(y) * y.shape[-1]
    return c <= FEW and columns >= COLUMNS and 2 * long >= RUN and groups == stride[0] == dilation[0] == 1


def convolve_back_narrow(
    y: Any, w: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, add: Callable[..., None]
) -> Any:
    """(N, O, *out), (O, C, *kernel) ↦ (N, C, *size), where the first stride and dilation are 1 and groups too.

    Arguments:
        add: adds windows up where they lie, ``numpy_windows.add_windows``.
    """
    n, o, *out = y.shape
    c, k, *columns = w.shape[1:]
    height = size[0] + k - 1
    later = range(3, w.ndim)
    weight = w[:, :, ::-1].transpose(1, *later, 2, 0).reshape(c * math.prod(columns), k * o)
    source, target = reach(padding[0][0] + 1 - k, 1, height, out[0])
    x = np.empty((n, c, *size), y.dtype)
    image = (height * o + size[0] * len(weight)) * math.prod(out[1:]) * y.itemsize
    parts = parts_of(n * math.prod(out) * w.size)
    step = max(-(-n // max(-(-n * image // PART_BYTES), parts)), min(-(-RUN // out[-1]), n))

    def fill(starts: range) -> None:
        kept: dict[Any, Any] = {}
        for start in starts:
            part = y[start : start + step, :, source]
            lines = room(kept, "lines", (height, o, *out[1:], len(part)), y.dtype)
            lines[: target.start], lines[target.stop :] = 0, 0
            lines[target] = part.transpose(2, 1, *later, 0)
            long = math.prod(lines.shape[2:])
            steps = lines.strides[0], long * y.itemsize, y.itemsize
            windows = np.ndarray((size[0], k * o, long), y.dtype, lines, 0, steps)
            products = room(kept, "products", (size[0], len(weight), long), y.dtype)
            multiply(weight, windows, products)
            sums = room(kept, "sums", (size[0], c, *size[1:], len(part)), y.dtype)
            sums.fill(0)
            add(
                sums, products.reshape(size[0], c, *columns, *lines.shape[2:]), 2, stride[1:], padding[1:], dilation[1:]
            )
            x[start : start + step] = sums.transpose(-1, 1, 0, *range(2, w.ndim - 1))

    starts = range(0, n, step)
    several = threads.available() if parts > 1 else 1
    share = -(-len(starts) // several)
    threads.run([functools.partial(fill, starts[i : i + share]) for i in range(0, len(starts), share)], several)
    return x
