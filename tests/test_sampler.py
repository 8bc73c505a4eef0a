"""Samplers: which indices they give, how often, and from which stream."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd
import nn.data
from nn.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed=0):
    return autograd.Generator().manual_seed(seed)


RANDOM = {
    "random": lambda g: RandomSampler(range(20), generator=g),
    "replacement": lambda g: RandomSampler(range(20), True, 50, g),
    "weighted": lambda g: WeightedRandomSampler(np.arange(20.0), 50, generator=g),
    "subset": lambda g: SubsetRandomSampler(range(0, 40, 2), g),
}


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
def test_each_epoch_is_fresh_and_each_seed_the_same(make):
    sampler, again = make(seeded()), make(seeded())
    epochs = [list(sampler) for _ in range(3)]
    assert epochs == [list(again) for _ in range(3)] and epochs[0] != epochs[1] != epochs[2]
    assert all(len(e) == len(sampler) and all(type(i) is int for i in e) for e in epochs)
    assert list(make(seeded(1))) != epochs[0]
    autograd.manual_seed(3)
    first = list(make(None))
    autograd.manual_seed(3)
    assert list(make(None)) == first


def test_in_order():
    assert list(SequentialSampler("abc")) == [0, 1, 2] and len(SequentialSampler("abc")) == 3


def test_permutations():
    assert sorted(RandomSampler(range(7))) == list(range(7))
    several = list(RandomSampler(range(5), num_samples=12))
    assert len(several) == 12 and sorted(several[:5]) == sorted(several[5:10]) == list(range(5))
    assert len(set(RandomSampler(range(50), num_samples=10))) == 10
    assert list(RandomSampler([])) == []
    assert sorted(SubsetRandomSampler([4, 7, 9])) == [4, 7, 9]


def test_frequencies():
    n = 40000
    drawn = np.bincount(list(RandomSampler(range(4), True, n, seeded())), minlength=4) / n
    np.testing.assert_allclose(drawn, 0.25, atol=0.01)
    weights = autograd.tensor([1.0, 0.0, 3.0, 6.0])
    drawn = np.bincount(list(WeightedRandomSampler(weights, n, generator=seeded())), minlength=4) / n
    np.testing.assert_allclose(drawn, [0.1, 0.0, 0.3, 0.6], atol=0.01)


def test_weights_without_replacement():
    generator = seeded()
    firsts = []
    for _ in range(3000):
        order = list(WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False, generator=generator))
        assert sorted(order) == [0, 2]
        firsts.append(order[0])
    assert abs(np.mean(np.array(firsts) == 2) - 0.75) < 0.03


def test_batches():
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert list(BatchSampler(range(4), 2, False)) == [[0, 1], [2, 3]]
    assert [len(BatchSampler(range(5), 2, drop)) for drop in (False, True)] == [3, 2]


ERRORS = {
    "own": (lambda: iter(Sampler()), NotImplementedError, r"Sampler: define __iter__\(self\)"),
    "generator": (lambda: RandomSampler([1], generator=0), TypeError, r"write autograd.Generator\(\).manual_seed\(0\)"),
    "replacement": (lambda: RandomSampler([1], 5), TypeError, "replacement must be True or False, got int 5"),
    "samples": (lambda: RandomSampler([1], num_samples=0), ValueError, "num_samples must be at least 1, got 0"),
    "empty": (lambda: list(RandomSampler([], num_samples=2)), ValueError, "cannot draw 2 indices of an empty"),
    "weights 2-d": (lambda: WeightedRandomSampler([[1.0]], 1), autograd.ShapeError, r"must be 1-d, got shape \(1, 1\)"),
    "negative": (lambda: WeightedRandomSampler([1.0, -1.0], 1), ValueError, "finite, not negative, and not all 0"),
    "zeros": (lambda: WeightedRandomSampler([0.0], 1), ValueError, "not all 0"),
    "too many": (
        lambda: WeightedRandomSampler([1.0, 0.0], 2, False), ValueError, "1 weights are not 0, .* got num_samples=2",
    ),
    "batch size": (lambda: BatchSampler([1], 0, False), ValueError, "batch_size must be at least 1, got 0"),
    "drop_last": (lambda: BatchSampler([1], 1, 0), TypeError, "drop_last must be True or False, got int 0"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.reference
def test_names_and_arguments_are_pytorchs():
    import torch.utils.data

    for name in ("RandomSampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler", "BatchSampler",
                 "Subset", "ConcatDataset", "ChainDataset", "StackDataset", "TensorDataset"):  # fmt: skip
        ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (nn.data, torch.utils.data))
        assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()], name
    assert not {n for n in torch.utils.data.__all__ if n.endswith(("Dataset", "Sampler"))} - {
        *nn.data.__all__, *nn.data._INSTEAD,
    }  # fmt: skip
