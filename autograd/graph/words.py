"""Numbers, sizes and names as pictures write them."""

from __future__ import annotations

import re
from typing import Any

from .trace import Amount

# The one name that renderers know the widths of; a list of fonts would be measured as another font.
FONT = "DejaVu Sans"

# Arguments such as an index may be large; their beginning is enough to tell ops apart.
_ARGUMENT_WIDTH = 28

_escapes = str.maketrans(
    {"\\": r"\\", '"': r"\"", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": r"\\n", "\r": r"\\r", "\t": r"\\t"}
)
_record_escapes = _escapes | {ord(character): "\\" + character for character in "{}|<>"}


def in_parentheses(term: str) -> str:
    """``term`` as it stands behind a sign of the sum or the product."""
    return f"({term})" if term.startswith("-") else term


def shortened(argument: str) -> str:
    """The beginning of a long argument."""
    return argument if len(argument) <= _ARGUMENT_WIDTH else argument[: _ARGUMENT_WIDTH - 1] + "…"


def escaped(name: str) -> str:
    """``name`` as it stands inside a record label, where every character of it then shows.

    >>> print(escaped('a|b "c"'))
    a\\|b \\"c\\"
    """
    # Records drop spaces at the ends and draw several as one, unless they are escaped.
    return re.sub(r"^ | $|(?<= ) ", r"\\ ", _shown(name).translate(_record_escapes))


def escaped_text(line: str) -> str:
    """``line`` as it stands in a label that is no record."""
    return _shown(line).translate(_escapes)


def _shown(name: str) -> str:
    """``name`` without the characters that no file may hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", str(name))


def bytes_text(n: float) -> str:
    """A size in memory.

    >>> bytes_text(123), bytes_text(45_600)
    ('123 B', '45.6 kB')
    """
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.4g} {unit}"
        n /= 1000
    return f"{n:.4g} GB"


def seconds_text(seconds: float) -> str:
    """A duration.

    >>> seconds_text(2.5e-5), seconds_text(0.25)
    ('25 µs', '250 ms')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def text(amount: Amount) -> str:
    """The entries of a small array with four digits."""
    assert amount.entries is not None
    return _nested(amount.entries.tolist())


def _nested(entries: Any) -> str:
    return f"[{', '.join(map(_nested, entries))}]" if isinstance(entries, list) else number(entries)


def number(value: Any) -> str:
    """A number with four digits, and 0 without a sign.

    >>> number(2.0), number(-0.0), number(1 / 3), number(True)
    ('2', '0', '0.3333', 'True')
    """
    if isinstance(value, int):
        return str(value)
    return f"{value + 0.0:.4g}"
