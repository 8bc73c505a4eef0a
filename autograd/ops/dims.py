"""Dimensions and sizes as callers give them, checked and counted from 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import DTypeError, describe


def dimension(name: str, dim: Any, ndim: int) -> int:
    """``dim`` counted from 0, or the error that says what it can be."""
    if type(dim) is int and -ndim <= dim < ndim:
        return dim % ndim
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise DTypeError(f"{name}: dim must be an int, got {describe(dim)}")
    n = ndim or 1
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim {dim} is out of range; for {ndim} dimensions it can be {-n} to {n - 1}")
    return dim.__index__() % n


def sizes_of(name: str, sizes: Sequence[Any]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = sizes[0]
    if all([type(n) is int for n in sizes]):  # noqa: C419, a list is quicker than a generator
        return tuple(sizes)
    for n in sizes:
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise DTypeError(f"{name}: sizes must be ints, got {describe(n)}")
    return tuple(n.__index__() for n in sizes)


Dims = Any  # int | Sequence[int] | None


def normal_dims(name: str, x: Any, dim: Dims, axis: Dims = None) -> tuple[int, ...] | None:
    """``dim``, or NumPy's ``axis``, as a tuple of dimensions counted from 0; None for all of them."""
    if type(dim) is int and axis is None and -x.ndim <= dim < x.ndim:
        return (dim % x.ndim,)
    if axis is not None:
        if dim is not None:
            raise TypeError(f"{name}: got both dim={dim!r} and axis={axis!r}, which mean the same")
        dim = axis
    if dim is None:
        return None
    result = []
    for d in dim if isinstance(dim, (tuple, list)) else (dim,):
        if isinstance(d, bool) or not hasattr(d, "__index__"):
            raise TypeError(f"{name}: dim must be an int or a tuple of ints, got {d!r}")
        n = max(x.ndim, 1)
        if not -n <= d < n:
            raise IndexError(
                f"{name}: dim {d} is out of range for a Tensor of shape {tuple(x.shape)}; it can be {-n} to {n - 1}"
            )
        result.append(d.__index__() % n)
    if len(set(result)) < len(result):
        raise ValueError(f"{name}: dim {dim!r} names a dimension twice")
    return tuple(result) if x.ndim else ()


def spread(xp: Any, g: Any, x: Any, axis: tuple[int, ...] | None, keepdims: bool) -> Any:
    """``g`` of a reduction's shape, repeated over the entries that were reduced."""
    if axis is not None and not keepdims:
        g = g.reshape(kept_shape(x, axis))
    return xp.repeat_to(g, x.shape)


def kept_shape(x: Any, axis: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of ``x`` with 1 for each dimension of ``axis``."""
    sizes = [1] * len(x.shape) if axis is None else list(x.shape)
    for d in axis or ():
        sizes[d] = 1
    return tuple(sizes)


def count(x: Any, axis: tuple[int, ...] | None) -> int:
    """How many entries of ``x`` are reduced to one."""
    return math.prod(x.shape if axis is None else [x.shape[d] for d in axis])
