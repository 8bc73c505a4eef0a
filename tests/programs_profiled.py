"""Programs that are profiled: every way in which operations, modules and passes lie in each other."""

from __future__ import annotations

import time

import pytest

import autograd
import nn
import optim
from autograd import profile, tensor


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(autograd.tanh(self.inner(x))) + x


class Slow(autograd.Function):
    """The identity, taking its time in both directions."""

    @staticmethod
    def forward(ctx, x):
        time.sleep(0.01)
        return x * 1

    @staticmethod
    def backward(ctx, g):
        time.sleep(0.02)
        return g * 1


@autograd.primitive(elementwise=True)
def unhurried(xp, x):
    """x, after 10 ms; its gradient takes 20."""
    time.sleep(0.01)
    return x * 1


def _after_a_while(xp, g, out, x):
    time.sleep(0.02)
    return g * 1


unhurried.grads(x=_after_a_while)


def step():
    autograd.manual_seed(0)
    model, criterion = nn.Sequential(nn.Linear(3, 4), Block(), nn.ReLU(), nn.Linear(4, 2)), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters())
    for _ in range(2):
        with profile.region("data"):
            x, y = autograd.randn(6, 3), autograd.randint(0, 2, (6,))
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def double_backward():
    x = tensor([1.0, 2.0], requires_grad=True)
    (g,) = autograd.grad((x**3).sum(), x, create_graph=True)
    (g * g).sum().backward()


def checkpointed():
    block = Block()
    x = autograd.randn(5, 4, requires_grad=True)
    autograd.checkpoint(block, x).sum().backward()


def function():
    x = autograd.randn(3, requires_grad=True)
    Slow.apply(x * 2).sum().backward()


def in_place():
    x = autograd.randn(4, 4, requires_grad=True)
    y = x * 2
    part = y[0]
    y.mul_(3.0)
    y[1] = 0.0
    part.add_(1.0)
    (y.sum() + part.sum()).backward()


def several_passes():
    x = autograd.randn(3, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with autograd.no_grad():
        (x * 2).exp()
    with autograd.record(), autograd.detect_anomaly():
        (x * x).sum().backward()


def hooks():
    x = autograd.randn(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * autograd.ones(3))
    other = autograd.ones(2, requires_grad=True)
    x.register_hook(lambda g: (other * 2).sum().backward())
    y.sum().backward()


def closures():
    model = nn.Linear(2, 1)
    optimizer = optim.LBFGS(model.parameters(), max_iter=3)
    x = autograd.randn(5, 2)

    def closure():
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)


def sparse():
    table = nn.Embedding(10, 3, sparse=True)
    table(autograd.tensor([1, 1, 2])).sum().backward()


def recurrent():
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    out, _ = lstm(autograd.randn(5, 2, 3))
    out.sum().backward()


def running_means():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, momentum=None), nn.ReLU(), nn.MaxPool2d(2))
    for _ in range(2):
        model(autograd.randn(4, 1, 6, 6)).sum().backward()


@autograd.primitive
def named_inside(xp, x):
    """x, with a region in the middle."""
    time.sleep(0.001)
    with profile.region("inside"):
        time.sleep(0.001)
    time.sleep(0.001)
    return x * 1


named_inside.grads(x=lambda xp, g, out, x: g * 1)


def regions_in_an_operation():
    named_inside(autograd.ones(2, requires_grad=True)).sum().backward()


def caught():
    x = autograd.randn(3, requires_grad=True)
    for bad in (lambda: x @ autograd.ones(4), lambda: (x * 2).backward(), lambda: nn.Linear(2, 2)(x)):
        with pytest.raises(Exception, match=r"."):
            bad()

    def refuse(g):
        raise ArithmeticError("no")

    y = x * 2
    y.register_hook(refuse)
    with pytest.raises(ArithmeticError):
        y.sum().backward()
    (x * 3).sum().backward()


PROGRAMS = [
    step, double_backward, checkpointed, function, in_place, several_passes, hooks, closures, sparse, recurrent, caught,
    running_means, regions_in_an_operation,
]  # fmt: skip
