"""Derivatives of functions: against closed forms, and against PyTorch's functional API."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

import autograd
from autograd import float64, tensor


def vector(*values: float) -> autograd.Tensor:
    return tensor(values, dtype=float64)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_hessian(x: np.ndarray) -> np.ndarray:
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
        h[i + 1, i + 1] += 200
    return h


def close(ours, theirs, tolerance=1e-10):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=tolerance, atol=tolerance)


def test_grad_of_a_function_has_the_argument_s_form():
    class Pair(NamedTuple):
        w: object
        b: object

    @dataclasses.dataclass
    class Layer:
        weight: object
        scale: object

    def total(tree):
        return (tree["pair"].w ** 2).sum() + 3 * tree["pair"].b + (tree["layer"].weight * tree["layer"].scale).sum()

    tree = {"pair": Pair(vector(1, 2), 4.0), "layer": Layer(vector(5, 6), [vector(2, 3)][0]), "none": None}
    g = autograd.grad(total)(tree)
    assert isinstance(g["pair"], Pair) and isinstance(g["layer"], Layer) and g["none"] is None
    close(g["pair"].w, [2, 4])
    close(g["pair"].b, 3)
    close(g["layer"].weight, [2, 3])
    close(g["layer"].scale, [5, 6])


def test_argnums_and_aux():
    def f(x, y, scale):
        out = (x * y).sum() * scale
        return out, {"out": out}

    (dx, dy), aux = autograd.grad(f, argnums=(0, 1), has_aux=True)(vector(1, 2), vector(3, 4), 2.0)
    close(dx, [6, 8])
    close(dy, [2, 4])
    close(aux["out"], 22)
    assert not aux["out"].requires_grad
    (value, _), g = autograd.value_and_grad(f, argnums=2, has_aux=True)(vector(1, 2), vector(3, 4), 2.0)
    close(value, 22)
    close(g, 11)


def test_nesting_to_any_depth():
    def f(x):
        return x**5

    for expected in (5 * 2.0**4, 20 * 2.0**3, 60 * 2.0**2, 120 * 2.0, 120):
        f = autograd.grad(f)
        close(f(2.0), expected, 1e-6)


def test_inner_derivative_of_an_outer_variable():
    # d/dx of (d/dy of x y² at y = 3) = d/dx 6 x = 6
    outer = autograd.grad(lambda x: autograd.grad(lambda y: x * y * y)(3.0))(2.0)
    close(outer, 6)
    assert not outer.requires_grad


def test_a_gradient_is_recorded_for_what_lies_outside():
    w = tensor(2.0, dtype=float64, requires_grad=True)
    g = autograd.grad(lambda y: w * y * y)(vector(3)[0])
    g.backward()
    close(w.grad, 6)
    x = tensor(3.0, dtype=float64, requires_grad=True)
    autograd.grad(lambda y: y**3)(x).backward()
    close(x.grad, 18)
    assert not autograd.grad(lambda y: y**3)(3.0).requires_grad
    with autograd.no_grad():
        assert not autograd.grad(lambda y: w * y * y)(3.0).requires_grad


def test_constant_and_partly_used_arguments_have_gradient_zero():
    close(autograd.grad(lambda x: tensor(1.0))(2.0), 0)
    dx, dy = autograd.grad(lambda x, y: (x * x).sum(), (0, 1))(vector(1, 2), vector(3))
    close(dx, [2, 4])
    close(dy, [0])
    close(autograd.jvp(lambda x: tensor([1.0, 2.0]), [vector(1)], [vector(1)])[1], [0, 0])


def test_hessian_of_rosenbrock():
    x = vector(-1.2, 1.0, 0.3, 2.0)
    close(autograd.hessian(rosenbrock)(x), rosenbrock_hessian(np.asarray(x)))


def test_jacobian_by_rows_and_by_columns_agree_with_the_formula():
    a = np.random.default_rng(0).standard_normal((5, 3))
    wide, tall = tensor(a), tensor(a.T)
    close(autograd.jacobian(lambda x: wide @ x)(vector(1, 2, 3)), a)
    close(autograd.jacobian(lambda x: tall @ x)(vector(1, 2, 3, 4, 5)), a.T)


def test_jacobian_of_several_outputs_and_arguments():
    j = autograd.jacobian(lambda x, y: {"p": x * y, "s": (x * x).sum()}, (0, 1))(vector(1, 2), vector(3, 4))
    close(j["p"][0], np.diag([3, 4]))
    close(j["p"][1], np.diag([1, 2]))
    close(j["s"][0], [2, 4])
    close(j["s"][1], [0, 0])


def test_vjp_jvp_hvp():
    a = np.random.default_rng(1).standard_normal((4, 3))
    x, u, v = vector(1, 2, 3), np.random.default_rng(2).standard_normal(4), np.random.default_rng(3).standard_normal(3)

    def f(x):
        return (tensor(a) @ x).tanh()

    slope = (1 - np.tanh(a @ np.asarray(x)) ** 2)[:, None] * a
    y, pull = autograd.vjp(f, x)
    close(y, np.tanh(a @ np.asarray(x)))
    close(pull(tensor(u))[0], u @ slope)
    close(pull(tensor(2 * u))[0], 2 * u @ slope)
    close(autograd.jvp(f, [x], [tensor(v)])[1], slope @ v)
    value, moved = autograd.hvp(rosenbrock, x, tensor(v))
    close(value, rosenbrock(x))
    close(moved, rosenbrock_hessian(np.asarray(x)) @ v, 1e-9)


def test_elementwise_grad():
    x = vector(-1, 0.5, 2)
    close(autograd.elementwise_grad(autograd.tanh)(x), 1 - np.tanh(np.asarray(x)) ** 2)


def test_gradient_of_an_implicit_function():
    # x(a) solves x³ + x = a; by the implicit function theorem dx/da = 1 / (3x² + 1).
    def residual(x, a):
        return x**3 + x - a

    x = 1.0
    for _ in range(50):
        x = x - (x**3 + x - 3.0) / (3 * x**2 + 1)
    dx, da = autograd.grad(residual, (0, 1))(tensor(x, dtype=float64), tensor(3.0, dtype=float64))
    close(-da / dx, 1 / (3 * x**2 + 1))


def test_second_derivative_of_a_network_for_a_differential_equation():
    # u(t) = sin(ωt) solves u″ + ω² u = 0: its residual, computed through the engine, is 0.
    omega, t = 1.7, tensor(np.linspace(0, 3, 7))

    def u(t):
        return (omega * t).sin()

    second = autograd.elementwise_grad(autograd.elementwise_grad(u))(t)
    close(second + omega**2 * u(t), np.zeros(7))


def network(parameters, x):
    w1, b1, w2 = parameters
    return (x @ w1 + b1).tanh() @ w2


def network_parameters(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) for s in ((3, 4), (4,), (4, 1))]


@pytest.mark.reference
def test_gradient_penalty_as_in_pytorch():
    import torch

    x = np.random.default_rng(5).standard_normal((6, 3))

    def penalty(library, parameters, x):
        scores = network(parameters, x)
        (g,) = library.grad(scores.sum(), x, create_graph=True)
        return ((g.norm(2, dim=1) - 1) ** 2).mean()

    ours = [tensor(p, requires_grad=True) for p in network_parameters()]
    theirs = [torch.tensor(p, requires_grad=True) for p in network_parameters()]
    a = penalty(autograd, ours, tensor(x, requires_grad=True))
    b = penalty(torch.autograd, theirs, torch.tensor(x, requires_grad=True))
    close(a.detach(), b.detach().numpy())
    for p, g in zip(ours, autograd.grad(a, ours, materialize_grads=True), strict=True):
        assert p.shape == g.shape
    for g, h in zip(autograd.grad(penalty(autograd, ours, tensor(x, requires_grad=True)), [ours[0], ours[2]]),
                    torch.autograd.grad(b, [theirs[0], theirs[2]]), strict=True):  # fmt: skip
        close(g, h.numpy())


@pytest.mark.reference
def test_learning_to_learn_as_in_pytorch():
    import torch

    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))

    def after_inner_steps(library, parameters, x, y):
        for _ in range(3):
            loss = ((network(parameters, x) - y) ** 2).mean()
            gradients = library.grad(loss, parameters, create_graph=True)
            parameters = [p - 0.1 * g for p, g in zip(parameters, gradients, strict=True)]
        return ((network(parameters, x) - y) ** 2).mean()

    ours = [tensor(p, requires_grad=True) for p in network_parameters()]
    theirs = [torch.tensor(p, requires_grad=True) for p in network_parameters()]
    a = after_inner_steps(autograd, ours, tensor(x), tensor(y))
    b = after_inner_steps(torch.autograd, theirs, torch.tensor(x), torch.tensor(y))
    close(a.detach(), b.detach().numpy())
    for g, h in zip(autograd.grad(a, ours), torch.autograd.grad(b, theirs), strict=True):
        close(g, h.numpy(), 1e-9)


@pytest.mark.reference
def test_functional_api_as_in_pytorch():
    import torch

    x, v = np.random.default_rng(8).standard_normal((2, 5))

    def f(x):
        return (x.tanh() * x.sum()).exp()

    def s(x):
        return (x.tanh() * x.sum()).exp().sum()

    functional = torch.autograd.functional
    tx, tv = torch.tensor(x), torch.tensor(v)
    close(autograd.jacobian(f)(tensor(x)), functional.jacobian(f, tx))
    close(autograd.hessian(s)(tensor(x)), functional.hessian(s, tx), 1e-8)
    close(autograd.hvp(s, tensor(x), tensor(v))[1], functional.hvp(s, tx, tv)[1], 1e-8)
    close(autograd.jvp(f, [tensor(x)], [tensor(v)])[1], functional.jvp(f, tx, tv)[1])
    close(autograd.vjp(f, tensor(x))[1](tensor(v))[0], functional.vjp(f, tx, tv)[1])


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (lambda: autograd.grad(lambda x: x * 2)(vector(1, 2)), autograd.ShapeError, ["grad", "(2,)", "jacobian"]),
        (lambda: autograd.grad(lambda x: 1.0)(2.0), TypeError, ["grad", "must return a Tensor", "float"]),
        (lambda: autograd.grad(lambda x: x, argnums=1)(2.0), IndexError, ["argnums", "1 arguments"]),
        (lambda: autograd.grad(lambda x: x)("a"), TypeError, ["argument 0", "str"]),
        (lambda: autograd.grad(lambda x: x.sum())(tensor([1, 2])), TypeError, ["int64", "x.float()"]),
        (lambda: autograd.grad(lambda x: x.sum(), has_aux=True)(vector(1)), TypeError, ["has_aux", "(value, aux)"]),
        (lambda: autograd.jvp(lambda x: x, vector(1), vector(1)), TypeError, ["jvp", "lists or tuples"]),
        (lambda: autograd.jvp(lambda x: x, [vector(1)], [vector(1, 2)]), ValueError, ["jvp", "(1,)", "(2,)"]),
        (lambda: autograd.vjp(lambda x: x, vector(1))[1](vector(1, 2)), ValueError, ["vjp", "(1,)", "(2,)"]),
        (lambda: autograd.hvp(rosenbrock, [vector(1, 2)], []), ValueError, ["hvp", "1 primals and 0 tangents"]),
    ],
)
def test_errors_say_what_is_wanted(call, error, fragments):
    with pytest.raises(error) as raised:
        call()
    for fragment in fragments:
        assert fragment in str(raised.value)
