"""grad, jacobian and hessian beside JAX (jit), PyTorch's functional API, and HIPS autograd.

    python benchmarks/transforms.py [--hips PYTHON] [--threads 2] [--json transforms.json]

HIPS autograd has our import name, so it runs in an environment of its own: give its Python interpreter with ``--hips``
(``python -m venv hips && hips/bin/pip install autograd``). Values are compared first. Each contestant gets the same
float64 inputs; the minimum of the repeats is reported, in microseconds per call. JAX compiles before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--hips", help="the interpreter of an environment with HIPS autograd")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=7)
parser.add_argument("--json", help="also write the figures here")
parser.add_argument("--only", choices=["hips"], help=argparse.SUPPRESS)  # the other half of this script
arguments = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(arguments.threads)  # read when the BLAS libraries are loaded, so before NumPy

import numpy as np

SIZE, WIDTH = 20, 32
Function = Callable[..., Any]


def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x": rng.uniform(-1, 1, SIZE),
        "w": rng.standard_normal((WIDTH, SIZE)) / SIZE**0.5,
        "v": rng.standard_normal((SIZE, WIDTH)) / WIDTH**0.5,
    }


def programs(xp: Any, w: Any, v: Any) -> dict[str, tuple[str, Function]]:
    """What is differentiated, with ``xp`` the namespace of ``tanh`` and ``sum``: the transform and the function."""

    def rosenbrock(x: Any) -> Any:
        return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    def network(x: Any) -> Any:
        return v @ xp.tanh(w @ x)

    def energy(x: Any) -> Any:
        return xp.sum(network(x) ** 2)

    return {
        f"grad of Rosenbrock, n = {SIZE}": ("grad", rosenbrock),
        f"grad of a network, {SIZE}-{WIDTH}-{SIZE}": ("grad", energy),
        f"jacobian of a network, {SIZE}-{WIDTH}-{SIZE}": ("jacobian", network),
        f"hessian of Rosenbrock, n = {SIZE}": ("hessian", rosenbrock),
        f"hessian of a network, {SIZE}-{WIDTH}-{SIZE}": ("hessian", energy),
    }


def glassgrad() -> dict[str, Callable[[], np.ndarray]]:
    import autograd

    arrays = {name: autograd.tensor(a) for name, a in data().items()}
    table = programs(autograd, arrays["w"], arrays["v"])

    def call(transform: str, f: Function) -> Callable[[], np.ndarray]:
        derived = getattr(autograd, transform)(f)
        return lambda: derived(arrays["x"]).numpy()

    return {name: call(*entry) for name, entry in table.items()}


def pytorch() -> dict[str, Callable[[], np.ndarray]]:
    import torch

    torch.set_num_threads(arguments.threads)
    arrays = {name: torch.tensor(a) for name, a in data().items()}
    table = programs(torch, arrays["w"], arrays["v"])
    transforms = {"grad": torch.func.grad, "jacobian": torch.func.jacrev, "hessian": torch.func.hessian}

    def call(transform: str, f: Function) -> Callable[[], np.ndarray]:
        derived = transforms[transform](f)
        return lambda: derived(arrays["x"]).numpy()

    return {name: call(*entry) for name, entry in table.items()}


def jax_jit() -> dict[str, Callable[[], np.ndarray]]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    arrays = {name: jnp.asarray(a) for name, a in data().items()}
    table = programs(jnp, arrays["w"], arrays["v"])
    transforms = {"grad": jax.grad, "jacobian": jax.jacrev, "hessian": jax.hessian}

    def call(transform: str, f: Function) -> Callable[[], np.ndarray]:
        derived = jax.jit(transforms[transform](f))
        return lambda: np.asarray(derived(arrays["x"]))

    return {name: call(*entry) for name, entry in table.items()}


def hips() -> dict[str, Callable[[], np.ndarray]]:
    """In the environment of ``--hips`` only: there ``autograd`` is the other package."""
    import autograd.numpy as anp

    import autograd

    arrays = data()
    table = programs(anp, arrays["w"], arrays["v"])

    def call(transform: str, f: Function) -> Callable[[], np.ndarray]:
        derived = getattr(autograd, transform)(f)
        return lambda: derived(arrays["x"])

    return {name: call(*entry) for name, entry in table.items()}


def best(call: Callable[[], Any]) -> float:
    """Seconds per call, the minimum of the repeats."""
    start = time.perf_counter()
    call()
    calls = max(1, min(1000, int(0.05 / max(time.perf_counter() - start, 1e-6))))
    fastest = float("inf")
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        fastest = min(fastest, (time.perf_counter() - start) / calls)
    return fastest


def measured(contestant: Callable[[], dict[str, Callable[[], np.ndarray]]]) -> dict[str, dict[str, Any]]:
    """The value and the time of each program."""
    return {n: {"value": call().tolist(), "seconds": best(call)} for n, call in contestant().items()}


def measured_elsewhere(python: str) -> dict[str, dict[str, Any]]:
    command = [python, __file__, "--only", "hips", "--threads", str(arguments.threads)]
    command += ["--repeats", str(arguments.repeats)]
    # Without this folder's parent on its path: there the name autograd is ours.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if run.returncode:
        raise SystemExit(f"{python}: {run.stderr}")
    found: dict[str, dict[str, Any]] = json.loads(run.stdout)
    return found


def main() -> None:
    if arguments.only == "hips":
        json.dump(measured(hips), sys.stdout)
        return
    results = {"Glassgrad": measured(glassgrad), "PyTorch": measured(pytorch), "JAX jit": measured(jax_jit)}
    if arguments.hips:
        results["HIPS"] = measured_elsewhere(arguments.hips)
    names = list(results["Glassgrad"])
    for other, rows in results.items():
        for name in names:
            np.testing.assert_allclose(
                rows[name]["value"], results["Glassgrad"][name]["value"], rtol=1e-9, atol=1e-9, err_msg=other
            )
    print(f"threads: {arguments.threads}, minimum of {arguments.repeats} repeats, values equal")
    print(f"{'':40}" + "".join(f"{who:>14}" for who in results))
    for name in names:
        print(f"{name:40}" + "".join(f"{rows[name]['seconds'] * 1e6:11.1f} µs" for rows in results.values()))
    if arguments.json:
        times = {who: {name: row["seconds"] for name, row in rows.items()} for who, rows in results.items()}
        with open(arguments.json, "w") as file:
            json.dump({"threads": arguments.threads, "seconds": times}, file, indent=1)


if __name__ == "__main__":
    main()
