"""A finite-difference verdict on every node: right on what is right, and on a wrong rule at its own node only."""

import numpy as np
import pytest

import autograd
import nn
from autograd import DTypeError, GraphError, primitive, tensor, verify
from autograd.checkpoint import checkpoint


def param(*shape, seed=0, dtype=np.float32):
    return tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


def kinds(found):
    return {(v.operation, v.kind) for v in found.verdicts}


def test_network_is_right():
    autograd.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(18, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3),
    )  # fmt: skip
    loss = autograd.cross_entropy(model(autograd.randn(4, 1, 8, 8)), tensor([0, 1, 2, 0]))
    running = model[1].running_mean.clone()
    found = verify(loss)
    assert (model[1].running_mean == running).all()
    assert found.ok and not found.failures, found.table
    assert {v.kind for v in found.verdicts} == {"right"}, found.table
    assert {"conv", "normalization", "relu", "max_pool", "mul", "linear", "gelu", "cross_entropy"} <= {
        v.operation for v in found.verdicts
    }
    assert found.verdicts[-1].name == "loss"


@pytest.mark.parametrize("layer", [nn.LSTM(3, 2), nn.GRU(3, 2), nn.RNN(3, 2), nn.MultiheadAttention(4, 2)])
def test_recurrent_layers_and_attention_are_right(layer):
    size = 4 if isinstance(layer, nn.MultiheadAttention) else 3
    x = autograd.randn(5, 2, size)
    out = layer(x, x, x)[0] if size == 4 else layer(x)[0]
    found = verify((out * out).sum())
    assert found.ok and "not checked" not in {v.kind for v in found.verdicts}, found.table


@primitive
def cube(xp, x):
    return x * x * x


cube.grads(x=lambda xp, g, out, x: g * 2 * x * x)


@primitive(elementwise=True)
def slightly_wrong(xp, x):
    return xp.exp(x)


slightly_wrong.grads(x=lambda xp, g, out, x: g * out * 1.01)


class Half(autograd.Function):
    """Wrong for its second argument."""

    @staticmethod
    def forward(ctx, x, factor, y):
        ctx.factor = factor
        return x * factor + y

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None, g * 2


class Straight(autograd.Function):
    """A straight-through estimator, whose backward is not the derivative, on purpose."""

    @staticmethod
    def forward(ctx, x):
        return autograd.floor(x)

    @staticmethod
    def backward(ctx, g):
        return g


@pytest.mark.parametrize("size", [3, 200])
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cube", cube),
        ("slightly_wrong", slightly_wrong),
        ("Half", lambda x: Half.apply(x, 0.5, x)),
        ("Straight", Straight.apply),
    ],
)
def test_a_wrong_rule_shows_at_its_node_only(name, wrong, size):
    x = param(size)
    h = autograd.tanh(x * 2)
    y = wrong(h)
    loss = (autograd.sigmoid(y) ** 2).sum()
    found = verify(loss)
    assert not found.ok
    assert [v.operation for v in found.failures] == [name]
    assert {v.kind for v in found.verdicts if v.operation != name} == {"right"}, found.table
    assert "analytic" in found.failures[0].text and "numeric" in found.failures[0].text
    assert found.failures[0].name == "y"
    assert f"✗ y = {name}" in found.source and "✓ h = tanh" in found.source
    page = found.html()
    assert "#ffc9a3" in page and f"✗ y = {name}" in page


def test_several_nodes_of_one_wrong_operation_with_their_lines():
    x = param(2)
    with autograd.record():
        loss = (cube(x) + cube(x * 2)).sum()
    found = verify(loss)
    assert [v.operation for v in found.failures] == ["cube", "cube"]
    assert all(v.where[0] == __file__ for v in found.failures)
    assert "test_verify.py:" in str(found.failures[0])


def test_kinks_and_ties_are_said():
    x = tensor([0.0, 1.0, -1.0], requires_grad=True)
    found = verify(autograd.relu(x).sum())
    assert kinds(found) == {("relu", "kink"), ("sum", "right")} and found.ok
    assert "kink or a tie" in found.verdicts[0].text
    assert kinds(verify(tensor([1.0, 1.0, 1.0], requires_grad=True).amax())) == {("amax", "kink")}


def test_tiny_and_large_values():
    x = tensor([1e-8, 1.0, 1e6], requires_grad=True)
    found = verify((autograd.log(x) * autograd.sqrt(x) / x).sum())
    assert {v.kind for v in found.verdicts} == {"right"}, found.table


def test_integers_masks_and_several_outputs():
    x = param(4, 3)
    values, indices = x.sort(0)
    a, b = autograd.split(values, [1, 3])
    table = param(5, 3, seed=1)
    rows = autograd.embedding(tensor([4, 0, 4, 1]), table)
    masked = autograd.where(tensor([True, False, True]), a, b)
    found = verify((masked * rows[:3]).sum() + x[indices[0], [0, 1, 2]].sum())
    assert {v.kind for v in found.verdicts} == {"right"}, found.table


def test_conversions_and_half_precision():
    x = param(3, dtype=np.float64)
    found = verify((x.to(autograd.float32) * 2).to(autograd.float16).sum())
    assert {v.kind for v in found.verdicts} == {"right"}, found.table


def test_what_cannot_be_checked_says_why():
    class Noisy(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x + autograd.rand(3)

        @staticmethod
        def backward(ctx, g):
            return g

    x = param(3)
    found = verify(Noisy.apply(x).sum() + checkpoint(autograd.tanh, x).sum())
    texts = {v.operation: v.text for v in found.verdicts if v.kind == "not checked"}
    assert "random" in texts["Noisy"]
    assert "cannot be called again" in texts["checkpoint"]
    assert found.ok and "? Noisy" in found.table


def test_values_written_over_since():
    x = param(3)
    y = (x * x).sum()
    with autograd.no_grad():
        x.add_(1.0)
    assert kinds(verify(y)) == {("mul", "right"), ("sum", "right")}


def test_ways_of_showing(tmp_path, capsys):
    x = param(3)
    loss = cube(x * 2).sum()
    found = verify(loss, theme="dark", names={"<x>": x})
    found.print()
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == "✓ mul" and "✗ cube: d output0" in shown
    assert repr(found) == "<Verification: 2 right, 1 wrong (cube)>" == shown.splitlines()[-1]
    assert "the rule is wrong" in found.svg() and "&lt;x&gt;" in found.svg()
    for ending in ("html", "png", "svg"):
        found.save(tmp_path / f"found.{ending}")
    assert x.grad is None
    loss.backward()
    with pytest.raises(GraphError, match=r"verify it before backward\(\)"):
        verify(loss)
    with pytest.raises(DTypeError, match="verify: wants a Tensor"):
        verify(3.0)
    with pytest.raises(ValueError, match="theme is one of 'light'"):
        verify(x.sum(), theme="pink")
