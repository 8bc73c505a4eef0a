"""What scans, orders and statistics refuse, in sentences that name the op, what it got, and the fix."""

from __future__ import annotations

import pytest

import autograd as ag
from autograd import DTypeError, ShapeError, tensor


def f(*shape):
    return ag.zeros(*shape)


ERRORS = {
    # dims
    "cumsum without dim": (lambda: f(2).cumsum(), TypeError, ["cumsum", "one dim"]),
    "cumsum along two": (lambda: f(2, 3).cumsum((0, 1)), TypeError, ["cumsum", "one dim", "(0, 1)"]),
    "cumprod out of range": (lambda: f(2, 3).cumprod(2), IndexError, ["cumprod", "dim 2", "(2, 3)", "-2 to 1"]),
    "cummax dim and axis": (lambda: f(2).cummax(0, axis=0), TypeError, ["cummax", "dim", "axis"]),
    "sort out of range": (lambda: f(2).sort(1), IndexError, ["sort", "dim 1"]),
    "renorm of a vector": (lambda: f(2).renorm(2, 0, 1.0), ShapeError, ["renorm", "2 dimensions", "(2,)"]),
    "renorm below 0": (lambda: f(2, 2).renorm(2, 0, -1.0), ValueError, ["renorm", "maxnorm", "-1.0"]),
    "diff of a 0-d tensor": (lambda: f().diff(), ShapeError, ["diff", "0-d"]),
    "diff n": (lambda: f(3).diff(-1), ValueError, ["diff", "n", "-1"]),
    "trapezoid of a 0-d tensor": (lambda: ag.trapezoid(f()), IndexError, ["trapezoid", "0-d"]),
    "trapezoid points": (lambda: ag.trapezoid(f(3), f(2)), ShapeError, ["trapezoid", "2 points", "3", "dim 0"]),
    "trapezoid x and dx": (lambda: ag.trapezoid(f(3), f(3), dx=1.0), TypeError, ["trapezoid", "x and dx"]),
    "trapezoid x a number": (lambda: ag.trapezoid(f(3), 0.5), TypeError, ["trapezoid", "float", "dx="]),
    # choosing
    "topk too many": (lambda: f(2, 3).topk(4), ValueError, ["topk", "k", "0 and 3", "4"]),
    "topk k": (lambda: f(3).topk(1.5), DTypeError, ["topk", "k must be an int", "1.5"]),
    "kthvalue 0": (lambda: f(3).kthvalue(0), ValueError, ["kthvalue", "1 and 3", "0"]),
    "median of nothing": (lambda: f(0, 2).median(0), ShapeError, ["median", "dim 0", "(0, 2)"]),
    "median of all of nothing": (lambda: f(0).median(), ShapeError, ["median", "(0,)"]),
    "mode of nothing": (lambda: f(2, 0).mode(), ShapeError, ["mode", "dim 1", "(2, 0)"]),
    "norm nuc": (lambda: f(2, 2).norm("nuc"), ValueError, ["norm", "nuclear", "linalg.matrix_norm"]),
    # quantiles
    "quantile of integers": (lambda: tensor([1, 2]).quantile(0.5), DTypeError, ["quantile", "int64", "float()"]),
    "quantile of nothing": (lambda: f(0).quantile(0.5), ShapeError, ["quantile", "(0,)"]),
    "quantile q": (lambda: f(2).quantile(1.5), ValueError, ["quantile", "within 0 and 1", "1.5"]),
    "quantile q's dtype": (
        lambda: f(2).quantile(tensor([0.5], dtype="float64")), DTypeError, ["quantile", "float64", "q.to(float32)"],
    ),
    "quantile q's shape": (lambda: f(2).quantile(f(1, 1)), ShapeError, ["quantile", "1-d", "(1, 1)"]),
    "quantile method": (
        lambda: f(2).quantile(0.5, interpolation="cubic"), ValueError, ["quantile", "midpoint", "'cubic'"],
    ),
    "logcumsumexp of integers": (lambda: tensor([1]).logcumsumexp(0), DTypeError, ["logcumsumexp", "int64"]),
    "nanmean of integers": (lambda: tensor([1]).nanmean(), DTypeError, ["nanmean", "int64"]),
    "cov of 3 dimensions": (lambda: f(2, 2, 2).cov(), ShapeError, ["cov", "(2, 2, 2)"]),
    "cov weights": (lambda: f(2, 3).cov(aweights=f(2)), ShapeError, ["cov", "aweights", "3 observations", "(2,)"]),
    "cov fweights": (lambda: f(2, 3).cov(fweights=f(3)), DTypeError, ["cov", "fweights", "integers", "float32"]),
    "corrcoef of 3 dimensions": (lambda: f(2, 2, 2).corrcoef(), ShapeError, ["corrcoef", "(2, 2, 2)"]),
    # counting and searching
    "histc of integers": (lambda: tensor([1]).histc(), DTypeError, ["histc", "int64"]),
    "histc bins": (lambda: f(2).histc(0), ValueError, ["histc", "bins", "0"]),
    "histc range": (lambda: tensor([1.0, float("nan")]).histc(3), ValueError, ["histc", "nan", "min and max"]),
    "histc backwards": (lambda: f(2).histc(3, 1, 0), ValueError, ["histc", "ends at 0", "start 1"]),
    "histogram edges": (lambda: f(2).histogram(f(1)), ShapeError, ["histogram", "edges", "(1,)"]),
    "histogram edges and range": (lambda: f(2).histogram(f(3), range=(0, 1)), TypeError, ["histogram", "range"]),
    "histogram weight": (lambda: f(2).histogram(2, weight=f(3)), ShapeError, ["histogram", "weight", "(3,)"]),
    "bincount of negatives": (lambda: tensor([-1]).bincount(), ShapeError, ["bincount", "at least 0"]),
    "bincount of floats": (lambda: f(2).bincount(), ShapeError, ["bincount", "integers", "float32"]),
    "bincount weights": (lambda: tensor([1]).bincount(f(2)), ShapeError, ["bincount", "weights", "(2,)"]),
    "bincount minlength": (lambda: tensor([1]).bincount(minlength=-1), ValueError, ["bincount", "minlength", "-1"]),
    "unique of an array": (lambda: ag.unique([1, 2]), DTypeError, ["unique", "Tensor", "list"]),
    "searchsorted side": (lambda: ag.searchsorted(f(2), 1.0, side="up"), ValueError, ["searchsorted", "'up'"]),
    "searchsorted opposites": (
        lambda: ag.searchsorted(f(2), 1.0, right=True, side="left"), ValueError, ["searchsorted", "opposites"],
    ),
    "searchsorted 0-d": (lambda: ag.searchsorted(f(), 1.0), ShapeError, ["searchsorted", "0-d"]),
    "searchsorted rows": (lambda: ag.searchsorted(f(2, 3), f(3, 1)), ShapeError, ["searchsorted", "(2, 3)", "(3, 1)"]),
    "searchsorted sorter": (lambda: ag.searchsorted(f(2), 1.0, sorter=f(2)), ShapeError, ["sorter", "integers"]),
    "bucketize boundaries": (lambda: ag.bucketize(1.0, f(2, 2)), ShapeError, ["bucketize", "1-d", "(2, 2)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_is_wrong(name):
    call, kind, words = ERRORS[name]
    with pytest.raises(kind) as error:
        call()
    for word in words:
        assert word in str(error.value)
