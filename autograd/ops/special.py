"""Special functions beyond those of ``functions``: entropy, the normal distribution, Bessel and incomplete gamma.

Their values are SciPy's, their slopes those of the Digital Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .elementwise import mul
from .functions import digamma, erf, erfc, erfinv, hurwitz_zeta, lgamma

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(elementwise=True, promote="float")
def entr(xp, x):
    """−x ln x, the terms of an entropy: 0 at 0, −∞ below."""
    return xp.special("entr", x)


entr.grads(x=lambda xp, g, out, x: g * (-1 - xp.log(x)))


@primitive(elementwise=True, promote="float")
def xlog1py(xp, x, y):
    """x ln(1 + y), and 0 where x is 0, whatever y."""
    return xp.special("xlog1py", x, y)


def _xlog1py_x(xp, g, out, x, y):
    y = y * xp.ones_like(out)
    zero = xp.logical_and(x == 0, y <= -1)
    return g * xp.log1p(xp.where(zero, xp.zeros_like(out), y))


xlog1py.grads(x=_xlog1py_x, y=lambda xp, g, out, x, y: g * (x / (1 + y)))


# The error function and the normal distribution


@primitive(elementwise=True, promote="float")
def erfcx(xp, x):
    """e^(x²) erfc(x), without underflow for large x."""
    return xp.special("erfcx", x)


erfcx.grads(x=lambda xp, g, out, x: g * (2 * x * out - 2 / math.sqrt(math.pi)))


@composed
def ndtr(input: Tensor) -> Tensor:
    """Φ(x) = ½ erfc(−x/√2), the distribution function of the standard normal distribution.

    >>> import autograd
    >>> autograd.special.ndtr(autograd.tensor([0.0, 1.0]))
    tensor([0.5000, 0.8413])
    """
    return mul(erfc(mul(input, -math.sqrt(0.5))), 0.5)


@primitive(elementwise=True, promote="float")
def ndtri(xp, x):
    """The inverse of ``ndtr``, the quantile function of the standard normal distribution."""
    return xp.special("ndtri", x)


ndtri.grads(x=lambda xp, g, out, x: g * (math.sqrt(2 * math.pi) * xp.exp(out * out / 2)))


@primitive(elementwise=True, promote="float")
def log_ndtr(xp, x):
    """ln Φ(x), exact also far below 0."""
    return xp.special("log_ndtr", x)


log_ndtr.grads(x=lambda xp, g, out, x: g * (math.sqrt(2 / math.pi) / xp.special("erfcx", x * -math.sqrt(0.5))))


# Modified Bessel functions of the first kind


@primitive(elementwise=True, promote="float")
def i0(xp, x):
    """I₀(x) = Σ (x²/4)ᵏ / k!²."""
    return xp.special("i0", x)


i0.grads(x=lambda xp, g, out, x: g * xp.special("i1", x))


@primitive(elementwise=True, promote="float")
def i0e(xp, x):
    """e^(−|x|) I₀(x)."""
    return xp.special("i0e", x)


i0e.grads(x=lambda xp, g, out, x: g * (xp.special("i1e", x) - xp.sign(x) * out))


@primitive(elementwise=True, promote="float")
def i1(xp, x):
    """I₁(x), the derivative of I₀."""
    return xp.special("i1", x)


def _over(xp, out, x):
    """I₁(x) / x, with its limit ½ at 0."""
    return xp.where(x == 0, 0.5 * xp.ones_like(x), out / xp.where(x == 0, xp.ones_like(x), x))


i1.grads(x=lambda xp, g, out, x: g * (xp.special("i0", x) - _over(xp, out, x)))


@primitive(elementwise=True, promote="float")
def i1e(xp, x):
    """e^(−|x|) I₁(x)."""
    return xp.special("i1e", x)


i1e.grads(x=lambda xp, g, out, x: g * (xp.special("i0e", x) - xp.sign(x) * out - _over(xp, out, x)))


# Gamma


@primitive(elementwise=True, promote="float")
def gammainc(xp, a, x):
    """P(a, x) = 1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt, the lower incomplete gamma function; no gradient for a, as in PyTorch."""
    return xp.special("gammainc", a, x)


@primitive(elementwise=True, promote="float")
def gammaincc(xp, a, x):
    """1 − P(a, x), the upper incomplete gamma function; no gradient for a, as in PyTorch."""
    return xp.special("gammaincc", a, x)


def _gamma_density(xp, a, x, out):
    a = a * xp.ones_like(out)
    return xp.exp((a - 1) * xp.log(x) - x - xp.special("gammaln", a))


gammainc.grads(x=lambda xp, g, out, a, x: g * _gamma_density(xp, a, x, out))
gammaincc.grads(x=lambda xp, g, out, a, x: -g * _gamma_density(xp, a, x, out))


@composed
def multigammaln(input: Tensor, p: int) -> Tensor:
    """ln Γₚ(x) = p (p − 1)/4 · ln π + Σⱼ ln Γ(x − j/2) over j = 0, …, p − 1: the multivariate gamma function.

    Arguments:
        input: a Tensor of any shape with entries above (p − 1) / 2.
        p: how many dimensions, an int from 1 on.

    >>> import autograd
    >>> autograd.special.multigammaln(autograd.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if isinstance(p, bool) or not hasattr(p, "__index__") or p < 1:
        raise ValueError(f"multigammaln: p must be an int of at least 1, got {p!r}")
    total = lgamma(input)
    for j in range(1, p):
        total = total + lgamma(input - j / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


@composed
def zeta(input: float, other: Tensor) -> Tensor:
    """ζ(s, q) = Σ 1 / (k + q)ˢ over k = 0, 1, 2, …: the Hurwitz zeta function.

    Arguments:
        input: the exponent s, a number above 1.
        other: q, a Tensor of any shape.

    >>> import autograd
    >>> autograd.special.zeta(2, autograd.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if isinstance(input, Node):
        raise TypeError("zeta: the exponent must be a number, since there is no gradient for it; use s.item()")
    return hurwitz_zeta(other, s=float(input))


# What rules call ``xp.special`` for, by SciPy's names.
SPECIAL: dict[str, Any] = {
    "digamma": digamma, "erf": erf, "erfc": erfc, "erfcx": erfcx, "erfinv": erfinv, "gammaln": lgamma,
    "i0": i0, "i0e": i0e, "i1": i1, "i1e": i1e, "zeta": lambda s, q: hurwitz_zeta(q, s=s),
}  # fmt: skip
