"""Rows of what picks entries by index, and writes or adds them there."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows_shape import GATHER
from sampling import Row, Sample, draw

import autograd

INDEX_OF_COLUMNS = np.array([[0, 3, 3], [1, 1, 2], [2, 0, 3]])
DISTINCT = np.array([[0, 3, 1], [1, 0, 2]])


def along(index: Any, dim: int) -> Any:
    grids = list(np.indices(index.shape))
    grids[dim] = index
    return tuple(grids)


# (shape of x, dim, index, shape of src): an index and a src that are smaller and larger, named twice, 0-d, empty.
SCATTERS = [
    ((3, 4), 1, DISTINCT, (2, 3)),
    ((3, 4), -1, DISTINCT, (3, 5)),
    ((4, 3), 0, DISTINCT, (2, 3)),
    ((4,), 0, np.array([2, 0]), (2,)),
    ((2, 2, 3), 2, np.array([[[1, 0]], [[2, 1]]]), (2, 2, 2)),
    ((), 0, np.array(0), ()),
    ((2, 3), 0, np.zeros((0, 3), int), (0, 3)),
]
NAMED_TWICE = [
    ((3, 4), 1, INDEX_OF_COLUMNS, (3, 3)),
    ((2, 4), 1, INDEX_OF_COLUMNS[:1], (2, 4)),
    ((3,), 0, np.array([1, 1, 1, 0, 2]), (5,)),
]


def samples(cases: Any, **static: Any) -> list[Sample]:
    """(x, index, src) with the dimension as a static argument."""
    return [
        Sample((*draw(shape, seed=i), index, *draw(src, seed=i + 50)), {"dim": dim, **static})
        for i, (shape, dim, index, src) in enumerate(cases)
    ]


def flipped(sample: Sample) -> Sample:
    """The same with negative strides."""
    x, index, src = sample.inputs
    return Sample((x[::-1].copy()[::-1], index, src), sample.static)


def numpy_scatter(x: Any, index: Any, src: Any, dim: int, reduce: Any = None, include_self: bool = True) -> Any:
    """Entry by entry, in a loop."""
    out = np.array(x).reshape(x.shape or (1,))
    index, src = (np.reshape(a, np.shape(a) or (1,)) for a in (index, src))
    groups: dict[Any, list[Any]] = {}
    for at in np.ndindex(index.shape):
        place = list(at)
        place[dim] = int(index[at])
        groups.setdefault(tuple(place), []).append(src[at])
    for place, values in groups.items():
        values = [out[place], *values] if include_self and reduce else values
        how = {None: lambda v: v[-1], "sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": max, "amin": min}
        out[place] = how[reduce](values)
    return out.reshape(x.shape)


def torch_scatter(torch: Any, x: Any, index: Any, src: Any, dim: int) -> Any:
    """PyTorch's gradient for a src larger than the index has the wrong shape, so src is cut first."""
    return x.scatter(dim, index, src[tuple(slice(n) for n in index.shape)] if index.ndim else src)


def reductions() -> list[Sample]:
    found = [
        Sample(sample.inputs, {**sample.static, "reduce": reduce, "include_self": include_self})
        for reduce in ("sum", "mean", "amax", "amin", "prod")
        for sample in samples(NAMED_TWICE[1:])
        for include_self in (True, False)
    ]
    x, src = draw((3,), (5,), seed=4)
    src[1] = 0.0  # a factor of 0 has a gradient too, and so have its neighbours
    return [
        *found,
        Sample((x, np.array([1, 1, 1, 0, 2]), src), {"dim": 0, "reduce": "prod", "include_self": True}),
        *[
            Sample(s.inputs, {**s.static, "reduce": "sum", "include_self": True})
            for s in samples([SCATTERS[-1], SCATTERS[-2]])
        ],
    ]


def numpy_reduce(x: Any, index: Any, src: Any, dim: int, reduce: str, include_self: bool) -> Any:
    return numpy_scatter(x, index, src, dim, reduce, include_self)


def torch_reduce(torch: Any, x: Any, index: Any, src: Any, dim: int, reduce: str, include_self: bool) -> Any:
    return x.scatter_reduce(
        dim, index, src[tuple(slice(n) for n in index.shape)] if index.ndim else src, reduce, include_self=include_self
    )


def numpy_set(x: Any, key: Any, value: Any, add: bool = False) -> Any:
    out = np.array(x)
    if add:
        np.add.at(out, key, value)
    else:
        out[key] = value
    return out


def slices(d: int, index: Any) -> Any:
    return (*(slice(None),) * d, index)


# (shape of x, dim, index)
SLICES = [
    ((4, 3), 0, np.array([2, 0])),
    ((4, 3), 1, np.array([1])),
    ((2, 3, 4), -1, np.array([3, 0, 1])),
    ((5,), 0, np.array([], int)),
]
SLICES_TWICE = [((4, 3), 0, np.array([2, 2, 0])), ((2, 3), 1, np.array([1, 1, 1, 0])), ((3,), -1, np.array([0, 0]))]


def slice_samples(cases: Any, **static: Any) -> list[Sample]:
    found = []
    for i, (shape, dim, index) in enumerate(cases):
        of_source = list(shape)
        of_source[dim] = index.size
        x, source = draw(shape, tuple(of_source), seed=i)
        found.append(Sample((x, index, source), {"dim": dim, **static}))
    return found


MASK = np.array([[True, False, True], [False, False, True]])
PUTS = [
    ((4, 3), (np.array([2, 0]), np.array([1, -1])), (2,)),
    ((4, 3), (np.array([2, 0]),), (3,)),
    ((2, 3), (MASK,), ()),
    ((3, 2, 2), (np.array([[0], [1]]), np.array([0, 1])), (2, 2, 2)),
]
PUTS_TWICE = [
    ((4, 3), (np.array([2, 2]), np.array([1, 1])), (2,)),
    ((4, 3), (np.array([2, 2, 0]),), (3, 1)),
    ((3,), (np.array([1, 1, -2]),), ()),
]


def put_samples(cases: Any, **static: Any) -> list[Sample]:
    return [
        Sample(tuple(draw(shape, of_values, seed=i)), {"key": key, **static})
        for i, (shape, key, of_values) in enumerate(cases)
    ]


EXTREMES = [
    Sample(tuple(draw((4,), (5,), seed=largest)), {"key": (np.array([1, 1, 0, 3, 1]),), "largest": bool(largest)})
    for largest in (0, 1)
]


def numpy_extreme(x: Any, value: Any, key: Any, largest: bool) -> Any:
    out = np.array(x)
    (np.maximum if largest else np.minimum).at(out, key, value)
    return out


ROWS = [
    Row(
        "extreme_at",
        EXTREMES,
        numpy_extreme,
        lambda torch, x, value, key, largest: x.scatter_reduce(
            0, torch.tensor(key[0]), value, "amax" if largest else "amin"
        ),
    ),
    Row(
        "gather by dim",
        [
            *[Sample((s.inputs[0], s.inputs[1] % 3), {"dim": s.static["axis"]}) for s in GATHER],
            Sample((*draw((3, 4)), np.zeros((0, 2), int)), {"dim": 1}),
            Sample((*draw(()), np.array([0, 0])), {"dim": 0}),
            Sample((draw((4, 3))[0][::-1, ::-1], np.array([[2, 0], [1, 1]])), {"dim": -1}),
        ],
        lambda x, index, dim: x.reshape(-1)[index] if x.ndim == 0 else x[along(index, dim)],
        lambda torch, x, index, dim: torch.gather(x, dim, index),
        op=lambda x, index, dim: autograd.gather(x, dim, index),
    ),
    Row(
        "take_along_dim",
        [
            Sample((*draw((3, 4)), np.array([[3, 0, 0], [1, 2, 1], [0, 0, 3]])), {"dim": 1}),
            Sample((*draw((3, 4)), np.array([[2, 0, 0]])), {"dim": -1}),
            Sample((*draw((1, 4)), np.array([[2], [0]])), {"dim": 1}),
            Sample((*draw((3, 2)), np.array([5, 0])), {"dim": None}),
        ],
        lambda x, indices, dim: (
            x.reshape(-1)[indices]
            if dim is None
            else np.take_along_axis(
                np.broadcast_to(x, (max(x.shape[0], indices.shape[0]), x.shape[1])),
                np.broadcast_to(indices, (max(x.shape[0], indices.shape[0]), indices.shape[1])),
                dim,
            )
        ),
        lambda torch, x, indices, dim: torch.take_along_dim(x, indices, dim),
        op=lambda x, indices, dim: autograd.take_along_dim(x, indices, dim),
    ),
    Row(
        "take",
        [
            Sample((*draw((3, 4)), np.array([[0, 11], [-1, 5]]))),
            Sample((*draw((3,)), np.array(2))),
            Sample((draw((4, 3))[0][::-1, ::-1], np.array([7, 7]))),
        ],
        lambda x, index: np.take(x, index),
        "take",
        op=autograd.take,
    ),
    Row(
        "index_select",
        [
            Sample((*draw((4, 3)), np.array([2, 0, 2])), {"dim": 0}),
            Sample((*draw((4, 3)), np.array([2, 2])), {"dim": -1}),
            Sample((*draw((2, 3, 2)), np.array([], int)), {"dim": 1}),
            Sample((*draw((2, 3)), np.array(1)), {"dim": 1}),
            Sample((draw((4, 3))[0][::-1, ::-1], np.array([0, 0, 1])), {"dim": 1}),
        ],
        lambda x, index, dim: np.take(x, np.atleast_1d(index), dim),
        lambda torch, x, index, dim: torch.index_select(x, dim, index),
        op=lambda x, index, dim: autograd.index_select(x, dim, index),
    ),
    Row(
        "select",
        [Sample(tuple(draw((2, 3))), {"dim": d, "index": i}) for d, i in ((0, 1), (1, -1), (-1, 0))],
        lambda x, dim, index: np.take(x, index, dim),
        "select",
        op=autograd.select,
    ),
    Row(
        "narrow",
        [
            Sample(tuple(draw((4, 3))), {"dim": d, "start": s, "length": n})
            for d, s, n in ((0, 1, 2), (1, -2, 2), (-1, 3, 0), (0, 0, 4))
        ],
        lambda x, dim, start, length: np.take(x, np.arange(start, start + length), dim),
        "narrow",
        op=autograd.narrow,
    ),
    Row(
        "masked_select",
        [
            Sample(tuple(draw((2, 3))), {"mask": MASK}),
            Sample(tuple(draw((3,))), {"mask": MASK}),
            Sample(tuple(draw((2, 3))), {"mask": MASK[0]}),
            Sample(tuple(draw(())), {"mask": np.array(True)}),
            Sample(tuple(draw((2, 3))), {"mask": np.zeros((2, 3), bool)}),
        ],
        lambda x, mask: np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[
            np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))
        ],
        lambda torch, x, mask: torch.masked_select(x, torch.tensor(mask)),
        op=autograd.masked_select,
    ),
    Row(
        "nonzero",
        [Sample((), {"x": x}) for x in (np.array([[0.0, 2.0], [3.0, 0.0]]), MASK, np.array(3.0), np.zeros((0, 2)))],
        lambda x: np.argwhere(x),
        lambda torch, x: torch.nonzero(torch.tensor(x)),
        op=lambda x: autograd.nonzero(as_it_is(x)),
        gradient=False,
    ),
    Row(
        "nonzero as a tuple",
        [Sample((), {"x": x}) for x in (np.array([[0.0, 2.0], [3.0, 0.0]]), MASK)],
        lambda x: np.nonzero(x),
        lambda torch, x: torch.nonzero(torch.tensor(x), as_tuple=True),
        op=lambda x: autograd.nonzero(as_it_is(x), as_tuple=True),
        gradient=False,
    ),
    Row(
        "argwhere",
        [Sample((), {"x": MASK})],
        lambda x: np.argwhere(x),
        lambda torch, x: torch.argwhere(torch.tensor(x)),
        op=lambda x: autograd.argwhere(as_it_is(x)),
        gradient=False,
    ),
    Row(
        "one_hot",
        [Sample((np.array([[0, 2], [1, 1]]),), {"n": 4}), Sample((np.array(1),), {"n": 2})],
        lambda x, n: np.eye(n, dtype=int)[x],
        lambda torch, x, n: torch.nn.functional.one_hot(x, n),
        op=lambda x, n: autograd.one_hot(x, n),
        gradient=False,
    ),
    Row(
        "scatter",
        [*samples(SCATTERS), flipped(samples(SCATTERS[:1])[0])],
        numpy_scatter,
        torch_scatter,
        op=lambda x, index, src, dim: autograd.scatter(x, dim, index, src),
    ),
    Row(
        "scatter a number",
        [
            Sample(s.inputs[:2], {"dim": s.static["dim"], "value": 0.5})
            for s in [*samples(SCATTERS), *samples(NAMED_TWICE)]
        ],
        lambda x, index, dim, value: numpy_scatter(x, index, np.full(index.shape, value), dim),
        lambda torch, x, index, dim, value: x.scatter(dim, index, value),
        op=lambda x, index, dim, value: autograd.scatter(x, dim, index, value=value),
    ),
    Row(
        "scatter_add",
        [*samples(SCATTERS), *samples(NAMED_TWICE)],
        lambda x, index, src, dim: numpy_scatter(x, index, src, dim, "sum"),
        lambda torch, x, index, src, dim: x.scatter_add(
            dim, index, src[tuple(slice(n) for n in index.shape)] if index.ndim else src
        ),
        op=lambda x, index, src, dim: autograd.scatter_add(x, dim, index, src),
    ),
    Row(
        "scatter_reduce",
        reductions(),
        numpy_reduce,
        torch_reduce,
        op=lambda x, index, src, dim, reduce, include_self: autograd.scatter_reduce(
            x, dim, index, src, reduce, include_self=include_self
        ),
    ),
    Row(
        "index_add",
        [*slice_samples(SLICES, alpha=1), *slice_samples(SLICES_TWICE, alpha=-2.5)],
        lambda x, index, source, dim, alpha: numpy_set(x, slices(dim % x.ndim, index), alpha * source, add=True),
        lambda torch, x, index, source, dim, alpha: x.index_add(dim, index, source, alpha=alpha),
        op=lambda x, index, source, dim, alpha: autograd.index_add(x, dim, index, source, alpha=alpha),
    ),
    Row(
        "index_copy",
        slice_samples(SLICES),
        lambda x, index, source, dim: numpy_set(x, slices(dim % x.ndim, index), source),
        lambda torch, x, index, source, dim: x.index_copy(dim, index, source),
        op=lambda x, index, source, dim: autograd.index_copy(x, dim, index, source),
    ),
    Row(
        "index_fill",
        [
            *[
                Sample(s.inputs[:2], {"dim": s.static["dim"], "value": 0.5})
                for s in slice_samples(SLICES + SLICES_TWICE)
            ],
            Sample((*draw(()), np.array([0])), {"dim": 0, "value": 2.0}),
        ],
        lambda x, index, dim, value: (
            numpy_set(x, slices(dim % x.ndim, index), value) if x.ndim else np.array(value, x.dtype)
        ),
        lambda torch, x, index, dim, value: x.index_fill(dim, index, value),
        op=lambda x, index, dim, value: autograd.index_fill(x, dim, index, value),
    ),
    Row(
        "index_fill with a Tensor",
        [Sample((*draw((4, 3)), np.array([2, 0]), *draw((), seed=1)))],
        lambda x, index, value: numpy_set(x, slices(1, index), value),
        lambda torch, x, index, value: x.index_fill(1, index, value),
        op=lambda x, index, value: autograd.index_fill(x, 1, index, value),
    ),
    Row(
        "index_put",
        put_samples(PUTS),
        lambda x, values, key: numpy_set(x, key, values),
        lambda torch, x, values, key: x.index_put([torch.tensor(k) for k in key], values),
        op=lambda x, values, key: autograd.index_put(x, key, values),
    ),
    Row(
        "index_put that adds",
        put_samples(PUTS + PUTS_TWICE),
        lambda x, values, key: numpy_set(x, key, values, add=True),
        lambda torch, x, values, key: x.index_put([torch.tensor(k) for k in key], values, accumulate=True),
        op=lambda x, values, key: autograd.index_put(x, key, values, accumulate=True),
    ),
    Row(
        "put",
        [
            Sample((*draw((2, 3)), np.array([[0, -1], [3, 1]]), *draw((4,), seed=1)), {"accumulate": False}),
            Sample((*draw((2, 3)), np.array([5, 5, 0]), *draw((3,), seed=1)), {"accumulate": True}),
        ],
        lambda x, index, source, accumulate: numpy_set(
            x.reshape(-1), index.reshape(-1), source.reshape(-1), accumulate
        ).reshape(x.shape),
        lambda torch, x, index, source, accumulate: x.put(index, source.reshape(index.shape), accumulate),
        op=lambda x, index, source, accumulate: autograd.put(x, index, source, accumulate),
    ),
    Row(
        "masked_scatter",
        [
            Sample((*draw((2, 3)), MASK, *draw((4,), seed=1))),
            Sample((*draw((2, 3)), MASK[0], *draw((2, 2), seed=1))),
            Sample((*draw((2,)), np.array([False, False]), *draw((2,), seed=1))),
        ],
        lambda x, mask, source: numpy_set(
            x, np.broadcast_to(mask, x.shape), source.reshape(-1)[: np.broadcast_to(mask, x.shape).sum()]
        ),
        lambda torch, x, mask, source: x.masked_scatter(mask, source),
        op=autograd.masked_scatter,
    ),
]


def as_it_is(x: Any) -> Any:
    """A Tensor of an array that no compiler traces: its values decide the shape of the result."""
    from autograd.primitive import wrap

    return wrap(x)
