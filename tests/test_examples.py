"""The examples, each run as a script in reduced form: what they claim holds, and the pictures are there."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def run(out, script, *options):
    """What the example prints; its pictures must be whole PNG files."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), "--out", str(out), *options],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pictures = re.findall(r"^wrote (.*)$", done.stdout, re.M)
    assert pictures
    for picture in pictures:
        data = pathlib.Path(picture).read_bytes()
        assert data.startswith(b"\x89PNG") and data.endswith(b"IEND\xaeB`\x82") and len(data) > 10_000
    return done.stdout


def numbers(text, pattern):
    """The numbers of the groups of ``pattern``."""
    match = re.search(pattern, text)
    assert match, text
    return [float(group) for group in match.groups()]


def test_convolutional_network(tmp_path):
    (correct,) = numbers(run(tmp_path, "digits_cnn.py", "--epochs", "10"), r"held out: ([\d.]+)%")
    assert correct >= 98


def test_inverse_sinusoid(tmp_path):
    text = run(tmp_path, "mixture_density.py", "--epochs", "60")
    mixture, single = numbers(text, r"mixture (-?[\d.]+), one Gaussian (-?[\d.]+)")
    assert mixture < single - 0.5


def test_diabetes(tmp_path):
    text = run(tmp_path, "heteroscedastic.py")
    predicted, one = numbers(text, r"predicted variance (-?[\d.]+), one for all (-?[\d.]+)")
    within_one, within_two = numbers(text, r"within 1 σ: (\d+)% .*, within 2 σ: (\d+)%")
    assert predicted < one + 0.05 and 50 < within_one < 85 and within_two > 85


def test_denoising_with_tied_weights(tmp_path):
    text = run(tmp_path, "autoencoder.py", "--epochs", "20")
    noisy, restored = numbers(text, r"noisy ([\d.]+), restored ([\d.]+)")
    assert restored < noisy / 2


def test_an_ensemble_and_its_best_member(tmp_path):
    text = run(tmp_path, "bagging.py", "--epochs", "20", "--members", "9")
    best, votes, mean = numbers(text, r"best member ([\d.]+)%, majority vote ([\d.]+)%, mean probability ([\d.]+)%")
    assert votes > best and mean > best


def test_dropout_and_batch_norm(tmp_path):
    text = run(tmp_path, "ablation.py", "--epochs", "40", "--repeats", "2")
    losses = {name.strip(): float(loss) for name, loss in re.findall(r"^([a-z ]+?)  .*loss ([\d.]+)$", text, re.M)}
    assert set(losses) == {"plain", "dropout", "batch norm", "both"}
    assert min(losses["dropout"], losses["both"]) < losses["plain"]


def test_characters(tmp_path):
    text = run(tmp_path, "characters.py", "--epochs", "3")
    (pairs,) = numbers(text, r"pairs counted: held out ([\d.]+) nats")
    of_each = {
        name: numbers(text, rf"(?m)^{name}: held out ([\d.]+) nats, ([\d.]+) bits .*; ([\d.]+)% .*, ([\d.]+)% ")
        for name in ("rnn", "lstm", "gru", "gpt")
    }
    for name, (nats, bits, new, known) in of_each.items():
        # A model that saw the letter it is to tell would be far below 1.8 nats.
        assert 1.8 < nats < pairs - 0.15 and bits == pytest.approx(nats / 0.6931, abs=2e-3), name
        assert new > 60 and known > 90, name

    alone = run(tmp_path, "characters.py", "--epochs", "3", "--model", "rnn")
    lines = alone.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("rnn:"))
    assert "\n".join(lines[start : start + 2]) in text  # the same loss and names, so one seed is one result


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="gensim, which has the text, has no wheels for it")
def test_named_entities(tmp_path):
    text = run(tmp_path, "named_entities.py", "--epochs", "12")
    score = r"precision [\d.]+%  recall [\d.]+%  F1 ([\d.]+)%"
    rules = [numbers(text, rf"{rule} +{score}")[0] for rule in ("every capitalised word", "within a sentence")]
    assert numbers(text, rf"window scorer +{score}")[0] > max(rules) + 1
    assert numbers(text, r"AUC ([\d.]+)")[0] > 0.8
