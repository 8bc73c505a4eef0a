"""Modules: one row per layer and loss, checked by its formula, by gradcheck and against PyTorch."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
import nn


class Row(NamedTuple):
    """``make(nn)`` builds the module, here or in PyTorch; ``inputs(rng)`` gives arrays; ``formula`` is it in NumPy."""

    make: Any
    inputs: Any
    formula: Any


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def nll(x, t, weight=None, ignore=-100, reduction="mean"):
    w = np.where(t == ignore, 0.0, 1.0 if weight is None else weight[np.where(t == ignore, 0, t)])
    losses = -np.take_along_axis(x, np.where(t == ignore, 0, t)[:, None], 1)[:, 0] * w
    return losses if reduction == "none" else losses.sum() / (w.sum() if reduction == "mean" else 1)


def floats(*shape):
    return lambda rng: [rng.standard_normal(shape)]


def classes(n, c, *more):
    return lambda rng: [rng.standard_normal((n, c, *more)), rng.integers(0, c, (n, *more))]


def log_probabilities(rng):
    x, t = classes(4, 3)(rng)
    return [np.log(softmax(x, 1)), t]


def pair(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal((4, 3))]


def ignored(rng):
    x, t = classes(5, 3)(rng)
    t[1] = -1
    return [x, t]


def affine(module, x):
    bias = 0 if module.bias is None else module.bias.numpy()
    return x @ module.weight.numpy().T + bias


def chain(module, x):
    return affine(module[2], np.tanh(affine(module[0], x)))


WEIGHT = np.array([0.5, 2.0, 1.0])


def weight(lib):
    return lib.nn.Parameter(lib.tensor(WEIGHT), requires_grad=False).detach()


class Library(NamedTuple):
    nn: Any
    tensor: Any


OURS = Library(nn, autograd.tensor)

LAYERS = {
    "Linear": [
        Row(lambda lib: lib.nn.Linear(3, 2), floats(4, 3), affine),
        Row(lambda lib: lib.nn.Linear(3, 2, bias=False), floats(2, 4, 3), affine),
        Row(lambda lib: lib.nn.Linear(3, 2), floats(3), affine),
    ],
    "Sequential": [
        Row(
            lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2)),
            floats(5, 3), chain,
        ),
        Row(
            lambda lib: lib.nn.Sequential(OrderedDict(a=lib.nn.Linear(3, 4), b=lib.nn.Tanh(), c=lib.nn.Linear(4, 2))),
            floats(5, 3), chain,
        ),
    ],
    "ReLU": [Row(lambda lib: lib.nn.ReLU(), floats(4, 3), lambda m, x: np.maximum(x, 0))],
    "Tanh": [Row(lambda lib: lib.nn.Tanh(), floats(4, 3), lambda m, x: np.tanh(x))],
    "Sigmoid": [Row(lambda lib: lib.nn.Sigmoid(), floats(4, 3), lambda m, x: 1 / (1 + np.exp(-x)))],
    "Softmax": [
        Row(lambda lib: lib.nn.Softmax(dim=1), floats(4, 3), lambda m, x: softmax(x, 1)),
        Row(lambda lib: lib.nn.Softmax(dim=-2), floats(4, 3), lambda m, x: softmax(x, 0)),
    ],
    "LogSoftmax": [Row(lambda lib: lib.nn.LogSoftmax(dim=1), floats(4, 3), lambda m, x: np.log(softmax(x, 1)))],
    "Identity": [Row(lambda lib: lib.nn.Identity(3, unused=1), floats(4, 3), lambda m, x: x)],
    "Flatten": [
        Row(lambda lib: lib.nn.Flatten(), floats(2, 3, 4), lambda m, x: x.reshape(2, 12)),
        Row(lambda lib: lib.nn.Flatten(0, 1), floats(2, 3, 4), lambda m, x: x.reshape(6, 4)),
    ],
    "MSELoss": [
        Row(lambda lib: lib.nn.MSELoss(), pair, lambda m, x, y: ((x - y) ** 2).mean()),
        Row(lambda lib: lib.nn.MSELoss(reduction="sum"), pair, lambda m, x, y: ((x - y) ** 2).sum()),
        Row(lambda lib: lib.nn.MSELoss(reduction="none"), pair, lambda m, x, y: (x - y) ** 2),
    ],
    "CrossEntropyLoss": [
        Row(lambda lib: lib.nn.CrossEntropyLoss(), classes(4, 3), lambda m, x, t: nll(np.log(softmax(x, 1)), t)),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(weight=weight(lib), ignore_index=-1), ignored,
            lambda m, x, t: nll(np.log(softmax(x, 1)), t, WEIGHT, -1),
        ),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(label_smoothing=0.3, reduction="sum"), classes(4, 3),
            lambda m, x, t: 0.7 * nll(np.log(softmax(x, 1)), t, reduction="sum") - 0.1 * np.log(softmax(x, 1)).sum(),
        ),
        Row(
            lambda lib: lib.nn.CrossEntropyLoss(reduction="none"), classes(4, 3, 2),
            lambda m, x, t: -np.take_along_axis(np.log(softmax(x, 1)), t[:, None], 1)[:, 0],
        ),
    ],
    "NLLLoss": [
        Row(lambda lib: lib.nn.NLLLoss(), log_probabilities, lambda m, x, t: nll(x, t)),
        Row(
            lambda lib: lib.nn.NLLLoss(weight=weight(lib), ignore_index=-1), ignored,
            lambda m, x, t: nll(x, t, WEIGHT, -1),
        ),
        Row(lambda lib: lib.nn.NLLLoss(reduction="sum"), log_probabilities, lambda m, x, t: nll(x, t, reduction="sum")),
        Row(
            lambda lib: lib.nn.NLLLoss(reduction="none"), classes(4, 3, 2),
            lambda m, x, t: -np.take_along_axis(x, t[:, None], 1)[:, 0],
        ),
    ],
}  # fmt: skip
CASES = [(name, row) for name, rows in LAYERS.items() for row in rows]
IDS = [f"{name}-{i}" for name, rows in LAYERS.items() for i, _ in enumerate(rows)]


def test_every_module_has_a_row():
    exported = {
        name for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }  # fmt: skip
    assert exported - {"Module"} == set(LAYERS)


def tensors(arrays):
    return [autograd.tensor(a, requires_grad=a.dtype.kind == "f" and i == 0) for i, a in enumerate(arrays)]


@pytest.mark.parametrize(("name", "row"), CASES, ids=IDS)
def test_formula_and_gradient(name, row):
    module = row.make(OURS).double()
    arrays = row.inputs(np.random.default_rng(0))
    inputs = tensors(arrays)
    np.testing.assert_allclose(module(*inputs).detach().numpy(), row.formula(module, *arrays), rtol=1e-12, atol=1e-14)
    parameters = list(module.parameters())

    def call(*values):
        # The parameters are inputs here too, so that their gradients are checked as well.
        saved = [p.data for p in parameters]
        for (path, _), value in zip(names, values[len(inputs) :], strict=True):
            owner = module.get_submodule(path.rpartition(".")[0])
            owner.__dict__[path.rpartition(".")[2]] = value
        out = module(*values[: len(inputs)])
        for (path, p), _ in zip(names, saved, strict=True):
            module.get_submodule(path.rpartition(".")[0]).__dict__[path.rpartition(".")[2]] = p
        return out

    names = list(module.named_parameters())
    assert autograd.gradcheck(call, [*inputs, *[p.detach().requires_grad_() for p in parameters]])


@pytest.mark.parametrize(("name", "row"), CASES, ids=IDS)
def test_float32_stays_and_copies_agree(name, row):
    module = row.make(OURS).float()
    arrays = [a.astype("float32") if a.dtype.kind == "f" else a for a in row.inputs(np.random.default_rng(0))]
    out = module(*tensors(arrays))
    assert out.dtype == autograd.float32
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(other(*tensors(arrays)).detach().numpy(), out.detach().numpy())
        assert [type(p) for p in other.parameters()] == [nn.Parameter] * len(list(module.parameters()))
        assert not any(a is b for a, b in zip(other.parameters(), module.parameters(), strict=True))


@pytest.mark.reference
@pytest.mark.parametrize(("name", "row"), CASES, ids=IDS)
def test_equals_pytorch(name, row):
    import torch

    theirs = row.make(Library(torch.nn, torch.tensor)).double()
    ours = row.make(OURS).double()
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    arrays = row.inputs(np.random.default_rng(0))
    x, y = tensors(arrays), [torch.tensor(a) for a in arrays]
    y[0].requires_grad = True
    a, b = ours(*x), theirs(*y)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-14)
    upstream = np.random.default_rng(1).standard_normal(a.shape)
    a.backward(autograd.tensor(upstream))
    b.backward(torch.tensor(upstream))
    for p, q in zip([x[0], *ours.parameters()], [y[0], *theirs.parameters()], strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_linear_starts_as_pytorchs_does():
    autograd.manual_seed(0)
    layer = nn.Linear(50, 400)
    for p in (layer.weight, layer.bias):
        a = p.numpy() * float(np.sqrt(50))
        assert np.abs(a).max() <= 1 + 1e-6 and a.dtype == np.float32
        assert abs(a.mean()) < 0.1 and abs(a.var() - 1 / 3) < 0.05
    autograd.manual_seed(0)
    np.testing.assert_array_equal(nn.Linear(50, 400).weight.numpy(), layer.weight.numpy())


INIT = {
    "uniform_": (lambda t, g: nn.init.uniform_(t, -1, 3, generator=g), 1.0, 4 / np.sqrt(12)),
    "normal_": (lambda t, g: nn.init.normal_(t, 2.0, 0.5, generator=g), 2.0, 0.5),
    "constant_": (lambda t, g: nn.init.constant_(t, 3.0), 3.0, 0.0),
    "zeros_": (lambda t, g: nn.init.zeros_(t), 0.0, 0.0),
    "ones_": (lambda t, g: nn.init.ones_(t), 1.0, 0.0),
    "kaiming_uniform_": (
        lambda t, g: nn.init.kaiming_uniform_(t, nonlinearity="relu", generator=g), 0.0, np.sqrt(2 / 100)
    ),
    "kaiming_normal_": (
        lambda t, g: nn.init.kaiming_normal_(t, a=1.0, mode="fan_out", generator=g), 0.0, np.sqrt(1 / 400)
    ),
    "xavier_uniform_": (lambda t, g: nn.init.xavier_uniform_(t, 2.0, generator=g), 0.0, 2 * np.sqrt(2 / 500)),
    "xavier_normal_": (lambda t, g: nn.init.xavier_normal_(t, generator=g), 0.0, np.sqrt(2 / 500)),
}  # fmt: skip


def test_every_init_has_a_row():
    assert {n for n in nn.init.__all__ if n.endswith("_")} == set(INIT)


@pytest.mark.parametrize(("fill", "mean", "std"), INIT.values(), ids=INIT)
def test_init(fill, mean, std):
    p = nn.Parameter(autograd.empty(400, 100))
    assert fill(p, autograd.Generator().manual_seed(0)) is p and p.requires_grad and p.is_leaf
    a = p.numpy().copy()
    assert abs(a.mean() - mean) <= 0.02 * std + 1e-6 and abs(a.std() - std) <= 0.02 * std + 1e-6
    fill(p, autograd.Generator().manual_seed(0))
    np.testing.assert_array_equal(p.numpy(), a)


@pytest.mark.reference
def test_gains_equal_pytorchs():
    import torch

    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.register_buffer("count", autograd.zeros(1))
        self.register_buffer("cache", autograd.zeros(2), persistent=False)
        self.scale = nn.Parameter(autograd.ones(3))
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.again = self.first

    def forward(self, x):
        return self.second(self.first(x)) * self.scale


def test_names_of_shared_parts():
    net = Tied()
    assert [n for n, _ in net.named_parameters()] == ["scale", "first.weight", "second.bias"]
    assert [n for n, _ in net.named_modules()] == ["", "first", "second"]
    assert [n for n, _ in net.named_children()] == ["first", "second"]
    assert [n for n, _ in net.named_buffers()] == ["count", "cache"]
    assert list(net.state_dict()) == [
        "scale", "count", "first.weight", "second.weight", "second.bias", "again.weight",
    ]  # fmt: skip
    net.double()
    assert net.second.weight is net.first.weight and net.count.dtype == autograd.float64
    twin = copy.deepcopy(net)
    assert twin.second.weight is twin.first.weight is not net.first.weight


def test_state_dict_shares_memory_and_loads():
    a, b = nn.Linear(3, 2), nn.Linear(3, 2)
    memory = b.weight.numpy()
    assert repr(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    assert b.weight.numpy() is memory
    np.testing.assert_array_equal(memory, a.weight.numpy())
    a.state_dict()["bias"].zero_()
    assert a.bias.tolist() == [0.0, 0.0]
    keys = b.load_state_dict({"bias": np.ones(2), "more": np.ones(2)}, strict=False)
    assert keys.missing_keys == ["weight"] and keys.unexpected_keys == ["more"] and b.bias.tolist() == [1.0, 1.0]


def test_load_state_dict_lists_everything_and_copies_nothing():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = net[0].bias.tolist()
    state = {"0.weight": np.zeros((2, 4)), "0.bias": np.zeros(2), "1.weight": np.zeros((1, 2)), "x": np.zeros(1)}
    with pytest.raises(autograd.ShapeError) as error:
        net.load_state_dict(state)
    text = str(error.value)
    assert "0.weight is (2, 4) in the state and (2, 3) in the module" in text
    assert "missing keys: 1.bias" in text and "unexpected keys: x" in text
    assert net[0].bias.tolist() == before


def test_hooks():
    layer = nn.Linear(2, 2)
    x, calls = autograd.ones(1, 2), []
    plain = layer(x).tolist()
    pre = layer.register_forward_pre_hook(lambda m, args: calls.append("pre") or (args[0] * 0,))
    first = layer.register_forward_hook(lambda m, args, out: calls.append("a") or out + 1)
    layer.register_forward_hook(lambda m, args, kwargs, out: calls.append(len(kwargs)), prepend=True, with_kwargs=True)
    np.testing.assert_allclose(layer(x).tolist(), (layer.bias + 1).reshape(1, 2).tolist())
    assert calls == ["pre", 0, "a"]
    pre.remove()
    first.remove()
    assert layer(x).tolist() == plain


def test_switches():
    net = Tied()
    assert net.training and not net.eval().first.training and net.train().second.training
    net(autograd.ones(1, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0.0, 0.0, 0.0]
    net.zero_grad()
    assert net.scale.grad is None
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    seen = []
    net.apply(seen.append)
    assert seen[-1] is net and len(seen) == 3


def test_attributes_change_kind_and_go():
    net = nn.Module()
    net.a = 1
    net.a = nn.Parameter(autograd.ones(1))
    net.b = nn.Linear(1, 1)
    assert [n for n, _ in net.named_parameters()] == ["a", "b.weight", "b.bias"]
    net.a = None
    assert [n for n, _ in net.named_parameters()] == ["b.weight", "b.bias"] and net.a is None
    del net.b
    assert not list(net.parameters()) and not hasattr(net, "b")


def test_sequential_is_a_sequence():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU())
    net.append(nn.Linear(2, 3)).insert(1, nn.Tanh())
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "ReLU", "Linear"] and len(net) == 4
    del net[1]
    net[1] = nn.Sigmoid()
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert net[-1].out_features == 3 and len(net[1:]) == 2 and net[:1][0] is net[0]


def test_parameter():
    data = autograd.zeros(2)
    p = nn.Parameter(data)
    assert isinstance(p, autograd.Tensor) and p.requires_grad and p.is_leaf and not data.requires_grad
    data.fill_(3.0)
    assert p.tolist() == [3.0, 3.0]
    assert type(p * 1) is autograd.Tensor and repr(p).startswith("Parameter containing:\ntensor([3., 3.]")
    frozen = pickle.loads(pickle.dumps(nn.Parameter(data, requires_grad=False)))
    assert type(frozen) is nn.Parameter and not frozen.requires_grad


class Forgot(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


LOG = autograd.zeros(2, 3)
ERRORS = {
    "init first": (Forgot, AttributeError, r"Forgot: cannot assign module 'layer' before super\(\).__init__"),
    "typo": (lambda: nn.Linear(1, 1).wieght, AttributeError, "no attribute 'wieght'; did you mean 'weight'"),
    "no forward": (lambda: nn.Module()(1), NotImplementedError, "has no forward method"),
    "parameter": (lambda: setattr(nn.Linear(1, 1), "weight", 3), TypeError, "'weight' is a parameter"),
    "int parameter": (lambda: nn.Parameter(autograd.arange(3)), autograd.DTypeError, "only floating Tensors"),
    "buffer name": (lambda: nn.Module().register_buffer("a.b", None), ValueError, "without dots"),
    "taken": (lambda: nn.Module().register_parameter("forward", None), KeyError, "already an attribute"),
    "non-leaf": (
        lambda: nn.Module().register_buffer("x", nn.Linear(1, 1).weight * 2), ValueError, "result of mul, not a leaf",
    ),
    "input": (
        lambda: nn.Linear(3, 2)(autograd.ones(4, 5)), autograd.ShapeError,
        r"Linear\(in_features=3, .*wants input of shape \(…, 3\), got \(4, 5\)",
    ),
    "size": (lambda: nn.Linear(-1, 2), ValueError, "in_features must not be negative"),
    "size type": (lambda: nn.Linear(1.5, 2), TypeError, "in_features must be an int, got float 1.5"),
    "class": (lambda: nn.Sequential(nn.ReLU), TypeError, "write an instance, with parentheses"),
    "index": (lambda: nn.Sequential()[0], IndexError, "index 0 is out of range, there are 0"),
    "to int": (lambda: nn.Linear(1, 1).to(autograd.int64), autograd.DTypeError, "floating dtypes only, got int64"),
    "device": (lambda: nn.Linear(1, 1).to("cuda"), ValueError, "there is only 'cpu'"),
    "train": (lambda: nn.ReLU().train(1), ValueError, "mode must be True or False"),
    "mse (N, 1)": (
        lambda: nn.MSELoss()(autograd.ones(4, 1), autograd.ones(4)), autograd.ShapeError,
        r"mse_loss: input of shape \(4, 1\) and target of shape \(4,\) .*target.unsqueeze\(-1\)",
    ),
    "mse (N,)": (
        lambda: nn.MSELoss()(autograd.ones(4), autograd.ones(4, 1)), autograd.ShapeError, r"target.squeeze\(-1\)",
    ),
    "reduction": (lambda: nn.MSELoss("avg"), ValueError, "MSELoss: reduction must be 'mean', .* got 'avg'"),
    "nll class": (lambda: nn.NLLLoss()(LOG, autograd.tensor([0, 3])), IndexError, "class 3, and input 3"),
    "nll negative": (lambda: nn.NLLLoss()(LOG, autograd.tensor([0, -1])), IndexError, "class -1, .*ignore_index=-100"),
    "nll dtype": (lambda: nn.NLLLoss()(LOG, autograd.ones(2)), autograd.DTypeError, "integer classes"),
    "nll shape": (
        lambda: nn.NLLLoss()(LOG, autograd.tensor([[0], [1]])), autograd.ShapeError, r"shape \(2,\), got \(2, 1\)",
    ),
    "softmax dim": (lambda: nn.Softmax()(LOG), TypeError, "softmax: say along which dimension"),
    "fan": (lambda: nn.init.xavier_uniform_(autograd.ones(3)), autograd.ShapeError, r"at least 2 dimensions.*\(3,\)"),
    "gain": (lambda: nn.init.calculate_gain("swish"), ValueError, "unknown nonlinearity 'swish'"),
    "submodule": (lambda: nn.Sequential().get_submodule("0"), AttributeError, "Sequential has no submodule '0'"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
