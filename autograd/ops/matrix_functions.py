"""Functions of a square matrix: determinants, powers, the exponential."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import DTypeError, describe
from ..keywords import composed
from ..primitive import primitive, wrap
from .elementwise import where
from .linalg import check_square, matmul, mT
from .shape import expand
from .solvers import inv

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="det")
def determinant(xp, x):
    """The determinant; see ``det``."""
    return xp.linalg.det(x)


determinant.grads(x=lambda xp, g, out, x: g[..., None, None] * xp.linalg.cofactors(x))


@primitive(name="cofactors")
def cofactor_matrix(xp, x):
    """det(x) x⁻ᵀ, the gradient of the determinant, which singular matrices have too."""
    return xp.linalg.cofactors(x)


def _cofactors_x(xp, g, out, x):
    # d(det x · x⁻ᵀ) = tr(x⁻¹ dx) · out − x⁻ᵀ dxᵀ out
    inverse = mT(xp, xp.linalg.inv(x))
    total = xp.sum(g * out, axis=(-2, -1), keepdims=True)
    return total * inverse - out @ mT(xp, g) @ inverse


cofactor_matrix.grads(x=_cofactors_x)


@primitive(name="slogdet")
def sign_and_log_determinant(xp, x):
    """The sign of the determinant and ln |det x|; see ``slogdet``."""
    return xp.linalg.slogdet(x)


sign_and_log_determinant.grads(
    x=lambda xp, g, out, x: xp.zeros_like(x) if g[1] is None else g[1][..., None, None] * mT(xp, xp.linalg.inv(x))
)


@primitive(name="matrix_exp")
def matrix_exponential(xp, x):
    """eˣ of a matrix; see ``matrix_exp``."""
    return xp.linalg.expm(x)


def _matrix_exponential_x(xp, g, out, x):
    # The exponential of [[xᵀ, g], [0, xᵀ]] holds the derivative in direction g in its upper right block:
    # Mathias, "A chain rule for matrix functions and applications", 1996.
    n = x.shape[-1]
    t = mT(xp, x)
    upper = xp.concatenate([t, g], -1)
    lower = xp.concatenate([xp.zeros_like(t), t], -1)
    return xp.linalg.expm(xp.concatenate([upper, lower], -2))[..., :n, n:]


matrix_exponential.grads(x=_matrix_exponential_x)


@composed
def det(A: Tensor) -> Tensor:
    """The determinant of a square matrix, or of each of a batch.

    Its gradient det(A) A⁻ᵀ is the matrix of cofactors, and is right for singular matrices too; only the second
    derivative wants an inverse.

    >>> import autograd
    >>> autograd.det(autograd.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor(6.)
    """
    check_square("det", A)
    return determinant(A)


class SignAndLog(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Any
    logabsdet: Any


@composed
def slogdet(A: Tensor) -> SignAndLog:
    """The sign of det A (−1, 0 or 1), and ln |det A|, which neither overflows nor underflows.

    >>> import autograd
    >>> autograd.slogdet(autograd.tensor([[-1.0]]))
    SignAndLog(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    check_square("slogdet", A)
    return SignAndLog(*sign_and_log_determinant(A))


@composed
def logdet(input: Tensor) -> Tensor:
    """ln det A; NaN where the determinant is negative, −∞ where it is 0.

    >>> import autograd
    >>> autograd.logdet(autograd.eye(3))
    tensor(0.)
    """
    check_square("logdet", input)
    sign, logarithm = sign_and_log_determinant(input)
    return where(sign.detach() < 0, math.nan, logarithm)


@composed
def matrix_exp(A: Tensor) -> Tensor:
    """eᴬ = Σ Aᵏ / k! of a square matrix, or of each of a batch.

    By scaling and squaring: Al-Mohy and Higham, "A new scaling and squaring algorithm for the matrix exponential",
    2009.

    >>> import autograd
    >>> autograd.matrix_exp(autograd.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    check_square("matrix_exp", A)
    return matrix_exponential(A)


@composed
def matrix_power(A: Tensor, n: int) -> Tensor:
    """Aⁿ for an int n, by repeated squaring; the identity for n = 0, and (A⁻¹)⁻ⁿ for negative n.

    >>> import autograd
    >>> autograd.matrix_power(autograd.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise DTypeError(f"matrix_power: n must be an int, got {describe(n)}")
    check_square("matrix_power", A)
    n = n.__index__()
    if n == 0:
        return expand(wrap(np.eye(A.shape[-1], dtype=A.dtype)), tuple(A.shape)) + A * 0
    if n < 0:
        A, n = inv(A), -n
    power, result = A, None
    while n:
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if n:
            power = matmul(power, power)
    return result  # type: ignore[return-value]
