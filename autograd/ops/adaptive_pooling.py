"""Pooling into a given number of bins that cover the input evenly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import wrap
from .elementwise import check_floating, where
from .indexing import getitem
from .window_maxima import Reach, max_places, max_windows, take_places
from .windows import batched, sizes, window_sum

if TYPE_CHECKING:
    from ..tensor import Tensor


def _bins(n: int, m: int) -> tuple[Any, Any]:
    """Where each of m bins over n entries starts and ends: ⌊i n / m⌋ and ⌈(i + 1) n / m⌉."""
    i = np.arange(m)
    return i * n // m, -(-(i + 1) * n // m)


def _output_size(name: str, x: Tensor, dims: int, output_size: Any) -> tuple[int, ...]:
    if 0 in x.shape[2:]:
        raise ShapeError(f"{name}: only batch and channels may have size 0, got input of shape {tuple(x.shape)}")
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    if len(wanted) == dims:
        wanted = tuple(n if m is None else m for m, n in zip(wanted, x.shape[2:], strict=True))
    return sizes(name, "output_size", wanted, dims)


def _adaptive_avg(name: str, dims: int, x: Any, output_size: Any) -> Tensor:
    x, has_batch = batched(name, x, dims)
    check_floating(name, x)
    wanted = _output_size(name, x, dims, output_size)
    kernel = tuple(1 if n % m else n // m for n, m in zip(x.shape[2:], wanted, strict=True))
    if max(kernel) > 1:
        x = window_sum(x, kernel=kernel, stride=kernel) / math.prod(kernel)
    for d, m in enumerate(wanted, start=2):
        if x.shape[d] != m:
            x = _uneven_means(x, d, m)
    return x if has_batch else x.squeeze(0)


def _uneven_means(x: Tensor, axis: int, m: int) -> Tensor:
    """The means of m bins along ``axis`` that are not all of one size."""
    start, end = _bins(x.shape[axis], m)
    at = start[:, None] + np.arange((end - start).max())
    inside = at < end[:, None]  # (bins, entries)
    lines = x.movedim(axis, 0)
    entries = getitem(lines, key=np.where(inside, at, start[:, None]).reshape(-1)).reshape(*at.shape, *lines.shape[1:])
    shape = (*at.shape, *[1] * (lines.ndim - 1))
    total = where(wrap(inside.reshape(shape)), entries, 0.0).sum(1)
    return (total / wrap((end - start).astype(x.dtype).reshape(-1, *shape[2:]))).movedim(0, axis)


def _adaptive_max(name: str, dims: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    x, has_batch = batched(name, x, dims)
    reach = []
    for n, m in zip(x.shape[2:], _output_size(name, x, dims, output_size), strict=True):
        start, end = _bins(n, m)
        reach.append(Reach(int((end - start).max()), 1, start, np.zeros_like(start), end - 1 - start))
    if not return_indices:
        y = max_windows(x, reach=tuple(reach))
        return y if has_batch else y.squeeze(0)
    places = max_places(x, reach=tuple(reach))
    y = take_places(x, places)
    return (y, places) if has_batch else (y.squeeze(0), places.squeeze(0))


@composed
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of each of ``output_size`` bins that cover the input (N, C, L), or (C, L), evenly.

    Bin i of m over L entries goes from ⌊i L / m⌋ to ⌈(i + 1) L / m⌉.

    >>> import autograd
    >>> autograd.adaptive_avg_pool1d(autograd.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@composed
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of each bin of a grid of ``output_size``, an int or (H, W), None keeps a size; see the 1-d form.

    >>> import autograd
    >>> autograd.adaptive_avg_pool2d(autograd.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[2.5000]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


@composed
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The mean of each bin of a grid of ``output_size``, an int or (D, H, W), None keeps a size; see the 1-d form.

    >>> import autograd
    >>> autograd.adaptive_avg_pool3d(autograd.ones(1, 2, 5, 5, 5), 3).shape
    (1, 2, 3, 3, 3)
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


@composed
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each of ``output_size`` bins that cover the input (N, C, L), or (C, L), evenly.

    ``return_indices`` also gives where in the input each is.

    >>> import autograd
    >>> autograd.adaptive_max_pool1d(autograd.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@composed
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each bin of a grid of ``output_size``, an int or (H, W), None keeps a size.

    >>> import autograd
    >>> autograd.adaptive_max_pool2d(autograd.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[4.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@composed
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each bin of a grid of ``output_size``, an int or (D, H, W), None keeps a size.

    >>> import autograd
    >>> autograd.adaptive_max_pool3d(autograd.ones(1, 2, 5, 5, 5), 3).shape
    (1, 2, 3, 3, 3)
    """
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)
