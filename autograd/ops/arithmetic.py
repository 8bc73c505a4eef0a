"""Functions of two and more variables, on each entry: PyTorch's forms of arithmetic, remainders, powers, bits.

The operators ``+ - * / // % **`` are in ``elementwise``; here is what PyTorch adds to them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from . import elementwise as ew

if TYPE_CHECKING:
    from ..tensor import Tensor


# Arithmetic


@composed
def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """input + alpha · other.

    >>> import autograd
    >>> autograd.add(autograd.tensor([1.0, 2.0]), autograd.tensor([10.0, 20.0]), alpha=2)
    tensor([21., 42.])
    """
    return ew.add(input, other if _is_one(alpha) else _scaled("add", input, other, alpha))


@composed
def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """input − alpha · other.

    >>> import autograd
    >>> autograd.sub(autograd.tensor([1.0, 2.0]), autograd.tensor([10.0, 20.0]), alpha=2)
    tensor([-19., -38.])
    """
    return ew.sub(input, other if _is_one(alpha) else _scaled("sub", input, other, alpha))


@composed
def rsub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """other − alpha · input: ``sub`` with its arguments exchanged.

    >>> import autograd
    >>> autograd.rsub(autograd.tensor([1.0, 2.0]), 10.0)
    tensor([9., 8.])
    """
    return ew.sub(other, input if _is_one(alpha) else _scaled("rsub", other, input, alpha))


def _is_one(alpha: Any) -> bool:
    return type(alpha) in (int, float) and alpha == 1


def _scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    floating = any(x.dtype.kind == "f" if hasattr(x, "dtype") else isinstance(x, float) for x in (input, other))
    if isinstance(alpha, float) and not floating:
        raise DTypeError(f"{name}: a factor of integer Tensors must be an int, got {alpha}; convert them: x.float()")
    return other * alpha


@primitive(elementwise=True, promote="same")
def rounded_quotient(xp, x, y, *, rounding):
    """x / y, rounded down ("floor") or towards 0 ("trunc"); its slope is 0."""
    if rounding == "floor":
        return x // y
    if x.dtype.kind == "f" if hasattr(x, "dtype") else y.dtype.kind == "f":
        return xp.trunc(x / y)
    return (x - xp.fmod(x, y)) // y


rounded_quotient.grads(
    x=lambda xp, g, out, x, y, *, rounding: xp.zeros_like(g),
    y=lambda xp, g, out, x, y, *, rounding: xp.zeros_like(g),
)


@composed
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, rounded or not.

    Arguments:
        input, other: Tensors that broadcast; one of them may be a number.
        rounding_mode: None for the quotient itself, floating also for integers; ``"trunc"`` rounds it towards 0,
            ``"floor"`` down, both with slope 0 and in the dtype of the inputs.

    >>> import autograd
    >>> x = autograd.tensor([-7, 7])
    >>> autograd.div(x, 2), autograd.div(x, 2, rounding_mode="trunc"), autograd.div(x, 2, rounding_mode="floor")
    (tensor([-3.5000,  3.5000]), tensor([-3,  3]), tensor([-4,  3]))
    """
    if rounding_mode is None:
        return ew.div(input, other)
    if rounding_mode not in ("trunc", "floor"):
        raise ValueError(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")
    return rounded_quotient(input, other, rounding=rounding_mode)


@primitive(elementwise=True, promote="same")
def fmod(xp, x, y):
    """x − y trunc(x / y): what division leaves, with the sign of x (``remainder`` has that of y)."""
    return xp.fmod(x, y)


fmod.grads(
    x=lambda xp, g, out, x, y: g,
    y=lambda xp, g, out, x, y: g * -xp.trunc(x / y),
)


@primitive(elementwise=True, promote="float", name="lerp")
def interpolated(xp, x, end, weight):
    """x + weight · (end − x), exact at both ends."""
    if not hasattr(weight, "dtype"):
        return x + weight * (end - x) if weight < 0.5 else end - (end - x) * (1 - weight)
    return xp.where(xp.abs(weight) < 0.5, x + weight * (end - x), end - (end - x) * (1 - weight))


interpolated.grads(
    x=lambda xp, g, out, x, end, weight: g * (1 - weight),
    end=lambda xp, g, out, x, end, weight: g * weight,
    weight=lambda xp, g, out, x, end, weight: g * (end - x),
)


@composed
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight · (end − input): from ``input`` at weight 0 to ``end`` at weight 1.

    Arguments:
        input, end: floating Tensors that broadcast.
        weight: a number, or a Tensor that broadcasts with them.

    >>> import autograd
    >>> autograd.lerp(autograd.tensor([0.0, 10.0]), autograd.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    for x in (input, end):
        if isinstance(x, Node):
            ew.check_floating("lerp", x)
    return interpolated(input, end, weight)


@composed
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 · tensor2.

    >>> import autograd
    >>> autograd.addcmul(autograd.tensor(1.0), autograd.tensor([1.0, 2.0]), autograd.tensor(3.0), value=0.5)
    tensor([2.5000, 4.0000])
    """
    product = ew.mul(tensor1, tensor2)
    return ew.add(input, product if _is_one(value) else _scaled("addcmul", input, product, value))


@composed
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 / tensor2.

    >>> import autograd
    >>> autograd.addcdiv(autograd.tensor(1.0), autograd.tensor([3.0, 6.0]), autograd.tensor(3.0), value=0.5)
    tensor([1.5000, 2.0000])
    """
    quotient = ew.div(tensor1, tensor2)
    return ew.add(input, quotient if _is_one(value) else ew.mul(quotient, value))


# Geometry


@primitive(elementwise=True, promote="float")
def hypot(xp, x, y):
    """√(x² + y²), without overflow; slopes 0 at (0, 0), as in ``norm``."""
    return xp.hypot(x, y)


def _or_one(xp, radius):
    return xp.where(radius == 0, xp.ones_like(radius), radius)


hypot.grads(
    x=lambda xp, g, out, x, y: g * (x / _or_one(xp, out)),
    y=lambda xp, g, out, x, y: g * (y / _or_one(xp, out)),
)


@primitive(elementwise=True, promote="float")
def atan2(xp, y, x):
    """The angle of the point (x, y) in (−π, π]: of y / x, with the quadrant; slopes 0 at (0, 0)."""
    return xp.arctan2(y, x)


atan2.grads(
    y=lambda xp, g, out, y, x: g * (x / _or_one(xp, x * x + y * y)),
    x=lambda xp, g, out, y, x: g * (-y / _or_one(xp, x * x + y * y)),
)


@primitive(elementwise=True, promote="same")
def copysign(xp, x, y):
    """|x| with the sign of y (−0.0 has one); slope 0 at x = 0 and in y."""
    return xp.copysign(x, y)


copysign.grads(
    x=lambda xp, g, out, x, y: g * (xp.sign(x) * xp.sign(out)),
    y=lambda xp, g, out, x, y: xp.zeros_like(g),
)


@primitive(elementwise=True, promote="float")
def nextafter(xp, x, y):
    """The floating number next to x on the way to y; it has no gradient."""
    return xp.nextafter(x, y)


# Exponentials and logarithms


@primitive(elementwise=True, promote="float")
def logaddexp(xp, x, y):
    """ln(eˣ + eʸ), without overflow."""
    return xp.logaddexp(x, y)


@primitive(elementwise=True, promote="float")
def logaddexp2(xp, x, y):
    """log₂(2ˣ + 2ʸ), without overflow."""
    return xp.logaddexp2(x, y)


def _weight_of(xp, x, out, scale=1.0):
    """e^(x − out), x's part of the sum; 1 where x is the sum, ±∞ too, and 0 where the sum is 0."""
    whole = x == out
    zero = xp.zeros_like(out)
    return xp.exp(scale * (xp.where(whole, zero, x) - xp.where(whole, zero, out))) * (out > -math.inf)


logaddexp.grads(
    x=lambda xp, g, out, x, y: g * _weight_of(xp, x, out),
    y=lambda xp, g, out, x, y: g * _weight_of(xp, y, out),
)
logaddexp2.grads(
    x=lambda xp, g, out, x, y: g * _weight_of(xp, x, out, math.log(2)),
    y=lambda xp, g, out, x, y: g * _weight_of(xp, y, out, math.log(2)),
)


@primitive(elementwise=True, promote="float")
def xlogy(xp, x, y):
    """x ln y, and 0 where x is 0, whatever y."""
    return xp.special("xlogy", x, y)


def _xlogy_x(xp, g, out, x, y):
    y = y * xp.ones_like(out)
    zero = xp.logical_and(x == 0, y <= 0)
    return g * xp.where(zero, xp.zeros_like(out), xp.log(xp.where(zero, xp.ones_like(out), y)))


xlogy.grads(x=_xlogy_x, y=lambda xp, g, out, x, y: g * (x / y))


@composed
def ldexp(input: Tensor, other: Any) -> Tensor:
    """input · 2^other.

    >>> import autograd
    >>> autograd.ldexp(autograd.tensor([1.0, 3.0]), autograd.tensor([1, 4]))
    tensor([ 2., 48.])
    """
    return ew.mul(input, ew.pow(2.0, other))


@composed
def float_power(input: Any, exponent: Any) -> Tensor:
    """input to the power ``exponent``, computed and returned in float64, as in PyTorch.

    >>> import autograd
    >>> autograd.float_power(autograd.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=float64)
    """
    float64 = np.dtype(np.float64)
    base, exponent = (ew.to(x, dtype=float64) if isinstance(x, Node) else x for x in (input, exponent))
    return ew.pow(base, exponent)


# Choosing


@primitive(elementwise=True, promote="same", selects=True)
def fmax(xp, x, y):
    """The larger of x and y, and the other one where one is NaN; of equal entries x gets the gradient."""
    return xp.fmax(x, y)


fmax.grads(
    x=lambda xp, g, out, x, y: g * xp.logical_or(x >= y, y != y),
    y=lambda xp, g, out, x, y: g * xp.logical_not(xp.logical_or(x >= y, y != y)),
)


@primitive(elementwise=True, promote="same", selects=True)
def fmin(xp, x, y):
    """The smaller of x and y, and the other one where one is NaN; of equal entries x gets the gradient."""
    return xp.fmin(x, y)


fmin.grads(
    x=lambda xp, g, out, x, y: g * xp.logical_or(x <= y, y != y),
    y=lambda xp, g, out, x, y: g * xp.logical_not(xp.logical_or(x <= y, y != y)),
)


@composed
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """max(input, min): the entries kept from falling below ``min``, a number or a Tensor.

    >>> import autograd
    >>> autograd.clamp_min(autograd.tensor([-1.0, 2.0]), 0)
    tensor([0., 2.])
    """
    return ew.clamp(input, min=min)


@composed
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """min(input, max): the entries kept from rising above ``max``, a number or a Tensor.

    >>> import autograd
    >>> autograd.clamp_max(autograd.tensor([-1.0, 2.0]), 0)
    tensor([-1.,  0.])
    """
    return ew.clamp(input, max=max)


@primitive(elementwise=True, promote="same")
def heaviside(xp, x, values):
    """The step function: 0 below 0, 1 above, ``values`` at 0. It has no gradient."""
    return xp.where(x == 0, values, xp.astype(x > 0, x.dtype))


@composed
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where the condition holds, ``other`` elsewhere; with the condition alone, where that is.

    Arguments:
        condition: a Tensor of bools.
        input, other: Tensors or numbers that broadcast with it. Without them the result is a tuple of index
            Tensors, one per dimension, that name the true entries.

    >>> import autograd
    >>> x = autograd.tensor([-1.0, 2.0])
    >>> autograd.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> autograd.where(x > 0)
    (tensor([1]),)
    """
    if input is not None and other is not None:
        return ew.where(condition, input, other)
    if input is not None or other is not None:
        raise TypeError("where: wants both input and other, or neither; got one of them")
    from ..creation import as_tensor

    found = np.nonzero(np.atleast_1d(np.asarray(condition)))
    return tuple(as_tensor(indices) for indices in found)


@composed
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` where the mask is True, ``input`` elsewhere, in the dtype of ``input``.

    Arguments:
        input: a Tensor of any shape.
        mask: a Tensor of bools that broadcasts with it.
        value: a number or a 0-d Tensor.

    >>> import autograd
    >>> autograd.masked_fill(autograd.tensor([1.0, 2.0]), autograd.tensor([True, False]), -1)
    tensor([-1.,  2.])
    """
    if getattr(mask, "dtype", None) != np.bool_:
        raise DTypeError(f"masked_fill: the mask must be a Tensor of bools, got {describe(mask)}; use mask.bool()")
    if getattr(value, "ndim", 0):
        raise DTypeError(
            f"masked_fill: value must be a number or a 0-d Tensor, got {describe(value)}; use where(mask, value, x)"
        )
    out = ew.where(mask, value, input)
    return out if out.dtype == input.dtype else ew.to(out, dtype=input.dtype)


# Whole numbers and bits


def _check_whole(name: str, *arrays: Any) -> None:
    for x in arrays:
        if isinstance(x, float) or (hasattr(x, "dtype") and x.dtype.kind == "f"):
            raise DTypeError(f"{name}: wants integers, got {describe(x)}; convert it first: x.long()")


@primitive(elementwise=True, promote="same")
def gcd(xp, x, y):
    """The greatest common divisor of integers."""
    _check_whole("gcd", x, y)
    return xp.gcd(x, y)


@primitive(elementwise=True, promote="same")
def lcm(xp, x, y):
    """The least common multiple of integers."""
    _check_whole("lcm", x, y)
    return xp.lcm(x, y)


@primitive(elementwise=True, promote="same")
def bitwise_xor(xp, x, y):
    """x ^ y: bit by bit for integers, "either, not both" for bools."""
    _check_whole("bitwise_xor", x, y)
    return x ^ y


@primitive(elementwise=True, promote="same")
def bitwise_left_shift(xp, x, y):
    """x << y: x · 2ʸ, for integers."""
    _check_whole("bitwise_left_shift", x, y)
    return x << y


@primitive(elementwise=True, promote="same")
def bitwise_right_shift(xp, x, y):
    """x >> y: ⌊x / 2ʸ⌋, for integers."""
    _check_whole("bitwise_right_shift", x, y)
    return x >> y


arctan2 = atan2
subtract, multiply, divide, true_divide, clip = sub, ew.mul, div, div, ew.clamp
