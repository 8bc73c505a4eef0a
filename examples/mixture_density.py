"""A mixture density network on the inverse sinusoid, where one input has up to three answers.

    python examples/mixture_density.py --epochs 150 --seed 0 --out out

From y = t + 0.3 sin(2πt) + noise, t is to be told from y. The mean of the answers, which a square loss learns,
is none of them; a mixture of three Gaussians learns them all. Writes mixture_density.png.
"""

from __future__ import annotations

import numpy as np
from common import arguments, figure

import autograd
import nn
import optim


def network(head: nn.Module) -> nn.Module:
    """Two hidden layers before ``head``."""
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), head)


def main() -> None:
    options = arguments(__doc__, epochs=150)
    t = autograd.rand(1000, 1)
    y = t + 0.3 * (2 * autograd.pi * t).sin() + 0.1 * (autograd.rand(1000, 1) - 0.5)
    train, test = (y[:800], t[:800]), (y[800:], t[800:])

    mixture_loss = nn.MixtureDensityLoss()
    mixture = network(nn.MixtureDensity(32, 1, num_components=3))
    nn.training.fit(
        mixture, lambda parameters, target: mixture_loss(*parameters, target),
        optim.Adam(mixture.parameters(), lr=5e-3), train, test, epochs=options.epochs,
    )  # fmt: skip
    single = network(nn.Linear(32, 1))
    nn.training.fit(single, nn.MSELoss(), optim.Adam(single.parameters(), lr=5e-3), train, test, epochs=options.epochs)

    grid = autograd.linspace(0, 1, 300).reshape(300, 1)
    with autograd.no_grad():
        nll = mixture_loss(*mixture(test[0]), test[1]).item()
        # The likelihood of one Gaussian around the mean, as wide as the training errors are.
        spread = (single(train[0]) - train[1]).square().mean()
        single_nll = nn.GaussianNLLLoss(full=True)(single(test[0]), test[1], spread.expand(200, 1)).item()
        weights, means, scales = (part.numpy() for part in mixture(grid))
        line = single(grid).numpy()
    print(f"negative log-likelihood of held-out targets: mixture {nll:.2f}, one Gaussian {single_nll:.2f}")

    with figure(options.out / "mixture_density.png", 1, 2, figsize=(10, 4.2)) as (left, right):
        x = grid.numpy()[:, 0]
        for axes in (left, right):
            axes.scatter(*(a.numpy()[:, 0] for a in train), s=5, color="lightgray")
            axes.set(xlabel="y", ylabel="t", ylim=(-0.2, 1.2))
        left.plot(x, line, color="tab:red", linewidth=2)
        left.set_title(f"Square loss: the mean of the answers\nheld-out NLL {single_nll:.2f}")
        for k in range(means.shape[1]):
            mean, scale, weight = means[:, k, 0], scales[:, k, 0], np.exp(weights[:, k])
            right.scatter(x, mean, s=40 * weight, color=f"C{k}", label=f"component {k + 1}, size is its weight")
            right.fill_between(x, mean - scale, mean + scale, where=weight > 0.1, color=f"C{k}", alpha=0.2)
        right.set_title(f"Mixture of three Gaussians, ± 1 σ\nheld-out NLL {nll:.2f}")
        right.legend(fontsize="small")


if __name__ == "__main__":
    main()
