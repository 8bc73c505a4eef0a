"""The first NaN or Inf: which op, which line, which inputs; and nothing at all while it is off."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd
from autograd import (
    AnomalyError,
    Function,
    detect_anomaly,
    grad,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    modes,
    set_detect_anomaly,
    tensor,
)


def leaf(*values):
    return tensor(values if len(values) > 1 else values[0], requires_grad=True)


class NanBackward(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, upstream):
        return upstream * tensor(float("nan"))


def squared(times):
    y = leaf(2.0)
    for _ in range(times):
        y = y * y
    return y


# What to do, the op that is blamed, what else the message says. The line blamed is marked with "# here".
CASES = {
    "log": (lambda: leaf(0.0, 1.0).log(), "log: ", ["1 Inf among 2 entries", "x: float32 of shape (2,), from 0 to 1"]),
    "sqrt": (lambda: leaf(-1.0, 4.0).sqrt().sum(), "sqrt: ", ["1 NaN among 2 entries", "from -1 to 4"]),
    "scalars": (lambda: squared(8), "mul: ", ["is Inf", "all 1.84467e+19"]),
    "division": (lambda: leaf(1.0, 0.0) / leaf(2.0, 0.0), "div: ", ["1 NaN", "x: ", "y: "]),
    "a number": (lambda: leaf(1.0, 2.0) / 0, "div: ", ["2 Inf", "y: int 0"]),
    "infinity minus itself": (
        lambda: tensor([np.inf, 1.0]) - tensor([np.inf, 1.0]),
        "sub: ",
        ["1 NaN", "from 1 to 1, 1 Inf".replace("from 1 to 1", "all 1")],
    ),
    "data that holds NaN": (lambda: tensor([np.nan, 1.0]) * leaf(1.0, 2.0), "mul: ", ["came in with an input"]),
    "in place": (lambda: (leaf(1e30, 1.0) * 1).mul_(1e30), "mul: ", ["1 Inf"]),
    "an assignment": (lambda: (leaf(1.0, 1.0) * 1).__setitem__(0, float("nan")), "setitem: ", ["1 NaN"]),
    "one of several outputs": (lambda: autograd.log(leaf(0.0, 1.0).split(1)[0]), "log: ", ["is Inf"]),
    "backward of sqrt": (
        lambda: leaf(0.0, 1.0).sqrt().sum().backward(),
        "backward of sqrt: ",
        ["gradient with respect to x has 1 Inf among 2 entries", "sqrt was computed at", "upstream gradient: "],
    ),
    "backward of an op in place": (lambda: (leaf(0.0, 1.0) * 1).sqrt_().sum().backward(), "backward of sqrt: ", []),
    "backward of a Function": (
        lambda: NanBackward.apply(leaf(1.0, 2.0)).sum().backward(),
        "mul: ",  # the op inside, which is closer
        ["came in with an input"],
    ),
    "recording a gradient": (
        lambda: grad((x := leaf(0.0, 1.0)).sqrt().sum(), x, create_graph=True),
        "backward of sqrt: ",
        ["1 Inf"],
    ),
    "an upstream gradient of the user's": (
        lambda: (leaf(1.0, 2.0) * 2).backward(tensor([np.nan, 1.0])),
        "backward of mul: ",
        ["came in with the upstream gradient"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_names_op_line_and_ranges(case):
    call, start, fragments = CASES[case]
    with pytest.raises(AnomalyError) as error, detect_anomaly():
        call()
    message = str(error.value)
    assert message.startswith(start), message
    assert "test_anomaly.py:" in message, message
    for fragment in fragments:
        assert fragment in message, message
    assert not modes.active and not is_anomaly_enabled()


def test_the_line_is_the_users():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = x.sqrt()
        line = inspect.currentframe().f_lineno - 1
        with pytest.raises(AnomalyError, match=rf"test_anomaly\.py:{line}: y = x\.sqrt\(\)"):
            (y * 2).sum().backward()


def test_an_infinity_put_in_on_purpose_passes():
    scores = leaf(1.0, 2.0, 3.0)
    with detect_anomaly():
        masked = scores.masked_fill(tensor([False, True, False]), float("-inf"))
        autograd.softmax(masked, 0)[0].backward()
    assert np.isfinite(scores.grad.numpy()).all()


def test_sound_programs_give_the_same_and_are_left_alone():
    x = leaf(0.5, 1.5)

    def program():
        y = (x * 2).tanh()
        a, b = y.split(1)
        z = a * b + y.max()
        return grad(z.sum(), x, create_graph=True)[0]

    plain = program()
    with detect_anomaly():
        assert is_anomaly_enabled() and is_anomaly_check_nan_enabled()
        watched = program()
        second = grad(watched.sum(), x)[0]
    np.testing.assert_array_equal(plain.detach().numpy(), watched.detach().numpy())
    assert np.isfinite(second.numpy()).all()


def test_it_is_a_switch_and_a_decorator():
    with set_detect_anomaly(True):
        assert is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
            leaf(0.0, 1.0).sqrt().sum().backward()
        assert is_anomaly_enabled()
    assert not is_anomaly_enabled() and modes.active == 0
    set_detect_anomaly(True)
    try:
        with pytest.raises(ArithmeticError):
            leaf(-1.0, 1.0).sqrt()
    finally:
        set_detect_anomaly(False)
    assert modes.active == 0

    @detect_anomaly()
    def root(x):
        return x.sqrt()

    for _ in range(2):
        with pytest.raises(RuntimeError, match="sqrt: the result is NaN"):
            root(leaf(-1.0))
    assert modes.active == 0


@pytest.mark.filterwarnings("ignore:invalid value")
def test_without_check_nan_nothing_is_looked_at():
    with detect_anomaly(check_nan=False):
        assert is_anomaly_enabled() and not is_anomaly_check_nan_enabled()
        assert leaf(-1.0, 1.0).sqrt().isnan().any()


def test_lines_are_noted_only_while_it_is_on():
    x = leaf(1.0, 2.0)
    assert (x * 2)._extra is None
    with detect_anomaly():
        assert (x * 2)._extra["where"][0].endswith("test_anomaly.py")


def test_inside_a_checkpoint():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = autograd.checkpoint(lambda t: (t * 2).sqrt(), x)
        with pytest.raises(AnomalyError, match="backward of"):
            y.sum().backward()


@pytest.mark.jax
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_function_is_not_looked_into():
    from autograd.backends.jax import jit

    with detect_anomaly():
        assert jit(lambda x: x.log())(tensor([0.0])).tolist() == [-np.inf]
