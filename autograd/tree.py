"""Nested containers of Tensors: dicts, lists, tuples, named tuples and dataclasses, taken apart and put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

__all__ = ["flatten", "map_leaves"]

Rebuild = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of ``tree`` in order, and the function that builds a tree of its form from other leaves.

    A leaf is whatever is not a dict, list, tuple or dataclass instance; None has no leaves.

    >>> leaves, rebuild = flatten({"w": [1, 2], "b": (3, None)})
    >>> leaves, rebuild([10, 20, 30])
    ([1, 2, 3], {'w': [10, 20], 'b': (30, None)})
    """
    if tree is None:
        return [], lambda leaves: None
    parts = _parts(tree)
    if parts is None:
        return [tree], lambda leaves: leaves[0]
    children, join = parts
    flattened = [flatten(child) for child in children]
    sizes = [len(leaves) for leaves, _ in flattened]

    def rebuild(leaves: list[Any]) -> Any:
        rest = iter(leaves)
        return join([build([next(rest) for _ in range(n)]) for n, (_, build) in zip(sizes, flattened, strict=True)])

    return [leaf for leaves, _ in flattened for leaf in leaves], rebuild


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of the same form with ``function`` applied to every leaf.

    >>> map_leaves(lambda v: v * 10, {"w": [1, 2]})
    {'w': [10, 20]}
    """
    leaves, rebuild = flatten(tree)
    return rebuild([function(leaf) for leaf in leaves])


def _parts(tree: Any) -> tuple[list[Any], Rebuild] | None:
    kind = type(tree)
    if isinstance(tree, dict):
        keys = list(tree)
        return [tree[k] for k in keys], lambda values: kind(zip(keys, values, strict=True))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return list(tree), lambda values: kind(*values)
    if isinstance(tree, (list, tuple)):
        return list(tree), kind
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree) if f.init]
        held: Any = tree
        return [getattr(held, n) for n in names], lambda values: dataclasses.replace(
            held, **dict(zip(names, values, strict=True))
        )
    return None
