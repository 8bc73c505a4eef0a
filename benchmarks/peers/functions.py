"""The workloads in JAX, compiled whole, and in HIPS autograd: functions of their weights, and gradients of these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import inputs

Step = Callable[[], Any]
Weights = list[Any]


class Library:
    """The few names in which the two differ.

    Arguments:
        name: "JAX" or "HIPS autograd".
    """

    def __init__(self, name: str) -> None:
        self.jax = name == "JAX"
        if self.jax:
            import jax
            import jax.numpy as xp

            self.xp, self.grad = xp, jax.grad
            self.compiled: Callable[..., Any] = jax.jit
            self.value_and_grad: Callable[..., Any] = jax.value_and_grad
            self.ready: Callable[..., Any] = jax.block_until_ready
        else:
            import autograd.numpy as xp

            import autograd

            self.xp, self.grad = xp, autograd.grad
            self.compiled = lambda f: f
            self.value_and_grad = autograd.value_and_grad
            self.ready = lambda value: value

    def arrays(self, weights: Weights) -> Weights:
        """Arrays of the library's own, which a step may take."""
        return [self.xp.array(w) for w in weights]


def workloads(name: str) -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it.

    Arguments:
        name: "JAX" or "HIPS autograd".
    """
    library = Library(name)
    xp = library.xp

    def cross_entropy(logits: Any, classes: np.ndarray) -> Any:
        shifted = logits - xp.max(logits, axis=1, keepdims=True)
        chosen = shifted[np.arange(len(classes)), classes]
        return xp.mean(xp.log(xp.sum(xp.exp(shifted), axis=1)) - chosen)

    def training(loss: Callable[[Weights], Any], weights: Weights, optimizer: str) -> Step:
        """A step of SGD or Adam on ``loss``."""
        values_and_slopes = library.value_and_grad(loss)

        @library.compiled
        def sgd(ps: Weights) -> Any:
            value, gradients = values_and_slopes(ps)
            return value, [p - inputs.RATE * g for p, g in zip(ps, gradients, strict=True)]

        @library.compiled
        def adam(ps: Weights, ms: Weights, vs: Weights, t: Any) -> Any:
            value, gradients = values_and_slopes(ps)
            ms = [0.9 * m + 0.1 * g for m, g in zip(ms, gradients, strict=True)]
            vs = [0.999 * v + 0.001 * g * g for v, g in zip(vs, gradients, strict=True)]
            first, second = 1 - 0.9**t, 1 - 0.999**t
            ps = [
                p - inputs.ADAM * (m / first) / (xp.sqrt(v / second) + 1e-8) for p, m, v in zip(ps, ms, vs, strict=True)
            ]
            return value, ps, ms, vs

        ps = library.arrays(weights)
        ms, vs = ([xp.zeros_like(p) for p in ps] for _ in range(2))
        t = 0.0

        def step() -> Any:
            nonlocal ps, ms, vs, t
            t += 1
            if optimizer == "SGD":
                value, ps = sgd(ps)
            else:
                value, ps, ms, vs = adam(ps, ms, vs, t)
            return value

        return step

    def scalar_chain() -> Step:
        def chain(y: Any) -> Any:
            z = y
            for _ in range(inputs.CHAIN // 2):
                z = z * y
                z = z + y
            return z

        step = library.compiled(library.value_and_grad(chain))
        return lambda: step(1.0001)[0]

    def mlp(work: str, optimizer: str) -> Step:
        x, y, weights, activation = inputs.mlp(work)

        def loss(ps: Weights) -> Any:
            h = x
            for i in range(0, len(ps), 2):
                h = h @ ps[i].T + ps[i + 1]
                if i + 2 < len(ps):
                    h = xp.maximum(h, 0) if activation == "relu" else xp.tanh(h)
            return cross_entropy(h, y)

        return training(loss, weights, optimizer)

    def elementwise() -> Step:
        x = library.arrays([inputs.elements()])[0]

        def loss(x: Any) -> Any:
            y = xp.exp(-x * x) * xp.sin(x) + xp.tanh(x) * 0.5
            return xp.mean(y * y + x)

        step = library.compiled(library.value_and_grad(loss))
        return lambda: library.ready(step(x))[0]

    def embedding() -> Step:
        table, words, targets = inputs.embedding()
        return training(lambda ps: xp.mean((ps[0][words] - targets) ** 2), [table], "SGD")

    def gradient_penalty() -> Step:
        points, weights = inputs.penalty()

        def score(x: Any, ps: Weights) -> Any:
            for i in range(0, len(ps), 2):
                x = x @ ps[i].T + ps[i + 1]
                if i + 2 < len(ps):
                    x = xp.tanh(x)
            return xp.sum(x)

        def loss(ps: Weights) -> Any:
            slope = library.grad(score)(points, ps)
            return xp.mean((xp.sqrt(xp.sum(slope * slope, axis=1) + 1e-12) - 1) ** 2)

        return training(loss, weights, "SGD")

    def lstm() -> Step:
        x, y, weights = inputs.lstm()
        batch, steps, units = inputs.LSTM
        zeros = np.zeros((batch, units), np.float32)

        def sigmoid(z: Any) -> Any:
            return 0.5 * xp.tanh(0.5 * z) + 0.5

        def loss(ps: Weights) -> Any:
            w_in, w, b_in, b, w_out, b_out = ps
            h, c = zeros, zeros
            for t in range(steps):
                z = x[:, t] @ w_in.T + b_in + h @ w.T + b
                i, f, u, o = (z[:, k * units : (k + 1) * units] for k in range(4))
                c = sigmoid(f) * c + sigmoid(i) * xp.tanh(u)
                h = sigmoid(o) * xp.tanh(c)
            return cross_entropy(h @ w_out.T + b_out, y)

        return training(loss, weights, "SGD")

    def gpt(work: str) -> Step:
        x, y, weights, heads = inputs.gpt(work)
        n, t = x.shape
        mask = np.triu(np.full((t, t), -1e9, np.float32), 1)

        def norm(x: Any, weight: Any, bias: Any) -> Any:
            centred = x - xp.mean(x, axis=-1, keepdims=True)
            return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * weight + bias

        def gelu(x: Any) -> Any:
            return 0.5 * x * (1 + xp.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)))

        def split(x: Any) -> Any:
            return xp.transpose(xp.reshape(x, (n, t, heads, -1)), (0, 2, 1, 3))  # (N, heads, T, C / heads)

        def block(x: Any, ps: Weights) -> Any:
            g1, b1, w_qkv, b_qkv, w_out, b_out, g2, b2, w_wide, b_wide, w_narrow, b_narrow = ps
            size = x.shape[-1]
            qkv = norm(x, g1, b1) @ w_qkv.T + b_qkv
            q, k, v = (split(qkv[:, :, i * size : (i + 1) * size]) for i in range(3))
            scores = xp.matmul(q * (size // heads) ** -0.5, xp.transpose(k, (0, 1, 3, 2))) + mask
            e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
            mixed = xp.matmul(e / xp.sum(e, axis=-1, keepdims=True), v)
            x = x + xp.reshape(xp.transpose(mixed, (0, 2, 1, 3)), (n, t, size)) @ w_out.T + b_out
            return x + gelu(norm(x, g2, b2) @ w_wide.T + b_wide) @ w_narrow.T + b_narrow

        def loss(ps: Weights) -> Any:
            h = ps[0][x] + ps[1]
            for i in range(2, len(ps) - 3, 12):
                h = block(h, ps[i : i + 12])
            logits = norm(h, ps[-3], ps[-2]) @ ps[-1].T
            return cross_entropy(xp.reshape(logits, (n * t, -1)), y.reshape(-1))

        return training(loss, weights, "Adam")

    def lenet() -> Step:
        from jax import lax

        x, y, weights = inputs.lenet()

        def convolved(x: Any, w: Any, b: Any, padding: int) -> Any:
            return lax.conv(x, w, (1, 1), "SAME" if padding else "VALID") + b[:, None, None]

        def pooled(x: Any) -> Any:
            return lax.reduce_window(x, -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

        def loss(ps: Weights) -> Any:
            h = pooled(xp.maximum(convolved(x, ps[0], ps[1], 2), 0))
            h = pooled(xp.maximum(convolved(h, ps[2], ps[3], 0), 0)).reshape(len(x), -1)
            for i in range(4, len(ps), 2):
                h = h @ ps[i].T + ps[i + 1]
                h = xp.maximum(h, 0) if i + 2 < len(ps) else h
            return cross_entropy(h, y)

        return training(loss, weights, "SGD")

    def stack() -> Step:
        from jax import lax

        x, y, weights = inputs.stack()

        def loss(ps: Weights) -> Any:
            h = x
            for i in range(0, len(ps) - 2, 3):
                w, scale, shift = ps[i : i + 3]
                h = lax.conv(h, w, (1, 1), "SAME")
                h = h - xp.mean(h, axis=(0, 2, 3), keepdims=True)
                h = h / xp.sqrt(xp.mean(h * h, axis=(0, 2, 3), keepdims=True) + 1e-5)
                h = xp.maximum(h * scale[:, None, None] + shift[:, None, None], 0)
            return cross_entropy(xp.mean(h, axis=(2, 3)) @ ps[-2].T + ps[-1], y)

        return training(loss, weights, "SGD")

    found: dict[str, Callable[[], Step]] = {
        "scalar chain": scalar_chain,
        **{
            f"{work}, {optimizer}": partial(mlp, work, optimizer)
            for work in ("digits MLP", "MNIST MLP")
            for optimizer in ("SGD", "Adam")
        },
        **{work: partial(mlp, work, "SGD") for work in ("20 narrow layers", "4 × 1024 MLP")},
        "LSTM 32 × 32 × 128": lstm,
        **{work: partial(gpt, work) for work in inputs.GPTS},
        "elementwise, 10⁶": elementwise,
        "embedding, 50,000 rows": embedding,
        "gradient penalty": gradient_penalty,
    }
    # HIPS autograd has no convolution of several channels and images but a loop over FFTs in its examples.
    return found | {"LeNet": lenet, "conv stack": stack} if library.jax else found
