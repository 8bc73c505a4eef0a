"""The exercises of notebook 6, classification."""

from __future__ import annotations

import numpy as np

import autograd
import nn
from autograd import Tensor, tensor

from .exercises import Answer, exercise, wrong


def _array(said: Answer) -> np.ndarray:
    """An answer's numbers, to look for typical mistakes in; refuses what has none."""
    value = said.done().value
    try:
        return np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value, float)
    except (TypeError, ValueError):
        wrong(f"{said.label} is of type {type(value).__name__}; an array or a Tensor of numbers is wanted.")


def _a_line_on_two_units(said: Answer) -> None:
    """Refuses what is no sum of two logistic units, each times a number, looking at the operations that made it."""
    behind: set[str] = set()  # the nodes that depend on the output of a unit
    units = 0
    for step in autograd.step_through(said.value.sum()):
        if step.phase != "forward":
            continue
        from_units = sum(one.node in behind for one in step.inputs)
        if step.operation == "sigmoid":
            units += 1
            said.holds(not from_units, "has a logistic unit behind another one; both are to see x.")
        said.holds(
            from_units < 2 or step.operation not in ("mul", "div", "pow", "maximum", "minimum", "where"),
            "multiplies or compares the units with one another; on top there is to be a line: weigh them and add.",
        )
        if step.operation == "sigmoid" or from_units:
            behind.add(step.node)
    said.holds(units > 0, "has no logistic unit in it; use autograd.sigmoid.")
    said.holds(units <= 2, f"has {units} logistic units; two are enough.")


@exercise("6.1")
def logistic_loss(logistic_loss: Answer) -> str:
    """-ln(1 - σ(z)) is ln(1 + e^z), which is softplus(z). And -ln σ(z) is softplus(-z), or softplus(z) - z."""
    scores = np.array([-3.0, -0.5, 0.0, 0.7, 2.5])
    for y in (0.0, 1.0):
        z = tensor(scores, requires_grad=True)
        said = logistic_loss(z, tensor(np.full(5, y)))
        if not isinstance(said.value, Tensor):
            wrong(f"{said.label} is no Tensor; compute it from z with autograd's functions, so that it has a gradient.")
        said.holds(said.value.shape == (5,), "is to be one loss for each score, of shape (5,): take no mean.")
        wanted = np.log1p(np.exp(-scores if y else scores))
        flipped = np.allclose(said.value.detach().numpy(), np.log1p(np.exp(scores if y else -scores)))
        said.holds(not flipped, f"is the loss of the other class: y is {y:g} here.")
        said.gives(wanted)
    for value, y in ((1000.0, 0.0), (1000.0, 1.0), (-1000.0, 0.0), (-1000.0, 1.0), (40.0, 0.0)):
        z = tensor([value], requires_grad=True)
        said = logistic_loss(z, tensor([y]))
        worth = said.value.item()
        p = float(value > 0)
        said.holds(
            np.isfinite(worth),
            f"is {worth}: e to the power of {abs(value):g}, or the logarithm of 0, is in it somewhere.",
        )
        said.gives([abs(value) * abs(p - y)], atol=1e-6)
        said.holds(said.value.requires_grad, "has no gradient: it was detached from z.")
        slope = autograd.grad(said.value.sum(), z)[0].item()
        said.holds(
            abs(slope - (p - y)) < 1e-6, f"has the right value, but its slope there is {slope:g}; p - y = {p - y:g}."
        )
    return "This form, softplus(z) - y z, is what BCEWithLogitsLoss computes."


@exercise("6.2")
def hinge_gradient(hinge_gradient: Answer) -> str:
    """Where t z > 1 the loss is flat. Elsewhere it is 1 - t z, divided by N in the mean; what is its slope in z?"""
    generator = autograd.Generator().manual_seed(2)
    for z, t in (
        ([0.5, -0.5, 2.0], [1.0, 1.0, 1.0]),
        ([0.5, -0.5, -2.0], [-1.0, -1.0, -1.0]),
        (2 * autograd.randn(8, generator=generator), [1.0, -1.0] * 4),
    ):
        z, t = autograd.as_tensor(z), autograd.as_tensor(t)
        leaf = z.clone().requires_grad_()
        (wanted,) = autograd.grad(nn.HingeLoss()(leaf, t), [leaf])
        said = hinge_gradient(z, t)
        value = _array(said)
        if value.shape == wanted.shape:
            everywhere = np.allclose(value, -t.numpy() / len(z)) and (wanted == 0).any()
            said.holds(
                not everywhere, "pulls at scores that are far enough on their side: those with t z > 1 are to rest."
            )
            late = np.allclose(value, -t.numpy() * (t * z < 0).numpy() / len(z))
            said.holds(
                not late or np.allclose(value, wanted.numpy()),
                "pulls only at what is on the wrong side; the hinge wants a margin of 1 and not of 0.",
            )
        said.gives(wanted)
    return "Each flower pulls with the same force, or not at all."


@exercise("6.3")
def band(band: Answer) -> str:
    """σ(50 (x - low)) is nearly 0 below low and nearly 1 above it. Take two such units: what is their difference?"""
    for low, high in ((2.5, 4.8), (-1.0, 1.0), (0.0, 6.0)):
        inside = autograd.linspace(low + 0.2, high - 0.2, 7)
        outside = autograd.cat([autograd.linspace(low - 5, low - 0.2, 7), autograd.linspace(high + 0.2, high + 5, 7)])
        for x, sign, where in ((inside, 1, "between"), (outside, -1, "outside of")):
            said = band(x, low, high)
            if not isinstance(said.value, Tensor):
                wrong(f"{said.label} is no Tensor; use autograd.sigmoid.")
            said.holds(
                said.value.shape == x.shape, f"has shape {said.value.shape}; it is to have that of x, {x.shape}."
            )
            z = sign * said.value.detach().numpy()
            worst = int(z.argmin())
            at, score = x[worst].item(), sign * z[worst]
            sized = "its sign is wrong" if z[worst] <= 0 else "that is less than 0.3 away from 0"
            said.holds(
                z[worst] >= 0.3, f"is {score:.2g} at x = {at:.3g}, {where} the edges {low:g} and {high:g}: {sized}."
            )
        at = tensor([low + 0.05, high - 0.05], requires_grad=True)
        said = band(at, low, high)
        said.holds(said.value.requires_grad, "is made by comparisons, which pass no gradient; use two logistic units.")
        _a_line_on_two_units(said)
    return "Two units, two edges. Training finds such weights by itself, and softer ones."


@exercise("6.4")
def cross_entropy_gradient(cross_entropy_gradient: Answer) -> str:
    """softmax(z), with 1 taken off at the true class of each row; and the mean over N rows divides by N."""
    generator = autograd.Generator().manual_seed(4)
    for n, classes, scale in ((1, 3, 1.0), (5, 4, 2.0), (3, 10, 3000.0)):
        z = scale * autograd.randn(n, classes, generator=generator)
        y = autograd.randint(0, classes, (n,), generator=generator)
        leaf = z.clone().requires_grad_()
        (wanted,) = autograd.grad(nn.CrossEntropyLoss()(leaf, y), [leaf])
        said = cross_entropy_gradient(z, y)
        value = _array(said)
        if value.shape == wanted.shape:
            said.holds(
                not (np.allclose(value, n * wanted.numpy(), atol=1e-6) and n > 1),
                "is the gradient of the sum over the rows; the mean has 1/N of it.",
            )
            said.holds(not np.allclose(value, z.softmax(1).numpy() / n), "has not had 1 taken off at the true classes.")
            said.holds(
                not np.isnan(value).any(), "has NaN in it: take the largest score off before exp, or use softmax."
            )
        said.gives(wanted, rtol=1e-4, atol=1e-6)
    return "What was said less what was true, once more."


@exercise("6.5")
def table_gradient(table_gradient: Answer) -> str:
    """(W.T @ delta).reshape(5, d) has a row per place; np.add.at(gradient, window, rows) adds where words repeat."""
    random = np.random.default_rng(5)
    for h, d, v, window in ((4, 3, 9, [1, 8, 0, 3, 5]), (8, 4, 6, [2, 0, 3, 2, 1]), (3, 2, 4, [1, 1, 1, 0, 1])):
        w, delta = random.standard_normal((h, 5 * d)), random.standard_normal(h)
        table, numbers = tensor(random.standard_normal((v, d)), requires_grad=True), np.array(window)
        z = autograd.linear(table[numbers].flatten(), tensor(w))
        (wanted,) = autograd.grad(z, [table], tensor(delta))
        said = table_gradient(w, delta, numbers, v)
        value = _array(said)
        if value.shape == (5, d) and v != 5:
            wrong(f"{said.label} has shape (5, {d}), a row for each place; a row for each of the {v} words is wanted.")
        if value.shape == wanted.shape:
            overwritten = np.zeros((v, d))
            overwritten[numbers] = (w.T @ delta).reshape(5, d)
            lost = np.allclose(value, overwritten) and not np.allclose(value, wanted.numpy())
            said.holds(
                not lost,
                f"keeps only the last of the gradients of a word that stands in the window {window} several times.",
            )
            across = np.zeros((v, d))
            np.add.at(across, numbers, (w.T @ delta).reshape(d, 5).T)
            said.holds(
                not np.allclose(across, value) or np.allclose(across, wanted.numpy()),
                "mixes up words and features: x has the first word's d numbers first, so reshape to (5, d).",
            )
        said.gives(wanted)
    return "Branches add up, for words too. Embedding does just this, without the rows of 0."


@exercise("6.6")
def best_threshold(best_threshold: Answer) -> str:
    """Sort the scores, try each middle of two neighbours and something below all of them, and keep the best F1."""
    random = np.random.default_rng(6)

    def f1(theta: float, scores: np.ndarray, truth: np.ndarray) -> float:
        said = scores > theta
        return 2 * (said & truth).sum() / (said.sum() + truth.sum())

    examples = [
        (np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, True, False, True])),
        (np.array([-2.0, -1.5, -1.0]), np.array([True, True, True])),
        (np.array([3.0, 1.0, 2.0, 0.0]), np.array([False, True, False, False])),
        *(
            (scores := random.standard_normal(60), scores + shift * random.standard_normal(60) > 0.5)
            for shift in (0.5, 2)
        ),
    ]
    for scores, truth in examples:
        values = np.unique(scores)
        best = max(f1(theta, scores, truth) for theta in (values[0] - 1, *(values[:-1] + values[1:]) / 2))
        said = best_threshold(scores, truth)
        theta = said.number()
        reached = f1(theta, scores, truth)
        if reached < best - 1e-9:
            shares = f"F1 is {reached:.3f} there, and {best:.3f} can be had"
            below = " (by a threshold below all scores)" if f1(values[0] - 1, scores, truth) > best - 1e-9 else ""
            wrong(f"For {len(scores)} scores you chose {theta:.3g}; {shares}{below}.")
    return "Never choose it on the data that you report."
