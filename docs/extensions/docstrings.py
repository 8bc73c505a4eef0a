"""Docstrings and signatures as reStructuredText.

The docstrings are plain text in the manner of this project: paragraphs with Unicode formulas and ``code``, sections
that end in a colon (Arguments, Raises, Shapes, Source), and doctests.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from public_names import NAMESPACES, PACKAGES, Entry


def default(value: Any) -> str:
    """A default as it is written in a call; … for what has no such form."""
    if isinstance(value, np.dtype):
        return str(value)
    if callable(value):
        return getattr(value, "__name__", "...")
    text = repr(value)
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return "..."
    return text


def signature(value: Any, method: bool = False) -> str:
    """``(x, y=1, *, z=2)``, without annotations."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "()"
    parameters = list(found.parameters.values())
    if method and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        parameters = parameters[1:]
    parts, star, slash = [], False, False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or p.kind is p.VAR_POSITIONAL
        if slash and p.kind is not p.POSITIONAL_ONLY:
            parts.append("/")
        slash = p.kind is p.POSITIONAL_ONLY
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        parts.append(mark + p.name + (f"={default(p.default)}" if p.default is not p.empty else ""))
    if slash:
        parts.append("/")
    return f"({', '.join(parts)})"


class Writer:
    """Docstrings as reStructuredText, with their ``code`` linked where it is a public name."""

    def __init__(self, found: Iterable[Entry]) -> None:
        self.targets = {name for e in found for name in e.names}
        self.targets |= {name for e in found for m in e.members for name in m.names}

    def target(self, code: str, scope: tuple[str, ...], arguments: frozenset[str]) -> str:
        """The public name that ``code`` means where it stands in the docs of something in ``scope``; "" for none."""
        bare = re.sub(r"\(.*\)$", "", code)
        if not re.fullmatch(r"[A-Za-z_][\w.]*", bare) or bare.split(".")[0] in arguments:
            return ""
        if bare in self.targets:
            return bare
        clear = "." in bare or bare[0].isupper() or code != bare
        for place in scope:
            if f"{place}.{bare}" in self.targets and (clear or place in scope[:1]):
                return f"{place}.{bare}"
        return ""

    def inline(self, text: str, scope: tuple[str, ...] = (), arguments: frozenset[str] = frozenset()) -> str:
        """One paragraph on one line: plain text escaped, ``code`` as a literal or as a link."""
        parts = re.split(r"(``.+?``|`[^`\n]+`)", " ".join(text.split()))
        out = ""
        for part in parts:
            if not part.startswith("`"):
                plain = re.sub(r"([\\*`|_<>])", r"\\\1", part)
                if out and plain and (plain[0].isalnum() or plain[0] == "\\"):
                    plain = "\\ " + plain
                out += plain
                continue
            code = part.strip("`")
            found = self.target(code, scope, arguments)
            if out and not out[-1].isspace() and out[-1] not in "([{\"'-/:":
                out += "\\ "
            safe = code.replace("\\", "\\\\")
            out += f":py:obj:`{safe} <{found}>`" if found else f":code:`{safe}`" if "\\" in code else f"``{code}``"
        # What looks like the number of a list's item is not one.
        return re.sub(r"^(\(?[A-Za-z0-9#]+[.)]|[-+•])(\s)", r"\\\1\2", out)

    def body(self, text: str, scope: tuple[str, ...], arguments: frozenset[str]) -> list[str]:
        """A docstring as lines."""
        lines: list[str] = []
        for block in blocks(text):
            first = block[0]
            head, colon, rest = first.partition(":")
            if first.lstrip().startswith(">>>"):
                lines += [".. code-block:: pycon", "", *(f"   {line}" for line in block), ""]
            elif first.startswith(" "):
                lines += [".. code-block:: none", "", *(f"   {line}" for line in block), ""]
            elif colon and not rest.strip() and len(block) > 1 and block[1].startswith(" "):
                lines += self.section(head, block[1:], scope, arguments)
            elif head in ("Source", "Shapes", "Raises") and rest:
                paragraph = self.inline(" ".join([rest, *block[1:]]), scope, arguments)
                lines += [f".. rst-class:: {head.lower()}", "", f"**{head}:** {paragraph}", ""]
            else:
                lines += [self.inline(" ".join(block), scope, arguments), ""]
        return lines

    def section(self, head: str, block: list[str], scope: tuple[str, ...], arguments: frozenset[str]) -> list[str]:
        """``Arguments:`` and its like: a heading, and a list of what it names."""
        margin = min(len(line) - len(line.lstrip()) for line in block if line.strip())
        block = [line[margin:] for line in block]
        lines = [f".. rubric:: {head}", "   :class: section", ""]
        if head == "Raises":
            text = " ".join(" ".join(block).split())
            kinds = r"((?:[A-Z]\w*(?:Error|Warning|Interrupt|Exception)(?:, | or |/)?)+): "
            parts = re.split(rf"(?:^|(?<=[.;] )){kinds}", text)
            items = list(zip(parts[1::2], parts[2::2], strict=True))
            if not items:
                return [*lines, self.inline(text, scope, arguments), ""]
            for kind, reason in items:
                names = [self.inline(f"``{k}``", scope, frozenset()) for k in re.findall(r"\w+(?:Error|\w)", kind)]
                lines += [", ".join(names), f"   {self.inline(reason, scope, arguments)}", ""]
            return lines
        items = []
        for line in block:
            match = re.match(r"(\*{0,2}[\w.]+(?:(?:, | and | or )\*{0,2}[\w.…]+)*): (.*)", line)
            if match and not line.startswith(" "):
                items.append((match[1], [match[2]]))
            elif items:
                items[-1][1].append(line)
            else:
                return [*lines, self.inline(" ".join(block), scope, arguments), ""]
        for names, text in items:
            term = re.sub(r"(\*{0,2}[\w.]+)", lambda m: m[0] if m[0] in ("and", "or") else f"``{m[0]}``", names)
            lines += [term, f"   {self.inline(' '.join(text), scope, arguments)}", ""]
        return lines

    def entry(self, e: Entry, inside: str = "") -> list[str]:
        """An object with its signature, its docs and its members."""
        value, method = e.value, bool(inside)
        static = isinstance(value, staticmethod | classmethod)
        inner = value.__func__ if static else value
        scope = self.scope(e, inside)
        doc = inspect.getdoc(inner) or ""
        options = []
        if isinstance(value, property):
            kind, form = "property", ""
        elif inspect.isclass(value):
            kind, form = "class", signature(value)
            if issubclass(value, BaseException):
                kind, form = "exception", ""
        elif callable(value) or static:
            kind = "method" if method else "function"
            form = signature(inner, method=method and not isinstance(value, staticmethod))
            if static:
                options = [f"   :{type(value).__name__}:"]
        else:
            kind, form = "data", ""
            if isinstance(value, bool | float | int | str | np.dtype | None):
                options = [f"   :value: {value}"]
            doc = "" if not type(value).__module__.startswith(PACKAGES) else f"A ``{type(value).__name__}``."
        own = value if inspect.isclass(value) or callable(value) else None
        if own is not None and getattr(own, "__module__", "autograd").split(".")[0] not in PACKAGES:
            kind, form, options = "data", "", []
            doc = f"``{own.__module__}.{own.__qualname__}``".replace("builtins.", "Python's ")
        names = [n.rpartition(".")[2] if inside else n for n in e.names]
        start = f".. py:{kind}:: "
        lines = [start + f"{names[0]}{form}", *(" " * len(start) + f"{n}{form}" for n in names[1:]), *options, ""]
        if inside == "autograd.Tensor" and re.match(r"\(\*\w+, \*\*\w+\)", form):
            form, doc, same_as = self.method(e, doc)
            lines = [start + f"{names[0]}{form}", *(" " * len(start) + f"{n}{form}" for n in names[1:]), *options, ""]
        else:
            same_as = e.same_as
        arguments = frozenset(re.findall(r"[A-Za-z_]\w*", form))
        if same_as:
            summary = " ".join(doc.split("\n\n")[0].split())
            linked = self.inline(summary, scope, arguments)
            lead = "The same as" if linked and not linked.startswith("In place") else "See"
            body = [f"{linked} {lead} :py:obj:`{same_as}`.".strip(), ""]
        else:
            body = self.body(doc, scope, arguments)
        if kind in ("class", "exception") and not same_as:
            bases = [n for b in value.__mro__[1:] for n in [self.named(b)] if n][:1]
            if bases:
                body = [".. rst-class:: base", "", f"**Base:** :py:obj:`{bases[0]}`", "", *body]
        out = lines + ["   " + line if line else "" for line in body]
        for member in e.members:
            out += ["   " + line if line else "" for line in self.entry(member, e.name)]
        return out

    def method(self, e: Entry, doc: str) -> tuple[str, str, str]:
        """A method of Tensors that hands all on to the operation of its name: that one's signature, docs and name."""
        form = signature(e.value)
        for name in (n.rpartition(".")[2] for n in e.names):
            function = getattr(importlib.import_module("autograd"), name.rstrip("_"), None)
            if callable(function) and f"autograd.{name.rstrip('_')}" in self.targets:
                summary = " ".join(doc.split("\n\n")[0].split())
                return signature(function, method=True), summary, f"autograd.{name.rstrip('_')}"
        return form, doc, ""

    def named(self, cls: type) -> str:
        """The public name of a class of this project, or ""."""
        for space in NAMESPACES:
            if cls.__module__.split(".")[0] not in PACKAGES or cls.__name__.startswith("_"):
                return ""
            if getattr(importlib.import_module(space), cls.__name__, None) is cls:
                return f"{space}.{cls.__name__}"
        return ""

    def scope(self, e: Entry, inside: str = "") -> tuple[str, ...]:
        """Where a name in the docs of ``e`` is looked for, the nearest place first."""
        space = (inside or e.name).rpartition(".")[0]
        package = space.split(".")[0]
        own = [inside] if inside else [e.name] if inspect.isclass(e.value) else []
        near = [space, *own] if not inside else [inside, space]
        order = {"autograd": ("autograd", "autograd.Tensor", "nn", "optim"), "nn": ("nn", "nn.training", "nn.data",
                 "autograd", "optim"), "optim": ("optim", "optim.lr_scheduler", "nn", "autograd")}  # fmt: skip
        graph = ("autograd.graph.drawing", "autograd.graph.player", "autograd.graph.expand", "autograd.graph.explain",
                 "autograd.graph.verify", "nn.model_health.report", "nn.model_summary")  # fmt: skip
        return tuple(dict.fromkeys([*near, *order[package], *graph]))


def blocks(text: str) -> Iterator[list[str]]:
    """The blocks of a docstring: paragraphs, sections with their indented lines, doctests."""
    current: list[str] = []
    lines = textwrap.dedent(text).strip("\n").splitlines()
    for i, line in enumerate(lines):
        begins = current and line.lstrip().startswith(">>>") and not current[0].lstrip().startswith(">>>")
        if begins and not (current[0].endswith(":") and line.startswith(" ")):
            yield current
            current = []
        if line.strip():
            current.append(line)
            continue
        # A section goes on behind an empty line while its lines are indented.
        later = next((n for n in lines[i + 1 :] if n.strip()), "")
        goes_on = current and current[0].endswith(":") and not current[0].startswith(" ") and later.startswith("    ")
        if current and not goes_on:
            yield current
            current = []
    if current:
        yield current
