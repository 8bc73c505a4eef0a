"""Bagging: networks trained on samples drawn with replacement, together better than the best of them.

    python examples/bagging.py --epochs 30 --members 11 --seed 0 --out out

Small networks learn to read digits, each from its own bootstrap sample. Their votes and their mean probability are
compared with the best single member on held-out digits. Writes bagging.png.
"""

from __future__ import annotations

import numpy as np
from common import arguments, digits, figure
from tqdm import tqdm

import autograd
import nn
import optim


def member(train: nn.data.Subset, epochs: int) -> nn.Module:
    """A small network trained on a bootstrap sample."""
    model = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    nn.training.fit(model, nn.CrossEntropyLoss(), optimizer, nn.bootstrap(train), epochs=epochs, progress=False)
    return model


def main() -> None:
    options = arguments(__doc__, epochs=30, members=11)
    train, test = digits(options.seed, held_out=0.4)
    images, labels = test[:]
    members = [member(train, options.epochs) for _ in tqdm(range(options.members), desc="members")]
    truth = labels.numpy()
    with autograd.no_grad():
        alone = [float(np.mean(m(images).argmax(1).numpy() == truth)) for m in members]
        votes, means = [], []
        for count in range(1, len(members) + 1):
            ensemble = nn.Ensemble(members[:count])
            votes.append(float(np.mean(ensemble.vote(images).numpy() == truth)))
            means.append(float(np.mean(ensemble.mean_probability(images).argmax(1).numpy() == truth)))
    print(f"best member {max(alone):.1%}, majority vote {votes[-1]:.1%}, mean probability {means[-1]:.1%}")

    with figure(options.out / "bagging.png", figsize=(7, 4.2)) as axes:
        counts = np.arange(1, len(members) + 1)
        axes.bar(counts, 100 * np.array(alone), color="lightgray", label="member alone")
        axes.axhline(100 * max(alone), color="gray", linestyle="--", label=f"best member, {max(alone):.1%}")
        axes.plot(counts, 100 * np.array(votes), "o-", label=f"majority vote, {votes[-1]:.1%}")
        axes.plot(counts, 100 * np.array(means), "s-", label=f"mean probability, {means[-1]:.1%}")
        axes.set(ylim=(100 * min(alone) - 2, 100), xlabel="members", ylabel="correct on held-out digits (%)")
        axes.set_title("More members, fewer mistakes")
        axes.legend(loc="lower right", fontsize="small")


if __name__ == "__main__":
    main()
