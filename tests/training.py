"""A training with everything in it that must go on where it was: for the tests of fit, of resuming and of kill -9."""

from __future__ import annotations

import numpy as np

import autograd
import nn
import optim
from autograd import Generator


class Net(nn.Module):
    """Two layers with dropout, noise from a stream of its own, and buffers that training changes."""

    def __init__(self, hidden=6):
        super().__init__()
        self.first = nn.Linear(3, hidden)
        self.last = nn.Linear(hidden, 2)
        self.noise = Generator().manual_seed(5)
        self.register_buffer("mean", autograd.zeros(hidden))
        self.register_buffer("calls", autograd.tensor(0), persistent=False)

    def forward(self, x):
        h = self.first(x).tanh()
        if self.training:
            with autograd.no_grad():
                self.mean.copy_(0.9 * self.mean + 0.1 * h.mean(0))
                self.calls.add_(1)
            h = h + 0.01 * autograd.randn(*h.shape, generator=self.noise)
        h = h - self.mean * (1 + 0.001 * self.calls)
        return self.last(nn.functional.dropout(h, 0.2, training=self.training))


def data(n=40):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3)).astype("f")
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def loader(x, y, batch_size=8, generator=True):
    return nn.data.DataLoader(
        nn.data.TensorDataset(x, y),
        batch_size=batch_size,
        shuffle=True,
        generator=Generator().manual_seed(1) if generator else None,
    )


class Halving:
    """A schedule of its own kind: the rate halves every ``period`` calls."""

    def __init__(self, optimizer, period=2):
        self.optimizer, self.period, self.calls = optimizer, period, 0

    def step(self):
        self.calls += 1
        if self.calls % self.period == 0:
            for group in self.optimizer.param_groups:
                group["lr"] *= 0.5

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


OPTIMIZERS = {
    "Adam": lambda p: optim.Adam(p, lr=0.02, amsgrad=True),
    "LBFGS": lambda p: optim.LBFGS(p, lr=0.1, max_iter=3),
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
}


def train(optimizer="Adam", make_train=loader, hidden=6, epochs=3, **arguments):
    """Makes all of it anew and trains: the model and its history."""
    autograd.manual_seed(0)
    np.random.seed(0)
    model = Net(hidden)
    made = OPTIMIZERS[optimizer](model.parameters())
    x, y = data()
    arguments = {"metrics": ["accuracy"], "progress": False, "scheduler": Halving(made), **arguments}
    train, valid = make_train(x, y), loader(*data(16), batch_size=5)
    return model, nn.training.fit(model, nn.functional.cross_entropy, made, train, valid, epochs=epochs, **arguments)


def weights(model):
    """Every parameter and buffer, to the bit."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {name: (t.detach().numpy().dtype.str, t.detach().numpy().tobytes()) for name, t in tensors}


def linear(seed=0):
    autograd.manual_seed(seed)
    return nn.Linear(3, 2)


def sgd(model, lr=0.1):
    return optim.SGD(model.parameters(), lr=lr)


def quiet(model, loss, optimizer, *data, **arguments):
    return nn.training.fit(model, loss, optimizer, *data, **{"epochs": 2, "progress": False, **arguments})
