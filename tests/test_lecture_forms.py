"""What the lectures derive by hand, computed here: neurons, backpropagation, losses and their outputs, batch norm."""

from __future__ import annotations

import numpy as np
import pytest
from lecture_forms import RNG, close, leaf, sigmoid

import autograd
import nn
import optim
from autograd import tensor


@pytest.fixture(autouse=True)
def seed():
    autograd.manual_seed(0)


# A neuron.


def test_a_neuron_of_exponential_and_square_loss():
    """For f(z) = e^z and L = (g − a)², the gradient of w is 2 (g − a) g x, that of the offset 2 (g − a) g."""
    w, offset, x, actual = leaf([0.3, -0.2]), leaf(0.1), np.array([1.5, 0.5]), 0.7
    guess = (w @ tensor(x) + offset).exp()
    (guess - actual).square().backward()
    g = np.exp([0.3, -0.2] @ x + 0.1)
    close(w.grad, 2 * (g - actual) * g * x)
    close(offset.grad, 2 * (g - actual) * g)


def test_the_bias_is_the_weight_of_an_input_of_1():
    layer = nn.Linear(3, 2, dtype=autograd.float64)
    x = tensor(RNG(0).standard_normal((4, 3)))
    layer(x).sigmoid().square().sum().backward()
    both = autograd.cat([layer.weight, layer.bias[:, None]], 1).detach().requires_grad_()
    out = autograd.linear(autograd.cat([x, autograd.ones(4, 1, dtype=autograd.float64)], 1), both).sigmoid()
    close(out, layer(x).sigmoid().detach().numpy())
    out.square().sum().backward()
    close(both.grad, np.concatenate([layer.weight.grad.numpy(), layer.bias.grad.numpy()[:, None]], 1))


@pytest.mark.parametrize(
    ("output", "loss", "target"),
    [
        (nn.Identity(), nn.MSELoss(), np.array([[0.3, -1.0], [2.0, 0.0]])),
        (nn.Sigmoid(), nn.BCELoss(), np.array([[0.0, 1.0], [1.0, 1.0]])),
        (nn.Softmax(1), nn.MulticlassNLLLoss(), np.array([[0.0, 1.0], [1.0, 0.0]])),
    ],
    ids=["square loss of a linear output", "NLL of a sigmoid", "NLLM of a softmax"],
)
def test_matching_loss_and_output_pass_back_their_difference(output, loss, target):
    """∂loss/∂z is the output less the target, times what the mean divides by."""
    z = leaf(RNG(0).standard_normal((2, 2)))
    a = output(z)
    loss(a, tensor(target)).backward()
    share = {nn.MSELoss: 2 / 4, nn.BCELoss: 1 / 4, nn.MulticlassNLLLoss: 1 / 2}[type(loss)]
    close(z.grad, share * (a.detach().numpy() - target))


def test_hinge_of_a_linear_output():
    """The gradient is −actual inside the margin and 0 on the right side beyond it."""
    z = leaf([2.0, 0.5, -0.5, -2.0])
    nn.HingeLoss(reduction="sum")(z, tensor([1.0, 1.0, -1.0, 1.0])).backward()
    assert z.grad.tolist() == [0.0, -1.0, 1.0, -1.0]


def test_layers_without_activation_are_one_layer():
    net = nn.Sequential(*(nn.Linear(n, m) for n, m in ((3, 7), (7, 5), (5, 2)))).double()
    total, offset = np.eye(3), np.zeros(3)
    for layer in net:
        w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        total, offset = w @ total, w @ offset + b
    x = RNG(0).standard_normal((6, 3))
    close(net(tensor(x)), x @ total.T + offset)
    bent = nn.Sequential(net[0], nn.ReLU(), net[1], nn.ReLU(), net[2])
    middle = bent(tensor(x[:1] + x[1:2]) / 2) - (bent(tensor(x[:1])) + bent(tensor(x[1:2]))) / 2
    assert middle.abs().max().item() > 1e-3


# Name, function, derivative as the lectures write it.
DERIVATIVES = {
    "sigmoid": (nn.Sigmoid(), lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (nn.Tanh(), lambda z: 1 - np.tanh(z) ** 2),
    "hard tanh": (nn.Hardtanh(), lambda z: ((z >= -1) & (z <= 1)).astype(float)),
    "soft sign": (nn.Softsign(), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "ReLU": (nn.ReLU(), lambda z: (z > 0).astype(float)),
    "leaky ReLU": (nn.LeakyReLU(0.01), lambda z: np.where(z > 0, 1, 0.01)),
    "parametric ReLU": (nn.PReLU(init=0.3, dtype=autograd.float64), lambda z: np.where(z > 0, 1, 0.3)),
    "ELU": (nn.ELU(), lambda z: np.where(z > 0, 1, np.exp(np.minimum(z, 0)))),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivative_of_an_activation(name):
    function, slope = DERIVATIVES[name]
    z = leaf(np.linspace(-4, 4, 40))
    function(z).sum().backward()
    close(z.grad, slope(z.detach().numpy()))


def test_tanh_is_a_rescaled_sigmoid():
    z = tensor(np.linspace(-20, 20, 401))
    close(z.tanh(), 2 * nn.Sigmoid()(2 * z).numpy() - 1)


def test_the_slope_of_prelu_learns():
    layer = nn.PReLU(init=0.25)
    layer(tensor([-2.0, 3.0, -1.0])).sum().backward()
    assert layer.weight.grad.tolist() == [-3.0]


# Backpropagation.


def window_scorer():
    """Words of 4 numbers, windows of 5, 8 hidden units, one score: the sizes of the notes."""
    words = nn.Embedding(9, 4, dtype=autograd.float64, sparse=True)
    layer, u = nn.Linear(20, 8, dtype=autograd.float64), nn.Linear(8, 1, bias=False, dtype=autograd.float64)
    return words, layer, u


def test_a_window_splits_its_gradient_among_its_words():
    """∂s/∂x = Wᵀ δ in five parts, one for each word; a word that stands twice gets both, all others stay."""
    words, layer, u = window_scorer()
    assert (layer.weight.shape, layer.bias.shape, u.weight.shape) == ((8, 20), (8,), (1, 8))
    window = [6, 2, 7, 2, 0]
    x = words(tensor(window)).flatten()
    s = u(layer(x).tanh())
    s.backward()
    z = layer.weight.detach().numpy() @ x.detach().numpy() + layer.bias.detach().numpy()
    delta = (1 - np.tanh(z) ** 2) * u.weight.detach().numpy()[0]
    parts = (layer.weight.detach().numpy().T @ delta).reshape(5, 4)
    expected = np.zeros((9, 4))
    for word, part in zip(window, parts, strict=True):
        expected[word] += part
    close(words.weight.grad.to_dense(), expected)
    close(layer.weight.grad, np.outer(delta, x.detach().numpy()))
    close(layer.bias.grad, delta)
    before = words.weight.detach().numpy().copy()
    optim.SGD(words.parameters(), lr=0.1).step()
    moved = (words.weight.detach().numpy() != before).any(1)
    assert moved.nonzero()[0].tolist() == [0, 2, 6, 7]


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 0.0), (1.0, 1.0), (0.2, 0.2)])
def test_nothing_is_learned_from_a_pair_that_is_far_enough_apart(margin, expected):
    """Within the margin ∂J/∂s = −1 and ∂J/∂s_c = 1; beyond it both are 0, and so is every gradient behind them."""
    loss = nn.MaxMarginLoss(margin, reduction="sum")
    for gap in (-0.5, 0.1, 0.7, 3.0):
        s, corrupt = leaf([1.0 + gap]), leaf([1.0])
        value = loss(s, corrupt)
        value.backward()
        close(value, max(expected - gap, 0))
        inside = float(gap < margin)
        assert (s.grad.item(), corrupt.grad.item()) == (-inside, inside)


def test_error_is_shared_along_each_path():
    """The network 4-2-1 of the notes: the gradient of each weight, factor by factor."""
    network = nn.scalar.MLP(4, [2, 1], "sigmoid", generator=autograd.Generator().manual_seed(0)).double()
    x = [0.5, -1.0, 2.0, 0.3]
    network(x).backward()
    hidden, out = network.l0, network.l1
    for i, neuron in enumerate(hidden.neurons()):
        z = sum(w.item() * v for w, v in zip(neuron.weights(), x, strict=True)) + neuron.b.item()
        weight = out.neurons()[0].weights()[i]
        delta = 1.0 * weight.item() * sigmoid(z) * (1 - sigmoid(z))
        close([w.grad.item() for w in neuron.weights()], delta * np.array(x))
        close(neuron.b.grad.item(), delta)
        close(weight.grad.item(), sigmoid(z))


def test_a_thin_deep_network_multiplies_its_slopes():
    """One unit in each layer: ∇wᵢ = ∂L/∂y · … · hᵢ₋₁, a factor w σ′(a) for each layer in between."""
    network = nn.scalar.MLP(1, [1, 1, 1, 1], "sigmoid", generator=autograd.Generator().manual_seed(0)).double()
    x, target = 0.8, 1.0
    ((network([x]) - target) ** 2).backward()
    units = [layer.neurons()[0] for layer in network.layers()]
    h = [x]
    for unit in units:
        a = unit.weights()[0].item() * h[-1] + unit.b.item()
        h.append(sigmoid(a) if unit is not units[-1] else a)
    error = 2 * (h[-1] - target)
    for i in reversed(range(4)):
        error *= 1 if i == 3 else h[i + 1] * (1 - h[i + 1])
        close(units[i].weights()[0].grad.item(), error * h[i])
        error *= units[i].weights()[0].item()


def test_errors_of_several_layers_as_products_of_matrices():
    """δ of a layer is f′(z) ∘ Wᵀ δ of the next, the gradient of its weight δ aᵀ, of its bias δ."""
    sizes = ((4, 6), (6, 5), (5, 3))
    net = nn.Sequential(*(part for n, m in sizes for part in (nn.Linear(n, m), nn.Tanh()))).double()
    x = RNG(0).standard_normal(4)
    net(tensor(x)).square().sum().backward()
    linears, a = [m for m in net if isinstance(m, nn.Linear)], [x]
    for layer in linears:
        a.append(np.tanh(layer.weight.detach().numpy() @ a[-1] + layer.bias.detach().numpy()))
    error = 2 * a[-1]
    for layer, inputs, output in zip(reversed(linears), reversed(a[:-1]), reversed(a[1:]), strict=True):
        delta = (1 - output**2) * error
        close(layer.weight.grad, np.outer(delta, inputs))
        close(layer.bias.grad, delta)
        error = layer.weight.detach().numpy().T @ delta


class LinearModule(autograd.Function):
    """forward u ↦ v; backward gives ∂L/∂u from ∂L/∂v, and the gradient of the weights (m, n)."""

    calls = 0

    @staticmethod
    def forward(ctx, u, weight):
        ctx.save_for_backward(u, weight)
        return u @ weight

    @staticmethod
    def backward(ctx, dv):
        LinearModule.calls += 1
        u, weight = ctx.saved_tensors
        return dv @ weight.T, u[:, None] @ dv[None]


def test_a_module_of_forward_backward_and_weight_gradient():
    u, weight = leaf([1.0, 2.0, -1.0]), leaf(RNG(0).standard_normal((3, 2)))
    LinearModule.apply(u, weight).square().sum().backward()
    dv = 2 * (u.detach().numpy() @ weight.detach().numpy())
    close(weight.grad, np.outer(u.detach().numpy(), dv))
    close(u.grad, weight.detach().numpy() @ dv)


def test_each_error_is_computed_once_however_many_paths_there_are():
    """2³⁰ paths lead back through thirty layers whose results are used twice."""
    LinearModule.calls = 0
    u, weight = leaf([1.0]), leaf([[0.5]])
    v = u
    for _ in range(30):
        v = LinearModule.apply(v, weight)
        v = v + v
    v.sum().backward()
    assert LinearModule.calls == 30 and u.grad.item() == 1.0 and weight.grad.item() == 60.0


def test_gradients_add_where_a_value_branches_and_each_op_has_its_way():
    """+ hands its gradient to both, max to the larger alone, × to each the other's share."""
    for x, y, z in ((1.0, 2.0, 0.0), (1.0, 0.5, 3.0), (-2.0, 1.0, -1.0)):
        a, b, c = leaf(x), leaf(y), leaf(z)
        ((a + b) * autograd.maximum(b, c)).backward()
        larger = max(y, z)
        assert (a.grad.item(), b.grad.item(), c.grad.item()) == (larger, larger + (x + y) * (y > z), (x + y) * (z > y))


def test_centred_differences_err_by_the_square_of_the_step():
    x = leaf(0.7)

    def f(v):
        return (v.sin() * v.exp()).sigmoid()

    f(x).backward()
    exact = x.grad.item()

    def error(eps, centred):
        at = [f(tensor(0.7 + d, dtype="float64")).item() for d in (eps, -eps if centred else 0)]
        return abs((at[0] - at[1]) / (2 * eps if centred else eps) - exact)

    assert 80 < error(1e-2, True) / error(1e-3, True) < 120
    assert 8 < error(1e-2, False) / error(1e-3, False) < 12
    assert error(1e-3, True) < error(1e-3, False) / 100


def test_one_hidden_layer_and_softmax():
    """Every gradient of the slides, from f(x) − e(y) at the output down to the hidden weights."""
    hidden, out = nn.Linear(4, 6, dtype=autograd.float64), nn.Linear(6, 3, dtype=autograd.float64)
    x, y = RNG(0).standard_normal(4), 2
    h = nn.Sigmoid()(hidden(tensor(x)))
    logits = out(h)
    for t in (h, logits):
        t.retain_grad()
    nn.CrossEntropyLoss()(logits, tensor(y)).backward()
    f = np.exp(logits.detach().numpy()) / np.exp(logits.detach().numpy()).sum()
    error = f - np.eye(3)[y]
    a = h.detach().numpy()
    close(logits.grad, error)
    close(out.bias.grad, error)
    close(out.weight.grad, np.outer(error, a))
    close(h.grad, out.weight.detach().numpy().T @ error)
    below = (out.weight.detach().numpy().T @ error) * a * (1 - a)
    close(hidden.weight.grad, np.outer(below, x))
    close(hidden.bias.grad, below)
    p = leaf(f)
    nn.NLLLoss()(p.log(), tensor(y)).backward()
    close(p.grad, -np.eye(3)[y] / f[y])


def test_jacobian_of_softmax():
    z = leaf([0.5, -1.0, 2.0, 0.0])
    s = np.exp(z.detach().numpy()) / np.exp(z.detach().numpy()).sum()
    jacobian = autograd.jacobian(lambda v: autograd.softmax(v, 0))(z)
    close(jacobian, np.diag(s) - np.outer(s, s))
    close(jacobian.sum(0), 0)


def test_all_windows_at_once_or_one_by_one():
    """500 windows of 300 numbers as columns of one matrix, or in a loop: the same values and the same gradient."""
    w = leaf(RNG(0).random((5, 300)))
    columns = tensor(RNG(1).random((300, 500)))
    (w @ columns).tanh().sum().backward()
    at_once, w.grad = w.grad, None
    sum((w @ columns[:, i]).tanh().sum() for i in range(500)).backward()
    close(w.grad, at_once.numpy(), rtol=1e-9)


def test_the_full_loss_counts_every_parameter():
    """−ln(e^f_y / Σ e^f_c), averaged, and λ Σ θ² over all parameters, biases included."""
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4)).double()
    x, y = RNG(0).standard_normal((7, 3)), RNG(1).integers(0, 4, 7)
    loss = nn.CrossEntropyLoss()(net(tensor(x)), tensor(y)) + nn.regularizers.L2(0.01, biases=True)(net)
    f = net(tensor(x)).detach().numpy()
    data = -np.log(np.exp(f)[np.arange(7), y] / np.exp(f).sum(1)).mean()
    close(loss, data + 0.01 * sum((p.detach().numpy() ** 2).sum() for p in net.parameters()))


# Batch normalization.


def test_batch_norm_backward_as_the_chapter_writes_it():
    """∂L/∂Z_ij = Σ_k ∂L/∂Ẑ_ik G_i / (K σ_i) (K [j = k] − 1 − (Z_ik − μ_i)(Z_ij − μ_i) / σ_i²), units in rows."""
    K, units = 5, 3
    layer = nn.BatchNorm1d(units, eps=0.0, dtype=autograd.float64)
    z, upstream = RNG(0).standard_normal((units, K)), RNG(1).standard_normal((units, K))
    with autograd.no_grad():
        layer.weight.copy_(tensor(RNG(2).standard_normal(units)))
        layer.bias.copy_(tensor(RNG(3).standard_normal(units)))
    inputs = leaf(z.T)
    out = layer(inputs)
    out.backward(tensor(upstream.T))
    G, B = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    mean, sigma = z.mean(1), z.std(1)
    bar = (z - mean[:, None]) / sigma[:, None]
    close(out, (G[:, None] * bar + B[:, None]).T)
    expected = np.zeros((units, K))
    for i in range(units):
        for j in range(K):
            for k in range(K):
                inner = K * (j == k) - 1 - (z[i, k] - mean[i]) * (z[i, j] - mean[i]) / sigma[i] ** 2
                expected[i, j] += upstream[i, k] * G[i] / (K * sigma[i]) * inner
    close(inputs.grad, expected.T)
    close(layer.bias.grad, upstream.sum(1))
    close(layer.weight.grad, (upstream * bar).sum(1))


def test_batch_norm_takes_back_any_scale_of_the_weights_before_it():
    layer, norm = nn.Linear(4, 3, dtype=autograd.float64), nn.BatchNorm1d(3, eps=1e-12, dtype=autograd.float64)
    x = tensor(RNG(0).standard_normal((20, 4)))
    before = norm(layer(x)).detach().numpy()
    with autograd.no_grad():
        layer.weight *= 1000
        layer.bias += 5
    close(norm(layer(x)), before, rtol=1e-6)
