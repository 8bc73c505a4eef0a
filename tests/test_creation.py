"""Making Tensors and drawing them: values, dtypes and shapes beside PyTorch's, and the laws of what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import grad, tensor

# Called with autograd and with torch.
SAME = {
    "arange of one": lambda m: m.arange(5),
    "arange of floats": lambda m: m.arange(1.0, 2.0, 0.25),
    "arange back": lambda m: m.arange(3, -3, -2),
    "arange of nothing": lambda m: m.arange(2, 2),
    "arange as floats": lambda m: m.arange(3, dtype=m.float64),
    "arange of 0-d": lambda m: m.arange(m.tensor(3)),
    "linspace": lambda m: m.linspace(-1, 1, 5),
    "linspace of one": lambda m: m.linspace(2, 3, 1),
    "linspace of integers": lambda m: m.linspace(0, 10, 4, dtype=m.int64),
    "linspace of none": lambda m: m.linspace(0, 1, 0),
    "logspace": lambda m: m.logspace(0, 3, 4),
    "logspace of base 2": lambda m: m.logspace(-1, 1, 3, 2, dtype=m.float64),
    "eye": lambda m: m.eye(2, 3),
    "eye of nothing": lambda m: m.eye(0),
    "full of bools": lambda m: m.full((2,), True),
    "full of floats": lambda m: m.full((1, 2), 0.5),
    "scalar_tensor": lambda m: m.scalar_tensor(3),
    "asarray": lambda m: m.asarray([1, 2]),
    "asarray of floats": lambda m: m.asarray([1.5], dtype=m.float64),
    "0-d in a list": lambda m: m.tensor([m.tensor(1.0), m.tensor(2.0)]),
    "0-d and numbers in a list": lambda m: m.tensor([m.tensor(1.0), 2.5, 3]),
    "numbers and 0-d in a list": lambda m: m.tensor([[1, m.tensor(2)], [3, 4]]),
    "float64 in a list": lambda m: m.tensor([np.float64(1.5)]),
    "number and float64 in a list": lambda m: m.tensor([1.5, np.float64(2.5)]),
    "empty list": lambda m: m.tensor([]),
    "tril_indices": lambda m: m.tril_indices(3, 4, -1),
    "triu_indices": lambda m: m.triu_indices(3, 4, 1),
    "new_zeros": lambda m: m.tensor([1, 2]).new_zeros(2, 3),
    "new_ones": lambda m: m.tensor([1.0]).new_ones((2,)),
    "new_full": lambda m: m.tensor([1]).new_full((2,), 7),
    "new_tensor": lambda m: m.tensor([1.0], dtype=m.float64).new_tensor([1, 2]),
    "new_zeros of a dtype": lambda m: m.tensor([1]).new_zeros(2, dtype=m.float32),
}


@pytest.mark.reference
@pytest.mark.parametrize("case", SAME)
def test_what_is_made_is_pytorchs(case):
    import torch

    ours, theirs = SAME[case](autograd), SAME[case](torch)
    assert ours.shape == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_asarray_shares_or_copies():
    array = np.zeros(2)
    t = tensor([1.0])
    assert autograd.asarray(t) is t
    assert autograd.asarray(t, copy=True) is not t
    shared, copied = autograd.asarray(array), autograd.asarray(array, copy=True)
    array[0] = 1.0
    assert shared.tolist() == [1.0, 0.0]
    assert copied.tolist() == [0.0, 0.0]
    assert autograd.asarray([1.0], requires_grad=True).requires_grad


def test_facts_about_memory():
    x = autograd.zeros(2, 3)
    assert x.is_contiguous() and not x.t().is_contiguous()
    assert x.t().contiguous().is_contiguous()
    assert (x.stride(), x.t().stride(), x.stride(-1)) == ((3, 1), (1, 3), 1)
    assert (x[1:].storage_offset(), x.storage_offset()) == (3, 0)
    assert x[1:].data_ptr() == x.data_ptr() + 3 * 4
    assert autograd.is_tensor(x) and not autograd.is_tensor(x.numpy())
    assert autograd.numel(x) == 6


# Fills a large Tensor in place -> (mean, standard deviation) that it should have.
FILLS = {
    "uniform_": (lambda x, g: x.uniform_(-1, 3, generator=g), 1.0, 4 / 12**0.5),
    "normal_": (lambda x, g: x.normal_(2, 0.5, generator=g), 2.0, 0.5),
    "log_normal_": (
        lambda x, g: x.log_normal_(0, 0.5, generator=g), np.exp(0.125), np.exp(0.125) * (np.exp(0.25) - 1) ** 0.5
    ),
    "exponential_": (lambda x, g: x.exponential_(2.0, generator=g), 0.5, 0.5),
    "geometric_": (lambda x, g: x.geometric_(0.25, generator=g), 4.0, 12**0.5),
    "bernoulli_": (lambda x, g: x.bernoulli_(0.25, generator=g), 0.25, 0.1875**0.5),
    "random_": (lambda x, g: x.random_(0, 5, generator=g), 2.0, 2**0.5),
    "bernoulli": (lambda x, g: (x * 0 + 0.25).bernoulli(generator=g), 0.25, 0.1875**0.5),
    "poisson": (lambda x, g: autograd.poisson(x * 0 + 4, generator=g), 4.0, 2.0),
    "normal": (lambda x, g: autograd.normal(x * 0 + 3, 2.0, generator=g), 3.0, 2.0),
    "normal of numbers": (lambda x, g: autograd.normal(1.0, 2.0, (20_000,), generator=g), 1.0, 2.0),
    "randint_like": (lambda x, g: autograd.randint_like(x, 1, 4, generator=g), 2.0, (2 / 3) ** 0.5),
}  # fmt: skip


@pytest.mark.parametrize("case", FILLS)
def test_what_is_drawn_has_the_law_that_it_should_have(case):
    draw, mean, std = FILLS[case]
    x = draw(autograd.zeros(20_000), autograd.Generator().manual_seed(1))
    again = draw(autograd.zeros(20_000), autograd.Generator().manual_seed(1))
    other = draw(autograd.zeros(20_000), autograd.Generator().manual_seed(2))
    values = x.numpy().astype(np.float64)
    assert x.dtype == np.float32
    assert abs(values.mean() - mean) < 5 * std / 20_000**0.5
    assert abs(values.std() / std - 1) < 0.05
    assert (x == again).all()
    assert not (x == other).all()


def test_cauchy_has_the_median_and_quartiles_that_it_should_have():
    x = autograd.zeros(20_000).cauchy_(1.0, 2.0, generator=autograd.Generator().manual_seed(0)).numpy()
    np.testing.assert_allclose(np.quantile(x, [0.25, 0.5, 0.75]), [-1.0, 1.0, 3.0], atol=0.1)


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_by_weight(replacement):
    generator = autograd.Generator().manual_seed(0)
    weights = tensor([[1.0, 0.0, 3.0], [2.0, 1.0, 1.0]]).repeat(5000, 1)
    drawn = autograd.multinomial(weights, 2, replacement, generator=generator).numpy()
    assert drawn.shape == (10_000, 2) and drawn.dtype == np.int64
    first = np.stack([np.bincount(drawn[i::2, 0], minlength=3) / 5000 for i in range(2)])
    np.testing.assert_allclose(first, [[0.25, 0.0, 0.75], [0.5, 0.25, 0.25]], atol=0.03)
    if not replacement:
        assert (drawn[:, 0] != drawn[:, 1]).all()
    assert autograd.multinomial(tensor([0.0, 1.0]), 3, True).tolist() == [1, 1, 1]


def test_filling_with_random_numbers_cuts_the_gradient():
    for fill in ("uniform_", "normal_", "exponential_", "bernoulli_", "random_"):
        x = tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        assert getattr(y, fill)() is y
        assert grad(y, x, autograd.ones(2))[0].tolist() == [0.0, 0.0]


def test_integers_are_filled_within_their_dtype():
    x = autograd.zeros(1000, dtype="int8").random_()
    assert x.dtype == "int8" and x.numpy().min() >= 0
    assert set(autograd.zeros(100, dtype="int64").bernoulli_().tolist()) <= {0, 1}
    assert set(autograd.zeros(100).random_(3).tolist()) == {0.0, 1.0, 2.0}


def test_bernoulli_takes_a_probability_for_each_entry():
    p = tensor([0.0, 1.0])
    assert autograd.zeros(3, 2).bernoulli_(p).tolist() == [[0.0, 1.0]] * 3


def test_a_seed_of_its_own_is_returned():
    a = autograd.seed()
    assert autograd.initial_seed() == a
    autograd.manual_seed(0)
