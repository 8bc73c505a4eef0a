"""The normal distribution function on NumPy's arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Φ(−a) = e^(−a²/2) · t · polynomial(t) with t = 1 / (1 + a / √8), for a ≥ 0: lowest power first. A least-squares fit to
# SciPy's erfcx with relative error 5e-8; evaluated in float32 the result is within 2.1e-7 of Φ.
_COEFFICIENTS = (
    0.14104164247407872, 0.14121702018274737, 0.12132468997755319, 0.10229359995486129, -0.01567174766930906,
    0.14260928117819424, -0.24684622461946043, 0.1439081838351599, -0.029876468792820358,
)  # fmt: skip
_BLOCK = 32768  # entries: few enough to stay in the processor's cache


def normal_cdf(x: Any) -> Any:
    """Φ(x); for larger float32 arrays several times quicker than SciPy, which computes entry by entry."""
    if x.dtype != np.float32 or x.size < 256:
        import scipy.special

        return scipy.special.ndtr(x).astype(x.dtype, copy=False)
    out = np.empty(x.size, np.float32)
    flat = x.reshape(-1)
    for start in range(0, x.size, _BLOCK):
        part = flat[start : start + _BLOCK]
        a = np.minimum(np.abs(part), 20)
        t = a * math.sqrt(1 / 8)
        t += 1
        np.divide(1, t, out=t)
        tail = t * _COEFFICIENTS[-1]
        for coefficient in _COEFFICIENTS[-2::-1]:
            tail += coefficient
            tail *= t
        a *= a
        a *= -0.5
        tail *= np.exp(a, out=a)
        # The tail is Φ(−|x|), from which Φ(x) is ½ ± (½ − tail).
        np.subtract(0.5, tail, out=tail)
        np.copysign(tail, part, out=tail)
        np.add(tail, 0.5, out=out[start : start + _BLOCK])
    return out.reshape(x.shape)
