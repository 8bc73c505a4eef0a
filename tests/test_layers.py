"""Layers and losses: each row by its formula, by gradcheck, as float32 and as a copy, and against PyTorch."""

from __future__ import annotations

import copy
import inspect
import pickle

import layers
import numpy as np
import pytest
from layers import OURS, Library

import autograd
import nn

LAYERS = layers.load()
CASES = [(name, row) for name, rows in LAYERS.items() for row in rows]
IDS = [f"{name}-{i}" for name, rows in LAYERS.items() for i, _ in enumerate(rows)]
PYTORCHS = [(name, row) for name, row in CASES if not row.ours_alone]
PYTORCHS_IDS = [i for i, (_, row) in zip(IDS, CASES, strict=True) if not row.ours_alone]


# They only hold what others use, and have no forward: test_containers.py compares them with PyTorch's.
HOLDERS = {"ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}


def test_every_module_has_a_row():
    exported = {
        name for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }  # fmt: skip
    assert exported - {"Module"} - HOLDERS == set(LAYERS)
    assert all(getattr(nn, name).forward in (nn.Module.forward, nn.ParameterList.forward) for name in HOLDERS)


def tensors(arrays):
    """Arrays as Tensors, those of floats as inputs that want a gradient; None stays."""
    return [None if a is None else autograd.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]


def parts(out):
    """The Tensors of a result, which may be nested tuples with None in them."""
    if isinstance(out, (tuple, list)):
        return [t for part in out for t in parts(part)]
    return [] if out is None else [out]


def arrays_of(out):
    return [t.detach().numpy() for t in parts(out)]


def replaced(module, names, values):
    """Puts Tensors in the places of parameters, without making them Parameters."""
    for name, value in zip(names, values, strict=True):
        path, _, last = name.rpartition(".")
        module.get_submodule(path).__dict__[last] = value


@pytest.mark.parametrize(("name", "row"), CASES, ids=IDS)
def test_formula_and_gradient(name, row):
    autograd.manual_seed(0)
    module = row.make(OURS).double()
    arrays = row.inputs(np.random.default_rng(0))
    inputs = tensors(arrays)
    buffers = copy.deepcopy(dict(module.named_buffers()))
    if row.formula is not None:
        autograd.manual_seed(1)
        np.testing.assert_allclose(
            arrays_of(module(*inputs))[0], row.formula(module, *arrays), rtol=row.rtol, atol=1e-14
        )
    names = [n for n, _ in module.named_parameters()]
    parameters = [p for _, p in module.named_parameters()]
    # Targets may refuse a gradient, as PyTorch's do; only inputs to which the result is linked count below.
    places = [i for i, x in enumerate(inputs) if x is not None and x.requires_grad and (i == 0 or row.formula is None)]

    def call(*values):
        # The parameters are inputs here too, so that their gradients are checked as well.
        given = list(inputs)
        for i, value in zip(places, values, strict=False):
            given[i] = value
        replaced(module, names, values[len(places) :])
        for n, b in buffers.items():
            # Only what the call has changed: backward still needs the others, the weights of a loss say.
            if not np.array_equal(module.get_buffer(n).numpy(), b.numpy()):
                module.get_buffer(n).data.copy_(b)
        autograd.manual_seed(1)
        out = module(*given)
        replaced(module, names, parameters)
        return tuple(t for t in parts(out) if t.requires_grad)

    leaves = [inputs[i] for i in places] + [p.detach().requires_grad_() for p in parameters]
    if leaves:
        assert autograd.gradcheck(call, leaves)


@pytest.mark.parametrize(("name", "row"), CASES, ids=IDS)
def test_float32_stays_and_copies_agree(name, row):
    autograd.manual_seed(0)
    module = row.make(OURS).float()
    arrays = [
        a.astype("float32") if a is not None and a.dtype.kind == "f" else a
        for a in row.inputs(np.random.default_rng(0))
    ]
    twins = [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]
    autograd.manual_seed(1)
    out = module(*tensors(arrays))
    assert all(t.dtype == autograd.float32 for t in parts(out) if t.is_floating_point())
    for other in twins:
        autograd.manual_seed(1)
        for a, b in zip(arrays_of(other(*tensors(arrays))), arrays_of(out), strict=True):
            np.testing.assert_array_equal(a, b)
        assert [type(p) for p in other.parameters()] == [type(p) for p in module.parameters()]
        assert not any(a is b for a, b in zip(other.parameters(), module.parameters(), strict=True))


REFUSALS = [(i, row, refusal) for i, (_, row) in zip(IDS, CASES, strict=True) for refusal in row.refuses]


@pytest.mark.parametrize(
    ("row", "refusal"), [(row, r) for _, row, r in REFUSALS], ids=[f"{i}-{r[2][:30]}" for i, _, r in REFUSALS]
)
def test_bad_input_is_refused_in_a_sentence(row, refusal):
    inputs, kind, message = refusal
    module = row.make(OURS)
    with pytest.raises(kind, match=message) as caught:
        module(*inputs())
    assert type(module).__name__ in str(caught.value), "the message does not name the layer"


def theirs_and_ours(row):
    import torch

    autograd.manual_seed(0)
    torch.manual_seed(0)
    theirs = row.make(Library(torch.nn, torch.tensor)).double()
    ours = row.make(OURS).double()
    return theirs, ours


@pytest.mark.reference
@pytest.mark.parametrize(("name", "row"), PYTORCHS, ids=PYTORCHS_IDS)
def test_names_equal_pytorchs(name, row):
    import torch

    theirs, ours = theirs_and_ours(row)
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [(k, tuple(v.shape)) for k, v in state.items()]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    if not row.arguments_differ:
        wanted = inspect.signature(getattr(torch.nn, name)).parameters
        given = inspect.signature(getattr(nn, name)).parameters
        # PyTorch's losses still list two arguments that it deprecated in 2018.
        past = ("size_average", "reduce")
        # Where PyTorch takes anything (*args), there are no names to compare.
        if not any(p.kind is p.VAR_POSITIONAL for p in wanted.values()):
            assert list(given) == [n for n in wanted if n not in past or n in given]
            for n, p in given.items():
                if wanted[n].default is not p.empty and isinstance(wanted[n].default, (int, float, str, tuple)):
                    assert p.default == wanted[n].default, n


# What draws at random has nothing to compare with while training: the two streams differ.
MODES = [
    pytest.param(row, training, id=f"{i}-{'train' if training else 'eval'}")
    for i, (_, row) in zip(PYTORCHS_IDS, PYTORCHS, strict=True)
    for training in (True, False)
    if not (row.random and training)
]


@pytest.mark.reference
@pytest.mark.parametrize(("row", "training"), MODES)
def test_equals_pytorch(row, training):
    import torch

    theirs, ours = theirs_and_ours(row)
    theirs.train(training)
    ours.train(training)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    arrays = row.inputs(np.random.default_rng(0))
    x, y = tensors(arrays), [None if a is None else torch.tensor(a) for a in arrays]
    for a, b in zip(x, y, strict=True):
        if b is not None and a.requires_grad:
            b.requires_grad = True
    a, b = parts(ours(*x)), parts(theirs(*y))
    assert len(a) == len(b)
    upstream = np.random.default_rng(1)
    total_a, total_b = 0, 0
    for s, t in zip(a, b, strict=True):
        assert s.shape == tuple(t.shape)
        scale = max(1.0, float(np.abs(t.detach().numpy()).max(initial=0)))
        np.testing.assert_allclose(s.detach().numpy(), t.detach().numpy(), rtol=row.rtol, atol=1e-14 * scale)
        g = upstream.standard_normal(s.shape)
        if t.requires_grad:
            total_a, total_b = total_a + (s * autograd.tensor(g)).sum(), total_b + (t * torch.tensor(g)).sum()
    for (n, p), q in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=row.rtol, err_msg=n)
    if isinstance(total_b, int):
        return
    total_a.backward()
    total_b.backward()
    pairs = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    pairs += [(s, t) for s, t in zip(x, y, strict=True) if t is not None and t.requires_grad]
    for p, q in pairs:
        assert (p.grad is None) == (q.grad is None)
        if q.grad is not None:
            scale = max(1.0, float(np.abs(q.grad.numpy()).max(initial=0)))
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=max(row.rtol, 1e-10), atol=1e-13 * scale)


WITH_PARAMETERS = [
    (i, name, row) for i, (name, row) in zip(PYTORCHS_IDS, PYTORCHS, strict=True) if list(row.make(OURS).parameters())
]


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "row"), [(n, r) for _, n, r in WITH_PARAMETERS], ids=[i for i, _, _ in WITH_PARAMETERS]
)
def test_starts_as_pytorchs_does(name, row):
    """The entries of every parameter, over many fresh modules, are distributed as PyTorch's."""
    import torch
    from scipy.stats import ks_2samp

    autograd.manual_seed(0)
    torch.manual_seed(0)
    builds = 40
    ours = [row.make(OURS).state_dict() for _ in range(builds)]
    theirs = [row.make(Library(torch.nn, torch.tensor)).state_dict() for _ in range(builds)]
    for key in ours[0]:
        a = np.concatenate([s[key].numpy().reshape(-1) for s in ours])
        b = np.concatenate([s[key].numpy().reshape(-1) for s in theirs])
        assert a.dtype == b.dtype, key
        if a.size == 0 or np.ptp(b) == 0:
            np.testing.assert_array_equal(a, b, err_msg=key)
        else:
            assert ks_2samp(a, b).pvalue > 1e-4, key
