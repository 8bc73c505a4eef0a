"""One file from which training goes on as if it had never stopped.

The file is a line that says what it is, the SHA-256 of the rest, and an NPZ archive: the arrays, and a JSON text of all
else. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import describe

from .files import read_npz, write_atomically, write_npz

__all__ = ["CheckpointError", "read_checkpoint", "write_checkpoint"]

VERSION = 1
_MAGIC = b"glassgrad checkpoint "
_HEAD = len(_MAGIC) + 4 + 1 + 64 + 1  # the line: magic, four digits, a space, 64 hexadecimal digits, "\n"
_TEXT = "__text__"


class CheckpointError(ValueError):
    """A file that cannot be used as a checkpoint.

    ``damaged`` tells one that was a checkpoint of this version and is not whole or not as it was written from one that
    never was.
    """

    def __init__(self, message: str, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


def previous_path(path: Path) -> Path:
    """Where the checkpoint before the one at ``path`` is kept."""
    return path.with_name(path.name + ".previous")


def write_checkpoint(state: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes ``state`` to ``path`` in one piece, and keeps the file that was there as ``path`` + ``.previous``.

    Arguments:
        state: nested dicts, lists and tuples of Tensors, arrays, numbers, strings, None.
        path: the file; beside it one that ends in ``.writing`` is there while it is written.

    Raises:
        TypeError: something of another kind, which the message names.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_checkpoint({"step": 3, "w": autograd.ones(2)}, folder + "/run.ckpt")
    ...     read_checkpoint(folder + "/run.ckpt")
    {'step': 3, 'w': tensor([1., 1.])}
    """
    path = Path(path)
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encode(state, arrays, "state")).encode()
    body = io.BytesIO()
    write_npz(body, {_TEXT: np.frombuffer(text, np.uint8), **arrays})
    content = body.getbuffer()
    head = _MAGIC + f"{VERSION:04d} {hashlib.sha256(content).hexdigest()}\n".encode()
    write_atomically(path, [head, content], previous_path(path))


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What ``write_checkpoint`` was given.

    Raises:
        FileNotFoundError: there is no such file. CheckpointError: it is no checkpoint, one of another version, cut off,
            or was changed in any bit since it was written.
    """
    path = Path(path)
    data = path.read_bytes()
    head, content = data[:_HEAD], memoryview(data)[_HEAD:]
    hint = f"; the one before it is {previous_path(path)}" if previous_path(path).exists() else ""
    if not head.startswith(_MAGIC):
        cut_off = _MAGIC.startswith(head)
        raise CheckpointError(
            f"read_checkpoint: {path} is {'cut off' if cut_off else 'no checkpoint of fit'}: its {len(data)} bytes "
            f"start with {bytes(head[:24])!r}{hint}",
            damaged=cut_off,
        )
    version, _, rest = head[len(_MAGIC) :].partition(b" ")
    digest = rest[:64]
    if len(head) == _HEAD and version != f"{VERSION:04d}".encode():
        raise CheckpointError(
            f"read_checkpoint: {path} has format version {version.decode(errors='replace')}, and this release reads "
            f"version {VERSION:04d}; go on with the release that wrote it{hint}"
        )
    if len(head) < _HEAD or rest[64:] != b"\n" or hashlib.sha256(content).hexdigest().encode() != digest:
        raise CheckpointError(
            f"read_checkpoint: {path} is damaged: its checksum is not that of its {len(data)} bytes, so it was cut off "
            f"or changed since it was written{hint}",
            damaged=True,
        )
    try:
        arrays = read_npz(content)
        return _decode(json.loads(arrays.pop(_TEXT).tobytes()), arrays)
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"read_checkpoint: {path} is no checkpoint of fit ({error!r}){hint}") from None


# JSON has lists and dicts with string keys; all else is {kind: content}.


def _encode(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return value
    if isinstance(value, list):
        return [_encode(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": [_encode(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]}
    if isinstance(value, Mapping):
        kind = "counter" if isinstance(value, Counter) else "dict"
        pairs = [[_encode(k, arrays, where), _encode(v, arrays, f"{where}[{k!r}]")] for k, v in value.items()]
        return {kind: pairs}
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        if array.dtype.kind in "fiubc":
            name = str(len(arrays))
            arrays[name] = array
            kind = "tensor" if isinstance(value, Tensor) else "array" if isinstance(value, np.ndarray) else "scalar"
            return {kind: name}
    raise TypeError(
        f"write_checkpoint: {where} is {describe(value)}; a checkpoint holds Tensors, arrays, numbers, strings, None "
        "and lists, tuples and dicts of them"
    )


def _decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decode(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(_decode(v, arrays) for v in content)
    if kind in ("dict", "counter"):
        pairs = {_decode(k, arrays): _decode(v, arrays) for k, v in content}
        return Counter(pairs) if kind == "counter" else pairs
    array = arrays[content]
    if kind == "tensor":
        return autograd.from_numpy(array)
    return array[()] if kind == "scalar" else array
