"""Statistics: moments together, sums and means without NaNs, quantiles, covariance and histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..dtypes import get_default_dtype
from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .dims import Dims
from .elementwise import check_floating, eq, floor, ge, gt, le, logical_and, lt, ne, sqrt, to, where
from .indexing import add_at, gather
from .linalg import matmul
from .reduction import amax, amin, deviation, mean, sum, var
from .scans import one_dim
from .shape import movedim
from .sorting import concrete, search_sorted, sort

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The pair (variance, mean) over all entries, or along ``dim``; arguments as ``var``.

    >>> import autograd
    >>> autograd.var_mean(autograd.tensor([1.0, 2.0, 6.0]))
    (tensor(7.), tensor(3.))
    """
    variance = var(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims)
    return variance, mean(input, None if isinstance(dim, bool) else dim, keepdim, axis=axis, keepdims=keepdims)


@composed
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The pair (standard deviation, mean) over all entries, or along ``dim``; arguments as ``var``.

    >>> import autograd
    >>> autograd.std_mean(autograd.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    variance, middle = var_mean(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims)
    return deviation(variance), middle


@composed
def count_nonzero(input: Tensor, dim: Dims = None, *, axis: Dims = None, keepdims: bool = False) -> Tensor:
    """How many entries are not 0, of all or along ``dim``, as int64. A NaN is not 0.

    >>> import autograd
    >>> autograd.count_nonzero(autograd.tensor([[1.0, 0.0], [2.0, 3.0]]), dim=1)
    tensor([1, 2])
    """
    return sum(ne(input, 0), dim, axis=axis, keepdims=keepdims)


@composed
def nansum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:  # fmt: skip
    """The sum of the entries that are not NaN, 0 where all are; arguments as ``sum``.

    >>> import autograd
    >>> autograd.nansum(autograd.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    input = input if dtype is None else input.to(dtype)
    return sum(where(ne(input, input), 0, input), dim, keepdim, axis=axis, keepdims=keepdims)


@composed
def nanmean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:  # fmt: skip
    """The mean of the entries that are not NaN, NaN where all are; arguments as ``mean``.

    >>> import autograd
    >>> autograd.nanmean(autograd.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    input = input if dtype is None else input.to(dtype)
    check_floating("nanmean", input)
    n = to(sum(eq(input, input), dim, keepdim, axis=axis, keepdims=keepdims), dtype=input.dtype)
    return nansum(input, dim, keepdim, axis=axis, keepdims=keepdims) / where(eq(n, 0), math.nan, n)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@composed
def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Tensor:
    """The entry at the fraction q of the way through the sorted entries, of all or along ``dim``.

    With n entries that is rank r = q (n − 1) counted from 0. Where entries are NaN, so is the result.

    Arguments:
        input: a floating Tensor with at least one entry.
        q: a number within 0 and 1, or a Tensor of x's dtype, 0-d or (m,); the result of the latter has m as its
            first dimension. Gradient flows to q too.
        interpolation: between the ranks a = ⌊r⌋ and b = ⌈r⌉: "linear" gives xₐ + (r − a)(x_b − xₐ), "lower" xₐ,
            "higher" x_b, "midpoint" their mean, "nearest" that whose rank is closer (the even one of two).

    >>> import autograd
    >>> autograd.quantile(autograd.tensor([4.0, 1.0, 3.0, 2.0]), 0.5)
    tensor(2.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim if keepdims is None else keepdims, interpolation, axis, False)


@composed
def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Tensor:
    """``quantile`` of the entries that are not NaN; NaN where all are.

    >>> import autograd
    >>> autograd.nanquantile(autograd.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim if keepdims is None else keepdims, interpolation, axis, True)


def _quantile(
    name: str, x: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, axis: Any, skip_nan: bool
) -> Tensor:
    check_floating(name, x)
    if interpolation not in _METHODS:
        raise ValueError(f"{name}: interpolation must be one of {', '.join(_METHODS)}; got {interpolation!r}")
    if x.numel() == 0:
        raise ShapeError(f"{name}: there are no entries: the Tensor has shape {tuple(x.shape)}")
    q = _fractions(name, q, x.dtype)
    whole = (dim is None and axis is None) or not x.ndim
    d = 0 if whole else one_dim(name, x, dim, axis)
    kept = [1 if whole or i == d else n for i, n in enumerate(x.shape)]
    values = sort(x.reshape(-1) if whole else movedim(x, d, -1), -1).values  # (..., n)
    n = values.shape[-1]
    numbers = sum(eq(values, values), -1, True)  # (..., 1)
    if skip_nan:
        last = to(numbers - 1, dtype=x.dtype).clamp(0)
        rank = q.reshape(-1) * last  # (..., m)
    else:
        rank = where(lt(numbers, n), n - 1.0, q.reshape(-1) * (n - 1))
    fixed = rank.detach()
    below = floor(fixed)
    part = fixed - below
    if interpolation == "lower":
        part = part * 0
    elif interpolation == "higher":
        below, part = below + gt(part, 0), part * 0
    elif interpolation == "nearest":
        odd = ne(below % 2, 0)
        below, part = below + (gt(part, 0.5) | (eq(part, 0.5) & odd)), part * 0
    lower = gather(values, to(below, dtype=np.dtype("int64")), axis=values.ndim - 1)
    if interpolation in ("linear", "midpoint"):
        above = below + gt(part, 0)
        upper = gather(values, to(above, dtype=np.dtype("int64")), axis=values.ndim - 1)
        lower = lower + (rank - below if interpolation == "linear" else 0.5) * (upper - lower)
    out = movedim(lower, -1, 0)  # (m, ...)
    shape = (*q.shape, *(kept if keepdim else out.shape[1:]))
    return out.reshape(shape)


def _fractions(name: str, q: Any, dtype: np.dtype) -> Tensor:
    if not isinstance(q, Node):
        q = wrap(np.asarray(q, dtype)[()])
    elif q.dtype != dtype:
        raise DTypeError(f"{name}: q is {q.dtype} and the Tensor {dtype}; convert one of them: q.to({dtype})")
    if q._array.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or 1-d, got shape {tuple(q._array.shape)}")
    if isinstance(q._array, (np.ndarray, np.generic)):
        given = np.asarray(q._array)
        wrong = given[~((given >= 0) & (given <= 1))]
        if wrong.size:
            raise ValueError(f"{name}: q must be within 0 and 1, got {wrong.flat[0]:g}")
    return q


@composed
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables in the rows of x: C = (x − x̄) (x − x̄)ᵀ / (n − correction).

    Arguments:
        input: (variables, n) observations in columns, or (n,) for one variable, whose variance is then returned.
        correction: 1 by default, as in ``var``.
        fweights: (n,) integers, how often each observation counts.
        aweights: (n,) floating, how much each observation weighs.

    >>> import autograd
    >>> autograd.cov(autograd.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ShapeError(f"cov: wants (variables, observations), at most 2-d; got shape {tuple(input.shape)}")
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    if rows.dtype.kind != "f":
        rows = rows.to(get_default_dtype())
    n = rows.shape[1]
    for name, weight, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if weight is None:
            continue
        if weight.ndim > 1 or weight.numel() != n:
            raise ShapeError(f"cov: {name} must be one number for each of {n} observations, got {tuple(weight.shape)}")
        if weight.dtype.kind not in kinds:
            kind = "integers" if kinds == "iu" else "floating"
            raise DTypeError(f"cov: {name} must be {kind}, got {weight.dtype}")
    if fweights is None and aweights is None:
        centred = rows - sum(rows, 1, True) / (n or math.nan)
        out = matmul(centred, centred.T) / (n - correction if n > correction else math.nan)
        return out.reshape(()) if input.ndim < 2 else out
    w: Any = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    w = to(w, dtype=rows.dtype)
    total = sum(w)
    centred = rows - sum(rows * w, 1, True) / total
    free = total - correction if aweights is None else total - correction * sum(w * aweights) / total
    out = matmul(centred * w, centred.T) / where(gt(free, 0), free, math.nan)
    return out.reshape(()) if input.ndim < 2 else out


@composed
def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlations of variables in the rows of x: Rᵢⱼ = Cᵢⱼ / √(Cᵢᵢ Cⱼⱼ), C their ``cov``.

    >>> import autograd
    >>> autograd.corrcoef(autograd.tensor([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ShapeError(f"corrcoef: wants (variables, observations), at most 2-d; got shape {tuple(input.shape)}")
    c = cov(input)
    if c.ndim == 0:
        return c / c
    each = np.arange(c.shape[0])
    deviations = sqrt(c[each, each])
    return (c / deviations.reshape(-1, 1) / deviations).clamp(-1, 1)


@composed
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many entries fall into each of ``bins`` equal parts of [min, max], as x's dtype.

    Entries outside are not counted, those at ``max`` in the last part. Without gradient.

    Arguments:
        input: a floating Tensor of any shape.
        min, max: the range; where they are equal, that of x.

    >>> import autograd
    >>> autograd.histc(autograd.tensor([1.0, 2.0, 2.0, 3.0]), bins=4, min=0, max=4)
    tensor([0., 1., 2., 1.])
    """
    check_floating("histc", input)
    _check_bins("histc", bins)
    flat = input.detach().reshape(-1)
    low, high = _range("histc", flat, None if min == max else (min, max))
    inside = logical_and(ge(flat, low), le(flat, high))
    place = floor((where(inside, flat, low) - low) * bins / (high - low))
    place = where(inside, where(ge(place, bins), bins - 1.0, place), float(bins))
    ones = to(inside, dtype=input.dtype)
    return add_at(ones, key=to(place, dtype=np.dtype("int64"))._array, shape=(bins + 1,))[:bins]


class Histogram(NamedTuple):
    """What ``histogram`` returns."""

    hist: Any
    bin_edges: Any


@composed
def histogram(
    input: Tensor, bins: Any, *, range: tuple[float, float] | None = None, weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:  # fmt: skip
    """How many entries lie between neighbouring edges, and the edges, as a pair (hist, bin_edges).

    An entry counts where edge ≤ x < next edge, in the last bin also at its end. Gradient flows to ``weight`` only.

    Arguments:
        input: a floating Tensor of any shape.
        bins: how many bins of equal width, or their ascending edges, a 1-d Tensor.
        range: from where to where; the smallest and largest entry by default.
        weight: what each entry adds, of x's shape; 1 by default.
        density: divide by the total and by each bin's width, so that the integral is 1.

    >>> import autograd
    >>> autograd.histogram(autograd.tensor([1.0, 2.0, 2.0, 5.0]), 4).hist
    tensor([1., 2., 0., 1.])
    """
    check_floating("histogram", input)
    flat = input.detach().reshape(-1)
    if isinstance(bins, Node):
        if range is not None:
            raise TypeError("histogram: range goes with a number of bins; the edges given already say it")
        edges: Any = bins
        if edges.ndim != 1 or edges.shape[0] < 2 or edges.dtype != input.dtype:
            raise ShapeError(
                f"histogram: edges must be at least 2 in a 1-d Tensor of {input.dtype}, got {describe(edges)}"
            )
    else:
        _check_bins("histogram", bins)
        low, high = _range("histogram", flat, range)
        t = wrap((np.arange(bins + 1) / bins).astype(input.dtype))
        edges = (1 - t) * low + t * high
    n = edges.shape[0] - 1
    if weight is not None and (tuple(weight.shape) != tuple(input.shape) or weight.dtype != input.dtype):
        raise ShapeError(f"histogram: weight must be {describe(input)} as x is, got {describe(weight)}")
    values = to(eq(flat, flat), dtype=input.dtype) if weight is None else weight.reshape(-1)
    place = search_sorted(edges, flat, side="right")
    # 0 is left of all edges and n + 1 right of them, where only the last edge itself still counts.
    place = where(eq(flat, edges[-1]), n, place)
    hist = add_at(values, key=to(place, dtype=np.dtype("int64"))._array, shape=(n + 2,))[1:-1]
    return Histogram(hist / sum(hist) / (edges[1:] - edges[:-1]) if density else hist, edges)


def _check_bins(name: str, bins: Any) -> None:
    if isinstance(bins, bool) or not hasattr(bins, "__index__") or bins < 1:
        raise ValueError(f"{name}: bins must be an int above 0, got {describe(bins)}")


def _range(name: str, flat: Tensor, given: tuple[float, float] | None) -> tuple[Any, Any]:
    """The ends of a histogram; where all entries are equal, half a unit to either side of them."""
    if given is None and flat.numel() == 0:
        given = (0.0, 1.0)
    low, high = (amin(flat), amax(flat)) if given is None else (wrap(flat.dtype.type(v)) for v in given)
    ends = (low._array, high._array)
    if isinstance(ends[0], (np.ndarray, np.generic)):
        if not np.isfinite(ends).all():
            raise ValueError(f"{name}: the range from {ends[0]:g} to {ends[1]:g} is not finite; give min and max")
        if ends[0] > ends[1]:
            raise ValueError(f"{name}: the range ends at {ends[1]:g}, below its start {ends[0]:g}")
    same = eq(low, high)
    return where(same, low - 0.5, low), where(same, high + 0.5, high)


@composed
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer 0, 1, 2, … occurs, or the sum of the weights that go with it.

    Gradient flows to ``weights``, which PyTorch refuses.

    Arguments:
        input: (n,) integers of at least 0.
        weights: (n,); integers are added as float64.
        minlength: the least length of the result, which is otherwise 1 + the largest integer.

    >>> import autograd
    >>> autograd.bincount(autograd.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
    """
    array = concrete("bincount", input)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise ShapeError(f"bincount: wants a 1-d Tensor of integers of at least 0, got {describe(array)}")
    if minlength < 0:
        raise ValueError(f"bincount: minlength must be at least 0, got {minlength}")
    if weights is None:
        return wrap(np.bincount(array, minlength=minlength))
    if tuple(weights.shape) != array.shape:
        raise ShapeError(f"bincount: weights must have input's shape {array.shape}, got {tuple(weights.shape)}")
    if weights.dtype.kind != "f":
        weights = weights.to(np.dtype("float64"))
    length = int(array.max()) + 1 if array.size else 0
    return add_at(weights, key=array, shape=(length if length > minlength else minlength,))
