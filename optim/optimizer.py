"""Optimizer: parameter groups, hyper-parameters and state, as in PyTorch; the arithmetic is each subclass's rule."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import GraphError, RemovableHandle, ShapeError, Tensor, enable_grad
from autograd.errors import describe
from autograd.keywords import explain_keywords

from .packs import Plan

__all__ = ["Optimizer"]

Params = Iterable[Any]
Rule = Callable[..., tuple[Any, dict[str, Any]]]

_hook_numbers = itertools.count()


_PLAIN = {bool, float, int, str}


def _plain(value: Any) -> Any:
    """A hyper-parameter as the rule takes it: numbers of any kind as Python's."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return value if value is None or isinstance(value, (bool, str, int)) or callable(value) else float(value)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step between the hooks of before and after; one that a subclass's step calls is part of that."""

    def hooked(self: Optimizer, args: Any, kwargs: Any) -> Any:
        self._stepping = True
        try:
            for hook in list(self._step_pre_hooks.values()):
                changed = hook(self, args, kwargs)
                if changed is not None:
                    args, kwargs = changed
            out = step(self, *args, **kwargs)
            for hook in list(self._step_post_hooks.values()):
                hook(self, args, kwargs)
            return out
        finally:
            self._stepping = False

    @functools.wraps(step)
    def call(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        inside = self._stepping or not (self._step_pre_hooks or self._step_post_hooks)
        if not autograd.is_profiling():
            return step(self, *args, **kwargs) if inside else hooked(self, args, kwargs)
        with autograd.profile.region(f"{self._name}.step", once=True):
            return step(self, *args, **kwargs) if inside else hooked(self, args, kwargs)

    return call


def decayed(p: Any, g: Any, weight_decay: float, maximize: bool) -> Any:
    """The gradient to descend along: turned round to go up, and with λ p added."""
    if maximize:
        g = -g
    return g + weight_decay * p if weight_decay else g


_STATE_HOOKS = ("save_before", "save_after", "load_before", "load_after")


class Optimizer:
    """Base class of optimizers.

    A subclass gives its update rule, a pure function ``rule(xp, p, g, state, step, **hyper)`` that returns the new p
    and state, and the names of its state for a group. The rule's keyword arguments are read from the group.

    Arguments:
        params: parameters, (name, parameter) pairs, or dicts ``{"params": [...], "lr": ...}``, one for each group.
        defaults: the hyper-parameters of groups that do not give their own.

    Set the attribute ``nonfinite`` to say what a step does where a gradient holds NaN or infinity: ``"apply"`` it, as
    PyTorch does and as it is at first; ``"raise"`` a FloatingPointError that names the parameter, before anything is
    changed; or ``"skip"`` the whole step, as mixed precision wants it.

    Raises:
        ValueError: no parameters, one given twice, a hyper-parameter out of range. GraphError: one that is the
            result of an operation. TypeError: one that is not a Tensor.
    """

    rule: Rule
    nonfinite = "apply"
    # Whether step() was ever called, which schedules want to know, and whether it is running.
    _opt_called = False
    _stepping = False
    _hyper_names: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        explain_keywords(cls, "optim")
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]
        if "rule" in cls.__dict__:
            cls._hyper_names = tuple(
                name for name, arg in inspect.signature(cls.rule).parameters.items() if arg.kind is arg.KEYWORD_ONLY
            )

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, (Tensor, np.ndarray, dict)) or not isinstance(params, Iterable):
            fix = "pass its parameters()" if hasattr(params, "parameters") else "put it into a list"
            raise TypeError(
                f"{self._name}: params must be a list of Tensors or of dicts, got {describe(params)}; {fix}"
            )
        self._step_pre_hooks: dict[int, Callable[..., Any]] = {}
        self._step_post_hooks: dict[int, Callable[..., Any]] = {}
        self._state_hooks: dict[str, dict[int, Callable[..., Any]]] = {name: {} for name in _STATE_HOOKS}
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
        self._wants(group, "lr")
        if group.get("capturable"):
            raise ValueError(
                f"{self._name}: capturable is for recording CUDA graphs, which there are none of here; leave it False"
            )
        if group.get("differentiable"):
            raise ValueError(
                f"{self._name}: differentiable=True is not there, since step() writes into memory; write the update "
                "as p - lr * g on Tensors with autograd.grad(..., create_graph=True), or leave it False"
            )

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the arrays that the rule keeps for a parameter of this group."""
        raise NotImplementedError

    def state_shapes(self, shape: tuple[int, ...], group: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """The shapes of these arrays for a parameter of this shape."""
        return dict.fromkeys(self.state_names(group), shape)

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the numbers kept for each parameter: ``"step"`` where it is saved, and the rule's own."""
        return ("step",)

    def start(self, group: dict[str, Any], name: str) -> float:
        """What a state is filled with at first."""
        return 0.0

    def start_state(self, p: Any, group: dict[str, Any], xp: Any = np) -> dict[str, Any]:
        """The state that the rule is given at the first step: arrays like p, and numbers."""
        shapes = self.state_shapes(p.shape, group)
        arrays = {name: xp.full(shape, self.start(group, name), p.dtype) for name, shape in shapes.items()}
        return arrays | {name: self.start(group, name) for name in self.number_names(group) if name != "step"}

    def takes_sparse(self, group: dict[str, Any]) -> bool:
        """Whether the rule may run on the rows of a sparse gradient alone; raises GraphError where that is refused."""
        raise GraphError(
            f"{self._name}: does not support sparse gradients; use optim.SparseAdam, optim.Adagrad or optim.SGD for "
            "this parameter, or an embedding with sparse=False"
        )

    def leaves_zeros_alone(self, group: dict[str, Any]) -> bool:
        """Whether an entry whose gradient is 0 stays as it is, and its state too: then rows of zeros are left out."""
        return False

    def _refuse_decay_of_rows(self, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            raise GraphError(
                f"{self._name}: weight_decay touches every row, so it does not go with sparse gradients; put this "
                "parameter into a group with weight_decay=0, or use an embedding with sparse=False"
            )

    def hyper(self, group: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the rule for this group, numbers as floats: NumPy's would widen float32 arrays."""
        values = [(name, group[name]) for name in self._hyper_names]
        return {name: value if type(value) in _PLAIN else _plain(value) for name, value in values}

    def _wants(self, group: dict[str, Any], *names: str) -> None:
        """Raises the ValueError of the first of these hyper-parameters that is negative or NaN."""
        for name in names:
            if not float(group[name]) >= 0:
                raise ValueError(f"{self._name}: {name} must not be negative, got {group[name]}")

    def _wants_betas(self, group: dict[str, Any]) -> None:
        """Raises the ValueError of the first beta outside [0, 1)."""
        for i, beta in enumerate(group["betas"]):
            if not 0 <= float(beta) < 1:
                raise ValueError(f"{self._name}: betas[{i}] must be at least 0 and below 1, got {beta}")

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

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient, in its own memory.

        Arguments:
            closure: computes the loss anew and goes backward from it; called once, before the update.

        Returns what ``closure`` returned, or None.

        Raises:
            ShapeError, DTypeError: a gradient or saved state does not fit the parameter, which has changed since.
            GraphError: a sparse gradient that this optimizer does not take. FloatingPointError: with
            ``nonfinite = "raise"``, a gradient with NaN or infinity.
        """
        loss = self._loss(closure)
        self._update()
        return loss

    def _loss(self, closure: Callable[[], Any] | None) -> Any:
        """What ``closure`` gives, before the update; for subclasses that call it elsewhere than at the parameters."""
        if closure is None:
            return None
        with enable_grad():
            return closure()

    def _update(self) -> None:
        """Runs the rule on all parameters that have gradients."""
        plan = self._plan
        gradients = None if plan is None else plan.gradients(self)
        if plan is None or gradients is None:
            plan = self._plan = Plan(self, plan)
            gradients = plan.gradients(self)
            assert gradients is not None
        if gradients and self._may_apply(plan.gradients_of(gradients)):
            plan.update(self, self._prepared(plan.params, gradients))
            autograd.increment_version(plan.params)

    def _prepared(self, params: list[Tensor], gradients: list[Any]) -> list[Any]:
        """The gradients as the rule gets them; for subclasses that change them first."""
        return gradients

    def _may_apply(self, gradients: Iterable[tuple[str, Any]]) -> bool:
        """Whether these gradients of the parameters named may be applied, by ``nonfinite``."""
        if self.nonfinite == "apply":
            return True
        if self.nonfinite not in ("raise", "skip"):
            raise ValueError(f"{self._name}: nonfinite must be 'apply', 'raise' or 'skip', got {self.nonfinite!r}")
        for where, array in gradients:
            finite = np.isfinite(array)
            if not finite.all():
                if self.nonfinite == "skip":
                    return False
                raise FloatingPointError(
                    f"{where} has a gradient with {int(np.isnan(array).sum())} NaN and "
                    f"{int(np.isinf(array).sum())} infinite of {array.size} entries; nothing was changed"
                )
        return True

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before every step; it may return other (args, kwargs).

        Hooks are not saved or copied with the optimizer.

        >>> import autograd, optim
        >>> w = autograd.zeros(2, requires_grad=True)
        >>> optimizer = optim.SGD([w], lr=1.0)
        >>> def clip(optimizer, args, kwargs):
        ...     w.grad.clamp_(-1.0, 1.0)
        >>> handle = optimizer.register_step_pre_hook(clip)
        >>> w.grad = autograd.tensor([5.0, 0.5]); optimizer.step(); w
        tensor([-1.0000, -0.5000], requires_grad=True)
        """
        return self._add_hook(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after every step. Returns a handle whose ``remove()`` ends that."""
        return self._add_hook(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[[Any], None], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` before ``state_dict``; with ``prepend`` before the hooks that there are."""
        return self._add_hook(self._state_hooks["save_before"], hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` after ``state_dict``; what it returns, unless None, replaces it."""
        return self._add_hook(self._state_hooks["save_after"], hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)``, with a shallow copy, before it is loaded; what it returns, unless
        None, replaces it."""
        return self._add_hook(self._state_hooks["load_before"], hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[[Any], None], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` after a state was loaded."""
        return self._add_hook(self._state_hooks["load_after"], hook, prepend)

    def _run_state_hooks(self, when: str, *state: Any) -> Any:
        """Calls the hooks in their order, each with what the one before it made of the state."""
        for hook in list(self._state_hooks[when].values()):
            changed = hook(self, *state)
            if state and changed is not None:
                state = (changed,)
        return state[0] if state else None

    def _add_hook(
        self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        if not callable(hook):
            raise TypeError(f"{self._name}: a hook must be a function, got {describe(hook)}")
        key = next(_hook_numbers)
        others = list(hooks.items()) if prepend else []
        if prepend:
            hooks.clear()
        hooks[key] = hook
        hooks.update(others)
        return RemovableHandle(hooks, key)

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
        self._run_state_hooks("save_before")
        numbers = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        state = {
            "state": {i: dict(self.state[p]) for p, i in numbers.items() if self.state.get(p)},
            "param_groups": [{**group, "params": [numbers[p] for p in group["params"]]} for group in self.param_groups],
        }
        return self._run_state_hooks("save_after", state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` returned, here or in PyTorch, as copies.

        Raises:
            ValueError: groups or parameters differ in number. ShapeError: a state is not of its parameter's
                shape.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            raise ValueError(f"{self._name}.load_state_dict: wants a dict with 'state' and 'param_groups'")
        if self._state_hooks["load_before"]:
            state_dict = self._run_state_hooks("load_before", dict(state_dict))
        groups, saved = self.param_groups, state_dict["param_groups"]
        if len(saved) != len(groups):
            raise ValueError(
                f"{self._name}.load_state_dict: the state has {len(saved)} parameter groups, "
                f"the optimizer {len(groups)}"
            )
        changed = [
            {**group, **copy.deepcopy({k: v for k, v in other.items() if k != "params"}), "params": group["params"]}
            for group, other in zip(groups, saved, strict=True)
        ]
        for group in changed:
            self.check(group)
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
                    loaded[p] = self._loaded(entry, p, changed[g], self.where(g, i))
        for group, new in zip(groups, changed, strict=True):
            group.update(new)
        self.state, self._plan = loaded, None
        self._run_state_hooks("load_after")

    def _loaded(self, entry: Mapping[str, Any], p: Tensor, group: dict[str, Any], where: str) -> dict[str, Any]:
        """A saved state as copies of p's dtype; ShapeError if it is not of the shape that p's has."""
        numbers = self.number_names(group)
        shapes = self.state_shapes(p.shape, group)
        loaded: dict[str, Any] = {}
        for name, value in entry.items():
            if value is None:
                loaded[name] = None
                continue
            array = np.array(value.detach().numpy() if hasattr(value, "detach") else value)
            wanted = () if name in numbers or name == "step" else shapes.get(name, p.shape)
            if array.shape != wanted and not (wanted == () and array.size == 1):
                raise ShapeError(
                    f"{self._name}.load_state_dict: {name} of {where} has shape {array.shape} in the state, and "
                    f"{wanted} belongs to the parameter, whose shape is {p.shape}"
                )
            dtype = np.result_type(p.dtype, np.float32) if name in numbers else p.dtype
            loaded[name] = autograd.from_numpy(array.astype(np.float32 if name == "step" else dtype).reshape(wanted))
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        hooks: dict[str, Any] = {
            "_step_pre_hooks": {},
            "_step_post_hooks": {},
            "_state_hooks": {name: {} for name in _STATE_HOOKS},
        }
        return {**self.__dict__, "_plan": None, **hooks}

    def __repr__(self) -> str:
        lines = [
            f"Parameter Group {i}\n"
            + "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key not in ("params", "param_names"))
            for i, group in enumerate(self.param_groups)
        ]
        return f"{self._name} (\n{''.join(lines)})"
