"""Files of weights and checkpoints: what is read is what was written, or it is refused."""

from __future__ import annotations

import math
import os
from collections import Counter

import numpy as np
import pytest

import autograd
import nn
from nn.training import CheckpointError, load, read_checkpoint, save, write_checkpoint

safetensors = pytest.importorskip("safetensors")
SUFFIXES = [".npz", ".safetensors"]


def same(a, b):
    """Equal to the bit, types, dtypes and the sign of zero included."""
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, autograd.Tensor):
        return isinstance(b, autograd.Tensor) and same(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, (np.ndarray, np.generic)):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and (a == b or (a != a and b != b))


class Tied(nn.Module):
    """An embedding whose weight is also that of the last layer."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(3, 5, bias=False)
        self.decoder = nn.Linear(3, 5)
        self.decoder.weight = self.encoder.weight


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_weights_come_back_to_the_bit(suffix, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "float32": rng.standard_normal((3, 4)).astype("f"),
        "float64": np.array([math.nan, -0.0, math.inf, 5e-324]),
        "float16": rng.standard_normal(5).astype(np.float16),
        "int64": np.array([[-(2**63), 2**63 - 1]]),
        "int8": np.array([-128, 127], np.int8),
        "bool": np.array([True, False]),
        "scalar": np.array(2.5, "f"),
        "empty": np.zeros((0, 3), "f"),
        "file": np.ones(1, "f"),
        "a/b.c": np.ones(2, "f"),
    }
    path = tmp_path / f"w{suffix}"
    save(arrays, path)
    back = load(path)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert same(back[name].numpy(), array), name


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_contiguous_is_written_in_its_order(suffix, tmp_path):
    whole = np.arange(24.0, dtype="f").reshape(4, 6)
    arrays = {
        "transposed": whole.T, "strided": whole[:, ::2], "reversed": whole[::-1], "fortran": np.asfortranarray(whole),
        "big endian": whole.astype(">f4"), "broadcast": np.broadcast_to(whole[:1], (3, 6)),
    }  # fmt: skip
    tensors = {"of a Tensor": autograd.tensor(whole).T, **arrays}
    path = tmp_path / f"w{suffix}"
    save(tensors, path)
    for name, value in load(path).items():
        np.testing.assert_array_equal(value.numpy(), np.asarray(tensors[name]), err_msg=name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tied_weights_come_back_under_both_names(suffix, tmp_path):
    model, other = Tied(), Tied()
    path = tmp_path / f"w{suffix}"
    save(model, path)
    other.load_state_dict(load(path))
    assert other.decoder.weight is other.encoder.weight
    assert same(model.state_dict(), other.state_dict())
    if suffix == ".safetensors":
        with safetensors.safe_open(path, "np") as file:
            assert sorted(file.keys()) == ["decoder.bias", "decoder.weight"]


def test_equal_parts_of_one_memory_are_not_tied(tmp_path):
    whole = np.zeros((2, 3), "f")
    path = tmp_path / "w.safetensors"
    save({"whole": whole, "row": whole[0], "none": np.zeros(0, "f"), "nothing": np.zeros(0, "f")}, path)
    assert {k: v.shape for k, v in load(path).items()} == {
        "whole": (2, 3), "row": (3,), "none": (0,), "nothing": (0,),
    }  # fmt: skip


def test_bfloat16_becomes_float32_exactly(tmp_path):
    bits = np.arange(2**16, dtype=np.uint16)
    header = b'{"w":{"dtype":"BF16","shape":[65536],"data_offsets":[0,131072]}}'
    header += b" " * (-len(header) % 8)
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bits.astype("<u2").tobytes())
    w = load(path)["w"].numpy()
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w.view(np.uint32), bits.astype(np.uint32) << 16)


def test_what_has_no_numpy_type_is_refused(tmp_path):
    header = b'{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}'
    header += b" " * (-len(header) % 8)
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ValueError, match=r"F8_E4M3, which is not read here; convert it to float32"):
        load(path)


def test_pickles_and_other_formats_are_refused(tmp_path):
    for name, text in (("w.pt", "reading a pickle runs code"), ("w.json", "ends in .json"), ("w", "ends in nothing")):
        for call in (lambda p: save({}, p), load):
            with pytest.raises(ValueError, match=text):
                call(tmp_path / name)
    np.savez(tmp_path / "objects.npz", w=np.array([{}], object))
    with pytest.raises(ValueError, match="no NPZ file of plain arrays"):
        load(tmp_path / "objects.npz")
    for value, text in (([1.0], "list"), (np.array(["a"]), "<U1"), (np.ones(1, complex), "complex128")):
        with pytest.raises(TypeError, match=text):
            save({"w": value}, tmp_path / "w.npz")
    with pytest.raises(TypeError, match="wants a module or a mapping"):
        save([1], tmp_path / "w.npz")
    assert not (tmp_path / "w.npz").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_weights_are_refused(suffix, tmp_path):
    path = tmp_path / f"w{suffix}"
    save({"w": np.arange(5.0)}, path)
    whole = path.read_bytes()
    for part in (b"", whole[:7], whole[: len(whole) // 2], whole[:-1], b"x" * 300):
        path.write_bytes(part)
        with pytest.raises(ValueError, match="or is damaged"):
            load(path)


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "w.npz"
    save({"w": np.ones(3)}, path)

    def no_space(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        save({"w": np.zeros(3)}, path)
    monkeypatch.undo()
    assert load(path)["w"].tolist() == [1, 1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["w.npz"]


# Checkpoints

STATE = {
    "numbers": [1, -(2**127), 0.1, math.nan, -0.0, math.inf, True, None, "ä"],
    "nested": {"a": (1, [2.5, ()]), 3: {"b": None}, (1, 2): "tuple"},
    "counter": Counter({5: 2}),
    "tensor": autograd.tensor([[1.5, -0.0]]),
    "step": autograd.tensor(3.0),
    "array": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    "scalar": np.float64(0.1),
    "empty": {},
}


def test_a_state_comes_back_to_the_bit(tmp_path):
    path = tmp_path / "run.ckpt"
    write_checkpoint(STATE, path)
    assert same(read_checkpoint(path), STATE)
    first = path.read_bytes()
    write_checkpoint(STATE, path)
    assert path.read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.ckpt", "run.ckpt.previous"]


def test_the_one_before_is_kept(tmp_path):
    path = tmp_path / "run.ckpt"
    for i in range(4):
        write_checkpoint({"i": i}, path)
        assert read_checkpoint(path) == {"i": i}
        if i:
            assert read_checkpoint(tmp_path / "run.ckpt.previous") == {"i": i - 1}


def test_without_hard_links(tmp_path, monkeypatch):
    def none(*args):
        raise OSError("not here")

    monkeypatch.setattr(os, "link", none)
    test_the_one_before_is_kept(tmp_path)


@pytest.mark.parametrize("call", ["fsync", "link", "replace"])
def test_a_failure_at_any_call_leaves_a_whole_file(call, tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    write_checkpoint({"i": 0}, path)
    original = getattr(os, call)
    for stop_at in range(5):
        calls = 0

        def fails(*args, stop_at=stop_at):
            nonlocal calls
            calls += 1
            if calls > stop_at:
                raise KeyboardInterrupt
            return original(*args)

        monkeypatch.setattr(os, call, fails)
        try:
            write_checkpoint({"i": stop_at + 1}, path)
        except KeyboardInterrupt:
            pass
        finally:
            monkeypatch.undo()
        assert read_checkpoint(path)["i"] in range(6)


def test_every_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "run.ckpt"
    write_checkpoint({"w": autograd.tensor([1.0]), "i": 1}, path)
    whole = bytearray(path.read_bytes())
    for place in range(len(whole)):
        for bit in range(8):
            changed = whole.copy()
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            with pytest.raises(CheckpointError):
                read_checkpoint(path)


def test_every_cut_is_noticed(tmp_path):
    path = tmp_path / "run.ckpt"
    write_checkpoint({"w": autograd.tensor([1.0]), "i": 1}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(path)
        assert caught.value.damaged
    path.write_bytes(whole + b"\0")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(path)


def test_foreign_files_and_other_versions_are_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    save({"w": np.ones(2)}, tmp_path / "w.npz")
    path.write_bytes((tmp_path / "w.npz").read_bytes())
    with pytest.raises(CheckpointError, match="is no checkpoint of fit") as caught:
        read_checkpoint(path)
    assert not caught.value.damaged
    write_checkpoint({"i": 1}, path)
    path.write_bytes(path.read_bytes().replace(b"checkpoint 0001", b"checkpoint 0002", 1))
    with pytest.raises(CheckpointError, match=r"format version 0002, and this release reads version 0001.*\.previous"):
        read_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none.ckpt")


def test_what_cannot_be_kept_is_named(tmp_path):
    path = tmp_path / "run.ckpt"
    with pytest.raises(TypeError, match=r"state\['a'\]\[1\]\['f'\] is function"):
        write_checkpoint({"a": [1, {"f": lambda: 0}]}, path)
    with pytest.raises(TypeError, match=r"state\['o'\] is object of shape"):
        write_checkpoint({"o": np.array([None])}, path)
    assert not list(tmp_path.iterdir())


# PyTorch


@pytest.mark.reference
@pytest.mark.parametrize("tied", [False, True])
def test_weights_go_to_pytorch_and_back(tied, tmp_path):
    import torch
    from safetensors.torch import load_model, save_model

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Linear(3, 5, bias=False)
            self.decoder = torch.nn.Linear(3, 5)
            if tied:
                self.decoder.weight = self.encoder.weight

    class Ours(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(3, 5, bias=False)
            self.decoder = nn.Linear(3, 5)
            if tied:
                self.decoder.weight = self.encoder.weight

    def equal(ours, theirs):
        a, b = ours.state_dict(), theirs.state_dict()
        assert list(a) == list(b)
        for name in a:
            np.testing.assert_array_equal(a[name].numpy(), b[name].numpy())

    ours, theirs = Ours(), Theirs()
    save(ours, tmp_path / "ours.safetensors")
    load_model(theirs, tmp_path / "ours.safetensors")
    equal(ours, theirs)
    ours, theirs = Ours(), Theirs()
    save_model(theirs, str(tmp_path / "theirs.safetensors"))
    ours.load_state_dict(load(tmp_path / "theirs.safetensors"))
    equal(ours, theirs)


@pytest.mark.reference
def test_pytorchs_dtypes(tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    theirs = {
        "bfloat16": torch.randn(3, 4).bfloat16(), "half": torch.randn(5).half(), "double": torch.randn(2).double(),
        "long": torch.arange(3), "bool": torch.tensor([True, False]), "scalar": torch.tensor(1.5),
    }  # fmt: skip
    save_file(theirs, tmp_path / "theirs.safetensors")
    ours = load(tmp_path / "theirs.safetensors")
    for name, value in theirs.items():
        value = value.float() if name == "bfloat16" else value
        assert same(ours[name].numpy(), value.numpy()), name
    ours["transposed"] = autograd.randn(3, 4).T
    save(ours, tmp_path / "ours.safetensors")
    for name, value in load_file(tmp_path / "ours.safetensors").items():
        np.testing.assert_array_equal(value.numpy(), ours[name].numpy(), err_msg=name)
