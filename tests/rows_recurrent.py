"""Rows of the recurrent layers' loops over sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
from sampling import Row, Sample, draw

BATCH_SIZES = [(2, 2, 2), (3, 2, 2, 1), (2,), (1, 1), (0, 0)]


def samples(blocks: int, states: int, *more: str, **static: Any) -> list[Sample]:
    """Sequences of rows of ``blocks`` times the size 2, with each of the optional inputs present and absent."""
    found = []
    for seed, (sizes, reverse) in enumerate((sizes, reverse) for sizes in BATCH_SIZES for reverse in (False, True)):
        width = 1 if "projection" in more and seed % 2 else 2
        shapes: list[tuple[int, ...]] = [(sum(sizes), 2 * blocks), (2 * blocks, width), (sizes[0], width)]
        shapes += [(sizes[0], 2)] * (states - 1)
        if width == 1:
            shapes.append((1, 2))
        if "bias" in more and seed % 2:
            shapes.append((2 * blocks,))
        # Relu has a kink at 0, off which these lie.
        found.append(Sample(tuple(draw(*shapes, seed=seed)), {"batch_sizes": sizes, "reverse": reverse, **static}))
    return found


def rows_of(batch_sizes: tuple[int, ...], reverse: bool) -> list[slice]:
    ends = np.cumsum(batch_sizes).tolist()
    rows = [slice(end - n, end) for end, n in zip(ends, batch_sizes, strict=True)]
    return rows[::-1] if reverse else rows


def scanned(lib: Any, step: Any, x: Any, states: tuple[Any, ...], batch_sizes: Any, reverse: bool) -> tuple[Any, ...]:
    """Row by row: what ``step`` makes of the states of a batch's first sequences, whatever the others do."""
    join = np.concatenate if lib is np else lib.cat
    outs = []
    for rows in rows_of(batch_sizes, reverse):
        n = rows.stop - rows.start
        new = step(x[rows], *(s[:n] for s in states))
        outs.append(new[0])
        states = tuple(join([a, s[n:]]) for a, s in zip(new, states, strict=True))
    return join(outs[::-1] if reverse else outs), *states


def sigmoid(lib: Any, x: Any) -> Any:
    return 1 / (1 + lib.exp(-x))


def rnn(lib: Any, x: Any, w: Any, h: Any, *, batch_sizes: Any, nonlinearity: str = "tanh", reverse: bool) -> Any:
    def step(x: Any, h: Any) -> tuple[Any, ...]:
        z = x + h @ w.T
        return (lib.tanh(z) if nonlinearity == "tanh" else z * (z > 0),)

    return scanned(lib, step, x, (h,), batch_sizes, reverse)


def gru(lib: Any, x: Any, w: Any, h: Any, b: Any = 0, *, batch_sizes: Any, reverse: bool) -> Any:
    def step(x: Any, h: Any) -> tuple[Any, ...]:
        a = h @ w.T + b
        r, z = sigmoid(lib, x[:, :2] + a[:, :2]), sigmoid(lib, x[:, 2:4] + a[:, 2:4])
        return ((1 - z) * lib.tanh(x[:, 4:] + r * a[:, 4:]) + z * h,)

    return scanned(lib, step, x, (h,), batch_sizes, reverse)


def lstm(lib: Any, x: Any, w: Any, h: Any, c: Any, p: Any = None, *, batch_sizes: Any, reverse: bool) -> Any:
    def step(x: Any, h: Any, c: Any) -> tuple[Any, ...]:
        z = x + h @ w.T
        i, f, o = (sigmoid(lib, z[:, k : k + 2]) for k in (0, 2, 6))
        c = f * c + i * lib.tanh(z[:, 4:6])
        h = o * lib.tanh(c)
        return (h if p is None else h @ p.T), c

    return scanned(lib, step, x, (h, c), batch_sizes, reverse)


ROWS = [
    Row("rnn_scan", samples(1, 1) + samples(1, 1, nonlinearity="relu"), lambda *x, **how: rnn(np, *x, **how), rnn),
    Row("lstm_scan", samples(4, 2, "projection"), lambda *x, **how: lstm(np, *x, **how), lstm),
    Row("gru_scan", samples(3, 1, "bias"), lambda *x, **how: gru(np, *x, **how), gru),
]
