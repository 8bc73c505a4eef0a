"""A temporal convolutional network: dilated causal convolutions under weight normalisation, for a sequence."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.nn.utils.parametrizations import weight_norm


class CausalConv(nn.Module):
    def __init__(self, inputs, outputs, kernel, dilation):
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.conv = weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation))

    def forward(self, x):
        return self.conv(F.pad(x, (self.past, 0)))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, dilation):
        super().__init__()
        self.body = nn.Sequential(
            CausalConv(inputs, outputs, 3, dilation),
            nn.ReLU(),
            nn.Dropout1d(0.0),
            CausalConv(outputs, outputs, 3, dilation),
            nn.Softplus(),
        )
        self.match = None if inputs == outputs else nn.Conv1d(inputs, outputs, 1)

    def forward(self, x):
        return self.body(x) + (x if self.match is None else self.match(x))


class TCN(nn.Module):
    def __init__(self, inputs=2, width=8, depth=3):
        super().__init__()
        self.blocks = nn.Sequential(*[Residual(width if i else inputs, width, 2**i) for i in range(depth)])
        self.read = nn.Linear(width, 1)

    def forward(self, x):
        return self.read(self.blocks(x)[..., -1])


def make_model():
    return TCN()


def make_data(rng):
    x = rng.uniform(0, 1, (8, 2, 20))
    return x, x[:, 0, -3:].sum(-1, keepdims=True)


def train(model, x, y):
    optimizer = optim.NAdam(model.parameters(), lr=4e-3)
    scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=3)
    averaged = optim.swa_utils.AveragedModel(model)
    losses = []
    for epoch in range(6):
        for rows in torch.arange(x.size(0)).roll(epoch).split(4):
            optimizer.zero_grad(set_to_none=False)
            loss = F.huber_loss(model(x[rows]), y[rows], delta=0.3)
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch >= 2:
            averaged.update_parameters(model)
        losses.append(loss.item())
    with torch.no_grad():
        losses.append(F.l1_loss(averaged(x), y).item())
    return losses
