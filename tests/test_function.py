"""Operations written as classes: values and gradients, what backward gets and may return, and what is refused."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd
from autograd import (
    DTypeError,
    Function,
    GraphError,
    ShapeError,
    gradcheck,
    gradgradcheck,
    no_grad,
    once_differentiable,
    tensor,
)


class Multiply(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, upstream):
        x, y = ctx.saved_tensors
        return upstream * y, upstream * x


class Exp(Function):
    """Saves its own output."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, upstream):
        (y,) = ctx.saved_tensors
        return upstream * y


class SumAndDifference(Function):
    """Two outputs, a static argument, and one that is not a Tensor among the results."""

    @staticmethod
    def forward(ctx, x, scale, y):
        ctx.scale = scale
        return (x + y) * scale, x - y, "done"

    @staticmethod
    def backward(ctx, g_sum, g_difference, g_text):
        assert g_text is None
        return g_sum * ctx.scale + g_difference, None, g_sum * ctx.scale - g_difference


def float64(*shape, seed=0):
    return tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def build(library, base):
    """The same Functions for ``library``, which is autograd or torch."""

    class Clipped(base):
        @staticmethod
        def forward(ctx, x, low):
            ctx.save_for_backward(x)
            ctx.low = low
            kept = x > low
            ctx.mark_non_differentiable(kept)
            return library.where(kept, x, x * 0 + low), kept

        @staticmethod
        def backward(ctx, g, g_kept):
            (x,) = ctx.saved_tensors
            assert g_kept is not None and not g_kept.any()
            return g * (x > ctx.low), None

    class Pair(base):
        @staticmethod
        def forward(ctx, x, y):
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(x, None, y)
            return x * y, x + y

        @staticmethod
        def backward(ctx, product, total):
            x, nothing, y = ctx.saved_tensors
            assert nothing is None
            gx, gy = 0, 0
            if product is not None:
                gx, gy = product * y, product * x
            if total is not None:
                gx, gy = gx + total, gy + total
            return gx, gy

    class Cube(base):
        @staticmethod
        def forward(x):
            return x * x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return Multiply3.apply(upstream, x)

    class Multiply3(base):
        @staticmethod
        def forward(ctx, g, x):
            ctx.save_for_backward(g, x)
            return g * 3 * x * x

        @staticmethod
        def backward(ctx, upstream):
            g, x = ctx.saved_tensors
            return upstream * 3 * x * x, upstream * 6 * g * x

    return Clipped, Pair, Cube


def test_the_multiply_gate():
    x, y = float64(3, 2), float64(2, seed=1)
    assert gradcheck(Multiply.apply, [x, y.expand(3, 2).detach().requires_grad_()])
    out = Multiply.apply(x, y)
    out.sum().backward()
    assert out.grad_fn.name == "Multiply"
    np.testing.assert_allclose(x.grad.numpy(), np.broadcast_to(y.detach().numpy(), (3, 2)))
    np.testing.assert_allclose(y.grad.numpy(), x.detach().numpy().sum(0))  # summed over what was broadcast


@pytest.mark.parametrize("function", [Multiply, Exp, SumAndDifference])
def test_it_is_checked_by_finite_differences_in_both_orders(function):
    x, y = float64(3), float64(3, seed=1)
    call = {
        Multiply: lambda: (Multiply.apply, [x, y]),
        Exp: lambda: (Exp.apply, [x]),
        SumAndDifference: lambda: (lambda a, b: SumAndDifference.apply(a, 2.5, b)[:2], [x, y]),
    }[function]()
    assert gradcheck(*call)
    assert gradgradcheck(*call)


def test_an_output_that_nothing_depends_on_has_an_upstream_gradient_of_zeros():
    x, y = float64(3), float64(3, seed=1)
    total, difference, text = SumAndDifference.apply(x, 2.0, y)
    assert text == "done"
    difference.sum().backward()
    assert x.grad.tolist() == [1.0] * 3 and y.grad.tolist() == [-1.0] * 3
    assert total.requires_grad


@pytest.mark.reference
def test_it_is_pytorchs():
    import torch

    values = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    found = []
    for library, base in ((autograd, Function), (torch, torch.autograd.Function)):
        clipped_class, pair_class, cube_class = build(library, base)
        x = library.tensor(values[0], requires_grad=True)
        y = library.tensor(values[1], requires_grad=True)
        clipped, kept = clipped_class.apply(x * 2, 0.1)
        product, _ = pair_class.apply(x, y)
        _, total = pair_class.apply(x, y)
        assert not kept.requires_grad and str(kept.dtype).endswith("bool")
        loss = (clipped * product + total + cube_class.apply(x)).sum()
        engine = autograd if library is autograd else torch.autograd
        first = engine.grad(loss, [x, y], create_graph=True)
        second = engine.grad((first[0] * first[1]).sum(), [x, y])
        assert not clipped_class.apply(x.detach(), 0.1)[0].requires_grad
        with library.no_grad():
            assert not pair_class.apply(x, y)[0].requires_grad
        found.append([t.detach().numpy() for t in (loss, *first, *second)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_needs_input_grad_and_gradients_of_none():
    seen = []

    class Noted(Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            return x * factor + y

        @staticmethod
        def backward(ctx, upstream):
            seen.append(ctx.needs_input_grad)
            return upstream * 2, None, None

    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([1.0, 1.0])
    Noted.apply(x, 2.0, y).sum().backward()
    assert seen == [(True, False, False)]
    assert x.grad.tolist() == [2.0, 2.0]
    z = tensor([1.0, 1.0], requires_grad=True)
    assert autograd.grad(Noted.apply(x, 2.0, z).sum(), z, allow_unused=True) == (None,)


def test_backward_is_called_once_for_all_inputs_and_without_recording():
    calls = []

    class Counted(Function):
        @staticmethod
        def forward(ctx, x, y):
            assert not autograd.is_grad_enabled()
            return x + y

        @staticmethod
        def backward(ctx, upstream):
            calls.append(autograd.is_grad_enabled())
            return upstream, upstream

    x, y = tensor(1.0, requires_grad=True), tensor(2.0, requires_grad=True)
    Counted.apply(x, y).backward()
    autograd.grad(Counted.apply(x, y), [x, y], create_graph=True)
    assert calls == [False, True]


def test_gradients_that_backward_returns_are_not_written_into():
    kept = tensor([1.0, 1.0])

    class Constant(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, upstream):
            return kept

    x = tensor([1.0, 2.0], requires_grad=True)
    (Constant.apply(x) + Constant.apply(x) + x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert kept.tolist() == [1.0, 1.0]


def test_a_saved_tensor_that_was_overwritten_is_an_error_that_names_the_line():
    x = tensor([1.0, 2.0], requires_grad=True)
    held = x * 1
    product = Multiply.apply(held, x)
    held.mul_(2)
    with pytest.raises(GraphError, match=r"Multiply: .*overwritten in place at .*test_function\.py:\d+"):
        product.sum().backward()
    y = Exp.apply(x)
    y.add_(1)
    with pytest.raises(GraphError, match=r"Exp: .*overwritten"):
        y.sum().backward()


def test_an_output_that_is_the_input_shares_its_memory():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, upstream):
            return upstream * 10

    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = Same.apply(y)
    assert z is not y and z.numpy() is y.numpy()
    (z + y).sum().backward()
    assert x.grad.tolist() == [11.0, 11.0]


def test_a_graph_with_functions_is_freed_by_reference_counts_alone():
    gc.collect()
    gc.disable()
    try:
        x = tensor(np.ones(3), requires_grad=True)
        y = Exp.apply(x)
        dead, array = weakref.ref(y), weakref.ref(y.numpy())
        loss = SumAndDifference.apply(y, 2.0, y)[0].sum()
        del y
        assert array() is not None
        loss.backward()
        assert dead() is None and array() is None
        with pytest.raises(GraphError, match="freed"):
            loss.backward()
    finally:
        gc.enable()


def test_it_is_drawn_under_its_name():
    x, y = tensor(2.0, requires_grad=True), tensor(3.0, requires_grad=True)
    drawn = autograd.draw(Multiply.apply(x, y) + Exp.apply(x)).svg()
    assert "Multiply" in drawn and "Exp" in drawn and "_ctx" not in drawn


def test_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, upstream):
            assert not autograd.is_grad_enabled()
            return upstream * 2 * ctx.saved_tensors[0]

    x = tensor(3.0, requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.item() == 6.0
    (g,) = autograd.grad(Square.apply(x), x, create_graph=True)
    assert g.item() == 6.0
    with pytest.raises(GraphError, match="Square: its backward is marked once_differentiable"):
        g.backward()


@pytest.mark.jax
def test_it_is_compiled():
    from autograd.backends.jax import jit

    def program(x, y):
        out = Exp.apply(Multiply.apply(x, y)).sum()
        (g,) = autograd.grad(out, x, create_graph=True)
        return out, g, autograd.grad(g.sum(), y)[0]

    x, y = float64(3), float64(3, seed=1)
    for a, b in zip(program(x, y), jit(program)(x, y), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)


def returning(*gradients):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, upstream):
            return gradients if len(gradients) != 1 else gradients[0]

    return lambda: Wrong.apply(X, Y).sum().backward()


class Bare(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2


class Dirty(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)


class Careless(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, 3.0)


X, Y = (tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
WRONG = {
    "too few gradients": (returning(X), GraphError, ["Wrong.backward", "returned 1", "2 arguments"]),
    "too many gradients": (returning(X, X, X), GraphError, ["returned 3", "2 arguments"]),
    "a number": (returning(1.0, 2.0), DTypeError, ["gradient 0", "Tensor or None", "float 1.0"]),
    "another shape": (returning(X, tensor([1.0] * 3)), ShapeError, ["gradient 1", "(3,)", "(2,)"]),
    "no backward": (lambda: Bare.apply(X).sum().backward(), NotImplementedError, ["backward(ctx, *upstream)"]),
    "no forward": (lambda: Function.apply(X), NotImplementedError, ["forward(ctx, *args)"]),
    "an instance": (lambda: Multiply(), TypeError, ["Multiply.apply"]),
    "mark_dirty": (lambda: Dirty.apply(X), GraphError, ["Dirty.mark_dirty", "new Tensor"]),
    "a saved number": (lambda: Careless.apply(X), DTypeError, ["save_for_backward", "argument 1", "ctx.name"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = WRONG[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


def test_nothing_is_recorded_where_nothing_is_asked_for():
    with no_grad():
        assert not Multiply.apply(X, Y).requires_grad
    assert not Multiply.apply(X.detach(), Y.detach()).requires_grad
