"""Optimizers and the sparse gradients of embedding tables: the rows named move, and no others are touched."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd
import optim
from autograd.ops import embeddings

LOOKUPS = [[1, 3, 3], [0], [1, 5, 5, 5], [3, 1]]
TAKE = [
    ("SparseAdam", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "maximize": True}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
]
REFUSE = sorted(
    name for name in optim.__all__
    if isinstance(getattr(optim, name), type) and issubclass(getattr(optim, name), optim.Optimizer)
    and name not in ("Optimizer", "SparseAdam", "SGD", "Adagrad", "LBFGS", "KFAC")
)  # fmt: skip


def look_up(library, functional, table, rows):
    scale = library.tensor(np.arange(1.0, 1 + len(rows))[:, None])
    (functional.embedding(library.tensor(rows), table, sparse=True) ** 2 * scale).sum().backward()


def run(name, kwargs, lookups, dtype="float64"):
    start = np.random.default_rng(0).standard_normal((6, 2)).astype(dtype)
    table = autograd.tensor(start, requires_grad=True)
    optimizer = getattr(optim, name)([table], **kwargs)
    points = []
    for rows in lookups:
        optimizer.zero_grad()
        look_up(autograd, autograd, table, rows)
        assert table.grad.is_sparse
        optimizer.step()
        points.append(table.numpy().copy())
    return start, points, optimizer, table


@pytest.mark.reference
@pytest.mark.parametrize(("name", "kwargs"), TAKE, ids=str)
def test_follows_pytorch(name, kwargs):
    import torch

    torch.sparse.check_sparse_tensor_invariants.disable()  # says that its default is fine
    start, points, optimizer, _ = run(name, kwargs, LOOKUPS)
    table = torch.tensor(start, requires_grad=True)
    other = getattr(torch.optim, name)([table], **kwargs)
    for rows, point in zip(LOOKUPS, points, strict=True):
        other.zero_grad()
        look_up(torch, torch.nn.functional, table, rows)
        other.step()
        np.testing.assert_allclose(point, table.detach().numpy(), rtol=1e-12, atol=1e-14)
    ours, theirs = optimizer.state_dict(), other.state_dict()
    assert ours["state"].keys() == theirs["state"].keys()
    for key, value in theirs["state"].get(0, {}).items():
        value = value.to_dense() if getattr(value, "is_sparse", False) else value
        np.testing.assert_allclose(ours["state"][0][key].numpy(), np.asarray(value), rtol=1e-6)


def sparse_adam_formula(p, rows, gradients, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, maximize=False):
    for row, g in zip(rows, gradients, strict=True):
        g = -g if maximize else g
        m[row] = betas[0] * m[row] + (1 - betas[0]) * g
        v[row] = betas[1] * v[row] + (1 - betas[1]) * g * g
        p[row] -= lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t) * m[row] / (np.sqrt(v[row]) + eps)


@pytest.mark.parametrize(("name", "kwargs"), [v for v in TAKE if v[0] == "SparseAdam"], ids=str)
def test_sparse_adam_follows_its_formula(name, kwargs):
    p, points, _, _ = run(name, kwargs, LOOKUPS)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, (rows, point) in enumerate(zip(LOOKUPS, points, strict=True), 1):
        once = sorted(set(rows))
        weights = [sum(1.0 + i for i, r in enumerate(rows) if r == row) for row in once]
        gradients = [2 * p[row] * w for row, w in zip(once, weights, strict=True)]
        sparse_adam_formula(p, once, gradients, m, v, t, **kwargs)
        np.testing.assert_allclose(point, p, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "kwargs"), [v for v in TAKE if "momentum" not in v[1]], ids=str)
def test_other_rows_are_not_touched(name, kwargs):
    _, _, optimizer, table = run(name, kwargs, [[1, 3]])
    # NaN stays only where it is neither read nor written.
    hidden = [table.numpy(), *(s.numpy() for s in optimizer.state[table].values() if s.shape == table.shape)]
    for array in hidden:
        array[[0, 2, 4, 5]] = np.nan
    with autograd.no_grad():
        rows = autograd.tensor([3, 1, 1])
    optimizer.zero_grad()
    autograd.embedding(rows, table, sparse=True).sum().backward()
    optimizer.step()
    for array in hidden:
        np.testing.assert_array_equal(np.isnan(array).all(1), [True, False, True, False, True, True])
        assert np.isfinite(array[[1, 3]]).all()


@pytest.mark.parametrize(("name", "kwargs"), TAKE, ids=str)
def test_saved_state_continues_bit_for_bit(name, kwargs):
    _, _, optimizer, table = run(name, kwargs, LOOKUPS)
    twin = table.detach().clone().requires_grad_()
    other = getattr(optim, name)([twin], lr=5.0)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for rows in LOOKUPS:
        for t, o in ((table, optimizer), (twin, other)):
            o.zero_grad()
            look_up(autograd, autograd, t, rows)
            o.step()
    np.testing.assert_array_equal(table.numpy(), twin.numpy())


def test_dense_and_sparse_gradients_may_take_turns():
    start, _, optimizer, table = run("Adagrad", {"lr": 0.1}, LOOKUPS[:1])
    same = autograd.tensor(start, requires_grad=True)
    dense = optim.Adagrad([same], lr=0.1)
    look_up(autograd, autograd, same, LOOKUPS[0])
    same.grad = same.grad.to_dense()
    dense.step()
    for o, t in ((optimizer, table), (dense, same)):
        t.grad = autograd.ones_like(t)
        o.step()
        o.zero_grad()
        look_up(autograd, autograd, t, LOOKUPS[2])
        o.step()
    np.testing.assert_allclose(table.numpy(), same.numpy(), rtol=1e-14)


def with_sparse_gradient(optimizer_of):
    table = autograd.ones(6, 2, requires_grad=True)
    optimizer = optimizer_of(table)
    look_up(autograd, autograd, table, [1])
    with pytest.raises(autograd.GraphError) as caught:
        optimizer.step()
    assert (table.numpy() == 1).all()
    return str(caught.value)


@pytest.mark.parametrize("name", REFUSE)
def test_the_others_refuse(name):
    message = with_sparse_gradient(lambda p: getattr(optim, name)([p]))
    assert message.startswith(f"{name}: does not support sparse gradients; use optim.SparseAdam")


@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_weight_decay_refuses(name):
    message = with_sparse_gradient(lambda p: getattr(optim, name)([p], weight_decay=0.1))
    assert message.startswith(f"{name}: weight_decay touches every row")


@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_weight_decay_that_comes_later_is_noticed(name, monkeypatch):
    monkeypatch.setattr(embeddings, "LARGE", 1000)
    _, points, optimizer, table = run(name, {"lr": 0.1}, LOOKUPS[:2])
    optimizer.param_groups[0]["weight_decay"] = 0.1
    with pytest.raises(autograd.GraphError, match="weight_decay touches every row"):
        optimizer.step()
    np.testing.assert_array_equal(table.numpy(), points[-1])
    # So it is where the gradient has rows and counts as dense: then all of them decay.
    table = autograd.ones(3000, 4, requires_grad=True)
    optimizer = getattr(optim, name)([table], lr=0.1)
    for decay in (0.0, 0.1):
        before = table.numpy().copy()
        optimizer.zero_grad()
        autograd.embedding(autograd.tensor([0]), table).sum().backward()
        assert table.grad.is_rows and not table.grad.is_sparse
        optimizer.param_groups[0]["weight_decay"] = decay
        optimizer.step()
        assert (table.numpy() != before)[1:].all() == bool(decay)


def test_sparse_adam_refuses_dense_gradients_and_bad_numbers():
    table = autograd.ones(6, 2, requires_grad=True)
    table.grad = autograd.ones(6, 2)
    with pytest.raises(autograd.GraphError, match="SparseAdam: parameter 0 of group 0 has a dense gradient"):
        optim.SparseAdam([table]).step()
    bad = (({"lr": -1}, "lr must not"), ({"eps": -1}, "eps must not"), ({"betas": (2, 0)}, r"betas\[0"))
    for kwargs, message in bad:
        with pytest.raises(ValueError, match=f"SparseAdam: {message}"):
            optim.SparseAdam([table], **kwargs)


def test_nonfinite_sparse_gradients_are_found():
    table = autograd.tensor([[1.0, 2.0], [np.inf, 0.0]], requires_grad=True)
    optimizer = optim.SparseAdam([table])
    optimizer.nonfinite = "raise"
    look_up(autograd, autograd, table, [0, 1])
    with pytest.raises(FloatingPointError, match="parameter 0 of group 0 has a gradient with 0 NaN and 1 infinite"):
        optimizer.step()
