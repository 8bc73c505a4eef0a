"""Models of names, a character at a time: a plain recurrent network, an LSTM, a GRU and a small GPT.

    python examples/characters.py --model all --epochs 20 --seed 0 --out out

Each learns from nine tenths of the 5,163 first names of the 1990 US census, which the package `names` brings, to say
how probable each letter is after those before it. Prints what the held-out tenth costs per character, beside counts of
letters and of pairs of letters, and how new and how plausible names drawn from the model are. Writes characters.png.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase

import names
from common import arguments, figure

import autograd
import nn
import optim
from autograd import Tensor

LETTERS = "." + ascii_lowercase  # the dot comes before the first letter and after the last
LONGEST = 16  # letters that a name may have
GAP = -100  # the target where a shorter name has ended, which cross_entropy leaves out


class Recurrent(nn.Module):
    """Letters (N, T) ↦ logits of the letters that follow (N, T, 27), by an RNN, an LSTM or a GRU."""

    def __init__(self, layer: type[nn.RNN] | type[nn.LSTM] | type[nn.GRU], size: int = 96) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS), 32)
        self.layer = layer(32, size, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(size, len(LETTERS)))

    def forward(self, letters: Tensor) -> Tensor:
        states, _ = self.layer(self.embedding(letters))
        return self.head(states)


class GPT(nn.Module):
    """Letters (N, T) ↦ logits of the letters that follow (N, T, 27), by attention to the letters before."""

    def __init__(self, size: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS), size)
        self.places = nn.Embedding(LONGEST, size)
        self.blocks = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                size, heads, 4 * size, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
            ),
            layers,
            norm=nn.LayerNorm(size),
        )
        self.head = nn.Linear(size, len(LETTERS), bias=False)
        for embedding in (self.letters, self.places):
            nn.init.normal_(embedding.weight, std=0.1)

    def forward(self, letters: Tensor) -> Tensor:
        x = self.letters(letters) + self.places(autograd.arange(letters.shape[1]))  # (N, T, size)
        return self.head(self.blocks(x, is_causal=True))


# What makes each, and its highest learning rate
MODELS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "rnn": (lambda: Recurrent(nn.RNN), 1e-2),
    "lstm": (lambda: Recurrent(nn.LSTM), 1e-2),
    "gru": (lambda: Recurrent(nn.GRU), 1e-2),
    "gpt": (GPT, 5e-3),
}


def first_names() -> list[str]:
    """The census's names of women and of men, each once, in lower case."""
    found = set()
    for group in ("first:female", "first:male"):
        found |= {line.split()[0].lower() for line in Path(names.FILES[group]).read_text().splitlines()}
    return sorted(found)


def encoded(words: list[str]) -> nn.data.TensorDataset:
    """For "ada" the input ".ada" and the target "ada.", all of them (N, T), padded to the longest word."""
    rows = [autograd.tensor([LETTERS.index(letter) for letter in f".{word}."]) for word in words]
    inputs = nn.utils.rnn.pad_sequence([row[:-1] for row in rows], batch_first=True)
    targets = nn.utils.rnn.pad_sequence([row[1:] for row in rows], batch_first=True, padding_value=GAP)
    return nn.data.TensorDataset(inputs, targets)


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over letters of −ln p(letter), in nats."""
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=GAP)


def counted(train: nn.data.TensorDataset, test: nn.data.TensorDataset, pairs: bool) -> float:
    """The loss on ``test`` of how often each letter follows in ``train``, whatever is before it, or after which one."""
    inputs, targets = train.tensors
    there, size = targets != GAP, len(LETTERS)
    table = autograd.bincount(size * inputs[there] + targets[there], minlength=size * size).reshape(size, size) + 1.0
    if not pairs:
        table = table.sum(0).expand(size, size)
    return loss(table.log()[test.tensors[0]], test.tensors[1]).item()  # cross_entropy makes the rows sum to 1


def drawn(model: nn.Module, count: int, temperature: float) -> list[str]:
    """Names drawn a letter at a time; a temperature below 1 favours what is probable."""
    letters = autograd.zeros(count, 1, dtype=autograd.int64)
    model.eval()
    with autograd.no_grad():
        for _ in range(LONGEST):
            probabilities = autograd.softmax(model(letters)[:, -1] / temperature, dim=-1)  # (count, 27)
            letters = autograd.cat([letters, autograd.multinomial(probabilities, 1)], dim=1)
    return ["".join(LETTERS[i] for i in row).split(".")[1] for row in letters.tolist()]


def pieces(words: list[str]) -> list[str]:
    """All runs of three characters, the dots around words included."""
    return [f".{word}."[i : i + 3] for word in words for i in range(len(word))]


def main() -> None:
    options = arguments(__doc__, epochs=20, model="all", temperature=0.8)
    if options.model not in ("all", *MODELS):
        raise SystemExit(f"characters.py: --model is all, {', '.join(MODELS)}, and not {options.model}")
    autograd.set_num_threads(1)  # the products here are too small to be shared out
    words = first_names()
    order = autograd.randperm(len(words)).tolist()
    held_out, learned = ([words[i] for i in part] for part in (order[:500], order[500:]))
    train, test = encoded(learned), encoded(held_out)

    counts = {"letters counted": counted(train, test, pairs=False), "pairs counted": counted(train, test, pairs=True)}
    for what, nats in counts.items():
        print(f"{what}: held out {nats:.3f} nats, {nats / math.log(2):.3f} bits per character")
    known, real = set(words), set(pieces(learned))
    share = sum(piece in real for piece in pieces(held_out)) / len(pieces(held_out))
    print(f"runs of three letters in held-out names that training names have: {share:.1%}")

    histories, samples = {}, {}
    for name in MODELS if options.model == "all" else [options.model]:
        autograd.manual_seed(options.seed)  # so that a model is the same alone as among the others
        make, rate = MODELS[name]
        model = make()
        optimizer = optim.AdamW(model.parameters(), lr=rate)
        loader = nn.data.DataLoader(train, batch_size=64, shuffle=True)
        schedule = optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rate, epochs=options.epochs, steps_per_epoch=len(loader)
        )
        histories[name] = nn.training.fit(
            model, loss, optimizer, loader, [test.tensors], epochs=options.epochs,
            scheduler=schedule, schedule_every="step", clip_grad_norm=1.0,
        )["valid_loss"]  # fmt: skip
        nats, samples[name] = histories[name][-1], drawn(model, 500, options.temperature)
        new = sum(word not in known for word in samples[name]) / len(samples[name])
        share = sum(piece in real for piece in pieces(samples[name])) / len(pieces(samples[name]))
        print(
            f"{name}: held out {nats:.3f} nats, {nats / math.log(2):.3f} bits per character; "
            f"{new:.1%} of names drawn are new, {share:.1%} of their runs of three letters are known"
        )
        print("  " + " ".join(samples[name][:12]))

    with figure(options.out / "characters.png", 1, 2, figsize=(11, 4.6)) as (left, right):
        for (what, nats), style in zip(counts.items(), (":", "--"), strict=True):
            left.axhline(nats, color="gray", linestyle=style, label=f"{what}, {nats:.2f}")
        for name, losses in histories.items():
            left.plot(range(1, len(losses) + 1), losses, label=f"{name}, {losses[-1]:.2f}")
        left.set(title="Held-out names, nats per character", xlabel="epoch")
        left.xaxis.get_major_locator().set_params(integer=True)
        left.legend(fontsize="small")
        right.set_axis_off()
        right.set_title(f"Drawn at temperature {options.temperature}; names that exist are gray")
        rows = list(zip(*(column[:14] for column in samples.values()), strict=True))
        table = right.table(rows, colLabels=list(samples), loc="center", cellLoc="center")
        table.scale(1, 1.3)
        for (row, column), cell in table.get_celld().items():
            text = cell.get_text()
            text.set_color(f"C{column}" if row == 0 else "gray" if text.get_text() in known else "black")
            cell.set_linewidth(0)


if __name__ == "__main__":
    main()
