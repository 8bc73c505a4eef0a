"""The code of docs/extending.md runs as printed, and prints what it says."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "extending.md"


def test_the_page_is_true(tmp_path):
    source = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    program = tmp_path / "extending.py"
    program.write_text(source, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for text in re.findall(r"print\(.*\)  # (tensor.*)", source):
        assert text in run.stdout, text
    assert "backward of sqrt: the gradient with respect to x has 1 Inf among 2 entries" in run.stdout
    assert f"{program}:" in run.stdout
