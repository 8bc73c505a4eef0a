"""Arguments that layers refuse when they are built, and what their classes alone decide."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn

BAD = {
    "no channels": (lambda: nn.Conv1d(-1, 2, 3), ValueError, "Conv1d: in_channels must not be negative, got -1"),
    "fractional channels": (lambda: nn.Conv2d(1.5, 2, 3), TypeError, "Conv2d: in_channels must be an int, got"),
    "groups": (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "Conv2d: in_channels must be a multiple of groups=2"),
    "groups of outputs": (lambda: nn.Conv3d(4, 3, 3, groups=2), ValueError, "out_channels must be a multiple of"),
    "no groups": (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "Conv2d: groups must be at least 1, got 0"),
    "kernel": (lambda: nn.Conv2d(3, 4, 0), ValueError, "Conv2d: kernel_size must be at least 1, got 0"),
    "kernel of 3": (lambda: nn.Conv2d(3, 4, (1, 2, 3)), ValueError, r"must be an int or 2 of them, got \(1"),
    "kernel in words": (lambda: nn.Conv2d(3, 4, "3"), TypeError, "Conv2d: kernel_size must be an int"),
    "stride": (lambda: nn.Conv1d(3, 4, 1, stride=0), ValueError, "Conv1d: stride must be at least 1, got 0"),
    "padding": (lambda: nn.Conv1d(3, 4, 1, padding=-1), ValueError, "Conv1d: padding must not be negative, got -1"),
    "padding in words": (lambda: nn.Conv1d(3, 4, 1, padding="full"), ValueError, "ints, 'same' or 'valid', got 'full'"),
    "same with stride": (lambda: nn.Conv1d(3, 4, 1, 2, "same"), ValueError, r"padding='same' wants stride 1, got \(2,"),
    "padding mode": (lambda: nn.Conv1d(3, 4, 1, padding_mode="wrap"), ValueError, "must be one of 'zeros', 'reflect'"),
    "transposed mode": (lambda: nn.ConvTranspose1d(3, 4, 1, padding_mode="reflect"), ValueError, "can only be 'zeros'"),
    "transposed same": (lambda: nn.ConvTranspose2d(3, 4, 1, padding="same"), ValueError, "must be an int or 2 of them"),
    "unfold": (lambda: nn.Unfold((2, 2, 2)), ValueError, "Unfold: kernel_size must be an int or 2 of them"),
    "fold": (lambda: nn.Fold(0, 2), ValueError, "Fold: output_size must be at least 1, got 0"),
    "max pool": (lambda: nn.MaxPool1d(0), ValueError, "MaxPool1d: kernel_size must be at least 1, got 0"),
    "average pool": (lambda: nn.AvgPool1d(2, stride=(1, 1)), ValueError, "AvgPool1d: stride must be an int or 1 of"),
    "average pool of 2": (lambda: nn.AvgPool2d(2, padding=-1), ValueError, "AvgPool2d: padding must not be negative"),
    "power pool": (lambda: nn.LPPool2d(0, 2), ValueError, "LPPool2d: norm_type must not be 0, got 0"),
    "power in words": (lambda: nn.LPPool1d("2", 2), TypeError, "LPPool1d: norm_type must be a number, got"),
    "dropout in words": (lambda: nn.Dropout1d("0.5"), TypeError, "Dropout1d: p must be a number within 0 and 1, got"),
    "unpool": (lambda: nn.MaxUnpool3d((1, 2)), ValueError, "MaxUnpool3d: kernel_size must be an int or 3 of them"),
    "adaptive": (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), ValueError, "output_size must be an int or 2 ints or Nones"),
    "adaptive size": (lambda: nn.AdaptiveMaxPool1d(-2), ValueError, "output_size must not be negative, got -2"),
    "pad": (lambda: nn.ZeroPad2d((1, 2)), ValueError, r"ZeroPad2d: padding must be an int or 4 of them, got \(1, 2\)"),
    "pad fraction": (lambda: nn.ReflectionPad1d(0.5), TypeError, "ReflectionPad1d: padding must be an int, got float"),
    "upsample": (lambda: nn.Upsample(), ValueError, "Upsample: give either size or scale_factor, got size=None"),
    "upsample both": (lambda: nn.UpsamplingNearest2d(2, 2), ValueError, "UpsamplingNearest2d: give either size or"),
    "upsample mode": (lambda: nn.Upsample(2, mode="cubic"), ValueError, "mode must be one of 'nearest'.*got 'cubic'"),
    "pixel shuffle": (lambda: nn.PixelShuffle(0), ValueError, "PixelShuffle: upscale_factor must be at least 1, got 0"),
    "pixel unshuffle": (lambda: nn.PixelUnshuffle(2.0), TypeError, "downscale_factor must be an int, got float 2.0"),
    "channel shuffle": (lambda: nn.ChannelShuffle(0), ValueError, "ChannelShuffle: groups must be at least 1, got 0"),
    "hardtanh": (lambda: nn.Hardtanh(1, 1), ValueError, "Hardtanh: max_val must be above min_val, got 1 and 1"),
    "rrelu": (lambda: nn.RReLU(0.5, 0.1), ValueError, "RReLU: lower must not be above upper, got 0.5 and 0.1"),
    "prelu": (lambda: nn.PReLU(0), ValueError, "PReLU: num_parameters must be at least 1, got 0"),
    "gelu": (lambda: nn.GELU("erf"), ValueError, "GELU: approximate must be 'none' or 'tanh', got 'erf'"),
    "maxout": (lambda: nn.Maxout(2, 3, 0), ValueError, "Maxout: pieces must be at least 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "kind", "message"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused_in_a_sentence(build, kind, message):
    with pytest.raises(kind, match=message):
        build()


def test_older_names_of_hardtanhs_bounds_warn():
    with pytest.warns(FutureWarning, match="say min_val and max_val"):
        layer = nn.Hardtanh(min_value=-2.0, max_value=3.0)
    assert (layer.min_val, layer.max_val) == (-2.0, 3.0)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("size", [5, 6])
def test_a_transposed_convolution_leads_back_to_either_size(dims, size):
    down = getattr(nn, f"Conv{dims}d")(1, 2, 3, stride=2, padding=1)
    up = getattr(nn, f"ConvTranspose{dims}d")(2, 1, 3, stride=2, padding=1, bias=False)
    x = autograd.randn(2, 1, *[size] * dims)
    y = down(x)
    for wanted in ([size] * dims, x.shape):
        assert up(y, output_size=wanted).shape == x.shape
    # The transpose of a linear map: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩.
    flat = getattr(nn.functional, f"conv{dims}d")(x, up.weight, None, 2, 1)
    np.testing.assert_allclose((flat * y).sum().item(), (x * up(y, output_size=x.shape)).sum().item(), rtol=1e-4)


def test_fold_counts_how_often_unfold_took_each_entry():
    settings = {"kernel_size": (2, 3), "dilation": (1, 2), "padding": 1, "stride": (2, 1)}
    x = autograd.randn(2, 3, 6, 7)
    unfold, fold = nn.Unfold(**settings), nn.Fold((6, 7), **settings)
    counts = fold(unfold(autograd.ones(1, 1, 6, 7)))
    np.testing.assert_allclose(fold(unfold(x)).numpy(), (x * counts).numpy(), rtol=1e-6)


def test_same_padding_keeps_the_size_for_every_kernel():
    for kernel in (1, 2, 3, 4, 5):
        for mode in ("zeros", "reflect", "replicate", "circular"):
            layer = nn.Conv1d(1, 1, kernel, padding="same", padding_mode=mode, bias=False)
            nn.init.zeros_(layer.weight)
            layer.weight.data[0, 0, (kernel - 1) // 2] = 1.0
            x = autograd.arange(6.0).reshape(1, 6)
            # The kernel's middle entry is the identity, also where one side has an entry more than the other.
            np.testing.assert_array_equal(layer(x).detach().numpy(), x.numpy(), err_msg=f"{kernel} {mode}")


def test_max_unpool_chooses_the_size():
    x = autograd.arange(1.0, 6.0).reshape(1, 5)
    pooled, indices = nn.MaxPool1d(2, return_indices=True)(x)
    assert nn.MaxUnpool1d(2)(pooled, indices).tolist() == [[0, 2, 0, 4]]
    assert nn.MaxUnpool1d(2)(pooled, indices, output_size=x.shape).tolist() == [[0, 2, 0, 4, 0]]


def test_maxout_is_relu_and_leaky_relu_behind_linear():
    linear, maxout = nn.Linear(3, 4), nn.Maxout(3, 4)
    x = autograd.randn(50, 3)
    for slope, wanted in ((0.0, nn.ReLU()), (0.2, nn.LeakyReLU(0.2))):
        both = [autograd.stack([t.detach(), slope * t.detach()], 1) for t in (linear.weight, linear.bias)]
        maxout.weight.data, maxout.bias.data = both[0].reshape(8, 3), both[1].reshape(8)
        np.testing.assert_allclose(maxout(x).detach().numpy(), wanted(linear(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_nothing_in_front_of_a_step_learns_and_all_behind_it_does():
    front, behind = nn.Linear(3, 5), nn.Linear(5, 1)
    behind(nn.Step()(front(autograd.randn(8, 3)))).sum().backward()
    assert not front.weight.grad.any() and behind.weight.grad.any()


def test_a_steep_sigmoid_comes_to_a_step():
    x = autograd.linspace(-2, 2, 40)
    np.testing.assert_allclose(nn.Sigmoid()(1000 * x).numpy(), nn.Step()(x).numpy(), atol=1e-6)


def test_random_slopes_of_rrelu_are_uniform():
    autograd.manual_seed(0)
    layer = nn.RReLU(0.2, 0.6)
    slopes = -layer(-autograd.ones(40_000, dtype=autograd.float64)).numpy()
    assert slopes.min() >= 0.2 and slopes.max() < 0.6
    counts, _ = np.histogram(slopes, 20, (0.2, 0.6))
    assert (np.abs(counts - 2000) < 5 * np.sqrt(2000)).all()
    assert (layer(autograd.ones(100)) == 1).all()
    np.testing.assert_allclose(layer.eval()(-autograd.ones(3)).numpy(), -0.4, rtol=1e-6)
