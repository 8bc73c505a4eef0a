"""Models written for PyTorch, as people write them: they train here as there when only their import lines change."""

from __future__ import annotations

import pathlib
import re
import sys
import types

import numpy as np
import pytest

import autograd

PORTS = {path.stem: path for path in sorted((pathlib.Path(__file__).parent / "ports").glob("*.py"))}
IMPORTS = {
    "import torch": "import autograd as torch",
    "import torch.nn as nn": "import nn",
    "import torch.nn.functional as F": "import nn.functional as F",
    "import torch.optim as optim": "import optim",
}
PACKAGES = {"torch.utils.data": "nn.data", "torch.nn": "nn", "torch.optim": "optim", "torch": "autograd"}
# Changing PyTorch's own first weights by one unit in the last place moves its last ones by up to 2e-14 and 1.3e-5:
# RMSprop and Adam divide the rounding of a small gradient by that gradient.
TOLERANCE = {"float64": {"rtol": 1e-11, "atol": 1e-13}, "float32": {"rtol": 1e-5, "atol": 5e-5}}

pytestmark = pytest.mark.reference


def translated(line):
    """An import line of PyTorch's as ours; any other line as it is."""
    for theirs, ours in PACKAGES.items():
        if re.match(rf"from {re.escape(theirs)}\b", line):
            return line.replace(theirs, ours, 1)
    return IMPORTS.get(line, line)


def load(name, here, monkeypatch):
    """The file's text as a module, as it is or with its import lines changed."""
    text = PORTS[name].read_text(encoding="utf-8")
    if here:
        text = "\n".join(map(translated, text.split("\n")))
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)  # where dataclasses look
    exec(compile(text, str(PORTS[name]), "exec"), module.__dict__)
    return module


def draw_alike(monkeypatch, torch, seed=0):
    """What is drawn in training, the noise and the choices, comes from one stream of NumPy's."""
    rng = np.random.default_rng(seed)

    def randn(*shape, dtype=None, device=None):
        return torch.from_numpy(rng.standard_normal(shape)).to(dtype or torch.get_default_dtype())

    def multinomial(input, num_samples):
        assert num_samples == 1
        below = np.cumsum(input.numpy(), axis=-1) < rng.random(input.shape[:-1])[..., None]
        return torch.from_numpy(below.sum(-1, keepdims=True))

    monkeypatch.setattr(torch, "randn", randn)
    monkeypatch.setattr(torch, "randn_like", lambda input: randn(*input.shape, dtype=input.dtype))
    monkeypatch.setattr(torch, "multinomial", multinomial)


@pytest.fixture(params=["float64", "float32"])
def dtype(request, monkeypatch):
    """The default dtype of both; PyTorch keeps ASGD's numbers in it, whatever the dtype of the parameters."""
    import torch

    # By its definition: the gradient of PyTorch's own is multiplied by a 1/6 of float32 precision.
    monkeypatch.setattr(torch.nn.functional, "hardsigmoid", lambda x, inplace=False: (x + 3).clamp(0, 6) / 6)
    before = [(lib, lib.get_default_dtype()) for lib in (autograd, torch)]
    for lib, _ in before:
        lib.set_default_dtype(getattr(lib, request.param))
    yield request.param
    for lib, default in before:
        lib.set_default_dtype(default)


def trained(module, torch, model, dtype, monkeypatch):
    """What training reports, on data that are the same in both."""
    draw_alike(monkeypatch, torch)
    arrays = module.make_data(np.random.default_rng(0))
    data = [torch.from_numpy(a.astype(dtype) if a.dtype.kind == "f" else a) for a in arrays]
    return module.train(model, *data)


def arrays_of(model):
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def test_only_import_lines_differ():
    for name, path in PORTS.items():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert set(IMPORTS) <= set(lines), name
        changed = [line for line in lines if translated(line) != line]
        assert changed == [line for line in lines if re.match(r"(import|from) torch\b", line)], name


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of PyTorch's nn.Transformer
@pytest.mark.parametrize("name", PORTS)
def test_port(name, dtype, monkeypatch):
    import torch

    here, there = load(name, True, monkeypatch), load(name, False, monkeypatch)
    autograd.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = here.make_model(), there.make_model()
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [(n, tuple(p.shape)) for n, p in ours.named_parameters()] == [
        (n, tuple(p.shape)) for n, p in theirs.named_parameters()
    ]
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    ours.load_state_dict({n: autograd.tensor(value.numpy()) for n, value in theirs.state_dict().items()})
    initial = arrays_of(ours)

    reports = trained(here, autograd, ours, dtype, monkeypatch)
    expected = trained(there, torch, theirs, dtype, monkeypatch)
    assert len(expected) >= 5
    np.testing.assert_allclose(reports, expected, **TOLERANCE[dtype])
    final, wanted = arrays_of(ours), arrays_of(theirs)
    for key, value in wanted.items():
        assert final[key].dtype == value.dtype, key
        np.testing.assert_allclose(final[key], value, **TOLERANCE[dtype], err_msg=key)
    # It would all agree too if nothing were trained.
    moved = [n for n, p in ours.named_parameters() if (final[n] != initial[n]).any()]
    assert moved == [n for n, _ in ours.named_parameters()]
