"""Products of vectors, matrices and Tensors of any number of dimensions, all made of ``matmul``, ``*`` and ``sum``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..primitive import wrap
from .dims import dimension
from .elementwise import where
from .linalg import check_same_dtype, matmul
from .reduction import sum as _sum
from .shape import permute_to, reshape, reshape_to, stack, unbind

if TYPE_CHECKING:
    from ..tensor import Tensor


def _want(name: str, what: str, x: Any, ndim: int) -> None:
    if x.ndim != ndim:
        kinds = {1: "a vector (1 dimension)", 2: "a matrix (2 dimensions)", 3: "a batch of matrices (3 dimensions)"}
        raise ShapeError(f"{name}: {what} must be {kinds[ndim]}, got shape {tuple(x.shape)}")


def _fit(name: str, x: Any, y: Any) -> None:
    if x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        raise ShapeError(
            f"{name}: shapes {tuple(x.shape)} and {tuple(y.shape)} do not fit: the first has {x.shape[-1]} columns and "
            f"the second {y.shape[-2 if y.ndim > 1 else 0]} rows; they must be equal"
        )


@composed
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) and (k, m); nothing broadcasts.

    >>> import autograd
    >>> autograd.mm(autograd.ones(2, 3), autograd.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    _want("mm", "input", input, 2)
    _want("mm", "mat2", mat2, 2)
    _fit("mm", input, mat2)
    return matmul(input, mat2)


@composed
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (b, n, k) and (b, k, m), one by one.

    >>> import autograd
    >>> autograd.bmm(autograd.ones(4, 2, 3), autograd.ones(4, 3, 1)).shape
    (4, 2, 1)
    """
    _want("bmm", "input", input, 3)
    _want("bmm", "mat2", mat2, 3)
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(
            f"bmm: the batches differ in size: {tuple(input.shape)} and {tuple(mat2.shape)}; matmul broadcasts them"
        )
    _fit("bmm", input, mat2)
    return matmul(input, mat2)


@composed
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix (n, k) and a vector (k,).

    >>> import autograd
    >>> autograd.mv(autograd.ones(2, 3), autograd.ones(3))
    tensor([3., 3.])
    """
    _want("mv", "input", input, 2)
    _want("mv", "vec", vec, 1)
    _fit("mv", input, vec)
    return matmul(input, vec)


@composed
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Σ xᵢ yᵢ of two vectors of one size.

    >>> import autograd
    >>> autograd.dot(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _inner_product("dot", input, tensor)


@composed
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """``dot``: there are no complex numbers here whose conjugate would make a difference.

    >>> import autograd
    >>> autograd.vdot(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _inner_product("vdot", input, other)


def _inner_product(name: str, x: Tensor, y: Tensor) -> Tensor:
    _want(name, "input", x, 1)
    _want(name, "the other", y, 1)
    if x.shape != y.shape:
        raise ShapeError(f"{name}: the vectors have {x.shape[0]} and {y.shape[0]} entries; they must be equal")
    return matmul(x, y)


@composed
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, axis: int | None = None) -> Tensor:
    """Σ x y along ``dim``, of Tensors that broadcast.

    >>> import autograd
    >>> autograd.linalg.vecdot(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return _sum(x * y, dim if axis is None else axis)


@composed
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Σ over the last dimension of each: of shapes (..., k) and (---, k) one of shape (..., ---).

    >>> import autograd
    >>> autograd.inner(autograd.ones(2, 3), autograd.ones(4, 3)).shape
    (2, 4)
    """
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(
            f"inner: the last dimensions differ: shapes {tuple(input.shape)} and {tuple(other.shape)}; "
            "they must be equal"
        )
    return tensordot(input, other, dims=([-1], [-1]))


@composed
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """xᵢ yⱼ of two vectors.

    >>> import autograd
    >>> autograd.outer(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _want("outer", "input", input, 1)
    _want("outer", "vec2", vec2, 1)
    return reshape_to(input, shape=(input.shape[0], 1)) * vec2


ger = outer


@composed
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α mat1 mat2, of two matrices; ``input`` broadcasts. With β = 0 it is not looked at.

    >>> import autograd
    >>> autograd.addmm(autograd.ones(2), autograd.ones(2, 3), autograd.ones(3, 2), alpha=0.5)
    tensor([[2.5000, 2.5000],
            [2.5000, 2.5000]])
    """
    _want("addmm", "mat1", mat1, 2)
    _want("addmm", "mat2", mat2, 2)
    _fit("addmm", mat1, mat2)
    return _added("addmm", input, matmul(mat1, mat2), beta, alpha)


@composed
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α mat vec, of a matrix and a vector.

    >>> import autograd
    >>> autograd.addmv(autograd.ones(2), autograd.ones(2, 3), autograd.ones(3))
    tensor([4., 4.])
    """
    _want("addmv", "mat", mat, 2)
    _want("addmv", "vec", vec, 1)
    _fit("addmv", mat, vec)
    return _added("addmv", input, matmul(mat, vec), beta, alpha)


@composed
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α vec1 vec2ᵀ, of two vectors.

    >>> import autograd
    >>> autograd.addr(autograd.zeros(2, 2), autograd.ones(2), autograd.tensor([1.0, 2.0]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    _want("addr", "vec1", vec1, 1)
    _want("addr", "vec2", vec2, 1)
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


@composed
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α batch1 batch2, matrix by matrix.

    >>> import autograd
    >>> autograd.baddbmm(autograd.ones(2, 1), autograd.ones(4, 2, 3), autograd.ones(4, 3, 5)).shape
    (4, 2, 5)
    """
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@composed
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α Σ batch1 batch2, summed over the batch.

    >>> import autograd
    >>> autograd.addbmm(autograd.zeros(2, 2), autograd.ones(4, 2, 3), autograd.ones(4, 3, 2))
    tensor([[12., 12.],
            [12., 12.]])
    """
    _want("addbmm", "batch1", batch1, 3)
    _want("addbmm", "batch2", batch2, 3)
    if batch1.shape[0] != batch2.shape[0]:
        raise ShapeError(f"addbmm: the batches differ in size: {tuple(batch1.shape)} and {tuple(batch2.shape)}")
    _fit("addbmm", batch1, batch2)
    return _added("addbmm", input, tensordot(batch1, batch2, dims=([0, 2], [0, 1])), beta, alpha)


def _added(name: str, x: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """β x + α product, and nothing of a NaN in x when β is 0."""
    if product.dtype.kind != "f" and (isinstance(beta, float) or isinstance(alpha, float)):
        raise DTypeError(f"{name}: beta and alpha must be ints for {product.dtype} Tensors, got {beta!r} and {alpha!r}")
    sizes, shape = tuple(product.shape), tuple(getattr(x, "shape", ()))
    padded = (1,) * (len(sizes) - len(shape)) + shape
    if len(padded) != len(sizes) or any(m not in (1, n) for m, n in zip(padded, sizes, strict=True)):
        raise ShapeError(f"{name}: input of shape {shape} does not expand to {sizes}, the shape of the product")
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product + where(wrap(np.zeros((), bool)), x, 0)
    return (x if beta == 1 else x * beta) + product


@composed
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Σ over dimensions of a and of b, which the result no longer has: a's others come first, then b's.

    Arguments:
        a, b: Tensors.
        dims: how many, the last of a and the first of b; or two lists, a's and b's, of equal sizes in pairs.

    >>> import autograd
    >>> autograd.tensordot(autograd.ones(2, 3, 4), autograd.ones(4, 3), dims=([1, 2], [1, 0]))
    tensor([12., 12.])
    """
    from .einsum import einsum_pair

    check_same_dtype("tensordot", a, b)
    if hasattr(dims, "__index__") and not isinstance(dims, bool):
        n = dims.__index__()
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot: cannot sum over {n} dimensions of shapes {tuple(a.shape)} and {tuple(b.shape)}"
            )
        of_a, of_b = list(range(a.ndim - n, a.ndim)), list(range(n))
    else:
        if not isinstance(dims, (tuple, list)) or len(dims) != 2:
            raise DTypeError(f"tensordot: dims must be an int or two lists, got {dims!r}")
        of_a, of_b = (
            [dimension("tensordot", d, x.ndim) for d in (ds if isinstance(ds, (tuple, list)) else [ds])]
            for ds, x in zip(dims, (a, b), strict=True)
        )
    if len(of_a) != len(of_b):
        raise ShapeError(f"tensordot: {len(of_a)} dimensions of a and {len(of_b)} of b; they go in pairs")
    for i, j in zip(of_a, of_b, strict=True):
        if a.shape[i] != b.shape[j]:
            raise ShapeError(
                f"tensordot: dim {i} of a has size {a.shape[i]} and dim {j} of b {b.shape[j]}; they must be equal "
                f"(shapes {tuple(a.shape)} and {tuple(b.shape)})"
            )
    labels_a = tuple(range(a.ndim))
    paired = dict(zip(of_b, of_a, strict=True))
    labels_b = tuple(paired.get(d, a.ndim + d) for d in range(b.ndim))
    out = (*(d for d in labels_a if d not in of_a), *(d for d in labels_b if d >= a.ndim))
    return einsum_pair(a, b, subscripts=(labels_a, labels_b, out))


@composed
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: each entry of ``input`` times the whole of ``other``, laid out as blocks.

    >>> import autograd
    >>> autograd.kron(autograd.tensor([1.0, 10.0]), autograd.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + tuple(input.shape)
    b = (1,) * (n - other.ndim) + tuple(other.shape)
    product = reshape_to(input, shape=tuple(s for m in a for s in (m, 1))) * reshape_to(
        other, shape=tuple(s for m in b for s in (1, m))
    )
    return reshape_to(product, shape=tuple(i * j for i, j in zip(a, b, strict=True)))


@composed
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of vectors in space, along a dimension of size 3: the first such, unless ``dim`` says which.

    >>> import autograd
    >>> autograd.cross(autograd.tensor([1.0, 0.0, 0.0]), autograd.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        sizes = tuple(input.shape)
        if 3 not in sizes:
            raise ShapeError(f"cross: no dimension has size 3, in shape {sizes}")
        dim = sizes.index(3)
    return linalg_cross(input, other, dim=dim)


@composed
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors in space, along ``dim``, by default the last; the other dimensions broadcast.

    >>> import autograd
    >>> autograd.linalg.cross(autograd.tensor([1.0, 0.0, 0.0]), autograd.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if input.ndim != other.ndim:
        raise ShapeError(
            f"cross: wants as many dimensions on both sides, got shapes {tuple(input.shape)} and {tuple(other.shape)}"
        )
    d = dimension("cross", dim, input.ndim)
    if not input.ndim or input.shape[d] != 3 or other.shape[d] != 3:
        raise ShapeError(f"cross: dim {dim} must have size 3, got {tuple(input.shape)} and {tuple(other.shape)}")
    x1, x2, x3 = unbind(input, d)
    y1, y2, y3 = unbind(other, d)
    return stack([x2 * y3 - x3 * y2, x3 * y1 - x1 * y3, x1 * y2 - x2 * y1], d)


@composed
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors, a row and a column. The order is found by dynamic programming
    (Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", 15.2).

    >>> import autograd
    >>> autograd.linalg.multi_dot([autograd.ones(2, 3), autograd.ones(3, 4), autograd.ones(4)])
    tensor([12., 12.])
    """
    if not isinstance(tensors, (tuple, list)):
        raise DTypeError(f"multi_dot: wants a list or tuple of Tensors, got {describe(tensors)}")
    xs = list(tensors)
    if len(xs) < 2:
        raise ValueError(f"multi_dot: wants at least 2 Tensors, got {len(xs)}")
    vector_first, vector_last = xs[0].ndim == 1, xs[-1].ndim == 1
    if vector_first:
        xs[0] = reshape(xs[0], (1, -1))
    if vector_last:
        xs[-1] = reshape(xs[-1], (-1, 1))
    for i, x in enumerate(xs):
        _want("multi_dot", f"item {i}", x, 2)
        if i:
            _fit(f"multi_dot, items {i - 1} and {i}", xs[i - 1], x)
    out = _chain(xs, _best_order([*(x.shape[0] for x in xs), xs[-1].shape[1]]), 0, len(xs) - 1)
    shape = tuple(out.shape)[vector_first : 2 - vector_last]
    return reshape_to(out, shape=shape) if vector_first or vector_last else out


@composed
def chain_matmul(*matrices: Tensor) -> Tensor:
    """``multi_dot`` of matrices given one by one.

    >>> import autograd
    >>> autograd.chain_matmul(autograd.ones(2, 3), autograd.ones(3, 4)).shape
    (2, 4)
    """
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def _best_order(sizes: list[int]) -> dict[tuple[int, int], int]:
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    last = {}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            cost[i, j], last[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + math.prod((sizes[i], sizes[k + 1], sizes[j + 1])), k)
                for k in range(i, j)
            )
    return last


def _chain(xs: list[Any], last: dict[tuple[int, int], int], i: int, j: int) -> Any:
    return xs[i] if i == j else matmul(_chain(xs, last, i, last[i, j]), _chain(xs, last, last[i, j] + 1, j))


def main_diagonal(x: Any, dim1: int = -2, dim2: int = -1) -> Any:
    """The entries of x with equal indices in two dimensions of equal size, as a new last dimension: a view.

    >>> import autograd
    >>> main_diagonal(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    a, b = dim1 % x.ndim, dim2 % x.ndim
    rest = tuple(d for d in range(x.ndim) if d not in (a, b))
    if (a, b) != (x.ndim - 2, x.ndim - 1):
        x = permute_to(x, dims=(*rest, a, b))
    n = x.shape[-1]
    return reshape_to(x, shape=(*x.shape[:-2], n * n))[..., :: n + 1]


@composed
def trace(input: Tensor) -> Tensor:
    """Σ xᵢᵢ, the sum along the diagonal of a matrix.

    >>> import autograd
    >>> autograd.trace(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    _want("trace", "input", input, 2)
    n = min(input.shape)
    return _sum(main_diagonal(input if input.shape[0] == input.shape[1] else input[:n, :n]))
