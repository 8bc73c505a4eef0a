"""Forms of PyTorch's that model files use beside the operations: dicts of a module, older constructors, hooks."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import DTypeError, GraphError, ShapeError, tensor

# A module's dicts


class Scaled(nn.Module):
    """A layer whose weight is computed anew at each call, by way of its dict of parameters."""

    def __init__(self, layer, scale):
        super().__init__()
        self.layer, self.scale = layer, scale
        self.register_parameter("weight_raw", nn.Parameter(layer._parameters.pop("weight").data))

    def forward(self, x):
        self.layer.weight = self.weight_raw * self.scale
        return self.layer(x)


def test_a_weight_taken_out_of_a_layer_is_learned_by_its_owner():
    model = Scaled(nn.Linear(3, 2), 0.5)
    x = autograd.ones(4, 3)
    for _ in range(2):
        assert [name for name, _ in model.named_parameters()] == ["weight_raw", "layer.bias"]
        expected = x @ model.weight_raw.T * 0.5 + model.layer.bias
        np.testing.assert_allclose(model(x).detach(), expected.detach(), rtol=1e-6)
    model(x).sum().backward()
    assert np.array_equal(model.weight_raw.grad, np.full((2, 3), 2.0))
    assert (set(model.layer._parameters), list(model._modules)) == ({"bias"}, ["layer"])


def test_a_modules_dicts_can_be_written():
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    net._modules["0"] = nn.Identity()
    assert repr(net[0]) == "Identity()" and list(net._modules) == ["0", "1"]
    assert list(net[1]._buffers) == ["running_mean", "running_var", "num_batches_tracked"]
    net[1]._buffers["running_mean"] = autograd.ones(1)
    assert net.state_dict()["1.running_mean"].item() == 1
    del net[1]._buffers["running_var"]
    assert "1.running_var" not in net.state_dict() and not hasattr(net[1], "running_var")
    net[1]._parameters["bias"] = None
    assert len(net[1]._parameters) == 2 and [name for name, _ in net.named_parameters()] == ["1.weight"]
    with pytest.raises(KeyError):
        net[1]._parameters["running_mean"]
    with pytest.raises(KeyError):
        del net._modules["weight"]
    with pytest.raises(TypeError, match=r"module '0' must be an nn\.Module or None, got int 3"):
        net._modules["0"] = 3


def test_a_buffer_is_kept_as_it_is_assigned():
    module = nn.Module()
    module.kept, module.passing = nn.Buffer(autograd.ones(2)), nn.Buffer(tensor([1]), persistent=False)
    assert [name for name, _ in module.named_buffers()] == ["kept", "passing"]
    assert list(module.state_dict()) == ["kept"] and repr(module.kept) == "tensor([1., 1.])"
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert [again.kept.persistent, again.passing.persistent] == [True, False]
        assert list(again.state_dict()) == ["kept"]
    assert isinstance(module.passing, nn.Buffer) and not isinstance(module.passing, nn.Parameter)


# Constructors


@pytest.mark.parametrize("kind", ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"])
def test_older_constructors(kind):
    made = getattr(autograd, f"{kind}Tensor")
    x = made([0, 1])
    assert isinstance(x, made) and x.shape == (2,) and x.tolist() == [0, 1] and made(2, 3).shape == (2, 3)
    assert not isinstance(x, autograd.DoubleTensor if kind != "Double" else autograd.FloatTensor)
    assert made().shape == (0,) and made(np.zeros((1, 2))).dtype == x.dtype
    with pytest.raises(TypeError, match=f"{kind}Tensor: the tuple \\(2, 3\\) could be sizes or data"):
        made((2, 3))


def test_new_and_variable():
    w = autograd.zeros(2, dtype=autograd.float64)
    assert w.new(3, 4).shape == (3, 4) and w.new([1, 2]).dtype == w.dtype
    v = autograd.Variable(tensor([1.0]), requires_grad=True)
    assert v.requires_grad and isinstance(v, autograd.Variable) and not isinstance(3, autograd.Variable)
    assert w.byte().dtype == autograd.uint8 and w.short().dtype == autograd.int16 and w.char().dtype == autograd.int8
    assert isinstance(w.shape, autograd.Size) and isinstance(w.dtype, autograd.dtype)


# Functions


def test_methods_are_functions_too():
    x = tensor([-1.0, 4.0])
    assert autograd.relu_(x) is x and x.tolist() == [0, 4] and autograd.detach(x).tolist() == [0, 4]
    assert autograd.is_nonzero(tensor(2)) and autograd.is_signed(x) and not autograd.is_signed(x.byte())
    assert autograd.get_device(x) == -1 and autograd.is_same_size(x, x + 1)
    with pytest.raises(ShapeError, match="is_nonzero: wants a Tensor with one entry"):
        x.is_nonzero()


def test_in_place_forms_have_gradients():
    leaf = autograd.ones(3, 3, requires_grad=True)
    y = leaf * 2
    y.fill_diagonal_(0.0)
    y.sum().backward()
    assert np.array_equal(leaf.grad, 2 - 2 * np.eye(3))
    leaf = tensor([1.0, 5.0], requires_grad=True)
    y = leaf * 1
    y.index_reduce_(0, tensor([0, 0]), tensor([3.0, 2.0]), "amax")
    y.sum().backward()
    assert y.tolist() == [3, 5] and leaf.grad.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("call", "error", "fragment"),
    [
        (lambda x: x.fill_diagonal_(1.0), ShapeError, "fill_diagonal_: wants a matrix"),
        (lambda x: x.sum_to_size(2), ShapeError, "sum_to_size: (2,) does not broadcast to x's shape (3,)"),
        (lambda x: x.sum_to_size(1, 3), ShapeError, "does not broadcast"),
        (lambda x: x.select_scatter(tensor(1.0), 0, 3), IndexError, "index 3 is out of range for dim 0 of size 3"),
        (lambda x: x.select_scatter(x, 0, 0), ShapeError, "src has shape (3,), and its place in x"),
        (lambda x: x.slice_scatter(x, step=0), ValueError, "step must be at least 1, got 0"),
        (lambda x: x.slice_scatter(tensor([1]), end=1), DTypeError, "x is float32 and src int64"),
        (lambda x: x.index_reduce(0, tensor([0]), x[:1], "sum"), ValueError, "'prod', 'mean', 'amax' or 'amin'"),
        (lambda x: autograd.isin(1, 2), DTypeError, "must be a Tensor"),
        (lambda x: autograd.unravel_index(x, (3,)), DTypeError, "indices must be integers"),
        (lambda x: x.resize_(1), GraphError, "does not change in place"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_sentence(call, error, fragment):
    with pytest.raises(error) as raised:
        call(autograd.zeros(3))
    assert fragment in str(raised.value)


@pytest.mark.reference
def test_derivatives_at_points_are_pytorchs():
    import torch
    import torch.autograd.functional as theirs

    def one(x):
        return (x**3).sum() * x[0]

    def two(x, y):
        return (x * y.sum()).exp(), (x + y).sin()

    def same(ours, expected):
        if isinstance(expected, tuple):
            assert isinstance(ours, tuple) and len(ours) == len(expected)
            for o, e in zip(ours, expected, strict=True):
                same(o, e)
        else:
            assert ours.shape == tuple(expected.shape) and not ours.requires_grad
            np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-10)

    x, y = np.array([0.3, -0.7]), np.array([0.5, 0.2])
    (a, b), (s, t) = (tensor(x), tensor(y)), (torch.tensor(x), torch.tensor(y))
    ours = autograd.functional
    same(ours.jacobian(two, (a, b)), theirs.jacobian(two, (s, t)))
    same(ours.jacobian(lambda x: x**2, a), theirs.jacobian(lambda x: x**2, s))
    same(ours.hessian(one, a), theirs.hessian(one, s))
    same(ours.hessian(lambda x, y: (x * y).sum() ** 2, (a, b)), theirs.hessian(lambda x, y: (x * y).sum() ** 2, (s, t)))
    same(ours.vjp(two, (a, b), (b, a)), theirs.vjp(two, (s, t), (t, s)))
    same(ours.vjp(one, a), theirs.vjp(one, s))
    same(ours.jvp(two, (a, b), (b, a)), theirs.jvp(two, (s, t), (t, s)))
    for name in ("hvp", "vhp"):
        same(getattr(ours, name)(one, a, b), getattr(theirs, name)(one, s, t))
    with pytest.raises(ShapeError, match="jvp: v can be left out only for one Tensor with one entry"):
        ours.jvp(one, a)
    with pytest.raises(ValueError, match="jacobian: strict=True is not supported"):
        ours.jacobian(one, a, strict=True)


def test_a_derivative_at_a_point_can_be_differentiated():
    x = tensor([2.0], requires_grad=True)
    autograd.functional.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    assert x.grad.tolist() == [12]


# Optimizers and random numbers


def test_hooks_of_an_optimizers_state():
    optimizer = optim.SGD([autograd.zeros(1, requires_grad=True)], lr=0.1)
    said = []
    handle = optimizer.register_state_dict_pre_hook(lambda o: said.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "epoch": 3})
    optimizer.register_state_dict_post_hook(lambda o, state: said.append(sorted(state)), prepend=True)
    state = optimizer.state_dict()
    assert said == ["save", ["param_groups", "state"]] and state["epoch"] == 3
    handle.remove()
    optimizer.register_load_state_dict_pre_hook(lambda o, given: given.pop("epoch") and None)
    optimizer.register_load_state_dict_pre_hook(
        lambda o, given: {**given, "param_groups": [{**given["param_groups"][0], "lr": 0.5}]}
    )
    optimizer.register_load_state_dict_post_hook(lambda o: said.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(state)
    assert said[2:] == [0.5] and state["epoch"] == 3
    pickle.dumps(optimizer)


def test_random_numbers_within_a_fork_leave_the_stream_alone():
    autograd.manual_seed(1)
    expected = autograd.rand(2).tolist()
    autograd.manual_seed(1)
    with autograd.random.fork_rng():
        autograd.manual_seed(7)
        autograd.rand(5)
    assert autograd.rand(2).tolist() == expected
    with autograd.random.fork_rng(enabled=False):
        autograd.manual_seed(1)
    assert autograd.rand(2).tolist() == expected
