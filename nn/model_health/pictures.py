"""Pictures of reports, with Matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..display import pyplot
from .report import Health, LayerHealth
from .statistics import Distribution

__all__ = ["plot_history", "plot_report"]

# Okabe and Ito's colours, which those who are colour-blind tell apart too.
_BLUE, _ORANGE, _RED, _GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
_BESIDE: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}  # where it hides nothing
_MOST = 24  # layers with a name of their own on an axis


def plot_report(report: Health) -> Any:
    """One column for each layer: its outputs, the gradients that reach it, and its dead and saturated units."""
    rows = [row for row in report.layers if row.activation is not None]
    figure, (top, second, middle, bottom) = pyplot().subplots(
        4, 1, sharex=True, figsize=(min(max(7.0, 3.0 + 0.5 * len(rows)), 14.0), 10.5), layout="constrained",
        height_ratios=(3, 3, 3, 2),
    )  # fmt: skip
    for axes, what, distributions in (
        (top, "outputs", [row.activation for row in rows]),
        (second, "gradients of the outputs", [row.gradient for row in rows]),
    ):
        _boxes(axes, distributions)
        # Those of a sick model can span many powers of ten; symlog shows them, and is linear around 0.
        _signed(axes, distributions)
        axes.set(title=f"{what}: median, 50 %, 90 %, all", ylabel="value")
    places = range(len(rows))
    reached = [math.nan if row.gradient is None else row.gradient.norm or math.nan for row in rows]
    middle.plot(places, reached, "o-", color=_BLUE, label="of the output")
    weights = [math.nan if row.weight_gradient is None else row.weight_gradient or math.nan for row in rows]
    middle.plot(places, weights, "s", color=_ORANGE, label="of the weights")
    updates = [math.nan if row.update is None else row.update or math.nan for row in rows]
    if any(math.isfinite(u) for u in updates):
        middle.plot(places, updates, "^", color=_GREEN, label="update / weights")
    if any(math.isfinite(v) for v in (*reached, *weights, *updates)):
        middle.set_yscale("log")
        middle.legend(**_BESIDE)
    else:
        middle.text(0.5, 0.5, "no gradient, or 0 everywhere", transform=middle.transAxes, ha="center")
    middle.set(title="gradients: norms", ylabel="norm")
    middle.grid(alpha=0.3)
    _silence(bottom, rows)
    step = -(-len(rows) // _MOST)
    names = [row.name.replace("`", "") for row in rows]
    bottom.set_xticks(list(places)[::step], names[::step], rotation=45, ha="right", rotation_mode="anchor")
    return figure


def _boxes(axes: Any, distributions: Sequence[Distribution | None]) -> None:
    for place, d in enumerate(distributions):
        if d is None:
            continue
        if not math.isfinite(d.mean):
            axes.text(place, 0, "not finite", rotation=90, ha="center", va="bottom", color=_RED)
            continue
        q = d.quantiles
        axes.vlines(place, q[0], q[-1], color=_BLUE, linewidth=1)
        axes.vlines(place, q[1], q[-2], color=_BLUE, linewidth=4, alpha=0.5)
        axes.vlines(place, q[2], q[-3], color=_BLUE, linewidth=10, alpha=0.7)
        axes.plot(place, q[3], "_", color="white", markersize=12, markeredgewidth=2)
    axes.axhline(0, color="gray", linewidth=0.5)
    axes.grid(axis="y", alpha=0.3)


def _signed(axes: Any, distributions: Sequence[Distribution | None]) -> None:
    sizes = [max(map(abs, d.quantiles)) for d in distributions if d is not None and math.isfinite(d.mean)]
    sizes = [s for s in sizes if s]
    if sizes and max(sizes) > 100 * min(sizes):
        axes.set_yscale("symlog", linthresh=min(sizes))


def _silence(axes: Any, rows: Sequence[LayerHealth]) -> None:
    for share, color, label in (("dead", _RED, "dead units"), ("saturated", _ORANGE, "saturated entries")):
        places = [i for i, row in enumerate(rows) if getattr(row, share) is not None]
        if places:
            axes.bar(places, [100 * getattr(rows[i], share) for i in places], 0.6, color=color, label=label)
    if axes.containers:
        axes.legend(**_BESIDE)
    axes.set(title="dead and saturated", ylabel="%", ylim=(0, 105), xlim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="y", alpha=0.3)


_PANELS = (
    ("activation", "std of the outputs", lambda row: None if row.activation is None else row.activation.std, True),
    ("gradient", "norm of the gradients of the weights", lambda row: row.weight_gradient, True),
    ("update", "update / weights", lambda row: row.update, True),
    ("silent", "dead and saturated, %", lambda row: _silent_share(row), False),
)


def _silent_share(row: LayerHealth) -> float | None:
    shares = [s for s in (row.dead, row.saturated) if s is not None]
    return 100 * max(shares) if shares else None


def plot_history(epochs: Sequence[float], reports: Sequence[Health]) -> Any:
    """One panel for each quantity, over time, with a line for each layer, from the first (dark) to the last (light)."""
    plt = pyplot()
    figure, grid = plt.subplots(2, 2, figsize=(11, 7), sharex=True, layout="constrained")
    paths = list(dict.fromkeys(row.path for report in reports for row in report.layers))
    by_path = [{row.path: row for row in report.layers} for report in reports]
    colors = plt.get_cmap("viridis")
    for axes, (_, title, value, log) in zip(grid.flat, _PANELS, strict=True):
        drawn = False
        for i, path in enumerate(paths):
            values = [value(rows[path]) if path in rows else None for rows in by_path]
            if all(v is None for v in values):
                continue
            known = [math.nan if v is None or (log and v == 0) else v for v in values]
            color = colors(0.9 * i / max(len(paths) - 1, 1))
            axes.plot(epochs, known, color=color, marker="." if len(epochs) < 50 else "", label=by_path[0][path].name)
            drawn = drawn or any(math.isfinite(v) for v in known)
        if log and drawn:
            axes.set_yscale("log")
        if not drawn:
            axes.text(0.5, 0.5, "nothing was measured", transform=axes.transAxes, ha="center")
        axes.set(title=title, xlabel="epoch" if axes in grid[1] else "")
        axes.grid(alpha=0.3)
        if title.startswith("update"):
            axes.axhline(1e-3, color="gray", linestyle="--", linewidth=1)
    for epoch, report in zip(epochs, reports, strict=True):
        if report.warnings:
            for axes in grid.flat:
                axes.axvline(epoch, color=_RED, linewidth=1, alpha=0.3)
    handles = {label: line for axes in grid.flat for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    shown = dict(list(handles.items())[:_MOST])
    labels = [label.replace("`", "") for label in shown]
    figure.legend(list(shown.values()), labels, loc="outside right upper", fontsize="small")
    return figure
