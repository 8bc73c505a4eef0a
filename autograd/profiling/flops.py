"""How many floating-point operations an operation and its gradient take, counted from shapes.

A multiply-add counts 2. The classes, of which every primitive has one:

- products (matrix products, ``linear``, ``einsum``, convolutions and their transposes, distances): their multiply-adds,
  those with the zeros of a padding among them. A bias, which is added into the result, counts nothing. The gradient of
  either factor is a product of as many; that of a bias adds up 1 for each entry of the upstream gradient.
- attention: its two products and a softmax, backward the four products and the softmax's gradient.
- scans (RNN, GRU, LSTM): the multiply-adds of their products; not the entries of their gates. Backward the loop has as
  many as forward, and the gradient of the weights as many again.
- decompositions and solutions of systems: the textbook counts, to the leading order (Golub and Van Loan, Matrix
  Computations); the gradient of those that are not written out here counts twice the forward, which is an estimate.
- windows: each entry of the result 1 for each entry of its kernel, backward as many.
- views count nothing, and moves (copies, ``cat``, indexing) neither. The gradient of a move whose entries can be read
  more than once adds 1 for each entry of the upstream gradient.
- all others, elementwise ones, reductions, sorting, normalization: 1 for each entry of the largest among inputs and
  result, whatever is computed with it; backward 1 for each entry of the larger of upstream and downstream gradient, and
  nothing where the upstream gradient is handed on as it is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..primitive import Primitive, registry

__all__ = ["Asked", "backward", "forward", "kind", "multiply_adds", "reads_all"]

Shape = tuple[int, ...]


class Asked(NamedTuple):
    """A gradient that a rule was asked for: of which input, how many entries came in and went out, all of them new?"""

    input: int
    upstream: int
    downstream: int
    new: bool


def _labelled(shapes: Sequence[Shape], out: Shape, how: Mapping[str, Any]) -> int:
    sizes: dict[Any, int] = {}
    for labels, shape in zip(how["subscripts"], shapes, strict=False):
        sizes.update(zip(labels, shape, strict=True))
    return math.prod(sizes.values())


# Multiply-adds, from the shapes of the inputs, that of the (first) result, and the other arguments.
_PRODUCTS: dict[str, Callable[[Sequence[Shape], Shape, Mapping[str, Any]], int]] = {
    "matmul": lambda x, out, how: math.prod(out) * x[0][-1],
    "linear": lambda x, out, how: math.prod(out) * x[1][1],
    "einsum_pair": _labelled,
    "convolve": lambda x, out, how: math.prod(out) * math.prod(x[1][1:]),
    "convolve_back": lambda x, out, how: math.prod(x[0]) * math.prod(x[1][1:]),
    "correlate": lambda x, out, how: math.prod(x[1]) * math.prod(out[1:]),
    "attend": lambda x, out, how: _scores(x, out) * (x[0][-1] + out[-1]),
    "euclidean_distances": lambda x, out, how: math.prod(out) * x[0][-1],
}
_BIASED = frozenset({"linear", "convolve"})

# Rows and weights of the scans: rnn and gru have x, weight, h; lstm a projection too.
_SCANS = frozenset({"rnn_scan", "gru_scan", "lstm_scan"})
_PROJECTION = 4


def _cube(a: Shape) -> int:
    return math.prod(a[:-2]) * a[-1] ** 3


def _square_times_columns(x: Sequence[Shape], out: Shape) -> int:
    return math.prod(out) * x[0][-1]


def _tall(a: Shape) -> tuple[int, int, int]:
    """How many matrices, their longer side and their shorter one."""
    return math.prod(a[:-2]), max(a[-2:]), min(a[-2:])


def _qr(a: Shape) -> int:
    count, m, n = _tall(a)
    return count * (4 * m * n * n - 4 * n**3 // 3)  # with Q written out


def _svd(a: Shape) -> int:
    count, m, n = _tall(a)
    return count * (14 * m * n * n + 8 * n**3)


_DECOMPOSITIONS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    "inverse_of": lambda x, out: 2 * _cube(x[0]),
    "solve_systems": lambda x, out: 2 * _cube(x[0]) // 3 + 2 * _square_times_columns(x, out),
    "solve_triangular_systems": lambda x, out: _square_times_columns(x, out),
    "cholesky_factor": lambda x, out: _cube(x[0]) // 3,
    "determinant": lambda x, out: 2 * _cube(x[0]) // 3,
    "sign_and_log_determinant": lambda x, out: 2 * _cube(x[0]) // 3,
    "cofactor_matrix": lambda x, out: _svd(x[0]),
    "qr_factors": lambda x, out: _qr(x[0]),
    "singular_values_and_vectors": lambda x, out: _svd(x[0]),
    "symmetric_eigen": lambda x, out: 9 * _cube(x[0]),
    "pseudoinverse": lambda x, out: _svd(x[0]) + 2 * math.prod(x[0]) * min(x[0][-2:]),
    "matrix_exponential": lambda x, out: 12 * _cube(x[0]) + 8 * _cube(x[0]) // 3,  # without the squarings
}

_WINDOWS = frozenset({"window_sum", "max_windows", "max_places", "overlap_add"})
_MOVES = frozenset({
    "add_at", "clone", "concatenate", "embed_diagonal", "flip_along", "gather", "lookup", "pick", "setitem",
    "sliding_windows", "stack_along", "take_places", "to",
})  # fmt: skip
# Moves that may read one entry more than once, so that their gradients add up.
_READ_AGAIN = frozenset({"gather", "lookup", "sliding_windows", "take_places"})
# What is neither elementwise nor any of these, by name, so that what is new has to be put somewhere.
_ENTRIES = frozenset({
    "reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_argmax", "reduce_argmin", "reduce_all",
    "reduce_any", "reduce_var", "reduce_norm", "reduce_prod", "reduce_logsumexp", "reduce_median", "softmax_along",
    "log_softmax_along", "softmax_cross_entropy", "masked_softmax", "scan_sum", "scan_prod", "scan_logsumexp",
    "scan_argmax", "scan_argmin", "linear_recurrence", "extreme_at", "sort_order", "top_order", "search_sorted",
    "standardize", "scale_to_unit", "scale_gradient",
})  # fmt: skip


def _name(op: Primitive) -> str:
    return getattr(op.forward, "__name__", "")  # a partial function has none


@functools.lru_cache(2000)  # and no more, so that operations of one's own can go
def kind(op: Primitive) -> str:
    """The class of ``op``: "product", "scan", "decomposition", "window", "view", "move", "entries"; "" for none.

    Operations of one's own count by entries; a ``Function`` and ``checkpoint`` are made of operations, and count
    nothing themselves.

    >>> import autograd
    >>> kind(autograd.matmul), kind(autograd.exp)
    ('product', 'entries')
    """
    if getattr(op, "forward", None) is None:
        return "made of others"
    name = _name(op)
    if registry.get(name) is not op:
        return "view" if op.view else "entries"
    classes = (
        (_PRODUCTS, "product"), (_SCANS, "scan"), (_DECOMPOSITIONS, "decomposition"), (_WINDOWS, "window"),
        (_MOVES, "move"),
    )  # fmt: skip
    for names, what in classes:
        if name in names:
            return what
    return "view" if op.view else "entries" if op.elementwise or name in _ENTRIES else ""


def reads_all(op: Primitive) -> bool:
    """Whether the gradient of an input needs the other inputs, as that of a product does."""
    return kind(op) in ("product", "scan", "decomposition")


def _products_of_scan(shapes: Sequence[Shape], weight: int) -> int:
    return shapes[0][0] * math.prod(shapes[weight])


def _projects(op: Primitive, shapes: Sequence[Shape]) -> bool:
    return op.forward.__name__ == "lstm_scan" and len(shapes) > _PROJECTION and bool(shapes[_PROJECTION])


def _under(name: str, shapes: Sequence[Shape], out: Shape, how: Mapping[str, Any]) -> int:
    """Entries that the windows of an op have together."""
    if name == "window_sum":
        return math.prod(out) * math.prod(how["kernel"])
    if name == "overlap_add":
        return math.prod(shapes[0])
    return math.prod(out) * math.prod(line.width for line in how["reach"])


def multiply_adds(op: Primitive, shapes: Sequence[Shape], outs: Sequence[Shape], static: Mapping[str, Any]) -> int:
    """Multiply-adds of the products that ``op`` is made of, 0 if it is made of none; arguments as of ``forward``.

    >>> import autograd
    >>> multiply_adds(autograd.matmul, [(2, 3), (3, 5)], [(2, 5)], {}), multiply_adds(autograd.exp, [(2,)], [(2,)], {})
    (30, 0)
    """
    what = kind(op)
    if what == "product":
        return _PRODUCTS[op.forward.__name__](shapes, outs[0], static)
    if what == "scan":
        return _products_of_scan(shapes, 1) + (_products_of_scan(shapes, _PROJECTION) if _projects(op, shapes) else 0)
    return 0


def forward(op: Primitive, shapes: Sequence[Shape], outs: Sequence[Shape], static: Mapping[str, Any]) -> int:
    """FLOPs of computing ``op`` from inputs of ``shapes``, () for numbers, with results of shapes ``outs``.

    >>> import autograd
    >>> forward(autograd.matmul, [(2, 3), (3, 5)], [(2, 5)], {})
    60
    """
    what = kind(op)
    if what in ("view", "move", "made of others"):
        return 0
    name = _name(op)
    if what in ("product", "scan"):
        inside = _scores(shapes, outs[0]) if name == "attend" else 0  # the softmax between the two products
        return 2 * multiply_adds(op, shapes, outs, static) + inside
    if what == "decomposition":
        return _DECOMPOSITIONS[name](shapes, outs[0])
    if what == "window":
        return _under(name, shapes, outs[0], static)
    return max((math.prod(shape) for shape in (*shapes, *outs)), default=0)


def backward(
    op: Primitive, asked: Sequence[Asked], shapes: Sequence[Shape], outs: Sequence[Shape], static: Mapping[str, Any]
) -> int:
    """FLOPs of the gradients that were asked for in one visit of the backward pass.

    >>> import autograd
    >>> both = [Asked(0, 10, 6, True), Asked(1, 10, 15, True)]
    >>> backward(autograd.matmul, both, [(2, 3), (3, 5)], [(2, 5)], {})
    120
    """
    what = kind(op)
    if not asked or what == "made of others":
        return 0
    name = _name(op)
    if what in ("view", "move"):
        return sum(a.upstream for a in asked if a.new and (_adds(name, static) or a.downstream < a.upstream))
    if name == "attend" and what == "product":
        return _back_through_attention({a.input for a in asked}, shapes, outs[0])
    if what == "product":
        once = 2 * _PRODUCTS[name](shapes, outs[0], static)
        return sum(a.upstream if name in _BIASED and a.input == 2 else once for a in asked)
    if what == "scan":
        return _back_through_scan(op, {a.input for a in asked}, shapes)
    if what == "decomposition":
        return _back_through_decomposition(name, [a.input for a in asked], shapes, outs[0])
    if what == "window":
        return sum(_under(name, shapes, outs[0], static) for _ in asked)
    return sum(max(a.upstream, a.downstream) for a in asked if a.new)


def _adds(name: str, static: Mapping[str, Any]) -> bool:
    if name == "getitem":
        key = static.get("key")
        parts = key if isinstance(key, tuple) else (key,)
        return any(getattr(part, "ndim", 0) and part.dtype.kind in "iu" for part in parts)
    return name in _READ_AGAIN


def _scores(shapes: Sequence[Shape], out: Shape) -> int:
    """Entries of the matrices of attention: of each query with each key."""
    return math.prod(out[:-1]) * shapes[1][-2]


def _back_through_attention(asked: set[int], shapes: Sequence[Shape], out: Shape) -> int:
    scores, size, wide = _scores(shapes, out), shapes[0][-1], out[-1]
    inside = scores * (2 * wide + 1) if asked - {2} else 0  # to the scores, which the value does not need
    return inside + 2 * scores * (size * len(asked & {0, 1}) + wide * len(asked & {2}))


def _back_through_scan(op: Primitive, asked: set[int], shapes: Sequence[Shape]) -> int:
    count = _products_of_scan(shapes, 1) * (2 if 1 in asked else 1)
    if _projects(op, shapes):
        count += _products_of_scan(shapes, _PROJECTION) * (2 if _PROJECTION in asked else 1)
    return 2 * count


def _back_through_decomposition(name: str, asked: Sequence[int], shapes: Sequence[Shape], out: Shape) -> int:
    if name == "inverse_of":
        return 4 * _cube(shapes[0])
    if name in ("solve_systems", "solve_triangular_systems"):
        once, product = _DECOMPOSITIONS[name](shapes, out), 2 * _square_times_columns(shapes, out)
        return sum(once + (product if index == 0 else 0) for index in asked)
    return 2 * _DECOMPOSITIONS[name](shapes, out)
