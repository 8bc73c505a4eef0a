"""The engine's own functions under NumPy's names, so that a gradient rule records itself when it runs on Tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import modes
from ..node import Node
from ..ops import convolution, diagonals, fused, indexing, windows
from ..ops.elementwise import (
    abs,
    ceil,
    cos,
    exp,
    expm1,
    floor,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    sigmoid,
    sign,
    sin,
    sqrt,
    tanh,
    to,
    where,
)
from ..ops.functions import cosh, sinh, trunc
from ..ops.linalg import matmul
from ..ops.reduction import amax as max
from ..ops.reduction import amin as min
from ..ops.reduction import argmax, argmin
from ..ops.reduction import sum as _sum
from ..ops.scans import linear_recurrence as _linear_recurrence
from ..ops.scans import scan_prod, scan_sum
from ..ops.shape import broadcast_to as _broadcast_to
from ..ops.shape import cat, permute_to
from ..ops.shape import stack as _stack
from ..ops.shape import transpose as swapaxes
from ..ops.special import SPECIAL
from ..primitive import wrap
from . import VOCABULARY
from . import numpy as _numpy
from . import tensor_linalg as linalg

__all__ = [*VOCABULARY]


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum along ``axis``."""
    return _sum(x, axis=axis, keepdims=keepdims)


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running sum along ``axis``, from its end if ``reverse``."""
    return scan_sum(x, axis=axis, reverse=reverse)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running product along ``axis``, from its end if ``reverse``."""
    return scan_prod(x, axis=axis, reverse=reverse)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """hₜ = bₜ + aₜ hₜ₋₁ along ``axis``."""
    return _linear_recurrence(a, b, axis=axis, reverse=reverse)


def astype(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x if x.dtype == dtype else to(x, dtype=np.dtype(dtype))


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """``x`` repeated to ``shape``."""
    return _broadcast_to(x, shape=tuple(shape))


repeat_to = broadcast_to


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Joined along ``axis``."""
    return cat(list(xs), axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Joined along a new ``axis``."""
    return _stack(list(xs), axis)


def transpose(x: Any, axes: Sequence[int]) -> Any:
    """Dimensions in the order ``axes``."""
    return permute_to(x, dims=tuple(axes))


def special(name: str, *args: Any) -> Any:
    """The function ``name`` of ``scipy.special``."""
    return SPECIAL[name](*args)


def index(x: Any, key: Any) -> Any:
    """``x[key]``."""
    return indexing.getitem(x, key=key)


def set_at(x: Any, value: Any, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``x[key]``."""
    return indexing.setitem(x, value, key=key)


def add_at(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``key``."""
    return indexing.add_at(g, key=key, shape=shape)


def add_rows(g: Any, key: Any, shape: tuple[int, ...], skipped: int | None, sparse: bool = True) -> Any:
    """Zeros of ``shape`` with the rows of ``g`` added at those that ``key`` names, but for row ``skipped``; dense."""
    if skipped is not None:
        g = where((key != skipped).reshape(key.shape + (1,) * (len(shape) - 1)), g, 0.0)
    return indexing.add_at(g, key=key, shape=shape)


def winners(shape: tuple[int, ...], key: Any) -> Any:
    """Ones where ``x[key] = value`` leaves the entry of ``value`` in place."""
    return wrap((modes.local.namespace or _numpy).winners(shape, key))


def diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """The diagonal of a plane of ``x`` as the last dimension."""
    return diagonals.diagonal_of(x, offset=offset, dim1=dim1, dim2=dim2)


def embed_diagonal(g: Any, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` on that diagonal."""
    return diagonals.embed_diagonal(g, offset=offset, dim1=dim1, dim2=dim2, shape=tuple(shape))


def one_hot(classes: Any, n: int, dtype: Any) -> Any:
    """Rows of zeros with a one at each class."""
    xp = modes.local.namespace or _numpy
    return wrap(xp.one_hot(classes._array if isinstance(classes, Node) else classes, n, dtype))


def sliding_windows(x: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """What lies under a kernel at each of its places."""
    return windows.sliding_windows(x, kernel=kernel, stride=stride, dilation=dilation)


def overlap_add(columns: Any, size: Any, stride: Any, dilation: Any) -> Any:
    """Windows added up where they lie."""
    return windows.overlap_add(columns, size=tuple(size), stride=stride, dilation=dilation)


def convolve(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The convolution of x with w."""
    return convolution.convolve(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)


def convolve_back(y: Any, w: Any, size: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The transpose of ``convolve`` in x."""
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolution.convolve_back(y, w, size=tuple(size), **how)


def correlate(x: Any, y: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """The transpose of ``convolve`` in w."""
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolution.correlate(x, y, kernel=tuple(kernel), **how)


def normal_cdf(x: Any) -> Any:
    """The normal distribution function Φ(x)."""
    return 0.5 + 0.5 * SPECIAL["erf"](x * 0.5**0.5)


def softmax(x: Any, axis: int) -> Any:
    """eˣ / Σ eˣ along ``axis``."""
    return fused.softmax_along(x, axis=axis)


def zeros_like(x: Any) -> Any:
    """Zeros of x's shape and dtype."""
    return wrap(np.zeros(x.shape, x.dtype)[()])


def ones_like(x: Any) -> Any:
    """Ones of x's shape and dtype."""
    return wrap(np.ones(x.shape, x.dtype)[()])
