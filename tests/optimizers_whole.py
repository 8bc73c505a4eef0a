"""Rows of the optimizers whose rule needs whole tensors."""

from __future__ import annotations

import numpy as np
from optimizers import Row


def adafactor_step(p, g, s, lr, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False):
    # Algorithm 4 of the paper with relative steps, as PyTorch scales them.
    def rms(x):
        return np.sqrt(np.mean(x**2))

    g = -g if maximize else g
    eps1 = np.finfo(p.dtype).eps if eps[0] is None else eps[0]
    t = s["t"] = s.get("t", 0) + 1
    beta = 1 - t**beta2_decay
    alpha = max(eps[1], rms(p)) * min(lr, 1 / np.sqrt(t))
    if g.ndim > 1:
        s["r"] = beta * s.get("r", 0) + (1 - beta) * np.mean(g**2, -1)
        s["c"] = beta * s.get("c", 0) + (1 - beta) * np.mean(g**2, -2)
        v = np.einsum("...i,...j->...ij", s["r"], s["c"]) / np.maximum(s["r"].mean(-1), eps1)[..., None, None]
    else:
        v = s["v"] = beta * s.get("v", 0) + (1 - beta) * g**2
    u = g / np.sqrt(np.maximum(v, eps1**2))
    return p * (1 - lr * weight_decay) - alpha * u / max(1, rms(u) / d)


def muon_step(
    p, g, s, lr, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7,
    ns_steps=5, adjust_lr_fn=None,
):  # fmt: skip
    # The iteration acts on singular values alone, so it is done on those of the decomposition.
    s["b"] = momentum * s.get("b", 0) + (1 - momentum) * g
    mixed = (1 - momentum) * g + momentum * s["b"] if nesterov else s["b"]
    u, values, vt = np.linalg.svd(mixed, full_matrices=False)
    values = values / max(np.linalg.norm(values), eps)
    a, b, c = ns_coefficients
    for _ in range(ns_steps):
        values = a * values + b * values**3 + c * values**5
    n, m = p.shape
    ratio = 0.2 * np.sqrt(max(n, m)) if adjust_lr_fn == "match_rms_adamw" else np.sqrt(max(1, n / m))
    return p * (1 - lr * weight_decay) - lr * ratio * (u * values) @ vt


def shampoo_step(
    p, g, s, lr, momentum=0.0, weight_decay=0.0, epsilon=1e-4, update_freq=1, maximize=False, max_size=8192
):
    # Algorithm 2 of the paper, for tensors of any order, with scipy's powers of matrices.
    import scipy.linalg

    g = (-g if maximize else g) + weight_decay * p
    t = s["t"] = s.get("t", 0) + 1
    g = np.atleast_1d(g)
    k = g.ndim
    update = g
    for i in range(k):
        others = [a for a in range(k) if a != i]
        outer = np.tensordot(g, g, (others, others))
        if len(outer) > max_size:
            outer = np.diag(np.diag(outer))
        h = s[i] = s.get(i, epsilon * np.eye(len(outer))) + outer
        if (t - 1) % update_freq == 0:
            s["root", i] = np.linalg.inv(scipy.linalg.sqrtm(h) if k == 1 else scipy.linalg.sqrtm(scipy.linalg.sqrtm(h)))
        update = np.moveaxis(np.tensordot(s["root", i], update, (1, i)), 0, i)
    assert k in (1, 2)
    if momentum:
        update = s["b"] = momentum * s.get("b", 0) + update
    return p - lr * update.real.reshape(p.shape)


OPTIMIZERS = {
    "Adafactor": Row(
        adafactor_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-3, "beta2_decay": -0.5, "eps": (1e-6, 1e-2), "d": 2.0, "weight_decay": 0.1},
            {"lr": 1e-3, "maximize": True},
        ],
        (
            ({"lr": -1.0}, "Adafactor: lr must not be negative"),
            ({"beta2_decay": 0.5}, "Adafactor: beta2_decay must not be above 0, got 0.5"),
            ({"eps": (None, -1.0)}, "Adafactor: eps must not be negative"),
            ({"d": 0.5}, "Adafactor: d must be at least 1, got 0.5"),
            ({"weight_decay": -1.0}, "Adafactor: weight_decay must not be negative"),
        ),
        by_entry=False,
    ),
    "Muon": Row(
        muon_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-2, "nesterov": False, "weight_decay": 0.5, "momentum": 0.8, "adjust_lr_fn": "match_rms_adamw"},
            {"lr": 1e-2, "ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5), "eps": 1e-3, "adjust_lr_fn": "original"},
        ],
        (
            ({"lr": -1.0}, "Muon: lr must not be negative"),
            ({"momentum": -1.0}, "Muon: momentum must not be negative"),
            ({"adjust_lr_fn": "no"}, "Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got 'no'"),
            ({"ns_steps": 100}, "Muon: ns_steps must be at least 0 and below 100, got 100"),
            ({"ns_coefficients": (1.0, 2.0)}, "Muon: ns_coefficients must be three numbers"),
        ),
        matrices=True,
        # PyTorch orthogonalises in bfloat16, which has 8 bits.
        atol=(2e-2, 2e-2),
        by_entry=False,
    ),
    "Shampoo": Row(
        shampoo_step,
        [
            {"lr": 1e-2},
            {"lr": 1e-2, "momentum": 0.9, "weight_decay": 0.1, "epsilon": 1e-2},
            {"lr": 1e-2, "update_freq": 3, "epsilon": 1e-2},
            {"lr": 1e-2, "max_size": 3},
            {"lr": 1e-3, "maximize": True},
        ],
        (
            ({"lr": -1.0}, "Shampoo: lr must not be negative"),
            ({"epsilon": -1.0}, "Shampoo: epsilon must not be negative"),
            ({"update_freq": 0}, "Shampoo: update_freq must be a whole number above 0, got 0"),
            ({"max_size": 0}, "Shampoo: max_size must be a whole number above 0, got 0"),
        ),
        ours_alone=True,
        by_entry=False,
    ),
}
