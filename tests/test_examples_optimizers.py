"""The race of optimizers: it runs, writes its pictures, and its paths are those of the optimizers."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "examples" / "optimizers.py"


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("optimizers_example", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
def test_a_short_run_writes_all_pictures(tmp_path):
    from PIL import Image

    done = run("--steps", "12", "--frames", "3", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Beale's function: " in done.stdout
    pictures = {path.name for path in tmp_path.iterdir()}
    assert pictures == {"bowl.png", "momentum.png", "saddle.png", "beale.png", "paths.gif"}
    for name in pictures:
        with Image.open(tmp_path / name) as image:
            assert image.width > 500
            assert np.asarray(image.convert("L")).std() > 5
    with Image.open(tmp_path / "paths.gif") as image:
        assert image.n_frames == 3


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), [(["--steps", "0"], "at least 1"), (["--seed", "x"], "invalid int")])
def test_wrong_arguments_are_refused(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_every_optimizer_gets_down(example):
    for name, race in example.RACES.items():
        for label in race.routes:
            path = example.run(race, label, race.steps, seed=0)
            assert path.shape == (race.steps + 1, 2)
            height = race.height(*path.T)
            lowest = np.nanmin(height)
            assert lowest < (-0.5 if race.goal is None else height[0] / 5), (name, label)


def test_paths_repeat_with_their_seed(example):
    race = example.RACES["saddle"]
    a, b, c = (example.run(race, example.NOISY, 30, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_momentum_pays_in_the_bowl(example):
    race = example.RACES["momentum"]
    ends = [race.height(*example.run(race, label, race.steps, 0)[-1]) for label in race.routes]
    none, half, _, nesterov = ends
    assert nesterov < half < none
