"""The arrays of many Tensors at once, and those of their gradients: what an optimizer reads before every step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .tensor import Tensor

__all__ = ["arrays_of", "gradients_of"]


def arrays_of(tensors: Iterable[Tensor]) -> list[Any]:
    """What ``numpy()`` gives for each of them.

    >>> import autograd
    >>> arrays_of([autograd.zeros(2), autograd.tensor(1.0)])
    [array([0., 0.], dtype=float32), array(1., dtype=float32)]
    """
    return [a if type(a := t._array) is np.ndarray else t.numpy() for t in tensors]


def gradients_of(tensors: Iterable[Tensor]) -> tuple[list[Tensor], list[Any]]:
    """Those of them that have a gradient, and its array; the gradient itself where ``is_rows``.

    >>> import autograd
    >>> x, y = autograd.zeros(2, requires_grad=True), autograd.zeros(3, requires_grad=True)
    >>> y.sum().backward()
    >>> owners, found = gradients_of([x, y])
    >>> owners == [y], found
    (True, [array([1., 1., 1.], dtype=float32)])
    """
    owners: list[Tensor] = []
    found: list[Any] = []
    for t in tensors:
        g = t._grad
        if g is not None:
            owners.append(t)
            a = g._array if type(g) is Tensor else g if g.is_rows else g.numpy()
            found.append(a if type(a) is np.ndarray or a is g else g.numpy())
    return owners, found
