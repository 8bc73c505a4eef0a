"""Containers: every operation on both ours and PyTorch's, and what they refuse."""

from __future__ import annotations

import copy
import pickle

import pytest

import autograd
import nn


def changes_of_sequential(lib, one):
    net = lib.Sequential(lib.Linear(1, 2), lib.ReLU())
    yield net.append(lib.Linear(2, 3))
    yield net.insert(1, lib.Tanh())
    yield net.extend([lib.Sigmoid(), lib.Linear(3, 1)])
    yield net.pop(-2)
    yield net
    yield net.pop(slice(0, 2))
    yield net + lib.Sequential(lib.Tanh())
    net += lib.Sequential(lib.ReLU())
    yield net
    yield net * 2
    yield 3 * net
    net *= 2
    yield net
    yield net[1:3]
    del net[::2]
    yield net
    net[0] = lib.Identity()
    yield net
    yield net.insert(-1, lib.Flatten())


def changes_of_list(lib, one):
    parts = lib.ModuleList(lib.Linear(2, 2) for _ in range(3))
    yield parts
    yield parts.append(lib.Tanh())
    yield parts.extend([lib.Sequential(lib.ReLU(), lib.ReLU()), lib.Sequential(lib.ReLU(), lib.ReLU())])
    parts.insert(1, lib.ReLU())
    yield parts
    yield parts[1:4]
    yield parts[-1]
    yield parts + lib.ModuleList([lib.Identity()])
    parts += [lib.Identity()]
    yield parts
    yield parts.pop(2)
    del parts[0]
    yield parts
    del parts[1:3]
    yield parts
    parts[0] = lib.Tanh()
    yield parts
    yield lib.ModuleList()


def changes_of_dict(lib, one):
    parts = lib.ModuleDict({"b": lib.Linear(1, 2), "a": lib.Tanh()})
    yield parts
    parts["c"] = lib.ReLU()
    parts.update([("d", lib.Sigmoid()), ("a", lib.Identity())])
    yield parts
    yield parts.pop("b")
    del parts["c"]
    yield parts
    parts.update(lib.ModuleDict({"e": lib.Linear(1, 1)}))
    yield parts
    yield lib.Sequential(*parts.values()), list(parts.keys()), "a" in parts, "b" in parts, len(parts), list(parts)
    parts.clear()
    yield parts, [k for k, _ in parts.items()]


def changes_of_parameter_list(lib, one):
    parts = lib.ParameterList([lib.Parameter(one(2, 3)), one(4)])
    yield parts
    parts.append(one(1))
    parts += [one(2), "text"]
    parts.extend([one(3)])
    yield parts, len(parts)
    parts[0] = lib.Parameter(one(5))
    yield parts[1:3]
    yield [tuple(p.shape) for p in parts if not isinstance(p, str)]
    yield lib.ParameterList([one(2)]), lib.ParameterList()


def changes_of_parameter_dict(lib, one):
    parts = lib.ParameterDict({"b": lib.Parameter(one(2, 3)), "a": one(4), "n": 3})
    yield parts
    parts.update({"c": one(1), "b": one(2)})
    yield parts, list(parts), list(reversed(parts)), "a" in parts, len(parts)
    yield tuple(parts.pop("a").shape), parts.popitem()[0], parts.get("zz", 5), tuple(parts.get("b").shape)
    yield tuple(parts.setdefault("d", one(3)).shape), tuple(parts.setdefault("d", one(4)).shape)
    yield parts | {"x": one(1)}
    yield list({"x": one(1)} | parts)
    parts |= lib.ParameterDict({"y": one(2)})
    yield parts
    yield parts.copy(), parts.fromkeys(["u", "v"], 2)
    del parts["y"]
    yield [k for k, _ in parts.items()], [getattr(v, "requires_grad", v) for v in parts.values()]
    parts.clear()
    yield parts


def described(value):
    if isinstance(value, (tuple, list)):
        return [described(v) for v in value]
    if not hasattr(value, "named_parameters"):
        return value
    text = repr(value).replace("torch.float32", "float32").replace("torch.FloatTensor", "float32")
    return text, [(n, tuple(p.shape), p.requires_grad) for n, p in value.named_parameters()], list(value.state_dict())


CHANGES = {
    "Sequential": changes_of_sequential,
    "ModuleList": changes_of_list,
    "ModuleDict": changes_of_dict,
    "ParameterList": changes_of_parameter_list,
    "ParameterDict": changes_of_parameter_dict,
}


@pytest.mark.reference
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_equals_pytorch(changes):
    import torch

    pairs = zip(changes(nn, autograd.ones), changes(torch.nn, torch.ones), strict=True)
    for ours, theirs in [(described(a), described(b)) for a, b in pairs]:
        assert ours == theirs


class Holds(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(3, 3) for _ in range(2))
        self.heads = nn.ModuleDict({"left": nn.Linear(3, 1), "right": nn.Linear(3, 2)})
        self.shifts = nn.ParameterList(autograd.full((3,), float(i)) for i in range(2))
        self.scales = nn.ParameterDict({"left": autograd.ones(1), "right": autograd.ones(2)})

    def forward(self, x, head):
        for block, shift in zip(self.blocks, self.shifts, strict=True):
            x = block(x).tanh() + shift
        return self.heads[head](x) * self.scales[head]


def test_what_they_hold_is_the_models():
    net = Holds()
    assert [n for n, _ in net.named_parameters()][-4:] == ["shifts.0", "shifts.1", "scales.left", "scales.right"]
    net(autograd.ones(2, 3), "left").sum().backward()
    with_gradient = [n for n, p in net.named_parameters() if p.grad is not None]
    assert with_gradient == [n for n, _ in net.named_parameters() if "right" not in n]
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin(autograd.ones(2, 3), "right").tolist() == net(autograd.ones(2, 3), "right").tolist()
        assert twin.shifts[0] is not net.shifts[0] and type(twin.scales["left"]) is nn.Parameter
    other = Holds()
    other.load_state_dict(net.state_dict())
    assert other(autograd.ones(2, 3), "left").tolist() == net(autograd.ones(2, 3), "left").tolist()
    net.double()
    assert net.shifts[1].dtype == autograd.float64 and net.shifts[1] is list(net.shifts.parameters())[1]


def test_an_error_names_the_place_in_a_list():
    with pytest.raises(autograd.ShapeError, match=r"^blocks\.0: Linear\(in_features=3"):
        Holds()(autograd.ones(2, 4), "left")


ERRORS = {
    "class": (lambda: nn.ModuleList([nn.ReLU]), TypeError, "ModuleList: wants modules, .*; write an instance"),
    "one module": (lambda: nn.ModuleList(3), TypeError, "ModuleList: wants several modules, .* got int 3"),
    "no forward": (lambda: nn.ModuleList()(3), NotImplementedError, "ModuleList: has no forward"),
    "list index": (lambda: nn.ModuleList()[0], IndexError, "ModuleList: index 0 is out of range, there are 0 modules"),
    "list index type": (lambda: nn.ModuleList()["a"], TypeError, "ModuleList: an index must be an int or a slice"),
    "insert": (lambda: nn.ModuleList().insert(2, nn.ReLU()), IndexError, "index 2 is out of range"),
    "add": (lambda: nn.Sequential() + list(nn.Sequential()), ValueError, r"\+ wants another Sequential, got list"),
    "times": (lambda: nn.Sequential() * 0, ValueError, "positive number of repetitions, got 0"),
    "times float": (lambda: nn.Sequential() * 1.5, TypeError, "wants an int, .* got float 1.5"),
    "no key": (lambda: nn.ModuleDict({"a": nn.ReLU()})["b"], KeyError, "no module 'b', only 'a'"),
    "method": (lambda: nn.ModuleDict({"pop": nn.ReLU()}), KeyError, "already an attribute 'pop'"),
    "dots": (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), ValueError, "without dots"),
    "no pairs": (lambda: nn.ModuleDict([("a", nn.ReLU(), 3)]), ValueError, "entry 0 is not a pair .* has 3 parts"),
    "no mapping": (lambda: nn.ModuleDict(3), TypeError, "wants a mapping or pairs"),
    "no module": (lambda: nn.ModuleDict({"a": 3}), TypeError, "module 'a' must be an nn.Module or None, got int 3"),
    "parameters called": (lambda: nn.ParameterList()(1), NotImplementedError, "only holds parameters"),
    "parameters index": (lambda: nn.ParameterList()[0], IndexError, "index 0 is out of range, there are 0 entries"),
    "parameters of one": (lambda: nn.ParameterList(autograd.ones(2)), TypeError, "several values, .* got float32"),
    "parameter name": (lambda: nn.ParameterDict({3: 1}), TypeError, "name must be a string, got int 3"),
    "parameter taken": (lambda: nn.ParameterDict({"keys": 1}), KeyError, "already an attribute 'keys'"),
    "parameter missing": (lambda: nn.ParameterDict()["a"], KeyError, "no entry 'a', only none"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
