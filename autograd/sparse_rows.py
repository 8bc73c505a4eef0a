"""Some rows of an array whose other rows are 0: what the backward pass hands on instead of a dense gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .backends.numpy_rows import sum_rows

__all__ = ["SparseRows"]


class SparseRows:
    """An array that is 0 but for some rows, as NumPy arithmetic sees it: sums stay sparse, all else is dense.

    ``indices`` (n,) may name a row more than once; then its ``values`` (n, …) add up. A Tensor of them is sparse, or
    with ``sparse=False`` dense as soon as it is looked at.
    """

    __slots__ = ("dtype", "indices", "ndim", "shape", "sparse", "values")

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], sparse: bool = True) -> None:
        self.indices, self.values, self.shape, self.sparse = indices, values, shape, sparse
        self.dtype, self.ndim = values.dtype, len(shape)

    def add_into(self, array: np.ndarray) -> np.ndarray:
        """Adds the rows to ``array``, in place."""
        once = self.coalesced()
        array[once.indices] += once.values
        return array

    def dense(self) -> np.ndarray:
        """All rows."""
        return self.add_into(np.zeros(self.shape, self.dtype))

    def tensor(self) -> Any:
        """A Tensor of this gradient."""
        from .sparse_gradient import DeferredGradient, SparseGradient  # which need Tensor, and that the backward pass

        return SparseGradient(self) if self.sparse else DeferredGradient(self)

    def coalesced(self) -> SparseRows:
        """Each row named once, in order."""
        rows = self.indices
        if (np.diff(rows) > 0).all():
            return self
        named, first, places = np.unique(rows, return_index=True, return_inverse=True)
        if 8 * (len(rows) - len(named)) < len(rows):  # few are named again, and those alone are added
            summed = self.values[first]
            again = np.ones(len(rows), bool)
            again[first] = False
            np.add.at(summed, places[again], self.values[again])
        else:
            summed = sum_rows(self.values, places, len(named))
        return SparseRows(named, summed, self.shape, self.sparse)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.dense() if dtype is None else self.dense().astype(dtype)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, SparseRows):
            return SparseRows(
                np.concatenate([self.indices, other.indices]),
                np.concatenate([self.values, other.values]),
                self.shape,
                self.sparse and other.sparse,
            )
        return self.add_into(np.array(other))

    __radd__ = __add__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        # `array += rows` comes here, and is what the backward pass does at a table that is also used densely.
        if ufunc is np.add and method == "__call__" and out is not None and inputs[0] is out[0]:
            return self.add_into(out[0])
        if ufunc is np.add and method == "__call__" and out is None:
            return self.__add__(inputs[0] if inputs[1] is self else inputs[1])
        dense = [x.dense() if isinstance(x, SparseRows) else x for x in inputs]
        return getattr(ufunc, method)(*dense, **({} if out is None else {"out": out}), **kwargs)
