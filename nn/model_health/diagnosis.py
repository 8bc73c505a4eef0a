"""What is wrong with a model, in sentences: each with what was seen, where, and what helps."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from .report import LayerHealth

__all__ = ["diagnose"]

# From where on something is worth a warning. Each is well beyond what a network that learns shows at its start.
_DEAD = 0.3  # of the units
_SATURATED = 0.4  # of the entries
_SHRUNK, _GROWN = 1e-3, 1e3  # the first layer's gradient against the last one's
_FAR = 1e6  # an output's size, where the exponential function and squares leave single precision
_RANK = 0.1  # of the rank that there could be
_STEP_LEAST, _STEP_MOST = 1e-6, 0.1  # an update against its weights; the usual is about 1e-3
_SAMPLES = 16  # with fewer a unit may be 0 by chance
_SHOWN = 4  # layers in a sentence


def diagnose(layers: Sequence[LayerHealth]) -> list[str]:
    """The warnings.

    One cause gives one warning: where a layer is dead or saturated, or weights are all alike, the small gradients in
    front of it and the idle updates are a matter of course, and so are the units that fall silent behind a layer that
    lets one direction through.
    """
    found = _nonfinite(layers) or _alike(layers)
    if found:
        return found
    narrow = [i for i, row in enumerate(layers) if _is_narrow(row)]
    silent = _silent(layers[: narrow[0]] if narrow else layers)
    found = [*silent, *_narrow([layers[i] for i in narrow])]
    if not silent:
        found += _flow(layers)
    return found or _lost(layers) or _steps(layers)


def _nonfinite(layers: Sequence[LayerHealth]) -> list[str]:
    where = "autograd.detect_anomaly() names the operation; look for log or division at 0, and a rate that is too high"
    for row in layers:
        if row.activation is not None and row.activation.nonfinite:
            return [f"{row.name} is the first layer whose output is not finite ({row.activation.nonfinite} of "
                    f"{math.prod(row.shape or ())} entries): {where}"]  # fmt: skip
    for row in reversed(layers):
        bad = row.gradient is not None and row.gradient.nonfinite
        if bad or (row.weight_gradient is not None and not math.isfinite(row.weight_gradient)):
            return [f"the gradient that reaches {row.name} is not finite, while the outputs are: {where}"]
    return []


def _alike(layers: Sequence[LayerHealth]) -> list[str]:
    weighted = [row for row in layers if row.weight_size is not None]
    same = [row for row in weighted if row.constant]
    # A last layer that starts at 0 is a habit of its own: it gets gradients, and passes them on after one step.
    if not same or (len(same) == 1 and same[0] is weighted[-1] and len(weighted) > 1):
        return []
    zero = all(row.weights == 0 or row.weight_rank == 0 for row in same)
    what = "all 0, a saddle point where nothing flows back" if zero else "the same for every unit"
    return [
        f"the weights of {_names(same)} are {what}: the units stay alike and learn as one; draw them at random "
        "(nn.init.kaiming_normal_ for ReLU, nn.init.xavier_uniform_ for tanh and sigmoid), biases may stay 0"
    ]


def _silent(layers: Sequence[LayerHealth]) -> list[str]:
    """Dead and saturated units, from the front; behind a layer that is all dead the others only follow it."""
    dead, saturated = [], []
    last = next((row for row in reversed(layers) if row.activation is not None), None)
    for row in layers:
        # What a model says at its end may be certain.
        confident = row is last and row.kind.lower() in ("sigmoid", "softmax")
        if row.saturated is not None and row.saturated >= _SATURATED and not confident:
            saturated.append((row.saturated, row))
        if row.dead is not None and row.dead >= _DEAD and (row.samples or 0) >= _SAMPLES:
            dead.append((row.dead, row))
            if row.dead > 0.99:
                break
    found = []
    if dead:
        found.append(
            f"{_shares(dead, 'of units')} are 0 on this batch, and get no gradient: lower the rate, He initialisation "
            "(nn.init.kaiming_normal_) with biases of 0 or 0.01, or leaky ReLU"
        )
    if saturated:
        found.append(
            f"{_shares(saturated, 'of the outputs')} are saturated, where the slope is all but 0: smaller weights "
            "(nn.init.xavier_uniform_), standardised inputs, a normalisation layer in front, a lower rate, or ReLU"
        )
    return found


def _shares(found: Sequence[tuple[float, LayerHealth]], of: str) -> str:
    """``"72 % of units in `1` (ReLU), 80 % in `3` (ReLU)"``."""
    shown = [f"{100 * share:.0f} %{f' {of}' * (i == 0)} in {row.name}" for i, (share, row) in enumerate(found[:_SHOWN])]
    return ", ".join(shown) + _and_more(found)


def _names(rows: Sequence[LayerHealth]) -> str:
    return ", ".join(row.name for row in rows[:_SHOWN]) + _and_more(rows)


def _and_more(found: Sequence[object]) -> str:
    return f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""


def _flow(layers: Sequence[LayerHealth]) -> list[str]:
    through = [row for row in layers if row.weight_size is not None and row.gradient is not None]
    found = []
    # Nothing flows back through a last layer of zeros, until its first step.
    if len(through) > 1 and not through[-1].constant:
        first, last = through[0], through[-1]
        assert first.gradient is not None and last.gradient is not None
        before, behind = first.gradient.norm, last.gradient.norm
        ratio = before / behind if behind else math.nan
        size = "0, and not" if before == 0 else f"{ratio:.1g} times"
        of = f"of {first.name} is {size} that of {last.name}, {len(through) - 1} layers with weights further"
        if ratio < _SHRUNK:
            found.append(
                f"the gradient vanishes on the way back: that {of}: ReLU in place of sigmoid or tanh, He or Xavier "
                "initialisation, normalisation layers, or residual connections"
            )
        elif ratio > _GROWN:
            found.append(
                f"the gradient explodes on the way back: that {of}: smaller initial weights (He, Xavier or "
                "nn.init.orthogonal_), normalisation layers, and nn.utils.clip_grad_norm_"
            )
    if not found:
        for row in layers:
            if row.activation is not None and max(map(abs, row.activation.quantiles)) > _FAR:
                largest = max(map(abs, row.activation.quantiles))
                return [
                    f"the outputs explode: those of {row.name} reach {largest:.1g}: standardise the inputs, smaller "
                    "initial weights (He or Xavier), or normalisation layers"
                ]
    return found


def _is_narrow(row: LayerHealth) -> bool:
    size, rank = row.weight_size, row.weight_rank
    return size is not None and rank is not None and not row.constant and size > 2 and rank < 1 + _RANK * (size - 1)


def _narrow(rows: Sequence[LayerHealth]) -> list[str]:
    if not rows:
        return []
    ranks = [f"{row.weight_rank:.1f} of {row.weight_size} in {row.name}" for row in rows[:_SHOWN]]
    return [
        f"the weights have an effective rank of only {', '.join(ranks)}{_and_more(rows)}: the units compute almost the "
        "same; draw them anew (nn.init.orthogonal_ has full rank), a lower rate, or less weight decay"
    ]


def _lost(layers: Sequence[LayerHealth]) -> list[str]:
    return [
        f"the outputs of {row.name} have an effective rank of {row.rank or 0:.1f}, those that go in "
        f"{row.input_rank:.1f}: what tells the samples apart is lost there; a normalisation layer, or another "
        "initialisation"
        for row in layers
        if (row.units or 0) > 3 and (row.rank or 0) < 1.05 < 3 < (row.input_rank or 0) and not row.constant
    ]


def _steps(layers: Sequence[LayerHealth]) -> list[str]:
    # No rate moves a layer that gets no gradient.
    moved = [row for row in layers if row.weight_size is not None and row.weight_gradient != 0]
    updates = [row.update for row in moved if row.update is not None]
    if not updates:
        return []
    middle = statistics.median(updates)
    if not math.isfinite(middle) or middle > _STEP_MOST:
        return [
            f"a step changes the weights by {middle:.1g} of their size (the median over {len(updates)} layers; about "
            "1e-3 is usual): lower the learning rate, or warm it up"
        ]
    if middle < _STEP_LEAST:
        return [
            f"a step changes the weights by only {middle:.1g} of their size (the median over {len(updates)} layers; "
            "about 1e-3 is usual): raise the learning rate"
        ]
    return []
