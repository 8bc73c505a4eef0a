"""DataLoader: mini-batches of a data set, and the place where one is in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import describe
from autograd.keywords import explain_keywords

from ..arguments import check_size
from .collate import default_collate, default_convert
from .dataset import IterableDataset, Subset, TensorDataset, items_of
from .prefetch import prefetched
from .sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    WholeOrder,
    check_flag,
    check_generator,
    group_count,
    groups,
)

__all__ = ["DataLoader"]


class _Place:
    """Where an epoch is: its order, how many batches are delivered, and how the data set was after the last one."""

    def __init__(self, groups: list[Any] | None, began: list[Any]) -> None:
        self.groups = groups
        self.began = began  # the states of the generators before the order was drawn
        self.done = 0
        self.finished = False
        self.dataset: Any = None


class DataLoader:
    """Mini-batches of a data set, in a fresh order every epoch if ``shuffle``.

    Arguments:
        dataset: a Dataset, a sequence, or a Tensor or array whose rows are the items; or an IterableDataset.
        batch_size: items in a batch; the last one may be smaller. None: no batches, the items one by one.
        shuffle: a new random order whenever iteration starts.
        sampler: an iterable of indices, of which each epoch is made, instead of ``shuffle``.
        batch_sampler: an iterable of lists of indices, one for each batch, instead of ``batch_size``, ``shuffle``,
            ``sampler`` and ``drop_last``.
        num_workers: 0 makes each batch when it is asked for. Otherwise one thread makes batches ahead, in the same
            order, however many workers are named: NumPy's work leaves Python's lock, and nothing is copied between
            processes. A data set that draws random numbers should have a generator of its own then, since the
            common stream is used by the training meanwhile.
        collate_fn: makes a batch of a list of items; ``default_collate`` by default, for single items
            ``default_convert``.
        pin_memory: has no effect, as without an accelerator in PyTorch.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds after which waiting for the thread is an error; 0 waits for ever.
        worker_init_fn: called in the thread with 0, before its first batch.
        multiprocessing_context: None; there are no processes.
        generator: the source of the order; the common stream by default.
        prefetch_factor: how many batches per worker are made ahead, 2 by default.
        persistent_workers: has no effect: a thread starts in a tenth of a millisecond.
        pin_memory_device: ``""``.
        in_order: has no effect: batches always come in order.

    Batches of a TensorDataset, and of parts of one, are lists of Tensors (batch, …), of Tensors and arrays a Tensor
    (batch, …). They are copies, so changing one in place leaves the data as they are.

    ``state_dict()`` tells where the latest epoch is, and a loader of the same data that is given it with
    ``load_state_dict`` begins with the batches that were left.

    Raises:
        TypeError, ValueError: arguments of a wrong kind, or that exclude each other; an empty data set.

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
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        check_generator("DataLoader", generator)
        if batch_size is not None:
            check_size("DataLoader", "batch_size", batch_size, 1)
        elif drop_last:
            raise ValueError("DataLoader: drop_last=True wants batches, got batch_size=None")
        self.num_workers = check_size("DataLoader", "num_workers", num_workers)
        self.drop_last = check_flag("DataLoader", "drop_last", drop_last)
        shuffle = bool(shuffle)
        if prefetch_factor is not None and num_workers == 0:
            raise ValueError("DataLoader: prefetch_factor wants num_workers of at least 1, got 0")
        self.prefetch_factor = 2 if prefetch_factor is None else check_size(
            "DataLoader", "prefetch_factor", prefetch_factor, 1
        )  # fmt: skip
        if not timeout >= 0:
            raise ValueError(f"DataLoader: timeout must not be negative, got {timeout}")
        if multiprocessing_context is not None or pin_memory_device:
            raise ValueError(
                "DataLoader: multiprocessing_context and pin_memory_device cannot be chosen, since batches are made in "
                "a thread and there is only the CPU; leave them out"
            )
        self.dataset = dataset
        self.shuffle = shuffle
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._set_samplers(batch_size, sampler, batch_sampler)
        self._place: _Place | None = None
        self._resume = False

    def _set_samplers(self, batch_size: int | None, sampler: Any, batch_sampler: Any) -> None:
        dataset = self.dataset
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        if batch_sampler is not None:
            if batch_size != 1 or self.shuffle or sampler is not None or self.drop_last:
                raise ValueError(
                    "DataLoader: batch_sampler makes the batches alone; leave out batch_size, shuffle, sampler and "
                    "drop_last"
                )
            self.batch_size = None
        if sampler is not None and self.shuffle:
            raise ValueError("DataLoader: a sampler gives the order itself; leave out shuffle=True")
        for argument, value in (("sampler", sampler), ("batch_sampler", batch_sampler)):
            if value is not None and (not hasattr(value, "__iter__") or hasattr(value, "__next__")):
                raise TypeError(
                    f"DataLoader: {argument} must be something that every epoch can iterate over anew, a Sampler or "
                    f"list say, got {describe(value)}"
                )
        if isinstance(dataset, IterableDataset):
            if self.shuffle or sampler is not None or batch_sampler is not None:
                raise ValueError(
                    "DataLoader: an IterableDataset gives its items in its own order; leave out shuffle, sampler and "
                    "batch_sampler"
                )
            return
        given = sampler is not None or batch_sampler is not None
        if not hasattr(dataset, "__getitem__") or not (given or hasattr(dataset, "__len__")) or (
            isinstance(dataset, dict) and not given
        ):  # fmt: skip
            raise TypeError(
                f"DataLoader: dataset must have __getitem__ and __len__, got {describe(dataset)}; "
                "wrap arrays in TensorDataset(x, y)"
            )
        if not given:
            if len(dataset) == 0:
                raise ValueError("DataLoader: the dataset is empty")
            self.sampler = (
                RandomSampler(dataset, generator=self.generator) if self.shuffle else SequentialSampler(dataset)
            )
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(self.sampler, batch_size, self.drop_last)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            n = len(self.dataset)
            return n if self.batch_size is None else group_count(n, self.batch_size, self.drop_last)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        if self._resume and self._place is not None:
            place, self._resume = self._place, False
        else:
            place = self._place = self._begin()
        return self._walk(place)

    def _follows(self) -> Any:
        """The data set, or that of which it is a part, if it changes as it is read and says how it is; else None."""
        found = self.dataset
        while isinstance(found, Subset) and not hasattr(found, "state_dict"):
            found = found.dataset
        return found if hasattr(found, "state_dict") and hasattr(found, "load_state_dict") else None

    # Orders

    def _generators(self) -> list[Generator]:
        """The random streams that orders come from, without the common one."""
        found = {}
        part: Any
        for part in (self, self.batch_sampler, self.sampler, getattr(self.batch_sampler, "sampler", None)):
            generator = getattr(part, "generator", None)
            if isinstance(generator, Generator):
                found[id(generator)] = generator
        return list(found.values())

    def _begin(self) -> _Place:
        began = [g.get_state() for g in self._generators()]
        return _Place(None if isinstance(self.dataset, IterableDataset) else self._order(), began)

    def _order(self) -> list[Any] | None:
        """What each batch of a new epoch is made of; None where only iterating tells, since there is no length."""
        wanted: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        whole = isinstance(wanted, BatchSampler) and type(wanted).__iter__ is BatchSampler.__iter__
        if whole and getattr(type(wanted.sampler), "__iter__", None) is WholeOrder.__iter__:
            order, size = wanted.sampler.order(), wanted.batch_size
            return [order[i * size : (i + 1) * size] for i in range(len(wanted))]
        try:
            len(wanted)
        except TypeError:
            return None
        return [_indices(group) for group in wanted] if self.batch_sampler is not None else list(wanted)

    def _sources(self, place: _Place) -> Iterator[Any]:
        """What each batch that is left is made of: indices, or the items of an IterableDataset."""
        if place.groups is not None:
            return iter(place.groups[place.done :])
        source: Any
        if isinstance(self.dataset, IterableDataset):
            source = self.dataset if self.batch_size is None else groups(self.dataset, self.batch_size, self.drop_last)
            # One that remembers where it is goes on from there by itself.
            if self._follows() is not None:
                return iter(source)
        else:
            source = self.sampler if self.batch_sampler is None else map(_indices, self.batch_sampler)
        return itertools.islice(source, place.done, None)

    # Batches

    def _walk(self, place: _Place) -> Iterator[Any]:
        follows = self._follows()
        make = self._maker()

        def batches() -> Iterator[tuple[Any, Any]]:
            for source in self._sources(place):
                batch = make(source)
                yield batch, None if follows is None else follows.state_dict()

        if follows is not None and place.dataset is None:
            place.dataset = follows.state_dict()
        ahead = self.num_workers * self.prefetch_factor
        source: Any = prefetched(batches(), ahead, self.timeout, self.worker_init_fn) if ahead else batches()
        try:
            for batch, after in source:
                place.done += 1
                place.dataset = after
                yield batch
            place.finished = True
        finally:
            source.close()
            # What was made ahead and is not delivered never happened.
            if ahead and follows is not None and not (place.finished or isinstance(follows, IterableDataset)):
                follows.load_state_dict(place.dataset)

    def _maker(self) -> Callable[[Any], Any]:
        """What makes a batch of indices: whole arrays are indexed at once, other items collected one by one."""
        dataset: Any = self.dataset
        if self.batch_size is None and self.batch_sampler is None:
            convert = self.collate_fn or default_convert
            return convert if isinstance(dataset, IterableDataset) else lambda index: convert(dataset[index])
        collate = self.collate_fn or default_collate
        if isinstance(dataset, IterableDataset):
            return collate
        rows, places = dataset, None
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
        return lambda indices: collate(items_of(dataset, _listed(indices)))

    # Place

    def state_dict(self) -> dict[str, Any]:
        """Where the latest epoch is, as plain values and Tensors: after the batches that it has delivered so far.

        It holds the order of the epoch, the states of the generators of the loader and its samplers, and that of the
        data set where it has one. The common stream is the program's (``autograd.get_rng_state``). Of an
        IterableDataset, and of a sampler without a length, the items that are done are drawn again and dropped, so
        these must give the same ones again; but an IterableDataset with a ``state_dict`` goes on from it by itself.

        Returns a dict for ``load_state_dict``; between epochs the next one begins anew.
        """
        place = self._place
        generators = [g.get_state() for g in self._generators()]
        state: dict[str, Any] = {"batches": 0, "order": None, "sizes": None, "generators": generators}
        follows = self._follows()
        if follows is not None:
            walked = place is not None and not place.finished and place.dataset is not None
            state["dataset"] = place.dataset if walked else follows.state_dict()  # type: ignore[union-attr]
        if place is None or place.finished:
            return state
        state["batches"] = place.done
        if place.groups is None:
            state["generators"] = place.began
        elif all(isinstance(group, np.ndarray) for group in place.groups):
            state["order"] = autograd.from_numpy(np.concatenate([np.empty(0, np.int64), *place.groups]))
            state["sizes"] = autograd.from_numpy(np.array([len(group) for group in place.groups], np.int64))
        else:
            state["order"] = [_listed(group) for group in place.groups]
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes to where ``state_dict()`` was asked: the next iteration gives the batches that were left.

        Raises:
            ValueError: the state is none of a loader, or of one of other data or other generators.

        >>> loader = DataLoader(autograd.arange(6), 2, shuffle=True)
        >>> batches = iter(loader); first = next(batches); state = loader.state_dict()
        >>> other = DataLoader(autograd.arange(6), 2, shuffle=True)
        >>> other.load_state_dict(state)
        >>> [b.tolist() for b in other] == [b.tolist() for b in batches]
        True
        """
        missing = {"batches", "order", "sizes", "generators"} - set(state_dict)
        if missing:
            raise ValueError(f"DataLoader.load_state_dict: this is not a state of a loader, it lacks {sorted(missing)}")
        generators, order, sizes = self._generators(), state_dict["order"], state_dict["sizes"]
        done = state_dict["batches"]
        if len(state_dict["generators"]) != len(generators):
            raise ValueError(
                f"DataLoader.load_state_dict: the state is of a loader with {len(state_dict['generators'])} generators "
                f"of its own, and this one has {len(generators)}; make it with the same arguments"
            )
        split: list[Any] | None = order
        if sizes is not None:
            indices = np.asarray(order.numpy() if isinstance(order, Tensor) else order)
            bounds = np.cumsum([0, *(sizes.tolist())])
            if indices.ndim != 1 or bounds[-1] != len(indices):
                raise ValueError("DataLoader.load_state_dict: the state's order and sizes do not fit each other")
            if len(indices) and hasattr(self.dataset, "__len__") and not 0 <= indices.max() < len(self.dataset):
                raise ValueError(
                    f"DataLoader.load_state_dict: the state is of a data set of at least {indices.max() + 1} items, "
                    f"and this one has {len(self.dataset)}; give the same data"
                )
            split = [indices[a:b] for a, b in itertools.pairwise(bounds)]
        follows = self._follows()
        if (follows is not None) != ("dataset" in state_dict):
            raise ValueError(
                "DataLoader.load_state_dict: of the state's data set and this one, only one has a state_dict; give the "
                "same data"
            )
        for generator, state in zip(generators, state_dict["generators"], strict=True):
            generator.set_state(state)
        if follows is not None:
            follows.load_state_dict(state_dict["dataset"])
        self._place, self._resume = None, False
        if done or split is not None:
            self._place = _Place(split, state_dict["generators"])
            self._place.done = done
            self._place.dataset = state_dict.get("dataset")
            self._resume = True


explain_keywords(DataLoader, "nn")


def _indices(group: Any) -> Any:
    """A batch's indices as an array where they are ints, else (keys, say) as the list that they are."""
    group = group.tolist() if isinstance(group, (Tensor, np.ndarray)) else list(group)
    return np.array(group, np.int64) if all(isinstance(i, (int, np.integer)) for i in group) else group


def _listed(group: Any) -> Any:
    return group.tolist() if isinstance(group, np.ndarray) else group


def _take(t: Tensor, indices: np.ndarray) -> Tensor:
    return t[indices] if t.requires_grad else autograd.from_numpy(np.take(t.numpy(), indices, axis=0))
