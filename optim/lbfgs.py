"""L-BFGS: steps towards the minimum of a quadratic model, from the last few changes of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor

from .line_search import _Line, strong_wolfe
from .optimizer import Optimizer, Params
from .packs import array_of

__all__ = ["LBFGS", "lbfgs_direction"]


def lbfgs_direction(g: Any, changes: list[Any], steps: list[Any], scale: float) -> Any:
    """−H g for the inverse Hessian H that the last changes of the gradient speak for (the two-loop recursion).

    Arguments:
        g: the gradient, flat (n,).
        changes: y, the last changes of the gradient, oldest first, each (n,).
        steps: s, the steps that they belong to, each with yᵀs > 0.
        scale: H without any of them is scale · I.

    >>> import numpy as np
    >>> lbfgs_direction(np.array([6.0, 1.0]), [np.array([2.0, 0.0])], [np.array([1.0, 0.0])], 0.5)
    array([-3. , -0.5])
    """
    q = -g
    parts = []
    for y, s in zip(reversed(changes), reversed(steps), strict=True):
        part = s.dot(q) / y.dot(s)
        parts.append(part)
        q = q - part * y
    d = scale * q
    for y, s, part in zip(changes, steps, reversed(parts), strict=True):
        d = d + (part - y.dot(d) / y.dot(s)) * s
    return d


class LBFGS(Optimizer):
    """p ← p − t H g, with H an inverse Hessian made of the last ``history_size`` changes of the gradient.

    A step calls the closure several times; the loss must not change from call to call but by the parameters, so use
    whole batches and no dropout. All parameters are one group.

    Source: Nocedal and Wright 2006, Numerical Optimization, algorithm 7.5, in PyTorch's form.

    Arguments:
        params: parameters, of one group.
        lr: t; with a line search the first rate that it tries.
        max_iter: the most iterations in one call of ``step``.
        max_eval: the most calls of the closure in it; max_iter · 5/4 if None.
        tolerance_grad: it ends where no entry of the gradient is larger.
        tolerance_change: it ends where neither the loss nor a parameter changes by more.
        history_size: how many changes are kept.
        line_search_fn: ``"strong_wolfe"``, or None to take lr.

    Raises:
        ValueError: a negative lr, more than one group, an unknown line search, or a count below 1.

    >>> import autograd
    >>> w = autograd.tensor([-1.2, 1.0], requires_grad=True)
    >>> optimizer = LBFGS([w], max_iter=50, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> start = optimizer.step(closure)
    >>> round(start.item(), 1), w.detach().numpy().round(3)
    (24.2, array([1., 1.], dtype=float32))
    """

    wants_closure = True  # for loops that serve any optimizer

    def __init__(
        self,
        params: Params,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuses a second group: the model of the loss is of all parameters together."""
        if self.param_groups:
            raise ValueError("LBFGS: all parameters are one group; pass them in one list, without options of their own")
        super().add_param_group(param_group)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "tolerance_grad", "tolerance_change")
        for name in ("max_iter", "max_eval", "history_size"):
            if not isinstance(group[name], int) or group[name] < 1:
                raise ValueError(f"LBFGS: {name} must be a whole number above 0, got {group[name]}")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves the parameters, in their own memory, by up to ``max_iter`` iterations.

        Arguments:
            closure: computes the loss anew, goes backward from it and returns it; called at each point tried.

        Returns what the first call of ``closure`` returned.
        """
        if closure is None:
            raise TypeError(
                "LBFGS.step: wants a closure that calls zero_grad(), computes the loss, calls backward() and returns "
                "the loss, since it is evaluated several times"
            )
        group = self.param_groups[0]
        params = group["params"]
        for i, p in enumerate(params):
            array_of(p, f"LBFGS: {self.where(0, i)}")
        first: list[Any] = []

        def remembered() -> Any:
            loss = closure()
            first[:] = first or [loss]
            return loss

        line = _Line(remembered, params)
        x = line.start
        loss, g = line.evaluate()
        if self._may_apply([("LBFGS: the parameters", g)]) and not self._flat(g, group):
            self._iterate(line, x, loss, g, group)
            autograd.increment_version(params)
        return first[0]

    @staticmethod
    def _flat(g: np.ndarray, group: dict[str, Any]) -> bool:
        return float(abs(g).max()) <= group["tolerance_grad"]

    def _iterate(self, line: _Line, x: np.ndarray, loss: float, g: np.ndarray, group: dict[str, Any]) -> None:
        lr, least = float(group["lr"]), group["tolerance_change"]
        entry = self.state[group["params"][0]]
        evaluations, total = 1, int(entry.get("func_evals", 0))
        n_iter = int(entry.get("n_iter", 0))
        changes = [y.numpy() for y in entry.get("old_dirs", ())]
        steps = [s.numpy() for s in entry.get("old_stps", ())]
        scale = float(entry.get("H_diag", 1.0))
        d: Any
        before: Any
        d, before = (entry[name].numpy() if n_iter else None for name in ("d", "prev_flat_grad"))
        if before is not None and before.shape != g.shape:
            raise ShapeError(
                f"LBFGS: the parameters have {g.size} entries now, and its state {before.size}; "
                "optimizer.state.clear() to start afresh"
            )
        t = float(entry.get("t", 0.0))
        for iteration in range(1, group["max_iter"] + 1):
            n_iter += 1
            if before is None:
                d = -g
            else:
                y, s = g - before, d * t
                ys = float(y.dot(s))
                if ys > 1e-10:
                    changes, steps = [*changes, y][-group["history_size"] :], [*steps, s][-group["history_size"] :]
                    scale = ys / float(y.dot(y))
                d = lbfgs_direction(g, changes, steps, scale)
            before, loss_before = g, loss
            t = min(1.0, 1.0 / float(abs(g).sum())) * lr if n_iter == 1 else lr
            slope = float(g.dot(d))
            if slope > -least:
                break
            used = 0
            if group["line_search_fn"]:
                rounds = group["max_eval"] - evaluations
                loss, g, t, used = strong_wolfe(line, x, t, d, loss, g, slope, max_ls=rounds)
            x = x + t * d
            line.move(x)
            if not group["line_search_fn"] and iteration != group["max_iter"]:
                loss, g = line.evaluate()
                used = 1
            evaluations += used
            if (
                evaluations >= group["max_eval"]
                or self._flat(g, group)
                or float(abs(t * d).max()) <= least
                or abs(loss - loss_before) < least
            ):
                break
        tensor = autograd.from_numpy
        entry.update(
            func_evals=total + evaluations, n_iter=n_iter, d=tensor(d), t=t, old_dirs=[tensor(y) for y in changes],
            old_stps=[tensor(s) for s in steps], ro=[1 / float(y.dot(s)) for y, s in zip(changes, steps, strict=True)],
            H_diag=scale, prev_flat_grad=tensor(before), prev_loss=loss_before,
        )  # fmt: skip

    def _loaded(self, entry: Mapping[str, Any], p: Tensor, group: dict[str, Any], where: str) -> dict[str, Any]:
        size = sum(q.numel() for q in group["params"])

        def copy(name: str, value: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return [copy(name, v) for v in value]
            array = np.array(value.detach().numpy() if hasattr(value, "detach") else value)
            if array.ndim == 0:
                return value if value is None else array.item()
            if array.shape != (size,):
                raise ShapeError(
                    f"LBFGS.load_state_dict: {name} has {array.size} entries in the state, and the parameters, of "
                    f"which {where} is the first, {size}"
                )
            return autograd.from_numpy(array)

        return {name: copy(name, value) for name, value in entry.items()}
