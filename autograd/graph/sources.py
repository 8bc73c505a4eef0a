"""Where a function was written: its syntax, and the names around it."""

from __future__ import annotations

import ast
import functools
import linecache
import types
from typing import Any


@functools.lru_cache(maxsize=64)
def _tree(filename: str, lines: tuple[str, ...]) -> ast.Module | None:
    try:
        return ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None


@functools.lru_cache(maxsize=1024)
def definition(code: types.CodeType) -> ast.Lambda | ast.FunctionDef | None:
    """The function in its file, found by its place there: several lambdas may share a line. None without source."""
    lines = linecache.getlines(code.co_filename)
    tree = _tree(code.co_filename, tuple(lines)) if lines else None
    if tree is None:
        return None
    wanted = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Lambda, ast.FunctionDef)):
            continue
        arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        inside = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
        if list(wanted) == arguments and (isinstance(node, ast.Lambda) == (code.co_name == "<lambda>")):
            first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", ())]])
            if first == code.co_firstlineno and all(inside[0] <= place <= inside[1] for place in places):
                return node
    return None


def surroundings(function: types.FunctionType) -> dict[str, Any]:
    """What the names that ``function`` does not give itself stand for."""
    found = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not given yet
            found.pop(name, None)
    return found
