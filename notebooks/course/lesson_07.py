"""Exercises of notebook 7: slopes, thin networks, dead units, maxout, gains, first weights."""

from __future__ import annotations

import itertools

import numpy as np

import autograd
import nn
from autograd import tensor

from .exercises import Answer, exercise, wrong


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


# Each with its value and its slope, written out.
_WRITTEN_OUT = [
    (autograd.sigmoid, _sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    (autograd.tanh, np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    (autograd.relu, lambda z: np.maximum(z, 0.0), lambda z: (np.asarray(z) > 0) * 1.0),
]


@exercise("7.1")
def slopes(slope):
    """Each entry of f(z) depends on its own z alone, so the gradient of the sum of f(z) has each slope in its place."""
    places = np.array([-3.0, -0.5, 0.2, 2.0])
    for f, _, derivative in _WRITTEN_OUT:
        slope(f, tensor(places)).gives(derivative(places))
    slope(lambda z: z**3, tensor(places.reshape(2, 2))).gives(3 * places.reshape(2, 2) ** 2)
    z = tensor([1.0, 2.0], requires_grad=True)
    z.grad = tensor([5.0, 5.0])
    for _ in range(2):  # a gradient that is added up would show
        slope(autograd.tanh, z).gives(1 - np.tanh([1.0, 2.0]) ** 2)
    if z.grad is None or not np.array_equal(z.grad.numpy(), [5.0, 5.0]):
        wrong("slope changes the .grad of the z it is given: work on z.detach().clone().")
    return "One backward pass gives the slopes at all places."


@exercise("7.2")
def thin(thin_gradient):
    """Make x a Tensor that requires grad, apply f(w * a) `depth` times in a loop, and go backward from the last a."""
    for f, value, derivative in _WRITTEN_OUT:
        for w, depth, x in ((1.0, 1, 0.5), (2.0, 3, 0.5), (-1.5, 2, 1.0), (0.5, 10, 2.0)):
            a, slopes_alone = x, 1.0
            for _ in range(depth):
                slopes_alone *= float(derivative(w * a))
                a = float(value(w * a))
            wanted = slopes_alone * w**depth
            got = thin_gradient(f, w, depth, x)
            number = float(np.asarray(got.value.detach() if isinstance(got.value, autograd.Tensor) else got.value))
            if wanted and np.isclose(number, slopes_alone, rtol=1e-4):
                got.holds(w == 1.0, "is the product of the slopes; each layer also multiplies by w.")
            if w != 1.0 and np.isclose(number, _unweighted(derivative, value, depth, x), rtol=1e-4):
                got.holds(False, "is the gradient without any w; a layer is f(w * a).")
            got.gives(wanted, rtol=1e-4)
            got.holds(isinstance(got.value, float), "is the right number, but no float: take .item().")
    thin_gradient(autograd.tanh, 3.0, 0, 1.0).gives(1.0)
    return "Each layer multiplies by w f′(z): slope and weight together decide."


def _unweighted(derivative, value, depth, x):
    product = 1.0
    for _ in range(depth):
        product, x = product * float(derivative(x)), float(value(x))
    return product


@exercise("7.3")
def reviving(revive):
    """`(layer(x) <= 0).all(0)` marks the dead units; rows of `layer.weight` and entries of `layer.bias` belong to them.
    Write within autograd.no_grad()."""
    random = autograd.Generator().manual_seed(5)
    x = autograd.randn(60, 3, generator=random)
    for dead in ([1, 4], [0], []):
        layer = nn.Linear(3, 6)
        with autograd.no_grad():
            layer.weight.copy_(autograd.randn(6, 3, generator=random))
            layer.bias.zero_()
            layer.bias[2] = 0.1 - (x @ layer.weight[2]).max()  # alive on a single example
            for unit in dead:
                layer.bias[unit] = -50.0
        weight, bias = layer.weight, layer.bias
        before = [p.detach().numpy().copy() for p in (weight, bias)]
        count = revive(layer, x)
        if layer.weight is not weight or layer.bias is not bias:
            wrong(
                "revive puts new parameters into the layer, which an optimizer does not know: write into the old ones."
            )
        alive = [unit for unit in range(6) if unit not in dead]
        for p, old in zip((weight, bias), before, strict=True):
            if not np.array_equal(p.detach().numpy()[alive], old[alive]):
                wrong("revive changes units that are alive (one of them is positive on a single example).")
        with autograd.no_grad():
            still = (layer(x) <= 0).all(0).numpy()
        if dead and np.array_equal(weight.detach().numpy()[dead], before[0][dead]):
            wrong("revive leaves the weights of dead units as they were; they are to be drawn anew.")
        if still.any():
            wrong(
                f"After revive {still.sum()} of {len(dead)} dead units still have z ≤ 0 on all examples: mind the bias."
            )
        if len(dead) > 1 and np.allclose(*weight.detach().numpy()[dead]):
            wrong("The revived units are all alike, so they will stay so: draw them at random.")
        if not (weight.requires_grad and bias.requires_grad):
            wrong("After revive the parameters no longer require a gradient.")
        count.gives(len(dead))
    return "What was alive is untouched, what was dead has another chance."


@exercise("7.4")
def maxout(two_slopes):
    """The two pieces are the lines left · x and right · x, with biases of 0. The larger of two lines bends upwards."""
    x = tensor([[-2.0], [-0.5], [0.0], [0.5], [3.0]])
    for left, right in ((0.0, 1.0), (0.01, 1.0), (-1.0, 1.0), (0.3, 0.3), (-2.0, -0.5)):
        unit = two_slopes(left, right)
        if not isinstance(unit.value, nn.Maxout):
            unit.holds(False, f"is a {type(unit.value).__name__}; an nn.Maxout is wanted.")
        y = unit.value(x).detach().numpy()
        unit.holds(y[2, 0] == 0, f"gives {y[2, 0]:.3g} at x = 0: its biases begin at random numbers, set them to 0.")
        for at, got in zip(x.numpy()[:, 0], y[:, 0], strict=True):
            wanted = (left if at < 0 else right) * at
            unit.holds(np.isclose(got, wanted), f"gives {got:.4g} at x = {at:g}; wanted {wanted:.4g}.")
    for left, right in ((1.0, 0.0), (0.5, -0.5)):
        try:
            two_slopes.value(left, right)
        except ValueError:
            continue
        wrong(
            f"two_slopes({left:g}, {right:g}) returned a unit, but no maxout unit has these slopes: raise a ValueError."
        )
    return "ReLU is (0, 1), leaky ReLU (k, 1), the absolute value (−1, 1)."


@exercise("7.5")
def gains(gain):
    """Draw z = autograd.randn(200_000), and take 1 / root of the mean of f(z) squared."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(150)
    weights = weights / weights.sum()
    rows = [(nn.Identity(), lambda z: z), (nn.ReLU(), lambda z: np.maximum(z, 0)), (nn.Tanh(), np.tanh)]
    rows += [(nn.LeakyReLU(0.3), lambda z: np.where(z > 0, z, 0.3 * z)), (nn.Sigmoid(), _sigmoid)]
    for f, written in rows:
        square, mean = weights @ written(nodes) ** 2, weights @ written(nodes)
        wanted, got = square**-0.5, gain(f)
        if not isinstance(got.value, int | float | np.floating):
            got.holds(False, f"is of type {type(got.value).__name__}; a float is wanted.")
        if np.isclose(got.value, (square - mean**2) ** -0.5, rtol=0.01):
            got.holds(abs(mean) < 0.01, "is 1 / deviation; take the mean square, which counts the mean too.")
        if np.isclose(got.value, square**0.5, rtol=0.01):
            got.holds(
                np.isclose(wanted, 1, rtol=0.02), "is the root of the mean square: the gain is 1 divided by that."
            )
        if np.isclose(got.value, 1 / square, rtol=0.01):
            got.holds(np.isclose(wanted, 1, rtol=0.02), "is 1 / mean square: a root is missing.")
        got.gives(wanted, rtol=0.015)
    return "A function of your own has a gain too, without looking it up."


@exercise("7.6")
def first_weights(initialise):
    """Remember the activation in front of each Linear (nothing for the first one), and draw with s = g / √n, where n is
    layer.in_features and g is gain of that activation."""
    initialise.done()
    autograd.manual_seed(3)
    shapes = {"equal sizes": 21 * [200], "sizes that change": [100, 400, 100, 400, 100, 400, 100, 400]}
    for activation in (nn.ReLU(), nn.Tanh(), nn.LeakyReLU(0.5), nn.Identity()):
        for kind, sizes in shapes.items():
            layers = [part for n, m in itertools.pairwise(sizes) for part in (nn.Linear(n, m), activation)]
            model = nn.Sequential(*layers, nn.Linear(sizes[-1], 10))
            for p in model.parameters():
                nn.init.constant_(p, 0.2)  # what comes from here is not left over from the layers' own start
            Answer(lambda model: [initialise.value(model)], "initialise")(model)  # it need not return anything
            _first_weights_hold(model, sizes, f"{type(activation).__name__}, {len(sizes)} layers of {kind}")
    return "One line of theory, and depth is no obstacle to signals any more."


def _first_weights_hold(model, sizes, name):
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    if all((layer.weight.detach().numpy() == np.float32(0.2)).all() for layer in linear):
        wrong("initialise leaves the weights as they are: draw them anew, in place.")
    for layer in linear:
        w = layer.weight.detach().numpy()
        if layer.bias.detach().numpy().any():
            wrong("initialise leaves a bias that is not 0.")
        if np.ptp(w) == 0 or np.allclose(w, w[:1]):
            wrong("initialise leaves a layer whose weights are all alike; draw them at random.")
    a, squares = autograd.randn(300, sizes[0], generator=autograd.Generator().manual_seed(1)), []
    with autograd.no_grad():
        for layer in model:
            a = layer(a)
            if isinstance(layer, nn.Linear):
                squares.append(a.square().mean().item())
    told = f"{name}: the mean square of z is {squares[0]:.2g} in the first layer"
    if squares[0] < 0.7:
        wrong(f"{told}, for data of mean square 1. Its s is 1 / √n, and that is a deviation, not a variance.")
    if squares[0] > 1.4:
        wrong(f"{told}, for data of mean square 1. No activation is in front of that layer, so its gain is 1.")
    factors = np.array(squares[1:]) / squares[:-1]
    if len(set(sizes)) > 1 and factors.max() / factors[:-1].min() > 4:
        wrong(f"{told}, and then goes up and down with the sizes: n is the number of inputs, layer.in_features.")
    if not 1 / 4 < squares[-2] / squares[0] < 4:
        wrong(f"{told} and {squares[-2]:.2g} in the last hidden one: the gain of the activation in front is not right.")
    if not 1 / 4 < squares[-1] / squares[0] < 4:
        wrong(
            f"{told} and {squares[-1]:.2g} in the output layer, where n counts inputs too and g is of what is in front."
        )
