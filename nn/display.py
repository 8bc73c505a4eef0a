"""What reports of models are shown with: tables as text and HTML, and Matplotlib's pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["as_image", "html_table", "pyplot", "text_table"]


def text_table(lines: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """The lines of a table, the first its head, in columns that are wide enough; those of ``left`` are not right-bound.

    >>> print(*text_table([["layer", "mean"], ["0", "-0.5"]]), sep="\\n")
    layer  mean
    0      -0.5
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def html_table(lines: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """The same table in HTML; spaces that a cell begins with become an indent."""
    head, *body = lines
    top = "".join(_cell("th", i in left, cell) for i, cell in enumerate(head))
    rows = "".join(f"<tr>{''.join(_cell('td', i in left, c) for i, c in enumerate(line))}</tr>" for line in body)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(tag: str, left: bool, text: str) -> str:
    indent = len(text) - len(text.lstrip())
    style = f"text-align: {'left' if left else 'right'}" + (f"; padding-left: {indent}em" if indent else "")
    return f'<{tag} style="{style}">{html.escape(text.strip())}</{tag}>'


def pyplot() -> Any:
    """Matplotlib's pyplot, or an error that says how to get it."""
    try:
        import matplotlib.pyplot
    except ImportError:
        raise ImportError("plot: curves and pictures need Matplotlib: pip install matplotlib") from None
    return matplotlib.pyplot


def as_image(figure: Any, description: str) -> str:
    """A figure as an HTML image that holds its own pixels; the figure is closed."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    pyplot().close(figure)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="{html.escape(description, quote=True)}" src="data:image/png;base64,{data}">'
