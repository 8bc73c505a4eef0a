"""Sequences of different lengths as one Tensor: padded to the longest, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences without padding, step after step: what recurrent layers take for those of different lengths.

    Made by ``pack_padded_sequence`` and ``pack_sequence``.

    Arguments:
        data: (N, …), the entries of all sequences: first the first ones, of the longest sequence first.
        batch_sizes: int64 (T,), how many sequences there still are at each step.
        sorted_indices: int64 (B,), which sequence of the batch is the longest, and so on; None if they were in order.
        unsorted_indices: its inverse, which is found if it is left out.

    >>> from autograd import tensor
    >>> packed = pack_sequence([tensor([1.0, 2.0, 3.0]), tensor([4.0])])
    >>> packed.data, packed.batch_sizes
    (tensor([1., 4., 2., 3.]), tensor([2, 1, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            raise TypeError(
                "PackedSequence: argument batch_sizes is missing; make one with pack_sequence or pack_padded_sequence"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    @property
    def is_cuda(self) -> bool:
        """False: there is only the CPU."""
        return False

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With its data converted, as ``Tensor.to`` does."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else self._replace(data=data)

    def double(self) -> PackedSequence:
        """With float64 data."""
        return self.to(autograd.float64)

    def float(self) -> PackedSequence:
        """With float32 data."""
        return self.to(autograd.float32)

    def half(self) -> PackedSequence:
        """With float16 data."""
        return self.to(autograd.float16)

    def long(self) -> PackedSequence:
        """With int64 data."""
        return self.to(autograd.int64)

    def short(self) -> PackedSequence:
        """With int16 data."""
        return self.to(autograd.int16)

    def char(self) -> PackedSequence:
        """With int8 data."""
        return self.to(autograd.int8)

    def byte(self) -> PackedSequence:
        """With uint8 data."""
        return self.to(autograd.uint8)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Refused: there is only the CPU."""
        self.data.cuda(*args, **kwargs)
        return self

    def pin_memory(self) -> PackedSequence:
        """Itself: there is only the CPU, which reads memory that is not pinned as fast."""
        return self

    def is_pinned(self) -> bool:
        """False: there is only the CPU."""
        return False

    def int(self) -> PackedSequence:
        """With int32 data."""
        return self.to(autograd.int32)

    def cpu(self) -> PackedSequence:
        """Itself: it is on the CPU."""
        return self


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one; None for None.

    >>> invert_permutation(autograd.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else autograd.tensor(np.argsort(permutation.numpy()))


def _whole_lengths(name: str, lengths: Any) -> np.ndarray:
    numbers = lengths.numpy() if isinstance(lengths, Tensor) else np.asarray(lengths)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise DTypeError(f"{name}: lengths must be a list or 1-d Tensor of ints, got {describe(lengths)}")
    return numbers.astype(np.int64)


def _sequences(name: str, sequences: Any) -> list[Tensor]:
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, (list, tuple)):
        raise TypeError(f"{name}: sequences must be a list of Tensors, got {describe(sequences)}")
    for i, s in enumerate(sequences):
        if not isinstance(s, Tensor) or s.ndim < 1 or s.shape[1:] != sequences[0].shape[1:]:
            raise ShapeError(
                f"{name}: sequences must be Tensors (length, …) whose sizes after the first agree, "
                f"got {describe(sequences[0])} and, at {i}, {describe(s)}"
            )
    if not len(sequences):
        raise ValueError(f"{name}: there must be at least one sequence, got an empty list")
    return list(sequences)


def _placed(rows: Tensor, places: np.ndarray, padding_value: float) -> Tensor:
    """``rows[places]``, and ``padding_value`` where a place is as large as there are rows."""
    if places.size and places.max() == rows.shape[0]:
        rows = autograd.cat([rows, autograd.full((1, *rows.shape[1:]), padding_value, dtype=rows.dtype)])
    return rows[autograd.tensor(places)]


def pad_sequence(
    sequences: Tensor | Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths side by side, padded to the longest.

    Arguments:
        sequences: B Tensors (length, …) that agree in all sizes but the first.
        batch_first: return (B, T, …) instead of (T, B, …).
        padding_value: what the gaps are filled with.
        padding_side: where they are, ``"right"`` or ``"left"``.

    Raises:
        ShapeError: sizes after the first differ. ValueError: there is no sequence.

    >>> from autograd import tensor
    >>> pad_sequence([tensor([1.0, 2.0]), tensor([3.0])], batch_first=True)
    tensor([[1., 2.],
            [3., 0.]])
    """
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', got {padding_side!r}")
    parts = _sequences("pad_sequence", sequences)
    lengths = np.array([s.shape[0] for s in parts])
    longest = lengths.max()
    steps = np.arange(longest) - (longest - lengths[:, None] if padding_side == "left" else 0 * lengths[:, None])
    starts = (np.cumsum(lengths) - lengths)[:, None]
    places = np.where((steps >= 0) & (steps < lengths[:, None]), starts + steps, lengths.sum())  # (B, T)
    return _placed(autograd.cat(parts), places if batch_first else places.T, padding_value)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that were padded to one Tensor, each of its own length: the opposite of ``pad_sequence``.

    Arguments:
        padded_sequences: (T, B, …), or (B, T, …) with ``batch_first``.
        lengths: B ints, as a list or Tensor.

    >>> from autograd import tensor
    >>> unpad_sequence(tensor([[1.0, 3.0], [2.0, 0.0]]), [2, 1])
    [tensor([1., 2.]), tensor([3.])]
    """
    numbers = _whole_lengths("unpad_sequence", lengths)
    columns = (padded_sequences if batch_first else padded_sequences.transpose(0, 1)).unbind(0)
    if len(columns) != len(numbers):
        raise ShapeError(
            f"unpad_sequence: there are {len(numbers)} lengths and {len(columns)} sequences in padded_sequences of "
            f"shape {padded_sequences.shape}; they must be as many (batch_first={batch_first})"
        )
    return [column[:n] for column, n in zip(columns, numbers.tolist(), strict=True)]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Padded sequences without their padding.

    Arguments:
        input: (T, B, …), or (B, T, …) with ``batch_first``.
        lengths: B ints from 1 to T, as a list or Tensor.
        enforce_sorted: the sequences are in the order of their lengths, the longest first; otherwise they are sorted.

    Raises:
        ValueError: a length is out of range, or ``enforce_sorted`` and they are not. ShapeError: there are not B.

    >>> pack_padded_sequence(autograd.tensor([[1.0, 3.0], [2.0, 0.0]]), [2, 1]).data
    tensor([1., 3., 2.])
    """
    name = "pack_padded_sequence"
    numbers = _whole_lengths(name, lengths)
    if not isinstance(input, Tensor) or input.ndim < 2:
        raise ShapeError(f"{name}: input must have at least 2 dimensions, (T, B, …), got {describe(input)}")
    if batch_first:
        input = input.transpose(0, 1)
    steps, batch = input.shape[:2]
    if len(numbers) != batch:
        raise ShapeError(
            f"{name}: there must be a length for each of the {batch} sequences, got {len(numbers)} "
            f"(batch_first={batch_first})"
        )
    if not batch or numbers.min() < 1 or numbers.max() > steps:
        raise ValueError(f"{name}: lengths must be within 1 and {steps}, the padded length, got {numbers.tolist()}")
    order = None
    if not enforce_sorted:
        order = np.argsort(-numbers, kind="stable")
        numbers = numbers[order]
    elif (np.diff(numbers) > 0).any():
        raise ValueError(
            f"{name}: lengths must go down from the longest, got {numbers.tolist()}; enforce_sorted=False sorts them"
        )
    inside = np.arange(numbers[0])[:, None] < numbers  # (T, B)
    columns = np.arange(batch) if order is None else order
    places = (np.arange(numbers[0])[:, None] * batch + columns)[inside]
    rows = input.reshape(steps * batch, *input.shape[2:])  # (T B, …)
    sorted_indices = None if order is None else autograd.tensor(order)
    return PackedSequence(rows[autograd.tensor(places)], autograd.tensor(inside.sum(1)), sorted_indices)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Packed sequences padded to the longest, in their order before packing, and their lengths.

    Arguments:
        sequence: what ``pack_padded_sequence`` or a recurrent layer returned.
        batch_first: return (B, T, …) instead of (T, B, …).
        padding_value: what the gaps are filled with.
        total_length: T, by default the length of the longest sequence.

    Raises:
        ValueError: total_length is less than that.

    >>> packed = pack_sequence([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1., 2.],
            [3., 0.]]), tensor([2, 1]))
    """
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"pad_packed_sequence: sequence must be a PackedSequence, got {describe(sequence)}")
    sizes = sequence.batch_sizes.numpy()
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(
            f"pad_packed_sequence: total_length must be at least {steps}, the longest length, got {total_length}"
        )
    batch, rows = sizes[0], sequence.data
    columns = np.arange(batch)
    if sequence.unsorted_indices is not None:
        columns = sequence.unsorted_indices.numpy()
    starts, counts = np.zeros(total_length or steps, np.int64), np.zeros(total_length or steps, np.int64)
    starts[:steps], counts[:steps] = np.cumsum(sizes) - sizes, sizes
    inside = columns < counts[:, None]
    places = np.where(inside, starts[:, None] + columns, rows.shape[0])  # (T, B)
    padded = _placed(rows, places.T if batch_first else places, padding_value)
    return padded, autograd.tensor(inside.sum(0))


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of different lengths, packed.

    Arguments:
        sequences: Tensors (length, …) that agree in all sizes but the first.
        enforce_sorted: the longest comes first, and so on; otherwise they are sorted.

    >>> pack_sequence([autograd.tensor([1.0]), autograd.tensor([2.0, 3.0])], enforce_sorted=False).data
    tensor([2., 1., 3.])
    """
    parts = _sequences("pack_sequence", sequences)
    return pack_padded_sequence(pad_sequence(parts), [s.shape[0] for s in parts], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed, each of its own length, in their order before.

    >>> unpack_sequence(pack_sequence([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0])]))
    [tensor([1., 2.]), tensor([3.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
