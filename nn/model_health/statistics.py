"""Numbers that describe activations, gradients and weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "QUANTILES",
    "Distribution",
    "dead_units",
    "describe_entries",
    "effective_rank",
    "saturated_entries",
    "units",
]

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_BINS = 40
_MOST = 200_000  # entries that quantiles and histograms look at
_LARGEST = 512  # rows and columns that effective ranks look at


@dataclass(frozen=True)
class Distribution:
    """How the entries of an array are distributed.

    Attributes:
        mean, std, norm: of all entries; the norm is the root of the sum of squares.
        quantiles: those of 0, 5, 25, 50, 75, 95 and 100 percent.
        counts, edges: the histogram.
        zeros: the fraction of entries that are exactly 0.
        nonfinite: how many entries are NaN or infinite; the other numbers are those of the rest.
    """

    mean: float
    std: float
    norm: float
    quantiles: tuple[float, ...]
    counts: np.ndarray
    edges: np.ndarray
    zeros: float
    nonfinite: int


def describe_entries(arrays: Sequence[Any]) -> Distribution | None:
    """The distribution of the entries of all arrays together; None where there are none.

    >>> import numpy as np
    >>> d = describe_entries([np.array([3.0, 0.0, 4.0, np.inf])])
    >>> d.norm, d.quantiles[3], d.nonfinite
    (5.0, 3.0, 1)
    """
    flat = np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays]) if arrays else np.empty(0)
    if not flat.size:
        return None
    finite = flat[np.isfinite(flat)]
    if not finite.size:
        nan = math.nan
        return Distribution(nan, nan, nan, (nan,) * len(QUANTILES), np.zeros(0), np.zeros(1), 0.0, flat.size)
    some = finite[:: -(-finite.size // _MOST)]
    low, high = float(some.min()), float(some.max())
    # Entries that differ by their last digit alone have no room for bins.
    size = max(abs(low), abs(high))
    spread, margin = high - low > 1e-12 * size, 0.01 * size or 1.0
    counts, edges = np.histogram(some, _BINS if spread else 1, (low, high) if spread else (low - margin, high + margin))
    return Distribution(
        float(finite.mean()), float(finite.std()), float(np.sqrt(np.square(finite).sum())),
        tuple(float(q) for q in np.quantile(some, QUANTILES)), counts, edges, float((finite == 0).mean()),
        flat.size - finite.size,
    )  # fmt: skip


def units(array: Any, axis: int) -> np.ndarray:
    """(…, units, …) as (samples, units): every position of a channel counts as a sample of it."""
    array = np.asarray(array)
    if array.ndim < 2:
        return array.reshape(-1, 1) if array.ndim == 0 else array.reshape(1, -1)
    return np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])  # (samples, units)


def dead_units(matrix: np.ndarray) -> float:
    """Which fraction of the columns is 0 in every row.

    >>> import numpy as np
    >>> dead_units(np.array([[0.0, 1.0], [0.0, 0.0]]))
    0.5
    """
    return float((matrix == 0).all(0).mean()) if matrix.size else 0.0


def saturated_entries(matrix: np.ndarray, low: float, high: float) -> float:
    """Which fraction of the entries is below ``low`` or above ``high``."""
    return float(((matrix < low) | (matrix > high)).mean()) if matrix.size else 0.0


def effective_rank(matrix: np.ndarray, centred: bool = False) -> float:
    """exp of the entropy of σ / Σσ, σ the singular values: how many directions a matrix really has.

    It is k where k singular values are equal and the others 0. Of larger matrices 512 rows and columns are taken.

    Arguments:
        matrix: (rows, columns).
        centred: take the columns' means away first, so that only what differs between rows counts.

    Source: Roy and Vetterli, The Effective Rank: A Measure of Effective Dimensionality, 2007.

    >>> import numpy as np
    >>> round(effective_rank(np.eye(3)), 6), round(effective_rank(np.ones((5, 4))), 6)
    (3.0, 1.0)
    """
    matrix = np.asarray(matrix, np.float64)
    rows, columns = (-(-n // _LARGEST) for n in matrix.shape)
    matrix = matrix[::rows, ::columns] if matrix.size else matrix
    if not matrix.size or not np.isfinite(matrix).all():
        return math.nan if matrix.size else 0.0
    scale = float(np.abs(matrix).max())
    if scale == 0:
        return 0.0
    matrix = matrix / scale
    if centred:
        matrix = matrix - matrix.mean(0)
    values = np.linalg.svd(matrix, compute_uv=False)
    # Single precision leaves rounding where there is nothing.
    values = values[values > 1e-6 * math.sqrt(matrix.size)]
    if not values.size:
        return 0.0
    shares = values / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
