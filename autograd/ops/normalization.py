"""Normalisation: entries brought to mean 0 and variance 1 over layers, batches, groups or instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError, no_tensor
from ..inplace import write
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .activations import floating
from .dims import count
from .elementwise import clamp, sqrt
from .linalg import check_same_dtype
from .moments import scale_to_unit, standardize
from .reduction import norm as norm_of

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "rms_norm"]


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
    spread = (input.shape[1], *[1] * (input.ndim - 2))
    tell = _updates("batch_norm", running_mean, running_var, momentum, n)
    return standardize(input, weight, bias, axes=axes, eps=eps, _spread=spread, _tell=tell)


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
    if not input.shape[0] and (running_mean is not None or running_var is not None):
        raise ShapeError(
            f"instance_norm: the running moments want one instance or more, got input of shape {tuple(input.shape)}"
        )
    spread = (input.shape[1], *[1] * (input.ndim - 2))
    tell = _updates("instance_norm", running_mean, running_var, momentum, n)
    return standardize(input, weight, bias, axes=axes, eps=eps, _spread=spread, _tell=tell)


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
        raise ShapeError(
            f"group_norm: {channels} channels cannot be parted into {num_groups} equal groups, got input of shape "
            f"{tuple(input.shape)}"
        )
    _check_channels("group_norm", input, None, None, weight, bias)
    size = channels // num_groups
    view = (input.shape[0], num_groups, size, *input.shape[2:])  # (N, groups, C / groups, …)
    spread = (num_groups, size, *[1] * (input.ndim - 2))
    return standardize(input, weight, bias, axes=tuple(range(2, len(view))), eps=eps, _view=view, _spread=spread)


def _per_channel(given: Any, input: Any) -> Any:
    return given if given is None or input.ndim == 2 else given.reshape(-1, *[1] * (input.ndim - 2))


def _with_running(name: str, input: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Tensor:
    if mean is None or variance is None:
        raise ValueError(f"{name}: running_mean and running_var are wanted where the input's own moments are not used")
    scale = 1 / sqrt(variance + eps) if weight is None else weight / sqrt(variance + eps)
    shift = -mean * scale if bias is None else bias - mean * scale
    return input * _per_channel(scale, input) + _per_channel(shift, input)


def _updates(name: str, running_mean: Any, running_var: Any, momentum: float, n: int) -> Any:
    """What moves the running moments towards mean and variance of a batch, of n values each; None if there are none."""
    if running_mean is None and running_var is None:
        return None

    def tell(mean: Any, variance: Any) -> None:
        for running, batch, factor in ((running_mean, mean, momentum), (running_var, variance, momentum * n / (n - 1))):
            if running is not None:
                fresh = batch.reshape(-1, *running.shape)  # (instances, C)
                fresh = (fresh[0] if len(fresh) == 1 else fresh.mean(0)).astype(running.dtype)
                write(running, wrap(running._array * (1 - momentum) + fresh * factor), name)

    return tell


def _check_channels(name: str, input: Any, *given: Any) -> None:
    wanted = (input.shape[1],)
    for role, value in zip(("running_mean", "running_var", "weight", "bias"), given, strict=True):
        if value is None:
            continue
        if not isinstance(value, Node):
            raise no_tensor(name, role, value)
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
