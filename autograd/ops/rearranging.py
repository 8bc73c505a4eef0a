"""Entries in another order: flip, roll, rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import primitive
from .dims import dimension, sizes_of
from .elementwise import clone
from .shape import cat, reshape, transpose

if TYPE_CHECKING:
    from ..tensor import Tensor


def _backwards(ndim: int, axes: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(None, None, -1) if d in axes else slice(None) for d in range(ndim))


@primitive(name="flip")
def flip_along(xp, x, *, axes):
    """A copy of x with the order of its entries reversed along ``axes``; see ``flip``."""
    return xp.astype(x[_backwards(x.ndim, axes)], x.dtype)


flip_along.grads(x=lambda xp, g, out, x, *, axes: xp.index(g, _backwards(x.ndim, axes)))


@composed
def flip(input: Tensor, *dims: Any) -> Tensor:
    """The order of the entries reversed along ``dims``, given one by one or as one sequence; a copy.

    >>> import autograd
    >>> autograd.flip(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), (1,))
    tensor([[2., 1.],
            [4., 3.]])
    """
    axes = tuple(dimension("flip", d, input.ndim) for d in sizes_of("flip", dims))
    if len(set(axes)) < len(axes):
        raise ValueError(f"flip: dims {axes} name a dimension twice")
    return clone(input) if input.ndim == 0 else flip_along(input, axes=axes)


@composed
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order: flipped along dim 1.

    >>> import autograd
    >>> autograd.fliplr(autograd.tensor([[1.0, 2.0]]))
    tensor([[2., 1.]])
    """
    if input.ndim < 2:
        raise ShapeError(f"fliplr: wants at least 2 dimensions, got shape {tuple(input.shape)}; use flip(x, 0)")
    return flip(input, 1)


@composed
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order: flipped along dim 0.

    >>> import autograd
    >>> autograd.flipud(autograd.tensor([1.0, 2.0]))
    tensor([2., 1.])
    """
    if input.ndim < 1:
        raise ShapeError("flipud: wants at least 1 dimension, got a 0-d Tensor")
    return flip(input, 0)


@composed
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The entries moved on by ``shifts`` along ``dims``, those beyond the end to the front; a copy.

    Without ``dims`` x is rolled as if it were flat.

    >>> import autograd
    >>> autograd.roll(autograd.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    steps = sizes_of("roll", (shifts,))
    if dims is None or (isinstance(dims, (tuple, list)) and not dims):
        if len(steps) != 1:
            raise ShapeError(f"roll: got {len(steps)} shifts and no dims; give one dim for each shift")
        if input.ndim == 1:
            return roll(input, steps, 0)
        return reshape(roll(reshape(input, -1), steps, 0), tuple(input.shape))
    axes = [dimension("roll", d, input.ndim) for d in sizes_of("roll", (dims,))]
    if len(axes) != len(steps):
        raise ShapeError(f"roll: got {len(steps)} shifts and {len(axes)} dims; give one shift for each dim")
    out = clone(input)
    for step, d in zip(steps, axes, strict=True):
        n = input.shape[d] if input.ndim else 1
        at = -step % n if n else 0  # where the part begins that comes first
        if at:
            before = (slice(None),) * d
            out = cat([out[(*before, slice(at, None))], out[(*before, slice(at))]], d)
    return out


@composed
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """x turned by k · 90° in the plane of two dimensions, from the first towards the second; a copy.

    >>> import autograd
    >>> autograd.rot90(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    if input.ndim < 2:
        raise ShapeError(f"rot90: wants at least 2 dimensions, got shape {tuple(input.shape)}")
    plane = [dimension("rot90", d, input.ndim) for d in sizes_of("rot90", (dims,))]
    if len(plane) != 2 or plane[0] == plane[1]:
        raise ValueError(f"rot90: dims must be two different dimensions, got {dims}")
    turns = k % 4
    if turns == 0:
        return clone(input)
    if turns == 2:
        return flip(input, *plane)
    return transpose(flip(input, plane[1] if turns == 1 else plane[0]), *plane)
