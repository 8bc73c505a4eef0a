"""Functions of one variable, on each entry: trigonometric, hyperbolic, powers and logarithms, rounding, special.

Where PyTorch has a function under two names (``asin`` and ``arcsin``), so has this module. What has no closed
form in NumPy is SciPy's, which is loaded at its first use.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .elementwise import abs, clip, clone, mul, neg, sign, sub

if TYPE_CHECKING:
    from ..tensor import Tensor


# Trigonometric


@primitive(elementwise=True, promote="float")
def tan(xp, x):
    """tan x, x in radians."""
    return xp.tan(x)


tan.grads(x=lambda xp, g, out, x: g * (1 + out * out))


@primitive(elementwise=True, promote="float")
def asin(xp, x):
    """The angle in [−π/2, π/2] whose sine is x; its slope at ±1 is ∞."""
    return xp.arcsin(x)


asin.grads(x=lambda xp, g, out, x: g / xp.sqrt(1 - x * x))


@primitive(elementwise=True, promote="float")
def acos(xp, x):
    """The angle in [0, π] whose cosine is x; its slope at ±1 is −∞."""
    return xp.arccos(x)


acos.grads(x=lambda xp, g, out, x: -g / xp.sqrt(1 - x * x))


@primitive(elementwise=True, promote="float")
def atan(xp, x):
    """The angle in [−π/2, π/2] whose tangent is x."""
    return xp.arctan(x)


atan.grads(x=lambda xp, g, out, x: g / (1 + x * x))


# Hyperbolic


@primitive(elementwise=True, promote="float")
def sinh(xp, x):
    """sinh x = (eˣ − e⁻ˣ) / 2."""
    return xp.sinh(x)


sinh.grads(x=lambda xp, g, out, x: g * xp.cosh(x))


@primitive(elementwise=True, promote="float")
def cosh(xp, x):
    """cosh x = (eˣ + e⁻ˣ) / 2."""
    return xp.cosh(x)


cosh.grads(x=lambda xp, g, out, x: g * xp.sinh(x))


@primitive(elementwise=True, promote="float")
def asinh(xp, x):
    """The number whose hyperbolic sine is x: ln(x + √(x² + 1))."""
    return xp.arcsinh(x)


asinh.grads(x=lambda xp, g, out, x: g / xp.sqrt(x * x + 1))


@primitive(elementwise=True, promote="float")
def acosh(xp, x):
    """The number above 0 whose hyperbolic cosine is x: ln(x + √(x² − 1)), NaN below 1; its slope at 1 is ∞."""
    return xp.arccosh(x)


acosh.grads(x=lambda xp, g, out, x: g / xp.sqrt(x * x - 1))


@primitive(elementwise=True, promote="float")
def atanh(xp, x):
    """The number whose hyperbolic tangent is x: ½ ln((1 + x) / (1 − x)), NaN outside [−1, 1]."""
    return xp.arctanh(x)


atanh.grads(x=lambda xp, g, out, x: g / (1 - x * x))


# Powers and logarithms


@primitive(elementwise=True, promote="float")
def exp2(xp, x):
    """2ˣ."""
    return xp.exp2(x)


exp2.grads(x=lambda xp, g, out, x: g * (out * math.log(2)))


@primitive(elementwise=True, promote="float")
def log2(xp, x):
    """The logarithm to base 2."""
    return xp.log2(x)


log2.grads(x=lambda xp, g, out, x: g / (x * math.log(2)))


@primitive(elementwise=True, promote="float")
def log10(xp, x):
    """The logarithm to base 10."""
    return xp.log10(x)


log10.grads(x=lambda xp, g, out, x: g / (x * math.log(10)))


@primitive(elementwise=True, promote="float")
def rsqrt(xp, x):
    """1 / √x."""
    return 1 / xp.sqrt(x)


rsqrt.grads(x=lambda xp, g, out, x: g * (-0.5 * (out * out * out)))


@primitive(elementwise=True, promote="float")
def reciprocal(xp, x):
    """1 / x."""
    return 1 / x


reciprocal.grads(x=lambda xp, g, out, x: -g * (out * out))


@primitive(elementwise=True, promote="float", name="logit")
def log_odds(xp, x):
    """ln(x / (1 − x)), the inverse of ``sigmoid``; NaN outside [0, 1]."""
    return xp.log(x / (1 - x))


# As PyTorch's: no slope where there is no value.
log_odds.grads(x=lambda xp, g, out, x: xp.where(out == out, g / (x * (1 - x)), out))


@composed
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """ln(x / (1 − x)), the inverse of ``sigmoid``: the logarithm of the odds.

    Arguments:
        input: probabilities, of any shape; outside [0, 1] the result is NaN.
        eps: keeps the input within [eps, 1 − eps]; what lies outside gets gradient 0.

    >>> import autograd
    >>> autograd.logit(autograd.tensor([0.0, 0.5, 1.0]), eps=0.1)
    tensor([-2.1972,  0.0000,  2.1972])
    """
    return log_odds(input) if eps is None else log_odds(clip(input, min=eps, max=1 - eps))


# Angles and signs


@composed
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees: x · 180 / π.

    >>> import autograd
    >>> autograd.rad2deg(autograd.tensor(3.14159265))
    tensor(180.)
    """
    return mul(input, 180 / math.pi)


@composed
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians: x · π / 180.

    >>> import autograd
    >>> autograd.deg2rad(autograd.tensor(180.0))
    tensor(3.1416)
    """
    return mul(input, math.pi / 180)


@composed
def positive(input: Tensor) -> Tensor:
    """The Tensor itself, as ``+x``.

    >>> import autograd
    >>> autograd.positive(autograd.tensor(-2.0))
    tensor(-2.)
    """
    return input


@primitive(elementwise=True)
def signbit(xp, x):
    """Whether the sign is a minus; that of −0.0 is."""
    return xp.signbit(x)


# Rounding


@primitive(elementwise=True)
def trunc(xp, x):
    """x without its digits after the point, rounded towards 0; its slope is 0."""
    return xp.trunc(x)


trunc.grads(x=lambda xp, g, out, x: xp.zeros_like(g))


@primitive(elementwise=True, name="round")
def rounded(xp, x, *, decimals=0):
    """x to so many decimals, halves to the even neighbour; its slope is 0."""
    return xp.round(x, decimals)


rounded.grads(x=lambda xp, g, out, x, *, decimals=0: xp.zeros_like(g))


@composed
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number with ``decimals`` digits after the point; halves go to the even neighbour. Its slope is 0.

    Arguments:
        input: a Tensor of any shape.
        decimals: how many digits to keep; a negative number rounds to tens, hundreds and so on.

    >>> import autograd
    >>> autograd.round(autograd.tensor([0.5, 1.5, -1.7]))
    tensor([ 0.,  2., -2.])
    >>> autograd.round(autograd.tensor(3.14159), decimals=2)
    tensor(3.1400)
    """
    return rounded(input, decimals=decimals)


@composed
def frac(input: Tensor) -> Tensor:
    """x − trunc(x): what stands after the point, with the sign of x; its slope is 1.

    >>> import autograd
    >>> autograd.frac(autograd.tensor([1.25, -3.5]))
    tensor([ 0.2500, -0.5000])
    """
    return sub(input, trunc(input))


@primitive(elementwise=True, selects=True)
def replace_non_finite(xp, x, *, nan, posinf, neginf):
    """Numbers in place of NaN and ±∞; see ``nan_to_num``."""
    x = xp.where(x == math.inf, posinf, xp.where(x == -math.inf, neginf, x))
    return xp.where(x == x, x, nan)


replace_non_finite.grads(
    x=lambda xp, g, out, x, *, nan, posinf, neginf: xp.where(xp.abs(x) < math.inf, g, xp.zeros_like(g))
)


@composed
def nan_to_num(
    input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in place of NaN and ±∞; entries that are replaced get gradient 0.

    Arguments:
        input: a Tensor of any shape; integers have nothing to replace.
        nan: what stands in for NaN.
        posinf, neginf: what stands in for ∞ and −∞; the largest and smallest number of the dtype if None.

    >>> import autograd
    >>> autograd.nan_to_num(autograd.tensor([float("nan"), 1.0, float("inf")]), posinf=9.0)
    tensor([0., 1., 9.])
    """
    if input.dtype.kind != "f":
        return clone(input)
    limits = np.finfo(input.dtype)
    return replace_non_finite(
        input,
        nan=0.0 if nan is None else float(nan),
        posinf=float(limits.max if posinf is None else posinf),
        neginf=float(limits.min if neginf is None else neginf),
    )


# Special functions


@primitive(elementwise=True, promote="float")
def sinc(xp, x):
    """sin(πx) / (πx), and 1 at x = 0: NumPy's and PyTorch's normalised form."""
    return xp.sinc(x)


def _sinc_x(xp, g, out, x):
    # Near 0 (cos πx − sinc x) / x is a small difference of numbers near 1: the series, which also keeps the
    # second derivative at 0 right (−π² / 3, where PyTorch gives NaN).
    near = xp.abs(x) < 0.1
    far = xp.where(near, xp.ones_like(x), x)
    u = x * x * math.pi**2
    series = (-(math.pi**2) / 3) * x * (1 - u / 10 * (1 - u / 28 * (1 - u / 54 * (1 - u / 88 * (1 - u / 130)))))
    return g * xp.where(near, series, (xp.cos(far * math.pi) - out) / far)


sinc.grads(x=_sinc_x)


@primitive(elementwise=True, promote="float")
def erf(xp, x):
    """The error function, 2/√π ∫₀ˣ e^(−t²) dt."""
    return xp.special("erf", x)


erf.grads(x=lambda xp, g, out, x: g * (2 / math.sqrt(math.pi) * xp.exp(-x * x)))


@primitive(elementwise=True, promote="float")
def erfc(xp, x):
    """1 − erf(x), exact also where erf is near 1."""
    return xp.special("erfc", x)


erfc.grads(x=lambda xp, g, out, x: g * (-2 / math.sqrt(math.pi) * xp.exp(-x * x)))


@primitive(elementwise=True, promote="float")
def erfinv(xp, x):
    """The inverse of ``erf``: ±∞ at ±1, NaN outside [−1, 1]."""
    return xp.special("erfinv", x)


erfinv.grads(x=lambda xp, g, out, x: g * (math.sqrt(math.pi) / 2 * xp.exp(out * out)))


@primitive(elementwise=True, promote="float")
def lgamma(xp, x):
    """ln |Γ(x)|, with Γ(n) = (n − 1)! for whole n; ∞ at 0, −1, −2, …."""
    return xp.special("gammaln", x)


lgamma.grads(x=lambda xp, g, out, x: g * xp.special("digamma", x))


@primitive(elementwise=True, promote="float")
def digamma(xp, x):
    """ψ(x) = d/dx ln Γ(x)."""
    return xp.special("digamma", x)


digamma.grads(x=lambda xp, g, out, x: g * _derivative_of_digamma(xp, 1, x))


@primitive(elementwise=True, promote="float")
def hurwitz_zeta(xp, q, *, s):
    """ζ(s, q) = Σ 1 / (k + q)ˢ over k = 0, 1, 2, …; s > 1."""
    return xp.special("zeta", s, q)


hurwitz_zeta.grads(q=lambda xp, g, out, q, *, s: g * (-s * xp.special("zeta", s + 1, q)))


@primitive(elementwise=True, promote="float", name="polygamma")
def digamma_derivative(xp, x, *, n):
    """Derivative number n of ψ(x), for n ≥ 1."""
    return _derivative_of_digamma(xp, n, x)


digamma_derivative.grads(x=lambda xp, g, out, x, *, n: g * _derivative_of_digamma(xp, n + 1, x))


def _derivative_of_digamma(xp: Any, n: int, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x) above 0; below, by the reflection ψ(1 − x) = ψ(x) + π cot πx.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.4.7 and 6.4.10.
    """
    above = x > 0
    one = xp.ones_like(x)
    tail = xp.special("zeta", n + 1.0, xp.where(above, x, 1 - x)) * float(math.factorial(n))
    # Derivative n of cot t is a polynomial in cot t: d/dt p(cot t) = −(1 + cot² t) p'(cot t).
    p = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(n):
        p = -p.deriv() * np.polynomial.Polynomial([1.0, 0.0, 1.0])
    t = math.pi * xp.where(above, 0.25 * one, x - xp.floor(x + 0.5))
    cot = xp.cos(t) / xp.sin(t)
    value: Any = float(p.coef[-1])
    for c in p.coef[-2::-1]:
        value = value * cot + float(c)
    return xp.where(above, tail if n % 2 else -tail, -(math.pi ** (n + 1)) * value - tail)


@composed
def polygamma(n: int, input: Tensor) -> Tensor:
    """ψ⁽ⁿ⁾(x): derivative number n of ``digamma``, which is ``polygamma(0, x)``.

    Arguments:
        n: how many times to differentiate, an int from 0 on.
        input: a Tensor of any shape.

    >>> import autograd
    >>> autograd.polygamma(1, autograd.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if isinstance(n, Node) or not hasattr(n, "__index__"):
        raise TypeError("polygamma: wants the order n first, then the Tensor; as a method: x.polygamma(n)")
    if n < 0:
        raise ValueError(f"polygamma: n counts derivatives, so it must be at least 0, got {n}")
    return digamma(input) if n == 0 else digamma_derivative(input, n=int(n))


arcsin, arccos, arctan = asin, acos, atan
arcsinh, arccosh, arctanh = asinh, acosh, atanh
absolute, negative, sgn, fix = abs, neg, sign, trunc
