"""What the table of layers cannot say of the normalisation layers: running moments over many batches, constructors."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from autograd import tensor

BATCHES = [np.random.default_rng(i).standard_normal((4 + i, 3, 2)) * (i + 1) + i for i in range(5)]


@pytest.mark.parametrize("momentum", [None, 0.1, 0.9, 1.0])
def test_running_moments_follow_the_batches(momentum):
    norm = nn.BatchNorm1d(3, momentum=momentum).double()
    mean, variance = np.zeros(3), np.ones(3)
    for i, x in enumerate(BATCHES, 1):
        norm(tensor(x))
        rate = 1 / i if momentum is None else momentum
        mean = (1 - rate) * mean + rate * x.mean((0, 2))
        variance = (1 - rate) * variance + rate * x.var((0, 2), ddof=1)
    np.testing.assert_allclose(norm.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(norm.running_var.numpy(), variance, rtol=1e-12)
    assert norm.num_batches_tracked.item() == len(BATCHES)
    norm.eval()
    x = BATCHES[0][:1]  # one example is enough where the batch's moments are not asked for
    expected = (x - mean[:, None]) / np.sqrt(variance[:, None] + norm.eps)
    np.testing.assert_allclose(norm(tensor(x)).detach().numpy(), expected, rtol=1e-10)
    assert norm.num_batches_tracked.item() == len(BATCHES)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("BatchNorm1d", {"momentum": None}),
        ("BatchNorm1d", {"momentum": 0.3}),
        ("BatchNorm1d", {"track_running_stats": False}),
        ("InstanceNorm1d", {"track_running_stats": True, "momentum": 0.3}),
        ("InstanceNorm1d", {"track_running_stats": True, "momentum": None}),
    ],
)
def test_buffers_over_many_batches_equal_pytorchs(name, arguments):
    import torch

    ours, theirs = getattr(nn, name)(3, **arguments).double(), getattr(torch.nn, name)(3, **arguments).double()
    for x in BATCHES:
        np.testing.assert_allclose(
            ours(tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-10, atol=1e-13
        )
    ours.eval()
    theirs.eval()
    x = BATCHES[1]
    np.testing.assert_allclose(
        ours(tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-10, atol=1e-13
    )
    for (key, a), b in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, err_msg=key)


def test_reset_forgets_the_moments_and_the_weights():
    norm = nn.BatchNorm2d(3)
    norm(autograd.random.randn(2, 3, 4, 4))
    with autograd.no_grad():
        norm.weight.fill_(5.0)
        norm.bias.fill_(5.0)
    norm.reset_parameters()
    state = {k: v.numpy().tolist() for k, v in norm.state_dict().items()}
    assert state == {
        "weight": [1, 1, 1], "bias": [0, 0, 0], "running_mean": [0, 0, 0], "running_var": [1, 1, 1],
        "num_batches_tracked": 0,
    }  # fmt: skip


def test_unused_number_of_features_is_a_warning_as_in_pytorch():
    with pytest.warns(UserWarning, match=r"InstanceNorm1d.*num_features=5"):
        out = nn.InstanceNorm1d(5)(autograd.random.randn(2, 3, 4))
    assert out.shape == (2, 3, 4)


def test_large_means_do_not_cancel():
    """The variance is that of the deviations: near 1e4 the mean of squares minus the squared mean has no digit left."""
    x = np.random.default_rng(0).standard_normal((64, 2)).astype("float32") + np.float32(1e4)
    out = nn.BatchNorm1d(2)(tensor(x)).detach().numpy()
    centred = x.astype("float64") - x.astype("float64").mean(0)
    expected = centred / np.sqrt((centred**2).mean(0) + 1e-5)
    np.testing.assert_allclose(out, expected, atol=4 * np.spacing(np.float32(1e4)))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="GroupNorm: num_channels must be a multiple of num_groups=3, got 4"):
        nn.GroupNorm(3, 4)
    with pytest.raises(ValueError, match="GroupNorm: num_groups must be at least 1, got 0"):
        nn.GroupNorm(0, 4)
    with pytest.raises(TypeError, match="BatchNorm2d: num_features must be an int"):
        nn.BatchNorm2d(3.0)
    with pytest.raises(ValueError, match="LayerNorm: normalized_shape must name at least one size"):
        nn.LayerNorm(())
    with pytest.raises(TypeError, match="RMSNorm: normalized_shape must be an int"):
        nn.RMSNorm("3")
    with pytest.raises(ValueError, match="LocalResponseNorm: size must be at least 1, got 0"):
        nn.LocalResponseNorm(0)
