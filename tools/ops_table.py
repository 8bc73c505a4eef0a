"""Checks every op and prints the table: value, gradient, gradient of the gradient, and all of it under jax.jit.

    python tools/ops_table.py [NAME ...] [--no-jax]

The checks are those of the test suite, run anew for each row of ``tests/rows_*.py``: values against NumPy and PyTorch,
gradients against centred differences and PyTorch, second-order gradients against centred differences, and the compiled
program against the eager one. ``–`` stands for what an op does not have, such as a gradient of ``argmax``.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

COLUMNS = ("value", "grad", "grad of grad", "jax")


def checks(row: Any, with_jax: bool) -> dict[str, list[Callable[[], Any]] | None]:
    """What has to pass for a tick in each column; None where there is nothing to check."""
    import test_ops as ops

    both = [lambda d=d: ops.test_values_and_gradients_are_pytorchs(row, d) for d in ("float64", "float32")]
    smooth = row.gradient and not row.cut
    return {
        "value": [lambda: ops.test_value_is_numpys(row), *(() if row.gradient else both)],
        "grad": [*([lambda: ops.test_gradients_are_finite_differences(row)] if smooth else ()), *both]
        if row.gradient
        else None,
        "grad of grad": [lambda: ops.test_second_order_gradients_are_finite_differences(row)] if smooth else None,
        "jax": [lambda: ops.test_jax_computes_the_same_compiled(row)] if with_jax else None,
    }


def outcome(column: list[Callable[[], Any]] | None) -> tuple[str, str]:
    """The mark of one cell, and what went wrong."""
    if column is None:
        return "–", ""
    try:
        for check in column:
            check()
    except Exception as error:
        return "FAILS", f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return "✓", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only rows whose names contain one of these")
    parser.add_argument("--no-jax", action="store_true", help="leave out the slowest column")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if not arguments.no_jax:
        import jax

        jax.config.update("jax_enable_x64", True)
    from rows import ROWS

    rows = [row for row in ROWS if not arguments.names or any(n in row.name for n in arguments.names)]
    width = max((len(row.name) for row in rows), default=2)
    print(f"{'op':{width}}  " + "  ".join(f"{c:^12}" for c in COLUMNS))
    ticks, failures = dict.fromkeys(COLUMNS, 0), []
    for row in rows:
        marks = []
        for column, work in checks(row, not arguments.no_jax).items():
            mark, problem = outcome(work)
            marks.append(mark)
            ticks[column] += mark == "✓"
            if problem:
                failures.append(f"{row.name}, {column}: {problem}")
        print(f"{row.name:{width}}  " + "  ".join(f"{m:^12}" for m in marks), flush=True)
    print(f"{f'{len(rows)} rows':{width}}  " + "  ".join(f"{ticks[c]:^12}" for c in COLUMNS))
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
