"""Parameter: a Tensor that a Module counts among what it learns."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A Tensor that becomes one of a Module's parameters when it is assigned as an attribute.

    Arguments:
        data: the initial value, a floating Tensor of any shape (its memory is shared, as in PyTorch), or what
            ``autograd.as_tensor`` takes.
        requires_grad: whether gradients are computed for it.

    Raises:
        DTypeError: ``data`` is not floating and ``requires_grad`` is True.

    >>> Parameter(autograd.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    # No slots of its own: only a class of the very same layout can take over an existing Tensor.
    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        parameter = (autograd.empty(0) if data is None else autograd.as_tensor(data)).detach()
        parameter.__class__ = cls
        parameter.requires_grad = requires_grad
        return parameter  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A Tensor that becomes one of a Module's buffers when it is assigned as an attribute.

    Arguments:
        data: of any shape and dtype (its memory is shared), or what ``autograd.as_tensor`` takes.
        persistent: whether ``state_dict`` holds it.

    >>> import nn
    >>> module = nn.Module(); module.mean = Buffer(autograd.zeros(2)); module.state_dict()
    {'mean': tensor([0., 0.])}
    """

    __slots__ = ()
    persistent = True

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        buffer = (autograd.empty(0) if data is None else autograd.as_tensor(data)).detach()
        buffer.__class__ = Buffer if persistent else _TransientBuffer
        return buffer  # type: ignore[return-value]


class _TransientBuffer(Buffer):
    """One that ``state_dict`` leaves out: a class, since a Tensor has no attributes of one's own."""

    __slots__ = ()
    persistent = False
