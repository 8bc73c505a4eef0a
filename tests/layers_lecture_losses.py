"""Rows of the lectures' losses, which PyTorch does not have; their formulas are computed with NumPy and SciPy."""

from __future__ import annotations

import numpy as np
from layers import Row
from scipy import special, stats

import autograd
from autograd import DTypeError, ShapeError, tensor


def reduced(module, losses):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[module.reduction](losses)


def signed(*shape):
    return lambda rng: [rng.standard_normal(shape), rng.choice([-1, 1], shape)]


def hinge(m, x, t):
    return reduced(
        m, np.array([max(m.margin - a * b, 0.0) for a, b in zip(x.flat, t.flat, strict=True)]).reshape(x.shape)
    )


def max_margin(m, s, corrupt):
    return reduced(m, np.where(s - corrupt < m.margin, m.margin - (s - corrupt), 0))


def pair(*shape):
    return lambda rng: [rng.standard_normal(shape), rng.standard_normal(shape)]


def one_hot(rng):
    return [special.softmax(rng.standard_normal((4, 3)), 1), np.eye(3)[rng.integers(0, 3, 4)]]


def spread(rng):
    q = special.softmax(rng.standard_normal((2, 3, 2)), 1)
    q[0, :, 0] = [0.25, 0.0, 0.75]
    return [special.softmax(rng.standard_normal((2, 3, 2)), 1), q]


def multiclass(m, p, t):
    return reduced(m, np.array(-np.log((p**t).prod(1))))


def soft(m, x, t):
    """Word for word: ε / (C − 1) for the wrong classes, 1 − ε for the right one."""
    classes = x.shape[1]
    q = np.full(x.shape, m.epsilon / (classes - 1))
    np.put_along_axis(q, t[:, None], 1 - m.epsilon, 1)
    return reduced(m, -(q * special.log_softmax(x, 1)).sum(1))


def classes(n, c, *more):
    return lambda rng: [rng.standard_normal((n, c, *more)), rng.integers(0, c, (n, *more))]


def noisy(*shape):
    return lambda rng: [rng.standard_normal(shape) for _ in range(3)]


def heteroscedastic(m, mean, log_variance, t):
    constant = 0 if m.full else np.log(2 * np.pi) / 2
    return reduced(m, -stats.norm(mean, np.exp(log_variance / 2)).logpdf(t) - constant)


def mixtures(n, k, d, full=False):
    def draw(rng):
        scales = rng.uniform(0.3, 2.0, (n, k, d))
        if full:
            scales = np.tril(rng.standard_normal((n, k, d, d)), -1) + scales[..., None] * np.eye(d)
        return [rng.standard_normal((n, k)), rng.standard_normal((n, k, d)), scales, rng.standard_normal((n, d))]

    return draw


def mixture(m, logits, means, scales, target):
    losses = []
    for w, mu, s, t in zip(special.softmax(logits, 1), means, scales, target, strict=True):
        covariances = [c @ c.T if c.ndim == 2 else np.diag(c**2) for c in s]
        density = sum(w[k] * stats.multivariate_normal(mu[k], covariances[k]).pdf(t) for k in range(len(w)))
        losses.append(-np.log(density))
    return reduced(m, np.array(losses))


def head_weights(m, x):
    out = x @ m.linear.weight.detach().numpy().T
    out = out + (0 if m.linear.bias is None else m.linear.bias.detach().numpy())
    return special.log_softmax(out.reshape(*x.shape[:-1], m.num_components, -1)[..., 0], -1)


def ones(*shapes):
    return lambda: tuple(autograd.ones(*shape) for shape in shapes)


def broadcast(first, second):
    return (
        (
            ones((4, 1), (4,)), ShapeError,
            rf"{first} of shape \(4, 1\) and {second} of shape \(4,\) would be broadcast.* {second}.unsqueeze\(-1\)",
        ),
        (
            ones((4,), (4, 1)), ShapeError,
            rf"{first} of shape \(4,\) and {second} of shape \(4, 1\) would be broadcast.* {second}.squeeze\(-1\)",
        ),
    )  # fmt: skip


LAYERS = {
    "HingeLoss": [
        Row(
            lambda lib: lib.nn.HingeLoss(), signed(6), hinge, ours_alone=True,
            refuses=(
                *broadcast("guess", "actual"),
                (lambda: (tensor([0.5, 2.0]), tensor([0.0, 1.0])), ValueError, r"1 or -1, got 0; .*2 \* actual - 1"),
            ),
        ),
        Row(lambda lib: lib.nn.HingeLoss(margin=0.3, reduction="none"), signed(4, 3), hinge, ours_alone=True),
        Row(lambda lib: lib.nn.HingeLoss(reduction="sum"), signed(), hinge, ours_alone=True),
    ],
    "MaxMarginLoss": [
        Row(
            lambda lib: lib.nn.MaxMarginLoss(), pair(6), max_margin, ours_alone=True,
            refuses=broadcast("score", "corrupt_score"),
        ),
        Row(lambda lib: lib.nn.MaxMarginLoss(margin=0.0, reduction="sum"), pair(4, 1), max_margin, ours_alone=True),
        Row(lambda lib: lib.nn.MaxMarginLoss(2.5, "none"), pair(6), max_margin, ours_alone=True),
    ],
    "MulticlassNLLLoss": [
        Row(
            lambda lib: lib.nn.MulticlassNLLLoss(), one_hot, multiclass, ours_alone=True,
            refuses=(
                (ones((4, 3), (4,)), ShapeError, "would be broadcast"),
                (lambda: (tensor([[1.5, 0.0]]), tensor([[1.0, 0.0]])), ValueError, "probabilities between 0 and 1"),
                (lambda: (tensor([[0.5, 0.5]]), tensor([[1, 0]])), DTypeError, r"floating.*actual.float\(\)"),
            ),
        ),
        Row(lambda lib: lib.nn.MulticlassNLLLoss("none"), spread, multiclass, ours_alone=True),
        Row(lambda lib: lib.nn.MulticlassNLLLoss("sum"), spread, multiclass, ours_alone=True),
    ],
    "SoftTargetLoss": [
        Row(
            lambda lib: lib.nn.SoftTargetLoss(0.1), classes(4, 10), soft, ours_alone=True,
            refuses=(
                (lambda: (autograd.ones(2, 3), tensor([0, 3])), IndexError, "class 3"),
                (lambda: (autograd.ones(2, 3), autograd.ones(2)), DTypeError, "integer classes"),
                (lambda: (autograd.ones(2, 1), tensor([0, 0])), ShapeError, "at least two classes"),
                (lambda: (autograd.ones(2, 3), [0, 1]), DTypeError, "target must be a Tensor"),
            ),
        ),
        Row(lambda lib: lib.nn.SoftTargetLoss(0.0, reduction="sum"), classes(4, 3), soft, ours_alone=True),
        Row(
            lambda lib: lib.nn.SoftTargetLoss(0.6, "none"), classes(4, 3, 2), soft, ours_alone=True,
            refuses=(
                (lambda: (autograd.ones(2, 2), tensor([0, 1])), ValueError, "epsilon=0.6 and 2 classes.*at most 0.5"),
            ),
        ),
    ],
    "HeteroscedasticLoss": [
        Row(
            lambda lib: lib.nn.HeteroscedasticLoss(), noisy(4, 3), heteroscedastic, ours_alone=True,
            refuses=(
                (ones((4, 1), (4, 1), (4,)), ShapeError, "would be broadcast.*unsqueeze"),
                (ones((4, 3), (4, 1), (4, 3)), ShapeError, r"log_variance must have the shape \(4, 3\).*expand_as"),
            ),
        ),
        Row(
            lambda lib: lib.nn.HeteroscedasticLoss(full=True, reduction="sum"), noisy(5), heteroscedastic,
            ours_alone=True,
        ),
        Row(lambda lib: lib.nn.HeteroscedasticLoss(reduction="none"), noisy(), heteroscedastic, ours_alone=True),
    ],
    "MixtureDensityLoss": [
        Row(
            lambda lib: lib.nn.MixtureDensityLoss(), mixtures(5, 3, 2), mixture, ours_alone=True, rtol=1e-11,
            refuses=(
                (ones((4, 3), (4, 3, 1), (4, 3, 1), (4,)), ShapeError, r"target must have shape \(4, 1\).*unsqueeze"),
                (ones((4, 3), (4, 2, 1), (4, 2, 1), (4, 1)), ShapeError, r"wants log_weights \(…, K\)"),
                (ones((4, 3), (4, 3, 2), (4, 3), (4, 2)), ShapeError, r"scales must be \(…, K, D\)"),
                (
                    lambda: (autograd.ones(4, 3), autograd.ones(4, 3, 2), autograd.zeros(4, 3, 2), autograd.ones(4, 2)),
                    ValueError, "standard deviations and must be above 0, got 0; .*softplus",
                ),
            ),
        ),
        Row(lambda lib: lib.nn.MixtureDensityLoss("none"), mixtures(4, 1, 1), mixture, ours_alone=True, rtol=1e-11),
        Row(
            lambda lib: lib.nn.MixtureDensityLoss("sum"), mixtures(4, 2, 3, full=True), mixture, ours_alone=True,
            rtol=1e-11,
        ),
    ],
    "MixtureDensity": [
        Row(
            lambda lib: lib.nn.MixtureDensity(4, 2, num_components=3),
            lambda rng: [rng.standard_normal((5, 4))], head_weights, ours_alone=True,
        ),
        Row(
            lambda lib: lib.nn.MixtureDensity(4, 3, 2, covariance="full", min_scale=0.1),
            lambda rng: [rng.standard_normal((2, 5, 4))], head_weights, ours_alone=True,
        ),
        Row(
            lambda lib: lib.nn.MixtureDensity(4, 1, 2, covariance="full", bias=False),
            lambda rng: [rng.standard_normal(4)], head_weights, ours_alone=True,
        ),
    ],
}  # fmt: skip
