"""Filling parameters with their first values, in place, under PyTorch's names.

The numbers are drawn from ``autograd.random``: from the common stream, or from a ``generator`` of one's own.
"""

from __future__ import annotations

import math

from autograd import Generator, ShapeError, Tensor, no_grad

__all__ = [
    "calculate_gain", "constant_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "uniform_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before a nonlinearity are widened so that the variance of its output stays 1.

    1 for linear, convolutions and sigmoid, 5/3 for tanh, √2 for relu, 3/4 for selu, √(2 / (1 + slope²)) for leaky_relu.

    Arguments:
        nonlinearity: one of these names.
        param: the negative slope of leaky_relu, 0.01 by default.

    >>> calculate_gain("leaky_relu", 0.0) == calculate_gain("relu")
    True
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}; there are {[*_GAINS, 'leaky_relu']}")
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform on [a, b).

    >>> from autograd import empty
    >>> bool((uniform_(empty(5), 2, 3) >= 2).all())
    True
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with the given mean and standard deviation.

    >>> from autograd import empty
    >>> normal_(empty(2), mean=3.0, std=0.0)
    tensor([3., 3.])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` in every entry.

    >>> from autograd import empty
    >>> constant_(empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 in every entry.

    >>> from autograd import empty
    >>> zeros_(empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 in every entry.

    >>> from autograd import empty
    >>> ones_(empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach an output, and how many outputs an input reaches."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: wants a weight of at least 2 dimensions, (out, in, …), got shape {tensor.shape}; "
            "a bias has no fan: zeros_ or uniform_ it"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan_in, fan_out = _fans(name, tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt((fan_in if mode == "fan_in" else fan_out) or 1)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform on ±gain · √(3 / fan), which keeps the variance through rectifiers.

    Source: He et al. 2015, Delving deep into rectifiers.

    Arguments:
        tensor: (out, in, …).
        a: the negative slope of the leaky_relu that follows.
        mode: ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity: for ``calculate_gain``.

    >>> from autograd import empty
    >>> bool((kaiming_uniform_(empty(4, 6)).abs() <= 1).all())
    True
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / √fan; arguments and source as for ``kaiming_uniform_``.

    >>> from autograd import empty
    >>> kaiming_normal_(empty(4, 6)).shape
    (4, 6)
    """
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform on ±gain · √(6 / (fan_in + fan_out)), a compromise between forward and backward variance.

    Source: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.

    >>> from autograd import empty
    >>> bool((xavier_uniform_(empty(2, 4)).abs() <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / (sum(_fans("xavier_uniform_", tensor)) or 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain · √(2 / (fan_in + fan_out)); source as for ``xavier_uniform_``.

    >>> from autograd import empty
    >>> xavier_normal_(empty(2, 4)).shape
    (2, 4)
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / (sum(_fans("xavier_normal_", tensor)) or 1)), generator)
