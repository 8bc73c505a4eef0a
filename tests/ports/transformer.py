"""Sequence to sequence with nn.Transformer: causal and padding masks, a one-cycle schedule, greedy decoding."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch import Tensor

PAD, START, STOP = range(3)


def waves(length: int, dim: int) -> Tensor:
    """Sines and cosines of the position, one pair of columns for each frequency."""
    angle = torch.outer(torch.arange(length), 10000.0 ** (-torch.arange(0, dim, 2) / dim))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


class Translator(nn.Module):
    def __init__(self, source_words: int = 12, target_words: int = 10, dim: int = 8):
        super().__init__()
        self.source = nn.Embedding(source_words, dim, padding_idx=PAD)
        self.target = nn.Embedding(target_words, dim, padding_idx=PAD)
        self.core = nn.Transformer(dim, 2, 1, 2, dim_feedforward=16, dropout=0.0, batch_first=True)
        self.words = nn.Linear(dim, target_words)
        self.register_buffer("places", waves(20, dim))

    def embed(self, table: nn.Embedding, ids: Tensor) -> Tensor:
        return table(ids) * table.embedding_dim**0.5 + self.places[: ids.size(1)]

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        length = target.size(1)
        later = torch.ones(length, length, device=target.device).triu(diagonal=1).bool()
        out = self.core(
            self.embed(self.source, source),
            self.embed(self.target, target),
            tgt_mask=later,
            src_key_padding_mask=source.eq(PAD),
            tgt_key_padding_mask=target.eq(PAD),
            memory_key_padding_mask=source.eq(PAD),
        )
        return self.words(out)

    @torch.no_grad()
    def translate(self, source: Tensor, limit: int) -> Tensor:
        ids = source.new_full((source.size(0), 1), START)
        done = torch.zeros(source.size(0), dtype=torch.bool)
        for _ in range(limit):
            best = self(source, ids)[:, -1].argmax(dim=-1).masked_fill(done, STOP)
            ids = torch.cat((ids, best[:, None]), dim=1)
            done |= best == STOP
            if done.all():
                break
        return ids


def make_model():
    model = Translator()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    return model


def make_data(rng):
    source, target = rng.integers(3, 12, (4, 6)), rng.integers(3, 10, (4, 7))
    target[:, 0] = START
    for i, (s, t) in enumerate([(6, 7), (4, 5), (5, 6), (3, 4)]):
        source[i, s:] = PAD
        target[i, t - 1] = STOP
        target[i, t:] = PAD
    return source, target


def train(model, source, target):
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=6)
    losses = []
    model.train()
    for _ in range(5):
        logits = model(source, target[:, :-1])
        loss = F.cross_entropy(logits.transpose(1, 2), target[:, 1:], ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses += [loss.item(), scheduler.get_last_lr()[0]]
    return losses + model.translate(source, limit=6).flatten().tolist()
