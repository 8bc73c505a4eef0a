"""Debugging training: a path that is cut, gradients that pile up, a NaN, dead units, depth, broadcasting."""

from __future__ import annotations

import functools
import math

import numpy as np

import autograd
import nn
import optim
from autograd import Tensor
from nn import functional as F

from .data import digits
from .exercises import Answer, NotYet, exercise, wrong

_digits = functools.cache(digits)


def _fitted(model: nn.Module, optimizer: optim.Optimizer, epochs: int = 8) -> float:
    """Trains on the digits; returns the share of held-out ones that are right."""
    train, test = _digits()
    model.train()
    history = nn.training.fit(
        model, nn.CrossEntropyLoss(), optimizer, train, test,
        epochs=epochs, batch_size=64, metrics=["accuracy"], progress=False, nonfinite="keep",
    )  # fmt: skip
    return history["valid_accuracy"][-1]


def _perceptron() -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def _alike(one: Tensor, other: Tensor, rtol: float = 1e-4, atol: float = 1e-6) -> bool:
    a, b = np.asarray(one.detach()), np.asarray(other.detach())
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=rtol, atol=atol))


@exercise("13.1")
def repaired(repaired: Answer) -> str:
    """What stands in front of the division has to be h itself, and no copy that is cut off. The simplest is to detach
    nothing."""
    (x, y), _ = _digits()
    autograd.manual_seed(1)
    model = repaired().value
    if not isinstance(model, nn.Module):
        wrong("Repaired() is no module; hand in the class itself.")
    with autograd.no_grad():
        h = F.relu(model.first(x[:50]))
        wanted = model.second((h - h.mean(0)) / (h.std(0) + 0.1))
        raw = model.second(h)
    out = Answer(model, "Repaired()")(x[:50])
    if not isinstance(out.value, Tensor):
        wrong("Repaired()(x) is no Tensor.")
    if _alike(out.value, raw):
        wrong("The hidden units are not standardised any more; that part was right.")
    Answer(out.value, "Repaired()(x)").gives(wanted, rtol=1e-3, atol=1e-4)
    loss = F.cross_entropy(model(x[:50]), y[:50])
    loss.backward()
    for name in ("first.weight", "second.weight"):
        if model.get_parameter(name).grad is None:
            wrong(f"No gradient reaches {name}: h still goes on in a form that is cut off.")
    autograd.manual_seed(0)
    model = repaired().value
    share = _fitted(model, optim.Adam(model.parameters(), lr=3e-3))
    if share < 0.88:
        wrong(f"After 8 epochs only {share:.0%} of the held-out digits are right; with the path whole it is over 88 %.")
    return f"Gradient reaches the first layer, and {share:.0%} of the held-out digits are right."


@exercise("13.2")
def train(train: Answer) -> str:
    """optimizer.zero_grad() empties every .grad. It belongs anywhere but between backward() and step()."""
    (x, y), _ = _digits()
    batches = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 320, 32)]
    for make in (lambda p: optim.SGD(p, lr=0.1), lambda p: optim.Adam(p, lr=0.01)):
        models = []
        for _ in range(3):
            autograd.manual_seed(2)
            models.append(_perceptron())
        mine, right, start = models
        optimizer = make(mine.parameters())
        train.holds(callable(train.value), "is to be a function.")
        losses = Answer(lambda mine=mine, optimizer=optimizer: train.value(mine, batches, optimizer), "train")().value
        optimizer, wanted = make(right.parameters()), []
        for inputs, classes in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(right(inputs), classes)
            loss.backward()
            optimizer.step()
            wanted.append(loss.item())
        if _alike(mine[4].weight, start[4].weight):
            wrong("No weight has moved: when step() is taken the gradients are empty already.")
        if not isinstance(losses, list) or len(losses) != len(wanted):
            wrong("train(…) is to return a list with the loss of each batch.")
        if not np.allclose(losses, wanted, rtol=1e-3):
            first = next(
                i for i, (a, b) in enumerate(zip(losses, wanted, strict=True)) if not np.isclose(a, b, rtol=1e-3)
            )
            wrong(f"Up to loss {first} all is right, then it differs: are gradients of earlier batches still in .grad?")
        if not _alike(mine[0].weight, right[0].weight, rtol=1e-3, atol=1e-5):
            wrong(
                "The losses are right, and the weights are not those of a plain training; is a step missing at the end?"
            )
    return "Each step follows the gradient of its own batch."


@exercise("13.3")
def binary_loss(binary_loss: Answer) -> str:
    """−t ln p − (1 − t) ln(1 − p) = t·softplus(−z) + (1 − t)·softplus(z), which is softplus(z) − t z; then the mean."""
    ordinary = autograd.tensor([0.3, -1.2, 2.0, -0.5]), autograd.tensor([1.0, 0.0, 0.0, 1.0])
    certain = autograd.tensor([20.0, -30.0, 40.0, -110.0]), autograd.tensor([1.0, 0.0, 1.0, 0.0])
    mistaken = autograd.tensor([20.0, -30.0, 200.0, -1000.0]), autograd.tensor([0.0, 1.0, 0.0, 1.0])
    for kind, (z, t) in (("ordinary", ordinary), ("sure and right", certain), ("sure and wrong", mistaken)):
        z = z.clone().requires_grad_()
        with np.errstate(all="ignore"):
            got = binary_loss(z, t)
            if not isinstance(got.value, Tensor):
                wrong(f"binary_loss gave something of type {type(got.value).__name__}; a Tensor is wanted.")
            wanted = F.binary_cross_entropy_with_logits(z, t)
            if got.value.shape == () and _alike(got.value, 4 * wanted) and wanted.item() > 1e-6:
                wrong("This is the sum over the entries; their mean is wanted.")
            if not math.isfinite(got.value.sum().item()):
                wrong(
                    f"For logits that are {kind}, {z.tolist()} with t = {t.tolist()}, the loss is {got.value.item():g}."
                )
            (gradient,) = autograd.grad(got.value.sum(), [z])
            (right,) = autograd.grad(wanted, [z])
        if not np.isfinite(gradient.numpy()).all():
            wrong(f"For logits that are {kind} the loss is finite, but its gradient is {gradient.tolist()}.")
        if kind == "sure and wrong" and (np.abs(gradient.numpy()) < 0.1).any():
            wrong(
                "The loss is finite, but where the network is sure and wrong its gradient is 0: clipping or a small "
                "number in the logarithm hides the mistake that is most in need of a gradient."
            )
        if kind == "sure and right" and got.value.shape == () and got.value.item() > wanted.item() + 1e-7:
            wrong(
                f"Where the network is sure and right the loss is {got.value.item():.1g}, and should be "
                f"{wanted.item():.1g}: digits were lost in p, or something is clipped. Begin with z."
            )
        Answer(got.value, f"binary_loss for logits that are {kind}").gives(wanted, rtol=1e-4, atol=1e-6)
        Answer(gradient, f"its gradient for logits that are {kind}").gives(right, rtol=1e-4, atol=1e-6)
    return "Finite everywhere; and where the network is sure and wrong, the gradient is largest."


@exercise("13.4")
def optimizer_for(optimizer_for: Answer) -> str:
    """The finder's suggestion, or a little less. At 0.5 units die, at 0.01 eight epochs are too few."""
    (x, _), _ = _digits()
    shares = []
    for seed in (0, 1):
        autograd.manual_seed(seed)
        model = _perceptron()
        optimizer = optimizer_for(model).value
        if not isinstance(optimizer, optim.SGD):
            wrong(
                f"optimizer_for gave something of type {type(optimizer).__name__}; keep optim.SGD: it is the rate that "
                "is ill."
            )
        if not optimizer.param_groups[0]["momentum"]:
            wrong("This is descent without momentum; keep momentum=0.9 and change the rate.")
        if not any(optimizer.param_groups[0]["params"][0] is p for p in model.parameters()):
            wrong("The optimizer is of other parameters than model.parameters().")
        rate = optimizer.param_groups[0]["lr"]
        with np.errstate(all="ignore"):
            share = _fitted(model, optimizer)
        if not all(np.isfinite(p.detach().numpy()).all() for p in model.parameters()):
            wrong(f"With rate {rate:g} the weights are not even finite after 8 epochs; lower it.")
        dead = max(row.dead for row in nn.health(model, x[:200]).layers if row.dead is not None)
        if dead >= 0.3:
            wrong(f"With rate {rate:g} {dead:.0%} of the units of a layer are dead after 8 epochs; lower it.")
        if share < 0.9:
            wrong(
                f"With rate {rate:g} few units die, but {share:.0%} of the held-out digits are right; 90 % are wanted."
            )
        shares.append(share)
    return f"{min(shares):.0%} and more of the held-out digits are right, and most units live."


@exercise("13.5")
def deep(deep: Answer) -> str:
    """ReLU instead of Sigmoid, and something that keeps sizes from layer to layer: nn.BatchNorm1d(32) in front of each
    activation, or weights drawn by nn.init.kaiming_normal_ with biases 0, or h + f(h) around each layer."""
    (x, y), _ = _digits()
    autograd.manual_seed(0)
    model = deep().value
    if not isinstance(model, nn.Module):
        wrong("deep() is to return a module.")
    count = sum(isinstance(module, nn.Linear) for module in model.modules())
    if count < 13:
        wrong(
            f"The network has {count} linear layers; all 13 are to stay. (A shallow one would be easier, that is true.)"
        )
    try:
        report = nn.health(model, (x[:200], y[:200]), loss=nn.CrossEntropyLoss())
    except Exception as error:
        raise NotYet(f"deep()(images) raised {type(error).__name__}: {error}") from error
    sizes = [row.gradient.norm for row in report.layers if row.kind == "Linear" and row.gradient is not None]
    if len(sizes) < 13:
        wrong(f"Only {len(sizes)} of the linear layers are used.")
    ratio = sizes[0] / sizes[-1] if sizes[-1] else 0.0
    if ratio < 1e-3:
        wrong(f"The gradient of the first layer is {ratio:.0e} times that of the last one: it still vanishes.")
    if ratio > 1e3:
        wrong(f"The gradient of the first layer is {ratio:.0e} times that of the last one: now it explodes.")
    share = _fitted(model, optim.Adam(model.parameters(), lr=3e-3))
    if share < 0.8:
        wrong(
            f"The gradient gets through now (first to last layer: {ratio:.2g}), but after 8 epochs only {share:.0%} of "
            "the held-out digits are right; 80 % are wanted."
        )
    return f"First to last layer: {ratio:.2g}; {share:.0%} of the held-out digits are right."


@exercise("13.6")
def squared_error(squared_error: Answer) -> str:
    """Compare prediction.numel() with target.numel(), then flatten both before you subtract."""
    a, b = autograd.tensor([1.0, 2.0, 4.0]), autograd.tensor([1.0, 0.0, 3.0])
    column = a.reshape(3, 1)
    wanted = autograd.tensor(5 / 3)
    for one, other, shapes in (
        (a, b, "(3,) and (3,)"),
        (column, b, "(3, 1) and (3,)"),
        (a, b.reshape(3, 1), "(3,) and (3, 1)"),
        (column, b.reshape(3, 1), "(3, 1) and (3, 1)"),
    ):
        got = squared_error(one, other).value
        if isinstance(got, Tensor) and got.shape == () and _alike(got, ((column - b) ** 2).mean()):
            wrong(f"For {shapes} all 9 differences are taken, of each prediction from each target; 3 pairs are wanted.")
        if isinstance(got, Tensor) and got.shape == () and _alike(got, 3 * wanted):
            wrong(f"For {shapes} this is the sum; the mean is wanted.")
        Answer(got, f"squared_error of shapes {shapes}").gives(wanted)
    t = column.clone().requires_grad_()
    value = squared_error(t, b).value
    if not value.requires_grad:
        wrong("The result is cut off from the prediction; keep to Tensors.")
    Answer(autograd.grad(value, [t])[0], "the gradient for the prediction").gives((2 * (a - b) / 3).reshape(3, 1))
    for one, other in ((a, b[:1]), (column, b[:2]), (a[:1], b)):
        try:
            squared_error.value(one, other)
        except ValueError:
            continue
        except Exception as error:
            wrong(
                f"For {len(one)} predictions and {len(other)} targets it raises {type(error).__name__}, not ValueError."
            )
        wrong(f"{len(one)} predictions and {len(other)} targets pass without an error.")
    return "What does not pair up is an error now, and no longer a bad model."
