"""Calling a module with other parameters than its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd import Tensor
from autograd.errors import describe

from ..module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with the given Tensors in the place of its parameters and buffers.

    The result depends on these Tensors, so that a model's output can be differentiated with respect to parameters
    that are themselves computed, as in meta-learning, or be the function of ``autograd.hvp``.

    Arguments:
        module: any.
        parameters_and_buffers: Tensors by dotted name; what is not named stays.
        args: the arguments, a tuple, or one that is not a tuple.
        kwargs: the keyword arguments.
        tie_weights: also replace a parameter under its other names, where it is shared.
        strict: whether every parameter and buffer must be named.

    Raises:
        ValueError: a name that there is not, or (with ``strict``) one that is missing.

    >>> import autograd, nn
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> w = autograd.tensor([[1.0, 2.0]], requires_grad=True)
    >>> functional_call(layer, {"weight": w}, autograd.ones(1, 2)).sum().backward(); w.grad
    tensor([[1., 1.]])
    """
    if not isinstance(module, Module):
        raise TypeError(f"functional_call: wants an nn.Module, got {describe(module)}")
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    unknown = [name for name in parameters_and_buffers if name not in own]
    missing = [name for name in own if name not in parameters_and_buffers] if strict else []
    if unknown or missing:
        found = [f"has no {', '.join(unknown)}"] if unknown else []
        found += [f"needs {', '.join(missing)} too (strict=True)"] if missing else []
        raise ValueError(f"functional_call: {type(module).__name__} {' and '.join(found)}")
    given = dict(parameters_and_buffers)
    if tie_weights:
        by_tensor = {own[name]: value for name, value in parameters_and_buffers.items()}
        given |= {name: by_tensor[x] for name, x in own.items() if x in by_tensor and name not in given}
    places = [(module.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in given]
    try:
        for (owner, name), value in zip(places, given.values(), strict=True):
            owner.__dict__[name] = value
        return module(*(args if isinstance(args, tuple) else () if args is None else (args,)), **(kwargs or {}))
    finally:
        for (owner, name), path in zip(places, given, strict=True):
            owner.__dict__[name] = own[path]
