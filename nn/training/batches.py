"""Where batches come from, and how to find one's place in them again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import describe

from ..data import DataLoader, Dataset, TensorDataset


def streams() -> dict[str, Any]:
    """Where the common random streams are: Glassgrad's, NumPy's and Python's."""
    return {
        "autograd": autograd.get_rng_state(),
        "numpy": np.random.get_state(legacy=False),
        "python": random.getstate(),
    }


def set_streams(state: Mapping[str, Any]) -> None:
    """Takes the common random streams back to where ``streams`` was asked."""
    autograd.set_rng_state(state["autograd"])
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])


class Batches:
    """Batches of (input, …, target), from a loader, a data set, arrays, or any iterable of them.

    A loader with ``state_dict`` and ``load_state_dict`` finds its place itself. Of others the random streams are taken
    back to where the epoch began, and the batches that are done are drawn again and dropped.
    """

    def __init__(self, argument: str, source: Any, batch_size: int, shuffle: bool) -> None:
        self.argument = argument
        arrays = (Tensor, np.ndarray)
        if isinstance(source, (tuple, list)) and source and all(isinstance(a, arrays) for a in source):
            source = TensorDataset(*source)
        has_items = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        if isinstance(source, Dataset) or (has_items and not isinstance(source, (list, tuple, dict, str, *arrays))):
            source = DataLoader(source, batch_size=batch_size, shuffle=shuffle)
        if not hasattr(source, "__iter__") or isinstance(source, (dict, str, *arrays)):
            raise TypeError(
                f"fit: {argument} must be a DataLoader, a Dataset, arrays (x, y) or an iterable of batches (x, y), "
                f"got {describe(source)}"
            )
        self.source = source
        self.finds_its_place = hasattr(source, "state_dict") and hasattr(source, "load_state_dict")
        self._began: dict[str, Any] | None = None

    def length(self) -> int | None:
        """How many batches an epoch has; None where nobody knows."""
        try:
            return len(self.source)
        except (TypeError, NotImplementedError):
            return None

    def begin(self) -> Iterator[Any]:
        """The batches of a new epoch."""
        if not self.finds_its_place:
            self._began = self._streams()
        return iter(self.source)

    def _generator(self) -> Generator | None:
        generator = getattr(self.source, "generator", None)
        return generator if isinstance(generator, Generator) else None

    def _streams(self) -> dict[str, Any]:
        generator = self._generator()
        return {"common": streams(), "own": None if generator is None else generator.get_state()}

    def state_dict(self, done: int) -> dict[str, Any]:
        """Where it is after ``done`` batches of an epoch; 0 between epochs."""
        if self.finds_its_place:
            return {"place": self.source.state_dict()}
        return {"began": self._began if done else None, "now": self._streams()}

    def load_state_dict(self, state_dict: Mapping[str, Any], done: int) -> Iterator[Any] | None:
        """Goes to where ``state_dict`` was asked; gives the batches of the rest of the epoch, None between epochs."""
        if ("place" in state_dict) != self.finds_its_place:
            raise ValueError(
                f"fit: {self.argument} was {'a' if 'place' in state_dict else 'not a'} loader with a state_dict when "
                "the checkpoint was written, and now it is the other; give the same kind"
            )
        if self.finds_its_place:
            self.source.load_state_dict(state_dict["place"])
            return iter(self.source) if done else None
        generator, now = self._generator(), state_dict["now"]
        if (generator is None) != (now["own"] is None):
            raise ValueError(
                f"fit: {self.argument} had {'no' if generator else 'a'} generator of its own when the checkpoint was "
                "written; give the same kind of loader"
            )
        iterator = None
        if done:
            self._set(state_dict["began"], generator)
            iterator = self.begin()
            for i in range(done):
                if next(iterator, None) is None:
                    raise ValueError(
                        f"fit: {self.argument} gave {i} batches, and in the run that goes on {done} of its epoch were "
                        "done; give the same data (a generator can be used up once only)"
                    )
        self._set(now, generator)
        return iterator

    @staticmethod
    def _set(state: Mapping[str, Any], generator: Generator | None) -> None:
        set_streams(state["common"])
        if generator is not None:
            generator.set_state(state["own"])


def inputs_and_target(batch: Any, where: str) -> tuple[list[Any], Any]:
    """The batch's inputs and its target, arrays as Tensors."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        content = f"a {type(batch).__name__} of {len(batch)}" if isinstance(batch, (tuple, list)) else describe(batch)
        raise TypeError(f"fit: {where} is {content}; a batch is (input, target), or (input, input, …, target)")
    fields = [autograd.from_numpy(field) if isinstance(field, np.ndarray) else field for field in batch]
    return fields[:-1], fields[-1]
