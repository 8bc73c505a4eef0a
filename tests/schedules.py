"""The table of learning rate schedules: for each class, ways to make it and the formula that its rates follow."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Row:
    """One way to make a schedule.

    ``make(schedules, optimizer)`` makes it from our module or from PyTorch's; ``formula(t, lr)`` is the rate of step t,
    from the group's first rate. ``optimizer`` names the kind (see ``test_lr_scheduler.optimizers``). ``measured`` gives
    the value that step t is told. ``momentum(t)`` is the formula of momentum, or of the first of betas.
    """

    make: Callable[[Any, Any], Any]
    formula: Callable[[int, float], float] | None = None
    optimizer: str = "sgd"
    measured: Callable[[int], float] | None = None
    momentum: Callable[[int], float] | None = None
    steps: int = 200
    ours: bool = False


def cosine(t, lr, T, low=0.0):
    return low + (lr - low) * (1 + math.cos(math.pi * t / T)) / 2


def restarts(t, lr, length, growth, low=0.0):
    while t >= length:
        t -= length
        length *= growth
    return cosine(t, lr, length, low)


def triangle(t, up, down):
    """The height of the step t, from 0 to 1 and back."""
    t %= up + down
    return t / up if t <= up else 1 - (t - up) / down


def cycle_number(t, length):
    return t // length + 1


class Shrink:
    """A function of the step with state of its own, which a schedule saves."""

    def __init__(self, base):
        self.base = base

    def __call__(self, t):
        return self.base**t


def wave(t):
    """A validation loss that falls, stalls and gets worse."""
    return 3.0 - 0.02 * t + 0.7 * math.sin(t / 9) if t < 90 else 1.5 + 0.01 * (t % 7)


def halved(t, lr, values=wave, factor=0.5):
    return lr * factor ** sum(values(i) > values(i - 1) for i in range(2, t + 1))


def sequence(s, o):
    return s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=20), s.CosineAnnealingLR(o, 100)], [20])


def sequence_formula(t, lr):
    return lr * (0.1 + 0.9 * t / 20) if t < 20 else cosine(t - 20, lr, 100)


def nested_sequence(s, o):
    inner = s.SequentialLR(o, [s.ConstantLR(o, 0.5, total_iters=5), s.ExponentialLR(o, 0.97)], [11])
    return s.SequentialLR(o, [s.LinearLR(o, 0.2, total_iters=10), inner], [15])


def nested_formula(t, lr):
    if t < 15:
        return lr * (0.2 + 0.8 * min(t, 10) / 10)
    t -= 15
    return lr * (0.5 if t < 5 else 1) if t < 11 else lr * 0.97 ** (t - 11)


def sequence_of_sequences(s, o):
    return s.SequentialLR(o, [sequence(s, o), s.ExponentialLR(o, 0.9)], [130])


def sequence_then_multiplied(s, o):
    return s.SequentialLR(o, [s.ConstantLR(o, 0.5, 10), s.MultiplicativeLR(o, lambda t: 0.99), s.StepLR(o, 5)], [9, 60])


def chain(s, o):
    return s.ChainedScheduler([s.ConstantLR(o, 0.1, total_iters=20), s.ExponentialLR(o, 0.98)], optimizer=o)


def nested_chain(s, o):
    return s.ChainedScheduler([chain(s, o), s.StepLR(o, 17, 0.7)])


def sequence_of_chains(s, o):
    first = s.ChainedScheduler([s.LinearLR(o, 0.25, total_iters=9), s.ExponentialLR(o, 0.99)])
    last = s.ChainedScheduler([s.ConstantLR(o, 0.1, total_iters=20), s.ChainedScheduler([s.ExponentialLR(o, 0.9)])])
    return s.SequentialLR(o, [first, s.CosineAnnealingWarmRestarts(o, 13, 2), last], [31, 90])


def sequence_of_chains_formula(t, lr):
    if t < 31:
        return lr * (0.25 + 0.75 * min(t, 9) / 9) * 0.99**t
    if t < 90:
        return restarts(t - 31, lr, 13, 2)
    return lr * 0.9 ** (t - 90) * (0.1 if t < 110 else 1)


def chain_of_sequences(s, o):
    return s.ChainedScheduler([sequence(s, o), s.MultiStepLR(o, [40, 90], 0.5)])


SCHEDULES = {
    "StepLR": [
        Row(lambda s, o: s.StepLR(o, 30), lambda t, lr: lr * 0.1 ** (t // 30)),
        Row(lambda s, o: s.StepLR(o, step_size=5, gamma=0.5), lambda t, lr: lr * 0.5 ** (t // 5), "groups"),
        Row(lambda s, o: s.StepLR(o, 1, 1.01), lambda t, lr: lr * 1.01**t, "adam"),
    ],
    "MultiStepLR": [
        Row(lambda s, o: s.MultiStepLR(o, [30, 80]), lambda t, lr: lr * 0.1 ** ((t >= 30) + (t >= 80))),
        Row(lambda s, o: s.MultiStepLR(o, [50, 10, 10], gamma=0.5),
            lambda t, lr: lr * 0.5 ** (2 * (t >= 10) + (t >= 50)), "groups"),
        Row(lambda s, o: s.MultiStepLR(o, []), lambda t, lr: lr),
    ],
    "ExponentialLR": [
        Row(lambda s, o: s.ExponentialLR(o, 0.95), lambda t, lr: lr * 0.95**t, "groups"),
        Row(lambda s, o: s.ExponentialLR(o, gamma=math.exp(-0.03)), lambda t, lr: lr * math.exp(-0.03 * t)),
        Row(lambda s, o: s.ExponentialLR(o, 1.02), lambda t, lr: lr * 1.02**t, "adam"),
    ],
    "ConstantLR": [
        Row(lambda s, o: s.ConstantLR(o), lambda t, lr: lr / 3 if t < 5 else lr),
        Row(lambda s, o: s.ConstantLR(o, factor=0.5, total_iters=40), lambda t, lr: lr * 0.5 if t < 40 else lr,
            "groups"),
        Row(lambda s, o: s.ConstantLR(o, 1.0, 3), lambda t, lr: lr),
        Row(lambda s, o: s.ConstantLR(o, 0.0, 3), lambda t, lr: lr if t >= 3 else 0.0, ours=True),
    ],
    "LinearLR": [
        Row(lambda s, o: s.LinearLR(o), lambda t, lr: lr * (1 / 3 + 2 / 3 * min(t, 5) / 5)),
        Row(lambda s, o: s.LinearLR(o, 0.05, total_iters=40), lambda t, lr: lr * (0.05 + 0.95 * min(t, 40) / 40),
            "groups"),
        Row(lambda s, o: s.LinearLR(o, 1.0, 0.25, 150), lambda t, lr: lr * (1 - 0.75 * min(t, 150) / 150)),
    ],
    "PolynomialLR": [
        Row(lambda s, o: s.PolynomialLR(o), lambda t, lr: lr * (1 - min(t, 5) / 5)),
        Row(lambda s, o: s.PolynomialLR(o, total_iters=150, power=0.9),
            lambda t, lr: lr * (1 - min(t, 150) / 150) ** 0.9, "groups"),
        Row(lambda s, o: s.PolynomialLR(o, 300, 2.0), lambda t, lr: lr * (1 - t / 300) ** 2),
    ],
    "CosineAnnealingLR": [
        Row(lambda s, o: s.CosineAnnealingLR(o, 200), lambda t, lr: cosine(t, lr, 200)),
        Row(lambda s, o: s.CosineAnnealingLR(o, T_max=30, eta_min=0.01), lambda t, lr: cosine(t, lr, 30, 0.01),
            "groups"),
        Row(lambda s, o: s.CosineAnnealingLR(o, 7), None),
    ],
    "CosineAnnealingWarmRestarts": [
        Row(lambda s, o: s.CosineAnnealingWarmRestarts(o, 20), lambda t, lr: restarts(t, lr, 20, 1)),
        Row(lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=7, T_mult=2, eta_min=0.001),
            lambda t, lr: restarts(t, lr, 7, 2, 0.001), "groups"),
        Row(lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 3), lambda t, lr: restarts(t, lr, 1, 3), "adam"),
    ],
    "CyclicLR": [
        Row(lambda s, o: s.CyclicLR(o, 0.01, 0.1, step_size_up=15), lambda t, lr: 0.01 + 0.09 * triangle(t, 15, 15),
            momentum=lambda t: 0.9 - 0.1 * triangle(t, 15, 15)),
        Row(lambda s, o: s.CyclicLR(o, 0.01, 0.1, 10, 25, mode="triangular2", base_momentum=0.5, max_momentum=0.99),
            lambda t, lr: 0.01 + 0.09 * triangle(t, 10, 25) / 2 ** (cycle_number(t, 35) - 1), "adam",
            momentum=lambda t: 0.99 - 0.49 * triangle(t, 10, 25) / 2 ** (cycle_number(t, 35) - 1)),
        Row(lambda s, o: s.CyclicLR(o, 0.01, 0.1, 10, mode="exp_range", gamma=0.99, cycle_momentum=False),
            lambda t, lr: 0.01 + 0.09 * triangle(t, 10, 10) * 0.99**t, "adam"),
        Row(lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 12, base_momentum=[0.7, 0.8], max_momentum=[0.9, 1]),
            None, "groups"),
        Row(lambda s, o: s.CyclicLR(o, 0.01, 0.1, 10, scale_fn=Shrink(0.9), scale_mode="iterations"),
            lambda t, lr: 0.01 + 0.09 * triangle(t, 10, 10) * 0.9**t),
        Row(lambda s, o: s.CyclicLR(o, 0.01, 0.1, 10, scale_fn=lambda n: 1 / n),
            lambda t, lr: 0.01 + 0.09 * triangle(t, 10, 10) / cycle_number(t, 20)),
    ],
    "OneCycleLR": [
        Row(lambda s, o: s.OneCycleLR(o, 0.1, total_steps=200)),
        Row(lambda s, o: s.OneCycleLR(o, max_lr=0.1, epochs=10, steps_per_epoch=25, anneal_strategy="linear"), None,
            "adam"),
        Row(lambda s, o: s.OneCycleLR(o, 0.1, 210, three_phase=True, pct_start=0.4, base_momentum=0.6,
                                      max_momentum=0.99, div_factor=10.0, final_div_factor=100.0)),
        Row(lambda s, o: s.OneCycleLR(o, [0.1, 0.2], 200, cycle_momentum=False, pct_start=0.25), None, "groups"),
        Row(lambda s, o: s.OneCycleLR(o, 8.0, 101, pct_start=51 / 101, anneal_strategy="linear", div_factor=4.0,
                                      final_div_factor=1e9),
            lambda t, lr: 2 + 6 * t / 50 if t <= 50 else 8 + (2e-9 - 8) * (t - 50) / 50, steps=101,
            momentum=lambda t: 0.95 - 0.1 * (t / 50 if t <= 50 else 2 - t / 50)),
    ],
    "ReduceLROnPlateau": [
        Row(lambda s, o: s.ReduceLROnPlateau(o), measured=wave),
        Row(lambda s, o: s.ReduceLROnPlateau(o, "max", 0.5, patience=3, cooldown=4, min_lr=[0.01, 0.002]), None,
            "groups", measured=lambda t: -wave(t)),
        Row(lambda s, o: s.ReduceLROnPlateau(o, factor=0.7, patience=2, threshold=0.1, threshold_mode="abs"), None,
            "adam", measured=wave),
        Row(lambda s, o: s.ReduceLROnPlateau(o, "max", 0.3, 0, 0.1, "abs", eps=1e-3), measured=wave),
        Row(lambda s, o: s.ReduceLROnPlateau(o, factor=0.97, patience=1),
            lambda t, lr: lr * 0.97 ** (max(t - 1, 0) // 2), measured=lambda t: 1.0),
    ],
    "LambdaLR": [
        Row(lambda s, o: s.LambdaLR(o, lambda t: 0.95**t), lambda t, lr: lr * 0.95**t),
        Row(lambda s, o: s.LambdaLR(o, [lambda t: 1 / (1 + t), Shrink(0.97)]), None, "groups"),
    ],
    "MultiplicativeLR": [
        Row(lambda s, o: s.MultiplicativeLR(o, lambda t: 0.95), lambda t, lr: lr * 0.95**t),
        Row(lambda s, o: s.MultiplicativeLR(o, [lambda t: t / (t + 1), Shrink(0.999)]), None, "groups"),
    ],
    "SequentialLR": [
        Row(sequence, sequence_formula, "groups"),
        Row(nested_sequence, nested_formula, ours=True),
        Row(sequence_of_sequences, lambda t, lr: sequence_formula(t, lr) if t < 130 else lr * 0.9 ** (t - 130),
            "groups", ours=True),
        Row(sequence_of_chains, sequence_of_chains_formula, ours=True),
        Row(sequence_then_multiplied),
        Row(lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3, 0.9)], []), lambda t, lr: lr * 0.9 ** (t // 3)),
    ],
    "ChainedScheduler": [
        Row(chain, lambda t, lr: lr * 0.98**t * (0.1 if t < 20 else 1), "groups"),
        Row(nested_chain, lambda t, lr: lr * 0.98**t * (0.1 if t < 20 else 1) * 0.7 ** (t // 17)),
        Row(chain_of_sequences),
    ],
    "InverseTimeLR": [
        Row(lambda s, o: s.InverseTimeLR(o, k=0.1), lambda t, lr: lr / (1 + 0.1 * t), "groups", ours=True),
        Row(lambda s, o: s.InverseTimeLR(o, 0.0), lambda t, lr: lr, ours=True),
    ],
    "ConstantThenInverseLR": [
        Row(lambda s, o: s.ConstantThenInverseLR(o, tau=50), lambda t, lr: lr * 50 / max(t, 50), "groups", ours=True),
        Row(lambda s, o: s.ConstantThenInverseLR(o, 0.5), lambda t, lr: lr * 0.5 / max(t, 0.5), "adam", ours=True),
    ],
    "HalveWhenWorseLR": [
        Row(lambda s, o: s.HalveWhenWorseLR(o), halved, "groups", measured=wave, ours=True),
        Row(lambda s, o: s.HalveWhenWorseLR(o, factor=0.9), lambda t, lr: halved(t, lr, factor=0.9), measured=wave,
            ours=True),
    ],
    "SWALR": [
        Row(lambda s, o: s.SWALR(o, swa_lr=0.01), lambda t, lr: cosine(min(t, 10), lr, 10, 0.01)),
        Row(lambda s, o: s.SWALR(o, [0.01, 0.5], 30, "linear"), None, "groups"),
        Row(lambda s, o: s.SWALR(o, 0.05, anneal_epochs=0), None, "adam"),
    ],
}  # fmt: skip
