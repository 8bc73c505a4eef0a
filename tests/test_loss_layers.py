"""What the table of layers cannot say of losses: empty batches, NaN, extremes, fits to data, PyTorch's own habits."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from scipy import stats

import autograd
import nn
import nn.functional as F
from autograd import tensor

EMPTY, NONE = (0, 3), (0,)


def empty(shape, dtype=autograd.float32):
    return autograd.zeros(*shape, dtype=dtype)


EMPTY_BATCHES = {
    **{
        name: lambda: (empty(EMPTY), empty(EMPTY))
        for name in (
            "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
            "PoissonNLLLoss", "HingeEmbeddingLoss", "SoftMarginLoss", "MultiLabelSoftMarginLoss", "HingeLoss",
            "MaxMarginLoss", "MulticlassNLLLoss",
        )
    },
    **{
        name: lambda: (empty(EMPTY), empty(NONE, autograd.int64))
        for name in ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss")
    },
    **{
        name: lambda: (empty(EMPTY), empty(EMPTY), empty(EMPTY))
        for name in ("GaussianNLLLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss", "HeteroscedasticLoss")
    },
    "MarginRankingLoss": lambda: (empty(NONE), empty(NONE), empty(NONE)),
    "CosineEmbeddingLoss": lambda: (empty(EMPTY), empty(EMPTY), empty(NONE)),
    "MultiLabelMarginLoss": lambda: (empty(EMPTY), empty(EMPTY, autograd.int64)),
    "MixtureDensityLoss": lambda: (empty((0, 2)), empty((0, 2, 1)), empty((0, 2, 1)), empty((0, 1))),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY_BATCHES)
def test_the_mean_of_nothing_is_nan_and_the_sum_zero(name):
    """As in PyTorch; that no warning of NumPy's escapes is checked too, since in tests warnings are errors."""
    inputs = EMPTY_BATCHES[name]()
    inputs[0].requires_grad_()
    loss = getattr(nn, name)()(*inputs)
    assert math.isnan(loss.item())
    loss.backward()
    assert inputs[0].grad.shape == inputs[0].shape
    assert getattr(nn, name)(reduction="sum")(*inputs).item() == 0
    assert getattr(nn, name)(reduction="none")(*inputs).numel() == 0


@pytest.mark.parametrize("make", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_a_batch_of_ignored_rows_is_nan_without_gradient(make):
    x = autograd.zeros(2, 3, requires_grad=True)
    loss = make()(x, tensor([-100, -100]))
    assert math.isnan(loss.item())
    loss.backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_nan_flows_through():
    x, y = tensor([float("nan"), 1.0]), tensor([1.0, 1.0])
    for loss in (nn.MSELoss(), nn.HuberLoss(), nn.SoftMarginLoss(), nn.HingeLoss(), nn.BCEWithLogitsLoss()):
        assert math.isnan(loss(x, y).item()), loss


def test_a_reduction_that_there_is_not_is_refused_when_the_loss_is_made():
    for name in nn.__all__:
        cls = getattr(nn, name)
        if name.endswith("Loss") and "reduction" in inspect.signature(cls).parameters:
            given = {"SoftTargetLoss": (0.1,), "LinearCrossEntropyLoss": (2, 2)}.get(name, ())
            with pytest.raises(ValueError, match=rf"{name}: reduction must be .*'mean', 'sum' or 'none', got 'avg'"):
                cls(*given, reduction="avg")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SmoothL1Loss(beta=-1.0), "SmoothL1Loss: beta must be at least 0, got -1.0"),
        (lambda: nn.HuberLoss(delta=0.0), "HuberLoss: delta must be above 0, got 0.0"),
        (lambda: nn.MultiMarginLoss(p=3), "MultiMarginLoss: p must be 1 or 2, got 3"),
        (lambda: nn.MultiMarginLoss(weight=autograd.ones(1, 3)), r"MultiMarginLoss: weight must be \(C,\), got shape"),
        (lambda: nn.TripletMarginLoss(margin=0.0), "TripletMarginLoss: margin must be above 0, got 0.0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=-1.0), "TripletMarginWithDistanceLoss: margin must be above"),
        (lambda: nn.SoftTargetLoss(1.0), "SoftTargetLoss: epsilon must be at least 0 and below 1, got 1.0"),
        (lambda: nn.MixtureDensity(2, 1, 0), "MixtureDensity: num_components must be at least 1, got 0"),
        (lambda: nn.MixtureDensity(2, 1, 2, "tied"), "MixtureDensity: covariance must be 'diagonal' or 'full'"),
        (lambda: nn.MixtureDensity(2, 1, 2, min_scale=-1.0), "MixtureDensity: min_scale must not be negative"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 6, [4, 2]), "AdaptiveLogSoftmaxWithLoss: cutoffs must be ascending"),
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 6, [6]),
            "cutoffs must be ascending ints from 1 to n_classes - 1 = 5",
        ),
        (lambda: nn.LinearCrossEntropyLoss(4, 3, weight=autograd.ones(4)), r"weight must have shape \(3,\)"),
        (lambda: nn.LinearCrossEntropyLoss(4, 3, label_smoothing=2.0), "label_smoothing must be within 0 and 1"),
        (lambda: nn.LinearCrossEntropyLoss(4, 3, options=object()), "options are not supported"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_weight_that_would_enlarge_the_losses_is_refused():
    ones = autograd.ones(3, 1)
    for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.multilabel_soft_margin_loss):
        with pytest.raises(autograd.ShapeError, match=r"weight of shape \(3,\) does not broadcast.*\(3, 1\).*\(3, 3\)"):
            loss(ones, ones, weight=autograd.ones(3))
        with pytest.raises(autograd.DTypeError, match="weight must be a Tensor"):
            loss(ones, ones, weight=[1.0])


def test_two_class_and_multiclass_likelihoods_are_one():
    """The study question: for two classes the loss of many is that of two."""
    p, t = tensor([0.2, 0.9, 0.5]), tensor([0.0, 1.0, 1.0])
    many = nn.MulticlassNLLLoss("none")(autograd.stack([p, 1 - p], 1), autograd.stack([t, 1 - t], 1))
    np.testing.assert_allclose(many.numpy(), nn.BCELoss(reduction="none")(p, t).numpy(), rtol=1e-6)


def test_nothing_is_lost_where_the_guess_is_0_and_nothing_was_to_be_guessed():
    p = tensor([[1.0, 0.0]], requires_grad=True)
    loss = nn.MulticlassNLLLoss()(p, tensor([[1.0, 0.0]]))
    loss.backward()
    assert loss.item() == 0
    np.testing.assert_array_equal(p.grad.numpy(), [[-1, 0]])


def test_hinge_loss_trains_a_separator():
    """A support vector machine on separable points ends with every margin at 1 or more."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 2))
    x = x[np.abs(x @ [2.0, -1.0] + 0.5) > 0.4]
    labels = np.sign(x @ [2.0, -1.0] + 0.5)
    autograd.manual_seed(0)
    layer, loss = nn.Linear(2, 1).double(), nn.HingeLoss()
    for _ in range(3000):
        layer.zero_grad()
        loss(layer(tensor(x)).squeeze(-1), tensor(labels)).backward()
        with autograd.no_grad():
            for p in layer.parameters():
                p -= 0.5 * p.grad
    assert (layer(tensor(x)).detach().numpy()[:, 0] * labels > 0.99).all()


def test_mixture_loss_neither_overflows_nor_underflows():
    """Targets 10⁴ standard deviations away, where the density itself is 0 in every floating dtype."""
    for dtype in (autograd.float32, autograd.float64):
        inputs = [
            tensor([[0.0, 0.0]], dtype=dtype),
            tensor([[[0.0], [1.0]]], dtype=dtype),
            tensor([[[1.0], [1.0]]], dtype=dtype),
        ]
        for x in inputs:
            x.requires_grad_()
        loss = nn.MixtureDensityLoss()(*inputs, tensor([[1e4]], dtype=dtype))
        loss.backward()
        # The nearer component bears it all: (10⁴ − 1)² / 2 + ln 2 + ln √2π.
        np.testing.assert_allclose(loss.item(), (1e4 - 1) ** 2 / 2 + math.log(2) + math.log(2 * math.pi) / 2, rtol=1e-6)
        np.testing.assert_allclose(inputs[1].grad.numpy()[0, :, 0], [0, -(1e4 - 1)], rtol=1e-6)


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_mixture_head_gives_weights_that_add_to_1_and_proper_covariances(covariance):
    autograd.manual_seed(0)
    head = nn.MixtureDensity(4, 3, 2, covariance=covariance, min_scale=0.5)
    log_weights, means, scales = head(100 * autograd.random.randn(6, 4))
    np.testing.assert_allclose(log_weights.exp().sum(-1).detach().numpy(), 1, rtol=1e-5)
    assert means.shape == (6, 2, 3)
    if covariance == "full":
        factors = scales.detach().numpy()
        assert factors.shape == (6, 2, 3, 3)
        np.testing.assert_array_equal(factors, np.tril(factors))
        assert (np.abs(np.tril(factors, -1)).max((0, 1))[np.tril_indices(3, -1)] > 0).all()
        deviations = np.diagonal(factors, 0, -2, -1)
    else:
        deviations = scales.detach().numpy()
    assert deviations.min() >= 0.5


def test_mixture_head_finds_both_branches():
    """Targets of ±1 for one and the same input: a mean of 0 fits none, a mixture finds both."""
    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    targets = tensor(rng.choice([-1.0, 1.0], (200, 1)) + 0.1 * rng.standard_normal((200, 1)))
    head, loss = nn.MixtureDensity(1, 1, 2).double(), nn.MixtureDensityLoss()
    x = autograd.ones(200, 1, dtype=autograd.float64)
    for _ in range(1500):
        head.zero_grad()
        value = loss(*head(x), targets)
        value.backward()
        with autograd.no_grad():
            for p in head.parameters():
                p -= 0.02 * p.grad
    log_weights, means, _ = (part[0].detach().numpy() for part in head(x))
    np.testing.assert_allclose(sorted(means[:, 0]), [-1, 1], atol=0.1)
    np.testing.assert_allclose(np.exp(log_weights), 0.5, atol=0.1)
    alone = stats.norm(0, 1).logpdf(targets.numpy()).mean()
    assert value.item() < -alone - 0.5


@pytest.mark.reference
def test_adaptive_softmax_predicts_and_sums_as_pytorch():
    import torch

    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0).double()
    ours = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((40, 8))
    log_probs = ours.log_prob(tensor(x)).detach().numpy()
    np.testing.assert_allclose(log_probs, theirs.log_prob(torch.tensor(x)).detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_probs).sum(1), 1, rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(tensor(x)).numpy(), theirs.predict(torch.tensor(x)).numpy())


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(12))
def test_ctc_equals_pytorchs_behind_log_softmax(seed):
    import torch

    rng = np.random.default_rng(seed)
    steps, n, classes = rng.integers(1, 9), rng.integers(1, 4), rng.integers(2, 5)
    blank = int(rng.integers(0, classes))
    x = rng.standard_normal((steps, n, classes))
    spans, sizes = rng.integers(1, steps + 1, n), rng.integers(0, 5, n)
    targets = rng.choice([c for c in range(classes) if c != blank], (n, max(1, sizes.max())))
    if seed % 2:
        targets = np.concatenate([row[:size] for row, size in zip(targets, sizes, strict=True)])
    for reduction in ("none", "mean", "sum"):
        for zero_infinity in (True, False):
            theirs = torch.nn.CTCLoss(blank, reduction, zero_infinity)
            ours = nn.CTCLoss(blank, reduction, zero_infinity)
            y, z = torch.tensor(x, requires_grad=True), tensor(x, requires_grad=True)
            b = theirs(y.log_softmax(-1), torch.tensor(targets), torch.tensor(spans), torch.tensor(sizes))
            a = ours(z.log_softmax(-1), tensor(targets), tensor(spans), tuple(sizes.tolist()))
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)
            if zero_infinity:
                a.sum().backward()
                b.sum().backward()
                np.testing.assert_allclose(z.grad.numpy(), y.grad.numpy(), rtol=1e-8, atol=1e-12)
            assert repr(ours) == repr(theirs)
    assert list(inspect.signature(nn.CTCLoss).parameters) == list(inspect.signature(torch.nn.CTCLoss).parameters)


def test_ctc_keeps_float32_over_many_steps():
    """What cannot be reached stays finite however long the sequence, and so does the gradient."""
    autograd.manual_seed(0)
    x = (10 * autograd.random.randn(400, 2, 5)).requires_grad_()
    loss = nn.CTCLoss()(x.log_softmax(-1), tensor([[1, 2, 2, 4], [3, 3, 3, 3]]), (400, 200), (4, 3))
    loss.backward()
    assert loss.dtype == autograd.float32
    assert math.isfinite(loss.item())
    assert np.isfinite(x.grad.numpy()).all()
