"""Rows of the optimizers that follow the gradient or its sign, with momentum or without."""

from __future__ import annotations

import numpy as np
from optimizers import Row

from optim import plain_mean


def sgd_step(
    p, g, s, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False, form="pytorch"
):
    g = (-g if maximize else g) + weight_decay * p
    t = s["t"] = s.get("t", 0) + 1
    if callable(momentum):
        momentum = momentum(t)
    if form == "velocity":
        s["b"] = momentum * s.get("b", 0) + lr * g
        return p - s["b"]
    if form == "average":
        s["b"] = momentum * s.get("b", 0) + (1 - momentum) * g
        return p - lr * s["b"]
    if momentum:
        s["b"] = momentum * s["b"] + (1 - dampening) * g if "b" in s else g
        g = g + momentum * s["b"] if nesterov else s["b"]
    return p - lr * g


def asgd_step(p, g, s, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    t = s["t"] = s.get("t", 0) + 1
    eta = lr if t == 1 else lr / (1 + lambd * lr * (t - 1)) ** alpha
    return p - eta * (g + lambd * p)


def rprop_step(p, g, s, lr, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False):
    g = -g if maximize else g
    turn = g * s.get("prev", 0)
    size = s.get("size", np.full(p.shape, lr))
    size = np.where(turn > 0, size * etas[1], np.where(turn < 0, size * etas[0], size))
    s["size"] = size = np.clip(size, *step_sizes)
    s["prev"] = g = np.where(turn < 0, 0, g)
    return p - size * np.sign(g)


def lion_step(p, g, s, lr, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
    # Program 1 of the paper.
    g = -g if maximize else g
    m = s.get("m", np.zeros_like(p))
    update = np.sign((1 - betas[0]) * g + betas[0] * m) + weight_decay * p
    s["m"] = (1 - betas[1]) * g + betas[1] * m
    return p - lr * update


OPTIMIZERS = {
    "SGD": Row(
        sgd_step,
        [
            {"lr": 1e-3},
            {"lr": 1e-3, "momentum": 0.9},
            {"lr": 1e-3, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
            {"lr": 5e-4, "momentum": 0.8, "dampening": 0.3},
            {"lr": 1e-6, "momentum": 0.5, "maximize": True},
            {"lr": 1e-4, "momentum": 0.9, "form": "velocity", "weight_decay": 0.1},
            {"lr": 1e-3, "momentum": 0.9, "form": "average"},
            {"lr": 1e-3, "momentum": plain_mean, "form": "average"},
        ],
        (
            ({"lr": -1.0}, "SGD: lr must not be negative, got -1.0"),
            ({"lr": float("nan")}, "SGD: lr must not be negative, got nan"),
            ({"momentum": -1.0}, "SGD: momentum must not be negative, got -1.0"),
            ({"weight_decay": -1.0}, "SGD: weight_decay must not be negative, got -1.0"),
            ({"nesterov": True}, "SGD: nesterov wants a momentum above 0 and no dampening, got momentum=0 "),
            ({"nesterov": True, "momentum": 0.5, "dampening": 0.5}, "and no dampening, got .* dampening=0.5"),
            ({"nesterov": "ahead", "momentum": 0.5}, "nesterov must be True, False or 'look_ahead', got 'ahead'"),
            ({"nesterov": "look_ahead", "momentum": 0.5}, "nesterov='look_ahead' with form='velocity'"),
            ({"nesterov": True, "momentum": 0.5, "form": "average"}, "nesterov=True goes with form='pytorch'"),
            ({"form": "lecture"}, "SGD: form must be 'pytorch', 'velocity' or 'average', got 'lecture'"),
            ({"form": "average", "momentum": 0.5, "dampening": 0.5}, "form='average' has no dampening, got 0.5"),
            ({"momentum": plain_mean}, "momentum may be a function of the step with form='velocity' or 'average'"),
            ({"differentiable": True}, "SGD: differentiable=True is not there"),
        ),
    ),
    "ASGD": Row(
        asgd_step,
        [
            {"lr": 1e-3},
            {"lr": 1e-3, "lambd": 0.01, "alpha": 0.9, "t0": 10.0, "weight_decay": 0.1},
            {"lr": 1e-6, "maximize": True},
        ],
        (
            ({"lr": -1.0}, "ASGD: lr must not be negative"),
            ({"weight_decay": -1.0}, "ASGD: weight_decay must not be negative"),
            ({"capturable": True}, "ASGD: capturable is for recording CUDA graphs"),
        ),
    ),
    "Rprop": Row(
        rprop_step,
        [
            {"lr": 1e-3},
            {"lr": 1e-3, "etas": (0.3, 1.1), "step_sizes": (1e-5, 0.01)},
            {"lr": 1e-5, "step_sizes": (1e-6, 1e-3), "maximize": True},
        ],
        (
            ({"lr": -1.0}, "Rprop: lr must not be negative"),
            ({"etas": (1.5, 2.0)}, r"etas must be \(below 1, above 1\) and above 0, got \(1.5, 2.0\)"),
        ),
    ),
    "Lion": Row(
        lion_step,
        [{"lr": 1e-3}, {"lr": 1e-3, "betas": (0.95, 0.98), "weight_decay": 0.1}, {"lr": 1e-4, "maximize": True}],
        (
            ({"lr": -1.0}, "Lion: lr must not be negative"),
            ({"betas": (0.9, 1.0)}, r"Lion: betas\[1\] must be at least 0 and below 1, got 1.0"),
            ({"weight_decay": -1.0}, "Lion: weight_decay must not be negative"),
        ),
        ours_alone=True,
    ),
}
