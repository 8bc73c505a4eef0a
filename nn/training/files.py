"""Weights in files: safetensors and NPZ, never pickle, and how a file is written so that it is whole or not there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import describe

from ..module import Module

__all__ = ["load", "save"]

_INSTALL = "pip install safetensors"
_DTYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1",
    "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def save(obj: Module | Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes the weights of a module, or Tensors and arrays by name, to a ``.safetensors`` or ``.npz`` file.

    The file appears under its name only when all of it is on the disk; until then an older one stays as it was. In a
    safetensors file a Tensor that is there under two names (tied weights) is kept once, and the other name is noted as
    ``safetensors.torch.save_model`` notes it, so that ``load`` here and ``safetensors.torch.load_model`` there give
    both back. In an NPZ file it is kept twice.

    Arguments:
        obj: a module, whose ``state_dict()`` is written; or a mapping from names to Tensors or arrays.
        path: where to; its suffix, ``.safetensors`` (needs ``pip install safetensors``) or ``.npz``, is the format.

    Raises:
        ValueError: another suffix. TypeError: something in it is neither Tensor nor array.

    >>> import nn, tempfile
    >>> layer = nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(layer, folder + "/layer.npz")
    ...     nn.Linear(2, 3).load_state_dict(load(folder + "/layer.npz"))
    <All keys matched successfully>
    """
    path = Path(path)
    suffix = _suffix("save", path)
    if not isinstance(obj, (Module, Mapping)):
        raise TypeError(f"save: wants a module or a mapping from names to Tensors, got {describe(obj)}")
    arrays = {}
    for name, value in (obj.state_dict() if isinstance(obj, Module) else obj).items():
        if not isinstance(name, str) or not isinstance(value, (Tensor, np.ndarray, np.generic)):
            raise TypeError(f"save: {name!r} is {describe(value)}; names must be strings and values Tensors or arrays")
        arrays[name] = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        if arrays[name].dtype.kind not in "fiub":
            raise TypeError(f"save: {name!r} is {describe(value)}; only floats, ints and bools are written")
    if suffix == ".npz":
        stream = io.BytesIO()
        write_npz(stream, arrays)
        write_atomically(path, [stream.getbuffer()])
    else:
        write_atomically(path, [_to_safetensors(arrays)])


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The Tensors of a ``.safetensors`` or ``.npz`` file by name, for ``load_state_dict``.

    Also of files that PyTorch wrote with safetensors. bfloat16, which NumPy has not, becomes float32 exactly.

    Raises:
        FileNotFoundError: there is no such file. ValueError: another suffix, or a file that is not what its suffix
            says, or is damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"w": autograd.ones(2)}, folder + "/w.npz"); load(folder + "/w.npz")
    {'w': tensor([1., 1.])}
    """
    path = Path(path)
    suffix = _suffix("load", path)
    data = path.read_bytes()
    return _from_npz(path, data) if suffix == ".npz" else _from_safetensors(path, data)


def _suffix(function: str, path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".safetensors", ".npz"):
        pickles = suffix in (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
        raise ValueError(
            f"{function}: {path.name} ends in {suffix or 'nothing'}; there are .safetensors and .npz"
            + ("; reading a pickle runs code, so write the weights with safetensors.torch.save_model" * pickles)
        )
    return suffix


# NPZ


def write_npz(stream: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays by name as ``numpy.savez`` does, under any name, and the same bytes for the same arrays."""
    # numpy.savez takes names as keywords, so that a parameter called "file" could not be written.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(name + ".npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_npz(data: bytes | memoryview) -> dict[str, np.ndarray]:
    """The arrays of ``write_npz``, or of ``numpy.savez``; a ValueError where there is something else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, EOFError, OSError, KeyError, AttributeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def _from_npz(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        arrays = read_npz(data)
    except ValueError as error:
        raise ValueError(
            f"load: {path} is no NPZ file of plain arrays, or is damaged ({error}); {len(data)} bytes"
        ) from None
    return {name: autograd.from_numpy(array) for name, array in arrays.items()}


# safetensors


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            f"files in the safetensors format need the safetensors package: {_INSTALL} (or use a .npz file)"
        ) from None
    return safetensors


def _to_safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    same: dict[Any, list[str]] = {}
    for name, a in arrays.items():
        key = (a.__array_interface__["data"][0], a.shape, a.strides, a.dtype.str) if a.size else name
        same.setdefault(key, []).append(name)
    kept, metadata = {}, {"format": "pt"}
    for names in same.values():
        first, *others = sorted(names)
        a = arrays[first]
        # The package writes the memory as it lies, whatever the strides. (ascontiguousarray makes 0-d arrays 1-d.)
        kept[first] = np.asarray(a, dtype=a.dtype.newbyteorder("<"), order="C")
        metadata.update(dict.fromkeys(others, first))
    return _safetensors().numpy.save(kept, metadata=metadata)


def _from_safetensors(path: Path, data: bytes) -> dict[str, Tensor]:
    package = _safetensors()
    try:
        found = package.deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (package.SafetensorError, ValueError) as error:
        raise ValueError(f"load: {path} is no safetensors file, or is damaged ({error}); {len(data)} bytes") from None
    tensors = {name: autograd.from_numpy(_array(path, name, entry)) for name, entry in found}
    for name, kept in (header.get("__metadata__") or {}).items():
        if name not in tensors and kept in tensors:
            tensors[name] = tensors[kept]
    # In the file they lie in the order of their sizes; the header is in no order that means something.
    return dict(sorted(tensors.items()))


def _array(path: Path, name: str, entry: Mapping[str, Any]) -> np.ndarray:
    kind, shape, data = entry["dtype"], entry["shape"], entry["data"]
    if kind == "BF16":
        # The upper half of a float32.
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        raise ValueError(
            f"load: {name} in {path} is {kind}, which is not read here; convert it to float32 where the file is "
            "made: tensor.to(torch.float32)"
        )
    dtype = np.dtype(_DTYPES[kind])
    return np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape).astype(dtype)


# Writing


def write_atomically(path: Path, parts: Iterable[bytes | memoryview], previous: Path | None = None) -> None:
    """Writes ``path`` so that, whenever the process or the machine stops, the old file is there or the new one.

    Into a file beside it, to the disk, then under its name. With ``previous`` the old file stays under that name.
    """
    beside = path.with_name(path.name + ".writing")
    try:
        with open(beside, "wb") as stream:
            for part in parts:
                stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
        if previous is not None and path.exists():
            _keep(path, previous)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(path.parent)


def _keep(path: Path, previous: Path) -> None:
    """``path`` under the name ``previous`` too, with no moment at which neither name has a whole file."""
    link = previous.with_name(previous.name + ".linking")
    try:
        link.unlink(missing_ok=True)
        os.link(path, link)
    except OSError:
        # No hard links here: for a moment only `previous` is there.
        os.replace(path, previous)
    else:
        os.replace(link, previous)


def _sync_folder(folder: Path) -> None:
    # A new name is on the disk when its folder is; Windows cannot open one.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
