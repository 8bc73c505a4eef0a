"""What a training shows: lines, a bar, tables, curves."""

from __future__ import annotations

import builtins
import csv
import io
import sys

import numpy as np
import pytest
from training import data, linear, quiet, sgd, train

from nn.functional import cross_entropy
from nn.training import ConfusionMatrix, evaluate


def test_lines_in_a_log(capsys):
    train(epochs=2, progress=True)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert not out and len(lines) == 2 and lines[1].startswith("epoch 2/2  loss 0.")
    assert "valid_accuracy 0." in lines[1]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_in_a_terminal(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    train(epochs=2, progress=True)
    text = sys.stderr.getvalue()
    assert "epoch 2/2: 100%" in text and "10/10" in text and "valid_accuracy=0." in text


def test_without_tqdm_nothing_is_lost(monkeypatch):
    original = builtins.__import__

    def importing(name, *rest):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(epochs=2, progress=True)
    lines = sys.stderr.getvalue().splitlines()
    assert lines[0] == "For a progress bar: pip install tqdm" and lines[2].startswith("epoch 2/2  loss 0.")


def test_the_history_shows_itself(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    _, history = train(epochs=40)
    lines = repr(history).splitlines()
    assert lines[0].split() == ["epoch", "loss", "accuracy", "valid_loss", "valid_accuracy", "lr"]
    assert len(lines) == 26 and lines[-1].split()[0] == "40" and lines[7].split() == ["…"] * 6
    assert len({len(line) for line in lines}) == 1
    page = history._repr_html_()
    assert page.count("<tr>") == 26 and "data:image/png;base64," in page
    figure = history.plot()
    assert [a.get_ylabel() for a in figure.axes] == ["loss", "accuracy", "lr"]
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), history["valid_loss"])
    plt.close(figure)
    history.to_csv(tmp_path / "h.csv")
    with open(tmp_path / "h.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["valid_loss"]) for row in rows] == history["valid_loss"] and rows[-1]["epoch"] == "40"
    assert not plt.get_fignums()


def test_a_table_without_matplotlib(monkeypatch):
    _, history = train(epochs=2)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    assert history._repr_html_().startswith("<table>")
    with pytest.raises(ImportError, match="pip install matplotlib"):
        history.plot()


def test_a_confusion_matrix_of_a_model():
    x, y = data()
    model = linear()
    matrix = evaluate(model, (x, y), metrics=[ConfusionMatrix()])["confusion_matrix"]
    assert isinstance(matrix, ConfusionMatrix) and matrix.compute().sum() == 40
    with pytest.raises(TypeError, match=r"after fit, evaluate\(model, valid"):
        quiet(model, cross_entropy, sgd(model), (x, y), metrics=[ConfusionMatrix()])
