"""Rows of what moves, picks and writes entries."""

from __future__ import annotations

from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd
from autograd.primitive import pick


def calls(shape: tuple[int, ...], word: str, values: Any) -> list[Sample]:
    return [Sample(tuple(draw(shape, seed=i)), {word: v}) for i, v in enumerate(values)]


def flipped(shape: tuple[int, ...] = (4, 3)) -> np.ndarray:
    return draw(shape, seed=9)[0][::-1, ::-1]


# Every kind of index, in the form that the primitive gets: a tuple, or one integer array.
INDEX = [
    ((4,), (2,)),
    ((4,), (-1,)),
    ((4,), (slice(None, None, -2),)),
    ((4,), (slice(3, 0, -1),)),
    ((4,), (slice(5, 9),)),
    ((4,), np.array([0, 2, 2, -1])),
    ((4,), np.array([[1, 1], [3, 1]])),
    ((4,), np.array(2)),
    ((4, 3), (slice(1, 3), -1)),
    ((4, 3), (Ellipsis, None, 1)),
    ((4, 3), (None, slice(None), slice(None, None, -1))),
    ((4, 3), np.array([3, 3, 0])),
    ((4, 3), (np.array([1, 1, -1]), np.array([2, 2, 0]))),
    ((2, 3), np.zeros((0,), int)),
    ((4, 3), (slice(None), np.array([2, 0, 2]))),
    ((4, 3), (np.array([[0], [1]]), np.array([0, 0, 2]))),
    ((2, 3, 2), (np.array([0, 0]), slice(None), np.array([1, 1]))),
    ((2, 3, 2), (0, slice(None), np.array([1, 1]))),
    ((4,), (np.array([True, False, True, False]),)),
    ((2, 3), (np.array([[True, False, True], [False, False, True]]),)),
    ((2, 3), (slice(None), np.array([True, False, True]))),
    ((), ()),
    ((), (None,)),
    ((), (Ellipsis,)),
    ((0, 3), (slice(None), 1)),
]


def in_torch(key: Any, torch: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(in_torch(k, torch) for k in key)
    return torch.tensor(key) if isinstance(key, np.ndarray) else key


def has_negative_step(key: Any) -> bool:
    return isinstance(key, tuple) and any(isinstance(k, slice) and (k.step or 1) < 0 for k in key)


def torch_getitem(torch: Any, x: Any, key: Any) -> Any:
    """``x[key]``, its entries picked by their numbers where PyTorch differs from NumPy.

    It has no slices with a negative step, and keeps the place of an array behind an int and a slice.
    """
    apart = isinstance(key, tuple) and isinstance(key[0] if key else None, int) and isinstance(key[-1], np.ndarray)
    if not has_negative_step(key) and not apart:
        return x[in_torch(key, torch)]
    numbers = np.arange(x.numel()).reshape(tuple(x.shape))[key]
    return x.reshape(-1)[torch.tensor(numbers.copy())]


def torch_setitem(torch: Any, x: Any, value: Any, key: Any) -> Any:
    """Each entry of the result picked from x and value, the last value for what is named twice.

    PyTorch's own assignment gives the gradient of a value that was replaced to that value too.
    """
    numbers = np.arange(x.numel()).reshape(tuple(x.shape))[key]
    if not isinstance(value, torch.Tensor):
        value = torch.tensor(value, dtype=x.dtype)
    source = np.arange(x.numel())
    source[numbers.reshape(-1)] = x.numel() + np.arange(numbers.size)
    both = torch.cat([x.reshape(-1), value.broadcast_to(numbers.shape).reshape(-1)])
    return both[torch.tensor(source)].reshape(x.shape)


def numpy_setitem(x: Any, value: Any, key: Any) -> Any:
    out = x.copy()
    out[key] = value
    return out


def numpy_add_at(g: Any, key: Any, shape: Any) -> Any:
    out = np.zeros(shape, g.dtype)
    np.add.at(out, key, g)
    return out


def torch_add_at(torch: Any, g: Any, key: Any, shape: Any) -> Any:
    numbers = torch.tensor(np.arange(int(np.prod(shape))).reshape(shape)[key].copy()).reshape(-1)
    return g.new_zeros(int(np.prod(shape))).index_add(0, numbers, g.reshape(-1)).reshape(shape)


def add_at_samples() -> list[Sample]:
    return [
        Sample(tuple(draw(np.zeros(shape)[key].shape, seed=i)), {"key": key, "shape": shape})
        for i, (shape, key) in enumerate(INDEX)
    ]


def names_twice(shape: Any, key: Any) -> bool:
    numbers = np.arange(int(np.prod(shape))).reshape(shape)[key].reshape(-1)
    return len(set(numbers.tolist())) < numbers.size


def setitem_samples(*, repeated: bool) -> list[Sample]:
    """A full value, one that broadcasts, and a number, for each kind of index."""
    samples = []
    for i, (shape, key) in enumerate(INDEX):
        if names_twice(shape, key) is not repeated:
            continue
        part = np.zeros(shape)[key].shape
        x, full, one, last = draw(shape, part, (), part[-1:], seed=i)
        samples += [Sample((x, v), {"key": key}) for v in (full, one, last, 0.5)]
    return samples


def in_place(x: Any, value: Any, key: Any) -> Any:
    out = x.clone()
    out[key] = value
    return out


GATHER = [
    Sample((*draw((3, 4)), np.array([[0, 3, 3], [1, 1, 1], [2, 0, -1]])), {"axis": 1}),
    Sample((*draw((3, 4)), np.array([[0, 2, 2, 1]])), {"axis": 0}),
    Sample((*draw((3,)), np.array([1, 1, 0, 2])), {"axis": 0}),
    Sample((*draw((2, 3, 2)), np.array([[[0, 1], [2, 2]], [[1, 1], [0, 0]]])), {"axis": 1}),
]
RESHAPES = [((2, 3), (3, 2)), ((2, 3), (6,)), ((), (1, 1)), ((1,), ()), ((0, 3), (3, 0)), ((2, 1, 2, 2), (4, 2))]
PERMUTES = [((), ()), ((3,), (0,)), ((2, 3), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 1, 2, 2), (3, 1, 0, 2))]
BROADCASTS = [((), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1,), (1,)), ((1, 2, 1), (2, 2, 2, 2)), ((1,), (0,))]
JOINS = [((2, 3), (1, 3), 0), ((2, 3), (2, 1), 1), ((2,), (0,), 0), ((1, 2, 1), (1, 2, 3), 2)]
SPLITS = [((4,), (1, 3), 0), ((4, 3), (2, 2), 0), ((4, 3), (1, 0, 2), 1), ((4, 3), (4,), 0)]


def second_part(x: Any, sizes: Any) -> Any:
    """``pick`` called by itself, on the hidden node that holds all parts and is there when they are recorded."""
    first, second = autograd.split(x, sizes)
    return pick(first._inputs[0], index=1) if first.requires_grad else second


ROWS = [
    Row(
        "getitem",
        [Sample(tuple(draw(s, seed=i)), {"key": k}) for i, (s, k) in enumerate(INDEX)],
        lambda x, key: x[key],
        torch_getitem,
    ),
    Row("add_at", add_at_samples(), numpy_add_at, torch_add_at),
    Row("setitem", setitem_samples(repeated=False) + setitem_samples(repeated=True), numpy_setitem, torch_setitem),
    Row("setitem in place", setitem_samples(repeated=False)[::3], numpy_setitem, torch_setitem, op=in_place),
    Row(
        "gather",
        GATHER,
        lambda x, indices, axis: (
            np.take_along_axis(x, indices, axis)
            if all(n == m or d == axis for d, (n, m) in enumerate(zip(indices.shape, x.shape, strict=True)))
            else np.take_along_axis(
                x[tuple(slice(n) if d != axis else slice(None) for d, n in enumerate(indices.shape))], indices, axis
            )
        ),
        lambda torch, x, indices, axis: torch.gather(x, axis, indices % x.shape[axis]),
    ),
    Row(
        "reshape_to",
        [*[Sample(tuple(draw(s)), {"shape": t}) for s, t in RESHAPES], Sample((flipped(),), {"shape": (2, 6)})],
        lambda x, shape: x.reshape(shape),
        lambda torch, x, shape: x.reshape(shape),
    ),
    Row(
        "permute_to",
        [*[Sample(tuple(draw(s)), {"dims": p}) for s, p in PERMUTES], Sample((flipped(),), {"dims": (1, 0)})],
        lambda x, dims: np.transpose(x, dims),
        lambda torch, x, dims: x.permute(dims),
    ),
    Row(
        "broadcast_to",
        [*[Sample(tuple(draw(s)), {"shape": t}) for s, t in BROADCASTS], Sample((flipped(),), {"shape": (2, 4, 3)})],
        lambda x, shape: np.broadcast_to(x, shape),
        lambda torch, x, shape: x.broadcast_to(shape),
    ),
    Row(
        "concatenate",
        [*[Sample(tuple(draw(s, t)), {"axis": d}) for s, t, d in JOINS], Sample(tuple(draw((2,))), {"axis": 0})],
        lambda *xs, axis: np.concatenate(xs, axis),
        lambda torch, *xs, axis: torch.cat(xs, axis),
    ),
    Row(
        "stack_along",
        [
            Sample(tuple(draw(s, s, s)), {"axis": d})
            for s, d in (((), 0), ((3,), 0), ((3,), 1), ((2, 3), 1), ((0, 2), 2))
        ],
        lambda *xs, axis: np.stack(xs, axis),
        lambda torch, *xs, axis: torch.stack(xs, axis),
    ),
    Row(
        "split_at",
        [Sample(tuple(draw(s)), {"sizes": n, "axis": d}) for s, n, d in SPLITS],
        lambda x, sizes, axis: tuple(np.split(x, np.cumsum(sizes)[:-1], axis)),
        lambda torch, x, sizes, axis: torch.split(x, sizes, axis),
    ),
    Row(
        "pick",
        [Sample(tuple(draw((4, 2))), {"sizes": (1, 3)})],
        lambda x, sizes: x[sizes[0] :],
        lambda torch, x, sizes: torch.split(x, sizes)[1],
        op=second_part,
    ),
    # Public functions composed of the primitives above.
    Row(
        "reshape",
        calls((2, 3, 2), "shape", [(-1,), (3, -1), (12,), (2, 1, 6)]),
        lambda x, shape: x.reshape(shape),
        lambda torch, x, shape: x.reshape(shape),
        op=lambda x, shape: autograd.reshape(x, *shape),
    ),
    Row(
        "flatten",
        calls((2, 3, 2), "dims", [(0, -1), (1, -1), (0, 1), (1, 1)]),
        lambda x, dims: x.reshape(*x.shape[: dims[0]], -1, *x.shape[dims[1] % 3 + 1 :]),
        lambda torch, x, dims: torch.flatten(x, *dims),
        op=lambda x, dims: autograd.flatten(x, *dims),
    ),
    Row(
        "transpose",
        calls((2, 3, 4), "dims", [(0, 1), (-1, 0), (1, 1)]),
        lambda x, dims: np.swapaxes(x, *dims),
        lambda torch, x, dims: torch.transpose(x, *dims),
        op=lambda x, dims: autograd.transpose(x, *dims),
    ),
    Row(
        "movedim",
        calls((2, 3, 4), "dims", [(0, -1), (2, 0), ((0, 1), (-1, 0))]),
        lambda x, dims: np.moveaxis(x, *dims),
        lambda torch, x, dims: torch.movedim(x, *dims),
        op=lambda x, dims: autograd.movedim(x, *dims),
    ),
    Row(
        "broadcast_to, by expand",
        calls((2, 1), "sizes", [(2, 3), (-1, 3), (4, 2, 1)]),
        lambda x, sizes: np.broadcast_to(x, [n if n != -1 else x.shape[i] for i, n in enumerate(sizes)]),
        lambda torch, x, sizes: x.expand(sizes),
        op=lambda x, sizes: x.expand(*sizes),
    ),
    Row(
        "squeeze",
        calls((1, 2, 1), "dim", [0, 2, -1, (0, 2)]),
        lambda x, dim: np.squeeze(x, dim),
        "squeeze",
        op=autograd.squeeze,
    ),
    Row(
        "squeeze of all",
        [Sample(tuple(draw((1, 2, 1))))],
        np.squeeze,
        "squeeze",
        op=autograd.squeeze,
    ),
    Row(
        "unsqueeze",
        calls((2, 3), "dim", [0, 1, -1, -3]),
        lambda x, dim: np.expand_dims(x, dim),
        "unsqueeze",
        op=autograd.unsqueeze,
    ),
    Row(
        "permute",
        calls((2, 3, 4), "dims", [(2, 0, 1), (-1, -2, 0)]),
        lambda x, dims: np.transpose(x, dims),
        "permute",
        op=lambda x, dims: autograd.permute(x, *dims),
    ),
    Row(
        "cat",
        [Sample(tuple(draw((2, 3), (2, 1), (2, 2))), {"dim": d}) for d in (1, -1)],
        lambda *xs, dim: np.concatenate(xs, dim),
        lambda torch, *xs, dim: torch.cat(xs, dim),
        op=lambda *xs, dim: autograd.cat(xs, dim),
    ),
    Row(
        "stack",
        [Sample(tuple(draw((2, 3), (2, 3))), {"dim": d}) for d in (0, 1, -1)],
        lambda *xs, dim: np.stack(xs, dim),
        lambda torch, *xs, dim: torch.stack(xs, dim),
        op=lambda *xs, dim: autograd.stack(xs, dim),
    ),
    Row(
        "split",
        [
            Sample(tuple(draw((5, 2))), {"parts": p, "dim": d})
            for p, d in ((2, 0), ((1, 4), 0), (1, 1), (7, 0), (1, -1))
        ],
        lambda x, parts, dim: tuple(
            np.split(x, range(parts, x.shape[dim], parts) if isinstance(parts, int) else np.cumsum(parts)[:-1], dim)
        ),
        lambda torch, x, parts, dim: torch.split(x, parts, dim),
        op=lambda x, parts, dim: autograd.split(x, parts, dim),
    ),
    Row(
        "chunk",
        calls((5, 2), "chunks", [1, 2, 3, 4, 9]),
        lambda x, chunks: tuple(np.split(x, range(-(-5 // chunks), 5, -(-5 // chunks)))),
        "chunk",
        op=autograd.chunk,
    ),
    Row(
        "unbind",
        calls((2, 3), "dim", [0, 1, -1]),
        lambda x, dim: tuple(np.moveaxis(x, dim, 0)),
        "unbind",
        op=autograd.unbind,
    ),
]
