"""Reductions along dimensions: sums, extremes, moments and norms.

``amax``, ``amin`` and the full ``max`` and ``min`` share the gradient evenly between all extreme entries;
``max`` and ``min`` along a dimension give it to the one entry whose index they return. PyTorch does the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ShapeError
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .dims import Dims, count, kept_shape, normal_dims, spread
from .elementwise import abs, check_floating, clone, gt, maximum, minimum, ne, pow, sign, where
from .indexing import gather
from .shape import squeeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def _reduce(name: str, op: Any, x: Tensor, dim: Dims, keepdim: bool, axis: Dims, keepdims: bool | None) -> Tensor:
    return op(x, axis=normal_dims(name, x, dim, axis), keepdims=keepdim if keepdims is None else keepdims)


@primitive(name="sum")
def reduce_sum(xp, x, *, axis=None, keepdims=False):
    """Sum along ``axis``; see ``sum``."""
    out = xp.sum(x, axis=axis, keepdims=keepdims)
    return xp.astype(out, "int64") if out.dtype.kind == "u" else out


reduce_sum.grads(x=lambda xp, g, out, x, *, axis=None, keepdims=False: spread(xp, g, x, axis, keepdims))


@primitive(name="mean")
def reduce_mean(xp, x, *, axis=None, keepdims=False):
    """Mean along ``axis``; see ``mean``."""
    out = xp.sum(x, axis=axis, keepdims=keepdims)
    out /= count(x, axis) or math.nan
    return out


reduce_mean.grads(
    x=lambda xp, g, out, x, *, axis=None, keepdims=False: spread(xp, g / (count(x, axis) or 1), x, axis, keepdims)
)


@primitive(selects=True, name="amax")
def reduce_max(xp, x, *, axis=None, keepdims=False):
    """Largest entry along ``axis``; see ``amax``."""
    return xp.max(x, axis=axis, keepdims=keepdims)


@primitive(selects=True, name="amin")
def reduce_min(xp, x, *, axis=None, keepdims=False):
    """Smallest entry along ``axis``; see ``amin``."""
    return xp.min(x, axis=axis, keepdims=keepdims)


def _extreme_x(xp, g, out, x, *, axis=None, keepdims=False):
    # A NaN is the extreme of its slice, and equals nothing.
    chosen = xp.astype(xp.logical_or(x == out.reshape(kept_shape(x, axis)), x != x), x.dtype)
    return g.reshape(kept_shape(x, axis)) * chosen / xp.sum(chosen, axis=axis, keepdims=True)


reduce_max.grads(x=_extreme_x)
reduce_min.grads(x=_extreme_x)


@primitive(name="argmax")
def reduce_argmax(xp, x, *, axis=None, keepdims=False):
    """Where the first largest entry is along ``axis``; see ``argmax``."""
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@primitive(name="argmin")
def reduce_argmin(xp, x, *, axis=None, keepdims=False):
    """Where the first smallest entry is along ``axis``; see ``argmin``."""
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@primitive(name="all")
def reduce_all(xp, x, *, axis=None, keepdims=False):
    """Whether all entries along ``axis`` are true; see ``all``."""
    return (x != 0).all(axis=axis, keepdims=keepdims)


@primitive(name="any")
def reduce_any(xp, x, *, axis=None, keepdims=False):
    """Whether some entry along ``axis`` is true; see ``any``."""
    return (x != 0).any(axis=axis, keepdims=keepdims)


@primitive(name="var")
def reduce_var(xp, x, *, axis=None, keepdims=False, correction=1):
    """Variance along ``axis``; see ``var``."""
    d = x - xp.sum(x, axis=axis, keepdims=True) / (count(x, axis) or math.nan)
    left = count(x, axis) - correction
    return xp.sum(d * d, axis=axis, keepdims=keepdims) / (left if left > 0 else math.nan)


def _var_x(xp, g, out, x, *, axis=None, keepdims=False, correction=1):
    n = count(x, axis)
    d = x - xp.sum(x, axis=axis, keepdims=True) / n
    return g.reshape(kept_shape(x, axis)) * (2 / (n - correction) if n > correction else math.nan) * d


reduce_var.grads(x=_var_x)


@primitive(name="norm")
def reduce_norm(xp, x, *, axis=None, keepdims=False):
    """Euclidean norm along ``axis``; see ``norm``."""
    return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=keepdims))


def _norm_x(xp, g, out, x, *, axis=None, keepdims=False):
    # x / |x| has no value at x = 0; 0 is a subgradient there.
    length = out.reshape(kept_shape(x, axis))
    return g.reshape(kept_shape(x, axis)) * (x / xp.where(length == 0, xp.ones_like(length), length))


reduce_norm.grads(x=_norm_x)


@composed
def sum(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Σ x over all entries, or along ``dim``. Integers and bools add up to int64.

    Arguments:
        input: a Tensor of any shape.
        dim (or axis): a dimension or several; None for all.
        keepdim (or keepdims): leave the reduced dimensions in the shape, with size 1.
        dtype: convert x to it first.

    >>> import autograd
    >>> autograd.sum(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    return _reduce("sum", reduce_sum, input if dtype is None else input.to(dtype), dim, keepdim, axis, keepdims)


@composed
def mean(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:
    """(1/n) Σ x over all entries, or along ``dim``; arguments as ``sum``, and input must be floating.

    >>> import autograd
    >>> autograd.mean(autograd.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    input = input if dtype is None else input.to(dtype)
    check_floating("mean", input)
    return _reduce("mean", reduce_mean, input, dim, keepdim, axis, keepdims)


@composed
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Σ (x − mean)² / (n − correction) over all entries, or along ``dim``.

    Arguments:
        input, dim, keepdim: as ``sum``; input must be floating.
        correction: 1 by default (Bessel's), as in PyTorch and unlike NumPy.
        unbiased: the older way to say correction 1 (True) or 0 (False).

    >>> import autograd
    >>> autograd.var(autograd.tensor([1.0, 2.0, 6.0]))
    tensor(7.)
    """
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("var: got both unbiased and correction, which mean the same")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    check_floating("var", input)
    return reduce_var(
        input,
        axis=normal_dims("var", input, dim, axis),
        keepdims=keepdim if keepdims is None else keepdims,
        correction=correction,
    )


@primitive(elementwise=True, promote="float")
def deviation(xp, x):
    """√x of variances, with slope 0 at 0: entries that are all equal get no gradient."""
    return xp.sqrt(x)


deviation.grads(x=lambda xp, g, out, x: g * 0.5 / xp.where(out == 0, math.inf, out))


@composed
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:
    """√var; arguments as ``var``.

    >>> import autograd
    >>> autograd.std(autograd.tensor([1.0, 3.0]), correction=0)
    tensor(1.)
    """
    return deviation(var(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims))


@composed
def amax(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool | None = None
) -> Tensor:
    """The largest entry, of all or along ``dim``; all entries equal to it share the gradient.

    >>> import autograd
    >>> autograd.amax(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([5., 7.])
    """
    _check_some("amax", input, normal_dims("amax", input, dim, axis))
    return _reduce("amax", reduce_max, input, dim, keepdim, axis, keepdims)


@composed
def amin(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool | None = None
) -> Tensor:
    """The smallest entry, of all or along ``dim``; all entries equal to it share the gradient.

    >>> import autograd
    >>> autograd.amin(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """
    _check_some("amin", input, normal_dims("amin", input, dim, axis))
    return _reduce("amin", reduce_min, input, dim, keepdim, axis, keepdims)


class Extreme(NamedTuple):
    """What ops that choose entries along a dimension return (``max``, ``sort``): the entries, and where they were."""

    values: Any
    indices: Any


@composed
def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None
) -> Any:
    """The largest entry of all; along ``dim`` a pair (values, indices); of two Tensors their ``maximum``.

    >>> import autograd
    >>> autograd.max(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Node):
        return maximum(input, dim)
    if dim is None and axis is None:
        return amax(input)
    return _along("max", reduce_argmax, input, dim, keepdim, axis, keepdims)


@composed
def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: int | None = None, keepdims: bool | None = None
) -> Any:
    """The smallest entry of all; along ``dim`` a pair (values, indices); of two Tensors their ``minimum``.

    >>> import autograd
    >>> autograd.min(autograd.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    if isinstance(dim, Node):
        return minimum(input, dim)
    if dim is None and axis is None:
        return amin(input)
    return _along("min", reduce_argmin, input, dim, keepdim, axis, keepdims)


class Extent(NamedTuple):
    """What ``aminmax`` returns."""

    min: Any
    max: Any


@composed
def aminmax(
    input: Tensor,
    *,
    dim: int | None = None,
    keepdim: bool = False,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Extent:
    """The pair (amin, amax), of all or along ``dim``.

    >>> import autograd
    >>> autograd.aminmax(autograd.tensor([2.0, 5.0, 3.0])).max
    tensor(5.)
    """
    return Extent(*(f(input, dim, keepdim, axis=axis, keepdims=keepdims) for f in (amin, amax)))


@composed
def argmax(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Where the first largest entry is: along ``dim``, or in the flattened Tensor.

    >>> import autograd
    >>> autograd.argmax(autograd.tensor([1.0, 5.0, 2.0]))
    tensor(1)
    """
    return _place("argmax", reduce_argmax, input, dim, keepdim, axis, keepdims)


@composed
def argmin(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Where the first smallest entry is: along ``dim``, or in the flattened Tensor.

    >>> import autograd
    >>> autograd.argmin(autograd.tensor([1.0, 5.0, 0.0]))
    tensor(2)
    """
    return _place("argmin", reduce_argmin, input, dim, keepdim, axis, keepdims)


@composed
def all(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool | None = None
) -> Tensor:
    """Whether all entries are true (not 0), of all or along ``dim``.

    >>> import autograd
    >>> autograd.all(autograd.tensor([True, False]))
    tensor(False)
    """
    return _reduce("all", reduce_all, input, dim, keepdim, axis, keepdims)


@composed
def any(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool | None = None
) -> Tensor:
    """Whether some entry is true (not 0), of all or along ``dim``.

    >>> import autograd
    >>> autograd.any(autograd.tensor([True, False]))
    tensor(True)
    """
    return _reduce("any", reduce_any, input, dim, keepdim, axis, keepdims)


@composed
def norm(
    input: Tensor,
    p: Any = 2,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    axis: Dims = None,
    keepdims: bool | None = None,
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over all entries, or along ``dim``. The gradient at x = 0 is 0.

    Arguments:
        input, dim, keepdim: as ``sum``; input must be floating.
        p: a number > 0, ``inf`` or ``-inf`` (the largest and smallest |x|), 0 (how many entries are not 0),
            or ``"fro"``, which is 2.

    >>> import autograd
    >>> autograd.norm(autograd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    check_floating("norm", input)
    if p in (2, "fro"):
        return _reduce("norm", reduce_norm, input, dim, keepdim, axis, keepdims)
    if p == "nuc":
        raise ValueError("norm: the nuclear norm is one of matrices; use autograd.linalg.matrix_norm(x, 'nuc')")
    if p == 0:
        # sign, whose slope is 0, rather than 0: gradient 0 is recorded.
        return sum(where(ne(input, 0), 1.0, sign(input)), dim, keepdim, axis=axis, keepdims=keepdims)
    if not isinstance(p, (int, float)) or (p <= 0 and p != -math.inf):
        raise ValueError(f"norm: p must be 0, a number above 0, inf, -inf or 'fro', got {p!r}")
    if p == 1:
        return sum(abs(input), dim, keepdim, axis=axis, keepdims=keepdims)
    if math.isinf(p):
        return (amax if p > 0 else amin)(abs(input), dim, keepdim, axis=axis, keepdims=keepdims)
    # Dividing by the largest entry keeps the powers in range, and the root away from its infinite slope at 0.
    dims = normal_dims("norm", input, dim, axis)
    top = reduce_max(abs(input.detach()), axis=dims, keepdims=True)
    top = top.masked_fill(top == 0, 1.0)
    powers = reduce_sum(pow(abs(input / top), p), axis=dims, keepdims=True)
    zero = powers == 0
    out = pow(powers.masked_fill(zero, 1.0), 1 / p).masked_fill(zero, 0.0) * top
    return (
        out
        if (keepdim if keepdims is None else keepdims)
        else squeeze(out, tuple(range(input.ndim)) if dims is None else dims)
    )


@composed
def dist(input: Tensor, other: Tensor, p: Any = 2) -> Tensor:
    """The p-norm of x − other, as ``norm`` has it; the two broadcast.

    >>> import autograd
    >>> autograd.dist(autograd.tensor([1.0, 2.0]), autograd.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return norm(input - other, p)


@composed
def renorm(input: Tensor, p: Any, dim: int, maxnorm: float) -> Tensor:
    """The slices of x along ``dim`` whose p-norm is above ``maxnorm`` scaled down to it.

    The factor is maxnorm / (norm + 1e-7), as in PyTorch.

    >>> import autograd
    >>> autograd.renorm(autograd.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    if input.ndim < 2:
        raise ShapeError(f"renorm: wants at least 2 dimensions, got shape {tuple(input.shape)}")
    if maxnorm < 0:
        raise ValueError(f"renorm: maxnorm must be at least 0, got {maxnorm}")
    (d,) = normal_dims("renorm", input, int(dim))  # type: ignore[misc]
    length = norm(input, p, tuple(i for i in range(input.ndim) if i != d), True)
    return input * where(gt(length, maxnorm), maxnorm / (length + 1e-7), 1.0)


def _place(name: str, op: Any, x: Tensor, dim: Any, keepdim: bool, axis: int | None, keepdims: bool | None) -> Tensor:
    dims = normal_dims(name, x, dim, axis)
    if dims is not None and len(dims) > 1:
        raise TypeError(f"{name}: takes one dim, got {dim!r}")
    _check_some(name, x, dims)
    return op(x, axis=dims[0] if dims else None, keepdims=keepdim if keepdims is None else keepdims)


def _along(name: str, op: Any, x: Tensor, dim: Any, keepdim: bool, axis: int | None, keepdims: bool | None) -> Extreme:
    indices = _place(name, op, x, dim, True, axis, None)
    if not x.ndim:
        return Extreme(clone(x), indices)
    (d,) = normal_dims(name, x, dim, axis)  # type: ignore[misc]
    values = gather(x, indices, axis=d)
    if keepdim if keepdims is None else keepdims:
        return Extreme(values, indices)
    return Extreme(squeeze(values, d), squeeze(indices, d))


def _check_some(name: str, x: Tensor, dims: tuple[int, ...] | None) -> None:
    if count(x, dims) == 0:
        raise ShapeError(f"{name}: nothing to choose from: the Tensor has shape {tuple(x.shape)}")
