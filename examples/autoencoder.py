"""A denoising autoencoder whose decoder is its encoder turned around, on handwritten digits.

    python examples/autoencoder.py --epochs 60 --seed 0 --out out

Noise is added to the images, and the network is to give back the clean ones through a bottleneck of 24 numbers; the
two layers share one weight. Writes autoencoder.png.
"""

from __future__ import annotations

from common import arguments, digits, figure

import autograd
import nn
import optim


class TiedAutoencoder(nn.Module):
    """noise → Linear → tanh → the same Linear's weight, transposed → sigmoid."""

    def __init__(self, pixels: int, code: int, noise: float) -> None:
        super().__init__()
        self.noise = nn.GaussianNoise(noise)
        self.encoder = nn.Linear(pixels, code)
        self.decoder = nn.TiedLinear(self.encoder)

    def restore(self, noisy: autograd.Tensor) -> autograd.Tensor:
        """What is behind the noise, (N, pixels)."""
        return self.decoder(self.encoder(noisy).tanh()).sigmoid()

    def forward(self, clean: autograd.Tensor) -> autograd.Tensor:
        """(N, pixels) ↦ (N, pixels)."""
        return self.restore(self.noise(clean))


def main() -> None:
    options = arguments(__doc__, epochs=60, noise=0.3)
    train, test = (autograd.as_tensor(part[:][0]) for part in digits(options.seed))
    model = TiedAutoencoder(64, 24, options.noise)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    nn.training.fit(model, nn.BCELoss(), optimizer, (train, train), (test, test), epochs=options.epochs)

    generator = autograd.Generator().manual_seed(options.seed)
    noisy = test + options.noise * autograd.randn(*test.shape, generator=generator)
    model.eval()
    with autograd.no_grad():
        restored = model.restore(noisy)
    before, after = ((a - test).square().mean().item() for a in (noisy, restored))
    print(f"mean square error of held-out digits: noisy {before:.4f}, restored {after:.4f}")

    with figure(options.out / "autoencoder.png", 3, 10, figsize=(9, 3.2)) as grid:
        for row, (name, images) in zip(
            grid, {"clean": test, "noisy": noisy, "restored": restored}.items(), strict=True
        ):
            for axes, image in zip(row, images.numpy(), strict=False):
                axes.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
                axes.set(xticks=[], yticks=[])
            row[0].set_ylabel(name)


if __name__ == "__main__":
    main()
