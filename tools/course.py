"""Runs the notebooks and stores their outputs, or compares the stored ones with those of a fresh run.

    python tools/course.py              # run all, and store what comes out
    python tools/course.py 5 12         # only these
    python tools/course.py --compare    # store nothing, say what differs

A fresh run gives the stored outputs on any x86-64 machine, since the kernel is told which of the many variants of
NumPy's loops and matrix products to take. Outputs of cells tagged `timing` are measured; of these only the kind is
compared. Numbers may differ by 2 % or in their last digit, pictures by a few pixels.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import platform
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image
from tqdm import tqdm

FOLDER = Path(__file__).parents[1] / "notebooks"

# One thread and the kernels of one generation of processors, so that every sum is added in the same order.
STEADY = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
if platform.machine() in ("x86_64", "AMD64"):
    STEADY["OPENBLAS_CORETYPE"] = "Haswell"

_NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_BAR = re.compile(r"\d+%\|")
_PICTURE = "image/png"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def notebooks() -> list[Path]:
    """All notebooks of the course, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def run(path: Path) -> nbformat.NotebookNode:
    """A fresh run from top to bottom, with its outputs as they are stored.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed that is no exercise.
    """
    notebook = nbformat.read(path, as_version=4)
    _tidy(notebook, path)
    environment = {**os.environ, **STEADY, "NPY_DISABLE_CPU_FEATURES": _newer_loops()}
    client = NotebookClient(
        notebook,
        timeout=300,
        coalesce_streams=True,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=40"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _stored(output)) is not None]
    return notebook


def differences(stored: nbformat.NotebookNode, fresh: nbformat.NotebookNode) -> list[str]:
    """A sentence for each cell whose stored output is not what a fresh run gives."""
    found = []
    cells = [
        (i, one, other)
        for i, (one, other) in enumerate(zip(stored.cells, fresh.cells, strict=True))
        if one.cell_type == "code"
    ]
    for i, one, other in cells:
        if one.execution_count != other.execution_count:
            found.append(f"cell {i}: it was not stored by a run from top to bottom")
        kinds = [[_kind(output) for output in cell.outputs] for cell in (one, other)]
        if kinds[0] != kinds[1]:
            found.append(f"cell {i}: outputs {kinds[0]} are stored, a fresh run gives {kinds[1]}")
        elif "timing" not in one.metadata.get("tags", []):
            for a, b in zip(one.outputs, other.outputs, strict=True):
                found += [f"cell {i}: {sentence}" for sentence in _output_differences(a, b)]
    return found


def _output_differences(stored: Any, fresh: Any) -> list[str]:
    if stored.output_type == "stream":
        return _text_differences(stored.text, fresh.text)
    if stored.output_type == "error":
        return _text_differences(stored.evalue, fresh.evalue)
    found = []
    for kind, content in stored.data.items():
        if kind == _PICTURE:
            found += _picture_differences(content, fresh.data[kind])
        elif "<iframe" not in content:  # a player's page; its steps are those of the Tensors printed around it
            found += _text_differences(content, fresh.data[kind])
    return found


def _text_differences(stored: str, fresh: str) -> list[str]:
    if _NUMBER.sub("0", stored) != _NUMBER.sub("0", fresh):
        pairs = zip(stored.splitlines(), fresh.splitlines(), strict=False)
        one, other = next((p for p in pairs if _NUMBER.sub("0", p[0]) != _NUMBER.sub("0", p[1])), (stored, fresh))
        return [f"stored {one[:200]!r}, fresh {other[:200]!r}"]
    for one, other in zip(_NUMBER.findall(stored), _NUMBER.findall(fresh), strict=True):
        a, b = (float(x.replace("−", "-")) for x in (one, other))
        digits = len(one.split("e")[0].partition(".")[2])
        if abs(a - b) > max(0.02 * abs(a), 1.01 * 10.0**-digits if "e" not in one else 0.0):
            return [f"stored number {one}, fresh {other}"]
    return []


def _picture_differences(stored: str, fresh: str) -> list[str]:
    one, other = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(x))).convert("RGB"), float) for x in (stored, fresh)
    )
    if one.shape != other.shape:
        return [f"a picture of {one.shape} pixels is stored, a fresh one has {other.shape}"]
    off = (np.abs(one - other).max(axis=2) > 48).mean()
    return [f"{off:.1%} of a picture's pixels differ"] if off > 0.02 else []


def _opened(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png)))


def _kind(output: Any) -> str:
    if output.output_type == "stream":
        return output.name
    return output.ename if output.output_type == "error" else "+".join(sorted(output.data))


def _stored(output: Any) -> Any:
    """An output as it is stored: without progress bars, and of a drawing only the PNG, which every viewer shows."""
    if output.output_type == "stream":
        bars = output.name == "stderr" and all(_BAR.search(line) for line in re.split(r"[\r\n]+", output.text) if line)
        return None if bars else output
    if output.output_type == "error":
        return output
    if _WIDGET in output.data:
        return None
    output.metadata = {kind: value for kind, value in output.metadata.items() if kind == _PICTURE}  # its size
    if _PICTURE in output.data:
        kept = {_PICTURE: _smaller(output.data[_PICTURE]), "text/plain": output.data.get("text/plain", "")}
        output.data = nbformat.from_dict(kept)
    return output


def _smaller(png: str) -> str:
    """The picture in 255 colours, a third of the size."""
    picture = _opened(png).convert("RGBA")
    flat = Image.new("RGBA", picture.size, "white")
    flat.alpha_composite(picture)
    written = io.BytesIO()
    flat.convert("RGB").quantize(255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    return base64.b64encode(written.getvalue()).decode() + "\n"


def _tidy(notebook: nbformat.NotebookNode, path: Path) -> None:
    """What tags mean to the viewers, the same ids in each run, and no traces of the editor."""
    number = path.name[:2]
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for i, cell in enumerate(notebook.cells):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag not in ("raises-exception", "hide-input")]
        cell.id = f"{number}-{i:03}"
        cell.metadata = nbformat.from_dict({})
        if "exercise" in tags:
            tags.append("raises-exception")
        if "solution" in tags:
            tags.append("hide-input")
            cell.metadata["jupyter"] = {"source_hidden": True}
        if tags:
            cell.metadata["tags"] = tags


def _newer_loops() -> str:
    """The processor's features beyond AVX2, which NumPy has other loops for."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    newer = (name for name in __cpu_dispatch__ if name == "X86_V4" or name.startswith("AVX512"))
    return ",".join(name for name in newer if __cpu_features__.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int, help="of the notebooks (default all)")
    parser.add_argument("--compare", action="store_true", help="compare with what is stored, and store nothing")
    chosen = parser.parse_args()
    differing = 0
    for path in tqdm([p for p in notebooks() if not chosen.numbers or int(p.name[:2]) in chosen.numbers]):
        began = time.perf_counter()
        fresh = run(path)
        found = differences(nbformat.read(path, as_version=4), fresh)
        differing += bool(found)
        tqdm.write(
            f"{path.name}: {time.perf_counter() - began:.0f} s, {len(found)} outputs differ from the stored ones"
        )
        if chosen.compare:
            for sentence in found:
                tqdm.write(f"  {sentence}")
        else:
            beside = path.with_suffix(".tmp")
            nbformat.write(fresh, beside)
            os.replace(beside, path)
    return int(bool(chosen.compare and differing))


if __name__ == "__main__":
    sys.exit(main())
