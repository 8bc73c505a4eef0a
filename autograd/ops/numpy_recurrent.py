"""The loops of recurrent layers in NumPy, in a third less time than their plain rules: see ``ops/recurrent.py``.

A step is a small matrix product and a dozen passes over a few thousand entries, so calls themselves count. They write
into memory that was made before the first step, and take their operands from iterating over arrays. Gates lie one
after the other, so that what is done to the entries of several is one pass over few gaps or none. The product is made
in pieces that need no packing where that is quicker, and written where the gates will be.
Backwards, all that does not depend on the recurrence is done for as many steps at once as the cache holds.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..backends.numpy_blocks import aligned

__all__ = ["gru_backward", "gru_forward", "lstm_backward", "lstm_forward", "rnn_backward", "rnn_forward"]

_CACHED = 3 << 16  # entries
_SHORT = 2048  # entries, fewer of which may lie anywhere
# A step's product is made in pieces, rows of so many bytes, where its multiplications times the bytes of an entry are
# from … to …: below, the library has the same way for the whole, and above, its threads pay, with one gate earlier.
# Measured with OpenBLAS.
_PIECE, _FORTH, _BACK, _OF_ONE = 256, (1_600_000, 40_000_000), (4_000_000, 20_000_000), 12_000_000

Sizes = tuple[int, ...]


def _empty(shape: Sizes, dtype: Any) -> Any:
    """As ``np.empty``, but from the start of a line of the cache: passes and products then take a fifth less time."""
    return (np.empty if math.prod(shape) < _SHORT else aligned)(shape, dtype)


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
        return _empty((len(sizes), count, sizes[0], size), dtype)
    return _empty((count, sum(sizes), size), dtype)


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
    state = _empty(like.shape, like.dtype)
    state[:] = 0 if g is None else g
    return state


def _turned(weight: Any, steps: int) -> Any:
    """Wᵀ; for several steps a copy in the order of its rows pays."""
    return np.ascontiguousarray(weight.T) if steps > 3 else weight.T


def _width(weight: Any, size: int, sizes: Sizes, back: bool) -> int:
    """Of how many columns is a piece of each step's product, which for every gate has ``size``; 0 if it is made in one.

    In pieces, on one thread, it takes a quarter less time than on two, whose halves lie in different caches. Backward
    the gates are added up afterwards, which many short rows are not worth.
    """
    width, rows, (least, most) = _PIECE // weight.itemsize, sizes[0], _BACK if back else _FORTH
    work = rows * weight.size * weight.itemsize
    if len(sizes) < 4 or rows < 2 or size % width or not least <= work <= most or (back and rows > size):
        return 0
    return 0 if len(weight) == size and (size == width or work > _OF_ONE) else width


def _pieces(values: Any, width: int) -> Any:
    """(…, n, H) as (…, H / width, n, width)."""
    return values.reshape(*values.shape[:-1], values.shape[-1] // width, width).swapaxes(-3, -2)


def _packed(parts: Any, width: int) -> Any:
    """Matrices (R, H), those of some gates, in pieces (gates, H / width, R, width) that lie one after the other."""
    pieces = [_pieces(part, width) for part in parts]
    packed = _empty((len(pieces), *pieces[0].shape), pieces[0].dtype)
    for to, part in zip(packed, pieces, strict=True):
        to[:] = part
    return packed


def _places(memory: Any, gates: int, width: int, sizes: Sizes, last_first: bool) -> Any:
    """The first ``gates`` of the ``count`` numbers, for each step, as a product in pieces is written there."""
    if memory.ndim == 4:
        places = _pieces(memory[:, :gates], width)
        return places[::-1] if last_first else places
    return _steps(_pieces(memory[:gates], width), sizes, last_first)


def _by_run(of_rows: Any, sizes: Sizes, last_first: bool) -> Any:
    """``of_rows(n)`` for each step, which has n rows."""
    return itertools.chain.from_iterable(itertools.repeat(of_rows(n), count) for n, count in _runs(sizes, last_first))


# hₜ = φ(xₜ + W hₜ₋₁)


def rnn_forward(x: Any, weight: Any, h: Any, sizes: Sizes, nonlinearity: str, reverse: bool) -> tuple[Any, Any]:
    """The states after each row (N, H), and the last of each sequence (B, H)."""
    out, last = np.empty(x.shape, x.dtype), np.array(h, order="C")
    width = _width(weight, len(weight), sizes, back=False)
    turned = _packed([weight.T], width)[0] if width else _turned(weight, len(sizes))
    places = _steps(_pieces(out, width), sizes, reverse) if width else itertools.repeat(None)
    matmul, add, tanh, maximum = np.matmul, np.add, np.tanh, np.maximum
    steps = zip(_steps(x, sizes, reverse), _steps(out, sizes, reverse), places, strict=False)
    for n, count in _runs(sizes, reverse):
        state = last[:n]
        for given, y, place in itertools.islice(steps, count):
            matmul(state, turned, place if width else y)
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
    g_h, width = _state(g[1], h), _width(weight, len(weight), sizes, back=True)
    packed = _packed([weight], width)[0] if width else weight
    matmul, add, multiply = np.matmul, np.add, np.multiply
    steps = zip(_steps(g_x, sizes, not reverse), _upstream(g[0], sizes, not reverse), strict=False)
    for n, count in _runs(sizes, not reverse):
        g_y = g_h[:n]
        place = _pieces(g_y, width) if width else g_y
        for z, given in itertools.islice(steps, count):
            if given is not None:
                add(g_y, given, g_y)
            multiply(z, g_y, z)
            matmul(z, packed, place)
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
    out, cells = np.empty((rows, h.shape[1]), dtype), _empty((rows, size), dtype)
    gates = _memory(4, sizes, size, dtype)
    last_h, last_c = np.array(h, order="C"), np.array(c, order="C")
    scratch, width = _empty((2, sizes[0], size), dtype), _width(weight, size, sizes, back=False)
    products: Any
    if width:
        i, f, u, o = weight.reshape(4, size, h.shape[1]).swapaxes(1, 2)
        turned = _packed((o, i, f, u), width)
        products = zip(_places(gates, 4, width, sizes, reverse), itertools.repeat(None), itertools.repeat(None))
    else:
        turned, memory = _turned(weight, len(sizes)), _empty((sizes[0], 4 * size), dtype)
        products = _by_run(
            lambda n: (memory[:n], _by_gate(memory[:n], 4)[3], _by_gate(memory[:n], 4)[:3]), sizes, reverse
        )
    matmul, add, multiply, tanh, half = np.matmul, np.add, np.multiply, np.tanh, np.array(0.5, dtype)
    given = _by_gate(x, 4)
    steps = zip(
        products, *(_steps(part, sizes, reverse) for part in (given[3], given[:3], cells, out)),
        *(_picked(gates, key, sizes, reverse) for key in (slice(4), slice(3), slice(1, 4), 0, 1, 2, 3)), strict=True,
    )  # fmt: skip
    for n, count in _runs(sizes, reverse):
        written, hidden = scratch[0, :n], scratch[1, :n]
        state, cell = last_h[:n], last_c[:n]
        for (product, p_o, p_ifu), x_o, x_ifu, level, y, z, sigmoids, ifu, o, i, f, u in itertools.islice(steps, count):
            matmul(state, turned, product)
            add(x_o, o if width else p_o, o)
            add(x_ifu, ifu if width else p_ifu, ifu)
            multiply(sigmoids, half, sigmoids)
            tanh(z, z)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
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
    scratch = _empty((6, max(stop - start for _, start, stop, _ in chunks), size), dtype)
    g_hiddens = np.empty(c.shape, dtype)
    width = _width(weight, h.shape[1], sizes, back=True)
    direct = sizes[0] == 1  # with several rows what lies side by side by gate is computed in one run, and then copied
    if width:
        i, f, u, o = weight.reshape(4, size, h.shape[1])
        packed, memory = _packed((o, i, f, u), width), _empty((4 * h.size,), dtype)
    matmul, add, multiply, subtract, copyto = np.matmul, np.add, np.multiply, np.subtract, np.copyto
    total = np.add.reduce
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
        to = _by_gate(g_x[start:stop], 4)
        rows_of: Any = (itertools.repeat(None),) * 2 if width else (_steps(part, own, back) for part in (to[3], to[:3]))
        steps = zip(
            *(_steps(part, own, back) for part in (factors[0], factors[1:4], factors[4])), *rows_of,
            _steps(factors[:4] if width else g_x[start:stop], own, back),
            _picked(kept, 2, own, back), outers,
            _upstream(None if g[0] is None else g[0][start:stop], own, back), strict=False,
        )  # fmt: skip
        for n, count in _runs(own, back):
            g_y, g_cell = g_h[:n], g_c[:n]
            g_hidden = g_y if projection is None else g_hiddens[:n]
            if width:
                products = memory[: 4 * g_y.size].reshape(4, *g_y.shape)
                places = _pieces(products, width)
            for z_o, z_ifu, g_level, to_o, to_ifu, made, f, whole, given in itertools.islice(steps, count):
                if given is not None:
                    add(g_y, given, g_y)
                if projection is not None:
                    copyto(whole, g_y)
                    matmul(g_y, projection, g_hidden)
                multiply(z_o, g_hidden, to_o if direct else z_o)
                multiply(g_level, g_hidden, g_level)
                add(g_level, g_cell, g_level)
                multiply(z_ifu, g_level, to_ifu if direct else z_ifu)
                if width:
                    matmul(made[:, None], packed, places)
                    total(products, 0, None, g_y)
                else:
                    if not direct:
                        copyto(to_o, z_o)
                        copyto(to_ifu, z_ifu)
                    matmul(made, weight, g_y)
                multiply(g_level, f, g_cell)
        if width:
            copyto(to[3], factors[0])
            copyto(to[:3], factors[1:4])
    return g_x, g_h, g_c, outer, inner


# r, z = σ(xₜ + W hₜ₋₁ + b); n = tanh(xₜ + r (W hₜ₋₁ + b)); hₜ = (1 − z) n + z hₜ₋₁


def gru_forward(x: Any, weight: Any, h: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[tuple[Any, Any], Any]:
    """The states after each row and the last; and r, z, what r is multiplied by, and n."""
    (rows, size), dtype = (x.shape[0], h.shape[1]), x.dtype
    out, last = np.empty((rows, size), dtype), np.array(h, order="C")
    gates, width = _memory(4, sizes, size, dtype), _width(weight, size, sizes, back=False)
    products: Any
    if width:
        turned = _packed(weight.reshape(3, size, size).swapaxes(1, 2), width)
        bias = None if bias is None else bias.reshape(3, 1, size)
        products = zip(
            _places(gates, 3, width, sizes, reverse), _picked(gates, slice(3), sizes, reverse), itertools.repeat(None),
            itertools.repeat(None),
        )  # fmt: skip
    else:
        turned, memory = _turned(weight, len(sizes)), _empty((sizes[0], 3 * size), dtype)
        products = _by_run(
            lambda n: (memory[:n], memory[:n], _by_gate(memory[:n], 3)[:2], _by_gate(memory[:n], 3)[2]), sizes, reverse
        )
    matmul, add, multiply, subtract = np.matmul, np.add, np.multiply, np.subtract
    tanh, copyto, half = np.tanh, np.copyto, np.array(0.5, dtype)
    given = _by_gate(x, 3)
    steps = zip(
        products, *(_steps(part, sizes, reverse) for part in (given[:2], given[2], out)),
        *(_picked(gates, key, sizes, reverse) for key in (slice(2), 0, 1, 2, 3)), strict=False,
    )  # fmt: skip
    for n, count in _runs(sizes, reverse):
        state = last[:n]
        for (place, product, p_rz, p_n), x_rz, x_n, y, rz, r, z, candidate, new in itertools.islice(steps, count):
            matmul(state, turned, place)
            if bias is not None:
                add(product, bias, product)
            add(x_rz, rz if width else p_rz, rz)
            if not width:
                copyto(candidate, p_n)
            multiply(rz, half, rz)
            tanh(rz, rz)
            multiply(rz, half, rz)
            add(rz, half, rz)
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
    scratch = _empty((4, max(stop - start for _, start, stop, _ in chunks), size), dtype)
    product, width = _empty(h.shape, dtype), _width(weight, size, sizes, back=True)
    if width:
        packed, memory = _packed(weight.reshape(3, size, size), width), _empty((3 * h.size,), dtype)
    total = np.add.reduce
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
        to_a, to_x = _by_gate(rows_of, 3), _by_gate(g_x[start:stop], 3)
        steps = zip(
            *(_steps(part, own, back) for part in (factors, factors[:3])),
            *((itertools.repeat(None),) * 2 if width else (_steps(part, own, back) for part in (to_a, rows_of))),
            _picked(kept, 1, own, back),
            _upstream(None if g[0] is None else g[0][start:stop], own, back), strict=False,
        )  # fmt: skip
        for n, count in _runs(own, back):
            g_y, returned = g_h[:n], product[:n]
            if width:
                products = memory[: 3 * g_y.size].reshape(3, *g_y.shape)
                places = _pieces(products, width)
            for every, of_a, to, row, keep, given in itertools.islice(steps, count):
                if given is not None:
                    add(g_y, given, g_y)
                multiply(every, g_y, every)
                if width:
                    matmul(of_a[:, None], packed, places)
                    total(products, 0, None, returned)
                else:
                    copyto(to, of_a)
                    matmul(row, weight, returned)
                multiply(g_y, keep, g_y)
                add(g_y, returned, g_y)
        if width:
            copyto(to_a, factors[:3])
        copyto(to_x[:2], to_a[:2])
        copyto(to_x[2], factors[3])
    return g_x, g_a, g_h
