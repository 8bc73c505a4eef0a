"""Gradients of a table of which few rows were looked up: those rows alone, as ``embedding(sparse=True)`` gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .creation import from_numpy
from .errors import GraphError, describe
from .node import Node
from .sparse_rows import SparseRows
from .tensor import Tensor

__all__ = ["DeferredGradient", "SparseGradient"]


class SparseGradient(Tensor):
    """A gradient of which only some rows are kept: those of an embedding table that were looked up.

    Operations see the dense gradient. It has the methods of PyTorch's sparse Tensors that an optimizer needs; of the
    in-place methods it has those that scale it.

    >>> import autograd
    >>> table = autograd.zeros(1000, 2, requires_grad=True)
    >>> autograd.embedding(autograd.tensor([7, 3, 7]), table, sparse=True).sum().backward()
    >>> g = table.grad.coalesce()
    >>> g.is_sparse, g.shape, g.indices(), g.values()
    (True, (1000, 2), tensor([[3, 7]]), tensor([[1., 1.],
            [2., 2.]]))
    """

    __slots__ = ("_rows",)
    _rows: SparseRows

    def __new__(cls, rows: SparseRows) -> SparseGradient:
        """A gradient of these rows."""
        out = object.__new__(cls)
        out._rows = rows
        out._grad = out._memory = out._extra = out._primitive = out._inputs = out._static = None
        out._requires_grad, out._tick = False, 0
        return out

    @property
    def _array(self) -> Any:
        dense = self._rows.dense()
        dense.flags.writeable = False  # it is a copy, so that writing into it would be lost
        return dense

    @_array.setter
    def _array(self, value: Any) -> None:
        raise self._refused("assignment")

    def _refused(self, name: str) -> GraphError:
        return GraphError(
            f"{name}: a sparse gradient ({describe(self)}) can be scaled in place (mul_, div_, neg_, zero_), "
            "nothing more; make it dense first: p.grad = p.grad.to_dense()"
        )

    def _materialise(self) -> Any:
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension of the table."""
        return self._rows.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""
        return self._rows.dtype

    @property
    def is_sparse(self) -> bool:
        """True."""
        return True

    @property
    def is_rows(self) -> bool:
        """True."""
        return True

    def nonzero_rows(self) -> tuple[Tensor, Tensor]:
        """The numbers of the rows that are not 0, (n,), each once and in order, and these rows, (n, …)."""
        return _nonzero_rows(self._rows)

    def coalesce(self) -> SparseGradient:
        """The same gradient with each row named once, in order."""
        return SparseGradient(self._rows.coalesced())

    def is_coalesced(self) -> bool:
        """Whether each row is named once, in order."""
        return bool((np.diff(self._rows.indices) > 0).all())

    def _indices(self) -> Tensor:
        return from_numpy(self._rows.indices[None])

    def _values(self) -> Tensor:
        return from_numpy(self._rows.values)

    def indices(self) -> Tensor:
        """The numbers of the rows, (1, n); ``coalesce`` it first."""
        self._must_be_coalesced("indices")
        return self._indices()

    def values(self) -> Tensor:
        """The rows, (n, …), in the gradient's own memory; ``coalesce`` it first."""
        self._must_be_coalesced("values")
        return self._values()

    def _must_be_coalesced(self, name: str) -> None:
        if not self.is_coalesced():
            raise GraphError(f"{name}: a row may be named twice here; write grad.coalesce().{name}()")

    def to_dense(self) -> Tensor:
        """All rows, as an ordinary Tensor."""
        return from_numpy(self._rows.dense())

    def detach(self) -> Tensor:
        """The gradient itself: it is cut off already."""
        return self

    def clone(self) -> SparseGradient:
        """A copy, sparse too."""
        rows = self._rows
        return SparseGradient(SparseRows(rows.indices.copy(), rows.values.copy(), rows.shape))

    def mul_(self, other: Any) -> SparseGradient:
        """Scales the rows by a number, in place."""
        factor = other._array if isinstance(other, Node) else other
        if np.ndim(factor) != 0:
            raise self._refused("mul_")
        self._rows.values *= factor
        return self

    def div_(self, other: Any) -> SparseGradient:
        """Divides the rows by a number, in place."""
        factor = other._array if isinstance(other, Node) else other
        if np.ndim(factor) != 0:
            raise self._refused("div_")
        self._rows.values /= factor
        return self

    __imul__, __itruediv__ = mul_, div_

    def neg_(self) -> SparseGradient:
        """Changes the sign, in place."""
        return self.mul_(-1)

    def zero_(self) -> SparseGradient:
        """Forgets all rows."""
        self._rows = SparseRows(self._rows.indices[:0], self._rows.values[:0], self._rows.shape)
        return self

    def __copy__(self) -> SparseGradient:
        return SparseGradient(self._rows)

    def __deepcopy__(self, memo: dict[int, Any]) -> SparseGradient:
        return self.clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return SparseGradient, (SparseRows(self._rows.indices, self._rows.values, self._rows.shape),)

    def __repr__(self) -> str:
        rows = len(self._rows.indices)
        return f"sparse({rows} rows of {self.shape}, indices={self._indices()}, values={self._values()})"


class DeferredGradient(Tensor):
    """A dense gradient of a large table, of which few rows are other than 0: filled in when somebody looks at it.

    An optimizer whose rule does nothing where the gradient is 0 takes ``nonzero_rows()`` instead, so that the other
    rows, often a thousand times as many, are neither made nor read.

    >>> import autograd
    >>> table = autograd.zeros(100_000, 4, requires_grad=True)
    >>> autograd.embedding(autograd.tensor([7, 3, 7]), table).sum().backward()
    >>> table.grad.is_rows, table.grad.nonzero_rows()[0]
    (True, tensor([3, 7]))
    >>> table.grad.sum(), table.grad.is_rows
    (tensor(12.), False)
    """

    __slots__ = ("_filled", "_rows")
    _filled: Any
    _rows: SparseRows | None

    def __new__(cls, rows: SparseRows) -> DeferredGradient:
        """The gradient that has these rows."""
        out = object.__new__(cls)
        out._filled, out._rows = None, rows
        out._grad = out._memory = out._extra = out._primitive = out._inputs = out._static = None
        out._requires_grad, out._tick = False, 0
        return out

    @property
    def _array(self) -> Any:
        # What is filled in may be changed by those who have it, so that the rows hold no longer.
        if self._rows is not None:
            self._filled, self._rows = self._rows.dense(), None
        return self._filled

    @_array.setter
    def _array(self, value: Any) -> None:
        self._filled, self._rows = value, None

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension of the table."""
        return (self._filled if self._rows is None else self._rows).shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries."""
        return (self._filled if self._rows is None else self._rows).dtype

    @property
    def is_rows(self) -> bool:
        """Whether nobody has looked at it yet."""
        return self._rows is not None

    def nonzero_rows(self) -> tuple[Tensor, Tensor] | None:
        """The numbers of the rows that are not 0, (n,), each once and in order, and these rows; or None when filled."""
        return None if self._rows is None else _nonzero_rows(self._rows)

    def __copy__(self) -> Tensor:
        return from_numpy(self._array)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return from_numpy(np.array(self._array))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return from_numpy, (self._array,)


def _nonzero_rows(rows: SparseRows) -> tuple[Tensor, Tensor]:
    once = rows.coalesced()
    return from_numpy(once.indices), from_numpy(once.values)
