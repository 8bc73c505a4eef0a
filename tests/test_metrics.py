"""Metrics: scikit-learn's numbers, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics

import autograd
from autograd import DTypeError, ShapeError, tensor
from nn.training import (
    F1,
    R2,
    Accuracy,
    ConfusionMatrix,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    Precision,
    Recall,
)
from nn.training.metrics import as_metrics

AVERAGES = ["binary", "macro", "micro", "weighted"]
SCORES = {
    Precision: sklearn.metrics.precision_score,
    Recall: sklearn.metrics.recall_score,
    F1: sklearn.metrics.f1_score,
}


def in_batches(metric, output, target, size):
    for start in range(0, len(target), size):
        metric.update(output[start : start + size], target[start : start + size])
    return metric.compute()


def classes(seed, n=60):
    """Targets and guesses among some of 2 to 6 classes, so that classes are missing on either side."""
    rng = np.random.default_rng(seed)
    k = 2 + seed % 5
    return rng.integers(0, k, n), rng.choice(rng.permutation(k)[: max(1, k - seed % 3)], n)


@pytest.mark.parametrize("size", [1, 7, 60])
@pytest.mark.parametrize("seed", range(15))
def test_counts_are_exactly_those_of_scikit_learn(seed, size):
    true, guess = classes(seed)
    output, target = tensor(guess), tensor(true)
    assert in_batches(Accuracy(), output, target, size) == sklearn.metrics.accuracy_score(true, guess)
    labels = range(max(true.max(), guess.max()) + 1)
    expected = sklearn.metrics.confusion_matrix(true, guess, labels=labels)
    np.testing.assert_array_equal(in_batches(ConfusionMatrix(), output, target, size), expected)
    for kind, score in SCORES.items():
        for average in AVERAGES[1:] if max(labels) > 1 else AVERAGES:
            ours = in_batches(kind(average), output, target, size)
            assert ours == score(true, guess, average=average, zero_division=0), (kind, average)


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_read_as_classes(seed):
    rng = np.random.default_rng(seed)
    logits, target = rng.standard_normal((40, 4, 3)).astype("f"), rng.integers(0, 4, (40, 3))
    guess = logits.argmax(1)
    assert in_batches(Accuracy(), tensor(logits), tensor(target), 9) == np.mean(guess == target)
    two, signs = logits[:, 0, 0], rng.choice([-1.0, 1.0], 40).astype("f")
    guess, true = two > 0, signs > 0
    ours = in_batches(F1(threshold=0.0), tensor(two), tensor(signs), 9)
    assert ours == sklearn.metrics.f1_score(true, guess)
    chances = 1 / (1 + np.exp(-two))
    assert in_batches(F1(), tensor(chances), tensor(true.astype("f")), 9) == ours


def test_many_classes_take_little_memory():
    accuracy, f1 = Accuracy(), F1("macro")
    for metric in (accuracy, f1):
        metric.update(np.array([50_000, 1]), np.array([50_000, 2]))
        assert sum(value.size for value in metric.state_dict().values()) == 3 * 50_001
    assert accuracy.compute() == 0.5 and f1.compute() == pytest.approx(1 / 3)


def test_what_does_not_count_is_left_out():
    accuracy = Accuracy(ignore_index=-100)
    accuracy.update(tensor([1, 1, 0, 0]), tensor([1, 0, -100, -100]))
    assert accuracy.compute() == 0.5


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_those_of_scikit_learn(seed, shape):
    rng = np.random.default_rng(seed)
    target = 100 + rng.standard_normal(shape)
    output = target + rng.standard_normal(shape)
    pairs = {
        MeanAbsoluteError: sklearn.metrics.mean_absolute_error,
        MeanSquaredError: sklearn.metrics.mean_squared_error,
        R2: sklearn.metrics.r2_score,
    }
    for kind, score in pairs.items():
        expected = score(target, output)
        # In one batch the same sums in the same order; over batches the order of sums differs.
        if kind is R2:
            assert in_batches(kind(), tensor(output), tensor(target), 50) == expected
        for size in (1, 7, 50):
            assert in_batches(kind(), tensor(output), tensor(target), size) == pytest.approx(expected, rel=1e-12)
    # Where sums are exact, so is the mean, in whatever batches.
    target, output = np.rint(target * 4) / 4, np.rint(output * 4) / 4
    for kind in (MeanAbsoluteError, MeanSquaredError):
        assert in_batches(kind(), tensor(output), tensor(target), 7) == pairs[kind](target.ravel(), output.ravel())


def test_r2_of_equal_targets():
    same = np.ones(4)
    for output in (same, same + 0.5):
        assert in_batches(R2(), tensor(output), tensor(same), 2) == sklearn.metrics.r2_score(same, output)


def test_float32_is_gathered_in_double_precision():
    target = autograd.zeros(100_001)
    output = autograd.full((100_001,), 0.1)
    exact = float(np.float32(0.1))
    assert in_batches(MeanAbsoluteError(), output, target, 1000) == pytest.approx(exact, rel=1e-12)


def test_a_metric_starts_again_and_is_carried_over():
    for kind in (Accuracy, R2, MeanSquaredError, ConfusionMatrix):
        metric, other = kind(), kind()
        rng = np.random.default_rng(0)
        a, b, c, d = ((rng.integers(0, 3, 10), rng.integers(0, 3, 10)) for _ in range(4))
        for pair in (a, b):
            metric.update(*pair)
        other.load_state_dict(metric.state_dict())
        for pair in (c, d):
            metric.update(*pair)
            other.update(*pair)
        np.testing.assert_array_equal(metric.compute(), other.compute())
        metric.reset()
        metric.update(*a)
        alone = kind()
        alone.update(*a)
        np.testing.assert_array_equal(metric.compute(), alone.compute())


def test_the_confusion_matrix_shows_itself():
    pytest.importorskip("matplotlib").use("Agg")
    matrix = ConfusionMatrix(labels=["a <b>", "c"])
    matrix.update(tensor([0, 1, 1]), tensor([0, 1, 0]))
    assert repr(matrix).split("\n") == [
        "true \\ predicted  a <b>  c",
        "a <b>                 1  1",
        "c                     0  1",
    ]
    page = matrix._repr_html_()
    assert "a &lt;b&gt;" in page and page.count("<tr>") == 3
    figure = matrix.plot()
    assert [t.get_text() for t in figure.axes[0].texts] == ["1", "1", "1"]
    import matplotlib.pyplot as plt

    plt.close(figure)


REFUSED = {
    "shapes": (Accuracy, (np.zeros((4, 2)), np.zeros(3, int)), ShapeError, "output is float64 of shape (4, 2)"),
    "float classes": (Accuracy, (np.zeros((4, 2)), np.zeros(4)), DTypeError, "classes must be ints"),
    "logits": (Accuracy, (np.array([3.0, -1.0]), np.array([1, 0])), ValueError, "give threshold=0.0"),
    "targets": (Accuracy, (np.array([0.5, 0.5]), np.array([1, 2])), ValueError, "targets must be 0 and 1"),
    "negative class": (Accuracy, (np.array([0, 1]), np.array([0, -1])), IndexError, "give ignore_index=-1"),
    "no label": (lambda: ConfusionMatrix(["a"]), (np.array([0]), np.array([1])), IndexError, "not one of the 1 labels"),
    "column": (R2, (np.zeros((4, 1)), np.zeros(4)), ShapeError, "squeeze(-1) the output"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "pair", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(kind, pair, error, text):
    with pytest.raises(error) as caught:
        kind().update(*pair)
    assert text in str(caught.value)


def test_nothing_and_too_many_classes_are_refused():
    for metric in (Accuracy(), F1(), MeanAbsoluteError(), R2()):
        with pytest.raises(ValueError, match=r"call update|at least two"):
            metric.compute()
    f1 = F1()
    f1.update(np.array([0, 1, 2]), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="choose 'macro'"):
        f1.compute()
    with pytest.raises(ValueError, match="average must be"):
        F1("mean")


def test_names_functions_and_dicts():
    def largest(output, target):
        return (output - target).abs().max()

    metrics = as_metrics({"acc": "accuracy", "worst": largest, "f": F1("macro")})
    assert list(metrics) == ["acc", "worst", "f"] and all(isinstance(m, Metric) for m in metrics.values())
    assert list(as_metrics(["f1_macro", largest])) == ["f1_macro", "largest"]
    for given, error, text in (
        (["acuracy"], ValueError, "'acuracy' is none of accuracy"),
        ([Accuracy], TypeError, "make one of it: Accuracy()"),
        ([3], TypeError, "got int 3"),
        (["r2", R2()], ValueError, "two values called 'r2'"),
    ):
        with pytest.raises(error) as caught:
            as_metrics(given)
        assert text in str(caught.value)
