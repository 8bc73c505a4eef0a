"""A drawing as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

from .page_template import PAGE, SCRIPT, STYLE

__all__ = ["in_notebook", "page"]


def page(content: dict[str, Any], title: str) -> str:
    """The HTML page that shows ``content``: what ``levels`` gives, or ``{"svg": ...}`` with an ``<svg>`` element."""
    # In the page's data no name can end the script, and in its title none can begin one.
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return PAGE.format(title=html.escape(title), style=STYLE, data=data, script=SCRIPT)


def in_notebook(whole: str, height: int = 480, still: str = "") -> str:
    """A page as an output cell holds it: in a frame of its own, where neither changes the other.

    Arguments:
        whole: the page.
        height: of the frame, in pixels.
        still: an ``<svg>`` element for viewers that take frames and styles away, as they do with notebooks of others.
    """
    frame = (
        f'<iframe srcdoc="{html.escape(whole)}" width="100%" height="{height}" '
        'style="border: 1px solid #8884; border-radius: 6px" allowfullscreen></iframe>'
    )
    if not still:
        return frame
    image = base64.b64encode(still.encode()).decode()
    hidden = "<style>.glassgrad-still { display: none }</style>"
    return f'{frame}{hidden}<img class="glassgrad-still" src="data:image/svg+xml;base64,{image}">'
