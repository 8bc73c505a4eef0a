"""Rows of the functions of one variable, of PyTorch's forms of arithmetic, and of tests for kinds of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special
from rows_elementwise import BITS, WHERE_MASK, comparison_samples, with_torch_scalars
from sampling import Row, Sample, draw

import autograd
from autograd.ops import comparison, functions, special

HALVES = [k / 2 for k in range(-6, 7)]
WHOLE = [float(k) for k in range(-3, 4)]


def one(low: float = -2.0, high: float = 2.0, avoid: Sequence[float] = (), **static: Any) -> list[Sample]:
    """One array: 0-d, empty, with a dimension of size 1, and with negative strides."""
    x, y, z, a = draw((), (2, 0), (2, 1, 3), (4, 3), low=low, high=high, avoid=avoid)
    return [Sample((v,), static) for v in (x, y, z, a[::-1, ::-2])]


def two(
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    second: tuple[float, float] | None = None,
    numbers: Sequence[float] = (1.5,),
    **static: Any,
) -> list[Sample]:
    """Two arrays: 0-d, broadcast both ways, empty, with negative strides, and with a number on either side."""
    range_y = second or (low, high)
    samples = []
    for i, (s, t) in enumerate([((), ()), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)), ((2,), ()), ((4, 3), (4, 3))]):
        x, y = draw(s, t, low=low, high=high, avoid=avoid, seed=i)
        if second is not None:
            (y,) = draw(t, low=second[0], high=second[1], avoid=avoid, seed=i)
        samples.append(Sample((x[::-1, ::-2], y[::-1, ::-2]) if s == (4, 3) else (x, y), static))
    (x,), (y,) = draw((2, 3), low=low, high=high, avoid=avoid), draw((3,), low=range_y[0], high=range_y[1], avoid=avoid)
    for n in numbers:
        samples += [Sample((x, n), static), Sample((n, y), static)]
    return samples


def unary(name: str, numpy: Any, torch: Any = None, gradient: bool = True, op: Any = None, **domain: Any) -> Row:
    return Row(name, one(**domain), numpy, torch or name, op=op, gradient=gradient)


def binary(
    name: str, numpy: Any, torch: Any = None, samples: Any = None, constant: tuple[int, ...] = (), **domain: Any
) -> Row:
    return Row(name, samples or two(**domain), numpy, torch or with_torch_scalars(name), constant=constant)


def special_in_torch(name: str) -> Any:
    return lambda torch, *inputs, **static: getattr(torch.special, name)(*inputs, **static)


def polygamma(n: int, x: Any, of: Any = scipy.special.polygamma) -> Any:
    """By the recurrence ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + 1) − (−1)ⁿ n! / xⁿ⁺¹, which leads to where ``of`` is exact.

    SciPy's has no values below 0, and the n = 1 of PyTorch nine digits below 10.
    """
    value = of(n, x + 20)
    for k in range(20)[::-1]:
        value = value - (-1) ** n * math.factorial(n) / (x + k) ** (n + 1)
    return value


def rounded(x: Any, y: Any, rounding: str) -> Any:
    return np.floor_divide(x, y) if rounding == "floor" else np.trunc(np.true_divide(x, y)).astype(np.result_type(x, y))


def rounded_in_torch(torch: Any, x: Any, y: Any, rounding: str) -> Any:
    return torch.div(x, y, rounding_mode=rounding)


ROUND_OFF = {"avoid": HALVES, "numbers": (0.7,)}
INTEGERS = [Sample((np.array([[-7], [7]]), np.array([2, -3])))]
COUNTS = [Sample((np.array([[4, -6, 0]]), np.array([[6], [9]])))]
KINDS = [
    Sample((np.array([[math.nan, math.inf, -math.inf], [0.0, -0.0, 1.5]]),)),
    Sample((np.array(-math.inf),)),
    Sample((np.array([1, 0]),)),
]
CLOSE = [
    Sample((np.array([1.0, 2.0, math.inf, math.nan]), np.array([1.0 + 1e-6, 2.1, math.inf, math.nan])), static)
    for static in ({}, {"rtol": 0.1, "atol": 0.0}, {"equal_nan": True})
]
SLOTS = [Sample((*draw((2, 3), (3,)), np.array(0.7))), Sample((*draw((), (2, 1)), np.array([0.2, 1.3, -0.4])))]
PRODUCTS = [Sample((*draw((2, 3), (2, 1), (3,), low=0.5), n)) for n in (1, -0.5)]

ONE_VARIABLE = [
    unary("tan", np.tan, low=-1.4, high=1.4),
    unary("asin", np.arcsin, low=-0.95, high=0.95),
    unary("acos", np.arccos, low=-0.95, high=0.95),
    unary("atan", np.arctan),
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("asinh", np.arcsinh),
    unary("acosh", np.arccosh, low=1.1, high=4.0),
    unary("atanh", np.arctanh, low=-0.9, high=0.9),
    unary("exp2", np.exp2),
    unary("log2", np.log2, low=0.2),
    unary("log10", np.log10, low=0.2),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), low=0.3),
    unary("reciprocal", lambda x: 1 / x, avoid=(0, -0.1, 0.1)),
    unary("log_odds", scipy.special.logit, "logit", low=0.1, high=0.9),
    unary(
        "logit",
        lambda x, eps: scipy.special.logit(np.clip(x, eps, 1 - eps)),
        op=autograd.logit,
        low=0.0,
        high=1.0,
        avoid=(0.2, 0.8),
        eps=0.2,
    ),
    unary("rad2deg", np.rad2deg, op=autograd.rad2deg),
    unary("deg2rad", np.deg2rad, op=autograd.deg2rad),
    unary("positive", np.positive, op=autograd.positive),
    Row("signbit", KINDS, np.signbit, "signbit", gradient=False),
    unary("trunc", np.trunc, avoid=WHOLE),
    unary("rounded", np.round, "round", avoid=HALVES),
    unary(
        "round",
        lambda x, decimals: np.round(x, decimals),
        op=autograd.round,
        low=-200,
        high=200,
        avoid=range(-250, 251, 50),
        decimals=-2,
    ),
    unary("frac", lambda x: x - np.trunc(x), op=autograd.frac, avoid=WHOLE),
    unary(
        "replace_non_finite",
        lambda x, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
        "nan_to_num",
        nan=1.0,
        posinf=2.0,
        neginf=-3.0,
    ),
    Row(
        "nan_to_num",
        [Sample((np.array([1.0, math.nan, -2.0]), 0.5)), Sample((np.arange(3), 0.5))],
        lambda x, nan: np.nan_to_num(x, nan=nan),
        lambda torch, x, nan: torch.nan_to_num(x, nan),
        op=autograd.nan_to_num,
        cut=True,
    ),
    unary("sinc", np.sinc, avoid=WHOLE),
    Row(
        "sinc near 0",
        [Sample((np.array([0.0, -0.02, 0.09, 0.11]),))],
        np.sinc,
        # PyTorch's own slope has three digits here in float32, and no second derivative at 0.
        lambda torch, x: torch.sinc(x.double()).to(x.dtype),
        op=functions.sinc,
    ),
    unary("erf", scipy.special.erf),
    unary("erfc", scipy.special.erfc),
    unary("erfinv", scipy.special.erfinv, low=-0.9, high=0.9),
    unary("lgamma", scipy.special.gammaln, low=-2.8, high=4.0, avoid=[*WHOLE, -2.1, -1.9, -1.1, -0.9, -0.1, 0.1]),
    unary(
        "digamma",
        scipy.special.digamma,
        lambda torch, x: polygamma(0, x, torch.polygamma),
        low=-2.8,
        high=4.0,
        avoid=[*WHOLE, -2.1, -1.9, -1.1, -0.9, -0.1, 0.1],
    ),
    unary(
        "hurwitz_zeta",
        lambda x, s: scipy.special.zeta(s, x),
        lambda torch, x, s: torch.special.zeta(s, x),
        low=0.4,
        high=4.0,
        s=3.0,
    ),
    Row(
        "digamma_derivative",
        [s for n in (1, 2, 3) for s in one(low=-1.8, high=4.0, avoid=(-1.1, -0.9, -1, -0.1, 0, 0.1), n=n)[n - 1 :: 3]],
        lambda x, n: polygamma(n, x),
        lambda torch, x, n: polygamma(n, x, torch.polygamma),
    ),
    Row(
        "polygamma",
        [Sample((n, draw((3,), low=0.4)[0])) for n in (0, 1)],
        scipy.special.polygamma,
        lambda torch, n, x: polygamma(n, x, torch.polygamma),
        op=autograd.polygamma,
    ),
]

SEVERAL_VARIABLES = [
    binary("fmod", np.fmod, avoid=WHOLE, second=(3, 5), numbers=(2.7,)),
    binary(
        "rounded_quotient",
        rounded,
        rounded_in_torch,
        samples=[s for r in ("floor", "trunc") for s in two(low=-2.5, second=(3, 5), avoid=(0,), rounding=r)[::2]],
    ),
    Row(
        "div of integers",
        [Sample((*s.inputs, mode)) for s in INTEGERS for mode in ("floor", "trunc")],
        rounded,
        rounded_in_torch,
        op=lambda x, y, mode: autograd.div(x, y, rounding_mode=mode),
        gradient=False,
    ),
    Row(
        "interpolated",
        [*SLOTS, *[Sample((*draw((2, 3), (3,)), n)) for n in (0.2, 0.7)]],
        lambda x, end, weight: x + weight * (end - x),
        "lerp",
    ),
    Row("lerp", [Sample((*draw((3,), (3,)), 1.0))], lambda x, end, weight: x + (end - x), "lerp", op=autograd.lerp),
    *[
        Row(
            f"{f.__name__} with alpha",
            [Sample((*draw((2, 3), (3,)), n)) for n in (2, -0.5)] + [Sample((draw((2,))[0], 1.5, 2))],
            lambda x, y, alpha, sign=sign: x + sign * alpha * y,
            lambda torch, x, y, alpha, f=f: getattr(torch, f.__name__)(x, y, alpha=alpha),
            op=lambda x, y, alpha, f=f: f(x, y, alpha=alpha),
        )
        for f, sign in ((autograd.add, 1), (autograd.sub, -1))
    ],
    Row(
        "rsub",
        [Sample((*draw((2, 3), (3,)), 2)), Sample((draw((2,))[0], 1.5, -0.5))],
        lambda x, y, alpha: y - alpha * x,
        lambda torch, x, y, alpha: torch.rsub(x, y, alpha=alpha),
        op=lambda x, y, alpha: autograd.rsub(x, y, alpha=alpha),
    ),
    Row(
        "addcmul",
        PRODUCTS,
        lambda x, a, b, value: x + value * a * b,
        lambda torch, x, a, b, value: torch.addcmul(x, a, b, value=value),
        op=lambda x, a, b, value: autograd.addcmul(x, a, b, value=value),
    ),
    Row(
        "addcdiv",
        PRODUCTS,
        lambda x, a, b, value: x + value * a / b,
        lambda torch, x, a, b, value: torch.addcdiv(x, a, b, value=value),
        op=lambda x, a, b, value: autograd.addcdiv(x, a, b, value=value),
    ),
    binary("hypot", np.hypot),
    binary("atan2", np.arctan2, avoid=(0,)),
    binary("copysign", np.copysign, avoid=(0,)),
    Row("nextafter", two(numbers=()), np.nextafter, lambda torch, x, y: torch.nextafter(x, y).detach(), gradient=False),
    binary("logaddexp", np.logaddexp),
    binary("logaddexp2", np.logaddexp2),
    binary("xlogy", scipy.special.xlogy, second=(0.3, 2.0)),
    Row(
        "ldexp",
        [Sample((draw((2, 3))[0], np.array([2.0, -1.0, 0.0]))), Sample((draw((3,))[0], np.array(0.5)))],
        lambda x, y: x * 2.0**y,
        "ldexp",
        op=autograd.ldexp,
        constant=(1,),
    ),
    Row(
        "float_power",
        [Sample((draw((2, 3), low=0.3)[0], n), {"dtype": np.float64}) for n in (2, -0.5)],
        lambda x, n, dtype: np.float_power(x, n),
        lambda torch, x, n, dtype: torch.float_power(x, n),
        op=lambda x, n, dtype: autograd.float_power(x, n),
    ),
    binary("fmax", np.fmax),
    binary("fmin", np.fmin),
    *[
        Row(
            f.__name__,
            [Sample((draw((2, 3))[0], 0.51)), Sample((*draw((2, 3), (3,)),))],
            numpy,
            f.__name__,
            op=f,
        )
        for f, numpy in ((autograd.clamp_min, np.maximum), (autograd.clamp_max, np.minimum))
    ],
    Row(
        "heaviside",
        [Sample((np.array([[-1.0, 0.0, 2.0]]), np.array([[0.5], [-3.0]]))), Sample((np.array([0, 1]), np.array(7)))],
        lambda x, values: np.heaviside(x, values).astype(x.dtype),
        "heaviside",
        gradient=False,
    ),
    Row(
        "masked_fill as a function",
        [Sample((draw((2, 3))[0], WHERE_MASK, np.array(0.5)))],
        lambda x, mask, value: np.where(mask, value, x).astype(x.dtype),
        "masked_fill",
        op=autograd.masked_fill,
    ),
    Row(
        "masked_fill of integers",
        [Sample((np.arange(3), WHERE_MASK, 2.5))],
        lambda x, mask, value: np.where(mask, int(value), x),
        "masked_fill",
        op=autograd.masked_fill,
        gradient=False,
    ),
    Row("gcd", COUNTS, np.gcd, "gcd", gradient=False),
    Row("lcm", COUNTS, np.lcm, "lcm", gradient=False),
    Row("bitwise_xor", BITS, np.bitwise_xor, "bitwise_xor", gradient=False),
    Row("bitwise_left_shift", COUNTS, np.left_shift, "bitwise_left_shift", gradient=False),
    Row("bitwise_right_shift", COUNTS, np.right_shift, "bitwise_right_shift", gradient=False),
]

KINDS_OF_NUMBERS = [
    *[
        Row(name, KINDS, getattr(np, name), name, gradient=False)
        for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal")
    ],
    Row("logical_xor", [*BITS, *comparison_samples()[:1]], np.logical_xor, "logical_xor", gradient=False),
    Row(
        "near",
        CLOSE[2:],
        lambda x, y, **how: np.isclose(x, y, **how),
        "isclose",
        op=lambda x, y, **how: comparison.near(x, y, rtol=1e-5, atol=1e-8, **how),
        gradient=False,
    ),
    Row("isclose", CLOSE, np.isclose, "isclose", op=autograd.isclose, gradient=False),
]

SPECIAL = [
    unary("entr", scipy.special.entr, special_in_torch("entr"), low=0.2),
    unary("erfcx", scipy.special.erfcx, special_in_torch("erfcx")),
    unary("ndtr", scipy.special.ndtr, special_in_torch("ndtr"), op=special.ndtr),
    unary("ndtri", scipy.special.ndtri, special_in_torch("ndtri"), low=0.1, high=0.9),
    unary("log_ndtr", scipy.special.log_ndtr, special_in_torch("log_ndtr")),
    unary("i0", scipy.special.i0, special_in_torch("i0")),
    unary("i0e", scipy.special.i0e, special_in_torch("i0e"), avoid=(0,)),
    unary("i1", scipy.special.i1, special_in_torch("i1"), avoid=(0,)),
    unary("i1e", scipy.special.i1e, special_in_torch("i1e"), avoid=(0,)),
    binary("xlog1py", scipy.special.xlog1py, special_in_torch("xlog1py"), second=(-0.6, 2.0)),
    binary(
        "gammainc",
        scipy.special.gammainc,
        special_in_torch("gammainc"),
        samples=[Sample((np.array([0.5, 1.5, 3.0]), x)) for x in draw((2, 3), (1,), low=0.3, high=4.0)],
        constant=(0,),
    ),
    binary(
        "gammaincc",
        scipy.special.gammaincc,
        special_in_torch("gammaincc"),
        samples=[Sample((np.array([0.5, 1.5, 3.0]), x)) for x in draw((2, 3), (1,), low=0.3, high=4.0)],
        constant=(0,),
    ),
    unary(
        "multigammaln",
        lambda x, p: scipy.special.multigammaln(x, p),
        special_in_torch("multigammaln"),
        op=special.multigammaln,
        low=1.2,
        high=4.0,
        p=3,
    ),
    Row("zeta", [Sample((2.5, draw((3,), low=0.4)[0]))], scipy.special.zeta, special_in_torch("zeta"), op=special.zeta),
]

ROWS = [*ONE_VARIABLE, *SEVERAL_VARIABLES, *KINDS_OF_NUMBERS, *SPECIAL]
