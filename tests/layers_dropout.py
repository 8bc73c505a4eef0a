"""Rows of dropout; its statistics are in test_dropout.py."""

from __future__ import annotations

from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError


def rows(name, shape, *refused):
    """Rows for a usual p, for 0, for 1, and in place."""
    whole = lambda: (autograd.ones(*shape, dtype=autograd.int64),)  # noqa: E731
    refuses = ((whole, DTypeError, "float"), *refused)
    return [
        Row(lambda lib: getattr(lib.nn, name)(), floats(shape), random=True, refuses=refuses),
        Row(lambda lib: getattr(lib.nn, name)(p=0.2), floats(shape), random=True),
        # Nothing is random at the ends, so the values while training are compared as well.
        Row(lambda lib: getattr(lib.nn, name)(0.0), floats(shape)),
        Row(lambda lib: getattr(lib.nn, name)(p=1), floats(shape)),
        Row(
            lambda lib: lib.nn.Sequential(lib.nn.Linear(shape[-1], 3), getattr(lib.nn, name)(0.3, inplace=True)),
            floats(shape), random=True,
        ),
    ]  # fmt: skip


def wrong(*shape):
    return lambda: (autograd.ones(*shape),), ShapeError, "input must"


LAYERS = {
    "Dropout": rows("Dropout", (4, 3)),
    "Dropout1d": rows("Dropout1d", (3, 4, 2), wrong(4)),
    "Dropout2d": rows("Dropout2d", (3, 4, 2, 2), wrong(4, 4)),
    "Dropout3d": rows("Dropout3d", (2, 3, 2, 2, 2), wrong(4, 4, 4)),
    "AlphaDropout": rows("AlphaDropout", (4, 3)),
    "FeatureAlphaDropout": rows("FeatureAlphaDropout", (3, 4, 2), wrong(4)),
}
