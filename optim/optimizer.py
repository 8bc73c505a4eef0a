"""Optimizer: parameter groups, hyper-parameters and state, as in PyTorch; the arithmetic is each subclass's rule."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import GraphError, ShapeError, Tensor, enable_grad
from autograd.errors import describe

from .packs import Plan

__all__ = ["Optimizer"]

Params = Iterable[Any]
Rule = Callable[..., tuple[Any, dict[str, Any]]]


class Optimizer:
    """Base class of optimizers.

    A subclass gives its update rule, a pure function ``rule(xp, p, g, state, step, **hyper)`` that returns the new p
    and state, the names of its state for a group, and the hyper-parameters that the rule takes.

    Arguments:
        params: parameters, (name, parameter) pairs, or dicts ``{"params": [...], "lr": ...}``, one for each group.
        defaults: the hyper-parameters of groups that do not give their own.

    Raises:
        ValueError: no parameters, one given twice, a hyper-parameter out of range. GraphError: one that is the
            result of an operation. TypeError: one that is not a Tensor.
    """

    rule: Rule
    # Whether the step count is part of the state that PyTorch's optimizer of this name saves.
    counts_steps = True

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, (Tensor, np.ndarray, dict)):
            raise TypeError(
                f"{self._name}: params must be a list of Tensors or of dicts, got {describe(params)}; "
                "put it into a list"
            )
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._plan: Plan | None = None
        groups = list(params)
        if not groups:
            raise ValueError(f"{self._name}: the parameter list is empty; pass model.parameters(), once and unconsumed")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def check(self, group: dict[str, Any]) -> None:
        """Raises the ValueError of a group's hyper-parameter that is out of range."""
        raise NotImplementedError

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the arrays that the rule keeps for a parameter of this group."""
        raise NotImplementedError

    def hyper(self, group: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the rule for this group, numbers as floats: NumPy's would widen float32 arrays."""
        raise NotImplementedError

    def _wants(self, group: dict[str, Any], *names: str) -> None:
        """Raises the ValueError of the first of these hyper-parameters that is negative or NaN."""
        for name in names:
            if not float(group[name]) >= 0:
                raise ValueError(f"{self._name}: {name} must not be negative, got {group[name]}")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group: ``{"params": [...]}`` and the hyper-parameters in which it differs from the defaults.

        >>> import autograd, optim
        >>> w, b = (autograd.zeros(2, requires_grad=True) for _ in range(2))
        >>> optimizer = optim.SGD([w], lr=0.1)
        >>> optimizer.add_param_group({"params": [b], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: a parameter group must be a dict with 'params', got {describe(param_group)}"
            )
        given = param_group["params"]
        if isinstance(given, (set, frozenset)):
            raise TypeError(f"{self._name}: params are a set, whose order changes from run to run; give a list")
        given = [given] if isinstance(given, Tensor) else list(given)
        where = f"group {len(self.param_groups)}"
        if not given:
            raise ValueError(f"{self._name}: the parameter list of {where} is empty")
        named = isinstance(given[0], tuple)
        group = {**self.defaults, **param_group, "params": [p for _, p in given] if named else given}
        if named:
            group["param_names"] = [name for name, _ in given]
        seen = {p for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(group["params"]):
            if not isinstance(p, Tensor):
                raise TypeError(f"{self._name}: parameter {i} of {where} must be a Tensor, got {describe(p)}")
            if not p.is_leaf:
                raise GraphError(
                    f"{self._name}: parameter {i} of {where} ({describe(p)}) is not a leaf but the result of "
                    f"{p.grad_fn and p.grad_fn.name}; only leaves can be optimized: make it with requires_grad=True, "
                    "or detach() it"
                )
            if p in seen:
                raise ValueError(
                    f"{self._name}: parameter {i} of {where} ({describe(p)}) is given twice; "
                    "each belongs to one group, once"
                )
            seen.add(p)
        self.check(group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or with ``set_to_none=False`` fills them with 0."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = p.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient, in its own memory.

        Arguments:
            closure: computes the loss anew and goes backward from it; called once, before the update.

        Returns what ``closure`` returned, or None.

        Raises:
            ShapeError, DTypeError: a gradient or saved state does not fit the parameter, which has changed since.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        plan = self._plan
        gradients = None if plan is None else plan.gradients(self)
        if plan is None or gradients is None:
            plan = self._plan = Plan(self, plan)
            gradients = plan.gradients(self)
            assert gradients is not None
        if gradients:
            plan.update(self, gradients)
            autograd.increment_version(plan.params)
        return loss

    # State

    def where(self, group: int, index: int) -> str:
        """How a message names a parameter: by its place, and its name if the optimizer was given names."""
        names = self.param_groups[group].get("param_names")
        return f"parameter {index} of group {group}" + (f" ({names[index]})" if names else "")

    def state_dict(self) -> dict[str, Any]:
        """The state by parameter number and the groups with numbers for their parameters, in PyTorch's layout.

        The Tensors in it are those that the optimizer goes on using; ``copy.deepcopy`` keeps them as they are now.

        >>> import autograd, optim
        >>> optimizer = optim.SGD([autograd.zeros(2, requires_grad=True)], lr=0.1)
        >>> state = optimizer.state_dict()
        >>> state["state"], state["param_groups"][0]["params"], state["param_groups"][0]["lr"]
        ({}, [0], 0.1)
        """
        numbers = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        return {
            "state": {i: dict(self.state[p]) for p, i in numbers.items() if self.state.get(p)},
            "param_groups": [{**group, "params": [numbers[p] for p in group["params"]]} for group in self.param_groups],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` returned, here or in PyTorch, as copies.

        Raises:
            ValueError: groups or parameters differ in number. ShapeError: a state is not of its parameter's
                shape.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            raise ValueError(f"{self._name}.load_state_dict: wants a dict with 'state' and 'param_groups'")
        groups, saved = self.param_groups, state_dict["param_groups"]
        if len(saved) != len(groups):
            raise ValueError(
                f"{self._name}.load_state_dict: the state has {len(saved)} parameter groups, "
                f"the optimizer {len(groups)}"
            )
        loaded: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        for g, (group, other) in enumerate(zip(groups, saved, strict=True)):
            if len(other["params"]) != len(group["params"]):
                raise ValueError(
                    f"{self._name}.load_state_dict: group {g} has {len(other['params'])} parameters in the state "
                    f"and {len(group['params'])} in the optimizer"
                )
            for i, (p, number) in enumerate(zip(group["params"], other["params"], strict=True)):
                entry = state_dict["state"].get(number)
                if entry is not None:
                    loaded[p] = {name: self._loaded(name, value, p, self.where(g, i)) for name, value in entry.items()}
        changed = [
            {**group, **copy.deepcopy({k: v for k, v in other.items() if k != "params"}), "params": group["params"]}
            for group, other in zip(groups, saved, strict=True)
        ]
        for group in changed:
            self.check(group)
        for group, new in zip(groups, changed, strict=True):
            group.update(new)
        self.state, self._plan = loaded, None

    def _loaded(self, name: str, value: Any, p: Tensor, where: str) -> Any:
        if value is None:
            return None
        array = np.array(value.detach().numpy() if hasattr(value, "detach") else value)
        if name == "step":
            return autograd.from_numpy(array.astype(np.float32).reshape(()))
        if array.shape != p.shape:
            raise ShapeError(
                f"{self._name}.load_state_dict: {name} of {where} has shape {array.shape} in the state, "
                f"and the parameter {p.shape}"
            )
        return autograd.from_numpy(array.astype(p.dtype))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": None}

    def __repr__(self) -> str:
        lines = [
            f"Parameter Group {i}\n"
            + "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key not in ("params", "param_names"))
            for i, group in enumerate(self.param_groups)
        ]
        return f"{self._name} (\n{''.join(lines)})"
