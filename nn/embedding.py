"""Tables of vectors that are looked up by number: one vector for each number, or one for each bag of numbers."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

from . import functional as F
from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A weight of one row for each number, and what is asked of its rows."""

    weight: Parameter

    def _build(
        self,
        rows: int,
        size: int,
        padding_idx: int | None,
        weight: Tensor | None,
        freeze: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        name = self._get_name()
        self.num_embeddings = check_size(name, "num_embeddings", rows)
        self.embedding_dim = check_size(name, "embedding_dim", size)
        if padding_idx is not None:
            if not -rows <= padding_idx < rows:
                raise ValueError(f"{name}: padding_idx must be one of the {rows} rows, got {padding_idx}")
            padding_idx %= rows
        self.padding_idx = padding_idx
        if weight is None:
            self.weight = Parameter(autograd.empty(rows, size, device=device, dtype=dtype), requires_grad=not freeze)
            self.reset_parameters()
            return
        if tuple(weight.shape) != (rows, size):
            raise ShapeError(f"{name}: _weight must have shape {(rows, size)}, got {tuple(weight.shape)}")
        self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draws the weight anew, standard normal but for the padding, which is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with autograd.no_grad():
                self.weight[self.padding_idx].zero_()

    @classmethod
    def _check_pretrained(cls, embeddings: Any) -> tuple[int, int]:
        if not isinstance(embeddings, Tensor) or not embeddings.is_floating_point():
            raise DTypeError(
                f"{cls.__name__}.from_pretrained: embeddings must be a floating Tensor, got {describe(embeddings)}"
            )
        if embeddings.ndim != 2:
            raise ShapeError(
                f"{cls.__name__}.from_pretrained: embeddings must be (num_embeddings, embedding_dim), got shape "
                f"{tuple(embeddings.shape)}"
            )
        rows, size = embeddings.shape
        return rows, size


class Embedding(_Table):
    """The rows of ``weight`` that the input names: a vector for each word of a vocabulary, say.

    The weight starts standard normal, with 0 in the row of padding_idx.

    Arguments:
        num_embeddings: how many rows.
        embedding_dim: the size of each.
        padding_idx: a row that gets no gradient; counted from the end where negative.
        max_norm: rows that are named and have a larger norm are first scaled down to it, in place.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often the batch names the row.
        sparse: keep of the gradient only the rows that were named.
        _weight, _freeze: the first value of the weight, and whether it is not learned; say ``from_pretrained``.
        device: None or ``"cpu"``.
        dtype: of the weight, the default dtype by default.

    Shapes: input any shape, integers in [0, num_embeddings); output (*input.shape, embedding_dim); ``weight``
    (num_embeddings, embedding_dim).

    Raises:
        IndexError: a number is out of range. DTypeError: the input does not hold integers.

    >>> Embedding(10, 3, padding_idx=0)(autograd.tensor([[1, 0], [9, 1]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse

    def forward(self, input: Tensor) -> Tensor:
        """The rows that ``input`` names."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding that starts with these vectors, whose memory it shares.

        Arguments:
            embeddings: (num_embeddings, embedding_dim).
            freeze: whether the vectors stay as they are; False to learn them further.
            padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse: as in the constructor.

        Raises:
            ShapeError, DTypeError: the embeddings are no floating matrix.

        >>> Embedding.from_pretrained(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))(autograd.tensor([1]))
        tensor([[3., 4.]])
        """
        rows, size = cls._check_pretrained(embeddings)
        return cls(
            rows, size, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight=embeddings, _freeze=freeze
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + ", sparse=True" if self.sparse else text


class EmbeddingBag(_Table):
    """The sum, mean or maximum over bags of the rows of ``weight`` that the input names; an empty bag gives 0.

    Arguments:
        num_embeddings: how many rows.
        embedding_dim: the size of each.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in ``Embedding``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        _weight: the first value of the weight; say ``from_pretrained``.
        include_last_offset: whether offsets has one entry more, the end of the last bag.
        padding_idx: a row that counts nothing and gets no gradient; counted from the end where negative.
        device: None or ``"cpu"``.
        dtype: of the weight, the default dtype by default.

    Shapes: input (B, n) for B bags of n rows each, or (total,) with offsets (B,), where each bag begins; output
    (B, embedding_dim); ``weight`` (num_embeddings, embedding_dim).

    Raises:
        IndexError: a number is out of range. DTypeError: the input does not hold integers.

    >>> bag = EmbeddingBag.from_pretrained(autograd.eye(3), mode="sum")
    >>> bag(autograd.tensor([0, 1, 2]), autograd.tensor([0, 2]))
    tensor([[1., 1., 0.],
            [0., 0., 1.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
        self._build(num_embeddings, embedding_dim, padding_idx, _weight, False, device, dtype)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """The bags of the rows that ``input`` names, with ``"sum"`` each row times its per_sample_weight."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """An EmbeddingBag that starts with these vectors, whose memory it shares.

        Arguments:
            embeddings: (num_embeddings, embedding_dim).
            freeze: whether the vectors stay as they are; False to learn them further.
            max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx: as in the
                constructor.

        Raises:
            ShapeError, DTypeError: the embeddings are no floating matrix.

        >>> EmbeddingBag.from_pretrained(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))(autograd.tensor([[0, 1]]))
        tensor([[2., 3.]])
        """
        rows, size = cls._check_pretrained(embeddings)
        bag = cls(
            rows,
            size,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        bag.weight.requires_grad = not freeze
        return bag

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
