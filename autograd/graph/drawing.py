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
from .dot import dot
from .names import named, scope
from .page import page
from .trace import Graph, starting_gradients, trace

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Drawing", "draw"]

# A notebook keeps what it shows: above this many nodes the bitmap would be many megabytes.
_PNG_NODES = 500


class Drawing:
    """A picture of a graph, made by ``draw``. It is plain text and numbers, and keeps no Tensor alive.

    ``source`` is its DOT text, ``graph`` the records that it was written from.

    >>> from autograd import tensor, draw
    >>> x = tensor(3.0, requires_grad=True)
    >>> draw(x * x)
    <Drawing: 2 nodes, 2 edges>
    """

    def __init__(self, graph: Graph, direction: str) -> None:
        self.graph = graph
        self.source = dot(graph, direction)
        self._svg: str | None = None

    def __repr__(self) -> str:
        return f"<Drawing: {len(self.graph.vertices)} nodes, {len(self.graph.edges)} edges>"

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
            ".html": lambda: page(self.svg(), os.path.basename(path)).encode(),
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

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: SVG, and PNG for viewers that take no SVG."""
        bundle = {"text/plain": repr(self), "image/svg+xml": self.svg()}
        has_png = importlib.util.find_spec("resvg_py") is not None and render.font_file() is not None
        if has_png and len(self.graph.vertices) < _PNG_NODES:
            bundle["image/png"] = base64.b64encode(render.png(self.svg())).decode()
        return bundle


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
    tensors: Tensor | Sequence[Tensor],
    *,
    names: Mapping[str, Any] | None = None,
    gradient: Any = None,
    gradients: bool = True,
    constants: bool = True,
    direction: str = "LR",
) -> Drawing:
    """A picture of everything that ``tensors`` were computed from, with values and gradients.

    Each edge shows upstream × local = downstream gradient where that holds entry by entry, and otherwise the shape
    and norm of the downstream gradient. They come from a backward pass of the picture's own, which keeps the graph
    and leaves every ``.grad`` as it is (hooks run as in any pass). Without ``gradient`` there is one where
    ``tensors`` are scalars that require grad.

    Arguments:
        tensors: the result to draw, or several.
        names: what to call Tensors: ``{"w": w}``, also with modules and with lists and dicts of Tensors. Other names
            are those of the caller's variables and of the parameters of modules among them.
        gradient: the upstream gradient to start from, of the result's shape; a list of them for several results.
        gradients: whether to have gradients in the picture.
        constants: whether to draw inputs that get no gradient: numbers, data.
        direction: ``"LR"`` from left to right, ``"TB"`` from top to bottom.

    Returns a ``Drawing``.

    Raises:
        DTypeError: something else than Tensors came.
        GraphError: the graph was freed by ``backward()``.

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
    several = isinstance(tensors, (list, tuple))
    if not (isinstance(tensors, Node) or (several and tensors)):
        raise DTypeError(
            f"draw: wants a Tensor or a list of Tensors, got {describe(tensors)}; draw the result of a computation "
            "whose inputs have requires_grad=True"
        )
    roots: list[Any] = [tensors] if isinstance(tensors, Node) else list(tensors)
    for i, root in enumerate(roots):
        if not isinstance(root, Node):
            raise DTypeError(f"draw: wants Tensors, but tensors[{i}] is {describe(root)}")
    if direction not in ("LR", "TB"):
        raise ValueError(f"draw: direction is 'LR' (left to right) or 'TB' (top to bottom), got {direction!r}")
    given = gradient if gradient is None or several else [gradient]
    starts = starting_gradients(roots, given) if gradients else None
    graph = trace(roots, names=named(names, scope()), gradients=starts, constants=constants)
    return Drawing(graph, direction)
