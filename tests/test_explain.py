"""What ``explain`` shows, and what it leaves alone; the causes it knows are in ``test_explain_causes``."""

import copy
import os

import pytest

import autograd
import nn
from autograd import DTypeError, GraphError, explain, no_grad, record, tensor

F = autograd


def param(*values):
    return tensor(list(values) if len(values) > 1 else values[0], requires_grad=True)


def test_shares_add_up():
    w, x = param(1.0, 2.0, 3.0), tensor([1.0, -1.0, 2.0])
    h = w * x
    loss = (h**2).mean() + 0.1 * w.abs().sum() - (w * w).sum() / 7
    explanation = explain(w, loss)
    for kinds in (("use",), ("loss term", "regularizer"), ("path",)):
        shares = [f.value for f in explanation.findings if f.kind in kinds]
        assert len(shares) >= 3 and sum(shares) == pytest.approx(1, rel=1e-5)
    assert explanation.kinds.count("regularizer") == 2


def test_the_newest_scalar_in_scope_is_what_was_differentiated():
    w, v = param(1.0, 2.0), param(1.0)
    old = (w * 3).sum()
    loss = (w * 2).sum()
    other = v * v
    assert loss is not other
    assert "gradient of `loss` with respect to `w` has" in explain(w).text
    assert "The gradient of `other` with respect to `v` is" in explain(v).text
    assert "does not depend" not in explain(w, old).text


def test_nothing_is_changed():
    w = param(-1.0, 2.0)
    y = F.relu(w * w.detach())
    y.retain_grad()
    loss = y.sum() + (w * w).sum()
    before = copy.copy(loss._inputs)
    first = explain(w, loss).text
    assert explain(w, loss).text == first
    assert w.grad is None and y.grad is None and y.retains_grad and loss._inputs == before
    loss.backward()
    assert y.grad.tolist() == [1, 1]
    assert w.grad.tolist() == [-3, 6]


def test_after_backward_freed_the_graph():
    w = param(-1.0)
    loss = F.relu(w)
    loss.backward()
    explanation = explain(w, loss)
    assert explanation.kinds == ["freed"]
    assert "is 0; all of its entries are 0. The graph was freed" in explanation.text


def test_value_written_over():
    w = param(1.0, 2.0)
    loss = (w * w).sum()
    with no_grad():
        w.mul_(2.0)
    assert explain(w, loss).kinds == ["overwritten"]
    assert "overwritten in place at" in explain(w, loss).text


def test_ways_of_showing(capsys):
    w = param(-1.0, 2.0)
    loss = F.relu(w).sum()
    explanation = explain(w, loss, names={"<w>": w})
    explanation.print()
    assert capsys.readouterr().out == repr(explanation) + "\n" == explanation.text + "\n"
    assert explanation.subject == "<w>"
    assert "`&lt;w&gt;`" in explanation._repr_html_() and "<w>" not in explanation._repr_html_()
    assert explanation.findings[1].operation == "relu" and explanation.findings[1].value == 1


def test_several_outputs_and_functions():
    w = param(3.0, 1.0, 2.0)
    values, _ = w.sort()
    a, b = F.split(values * 1.0, [1, 2])
    loss = (a * 2).sum() + (b * 0.0).sum()
    assert explain(w, loss).kinds[0] == "gradient"
    assert "times zero" in explain(w, loss).kinds

    class Double(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 0

    loss = Double.apply(w).sum()
    assert "`Double` has slope 0 in 3 of 3 entries" in explain(w, loss).text


def test_on_a_network():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    with no_grad():
        model[0].bias[2] = -100.0
    with record():
        fit = F.cross_entropy(model(autograd.randn(5, 4)), tensor([0, 1, 2, 0, 1]))
        loss = fit + 1e-3 * sum((p * p).sum() for p in model.parameters())
    explanation = explain(model[3].bias, loss)
    assert "model.3.bias" in explanation.text, explanation
    assert sum(f.value for f in explanation.findings if f.kind == "use") == pytest.approx(1)
    first = explain(model[0].bias, fit)
    (dead,) = [f for f in first.findings if f.kind == "dead relu"]
    assert dead.operation == "relu" and dead.where[0] == __file__ and os.path.basename(__file__) in dead.text
    assert "times zero" in first.kinds  # dropout


def test_what_is_refused():
    w = param(1.0, 2.0)
    with pytest.raises(DTypeError, match="explain: wants a Tensor, got float"):
        explain(3.0)
    with pytest.raises(DTypeError, match="loss must be a Tensor"):
        explain(w, 3.0)
    with pytest.raises(GraphError, match=r"loss must be a scalar, got shape \(2,\)"):
        explain(w, w * 2)


def test_long_programs():
    w = param(1.0)
    y = w * 1.0
    for _ in range(5000):
        y = y + w * 1e-3
    loss = y * 1.0
    explanation = explain(w, loss)
    assert explanation.kinds.count("use") == 11 and "The other 4991 uses give" in explanation.text
    assert sum(f.value for f in explanation.findings if f.kind == "use") == pytest.approx(1, rel=1e-4)
    y = w
    for _ in range(5000):
        y = F.tanh(y)
    assert explain(w, y).kinds[0] == "gradient"


def test_hooks_are_heard_and_the_graph_is_kept():
    w = param(1.0)
    y = w * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()) or g * 10)
    loss = y * 3
    assert "is 60." in explain(w, loss).text
    assert seen[0] == 3
    loss.backward()
    assert w.grad.item() == 60
