"""What the op table cannot say of ``nn.functional``: randomness, running moments, in-place forms, far-out values."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd import Generator, GraphError, tensor
from autograd.backends.numpy_normal import normal_cdf

IN_PLACE = {
    "relu": (),
    "elu": (1.5,),
    "selu": (),
    "celu": (2.0,),
    "leaky_relu": (0.2,),
    "hardtanh": (-0.5, 0.7),
    "threshold": (0.3, 2.0),
    "relu6": (),
    "silu": (),
    "mish": (),
    "hardsigmoid": (),
    "hardswish": (),
    "rrelu": (0.1, 0.3),
}
VALUES = [-2.0, -0.4, 0.5, 1.5]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_forms_give_the_same_value_and_gradient(name):
    function, args = getattr(F, name), IN_PLACE[name]
    x = tensor(VALUES, dtype="float64", requires_grad=True)
    want = function(x * 1, *args)
    (gradient,) = ag.grad(want.square().sum(), x)
    forms = [lambda y: function(y, *args, inplace=True)]
    if hasattr(F, f"{name}_"):
        forms.append(lambda y: getattr(F, f"{name}_")(y, *args))
    for form in forms:
        y = x * 1
        assert form(y) is y
        np.testing.assert_array_equal(y.detach().numpy(), want.detach().numpy())
        np.testing.assert_allclose(ag.grad(y.square().sum(), x)[0].numpy(), gradient.numpy(), rtol=1e-14)


def test_in_place_dropout():
    x = ag.ones(1000, requires_grad=True)
    y = x * 1
    assert F.dropout(y, 0.25, inplace=True) is y
    (g,) = ag.grad(y.sum(), x)
    np.testing.assert_array_equal(g.numpy(), y.detach().numpy())


def test_dropout_keeps_the_expectation_and_passes_the_gradient_of_what_it_kept():
    x = ag.ones(200, 100, requires_grad=True)
    y = F.dropout(x, 0.3, generator=Generator().manual_seed(0))
    values = set(np.unique(y.detach().numpy()).tolist())
    assert values == {0.0, float(np.float32(1 / 0.7))}
    assert abs(y.mean().item() - 1) < 0.02
    (g,) = ag.grad(y.sum(), x)
    np.testing.assert_array_equal(g.numpy(), y.detach().numpy())
    again = F.dropout(x, 0.3, generator=Generator().manual_seed(0))
    np.testing.assert_array_equal(again.detach().numpy(), y.detach().numpy())


def test_dropout_that_does_nothing_or_everything():
    x = ag.ones(4)
    for name in ("dropout", "alpha_dropout"):
        function = getattr(F, name)
        assert function(x, 0.5, False) is x
        assert function(x, 0.0, True) is x
        assert function(x, 1.0, True).tolist() == [0.0] * 4


@pytest.mark.parametrize(("name", "spatial"), [("dropout1d", 1), ("dropout2d", 2), ("dropout3d", 3)])
def test_dropout_of_channels_leaves_out_whole_channels(name, spatial):
    for lead in ((4, 50), (50,)):
        y = getattr(F, name)(ag.ones(*lead, *[3] * spatial), 0.5).numpy()
        channels = y.reshape(math.prod(lead), -1)
        assert all(len(set(c.tolist())) == 1 for c in channels)
        assert set(np.unique(y).tolist()) == {0.0, 2.0}


def test_alpha_dropout_keeps_mean_and_variance():
    x = ag.randn(400, 500, generator=Generator().manual_seed(1))
    for function in (F.alpha_dropout, F.feature_alpha_dropout):
        y = function(x, 0.3, True, generator=Generator().manual_seed(2))
        assert abs(y.mean().item()) < 0.02
        assert abs(y.std().item() - 1) < 0.02


def test_rrelu_draws_a_slope_for_each_entry():
    x = tensor([-1.0] * 1000 + [2.0] * 10, requires_grad=True)
    y = F.rrelu(x, 0.2, 0.4, training=True, generator=Generator().manual_seed(0))
    slopes = -y.detach().numpy()[:1000]
    assert 0.2 <= slopes.min() < 0.21 and 0.39 < slopes.max() <= 0.4
    assert (y.detach().numpy()[1000:] == 2).all()
    np.testing.assert_allclose(ag.grad(y.sum(), x)[0].numpy()[:1000], slopes)


def test_gumbel_softmax_samples_in_proportion_to_the_probabilities():
    probabilities = np.array([0.5, 0.3, 0.2])
    logits = tensor(np.tile(np.log(probabilities), (20000, 1)), requires_grad=True)
    hard = F.gumbel_softmax(logits, hard=True, generator=Generator().manual_seed(0))
    rows = hard.detach().numpy()
    assert np.allclose(np.sort(rows, 1), [0, 0, 1])
    np.testing.assert_allclose(rows.mean(0), probabilities, atol=0.015)
    soft = F.gumbel_softmax(logits, tau=0.5, generator=Generator().manual_seed(0))
    np.testing.assert_allclose(soft.detach().numpy().sum(1), 1, rtol=1e-6)
    weights = tensor([1.0, 2.0, 4.0], dtype="float64")
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True, generator=Generator().manual_seed(0))
    (of_hard,), (of_soft,) = (ag.grad((y * weights).sum(), logits) for y in (hard, soft))
    np.testing.assert_allclose(of_hard.numpy(), of_soft.numpy())


def moments():
    return ag.zeros(3), ag.ones(3)


def test_batch_norm_follows_the_batches_with_unbiased_variance():
    x = np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float32) * 3 + 1
    mean, variance = moments()
    places = mean.numpy(), variance.numpy()
    F.batch_norm(tensor(x), mean, variance, training=True, momentum=0.3)
    np.testing.assert_allclose(mean.numpy(), 0.3 * x.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance.numpy(), 0.7 + 0.3 * x.var((0, 2), ddof=1), rtol=1e-5)
    assert mean.numpy() is places[0] and variance.numpy() is places[1]
    before = mean.numpy().copy()
    F.batch_norm(tensor(x), mean, variance)
    np.testing.assert_array_equal(mean.numpy(), before)
    mean, variance = moments()
    F.instance_norm(tensor(x), mean, variance, momentum=0.3)
    np.testing.assert_allclose(mean.numpy(), 0.3 * x.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance.numpy(), 0.7 + 0.3 * x.var(2, ddof=1).mean(0), rtol=1e-5)


def test_batch_norm_with_running_moments_has_the_gradients_of_one_without():
    x = ag.randn(4, 3, 5, dtype="float64", requires_grad=True)
    weight = ag.randn(3, dtype="float64", requires_grad=True)
    u = ag.randn(4, 3, 5, dtype="float64")
    results = []
    for running in ((None, None), tuple(m.double() for m in moments())):
        y = F.batch_norm(x, *running, weight, training=True)
        first = ag.grad((y * u).sum(), (x, weight), create_graph=True)
        results.append([y, *first, *ag.grad(first[0].square().sum(), (x, weight))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.reference
def test_running_moments_are_pytorchs():
    import torch

    x = np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float32) * 3 + 1
    for name in ("batch_norm", "instance_norm"):
        ours, theirs = moments(), (torch.zeros(3), torch.ones(3))
        words = {"training": True} if name == "batch_norm" else {}
        for _ in range(3):
            y = getattr(F, name)(tensor(x), *ours, momentum=0.2, **words)
            z = getattr(torch.nn.functional, name)(torch.tensor(x), *theirs, momentum=0.2, **words)
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-4, atol=1e-5)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_layer_norm_survives_that_its_result_is_changed_in_place():
    x = ag.randn(3, 4, dtype="float64", requires_grad=True)
    (want,) = ag.grad((F.layer_norm(x, (4,)) + 1).square().sum(), x)
    y = F.layer_norm(x, (4,))
    y += 1
    np.testing.assert_allclose(ag.grad(y.square().sum(), x)[0].numpy(), want.numpy(), rtol=1e-12)


def test_attention_where_a_query_may_look_nowhere_gives_zeros_and_no_gradient():
    q, k, v = (ag.randn(2, 3, requires_grad=True) for _ in range(3))
    y = F.scaled_dot_product_attention(q, k, v, tensor([[True, True], [False, False]]))
    assert y[1].tolist() == [0.0, 0.0, 0.0]
    (g,) = ag.grad(y.sum(), q)
    assert np.isfinite(g.numpy()).all() and not g.numpy()[1].any()


def test_attention_with_dropout_leaves_out_weights():
    q, k = ag.zeros(1, 2), ag.zeros(1000, 2)
    y = F.scaled_dot_product_attention(q, k, ag.ones(1000, 1), dropout_p=0.5, generator=Generator().manual_seed(0))
    assert abs(y.item() - 1) < 0.1 and y.item() != 1
    same = F.scaled_dot_product_attention(q, k, ag.ones(1000, 1), dropout_p=0.5, generator=Generator().manual_seed(0))
    assert same.item() == y.item()


def test_embedding_scales_long_rows_down_in_place():
    weight = tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    y = ag.embedding(tensor([[0, 1], [0, 0]]), weight, max_norm=1.0)
    want = [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]]
    np.testing.assert_allclose(weight.numpy(), want, rtol=1e-6)
    np.testing.assert_allclose(y.numpy(), np.array(want)[[[0, 1], [0, 0]]], rtol=1e-6)
    with pytest.raises(GraphError, match="leaf"):
        weight.requires_grad_()[0] *= 2
    ag.embedding(tensor([2]), weight, max_norm=1.0).sum().backward()
    np.testing.assert_allclose(weight.detach().numpy()[2], [0.6, 0.8], rtol=1e-6)
    assert weight.grad.tolist() == [[0, 0], [0, 0], [1, 1]]


def test_losses_far_out():
    p, t = tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True), tensor([1.0, 0.0, 0.0, 1.0])
    loss = F.binary_cross_entropy(p, t, reduction="none")
    assert loss.tolist() == [100.0, 100.0, 0.0, 0.0]
    assert np.isfinite(ag.grad(loss.sum(), p)[0].numpy()).all()
    x = tensor([1000.0, -1000.0, 1000.0], requires_grad=True)
    t = tensor([0.0, 1.0, 1.0])
    for weight in (None, tensor(1.0)):
        loss = F.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=weight)
        assert loss.tolist() == [1000.0, 1000.0, 0.0]
        assert ag.grad(loss.sum(), x)[0].tolist() == [1.0, -1.0, 0.0]
    p = tensor([[0.0, 1.0]], requires_grad=True)
    assert np.isfinite(ag.grad(F.kl_div(tensor([[-1.0, -2.0]]), p, reduction="sum"), p)[0].numpy()).all()


def test_gelu_in_float32_is_as_exact_as_the_number_format():
    from scipy.special import ndtr

    x = np.concatenate([np.linspace(-9, 9, 100_001), [-1e30, -50, 0.0, 50, 1e30]]).astype(np.float32)
    np.testing.assert_allclose(ag.gelu(tensor(x[:-5])).numpy(), x[:-5] * ndtr(x[:-5].astype(np.float64)), atol=1e-6)
    np.testing.assert_allclose(normal_cdf(x), ndtr(x.astype(np.float64)), atol=2.1e-7)
    np.testing.assert_array_equal(np.isnan(normal_cdf(np.full(300, np.nan, np.float32))), True)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus", "logsigmoid", "elu", "selu", "celu", "softsign"])
def test_activations_far_out(name):
    x = tensor([-1e4, -200.0, 200.0, 1e4], requires_grad=True)
    y = getattr(F, name)(x)
    assert np.isfinite(y.detach().numpy()).all()
    assert np.isfinite(ag.grad(y.sum(), x)[0].numpy()).all()


KINKS = {
    "hardtanh": [-1.0, 1.0],
    "relu6": [0.0, 6.0],
    "hardsigmoid": [-3.0, 3.0],
    "hardswish": [-3.0, 3.0],
    "leaky_relu": [0.0],
    "elu": [0.0],
    "selu": [0.0],
    "celu": [0.0],
    "hardshrink": [-0.5, 0.5],
    "softshrink": [-0.5, 0.5],
    "softsign": [0.0],
    "logsigmoid": [0.0],
    "rrelu": [0.0],
}


@pytest.mark.reference
@pytest.mark.parametrize("name", KINKS)
def test_kinks_are_pytorchs(name):
    import torch

    x, z = tensor(KINKS[name], requires_grad=True), torch.tensor(KINKS[name], requires_grad=True)
    y, w = getattr(F, name)(x), getattr(torch.nn.functional, name)(z)
    y.sum().backward()
    w.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), w.detach().numpy(), atol=1e-7)
    np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-6)


# PyTorch's deprecated words, and what stands only for its own machinery.
LEFT_OUT = {"size_average", "reduce", "_stacklevel"}


@pytest.mark.reference
@pytest.mark.parametrize("name", sorted(set(F.__all__) - {"check_reduction"}))
def test_signatures_are_pytorchs(name):
    import torch

    try:
        theirs = inspect.signature(getattr(torch.nn.functional, name)).parameters
        ours = inspect.signature(getattr(F, name)).parameters
    except ValueError:  # written in C++, it does not tell
        return
    if "args" in theirs or "args" in ours:
        return
    wanted = [n for n in theirs if n not in LEFT_OUT]
    got = [n for n in ours if n in wanted]
    if wanted[:1] != ["input"] or "x" not in ours:
        assert got == wanted
    for n in got:
        assert ours[n].default == theirs[n].default, n
