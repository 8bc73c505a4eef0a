"""Convolutions as many small matrix products, a line of pixels each, spread over threads.

The lines of an image are copied in the order (size₁, kernel₂, …, C, line). Then what lies under a kernel is one matrix,
(kernel₁ · kernel₂ · … · C, line), and those of neighbouring lines overlap in memory: of 3 × 3 windows three copies are
made and not nine. Where lines are short, those of several images are joined. BLAS computes a product this small on the
thread that asks for it and without packing its factors, so that parts of a batch run side by side.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import threads

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

# Multiply-adds up to which OpenBLAS takes a product as small.
SMALL_PRODUCT = 1_000_000

# Pixels of a product: the largest of these that leaves it small, and rather fewer filters than pixels; as a multiple of
# which, or of half of it, it is quickest; and how many are summed over at least.
LONG, VECTORS, SUMMED = (256, 128, 64), 32, 128

# Pixels of a line that is short.
SHORT = 16

# How many bytes of lines, and of products that are not where they belong yet, are made at a time.
PART_BYTES = 1 << 20

# A batch has up to so many parts, a power of 2, each of at least so many multiply-adds: as many for any number of
# threads, so that every sum is the same.
PARTS, LEAST = 8, 8_000_000


# Entries of a weight that is too large to be read for each line, and multiply-adds that are not worth a plan.
LARGE, LITTLE = 600_000, 200_000


WHOLE = (slice(None),) * 4


class Plan(NamedTuple):
    """A convolution of (N, G, C, *size) with (G, O, C, *kernel), of at least two sizes, the last being the line."""

    batch: int
    groups: int
    channels: int
    filters: int
    size: Sizes
    out: Sizes
    kernel: Sizes
    step: int  # the first stride
    before: int  # the first padding
    places: tuple[tuple[Any, Any, Any, Any], ...]  # of kernel₂, …: which, what it meets in out, in size, and what not
    joined: int  # how many images have their lines joined
    images: int  # how many a part has, a multiple of ``joined``
    rows: int  # how many places of the first size a part has
    tasks: int  # among how many the parts are divided
    short: bool  # whether lines are short, and copied often enough for images that are joined to come last

    @property
    def under(self) -> int:
        """How many entries lie under a kernel."""
        return math.prod(self.kernel) * self.channels

    @property
    def middle(self) -> int:
        """How many sizes are neither the first nor the last."""
        return len(self.out) - 2


def are_small(x: Any, w: Sizes, out: Sizes) -> bool:
    """Whether products of lines are quicker: a weight that stays in the cache, and enough to do."""
    return x.dtype.char in "fd" and math.prod(w) <= LARGE and len(x) * math.prod((*out, *w)) > LITTLE


@functools.lru_cache(maxsize=512)
def plan(
    x: Sizes, w: Sizes, out: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int, bytes: int, sums: bool
) -> Plan:
    """From the shapes of input and weight; ``sums`` says that products are summed over their pixels."""
    n, c, *size = x
    kernel = w[2:]
    if len(size) == 1 or dilation[0] > 1:
        # Lines overlap in memory along the first size only if they are evenly spaced, so another one leads.
        size, out, kernel = [1, *size], (1, *out), (1, *kernel)
        stride, padding, dilation = (1, *stride), ((0, 0), *padding), (1, *dilation)
    places = []
    for place in np.ndindex(*kernel[1:]):
        meet = [
            reach(at * d - before, s, m, full)
            for at, d, (before, _), s, m, full in zip(
                place, dilation[1:], padding[1:], stride[1:], out[1:], size[1:], strict=True
            )
        ]
        targets = tuple(target for _, target in meet)
        edges = [
            (*WHOLE[:i], beyond, *WHOLE[i + 1 : len(targets)])
            for i, (target, m) in enumerate(zip(targets, out[1:], strict=True))
            for beyond in (slice(0, target.start), slice(target.stop, m))
            if beyond.start < beyond.stop
        ]
        places.append((place, targets, tuple(source for source, _ in meet), edges))
    line = out[-1]
    joined = _joined(n, line, sums)
    copied = c * math.prod(kernel[1:]) * stride[0] + (w[0] if sums or joined > 1 else 0)
    row = joined * math.prod(out[1:]) * copied * bytes
    most, blocks = max(PART_BYTES // row, 1), -(-n // joined)
    parts = parts_of(n * math.prod((*out, *w)))
    images, rows = joined, out[0]
    if 2 * rows > 3 * most or blocks < parts:
        # Lines at the border of two parts are copied for both, so that parts should not be low.
        count = min(max(-(-rows // most), -(-parts // blocks)), max(rows // (2 * kernel[0]), 1))
        rows = -(-rows // count)
    else:
        images *= -(-blocks // max(parts, -(-blocks * (rows + kernel[0]) // most)))
    return Plan(
        n, groups, c // groups, w[0] // groups, tuple(size), tuple(out), tuple(kernel), stride[0], padding[0][0],
        tuple(places), joined, images, rows, parts,
        line <= SHORT and stride[-1] == 1 and len(places) > 2,
    )  # fmt: skip


def parts_of(multiplications: int) -> int:
    """Into how many parts to divide a batch with so many multiply-adds."""
    return max(1 << min(multiplications // LEAST, PARTS).bit_length() >> 1, 1)


def _joined(n: int, line: int, sums: bool) -> int:
    """Of how many images to join the lines: enough pixels for a sum, else whole vectors, and rather none left over."""
    enough = min(-(-SUMMED // line), n)
    if sums:
        fit = list(range(enough, min(2 * enough, n + 1)))
    elif line % VECTORS == 0:
        fit = [1]
    else:
        fit = [k for k in range(-(-LONG[-1] // line), min(2 * enough, n + 1)) if 2 * k * line % VECTORS == 0]
    return min(fit or [enough], key=lambda k: (n % k > 0, k))


def reach(start: int, stride: int, places: int, size: int) -> tuple[slice, slice]:
    """Where start + stride · i for i < places lies within ``size``, and which i these are."""
    first = max(-(start // stride), 0)
    last = min((size - 1 - start) // stride, places - 1)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(start + first * stride, start + last * stride + 1, stride), slice(first, last + 1)


def convolve_lines(x: Any, w: Any, out: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (O, C / groups, *kernel) ↦ (N, O, *out)."""
    p = plan(x.shape, w.shape, out, stride, padding, dilation, groups, x.itemsize, False)
    images = x.reshape(p.batch, p.groups, p.channels, *p.size)
    weight = w.reshape(p.groups, p.filters, p.channels, *p.kernel)
    weight = np.ascontiguousarray(np.moveaxis(weight, 2, -1))
    weight = weight.reshape(p.groups, *[1] * (p.middle + 1), p.filters, p.under)
    y = np.empty((p.batch, p.groups, p.filters, *p.out), x.dtype)
    # (N, G, *middle, first, O, line), in the order of the products
    lines = y.transpose(0, 1, *range(4, 4 + p.middle), 3, 2, 4 + p.middle)

    def work(part: slice, rows: slice, joined: int, kept: dict[Any, Any]) -> None:
        windows = _windows(p, images[part], joined, rows, kept)
        target = lines[part][..., rows, :, :]
        if joined == 1:
            multiply(weight, windows, target)
            return
        product = room(kept, "product", (*windows.shape[:-2], p.filters, windows.shape[-1]), x.dtype)
        multiply(weight, windows, product)
        product = _seen(product.reshape(*product.shape[:-1], *_ends(p, joined)), p, joined)
        for i in range(joined):
            target[i::joined] = product[..., i, :]

    _share(p, work)
    return y.reshape(p.batch, w.shape[0], *out)


def correlate_lines(x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (N, O, *out) ↦ (O, C / groups, *kernel)."""
    shape = (y.shape[1], x.shape[1] // groups, *kernel)
    p = plan(x.shape, shape, y.shape[2:], stride, padding, dilation, groups, x.itemsize, True)
    images = x.reshape(p.batch, p.groups, p.channels, *p.size)
    lines = y.reshape(p.batch, p.groups, p.filters, *p.out)
    lines = lines.transpose(0, 1, *range(4, 4 + p.middle), 3, 4 + p.middle, 2)  # (N, G, *middle, first, line, O)
    sums: dict[tuple[int, int], Any] = {}

    def work(part: slice, rows: slice, joined: int, kept: dict[Any, Any]) -> None:
        windows = _windows(p, images[part], joined, rows, kept)
        turned = room(kept, "turned", (*windows.shape[:-2], *_ends(p, joined), p.filters), x.dtype)
        pixels = _seen(turned, p, joined, -2)
        source = lines[part][..., rows, :, :]
        for i in range(joined):
            pixels[..., i, :, :] = source[i::joined]
        turned = turned.reshape(*windows.shape[:-2], -1, p.filters)
        sums[part.start, rows.start] = _summed_products(windows, turned)

    _share(p, work)
    found = [sums[part] for part in sorted(sums)]
    total = found[0]
    for other in found[1:]:
        total += other
    w = total.reshape(p.groups, *p.kernel, p.channels, p.filters)
    return np.moveaxis(w, (-1, -2), (1, 2)).reshape(shape)


def _share(p: Plan, work: Callable[[slice, slice, int, Any], None]) -> None:
    """``work(images, rows, joined, kept)`` for all parts of the batch."""

    def by_joined(part: slice, rows: slice, kept: dict[Any, Any]) -> None:
        whole = part.stop - (part.stop - part.start) % p.joined  # images that are left join among themselves
        for a, b, joined in ((part.start, whole, p.joined), (whole, part.stop, part.stop - whole)):
            if a < b:
                work(slice(a, b), rows, joined, kept)

    share(p.batch, p.images, p.out[0], p.rows, p.tasks, by_joined)


def share(
    batch: int, images: int, height: int, rows: int, tasks: int, work: Callable[[slice, slice, Any], None]
) -> None:
    """``work(images, rows, kept)`` for parts of a batch; ``kept`` is memory that a task keeps.

    Arguments:
        batch, images: how many images there are, and how many a part has.
        height, rows: how many places of the first size there are, and how many a part has.
        tasks: among how many the parts are divided.
    """
    parts = [
        (slice(i, min(i + images, batch)), slice(j, min(j + rows, height)))
        for i in range(0, batch, images)
        for j in range(0, height, rows)
    ]
    step = -(-len(parts) // tasks)

    def task(some: list[tuple[slice, slice]]) -> None:
        kept: dict[Any, Any] = {}
        for of_batch, of_rows in some:
            work(of_batch, of_rows, kept)

    calls = [functools.partial(task, parts[i : i + step]) for i in range(0, len(parts), step)]
    threads.run(calls, threads.available() if len(calls) > 1 else 1)


def room(kept: dict[Any, Any], name: str, shape: Sizes, dtype: Any) -> Any:
    """Memory that the parts of a task use one after the other: getting it anew costs more than filling it."""
    if name not in kept or kept[name].shape != shape:
        kept.pop(name, None)
        kept[name] = np.empty(shape, dtype)
    return kept[name]


def _are_last(p: Plan, joined: int) -> bool:
    """Whether images that are joined come last in memory, which makes long lines of short ones."""
    return p.short and joined > 1


def _ends(p: Plan, joined: int) -> tuple[int, int]:
    """The last two sizes of joined lines, in memory."""
    return (p.out[-1], joined) if _are_last(p, joined) else (joined, p.out[-1])


def _seen(x: Any, p: Plan, joined: int, end: int = -1) -> Any:
    """x with the sizes of ``_ends`` as (…, joined, line), a view."""
    return x.swapaxes(end - 1, end) if _are_last(p, joined) else x


def _windows(p: Plan, x: Any, joined: int, rows: slice, kept: dict[Any, Any]) -> Any:
    """The windows of x (N, G, C, *size), (N / joined, G, *middle, rows, under, joined · line): a view of its lines."""
    count = rows.stop - rows.start
    height = (count - 1) * p.step + p.kernel[0]
    n, d = len(x) // joined, 2 + p.middle
    shape = (n, p.groups, *p.out[1:-1], height, *p.kernel[1:], p.channels, *_ends(p, joined))
    memory = room(kept, "lines", shape, x.dtype)
    lines = _seen(memory, p, joined)
    source_rows, reached = reach(rows.start * p.step - p.before, 1, height, p.size[0])
    is_new = kept.get("filled") != (shape, reached)
    if is_new:
        kept["filled"] = shape, reached
        lines[(*WHOLE[:d], slice(0, reached.start))] = 0
        lines[(*WHOLE[:d], slice(reached.stop, height))] = 0
    image = x[(*WHOLE[:3], source_rows)]
    source = image.reshape(n, joined, *image.shape[1:])
    m = p.middle
    if _are_last(p, joined):  # once, so that the copies below are of long runs
        last = source.transpose(0, *range(2, source.ndim), 1)
        images = room(kept, "images", last.shape, x.dtype)
        images[...] = last
        source = images.transpose(0, 1, *range(4, 4 + m), 3, 2, 5 + m, 4 + m)
    else:
        source = source.transpose(0, 2, *range(5, 5 + m), 4, 3, 1, 5 + m)
    # (N / joined, G, *middle, first, C, joined, line)
    for place, targets, sources, edges in p.places:
        for edge in edges if is_new else ():  # padding, which stays so
            lines[(*WHOLE[:2], *edge[:-1], reached, *place, ..., edge[-1])] = 0
        lines[(*WHOLE[:2], *targets[:-1], reached, *place, ..., targets[-1])] = source[
            (*WHOLE[:2], *sources[:-1], WHOLE[0], ..., sources[-1])
        ]
    steps = memory.strides
    steps = (*steps[:d], steps[d] * p.step, steps[-3], steps[-1])
    return np.ndarray((*shape[:d], count, p.under, joined * p.out[-1]), x.dtype, memory, 0, steps)


def multiply(weight: Any, windows: Any, out: Any) -> None:
    """weight (…, O, K) @ windows (…, K, pixels), in products that are small."""
    o, k = weight.shape[-2:]
    width = windows.shape[-1]
    line = next((m for m in LONG if o * k * min(m, width) <= SMALL_PRODUCT), LONG[-1])
    most = max(SMALL_PRODUCT // (k * min(line, width)), 1)
    rows = -(-o // -(-o // most))  # parts of about one size
    if rows == o and line >= width:
        np.matmul(weight, windows, out=out)
        return
    for i in range(0, o, rows):
        for j in range(0, width, line):
            into = out[..., i : i + rows, j : j + line]
            np.matmul(weight[..., i : i + rows, :], windows[..., j : j + line], out=into)


def _summed_products(windows: Any, right: Any) -> Any:
    """The sum of windows (N, G, …, K, pixels) @ right (N, G, …, pixels, O) over all but G: (G, K, O)."""
    *lead, k, width = windows.shape
    most = max(SMALL_PRODUCT // (width * right.shape[-1]), 1)
    step = -(-k // -(-k // most))  # parts of about one size
    axes = (0, *range(2, len(lead)))
    found = [np.add.reduce(windows[..., i : i + step, :] @ right, axis=axes) for i in range(0, k, step)]
    return found[0] if len(found) == 1 else np.concatenate(found, axis=1)
