"""The NumPy shell around update rules: all parameters at once, in cache-sized blocks, each in its own memory.

NumPy spends most of its time on small arrays with calls and most of it on large ones with memory. So
small parameters are gathered into one flat array, on which the rule runs once, and large ones are
updated in blocks that stay in the cache from the first operation of the rule to the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["Plan"]

# Entries: a block with its gradient, two moments and the rule's temporaries fits in a core's own cache; below SMALL
# copying a parameter costs less than the rule's calls.
BLOCK = 1 << 15
SMALL = 1 << 14


class Member:
    """One parameter in a pack: the array and the state Tensors that it had when packed, to notice changes by."""

    __slots__ = ("array", "entry", "group", "number", "p", "shape", "tensors", "where")

    def __init__(self, p: Tensor, array: np.ndarray, entry: dict[str, Any], group: int, where: str) -> None:
        self.p, self.array, self.entry, self.group, self.where = p, array, entry, group, where
        self.shape = array.shape
        self.number = 0  # the place of its gradient in the list of this step's gradients
        self.tensors: list[tuple[str, Tensor]] = []


class Pack:
    """Parameters of one group, dtype and step count on which the rule runs together."""

    def __init__(self, members: list[Member], names: tuple[str, ...], counts_steps: bool) -> None:
        first = members[0]
        self.members, self.names, self.group = members, names, first.group
        self.steps = np.array([_step(m.entry) for m in members], np.float32)
        size = sum(m.array.size for m in members)
        dtype = first.array.dtype
        self.state = {name: np.zeros(size, dtype) for name in names}
        start = 0
        self.spans: list[slice] = []
        for i, m in enumerate(members):
            span = slice(start, start + m.array.size)
            self.spans.append(span)
            for name in names:
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
            if counts_steps:
                m.entry["step"] = autograd.from_numpy(self.steps[i : i + 1].reshape(()))
            m.tensors = [(name, m.entry[name]) for name in (*names, *(("step",) if counts_steps else ()))]
            start = span.stop
        # A single array in order in memory is its own flat array.
        self.direct = len(members) == 1 and first.array.flags.c_contiguous
        self.flat = first.array.reshape(-1) if self.direct else np.empty(size, dtype)
        self.gradient = np.empty(0 if self.direct else size, dtype)
        self.blocks = [
            (slice(a, a + BLOCK), self.flat[a : a + BLOCK], {k: v[a : a + BLOCK] for k, v in self.state.items()})
            for a in range(0, size, BLOCK)
        ]
        self.copies = [
            (m, m.array, self.flat[span].reshape(m.shape), self.gradient[span].reshape(m.shape))
            for m, span in zip(members, self.spans, strict=True)
            if not self.direct
        ]

    def update(self, rule: Any, hyper: dict[str, Any], gradients: list[np.ndarray]) -> None:
        """One step of every member."""
        self.steps += 1
        step = float(self.steps[0])
        if self.direct:
            g = gradients[self.members[0].number].reshape(-1)
        else:
            g = self.gradient
            for m, array, flat, gradient in self.copies:
                flat[...] = array
                gradient[...] = gradients[m.number]
        for span, p, state in self.blocks:
            rule(np, p, g[span], state, step, **hyper)
        for _, array, flat, _ in self.copies:
            array[...] = flat


class Plan:
    """Which parameters have gradients, and the packs that they are in; holds as long as nothing of that changes."""

    def __init__(self, optimizer: Optimizer, before: Plan | None) -> None:
        self.state = optimizer.state
        self.names = [optimizer.state_names(group) for group in optimizer.param_groups]
        self.members = [
            self._member(optimizer, g, i, p)
            for g, group in enumerate(optimizer.param_groups)
            for i, p in enumerate(group["params"])
            if p.grad is not None
        ]
        self.params = [m.p for m in self.members]
        kept = {tuple(m.p for m in pack.members): pack for pack in before.packs} if before is not None else {}
        self.packs: list[Pack] = []
        for members in self._packed():
            names = self.names[members[0].group]
            old = kept.get(tuple(m.p for m in members))
            if old is not None and old.names == names and all(map(_same, old.members, members)):
                for mine, theirs in zip(old.members, members, strict=True):
                    mine.number = theirs.number
                    self.members[mine.number] = mine
                self.packs.append(old)
            else:
                self.packs.append(Pack(members, names, optimizer.counts_steps))

    def _member(self, optimizer: Optimizer, g: int, i: int, p: Tensor) -> Member:
        where = f"{type(optimizer).__name__}: {optimizer.where(g, i)}"
        array = p.numpy()
        if array.dtype.kind != "f":
            raise DTypeError(f"{where} is {describe(array)}; only floating parameters can be optimized")
        if not array.flags.writeable:
            raise ValueError(f"{where} lies in memory that cannot be written; make it of a copy of that array")
        return Member(p, array, self.state.setdefault(p, {}), g, where)

    def _packed(self) -> list[list[Member]]:
        """The members in lists for packs: large ones, and those that share memory with others, alone."""
        alone = _overlapping(self.members)
        lists: list[list[Member]] = []
        open_packs: dict[Any, tuple[list[Member], int]] = {}
        for number, m in enumerate(self.members):
            m.number = number
            size = m.array.size
            if size > SMALL or m in alone:
                lists.append([m])
                continue
            key = (m.group, m.array.dtype, _step(m.entry))
            members, filled = open_packs.get(key, ([], 0))
            if not members or filled + size > BLOCK:
                members, filled = [], 0
                lists.append(members)
            members.append(m)
            open_packs[key] = (members, filled + size)
        return lists

    def gradients(self, optimizer: Optimizer) -> list[np.ndarray] | None:
        """The gradient of every member, or None if the plan does not hold any more."""
        found: list[np.ndarray] = []
        members, n, state = self.members, len(self.members), self.state
        if optimizer.state is not state or len(optimizer.param_groups) != len(self.names):
            return None
        g = 0
        for group in optimizer.param_groups:
            if optimizer.state_names(group) != self.names[g]:
                return None
            for p in group["params"]:
                gradient = p.grad
                if gradient is None:
                    continue
                if len(found) == n:
                    return None
                m = members[len(found)]
                if m.p is not p or p.numpy() is not m.array or m.group != g or state.get(p) is not m.entry:
                    return None
                entry = m.entry
                for name, tensor in m.tensors:
                    if entry.get(name) is not tensor:
                        return None
                array = gradient.numpy()
                if array.shape != m.shape or array.dtype != m.array.dtype:
                    raise ShapeError(
                        f"{m.where} is {describe(m.array)}, and its gradient {describe(array)}: the parameter was "
                        "changed after the backward pass; zero_grad() and go backward again"
                    )
                found.append(array)
            g += 1
        if len(found) != n:
            return None
        for pack in self.packs:
            steps = pack.steps.tolist()
            if steps.count(steps[0]) != len(steps):
                return None
        return found

    def update(self, optimizer: Optimizer, gradients: list[np.ndarray]) -> None:
        """Runs the rule on every pack."""
        rule = type(optimizer).rule
        hypers = [optimizer.hyper(group) for group in optimizer.param_groups]
        for pack in self.packs:
            pack.update(rule, hypers[pack.group], gradients)


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
