"""In which order items are taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Generator, ShapeError, Tensor
from autograd.errors import describe

from ..arguments import check_size

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
]  # fmt: skip


class Sampler:
    """Base class of samplers: write ``__iter__``, which gives the indices of an epoch, and ``__len__``, how many.

    >>> class Backwards(Sampler):
    ...     def __init__(self, n): self.n = n
    ...     def __iter__(self): return iter(range(self.n - 1, -1, -1))
    ...     def __len__(self): return self.n
    >>> list(Backwards(3))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__(self), an iterator over indices")


def check_generator(who: str, generator: Any) -> None:
    """A TypeError unless it is an ``autograd.Generator`` or None."""
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(
            f"{who}: generator must be an autograd.Generator, got {describe(generator)}; "
            "write autograd.Generator().manual_seed(0)"
        )


def check_flag(who: str, argument: str, value: Any) -> bool:
    """``value``, or a TypeError unless it is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{who}: {argument} must be True or False, got {describe(value)}")
    return value


class WholeOrder(Sampler):
    """A sampler that knows the order of an epoch at its beginning, as an int64 array: write ``order``."""

    def order(self) -> np.ndarray:
        """The indices of a new epoch."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())


class SequentialSampler(WholeOrder):
    """0, 1, …, N − 1.

    Arguments:
        data_source: what has the length N.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def order(self) -> np.ndarray:
        return np.arange(len(self))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(WholeOrder):
    """0, …, N − 1 in a random order, a new one for every epoch.

    Arguments:
        data_source: what has the length N.
        replacement: draw each index anew from all N, so that some come several times.
        num_samples: how many indices an epoch has, N by default. Without replacement, whole orders follow each other.
        generator: the source of randomness; the common stream by default.

    >>> sorted(RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = check_flag("RandomSampler", "replacement", replacement)
        self._num_samples = None if num_samples is None else check_size("RandomSampler", "num_samples", num_samples, 1)
        check_generator("RandomSampler", generator)
        self.generator = generator

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        n, wanted = len(self.data_source), self.num_samples
        if n == 0 and wanted:
            raise ValueError(f"RandomSampler: cannot draw {wanted} indices of an empty data_source")
        if self.replacement:
            return autograd.randint(n, (wanted,), generator=self.generator).numpy()
        orders = [autograd.randperm(n, generator=self.generator).numpy() for _ in range(-(-wanted // n) if n else 0)]
        return orders[0][:wanted] if len(orders) == 1 else np.concatenate([np.empty(0, np.int64), *orders])[:wanted]

    def __len__(self) -> int:
        return self.num_samples


class WeightedRandomSampler(WholeOrder):
    """Indices drawn with probabilities proportional to weights: against classes of unequal size, say.

    Arguments:
        weights: (N,), not negative, not all 0; they need not add up to 1.
        num_samples: how many indices an epoch has.
        replacement: draw each index anew from all N; else each comes once at most.
        generator: the source of randomness; the common stream by default.

    Raises:
        ShapeError: weights are not 1-d. ValueError: bad weights, or fewer positive ones than indices are wanted
            without replacement.

    >>> set(WeightedRandomSampler([0.0, 3.0, 0.0, 1.0], 100)) <= {1, 3}
    True
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor | np.ndarray,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        self.num_samples = check_size("WeightedRandomSampler", "num_samples", num_samples, 1)
        self.replacement = check_flag("WeightedRandomSampler", "replacement", replacement)
        self.weights = autograd.as_tensor(weights, dtype=autograd.float64).detach()
        if self.weights.ndim != 1:
            raise ShapeError(f"WeightedRandomSampler: weights must be 1-d, got shape {self.weights.shape}")
        values = self.weights.numpy()
        if not np.isfinite(values).all() or (values < 0).any() or not values.any():
            raise ValueError("WeightedRandomSampler: weights must be finite, not negative, and not all 0")
        if not replacement and np.count_nonzero(values) < num_samples:
            raise ValueError(
                f"WeightedRandomSampler: {np.count_nonzero(values)} weights are not 0, and without replacement no more "
                f"than that many indices can be drawn, got num_samples={num_samples}"
            )
        check_generator("WeightedRandomSampler", generator)
        self.generator = generator

    def order(self) -> np.ndarray:
        return autograd.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        ).numpy()  # fmt: skip

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in a random order, a new one for every epoch.

    Arguments:
        indices: a sequence.
        generator: the source of randomness; the common stream by default.

    >>> sorted(SubsetRandomSampler([4, 7, 2]))
    [2, 4, 7]
    """

    def __init__(self, indices: Sequence[Any], generator: Generator | None = None) -> None:
        self.indices = indices
        check_generator("SubsetRandomSampler", generator)
        self.generator = generator

    def __iter__(self) -> Iterator[Any]:
        for i in autograd.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class BatchSampler(Sampler):
    """Lists of ``batch_size`` indices of another sampler.

    Arguments:
        sampler: any iterable of indices.
        batch_size: how many there are in a batch; the last may have fewer.
        drop_last: leave out a last batch that has fewer.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = check_size("BatchSampler", "batch_size", batch_size, 1)
        self.drop_last = check_flag("BatchSampler", "drop_last", drop_last)

    def __iter__(self) -> Iterator[list[Any]]:
        yield from groups(self.sampler, self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return group_count(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]


def groups(items: Iterable[Any], size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of ``size`` items, and a smaller one of those that are left unless it is to be dropped."""
    group = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group and not drop_last:
        yield group


def group_count(n: int, size: int, drop_last: bool) -> int:
    """How many lists ``groups`` makes of n items."""
    return n // size if drop_last else -(-n // size)
