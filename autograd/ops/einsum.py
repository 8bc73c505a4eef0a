"""Sums of products in Einstein's notation."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, describe
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .linalg import check_same_dtype
from .products import main_diagonal
from .reduction import reduce_sum
from .shape import permute_to, reshape_to

if TYPE_CHECKING:
    from ..tensor import Tensor

Labels = tuple[Any, ...]


@primitive(name="einsum")
def einsum_pair(xp, x, y, *, subscripts):
    """Σ x y over the labels that the result lacks; see ``einsum``.

    ``subscripts`` are the labels of x, of y and of the result. Each of x's is also one of y's or the result's,
    each of y's one of x's or the result's, and no operand has one twice: so the gradient is a product of this kind.
    """
    check_same_dtype("einsum", x, y)
    out = _contracted(xp, x, y, *subscripts)
    return out if out.ndim else out[()]


def _contracted(xp: Any, x: Any, y: Any, of_x: Labels, of_y: Labels, of_out: Labels) -> Any:
    """The one matrix product, over a batch, that the sum is."""
    shared = [c for c in of_x if c in of_y]
    summed = [c for c in shared if c not in of_out]
    if not summed:
        return _spread(xp, x, of_x, of_out) * _spread(xp, y, of_y, of_out)
    batch = [c for c in shared if c in of_out]
    rows = [c for c in of_x if c not in of_y]
    columns = [c for c in of_y if c not in of_x]
    size = {**dict(zip(of_x, x.shape, strict=True)), **dict(zip(of_y, y.shape, strict=True))}
    shape = [size[c] for c in batch]
    n, k, m = (math.prod(size[c] for c in labels) for labels in (rows, summed, columns))
    x = _ordered(xp, x, of_x, [*batch, *rows, *summed]).reshape((*shape, n, k))
    y = _ordered(xp, y, of_y, [*batch, *summed, *columns]).reshape((*shape, k, m))
    out = xp.matmul(x, y).reshape((*shape, *(size[c] for c in rows), *(size[c] for c in columns)))
    return _ordered(xp, out, (*batch, *rows, *columns), of_out)


def _ordered(xp: Any, x: Any, labels: Any, order: Any) -> Any:
    dims = tuple(labels.index(c) for c in order)
    return x if dims == tuple(range(len(dims))) else xp.transpose(x, dims)


def _spread(xp: Any, x: Any, labels: Labels, out: Labels) -> Any:
    """x with its dimensions in the order of the result's labels, and size 1 for those that it lacks."""
    order = [c for c in out if c in labels]
    x = _ordered(xp, x, labels, order)
    if len(order) == len(out):
        return x
    sizes = iter(x.shape)
    return x.reshape(tuple(next(sizes) if c in labels else 1 for c in out))


def _einsum_x(xp, g, out, x, y, *, subscripts):
    of_x, of_y, of_out = subscripts
    return _contracted(xp, g, y, of_out, of_y, of_x)


def _einsum_y(xp, g, out, x, y, *, subscripts):
    of_x, of_y, of_out = subscripts
    return _contracted(xp, g, x, of_out, of_x, of_y)


einsum_pair.grads(x=_einsum_x, y=_einsum_y)


@composed
def einsum(*args: Any) -> Tensor:
    """Σ of products of entries, the indices written as letters: ``einsum("ij,jk->ik", a, b)`` is a b.

    A letter names a dimension: it has one size wherever it stands (a size of 1 broadcasts), a letter that stands
    twice in one operand takes its diagonal, and the sum is over those that the result (behind ``->``) lacks. Without
    ``->`` the result has the letters that stand once, in alphabetical order. ``...`` stands for all other
    dimensions, which broadcast. Several operands are multiplied in pairs, each time the pair that leaves least.

    Arguments:
        equation: the letters of each operand, with commas between them, and those of the result.
        operands: as many Tensors, one by one or in a list. Instead of the equation each operand may be followed
            by a list of numbers for its letters, and the last one by those of the result.

    Raises ShapeError when sizes do not fit, ValueError for an equation that is none.

    >>> import autograd
    >>> a = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.einsum("ij,j->i", a, autograd.tensor([1.0, 1.0]))
    tensor([3., 7.])
    >>> autograd.einsum("ii", a)
    tensor(5.)
    """
    equation, operands = _arguments(args)
    for x in operands:
        if not isinstance(x, Node):
            raise DTypeError(f"einsum: wants Tensors, got {describe(x)}")
    terms, output = _parsed(equation, tuple(len(x.shape) for x in operands))
    size: dict[Any, int] = {}
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        for c, n in zip(term, x.shape, strict=True):
            if size.setdefault(c, n) != n and size[c] != 1 and n != 1:
                raise ShapeError(
                    f"einsum: {_named(c)} has size {size[c]} in one operand and {n} in operand {i} "
                    f"({equation!r} of shapes {' and '.join(str(tuple(o.shape)) for o in operands)})"
                )
            size[c] = n if size[c] == 1 else size[c]
    pending = []
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        elsewhere = {*output, *(c for j, other in enumerate(terms) if j != i for c in other)}
        pending.append(_plain(i, x, term, elsewhere, size))
    while len(pending) > 1:
        i, j = _cheapest(pending, output, size)
        (x, of_x), (y, of_y) = pending[i], pending[j]
        pending = [p for k, p in enumerate(pending) if k not in (i, j)]
        needed = {*output, *(c for _, term in pending for c in term)}
        kept = output if not pending else _result(of_x, of_y, needed)
        # What all of the others had with size 1 can have become a label of this pair alone.
        x, of_x = _summed(x, of_x, {*of_y, *kept})
        y, of_y = _summed(y, of_y, {*of_x, *kept})
        pending.append((einsum_pair(x, y, subscripts=(of_x, of_y, kept)), kept))
    x, term = pending[0]
    return permute_to(x, dims=tuple(term.index(c) for c in output))


def _arguments(args: tuple[Any, ...]) -> tuple[str, list[Any]]:
    if not args:
        raise TypeError("einsum: wants an equation and operands, got nothing")
    if isinstance(args[0], str):
        given = args[1] if len(args) == 2 and isinstance(args[1], (tuple, list)) else args[1:]
        return args[0], list(given)
    operands, lists = list(args[: len(args) // 2 * 2 : 2]), list(args[1::2])
    output = "->" + _letters(args[-1]) if len(args) % 2 else ""
    return ",".join(_letters(numbers) for numbers in lists) + output, operands


def _letters(numbers: Any) -> str:
    if not isinstance(numbers, (tuple, list)):
        raise DTypeError(f"einsum: wants an equation first, or a list of numbers behind each operand, got {numbers!r}")
    text = ""
    for n in numbers:
        if n is Ellipsis:
            text += "..."
        elif isinstance(n, int) and 0 <= n < 52:
            text += chr(ord("A") + n) if n < 26 else chr(ord("a") + n - 26)
        else:
            raise ValueError(f"einsum: a number for a dimension must be from 0 to 51, or Ellipsis, got {n!r}")
    return text


@functools.lru_cache(maxsize=1024)
def _parsed(equation: str, ndims: tuple[int, ...]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result: letters, and negative numbers for what ``...`` stands for."""
    text = equation.replace(" ", "")
    inputs, arrow, result = text.partition("->")
    parts = inputs.split(",")
    if len(parts) != len(ndims):
        raise ValueError(f"einsum: {equation!r} is about {len(parts)} operands, and {len(ndims)} were given")
    terms = []
    for i, (part, ndim) in enumerate(zip(parts, ndims, strict=True)):
        before, dots, after = part.partition("...")
        named = len(before) + len(after)
        if not all(c.isascii() and c.isalpha() for c in before + after):
            raise ValueError(f"einsum: {part!r} in {equation!r} has what is neither a letter nor '...'")
        if named > ndim or (named < ndim and not dots):
            raise ShapeError(f"einsum: operand {i} has {ndim} dimensions, and {part!r} in {equation!r} names {named}")
        terms.append((*before, *range(named - ndim, 0), *after))
    every = [c for term in terms for c in term]
    others = tuple(sorted({c for c in every if isinstance(c, int)}))
    if not arrow:
        return terms, (*others, *sorted(c for c in set(every) if isinstance(c, str) and every.count(c) == 1))
    before, dots, after = result.partition("...")
    output = (*before, *(others if dots else ()), *after)
    for c in (*before, *after):
        if c not in every:
            raise ValueError(f"einsum: the result has {_named(c)}, which no operand of {equation!r} has")
        if output.count(c) > 1:
            raise ValueError(f"einsum: the result of {equation!r} has {_named(c)} twice")
    return terms, output


def _named(label: Any) -> str:
    return f"letter {label!r}" if isinstance(label, str) else f"dimension {label} of '...'"


def _plain(i: int, x: Any, term: Labels, elsewhere: set[Any], size: dict[Any, int]) -> tuple[Any, Labels]:
    """x with diagonals taken, without dimensions of size 1 that broadcast, and summed over labels of its own."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            a = term.index(c)
            b = term.index(c, a + 1)
            if x.shape[a] != x.shape[b]:
                raise ShapeError(
                    f"einsum: {_named(c)} stands twice in operand {i}, whose sizes there are {x.shape[a]} and "
                    f"{x.shape[b]}; they must be equal"
                )
            x = main_diagonal(x, a, b)
            term = (*(t for d, t in enumerate(term) if d not in (a, b)), c)
    full = [d for d, c in enumerate(term) if x.shape[d] == size[c]]
    if len(full) < len(term):
        x = reshape_to(x, shape=tuple(x.shape[d] for d in full))
        term = tuple(term[d] for d in full)
    return _summed(x, term, elsewhere)


def _summed(x: Any, term: Labels, elsewhere: set[Any]) -> tuple[Any, Labels]:
    alone = tuple(d for d, c in enumerate(term) if c not in elsewhere)
    if not alone:
        return x, term
    return reduce_sum(x, axis=alone), tuple(c for c in term if c in elsewhere)


def _result(of_x: Labels, of_y: Labels, needed: set[Any]) -> Labels:
    """The labels of a pair's product in the order in which the matrix product leaves them."""
    batch = [c for c in of_x if c in of_y and c in needed]
    return (
        *batch,
        *(c for c in of_x if c not in of_y and c in needed),
        *(c for c in of_y if c not in of_x and c in needed),
    )


def _cheapest(pending: list[tuple[Any, Labels]], output: Labels, size: dict[Any, int]) -> tuple[int, int]:
    """The pair whose product is smallest beside what it replaces; of equals the one with fewer multiplications."""
    if len(pending) == 2:
        return 0, 1

    def entries(labels: Any) -> int:
        return math.prod(size[c] for c in labels)

    best = None
    for i in range(len(pending)):
        for j in range(i + 1, len(pending)):
            of_x, of_y = pending[i][1], pending[j][1]
            needed = {*output, *(c for k, (_, term) in enumerate(pending) if k not in (i, j) for c in term)}
            kept = _result(of_x, of_y, needed)
            cost = (entries(kept) - entries(of_x) - entries(of_y), entries({*of_x, *of_y}), i, j)
            best = cost if best is None else min(best, cost)
    assert best is not None
    return best[2], best[3]
