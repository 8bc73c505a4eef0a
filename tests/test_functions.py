"""Elementwise mathematics beyond the op table: special points, dtypes, in-place forms, NumPy's and SciPy's names."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
import scipy.special

import autograd
from autograd import GraphError, grad, tensor

NAN, INF = math.nan, math.inf
POINTS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, INF, -INF, NAN]
PAIRS = [
    (0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (-0.0, -0.0), (1.0, 1.0), (-7.0, 2.0), (7.0, -2.0), (INF, 1.0), (1.0, INF),
    (-INF, 0.0), (NAN, 1.0), (1.0, NAN), (NAN, NAN), (1.0, -1.0), (0.0, -1.0), (0.0, NAN),
]  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, about the poles

ONE_VARIABLE = [
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "exp2",
    "log2",
    "log10",
    "rsqrt",
    "reciprocal",
    "logit",
    "erf",
    "erfc",
    "erfinv",
    "lgamma",
    "trunc",
    "frac",
    "round",
    "rad2deg",
    "deg2rad",
    "nan_to_num",
]
TWO_VARIABLES = ["fmod", "hypot", "atan2", "copysign", "xlogy", "logaddexp", "logaddexp2", "fmax", "fmin", "nextafter"]


def leaf(values, dtype="float64"):
    return tensor(values, dtype=dtype, requires_grad=True)


@pytest.mark.reference
@pytest.mark.parametrize("name", ONE_VARIABLE)
def test_special_points_are_pytorchs(name):
    import torch

    # Left out: −0.0 in logit, whose slope there PyTorch gives a sign of its own; −∞ in lgamma, where SciPy has −∞.
    points = [p for i, p in enumerate(POINTS) if (name, i) not in (("logit", 1), ("lgamma", 8), ("lgamma", 3))]
    x, theirs = leaf(points), torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y, want = getattr(autograd, name)(x), getattr(torch, name)(theirs)
    np.testing.assert_allclose(y.detach().numpy(), want.detach().numpy(), rtol=1e-12)
    (g,), (slope,) = grad(y.sum(), [x]), torch.autograd.grad(want.sum(), theirs)
    np.testing.assert_allclose(g.numpy(), slope.numpy(), rtol=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("name", TWO_VARIABLES)
def test_special_pairs_are_pytorchs(name):
    import torch

    # PyTorch's slopes there are ∞ / ∞ and 0 / 0; see docs/conventions.md for ours.
    left_out = {"copysign": lambda x, y: math.isinf(x), "hypot": lambda x, y: x == y == 0}.get(name, lambda x, y: False)
    pairs = [p for p in PAIRS if not left_out(*p)]
    ours = [leaf([p[i] for p in pairs]) for i in (0, 1)]
    theirs = [torch.tensor([p[i] for p in pairs], dtype=torch.float64, requires_grad=True) for i in (0, 1)]
    y, want = getattr(autograd, name)(*ours), getattr(torch, name)(*theirs)
    np.testing.assert_allclose(y.detach().numpy(), want.detach().numpy(), rtol=1e-12)
    if name != "nextafter":
        for g, slope in zip(grad(y.sum(), ours), torch.autograd.grad(want.sum(), theirs), strict=True):
            np.testing.assert_allclose(g.numpy(), slope.numpy(), rtol=1e-12)


def test_the_sum_of_nothing_has_gradient_0():
    x, y = leaf([-INF, INF]), leaf([-INF, 1.0])
    for g, want in zip(grad(autograd.logaddexp(x, y).sum(), [x, y]), ([0, 1], [0, 0]), strict=True):
        assert g.tolist() == want


def test_sinc_keeps_its_derivatives_near_0():
    x = leaf([0.0, 1e-7, -1e-3])
    (first,) = grad(autograd.sinc(x).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    at, pi2 = x.detach().numpy(), math.pi**2
    np.testing.assert_allclose(first.detach().numpy(), -pi2 * at / 3 + pi2**2 * at**3 / 30, rtol=1e-10)
    np.testing.assert_allclose(second.numpy(), -pi2 / 3 + pi2**2 * at**2 / 10, rtol=1e-10)


def test_polygamma_below_0_and_at_its_poles():
    x = tensor([-0.5, -1.5, -2.0, 0.0], dtype="float64")
    np.testing.assert_allclose(autograd.polygamma(1, x).numpy(), [8.934802200544679, 9.379246644989124, INF, INF])


def test_lerp_is_exact_at_both_ends():
    a, b = tensor([0.1, 1e8]), tensor([0.3, 1.0])
    for weight in (0.0, 1.0):
        want = (a, b)[int(weight)].numpy()
        assert (autograd.lerp(a, b, weight).numpy() == want).all()
        assert (autograd.lerp(a, b, tensor(weight)).numpy() == want).all()


INTEGERS = {
    "tan": (), "reciprocal": (), "erf": (), "lgamma": (), "rad2deg": (), "exp2": (), "sinc": (), "trunc": (),
    "fix": (), "signbit": (), "nan_to_num": (), "isnan": (), "isinf": (), "isfinite": (), "isposinf": (), "isreal": (),
    "fmod": (2,), "copysign": (-1.0,), "xlogy": (2,), "ldexp": (np.array(2),), "float_power": (2,), "clamp_min": (1.5,),
    "clamp_max": (2,), "bitwise_left_shift": (1,), "bitwise_xor": (3,), "add": (1,), "true_divide": (2,),
    "masked_fill": (np.array([True, False, True]), 7.9),
}  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize("name", INTEGERS)
def test_integers_give_what_they_give_in_pytorch(name):
    import torch

    more = INTEGERS[name]
    y = getattr(tensor([1, 2, 3]), name)(*[tensor(m) if isinstance(m, np.ndarray) else m for m in more])
    want = getattr(torch.tensor([1, 2, 3]), name)(*[torch.tensor(m) if isinstance(m, np.ndarray) else m for m in more])
    assert str(y.dtype) == str(want.dtype).removeprefix("torch.")
    np.testing.assert_allclose(y.numpy(), want.numpy(), rtol=1e-6)


def test_half_precision_stays_half_precision():
    x = tensor([0.5, 1.5], dtype="float16", requires_grad=True)
    for name in ("erf", "lgamma", "tan", "exp2", "sinc", "digamma", "rsqrt"):
        y = getattr(autograd, name)(x)
        assert y.dtype == np.float16
        assert grad(y.sum(), x)[0].dtype == np.float16


ARGUMENTS = {
    "polygamma": (1,), "logit": (0.2,), "round": (), "nan_to_num": (), "lerp": (2.0, 0.3), "addcmul": (0.5, 2.0),
    "addcdiv": (0.5, 2.0), "fmod": (0.3,), "remainder": (0.3,), "hypot": (2.0,), "xlogy": (2.0,), "atan2": (2.0,),
    "copysign": (-1.0,), "ldexp": (2.0,), "float_power": (2.0,), "clamp_min": (0.5,), "clamp_max": (0.5,),
    "clip": (0.3, 0.5), "add": (2.0,), "sub": (2.0,), "subtract": (2.0,), "mul": (2.0,), "multiply": (2.0,),
    "div": (2.0,), "divide": (2.0,), "true_divide": (2.0,),
}  # fmt: skip
PLAIN = [
    "tan",
    "asin",
    "acos",
    "atan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "asinh",
    "atanh",
    "arcsinh",
    "arctanh",
    "exp2",
    "log2",
    "log10",
    "rsqrt",
    "reciprocal",
    "frac",
    "erf",
    "erfc",
    "erfinv",
    "lgamma",
    "digamma",
    "sinc",
    "trunc",
    "fix",
    "rad2deg",
    "deg2rad",
    "absolute",
    "negative",
    "sgn",
    "sign",
    "square",
    "floor",
    "ceil",
    "expm1",
    "log1p",
    "sin",
    "cos",
]


def tensors(arguments, like):
    """Numbers as Tensors where a function wants them."""
    return [tensor(np.full((3,), a)) if like in ("hypot", "lerp", "addcmul", "addcdiv") else a for a in arguments]


@pytest.mark.parametrize("name", [*PLAIN, *ARGUMENTS])
def test_in_place_forms_record_what_the_others_do(name):
    arguments = tensors(ARGUMENTS.get(name, ()), name)
    results = []
    for form in (name, f"{name}_"):
        x = leaf([0.2, 0.6, 0.7])
        y = x * 1.0
        z = getattr(y, form)(*arguments)
        assert (z is y) == form.endswith("_")
        results.append((z.detach().numpy(), grad((z * z).sum(), x)[0].numpy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_acosh_in_place():
    x = leaf([1.5, 2.0])
    y = (x * 1).arccosh_()
    np.testing.assert_allclose(grad(y.sum(), x)[0].numpy(), 1 / np.sqrt(np.array([1.5, 2.0]) ** 2 - 1))


OVERWRITING = {
    "eq": 0.6, "ne": 0.6, "lt": 0.6, "le": 0.6, "gt": 0.6, "ge": 0.6, "greater": 0.6, "less_equal": 0.6,
    "not_equal": 0.6, "floor_divide": 0.3, "logical_and": 1.0, "logical_or": 0.0, "logical_xor": 1.0,
    "nextafter": 1.0, "heaviside": 0.5,
}  # fmt: skip


@pytest.mark.parametrize("name", OVERWRITING)
def test_what_has_no_gradient_overwrites_without_one(name):
    x = leaf([0.2, 0.6, 0.7])
    y = x * 1.0
    want = getattr(y, name)(tensor([OVERWRITING[name]] * 3, dtype="float64")).numpy().astype("float64")
    getattr(y, f"{name}_")(tensor([OVERWRITING[name]] * 3, dtype="float64"))
    np.testing.assert_array_equal(y.detach().numpy(), want)
    assert grad(y.sum(), x)[0].tolist() == [0, 0, 0]


def test_integers_in_place():
    x = tensor([6, 4])
    assert x.gcd_(tensor(4)).tolist() == [2, 4]
    assert x.bitwise_left_shift_(1).tolist() == [4, 8]
    x ^= 5
    assert x.tolist() == [1, 13]
    x >>= 1
    x |= 8
    assert x.tolist() == [8, 14]


def test_operators_on_bits():
    x = tensor([1, 5])
    for op in (operator.xor, operator.lshift, operator.rshift):
        np.testing.assert_array_equal(op(x, 2).numpy(), op(np.array([1, 5]), 2))
        np.testing.assert_array_equal(op(2, x).numpy(), op(2, np.array([1, 5])))
        np.testing.assert_array_equal(op(x, tensor([3, 1])).numpy(), op(np.array([1, 5]), np.array([3, 1])))


def test_a_leaf_is_not_written_in_place():
    with pytest.raises(GraphError, match="tan_: a leaf"):
        leaf([1.0]).tan_()


def test_where_with_the_condition_alone_gives_indices():
    mask = np.array([[True, False], [True, True]])
    for found, want in zip(autograd.where(tensor(mask)), np.nonzero(mask), strict=True):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found.numpy(), want)
    assert autograd.where(tensor(True))[0].tolist() == [0]


def test_python_bools():
    a = tensor([1.0, 2.0])
    assert autograd.equal(a, tensor([1.0, 2.0])) is True
    assert autograd.equal(a, tensor([[1.0, 2.0]])) is False
    assert a.equal(tensor([1, 2])) is True
    assert autograd.allclose(a, a + 1e-7) is True
    assert a.allclose(a + 1e-3) is False
    assert autograd.allclose(tensor([NAN]), tensor([NAN]), equal_nan=True) is True


@pytest.mark.parametrize(
    "name",
    [
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "arcsinh",
        "arctanh",
        "exp2",
        "log2",
        "log10",
        "reciprocal",
        "rad2deg",
        "radians",
        "trunc",
    ],
)
def test_numpys_function_is_recorded(name):
    x = leaf([0.2, 0.6])
    y = getattr(np, name)(x)
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), getattr(np, name)(np.array([0.2, 0.6])))


@pytest.mark.parametrize("name", ["arctan2", "hypot", "logaddexp", "logaddexp2", "fmod", "fmax", "fmin", "copysign"])
def test_numpys_function_of_two_is_recorded(name):
    y = getattr(np, name)(leaf([0.2, 0.6]), np.array([0.5, 0.5]))
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), getattr(np, name)(np.array([0.2, 0.6]), np.array([0.5, 0.5])))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "gammaln", "digamma", "expit", "logit"])
def test_scipys_function_is_recorded(name):
    y = getattr(scipy.special, name)(leaf([0.2, 0.6]))
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), getattr(scipy.special, name)(np.array([0.2, 0.6])))


def test_names_with_two_spellings():
    for ours, theirs in (
        ("arcsin", "asin"), ("arctan2", "atan2"), ("fix", "trunc"), ("absolute", "abs"), ("negative", "neg"),
        ("multiply", "mul"), ("greater", "gt"), ("less_equal", "le"), ("not_equal", "ne"), ("divide", "div"),
        ("subtract", "sub"), ("clip", "clamp"), ("arccosh", "acosh"), ("sgn", "sign"),
    ):  # fmt: skip
        assert getattr(autograd, ours) is getattr(autograd, theirs)
