"""Rows of the running results along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd

CASES = [((3,), 0), ((1,), 0), ((2, 3), 1), ((3, 2), 0), ((2, 3, 2), 1), ((0, 3), 1), ((0, 3), 0)]


def samples(word: str, *, scalar: bool = True, zeros: bool = False, cases: Any = CASES, **static: Any) -> list[Sample]:
    """Arrays scanned along one dimension, given as ``word``; with ``zeros`` some have one or two in a row."""
    found = [Sample(tuple(draw(shape, seed=i)), {word: d, **static}) for i, (shape, d) in enumerate(cases)]
    (x,) = draw((4, 3), seed=30)
    found.append(Sample((x[::-1, ::-2],), {word: 0, **static}))
    if scalar:
        found.append(Sample(tuple(draw(())), {word: 0, **static}))
    if zeros:
        (y,) = draw((3, 4), seed=31)
        y[1, 1] = y[2, 0] = y[2, 3] = 0
        found += [Sample((y,), {word: 1, **static}), Sample((y[2],), {word: 0, **static})]
    return found


def accumulated(ufunc: Any) -> Any:
    return lambda x, axis: ufunc.accumulate(x, axis) if x.ndim else x


def place(x: Any, axis: int, extreme: Any) -> Any:
    """The index of the running extreme, of which no two entries are equal."""
    if not x.ndim:
        return np.int64(0)
    out = np.empty(x.shape, np.int64)
    for i in range(x.shape[axis]):
        upto = np.take(x, range(i + 1), axis)
        out[(*(slice(None),) * axis, i)] = extreme(upto, axis)
    return out


def flipped(scan: Any) -> Any:
    return lambda x, axis, reverse: np.flip(scan(np.flip(x, axis), axis), axis)


def flipped_torch(name: str) -> Any:
    return lambda torch, x, axis, reverse: getattr(torch, name)(x.flip(axis), axis).flip(axis)


def recurrence(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    """The definition, entry by entry; of NumPy's arrays and PyTorch's tensors."""
    n = b.shape[axis]
    rows, level = [None] * n, 0.0
    for t in range(n)[:: -1 if reverse else 1]:
        at = (*(slice(None),) * axis, slice(t, t + 1))
        rows[t] = level = b[at] + a[at] * level
    if not n:
        return a + b
    return np.concatenate(rows, axis) if isinstance(b, np.ndarray) else _cat(rows, axis)


def _cat(rows: Any, axis: int) -> Any:
    import torch

    return torch.cat(rows, axis)


RECURRENCE = [
    Sample(tuple(draw(shape, shape, seed=i)), {"axis": axis, "reverse": bool(reverse)})
    for i, (shape, axis, reverse) in enumerate(
        [((4,), 0, 0), ((4,), 0, 1), ((1,), 0, 1), ((3, 2), 0, 0), ((2, 3), 1, 1), ((2, 3, 2), 1, 0), ((0,), 0, 0)]
    )
]


def trapezoids(y: Any, x: Any = None, *, dx: Any = 1.0, dim: int = -1) -> Any:
    heights = np.moveaxis(y, dim, -1)
    widths = dx if x is None else np.diff(x if x.ndim == 1 else np.moveaxis(x, dim - y.ndim if dim > 0 else dim, -1))
    return (heights[..., 1:] + heights[..., :-1]) / 2 * widths


INTEGRALS = [
    Sample(tuple(draw((4,)))),
    Sample(tuple(draw((1,)))),
    Sample(tuple(draw((2, 3))), {"dx": 0.5, "dim": 0}),
    Sample(tuple(draw((2, 3), (3,))), {"dim": 1}),
    Sample(tuple(draw((2, 3), (2,))), {"dim": 0}),
    Sample(tuple(draw((2, 3, 2), (3, 2), seed=2)), {"dim": 1}),
]

PRODUCTS = [
    ((), None),
    ((3,), None),
    ((1,), (0,)),
    ((2, 3), None),
    ((3, 2), (0,)),
    ((2, 3, 2), (0, 2)),
    ((0, 3), (1,)),
    ((0, 3), (0,)),
]


def products(word: str, *, tuples: bool) -> list[Sample]:
    keep = "keepdims" if word == "axis" else "keepdim"
    found = []
    for i, (shape, axis) in enumerate(PRODUCTS):
        if not tuples and axis is not None and len(axis) > 1:
            continue
        given = axis if tuples or axis is None else axis[0]
        found += [
            Sample(tuple(draw(shape, seed=i)), {word: given, keep: kept}) for kept in (False, True) if given or not kept
        ]
    (y,) = draw((4, 3), seed=31)
    y[1, 1] = y[2, 0] = y[2, 2] = 0
    found += [
        Sample((y,), {word: (1,) if tuples else 1, keep: True}),
        Sample((y[::-1, ::-2],), {word: None, keep: False}),
    ]
    return found


def torch_prod(torch: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    dims = tuple(range(x.ndim)) if axis is None else axis
    for d in sorted(dims, reverse=True):
        x = x.prod(d, keepdims)
    return x


def call(name: str) -> Any:
    """The public function with ``dim`` by place, as PyTorch has it."""
    return lambda x, dim, **static: getattr(autograd, name)(x, dim, **static)


def numpy_prod(x: Any, dim: Any, keepdim: bool) -> Any:
    return np.prod(x, axis=dim, keepdims=keepdim)


def prod(torch: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    return x.prod() if dim is None else x.prod(dim, keepdim)


def diff(x: Any, *joined: Any, n: int = 1, dim: int = -1, where: str = "") -> Any:
    return np.diff(x, n, dim, **dict(zip(where.split(), joined, strict=True)))


DIFFERENCES = [
    Sample(tuple(draw((4,)))),
    Sample(tuple(draw((4, 3))), {"n": 2, "dim": 0}),
    Sample(tuple(draw((2, 3))), {"n": 5}),
    Sample(tuple(draw((2, 3))), {"n": 0}),
    Sample((draw((4, 3))[0][::-1, ::-2],), {"dim": 0}),
    Sample(tuple(draw((2, 3), (2, 1), (2, 2))), {"n": 2, "where": "prepend append"}),
    Sample(tuple(draw((3,), (1,))), {"where": "append"}),
]

ROWS = [
    Row(
        "scan_sum",
        samples("axis", scalar=False, reverse=False) + samples("axis", scalar=False, cases=CASES[2:4], reverse=True),
        lambda x, axis, reverse: flipped(np.cumsum)(x, axis, reverse) if reverse else np.cumsum(x, axis),
        lambda torch, x, axis, reverse: flipped_torch("cumsum")(torch, x, axis, reverse) if reverse else x.cumsum(axis),
    ),
    Row(
        "scan_prod",
        samples("axis", scalar=False, zeros=True, reverse=False)
        + samples("axis", scalar=False, zeros=True, cases=CASES[2:4], reverse=True),
        lambda x, axis, reverse: flipped(np.cumprod)(x, axis, reverse) if reverse else np.cumprod(x, axis),
        lambda torch, x, axis, reverse: (
            flipped_torch("cumprod")(torch, x, axis, reverse) if reverse else x.cumprod(axis)
        ),
    ),
    Row(
        "linear_recurrence", RECURRENCE, recurrence, lambda torch, a, b, axis, reverse: recurrence(a, b, axis, reverse)
    ),
    Row("reduce_prod", products("axis", tuples=True), np.prod, torch_prod),
    Row(
        "scan_logsumexp",
        samples("axis", scalar=False),
        accumulated(np.logaddexp),
        lambda torch, x, axis: x.logcumsumexp(axis),
    ),
    Row(
        "scan_argmax",
        samples("axis", scalar=False),
        lambda x, axis: place(x, axis, np.argmax),
        lambda torch, x, axis: x.cummax(axis).indices,
        gradient=False,
    ),
    Row(
        "scan_argmin",
        samples("axis", scalar=False),
        lambda x, axis: place(x, axis, np.argmin),
        lambda torch, x, axis: x.cummin(axis).indices,
        gradient=False,
    ),
    # Public functions composed of the primitives above.
    Row("cumsum", samples("dim"), lambda x, dim: np.cumsum(x, dim).reshape(x.shape), "cumsum", call("cumsum")),
    Row("cumprod", samples("dim"), lambda x, dim: np.cumprod(x, dim).reshape(x.shape), "cumprod", call("cumprod")),
    Row(
        "logcumsumexp",
        samples("dim"),
        lambda x, dim: accumulated(np.logaddexp)(x, dim),
        "logcumsumexp",
        call("logcumsumexp"),
    ),
    Row(
        "cummax",
        samples("dim"),
        lambda x, dim: (accumulated(np.maximum)(x, dim), place(x, dim, np.argmax)),
        lambda torch, x, dim: torch.cummax(x * 1, dim),
        call("cummax"),
    ),
    Row(
        "cummin",
        samples("dim"),
        lambda x, dim: (accumulated(np.minimum)(x, dim), place(x, dim, np.argmin)),
        lambda torch, x, dim: torch.cummin(x * 1, dim),
        call("cummin"),
    ),
    Row("prod", products("dim", tuples=False), numpy_prod, prod, call("prod")),
    Row(
        "diff",
        DIFFERENCES,
        diff,
        lambda torch, x, *joined, n=1, dim=-1, where="": torch.diff(
            x, n, dim, **dict(zip(where.split(), joined, strict=True))
        ),
        lambda x, *joined, n=1, dim=-1, where="": autograd.diff(
            x, n, dim, **dict(zip(where.split(), joined, strict=True))
        ),
    ),
    Row(
        "trapezoid", INTEGRALS, lambda *xs, **static: trapezoids(*xs, **static).sum(-1), "trapezoid", autograd.trapezoid
    ),
    Row(
        "cumulative_trapezoid",
        INTEGRALS,
        lambda *xs, dim=-1, **static: np.moveaxis(trapezoids(*xs, dim=dim, **static).cumsum(-1), -1, dim),
        "cumulative_trapezoid",
        autograd.cumulative_trapezoid,
    ),
]
