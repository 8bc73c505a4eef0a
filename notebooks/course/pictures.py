"""Figures in a notebook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler

plt.rcParams.update(
    {
        "figure.dpi": 90,
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "legend.frameon": False,
        "image.cmap": "gray",
        "image.interpolation": "nearest",
        # Okabe and Ito's colours, which the colour-blind tell apart too.
        "axes.prop_cycle": cycler(
            color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
        ),
    }
)


@contextlib.contextmanager
def figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.2, **options: Any
) -> Iterator[Any]:
    """Axes to draw on, shown in the end: ``with figure(1, 2) as (left, right):``.

    Arguments:
        rows, columns: of the grid of axes.
        width, height: of the whole figure, in inches.
        options: further ones of ``plt.subplots``.

    Raises:
        ValueError: axes that are shown lack the name of what they measure; name it or ``axes.axis("off")``.
    """
    drawn, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)
    try:
        yield axes
        for one in drawn.axes:
            if one.axison and one.get_label() != "<colorbar>" and not _named(one, options):
                raise ValueError('figure: axes without names; set xlabel and ylabel, or axes.axis("off")')
        plt.show()
    finally:
        plt.close(drawn)


def _named(axes: Any, options: dict[str, Any]) -> bool:
    """Whether axes, or the neighbours that they share a scale with, say what they measure."""
    place = axes.get_subplotspec()
    below = options.get("sharex") and place is not None and not place.is_last_row()
    beside = options.get("sharey") and place is not None and not place.is_first_col()
    return bool((axes.get_xlabel() or below) and (axes.get_ylabel() or beside))
