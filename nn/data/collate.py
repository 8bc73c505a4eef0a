"""Items made into a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor
from autograd.errors import describe

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Items as one batch: numbers and arrays stacked into Tensors, tuples and dicts field by field.

    Arguments:
        batch: a non-empty sequence of Tensors, arrays, numbers, strings, or tuples, lists and dicts of such.

    Returns Tensors of shape (N, …), a list or a dict of them, or the list of strings.

    Raises:
        ShapeError: the shapes of two items differ. TypeError: items of another kind.

    >>> default_collate([(1.0, "a"), (2.0, "b")])
    [tensor([1., 2.]), ['a', 'b']]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return autograd.stack(list(batch))
    if isinstance(first, np.ndarray):
        return autograd.stack([autograd.as_tensor(a) for a in batch])
    if isinstance(first, np.generic):
        return autograd.tensor(np.array(batch))
    if isinstance(first, (bool, int, float)):
        return autograd.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, dict):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(item) != len(first) for item in batch):
            raise ShapeError(
                f"default_collate: items have {sorted({len(item) for item in batch})} fields; all must have as many"
            )
        fields = [default_collate(field) for field in zip(*batch, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else fields
    raise TypeError(
        f"default_collate: items can be Tensors, arrays, numbers, strings, tuples, lists and dicts, "
        f"got {describe(first)}; give the DataLoader a collate_fn"
    )


def default_convert(data: Any) -> Any:
    """An item with its arrays as Tensors, and all else as it is: what a DataLoader without batches gives.

    >>> default_convert((np.ones(2), "a"))
    (tensor([1., 1.], dtype=float64), 'a')
    """
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "fiub":
        return autograd.from_numpy(data) if isinstance(data, np.ndarray) else autograd.tensor(data)
    if isinstance(data, dict):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple):
        fields = [default_convert(field) for field in data]
        return type(data)(*fields) if hasattr(data, "_fields") else tuple(fields)
    return [default_convert(field) for field in data] if isinstance(data, list) else data
