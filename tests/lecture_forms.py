"""What the tests of the lectures' forms share."""

from __future__ import annotations

import numpy as np

import autograd
from autograd import tensor

RNG = np.random.default_rng


def leaf(value):
    return tensor(value, dtype="float64", requires_grad=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def close(ours, expected, **tolerance):
    ours = ours.detach().numpy() if isinstance(ours, autograd.Tensor) else ours
    np.testing.assert_allclose(ours, expected, **{"rtol": 1e-10, "atol": 1e-12, **tolerance})
