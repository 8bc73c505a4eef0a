"""Rows of what cuts out, puts in or sums parts along a dimension, and of what names entries by their place."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from rows_arrangement import one, several
from rows_indexing import numpy_scatter
from sampling import Row, Sample, draw

import autograd


def numpy_split(x: Any, split_sizes: Any, dim: int) -> Any:
    return tuple(np.split(x, np.cumsum(split_sizes)[:-1], dim))


def written(x: Any, src: Any, key: Any) -> Any:
    out = np.array(x)
    out[key] = src
    return out


def numpy_select_scatter(x: Any, src: Any, dim: int, index: int) -> Any:
    return written(x, src, (*(slice(None),) * (dim % x.ndim), index))


def numpy_slice_scatter(x: Any, src: Any, dim: int, start: Any, end: Any, step: int) -> Any:
    return written(x, src, (*(slice(None),) * (dim % x.ndim), slice(start, end, step)))


def numpy_fill_diagonal(x: Any, fill_value: float, wrap: bool) -> Any:
    out = np.array(x)
    np.fill_diagonal(out, fill_value, wrap=wrap)
    return out


def numpy_sum_to_size(x: Any, size: Any) -> Any:
    shape = (1,) * (x.ndim - len(size)) + tuple(size)
    dims = tuple(i for i, n in enumerate(shape) if n != x.shape[i])
    return x.sum(dims, keepdims=True).reshape(size)


def numpy_index_reduce(x: Any, index: Any, source: Any, dim: int, reduce: str, include_self: bool) -> Any:
    if x.ndim == 0:
        return numpy_scatter(x, np.reshape(index, ()), source, 0, reduce, include_self)
    line = [-1 if i == dim % x.ndim else 1 for i in range(x.ndim)]
    every = np.broadcast_to(np.reshape(index, line), source.shape)
    return numpy_scatter(x, every, source, dim % x.ndim, reduce, include_self)


def torch_index_reduce(torch: Any, x: Any, index: Any, source: Any, dim: int, reduce: str, include_self: bool) -> Any:
    with warnings.catch_warnings():  # it is called beta
        warnings.simplefilter("ignore", UserWarning)
        return x.index_reduce(dim, index, source, reduce, include_self=include_self)


def index_reductions() -> list[Sample]:
    found = []
    for shape, index, source, dim in [
        ((3, 2), [2, 0, 2], (3, 2), 0),
        ((2, 3), [1], (2, 1), -1),
        ((4,), [1] * 3, (3,), 0),
    ]:
        x, values = draw(shape, source)
        found += [
            Sample((x, np.array(index), values), {"dim": dim, "reduce": how, "include_self": own})
            for how in ("prod", "mean", "amax", "amin")
            for own in (True, False)
        ]
    return found


ROWS = [
    Row(
        "split_with_sizes",
        [one((5, 2), split_sizes=[1, 3, 1], dim=0), one((2, 3), split_sizes=[0, 3], dim=-1)],
        numpy_split,
        "split_with_sizes",
        op=autograd.split_with_sizes,
    ),
    Row(
        "narrow_copy",
        [one((4, 3), dim=0, start=1, length=2), one((2, 3), dim=-1, start=0, length=0)],
        lambda x, dim, start, length: np.take(x, np.arange(start, start + length), dim),
        # PyTorch has no gradient for narrow_copy.
        lambda torch, x, dim, start, length: torch.narrow(x, dim, start, length).clone(),
        op=autograd.narrow_copy,
    ),
    Row(
        "select_scatter",
        [
            several((3, 2), (2,), dim=0, index=1),
            several((3, 2), (3,), dim=-1, index=-1),
            several((3,), (), dim=0, index=0),
        ],
        numpy_select_scatter,
        "select_scatter",
        op=autograd.select_scatter,
    ),
    Row(
        "slice_scatter",
        [
            several((4, 2), (2, 2), dim=0, start=1, end=3, step=1),
            several((2, 5), (2, 3), dim=1, start=None, end=None, step=2),
            several((5,), (2,), dim=0, start=-2, end=100, step=1),
            several((3,), (0,), dim=0, start=2, end=1, step=1),
        ],
        numpy_slice_scatter,
        "slice_scatter",
        op=autograd.slice_scatter,
    ),
    Row(
        "fill_diagonal",
        [
            one((3, 3), fill_value=2.0, wrap=False), one((5, 2), fill_value=0.5, wrap=True),
            one((5, 2), fill_value=0.5, wrap=False), one((2, 2, 2), fill_value=-1.0, wrap=False),
        ],
        numpy_fill_diagonal,
        lambda torch, x, fill_value, wrap: x.clone().fill_diagonal_(fill_value, wrap),
        op=autograd.ops.slicing.fill_diagonal,
    ),
    Row(
        "sum_to_size",
        [one((2, 3), size=(3,)), one((2, 3), size=(2, 1)), one((2, 3), size=()), one((2, 3), size=(2, 3))],
        numpy_sum_to_size,
        lambda torch, x, size: x.sum_to_size(size),
        op=lambda x, size: x.sum_to_size(size),
    ),
    Row(
        "index_reduce",
        index_reductions(),
        numpy_index_reduce,
        torch_index_reduce,
        op=lambda x, index, source, dim, reduce, include_self: autograd.index_reduce(
            x, dim, index, source, reduce, include_self=include_self
        ),
    ),
    Row(
        "isin",
        [
            Sample((np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 1.0, 7.0])), {"invert": False}),
            Sample((np.array([1, 2, 3]), np.array([[3], [1]])), {"invert": True}),
            Sample((np.array([1, 2, 3]), 2), {"invert": False}),
            Sample((np.array([1, 2, 3]), np.zeros(0, np.int64)), {"invert": False}),
        ],
        lambda x, among, invert: np.isin(x, among, invert=invert),
        "isin",
        op=autograd.isin,
        gradient=False,
    ),
    Row(
        "unravel_index",
        [Sample((np.array([0, 5, 23]),), {"shape": (2, 3, 4)}), Sample((np.array([[1], [2]]),), {"shape": (3,)})],
        lambda indices, shape: np.unravel_index(indices, shape),
        "unravel_index",
        op=autograd.unravel_index,
        gradient=False,
    ),
]  # fmt: skip
