"""Pooling: the largest entry, the mean or the p-norm of each window."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError, describe, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .elementwise import check_floating, where
from .indexing import setitem
from .window_maxima import flat_places, max_places, max_windows, reach_of, take_places
from .windows import Ints, batched, pad_around, sizes, window_sum

if TYPE_CHECKING:
    from ..tensor import Tensor


def _max_pool(
    name: str, dims: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, indices: bool
) -> Any:
    x, has_batch = batched(name, x, dims)
    kernel, stride, padding, dilation = _settings(name, dims, kernel, stride, padding, dilation)
    reach, tile = _reach(name, tuple(x.shape[2:]), kernel, stride, padding, dilation, ceil)
    if not indices:
        y = max_windows(x, reach=reach, tile=tile)
        return y if has_batch else y.squeeze(0)
    places = max_places(x, reach=reach)
    y = take_places(x, places)
    return (y, places) if has_batch else (y.squeeze(0), places.squeeze(0))


@functools.lru_cache(maxsize=256)
def _reach(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> tuple[Any, Any]:
    """The reach of a kernel in each dimension, and the kernel where its places are tiles, else None."""
    out = _places(name, size, kernel, stride, padding, dilation, ceil)
    reach = tuple(map(reach_of, size, kernel, stride, padding, dilation, out))
    if any((line.first > line.last).any() for line in reach):
        raise ShapeError(
            f"{name}: a kernel of {kernel} with dilation {dilation} has a place in input of size {size} padded by "
            f"{padding} where all of it is on padding; use less padding"
        )
    covered = tuple(m * k for m, k in zip(out, kernel, strict=True))
    is_tiled = kernel == stride and size == covered and not any(padding) and max(dilation) == 1
    return reach, kernel if is_tiled else None


def _settings(name: str, dims: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Any, ...]:
    kernel = sizes(name, "kernel_size", kernel, dims)
    stride = kernel if stride is None else sizes(name, "stride", stride, dims)
    padding = sizes(name, "padding", padding, dims, 0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{name}: padding must be at most half the kernel size, got padding {padding} for {kernel}")
    return kernel, stride, padding, sizes(name, "dilation", dilation, dims)


def _places(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> list[int]:
    """How many places a window has along each dimension."""
    places = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        left = n + 2 * p - d * (k - 1) - 1
        m = (-(-left // s) if ceil else left // s) + 1
        # A window must start inside the input or the padding before it.
        places.append(m - 1 if ceil and (m - 1) * s >= n + p else m)
        if places[-1] < 1 or n < 1:
            raise ShapeError(
                f"{name}: a kernel of {kernel} with dilation {dilation} does not fit into size {size} padded by "
                f"{padding}"
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
    pads, counts = _counts(name, tuple(x.shape[2:]), kernel, stride, padding, dilation, ceil, count_padding)
    total = window_sum(pad_around(x, pads), kernel=kernel, stride=stride)
    if divisor is None and type(counts) is int:
        divisor = counts
    y = total / (divisor if divisor is not None else wrap(counts.astype(x.dtype)))
    return y if has_batch else y.squeeze(0)


@functools.lru_cache(maxsize=256)
def _counts(
    name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, count_padding: bool
) -> tuple[Any, Any]:
    """The padding on both sides of each dimension, and how many entries each window has: an int where all are alike."""
    out = _places(name, size, kernel, stride, padding, dilation, ceil)
    pads, counts = [], np.ones(())
    for n, k, s, p, m in zip(size, kernel, stride, padding, out, strict=True):
        pads.append((p, max((m - 1) * s + k - n - p, 0)))
        start = np.arange(m) * s - p
        end = np.minimum(start + k, n + p)
        inside = end - start if count_padding else np.minimum(end, n) - np.maximum(start, 0)
        counts = counts[..., None] * inside
    return pads, int(counts.flat[0]) if (counts == counts.flat[0]).all() else counts


def _lp_pool(name: str, dims: int, x: Any, p: float, kernel: Any, stride: Any, ceil: bool) -> Tensor:
    kernel = sizes(name, "kernel_size", kernel, dims)
    if not isinstance(x, Node):
        raise no_tensor(name, "input", x)
    check_floating(name, x)  # type: ignore[arg-type]
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
    given = describe(indices)
    fits = getattr(indices, "shape", None) == getattr(x, "shape", None)
    x, has_batch = batched(name, x, dims)
    indices, _ = batched(name, indices, dims)
    if indices.dtype.kind not in "iu" or not fits:
        raise ShapeError(
            f"{name}: indices must be the integers that max_pool{dims}d(..., return_indices=True) gave, of input's "
            f"shape {tuple(x.shape)}; got {given}"
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
    y = setitem(zeros, x.reshape(-1), key=flat_places(indices, size)).reshape(*x.shape[:2], *size)
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
