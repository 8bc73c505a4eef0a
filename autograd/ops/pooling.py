"""Pooling: the largest entry, the mean or the p-norm of each window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive, wrap
from .elementwise import check_floating, where
from .indexing import setitem
from .windows import Ints, batched, pad_around, sizes, window_sum

if TYPE_CHECKING:
    from ..tensor import Tensor


class Reach(NamedTuple):
    """Which entries of a dimension lie under a kernel at each of its places: start + step · clip(j, first, last).

    j < width runs over the kernel's entries; ``start``, ``first`` and ``last`` have one number for each place. What
    would lie outside is thus the window's first or last entry once more, which changes no maximum.
    """

    width: int
    step: int
    start: Any
    first: Any
    last: Any

    def under(self, x: Any, axis: int, j: int) -> Any:
        """The entries of x along ``axis`` that lie under entry j; a view where they are evenly spaced."""
        line = self.start + self.step * np.clip(j, self.first, self.last)
        gap = int(line[1] - line[0]) if len(line) > 1 else 1
        even = gap > 0 and bool((np.diff(line) == gap).all())
        return x[(slice(None),) * axis + (slice(int(line[0]), int(line[-1]) + 1, gap) if even else line,)]


@primitive
def max_places(xp, x, *, reach):
    """Where in x (N, C, *size), its last dimensions flattened, the largest entry of each window is: (N, C, *out).

    There is one ``Reach`` for each dimension, and one dimension is reduced after the other. Of equal entries the
    first counts, and NaN is larger than all.
    """
    size = x.shape[2:]
    under: list[Any] = []  # for each dimension that is done, which entry of the kernel it was
    for d, line in reversed(list(enumerate(reach, start=2))):
        before = (x, *under)
        best, *under = (line.under(a, d, 0) for a in before)
        small = np.uint8 if line.width <= 256 else np.int64
        chosen: Any = xp.astype(xp.zeros_like(best), small)
        for j in range(1, line.width):
            other, *others = (line.under(a, d, j) for a in before)
            other = xp.astype(other, x.dtype)  # read three times, so a copy without gaps pays
            wins = (other > best) | (other != other)
            # Arithmetic on small numbers takes a fiftieth of the time of a choice with ``where``.
            chosen = xp.maximum(chosen, wins * small(j))
            under = [old + (new - old) * wins for new, old in zip(others, under, strict=True)]
            best = xp.maximum(best, other)
        x, under = best, [chosen, *under]
    places: Any = 0
    for d, (n, line, j) in enumerate(zip(size, reach, under, strict=True)):
        column = (-1, *[1] * (len(size) - 1 - d))
        j = xp.minimum(xp.maximum(j, line.first.reshape(column)), line.last.reshape(column))
        places = places * n + (line.start.reshape(column) + line.step * j)
    return places


@primitive(selects=True, name="max_pool")
def take_places(xp, x, places):
    """The entries of x (N, C, *size), its last dimensions flattened, that ``places`` (N, C, *out) names."""
    return xp.index(x.reshape(-1), _flat(places, x.shape[2:])).reshape(places.shape)


def _take_places_x(xp, g, out, x, places):
    return xp.add_at(g.reshape(-1), _flat(places, x.shape[2:]), (math.prod(x.shape),)).reshape(x.shape)


take_places.grads(x=_take_places_x)


def _flat(places: Any, size: Sequence[int]) -> Any:
    """``places`` (N, C, *out) in (N, C, size), counted along the whole of it."""
    array = places._array if isinstance(places, Node) else places
    n, c, *out = array.shape
    channels = array.reshape(n * c, math.prod(out)) + np.arange(n * c)[:, None] * math.prod(size)
    return channels.reshape(-1)


def _max_pool(
    name: str, dims: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, indices: bool
) -> Any:
    x, has_batch = batched(name, x, dims)
    kernel, stride, padding, dilation = _settings(name, dims, kernel, stride, padding, dilation)
    out = _places(name, x, kernel, stride, padding, dilation, ceil)
    reach = []
    for n, k, s, p, d, m in zip(x.shape[2:], kernel, stride, padding, dilation, out, strict=True):
        start = np.arange(m) * s - p
        first, last = -(np.minimum(start, 0) // d), np.minimum((n - 1 - start) // d, k - 1)
        if (first > last).any():
            raise ShapeError(
                f"{name}: a kernel of {kernel} with dilation {dilation} has a place in input of size "
                f"{tuple(x.shape[2:])} padded by {padding} where all of it is on padding; use less padding"
            )
        reach.append(Reach(k, d, start, first, last))
    places = max_places(x, reach=tuple(reach))
    y = take_places(x, places)
    if not has_batch:
        y, places = y.squeeze(0), places.squeeze(0)
    return (y, places) if indices else y


def _settings(name: str, dims: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Any, ...]:
    kernel = sizes(name, "kernel_size", kernel, dims)
    stride = kernel if stride is None else sizes(name, "stride", stride, dims)
    padding = sizes(name, "padding", padding, dims, 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{name}: padding must be at most half the kernel size, got padding {padding} for {kernel}")
    return kernel, stride, padding, sizes(name, "dilation", dilation, dims)


def _places(name: str, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> list[int]:
    """How many places a window has along each dimension."""
    places = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        left = n + 2 * p - d * (k - 1) - 1
        m = (-(-left // s) if ceil else left // s) + 1
        # A window must start inside the input or the padding before it.
        places.append(m - 1 if ceil and (m - 1) * s >= n + p else m)
        if places[-1] < 1 or n < 1:
            raise ShapeError(
                f"{name}: a kernel of {kernel} with dilation {dilation} does not fit into size {tuple(x.shape[2:])} "
                f"padded by {padding}"
            )
    return places


def _avg_pool(
    name: str,
    dims: int,
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil: bool,
    count_padding: bool = True,
    divisor: int | None = None,
) -> Tensor:
    x, has_batch = batched(name, x, dims)
    check_floating(name, x)
    kernel, stride, padding, dilation = _settings(name, dims, kernel, stride, padding)
    if divisor == 0:
        raise ValueError(f"{name}: divisor_override must not be 0")
    out = _places(name, x, kernel, stride, padding, dilation, ceil)
    pads, counts = [], np.ones(())
    for n, k, s, p, m in zip(x.shape[2:], kernel, stride, padding, out, strict=True):
        pads.append((p, max((m - 1) * s + k - n - p, 0)))
        start = np.arange(m) * s - p
        end = np.minimum(start + k, n + p)
        inside = end - start if count_padding else np.minimum(end, n) - np.maximum(start, 0)
        counts = counts[..., None] * inside
    total = window_sum(pad_around(x, pads), kernel=kernel, stride=stride)
    if divisor is None and (counts == counts.flat[0]).all():
        divisor = int(counts.flat[0])
    y = total / (divisor if divisor is not None else wrap(counts.astype(x.dtype)))
    return y if has_batch else y.squeeze(0)


def _lp_pool(name: str, dims: int, x: Any, p: float, kernel: Any, stride: Any, ceil: bool) -> Tensor:
    kernel = sizes(name, "kernel_size", kernel, dims)
    if not isinstance(x, Node):
        raise DTypeError(f"{name}: input must be a Tensor, got {describe(x)}")
    mean: Any = _avg_pool(name, dims, x**p, kernel, stride, 0, ceil)  # type: ignore[operator]
    # At 0 the root has no gradient, and 0 is passed on.
    return (where(mean == 0, 0.0, mean) * math.prod(kernel)) ** (1 / p)


@composed
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each window; its gradient goes to the first such entry.

    Arguments:
        input: (N, C, L), or without N.
        kernel_size, stride, padding, dilation: an int, or one for each size; stride is kernel_size by default.
        ceil_mode: keep the last window also where it reaches past the end.
        return_indices: also return where in the flattened sizes each maximum is.

    >>> import autograd
    >>> autograd.max_pool1d(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composed
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each window of (N, C, H, W); arguments as ``max_pool1d``.

    >>> import autograd
    >>> autograd.max_pool2d(autograd.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[4.]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composed
def max_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each window of (N, C, D, H, W); arguments as ``max_pool1d``.

    >>> import autograd
    >>> autograd.max_pool3d(autograd.ones(1, 1, 4, 4, 4), 2).shape
    (1, 1, 2, 2, 2)
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composed
def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window.

    Arguments:
        input: (N, C, L), or without N.
        kernel_size, stride, padding: an int, or one for each size; stride is kernel_size by default.
        ceil_mode: keep the last window also where it reaches past the end.
        count_include_pad: count the zeros of the padding as entries.

    >>> import autograd
    >>> autograd.avg_pool1d(autograd.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@composed
def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, H, W); arguments as ``avg_pool1d``.

    ``divisor_override`` divides every window's sum by this number instead of its size.

    >>> import autograd
    >>> autograd.avg_pool2d(autograd.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[2.5000]]])
    """
    how = ceil_mode, count_include_pad, divisor_override
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, *how)


@composed
def avg_pool3d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, D, H, W); arguments as ``avg_pool2d``.

    >>> import autograd
    >>> autograd.avg_pool3d(autograd.ones(1, 1, 4, 4, 4), 2).shape
    (1, 1, 2, 2, 2)
    """
    how = ceil_mode, count_include_pad, divisor_override
    return _avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, *how)


@composed
def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window, p = ``norm_type``; other arguments as ``avg_pool1d``.

    As in PyTorch no absolute value is taken, so a negative sum has no root (NaN), and a window that ``ceil_mode``
    cuts off counts as a whole one: the sum is the kernel's size times the mean.

    >>> import autograd
    >>> autograd.lp_pool1d(autograd.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@composed
def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window of (N, C, H, W); see ``lp_pool1d``.

    >>> import autograd
    >>> autograd.lp_pool2d(autograd.full((1, 2, 2), 3.0), 2, 2)
    tensor([[[6.]]])
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@composed
def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) over each window of (N, C, D, H, W); see ``lp_pool1d``.

    >>> import autograd
    >>> autograd.lp_pool3d(autograd.full((1, 1, 1, 4), 1.0), 2, (1, 1, 4))
    tensor([[[[2.]]]])
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


def _max_unpool(
    name: str, dims: int, x: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    x, has_batch = batched(name, x, dims)
    indices, _ = batched(name, indices, dims)
    if indices.dtype.kind not in "iu" or tuple(indices.shape) != tuple(x.shape):
        raise ShapeError(
            f"{name}: indices must be the integers that max_pool{dims}d(..., return_indices=True) gave, of input's "
            f"shape {tuple(x.shape)}; got {describe(indices)}"
        )
    kernel, stride, padding, _ = _settings(name, dims, kernel, stride, padding)
    size: Sequence[int] = [
        (n - 1) * s - 2 * p + k for n, k, s, p in zip(x.shape[2:], kernel, stride, padding, strict=True)
    ]
    if output_size is not None:
        wanted = tuple(output_size)[-dims:]
        if len(wanted) != dims or any(abs(w - n) >= s for w, n, s in zip(wanted, size, stride, strict=True)):
            raise ShapeError(f"{name}: output_size must differ from {tuple(size)} by less than {stride}, got {wanted}")
        size = wanted
    length = math.prod(size)
    given = indices._array
    if isinstance(given, np.ndarray) and given.size and not 0 <= given.min() <= given.max() < length:
        raise IndexError(f"{name}: indices must lie in 0 to {length - 1}, got {given.min()} to {given.max()}")
    zeros = wrap(np.zeros(math.prod(x.shape[:2]) * length, x.dtype))
    y = setitem(zeros, x.reshape(-1), key=_flat(indices, size)).reshape(*x.shape[:2], *size)
    return y if has_batch else y.squeeze(0)


@composed
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts the maxima of ``max_pool1d`` back where they were, zeros elsewhere.

    Arguments:
        input: (N, C, L), or without N. indices: of that shape, from ``max_pool1d(..., return_indices=True)``.
        kernel_size, stride, padding: those of the pooling.
        output_size: to choose between the sizes that the pooling makes equal.

    >>> import autograd
    >>> autograd.max_unpool1d(autograd.tensor([[3.0, 2.0]]), autograd.tensor([[1, 2]]), 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@composed
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts the maxima of ``max_pool2d`` back where they were, zeros elsewhere; arguments as ``max_unpool1d``.

    >>> import autograd
    >>> autograd.max_unpool2d(autograd.tensor([[[4.0]]]), autograd.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@composed
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts the maxima of ``max_pool3d`` back where they were, zeros elsewhere; arguments as ``max_unpool1d``.

    >>> import autograd
    >>> autograd.max_unpool3d(autograd.ones(1, 1, 1, 1), autograd.tensor([[[[0]]]]), (1, 1, 2))
    tensor([[[[1., 0.]]]])
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
