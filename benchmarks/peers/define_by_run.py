"""The workloads in Glassgrad and in PyTorch: the same words, with only the imports different."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import inputs

Step = Callable[[], Any]


def workloads(library: Any, nn: Any, optim: Any) -> dict[str, Callable[[], Step]]:
    """name ↦ what prepares it.

    Arguments:
        library, nn, optim: ``autograd, nn, optim`` or ``torch, torch.nn, torch.optim``.
    """
    F = nn.functional
    grad = library.grad if hasattr(library, "grad") else library.autograd.grad

    def loaded(model: Any, weights: Iterable[np.ndarray]) -> Any:
        with library.no_grad():
            for p, value in zip(model.parameters(), weights, strict=True):
                p.copy_(library.tensor(value))
        return model

    def training(model: Any, optimizer: Any, x: Any, y: Any) -> Step:
        criterion = nn.CrossEntropyLoss()

        def step() -> Any:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return step

    def sgd(model: Any) -> Any:
        return optim.SGD(model.parameters(), lr=inputs.RATE)

    def adam(model: Any) -> Any:
        return optim.Adam(model.parameters(), lr=inputs.ADAM)

    def scalar_chain() -> Step:
        y = library.tensor(1.0001, requires_grad=True)

        def step() -> Any:
            y.grad = None
            z = y
            for _ in range(inputs.CHAIN // 2):
                z = z * y
                z = z + y
            z.backward()
            return z

        return step

    def scalar_network() -> Step:
        points, targets, weights = inputs.scalar_network()
        layers = [
            ([[library.tensor(float(w), requires_grad=True) for w in row] for row in rows],
             [library.tensor(float(b), requires_grad=True) for b in biases])
            for rows, biases in zip(weights[::2], weights[1::2], strict=True)
        ]  # fmt: skip
        everything = [p for rows, biases in layers for p in (*itertools.chain(*rows), *biases)]
        xs = [[float(v) for v in point] for point in points]

        def score(x: Any) -> Any:
            for i, (rows, biases) in enumerate(layers):
                sums = []
                for row, bias in zip(rows, biases, strict=True):
                    total = bias
                    for w, v in zip(row, x, strict=True):
                        total = total + w * v
                    sums.append(total if i == len(layers) - 1 else total.tanh())
                x = sums
            return x[0]

        def step() -> Any:
            for p in everything:
                p.grad = None
            loss = 0.0
            for x, y in zip(xs, targets.tolist(), strict=True):
                loss = (score(x) - y) ** 2 + loss
            loss.backward()
            return loss

        return step

    def mlp(name: str, optimizer: Callable[[Any], Any]) -> Callable[[], Step]:
        def prepare() -> Step:
            x, y, weights, activation = inputs.mlp(name)
            sizes = inputs.MLPS[name][0]
            layers: list[Any] = []
            for n, m in itertools.pairwise(sizes):
                layers += [nn.Linear(n, m), nn.ReLU() if activation == "relu" else nn.Tanh()]
            model = loaded(nn.Sequential(*layers[:-1]), weights)
            return training(model, optimizer(model), library.tensor(x), library.tensor(y))

        return prepare

    def lenet() -> Step:
        x, y, weights = inputs.lenet()
        model = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip
        model = loaded(model, weights)
        return training(model, sgd(model), library.tensor(x), library.tensor(y))

    def stack() -> Step:
        x, y, weights = inputs.stack()
        layers: list[Any] = []
        for n, m in itertools.pairwise(inputs.STACK):
            layers += [nn.Conv2d(n, m, 3, padding=1, bias=False), nn.BatchNorm2d(m), nn.ReLU()]
        model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs.STACK[-1], 10))
        model = loaded(model, weights)
        return training(model, sgd(model), library.tensor(x), library.tensor(y))

    class Recurrent(nn.Module):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.layer = nn.LSTM(units, units, batch_first=True)
            self.head = nn.Linear(units, 10)

        def forward(self, x: Any) -> Any:
            states, _ = self.layer(x)
            return self.head(states[:, -1])

    def lstm() -> Step:
        x, y, weights = inputs.lstm()
        model = loaded(Recurrent(inputs.LSTM[2]), weights)
        return training(model, sgd(model), library.tensor(x), library.tensor(y))

    class Block(nn.Module):
        def __init__(self, size: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.norm1 = nn.LayerNorm(size)
            self.qkv = nn.Linear(size, 3 * size)
            self.out = nn.Linear(size, size)
            self.norm2 = nn.LayerNorm(size)
            self.wide = nn.Linear(size, 4 * size)
            self.narrow = nn.Linear(4 * size, size)

        def forward(self, x: Any) -> Any:
            n, t, c = x.shape
            q, k, v = (
                part.view(n, t, self.heads, c // self.heads).transpose(1, 2)  # (N, heads, T, C / heads)
                for part in self.qkv(self.norm1(x)).chunk(3, dim=-1)
            )
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).reshape(n, t, c))
            return x + self.narrow(F.gelu(self.wide(self.norm2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self, layers: int, size: int, heads: int, letters: int, context: int) -> None:
            super().__init__()
            self.letters = nn.Embedding(letters, size)
            self.places = nn.Embedding(context, size)
            self.blocks = nn.Sequential(*[Block(size, heads) for _ in range(layers)])
            self.norm = nn.LayerNorm(size)
            self.head = nn.Linear(size, letters, bias=False)

        def forward(self, letters: Any) -> Any:
            x = self.letters(letters) + self.places(library.arange(letters.shape[1]))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    def gpt(name: str) -> Callable[[], Step]:
        def prepare() -> Step:
            x, y, weights, _ = inputs.gpt(name)
            model = loaded(GPT(*inputs.GPTS[name][:-1]), weights)
            return training(model, adam(model), library.tensor(x), library.tensor(y.reshape(-1)))

        return prepare

    def elementwise() -> Step:
        x = library.tensor(inputs.elements(), requires_grad=True)

        def step() -> Any:
            x.grad = None
            y = (-x * x).exp() * x.sin() + x.tanh() * 0.5
            loss = (y * y + x).mean()
            loss.backward()
            return loss

        return step

    def embedding(sparse: bool) -> Callable[[], Step]:
        def prepare() -> Step:
            table, words, targets = inputs.embedding()
            model = loaded(nn.Embedding(*table.shape, sparse=sparse), [table])
            optimizer, x, y = sgd(model), library.tensor(words), library.tensor(targets)

            def step() -> Any:
                optimizer.zero_grad()
                loss = F.mse_loss(model(x), y)
                loss.backward()
                optimizer.step()
                return loss

            return step

        return prepare

    def gradient_penalty() -> Step:
        points, weights = inputs.penalty()
        sizes = inputs.PENALTY[0]
        layers = [layer for n, m in itertools.pairwise(sizes) for layer in (nn.Linear(n, m), nn.Tanh())]
        model = loaded(nn.Sequential(*layers[:-1]), weights)
        optimizer = sgd(model)
        x = library.tensor(points, requires_grad=True)

        def step() -> Any:
            optimizer.zero_grad()
            (slope,) = grad(model(x).sum(), x, create_graph=True)
            loss = (((slope * slope).sum(1) + 1e-12).sqrt() - 1).pow(2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    def optimizer_step(make: Callable[[Any], Any]) -> Callable[[], Step]:
        def prepare() -> Step:
            _, _, weights, _ = inputs.mlp("20 narrow layers")
            parameters = [library.tensor(w, requires_grad=True) for w in weights]
            optimizer = make(parameters)
            for p, w in zip(parameters, weights, strict=True):
                p.grad = library.tensor(w)

            def step() -> Any:
                optimizer.step()
                return parameters[0][0, 0]

            return step

        return prepare

    return {
        "scalar chain": scalar_chain,
        "scalar network": scalar_network,
        "digits MLP, SGD": mlp("digits MLP", sgd),
        "digits MLP, Adam": mlp("digits MLP", adam),
        "MNIST MLP, SGD": mlp("MNIST MLP", sgd),
        "MNIST MLP, Adam": mlp("MNIST MLP", adam),
        "20 narrow layers": mlp("20 narrow layers", sgd),
        "4 × 1024 MLP": mlp("4 × 1024 MLP", sgd),
        "LeNet": lenet,
        "conv stack": stack,
        "LSTM 32 × 32 × 128": lstm,
        **{name: gpt(name) for name in inputs.GPTS},
        "elementwise, 10⁶": elementwise,
        "embedding, 50,000 rows": embedding(sparse=False),
        "embedding, sparse": embedding(sparse=True),
        "gradient penalty": gradient_penalty,
        "SGD step, 40 tensors": optimizer_step(lambda ps: optim.SGD(ps, lr=inputs.RATE, momentum=0.9)),
        "Adam step, 40 tensors": optimizer_step(lambda ps: optim.Adam(ps, lr=inputs.ADAM)),
    }
