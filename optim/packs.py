"""The NumPy shell around update rules: all parameters at once, in cache-sized blocks, each in its own memory.

NumPy spends most of its time on small arrays with calls and most of it on large ones with memory. So
small parameters are gathered into one flat array, on which the rule runs once, and large ones are
updated in blocks that stay in the cache from the first operation of the rule to the last. Blocks and
packs are independent, so that several threads can take them without a change in the results.

A parameter with a sparse gradient is a pack of its own, on whose named rows alone the rule runs.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import DTypeError, ShapeError, Tensor, threads
from autograd.arrays import arrays_of, gradients_of
from autograd.errors import describe

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["Plan", "array_of", "stale"]

# Entries: a block with its gradient, two moments and the rule's temporaries fits in a core's own cache; below SMALL
# copying a parameter costs less than the rule's calls.
BLOCK = 1 << 15
SMALL = 1 << 13
# The same for several threads: they wait for the interpreter between calls, so that fewer and longer ones are faster.
SHARED_BLOCK = 1 << 17
SHARED_SMALL = 1 << 15
# Entries in all, below which waking another thread costs more than it saves.
THREADED = 1 << 19


class Member:
    """One parameter in a pack: the array and the state Tensors that it had when packed, to notice changes by."""

    __slots__ = ("array", "dtype", "entry", "group", "number", "p", "shape", "sparse", "tensors", "where")

    def __init__(self, p: Tensor, array: np.ndarray, entry: dict[str, Any], group: int, where: str) -> None:
        self.p, self.array, self.entry, self.group, self.where = p, array, entry, group, where
        self.shape, self.dtype = array.shape, array.dtype
        self.sparse = False  # whether the rule runs on some rows
        self.number = 0  # the place of its gradient in the list of this step's gradients
        self.tensors: list[tuple[str, Tensor]] = []


class Pack:
    """Parameters of one group, dtype and step count on which the rule runs together."""

    def __init__(self, members: list[Member], optimizer: Optimizer, block: int) -> None:
        first = members[0]
        group = optimizer.param_groups[first.group]
        self.members, self.group, self.sparse = members, first.group, first.sparse
        self.names, numbers = optimizer.state_names(group), optimizer.number_names(group)
        self.steps = np.array([_step(m.entry) for m in members], np.float32)
        size = sum(m.array.size for m in members)
        dtype = first.array.dtype
        self.state = {name: np.full(size, optimizer.start(group, name), dtype) for name in self.names}
        self.numbers = {
            name: np.array([_number(m.entry, name, optimizer, group) for m in members], np.result_type(dtype, "f4"))
            for name in numbers
            if name != "step"
        }
        shown = {**self.numbers, "step": self.steps} if "step" in numbers else self.numbers
        start = 0
        self.spans: list[slice] = []
        for i, m in enumerate(members):
            span = slice(start, start + m.array.size)
            self.spans.append(span)
            for name in self.names:
                view = self.state[name][span].reshape(m.shape)
                old = m.entry.get(name)
                if old is not None:
                    if old.shape != m.shape:
                        raise ShapeError(
                            f"{m.where} has shape {m.shape} now, and its {name} {old.shape}; del optimizer.state[p] to "
                            f"start afresh, or put a {name} of the new shape there"
                        )
                    view[...] = old.detach().numpy()
                m.entry[name] = autograd.from_numpy(view)
            for name, values in shown.items():
                m.entry[name] = autograd.from_numpy(values[i : i + 1].reshape(()))
            m.tensors = [(name, m.entry[name]) for name in (*self.names, *shown)]
            start = span.stop
        # A single array in order in memory is its own flat array.
        self.direct = len(members) == 1 and first.array.flags.c_contiguous and not self.sparse
        self.flat = first.array.reshape(-1) if self.direct else np.empty(0 if self.sparse else size, dtype)
        self.gradient = np.empty(0 if self.direct or self.sparse else size, dtype)
        self.blocks = [
            (slice(a, a + block), self.flat[a : a + block], {k: v[a : a + block] for k, v in self.state.items()})
            for a in range(0, self.flat.size, block)
        ]
        self.copies = [
            (m, m.array, self.flat[span].reshape(m.shape), self.gradient[span].reshape(m.shape))
            for m, span in zip(members, self.spans, strict=True)
            if not self.direct and not self.sparse
        ]

    def tasks(self, rule: Any, hyper: dict[str, Any], gradients: list[Any]) -> list[Callable[[], None]]:
        """One step of every member, in pieces that may run at once."""
        self.steps += 1
        step = float(self.steps[0])
        numbers = {name: float(values[0]) for name, values in self.numbers.items()} if self.numbers else {}
        if self.sparse:
            return [partial(self._update_rows, rule, hyper, gradients, step, numbers)]
        if not self.direct:
            return [partial(self._update_gathered, rule, hyper, gradients, step, numbers)]
        g = gradients[self.members[0].number].reshape(-1)
        return [partial(self._update_block, rule, hyper, block, g, step, numbers) for block in self.blocks]

    def _update_block(self, rule: Any, hyper: Any, block: Any, g: Any, step: float, numbers: dict[str, float]) -> None:
        span, p, state = block
        new_p, new = rule(np, p, g[span], {**state, **numbers} if numbers else state, step, **hyper)
        if new_p is not p:  # a rule need not work in place
            p[...] = new_p
        for name, old in state.items():
            if (value := new[name]) is not old:
                old[...] = value
        for name, values in self.numbers.items():
            values[...] = new[name]  # every block comes to the same number

    def _update_gathered(self, rule: Any, hyper: Any, gradients: Any, step: float, numbers: dict[str, float]) -> None:
        for m, array, flat, gradient in self.copies:
            flat[...] = array
            gradient[...] = gradients[m.number]
        for block in self.blocks:
            self._update_block(rule, hyper, block, self.gradient, step, numbers)
        for _, array, flat, _ in self.copies:
            array[...] = flat

    def _update_rows(self, rule: Any, hyper: Any, gradients: Any, step: float, numbers: dict[str, float]) -> None:
        (m,) = self.members
        rows, g = gradients[m.number]
        views = {name: flat.reshape(m.shape) for name, flat in self.state.items()}
        p, new = rule(np, m.array[rows], g, {**{k: v[rows] for k, v in views.items()}, **numbers}, step, **hyper)
        m.array[rows] = p
        for name, view in views.items():
            view[rows] = new[name]
        for name, values in self.numbers.items():
            values[...] = new[name]


class Settings:
    """What a parameter group says, for as long as it says that: the names of its state, and the rule's arguments."""

    def __init__(self, optimizer: Optimizer, group: dict[str, Any]) -> None:
        self.values = list(group.values())
        self.names = optimizer.state_names(group), optimizer.number_names(group)
        self.hyper = optimizer.hyper(group)
        # Methods of others may look at more than the group.
        methods = [getattr(type(optimizer), name) for name in ("hyper", "state_names", "number_names")]
        self.fixed = all(method.__module__.startswith(f"{__package__}.") for method in methods) and all(
            _is_fixed(value) for name, value in group.items() if name not in ("params", "param_names")
        )

    def hold(self, group: dict[str, Any]) -> bool:
        """Whether the group still says what it said."""
        values = self.values
        return self.fixed and len(group) == len(values) and all(map(operator.is_, group.values(), values))


class Plan:
    """Which parameters have gradients, and the packs that they are in; holds as long as nothing of that changes."""

    def __init__(self, optimizer: Optimizer, before: Plan | None) -> None:
        self.state = optimizer.state
        self.settings = [Settings(optimizer, group) for group in optimizer.param_groups]
        self.members = [
            self._member(optimizer, g, i, p)
            for g, group in enumerate(optimizer.param_groups)
            for i, p in enumerate(group["params"])
            if p.grad is not None
        ]
        self.params = [m.p for m in self.members]
        older: dict[Any, tuple[Pack, Any]] = {}
        if before is not None:
            older = {
                tuple(m.p for m in pack.members): (pack, before.settings[pack.group].names) for pack in before.packs
            }
        # Packs that share memory must be taken one after the other.
        self.alone = _overlapping(self.members)
        self.large = not self.alone and sum(m.array.size for m in self.members) >= THREADED
        shared = self.large and threads.available() > 1
        block, small = (SHARED_BLOCK, SHARED_SMALL) if shared else (BLOCK, SMALL)
        self.packs: list[Pack] = []
        for members in self._packed(block, small):
            names = self.settings[members[0].group].names
            old, old_names = older.get(tuple(m.p for m in members), (None, None))
            if old is not None and old_names == names and all(map(_same, old.members, members)):
                for mine, theirs in zip(old.members, members, strict=True):
                    mine.number = theirs.number
                    self.members[mine.number] = mine
                self.packs.append(old)
            else:
                self.packs.append(Pack(members, optimizer, block))
        # What must be as it was for the plan to hold: how many members there are up to the end of each group, their
        # arrays and states, and the Tensors in these.
        counts = [sum(m.group == g for m in self.members) for g in range(len(self.settings))]
        self.ends = list(itertools.accumulate(counts))
        self.arrays = [m.array for m in self.members]
        self.entries = [m.entry for m in self.members]
        kept: list[Any] = [(m.entry, name, tensor) for m in self.members for name, tensor in m.tensors]
        self.holders, self.keys, self.kept = ([row[i] for row in kept] for i in range(3))
        self.sparse = any(m.sparse for m in self.members)

    def _member(self, optimizer: Optimizer, g: int, i: int, p: Tensor) -> Member:
        where = f"{type(optimizer).__name__}: {optimizer.where(g, i)}"
        array = array_of(p, where)
        m = Member(p, array, self.state.setdefault(p, {}), g, where)
        m.sparse = p.grad is not None and _on_rows(optimizer, optimizer.param_groups[g], p.grad)
        return m

    def _packed(self, block: int, small: int) -> list[list[Member]]:
        """The members in lists for packs: large ones, and those that share memory with others, alone."""
        lists: list[list[Member]] = []
        open_packs: dict[Any, tuple[list[Member], int]] = {}
        for number, m in enumerate(self.members):
            m.number = number
            size = m.array.size
            if size > small or m in self.alone or m.sparse:
                lists.append([m])
                continue
            numbers = [m.entry.get(name) for name in self.settings[m.group].names[1] if name != "step"]
            key = (m.group, m.array.dtype, _step(m.entry), *(None if x is None else float(x) for x in numbers))
            members, filled = open_packs.get(key, ([], 0))
            if not members or filled + size > block:
                members, filled = [], 0
                lists.append(members)
            members.append(m)
            open_packs[key] = (members, filled + size)
        return lists

    def gradients(self, optimizer: Optimizer) -> list[Any] | None:
        """The gradient of every member, (rows, values) of a sparse one; or None if the plan holds no more."""
        groups, state = optimizer.param_groups, self.state
        if optimizer.state is not state or len(groups) != len(self.settings):
            return None
        owners: list[Tensor] = []
        found: list[Any] = []
        for g, (group, end) in enumerate(zip(groups, self.ends, strict=True)):
            if not self.settings[g].hold(group):
                settings = Settings(optimizer, group)
                if settings.names != self.settings[g].names:
                    return None
                self.settings[g] = settings
            having, theirs = gradients_of(group["params"])
            owners += having
            found += theirs
            if len(owners) != end:
                return None
        same = operator.is_
        if not (
            all(map(same, owners, self.params))
            and all(map(same, arrays_of(owners), self.arrays))
            and all(map(same, map(state.get, owners), self.entries))
            and all(map(same, map(dict.get, self.holders, self.keys), self.kept))
        ):
            return None
        if self.sparse or not all(map(isinstance, found, itertools.repeat(np.ndarray))):
            for i, m in enumerate(self.members):
                gradient = m.p.grad
                assert gradient is not None
                if (gradient.is_rows and _on_rows(optimizer, groups[m.group], gradient)) is not m.sparse:
                    return None
                found[i] = _rows(m, gradient) if m.sparse else gradient.numpy()
        for m, array in zip(self.members, found, strict=True):
            if not m.sparse and (array.shape != m.shape or array.dtype != m.dtype):
                raise stale(m.where, m.array, array)
        for pack in self.packs:
            if len(pack.members) > 1:
                for numbers in (pack.steps, *pack.numbers.values()):
                    values = numbers.tolist()
                    if values.count(values[0]) != len(values):
                        return None
        return found

    def gradients_of(self, gradients: list[Any]) -> Iterable[tuple[str, np.ndarray]]:
        """What messages call each member, and its gradient's values."""
        for m, g in zip(self.members, gradients, strict=True):
            yield m.where, g[1] if m.sparse else g

    def update(self, optimizer: Optimizer, gradients: list[Any]) -> None:
        """Runs the rule on every pack."""
        rule = type(optimizer).rule
        tasks = [task for pack in self.packs for task in pack.tasks(rule, self.settings[pack.group].hyper, gradients)]
        if self.large:
            threads.run(tasks, threads.available())
        else:
            for task in tasks:
                task()


def _is_fixed(value: Any) -> bool:
    """Whether a value stays the same as long as the object does: not so a number in a Tensor or in a list."""
    if type(value) is tuple:
        return all(map(_is_fixed, value))
    return value is None or isinstance(value, (bool, int, float, str)) or callable(value)


def array_of(p: Tensor, where: str) -> np.ndarray:
    """The parameter's memory, if it can be optimized."""
    array = p.numpy()
    if array.dtype.kind != "f":
        raise DTypeError(f"{where} is {describe(array)}; only floating parameters can be optimized")
    if not array.flags.writeable:
        raise ValueError(f"{where} lies in memory that cannot be written; make it of a copy of that array")
    return array


def stale(where: str, array: np.ndarray, gradient: Any) -> ShapeError:
    """The error for a gradient that does not fit its parameter."""
    return ShapeError(
        f"{where} is {describe(array)}, and its gradient {describe(gradient)}: the parameter was "
        "changed after the backward pass; zero_grad() and go backward again"
    )


def _on_rows(optimizer: Optimizer, group: dict[str, Any], gradient: Any) -> bool:
    """Whether the rule runs on the rows of this gradient that are not 0, and leaves out all others."""
    if gradient.is_sparse:
        return optimizer.takes_sparse(group)
    return gradient.is_rows and optimizer.leaves_zeros_alone(group)


def _rows(m: Member, gradient: Any) -> tuple[np.ndarray, np.ndarray]:
    if gradient.shape != m.shape or gradient.dtype != m.array.dtype:
        raise stale(m.where, m.array, gradient)
    rows, values = gradient.nonzero_rows()
    return rows.numpy(), values.numpy()


def _number(entry: dict[str, Any], name: str, optimizer: Optimizer, group: dict[str, Any]) -> float:
    value = entry.get(name)
    return optimizer.start(group, name) if value is None else float(value)


def _step(entry: dict[str, Any]) -> float:
    """How many steps a parameter's state has seen; optimizers that do not save it need to know only whether any."""
    step = entry.get("step")
    if step is None:
        return float(any(value is not None for value in entry.values()))
    return float(step)


def _same(a: Member, b: Member) -> bool:
    entry = b.entry
    return (
        a.array is b.array
        and a.group == b.group
        and a.sparse == b.sparse
        and a.entry is entry
        and all(entry.get(name) is tensor for name, tensor in a.tensors)
    )


def _overlapping(members: list[Member]) -> set[Member]:
    """Those whose memory another one's may share: they must be updated one after the other."""
    found: set[Member] = set()
    bounds = sorted(((*np.lib.array_utils.byte_bounds(m.array), i) for i, m in enumerate(members)))
    reach, by = -1, 0
    for low, high, i in bounds:
        if low < reach:
            found |= {members[i], members[by]}
        if high > reach:
            reach, by = high, i
    return found
