"""Operations on each entry, with broadcasting: arithmetic, comparisons, and functions of one variable.

Ties and kinks: ``maximum`` and ``minimum`` share the gradient evenly between equal entries, ``clamp`` passes
it on at its bounds, ``relu`` and ``abs`` have slope 0 at 0, ``sqrt`` and ``pow`` their infinite slope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import large_arrays
from ..dtypes import get_default_dtype
from ..errors import DTypeError
from ..keywords import composed
from ..node import Node
from ..primitive import primitive

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(elementwise=True, promote="same")
def add(xp, x, y):
    """x + y."""
    return x + y


add.grads(
    x=lambda xp, g, out, x, y: g,
    y=lambda xp, g, out, x, y: g,
)


@primitive(elementwise=True, promote="same")
def sub(xp, x, y):
    """x − y."""
    return x - y


sub.grads(
    x=lambda xp, g, out, x, y: g,
    y=lambda xp, g, out, x, y: -g,
)


@primitive(elementwise=True, promote="same")
def mul(xp, x, y):
    """x · y."""
    return x * y


mul.grads(
    x=lambda xp, g, out, x, y: g * y,
    y=lambda xp, g, out, x, y: g * x,
)


@primitive(elementwise=True, promote="float")
def div(xp, x, y):
    """x / y, floating also for integers."""
    return x / y


div.grads(
    x=lambda xp, g, out, x, y: g / y,
    y=lambda xp, g, out, x, y: -g * out / y,
)


@primitive(elementwise=True, promote="same")
def floor_divide(xp, x, y):
    """⌊x / y⌋; its slope is 0."""
    return x // y


@primitive(elementwise=True, promote="same")
def remainder(xp, x, y):
    """x − y ⌊x / y⌋, with the sign of y."""
    return x % y


remainder.grads(
    x=lambda xp, g, out, x, y: g,
    y=lambda xp, g, out, x, y: g * -xp.floor(x / y),
)


@primitive(elementwise=True, promote="same")
def pow(xp, x, y):
    """x to the power y."""
    return x**y


def _pow_x(xp, g, out, x, y):
    if isinstance(y, (int, float)):
        return g * (2 * x if y == 2 else y * x ** (y - 1) if y else xp.zeros_like(out))
    # Where the exponent is 0 the slope is 0, also at x = 0.
    flat = y == 0
    return g * xp.where(flat, xp.zeros_like(out), y * x ** xp.where(flat, xp.ones_like(y), y - 1))


def _pow_y(xp, g, out, x, y):
    x = x if hasattr(x, "dtype") else x * xp.ones_like(out)
    # 0 ** y is 0 on both sides of every y > 0.
    still = xp.logical_and(x == 0, y >= 0)
    return g * xp.where(still, xp.zeros_like(out), out * xp.log(xp.where(still, xp.ones_like(x), x)))


pow.grads(x=_pow_x, y=_pow_y)


@primitive(elementwise=True)
def neg(xp, x):
    """−x."""
    return -x


neg.grads(x=lambda xp, g, out, x: -g)


@primitive(elementwise=True, promote="float")
def exp(xp, x):
    """eˣ."""
    return xp.exp(x)


exp.grads(x=lambda xp, g, out, x: g * out)


@primitive(elementwise=True, promote="float")
def expm1(xp, x):
    """eˣ − 1, exact also near x = 0."""
    return xp.expm1(x)


expm1.grads(x=lambda xp, g, out, x: g * (out + 1))


@primitive(elementwise=True, promote="float")
def log(xp, x):
    """ln x."""
    return xp.log(x)


log.grads(x=lambda xp, g, out, x: g / x)


@primitive(elementwise=True, promote="float")
def log1p(xp, x):
    """ln(1 + x), exact also near x = 0."""
    return xp.log1p(x)


log1p.grads(x=lambda xp, g, out, x: g / (1 + x))


@primitive(elementwise=True, promote="float")
def sqrt(xp, x):
    """√x."""
    return xp.sqrt(x)


sqrt.grads(x=lambda xp, g, out, x: g / (2 * out))


@primitive(elementwise=True)
def square(xp, x):
    """x²."""
    return x * x


square.grads(x=lambda xp, g, out, x: g * (2 * x))


@primitive(elementwise=True)
def abs(xp, x):
    """|x|."""
    return xp.abs(x)


abs.grads(x=lambda xp, g, out, x: g * xp.sign(x))


@primitive(elementwise=True)
def sign(xp, x):
    """−1, 0 or 1; its slope is 0."""
    return xp.sign(x)


sign.grads(x=lambda xp, g, out, x: xp.zeros_like(g))


@primitive(elementwise=True)
def floor(xp, x):
    """⌊x⌋; its slope is 0."""
    return xp.floor(x)


floor.grads(x=lambda xp, g, out, x: xp.zeros_like(g))


@primitive(elementwise=True)
def ceil(xp, x):
    """⌈x⌉; its slope is 0."""
    return xp.ceil(x)


ceil.grads(x=lambda xp, g, out, x: xp.zeros_like(g))


@primitive(elementwise=True, promote="float")
def sin(xp, x):
    """sin x, x in radians."""
    return xp.sin(x)


sin.grads(x=lambda xp, g, out, x: g * xp.cos(x))


@primitive(elementwise=True, promote="float")
def cos(xp, x):
    """cos x, x in radians."""
    return xp.cos(x)


cos.grads(x=lambda xp, g, out, x: g * -xp.sin(x))


@primitive(elementwise=True, promote="float")
def tanh(xp, x):
    """tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return xp.tanh(x)


tanh.grads(x=lambda xp, g, out, x: g * (1 - out * out))


@primitive(elementwise=True, promote="float")
def sigmoid(xp, x):
    """σ(x) = 1 / (1 + e⁻ˣ), without overflow at either end."""
    return xp.sigmoid(x)


sigmoid.grads(x=lambda xp, g, out, x: g * (out * (1 - out)))


@primitive(elementwise=True, selects=True)
def relu(xp, x):
    """max(x, 0); its slope at 0 is 0."""
    return xp.maximum(x, 0)


relu.grads(x=lambda xp, g, out, x: g * (out > 0))


@primitive(elementwise=True, promote="same", selects=True)
def maximum(xp, x, y):
    """The larger of x and y; equal entries share the gradient."""
    return xp.maximum(x, y)


maximum.grads(
    x=lambda xp, g, out, x, y: g * _share_of(xp, x, y, xp.logical_not(x < y)),
    y=lambda xp, g, out, x, y: g * _share_of(xp, y, x, xp.logical_not(y < x)),
)


@primitive(elementwise=True, promote="same", selects=True)
def minimum(xp, x, y):
    """The smaller of x and y; equal entries share the gradient."""
    return xp.minimum(x, y)


minimum.grads(
    x=lambda xp, g, out, x, y: g * _share_of(xp, x, y, xp.logical_not(x > y)),
    y=lambda xp, g, out, x, y: g * _share_of(xp, y, x, xp.logical_not(y > x)),
)


def _share_of(xp, x, y, chosen):
    # "Not less" rather than "greater": a NaN is the result, so it gets the gradient.
    return xp.where(x == y, 0.5, xp.astype(chosen, x.dtype) if hasattr(x, "dtype") else chosen * 1.0)


@primitive(elementwise=True, selects=True, name="clamp")
def clip(xp, x, *, min=None, max=None):
    """x within numbers min and max; see ``clamp``."""
    if min is not None:
        x = xp.maximum(x, min)
    return x if max is None else xp.minimum(x, max)


def _clip_x(xp, g, out, x, *, min=None, max=None):
    if min is not None:
        g = g * (x >= min)
    return g if max is None else g * (x <= max)


clip.grads(x=_clip_x)


@primitive(elementwise=True, promote="same", selects=True)
def where(xp, condition, x, y):
    """x where the condition holds, y elsewhere."""
    return xp.where(condition, x, y)


where.grads(
    x=lambda xp, g, out, condition, x, y: xp.where(condition, g, xp.zeros_like(g)),
    y=lambda xp, g, out, condition, x, y: xp.where(condition, xp.zeros_like(g), g),
)


@primitive(elementwise=True)
def to(xp, x, *, dtype):
    """x in another dtype."""
    return xp.astype(x, dtype)


to.grads(x=lambda xp, g, out, x, *, dtype: g)


@primitive(elementwise=True)
def clone(xp, x):
    """A copy of x, through which gradient flows."""
    return x + xp.zeros_like(x) if x.dtype.kind == "f" else xp.astype(x, x.dtype)


clone.grads(x=lambda xp, g, out, x: g)


@primitive(elementwise=True, promote="same")
def eq(xp, x, y):
    """x == y, entry by entry."""
    return x == y


@primitive(elementwise=True, promote="same")
def ne(xp, x, y):
    """x != y, entry by entry."""
    return x != y


@primitive(elementwise=True, promote="same")
def lt(xp, x, y):
    """x < y, entry by entry."""
    return x < y


@primitive(elementwise=True, promote="same")
def le(xp, x, y):
    """x <= y, entry by entry."""
    return x <= y


@primitive(elementwise=True, promote="same")
def gt(xp, x, y):
    """x > y, entry by entry."""
    return x > y


@primitive(elementwise=True, promote="same")
def ge(xp, x, y):
    """x >= y, entry by entry."""
    return x >= y


@primitive(elementwise=True)
def logical_and(xp, x, y):
    """Whether both are true (not 0), entry by entry."""
    return xp.logical_and(x, y)


@primitive(elementwise=True)
def logical_or(xp, x, y):
    """Whether at least one is true (not 0), entry by entry."""
    return xp.logical_or(x, y)


@primitive(elementwise=True)
def logical_not(xp, x):
    """Whether it is false (0), entry by entry."""
    return xp.logical_not(x)


@primitive(elementwise=True, promote="same")
def bitwise_and(xp, x, y):
    """x & y: bit by bit for integers, "and" for bools."""
    return x & y


@primitive(elementwise=True, promote="same")
def bitwise_or(xp, x, y):
    """x | y: bit by bit for integers, "or" for bools."""
    return x | y


@primitive(elementwise=True)
def bitwise_not(xp, x):
    """~x: bit by bit for integers, "not" for bools."""
    return ~x


@composed
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """min(max(x, min), max): the entries of x kept within bounds.

    Gradient flows where min ≤ x ≤ max, at the bounds too.

    Arguments:
        input: a Tensor of any shape.
        min, max: a number, a Tensor that broadcasts with x, or None for no bound; at least one is given.

    >>> import autograd
    >>> autograd.clamp(autograd.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise TypeError("clamp: wants min, max or both, got neither")
    if not isinstance(min, Node) and not isinstance(max, Node):
        if input.dtype.kind != "f" and (isinstance(min, float) or isinstance(max, float)):
            input = to(input, dtype=get_default_dtype())
        return clip(input, min=min, max=max)
    if min is not None:
        input = where(lt(input, min), min, input)
    return input if max is None else where(gt(input, max), max, input)


def check_floating(name: str, x: Tensor) -> None:
    """Raises the DTypeError of an op that only works on floating Tensors."""
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: wants a floating Tensor, got {x.dtype}; convert it first: x.float()")


# What is one ufunc, which writes straight into the result where arrays are large.
large_arrays.DIRECT.update({
    add.forward: np.add, sub.forward: np.subtract, mul.forward: np.multiply, div.forward: np.true_divide,
    neg.forward: np.negative, relu.forward: lambda x, out: np.maximum(x, 0, out=out),
    **{op.forward: getattr(np, op.name) for op in (exp, expm1, log, log1p, sqrt, sin, cos, tanh)},
})  # fmt: skip
