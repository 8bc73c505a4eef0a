"""What ``nn.health`` returns: a record for each layer, and how they are shown."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import Any

from ..display import as_image, html_table, text_table
from .statistics import Distribution

__all__ = ["Health", "LayerHealth"]


@dataclass
class LayerHealth:
    """What one layer did on the batch. What does not apply, or was not measured, is None.

    Attributes:
        path: its name, as in ``named_modules``; an activation that is called as a function in a module's forward has
            the module's name and its own, ``"block: relu()"``, the second one there ``"block: relu() 2"``.
        kind: its class.
        shape: of its output, a Tensor or the first Tensor of several.
        activation, gradient: the distribution of its output and of the loss's gradient with respect to it.
        dead: of a ReLU the fraction of units (channels) that are 0 on the whole batch.
        saturated: of tanh, sigmoid, softmax and the like the fraction of entries where the slope is all but 0.
        rank, units: the effective rank of its output (samples × units), and how many units there are.
        samples: how many samples each unit has: of images, the pixels count.
        weights: the norm of its own parameters together.
        weight_gradient: the norm of the gradient with respect to them.
        update: the norm of an optimizer's step, divided by ``weights``.
        weight_rank, weight_size: the effective rank of its largest weight as a matrix, and the most that it can be.
        constant: its weight's entries, or its rows, are all equal, so that its units are all alike.
    """

    path: str
    kind: str
    shape: tuple[int, ...] | None = None
    activation: Distribution | None = None
    gradient: Distribution | None = None
    dead: float | None = None
    saturated: float | None = None
    rank: float | None = None
    input_rank: float | None = None
    units: int | None = None
    samples: int | None = None
    weights: float | None = None
    weight_gradient: float | None = None
    update: float | None = None
    weight_rank: float | None = None
    weight_size: int | None = None
    constant: bool = False

    @property
    def name(self) -> str:
        """Its name and class in messages: ``"`2` (ReLU)"``."""
        if not self.path:
            return self.kind
        return f"`{self.path}`" if f"{self.kind}()" in self.path else f"`{self.path}` ({self.kind})"


@dataclass
class Health:
    """What ``nn.health`` returns: prints as a table and its warnings; in a notebook with the picture.

    In the table ``gradient`` is the norm of the gradient that reaches the output, ``of weights`` that of the gradient
    of the layer's own parameters, and ``step`` how far an optimizer's step moves these, as a part of their norm.

    Attributes:
        layers: a ``LayerHealth`` for each layer, in the order in which they ran.
        warnings: sentences, each what is wrong and what helps; empty where nothing is.
        loss: the loss on the batch, or None.
    """

    layers: list[LayerHealth] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    loss: float | None = None

    def _cells(self) -> list[list[str]]:
        lines = [["layer", "output", "mean", "std", "dead", "saturated", "rank", "gradient", "of weights", "step"]]
        for row in self.layers:
            active, gradient = row.activation, row.gradient
            lines.append([
                row.name.replace("`", ""),
                "not called" if row.shape is None else str(row.shape),
                "" if active is None else _number(active.mean, active.nonfinite),
                "" if active is None else _number(active.std, active.nonfinite),
                _percent(row.dead), _percent(row.saturated),
                "" if row.rank is None else f"{row.rank:.1f} of {row.units}",
                "" if gradient is None else _number(gradient.norm, gradient.nonfinite),
                "" if row.weight_gradient is None else _number(row.weight_gradient),
                "" if row.update is None else _number(row.update),
            ])  # fmt: skip
        # A column that nobody has anything in tells nothing.
        kept = [i for i in range(len(lines[0])) if i < 2 or any(line[i] for line in lines[1:])]
        return [[line[i] for i in kept] for line in lines]

    def _remarks(self) -> list[str]:
        loss = [] if self.loss is None else [f"loss on this batch: {self.loss:.4g}"]
        return loss + ([f"! {w}" for w in self.warnings] if self.warnings else ["no warnings"])

    def __repr__(self) -> str:
        head, *body = text_table(self._cells(), left=(0, 1))
        rule = "─" * max(map(len, (head, *body)))
        return "\n".join([head, rule, *body, rule, *self._remarks()])

    def _repr_html_(self) -> str:
        try:
            picture = as_image(self.plot(), "distributions of activations and gradients for each layer")
        except ImportError:
            picture = ""
        remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in self._remarks())
        return remarks + picture + html_table(self._cells(), left=(0, 1))

    def plot(self) -> Any:
        """Draws what each layer did with Matplotlib, and returns the figure.

        From the top: the distribution of its output; of the gradient that reaches it, by size; and which part of its
        units is dead or saturated.
        """
        from .pictures import plot_report

        return plot_report(self)


def _number(value: float, nonfinite: int = 0) -> str:
    if nonfinite or not math.isfinite(value):
        return "not finite"
    return f"{value:.3f}" if 1e-2 <= abs(value) < 1e3 else "0" if value == 0 else f"{value:.1e}"


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.0f} %"
