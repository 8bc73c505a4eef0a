"""Rows of the tables of vectors, of distances, and of the bilinear and unflattening layers."""

from __future__ import annotations

import numpy as np
from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError, tensor

WEIGHT = np.random.default_rng(5).standard_normal((6, 3))


def numbers(*shape):
    return lambda rng: [rng.integers(0, 6, shape)]


def pretrained(cls, **arguments):
    return lambda lib: getattr(lib.nn, cls).from_pretrained(lib.tensor(WEIGHT.copy()), **arguments)


def named_once(rng):
    return [rng.permutation(6)[:4]]


def looked_up(module, i):
    return module.weight.detach().numpy()[i]


def bags(module, i, offsets=None, weights=None):
    rows = i if offsets is None else np.split(i, offsets[1:])
    rates = [None] * len(rows) if weights is None else weights if offsets is None else np.split(weights, offsets[1:])
    out = []
    for bag, rate in zip(rows, rates, strict=True):
        kept = bag != (-1 if module.padding_idx is None else module.padding_idx)
        vectors = module.weight.detach().numpy()[bag] * (1 if rate is None else rate[:, None])
        vectors = vectors[kept]
        out.append(getattr(vectors, module.mode)(0) if len(vectors) else np.zeros(3))
    return np.stack(out)


def with_offsets(*offsets):
    return lambda rng: [rng.integers(0, 6, 7), np.array(offsets)]


def bilinear(module, x, y):
    out = np.einsum("...i,oij,...j->...o", x, module.weight.detach().numpy(), y)
    return out if module.bias is None else out + module.bias.detach().numpy()


def norm(d, p):
    return (np.abs(d) ** p).sum(-1) ** (1 / p)


def cosine(x, y, axis):
    return (x * y).sum(axis) / np.sqrt((x * x).sum(axis) * (y * y).sum(axis))


LAYERS = {
    "Embedding": [
        Row(
            lambda lib: lib.nn.Embedding(6, 3), numbers(2, 4), looked_up,
            refuses=(
                (lambda: (tensor([0, 6]),), IndexError, r"row 6 is out of range for a weight of 6 rows \(0 to 5\)"),
                (lambda: (tensor([-1]),), IndexError, "row -1 is out of range"),
                (lambda: (tensor([1.0]),), DTypeError, "integer"),
            ),
        ),
        # The padding is not named here: its gradient is 0 by definition, not by differentiation.
        Row(lambda lib: lib.nn.Embedding(6, 3, padding_idx=-2), lambda rng: [np.array([[0, 0], [3, 1]])], looked_up),
        Row(pretrained("Embedding"), numbers(5), looked_up),
        Row(pretrained("Embedding", freeze=False, padding_idx=2), numbers(5), looked_up),
        # Rows within the limit: what is scaled down in place is no part of the function that is differentiated.
        Row(pretrained("Embedding", max_norm=100.0, norm_type=3.0, scale_grad_by_freq=True), named_once, looked_up),
    ],
    "EmbeddingBag": [
        Row(
            lambda lib: lib.nn.EmbeddingBag(6, 3), numbers(2, 4), bags,
            refuses=(
                (lambda: (tensor([[0, 9]]),), IndexError, r"row 9 is out of range for a weight of 6 rows"),
                (lambda: (tensor([0, 1]),), ShapeError, "offsets"),
                (lambda: (tensor([0, 1]), tensor([1])), ValueError, "offsets must begin with 0"),
                (lambda: (tensor([[0, 1]]), tensor([0])), ValueError, "offsets go with a 1-d input"),
                (lambda: (tensor([[1.0]]),), DTypeError, "integer"),
            ),
        ),
        Row(lambda lib: lib.nn.EmbeddingBag(6, 3, mode="sum", padding_idx=1), numbers(3, 4), bags),
        Row(lambda lib: lib.nn.EmbeddingBag(6, 3, mode="max"), with_offsets(0, 2, 2, 5), bags),
        Row(lambda lib: lib.nn.EmbeddingBag(6, 3), with_offsets(0, 2, 2, 5), bags),
        Row(
            lambda lib: lib.nn.EmbeddingBag(6, 3, include_last_offset=True), with_offsets(0, 3, 7),
            lambda m, i, offsets: bags(m, i, offsets[:-1]),
        ),
        Row(
            lambda lib: lib.nn.EmbeddingBag(6, 3, mode="sum"),
            lambda rng: [rng.integers(0, 6, 7), np.array([0, 4]), rng.standard_normal(7)], bags,
        ),
        Row(pretrained("EmbeddingBag"), numbers(2, 4), bags),
        Row(pretrained("EmbeddingBag", freeze=False, mode="max", padding_idx=-1), numbers(2, 4), bags),
    ],
    "Bilinear": [
        Row(
            lambda lib: lib.nn.Bilinear(3, 4, 2), floats((5, 3), (5, 4)), bilinear,
            refuses=(
                (lambda: (autograd.ones(5, 3), autograd.ones(5, 3)), ShapeError, "do not fit"),
                (lambda: (autograd.ones(5, 3), autograd.ones(4, 4)), ShapeError, "do not fit"),
            ),
        ),
        Row(lambda lib: lib.nn.Bilinear(3, 4, 2, bias=False), floats((2, 5, 3), (2, 5, 4)), bilinear),
        Row(lambda lib: lib.nn.Bilinear(3, 1, 1), floats((3,), (1,)), bilinear),
    ],
    "Unflatten": [
        Row(
            lambda lib: lib.nn.Unflatten(1, (2, 3)), floats((4, 6)), lambda m, x: x.reshape(4, 2, 3),
            refuses=((lambda: (autograd.ones(4, 5),), ShapeError, "unflatten"),),
        ),
        Row(lambda lib: lib.nn.Unflatten(-2, [2, -1]), floats((6, 5)), lambda m, x: x.reshape(2, 3, 5)),
    ],
    "CosineSimilarity": [
        Row(
            lambda lib: lib.nn.CosineSimilarity(), floats((4, 3), (4, 3)), lambda m, x, y: cosine(x, y, 1),
            refuses=((lambda: (autograd.ones(4, 3), autograd.ones(4, 2)), ShapeError, "broadcast"),),
        ),
        Row(
            lambda lib: lib.nn.CosineSimilarity(dim=0, eps=1e-3), floats((4, 3), (4, 3)),
            lambda m, x, y: cosine(x, y, 0),
        ),
    ],
    "PairwiseDistance": [
        Row(
            lambda lib: lib.nn.PairwiseDistance(), floats((4, 3), (4, 3)), lambda m, x, y: norm(x - y + 1e-6, 2),
            refuses=((lambda: (autograd.ones(4, 3), autograd.ones(4, 2)), ShapeError, "broadcast"),),
        ),
        Row(
            lambda lib: lib.nn.PairwiseDistance(p=1, eps=0.0, keepdim=True), floats((4, 3), (4, 3)),
            lambda m, x, y: norm(x - y, 1)[:, None],
        ),
        Row(lambda lib: lib.nn.PairwiseDistance(p=3.0), floats((3,), (3,)), lambda m, x, y: norm(x - y + 1e-6, 3)),
    ],
}  # fmt: skip
