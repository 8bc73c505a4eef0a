"""How mathematics is written in one line of text: signs, powers, brackets where they are needed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# How tightly parts hold together.
CHOICE, COMPARISON, SUM, MINUS, PRODUCT, POWER, ATOM = range(7)

_raised = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_lowered = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
signs: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠", ast.Is: "is",
}  # fmt: skip
_opposites = {" < ": " ≥ ", " ≥ ": " < ", " > ": " ≤ ", " ≤ ": " > ", " = ": " ≠ ", " ≠ ": " = "}


class Unreadable(Exception):
    """A rule is written in a way that has no short formula."""


@dataclass(frozen=True, slots=True)
class Text:
    """A part of a formula, and how tightly it holds together."""

    text: str
    binds: int = ATOM

    def within(self, binds: int) -> str:
        """The text inside something that binds so tightly. A condition counts as 1 where it holds: [x > 0]."""
        if self.binds >= binds:
            return self.text
        return f"[{self.text}]" if self.binds == COMPARISON and binds > COMPARISON else f"({self.text})"


def subscript(n: int) -> str:
    """``n`` as an index.

    >>> "x" + subscript(12)
    'x₁₂'
    """
    return str(n).translate(_lowered)


def number(value: Any) -> Text:
    """A number with four digits."""
    if isinstance(value, float):
        shown = {float("inf"): "∞", float("-inf"): "−∞"}.get(value) or f"{value + 0.0:.4g}"
        return Text(shown.replace("-", "−", 1) if shown.startswith("-") else shown, ATOM if value >= 0 else MINUS)
    return Text(str(value).replace("-", "−"), MINUS if value < 0 else ATOM)


def key_in_words(key: Any) -> str:
    """What stands between the brackets of an index, if it is short.

    >>> key_in_words((slice(0, 2), 1)), key_in_words(slice(None, None, -1))
    ('0:2, 1', '::-1')
    """
    parts = [_index(part) for part in (key if isinstance(key, tuple) else (key,))]
    shown = ", ".join(parts)
    return shown if len(shown) <= 20 else "…"


def _index(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join([*ends, str(part.step)] if part.step is not None else ends)
    return str(part) if isinstance(part, (int, type(None))) else "…"


def power(base: Text, exponent: Text) -> Text:
    """base to the power exponent.

    >>> power(Text("x"), Text("2")).text, power(Text("x"), Text("y − 1", SUM)).text
    ('x²', 'x^(y − 1)')
    """
    if exponent.text == "1":
        return base
    if exponent.text.lstrip("−").isdigit():
        return Text(base.within(ATOM) + exponent.text.replace("−", "-").translate(_raised), POWER)
    return Text(f"{base.within(ATOM)}^{exponent.within(ATOM)}", POWER)


def product(operator: type[ast.operator], left: Text, right: Text) -> Text:
    """Two parts joined by an arithmetic operator, equal factors as a power.

    >>> product(ast.Mult, Text("out"), Text("out")).text
    'out²'
    """
    if operator is ast.Mult:
        if "0" in (left.text, right.text):
            return Text("0")
        if "1" in (left.text, right.text):
            return right if left.text == "1" else left
        if left.text == right.text and left.binds == ATOM:
            return power(left, Text("2"))
        factors = left.text.rsplit(" · ", 1)
        if left.binds == PRODUCT and right.binds >= POWER and factors[-1] == right.text:
            return Text(f"{factors[0]} · {power(right, Text('2')).text}", PRODUCT)
        if left.binds == POWER and left.text == right.text + "²":
            return power(right, Text("3"))
        if left.text == "−" + right.text and right.binds == ATOM:
            return Text("−" + power(right, Text("2")).text, MINUS)
        last = f"({right.text})" if right.text.startswith("−") else right.within(PRODUCT)
        return Text(f"{left.within(MINUS)} · {last}", PRODUCT)
    if operator is ast.Div:
        return left if right.text == "1" else Text(f"{left.within(MINUS)} / {right.within(POWER)}", PRODUCT)
    if operator is ast.MatMult:
        chained = left.binds == PRODUCT and " · " not in left.text and " / " not in left.text
        return Text(f"{left.text if chained else left.within(POWER)} @ {right.within(POWER)}", PRODUCT)
    if operator is ast.Add:
        return left if right.text == "0" else right if left.text == "0" else _joined(left, "+", right)
    if operator is ast.Sub:
        return Text(f"−{right.within(PRODUCT)}", MINUS) if left.text == "0" else _joined(left, "−", right)
    names = {ast.FloorDiv: "//", ast.Mod: "mod"}
    return Text(f"{left.within(POWER)} {names.get(operator, operator.__name__)} {right.within(POWER)}", PRODUCT)


def _joined(left: Text, sign: str, right: Text) -> Text:
    if sign == "−" and left.text == right.text:
        raise Unreadable  # the same array in two arrangements, as wⱼ − wᵢ
    last = right.within(SUM if sign == "+" and right.binds != MINUS else PRODUCT)
    return Text(f"{left.within(SUM)} {sign} {last}", SUM)


def call(name: str, arguments: Sequence[Text]) -> Text:
    """A function of its arguments."""
    return Text(f"{name}({', '.join(a.text for a in arguments)})")


def _opposite(condition: Text) -> Text:
    found = [sign for sign in _opposites if sign in condition.text]
    if condition.binds == COMPARISON and len(found) == 1 and not any(w in condition.text for w in (" and ", " or ")):
        return Text(condition.text.replace(found[0], _opposites[found[0]]), COMPARISON)
    return Text(f"not ({condition.text})", COMPARISON)


def _joint(word: str) -> Callable[..., Text]:
    return lambda a, k: Text(f" {word} ".join(part.within(COMPARISON) for part in a), COMPARISON)


def _where(a: Sequence[Text], _: Any) -> Text:
    condition, yes, no = a
    if yes.text == no.text:
        return yes
    return Text(f"{yes.within(SUM)} where {condition.text}, else {no.within(SUM)}", CHOICE)


def _sum(a: Sequence[Text], keywords: Mapping[str, Any]) -> Text:
    dims = keywords.get("axis")
    over = "" if dims is None else f", dim {dims if isinstance(dims, int) else ', '.join(map(str, dims))}"
    return Text(f"Σ({a[0].text}{over})")


def _same(a: Sequence[Text], _: Any) -> Text:
    return a[0]


def _named(name: str) -> Callable[..., Text]:
    return lambda a, k: call(name, a)


def _transposed(a: Sequence[Text], keywords: Mapping[str, Any]) -> Text:
    return Text(a[0].within(ATOM) + "ᵀ")


# What the names of the namespaces, of NumPy and of math read as. Each gets its arguments and what is known of them.
phrases: dict[str, Callable[[Sequence[Text], Mapping[str, Any]], Text]] = {
    "abs": lambda a, k: Text(f"|{a[0].text}|"),
    "Part": _same,
    "add_at": lambda a, k: Text(f"{a[0].within(ATOM)} at the entries taken, 0 elsewhere", CHOICE),
    "add_rows": lambda a, k: Text(f"{a[0].within(ATOM)} added to the rows looked up, 0 elsewhere", CHOICE),
    "as_tensor": _same, "asarray": _same, "astype": _same, "array": _same, "tensor": _same, "from_numpy": _same,
    "broadcast_to": lambda a, k: Text(f"{a[0].within(PRODUCT)}, repeated", CHOICE),
    "concatenate": lambda a, k: call("concatenate", a[:1]),
    "cumsum": lambda a, k: Text(f"{'reversed ' if k.get('at 2') else ''}cumsum({a[0].text})"),
    "index": lambda a, k: Text(f"{a[0].within(ATOM)}[…]"),
    "log": _named("ln"),
    "logical_and": _joint("and"),
    "logical_not": lambda a, k: _opposite(a[0]),
    "logical_or": _joint("or"),
    "matmul": lambda a, k: product(ast.MatMult, a[0], a[1]),
    "maximum": _named("max"),
    "minimum": _named("min"),
    "normal_cdf": _named("Φ"),
    "one_hot": lambda a, k: call("one_hot", a[:1]),
    "ones_like": lambda a, k: Text("1"),
    "repeat_to": lambda a, k: Text(f"{a[0].within(PRODUCT)}, for every entry", CHOICE),
    "set_at": lambda a, k: Text(f"{a[0].within(ATOM)} with {a[1].text} at the entries written", CHOICE),
    "sigmoid": _named("σ"),
    "sqrt": lambda a, k: Text("√" + a[0].within(ATOM), POWER),
    "sum": _sum,
    "swapaxes": _transposed,
    "transpose": lambda a, k: Text(f"{a[0].within(ATOM)}, dims permuted back", CHOICE),
    "where": _where,
    "winners": lambda a, k: Text("[written last]"),
    "zeros_like": lambda a, k: Text("0"),
}  # fmt: skip
