"""Rows of a table looked up by number, singly and summed over bags; and the bilinear map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DTypeError, GraphError, ShapeError, describe
from ..inplace import write
from ..keywords import composed
from ..modes import no_grad
from ..node import Node
from ..primitive import primitive, wrap
from .elementwise import where
from .indexing import add_at, getitem, setitem
from .linalg import check_same_dtype, matmul
from .reduction import max as max_along
from .reduction import norm
from .shape import permute, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["bilinear", "embedding", "embedding_bag"]


@primitive
def scale_gradient(xp, x, factor):
    """x itself; the gradient that flows back is multiplied by ``factor``, which is a constant.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> autograd.scale_gradient(x, autograd.tensor([1.0, 0.5])).sum().backward(); x.grad
    tensor([1.0000, 0.5000])
    """
    return x + xp.zeros_like(x)


scale_gradient.grads(x=lambda xp, g, out, x, factor: g * factor)


# The gradient of a table with more entries, and so many more rows than are looked up, is filled in only when needed.
LARGE, TIMES = 1 << 18, 4


@primitive
def lookup(xp, x, *, key, skipped=None, sparse=True):
    """x[key], whose gradient consists of the rows that were named; row number ``skipped`` gets none.

    Where x is a leaf its ``.grad`` is sparse, or with ``sparse=False`` dense as soon as it is looked at.

    >>> import autograd
    >>> x = autograd.zeros(5, 2, requires_grad=True)
    >>> lookup(x, key=np.array([3, 0])).sum().backward(); x.grad.coalesce().indices()
    tensor([[0, 3]])
    """
    return xp.index(x, key)


lookup.grads(x=lambda xp, g, out, x, *, key, skipped=None, sparse=True: xp.add_rows(g, key, x.shape, skipped, sparse))


@composed
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` that ``input`` names: weight[input].

    Arguments:
        input: integer Tensor of any shape, entries in [0, rows).
        weight: (rows, dim).
        padding_idx: a row that gets no gradient.
        max_norm: rows that are named and have a larger norm are first scaled down to it, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often the row is named.
        sparse: keep of the gradient of a leaf ``weight`` only the rows that were named: ``weight.grad.is_sparse``.

    Returns (*input.shape, dim).

    >>> import autograd
    >>> autograd.embedding(autograd.tensor([2, 0]), autograd.eye(3))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    key = _rows("embedding", input, weight)
    rows = weight.shape[0]
    if max_norm is not None:
        _limit("embedding", weight, key, max_norm, norm_type)
    skipped = None if padding_idx is None else _padding("embedding", padding_idx, rows)
    # Rules further back take dense gradients only.
    as_rows = weight.is_leaf and (sparse or _is_large(weight, key))
    out = lookup(weight, key=key, skipped=skipped, sparse=sparse) if as_rows else getitem(weight, key=key)
    if scale_grad_by_freq:
        out = scale_gradient(out, _inverse_counts(key, weight))
    if skipped is None or as_rows:
        return out
    padding = (input == skipped).unsqueeze(-1)
    return where(padding, out.detach(), out)


def _is_large(weight: Any, key: Any) -> bool:
    return weight._array.size > LARGE and weight.shape[0] > TIMES * key.size


def _rows(name: str, input: Any, weight: Any) -> Any:
    """The numbers in ``input`` as an array, checked."""
    if not isinstance(input, Node) or input.dtype.kind not in "iu":
        raise DTypeError(f"{name}: input must be an integer Tensor of row numbers, got {describe(input)}")
    if weight.ndim != 2:
        raise ShapeError(f"{name}: weight must be (rows, dim), got shape {tuple(weight.shape)}")
    rows = weight.shape[0]
    key = input._array
    if isinstance(key, (np.ndarray, np.generic)):
        key = np.asarray(key)
        if key.size and not (key.min() >= 0 and key.max() < rows):
            bad = key.max() if key.max() >= rows else key.min()
            raise IndexError(f"{name}: row {bad} is out of range for a weight of {rows} rows (0 to {rows - 1})")
    return key


def _padding(name: str, padding_idx: int, rows: int) -> int:
    if not -rows <= padding_idx < rows:
        raise IndexError(f"{name}: padding_idx {padding_idx} is out of range for {rows} rows")
    return padding_idx % rows


def _concrete(name: str, what: str, key: Any) -> np.ndarray:
    if not isinstance(key, (np.ndarray, np.generic)):
        raise GraphError(
            f"{name}: {what} depends on the values of integers, which are not known inside a compiled function; "
            "call it outside"
        )
    return np.asarray(key)


def _limit(name: str, weight: Any, key: Any, max_norm: float, norm_type: float) -> None:
    named = np.unique(_concrete(name, "max_norm", key))
    with no_grad():
        chosen = getitem(weight, key=named)
        size = norm(chosen, norm_type, 1, True)
        # The small number is PyTorch's: it keeps rounding from leaving the row above the limit.
        smaller = where(size > max_norm, chosen * (max_norm / (size + 1e-7)), chosen)
        write(weight, setitem(weight, smaller, key=named), name)


def _inverse_counts(key: Any, weight: Any) -> Tensor:
    """1 / how often each row of ``key`` is named, with a dimension to go with the rows' entries."""
    with no_grad():
        counts = add_at(wrap(np.ones(key.shape, weight.dtype)[()]), key=key, shape=(weight.shape[0],))
        return (1 / getitem(counts, key=key)).unsqueeze(-1)


@composed
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum over bags of the rows of ``weight`` that ``input`` names; an empty bag gives 0.

    Arguments:
        input: integers, (B, n) for B bags of n rows each, or (total,) with offsets.
        weight: (rows, dim).
        offsets: (B,), where each bag begins in a 1-d input; the first is 0.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in ``embedding``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        per_sample_weights: of input's shape, multiplies the rows; with ``"sum"`` only.
        include_last_offset: whether offsets has one entry more, the end of the last bag.
        padding_idx: a row that counts nothing and gets no gradient.

    Returns (B, dim).

    >>> import autograd
    >>> autograd.embedding_bag(autograd.tensor([0, 1, 2]), autograd.eye(3), autograd.tensor([0, 2]), mode="sum")
    tensor([[1., 1., 0.],
            [0., 0., 1.]])
    """
    name = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{name}: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if sparse and (scale_grad_by_freq or mode == "max"):
        raise ValueError(
            f"{name}: sparse gradients go with mode 'sum' and 'mean' and without scale_grad_by_freq; leave sparse=False"
        )
    key = _rows(name, input, weight)
    if per_sample_weights is not None:
        if mode != "sum":
            raise ValueError(f"{name}: per_sample_weights go with mode='sum', got {mode!r}")
        if per_sample_weights.shape != input.shape:
            raise ShapeError(
                f"{name}: per_sample_weights must have input's shape {tuple(input.shape)}, got "
                f"{tuple(per_sample_weights.shape)}"
            )
    places, longest = _bags(name, input, key, offsets, include_last_offset)
    count = input.shape[0] if offsets is None else offsets.shape[0] - include_last_offset
    if max_norm is not None:
        _limit(name, weight, key, max_norm, norm_type)
    key = key.reshape(-1)
    out = lookup(weight, key=key) if sparse and weight.is_leaf else getitem(weight, key=key)  # (total, dim)
    if scale_grad_by_freq:
        out = scale_gradient(out, _inverse_counts(key, weight))
    if per_sample_weights is not None:
        check_same_dtype(name, weight, per_sample_weights)
        out = out * per_sample_weights.reshape(-1, 1)
    counts: Any = None
    if padding_idx is not None:
        counts = (input != _padding(name, padding_idx, weight.shape[0])).reshape(-1)
    if mode == "max":
        return _largest(out, counts, places, count, longest)
    if counts is not None:
        out = where(counts.unsqueeze(1), out, 0)
    bags = places[0]
    total = add_at(out, key=bags, shape=(count, weight.shape[1]))
    if mode == "sum":
        return total
    ones = wrap(np.ones(len(bags), weight.dtype)) if counts is None else counts.to(weight.dtype)
    sizes = add_at(ones, key=bags, shape=(count,))
    return total / where(sizes == 0, 1, sizes).unsqueeze(1)


def _bags(name: str, input: Any, key: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """For each named row the number of its bag and its place in it, and the size of the largest bag."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"{name}: offsets go with a 1-d input; in one of 2 dimensions, {tuple(input.shape)}, each row is a bag"
            )
        bags, places = np.indices(input.shape).reshape(2, -1)
        return (bags, places), input.shape[1]
    if input.ndim != 1 or offsets is None:
        raise ShapeError(
            f"{name}: input must be (B, n), or (total,) with offsets, got shape {tuple(input.shape)} and offsets "
            f"{None if offsets is None else describe(offsets)}"
        )
    starts = _concrete(name, "offsets", offsets._array)
    total = input.shape[0]
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise DTypeError(f"{name}: offsets must be a 1-d Tensor of integers, got {describe(offsets)}")
    ends = starts[1:] if include_last_offset or not starts.size else np.append(starts[1:], total)
    starts = starts[: len(ends)]
    if (starts.size and starts[0] != 0) or (ends < starts).any() or (ends.size and ends[-1] > total):
        raise ValueError(
            f"{name}: offsets must begin with 0 and rise to at most {total}, the length of the input, got "
            f"{offsets.tolist()}"
        )
    sizes = ends - starts
    if sizes.sum() < total:  # entries after the last offset belong to no bag
        raise ValueError(
            f"{name}: the bags end at {int(ends[-1]) if ends.size else 0}, and the input has {total} entries"
        )
    bags = np.repeat(np.arange(len(sizes)), sizes)
    return (bags, np.arange(total) - starts[bags]), int(sizes.max(initial=0))


def _largest(out: Any, counts: Any, places: Any, count: int, longest: int) -> Tensor:
    """The maximum over each bag: bags are padded to one size with −∞, and −∞ alone gives 0."""
    if counts is not None:
        out = where(counts.unsqueeze(1), out, -np.inf)
    if not longest:
        return wrap(np.zeros((count, out.shape[1]), out.dtype))
    grid = wrap(np.full((count, longest, out.shape[1]), -np.inf, out.dtype))
    top = max_along(setitem(grid, out, key=places), 1)[0]
    return where(top == -np.inf, 0, top)


@composed
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x₁ᵀ W_o x₂ + b_o for each output o.

    Arguments:
        input1: (…, in1), input2: (…, in2), of the same leading sizes.
        weight: (out, in1, in2).
        bias: (out,), or None.

    Returns (…, out).

    >>> import autograd
    >>> autograd.bilinear(autograd.ones(2, 3), autograd.ones(2, 4), autograd.ones(5, 3, 4)).shape
    (2, 5)
    """
    if (
        weight.ndim != 3
        or not input1.ndim
        or tuple(input1.shape[:-1]) != tuple(input2.shape[:-1])
        or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:])
    ):
        raise ShapeError(
            f"bilinear: input1 (…, in1), input2 (…, in2) and weight (out, in1, in2) do not fit: got "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(weight.shape)}"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(f"bilinear: bias must have shape ({weight.shape[0]},), got {tuple(bias.shape)}")
    outs, in1, in2 = weight.shape
    turned = permute(weight, 1, 0, 2).reshape(in1, outs * in2)
    half = matmul(input1, turned).reshape(*input1.shape[:-1], outs, in2)  # (…, out, in2)
    out = matmul(half, unsqueeze(input2, -1)).squeeze(-1)
    return out if bias is None else out + bias
