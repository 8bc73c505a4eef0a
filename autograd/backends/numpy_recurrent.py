"""The loops of recurrent layers in NumPy, in a third less time than their plain rules: see ``ops/recurrent.py``.

A step is a small matrix product and a dozen passes over a few thousand entries, so calls themselves count. They write
into memory that was made before the first step, and take their operands from iterating over arrays. The gates of a
step lie one after the other, (gates, n, H), so that what is done to the entries of several is one pass without gaps.
Backwards, all that does not depend on the recurrence is done for as many steps at once as the cache holds.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward", "rnn_backward", "rnn_forward"]

_CACHED = 1 << 18  # entries


class _Run(NamedTuple):
    """Neighbouring steps with equally many rows."""

    start: int  # the first row
    stop: int  # one past the last
    steps: int
    n: int  # rows of each step
    before: int  # rows of the step that was taken before them, 0 if there was none

    def of(self, rows: Any, parts: int = 1) -> Any:
        """Their part of ``rows`` (N, parts · H), as (steps, parts, n, H)."""
        blocks = rows[self.start : self.stop].reshape(self.steps, self.n, parts, rows.shape[1] // parts)
        return blocks.transpose(0, 2, 1, 3)

    def within(self, flat: Any, parts: int, size: int) -> Any:
        """Their part of memory that holds step after step, as (steps, parts, n, H)."""
        width = parts * size
        return flat[width * self.start : width * self.stop].reshape(self.steps, parts, self.n, size)

    def times_states(self, factors: Any, levels: Any, first: Any, reverse: bool) -> None:
        """Multiplies ``factors`` (steps, n, H) by the states that the steps started from.

        Arguments:
            levels: (N, H), the states after each row. first: (B, H), those before the first step.
        """
        states, before, n = self.of(levels)[:, 0], self.before, self.n
        if not reverse:
            factors[1:] *= states[:-1]
            factors[0] *= levels[self.start - before : self.start - before + n] if before else first[:n]
            return
        factors[:-1] *= states[1:]
        factors[-1, :before] *= levels[self.stop : self.stop + before]
        factors[-1, before:] *= first[before:n]  # sequences that begin here, at their ends


def _runs(batch_sizes: tuple[int, ...], reverse: bool, size: int = 0) -> list[_Run]:
    """All steps, in the order in which they are taken; with ``size`` entries a row, runs that the cache holds."""
    runs: list[_Run] = []
    start = earlier = 0
    for n, same in itertools.groupby(batch_sizes):
        steps = len(list(same))
        limit = max(1, _CACHED // max(1, size * n)) if size else steps
        for first in range(0, steps, limit):
            count = min(limit, steps - first)
            runs.append(_Run(start, start + count * n, count, n, earlier))
            start, earlier = start + count * n, n
    if not reverse:
        return runs
    later = [run.n for run in runs[1:]]
    return [run._replace(before=n) for run, n in zip(runs, [*later, 0], strict=True)][::-1]


def _order(backwards: bool) -> slice:
    return slice(None, None, -1 if backwards else 1)


def _state(g: Any, like: Any) -> Any:
    """A gradient to be updated, zeros if there is none."""
    return np.zeros(like.shape, like.dtype) if g is None else np.array(g, order="C")


def _turned(weight: Any, steps: int) -> Any:
    """Wᵀ; for several steps a copy in the order of its rows pays."""
    return np.ascontiguousarray(weight.T) if steps > 3 else weight.T


def _upstream(g: Any, run: _Run, order: slice) -> Any:
    """The gradients of the steps of a run, each (n, H), or None for each."""
    return itertools.repeat(None) if g is None else run.of(g)[order, 0]


# hₜ = φ(xₜ + W hₜ₋₁)


def rnn_forward(
    x: Any, weight: Any, h: Any, batch_sizes: tuple[int, ...], nonlinearity: str, reverse: bool
) -> tuple[Any, Any]:
    """The states after each row (N, H), and the last of each sequence (B, H)."""
    order, turned = _order(reverse), _turned(weight, len(batch_sizes))
    out, last = np.empty(x.shape, x.dtype), np.array(h, order="C")
    matmul, add, tanh, maximum = np.matmul, np.add, np.tanh, np.maximum
    for run in _runs(batch_sizes, reverse):
        state = last[: run.n]
        for given, y in zip(run.of(x)[order, 0], run.of(out)[order, 0], strict=True):
            matmul(state, turned, y)
            add(y, given, y)
            if nonlinearity == "tanh":
                tanh(y, y)
            else:
                maximum(y, 0, out=y)
            state = y
        last[: run.n] = state
    return out, last


def rnn_backward(
    g: Any, y: Any, weight: Any, h: Any, batch_sizes: tuple[int, ...], nonlinearity: str, reverse: bool
) -> tuple[Any, Any]:
    """The gradients of x (N, H) and h (B, H)."""
    order = _order(not reverse)
    if nonlinearity == "tanh":
        g_x = np.multiply(y, y)
        np.subtract(1, g_x, g_x)
    else:
        g_x = (y > 0).astype(y.dtype)
    g_h = _state(g[1], h)
    matmul, add, multiply = np.matmul, np.add, np.multiply
    for run in reversed(_runs(batch_sizes, reverse)):
        g_y = g_h[: run.n]
        for z, given in zip(run.of(g_x)[order, 0], _upstream(g[0], run, order), strict=False):
            if given is not None:
                add(g_y, given, g_y)
            multiply(z, g_y, z)
            matmul(z, weight, g_y)
    return g_x, g_h


# i, f, u, o = σ, σ, tanh, σ of xₜ + W hₜ₋₁; cₜ = f cₜ₋₁ + i u; hₜ = P (o tanh cₜ)
#
# In memory o comes first, so that the gates which are σ are neighbours. One tanh serves all four, since
# σ(z) = ½ tanh(½ z) + ½; of NumPy's functions it is the quickest.


def lstm_forward(
    x: Any, weight: Any, h: Any, c: Any, projection: Any, batch_sizes: tuple[int, ...], reverse: bool
) -> tuple[tuple[Any, Any, Any], Any, Any]:
    """hₜ of each row (N, R) and the last h and c; o, i, f, u of each step in flat memory; and cₜ of each row (N, H)."""
    (rows, size), dtype, order = (x.shape[0], c.shape[1]), x.dtype, _order(reverse)
    turned = _turned(weight, len(batch_sizes))
    out, cells = np.empty((rows, h.shape[1]), dtype), np.empty((rows, size), dtype)
    gates = np.empty(4 * size * rows, dtype)
    last_h, last_c = np.array(h, order="C"), np.array(c, order="C")
    matmul, add, multiply, tanh = np.matmul, np.add, np.multiply, np.tanh
    for run in _runs(batch_sizes, reverse):
        n = run.n
        product, (written, hidden) = np.empty((n, 4 * size), dtype), np.empty((2, n, size), dtype)
        by_gate = product.reshape(n, 4, size).transpose(1, 0, 2)
        p_o, p_ifu = by_gate[3], by_gate[:3]
        given, s = run.of(x, 4)[order], run.within(gates, 4, size)[order]
        state, cell = last_h[:n], last_c[:n]
        for x_o, x_ifu, z, sigmoids, ifu, o, i, f, u, level, y in zip(
            given[:, 3], given[:, :3], s, s[:, :3], s[:, 1:], s[:, 0], s[:, 1], s[:, 2], s[:, 3],
            run.of(cells)[order, 0], run.of(out)[order, 0], strict=True,
        ):  # fmt: skip
            matmul(state, turned, product)
            add(x_o, p_o, o)
            add(x_ifu, p_ifu, ifu)
            multiply(sigmoids, 0.5, sigmoids)
            tanh(z, z)
            multiply(sigmoids, 0.5, sigmoids)
            add(sigmoids, 0.5, sigmoids)
            multiply(i, u, written)
            multiply(f, cell, level)
            add(level, written, level)
            tanh(level, hidden)
            if projection is None:
                multiply(o, hidden, y)
            else:
                multiply(o, hidden, hidden)
                matmul(hidden, projection.T, y)
            state, cell = y, level
        last_h[:n], last_c[:n] = state, cell
    return (out, last_h, last_c), gates, cells


def lstm_backward(
    g: Any, weight: Any, h: Any, c: Any, projection: Any, batch_sizes: tuple[int, ...], reverse: bool,
    gates: Any, cells: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """The gradients of x, h and c, and with a projection those of hₜ (N, R) and what it projects (N, H)."""
    (rows, size), dtype, order = cells.shape, cells.dtype, _order(not reverse)
    g_x, g_h, g_c = np.empty((rows, 4 * size), dtype), _state(g[1], h), _state(g[2], c)
    outer: Any = None if projection is None else np.empty((rows, h.shape[1]), dtype)
    inner: Any = None if projection is None else np.empty((rows, size), dtype)
    runs = _runs(batch_sizes, reverse, 6 * size)
    most = size * max(run.stop - run.start for run in runs)
    factors, levels = np.empty(5 * most, dtype), np.empty(most, dtype)
    matmul, add, multiply, subtract, copyto = np.matmul, np.add, np.multiply, np.subtract, np.copyto
    for run in reversed(runs):
        n, count = run.n, run.stop - run.start
        s = run.within(gates, 4, size)
        t = np.tanh(run.of(cells)[:, 0], levels[: size * count].reshape(run.steps, n, size))
        if projection is not None:
            multiply(s[:, 0], t, run.of(inner)[:, 0])
            outers = run.of(outer)[order, 0]
        # How much hₜ changes with the argument of o; cₜ with those of i, f and u; hₜ with cₜ.
        by = factors[: 5 * size * count].reshape(run.steps, 5, n, size)
        subtract(1, s[:, :3], by[:, :3])
        multiply(by[:, :3], s[:, :3], by[:, :3])
        multiply(by[:, 0], t, by[:, 0])
        multiply(by[:, 1], s[:, 3], by[:, 1])
        run.times_states(by[:, 2], cells, c, reverse)
        multiply(s[:, 3], s[:, 3], by[:, 3])
        multiply(t, t, by[:, 4])
        subtract(1, by[:, 3:], by[:, 3:])
        multiply(by[:, 3:], s[:, 1::-1], by[:, 3:])
        by, back, g_y, g_cell = by[order], run.of(g_x, 4)[order], g_h[:n], g_c[:n]
        g_hidden = g_y if projection is None else np.empty((n, size), dtype)
        for k, (z_o, z_ifu, g_level, f, to_o, to_ifu, row, given) in enumerate(
            zip(
                by[:, 0], by[:, 1:4], by[:, 4], s[order, 2], back[:, 3], back[:, :3], run.of(g_x)[order, 0],
                _upstream(g[0], run, order), strict=False,
            )
        ):  # fmt: skip
            if given is not None:
                add(g_y, given, g_y)
            if projection is not None:
                outers[k] = g_y
                matmul(g_y, projection, g_hidden)
            multiply(z_o, g_hidden, z_o)
            copyto(to_o, z_o)
            multiply(g_level, g_hidden, g_level)
            add(g_level, g_cell, g_level)
            multiply(z_ifu, g_level, z_ifu)
            copyto(to_ifu, z_ifu)
            matmul(row, weight, g_y)
            multiply(g_level, f, g_cell)
    return g_x, g_h, g_c, outer, inner


# r, z = σ(xₜ + W hₜ₋₁ + b); n = tanh(xₜ + r (W hₜ₋₁ + b)); hₜ = (1 − z) n + z hₜ₋₁


def gru_forward(
    x: Any, weight: Any, h: Any, bias: Any, batch_sizes: tuple[int, ...], reverse: bool
) -> tuple[tuple[Any, Any], Any]:
    """The states after each row and the last; and r, z, what r is multiplied by, and n, of each step in flat memory."""
    (rows, size), dtype, order = (x.shape[0], h.shape[1]), x.dtype, _order(reverse)
    turned = _turned(weight, len(batch_sizes))
    out, last = np.empty((rows, size), dtype), np.array(h, order="C")
    gates = np.empty(4 * size * rows, dtype)
    matmul, add, multiply, subtract = np.matmul, np.add, np.multiply, np.subtract
    tanh, copyto = np.tanh, np.copyto
    for run in _runs(batch_sizes, reverse):
        n = run.n
        product = np.empty((n, 3 * size), dtype)
        by_gate = product.reshape(n, 3, size).transpose(1, 0, 2)
        p_rz, p_n = by_gate[:2], by_gate[2]
        given, s = run.of(x, 3)[order], run.within(gates, 4, size)[order]
        state = last[:n]
        for x_rz, x_n, rz, r, z, candidate, new, y in zip(
            given[:, :2], given[:, 2], s[:, :2], s[:, 0], s[:, 1], s[:, 2], s[:, 3], run.of(out)[order, 0], strict=True
        ):
            matmul(state, turned, product)
            if bias is not None:
                add(product, bias, product)
            add(x_rz, p_rz, rz)
            copyto(candidate, p_n)
            multiply(rz, 0.5, rz)
            tanh(rz, rz)
            multiply(rz, 0.5, rz)
            add(rz, 0.5, rz)
            multiply(r, candidate, new)
            add(new, x_n, new)
            tanh(new, new)
            subtract(state, new, y)
            multiply(y, z, y)
            add(y, new, y)
            state = y
        last[:n] = state
    return (out, last), gates


def gru_backward(
    g: Any, y: Any, weight: Any, h: Any, batch_sizes: tuple[int, ...], reverse: bool, gates: Any
) -> tuple[Any, Any, Any]:
    """The gradients of x (N, 3 H), of W hₜ₋₁ + b (N, 3 H), and of h."""
    (rows, size), dtype, order = y.shape, y.dtype, _order(not reverse)
    g_x, g_a, g_h = np.empty((rows, 3 * size), dtype), np.empty((rows, 3 * size), dtype), _state(g[1], h)
    runs = _runs(batch_sizes, reverse, 5 * size)
    most = size * max(run.stop - run.start for run in runs)
    factors, states = np.empty(4 * most, dtype), np.empty(most, dtype)
    matmul, add, multiply, subtract, copyto = np.matmul, np.add, np.multiply, np.subtract, np.copyto
    for run in reversed(runs):
        n, count = run.n, run.stop - run.start
        s = run.within(gates, 4, size)
        r, z, candidate, new = (s[:, k] for k in range(4))
        before = states[: size * count].reshape(run.steps, n, size)
        before.fill(1)
        run.times_states(before, y, h, reverse)
        # How much hₜ changes with the arguments of r, of z, of n by way of r, and of n.
        by = factors[: 4 * size * count].reshape(run.steps, 4, n, size)
        by_r, by_z, by_rn, by_n = (by[:, k] for k in range(4))
        multiply(new, new, by_n)
        subtract(1, by_n, by_n)
        subtract(1, s[:, :2], by[:, :2])
        multiply(by_n, by_z, by_n)
        multiply(by[:, :2], s[:, :2], by[:, :2])
        multiply(by_n, r, by_rn)
        multiply(by_r, by_n, by_r)
        multiply(by_r, candidate, by_r)
        subtract(before, new, before)
        multiply(by_z, before, by_z)
        g_y, back = g_h[:n], np.empty((n, size), dtype)
        for every, parts, keep, by_gate, row, given in zip(
            by[order], by[order, :3], z[order], run.of(g_a, 3)[order], run.of(g_a)[order, 0],
            _upstream(g[0], run, order), strict=False,
        ):  # fmt: skip
            if given is not None:
                add(g_y, given, g_y)
            multiply(every, g_y, every)
            copyto(by_gate, parts)
            matmul(row, weight, back)
            multiply(g_y, keep, g_y)
            add(g_y, back, g_y)
        copyto(run.of(g_x, 3)[:, :2], by[:, :2])
        copyto(run.of(g_x, 3)[:, 2], by_n)
    return g_x, g_a, g_h
