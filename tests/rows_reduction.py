"""Rows of the reductions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd

SHAPES_AND_AXES = [
    ((), None), ((3,), None), ((3,), (0,)), ((1,), (0,)), ((2, 3), None), ((2, 3), (1,)), ((2, 3), (0, 1)),
    ((2, 3, 2), (0, 2)), ((2, 1, 2, 2), (1,)), ((0, 3), (1,)),
]  # fmt: skip
EMPTY_IS_DEFINED = [*SHAPES_AND_AXES, ((0, 3), (0,)), ((0,), None)]


def along(
    cases: Any = SHAPES_AND_AXES, *, avoid: Any = (), low: float = -2.0, word: str = "axis", **static: Any
) -> list[Sample]:
    """Arrays reduced along each of ``cases``, with and without the reduced dimensions kept."""
    keep = "keepdims" if word == "axis" else "keepdim"
    samples = []
    for i, (shape, axis) in enumerate(cases):
        (x,) = draw(shape, low=low, avoid=avoid, seed=i)
        for kept in (False, True) if len(shape) > 1 else (False,):
            samples.append(Sample((x,), {word: axis, keep: kept, **static}))
    (x,) = draw((4, 3), low=low, avoid=avoid, seed=30)
    return [*samples, Sample((x[::-1, ::-2],), {word: (1,), keep: False, **static})]


def primitive(
    name: str,
    numpy: Any,
    torch: Any,
    *,
    cases: Any = SHAPES_AND_AXES,
    gradient: bool = True,
    avoid: Any = (),
    **static: Any,
) -> Row:
    return Row(name, along(cases, avoid=avoid, **static), numpy, torch, gradient=gradient)


def function(
    name: str, numpy: Any, torch: Any, *, cases: Any = SHAPES_AND_AXES, label: str = "", avoid: Any = (), **static: Any
) -> Row:
    """A public function, called with PyTorch's words ``dim`` and ``keepdim``."""
    samples = along(cases, avoid=avoid, word="dim", **static)
    return Row(label or name, samples, numpy, torch, op=getattr(autograd, name))


def dims_of(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else axis


def full_or_dims(name: str) -> Any:
    """PyTorch's reduction along tuples, for those of its functions that want them spelt out."""
    return lambda torch, x, axis, keepdims: getattr(torch, name)(x, dims_of(x, axis), keepdims)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


ONE_AXIS = [((3,), 0), ((1,), 0), ((2, 3), 1), ((2, 3), 0), ((2, 3, 2), 1)]
SEVERAL = [c for c in SHAPES_AND_AXES if c[0] not in ((), (1,), (2, 1, 2, 2), (0, 3))] + [((4, 2), (0,))]
NORM_CASES = [c for c in SHAPES_AND_AXES if 0 not in c[0]]


def numpy_norm(x: Any, p: Any, dim: Any = None, keepdim: bool = False) -> Any:
    p = 2 if p == "fro" else p
    a = np.abs(x)
    if math.isinf(p):
        return (np.max if p > 0 else np.min)(a, axis=dim, keepdims=keepdim)
    return np.sum(a**p, axis=dim, keepdims=keepdim) ** (1 / p)


def norm_row(p: Any) -> Row:
    return Row(
        f"norm p={p}",
        along(NORM_CASES, avoid=(0,), low=0.1 if math.isinf(float(2 if p == "fro" else p)) else -2.0, word="dim", p=p),
        numpy_norm,
        lambda torch, x, p, dim, keepdim: torch.linalg.vector_norm(x, 2 if p == "fro" else p, dim, keepdim),
        op=lambda x, p, dim, keepdim: autograd.norm(x, p, dim, keepdim),
    )


def extreme_row(name: str) -> Row:
    """``max`` and ``min`` along a dimension: values and indices."""
    choose, place = (np.max, np.argmax) if name == "max" else (np.min, np.argmin)
    return Row(
        f"{name} along dim",
        along(ONE_AXIS, word="dim"),
        lambda x, dim, keepdim: (choose(x, d(dim), keepdims=keepdim), place(x, d(dim), keepdims=keepdim)),
        lambda torch, x, dim, keepdim: tuple(getattr(torch, name)(x, d(dim), keepdim)),
        op=lambda x, dim, keepdim: getattr(autograd, name)(x, d(dim), keepdim),
    )


def d(dim: Any) -> Any:
    return dim[0] if isinstance(dim, tuple) else dim


def place_row(name: str, primitive_name: str) -> Row:
    reference = getattr(np, name)
    return Row(
        primitive_name,
        [s for s in along([*ONE_AXIS, ((2, 3), None), ((), None)]) if not isinstance(s.static["axis"], tuple)],
        reference,
        lambda torch, x, axis, keepdims: getattr(torch, name)(x, axis, keepdims),
        gradient=False,
    )


BOOLS = [
    Sample((np.array([[0.0, 1.0, 2.0], [1.0, -1.0, 3.0]]),), {"axis": axis, "keepdims": keep})
    for axis in (None, (0,), (1,), (0, 1))
    for keep in (False, True)
]

ROWS = [
    primitive("reduce_sum", np.sum, full_or_dims("sum"), cases=EMPTY_IS_DEFINED),
    primitive("reduce_mean", np.mean, full_or_dims("mean")),
    primitive("reduce_max", np.max, full_or_dims("amax")),
    primitive("reduce_min", np.min, full_or_dims("amin")),
    place_row("argmax", "reduce_argmax"),
    place_row("argmin", "reduce_argmin"),
    Row("reduce_all", BOOLS, np.all, full_or_dims("all"), gradient=False),
    Row("reduce_any", BOOLS, np.any, full_or_dims("any"), gradient=False),
    Row(
        "reduce_var",
        [s for c in (0, 1) for s in along(SEVERAL, correction=c)],
        lambda x, axis, keepdims, correction: np.var(x, axis=axis, keepdims=keepdims, ddof=correction),
        lambda torch, x, axis, keepdims, correction: torch.var(x, axis, correction=correction, keepdim=keepdims),
    ),
    primitive(
        "reduce_norm",
        lambda x, axis, keepdims: numpy_norm(x, 2, axis, keepdims),
        lambda torch, x, axis, keepdims: torch.linalg.vector_norm(x, 2, axis, keepdims),
    ),
    primitive("reduce_logsumexp", logsumexp, full_or_dims("logsumexp")),
    # Public functions composed of the primitives above.
    function("sum", lambda x, dim, keepdim: np.sum(x, axis=dim, keepdims=keepdim), "sum", cases=EMPTY_IS_DEFINED),
    function("mean", lambda x, dim, keepdim: np.mean(x, axis=dim, keepdims=keepdim), "mean"),
    function(
        "var", lambda x, dim, keepdim, correction: np.var(x, axis=dim, keepdims=keepdim, ddof=correction), "var",
        cases=SEVERAL, correction=1,
    ),
    function(
        "std", lambda x, dim, keepdim, correction: np.std(x, axis=dim, keepdims=keepdim, ddof=correction), "std",
        cases=SEVERAL, correction=0,
    ),
    function(
        "amax", lambda x, dim, keepdim: np.max(x, axis=dim, keepdims=keepdim),
        lambda torch, x, dim, keepdim: torch.amax(x, dims_of(x, dim), keepdim),
    ),
    function(
        "amin", lambda x, dim, keepdim: np.min(x, axis=dim, keepdims=keepdim),
        lambda torch, x, dim, keepdim: torch.amin(x, dims_of(x, dim), keepdim),
    ),
    function(
        "logsumexp", lambda x, dim, keepdim: logsumexp(x, dim, keepdim),
        lambda torch, x, dim, keepdim: torch.logsumexp(x, dims_of(x, dim), keepdim),
    ),
    extreme_row("max"),
    extreme_row("min"),
    *[norm_row(p) for p in (0.5, 1, 2, 3, math.inf, -math.inf, "fro")],
]  # fmt: skip
