"""What the README shows is true: its code runs as printed, and its commands exist."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_code_runs_as_printed(tmp_path):
    # Each block goes on where the one before it ended, as a reader would.
    program = tmp_path / "readme.py"
    program.write_text("\n".join(BLOCKS), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    promised = dict(re.findall(r"^print\((.*)\)  # (tensor.*)$", "\n".join(BLOCKS), re.MULTILINE))
    assert promised
    for text in promised.values():
        assert text in run.stdout
    assert float(re.search(r"loss (\S+)", run.stdout)[1]) < 1e-3
    blamed = program.read_text(encoding="utf-8").splitlines().index("    weights += 1.0") + 1
    assert f"{program}:{blamed}" in run.stdout
    for name in ("sine.svg", "lecture.svg"):
        assert (tmp_path / name).read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_the_first_example_is_as_short_as_it_says():
    assert README.index("## Fifteen lines") < README.index(BLOCKS[0])
    assert len([line for line in BLOCKS[0].splitlines() if line]) == 15


def test_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z][a-z-]*)", README))
    assert {"demo", "test", "test-all"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_and_pictures_are_there():
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_every_example_is_named():
    table = README[README.index("## Examples") :].split("\n## ")[0]
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")} - {"common.py"}
    assert set(re.findall(r"`(\w+\.py)`", table)) == scripts


def test_the_picture_is_what_the_demo_draws(tmp_path):
    """The README's graph has the operations and parameters of the demo's, drawn anew."""
    script = ROOT / "examples" / "digits.py"
    run = subprocess.run(
        [sys.executable, str(script), "--epochs", "1", "--out", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for name in ("graph.svg", "training.png", "mistakes.png"):
        assert (tmp_path / name).stat().st_size > 1000
        assert str(tmp_path / name) in run.stdout

    def boxes(path):
        text = path.read_text(encoding="utf-8")
        return [t for t in re.findall(r"<text[^>]*>([^<]*)</text>", text) if re.match("(?!value|mean).*[a-z]{4}", t)]

    assert boxes(tmp_path / "graph.svg") == boxes(ROOT / "docs" / "images" / "digits-graph.svg")


def test_make_says_what_it_needs():
    make = shutil.which("make")
    assert make, "make is one of the two things that the README asks for"
    run = subprocess.run([make, "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "examples/digits.py" in run.stdout
