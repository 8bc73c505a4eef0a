"""The normal distribution function Φ on NumPy's arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .numpy_blocks import by_blocks

# Φ(−a) = e^(−a²/2) · t · polynomial(t) with t = 1 / (1 + a / √8), for a ≥ 0: lowest power first. A least-squares fit to
# SciPy's erfcx with relative error 5e-8; evaluated in float32 the result is within 2.1e-7 of Φ.
_COEFFICIENTS = (
    0.14104164247407872, 0.14121702018274737, 0.12132468997755319, 0.10229359995486129, -0.01567174766930906,
    0.14260928117819424, -0.24684622461946043, 0.1439081838351599, -0.029876468792820358,
)  # fmt: skip
# Entries below which SciPy's loop, and an expression instead of passes in place, are quicker.
_FEW, _SOME = 256, 512


def normal_cdf(x: Any) -> Any:
    """Φ(x); for larger float32 arrays several times quicker than SciPy, which computes entry by entry."""
    if x.dtype != np.float32 or x.size < _FEW:
        from scipy.special import ndtr

        if x.dtype != np.float64 or x.size < _SOME:
            return ndtr(x).astype(x.dtype, copy=False)
        of_block = ndtr
    else:
        of_block = _cdf_of_block
    out, flat = np.empty(x.size, x.dtype), x.reshape(-1)
    by_blocks(lambda i, j: of_block(flat[i:j], out[i:j]), x.size, x.itemsize)
    return out.reshape(x.shape)


def _cdf_of_block(x: Any, out: Any) -> None:
    a = np.abs(x)
    np.minimum(a, 20, out=a)
    t = a * math.sqrt(1 / 8)
    t += 1
    np.divide(1, t, out=t)
    tail = np.multiply(t, _COEFFICIENTS[-1], out=out)
    for coefficient in _COEFFICIENTS[-2::-1]:
        tail += coefficient
        tail *= t
    a *= a
    a *= -0.5
    tail *= np.exp(a, out=a)
    # The tail is Φ(−|x|), from which Φ(x) is ½ ± (½ − tail).
    np.subtract(0.5, tail, out=tail)
    np.copysign(tail, x, out=tail)
    tail += 0.5
