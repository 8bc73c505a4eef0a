"""Rows of public functions that are a primitive of another name, or an older name of one in ``linalg``."""

from __future__ import annotations

import numpy as np
from sampling import Row, Sample, draw, unary_samples

import autograd


def along(values: tuple[float, ...] = (0.0,)) -> list[Sample]:
    """All of it, and along dims in PyTorch's words and in NumPy's."""
    (x,) = draw((2, 3, 2), seed=4)
    x[x > 1] = values[0]
    return [
        *unary_samples()[2:],
        Sample((x,), {"dim": 1}),
        Sample((x,), {"dim": -1, "keepdim": True}),
        Sample((x[..., ::-1],), {"dim": 0}),
    ]


def with_entries(samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.inputs[0].size]


def in_numpy(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


def positive(n: int, seed: int = 0) -> np.ndarray:
    (x,) = draw((n, n), seed=seed)
    return x @ x.T + np.eye(n)


def symmetric(library_cholesky):
    """Of the symmetric part, so that each entry may be moved alone."""
    return lambda a, upper=False: library_cholesky((a + a.swapaxes(-1, -2)) / 2, upper=upper)


ROWS = [
    Row("all", along(), in_numpy(np.all), "all", autograd.all, gradient=False),
    Row("any", along(), in_numpy(np.any), "any", autograd.any, gradient=False),
    Row("argmax", with_entries(along((1.5,))), in_numpy(np.argmax), "argmax", autograd.argmax, gradient=False),
    Row("argmin", with_entries(along((-1.5,))), in_numpy(np.argmin), "argmin", autograd.argmin, gradient=False),
    Row(
        "cholesky",
        [Sample((positive(n, n),), static) for n, static in ((1, {}), (3, {}), (3, {"upper": True}))],
        symmetric(lambda a, upper: np.linalg.cholesky(a).T if upper else np.linalg.cholesky(a)),
        lambda torch, a, upper=False: symmetric(torch.linalg.cholesky)(a, upper),
        symmetric(autograd.cholesky),
    ),
    Row(
        "qr",
        [Sample((positive(3),))],
        lambda a: signed(*np.linalg.qr(a)),
        lambda torch, a: signed(*torch.linalg.qr(a)),
        lambda a: signed(*autograd.qr(a)),
    ),
]


def signed(q, r):
    """The factors with a positive diagonal of r: their signs are the library's choice."""
    d = r.diagonal(0, -2, -1)
    sign = d / abs(d)
    return q * sign, sign[:, None] * r
