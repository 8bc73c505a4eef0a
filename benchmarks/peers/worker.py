"""One library in a process of its own: reads requests, a line of JSON each, and answers with a line.

{"do": "losses", "work": NAME, "steps": 3}     the losses of the first steps
{"do": "time", "work": NAME, "seconds": 0.3}   seconds per step, in blocks of a few steps
{"do": "memory", "work": NAME}                 bytes that the process grew by at most, in a few steps
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BLOCK = 0.02  # seconds, over which steps are averaged


def load(library: str) -> dict[str, Callable[[], Callable[[], Any]]]:
    """The workloads of a library, its threads limited."""
    threads = int(os.environ["OMP_NUM_THREADS"])
    if library == "Glassgrad":
        import autograd
        import nn
        import optim

        from .define_by_run import workloads

        return workloads(autograd, nn, optim)
    if library == "PyTorch":
        import torch

        from .define_by_run import workloads

        torch.set_num_threads(threads)
        return workloads(torch, torch.nn, torch.optim)
    module = {
        "NumPy by hand": "by_hand", "JAX": "functions", "HIPS autograd": "functions", "MyGrad": "in_mygrad",
        "tinygrad": "in_tinygrad", "micrograd": "in_micrograd",
    }[library]  # fmt: skip
    found = importlib.import_module(f".{module}", __package__)
    return found.workloads(library) if module == "functions" else found.workloads()


def number(loss: Any) -> float:
    """A loss as a number, which waits for libraries that compute later."""
    for name in ("item", "data"):
        while hasattr(loss, name) and not isinstance(loss, float):
            value = getattr(loss, name)
            loss = value() if callable(value) else value
    return float(loss)


class Worker:
    def __init__(self, library: str) -> None:
        self.work = load(library)
        self.steps: dict[str, Callable[[], Any]] = {}

    def losses(self, work: str, steps: int) -> list[float]:
        step = self.work[work]()
        return [number(step()) for _ in range(steps)]

    def time(self, work: str, seconds: float) -> list[float]:
        if work not in self.steps:
            self.steps.clear()
            self.steps[work] = self.work[work]()
            for _ in range(3):
                number(self.steps[work]())
        step, clock, found = self.steps[work], time.perf_counter, []
        began, count = clock(), 1
        while clock() - began < seconds or len(found) < 2:
            start = clock()
            for _ in range(count):
                loss = step()
            number(loss)
            took = clock() - start
            found.append(took / count)
            count = max(1, min(10_000, round(count * BLOCK / took)))
        return found

    def memory(self, work: str) -> int:
        status = Path("/proc/self/status")

        def resident() -> int:
            lines = status.read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

        before = peak = resident()
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.0005):
                peak = max(peak, resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        step = self.work[work]()
        for _ in range(5):
            number(step())
            peak = max(peak, resident())
        done.set()
        watcher.join()
        return peak - before


def main() -> None:
    worker = Worker(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    print(json.dumps(list(worker.work)), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:  # the table says which library cannot do what
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
