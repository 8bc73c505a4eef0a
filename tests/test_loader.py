"""DataLoader: batches, orders, and batches made ahead."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest
from loading import ByItem, Squares, both, lists, noisy, seeded

import autograd
from nn.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
)


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


# Other orders


class Endless(Sampler):
    def __iter__(self):
        i = 0
        while True:
            yield i % 10
            i += 3


def test_samplers_and_batch_samplers():
    data = autograd.arange(10)
    assert lists(list(DataLoader(data, 2, sampler=[3, 1, 4]))) == [[3, 1], [4]]
    assert lists(list(DataLoader(data, 2, sampler=[3, 1, 4], drop_last=True))) == [[3, 1]]
    assert lists(list(DataLoader(data, batch_sampler=[[3], [1, 4]]))) == [[3], [1, 4]]
    by_item = DataLoader(ByItem(), batch_sampler=BatchSampler(SequentialSampler(range(5)), 2, False))
    assert [lists(y) for _, y in by_item] == [[0, 1], [2, 3], [4]] and len(by_item) == 3
    assert lists(list(DataLoader({"a": 1, "b": 2}, 2, sampler=["b", "a", "b"]))) == [[2, 1], [2]]
    batches = iter(DataLoader(data, 4, sampler=Endless()))
    assert lists([next(batches), next(batches)]) == [[0, 3, 6, 9], [2, 5, 8, 1]]
    assert lists(list(DataLoader(data, 2, True, generator=seeded()))) == lists(
        list(DataLoader(data, 2, sampler=RandomSampler(data, generator=seeded())))
    )


def test_items_without_batches():
    assert lists(list(DataLoader([np.float32([i]) for i in range(3)], None))) == [[0.0], [1.0], [2.0]]
    assert list(DataLoader([1, 2], None, collate_fn=lambda i: 10 * i)) == [10, 20]
    assert list(DataLoader(Squares(3), None)) == [0, 1, 4]
    assert len(DataLoader([1, 2], None)) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_iterable_data_sets(workers):
    assert lists(list(DataLoader(Squares(), 3, num_workers=workers))) == [[0, 1, 4], [9, 16, 25], [36]]
    assert lists(list(DataLoader(Squares(), 3, drop_last=True, num_workers=workers))) == [[0, 1, 4], [9, 16, 25]]
    with pytest.raises(TypeError, match="define __len__"):
        len(DataLoader(Squares(), 3))


def test_a_sampler_that_changes_its_order_is_asked():
    class Backwards(RandomSampler):
        def __iter__(self):
            return iter(range(len(self) - 1, -1, -1))

    assert lists(list(DataLoader(autograd.arange(3), 2, sampler=Backwards(range(3))))) == [[2, 1], [0]]


def test_items_are_asked_for_together_where_the_data_set_can():
    asked = []

    class Together(Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            asked.append(indices)
            return [10 * i for i in indices]

    assert lists(list(DataLoader(Together(), 2))) == [[0, 10], [20, 30], [40]]
    assert lists(list(DataLoader(Subset(Together(), [4, 0]), 2))) == [[40, 0]]
    assert asked == [[0, 1], [2, 3], [4], [4, 0]]

    class Negative(Together):
        def __getitem__(self, index):
            return -index

    assert lists(list(DataLoader(Negative(), 5))) == [[0, -1, -2, -3, -4]]


# Made ahead


class Watched(Dataset):
    """Counts what is asked of it, and notes in which thread and mode."""

    def __init__(self, n=20, wait=0.0):
        self.n, self.wait, self.seen, self.threads, self.grad = n, wait, [], set(), set()

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        time.sleep(self.wait)
        self.seen.append(i)
        self.threads.add(threading.get_ident())
        self.grad.add(autograd.is_grad_enabled())
        if i == 13:
            raise LookupError("no item 13")
        return i


def loader_threads():
    return [t for t in threading.enumerate() if t.name == "DataLoader"]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("workers", "factor"), [(1, None), (1, 1), (3, 5)])
def test_batches_made_ahead_are_the_same(source, shuffle, workers, factor):
    plain = DataLoader(source(), 3, shuffle, generator=seeded())
    ahead = DataLoader(source(), 3, shuffle, generator=seeded(), num_workers=workers, prefetch_factor=factor)
    for _ in range(2):
        assert lists(list(plain)) == lists(list(ahead))
    assert not loader_threads()


def test_no_more_is_made_ahead_than_asked_and_in_a_thread():
    data = Watched(12)
    loader = DataLoader(data, 2, num_workers=1, prefetch_factor=2)
    batches = iter(loader)
    assert not data.seen and not loader_threads()
    with autograd.no_grad():
        next(batches)
    deadline = time.monotonic() + 10
    while len(data.seen) < 6 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.05)
    assert len(data.seen) == 6  # one is delivered, two wait
    assert data.grad == {False} and threading.get_ident() not in data.threads and len(loader_threads()) == 1
    del batches
    assert not loader_threads() and len(data.seen) == 6


def test_leaving_the_loop_ends_the_thread():
    for _ in DataLoader(Watched(), 2, num_workers=2):
        break
    gc.collect()
    assert not loader_threads()


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_come_in_their_place_with_their_traceback(workers):
    batches = iter(DataLoader(Watched(), 3, num_workers=workers))
    assert [next(batches).tolist() for _ in range(4)][-1] == [9, 10, 11]
    with pytest.raises(LookupError, match="no item 13") as error:
        next(batches)
    assert any(frame.name == "__getitem__" for frame in traceback.extract_tb(error.value.__traceback__))
    assert not loader_threads()


def test_first_the_worker_init_fn():
    calls = []
    loader = DataLoader(range(3), num_workers=1, worker_init_fn=lambda i: calls.append((i, threading.get_ident())))
    assert not calls and lists(list(loader)) == [[0], [1], [2]]
    assert len(calls) == 1 and calls[0][0] == 0 and calls[0][1] != threading.get_ident()


def test_timeout():
    with pytest.raises(RuntimeError, match=r"took longer than timeout=0.01 seconds"):
        next(iter(DataLoader(Watched(wait=0.3), 1, num_workers=1, timeout=0.01)))
    for thread in loader_threads():
        thread.join(10)
    assert not loader_threads()


def test_the_interpreter_exits_with_an_iterator_left():
    code = """
from nn.data import DataLoader
batches = iter(DataLoader(range(100), num_workers=1))
next(batches)
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def state_of(loader, **changes):
    next(iter(loader))
    return {**loader.state_dict(), **changes}


ERRORS = {
    "batch size": (lambda: DataLoader([1], 0), ValueError, "batch_size must be at least 1, got 0"),
    "batch type": (lambda: DataLoader([1], 2.0), TypeError, "batch_size must be an int, got float 2.0"),
    "empty": (lambda: DataLoader([]), ValueError, "the dataset is empty"),
    "iterator": (lambda: DataLoader(iter([1])), TypeError, "must have __getitem__ and __len__, got list_iterator"),
    "generator": (lambda: DataLoader([1], generator=0), TypeError, r"write autograd.Generator\(\).manual_seed\(0\)"),
    "both orders": (lambda: DataLoader([1], 1, True, [0]), ValueError, "leave out shuffle=True"),
    "both batches": (lambda: DataLoader([1], 2, batch_sampler=[[0]]), ValueError, "batch_sampler makes the batches"),
    "sampler": (lambda: DataLoader([1], sampler=3), TypeError, "sampler must be something .* got int 3"),
    "used up": (lambda: DataLoader([1], sampler=iter([0])), TypeError, "iterate over anew"),
    "no batches to drop": (lambda: DataLoader([1], None, drop_last=True), ValueError, "got batch_size=None"),
    "iterable": (lambda: DataLoader(Squares(), 1, True), ValueError, "gives its items in its own order"),
    "ahead": (lambda: DataLoader([1], prefetch_factor=2), ValueError, "wants num_workers of at least 1, got 0"),
    "ahead 0": (lambda: DataLoader([1], num_workers=1, prefetch_factor=0), ValueError, "at least 1, got 0"),
    "workers": (lambda: DataLoader([1], num_workers=-1), ValueError, "num_workers must not be negative, got -1"),
    "timeout": (lambda: DataLoader([1], timeout=-1), ValueError, "timeout must not be negative, got -1"),
    "processes": (lambda: DataLoader([1], multiprocessing_context="fork"), ValueError, "made in a thread"),
    "no state": (lambda: DataLoader([1]).load_state_dict({}), ValueError, "not a state of a loader, it lacks"),
    "less data": (
        lambda: DataLoader(both(3), 2).load_state_dict(state_of(DataLoader(both(10), 2))), ValueError,
        "a data set of at least 10 items, and this one has 3",
    ),
    "generators": (
        lambda: DataLoader(both(), 2, True).load_state_dict(state_of(DataLoader(both(), 2, True, generator=seeded()))),
        ValueError, "loader with 1 generators of its own, and this one has 0",
    ),
    "sizes": (
        lambda: DataLoader(both(), 2).load_state_dict(state_of(DataLoader(both(), 2), sizes=autograd.tensor([3]))),
        ValueError, "do not fit each other",
    ),
    "not augmented": (
        lambda: DataLoader(both(), 2).load_state_dict(state_of(DataLoader(noisy(), 2))), ValueError,
        "only one has a state_dict",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.reference
def test_arguments_are_pytorchs():
    import torch.utils.data

    ours, theirs = (inspect.signature(d).parameters for d in (DataLoader, torch.utils.data.DataLoader))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]
