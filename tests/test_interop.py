"""NumPy's own functions on Tensors: NumPy's values, and gradients."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import autograd
from autograd import DTypeError, Tensor, gradcheck, no_grad, tensor

RNG = np.random.default_rng(0)
X = RNG.uniform(0.3, 0.9, (2, 3))
Y = RNG.uniform(1.2, 1.9, (2, 3))
SQUARE = RNG.standard_normal((3, 3)) + 3 * np.eye(3)

# Written once, for arrays and for Tensors.
UFUNCS = [
    "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "square", "reciprocal", "sin", "cos",
    "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arctanh", "negative", "absolute",
    "fabs", "positive", "deg2rad", "rad2deg", "degrees", "radians", "sign", "floor", "ceil", "trunc", "rint",
]  # fmt: skip
BINARY_UFUNCS = [
    "add", "subtract", "multiply", "divide", "true_divide", "power", "float_power", "maximum", "minimum",
    "fmax", "fmin", "hypot", "arctan2", "logaddexp", "logaddexp2", "fmod", "remainder", "mod", "floor_divide",
    "copysign", "heaviside",
]  # fmt: skip
COMPARING = [
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
    "logical_xor",
]  # fmt: skip
FUNCTIONS = {
    "sum": lambda x: np.sum(x),
    "sum of an axis": lambda x: np.sum(x, 0),
    "sum, keepdims": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "mean": lambda x: np.mean(x, axis=1),
    "var": lambda x: np.var(x),
    "var, ddof": lambda x: np.var(x, axis=1, ddof=1),
    "std": lambda x: np.std(x, 0),
    "average": lambda x: np.average(x, axis=1),
    "average, weights": lambda x: np.average(x, axis=1, weights=np.array([1.0, 2.0, 3.0])),
    "prod": lambda x: np.prod(x, axis=1),
    "prod of all": lambda x: np.prod(x, keepdims=True),
    "prod of axes": lambda x: np.prod(x, axis=(0, 1)),
    "max": lambda x: np.max(x),
    "max of an axis": lambda x: np.max(x, axis=1),
    "amin": lambda x: np.amin(x, axis=0, keepdims=True),
    "ptp": lambda x: np.ptp(x, axis=1),
    "nansum": lambda x: np.nansum(x, axis=1),
    "nanmean": lambda x: np.nanmean(x),
    "median": lambda x: np.median(x, axis=1),
    "quantile": lambda x: np.quantile(x, 0.3, axis=0),
    "percentile": lambda x: np.percentile(x, [25, 60]),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum of an axis": lambda x: np.cumsum(x, axis=1),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "diff": lambda x: np.diff(x, n=2),
    "diff of an axis": lambda x: np.diff(x, axis=0),
    "sort": lambda x: np.sort(x, axis=0),
    "sort of all": lambda x: np.sort(x, axis=None),
    "where": lambda x: np.where(x > 0.5, x, -x),
    "where, arrays": lambda x: np.where(np.array([True, False, True]), x, 0.0),
    "clip": lambda x: np.clip(x, 0.4, 0.8),
    "clip, named": lambda x: np.clip(x, a_min=None, a_max=0.8),
    "nan_to_num": lambda x: np.nan_to_num(x),
    "sinc": lambda x: np.sinc(x),
    "round": lambda x: np.round(x * 10, 1),
    "copy": lambda x: np.copy(x),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "reshape, -1": lambda x: np.reshape(x, -1),
    "ravel": lambda x: np.ravel(x),
    "transpose": lambda x: np.transpose(x),
    "transpose, axes": lambda x: np.transpose(x[None], (2, 0, 1)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x[None], 0, -1),
    "squeeze": lambda x: np.squeeze(x[None], axis=0),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((4, 1, 1)))[0],
    "atleast_2d": lambda x: np.atleast_2d(x[0]),
    "flip": lambda x: np.flip(x),
    "fliplr": lambda x: np.fliplr(x),
    "roll": lambda x: np.roll(x, 2, axis=1),
    "roll of all": lambda x: np.roll(x, 1),
    "rot90": lambda x: np.rot90(x),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat, counts": lambda x: np.repeat(x, [1, 0, 2], axis=1),
    "concatenate": lambda x: np.concatenate([x, np.ones((1, 3))]),
    "concatenate, flat": lambda x: np.concatenate((x, x), axis=None),
    "stack": lambda x: np.stack([x, 2 * x], axis=1),
    "vstack": lambda x: np.vstack([x[0], x]),
    "hstack": lambda x: np.hstack([x[0], x[1]]),
    "hstack of matrices": lambda x: np.hstack([x, np.zeros((2, 1))]),
    "dstack": lambda x: np.dstack([x, x]),
    "column_stack": lambda x: np.column_stack([x[0], x[1]]),
    "append": lambda x: np.append(x, 1.0),
    "split": lambda x: np.split(x, 3, axis=1)[1],
    "split at": lambda x: np.split(x, [1, 2], axis=-1)[2],
    "array_split": lambda x: np.array_split(x, 2, axis=1)[0],
    "pad": lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=1.5),
    "pad, one width": lambda x: np.pad(x, 1),
    "diag": lambda x: np.diag(x[0]),
    "diagonal": lambda x: np.diagonal(x, 1),
    "trace": lambda x: np.trace(x),
    "tril": lambda x: np.tril(x),
    "triu": lambda x: np.triu(x, 1),
    "take": lambda x: np.take(x, [1, 1, 0], axis=1),
    "take of all": lambda x: np.take(x, [[0], [5]]),
    "take_along_axis": lambda x: np.take_along_axis(x, np.argsort(np.asarray(x), axis=1), axis=1),
    "meshgrid": lambda x: np.meshgrid(x[0], x[1])[0],
    "dot": lambda x: np.dot(x, x.T),
    "dot of vectors": lambda x: np.dot(x[0], np.array([1.0, 2.0, 3.0])),
    "dot, arrays left": lambda x: np.dot(np.ones((4, 2)), x),
    "vdot": lambda x: np.vdot(x, x),
    "inner": lambda x: np.inner(x, x),
    "outer": lambda x: np.outer(x, x[0]),
    "matmul": lambda x: np.matmul(x, x.T),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0], [0])),
    "tensordot, 1": lambda x: np.tensordot(x, x.T, 1),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "kron": lambda x: np.kron(x, np.eye(2)),
    "cross": lambda x: np.cross(x[0], x[1]),
    "norm": lambda x: np.linalg.norm(x),
    "norm of rows": lambda x: np.linalg.norm(x, axis=1),
    "norm, ord": lambda x: np.linalg.norm(x, 1, axis=1, keepdims=True),
    "norm of a matrix": lambda x: np.linalg.norm(x, "fro"),
    "add.reduce": lambda x: np.add.reduce(x),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1, keepdims=True),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=None),
    "add.accumulate": lambda x: np.add.accumulate(x, axis=1),
    "subtract.outer": lambda x: np.subtract.outer(x, np.array([1.0, 2.0])),
    "divmod": lambda x: np.divmod(x, 0.25)[1],
}
OF_SQUARE = {
    "inv": lambda a: np.linalg.inv(a),
    "det": lambda a: np.linalg.det(a),
    "slogdet": lambda a: np.linalg.slogdet(a)[1],
    "solve": lambda a: np.linalg.solve(a, np.ones((3, 2))),
    "cholesky": lambda a: np.linalg.cholesky(a @ a.T),
    "pinv": lambda a: np.linalg.pinv(a),
    "eigh": lambda a: np.linalg.eigh(a + a.T)[0],
    "svd": lambda a: np.linalg.svd(a)[1],
    "qr": lambda a: np.linalg.qr(a)[1],
    "matrix_power": lambda a: np.linalg.matrix_power(a, 3),
    "multi_dot": lambda a: np.linalg.multi_dot([a, a, np.ones(3)]),
}
INTEGERS = {
    "argmax": lambda x: np.argmax(x),
    "argmin": lambda x: np.argmin(x, axis=1),
    "argsort": lambda x: np.argsort(x, axis=0),
    "all": lambda x: np.all(x > 0),
    "any": lambda x: np.any(x > 0.5, axis=1),
    "isclose": lambda x: np.isclose(x, x + 1e-9),
    "isnan": lambda x: np.isnan(x),
    "zeros_like": lambda x: np.zeros_like(x),
    "ones_like": lambda x: np.ones_like(x, dtype=np.float32),
    "full_like": lambda x: np.full_like(x, 2.5),
    "logical_or.reduce": lambda x: np.logical_or.reduce(x > 0.5),
}
PLAIN = {
    "shape": lambda x: np.shape(x),
    "ndim": lambda x: np.ndim(x),
    "size": lambda x: np.size(x),
    "array_equal": lambda x: np.array_equal(x, x),
    "allclose": lambda x: np.allclose(x, x * 1),
    "nonzero": lambda x: np.nonzero(x > 0.5)[1].tolist(),
    "where of one": lambda x: np.where(x > 0.5)[1].tolist(),
    "histogram": lambda x: np.histogram(x, 3)[0].tolist(),
    "array2string": lambda x: np.array2string(x, precision=2),
}


def compare(function, *arrays):
    tensors = [tensor(a, requires_grad=True) for a in arrays]
    got, expected = function(*tensors), function(*arrays)
    assert isinstance(got, Tensor)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    return got, tensors


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc(name):
    got, tensors = compare(getattr(np, name), X)
    if got.requires_grad:
        assert gradcheck(getattr(np, name), tensors)


@pytest.mark.parametrize("name", BINARY_UFUNCS)
def test_a_ufunc_of_two(name):
    ufunc = getattr(np, name)
    got, tensors = compare(ufunc, X, Y)
    if got.requires_grad:
        assert gradcheck(ufunc, tensors)
    for mixed in (lambda x: ufunc(x, Y), lambda x: ufunc(Y, x)):
        compare(mixed, X)


@pytest.mark.parametrize("name", COMPARING)
def test_a_ufunc_that_compares(name):
    got, _ = compare(getattr(np, name), X, Y)
    assert got.dtype == bool and not got.requires_grad


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function(name):
    got, tensors = compare(FUNCTIONS[name], X)
    assert got.requires_grad
    assert gradcheck(FUNCTIONS[name], tensors)


@pytest.mark.parametrize("name", OF_SQUARE)
def test_a_function_of_a_matrix(name):
    compare(OF_SQUARE[name], SQUARE)
    assert gradcheck(OF_SQUARE[name], [tensor(SQUARE, requires_grad=True)])


@pytest.mark.parametrize("name", INTEGERS)
def test_a_function_without_gradient(name):
    got, _ = compare(INTEGERS[name], X)
    assert not got.requires_grad


@pytest.mark.parametrize("name", PLAIN)
def test_a_function_that_only_looks(name):
    assert PLAIN[name](tensor(X, requires_grad=True)) == PLAIN[name](X)


OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lt", "ge", "eq", "ne"]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_with_an_ndarray_on_the_left(name):
    operate = getattr(operator, name)
    left = X.T if name == "matmul" else X
    compare(lambda y: operate(left, y), Y)
    if name not in ("lt", "ge", "eq", "ne", "floordiv", "mod"):
        assert gradcheck(lambda y: operate(left, y), [tensor(Y, requires_grad=True)])
    if name != "matmul":
        compare(lambda y: operate(np.float64(0.5), y), Y)


def test_float32_stays_float32():
    t = tensor([0.5, 0.7])
    for result in (np.exp(t), np.sum(t), np.mean(t), np.add(t, 2.0), np.float64(2) * t, np.where(t > 0, t, 0.0)):
        assert result.dtype == np.float32


def test_asarray_gives_the_data():
    t = tensor([1.0, 2.0], requires_grad=True)
    assert type(np.asarray(t)) is np.ndarray and np.shares_memory(np.asarray(t), t.detach().numpy())
    assert np.array(t, dtype=np.float64).dtype == np.float64


def test_what_has_no_gradient_here_is_computed_on_what_needs_none():
    t = tensor(X)
    np.testing.assert_array_equal(np.interp(0.5, [0.0, 1.0], t[0, :2]), np.interp(0.5, [0.0, 1.0], X[0, :2]))
    np.testing.assert_array_equal(np.spacing(t), np.spacing(X))
    with no_grad():
        assert type(np.spacing(tensor(X, requires_grad=True))) is np.ndarray


def in_place():
    array = np.ones((2, 3))
    array += T


T = tensor(X, requires_grad=True)
WRONG = {
    "a ufunc without gradient": (lambda: np.spacing(T), ["np.spacing", "no gradient", "detach()"]),
    "a function without gradient": (lambda: np.interp(T, [0, 1], [0, 1]), ["np.interp", "no gradient", "detach()"]),
    "a function of linalg": (lambda: np.linalg.eig(T[:, :2]), ["np.linalg.eig", "no gradient"]),
    "out": (lambda: np.exp(T, out=np.empty((2, 3))), ["np.exp", "out=", "array + tensor"]),
    "in place": (in_place, ["np.add", "array += tensor"]),
    "out of a function": (lambda: np.sum(T, out=np.empty(())), ["np.sum", "out="]),
    "where": (lambda: np.sum(T, where=X > 0.5), ["np.sum", "where="]),
    "where of a ufunc": (lambda: np.exp(T, where=X > 0.5), ["np.exp"]),
    "a wrong keyword": (lambda: np.sum(T, dim=0), ["sum", "dim"]),
    "at": (lambda: np.add.at(T, 0, 1.0), ["np.add.at"]),
    "order": (lambda: np.reshape(T, 6, order="F"), ["np.reshape", "'C'"]),
    "pad": (lambda: np.pad(T, 1, mode="edge"), ["np.pad", "constant", "edge"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_says_what_is_not_supported(case):
    call, fragments = WRONG[case]
    with pytest.raises(TypeError) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)
    if case not in ("a wrong keyword", "in place"):
        assert isinstance(error.value, DTypeError)


def test_a_function_of_the_namespace_differentiates_a_numpy_program():
    def rosenbrock(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    at = np.array([0.5, 1.5, -0.3])
    g = autograd.grad(rosenbrock)(at)
    (theirs,) = autograd.grad(rosenbrock(t := tensor(at, requires_grad=True)), t)
    np.testing.assert_allclose(g.numpy(), theirs.numpy())
    assert gradcheck(rosenbrock, [t])
