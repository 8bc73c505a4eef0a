"""Distances and angles between vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import primitive
from .broadcasting import broadcast_tensors
from .dims import dimension
from .elementwise import abs, check_floating, clamp
from .linalg import check_same_dtype, mT
from .matrix_norms import vector_norm
from .reduction import reduce_max, reduce_norm, reduce_sum
from .shape import unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="cdist")
def euclidean_distances(xp, x, y):
    """|xᵢ − yⱼ| for each row of x and each of y, (..., n, k) and (..., m, k); see ``cdist``."""
    return xp.linalg.distances(x, y)


def _distances_x(xp, g, out, x, y):
    # Σⱼ gᵢⱼ (xᵢ − yⱼ) / |xᵢ − yⱼ|, in which equal points have no part. As a product of matrices it would lose digits
    # far from the origin, which is therefore moved to where the points are.
    centre = xp.sum(y, axis=-2, keepdims=True) / max(y.shape[-2], 1)
    weights = g * (out != 0) / (out + (out == 0))
    return xp.sum(weights, axis=-1, keepdims=True) * (x - centre) - weights @ (y - centre)


euclidean_distances.grads(
    x=_distances_x,
    y=lambda xp, g, out, x, y: _distances_x(xp, mT(xp, g), mT(xp, out), y, x),
)


@composed
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """‖xᵢ − yⱼ‖ₚ for each row of x1 and each of x2: (..., n, k) and (..., m, k) to (..., n, m).

    The gradient of the distance between equal points is 0.

    Arguments:
        x1, x2: two sets of n and m points; leading dimensions broadcast.
        p: a number ≥ 0; 0 counts the coordinates that differ, ``inf`` is the largest difference.
        compute_mode: PyTorch's choice of how to compute; every choice gives the differences themselves here.

    >>> import autograd
    >>> autograd.cdist(autograd.tensor([[0.0, 0.0]]), autograd.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    check_floating("cdist", x1)
    check_same_dtype("cdist", x1, x2)
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(
            "cdist: wants two sets of points of one dimension, (..., n, k) and (..., m, k), "
            f"got {tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    _check_p("cdist", p)
    if not compute_mode.startswith(("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")):
        raise ValueError(f"cdist: {compute_mode!r} is not a compute_mode of PyTorch's")
    if p == 2:
        return euclidean_distances(x1, x2)
    return _length(unsqueeze(x1, -2) - unsqueeze(x2, -3), p)


@composed
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """‖xᵢ − xⱼ‖ₚ for each pair i < j of the n rows of a matrix, n (n − 1) / 2 of them, row by row.

    >>> import autograd
    >>> autograd.pdist(autograd.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    check_floating("pdist", input)
    if input.ndim != 2:
        raise ShapeError(f"pdist: wants a matrix with a point in each row, got shape {tuple(input.shape)}")
    _check_p("pdist", p)
    first, second = np.triu_indices(input.shape[0], 1)
    return _length(input[first] - input[second], p)


def _check_p(name: str, p: Any) -> None:
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not p >= 0:
        raise ValueError(f"{name}: p must be a number from 0 on, or inf, got {p!r}")


def _length(d: Any, p: float) -> Any:
    last = (d.ndim - 1,)
    if p == 2:
        return reduce_norm(d, axis=last)
    if p == 1:
        return reduce_sum(abs(d), axis=last)
    if math.isinf(p) and d.shape[-1]:
        return reduce_max(abs(d), axis=last)
    return vector_norm(d, p, -1) if d.shape[-1] else reduce_sum(d, axis=last)


@composed
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """‖x1 − x2 + ε‖ₚ along the last dimension, row by row; the two broadcast.

    >>> import autograd
    >>> autograd.pairwise_distance(autograd.tensor([[3.0, 4.0]]), autograd.zeros(1, 2), eps=0)
    tensor([5.])
    """
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


@composed
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8, *, axis: int | None = None) -> Tensor:
    """x1 · x2 / (max(‖x1‖, ε) max(‖x2‖, ε)) along ``dim``, by default the second; the two broadcast.

    As in PyTorch the gradient is that of the norms themselves also where ε takes their place.

    >>> import autograd
    >>> autograd.cosine_similarity(autograd.tensor([1.0, 0.0]), autograd.tensor([2.0, 0.0]), dim=0)
    tensor(1.)
    """
    check_floating("cosine_similarity", x1)
    x1, x2 = broadcast_tensors(x1, x2)
    d = dimension("cosine_similarity", dim if axis is None else axis, x1.ndim)
    along = (d,) if x1.ndim else ()
    return reduce_sum(_unit(x1, along, eps) * _unit(x2, along, eps), axis=along)


def _unit(x: Any, axis: tuple[int, ...], eps: float) -> Any:
    length = reduce_norm(x, axis=axis, keepdims=True)
    value = length.detach()
    return x / (length + (clamp(value, min=eps) - value))
