"""Models whose pictures the tests look at."""

import autograd
import nn
from autograd import tensor


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)
        )

    def forward(self, x):
        return self.classifier(self.features(x))


class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.LSTMCell(4, 8), nn.Linear(8, 1)

    def forward(self, steps):
        state = None
        for x in steps:
            state = self.cell(x, state)
        return self.head(state[0])


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        batch, length, d = x.shape
        q, k, v = (t.reshape(batch, length, self.heads, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, d))


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.ln1, self.attention, self.ln2 = nn.LayerNorm(d), Attention(d, heads), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, blocks=4, d=32, vocabulary=50, length=16):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, d), nn.Embedding(length, d)
        self.blocks = nn.ModuleList([Block(d, 4) for _ in range(blocks)])
        self.ln, self.head = nn.LayerNorm(d), nn.Linear(d, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(autograd.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


def lenet(**options):
    autograd.manual_seed(0)
    model, images, digits = LeNet(), autograd.rand(2, 1, 28, 28), tensor([3, 7])
    return autograd.draw(lambda: nn.functional.cross_entropy(model(images), digits), **options)


def lstm(**options):
    autograd.manual_seed(0)
    model, series = Unrolled(), autograd.randn(20, 2, 4)
    return autograd.draw(lambda: (model(series) ** 2).mean(), **options)


def gpt(blocks=4, **options):
    autograd.manual_seed(0)
    model, tokens = GPT(blocks), autograd.randint(0, 50, (2, 16))
    return autograd.draw(
        lambda: nn.functional.cross_entropy(model(tokens).reshape(-1, 50), tokens.reshape(-1)), **options
    )


def layered(layers, **options):
    """A deep network written without modules: eleven nodes for each layer."""
    autograd.manual_seed(0)
    h = autograd.randn(8, 16)
    weights = [(0.1 * autograd.randn(16, 16)).requires_grad_() for _ in range(layers)]
    biases = [autograd.zeros(16, requires_grad=True) for _ in range(layers)]
    for weight, bias in zip(weights, biases, strict=True):
        h = h + autograd.tanh(h @ weight + bias)
        h = h / (1 + h.abs().mean())
    return autograd.draw(h.sum(), **options)
