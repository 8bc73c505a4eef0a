"""Linear algebra on Tensors, for gradient rules that record themselves."""

from __future__ import annotations

from typing import Any

from ..ops import decompositions, solvers
from ..ops.decompositions import cholesky_factor as cholesky
from ..ops.distances import euclidean_distances as distances
from ..ops.matrix_functions import cofactor_matrix as cofactors
from ..ops.matrix_functions import determinant as det
from ..ops.matrix_functions import matrix_exponential as expm
from ..ops.matrix_functions import sign_and_log_determinant as slogdet
from ..ops.solvers import inverse_of as inv
from ..ops.solvers import solve_systems as solve


def solve_triangular(a: Any, b: Any, upper: bool, unitriangular: bool) -> Any:
    """a⁻¹ b for triangular a."""
    return solvers.solve_triangular_systems(a, b, upper=upper, unitriangular=unitriangular)


def qr(x: Any, mode: str) -> Any:
    """Q and R with Q R = x."""
    return decompositions.qr_factors(x, mode=mode)


def svd(x: Any, full_matrices: bool) -> Any:
    """U, S and Vᵀ with U diag(S) Vᵀ = x."""
    return decompositions.singular_values_and_vectors(x, full_matrices=full_matrices)


def eigh(x: Any, upper: bool) -> Any:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix, of which one triangle is read."""
    return decompositions.symmetric_eigen(x, upper=upper)
