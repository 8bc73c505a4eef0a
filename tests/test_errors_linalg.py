"""What goes wrong in linear algebra is said in a sentence that names the op, what it got, and the fix."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import DTypeError, ShapeError, linalg, tensor


def f(*shape, grad=False):
    return ag.zeros(*shape, requires_grad=grad)


INTEGERS = tensor([[1, 2], [3, 4]])
ERRORS = {
    "mm of a batch": (lambda: ag.mm(f(2, 2, 2), f(2, 2)), ShapeError, ["mm", "matrix", "(2, 2, 2)"]),
    "mm of unfit matrices": (lambda: f(2, 3).mm(f(2, 3)), ShapeError, ["mm", "3 columns", "2 rows"]),
    "bmm of matrices": (lambda: ag.bmm(f(2, 2), f(2, 2)), ShapeError, ["bmm", "batch", "(2, 2)"]),
    "bmm of two batches": (lambda: ag.bmm(f(2, 2, 2), f(3, 2, 2)), ShapeError, ["bmm", "(3, 2, 2)", "matmul"]),
    "mv of a matrix": (lambda: ag.mv(f(2, 2), f(2, 2)), ShapeError, ["mv", "vec", "vector"]),
    "dot of two sizes": (lambda: ag.dot(f(2), f(3)), ShapeError, ["dot", "2 and 3"]),
    "inner of two sizes": (lambda: ag.inner(f(2, 2), f(2, 3)), ShapeError, ["inner", "(2, 2)", "(2, 3)"]),
    "outer of a matrix": (lambda: ag.outer(f(2, 2), f(2)), ShapeError, ["outer", "vector", "(2, 2)"]),
    "addmm of an input too large": (
        lambda: ag.addmm(f(3, 3), f(2, 2), f(2, 2)),
        ShapeError,
        ["addmm", "(3, 3)", "(2, 2)"],
    ),
    "addmm of integers by a fraction": (
        lambda: ag.addmm(INTEGERS, INTEGERS, INTEGERS, alpha=0.5),
        DTypeError,
        ["addmm", "int", "0.5"],
    ),
    "multi_dot of one": (lambda: linalg.multi_dot([f(2, 2)]), ValueError, ["multi_dot", "at least 2"]),
    "multi_dot of a Tensor": (lambda: linalg.multi_dot(f(2, 2)), DTypeError, ["multi_dot", "list"]),
    "multi_dot of unfit": (
        lambda: linalg.multi_dot([f(2, 2), f(2, 3), f(2, 2)]),
        ShapeError,
        ["multi_dot", "items 1 and 2", "3 columns"],
    ),
    "tensordot of unfit": (lambda: ag.tensordot(f(2, 3), f(2, 3), 1), ShapeError, ["tensordot", "3", "2"]),
    "tensordot of too many": (lambda: ag.tensordot(f(2), f(2), 2), ShapeError, ["tensordot", "2 dimensions"]),
    "tensordot of odd dims": (lambda: ag.tensordot(f(2), f(2), ([0], [])), ShapeError, ["tensordot", "in pairs"]),
    "cross of size 2": (lambda: linalg.cross(f(2), f(2)), ShapeError, ["cross", "size 3", "(2,)"]),
    "cross of two numbers of dimensions": (lambda: ag.cross(f(2, 3), f(3)), ShapeError, ["cross", "(2, 3)", "(3,)"]),
    "trace of a vector": (lambda: ag.trace(f(2)), ShapeError, ["trace", "matrix", "(2,)"]),
    # einsum
    "einsum without a Tensor": (lambda: ag.einsum("i->", [1.0]), DTypeError, ["einsum", "Tensors"]),
    "einsum of too few": (lambda: ag.einsum("i,j", f(2)), ValueError, ["einsum", "2 operands", "1"]),
    "einsum of dimensions": (lambda: ag.einsum("ij", f(2)), ShapeError, ["einsum", "operand 0", "'ij'"]),
    "einsum of sizes": (lambda: ag.einsum("ij,jk", f(2, 3), f(2, 3)), ShapeError, ["letter 'j'", "3", "2"]),
    "einsum of an odd diagonal": (lambda: ag.einsum("ii", f(2, 3)), ShapeError, ["einsum", "letter 'i'", "3"]),
    "einsum of a size-1 diagonal": (lambda: ag.einsum("ii", f(3, 1)), ShapeError, ["'i'", "twice in operand 0", "1"]),
    "einsum of a new letter": (lambda: ag.einsum("i->j", f(2)), ValueError, ["einsum", "letter 'j'"]),
    "einsum of a letter twice": (lambda: ag.einsum("i->ii", f(2)), ValueError, ["einsum", "letter 'i'", "twice"]),
    "einsum of digits": (lambda: ag.einsum("1->1", f(2)), ValueError, ["einsum", "neither a letter"]),
    "einsum of two dtypes": (lambda: ag.einsum("i,i", f(2), f(2).double()), DTypeError, ["einsum", "dtypes differ"]),
    "einsum of large numbers": (lambda: ag.einsum(f(2), [99]), ValueError, ["einsum", "0 to 51", "99"]),
    # square matrices
    "inv of integers": (lambda: linalg.inv(INTEGERS), DTypeError, ["inv", "floating", "int64", "x.float()"]),
    "inv of a rectangle": (lambda: linalg.inv(f(2, 3)), ShapeError, ["inv", "square", "(2, 3)"]),
    "inv of a singular matrix": (lambda: linalg.inv(f(2, 2)), linalg.LinAlgError, ["inv", "singular", "pinv"]),
    "inv of one singular of several": (
        lambda: linalg.inv(ag.stack([ag.eye(2), f(2, 2)])),
        linalg.LinAlgError,
        ["matrix (1,) of the batch", "singular"],
    ),
    "solve of a singular matrix": (lambda: linalg.solve(f(2, 2), f(2)), linalg.LinAlgError, ["singular", "lstsq"]),
    "solve of unfit": (lambda: linalg.solve(ag.eye(2), f(3, 1)), ShapeError, ["solve", "(3, 1)", "size 2"]),
    "solve of two dtypes": (lambda: linalg.solve(ag.eye(2), f(2).double()), DTypeError, ["solve", "dtypes differ"]),
    "solve_triangular of a vector": (
        lambda: linalg.solve_triangular(ag.eye(2), f(2), upper=True),
        ShapeError,
        ["solve_triangular", "unsqueeze"],
    ),
    "gradient of slogdet of a singular matrix": (
        lambda: linalg.slogdet(f(2, 2, grad=True))[1].backward(),
        linalg.LinAlgError,
        ["singular"],
    ),
    "cholesky of an indefinite matrix": (
        lambda: linalg.cholesky(-ag.eye(2)),
        linalg.LinAlgError,
        ["cholesky", "positive-definite"],
    ),
    "matrix_power of a fraction": (lambda: ag.matrix_power(ag.eye(2), 0.5), DTypeError, ["matrix_power", "int", "0.5"]),
    "half precision": (lambda: linalg.inv(ag.eye(2).half()), DTypeError, ["inv", "float16"]),
    # decompositions
    "qr mode": (lambda: linalg.qr(f(2, 2), "full"), ValueError, ["qr", "'reduced'", "'full'"]),
    "gradient of a complete qr": (
        lambda: linalg.qr(f(3, 2, grad=True), "complete").Q.sum().backward(),
        ag.GraphError,
        ["qr", "complete", "reduced"],
    ),
    "svd of a vector": (lambda: linalg.svd(f(2)), ShapeError, ["svd", "matrix", "(2,)"]),
    "eigh of neither triangle": (lambda: linalg.eigh(ag.eye(2), "l"), ValueError, ["eigh", "UPLO", "'l'"]),
    "lstsq of unfit": (lambda: linalg.lstsq(f(3, 2), f(2, 2)), ShapeError, ["lstsq", "(3, 2)", "(2, 2)"]),
    "lstsq driver": (lambda: linalg.lstsq(f(3, 2), f(3, 2), driver="qr"), ValueError, ["lstsq", "'gelsd'", "'qr'"]),
    "pinv with a Tensor for rtol": (lambda: linalg.pinv(f(2, 2), rtol=f(1)), TypeError, ["pinv", "rtol", "numbers"]),
    "tensorinv of unfit": (lambda: linalg.tensorinv(f(2, 3), ind=1), ShapeError, ["tensorinv", "(2,)", "(3,)"]),
    "tensorsolve of unfit": (lambda: linalg.tensorsolve(f(2, 3), f(2)), ShapeError, ["tensorsolve", "(2, 3)"]),
    # norms and distances
    "matrix_norm of 3": (lambda: linalg.matrix_norm(f(2, 2), 3), ValueError, ["matrix_norm", "'nuc'", "3"]),
    "matrix_norm of nothing": (lambda: linalg.matrix_norm(f(0, 2), 1), ShapeError, ["matrix_norm", "(0, 2)"]),
    "vector_norm nuc": (lambda: linalg.vector_norm(f(2), "nuc"), TypeError, ["vector_norm", "matrix_norm"]),
    "norm of three dimensions": (lambda: linalg.norm(f(2, 2, 2), 2), ShapeError, ["norm", "dim", "(2, 2, 2)"]),
    "cdist of two widths": (lambda: ag.cdist(f(2, 2), f(2, 3)), ShapeError, ["cdist", "(2, 3)"]),
    "cdist of a negative p": (lambda: ag.cdist(f(2, 2), f(2, 2), p=-1), ValueError, ["cdist", "-1"]),
    "cdist compute_mode": (lambda: ag.cdist(f(2, 2), f(2, 2), compute_mode="fast"), ValueError, ["compute_mode"]),
    "pdist of a vector": (lambda: ag.pdist(f(2)), ShapeError, ["pdist", "(2,)"]),
    # what there is not
    "eig": (lambda: linalg.eig(f(2, 2)), DTypeError, ["eig", "complex", "eigh"]),
    "eigvals": (lambda: linalg.eigvals(f(2, 2)), DTypeError, ["eigvals", "complex", "eigvalsh"]),
    "solve_ex": (lambda: linalg.solve_ex(f(2, 2), f(2)), NotImplementedError, ["solve_ex", "linalg.solve"]),
    "lu_factor": (lambda: linalg.lu_factor(f(2, 2)), NotImplementedError, ["lu_factor", "linalg.solve"]),
    "triangular_solve": (
        lambda: ag.triangular_solve(f(2, 1), f(2, 2)),
        NotImplementedError,
        ["triangular_solve", "linalg.solve_triangular"],
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = ERRORS[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


def test_a_matrix_that_cannot_be_taken_is_numpys_and_pytorchs_error():
    assert issubclass(linalg.LinAlgError, np.linalg.LinAlgError)
    assert issubclass(linalg.LinAlgError, RuntimeError)
