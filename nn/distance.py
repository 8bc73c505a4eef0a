"""Distances and similarities of vectors, pair by pair."""

from __future__ import annotations

from autograd import Tensor

from . import functional as F
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """x₁ · x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along one dimension.

    Arguments:
        dim: the dimension of the vectors.
        eps: keeps the divisors away from 0.

    Shapes: x1 and x2 of one shape, or shapes that broadcast; the output theirs without ``dim``.

    >>> from autograd import tensor
    >>> CosineSimilarity()(tensor([[1.0, 0.0], [1.0, 1.0]]), tensor([[2.0, 0.0], [1.0, -1.0]]))
    tensor([1., 0.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The cosines of the angles between the vectors of x1 and those of x2."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """‖x₁ − x₂ + eps‖ₚ along the last dimension.

    Arguments:
        p: of which norm.
        eps: what is added to the differences, so that the slope is finite where they are 0.
        keepdim: whether the last dimension stays, with size 1.

    Shapes: x1 and x2 (N, D) or (D,); the output (N,) or 0-d.

    >>> from autograd import tensor
    >>> PairwiseDistance(p=1, eps=0)(tensor([[3.0, 4.0]]), tensor([[1.0, 1.0]]))
    tensor([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distances of the vectors of x1 from those of x2."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
