"""Reverse mode: from a result back to everything that it was computed from.

The walk is iterative. It visits nodes newest first, asks each node's primitive for the gradients that
somebody needs, undoes broadcasting in one place, and sums where a value was used more than once.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import large_gradients, modes
from .backends import numpy as numpy_namespace
from .errors import DTypeError, GraphError, ShapeError, describe
from .inplace import Overwritten, earlier, freed
from .node import LastWrite, Node
from .primitive import pick, wrap
from .sparse_rows import SparseRows

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["backward", "grad"]

_by_tick = operator.attrgetter("_tick")
_scalars = frozenset({np.float32, np.float64})


class Part:
    """The gradient of one of several outputs, on its way to the primitive that gave them."""

    __slots__ = ("g", "index")

    def __init__(self, index: int, g: Any) -> None:
        self.index, self.g = index, g


pick.grads(parent=lambda xp, g, out, parent, *, index: Part(index, g))


def history(roots: Iterable[Node], stop: Collection[Node] = ()) -> list[Node]:
    """Every recorded node that the roots depend on, oldest first; not ``stop``, nor what is only behind it.

    Raises GraphError when part of it was freed.
    """
    found = [r for r in dict.fromkeys(roots) if r._primitive is not None and r not in stop]
    seen = {*found, *stop}
    stack = list(found)
    while stack:
        node = stack.pop()
        inputs = node._inputs
        if inputs is None:
            raise freed(node)
        for x in inputs:
            if isinstance(x, Node) and x._primitive is not None:
                if x._tick > node._tick:
                    x = earlier(x, node)
                if x._requires_grad and x._primitive is not None and x not in seen:
                    seen.add(x)
                    found.append(x)
                    stack.append(x)
    found.sort(key=_by_tick)
    return found


def run(
    roots: Sequence[Node],
    gradients: Sequence[Any],
    *,
    inputs: Sequence[Node] | None = None,
    create_graph: bool = False,
    retain_graph: bool = False,
    observe: Callable[[Node, int, Any, Any], None] | None = None,
    stop: Collection[Node] = (),
) -> dict[Node, Any]:
    """Walks from ``roots`` back and returns the gradient of each leaf, or of each of ``inputs``.

    ``gradients`` are arrays, or Tensors with ``create_graph``; so are the results. With ``inputs`` only the
    nodes between them and the roots are visited. ``observe`` is called with (node, index of the input,
    upstream, downstream) for each edge. At the nodes of ``stop`` the walk ends, as if they were leaves without hooks.

    An upstream gradient that is exactly 0 stays 0 through an elementwise op behind one that selects (``where``,
    ``max``, indexing): a branch that was not taken passes nothing on, whatever its local gradient is.
    """
    profiler = modes.local.profiler if modes.active else None  # one that is open watches, so that active is not 0
    if profiler is not None and not profiler._walking:  # it calls this again, and notes when that begins and ends
        how: dict[str, Any] = {"create_graph": create_graph, "retain_graph": retain_graph, "observe": observe}
        return profiler._walk(run, roots, gradients, inputs=inputs, stop=stop, **how)
    order = history(roots, stop)
    if inputs is not None:
        order = _between(order, inputs)
    needed = None if inputs is None else {*order, *inputs}
    if profiler is not None:
        order, observe = profiler._visits(order, observe)
    if create_graph:
        from .backends import tensor as xp
    else:
        xp = (modes.local.namespace if modes.active else None) or numpy_namespace
    on_numpy = xp is numpy_namespace

    grads: dict[Node, Any] = {}
    owned: set[Node] = set()  # whose gradient is an array of our own, into which we may add
    for root, g in zip(roots, gradients, strict=True):
        if root._requires_grad and (needed is None or root in needed):
            grads[root] = g if root not in grads else grads[root] + g
    results: dict[Node, Any] = {}
    wanted = frozenset() if inputs is None else frozenset(inputs)
    selected = bool(stop)  # this is part of a larger walk, which may have met an op that selects
    moved: list[Node] = []  # changed in place: older nodes are still found through them
    plain = on_numpy and needed is None and observe is None
    large = large_gradients.LARGE if on_numpy and observe is None else 1 << 62
    while order:
        node = order.pop()
        g = grads.pop(node, None)
        if g is None:
            continue
        primitive, given, kind = node._primitive, node._inputs, type(g)
        assert primitive is not None
        if given is None:
            raise freed(node)
        # One or two numbers: what follows below, in half the time, since programs on scalars spend theirs here.
        if kind in _scalars and plain and not selected and primitive.plain:
            usual = not node._static and node._extra is None and LastWrite.tick < node._tick
            pair: Any = given if len(given) == 2 else (given[0], None)
            x, y = pair
            a = x._array if isinstance(x, Node) else x
            b = y._array if isinstance(y, Node) else y
            if usual and (a is x or type(a) is kind) and (b is y or type(b) is kind):
                out = node._array
                if a is not x and x._requires_grad:
                    of_x: Any = primitive.rules[0]
                    gx = of_x(xp, g, out, a) if y is None else of_x(xp, g, out, a, b)
                    before = grads.get(x)
                    grads[x] = gx if before is None else before + gx
                if b is not y and y._requires_grad:
                    gx = primitive.rules[1](xp, g, out, a, b)  # type: ignore[misc]
                    before = grads.get(y)
                    grads[y] = gx if before is None else before + gx
                if not retain_graph:
                    node._inputs = node._static = None
                continue
        if node._extra is not None:
            g = _hooked(node, g, create_graph, retain_graph)
        if wanted and node in wanted:
            results[node] = g if create_graph or not on_numpy or node in owned else np.array(g)[()]
        owned.discard(node)
        if kind is np.ndarray and primitive.spreads and g.size >= large:
            selects = large_gradients.walk(node, g, order, grads, owned, selected, wanted, needed, retain_graph)
            if selects is not None:
                selected = selects
                continue
        # The rules of ops that select have finite slopes themselves.
        if primitive.selects:
            selected, doubtful = True, False
        else:
            doubtful = selected and primitive.elementwise
        tick, static = node._tick, node._static
        if create_graph or LastWrite.tick >= tick:
            values, out = _values(node, given, create_graph)
            if create_graph and primitive.saves and static:
                static = {name: v for name, v in static.items() if name not in primitive.saves}
        else:
            values, out = [], node._array
            for x in given:
                values.append(x._array if isinstance(x, Node) else x)
        rules = primitive.rules if not primitive.variadic else primitive.rules_of(len(given))
        index = -1
        for x in given:
            index += 1
            if not isinstance(x, Node) or not x._requires_grad:
                continue
            rule = rules[index]
            if rule is None:
                continue
            if x._tick > tick:
                x = earlier(x, node)
                if not x._requires_grad:
                    continue
            if needed is not None and x not in needed:
                continue
            gx = rule(xp, g, out, *values, **static) if static else rule(xp, g, out, *values)
            if gx is None:
                continue
            a = x._array
            kind = type(gx)
            if kind is Part:
                slots = grads.setdefault(x, [None] * len(a))
                slots[gx.index] = gx.g if slots[gx.index] is None else slots[gx.index] + gx.g
                continue
            if doubtful and gx is not g:
                gx = _silenced(xp, g, gx)
            if kind is np.ndarray or kind is not type(a) or not on_numpy:
                if gx.shape != a.shape:
                    gx = _fitted(xp, gx, a.shape, primitive, index)
                if gx.dtype is not a.dtype and gx.dtype != a.dtype:
                    gx = xp.astype(gx, a.dtype)
            if observe is not None:
                observe(node, index, g, gx)
            before = grads.get(x)
            if before is None:
                grads[x] = gx
                # What a rule computes is new, but for views and for the upstream gradient handed on.
                if type(gx) is np.ndarray and gx.base is None and gx is not g:
                    owned.add(x)
            elif x in owned:
                before += gx
                grads[x] = before  # a number is not added into in place
            else:
                grads[x] = gx = before + gx
                if type(gx) is np.ndarray:
                    owned.add(x)
        if not (retain_graph or create_graph):
            node._inputs = node._static = None
            if node._extra is not None and "older" in node._extra:
                moved.append(node)
        if needed is not None:
            needed.discard(node)
    for node in moved:
        if node._extra is not None:
            node._extra.pop("older", None)
    for leaf, g in grads.items():
        if leaf._extra is not None and leaf not in stop:
            g = _hooked(leaf, g, create_graph, retain_graph)
            owned.discard(leaf)
        if inputs is None or leaf in wanted:
            kept = leaf in owned or create_graph or not on_numpy or type(g) is SparseRows
            results[leaf] = g if kept else np.array(g)[()]
    return results


def _values(node: Node, given: tuple[Any, ...], create_graph: bool) -> tuple[list[Any], Any]:
    """The inputs and the result of ``node`` for its rules, with stand-ins for those overwritten since."""
    tick = node._tick
    values: list[Any] = []
    for x in given:
        if isinstance(x, Node):
            if x._memory is not None and x._memory.changed >= tick:
                values.append(Overwritten(x._array, node, x._memory))
            elif create_graph:
                values.append(x if x._tick <= tick else earlier(x, node))
            else:
                values.append(x._array)
        else:
            values.append(x)
    if node._memory is not None and node._memory.changed > tick:
        return values, Overwritten(node._array, node, node._memory)
    if type(node._array) is tuple:
        memories = (node._extra or {}).get("outputs")
        outs: list[Any] = []
        for i, a in enumerate(node._array):
            if memories is not None and memories[i].changed > tick:
                outs.append(Overwritten(a, node, memories[i]))
            else:
                outs.append(pick(node, index=i) if create_graph else a)
        return values, tuple(outs)
    return values, node if create_graph else node._array


def unbroadcast(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sums ``g`` over the dimensions along which an input of ``shape`` was broadcast to g's shape.

    >>> unbroadcast(numpy_namespace, np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    extra = len(g.shape) - len(shape)
    if extra:
        g = xp.sum(g, axis=tuple(range(extra)) if extra > 1 else 0)
        if g.shape == shape:
            return g
    stretched = tuple(d for d, n in enumerate(shape) if n == 1 and g.shape[d] != 1)
    return xp.sum(g, axis=stretched, keepdims=True) if stretched else g


def _fitted(xp: Any, gx: Any, shape: tuple[int, ...], primitive: Any, index: int) -> Any:
    """``unbroadcast``, or an error where a rule gave what no broadcasting explains."""
    given = gx.shape
    if len(given) >= len(shape):
        gx = unbroadcast(xp, gx, shape)
    if gx.shape != shape and tuple(gx.shape) != tuple(shape):
        raise ShapeError(
            f"{primitive.name}: its rule for input {index} gives a gradient of shape {tuple(given)}, and the input has "
            f"shape {tuple(shape)}; a gradient has the shape of what it is the gradient of"
        )
    return gx


def _silenced(xp: Any, g: Any, gx: Any) -> Any:
    """``gx`` with 0 where the upstream gradient is 0: there is nothing to pass on, even through an infinite slope."""
    values = gx._array if isinstance(gx, Node) else gx
    if isinstance(values, (np.ndarray, np.generic)):
        total = np.add.reduce(values, axis=None) if values.ndim else values
        if total == total:  # no NaN among them
            return gx
    return xp.where(g == 0, xp.zeros_like(gx), gx)


def _between(order: list[Node], inputs: Sequence[Node]) -> list[Node]:
    """The nodes of ``order`` through which a path to one of ``inputs`` goes, and the inputs themselves."""
    leading = set(inputs)
    for node in order:
        for x in node._inputs or ():
            used = isinstance(x, Node) and x._requires_grad
            if used and (x if x._tick <= node._tick else earlier(x, node)) in leading:
                leading.add(node)
                break
    return [node for node in order if node in leading]


def _hooked(node: Any, g: Any, create_graph: bool, retain_graph: bool) -> Any:
    for hook in list(node._extra.get("hooks", {}).values()):
        seen = _tensor(g)
        replaced = hook(seen)
        if replaced is not None:
            if not isinstance(replaced, Node) or tuple(replaced.shape) != tuple(seen.shape):
                raise ShapeError(
                    f"hook: wants None or a Tensor of the gradient's shape {tuple(seen.shape)}, "
                    f"but the hook returned {describe(replaced)}"
                )
            g = replaced if create_graph else replaced._array
    if node._extra.get("retain_grad"):
        accumulate(node, g if isinstance(g, Node) else np.array(g)[()])
    return g


def _tensor(g: Any) -> Any:
    return g if isinstance(g, Node) else g.tensor() if type(g) is SparseRows else wrap(g)


def accumulate(t: Any, g: Any) -> None:
    """Adds ``g``, an array of our own, rows of one, or a Tensor, to ``t.grad``."""
    if t._grad is None:
        t._grad = _tensor(g)
    elif isinstance(g, Node):
        t._grad = t._grad + g
    elif t._grad.is_rows or type(g) is SparseRows:
        t._grad = _tensor((t._grad._rows if t._grad.is_rows else t._grad._array) + g)
    elif type(t._grad._array) is np.ndarray and type(g) is np.ndarray and t._grad._array.flags.writeable:
        t._grad._array += g
    else:
        t._grad = wrap(t._grad._array + g)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds to ``.grad`` of every leaf that requires grad the gradient of ``tensors`` with respect to it.

    Arguments:
        tensors: what to differentiate, a Tensor or several.
        grad_tensors: the upstream gradient of each, of its shape; may be None for a Tensor with one entry.
        retain_graph: keep the recorded graph, to go backward through it again. As ``create_graph`` by default.
        create_graph: record the backward pass itself, so that gradients can be differentiated.
        inputs: the leaves to accumulate into; all by default.

    Raises:
        GraphError: nothing requires grad, a non-scalar came without its gradient, the graph was freed,
            or a value that a rule needs was overwritten.

    >>> from autograd import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if modes.active and modes.local.profiler is not None and modes.local.profiler._forward_now:
        with modes.local.profiler._backward_pass():
            backward(tensors, grad_tensors, retain_graph, create_graph, inputs)
        return
    roots = [tensors] if isinstance(tensors, Node) else list(tensors)
    leaves = None if inputs is None else [inputs] if isinstance(inputs, Node) else list(inputs)
    if leaves is not None and not leaves:
        raise ValueError("backward: inputs is empty; leave it out to accumulate into every leaf")
    results = _run("backward", roots, grad_tensors, leaves, retain_graph, create_graph)
    for leaf, g in results.items():
        if leaf._grad is None and not create_graph and type(g) is not SparseRows:
            leaf._grad = wrap(g)
        else:
            accumulate(leaf, g)
        if leaf._extra is not None:
            for hook in list(leaf._extra.get("accumulated", {}).values()):
                hook(leaf)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, leaving every ``.grad`` as it is.

    ``grad(y, x)`` is Σᵢ grad_outputsᵢ · ∂yᵢ/∂x, one Tensor of x's shape for each input.

    Arguments:
        outputs: what to differentiate, a Tensor or several.
        inputs: with respect to what; leaves or results in between.
        grad_outputs: the upstream gradient of each output; may be None for one with a single entry.
        retain_graph: keep the graph for another pass. As ``create_graph`` by default.
        create_graph: record the pass, so that the result can be differentiated again.
        allow_unused: return None for an input that the outputs do not depend on, instead of raising.
        materialize_grads: return zeros for it.

    Raises:
        GraphError: an input is unused, or does not require grad; otherwise as ``backward``.

    >>> from autograd import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> (dy,) = grad(x ** 3, x, create_graph=True)
    >>> dy.item(), grad(dy, x)
    (27.0, (tensor(18.),))
    """
    roots = [outputs] if isinstance(outputs, Node) else list(outputs)
    sources: list[Any] = [inputs] if isinstance(inputs, Node) else list(inputs)
    for i, x in enumerate(sources):
        if not isinstance(x, Node):
            raise DTypeError(f"grad: inputs must be Tensors, inputs[{i}] is {describe(x)}")
        if not x._requires_grad:
            raise GraphError(f"grad: inputs[{i}] does not require grad; make it with requires_grad=True")
    results = _run("grad", roots, grad_outputs, sources, retain_graph, create_graph)
    found: list[Any] = []
    for i, x in enumerate(sources):
        g = results.get(x)
        if g is None:
            if materialize_grads:
                g = np.zeros(x.shape, x.dtype)[()]
            elif not allow_unused:
                raise GraphError(
                    f"grad: the outputs do not depend on inputs[{i}]; "
                    "pass allow_unused=True to get None for it, or materialize_grads=True for zeros"
                )
        found.append(None if g is None else _tensor(g))
    return tuple(found)


def _run(
    name: str, roots: list[Any], given: Any, inputs: list[Any] | None, retain_graph: bool | None, create_graph: bool
) -> dict[Node, Any]:
    if isinstance(given, Node) or not isinstance(given, (list, tuple)):
        given = [given]
    if len(given) != len(roots):
        if len(given) != 1 or given[0] is not None:
            raise ValueError(f"{name}: got {len(roots)} outputs and {len(given)} gradients; give one for each")
        given = [None] * len(roots)
    gradients = [_upstream(name, root, g, create_graph) for root, g in zip(roots, given, strict=True)]
    observe: Callable[..., None] | None = None
    if modes.local.anomaly:
        from . import anomaly

        observe = anomaly.check_backward
    with np.errstate(all="ignore"):
        if not create_graph:
            return run(roots, gradients, inputs=inputs, retain_graph=bool(retain_graph), observe=observe)
        # The ops of rules are not the user's, whom anomaly detection is for.
        unchecked = anomaly.detect_anomaly(check_nan=False) if observe else contextlib.nullcontext()
        with modes.enable_grad(), unchecked:
            return run(roots, gradients, inputs=inputs, create_graph=True, retain_graph=True, observe=observe)


def _upstream(name: str, root: Any, g: Any, create_graph: bool) -> Any:
    if not isinstance(root, Node):
        raise DTypeError(f"{name}: wants Tensors, got {describe(root)}")
    if not root._requires_grad:
        raise GraphError(
            f"{name}: this Tensor does not require grad: nothing it was computed from has requires_grad=True, "
            "or it was computed under no_grad() or detached"
        )
    a = root._array
    if g is None:
        if type(a) in _scalars and not create_graph:
            return type(a)(1)
        if a.size != 1:
            raise GraphError(
                f"{name}: wants a scalar to start from, and this Tensor has shape {tuple(a.shape)}; reduce it "
                f"(.sum(), .mean()), or give the upstream gradient: {name}(..., gradient of shape {tuple(a.shape)})"
            )
        g = np.ones(a.shape, a.dtype) if a.ndim else a.dtype.type(1)
    else:
        g = g if isinstance(g, Node) else wrap(np.asarray(g, dtype=a.dtype)[()])
        if tuple(g._array.shape) != tuple(a.shape):
            raise ShapeError(
                f"{name}: the gradient has shape {tuple(g._array.shape)}, and the Tensor that it belongs to "
                f"{tuple(a.shape)}; they must be the same"
            )
        if g._array.dtype != a.dtype:
            g = g.to(a.dtype)
        if not create_graph:
            g = g._array
            if type(g) is np.ndarray:
                g = g[...]  # an object of its own for each walk, by which ``Along`` tells them apart
    return wrap(g) if create_graph and not isinstance(g, Node) else g
