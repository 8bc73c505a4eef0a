"""Losses of predicted densities: a Gaussian whose variance is predicted too, and mixtures of Gaussians."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import ShapeError, Tensor

from . import functional as F
from .arguments import check_size
from .linear import Linear
from .loss import Loss
from .losses_functional import check, check_floating, check_tensors, reduced, values
from .module import Module

__all__ = ["HeteroscedasticLoss", "MixtureDensity", "MixtureDensityLoss", "MixtureParameters"]

_LOG_2PI = math.log(2 * math.pi)


class HeteroscedasticLoss(Loss):
    """(s + (t − μ)² e⁻ˢ) / 2, averaged, for a predicted mean μ and a predicted logarithm s of the variance.

    The negative log-likelihood of a Gaussian whose noise depends on the input. Predicting the logarithm lets a linear
    layer give it; for variances themselves there is ``GaussianNLLLoss``.

    Arguments:
        full: add the constant ln(2π) / 2.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: mean, log_variance and target of one shape; output 0-d, or theirs with ``"none"``.

    Raises:
        ShapeError: the shapes differ.

    Source: the lecture on output units; Nix and Weigend, Estimating the Mean and Variance of the Target Probability
    Distribution, 1994.

    >>> from autograd import tensor
    >>> HeteroscedasticLoss()(tensor([0.0]), tensor([4.0]).log(), tensor([2.0]))
    tensor(1.1931)
    """

    def __init__(self, full: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full

    def forward(self, mean: Tensor, log_variance: Tensor, target: Tensor) -> Tensor:
        """The loss of the Gaussians of this mean and variance against ``target``."""
        check("HeteroscedasticLoss", self.reduction, mean, target, roles=("mean", "target"))
        check_tensors("HeteroscedasticLoss", log_variance=log_variance)
        check_floating("HeteroscedasticLoss", log_variance=log_variance)
        if log_variance.shape != mean.shape:
            raise ShapeError(
                f"HeteroscedasticLoss: log_variance must have the shape {mean.shape} of the mean, got "
                f"{log_variance.shape}; expand one variance for all with log_variance.expand_as(mean)"
            )
        losses = 0.5 * (log_variance + (target - mean).square() * (-log_variance).exp())
        return reduced(losses + 0.5 * _LOG_2PI if self.full else losses, self.reduction)

    def extra_repr(self) -> str:
        return f"full={self.full}, reduction={self.reduction!r}"


class MixtureParameters(NamedTuple):
    """A mixture of K Gaussians in D dimensions for each row: what ``MixtureDensity`` predicts.

    ``log_weights`` (…, K), ``means`` (…, K, D), and ``scales``: standard deviations (…, K, D), or lower triangular
    matrices L (…, K, D, D) with the covariances L Lᵀ.
    """

    log_weights: Tensor
    means: Tensor
    scales: Tensor


class MixtureDensity(Module):
    """A linear layer whose outputs are the parameters of a mixture of Gaussians: weights, means and covariances.

    The weights go through log_softmax, standard deviations through softplus and up by ``min_scale``; without that a
    component could shrink onto one point of the data, where the likelihood has no bound.

    Arguments:
        in_features: the last size of the input.
        out_features: D, the size of a target.
        num_components: K, how many Gaussians.
        covariance: ``"diagonal"``, or ``"full"`` for a lower triangular factor L of each covariance L Lᵀ.
        min_scale: the smallest standard deviation, or entry of L's diagonal.
        bias: whether the layer has one.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (…, in_features); the outputs are those of ``MixtureParameters``; ``linear.weight``
    (K (1 + 2D), in_features), or (K (1 + D + D (D + 1) / 2), in_features) with full covariances.

    Source: the lecture on output units; Bishop, Mixture Density Networks, 1994.

    >>> head = MixtureDensity(4, 2, num_components=3)
    >>> [tuple(part.shape) for part in head(autograd.ones(5, 4))]
    [(5, 3), (5, 3, 2), (5, 3, 2)]
    >>> MixtureDensityLoss()(*head(autograd.ones(5, 4)), autograd.zeros(5, 2)).shape
    ()
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_components: int,
        covariance: str = "diagonal",
        min_scale: float = 1e-3,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if covariance not in ("diagonal", "full"):
            raise ValueError(f"MixtureDensity: covariance must be 'diagonal' or 'full', got {covariance!r}")
        if not min_scale >= 0:
            raise ValueError(f"MixtureDensity: min_scale must not be negative, got {min_scale}")
        self.out_features = check_size("MixtureDensity", "out_features", out_features, 1)
        self.num_components = check_size("MixtureDensity", "num_components", num_components, 1)
        self.covariance = covariance
        self.min_scale = min_scale
        d = self.out_features
        below = d * (d - 1) // 2 if covariance == "full" else 0
        self._part_sizes = [1, d, d, below]
        self.linear = Linear(
            in_features, self.num_components * sum(self._part_sizes), bias=bias, device=device, dtype=dtype
        )
        # Where each entry of L stands among those below the diagonal; the last place holds a 0.
        self._below_places = np.full((d, d), below)
        if below:
            self._below_places[np.tril_indices(d, -1)] = np.arange(below)

    def forward(self, input: Tensor) -> MixtureParameters:
        """(…, in_features) ↦ log-weights, means and scales."""
        outputs = self.linear(input)
        parts = outputs.reshape(
            *outputs.shape[:-1], self.num_components, sum(self._part_sizes)
        )  # (…, K, 1 + 2D + below)
        logits, means, raw_scales, below = parts.split(self._part_sizes, -1)
        scales = F.softplus(raw_scales) + self.min_scale
        if self.covariance == "full":
            padded = F.pad(below, (0, 1))  # (…, K, below + 1)
            scales = padded[..., self._below_places] + autograd.diag_embed(scales)  # (…, K, D, D)
        return MixtureParameters(F.log_softmax(logits.squeeze(-1), -1), means, scales)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, out_features={self.out_features}, "
            f"num_components={self.num_components}, covariance={self.covariance!r}, min_scale={self.min_scale}"
        )


class MixtureDensityLoss(Loss):
    """−ln Σ_k π_k N(t; μ_k, Σ_k), averaged: the negative log-likelihood of targets under mixtures of Gaussians.

    The sum is taken of logarithms, ln Σ e^…, so that targets far from every component neither overflow nor give ln 0.

    Arguments:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shapes: log_weights (…, K), any logits: they are normalised here, which leaves log-probabilities as they are;
    means (…, K, D); scales, standard deviations (…, K, D) or lower triangular factors (…, K, D, D) of the covariances;
    target (…, D); output 0-d, or (…) with ``"none"``.

    Raises:
        ShapeError: the shapes do not fit each other. ValueError: a standard deviation is not above 0.

    Source: the lecture on output units; Bishop, Mixture Density Networks, 1994.

    >>> from autograd import tensor
    >>> loss = MixtureDensityLoss()
    >>> loss(tensor([[0.0, 0.0]]), tensor([[[-1.0], [1.0]]]), tensor([[[1.0], [1.0]]]), tensor([[0.0]]))
    tensor(1.4189)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, log_weights: Tensor, means: Tensor, scales: Tensor, target: Tensor) -> Tensor:
        """The loss of the mixtures against ``target``."""
        self._check(log_weights, means, scales, target)
        d = means.shape[-1]
        deviation = target.unsqueeze(-2) - means  # (…, K, D)
        if scales.ndim == means.ndim:
            z, log_scales = deviation / scales, scales.log()
        else:
            z = autograd.linalg.solve_triangular(scales, deviation.unsqueeze(-1), upper=False).squeeze(-1)
            log_scales = autograd.diagonal(scales, 0, -2, -1).log()
        log_densities = -0.5 * z.square().sum(-1) - log_scales.sum(-1) - 0.5 * d * _LOG_2PI  # (…, K)
        return reduced(-(F.log_softmax(log_weights, -1) + log_densities).logsumexp(-1), self.reduction)

    def _check(self, log_weights: Tensor, means: Tensor, scales: Tensor, target: Tensor) -> None:
        given = {"log_weights": log_weights, "means": means, "scales": scales, "target": target}
        check_tensors("MixtureDensityLoss", **given)
        check_floating("MixtureDensityLoss", log_weights=log_weights, means=means, scales=scales)
        shapes = ", ".join(f"{role} {tuple(value.shape)}" for role, value in given.items())
        if means.ndim < 2 or log_weights.shape != means.shape[:-1]:
            raise ShapeError(f"MixtureDensityLoss: wants log_weights (…, K) and means (…, K, D), got {shapes}")
        d = means.shape[-1]
        if scales.shape not in (means.shape, (*means.shape, d)):
            raise ShapeError(f"MixtureDensityLoss: scales must be (…, K, D) or (…, K, D, D), got {shapes}")
        if target.shape != (*means.shape[:-2], d):
            fix = (
                "; add the last dimension: target.unsqueeze(-1)" if d == 1 and target.shape == means.shape[:-2] else ""
            )
            raise ShapeError(
                f"MixtureDensityLoss: target must have shape {(*means.shape[:-2], d)}, one of D={d} for each mixture, "
                f"got {shapes}{fix}"
            )
        deviations = values(scales if scales.ndim == means.ndim else autograd.diagonal(scales, 0, -2, -1))
        if deviations is not None and (deviations <= 0).any():
            raise ValueError(
                f"MixtureDensityLoss: scales are standard deviations and must be above 0, got {deviations.min():g}; "
                "put the outputs of a layer through softplus or exp, as MixtureDensity does"
            )
