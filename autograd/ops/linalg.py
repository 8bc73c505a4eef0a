"""The matrix product, and what all of linear algebra checks."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DTypeError, ShapeError
from ..primitive import primitive


def as_rows(x: Any) -> Any:
    """x (..., n) as (N, n), with N said outright: of no entries it could be any number."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@primitive
def matmul(xp, x, y):
    """The matrix product x y, over leading dimensions that broadcast; of two vectors their inner product."""
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(
            f"matmul: wants at least one dimension on each side, got shapes {tuple(x.shape)} and {tuple(y.shape)}; "
            "multiply by a scalar with *"
        )
    inner = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != inner:
        raise ShapeError(
            f"matmul: shapes {tuple(x.shape)} and {tuple(y.shape)} do not fit: x has {x.shape[-1]} columns "
            f"and y {inner} rows; they must be equal (did you mean y.mT?)"
        )
    if x.dtype is not y.dtype:
        check_same_dtype("matmul", x, y)
    if y.ndim == 2 and x.ndim > 2:
        return (as_rows(x) @ y).reshape(*x.shape[:-1], y.shape[-1])
    return xp.matmul(x, y)


def _matmul_x(xp, g, out, x, y):
    if y.ndim == 1:
        return g[..., None] * y  # (..., n, 1) * (k,)
    if x.ndim == 1:
        return g[..., None, :] @ xp.swapaxes(y, -1, -2)  # (..., 1, m) @ (..., m, k)
    return xp.matmul(g, xp.swapaxes(y, -1, -2))


def _matmul_y(xp, g, out, x, y):
    if y.ndim == 1:
        if x.ndim == 1:
            return g * x
        return (xp.swapaxes(x, -1, -2) @ g[..., None])[..., 0]  # (..., k, n) @ (..., n, 1)
    if x.ndim == 1:
        return x[:, None] * g[..., None, :]  # (k, 1) * (..., 1, m)
    if y.ndim == 2 and x.ndim > 2:
        return as_rows(x).T @ as_rows(g)  # (k, N) @ (N, m)
    return xp.matmul(xp.swapaxes(x, -1, -2), g)


matmul.grads(x=_matmul_x, y=_matmul_y)


def check_same_dtype(name: str, *arrays: Any) -> None:
    """Raises the DTypeError of an op that does not mix dtypes."""
    found = {a.dtype for a in arrays if a is not None}
    if len(found) > 1:
        raise DTypeError(
            f"{name}: the dtypes differ: {' and '.join(str(a.dtype) for a in arrays if a is not None)}; "
            "convert one, for example with .float() or .double(), an array of NumPy's with .astype('float32')"
        )


def check_square(name: str, x: Any) -> None:
    """Raises the error of an op that wants floating square matrices, or batches of them."""
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: wants a floating Tensor, got {x.dtype}; convert it first: x.float()")
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name}: wants square matrices, (..., n, n), got shape {tuple(x.shape)}")


def mT(xp: Any, x: Any) -> Any:
    """The last two dimensions exchanged."""
    return xp.swapaxes(x, -1, -2)
