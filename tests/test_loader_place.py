"""The place of a DataLoader in an epoch, and coming back to it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from loading import ByItem, Remembering, Squares, both, lists, noisy, seeded

import autograd
import nn
import optim
from nn.data import BatchSampler, DataLoader, RandomSampler, Subset, SubsetRandomSampler, WeightedRandomSampler

LOADERS = {
    "in order": lambda **k: DataLoader(both(), 3, **k),
    "shuffled, own generator": lambda **k: DataLoader(both(), 3, True, generator=seeded(), **k),
    "shuffled, common stream": lambda **k: DataLoader(both(), 3, True, **k),
    "item by item": lambda **k: DataLoader(ByItem(), 3, True, generator=seeded(), drop_last=True, **k),
    "sampler with a generator": lambda **k: DataLoader(
        both(), 3, sampler=RandomSampler(range(10), True, 17, seeded()), **k
    ),
    "weighted": lambda **k: DataLoader(
        both(), 3, sampler=WeightedRandomSampler(np.arange(10.0), 11, generator=seeded()), **k
    ),
    "subset": lambda **k: DataLoader(both(), 2, sampler=SubsetRandomSampler([4, 7, 9, 2], seeded()), **k),
    "batch sampler": lambda **k: DataLoader(
        both(), batch_sampler=BatchSampler(SubsetRandomSampler(range(8), seeded()), 3, False), **k
    ),
    "lists of batches": lambda **k: DataLoader(both(), batch_sampler=[[1, 2], [3], [4, 5, 6], [0]], **k),
    "keys": lambda **k: DataLoader({"a": 1, "b": 2}, 1, sampler=["b", "a", "b"], **k),
    "without batches": lambda **k: DataLoader(both(4), None, True, generator=seeded(), **k),
    "iterable": lambda **k: DataLoader(Squares(), 2, **k),
    "iterable that remembers": lambda **k: DataLoader(Remembering(), 2, **k),
    "part of an augmented": lambda **k: DataLoader(Subset(noisy(), [7, 1, 2, 5]), 2, True, generator=seeded(), **k),
    "augmented": lambda **k: DataLoader(noisy(), 3, True, generator=seeded(), **k),
}


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("name", LOADERS)
def test_comes_back_to_any_place(name, workers):
    autograd.manual_seed(0)
    loader = LOADERS[name](num_workers=workers)
    expected, states = [], []
    for _ in range(2):
        states.append((pickle.dumps((loader.state_dict(), autograd.get_rng_state())), len(expected)))
        for batch in loader:
            expected.append(lists(batch))
            states.append((pickle.dumps((loader.state_dict(), autograd.get_rng_state())), len(expected)))
    per_epoch = len(expected) // 2
    for text, done in states:
        state, stream = pickle.loads(text)
        for more in (0, 1):
            other = LOADERS[name](num_workers=more)
            other.load_state_dict(state)
            autograd.set_rng_state(stream)
            assert lists(list(other.state_dict().values())) == lists(list(state.values()))
            rest = [lists(batch) for batch in other]
            # After the last batch, before the end was asked for, nothing is left of the epoch.
            while len(rest) < len(expected) - done:
                rest += [lists(batch) for batch in other]
            assert rest[: len(expected) - done] == expected[done:]
            assert len(rest) in (len(expected) - done, len(expected) - done + per_epoch)


def test_the_place_in_an_epoch():
    loader = DataLoader(both(), 4, True, generator=seeded())
    for i, (_, labels) in enumerate(loader):
        assert loader.state_dict()["batches"] == i + 1
        assert labels.tolist() == loader.state_dict()["order"].tolist()[4 * i : 4 * i + 4]
        if i == 1:
            break
    state = loader.state_dict()
    assert state["batches"] == 2 and sorted(state["order"].tolist()) == list(range(10))
    other = DataLoader(both(), 4, True, generator=seeded(9))
    other.load_state_dict(state)
    assert [sorted(y.tolist()) for _, y in other] == [sorted(state["order"].tolist()[8:])]
    assert other.state_dict()["batches"] == 0 and len(list(other)) == 3


def test_leaving_early_leaves_an_augmented_data_set_as_without_a_thread():
    def second_epoch(workers):
        loader = DataLoader(noisy(30), 2, num_workers=workers, prefetch_factor=4 if workers else None)
        for i, _ in enumerate(loader):
            if i == 2:
                break
        return lists(list(loader))

    assert second_epoch(0) == second_epoch(1)


def test_training_goes_on_with_the_batches_that_were_left():
    def train(stop=None):
        autograd.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        optimizer = optim.SGD(model.parameters(), lr=1e-3)
        loader = DataLoader(both(), 3, True, num_workers=1)
        step, saved = 0, None
        for _ in range(3):
            for x, y in loader:
                optimizer.zero_grad()
                ((model(x)[:, 0] - y) ** 2).mean().backward()
                optimizer.step()
                step += 1
                if step == stop:
                    weights = {k: v.numpy().copy() for k, v in model.state_dict().items()}
                    saved = weights, loader.state_dict(), autograd.get_rng_state()
        return model, saved

    reference, saved = train(stop=6)
    model, _ = train()
    weights, place, stream = saved
    model.load_state_dict(weights)
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    loader = DataLoader(both(), 3, True)
    loader.load_state_dict(place)
    autograd.set_rng_state(stream)
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            ((model(x)[:, 0] - y) ** 2).mean().backward()
            optimizer.step()
    for a, b in zip(model.parameters(), reference.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
