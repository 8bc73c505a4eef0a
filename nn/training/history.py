"""History: what was measured in each epoch."""

from __future__ import annotations

import csv
import html
import os
from collections.abc import Mapping
from typing import Any

from ..display import as_image, pyplot, text_table

__all__ = ["History"]


class History(dict[str, list[float]]):
    """What ``fit`` measured, one list per value with one entry per epoch: a dict that shows itself.

    ``"loss"``, the metrics by name, the same of the validation data under ``"valid_…"``, and the learning rate
    ``"lr"``. In a terminal it is a table, in a notebook a table and the curves.

    Attributes:
        stopped: why training ended, in words; None while it goes on.
        interrupted: whether Ctrl-C ended it.
        best_epoch: the epoch (from 1) whose weights the model has, where those of the best were put back; else None.
        skipped: how many batches were left out because their loss was not finite.
        seconds: how long each epoch took. Not compared by ``==``.

    >>> history = History()
    >>> history.append({"loss": 0.5, "valid_loss": 0.75}); history.append({"loss": 0.25, "valid_loss": 0.5})
    >>> history["loss"]
    [0.5, 0.25]
    >>> history
    epoch    loss  valid_loss
        1  0.5000      0.7500
        2  0.2500      0.5000
    """

    def __init__(self) -> None:
        super().__init__()
        self.stopped: str | None = None
        self.interrupted = False
        self.best_epoch: int | None = None
        self.skipped = 0
        self.seconds: list[float] = []

    @property
    def epochs(self) -> int:
        """How many epochs it tells of."""
        return max(map(len, self.values()), default=0)

    def append(self, row: Mapping[str, float], seconds: float = 0.0) -> None:
        """Adds the values of one more epoch."""
        before = self.epochs
        if before and row.keys() != self.keys():
            raise ValueError(
                f"History: an epoch has values {list(row)} and those before {list(self)}; they must be the same"
            )
        for name, value in row.items():
            self.setdefault(name, []).append(float(value))
        self.seconds.append(seconds)

    def state_dict(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"values": {name: list(values) for name, values in self.items()}, **vars(self)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` gave."""
        self.clear()
        self.update({name: list(values) for name, values in state_dict["values"].items()})
        for name in vars(self):
            setattr(self, name, state_dict[name])
        self.seconds = list(self.seconds)

    # Showing

    def _rows(self, limit: int) -> list[list[str]]:
        n = self.epochs
        shown = range(n) if n <= limit else [*range(limit // 4), *range(n - limit + limit // 4, n)]
        rows: list[list[str]] = []
        for before, i in zip([-1, *shown], shown, strict=False):
            if i != before + 1:
                rows.append(["…"] * (1 + len(self)))
            rows.append([str(i + 1), *(_text(values[i]) for values in self.values())])
        return rows

    def _remarks(self) -> list[str]:
        return [
            *([f"stopped: {self.stopped}"] if self.stopped else []),
            *([f"weights: of epoch {self.best_epoch}"] if self.best_epoch is not None else []),
            *([f"batches left out, loss not finite: {self.skipped}"] if self.skipped else []),
        ]

    def __repr__(self) -> str:
        return "\n".join(text_table([["epoch", *self], *self._rows(24)], left=()) + self._remarks())

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("epoch", *self))
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in self._rows(24))
        remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in self._remarks())
        try:
            picture = as_image(self.plot(), "curves over the epochs")
        except ImportError:
            picture = ""
        return f"{picture}<table><tr>{head}</tr>{rows}</table>{remarks}"

    def plot(self) -> Any:
        """Draws the curves with Matplotlib, one panel per value with its validation twin, and returns the figure."""
        panels = [name for name in self if not (name.startswith("valid_") and name.removeprefix("valid_") in self)]
        panels = [name for name in panels if name != "lr" or len(set(self["lr"])) > 1]
        figure, grid = pyplot().subplots(
            1, max(len(panels), 1), figsize=(max(4.5 * len(panels), 4.5), 3.5), squeeze=False, layout="constrained"
        )
        epochs = range(1, self.epochs + 1)
        for axes, name in zip(grid[0], panels, strict=False):
            for key, label in ((name, "training"), (f"valid_{name}", "validation")):
                if key in self:
                    axes.plot(epochs, self[key], label=label, marker="." if self.epochs < 50 else "")
            if f"valid_{name}" in self:
                if self.best_epoch is not None:
                    axes.axvline(self.best_epoch, color="gray", linewidth=1, linestyle="--", label="kept weights")
                axes.legend()
            axes.set(xlabel="epoch", ylabel=name)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
        return figure

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes one line per epoch, with all digits, after a line of names.

        >>> import pathlib, tempfile
        >>> history = History(); history.append({"loss": 0.5})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history.to_csv(folder + "/history.csv"); pathlib.Path(folder, "history.csv").read_text().split()
        ['epoch,loss', '1,0.5']
        """
        with open(path, "w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["epoch", *self])
            writer.writerows([i + 1, *(repr(values[i]) for values in self.values())] for i in range(self.epochs))


def _text(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3g}"
