"""Rows of what works on windows: convolutions, pooling, padding, resampling."""

from __future__ import annotations

import numpy as np
from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError


def wrong(*shape):
    """A call with an input of this shape."""
    return lambda: (autograd.ones(*shape),)


def whole(*shape):
    """A call with an input of ints."""
    return lambda: (autograd.ones(*shape, dtype=autograd.int64),)


def apart(*shape):
    """Entries that are far enough from one another, and from 0, for gradients of maxima to be checked."""
    return lambda rng: [rng.permutation(np.arange(1, np.prod(shape) + 1) / 8).reshape(shape)]


def positive(*shape):
    return lambda rng: [rng.uniform(0.5, 2, shape)]


def pooled(*shape, window):
    """Maxima, and for each a flat index into an image of ``window`` times the sizes, inside its own window."""

    def draw(rng):
        places = np.indices(shape[-len(window) :]) * np.reshape(window, (-1, *[1] * len(window)))
        inside = np.array([rng.integers(0, w, shape) for w in window])
        sizes = [n * w for n, w in zip(shape[-len(window) :], window, strict=True)]
        at = [places[d] + inside[d] for d in range(len(window))]
        return [rng.standard_normal(shape), np.ravel_multi_index(at, sizes)]

    return draw


def of(name, inputs, *arguments, refuses=(), **settings):
    """A row for ``nn.name(*arguments, **settings)``."""
    return Row(lambda lib: getattr(lib.nn, name)(*arguments, **settings), inputs, refuses=refuses)


def convolved(module, x):
    """A convolution of (N, C, L) in a loop over its outputs."""
    w, (stride,), (dilation,), (padding,) = module.weight.numpy(), module.stride, module.dilation, module.padding
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding)])
    span = dilation * (w.shape[2] - 1) + 1
    outs = [
        np.einsum("nck,ock->no", x[:, :, t : t + span : dilation], w) for t in range(0, x.shape[2] - span + 1, stride)
    ]
    return np.stack(outs, -1) + module.bias.numpy()[:, None]


def painted(module, x):
    """A transposed convolution of (N, C, L): every entry adds a kernel."""
    w, (stride,), (padding,), (extra,) = module.weight.numpy(), module.stride, module.padding, module.output_padding
    full = np.zeros((x.shape[0], w.shape[1], (x.shape[2] - 1) * stride + w.shape[2] + extra))
    for t in range(x.shape[2]):
        full[:, :, t * stride : t * stride + w.shape[2]] += np.einsum("nc,cok->nok", x[:, :, t], w)
    return full[:, :, padding : full.shape[2] - padding] + module.bias.numpy()[:, None]


LAYERS = {
    "Conv1d": [
        Row(
            lambda lib: lib.nn.Conv1d(2, 3, 3, stride=2, padding=1, dilation=2), floats((2, 2, 9)), convolved,
            refuses=(
                (wrong(2, 3, 9), ShapeError, "wants 2 channels"),
                (wrong(9), ShapeError, "without batch"),
                (wrong(2, 2, 2), ShapeError, "does not fit"),
                (whole(2, 2, 9), DTypeError, "float"),
            ),
        ),
        of("Conv1d", floats((2, 7)), 2, 4, (3,), groups=2, bias=False),
        of("Conv1d", floats((1, 2, 6)), 2, 3, 3, padding="same", dilation=2),
        of("Conv1d", floats((1, 2, 6)), 2, 3, 4, padding="same", padding_mode="circular"),
        of("Conv1d", floats((1, 2, 6)), 2, 3, 4, padding="valid", padding_mode="reflect"),
        of("Conv1d", floats((2, 6)), 2, 3, 3, padding=2, padding_mode="replicate"),
    ],
    "Conv2d": [
        of("Conv2d", floats((2, 2, 5, 6)), 2, 4, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 1), groups=2,
           refuses=((wrong(5, 6), ShapeError, "without batch"), (wrong(1, 4, 5, 6), ShapeError, "channels"))),
        of("Conv2d", floats((2, 5, 4)), 2, 2, 3, padding="same", dilation=2),
        of("Conv2d", floats((1, 2, 5, 4)), 2, 2, (2, 3), padding=(2, 1), padding_mode="reflect", bias=False),
        of("Conv2d", floats((1, 2, 5, 4)), 2, 2, (2, 4), padding="same", padding_mode="replicate"),
        of("Conv2d", floats((1, 2, 5, 4)), 2, 2, 3, padding=(1, 2), padding_mode="circular", stride=2),
    ],
    "Conv3d": [
        of("Conv3d", floats((1, 2, 3, 4, 3)), 2, 2, (2, 3, 2), stride=(1, 2, 1), padding=(0, 1, 1),
           refuses=((wrong(3, 4, 3), ShapeError, "without batch"),)),
        of("Conv3d", floats((2, 3, 3, 3)), 2, 2, 2, padding=(0, 1, 2), padding_mode="circular", groups=2),
        of("Conv3d", floats((1, 1, 3, 3, 3)), 1, 1, (1, 2, 3), padding="same", padding_mode="reflect"),
    ],
    "ConvTranspose1d": [
        Row(
            lambda lib: lib.nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), floats((2, 2, 4)),
            painted,
            refuses=(
                (wrong(2, 3, 4), ShapeError, "channels"),
                (lambda: (autograd.ones(2, 2, 4), [9]), ShapeError, r"within \[7\] and \[8\]"),
                (lambda: (autograd.ones(2, 2, 4), [6, 6]), ShapeError, "must have 1 entries"),
                (lambda: (autograd.ones(4), [6]), ShapeError, "must have 3 dimensions"),
            ),
        ),
        of("ConvTranspose1d", floats((2, 4)), 2, 4, 2, groups=2, bias=False, dilation=3),
    ],
    "ConvTranspose2d": [
        of("ConvTranspose2d", floats((2, 2, 3, 4)), 2, 4, (3, 2), (2, 1), (1, 0), (1, 0), 2, True, (1, 2),
           refuses=((whole(1, 2, 3, 4), DTypeError, "float"),)),
        of("ConvTranspose2d", floats((2, 3, 3)), 2, 1, 4, stride=2, padding=1, bias=False),
    ],
    "ConvTranspose3d": [
        of("ConvTranspose3d", floats((1, 2, 2, 2, 3)), 2, 2, 2, stride=(1, 2, 2), output_padding=(0, 1, 0), groups=2,
           refuses=((wrong(2, 3, 3), ShapeError, "without batch"),)),
        of("ConvTranspose3d", floats((2, 2, 2, 2)), 2, 1, (1, 2, 3), padding=(0, 0, 1)),
    ],
    "Unfold": [
        of("Unfold", floats((2, 2, 4, 5)), (2, 3), (1, 2), 1, (2, 1),
           refuses=((wrong(5), ShapeError, "without batch"),)),
        of("Unfold", floats((2, 4, 5)), 2, refuses=((wrong(1, 1, 1), ShapeError, "kernel"),)),
    ],
    "Fold": [
        of("Fold", floats((2, 8, 6)), (3, 4), 2, refuses=((wrong(2, 7, 6), ShapeError, "fold"),)),
        of("Fold", floats((12, 9)), 5, (2, 3), dilation=(1, 2), padding=1, stride=(2, 1),
           refuses=((wrong(12, 5), ShapeError, "fold"),)),
    ],
    "MaxPool1d": [
        of("MaxPool1d", apart(2, 2, 9), 3,
           refuses=((wrong(2, 2, 2), ShapeError, "fit|small|size"), (wrong(4), ShapeError, "without batch"))),
        of("MaxPool1d", apart(2, 8), 3, stride=2, padding=1, dilation=2, return_indices=True, ceil_mode=True),
    ],
    "MaxPool2d": [
        of("MaxPool2d", apart(2, 2, 6, 4), 2, refuses=((wrong(4, 4), ShapeError, "without batch"),)),
        of("MaxPool2d", apart(2, 6, 7), (2, 3), (2, 1), (1, 0), (1, 2), True, True),
    ],
    "MaxPool3d": [
        of("MaxPool3d", apart(1, 2, 4, 4, 2), 2, refuses=((wrong(4, 4), ShapeError, "without batch"),)),
        of("MaxPool3d", apart(2, 3, 4, 5), (2, 1, 3), stride=1, padding=(1, 0, 1), return_indices=True),
    ],
    "MaxUnpool1d": [
        of("MaxUnpool1d", pooled(2, 2, 3, window=(2,)), 2,
           refuses=((lambda: (autograd.ones(1, 2), autograd.tensor([[0, 9]])), IndexError, "indices must lie in"),
                    (lambda: (autograd.ones(1, 2), autograd.tensor([[0]])), ShapeError, "indices"))),
        of("MaxUnpool1d", pooled(2, 3, window=(2,)), 3, 2, padding=0),
    ],
    "MaxUnpool2d": [
        of("MaxUnpool2d", pooled(2, 1, 2, 3, window=(2, 2)), 2,
           refuses=((lambda: (autograd.ones(1, 1, 1), autograd.tensor([[[0]]]), (9, 9)), ShapeError, "output_size"),)),
        of("MaxUnpool2d", pooled(2, 2, 3, window=(2, 1)), (2, 1), stride=None, padding=(0, 0)),
    ],
    "MaxUnpool3d": [
        of("MaxUnpool3d", pooled(1, 2, 2, 2, 1, window=(2, 1, 2)), (2, 1, 2),
           refuses=((lambda: (autograd.ones(1), autograd.tensor([0])), ShapeError, "input|indices"),)),
    ],
    "AvgPool1d": [
        of("AvgPool1d", floats((2, 2, 9)), 3, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AvgPool1d", floats((2, 8)), (3,), (2,), (1,), True, False),
    ],
    "AvgPool2d": [
        of("AvgPool2d", floats((2, 2, 6, 4)), 2, refuses=((wrong(1, 1, 1, 1), ShapeError, "fit|small|size"),)),
        of("AvgPool2d", floats((2, 6, 7)), (2, 3), (1, 2), padding=1, ceil_mode=True, count_include_pad=False),
        of("AvgPool2d", floats((2, 6, 7)), 3, padding=1, divisor_override=2),
    ],
    "AvgPool3d": [
        of("AvgPool3d", floats((1, 2, 4, 4, 2)), 2, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AvgPool3d", floats((2, 3, 4, 5)), (2, 1, 3), 1, (1, 0, 1), True, True, 5),
    ],
    "LPPool1d": [
        of("LPPool1d", positive(2, 2, 9), 2, 3, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("LPPool1d", positive(2, 8), 3.5, 3, stride=2, ceil_mode=True),
    ],
    "LPPool2d": [
        of("LPPool2d", positive(2, 2, 6, 4), 1, 2, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("LPPool2d", positive(2, 6, 7), 3, (2, 3), (1, 2), True),
    ],
    "LPPool3d": [
        of("LPPool3d", positive(1, 2, 4, 4, 2), 2, 2, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("LPPool3d", positive(2, 3, 4, 5), 1.5, (2, 1, 3), stride=1),
    ],
    "AdaptiveAvgPool1d": [
        of("AdaptiveAvgPool1d", floats((2, 2, 7)), 3, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveAvgPool1d", floats((2, 3)), (5,)),
    ],
    "AdaptiveAvgPool2d": [
        of("AdaptiveAvgPool2d", floats((2, 2, 6, 5)), 2, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveAvgPool2d", floats((2, 6, 5)), (None, 3)),
    ],
    "AdaptiveAvgPool3d": [
        of("AdaptiveAvgPool3d", floats((1, 2, 4, 3, 2)), 1, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveAvgPool3d", floats((2, 4, 3, 2)), (3, None, 2)),
    ],
    "AdaptiveMaxPool1d": [
        of("AdaptiveMaxPool1d", apart(2, 2, 7), 3, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveMaxPool1d", apart(2, 7), (4,), return_indices=True),
    ],
    "AdaptiveMaxPool2d": [
        of("AdaptiveMaxPool2d", apart(2, 2, 6, 5), 2, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveMaxPool2d", apart(2, 6, 5), (None, 3), True),
    ],
    "AdaptiveMaxPool3d": [
        of("AdaptiveMaxPool3d", apart(1, 2, 4, 3, 2), 1, refuses=((wrong(4), ShapeError, "without batch"),)),
        of("AdaptiveMaxPool3d", apart(2, 4, 3, 2), (3, None, 2), return_indices=True),
    ],
    "ConstantPad1d": [
        of("ConstantPad1d", floats((2, 2, 3)), 2, 3.5),
        of("ConstantPad1d", floats((5,)), (-1, 2), value=-1,
           refuses=((wrong(0), ShapeError, "pad"),)),
    ],
    "ConstantPad2d": [
        of("ConstantPad2d", floats((2, 2, 3, 3)), 1, 0.5),
        of("ConstantPad2d", floats((3, 4)), (1, 0, -1, 2), 2, refuses=((wrong(3), ShapeError, "pad"),)),
    ],
    "ConstantPad3d": [
        of("ConstantPad3d", floats((1, 2, 2, 2)), 1, 0.5),
        of("ConstantPad3d", floats((1, 2, 3, 2, 2)), (1, 0, 0, 2, 1, -1), 3, refuses=((wrong(3), ShapeError, "pad"),)),
    ],
    "ZeroPad1d": [of("ZeroPad1d", floats((2, 3)), 2), of("ZeroPad1d", floats((1, 2, 3)), (0, 1))],
    "ZeroPad2d": [of("ZeroPad2d", floats((2, 3, 3)), 1), of("ZeroPad2d", floats((1, 2, 3, 3)), (1, 2, -1, 0))],
    "ZeroPad3d": [
        of("ZeroPad3d", floats((2, 2, 3, 3)), 1), of("ZeroPad3d", floats((1, 1, 2, 3, 3)), (1, 2, 3, 0, 0, 1)),
    ],
    **{
        f"{kind}Pad{dims}d": [
            of(f"{kind}Pad{dims}d", floats((2, 1, *(3, 4, 3)[:dims])), 2,
               refuses=((wrong(3), ShapeError, "dimensions"),)),
            of(f"{kind}Pad{dims}d", floats((2, *(4, 3, 3)[:dims])), (1, 0, 2, 1, 0, 2)[: 2 * dims]),
            of(
                f"{kind}Pad{dims}d", floats((2, *(4, 3, 4)[:dims])), (2, 1, 1, 2, 1, 0)[: 2 * dims],
                refuses=() if kind == "Replication" else ((wrong(2, *[1] * dims), ShapeError, "at most"),),
            ),
        ]
        for kind in ("Reflection", "Replication", "Circular")
        for dims in (1, 2, 3)
    },
    "Upsample": [
        of("Upsample", floats((2, 2, 3)), 5, refuses=((wrong(3, 3), ShapeError, "unsqueeze"),)),
        of("Upsample", floats((1, 2, 3)), scale_factor=2.5, mode="linear", recompute_scale_factor=True,
           refuses=((wrong(1, 1, 3, 3), ShapeError, "mode 'linear' does not fit"),)),
        of("Upsample", floats((1, 2, 3, 4)), scale_factor=(2, 1.5), mode="bilinear", align_corners=True),
        of("Upsample", floats((1, 1, 3, 4)), size=(5, 6), mode="bicubic", align_corners=False),
        of("Upsample", floats((1, 1, 2, 3, 2)), scale_factor=2, mode="trilinear"),
        of("Upsample", floats((1, 1, 4, 6)), size=(2, 4), mode="area"),
        of("Upsample", floats((1, 1, 3, 4)), scale_factor=1.7, mode="nearest-exact"),
    ],
    "UpsamplingNearest2d": [
        of("UpsamplingNearest2d", floats((1, 2, 3, 4)), 5, refuses=((wrong(3, 3), ShapeError, "unsqueeze"),)),
        of("UpsamplingNearest2d", floats((1, 2, 3, 4)), scale_factor=(2, 3)),
    ],
    "UpsamplingBilinear2d": [
        of("UpsamplingBilinear2d", floats((1, 2, 3, 4)), (5, 7), refuses=((wrong(3, 3, 3), ShapeError, "bilinear"),)),
        of("UpsamplingBilinear2d", floats((1, 2, 3, 4)), scale_factor=2),
    ],
    "PixelShuffle": [
        of("PixelShuffle", floats((2, 8, 2, 3)), 2, refuses=((wrong(3, 2, 2), ShapeError, "channels"),)),
        of("PixelShuffle", floats((9, 1, 2)), 3, refuses=((wrong(9, 1), ShapeError, "dimensions|shape"),)),
    ],
    "PixelUnshuffle": [
        of("PixelUnshuffle", floats((2, 2, 4, 6)), 2, refuses=((wrong(2, 3, 3), ShapeError, "2"),)),
        of("PixelUnshuffle", floats((1, 3, 6)), 3),
    ],
    "ChannelShuffle": [
        of("ChannelShuffle", floats((2, 6, 2, 2)), 3, refuses=((wrong(1, 4, 2), ShapeError, "groups"),)),
        of("ChannelShuffle", floats((2, 6, 2)), 2),
    ],
}  # fmt: skip
