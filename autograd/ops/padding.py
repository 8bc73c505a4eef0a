"""Padding the last dimensions, with a value or with entries of the Tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from ..keywords import composed
from ..primitive import wrap
from .dims import sizes_of
from .elementwise import clone
from .indexing import add_at, getitem, setitem

if TYPE_CHECKING:
    from ..tensor import Tensor


@composed
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Tensor:
    """x with entries put before and after along its last dimensions.

    Arguments:
        input: a Tensor.
        pad: (before, after) of the last dimension, then of the one before it, and so on; negative to cut entries off.
        mode: ``"constant"``; ``"reflect"`` mirrors at the outermost entry without repeating it, ``"replicate"`` repeats
            it, and ``"circular"`` goes on at the other end.
        value: the constant, 0 by default.

    >>> import autograd
    >>> autograd.pad(autograd.tensor([1.0, 2.0, 3.0]), (1, 2), mode="circular")
    tensor([3., 1., 2., 3., 1., 2.])
    """
    widths = _widths(input, pad)
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}")
    if mode != "constant":
        if value is not None and value != 0:
            raise ValueError(f"pad: mode {mode!r} takes no value, got {value!r}")
        return _padded_with_own(input, widths, mode)
    kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, widths, strict=True))
    if any(a < 0 or b < 0 for a, b in widths):
        input = getitem(input, key=kept)
    shape = tuple(max(a, 0) + n + max(b, 0) for n, (a, b) in zip(input.shape, widths, strict=True))
    inner = tuple(slice(max(a, 0), max(a, 0) + n) for n, (a, _) in zip(input.shape, widths, strict=True))
    if shape == tuple(input.shape):
        return clone(input)
    if value is None or (isinstance(value, (int, float)) and value == 0):
        return add_at(input, key=inner, shape=shape)
    return setitem(wrap(np.full(shape, value, input.dtype)), input, key=inner)


def _widths(x: Any, pad: Any) -> list[tuple[int, int]]:
    given = sizes_of("pad", (pad if isinstance(pad, (list, tuple)) else (pad,),))
    if len(given) % 2 or len(given) > 2 * x.ndim:
        raise ShapeError(
            f"pad: wants (before, after) for some of the last dimensions, so an even number of sizes and at most "
            f"{2 * x.ndim} for shape {tuple(x.shape)}; got {given}"
        )
    widths = [(given[i], given[i + 1]) for i in range(0, len(given), 2)][::-1]
    widths = [(0, 0)] * (x.ndim - len(widths)) + widths
    for d, (n, (a, b)) in enumerate(zip(x.shape, widths, strict=True)):
        if n + a + b < 0 or max(-a, 0) + max(-b, 0) > n:
            raise ShapeError(f"pad: {(a, b)} cuts more off dim {d} than its size {n}")
    return widths


def _padded_with_own(x: Any, widths: list[tuple[int, int]], mode: str) -> Any:
    out = x
    for d, (n, (a, b)) in enumerate(zip(x.shape, widths, strict=True)):
        most = {"reflect": n - 1, "circular": n, "replicate": a if n else 0}[mode]
        if max(a, b) > max(most, 0) and (mode != "replicate" or not n):
            raise ShapeError(
                f"pad: mode {mode!r} can put at most {max(most, 0)} entries on either side of dim {d} of size {n}, "
                f"got {(a, b)}"
            )
        if a or b:
            at = np.arange(-a, n + b)
            if mode == "replicate":
                at = at.clip(0, n - 1)
            elif mode == "circular":
                at %= n
            else:
                at = np.abs(at)
                at = np.where(at >= n, 2 * (n - 1) - at, at)
            out = getitem(out, key=(*(slice(None),) * d, at) if d else at)
    return clone(x) if out is x else out
