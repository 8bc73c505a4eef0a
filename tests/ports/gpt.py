"""A GPT: causal attention, tied weights, AdamW groups, warm-up and cosine, accumulated gradients, sampling."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Attention(nn.Module):
    def __init__(self, dim, heads, length, fused):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        self.register_buffer("future", future, persistent=not fused)

    def forward(self, x):
        b, t, d = x.size()
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(q.size(-1))
            weights = scores.masked_fill(self.future[:t, :t], -torch.inf).softmax(dim=-1)
            y = weights @ v
        return self.out(y.transpose(1, 2).contiguous().view(b, t, d))


class Layer(nn.Module):
    def __init__(self, dim, heads, length, fused, dropout=0.0):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(dim, bias=False), nn.LayerNorm(dim)])
        self.attention = Attention(dim, heads, length, fused)
        self.feedforward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(approximate="tanh"), nn.Linear(4 * dim, dim), nn.Dropout(dropout)
        )

    def forward(self, x):
        x = x + self.attention(self.norms[0](x))
        return x + self.feedforward(self.norms[1](x))


class GPT(nn.Module):
    def __init__(self, vocabulary=13, length=8, dim=12, heads=2, depth=2):
        super().__init__()
        self.length = length
        self.tokens = nn.Embedding(vocabulary, dim)
        self.positions = nn.Parameter(torch.zeros(length, dim))
        self.layers = nn.ModuleList(Layer(dim, heads, length, fused=i % 2 == 0) for i in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        self.apply(self.initialise)

    @staticmethod
    def initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.2)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions[: ids.size(1)]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))

    @torch.no_grad()
    def sample(self, ids, count, temperature, k):
        for _ in range(count):
            logits = self(ids[:, -self.length :])[:, -1] / temperature
            kth = logits.topk(k).values[:, -1:]
            logits[logits < kth] = float("-inf")
            ids = torch.cat([ids, torch.multinomial(logits.softmax(-1), 1)], dim=1)
        return ids


def make_model():
    return GPT()


def make_data(rng):
    return (rng.integers(0, 13, 200),)


def train(model, corpus):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for name, p in model.named_parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95))

    def factor(step):
        return (step + 1) / 3 if step < 2 else 0.1 + 0.45 * (1 + math.cos(math.pi * (step - 2) / 3))

    scheduler = optim.lr_scheduler.LambdaLR(optimizer, factor)
    windows = corpus.unfold(0, model.length + 1, 4)
    losses = []
    for step in range(5):
        total = 0.0
        for half in windows[6 * step : 6 * step + 6].chunk(2):
            inputs, targets = half[:, :-1], half[:, 1:]
            loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.reshape(-1)) / 2
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(total)
    model.eval()
    return losses + model.sample(corpus[None, :4], 8, temperature=0.8, k=5).squeeze(0).tolist()
