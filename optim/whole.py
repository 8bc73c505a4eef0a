"""The base class of optimizers whose rule needs whole tensors and not their entries one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import ShapeError

from .optimizer import Optimizer
from .packs import array_of, stale

__all__ = ["WholeTensorOptimizer"]


class WholeTensorOptimizer(Optimizer):
    """Runs the rule on each parameter in its own shape; ``state_shapes`` says which state a shape has.

    The rule may work in place or return new arrays.
    """

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        raise NotImplementedError(f"{self._name}: its state depends on the shape; see state_shapes")

    def _update(self) -> None:
        found = []
        for g, group in enumerate(self.param_groups):
            for i, p in enumerate(group["params"]):
                if p.grad is None:
                    continue
                where = f"{self._name}: {self.where(g, i)}"
                array = array_of(p, where)
                if p.grad.is_sparse:
                    self.takes_sparse(group)
                gradient = p.grad.numpy()
                if gradient.shape != array.shape or gradient.dtype != array.dtype:
                    raise stale(where, array, gradient)
                found.append((where, p, array, gradient, group, self._entry(p, array, group, where)))
        if not found or not self._may_apply((where, gradient) for where, _, _, gradient, _, _ in found):
            return
        for _, _, array, gradient, group, entry in found:
            state = {name: value.numpy() for name, value in entry.items()}
            count = state.pop("step", None)
            if count is not None:
                count += 1
            step = None if count is None else float(count)
            new_p, new = type(self).rule(np, array, gradient, state, step, **self.hyper(group))
            for old, value in [(array, new_p), *((state[name], value) for name, value in new.items())]:
                if value is not old:
                    old[...] = value
        autograd.increment_version([p for _, p, *_ in found])

    def _entry(self, p: Any, array: np.ndarray, group: dict[str, Any], where: str) -> dict[str, Any]:
        entry = self.state[p]
        shapes = self.state_shapes(array.shape, group)
        if shapes.keys() - entry.keys():
            for name, value in self.start_state(array, group).items():
                entry.setdefault(name, autograd.from_numpy(value))
        for name, shape in shapes.items():
            if entry[name].shape != shape:
                raise ShapeError(
                    f"{where} has shape {array.shape} now, and its {name} {entry[name].shape} where {shape} belongs; "
                    "del optimizer.state[p] to start afresh"
                )
        if "step" in self.number_names(group):
            entry.setdefault("step", autograd.tensor(0.0))
        return entry
