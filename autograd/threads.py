"""Running independent pieces of work side by side: NumPy lets go of the interpreter inside its loops."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable

__all__ = ["available", "run"]

_limit: int | None = None


class _Job:
    """A call for another thread."""

    __slots__ = ("call", "done", "error")

    def __init__(self, call: Callable[[], None]) -> None:
        # NumPy's error state and the caller's other settings live in the context.
        context = contextvars.copy_context()
        self.call: Callable[[], None] | None = lambda: context.run(call)
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        assert self.call is not None
        try:
            self.call()
        except BaseException as error:
            self.error = error
        finally:
            self.call = None
            self.done.release()


class _Pool:
    """Threads that wait for jobs, each at a lock of its own: they begin sooner than those of an executor of futures.

    Deques change in one piece, so that only starting threads needs a lock.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets all threads."""
        self.jobs: deque[_Job] = deque()
        self.idle: deque[threading.Lock] = deque()
        self.count = 0
        self.starting = threading.Lock()

    def submit(self, job: _Job, most: int) -> None:
        """Leaves ``job`` for a thread; if none is idle and there are fewer than ``most``, for a new one.

        Where none can be started, as in a program that is ending, ``job`` waits to be taken back.
        """
        self.jobs.append(job)
        try:
            wake = self.idle.pop()  # the one that has been idle for the shortest time
        except IndexError:
            with self.starting, contextlib.suppress(RuntimeError):
                if self.count < most:
                    threading.Thread(target=self._serve, name="autograd", daemon=True).start()
                    self.count += 1
        else:
            wake.release()

    def take_back(self, job: _Job) -> bool:
        """Whether no thread had begun ``job``; none will."""
        try:
            self.jobs.remove(job)
        except ValueError:
            return False
        return True

    def _serve(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        while True:
            try:
                job = self.jobs.popleft()
            except IndexError:
                self.idle.append(wake)
                if self.jobs:  # one came meanwhile, for which perhaps no thread was idle
                    with contextlib.suppress(ValueError):
                        self.idle.remove(wake)
                        continue
                wake.acquire()
                continue
            job.run()
            del job


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _pool.clear())  # the threads of the parent do not exist in the child


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
    others: list[_Job] = []
    pool = _pool
    try:
        for _ in range(threads - 1):
            job = _Job(work)
            pool.submit(job, max(threads, available()) - 1)
            others.append(job)
        work()
    finally:
        waiting.clear()
        begun = [job for job in others if not pool.take_back(job)]
        for job in begun:
            job.done.acquire()  # all are waited for
    for job in begun:
        if job.error is not None:
            raise job.error
