"""Sliding windows and convolutions of JAX's arrays; what is the transpose of another is asked of JAX as that."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def sliding_windows(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """(N, C, *size) ↦ (N, C, *kernel, *out): for each entry of a kernel what lies under it at each of its places."""
    out = tuple(
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    )
    windows = []
    for place in itertools.product(*map(range, kernel)):
        starts = [p * d for p, d in zip(place, dilation, strict=True)]
        reach = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, out, stride, strict=True)]
        windows.append(x[(slice(None), slice(None), *reach)])
    return jnp.stack(windows, axis=2).reshape(*x.shape[:2], *kernel, *out)


def overlap_add(windows: Any, size: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """The transpose of ``sliding_windows``: (N, C, *kernel, *out) added up where they lie in (N, C, *size)."""
    kernel = windows.shape[2 : 2 + len(size)]
    shape = (*windows.shape[:2], *size)
    return _transposed(lambda x: sliding_windows(x, kernel, stride, dilation), shape, windows)


def convolve(x: Any, w: Any, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (O, C / groups, *kernel) ↦ (N, O, *out)."""
    return lax.conv_general_dilated(x, w, stride, padding, rhs_dilation=dilation, feature_group_count=groups)


def convolve_back(y: Any, w: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, O, *out), (O, C / groups, *kernel) ↦ (N, C, *size)."""
    shape = (y.shape[0], w.shape[1] * groups, *size)
    return _transposed(lambda x: convolve(x, w, stride, padding, dilation, groups), shape, y)


def correlate(x: Any, y: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> Any:
    """(N, C, *size), (N, O, *out) ↦ (O, C / groups, *kernel)."""
    shape = (y.shape[1], x.shape[1] // groups, *kernel)
    return _transposed(lambda w: convolve(x, w, stride, padding, dilation, groups), shape, y)


def _transposed(linear: Any, shape: Sizes, y: Any) -> Any:
    """The transpose of a linear function of arrays of ``shape``, at ``y``: the first part of its result."""
    whole = tuple(map(slice, y.shape))
    (x,) = jax.linear_transpose(lambda x: linear(x)[whole], jax.ShapeDtypeStruct(shape, y.dtype))(y)
    return x
