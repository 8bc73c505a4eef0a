"""Rows of the losses that PyTorch has, but for those of tests/layers_basic.py."""

from __future__ import annotations

import itertools

import numpy as np
from layers import Row
from scipy import special

import autograd
from autograd import DTypeError, ShapeError, tensor

PER_CLASS = np.array([0.5, 2.0, 1.0])


def reduced(module, losses):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[module.reduction](losses)


def each(losses):
    """The formula of a loss whose losses, before they are reduced, are these."""
    return lambda module, *inputs: reduced(module, losses(module, *inputs))


def pair(*shape):
    return lambda rng: [rng.standard_normal(shape), rng.standard_normal(shape)]


def probabilities(*shape):
    return lambda rng: [rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)]


def distributions(rng):
    return [np.log(special.softmax(rng.standard_normal((4, 3)), 1)), special.softmax(rng.standard_normal((4, 3)), 1)]


def log_distributions(rng):
    x, t = distributions(rng)
    return [x, np.log(t)]


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


def signed(*shape):
    return lambda rng: [rng.standard_normal(shape), signs(rng, *shape)]


def with_whole_signs(*shape):
    """PyTorch takes no target here that wants a gradient."""
    return lambda rng: [rng.standard_normal(shape), signs(rng, *shape).astype("int64")]


def ranked(rng):
    return [rng.standard_normal(5), rng.standard_normal(5), signs(rng, 5)]


def whole_signs(n):
    """Two matrices, and ±1 as ints, which want no gradient."""
    return lambda rng: [rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), signs(rng, n).astype("int64")]


def triple(*shape):
    return lambda rng: [rng.standard_normal(shape) for _ in range(3)]


def classes(n, c):
    return lambda rng: [rng.standard_normal((n, c)), rng.integers(0, c, n)]


def counts(rng):
    return [rng.standard_normal((4, 3)), rng.poisson(2.0, (4, 3))]


def counts_from_1(rng):
    """PyTorch's gradient for a count of 0 is NaN."""
    return [rng.standard_normal((4, 3)), 1.0 + rng.poisson(2.0, (4, 3))]


def rates(rng):
    return [rng.uniform(0.5, 3.0, (4, 3)), rng.poisson(2.0, (4, 3))]


def gaussians(*shape):
    return lambda rng: [rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), rng.uniform(0.2, 2.0, shape)]


def listed(rng):
    return [rng.standard_normal((3, 4)), np.array([[3, 0, -1, 1], [-1, 0, 0, 0], [0, 1, 2, 3]])]


def flags(rng):
    return [rng.standard_normal((4, 3)), rng.choice([0.0, 1.0], (4, 3))]


def huber(m, x, y):
    d = np.abs(x - y)
    return np.where(d < m.delta, d * d / 2, m.delta * (d - m.delta / 2))


def smooth(m, x, y):
    d = np.abs(x - y)
    return d if m.beta == 0 else np.where(d < m.beta, d * d / (2 * m.beta), d - m.beta / 2)


def bce(m, p, t):
    return -(special.xlogy(t, p) + special.xlog1py(1 - t, -p)) * (1 if m.weight is None else m.weight.numpy())


def bce_logits(m, x, t):
    positive = 1 if m.pos_weight is None else m.pos_weight.numpy()
    losses = -(positive * t * special.log_expit(x) + (1 - t) * special.log_expit(-x))
    return losses * (1 if m.weight is None else m.weight.numpy())


def divergence(m, x, t):
    losses = np.exp(t) * (t - x) if m.log_target else special.kl_div(t, np.exp(x)) + t - np.exp(x)
    return losses.sum() / len(x) if m.reduction == "batchmean" else reduced(m, losses)


def poisson(m, x, t):
    losses = np.exp(x) - t * x if m.log_input else x - t * np.log(x + m.eps)
    if m.full:
        safe = np.maximum(t, 1)
        losses += np.where(t > 1, t * np.log(safe) - t + np.log(2 * np.pi * safe) / 2, 0)
    return losses


def gaussian(m, x, t, v):
    v = np.maximum(v if v.ndim == x.ndim else v[..., None], m.eps)
    return (np.log(v) + (x - t) ** 2 / v) / 2 + (np.log(2 * np.pi) / 2 if m.full else 0)


def cosine_embedding(m, x, y, t):
    cosine = (x * y).sum(-1) / np.sqrt(((x * x).sum(-1) + 1e-12) * ((y * y).sum(-1) + 1e-12))
    return np.where(t == 1, 1 - cosine, np.maximum(cosine - m.margin, 0))


def multi_margin(m, x, t):
    out = []
    for row, k in zip(x, t, strict=True):
        terms = [max(0.0, m.margin - row[k] + row[j]) ** m.p for j in range(len(row)) if j != k]
        out.append(sum(terms) / len(row) * (1 if m.weight is None else m.weight.numpy()[k]))
    return np.array(out)


def multilabel_margin(m, x, t):
    out = []
    for row, names in zip(x, t, strict=True):
        named = list(names[: list(names).index(-1)] if -1 in names else names)
        others = [j for j in range(len(row)) if j not in named]
        out.append(sum(max(0.0, 1 - row[k] + row[j]) for k in named for j in others) / len(row))
    return np.array(out)


def soft_multilabel(m, x, t):
    losses = -(t * special.log_expit(x) + (1 - t) * special.log_expit(-x))
    return (losses * (1 if m.weight is None else m.weight.numpy())).mean(1)


def distance(x, y, p=2.0, eps=1e-6):
    return (np.abs(x - y + eps) ** p).sum(-1) ** (1 / p)


def triplet(m, a, p, n):
    power = getattr(m, "p", 2.0)
    far = distance(a, n, power)
    return np.maximum(0, m.margin + distance(a, p, power) - (np.minimum(far, distance(p, n, power)) if m.swap else far))


def sequences(rng):
    log_probs = special.log_softmax(rng.standard_normal((4, 3, 3)), -1)
    targets = np.array([[1, 1], [2, 0], [1, 2]])
    return [log_probs, targets, np.array([4, 2, 3]), np.array([2, 1, 0])]


def alignments(m, log_probs, targets, input_lengths, target_lengths):
    """By trying every one of the Cᵀ alignments."""
    losses = []
    for i, (steps, size) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        total = 0.0
        for path in itertools.product(range(log_probs.shape[2]), repeat=int(steps)):
            read = [k for k, _ in itertools.groupby(path) if k != m.blank]
            if read == list(targets[i, :size]):
                total += np.exp(sum(log_probs[t, i, k] for t, k in enumerate(path)))
        losses.append(-np.log(total))
    losses = np.array(losses)
    return (losses / np.maximum(target_lengths, 1)).mean() if m.reduction == "mean" else reduced(m, losses)


def manhattan(x, y):
    return (x - y).abs().sum(-1)


def column(n, *more):
    """(n, 1) against (n,): what would be compared each with each."""
    return lambda: (autograd.ones(n, 1) * 0.5, autograd.ones(n) * 0.5, *more)


def row_of(n):
    return lambda: (autograd.ones(n) * 0.5, autograd.ones(n, 1) * 0.5)


BROADCAST = (
    (column(4), ShapeError, r"\(4, 1\) and target of shape \(4,\) would be broadcast.*target.unsqueeze\(-1\)"),
    (row_of(4), ShapeError, r"\(4,\) and target of shape \(4, 1\) would be broadcast.*target.squeeze\(-1\)"),
)


def improbable(value):
    return lambda: (tensor([0.5, value]), tensor([1.0, 0.0]))


IMPROBABLE = (
    (improbable(1.5), ValueError, "probabilities between 0 and 1, got some from 0.5 to 1.5; for logits"),
    (improbable(-0.5), ValueError, "probabilities between 0 and 1, got some from -0.5 to 0.5"),
    (improbable(float("nan")), ValueError, "probabilities between 0 and 1, got NaN"),
)


def wrong_class(k):
    return lambda: (autograd.ones(2, 3), tensor([0, k]))


def ctc(targets, steps, size):
    return lambda: (autograd.zeros(4, 1, 3), tensor(targets), (steps,), (size,))


CLASSES = (
    (wrong_class(3), IndexError, "class 3, and input 3 classes; targets go from 0 to 2"),
    (wrong_class(-1), IndexError, "class -1"),
    (lambda: (autograd.ones(2, 3), tensor([0.0, 1.0])), DTypeError, "integer classes.*target.long"),
    (lambda: (autograd.ones(2, 3), tensor([0])), ShapeError, r"\(2, 3\)"),
)

LAYERS = {
    "L1Loss": [
        Row(lambda lib: lib.nn.L1Loss(), pair(4, 3), each(lambda m, x, y: abs(x - y)), refuses=BROADCAST),
        Row(lambda lib: lib.nn.L1Loss(reduction="sum"), pair(4), each(lambda m, x, y: abs(x - y))),
        Row(lambda lib: lib.nn.L1Loss(reduction="none"), pair(), each(lambda m, x, y: abs(x - y))),
    ],
    "SmoothL1Loss": [
        Row(lambda lib: lib.nn.SmoothL1Loss(), pair(4, 3), each(smooth), refuses=BROADCAST),
        Row(lambda lib: lib.nn.SmoothL1Loss(reduction="none", beta=0.3), pair(4, 3), each(smooth)),
        Row(lambda lib: lib.nn.SmoothL1Loss(reduction="sum", beta=0.0), pair(4, 3), each(smooth)),
    ],
    "HuberLoss": [
        Row(lambda lib: lib.nn.HuberLoss(), pair(4, 3), each(huber), refuses=BROADCAST),
        Row(lambda lib: lib.nn.HuberLoss(reduction="sum", delta=0.4), pair(4, 3), each(huber)),
        Row(lambda lib: lib.nn.HuberLoss("none", 2.0), pair(4), each(huber)),
    ],
    "BCELoss": [
        Row(lambda lib: lib.nn.BCELoss(), probabilities(4, 3), each(bce), refuses=(*BROADCAST, *IMPROBABLE)),
        Row(
            lambda lib: lib.nn.BCELoss(weight=lib.tensor(PER_CLASS), reduction="sum"), probabilities(4, 3), each(bce),
            refuses=(
                (lambda: (autograd.ones(3, 1), autograd.ones(3, 1)), ShapeError, r"weight of shape \(3,\).*\(3, 3\)"),
            ),
        ),
        Row(lambda lib: lib.nn.BCELoss(reduction="none"), probabilities(4), each(bce)),
    ],
    "BCEWithLogitsLoss": [
        Row(lambda lib: lib.nn.BCEWithLogitsLoss(), flags, each(bce_logits), refuses=BROADCAST),
        Row(lambda lib: lib.nn.BCEWithLogitsLoss(pos_weight=lib.tensor(PER_CLASS)), flags, each(bce_logits)),
        Row(
            lambda lib: lib.nn.BCEWithLogitsLoss(weight=lib.tensor(PER_CLASS), reduction="sum"), flags,
            each(bce_logits),
            refuses=(
                (lambda: (autograd.ones(3, 1), autograd.ones(3, 1)), ShapeError, r"weight of shape \(3,\).*\(3, 3\)"),
            ),
        ),
        Row(lambda lib: lib.nn.BCEWithLogitsLoss(reduction="none"), flags, each(bce_logits)),
    ],
    "KLDivLoss": [
        # Asked for the mean, PyTorch warns that the batch's may be meant.
        Row(lambda lib: lib.nn.KLDivLoss(), distributions, divergence, ours_alone=True, refuses=BROADCAST),
        Row(lambda lib: lib.nn.KLDivLoss(reduction="batchmean"), distributions, divergence),
        Row(lambda lib: lib.nn.KLDivLoss(reduction="sum", log_target=True), log_distributions, divergence),
        Row(lambda lib: lib.nn.KLDivLoss(reduction="none"), distributions, divergence),
    ],
    "PoissonNLLLoss": [
        Row(lambda lib: lib.nn.PoissonNLLLoss(), counts, each(poisson), refuses=BROADCAST),
        Row(lambda lib: lib.nn.PoissonNLLLoss(full=True, reduction="sum"), counts_from_1, each(poisson)),
        # Of whole counts PyTorch takes the logarithm in float32.
        Row(lambda lib: lib.nn.PoissonNLLLoss(full=True), counts, each(poisson), ours_alone=True),
        Row(
            lambda lib: lib.nn.PoissonNLLLoss(log_input=False, eps=0.01, reduction="none"), rates, each(poisson),
        ),
    ],
    "GaussianNLLLoss": [
        Row(
            lambda lib: lib.nn.GaussianNLLLoss(), gaussians(4, 3), each(gaussian),
            refuses=(
                (column(4, tensor(1.0)), ShapeError, "would be broadcast.*unsqueeze"),
                (lambda: (autograd.ones(4), autograd.ones(4), -autograd.ones(4)), ValueError, "must not be negative"),
                (lambda: (autograd.ones(4, 3), autograd.ones(4, 3), autograd.ones(3)), ShapeError, "does not fit"),
            ),
        ),
        Row(lambda lib: lib.nn.GaussianNLLLoss(full=True, reduction="sum"), gaussians(4, 1), each(gaussian)),
        Row(lambda lib: lib.nn.GaussianNLLLoss(eps=0.1, reduction="none"), gaussians(4), each(gaussian)),
    ],
    "LinearCrossEntropyLoss": [
        Row(
            lambda lib: lib.nn.LinearCrossEntropyLoss(4, 3),
            lambda rng: [rng.standard_normal((5, 4)), rng.integers(0, 3, 5)],
            lambda m, x, t: -special.log_softmax(x @ m.linear.weight.detach().numpy().T, 1)[np.arange(5), t].mean(),
            refuses=(
                (lambda: (autograd.ones(2, 4), tensor([0, 3])), IndexError, "class 3"),
            ),
        ),
        Row(
            lambda lib: lib.nn.LinearCrossEntropyLoss(
                4, 3, out_features=(2,), bias=True, reduction="sum", weight=lib.tensor(PER_CLASS), ignore_index=1,
                label_smoothing=0.1,
            ),
            lambda rng: [rng.standard_normal((5, 4)), rng.integers(0, 3, (5, 2))],
        ),
    ],
    "HingeEmbeddingLoss": [
        Row(
            lambda lib: lib.nn.HingeEmbeddingLoss(), signed(4, 3),
            each(lambda m, x, t: np.where(t == 1, x, np.maximum(m.margin - x, 0))), refuses=BROADCAST,
        ),
        Row(
            lambda lib: lib.nn.HingeEmbeddingLoss(margin=0.3, reduction="sum"), signed(4),
            each(lambda m, x, t: np.where(t == 1, x, np.maximum(m.margin - x, 0))),
        ),
    ],
    "SoftMarginLoss": [
        Row(
            lambda lib: lib.nn.SoftMarginLoss(), with_whole_signs(4, 3),
            each(lambda m, x, t: -special.log_expit(t * x)), refuses=BROADCAST,
        ),
        Row(
            lambda lib: lib.nn.SoftMarginLoss(reduction="none"), with_whole_signs(4),
            each(lambda m, x, t: -special.log_expit(t * x)),
        ),
    ],
    "MarginRankingLoss": [
        Row(
            lambda lib: lib.nn.MarginRankingLoss(), ranked, each(lambda m, x, y, t: np.maximum(0, -t * (x - y))),
            refuses=(
                (column(4, autograd.ones(4)), ShapeError, "would be broadcast"),
                (lambda: (autograd.ones(4), autograd.ones(4), autograd.ones(4, 1)), ShapeError, "would be broadcast"),
            ),
        ),
        Row(
            lambda lib: lib.nn.MarginRankingLoss(margin=0.7, reduction="none"), ranked,
            each(lambda m, x, y, t: np.maximum(0, m.margin - t * (x - y))),
        ),
    ],
    "CosineEmbeddingLoss": [
        Row(
            lambda lib: lib.nn.CosineEmbeddingLoss(), whole_signs(6), each(cosine_embedding),
            refuses=(
                (lambda: (autograd.ones(4, 3), autograd.ones(4, 3), autograd.ones(4, 1)), ShapeError, r"target \(N,\)"),
                (lambda: (autograd.ones(4, 3), autograd.ones(1, 3), autograd.ones(4)), ShapeError, "broadcast"),
            ),
        ),
        Row(
            lambda lib: lib.nn.CosineEmbeddingLoss(margin=-0.5, reduction="none"), whole_signs(6),
            each(cosine_embedding),
        ),
    ],
    "MultiMarginLoss": [
        Row(lambda lib: lib.nn.MultiMarginLoss(), classes(5, 3), each(multi_margin), refuses=CLASSES),
        Row(lambda lib: lib.nn.MultiMarginLoss(p=2, margin=0.6, reduction="sum"), classes(5, 3), each(multi_margin)),
        Row(
            lambda lib: lib.nn.MultiMarginLoss(weight=lib.tensor(PER_CLASS), reduction="none"), classes(5, 3),
            each(multi_margin),
        ),
    ],
    "MultiLabelMarginLoss": [
        Row(
            lambda lib: lib.nn.MultiLabelMarginLoss(), listed, each(multilabel_margin),
            refuses=(
                (lambda: (autograd.ones(1, 3), tensor([[3, -1, 0]])), IndexError, "class 3"),
                (lambda: (autograd.ones(1, 3), autograd.ones(1, 3)), DTypeError, "integer classes"),
            ),
        ),
        Row(lambda lib: lib.nn.MultiLabelMarginLoss(reduction="none"), listed, each(multilabel_margin)),
    ],
    "MultiLabelSoftMarginLoss": [
        Row(lambda lib: lib.nn.MultiLabelSoftMarginLoss(), flags, each(soft_multilabel), refuses=BROADCAST),
        Row(
            lambda lib: lib.nn.MultiLabelSoftMarginLoss(weight=lib.tensor(PER_CLASS), reduction="none"), flags,
            each(soft_multilabel),
            refuses=(
                (lambda: (autograd.ones(3, 1), autograd.ones(3, 1)), ShapeError, r"weight of shape \(3,\).*\(3, 3\)"),
            ),
        ),
    ],
    "TripletMarginLoss": [
        Row(
            lambda lib: lib.nn.TripletMarginLoss(), triple(5, 3), each(triplet),
            refuses=(
                (lambda: (autograd.ones(4, 3), autograd.ones(1, 3), autograd.ones(4, 3)), ShapeError, "one shape"),
            ),
        ),
        Row(
            lambda lib: lib.nn.TripletMarginLoss(margin=0.5, p=3.0, swap=True, reduction="none"), triple(5, 3),
            each(triplet),
        ),
    ],
    "TripletMarginWithDistanceLoss": [
        Row(lambda lib: lib.nn.TripletMarginWithDistanceLoss(), triple(5, 3), each(triplet)),
        Row(
            lambda lib: lib.nn.TripletMarginWithDistanceLoss(
                distance_function=manhattan, margin=0.5, swap=True, reduction="none"
            ),
            triple(5, 3),
            each(
                lambda m, a, p, n: np.maximum(
                    0, m.margin + abs(a - p).sum(1) - np.minimum(abs(a - n).sum(1), abs(p - n).sum(1))
                )
            ),
        ),
    ],
    # Compared with PyTorch in tests/test_loss_layers.py: its gradient is that behind log_softmax.
    "CTCLoss": [
        Row(
            lambda lib: lib.nn.CTCLoss(), sequences, alignments, ours_alone=True,
            refuses=(
                (ctc([[1, 3]], 4, 2), IndexError, "targets have class 3; classes go from 0 to 2"),
                (ctc([[1, 0]], 4, 2), ValueError, "targets hold the blank, class 0"),
                (ctc([[1, 2]], 5, 2), ValueError, "input_lengths must be from 0 to 4"),
                (ctc([[1, 2]], 4, 3), ShapeError, r"targets must be \(N, S\)"),
                (ctc([[1.0]], 4, 1), DTypeError, "targets must hold integer classes"),
                (lambda: (autograd.zeros(4), tensor([1]), 4, 1), ShapeError, r"\(T, N, C\) or \(T, C\)"),
                (lambda: (autograd.zeros(4, 2, 3), tensor([[1]]), (4,), (1,)), ShapeError, "each of the 2 sequences"),
            ),
        ),
        Row(lambda lib: lib.nn.CTCLoss(reduction="sum"), sequences, alignments, ours_alone=True),
        Row(lambda lib: lib.nn.CTCLoss(reduction="none"), sequences, alignments, ours_alone=True),
    ],
    "AdaptiveLogSoftmaxWithLoss": [
        Row(
            lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [2, 5], div_value=2.0),
            lambda rng: [rng.standard_normal((7, 6)), rng.permutation(9)[:7]],
            lambda m, x, t: np.stack([m.log_prob(tensor(x)).detach().numpy()[i, k] for i, k in enumerate(t)]),
            refuses=(
                (lambda: (autograd.ones(2, 6), tensor([0, 9])), IndexError, "class 9; targets go from 0 to 8"),
                (lambda: (autograd.ones(2, 6), tensor([0.0, 1.0])), DTypeError, "integer classes"),
                (lambda: (autograd.ones(2, 5), tensor([0, 1])), ShapeError, r"\(N, 6\)"),
                (lambda: (autograd.ones(2, 6), tensor([0])), ShapeError, r"\(N, 6\)"),
            ),
        ),
        Row(
            lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [4], div_value=3.0, head_bias=True),
            lambda rng: [rng.standard_normal((4, 6)), np.array([0, 3, 1, 1])],
        ),
        Row(
            lambda lib: lib.nn.AdaptiveLogSoftmaxWithLoss(6, 9, [4]),
            lambda rng: [rng.standard_normal(6), np.array(7)],
        ),
    ],
}  # fmt: skip
