"""Running results along one dimension: sums, products, extremes, differences and integrals.

The gradient of a running product divides by nothing, so zeros among the factors are nothing special. It is
P · S, where Pᵢ is the product before entry i, and Sᵢ = gᵢ + xᵢ₊₁ Sᵢ₊₁ runs back: a linear recurrence, whose
derivative is one again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .dims import kept_shape, normal_dims
from .elementwise import check_floating, clone, div, ne
from .indexing import gather
from .reduction import Extreme
from .reduction import sum as sum_of
from .shape import cat

if TYPE_CHECKING:
    from ..tensor import Tensor


def along(axis: int, part: Any) -> tuple[Any, ...]:
    """The index expression that takes ``part`` of dimension ``axis``."""
    return (*(slice(None),) * axis, part)


def one_dim(name: str, x: Any, dim: Any, axis: Any = None) -> int:
    """``dim``, or NumPy's ``axis``, as one dimension counted from 0; 0 for a 0-d Tensor."""
    dims = normal_dims(name, x, dim, axis)
    if dims is None or len(dims) > 1:
        raise TypeError(f"{name}: takes one dim, got {dim if axis is None else axis!r}")
    return dims[0] if dims else 0


def _before(xp: Any, h: Any, axis: int, reverse: bool, edge: Callable[[Any], Any]) -> Any:
    """The neighbour that comes before each entry in the direction of the scan; ``edge`` of the first for the first."""
    if reverse:
        return xp.concatenate([h[along(axis, slice(1, None))], edge(h[along(axis, slice(-1, None))])], axis)
    return xp.concatenate([edge(h[along(axis, slice(0, 1))]), h[along(axis, slice(None, -1))]], axis)


@primitive(name="cumsum")
def scan_sum(xp, x, *, axis, reverse=False):
    """Running sum along ``axis``, from its end if ``reverse``; see ``cumsum``."""
    return xp.cumsum(xp.astype(x, "int64") if x.dtype.kind in "biu" else x, axis, reverse)


scan_sum.grads(x=lambda xp, g, out, x, *, axis, reverse=False: xp.cumsum(g, axis, not reverse))


@primitive
def linear_recurrence(xp, a, b, *, axis, reverse=False):
    """hₜ = bₜ + aₜ hₜ₋₁ along ``axis``, from h = 0 before the first entry, or back from the last if ``reverse``."""
    return xp.linear_recurrence(a, b, axis, reverse)


def _recurrence_b(xp, g, out, a, b, *, axis, reverse=False):
    return xp.linear_recurrence(_before(xp, a, axis, not reverse, xp.zeros_like), g, axis, not reverse)


def _recurrence_a(xp, g, out, a, b, *, axis, reverse=False):
    g_b = _recurrence_b(xp, g, out, a, b, axis=axis, reverse=reverse)
    return g_b * _before(xp, out, axis, reverse, xp.zeros_like)


linear_recurrence.grads(a=_recurrence_a, b=_recurrence_b)


@primitive(name="cumprod")
def scan_prod(xp, x, *, axis, reverse=False):
    """Running product along ``axis``, from its end if ``reverse``; see ``cumprod``."""
    return xp.cumprod(xp.astype(x, "int64") if x.dtype.kind in "biu" else x, axis, reverse)


def _scan_prod_x(xp, g, out, x, *, axis, reverse=False):
    after = xp.linear_recurrence(_before(xp, x, axis, not reverse, xp.zeros_like), g, axis, not reverse)
    return _before(xp, out, axis, reverse, xp.ones_like) * after


scan_prod.grads(x=_scan_prod_x)


@primitive(name="prod")
def reduce_prod(xp, x, *, axis=None, keepdims=False):
    """Product along ``axis``; see ``prod``."""
    out = x.prod(axis=axis, keepdims=keepdims)
    return xp.astype(out, "int64") if out.dtype.kind == "u" else out


def _prod_x(xp, g, out, x, *, axis=None, keepdims=False):
    reduced = tuple(range(len(x.shape))) if axis is None else axis
    order = (*(d for d in range(len(x.shape)) if d not in reduced), *reduced)
    kept = tuple(x.shape[d] for d in order[: len(order) - len(reduced)])
    n = int(np.prod([x.shape[d] for d in reduced]))
    factors = xp.transpose(x, order).reshape((*kept, n))
    last = len(kept)
    others = _before(xp, xp.cumprod(factors, last), last, False, xp.ones_like)
    others = others * _before(xp, xp.cumprod(factors, last, True), last, True, xp.ones_like)
    others = xp.transpose(
        others.reshape(tuple(x.shape[d] for d in order)), tuple(order.index(d) for d in range(len(order)))
    )
    return g.reshape(kept_shape(x, axis)) * others


reduce_prod.grads(x=_prod_x)


@primitive(name="logcumsumexp")
def scan_logsumexp(xp, x, *, axis):
    """ln of the running sum of eˣ along ``axis``; see ``logcumsumexp``."""
    return xp.cumlogsumexp(x, axis)


def _scan_logsumexp_x(xp, g, out, x, *, axis):
    # exp(xᵢ) Σⱼ gⱼ exp(−outⱼ), j ≥ i, in steps of exp(outⱼ − outⱼ₊₁) ≤ 1, which cannot overflow.
    nothing = out == -np.inf
    zeros = xp.zeros_like(out)
    level = xp.where(nothing, zeros, out)
    step = level - _before(xp, level, axis, True, lambda last: last)
    decay = xp.where(nothing, zeros, xp.exp(xp.where(nothing, zeros, step)))
    return xp.exp(x - level) * xp.linear_recurrence(decay, g, axis, True)


scan_logsumexp.grads(x=_scan_logsumexp_x)


def _latest(xp: Any, x: Any, axis: int, scan: Any) -> Any:
    """Where the running extreme was last reached; a NaN is one, and only another NaN replaces it."""
    x = xp.astype(x, "uint8") if x.dtype.kind == "b" else x
    reached = xp.logical_or(x == scan(x, axis), x != x)
    places = np.arange(x.shape[axis]).reshape([-1] + [1] * (len(x.shape) - axis - 1))
    return xp.cummax(xp.where(reached, places, 0), axis)


@primitive(name="cummax")
def scan_argmax(xp, x, *, axis):
    """Where the largest entry so far is along ``axis``, the last of equal ones; see ``cummax``."""
    return _latest(xp, x, axis, xp.cummax)


@primitive(name="cummin")
def scan_argmin(xp, x, *, axis):
    """Where the smallest entry so far is along ``axis``, the last of equal ones; see ``cummin``."""
    return _latest(xp, x, axis, xp.cummin)


def _scan(name: str, op: Any, x: Tensor, dim: Any, axis: Any) -> Tensor:
    d = one_dim(name, x, dim, axis)
    return op(x, axis=d) if x.ndim else op(x.reshape(1), axis=0).reshape(())


@composed
def cumsum(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """yᵢ = x₀ + … + xᵢ along ``dim``. Integers and bools add up to int64.

    Arguments:
        input: a Tensor of any shape.
        dim (or axis): one dimension; it must be given.
        dtype: convert x to it first.

    >>> import autograd
    >>> autograd.cumsum(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    out = _scan("cumsum", scan_sum, input if dtype is None else input.to(dtype), dim, axis)
    return out if dtype is None else out.to(dtype)


@composed
def cumprod(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """yᵢ = x₀ · … · xᵢ along ``dim``; arguments as ``cumsum``. Its gradient is exact with zeros in x too.

    >>> import autograd
    >>> autograd.cumprod(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    out = _scan("cumprod", scan_prod, input if dtype is None else input.to(dtype), dim, axis)
    return out if dtype is None else out.to(dtype)


@composed
def logcumsumexp(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """yᵢ = ln(exp x₀ + … + exp xᵢ) along ``dim``, without overflow; input must be floating.

    >>> import autograd
    >>> autograd.logcumsumexp(autograd.tensor([1000.0, 1000.0]), dim=0)
    tensor([1000.0000, 1000.6932])
    """
    check_floating("logcumsumexp", input)
    return _scan("logcumsumexp", scan_logsumexp, input, dim, axis)


@composed
def cummax(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Extreme:
    """The largest entry so far along ``dim`` and where it was, as a pair (values, indices).

    Of equal entries the last counts. After a NaN all values are NaN.

    >>> import autograd
    >>> autograd.cummax(autograd.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return _extremes("cummax", scan_argmax, input, dim, axis)


@composed
def cummin(input: Tensor, dim: int | None = None, *, axis: int | None = None) -> Extreme:
    """The smallest entry so far along ``dim`` and where it was, as a pair (values, indices).

    Of equal entries the last counts. After a NaN all values are NaN.

    >>> import autograd
    >>> autograd.cummin(autograd.tensor([2.0, 3.0, 1.0]), dim=0).indices
    tensor([0, 0, 2])
    """
    return _extremes("cummin", scan_argmin, input, dim, axis)


def _extremes(name: str, op: Any, x: Tensor, dim: Any, axis: Any) -> Extreme:
    indices = _scan(name, op, x, dim, axis)
    return Extreme(gather(x, indices, axis=one_dim(name, x, dim, axis)) if x.ndim else clone(x), indices)


@composed
def prod(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
    keepdims: bool | None = None,
) -> Tensor:  # fmt: skip
    """The product of all entries, or along ``dim``. Its gradient is exact with zeros in x too.

    Arguments:
        input: a Tensor of any shape. Integers and bools multiply to int64.
        dim (or axis): a dimension or (as in NumPy, not in PyTorch) several; None for all.
        keepdim (or keepdims): leave the reduced dimensions in the shape, with size 1.
        dtype: convert x to it first.

    >>> import autograd
    >>> autograd.prod(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([ 2., 12.])
    """
    input = input if dtype is None else input.to(dtype)
    out = reduce_prod(
        input, axis=normal_dims("prod", input, dim, axis), keepdims=keepdim if keepdims is None else keepdims
    )
    return out if dtype is None else out.to(dtype)


@composed
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *,
    axis: int | None = None,
) -> Tensor:  # fmt: skip
    """xᵢ₊₁ − xᵢ along ``dim``, ``n`` times over; for bools, whether neighbours differ.

    Arguments:
        input: at least 1-d.
        n: how often; each time leaves one entry fewer.
        prepend, append: joined to x along ``dim`` first.

    >>> import autograd
    >>> autograd.diff(autograd.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    if input.ndim == 0:
        raise ShapeError("diff: wants at least one dimension, got a 0-d Tensor")
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ValueError(f"diff: n must be an int of at least 0, got {n!r}")
    d = one_dim("diff", input, dim if axis is None else axis)
    parts = [part for part in (prepend, input, append) if part is not None]
    input = cat(parts, d) if len(parts) > 1 else clone(input) if n == 0 else input
    for _ in range(min(n, input.shape[d])):
        late, early = input[along(d, slice(1, None))], input[along(d, slice(None, -1))]
        input = ne(late, early) if input.dtype.kind == "b" else late - early
    return input


def _strips(name: str, y: Tensor, x: Any, dx: Any, d: int) -> Tensor:
    """The areas under y between neighbouring points."""
    if y.ndim == 0:
        raise IndexError(f"{name}: wants at least one dimension, got a 0-d Tensor")
    heights = y[along(d, slice(1, None))] + y[along(d, slice(None, -1))]
    if x is None:
        return heights * ((1.0 if dx is None else dx) / 2)
    if dx is not None:
        raise TypeError(f"{name}: got both x and dx, which mean the same")
    if not isinstance(x, Node):
        raise TypeError(f"{name}: x must be a Tensor of points, got {type(x).__name__}; a step is given as dx=")
    if x.ndim == 1:
        if x.shape[0] != y.shape[d]:
            raise ShapeError(f"{name}: x has {x.shape[0]} points, and y {y.shape[d]} along dim {d}; they must be equal")
        widths = diff(x).reshape([-1] + [1] * (y.ndim - d - 1))  # type: ignore[arg-type]
    else:
        widths = diff(x, 1, d - y.ndim)  # type: ignore[arg-type]
    return div(heights * widths, 2.0)


@composed
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1, axis: int | None = None) -> Tensor:
    """∫ y dx along ``dim`` by the trapezoidal rule: Σ (xᵢ₊₁ − xᵢ)(yᵢ + yᵢ₊₁) / 2.

    Arguments:
        y: values of the function, at least 1-d.
        x: the points, as many as y has along ``dim``, or of a shape that broadcasts with y's.
        dx: the distance between points instead, 1 by default.

    >>> import autograd
    >>> autograd.trapezoid(autograd.tensor([1.0, 2.0, 3.0]), dx=2.0)
    tensor(8.)
    """
    d = one_dim("trapezoid", y, dim if axis is None else axis)
    return sum_of(_strips("trapezoid", y, x, dx, d), d)


@composed
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1, axis: int | None = None
) -> Tensor:
    """The running integral of y by the trapezoidal rule, one entry shorter than y; arguments as ``trapezoid``.

    >>> import autograd
    >>> autograd.cumulative_trapezoid(autograd.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    d = one_dim("cumulative_trapezoid", y, dim if axis is None else axis)
    return cumsum(_strips("cumulative_trapezoid", y, x, dx, d), d)
