"""Less memory for more time: part of a program is computed again in the backward pass instead of being kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import modes, random
from .backward import run
from .errors import DTypeError, GraphError, describe
from .function import Joint, not_owned, recorded
from .inplace import Overwritten
from .node import Node, next_tick
from .primitive import wrap
from .tree import flatten

__all__ = ["checkpoint"]

_REFUSED = {
    "context_fn": "open the context inside the function",
    "determinism_check": "shapes and dtypes are always compared",
    "debug": "use autograd.detect_anomaly",
    "early_stop": "the function is always run to its end",
}


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, keeping nothing of the way to the result; backward computes it a second time.

    The gradients are the same, also those of Tensors that the function uses without having them as arguments
    (the parameters of a module, say), and can be differentiated again.

    Arguments:
        function: returns Tensors, in tuples, lists and dicts as one likes. It must compute the same when called again.
        args, kwargs: what it is called with.
        use_reentrant: PyTorch's choice between two implementations; there is one here, and it takes either value.
        preserve_rng_state: draw the same random numbers from the common stream the second time.

    Raises:
        GraphError, from backward: an argument was overwritten since, or the second run gave other shapes.

    Source: Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost, 2016.

    >>> import autograd
    >>> w = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> y = autograd.checkpoint(lambda x: (w * x).exp(), autograd.tensor([0.0, 0.0]))
    >>> y.sum().backward(); w.grad
    tensor([0., 0.])
    """
    for name, instead in _REFUSED.items():
        if name in kwargs:
            raise TypeError(f"checkpoint: {name} is not supported; {instead}")
    if not callable(function):
        raise DTypeError(f"checkpoint: wants a function and then its arguments, got {describe(function)}")
    if not modes.local.grad:
        return function(*args, **kwargs)
    tick = next_tick()
    state = random.get_rng_state() if preserve_rng_state else None
    # Without recording no result requires grad, so what does comes from outside.
    used: dict[Node, None] = {leaf: None for leaf in flatten([args, kwargs])[0] if isinstance(leaf, Node)}

    def note(op: Any, inputs: tuple[Any, ...], static: Any, out: Any) -> None:
        for x in inputs:
            if isinstance(x, Node) and x._requires_grad and x._tick < tick:
                used[x] = None

    with modes.no_grad(), modes.watching(note):
        result = function(*args, **kwargs)
    leaves, rebuild = flatten(result)
    used.update((leaf, None) for leaf in leaves if isinstance(leaf, Node) and leaf._requires_grad)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Node) and leaf.dtype.kind == "f"]
    if not places or not any(x._requires_grad for x in used):
        return result
    outs = recorded(
        _recompute, tuple(used), [leaves[i] for i in places], tick, _call=(function, args, kwargs), _state=state,
        _used=tuple(used), _places=places,
    )  # fmt: skip
    for i, out in zip(places, outs, strict=True):
        leaves[i] = out
    return rebuild(leaves)


def _pull(g: list[Any], out: Any, values: Sequence[Any], static: dict[str, Any]) -> list[Any]:
    """Runs the function again, now recording, and goes backward through that as far as the Tensors it used."""
    for value in values:
        if isinstance(value, Overwritten):
            value._raise()
    (function, args, kwargs), state, used, places = (static[n] for n in ("_call", "_state", "_used", "_places"))
    present = None if state is None else random.get_rng_state()
    try:
        if state is not None:
            random.set_rng_state(state)
        with modes.enable_grad():
            leaves = flatten(function(*args, **kwargs))[0]
    finally:
        if present is not None:
            random.set_rng_state(present)
    expected = [tuple(o.shape) for o in (out if len(places) > 1 else [out])]
    again: list[Any] = [leaves[i] if i < len(leaves) else None for i in places]
    if [tuple(getattr(y, "shape", ())) for y in again] != expected or not all(isinstance(y, Node) for y in again):
        raise GraphError(
            f"checkpoint: run again, {getattr(function, '__name__', 'the function')} gave "
            f"{[describe(y) for y in again]} where it had given shapes {expected}; it must compute the same each time"
        )
    recording = any(isinstance(u, Node) for u in g)
    pairs = [(y, u) for y, u in zip(again, g, strict=True) if u is not None and y._requires_grad]
    sources = [x for x in used if x._requires_grad]
    if not pairs:
        return [None] * len(used)
    upstream = [wrap(u) if recording and not isinstance(u, Node) else u for _, u in pairs]
    found = run(
        [y for y, _ in pairs], upstream, inputs=sources, create_graph=recording, retain_graph=recording,
        stop=frozenset(sources),
    )  # fmt: skip
    return [not_owned(found.get(x)) for x in used]


_recompute = Joint("checkpoint", _pull, __name__, selects=True)
