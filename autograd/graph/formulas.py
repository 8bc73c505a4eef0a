"""Formulas from rules: a gradient rule's source, read as the mathematics that it computes for one call.

``tanh``'s rule ``g * (1 - out * out)`` reads ``g · (1 − out²)``. Rules branch on shapes and static arguments only, so
what a call did not take is left away, and what it fixed stands there as a number.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..function import Joint
from ..primitive import Primitive
from .reading import Formula, Shaped, Unreadable, marked, read


def rule_formula(
    primitive: Primitive, index: int, inputs: Sequence[Any], out: Any, static: Mapping[str, Any], upstream: Any = None
) -> Formula:
    """The formula of the downstream gradient of input number ``index``.

    Arguments:
        inputs, out, upstream: arrays, numbers or None; of arrays only shape and dtype are looked at. Tuples or lists
            of them for ops of several outputs.
        static: the static arguments of the call.
    """
    out = _shaped(out)
    known = out if upstream is None else _shaped(upstream)
    given = tuple(_shaped(x) for x in inputs)
    # What forward saved for the rule spares a computation, and the formula is of that computation.
    static = {n: v for n, v in static.items() if n not in primitive.saves}
    return _cached(_rule_formula, primitive, index, given, out, known, static)


def _rule_formula(
    primitive: Primitive, index: int, given: tuple[Any, ...], out: Any, known: Any, static: dict[str, Any]
) -> Formula:
    try:
        if isinstance(primitive, Joint):
            return _of_function(primitive, index, known, static)
        rule = primitive.rules[0 if primitive.variadic else index]
        if primitive.variadic:
            static = {**static, "index": index}
        return read(rule, (None, known, out, *given), static, skip=1)
    except Exception:  # whatever a rule is made of, its steps can be shown without its formula
        inputs = () if primitive.variadic else zip(primitive.inputs, given, strict=False)
        names = [marked("g"), *(marked(name) for name, x in inputs if x is not None)]
        return Formula(f"the rule of {primitive.name}, of {', '.join(names)}")


def forward_formula(primitive: Primitive, inputs: Sequence[Any], static: Mapping[str, Any]) -> Formula:
    """The formula of the result: the forward function's, or the first line of its description."""
    static = {n: v for n, v in static.items() if n not in primitive.saves}
    return _cached(_forward_formula, primitive, tuple(_shaped(x) for x in inputs), static)


def _forward_formula(primitive: Primitive, given: tuple[Any, ...], static: dict[str, Any]) -> Formula:
    try:
        forward = getattr(primitive, "forward", None)
        formula = read(forward, (None, *given), static, skip=1, first=bool(primitive.saves))
        if not formula.where:
            return formula
    except Exception:
        pass
    described = (getattr(primitive, "__doc__", None) or "").strip().splitlines()
    if described and not isinstance(primitive, Joint):
        return Formula(re.sub(r"; see ``.*", "", described[0]).rstrip(".").replace("``", ""))
    names = ", ".join(marked(name) for name in primitive.inputs)
    return Formula(f"{primitive.name}({names})")


_formulas: dict[Any, Formula] = {}


def _cached(make: Callable[..., Formula], *arguments: Any) -> Formula:
    """``make(*arguments)``, once for all calls of the same shapes, numbers and static arguments."""
    try:
        key = make, *map(_signature, arguments)
    except TypeError:
        return make(*arguments)
    found = _formulas.get(key)
    if found is None:
        if len(_formulas) >= 4096:
            _formulas.clear()
        found = _formulas[key] = make(*arguments)
    return found


def _signature(x: Any) -> Any:
    """Something to compare ``x`` by; a TypeError for what could keep arrays alive, or change."""
    if isinstance(x, Primitive):
        return x, x.rules
    if isinstance(x, Shaped):
        return x.shape, x.dtype
    if isinstance(x, dict):
        return tuple((name, _signature(value)) for name, value in x.items())
    if isinstance(x, (tuple, list)):
        return type(x), *map(_signature, x)
    if isinstance(x, slice):
        return slice, _signature(x.start), _signature(x.stop), _signature(x.step)
    if x is None or x is Ellipsis or isinstance(x, (int, float, str, np.dtype)):
        return type(x), x
    raise TypeError


def _shaped(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return type(x)(_shaped(part) for part in x)
    return Shaped(x.shape, x.dtype) if hasattr(x, "shape") and hasattr(x, "dtype") else x


def _of_function(joint: Joint, index: int, upstream: Any, static: Mapping[str, Any]) -> Formula:
    """The formula that a Function's own ``backward`` computes."""
    if not isinstance(joint.pull, functools.partial) or "_places" not in static:
        raise Unreadable
    backward = inspect.unwrap(joint.pull.args[0].backward)
    count = len(inspect.signature(backward).parameters) - 1
    upstreams = upstream if isinstance(upstream, (tuple, list)) else [upstream]
    place = static["_places"][1][index]
    names = ["g"] if count == 1 else [f"g{i + 1}" for i in range(count)]
    return read(backward, (None, *[*upstreams, *[None] * count][:count]), {}, skip=1, names=names, element=place)
