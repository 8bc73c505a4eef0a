"""Metrics of classes: the confusion matrix, and what follows from it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import DTypeError, ShapeError
from autograd.errors import describe

from .metric import Metric, to_array

__all__ = ["Accuracy", "ConfusionMatrix", "F1", "Precision", "Recall"]


class _Classes(Metric):
    """What reads classes from outputs and targets."""

    labels: list[str] | None = None

    def __init__(self, threshold: float | None, ignore_index: int | None) -> None:
        self.threshold = threshold
        self.ignore_index = ignore_index
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        true, predicted = self._classes(to_array(output), to_array(target))
        if not true.size:
            return
        low, high = int(min(true.min(), predicted.min())), int(max(true.max(), predicted.max()))
        if low < 0:
            raise IndexError(
                f"{type(self).__name__}: class {low} is below 0; give ignore_index={low} if such targets do not count"
            )
        if self.labels is not None and high >= len(self.labels):
            raise IndexError(f"{type(self).__name__}: class {high} is not one of the {len(self.labels)} labels")
        self._count(true, predicted, high + 1)

    def _count(self, true: np.ndarray, predicted: np.ndarray, n: int) -> None:
        raise NotImplementedError

    def _classes(self, output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
        name = type(self).__name__
        if output.shape == target.shape and output.dtype.kind == "f":
            threshold = self.threshold
            if threshold is None:
                threshold = 0.5
                if output.size and not (output.min() >= 0 and output.max() <= 1):
                    raise ValueError(
                        f"{name}: outputs lie between {output.min():.4g} and {output.max():.4g}, so they are no "
                        "probabilities; give threshold=0.0 for logits or scores around 0"
                    )
            if not np.isin(target, (-1, 0, 1) if self.ignore_index is None else (-1, 0, 1, self.ignore_index)).all():
                raise ValueError(f"{name}: with outputs of the targets' shape, targets must be 0 and 1, or −1 and 1")
            predicted, true = np.greater(output, threshold), np.greater(target, 0)
        elif output.shape == target.shape:
            predicted, true = output, target
        elif output.ndim == target.ndim + 1 and output.shape[:1] + output.shape[2:] == target.shape:
            predicted, true = output.argmax(1), target
        else:
            raise ShapeError(
                f"{name}: output is {describe(output)} and target {describe(target)}; wants scores (N, C, …) for "
                "targets (N, …), or both of one shape"
            )
        if true.dtype.kind not in "iub" or predicted.dtype.kind not in "iub":
            raise DTypeError(f"{name}: classes must be ints, got a target of {target.dtype}; write target.long()")
        true, predicted = true.astype(np.int64).ravel(), predicted.astype(np.int64).ravel()
        if self.ignore_index is not None:
            counts = target.ravel() != self.ignore_index
            true, predicted = true[counts], predicted[counts]
        return true, predicted


class ConfusionMatrix(_Classes):
    """How often class i was taken for class j: row i, column j.

    It shows itself: as a table in a terminal, as a coloured one in a notebook, as a picture with ``plot``.

    Arguments:
        labels: the names of the classes, for showing; their number is then fixed. By default classes are counted as
            they turn up.
        threshold: for outputs of the targets' shape, scores of one class against another: which are above it is
            predicted to be class 1. By default 0.5, and outputs outside [0, 1] are refused; give 0.0 for logits.
        ignore_index: targets of this value count nothing.

    Outputs are scores (N, C, …) of targets (N, …), where the largest is the prediction, or int or bool classes of the
    targets' shape, or scores of that shape. Targets are int64 classes from 0; with a threshold 0 and 1, or −1 and 1.

    Raises:
        ShapeError, DTypeError: output and target do not fit. IndexError: a class is negative, or has no label.

    >>> from autograd import tensor
    >>> matrix = ConfusionMatrix(labels=["cat", "dog"])
    >>> matrix.update(tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), tensor([0, 1, 1]))
    >>> matrix
    true \\ predicted   cat  dog
    cat                  1    0
    dog                  1    1
    """

    name = "confusion_matrix"
    is_number = False
    gathered = ("matrix",)
    matrix: np.ndarray

    def __init__(
        self, labels: Sequence[Any] | None = None, threshold: float | None = None, ignore_index: int | None = None
    ) -> None:
        self.labels = None if labels is None else [str(label) for label in labels]
        super().__init__(threshold, ignore_index)

    def reset(self) -> None:
        n = 0 if self.labels is None else len(self.labels)
        self.matrix = np.zeros((n, n), np.int64)

    def _count(self, true: np.ndarray, predicted: np.ndarray, n: int) -> None:
        if n > len(self.matrix):
            self.matrix = np.pad(self.matrix, (0, n - len(self.matrix)))
        n = len(self.matrix)
        self.matrix += np.bincount(true * n + predicted, minlength=n * n).reshape(n, n)

    def compute(self) -> np.ndarray:
        return self.matrix.copy()

    def _names(self) -> list[str]:
        return self.labels or [str(i) for i in range(len(self.matrix))]

    def __repr__(self) -> str:
        names, cells = self._names(), [[str(n) for n in row] for row in self.matrix.tolist()]
        corner = "true \\ predicted"
        first = max(len(corner), *map(len, names)) if names else len(corner)
        widths = [max(len(name), *(len(row[j]) for row in cells)) for j, name in enumerate(names)]
        rows = [[corner, *names], *([name, *row] for name, row in zip(names, cells, strict=True))]
        return "\n".join(
            (r[0].ljust(first) + "".join("  " + c.rjust(w) for c, w in zip(r[1:], widths, strict=True))).rstrip()
            for r in rows
        )

    def _repr_html_(self) -> str:
        names = [html.escape(name) for name in self._names()]
        share = self.matrix / np.maximum(self.matrix.sum(1, keepdims=True), 1)
        head = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            f"<tr><th>{name}</th>"
            + "".join(
                f'<td style="text-align:right;color:{"#fff" if s > 0.55 else "#000"};'
                f'background:rgba(31,119,180,{s:.3f})">{n}</td>'
                for n, s in zip(counts, shares, strict=True)
            )
            + "</tr>"
            for name, counts, shares in zip(names, self.matrix.tolist(), share.tolist(), strict=True)
        )
        return f"<table><tr><th>true \\ predicted</th>{head}</tr>{rows}</table>"

    def plot(self, axes: Any = None) -> Any:
        """Draws it with Matplotlib, into ``axes`` or a new figure, and returns the figure."""
        from ..display import pyplot

        if axes is None:
            _, axes = pyplot().subplots(layout="constrained")
        share = self.matrix / np.maximum(self.matrix.sum(1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        places, names = range(len(self.matrix)), self._names()
        axes.set(xlabel="predicted", ylabel="true")
        axes.set_xticks(places, names, rotation=45 if max(map(len, names), default=0) > 3 else 0)
        axes.set_yticks(places, names)
        for i in places:
            for j in places:
                if self.matrix[i, j]:
                    color = "white" if share[i, j] > 0.55 else "black"
                    axes.text(j, i, str(self.matrix[i, j]), ha="center", va="center", color=color)
        return axes.figure


class _Counts(_Classes):
    """What follows from three counts per class: predicted rightly, predicted, and true."""

    higher_is_better = True
    gathered = ("right", "predicted", "true")

    def reset(self) -> None:
        self.right = self.predicted = self.true = np.zeros(0, np.int64)

    def _count(self, true: np.ndarray, predicted: np.ndarray, n: int) -> None:
        n = max(n, len(self.true))
        for name, classes in (("right", true[true == predicted]), ("predicted", predicted), ("true", true)):
            before = getattr(self, name)
            setattr(self, name, np.bincount(classes, minlength=n) + np.pad(before, (0, n - len(before))))


class Accuracy(_Counts):
    """The share of predictions that are right.

    Arguments:
        threshold, ignore_index: as those of ``ConfusionMatrix``, whose outputs and targets it takes.

    >>> from autograd import tensor
    >>> accuracy = Accuracy(threshold=0.0)
    >>> accuracy.update(tensor([2.0, -1.0, 0.5, 3.0]), tensor([1, 0, 0, 1])); accuracy.compute()
    0.75
    """

    name = "accuracy"

    def __init__(self, threshold: float | None = None, ignore_index: int | None = None) -> None:
        super().__init__(threshold, ignore_index)

    def compute(self) -> float:
        if not self.true.any():
            raise self._empty()
        return int(self.right.sum()) / int(self.true.sum())


class _PerClass(_Counts):
    def __init__(
        self, average: str = "binary", threshold: float | None = None, ignore_index: int | None = None
    ) -> None:
        if average not in ("binary", "macro", "micro", "weighted"):
            raise ValueError(
                f"{type(self).__name__}: average must be 'binary', 'macro', 'micro' or 'weighted', got {average!r}"
            )
        self.average = average
        if average != "binary":
            self.name = f"{self.name}_{average}"
        super().__init__(threshold, ignore_index)

    def _parts(self, right: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def compute(self) -> float:
        if not self.true.any():
            raise self._empty()
        right, predicted, true = self.right, self.predicted, self.true
        if self.average == "binary":
            if len(true) > 2:
                raise ValueError(
                    f"{type(self).__name__}: there are {len(true)} classes; average='binary' is for 0 and 1, "
                    "choose 'macro', 'micro' or 'weighted'"
                )
            right, predicted, true = (np.append(a, 0)[1:2] for a in (right, predicted, true))
        elif self.average == "micro":
            right, predicted, true = (a.sum(keepdims=True) for a in (right, predicted, true))
        else:
            # Numbers between classes that turned up may be of no class.
            there = (predicted + true) > 0
            right, predicted, true = right[there], predicted[there], true[there]
        above, below = self._parts(right, predicted, true)
        values = above / np.where(below == 0, 1, below)
        return float(np.average(values, weights=true if self.average == "weighted" else None))


class Precision(_PerClass):
    """Of what was predicted to be of a class, the share that is: TP / (TP + FP), 0 where nothing was.

    Arguments:
        average: ``"binary"``, of class 1 against 0; ``"macro"``, the mean over classes; ``"micro"``, of all counts
            together; ``"weighted"``, the mean weighted by how many targets are of each class.
        threshold, ignore_index: as those of ``ConfusionMatrix``, whose outputs and targets it takes.

    >>> from autograd import tensor
    >>> precision = Precision(); precision.update(tensor([1, 1, 0]), tensor([1, 0, 0])); precision.compute()
    0.5
    """

    name = "precision"

    def _parts(self, right: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return right, predicted


class Recall(_PerClass):
    """Of what is of a class, the share that was found: TP / (TP + FN), 0 where there is none.

    Arguments: as those of ``Precision``.

    >>> from autograd import tensor
    >>> recall = Recall(); recall.update(tensor([1, 1, 0]), tensor([1, 0, 0])); recall.compute()
    1.0
    """

    name = "recall"

    def _parts(self, right: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return right, true


class F1(_PerClass):
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), 0 for a class that nowhere is right.

    Arguments: as those of ``Precision``.

    >>> from autograd import tensor
    >>> f1 = F1(average="macro"); f1.update(tensor([1, 1, 0, 1]), tensor([1, 0, 0, 1])); round(f1.compute(), 4)
    0.7333
    """

    name = "f1"

    def _parts(self, right: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return 2 * right, predicted + true
