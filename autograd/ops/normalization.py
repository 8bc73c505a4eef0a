"""Normalisation: entries brought to mean 0 and variance 1 over layers, batches, groups or instances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe
from ..inplace import write
from ..keywords import composed
from ..modes import no_grad
from ..node import Node
from ..primitive import primitive
from .activations import floating
from .dims import count, kept_shape
from .elementwise import clamp, sqrt
from .linalg import check_same_dtype
from .reduction import mean as mean_of
from .reduction import norm as norm_of

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "rms_norm"]


@primitive(saves=("mean", "scale"), name="normalization")
def standardize(xp, x, weight=None, bias=None, *, axes, eps, _moments=None):
    """(x − mean) / √(variance + eps) · weight + bias, with the moments over ``axes``.

    Arguments:
        x: any shape.
        weight, bias: of shapes that broadcast with x, or None.
        axes: the dimensions over which mean and variance (that of a population) are taken, ascending.
        eps: what is added to the variance.
        _moments: mean and variance of x as arrays, if they are known already.

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016; Ioffe and Szegedy, Batch Normalization, 2015.

    >>> import autograd
    >>> autograd.standardize(autograd.tensor([1.0, 3.0]), axes=(0,), eps=0.0)
    tensor([-1.,  1.])
    """
    mean = average(xp, x, axes) if _moments is None else _moments[0]
    out = x - mean
    variance = average(xp, out * out, axes) if _moments is None else _moments[1]
    scale = 1 / xp.sqrt(variance + eps)
    out *= scale
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out, mean, scale


def average(xp, x, axes):
    """The mean over ``axes``, which are kept with size 1; the trailing ones as a matrix product, which is quickest."""
    lead = x.ndim
    while lead - 1 in axes:
        lead -= 1
    n, trailing = count(x, axes) or 1, math.prod(x.shape[lead:])
    total = (x.reshape(-1, trailing) @ np.full(trailing, 1 / n, x.dtype)) if trailing and x.size else None
    if total is None:
        return xp.sum(x, axis=axes, keepdims=True) / n
    outer = tuple(d for d in axes if d < lead)
    if outer:
        total = xp.sum(total.reshape(x.shape[:lead]), axis=outer, keepdims=True)
    return total.reshape(kept_shape(x, axes))


def _standardized(xp, x, axes, eps, mean, scale):
    """(x − mean) · scale, and scale; both computed from x where they have to be differentiated."""
    if mean is None:
        centred = x - average(xp, x, axes)
        scale = 1 / xp.sqrt(average(xp, centred * centred, axes) + eps)
        return centred * scale, scale
    return (x - mean) * scale, scale


def _standardize_x(xp, g, out, x, weight=None, bias=None, *, axes, eps, _moments=None, mean=None, scale=None):
    y, scale = _standardized(xp, x, axes, eps, mean, scale)
    g = g if weight is None else g * weight
    return (g - average(xp, g, axes) - y * average(xp, g * y, axes)) * scale


def _standardize_weight(xp, g, out, x, weight=None, bias=None, *, axes, eps, _moments=None, mean=None, scale=None):
    return g * _standardized(xp, x, axes, eps, mean, scale)[0]


standardize.grads(
    x=_standardize_x,
    weight=_standardize_weight,
    bias=lambda xp, g, out, x, weight=None, bias=None, **_: g,
)


@primitive(saves=("scale",), name="rms_norm")
def scale_to_unit(xp, x, weight=None, *, axes, eps):
    """x / √(mean of x² over ``axes`` + eps) · weight; see ``rms_norm``."""
    scale = 1 / xp.sqrt(average(xp, x * x, axes) + eps)
    out = x * scale
    if weight is not None:
        out *= weight
    return out, scale


def _unit_scale(xp, x, axes, eps, scale):
    return 1 / xp.sqrt(average(xp, x * x, axes) + eps) if scale is None else scale


def _scale_to_unit_x(xp, g, out, x, weight=None, *, axes, eps, scale=None):
    scale = _unit_scale(xp, x, axes, eps, scale)
    y = x * scale
    g = g if weight is None else g * weight
    return (g - y * average(xp, g * y, axes)) * scale


scale_to_unit.grads(
    x=_scale_to_unit_x,
    weight=lambda xp, g, out, x, weight=None, *, axes, eps, scale=None: g * (x * _unit_scale(xp, x, axes, eps, scale)),
)


@composed
def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + bias, with the moments over the last dimensions.

    Arguments:
        input: (…, *normalized_shape).
        normalized_shape: the last sizes of the input, over which the moments are taken.
        weight, bias: of shape normalized_shape, or None.
        eps: keeps the root away from 0.

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016.

    >>> import autograd
    >>> autograd.layer_norm(autograd.tensor([[1.0, 3.0], [2.0, 8.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return standardize(input, weight, bias, axes=axes, eps=eps)


@composed
def rms_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / √(mean of x² + eps) · weight, with the mean over the last dimensions.

    Arguments:
        input: (…, *normalized_shape).
        normalized_shape: the last sizes of the input, over which the mean is taken.
        weight: of shape normalized_shape, or None.
        eps: keeps the root away from 0; the rounding unit of the dtype if left out.

    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    >>> import autograd
    >>> autograd.rms_norm(autograd.tensor([3.0, 4.0]), 2)
    tensor([0.8485, 1.1314])
    """
    axes = _last_axes("rms_norm", input, normalized_shape, weight, None)
    return scale_to_unit(input, weight, axes=axes, eps=float(np.finfo(input.dtype).eps) if eps is None else eps)


@composed
def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: None = None) -> Tensor:
    """x / max(‖x‖ₚ, eps), with the norm along ``dim``.

    Arguments:
        input: a floating Tensor that has the dimension ``dim``.
        p: of which norm; see ``norm``.
        dim: one dimension or several.
        eps: keeps the divisor away from 0.
        out: must be None.

    >>> import autograd
    >>> autograd.normalize(autograd.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    if out is not None:
        raise ValueError("normalize: out is not supported; assign the result, or x.copy_(normalize(x))")
    return input / clamp(norm_of(floating("normalize", input), p, dim, True), min=eps)


def _last_axes(name: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> tuple[int, ...]:
    floating(name, input)
    sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not sizes:
        raise ShapeError(f"{name}: normalized_shape must name at least one size, got {sizes}")
    if tuple(input.shape[-len(sizes) :]) != sizes:
        raise ShapeError(
            f"{name}: normalized_shape {sizes} must be the last sizes of the input, which has shape "
            f"{tuple(input.shape)}"
        )
    for role, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != sizes:
            raise ShapeError(f"{name}: {role} must have the normalized_shape {sizes}, got {tuple(given.shape)}")
    check_same_dtype(name, input, weight, bias)
    return tuple(range(input.ndim - len(sizes), input.ndim))


@composed
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + bias, for each channel.

    In training the moments are those of the batch, and the running ones are changed in place:
    running = (1 − momentum) · running + momentum · batch, with the unbiased variance. Otherwise the running
    moments are used.

    Arguments:
        input: (N, C) or (N, C, …).
        running_mean, running_var: (C,), or None in training.
        weight, bias: (C,), or None.
        training: whether to use the moments of the batch.
        momentum: how much of the batch's moments goes into the running ones.
        eps: keeps the root away from 0.

    Raises:
        ShapeError: in training, there is one value for each channel only.

    Source: Ioffe and Szegedy, Batch Normalization, 2015.

    >>> import autograd
    >>> autograd.batch_norm(autograd.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    floating("batch_norm", input)
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: input must be (N, C) or (N, C, …), got shape {tuple(input.shape)}")
    _check_channels("batch_norm", input, running_mean, running_var, weight, bias)
    _check_momentum("batch_norm", momentum)
    if not training:
        return _with_running("batch_norm", input, running_mean, running_var, weight, bias, eps)
    axes = (0, *range(2, input.ndim))
    n = count(input, axes)
    if n <= 1:
        raise ShapeError(
            f"batch_norm: in training it wants more than one value for each channel, got input of shape "
            f"{tuple(input.shape)}; use a larger batch, or eval()"
        )
    moments = None
    if running_mean is not None or running_var is not None:
        with no_grad():
            mean = mean_of(input, axes, True)
            variance = mean_of((input - mean).square(), axes, True)
            _update("batch_norm", running_mean, mean, momentum)
            _update("batch_norm", running_var, variance * (n / (n - 1)), momentum)
        moments = mean._array, variance._array
    return standardize(
        input, _per_channel(weight, input), _per_channel(bias, input), axes=axes, eps=eps, _moments=moments
    )


@composed
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + bias, for each channel of each instance.

    Arguments:
        input: (N, C, …).
        running_mean, running_var: (C,), changed in place as by ``batch_norm``, with the mean over the instances;
            or None.
        weight, bias: (C,), or None.
        use_input_stats: whether to use the moments of the instances, rather than the running ones.
        momentum: how much of these moments goes into the running ones.
        eps: keeps the root away from 0.

    Source: Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    >>> import autograd
    >>> autograd.instance_norm(autograd.tensor([[[1.0, 3.0]], [[2.0, 8.0]]])).reshape(-1)
    tensor([-1.0000,  1.0000, -1.0000,  1.0000])
    """
    floating("instance_norm", input)
    if input.ndim < 3:
        raise ShapeError(f"instance_norm: input must be (N, C, …) with 3 dimensions or more, got {tuple(input.shape)}")
    _check_channels("instance_norm", input, running_mean, running_var, weight, bias)
    _check_momentum("instance_norm", momentum)
    if not use_input_stats:
        return _with_running("instance_norm", input, running_mean, running_var, weight, bias, eps)
    axes = tuple(range(2, input.ndim))
    n = count(input, axes)
    if n <= 1:
        raise ShapeError(
            "instance_norm: it wants more than one value for each channel of an instance, got input of shape "
            f"{tuple(input.shape)}"
        )
    if running_mean is not None or running_var is not None:
        with no_grad():
            mean = mean_of(input, axes, True)
            variance = mean_of((input - mean).square(), axes, True)
            _update("instance_norm", running_mean, mean_of(mean, 0), momentum)
            _update("instance_norm", running_var, mean_of(variance, 0) * (n / (n - 1)), momentum)
    return standardize(input, _per_channel(weight, input), _per_channel(bias, input), axes=axes, eps=eps)


@composed
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05
) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + bias, with the moments of each group of channels.

    Arguments:
        input: (N, C, …).
        num_groups: into how many groups of equal size the C channels are parted.
        weight, bias: (C,), or None.
        eps: keeps the root away from 0.

    Source: Wu and He, Group Normalization, 2018.

    >>> import autograd
    >>> autograd.group_norm(autograd.tensor([[1.0, 3.0, 2.0, 8.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    floating("group_norm", input)
    if input.ndim < 2:
        raise ShapeError(f"group_norm: input must be (N, C, …), got shape {tuple(input.shape)}")
    channels = input.shape[1]
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(f"group_norm: {channels} channels cannot be parted into {num_groups} equal groups")
    _check_channels("group_norm", input, None, None, weight, bias)
    size = channels // num_groups
    grouped = input.reshape(input.shape[0], num_groups, size, *input.shape[2:])  # (N, groups, C / groups, …)
    shape = (num_groups, size, *[1] * (input.ndim - 2))
    w, b = (None if p is None else p.reshape(shape) for p in (weight, bias))
    return standardize(grouped, w, b, axes=tuple(range(2, grouped.ndim)), eps=eps).reshape(input.shape)


def _per_channel(given: Any, input: Any) -> Any:
    return given if given is None or input.ndim == 2 else given.reshape(-1, *[1] * (input.ndim - 2))


def _with_running(name: str, input: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    if mean is None or variance is None:
        raise ValueError(f"{name}: running_mean and running_var are wanted where the input's own moments are not used")
    scale = 1 / sqrt(variance + eps) if weight is None else weight / sqrt(variance + eps)
    shift = -mean * scale if bias is None else bias - mean * scale
    return input * _per_channel(scale, input) + _per_channel(shift, input)


def _update(name: str, running: Any, batch: Any, momentum: float) -> None:
    if running is not None:
        fresh = batch.reshape(running.shape).to(running.dtype)
        write(running, running * (1 - momentum) + fresh * momentum, name)


def _check_channels(name: str, input: Any, *given: Any) -> None:
    wanted = (input.shape[1],)
    for role, value in zip(("running_mean", "running_var", "weight", "bias"), given, strict=True):
        if value is None:
            continue
        if not isinstance(value, Node):
            raise DTypeError(f"{name}: {role} must be a Tensor, got {describe(value)}")
        if tuple(value.shape) != wanted:
            raise ShapeError(
                f"{name}: {role} must have shape {wanted}, one for each channel of the input "
                f"{tuple(input.shape)}, got {tuple(value.shape)}"
            )
    check_same_dtype(name, input, *given[-2:])


def _check_momentum(name: str, momentum: Any) -> None:
    if isinstance(momentum, bool) or not isinstance(momentum, (int, float)):
        raise TypeError(
            f"{name}: momentum must be a number, got {momentum!r}; for the plain average over all batches "
            "give 1 / (how many batches there have been, with this one)"
        )
