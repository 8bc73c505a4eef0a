"""Every row of the op table against NumPy, finite differences, PyTorch and JAX."""

from __future__ import annotations

import numpy as np
import pytest
from rows import LIBRARY, ROWS

import autograd
from autograd import Tensor, gradcheck, gradgradcheck, tensor
from autograd.backends import numpy as numpy_namespace
from autograd.backward import history

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
smooth_row = pytest.mark.parametrize("row", [r for r in ROWS if r.gradient and not r.cut], ids=lambda row: row.name)
differentiable_row = pytest.mark.parametrize("row", [r for r in ROWS if r.gradient], ids=lambda row: row.name)


def several(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def cast(x, dtype):
    return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def tensors(row, sample, dtype="float64"):
    """The sample's arrays as Tensors, of which the differentiable ones require grad; not copied, to keep strides."""
    wanted = row.differentiable(sample)
    inputs = [autograd.as_tensor(cast(x, dtype)) if isinstance(x, np.ndarray) else x for x in sample.inputs]
    for i in wanted:
        inputs[i].requires_grad_()
    return inputs, [inputs[i] for i in wanted]


def call(row, sample, inputs):
    return several(row.function(*inputs, **sample.static))


def upstream(outputs, dtype="float64"):
    rng = np.random.default_rng(3)
    return [rng.standard_normal(y.shape).astype(dtype) for y in outputs]


def recorded(outputs):
    return [y for y in outputs if y.requires_grad]


def test_every_primitive_has_a_row_and_every_row_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    missing = sorted(set(LIBRARY) - set(names))
    assert not missing, f"primitives without a row in tests/rows_*.py: {missing}"


@every_row
def test_value_is_numpys(row):
    for sample in row.samples:
        inputs, _ = tensors(row, sample)
        expected = several(row.numpy(*sample.inputs, **sample.static))
        got = call(row, sample, inputs)
        assert len(got) == len(expected), sample
        for y, want in zip(got, expected, strict=True):
            assert isinstance(y, Tensor)
            assert y.shape == np.shape(want), sample
            assert y.dtype.kind == np.asarray(want).dtype.kind, sample
            np.testing.assert_allclose(y.numpy(), want, rtol=1e-12, atol=1e-14, err_msg=str(sample))


@every_row
def test_inputs_are_left_as_they_were(row):
    for sample in row.samples:
        before = [np.array(x) for x in sample.inputs if isinstance(x, np.ndarray)]
        inputs, wanted = tensors(row, sample)
        outputs = recorded(call(row, sample, inputs))
        if wanted and outputs:
            kept = [np.array(y.numpy()) for y in outputs]
            gradients = [tensor(u) for u in upstream(outputs)]
            autograd.grad(outputs, wanted, gradients, allow_unused=True)
            for y, value in zip(outputs, kept, strict=True):
                np.testing.assert_array_equal(y.numpy(), value)
            for u, value in zip(gradients, upstream(outputs), strict=True):
                np.testing.assert_array_equal(u.numpy(), value)
        for x, value in zip((x for x in sample.inputs if isinstance(x, np.ndarray)), before, strict=True):
            np.testing.assert_array_equal(x, value, err_msg=str(sample))


@every_row
def test_float32_stays_float32(row):
    for sample in row.samples:
        if sample.static.get("dtype") == np.float64:
            continue
        inputs, wanted = tensors(row, sample, "float32")
        outputs = call(row, sample, inputs)
        for y in outputs:
            assert y.dtype.kind != "f" or y.dtype == np.float32, sample
        outputs = recorded(outputs)
        if wanted and outputs:
            gradients = autograd.grad(
                outputs, wanted, [tensor(u) for u in upstream(outputs, "float32")], create_graph=True
            )
            for g, x in zip(gradients, wanted, strict=True):
                assert g.dtype == np.float32, sample
                assert g.shape == x.shape, sample


@smooth_row
def test_gradients_are_finite_differences(row):
    for sample in row.samples:
        inputs, _ = tensors(row, sample)
        assert gradcheck(lambda *xs, s=sample: recorded(call(row, s, xs)) or call(row, s, xs), inputs)


@smooth_row
def test_second_order_gradients_are_finite_differences(row):
    for sample in row.samples:
        inputs, _ = tensors(row, sample)
        assert gradgradcheck(lambda *xs, s=sample: call(row, s, xs), inputs, fast_mode=True), sample


@differentiable_row
def test_rules_give_no_array_that_is_not_theirs(row):
    """Backward adds into what a rule gave it, so that must be neither an input nor the result."""
    for sample in row.samples:
        inputs, _ = tensors(row, sample)
        for node in history(recorded(call(row, sample, inputs))):
            arrays = [getattr(x, "_array", x) for x in node._inputs]
            out = node._array
            g = upstream(out) if isinstance(out, tuple) else upstream([out])[0]
            taken = [*arrays, *(out if isinstance(out, tuple) else (out,))]
            for i, x in enumerate(node._inputs):
                rule = node._primitive.rule(i)
                if rule is None or not isinstance(x, Tensor) or not x.requires_grad:
                    continue
                result = rule(numpy_namespace, g, out, *arrays, **(node._static or {}))
                if isinstance(result, np.ndarray) and result.base is None:
                    assert all(result is not a for a in taken), f"{node._primitive.name}: {x.shape}"
                elif isinstance(result, np.ndarray):
                    assert not any(isinstance(a, np.ndarray) and result.base is a for a in arrays), node._primitive.name


def as_torch(torch, x, dtype):
    return torch.tensor(np.ascontiguousarray(cast(x, dtype)).reshape(x.shape)) if isinstance(x, np.ndarray) else x


@pytest.mark.reference
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every_row
def test_values_and_gradients_are_pytorchs(row, dtype):
    import torch

    assert row.torch is not None
    tolerance = {"float64": {"rtol": 1e-11, "atol": 1e-12}, "float32": {"rtol": 2e-5, "atol": 2e-6}}[dtype]
    for sample in row.samples:
        inputs, wanted = tensors(row, sample, dtype)
        theirs = [as_torch(torch, x, dtype) for x in sample.inputs]
        for i in row.differentiable(sample):
            theirs[i].requires_grad_()
        ours_out = call(row, sample, inputs)
        their_out = several(row.in_torch(torch)(*theirs, **sample.static))
        assert len(ours_out) == len(their_out)
        for y, z in zip(ours_out, their_out, strict=True):
            assert y.shape == tuple(z.shape), sample
            assert str(y.dtype) == str(z.dtype).removeprefix("torch."), sample
            np.testing.assert_allclose(y.numpy(), z.detach().numpy(), **tolerance, err_msg=str(sample))
        pairs = [(y, z) for y, z in zip(ours_out, their_out, strict=True) if z.requires_grad]
        assert all(y.requires_grad for y, _ in pairs), sample
        if not wanted or not pairs:
            continue
        g = upstream([y for y, _ in pairs], dtype)
        g = [u.astype(y.dtype) for u, (y, _) in zip(g, pairs, strict=True)]
        ours = autograd.grad([y for y, _ in pairs], wanted, [tensor(u) for u in g])
        reference = torch.autograd.grad(
            [z for _, z in pairs], [theirs[i] for i in row.differentiable(sample)], [torch.tensor(u) for u in g]
        )
        for a, b in zip(ours, reference, strict=True):
            assert str(a.dtype) == str(b.dtype).removeprefix("torch."), sample
            np.testing.assert_allclose(a.numpy(), b.numpy(), **tolerance, err_msg=str(sample))


@pytest.mark.jax
@every_row
def test_jax_computes_the_same_compiled(row):
    from autograd.backends.jax import jit

    for sample in row.samples:
        inputs, wanted = tensors(row, sample)
        places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor)]
        shapes = [y for y in call(row, sample, inputs) if y.requires_grad]
        u = [autograd.tensor(v) for v in upstream(shapes)]
        v = [autograd.tensor(w) for w in upstream(wanted)]

        def program(given, u, v, sample=sample, inputs=inputs, places=places):
            full = list(inputs)
            for i, x in zip(places, given, strict=True):
                full[i] = x
            sources = [full[i] for i in row.differentiable(sample)]
            outputs = call(row, sample, full)
            if not sources or not u:
                return outputs, [], []
            first = autograd.grad(recorded(outputs), sources, u, create_graph=True)
            directional = sum((g * w).sum() for g, w in zip(first, v, strict=True))
            second = autograd.grad(directional, sources, materialize_grads=True) if directional.requires_grad else []
            return outputs, list(first), list(second)

        given = [inputs[i] for i in places]
        eager = program(given, u, v)
        compiled = jit(program)(given, u, v)
        for kind, ours, theirs in zip(("value", "gradient", "second order"), eager, compiled, strict=True):
            assert len(ours) == len(theirs), (kind, sample)
            for a, b in zip(ours, theirs, strict=True):
                assert a.shape == b.shape, (kind, sample)
                assert a.dtype == b.dtype, (kind, sample)
                np.testing.assert_allclose(
                    a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=f"{kind} of {sample}"
                )
