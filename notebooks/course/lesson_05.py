"""The exercises of notebook 5, from scalar to vectorised."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np

import autograd
import nn
from autograd import tensor

from .exercises import Answer, exercise, wrong


def _parts(answer: Answer, **wanted: np.ndarray) -> None:
    """Compares the things that a function returned, each under its name."""
    got = answer.value
    if not isinstance(got, tuple | list) or len(got) != len(wanted):
        wrong(f"{answer.label} is to return {len(wanted)} things, {', '.join(wanted)}.")
    for value, (name, one) in zip(got, wanted.items(), strict=True):
        Answer(value, f"{name} of {answer.label}").gives(one, rtol=1e-4, atol=1e-7)


def _array(answer: Answer) -> np.ndarray:
    """An answer's numbers, to look for typical mistakes in; refuses what has none."""
    value = answer.done().value
    try:
        return np.asarray(value.detach().numpy() if isinstance(value, autograd.Tensor) else value, float)
    except (TypeError, ValueError):
        wrong(f"{answer.label} is of type {type(value).__name__}; an array of numbers is wanted.")


@exercise("5.1")
def softmax_jacobian(answer):
    """pᵢ depends on its own logit zᵢ, which raises it, and on every other zⱼ, which takes away from it. Write down
    ∂pᵢ/∂zⱼ once for i = j and once for i ≠ j; np.diag and np.outer put the two together."""
    for p in ([0.5, 0.5], [0.7, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [1.0, 0.0]):
        p = np.array(p)
        wanted = np.diag(p) - np.outer(p, p)
        got = answer(p)
        given = _array(got)
        if given.shape == wanted.shape:
            alone = np.diag(np.diag(given))
            got.holds(
                not np.allclose(given, alone) or np.allclose(wanted, np.diag(np.diag(wanted))),
                "has zeros beside the diagonal, as if each output saw its own logit only; softmax divides by a sum "
                "over all of them.",
            )
            got.holds(
                not np.allclose(given, np.diag(p) + np.outer(p, p)),
                "has the wrong sign beside the diagonal: a larger zⱼ makes every other probability smaller.",
            )
        got.gives(wanted)
    return "Every row adds up to 0, since the probabilities always add up to 1."


@exercise("5.2")
def multiplications(answer):
    """A product of an (a, b) and a (b, c) matrix takes a · b · c multiplications. From the loss, the product so far
    always has sizes[-1] rows; from the input, it always has sizes[0] columns."""
    for sizes in ([4, 3, 1], [1000, 1000, 1000, 1], [1, 50, 60, 70], [5, 5], [2, 3, 4, 5]):
        pairs = [a * b for a, b in pairwise(sizes)]
        wanted = {"loss": sizes[-1] * sum(pairs[:-1]), "input": sizes[0] * sum(pairs[1:])}
        for end, other in (("loss", "input"), ("input", "loss")):
            got = answer(sizes, end)
            if len(sizes) == 2:
                got.holds(got.value == 0, f"is {got.value}; with one Jacobian there is nothing to multiply.")
            got.holds(
                wanted[end] == wanted[other] or got.value != wanted[other],
                f"is {got.value}, the count for the other end.",
            )
            got.gives(wanted[end])
    return "A loss is one number, so its end is the cheap one: that is why training goes backward."


@exercise("5.3")
def linear_backward(answer):
    """δ has one entry for each output. Shapes leave one way only: dW is (m, n), made of δ (m,) and x (n,); dx is (n,),
    made of W (m, n) and δ (m,). b is added as it is, so its gradient is δ as it is."""
    rng = np.random.default_rng(0)
    for m, n in ((2, 3), (3, 2), (1, 4), (3, 3)):
        delta, W, x = rng.normal(size=m), rng.normal(size=(m, n)), rng.normal(size=n)
        got = answer(delta, W, x)
        got.label = f"linear_backward, for W of shape {W.shape},"
        _parts(got, dW=np.outer(delta, x), db=delta, dx=W.T @ delta)
    return "Two products and a copy, and no Jacobian was built."


@exercise("5.4")
def unbroadcast(answer):
    """There are two ways to be broadcast: dimensions are put in front, and sizes of 1 are stretched. Sum over the
    first kind until the number of dimensions fits, and over the second with keepdims=True."""
    rng = np.random.default_rng(0)
    cases = [
        ((4, 3), (3,), (0,), False), ((4, 3), (4, 1), (1,), True), ((4, 3), (4, 3), (), False),
        ((4, 3), (1, 3), (0,), True), ((2, 4, 3), (4, 3), (0,), False), ((4, 3), (), (0, 1), False),
    ]  # fmt: skip
    for wide, shape, axes, keep in cases:
        g = rng.normal(size=wide)
        got = answer(g, shape)
        given = _array(got)
        wanted = g.sum(axis=axes, keepdims=keep) if axes else g
        if given.shape == shape and axes:
            got.holds(
                not np.allclose(given, g.mean(axis=axes, keepdims=keep)),
                "is the mean; copies each bring their share, and shares add up.",
            )
        got.gives(wanted.reshape(shape))
    both = rng.normal(size=(2, 4, 3))
    answer(both, (4, 1)).gives(both.sum(axis=(0, 2)).reshape(4, 1))
    return "What is copied forward is summed backward, for every shape."


@exercise("5.5")
def gradients(answer):
    """Go backward line by line. dZ2 is (P − Y) / N, with Y the one-hot rows of the labels. Then dW2, db2 and dA come
    from dZ2 as in a single linear layer, dZ1 = dA ∘ (1 − A²), and dW1, db1 from dZ1."""
    generator = autograd.Generator().manual_seed(0)
    for N, n, hidden, classes in ((1, 3, 4, 2), (7, 5, 4, 3), (12, 4, 6, 4)):
        shapes = ((hidden, n), (hidden,), (classes, hidden), (classes,), (N, n))
        W1, b1, W2, b2, X = (autograd.randn(*s, generator=generator, dtype=autograd.float64) for s in shapes)
        y = autograd.randint(0, classes, (N,), generator=generator)
        weights = [t.requires_grad_() for t in (W1, b1, W2, b2)]
        loss = nn.functional.cross_entropy(autograd.tanh(X @ W1.T + b1) @ W2.T + b2, y)
        wanted = autograd.grad(loss, weights)
        arrays = [t.detach().numpy() for t in (W1, b1, W2, b2, X)]
        got = answer(*arrays, y.numpy())
        got.label = f"gradients, for {N} example{'s' if N > 1 else ''} of {classes} classes,"
        got.holds(
            isinstance(got.value, tuple | list) and len(got.value) == 4,
            "is to be four things, dW1, db1, dW2, db2.",
        )
        names = ("dW1", "db1", "dW2", "db2")
        for name, value in zip(names, got.value, strict=True):
            Answer(value, name).done()
        W1, b1, W2, b2, X = arrays
        A = np.tanh(X @ W1.T + b1)
        right, dW2 = wanted[2].numpy(), _array(Answer(got.value[2], "dW2"))
        unmarked = autograd.softmax(tensor(A @ W2.T + b2), dim=1).numpy().T @ A / N
        db1, flat = _array(Answer(got.value[1], "db1")), (wanted[3].numpy() @ W2)
        got.holds(
            dW2.shape != right.shape or not np.allclose(dW2, unmarked),
            "takes P for the gradient of Z2; 1 is to be taken away at the right class of each example.",
        )
        got.holds(
            db1.shape != flat.shape or not np.allclose(db1, flat),
            "goes from A to Z1 as if tanh were not there: its slope is 1 − A².",
        )
        got.holds(
            N == 1 or dW2.shape != right.shape or not np.allclose(dW2, N * right),
            "has the gradients of the sum over the examples; the loss is their mean, so something is to be divided "
            "by N.",
        )
        _parts(got, **{name: g.numpy() for name, g in zip(names, wanted, strict=True)})
    return "That is all of backpropagation for two layers and any number of examples, in half a dozen lines."


@exercise("5.6")
def norms(answer):
    """The gradient of one example is the outer product of δ and x. The sum of all (δᵢ xⱼ)² is a product of two sums."""
    rng = np.random.default_rng(0)
    for N, m, n in ((4, 3, 5), (1, 2, 2), (6, 10, 64)):
        D, X = rng.normal(size=(N, m)), rng.normal(size=(N, n))
        wanted = np.sqrt((np.einsum("Ni,Nj->Nij", D, X) ** 2).sum((1, 2)))
        got = answer(D, X)
        given = _array(got)
        got.holds(
            given.shape != wanted.shape or not np.allclose(given, wanted**2),
            "is the square of the norm: a root is missing.",
        )
        got.gives(wanted)
    D, X = rng.normal(size=(100, 300)), rng.normal(size=(100, 300))  # 72 MB, were it built
    tracemalloc.start()
    try:
        got = answer(D, X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    got.gives(np.linalg.norm(D, axis=1) * np.linalg.norm(X, axis=1))
    got.holds(peak < 1e7, f"is right, but took {peak / 1e6:.0f} MB on the way: the gradients themselves were built.")
    return "The sums of squares of δ and of x are enough: m + n numbers for each example, and not m · n."
