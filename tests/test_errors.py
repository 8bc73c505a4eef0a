"""What goes wrong is said in a sentence that names the op, what it got, what it wanted, and the fix."""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd import DTypeError, GraphError, ShapeError, tensor


class Foreign:
    """A tensor of another library, as far as one can tell from outside."""

    __module__, __qualname__ = "torch", "Tensor"
    shape, dtype = (2,), "torch.float32"

    def __array__(self, dtype=None, copy=None):
        return np.zeros(2)

    def __dlpack__(self):
        raise NotImplementedError


Foreign.__name__ = "Tensor"


def f(*shape, dtype=None, grad=False):
    return ag.zeros(*shape, dtype=dtype, requires_grad=grad)


LOGITS, CLASSES = f(4, 3), tensor([0, 1, 2, 0])
ERRORS = {
    # making Tensors
    "ragged": (lambda: tensor([[1.0, 2.0], [3.0]]), ShapeError, ["tensor", "ragged", "(2,)", "(1,)"]),
    "ragged within": (lambda: tensor([[[1], [2, 3]], [[1], [2]]]), ShapeError, ["ragged", "item 0", "(1,)", "(2,)"]),
    "scalar beside list": (
        lambda: tensor([1.0, [2.0]]),
        ShapeError,
        ["ragged", "item 0 has shape ()", "item 1 shape (1,)"],
    ),
    "object array": (lambda: tensor(np.array([1, None])), DTypeError, ["tensor", "Python objects", "one dtype"]),
    "None": (lambda: tensor(None), DTypeError, ["tensor", "NoneType"]),
    "None in a list": (lambda: tensor([1.0, None]), DTypeError, ["tensor", "NoneType"]),
    "string": (lambda: tensor("1.0"), DTypeError, ["tensor", "wants numbers", "str"]),
    "strings": (lambda: tensor(["a"]), DTypeError, ["tensor", "str"]),
    "string array": (lambda: tensor(np.array(["a"])), DTypeError, ["not supported"]),
    "dict": (lambda: tensor({"a": 1}), DTypeError, ["tensor", "dict"]),
    "complex": (lambda: tensor(1j), DTypeError, ["tensor", "complex", "real and imaginary"]),
    "complex array": (lambda: tensor(np.array([1j])), DTypeError, ["complex", "real and imaginary"]),
    "complex operand": (lambda: f(2) * 1j, DTypeError, ["mul", "complex"]),
    "no operand": (lambda: ag.exp(), TypeError, ["exp", "missing", "'x'"]),
    "no operand of any dtype": (lambda: ag.neg(), TypeError, ["neg", "missing", "'x'"]),
    "huge integer": (lambda: tensor(10**30), DTypeError, ["tensor", "int64"]),
    "integer requires grad": (
        lambda: tensor([1, 2], requires_grad=True),
        DTypeError,
        ["tensor", "floating", "int64", "1.0", "dtype=float32"],
    ),
    "requires_grad_ of integers": (lambda: tensor([1]).requires_grad_(), DTypeError, ["floating", "int64"]),
    "bool requires grad": (lambda: tensor(True, requires_grad=True), DTypeError, ["floating", "bool"]),
    "Tensors that require grad in a list": (
        lambda: tensor([f(grad=True)]),
        DTypeError,
        ["gradient would be lost", "stack()", "detach()"],
    ),
    "device": (lambda: tensor(1.0, device="cuda"), ValueError, ["tensor", "'cuda'", "'cpu'"]),
    "device of zeros": (lambda: ag.zeros(2, device="cuda:0"), ValueError, ["zeros", "cuda:0"]),
    "to a device": (lambda: f(2).to("cuda"), ValueError, ["to", "'cuda'"]),
    "unknown dtype": (lambda: tensor(1.0, dtype="float33"), DTypeError, ["'float33'", "float32"]),
    "complex dtype": (lambda: f(2).to(np.complex64), DTypeError, ["complex64"]),
    "from_numpy of a list": (lambda: ag.from_numpy([1.0]), DTypeError, ["from_numpy", "list", "tensor()"]),
    "fractional size": (lambda: ag.zeros(2.5), DTypeError, ["zeros", "sizes must be ints", "float 2.5"]),
    "default dtype": (lambda: ag.set_default_dtype("int64"), DTypeError, ["set_default_dtype", "floating", "int64"]),
    "randint without size": (lambda: ag.randint(3), TypeError, ["randint", "size"]),
    "randint of nothing": (lambda: ag.randint(3, 3, (2,)), ValueError, ["randint", "3 and 3"]),
    "arange step": (lambda: ag.arange(0, 1, 0), ValueError, ["arange", "step"]),
    # another library's tensors
    "foreign operand": (
        lambda: f(2) * Foreign(),
        DTypeError,
        ["mul", "torch.Tensor", "another library", "numpy.asarray"],
    ),
    "foreign first operand": (lambda: Foreign() + f(2), DTypeError, ["add", "torch.Tensor", "another library"]),
    "foreign argument": (lambda: ag.tanh(Foreign()), DTypeError, ["tanh", "another library"]),
    "foreign weight": (lambda: ag.linear(f(1, 2), Foreign()), DTypeError, ["linear", "another library"]),
    "operand of no kind": (lambda: f(2) + "a", DTypeError, ["add", "str"]),
    "list operand": (lambda: f(2) * [1.0, 2.0], DTypeError, ["mul", "list", "autograd.tensor"]),
    # shapes
    "add": (lambda: f(2, 3) + f(4), ShapeError, ["add", "(2, 3)", "(4,)", "dimension -1 is 3 against 4"]),
    "where": (lambda: ag.where(tensor([True, False]), f(3), 0.0), ShapeError, ["where", "(2,)", "(3,)"]),
    "matmul": (lambda: f(2, 3) @ f(2, 3), ShapeError, ["matmul", "(2, 3)", "3 columns", "2 rows", ".mT"]),
    "matmul of scalars": (lambda: f(2, 3) @ f(), ShapeError, ["matmul", "()", "*"]),
    "matmul batches": (lambda: f(2, 2, 3) @ f(5, 3, 2), ShapeError, ["matmul", "(2, 2, 3)", "(5, 3, 2)"]),
    "linear": (lambda: ag.linear(f(4, 3), f(2, 5)), ShapeError, ["linear", "(4, 3)", "(2, 5)", "(out, in)"]),
    "linear bias": (lambda: ag.linear(f(4, 3), f(2, 3), f(3)), ShapeError, ["linear", "bias", "(2,)", "(3,)"]),
    "reshape": (lambda: f(2, 3).reshape(4, 2), ShapeError, ["reshape", "6 entries", "(2, 3)", "(4, 2)"]),
    "reshape with -1": (lambda: f(2, 3).reshape(-1, 4), ShapeError, ["reshape", "(2, 3)", "(-1, 4)"]),
    "expand": (lambda: f(2, 3).expand(4, 3), ShapeError, ["expand", "(2, 3)", "(4, 3)", "sizes of 1"]),
    "permute": (lambda: f(2, 3).permute(0, 0), ShapeError, ["permute", "(2, 3)"]),
    "cat": (lambda: ag.cat([f(2, 3), f(2, 4)]), ShapeError, ["cat", "(2, 3)", "item 1", "(2, 4)"]),
    "cat of scalars": (lambda: ag.cat([f(), f()]), ShapeError, ["cat", "stack"]),
    "stack": (lambda: ag.stack([f(2), f(3)]), ShapeError, ["stack", "(2,)", "(3,)"]),
    "cat of a Tensor": (lambda: ag.cat(f(2)), DTypeError, ["cat", "list or tuple"]),
    "cat of nothing": (lambda: ag.cat([]), ValueError, ["cat", "empty"]),
    "split": (lambda: f(5).split([2, 2]), ShapeError, ["split", "[2, 2]", "5"]),
    "split by 0": (lambda: f(5).split(0), ValueError, ["split", "above 0"]),
    "chunk": (lambda: f(5).chunk(0), ValueError, ["chunk", "at least 1"]),
    "amax of nothing": (lambda: f(0, 3).amax(0), ShapeError, ["amax", "(0, 3)"]),
    "max of nothing": (lambda: f(0).max(), ShapeError, ["(0,)"]),
    "item": (lambda: f(2).item(), ShapeError, ["item", "(2,)", "tolist"]),
    "truth": (lambda: bool(f(2)), ShapeError, ["2 entries", ".any()", ".all()"]),
    "t of 3 dimensions": (lambda: f(1, 2, 3).t(), ShapeError, ["t:", "(1, 2, 3)", "transpose"]),
    # dims
    "dim out of range": (lambda: f(2, 3).sum(2), IndexError, ["sum", "dim 2", "(2, 3)", "-2 to 1"]),
    "dim twice": (lambda: f(2, 3).sum((0, 0)), ValueError, ["sum", "twice"]),
    "dim of a wrong type": (lambda: f(2, 3).sum(1.0), TypeError, ["sum", "dim", "1.0"]),
    "dim and axis": (lambda: f(2, 3).sum(0, axis=0), TypeError, ["sum", "dim", "axis"]),
    "softmax without dim": (lambda: ag.softmax(f(3)), TypeError, ["softmax", "dim=-1"]),
    "softmax dim": (lambda: ag.softmax(f(3), 1), IndexError, ["softmax", "dim 1"]),
    "transpose": (lambda: f(2, 3).transpose(0, 2), IndexError, ["transpose", "dim 2"]),
    "unsqueeze": (lambda: f(2, 3).unsqueeze(4), IndexError, ["unsqueeze", "dim 4"]),
    "argmax of two dims": (lambda: f(2, 3).argmax((0, 1)), TypeError, ["argmax", "one dim"]),
    "size": (lambda: f(2).size(1), IndexError, ["size", "dim 1"]),
    "unknown keyword": (lambda: ag.sum(f(2), dimension=0), TypeError, ["dimension"]),
    "unknown keyword of a primitive": (lambda: ag.tanh(f(2), inplace=True), TypeError, ["tanh", "inplace"]),
    "too many operands": (lambda: ag.tanh(f(2), f(2)), TypeError, ["tanh"]),
    "clamp without bounds": (lambda: f(2).clamp(), TypeError, ["clamp", "min", "max"]),
    "var said twice": (lambda: ag.var(f(2), unbiased=True, correction=0), TypeError, ["var", "unbiased", "correction"]),
    "norm p": (lambda: f(2).norm(-1), ValueError, ["norm", "p must be", "-1"]),
    # dtypes
    "matmul dtypes": (
        lambda: f(2, 2) @ f(2, 2, dtype="float64"),
        DTypeError,
        ["matmul", "float32", "float64", ".double()"],
    ),
    "matmul of ints and floats": (lambda: tensor([[1]]) @ f(1, 1), DTypeError, ["matmul", "int64", "float32"]),
    "linear dtypes": (
        lambda: ag.linear(f(1, 2, dtype="float64"), f(3, 2), f(3)),
        DTypeError,
        ["linear", "float64", "float32", ".float()"],
    ),
    "linear bias dtype": (
        lambda: ag.linear(f(1, 2), f(3, 2), f(3, dtype="float64")),
        DTypeError,
        ["linear", "float64"],
    ),
    "mean of integers": (lambda: tensor([1, 2]).mean(), DTypeError, ["mean", "int64", ".float()"]),
    "var of integers": (lambda: tensor([1, 2]).var(), DTypeError, ["var", "int64"]),
    "softmax of integers": (lambda: tensor([1, 2]).softmax(0), DTypeError, ["softmax", "int64"]),
    "bitwise of floats": (lambda: f(2) & f(2), DTypeError, ["bitwise_and", "float32"]),
    "floats into integers": (lambda: tensor([1, 2]).add_(0.5), DTypeError, ["add_", "float32", "int64"]),
    # loss and embedding
    "classes out of range": (
        lambda: ag.cross_entropy(LOGITS, tensor([0, 1, 2, 3])),
        IndexError,
        ["cross_entropy", "class 3", "0 to 2"],
    ),
    "negative class": (
        lambda: ag.cross_entropy(LOGITS, tensor([0, -1, 2, 2])),
        IndexError,
        ["cross_entropy", "-1", "ignore_index=-100"],
    ),
    "target of shape (N, 1)": (
        lambda: ag.cross_entropy(LOGITS, CLASSES.reshape(4, 1)),
        ShapeError,
        ["cross_entropy", "(4, 3)", "(4,)", "(4, 1)", "squeeze(1)"],
    ),
    "targets of another length": (
        lambda: ag.cross_entropy(LOGITS, CLASSES[:3]),
        ShapeError,
        ["cross_entropy", "(4,)", "(3,)"],
    ),
    "float targets": (
        lambda: ag.cross_entropy(LOGITS, CLASSES.float()),
        ShapeError,
        ["cross_entropy", "probabilities", "target.long()"],
    ),
    "bool targets": (
        lambda: ag.cross_entropy(LOGITS, CLASSES > 0),
        DTypeError,
        ["cross_entropy", "bool", "target.long()"],
    ),
    "list targets": (lambda: ag.cross_entropy(LOGITS, [0, 1, 2, 0]), DTypeError, ["cross_entropy", "list"]),
    "integer logits": (lambda: ag.cross_entropy(LOGITS.long(), CLASSES), DTypeError, ["cross_entropy", "int64"]),
    "reduction": (
        lambda: ag.cross_entropy(LOGITS, CLASSES, reduction="avg"),
        ValueError,
        ["reduction", "'mean'", "'avg'"],
    ),
    "label smoothing": (
        lambda: ag.cross_entropy(LOGITS, CLASSES, label_smoothing=2),
        ValueError,
        ["label_smoothing", "2"],
    ),
    "embedding row": (lambda: ag.embedding(tensor([4]), f(4, 2)), IndexError, ["embedding", "row 4", "4 rows"]),
    "embedding of floats": (lambda: ag.embedding(f(2), f(4, 2)), DTypeError, ["embedding", "integer", "float32"]),
    "embedding weight": (lambda: ag.embedding(tensor([1]), f(4)), ShapeError, ["embedding", "(rows, dim)", "(4,)"]),
    "embedding padding": (lambda: ag.embedding(tensor([1]), f(4, 2), 4), IndexError, ["embedding", "padding_idx 4"]),
    # the graph
    "backward without grad": (
        lambda: f().backward(),
        GraphError,
        ["backward", "does not require grad", "requires_grad=True"],
    ),
    "backward of a vector": (lambda: (f(3, grad=True) * 2).backward(), GraphError, ["scalar", "(3,)", ".sum()"]),
    "gradient of another shape": (
        lambda: (f(3, grad=True) * 2).backward(f(2)),
        ShapeError,
        ["gradient", "(2,)", "(3,)"],
    ),
    "grad of numbers": (lambda: ag.grad(f(grad=True) * 2, 3.0), (TypeError,), []),
    "grad assigned a number": (lambda: setattr(f(2, grad=True), "grad", 1.0), DTypeError, ["grad", "float 1.0"]),
    "grad assigned another shape": (
        lambda: setattr(f(2, grad=True), "grad", f(3)),
        ShapeError,
        ["grad", "(2,)", "(3,)"],
    ),
    "floor_divide has no gradient for integers": (lambda: tensor([1]).backward(), GraphError, ["require grad"]),
    "gradcheck in float32": (lambda: ag.gradcheck(ag.tanh, f(2, grad=True)), DTypeError, ["float64", "x.double()"]),
    "gradcheck without grad": (lambda: ag.gradcheck(ag.tanh, f(2)), ValueError, ["gradcheck", "requires_grad=True"]),
    "primitive of a taken name": (lambda: ag.primitive(named_tanh), ValueError, ["two primitives named tanh"]),
    "rule of no input": (lambda: ag.tanh.grads(z=None), TypeError, ["tanh.grads", "z", "x"]),
}


def named_tanh(xp, x):
    return xp.tanh(x)


named_tanh.__name__, named_tanh.__module__ = "tanh", "autograd.ops.elsewhere"


@pytest.mark.parametrize("case", ERRORS)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = ERRORS[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


def test_errors_are_of_the_types_that_numpys_and_pytorchs_users_catch():
    assert issubclass(ShapeError, ValueError) and issubclass(ShapeError, RuntimeError)
    assert issubclass(DTypeError, TypeError) and issubclass(DTypeError, RuntimeError)
    assert issubclass(GraphError, RuntimeError)


def test_a_gradcheck_that_fails_names_input_index_and_both_values():
    def halved(x):
        return x.detach() * x

    with pytest.raises(ag.GradcheckError) as error:
        ag.gradcheck(halved, tensor([1.0, 2.0], dtype="float64", requires_grad=True))
    message = str(error.value)
    assert "gradcheck: halved" in message
    assert "d output0[1] / d input0[1]: analytic 2, numeric 4" in message
    assert not ag.gradcheck(halved, tensor([1.0], dtype="float64", requires_grad=True), raise_exception=False)
    with pytest.raises(ag.GradcheckError, match="along random direction"):
        ag.gradcheck(halved, tensor([1.0, 2.0], dtype="float64", requires_grad=True), fast_mode=True)


@pytest.mark.reference
def test_a_tensor_of_pytorch_is_refused():
    import torch

    for call in (lambda t: f(2) * t, lambda t: ag.tanh(t), lambda t: ag.matmul(f(2), t), lambda t: ag.cat([f(2), t])):
        with pytest.raises(DTypeError) as error:
            call(torch.ones(2))
        assert "torch" in str(error.value)
    assert tensor(np.asarray(torch.ones(2))).tolist() == [1.0, 1.0]


def test_lines_of_a_notebook_are_told_by_the_number_of_their_cell(monkeypatch):
    def numbered(file):  # as IPython's compiler does
        return ("Cell", "In[7]") if file == "/tmp/ipykernel_1/2.py" else None

    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=numbered))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    cell = "def write(y):\n    with autograd.no_grad():\n        y += 1\n"
    names = {"autograd": ag}
    exec(compile(cell, "/tmp/ipykernel_1/2.py", "exec"), names)
    for write, line in ((names["write"], r"cell \[7\], line 3"), (write_here, r"/.*test_errors.py:\d+")):
        y = ag.tensor([1.0], requires_grad=True).exp()
        write(y)
        with pytest.raises(RuntimeError, match=f"overwritten in place at {line} after exp"):
            y.sum().backward()


def write_here(y):
    with ag.no_grad():
        y += 1


MISTYPED = {
    "Linear: keyword 'bais' is not supported; did you mean 'bias'?": lambda p: nn.Linear(3, 4, bais=False),
    "Dropout2d: keyword 'inplce' is not supported; did you mean 'inplace'?": lambda p: nn.Dropout2d(inplce=True),
    "LSTM: keyword 'num_layer' is not supported; did you mean 'num_layers'?": lambda p: nn.LSTM(3, 4, num_layer=2),
    "MSELoss: keyword 'size_average' is not supported; use reduction": lambda p: nn.MSELoss(size_average=True),
    "SGD: keyword 'momentm' is not supported; did you mean 'momentum'?": lambda p: optim.SGD([p], lr=0.1, momentm=0.9),
    "StepLR: keyword 'step' is not supported; did you mean 'step_size'?": lambda p: optim.lr_scheduler.StepLR(
        optim.SGD([p], lr=0.1), step=3
    ),
    "DataLoader: keyword 'batchsize' is not supported; did you mean 'batch_size'?": lambda p: nn.data.DataLoader(
        [1, 2], batchsize=2
    ),
}


@pytest.mark.parametrize("message", MISTYPED)
def test_constructors_say_what_a_mistyped_keyword_may_have_meant(message):
    with pytest.raises(TypeError) as error:
        MISTYPED[message](ag.zeros(2, requires_grad=True))
    assert str(error.value).startswith(message)


def test_constructors_of_others_and_other_errors_are_left_alone():
    class Mine(nn.Module):
        def __init__(self, size):
            super().__init__()

    with pytest.raises(TypeError, match=r"Mine\.__init__\(\) got an unexpected keyword argument 'sise'"):
        Mine(sise=3)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        nn.Linear(3)
    assert list(inspect.signature(nn.Linear).parameters)[:3] == ["in_features", "out_features", "bias"]


def test_mistyped_names_of_the_engine():
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'rnadn'; did you mean 'randn'"):
        ag.rnadn(3)
    assert not hasattr(ag, "_radn")
