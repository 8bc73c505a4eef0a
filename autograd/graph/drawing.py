"""``draw`` and what it returns: a picture that shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import base64
import importlib.util
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, describe
from ..node import Node
from . import render
from .clusters import Group, Rule, arranged
from .dot import dot, numbers_inside
from .hiding import without
from .levels import levels
from .look import COLORS, Look
from .names import named, scope
from .page import in_notebook, page
from .record import recorded
from .themes import THEMES
from .trace import Graph, starting_gradients, trace

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Drawing", "draw"]

# A notebook keeps what it shows: above this many nodes the bitmap would be many megabytes.
_PNG_NODES = 500
# Characters of SVG up to which a notebook gets the picture a second time, for viewers that show no frames.
_STILL = 1_000_000
# Above this many vertices a box for each Python number would make layout take time with the square of their count.
_MANY = 1000


class Drawing:
    """A picture of a graph, made by ``draw``. It is plain text and numbers, and keeps no Tensor alive.

    ``source`` is its DOT text, ``graph`` the records that it was written from, ``note`` says what was closed unasked
    because there is too much of it.

    >>> from autograd import tensor, draw
    >>> x = tensor(3.0, requires_grad=True)
    >>> draw(x * x)
    <Drawing: 2 nodes, 2 edges>
    """

    _root: Group | None = None  # None where the picture is no nest of boxes

    def __init__(self, graph: Graph, root: Group, look: Look, direction: str, note: str = "") -> None:
        self.graph, self.note = graph, note
        self._root, self._look, self._direction = root, look, direction
        drawn = graph
        if root.shown() > _MANY and not any(root.groups()):
            drawn = numbers_inside(graph)
            self._root = Group("", "", "", list(drawn.vertices))
        self._drawn = drawn
        self.source = dot(drawn, direction, look, self._root, note)
        self._svg: str | None = None

    def __repr__(self) -> str:
        counts = f"{len(self.graph.vertices)} nodes, {len(self.graph.edges)} edges"
        return f"<Drawing: {counts}>" if not self.note else f"<Drawing: {counts}; {self.note}>"

    def svg(self) -> str:
        """The picture as one ``<svg>`` element, which is also what a ``.svg`` file holds.

        Raises:
            ImportError: nothing that lays graphs out is installed; the error says what to install.

        >>> from autograd import tensor, draw
        >>> draw(tensor(3.0, requires_grad=True) ** 2).svg().startswith("<svg")
        True
        """
        if self._svg is None:
            self._svg = render.svg(self.source)
        return self._svg

    def html(self, title: str = "graph") -> str:
        """The picture as one HTML page that needs nothing else: to move about in, to search, to open and close modules.

        Arguments:
            title: what the window is called.

        >>> from autograd import tensor, draw
        >>> draw(tensor(3.0, requires_grad=True) ** 2).html().startswith("<!DOCTYPE html>")
        True
        """
        if self._root is None:
            return page({"svg": self.svg()}, title)
        return page(levels(self._drawn, self._root, self._look, self._direction, self.note), title)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Writes the picture to a file, whole or not at all, in the format that the ending names.

        Arguments:
            path: ends in ``.svg``, ``.pdf``, ``.png``, ``.html`` (one page, with panning and zooming) or ``.dot``.

        Returns the path.

        Raises:
            ValueError: the ending is none of these.
            ImportError: the format needs something that is not installed; the error says what.
            GraphError: the drawing is too large for the format.

        >>> import os, tempfile
        >>> from autograd import tensor, draw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = draw(tensor(3.0, requires_grad=True) ** 2).save(os.path.join(folder, "square.html"))
        ...     os.path.basename(path)
        'square.html'
        """
        path = os.fspath(path)
        forms: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: self.svg().encode(),
            ".pdf": lambda: render.pdf(self.source),
            ".png": lambda: render.png(self.svg()),
            ".dot": lambda: self.source.encode(),
            ".html": lambda: self.html(os.path.basename(path)).encode(),
        }
        ending = os.path.splitext(path)[1].lower()
        if ending not in forms:
            raise ValueError(
                f"save: the ending of {os.path.basename(path)!r} says which format to write; "
                f"there are {', '.join(forms)}"
            )
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"save: there is no folder {folder}; make it first: os.makedirs({folder!r})")
        _write_whole(path, forms[ending]())
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a notebook shows: the page, SVG and PNG for viewers that run no scripts; and the PNG's size."""
        svg = self.svg()
        frame = in_notebook(self.html(), still=svg if len(svg) < _STILL else "")
        bundle = {"text/plain": repr(self), "image/svg+xml": svg, "text/html": frame}
        has_png = importlib.util.find_spec("resvg_py") is not None and render.font_file() is not None
        if has_png and (len(self.graph.vertices) if self._root is None else self._root.shown()) < _PNG_NODES:
            bundle["image/png"] = base64.b64encode(render.png(svg)).decode()
            # It has more pixels than this, for screens that show them.
            width, height = (round(pixels) for pixels in render.size(svg))
            return bundle, {"image/png": {"width": width, "height": height}}
        return bundle, {}


def _write_whole(path: str, data: bytes) -> None:
    """Writes beside ``path`` first, so that a reader, or a crash, never meets half a file."""
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{uuid.uuid4().hex}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def draw(
    tensors: Tensor | Sequence[Tensor] | Callable[[], Any],
    *,
    names: Mapping[str, Any] | None = None,
    gradient: Any = None,
    gradients: bool = True,
    constants: bool = True,
    parameters: bool = True,
    intermediates: bool = True,
    depth: int | None = None,
    collapse: Rule | Sequence[Rule] = (),
    expand: Rule | Sequence[Rule] = (),
    fold: bool = True,
    limit: int | None = 100,
    direction: str = "LR",
    theme: str = "light",
    color: str | None = None,
) -> Drawing:
    """A picture of everything that ``tensors`` were computed from, with values and gradients.

    Each edge shows upstream × local = downstream gradient where that holds entry by entry, and otherwise the shape
    and norm of the downstream gradient. They come from a backward pass of the picture's own, which keeps the graph
    and leaves every ``.grad`` as it is (hooks run as in any pass). Without ``gradient`` there is one where
    ``tensors`` are scalars that require grad.

    Given a function, or Tensors that were computed inside ``record()``, it knows more: operations stand in the modules
    that called them, under their names, and pointing at one shows its source line.

    Arguments:
        tensors: the result to draw, or several, or a function that returns them and is run under ``record()``.
        names: what to call Tensors: ``{"w": w}``, also with modules and with lists and dicts of Tensors. Other names
            are those of the caller's variables and of the parameters of modules among them.
        gradient: the upstream gradient to start from, of the result's shape; a list of them for several results.
        gradients: whether to have gradients in the picture.
        constants: whether to draw inputs that get no gradient: numbers, data.
        parameters: whether to draw leaves that get a gradient.
        intermediates: whether to draw operations whose results have no name.
        depth: modules as deep as this are closed, drawn as one box each; the outermost are at depth 0.
        collapse: which modules to close besides: a pattern for the dotted name (``"*.blocks.*"``) or the class name
            (``"Linear"``), or a function of both that returns True for those to close; or a list of these.
        expand: which to open whatever else says, likewise.
        fold: whether equal closed modules that follow one another become one box, ×N.
        limit: how many boxes are too many: above it, inner modules are closed unasked, then repeated operations folded,
            then operations put together by stretches, until a third as many are left, and the picture says so. None
            draws all.
        direction: ``"LR"`` from left to right, ``"TB"`` from top to bottom.
        theme: ``"light"``, ``"dark"``, ``"print"`` (no colours) or ``"colour-blind"``.
        color: colours the boxes by ``"gradient"`` (root mean square of its entries), ``"memory"`` (bytes of values and
            of what the backward pass needs besides) or ``"time"`` (of the forward pass), in orders of magnitude.

    Returns a ``Drawing``.

    Raises:
        DTypeError: something else than Tensors came.
        GraphError: the graph was freed by ``backward()``; or there is nothing recorded of what ``color`` asks for.

    >>> from autograd import tensor, draw, maximum
    >>> x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    >>> picture = draw((x + y) * maximum(y, z))
    >>> print(*[line for line in picture.source.splitlines() if "×" in line and "->" in line], sep="\\n")
      n0 -> n2 [label=" 2 × 1 = 2 "]
      n1 -> n2 [label=" 2 × 1 = 2 "]
      n1 -> n4 [label=" 3 × 1 = 3 "]
      n3 -> n4 [label=" 3 × 0 = 0 "]
      n2 -> n5 [label=" 1 × 2 = 2 "]
      n4 -> n5 [label=" 1 × 3 = 3 "]
    """
    if callable(tensors) and not isinstance(tensors, Node):
        tensors = recorded(tensors)
    several = isinstance(tensors, (list, tuple))
    if not (isinstance(tensors, Node) or (several and tensors)):
        raise DTypeError(
            f"draw: wants a Tensor or a list of Tensors, got {describe(tensors)}; draw the result of a computation "
            "whose inputs have requires_grad=True"
        )
    roots: list[Any] = [tensors] if isinstance(tensors, Node) else list(tensors)  # type: ignore[arg-type]
    for i, root in enumerate(roots):
        if not isinstance(root, Node):
            raise DTypeError(f"draw: wants Tensors, but tensors[{i}] is {describe(root)}")
    if direction not in ("LR", "TB"):
        raise ValueError(f"draw: direction is 'LR' (left to right) or 'TB' (top to bottom), got {direction!r}")
    for name, value, choices in (("theme", theme, THEMES), ("color", color, COLORS)):
        if value not in choices and not (name == "color" and value is None):
            raise ValueError(f"draw: {name} is one of {', '.join(map(repr, choices))}, got {value!r}")
    for name, number in (("depth", depth), ("limit", limit)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise ValueError(f"draw: {name} is a number of at least 0, or None, got {number!r}")
    rules = {name: _rules(name, given) for name, given in (("collapse", collapse), ("expand", expand))}
    given = gradient if gradient is None or several else [gradient]
    starts = starting_gradients(roots, given) if gradients else None
    graph = trace(roots, names=named(names, scope()), gradients=starts, constants=constants)
    graph = without(graph, parameters=parameters, intermediates=intermediates)
    arranged_root, note = arranged(graph, depth=depth, fold=fold, limit=limit, **rules)
    look = Look(THEMES[theme], color, graph, arranged_root)
    return Drawing(graph, arranged_root, look, direction, note)


def _rules(name: str, given: Any) -> list[Rule]:
    rules = [given] if isinstance(given, str) or callable(given) else list(given)
    for rule in rules:
        if not isinstance(rule, str) and not callable(rule):
            raise ValueError(f"draw: {name} wants patterns such as '*.blocks.*' or functions, got {describe(rule)}")
    return rules
