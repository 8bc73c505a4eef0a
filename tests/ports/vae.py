"""A variational autoencoder: reparameterised noise, reconstruction plus KL divergence, images from the prior."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __init__(self, pixels):
        self.pixels = pixels

    def __len__(self):
        return self.pixels.size(0)

    def __getitem__(self, i):
        return {"image": self.pixels[i], "index": i}


class VAE(nn.Module):
    def __init__(self, pixels=64, hidden=20, latent=3):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())

    def forward(self, images):
        mean, log_variance = self.encoder(images).split(self.latent, dim=1)
        z = mean
        if self.training:
            z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(z).view_as(images), mean, log_variance


def negative_elbo(rebuilt, images, mean, log_variance):
    reconstruction = F.binary_cross_entropy(rebuilt, images, reduction="sum")
    divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
    return reconstruction + divergence


def make_model():
    return VAE()


def make_data(rng):
    return (rng.uniform(0, 1, (20, 1, 8, 8)),)


def train(model, images):
    loader = DataLoader(Images(images), batch_size=4)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    losses = []
    model.train()
    for batch in loader:
        x = batch["image"]
        rebuilt, mean, log_variance = model(x)
        loss = negative_elbo(rebuilt, x, mean, log_variance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item() / x.size(0))
    model.eval()
    with torch.no_grad():
        rebuilt, mean, log_variance = model(images)
        losses.append(negative_elbo(rebuilt, images, mean, log_variance).item())
        grid = torch.linspace(-1, 1, 6, dtype=images.dtype).reshape(2, 3)
        losses += model.decoder(grid).mean(dim=1).tolist()
    return losses
