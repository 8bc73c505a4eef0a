"""Gradients by centred differences, beside those of the rules.

The derivative of f along a direction v is (f(x + εv) − f(x − εv)) / 2ε up to O(ε²); with ε = 1e-6 in float64
about nine digits of it are right, which tells a wrong rule from a right one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import modes
from .backward import grad
from .errors import DTypeError, describe
from .node import Node
from .primitive import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(AssertionError, RuntimeError):
    """Analytic and numeric gradients differ; the message lists where, and by how much."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool | None = None,
    seed: int = 0,
) -> bool:
    """Compares the gradients of ``func`` at ``inputs`` with centred differences.

    Every entry of every float64 input that requires grad is moved by ±ε, or, with ``fast_mode``, all of them at
    once along random directions: two evaluations for each of a few directions instead of two for each entry.

    Arguments:
        func: takes ``inputs`` and returns a Tensor or several.
        inputs: float64 Tensors (those that require grad are checked) and anything else.
        eps: how far to move.
        atol, rtol: how far apart the two may be, |analytic − numeric| ≤ atol + rtol |numeric|.
        raise_exception: raise at a difference rather than return False.
        fast_mode: random projections; by default for inputs of more than 1,000 entries together.
        seed: of the random directions.

    Returns True when all agree.

    Raises:
        GradcheckError: with input, index, analytic and numeric value of the worst entries.
        DTypeError: an input to be checked is not float64: its rounding errors would drown the differences.

    >>> import autograd
    >>> gradcheck(autograd.tanh, autograd.tensor([0.1, 0.2], dtype=autograd.float64, requires_grad=True))
    True
    """
    given: list[Any] = [inputs] if isinstance(inputs, Node) else list(inputs)
    checked = [i for i, x in enumerate(given) if isinstance(x, Node) and x._requires_grad]
    if not checked:
        raise ValueError("gradcheck: none of the inputs requires grad; make them with requires_grad=True")
    for i in checked:
        if given[i].dtype != np.float64:
            raise DTypeError(f"gradcheck: inputs[{i}] is {describe(given[i])}; make it float64 (x.double())")
    wrong = differences(func, given, eps=eps, atol=atol, rtol=rtol, fast_mode=fast_mode, seed=seed)
    if not wrong:
        return True
    if raise_exception:
        shown = "\n".join(line for _, line in wrong[:10])
        more = f"\n  … and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        name = getattr(func, "__name__", type(func).__name__)
        raise GradcheckError(
            f"gradcheck: {name}: analytic and numeric gradients differ (atol={atol}, rtol={rtol}):\n{shown}{more}"
        )
    return False


def differences(
    func: Callable[..., Any],
    given: Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    fast_mode: bool | None = None,
    seed: int = 0,
) -> list[tuple[float, str]]:
    """Where analytic and numeric gradients differ, by how much and in words, the largest difference first.

    Arguments are those of ``gradcheck``.
    """
    checked = [i for i, x in enumerate(given) if isinstance(x, Node) and x._requires_grad]
    values = [np.array(x._array, order="C") if i in checked else x for i, x in enumerate(given)]

    def evaluate(arrays: list[Any]) -> list[Any]:
        call = [wrap(a) if i in checked else a for i, a in enumerate(arrays)]
        for i in checked:
            call[i]._requires_grad = True
        result = func(*call)
        outputs = [result] if isinstance(result, Node) else list(result)
        return [call, [y for y in outputs if isinstance(y, Node) and y.dtype.kind == "f"]]

    if fast_mode is None:
        fast_mode = sum(values[i].size for i in checked) > 1000
    compare = _projected if fast_mode else _entrywise
    wrong = compare(evaluate, values, checked, eps, atol, rtol, np.random.default_rng(seed))
    return sorted(wrong, key=lambda w: -w[0])


def _analytic(y: Any, call: list[Any], checked: list[int], upstream: Any) -> list[Any]:
    if not y._requires_grad:
        return [np.zeros(call[i].shape) for i in checked]
    found = grad(y, [call[i] for i in checked], wrap(upstream), retain_graph=True, materialize_grads=True)
    return [g.numpy() for g in found]


def _differs(analytic: Any, numeric: Any, atol: float, rtol: float) -> Any:
    close = np.abs(analytic - numeric) <= atol + rtol * np.abs(numeric)
    return ~(close | (np.isnan(analytic) & np.isnan(numeric)) | (analytic == numeric))


def _entrywise(
    evaluate: Any, values: list[Any], checked: list[int], eps: float, atol: float, rtol: float, rng: Any
) -> list[tuple[float, str]]:
    call, outputs = evaluate(values)
    wrong = []
    numeric = [[np.zeros((y._array.size, values[i].size)) for i in checked] for y in outputs]
    for place, i in enumerate(checked):
        for entry in range(values[i].size):
            sides = []
            for step in (eps, -eps):
                moved = list(values)
                moved[i] = np.array(values[i])
                moved[i].reshape(-1)[entry] += step
                with np.errstate(all="ignore"):
                    sides.append([np.array(y._array).reshape(-1) for y in evaluate(moved)[1]])
            for k, (above, below) in enumerate(zip(*sides, strict=True)):
                with np.errstate(all="ignore"):
                    numeric[k][place][:, entry] = (above - below) / (2 * eps)
    for k, y in enumerate(outputs):
        for row in range(y._array.size):
            upstream = np.zeros(y._array.shape)
            upstream.reshape(-1)[row] = 1
            for place, g in enumerate(_analytic(y, call, checked, upstream)):
                other = numeric[k][place][row].reshape(g.shape)
                for at in zip(*np.nonzero(np.atleast_1d(_differs(g, other, atol, rtol))), strict=True):
                    a, n = np.atleast_1d(g)[at], np.atleast_1d(other)[at]
                    index = tuple(int(d) for d in at) if g.ndim else ()
                    of = tuple(int(d) for d in np.unravel_index(row, y._array.shape)) if y._array.ndim else ()
                    wrong.append(
                        (
                            float(np.nan_to_num(abs(a - n), nan=np.inf)),
                            f"  d output{k}{list(of) or ''} / d input{checked[place]}{list(index) or ''}: "
                            f"analytic {a:.9g}, numeric {n:.9g}, difference {a - n:.3g}",
                        )
                    )
    return wrong


def _projected(
    evaluate: Any, values: list[Any], checked: list[int], eps: float, atol: float, rtol: float, rng: Any
) -> list[tuple[float, str]]:
    call, outputs = evaluate(values)
    wrong = []
    upstreams = [rng.standard_normal(y._array.shape) for y in outputs]
    analytic = [_analytic(y, call, checked, u) for y, u in zip(outputs, upstreams, strict=True)]
    for trial in range(3):
        for place, i in enumerate(checked):
            direction = rng.standard_normal(values[i].shape)
            direction /= np.linalg.norm(direction) or 1.0
            sides = []
            for step in (eps, -eps):
                moved = list(values)
                moved[i] = values[i] + step * direction
                with np.errstate(all="ignore"):
                    sides.append([np.array(y._array) for y in evaluate(moved)[1]])
            for k, (above, below) in enumerate(zip(*sides, strict=True)):
                n = float(np.sum(upstreams[k] * (above - below)) / (2 * eps))
                a = float(np.sum(analytic[k][place] * direction))
                if _differs(np.float64(a), np.float64(n), atol, rtol):
                    wrong.append(
                        (
                            float(np.nan_to_num(abs(a - n), nan=np.inf)),
                            f"  d output{k} / d input{i}, along random direction {trial}: "
                            f"analytic {a:.9g}, numeric {n:.9g}, difference {a - n:.3g}",
                        )
                    )
    return wrong


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool | None = None,
    seed: int = 0,
) -> bool:
    """``gradcheck`` of the gradients of ``func``: of inputs and upstream gradient ↦ downstream gradients.

    Arguments are those of ``gradcheck``; ``grad_outputs`` are the upstream gradients, random by default.

    >>> import autograd
    >>> gradgradcheck(autograd.tanh, autograd.tensor([0.1, 0.2], dtype=autograd.float64, requires_grad=True))
    True
    """
    given: list[Any] = [inputs] if isinstance(inputs, Node) else list(inputs)
    rng = np.random.default_rng(seed)
    with modes.no_grad():
        result = func(*given)
    several = not isinstance(result, Node)
    differentiable = [k for k, y in enumerate(result if several else [result]) if y.dtype.kind == "f"]
    if grad_outputs is None:
        outputs: Any = result if several else [result]
        upstreams: list[Any] = [wrap(rng.standard_normal(outputs[k].shape)) for k in differentiable]
        for u in upstreams:
            u._array = u._array if isinstance(u._array, (np.ndarray, np.generic)) else np.float64(u._array)
            u._requires_grad = True
    else:
        upstreams = [grad_outputs] if isinstance(grad_outputs, Node) else list(grad_outputs)
    n = len(given)

    def gradients(*arguments: Any) -> Any:
        with modes.enable_grad():
            xs = list(arguments[:n])
            result = func(*xs)
            outputs: Any = result if several else [result]
            pairs = [
                (outputs[k], u) for k, u in zip(differentiable, arguments[n:], strict=True) if outputs[k]._requires_grad
            ]
            targets: Any = [x for x in xs if isinstance(x, Node) and x._requires_grad]
            return grad(
                [y for y, _ in pairs], targets, [u for _, u in pairs], create_graph=True, materialize_grads=True
            )

    gradients.__name__ = f"gradient of {getattr(func, '__name__', type(func).__name__)}"
    return gradcheck(
        gradients,
        [*given, *upstreams],
        eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, fast_mode=fast_mode, seed=seed,
    )  # fmt: skip
