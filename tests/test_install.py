"""What an import loads, and what happens where the older package named autograd is installed too."""

from __future__ import annotations

import inspect
import pathlib
import shutil
import subprocess
import sys

import pytest

from autograd.primitive import registry

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
    slow = (
        "scipy", "matplotlib", "tqdm", "sklearn", "jax", "graphviz", "wasmtime", "IPython", "autograd.graph.drawing",
        "autograd.profiling", "nn.averaging", "nn.data", "nn.ensemble", "nn.model_health", "nn.model_summary",
        "nn.regularizers", "nn.scalar", "nn.training", "concurrent.futures", "logging", "csv", "gzip", "json",
        "pathlib", "statistics", "zipfile",
    )  # fmt: skip
    program = "import sys, numpy; had = set(sys.modules); import autograd, nn, optim; " + (
        f"print([m for m in {slow} if m in sys.modules and m not in had])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stdout.strip() == "[]", run.stdout + run.stderr


def test_what_is_loaded_when_asked_for_is_as_if_it_were_there():
    program = """
import nn
assert {"data", "training", "health", "Summary", "model_health"} <= set(dir(nn)), dir(nn)
assert nn.data.DataLoader and nn.training.fit and nn.regularizers.L2 and nn.model_summary.Summary is nn.Summary
from nn import training, Ensemble
from nn import *
assert health is nn.health and data is nn.data and Ensemble is nn.ensemble.Ensemble
assert all(hasattr(nn, name) for name in dir(nn))
assert len(set(nn.__all__)) == len(nn.__all__)
assert all(hasattr(nn, name) for name in nn.__all__)
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_primitive_knows_its_inputs_as_its_signature_has_them():
    for primitive in registry.values():
        parameters = list(inspect.signature(primitive.forward).parameters.values())[1:]
        assert list(inspect.signature(primitive).parameters.values()) == parameters
        assert primitive.inputs == tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        assert primitive.variadic == any(p.kind is p.VAR_POSITIONAL for p in parameters)
        assert primitive._defaults == {p.name: p.default for p in parameters if p.default is not p.empty}
