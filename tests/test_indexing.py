"""Reading and writing by every index expression of NumPy's, with gradient."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sampling import names_of

import autograd
from autograd import DTypeError, ShapeError, Tensor, grad, tensor

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def slices(draw, n):
    bound = st.none() | st.integers(-n - 2, n + 2)
    return slice(draw(bound), draw(bound), draw(st.none() | st.sampled_from([1, 2, 3, -1, -2])))


@st.composite
def index_arrays(draw, n, shape):
    entries = st.integers(-n, n - 1) if n else st.just(0)
    size = int(np.prod(shape))
    return np.array(draw(st.lists(entries, min_size=size, max_size=size)), dtype=np.int64).reshape(shape)


@st.composite
def masks(draw, shape):
    size = int(np.prod(shape))
    return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool).reshape(shape)


@st.composite
def shapes_and_keys(draw):
    """A shape, and an index that NumPy may or may not take for it."""
    shape = draw(SHAPES)
    common = draw(st.sampled_from([(), (1,), (2,), (3,), (2, 2), (0,)]))
    parts, d = [], 0
    for _ in range(draw(st.integers(0, len(shape) + 2))):
        kind = draw(
            st.sampled_from(["int", "slice", "array", "one", "mask", "wide mask", "none", "ellipsis", "slice", "array"])
        )
        if kind in ("none", "ellipsis"):
            if kind == "none" or Ellipsis not in [p for p in parts if not isinstance(p, np.ndarray)]:
                parts.append(None if kind == "none" else Ellipsis)
            continue
        if d >= len(shape):
            break
        n = shape[d]
        if kind == "wide mask" and d + 1 < len(shape):
            parts.append(draw(masks(shape[d : d + 2])))
            d += 2
            continue
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)) if n else slice(None))
        elif kind == "array":
            parts.append(draw(index_arrays(n, common)))
        elif kind == "one":
            parts.append(draw(index_arrays(n, (1,) * len(common))))
        elif kind == "mask":
            parts.append(draw(masks((n,))))
        else:
            parts.append(draw(slices(n)))
        d += 1
    if len(parts) == 1 and draw(st.booleans()):
        return shape, parts[0]
    return shape, tuple(parts)


@st.composite
def forms(draw, key):
    """``key`` with some of its arrays as Tensors or lists, and ints as 0-d Tensors."""
    if isinstance(key, tuple):
        return tuple(draw(forms(k)) for k in key)
    if isinstance(key, np.ndarray):
        kind = draw(st.sampled_from(["array", "tensor", "list"]))
        if kind == "list" and key.ndim and key.size:
            return key.tolist()
        return autograd.from_numpy(key) if kind == "tensor" and key.ndim else key
    if isinstance(key, int) and draw(st.booleans()):
        return tensor(key)
    return key


def numbers(shape):
    return np.arange(float(np.prod(shape))).reshape(shape)


def read(shape, key):
    """What NumPy reads, or the error that it raises."""
    try:
        return np.array(numbers(shape)[key])
    except IndexError as error:
        return error


@settings(max_examples=400)
@given(st.data())
def test_reading_is_numpys_and_its_gradient_adds_up(data):
    shape, key = data.draw(shapes_and_keys())
    expected = read(shape, key)
    x = tensor(numbers(shape), requires_grad=True)
    form = data.draw(forms(key))
    if isinstance(expected, IndexError):
        with pytest.raises(IndexError, match="getitem"):
            x[form]
        return
    y = x[form]
    np.testing.assert_array_equal(y.numpy(), expected)
    assert y.shape == expected.shape
    g = np.random.default_rng(0).standard_normal(expected.shape)
    (gx,) = grad(y, x, tensor(g))
    scattered = np.zeros(shape)
    np.add.at(scattered, key, g)
    np.testing.assert_allclose(gx.numpy(), scattered, rtol=1e-12, atol=1e-14)


def written(shape, key, value_shape, g):
    """Gradients of ``x[key] = value`` entry by entry: to x where it stays, to the value that is there in the end."""
    part = numbers(shape)[key]
    places = np.asarray(part).astype(int).reshape(-1)
    sources = np.broadcast_to(numbers(value_shape), np.shape(part)).astype(int).reshape(-1)
    last = dict(zip(places.tolist(), sources.tolist(), strict=True))
    gx, gv = g.reshape(-1).copy(), np.zeros(int(np.prod(value_shape)))
    for place, source in last.items():
        gv[source] += gx[place]
        gx[place] = 0
    return gx.reshape(shape), gv.reshape(value_shape)


@settings(max_examples=400)
@given(st.data())
def test_writing_is_numpys_and_its_gradient_goes_to_what_is_left(data):
    shape, key = data.draw(shapes_and_keys())
    part = read(shape, key)
    form = data.draw(forms(key))
    x = tensor(numbers(shape), requires_grad=True)
    y = x.clone()
    if isinstance(part, IndexError):
        with pytest.raises(IndexError, match="setitem"):
            y[form] = 1.0
        return
    value_shape = data.draw(
        st.sampled_from([part.shape, (), part.shape[1:], tuple(1 if i % 2 else n for i, n in enumerate(part.shape))])
    )
    rng = np.random.default_rng(0)
    values = rng.standard_normal(value_shape)
    value = tensor(values, requires_grad=True)
    y[form] = value
    expected = numbers(shape)
    expected[key] = values
    np.testing.assert_array_equal(y.numpy(), expected)
    g = rng.standard_normal(shape)
    gx, gv = grad(y, (x, value), tensor(g), allow_unused=True)
    want_x, want_v = written(shape, key, value_shape, g)
    np.testing.assert_allclose(gx.numpy(), want_x, rtol=1e-12)
    np.testing.assert_allclose(gv.numpy(), want_v, rtol=1e-12, atol=1e-14)


@settings(max_examples=400)
@given(st.data())
def test_writing_numbers_arrays_and_lists(data):
    shape, key = data.draw(shapes_and_keys())
    part = read(shape, key)
    if isinstance(part, IndexError):
        return
    listed = (part + 1).tolist()
    values = [2, 2.5, part + 1, *([listed] if np.shape(listed) == part.shape else [])]
    value = data.draw(st.sampled_from(values))
    y = tensor(numbers(shape))
    y[key] = value
    expected = numbers(shape)
    expected[key] = value
    np.testing.assert_array_equal(y.numpy(), expected)


def test_of_two_values_for_one_entry_the_last_counts():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    v = tensor([10.0, 20.0, 30.0], requires_grad=True)
    y = x.clone()
    y[[0, 1, 0]] = v
    assert y.tolist() == [30.0, 20.0, 3.0]
    gx, gv = grad(y, (x, v), tensor([1.0, 2.0, 4.0]))
    assert gx.tolist() == [0.0, 0.0, 4.0]
    assert gv.tolist() == [0.0, 2.0, 1.0]


def test_reading_shares_memory_as_numpy_does():
    x = tensor(numbers((3, 4)))
    view, copy = x[1:, ::2], x[[1, 2]]
    x.numpy()[1, 0] = -1.0
    assert view[0, 0].item() == -1.0
    assert copy[0, 0].item() == 4.0


def test_bools_ranges_and_numpy_integers_as_indices():
    x = tensor(numbers((3, 2)))
    assert x[True].shape == (1, 3, 2)
    assert x[False].shape == (0, 3, 2)
    assert x[range(2)].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert x[np.int64(2), np.uint8(1)].item() == 5.0
    assert x[tensor(2), tensor(1)].item() == 5.0
    assert x[tensor([True, False, True])].tolist() == [[0.0, 1.0], [4.0, 5.0]]
    assert x[[tensor(0), tensor(2)]].tolist() == [[0.0, 1.0], [4.0, 5.0]]


@pytest.mark.parametrize(
    ("key", "fragments"),
    [
        (5, ["getitem", "5", "out of bounds", "3"]),
        ((0, -3), ["getitem", "-3", "2"]),
        ((0, 0, 0), ["getitem", "too many indices", "3", "(3, 2)"]),
        (1.0, ["getitem", "index must be", "float 1.0"]),
        ("a", ["getitem", "index must be", "str"]),
        (np.array([0.5]), ["getitem", "integer or bool", "float64", ".long()"]),
        (np.array([0, 3]), ["getitem", "index 3", "dim 0", "size 3"]),
        (slice(0.5, 2), ["getitem", "bounds of a slice", "float 0.5"]),
        (np.array([True, False]), ["getitem", "2", "3"]),
    ],
    ids=str,
)
def test_an_index_that_does_not_fit_is_an_index_error_that_says_why(key, fragments):
    for x in (tensor(numbers((3, 2))), tensor(numbers((3, 2)), requires_grad=True)):
        with pytest.raises(IndexError) as error:
            x[key]
        for fragment in fragments:
            assert fragment in str(error.value)
        with pytest.raises(IndexError, match="setitem"):
            x.detach()[key] = 0.0


def test_a_value_that_does_not_fit_is_refused():
    x = tensor(numbers((3, 2)))
    with pytest.raises(ShapeError, match=r"setitem: a value of shape \(3,\) does not broadcast to \(2,\)"):
        x[0] = tensor([1.0, 2.0, 3.0])
    with pytest.raises(DTypeError, match="setitem: the value is float32, and the Tensor that it should go into int64"):
        tensor([1, 2])[0] = tensor(1.5)


@pytest.mark.reference
@settings(max_examples=400)
@given(st.data())
def test_pytorch_reads_and_writes_the_same(data):
    """For the forms that PyTorch has: no negative steps, and arrays side by side."""
    import torch

    shape, key = data.draw(shapes_and_keys())
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(p, slice) and (p.step or 1) < 0 for p in parts) or isinstance(read(shape, key), IndexError):
        return
    arrays = [i for i, p in enumerate(parts) if isinstance(p, np.ndarray) and p.ndim]
    ints = [i for i, p in enumerate(parts) if isinstance(p, int) or (isinstance(p, np.ndarray) and not p.ndim)]
    if (arrays and ints) or (arrays and arrays[-1] - arrays[0] >= len(arrays)):
        return
    theirs_key = tuple(torch.tensor(p) if isinstance(p, np.ndarray) else p for p in parts)
    x, z = tensor(numbers(shape), requires_grad=True), torch.tensor(numbers(shape), requires_grad=True)
    ours, theirs = x[key], z[theirs_key]
    np.testing.assert_array_equal(ours.numpy(), theirs.detach().numpy())
    g = np.random.default_rng(0).standard_normal(ours.shape)
    (gx,), (gz,) = grad(ours, x, tensor(g)), torch.autograd.grad(theirs, z, torch.tensor(g))
    np.testing.assert_allclose(gx.numpy(), gz.numpy(), rtol=1e-12)
    if names_of(shape, key).size != np.unique(names_of(shape, key)).size:
        return  # which of several values stays is left open by PyTorch
    value = tensor(g, requires_grad=True)
    their_value = torch.tensor(g, requires_grad=True)
    y, w = x.clone(), z.clone()
    y[key] = value
    w[theirs_key] = their_value
    np.testing.assert_array_equal(y.detach().numpy(), w.detach().numpy())
    u = np.random.default_rng(1).standard_normal(shape)
    ours = grad(y, (x, value), tensor(u))
    theirs = torch.autograd.grad(w, (z, their_value), torch.tensor(u))
    for a, b in zip(ours, theirs, strict=True):
        assert isinstance(a, Tensor)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
