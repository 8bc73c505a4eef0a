"""Names of people and places told by the words around them: windows of five word vectors, scored.

    python examples/named_entities.py --epochs 30 --seed 0 --out out

The score s = uᵀ f(W x + b) of a window, where x is its five word vectors side by side, is to be 1 higher when the word
in the centre is a name than when it is not. A word that is rare or held out has no vector of its own, only that of its
shape, so that names never seen before are told by what stands around them. Words are held out, not sentences: other
windows of the same reports are trained on. Writes named_entities.png.

The text is the 350 news reports of 2001 and 2002 that the package `gensim` is tested with. Nobody has labelled them;
the labels are made here from lists. A capitalised word is a *name* where the first names and the 10,000 commonest last
names of the US census (package `names`) or gensim's list of cities, states and countries have it, and the text never
has it small. It is *ordinary* where the text also has it small, as it has "government" and "the", or where it is a
month or a day. So "Blue" and "French" are names, being last names, and "New" of "New Zealand" is none. The other
capitalised words are in no list; they are neither trained on nor counted, and the best of them are printed in the end.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import names
import numpy as np
from common import arguments, figure
from sklearn.decomposition import PCA
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support, roc_auc_score

import autograd
import nn
import optim
from autograd import Tensor

EDGE = "<edge>"
SHAPES = {"<Capitals>": r"[A-Z][A-Z.]+$", "<Capitalised>": "[A-Z]", "<small>": "[a-z]", "<number>": r"\d", "<sign>": ""}
UNLISTED, NAME, ORDINARY, SMALL = range(4)


class Scorer(nn.Module):
    """Windows of words (..., 5) ↦ scores (...)."""

    def __init__(self, words: int, size: int = 32, hidden: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, size, sparse=True)
        self.layer = nn.Linear(5 * size, hidden)
        self.u = nn.Linear(hidden, 1, bias=False)
        self.dropout = nn.Dropout(0.4)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, windows: Tensor) -> Tensor:
        x = self.embedding(windows).flatten(-2)  # (..., 5 size)
        return self.u(self.layer(self.dropout(x)).tanh()).squeeze(-1)


class Pairs:
    """Each true window with a corrupt one drawn anew; half of the centres stand there by their shape alone."""

    def __init__(self, true: np.ndarray, corrupt: list[np.ndarray], shapes: np.ndarray, seed: int) -> None:
        self.true, self.corrupt, self.shapes = true, corrupt, shapes
        self.random = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in np.array_split(self.random.permutation(len(self.true)), len(self.true) // 32):
            kind = self.corrupt[self.random.integers(len(self.corrupt))]
            pair = self.true[rows], kind[self.random.integers(len(kind), size=len(rows))]
            for windows in pair:
                by_shape = self.random.random(len(windows)) < 0.5
                windows[by_shape, 2] = self.shapes[windows[by_shape, 2]]
            yield autograd.tensor(pair[0]), autograd.tensor(pair[1])


def read() -> tuple[list[str], set[str]]:
    """The words of the reports, with two edges around each report, and the names of the lists."""
    package = find_spec("gensim")  # found, not imported: only its files are wanted
    if package is None or package.origin is None:
        raise ImportError("named_entities: the news reports are in a package: pip install gensim")
    folder = Path(package.origin).parent / "test" / "test_data"
    text = "\n".join((folder / file).read_text(encoding="latin-1") for file in ("lee_background.cor", "lee.cor"))
    word = r"[A-Za-z]+(?:[-.][A-Za-z]+)*(?:'[a-rt-z]+)?|'s|\d[\d,.:]*\w*|[^\w\s]"
    words = [EDGE, EDGE]
    for report in text.splitlines():
        words += [*re.findall(word, report), EDGE, EDGE]
    listed = set()
    for path in names.FILES.values():
        listed |= {line.split()[0].capitalize() for line in Path(path).read_text().splitlines()[:10_000]}
    for section in (folder / "questions-words.txt").read_text().split(": "):
        if section.startswith(("capital-", "city-in-state")):
            listed.update(section.split()[1:])
    return words, listed


def label(word: str, small: set[str], listed: set[str]) -> int:
    """Which of the four kinds a word is of."""
    if not word[0].isupper():
        return SMALL
    if word.lower() in small or word in calendar.month_name or word in calendar.day_name:
        return ORDINARY
    return NAME if word in listed else UNLISTED


def report(centre: np.ndarray, true: np.ndarray, first: np.ndarray, scores: np.ndarray, threshold: float) -> None:
    """Precision, recall and F1 on the held-out words, beside two rules of thumb."""
    print(f"held out: {len(set(centre))} words in {len(true)} windows, {true.mean():.0%} of them names")
    rules = {"every capitalised word": true | True, "capitalised within a sentence": ~first}
    for name, guess in {**rules, "window scorer": scores > threshold}.items():
        precision, recall, f1, _ = precision_recall_fscore_support(true, guess, average="binary")
        print(f"{name:<30} precision {precision:.1%}  recall {recall:.1%}  F1 {f1:.1%}")
    print(f"{'window scorer':<30} AUC {roc_auc_score(true, scores):.3f}")


def main() -> None:
    options = arguments(__doc__, epochs=30)
    words, listed = read()
    counts = Counter(words)
    small = {word for word in counts if word.islower()}
    kinds = {word: label(word, small, listed) for word in counts}
    candidates = sorted(word for word, n in counts.items() if n < 50 and kinds[word] in (NAME, ORDINARY))
    held_out = set(np.random.default_rng(options.seed).choice(candidates, len(candidates) // 3, replace=False))

    # The shapes come first in the table, then the words that have vectors of their own.
    shape = {word: next(i for i, s in enumerate(SHAPES.values()) if re.match(s, word)) for word in counts}
    table = [*SHAPES, *sorted(word for word, n in counts.items() if n >= 3 and word not in held_out)]
    shapes = np.array([*range(len(SHAPES)), *(shape[word] for word in table[len(SHAPES) :])])
    number = {**shape, **{word: i for i, word in enumerate(table)}}
    windows = np.lib.stride_tricks.sliding_window_view([number[word] for word in words], 5)  # (N, 5)
    centre, before = np.array(words[2:-2]), np.array(words[1:-3])
    kind = np.array([kinds[word] for word in centre])
    kind[centre == EDGE] = -1
    held = np.isin(centre, list(held_out))

    scorer, margin = Scorer(len(table)), nn.MaxMarginLoss()
    true, *corrupt = (windows[(kind == k) & ~held] for k in (NAME, ORDINARY, SMALL))
    nn.training.fit(
        scorer, lambda score, corrupt: margin(score, scorer(corrupt)), optim.Adagrad(scorer.parameters(), lr=0.05),
        Pairs(true, corrupt, shapes, options.seed), epochs=options.epochs,
    )  # fmt: skip

    by_shape = windows.copy()
    by_shape[:, 2] = shapes[by_shape[:, 2]]
    scorer.eval()
    with autograd.no_grad():
        scores = scorer(autograd.tensor(by_shape)).numpy()
    seen, test = (np.isin(kind, (NAME, ORDINARY)) & part for part in (~held, held))
    precision, recall, thresholds = precision_recall_curve(kind[seen] == NAME, scores[seen])
    threshold = thresholds[np.argmax((precision * recall / (precision + recall))[:-1])]
    first = np.isin(before, (".", "?", "!", '"', EDGE))
    report(centre[test], kind[test] == NAME, first[test], scores[test], threshold)

    unlisted = np.flatnonzero(kind == UNLISTED)
    best = {centre[i]: i for i in unlisted[np.argsort(scores[unlisted])]}
    print(f"\nhighest of the {len(best)} words of no list, each in its best window:")
    for word, i in sorted(best.items(), key=lambda item: -scores[item[1]])[:12]:
        print(f"  {scores[i]:5.2f}  {' '.join(words[i : i + 2])} [{word}] {' '.join(words[i + 3 : i + 5])}")
    vectors = nn.functional.normalize(scorer.embedding.weight.detach()).numpy()
    common = [i for i, word in enumerate(table) if counts[word] >= 12]
    print("\nnearest vectors of common words, by their angle:")
    for word in ("Mr", "Minister", "John", "Sydney", "says"):
        nearest = sorted(common, key=lambda i, word=word: -vectors[i] @ vectors[number[word]])[1:7]
        print(f"  {word:<9} {', '.join(table[i] for i in nearest)}")

    with figure(options.out / "named_entities.png", 1, 2, figsize=(12, 5)) as (left, right):
        bins = np.linspace(*np.quantile(scores[test], (0.002, 0.998)), 40)
        for name, group in (("names", kind == NAME), ("ordinary words", kind == ORDINARY)):
            left.hist(scores[test & group], bins, alpha=0.6, label=f"{name}, capitalised")
        left.axvline(threshold, color="black", linewidth=1, label="threshold, from the words trained on")
        left.set(xlabel="score of the window", ylabel="windows", title="Held-out words, told by their context alone")
        left.legend(fontsize="small", loc="upper left")
        drawn = [i for i in common if kinds[table[i]] in (NAME, ORDINARY)]
        places = PCA(2).fit_transform(vectors[drawn])
        right.scatter(*places.T, s=0)
        for i, place in zip(drawn, places, strict=True):
            right.annotate(table[i], place, color="C0" if kinds[table[i]] == NAME else "C1", fontsize=7, ha="center")
        right.set(title="Word vectors of capitalised words, projected", xticks=[], yticks=[])


if __name__ == "__main__":
    main()
