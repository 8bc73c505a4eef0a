"""Reading a function's source as mathematics, for one call of it.

Of the call, shapes, numbers and static arguments are known, and of arrays no value: what they decide is decided, what
they make is a number, and all else stays a formula.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..primitive import Primitive
from .mathematics import (
    ATOM,
    COMPARISON,
    MINUS,
    PRODUCT,
    SUM,
    Text,
    Unreadable,
    call,
    key_in_words,
    number,
    phrases,
    power,
    product,
    signs,
)  # fmt: skip
from .sources import definition, surroundings

# A line with more than this is not read but skipped over, and so are formulas with more lines than that.
_LONGEST, _MOST_LINES = 200, 6
# A helper's own formula stands in its place up to this length; above, its name does.
_INLINED = 60
# A name that is given in the source is written out where it is used, up to this length.
_SHORT = 14
_FOLDS = frozenset(
    {"abs", "any", "all", "bool", "dict", "enumerate", "float", "getattr", "hasattr", "int", "isinstance", "len",
     "list", "max", "min", "range", "reversed", "sorted", "sum", "tuple", "zip"}
)  # fmt: skip
_mark = re.compile("\ue000(.*?)\ue001")


@dataclass(frozen=True, slots=True)
class Formula:
    """What a rule computes. In ``text`` and ``where`` the names of the rule's arguments are marked for ``named``."""

    text: str
    where: tuple[str, ...] = ()

    def named(self, names: Mapping[str, str]) -> str:
        """The formula with other names for the arguments, and the lines that say what its own names mean."""
        lines = self.text + "".join(f"\n{'where' if i == 0 else '     '} {w}" for i, w in enumerate(self.where))
        return _mark.sub(lambda found: names.get(found[1], found[1]), lines)


class Shaped:
    """Stands for an array whose shape and dtype alone are known: asking for its values raises."""

    __slots__ = ("dtype", "ndim", "shape", "size")

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype, self.ndim, self.size = tuple(shape), np.dtype(dtype), len(shape), math.prod(shape)

    def reshape(self, *shape: Any) -> Shaped:
        """The same entries in another shape."""
        sizes = list(shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)
        if -1 in sizes:
            sizes[sizes.index(-1)] = self.size // -math.prod(sizes)
        return Shaped(tuple(sizes), self.dtype)

    def _refuse(self, *_: Any) -> Any:
        raise TypeError("only the shape is known")

    __bool__ = __len__ = __iter__ = __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse
    __hash__ = object.__hash__


def marked(name: str) -> str:
    return f"\ue000{name}\ue001"


def read(
    function: Any, arguments: tuple[Any, ...], static: dict[str, Any], *, skip: int, names: Sequence[str] = (),
    first: bool = False, element: int | None = None,
) -> Formula:  # fmt: skip
    if not isinstance(function, types.FunctionType):
        raise Unreadable
    reader = _Reader(function)
    reader.bind(arguments, static, skip, names)
    result = reader.result(element if element is not None else 0 if first else None)
    if reader.where and reader.where[-1][0] == result.text:
        result = reader.where.pop()[1]
    used, where = result.text, []
    for name, text in reversed(reader.where):
        if any(
            re.search(rf"(?<![\w\ue000]){re.escape(part)}(?![A-Za-z0-9_\ue001])", used) for part in name.split(", ")
        ):
            where.append(f"{name} {'⇔' if text.binds == COMPARISON else '='} {text.text}")
            used += " " + text.text
    if max(map(len, [result.text, *where])) > _LONGEST or len(where) > _MOST_LINES:
        raise Unreadable
    return Formula(result.text, tuple(reversed(where)))


class _Reader:
    """One function, read for one call: what is ``known`` of its names, and how the others read."""

    def __init__(self, function: types.FunctionType, depth: int = 0) -> None:
        self.function, self.depth = function, depth
        node = definition(function.__code__)
        if node is None:
            raise Unreadable
        self.node = node
        self.outer = surroundings(function)
        self.known: dict[str, Any] = {}
        self.texts: dict[str, Text] = {}
        self.where: list[tuple[str, Text]] = []

    def bind(self, arguments: tuple[Any, ...], static: dict[str, Any], skip: int, names: Sequence[str] = ()) -> None:
        """Gives the parameters what is known of them; the first ``skip`` of them are no part of the mathematics."""
        a = self.node.args
        parameters = [p.arg for p in (*a.posonlyargs, *a.args)]
        defaults = self.function.__defaults__ or ()
        self.known.update(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True))
        self.known.update(self.function.__kwdefaults__ or {})
        self.known.update(zip(parameters, arguments, strict=False))
        shown = [*[None] * skip, *names] if names else parameters
        for parameter, name in zip(parameters, shown, strict=False):
            self.texts[parameter] = Text(marked(name or parameter))
        if a.vararg is not None:
            self.known[a.vararg.arg] = arguments[len(parameters) :]
            for i, name in enumerate(names[max(0, len(parameters) - skip) :]):
                self.texts[f"{a.vararg.arg}[{i}]"] = Text(marked(name))
        keywords = {p.arg for p in a.kwonlyargs} | set(parameters)
        self.known.update({n: v for n, v in static.items() if n in keywords})
        if a.kwarg is not None:
            self.known[a.kwarg.arg] = {n: v for n, v in static.items() if n not in keywords}
        for parameter in parameters[:skip]:
            self.known.pop(parameter, None)
            self.texts.pop(parameter, None)
        self.namespaces = set(parameters[:skip])

    def result(self, element: int | None) -> Text:
        self.element = element
        if isinstance(self.node, ast.Lambda):
            return self._returned(self.node.body)
        text = self._block(self.node.body)
        if text is None:
            raise Unreadable
        return text

    def _returned(self, value: ast.expr | None) -> Text:
        if isinstance(value, ast.Tuple):
            if self.element is None or self.element >= len(value.elts):
                raise Unreadable
            value = value.elts[self.element]
        if value is None:
            raise Unreadable
        return self.text(value)

    def _block(self, statements: Sequence[ast.stmt]) -> Text | None:
        for i, statement in enumerate(statements):
            match statement:
                case ast.Return(value=value):
                    return self._returned(value)
                case ast.Assign(targets=[target], value=value):
                    self._assign(target, value)
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    self._assign(ast.Name(name), ast.BinOp(ast.Name(name, ast.Load()), op, value))
                case ast.If(test=test, body=body, orelse=other):
                    value = self._decided(test)
                    if value is _UNKNOWN:
                        return self._either(test, body, [*other, *statements[i + 1 :]])
                    text = self._block(body if value else other)
                    if text is not None:
                        return text
                case ast.Expr():
                    pass
                case _:
                    raise Unreadable
        return None

    def _either(self, test: ast.expr, body: Sequence[ast.stmt], rest: Sequence[ast.stmt]) -> Text | None:
        if _is_technical(test):
            return self._block(rest)
        texts, known = dict(self.texts), dict(self.known)
        first = self._block(body)
        self.texts, self.known = texts, known
        second = self._block(rest)
        if first is None or second is None:
            raise Unreadable
        return Text(f"{first.text} if {self.text(test).text}, else {second.text}", 0)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            known = self._evaluated(value)
            parts = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
            if parts is not None:
                pairs = [(self.text(p), self._evaluated(p)) for p in parts]
                for part, pair in zip(target.elts, pairs, strict=True):
                    self._bind(part, *pair)
            else:
                self.where.append((ast.unparse(target).strip("(),"), self.text(value)))
                count = len(target.elts)
                spread = known if isinstance(known, (tuple, list)) and len(known) == count else [_UNKNOWN] * count
                for part, found in zip(target.elts, spread, strict=True):
                    self._bind(part, None, found)
        else:
            known = self._evaluated(value)
            is_array = known is _UNKNOWN or isinstance(known, Shaped)
            self._bind(target, self.text(value) if is_array else None, known)

    def _bind(self, target: ast.expr, text: Text | None, value: Any) -> None:
        if isinstance(target, ast.Tuple):
            parts = value if isinstance(value, (tuple, list)) else [_UNKNOWN] * len(target.elts)
            for part, found in zip(target.elts, parts, strict=True):
                self._bind(part, None, found)
            return
        if not isinstance(target, ast.Name):
            raise Unreadable
        name = target.id
        again = name in self.texts
        self.known.pop(name, None)
        if value is not _UNKNOWN:
            self.known[name] = value
        if text is None or (not again and len(_mark.sub(r"\1", text.text)) > _SHORT):
            self.texts[name] = Text(name)
            if text is not None:
                self.where.append((name, text))
        else:
            self.texts[name] = text

    def _decided(self, test: ast.expr) -> Any:
        """The value of a test, or ``_UNKNOWN``; what a rule does quicker on NumPy is not the way to read it."""
        match test:
            case ast.BoolOp(op=op, values=tests):
                values = [self._decided(part) for part in tests]
                decisive = isinstance(op, ast.Or)
                if any(value is not _UNKNOWN and bool(value) == decisive for value in values):
                    return decisive
                return _UNKNOWN if any(value is _UNKNOWN for value in values) else not decisive
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is()]) if name in self.namespaces:
                return False
        return self._evaluated(test)

    def _evaluated(self, node: ast.expr) -> Any:
        """The value of ``node`` where shapes and static arguments fix it, or ``_UNKNOWN``."""
        own = {g.id for part in ast.walk(node) if isinstance(part, ast.comprehension)
               for g in ast.walk(part.target) if isinstance(g, ast.Name)}  # fmt: skip
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id not in self.known and part.id not in own:
                if part.id in self.texts or part.id in self.namespaces:
                    return _UNKNOWN
                found = self.outer.get(part.id, getattr(builtins, part.id, _UNKNOWN))
                if found is _UNKNOWN or (callable(found) and not self._may_call(part.id, found)):
                    return _UNKNOWN
            elif isinstance(part, (ast.Lambda, ast.Await, ast.Yield, ast.NamedExpr)):
                return _UNKNOWN
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                module = self.outer.get(part.value.id) if part.value.id not in self.known else None
                if module is np and part.attr not in ("prod", "inf"):
                    return _UNKNOWN
        try:
            code = compile(ast.fix_missing_locations(ast.Expression(node)), "<formula>", "eval")
            return eval(code, {**self.outer, **self.known})
        except Exception:
            return _UNKNOWN

    def _may_call(self, name: str, found: Any) -> bool:
        if isinstance(found, type) or found is getattr(builtins, name, None):
            return name in _FOLDS
        found = getattr(found, "__wrapped__", found)  # of a function whose results are kept
        return isinstance(found, types.FunctionType) and found.__module__.startswith(f"{__package__.split('.')[0]}.")

    def _fixed(self, node: ast.expr) -> Text | None:
        """A number, where shapes and static arguments make one of ``node``."""
        if not any(isinstance(n, ast.Name) and n.id in self.known for n in ast.walk(node)):
            return None
        value = self._evaluated(node)
        return number(value) if isinstance(value, (int, float)) else None

    def text(self, node: ast.expr) -> Text:
        """How ``node`` reads."""
        fixed = self._fixed(node)
        if fixed is not None:
            return fixed
        match node:
            case ast.Constant(value=value):
                return number(value) if isinstance(value, (int, float)) else Text(str(value))
            case ast.Name(id=name):
                constant = self.outer.get(name)
                own = number(constant) if isinstance(constant, (int, float)) else Text(name.lstrip("_"))
                return self.texts.get(name, own)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return power(self.text(left), self.text(right))
            case ast.BinOp(left=left, op=op, right=right):
                return product(type(op), self.text(left), self.text(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Text("−" + self.text(operand).within(PRODUCT), MINUS)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Text("not " + self.text(operand).within(ATOM), COMPARISON)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                if isinstance(op, ast.NotEq) and ast.dump(left) == ast.dump(right):
                    return Text(f"{self.text(left).within(SUM)} is NaN", COMPARISON)
                sign = signs.get(type(op))
                if sign is None:
                    raise Unreadable
                return Text(f"{self.text(left).within(SUM)} {sign} {self.text(right).within(SUM)}", COMPARISON)
            case ast.IfExp(test=test, body=body, orelse=other):
                value = self._decided(test)
                if value is not _UNKNOWN or _is_technical(test):
                    return self.text(body if value is not _UNKNOWN and value else other)
                return Text(f"{self.text(body).text} if {self.text(test).text}, else {self.text(other).text}", 0)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(value, index)
            case ast.Attribute(value=value, attr=name):
                return self._attribute(value, name)
            case ast.Call():
                return self._call(node)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return Text("[" + ", ".join(self.text(part).text for part in parts) + "]")
        raise Unreadable

    def _subscript(self, value: ast.expr, index: ast.expr) -> Text:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        lining_up = all(
            (isinstance(p, ast.Constant) and p.value in (None, ...))
            or (isinstance(p, ast.Slice) and p.lower is p.upper is p.step is None)
            for p in parts
        )
        if lining_up:
            return self.text(value)
        at = self._evaluated(index)
        if isinstance(at, int) and isinstance(value, ast.Name):
            named = self.texts.get(f"{value.id}[{at}]")
            if named is not None:
                return named
        return Text(f"{self.text(value).within(ATOM)}[{key_in_words(at)}]")

    def _attribute(self, value: ast.expr, name: str) -> Text:
        if name == "saved_tensors":
            return Text("what forward saved")
        if isinstance(value, ast.Name) and value.id not in self.texts:
            constants = {"pi": "π", "inf": "∞", "nan": "NaN", "e": "e"}
            return Text(constants.get(name, name.lstrip("_")))
        if name in ("T", "mT"):
            return Text(self.text(value).within(ATOM) + "ᵀ")
        if name == "data":
            return self.text(value)
        return Text(f"{self.text(value).within(ATOM)}.{name.lstrip('_')}")

    def _call(self, node: ast.Call) -> Text:
        match node.func:
            case ast.Attribute(value=owner, attr=name) if self._is_namespace(owner):
                return self._phrase(name, node)
            case ast.Attribute(value=owner, attr=name):
                if name in ("reshape", "view") and not isinstance(owner, ast.Name):
                    return self.text(owner)
                if name == "reshape":
                    helper = node.args[0] if len(node.args) == 1 else None
                    lined_up = isinstance(helper, ast.Call) and getattr(helper.func, "id", "") == "kept_shape"
                    return self.text(owner) if lined_up else call("reshape", [self.text(owner)])
                if name in ("numpy", "detach", "clone", "copy", "item", "astype", "to", "contiguous"):
                    return self.text(owner)
                arguments = [self.text(owner), *self._arguments(node)]
                return phrases[name](arguments, {}) if name in phrases else call(name, arguments)
            case ast.Name(id=name):
                return self._helper(name, node)
        raise Unreadable

    def _is_namespace(self, owner: ast.expr) -> bool:
        if isinstance(owner, ast.Attribute):
            return self._is_namespace(owner.value)
        if not isinstance(owner, ast.Name):
            return False
        return owner.id in self.namespaces or isinstance(self.outer.get(owner.id), types.ModuleType)

    def _is_function(self, node: ast.expr) -> bool:
        """Whether an argument is a function itself, of the namespace or written on the spot."""
        of_namespace = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        return isinstance(node, ast.Lambda) or (of_namespace and node.value.id in self.namespaces)  # type: ignore[attr-defined]

    def _phrase(self, name: str, node: ast.Call) -> Text:
        found = {k.arg: self._evaluated(k.value) for k in node.keywords if k.arg is not None}
        keywords = {name: value for name, value in found.items() if value is not _UNKNOWN}
        if name == "special" and isinstance(node.args[0], ast.Constant):
            return call(str(node.args[0].value), [self.text(a) for a in node.args[1:]])
        phrase = phrases.get(name)
        if phrase is None:
            return call(name, self._arguments(node))
        values = [self._evaluated(a) for a in node.args]
        keywords.update({f"at {i}": value for i, value in enumerate(values) if value is not _UNKNOWN})
        if name == "index" and "at 1" in keywords:
            return Text(f"{self.text(node.args[0]).within(ATOM)}[{key_in_words(keywords['at 1'])}]")
        arguments = self._arguments(node, keep_numbers=True)
        try:
            return phrase(arguments, keywords)
        except (IndexError, ValueError):  # called in a way of its own
            return call(name, arguments)

    def _arguments(self, node: ast.Call, keep_numbers: bool = False) -> list[Text]:
        """The arguments that are mathematics: not shapes, keys and dtypes, which the call fixed."""
        found = []
        for argument in node.args:
            if isinstance(argument, ast.Starred) or (isinstance(argument, ast.Name) and self._is_namespace(argument)):
                continue
            if isinstance(argument, ast.Lambda):
                raise Unreadable
            if self._is_function(argument):
                continue
            value = self._evaluated(argument)
            parts = value if isinstance(value, (tuple, list)) else [value]
            arrays = value is _UNKNOWN or any(isinstance(part, Shaped) for part in parts)
            if arrays or (keep_numbers and isinstance(value, (int, float))):
                found.append(self.text(argument))
        return found

    def _helper(self, name: str, node: ast.Call) -> Text:
        function: Any = self.known.get(name, self.outer.get(name, getattr(builtins, name, None)))
        if isinstance(function, Primitive):
            function, name = function.forward, function.name
            node = ast.Call(node.func, [ast.Name("xp", ast.Load()), *node.args], node.keywords)
        if isinstance(function, types.FunctionType) and self.depth < 3:
            try:
                inlined = self._inlined(function, node)
                if len(_mark.sub(r"\1", inlined.text)) <= _INLINED:
                    return inlined
            except Unreadable:
                pass
        arguments = self._arguments(node)
        return phrases[name](arguments, {}) if name in phrases and name != "sum" else call(name.strip("_"), arguments)

    def _inlined(self, function: types.FunctionType, node: ast.Call) -> Text:
        inner = _Reader(function, self.depth + 1)
        if any(isinstance(a, ast.Starred) or self._is_function(a) for a in node.args):
            raise Unreadable
        if any(k.arg is None for k in node.keywords):
            raise Unreadable
        parameters = [a.arg for a in (*inner.node.args.posonlyargs, *inner.node.args.args)]
        given = dict(zip(parameters, node.args, strict=False))
        given.update({k.arg: k.value for k in node.keywords if k.arg is not None})
        first_is_namespace = bool(parameters) and parameters[0] == "xp"
        inner.bind((), {}, 1 if first_is_namespace else 0)
        for parameter, value in given.items():
            if first_is_namespace and parameter == parameters[0]:
                continue
            inner.known.pop(parameter, None)
            found = self._evaluated(value)
            if found is not _UNKNOWN:
                inner.known[parameter] = found
                if isinstance(found, (Shaped, Callable)):  # type: ignore[arg-type]
                    inner.texts[parameter] = self.text(value) if isinstance(found, Shaped) else Text(parameter)
            else:
                inner.texts[parameter] = self.text(value)
        text = inner.result(None)
        if inner.where:
            raise Unreadable
        return text


def _is_technical(test: ast.expr) -> bool:
    """Whether a test is of how a result is stored, which is no part of the mathematics."""
    return any(isinstance(n, ast.Attribute) and n.attr in ("dtype", "size") for n in ast.walk(test))


class _Unknown:
    pass


_UNKNOWN: Any = _Unknown()
