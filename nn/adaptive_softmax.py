"""The softmax over very many classes, of which the rare ones are computed only where they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

from . import functional as F
from .arguments import check_size
from .container import ModuleList, Sequential
from .linear import Linear
from .losses_functional import check_tensors
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class AdaptiveOutput(NamedTuple):
    """``output`` (N,): the log-probability of each target; ``loss`` 0-d: minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A last layer and its negative log-likelihood for classes that are sorted by how frequent they are.

    The head decides between the most frequent classes and the clusters of the others; a cluster has a smaller layer of
    its own, which is computed only for the rows whose target is in it: ln p(t) = ln p(cluster) + ln p(t | cluster).

    Arguments:
        in_features: the last size of the input.
        n_classes: how many classes there are; 0 is the most frequent one.
        cutoffs: ascending numbers of classes at which clusters begin, each from 1 to n_classes − 1.
        div_value: cluster i projects the input down to in_features / div_valueⁱ features, i from 1.
        head_bias: whether the head has a bias.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (N, in_features) or (in_features,); target (N,) or 0-d, int64 classes.

    Returns ``output``, the log-probabilities of the targets (N,) or 0-d, and ``loss``, minus their mean.

    Raises:
        ValueError: cutoffs that are not such. ShapeError, DTypeError: input and target do not fit. IndexError: a
        target is out of range.

    Source: Grave, Joulin, Cissé, Grangier and Jégou, Efficient Softmax Approximation for GPUs, 2017.

    >>> layer = AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
    >>> output, loss = layer(autograd.ones(3, 8), autograd.tensor([0, 7, 19]))
    >>> output.shape, loss.shape, layer.log_prob(autograd.ones(3, 8)).shape
    ((3,), (), (3, 20))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        starts = list(cutoffs)
        rising = all(int(c) == c for c in starts) and starts == sorted(set(starts))
        if not starts or not rising or starts[0] < 1 or starts[-1] > n_classes - 1:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: cutoffs must be ascending ints from 1 to n_classes - 1 = "
                f"{n_classes - 1}, got {starts}"
            )
        self.in_features = check_size("AdaptiveLogSoftmaxWithLoss", "in_features", in_features)
        self.n_classes = n_classes
        self.cutoffs = [*starts, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // div_value ** (i + 1))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, bias=False, device=device, dtype=dtype),
                    Linear(hidden, classes, bias=False, device=device, dtype=dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> AdaptiveOutput:
        """The log-probabilities of the classes ``target_``, and minus their mean."""
        targets = self._checked(input_, target_)
        rows = input_.reshape(-1, self.in_features)  # (N, in_features)
        clusters = np.searchsorted(self.cutoffs, targets, side="right")  # 0 is the shortlist
        places = np.where(clusters == 0, targets, self.shortlist_size + clusters - 1)
        n = len(targets)
        output = F.log_softmax(self.head(rows), 1)[np.arange(n), places]  # (N,)
        order, inside = [], []
        for i, layer in enumerate(self.tail, 1):
            of_cluster = np.flatnonzero(clusters == i)
            if of_cluster.size:
                scores = F.log_softmax(layer(rows[of_cluster]), 1)
                inside.append(scores[np.arange(of_cluster.size), targets[of_cluster] - self.cutoffs[i - 1]])
                order.append(of_cluster)
        if inside:
            output = output.index_add(0, autograd.as_tensor(np.concatenate(order)), autograd.cat(inside))
        return AdaptiveOutput(output.reshape(target_.shape), -output.mean())

    def _checked(self, input: Any, target: Any) -> Any:
        name = self._get_name()
        check_tensors(name, input_=input, target_=target)
        if target.dtype.kind not in "iu":
            raise DTypeError(f"{name}: target_ must hold integer classes, got {describe(target)}; write target.long()")
        if input.ndim not in (1, 2) or target.shape != input.shape[:-1] or input.shape[-1] != self.in_features:
            raise ShapeError(
                f"{name}: input_ must be (N, {self.in_features}) with a target_ (N,), or ({self.in_features},) with a "
                f"0-d target_, got {tuple(input.shape)} and {tuple(target.shape)}"
            )
        targets = target.detach().numpy().reshape(-1)
        bad = targets[(targets < 0) | (targets >= self.n_classes)]
        if bad.size:
            raise IndexError(f"{name}: target_ has class {bad[0]}; targets go from 0 to {self.n_classes - 1}")
        return targets

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, in_features) ↦ (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, layer in enumerate(self.tail):
            own = self.shortlist_size + i
            parts.append(F.log_softmax(layer(input), 1) + head[:, own : own + 1])
        return autograd.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row: (N, in_features) ↦ (N,).

        As in PyTorch a row whose likeliest output of the head is a class of the shortlist gets that class; clusters are
        looked into only where the head prefers one of them.
        """
        chosen = self.head(input).argmax(1)
        unsure = np.flatnonzero(chosen.numpy() >= self.shortlist_size)
        if not unsure.size:
            return chosen
        classes = np.array(chosen.numpy())
        classes[unsure] = self.log_prob(input[unsure]).argmax(1).numpy()
        return autograd.as_tensor(classes)
