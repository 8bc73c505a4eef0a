"""Losses of one entry that have a stable form of their own; ``nn.functional`` makes the rest of them."""

from __future__ import annotations

from ..primitive import primitive


@primitive(elementwise=True, promote="same", name="binary_cross_entropy")
def bernoulli_nll(xp, p, target):
    """−(t ln p + (1 − t) ln(1 − p)) for each entry, logarithms cut off at −100; see ``binary_cross_entropy``.

    >>> import autograd
    >>> autograd.bernoulli_nll(autograd.tensor([0.5, 0.0]), autograd.tensor([1.0, 1.0]))
    tensor([  0.6931, 100.0000])
    """
    return -(target * _log(xp, p) + (1 - target) * _log_of_rest(xp, p))


def _log(xp, p):
    possible = p > 0
    return xp.where(possible, xp.maximum(xp.log(xp.where(possible, p, xp.ones_like(p))), -100), p * 0 - 100)


def _log_of_rest(xp, p):
    possible = p < 1
    return xp.where(possible, xp.maximum(xp.log1p(-xp.where(possible, p, xp.zeros_like(p))), -100), p * 0 - 100)


bernoulli_nll.grads(
    p=lambda xp, g, out, p, target: g * ((p - target) / xp.maximum(p * (1 - p), 1e-12)),
    target=lambda xp, g, out, p, target: g * (_log_of_rest(xp, p) - _log(xp, p)),
)


@primitive(elementwise=True, promote="same", name="binary_cross_entropy_with_logits")
def logistic_nll(xp, x, target):
    """−(t ln σ(x) + (1 − t) ln σ(−x)) for each entry, without overflow; see ``binary_cross_entropy_with_logits``.

    >>> import autograd
    >>> autograd.logistic_nll(autograd.tensor([0.0, 1000.0]), autograd.tensor([1.0, 0.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """
    out = xp.maximum(x, 0) - x * target
    out += xp.log1p(xp.exp(-xp.abs(x)))
    return out


logistic_nll.grads(
    x=lambda xp, g, out, x, target: g * (xp.sigmoid(x) - target),
    target=lambda xp, g, out, x, target: -g * x,
)
