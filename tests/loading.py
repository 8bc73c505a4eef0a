"""Data sets that the tests of the loader share."""

from __future__ import annotations

import numpy as np

import autograd
from autograd import Generator
from nn.data import Augmented, Dataset, GaussianNoise, IterableDataset, TensorDataset


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


def lists(batches):
    """Batches as nested lists."""
    if isinstance(batches, autograd.Tensor):
        return batches.tolist()
    return [lists(b) for b in batches] if isinstance(batches, (list, tuple)) else batches


class Squares(IterableDataset):
    def __init__(self, n=7):
        self.n = n

    def __iter__(self):
        return (i * i for i in range(self.n))


class Remembering(IterableDataset):
    """Goes on from where it is, and at the end begins anew."""

    def __init__(self):
        self.at = 0

    def __iter__(self):
        while self.at < 7:
            self.at += 1
            yield 10 * self.at
        self.at = 0

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]


def noisy(n=10):
    return Augmented(both(n), GaussianNoise(1.0), generator=seeded(5))
