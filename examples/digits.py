"""Learns to read handwritten digits, and draws the graph that one step's gradient ran through.

    python examples/digits.py --epochs 40 --seed 0 --out out

Trains a small network on four fifths of scikit-learn's 1,797 digits, tells how well it reads the last
fifth, and writes graph.svg (one training step), training.png (the curves) and mistakes.png.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from sklearn.datasets import load_digits
from tqdm import tqdm

import autograd
import nn
import optim


def load(seed: int) -> tuple[nn.data.Subset, nn.data.Subset]:
    """The digits as (64 pixels in [0, 1], class), in random order, split into four fifths and the last one."""
    digits = load_digits()
    images = autograd.tensor(digits.data / 16, dtype=autograd.float32)  # (1797, 64)
    labels = autograd.tensor(digits.target)  # (1797,)
    dataset = nn.data.TensorDataset(images, labels)
    held_out = len(dataset) // 5
    order = autograd.Generator().manual_seed(seed)
    train, test = nn.data.random_split(dataset, [len(dataset) - held_out, held_out], generator=order)
    return train, test


def predict(model: nn.Module, images: autograd.Tensor) -> np.ndarray:
    """The most likely class of each image."""
    with autograd.no_grad():
        return model(images).argmax(dim=1).numpy()


def train_model(
    model: nn.Module, train: nn.data.Subset, test: nn.data.Subset, loss_function: nn.Module, epochs: int, seed: int
) -> tuple[list[float], list[float]]:
    """Trains in place; returns the mean loss and the held-out accuracy after each epoch."""
    images, labels = test[:]
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    batches = nn.data.DataLoader(train, batch_size=32, shuffle=True, generator=autograd.Generator().manual_seed(seed))
    losses, accuracies = [], []
    with tqdm(range(epochs), desc="training", unit="epoch") as progress:
        for _ in progress:
            total = 0.0
            for x, y in batches:
                loss = loss_function(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
            losses.append(total / len(train))
            accuracies.append(float(np.mean(predict(model, images) == labels.numpy())))
            progress.set_postfix(loss=f"{losses[-1]:.4f}", accuracy=f"{accuracies[-1]:.2%}")
    return losses, accuracies


def draw_step(model: nn.Module, train: nn.data.Subset, loss_function: nn.Module, path: Path) -> None:
    """Draws the graph of one training step on four digits, with the gradients that went back through it."""
    images, labels = train[:4]
    logits = model(images)
    loss = loss_function(logits, labels)
    autograd.draw(loss).save(path)


def draw_curves(losses: list[float], accuracies: list[float], path: Path) -> None:
    """Draws loss and held-out accuracy over the epochs."""
    epochs = np.arange(1, len(losses) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(epochs, losses, marker=".")
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy, smoothed targets", ylim=(0, None))
    right.plot(epochs, 100 * np.array(accuracies), marker=".", color="tab:green")
    right.set(title=f"Held-out accuracy: {accuracies[-1]:.1%}", xlabel="epoch", ylabel="correct (%)")
    right.axhline(97, color="gray", linewidth=1, linestyle="--", label="97 %")
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_mistakes(model: nn.Module, test: nn.data.Subset, path: Path) -> None:
    """Draws the held-out digits that the model misreads, with what it saw and what was meant."""
    images, labels = test[:]
    predicted, true = predict(model, images), labels.numpy()
    wrong = np.flatnonzero(predicted != true)[:40]
    columns = min(max(len(wrong), 1), 8)
    rows = max(-(-len(wrong) // columns), 1)
    figure, grid = plt.subplots(
        rows, columns, figsize=(max(1.5 * columns, 4), 1.75 * rows + 0.5), layout="constrained", squeeze=False
    )
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, i in zip(grid.flat, wrong, strict=False):
        axes.set(xticks=[], yticks=[], visible=True)
        axes.imshow(images[i].numpy().reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"read {predicted[i]}, is {true[i]}", fontsize=10)
    count = int(np.sum(predicted != true))
    figure.suptitle(f"{count} of {len(true)} held-out digits misread")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Reads the arguments, trains, and writes the three pictures."""
    parser = argparse.ArgumentParser(description="Train a network on scikit-learn's handwritten digits.")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the training digits (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="of split, initial weights and batches (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default: out)")
    arguments = parser.parse_args()
    if arguments.epochs < 1:
        parser.error("--epochs must be at least 1")
    arguments.out.mkdir(parents=True, exist_ok=True)

    autograd.manual_seed(arguments.seed)
    train, test = load(arguments.seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    # Targets that leave a tenth to the other classes keep so few digits from being learned by heart.
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.1)
    start = time.perf_counter()
    losses, accuracies = train_model(model, train, test, loss_function, arguments.epochs, arguments.seed)
    seconds = time.perf_counter() - start
    print(f"{accuracies[-1]:.1%} of {len(test)} held-out digits read right, after {seconds:.1f} s of training")

    draw_step(model, train, loss_function, arguments.out / "graph.svg")
    draw_curves(losses, accuracies, arguments.out / "training.png")
    draw_mistakes(model, test, arguments.out / "mistakes.png")
    print("The graph of one training step:", arguments.out / "graph.svg")
    print("Loss and accuracy by epoch:    ", arguments.out / "training.png")
    print("The digits that it misread:    ", arguments.out / "mistakes.png")


if __name__ == "__main__":
    main()
