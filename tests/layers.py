"""The table of layers and losses: rows for each public Module class, in the files layers_*.py.

A new class needs one row, in the file of its family.
"""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn


class Library(NamedTuple):
    """What a row builds its module from: ours, or PyTorch."""

    nn: Any
    tensor: Any


OURS = Library(nn, autograd.tensor)


class Row(NamedTuple):
    """One module, and what is known of it.

    ``make(lib)`` builds it from ``lib.nn``, here or in PyTorch; ``inputs(rng)`` gives NumPy arrays, and None where the
    layer takes None; ``formula(module, *arrays)`` is its value in NumPy, where it is not a plain call of functions
    that have rows of their own. ``refuses``: (inputs, exception, pattern of its message) for bad inputs.
    """

    make: Callable[[Library], Any]
    inputs: Callable[[np.random.Generator], list[Any]]
    formula: Callable[..., Any] | None = None
    refuses: tuple[tuple[Callable[[], tuple[Any, ...]], type[Exception], str], ...] = ()
    # Draws at random while training: gradients are checked with the stream set back, values compared in eval mode.
    random: bool = False
    # A lecture's class or one of our own, which PyTorch does not have.
    ours_alone: bool = False
    rtol: float = 1e-12
    # Arguments of the constructor in which it differs from PyTorch's on purpose.
    arguments_differ: bool = False


def floats(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
    """Standard normal arrays of these shapes."""
    return lambda rng: [rng.standard_normal(shape) for shape in shapes]


_families = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("layers_*.py"))


def load() -> dict[str, list[Row]]:
    """Class name → its rows."""
    table: dict[str, list[Row]] = {}
    for family in _families:
        for name, rows in importlib.import_module(family).LAYERS.items():
            assert name not in table, f"{name} has rows in two files"
            table[name] = rows
    return table
