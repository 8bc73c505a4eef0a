"""nn.summary against numbers computed by hand, and autograd.watch, which it counts with."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import autograd
import nn


def numbers(summary):
    return [(row.path, row.inputs, row.outputs, row.parameters, row.flops, row.kept_bytes) for row in summary.rows]


def test_linear():
    s = nn.summary(nn.Linear(64, 10), (32, 64))
    # 32 · 10 results of 64 multiply-adds each; only the result is kept, of 4 bytes an entry.
    assert numbers(s) == [("", [(32, 64)], (32, 10), 650, 2 * 32 * 64 * 10, 32 * 10 * 4)]
    assert s.multiply_adds == 32 * 64 * 10 and s.parameter_bytes == 2600


def test_mlp():
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2)).double()
    model[2].requires_grad_(False)
    s = nn.summary(model, autograd.ones(5, 8, dtype=autograd.float64))
    assert numbers(s) == [
        ("", [(5, 8)], (5, 2), 0, 0, 0),
        ("0", [(5, 8)], (5, 16), 8 * 16 + 16, 2 * 5 * 8 * 16, 5 * 16 * 8),
        ("1", [(5, 16)], (5, 16), 0, 5 * 16, 5 * 16 * 8),
        ("2", [(5, 16)], (5, 2), 16 * 2 + 2, 2 * 5 * 16 * 2, 5 * 2 * 8),
    ]
    assert (s.parameters, s.trainable) == (144 + 34, 144)
    assert s.flops == 1280 + 80 + 320 and s.multiply_adds == 800 and s.kept_bytes == (80 + 80 + 10) * 8


class Convolution(nn.Module):
    """A convolution of one's own: composed of functions."""

    def __init__(self, channels_in, channels_out, size, stride=1, groups=1):
        super().__init__()
        self.weight = nn.Parameter(autograd.ones(channels_out, channels_in // groups, size, size))
        self.stride, self.groups = stride, groups

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight, stride=self.stride, groups=self.groups)


class Pool(nn.Module):
    def forward(self, x):
        return nn.functional.max_pool2d(x, 2).flatten(1)


def test_cnn():
    model = nn.Sequential(Convolution(3, 8, 3), nn.ReLU(), Convolution(8, 4, 3, 2, groups=2), Pool(), nn.Linear(36, 10))
    s = nn.summary(model, (2, 3, 15, 15))
    _, first, relu, second, pool, last = s.rows
    assert (first.outputs, first.parameters, first.multiply_adds) == ((2, 8, 13, 13), 216, 2 * 8 * 13 * 13 * 3 * 9)
    assert (relu.flops, relu.kept_bytes) == (2 * 8 * 169, 2 * 8 * 169 * 4)
    assert (second.outputs, second.multiply_adds) == ((2, 4, 6, 6), 2 * 4 * 36 * 4 * 9)
    assert second.flops == 2 * second.multiply_adds
    assert (pool.outputs, last.multiply_adds) == ((2, 36), 2 * 360)
    # The largest of the 4 entries of each of 2 · 4 · 9 windows.
    assert pool.flops == 2 * 4 * 9 * 4


def test_conv2d_layer():
    s = nn.summary(nn.Conv2d(3, 16, 5, stride=2, padding=2, bias=True), (4, 3, 32, 32))
    assert s.rows[0].outputs == (4, 16, 16, 16) and s.parameters == 16 * 3 * 25 + 16
    assert s.multiply_adds == 4 * 16 * 16 * 16 * 3 * 25


@pytest.mark.reference
def test_products_are_counted_as_pytorch_does():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def work(lib, F, one):
        x = one(2, 3, 8, 8)
        y = F.conv2d(x, one(6, 3, 3, 3), stride=2, padding=1)
        y = F.conv_transpose2d(y, one(6, 4, 3, 3))
        y = F.linear(y.flatten(1), one(10, y.shape[1] * y.shape[2] * y.shape[3]))
        return (lib.einsum("nc,cd->nd", y, one(10, 7)) @ one(7, 4)).reshape(2, 2, 2) @ one(2, 2, 3)

    class Works(nn.Module):
        def forward(self, x):
            return work(autograd, nn.functional, autograd.ones)

    with FlopCounterMode(display=False) as counter:
        work(torch, torch.nn.functional, torch.ones)
    assert 2 * nn.summary(Works(), (1,)).multiply_adds == counter.get_total_flops()


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.same = nn.ModuleList([self.layer, nn.Linear(4, 4)])
        self.same[1].weight = self.layer.weight
        self.unused = nn.Linear(9, 9)
        self.scale = nn.Parameter(autograd.ones(4))

    def forward(self, x, mask=None):
        y = self.layer(self.layer(x)) * self.scale
        return (y, self.same[1](y) if mask is None else y * mask)


def test_shared_and_unused_layers_and_several_results():
    s = nn.summary(Twice(), (autograd.ones(3, 4),))
    rows = {row.path: row for row in s.rows}
    assert list(rows) == ["", "layer", "same", "same.1", "unused"]
    assert rows["layer"].calls == 2 and rows["layer"].multiply_adds == 2 * 3 * 16
    assert rows[""].outputs == [(3, 4), (3, 4)] and rows[""].flops == 12
    assert rows["same.1"].parameters == 4, "a shared weight was counted twice"
    assert s.parameters == 20 + 4 + 90 + 4 and rows["unused"].calls == 0
    text = repr(s)
    lines = {line.split(":")[0].strip(): line for line in text.split("\n")}
    assert "not called" in lines["unused"] and "not called" not in lines["same"]
    assert "layer: Linear × 2" in text and "(3, 4), (3, 4)" in text
    with_mask = nn.summary(Twice(), (3, 4), mask=autograd.ones(4))
    assert with_mask.rows[0].inputs == [(3, 4), (4,)] and with_mask.rows[0].flops == 24


class Draws(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", autograd.zeros(4))
        self.register_buffer("count", autograd.tensor(0))
        self.layer = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))

    def forward(self, x):
        self.mean.mul_(0.9).add_(x.detach().mean(0))
        self.count += 1
        return nn.functional.dropout(self.layer(x), 0.5, self.training) + autograd.randn(4)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(training):
    model = Draws().train(training)
    y = (model.mean * model.layer.bias).sum()
    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    tensors = list(model.buffers())
    autograd.manual_seed(3)
    with autograd.no_grad():
        s = nn.summary(model, (6, 4))
    drawn = autograd.rand(3).tolist()
    autograd.manual_seed(3)
    assert drawn == autograd.rand(3).tolist()
    for k, v in model.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k], err_msg=k)
    assert all(a is b for a, b in zip(model.buffers(), tensors, strict=True))
    assert all(m.training is training for m in model.modules())
    assert all(p.grad is None for p in model.parameters()) and not model.layer._forward_hooks
    assert s.kept_bytes > 0, "counted without recording"
    y.backward()


def test_nothing_changes_after_an_error():
    model = nn.Sequential(Draws(), nn.Linear(3, 3))
    tensors, state = list(model.buffers()), autograd.get_rng_state()
    with pytest.raises(autograd.ShapeError, match=r"^1: Linear\(in_features=3"):
        nn.summary(model, (6, 4))
    assert all(a is b for a, b in zip(model.buffers(), tensors, strict=True)) and state == autograd.get_rng_state()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_view_keeps_no_memory_of_its_own_and_what_is_saved_counts():
    class Moves(nn.Module):
        def forward(self, x):
            return (x.reshape(6, 2).T * 2).sum()

    class Gelu(nn.Module):
        def forward(self, x):
            return nn.functional.gelu(x)

    x = autograd.ones(3, 4, requires_grad=True)
    s = nn.summary(Moves(), x)
    assert (s.flops, s.kept_bytes) == (12 + 12, 12 * 4 + 4)
    kept = nn.summary(Gelu(), x).kept_bytes
    assert kept >= 12 * 4
    assert nn.summary(Gelu(), x.detach()).kept_bytes == 0, "nothing is recorded"


def test_notebook():
    class Angle(nn.Module):
        def _get_name(self):
            return "<Angle>"

        def forward(self, x):
            return x

    page = nn.summary(nn.Sequential(Angle(), nn.Linear(2, 2)), (1, 2))._repr_html_()
    assert page.count("<tr>") == 4 and "<td" in page and "padding-left: 2em" in page and "FLOPs" in page
    assert page.count("<td") == 18


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="summary: input must be a Tensor, a tuple of Tensors, or a shape, got int 3"):
        nn.summary(nn.Tanh(), 3)
    with pytest.raises(TypeError, match=r"summary: wants an nn\.Module, got type"):
        nn.summary(nn.Tanh, (1,))


# autograd.watch


def test_watch():
    seen, inner = [], []
    x = autograd.ones(2, 3, requires_grad=True)

    def note(op):
        autograd.zeros(2) + 1  # not shown to itself
        seen.append((op.primitive.name, op.result.shape, len(op.kept())))

    with autograd.watch(note):
        y = (x * 2).sum()
        with autograd.watch(lambda op: inner.append(repr(op))):
            x.detach().exp()
    assert seen == [("mul", (2, 3), 2), ("sum", (), 2), ("exp", (2, 3), 0)] and inner == ["<ran exp>"]
    y.backward()
    x.exp()
    assert len(seen) == 3


def test_watch_ends_after_an_error():
    seen = []
    with pytest.raises(autograd.ShapeError), autograd.watch(seen.append):
        autograd.ones(2) + autograd.ones(3)
    autograd.ones(2) + 1
    assert seen == []


def test_one_watch_serves_several_times():
    seen, others = [], []
    again = autograd.watch(lambda op: seen.append(op.primitive.name))
    with autograd.watch(lambda op: others.append(op.primitive.name)), again:
        autograd.ones(2).exp()
    with again:
        autograd.ones(2).sin()
    again(lambda: autograd.ones(2).cos())()
    assert seen == ["exp", "sin", "cos"] and others == ["exp"]


# Names that are left out


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        (nn, "LazyLinear", r"use Linear\)"), (nn, "DataParallel", "only the CPU"), (nn, "SyncBatchNorm", "BatchNorm1d"),
        (nn, "quantized", "use float32"), (nn, "Sequental", "mean 'Sequential'"),
        (nn.utils, "clip_grad_norm", "use clip_grad_norm_"), (nn.utils, "fuse_conv_bn_eval", "not fused"),
        (nn.utils, "skip_init", "no meta device"),
    ],
)  # fmt: skip
def test_names_that_are_left_out_say_what_to_use(module, name, instead):
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute '{name}'.*{instead}"):
        getattr(module, name)
    assert not hasattr(module, name)


class Attention(nn.Module):
    def forward(self, x):
        return nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)


def test_attention_counts_its_products():
    s = nn.summary(Attention(), (2, 5, 8))
    # Scores of 5 queries with 5 keys of 8 numbers, and as much to weigh the values; between them a softmax.
    assert s.multiply_adds == 2 * 2 * 5 * 5 * 8
    assert s.flops == 2 * s.multiply_adds + 2 * 5 * 5


COUNTED = {
    "pooling that overlaps": (lambda: nn.AvgPool2d(3, stride=1), (2, 3, 9, 9)),
    "an LSTM with a projection": (lambda: nn.LSTM(4, 6, proj_size=3, batch_first=True), (2, 5, 4)),
    "a transformer's layer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0), (2, 5, 8)),
}


@pytest.mark.parametrize("name", COUNTED)
def test_it_counts_as_the_profiler_does(name):
    make, shape = COUNTED[name]
    model = make()
    with autograd.profile() as profile:
        model(autograd.ones(*shape))
    assert nn.summary(model, shape).flops == profile.flops > 0


def test_an_operation_made_of_a_partial_function_counts_by_entries():
    def power(n, xp, x):
        return x**n

    cube = autograd.primitive(functools.partial(power, 3), name="cube").grads(x=lambda xp, g, out, x: 3 * x * x * g)

    class Cube(nn.Module):
        def forward(self, x):
            return cube(x)

    assert nn.summary(Cube(), (3, 4)).flops == 12
    x = autograd.ones(3, 4, requires_grad=True)
    with autograd.profile() as profile:
        cube(x).sum().backward()
    assert profile.flops > 2 * 12
