"""What was measured, as JSON, as a table and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OURS, BASE = "Glassgrad", "PyTorch"
ORDER = [OURS, BASE, "JAX", "HIPS autograd", "MyGrad", "tinygrad", "micrograd", "NumPy by hand"]
COLORS = ["#000000", "#D55E00", "#999999", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]


def write(results: dict[str, Any], out: Path) -> None:
    """Writes bench.json, bench.md and bench.png into the folder ``out``, and prints the table."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    text = table(results)
    (out / "bench.md").write_text(text, encoding="utf-8")
    print(text)
    picture(results, out / "bench.png")
    print(f"wrote {out / 'bench.json'}, bench.md and bench.png")


def libraries(results: dict[str, Any]) -> list[str]:
    """All that were measured, ours first."""
    measured = {name for row in results["steps"].values() for name in row}
    return [name for name in ORDER if name in measured]


def span(seconds: float) -> str:
    """A time in three digits: 83.1 µs, 4.02 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def table(results: dict[str, Any]) -> str:
    """Markdown: the quickest of the repeats, and how many times that each peer takes."""
    names = libraries(results)
    lines = [
        f"Time of one training step on {results['machine']}, {results['threads']} threads, {results['date']}, by",
        f"`{results['command']}`: the quickest of the repeats; a peer's time as a multiple of ours.",
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    notes: dict[str, str] = {}
    for work, row in results["steps"].items():
        cells = []
        for name in names:
            found = row.get(name)
            if found is None:
                cells.append("–")
            elif "error" in found:
                notes[f"{name}, {work}"] = found["error"]
                cells.append("†")
            elif name == OURS:
                cells.append(span(found["min"]))
            else:
                cells.append(f"{found['min'] / row[OURS]['min']:.2f} ×")
        lines.append(f"| {work} | {' | '.join(cells)} |")
    if "import" in results:
        cells = [f"{results['import'][name]:.2f} s" for name in names]
        lines.append(f"| import | {' | '.join(cells)} |")
        cells = [f"{results['size'][name] / 1e6:.0f} MB" for name in names]
        lines.append(f"| installed, with what it requires | {' | '.join(cells)} |")
        for work in results["memory"][OURS]:
            cells = [f"{m[work] / 1e6:.0f} MB" if work in (m := results["memory"][name]) else "–" for name in names]
            lines.append(f"| memory, {work} | {' | '.join(cells)} |")
    floor = results["floor"]
    lines += [
        "",
        f"The machine multiplies matrices at {floor['sgemm_gflops']:.0f} GFLOP/s and copies memory at "
        f"{floor['copy_gb_per_s']:.1f} GB/s.",
    ]
    lines += [f"† {where}: {why.splitlines()[0][:160]}" for where, why in notes.items()]
    return "\n".join(lines) + "\n"


def picture(results: dict[str, Any], path: Path) -> None:
    """Each peer's time as a multiple of ours, a row for each workload."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    steps = results["steps"]
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.3 * len(steps)), layout="constrained")
    for name, color in zip(libraries(results), COLORS, strict=False):
        points = [
            (found["min"] / row[OURS]["min"], i)
            for i, row in enumerate(steps.values())
            if (found := row.get(name)) and "min" in found
        ]
        if name == OURS:
            axes.axvline(1, color=color, label=name)
        elif points:
            axes.scatter(*zip(*points, strict=True), s=36, color=color, label=name, zorder=3)
    axes.set(
        xscale="log", xlabel=f"time of one training step, {OURS} = 1 (to the right: slower)", yticks=range(len(steps))
    )
    axes.set_yticklabels(list(steps))
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=4)
    figure.savefig(path, dpi=130)
    plt.close(figure)
