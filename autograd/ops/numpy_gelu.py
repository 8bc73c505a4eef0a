"""x Φ(x) on NumPy's arrays with its slope, block by block and in place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backends.numpy_blocks import by_blocks
from ..backends.numpy_normal import normal_cdf

# What stands before x and x³ in the tanh that approximates 2 Φ − 1.
TANH_SLOPE, TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715 * math.sqrt(2 / math.pi)
# Entries below which an expression is quicker than passes in place.
_SOME = 512


def times_cdf(x: Any, by_tanh: bool, with_slope: bool) -> Any:
    """x Φ(x) and, if wanted, its slope Φ + x Φ′; None for what has no need of passes in place."""
    if type(x) is not np.ndarray or x.size < _SOME or x.dtype not in (np.float32, np.float64):
        return None
    out = np.empty(x.shape, x.dtype)
    slope = np.empty(x.shape, x.dtype) if with_slope else None
    cdf = None if by_tanh else normal_cdf(x).reshape(-1)
    xs, outs, slopes = x.reshape(-1), out.reshape(-1), None if slope is None else slope.reshape(-1)

    def block(i: int, j: int) -> None:
        x, y = xs[i:j], outs[i:j]
        if cdf is not None:
            c, square = cdf[i:j], None
        else:
            square = x * x
            c = square * TANH_CUBIC
            c += TANH_SLOPE
            c *= x
            np.tanh(c, out=c)
            c *= 0.5
            c += 0.5
        np.multiply(x, c, out=y)
        if slopes is None:
            return
        s = slopes[i:j]
        if square is not None:
            square *= 6 * TANH_CUBIC
            square += 2 * TANH_SLOPE
            np.subtract(1, c, out=s)
            s *= y  # x Φ
            s *= square
        else:
            np.multiply(x, x, out=s)
            s *= -0.5
            np.exp(s, out=s)
            s *= math.sqrt(0.5 / math.pi)
            s *= x
        s += c

    by_blocks(block, x.size, 2 * x.itemsize)  # for it has two arrays more
    return out, slope
