"""Linear algebra under PyTorch's names, over leading dimensions, with gradient.

>>> import autograd
>>> a = autograd.tensor([[3.0, 0.0], [4.0, 0.0]], requires_grad=True)
>>> autograd.linalg.matrix_norm(a).backward(); a.grad
tensor([[0.6000, 0.0000],
        [0.8000, 0.0000]])
"""

from __future__ import annotations

from typing import Any, NoReturn

from .errors import DTypeError, LinAlgError
from .keywords import composed as _composed
from .ops import diagonals as _diagonals
from .ops import grids as _grids
from .ops.decompositions import cholesky, eigh, eigvalsh, qr, svd, svdvals
from .ops.linalg import matmul
from .ops.matrix_functions import det, matrix_exp, matrix_power, slogdet
from .ops.matrix_norms import cond, matrix_norm, matrix_rank, vector_norm
from .ops.matrix_norms import linalg_norm as norm
from .ops.products import linalg_cross as cross
from .ops.products import multi_dot, vecdot
from .ops.solvers import inv, lstsq, pinv, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "LinAlgError",
    "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "lstsq", "lu", "lu_factor", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot",
    "vector_norm",
]  # fmt: skip


@_composed
def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, as a last dimension: ``autograd.diagonal`` along the last two dimensions.

    >>> import autograd
    >>> autograd.linalg.diagonal(autograd.ones(5, 2, 3)).shape
    (5, 2)
    """
    return _diagonals.diagonal(A, offset, dim1, dim2)


@_composed
def eig(A: Any, **options: Any) -> NoReturn:
    """Refused: eigenvalues of a matrix that is not symmetric are complex numbers."""
    raise DTypeError("eig: its results are complex, which is not supported; eigh is for symmetric matrices")


@_composed
def eigvals(A: Any, **options: Any) -> NoReturn:
    """Refused: eigenvalues of a matrix that is not symmetric are complex numbers."""
    raise DTypeError("eigvals: its results are complex, which is not supported; eigvalsh is for symmetric matrices")


@_composed
def vander(x: Any, *, N: int | None = None) -> Any:
    """The powers 0 to N − 1 of each entry of a vector, as the columns of a matrix; N is its size if left out.

    >>> import autograd
    >>> autograd.linalg.vander(autograd.tensor([2.0, 3.0]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    return _grids.vander(x, N, increasing=True)


def _refused(name: str, instead: str) -> Any:
    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError(f"{name} is not supported; use {instead}")

    refuse.__name__ = refuse.__qualname__ = name.removeprefix("linalg.")
    refuse.__doc__ = f"Refused; use {instead}."
    return refuse


solve_ex = _refused("linalg.solve_ex", "linalg.solve, which raises LinAlgError for a singular matrix")
inv_ex = _refused("linalg.inv_ex", "linalg.inv, which raises LinAlgError for a singular matrix")
cholesky_ex = _refused("linalg.cholesky_ex", "linalg.cholesky, which raises LinAlgError")
lu = _refused("linalg.lu", "linalg.solve, linalg.inv or linalg.slogdet, which factorise by themselves, or linalg.qr")
lu_factor = _refused("linalg.lu_factor", "linalg.solve with all right-hand sides at once, or linalg.cholesky")
lu_solve = _refused("linalg.lu_solve", "linalg.solve with all right-hand sides at once")
ldl_factor = _refused("linalg.ldl_factor", "linalg.solve, or linalg.cholesky for a positive-definite matrix")
householder_product = _refused("linalg.householder_product", "linalg.qr, which gives Q itself")
triangular_solve = _refused("triangular_solve", "linalg.solve_triangular(A, B, upper=...), with A first")
lu_factor_ex = _refused("linalg.lu_factor_ex", "linalg.solve with all right-hand sides at once, or linalg.cholesky")
ldl_factor_ex = _refused("linalg.ldl_factor_ex", "linalg.solve, or linalg.cholesky for a positive-definite matrix")
ldl_solve = _refused("linalg.ldl_solve", "linalg.solve with all right-hand sides at once")
