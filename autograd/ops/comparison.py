"""Tests on each entry that give bools: what kind of number it is, whether two are close. None has a gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import DTypeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .elementwise import eq, ge, gt, le, logical_not, lt, ne

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(elementwise=True)
def isnan(xp, x):
    """Whether it is NaN, not a number."""
    return x != x


@primitive(elementwise=True)
def isinf(xp, x):
    """Whether it is ∞ or −∞."""
    return xp.abs(x) == math.inf


@primitive(elementwise=True)
def isfinite(xp, x):
    """Whether it is neither NaN nor ±∞."""
    return xp.abs(x) < math.inf


@primitive(elementwise=True)
def isposinf(xp, x):
    """Whether it is ∞."""
    return x == math.inf


@primitive(elementwise=True)
def isneginf(xp, x):
    """Whether it is −∞."""
    return x == -math.inf


@primitive(elementwise=True)
def isreal(xp, x):
    """Whether it is a real number: True, since there are no complex Tensors."""
    return xp.ones_like(x) == 1


@primitive(elementwise=True)
def logical_xor(xp, x, y):
    """Whether exactly one is true (not 0), entry by entry."""
    return (x != 0) != (y != 0)


@primitive(elementwise=True, name="isclose")
def near(xp, x, y, *, rtol, atol, equal_nan):
    """|x − y| ≤ atol + rtol · |y|; see ``isclose``."""
    return xp.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


@composed
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |input − other| ≤ atol + rtol · |other|, entry by entry; equal infinities are close.

    >>> import autograd
    >>> autograd.isclose(autograd.tensor([1.0, 2.0]), autograd.tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    return near(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


@composed
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether every entry ``isclose``, as a Python bool.

    >>> import autograd
    >>> autograd.allclose(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.0000001]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@composed
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and the same entries, as a Python bool; for entry by entry use ``eq``.

    >>> import autograd
    >>> autograd.equal(autograd.tensor([1, 2]), autograd.tensor([1, 2]))
    True
    """
    for x in (input, other):
        if not isinstance(x, Node):
            raise DTypeError(f"equal: wants two Tensors, got {describe(x)}; eq() also takes numbers")
    return tuple(input.shape) == tuple(other.shape) and bool(eq(input, other).all())


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


@composed
def isin(elements: Tensor, test_elements: Tensor, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """For each entry whether it is among those of ``test_elements``, or with ``invert`` whether it is not.

    Arguments:
        elements, test_elements: Tensors of any shape, or one of them a number.
        assume_unique: not used: the answer is the same.

    >>> import autograd
    >>> autograd.isin(autograd.tensor([1, 2, 3]), autograd.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, Node) and not isinstance(test_elements, Node):
        raise DTypeError("isin: elements or test_elements must be a Tensor, got two numbers")
    if not isinstance(elements, Node):
        found = eq(test_elements, elements).any()
    elif not isinstance(test_elements, Node):
        found = eq(elements, test_elements)
    else:
        found = eq(elements.unsqueeze(-1), test_elements.reshape(-1)).any(-1)
    return logical_not(found) if invert else found
