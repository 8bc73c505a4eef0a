"""kill -9 at random moments, also while a checkpoint is written: the run that goes on ends bit for bit the same."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

from nn.training import read_checkpoint

TESTS = pathlib.Path(__file__).parent
KILLS = 50
# Each life makes a few steps; there are enough for all of them.
EPOCHS = 100

SCRIPT = """
import json, pathlib, sys
import nn
from training import train, weights

class Tell(nn.training.Callback):
    # Called before the checkpoint is written.
    def on_step_end(self, run, loss):
        print(run.step, flush=True)

folder, epochs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
model, history = train(
    epochs=epochs, hidden=64, schedule_every="step", scheduler=None,
    callbacks=[Tell(), nn.training.EarlyStopping(patience=1000)],
    checkpoint=nn.training.Checkpoint(folder / "run.ckpt", every_steps=1), resume=True,
)
values = {name: [value.hex() for value in values] for name, values in history.items()}
bits = {name: [dtype, content.hex()] for name, (dtype, content) in weights(model).items()}
(folder / "end.json").write_text(json.dumps([values, bits, history.best_epoch]))
"""


def start(folder):
    paths = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(EPOCHS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip


def finish(folder):
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads((folder / "end.json").read_text())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_fifty_kills_change_nothing(tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    killed.mkdir()
    rng = random.Random(0)
    in_a_save, reached = 0, [0]
    for _ in range(KILLS):
        process = start(killed)
        for _ in range(rng.randint(1, 10)):
            line = process.stdout.readline()
        assert line, process.stderr.read()
        # From nothing to about as long as a step and its checkpoint take.
        time.sleep(rng.uniform(0, 0.006))
        process.kill()
        _, errors = process.communicate()
        assert process.returncode == -9, errors
        in_a_save += (killed / "run.ckpt.writing").exists()
        # A step that was told of may have died with its checkpoint, but none before it.
        reached.append(read_checkpoint(killed / "run.ckpt")["step"])
        assert reached[-1] >= int(line) - 1 and reached[-1] >= reached[-2]
    assert not (killed / "end.json").exists(), "it came to its end before it was killed often enough"
    assert finish(killed) == finish(undisturbed)
    assert in_a_save >= 3, f"only {in_a_save} of the kills fell into the writing of a checkpoint"
    assert not (killed / "run.ckpt.writing").exists()
    print(f"{in_a_save} of {KILLS} kills in a save; steps reached {reached}")
