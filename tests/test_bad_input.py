"""Bad input to every layer and loss: it works as in PyTorch, or a sentence says which layer it was and what was given.

The rows of layers.py give good inputs; each of their arguments is spoiled here in every way that one can think of.
"""

from __future__ import annotations

import re
import warnings

import layers
import numpy as np
import pytest
from layers import OURS, Library

import autograd
import nn
from autograd import DTypeError, GraphError, ShapeError

LAYERS = layers.load()
KINDS = {ShapeError, DTypeError, GraphError, IndexError, ValueError, TypeError}


def arrays_of(row):
    """The inputs of a row in single precision."""
    arrays = row.inputs(np.random.default_rng(0))
    return [a.astype("float32") if a is not None and a.dtype.kind == "f" else a for a in arrays]


def spoiled(x):
    """What may come in place of the array ``x``: by name, what is wrong with it."""
    if x is None:
        return {"a list": [1.0], "a number": 2, "a string": "x"}
    tensor, floating = autograd.tensor, x.dtype.kind == "f"
    bad = {
        "None": None, "a number": 1.5 if floating else 3, "a string": "x", "a dict": {"x": 1}, "a module": nn.ReLU(),
        "a list": x.tolist(), "a tuple of Tensors": (tensor(x),), "a NumPy array": x,
        "a dimension more": tensor(x[None]), "seven dimensions": tensor(x.reshape((1,) * (7 - x.ndim) + x.shape)),
        "one entry": tensor(x.reshape(-1)[0]), "bool": tensor(x > 0),
    }  # fmt: skip
    if x.ndim:
        bad["a dimension less"] = tensor(x[0])
        bad["a larger last size"] = tensor(np.concatenate([x, x[..., :1]], -1))
        bad["an empty batch"] = tensor(x[:0])
    if x.ndim > 1:
        bad["a larger first size"] = tensor(np.concatenate([x, x[:1]], 0))
        bad["a channel more"] = tensor(np.concatenate([x, x[:, :1]], 1))
        bad["an empty last dimension"] = tensor(x[..., :0])
    if floating:
        bad["integers"] = tensor(np.nan_to_num(x, posinf=3, neginf=-3).astype("int64"))
        bad["NaN"] = tensor(np.full_like(x, np.nan))
        bad["one NaN"] = tensor(np.where(np.arange(x.size).reshape(x.shape) == 0, np.nan, x))
        bad["float64"], bad["float16"] = tensor(x.astype("float64")), tensor(x.astype("float16"))
    else:
        bad["floats"] = tensor(x.astype("float64"))
        bad["negative indices"], bad["large indices"] = tensor(x - 10_000), tensor(x + 10_000)
    return bad


def says_what_came(message, value):
    """Whether a message has in it what ``value`` is: its type, dtype, shape, dimensions, a size or an entry of it."""
    if not isinstance(value, (autograd.Tensor, np.ndarray)):
        return type(value).__name__ in message or repr(value) in message
    entries = np.asarray(value).reshape(-1)
    words = {str(value.dtype), *map(str, value.shape), *(str(v) for v in entries), *(f"{v:g}" for v in entries)}
    if not words.isdisjoint(re.findall(r"-?[\w.]+", message)):
        return True
    sizes = (str(tuple(value.shape)), f"{value.ndim} dimensions")
    return any(s in message for s in sizes) or ("NaN" in message and bool(np.isnan(entries).any()))


@pytest.mark.parametrize("name", LAYERS)
def test_bad_input_works_or_is_refused_in_a_sentence(name):
    wrong = []
    for i, row in enumerate(LAYERS[name]):
        arrays = arrays_of(row)
        for place, array in enumerate(arrays):
            for what, value in spoiled(array).items():
                autograd.manual_seed(0)
                module = row.make(OURS).float()
                inputs = [None if a is None else autograd.tensor(a) for a in arrays]
                inputs[place] = value
                try:
                    # InstanceNorm's own sentence about a number that it does not use is a warning, as in PyTorch.
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UserWarning)
                        module(*inputs)
                except Exception as error:
                    message, cause = str(error), error.__cause__
                    if type(error) not in KINDS:
                        fault = type(error).__name__
                    elif not any(type(m).__name__ in message for m in module.modules()):
                        fault = "does not name the layer"
                    # Of arguments that do not fit each other it may be another that is named.
                    elif not any(says_what_came(message, v) for v in inputs):
                        fault = "does not say what was given"
                    elif cause is not None and type(cause) not in (ShapeError, DTypeError) and str(cause) in message:
                        fault = "is NumPy's or Python's"
                    else:
                        continue
                    wrong.append(f"row {i}, argument {place}, {what}: {fault}: {message}")
    assert not wrong, "\n".join(wrong)


# PyTorch takes an empty batch in training; the running moments are NaN from then on.
REFUSE_EMPTY = {f"{kind}Norm{d}d" for d in (1, 2, 3) for kind in ("Batch", "Instance")}
# PyTorch's losses with a margin take a NaN for a score that is low enough, its PixelUnshuffle of no images passes on
# their shape as it is, and its attention of which no weights are wanted gives 0 for NaN.
OTHERWISE = {"MultiMarginLoss", "MultiLabelMarginLoss", "PixelUnshuffle", "MultiheadAttention-1"}
SAME = [
    pytest.param(row, id=f"{name}-{i}")
    for name, rows in LAYERS.items()
    for i, row in enumerate(rows)
    if not (row.ours_alone or row.random) and OTHERWISE.isdisjoint({name, f"{name}-{i}"})
]


@pytest.mark.reference
@pytest.mark.parametrize("row", SAME)
def test_empty_batches_and_nan_come_out_as_pytorchs(row):
    import torch

    theirs, ours = row.make(Library(torch.nn, torch.tensor)).double(), row.make(OURS).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    arrays = row.inputs(np.random.default_rng(0))
    cases = {"NaN": np.full_like(arrays[0], np.nan)} if arrays[0].dtype.kind == "f" else {}
    if arrays[0].ndim:
        cases["empty"] = arrays[0][:0]
    for what, value in cases.items():
        given = [value, *arrays[1:]]
        try:
            wanted = theirs(*(None if a is None else torch.tensor(a) for a in given))
        except Exception:  # that ours is a sentence is tested above
            continue
        inputs = [None if a is None else autograd.tensor(a) for a in given]
        try:
            out = ours(*inputs)
        except ShapeError as error:
            assert what == "empty" and type(ours).__name__ in REFUSE_EMPTY, error
            continue
        while isinstance(out, tuple):
            out, wanted = out[0], wanted[0]
        np.testing.assert_array_equal(out.isnan().numpy(), wanted.isnan().numpy(), err_msg=what)


x, t = autograd.full((2, 3), 0.5), autograd.full((2, 3), 0.5)
classes = autograd.tensor([0, 2])
double = autograd.float64
# What once went through in silence.
REFUSED = {
    "weight of other classes": (
        lambda: nn.CrossEntropyLoss(autograd.ones(2))(x, classes), ShapeError, r"weight must have shape \(3,\).*\(2,\)"
    ),
    "weight of another dtype": (
        lambda: nn.CrossEntropyLoss(autograd.ones(3, dtype=double))(x, classes), DTypeError, "float32 and float64"
    ),
    "weight of nll": (lambda: nn.NLLLoss(autograd.ones(3, dtype=double))(x, classes), DTypeError, "weight is float64"),
    "weight of bce": (lambda: nn.BCELoss(autograd.ones(2, 3, dtype=double))(x, t), DTypeError, "weight is float64"),
    "targets beyond 1": (lambda: nn.BCELoss()(x, 2 * x + 1), ValueError, "target must hold.*from 2 to 2"),
    "targets that are NaN": (lambda: nn.BCELoss()(x, x * np.nan), ValueError, "target must hold.*NaN"),
    "integers as predictions": (lambda: nn.L1Loss()(x.long(), t), DTypeError, "input must be floating, got int64"),
    "labels below -1": (lambda: nn.MultiLabelMarginLoss()(x, x.long() - 2), IndexError, "class -2"),
    "labels that are bool": (lambda: nn.SoftMarginLoss()(x, x > 0), DTypeError, "1 and -1, got bool"),
    "dim of a number": (lambda: nn.Softmax(1)(autograd.tensor(1.0)), IndexError, "dim 1 is out of range"),
    "None to tanh": (lambda: nn.Tanh()(None), DTypeError, r"Tanh\(\): tanh: x must be a Tensor or a number, got None"),
    "None as condition": (lambda: autograd.where(None, x, t), DTypeError, "condition must be a Tensor, got None"),
    "slopes of another dtype": (lambda: nn.PReLU()(x.double()), DTypeError, "float64 and float32"),
    "nothing to average": (
        lambda: nn.AdaptiveAvgPool1d(2)(autograd.ones(1, 2, 0)), ShapeError, r"only batch and channels.*\(1, 2, 0\)"
    ),
    "nothing to enlarge": (lambda: nn.Upsample(2)(autograd.ones(1, 2, 0)), ShapeError, r"input of shape \(1, 2, 0\)"),
    "no bags": (
        lambda: nn.EmbeddingBag(3, 2)(classes, classes[:0]), ValueError, "bags end at 0, and the input has 2 entries"
    ),
    "indices with a batch": (
        lambda: nn.MaxUnpool1d(2)(autograd.ones(2, 3), classes.new_zeros((1, 2, 3))), ShapeError, r"int64 of.*\(1, 2"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_the_shape_in_the_error_is_that_before_padding():
    layer = nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular")
    for shape in ((5, 9), (4, 5, 9), (9,), (1, 1, 2, 9)):
        with pytest.raises(ShapeError, match=re.escape(str(shape)[1:-1])):
            layer(autograd.ones(*shape))


def test_no_instance_leaves_the_running_moments():
    layer = nn.InstanceNorm1d(2, track_running_stats=True)
    with pytest.raises(ShapeError, match=r"InstanceNorm1d.*one instance or more, got input of shape \(0, 2, 3\)"):
        layer(autograd.ones(0, 2, 3))
    assert not layer.running_mean.isnan().any()


def test_softmax_over_nothing_is_nothing():
    for layer in (nn.Softmax(1), nn.LogSoftmax(1), nn.Softmin(1)):
        x = autograd.ones(2, 0, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        assert y.shape == x.grad.shape == (2, 0)


OPERATIONS = {
    "linear": (lambda: autograd.linear(3, x), "linear: x must be a Tensor, got int 3"),
    "matmul": (lambda: autograd.matmul(x, 2.0), "matmul: y must be a Tensor, got float 2.0"),
    "add": (lambda: x + None, "add: y must be a Tensor or a number, got None"),
    "exp": (lambda: autograd.exp(None), "exp: x must be a Tensor or a number, got None"),
    "softmax": (
        lambda: autograd.softmax([1.0], -1),
        "softmax: input must be a Tensor, got list; make one with autograd",
    ),
    "NumPy": (lambda: autograd.softmax("abc", -1), "softmax: input must be a Tensor, got str"),
    "norm": (lambda: autograd.norm({}), "norm: .*dict"),
    "by name": (lambda: autograd.softmax(input=(x,), dim=0), "softmax: input must be a Tensor, got tuple"),
}


@pytest.mark.parametrize(("call", "message"), OPERATIONS.values(), ids=OPERATIONS)
def test_operations_name_the_argument_that_is_no_tensor(call, message):
    with pytest.raises(DTypeError, match=message):
        call()


class Doubled(nn.Module):
    """A module of one's own, whose argument says that it is a Tensor."""

    def forward(self, points: autograd.Tensor, missing: bool = False) -> autograd.Tensor:
        return self.nowhere(points) if missing else 2 * points.unsqueeze(0)


def test_modules_of_ones_own_name_the_argument_too():
    with pytest.raises(DTypeError, match=r"Doubled\(\): points must be a Tensor, got a NumPy array, float64 of shape"):
        Doubled()(np.ones(2))
    # An error that is about something else is left alone.
    with pytest.raises(AttributeError, match="nowhere"):
        Doubled()(np.ones(2), missing=True)
    with pytest.raises(DTypeError, match=r"1: Doubled\(\): points must be a Tensor, got tuple"):
        nn.Sequential(nn.Identity(), Doubled())((x,))


BAD_STATES = {
    "missing": ({"weight": autograd.ones(1, 2)}, ShapeError, "Linear\n  missing keys: bias"),
    "unknown": (
        {"weights": autograd.ones(1, 2), "bias": autograd.ones(1)}, ShapeError,
        r"missing keys: weight\n  unexpected keys: weights \(did you mean weight\?\)",
    ),
    "not a name": (
        {"weight": autograd.ones(1, 2), "bias": autograd.ones(1), 3: 4}, ShapeError, "unexpected keys: 3\n"
    ),
    "shape": (
        {"weight": autograd.ones(2, 1), "bias": autograd.ones(1)}, ShapeError,
        r"weight is \(2, 1\) in the state and \(1, 2\) in the module",
    ),
    "None": ({"weight": None, "bias": autograd.ones(1)}, DTypeError, "weight must be a Tensor or an array, got None"),
    "text": ({"weight": "x", "bias": autograd.ones(1)}, DTypeError, "weight must be a Tensor or an array, got str"),
    "a list": ([("weight", 1)], TypeError, "wants a mapping from names to Tensors, got list"),
}  # fmt: skip


@pytest.mark.parametrize(("state", "kind", "message"), BAD_STATES.values(), ids=BAD_STATES)
def test_states_that_do_not_fit(state, kind, message):
    layer = nn.Linear(2, 1)
    before = {name: p.clone() for name, p in layer.state_dict().items()}
    with pytest.raises(kind, match=f"load_state_dict: (?s:.*){message}"):
        layer.load_state_dict(state)
    assert all((p == before[name]).all() for name, p in layer.state_dict().items())
