"""Random Tensors of the common distributions, and filling a Tensor with them in place.

The numbers are NumPy's, as those of ``random``; none of them has a gradient, and what was in a Tensor
that is filled gets gradient 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .creation import _leaf, check_device
from .dtypes import as_dtype, get_default_dtype
from .errors import DTypeError, ShapeError, describe, mismatch
from .keywords import composed
from .node import Node
from .ops.dims import sizes_of
from .ops.indexing import set_item
from .primitive import wrap
from .random import Generator, stream

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["bernoulli", "multinomial", "normal", "poisson"]


def _values(name: str, x: Any, what: str) -> Any:
    """The array of a floating Tensor of parameters."""
    if not isinstance(x, Node):
        raise DTypeError(f"{name}: {what} must be a Tensor, got {describe(x)}")
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: {what} must be floating, got {x.dtype}; convert it first: {what}.float()")
    return np.asarray(x._array)


@composed
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each entry of x says, else 0, of x's dtype.

    Arguments:
        input: probabilities in [0, 1].
        p: one probability for all entries instead; then only x's shape and dtype count.

    >>> import autograd
    >>> autograd.bernoulli(autograd.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    chances = _values("bernoulli", input, "x") if p is None else p
    return wrap(_bernoulli("bernoulli", chances, input.shape, generator).astype(input.dtype)[()])


def _bernoulli(name: str, chances: Any, shape: tuple[int, ...], generator: Generator | None) -> Any:
    chances = np.asarray(chances)
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError(f"{name}: probabilities must be in [0, 1], got {chances.min()} to {chances.max()}")
    return np.asarray(stream(generator).random(shape) < chances)


@composed
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Places drawn with probabilities proportional to the weights x, int64.

    Arguments:
        input: weights of shape (n,) or (rows, n), not negative and not all 0; they need not add up to 1.
        num_samples: how many to draw from each row.
        replacement: whether a place can be drawn twice.

    Returns shape (num_samples,) or (rows, num_samples).

    >>> import autograd
    >>> autograd.multinomial(autograd.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    weights = _values("multinomial", input, "x").astype(np.float64)
    if weights.ndim not in (1, 2) or weights.shape[-1] == 0:
        raise ShapeError(f"multinomial: wants weights of shape (n,) or (rows, n), got {tuple(input.shape)}")
    if not np.isfinite(weights).all() or (weights < 0).any() or (weights.sum(-1) <= 0).any():
        raise ValueError("multinomial: weights must be finite, not negative, and not all 0 in a row")
    if num_samples <= 0:
        raise ValueError(f"multinomial: num_samples must be above 0, got {num_samples}")
    rows = np.atleast_2d(weights)
    if replacement:
        steps = np.cumsum(rows, -1)
        at = stream(generator).random((len(rows), num_samples)) * steps[:, -1:]
        drawn = np.stack([np.searchsorted(s, a, side="right") for s, a in zip(steps, at, strict=True)])
        # A product can round up to the total; the last place with a weight is then meant.
        last = rows.shape[1] - 1 - np.argmax(rows[:, ::-1] > 0, axis=1)
        drawn = np.minimum(drawn, last[:, None])
    else:
        if num_samples > (rows > 0).sum(-1).min():
            raise ValueError(
                f"multinomial: cannot draw {num_samples} different places from {(rows > 0).sum(-1).min()} with a "
                "weight above 0; use replacement=True"
            )
        # The first arrivals of Poisson processes with these rates come in the order of draws without replacement.
        with np.errstate(divide="ignore"):
            arrival = stream(generator).standard_exponential(rows.shape) / rows
        drawn = np.argsort(arrival, -1, kind="stable")[:, :num_samples]
    return wrap(drawn.astype(np.int64).reshape(*weights.shape[:-1], num_samples))


@composed
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers, each with its own mean and standard deviation, or all with the same.

    Arguments:
        mean, std: Tensors that broadcast, or numbers; if both are numbers, ``size`` gives the shape.

    >>> import autograd
    >>> autograd.normal(0.0, 1.0, (2, 3)).shape, autograd.normal(autograd.zeros(4)).shape
    ((2, 3), (4,))
    """
    check_device("normal", device)
    given = [_values("normal", v, what) for v, what in ((mean, "mean"), (std, "std")) if isinstance(v, Node)]
    if size is None and not given:
        raise TypeError("normal: mean and std are numbers, so size must be given: normal(0.0, 1.0, (2, 3))")
    if size is not None and given:
        raise TypeError("normal: size is only for a mean and std that are numbers; Tensors have a shape")
    spread = np.asarray(std._array if isinstance(std, Node) else std)
    if (spread < 0).any():
        raise ValueError(f"normal: std must not be negative, got {spread.min()}")
    if given:
        try:
            shape = np.broadcast_shapes(*(a.shape for a in given))
        except ValueError:
            raise ShapeError(f"normal: shapes {mismatch([a.shape for a in given])}") from None
        kind = given[0].dtype
    else:
        shape = sizes_of("normal", (size,))
        kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    centre = np.asarray(mean._array if isinstance(mean, Node) else mean)
    drawn = _standard(stream(generator).standard_normal, shape, kind) * spread + centre
    return _leaf("normal", np.asarray(drawn).astype(kind)[()], requires_grad)


def _standard(draw: Any, shape: Any, dtype: Any) -> Any:
    # NumPy draws float32 and float64; half precision is rounded from the former.
    return draw(tuple(shape), np.float64 if dtype == np.float64 else np.float32)


@composed
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers of events, Poisson distributed with the rate that each entry of x says, of x's dtype.

    >>> import autograd
    >>> autograd.poisson(autograd.tensor([0.0, 0.0]))
    tensor([0., 0.])
    """
    rates = _values("poisson", input, "x")
    if (rates < 0).any():
        raise ValueError(f"poisson: rates must not be negative, got {rates.min()}")
    return wrap(np.asarray(stream(generator).poisson(rates)).astype(input.dtype)[()])


# As methods: filling a Tensor in place


def _fill(x: Any, drawn: Any, name: str) -> Any:
    """Puts what was drawn into x: a constant, so what was there before has gradient 0."""
    set_item(x, Ellipsis, wrap(np.asarray(drawn).astype(x.dtype)), name)
    return x


def _floating(name: str, x: Any) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: wants a floating Tensor, got {x.dtype}; convert it first: x.float()")


def uniform_(x: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Puts uniform random numbers from [a, b) into every entry."""
    _floating("uniform_", x)
    if a > b:
        raise ValueError(f"uniform_: a must not be above b, got {a} and {b}")
    return _fill(x, _standard(stream(generator).random, x.shape, x.dtype) * (b - a) + a, "uniform_")


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Puts normal random numbers of the given mean and standard deviation into every entry."""
    _floating("normal_", x)
    if std < 0:
        raise ValueError(f"normal_: std must not be negative, got {std}")
    return _fill(x, _standard(stream(generator).standard_normal, x.shape, x.dtype) * std + mean, "normal_")


def log_normal_(x: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Puts e to the power of normal random numbers of the given mean and standard deviation into every entry."""
    _floating("log_normal_", x)
    if std <= 0:
        raise ValueError(f"log_normal_: std must be above 0, got {std}")
    return _fill(x, np.exp(stream(generator).standard_normal(x.shape) * std + mean), "log_normal_")


def exponential_(x: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Puts exponential random numbers of rate ``lambd``, with mean 1 / lambd, into every entry."""
    _floating("exponential_", x)
    if lambd <= 0:
        raise ValueError(f"exponential_: lambd must be above 0, got {lambd}")
    return _fill(x, _standard(stream(generator).standard_exponential, x.shape, x.dtype) / lambd, "exponential_")


def cauchy_(x: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Puts Cauchy random numbers of the given median and half width into every entry."""
    _floating("cauchy_", x)
    if sigma <= 0:
        raise ValueError(f"cauchy_: sigma must be above 0, got {sigma}")
    return _fill(x, median + sigma * stream(generator).standard_cauchy(x.shape), "cauchy_")


def geometric_(x: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Puts numbers of trials until the first success, of probability ``p`` each, into every entry: 1, 2, …"""
    if not 0 < p < 1:
        raise ValueError(f"geometric_: p must be in (0, 1), got {p}")
    return _fill(x, stream(generator).geometric(p, x.shape), "geometric_")


def bernoulli_(x: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Puts 1 with probability ``p`` (a number, or a Tensor that broadcasts to x), else 0, into every entry."""
    chances = _values("bernoulli_", p, "p") if isinstance(p, Node) else p
    if isinstance(p, Node) and np.broadcast_shapes(tuple(p.shape), tuple(x.shape)) != tuple(x.shape):
        raise ShapeError(f"bernoulli_: p of shape {tuple(p.shape)} does not broadcast to {tuple(x.shape)}")
    return _fill(x, _bernoulli("bernoulli_", chances, x.shape, generator), "bernoulli_")


def random_(x: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """Puts integers from ``from_`` up to but not including ``to`` into every entry; ``random_(to)`` starts at 0.

    Without ``to`` they go as far as x's dtype holds every integer exactly.
    """
    if to is None and from_:
        from_, to = 0, from_
    if to is None:
        to = 2 ** (np.finfo(x.dtype).nmant + 1) + 1 if x.dtype.kind == "f" else _past_last(x.dtype)
    if from_ >= to:
        raise ValueError(f"random_: from must be below to, got {from_} and {to}")
    dtype = np.uint64 if to > 2**63 else np.int64
    return _fill(x, stream(generator).integers(from_, to, x.shape, dtype), "random_")


def _past_last(dtype: Any) -> int:
    return 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + 1
