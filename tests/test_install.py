"""What happens where the older package named autograd is installed too."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


def imported(name, path):
    """The last line that ``import name`` prints in an interpreter that sees only ``path``, Python and its packages."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import {name}"
    run = subprocess.run([sys.executable, "-c", code], cwd=path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    return run.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["nn", "optim"])
def test_the_older_package_in_place_of_the_engine(name, tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("from math import exp\n")
    shutil.copytree(ROOT / name, tmp_path / name)
    line = imported(name, tmp_path)
    assert line.startswith(f"ImportError: {name}: `import autograd` finds the older package")
    assert "pip uninstall autograd glassgrad" in line


def test_both_packages_in_one_folder(tmp_path):
    shutil.copytree(ROOT / "autograd", tmp_path / "autograd")
    (tmp_path / "autograd" / "numpy").mkdir()
    (tmp_path / "autograd" / "numpy" / "numpy_wrapper.py").write_text("")
    line = imported("autograd", tmp_path)
    assert line.startswith("ImportError: autograd: the older package named autograd")
    assert "pip uninstall autograd glassgrad" in line


def test_importing_loads_nothing_that_training_does_not_need():
    slow = ("scipy", "matplotlib", "tqdm", "sklearn", "jax", "graphviz", "wasmtime", "autograd.graph.drawing")
    program = f"import sys, autograd, nn, optim; print([m for m in {slow} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stdout.strip() == "[]", run.stdout + run.stderr
