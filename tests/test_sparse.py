"""Sparse gradients of embedding tables: the rows that were looked up, and how they mix with dense gradients."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd

TABLE = np.random.default_rng(0).standard_normal((6, 3))
WORDS = np.array([[1, 4], [4, 2]])
UPSTREAM = np.random.default_rng(1).standard_normal((2, 2, 3))


def table():
    return autograd.tensor(TABLE, requires_grad=True)


def look(weight, **options):
    return autograd.embedding(autograd.tensor(WORDS), weight, sparse=True, **options)


def dense(**options):
    weight = table()
    autograd.embedding(autograd.tensor(WORDS), weight, **options).backward(autograd.tensor(UPSTREAM))
    return weight.grad.numpy()


@pytest.mark.parametrize(
    "options", [{}, {"padding_idx": 4}, {"padding_idx": -4}, {"scale_grad_by_freq": True}, {"max_norm": 1.0}], ids=str
)
def test_rows_are_those_of_the_dense_gradient(options):
    weight = table()
    look(weight, **options).backward(autograd.tensor(UPSTREAM))
    expected = dense(**options)
    assert weight.grad.is_sparse and weight.grad.shape == (6, 3) and weight.grad.dtype == np.float64
    np.testing.assert_allclose(weight.grad.to_dense().numpy(), expected, rtol=1e-14)
    once = weight.grad.coalesce()
    assert once.indices().tolist() == [np.flatnonzero(expected.any(1)).tolist()]
    np.testing.assert_allclose(once.values().numpy(), expected[expected.any(1)], rtol=1e-14)


@pytest.mark.reference
@pytest.mark.parametrize("options", [{}, {"padding_idx": 4}], ids=str)
def test_coalesced_gradient_equals_pytorchs(options):
    import torch

    weight, theirs = table(), torch.tensor(TABLE, requires_grad=True)
    look(weight, **options).backward(autograd.tensor(UPSTREAM))
    out = torch.nn.functional.embedding(torch.tensor(WORDS), theirs, sparse=True, **options)
    out.backward(torch.tensor(UPSTREAM))
    a, b = weight.grad.coalesce(), theirs.grad.coalesce()
    assert a.indices().tolist() == b.indices().tolist()
    np.testing.assert_allclose(a.values().numpy(), b.values().numpy(), rtol=1e-14)


def test_backward_twice_and_several_uses_add_up():
    weight = table()
    for _ in range(2):
        (look(weight) * autograd.tensor(UPSTREAM) + look(weight) * autograd.tensor(UPSTREAM)).sum().backward()
    assert weight.grad.is_sparse and not weight.grad.is_coalesced()
    np.testing.assert_allclose(weight.grad.numpy(), 4 * dense(), rtol=1e-14)


@pytest.mark.parametrize("order", ["sparse first", "dense first", "dense before", "sparse before"])
def test_a_dense_use_makes_the_sum_dense(order):
    weight = table()
    expected = dense() + 2 * TABLE

    def sparse_part():
        return (look(weight) * autograd.tensor(UPSTREAM)).sum()

    def dense_part():
        return (weight * weight).sum()

    if order.endswith("first"):
        parts = [sparse_part, dense_part] if order == "sparse first" else [dense_part, sparse_part]
        (parts[0]() + parts[1]()).backward()
    else:
        for part in [dense_part, sparse_part] if order == "dense before" else [sparse_part, dense_part]:
            part().backward()
    assert not weight.grad.is_sparse
    np.testing.assert_allclose(weight.grad.numpy(), expected, rtol=1e-14)


def test_grad_hooks_and_second_order():
    weight = table()
    (g,) = autograd.grad(look(weight).sum(), weight)
    assert g.is_sparse and weight.grad is None
    seen = []
    weight.register_hook(lambda g: seen.append(g.is_sparse))
    look(weight).sum().backward()
    assert seen == [True] and weight.grad.is_sparse
    # A gradient that is differentiated again is dense.
    (g,) = autograd.grad((look(weight) ** 3).sum(), weight, create_graph=True)
    (gg,) = autograd.grad(g.sum(), weight)
    np.testing.assert_allclose(gg.numpy(), autograd.tensor(TABLE * 6 * [[0], [1], [1], [0], [2], [0]]).numpy())


def test_a_table_that_is_a_result_gets_a_dense_gradient():
    weight = table()
    look(weight * 2).backward(autograd.tensor(UPSTREAM))
    assert not weight.grad.is_sparse
    np.testing.assert_allclose(weight.grad.numpy(), 2 * dense(), rtol=1e-14)


def test_bags():
    weight, other = table(), table()
    for w, sparse in ((weight, True), (other, False)):
        autograd.embedding_bag(autograd.tensor(WORDS), w, mode="mean", sparse=sparse, padding_idx=2).sum().backward()
    assert weight.grad.is_sparse and not other.grad.is_sparse
    np.testing.assert_allclose(weight.grad.numpy(), other.grad.numpy(), rtol=1e-14)


def test_operations_see_the_dense_gradient_and_scaling_stays_sparse():
    weight = table()
    look(weight).backward(autograd.tensor(UPSTREAM))
    g, expected = weight.grad, dense()
    assert not (g + 1).is_sparse and not g.reshape(-1).is_sparse
    np.testing.assert_allclose((g * g).sum().item(), (expected**2).sum(), rtol=1e-14)
    assert g.mul_(0.5) is g and g.div_(autograd.tensor(2.0)) is g and g.neg_().is_sparse
    np.testing.assert_allclose(g.numpy(), -expected / 4, rtol=1e-14)
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone(), copy.deepcopy(weight).grad):
        assert other.is_sparse and other is not g
        np.testing.assert_array_equal(other.numpy(), g.numpy())
    g.zero_()
    assert g.indices().shape == (1, 0) and not g.numpy().any()
    assert "0 rows of (6, 3)" in repr(g)


def test_only_the_rows_are_kept():
    weight = autograd.zeros(1_000_000, 8, requires_grad=True)
    autograd.embedding(autograd.tensor([3, 999_999]), weight, sparse=True).sum().backward()
    assert weight.grad.coalesce().values().shape == (2, 8)


def test_what_cannot_be_done_says_what_to_do():
    weight = table()
    look(weight).sum().backward()
    for change in (lambda g: g.add_(1), lambda g: g.__setitem__(0, 1.0), lambda g: g.mul_(autograd.ones(6, 1))):
        with pytest.raises(autograd.GraphError, match=r"p.grad = p.grad.to_dense\(\)"):
            change(weight.grad)
    with pytest.raises(autograd.GraphError, match=r"write grad.coalesce\(\).values\(\)"):
        weight.grad.values()
