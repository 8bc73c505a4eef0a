"""The table of optimizers: rows for each public Optimizer class, in the files optimizers_*.py.

A new class needs one row, in the file of its family.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import optim


class Row(NamedTuple):
    """What is known of one optimizer.

    ``step(p, g, s, **kwargs)`` is the formula in plain NumPy: the new p, from a dict ``s`` of state that is empty at
    first. ``variants`` are keyword arguments to try; ``refuses``: (keyword arguments, pattern of the ValueError).
    """

    step: Callable[..., Any]
    variants: list[dict[str, Any]]
    refuses: tuple[tuple[dict[str, Any], str], ...] = ()
    # An optimizer that PyTorch does not have.
    ours_alone: bool = False
    # Takes parameters of two dimensions only.
    matrices: bool = False
    # Against PyTorch, relative to the largest value: (float32, float64).
    atol: tuple[float, float] = (2e-5, 1e-12)
    # Whether a parameter's update depends on that entry's gradient alone, so that blocks make no difference.
    by_entry: bool = True


_families = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("optimizers_*.py"))


def load() -> dict[str, Row]:
    """Class name → its row."""
    table: dict[str, Row] = {}
    for family in _families:
        for name, row in importlib.import_module(family).OPTIMIZERS.items():
            assert name not in table, f"{name} has rows in two files"
            table[name] = row
    return table


ROWS = load()
VARIANTS = [(name, kwargs) for name, row in ROWS.items() for kwargs in row.variants]


def label(name: str, kwargs: dict[str, Any]) -> str:
    """The name of a test."""
    return "-".join([name, *(f"{k}={getattr(v, '__name__', v)}" for k, v in kwargs.items())])


IDS = [label(*variant) for variant in VARIANTS]


def pytorch_has(name: str, kwargs: dict[str, Any]) -> bool:
    """Whether PyTorch has this optimizer and these arguments of it; asked while tests are collected."""
    if importlib.util.find_spec("torch") is None:
        return True  # the tests that compare with it are left out as a whole
    import torch

    kind = getattr(torch.optim, name, None)
    return kind is not None and kwargs.keys() <= inspect.signature(kind).parameters.keys()


def make(name: str, params: Any, **kwargs: Any) -> Any:
    """Our optimizer of this name."""
    return getattr(optim, name)(params, **kwargs)
