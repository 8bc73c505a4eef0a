"""Networks of single numbers against networks of matrices, and what they look like."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.scalar import MLP, Layer, Neuron


def seeded(seed=0):
    return autograd.Generator().manual_seed(seed)


def matrices(network, activation):
    """The same network of nn.Linear layers, with the same weights."""
    parts = []
    for i, layer in enumerate(network.layers()):
        linear = nn.Linear(layer.n_inputs, layer.n_outputs, dtype=autograd.float64)
        with autograd.no_grad():
            for j, neuron in enumerate(layer.neurons()):
                linear.weight[j] = autograd.stack([w.detach() for w in neuron.weights()])
                linear.bias[j] = neuron.b.detach()
        parts += [linear] if i == len(network.layers()) - 1 else [linear, activation()]
    return nn.Sequential(*parts)


@pytest.mark.parametrize(("name", "activation"), [("tanh", nn.Tanh), ("relu", nn.ReLU), ("sigmoid", nn.Sigmoid)])
@pytest.mark.parametrize("outputs", [1, 2])
def test_equals_the_network_of_matrices(name, activation, outputs):
    network = MLP(3, [5, 4, outputs], name, generator=seeded()).double()
    for i, p in enumerate(network.parameters()):
        if p.item() == 0:
            p.data.fill_(0.1 * i)
    twin = matrices(network, activation)
    for item in np.random.default_rng(0).standard_normal((4, 3)):
        x = [autograd.tensor(v, requires_grad=True) for v in item]
        row = autograd.tensor(item, requires_grad=True)
        out = network(x)
        out = [out] if outputs == 1 else out
        expected = twin(row)
        np.testing.assert_allclose([o.item() for o in out], expected.tolist(), rtol=1e-13, atol=1e-15)
        sum(o * o for o in out).backward()
        (expected * expected).sum().backward()
        np.testing.assert_allclose([v.grad.item() for v in x], row.grad.tolist(), rtol=1e-12, atol=1e-15)
    linears = [m for m in twin if isinstance(m, nn.Linear)]
    count = 0
    for layer, linear in zip(network.layers(), linears, strict=True):
        for j, neuron in enumerate(layer.neurons()):
            for k, w in enumerate(neuron.weights()):
                np.testing.assert_allclose(w.grad.item(), linear.weight.grad[j, k].item(), rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(neuron.b.grad.item(), linear.bias.grad[j].item(), rtol=1e-12, atol=1e-15)
            count += 1
    assert count == 9 + outputs


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", None])
def test_gradient_of_a_neuron(activation):
    neuron = Neuron(2, activation, generator=seeded()).double()

    def call(w0, w1, b, x0, x1):
        parts = dict(zip(("w0", "w1", "b"), (w0, w1, b), strict=True))
        neuron.__dict__.update(parts)
        return neuron([x0, x1])

    values = [autograd.tensor(v, dtype=autograd.float64, requires_grad=True) for v in (0.5, -0.3, 0.2, 1.5, 0.7)]
    assert autograd.gradcheck(call, values)


def test_names_and_texts():
    network = MLP(2, [2, 1])
    assert [name for name, _ in network.named_parameters()] == [
        "l0.n0.w0", "l0.n0.w1", "l0.n0.b", "l0.n1.w0", "l0.n1.w1", "l0.n1.b", "l1.n0.w0", "l1.n0.w1", "l1.n0.b",
    ]  # fmt: skip
    assert all(p.shape == () for p in network.parameters())
    assert repr(Neuron(1, None, bias=False)) == "Neuron(1 input, linear, no bias)"
    assert [n for n, _ in Neuron(2, bias=False).named_parameters()] == ["w0", "w1"]
    assert repr(Layer(3, 2, "relu")) == "Layer(2 of Neuron(3 inputs, relu))"


def test_inputs_of_any_kind_and_copies_agree():
    network = MLP(2, [3, 2], generator=seeded())
    twins = [copy.deepcopy(network), pickle.loads(pickle.dumps(network)), MLP(2, [3, 2], generator=seeded())]
    other = MLP(2, [3, 2])
    other.load_state_dict(network.state_dict())
    expected = [o.item() for o in network([0.5, -1.0])]
    for given in ([0.5, -1.0], (autograd.tensor(0.5), -1.0), autograd.tensor([0.5, -1.0]), np.float32([0.5, -1.0])):
        for model in (network, other, *twins):
            assert [o.item() for o in model(given)] == expected
    assert [o.item() for o in MLP(2, [3, 2], generator=seeded(1))([0.5, -1.0])] != expected


def test_drawing_names_the_weights():
    neuron = Neuron(2)
    text = autograd.draw(neuron([1.0, 2.0]), names={"neuron": neuron}).source
    assert all(name in text for name in ("w0", "w1", "tanh"))


def test_learns_exclusive_or():
    items = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]
    network = MLP(2, [4, 1], generator=seeded(3))
    optimizer = optim.SGD(network.parameters(), lr=0.1, momentum=0.9)

    def loss():
        return sum((network(x) - y) ** 2 for x, y in items)

    first = loss().item()
    for _ in range(100):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.01 < first
    assert all(np.sign(network(x).item()) == y for x, y in items)


ERRORS = {
    "count": (lambda: Neuron(2)([1.0]), autograd.ShapeError, r"Neuron\(2 inputs, tanh\): wants 2 numbers, got 1"),
    "batch": (lambda: MLP(2, [1])(autograd.ones(2, 3)), autograd.ShapeError, "input 0 must be a single number"),
    "activation": (lambda: Neuron(2, "step"), ValueError, "activation must be one of .* or None, got 'step'"),
    "inputs": (lambda: Neuron(0), ValueError, "n_inputs must be at least 1, got 0"),
    "outputs": (lambda: Layer(2, 0), ValueError, "n_outputs must be at least 1, got 0"),
    "sizes": (lambda: MLP(2, 3), ValueError, r"MLP: n_outputs must be the sizes of the layers, \[4, 1\] say, got 3"),
}


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
