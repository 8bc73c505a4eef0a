"""Data from files: IDX (the format of MNIST), NPZ and CSV. Nothing that a file holds is executed."""

from __future__ import annotations

import csv
import gzip
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

import autograd
from autograd import DTypeError, Tensor
from autograd.errors import describe

__all__ = ["Table", "read_csv", "read_idx", "read_npz", "write_idx"]

# What deflate can make of one byte, at most.
_RATIO = 1032

# IDX

_IDX: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"), 0x09: np.dtype("i1"), 0x0B: np.dtype(">i2"), 0x0C: np.dtype(">i4"), 0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}  # fmt: skip


def read_idx(path: str | os.PathLike[str]) -> Tensor:
    """The array of an IDX file, plain or packed with gzip (its content tells).

    The file is two zero bytes, one that names the type, the number of dimensions, each size as a big-endian uint32, and
    the entries.

    Returns a Tensor of the file's shape and dtype: uint8, int8, int16, int32, float32 or float64.

    Raises:
        FileNotFoundError: there is no such file. ValueError: it is no IDX file, or has too few or too many bytes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(folder + "/labels.gz", autograd.tensor([5, 0, 4], dtype="uint8"))
    ...     read_idx(folder + "/labels.gz")
    tensor([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        size = os.fstat(raw.fileno()).st_size
        if not packed:
            return autograd.from_numpy(_idx(path, raw, size, size))
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                return autograd.from_numpy(_idx(path, stream, None, size * _RATIO))
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"read_idx: {path} is damaged or cut short: gzip says {error}") from None


def _idx(path: Path, stream: IO[bytes] | gzip.GzipFile, size: int | None, most: int) -> np.ndarray:
    """The array; ``size`` is how many bytes there are, where one knows, and ``most`` how many there can be."""
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX:
        raise ValueError(f"read_idx: {path} is no IDX file: it begins with {head.hex(' ') or 'nothing'}")
    dtype, ndim = _IDX[head[2]], head[3]
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"read_idx: {path} is cut short: it has {ndim} dimensions and ends among their sizes")
    shape = struct.unpack(f">{ndim}I", sizes)
    if ndim > 32:
        raise ValueError(f"read_idx: {path} has {ndim} dimensions; at most 32 can be read")
    begin, wanted = 4 + 4 * ndim, math.prod(shape) * dtype.itemsize
    # Before anything of that size is allocated.
    if wanted > most - begin or (size is not None and size != begin + wanted):
        raise ValueError(
            f"read_idx: {path} says that it holds {dtype.newbyteorder('=')} of shape {shape}, which is "
            f"{begin + wanted} bytes, and has {'at most ' if size is None else ''}{most}"
        )
    # Piece by piece, so that no more is allocated than really comes; one byte more would be too many.
    data = bytearray()
    while len(data) <= wanted and (piece := stream.read(min(wanted + 1 - len(data), 1 << 20))):
        data += piece
    if len(data) != wanted:
        raise ValueError(
            f"read_idx: {path} says that it holds {dtype.newbyteorder('=')} of shape {shape}, which is "
            f"{begin + wanted} bytes, and has {'more' if len(data) > wanted else begin + len(data)}"
        )
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | os.PathLike[str], array: Any) -> None:
    """Writes an array to an IDX file, packed with gzip where the name ends in ``.gz``.

    Arguments:
        path: where to.
        array: a Tensor or array of uint8, int8, int16, int32, float32 or float64, of at most 255 dimensions.

    Raises:
        DTypeError: a dtype that the format has not. ValueError: a size above 2³² − 1.
    """
    a = array.detach().numpy() if isinstance(array, Tensor) else np.asarray(array)
    code = next((code for code, dtype in _IDX.items() if dtype.newbyteorder("=") == a.dtype.newbyteorder("=")), None)
    if code is None:
        raise DTypeError(
            f"write_idx: IDX files hold uint8, int8, int16, int32, float32 or float64, got {describe(a)}; convert it"
        )
    if any(n >= 2**32 for n in a.shape):
        raise ValueError(f"write_idx: sizes must be below 2**32, got shape {a.shape}")
    content = bytes([0, 0, code, a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.astype(_IDX[code]).tobytes()
    # The same bytes whenever they are written: without the time.
    Path(path).write_bytes(gzip.compress(content, mtime=0) if str(path).endswith(".gz") else content)


# NPZ


def read_npz(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The arrays of an NPZ file (``numpy.savez``, ``numpy.savez_compressed``) by name.

    Pickled objects, which could run code, are refused.

    Raises:
        FileNotFoundError: there is no such file. ValueError: it is no NPZ file of plain arrays, or is damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(folder + "/data.npz", x=np.eye(2), y=[0, 1])
    ...     read_npz(folder + "/data.npz")["y"]
    tensor([0, 1])
    """
    path = Path(path)
    tensors = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    raise ValueError(f"it holds {entry.filename!r}, which is no array")
                tensors[entry.filename.removesuffix(".npy")] = autograd.from_numpy(_npy(archive, entry))
    except FileNotFoundError:
        raise
    except (
        zipfile.BadZipFile, EOFError, OSError, KeyError, NotImplementedError, RuntimeError, ValueError, TypeError,
        SyntaxError, OverflowError, zlib.error, struct.error,
    ) as error:  # fmt: skip
        raise ValueError(f"read_npz: {path} is no NPZ file of plain arrays, or is damaged: {error}") from None
    return tensors


def _npy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """One array, after its size has been compared with that of the entry and that of what the entry is packed in."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is packed in a way that numpy.savez does not use")
    most = entry.compress_size * (_RATIO if entry.compress_type == zipfile.ZIP_DEFLATED else 1)
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{entry.filename} is of version {version} of the NPY format, not of 1.0 or 2.0")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        begin, wanted = stream.tell(), math.prod(shape) * dtype.itemsize
        if dtype.kind not in "fiubc":
            raise ValueError(f"{entry.filename} holds {dtype}, not numbers; objects are never unpickled")
        if begin + wanted != entry.file_size or entry.file_size > most:
            raise ValueError(
                f"{entry.filename} says that it holds {dtype} of shape {shape}, which is {begin + wanted} bytes, and "
                f"has {min(entry.file_size, most)}"
            )
        data = bytearray(stream.read())  # a bytearray, so that the array can be written to
    if len(data) != wanted:
        raise ValueError(f"{entry.filename} ends after {len(data)} of {wanted} bytes")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


# CSV


class Table(NamedTuple):
    """What ``read_csv`` gives.

    ``x`` (N, features), ``y`` (N,) or None, the ``names`` of the features, and where the targets are text the
    ``classes`` that the numbers in ``y`` stand for.
    """

    x: Tensor
    y: Tensor | None
    names: tuple[str, ...]
    classes: tuple[str, ...] | None


_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
_SHOWN = 5
# No more digits than always fit into int64.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def read_csv(
    path: str | os.PathLike[str],
    target: str | int | None = None,
    header: bool = True,
    delimiter: str = ",",
    missing: str = "raise",
    dtype: Any = None,
    encoding: str = "utf-8-sig",
) -> Table:
    """Numbers, and a column of targets, from a text file of one item per line.

    Arguments:
        path: the file.
        target: the column of targets, its name or number (from 0; −1 is the last). Targets that are all written as
            integers become int64, other numbers ``dtype``; of text each different one becomes a class 0, 1, … in
            the order of the alphabet.
        header: whether the first line holds names; else they are "0", "1", ….
        delimiter: between columns, one character.
        missing: for cells that are empty, or NA, N/A, NaN, null, None or ? in any case: ``"raise"`` says where
            they are, ``"drop"`` leaves their lines out, ``"nan"`` makes those of features NaN.
        dtype: of the features, the default dtype by default.
        encoding: of the text.

    Returns a Table (x, y, names, classes).

    Raises:
        FileNotFoundError: there is no such file. ValueError: cells that are missing or no numbers, lines of another
            number of columns, no such target, no lines; each with line and column.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("length,width,kind\\n5.1,3.5,rose\\n4.9,3.0,aster\\n")
    ...     read_csv(path, target="kind")[1:]
    (tensor([1, 0]), ('length', 'width'), ('aster', 'rose'))
    """
    path = Path(path)
    if missing not in ("raise", "drop", "nan"):
        raise ValueError(f"read_csv: missing must be 'raise', 'drop' or 'nan', got {missing!r}")
    dtype = autograd.get_default_dtype() if dtype is None else autograd.empty(0, dtype=dtype).dtype
    lines = _lines(path, delimiter, encoding)
    first = next(lines, None)
    if first is None:
        raise ValueError(f"read_csv: {path} is empty")
    width = len(first[1])
    names = [name.strip() for name in first[1]] if header else [str(i) for i in range(width)]
    which = _target(path, target, names)
    numbers, features, targets, absent = [], [], [], []
    for number, cells in lines if header else _chained(first, lines):
        if len(cells) != width:
            raise ValueError(
                f"read_csv: line {number} of {path} has {len(cells)} columns, and the first line has {width}"
            )
        gone = [i for i, cell in enumerate(cells) if cell.strip().lower() in _MISSING]
        if gone and missing == "drop":
            continue
        absent += [(number, i) for i in gone if missing == "raise" or i == which]
        features.append(
            [math.nan if i in gone else _number(path, cell, number, names[i]) for i, cell in enumerate(cells)
             if i != which]
        )  # fmt: skip
        numbers.append(number)
        if which is not None:
            targets.append(cells[which].strip())
    if absent:
        shown = ", ".join(f"line {n} column {names[i]!r}" for n, i in absent[:_SHOWN])
        raise ValueError(
            f"read_csv: {len(absent)} values are missing in {path}: {shown}{', …' * (len(absent) > _SHOWN)}; "
            "missing='drop' leaves such lines out, missing='nan' makes features NaN"
        )
    if not features:
        raise ValueError(f"read_csv: {path} has no lines of data")
    kept = tuple(name for i, name in enumerate(names) if i != which)
    x = autograd.tensor(np.array(features, np.float64).reshape(len(features), len(kept)), dtype=dtype)
    if which is None:
        return Table(x, None, kept, None)
    y, classes = _targets(targets, dtype)
    return Table(x, y, kept, classes)


def _lines(path: Path, delimiter: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank."""
    try:
        with open(path, newline="", encoding=encoding) as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise ValueError(f"read_csv: {path} is no text in {encoding}: {error}") from None
    except csv.Error as error:
        raise ValueError(f"read_csv: line {reader.line_num} of {path}: {error}") from None


def _chained(first: tuple[int, list[str]], lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from lines


def _target(path: Path, target: str | int | None, names: list[str]) -> int | None:
    if target is None:
        return None
    if isinstance(target, str):
        if names.count(target) != 1:
            raise ValueError(
                f"read_csv: {path} has {names.count(target) or 'no'} columns called {target!r}; there are {names}"
            )
        return names.index(target)
    if not -len(names) <= target < len(names):
        raise ValueError(f"read_csv: target column {target} is out of range, {path} has {len(names)} columns")
    return target % len(names)


def _as_float(cell: str) -> float | None:
    try:
        # Python would take 1_000 for a number.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _number(path: Path, cell: str, line: int, name: str) -> float:
    value = _as_float(cell)
    if value is None:
        raise ValueError(
            f"read_csv: line {line} of {path}, column {name!r}: {cell!r} is not a number; a column of text can only be "
            "the target"
        )
    return value


def _targets(cells: list[str], dtype: Any) -> tuple[Tensor, tuple[str, ...] | None]:
    if all(_INTEGER.fullmatch(cell) for cell in cells):
        return autograd.tensor([int(cell) for cell in cells], dtype=autograd.int64), None
    values = [_as_float(cell) for cell in cells]
    if all(value is not None for value in values):
        return autograd.tensor(values, dtype=dtype), None
    classes = tuple(sorted(set(cells)))
    place = {name: i for i, name in enumerate(classes)}
    return autograd.tensor([place[cell] for cell in cells]), classes
