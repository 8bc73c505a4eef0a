"""Filling parameters with their first values, in place, under PyTorch's names.

The numbers are drawn from ``autograd.random``: from the common stream, or from a ``generator`` of one's own.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

import autograd
from autograd import DTypeError, Generator, ShapeError, Tensor, no_grad
from autograd.errors import describe

__all__ = [
    "calculate_gain", "class_log_priors_", "constant_", "dirac_", "eye_", "fan_in_normal_", "glorot_normal_",
    "glorot_uniform_", "he_normal_", "he_uniform_", "kaiming_normal_", "kaiming_uniform_", "lecun_normal_",
    "lecun_uniform_", "log_odds_", "mean_target_", "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_",
    "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
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
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"calculate_gain: param, the negative slope, must be a number, got {describe(param)}")
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


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal with the given mean and standard deviation, on the condition that a ≤ x ≤ b.

    Arguments:
        tensor: of any shape.
        mean, std: of the normal distribution before it is cut off.
        a, b: the limits, as values (not in standard deviations).

    Raises:
        ValueError: std is not above 0, or a not below b.

    >>> from autograd import empty
    >>> bool((trunc_normal_(empty(100), std=5.0).abs() <= 2).all())
    True
    """
    if not std > 0 or not a < b:
        raise ValueError(f"trunc_normal_: wants std > 0 and a < b, got std={std}, a={a}, b={b}")
    low, high = (a - mean) / std, (b - mean) / std
    # In the lower tail logarithms keep their digits, so what lies above the mean is mirrored.
    sign = -1.0 if low > 0 else 1.0
    if sign < 0:
        low, high = -high, -low
    uniform = autograd.rand(*tensor.shape, generator=generator, dtype=autograd.float64).numpy()
    import scipy.special  # takes a tenth of a second, for those who need it

    first, last = scipy.special.log_ndtr(low), scipy.special.log_ndtr(high)
    # The logarithm of Φ(low) + u (Φ(high) − Φ(low)).
    ratio = np.exp(first - last)
    values = mean + std * sign * scipy.special.ndtri_exp(last + np.log(ratio + uniform * (1 - ratio)))
    with no_grad():
        # The limits hold in the Tensor's own dtype too, whichever way it rounds.
        return tensor.copy_(autograd.tensor(values)).clamp_(a, b)


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


def eye_(tensor: Tensor) -> Tensor:
    """The identity: 1 on the diagonal of a 2-d Tensor and 0 elsewhere.

    >>> from autograd import empty
    >>> eye_(empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: wants a Tensor of 2 dimensions, got shape {tensor.shape}; dirac_ is for convolutions")
    with no_grad():
        return tensor.copy_(autograd.eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that passes its input on: 1 in the middle of the kernel from each channel to itself, else 0.

    Arguments:
        tensor: (out, in, k₁, …) with one to three sizes of the kernel.
        groups: of the convolution; each group passes its channels on.

    Raises:
        ShapeError: another number of dimensions. ValueError: groups does not divide the channels.

    >>> from autograd import empty
    >>> dirac_(empty(2, 2, 3))[1]
    tensor([[0., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: wants a weight (out, in, k₁, …) of 3 to 5 dimensions, got shape {tensor.shape}")
    out, inputs, *kernel = tensor.shape
    if groups < 1 or out % groups:
        raise ValueError(f"dirac_: groups must divide the {out} output channels, got {groups}")
    array = np.zeros(tensor.shape, tensor.dtype)
    per_group = out // groups
    channel = np.arange(min(per_group, inputs))
    middle: tuple[Any, ...] = tuple(k // 2 for k in kernel)
    for group in range(groups):
        array[(group * per_group + channel, channel, *middle)] = 1
    with no_grad():
        return tensor.copy_(autograd.from_numpy(array))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """gain times a matrix with orthonormal rows or columns (whichever are fewer), all such equally likely.

    Source: Saxe et al. 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks.

    Arguments:
        tensor: (rows, …); the sizes behind the first are taken as one.
        gain: a factor, as ``calculate_gain`` gives it.

    Raises:
        ShapeError: fewer than 2 dimensions.

    >>> from autograd import empty, allclose, eye
    >>> w = orthogonal_(empty(3, 5))
    >>> allclose(w @ w.T, eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: wants at least 2 dimensions, got shape {tensor.shape}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    drawn = autograd.randn(max(rows, columns), min(rows, columns), generator=generator, dtype=autograd.float64)
    q, r = np.linalg.qr(drawn.numpy())
    # Without these signs some matrices would be more likely than others.
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    with no_grad():
        return tensor.copy_(autograd.tensor(gain * (q.T if rows < columns else q)).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal with mean 0, and in each column ⌈sparsity · rows⌉ entries of 0.

    Source: Martens 2010, Deep learning via Hessian-free optimization.

    Arguments:
        tensor: (rows, columns).
        sparsity: the part of each column that is 0, from 0 to 1.
        std: of the other entries.

    Raises:
        ShapeError: not 2 dimensions. ValueError: sparsity is not between 0 and 1.

    >>> from autograd import empty
    >>> (sparse_(empty(10, 2), 0.3) == 0).sum(0)
    tensor([3, 3])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: wants a Tensor of 2 dimensions, got shape {tensor.shape}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be between 0 and 1, got {sparsity}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0.0, std, generator)
    # The places of the smallest of random numbers are a random choice.
    places = autograd.rand(rows, columns, generator=generator).numpy().argsort(axis=0)[:zeros]
    array = tensor.detach().numpy().copy()
    np.put_along_axis(array, places, 0, axis=0)
    with no_grad():
        return tensor.copy_(autograd.from_numpy(array))


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


glorot_uniform_ = xavier_uniform_
glorot_normal_ = xavier_normal_
he_uniform_ = kaiming_uniform_
he_normal_ = kaiming_normal_


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Uniform on ±√(3 / fan_in), so that the variance is 1 / fan_in.

    Source: LeCun et al. 1998, Efficient BackProp.

    >>> from autograd import empty
    >>> bool((lecun_uniform_(empty(4, 3)).abs() <= 1).all())
    True
    """
    bound = math.sqrt(3 / (_fans("lecun_uniform_", tensor)[0] or 1))
    return uniform_(tensor, -bound, bound, generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation 1 / √fan_in; source as for ``lecun_uniform_``.

    >>> from autograd import empty
    >>> lecun_normal_(empty(4, 6)).shape
    (4, 6)
    """
    return normal_(tensor, 0.0, 1 / math.sqrt(_fans("lecun_normal_", tensor)[0] or 1), generator)


def fan_in_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation 1 / m, where m is the fan-in: small weights, far from saturation.

    Where 1 / m is meant as the variance, the function is ``lecun_normal_``.

    Source: MIT 6.036, lecture notes on neural networks.

    >>> from autograd import empty
    >>> fan_in_normal_(empty(4, 6)).shape
    (4, 6)
    """
    return normal_(tensor, 0.0, 1 / (_fans("fan_in_normal_", tensor)[0] or 1), generator)


# Output biases: the best constant prediction, which is what a network gives whose weights are still small.


def _targets(name: str, bias: Tensor, target: Any) -> np.ndarray:
    """(N, outputs) in float64."""
    array = (target.detach().numpy() if isinstance(target, Tensor) else np.asarray(target)).astype(np.float64)
    if bias.ndim != 1 or array.ndim == 0 or array.size == 0 or array.size // len(array) != len(bias):
        raise ShapeError(
            f"{name}: wants a bias (outputs,) and targets (N, outputs), or (N,) for one output, got shapes "
            f"{bias.shape} and {array.shape}"
        )
    return array.reshape(len(array), -1)


def _set(bias: Tensor, values: np.ndarray) -> Tensor:
    with no_grad():
        return bias.copy_(autograd.tensor(values))


def mean_target_(tensor: Tensor, target: Any) -> Tensor:
    """The mean of the targets: the best constant for the squared error.

    Arguments:
        tensor: the bias of the output layer, (outputs,).
        target: those of the training set, (N, outputs), or (N,) for one output.

    >>> from autograd import empty
    >>> mean_target_(empty(1), [2.0, 4.0])
    tensor([3.])
    """
    return _set(tensor, _targets("mean_target_", tensor, target).mean(axis=0))


def log_odds_(tensor: Tensor, target: Any) -> Tensor:
    """log(p / (1 − p)), the inverse sigmoid of the mean target p: the best constant for binary cross-entropy.

    Arguments:
        tensor: the bias of the layer that gives the logits, (outputs,).
        target: those of the training set, from 0 to 1, (N, outputs), or (N,) for one output.

    Raises:
        ValueError: a target outside [0, 1], or all those of an output are 0, or all 1.

    >>> from autograd import empty
    >>> log_odds_(empty(1), [0, 1, 1, 1])
    tensor([1.0986])
    """
    targets = _targets("log_odds_", tensor, target)
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("log_odds_: targets must lie between 0 and 1")
    mean = targets.mean(axis=0)
    if ((mean == 0) | (mean == 1)).any():
        where = int(((mean == 0) | (mean == 1)).argmax())
        raise ValueError(
            f"log_odds_: all targets of output {where} are {int(mean[where])}, which has infinite log-odds; leave this "
            "output out, or give targets with label smoothing"
        )
    import scipy.special  # takes a tenth of a second, for those who need it

    return _set(tensor, scipy.special.logit(mean))


def class_log_priors_(tensor: Tensor, target: Any, smoothing: float = 0.0) -> Tensor:
    """log of how often each class comes: the best constant for cross-entropy.

    Arguments:
        tensor: the bias of the layer that gives the logits, (classes,).
        target: the classes of the training set, integers (N,).
        smoothing: added to each count.

    Raises:
        DTypeError: targets are no integers. ValueError: a class that does not come, with no smoothing.
        IndexError: a target outside the classes.

    >>> from autograd import empty
    >>> class_log_priors_(empty(2), [0, 1, 1, 1]).exp()
    tensor([0.2500, 0.7500])
    """
    classes = target.detach().numpy() if isinstance(target, Tensor) else np.asarray(target)
    if classes.dtype.kind not in "iu":
        raise DTypeError(f"class_log_priors_: targets must be integer classes, got {describe(classes)}")
    if tensor.ndim != 1 or classes.ndim != 1 or classes.size == 0:
        raise ShapeError(
            f"class_log_priors_: wants a bias (classes,) and targets (N,), got shapes {tensor.shape} and "
            f"{classes.shape}"
        )
    if classes.min() < 0 or classes.max() >= len(tensor):
        raise IndexError(
            f"class_log_priors_: targets run from {classes.min()} to {classes.max()}, and the bias has {len(tensor)} "
            "classes"
        )
    if not smoothing >= 0:
        raise ValueError(f"class_log_priors_: smoothing must not be negative, got {smoothing}")
    counts = np.bincount(classes, minlength=len(tensor)) + smoothing
    if (counts == 0).any():
        raise ValueError(
            f"class_log_priors_: class {int((counts == 0).argmax())} is not among the targets, and log 0 is infinite; "
            "give smoothing=1.0 say"
        )
    return _set(tensor, np.log(counts / counts.sum()))


def __getattr__(name: str) -> NoReturn:
    instead = f"; write {name}_" if f"{name}_" in __all__ else ""
    raise AttributeError(f"module 'nn.init' has no attribute {name!r}{instead}")
