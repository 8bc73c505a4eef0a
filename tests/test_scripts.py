"""What the scripts around models use: devices, dtype facts, printing, copying, threads."""

from __future__ import annotations

import copy
import importlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import autograd
from autograd import DTypeError, GraphError, set_printoptions, tensor


@pytest.fixture(autouse=True)
def printed_as_ever():
    yield
    set_printoptions(profile="default")


def test_the_usual_choice_of_a_device():
    device = autograd.device("cuda" if autograd.cuda.is_available() else "cpu")
    x = autograd.zeros(2, device=device).to(device).to("cpu", non_blocking=True).to(autograd.float64)
    assert x.device == device == "cpu" and x.device.type == "cpu" and x.device.index is None
    assert repr(device) == "device(type='cpu')" and str(device) == "cpu" and autograd.device("cpu:0") == device
    assert hash(device) == hash("cpu") and autograd.device(device) == device == autograd.get_default_device()
    assert not x.is_cuda and x.is_cpu and not x.is_sparse
    autograd.set_default_device("cpu")
    with device:
        assert autograd.ones(1).device == device
    autograd.cuda.manual_seed_all(0)
    autograd.cuda.empty_cache()
    assert autograd.cuda.device_count() == 0


WRONG = {
    "a device": (lambda: autograd.device("cuda:1"), ValueError, ["device", "'cuda:1'", "only 'cpu'"]),
    "a default device": (lambda: autograd.set_default_device("mps"), ValueError, ["'mps'", "only 'cpu'"]),
    "cuda of a Tensor": (lambda: autograd.ones(1).cuda(), RuntimeError, ["cuda", "CPU", "is_available"]),
    "cuda.synchronize": (lambda: autograd.cuda.synchronize(), RuntimeError, ["cuda.synchronize", "no CUDA device"]),
    "cuda.current_device": (lambda: autograd.cuda.current_device(), RuntimeError, ["cuda.current_device"]),
    "cuda.get_device_name": (lambda: autograd.cuda.get_device_name(0), RuntimeError, ["cuda.get_device_name"]),
    "save": (lambda: autograd.save({}, "x.pt"), NotImplementedError, ["nn.training.save"]),
    "load": (lambda: autograd.load("x.pt"), NotImplementedError, ["nn.training.load", "safetensors"]),
    "finfo of integers": (lambda: autograd.finfo(autograd.int64), DTypeError, ["finfo", "int64", "iinfo"]),
    "iinfo of floats": (lambda: autograd.iinfo(autograd.float32), DTypeError, ["iinfo", "float32", "finfo"]),
    "is_floating_point": (lambda: autograd.is_floating_point(1.0), DTypeError, ["is_floating_point", "float 1.0"]),
    "threads": (lambda: autograd.set_num_threads(0), ValueError, ["set_num_threads", "0"]),
    "profile": (lambda: set_printoptions(profile="long"), ValueError, ["profile", "short", "'long'"]),
    "precision": (lambda: set_printoptions(precision=-1), ValueError, ["precision", "-1"]),
    "matmul precision": (lambda: autograd.set_float32_matmul_precision("low"), ValueError, ["'high'", "'low'"]),
    "copy of a result": (lambda: copy.copy(autograd.ones(1).requires_grad_() * 2), GraphError, ["mul", "detach()"]),
    "deepcopy of a result": (
        lambda: copy.deepcopy(autograd.ones(1).requires_grad_() * 2),
        GraphError,
        ["mul", "detach()"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused_says_so(case):
    call, kind, fragments = WRONG[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


def test_questions_to_a_tensor():
    x = autograd.zeros(2, 3)
    assert x.size(0) == 2 and x.size() == (2, 3) and x.size(-1) == 3
    assert x.numel() == x.nelement() == 6 and x.dim() == x.ndimension() == x.ndim == 2
    assert x.element_size() == x.itemsize == 4 and x.nbytes == 24
    assert x.type() == autograd.typename(x) == "autograd.FloatTensor" and x.type(autograd.int64).dtype == np.int64
    assert x.type_as(autograd.ones(1, dtype=autograd.float64)).dtype == autograd.float64 and x.type_as(x) is x
    assert autograd.is_tensor(x) and not autograd.is_tensor(np.zeros(2))
    assert x.is_floating_point() and not x.is_complex() and autograd.is_floating_point(x) and not autograd.is_complex(x)
    y = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert y.tolist() == [[1.0, 2.0], [3.0, 4.0]] and len(y) == 2 and 3.0 in y and 5.0 not in y
    assert [row.tolist() for row in y] == y.tolist() and float(y[0, 1]) == 2.0 and int(y[1, 1]) == 4
    (a, b), (c, d) = y
    assert a + d == 5.0 and b.item() + c.item() == 5.0


def test_copies():
    x = tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    shallow, deep = copy.copy(x), copy.deepcopy(x)
    assert shallow.requires_grad and deep.requires_grad and shallow.is_leaf
    assert shallow.grad is x.grad and deep.grad is not x.grad and deep.grad.tolist() == x.grad.tolist()
    with autograd.no_grad():
        x[0] = 5.0
    assert shallow.tolist() == [5.0, 2.0] and deep.tolist() == [1.0, 2.0]
    loss = (shallow * shallow).sum()
    with autograd.no_grad():
        x[0] = 6.0
    with pytest.raises(GraphError, match="overwritten"):
        loss.backward()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(x, protocol))
        assert again.tolist() == x.tolist() and again.requires_grad and again.dtype == x.dtype
    memo = copy.deepcopy({"a": x, "b": x})
    assert memo["a"] is memo["b"]


@pytest.mark.reference
def test_facts_about_dtypes_are_pytorchs():
    import torch

    names = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
    for a in names:
        ours, theirs = getattr(autograd, a), getattr(torch, a)
        for b in names:
            assert autograd.can_cast(ours, getattr(autograd, b)) == torch.can_cast(theirs, getattr(torch, b)), (a, b)
            promoted = autograd.promote_types(ours, getattr(autograd, b))
            assert str(promoted) == str(torch.promote_types(theirs, getattr(torch, b))).removeprefix("torch.")
            for make in (lambda library, d: library.ones(2, dtype=d), lambda library, d: library.ones((), dtype=d)):
                mixed = autograd.result_type(make(autograd, ours), autograd.ones((), dtype=getattr(autograd, b)))
                other = torch.result_type(make(torch, theirs), torch.ones((), dtype=getattr(torch, b)))
                assert str(mixed) == str(other).removeprefix("torch.")
        info = "finfo" if a.startswith("float") else "iinfo"
        if a == "bool":
            continue
        mine, other = getattr(autograd, info)(ours), getattr(torch, info)(theirs)
        facts = ("bits", "max", "min", *(("eps", "tiny", "smallest_normal") if info == "finfo" else ()))
        assert [getattr(mine, f) for f in facts] == [getattr(other, f) for f in facts]
        assert autograd.ones(1, dtype=ours).type().split(".")[1] == torch.ones(1, dtype=theirs).type().split(".")[1]
    assert str(autograd.result_type(autograd.arange(2), 1.5)) == "float32"


@pytest.mark.reference
@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2},
        {"sci_mode": True},
        {"sci_mode": False, "precision": 6},
        {"threshold": 5, "edgeitems": 1},
        {"edgeitems": 2, "threshold": 10},
        {"linewidth": 40},
        {"profile": "short"},
        {"profile": "full"},
    ],
    ids=str,
)
def test_printing_is_pytorchs(options):
    import torch

    set_printoptions(**options)
    torch.set_printoptions(**options)
    try:
        for values in (np.linspace(-1, 3, 12), np.arange(1200.0), np.array([1e-7, 1e5, 0.0]), np.eye(4) / 3):
            array = values.astype(np.float32)
            assert repr(tensor(array)) == repr(torch.tensor(array))
    finally:
        torch.set_printoptions(profile="default")
    assert autograd.get_printoptions().keys() >= {"precision", "threshold", "sci_mode"}


def test_threads(monkeypatch):
    settings = importlib.import_module("autograd.settings")
    monkeypatch.setattr(autograd.threads, "_limit", None)
    before = autograd.get_num_threads()
    autograd.set_num_threads(1)
    assert autograd.get_num_threads() == autograd.threads.available() == 1
    autograd.set_num_threads(before)
    autograd.set_float32_matmul_precision("high")
    monkeypatch.setattr(settings, "_threadpoolctl", lambda: None)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert autograd.get_num_threads() == 3
    autograd.set_num_threads(3)
    with pytest.warns(UserWarning, match="OPENBLAS_NUM_THREADS=5"):
        autograd.set_num_threads(5)


def test_hooks_after_a_gradient_was_added():
    seen = []
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor(1.0, requires_grad=True)
    handle = x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.tolist()))
    (x * y).sum().backward()
    (x * y).sum().backward()
    autograd.grad((x * y).sum(), x)
    assert seen == [[1.0, 1.0], [2.0, 2.0]]
    handle.remove()
    (x * y).sum().backward()
    assert len(seen) == 2
    with pytest.raises(GraphError, match="only leaves accumulate"):
        (x * 2).register_post_accumulate_grad_hook(print)

    def step(leaf):
        with autograd.no_grad():
            leaf -= 0.5 * leaf.grad
        leaf.grad = None

    y.grad = None
    y.register_post_accumulate_grad_hook(step)
    (y * 3).backward()
    assert y.item() == -0.5 and y.grad is None


@pytest.mark.reference
def test_hooks_see_and_replace_what_pytorchs_do():
    import torch

    found = []
    for library in (autograd, torch):
        order = []
        x = library.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        y.register_hook(lambda g: g * 10)
        y.register_hook(lambda g, order=order: order.append(g.tolist()))
        x.register_hook(lambda g, order=order: order.append(g.tolist()))
        y.retain_grad()
        removed = y.register_hook(lambda g: g * 100)
        removed.remove()
        (y * y).sum().backward()
        found.append((order, y.grad.tolist(), x.grad.tolist()))
    assert found[0] == found[1]


def test_importing_stays_light():
    """NumPy's functions, threads and the rest are loaded when somebody asks for them."""
    program = (
        "import sys, autograd; print([m for m in sys.modules if m in ('autograd.interop', 'threadpoolctl', 'jax')])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
