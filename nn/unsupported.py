"""Names of PyTorch's ``nn`` that are left out, each with what to use instead.

Only looked at when a name was not found.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_DEVICES = "there is only the CPU, whose cores NumPy's products use by themselves; call the model directly"
_QUANTIZED = "quantized layers are not supported; use float32 or float16"
_LAZY = "sizes are not guessed at the first call; give them, nn.summary(model, shape) shows what arrives at each layer"

REASONS = {
    **dict.fromkeys(("DataParallel", "parallel"), _DEVICES),
    **dict.fromkeys(("intrinsic", "qat", "quantizable", "quantized"), _QUANTIZED),
    "SyncBatchNorm": "there is only one process; use BatchNorm1d, BatchNorm2d or BatchNorm3d",
    "CrossMapLRN2d": "use LocalResponseNorm",
    "NLLLoss2d": "PyTorch deprecated it; use NLLLoss, which takes (N, C, d₁, …) too",
    "Container": "PyTorch deprecated it; use Module",
    "UninitializedParameter": _LAZY,
    "UninitializedBuffer": _LAZY,
    "LinearCrossEntropyOptions": "use cross_entropy of a Linear's output",
    **dict.fromkeys(
        ("FractionalMaxPool2d", "FractionalMaxPool3d"),
        "its random windows are not supported; use MaxPool2d, MaxPool3d or, for sizes of the output, AdaptiveMaxPool2d",
    ),
    "grad": "use autograd.grad, or autograd.vjp of nn.functional.conv2d",
    "common_types": "annotate with int | tuple[int, ...]",
    "factory_kwargs": "pass device and dtype on as they are",
    "modules": "its classes are in nn itself, and in nn.container and others",
    "RNNBase": "use RNN, LSTM or GRU; isinstance takes them as a tuple",
    "RNNCellBase": "use RNNCell, LSTMCell or GRUCell; isinstance takes them as a tuple",
}
_INDICES = "use the function without _with_indices, and return_indices=True"
FUNCTIONAL_REASONS = {
    **{f"{kind}max_pool{n}d_with_indices": _INDICES for kind in ("", "adaptive_", "fractional_") for n in (1, 2, 3)},
    **dict.fromkeys(
        ("fractional_max_pool2d", "fractional_max_pool3d"),
        "its random windows are not supported; use max_pool2d, max_pool3d or, for sizes of the output, "
        "adaptive_max_pool2d",
    ),
    "upsample_nearest": "PyTorch deprecated it; use interpolate(input, size, mode='nearest')",
    "upsample_bilinear": "PyTorch deprecated it; use interpolate(input, size, mode='bilinear', align_corners=True)",
    "conv_tbc": "use conv1d of input.permute(1, 2, 0), and permute the result back",
    "native_channel_shuffle": "use channel_shuffle",
    **dict.fromkeys(("grouped_mm", "scaled_mm", "scaled_grouped_mm"), "use autograd.bmm, or matmul of each group"),
    "grad": "use autograd.grad, or autograd.vjp of conv2d",
}
PRUNING = "multiply the weight by a mask: nn.utils.parametrize.register_parametrization(layer, 'weight', module)"
UTILS_REASONS = {
    "prune": PRUNING,
    "clip_grad": "its functions are in nn.utils itself",
    "convert_parameters": "its functions are in nn.utils itself",
    "fusion": "layers are not fused for inference; in eval() a batch norm is an affine map already",
    "init": "use nn.init",
    "memory_format": "memory layouts are not supported",
    "clip_grad_norm": "PyTorch deprecated it; use clip_grad_norm_",
    "skip_init": "build the module and load its state; there is no meta device",
    "convert_conv2d_weight_memory_format": "memory layouts are not supported",
    "convert_conv3d_weight_memory_format": "memory layouts are not supported",
    **{
        f"fuse_{what}": "layers are not fused for inference; in eval() a batch norm is an affine map already"
        for what in ("conv_bn_eval", "conv_bn_weights", "linear_bn_eval", "linear_bn_weights")
    },
}


def missing(owner: str, name: str, reasons: dict[str, str], names: Iterable[str]) -> AttributeError:
    """The error for a name that the module ``owner`` does not have."""
    reason = reasons.get(name)
    if reason is None and owner == "nn" and name.startswith("Lazy"):
        reason = f"{_LAZY} (use {name.removeprefix('Lazy')})"
    if reason is None:
        close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.8)
        return AttributeError(
            f"module {owner!r} has no attribute {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
        )
    return AttributeError(f"module {owner!r} has no attribute {name!r}: {reason}")
