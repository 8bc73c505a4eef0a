"""Why a gradient is None, 0 or NaN, and what it is the sum of: one row per cause, with its sentence."""

import os
import re

import numpy as np
import pytest

import autograd as F
import nn
from autograd import explain, no_grad, record, tensor

HERE = os.path.basename(__file__)


def param(*values):
    return tensor(list(values) if len(values) > 1 else values[0], requires_grad=True)


CAUSES = {}


def cause(kind, sentence):
    def add(build):
        CAUSES[build.__name__] = (kind, sentence, build)
        return build

    return add


# Why is it None?


@cause("unused", r"`w.grad` is None. `loss` does not depend on `w`: it was never used in what was differentiated\.$")
def never_used():
    w, v = param(1.0, 2.0), param(3.0)
    loss = v * v
    return explain(w, loss)


@cause(
    "detached",
    r"`w.grad` is None. `w` was detached before mul used it, so no gradient of `loss` comes back to "
    r"`w`\.$",
)
def detached():
    w, v = param(1.0, 2.0), param(3.0)
    loss = (w.detach() * v).sum()
    return explain(w, loss)


@cause("detached", r"`h = mul`, which was computed from it, was detached \(" + HERE + r":\d+: h\.detach\(\)\) before")
def detached_later_and_recorded():
    w, v = param(1.0, 2.0), param(3.0)
    with record():
        h = w * 2
        loss = (
            h.detach()
            * v
        ).sum()  # fmt: skip
    return explain(w, loss)


@cause("detached", r"`w.grad` is None because `w` is detached from `v`: it shares its memory")
def is_detached():
    v = param(1.0, 2.0)
    w = v.detach()
    loss = (w * v).sum()
    return explain(w, loss)


@cause("detached", r"`w.grad` is None because `w` was detached \(.*: w = \(v \* 2\)\.detach\(\)\)\.$")
def is_detached_recorded():
    v = param(1.0, 2.0)
    with record():
        w = (v * 2).detach()
        loss = (w * v).sum()
    return explain(w, loss)


@cause("no_grad", r"`w.grad` is None because `w` was made under no_grad\(\) \(.*: w = v \* 2\)\.$")
def made_under_no_grad():
    v = param(1.0, 2.0)
    with record(), no_grad():
        w = v * 2
    loss = (w * v).sum()
    return explain(w, loss)


@cause("no_grad", r"`h` was made under no_grad\(\) \(.*: h = w \* 2\)\.$")
def went_through_no_grad():
    w, v = param(1.0, 2.0), param(3.0, 4.0)
    with record(), no_grad():
        h = w * 2
    loss = (h * v).sum()
    return explain(w, loss)


@cause("no_grad", r"`normal` was made under no_grad\(\) \(.*: h = w \* 2\)\.$")
def went_on_from_no_grad():
    w, v = param(1.0, 2.0), param(3.0, 4.0)
    with record():
        with no_grad():
            h = w * 2
            normal = (h - h.mean()) / 3
        loss = (normal * v).sum()
    del h
    return explain(w, loss)


@cause("detached", r"one was detached \(.*: d = \(w \* 2\)\.detach\(\)\)\.$")
def went_on_from_detached():
    w, v = param(1.0, 2.0), param(3.0, 4.0)
    with record():
        d = (w * 2).detach()
        loss = ((d - d.mean()) * v).sum()
    return explain(w, loss)


@cause("loss is cut off", r"`w.grad` is None. `loss` does not require grad: .* made under no_grad\(\)")
def loss_under_no_grad():
    w = param(1.0, 2.0)
    with record(), no_grad():
        loss = w @ w
    return explain(w, loss)


@cause(
    "constant",
    r"`w` does not require grad: it was made without requires_grad=True, or computed under "
    r"no_grad\(\)",
)
def made_without_requires_grad():
    w, v = tensor([1.0, 2.0]), param(3.0, 4.0)
    loss = (w * v).sum()
    return explain(w, loss)


@cause(
    "integer",
    r"`w.grad` is None because `w` holds integers \(int64\), and only floats have gradients; convert it: "
    r".float",
)
def holds_integers():
    w, v = tensor([1, 2]), param(3.0, 4.0)
    loss = (w * v).sum()
    return explain(w, loss)


@cause(
    "not a leaf",
    r"`w.grad` is None because `w` is not a leaf but a result of mul; backward\(\) fills \.grad of leaves "
    r"only",
)
def not_a_leaf():
    v = param(3.0, 4.0)
    w = v * 0.1
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    return explain(w, loss)


@cause(
    "backward not called",
    r"`w.grad` is None because backward\(\) was not called yet, or because it was reset "
    r"since",
)
def backward_not_called():
    w = param(3.0, 4.0)
    loss = (w * w).sum()
    return explain(w, loss)


@cause("backward not called", r"no scalar to differentiate is among your variables")
def nothing_to_differentiate():
    w = param(3.0, 4.0)
    return explain(w)


@cause(
    "frozen",
    r"`model.weight.grad` is None because `model.weight` is frozen: its requires_grad is False; set "
    r"requires_grad_",
)
def frozen():
    model = nn.Linear(2, 1)
    model.weight.requires_grad_(False)
    loss = model(tensor([[1.0, 2.0]])).sum()
    return explain(model.weight, loss)


@cause("unused", r"`w.grad` is None after backward\(\) from `loss`: `w` was not used in computing it, or was cut off")
def freed_and_unused():
    w, v = param(3.0), param(4.0)
    loss = v * v
    loss.backward()
    return explain(w, loss)


@cause("no gradient", r"because `w` is a result of floor_divide, which has no gradient \(.*: w = v // 2\)\.$")
def result_without_gradient():
    v = param(3.0, 4.0)
    with record():
        w = v // 2
    loss = (v * w).sum()
    return explain(w, loss)


# Why is it 0?


@cause(
    "dead relu",
    r"`h = relu` passes nothing back: its input is ≤ 0 in 2 of 2 entries \(dead ReLU\)\. .* 0 in 3 of 3 "
    r"entries",
)
def dead_relu():
    x, w = tensor([[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]]), param(-1.0, -1.0, -1.0)
    h = F.relu(x @ w)
    loss = h.sum()
    return explain(w, loss)


@cause("dead relu", r"passes nothing back: its input is ≤ 0 in 1 of 2 entries .*gradient 0 in 1 of 2 entries")
def half_dead_relu():
    w = param(-1.0, 1.0)
    loss = F.relu(w).sum()
    return explain(w, loss)


@cause(
    "saturated",
    r"`sigmoid` is saturated in 2 of 2 entries: its input runs from -2000 to 1000, where its slope is "
    r"0",
)
def saturated_sigmoid():
    w = param(1.0, -2.0)
    loss = F.sigmoid(w * 1000).sum()
    return explain(w, loss)


@cause(
    "saturated",
    r"`tanh` is nearly saturated: its input runs from 5 to 6, and of a gradient of at most 1 it passes "
    r"0\.000\d+ on",
)
def nearly_saturated_tanh():
    w = param(5.0, 6.0)
    loss = F.tanh(w).sum()
    return explain(w, loss)


@cause("masked", r"`where` did not choose 1 of 2 entries of this branch: its condition masks them")
def masked():
    w = param(5.0, 6.0)
    loss = F.where(tensor([True, False]), w, 0.0).sum()
    return explain(w, loss)


@cause(
    "not chosen",
    r"`loss = amax` did not choose 2 of 3 entries: others were larger\. That makes the gradient 0 in 2 of "
    r"3",
)
def max_not_chosen():
    w = param(5.0, 6.0, 1.0)
    loss = w.amax()
    return explain(w, loss)


@cause("not chosen", r"`loss = minimum` did not choose its only entry: others were smaller")
def minimum_not_chosen():
    w = param(5.0)
    loss = F.minimum(w, tensor(1.0))
    return explain(w, loss)


@cause("clipped", r"`clamp` clipped 1 of 2 entries: they are outside \[-1, 1\]")
def clipped():
    w = param(5.0, 0.5)
    loss = w.clamp(-1, 1).sum()
    return explain(w, loss)


@cause(
    "times zero",
    r"`mul` multiplies by 0: `mask` is 0 in 1 of 2 entries, as in dropout\. .* 0 in 1 of "
    r"2",
)
def multiplied_by_zero():
    w, mask = param(5.0, 0.5), tensor([0.0, 1.0])
    loss = (w * mask).sum()
    return explain(w, loss)


@cause("times zero", r"`h = matmul` multiplies by 0: `v` is 0\.")
def zero_weights():
    w, v, x = param(5.0, 0.5), tensor([0.0, 0.0], requires_grad=True), tensor([1.0, 1.0])
    h = F.tanh(w * x) @ v
    loss = h * 1.0
    return explain(w, loss)


@cause("flat", r"`round` has slope 0 everywhere")
def rounded():
    w = param(5.0, 0.5)
    loss = F.round(w).sum()
    return explain(w, loss)


@cause("flat", r"`loss = pow` has slope 0 in its only entry: its input is 0")
def at_a_minimum():
    w = param(0.0)
    loss = w**2
    return explain(w, loss)


@cause("not read", r"`getitem` did not read 2 of 3 entries")
def not_indexed():
    w = param(5.0, 0.5, 1.0)
    loss = w[1] * 2
    return explain(w, loss)


@cause("cancelled", r"The gradients of its 2 uses cancel in 2 of 2 entries, as in -3 \+ 3 = 0")
def cancelled():
    w = param(5.0, 0.5)
    loss = (w * 3).sum() - (w * 3).sum()
    return explain(w, loss)


# Where did the NaN come from?


@cause(
    "nan forward",
    r"The first NaN going forward was made by `y = log` \(test_explain_causes.py:\d+: y = F\.log\(w\)\), in 1 of "
    r"2 entries: w = -1 at \[1\]\.",
)
def nan_of_a_logarithm():
    w = param(1.0, -1.0)
    with record():
        y = F.log(w)
        loss = (y * y).sum()
    return explain(w, loss)


@cause("inf forward", r"The first Inf going forward was made by `loss = div`, in its only entry: x = 1, w = 0")
def inf_of_a_division():
    w = param(0.0)
    loss = 1.0 / w
    return explain(w, loss)


@cause("nan in data", r"`x` itself holds 1 NaN, from before any operation")
def nan_in_data():
    w, x = param(1.0, 2.0), tensor([1.0, np.nan])
    loss = (w * x).sum()
    return explain(w, loss)


@cause(
    "inf backward",
    r"The first Inf going backward came from the rule of `sqrt` for its input x, in 1 of 2 entries: w = 0 "
    r"at \[1\]",
)
def inf_of_a_slope():
    w = param(1.0, 0.0)
    loss = F.sqrt(w).sum()
    return explain(w, loss)


@cause("nan forward", r"The first NaN going forward was made by `loss = sub`, in its only entry: y = inf, y = inf")
def nan_of_infinities():
    w = param(1000.0)
    y = F.exp(w)
    loss = y - y
    return explain(loss)


# What is it the sum of?


@cause("use", r"Use 2 of 2, in `loss = mul`, gives 3, 60 % of it\.|Use 1 of 2, in `.*`, gives 3, 60 % of it\.")
def two_uses():
    x, w, z = param(1.0), param(2.0), param(0.0)
    loss = (x + w) * F.maximum(w, z)
    return explain(w, loss)


@cause("path", r"The path w → `add` → `loss = mul` gives 2, 40 % of it\.")
def two_paths():
    x, w, z = param(1.0), param(2.0), param(0.0)
    loss = (x + w) * F.maximum(w, z)
    return explain(w, loss)


@cause("loss term", r"The term `fit = mean` gives \|∇\| 4, 80 % of it\.|The term `fit = mean` gives")
def two_terms():
    w, x = param(1.0, 2.0), tensor([[1.0, 0.0], [0.0, 2.0]])
    fit = ((x @ w) ** 2).mean()
    loss = fit + 0.5 * (w**2).sum()
    return explain(w, loss)


@cause("regularizer", r"The term 0\.5 · `sum`, which depends on parameters only, gives")
def a_regularizer():
    return two_terms()


@cause("accumulated", r"`w.grad` has norm 1\.118, and not \|∇\| nan: it holds gradients of other passes too")
def nan_after_a_good_pass():
    w = param(1.0, 2.0)
    F.log(w).sum().backward()
    with no_grad():
        w -= 2.0
    loss = (F.sqrt(w) * 2).sum()
    return explain(w, loss)


@cause("accumulated", r"`w.grad` is 6, and not 3: it is the sum of 2 backward passes; call zero_grad\(\) before each")
def accumulated():
    w = param(1.0)
    loss = w * 3
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=True)
    return explain(w, loss)


@pytest.mark.parametrize("name", CAUSES)
def test_cause(name):
    kind, sentence, build = CAUSES[name]
    with np.errstate(all="ignore"):
        explanation = build()
    said = [f.text for f in explanation.findings if f.kind == kind]
    assert said, f"no {kind!r} in {explanation.kinds}:\n{explanation}"
    assert any(re.search(sentence, text) for text in said), said
