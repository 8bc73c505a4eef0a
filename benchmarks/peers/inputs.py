"""Data and first weights, the same numbers for every library."""

from __future__ import annotations

import itertools

import numpy as np

Arrays = list[np.ndarray]

CHAIN = 1000  # scalar operations
SCALARS = (3, 8, 8, 1)  # sizes of the network of scalars
POINTS = 4

MLPS = {  # sizes, batch, activation
    "digits MLP": ((64, 64, 10), 32, "relu"),
    "MNIST MLP": ((784, 256, 10), 64, "relu"),
    "20 narrow layers": ((32, *[32] * 19, 10), 32, "tanh"),
    "4 × 1024 MLP": ((1024, 1024, 1024, 1024, 10), 64, "relu"),
}
RATE = 0.01  # of SGD
ADAM = 0.001

LENET_BATCH = 32
STACK = (3, 32, 32, 64)  # channels
STACK_BATCH = 16
LSTM = (32, 32, 128)  # batch, steps, units; the inputs are as many
GPTS = {  # layers, size, heads, letters, context, batch
    "GPT 2 × 32": (2, 32, 4, 27, 16, 16),
    "GPT 4 × 128": (4, 128, 4, 65, 64, 16),
}
ELEMENTS = 1_000_000
ROWS, WIDTH, WORDS = 50_000, 64, 512  # of the embedding; how many words a step looks up
PENALTY = ((20, 64, 64, 1), 64)  # sizes, batch


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    """float32 numbers of this deviation."""
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def dense(rng: np.random.Generator, sizes: tuple[int, ...]) -> Arrays:
    """W (out, in), b (out,) of each affine layer."""
    return [
        a for n, m in itertools.pairwise(sizes) for a in (normal(rng, m, n, scale=n**-0.5), normal(rng, m, scale=0.1))
    ]


def classified(rng: np.random.Generator, batch: int, *shape: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    return rng.random((batch, *shape), np.float32), rng.integers(0, classes, batch)


def mlp(name: str) -> tuple[np.ndarray, np.ndarray, Arrays, str]:
    """x (N, in), classes (N,), weights, activation."""
    sizes, batch, activation = MLPS[name]
    rng = _rng()
    return *classified(rng, batch, sizes[0]), dense(rng, sizes), activation


def scalar_network() -> tuple[np.ndarray, np.ndarray, Arrays]:
    """x (N, 3), y (N,), weights of the layers."""
    rng = _rng()
    return rng.standard_normal((POINTS, SCALARS[0])), np.sign(rng.standard_normal(POINTS)), dense(rng, SCALARS)


def lenet() -> tuple[np.ndarray, np.ndarray, Arrays]:
    """x (N, 1, 28, 28), classes (N,), weights: two convolutions of 5 × 5 and three affine layers."""
    rng = _rng()
    x, y = classified(rng, LENET_BATCH, 1, 28, 28)
    convolutions = [
        normal(rng, 6, 1, 5, 5, scale=0.2), normal(rng, 6, scale=0.1),
        normal(rng, 16, 6, 5, 5, scale=0.08), normal(rng, 16, scale=0.1),
    ]  # fmt: skip
    return x, y, convolutions + dense(rng, (400, 120, 84, 10))


def stack() -> tuple[np.ndarray, np.ndarray, Arrays]:
    """x (N, 3, 32, 32), classes (N,), weights: convolution 3 × 3 without bias, γ, β, three times; then W, b."""
    rng = _rng()
    x, y = classified(rng, STACK_BATCH, STACK[0], 32, 32)
    weights: Arrays = []
    for n, m in itertools.pairwise(STACK):
        weights += [normal(rng, m, n, 3, 3, scale=(9 * n) ** -0.5), np.ones(m, np.float32), np.zeros(m, np.float32)]
    return x, y, weights + dense(rng, (STACK[-1], 10))


def lstm() -> tuple[np.ndarray, np.ndarray, Arrays]:
    """x (N, T, H), classes (N,), weights: W_ih, W_hh (4H, H), b_ih, b_hh (4H,), W, b."""
    batch, steps, units = LSTM
    rng = _rng()
    x, y = classified(rng, batch, steps, units)
    scale = units**-0.5
    shapes = [(4 * units, units), (4 * units, units), (4 * units,), (4 * units,)]
    return x, y, [normal(rng, *shape, scale=scale) for shape in shapes] + dense(rng, (units, 10))


def gpt(name: str) -> tuple[np.ndarray, np.ndarray, Arrays, int]:
    """letters (N, T), those that follow (N, T), weights, heads.

    Weights: letters (V, C), places (T, C); for each layer γ, β, W_qkv (3C, C), b, W_out (C, C), b, γ, β,
    W (4C, C), b, W (C, 4C), b; then γ, β, and W of the head (V, C).
    """
    layers, size, heads, letters, context, batch = GPTS[name]
    rng = _rng()
    text = rng.integers(0, letters, (batch, context + 1))
    ones, zeros = np.ones(size, np.float32), np.zeros(size, np.float32)
    weights = [normal(rng, letters, size, scale=0.1), normal(rng, context, size, scale=0.1)]
    for _ in range(layers):
        weights += [ones, zeros, *dense(rng, (size, 3 * size)), *dense(rng, (size, size))]
        weights += [ones, zeros, *dense(rng, (size, 4 * size)), *dense(rng, (4 * size, size))]
    weights += [ones, zeros, normal(rng, letters, size, scale=size**-0.5)]
    return text[:, :-1].copy(), text[:, 1:].copy(), weights, heads


def elements() -> np.ndarray:
    return normal(_rng(), ELEMENTS)


def embedding() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Table (rows, width), words (512,), what their vectors are to be (512, width)."""
    rng = _rng()
    return normal(rng, ROWS, WIDTH), rng.integers(0, ROWS, WORDS), normal(rng, WORDS, WIDTH)


def penalty() -> tuple[np.ndarray, Arrays]:
    """x (N, in), weights; the network's gradient with respect to x is to have norm 1."""
    sizes, batch = PENALTY
    rng = _rng()
    return normal(rng, batch, sizes[0]), dense(rng, sizes)
