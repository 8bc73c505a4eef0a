"""What the table of layers cannot say of Embedding and EmbeddingBag: gradients by convention, and shared memory."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from autograd import DTypeError, ShapeError, tensor

WEIGHT = np.random.default_rng(1).standard_normal((6, 3))
NUMBERS = np.array([[0, 2, 2], [5, 0, 2]])


def test_the_padding_starts_at_zero_and_gets_no_gradient():
    table = nn.Embedding(6, 3, padding_idx=-4)
    assert table.padding_idx == 2
    np.testing.assert_array_equal(table.weight[2].detach().numpy(), 0)
    table(tensor(NUMBERS)).sum().backward()
    np.testing.assert_array_equal(table.weight.grad.numpy()[:, 0], [2, 0, 0, 0, 0, 1])
    pretrained = nn.Embedding.from_pretrained(tensor(WEIGHT), padding_idx=2)
    np.testing.assert_array_equal(pretrained.weight.numpy(), WEIGHT)


def test_frequency_divides_the_gradient():
    table = nn.Embedding(6, 3, scale_grad_by_freq=True)
    table(tensor(NUMBERS)).sum().backward()
    np.testing.assert_allclose(table.weight.grad.numpy()[:, 0], [1, 0, 1, 0, 0, 1])


@pytest.mark.parametrize("make", [nn.Embedding, lambda *a, **k: nn.EmbeddingBag(*a, mode="sum", **k)])
def test_sparse_gradient_holds_the_named_rows_only(make):
    table = make(6, 3, sparse=True)
    table(tensor(NUMBERS)).sum().backward()
    assert table.weight.grad.is_sparse
    np.testing.assert_array_equal(table.weight.grad.coalesce().indices().numpy(), [[0, 2, 5]])
    np.testing.assert_array_equal(table.weight.grad.to_dense().numpy()[:, 0], [2, 0, 3, 0, 0, 1])


def test_pretrained_shares_memory_and_is_frozen_unless_told():
    given = tensor(WEIGHT.copy())
    for cls in (nn.Embedding, nn.EmbeddingBag):
        table = cls.from_pretrained(given)
        assert not table.weight.requires_grad
        assert np.shares_memory(table.weight.numpy(), given.numpy())
        assert cls.from_pretrained(given, freeze=False).weight.requires_grad
    with pytest.raises(ShapeError, match=r"Embedding.from_pretrained.*\(num_embeddings, embedding_dim\).*\(3,\)"):
        nn.Embedding.from_pretrained(autograd.ones(3))
    with pytest.raises(DTypeError, match=r"EmbeddingBag.from_pretrained.*floating"):
        nn.EmbeddingBag.from_pretrained(tensor([[1, 2]]))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="Embedding: padding_idx must be one of the 6 rows, got 6"):
        nn.Embedding(6, 3, padding_idx=6)
    with pytest.raises(ValueError, match="Embedding: num_embeddings must not be negative, got -1"):
        nn.Embedding(-1, 3)
    with pytest.raises(TypeError, match="Embedding: embedding_dim must be an int"):
        nn.Embedding(6, 3.0)
    with pytest.raises(ValueError, match="EmbeddingBag: mode must be 'sum', 'mean' or 'max', got 'min'"):
        nn.EmbeddingBag(6, 3, mode="min")
    with pytest.raises(ShapeError, match=r"Embedding: _weight must have shape \(6, 3\), got \(3, 6\)"):
        nn.Embedding(6, 3, _weight=autograd.ones(3, 6))


@pytest.mark.parametrize("bags", [False, True])
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5])
@pytest.mark.reference
def test_rows_over_the_limit_are_scaled_down_as_pytorch_does(norm_type, bags):
    import torch

    name = "EmbeddingBag" if bags else "Embedding"
    ours = getattr(nn, name).from_pretrained(tensor(WEIGHT.copy()), max_norm=1.0, norm_type=norm_type, freeze=False)
    theirs = getattr(torch.nn, name).from_pretrained(
        torch.tensor(WEIGHT), max_norm=1.0, norm_type=norm_type, freeze=False
    )
    a, b = ours(tensor(NUMBERS)), theirs(torch.tensor(NUMBERS))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-12)
    a.square().sum().backward()
    b.square().sum().backward()
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_learns_which_words_mean_the_same():
    """Two words that are always labelled alike end nearer to each other than to one that is not."""
    autograd.manual_seed(0)
    table, out = nn.Embedding(3, 4), nn.Linear(4, 2)
    parameters = [*table.parameters(), *out.parameters()]
    words, labels = tensor([0, 1, 2]), tensor([1, 1, 0])
    for _ in range(200):
        loss = nn.CrossEntropyLoss()(out(table(words)), labels)
        for p in parameters:
            p.grad = None
        loss.backward()
        with autograd.no_grad():
            for p in parameters:
                p -= 0.5 * p.grad
    assert loss.item() < 0.05
    scores = out(table(words)).detach().numpy()
    assert (scores.argmax(1) == [1, 1, 0]).all()
    first, second, other = table.weight.detach().numpy()
    assert np.linalg.norm(first - second) < min(np.linalg.norm(first - other), np.linalg.norm(second - other))
