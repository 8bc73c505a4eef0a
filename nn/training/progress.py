"""How far training is: a bar where someone looks on, else a line per epoch."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

from .history import _text


class Silent:
    """Shows nothing."""

    def batch(self, loss: float) -> None:
        """A batch is done, with the mean loss of the epoch so far."""

    def epoch(self, epoch: int, values: Mapping[str, float], seconds: float) -> None:
        """An epoch is done."""

    def note(self, text: str) -> None:
        """Something to be said."""

    def close(self) -> None:
        """Training has ended."""


class Lines(Silent):
    """A line of text per epoch, for logs and files; on the standard error stream, as bars are."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def epoch(self, epoch: int, values: Mapping[str, float], seconds: float) -> None:
        parts = [f"{name} {_text(value)}" for name, value in values.items()]
        place = f"epoch {epoch:{len(str(self.epochs))}d}/{self.epochs}"
        self.note("  ".join([place, *parts, f"{seconds:.1f} s"]))

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class Bar(Silent):
    """One bar of tqdm's for all batches, with the last epoch's values."""

    def __init__(self, tqdm: Any, epochs: int, batches: int | None, completed: int, batch: int) -> None:
        with warnings.catch_warnings():
            # Without ipywidgets a notebook gets the bar as text, which needs no remark.
            warnings.simplefilter("ignore")
            self.bar = tqdm(
                desc=f"epoch {min(completed + 1, epochs)}/{epochs}",
                total=None if batches is None else epochs * batches,
                initial=completed * (batches or 0) + batch,
                unit="batch",
            )
        self.epochs = epochs
        self._values: dict[str, str] = {}
        self._shown = 0.0

    def batch(self, loss: float) -> None:
        now = time.monotonic()
        if now - self._shown > 0.2:
            self._shown = now
            self.bar.set_postfix({**self._values, "loss": _text(loss)}, refresh=False)
        self.bar.update()

    def epoch(self, epoch: int, values: Mapping[str, float], seconds: float) -> None:
        self._values = {name: _text(value) for name, value in values.items() if name != "lr"}
        self.bar.set_description(f"epoch {min(epoch + 1, self.epochs)}/{self.epochs}", refresh=False)
        self.bar.set_postfix(self._values)

    def note(self, text: str) -> None:
        self.bar.write(text, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()


def reporter(show: bool, epochs: int, batches: int | None, completed: int, batch: int) -> Silent:
    """What shows progress here."""
    if not show or sys.stderr is None:
        return Silent()
    if "ipykernel" in sys.modules or sys.stderr.isatty():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
        except ImportError:
            lines = Lines(epochs)
            lines.note("For a progress bar: pip install tqdm")
            return lines
        return Bar(tqdm, epochs, batches, completed, batch)
    return Lines(epochs)
