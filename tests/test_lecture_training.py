"""What the lectures say of training, seen to happen: first weights, rates, momentum, adaptive steps, regularization."""

from __future__ import annotations

import numpy as np
import pytest
from lecture_forms import RNG, close, leaf, sigmoid
from scipy import stats

import autograd
import nn
import optim
from autograd import tensor


@pytest.fixture(autouse=True)
def seed():
    autograd.manual_seed(0)


# First weights.


def two_layers(fill, units=6, activation=nn.Tanh):
    net = nn.Sequential(nn.Linear(3, units), activation(), nn.Linear(units, 2)).double()
    for p in net.parameters():
        if p.ndim == 2:
            fill(p)
        else:
            nn.init.zeros_(p)
    return net


def trained(net, steps=20):
    x, y = tensor(RNG(0).standard_normal((10, 3))), tensor(RNG(1).integers(0, 2, 10))
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(net(x), y).backward()
        optimizer.step()
    return net


def test_weights_of_zero_are_a_saddle_point():
    """No weight has a gradient, only the output's bias; yet the Hessian has directions up and down."""
    net = trained(two_layers(nn.init.zeros_))
    assert all(not p.any() for name, p in net.named_parameters() if name != "2.bias")
    x, y = tensor(RNG(0).standard_normal((10, 3))), tensor(RNG(1).integers(0, 2, 10))
    bias = net[2].bias.detach()

    def loss(theta):
        w, u = theta[:3].reshape(1, 3), theta[3:].reshape(2, 1)
        return nn.CrossEntropyLoss()((x @ w.T).tanh() @ u.T + bias, y)

    zero = autograd.zeros(5, dtype=autograd.float64)
    close(autograd.grad(loss)(zero), 0)
    values = np.linalg.eigvalsh(autograd.hessian(loss)(zero).numpy())
    assert values[0] < -1e-3 and values[-1] > 1e-3


def test_units_that_start_alike_stay_alike():
    net = trained(two_layers(lambda w: nn.init.constant_(w, 0.5)))
    assert np.ptp(net[0].weight.detach().numpy(), axis=0).max() < 1e-14
    assert np.ptp(net[2].weight.detach().numpy(), axis=1).max() < 1e-14
    assert (net[0].weight - 0.5).abs().max().item() > 0.01
    random = trained(two_layers(lambda w: nn.init.normal_(w, std=0.1)))
    assert np.ptp(random[0].weight.detach().numpy(), axis=0).min() > 0.01


def deep(fill, layers=10, units=200, activation=nn.Tanh):
    """Deviations of the activations of each layer, and of the gradient that arrives at each."""
    autograd.manual_seed(0)
    a, states = autograd.randn(500, units), []
    for _ in range(layers):
        a = activation()(autograd.linear(a, fill(autograd.empty(units, units)))).requires_grad_()
        a.retain_grad()
        states.append(a)
    a.backward(autograd.randn(500, units))
    return [s.detach().numpy() for s in states], [s.grad.numpy().std() for s in states]


def test_weights_too_small_too_large_and_of_the_right_size():
    """Small ones let signals and gradients die, large ones saturate the units, 1/√n and Xavier's keep both alive."""
    small, gradients = deep(lambda w: nn.init.normal_(w, std=0.01))
    assert small[-1].std() < 1e-6 and gradients[0] < 1e-6
    large, _ = deep(lambda w: nn.init.normal_(w, std=1.0))
    assert (np.abs(large[-1]) > 0.99).mean() > 0.8
    for fill in (nn.init.lecun_normal_, nn.init.xavier_uniform_):
        good, gradients = deep(fill)
        assert 0.2 < good[-1].std() < 0.7 and (np.abs(good[-1]) > 0.99).mean() < 0.05
        assert 0.3 < gradients[0] / gradients[-1] < 3


def test_xavier_fills_the_interval_of_the_notes():
    w = nn.init.xavier_uniform_(autograd.empty(300, 100)).numpy()
    bound = np.sqrt(6) / np.sqrt(300 + 100)
    assert np.abs(w).max() <= bound and np.abs(w).max() > 0.999 * bound
    close(w.var(), 2 / (300 + 100), rtol=0.02)


def test_gradients_vanish_and_explode_with_depth_unless_a_path_leads_past():
    """Products of many small or large factors; what a layer adds to its input leaves a factor of 1."""
    first = {}
    for name, scale, skip in (("vanish", 0.5, False), ("explode", 8.0, False), ("past", 0.5, True)):
        autograd.manual_seed(0)
        x = autograd.randn(4, 50, requires_grad=True)
        a = x
        for _ in range(30):
            step = nn.Sigmoid()(a @ nn.init.normal_(autograd.empty(50, 50), std=scale / 50**0.5)) - 0.5
            a = a + step if skip else step
        a.sum().backward()
        first[name] = x.grad.norm().item()
    assert first["vanish"] < 1e-20 and 1 < first["past"] < 1e4
    autograd.manual_seed(0)
    x = autograd.randn(4, 50, requires_grad=True)
    a = x
    for _ in range(30):
        a = a @ nn.init.normal_(autograd.empty(50, 50), std=3 / 50**0.5)
    a.sum().backward()
    assert x.grad.norm().item() > 1e10
    nn.utils.clip_grad_norm_([x], 1.0)
    close(x.grad.norm().item(), 1.0, rtol=1e-5)


def test_a_saturated_unit_passes_no_gradient():
    for function in (nn.Sigmoid(), nn.Tanh(), nn.Hardtanh()):
        z = leaf([0.1, 40.0, -40.0])
        function(z).sum().backward()
        assert z.grad[0].item() > 0.2 and np.abs(z.grad.numpy()[1:]).max() < 1e-15


def test_inputs_from_sigmoids_give_all_weights_of_a_unit_gradients_of_one_sign():
    """Sigmoids are positive, so the signs are those of the unit's error; with tanh both signs come up."""
    signs = {}
    for function in (nn.Sigmoid, nn.Tanh):
        autograd.manual_seed(0)
        net = nn.Sequential(nn.Linear(5, 20), function(), nn.Linear(20, 3))
        net(autograd.randn(1, 5)).square().sum().backward()
        g = np.sign(net[2].weight.grad.numpy())
        signs[function] = np.abs(g.sum(1)) == 20
    assert signs[nn.Sigmoid].all() and not signs[nn.Tanh].any()


def test_a_dead_relu_stays_dead_and_a_leaky_one_does_not():
    x, y = autograd.rand(50, 4), autograd.ones(50, 1)
    for function, dies in ((nn.ReLU(), True), (nn.LeakyReLU(0.01), False)):
        net = nn.Sequential(nn.Linear(4, 1), function)
        nn.init.constant_(net[0].weight, 0.1)
        nn.init.constant_(net[0].bias, -10.0)
        before = [p.detach().numpy().copy() for p in net.parameters()]
        optimizer = optim.SGD(net.parameters(), lr=0.5)
        for _ in range(5):
            optimizer.zero_grad()
            nn.MSELoss()(net(x), y).backward()
            optimizer.step()
        still = [np.array_equal(p.detach().numpy(), b) for p, b in zip(net.parameters(), before, strict=True)]
        assert all(still) == dies == any(still)


def test_a_small_positive_bias_starts_every_relu_alive():
    layer = nn.Sequential(nn.Linear(20, 400), nn.ReLU())
    nn.init.normal_(layer[0].weight, std=1e-3)
    x, alive = autograd.randn(30, 20), {}
    for bias in (0.0, 0.01):
        nn.init.constant_(layer[0].bias, bias)
        alive[bias] = (layer(x).detach().numpy() > 0).mean()
    assert alive[0.0] < 0.6 and alive[0.01] > 0.95


# Stochastic gradient descent.


def test_sgd_neural_net_line_by_line():
    """The chapter's algorithm in NumPy, weights (m, n) and all, beside layers and an optimizer."""
    T = 40
    x, y = RNG(0).standard_normal((12, 3)), RNG(1).standard_normal((12, 2))
    order = RNG(2).integers(0, 12, T)
    net = nn.Sequential(nn.Linear(3, 5), nn.Sigmoid(), nn.Linear(5, 2)).double()
    for layer in (net[0], net[2]):
        nn.init.fan_in_normal_(layer.weight)
        nn.init.normal_(layer.bias)
    W = [layer.weight.detach().numpy().T.copy() for layer in (net[0], net[2])]
    W0 = [layer.bias.detach().numpy().copy() for layer in (net[0], net[2])]
    assert [w.shape for w in W] == [(3, 5), (5, 2)]
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    rates = optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    for t, i in enumerate(order):
        optimizer.zero_grad()
        loss = nn.MSELoss(reduction="sum")(net(tensor(x[i])), tensor(y[i]))
        loss.backward()
        optimizer.step()
        rates.step()

        A = [x[i]]
        Z = W[0].T @ A[0] + W0[0]
        A.append(sigmoid(Z))
        A.append(W[1].T @ A[1] + W0[1])
        close(loss, ((A[2] - y[i]) ** 2).sum(), rtol=1e-8)
        dZ = 2 * (A[2] - y[i])
        for layer in (1, 0):
            dA = W[layer] @ dZ
            W[layer] -= 0.5 / (1 + t) * np.outer(A[layer], dZ)
            W0[layer] -= 0.5 / (1 + t) * dZ
            dZ = dA * A[layer] * (1 - A[layer])
    close(net[0].weight, W[0].T, rtol=1e-8)
    close(net[2].bias, W0[1], rtol=1e-8)


def gradient(net, x, y):
    net.zero_grad()
    nn.MSELoss(reduction="sum")(net(x), y).backward()
    return np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])


def test_a_batch_has_the_sum_of_the_gradients_of_its_points():
    """One point is stochastic, all points are batch gradient descent, and mini-batches lie between."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    x, y = tensor(RNG(0).standard_normal((12, 3))), tensor(RNG(1).standard_normal((12, 1)))
    whole = gradient(net, x, y)
    for size in (1, 3, 5, 12):
        loader = nn.data.DataLoader(nn.data.TensorDataset(x, y), size, shuffle=True)
        close(sum(gradient(net, *batch) for batch in loader), whole)


def test_larger_batches_estimate_the_gradient_better():
    """The variance of the mean over k points goes as 1/k."""
    net = nn.Linear(3, 1, dtype=autograd.float64)
    x, y = tensor(RNG(0).standard_normal((4000, 3))), tensor(RNG(1).standard_normal((4000, 1)))
    spread = {}
    for size in (1, 16):
        loader = nn.data.DataLoader(
            nn.data.TensorDataset(x, y), size, shuffle=True, generator=autograd.Generator().manual_seed(0)
        )
        spread[size] = np.var([gradient(net, *batch) / size for batch in loader], axis=0).sum()
    assert 12 < spread[1] / spread[16] < 20


@pytest.mark.parametrize(("lr", "ends"), [(0.21, "far"), (0.19, "there"), (0.1, "there"), (1e-4, "on the way")])
def test_rates_too_large_diverge_and_too_small_hardly_move(lr, ends):
    """On a parabola of curvature 10 the rates up to 2/10 lead down."""
    w = leaf([3.0])
    optimizer = optim.SGD([w], lr=lr)
    for _ in range(200):
        optimizer.zero_grad()
        (5 * w * w).sum().backward()
        optimizer.step()
    distance = abs(w.item())
    assert {"far": distance > 1e6, "there": distance < 1e-6, "on the way": 2 < distance < 3}[ends]


# Momentum and running averages.


def walk(optimizer, w, gradients):
    for g in gradients:
        w.grad = tensor(g, dtype="float64")
        optimizer.step()
        yield w.detach().numpy().copy()


def test_both_forms_of_momentum_are_one():
    """V of rate η and M of rate η′ take the same steps where η = η′ (1 − γ)."""
    gradients, gamma, rate = RNG(0).standard_normal((30, 4)), 0.9, 0.2
    v, m = leaf(np.zeros(4)), leaf(np.zeros(4))
    velocity = optim.SGD([v], lr=rate * (1 - gamma), momentum=gamma, form="velocity")
    average = optim.SGD([m], lr=rate, momentum=gamma, form="average")
    for a, b in zip(walk(velocity, v, gradients), walk(average, m, gradients), strict=True):
        close(a, b)


def test_momentum_remembers_each_gradient_by_a_power():
    """update_t = Σ γ^(t − k) η ∇w_k."""
    gradients, gamma, lr = RNG(0).standard_normal((8, 3)), 0.7, 0.1
    w = leaf(np.zeros(3))
    points = [np.zeros(3), *walk(optim.SGD([w], lr=lr, momentum=gamma, form="velocity"), w, gradients)]
    for t in range(1, 9):
        close(points[t - 1] - points[t], sum(gamma ** (t - k) * lr * gradients[k - 1] for k in range(1, t + 1)))


def test_momentum_grows_where_signs_agree_and_cancels_where_they_alternate():
    w = leaf([0.0, 0.0])
    gradients = [[1.0, (-1.0) ** t] for t in range(200)]
    *_, before, last = walk(optim.SGD([w], lr=1.0, momentum=0.9, form="velocity"), w, gradients)
    close(np.abs(last - before), [1 / (1 - 0.9), 1 / (1 + 0.9)], rtol=1e-6)


def test_momentum_may_rise_when_training_has_settled():
    w = leaf([0.0])
    optimizer = optim.SGD([w], lr=1.0, momentum=lambda t: 0.5 if t < 4 else 0.9, form="velocity")
    velocity, position = 0.0, 0.0
    for t, point in enumerate(walk(optimizer, w, [[1.0]] * 6), 1):
        velocity = (0.5 if t < 4 else 0.9) * velocity + 1.0
        position -= velocity
        close(point, [position])


def test_running_averages():
    """With γ = (t − 1)/t the average is the plain mean; with a constant γ what came last weighs most."""
    gradients = RNG(0).standard_normal((7, 2))
    for momentum, expected in (
        (optim.plain_mean, gradients.mean(0)),
        (0.8, sum(0.8 ** (7 - t) * 0.2 * g for t, g in enumerate(gradients, 1))),
    ):
        w = leaf(np.zeros(2))
        *_, before, last = walk(optim.SGD([w], lr=1.0, momentum=momentum, form="average"), w, gradients)
        close(before - last, expected)


def test_adams_corrected_average_is_a_running_average():
    """m / (1 − βᵗ) is the running average whose γ is (β − βᵗ) / (1 − βᵗ)."""
    gradients, beta = RNG(0).standard_normal((9, 2)), 0.9
    w = leaf(np.zeros(2))
    optimizer = optim.SGD([w], lr=1.0, momentum=lambda t: (beta - beta**t) / (1 - beta**t), form="average")
    points, m = [np.zeros(2), *walk(optimizer, w, gradients)], np.zeros(2)
    for t, g in enumerate(gradients, 1):
        m = beta * m + (1 - beta) * g
        close(points[t - 1] - points[t], m / (1 - beta**t))


def test_the_rate_falls_when_validation_stalls():
    """Divided by 2 or by 10 after more than two epochs without progress, and not while there is some."""
    losses = [5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 2.0, 2.0, 2.0, 2.0]
    for factor in (0.5, 0.1):
        optimizer = optim.SGD([leaf([0.0])], lr=1.0)
        schedule, rates = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=2), []
        for loss in losses:
            schedule.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        close(rates, [1.0] * 5 + [factor] * 4 + [factor**2])


# Adaptive steps.


def steps_of(optimizer_of, gradients):
    w = leaf(np.zeros(np.shape(gradients)[1]))
    points = [np.zeros(np.shape(gradients)[1]), *walk(optimizer_of([w]), w, gradients)]
    return np.abs(np.diff(points, axis=0))


def test_adagrad_takes_larger_steps_for_what_is_rarely_updated():
    """Of two parameters with gradients of one size, the one that had few has the larger rate now."""
    gradients = [[1.0, float(t % 10 == 0)] for t in range(101)]
    often, seldom = steps_of(lambda p: optim.Adagrad(p, lr=1.0, eps=1e-8, eps_inside_root=True), gradients)[-1]
    close([often, seldom], [1 / np.sqrt(101), 1 / np.sqrt(11)], rtol=1e-6)


def test_adagrad_slows_down_for_good_and_rmsprop_recovers():
    """After large gradients, small ones move Adagrad less and less, RMSProp in the end as before."""
    gradients = [[10.0]] * 20 + [[0.1]] * 400
    adagrad = steps_of(lambda p: optim.Adagrad(p, lr=0.1), gradients)[:, 0]
    rmsprop = steps_of(lambda p: optim.RMSprop(p, lr=0.1, alpha=0.9), gradients)[:, 0]
    assert (np.diff(adagrad) < 0).all() and adagrad[-1] < 1e-3
    assert rmsprop[20] < 0.01 and abs(rmsprop[-1] - 0.1) < 1e-6


def test_adams_correction_takes_the_bias_out():
    """The averages of a constant gradient are corrected to it from the first step on; uncorrected they start small."""
    gradients = [[3.0, -0.02]] * 10
    close(steps_of(lambda p: optim.Adam(p, lr=0.1), gradients), 0.1, rtol=1e-5)
    plain = steps_of(lambda p: optim.Adam(p, lr=0.1, bias_correction=False, betas=(0.9, 0.999)), gradients)
    t = np.arange(1, 11)[:, None]
    close(plain, 0.1 * (1 - 0.9**t) / np.sqrt(1 - 0.999**t) * [1, 1], rtol=1e-4)


def test_decay_apart_from_the_adaptive_step_is_not_decay_within_it():
    """Under Adam an L2 penalty is scaled with the gradient, and AdamW shrinks by the same factor everywhere."""
    start, large, small = np.ones(2), 100.0, 0.01
    ends = {}
    for name, make in (("L2", optim.Adam), ("apart", optim.AdamW)):
        shrunk = []
        for decay in (0.0, 0.1):
            w = leaf(start)
            *_, last = walk(make([w], lr=1e-3, weight_decay=decay), w, [[large, small], [-large, -small]] * 50)
            shrunk.append(last)
        ends[name] = shrunk[0] - shrunk[1]
    close(ends["apart"], 1 - (1 - 1e-4) ** 100, rtol=0.05)
    assert ends["L2"][1] > 10 * ends["L2"][0]


# Regularization.


def test_the_penalty_is_a_gaussian_prior():
    """λ Σ w² is −ln of a normal density of variance 1/(2λ), but for a constant."""
    a, b, penalty = nn.Linear(3, 2), nn.Linear(3, 2), nn.regularizers.L2(0.7)
    prior = stats.norm(0, np.sqrt(1 / 1.4))
    first, second = (-prior.logpdf(layer.weight.detach().numpy()).sum() for layer in (a, b))
    close(penalty(a).item() - penalty(b).item(), first - second, rtol=1e-5)


def test_square_loss_is_the_likelihood_of_a_fixed_variance():
    target, variance = tensor(RNG(0).standard_normal(6)), 0.3
    guesses = [leaf(np.zeros(6)) for _ in range(2)]
    nn.MSELoss()(guesses[0], target).backward()
    nn.GaussianNLLLoss()(guesses[1], target, tensor([variance] * 6, dtype="float64")).backward()
    close(guesses[1].grad, guesses[0].grad.numpy() / (2 * variance))


def test_hinge_and_squared_norm_find_the_widest_margin():
    """Of all lines between the points, the one in the middle of the nearest two."""
    x = np.array([[1.0, 0.5], [-1.0, -0.5], [3.0, -1.0], [-2.0, 0.0], [0.5, 3.0], [-1.0, -2.0]])
    labels = tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0], dtype="float64")
    layer, loss, penalty = nn.Linear(2, 1, dtype=autograd.float64), nn.HingeLoss(), nn.regularizers.L2(0.1)
    optimizer = optim.SGD(layer.parameters(), lr=0.5)
    rates = optim.lr_scheduler.InverseTimeLR(optimizer, k=0.1)
    for _ in range(2000):
        optimizer.zero_grad()
        (loss(layer(tensor(x))[:, 0], labels) + penalty(layer)).backward()
        optimizer.step()
        rates.step()
    close(layer.weight[0], 2 * (x[0] - x[1]) / ((x[0] - x[1]) ** 2).sum(), rtol=0, atol=0.01)
    close(layer.bias, 0, atol=0.01)


def test_the_lasso_makes_weights_zero_and_ridge_only_small():
    """Around the best w of the data, L1 leaves what is below λ at 0 and L2 shrinks all by one factor."""
    best, strength = np.array([1.5, 0.3, -0.05]), 0.4
    for penalty, expected in (
        (nn.regularizers.L1(strength), np.sign(best) * np.maximum(np.abs(best) - strength, 0)),
        (nn.regularizers.L2(strength), best / (1 + 2 * strength)),
    ):
        model = nn.Linear(3, 1, bias=False, dtype=autograd.float64)
        optimizer = optim.SGD(model.parameters(), lr=0.2)
        rates = optim.lr_scheduler.InverseTimeLR(optimizer, k=0.1)
        for _ in range(3000):
            optimizer.zero_grad()
            ((model.weight - tensor(best)).square().sum() / 2 + penalty(model)).backward()
            optimizer.step()
            rates.step()
        close(model.weight[0], expected, rtol=0, atol=2e-3)


def test_the_step_of_weight_decay_shrinks_first():
    """w (1 − η λ) − η ∇L."""
    w, g = RNG(0).standard_normal((2, 5))
    p = leaf(w)
    (last,) = walk(optim.SGD([p], lr=0.1, weight_decay=0.3), p, [g])
    close(last, w * (1 - 0.1 * 0.3) - 0.1 * g)


def test_soft_targets():
    """Of ten classes the right one is to get 1 − ε and each other ε/9: there the loss is least, and not further out."""
    epsilon, right = 0.1, 2
    p = np.full(10, epsilon / 9)
    p[right] = 1 - epsilon
    loss, target = nn.SoftTargetLoss(epsilon), tensor([right])
    z = leaf(np.log(p)[None])
    value = loss(z, target)
    close(value, -(p * np.log(p)).sum())
    value.backward()
    close(z.grad, 0)
    surer = leaf(np.eye(10)[right][None] * 20)
    assert loss(surer, target).item() > value.item() and nn.CrossEntropyLoss()(surer, target).item() < 1e-6


def test_the_whole_network_is_the_mean_of_the_thinned_ones():
    """Of a linear output, over all 2ⁿ sets of units that may be kept, each with its probability."""
    n, p = 6, 0.3
    h, w = RNG(0).standard_normal(n), RNG(1).standard_normal((n, 2))
    kept = np.array([[k >> i & 1 for i in range(n)] for k in range(2**n)])
    chances = np.prod(np.where(kept, 1 - p, p), axis=1)
    layer = nn.Dropout(p)
    close(layer.eval()(tensor(h)) @ tensor(w), chances @ ((kept * h / (1 - p)) @ w))
    seen = (layer.train()(autograd.ones(20_000, n)).numpy() != 0) @ 2 ** np.arange(n)
    close(np.bincount(seen, minlength=2**n) / 20_000, chances, rtol=0, atol=0.01)


def test_word_vectors_that_are_trained_leave_the_others_behind():
    """Three words start with one vector; the one that training does not see stays, and is told wrongly afterwards."""
    television, telly, tv, other = range(4)
    start = tensor([[1.0, 0.0], [1.0, 0.05], [1.0, -0.05], [-1.0, 0.0]])
    for freeze in (False, True):
        autograd.manual_seed(0)
        words = nn.Embedding.from_pretrained(start.clone(), freeze=freeze, sparse=not freeze)
        output = nn.Linear(2, 1)
        with autograd.no_grad():
            output.weight.copy_(tensor([[-1.5, 0.0]]))
        groups = [{"params": output.parameters()}, *([] if freeze else [{"params": words.parameters(), "lr": 1.0}])]
        optimizer = optim.SGD(groups, lr=0.05)
        for _ in range(300):
            optimizer.zero_grad()
            scores = output(words(tensor([telly, tv, other])))[:, 0]
            nn.BCEWithLogitsLoss()(scores, tensor([1.0, 1.0, 0.0])).backward()
            optimizer.step()
        moved = (words.weight.detach() - start).norm(dim=1)
        said = (output(words(tensor([television, telly, tv])))[:, 0] > 0).tolist()
        assert moved[television].item() == 0 and (moved[telly].item() > 0.3) != freeze
        assert said == [freeze, True, True]
