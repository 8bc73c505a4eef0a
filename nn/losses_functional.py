"""Losses as functions, under the names of PyTorch's ``torch.nn.functional``.

Predictions and targets must have one shape; PyTorch broadcasts them, and (N, 1) against (N,) then compares every
prediction with every target.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

import autograd
from autograd import DTypeError, GraphError, ShapeError, Tensor
from autograd.errors import describe

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss",
    "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


def loss_function(function: F) -> F:
    """Checks ``reduction``, and refuses the two words that PyTorch had before it, with the fix."""
    name = function.__name__

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        old = [word for word in ("size_average", "reduce") if kwargs.pop(word, None) is not None]
        if old:
            raise TypeError(
                f"{name}: {' and '.join(old)} is not supported; say reduction='mean', 'sum' or 'none' instead"
            )
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]


def check_reduction(name: str, reduction: str, *more: str) -> None:
    """Raises the ValueError of a reduction that there is not."""
    if reduction not in ("mean", "sum", "none", *more):
        words = "".join(f"{word!r}, " for word in more)
        raise ValueError(f"{name}: reduction must be {words}'mean', 'sum' or 'none', got {reduction!r}")


def check(
    name: str,
    reduction: str,
    input: Any,
    target: Any,
    same_shape: bool = True,
    roles: tuple[str, str] = ("input", "target"),
) -> None:
    """Raises the errors of an unknown reduction, of what is no Tensor, of an input of integers, and of shapes.

    ``roles`` are the names of the two arguments.
    """
    check_reduction(name, reduction)
    if not isinstance(input, Tensor) or not isinstance(target, Tensor):
        check_tensors(name, **{roles[0]: input, roles[1]: target})
    if input.dtype.kind != "f":
        check_floating(name, **{roles[0]: input})
    if same_shape:
        _check_same_shape(name, input, target, *roles)


def check_tensors(name: str, **given: Any) -> None:
    """Raises the DTypeError of what is no Tensor."""
    for role, value in given.items():
        if not isinstance(value, Tensor):
            raise DTypeError(f"{name}: {role} must be a Tensor, got {describe(value)}; make one with autograd.tensor")


def check_floating(name: str, **given: Any) -> None:
    """Raises the DTypeError of Tensors that are not floating."""
    for role, value in given.items():
        if value.dtype.kind != "f":
            raise DTypeError(f"{name}: {role} must be floating, got {describe(value)}; convert it: {role}.float()")


def values(x: Tensor) -> Any:
    """The entries of ``x``, or None inside a compiled function, where there are none to look at."""
    try:
        return x.detach().numpy()
    except GraphError:
        return None


def _check_same_shape(name: str, input: Tensor, target: Tensor, first: str, second: str) -> None:
    if input.shape == target.shape:
        return
    fix = "bring them to one shape first"
    if input.shape == (*target.shape, 1):
        fix = f"add the missing dimension, {second}.unsqueeze(-1), or take it from the {first}, {first}.squeeze(-1)"
    elif target.shape == (*input.shape, 1):
        fix = f"take away the last dimension, {second}.squeeze(-1), or add it to the {first}, {first}.unsqueeze(-1)"
    raise ShapeError(
        f"{name}: {first} of shape {input.shape} and {second} of shape {target.shape} would be broadcast against each "
        f"other, and every prediction compared with targets that are not its own; {fix}"
    )


def check_probabilities(
    name: str, reduction: str, input: Any, target: Any, roles: tuple[str, str] = ("input", "target")
) -> None:
    """Raises the errors of ``check``, and of what is no probability."""
    check(name, reduction, input, target, roles=roles)
    check_floating(name, **{roles[1]: target})
    fixes = ("for logits use the loss that takes them, binary_cross_entropy_with_logits or cross_entropy", "scale it")
    # Targets may be off by rounding: smoothed, mixed or averaged ones are.
    for role, x, slack, fix in zip(roles, (input, target), (0.0, 1e-5), fixes, strict=True):
        given = values(x)
        if given is None or not given.size or (given.min() >= -slack and given.max() <= 1 + slack):
            continue
        wanted = f"{name}: {role} must hold probabilities between 0 and 1, got"
        if np.isnan(given).any():
            raise ValueError(f"{wanted} NaN; look where it comes from")
        raise ValueError(f"{wanted} some from {given.min():g} to {given.max():g}; {fix}")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Mean or sum of the losses, or the losses themselves."""
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def mean_by_weight(losses: Tensor, weight: Tensor) -> Tensor:
    """Σ losses / Σ weight: NaN where there is no weight, of an empty batch say, without NumPy's warning."""
    total = weight.sum()
    return losses.sum() / autograd.where(total == 0, math.nan, total)


def weighted(name: str, losses: Tensor, weight: Tensor | None) -> Tensor:
    """losses · weight; a weight that would broadcast the losses to a larger shape is refused."""
    if weight is None:
        return losses
    check_tensors(name, weight=weight)
    out = losses * weight
    if out.shape != losses.shape:
        raise ShapeError(
            f"{name}: weight of shape {weight.shape} does not broadcast to the losses' shape {losses.shape}, it would "
            f"make {out.shape} of it; bring it to that shape first"
        )
    check_weight_dtype(name, losses, weight)
    return out


def check_weight_dtype(name: str, of: Tensor, weight: Tensor, what: str = "the losses are") -> None:
    """Raises the DTypeError of a weight that would make the loss wider than what it weighs."""
    if weight.dtype.kind == "f" and weight.dtype != of.dtype:
        raise DTypeError(
            f"{name}: weight is {weight.dtype} and {what} {of.dtype}, and the result would be the wider of the two; "
            "convert one, for example with .float() or .double()"
        )


def _weighted_mean(name: str, losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None:
        return reduced(losses, reduction)
    check_tensors(name, weight=weight)
    if weight.shape != losses.shape:
        raise ShapeError(f"{name}: weight must have the shape {losses.shape} of the input, got {weight.shape}")
    check_weight_dtype(name, losses, weight)
    return mean_by_weight(losses * weight, weight) if reduction == "mean" else reduced(losses * weight, reduction)


@loss_function
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """Mean over all entries of (input − target)².

    Arguments:
        input, target: Tensors of one shape; unlike PyTorch's they are never broadcast.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: of the same shape, how much each entry counts; the mean is then Σ weight · loss / Σ weight.

    Raises:
        ShapeError: the shapes differ, (N, 1) against (N,) say.

    >>> mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check("mse_loss", reduction, input, target)
    return _weighted_mean("mse_loss", (input - target).square(), weight, reduction)


@loss_function
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Tensor:
    """Mean over all entries of |input − target|; the arguments are those of ``mse_loss``.

    >>> l1_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(1.)
    """
    check("l1_loss", reduction, input, target)
    return _weighted_mean("l1_loss", (input - target).abs(), weight, reduction)


@loss_function
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d² / (2 beta) where the difference d is below beta in size, |d| − beta / 2 elsewhere.

    Source: Girshick, Fast R-CNN, 2015.

    >>> smooth_l1_loss(autograd.tensor([0.5, 3.0]), autograd.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    check("smooth_l1_loss", reduction, input, target)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    d = input - target
    if beta == 0:
        return reduced(d.abs(), reduction)
    size = d.abs()
    return reduced(autograd.where(size < beta, d * d * (0.5 / beta), size - 0.5 * beta), reduction)


@loss_function
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d² / 2 where the difference d is at most delta in size, delta (|d| − delta / 2) elsewhere.

    The mean of a weighted loss is, as in PyTorch, that of weight · loss, not divided by the weights.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> huber_loss(autograd.tensor([0.5, 3.0]), autograd.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    check("huber_loss", reduction, input, target)
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be above 0, got {delta}")
    d = input - target
    size = d.abs()
    losses = autograd.where(size < delta, 0.5 * (d * d), delta * (size - 0.5 * delta))
    if weight is not None:
        if weight.shape != losses.shape:
            raise ShapeError(f"huber_loss: weight must have the shape {losses.shape} of the input, got {weight.shape}")
        losses = losses * weight
    return reduced(losses, reduction)


@loss_function
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """−(t ln p + (1 − t) ln(1 − p)), p the input and t the target; the logarithms are cut off at −100.

    Arguments:
        input: probabilities in [0, 1]; for logits use ``binary_cross_entropy_with_logits``, which is more precise.
        target: of the same shape, 0, 1 or between.
        weight: broadcasts to that shape, how much each entry counts; the mean is over the number of entries.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ShapeError: the shapes differ. ValueError: a probability is outside [0, 1].

    >>> binary_cross_entropy(autograd.tensor([0.5, 0.25]), autograd.tensor([1.0, 0.0]))
    tensor(0.4904)
    """
    name = "binary_cross_entropy"
    check_probabilities(name, reduction, input, target)
    return reduced(weighted(name, autograd.bernoulli_nll(input, target), weight), reduction)


@loss_function
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """−(w t ln σ(x) + (1 − t) ln(1 − σ(x))), x the input, t the target and w pos_weight; without overflow.

    Arguments:
        input: logits of any shape.
        target: of the same shape, 0, 1 or between.
        weight: broadcasts to that shape, how much each entry counts; the mean is over the number of entries.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: broadcasts to that shape, how much more the positive class counts.

    >>> binary_cross_entropy_with_logits(autograd.tensor([0.0, 1000.0]), autograd.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    name = "binary_cross_entropy_with_logits"
    check(name, reduction, input, target)
    check_floating(name, input=input, target=target)
    if pos_weight is None:
        losses = autograd.logistic_nll(input, target)
    else:
        check_tensors(name, pos_weight=pos_weight)
        # −ln σ(x) = softplus(−x), and −ln(1 − σ(x)) is x more.
        softplus = autograd.softplus(-input, threshold=math.inf)
        losses = (1 - target) * input + (1 + (pos_weight - 1) * target) * softplus
        if losses.shape != input.shape:
            raise ShapeError(f"{name}: pos_weight of shape {pos_weight.shape} does not broadcast to {input.shape}")
    return reduced(weighted(name, losses, weight), reduction)


@loss_function
def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (ln t − x), t the target and x the input: the Kullback–Leibler divergence, when summed over a distribution.

    Arguments:
        input: log-probabilities.
        target: probabilities of the same shape, or log-probabilities with ``log_target``.
        reduction: ``"batchmean"``, the divergence in the mathematical sense, divided by input.size(0); ``"mean"``
            over all entries, ``"sum"`` or ``"none"``.
        log_target: whether the target is ln t.

    >>> p = autograd.tensor([[0.5, 0.5]]); q = autograd.tensor([[0.25, 0.75]])
    >>> kl_div(q.log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    check_reduction("kl_div", reduction, "batchmean")
    check("kl_div", "mean", input, target)
    if log_target:
        losses = target.exp() * (target - input)
    else:
        safe = autograd.where(target == 0, 1.0, target)  # 0 ln 0 is 0
        losses = target * safe.log() - target * input
    if reduction == "batchmean":
        return losses.sum() / (input.shape[0] or math.nan) if input.ndim else losses
    return reduced(losses, reduction)


@loss_function
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """eˣ − t x, or x − t ln(x + eps) without ``log_input``: that of a Poisson distribution, but for ln t!.

    Arguments:
        input: the logarithm of the expectation, or the expectation itself without ``log_input``.
        target: counts of the same shape.
        full: add Stirling's t ln t − t + ln(2πt) / 2 for ln t!, where t > 1.
        eps: keeps the logarithm away from 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> poisson_nll_loss(autograd.tensor([0.0, 1.0]), autograd.tensor([1.0, 2.0]))
    tensor(0.8591)
    """
    check("poisson_nll_loss", reduction, input, target)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        t = autograd.where(target > 1, target, 1.0).to(input.dtype)
        stirling = t * t.log() - t + 0.5 * (2 * math.pi * t).log()
        losses = losses + autograd.where(target > 1, stirling, 0.0)
    return reduced(losses, reduction)


@loss_function
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(ln v + (x − t)² / v) / 2, where v is the variance or eps, whichever is larger.

    Arguments:
        input, target: expectations and targets of one shape.
        var: variances of that shape, or of that shape with 1 for, or without, the last size; or a number.
        full: add the constant ln(2π) / 2.
        eps: what the variance is at least. The gradient of var is as if it were not there.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Source: Nix and Weigend, Estimating the Mean and Variance of the Target Probability Distribution, 1994.

    >>> gaussian_nll_loss(autograd.tensor([0.0]), autograd.tensor([2.0]), autograd.tensor([4.0]))
    tensor(1.1931)
    """
    name = "gaussian_nll_loss"
    check(name, reduction, input, target)
    variance = var if isinstance(var, Tensor) else autograd.ones_like(input) * var
    given = values(variance)
    if given is not None and (given < 0).any():
        raise ValueError(f"{name}: var is a variance and must not be negative, got {given.min():g}")
    if variance.shape != input.shape:
        other_sizes = [m for n, m in zip(input.shape, variance.shape, strict=False) if n != m]
        if variance.shape == input.shape[:-1]:
            variance = variance.unsqueeze(-1)
        elif variance.ndim != input.ndim or other_sizes != [1]:
            raise ShapeError(f"{name}: var of shape {variance.shape} does not fit input of shape {input.shape}")
    variance = variance + (autograd.clamp(variance, min=eps) - variance).detach()
    losses = 0.5 * (variance.log() + (input - target).square() / variance)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)
