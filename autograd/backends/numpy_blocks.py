"""Many passes over a large array: block by block, so that each finds the last one's result in the cache."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import threads

# Bytes of one array in a block: few enough for the cache of a core to hold some such arrays, and enough for a pass to
# take longer than a thread waits for the interpreter. Bytes from which further threads gain more than they cost: below,
# the threads of a matrix product just before still wait for the next one, on the cores that these would want.
BLOCK, SPREAD = 1 << 19, 1 << 23
# Entries of NumPy's buffers in passes that broadcast along long rows, and along those below so many entries.
_BUFFER, _BUFFER_OF_SHORT, _SHORT = 256, 2048, 144

_LINE = 64  # bytes of a line of the cache


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An empty array that begins where a line of the cache does.

    NumPy's own begin 16 or 48 bytes further, so that each of its widest stores touches two lines: passes that write to
    them take up to twice as long, if they stay in the cache. This is a view of a vector of its entries, and of nothing
    larger: what asks for the owner of memory takes that, since its own is of a memoryview.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape)
    room = np.empty(size * dtype.itemsize + _LINE, np.uint8)
    start = -room.__array_interface__["data"][0] % _LINE
    return np.frombuffer(room.data, dtype, size, start).reshape(shape)


def by_blocks(
    work: Callable[[int, int], None],
    count: int,
    size: int,
    block: int = BLOCK,
    broadcast: int | None = None,
    alike: bool = False,
) -> None:
    """Calls ``work(start, stop)`` for blocks of ``count`` units, of ``size`` bytes each, on all threads if large.

    Arguments:
        block: bytes in a block.
        broadcast: along rows of how many entries ``work`` combines an array with one number for each row. NumPy
            copies such numbers into its buffer, of 8192 entries, which takes longer than the operation, unless a row
            fills it; so a smaller one is set meanwhile.
        alike: whether blocks must be the same for any number of threads, since what they give depends on them, such as
            sums over their units. Otherwise each thread has an equal share.
    """
    step = max(1, block // (size or 1))
    several = 1
    if count > step and count * size >= SPREAD:
        several = min(threads.available(), -(-count // step))
    share = -(-count // several)
    if alike:
        share += -share % step

    def blocks(first: int) -> None:
        end = min(first + share, count)
        for start in range(first, end, step):
            work(start, min(start + step, end))

    before = None if broadcast is None else np.setbufsize(_BUFFER_OF_SHORT if broadcast < _SHORT else _BUFFER)
    try:
        if several > 1:  # the buffer's size is among what the other threads take over
            tasks = [lambda first=first: blocks(first) for first in range(0, count, share)]
            threads.run(tasks, several)
        else:
            blocks(0)
    finally:
        if before is not None:
            np.setbufsize(before)
