"""Rows of the normalisation layers."""

from __future__ import annotations

import numpy as np
from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError


def affine(module, y, channels=1):
    for p, join in ((module.weight, np.multiply), (getattr(module, "bias", None), np.add)):
        if p is not None:
            y = join(y, p.numpy().reshape(-1, *[1] * (y.ndim - 1 - channels)) if channels is not None else p.numpy())
    return y


def standardized(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def by_batch(module, x):
    return affine(module, standardized(x, (0, *range(2, x.ndim)), module.eps))


def by_instance(module, x):
    alone = x.ndim == module._dims[0]
    x = x[None] if alone else x
    y = affine(module, standardized(x, tuple(range(2, x.ndim)), module.eps))
    return y[0] if alone else y


def by_group(module, x):
    grouped = x.reshape(x.shape[0], module.num_groups, -1)
    return affine(module, standardized(grouped, (2,), module.eps).reshape(x.shape))


def by_layer(module, x):
    return affine(module, standardized(x, tuple(range(-len(module.normalized_shape), 0)), module.eps), None)


def by_root(module, x):
    axes = tuple(range(-len(module.normalized_shape), 0))
    eps = np.finfo(np.float64).eps if module.eps is None else module.eps
    return affine(module, x / np.sqrt((x * x).mean(axes, keepdims=True) + eps), None)


def by_neighbours(module, x):
    before, after = module.size // 2, (module.size - 1) // 2
    sums = [(x[:, max(c - before, 0) : c + after + 1] ** 2).sum(1) for c in range(x.shape[1])]
    return x / (module.k + module.alpha / module.size * np.stack(sums, 1)) ** module.beta


def ones(*shape):
    return lambda: (autograd.ones(*shape),)


def whole(*shape):
    return lambda: (autograd.ones(*shape, dtype=autograd.int64),)


LAYERS = {
    "BatchNorm1d": [
        Row(
            lambda lib: lib.nn.BatchNorm1d(3), floats((5, 3)), by_batch,
            refuses=(
                (ones(5, 4), ShapeError, "wants 3 channels.* got 4"),
                (ones(3), ShapeError, r"wants input of shape \(N, C\) or \(N, C, L\), got \(3,\)"),
                (ones(2, 3, 4, 4), ShapeError, r"wants input of shape .* got \(2, 3, 4, 4\)"),
                (ones(1, 3), ShapeError, "more than one value for each channel.*larger batch, or eval"),
                (ones(0, 3), ShapeError, "more than one value for each channel"),
                (whole(5, 3), DTypeError, "floating"),
            ),
        ),
        Row(lambda lib: lib.nn.BatchNorm1d(3, eps=0.1, momentum=None), floats((4, 3, 2)), by_batch),
        Row(lambda lib: lib.nn.BatchNorm1d(3, affine=False, momentum=0.7), floats((4, 3)), by_batch),
        Row(lambda lib: lib.nn.BatchNorm1d(3, track_running_stats=False), floats((4, 3)), by_batch),
        Row(lambda lib: lib.nn.BatchNorm1d(3, bias=False), floats((4, 3)), by_batch),
    ],
    "BatchNorm2d": [
        Row(
            lambda lib: lib.nn.BatchNorm2d(3, momentum=0.3), floats((2, 3, 2, 4)), by_batch,
            refuses=((ones(2, 3), ShapeError, r"\(N, C, H, W\), got \(2, 3\)"),),
        ),
        Row(lambda lib: lib.nn.BatchNorm2d(2, track_running_stats=False, affine=False), floats((2, 2, 2, 2)), by_batch),
    ],
    "BatchNorm3d": [
        Row(
            lambda lib: lib.nn.BatchNorm3d(2), floats((2, 2, 2, 3, 2)), by_batch,
            refuses=((ones(2, 2, 3, 3), ShapeError, r"\(N, C, D, H, W\), got \(2, 2, 3, 3\)"),),
        ),
    ],
    "InstanceNorm1d": [
        Row(
            lambda lib: lib.nn.InstanceNorm1d(3, affine=True, track_running_stats=True), floats((4, 3, 5)), by_instance,
            refuses=(
                (ones(4, 2, 5), ShapeError, "wants 3 channels.* got 2"),
                (ones(4, 3, 1), ShapeError, "more than one value"),
                (ones(4), ShapeError, r"\(N, C, L\) or \(C, L\), got \(4,\)"),
            ),
        ),
        Row(lambda lib: lib.nn.InstanceNorm1d(3), floats((3, 5)), by_instance),
        Row(lambda lib: lib.nn.InstanceNorm1d(3, affine=True, bias=False, eps=0.1), floats((2, 3, 5)), by_instance),
    ],
    "InstanceNorm2d": [
        Row(
            lambda lib: lib.nn.InstanceNorm2d(3, momentum=0.4, track_running_stats=True), floats((2, 3, 2, 4)),
            by_instance, refuses=((ones(2, 3), ShapeError, r"\(N, C, H, W\) or \(C, H, W\)"),),
        ),
        Row(lambda lib: lib.nn.InstanceNorm2d(3, affine=True), floats((3, 2, 4)), by_instance),
    ],
    "InstanceNorm3d": [
        Row(
            lambda lib: lib.nn.InstanceNorm3d(2, affine=True), floats((2, 2, 2, 3, 2)), by_instance,
            refuses=((ones(2, 2), ShapeError, r"\(N, C, D, H, W\) or \(C, D, H, W\)"),),
        ),
        Row(lambda lib: lib.nn.InstanceNorm3d(2), floats((2, 2, 3, 2)), by_instance),
    ],
    "GroupNorm": [
        Row(
            lambda lib: lib.nn.GroupNorm(2, 4), floats((3, 4)), by_group,
            refuses=(
                (ones(3, 6), ShapeError, r"weight must have shape \(6,\)"),
                (ones(3, 5), ShapeError, "5 channels cannot be parted into 2"),
                (whole(3, 4), DTypeError, "floating"),
            ),
        ),
        Row(lambda lib: lib.nn.GroupNorm(3, 6, eps=0.1, affine=False), floats((2, 6, 2, 2)), by_group),
        Row(lambda lib: lib.nn.GroupNorm(1, 4, bias=False), floats((2, 4, 3)), by_group),
    ],
    "LayerNorm": [
        Row(
            lambda lib: lib.nn.LayerNorm(4), floats((3, 4)), by_layer,
            refuses=(
                (ones(4, 3), ShapeError, r"normalized_shape \(4,\) must be the last sizes"),
                (whole(3, 4), DTypeError, "floating"),
            ),
        ),
        Row(lambda lib: lib.nn.LayerNorm([2, 3], eps=0.1), floats((4, 2, 3)), by_layer),
        Row(lambda lib: lib.nn.LayerNorm((3,), elementwise_affine=False), floats((4, 2, 3)), by_layer),
        Row(lambda lib: lib.nn.LayerNorm(4, bias=False), floats((3, 4)), by_layer),
    ],
    "RMSNorm": [
        Row(
            lambda lib: lib.nn.RMSNorm(4), floats((3, 4)), by_root,
            refuses=((ones(4, 3), ShapeError, r"normalized_shape \(4,\) must be the last sizes"),),
        ),
        Row(lambda lib: lib.nn.RMSNorm([2, 3], eps=0.1), floats((4, 2, 3)), by_root),
        Row(lambda lib: lib.nn.RMSNorm(3, elementwise_affine=False), floats((4, 3)), by_root),
    ],
    "LocalResponseNorm": [
        Row(
            lambda lib: lib.nn.LocalResponseNorm(3), floats((2, 5, 4)), by_neighbours,
            refuses=((ones(2, 3), ShapeError, r"\(N, C, …\)"),),
        ),
        Row(lambda lib: lib.nn.LocalResponseNorm(2, alpha=0.5, beta=0.6, k=2.0), floats((2, 3, 2, 2)), by_neighbours),
        Row(lambda lib: lib.nn.LocalResponseNorm(7, alpha=0.5), floats((2, 3, 2)), by_neighbours),
    ],
}  # fmt: skip
