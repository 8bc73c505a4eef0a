"""Data sets and mini-batches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, ShapeError, Tensor
from autograd.errors import describe

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split"]


class Dataset:
    """Base class of data sets: write ``__getitem__(index)`` and ``__len__``.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, i):
    ...         return float(i), float(i * i)
    >>> next(iter(DataLoader(Squares(), batch_size=3)))
    [tensor([0., 1., 2.]), tensor([0., 1., 4.])]
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__(self, index), the item at that place")

    def __len__(self) -> int:
        # A TypeError, so that what only asks whether there is a length hears no.
        raise TypeError(f"{type(self).__name__}: define __len__(self), the number of items")


class TensorDataset(Dataset):
    """Rows of Tensors (or arrays) of one length: item i is the tuple of their rows i.

    Arguments:
        tensors: Tensors or NumPy arrays, each of shape (N, …); their memory is shared.

    Raises:
        ShapeError: the lengths differ, or one is 0-d.

    >>> TensorDataset(autograd.zeros(3, 2), autograd.tensor([5, 6, 7]))[1]
    (tensor([0., 0.]), tensor(6))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: wants at least one Tensor")
        self.tensors = tuple(autograd.as_tensor(t) for t in tensors)
        for i, t in enumerate(self.tensors):
            if t.ndim == 0 or len(t) != len(self.tensors[0]):
                raise ShapeError(
                    f"TensorDataset: Tensor 0 has shape {self.tensors[0].shape} and Tensor {i} {t.shape}; "
                    "all must have the same number of rows, their first size"
                )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The items of another data set at some places.

    Arguments:
        dataset: the other one.
        indices: the places, a sequence of ints.

    >>> Subset([10, 11, 12], [2, 0])[0]
    12
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Parts of a data set, drawn at random without overlap.

    Arguments:
        dataset: anything with a length.
        lengths: how many items each part gets; or fractions that add up to 1, where items left over by rounding
            down go to the first parts.
        generator: the source of randomness; the common stream by default.

    Raises:
        ValueError: the lengths do not add up to that of the data set, or the fractions to 1.

    >>> [len(part) for part in random_split(range(10), [0.85, 0.15])]
    [9, 1]
    """
    n = len(dataset)
    if any(length < 0 for length in lengths):
        raise ValueError(f"random_split: lengths must not be negative, got {list(lengths)}")
    sizes: list[Any] = list(lengths)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9 and (n != 1 or any(x != int(x) for x in lengths)):
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if any(size != int(size) for size in sizes) or sum(sizes) != n:
        raise ValueError(
            f"random_split: {list(lengths)} are neither lengths that add up to {n}, the number of items, "
            "nor fractions that add up to 1"
        )
    order = autograd.randperm(n, generator=generator).tolist()
    starts = np.cumsum([0, *sizes]).astype(int).tolist()
    return [Subset(dataset, order[a:b]) for a, b in itertools.pairwise(starts)]


def default_collate(items: Sequence[Any]) -> Any:
    """Items as one batch: numbers and arrays stacked into Tensors, tuples and dicts field by field.

    Arguments:
        items: a non-empty sequence of Tensors, arrays, numbers, strings, or tuples, lists and dicts of such.

    Returns Tensors of shape (N, …), a list or a dict of them, or the list of strings.

    Raises:
        ShapeError: the shapes of two items differ. TypeError: items of another kind.

    >>> default_collate([(1.0, "a"), (2.0, "b")])
    [tensor([1., 2.]), ['a', 'b']]
    """
    first = items[0]
    if isinstance(first, Tensor):
        return autograd.stack(list(items))
    if isinstance(first, np.ndarray):
        return autograd.stack([autograd.as_tensor(a) for a in items])
    if isinstance(first, np.generic):
        return autograd.tensor(np.array(items))
    if isinstance(first, (bool, int, float)):
        return autograd.tensor(list(items))
    if isinstance(first, (str, bytes)):
        return list(items)
    if isinstance(first, dict):
        return {key: default_collate([item[key] for item in items]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(item) != len(first) for item in items):
            raise ShapeError(
                f"default_collate: items have {sorted({len(item) for item in items})} fields; all must have as many"
            )
        fields = [default_collate(field) for field in zip(*items, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else fields
    raise TypeError(
        f"default_collate: items can be Tensors, arrays, numbers, strings, tuples, lists and dicts, "
        f"got {describe(first)}; give the DataLoader a collate_fn"
    )


class DataLoader:
    """Mini-batches of a data set, in a fresh order every epoch if ``shuffle``.

    Arguments:
        dataset: a Dataset, a sequence, or a Tensor or array whose rows are the items.
        batch_size: items in a batch; the last one may be smaller.
        shuffle: a new random order whenever iteration starts.
        collate_fn: makes a batch of a list of items; ``default_collate`` by default.
        drop_last: leave out a last batch that is smaller.
        generator: the source of the order; the common stream by default.

    Batches of a TensorDataset, and of parts of one, are lists of Tensors (batch, …), of Tensors and arrays a Tensor
    (batch, …). They are copies, so changing one in place leaves the data as they are.

    >>> x, y = autograd.arange(5.0), autograd.arange(5)
    >>> [b.tolist() for _, b in DataLoader(TensorDataset(x, y), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    >>> loader = DataLoader(x, batch_size=2, shuffle=True, drop_last=True)
    >>> len(loader), next(iter(loader)).shape
    (2, (2,))
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__") or isinstance(dataset, dict):
            raise TypeError(
                f"DataLoader: dataset must have __getitem__ and __len__, got {describe(dataset)}; "
                "wrap arrays in TensorDataset(x, y)"
            )
        if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__"):
            raise TypeError(f"DataLoader: batch_size must be an int, got {describe(batch_size)}")
        if batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be at least 1, got {batch_size}")
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(
                f"DataLoader: generator must be an autograd.Generator, got {describe(generator)}; "
                "write autograd.Generator().manual_seed(0)"
            )
        if len(dataset) == 0:
            raise ValueError("DataLoader: the dataset is empty")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.generator = generator

    def __len__(self) -> int:
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        n = len(self.dataset)
        order = autograd.randperm(n, generator=self.generator).numpy() if self.shuffle else np.arange(n)
        fetch = self._fetcher()
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield fetch(order[start : start + self.batch_size])

    def _fetcher(self) -> Callable[[np.ndarray], Any]:
        """What makes a batch of indices: whole arrays are indexed at once, other items collected one by one."""
        rows, places = self.dataset, None
        while type(rows) is Subset:
            inner = np.asarray(rows.indices, np.int64)
            rows, places = rows.dataset, inner if places is None else inner[places]
        if self.collate_fn is None:
            if isinstance(rows, (Tensor, np.ndarray)):
                whole = autograd.as_tensor(rows)
                return lambda indices: _take(whole, indices if places is None else places[indices])
            # A subclass that changes its items, to augment them say, must be asked for each.
            if isinstance(rows, TensorDataset) and type(rows).__getitem__ is TensorDataset.__getitem__:
                tensors = rows.tensors
                return lambda indices: [_take(t, indices if places is None else places[indices]) for t in tensors]
        collate = self.collate_fn or default_collate
        return lambda indices: collate([self.dataset[i] for i in indices.tolist()])


def _take(t: Tensor, indices: np.ndarray) -> Tensor:
    return t[indices] if t.requires_grad else autograd.from_numpy(np.take(t.numpy(), indices, axis=0))
