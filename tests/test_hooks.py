"""Hooks around a module's forward, backward, saving and loading; and errors that say where they happened."""

from __future__ import annotations

import copy
import pickle
import traceback

import numpy as np
import pytest

import autograd
import nn

LINEAR = "Linear(in_features=64, out_features=10, bias=True)"


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 10), nn.Tanh())

    def forward(self, x):
        return self.layers(x)


class Raises(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


def message_of(module, *args):
    with pytest.raises(Exception) as caught:
        module(*args)
    return caught.value, str(caught.value)


def test_errors_name_the_place_and_the_layer():
    net = nn.Sequential(nn.Tanh(), Block())
    error, text = message_of(net, autograd.ones(2, 3))
    assert text.startswith(f"1.layers.0: {LINEAR}: linear: x of shape (2, 3) and weight of shape (10, 64)")
    assert type(error) is autograd.ShapeError
    frames = [f.name for f in traceback.extract_tb(error.__traceback__)]
    assert frames.count("forward") == 4, "the traceback was cut"
    assert message_of(nn.Linear(64, 10), autograd.ones(2, 3))[1].startswith(f"{LINEAR}: linear: ")


def test_errors_are_located_with_hooks_too():
    net = nn.Sequential(nn.Tanh(), Block())
    net[1].layers[0].register_forward_hook(lambda *_: None)
    net.register_full_backward_hook(lambda *_: None)
    assert message_of(net, autograd.ones(2, 3))[1].startswith(f"1.layers.0: {LINEAR}: linear: ")


def test_a_layer_that_names_itself_is_not_named_twice():
    assert message_of(Raises(ValueError("Raises: got 3, wanted 2")), 0)[1] == "Raises(): got 3, wanted 2"
    assert message_of(Raises(ValueError("Raises(): got 3")), 0)[1] == "Raises(): got 3"
    assert message_of(nn.Sequential(Raises(IndexError("no"))), 0)[1] == "0: Raises(): no"
    # A model that raises itself goes by its name: its repr has many lines.
    with pytest.raises(TypeError, match=r"^Block: Block.forward\(\) takes 2 positional arguments"):
        Block()(1, 2)


class Others(ValueError):
    pass


@pytest.mark.parametrize(
    "error",
    [
        Others("text"), KeyError("key"), RuntimeError("text"), ValueError("two", "arguments"), ValueError(3),
        StopIteration(), KeyboardInterrupt(), AssertionError("text"),
    ],
    ids=repr,
)  # fmt: skip
def test_other_errors_pass_untouched(error):
    before = error.args
    with pytest.raises(type(error)) as caught:
        nn.Sequential(Raises(error))(0)
    assert caught.value is error and error.args == before and not hasattr(error, "_passed")


@pytest.mark.jax
def test_errors_of_a_trace_pass_untouched():
    jax = pytest.importorskip("jax")

    class Decides(nn.Module):
        def forward(self, x):
            return x if bool(jax.numpy.asarray(x._array).sum() > 0) else -x

    from autograd.backends import jax as backend

    with pytest.raises(jax.errors.ConcretizationTypeError) as caught:
        backend.jit(Decides())(autograd.ones(2))
    assert "Decides()" not in str(caught.value).split("\n")[0]


def test_a_located_error_leaves_a_process_without_the_model():
    net = nn.Sequential(nn.Linear(64, 10))
    net.unpicklable = lambda: None
    error, text = message_of(net, autograd.ones(2, 3))
    assert str(pickle.loads(pickle.dumps(error))) == text and text.startswith("0: Linear")


def test_a_module_in_a_plain_list_still_names_the_layer():
    class Hides(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = [nn.Linear(64, 10)]

        def forward(self, x):
            return self.parts[0](x)

    assert message_of(nn.Sequential(Hides()), autograd.ones(2, 3))[1].startswith(f"0: {LINEAR}: linear")


# Forward hooks


def test_always_called_hooks():
    calls = []
    layer = Raises(ValueError("no"))
    layer.register_forward_hook(lambda m, args, out: calls.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: calls.append("never"))
    with pytest.raises(ValueError, match="no"):
        layer(1)
    assert calls == [None]

    def fails(m, args, out):
        raise RuntimeError("hook")

    layer.register_forward_hook(fails, always_call=True)
    with pytest.warns(UserWarning, match="always_call=True raised RuntimeError"), pytest.raises(ValueError, match="no"):
        layer(1)


def test_a_module_without_hooks_left_is_called_directly():
    layer = nn.Tanh()
    assert not layer._hooked
    with layer.register_forward_pre_hook(lambda m, args: None):
        assert layer._hooked
    layer(autograd.ones(1))
    assert not layer._hooked


def twice(gradients):
    return tuple(None if g is None else g * 2 for g in gradients)


def backward_run(lib, tensor, kinds):
    """What the hooks see in one backward pass, and the gradients at its end."""
    seen = []

    class Two(lib.Module):
        def forward(self, x, y, factor):
            return x * y * factor, x.detach(), (x + y).sum()

    module = Two()
    x = tensor([1.0, 2.0], requires_grad="x" in kinds)
    y = tensor([3.0, 4.0], requires_grad="y" in kinds)

    def values(gradients):
        return [None if g is None else g.tolist() for g in gradients]

    if "pre" in kinds:
        module.register_full_backward_pre_hook(lambda m, g: seen.append(values(g)) or twice(g))
    if "change" in kinds:
        module.register_full_backward_hook(lambda m, gi, go: seen.append([values(gi), values(go)]) or twice(gi))
    module.register_full_backward_hook(lambda m, gi, go: seen.append([values(gi), values(go)]))
    z = tensor([1.0, 1.0], requires_grad=True)
    out, _, total = module(x * z, y, 3.0)
    ((out * out).sum() + (total if "total" in kinds else 0)).backward()
    return seen, [None if t.grad is None else t.grad.tolist() for t in (x, y, z)]


@pytest.mark.reference
@pytest.mark.parametrize(
    "kinds", [{"x"}, {"x", "y"}, {"x", "y", "pre", "total"}, {"y", "change", "total"}, {"x", "y", "pre", "change"}],
    ids=lambda k: "-".join(sorted(k)),
)  # fmt: skip
def test_backward_hooks_equal_pytorchs(kinds):
    import torch

    assert backward_run(nn, autograd.tensor, kinds) == backward_run(torch.nn, torch.tensor, kinds)


def test_backward_hooks():
    layer = nn.Linear(2, 3).double()
    x = autograd.tensor([[1.0, 2.0]], dtype=autograd.float64, requires_grad=True)
    plain = autograd.grad(layer(x).square().sum(), x)[0].numpy()
    seen = []
    handle = layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    first = layer.register_full_backward_hook(lambda m, gi, go: seen.append("first"), prepend=True)
    out = layer(x)
    out.square().sum().backward()
    assert seen[0] == "first"
    np.testing.assert_allclose(seen[1][0][0].numpy(), plain)
    np.testing.assert_allclose(seen[1][1][0].numpy(), 2 * out.numpy())
    np.testing.assert_allclose(x.grad.numpy(), plain)
    seen.clear()
    layer(x.detach()).sum().backward()
    assert seen[1][0] == (None,) and seen[1][1][0].tolist() == [[1.0, 1.0, 1.0]], "called without grad_input"
    with autograd.no_grad():
        assert not layer(x).requires_grad
    first.remove()
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 2


def test_backward_hooks_are_differentiated_through():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,))
    x = autograd.tensor([0.3, -0.2], dtype=autograd.float64, requires_grad=True)
    (g,) = autograd.grad(layer(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.tolist(), 3 * (1 - np.tanh(x.tolist()) ** 2))
    # The second pass comes through the module once more, so its hook is called once more.
    (h,) = autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.tolist(), -18 * np.tanh(x.tolist()) * (1 - np.tanh(x.tolist()) ** 2))


@pytest.mark.parametrize(
    ("hook", "kind", "message"),
    [
        (lambda m, gi, go: (gi[0], gi[0]), autograd.GraphError, "returned 2 gradients for grad_input, which has 1"),
        (3, TypeError, "hook must be callable"),
    ],
)
def test_bad_backward_hooks_are_refused(hook, kind, message):
    layer = nn.Tanh()
    with pytest.raises(kind, match=message):
        layer.register_full_backward_hook(hook)
        layer(autograd.ones(2, requires_grad=True)).sum().backward()


def test_backward_hooks_want_tensors_as_results():
    layer = nn.Identity()
    layer.register_full_backward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="must return a Tensor, or a tuple, list or dict of Tensors, got int 3"):
        layer(3)


# Hooks of the state


class WithExtra(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.steps = 0

    def get_extra_state(self):
        return {"steps": self.steps}

    def set_extra_state(self, state):
        self.steps = state["steps"]


def test_extra_state():
    a, b = nn.Sequential(WithExtra()), nn.Sequential(WithExtra())
    a[0].steps = 5
    state = a.state_dict()
    assert list(state) == ["0._extra_state", "0.layer.weight", "0.layer.bias"]
    b.load_state_dict(state)
    assert b[0].steps == 5
    del state["0._extra_state"]
    with pytest.raises(autograd.ShapeError, match=r"missing keys: 0._extra_state"):
        b.load_state_dict(state)
    with pytest.raises(autograd.ShapeError, match="unexpected keys: _extra_state"):
        nn.Linear(1, 1).load_state_dict(nn.Linear(1, 1).state_dict() | {"_extra_state": 1})


def test_state_dict_arguments():
    layer, before = nn.Linear(2, 1), {"x": 1}
    state = layer.state_dict(destination=before, prefix="a.", keep_vars=True)
    assert state is before and list(state) == ["x", "a.weight", "a.bias"] and state["a.weight"] is layer.weight


def test_state_hooks():
    net, calls = nn.Sequential(nn.Linear(2, 1)), []
    net[0].register_state_dict_pre_hook(lambda m, prefix, keep: calls.append((prefix, keep)))
    handle = net[0].register_state_dict_post_hook(lambda m, state, prefix, _: state.pop(prefix + "bias"))
    state = net.state_dict()
    assert list(state) == ["0.weight"] and calls == [("0.", False)]
    handle.remove()
    assert list(net.state_dict()) == ["0.weight", "0.bias"]
    with pytest.raises(autograd.ShapeError, match=r"missing keys: 0.bias"):
        net.load_state_dict(state)
    net[0].register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    state["0.weight"] = autograd.full((1, 2), 7.0)
    assert net.load_state_dict(state).missing_keys == [] and net[0].weight.tolist() == [[7.0, 7.0]]
    net[0].register_load_state_dict_pre_hook(
        lambda m, s, prefix, meta, strict, missing, extra, errors: errors.append("x")
    )
    with pytest.raises(autograd.ShapeError, match=r"does not fit Sequential\n  x\n"):
        net.load_state_dict(state)


def test_load_by_assigning():
    layer, other = nn.Linear(2, 1), nn.Linear(2, 1).double()
    layer.requires_grad_(False)
    state = other.state_dict()
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype == autograd.float64 and type(layer.weight) is nn.Parameter
    assert not layer.weight.requires_grad
    state["weight"].zero_()
    assert layer.weight.tolist() == [[0.0, 0.0]], "the memory is not shared"
    net = nn.Module()
    net.register_buffer("mean", autograd.zeros(1))
    net.load_state_dict({"mean": np.ones(1)}, assign=True)
    assert net.mean.tolist() == [1.0] and net.mean.dtype == autograd.float64


def test_near_names_are_suggested():
    with pytest.raises(autograd.ShapeError, match=r"unexpected keys: wieght \(did you mean weight\?\), zzz\n"):
        nn.Linear(1, 1).load_state_dict({"wieght": np.zeros((1, 1)), "bias": np.zeros(1), "zzz": 0})


def test_hooks_are_copied_and_old_pickles_load():
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(print_nothing)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert len(twin._forward_hooks) == 1 and twin._hooked
        twin._forward_hooks.clear()
    assert len(layer._forward_hooks) == 1
    old = {k: v for k, v in nn.Linear(1, 1).__dict__.items() if k not in ("_hooked", "_backward_hooks", "_state_hooks")}
    twin = object.__new__(nn.Linear)
    twin.__setstate__(old)
    twin.register_full_backward_hook(print_nothing)
    assert twin(autograd.ones(1, 1)).shape == (1, 1) and len(twin.state_dict()) == 2


def print_nothing(*_):
    return None


def test_set_submodule_and_type():
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 1)))
    net.set_submodule("0.0", nn.Tanh())
    net.set_submodule("0.more", nn.ReLU())
    assert [n for n, _ in net.named_modules()] == ["", "0", "0.0", "0.more"]
    with pytest.raises(AttributeError, match="Sequential has no submodule 'x'"):
        net.set_submodule("0.x", nn.ReLU(), strict=True)
    with pytest.raises(ValueError, match=r"wants an nn\.Module"):
        net.set_submodule("0.x", 3)
    assert nn.Linear(1, 1).type(autograd.float64).weight.dtype == autograd.float64


@pytest.mark.parametrize("name", ["cuda", "share_memory", "to_empty", "bfloat16", "compile", "register_backward_hook"])
def test_what_is_left_out_says_what_to_use(name):
    with pytest.raises(AttributeError, match=f"Tanh: has no attribute '{name}': .*;|only the CPU|no compilation"):
        getattr(nn.Tanh(), name)
