"""Layers and losses as functions, under the names of PyTorch's ``torch.nn.functional``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import autograd
from autograd import (
    Generator,
    ShapeError,
    Tensor,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    affine_grid,
    alpha_dropout,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    batch_norm,
    bilinear,
    celu,
    channel_shuffle,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    cosine_similarity,
    cross_entropy,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    elu,
    embedding,
    embedding_bag,
    feature_alpha_dropout,
    fold,
    gelu,
    glu,
    grid_sample,
    group_norm,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    instance_norm,
    interpolate,
    layer_norm,
    leaky_relu,
    linear,
    log_softmax,
    logsigmoid,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
    mish,
    normalize,
    one_hot,
    pad,
    pairwise_distance,
    pdist,
    pixel_shuffle,
    pixel_unshuffle,
    prelu,
    relu6,
    rms_norm,
    rrelu,
    scaled_dot_product_attention,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
    unfold,
    upsample,
)

from .attention_functional import multi_head_attention_forward
from .ctc_functional import ctc_loss
from .losses_functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_reduction,
    gaussian_nll_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
from .margin_losses_functional import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    nll_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .unsupported import FUNCTIONAL_REASONS, missing

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm",
    "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle",
    "check_reduction", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout", "dropout1d", "dropout2d",
    "dropout3d", "elu", "elu_", "embedding", "embedding_bag", "feature_alpha_dropout", "fold", "gaussian_nll_loss",
    "gelu", "glu", "grid_sample", "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "leaky_relu_", "linear", "linear_cross_entropy", "local_response_norm", "log_softmax",
    "logsigmoid", "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d", "max_pool2d",
    "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish", "mse_loss",
    "multi_head_attention_forward", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6",
    "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu",
    "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "threshold_", "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold",
    "upsample",
]  # fmt: skip


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), entry by entry.

    Arguments:
        input: any shape.
        inplace: put the result into the input's memory.

    >>> relu(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu_() if inplace else autograd.relu(input)


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The form of an activation whose name ends in ``_``: with ``inplace=True``."""

    def placed(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(input, *args, inplace=True, **kwargs)

    placed.__name__ = placed.__qualname__ = f"{function.__name__}_"
    placed.__doc__ = f"``{function.__name__}``, put into the input's memory."
    return placed


relu_, elu_, selu_, celu_ = _in_place(relu), _in_place(elu), _in_place(selu), _in_place(celu)
leaky_relu_, rrelu_ = _in_place(leaky_relu), _in_place(rrelu)
hardtanh_, threshold_ = _in_place(hardtanh), _in_place(threshold)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """softmax((logits + g) / tau), with g from the standard Gumbel distribution: nearly one-hot samples.

    Arguments:
        logits: unnormalised log-probabilities.
        tau: the temperature, above 0; the lower, the nearer to one-hot.
        hard: return one-hot vectors, with the gradient of the soft ones.
        eps: not used, as in PyTorch.
        dim: along which dimension.
        generator: the stream of random numbers; the common one if left out.

    Source: Jang, Gu and Poole, Categorical Reparameterization with Gumbel-Softmax, 2016.

    >>> gumbel_softmax(autograd.zeros(2, 3), hard=True).sum(-1)
    tensor([1., 1.])
    """
    uniform = autograd.random.rand_like(logits, generator=generator)
    # −ln of what lies in (0, 1] is exponentially distributed, and −ln of that is a Gumbel number.
    exponential = autograd.clamp(-(1 - uniform).log(), min=1e-30)
    soft = softmax((logits - exponential.log()) / tau, dim)
    if not hard:
        return soft
    chosen = soft.argmax(dim, keepdim=True)
    places = autograd.arange(soft.shape[dim]).reshape([-1 if d == dim % soft.ndim else 1 for d in range(soft.ndim)])
    one_hot = (places == chosen).to(soft.dtype)
    return (one_hot - soft).detach() + soft


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: None = None,
) -> Tensor:
    """``cross_entropy`` of the logits ``linear(input, linear_weight, linear_bias)``.

    Arguments:
        input: (N, in) or (in,).
        linear_weight: (C, in).
        target: classes or probabilities, as ``cross_entropy`` takes them.
        linear_bias: (C,), or None.
        weight, reduction, ignore_index, label_smoothing: as in ``cross_entropy``.
        options: must be None: the logits are always computed whole.

    >>> linear_cross_entropy(autograd.eye(2), 2 * autograd.eye(2), autograd.tensor([0, 1]))
    tensor(0.1269)
    """
    if options is not None:
        raise ValueError("linear_cross_entropy: options are not supported; leave them out")
    logits = linear(input, linear_weight, linear_bias)
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(logits, target, weight, ignored, reduction, label_smoothing)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha · mean of x² over the ``size`` channels around)^beta.

    Arguments:
        input: (N, C, …).
        size: over how many neighbouring channels; those beyond the first and last count as 0.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Networks, 2012.

    >>> local_response_norm(autograd.ones(1, 3, 1), 2, alpha=1.0).reshape(-1)
    tensor([0.7378, 0.5946, 0.5946])
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: input must be (N, C, …), got shape {input.shape}")
    if size < 1:
        raise ValueError(f"local_response_norm: size must be at least 1, got {size}")
    squares, channels = input.square(), input.shape[1]
    before, after = size // 2, (size - 1) // 2
    total = autograd.zeros_like(squares)
    for shift in range(-before, after + 1):
        if abs(shift) >= channels:
            continue
        low, high = max(shift, 0), min(channels + shift, channels)
        part = squares[:, low:high]  # what the channels from low − shift on see at this distance
        zeros = [autograd.zeros_like(squares[:, : low - shift]), autograd.zeros_like(squares[:, high - shift :])]
        total = total + autograd.cat([zeros[0], part, zeros[1]], 1)
    return input / (total * (alpha / size) + k) ** beta


if not TYPE_CHECKING:  # a type checker is to report names that are not there

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name, FUNCTIONAL_REASONS, __all__)
