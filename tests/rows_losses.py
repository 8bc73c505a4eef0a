"""Rows of the losses, of what looks rows up, and of the other functions of ``nn.functional``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw
from scipy import special

import autograd
import nn.functional

REDUCTIONS = ("mean", "sum", "none")


def functional(name: str) -> Any:
    return lambda torch, *inputs, **static: getattr(torch.nn.functional, name)(*inputs, **static)


def reduced(losses: Any, reduction: str = "mean") -> Any:
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def row(name: str, samples: list[Sample], numpy: Any, *, torch: Any = None, **options: Any) -> Row:
    """A function of ``nn.functional``; ``numpy`` gives the losses before they are reduced."""

    def reference(*inputs: Any, reduction: str = "mean", **static: Any) -> Any:
        return reduced(numpy(*inputs, **static), reduction)

    return Row(name, samples, reference, torch or functional(name), op=getattr(nn.functional, name), **options)


SHAPES = [(), (3,), (2, 3), (2, 1, 2)]


def pairs(*statics: dict[str, Any], low: float = -2.0, high: float = 2.0, second: Any = None) -> list[Sample]:
    """Input and target of several shapes, every reduction, and each of the static arguments."""
    samples = []
    for i, shape in enumerate(SHAPES):
        x, y = draw(shape, shape, low=low, high=high, seed=i)
        if second is not None:
            (y,) = draw(shape, low=second[0], high=second[1], seed=i + 20)
        samples.append(Sample((x, y), {"reduction": REDUCTIONS[i % 3]}))
    x, y = samples[2].inputs
    return [*samples, Sample((x[::-1, ::-2], y[::-1, ::-2])), *[Sample((x, y), static) for static in statics]]


def signs(shape: tuple[int, ...]) -> np.ndarray:
    return np.where(np.arange(math.prod(shape)) % 3 == 1, -1.0, 1.0).reshape(shape)


def with_signs(*statics: dict[str, Any], low: float = -2.0, avoid: Any = ()) -> list[Sample]:
    arrays = [draw(s, low=low, avoid=avoid, seed=i)[0] for i, s in enumerate(SHAPES)]
    samples = [Sample((x, signs(x.shape)), {"reduction": REDUCTIONS[i % 3]}) for i, x in enumerate(arrays)]
    return [*samples, *[Sample((arrays[2], signs((2, 3))), static) for static in statics]]


def smooth_l1(x: Any, y: Any, beta: float = 1.0) -> Any:
    d = np.abs(x - y)
    return d if beta == 0 else np.where(d < beta, d * d / (2 * beta), d - beta / 2)


def huber(x: Any, y: Any, delta: float = 1.0, weight: Any = 1.0) -> Any:
    d = np.abs(x - y)
    return weight * np.where(d < delta, d * d / 2, delta * (d - delta / 2))


def mean_by_weight(losses: Any) -> Any:
    def reference(x: Any, y: Any, reduction: str = "mean", weight: Any = None) -> Any:
        if weight is None:
            return reduced(losses(x, y), reduction)
        return (losses(x, y) * weight).sum() / (weight.sum() if reduction == "mean" else 1)

    return reference


def weighted_samples() -> list[Sample]:
    x, y = draw((2, 3), (2, 3), seed=3)
    (w,) = draw((2, 3), low=0.2, seed=4)
    return [*pairs(), *[Sample((x, y, r, w)) for r in ("mean", "sum")]]


def weighted(name: str, losses: Any) -> Row:
    return Row(
        name,
        weighted_samples(),
        mean_by_weight(losses),
        lambda torch, x, y, reduction="mean", weight=None: getattr(torch.nn.functional, name)(
            x, y, reduction=reduction, weight=weight
        ),
        op=getattr(nn.functional, name),
    )


def bce(p: Any, t: Any, weight: Any = 1.0) -> Any:
    return -weight * (t * np.log(p) + (1 - t) * np.log(1 - p))


def bce_logits(x: Any, t: Any, weight: Any = None, pos_weight: Any = None) -> Any:
    losses = (1 - t) * x + (1 + (1 if pos_weight is None else pos_weight) * t - t) * np.log1p(np.exp(-x))
    return losses if weight is None else losses * weight


def with_words(name: str, *words: str) -> tuple[Any, Any]:
    """PyTorch's function and ours, with the inputs after the first two given by keyword."""

    def by_word(function: Any, x: Any, y: Any, rest: Any, static: Any) -> Any:
        return function(x, y, **dict(zip(words, rest, strict=False)), **static)

    return (
        lambda torch, x, y, *rest, **static: by_word(getattr(torch.nn.functional, name), x, y, rest, static),
        lambda x, y, *rest, **static: by_word(getattr(nn.functional, name), x, y, rest, static),
    )


def bce_logits_samples() -> list[Sample]:
    samples = pairs(second=(0.0, 1.0))
    x, weight, pos_weight = draw((2, 3), (2, 3), (3,), low=0.2, seed=5)
    t = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.25]])
    return [*samples, Sample((x, t, None, pos_weight)), Sample((x, t, weight, pos_weight), {"reduction": "sum"})]


def bce_logits_row() -> Row:
    torch, ours = with_words("binary_cross_entropy_with_logits", "weight", "pos_weight")
    return Row(
        "binary_cross_entropy_with_logits",
        bce_logits_samples(),
        lambda x, t, *rest, reduction="mean": reduced(bce_logits(x, t, *rest), reduction),
        torch,
        op=ours,
        constant=(2, 3),  # PyTorch has no gradient for the weights
    )


def kl_row() -> Row:
    def reference(x: Any, t: Any, reduction: str = "mean", log_target: bool = False) -> Any:
        losses = np.exp(t) * (t - x) if log_target else special.xlogy(t, t) - t * x
        return losses.sum() / len(x) if reduction == "batchmean" else reduced(losses, reduction)

    def torch(torch: Any, x: Any, t: Any, reduction: str = "mean", log_target: bool = False) -> Any:
        # Asked for the mean, PyTorch warns that the batch's may be meant.
        losses = torch.nn.functional.kl_div(x, t, reduction="none", log_target=log_target)
        if reduction == "batchmean":
            return torch.nn.functional.kl_div(x, t, reduction=reduction, log_target=log_target)
        return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()

    samples = pairs({"log_target": True}, {"reduction": "batchmean"}, second=(0.1, 1.0))
    return Row("kl_div", samples, reference, torch, op=nn.functional.kl_div)


def poisson(x: Any, t: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Any:
    losses = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        losses = losses + np.where(t > 1, t * np.log(t) - t + 0.5 * np.log(2 * np.pi * t), 0)
    return losses


def gaussian(x: Any, t: Any, var: Any, full: bool = False, eps: float = 1e-6) -> Any:
    var = var if np.ndim(var) in (0, x.ndim) else var[..., None]
    var = np.maximum(var, eps)
    return 0.5 * (np.log(var) + (x - t) ** 2 / var) + (0.5 * math.log(2 * math.pi) if full else 0)


def gaussian_samples() -> list[Sample]:
    x, t = draw((2, 3), (2, 3), seed=1)
    full, short, kept = (draw(s, low=0.3, seed=i)[0] for i, s in enumerate([(2, 3), (2,), (2, 1)]))
    return [
        Sample((x, t, full)),
        Sample((x, t, short), {"full": True, "reduction": "sum"}),
        Sample((x, t, kept), {"reduction": "none"}),
        Sample((x, t, 2.0)),
    ]


def gaussian_clamped() -> Row:
    """Below eps the variance has the gradient that it would have at eps, so finite differences do not see it."""
    x, t = draw((2, 3), (2, 3), seed=1)
    sample = Sample((x, t, np.array([[0.01, 2.0, 1.0], [1.5, 0.1, 0.02]])), {"eps": 0.5})
    return Row(
        "gaussian_nll_loss with eps",
        [sample],
        lambda *inputs, **static: gaussian(*inputs, **static).mean(),
        functional("gaussian_nll_loss"),
        op=nn.functional.gaussian_nll_loss,
        cut=True,
    )


def nll(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    classes = input.shape[min(input.ndim, 2) - 1]
    rows = np.moveaxis(input, min(input.ndim, 2) - 1, -1).reshape(-1, classes)
    flat = target.reshape(-1)
    w = (np.ones(classes) if weight is None else weight)[np.where(flat == ignore_index, 0, flat)]
    w = w * (flat != ignore_index)
    losses = -w * rows[np.arange(len(rows)), np.where(flat == ignore_index, 0, flat)]
    if reduction == "none":
        return losses.reshape(target.shape)
    return losses.sum() / (w.sum() if reduction == "mean" else 1)


def nll_samples() -> list[Sample]:
    (x,), (images,) = draw((4, 3)), draw((2, 3, 2), seed=1)
    (weight,) = draw((3,), low=0.2)
    t, places = np.array([0, 2, -100, 1]), np.array([[0, 2], [1, 1]])
    samples = [Sample((x, t), {"reduction": r}) for r in REDUCTIONS] + [Sample((x, t, weight))]
    return [
        *samples,
        Sample((*draw((3,)), np.array(2))),
        Sample((images, places)),
        Sample((images, places, weight), {"reduction": "none", "ignore_index": 1}),
    ]


def triplet(a: Any, p: Any, n: Any, margin: float = 1.0, power: float = 2.0, swap: bool = False) -> Any:
    def distance(x: Any, y: Any) -> Any:
        return (np.abs(x - y + 1e-6) ** power).sum(-1) ** (1 / power)

    far = np.minimum(distance(a, n), distance(p, n)) if swap else distance(a, n)
    return np.maximum(0, margin + distance(a, p) - far)


def triplet_samples(*statics: dict[str, Any]) -> list[Sample]:
    batch, single = draw((3, 2), (3, 2), (3, 2), seed=1), draw((3,), (3,), (3,), seed=2)
    samples = [Sample(tuple(batch), {"reduction": r, "margin": 3.0}) for r in REDUCTIONS]
    return [*samples, Sample(tuple(single)), *[Sample(tuple(batch), static) for static in statics]]


def cosine(x: Any, y: Any, target: Any, margin: float = 0.0) -> Any:
    c = (x * y).sum(-1) / np.sqrt(((x * x).sum(-1) + 1e-12) * ((y * y).sum(-1) + 1e-12))
    return np.where(target == 1, 1 - c, np.maximum(0, c - margin))


def cosine_samples() -> list[Sample]:
    x, y = draw((4, 3), (4, 3), seed=2)
    t = np.array([1, -1, -1, 1])
    samples = [Sample((x, y, t), {"reduction": r}) for r in REDUCTIONS]
    return [*samples, Sample((x, y, t), {"margin": 0.3}), Sample((*draw((3,), (3,)), np.array(-1)))]


def multi_margin(x: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None) -> Any:
    rows, classes = np.atleast_2d(x), np.atleast_1d(target)
    losses = []
    for scores, t in zip(rows, classes, strict=True):
        excess = np.maximum(0, margin - scores[t] + np.delete(scores, t)) ** p
        losses.append((excess * (1 if weight is None else weight[t])).sum() / len(scores))
    return np.reshape(losses, target.shape)


def multi_margin_samples() -> list[Sample]:
    (x,), (weight,) = draw((4, 3), seed=3), draw((3,), low=0.2)
    t = np.array([2, 0, 1, 1])
    samples = [Sample((x, t), {"reduction": r, "p": p}) for r, p in zip(REDUCTIONS, (1, 2, 1), strict=True)]
    return [*samples, Sample((x, t, 1, 0.7, weight)), Sample((*draw((3,)), np.array(1)))]


def torch_multi_margin(torch: Any, x: Any, t: Any, p: int = 1, margin: float = 1.0, weight: Any = None, **static: Any):
    return torch.nn.functional.multi_margin_loss(x, t, p=static.pop("p", p), margin=margin, weight=weight, **static)


def multilabel_margin(x: Any, target: Any) -> Any:
    losses = []
    for scores, listed in zip(np.atleast_2d(x), np.atleast_2d(target), strict=True):
        named = listed[: np.argmax(listed < 0)] if (listed < 0).any() else listed
        others = np.setdiff1d(np.arange(len(scores)), named)
        losses.append(sum(max(0.0, 1 - scores[t] + scores[j]) for t in named for j in others) / len(scores))
    return np.reshape(losses, x.shape[:-1])


LABELS = np.array([[1, 3, -1, 0], [0, -1, 2, 2], [-1, 0, 0, 0], [2, 0, 1, 3]])


def multilabel_soft(x: Any, t: Any, weight: Any = None) -> Any:
    return (bce_logits(x, t) * (1 if weight is None else weight)).mean(-1)


def multilabel_soft_samples() -> list[Sample]:
    (x,), (weight,) = draw((2, 3), seed=6), draw((3,), low=0.2)
    t = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    return [*[Sample((x, t), {"reduction": r}) for r in REDUCTIONS], Sample((x, t, weight))]


def bag(
    input: Any, weight: Any, offsets: Any = None, per_sample_weights: Any = None, mode: str = "mean", **static: Any
) -> Any:
    if offsets is None:
        bags = list(zip(input, [None] * len(input) if per_sample_weights is None else per_sample_weights, strict=True))
    else:
        ends = [*offsets[1:], *([] if static.get("include_last_offset") else [len(input)])]
        starts = offsets[: len(ends)]
        bags = [
            (input[a:b], None if per_sample_weights is None else per_sample_weights[a:b])
            for a, b in zip(starts, ends, strict=True)
        ]
    join = {"mean": np.mean, "sum": np.sum, "max": np.max}[mode]
    rows = []
    for named, factors in bags:
        kept = named != static.get("padding_idx", -1)
        table = weight[named] * (1 if factors is None else factors[:, None])
        rows.append(join(table[kept], axis=0) if kept.any() else np.zeros(weight.shape[1]))
    return np.stack(rows)


def bag_row(name: str, samples: list[Sample]) -> Row:
    """Where bags begin is no input: inside a compiled function it must be known."""

    def words(input: Any, weight: Any, factors: Any = None) -> dict[str, Any]:
        return {"input": input, "weight": weight, "per_sample_weights": factors}

    def reference(input: Any, weight: Any, factors: Any = None, offsets: Any = None, **static: Any) -> Any:
        return bag(input, weight, None if offsets is None else offsets.tolist(), factors, **static)

    def torch(torch: Any, *inputs: Any, offsets: Any = None, **static: Any) -> Any:
        places = None if offsets is None else torch.tensor(offsets.tolist())
        return torch.nn.functional.embedding_bag(**words(*inputs), offsets=places, **static)

    def ours(*inputs: Any, **static: Any) -> Any:
        return autograd.embedding_bag(**words(*inputs), **static)

    return Row(name, samples, reference, torch, op=ours)


def bag_samples() -> list[Sample]:
    (table,), (factors,) = draw((5, 3), seed=8), draw((2, 3), seed=9)
    grid = np.array([[1, 2, 4], [3, 3, 0]])
    samples = [Sample((grid, table), {"mode": m}) for m in ("mean", "sum", "max")]
    samples.append(Sample((grid, table, factors), {"mode": "sum"}))
    padded = np.array([[1, 2, 4], [2, 2, 2]])
    return [*samples, *[Sample((padded, table), {"mode": m, "padding_idx": 2}) for m in ("mean", "sum", "max")]]


def line_samples() -> list[Sample]:
    (table,), (factors,) = draw((5, 3), seed=8), draw((5,), seed=9)
    line, offsets = np.array([1, 2, 4, 3, 3]), autograd.tensor([0, 2, 2, 4])
    return [
        *[Sample((line, table), {"mode": m, "offsets": offsets}) for m in ("mean", "sum", "max")],
        Sample((line, table), {"offsets": autograd.tensor([0, 2, 5]), "include_last_offset": True}),
        Sample((line, table, factors), {"mode": "sum", "offsets": offsets}),
    ]


def response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    out = np.empty_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(c - size // 2, 0) : c + (size - 1) // 2 + 1] ** 2
        out[:, c] = x[:, c] / (k + alpha / size * near.sum(1)) ** beta
    return out


def response_norm_samples() -> list[Sample]:
    (x,), (y,) = draw((2, 4, 2), seed=1), draw((1, 2, 2, 1), seed=2)
    return [Sample((x, n), {"alpha": 0.5}) for n in (1, 2, 3)] + [Sample((y, 5), {"beta": 0.5, "k": 2.0})]


def bilinear_samples() -> list[Sample]:
    cases = [((3,), (2,)), ((4, 3), (4, 2)), ((2, 1, 3), (2, 1, 2)), ((0, 3), (0, 2))]
    samples = []
    for i, (s, t) in enumerate(cases):
        x, y, weight, bias = draw(s, t, (2, 3, 2), (2,), seed=i)
        samples.append(Sample((x, y, weight, bias) if i % 2 else (x, y, weight)))
    return samples


P, T = draw((2, 3), low=0.05, high=0.95)[0], np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.25]])
ROWS = [
    # The primitives
    Row(
        "bernoulli_nll",
        [
            Sample((P, T)),
            Sample(tuple(draw((), (), low=0.1, high=0.9))),
            Sample(tuple(draw((2, 3), (3,), low=0.1, high=0.9))),
            Sample(tuple(draw((0,), (0,), low=0.1, high=0.9))),
        ],
        bce,
        lambda torch, p, t: torch.nn.functional.binary_cross_entropy(p, t.expand(p.shape), reduction="none"),
    ),
    Row(
        "logistic_nll",
        [Sample((draw((2, 3))[0], T)), Sample(tuple(draw((), ()))), Sample(tuple(draw((2, 3), (3,))))],
        bce_logits,
        lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(
            x, t.expand(x.shape), reduction="none"
        ),
    ),
    Row(
        "scale_gradient",
        [Sample(tuple(draw((2, 3), (2, 1)))), Sample(tuple(draw((), ())))],
        lambda x, factor: x,
        lambda torch, x, factor: (x * factor) + (x - x * factor).detach(),
        constant=(1,),
        cut=True,
    ),
    # The public functions
    weighted("mse_loss", lambda x, y: (x - y) ** 2),
    weighted("l1_loss", lambda x, y: np.abs(x - y)),
    row("smooth_l1_loss", pairs({"beta": 0.3}, {"beta": 0.0}), smooth_l1),
    row("huber_loss", pairs({"delta": 0.3}, {"delta": 2.0}), huber),
    Row(
        "huber_loss with weights",
        [Sample((*draw((2, 3), (2, 3), seed=3), draw((2, 3), low=0.2)[0]))],
        lambda x, y, w: huber(x, y, weight=w).mean(),
        lambda torch, x, y, w: torch.nn.functional.huber_loss(x, y, weight=w),
        op=lambda x, y, w: nn.functional.huber_loss(x, y, weight=w),
    ),
    # PyTorch has no gradient for the weight of the entries.
    row(
        "binary_cross_entropy",
        [*pairs(low=0.05, high=0.95), Sample((P, T, draw((2, 3), low=0.2)[0]), {"reduction": "sum"})],
        bce,
        constant=(2,),
    ),
    bce_logits_row(),
    kl_row(),
    row(
        "poisson_nll_loss",
        pairs({"log_input": False}, {"full": True}, {"eps": 0.1, "log_input": False}, low=0.1, second=(0.2, 3.0)),
        poisson,
    ),
    row("gaussian_nll_loss", gaussian_samples(), gaussian),
    gaussian_clamped(),
    Row("nll_loss", nll_samples(), nll, functional("nll_loss"), op=nn.functional.nll_loss, constant=(2,)),
    row(
        "hinge_embedding_loss",
        with_signs({"margin": 0.3}, avoid=(0.3, 1)),
        lambda x, t, margin=1.0: np.where(t == 1, x, np.maximum(0, margin - x)),
        constant=(1,),
    ),
    row(
        "margin_ranking_loss",
        [Sample((*draw(s, s, seed=i), signs(s)), {"reduction": REDUCTIONS[i % 3]}) for i, s in enumerate(SHAPES)]
        + [Sample((*draw((2, 3), (2, 3)), signs((2, 3))), {"margin": 0.5})],
        lambda x, y, t, margin=0.0: np.maximum(0, margin - t * (x - y)),
    ),
    row("soft_margin_loss", with_signs(), lambda x, t: np.log1p(np.exp(-t * x)), constant=(1,)),
    row("cosine_embedding_loss", cosine_samples(), cosine),
    Row(
        "triplet_margin_loss",
        triplet_samples({"swap": True, "margin": 2.0}, {"p": 1.0, "margin": 2.0}),
        lambda *inputs, reduction="mean", margin=1.0, swap=False, **static: reduced(
            triplet(*inputs, margin, static.get("p", 2.0), swap), reduction
        ),
        functional("triplet_margin_loss"),
        op=nn.functional.triplet_margin_loss,
    ),
    row("triplet_margin_with_distance_loss", triplet_samples({"swap": True, "margin": 2.0}), triplet),
    Row(
        "multi_margin_loss",
        multi_margin_samples(),
        lambda *inputs, reduction="mean", **static: reduced(multi_margin(*inputs, **static), reduction),
        torch_multi_margin,
        op=nn.functional.multi_margin_loss,
        constant=(4,),
    ),
    row(
        "multilabel_margin_loss",
        [Sample((*draw((4, 4), seed=5), LABELS), {"reduction": r}) for r in REDUCTIONS]
        + [Sample((*draw((4,), seed=6), LABELS[0]))],
        multilabel_margin,
    ),
    row("multilabel_soft_margin_loss", multilabel_soft_samples(), multilabel_soft, constant=(1,)),
    bag_row("embedding_bag", bag_samples()),
    bag_row("embedding_bag with offsets", line_samples()),
    # The gradient is divided by how often the row is named, on purpose.
    Row(
        "embedding by frequency",
        [Sample((np.array([[1, 2, 1], [3, 1, 2]]), *draw((4, 2)))), Sample((np.array(1), *draw((4, 2))))],
        lambda input, weight: weight[input],
        lambda torch, *inputs: torch.nn.functional.embedding(*inputs, scale_grad_by_freq=True),
        op=lambda *inputs: autograd.embedding(*inputs, scale_grad_by_freq=True),
        cut=True,
    ),
    Row(
        "bilinear",
        bilinear_samples(),
        lambda x, y, weight, bias=0.0: np.einsum("...i,oij,...j->...o", x, weight, y) + bias,
        functional("bilinear"),
        op=autograd.bilinear,
    ),
    Row(
        "local_response_norm",
        response_norm_samples(),
        response_norm,
        functional("local_response_norm"),
        op=nn.functional.local_response_norm,
    ),
    Row(
        "softmin",
        [Sample(tuple(draw(s, seed=i)), {"dim": d}) for i, (s, d) in enumerate([((3,), 0), ((2, 3), 1), ((2, 3), 0)])],
        lambda x, dim: special.softmax(-x, dim),
        functional("softmin"),
        op=autograd.softmin,
    ),
    Row(
        "linear_cross_entropy",
        [Sample((*draw((3, 2), (4, 2)), np.array([0, 3, 1]), *draw((4,), seed=5)))],
        lambda x, weight, target, bias: (
            -np.mean(special.log_softmax(x @ weight.T + bias, 1)[np.arange(len(target)), target])
        ),
        lambda torch, x, weight, target, bias: torch.nn.functional.cross_entropy(x @ weight.T + bias, target),
        op=lambda x, weight, target, bias: nn.functional.linear_cross_entropy(x, weight, target, linear_bias=bias),
    ),
    Row(
        "relu of nn.functional",
        [Sample(tuple(draw((2, 3), avoid=(0,))))],
        lambda x: np.maximum(x, 0),
        functional("relu"),
        op=nn.functional.relu,
    ),
]
