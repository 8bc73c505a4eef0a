"""Skip-gram with negative sampling: sparse gradients of embeddings, SparseAdam."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class SkipGram(nn.Module):
    def __init__(self, words, dim):
        super().__init__()
        self.inside = nn.Embedding(words, dim, sparse=True)
        self.outside = nn.Embedding(words, dim, sparse=True)
        for table in (self.inside, self.outside):
            nn.init.uniform_(table.weight, -1 / dim, 1 / dim)

    def forward(self, center, context, noise):
        v = self.inside(center).unsqueeze(-1)  # (B, dim, 1)
        candidates = self.outside(torch.cat([context[:, None], noise], dim=1))  # (B, 1 + K, dim)
        scores = torch.bmm(candidates, v).squeeze(-1).clamp(-10, 10)
        signs = torch.ones_like(scores)
        signs[:, 1:] = -1
        return -F.logsigmoid(signs * scores).sum(dim=1).mean()

    def neighbours(self, word, count=3):
        table = F.normalize(self.inside.weight.detach(), dim=1)
        similarity = torch.mv(table, table[word])
        similarity[word] = -1
        return similarity.topk(count)


def make_model():
    return SkipGram(words=30, dim=7)


def make_data(rng):
    return rng.integers(0, 30, 40), rng.integers(0, 30, 40), rng.integers(0, 30, (40, 5))


def train(model, centers, contexts, noise):
    loader = DataLoader(TensorDataset(centers, contexts, noise), batch_size=8)
    optimizer = optim.SparseAdam(list(model.parameters()), lr=0.01)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, len(loader))
    losses = []
    for batch in loader:
        optimizer.zero_grad()
        loss = model(*batch)
        loss.backward()
        assert model.inside.weight.grad.is_sparse
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    values, indices = model.neighbours(4)
    return losses + values.tolist() + indices.tolist()
