"""Recurrent layers over whole sequences, one operation each: what a step takes from its input comes ready-made.

The rows of a sequence lie step after step: ``batch_sizes[t]`` rows belong to step t, those of the first sequences of
the batch. Where all sequences are equally long every step has as many rows; where they are not, they have been sorted
by length, and the later steps have fewer. So a state is updated in its first rows, in either direction.

Backwards everything but the recurrence itself is computed for all steps at once, and a step of the loop back is a
matrix product and a few products of entries. The rules of all inputs share that loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends import numpy as numpy_namespace
from ..errors import DTypeError, ShapeError, describe
from ..primitive import primitive
from . import numpy_recurrent

__all__ = ["gru_scan", "lstm_scan", "rnn_scan"]


def _spans(batch_sizes, reverse):
    """(first row, one past the last) of each step, in the order in which the steps are taken."""
    ends = list(itertools.accumulate(batch_sizes))
    spans = [(end - n, end) for end, n in zip(ends, batch_sizes, strict=True)]
    return spans[::-1] if reverse else spans


def _top(state, n):
    return state if n == state.shape[0] else state[:n]


def _updated(xp, state, top):
    """``state`` with its first rows replaced."""
    n = top.shape[0]
    return top if n == state.shape[0] else xp.concatenate([top, state[n:]])


def _joined(xp, parts, reverse):
    """What the steps gave, in the order of the rows."""
    return parts[0] if len(parts) == 1 else xp.concatenate(parts[::-1] if reverse else parts)


def _before(xp, levels, first, batch_sizes, reverse):
    """For each row the state that its step started from: that of the step before, or ``first``."""
    n = batch_sizes[0]
    if n == batch_sizes[-1]:
        return xp.concatenate([levels[n:], first] if reverse else [first, levels[: levels.shape[0] - n]])
    parts, state = [], first
    for start, stop in _spans(batch_sizes, reverse):
        parts.append(_top(state, stop - start))
        state = _updated(xp, state, levels[start:stop])
    return _joined(xp, parts, reverse)  # (N, H)


def _shared(memo, g, compute):
    """``compute()``, once for all rules that are called with the same ``g``."""
    if memo is None:
        return compute()
    if memo.get("g") is not g:
        memo["g"], memo["result"] = g, compute()
    return memo["result"]


def _start(xp, g, state):
    return xp.zeros_like(state) if g is None else g


def _check(name, x, weight, gates, batch_sizes, states, others=()):
    """That sizes and dtypes fit; ``states`` and ``others`` are (name, array, its wanted shape)."""
    for role, array, shape in (("weight", weight, (gates, states[0][2][1])), *states, *others):
        if array is not None and tuple(array.shape) != shape:
            raise ShapeError(f"{name}: {role} must have shape {shape}, got {tuple(array.shape)}")
    if x.ndim != 2 or x.shape[1] != gates or x.shape[0] != sum(batch_sizes):
        raise ShapeError(f"{name}: x must have shape {(sum(batch_sizes), gates)}, got {tuple(x.shape)}")
    if not batch_sizes or any(later > n for n, later in itertools.pairwise(batch_sizes)):
        raise ShapeError(
            f"{name}: batch_sizes must have a number for each step, none larger than that before it, got {batch_sizes}"
        )
    for role, array, _ in (("weight", weight, ()), *states, *others):
        if array is not None and array.dtype != x.dtype:
            raise DTypeError(f"{name}: x is {x.dtype} and {role} {describe(array)}; they must have one dtype")


# One tanh serves all gates of a step, since σ(z) = ½ tanh(½ z) + ½; of NumPy's functions it is the quickest.


def _half_tanh(xp, z, scale, offset):
    """σ(z) where scale and offset are ½, tanh z where they are 1 and 0."""
    return xp.tanh(z * scale) * scale + offset


def _scale_and_offset(kinds, size, dtype):
    """For each gate, "s" (σ) or "t" (tanh), scale and offset of its ``size`` entries."""
    scale = np.repeat(np.array([0.5 if k == "s" else 1.0 for k in kinds], dtype), size)
    return scale, 1 - scale


# hₜ = φ(xₜ + W hₜ₋₁)


@primitive(saves=("_memo",), name="rnn")
def rnn_scan(xp, x, weight, h, *, batch_sizes, nonlinearity="tanh", reverse=False):
    """hₜ = φ(xₜ + W hₜ₋₁) over the steps of a sequence.

    Arguments:
        x: (N, H), what the input (and the bias) give to each row, step after step.
        weight: W (H, H). h: (B, H), the states before the first step.
        batch_sizes: how many rows each step has, a tuple that never grows, whose first number is B and whose sum is N.
        nonlinearity: φ, ``"tanh"`` or ``"relu"``.
        reverse: take the last step first.

    Returns the states after each row (N, H), and the last of each sequence (B, H).

    Source: Elman, Finding Structure in Time, 1990.

    >>> import autograd
    >>> ones = autograd.ones(3, 1)
    >>> autograd.rnn_scan(ones, ones[:1], autograd.zeros(1, 1), batch_sizes=(1, 1, 1), nonlinearity="relu")[0]
    tensor([[1.],
            [2.],
            [3.]])
    """
    size = weight.shape[0]
    _check("rnn_scan", x, weight, size, batch_sizes, [("h", h, (batch_sizes[0] if batch_sizes else 0, size))])
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn_scan: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    if xp is numpy_namespace:
        return numpy_recurrent.rnn_forward(x, weight, h, batch_sizes, nonlinearity, reverse), {}
    parts = []
    for start, stop in _spans(batch_sizes, reverse):
        z = x[start:stop] + _top(h, stop - start) @ weight.T
        parts.append(xp.tanh(z) if nonlinearity == "tanh" else xp.maximum(z, 0))
        h = _updated(xp, h, parts[-1])
    return (_joined(xp, parts, reverse), h), {}


def _rnn_loop(xp, g, out, x, weight, h, batch_sizes, nonlinearity, reverse):
    """The gradients of x and h."""
    y = out[0]
    if xp is numpy_namespace:
        return numpy_recurrent.rnn_backward(g, y, weight, h, batch_sizes, nonlinearity, reverse)
    slope = 1 - y * y if nonlinearity == "tanh" else xp.astype(y > 0, y.dtype)
    g_h, parts = _start(xp, g[1], h), []
    for start, stop in _spans(batch_sizes, not reverse):
        g_y = _top(g_h, stop - start)
        if g[0] is not None:
            g_y = g_y + g[0][start:stop]
        parts.append(g_y * slope[start:stop])
        g_h = _updated(xp, g_h, parts[-1] @ weight)
    return _joined(xp, parts, not reverse), g_h


def _rnn_rule(pick: Callable[..., Any]) -> Any:
    def rule(xp, g, out, x, weight, h, *, batch_sizes, nonlinearity="tanh", reverse=False, _memo=None):
        how = batch_sizes, nonlinearity, reverse
        loop = _shared(_memo, g, lambda: _rnn_loop(xp, g, out, x, weight, h, *how))
        return pick(loop, lambda: _before(xp, out[0], h, batch_sizes, reverse))

    return rule


rnn_scan.grads(
    x=_rnn_rule(lambda loop, before: loop[0][:]),
    weight=_rnn_rule(lambda loop, before: loop[0].T @ before()),
    h=_rnn_rule(lambda loop, before: loop[1][:]),
)


# i, f, u, o = σ, σ, tanh, σ of xₜ + W hₜ₋₁; cₜ = f cₜ₋₁ + i u; hₜ = o tanh cₜ


@primitive(saves=("_gates", "_cells", "_memo"), name="lstm")
def lstm_scan(xp, x, weight, h, c, projection=None, *, batch_sizes, reverse=False):
    """Long short-term memory over the steps of a sequence.

    i, f, u, o = σ, σ, tanh, σ of the quarters of xₜ + W hₜ₋₁; cₜ = f cₜ₋₁ + i u; hₜ = P (o tanh cₜ).

    Arguments:
        x: (N, 4 H), what the input (and the bias) give to each row, step after step.
        weight: W (4 H, R). h: (B, R), c: (B, H), the states before the first step.
        projection: P (R, H); without it hₜ = o tanh cₜ, and R = H.
        batch_sizes: how many rows each step has, a tuple that never grows, whose first number is B and whose sum is N.
        reverse: take the last step first.

    Returns hₜ of each row (N, R), and the last h (B, R) and c (B, H) of each sequence.

    Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Gers and others, Learning to Forget, 1999.

    >>> import autograd
    >>> x, w, s = autograd.zeros(6, 4), autograd.zeros(4, 1), autograd.ones(2, 1)
    >>> out, h, c = autograd.lstm_scan(x, w, s, s, batch_sizes=(2, 2, 2)); c
    tensor([[0.1250],
            [0.1250]])
    """
    size, rows = weight.shape[0] // 4, batch_sizes[0] if batch_sizes else 0
    width = size if projection is None else projection.shape[0]
    _check(
        "lstm_scan", x, weight, 4 * size, batch_sizes, [("h", h, (rows, width)), ("c", c, (rows, size))],
        [("projection", projection, (width, size))],
    )  # fmt: skip
    if xp is numpy_namespace:
        return *numpy_recurrent.lstm_forward(x, weight, h, c, projection, batch_sizes, reverse), {}
    scale, offset = _scale_and_offset("ssts", size, x.dtype)
    parts, gates, cells = [], [], []
    for start, stop in _spans(batch_sizes, reverse):
        n = stop - start
        z = _half_tanh(xp, x[start:stop] + _top(h, n) @ weight.T, scale, offset)
        level = z[:, size : 2 * size] * _top(c, n) + z[:, :size] * z[:, 2 * size : 3 * size]
        y = z[:, 3 * size :] * xp.tanh(level)
        parts.append(y if projection is None else y @ projection.T)
        gates.append(z)
        cells.append(level)
        h, c = _updated(xp, h, parts[-1]), _updated(xp, c, level)
    return (_joined(xp, parts, reverse), h, c), _joined(xp, gates, reverse), _joined(xp, cells, reverse), {}


def _lstm_cells(xp, gates, c, batch_sizes, reverse):
    size, parts = c.shape[1], []
    for start, stop in _spans(batch_sizes, reverse):
        z = gates[start:stop]
        parts.append(z[:, size : 2 * size] * _top(c, stop - start) + z[:, :size] * z[:, 2 * size : 3 * size])
        c = _updated(xp, c, parts[-1])
    return _joined(xp, parts, reverse)


def _lstm_loop(xp, g, out, x, weight, h, c, projection, batch_sizes, reverse, gates, cells):
    """The gradients of x, h and c, and with a projection those of hₜ and what it projects."""
    if xp is numpy_namespace:
        if gates is None:
            _, gates, cells = numpy_recurrent.lstm_forward(x, weight, h, c, projection, batch_sizes, reverse)
        return numpy_recurrent.lstm_backward(
            g, weight, h, c, projection, batch_sizes, reverse, gates, cells,
            _before(xp, cells, c, batch_sizes, reverse),
        )  # fmt: skip
    size = c.shape[1]
    if gates is None:
        z = x + _before(xp, out[0], h, batch_sizes, reverse) @ weight.T
        gates = _half_tanh(xp, z, *_scale_and_offset("ssts", size, x.dtype))
        cells = _lstm_cells(xp, gates, c, batch_sizes, reverse)
    before = _before(xp, cells, c, batch_sizes, reverse)
    i, f, u, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
    t = xp.tanh(cells)
    # How much c and h change with each of the gates' arguments, and h with c.
    by_i, by_f, by_u = u * i * (1 - i), before * f * (1 - f), i * (1 - u * u)
    by_o, by_t = t * o * (1 - o), o * (1 - t * t)
    g_h, g_c, parts, outer = _start(xp, g[1], h), _start(xp, g[2], c), [], []
    for start, stop in _spans(batch_sizes, not reverse):
        rows = slice(start, stop)
        g_y = _top(g_h, stop - start) if g[0] is None else _top(g_h, stop - start) + g[0][rows]
        outer.append(g_y)
        g_y = g_y if projection is None else g_y @ projection
        g_level = g_y * by_t[rows] + _top(g_c, stop - start)
        gates_z = [g_level * by_i[rows], g_level * by_f[rows], g_level * by_u[rows], g_y * by_o[rows]]
        parts.append(xp.concatenate(gates_z, 1))  # (n, 4 H)
        g_h = _updated(xp, g_h, parts[-1] @ weight)
        g_c = _updated(xp, g_c, g_level * f[rows])
    return _joined(xp, parts, not reverse), g_h, g_c, _joined(xp, outer, not reverse), o * t


def _lstm_rule(pick: Callable[..., Any]) -> Any:
    def rule(
        xp, g, out, x, weight, h, c, projection=None, *, batch_sizes, reverse=False,
        _gates=None, _cells=None, _memo=None,
    ):  # fmt: skip
        how = projection, batch_sizes, reverse, _gates, _cells
        loop = _shared(_memo, g, lambda: _lstm_loop(xp, g, out, x, weight, h, c, *how))
        return pick(loop, lambda: _before(xp, out[0], h, batch_sizes, reverse))

    return rule


lstm_scan.grads(
    x=_lstm_rule(lambda loop, before: loop[0][:]),
    weight=_lstm_rule(lambda loop, before: loop[0].T @ before()),
    h=_lstm_rule(lambda loop, before: loop[1][:]),
    c=_lstm_rule(lambda loop, before: loop[2][:]),
    projection=_lstm_rule(lambda loop, before: loop[3].T @ loop[4]),
)


# r, z = σ(xₜ + W hₜ₋₁ + b); n = tanh(xₜ + r (W hₜ₋₁ + b)); hₜ = (1 − z) n + z hₜ₋₁


@primitive(saves=("_gates", "_memo"), name="gru")
def gru_scan(xp, x, weight, h, bias=None, *, batch_sizes, reverse=False):
    """Gated recurrent units over the steps of a sequence.

    With aₜ = W hₜ₋₁ + b: r, z = σ(xₜ + aₜ) in the first two thirds; n = tanh(xₜ + r aₜ) in the last;
    hₜ = (1 − z) n + z hₜ₋₁.

    Arguments:
        x: (N, 3 H), what the input (and its bias) give to each row, step after step.
        weight: W (3 H, H). h: (B, H), the states before the first step. bias: b (3 H,) or None.
        batch_sizes: how many rows each step has, a tuple that never grows, whose first number is B and whose sum is N.
        reverse: take the last step first.

    Returns the states after each row (N, H), and the last of each sequence (B, H).

    Source: Cho and others, Learning Phrase Representations using RNN Encoder-Decoder, 2014, in the variant whose
    reset gate acts after the product.

    >>> import autograd
    >>> x, w, h = autograd.zeros(2, 3), autograd.zeros(3, 1), autograd.ones(1, 1)
    >>> autograd.gru_scan(x, w, h, batch_sizes=(1, 1))[0]
    tensor([[0.5000],
            [0.2500]])
    """
    size = weight.shape[0] // 3
    _check(
        "gru_scan", x, weight, 3 * size, batch_sizes, [("h", h, (batch_sizes[0] if batch_sizes else 0, size))],
        [("bias", bias, (3 * size,))],
    )  # fmt: skip
    if xp is numpy_namespace:
        return *numpy_recurrent.gru_forward(x, weight, h, bias, batch_sizes, reverse), {}
    parts, gates = [], []
    for start, stop in _spans(batch_sizes, reverse):
        before = _top(h, stop - start)
        a = _product(before, weight, bias)
        s = _half_tanh(xp, x[start:stop, : 2 * size] + a[:, : 2 * size], 0.5, 0.5)
        n = xp.tanh(x[start:stop, 2 * size :] + s[:, :size] * a[:, 2 * size :])
        parts.append(n + s[:, size:] * (before - n))
        gates.append(xp.concatenate([s, a[:, 2 * size :], n], 1))
        h = _updated(xp, h, parts[-1])
    return (_joined(xp, parts, reverse), h), _joined(xp, gates, reverse), {}


def _product(h, weight, bias):
    return h @ weight.T if bias is None else h @ weight.T + bias


def _gru_loop(xp, g, out, x, weight, h, bias, batch_sizes, reverse, gates):
    """The gradients of x, of W hₜ₋₁ + b, and of h."""
    if xp is numpy_namespace:
        if gates is None:
            _, gates = numpy_recurrent.gru_forward(x, weight, h, bias, batch_sizes, reverse)
        before = _before(xp, out[0], h, batch_sizes, reverse)
        return numpy_recurrent.gru_backward(g, weight, h, batch_sizes, reverse, gates, before)
    size = h.shape[1]
    before = _before(xp, out[0], h, batch_sizes, reverse)
    if gates is None:
        a = _product(before, weight, bias)
        s = _half_tanh(xp, x[:, : 2 * size] + a[:, : 2 * size], 0.5, 0.5)
        r, z, candidates = s[:, :size], s[:, size:], a[:, 2 * size :]
        n = xp.tanh(x[:, 2 * size :] + r * candidates)
    else:
        r, z, candidates, n = (gates[:, k * size : (k + 1) * size] for k in range(4))
    # How much hₜ changes with the arguments of r, z and n.
    by_n = (1 - z) * (1 - n * n)
    by_r = by_n * candidates * r * (1 - r)
    by_z = (before - n) * z * (1 - z)
    by_a = xp.stack([by_r, by_z, by_n * r], 1)
    g_h, parts, g_ys = _start(xp, g[1], h), [], []
    for start, stop in _spans(batch_sizes, not reverse):
        rows = stop - start
        g_y = _top(g_h, rows)
        if g[0] is not None:
            g_y = g_y + g[0][start:stop]
        g_ys.append(g_y)
        parts.append((g_y.reshape(rows, 1, size) * by_a[start:stop]).reshape(rows, 3 * size))  # (n, 3 H)
        g_h = _updated(xp, g_h, parts[-1] @ weight + g_y * z[start:stop])
    g_a = _joined(xp, parts, not reverse)
    g_n = _joined(xp, g_ys, not reverse) * by_n
    return xp.concatenate([g_a[:, : 2 * size], g_n], 1), g_a, g_h


def _gru_rule(pick: Callable[..., Any]) -> Any:
    def rule(xp, g, out, x, weight, h, bias=None, *, batch_sizes, reverse=False, _gates=None, _memo=None):
        how = batch_sizes, reverse, _gates
        loop = _shared(_memo, g, lambda: _gru_loop(xp, g, out, x, weight, h, bias, *how))
        return pick(loop, lambda: _before(xp, out[0], h, batch_sizes, reverse))

    return rule


gru_scan.grads(
    x=_gru_rule(lambda loop, before: loop[0][:]),
    weight=_gru_rule(lambda loop, before: loop[1].T @ before()),
    h=_gru_rule(lambda loop, before: loop[2][:]),
    bias=_gru_rule(lambda loop, before: loop[1][:]),
)
