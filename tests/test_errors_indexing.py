"""What goes wrong in making, arranging, indexing and drawing Tensors is said in a sentence."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import DTypeError, GraphError, ShapeError, tensor

X = ag.zeros(2, 3)
ROW = tensor([[0, 1, 2]])
TOO_LARGE = tensor([[0, 3]])

ERRORS = {
    # arranging
    "view as a dtype": (lambda: X.view(ag.int32), DTypeError, ["view", "int32", "to(dtype)"]),
    "unflatten": (lambda: ag.unflatten(X, 1, (2, 2)), ShapeError, ["unflatten", "(2, 2)", "3", "dim 1"]),
    "t of three dimensions": (lambda: ag.t(ag.zeros(1, 2, 3)), ShapeError, ["t:", "at most 2", "(1, 2, 3)"]),
    "adjoint of a vector": (lambda: ag.adjoint(ag.zeros(2)), ShapeError, ["adjoint", "at least 2"]),
    "repeat": (lambda: X.repeat(2), ShapeError, ["repeat", "1 numbers", "2 dimensions", "tile"]),
    "repeat a negative number of times": (lambda: X.repeat(-1, 1), ValueError, ["repeat", "negative"]),
    "repeat_interleave": (
        lambda: ag.repeat_interleave(X, tensor([1, 2]), 1),
        ShapeError,
        ["repeat_interleave", "(2,)", "size 3"],
    ),
    "repeats that are not integers": (lambda: ag.repeat_interleave(X, 1.5), DTypeError, ["integers", "float 1.5"]),
    "output_size": (lambda: ag.repeat_interleave(X, 2, 0, output_size=5), ShapeError, ["output_size is 5", "4"]),
    "broadcast_shapes": (lambda: ag.broadcast_shapes((2, 3), (4,)), ShapeError, ["broadcast_shapes", "3 against 4"]),
    "broadcast_tensors": (lambda: ag.broadcast_tensors(X, ag.zeros(2)), ShapeError, ["(2, 3)", "(2,)", "broadcast"]),
    "atleast_1d of a number": (lambda: ag.atleast_1d(X, 1.0), DTypeError, ["atleast_1d", "argument 1", "float"]),
    "flip twice": (lambda: ag.flip(X, 0, -2), ValueError, ["flip", "twice"]),
    "fliplr": (lambda: ag.fliplr(ag.zeros(2)), ShapeError, ["fliplr", "at least 2", "flip(x, 0)"]),
    "roll": (lambda: ag.roll(X, (1, 2), 0), ShapeError, ["roll", "2 shifts", "1 dims"]),
    "rot90": (lambda: ag.rot90(X, 1, (0, 0)), ValueError, ["rot90", "two different"]),
    "block_diag": (lambda: ag.block_diag(ag.zeros(1, 1, 1)), ShapeError, ["block_diag", "at most 2"]),
    "hsplit": (lambda: ag.hsplit(X, 2), ShapeError, ["hsplit", "3", "multiple of 2", "tensor_split"]),
    "tensor_split": (lambda: ag.tensor_split(X, 0), ValueError, ["tensor_split", "at least 1"]),
    "diagonal": (lambda: ag.diagonal(X, 0, 1, -1), ValueError, ["diagonal", "differ"]),
    "diag": (lambda: ag.diag(ag.zeros(1, 1, 1)), ShapeError, ["diag", "1 or 2", "diagonal"]),
    "tril": (lambda: ag.tril(ag.zeros(2)), ShapeError, ["tril", "at least 2", "(2,)"]),
    "pad: odd": (lambda: ag.pad(X, (1,)), ShapeError, ["pad", "(before, after)", "(1,)"]),
    "pad: too many": (lambda: ag.pad(X, (1,) * 6), ShapeError, ["pad", "at most 4"]),
    "pad: cut": (lambda: ag.pad(X, (-2, -2)), ShapeError, ["pad", "(-2, -2)", "size 3"]),
    "pad: reflect": (lambda: ag.pad(X, (3, 0), "reflect"), ShapeError, ["'reflect'", "at most 2", "size 3"]),
    "pad: mode": (lambda: ag.pad(X, (1, 1), "wrap"), ValueError, ["'wrap'", "'circular'"]),
    "pad: value": (lambda: ag.pad(X, (1, 1), "reflect", 1.0), ValueError, ["'reflect'", "no value"]),
    "meshgrid": (lambda: ag.meshgrid(X), ShapeError, ["meshgrid", "vectors", "(2, 3)"]),
    "meshgrid indexing": (lambda: ag.meshgrid(ag.zeros(2), indexing="yx"), ValueError, ["'ij'", "'xy'", "'yx'"]),
    "squeeze_": (lambda: X.squeeze_(), GraphError, ["squeeze_", "x = x.squeeze"]),
    # indexing
    "gather: dimensions": (lambda: ag.gather(X, 1, tensor([0])), ShapeError, ["gather", "(1,)", "(2, 3)"]),
    "gather: size": (
        lambda: ag.gather(X, 1, tensor([[0]] * 3)),
        ShapeError,
        ["gather", "(3, 1)", "except along dim 1"],
    ),
    "gather: range": (lambda: ag.gather(X, 1, TOO_LARGE), IndexError, ["index 3", "dim 1 of size 3", "0 to 2"]),
    "gather: negative": (lambda: ag.gather(X, 1, tensor([[-1]])), IndexError, ["index -1", "0 to 2"]),
    "gather: dtype": (lambda: ag.gather(X, 1, ag.zeros(1, 1)), DTypeError, ["gather", "float32", "index.long()"]),
    "gather: list": (lambda: ag.gather(X, 1, [[0]]), DTypeError, ["gather", "list"]),
    "gather: sparse": (lambda: ag.gather(X, 1, ROW, sparse_grad=True), DTypeError, ["sparse_grad", "leave it out"]),
    "take": (lambda: ag.take(X, tensor([6])), IndexError, ["take", "index 6", "6 entries", "-6 to 5"]),
    "take_along_dim": (lambda: ag.take_along_dim(X, tensor([0]), 1), ShapeError, ["take_along_dim", "(2, 3)", "(1,)"]),
    "index_select": (lambda: ag.index_select(X, 0, tensor([[0]])), ShapeError, ["index_select", "vector", "(1, 1)"]),
    "select": (lambda: ag.select(X, 0, 2), IndexError, ["select", "index 2", "size 2"]),
    "narrow": (lambda: ag.narrow(X, 1, 2, 2), ShapeError, ["narrow", "start 2", "length 2", "size 3"]),
    "masked_select": (lambda: ag.masked_select(X, ROW), DTypeError, ["masked_select", "bool", "int64"]),
    "masked_select shape": (lambda: ag.masked_select(X, tensor([True, False])), ShapeError, ["(2, 3)", "(2,)"]),
    "one_hot": (lambda: ag.one_hot(tensor([3]), 3), IndexError, ["one_hot", "index 3"]),
    "one_hot of floats": (lambda: ag.one_hot(tensor([3.0]), 3), DTypeError, ["one_hot", "float32"]),
    "scatter: nothing": (lambda: ag.scatter(X, 1, ROW), TypeError, ["scatter", "src"]),
    "scatter: dtype": (
        lambda: ag.scatter(X, 1, ROW, ag.zeros(1, 3, dtype="float64")),
        DTypeError,
        ["scatter", "float32", "float64", "src.to"],
    ),
    "scatter: small src": (lambda: ag.scatter(X, 1, ROW, ag.zeros(1, 2)), ShapeError, ["(1, 3)", "src", "(1, 2)"]),
    "scatter: reduce": (lambda: ag.scatter(X, 1, ROW, 1.0, reduce="max"), ValueError, ["'max'", "scatter_reduce"]),
    "scatter_add of a number": (lambda: ag.scatter_add(X, 1, ROW, 1.0), DTypeError, ["scatter_add", "src", "float"]),
    "scatter_reduce": (lambda: ag.scatter_reduce(X, 1, ROW, X, "median"), ValueError, ["'median'", "'amax'"]),
    "index_add": (
        lambda: ag.index_add(X, 0, tensor([0]), ag.zeros(2, 3)),
        ShapeError,
        ["index_add", "(2, 3)", "1 indices", "(1, 3)"],
    ),
    "index_fill": (lambda: ag.index_fill(X, 0, tensor([0]), X), ShapeError, ["index_fill", "0-d", "(2, 3)"]),
    "index_put": (lambda: ag.index_put(X, tensor([0]), X), DTypeError, ["index_put", "tuple"]),
    "index_put: shape": (
        lambda: ag.index_put(X, (tensor([0]),), ag.zeros(2), accumulate=True),
        ShapeError,
        ["index_put", "(2,)", "(1, 3)"],
    ),
    "put": (lambda: ag.put(X, tensor([0]), ag.zeros(2)), ShapeError, ["put", "1 indices", "(2,)"]),
    "masked_scatter": (
        lambda: ag.masked_scatter(X, X == 0, ag.zeros(2)),
        ShapeError,
        ["masked_scatter", "6 True", "2 entries"],
    ),
    # making
    "complex": (lambda: ag.complex(X, X), DTypeError, ["complex", "real and imaginary"]),
    "polar": (lambda: ag.polar(X, X), DTypeError, ["polar", "cos(angle)"]),
    "complex zeros": (lambda: ag.zeros(2, dtype=np.complex64), DTypeError, ["complex64", "not supported"]),
    "empty_strided": (lambda: ag.empty_strided((2,), (1,)), DTypeError, ["empty_strided", "empty()"]),
    "arange that goes the other way": (lambda: ag.arange(3, 0), ValueError, ["arange", "step 1", "3 to 0"]),
    "linspace": (lambda: ag.linspace(0, 1, -1), ValueError, ["linspace", "-1"]),
    "asarray without a copy": (lambda: ag.asarray([1.0], copy=False), ValueError, ["asarray", "list", "copy=False"]),
    "scalar_tensor": (lambda: ag.scalar_tensor([1.0, 2.0]), ShapeError, ["scalar_tensor", "one number"]),
    # drawing
    "bernoulli": (lambda: ag.bernoulli(tensor([1.5])), ValueError, ["bernoulli", "[0, 1]", "1.5"]),
    "bernoulli of integers": (lambda: ag.bernoulli(tensor([1])), DTypeError, ["bernoulli", "x.float()"]),
    "multinomial": (lambda: ag.multinomial(tensor([0.0, -1.0]), 1), ValueError, ["multinomial", "negative"]),
    "multinomial: too few": (lambda: ag.multinomial(tensor([0.0, 1.0]), 2), ValueError, ["2 different", "replacement"]),
    "normal": (lambda: ag.normal(0.0, 1.0), TypeError, ["normal", "size"]),
    "normal: std": (lambda: ag.normal(X, -1.0), ValueError, ["normal", "std", "-1"]),
    "poisson": (lambda: ag.poisson(tensor([-1.0])), ValueError, ["poisson", "negative"]),
    "normal_ of integers": (lambda: ROW.clone().normal_(), DTypeError, ["normal_", "int64", "x.float()"]),
    "exponential_": (lambda: X.clone().exponential_(0.0), ValueError, ["exponential_", "lambd"]),
    "geometric_": (lambda: X.clone().geometric_(1.5), ValueError, ["geometric_", "(0, 1)"]),
    "random_": (lambda: X.clone().random_(3, 3), ValueError, ["random_", "below"]),
    "uniform_": (lambda: X.clone().uniform_(1, 0), ValueError, ["uniform_", "1 and 0"]),
}


@pytest.mark.parametrize("case", ERRORS)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = ERRORS[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


@pytest.mark.jax
@pytest.mark.parametrize(
    "call",
    [ag.nonzero, lambda x: ag.masked_select(x, x > 0), lambda x: ag.repeat_interleave(x, x.long())],
    ids=["nonzero", "masked_select", "repeat_interleave"],
)
def test_a_shape_that_depends_on_values_is_refused_in_a_compiled_function(call):
    from autograd.backends.jax import jit

    with pytest.raises(GraphError, match="shape of the result depends on values"):
        jit(call)(tensor([1.0, 2.0]))
