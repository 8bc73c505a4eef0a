"""Files of data: what was written comes back, and what is cut short or foreign is refused."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tracemalloc
import zipfile

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest

import autograd
from nn.data import read_csv, read_idx, read_npz, write_idx

DTYPES = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).map(np.dtype)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
IDX_ARRAYS = DTYPES.flatmap(lambda d: arrays.arrays(d, SHAPES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@hypothesis.given(IDX_ARRAYS, st.booleans())
def test_idx_comes_back(folder, array, packed):
    path = folder / ("a.idx.gz" if packed else "a.idx")
    write_idx(path, autograd.from_numpy(array.copy()) if array.ndim else array)
    back = read_idx(path)
    assert back.dtype == array.dtype and back.shape == array.shape
    np.testing.assert_array_equal(back.numpy(), array)
    first = path.read_bytes()
    write_idx(path, array)
    assert path.read_bytes() == first


@hypothesis.given(IDX_ARRAYS, st.booleans())
@hypothesis.settings(max_examples=30)
def test_every_truncation_of_idx_is_refused(folder, array, packed):
    path = folder / "whole"
    write_idx(folder / ("b.gz" if packed else "b"), array)
    whole = (folder / ("b.gz" if packed else "b")).read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^read_idx: .*whole"):
            read_idx(path)
    path.write_bytes(whole + b"\0")
    if packed:
        read_idx(path)  # gzip lets zeros follow
        path.write_bytes(whole + gzip.compress(b"more"))
    with pytest.raises(ValueError, match="and has"):
        read_idx(path)


def test_idx_is_the_format_of_mnist(folder):
    path = folder / "mnist"
    path.write_bytes(bytes.fromhex("00000803 00000002 00000001 00000003 010203 0405ff"))
    assert read_idx(path).tolist() == [[[1, 2, 3]], [[4, 5, 255]]]
    path.write_bytes(bytes.fromhex("00000b01 00000002 0102 fffe"))
    images = read_idx(path)
    assert images.tolist() == [258, -2] and images.dtype == autograd.int16
    images += 1
    assert images.tolist() == [259, -1]


def peak(call):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError) as error:
            call()
        return tracemalloc.get_traced_memory()[1], str(error.value)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_header_that_lies_allocates_nothing(folder, packed):
    content = struct.pack(">BBBBIII", 0, 0, 8, 3, 60000, 60000, 60000) + b"\0" * 100
    path = folder / "lie"
    path.write_bytes(gzip.compress(content) if packed else content)
    memory, text = peak(lambda: read_idx(path))
    assert memory < 2**20
    assert "says that it holds uint8 of shape (60000, 60000, 60000), which is 216000000000016" in text


def test_a_gzip_bomb_ends_at_the_size_of_the_header(folder):
    path = folder / "bomb"
    path.write_bytes(gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, 10) + b"\0" * 50_000_000))
    memory, text = peak(lambda: read_idx(path))
    assert memory < 2**21 and text.endswith("and has more")


NUMBERS = DTYPES.flatmap(lambda d: arrays.arrays(d, arrays.array_shapes(min_dims=0, max_dims=2, max_side=3)))


@hypothesis.given(st.dictionaries(st.sampled_from(["x", "y", "a/b"]), NUMBERS, min_size=1), st.booleans())
def test_npz_comes_back(folder, content, packed):
    path = folder / "a.npz"
    (np.savez_compressed if packed else np.savez)(path, **content)
    back = read_npz(path)
    assert set(back) == set(content)
    for name, array in content.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        np.testing.assert_array_equal(back[name].numpy(), array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_truncation_of_npz_is_refused(folder, save):
    path, cut = folder / "b.npz", folder / "cut.npz"
    save(path, x=np.arange(6.0).reshape(2, 3), y=np.arange(2))
    whole = path.read_bytes()
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"read_npz: .*cut.npz is no NPZ file"):
            read_npz(cut)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_changed_byte_of_npz_is_refused_or_changes_nothing(folder, save):
    path, cut = folder / "b.npz", folder / "changed.npz"
    array = np.arange(6.0)
    save(path, x=array)
    whole = path.read_bytes()
    for place in range(len(whole)):
        cut.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            back = read_npz(cut)
        except ValueError as error:
            assert str(error).startswith("read_npz: ")
        else:
            assert not back or np.array_equal(next(iter(back.values())).numpy(), array)


def test_fortran_order_and_big_endian(folder):
    path = folder / "order.npz"
    x = np.arange(6, dtype=">i4").reshape(2, 3)
    np.savez(path, x=np.asfortranarray(x), y=x)
    back = read_npz(path)
    assert back["x"].tolist() == back["y"].tolist() == x.tolist() and back["x"].dtype == autograd.int32
    back["x"] += 1


class Evil:
    def __reduce__(self):
        return (open, ("/should/never/be/opened", "w"))


def test_no_file_is_executed(folder):
    path = folder / "evil.npz"
    np.savez(path, x=np.array([Evil()], dtype=object))
    with pytest.raises(ValueError, match=r"x.npy holds object, not numbers; objects are never unpickled"):
        read_npz(path)
    for read in (read_idx, read_npz, read_csv):
        path.write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ValueError, match=read.__name__):
            read(path)


def npz_of(path, header, body=b"", name="x.npy"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, stream.getvalue() + body)


def test_an_npz_header_that_lies_allocates_nothing(folder):
    path = folder / "lie.npz"
    npz_of(path, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}, b"\0" * 80)
    memory, text = peak(lambda: read_npz(path))
    assert memory < 2**20 and "says that it holds float64 of shape (1000000, 1000000)" in text
    npz_of(path, {"descr": "<f8", "fortran_order": False, "shape": (1,)}, b"\0" * 8, name="readme.txt")
    with pytest.raises(ValueError, match=r"'readme.txt', which is no array"):
        read_npz(path)


# CSV


def csv_file(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_columns_targets_and_classes(folder):
    path = csv_file(folder, '\ufefflength, width ,kind\r\n5.1,3.5,rose\r\n\r\n4.9,-3e1,"as,ter"\r\n+7,.5,rose\r\n')
    table = read_csv(path, target="kind")
    assert table.names == ("length", "width") and table.classes == ("as,ter", "rose")
    assert table.y.tolist() == [1, 0, 1] and table.y.dtype == autograd.int64
    np.testing.assert_array_equal(table.x.numpy(), np.float32([[5.1, 3.5], [4.9, -30], [7, 0.5]]))
    number = csv_file(folder, "1;2;-3\n4;5;6\n")
    table = read_csv(number, target=-1, header=False, delimiter=";", dtype=autograd.float64)
    assert table.names == ("0", "1") and table.classes is None
    assert table.y.tolist() == [-3, 6] and table.y.dtype == autograd.int64 and table.x.dtype == autograd.float64
    table = read_csv(number, target=0, delimiter=";")
    assert table.names == ("2", "-3") and table.y.tolist() == [4]
    table = read_csv(csv_file(folder, "a,b\n1,2.5\n"), target="b", dtype="float64")
    assert table.y.dtype == autograd.float64 and table.y.tolist() == [2.5]
    table = read_csv(csv_file(folder, "a,b\n1,2\n"))
    assert table.y is None and table.x.tolist() == [[1.0, 2.0]]


def test_csv_missing_values(folder):
    path = csv_file(folder, "a,b,c\n1,2,x\n,5,y\n7, NaN ,x\n8,?,\n")
    with pytest.raises(ValueError, match=r"4 values are missing .*: line 3 column 'a', line 4 column 'b', line 5 col"):
        read_csv(path, target="c")
    table = read_csv(path, target="c", missing="drop")
    assert table.x.tolist() == [[1.0, 2.0]] and table.classes == ("x",)
    with pytest.raises(ValueError, match=r"1 values are missing .*: line 5 column 'c'"):
        read_csv(path, target="c", missing="nan")
    path = csv_file(folder, "a,b\n1,\nNA,4\n")
    assert np.array_equal(read_csv(path, missing="nan").x.numpy(), [[1, np.nan], [np.nan, 4]], equal_nan=True)
    with pytest.raises(ValueError, match=r"8 values are missing.*column 'a', …; missing="):
        read_csv(csv_file(folder, "a,b\n" + "?,1\n" * 8))


@hypothesis.given(arrays.arrays("f8", arrays.array_shapes(min_dims=2, max_dims=2), elements=st.floats(allow_nan=False)))
def test_csv_comes_back_to_the_last_bit(folder, array):
    text = "\n".join(",".join(map(repr, row)) for row in array.tolist())
    back = read_csv(csv_file(folder, text), header=False, dtype=autograd.float64)
    np.testing.assert_array_equal(back.x.numpy(), array)


@hypothesis.given(st.binary(max_size=60))
def test_foreign_files_are_refused_in_a_sentence(folder, content):
    path = folder / "foreign"
    path.write_bytes(content)
    for read in (read_idx, read_npz, read_csv):
        try:
            read(path)
        except ValueError as error:
            assert str(error).startswith(f"{read.__name__}: ")


CSV_ERRORS = {
    "text": ("a,b\n1,2\n3,four\n", {}, r"line 3 of .*table.csv, column 'b': 'four' is not a number; a column of text"),
    "underscore": ("a\n1_000\n", {}, "line 2 .* '1_000' is not a number"),
    "ragged": ("a,b\n1,2\n3\n", {}, "line 3 of .* has 1 columns, and the first line has 2"),
    "quoted lines": ('a,b\n"1\n",2\n3\n', {}, "line 4 of .* has 1 columns"),
    "empty": ("", {}, "is empty"),
    "only names": ("a,b\n", {}, "has no lines of data"),
    "no target": ("a,b\n1,2\n", {"target": "c"}, r"no columns called 'c'; there are \['a', 'b'\]"),
    "two targets": ("a,a\n1,2\n", {"target": "a"}, "2 columns called 'a'"),
    "target number": ("a,b\n1,2\n", {"target": 2}, "target column 2 is out of range, .* has 2 columns"),
    "quote": ('a,b\n1,"2\n', {}, "line 2 of .*: unexpected end of data"),
    "encoding": ("a,b\n1,2é\n", {"encoding": "ascii"}, "is no text in ascii"),
    "missing": ("a\n1\n", {"missing": "zero"}, "missing must be 'raise', 'drop' or 'nan', got 'zero'"),
}


@pytest.mark.parametrize(("text", "arguments", "message"), CSV_ERRORS.values(), ids=CSV_ERRORS)
def test_csv_errors_say_where(folder, text, arguments, message):
    with pytest.raises(ValueError, match=message):
        read_csv(csv_file(folder, text), **arguments)


def test_what_cannot_be_read_or_written(folder):
    for read in (read_idx, read_npz, read_csv):
        with pytest.raises(FileNotFoundError):
            read(folder / "none")
    with pytest.raises(autograd.DTypeError, match=r"write_idx: IDX files hold uint8, .* got int64 of shape"):
        write_idx(folder / "c", autograd.arange(3))
    (folder / "d").write_bytes(bytes([0, 0, 8, 200]) + struct.pack(">200I", *[1] * 200) + b"\0")
    with pytest.raises(ValueError, match="has 200 dimensions; at most 32"):
        read_idx(folder / "d")
