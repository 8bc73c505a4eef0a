"""``explain``: why a gradient is None, 0 or NaN, and what it is the sum of, in sentences."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backward import history
from ..errors import DTypeError, GraphError, describe
from ..node import Node
from . import causes, shares
from .causes import Finding, Pass, place, shown, where
from .names import named, scope
from .trace import starting_gradients

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Explanation", "Finding", "explain"]


class Explanation:
    """What ``explain`` found out, in sentences and as records.

    Attributes:
        subject: what the Tensor is called.
        findings: a ``Finding`` for each sentence, with its kind, text, operation and source line.
        kinds: the kinds of the findings, in order.
        text: all sentences, one to a line.
    """

    def __init__(self, subject: str, findings: list[Finding]) -> None:
        self.subject = subject
        self.findings = findings

    @property
    def kinds(self) -> list[str]:
        """The kind of each finding."""
        return [f.kind for f in self.findings]

    @property
    def text(self) -> str:
        """The sentences, the first of which says what there is to explain."""
        first, *rest = [f.text for f in self.findings]
        return "\n".join([first, *(f"  {line}" for line in rest)])

    def print(self) -> None:
        """Prints the sentences."""
        print(self.text)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        first, *rest = [html.escape(f.text) for f in self.findings]
        items = "".join(f"<li>{line}</li>" for line in rest)
        return f"<p>{first}</p>" + (f"<ul>{items}</ul>" if items else "")


def explain(t: Tensor, loss: Tensor | None = None, *, names: Mapping[str, Any] | None = None) -> Explanation:
    """Says why ``t.grad`` is what it is: why None, why 0, where a NaN came from, which use and term gave how much.

    It makes a backward pass of its own from ``loss``, which changes no ``.grad`` and keeps the graph; so ask before
    ``backward()``, or call that with ``retain_graph=True``. Source lines are in the answer for what was computed inside
    ``with autograd.record():``. Of several causes the nearest to ``t`` are told. Hooks run as in any pass.

    Arguments:
        t: the Tensor whose gradient is asked about; or a result, whose NaN is.
        loss: what was differentiated, a scalar. Without it the newest scalar among the caller's variables that depends
            on ``t``, or else the newest at all.
        names: what to call Tensors, as in ``draw``.

    Returns an ``Explanation``, which prints itself.

    Raises:
        DTypeError: something else than Tensors came.
        GraphError: ``loss`` is no scalar.

    >>> import autograd
    >>> w = autograd.tensor(-1.0, requires_grad=True)
    >>> loss = autograd.relu(w)
    >>> explain(w)
    The gradient of `loss` with respect to `w` is 0.
      `loss = relu` passes nothing back: its input is ≤ 0 in its only entry (dead ReLU).
      `w.grad` is None because backward() was not called yet, or because it was reset since.
    """
    if not isinstance(t, Node):
        raise DTypeError(f"explain: wants a Tensor, got {describe(t)}; for all parameters call it for each")
    if loss is not None and not isinstance(loss, Node):
        raise DTypeError(f"explain: loss must be a Tensor, got {describe(loss)}")
    if loss is not None and loss._array.size != 1:
        raise GraphError(
            f"explain: loss must be a scalar, got shape {tuple(loss.shape)}; reduce it (.sum(), .mean()), as it was "
            "for backward()"
        )
    known = named(names, scope())
    root = loss if loss is not None else _guessed(t, known)
    return Explanation(known.get(t, "it"), list(_Explaining(t, root, known).findings()))


def _guessed(t: Any, known: Mapping[Node, str]) -> Any:
    """The newest scalar in scope that depends on ``t``; else the newest scalar, and else nothing."""
    scalars = [x for x in known if isinstance(x, Node) and x._requires_grad and x._primitive is not None]
    scalars = sorted((x for x in scalars if _is_scalar(x)), key=lambda x: -x._tick)
    for x in scalars:
        try:
            if x is t or _reaches(x, t):
                return x
        except GraphError:  # freed
            continue
    return scalars[0] if scalars else None


def _is_scalar(x: Any) -> bool:
    return isinstance(x._array, (np.ndarray, np.generic)) and x._array.size == 1


def _reaches(root: Node, t: Node) -> bool:
    return root is t or any(x is t for node in history([root]) for x in node._inputs or ())


class _Explaining:
    def __init__(self, t: Any, root: Any, known: Mapping[Node, str]) -> None:
        self.t, self.root, self.known = t, root, known
        name = known.get(t)
        self.name = f"`{name}`" if name else "this Tensor"
        self.grad = f"`{name}.grad`" if name else "its .grad"
        self.loss = "" if root is None else f"`{known[root]}`" if root in known else "the loss"

    def findings(self) -> Iterator[Finding]:
        t, root = self.t, self.root
        if not t._requires_grad:
            yield from self._without()
            return
        if root is None:
            yield from self._without_loss()
            return
        if not root._requires_grad:
            yield Finding(
                "loss is cut off",
                f"{self._none()} {self.loss} does not require grad: nothing that it was computed from does, or it was "
                f"computed under no_grad() or detached{_cut(root)}.",
                where=where(root),
            )
            return
        try:
            run_ = Pass(root, (starting_gradients([root], None) or [None])[0], self.known)
        except GraphError as error:
            yield from self._no_pass(error)
            return
        if t not in run_.gradients:
            yield from self._unused(run_)
        else:
            yield from self._used(run_)

    def _none(self) -> str:
        if self.t._grad is None:
            return f"{self.grad} is None."
        return f"{self.grad} comes from an earlier backward pass."

    def _without(self) -> Iterator[Finding]:
        """``t`` requires no grad."""
        t, dtype = self.t, self.t._array.dtype
        cut = (t._extra or {}).get("cut")
        start = f"{self.grad} is None because {self.name}"
        line = place(t)
        if dtype.kind != "f":
            text = f"holds {'bools' if dtype.kind == 'b' else f'integers ({dtype})'}, and only floats have gradients"
            yield Finding("integer", f"{start} {text}{line}; convert it: .float().", where=where(t))
        elif cut == "no_grad":
            yield Finding("no_grad", f"{start} was made under no_grad(){line}.", where=where(t))
        elif cut == "detach":
            yield Finding("detached", f"{start} was detached{line}.", where=where(t))
        elif cut is not None:
            yield Finding("no gradient", f"{start} is a result of {cut}, which has no gradient{line}.", cut, where(t))
        elif (source := self._shares_memory()) is not None:
            text = f"is detached from {source}: it shares its memory, but not its graph{line}"
            yield Finding("detached", f"{start} {text}.", where=where(t))
        elif type(t).__name__ == "Parameter":
            text = "is frozen: its requires_grad is False; set requires_grad_() to train it"
            yield Finding("frozen", f"{start} {text}.")
        else:
            text = (
                "does not require grad: it was made without requires_grad=True, or computed under no_grad(), or "
                f"detached{line}"
            )
            hint = "" if line else " Inside `with autograd.record():` the line is noted."
            yield Finding("constant", f"{start} {text}.{hint}", where=where(t))

    def _shares_memory(self) -> str | None:
        """What a Tensor without grad was detached from, if that is alive."""
        return next((f"`{self.known.get(x, 'a Tensor')}`" for x in _sources(self.t)), None)

    def _without_loss(self) -> Iterator[Finding]:
        if self.t._grad is not None:
            yield Finding(
                "gradient",
                f"{self.grad} {causes.said(self.t._grad._array)}. No scalar that could have been differentiated is "
                "among your variables, so nothing more can be said; give it: explain(t, loss).",
            )
            return
        yield from self._not_a_leaf()
        yield Finding(
            "backward not called",
            f"{self.grad} is None: no scalar to differentiate is among your variables, so backward() was probably not "
            "called; give it if there is one: explain(t, loss).",
        )

    def _not_a_leaf(self) -> Iterator[Finding]:
        t = self.t
        if t._primitive is not None and t._grad is None and not t.retains_grad and t is not self.root:
            yield Finding(
                "not a leaf",
                f"{self.grad} is None because {self.name} is not a leaf but a result of {t._primitive.name}{place(t)}; "
                "backward() fills .grad of leaves only. Call .retain_grad() on it before, or, if it was meant to be a "
                "leaf, make it of a finished value with requires_grad=True.",
                t._primitive.name,
                where(t),
            )

    def _no_pass(self, error: GraphError) -> Iterator[Finding]:
        if "freed" not in str(error):
            yield Finding("overwritten", f"No backward pass from {self.loss} is possible any more: {error}.")
            return
        t = self.t
        if t._grad is None:
            yield from self._not_a_leaf()
            yield Finding(
                "unused",
                f"{self.grad} is None after backward() from {self.loss}"
                + ("." if t._primitive is not None else f": {self.name} was not used in computing it, or was cut off.")
                + " The graph was freed by that pass; to learn more ask before it, or call backward(retain_graph=True)"
                ".",
            )
            return
        g = t._grad._array
        zero = "; all of its entries are 0" if not np.any(g) else ""
        zero = "; it has NaN or Inf among its entries" if causes.not_finite(g) else zero
        yield Finding(
            "freed",
            f"{self.grad} {causes.said(g)}{zero}. The graph was freed by backward(); ask before it, or call "
            "backward(retain_graph=True), to learn why.",
        )

    def _unused(self, run_: Pass) -> Iterator[Finding]:
        """``t`` requires grad, and ``loss`` does not depend on it."""
        none = self._none() if self.t._grad is None or self.t._primitive is None else f"{self.name} gets no gradient."
        detached = list(self._detached(run_))
        if detached:
            yield Finding("detached", f"{none} {detached[0]}")
            return
        constants = {
            x: None for node in run_.order for x in run_.inputs[node] if isinstance(x, Node) and not x._requires_grad
        }
        cuts = [x for x in constants if (x._extra or {}).get("cut")]
        text = f"{none} {self.loss} does not depend on {self.name}: it was never used in what was differentiated."
        if not cuts:
            yield Finding("unused", text)
            return
        yield Finding("unused", f"{text} Or it went in through a Tensor that was cut off from the graph:")
        for x in cuts[:5]:
            label = f"`{self.known[x]}`" if x in self.known else "one"
            kind = {"no_grad": "no_grad", "detach": "detached"}.get((x._extra or {})["cut"], "cut off")
            yield Finding(kind, f"{label} was{_cut(x)}.", where=where(x))

    def _detached(self, run_: Pass) -> Iterator[str]:
        """Constants of the graph that share memory with ``t`` or with something computed from it."""
        for node in run_.order:
            for x in run_.inputs[node]:
                if not isinstance(x, Node) or x._requires_grad:
                    continue
                for source in _sources(x):
                    try:
                        reached = _reaches(source, self.t)
                    except GraphError:
                        continue
                    if reached:
                        of = self.name if source is self.t else f"{run_.name(source)}, which was computed from it,"
                        assert node._primitive is not None
                        yield (
                            f"{of} was detached{place(x)} before {node._primitive.name} used it{place(node)}, so no "
                            f"gradient of {self.loss} comes back to {self.name}."
                        )

    def _used(self, run_: Pass) -> Iterator[Finding]:
        t, g = self.t, run_.gradients[self.t]
        zero = int(np.count_nonzero(np.asarray(g) == 0))
        size = np.size(g)
        broken = causes.not_finite(np.asarray(g)) or causes.not_finite(run_.root)
        start = f"The gradient of {self.loss} with respect to {self.name}"
        if t is run_.root:
            yield Finding("gradient", f"{self.name} is what is differentiated, so its gradient is 1.")
        elif broken:
            bad = int(np.count_nonzero(~np.isfinite(g)))
            what = f"has {bad} NaN or Inf among its {size} entries" if bad and size > 1 else causes.said(g)
            value = f"; the value of {self.loss} is {shown(run_.root._array)}" if causes.not_finite(run_.root) else ""
            yield Finding("not finite", f"{start} {what}{value}.")
        elif zero == size:
            yield Finding("zero", f"{start} is 0.", value=zero)
        else:
            some = f"is 0 in {zero} of {size} entries and " if zero else ""
            yield Finding("gradient", f"{start} {some}{causes.said(g)}.")
        if broken:
            forward = list(causes.origin_forward(run_))
            yield from forward
            if not any(f.kind in ("nan forward", "nan in data") for f in forward):
                yield from causes.origin_backward(run_)
        elif t is not run_.root:
            yield from causes.zeros(run_, t)
            yield from causes.flats(run_, t)
            parts = [*shares.uses(run_, t), *shares.terms(run_, t)]
            yield from parts
            if len([f for f in parts if f.kind == "use"]) > 1 or not parts:
                yield from shares.paths(run_, t)
        yield from self._beside(g)

    def _beside(self, g: Any) -> Iterator[Finding]:
        """How ``.grad`` itself differs from this gradient."""
        t = self.t
        if t is self.root:
            return
        if t._primitive is not None:
            yield from self._not_a_leaf()
            if t._grad is None and not t.retains_grad:
                return
        if t._grad is None:
            text = f"{self.grad} is None because backward() was not called yet, or because it was reset since."
            yield Finding("backward not called", text)
            return
        own = np.asarray(t._grad.to_dense()._array if t._grad.is_sparse else t._grad._array)
        largest = float(np.abs(g, where=np.isfinite(g), out=np.zeros(np.shape(g))).max(initial=0.0))
        if not np.allclose(own, g, rtol=1e-3, atol=1e-6 * largest, equal_nan=True):
            text = f"{self.grad} {causes.said(own)}, and not {shown(g)}"
            ratio = _multiple(own, g)
            if ratio:
                text += f": it is the sum of {ratio} backward passes; call zero_grad() before each"
            else:
                text += ": it holds gradients of other passes too, or was changed since (clipped, zeroed)"
            yield Finding("accumulated", text + ".")


def _multiple(own: Any, g: Any) -> int:
    """n if ``own`` is n times ``g``, n ≥ 2; else 0."""
    square = float(np.sum(np.square(g, dtype=np.float64)))
    ratio = float(np.sum(np.multiply(own, g, dtype=np.float64))) / square if square else 0.0
    n = round(ratio) if np.isfinite(ratio) else 0
    return n if n >= 2 and np.allclose(own, n * g, rtol=1e-3) else 0


def _sources(x: Node) -> list[Node]:
    """Live Tensors that require grad and share the whole memory of ``x``: what it was detached from."""
    if x._memory is None:
        return []
    views = [view() for view in x._memory.views]
    return [v for v in views if v is not None and v is not x and v._requires_grad and _same_place(v._array, x._array)]


def _same_place(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return False
    return np.may_share_memory(a, b)


def _cut(x: Node) -> str:
    """In words, how a result was cut off, where that was noted."""
    cut = (x._extra or {}).get("cut")
    words = {"no_grad": " made under no_grad()", "detach": " detached"}
    return (words.get(cut, f" made by {cut}, which has no gradient") if cut else "") + place(x)
