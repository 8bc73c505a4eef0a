"""Formulas as MathML, made when the site is built: browsers lay it out themselves, so pages need no script for it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

# The name of a function is set apart from what it is applied to, where no parenthesis does that.
SPACED = re.compile(r"(<mi>(?:ln|log|exp|sin|cos|tan|tanh|sinh|cosh|det|max|min|arg)</mi>)(?=<m(?!o\b))")
log = logging.getLogger(__name__)


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    try:
        return SPACED.sub(r"\1<mspace width='0.17em'/>", convert(node.astext(), display=display))
    except Exception as error:  # whatever it stumbles over, the author is to be told where
        log.warning("this formula cannot be read (%s): %s", type(error).__name__, node.astext(), location=node)
        return ""


def inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    writer.body.append(f'<div class="math">{mathml(node, "block")}{number}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
