"""Data sets, random splits and how items are made into batches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import autograd
from autograd import Generator
from nn.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    TensorDataset,
    default_collate,
    default_convert,
    random_split,
)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def both(n=10):
    return TensorDataset(np.arange(2.0 * n, dtype="f").reshape(n, 2), autograd.arange(n))


class Range(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def test_one_data_set_after_the_other():
    data = both(2) + both(3)
    assert isinstance(data, ConcatDataset) and len(data) == 5 and data.cumulative_sizes == [2, 5]
    assert [data[i][1].item() for i in range(-5, 5)] == [0, 1, 0, 1, 2] * 2
    assert [y.tolist() for _, y in DataLoader(data, 4)] == [[0, 1, 0, 1], [2]]
    empty = ConcatDataset([[], [7], [], [8]])
    assert [empty[0], empty[1]] == [7, 8]
    chain = Range(2) + Range(3)
    assert isinstance(chain, ChainDataset) and list(chain) == [0, 1, 0, 1, 2] == list(chain) and len(chain) == 5


def test_data_sets_side_by_side():
    pairs, named = StackDataset([1, 2], "ab"), StackDataset(x=[1, 2], y="ab")
    assert pairs[1] == (2, "b") and named[0] == {"x": 1, "y": "a"} and len(pairs) == len(named) == 2
    ((numbers, letters),) = DataLoader(pairs, 2)
    assert numbers.tolist() == [1, 2] and letters == ["a", "b"]


def test_default_convert():
    out = default_convert({"a": (np.ones(2), "text"), "b": [np.float32(1.5), 3]})
    assert out["a"][0].tolist() == [1.0, 1.0] and out["a"][1] == "text" and type(out["a"]) is tuple
    assert out["b"][0].dtype == autograd.float32 and out["b"][0].item() == 1.5 and out["b"][1] == 3


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
    "concat nothing": (lambda: ConcatDataset([]), ValueError, "at least one data set"),
    "concat iterable": (lambda: ConcatDataset([Range(2)]), TypeError, "use ChainDataset"),
    "concat index": (lambda: ConcatDataset([[1]])[1], IndexError, "index 1 is out of range, there are 1 items"),
    "chain": (lambda: ChainDataset([[1]]), TypeError, "wants IterableDatasets, got list; use ConcatDataset"),
    "stack lengths": (lambda: StackDataset([1], [1, 2]), ValueError, r"the data sets have \[1, 2\] items"),
    "stack kinds": (lambda: StackDataset([1], x=[1]), ValueError, "either all without names"),
    "stack nothing": (lambda: StackDataset(), ValueError, "got 0 without and 0 by name"),
    "iterable index": (lambda: Range(2)[0], TypeError, "no items by index; iterate over it"),
    "iterable iter": (lambda: iter(IterableDataset()), NotImplementedError, "define __iter__"),
    "left out": (lambda: __import__("nn").data.DistributedSampler, AttributeError, "in one process; use RandomSampler"),
    "unknown": (lambda: __import__("nn").data.Foo, AttributeError, "no attribute 'Foo'$"),
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
