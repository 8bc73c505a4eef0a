"""Tensors as Python objects: NumPy's protocols, dtype rules, printing, random streams."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

import autograd
from autograd import DTypeError, GraphError, ShapeError, Tensor, tensor


def test_python_numbers_from_a_tensor():
    t = tensor(2.5)
    assert (float(t), int(t), bool(t), t.item()) == (2.5, 2, True, 2.5)
    assert float(tensor([[3.0]])) == 3.0
    assert [10, 20, 30][tensor(2)] == 30
    assert list(range(tensor(3))) == [0, 1, 2]
    assert f"{tensor(3.14159):.2f}" == "3.14"
    assert f"{tensor([1.0])}" == "tensor([1.])"
    assert math.sqrt(tensor(4.0)) == 2.0
    assert isinstance(t.item(), float) and isinstance(tensor(3).item(), int) and tensor(True).item() is True


def test_a_tensor_of_several_entries_is_no_number():
    for convert in (float, int, bool, Tensor.item):
        with pytest.raises(ShapeError):
            convert(tensor([1.0, 2.0]))
    with pytest.raises(DTypeError, match="index: wants an integer Tensor"):
        [1][tensor(0.0)]


def test_iteration_length_and_membership():
    t = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(t) == 2
    assert [row.tolist() for row in t] == [[1.0, 2.0], [3.0, 4.0]]
    _, b = t
    assert b.tolist() == [3.0, 4.0]
    assert 3.0 in t and 5.0 not in t
    assert t.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    for call in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            call(tensor(1.0))


def test_gradient_flows_through_iteration():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    total = 0
    for i, entry in enumerate(x):
        total = total + entry * (i + 1)
    total.backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


def test_tensors_are_hashable_by_identity_and_compare_by_entry():
    a, b = tensor([1.0, 2.0]), tensor([1.0, 3.0])
    assert len({a, b, a}) == 2
    assert (a == b).tolist() == [True, False]
    assert (a != b).tolist() == [False, True]
    assert (a == "x") is False
    assert (a == None) is False  # noqa: E711


def test_numpy_takes_tensors():
    t = tensor([1.0, 2.0])
    assert np.asarray(t).dtype == np.float32
    np.testing.assert_array_equal(np.asarray(t, dtype="float64"), [1.0, 2.0])
    np.asarray(t)[0] = 5.0
    assert t.tolist() == [5.0, 2.0]
    copied = np.array(t)
    copied[0] = 7.0
    assert t.tolist() == [5.0, 2.0]
    np.testing.assert_allclose(t, [5.0, 2.0])


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (lambda x: np.array([2.0, 3.0]) * x, [2.0, 3.0]),
        (lambda x: np.array([2.0, 3.0]) + x, [1.0, 1.0]),
        (lambda x: np.array([2.0, 3.0]) - x, [-1.0, -1.0]),
        (lambda x: np.array([2.0, 4.0]) / x, [-2.0, -1.0]),
        (lambda x: np.float64(2) * x, [2.0, 2.0]),
        (lambda x: np.float32(2) / x, [-2.0, -0.5]),
        (lambda x: np.array([[1.0, 0.0], [2.0, 1.0]]) @ x, [3.0, 1.0]),
        (lambda x: np.square(x), [2.0, 4.0]),
        (lambda x: np.exp(x), [math.e, math.e**2]),
        (lambda x: np.maximum(x, 1.5), [0.0, 1.0]),
        (lambda x: 2 - x, [-1.0, -1.0]),
        (lambda x: 2**x, [2 * math.log(2), 4 * math.log(2)]),
        (lambda x: -x, [-1.0, -1.0]),
        (lambda x: +x, [1.0, 1.0]),
        (lambda x: abs(-x), [1.0, 1.0]),
        (lambda x: 7 % x, [-7.0, -3.0]),
    ],
)
def test_gradient_flows_through_numpys_operators(left, expected):
    x = tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    y = left(x)
    assert isinstance(y, Tensor) and y.dtype == np.float64
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-12)


def test_numpy_scalars_do_not_upcast():
    x = tensor([1.0, 2.0], requires_grad=True)
    for y in (np.float64(2) * x, x * np.float64(2), np.float64(2) ** x, x / np.float64(3), x + np.int64(1)):
        assert y.dtype == np.float32


def test_a_numpy_function_without_gradient_says_so():
    x = tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(DTypeError, match=r"np\.spacing: there is no gradient"):
        np.spacing(x)
    with pytest.raises(DTypeError, match=r"np\.add"):
        np.add(x, x, where=[True, False])


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
BINARY = ["add", "mul", "div", "sub", "floor_divide", "remainder", "maximum", "minimum", "pow", "where", "eq", "lt"]


def test_dtype_rules():
    half, single, double = (tensor([1.0], dtype=d) for d in ("float16", "float32", "float64"))
    long = tensor([1])
    assert (single + double).dtype == np.float64
    assert (half + single).dtype == np.float32
    assert (single + long).dtype == np.float32
    assert (single + tensor(1.0, dtype="float64")).dtype == np.float32
    assert (long + tensor(1.5)).dtype == np.float32
    assert (long + 1.5).dtype == np.float32
    assert (long + 1).dtype == np.int64
    assert (long / 2).dtype == np.float32
    assert (tensor([True]) + tensor([True])).dtype == np.bool_
    assert (tensor([True]) + 1).dtype == np.int64
    assert tensor([True, True]).sum().dtype == np.int64
    assert tensor([1], dtype="int8").sum().dtype == np.int64
    assert autograd.exp(long).dtype == np.float32
    assert (tensor([1], dtype="uint8") + tensor([1], dtype="int8")).dtype == np.int16


def test_dtypes_follow_the_default():
    autograd.set_default_dtype("float64")
    try:
        assert tensor(1.0).dtype == autograd.zeros(2).dtype == (tensor([1]) / 2).dtype == np.float64
    finally:
        autograd.set_default_dtype("float32")
    assert tensor(1.0).dtype == np.float32


@pytest.mark.reference
@pytest.mark.parametrize("name", BINARY)
def test_dtypes_of_mixed_operands_are_pytorchs(name):
    """Every pair of dtypes, as arrays, 0-d Tensors and Python numbers on either side."""
    import torch

    def operand(module, dtype, form):
        if form == "number":
            return {"b": True, "i": 2, "u": 2, "f": 1.5}[np.dtype(dtype).kind]
        value = 1 if form == "0-d" else [1, 1]
        return module.tensor(value, dtype=getattr(module, dtype))

    for (a, b), (f, g) in itertools.product(
        itertools.product(DTYPES, repeat=2), itertools.product(["array", "0-d", "number"], repeat=2)
    ):
        if f == g == "number" and name != "where":
            continue
        if f == "number" or g == "number":
            if name in ("maximum", "minimum"):
                continue  # PyTorch's take Tensors only
            if (f == "number" and a not in ("bool", "int64", "float64")) or (
                g == "number" and b not in ("bool", "int64", "float64")
            ):
                continue
        ours, theirs = ([operand(module, a, f), operand(module, b, g)] for module in (autograd, torch))
        if name == "where":
            ours, theirs = [tensor([True, False]), *ours], [torch.tensor([True, False]), *theirs]
        if name in ("eq", "lt") and f == "number":
            continue
        label = f"{name} of {a} ({f}) and {b} ({g})"
        try:
            expected = getattr(torch, name)(*theirs)
        except (RuntimeError, TypeError):
            # PyTorch refuses these (bools that are subtracted, raised or divided).
            continue
        if name == "pow" and str(expected.dtype) == "torch.bool":
            assert getattr(autograd, name)(*ours).dtype == np.int8  # as in NumPy
            continue
        with np.errstate(over="ignore"):  # unsigned 1 − 2 wraps around
            result = getattr(autograd, name)(*ours)
        assert str(result.dtype) == str(expected.dtype).removeprefix("torch."), label
        np.testing.assert_array_equal(result.numpy(), expected.numpy(), err_msg=label)


PRINTED = [
    1.0,
    2.5,
    0.1,
    -3.0,
    1e-5,
    1e10,
    123456.789,
    float("nan"),
    float("inf"),
    3,
    True,
    [1.0, 2.0],
    [1.0, 2.5],
    [0.1, 0.25],
    [-1.0, 10.0, 100.0],
    [1.0, float("nan")],
    [1.5, float("inf"), -float("inf")],
    [1e-5, 1.0],
    [1e-8, 1e8],
    [1e5, 1.5],
    [1000.0, 0.5],
    [10000.0, 0.5],
    [1e9, 1.0],
    [0.0, 0.0],
    [0.0001, 0.0002],
    [0.00001, 0.00002],
    [123456.0, 7.0],
    [1, 2, 300],
    [-1, 20],
    [True, False],
    [],
    [[1.0, 2.0], [3.0, 4.0]],
    [[1.5, -2.0], [30.0, 4.25]],
    [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
    [[]],
    [[], []],
    np.zeros((0, 3)),
    np.zeros((2, 0, 3)),
    np.arange(30),
    np.arange(30.0),
    np.arange(2000.0),
    np.arange(1200).reshape(30, 40),
    np.linspace(0, 1, 11),
    np.linspace(0, 1, 60).reshape(3, 20),
    np.arange(2000.0).reshape(2, 1000),
    np.ones((2, 3, 4)),
    np.ones((1100,), bool),
    np.arange(24.0).reshape(2, 3, 4) / 7,
    np.array([1, 2], np.uint8),
    np.array([1.5, 2], np.float16),
    np.array(2.0),
    np.array(7),
    np.ones((11, 10, 10)),
]


@pytest.mark.reference
@pytest.mark.parametrize(
    "data", PRINTED, ids=lambda d: str(d)[:20].replace("\n", " ") if np.size(d) < 9 else str(np.shape(d))
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_prints_as_pytorch_does(data, requires_grad):
    import torch

    theirs = torch.tensor(data)
    ours = tensor(data)
    if requires_grad and theirs.is_floating_point():
        # In float32: the name of a dtype is longer there, which moves the line's end.
        theirs, ours = theirs.float().requires_grad_(), ours.float().requires_grad_()
    assert repr(ours) == repr(theirs).replace("dtype=torch.", "dtype=")


def test_prints():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], grad_fn=<mul>)"
    assert repr(tensor([1.0], dtype="float64")) == "tensor([1.], dtype=float64)"
    assert "shape (2,)" in x._repr_html_() and "requires grad" in x._repr_html_()


def test_the_same_seed_gives_the_same_numbers():
    def draws(generator=None):
        return [
            autograd.rand(3, generator=generator).tolist(),
            autograd.randn(2, 2, generator=generator).tolist(),
            autograd.randint(10, (4,), generator=generator).tolist(),
            autograd.randperm(5, generator=generator).tolist(),
        ]

    autograd.manual_seed(7)
    first = draws()
    assert first != draws()
    autograd.manual_seed(7)
    assert draws() == first
    own = autograd.Generator().manual_seed(7)
    autograd.manual_seed(1)
    assert draws(own) == first
    assert own.initial_seed() == 7


def test_the_state_of_a_stream_goes_round():
    g = autograd.Generator().manual_seed(3)
    autograd.rand(5, generator=g)
    state = json.loads(json.dumps(g.get_state()))
    first = autograd.randn(4, generator=g).tolist()
    g.set_state(state)
    assert autograd.randn(4, generator=g).tolist() == first
    other = autograd.Generator().set_state(state)
    assert autograd.randn(4, generator=other).tolist() == first
    with pytest.raises(ValueError, match=r"Generator\.set_state: this is not a state"):
        g.set_state({"seed": 1})
    state = autograd.random.get_rng_state()
    first = autograd.rand(2).tolist()
    autograd.random.set_rng_state(state)
    assert autograd.rand(2).tolist() == first


def test_random_tensors_have_the_dtype_and_range_asked_for():
    u = autograd.rand(1000)
    assert u.dtype == np.float32 and u.min().item() >= 0 and u.max().item() < 1
    n = autograd.randn(4000, dtype="float64")
    assert n.dtype == np.float64 and abs(n.mean().item()) < 0.1 and abs(n.std().item() - 1) < 0.1
    i = autograd.randint(-2, 3, (500,))
    assert i.dtype == np.int64 and set(i.tolist()) == {-2, -1, 0, 1, 2}
    assert autograd.rand_like(n).dtype == np.float64
    assert autograd.rand(2, requires_grad=True).requires_grad


def test_conversions():
    t = tensor([1.7, -1.2])
    assert t.long().tolist() == [1, -1]
    assert t.double().dtype == np.float64 and t.half().dtype == np.float16
    assert t.float() is t and t.to("float32") is t and t.cpu() is t
    assert t.to(tensor([1])).dtype == np.int64
    x = tensor([1.0], requires_grad=True)
    x.double().sum().backward()
    assert x.grad.dtype == np.float32
    assert t.bool().tolist() == [True, True]


def test_properties():
    t = autograd.zeros(2, 3)
    assert (t.shape, t.ndim, t.dim(), t.numel(), t.size(1), t.size()) == ((2, 3), 2, 2, 6, 3, (2, 3))
    assert t.device == "cpu" and t.element_size() == 4 and t.is_floating_point()
    assert t.T.shape == t.mT.shape == (3, 2)
    with pytest.raises(GraphError):
        (tensor([1.0], requires_grad=True) * 2).__reduce__()


def test_inputs_can_be_given_by_pytorchs_names():
    x, w, b = autograd.ones(2, 3), autograd.ones(4, 3), autograd.zeros(4)
    assert autograd.linear(x, bias=b, weight=w).tolist() == autograd.linear(x, w, b).tolist()
    assert autograd.mul(x, other=2.0).tolist() == (x * 2).tolist()
    assert autograd.exp(input=x).tolist() == x.exp().tolist()
    with pytest.raises(TypeError, match="mul: got 'other' twice"):
        autograd.mul(x, 2.0, other=3.0)
    with pytest.raises(TypeError, match="linear: input 'weight' is missing"):
        autograd.linear(x, bias=b)


@pytest.mark.parametrize(
    ("keywords", "fragments"),
    [
        ({"out": autograd.ones(2)}, ["exp: keyword 'out' is not supported", "copy_()"]),
        ({"inplace": True}, ["exp: keyword 'inplace' is not supported", "underscore"]),
        ({"dims": 1}, ["exp: keyword 'dims' is not supported; it takes x"]),
    ],
)
def test_an_unknown_keyword_of_a_primitive_says_what_to_use(keywords, fragments):
    with pytest.raises(TypeError) as raised:
        autograd.exp(autograd.ones(2), **keywords)
    for fragment in fragments:
        assert fragment in str(raised.value)
