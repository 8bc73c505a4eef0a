"""Data sets, random splits and mini-batches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Generator
from nn.data import DataLoader, Dataset, Subset, TensorDataset, default_collate, random_split


def seeded(seed=0):
    return Generator().manual_seed(seed)


def both(n=10):
    return TensorDataset(np.arange(2.0 * n, dtype="f").reshape(n, 2), autograd.arange(n))


class ByItem(Dataset):
    """The same rows as ``both``, which can only be asked for one by one."""

    def __init__(self, n=10):
        self.inner = both(n)

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        return self.inner[index]


class Doubled(TensorDataset):
    def __getitem__(self, index):
        return tuple(2 * t for t in super().__getitem__(index))


SOURCES = {
    "whole arrays": both,
    "item by item": ByItem,
    "part of a part": lambda: Subset(Subset(both(20), range(0, 20, 2)), list(range(10))),
    "list": lambda: [(np.float32([i, i]), i) for i in range(10)],
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 11])
def test_batches_cover_the_data(source, batch_size, drop_last):
    dataset = source()
    loader = DataLoader(dataset, batch_size, drop_last=drop_last)
    batches = list(loader)
    assert len(batches) == len(loader)
    sizes = [len(y) for _, y in batches]
    full = 10 // batch_size
    assert sizes == [batch_size] * full + ([] if drop_last or 10 % batch_size == 0 else [10 % batch_size])
    seen = [(x.tolist(), y) for xs, ys in batches for x, y in zip(xs, ys.tolist(), strict=True)]
    expected = [dataset[i] for i in range(sum(sizes))]
    assert seen == [(np.asarray(x).tolist(), int(y)) for x, y in expected]
    assert all(type(b) is list and b[0].dtype == autograd.float32 and b[1].dtype == autograd.int64 for b in batches)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_orders_are_fresh_and_reproducible(source):
    def epochs(seed):
        loader = DataLoader(source(), 4, shuffle=True, generator=seeded(seed))
        return [[i for _, y in loader for i in y.tolist()] for _ in range(3)]

    first = epochs(0)
    assert first == epochs(0) != epochs(1)
    assert len({tuple(e) for e in first}) == 3
    assert all(sorted(e) == sorted(first[0]) for e in first)


def test_whole_arrays_and_items_shuffle_alike():
    a, b = (DataLoader(d, 3, shuffle=True, generator=seeded()) for d in (both(), ByItem()))
    for (x, y), (u, v) in zip(a, b, strict=True):
        assert x.tolist() == u.tolist() and y.tolist() == v.tolist()


def test_the_common_stream_is_the_default():
    loader = DataLoader(np.arange(50), 50, shuffle=True)
    autograd.manual_seed(3)
    first = next(iter(loader)).tolist()
    autograd.manual_seed(3)
    assert next(iter(loader)).tolist() == first


def test_two_iterations_at_once_do_not_disturb_each_other():
    loader = DataLoader(autograd.arange(6), 2)
    assert [(a.tolist(), b.tolist()) for a, b in zip(loader, loader, strict=True)] == [
        ([0, 1], [0, 1]), ([2, 3], [2, 3]), ([4, 5], [4, 5]),
    ]  # fmt: skip


def test_batches_are_copies():
    data = np.arange(4.0)
    (batch,) = DataLoader(data, 4)
    batch.zero_()
    assert data.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_gradient_flows_to_the_data():
    x = autograd.arange(4.0).requires_grad_()
    for (batch,) in DataLoader(TensorDataset(x), 3):
        (batch * batch).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_a_subclass_that_changes_items_is_asked_for_each():
    batches = list(DataLoader(Doubled(autograd.arange(4)), 4))
    assert batches[0][0].tolist() == [0, 2, 4, 6]


def test_collate_fn():
    assert list(DataLoader([1, 2, 3], 2, collate_fn=sum)) == [3, 3]


class Point(NamedTuple):
    x: float
    y: int


COLLATED = {
    "tensors": ([autograd.ones(2), autograd.zeros(2)], [[1.0, 1.0], [0.0, 0.0]]),
    "arrays": ([np.ones(2), np.zeros(2)], [[1.0, 1.0], [0.0, 0.0]]),
    "floats": ([1.0, 2.0], [1.0, 2.0]),
    "numpy's": ([np.int64(1), np.int64(2)], [1, 2]),
    "bools": ([True, False], [True, False]),
    "strings": (["a", "b"], ["a", "b"]),
    "nested": ([(1, {"k": 2.0}), (3, {"k": 4.0})], [[1, 3], {"k": [2.0, 4.0]}]),
    "named": ([Point(1.0, 2), Point(3.0, 4)], Point([1.0, 3.0], [2, 4])),
}


def plain(value):
    if isinstance(value, autograd.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if hasattr(value, "_fields"):
        return type(value)(*map(plain, value))
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize(("items", "expected"), COLLATED.values(), ids=COLLATED)
def test_default_collate(items, expected):
    assert plain(default_collate(items)) == expected
    assert type(plain(default_collate(items))) is type(expected)


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([7, 3], [7, 3]),
        ([0.7, 0.3], [7, 3]),
        ([0.25, 0.25, 0.5], [3, 2, 5]),
        ([1 / 3] * 3, [4, 3, 3]),
        ([10, 0], [10, 0]),
    ],
)
def test_random_split(lengths, sizes):
    parts = random_split(range(10), lengths, generator=seeded())
    assert [len(p) for p in parts] == sizes
    items = [item for part in parts for item in (part[i] for i in range(len(part)))]
    assert sorted(items) == list(range(10)) and items != list(range(10))
    again = random_split(range(10), lengths, generator=seeded())
    assert [p.indices for p in again] == [p.indices for p in parts]


@pytest.mark.reference
def test_splits_are_of_pytorchs_sizes():
    import torch.utils.data

    for n in range(1, 30):
        for lengths in ([0.8, 0.2], [0.5, 0.25, 0.25], [1 / 3] * 3, [0.05, 0.95], [1.0]):
            theirs = torch.utils.data.random_split(range(n), lengths) if n * min(lengths) >= 1 else None
            if theirs is not None:
                assert [len(p) for p in random_split(range(n), lengths)] == [len(p) for p in theirs]


ERRORS = {
    "lengths": (
        lambda: TensorDataset(autograd.ones(3, 2), autograd.ones(4)), autograd.ShapeError,
        r"Tensor 0 has shape \(3, 2\) and Tensor 1 \(4,\); all must have the same number of rows",
    ),
    "0-d": (lambda: TensorDataset(autograd.tensor(1.0)), autograd.ShapeError, r"Tensor 0 \(\)"),
    "nothing": (lambda: TensorDataset(), ValueError, "at least one Tensor"),
    "batch size": (lambda: DataLoader([1], 0), ValueError, "batch_size must be at least 1, got 0"),
    "batch type": (lambda: DataLoader([1], 2.0), TypeError, "batch_size must be an int, got float 2.0"),
    "empty": (lambda: DataLoader([]), ValueError, "the dataset is empty"),
    "iterator": (lambda: DataLoader(iter([1])), TypeError, "must have __getitem__ and __len__, got list_iterator"),
    "generator": (lambda: DataLoader([1], generator=0), TypeError, r"write autograd.Generator\(\).manual_seed\(0\)"),
    "no getitem": (lambda: Dataset()[0], NotImplementedError, "define __getitem__"),
    "no length": (lambda: len(Dataset()), TypeError, "define __len__"),
    "split": (lambda: random_split(range(10), [5, 6]), ValueError, "neither lengths that add up to 10"),
    "fractions": (lambda: random_split(range(10), [0.5, 0.6]), ValueError, "nor fractions that add up to 1"),
    "negative": (lambda: random_split(range(10), [11, -1]), ValueError, "must not be negative"),
    "ragged": (lambda: default_collate([(1, 2), (1,)]), autograd.ShapeError, r"items have \[1, 2\] fields"),
    "shapes": (lambda: default_collate([np.ones(2), np.ones(3)]), autograd.ShapeError, "they must be the same"),
    "objects": (lambda: default_collate([object()]), TypeError, "give the DataLoader a collate_fn"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
