"""What convolutions, pooling and resampling say when their arguments do not fit."""

from __future__ import annotations

import pytest

import autograd as ag
from autograd import DTypeError, ShapeError, tensor


def f(*shape, dtype=None):
    return ag.zeros(*shape, dtype=dtype)


INDICES = tensor([[[0, 9]]])
ERRORS = {
    "no Tensor": (lambda: ag.conv2d([1.0], f(1, 1, 1, 1)), DTypeError, ["conv2d", "input", "list"]),
    "bias of no Tensor": (lambda: ag.conv1d(f(1, 1, 3), f(1, 1, 1), 1.0), DTypeError, ["conv1d", "bias", "float 1.0"]),
    "dimensions": (
        lambda: ag.conv2d(f(3, 3), f(1, 1, 2, 2)),
        ShapeError,
        ["conv2d", "(batch, channels, height, width)", "(3, 3)"],
    ),
    "weight": (
        lambda: ag.conv2d(f(1, 3, 3), f(1, 2, 2)),
        ShapeError,
        ["weight (out, in / groups, height", "(1, 2, 2)"],
    ),
    "transposed weight": (lambda: ag.conv_transpose1d(f(1, 3), f(1, 1)), ShapeError, ["(in, out / groups, length"]),
    "channels": (
        lambda: ag.conv2d(f(1, 3, 4, 4), f(2, 2, 2, 2)),
        ShapeError,
        ["conv2d", "wants 2 channels", "(1, 3, 4, 4)", "has 3"],
    ),
    "groups": (lambda: ag.conv1d(f(1, 4, 4), f(3, 2, 2), groups=2), ShapeError, ["3 output channels", "2 groups"]),
    "groups of 0": (lambda: ag.conv1d(f(1, 4, 4), f(3, 2, 2), groups=0), ValueError, ["groups", "at least 1"]),
    "bias": (lambda: ag.conv1d(f(1, 1, 4), f(3, 1, 2), f(2)), ShapeError, ["bias", "(3,)", "(2,)"]),
    "dtypes": (lambda: ag.conv1d(f(1, 1, 4), f(3, 1, 2, dtype="float64")), DTypeError, ["conv1d", "float64"]),
    "integers": (lambda: ag.conv1d(f(1, 1, 4).long(), f(3, 1, 2)), DTypeError, ["conv1d", "int64", ".float()"]),
    "kernel": (lambda: ag.conv1d(f(1, 1, 2), f(1, 1, 3)), ShapeError, ["conv1d", "spans [3]", "size (2,)"]),
    "stride": (lambda: ag.conv1d(f(1, 1, 4), f(1, 1, 3), stride=0), ValueError, ["conv1d", "stride", "at least 1"]),
    "strides": (lambda: ag.conv1d(f(1, 1, 4), f(1, 1, 3), stride=(1, 1)), ShapeError, ["stride", "1 of them"]),
    "fractional stride": (lambda: ag.conv1d(f(1, 1, 4), f(1, 1, 3), stride=1.5), DTypeError, ["stride", "1.5"]),
    "padding": (lambda: ag.conv1d(f(1, 1, 4), f(1, 1, 3), padding="full"), ValueError, ["'valid' or 'same'", "'full'"]),
    "same with stride": (
        lambda: ag.conv1d(f(1, 1, 4), f(1, 1, 3), stride=2, padding="same"),
        ValueError,
        ["padding='same'", "stride 1"],
    ),
    "transposed channels": (
        lambda: ag.conv_transpose1d(f(1, 3, 4), f(2, 1, 2)),
        ShapeError,
        ["conv_transpose1d", "wants 2 channels", "has 3"],
    ),
    "output_padding": (
        lambda: ag.conv_transpose1d(f(1, 2, 4), f(2, 1, 2), output_padding=1),
        ValueError,
        ["output_padding", "smaller than stride"],
    ),
    "nothing left": (
        lambda: ag.conv_transpose1d(f(1, 2, 1), f(2, 1, 2), padding=1),
        ShapeError,
        ["conv_transpose1d", "size (0,)", "less padding"],
    ),
    "pooling dimensions": (lambda: ag.max_pool2d(f(2, 2), 2), ShapeError, ["max_pool2d", "(2, 2)"]),
    "pooling kernel": (lambda: ag.max_pool1d(f(1, 2), 3), ShapeError, ["max_pool1d", "(3,)", "size (2,)"]),
    "pooling nothing": (lambda: ag.max_pool1d(f(1, 0), 1), ShapeError, ["max_pool1d", "size (0,)"]),
    "pooling padding only": (
        lambda: ag.max_pool1d(f(1, 1, 1), 2, padding=1, dilation=2),
        ShapeError,
        ["max_pool1d", "all of it is on padding", "less padding"],
    ),
    "pooling padding": (lambda: ag.avg_pool1d(f(1, 4), 2, padding=2), ValueError, ["at most half", "(2,)"]),
    "divisor": (lambda: ag.avg_pool2d(f(1, 4, 4), 2, divisor_override=0), ValueError, ["divisor_override", "0"]),
    "mean of integers": (lambda: ag.avg_pool1d(f(1, 4).long(), 2), DTypeError, ["avg_pool1d", ".float()"]),
    "bins": (lambda: ag.adaptive_avg_pool2d(f(1, 4, 4), 0), ValueError, ["output_size", "at least 1"]),
    "number of bins": (lambda: ag.adaptive_max_pool2d(f(1, 4, 4), (1, 2, 3)), ShapeError, ["output_size", "2 of them"]),
    "unpooling range": (
        lambda: ag.max_unpool1d(f(1, 1, 2), INDICES, 2),
        IndexError,
        ["max_unpool1d", "0 to 3", "0 to 9"],
    ),
    "unpooling size": (
        lambda: ag.max_unpool1d(f(1, 1, 2), INDICES, 2, output_size=(9,)),
        ShapeError,
        ["max_unpool1d", "(4,)", "(9,)"],
    ),
    "unpooling indices": (lambda: ag.max_unpool1d(f(1, 1, 2), f(1, 1, 2), 2), ShapeError, ["indices", "max_pool1d"]),
    "unfold": (lambda: ag.unfold(f(1, 2, 2), 3), ShapeError, ["unfold", "(3, 3)", "(2, 2)"]),
    "fold": (lambda: ag.fold(f(1, 4, 3), 3, 2), ShapeError, ["fold", "C · 4, 4", "(1, 4, 3)"]),
    "unfold along": (lambda: f(2, 3).unfold(1, 4, 1), ShapeError, ["unfold", "size 4", "dim 1", "(2, 3)"]),
    "unfold dim": (lambda: f(2, 3).unfold(2, 1, 1), IndexError, ["unfold", "dim 2"]),
    "interpolate without size": (lambda: ag.interpolate(f(1, 1, 2)), ValueError, ["size or scale_factor"]),
    "interpolate mode": (lambda: ag.interpolate(f(1, 1, 2), 2, mode="lanczos"), ValueError, ["'lanczos'", "bicubic"]),
    "interpolate dimensions": (
        lambda: ag.interpolate(f(1, 2), 2),
        ShapeError,
        ["interpolate", "(N, C, L)", "unsqueeze"],
    ),
    "interpolate mode of dimensions": (
        lambda: ag.interpolate(f(1, 1, 2), 2, mode="bilinear"),
        ShapeError,
        ["'bilinear'", "(1, 1, 2)"],
    ),
    "interpolate antialias": (
        lambda: ag.interpolate(f(1, 1, 2, 2), 1, mode="bilinear", antialias=True),
        ValueError,
        ["antialias", "not supported", "avg_pool2d"],
    ),
    "interpolate corners": (lambda: ag.interpolate(f(1, 1, 2), 2, align_corners=True), ValueError, ["align_corners"]),
    "interpolate to nothing": (lambda: ag.interpolate(f(1, 1, 2), scale_factor=0.1), ShapeError, ["leaves nothing"]),
    "interpolate factor": (lambda: ag.interpolate(f(1, 1, 2), scale_factor=-1), ValueError, ["scale_factor", "-1"]),
    "pixel_shuffle": (lambda: ag.pixel_shuffle(f(3, 2, 2), 2), ShapeError, ["pixel_shuffle", "3 channels", "2²"]),
    "pixel_unshuffle": (lambda: ag.pixel_unshuffle(f(3, 3, 2), 2), ShapeError, ["pixel_unshuffle", "(3, 3, 2)"]),
    "channel_shuffle": (lambda: ag.channel_shuffle(f(1, 3, 2), 2), ShapeError, ["channel_shuffle", "divisible by 2"]),
    "affine_grid": (lambda: ag.affine_grid(f(1, 2, 2), (1, 1, 2, 2)), ShapeError, ["affine_grid", "(N, 2, 3)"]),
    "grid_sample": (lambda: ag.grid_sample(f(1, 1, 2, 2), f(1, 2, 2, 3)), ShapeError, ["grid_sample", "(N, h, w, 2)"]),
    "grid_sample mode": (
        lambda: ag.grid_sample(f(1, 1, 2, 2), f(1, 2, 2, 2), "bicubic"),
        ValueError,
        ["'bilinear' or 'nearest'", "'bicubic' is not supported"],
    ),
    "grid_sample padding": (
        lambda: ag.grid_sample(f(1, 1, 2, 2), f(1, 2, 2, 2), padding_mode="wrap"),
        ValueError,
        ["padding_mode", "'wrap'"],
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = ERRORS[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)
