"""Regression that knows how sure it is: diabetes progression with a predicted mean and a predicted variance.

    python examples/heteroscedastic.py --epochs 60 --seed 0 --out out

A network on scikit-learn's 442 diabetes patients predicts the progression of the disease after a year, and how far off
it may be; that is compared with taking one variance for all. Writes heteroscedastic.png.
"""

from __future__ import annotations

import numpy as np
from common import arguments, figure
from sklearn.datasets import load_diabetes

import autograd
import nn
import optim


class Gaussian(nn.Module):
    """A mean and a log-variance for each patient."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Dropout(0.1))
        self.mean = nn.Linear(16, 1)
        self.log_variance = nn.Linear(16, 1)

    def forward(self, x: autograd.Tensor) -> tuple[autograd.Tensor, autograd.Tensor]:
        """(N, features) ↦ two of (N, 1)."""
        h = self.hidden(x)
        return self.mean(h), self.log_variance(h)


def main() -> None:
    options = arguments(__doc__, epochs=60)
    patients = load_diabetes()
    order = autograd.randperm(len(patients.target)).numpy()
    parts = np.split(order, [300, 350])  # training, validation, test
    scale_x, scale_y = nn.data.Standardization(), nn.data.Standardization()
    scale_x.fit(patients.data[parts[0]].astype("float32"))
    scale_y.fit(patients.target[parts[0], None].astype("float32"))
    (train, valid, test) = (
        (
            autograd.as_tensor(scale_x.transform(patients.data[part].astype("float32"))),
            autograd.as_tensor(scale_y.transform(patients.target[part, None].astype("float32"))),
        )
        for part in parts
    )

    loss = nn.HeteroscedasticLoss(full=True)
    model = Gaussian(train[0].shape[1])
    nn.training.fit(
        model, lambda output, target: loss(*output, target),
        optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-3), train, valid, epochs=options.epochs,
        callbacks=[nn.training.EarlyStopping(patience=15)],
    )  # fmt: skip
    model.eval()
    with autograd.no_grad():
        mean, log_variance = model(test[0])
        # The same means with one variance for all, that of the training errors.
        one = (model(train[0])[0] - train[1]).square().mean().log().expand_as(mean)
        nll, one_nll = loss(mean, log_variance, test[1]).item(), loss(mean, one, test[1]).item()
    error = (mean - test[1]).abs().numpy()[:, 0]
    sigma = np.exp(log_variance.numpy()[:, 0] / 2)
    inside = [float(np.mean(error < k * sigma)) for k in (1, 2)]
    print(f"negative log-likelihood of held-out patients: predicted variance {nll:.3f}, one for all {one_nll:.3f}")
    print(f"within 1 σ: {inside[0]:.0%} (68 % if Gaussian), within 2 σ: {inside[1]:.0%} (95 %)")

    unit = float(scale_y.scale_[0])
    with figure(options.out / "heteroscedastic.png", 1, 2, figsize=(10, 4.2)) as (left, right):
        places = np.argsort(mean.numpy()[:, 0])
        x = np.arange(len(places))
        y = [scale_y.inverse_transform(a.numpy())[:, 0][places] for a in (mean, test[1])]
        left.errorbar(x, y[0], unit * sigma[places], fmt="none", ecolor="lightsteelblue", label="predicted ± 1 σ")
        left.plot(x, y[0], color="tab:blue", label="predicted mean")
        left.scatter(x, y[1], s=10, color="black", zorder=3, label="patient")
        left.set(title="Held-out patients", xlabel="patient, by prediction", ylabel="disease progression")
        left.legend(fontsize="small")
        thirds = np.array_split(np.argsort(sigma), 3)
        right.bar(range(3), [np.sqrt(np.mean((unit * error[t]) ** 2)) for t in thirds], color="lightsteelblue")
        right.plot(range(3), [np.sqrt(np.mean((unit * sigma[t]) ** 2)) for t in thirds], "o-", label="predicted σ")
        right.set(title="Errors where it is more and less sure", ylabel="root mean square error")
        right.set_xticks(range(3), ["most sure third", "middle", "least sure third"])
        right.legend()


if __name__ == "__main__":
    main()
