"""Large arrays in a line: their range, mean and spread, and a histogram made of characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Statistics", "sparkline", "statistics"]

_BINS = 10
# A histogram of more entries than this is made of some of them, evenly spaced; the numbers beside it are exact.
_SAMPLE = 1 << 16
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class Statistics:
    """The distribution of an array's finite entries; ``counts`` are those of equally wide bins from low to high."""

    low: float
    high: float
    mean: float
    deviation: float
    nan: int
    infinite: int
    zero: float
    counts: tuple[int, ...]


def statistics(array: np.ndarray) -> Statistics | None:
    """The distribution of ``array``; None where no entry is finite.

    >>> import numpy as np
    >>> found = statistics(np.arange(5.0))
    >>> found.low, found.high, found.mean, found.counts
    (0.0, 4.0, 2.0, (1, 0, 1, 0, 0, 1, 0, 1, 0, 1))
    """
    entries: Any = array.reshape(-1)
    nan = infinite = 0
    if array.dtype.kind == "f":
        entries = entries.astype(np.float64, copy=False)
        # NaN and Inf show in the sum, which is cheaper than to look at each entry.
        with np.errstate(all="ignore"):
            sound = np.isfinite(entries.sum())
        if not sound:
            finite = np.isfinite(entries)
            nan = int(np.isnan(entries).sum())
            infinite = len(entries) - int(finite.sum()) - nan
            entries = entries[finite]
    else:
        entries = entries.astype(np.float64)
    if not len(entries):
        return None
    low, high, mean = float(entries.min()), float(entries.max()), float(entries.mean())
    apart = entries - mean
    with np.errstate(all="ignore"):
        deviation = float(np.sqrt(apart.dot(apart) / len(entries)))
        some = entries[:: max(1, len(entries) // _SAMPLE)]
        places = np.nan_to_num((some - low) * (_BINS / (high - low) if high > low else 0.0))
    counts = np.bincount(np.minimum(places.astype(np.intp), _BINS - 1), minlength=_BINS)
    zero = 1.0 - np.count_nonzero(entries) / len(entries)
    return Statistics(low, high, mean, deviation, nan, infinite, zero, tuple(counts.tolist()))


def sparkline(counts: tuple[int, ...]) -> str:
    """Bars of the heights of ``counts``; the lowest is for 0 alone.

    >>> sparkline((0, 1, 4, 8, 4, 0))
    '▁▂▅█▅▁'
    """
    highest = max(counts) or 1
    return "".join(_BARS[0 if n == 0 else max(1, round(n / highest * (len(_BARS) - 1)))] for n in counts)
