"""Rows of sorting, order statistics and searching, and of the statistics built on them."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd

CASES = [((3,), 0), ((1,), 0), ((2, 3), 1), ((3, 2), 0), ((2, 3, 2), 1), ((0, 3), 1)]


def samples(
    *, cases: Any = CASES, scalar: bool = True, keep: bool = False, word: str = "dim", **static: Any
) -> list[Sample]:
    """Arrays of different entries and the dimension to order them along."""
    found = []
    for i, (shape, d) in enumerate(cases):
        kept = {"keepdim": i % 2 == 0} if keep else {}
        found.append(Sample(tuple(draw(shape, seed=i)), {word: d, **kept, **static}))
    (x,) = draw((4, 3), seed=30)
    kept = {"keepdim": True} if keep else {}
    found.append(Sample((x[::-1, ::-2],), {word: 0, **kept, **static}))
    return [*found, Sample(tuple(draw(())), {word: 0, **kept, **static})] if scalar else found


def call(name: str) -> Any:
    function = getattr(autograd, name)
    return lambda x, *args, **static: function(x, *args, **static)


def order(x: Any, dim: int, descending: bool = False) -> Any:
    if not x.ndim:
        return np.int64(0)
    return np.argsort(-x if descending else x, axis=dim, kind="stable")


def chosen(x: Any, indices: Any, dim: int) -> Any:
    return (np.take_along_axis(x, indices, dim), indices) if x.ndim else (x, np.int64(0))


def sort(x: Any, dim: int, descending: bool = False) -> Any:
    return chosen(x, order(x, dim, descending), dim)


def nth(x: Any, dim: int, k: int, keepdim: bool) -> Any:
    """Entry k in order along ``dim``, and its index."""
    if not x.ndim:
        return x, np.int64(0)
    values, indices = chosen(x, np.take(order(x, dim), [k], dim), dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def top(x: Any, dim: int, k: int, largest: bool) -> Any:
    return chosen(x, np.take(order(x, dim, largest), range(k), dim), dim) if x.ndim else (x, np.int64(0))


def median(x: Any, dim: int, keepdim: bool) -> Any:
    return nth(x, dim, (x.shape[dim] - 1) // 2 if x.ndim else 0, keepdim)


def with_nan(x: Any) -> Any:
    x = x.copy()
    x.reshape(-1)[::3] = math.nan
    return x


def lower_median(x: Any, skip_nan: bool = False) -> Any:
    flat = np.sort(x[~np.isnan(x)] if skip_nan else x, axis=None)
    return flat[(flat.size - 1) // 2]


def mode(x: Any, dim: int, keepdim: bool) -> Any:
    def of_row(row: Any) -> Any:
        values, counts = np.unique(row, return_counts=True)
        return np.flatnonzero(row == values[np.argmax(counts)])[-1]

    indices = np.expand_dims(np.apply_along_axis(of_row, dim, x), dim)
    values, indices = chosen(x, indices, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


REPEATED = np.array([[3.0, 1.0, 1.0, 3.0, 2.0], [2.0, 2.0, -1.0, 0.0, 2.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
MODES = [
    Sample((REPEATED,), {"dim": 1, "keepdim": False}),
    Sample((REPEATED,), {"dim": 0, "keepdim": True}),
    Sample((REPEATED[:, :1],), {"dim": 1, "keepdim": True}),
    Sample((REPEATED[::-1, ::-2],), {"dim": 1, "keepdim": False}),
    Sample((REPEATED.astype(np.int64)[0],), {"dim": 0, "keepdim": False}),
]

EDGES = np.array([-1.0, 0.0, 0.5, 0.5, 2.0])
BATCH = np.array([[-1.0, 0.0, 0.5], [0.0, 1.0, 2.0]])
SEARCHES = [
    Sample((EDGES, np.array(0.5)), {"side": "left"}),
    Sample((EDGES, np.array([[0.5, -3.0], [7.0, 2.0]])), {"side": "right"}),
    Sample((EDGES, np.array([-1, 0, 2])), {"side": "left"}),
    Sample((EDGES, np.zeros((0, 2))), {"side": "left"}),
    Sample((EDGES[:0], np.array([1.0])), {"side": "left"}),
    Sample((BATCH, BATCH[:, ::-2]), {"side": "right"}),
]


def searched(a: Any, v: Any, side: str) -> Any:
    if a.ndim == 1:
        return np.searchsorted(a, v, side)
    return np.stack([np.searchsorted(row, value, side) for row, value in zip(a, v, strict=True)])


def torch_search(torch: Any, a: Any, v: Any, side: str) -> Any:
    return torch.searchsorted(a, v.contiguous().to(a.dtype), side=side)


def quantiles(interpolation: str) -> list[Sample]:
    several = np.array([0.13, 0.9, 0.37])
    found = [
        Sample((*draw((5,)), 0.3), {"interpolation": interpolation}),
        Sample((*draw((3, 4)), several), {"dim": 1, "interpolation": interpolation}),
    ]
    if interpolation == "linear":
        found += [
            Sample((*draw(()), 0.3), {}),
            Sample((*draw((1,)), several), {"dim": 0}),
            Sample((*draw((4, 3)), np.array(0.7)), {"dim": 0, "keepdim": True}),
            Sample((*draw((2, 3)), several), {"keepdim": True}),
            Sample((draw((4, 3))[0][::-1, ::-2], 0.2), {"dim": 0}),
        ]
    return found


def numpy_quantile(x: Any, q: Any, dim: Any = None, keepdim: bool = False, interpolation: str = "linear") -> Any:
    return np.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


def numpy_nanquantile(x: Any, q: Any, dim: Any = None, keepdim: bool = False, interpolation: str = "linear") -> Any:
    return np.nanquantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


def skipping(name: str) -> Any:
    """A function that skips NaNs, on arrays that get some here: finite differences have no use for them elsewhere."""

    def op(x: Any, *args: Any, **static: Any) -> Any:
        mask = np.isnan(with_nan(np.zeros(tuple(x.shape))))
        return getattr(autograd, name)(x.masked_fill(autograd.tensor(mask), math.nan), *args, **static)

    return op


def skipping_torch(name: str) -> Any:
    def op(torch: Any, x: Any, *args: Any, **static: Any) -> Any:
        mask = np.isnan(with_nan(np.zeros(tuple(x.shape))))
        return getattr(torch, name)(x.masked_fill(torch.tensor(mask), math.nan), *args, **static)

    return op


def skipping_numpy(function: Any) -> Any:
    return lambda x, *args, **static: function(with_nan(x), *args, **static)


WITH_NANS = [
    Sample(tuple(draw((4,))), {}),
    Sample(tuple(draw((3, 4), seed=1)), {"dim": 1}),
    Sample(tuple(draw((2, 3, 2), seed=2)), {"dim": (0, 2), "keepdim": True}),
]


def numpy_dim(function: Any) -> Any:
    return lambda x, dim=None, keepdim=False, **static: function(x, axis=dim, keepdims=keepdim, **static)


def nanmedian(x: Any, dim: int, keepdim: bool) -> Any:
    rows = np.moveaxis(x, dim, -1)
    k = (np.sum(~np.isnan(rows), -1, keepdims=True) - 1) // 2
    indices = np.moveaxis(np.take_along_axis(np.argsort(rows, -1, kind="stable"), k, -1), -1, dim)
    values, indices = chosen(x, indices, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


MOMENTS = [
    Sample(tuple(draw((4,))), {"correction": 1}),
    Sample(tuple(draw((3, 4))), {"dim": 1, "correction": 0}),
    Sample(tuple(draw((2, 3, 2))), {"dim": (0, 2), "keepdim": True, "correction": 1}),
]


def moments(spread: Any) -> Any:
    return lambda x, dim=None, keepdim=False, correction=1: (
        spread(x, axis=dim, keepdims=keepdim, ddof=correction), np.mean(x, axis=dim, keepdims=keepdim),
    )  # fmt: skip


COVARIANCES = [
    Sample(tuple(draw((3, 4))), {}),
    Sample(tuple(draw((4,))), {"correction": 0}),
    Sample((draw((4, 6))[0][::-1, ::-2],), {"correction": 0}),
]
WEIGHTED = [
    Sample((*draw((3, 4)), *draw((4,), low=0.2)), {"correction": 0}),
    Sample((*draw((3, 4)), *draw((4,), low=0.2), np.array([1, 3, 2, 1])), {"correction": 1}),
    Sample((*draw((3, 4)), np.array([1, 3, 2, 1])), {"correction": 1}),
]


def weights(given: Any) -> dict[str, Any]:
    """Which of the weights are the floating ones."""
    return {"aweights" if str(w.dtype).startswith(("float", "torch.float")) else "fweights": w for w in given}


def weighted(module: Any, x: Any, *given: Any, correction: int) -> Any:
    return module.cov(x, correction=correction, **weights(given))


def norm(x: Any, p: float) -> Any:
    a = np.abs(x)
    return float((a != 0).sum()) if p == 0 else a.max() if p == math.inf else (a**p).sum() ** (1 / p)


def renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    others = tuple(d for d in range(x.ndim) if d != dim)
    length = (np.abs(x) ** p).sum(others, keepdims=True) ** (1 / p)
    return x * np.where(length > maxnorm, maxnorm / (length + 1e-7), 1)


DISTANCES = [Sample(tuple(draw((2, 3), (3,), seed=1)), {"p": p}) for p in (2, 1, 3.0, math.inf)]
# Off the edges of the bins, where rounding decides.
COUNTED = np.array([[0.15, 0.62, 2.9], [1.31, 0.61, -0.4], [1.95, 2.2, 0.05]])
ENDS = np.array([[0.5, 2.0, 2.0, 4.5]])


def counted(x: Any, bins: int, min: float, max: float) -> Any:
    return np.histogram(x, bins, None if min == max else (min, max))[0].astype(x.dtype)


HISTOGRAMS = [
    Sample((COUNTED,), {"bins": 3}),
    Sample((ENDS,), {"bins": 4, "range": (0.25, 4.5), "density": True}),
    Sample((np.zeros((0,)),), {"bins": 2}),
    Sample((np.ones((2,)),), {"bins": 4}),
]
EDGED = [
    Sample((COUNTED, np.array([0.0, 0.5, 2.5]), *draw((3, 3), low=0.1)), {"density": density})
    for density in (False, True)
]


def histogram(x: Any, bins: Any, **static: Any) -> Any:
    hist, edges = np.histogram(x, bins, **static)
    return hist.astype(x.dtype), edges


ROWS = [
    Row(
        "sort_order",
        [s for down in (False, True) for s in samples(scalar=False, word="axis", descending=down)],
        lambda x, axis, descending: order(x, axis, descending),
        lambda torch, x, axis, descending: x.argsort(axis, descending),
        gradient=False,
    ),
    Row(
        "top_order",
        [s for up in (False, True) for s in samples(cases=CASES[2:5], scalar=False, word="axis", k=2, largest=up)]
        + [Sample((draw((2, 300))[0][:, ::-1],), {"axis": 1, "k": 3, "largest": up}) for up in (False, True)],
        lambda x, axis, k, largest: np.take(order(x, axis, largest), range(k), axis),
        lambda torch, x, axis, k, largest: x.topk(k, axis, largest).indices,
        gradient=False,
    ),
    Row(
        "reduce_median",
        [Sample(tuple(draw(s)), {"skip_nan": skip}) for s in [(), (1,), (4,), (3, 3)] for skip in (False, True)],
        lower_median,
        lambda torch, x, skip_nan: (x.nanmedian if skip_nan else x.median)(),
    ),
    Row("search_sorted", SEARCHES, searched, torch_search, gradient=False),
    # Public functions composed of the primitives above.
    Row("sort", samples() + samples(cases=CASES[2:4], scalar=False, descending=True), sort, "sort", call("sort")),
    Row("argsort", samples(), order, "argsort", call("argsort"), gradient=False),
    Row(
        "msort",
        [Sample(tuple(draw((4, 3)))), Sample(tuple(draw((3,))))],
        lambda x: np.sort(x, 0),
        "msort",
        autograd.msort,
    ),
    Row(
        "topk",
        samples(cases=CASES[2:5], scalar=False, k=2, largest=True)
        + samples(cases=CASES[2:4], scalar=False, k=1, largest=False)
        + samples(cases=CASES[:2], k=1, largest=True),
        top,
        "topk",
        call("topk"),
    ),
    Row(
        "kthvalue",
        samples(cases=CASES[2:5], scalar=False, k=2, keep=True),
        lambda x, dim, k, keepdim: nth(x, dim, k - 1, keepdim),
        "kthvalue",
        call("kthvalue"),
    ),
    Row("median along dim", samples(keep=True), median, "median", call("median")),
    Row("median", [Sample(tuple(draw((3, 4)))), Sample(tuple(draw(())))], lower_median, "median", autograd.median),
    Row(
        "nanmedian along dim",
        [
            Sample(tuple(draw((3, 4))), {"dim": 1, "keepdim": False}),
            Sample(tuple(draw((4, 2))), {"dim": 0, "keepdim": True}),
        ],
        skipping_numpy(nanmedian),
        skipping_torch("nanmedian"),
        skipping("nanmedian"),
    ),
    Row(
        "nanmedian",
        [Sample(tuple(draw((3, 4))))],
        skipping_numpy(functools.partial(lower_median, skip_nan=True)),
        skipping_torch("nanmedian"),
        skipping("nanmedian"),
    ),
    Row("mode", MODES, mode, "mode", call("mode"), cut=True),
    Row("searchsorted", SEARCHES, searched, torch_search, autograd.searchsorted, gradient=False),
    Row(
        "bucketize",
        [Sample((EDGES[1:], EDGES), {"right": right}) for right in (False, True)],
        lambda edges, x, right: np.searchsorted(edges, x, "right" if right else "left"),
        lambda torch, edges, x, right: torch.bucketize(x, edges, right=right),
        lambda edges, x, right: autograd.bucketize(x, edges, right=right),
        gradient=False,
    ),
    # Statistics.
    *[
        Row(
            f"quantile {method}",
            quantiles(method),
            numpy_quantile,
            lambda torch, x, q, **static: torch.quantile(x, q, **static),
            autograd.quantile,
            constant=() if method == "linear" else (1,),
        )
        for method in ("linear", "lower", "higher", "midpoint", "nearest")
    ],
    Row(
        "nanquantile",
        [Sample((*draw((3, 4)), 0.3), {}), Sample((*draw((3, 4)), np.array([0.3, 0.8])), {"dim": 1})],
        skipping_numpy(numpy_nanquantile),
        skipping_torch("nanquantile"),
        skipping("nanquantile"),
    ),
    Row("nansum", WITH_NANS, skipping_numpy(numpy_dim(np.nansum)), skipping_torch("nansum"), skipping("nansum")),
    Row("nanmean", WITH_NANS, skipping_numpy(numpy_dim(np.nanmean)), skipping_torch("nanmean"), skipping("nanmean")),
    Row("var_mean", MOMENTS, moments(np.var), "var_mean", autograd.var_mean),
    Row("std_mean", MOMENTS, moments(np.std), "std_mean", autograd.std_mean),
    Row(
        "aminmax",
        [Sample(tuple(draw((3, 2))), {"dim": 0, "keepdim": True}), Sample(tuple(draw((4,))), {})],
        lambda x, dim=None, keepdim=False: tuple(f(x, axis=dim, keepdims=keepdim) for f in (np.min, np.max)),
        "aminmax",
        autograd.aminmax,
    ),
    Row(
        "count_nonzero",
        [Sample((np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 3.0]]),), {"dim": d}) for d in (None, 0, (0, 1))],
        lambda x, dim: np.asarray(np.count_nonzero(x, axis=dim)),
        "count_nonzero",
        autograd.count_nonzero,
        gradient=False,
    ),
    Row("cov", COVARIANCES, lambda x, correction=1: np.cov(x, ddof=correction), "cov", autograd.cov),
    Row(
        "cov with weights",
        WEIGHTED,
        lambda x, *w, correction: np.cov(x, ddof=correction, **weights(w)),
        weighted,
        functools.partial(weighted, autograd),
    ),
    Row(
        "corrcoef", [Sample(tuple(draw((3, 5)))), Sample(tuple(draw((4,))))], np.corrcoef, "corrcoef", autograd.corrcoef
    ),
    Row("dist", DISTANCES, lambda x, y, p: norm(x - y, p), "dist", autograd.dist),
    Row(
        "norm p=0",
        [Sample((np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 3.0]]),), {"dim": d}) for d in (None, (1,))],
        lambda x, dim: np.sum(x != 0, axis=dim).astype(float),
        lambda torch, x, dim: torch.linalg.vector_norm(x.detach(), 0, dim),
        lambda x, dim: autograd.norm(x, 0, dim),
        cut=True,
    ),
    Row(
        "renorm",
        [Sample(tuple(draw((3, 4))), {"p": p, "dim": d, "maxnorm": 1.5}) for p, d in ((2, 0), (1, 1), (3.0, -2))],
        lambda x, p, dim, maxnorm: renorm(x, p, dim % 2, maxnorm),
        "renorm",
        autograd.renorm,
    ),
    Row(
        "histc",
        [
            Sample((COUNTED,), {"bins": 4, "min": 0.0, "max": 2.0}),
            Sample((COUNTED,), {"bins": 3, "min": 0, "max": 0}),
            Sample((np.ones((2,)),), {"bins": 4, "min": 0, "max": 0}),
            Sample((np.zeros((0, 2)),), {"bins": 4, "min": 0, "max": 0}),
        ],
        counted,
        lambda torch, x, **static: torch.histc(x, **static),
        autograd.histc,
        gradient=False,
    ),
    Row(
        "histogram",
        HISTOGRAMS,
        histogram,
        lambda torch, x, **static: torch.histogram(x.contiguous(), **static),
        autograd.histogram,
        gradient=False,
    ),
    Row(
        "histogram of weights",
        EDGED,
        lambda x, edges, w, density: histogram(x, edges, weights=w, density=density),
        lambda torch, x, edges, w, density: torch.histogram(x, edges, weight=w.detach(), density=density),
        lambda x, edges, w, density: autograd.histogram(x, edges, weight=w, density=density),
        constant=(0, 1),
    ),
]
