"""Order: sorting, order statistics, and searching what is sorted.

Where the entries go is computed as integers; the values are then gathered, and so is their gradient. A NaN counts
as larger than all else, as in PyTorch and NumPy. Every order is stable: equal entries stay in their order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, GraphError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive, wrap
from .elementwise import clone, eq, lt, ne, to, where
from .indexing import gather
from .reduction import Extreme, reduce_argmax, reduce_sum
from .scans import along, one_dim, scan_argmax
from .shape import cat, squeeze

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="argsort")
def sort_order(xp, x, *, axis, descending=False):
    """The indices that sort x along ``axis``, stable in both directions; see ``argsort``."""
    if not descending:
        return xp.argsort(x, axis)
    back = along(axis, slice(None, None, -1))
    return x.shape[axis] - 1 - xp.argsort(x[back], axis)[back]


@primitive(name="topk")
def top_order(xp, x, *, k, axis, largest=True):
    """The first k of the indices that sort x along ``axis``, the largest or the smallest first; see ``topk``."""
    return xp.argtop(x, k, axis, largest)


@primitive(selects=True, name="median")
def reduce_median(xp, x, *, skip_nan=False):
    """The lower median of all entries; see ``median``."""
    flat = x.reshape(-1)
    n = flat.shape[0]
    numbers = (flat == flat).sum()
    # NaNs come last.
    k = xp.maximum(numbers - 1, 0) // 2 if skip_nan else xp.where(numbers < n, n - 1, (n - 1) // 2)
    return flat[xp.argsort(flat, 0)[k]]


def _median_x(xp, g, out, x, *, skip_nan=False):
    chosen = xp.astype(xp.logical_or(x == out, xp.logical_and(x != x, out != out)), x.dtype)
    return g * chosen / xp.sum(chosen)


reduce_median.grads(x=_median_x)


@primitive(name="searchsorted", promote="same")
def search_sorted(xp, sorted_sequence, input, *, side="left"):
    """Where each input would go into the sorted sequence; see ``searchsorted``."""
    return xp.searchsorted(sorted_sequence, input, side)


@composed
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, axis: int | None = None
) -> Extreme:
    """The entries in order along ``dim`` and where each was, as a pair (values, indices).

    Arguments:
        input: a Tensor of any shape; NaNs count as largest.
        dim (or axis): the dimension to sort, the last by default.
        descending: the largest first.
        stable: equal entries keep their order; they do so in any case.

    >>> import autograd
    >>> autograd.sort(autograd.tensor([3.0, 1.0, 2.0]))
    Extreme(values=tensor([1., 2., 3.]), indices=tensor([1, 2, 0]))
    """
    indices = argsort(input, dim, descending, stable, axis=axis)
    return Extreme(_at(input, indices, one_dim("sort", input, dim if axis is None else axis)), indices)


@composed
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, axis: int | None = None
) -> Tensor:
    """The indices that sort x along ``dim``; arguments as ``sort``.

    >>> import autograd
    >>> autograd.argsort(autograd.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([0, 2, 1])
    """
    d = one_dim("argsort", input, dim if axis is None else axis)
    if input.ndim == 0:
        return reduce_argmax(input)
    return sort_order(input, axis=d, descending=bool(descending))


@composed
def msort(input: Tensor) -> Tensor:
    """The entries in order along the first dimension: ``sort(x, 0).values``.

    >>> import autograd
    >>> autograd.msort(autograd.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    return sort(input, 0).values


@composed
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, axis: int | None = None
) -> Extreme:
    """The k largest entries along ``dim``, in order, and where they were, as a pair (values, indices).

    Arguments:
        input: a Tensor of any shape.
        k: how many, at most the size of ``dim``.
        largest: False for the k smallest, in ascending order.
        sorted: False allows any order; they come in order all the same.

    >>> import autograd
    >>> autograd.topk(autograd.tensor([3.0, 1.0, 2.0]), 2).indices
    tensor([0, 2])
    """
    d = one_dim("topk", input, dim if axis is None else axis)
    _check_k("topk", input, k, d, 0)
    if input.ndim == 0:
        return (
            Extreme(clone(input), reduce_argmax(input))
            if k
            else Extreme(input.reshape(1)[:0], reduce_argmax(input).reshape(1)[:0])
        )
    indices = top_order(input, k=int(k), axis=d, largest=bool(largest))
    return Extreme(_at(input, indices, d), indices)


@composed
def kthvalue(
    input: Tensor,
    k: int,
    dim: int = -1,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Extreme:
    """The k-th smallest entry along ``dim``, counted from 1, and where it was, as a pair (values, indices).

    >>> import autograd
    >>> autograd.kthvalue(autograd.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    d = one_dim("kthvalue", input, dim if axis is None else axis)
    _check_k("kthvalue", input, k, d, 1)
    if input.ndim == 0:
        return Extreme(clone(input), reduce_argmax(input))
    indices = sort_order(input, axis=d)[along(d, slice(k - 1, k))]
    return _dropped(input, indices, d, keepdim if keepdims is None else keepdims)


@composed
def median(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """The middle entry of all; along ``dim`` a pair (values, indices). Of two middle entries it is the lower.

    NumPy's median is the mean of the two: ``quantile(x, 0.5)``. A NaN among the entries is the result. The median
    of all shares its gradient between the entries equal to it.

    >>> import autograd
    >>> autograd.median(autograd.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    return _median("median", input, dim, keepdim, axis, keepdims, False)


@composed
def nanmedian(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Any:
    """``median`` of the entries that are not NaN; NaN where all are.

    >>> import autograd
    >>> autograd.nanmedian(autograd.tensor([float("nan"), 1.0, 3.0]))
    tensor(1.)
    """
    return _median("nanmedian", input, dim, keepdim, axis, keepdims, True)


def _median(name: str, x: Tensor, dim: Any, keepdim: bool, axis: Any, keepdims: bool | None, skip_nan: bool) -> Any:
    if dim is None and axis is None:
        if x.numel() == 0:
            raise ShapeError(f"{name}: nothing to choose from: the Tensor has shape {tuple(x.shape)}")
        return reduce_median(x, skip_nan=skip_nan)
    d = one_dim(name, x, dim, axis)
    if x.ndim == 0:
        return Extreme(clone(x), reduce_argmax(x))
    n = x.shape[d]
    if n == 0:
        raise ShapeError(f"{name}: nothing to choose from along dim {d}: the Tensor has shape {tuple(x.shape)}")
    numbers = reduce_sum(eq(x, x), axis=(d,), keepdims=True)
    # NaNs come last.
    k = (numbers - 1).clamp(0) // 2 if skip_nan else where(lt(numbers, n), numbers, (n - 1) // 2)
    return _dropped(x, gather(sort_order(x, axis=d), k, axis=d), d, keepdim if keepdims is None else keepdims)


@composed
def mode(
    input: Tensor, dim: int = -1, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None
) -> Extreme:
    """The most frequent entry along ``dim`` and where it is last, as a pair (values, indices).

    Of equally frequent ones it is the smallest. No NaN equals another.

    >>> import autograd
    >>> autograd.mode(autograd.tensor([3, 1, 3, 2])).indices
    tensor(2)
    """
    d = one_dim("mode", input, dim if axis is None else axis)
    if input.ndim == 0:
        return Extreme(clone(input), reduce_argmax(input))
    n = input.shape[d]
    if n == 0:
        raise ShapeError(f"mode: nothing to choose from along dim {d}: the Tensor has shape {tuple(input.shape)}")
    order = sort_order(input, axis=d)
    entries = gather(input.detach(), order, axis=d)
    places = wrap(np.arange(n).reshape([-1] + [1] * (input.ndim - d - 1)))
    # A run of equal entries starts where one differs from that before it.
    changed = ne(entries[along(d, slice(1, None))], entries[along(d, slice(None, -1))])
    first = wrap(np.zeros([1 if i == d else size for i, size in enumerate(input.shape)], np.int64))
    starts = cat([first, where(changed, places[1:], 0)], d)
    start = gather(starts, scan_argmax(starts, axis=d), axis=d)
    # The end of the first of the longest runs.
    at = reduce_argmax(places - start, axis=d, keepdims=True)
    return _dropped(input, gather(order, at, axis=d), d, keepdim if keepdims is None else keepdims)


@composed
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each value of ``input`` would go to keep the sequence sorted.

    The index i has sequence[i−1] < value ≤ sequence[i]; with ``right`` sequence[i−1] ≤ value < sequence[i].

    Arguments:
        sorted_sequence: (n,), or (..., n) with the leading sizes of ``input``; ascending along the last dimension.
        input: a Tensor of any shape (for an n-d sequence (..., m)), or a number.
        out_int32: give int32 instead of int64.
        right (or side="right"): after equal entries instead of before them.
        sorter: the indices that sort the sequence, where it is not sorted itself.

    >>> import autograd
    >>> autograd.searchsorted(autograd.tensor([1.0, 3.0, 5.0]), autograd.tensor([3.0, 4.0]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if right and side == "left":
        raise ValueError("searchsorted: got right=True and side='left', which are opposites")
    values = input if isinstance(input, Node) else wrap(np.asarray(input)[()])
    a, v = tuple(sorted_sequence.shape), tuple(values.shape)
    if not a:
        raise ShapeError("searchsorted: the sequence must have at least one dimension, got a 0-d Tensor")
    if len(a) > 1 and a[:-1] != v[:-1]:
        raise ShapeError(
            f"searchsorted: a sequence of shape {a} and input of shape {v} must have the same leading sizes; "
            "a 1-d sequence takes input of any shape"
        )
    if sorter is not None:
        if tuple(sorter.shape) != a or sorter.dtype.kind not in "iu":
            raise ShapeError(f"searchsorted: sorter must be integers of shape {a}, got {describe(sorter)}")
        sorted_sequence = gather(sorted_sequence, sorter, axis=len(a) - 1)
    out = search_sorted(sorted_sequence, values, side="right" if right else side or "left")
    return to(out, dtype=np.dtype("int32" if out_int32 else "int64"))


@composed
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket between ``boundaries`` that each value falls into: ``searchsorted`` the other way round.

    Bucket i holds boundaries[i−1] < value ≤ boundaries[i]; with ``right`` boundaries[i−1] ≤ value < boundaries[i].

    Arguments:
        input: a Tensor of any shape, or a number.
        boundaries: (n,), ascending.

    >>> import autograd
    >>> autograd.bucketize(autograd.tensor([0.5, 3.0]), autograd.tensor([1.0, 2.0]))
    tensor([0, 2])
    """
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: boundaries must be 1-d, got shape {tuple(boundaries.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@composed
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
    *,
    axis: int | None = None,
) -> Any:
    """The different entries of x in ascending order, or its different slices along ``dim``.

    Gradient goes to the first entry of each value, which PyTorch refuses.

    Arguments:
        input: a Tensor of any shape; no NaN equals another.
        sorted: False allows any order; they come in order all the same.
        return_inverse: also the index that each entry (or slice) has among the different ones.
        return_counts: also how often each occurs.

    Returns a Tensor, or a tuple (values, inverse, counts) of what was asked for.

    >>> import autograd
    >>> autograd.unique(autograd.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    array = concrete("unique", input)
    if (dim is None and axis is None) or not input.ndim:
        d, shape, input, array = 0, tuple(input.shape), input.reshape(-1), array.reshape(-1)
    else:
        d = one_dim("unique", input, dim, axis)
        shape = (input.shape[d],)
    _, first, inverse, counts = np.unique(array, True, True, True, axis=None if array.ndim == 1 else d, equal_nan=False)
    return _with(input[along(d, first)], inverse.reshape(shape), counts, return_inverse, return_counts)


@composed
def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
    *,
    axis: int | None = None,
) -> Any:
    """x flattened, or along ``dim``, with only the first of each run of equal entries; arguments as ``unique``.

    >>> import autograd
    >>> autograd.unique_consecutive(autograd.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    array = concrete("unique_consecutive", input)
    if (dim is None and axis is None) or not input.ndim:
        d, shape, input, array = 0, tuple(input.shape), input.reshape(-1), array.reshape(-1)
    else:
        d = one_dim("unique_consecutive", input, dim, axis)
        shape = (input.shape[d],)
    n = array.shape[d]
    rows = np.moveaxis(array, d, 0).reshape(n, math.prod(array.shape) // n if n else 0)
    starts = np.ones(n, bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    first = np.flatnonzero(starts)
    inverse = (np.cumsum(starts) - 1).reshape(shape)
    return _with(input[along(d, first)], inverse, np.diff(first, append=n), return_inverse, return_counts)


def _with(values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool) -> Any:
    if not return_inverse and not return_counts:
        return values
    extra = [wrap(inverse[()])] if return_inverse else []
    return (values, *extra, *([wrap(counts)] if return_counts else []))


def concrete(name: str, x: Any) -> Any:
    """x's array, where the shape of a result depends on its values; an error while these are being traced."""
    if not isinstance(x, Node):
        raise DTypeError(f"{name}: wants a Tensor, got {describe(x)}")
    if not isinstance(x._array, (np.ndarray, np.generic)):
        raise GraphError(
            f"{name}: the shape of its result depends on the values, which a compiled function does not know; "
            "call it outside"
        )
    return np.asarray(x._array)


def _check_k(name: str, x: Tensor, k: Any, d: int, least: int) -> None:
    n = x.shape[d] if x.ndim else 1
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise DTypeError(f"{name}: k must be an int, got {describe(k)}")
    if not least <= k <= n:
        raise ValueError(f"{name}: k must be within {least} and {n}, the size of dim {d}, got {k}")


def _at(x: Tensor, indices: Tensor, d: int) -> Tensor:
    return gather(x, indices, axis=d) if x.ndim else clone(x)


def _dropped(x: Tensor, indices: Tensor, d: int, keepdim: bool) -> Extreme:
    values = gather(x, indices, axis=d)
    return Extreme(values, indices) if keepdim else Extreme(squeeze(values, d), squeeze(indices, d))
