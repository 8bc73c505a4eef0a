"""Activations: entry-by-entry functions between the layers of a network, and ``glu``.

At their kinks they have PyTorch's slopes: ``leaky_relu``, ``prelu`` and ``elu`` at 0 that of the left side,
``hardtanh``, ``relu6``, ``hardshrink``, ``softshrink`` and ``threshold`` at their bounds 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import modes
from ..backends import numpy as numpy_namespace
from ..errors import ShapeError, no_tensor
from ..inplace import write
from ..keywords import composed
from ..large_arrays import APART
from ..node import Node
from ..primitive import primitive
from .dims import dimension
from .elementwise import abs, check_floating, sigmoid, tanh, where
from .linalg import check_same_dtype
from .numpy_gelu import TANH_CUBIC, TANH_SLOPE, times_cdf

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor

__all__ = [
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid",
    "mish", "prelu", "relu6", "rrelu", "selu", "silu", "softplus", "softshrink", "softsign", "tanhshrink", "threshold",
]  # fmt: skip


@primitive(elementwise=True, saves=("slope",), name="gelu")
def times_normal_cdf(xp, x, *, approximate="none"):
    """x Φ(x); see ``gelu``."""
    if xp is numpy_namespace:
        both = times_cdf(x, approximate == "tanh", modes.local.grad)  # a third of the time
        if both is not None:
            return both
    return x * _normal_cdf(xp, x, approximate), None


def _normal_cdf(xp, x, approximate):
    if approximate == "tanh":
        return 0.5 + 0.5 * xp.tanh(x * (TANH_SLOPE + TANH_CUBIC * (x * x)))
    return xp.normal_cdf(x)


def _times_normal_cdf_x(xp, g, out, x, *, approximate="none", slope=None):
    if slope is not None:
        return g * slope
    cdf = _normal_cdf(xp, x, approximate)
    if approximate == "tanh":
        # With t the tanh, the slope of the cdf is (1 − t²) / 2 times that of the inner cubic, and t = 2 cdf − 1.
        density = cdf * (1 - cdf) * (2 * TANH_SLOPE + 6 * TANH_CUBIC * (x * x))
    else:
        density = xp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (cdf + x * density)


times_normal_cdf.grads(x=_times_normal_cdf_x)
APART |= {times_normal_cdf.forward, _times_normal_cdf_x}


@primitive(elementwise=True, saves=("share",), name="silu")
def times_sigmoid(xp, x):
    """x σ(x); see ``silu``."""
    share = xp.sigmoid(x)
    return x * share, share


def _times_sigmoid_x(xp, g, out, x, *, share=None):
    if share is None:
        share = xp.sigmoid(x)
    return g * (share * (1 + x * (1 - share)))


times_sigmoid.grads(x=_times_sigmoid_x)


@primitive(elementwise=True, saves=("share",), name="mish")
def times_tanh_of_softplus(xp, x):
    """x tanh(ln(1 + eˣ)); see ``mish``."""
    share = xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))
    return x * share, share


def _times_tanh_of_softplus_x(xp, g, out, x, *, share=None):
    if share is None:
        share = xp.tanh(smooth_relu(x))
    return g * (share + x * (1 - share * share) * xp.sigmoid(x))


times_tanh_of_softplus.grads(x=_times_tanh_of_softplus_x)


@primitive(elementwise=True, name="softplus")
def smooth_relu(xp, x, *, beta=1.0, threshold=math.inf):
    """ln(1 + e^βx) / β, and x itself where βx is above the threshold; see ``softplus``."""
    z = x if beta == 1 else x * beta
    out = xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))
    if beta != 1:
        out /= beta
    return out if threshold == math.inf else xp.where(z > threshold, x, out)


def _smooth_relu_x(xp, g, out, x, *, beta=1.0, threshold=math.inf):
    z = x if beta == 1 else x * beta
    passed = g * xp.sigmoid(z)
    return passed if threshold == math.inf else xp.where(z > threshold, g, passed)


smooth_relu.grads(x=_smooth_relu_x)


@primitive(elementwise=True, name="elu")
def exponential_linear(xp, x, *, alpha=1.0, scale=1.0, rate=1.0):
    """scale · x for x > 0, scale · alpha (e^(rate · x) − 1) below; see ``elu``, ``selu`` and ``celu``."""
    # One of the two terms is 0. A sum is several times quicker than a choice of either.
    return xp.maximum(x, 0) * scale + xp.expm1(xp.minimum(x, 0) * rate) * (alpha * scale)


def _exponential_linear_x(xp, g, out, x, *, alpha=1.0, scale=1.0, rate=1.0):
    slope = xp.exp(xp.minimum(x, 0) * rate) * (alpha * scale * rate)
    step = scale - alpha * scale * rate
    return g * (slope + xp.astype(x > 0, x.dtype) * step if step else slope)


exponential_linear.grads(x=_exponential_linear_x)


@primitive(elementwise=True, name="leaky_relu")
def sloped(xp, x, *, slope):
    """x for x > 0, slope · x below; see ``leaky_relu``."""
    return xp.maximum(x, 0) + xp.minimum(x, 0) * slope  # one of them is 0; quicker than a choice


sloped.grads(x=lambda xp, g, out, x, *, slope: g * (xp.astype(x > 0, x.dtype) * (1 - slope) + slope))


@primitive(elementwise=True, selects=True, name="hardtanh")
def cut_off(xp, x, *, low, high):
    """x within numbers low and high, with slope 0 at both; see ``hardtanh``."""
    return xp.minimum(xp.maximum(x, low), high)


cut_off.grads(x=lambda xp, g, out, x, *, low, high: g * xp.logical_and(x > low, x < high))


@composed
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ the normal distribution function: x/2 · (1 + erf(x/√2)).

    Arguments:
        input: any shape.
        approximate: ``"none"``, or ``"tanh"`` for x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    >>> import autograd
    >>> autograd.gelu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    check_floating("gelu", input)
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return times_normal_cdf(input, approximate=approximate)


@composed
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x), also called swish.

    Arguments:
        input: any shape.
        inplace: put the result into the input's memory.

    >>> import autograd
    >>> autograd.silu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return placed("silu", input, times_sigmoid(floating("silu", input)), inplace)


@composed
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(ln(1 + eˣ)).

    Arguments:
        input: any shape.
        inplace: put the result into the input's memory.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2019.

    >>> import autograd
    >>> autograd.mish(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return placed("mish", input, times_tanh_of_softplus(floating("mish", input)), inplace)


@composed
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^βx) / β, without overflow; x itself where βx is above ``threshold``.

    >>> import autograd
    >>> autograd.softplus(autograd.tensor([-1.0, 0.0, 1000.0]))
    tensor([3.1326e-01, 6.9315e-01, 1.0000e+03])
    """
    if not beta:
        raise ValueError("softplus: beta must not be 0")
    return smooth_relu(floating("softplus", input), beta=beta, threshold=threshold)


@composed
def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(x) = −ln(1 + e⁻ˣ), without overflow.

    >>> import autograd
    >>> autograd.logsigmoid(autograd.tensor([-500.0, 0.0]))
    tensor([-500.0000,   -0.6931])
    """
    return -smooth_relu(-floating("logsigmoid", input))


@composed
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> import autograd
    >>> autograd.softsign(autograd.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (1 + abs(floating("softsign", input)))


@composed
def tanhshrink(input: Tensor) -> Tensor:
    """x − tanh x.

    >>> import autograd
    >>> autograd.tanhshrink(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2384,  0.0000,  0.2384])
    """
    return input - tanh(floating("tanhshrink", input))


@composed
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x for x > 0, α (eˣ − 1) below.

    Source: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by ELUs, 2015.

    >>> import autograd
    >>> autograd.elu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.6321,  0.0000,  1.0000])
    """
    return placed("elu", input, exponential_linear(floating("elu", input), alpha=alpha), inplace)


@composed
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """λ x for x > 0, λ α (eˣ − 1) below, with the λ = 1.0507 and α = 1.6733 that keep mean 0 and variance 1.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks, 2017.

    >>> import autograd
    >>> autograd.selu(autograd.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.1113,  0.0000,  1.0507])
    """
    result = exponential_linear(floating("selu", input), alpha=SELU_ALPHA, scale=SELU_SCALE)
    return placed("selu", input, result, inplace)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@composed
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x for x > 0, α (e^(x/α) − 1) below, so that the slope is continuous for every α.

    Source: Barron, Continuously Differentiable Exponential Linear Units, 2017.

    >>> import autograd
    >>> autograd.celu(autograd.tensor([-1.0, 0.0, 1.0]), 2.0)
    tensor([-0.7869,  0.0000,  1.0000])
    """
    if not alpha:
        raise ValueError("celu: alpha must not be 0")
    return placed("celu", input, exponential_linear(floating("celu", input), alpha=alpha, rate=1 / alpha), inplace)


@composed
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x for x > 0, negative_slope · x below.

    >>> import autograd
    >>> autograd.leaky_relu(autograd.tensor([-1.0, 0.0, 1.0]), 0.1)
    tensor([-0.1000,  0.0000,  1.0000])
    """
    return placed("leaky_relu", input, sloped(floating("leaky_relu", input), slope=negative_slope), inplace)


@composed
def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """x for x > 0, a · x below; in training each entry has its own a, uniform from [lower, upper), else their mean.

    >>> import autograd
    >>> autograd.rrelu(autograd.tensor([-1.0, 2.0]), 0.2, 0.4)
    tensor([-0.3000,  2.0000])
    """
    floating("rrelu", input)
    if not lower <= upper:
        raise ValueError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    if not training:
        return placed("rrelu", input, sloped(input, slope=(lower + upper) / 2), inplace)
    from ..random import rand_like  # it imports the ops

    slopes = rand_like(input, generator=generator) * (upper - lower) + lower
    return placed("rrelu", input, input * where(input > 0, 1.0, slopes), inplace)


@composed
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x for x > 0, weight · x below.

    Arguments:
        input: (C,), or (N, C, …).
        weight: one slope, or (C,), one for each channel.

    >>> import autograd
    >>> autograd.prelu(autograd.tensor([-1.0, 0.0, 1.0]), autograd.tensor([0.25]))
    tensor([-0.2500,  0.0000,  1.0000])
    """
    if not isinstance(weight, Node):
        raise no_tensor("prelu", "weight", weight)
    floating("prelu", input)
    check_same_dtype("prelu", input, weight)
    if weight.ndim > 1:
        raise ShapeError(f"prelu: weight must be a scalar or have 1 dimension, got shape {tuple(weight.shape)}")
    if weight.numel() == 1:
        return where(input > 0, input, weight.reshape(()) * input)
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.shape[0] != channels:
        raise ShapeError(
            f"prelu: input of shape {tuple(input.shape)} has {channels} channels (its second size), so weight must "
            f"have shape (1,) or ({channels},), got {tuple(weight.shape)}"
        )
    return where(input > 0, input, weight.reshape(-1, *[1] * (input.ndim - 2)) * input)


@composed
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """min(max(x, min_val), max_val); unlike that of ``clamp`` its slope is 0 at the bounds.

    >>> import autograd
    >>> autograd.hardtanh(autograd.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val must not be above max_val, got {min_val} and {max_val}")
    return placed("hardtanh", input, cut_off(tensor("hardtanh", input), low=min_val, high=max_val), inplace)


@composed
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6).

    >>> import autograd
    >>> autograd.relu6(autograd.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return placed("relu6", input, cut_off(tensor("relu6", input), low=0, high=6), inplace)


@composed
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6.

    >>> import autograd
    >>> autograd.hardsigmoid(autograd.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return placed("hardsigmoid", input, cut_off(floating("hardsigmoid", input) + 3, low=0, high=6) / 6, inplace)


@composed
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · min(max(x + 3, 0), 6) / 6.

    Source: Howard and others, Searching for MobileNetV3, 2019.

    >>> import autograd
    >>> autograd.hardswish(autograd.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000,  0.6667,  4.0000])
    """
    floating("hardswish", input)
    return placed("hardswish", input, input * (cut_off(input + 3, low=0, high=6) / 6), inplace)


@composed
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, 0 elsewhere.

    >>> import autograd
    >>> autograd.hardshrink(autograd.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return where(abs(floating("hardshrink", input)) <= lambd, 0, input)


@composed
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd: x − lambd above it, x + lambd below −lambd, 0 between.

    >>> import autograd
    >>> autograd.softshrink(autograd.tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must be at least 0, got {lambd}")
    floating("softshrink", input)
    return where(abs(input) > lambd, where(input > 0, input - lambd, input + lambd), input * 0)


@composed
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, ``value`` elsewhere.

    >>> import autograd
    >>> autograd.threshold(autograd.tensor([-1.0, 0.5, 2.0]), 0.6, 9.0)
    tensor([9., 9., 2.])
    """
    return placed("threshold", input, where(tensor("threshold", input) <= threshold, value, input), inplace)


@composed
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), where a and b are the first and second half of the input along ``dim``.

    Source: Dauphin, Fan, Auli and Grangier, Language Modeling with Gated Convolutional Networks, 2016.

    >>> import autograd
    >>> autograd.glu(autograd.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    floating("glu", input)
    if not input.ndim:
        raise ShapeError("glu: wants at least one dimension, got a Tensor of shape ()")
    dim = dimension("glu", dim, input.ndim)
    if input.shape[dim] % 2:
        raise ShapeError(
            f"glu: dimension {dim} of shape {tuple(input.shape)} is cut in two halves, so its size must be even"
        )
    a, b = input.split(input.shape[dim] // 2 or 1, dim) if input.shape[dim] else (input, input)
    return a * sigmoid(b)


def placed(name: str, input: Any, result: Tensor, inplace: bool) -> Tensor:
    """``result``, put into the memory of ``input`` if that is wanted."""
    return write(input, result, f"{name}_") if inplace else result


def tensor(name: str, input: Any) -> Any:
    """``input``, or the DTypeError that it is no Tensor."""
    if not isinstance(input, Node):
        raise no_tensor(name, "input", input)
    return input


def floating(name: str, input: Any) -> Any:
    """``input``, or the DTypeError that it is no floating Tensor."""
    check_floating(name, tensor(name, input))
    return input
