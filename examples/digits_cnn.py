"""A convolutional network reads handwritten digits, and shows what it looks at.

    python examples/digits_cnn.py --epochs 30 --seed 0 --out out

Two convolutions, one pooling and a linear layer learn from four fifths of scikit-learn's 1,797 digits. Writes
digits_cnn.png: the curves, the first layer's filters, and what they make of one digit.
"""

from __future__ import annotations

from common import arguments, digits, figure

import autograd
import nn
import optim


def network() -> nn.Sequential:
    """(N, 64) ↦ logits (N, 10)."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 4 * 4, 10),
    )


def main() -> None:
    options = arguments(__doc__, epochs=30)
    train, test = digits(options.seed)
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    loader = nn.data.DataLoader(train, batch_size=32, shuffle=True)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, epochs=options.epochs, steps_per_epoch=len(loader))
    history = nn.training.fit(
        model,
        nn.CrossEntropyLoss(label_smoothing=0.05),
        optimizer,
        loader,
        test,
        epochs=options.epochs,
        metrics=["accuracy"],
        scheduler=schedule,
        schedule_every="step",
    )
    print(f"held out: {history['valid_accuracy'][-1]:.2%} of {len(test)} digits")

    with autograd.no_grad():
        maps = model.eval()[:3](test[:1][0])[0].numpy()  # (16, 8, 8)
    with figure(options.out / "digits_cnn.png", 3, 16, figsize=(13, 4.5)) as grid:
        for axes in grid.flat:
            axes.set(xticks=[], yticks=[])
        for row, images, cmap in ((1, model[1].weight.detach().numpy()[:, 0], "RdBu"), (2, maps, "gray_r")):
            for axes, image in zip(grid[row], images, strict=True):
                axes.imshow(image, cmap=cmap)
        grid[1][0].set_ylabel("filters")
        grid[2][0].set_ylabel("their maps")
        for axes in grid[0]:
            axes.remove()
        sheet = grid[0][0].get_gridspec()
        left, middle, right = (
            grid[1][0].figure.add_subplot(sheet[0, part]) for part in (slice(0, 7), slice(7, 14), slice(14, 16))
        )
        epochs = range(1, history.epochs + 1)
        for name in ("loss", "valid_loss"):
            left.plot(epochs, history[name], label=name)
        left.set_title("Cross-entropy")
        left.legend(fontsize="small")
        middle.plot(epochs, [100 * a for a in history["valid_accuracy"]], color="tab:green")
        middle.set_title(f"Held out: {history['valid_accuracy'][-1]:.1%}")
        middle.set_ylim(90, 100)
        right.imshow(test[:1][0].numpy().reshape(8, 8), cmap="gray_r")
        right.set(xticks=[], yticks=[], title="one digit")


if __name__ == "__main__":
    main()
