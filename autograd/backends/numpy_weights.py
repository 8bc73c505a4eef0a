"""``correlate`` as small matrix products over some pixels each, spread over threads.

What images are correlated with, where a convolution has its weight's gradient, is read as it lies in memory, (O,
pixels). The image is copied with its channels last, so that what lies under a row of the kernel is one run of memory,
and the windows of all pixels are a matrix (pixels, kernel₂ · … · C). Those for the rows of the kernel overlap in
memory: each is the next one shifted by a row of the image.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from .. import threads
from .numpy_lines import SMALL_PRODUCT, Pads, Sizes, parts_of, reach, share

# Pixels of an image, channels under a row of the kernel, and filters, from which this is quicker; pixels that a product
# is over at least and, where that leaves it small, at most.
MANY, WIDE, FILTERS = 128, 32, 16
FEW, MOST = 64, 128

# How many bytes of windows and of products are made at a time.
PART_BYTES = 3 << 19


class Plan(NamedTuple):
    """Images (N, G, C, *size) and upstream gradients (N, G, O, *out) of a kernel (C, *kernel)."""

    groups: int
    channels: int
    kernel: Sizes
    out: Sizes
    stride: Sizes
    dilation: Sizes
    before: int  # the first padding
    full: Sizes  # how much of the sizes but the first, padded, kernels reach
    inside: tuple[Any, ...]  # what of these is in the image, and where it lies in them
    within: tuple[Any, ...]
    images: int  # how many a part has
    rows: int  # how many places of the first size a part has
    alone: bool  # whether other threads are not worth it
    long: int  # how many pixels a product has

    @property
    def under(self) -> int:
        """How many entries lie under a row of the kernel."""
        return math.prod(self.kernel[1:]) * self.channels


def are_wide(w: Sizes, out: Sizes, stride: Sizes, groups: int) -> bool:
    """Whether this is quicker for a weight of this shape that stays in the cache."""
    o, under = w[0] // groups, w[1] * math.prod(w[3:])
    is_wide = under >= WIDE and o >= FILTERS and o * under * FEW <= SMALL_PRODUCT
    return stride[0] == 1 and math.prod(out) >= MANY and is_wide


@functools.lru_cache(maxsize=512)
def plan(
    x: Sizes, w: Sizes, out: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int, bytes: int
) -> Plan:
    """From the shapes of images and weight."""
    n, o, c, kernel, pixels = x[0], w[0] // groups, w[1], w[2:], math.prod(out)
    full = tuple((m - 1) * s + d * (k - 1) + 1 for m, s, d, k in zip(out, stride, dilation, kernel, strict=True))[1:]
    meet = [reach(-a, 1, m, size) for (a, _), m, size in zip(padding[1:], full, x[3:], strict=True)]
    under = math.prod(kernel[1:]) * c
    long = min(MOST, max(SMALL_PRODUCT // (o * under), 1))
    row = math.prod(out[1:]) * groups * (under + -(-o * under * kernel[0] // min(long, pixels))) * bytes
    most = max(PART_BYTES // row, 1)
    parts = parts_of(n * math.prod((*out, *w)))
    images, rows = 1, out[0]
    if 2 * rows > 3 * most or n < parts:
        # Lines at the border of two parts are copied for both, so that parts should not be low.
        count = min(max(-(-rows // most), -(-parts // max(n, 1))), max(rows // (2 * kernel[0]), 1))
        rows = -(-rows // count)
    else:
        images = max(min(-(-n // parts), most // rows), 1)
    return Plan(
        groups, c, kernel, out, stride, dilation, padding[0][0], full, tuple(source for source, _ in meet),
        tuple(target for _, target in meet), images, rows, parts == 1, long,
    )  # fmt: skip


def correlate_pixels(x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (N, O, *out) ↦ (O, C / groups, *kernel), where the first stride is 1."""
    n, o, *out = y.shape
    c, o = x.shape[1] // groups, o // groups
    p = plan(x.shape, (y.shape[1], c, *kernel), tuple(out), stride, padding, dilation, groups, x.itemsize)
    images, upstream = x.reshape(n, groups, c, *x.shape[2:]), y.reshape(n, groups, o, *out)
    sums: dict[tuple[int, int], Any] = {}

    def work(part: slice, rows: slice, kept: dict[Any, Any]) -> None:
        source, reached = reach(rows.start - p.before, 1, rows.stop - rows.start + _beyond(p), x.shape[2])
        image = images[(part, slice(None), slice(None), source, *p.inside)]
        layout = (len(image), rows.stop - rows.start, reached)
        if kept.get("layout") != layout:  # for parts alike, all but what follows is done once
            kept.clear()
            kept["views"] = _views(p, o, x.dtype, *layout)
            kept["layout"] = layout
        hole, padded, windows, products = kept["views"]
        hole[...] = image
        windows[...] = padded
        some = upstream[part, :, :, rows]
        sums[part.start, rows.start] = _sums(some.reshape(*some.shape[:3], -1), products)

    # Sums are of parts, whoever computes them: so each thread has one task, whose memory is made once.
    share(n, p.images, out[0], p.rows, 1 if p.alone else threads.available(), work)
    found = [sums[part] for part in sorted(sums)]
    total = found[0]
    for other in found[1:]:
        total += other
    # (G, kernel₁, O, kernel₂, …, C)
    w = total.reshape(groups, kernel[0], o, *kernel[1:], c)
    return w.transpose(0, 2, -1, 1, *range(3, w.ndim - 1)).reshape(groups * o, c, *kernel)


def _beyond(p: Plan) -> int:
    """How many rows more a kernel reaches than it has places."""
    return p.dilation[0] * (p.kernel[0] - 1)


def _views(p: Plan, o: int, dtype: Any, n: int, count: int, reached: slice) -> tuple[Any, Any, Any, Any]:
    """Memory for padded images with their channels last: where these are inside, (n, G, C, *size), and seen as their
    windows; memory for the windows; and what products are to be made of those.
    """
    groups, c, height = p.groups, p.channels, count + _beyond(p)
    padded = np.zeros((n, groups, height, *p.full, c), dtype)
    hole = padded[(slice(None), slice(None), reached, *p.within)].transpose(0, 1, -1, *range(2, padded.ndim - 1))
    image, group, row, *steps, channel = padded.strides
    walk = [step * s for step, s in zip(steps, p.stride[1:], strict=True)]
    spread = [step * s for step, s in zip(steps, p.dilation[1:], strict=True)]
    shape = (n, groups, height, *p.out[1:], *p.kernel[1:], c)
    seen = np.lib.stride_tricks.as_strided(padded, shape, (image, group, row, *walk, *spread, channel))
    windows = np.empty(shape, dtype)
    image, group, row = windows.strides[:3]
    pixels, under = count * math.prod(p.out[1:]), p.under
    step = under * windows.itemsize
    several = -(-pixels // p.long)
    several = next((m for m in range(several, 2 * several) if pixels % m == 0), several)
    long = -(-pixels // several)
    products = []
    for first, m, length in ((0, pixels // long, long), (pixels - pixels % long, 1, pixels % long)):
        if length:
            right = np.ndarray(
                (n, groups, p.kernel[0], m, length, under), dtype, windows, first * step,
                (image, group, row * p.dilation[0], length * step, step, windows.itemsize),
            )  # fmt: skip
            products.append((slice(first, first + m * length), right, np.empty((*right.shape[:4], o, under), dtype)))
    return hole, seen, windows, products


def _sums(left: Any, products: Any) -> Any:
    """The sum over images and pixels of left (N, G, O, pixels) times windows: (G, kernel₁, O, under a row)."""
    total = None
    for pixels, right, product in products:
        some = left[..., pixels]
        some = some.reshape(*some.shape[:3], right.shape[3], -1).swapaxes(2, 3)[:, :, None]
        found = np.add.reduce(np.matmul(some, right, out=product), axis=(0, 3))
        total = found if total is None else np.add(total, found, out=total)
    return total
