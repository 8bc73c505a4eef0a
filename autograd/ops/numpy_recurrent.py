"""The loops of recurrent layers in NumPy, in a third less time than their plain rules: see ``ops/recurrent.py``.

A step is a small matrix product and a dozen passes over a few thousand entries, so calls themselves count. They write
into memory that was made before the first step, and take their operands from iterating over arrays. Gates lie one
after the other, so that what is done to the entries of several is one pass over few gaps or none.
Backwards, all that does not depend on the recurrence is done for as many steps at once as the cache holds.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward", "rnn_backward", "rnn_forward"]

_CACHED = 1 << 17  # entries

Sizes = tuple[int, ...]


def _by_gate(rows: Any, gates: int) -> Any:
    """Rows (N, gates · H) as (gates, N, H)."""
    return rows.reshape(rows.shape[0], gates, rows.shape[1] // gates).transpose(1, 0, 2)


def _steps(values: Any, sizes: Sizes, last_first: bool) -> Any:
    """The part of ``values`` (…, N, H) that belongs to each step, (…, n, H), to be iterated over."""
    if sizes[0] != sizes[-1]:
        ends = itertools.accumulate(sizes)
        parts = [values[..., end - n : end, :] for n, end in zip(sizes, ends, strict=True)]
    elif values.ndim == 2:
        parts = values.reshape(len(sizes), sizes[0], values.shape[1])
    else:
        count, _, width = values.shape
        parts = values.reshape(count, len(sizes), sizes[0], width).swapaxes(0, 1)
    return parts[::-1] if last_first else parts


def _memory(count: int, sizes: Sizes, size: int, dtype: Any) -> Any:
    """For ``count`` numbers for each entry: (T, count, n, H) where all steps have n rows, otherwise (count, N, H)."""
    if sizes[0] == sizes[-1]:
        return np.empty((len(sizes), count, sizes[0], size), dtype)
    return np.empty((count, sum(sizes), size), dtype)


def _picked(memory: Any, key: Any, sizes: Sizes, last_first: bool) -> Any:
    """What ``key`` picks of the ``count`` numbers, for each step."""
    if memory.ndim == 4:
        return memory[::-1, key] if last_first else memory[:, key]
    return _steps(memory[key], sizes, last_first)


def _chunk(memory: Any, first: int, start: int, stop: int, steps: int) -> tuple[Any, Any]:
    """The part of some steps; and the same with the ``count`` numbers in front."""
    if memory.ndim == 4:
        part = memory[first : first + steps]
        return part, part.swapaxes(0, 1)
    return memory[:, start:stop], memory[:, start:stop]


def _upstream(g: Any, sizes: Sizes, last_first: bool) -> Any:
    """The upstream gradient of each step, or None for each."""
    return itertools.repeat(None) if g is None else _steps(g, sizes, last_first)


def _runs(sizes: Sizes, last_first: bool) -> list[tuple[int, int]]:
    """(rows of a step, how many steps in succession have as many)."""
    return [(n, len(list(same))) for n, same in itertools.groupby(sizes[::-1] if last_first else sizes)]


def _chunks(sizes: Sizes, width: int, last_first: bool) -> list[tuple[int, int, int, Sizes]]:
    """(first step, first row, one past the last, sizes) of steps that the cache holds, ``width`` entries a row."""
    chunks, start, count, first = [], 0, 0, 0
    for i, n in enumerate(sizes):
        if count and (count + n) * width > _CACHED:
            chunks.append((first, start, start + count, sizes[first:i]))
            start, count, first = start + count, 0, i
        count += n
    chunks.append((first, start, start + count, sizes[first:]))
    return chunks[::-1] if last_first else chunks


def _state(g: Any, like: Any) -> Any:
    """A gradient to be updated, zeros if there is none."""
    return np.zeros(like.shape, like.dtype) if g is None else np.array(g, order="C")


def _turned(weight: Any, steps: int) -> Any:
    """Wᵀ; for several steps a copy in the order of its rows pays."""
    return np.ascontiguousarray(weight.T) if steps > 3 else weight.T


# hₜ = φ(xₜ + W hₜ₋₁)


def rnn_forward(x: Any, weight: Any, h: Any, sizes: Sizes, nonlinearity: str, reverse: bool) -> tuple[Any, Any]:
    """The states after each row (N, H), and the last of each sequence (B, H)."""
    turned = _turned(weight, len(sizes))
    out, last = np.empty(x.shape, x.dtype), np.array(h, order="C")
    matmul, add, tanh, maximum = np.matmul, np.add, np.tanh, np.maximum
    steps = zip(_steps(x, sizes, reverse), _steps(out, sizes, reverse), strict=True)
    for n, count in _runs(sizes, reverse):
        state = last[:n]
        for given, y in itertools.islice(steps, count):
            matmul(state, turned, y)
            add(y, given, y)
            if nonlinearity == "tanh":
                tanh(y, y)
            else:
                maximum(y, 0, out=y)
            state = y
        last[:n] = state
    return out, last


def rnn_backward(
    g: Any, y: Any, weight: Any, h: Any, sizes: Sizes, nonlinearity: str, reverse: bool
) -> tuple[Any, Any]:
    """The gradients of x (N, H) and h (B, H)."""
    if nonlinearity == "tanh":
        g_x = np.multiply(y, y, order="C")
        np.subtract(1, g_x, g_x)
    else:
        g_x = (y > 0).astype(y.dtype, order="C")
    g_h = _state(g[1], h)
    matmul, add, multiply = np.matmul, np.add, np.multiply
    steps = zip(_steps(g_x, sizes, not reverse), _upstream(g[0], sizes, not reverse), strict=False)
    for n, count in _runs(sizes, not reverse):
        g_y = g_h[:n]
        for z, given in itertools.islice(steps, count):
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
    x: Any, weight: Any, h: Any, c: Any, projection: Any, sizes: Sizes, reverse: bool
) -> tuple[tuple[Any, Any, Any], Any, Any]:
    """hₜ of each row (N, R) and the last h and c; the gates o, i, f, u; and cₜ of each row (N, H)."""
    (rows, size), dtype = (x.shape[0], c.shape[1]), x.dtype
    turned = _turned(weight, len(sizes))
    out, cells = np.empty((rows, h.shape[1]), dtype), np.empty((rows, size), dtype)
    gates = _memory(4, sizes, size, dtype)
    last_h, last_c = np.array(h, order="C"), np.array(c, order="C")
    products, scratch = np.empty((sizes[0], 4 * size), dtype), np.empty((2, sizes[0], size), dtype)
    matmul, add, multiply, tanh = np.matmul, np.add, np.multiply, np.tanh
    given = _by_gate(x, 4)
    steps = zip(
        *(_steps(part, sizes, reverse) for part in (given[3], given[:3], cells, out)),
        *(_picked(gates, key, sizes, reverse) for key in (slice(4), slice(3), slice(1, 4), 0, 1, 2, 3)), strict=True,
    )  # fmt: skip
    for n, count in _runs(sizes, reverse):
        product, written, hidden = products[:n], scratch[0, :n], scratch[1, :n]
        by_gate = _by_gate(product, 4)
        p_o, p_ifu = by_gate[3], by_gate[:3]
        state, cell = last_h[:n], last_c[:n]
        for x_o, x_ifu, level, y, z, sigmoids, ifu, o, i, f, u in itertools.islice(steps, count):
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
    g: Any, weight: Any, h: Any, c: Any, projection: Any, sizes: Sizes, reverse: bool, gates: Any, cells: Any,
    before: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """The gradients of x, h and c, and with a projection those of hₜ (N, R) and what it projects (N, H).

    ``before`` is what cₜ was before each row (N, H).
    """
    (rows, size), dtype, back = cells.shape, cells.dtype, not reverse
    g_x, g_h, g_c = np.empty((rows, 4 * size), dtype), _state(g[1], h), _state(g[2], c)
    outer: Any = None if projection is None else np.empty((rows, h.shape[1]), dtype)
    inner: Any = None if projection is None else np.empty((rows, size), dtype)
    chunks = _chunks(sizes, 6 * size, back)
    scratch = np.empty((6, max(stop - start for _, start, stop, _ in chunks), size), dtype)
    g_hiddens = np.empty(c.shape, dtype)
    matmul, add, multiply, subtract, copyto = np.matmul, np.add, np.multiply, np.subtract, np.copyto
    for first, start, stop, own in chunks:
        kept, s = _chunk(gates, first, start, stop, len(own))
        factors = scratch[:, : stop - start]
        by = factors.reshape(6, *s.shape[1:])
        t = by[5]
        np.tanh(cells[start:stop].reshape(t.shape), t)
        # How much hₜ changes with the argument of o; cₜ with those of i, f and u; hₜ with cₜ.
        subtract(1, s[:3], by[:3])
        multiply(by[:3], s[:3], by[:3])
        multiply(by[0], t, by[0])
        multiply(by[1], s[3], by[1])
        multiply(by[2], before[start:stop].reshape(t.shape), by[2])
        multiply(s[3], s[3], by[3])
        multiply(t, t, by[4])
        subtract(1, by[3:5], by[3:5])
        multiply(by[3:5], s[1::-1], by[3:5])
        outers: Any = itertools.repeat(None)
        if projection is not None:
            multiply(s[0], t, inner[start:stop].reshape(t.shape))
            outers = _steps(outer[start:stop], own, back)
        rows_of = g_x[start:stop]
        to = _by_gate(rows_of, 4)
        steps = zip(
            *(_steps(part, own, back) for part in (factors[0], factors[1:4], factors[4], to[3], to[:3], rows_of)),
            _picked(kept, 2, own, back), outers,
            _upstream(None if g[0] is None else g[0][start:stop], own, back), strict=False,
        )  # fmt: skip
        for n, count in _runs(own, back):
            g_y, g_cell = g_h[:n], g_c[:n]
            g_hidden = g_y if projection is None else g_hiddens[:n]
            for z_o, z_ifu, g_level, to_o, to_ifu, row, f, whole, given in itertools.islice(steps, count):
                if given is not None:
                    add(g_y, given, g_y)
                if projection is not None:
                    copyto(whole, g_y)
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


def gru_forward(x: Any, weight: Any, h: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[tuple[Any, Any], Any]:
    """The states after each row and the last; and r, z, what r is multiplied by, and n."""
    (rows, size), dtype = (x.shape[0], h.shape[1]), x.dtype
    turned = _turned(weight, len(sizes))
    out, last = np.empty((rows, size), dtype), np.array(h, order="C")
    gates = _memory(4, sizes, size, dtype)
    products = np.empty((sizes[0], 3 * size), dtype)
    matmul, add, multiply, subtract = np.matmul, np.add, np.multiply, np.subtract
    tanh, copyto = np.tanh, np.copyto
    given = _by_gate(x, 3)
    steps = zip(
        *(_steps(part, sizes, reverse) for part in (given[:2], given[2], out)),
        *(_picked(gates, key, sizes, reverse) for key in (slice(2), 0, 1, 2, 3)), strict=True,
    )  # fmt: skip
    for n, count in _runs(sizes, reverse):
        state, product = last[:n], products[:n]
        by_gate = _by_gate(product, 3)
        p_rz, p_n = by_gate[:2], by_gate[2]
        for x_rz, x_n, y, rz, r, z, candidate, new in itertools.islice(steps, count):
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
    g: Any, weight: Any, h: Any, sizes: Sizes, reverse: bool, gates: Any, before: Any
) -> tuple[Any, Any, Any]:
    """The gradients of x (N, 3 H), of W hₜ₋₁ + b (N, 3 H), and of h; ``before`` is hₜ before each row (N, H)."""
    (rows, size), dtype, back = before.shape, gates.dtype, not reverse
    g_x, g_a, g_h = np.empty((rows, 3 * size), dtype), np.empty((rows, 3 * size), dtype), _state(g[1], h)
    chunks = _chunks(sizes, 5 * size, back)
    scratch = np.empty((4, max(stop - start for _, start, stop, _ in chunks), size), dtype)
    product = np.empty(h.shape, dtype)
    matmul, add, multiply, subtract, copyto = np.matmul, np.add, np.multiply, np.subtract, np.copyto
    for first, start, stop, own in chunks:
        kept, s = _chunk(gates, first, start, stop, len(own))
        r, z, candidate, new = s
        factors = scratch[:, : stop - start]
        by_r, by_z, by_rn, by_n = by = factors.reshape(s.shape)
        # How much hₜ changes with the arguments of r, of z, of n by way of r, and of n.
        subtract(1, s[:2], by[:2])
        multiply(new, new, by_n)
        subtract(1, by_n, by_n)
        multiply(by_n, by_z, by_n)
        multiply(by_r, r, by_r)
        multiply(by_r, by_n, by_r)
        multiply(by_r, candidate, by_r)
        multiply(by_z, z, by_z)
        subtract(before[start:stop].reshape(new.shape), new, by_rn)
        multiply(by_z, by_rn, by_z)
        multiply(by_n, r, by_rn)
        rows_of = g_a[start:stop]
        steps = zip(
            *(_steps(part, own, back) for part in (factors, factors[:3], _by_gate(rows_of, 3), rows_of)),
            _picked(kept, 1, own, back),
            _upstream(None if g[0] is None else g[0][start:stop], own, back), strict=False,
        )  # fmt: skip
        for n, count in _runs(own, back):
            g_y, returned = g_h[:n], product[:n]
            for every, of_a, to, row, keep, given in itertools.islice(steps, count):
                if given is not None:
                    add(g_y, given, g_y)
                multiply(every, g_y, every)
                copyto(to, of_a)
                matmul(row, weight, returned)
                multiply(g_y, keep, g_y)
                add(g_y, returned, g_y)
        to = _by_gate(g_x[start:stop], 3)
        copyto(to[:2], _by_gate(rows_of, 3)[:2])
        copyto(to[2], factors[3])
    return g_x, g_a, g_h
