"""Entries brought to mean 0 and variance 1, or to mean square 1: the operations behind the normalisations."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..primitive import primitive
from .along import Along
from .dims import count
from .numpy_layer_norm import are_few_rows, standardized_rows, standardized_rows_back
from .numpy_moments import plan, standardized, standardized_back

__all__ = ["average", "scale_to_unit", "standardize"]

_FEW = 1 << 14  # entries below which block by block takes longer


@primitive(saves=("mean", "scale", "_along"), name="normalization")
def standardize(xp, x, weight=None, bias=None, *, axes, eps, _view=None, _spread=None, _tell=None):
    """(x − mean) / √(variance + eps) · weight + bias, with the moments over ``axes``.

    Arguments:
        x: any shape.
        weight, bias: of shapes that broadcast with x, or None.
        axes: the dimensions over which mean and variance (that of a population) are taken, ascending.
        eps: what is added to the variance.
        _view: the shape of x that ``axes`` are counted in, if not its own.
        _spread: the shape of weight and bias that broadcasts with that one, if not their own.
        _tell: a function that is called with mean and variance, as arrays with size 1 for each of ``axes``.

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016; Ioffe and Szegedy, Batch Normalization, 2015.

    >>> import autograd
    >>> autograd.standardize(autograd.tensor([1.0, 3.0]), axes=(0,), eps=0.0)
    tensor([-1.,  1.])
    """
    if xp is numpy_namespace and _view is None and are_few_rows(x, weight, bias, axes, _FEW):
        out, mean, variance, scale = standardized_rows(x, weight, bias, eps)  # two thirds of the time
        if _tell is not None:
            _tell(mean, variance)
        return out, mean, scale, Along()
    shape, x = x.shape, _as(x, _view)
    if xp is numpy_namespace:
        how = _plan(x, weight, bias, axes, _spread)
        if how is not None:  # two thirds of the time
            out, mean, variance, scale = standardized(x, weight, bias, eps, how)
            if _tell is not None:
                _tell(mean, variance)
            return _as(out, None if _view is None else shape), mean, scale, Along()
    mean = average(xp, x, axes)
    out = x - mean
    variance = average_of_product(xp, out, out, axes)
    if _tell is not None:
        _tell(mean, variance)
    scale = 1 / xp.sqrt(variance + eps)
    out *= scale if weight is None else scale * _as(weight, _spread)
    if bias is not None:
        out += _as(bias, _spread)
    return _as(out, None if _view is None else shape), mean, scale, Along()


def _plan(x: Any, weight: Any, bias: Any, axes: tuple[int, ...], spread: tuple[int, ...] | None) -> Any:
    """How NumPy is to do it block by block; None where it is not."""
    if x.size < _FEW:
        return None
    one = bias if weight is None else weight
    if one is None:
        return plan(x.shape, axes, None, x.dtype)
    if one.dtype != x.dtype or (weight is not None and bias is not None and bias.shape != weight.shape):
        return None
    return plan(x.shape, axes, one.shape if spread is None else spread, x.dtype)


def _as(x: Any, shape: tuple[int, ...] | None) -> Any:
    return x if shape is None else x.reshape(shape)


def average(xp, x, axes):
    """The mean over ``axes``, which are kept with size 1."""
    return xp.sum(x, axis=axes, keepdims=True) / (count(x, axes) or 1)


def average_of_product(xp, x, y, axes):
    """The mean of x · y over ``axes``, which are kept with size 1."""
    end = x.ndim
    while end and end - 1 in axes:
        end -= 1
    if xp is not numpy_namespace or end == x.ndim or not x.size:
        return average(xp, x * y, axes)
    # The product need not be written and read again: half the time.
    rows = x.shape[:end]
    total = np.vecdot(x.reshape(*rows, -1), y.reshape(*rows, -1))
    leading = tuple(d for d in axes if d < end)
    if leading:
        total = xp.sum(total, axis=leading)
    total = total / count(x, axes)
    return total.reshape(tuple(1 if d in axes else n for d, n in enumerate(x.shape)))


def _standardized(xp, x, axes, eps, mean, scale):
    """(x − mean) · scale, and scale; both computed from x where they have to be differentiated."""
    if mean is None:
        centred = x - average(xp, x, axes)
        scale = 1 / xp.sqrt(average_of_product(xp, centred, centred, axes) + eps)
        return centred * scale, scale
    return (x - mean) * scale, scale


def _standardize_x(
    xp, g, out, x, weight=None, bias=None, *, axes, eps,
    _view=None, _spread=None, _tell=None, mean=None, scale=None, _along=None,
):  # fmt: skip
    if xp is numpy_namespace and mean is not None:
        gx = _standardize_x_by_blocks(g, x, weight, bias, axes, _view, _spread, mean, scale, _along)
        if gx is not None:
            return gx
    shape, x, g = x.shape, _as(x, _view), _as(g, _view)
    weight = None if weight is None else _as(weight, _spread)
    if xp is numpy_namespace and mean is not None:
        gx = _standardize_x_in_place(g, x, weight, axes, mean, scale)
    else:
        y, scale = _standardized(xp, x, axes, eps, mean, scale)
        g = g if weight is None else g * weight
        gx = (g - average(xp, g, axes) - y * average_of_product(xp, g, y, axes)) * scale
    return _as(gx, None if _view is None else shape)


def _standardize_x_by_blocks(
    g: Any,
    x: Any,
    weight: Any,
    bias: Any,
    axes: Any,
    view: Any,
    spread: Any,
    mean: Any,
    scale: Any,
    along: Along | None,
) -> Any:
    """The same with the gradients of weight and bias, which need the same sums: half the time; None where it cannot."""
    shape, x = x.shape, _as(x, view)
    if view is None and are_few_rows(x, weight, bias, axes, _FEW):
        gx, in_weight, in_bias = standardized_rows_back(g, x, weight, mean, scale)
    else:
        how = _plan(x, weight, bias, axes, spread)
        if how is None:
            return None
        gx, in_weight, in_bias = standardized_back(_as(g, view), x, weight, mean, scale, how)
    if along is not None:
        along.put(g, weight=in_weight, bias=in_bias)
    return gx.reshape(shape)


def _standardize_x_in_place(g: Any, x: Any, weight: Any, axes: Any, mean: Any, scale: Any) -> Any:
    """The same in one array that is written again and again: half the time."""
    factor = scale
    if weight is not None:
        if set(axes) <= set(_constant_axes(x.ndim, weight.shape)):
            factor = scale * weight  # small, and one pass less
        else:
            g = g * weight
    out = x - mean
    slope = average_of_product(numpy_namespace, g, out, axes)
    slope *= scale * scale
    out *= slope
    out += average(numpy_namespace, g, axes)
    np.subtract(g, out, out=out)
    out *= factor
    return out


@functools.lru_cache(maxsize=512)
def _constant_axes(ndim: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Along which of ``ndim`` dimensions what has ``shape`` is one number."""
    lead = ndim - len(shape)
    return tuple(d for d in range(ndim) if d < lead or shape[d - lead] == 1)


def _total(xp, x, axes):
    return average(xp, x, axes) * count(x, axes) if axes else x


def _standardize_weight(
    xp, g, out, x, weight=None, bias=None, *, axes, eps,
    _view=None, _spread=None, _tell=None, mean=None, scale=None, _along=None,
):  # fmt: skip
    ready = None if _along is None else _along.take(g, "weight")
    if ready is not None:
        return ready.reshape(weight.shape)
    x, g = _as(x, _view), _as(g, _view)
    constant = _constant_axes(x.ndim, tuple(weight.shape) if _spread is None else _spread)
    if xp is not numpy_namespace or mean is None:
        y = _standardized(xp, x, axes, eps, mean, scale)[0]
        return _total(xp, g * y, constant).reshape(weight.shape)
    # Summed before it is scaled where that is the same, and elsewhere both in one product: one or two passes less.
    inner, outer = tuple(d for d in constant if d in axes), tuple(d for d in constant if d not in axes)
    product = x - mean
    if inner:
        return _total(xp, average_of_product(xp, product, g, inner) * (scale * count(x, inner)), outer).reshape(
            weight.shape
        )
    product *= g
    if outer == tuple(range(x.ndim - len(axes))) and weight.size:
        return (scale.reshape(1, -1) @ product.reshape(-1, weight.size)).reshape(weight.shape)
    product *= scale
    return _total(xp, product, outer).reshape(weight.shape)


def _standardize_bias(xp, g, out, x, weight=None, bias=None, *, _view=None, _spread=None, _along=None, **_):
    ready = None if _along is None else _along.take(g, "bias")
    if ready is not None:
        return ready.reshape(bias.shape)
    g = _as(g, _view)
    constant = _constant_axes(g.ndim, tuple(bias.shape) if _spread is None else _spread)
    return _total(xp, g, constant).reshape(bias.shape)


standardize.grads(x=_standardize_x, weight=_standardize_weight, bias=_standardize_bias)


@primitive(saves=("scale",), name="rms_norm")
def scale_to_unit(xp, x, weight=None, *, axes, eps):
    """x / √(mean of x² over ``axes`` + eps) · weight; see ``rms_norm``."""
    scale = 1 / xp.sqrt(average_of_product(xp, x, x, axes) + eps)
    out = x * scale
    if weight is not None:
        out *= weight
    return out, scale


def _unit_scale(xp, x, axes, eps, scale):
    return 1 / xp.sqrt(average_of_product(xp, x, x, axes) + eps) if scale is None else scale


def _scale_to_unit_x(xp, g, out, x, weight=None, *, axes, eps, scale=None):
    scale = _unit_scale(xp, x, axes, eps, scale)
    y = x * scale
    g = g if weight is None else g * weight
    return (g - y * average_of_product(xp, g, y, axes)) * scale


scale_to_unit.grads(
    x=_scale_to_unit_x,
    weight=lambda xp, g, out, x, weight=None, *, axes, eps, scale=None: g * (x * _unit_scale(xp, x, axes, eps, scale)),
)
