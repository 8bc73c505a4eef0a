"""The exercises of notebook 10, regression with uncertainty."""

from __future__ import annotations

import math

import numpy as np

import autograd
import nn
from autograd import Tensor, tensor

from .exercises import Answer, exercise, wrong


def _array(answer: Answer) -> np.ndarray:
    """The numbers of an answer; NaN for what has none, so that it equals nothing."""
    value = answer.value
    if isinstance(value, Tensor):
        return value.detach().numpy()
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return np.array(np.nan)


def _is(answer: Answer, other: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether an answer is a certain wrong one."""
    value = _array(answer)
    return value.shape == other.shape and np.allclose(value, other, 1e-5) and not np.allclose(value, wanted, 1e-5)


@exercise("10.1")
def gaussian_nll(gaussian_nll: Answer) -> str:
    """Half of: ln 2π, plus s, plus the squared error times e^(-s)."""
    for mean, s, t in (
        ([1.0, 2.0], [0.5, 1.0], [1.5, 4.0]),
        ([1.0, 2.0, -1.0], [0.0, 1.0, -2.0], [1.5, 4.0, -1.0]),
        ([0.0, 0.0], [6.0, -6.0], [3.0, 0.1]),
    ):
        given = [tensor(v, dtype=autograd.float64) for v in (mean, s, t)]
        m, v, y = (np.array(each) for each in (mean, s, t))
        wanted = 0.5 * (math.log(2 * math.pi) + v + (y - m) ** 2 * np.exp(-v))
        said = gaussian_nll(*given)
        said.holds(np.ndim(_array(said)) == 1, "is to be one loss for each target: take no mean.")
        slips = {
            "is the likelihood's logarithm itself; the loss is minus that.": -wanted,
            "lacks the constant, half of ln 2π.": wanted - 0.5 * math.log(2 * math.pi),
            "takes s for the variance; it is the variance's logarithm.": 0.5
            * (math.log(2 * math.pi) + np.log(np.abs(v) + 1e-300) + (y - m) ** 2 / (v + 1e-300)),
            "takes s for ln σ; it is ln σ².": 0.5 * math.log(2 * math.pi) + v + 0.5 * (y - m) ** 2 * np.exp(-2 * v),
            "multiplies the squared error by the variance; divide by it, which is times e^(-s).": 0.5
            * (math.log(2 * math.pi) + v + (y - m) ** 2 * np.exp(v)),
        }
        for sentence, slip in slips.items():
            said.holds(not _is(said, slip, wanted), sentence)
        said.gives(wanted)
    return "Nothing in it can overflow before s itself is far out."


@exercise("10.2")
def gradients(gradients: Answer) -> str:
    """The derivative of (t - μ)² / 2σ² in μ is (μ - t) / σ². In s, that term is a constant times e^(-s)."""
    generator = autograd.Generator().manual_seed(2)
    for n in (1, 5):
        mean, s, t = (autograd.randn(n, generator=generator, dtype=autograd.float64) for _ in range(3))
        leaves = [mean.clone().requires_grad_(), s.clone().requires_grad_()]
        wanted = autograd.grad(nn.HeteroscedasticLoss(reduction="sum")(*leaves, t), leaves)
        said = gradients(mean, s, t)
        if not isinstance(said.value, tuple | list) or len(said.value) != 2:
            wrong(f"{said.label} is to be two gradients: return one for mean and one for s.")
        parts = [Answer(part, f"the gradient of {name}") for part, name in zip(said.value, ("mean", "s"), strict=True)]
        variance, error = s.exp().numpy(), (mean - t).numpy()
        right = [part.numpy() for part in wanted]
        parts[0].holds(not _is(parts[0], error, right[0]), "is that of a variance of 1: divide by the variance.")
        if not np.allclose(*right) and _is(parts[0], right[1], right[0]) and _is(parts[1], right[0], right[1]):
            wrong(f"{said.label} has the two gradients the wrong way round.")
        for_variance = 0.5 / variance - error**2 / (2 * variance**2)
        parts[1].holds(
            not _is(parts[1], for_variance, right[1]),
            "is the derivative in σ²; for the one in s = ln σ² multiply it by σ².",
        )
        parts[1].holds(not _is(parts[1], right[1] - 0.5, right[1]), "has forgotten the term s / 2 of the loss.")
        for part, value in zip(parts, wanted, strict=True):
            part.gives(value)
    return "It is 0 where the variance is the squared error."


@exercise("10.3")
def coverage(coverage: Answer) -> str:
    """z = 2**0.5 * autograd.erfinv(tensor(q)); count where the error, without its sign, is below z times sigma."""
    generator = autograd.Generator().manual_seed(3)
    for factor in (1.0, 0.5, 2.0):
        mean, sigma = autograd.randn(400, generator=generator), 0.5 + autograd.rand(400, generator=generator)
        target = mean + factor * sigma * autograd.randn(400, generator=generator)
        z = ((target - mean) / sigma).numpy()
        for q in (0.8, 0.5, 0.6827, 0.1):
            edge = math.sqrt(2) * autograd.erfinv(tensor(q)).item()
            wanted = float(np.mean(abs(z) < edge))
            said = coverage(mean, sigma, target, q)
            said.holds(np.ndim(_array(said)) == 0, f"has shape {np.shape(_array(said))}; one number is wanted.")
            value = float(_array(said))
            slips = {
                "counts only to one side: take the size of the error, without its sign.": np.mean(z < edge),
                "counts what is outside.": 1 - wanted,
                "takes q itself for z.": np.mean(abs(z) < q),
                "has forgotten the √2 of z.": np.mean(abs(z) < edge / math.sqrt(2)),
                "is the share that was claimed; count the targets that are inside.": q,
                "has the place where a share of q lies below; half of the rest is on each side.": np.mean(
                    abs(z) < math.sqrt(2) * autograd.erfinv(tensor(2 * q - 1)).item()
                ),
            }
            for sentence, slip in slips.items():
                said.holds(not (abs(value - slip) < 1e-6 and abs(slip - wanted) > 0.004), sentence)
            said.gives(wanted, atol=0.003)
    return "Above the claimed share a model is too modest, below it too sure."


@exercise("10.4")
def combine(combine: Answer) -> str:
    """For one member the mean of t² is σ² + μ². Average that over the members, and take off the square of the mean."""
    generator = autograd.Generator().manual_seed(4)
    for m, n in ((3, 2), (5, 4), (1, 3)):
        means = 3 * autograd.randn(m, n, generator=generator)
        variances = 0.2 + autograd.rand(m, n, generator=generator)
        own, between = variances.numpy().mean(0), means.numpy().var(0)
        said = combine(means, variances)
        if not isinstance(said.value, tuple | list) or len(said.value) != 2:
            wrong(f"{said.label} is to be two Tensors, the means and the variances.")
        mean, variance = (
            Answer(part, f"the {name}") for part, name in zip(said.value, ("mean", "variance"), strict=True)
        )
        mean.gives(means.mean(0), rtol=1e-4, atol=1e-5)
        wanted = own + between
        slips = {
            "leaves out that the members' means differ.": own,
            "has only the differences of the means; each member scatters itself as well.": between,
            "is that of the mean of independent draws, not of one draw from one member.": own / m,
            "is the mean of t²; take off the square of the mean.": wanted + means.numpy().mean(0) ** 2,
            "is the standard deviation; its square is wanted.": wanted**0.5,
        }
        if m > 1:
            slips["divides the spread of the means by M - 1; here it is the mean over all M."] = own + between * m / (
                m - 1
            )
        for sentence, slip in slips.items():
            variance.holds(not _is(variance, slip, wanted), sentence)
        variance.gives(wanted, rtol=1e-3, atol=1e-4)
    return "The mean of the variances, and the variance of the means."


@exercise("10.5")
def mixture_nll(mixture_nll: Answer) -> str:
    """Compute a of shape (N, K), with target.unsqueeze(1); the loss is -a.logsumexp(1)."""
    generator = autograd.Generator().manual_seed(5)
    for n, k, far in ((1, 2, 0.0), (4, 3, 0.0), (3, 1, 0.0), (2, 3, 1000.0)):
        log_weights = nn.functional.log_softmax(autograd.randn(n, k, generator=generator), 1)
        means, scales = autograd.randn(n, k, generator=generator), 0.5 + autograd.rand(n, k, generator=generator)
        target = autograd.randn(n, generator=generator) + far
        loss = nn.MixtureDensityLoss(reduction="none")
        wanted = loss(log_weights, means.unsqueeze(2), scales.unsqueeze(2), target.unsqueeze(1)).numpy()
        said = mixture_nll(log_weights, means, scales, target)
        value = _array(said)
        if far:
            said.holds(
                np.isfinite(value).all(),
                f"is {value.flat[0]} for targets that are far away: stay with logarithms, and use logsumexp.",
            )
        said.holds(value.shape == (n,), f"has shape {value.shape}; one loss for each row is wanted, ({n},).")
        z = (target.unsqueeze(1) - means) / scales
        a = log_weights - scales.log() - 0.5 * math.log(2 * math.pi) - 0.5 * z**2
        slips = {
            "is the logarithm of the likelihood; the loss is minus that.": -wanted,
            "lacks ln σ: a narrow component has a higher peak.": -(a + scales.log()).logsumexp(1).numpy(),
            "lacks the constant, half of ln 2π.": wanted - 0.5 * math.log(2 * math.pi),
            "averages the logarithms; the sum over components is inside of the logarithm.": -(
                log_weights.exp() * (a - log_weights)
            )
            .sum(1)
            .numpy(),
            "adds up the logarithms; the sum over components is inside of the logarithm.": -a.sum(1).numpy(),
            "takes the densities without the weights.": -(a - log_weights).logsumexp(1).numpy(),
        }
        for sentence, slip in slips.items():
            said.holds(not _is(said, slip, wanted), sentence)
        said.gives(wanted, rtol=1e-4)
    return "With one component it is the loss of exercise 10.1."


@exercise("10.6")
def draw(draw: Answer) -> str:
    """Pick k for each row with the weights exp(log_weights): one random number u in [0, 1) for each row, and k is how
    many of the row's running sums (cumsum(1)) are below u."""
    random, n = np.random.default_rng(6), 4000
    examples = (
        ([0.5, 0.5], [-1.0, 1.0], [0.1, 0.1]),
        ([0.2, 0.8], [-2.0, 3.0], [0.5, 0.05]),
        ([0.1, 0.6, 0.3], [-5.0, 0.0, 5.0], [0.3, 0.6, 0.1]),
        ([1.0], [2.0], [0.7]),
    )
    for seed, (weights, means, scales) in enumerate(examples):
        rows = [np.tile(row, (n, 1)) for row in (np.log(weights), means, scales)]
        said = draw(*rows, seed)
        value = _array(said)
        said.holds(value.shape == (n,), f"has shape {value.shape}; one number for each row is wanted, ({n},).")
        again = _array(draw(*rows, seed))
        said.holds(
            np.array_equal(value, again),
            "is another the second time: all randomness is to come from np.random.default_rng(seed).",
        )
        said.holds(len(np.unique(value)) > n / 2, "gives many rows the same number: draw for each row anew.")
        away = np.abs(value[:, None] - np.array(means)) > 5 * np.array(scales)
        said.holds(
            away.all(1).mean() < 0.02,
            f"is in {away.all(1).mean():.0%} of the rows more than 5 deviations away from every mean, {means}: "
            "pick one component for each row, and do not average over them.",
        )
        nearest = np.abs(value[:, None] - np.array(means)).argmin(1)
        for k, (weight, mean, scale) in enumerate(zip(weights, means, scales, strict=True)):
            own = value[nearest == k]
            said.holds(
                abs(len(own) / n - weight) < 0.04,
                f"lies nearest to the mean {mean:g} in {len(own) / n:.0%} of the rows; its weight is {weight:g}. "
                "Pick the component by the weights.",
            )
            said.holds(abs(own.mean() - mean) < 0.12, f"is {own.mean():.2f} on average around {mean:g}.")
            spread = own.std()
            squared = abs(spread - scale**2) < 0.1 * scale**2 and scale != 1
            said.holds(not squared, f"scatters by {spread:.3f} around {mean:g}; {scale:g} is a deviation, no variance.")
            said.holds(
                abs(spread - scale) < 0.1 * scale, f"scatters by {spread:.3f} around {mean:g}; that is to be {scale:g}."
            )
    means, scales = random.standard_normal((6, 2)) * 50, np.full((6, 2), 1e-3)
    which = np.array([0, 1, 1, 0, 1, 0])  # each row has weights of its own
    sure = np.log(np.where(np.arange(2) == which[:, None], 1 - 1e-12, 1e-12))
    said = draw(sure, means, scales, 7)
    for row in range(2):
        same = _array(said).shape == (6,) and np.allclose(_array(said), means[:, which[row]], atol=0.05)
        said.holds(not same, f"picks by the weights of row {row} in all rows; each row has its own.")
    said.gives(means[np.arange(6), which], rtol=1e-2, atol=0.05)
    return "Averages of draws from different humps would lie between them, where nothing is."
