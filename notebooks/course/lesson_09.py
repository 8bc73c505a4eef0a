"""The exercises of notebook 9: early stopping, penalties, soft thresholding, dropout, batch normalization."""

from __future__ import annotations

import numpy as np

import autograd
import nn

from .exercises import Answer, exercise, wrong


@exercise("9.1")
def stop_early(answer: Answer) -> str:
    """Remember the best epoch so far. After each epoch: how many have passed since it?"""
    rows = [
        ([3.0, 2.0, 1.0], 2, (3, 3)),
        ([3.0, 2.0, 2.5, 2.6, 1.0], 2, (4, 2)),
        ([3.0, 2.0, 2.5, 2.6, 1.0], 3, (5, 5)),
        ([1.0, 2.0, 3.0], 1, (2, 1)),
        ([2.0, 1.0, 1.0, 1.0, 0.5], 2, (4, 2)),
        ([5.0, 4.0, 4.5, 3.0, 3.5, 3.6, 3.7, 0.0], 3, (7, 4)),
        ([2.0, 2.5, 1.5, 1.8], 5, (4, 3)),
        ([2.0, 1.0, 1.8, 1.5, 1.2, 0.5], 3, (5, 2)),
    ]
    for losses, patience, (end, best) in rows:
        given = list(losses)
        got = answer(given, patience)
        got.holds(
            isinstance(got.value, tuple | list) and len(got.value) == 2,
            "is to be two numbers: the end, the best epoch.",
        )
        a, b = got.value
        if losses == rows[4][0] and (a, b) == (5, 5):
            got.holds(False, f"is {a, b}: an equal loss is not a better one.")
        if losses == rows[7][0] and a == 6:
            got.holds(False, f"is {a, b}: better means below the lowest so far, not only below the epoch before.")
        if (a, b) == (best, end) and end != best:
            got.holds(False, f"is {a, b}: the other way round. First the end, then the epoch that is kept.")
        if (a, b) == (end - 1, best - 1):
            got.holds(False, f"is {a, b}: you count from 0; here the first epoch is number 1.")
        if a == end + 1:
            got.holds(False, f"is {a, b}: one epoch too late. After {patience} in a row without a better one it ends.")
        if a == end - 1 and a - best < patience:
            got.holds(False, f"is {a, b}: one epoch too early. The best epoch itself is not one without improvement.")
        if a == end and losses[int(b) - 1 if 0 < b <= len(losses) else 0] != losses[best - 1]:
            got.holds(False, f"is {a, b}: the end is right, and the epoch that is kept has the lowest loss until then.")
        got.gives((end, best))
    return "nn.training.EarlyStopping decides in the same way."


@exercise("9.2")
def l2_penalty(answer: Answer) -> str:
    """(p * p).sum() is the part of one parameter p. Add up those of all that are no biases, then times the strength."""
    with _kept_random():
        autograd.manual_seed(0)
        models = [
            (nn.Linear(3, 2), "a Linear layer"),
            (nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)), "a network of two Linear layers"),
            (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2, bias=False)), "a convolutional network"),
        ]
    for model, kind in models:
        weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
        everything = sum(float((p * p).sum()) for p in model.parameters())
        squares = [float((p * p).sum()) for p in weights]
        for strength in (1.0, 0.01):
            got = answer(model, strength)
            got = Answer(got.value, f"The penalty of {kind} with strength {strength:g}")
            got.holds(
                isinstance(got.value, autograd.Tensor),
                f"is of type {type(got.value).__name__}; it must be a Tensor, so that gradients can flow.",
            )
            value = got.number()
            if np.isclose(value, strength * everything) and len(weights) < len(list(model.parameters())):
                got.holds(False, "counts the biases too.")
            if np.isclose(value, strength * sum(s**0.5 for s in squares)) or np.isclose(
                value, strength * sum(squares) ** 0.5
            ):
                got.holds(False, "is built from norms; the squares are to be added, without a root.")
            if len(squares) > 1 and any(np.isclose(value, strength * s) for s in squares):
                got.holds(False, "counts one layer only.")
            if np.isclose(value, sum(squares)) and strength != 1:
                got.holds(False, "does not depend on the strength.")
            got.gives(strength * sum(squares))
            got.holds(
                got.value.requires_grad, "has no gradient: somewhere it left the graph (item, numpy, detach, no_grad)."
            )
            for p, g in zip(weights, autograd.grad(got.value, weights), strict=True):
                Answer(g, f"Its gradient for a weight of {kind}").gives(2 * strength * p.detach())
    return "Its gradient is 2 λ w, for each weight of each layer."


@exercise("9.3")
def soft_threshold(answer: Answer) -> str:
    """The size of an entry becomes max(|w| − amount, 0), and its sign stays."""
    rng = np.random.default_rng(0)
    for w, amount in (
        (np.array([3.0, -3.0, 0.5, -0.5, 0.0]), 1.0),
        (np.array([0.2, -0.3, 0.05, -0.1]), 0.1),
        (rng.normal(size=(1, 65)), 0.3),
        (rng.normal(size=(4,)), 0.0),
    ):
        before = w.copy()
        got = answer(w, amount)
        value = np.asarray(got.value)
        wanted = np.sign(before) * np.maximum(np.abs(before) - amount, 0)
        got.holds(np.array_equal(w, before), "changed the array that it was given; make a new one.")
        if value.shape == w.shape:
            if amount and np.allclose(value, np.where(np.abs(before) > amount, before, 0)):
                got.holds(False, "sets small entries to 0 and leaves the large ones; those are to shrink as well.")
            if amount and np.allclose(value, np.abs(wanted)):
                got.holds(False, "lost the signs.")
            if amount and np.allclose(value, np.maximum(before - amount, 0)):
                got.holds(False, "is 0 for all negative entries; they are to move up, towards 0.")
            if amount and np.allclose(value, before - amount * np.sign(before)):
                got.holds(False, "lets small entries cross 0; they are to stop there.")
        got.gives(wanted)
    return "What would cross 0 is now exactly 0."


@exercise("9.4")
def dropout(answer: Answer) -> str:
    """Where a uniform random number is below p the entry is out. A mask of 0 and 1 multiplies x; divide by 1 − p."""
    with _kept_random():
        autograd.manual_seed(0)
        x = 1 + autograd.rand(200, 50)
        for p in (0.2, 0.5):
            used = _told(answer(x, p, False), "outside of training")
            if np.allclose(used.value.detach().numpy(), (1 - p) * x.numpy()):
                used.holds(False, "is scaled by 1 − p; here the scaling is done while training, and x stays as it is.")
            used.holds(np.array_equal(used.value.detach().numpy(), x.numpy()), "is not x itself.")
            leaf = x.detach().clone().requires_grad_()
            got = _told(answer(leaf, p, True), f"in training, with p = {p}")
            value = got.value.detach().numpy()
            got.holds(value.shape == x.shape, f"has shape {value.shape}; that of x is {x.shape}.")
            out = value == 0
            share = float(out.mean())
            got.holds(0 < share < 1, f"leaves out {'everything' if share else 'nothing'}.")
            if abs(share - (1 - p)) < 0.03 < abs(share - p):
                got.holds(
                    False, f"leaves out a part of {share:.2f}: p is the probability to be left out, not to be kept."
                )
            got.holds(abs(share - p) < 0.03, f"leaves out a part of {share:.2f} instead of about {p}.")
            whole = bool(np.isin(out.mean(1), (0, 1)).all() or np.isin(out.mean(0), (0, 1)).all())
            got.holds(not whole, "leaves out whole rows or columns; every entry is drawn for itself.")
            factor = value[~out] / x.numpy()[~out]
            got.holds(np.ptp(factor) < 1e-4, "changes the entries that are kept by different factors.")
            if np.isclose(factor[0], 1):
                got.holds(
                    False, "keeps entries as they are; divided by 1 − p, the expected value would stay that of x."
                )
            if np.isclose(factor[0], 1 / p) and p != 0.5:
                got.holds(False, "divides by p; the part that is kept is 1 − p.")
            Answer(float(factor[0]), f"The factor of the entries that are kept, with p = {p},").gives(1 / (1 - p))
            again = answer(leaf, p, True).value.detach().numpy()
            got.holds(not np.array_equal(again == 0, out), "is the same in the second call; each call draws anew.")
            got.holds(
                isinstance(got.value, autograd.Tensor) and got.value.requires_grad,
                "gives no gradient to x: the mask is to multiply x as a Tensor.",
            )
            (g,) = autograd.grad(got.value.sum(), leaf)
            Answer(g, "The gradient for x").gives(np.where(out, 0, 1 / (1 - p)))
    return "On average x comes through unchanged, and what was left out gets no gradient."


@exercise("9.5")
def batch_norm(answer: Answer) -> str:
    """Mean and variance over dim 0, the batch; the variance from Tensor operations, and eps added before the root."""
    rng = np.random.default_rng(0)
    z = autograd.tensor(rng.normal(size=(6, 4)) * [1.0, 10.0, 0.1, 3.0] + [0.0, 5.0, -2.0, 1.0], requires_grad=True)
    scale = autograd.tensor(rng.normal(size=4) + 2, requires_grad=True)
    shift = autograd.tensor(rng.normal(size=4), requires_grad=True)
    wanted = nn.functional.batch_norm(z, None, None, scale, shift, training=True)
    got = answer(z, scale, shift)
    got.holds(isinstance(got.value, autograd.Tensor), f"is of type {type(got.value).__name__}; a Tensor is wanted.")
    value, plain = got.value.detach().numpy(), z.detach().numpy()
    mistakes = {
        "uses the variance with division by N − 1; here it is by N.": (plain - plain.mean(0)) / plain.std(0, ddof=1),
        "divides by the variance; it is to be its root.": (plain - plain.mean(0)) / plain.var(0),
        "does not take off the mean.": plain / plain.std(0),
        "takes mean and variance over all entries; each feature, each column, has its own.": (plain - plain.mean())
        / plain.std(),
        "takes mean and variance over the features of an item; it is over the batch, dim 0.": (
            (plain - plain.mean(1, keepdims=True)) / plain.std(1, keepdims=True)
        ),
    }
    numbers = scale.detach().numpy(), shift.detach().numpy()
    for sentence, normal in mistakes.items():
        if value.shape == plain.shape and np.allclose(value, numbers[0] * normal + numbers[1], rtol=1e-2, atol=1e-3):
            got.holds(False, sentence)
    centred = plain - plain.mean(0)
    for sentence, normal in (
        ("leaves out eps.", centred / plain.std(0)),
        ("adds eps beside the root; here it stands under it.", centred / (plain.std(0) + 1e-5)),
    ):
        got.holds(
            value.shape != plain.shape or not np.allclose(value, numbers[0] * normal + numbers[1], 1e-9), sentence
        )
    if value.shape == plain.shape and np.allclose(value, (plain - plain.mean(0)) / plain.std(0), rtol=1e-3, atol=1e-3):
        got.holds(False, "leaves out scale and shift.")
    got.gives(wanted)
    upstream = autograd.tensor(rng.normal(size=(6, 4)))
    try:
        gradients = autograd.grad(got.value, [z, scale, shift], upstream)
    except RuntimeError:
        wrong("The values are right, but z, scale or shift gets no gradient: stay with Tensor operations.")
    references = autograd.grad(wanted, [z, scale, shift], upstream)
    if not np.allclose(gradients[0].numpy(), references[0].numpy(), rtol=1e-4, atol=1e-8):
        wrong("The values are right, but the gradient for z is not: it must go through mean and variance too.")
    for name, g, reference in zip(("z", "scale", "shift"), gradients, references, strict=True):
        Answer(g, f"The gradient for {name}").gives(reference)
    strong = Answer(answer(z, scale, shift, 1e3).value, "With eps = 1000 the result")
    strong.gives(nn.functional.batch_norm(z, None, None, scale, shift, training=True, eps=1e3))
    return "Values and all three gradients are those of nn.BatchNorm1d in training."


def _told(got: Answer, when: str) -> Answer:
    got = Answer(got.value, f"Your dropout, {when},")
    return got.holds(
        isinstance(got.value, autograd.Tensor), f"is of type {type(got.value).__name__}; a Tensor is wanted."
    )


class _kept_random:
    """The common random stream is as it was afterwards, so that a check changes nothing of what follows."""

    def __enter__(self) -> None:
        self.state = autograd.get_rng_state()

    def __exit__(self, *error: object) -> None:
        autograd.set_rng_state(self.state)
