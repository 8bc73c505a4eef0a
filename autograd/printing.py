"""How Tensors show themselves: as text in a terminal, as a small table in a notebook."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes

if TYPE_CHECKING:
    from .tensor import Tensor


@dataclass
class Options:
    """How Tensors are written; ``set_printoptions`` changes it."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = Options()
_HTML_ROWS, _HTML_COLUMNS = 12, 12


def text(t: Tensor) -> str:
    """``tensor([…], dtype=…, grad_fn=<…>)``, with four digits, in PyTorch's manner."""
    array = t._array
    if not isinstance(array, (np.ndarray, np.generic)):
        return f"tensor({array}, {_origin(t)})"
    written = "tensor(" + values(np.asarray(array), len("tensor("))
    suffixes = [f"size={tuple(array.shape)}"] if array.size == 0 and array.ndim != 1 else []
    if array.dtype not in (dtypes.get_default_dtype(), np.dtype("int64"), np.dtype("bool")):
        suffixes.append(f"dtype={array.dtype}")
    if t.requires_grad:
        suffixes.append(_origin(t))
    column = len(written) - written.rfind("\n") + 1  # as PyTorch counts
    for suffix in suffixes:
        fits = column + len(suffix) + 2 <= options.linewidth
        written += f", {suffix}" if fits else f",\n       {suffix}"
        column = column + len(suffix) + 2 if fits else len("tensor(") + len(suffix)
    return written + ")"


def _origin(t: Tensor) -> str:
    return "requires_grad=True" if t._primitive is None else f"grad_fn=<{t._primitive.name}>"


def values(array: np.ndarray, indent: int = 0) -> str:
    """The entries of ``array``, aligned, with the middle left out of long ones."""
    form = formatter(array)
    if array.ndim == 0:
        return form(array[()]).strip()
    return "[]" if array.size == 0 else _nested(array, form, indent, array.size > options.threshold)


def _nested(array: np.ndarray, form: Any, indent: int, summarize: bool) -> str:
    short = summarize and array.shape[0] > 2 * options.edgeitems
    k = options.edgeitems
    ends = [array[:k], array[len(array) - k :]] if short else [array]
    if array.ndim > 1:
        parts = [[_nested(a, form, indent + 1, summarize) for a in end] for end in ends]
        gap = ",\n" + "\n" * (array.ndim - 2) + " " * (indent + 1)
        return "[" + gap.join([*parts[0], "...", *parts[1]] if short else parts[0]) + "]"
    entries = [[form(v) for v in end] for end in ends]
    line = entries[0] + [" ...", *entries[1]] if short else entries[0]
    n = max(1, (options.linewidth - indent) // (len(form(array[0])) + 2))
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line[i : i + n]) for i in range(0, len(line), n)) + "]"


def formatter(array: np.ndarray) -> Any:
    """A function that writes each entry of ``array`` in the same width and notation."""
    if array.dtype.kind != "f":
        plain = [str(v) for v in _shown(array)]
        width = max(map(len, plain), default=0)
        return lambda v: str(v).rjust(width)
    finite = np.abs([float(v) for v in _shown(array) if np.isfinite(v) and v != 0])
    whole = bool(np.all(finite == np.ceil(finite)))
    low, high = (finite.min(), finite.max()) if finite.size else (1.0, 1.0)
    wide = high / low > 1000 or high > 1e8 or (low < 1e-4 and not whole)
    if wide if options.sci_mode is None else options.sci_mode:
        write = f"{{:.{options.precision}e}}".format
    elif whole:
        write = "{:.0f}.".format
    else:
        write = f"{{:.{options.precision}f}}".format

    def one(v: Any) -> str:
        return write(v) if math.isfinite(v) else str(float(v))

    width = max((len(one(v)) for v in _shown(array) if np.isfinite(v) and v != 0), default=1)
    return lambda v: one(v).rjust(width)


def _shown(array: np.ndarray) -> Any:
    if array.size <= options.threshold:
        return array.reshape(-1)
    k = options.edgeitems
    edges = [np.r_[:k, n - k : n] if n > 2 * k else np.arange(n) for n in array.shape]
    return array[np.ix_(*edges)].reshape(-1)


def notebook(t: Tensor) -> str:
    """An HTML table of the entries (the corner of a large Tensor) under a line with shape, dtype and gradient."""
    array = t._array
    if not isinstance(array, (np.ndarray, np.generic)):
        return f"<code>{html.escape(text(t))}</code>"
    array = np.asarray(array)
    facts = [f"shape {tuple(array.shape)}", str(array.dtype)]
    if t.requires_grad:
        facts.append("requires grad" if t._primitive is None else f"from <b>{html.escape(t._primitive.name)}</b>")
    if t._grad is not None:
        gradient = np.asarray(t._grad._array)
        shown = values(gradient) if gradient.size <= 8 else f"|grad| ≤ {np.abs(gradient).max():.4g}"
        facts.append(f"grad {html.escape(shown)}")
    caption = f"<div style='font-size:smaller;opacity:.75'>Tensor · {' · '.join(facts)}</div>"
    if array.size == 0:
        return caption
    if array.ndim == 0:
        return f"{caption}<code>{html.escape(values(array))}</code>"
    if array.ndim > 2:
        return f"{caption}<pre>{html.escape(values(array))}</pre>"
    return caption + _table(array if array.ndim == 2 else array[None, :])


def _table(matrix: np.ndarray) -> str:
    form = formatter(matrix)
    rows, columns = (_kept(n, limit) for n, limit in zip(matrix.shape, (_HTML_ROWS, _HTML_COLUMNS), strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            "<td>⋯</td>"
            if r is None or c is None
            else f"<td style='text-align:right;font-family:monospace'>{html.escape(form(matrix[r, c]).strip())}</td>"
            for c in columns
        )
        + "</tr>"
        for r in rows
    )
    return f"<table>{body}</table>"


def _kept(n: int, limit: int) -> list[int | None]:
    if n <= limit:
        return list(range(n))
    half = limit // 2
    return [*range(half), None, *range(n - half, n)]
