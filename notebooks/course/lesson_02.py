"""The exercises of the notebook on a neuron by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
import nn
from nn.scalar import MLP, Layer

from .exercises import Answer, exercise, wrong


@exercise("2.1")
def neuron_gradients(neuron_gradients: Answer) -> str:
    """The error is δ = a − y. The bias gets δ, and each weight gets δ times its own input."""
    examples = [(0.5, -0.25, -0.1, 1.0, 0.8, 1), (0.5, -0.25, -0.1, 1.0, 0.8, 0), (-1.5, 2.0, 0.3, -0.7, 0.4, 0)]
    examples += [(0.1, 0.9, -1.0, 2.0, -1.5, 1)]
    for w0, w1, b, x0, x1, y in examples:
        found = neuron_gradients(w0, w1, b, x0, x1, y)
        got = _numbers(found, 3, "three numbers, the gradients for w0, w1 and b")
        a = _sigmoid(w0 * x0 + w1 * x1 + b)
        delta, slope = a - y, a * (1 - a)
        found.holds(
            not _near(got, [delta * slope * v for v in (x0, x1, 1)]),
            "has the slope a (1 − a) in it; δ = a − y is the gradient by z already, the slope is in there.",
        )
        found.holds(
            not _near(got, [slope * v for v in (x0, x1, 1)]),
            "lacks what comes from the loss: −1/a upstream if y = 1, or 1/(1 − a).",
        )
        found.holds(
            y == 1 or not _near(got, [(a - 1) * v for v in (x0, x1, 1)]),
            "takes y for 1; here y is 0, and the error is a.",
        )
        found.holds(
            not _near(got, [delta * w0, delta * w1, delta]),
            "multiplies by the weights; a product switches, and a weight gets its input.",
        )
        found.holds(not _near(got, [delta] * 3), "leaves the inputs out: each weight's product switches.")
        found.gives((delta * x0, delta * x1, delta))
    return "An error times an input: that is all there is to it."


@exercise("2.2")
def forecast(predicted_change: Answer) -> str:
    """A parameter with gradient g moves by −rate · g. A change of the parameter changes the loss g times as much. Add
    these up over the parameters."""
    for gradients, rate in [
        ([3.0, -4.0], 0.01),
        ([-0.45, -0.36, -0.45], 0.1),
        ([2.0], 0.1),
        ([0.0, 0.0], 1.0),
        ([1.0, 0.5], 10.0),
    ]:
        found = predicted_change(list(gradients), rate)
        (got,) = _numbers(Answer([found.value], found.label), 1, "one number")
        square = sum(g * g for g in gradients)
        if square:
            found.holds(
                not _near([got], [rate * square]),
                "says that the loss rises; the step goes against the gradient, so it falls.",
            )
            found.holds(rate == 1 or not _near([got], [-square]), "leaves the rate out.")
            found.holds(
                not _near([got], [-rate * sum(gradients)]),
                "adds up how far the parameters go; times how fast the loss changes with each.",
            )
            found.holds(
                len(gradients) == 1 or not _near([got], [-rate * math.sqrt(square)]),
                "takes the length of the gradient; its square is wanted.",
            )
        found.gives(-rate * square)
    return "−α times the squared length of the gradient: a step always promises a lower loss."


@exercise("2.3")
def two_lines(hidden: Answer, output: Answer) -> str:
    """Neuron 0 is to say 1 where x₀ > −1.2, say: w = (5, 0) and b = 6 do that, as 5 x₀ + 6 > 0 there. Choose neuron 1
    likewise for virginica, by its width. Then let the output weigh them with +10 and −10, and choose its bias so that
    "1 and 0" is positive, "0 and 0" and "1 and 1" are not."""
    from sklearn.datasets import load_iris

    rows = hidden.done().value
    if not isinstance(rows, list | tuple) or len(rows) != 2:
        wrong("hidden is to be a list of two triples (w0, w1, b).")
    numbers = [_numbers(Answer(row, f"hidden[{j}]"), 3, "three numbers (w0, w1, b)") for j, row in enumerate(rows)]
    numbers.append(_numbers(output, 3, "three numbers (v0, v1, c)"))
    network = MLP(2, [2, 1], "sigmoid", "sigmoid", autograd.Generator().manual_seed(0))
    _fill(network, [value for row in numbers for value in row])
    iris = load_iris()
    flowers = (iris.data[:, 2:] - [4.0, 1.2]).tolist()
    with autograd.no_grad():
        said = np.array([network(x).item() > 0.5 for x in flowers])
        first, second = (np.array([n(x).item() > 0.5 for x in flowers]) for n in network.l0.neurons())
    yes = [int(said[iris.target == kind].sum()) for kind in range(3)]
    right = int((said == (iris.target == 1)).sum())
    if right < 135:
        shares = [[int(h[iris.target == kind].sum()) for kind in range(3)] for h in (first, second)]
        wrong(
            f"{right} of 150 flowers are right. Of 50 each of setosa, versicolor and virginica, the output says yes to "
            f"{yes}, hidden neuron 0 to {shares[0]}, and hidden neuron 1 to {shares[1]}."
        )
    return f"{right} of 150 flowers, without any training."


@exercise("2.4")
def network_gradients(network_gradients: Answer) -> str:
    """δ = a − y belongs to the output: its weights get δ·h_j and its bias δ. Hidden neuron j has the error
    δ·v_j·h_j·(1 − h_j), and its weights get that times x_0 and x_1, its bias that itself."""
    draw = np.random.default_rng(0)
    for count, y in [(2, 0), (2, 1), (1, 1), (3, 0), (5, 1)]:
        hidden = [tuple(row) for row in draw.normal(size=(count, 3)).round(2).tolist()]
        output = tuple(draw.normal(size=count + 1).round(2).tolist())
        x = tuple(draw.normal(size=2).round(2).tolist())
        found = network_gradients(hidden, output, x, y)
        pair = found.value
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            wrong(f"{found.label} is to return two things, those of the hidden neurons and those of the output.")
        for_hidden, for_output = (
            Answer(v, f"the {which} part (of {count} hidden neurons, y = {y})")
            for v, which in zip(pair, ("hidden", "output"), strict=True)
        )
        wanted_hidden, wanted_output = _by_engine(hidden, output, x, y)
        got = _numbers(for_output, count + 1, f"{count + 1} numbers")
        for_output.holds(
            not _near(got[:-1], [wanted_output[-1] * v for v in output[:-1]]),
            "has δ times its own weights; what came in along them is h.",
        )
        a = wanted_output[-1] + y
        for_output.holds(
            not _near(got, [a * (1 - a) * g for g in wanted_output]),
            "has the slope a (1 − a) in it; δ = a − y is the gradient by the sum already.",
        )
        for_output.gives(wanted_output)
        rows = for_hidden.done().value
        if not isinstance(rows, tuple | list) or len(rows) != count:
            wrong(f"{for_hidden.label} is to be a list of {count} triples.")
        got = [_numbers(Answer(row, f"{for_hidden.label} at [{j}]"), 3, "three numbers") for j, row in enumerate(rows)]
        delta = wanted_output[-1]
        h = [_sigmoid(w0 * x[0] + w1 * x[1] + b) for w0, w1, b in hidden]
        v = output[:-1]
        for mistake, sentence in [
            ([delta] * count, "gives every hidden neuron the error of the output; its own share is wanted."),
            ([delta * v_j for v_j in v], "does not go through the squash: the slope h_j (1 − h_j) is missing."),
            ([delta * h_j * (1 - h_j) for h_j in h], "leaves out v_j, the weight along which the error came back."),
            ([v_j * h_j * (1 - h_j) for v_j, h_j in zip(v, h, strict=True)], "leaves out δ, what comes from upstream."),
        ]:
            for_hidden.holds(not _near([row[2] for row in got], mistake), sentence)
        for_hidden.holds(
            not _near(got, [[row[2]] * 3 for row in wanted_hidden]),
            "leaves the inputs out: each weight gets its neuron's error times the input that came in along it.",
        )
        for_hidden.gives(wanted_hidden)
    return "You have written backpropagation for a network."


@exercise("2.5")
def packing(pack: Answer) -> str:
    """Row j of W holds the weights of neuron j: np.array of a list of lists, with .item() of each weight. b holds the
    neurons' biases."""
    for n_inputs, n_outputs in [(2, 2), (3, 2), (1, 4), (4, 1)]:
        layer = Layer(n_inputs, n_outputs, generator=autograd.Generator().manual_seed(n_inputs))
        with autograd.no_grad():
            for j, neuron in enumerate(layer.neurons()):
                neuron.b.fill_(0.1 * j - 0.3)
        found = pack(layer)
        found.label = f"pack of {n_outputs} neurons with {n_inputs} inputs each"
        if not isinstance(found.value, tuple | list) or len(found.value) != 2:
            wrong(f"{found.label} is to return two arrays, W and b.")
        W, b = (Answer(v, f"{name} of {found.label}") for v, name in zip(found.value, ("W", "b"), strict=True))
        W.gives([[w.item() for w in neuron.weights()] for neuron in layer.neurons()])
        b.gives([neuron.b.item() for neuron in layer.neurons()])
        for answer in (W, b):
            answer.holds(isinstance(answer.value, np.ndarray), "is not a NumPy array yet: np.array(...) makes one.")
    return "One row for each neuron: shape (outputs, inputs), as nn.Linear has it."


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def _near(got: Any, wanted: Any) -> bool:
    return np.allclose(got, wanted, rtol=1e-4, atol=1e-7)


def _numbers(answer: Answer, count: int, what: str) -> list[float]:
    """The answer's entries as floats, if there are so many of them."""
    value = answer.done().value
    if not isinstance(value, tuple | list | np.ndarray) or len(value) != count:
        wrong(f"{answer.label} is to be {what}.")
    if any(v is ... for v in value):
        wrong(f"{answer.label} still has ... in it.")
    try:
        return [float(v) for v in value]
    except (TypeError, ValueError):
        wrong(f"{answer.label} is to be {what}.")


def _fill(module: nn.Module, values: list[float]) -> None:
    with autograd.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.fill_(value)


def _by_engine(hidden: Any, output: Any, x: Any, y: int) -> tuple[list[tuple[float, ...]], tuple[float, ...]]:
    """The gradients as the engine finds them."""
    network = MLP(2, [len(hidden), 1], "sigmoid", "sigmoid").double()
    _fill(network, [value for row in (*hidden, output) for value in row])
    a = network(list(x))
    (-(a if y else 1 - a).log()).backward()
    rows = [tuple(p.grad.item() for p in n.parameters()) for layer in network.layers() for n in layer.neurons()]
    return rows[:-1], rows[-1]
