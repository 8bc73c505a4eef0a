"""Exercises of notebook 11: sliding a filter, sizes, filters' gradients, receptive fields, saliency, a network."""

from __future__ import annotations

import numpy as np

import autograd
import nn
from autograd import Tensor
from nn import functional as F

from .data import mnist
from .exercises import exercise, wrong

MOST_PARAMETERS, LEAST_ACCURACY = 4000, 0.94


def _slid(x, w):
    """By the engine: (H, W), (k, l) to (H − k + 1, W − l + 1)."""
    x, w = (autograd.tensor(a, dtype=autograd.float64).reshape(1, 1, *a.shape) for a in (x, w))
    return F.conv2d(x, w).numpy()[0, 0]


def _array(answer):
    value = answer.value
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


@exercise("11.1")
def slide(correlate):
    """The filter fits at H − k + 1 rows and W − k + 1 columns. The part of the image below it is
    x[i : i + k, j : j + k]."""
    random = np.random.default_rng(0)
    for image, kernel in (((5, 5), (3, 3)), ((6, 4), (3, 3)), ((7, 9), (2, 2)), ((4, 6), (1, 3)), ((3, 3), (3, 3))):
        x, w = random.standard_normal(image), random.standard_normal(kernel)
        got, wanted = correlate(x, w), _slid(x, w)
        shape = _array(got).shape
        got.holds(
            shape == wanted.shape,
            f"has shape {shape} for an image of {image} and a filter of {kernel}; it fits at {wanted.shape} places.",
        )
        if kernel != (1, 1) and np.allclose(_array(got), _slid(x, w[::-1, ::-1])):
            wrong("correlate turns the filter by 180°; w[u, v] goes with x[i + u, j + v].")
        if w.shape[0] == w.shape[1] and np.allclose(_array(got), _slid(x, w.T)):
            wrong("correlate mixes up the filter's rows and columns.")
        got.gives(wanted)
    return "The same result as nn.functional.conv2d."


@exercise("11.2")
def sizes(out_size):
    """The frame adds `padding` on both sides. The first place is at 0, the last one where the filter still fits; count
    the steps of size `stride` between, and the first place itself."""
    for n, k, padding, stride in (
        (28, 5, 0, 1), (28, 5, 2, 1), (28, 2, 0, 2), (28, 3, 1, 2), (7, 2, 0, 2), (10, 4, 1, 3), (5, 5, 0, 4)
    ):  # fmt: skip
        wanted = F.conv1d(autograd.zeros(1, 1, n), autograd.zeros(1, 1, k), stride=stride, padding=padding).shape[-1]
        got = out_size(n, k, padding, stride)
        number = float(_array(got))
        exact = (n + 2 * padding - k) / stride + 1
        if number == exact != wanted:
            got.holds(False, f"is {number:g}; the last step goes only as far as the whole filter fits: round down.")
        if number != wanted and number == (n + padding - k) // stride + 1:
            got.holds(False, f"is {number:g}; the frame is on both sides.")
        if number == wanted + 1 and number == np.ceil(exact):
            got.holds(False, f"is {number:g}: in the last of these places the filter does not fit; round down.")
        if number == wanted - 1:
            got.holds(False, f"is {number:g}: one too few, the first place counts too.")
        got.gives(wanted)
        got.holds(isinstance(got.value, int | np.integer), "is the right number, but no whole one: use //.")
    return "It holds for pooling too."


@exercise("11.3")
def filter_gradients(filter_gradient):
    """Rename the indices: the formula slides g over x as y's slides w over x."""
    random = np.random.default_rng(1)
    for image, kernel in (((5, 5), (3, 3)), ((6, 8), (2, 2)), ((4, 7), (3, 2))):
        x, w = random.standard_normal(image), random.standard_normal(kernel)
        weight = autograd.tensor(w.reshape(1, 1, *kernel), requires_grad=True)
        y = F.conv2d(autograd.tensor(x.reshape(1, 1, *image)), weight)
        g = random.standard_normal(y.shape[2:])
        (wanted,) = autograd.grad(y, [weight], autograd.tensor(g.reshape(y.shape)))
        got = filter_gradient(x, g)
        got.holds(
            _array(got).shape == kernel,
            f"has shape {_array(got).shape}; a gradient has the shape of what it is of, here {kernel}.",
        )
        got.gives(wanted.numpy()[0, 0])
    return "The gradient of a convolution for its filter is a convolution of image and upstream gradient."


@exercise("11.4")
def fields(receptive_field):
    """A stretch of r outputs begins at r places that are s apart: (r − 1) · s from the first to the last, and then the
    last one's k. Walk from the end to the image, beginning with r = 1."""
    stacks = [
        [], [(5, 1)], [(3, 1), (3, 1)], [(5, 1), (2, 2), (3, 1), (2, 2)], [(3, 2), (3, 2), (3, 2)],
        [(7, 2), (3, 1), (1, 1), (2, 2), (3, 3)],
    ]  # fmt: skip
    for layers in stacks:
        # By the gradient: along a line of pixels, through means, which let everything through.
        line = autograd.ones(1, 1, 200, requires_grad=True)
        out = line
        for k, s in layers:
            out = F.avg_pool1d(out, k, s)
        (influence,) = autograd.grad(out[0, 0, 0], [line])
        wanted = int((influence != 0).sum())
        got = receptive_field(layers)
        number = float(_array(got))
        if number != wanted and number == 1 + sum(k - 1 for k, _ in layers):
            got.holds(False, f"is {number:g}, wanted {wanted}: behind a stride each step counts for several pixels.")
        if number != wanted and number == _walked(layers):
            got.holds(False, f"is {number:g}, wanted {wanted}: begin with the last layer and walk towards the image.")
        got.gives(wanted)
    return "Small filters, one behind the other, see far."


def _walked(layers):
    r = 1
    for k, s in layers:
        r = (r - 1) * s + k
    return r


@exercise("11.5")
def salient(saliency):
    """Take a copy of the image that requires grad, and autograd.grad(model(copy.unsqueeze(0))[0, c], [copy])."""
    autograd.manual_seed(4)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    convolutional = nn.Sequential(nn.Conv2d(1, 3, 5, stride=3), nn.Tanh(), nn.Flatten(), nn.Linear(192, 4))
    for model, classes in ((linear, (0, 7)), (convolutional, (1, 3))):
        for c in classes:
            image = autograd.rand(1, 28, 28)
            pixels = image.clone().requires_grad_()
            (gradient,) = autograd.grad(model(pixels.unsqueeze(0))[0, c], [pixels])
            (soft,) = autograd.grad(model(pixels.unsqueeze(0)).softmax(1)[0, c], [pixels])
            (every,) = autograd.grad(model(pixels.unsqueeze(0)).sum(), [pixels])
            got = saliency(model, image, c)
            value = _array(got)
            got.holds(
                value.size == 784 and value.shape[-2:] == (28, 28), f"has shape {value.shape}; one number per pixel."
            )
            if np.allclose(value, gradient.numpy()) and value.min() < 0:
                got.holds(False, "is the gradient with its sign; take the absolute value.")
            if np.allclose(np.abs(value), soft.abs().numpy(), atol=1e-9):
                got.holds(False, "is the gradient of the probability, behind softmax; that of the score is wanted.")
            if np.allclose(np.abs(value), every.abs().numpy()):
                got.holds(False, "is the gradient of all classes together; that of class c is wanted.")
            if np.allclose(value, gradient.square().numpy(), atol=1e-9):
                got.holds(False, "is the square of the gradient; take the absolute value.")
            (loss,) = autograd.grad(F.cross_entropy(model(pixels.unsqueeze(0)), autograd.tensor([c])), [pixels])
            if np.allclose(np.abs(value), loss.abs().numpy(), atol=1e-9):
                got.holds(False, "is the gradient of the loss; that of the score is wanted.")
            got.gives(gradient.abs()[0], rtol=1e-4, atol=1e-7)
            if any(p.grad is not None for p in model.parameters()):
                wrong("saliency leaves gradients in the model's parameters: use autograd.grad instead of backward().")
            if image.requires_grad or image.grad is not None:
                wrong("saliency changes the image it is given: work on image.detach().clone().")
    return "The same graph, asked another question."


@exercise("11.6")
def own_network(small):
    """Two convolutions with stride or pooling bring 28 × 28 down to 7 × 7 or less; 10 channels of 5 × 5 cost a linear
    layer 2,510 parameters. Train for about ten epochs."""
    small.done()
    model = small.value
    if not isinstance(model, nn.Module):
        small.holds(False, f"is a {type(model).__name__}; an nn.Module is wanted.")
    count = sum(p.numel() for p in model.parameters())
    small.holds(count < MOST_PARAMETERS, f"has {count:,} parameters; fewer than {MOST_PARAMETERS:,} are wanted.")
    _, (x, y) = mnist()
    was_training = model.training
    try:
        with autograd.no_grad():
            scores = model.eval()(x)
    except Exception as error:
        wrong(f"small(images) raised {type(error).__name__}: {error}")
    finally:
        model.train(was_training)
    small.holds(
        scores.shape == (len(y), 10), f"gives shape {scores.shape}; one score for each of 10 classes is wanted."
    )
    accuracy = (scores.argmax(1) == y).float().mean().item()
    if accuracy < 0.3:
        small.holds(False, f"has {accuracy:.0%} of the test images right, which is guessing: is it trained?")
    small.holds(
        accuracy >= LEAST_ACCURACY, f"has {accuracy:.1%} of the test images right; {LEAST_ACCURACY:.0%} is wanted."
    )
    return f"{count:,} parameters, {accuracy:.1%} of the test images."
