"""Parameter groups whose learning rates or weight decay follow from the parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from autograd import Tensor
from autograd.errors import describe

__all__ = ["decay_groups", "fan_in_groups"]


def fan_in_groups(params: Iterable[Tensor], lr: float) -> list[dict[str, Any]]:
    """Groups in which each weight's rate is lr / √fan_in, so that wide layers do not jump.

    fan_in is the number of inputs of a neuron: of a weight of shape (out, in, ...) the product of all but the first
    size, and 1 of what has fewer than two dimensions, such as a bias.

    Source: Collobert 2004, Large scale machine learning; the lectures.

    Arguments:
        params: parameters.
        lr: the rate of a weight with one input.

    Returns a list of groups, one for each fan_in, for any optimizer.

    Raises:
        TypeError: something that is not a Tensor.

    >>> import autograd, nn, optim
    >>> model = nn.Sequential(nn.Linear(4, 100), nn.Tanh(), nn.Linear(100, 1))
    >>> optimizer = optim.SGD(optim.fan_in_groups(model.parameters(), lr=1.0))
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.5, 1.0, 0.1]
    """
    groups: dict[int, list[Tensor]] = {}
    for i, p in enumerate(params):
        if not isinstance(p, Tensor):
            raise TypeError(f"fan_in_groups: parameter {i} must be a Tensor, got {describe(p)}")
        groups.setdefault(max(1, math.prod(p.shape[1:])), []).append(p)
    return [{"params": members, "lr": lr / math.sqrt(fan_in)} for fan_in, members in groups.items()]


def decay_groups(
    params: Iterable[Tensor | tuple[str, Tensor]], weight_decay: float, *, decay_vectors: bool = False
) -> list[dict[str, Any]]:
    """Two groups: weights, which decay, and biases, which do not.

    A bias sets where a unit switches and not how strongly it reacts, so decay would only move it away from the data.

    Source: Stanford's CS224N notes on regularization, whose penalty sums over the weight matrices.

    Arguments:
        params: parameters, or pairs of a name and a parameter, as ``model.named_parameters()`` gives them.
        weight_decay: λ of the weights.
        decay_vectors: False takes everything of fewer than two dimensions for a bias, also the scales of
            normalizations; True, which needs names, only what is called bias.

    Returns a list of one or two groups, for any optimizer with weight_decay.

    Raises:
        TypeError: something that is not a Tensor, or no names where they are needed.

    >>> import autograd, nn, optim
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> optimizer = optim.SGD(optim.decay_groups(model.named_parameters(), weight_decay=0.01), lr=0.1)
    >>> [(group["weight_decay"], group["param_names"]) for group in optimizer.param_groups]
    [(0.01, ['0.weight', '2.weight']), (0.0, ['0.bias', '2.bias'])]
    """
    weights: list[Any] = []
    biases: list[Any] = []
    for i, given in enumerate(params):
        name, p = given if isinstance(given, tuple) else (None, given)
        if not isinstance(p, Tensor):
            raise TypeError(f"decay_groups: parameter {i} must be a Tensor, got {describe(p)}")
        if decay_vectors and name is None:
            raise TypeError("decay_groups: decay_vectors=True goes by names; pass model.named_parameters()")
        called_bias = name is not None and name.rpartition(".")[2] == "bias"
        (biases if called_bias or (p.ndim < 2 and not decay_vectors) else weights).append(given)
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
