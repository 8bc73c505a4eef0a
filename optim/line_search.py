"""Line searches: how far to go along a direction, from a list of rates, by backtracking, or to the Wolfe conditions.

All of them search over φ(t) = f(x + t d). ``line_search`` does so for a model in one call; the pure functions take an
``objective`` and flat arrays, and serve optimizers: ``from optim.line_search import strong_wolfe``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import GraphError, ShapeError, Tensor
from autograd.errors import describe

__all__ = ["LineSearchResult", "armijo", "best_rate", "line_search", "strong_wolfe"]


def best_rate(
    objective: Callable[[Any, float, Any], float], x: Any, d: Any, rates: Iterable[float]
) -> tuple[float, float, int]:
    """Tries every rate and keeps the one with the lowest value: argmin of f(x + t d) over t in rates.

    Arguments:
        objective: ``objective(x, t, d)`` is f(x + t d). A value that is not finite is never chosen.
        x, d: the point and the direction, flat arrays.
        rates: the candidates, tried in order; of equals the first is kept.

    Returns (f at the chosen rate, the rate, the number of evaluations). Where no value is finite the rate is 0 and the
    value infinite.

    Source: the lectures' line search, which updates w with several learning rates and keeps the best.

    >>> import numpy as np
    >>> best_rate(lambda x, t, d: float(np.sum((x + t * d) ** 2)), np.array([2.0]), np.array([-4.0]), [0.1, 0.5, 1.0])
    (0.0, 0.5, 3)
    """
    best, chosen, evaluations = math.inf, 0.0, 0
    for t in rates:
        value = float(objective(x, t, d))
        evaluations += 1
        if value < best:
            best, chosen = value, float(t)
    return best, chosen, evaluations


def armijo(
    objective: Callable[[Any, float, Any], float],
    x: Any,
    t: float,
    d: Any,
    f: float,
    gtd: float,
    c1: float = 1e-4,
    shrink: float = 0.5,
    max_ls: int = 50,
) -> tuple[float, float, int]:
    """Backtracks from t until the decrease is sufficient: f(x + t d) ≤ f + c₁ t gᵀd.

    Arguments:
        objective: ``objective(x, t, d)`` is f(x + t d). A value that is not finite is never accepted.
        x, d: the point and the direction, flat arrays.
        t: the first and largest rate to try.
        f, gtd: the value at x and the slope gᵀd there, which must be negative.
        c1: the part of the slope's promise that must be kept, in (0, 1).
        shrink: the factor of each backtracking, in (0, 1).
        max_ls: the most evaluations.

    Returns (f at the rate, the rate, the number of evaluations); where none was accepted, (f, 0.0, max_ls).

    Source: Armijo 1966, Minimization of functions having Lipschitz continuous first partial derivatives.

    >>> import numpy as np
    >>> armijo(lambda x, t, d: float(np.sum((x + t * d) ** 2)), np.array([2.0]), 1.0, np.array([-4.0]), 4.0, -16.0)
    (0.0, 0.5, 2)
    """
    for evaluation in range(1, max_ls + 1):
        value = float(objective(x, t, d))
        if value <= f + c1 * t * gtd:
            return value, t, evaluation
        t *= shrink
    return f, 0.0, max_ls


def _cubic_minimum(
    t1: float, f1: float, slope1: float, t2: float, f2: float, slope2: float, low: float, high: float
) -> float:
    """The minimum, clipped to [low, high], of the cubic with these values and slopes; the middle where it has none."""
    if t1 > t2:
        t1, f1, slope1, t2, f2, slope2 = t2, f2, slope2, t1, f1, slope1
    a = slope1 + slope2 - 3 * (f1 - f2) / (t1 - t2)
    square = a * a - slope1 * slope2
    if square >= 0:
        root = math.sqrt(square)
        below = slope2 - slope1 + 2 * root
        if below:
            t = t2 - (t2 - t1) * ((slope2 + root - a) / below)
            if math.isfinite(t):
                return min(max(t, low), high)
    return (low + high) / 2


class _Trial(NamedTuple):
    """One point of the line: its rate, value, gradient and slope along d."""

    t: float
    f: float
    g: Any
    slope: float


def strong_wolfe(
    objective: Callable[[Any, float, Any], tuple[float, Any]],
    x: Any,
    t: float,
    d: Any,
    f: float,
    g: Any,
    gtd: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Any, float, int]:
    """Looks for a rate with sufficient decrease and a flat enough slope (the strong Wolfe conditions).

    f(x + t d) ≤ f + c₁ t gᵀd and |g(x + t d)ᵀ d| ≤ c₂ |gᵀd|. First the rate grows until an interval must hold such a
    point, then the interval shrinks; each new rate is the minimum of the cubic through two values and slopes. The
    trials are those of PyTorch's LBFGS. Values that are not finite count as too high.

    Arguments:
        objective: ``objective(x, t, d)`` returns f(x + t d) and its gradient, a new array at each call.
        x, d: the point and the direction, flat arrays.
        t: the first rate to try.
        f, g, gtd: the value at x, the gradient there, and gᵀd, which must be negative.
        c1, c2: 0 < c₁ < c₂ < 1.
        tolerance_change: the interval is small enough where no entry moves by this much within it.
        max_ls: the most rounds; one evaluation more than that can happen.

    Returns (f, gradient, rate, number of evaluations), where the conditions hold or, after max_ls rounds or in an
    interval of no width, at the lowest point found. That may be rate 0.

    Source: Nocedal and Wright 2006, Numerical Optimization, algorithms 3.5 and 3.6.

    >>> import numpy as np
    >>> def objective(x, t, d):
    ...     return float(np.sum((x + t * d) ** 2)), 2 * (x + t * d)
    >>> strong_wolfe(objective, np.array([2.0]), 1.0, np.array([-4.0]), 4.0, np.array([4.0]), -16.0)
    (0.0, array([0.]), 0.5, 2)
    """
    f, gtd = float(f), float(gtd)
    evaluations = 0

    def evaluate(t: float) -> _Trial:
        nonlocal evaluations
        evaluations += 1
        value, gradient = objective(x, t, d)
        value, slope = float(value), float(gradient.dot(d))
        return _Trial(t, value if math.isfinite(value) else math.inf, gradient, slope)

    def too_high(trial: _Trial) -> bool:
        return trial.f > f + c1 * trial.t * gtd

    def flat(trial: _Trial) -> bool:
        return abs(trial.slope) <= -c2 * gtd

    start = before = _Trial(0.0, f, g, gtd)
    new = evaluate(float(t))
    ends: list[_Trial] = []
    rounds = 0
    while rounds < max_ls:
        if too_high(new) or (rounds > 1 and new.f >= before.f):
            ends = [before, new]
            break
        if flat(new):
            return new.f, new.g, new.t, evaluations
        if new.slope >= 0:
            ends = [before, new]
            break
        t = _cubic_minimum(*_line(before), *_line(new), new.t + 0.01 * (new.t - before.t), 10 * new.t)
        before, new = new, evaluate(t)
        rounds += 1
    ends = ends or [start, new]

    low = int(ends[0].f > ends[1].f)
    reach = float(abs(d).max()) if d.size else 0.0
    was_near_end = False
    while rounds < max_ls:
        left, right = sorted((ends[0].t, ends[1].t))
        if (right - left) * reach < tolerance_change:
            break
        t = _cubic_minimum(*_line(ends[0]), *_line(ends[1]), left, right)
        # Near an end for the second time, or on it, the interval would shrink too slowly.
        margin = 0.1 * (right - left)
        near_end = min(right - t, t - left) < margin
        if near_end and (was_near_end or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near_end = False
        was_near_end = near_end
        new = evaluate(t)
        rounds += 1
        if too_high(new) or new.f >= ends[low].f:
            ends[1 - low] = new
            low = int(ends[0].f > ends[1].f)
        else:
            if flat(new):
                return new.f, new.g, new.t, evaluations
            if new.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = new
    return ends[low].f, ends[low].g, ends[low].t, evaluations


def _line(trial: _Trial) -> tuple[float, float, float]:
    return trial.t, trial.f, trial.slope


class LineSearchResult(NamedTuple):
    """What ``line_search`` found: the rate, the loss there, how often the closure was called, and whether it holds.

    ``success`` is False where no rate tried lowers the loss as the method demands; the parameters are then where they
    were, or for ``"wolfe"`` at the lowest point found.
    """

    rate: float
    loss: float
    evaluations: int
    success: bool


class _Line:
    """The parameters as one flat point, moved along a direction."""

    def __init__(self, closure: Callable[[], Any], params: Sequence[Tensor]) -> None:
        self.closure, self.params = closure, params
        self.start = self.flatten([p.detach() for p in params]).copy()

    @staticmethod
    def flatten(tensors: Iterable[Tensor]) -> np.ndarray:
        return np.concatenate([t.numpy().reshape(-1) for t in tensors])

    def move(self, point: np.ndarray) -> None:
        first = 0
        with autograd.no_grad():
            for p in self.params:
                last = first + p.numel()
                p.copy_(autograd.from_numpy(point[first:last].reshape(p.shape).astype(p.numpy().dtype)))
                first = last

    def evaluate(self) -> tuple[float, np.ndarray]:
        for p in self.params:
            p.grad = None
        with autograd.enable_grad():
            loss = self.closure()
        gradients = [autograd.zeros_like(p) if p.grad is None else p.grad.detach() for p in self.params]
        return float(loss), self.flatten(gradients)

    def __call__(self, x: np.ndarray, t: float, d: np.ndarray) -> tuple[float, np.ndarray]:
        # A rate that is far too large is part of the search, and no reason to warn.
        with np.errstate(over="ignore", invalid="ignore"):
            self.move(x + t * d)
            return self.evaluate()


def line_search(
    closure: Callable[[], Any],
    params: Iterable[Tensor],
    method: str = "wolfe",
    *,
    direction: Sequence[Tensor] | None = None,
    rate: float = 1.0,
    rates: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    c1: float = 1e-4,
    c2: float = 0.9,
    shrink: float = 0.5,
    max_ls: int | None = None,
) -> LineSearchResult:
    """Takes one step along a direction, as far as a line search finds best: p ← p + t d.

    Arguments:
        closure: computes the loss, calls ``backward()`` on it and returns it, as for ``Optimizer.step``; it need not
            clear gradients. The loss must not change from call to call: draw no new batch or dropout in it.
        params: the parameters that move.
        method: ``"rates"`` tries all of ``rates`` and keeps the best; ``"armijo"`` backtracks from ``rate`` until the
            decrease is sufficient; ``"wolfe"`` also wants a flat enough slope.
        direction: d, a Tensor for each parameter; the negative gradient if not given.
        rate: the first rate that ``"armijo"`` and ``"wolfe"`` try.
        rates: those that ``"rates"`` tries.
        c1, c2, shrink: as those of ``armijo`` and ``strong_wolfe``.
        max_ls: as theirs: 50 for ``"armijo"`` and 25 for ``"wolfe"`` if not given.

    Returns a ``LineSearchResult``. The parameters are at its rate; their gradients are the closure's last.

    Raises:
        ValueError: an unknown method, a number out of range, no parameters, a direction that does not go down, or a
            loss that is not finite. GraphError: no parameter got a gradient. ShapeError: a direction does not fit its
            parameter.

    >>> import autograd, optim
    >>> w = autograd.tensor([2.0, -1.0], requires_grad=True)
    >>> def closure():
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     return loss
    >>> optim.line_search(closure, [w], method="armijo")
    LineSearchResult(rate=0.5, loss=0.0, evaluations=3, success=True)
    """
    if method not in ("rates", "armijo", "wolfe"):
        raise ValueError(f"line_search: method must be 'rates', 'armijo' or 'wolfe', got {method!r}")
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"line_search: wants 0 < c1 < c2 < 1, got c1={c1} and c2={c2}")
    if not 0 < shrink < 1:
        raise ValueError(f"line_search: shrink must be between 0 and 1, got {shrink}")
    tried = list(rates) if method == "rates" else [rate]
    if not tried or not all(0 < r < math.inf for r in tried):
        raise ValueError(f"line_search: rates must be above 0 and finite, at least one, got {tried}")
    if max_ls is not None and max_ls < 1:
        raise ValueError(f"line_search: max_ls must be at least 1, got {max_ls}")
    params = list(params)
    if not params:
        raise ValueError("line_search: the parameter list is empty; pass model.parameters(), once and unconsumed")
    for i, p in enumerate(params):
        if not isinstance(p, Tensor):
            raise TypeError(f"line_search: parameter {i} must be a Tensor, got {describe(p)}")
    line = _Line(closure, params)
    x = line.start
    f, g = line.evaluate()
    if all(p.grad is None for p in params):
        raise GraphError("line_search: no parameter has a gradient after closure(); call loss.backward() in it")
    if not math.isfinite(f):
        raise ValueError(f"line_search: the loss at the start must be finite, got {f}")
    d = -g if direction is None else _flat_direction(line, direction)
    slope = float(g.dot(d))
    if slope == 0 and not g.any():
        return LineSearchResult(0.0, f, 1, True)
    if not slope < 0:
        raise ValueError(
            f"line_search: direction must go down, but its product with the gradient is {slope}; change its sign, or "
            "leave it out to follow the negative gradient"
        )

    def value(x: np.ndarray, t: float, d: np.ndarray) -> float:
        return line(x, t, d)[0]

    if method == "rates":
        new, t, evaluations = best_rate(value, x, d, tried)
        success = new < f
        if not success:
            new, t = f, 0.0
    elif method == "armijo":
        new, t, evaluations = armijo(value, x, rate, d, f, slope, c1, shrink, 50 if max_ls is None else max_ls)
        success = t > 0
    else:
        rounds = 25 if max_ls is None else max_ls
        new, g, t, evaluations = strong_wolfe(line, x, rate, d, f, g, slope, c1, c2, max_ls=rounds)
        success = t > 0 and new <= f + c1 * t * slope and abs(float(g.dot(d))) <= -c2 * slope
    line.move(x + t * d)
    return LineSearchResult(t, new, evaluations + 1, success)


def _flat_direction(line: _Line, direction: Sequence[Tensor]) -> np.ndarray:
    direction = list(direction)
    if len(direction) != len(line.params):
        raise ValueError(
            f"line_search: direction must have one Tensor for each of {len(line.params)} parameters, "
            f"got {len(direction)}"
        )
    for i, (part, p) in enumerate(zip(direction, line.params, strict=True)):
        if part.shape != p.shape:
            raise ShapeError(f"line_search: direction {i} has shape {part.shape}, its parameter {p.shape}")
    return line.flatten([part.detach() for part in direction]).astype(line.start.dtype)
