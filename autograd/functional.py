"""Derivatives of functions at given points, as in ``torch.autograd.functional``; ``autograd.transforms`` computes them.

Inputs are a Tensor or a tuple of Tensors; results are detached unless ``create_graph`` is True.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import transforms
from .creation import ones_like
from .errors import ShapeError
from .tensor import Tensor
from .tree import map_leaves

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]


def _points(inputs: Any) -> tuple[Any, ...]:
    return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)


def _done(result: Any, create_graph: bool) -> Any:
    return result if create_graph else map_leaves(lambda x: x.detach() if isinstance(x, Tensor) else x, result)


def _like(inputs: Any, results: tuple[Any, ...]) -> Any:
    return results if isinstance(inputs, (tuple, list)) else results[0]


def _only_loose(name: str, strict: bool) -> None:
    if strict:
        raise ValueError(f"{name}: strict=True is not supported; a result that does not depend on an input gives zeros")


def _directions(name: str, v: Any, like: Any) -> Any:
    if v is not None:
        return v
    if isinstance(like, (tuple, list)) or like.numel() != 1:
        raise ShapeError(f"{name}: v can be left out only for one Tensor with one entry; give v")
    return ones_like(like)


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """∂f/∂x at ``inputs``: for each output, of each input, of shape (*output.shape, *input.shape).

    Arguments:
        func: takes the inputs one by one, returns a Tensor or a tuple of them.
        inputs: a Tensor or a tuple of Tensors.
        create_graph: whether the result can be differentiated.
        strict: must be False.
        vectorize, strategy: not used; forward or backward is chosen by which is shorter.

    >>> import autograd
    >>> jacobian(lambda x: x ** 2, autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _only_loose("jacobian", strict)
    points = _points(inputs)
    argnums = tuple(range(len(points))) if isinstance(inputs, (tuple, list)) else 0
    return _done(transforms.jacobian(func, argnums)(*points), create_graph)


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """∂²f/∂x² at ``inputs`` of a scalar function; for a tuple of inputs a tuple of tuples. Arguments as ``jacobian``.

    >>> import autograd
    >>> hessian(lambda x: (x ** 3).sum(), autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _only_loose("hessian", strict)
    points = _points(inputs)
    argnums = tuple(range(len(points))) if isinstance(inputs, (tuple, list)) else 0
    return _done(transforms.hessian(func, argnums)(*points), create_graph)


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """f(x), and vᵀ J: the gradients of the inputs for the upstream gradient v of the outputs.

    Arguments:
        v: as the outputs; None for a scalar means 1.

    >>> import autograd
    >>> vjp(lambda x: x ** 2, autograd.tensor([1.0, 2.0]), autograd.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    _only_loose("vjp", strict)
    out, pull = transforms.vjp(func, *_points(inputs))
    return _done((out, _like(inputs, pull(_directions("vjp", v, out)))), create_graph)


def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """f(x), and J v: how the outputs move when the inputs move along v.

    Arguments:
        v: as the inputs; None for one Tensor with one entry means 1.

    >>> import autograd
    >>> jvp(lambda x: x ** 2, autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 0.0]))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    _only_loose("jvp", strict)
    along = _points(_directions("jvp", v, inputs))
    return _done(transforms.jvp(func, _points(inputs), along), create_graph)


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """f(x), and H v, the Hessian of a scalar function times a vector. Arguments as ``jvp``.

    >>> import autograd
    >>> hvp(lambda x: (x ** 3).sum(), autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 0.0]))
    (tensor(9.), tensor([6., 0.]))
    """
    _only_loose("hvp", strict)
    along = _points(_directions("hvp", v, inputs))
    value, moved = transforms.hvp(func, _points(inputs), along)
    return _done((value, _like(inputs, tuple(moved))), create_graph)


def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """f(x), and vᵀ H, which is ``hvp``'s H v, since a Hessian is symmetric."""
    return hvp(func, inputs, v, create_graph, strict)
