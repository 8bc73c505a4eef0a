"""Gradients of large tables, of which only the rows that were looked up exist until somebody looks at the rest."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import SparseGradient, Tensor
from autograd.ops import embeddings

OPTIMIZERS = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    "weight decay": lambda ps: optim.SGD(ps, lr=0.1, weight_decay=0.1),
    "Adagrad": lambda ps: optim.Adagrad(ps, lr=0.1),
    "Adam": lambda ps: optim.Adam(ps, lr=0.1),
    "RMSprop": lambda ps: optim.RMSprop(ps, lr=0.1, momentum=0.5),
}


def table(rows=3000, size=4):
    return autograd.ones(rows, size, requires_grad=True)


@pytest.fixture(autouse=True)
def small_tables_are_large(monkeypatch):
    monkeypatch.setattr(embeddings, "LARGE", 1000)


def trained(make, clear):
    """The table and the optimizer's states after some steps, with rows named twice, a padding row, a step with a dense
    share, and one whose gradient is clipped."""
    autograd.manual_seed(0)
    words, head = nn.Embedding(2000, 16, padding_idx=5), nn.Linear(16, 3)
    optimizer = make([*words.parameters(), *head.parameters()])
    for step in range(6):
        named = autograd.randint(0, 2000, (64,))
        named[0], named[1] = 5, named[2]
        if clear or step % 2 == 0:
            optimizer.zero_grad()
        loss = (head(words(named)) ** 2).mean()
        if step == 3:
            loss = loss + (words.weight**2).mean()
        loss.backward()
        if step == 4:
            nn.utils.clip_grad_norm_(words.parameters(), 0.01)
        optimizer.step()
    state = [v.numpy() for entry in optimizer.state.values() for v in entry.values() if v.ndim]
    return [words.weight.detach().numpy(), head.weight.detach().numpy(), *state]


@pytest.mark.parametrize("clear", [True, False], ids=["cleared", "accumulated"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_is_the_same_to_the_last_bit(name, clear, monkeypatch):
    deferred = trained(OPTIMIZERS[name], clear)
    monkeypatch.setattr(embeddings, "LARGE", 1 << 60)
    for one, other in zip(deferred, trained(OPTIMIZERS[name], clear), strict=True):
        assert np.array_equal(one, other)


def test_what_is_not_looked_at_is_not_made(monkeypatch):
    monkeypatch.setattr("autograd.sparse_rows.SparseRows.dense", lambda rows: pytest.fail("the gradient was filled in"))
    for make in (OPTIMIZERS["SGD"], OPTIMIZERS["Adagrad"]):
        t = table()
        optimizer = make([t])
        for _ in range(2):  # the second pass adds to the gradient of the first
            (autograd.embedding(autograd.tensor([7, 3, 7]), t) ** 2).sum().backward()
        assert t.grad.is_rows and not t.grad.is_sparse and t.grad.shape == (3000, 4) and t.grad.dtype == t.dtype
        numbers, rows = t.grad.nonzero_rows()
        assert numbers.tolist() == [3, 7] and rows.tolist() == [[4.0] * 4, [8.0] * 4]
        optimizer.step()
        assert set(np.flatnonzero((t.detach().numpy() != 1).any(1))) == {3, 7}
        optimizer.zero_grad()


def test_it_is_a_dense_gradient_to_all_who_look():
    expected = np.zeros((3000, 4), np.float32)
    expected[3], expected[7] = 1, 2

    def gradient():
        t = table()
        autograd.embedding(autograd.tensor([7, 3, 7]), t).sum().backward()
        assert t.grad.is_rows
        return t.grad

    for look in (
        Tensor.numpy, Tensor.clone, Tensor.detach, copy.copy, copy.deepcopy, np.asarray, lambda g: g + 0,
        lambda g: g[:], lambda g: pickle.loads(pickle.dumps(g)), lambda g: autograd.stack([g])[0],
    ):  # fmt: skip
        g = gradient()
        seen = look(g)
        assert np.array_equal(np.asarray(seen), expected) and not g.is_rows and g.nonzero_rows() is None
    g = gradient()
    g.mul_(2)
    g[0] = 5.0
    assert np.array_equal(g.numpy()[1:], 2 * expected[1:]) and (g.numpy()[0] == 5).all()
    assert repr(gradient()).startswith("tensor([[0., 0., 0., 0.],")


def test_hooks_and_grad_see_a_gradient_too():
    t, seen = table(), []
    t.register_hook(lambda g: seen.append(g.sum().item()))
    autograd.embedding(autograd.tensor([7, 3, 7]), t).sum().backward()
    assert seen == [12.0]
    (g,) = autograd.grad((autograd.embedding(autograd.tensor([1]), t) ** 2).sum(), t, create_graph=True)
    (second,) = autograd.grad(g.sum(), t)
    assert g[1].tolist() == second[1].tolist() == [2.0] * 4 and second.sum().item() == 8


@pytest.mark.parametrize("sparse", [True, False])
def test_writing_into_the_upstream_gradient_afterwards_changes_nothing(sparse):
    t, upstream = table(), autograd.ones(2, 4)
    autograd.embedding(autograd.tensor([1, 3]), t, sparse=sparse).backward(upstream)
    upstream.mul_(5)
    assert t.grad.is_rows and t.grad[3].tolist() == [1.0] * 4


def test_only_large_tables_that_are_leaves_of_which_few_rows_are_named():
    def kind(t, named, **how):
        leaf = t.is_leaf
        autograd.embedding(autograd.tensor(named), t, **how).sum().backward()
        return t.grad.is_rows if leaf else None

    assert kind(table(), [1]) and not kind(table(10), [1])
    assert not kind(table(), list(range(1000)))
    assert kind(table(), [1], padding_idx=1) and not table().is_rows and table().nonzero_rows() is None
    t = table()
    autograd.embedding(autograd.tensor([1, 1]), t * 2).sum().backward()
    assert t.grad[1].tolist() == [4.0] * 4 and not t.grad.is_rows
    assert autograd.embedding(autograd.tensor([1]), t, sparse=True).sum().backward() is None
    assert not isinstance(t.grad, SparseGradient) and t.grad[1].tolist() == [5.0] * 4
