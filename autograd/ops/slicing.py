"""Parts along one dimension: cutting them out, putting them in, and summing down to a smaller shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, ShapeError, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from .arithmetic import masked_fill
from .dims import dimension, sizes_of
from .elementwise import clone
from .gathering import narrow
from .indexing import setitem
from .reduction import sum as sum_of
from .shape import reshape, split

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of x of the listed sizes along ``dim``, views of it; ``split`` with a list.

    >>> import autograd
    >>> autograd.split_with_sizes(autograd.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return split(input, list(split_sizes), dim)


@composed
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A copy of the ``length`` entries of x from ``start`` on along ``dim``; ``narrow`` gives a view.

    >>> import autograd
    >>> autograd.narrow_copy(autograd.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    return clone(narrow(input, dim, start, length))


def _put(name: str, x: Any, src: Any, d: int, part: Any) -> Any:
    if not isinstance(src, Node):
        raise no_tensor(name, "src", src)
    if src.dtype != x.dtype:
        raise DTypeError(f"{name}: x is {x.dtype} and src {src.dtype}; convert one, for example src.to(x.dtype)")
    key = (*(slice(None),) * d, part)
    wanted = np.broadcast_to(np.False_, x.shape)[key].shape
    if tuple(src.shape) != wanted:
        raise ShapeError(
            f"{name}: src has shape {tuple(src.shape)}, and its place in x of shape {tuple(x.shape)} shape {wanted}"
        )
    return setitem(x, src, key=key)


@composed
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of x with ``src`` in the place that ``select(x, dim, index)`` gives.

    Arguments:
        src: of x's dtype, with x's shape but for ``dim``, which it lacks.
        index: along ``dim``; below 0 it counts from the end.

    >>> import autograd
    >>> autograd.select_scatter(autograd.zeros(2, 2), autograd.ones(2), 0, -1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    if input.ndim == 0:
        raise ShapeError("select_scatter: a 0-d Tensor has no dimension to select from")
    d = dimension("select_scatter", dim, input.ndim)
    n = input.shape[d]
    if not -n <= index < n:
        raise IndexError(f"select_scatter: index {index} is out of range for dim {d} of size {n}")
    return _put("select_scatter", input, src, d, index % n)


@composed
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of x with ``src`` in the place of ``x[start:end:step]`` along ``dim``.

    Arguments:
        src: of x's dtype, with the shape of that part.
        start, end: as in a slice; an end beyond the last entry means all.
        step: at least 1.

    >>> import autograd
    >>> autograd.slice_scatter(autograd.zeros(4), autograd.ones(2), start=1, end=4, step=2)
    tensor([0., 1., 0., 1.])
    """
    if input.ndim == 0:
        raise ShapeError("slice_scatter: a 0-d Tensor has no dimension to slice")
    if step < 1:
        raise ValueError(f"slice_scatter: step must be at least 1, got {step}")
    d = dimension("slice_scatter", dim, input.ndim)
    return _put("slice_scatter", input, src, d, slice(start, end, step))


@composed
def fill_diagonal(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """A copy of x with ``fill_value`` where all indices are equal; as a method in place, ``fill_diagonal_``.

    Arguments:
        input: a matrix, or more dimensions of equal size.
        wrap: begin again below the square part of a tall matrix.

    >>> import autograd
    >>> autograd.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if input.ndim < 2 or (input.ndim > 2 and len(set(input.shape)) > 1):
        raise ShapeError(
            f"fill_diagonal_: wants a matrix, or more dimensions of equal size, got shape {tuple(input.shape)}"
        )
    return masked_fill(input, _on_diagonal(tuple(input.shape), wrap), fill_value)


def _on_diagonal(shape: tuple[int, ...], wraps: bool) -> Any:
    mask = np.zeros(shape, bool)
    if mask.size:
        np.fill_diagonal(mask, True, wrap=wraps)
    return wrap(mask)


@composed
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """x summed down to a shape that broadcasts to x's: what undoes a broadcast in a gradient.

    >>> import autograd
    >>> autograd.ones(2, 3).sum_to_size(3)
    tensor([2., 2., 2.])
    """
    wanted, shape = sizes_of("sum_to_size", size), tuple(input.shape)
    front = len(shape) - len(wanted)
    if front < 0 or any(w not in (1, n) for w, n in zip(wanted, shape[front:], strict=True)):
        raise ShapeError(f"sum_to_size: {wanted} does not broadcast to x's shape {shape}")
    dims = (*range(front), *(front + i for i, w in enumerate(wanted) if w != shape[front + i]))
    return reshape(sum_of(input, dims, keepdim=True), wanted) if dims else input
