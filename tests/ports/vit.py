"""A vision transformer: patches by a convolution, a class token, nn.TransformerEncoder, and a checkpoint midway."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class PatchEmbedding(nn.Module):
    def __init__(self, width, picture=8, side=4):
        super().__init__()
        self.count = (picture // side) ** 2
        self.cut = nn.Conv2d(3, width, side, stride=side)

    def forward(self, x):
        return self.cut(x).flatten(2).transpose(1, 2)  # (B, patches, dim)


class ViT(nn.Module):
    def __init__(self, num_classes=5, width=16, depth=2, num_heads=4, dropout=0.0):
        super().__init__()
        self.patches = PatchEmbedding(width)
        self.answer = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.zeros(1, self.patches.count + 1, width))
        self.drop = nn.Dropout(p=dropout)
        encoder_layer = nn.TransformerEncoderLayer(
            d_model=width,
            nhead=num_heads,
            dim_feedforward=width * 2,
            dropout=dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            encoder_layer, num_layers=depth, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.head = nn.Linear(width, num_classes)
        nn.init.trunc_normal_(self.places, std=0.02)
        nn.init.trunc_normal_(self.answer, std=0.02)
        for p in self.encoder.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def forward(self, x):
        B = x.shape[0]
        x = self.patches(x)
        answers = self.answer.expand(B, -1, -1)
        x = torch.cat((answers, x), dim=1)
        x = self.drop(x + self.places)
        return self.head(self.encoder(x)[:, 0])


def make_model():
    return ViT()


def make_data(rng):
    return rng.standard_normal((6, 3, 8, 8)), rng.integers(0, 5, 6)


def train(model, images, labels):
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    warmup = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=2)
    cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    scheduler = optim.lr_scheduler.SequentialLR(optimizer, schedulers=[warmup, cosine], milestones=[2])
    losses = []
    for step in range(5):
        model.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses += [loss.item(), scheduler.get_last_lr()[0]]
        if step == 2:
            checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            checkpoint = copy.deepcopy(checkpoint)
            with torch.no_grad():
                for p in model.parameters():
                    p.mul_(0.5)
            model.load_state_dict(checkpoint["model"])
            optimizer.load_state_dict(checkpoint["optimizer"])
            assert checkpoint["step"] == step
    model.eval()
    with torch.no_grad():
        top = model(images).softmax(dim=-1).topk(2, dim=-1)
    return losses + top.values.flatten().tolist() + top.indices.flatten().tolist()
