"""A U-Net for segmentation: skip connections by torch.cat, transposed convolutions, cross-entropy plus Dice loss."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


def block(inputs, outputs):
    layers = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]
        layers.append(nn.LeakyReLU(0.1, inplace=True))
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, channels, classes, widths=(4, 8, 16)):
        super().__init__()
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.encoders, self.decoders, self.ups = nn.ModuleList(), nn.ModuleList(), nn.ModuleDict()
        for before, width in zip((channels, *widths), widths, strict=False):
            self.encoders.append(block(before, width))
        for level, (wide, narrow) in enumerate(zip(widths[:0:-1], widths[-2::-1], strict=True)):
            if level == 0:
                up = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(wide, narrow, 1))
            else:
                up = nn.ConvTranspose2d(wide, narrow, kernel_size=2, stride=2)
            self.ups[f"level{level}"] = up
            self.decoders.append(block(2 * narrow, narrow))
        self.classify = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, x):
        kept = []
        for encoder in self.encoders:
            x = encoder(self.pool(x) if kept else x)
            kept.append(x)
        kept.pop()
        for up, decoder in zip(self.ups.values(), self.decoders, strict=True):
            skip = kept.pop()
            x = up(x)
            height, width = skip.shape[-2:]
            x = F.pad(x, (0, width - x.size(-1), 0, height - x.size(-2)))
            x = decoder(torch.cat([skip, x], dim=1))
        return self.classify(x)


def dice(logits, labels):
    p = logits.softmax(dim=1)
    y = F.one_hot(labels, p.size(1)).movedim(-1, 1).type_as(p)
    overlap, size = (p * y).sum(dim=(2, 3)), (p + y).sum(dim=(2, 3))
    return (1 - 2 * overlap / size.clamp_min(1e-6)).mean()


def make_model():
    return UNet(1, 3)


def make_data(rng):
    # Odd sizes, so that the padding has something to do.
    return rng.standard_normal((2, 1, 14, 17)), rng.integers(0, 3, (2, 14, 17))


def train(model, images, labels):
    optimizer = optim.RMSprop(model.parameters(), lr=1e-4, weight_decay=1e-8, momentum=0.9)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", patience=0, threshold=0.1)
    losses = []
    for _ in range(5):
        model.train()
        logits = model(images)
        assert logits.shape == (2, 3, 14, 17)
        loss = F.cross_entropy(logits, labels)
        loss += dice(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.eval()
        with torch.no_grad():
            validation = F.cross_entropy(model(images), labels)
        scheduler.step(validation)
        losses += [loss.item(), norm.item(), validation.item()]
    return [*losses, optimizer.param_groups[0]["lr"]]
