"""What belongs together in a picture: the modules of a model, repeated blocks, and stretches of a long program.

A group holds operations that ran one after another, so a picture in which some groups are closed has no cycles.
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .trace import Graph, Vertex

__all__ = ["Group", "Rule", "arranged"]

# A block of more members than this is not searched for repeats: the time grows with it.
_LONGEST_BLOCK = 256
# Where a group is too long to be shown, its members are put into stretches of this many.
_STRETCH = 40

# What has to be closed is closed until it can be taken in: to this part of what would have been left open.
_FEWER = 3

Rule = str | Callable[[str, str], bool]


@dataclass(slots=True, eq=False)
class Group:
    """A box that holds others.

    ``path`` is the module's dotted name, ``kind`` its class name, ``call`` which of several calls of the module this
    is, ``times`` how many equal blocks are folded into it.
    """

    id: str
    path: str
    kind: str
    members: list[Vertex | Group] = field(default_factory=list)
    closed: bool = False
    times: int = 1
    call: int | None = None

    @property
    def heading(self) -> str:
        """What the box is called."""
        title = ": ".join(part for part in (self.path, self.kind) if part)
        return title if self.call is None else f"{title}, call {self.call}"

    def vertices(self) -> Iterator[Vertex]:
        """All vertices inside."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.vertices()
            else:
                yield member

    def groups(self) -> Iterator[Group]:
        """All groups inside, each before those in it."""
        for member in self.members:
            if isinstance(member, Group):
                yield member
                yield from member.groups()

    def shown(self) -> int:
        """How many boxes its inside is in the picture."""
        return sum(m.shown() if isinstance(m, Group) and not m.closed else 1 for m in self.members)


def arranged(
    graph: Graph,
    *,
    depth: int | None = None,
    collapse: Sequence[Rule] = (),
    expand: Sequence[Rule] = (),
    fold: bool = True,
    limit: int | None = None,
) -> tuple[Group, str]:
    """The graph's vertices in nested groups, of which some are closed, and a sentence on what was closed unasked.

    Arguments:
        depth: modules that are this deep or deeper are closed; the outermost are at 0.
        collapse: modules to close: patterns for the dotted name or the class name, or functions of both.
        expand: modules to open whatever else says.
        fold: whether neighbouring closed modules of the same structure become one.
        limit: how many boxes there may be before modules are closed unasked, and then plain operations, until there
            are a third as many.
    """
    arrange = _Arrangement(graph, collapse, expand, fold)
    root = arrange.root(depth)
    if limit is None or depth is not None or root.shown() <= limit:
        return root, ""
    total, few = root.shown(), limit // _FEWER
    for level in range(arrange.levels - 1, -1, -1):
        root = arrange.root(level)
        if root.shown() <= (few if level else limit):
            return (
                root,
                f"{total:,} nodes: modules at depth {level} and below are closed; depth= and limit= change that",
            )
    levels = "" if arrange.levels else "; draw(lambda: …), which runs the program itself, groups by modules"
    root = arrange.root(0 if arrange.levels else None, plain=fold)
    if root.shown() <= limit:
        return root, f"{total:,} nodes: what repeats is folded; limit=None draws them all{levels}"
    arrange.cut(root)
    return root, f"{total:,} nodes: in stretches; limit=None draws them all{levels}"


class _Arrangement:
    def __init__(self, graph: Graph, collapse: Sequence[Rule], expand: Sequence[Rule], fold: bool) -> None:
        self.graph, self.collapse, self.expand, self.fold = graph, collapse, expand, fold
        self.parents = self._parents()
        self.modules = {v.call[: k + 1]: v.module[: k + 1] for v in graph.vertices for k in range(len(v.call))}
        self.levels = max(map(len, self.modules), default=0)
        self.users: dict[str, list[str]] = {}
        for edge in graph.edges:
            self.users.setdefault(edge.source, []).append(edge.target)
        self.signatures: dict[Any, int] = {}
        self.ids = itertools.count()

    def _parents(self) -> dict[str, tuple[int, ...]]:
        """The calls around each vertex. A leaf stands where all of its uses are, but data outside of all modules."""
        parents = {v.id: v.call for v in self.graph.vertices if v.kind == "operation"}
        leaves: dict[str, tuple[int, ...]] = {}
        vertices = {v.id: v for v in self.graph.vertices}
        for edge in self.graph.edges:
            if edge.source not in parents:
                name, modules = vertices[edge.source].name, vertices[edge.target].module
                foreign = name is not None and bool(modules) and not name.startswith(f"{modules[0][0]}.")
                target = () if foreign else parents[edge.target]
                leaves[edge.source] = _common(leaves.get(edge.source, target), target)
        return parents | leaves

    def root(self, depth: int | None, plain: bool = False) -> Group:
        """All vertices, in groups; with ``plain`` operations outside of modules are folded too."""
        self.ids = itertools.count()
        root = Group("", "", "")
        made: dict[tuple[int, ...], Group] = {(): root}
        calls: dict[tuple[Group, str], list[Group]] = {}
        for vertex in self.graph.vertices:
            key = self.parents.get(vertex.id, ())
            for k in range(1, len(key) + 1):
                if key[:k] not in made:
                    group = made[key[:k]] = self._module(key[:k])
                    made[key[: k - 1]].members.append(group)
                    calls.setdefault((made[key[: k - 1]], group.path), []).append(group)
            made[key].members.append(vertex)
        for same in calls.values():
            for number, group in enumerate(same, 1):
                group.call = number if len(same) > 1 else None
        _dissolve(root)
        self._close(root, depth, 0)
        if self.fold:
            self._fold(root, plain)
        return root

    def _module(self, key: tuple[int, ...]) -> Group:
        names = self.modules[key]
        path = ".".join(name for name, _ in names if name)
        return Group(f"g{next(self.ids)}", path if names[-1][0] else "", names[-1][1])

    def _close(self, group: Group, depth: int | None, level: int, inside: bool = False) -> None:
        for member in group.members:
            if isinstance(member, Group):
                # What is in a closed group is closed too, for when a reader opens that.
                deep = inside or (depth is not None and level >= depth) or _matches(self.collapse, member)
                member.closed = deep and not _matches(self.expand, member)
                self._close(member, depth, level + 1, inside or member.closed)

    def _fold(self, group: Group, plain: bool) -> None:
        for member in group.members:
            if isinstance(member, Group):
                self._fold(member, plain)
        leaves = [m for m in group.members if _is_leaf(m)]
        items = [m for m in group.members if not _is_leaf(m)]
        # An open group is like no other, and so is a result.
        signatures = [
            self._signature(m) if (m.closed if isinstance(m, Group) else not m.output) else -1 - i
            for i, m in enumerate(items)
        ]
        folded: list[Vertex | Group] = []
        at = 0
        repeats = _repeats(signatures)
        while at < len(items):
            length, times = repeats(at)
            block = items[at : at + length]
            if not (plain and times > 2) and not any(isinstance(m, Group) for m in block):
                times = 1
            if times == 1:
                folded.append(items[at])
                at += 1
                continue
            blocks = [items[i : i + length] for i in range(at, at + length * times, length)]
            folded.append(self._folded(blocks, leaves))
            at += length * times
        if len(folded) < len(items):
            group.members = _merged(leaves, folded)

    def _folded(self, blocks: list[list[Vertex | Group]], leaves: list[Any]) -> Group:
        first, last = blocks[0][0], blocks[-1][-1]
        paths = [m.path for m in (first, last) if isinstance(m, Group) and m.path]
        kind = ", ".join(itertools.islice(map(_kind, blocks[0]), 4)) + (", …" if len(blocks[0]) > 4 else "")
        fold = Group(f"g{next(self.ids)}", " … ".join(dict.fromkeys(paths)), kind, closed=True, times=len(blocks))
        parts = blocks[0]
        if len(blocks[0]) == 1:
            fold.members = [block[0] for block in blocks]
        else:
            parts = [Group(f"g{next(self.ids)}", "", f"{kind} #{n}", block, True) for n, block in enumerate(blocks, 1)]
            fold.members = parts
        self._take(leaves, [fold], [part for part in parts if isinstance(part, Group) and len(blocks[0]) > 1])
        if len(fold.members) > 2 * _STRETCH:
            self.cut(fold)
        return fold

    def _take(self, leaves: list[Any], *levels: list[Group]) -> None:
        """Moves each of ``leaves`` into the group that has all of its uses, if there is one; the last level first."""
        remaining: dict[str, Any] = {leaf.id: leaf for leaf in leaves}
        for groups in reversed(levels):
            owner = {v.id: group for group in groups for v in group.vertices()}
            taken: dict[Group, list[Any]] = {}
            for leaf in remaining.values():
                owners = {owner.get(user) for user in self.users.get(leaf.id, ())}
                group = owners.pop() if len(owners) == 1 else None
                if group is not None and not leaf.output:
                    taken.setdefault(group, []).append(leaf)
            for group, own in taken.items():
                group.members = _merged(own, group.members)
                for leaf in own:
                    del remaining[leaf.id]
        leaves[:] = remaining.values()

    def cut(self, group: Group) -> None:
        """Puts the members of a long group into stretches, and those into longer ones, until few are left."""
        leaves = [m for m in group.members if _is_leaf(m)]
        results = [m for m in group.members if isinstance(m, Vertex) and m.output and m.id not in self.users]
        ends = {m.id for m in results}
        items = [m for m in group.members if not _is_leaf(m) and m.id not in ends]
        spans = [(i, i) for i in range(1, len(items) + 1)]
        while len(items) > 2 * _STRETCH:
            stretches: list[Group] = []
            for at in range(0, len(items), _STRETCH):
                part = slice(at, at + _STRETCH)
                title = f"{spans[part][0][0]:,} – {spans[part][-1][1]:,}"
                stretches.append(Group(f"g{next(self.ids)}", "", title, items[part], closed=True))
            spans = [(spans[at][0], spans[at : at + _STRETCH][-1][1]) for at in range(0, len(items), _STRETCH)]
            self._take(leaves, stretches)
            items = list(stretches)
        group.members = _merged(leaves, [*items, *results])

    def _signature(self, member: Vertex | Group) -> int:
        """A number that equal structures share, whatever their names and values."""
        form: Any
        if isinstance(member, Group):
            form = member.kind, member.times, tuple(map(self._signature, member.members))
        else:
            form = member.kind, member.operation, None if member.value is None else member.value.shape
        return self.signatures.setdefault(form, len(self.signatures))


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))
    return tuple(number for number, _ in same)


def _is_leaf(member: Vertex | Group) -> bool:
    return isinstance(member, Vertex) and member.kind != "operation"


def _kind(member: Vertex | Group) -> str:
    return member.kind if isinstance(member, Group) else member.operation or member.kind


def _merged(leaves: Iterable[Vertex | Group], items: Iterable[Vertex | Group]) -> list[Vertex | Group]:
    """Leaves and the rest in the order in which the program had them."""
    return sorted([*leaves, *items], key=_place)


def _place(member: Vertex | Group) -> int:
    while isinstance(member, Group):
        member = member.members[0]
    return int(member.id[1:])


def _dissolve(group: Group) -> None:
    """Takes away the frames around a single member: they would say nothing."""
    for i, member in enumerate(group.members):
        if isinstance(member, Group):
            _dissolve(member)
            if len(member.members) == 1:
                group.members[i] = member.members[0]


def _matches(rules: Sequence[Rule], group: Group) -> bool:
    inner = group.path.partition(".")[2]  # without the name of the variable
    for rule in rules:
        if not isinstance(rule, str):
            found = rule(group.path, group.kind)
        else:
            found = any(fnmatch.fnmatchcase(name, rule) for name in (group.path, inner, group.kind))
        if found:
            return True
    return False


def _repeats(signatures: list[int]) -> Callable[[int], tuple[int, int]]:
    """For each place, the length of the block that repeats there for the longest, and how often."""
    given = np.array(signatures, np.int64)
    n = len(given)
    lengths, times = np.ones(n, np.int64), np.ones(n, np.int64)
    for length in range(1, min(_LONGEST_BLOCK, n // 2) + 1):
        differs = np.append(given[:-length] != given[length:], True)
        ends = np.flatnonzero(differs)
        run = ends[np.searchsorted(ends, np.arange(n - length))] - np.arange(n - length)
        here = run // length + 1
        better = here * length > (lengths * times)[: n - length]
        better &= here > 1
        lengths[: n - length][better], times[: n - length][better] = length, here[better]
    return lambda at: (int(lengths[at]), int(times[at]))
