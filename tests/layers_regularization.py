"""Rows of noise, tied weights and ensembles, which are our own."""

from __future__ import annotations

from layers import Row, floats

import autograd


def tied(lib):
    encoder = lib.nn.Linear(4, 2)
    return lib.nn.Sequential(encoder, lib.nn.TiedLinear(encoder))


def untied(module, x):
    weight, bias = module[0].weight.numpy(), module[0].bias.numpy()
    return (x @ weight.T + bias) @ weight + module[1].bias.numpy()


def mean_of_members(module, x):
    return sum(x @ m.weight.numpy().T + m.bias.numpy() for m in module.children()) / 3


LAYERS = {
    "GaussianNoise": [
        Row(lambda lib: lib.nn.GaussianNoise(0.5), floats((4, 3)), random=True, ours_alone=True),
        Row(lambda lib: lib.nn.GaussianNoise(0.0), floats((4, 3)), lambda m, x: x, ours_alone=True),
        Row(lambda lib: lib.nn.GaussianNoise(0.5).eval(), floats((4, 3)), lambda m, x: x, ours_alone=True),
    ],
    "TiedLinear": [
        Row(tied, floats((5, 4)), untied, ours_alone=True),
        Row(
            lambda lib: lib.nn.TiedLinear(lib.nn.Linear(4, 2), bias=False), floats((5, 2)),
            lambda m, x: x @ m.weight.numpy(), ours_alone=True,
            refuses=(
                (lambda: (autograd.ones(5, 3),), autograd.ShapeError, r"\(5, 3\)"),
            ),
        ),
    ],
    "Ensemble": [
        Row(
            lambda lib: lib.nn.Ensemble(lib.nn.Linear(4, 2) for _ in range(3)), floats((5, 4)), mean_of_members,
            ours_alone=True,
        ),
    ],
}  # fmt: skip
