"""``step_through`` and what it returns: the steps as records, as text, and as a page that plays them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, overload

from ..errors import DTypeError, GraphError, describe, location
from ..node import Node
from .names import named, scope

if TYPE_CHECKING:
    from ..tensor import Tensor
    from .steps import Step, Stepped
    from .trace import Amount

# What makes steps and pages is imported where it is used: `import autograd` is not to pay for it.

__all__ = ["Player", "step_through"]

# A page keeps everything that it shows; above this many steps it would be slow to lay out and to scroll.
_PAGE_STEPS = 400
_FRAME_HEIGHT = 620


class Player(Sequence["Step"]):
    """One forward and one backward pass, made by ``step_through``: a sequence of ``Step`` records that plays itself.

    It holds numbers and text only, and keeps no Tensor alive. ``graph`` are the records of the drawing.

    >>> from autograd import tensor, step_through
    >>> x = tensor(3.0, requires_grad=True)
    >>> steps = step_through(x * x)
    >>> steps
    <Player: 1 forward and 3 backward steps>
    >>> [step.product for step in steps if step.phase == "backward"], steps[-1].branch
    (['1', '1 × 3 = 3', '1 × 3 = 3'], 'this is use 2 of 2 of x: 3 + 3 = 6')
    """

    def __init__(self, graph: Stepped) -> None:
        from .steps import labels

        self.graph = graph
        self._steps = tuple(graph.steps)
        self._names = labels(graph)

    def __repr__(self) -> str:
        forward = sum(step.phase == "forward" for step in self._steps)
        return f"<Player: {forward} forward and {len(self._steps) - forward} backward steps>"

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        return self._steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    @property
    def gradients(self) -> dict[str, Amount]:
        """The gradient of each variable at the end, by its name."""
        found = {self._names[v.id]: v.gradient for v in self.graph.vertices if v.kind == "variable"}
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def text(self) -> str:
        """All steps in words, one paragraph each, and the gradients that they lead to."""
        from .steps import shown

        lines: list[str] = []
        phase = ""
        width = len(str(len(self._steps)))
        for step in self._steps:
            if step.phase != phase:
                phase = step.phase
                lines += [*[""] * bool(lines), phase]
            indent = " " * (width + 4)
            first, *rest = (line for part in _paragraph(step) for line in part.split("\n"))
            lines.append(f"  {step.number:>{width}}  {first}")
            lines += [indent + line for line in rest]
        sums = {step.target: step for step in self._steps if step.target is not None}
        lines += ["", "gradients"]
        for vertex in self.graph.vertices:
            if vertex.kind == "variable" and vertex.id in sums:
                step = sums[vertex.id]
                left = step.formula.split(" = ", 1)[0]
                hooked = shown(vertex.gradient) != shown(step.total)
                after = f", and {shown(vertex.gradient)} after its hooks" if hooked else ""
                lines.append(f"  {left} = {_terms(self._steps, step)}{after}")
        return "\n".join(lines) + "\n"

    def print(self, file: TextIO | None = None) -> None:
        """Writes all steps as text.

        Arguments:
            file: where to; the terminal by default.

        >>> from autograd import tensor, step_through
        >>> x = tensor(3.0, requires_grad=True)
        >>> y = x.tanh()
        >>> step_through(y).print()
        forward
          1  y = tanh(x)
             x = 3 → 0.9951
        <BLANKLINE>
        backward
          2  ∂y/∂y = 1
             the backward pass starts at y, with the gradient of y with respect to itself
          3  ∂y/∂x = g · (1 − y²)
             upstream × local = downstream: 1 × 0.009866 = 0.009866
             it saturates: where the result is near its ends, the local gradient is near 0
        <BLANKLINE>
        gradients
          ∂y/∂x = 0.009866
        """
        (sys.stdout if file is None else file).write(self.text())

    def html(self, limit: int = _PAGE_STEPS, title: str = "step through") -> str:
        """One page that plays the steps and needs nothing else: drawing, formula, values, and how they combine.

        Buttons, slider and keys: ← and → step, space plays and pauses, Home and End go to the ends.

        Arguments:
            limit: the most steps to have in the page. Of more, those nearest to the result are there, where the
                forward pass ends and the backward pass begins, and the page says so.
            title: what the browser's tab shows.

        Raises:
            ValueError: limit is less than 2.
            ImportError: nothing that lays graphs out is installed; the error says what to install.

        >>> from autograd import tensor, step_through
        >>> step_through(tensor(3.0, requires_grad=True) ** 2).html().startswith("<!DOCTYPE html>")
        True
        """
        from .player_page import page

        if limit < 2:
            raise ValueError(f"html: limit must be at least 2 steps, got {limit}")
        forward = sum(step.phase == "forward" for step in self._steps)
        begin = max(0, min(forward - limit // 2, len(self) - limit))
        return page(self.graph, self._names, self._steps[begin : begin + limit], len(self), title)

    def save(self, path: str | os.PathLike[str], limit: int = _PAGE_STEPS) -> str:
        """Writes the page, or the text, to a file, whole or not at all.

        Arguments:
            path: ends in ``.html``, or in ``.txt`` for the text.
            limit: as in ``html``; the text has all steps.

        Returns the path.

        Raises:
            ValueError: the ending is neither.
            FileNotFoundError: the folder is missing.

        >>> import os, tempfile
        >>> from autograd import tensor, step_through
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = step_through(tensor(3.0, requires_grad=True) ** 2).save(os.path.join(folder, "square.html"))
        ...     os.path.basename(path)
        'square.html'
        """
        from .drawing import _write_whole

        path = os.fspath(path)
        ending, name = os.path.splitext(path)[1].lower(), os.path.basename(path)
        if ending not in (".html", ".txt"):
            raise ValueError(f"save: the ending of {name!r} says which format to write; there are .html and .txt")
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"save: there is no folder {folder}; make it first: os.makedirs({folder!r})")
        _write_whole(path, (self.text() if ending == ".txt" else self.html(limit, name)).encode())
        return path

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that it lives on in a saved notebook and disturbs nothing around it."""
        from .page import in_notebook

        return in_notebook(self.html(), _FRAME_HEIGHT)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def _paragraph(step: Step) -> list[str]:
    from .steps import shown

    lines = [step.formula]
    if step.phase == "forward":
        values = [(x.name, shown(x.value)) for x in step.inputs]
        given = ", ".join(dict.fromkeys(f"{name} = {value}" for name, value in values if name != value))
        lines.append(f"{given} → {shown(step.value)}" if given else f"→ {shown(step.value)}")
    elif step.argument is not None:
        if step.upstream is not None and step.local is not None:
            lines.append(f"upstream × local = downstream: {step.product}")
        elif step.upstream is not None:
            lines.append(f"upstream {shown(step.upstream)} → downstream {shown(step.downstream)}")
        else:
            lines.append(f"downstream {shown(step.downstream)}")
        lines.append(step.branch)
    if step.module:
        lines.append("in " + ".".join(name for name, _ in step.module))
    if step.where is not None:
        lines.append(f"at {location(step.where)}")
    return [line for line in [*lines, step.note] if line]


def _terms(steps: Sequence[Step], last: Step) -> str:
    """``3 + 2 = 5``: what came from each use, and the sum."""
    from .steps import shown
    from .words import in_parentheses

    assert last.total is not None
    total = shown(last.total)
    if last.uses < 2 or last.uses > 8 or last.total.entries is None:
        return total
    first, *rest = [step.downstream for step in steps if step.target == last.target and step.downstream is not None]
    return f"{' + '.join([shown(first), *(in_parentheses(shown(use)) for use in rest)])} = {total}"


def step_through(loss: Tensor, *, names: Mapping[str, Any] | None = None, gradient: Any = None) -> Player:
    """One forward and one backward pass, step by step, with upstream × local = downstream at each of them.

    The backward pass is one of its own, which keeps the graph and leaves every ``.grad`` as it is (hooks run as in any
    pass). Each step is a record with its formula, read from the rule that the engine ran; ``print()`` shows them as
    text, ``save("steps.html")`` writes a page that plays them, and in a notebook the result plays itself.

    Arguments:
        loss: the result to go back from, a scalar; another shape with ``gradient``.
        names: what to call Tensors, as in ``draw``. Other names are those of the caller's variables and of the
            parameters of modules among them.
        gradient: the upstream gradient to start from, of loss's shape; 1 by default.

    Returns a ``Player``, a sequence of ``Step``.

    Raises:
        DTypeError: loss is no Tensor.
        GraphError: it does not require grad, is no scalar, or its graph was freed by ``backward()``.

    >>> from autograd import tensor, step_through, maximum
    >>> x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    >>> f = (x + y) * maximum(y, z)
    >>> for step in step_through(f):
    ...     print(f"{step.formula}: {step.product}" if step.argument else step.formula, step.sum, sep="  ")
    add = x + y
    maximum = max(y, z)
    f = add · maximum
    ∂f/∂f = 1
    ∂f/∂add = g · maximum: 1 × 2 = 2
    ∂f/∂maximum = g · add: 1 × 3 = 3
    ∂f/∂y = g · (0.5 where y = z, else [y ≥ z]): 3 × 1 = 3  3
    ∂f/∂z = g · (0.5 where z = y, else [z ≥ y]): 3 × 0 = 0
    ∂f/∂x = g: 2 × 1 = 2
    ∂f/∂y = g: 2 × 1 = 2  3 + 2 = 5
    """
    from .steps import Stepped, Stepper
    from .trace import starting_gradients, trace

    if not isinstance(loss, Node):
        raise DTypeError(f"step_through: wants a Tensor, got {describe(loss)}; give it the result of a computation")
    if not loss._requires_grad or loss._primitive is None:
        raise GraphError(
            "step_through: there is nothing to step through: this Tensor was not computed from one with "
            "requires_grad=True, or it was computed under no_grad() or detached"
        )
    starts = starting_gradients([loss], None if gradient is None else [gradient], "step_through")
    if starts is None:
        raise GraphError(
            f"step_through: wants a scalar to start from, and this Tensor has shape {tuple(loss.shape)}; reduce it "
            "(.sum(), .mean()), or give the upstream gradient: step_through(y, gradient=...)"
        )
    graph = trace(
        [loss], names=named(names, scope()), gradients=starts, constants=True, caller="step_through", tracer=Stepper
    )
    assert isinstance(graph, Stepped)
    return Player(graph)
