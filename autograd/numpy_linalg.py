"""NumPy's products and linear algebra in terms of the functions of this package; see ``numpy_functions``.

Each is named after the function of ``np`` that it stands for, ``linalg_…`` after those of ``np.linalg``.
"""

from __future__ import annotations

import math

from .creation import as_tensor
from .errors import DTypeError
from .numpy_functions import _floating, _ours, _refuse
from .ops.dims import dimension


def dot(a, b, out=None):
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return a @ b
    return tensordot(a, b, ([-1], [-2]))


def vdot(a, b, /):
    return (as_tensor(a).reshape(-1) * as_tensor(b).reshape(-1)).sum()


def inner(a, b, /):
    a, b = as_tensor(a), as_tensor(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def outer(a, b, out=None):
    return as_tensor(a).reshape(-1, 1) * as_tensor(b).reshape(1, -1)


def tensordot(a, b, axes=2):
    a, b = as_tensor(a), as_tensor(b)
    if isinstance(axes, int):
        over_a, over_b = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        over_a, over_b = ([x] if isinstance(x, int) else list(x) for x in axes)
    over_a = [dimension("np.tensordot", d, a.ndim) for d in over_a]
    over_b = [dimension("np.tensordot", d, b.ndim) for d in over_b]
    kept_a = [d for d in range(a.ndim) if d not in over_a]
    kept_b = [d for d in range(b.ndim) if d not in over_b]
    n = math.prod(a.shape[d] for d in over_a)
    left = a.permute(*kept_a, *over_a).reshape(math.prod(a.shape[d] for d in kept_a), n)
    right = b.permute(*over_b, *kept_b).reshape(n, math.prod(b.shape[d] for d in kept_b))
    return (left @ right).reshape([a.shape[d] for d in kept_a] + [b.shape[d] for d in kept_b])


def einsum(*operands, out=None, optimize=False, dtype=None, order="K", casting="safe"):
    _refuse("einsum", dtype=dtype)
    subscripts, *tensors = operands
    if not isinstance(subscripts, str):
        raise DTypeError("np.einsum: with Tensors the subscripts are a string, such as 'ij,jk->ik'")
    return _ours("einsum", "einsum")(subscripts, *[as_tensor(t) for t in tensors])


def kron(a, b):
    return _ours("kron", "kron")(as_tensor(a), as_tensor(b))


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    a, b = as_tensor(a), as_tensor(b)
    if axis is None and {axisa, axisb, axisc} != {-1}:
        raise DTypeError("np.cross: with Tensors there is axis, the same for both, and no axisa, axisb, axisc")
    return _ours("linalg.cross", "cross")(a, b, dim=-1 if axis is None else axis)


def linalg_norm(x, ord=None, axis=None, keepdims=False):
    return _ours("linalg.norm", "linalg.norm")(_floating(x, None), ord, axis, keepdims)


def linalg_inv(a):
    return _ours("linalg.inv", "linalg.inv")(_floating(a, None))


def linalg_pinv(a, rcond=None, hermitian=False, *, rtol=None):
    _refuse("linalg.pinv", rcond=rcond)
    more = {} if rtol is None else {"rtol": rtol}
    return _ours("linalg.pinv", "linalg.pinv")(_floating(a, None), hermitian=hermitian, **more)


def linalg_det(a):
    return _ours("linalg.det", "linalg.det")(_floating(a, None))


def linalg_slogdet(a):
    return _ours("linalg.slogdet", "linalg.slogdet")(_floating(a, None))


def linalg_solve(a, b):
    return _ours("linalg.solve", "linalg.solve")(_floating(a, None), _floating(b, None))


def linalg_cholesky(a, /, *, upper=False):
    return _ours("linalg.cholesky", "linalg.cholesky")(_floating(a, None), upper=upper)


def linalg_qr(a, mode="reduced"):
    return _ours("linalg.qr", "linalg.qr")(_floating(a, None), mode)


def linalg_svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if not compute_uv:
        return linalg_svdvals(a)
    return _ours("linalg.svd", "linalg.svd")(_floating(a, None), full_matrices)


def linalg_svdvals(x, /):
    return _ours("linalg.svdvals", "linalg.svdvals")(_floating(x, None))


def linalg_eigh(a, UPLO="L"):
    return _ours("linalg.eigh", "linalg.eigh")(_floating(a, None), UPLO)


def linalg_eigvalsh(a, UPLO="L"):
    return _ours("linalg.eigvalsh", "linalg.eigvalsh")(_floating(a, None), UPLO)


def linalg_matrix_power(a, n):
    return _ours("linalg.matrix_power", "linalg.matrix_power")(_floating(a, None), n)


def linalg_multi_dot(arrays, *, out=None):
    return _ours("linalg.multi_dot", "linalg.multi_dot")([as_tensor(a) for a in arrays])
