"""Connectionist temporal classification: the loss of a sequence of labels whose places in the input are not known."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import DTypeError, GraphError, ShapeError, Tensor
from autograd.errors import describe

from .losses_functional import check_floating, check_reduction, check_tensors, loss_function, values

__all__ = ["ctc_loss"]


@loss_function
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """−ln of the probability of all alignments that read as the target, when repeats and then blanks are taken out.

    Arguments:
        log_probs: log-probabilities of the classes at each step, (T, N, C) or (T, C).
        targets: int64 classes other than the blank, (N, S), of which the first target_lengths of each row count, or
            all of them one after the other, (sum of target_lengths,).
        input_lengths: how many steps of each sequence count: (N,), a tuple of ints, or one for (T, C).
        target_lengths: how many classes each target has, likewise.
        blank: the class that stands for nothing.
        reduction: ``"mean"``, each loss divided by the length of its target and then averaged; ``"sum"`` or ``"none"``.
        zero_infinity: take 0 for the loss of a target that is too long for its input, which otherwise is infinite.

    Returns a 0-d Tensor, or (N,) with ``"none"``. The gradient is the derivative with respect to log_probs; PyTorch's
    has that of the logits there already, and the two agree behind ``log_softmax``. Where a loss is infinite its
    gradient is 0.

    Raises:
        ShapeError, DTypeError: the inputs do not fit each other. IndexError: a class is out of range. ValueError: a
        length is out of range, or a target holds the blank.

    Source: Graves, Fernández, Gomez and Schmidhuber, Connectionist Temporal Classification, 2006.

    >>> log_probs = autograd.log_softmax(autograd.zeros(3, 1, 2), -1)
    >>> ctc_loss(log_probs, autograd.tensor([[1]]), (3,), (1,))  # 6 of 8 alignments read as [1]
    tensor(0.2877)
    """
    name = "ctc_loss"
    check_reduction(name, reduction)
    check_tensors(name, log_probs=log_probs, targets=targets)
    check_floating(name, log_probs=log_probs)
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"{name}: log_probs must be (T, N, C) or (T, C), got shape {tuple(log_probs.shape)}")
    batched = log_probs.ndim == 3
    scores = log_probs if batched else log_probs.unsqueeze(1)  # (T, N, C)
    steps, n, classes = scores.shape
    if not 0 <= blank < classes:
        raise IndexError(f"{name}: blank must be one of the {classes} classes, got {blank}")
    spans = _lengths(name, "input_lengths", input_lengths, n, steps)
    sizes = _lengths(name, "target_lengths", target_lengths, n, None)
    rows = _rows(name, targets, sizes, batched, classes, blank)  # (N, S), padded with blanks
    losses = _losses(scores, rows, spans, sizes, blank)
    if zero_infinity:
        losses = autograd.where(losses == np.inf, 0.0, losses)
    if reduction == "none":
        return losses if batched else losses.reshape(())
    if reduction == "sum":
        return losses.sum()
    return (losses / autograd.as_tensor(np.maximum(sizes, 1).astype(losses.dtype))).mean()


def _losses(scores: Tensor, rows: Any, spans: Any, sizes: Any, blank: int) -> Tensor:
    """−ln of the sum over alignments, by the forward recursion over the states blank, t₁, blank, t₂, …, blank."""
    n = scores.shape[1]
    states = np.full((n, 2 * rows.shape[1] + 1), blank)
    states[:, 1::2] = rows
    width = states.shape[1]
    each = np.arange(n)
    at_states = scores[:, each[:, None], states]  # (T, N, states)
    # A finite stand-in for ln 0: differences of infinities would be NaN.
    never = float(np.finfo(scores.dtype).min) / 4
    # A blank between two labels may be left out where they differ.
    skips = np.zeros((n, width), bool)
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    may_skip = autograd.as_tensor(skips)
    nothing = autograd.as_tensor(np.full((n, 2), never, scores.dtype))
    reached = autograd.where(autograd.as_tensor(np.arange(width) < 2), at_states[0], never)  # (N, states)
    for step in range(1, int(spans.max(initial=0))):
        shifted = autograd.cat([nothing, reached], 1)  # (N, 2 + states)
        skipping = autograd.where(may_skip, shifted[:, :-2], never)
        ways = autograd.logaddexp(autograd.logaddexp(reached, shifted[:, 1:-1]), skipping)
        # What cannot be reached must not sink step by step until it overflows.
        moved = autograd.clamp(ways + at_states[step], min=never)
        going = spans > step
        reached = moved if going.all() else autograd.where(autograd.as_tensor(going[:, None]), moved, reached)
    last = reached[each, 2 * sizes]
    before = autograd.where(autograd.as_tensor(sizes > 0), reached[each, np.maximum(2 * sizes - 1, 0)], never)
    total = autograd.logaddexp(last, before)
    # Without a step only the empty target can be read, and surely.
    if not spans.all():
        unread = autograd.as_tensor(np.where(sizes, never, 0.0).astype(scores.dtype))
        total = autograd.where(autograd.as_tensor(spans == 0), unread, total)
    return autograd.where(total < never / 2, np.inf, -total)


def _lengths(name: str, role: str, given: Any, n: int, most: int | None) -> Any:
    array = values(given) if isinstance(given, Tensor) else np.asarray(given)
    if array is None:
        raise GraphError(f"{name}: {role} must be known, and inside a compiled function they are not; call it outside")
    array = np.asarray(array).reshape(-1)
    if array.dtype.kind not in "iu" and array.size:
        raise DTypeError(f"{name}: {role} must hold integers, got {describe(given)}")
    if array.shape != (n,):
        raise ShapeError(f"{name}: {role} must have one entry for each of the {n} sequences, got {array.size}")
    array = array.astype(np.int64)
    if (array < 0).any() or (most is not None and (array > most).any()):
        wanted = "not be negative" if most is None else f"be from 0 to {most}, the steps of log_probs"
        raise ValueError(f"{name}: {role} must {wanted}, got {array.tolist()}")
    return array


def _rows(name: str, targets: Tensor, sizes: Any, batched: bool, classes: int, blank: int) -> Any:
    """The targets as one row of classes for each sequence, padded with the blank."""
    if targets.dtype.kind not in "iu":
        raise DTypeError(f"{name}: targets must hold integer classes, got {describe(targets)}; write targets.long()")
    given = values(targets)
    if given is None:
        raise GraphError(f"{name}: targets must be known, and inside a compiled function they are not; call it outside")
    n, longest = len(sizes), int(sizes.max(initial=0))
    counts = np.arange(longest) < sizes[:, None]  # (N, S)
    rows = np.full(counts.shape, blank)
    if given.ndim == 1 and (given.size == sizes.sum() or (not batched and given.size >= longest)):
        rows[counts] = given[: sizes.sum()]
    elif given.ndim == 2 and given.shape[0] == n and given.shape[1] >= longest:
        rows = np.where(counts, given[:, :longest], blank)
    else:
        raise ShapeError(
            f"{name}: targets must be (N, S) with S at least the longest of target_lengths, or ({int(sizes.sum())},), "
            f"their sum, got shape {tuple(targets.shape)} for target_lengths {sizes.tolist()}"
        )
    bad = rows[counts & ((rows < 0) | (rows >= classes))]
    if bad.size:
        raise IndexError(f"{name}: targets have class {bad[0]}; classes go from 0 to {classes - 1}")
    if (rows[counts] == blank).any():
        raise ValueError(f"{name}: targets hold the blank, class {blank}; leave it out, or give another one as blank")
    return rows
