"""Rows of the optimizers that scale each entry by the gradients it has seen."""

from __future__ import annotations

import numpy as np
from optimizers import Row

from optim import plain_mean


def decayed(p, g, weight_decay, maximize):
    return (-g if maximize else g) + weight_decay * p


def adam_step(
    p, g, s, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False,
    decoupled_weight_decay=False, bias_correction=True, eps_inside_root=False,
):  # fmt: skip
    g = -g if maximize else g
    if decoupled_weight_decay:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    t = s["t"] = s.get("t", 0) + 1
    m = s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    v = s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g * g
    if amsgrad:
        v = s["top"] = np.maximum(s.get("top", 0), v)
    if bias_correction:
        m, v = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return p - lr * m / (np.sqrt(v + eps) if eps_inside_root else np.sqrt(v) + eps)


def adamw_step(p, g, s, lr, weight_decay=1e-2, **kwargs):
    return adam_step(p, g, s, lr, weight_decay=weight_decay, decoupled_weight_decay=True, **kwargs)


def adamax_step(p, g, s, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False):
    g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    m = s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    u = s["u"] = np.maximum(betas[1] * s.get("u", np.zeros_like(p)), np.abs(g) + eps)
    return p - lr / (1 - betas[0] ** t) * m / u


def nadam_step(
    p, g, s, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3, decoupled_weight_decay=False,
    maximize=False,
):  # fmt: skip
    # Algorithm 1 of the paper, with its schedule of μ.
    if decoupled_weight_decay:
        p, g = p * (1 - lr * weight_decay), (-g if maximize else g)
    else:
        g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    mus = [betas[0] * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in range(1, t + 2)]
    m = s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    v = s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g * g
    m_hat = mus[t] * m / (1 - np.prod(mus)) + (1 - mus[t - 1]) * g / (1 - np.prod(mus[:t]))
    return p - lr * m_hat / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def radam_step(
    p, g, s, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled_weight_decay=False, maximize=False
):
    # Algorithm 2 of the paper; PyTorch adds ε to the root of the uncorrected mean.
    if decoupled_weight_decay:
        p, g = p * (1 - lr * weight_decay), (-g if maximize else g)
    else:
        g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    m = s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    v = s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g * g
    m_hat = m / (1 - betas[0] ** t)
    inf = 2 / (1 - betas[1]) - 1
    rho = inf - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
    if rho <= 5:
        return p - lr * m_hat
    r = np.sqrt((rho - 4) * (rho - 2) * inf / ((inf - 4) * (inf - 2) * rho))
    return p - lr * m_hat * r * np.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)


def adagrad_step(
    p, g, s, lr, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, maximize=False,
    eps_inside_root=False,
):  # fmt: skip
    g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    v = s["v"] = s.get("v", initial_accumulator_value) + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(v + eps) if eps_inside_root else np.sqrt(v) + eps)


def rmsprop_step(
    p, g, s, lr, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, maximize=False,
    eps_inside_root=False,
):  # fmt: skip
    g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    a = alpha(t) if callable(alpha) else alpha
    v = s["v"] = a * s.get("v", 0) + (1 - a) * g * g
    if centered:
        s["m"] = a * s.get("m", 0) + (1 - a) * g
        v = v - s["m"] ** 2
    update = g / (np.sqrt(v + eps) if eps_inside_root else np.sqrt(v) + eps)
    if momentum:
        update = s["b"] = momentum * s.get("b", 0) + update
    return p - lr * update


def adadelta_step(p, g, s, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, maximize=False, accumulate_updates=True):
    # Algorithm 1 of the paper; without the accumulated updates, section 7.2.3 of 6.036's notes.
    g = decayed(p, g, weight_decay, maximize)
    t = s["t"] = s.get("t", 0) + 1
    r = rho(t) if callable(rho) else rho
    v = s["v"] = r * s.get("v", 0) + (1 - r) * g * g
    if not accumulate_updates:
        return p - lr * g / np.sqrt(v + eps)
    change = np.sqrt(s.get("u", 0) + eps) / np.sqrt(v + eps) * g
    s["u"] = r * s.get("u", 0) + (1 - r) * change**2
    return p - lr * change


def refuses(name, *more):
    return (
        ({"lr": -1.0}, f"{name}: lr must not be negative, got -1.0"),
        ({"eps": -1.0}, f"{name}: eps must not be negative, got -1.0"),
        ({"weight_decay": -1.0}, f"{name}: weight_decay must not be negative, got -1.0"),
        ({"differentiable": True}, f"{name}: differentiable=True is not there"),
        *((kwargs, f"{name}: {message}") for kwargs, message in more),
    )


BETAS = (
    ({"betas": (0.9, 1.0)}, r"betas\[1\] must be at least 0 and below 1, got 1.0"),
    ({"betas": (-0.1, 0.9)}, r"betas\[0\] must be at least 0 and below 1, got -0.1"),
    ({"capturable": True}, "capturable is for recording CUDA graphs"),
)

OPTIMIZERS = {
    "Adam": Row(
        adam_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-2, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1},
            {"lr": 1e-2, "amsgrad": True},
            {"lr": 1e-3, "maximize": True, "amsgrad": True},
            {"lr": 1e-2, "weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": 1e-3, "bias_correction": False},
            {"lr": 1e-2, "eps_inside_root": True, "eps": 1e-6},
        ],
        refuses("Adam", *BETAS),
    ),
    "AdamW": Row(
        adamw_step,
        [{"lr": 1e-2}, {"lr": 1e-2, "weight_decay": 0.5, "amsgrad": True}, {"lr": 1e-3, "maximize": True}],
        refuses("AdamW", *BETAS),
    ),
    "Adamax": Row(
        adamax_step,
        [{"lr": 1e-2}, {"lr": 1e-2, "betas": (0.8, 0.9), "weight_decay": 0.1}, {"lr": 1e-3, "maximize": True}],
        refuses("Adamax", *BETAS),
    ),
    "NAdam": Row(
        nadam_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-2, "betas": (0.8, 0.99), "weight_decay": 0.1, "momentum_decay": 0.1},
            {"lr": 1e-2, "weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": 1e-3, "maximize": True},
        ],
        refuses("NAdam", *BETAS, ({"momentum_decay": -1.0}, "momentum_decay must not be negative")),
    ),
    "RAdam": Row(
        radam_step,
        [
            {"lr": 1e-3},
            {"lr": 1e-3, "betas": (0.8, 0.9), "weight_decay": 0.1},
            {"lr": 1e-3, "weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": 1e-6, "maximize": True},
        ],
        refuses("RAdam", *BETAS),
    ),
    "Adagrad": Row(
        adagrad_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-2, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6},
            {"lr": 1e-3, "maximize": True},
            {"lr": 1e-2, "eps": 1e-8, "eps_inside_root": True},
        ],
        refuses(
            "Adagrad",
            ({"lr_decay": -1.0}, "lr_decay must not be negative"),
            ({"initial_accumulator_value": -1.0}, "initial_accumulator_value must not be negative"),
        ),
    ),
    "RMSprop": Row(
        rmsprop_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-4, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.5},
            {"lr": 1e-3, "centered": True, "eps": 1e-2},
            {"lr": 1e-3, "centered": True, "momentum": 0.9, "eps": 1e-2},
            {"lr": 1e-3, "maximize": True},
            {"lr": 1e-3, "eps": 1e-6, "eps_inside_root": True},
            {"lr": 1e-3, "alpha": plain_mean, "eps_inside_root": True},
        ],
        refuses(
            "RMSprop",
            ({"alpha": -1.0}, "alpha must not be negative"),
            ({"momentum": -1.0}, "momentum must not be negative"),
        ),
    ),
    "Adadelta": Row(
        adadelta_step,
        [
            {"lr": 1.0},
            {"lr": 0.1, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1},
            {"lr": 0.1, "maximize": True},
            {"lr": 1e-3, "eps": 1e-6, "accumulate_updates": False},
            {"lr": 1e-3, "rho": plain_mean, "accumulate_updates": False},
        ],
        refuses("Adadelta", ({"rho": 1.5}, "rho must be between 0 and 1, got 1.5")),
    ),
}
