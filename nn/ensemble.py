"""Several models asked as one, and the bootstrap samples to train them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import autograd
from autograd import Generator, Tensor
from autograd.errors import describe

from . import functional as F
from .data import Subset
from .module import Module

__all__ = ["Ensemble", "bootstrap"]


def bootstrap(dataset: Any, size: int | None = None, generator: Generator | None = None) -> Subset:
    """A sample of the items of ``dataset``, drawn with replacement: what each member of a bagged ensemble learns from.

    Of a large data set about 63 % of the items are in such a sample, some of them several times.

    Source: Breiman 1996, Bagging predictors.

    Arguments:
        dataset: anything with a length and items.
        size: how many items are drawn; as many as there are by default.
        generator: the source of randomness; the common stream by default.

    Raises:
        ValueError: the data set is empty, or size is below 1.

    >>> from autograd import Generator
    >>> sample = bootstrap(range(1000), generator=Generator().manual_seed(0))
    >>> len(sample), 0.6 < len(set(sample)) / 1000 < 0.66
    (1000, True)
    """
    count = len(dataset)
    size = count if size is None else size
    if count == 0:
        raise ValueError("bootstrap: the data set is empty")
    if size < 1:
        raise ValueError(f"bootstrap: size must be at least 1, got {size}")
    return Subset(dataset, autograd.randint(0, count, (size,), generator=generator).tolist())


class Ensemble(Module):
    """The mean of what several models say of an input; also their majority vote.

    Members may be of any kinds whose outputs are of one shape. Their parameters are those of the ensemble.

    Source: lectures, ensemble methods and bagging.

    Arguments:
        members: modules, at least one.

    Shapes: as the members'. Raises:
        ValueError: no members. TypeError: one that is not a module.

    >>> import nn
    >>> ensemble = Ensemble([nn.Linear(4, 3) for _ in range(5)])
    >>> x = autograd.ones(2, 4)
    >>> ensemble(x).shape, ensemble.vote(x).shape, ensemble.mean_probability(x).shape
    ((2, 3), (2,), (2, 3))
    """

    def __init__(self, members: Iterable[Module]) -> None:
        super().__init__()
        given = list(members)
        if not given:
            raise ValueError("Ensemble: wants at least one member")
        for i, member in enumerate(given):
            if not isinstance(member, Module):
                raise TypeError(f"Ensemble: member {i} must be an nn.Module, got {describe(member)}")
            self.add_module(str(i), member)

    def _outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        return autograd.stack([member(*args, **kwargs) for member in self.children()])  # (members, N, …)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """The mean of the members' outputs."""
        return self._outputs(args, kwargs).mean(dim=0)

    def mean_probability(self, *args: Any, **kwargs: Any) -> Tensor:
        """The mean of the members' softmax, for members that give logits (N, classes)."""
        return F.softmax(self._outputs(args, kwargs), dim=2).mean(dim=0)

    def vote(self, *args: Any, **kwargs: Any) -> Tensor:
        """The class that most members choose, (N,) int64, for members that give one number for each class (N, classes).

        Of classes with equally many votes the first is taken.
        """
        outputs = self._outputs(args, kwargs)  # (members, N, classes)
        return F.one_hot(outputs.argmax(dim=2), outputs.shape[2]).sum(dim=0).argmax(dim=1)  # (N,)
