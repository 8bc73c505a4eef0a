"""Writing a profile to files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import Report

__all__ = ["save"]


def save(report: Report, path: str | os.PathLike[str]) -> str:
    """Writes ``report`` in the format that the ending of ``path`` names; see ``Report.save``."""
    from ..graph.drawing import _write_whole
    from ..graph.render import png

    path = os.fspath(path)
    forms: dict[str, Callable[[], bytes]] = {
        ".json": lambda: json.dumps(report.trace(), separators=(",", ":")).encode(),
        ".html": lambda: report.html(os.path.basename(path)).encode(),
        ".svg": lambda: report.svg().encode(),
        ".png": lambda: png(report.svg()),
        ".txt": lambda: report.text().encode(),
    }
    ending = os.path.splitext(path)[1].lower()
    if ending not in forms:
        raise ValueError(
            f"save: the ending of {os.path.basename(path)!r} says which format to write; there are {', '.join(forms)}"
        )
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder {folder}; make it first: os.makedirs({folder!r})")
    _write_whole(path, forms[ending]())
    return path
