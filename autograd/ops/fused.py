"""Compositions that have a stabler or quicker form as one operation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..errors import DTypeError, ShapeError, describe, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .dims import Dims, dimension, kept_shape, normal_dims
from .elementwise import check_floating, where
from .indexing import gather, getitem
from .linalg import as_rows, check_same_dtype
from .numpy_affine import LARGE, PACKED, WIDE, add_to_rows, affine, in_one_product, outer_sum, sum_of_rows
from .numpy_cross_entropy import entropy, entropy_back

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive
def linear(xp, x, weight, bias=None):
    """x Wᵀ + b, the affine map of a layer.

    Arguments:
        x: (..., in), weight: (out, in), bias: (out,) or None; all of one floating dtype.

    Returns (..., out).

    >>> import autograd
    >>> autograd.linear(autograd.ones(2, 3), autograd.ones(4, 3), autograd.zeros(4)).shape
    (2, 4)
    """
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: x of shape {tuple(x.shape)} and weight of shape {tuple(weight.shape)} do not fit: "
            "the last size of x must equal the last of weight, which is (out, in)"
        )
    if x.dtype is not weight.dtype or (bias is not None and bias.dtype is not x.dtype):
        check_same_dtype("linear", x, weight, bias)
    flat = x if x.ndim <= 2 else as_rows(x)  # (N, in)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"linear: bias must have shape {tuple(weight.shape[:1])} to fit weight {tuple(weight.shape)}, "
            f"got {tuple(bias.shape)}"
        )
    if xp is numpy_namespace and weight.size >= LARGE:
        quick = affine(flat, weight, bias)
        if quick is not None:
            return quick if x.ndim <= 2 else quick.reshape(*x.shape[:-1], weight.shape[0])
    out = flat @ weight.T
    if bias is not None:
        if xp is numpy_namespace and out.size >= WIDE:
            add_to_rows(out, bias)
        else:
            out += bias
    return out if x.ndim <= 2 else out.reshape(*x.shape[:-1], weight.shape[0])


def _linear_weight(xp, g, out, x, weight, bias=None):
    if g.ndim != 2:
        g, x = as_rows(g), as_rows(x)  # (N, out), (N, in)
    if xp is numpy_namespace and weight.size >= LARGE:
        product = outer_sum(g, x)
        if product is not None:
            return product
    return g.T @ x


def _linear_x(xp, g, out, x, weight, bias=None):
    if xp is numpy_namespace and g.ndim > 2:
        return in_one_product(g, weight)
    return g @ weight


def _linear_bias(xp, g, out, x, weight, bias=None):
    if xp is numpy_namespace and g.size * weight.shape[1] >= PACKED:
        return sum_of_rows(g)
    return g


linear.grads(x=_linear_x, weight=_linear_weight, bias=_linear_bias)


@primitive(name="softmax")
def softmax_along(xp, x, *, axis):
    """eˣ / Σ eˣ along ``axis``; see ``softmax``."""
    return xp.softmax(x, axis=axis)


softmax_along.grads(x=lambda xp, g, out, x, *, axis: out * (g - xp.sum(g * out, axis=axis, keepdims=True)))


@primitive(name="log_softmax")
def log_softmax_along(xp, x, *, axis):
    """x − ln Σ eˣ along ``axis``; see ``log_softmax``."""
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


log_softmax_along.grads(x=lambda xp, g, out, x, *, axis: g - xp.exp(out) * xp.sum(g, axis=axis, keepdims=True))


@primitive(name="logsumexp")
def reduce_logsumexp(xp, x, *, axis=None, keepdims=False):
    """ln Σ eˣ along ``axis``; see ``logsumexp``."""
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.abs(top) == np.inf, xp.zeros_like(top), top)  # ∞ − ∞ has no value
    total = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return (
        total
        if keepdims
        else total.reshape(tuple(n for d, n in enumerate(x.shape) if axis is not None and d not in axis))
    )


def _logsumexp_x(xp, g, out, x, *, axis=None, keepdims=False):
    level = out.reshape(kept_shape(x, axis))
    level = xp.where(xp.abs(level) == np.inf, xp.zeros_like(level), level)
    return g.reshape(kept_shape(x, axis)) * xp.exp(x - level)


reduce_logsumexp.grads(x=_logsumexp_x)


@primitive(saves=("exponentials", "total"), name="cross_entropy")
def softmax_cross_entropy(xp, logits, target, *, smoothing=0.0):
    """Mean over rows of −Σ_c q_c ln softmax(logits)_c, q = (1 − ε) onehot(target) + ε / C; see ``cross_entropy``."""
    if xp is numpy_namespace:
        return entropy(logits, target, smoothing)  # a third of the time where there are many classes
    rows, classes = logits.shape
    shifted = logits - xp.max(logits, axis=1, keepdims=True)
    e = xp.exp(shifted)
    total = xp.sum(e, axis=1)
    chosen = shifted[np.arange(rows), target]
    if smoothing:
        chosen = (1 - smoothing) * chosen + smoothing / classes * xp.sum(shifted, axis=1)
    return xp.sum(xp.log(total) - chosen) / rows, e, total


def _softmax_cross_entropy_logits(
    xp, g, out, logits, target, *, smoothing=0.0, exponentials=None, total=None
):  # fmt: skip
    if xp is numpy_namespace and exponentials is not None:
        return entropy_back(g, target, smoothing, exponentials, total)
    rows, classes = logits.shape
    probabilities = xp.softmax(logits, axis=1)
    q = xp.one_hot(target, classes, logits.dtype)
    if smoothing:
        q = q * (1 - smoothing) + smoothing / classes
    return (probabilities - q) * (g / rows)


softmax_cross_entropy.grads(logits=_softmax_cross_entropy_logits)


@composed
def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """softmax(x)ᵢ = e^xᵢ / Σⱼ e^xⱼ along ``dim``, without overflow.

    >>> import autograd
    >>> autograd.softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along("softmax", softmax_along, input, dim, dtype, axis)


@composed
def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """ln softmax(x) = x − ln Σⱼ e^xⱼ along ``dim``, without overflow or loss of digits.

    >>> import autograd
    >>> autograd.log_softmax(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _along("log_softmax", log_softmax_along, input, dim, dtype, axis)


@composed
def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None, axis: int | None = None) -> Tensor:
    """softmax(−x) along ``dim``.

    >>> import autograd
    >>> autograd.softmin(autograd.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    input = input if dtype is None else input.to(dtype)
    check_floating("softmin", input)
    return _along("softmin", softmax_along, -input, dim, None, axis)


def _along(name: str, op: Any, x: Tensor, dim: Any, dtype: Any, axis: Any) -> Tensor:
    dim = axis if dim is None else dim
    if dim is None:
        raise TypeError(f"{name}: say along which dimension: dim=-1 for the last")
    x = x if dtype is None else x.to(dtype)
    check_floating(name, x)
    axis = dimension(name, dim, x.ndim)
    if not x.ndim:
        return op(x.reshape(1), axis=0).reshape(())
    return op(x, axis=axis) if x.shape[axis] else x.clone()


@composed
def logsumexp(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool | None = None
) -> Tensor:
    """ln Σ eˣ over all entries, or along ``dim``, without overflow.

    >>> import autograd
    >>> autograd.logsumexp(autograd.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    check_floating("logsumexp", input)
    return reduce_logsumexp(
        input, axis=normal_dims("logsumexp", input, dim, axis), keepdims=keepdim if keepdims is None else keepdims
    )


@composed
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """−Σ_c q_c ln softmax(input)_c, where q is the class ``target``, or a distribution over classes.

    Arguments:
        input: logits, (C,), (N, C) or (N, C, d₁, …).
        target: int64 classes in [0, C) of input's shape without C, or probabilities of input's shape.
        weight: (C,), how much each class counts.
        ignore_index: rows of this class count nothing.
        reduction: ``"mean"`` (over rows, weighted), ``"sum"`` or ``"none"``.
        label_smoothing: ε, with which q becomes (1 − ε) q + ε / C.

    Raises:
        ShapeError, DTypeError: input and target do not fit each other. IndexError: a class is out of range.

    >>> import autograd
    >>> autograd.cross_entropy(autograd.tensor([[2.0, 0.0], [0.0, 2.0]]), autograd.tensor([0, 1]))
    tensor(0.1269)
    """
    if weight is None and reduction == "mean" and 0 <= label_smoothing <= 1 and _is_plain(input, target, ignore_index):
        return softmax_cross_entropy(input, target, smoothing=label_smoothing)
    _check_cross_entropy(input, target, weight, reduction, label_smoothing)
    classes = 0 if input.ndim == 1 else 1
    if target.dtype.kind == "f":
        q = target * (1 - label_smoothing) + label_smoothing / input.shape[classes] if label_smoothing else target
        scores = log_softmax(input, classes) * q
        if weight is not None:
            scores = scores * _per_class(weight, input.ndim)
        losses = -scores.sum(classes)
        return _reduced(losses, reduction, None)
    if isinstance(target._array, (np.ndarray, np.generic)):
        _check_classes(target._array, input.shape[classes], ignore_index)
    valid = target != ignore_index
    safe = target.masked_fill(~valid, 0)
    scores = log_softmax(input, classes)
    counts = valid.to(input.dtype)
    row_weight = counts if weight is None else getitem(weight, key=safe._array) * counts
    losses = -gather(scores, safe.unsqueeze(classes), axis=classes).squeeze(classes) * row_weight
    if label_smoothing:
        per_class = scores if weight is None else scores * _per_class(weight, input.ndim)
        smooth = -per_class.sum(classes) * counts / input.shape[classes]
        losses = losses * (1 - label_smoothing) + smooth * label_smoothing
    # Where every row is left out the mean is 0 / 0, and no gradient may come of that.
    return _reduced(losses.masked_fill(~valid, 0), reduction, row_weight)


_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def _is_plain(input: Any, target: Any, ignore_index: int) -> bool:
    """Whether there is one class in range for each row of a matrix of logits, the case that has a fused op."""
    if not isinstance(input, Node) or not isinstance(target, Node):
        return False
    logits, given = input._array, target._array
    return (
        type(given) is np.ndarray
        and given.ndim == 1
        and given.dtype.kind == "i"
        and logits.ndim == 2
        and logits.dtype.kind == "f"
        and 0 < given.size == logits.shape[0]
        and ignore_index < 0
        # Read as unsigned, a negative class is a huge one: one pass finds both kinds out of range.
        and np.maximum.reduce(given.view(_UNSIGNED[given.itemsize])) < logits.shape[1]
    )


def _check_classes(given: Any, n: int, ignore_index: int) -> None:
    kept = given[given != ignore_index]
    if kept.size and not (kept.min() >= 0 and kept.max() < n):
        bad = kept.max() if kept.max() >= n else kept.min()
        raise IndexError(
            f"cross_entropy: target has class {bad}, and input {n} classes; targets go from 0 to {n - 1}"
            + (f" (rows to leave out carry ignore_index={ignore_index})" if bad < 0 else "")
        )


def _per_class(weight: Tensor, ndim: int) -> Tensor:
    return weight if ndim == 1 else weight.reshape(-1, *[1] * (ndim - 2))


def _reduced(losses: Tensor, reduction: str, row_weight: Tensor | None) -> Tensor:
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if row_weight is None:
        return losses.sum() / (losses.numel() or math.nan)
    # Where nothing counts the mean is NaN; divided by 0 it would be so too, but with NumPy's warning.
    total = row_weight.sum()
    return losses.sum() / where(total == 0, math.nan, total)


def _check_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> None:
    if not isinstance(input, Node) or not isinstance(target, Node):
        raise DTypeError(f"cross_entropy: wants Tensors, got {describe(input)} and {describe(target)}")
    check_floating("cross_entropy", input)  # type: ignore[arg-type]
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"cross_entropy: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be within 0 and 1, got {label_smoothing}")
    if input.ndim == 0:
        raise ShapeError("cross_entropy: input must have a dimension of classes, got a 0-d Tensor")
    shape = tuple(input.shape)
    classes = shape[0] if len(shape) == 1 else shape[1]
    if weight is not None:
        if not isinstance(weight, Node):
            raise no_tensor("cross_entropy", "weight", weight)
        if weight.shape != (classes,):
            raise ShapeError(
                f"cross_entropy: weight must have shape {(classes,)}, one for each class of input {shape}, "
                f"got {tuple(weight.shape)}"
            )
        check_same_dtype("cross_entropy: input and weight", input, weight)
    if target.dtype.kind == "f":
        if tuple(target.shape) != shape:
            raise ShapeError(
                f"cross_entropy: probabilities must have input's shape {shape}, got {tuple(target.shape)}; "
                "classes must be int64: target.long()"
            )
        return
    if target.dtype.kind == "b":
        raise DTypeError("cross_entropy: target is bool; it wants int64 classes (target.long()) or probabilities")
    want = shape[2:] if len(shape) == 1 else (shape[0], *shape[2:])
    if tuple(target.shape) != want:
        raise ShapeError(
            f"cross_entropy: for input of shape {shape} target must have shape {want}, got {tuple(target.shape)}"
            + ("; take away the last dimension: target.squeeze(1)" if tuple(target.shape) == (*want, 1) else "")
        )
