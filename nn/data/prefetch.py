"""An iterator's items made ahead in a thread."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import autograd

__all__ = ["prefetched"]

_END = object()


def prefetched(
    items: Iterator[Any], ahead: int, timeout: float, begin: Callable[[int], Any] | None = None
) -> Iterator[Any]:
    """The same items in the same order, up to ``ahead`` of them made before they are asked for.

    An exception of the thread is raised here with its traceback. The thread ends when the items do, or when this
    iterator is closed or dropped; it makes nothing before the first item is asked for.

    Arguments:
        items: what the thread iterates over.
        ahead: how many finished items may wait.
        timeout: seconds to wait for one, 0 for ever.
        begin: called in the thread with 0 before the first.

    Raises:
        RuntimeError: an item took longer than ``timeout``.
    """
    made: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    room = threading.Semaphore(ahead)
    left = threading.Event()
    # The thread must hold nothing that leads to this generator, or it would never be dropped.
    arguments = (items, made, room, left, begin, autograd.is_grad_enabled())
    # A daemon, since at the exit of the interpreter one that waits for room would be waited for in vain.
    thread = threading.Thread(target=_make, args=arguments, name="DataLoader", daemon=True)
    thread.start()
    late = False
    try:
        while True:
            try:
                item, error = made.get(timeout=timeout or None)
            except queue.Empty:
                late = True
                raise RuntimeError(
                    f"DataLoader: a batch took longer than timeout={timeout} seconds; give more, or 0 to wait for ever"
                ) from None
            if error is not None:
                try:
                    raise error
                finally:
                    # The traceback holds this frame, and the frame would hold the error.
                    del error
            if item is _END:
                return
            # One waits less from here on, not from when the consumer is done with it.
            room.release()
            yield item
    finally:
        left.set()
        room.release()
        # What the thread still works on must be done with before the data set is used by anyone else.
        if not late and thread is not threading.current_thread() and not sys.is_finalizing():
            thread.join()


def _make(items: Any, made: Any, room: Any, left: Any, begin: Any, grad: bool) -> None:
    try:
        with autograd.set_grad_enabled(grad):
            if begin is not None:
                begin(0)
            while True:
                room.acquire()
                if left.is_set():
                    return
                item = next(items, _END)
                made.put((item, None))
                if item is _END:
                    return
                del item
    except BaseException as error:
        made.put((None, error))
    finally:
        if hasattr(items, "close"):
            items.close()
