"""What dropout and batch normalization do for a network that has too few examples.

    python examples/ablation.py --epochs 40 --repeats 3 --out out

The same network learns from 300 digits plainly, with dropout, with batch normalization and with both, each from
several seeds; the rest of the digits tells how well. Writes ablation.png.
"""

from __future__ import annotations

import itertools

import numpy as np
from common import arguments, digits, figure
from tqdm import tqdm

import autograd
import nn
import optim

VARIANTS = {
    "plain": (False, False), "dropout": (True, False), "batch norm": (False, True), "both": (True, True),
}  # fmt: skip


def network(dropout: bool, batch_norm: bool) -> nn.Module:
    """Two hidden layers of 128, with what is to be compared."""
    layers: list[nn.Module] = []
    for inputs in (64, 128):
        layers.append(nn.Linear(inputs, 128))
        layers += [nn.BatchNorm1d(128)] if batch_norm else []
        layers.append(nn.ReLU())
        layers += [nn.Dropout(0.5)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(128, 10))


def main() -> None:
    options = arguments(__doc__, epochs=40, repeats=3)
    histories: dict[str, list[nn.training.History]] = {name: [] for name in VARIANTS}
    runs = list(itertools.product(range(options.repeats), VARIANTS))
    for repeat, name in tqdm(runs, desc="runs"):
        autograd.manual_seed(options.seed + repeat)
        train, test = digits(options.seed + repeat, held_out=1 - 300 / 1797)
        model = network(*VARIANTS[name])
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        histories[name].append(
            nn.training.fit(
                model,
                nn.CrossEntropyLoss(),
                optimizer,
                train,
                test,
                epochs=options.epochs,
                metrics=["accuracy"],
                progress=False,
            )
        )

    with figure(options.out / "ablation.png", 1, 2, figsize=(10, 4.2)) as (left, right):
        for i, (name, runs_of) in enumerate(histories.items()):
            loss = np.array([h["valid_loss"] for h in runs_of])  # (repeats, epochs)
            accuracy = 100 * np.array([h["valid_accuracy"] for h in runs_of])
            last = accuracy[:, -1]
            print(f"{name:10}  held out {last.mean():.1f} % ± {last.std():.1f}, loss {loss[:, -1].mean():.3f}")
            epochs = np.arange(1, loss.shape[1] + 1)
            for axes, values in ((left, loss), (right, accuracy)):
                axes.plot(epochs, values.mean(0), color=f"C{i}", label=name)
                axes.fill_between(epochs, values.min(0), values.max(0), color=f"C{i}", alpha=0.15)
        left.set(title="Held-out loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
        right.set(title="Held-out accuracy", xlabel="epoch", ylabel="correct (%)", ylim=(80, 100))
        right.legend(loc="lower right")


if __name__ == "__main__":
    main()
