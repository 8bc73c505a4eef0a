"""Parameters as one vector, for optimizers of vectors and for looking at a whole model."""

from __future__ import annotations

from collections.abc import Iterable

import autograd
from autograd import DTypeError, ShapeError, Tensor, no_grad
from autograd.errors import describe

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The entries of all parameters in order, as one Tensor (n,), through which gradients flow.

    >>> import nn
    >>> parameters_to_vector(nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    found = list(parameters)
    if not found:
        raise ValueError("parameters_to_vector: there are no parameters")
    return autograd.cat([p.reshape(-1) for p in found])


@no_grad()
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copies the entries of ``vec``, as ``parameters_to_vector`` orders them, into the parameters.

    Arguments:
        vec: a Tensor (n,).
        parameters: with n entries together.

    Raises:
        ShapeError: ``vec`` has more or fewer entries.

    >>> import nn
    >>> layer = nn.Linear(2, 1)
    >>> vector_to_parameters(autograd.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.tolist(), layer.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise DTypeError(f"vector_to_parameters: vec must be a Tensor, got {describe(vec)}")
    found = list(parameters)
    count = sum(p.numel() for p in found)
    if vec.shape != (count,):
        raise ShapeError(f"vector_to_parameters: vec must have shape ({count},), as the parameters, got {vec.shape}")
    start = 0
    for p in found:
        p.copy_(vec[start : start + p.numel()].reshape(p.shape).to(p.dtype))
        start += p.numel()
