"""What goes wrong in elementwise mathematics is said in a sentence, as in ``test_errors``."""

from __future__ import annotations

import pytest

import autograd
from autograd import DTypeError, tensor

ERRORS = {
    "add alpha": (lambda i, f: autograd.add(i, 1, alpha=0.5), DTypeError, ["add", "must be an int", "0.5"]),
    "div mode": (lambda i, f: autograd.div(i, 2, rounding_mode="up"), ValueError, ["div", "'floor'", "'up'"]),
    "lerp of integers": (lambda i, f: autograd.lerp(i, i, 0.5), DTypeError, ["lerp", "floating", "x.float()"]),
    "masked_fill mask": (lambda i, f: f.masked_fill(i, 0.0), DTypeError, ["masked_fill", "int64", "mask.bool()"]),
    "masked_fill value": (lambda i, f: f.masked_fill(f > 0, f), DTypeError, ["masked_fill", "0-d", "where"]),
    "polygamma order": (lambda i, f: autograd.polygamma(f, 1), TypeError, ["polygamma", "first", "x.polygamma(n)"]),
    "polygamma below 0": (lambda i, f: f.polygamma(-1), ValueError, ["polygamma", "at least 0", "-1"]),
    "where of two": (lambda i, f: autograd.where(f > 0, f), TypeError, ["where", "both", "neither"]),
    "equal to a number": (lambda i, f: autograd.equal(f, 1.0), DTypeError, ["equal", "float 1.0", "eq()"]),
    "shift of floats": (lambda i, f: f << 1, DTypeError, ["bitwise_left_shift", "float"]),
    "gcd of floats": (lambda i, f: autograd.gcd(f, f), DTypeError, ["gcd", "float"]),
    "shapes": (lambda i, f: autograd.atan2(f, tensor([1.0])[:0]), ValueError, ["atan2", "(2,)", "(0,)"]),
    "complex": (lambda i, f: autograd.hypot(f, 1j), DTypeError, ["hypot", "complex"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    wrong, kind, words = ERRORS[name]
    with pytest.raises(kind) as error:
        wrong(tensor([1, 2]), tensor([1.0, 2.0]))
    for word in words:
        assert word in str(error.value)
