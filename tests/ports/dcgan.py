"""A DCGAN: generator and discriminator, initialised through `apply`, trained against each other."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

LATENT = 6


def weights_init(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.2)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)
        nn.init.zeros_(module.bias)


class Generator(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        sizes = [(LATENT, 2 * width, 1, 0), (2 * width, width, 2, 1)]
        layers = []
        for inputs, outputs, stride, padding in sizes:
            layers.append(nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False))
            layers += [nn.BatchNorm2d(outputs), nn.ReLU(True)]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z):
        return self.layers(z[:, :, None, None])


class Discriminator(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * width)
        self.score = nn.Conv2d(2 * width, 1, 4, bias=False)

    def forward(self, images):
        x = F.leaky_relu(self.conv1(images), 0.2, inplace=True)
        x = F.leaky_relu(self.norm(self.conv2(x)), 0.2, inplace=True)
        return torch.sigmoid(self.score(x)).view(-1)


def make_model():
    return nn.ModuleDict({"generator": Generator(), "discriminator": Discriminator()}).apply(weights_init)


def make_data(rng):
    return (rng.uniform(-1, 1, (5, 4, 1, 16, 16)),)


def train(model, batches):
    generator, discriminator = model["generator"], model["discriminator"]
    device = next(model.parameters()).device
    criterion = nn.BCELoss()
    adams = [optim.Adam(part.parameters(), lr=2e-3, betas=(0.5, 0.999)) for part in (generator, discriminator)]
    losses = []
    for real in batches:
        label = torch.full((len(real),), 1.0, dtype=real.dtype, device=device)
        adams[1].zero_grad()
        loss_real = criterion(discriminator(real), label)
        loss_real.backward()
        fake = generator(torch.randn(len(real), LATENT, dtype=real.dtype, device=device))
        label.fill_(0.0)
        loss_fake = criterion(discriminator(fake.detach()), label)
        loss_fake.backward()
        adams[1].step()

        generator.zero_grad()
        label.fill_(1.0)
        loss = criterion(discriminator(fake), label)
        loss.backward()
        adams[0].step()
        losses += [(loss_real + loss_fake).item(), loss.item()]
    generator.eval()
    with torch.no_grad():
        images = generator(torch.ones(2, LATENT, dtype=real.dtype)).cpu()
    return [*losses, images.mean().item(), images.std().item()]
