"""What this machine can do at best: the speed of a matrix product and of a copy, measured when first asked for."""

from __future__ import annotations

import bisect
import functools
import time
from collections.abc import Callable

import numpy as np

__all__ = ["bandwidth", "floor", "product_rate"]

_SIDE = 512  # a product that is large enough to run at full speed, and takes some milliseconds
_BYTES = tuple(1 << n for n in (13, 15, 17, 19, 21, 23, 25))  # read and written in all, from 8 KiB to 32 MiB
_PATIENCE = 0.02  # seconds for each measurement


def _best(work: Callable[[], object]) -> float:
    """The least number of seconds that ``work`` takes, tried for a while."""
    work()
    best, end = float("inf"), time.perf_counter() + _PATIENCE
    while True:
        start = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return best


@functools.cache
def product_rate(itemsize: int) -> float:
    """FLOPs a second of a matrix product of float32 (``itemsize`` up to 4) or float64, with the present threads."""
    if itemsize not in (4, 8):
        return product_rate(4 if itemsize < 4 else 8)
    x = np.ones((_SIDE, _SIDE), np.float32 if itemsize == 4 else np.float64)
    return 2 * _SIDE**3 / _best(functools.partial(np.matmul, x, x, out=np.empty_like(x)))


@functools.cache
def _bandwidths() -> tuple[float, ...]:
    rates = []
    for size in _BYTES:
        source = np.ones(size // 16, np.float64)
        rates.append(size / _best(functools.partial(np.copyto, np.empty_like(source), source)))
    # A smaller copy that came out slower would be no floor: the call weighs in it.
    return tuple(max(rates[i:]) for i in range(len(rates)))


def bandwidth(count: int) -> float:
    """Bytes a second, read and written, of the copy that touches as many bytes as ``count``, or the next fewer.

    So what fits into a cache is compared with the cache.
    """
    return _bandwidths()[max(bisect.bisect_right(_BYTES, count) - 1, 0)]


def floor(flops: int, touched: int, itemsize: int) -> float:
    """Seconds below which no operation can do ``flops`` and touch ``touched`` bytes on this machine.

    >>> floor(0, 0, 4)
    0.0
    >>> floor(10**9, 0, 4) > floor(10**6, 0, 4) > 0
    True
    """
    by_work = flops / product_rate(itemsize) if flops else 0.0
    return max(by_work, touched / bandwidth(touched) if touched else 0.0)
