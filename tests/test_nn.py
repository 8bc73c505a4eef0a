"""Modules: names, state, hooks, containers and errors; test_layers.py has the table of layers and losses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn


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
        r"^Linear\(in_features=3, .*\): linear: x of shape \(4, 5\) and weight of shape \(2, 3\)",
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
