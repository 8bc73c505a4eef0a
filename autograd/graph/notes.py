"""What an operation does to the gradient that flows back through it, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .trace import Edge, Vertex

_SWITCHES = "× switches: each input gets the upstream gradient times the other input"
_ROUTES_SLICE = "max routes: within each slice only the chosen entry gets the upstream gradient"
_SATURATES = "it saturates: where the result is near its ends, the local gradient is near 0"
_REARRANGES = "it only rearranges: each entry's gradient goes back to where the entry came from"
_ROUNDS = "it is flat between its jumps, so the local gradient is 0"

_BIAS = "a bias is added to every row and place, so it gets the sum of their upstream gradients"

_NOTES = {
    "add": "+ distributes: each input gets the upstream gradient as it is",
    "sub": "− distributes: the first input gets the upstream gradient as it is, the second with its sign turned",
    "neg": "the sign turns",
    "mul": _SWITCHES,
    "div": "the upper input gets the upstream gradient divided by the lower one",
    "matmul": "× switches, as matrices: each input gets the upstream gradient times the other one, transposed",
    "linear": "× switches, as matrices: weight and input each get the upstream gradient times the other one",
    "linear bias": _BIAS,
    "conv": "× switches, under a moving window: kernel and input each get the upstream gradient times the other one",
    "conv bias": _BIAS,
    "einsum": "× switches: each input gets the upstream gradient times the other one, summed over the rest",
    "sum": "a sum distributes: each entry gets the upstream gradient as it is",
    "mean": "a mean distributes: each of n entries gets 1/n of the upstream gradient",
    "amax": _ROUTES_SLICE,
    "amin": _ROUTES_SLICE.replace("max", "min"),
    "max_pool": "max routes: of each window only the largest entry gets the upstream gradient",
    "median": "it routes: only the entry in the middle gets the upstream gradient",
    "relu": "relu is a gate: open where the input is above 0, shut elsewhere",
    "leaky_relu": "a gate that never shuts: where the input is below 0, a small part passes",
    "where": "it routes: each entry's gradient goes to the input that the entry was taken from",
    "clamp": "a gate: open within the bounds, shut beyond",
    "hardtanh": "a gate: open within the bounds, shut beyond",
    "sigmoid": _SATURATES, "tanh": _SATURATES,
    "exp": "the slope of exp is its own result",
    "softmax": "the entries share a sum of 1: each one's gradient is measured against their weighted mean",
    "cross_entropy": "probabilities minus target: what is too high is pushed down",
    "binary_cross_entropy_with_logits": "probability minus target: what is too high is pushed down",
    "reshape": _REARRANGES, "permute": _REARRANGES, "flip": _REARRANGES,
    "expand": "a value that was repeated gets the sum over its copies",
    "cat": "each part gets its part of the gradient back",
    "stack": "each part gets its part of the gradient back",
    "split": "the gradients of the parts are put together again, with 0 for parts that nothing used",
    "pick": "the gradient of one of several results, on its way to the operation that gave them",
    "getitem": "it routes: the entries that were read get the gradient, the others 0",
    "gather": "it routes: the entries that were read get the gradient, the others 0",
    "lookup": "it routes: the rows that were looked up get the gradient, added where one was looked up twice",
    "setitem": "what was overwritten gets 0, what was written its part",
    "floor": _ROUNDS, "ceil": _ROUNDS, "round": _ROUNDS, "trunc": _ROUNDS, "sign": _ROUNDS,
    "clone": "a copy: the gradient passes as it is",
    "to": "another dtype: the gradient passes as it is",
}  # fmt: skip


def note(vertex: Vertex, edge: Edge, names: Mapping[str, str], summed: bool) -> str:
    """A sentence on what ``vertex``'s rule does with the upstream gradient; empty where there is no more to say.

    ``summed`` says that the input was broadcast, so that the gradients of its copies are added up.
    """
    text = _NOTES.get(f"{vertex.operation} {edge.argument}") or _NOTES.get(vertex.operation or "", "")
    if vertex.operation in ("maximum", "minimum"):
        text = _routed(vertex.operation, edge, names)
    parts = [
        text,
        "it was broadcast, so the gradients of its copies add up" if summed else "",
        "its value was overwritten in place since" if vertex.overwritten else "",
        "an upstream gradient of 0 stays 0 through an infinite slope" if _silenced(edge) else "",
    ]
    return "; ".join(filter(None, parts))


def _silenced(edge: Edge) -> bool:
    up, local = edge.upstream, edge.local
    if up is None or local is None or up.entries is None or local.entries is None:
        return False
    return bool(np.any((up.entries == 0) & np.isinf(local.entries)))


def _routed(operation: str, edge: Edge, names: Mapping[str, str]) -> str:
    word, better = ("max", "larger") if operation == "maximum" else ("min", "smaller")
    text = f"{word} routes: the upstream gradient goes to the {better} input, and the other one gets 0"
    if edge.local is None or edge.local.entries is None or edge.local.entries.size != 1:
        return text
    share = float(edge.local.entries.reshape(()))
    what = {1.0: f"is the {better} one", 0.0: f"is not the {better} one", 0.5: "ties, so each gets half"}.get(share)
    return text if what is None else f"{text}; {names.get(edge.argument, edge.argument)} {what}"
