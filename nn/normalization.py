"""Normalisation layers: entries brought to mean 0 and variance 1, over the batch, the layer, groups or instances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LayerNorm", "LocalResponseNorm", "RMSNorm",
]  # fmt: skip


class _Affine(Module):
    """A weight that starts at 1 and a bias that starts at 0, both of them optional."""

    weight: Parameter | None
    bias: Parameter | None

    def _add_affine(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", weight and bias)):
            value = Parameter(autograd.empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)

    def reset_parameters(self) -> None:
        """Sets weight to 1 and bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _ChannelNorm(_Affine):
    """What normalises channels and may keep running moments of them."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    # The numbers of dimensions that an input can have, and the shapes in words.
    _dims: tuple[int, ...]
    _shapes: str

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = check_size(self._get_name(), "num_features", num_features)
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._add_affine((self.num_features,), affine, bias, device, dtype)
        kept = track_running_stats
        shape = (self.num_features,)
        self.register_buffer("running_mean", autograd.zeros(shape, device=device, dtype=dtype) if kept else None)
        self.register_buffer("running_var", autograd.ones(shape, device=device, dtype=dtype) if kept else None)
        self.register_buffer("num_batches_tracked", autograd.tensor(0, device=device) if kept else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Sets the running mean to 0, the running variance to 1 and the number of batches to 0."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forgets the running moments, and sets weight to 1 and bias to 0."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check(self, input: Tensor, channels: int) -> None:
        if input.ndim not in self._dims:
            raise ShapeError(f"{self._get_name()}: wants input of shape {self._shapes}, got {tuple(input.shape)}")
        if input.shape[channels] != self.num_features and (self.affine or self.track_running_stats):
            raise ShapeError(
                f"{self._get_name()}: wants {self.num_features} channels, those of num_features, in dimension "
                f"{channels}, got {input.shape[channels]} in input of shape {tuple(input.shape)}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised over all dimensions but the channels'."""
        self._check(input, 1)
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum
        if self.training:
            if not self.track_running_stats:
                mean = variance = None
            elif self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
                if momentum is None:
                    momentum = 1 / self.num_batches_tracked.item()
        of_batch = self.training or (mean is None and variance is None)
        return F.batch_norm(
            input, mean, variance, self.weight, self.bias, of_batch, 0.0 if momentum is None else momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """(x − mean) / √(variance + eps) · weight + bias for each channel, with the moments of the batch.

    While training, the moments are those of the batch, and running ones follow them:
    running = (1 − momentum) · running + momentum · batch, with the unbiased variance. In eval mode the running
    moments take the batch's place.

    Arguments:
        num_features: C, the number of channels.
        eps: keeps the root away from 0.
        momentum: how much of each batch goes into the running moments; None for the plain average of all batches.
        affine: whether there are weight and bias.
        track_running_stats: whether running moments are kept; without them those of the batch serve in eval mode too.
        device: None or ``"cpu"``.
        dtype: of parameters and moments, the default dtype by default.
        bias: whether there is a bias, if affine.

    Shapes: input and output (N, C) or (N, C, L); ``weight``, ``bias``, and the buffers ``running_mean`` and
    ``running_var`` (C,); the buffer ``num_batches_tracked`` is a 0-d int64.

    Raises:
        ShapeError: the input has other dimensions or channels, or, while training, one value for each channel only.

    Source: Ioffe and Szegedy, Batch Normalization, 2015.

    >>> norm = BatchNorm1d(1, momentum=None)
    >>> norm(autograd.tensor([[1.0], [3.0]])).detach().reshape(-1)
    tensor([-1.0000,  1.0000])
    >>> norm.running_mean, norm.running_var, norm.num_batches_tracked
    (tensor([2.]), tensor([2.]), tensor(1))
    """

    _dims, _shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """``BatchNorm1d`` for images: input and output (N, C, H, W).

    >>> norm = BatchNorm2d(3)
    >>> norm(autograd.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    _dims, _shapes = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """``BatchNorm1d`` for volumes: input and output (N, C, D, H, W).

    >>> norm = BatchNorm3d(3)
    >>> norm(autograd.ones(2, 3, 2, 4, 4)).shape
    (2, 3, 2, 4, 4)
    """

    _dims, _shapes = (5,), "(N, C, D, H, W)"


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised over all dimensions but those of instance and channel."""
        alone = input.ndim == self._dims[0]
        self._check(input, 0 if alone else 1)
        if input.shape[0 if alone else 1] != self.num_features:
            warnings.warn(
                f"{self}: the input of shape {tuple(input.shape)} does not have num_features={self.num_features} "
                "channels; without affine and track_running_stats that number is not used",
                stacklevel=3,
            )
        out = F.instance_norm(
            input.unsqueeze(0) if alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if alone else out


class InstanceNorm1d(_InstanceNorm):
    """(x − mean) / √(variance + eps) · weight + bias, with the moments of each channel of each instance.

    Arguments:
        num_features: C, the number of channels.
        eps: keeps the root away from 0.
        momentum: how much of each batch goes into the running moments.
        affine: whether there are weight and bias.
        track_running_stats: whether running moments are kept, which then serve in eval mode.
        device: None or ``"cpu"``.
        dtype: of parameters and moments, the default dtype by default.
        bias: whether there is a bias, if affine.

    Shapes: input and output (N, C, L) or (C, L); ``weight``, ``bias``, ``running_mean`` and ``running_var`` (C,).
    As in PyTorch the buffer ``num_batches_tracked`` stays 0.

    Raises:
        ShapeError: the input has other dimensions or channels, or one value for each channel only.

    Source: Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    >>> InstanceNorm1d(2)(autograd.tensor([[1.0, 3.0], [2.0, 8.0]]))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    _dims, _shapes = (2, 3), "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """``InstanceNorm1d`` for images: input and output (N, C, H, W) or (C, H, W).

    >>> InstanceNorm2d(3)(autograd.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    _dims, _shapes = (3, 4), "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """``InstanceNorm1d`` for volumes: input and output (N, C, D, H, W) or (C, D, H, W).

    >>> InstanceNorm3d(3)(autograd.ones(2, 3, 2, 4, 4)).shape
    (2, 3, 2, 4, 4)
    """

    _dims, _shapes = (4, 5), "(N, C, D, H, W) or (C, D, H, W)"


def _sizes(layer: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    given = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not given:
        raise ValueError(f"{layer}: normalized_shape must name at least one size, got {normalized_shape}")
    return tuple(check_size(layer, "normalized_shape", size) for size in given)


class LayerNorm(_Affine):
    """(x − mean) / √(variance + eps) · weight + bias, with the moments over the last dimensions.

    Arguments:
        normalized_shape: the last size of the input, or the last ones.
        eps: keeps the root away from 0.
        elementwise_affine: whether there are weight and bias.
        bias: whether there is a bias, if there is a weight.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input and output (…, *normalized_shape); ``weight`` and ``bias`` normalized_shape.

    Raises:
        ShapeError: the input's last sizes are not normalized_shape.

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016.

    >>> LayerNorm(2)(autograd.tensor([[1.0, 3.0], [2.0, 8.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes("LayerNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_affine(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised over its last dimensions."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """(x − mean) / √(variance + eps) · weight + bias, with the moments of each group of channels of each instance.

    Arguments:
        num_groups: into how many groups of equal size the channels are parted.
        num_channels: C, a multiple of num_groups.
        eps: keeps the root away from 0.
        affine: whether there are weight and bias.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.
        bias: whether there is a bias, if affine.

    Shapes: input and output (N, C, …); ``weight`` and ``bias`` (C,).

    Raises:
        ValueError: num_channels is not a multiple of num_groups. ShapeError: the input has other channels.

    Source: Wu and He, Group Normalization, 2018.

    >>> GroupNorm(2, 4, affine=False)(autograd.tensor([[1.0, 3.0, 2.0, 8.0]]))
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_groups = check_size("GroupNorm", "num_groups", num_groups, 1)
        self.num_channels = check_size("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels must be a multiple of num_groups={num_groups}, got {num_channels}"
            )
        self.eps = eps
        self.affine = affine
        self._add_affine((self.num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """The input, normalised over each group of channels."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """x / √(mean of x² + eps) · weight, with the mean over the last dimensions.

    Arguments:
        normalized_shape: the last size of the input, or the last ones.
        eps: keeps the root away from 0; the rounding unit of the input's dtype if None.
        elementwise_affine: whether there is a weight.
        device: None or ``"cpu"``.
        dtype: of the weight, the default dtype by default.

    Shapes: input and output (…, *normalized_shape); ``weight`` normalized_shape.

    Raises:
        ShapeError: the input's last sizes are not normalized_shape.

    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    >>> RMSNorm(2, elementwise_affine=False)(autograd.tensor([3.0, 4.0]))
    tensor([0.8485, 1.1314])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes("RMSNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_affine(self.normalized_shape, elementwise_affine, False, device, dtype)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """The input, divided by its root mean square over the last dimensions."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """x / (k + alpha · mean of x² over the ``size`` channels around)^beta.

    Arguments:
        size: over how many neighbouring channels; those beyond the first and last count as 0.
        alpha, beta, k: the scale, the exponent, and what keeps the divisor away from 0.

    Shapes: input and output (N, C, …).

    Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Networks, 2012.

    >>> LocalResponseNorm(2, alpha=1.0)(autograd.ones(1, 3, 1)).reshape(-1)
    tensor([0.7378, 0.5946, 0.5946])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = check_size("LocalResponseNorm", "size", size, 1)
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """The input, divided by the energy of the neighbouring channels."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
