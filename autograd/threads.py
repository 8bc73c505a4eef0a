"""Running independent pieces of work side by side: NumPy lets go of the interpreter inside its loops."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["available", "run"]

_pools: dict[int, ThreadPoolExecutor] = {}
_limit: int | None = None
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # the threads of the parent do not exist in the child


def limit(n: int) -> None:
    """Lets work be spread over ``n`` threads at most."""
    global _limit
    _limit = n


def available() -> int:
    """The threads to use: what ``set_num_threads`` said, else OMP_NUM_THREADS, else the cores that the process has."""
    if _limit is not None:
        return _limit
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, int(wanted))) if wanted.isdigit() else cores


def run(tasks: Iterable[Callable[[], None]], threads: int) -> None:
    """Calls every task, on ``threads`` threads of which this is one; which thread takes which does not matter.

    A task may call ``run`` itself: what the other threads have not begun is taken back.
    """
    waiting = deque(tasks)

    def work() -> None:
        while True:
            try:
                task = waiting.popleft()
            except IndexError:
                return
            task()

    if threads < 2:
        work()
        return
    others: list[Future[None]] = []
    with contextlib.suppress(RuntimeError):  # a program that is ending starts no threads: this one does all the work
        size = max(threads, available())  # one pool for all numbers of threads, unless more are wanted than there are
        pool = _pools.get(size)
        if pool is None:
            from concurrent.futures import ThreadPoolExecutor  # takes longer to load than most of the engine's files

            pool = _pools[size] = ThreadPoolExecutor(size - 1, "autograd")
        for _ in range(threads - 1):
            # NumPy's error state and the caller's other settings live in the context.
            others.append(pool.submit(contextvars.copy_context().run, work))
    try:
        work()
    finally:
        waiting.clear()
        errors = [other.exception() for other in others if not other.cancel()]  # all are waited for
    for error in errors:
        if error is not None:
            raise error
