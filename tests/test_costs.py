"""What a training step costs, counted and not timed: operations, rules, calls of functions, and bytes at its height.

The counts of operations and rules are exact: one more is work that was not there before. Calls and bytes have a bound
a little above what was measured, since Pythons differ in both; a change that lowers them lowers the bound with it.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter

import pytest
from counting import calls_of

import autograd
import nn
import optim
from autograd.primitive import registry


def mlp():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return model, optim.SGD(model.parameters(), lr=0.1), autograd.rand(32, 64), autograd.randint(0, 10, (32,))


def lenet():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return model, optim.Adam(model.parameters()), autograd.rand(16, 1, 28, 28), autograd.randint(0, 10, (16,))


class Letters(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters, self.places = nn.Embedding(27, 32), nn.Embedding(16, 32)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 4, 128, dropout=0.0, activation="gelu", batch_first=True, norm_first=True), 2
        )
        self.head = nn.Linear(32, 27)

    def forward(self, letters):
        x = self.letters(letters) + self.places(autograd.arange(16))
        mask = nn.Transformer.generate_square_subsequent_mask(16)
        return self.head(self.blocks(x, mask=mask, is_causal=True)).flatten(0, 1)


def gpt():
    model = Letters()
    return model, optim.Adam(model.parameters()), autograd.randint(0, 27, (16, 16)), autograd.randint(0, 27, (256,))


# Operations of the forward pass, rules of the backward pass, calls of Python's functions and of C's, MB at its height.
COSTS = {mlp: (4, 7, 280, 0.034), lenet: (13, 22, 1450, 1.8), gpt: (53, 89, 3540, 2.0)}


@pytest.fixture
def counted(monkeypatch):
    """Rules, counted as they are called, and operations, as those see them who watch."""
    counts = Counter()

    def counting(rule):
        def call(*args, **keywords):
            counts["rules"] += 1
            return rule(*args, **keywords)

        return call

    for op in registry.values():
        monkeypatch.setattr(op, "rules", tuple(rule and counting(rule) for rule in op.rules))
    with autograd.watch(lambda op: counts.update(operations=1)):
        yield counts


def step_of(make):
    autograd.manual_seed(0)
    model, optimizer, x, y = make()
    criterion = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    for _ in range(3):
        step()
    return step


@pytest.mark.parametrize("make", COSTS, ids=lambda make: make.__name__)
def test_operations_and_rules(make, counted):
    step = step_of(make)
    counted.clear()
    step()
    assert (counted["operations"], counted["rules"]) == COSTS[make][:2]


@pytest.mark.parametrize("make", COSTS, ids=lambda make: make.__name__)
def test_calls(make):
    calls = calls_of(step_of(make))
    assert 0.7 * COSTS[make][2] < calls <= COSTS[make][2]


@pytest.mark.parametrize("make", COSTS, ids=lambda make: make.__name__)
def test_memory(make):
    step = step_of(make)
    tracemalloc.start()
    try:
        for _ in range(3):
            step()
        gc.collect()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        step()
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.7 * COSTS[make][3] < (peak - before) / 1e6 <= COSTS[make][3]
    assert after - before < 2000  # what a step leaves behind
