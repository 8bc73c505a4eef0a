"""What the examples share: their arguments, the digits, and a figure that is saved and closed."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

import autograd
import nn


def arguments(description: str | None, epochs: int, **more: Any) -> argparse.Namespace:
    """The command line of an example: --epochs, --seed and --out; ``more`` are further numbers with their defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=epochs, help=f"how long to train (default {epochs})")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default 0)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default out)")
    for name, value in more.items():
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"(default {value})")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    autograd.manual_seed(chosen.seed)
    return chosen


def digits(seed: int, held_out: float = 0.2) -> tuple[nn.data.Subset, nn.data.Subset]:
    """scikit-learn's 1,797 digits as (64 pixels in [0, 1], class), split at random into training and held-out part."""
    bunch = load_digits()
    images = autograd.tensor(bunch.data / 16, dtype=autograd.float32)  # (1797, 64)
    dataset = nn.data.TensorDataset(images, autograd.tensor(bunch.target))
    train, test = nn.data.random_split(
        dataset, [1 - held_out, held_out], generator=autograd.Generator().manual_seed(seed)
    )
    return train, test


@contextlib.contextmanager
def figure(path: Path, rows: int = 1, columns: int = 1, **options: Any) -> Iterator[Any]:
    """Axes to draw on, saved to ``path`` in the end: ``with figure(path) as axes``."""
    drawn, axes = plt.subplots(rows, columns, layout="constrained", **options)
    yield axes
    drawn.savefig(path, dpi=120)
    plt.close(drawn)
    print(f"wrote {path}")
