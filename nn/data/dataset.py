"""Data sets: what has items by index, or one after the other, and how they are combined and split."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, ShapeError, Tensor
from autograd.errors import describe

__all__ = [
    "ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset",
    "random_split",
]  # fmt: skip


class Dataset:
    """Base class of data sets: write ``__getitem__(index)`` and ``__len__``.

    A data set that can make several items at once faster may also have ``__getitems__(indices)``, which returns the
    list of them. One that changes as it is read (because it draws random numbers, say) may have ``state_dict()`` and
    ``load_state_dict(state)``, which a DataLoader then keeps with its own.

    >>> from nn.data import DataLoader
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

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base class of data sets whose items only come one after the other: write ``__iter__``.

    >>> from nn.data import DataLoader
    >>> class Countdown(IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> [b.tolist() for b in DataLoader(Countdown(), batch_size=2)]
    [[3, 2], [1]]
    """

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__}: an IterableDataset has no items by index; iterate over it")

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__(self), an iterator over the items")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


def items_of(dataset: Any, indices: Sequence[int]) -> list[Any]:
    """The items at several places, asked for together where the data set can."""
    for kind in type(dataset).__mro__:
        if "__getitems__" in vars(kind):
            return dataset.__getitems__(indices)
        # A subclass that changes single items changes those that come together too.
        if "__getitem__" in vars(kind):
            break
    return [dataset[i] for i in indices]


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


class StackDataset(Dataset):
    """Several data sets side by side: item i is the tuple, or the dict, of their items i.

    Arguments:
        args: data sets of one length, for tuples. kwargs: the same by name, for dicts; one of the two.

    Raises:
        ValueError: none, or both kinds, or lengths that differ.

    >>> StackDataset(image=[10, 11], label=["a", "b"])[1]
    {'image': 11, 'label': 'b'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError(
                "StackDataset: give data sets either all without names, for tuples, or all by name, for dicts; "
                f"got {len(args)} without and {len(kwargs)} by name"
            )
        self.datasets = args or kwargs
        lengths = [len(d) for d in (args or kwargs.values())]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: the data sets have {lengths} items; all must have as many")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset):
    """Several data sets one after the other; ``a + b`` makes one too.

    Arguments:
        datasets: data sets with lengths.

    Raises:
        ValueError: there is none. TypeError: one is an IterableDataset.

    >>> both = ConcatDataset([[10, 11], [12]])
    >>> len(both), both[2], both.cumulative_sizes
    (3, 12, [2, 3])
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: wants at least one data set")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise TypeError(f"ConcatDataset: {describe(dataset)} has no items by index; use ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __getitem__(self, index: int) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: index {index} is out of range, there are {n} items")
        index = index % n
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset):
    """Several IterableDatasets one after the other; ``a + b`` makes one too.

    >>> class Two(IterableDataset):
    ...     def __iter__(self):
    ...         return iter([1, 2])
    >>> list(Two() + Two())
    [1, 2, 1, 2]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        # A list, so that every epoch can walk over them again.
        self.datasets = list(datasets)
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError(f"ChainDataset: wants IterableDatasets, got {describe(dataset)}; use ConcatDataset")

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


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

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        return items_of(self.dataset, [self.indices[i] for i in indices])

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
