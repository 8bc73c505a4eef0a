"""Grids and combinations of the entries of vectors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .broadcasting import broadcast_tensors
from .dims import sizes_of
from .elementwise import floor_divide, pow, remainder
from .shape import reshape, stack

if TYPE_CHECKING:
    from ..tensor import Tensor


def _vectors(name: str, tensors: Any, scalars: bool) -> list[Any]:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    if not tensors:
        raise ValueError(f"{name}: wants at least one Tensor")
    for i, x in enumerate(tensors):
        if not isinstance(x, Node):
            raise DTypeError(f"{name}: wants Tensors, argument {i} is {describe(x)}")
        if x.ndim != 1 and not (scalars and x.ndim == 0):
            raise ShapeError(f"{name}: wants vectors, argument {i} has shape {tuple(x.shape)}")
    return list(tensors)


@composed
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid: for vectors of n, m, … entries as many Tensors of shape (n, m, …), views of them.

    Arguments:
        tensors: vectors, given one by one or as one sequence.
        indexing: ``"ij"`` as in PyTorch's default, or ``"xy"`` for shape (m, n, …) as in NumPy's.

    >>> import autograd
    >>> x, y = autograd.meshgrid(autograd.tensor([1, 2]), autograd.tensor([3, 4]))
    >>> x.tolist(), y.tolist()
    ([[1, 1], [2, 2]], [[3, 4], [3, 4]])
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    xs = _vectors("meshgrid", tensors, scalars=True)
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = 1, 0
    lines = []
    for x, d in zip(xs, places, strict=True):
        shape = [1] * len(xs)
        shape[d] = x.numel()
        lines.append(reshape(x, tuple(shape)))
    return broadcast_tensors(*lines)


@composed
def cartesian_prod(*tensors: Any) -> Tensor:
    """Every choice of one entry from each vector, as rows; the last vector changes fastest.

    >>> import autograd
    >>> autograd.cartesian_prod(autograd.tensor([1, 2]), autograd.tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    xs = _vectors("cartesian_prod", tensors, scalars=False)
    if len(xs) == 1:
        return xs[0]
    return stack([reshape(x, -1) for x in meshgrid(*xs)], 1)


@composed
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of r entries of a vector, in their order, as rows.

    >>> import autograd
    >>> autograd.combinations(autograd.tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    if input.ndim != 1:
        raise ShapeError(f"combinations: wants a vector, got shape {tuple(input.shape)}")
    if r < 0:
        raise ValueError(f"combinations: r must not be negative, got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    if r == 0:
        return input[:0]
    rows = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)
    return input[rows]


@composed
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the entries of x as columns: x to the N − 1 down to 0, or up from 0 if ``increasing``.

    Arguments:
        x: shape (..., n).
        N: how many columns; n if left out.

    >>> import autograd
    >>> autograd.vander(autograd.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    if x.ndim == 0:
        raise ShapeError("vander: wants at least 1 dimension, got a 0-d Tensor")
    columns = x.shape[-1] if N is None else N
    if columns < 0:
        raise ValueError(f"vander: N must not be negative, got {N}")
    exponents = np.arange(columns) if increasing else np.arange(columns)[::-1]
    dtype = np.dtype("int64") if x.dtype.kind == "b" else x.dtype
    base = x.to(dtype) if x.dtype != dtype else x
    return pow(reshape(base, (*x.shape, 1)), wrap(exponents.astype(dtype)))


@composed
def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The index in each dimension of ``shape`` for places along its flattened entries.

    Arguments:
        indices: integers of any shape, from 0 to the number of entries less 1; not checked.
        shape: the sizes.

    >>> import autograd
    >>> autograd.unravel_index(autograd.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"unravel_index: indices must be integers, got {describe(indices._array)}")
    places = []
    for n in reversed(sizes_of("unravel_index", (shape,))):
        places.append(remainder(indices, n))
        indices = floor_divide(indices, n)
    return tuple(reversed(places))
