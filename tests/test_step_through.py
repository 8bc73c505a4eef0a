"""The steps of a forward and a backward pass: their numbers, their formulas, their text, and what a page holds."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
import weakref

import numpy as np
import pytest

import autograd
import nn
from autograd import DTypeError, GraphError, maximum, step_through, tensor

LECTURE = """\
forward
   1  add = x + y
      x = 1, y = 2 → 3
   2  maximum = max(y, z)
      y = 2, z = 0 → 2
   3  f = add · maximum
      add = 3, maximum = 2 → 6

backward
   4  ∂f/∂f = 1
      the backward pass starts at f, with the gradient of f with respect to itself
   5  ∂f/∂add = g · maximum
      upstream × local = downstream: 1 × 2 = 2
      × switches: each input gets the upstream gradient times the other input
   6  ∂f/∂maximum = g · add
      upstream × local = downstream: 1 × 3 = 3
      × switches: each input gets the upstream gradient times the other input
   7  ∂f/∂y = g · (0.5 where y = z, else [y ≥ z])
      upstream × local = downstream: 3 × 1 = 3
      this is use 1 of 2 of y: 3
      max routes: the upstream gradient goes to the larger input, and the other one gets 0; y is the larger one
   8  ∂f/∂z = g · (0.5 where z = y, else [z ≥ y])
      upstream × local = downstream: 3 × 0 = 0
      max routes: the upstream gradient goes to the larger input, and the other one gets 0; z is not the larger one
   9  ∂f/∂x = g
      upstream × local = downstream: 2 × 1 = 2
      + distributes: each input gets the upstream gradient as it is
  10  ∂f/∂y = g
      upstream × local = downstream: 2 × 1 = 2
      this is use 2 of 2 of y: 3 + 2 = 5
      + distributes: each input gets the upstream gradient as it is

gradients
  ∂f/∂x = 2
  ∂f/∂y = 3 + 2 = 5
  ∂f/∂z = 0
"""


def lecture():
    x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    f = (x + y) * maximum(y, z)
    return step_through(f)


def scalar(value=3.0):
    return tensor(value, requires_grad=True)


def backward(player):
    """Its steps from an operation to one of its inputs."""
    return [step for step in player if step.argument is not None]


def dense(value):
    assert value is not None and value.entries is not None
    return value.entries


def test_lecture_example_prints_the_lectures_numbers(capsys):
    lecture().print()
    assert capsys.readouterr().out == LECTURE
    file = io.StringIO()
    lecture().print(file=file)
    assert file.getvalue() == LECTURE


def test_records_are_plain_and_frozen():
    player = lecture()
    assert len(player) == 10 and player[-1].number == 10 and [s.number for s in player[:2]] == [1, 2]
    assert [s.phase for s in player] == ["forward"] * 3 + ["backward"] * 7
    step = player[-1]
    assert (step.node, step.target, step.target_name, step.use, step.uses) == ("n2", "n1", "y", 2, 2)
    assert [dense(v) for v in (step.upstream, step.local, step.downstream, step.before, step.total)] == [2, 1, 2, 3, 5]
    assert [(x.argument, x.name, x.value.entries) for x in step.inputs] == [("x", "x", 1), ("y", "y", 2)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.use = 3
    assert {name: dense(g) for name, g in player.gradients.items()} == {"x": 2, "y": 5, "z": 0}
    assert next(iter(player)) is player[0]


def program(seed):
    """A random program of scalars and small arrays: its leaves, and its result."""
    rng = np.random.default_rng(seed)
    leaves = [tensor(rng.uniform(0.5, 2.0, shape), requires_grad=True) for shape in ((), (3,), (2, 3), (2, 3))]
    values = list(leaves)
    unary = [autograd.tanh, autograd.sigmoid, autograd.relu, autograd.exp, autograd.sin, lambda a: a**3, autograd.neg,
             lambda a: a.clone(), lambda a: autograd.where(a > 1, a, a * 0.1), lambda a: (a * a + 1).log(),
             lambda a: a.clone().mul_(2.0).add_(a)]  # fmt: skip
    binary = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1), maximum,
              autograd.minimum]  # fmt: skip
    shaped = [lambda a: a.sum(-1), lambda a: a.max(-1).values, lambda a: autograd.cat(autograd.split(a, 1, -1)[:2], -1),
              lambda a: a.mT if a.ndim == 2 else a, lambda a: a @ a.mT if a.ndim == 2 else a, lambda a: a[..., 1:],
              lambda a: a.softmax(-1), lambda a: a.reshape(-1), lambda a: a.mean(0, keepdim=True)]  # fmt: skip
    for _ in range(rng.integers(4, 14)):
        kind = rng.integers(10)
        a, b = (values[i] for i in rng.integers(len(values), size=2))
        if kind < 4:
            made = unary[rng.integers(len(unary))](a)
        elif kind < 8 or a.ndim == 0 or min(a.shape, default=0) < 2:
            try:
                np.broadcast_shapes(a.shape, b.shape)
            except ValueError:
                b = b.sum()
            made = binary[rng.integers(len(binary))](a, b)
        else:
            made = shaped[rng.integers(len(shaped))](a)
        with autograd.no_grad():
            made + 1.0
        values.append(made * 0.5)
    used = [v for v in values[len(leaves) :] if rng.random() < 0.5] or values[-1:]
    return leaves, sum((v.sum() for v in used), start=values[-1].mean())


@pytest.mark.parametrize("seed", range(50))
def test_random_programs(seed):
    leaves, loss = program(seed)
    names = {f"leaf{i}": leaf for i, leaf in enumerate(leaves)}
    player = step_through(loss, names=names)
    sums: dict[str, np.ndarray] = {}
    checked = 0
    for step in backward(player):
        if step.local is not None and step.local.entries is not None:
            np.testing.assert_allclose(dense(step.upstream) * dense(step.local), dense(step.downstream), rtol=1e-12)
            checked += 1
        if step.operation == "pick":
            continue
        before = sums.get(step.target)
        if step.downstream.entries is not None:
            assert (step.before is None) == (before is None)
            sums[step.target] = dense(step.downstream) + (0 if before is None else before)
            np.testing.assert_allclose(dense(step.total), sums[step.target], rtol=1e-12)
    assert checked > 2
    assert all(leaf.grad is None for leaf in leaves)
    loss.backward()
    gradients = player.gradients
    for name, leaf in names.items():
        if leaf.grad is None:
            assert name not in gradients
        else:
            np.testing.assert_allclose(dense(gradients[name]), leaf.grad.numpy(), rtol=1e-12)
            last = [step for step in player if step.target_name == name][-1]
            assert last.use == last.uses
            np.testing.assert_allclose(dense(last.total), leaf.grad.numpy(), rtol=1e-12)


def test_every_step_of_the_engines_own_pass_is_there():
    """As many steps back as the walk passes edges, each with the gradient that it handed on."""
    from autograd.backward import run

    for seed in range(10):
        _, loss = program(seed)
        passed = []
        run([loss], [np.float64(1)], retain_graph=True, observe=lambda *edge, to=passed: to.append(np.array(edge[3])))
        steps = [step for step in backward(step_through(loss)) if step.operation != "pick" or step.upstream is not None]
        parts = [s for s in steps if s.operation == "pick" and s.note.startswith("the gradient of one of several")]
        steps = [s for s in steps if s not in parts]
        assert len(steps) == len(passed)
        for step, gx in zip(steps, passed, strict=True):
            assert step.downstream.norm == pytest.approx(np.linalg.norm(gx), rel=1e-12, abs=1e-300)


def test_numbers_arrays_and_their_names():
    x = tensor([1.0, 2.0], requires_grad=True)
    loss = (3.0 * x).sum()
    steps = step_through(loss)
    assert [s.formula for s in steps] == [
        "mul = 3 · x", "loss = Σ(mul)", "∂loss/∂loss = 1", "∂loss/∂mul = g, for every entry", "∂loss/∂x = g · 3",
    ]  # fmt: skip
    assert steps[-1].rule == "∂L/∂y = g · 3"
    assert steps[-1].product == "[1, 1] × [3, 3] = [3, 3]"
    assert [x.name for x in steps[0].inputs] == ["3", "x"]


def test_large_arrays_are_shown_by_shape_and_norm():
    x = autograd.full((20, 50), 3.0, requires_grad=True)
    steps = backward(step_through((x * x).sum()))
    assert steps[-1].product == "(20, 50) with norm 31.62 × (20, 50) with norm 94.87 = (20, 50) with norm 94.87"
    assert steps[-1].sum == "(20, 50) with norm 94.87 + (20, 50) with norm 94.87 = (20, 50) with norm 189.7"


def test_a_broadcast_input_says_that_its_copies_add_up():
    w, x = scalar(2.0), tensor([1.0, 2.0, 4.0])
    (step,) = [s for s in backward(step_through((w * x).sum())) if s.target_name == "w"]
    assert (step.formula, step.product, step.local) == ("∂L/∂w = g · x", "[1, 1, 1] → 7", None)
    assert step.note.endswith("; it was broadcast, so the gradients of its copies add up")


def test_operations_of_the_same_name_are_told_apart():
    x = scalar(2.0)
    y = (x * x) * (x * x)
    assert [s.name for s in step_through(y) if s.phase == "forward"] == ["mul₁", "mul₂", "y"]
    assert "this is use 4 of 4 of x: 24 + 8 = 32" in [s.branch for s in step_through(y)]
    mul = x * 1.0
    assert [s.name for s in step_through((mul * x) + x) if s.phase == "forward"] == ["mul", "mul₁", "add"]


def test_a_programs_own_g_is_not_the_upstream_gradient():
    g = scalar(2.0)
    y = g * 3.0
    assert [s.formula for s in backward(step_through(y))] == ["∂y/∂g = upstream · 3"]


def test_parameters_have_the_names_of_their_modules():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = autograd.ones(4, 2)
    with autograd.no_grad():
        scale = x.sum() * 0.5
    loss = (model(x) * scale).mean()
    player = step_through(loss)
    assert set(player.gradients) == {"model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias"}
    assert "∂loss/∂model.0.weight = gᵀ @ x" in [s.formula for s in player]
    assert "scale" in [x.name for s in player for x in s.inputs]


def test_what_record_noted():
    model = nn.Sequential(nn.Linear(2, 1))
    with autograd.record():
        loss = model(autograd.ones(1, 2)).sum()
    steps = step_through(loss)
    assert steps[0].where[0] == __file__ and [name for name, _ in steps[0].module][-1] == "0"
    assert f"at {__file__}:{steps[0].where[1]}" in steps.text()


def test_several_outputs():
    x = tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    first, second = autograd.split(x * 1.0, 2)
    loss = (first * second).sum()
    steps = backward(step_through(loss))
    parts = [s for s in steps if s.operation in ("pick", "split")]
    assert [(s.name, s.target_name, s.downstream.entries.tolist()) for s in parts] == [
        ("second", "split", [1, 2]), ("first", "split", [3, 4]), ("split", "mul₁", [3, 4, 1, 2]),
    ]  # fmt: skip
    assert steps[-1].total.entries.tolist() == [3, 4, 1, 2]
    a, b = autograd.split(x, 2)
    assert [s.name for s in step_through((a * b).sum(), names={"a": a})][:3] == ["split", "a", "b"]
    unnamed = step_through(sum(part.sum() * 2.0 for part in autograd.split(x, 2)))
    assert [s.name for s in unnamed][:3] == ["split", "split[0]", "split[1]"]
    best = (x * 2.0).max(0)
    assert dense(step_through(best.values * 1.0).gradients["x"]).tolist() == [0, 0, 0, 2]


def test_in_place_and_views():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2.0
    y[0] = x[1] * 5.0
    y.add_(x)
    loss = (y.reshape(3, 1) * x.reshape(3, 1)).sum()
    player = step_through(loss)
    loss.backward(retain_graph=True)
    np.testing.assert_allclose(dense(player.gradients["x"]), x.grad.numpy())


def test_sparse_gradients():
    table = autograd.tensor(np.ones((3, 2)), requires_grad=True)
    loss = autograd.embedding(tensor([0, 2, 2]), table, sparse=True).sum()
    assert dense(step_through(loss).gradients["table"]).tolist() == [[1, 1], [0, 0], [2, 2]]


def test_a_branch_that_is_not_taken_says_why_nothing_passes():
    x = tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        y = autograd.where(x > 0, autograd.log(x), x)
    (step,) = [s for s in backward(step_through(y.sum())) if s.operation == "log"]
    assert step.downstream.entries.tolist() == [0, 1]
    assert step.note.endswith("an upstream gradient of 0 stays 0 through an infinite slope")


def test_stepping_leaves_everything_alone():
    x = scalar()
    y = x * x
    y.retain_grad()
    z = y * 2.0
    step_through(z)
    assert x.grad is None and y.grad is None
    z.backward()
    assert x.grad.item() == 12 and y.grad.item() == 2


def test_gradient_can_be_given():
    x = tensor([1.0, 2.0], requires_grad=True)
    player = step_through(x * x, gradient=[1.0, 10.0])
    assert dense(player.gradients["x"]).tolist() == [2, 40]
    (start,) = [s for s in player if s.phase == "backward" and s.argument is None]
    assert start.note == "the backward pass starts at mul, here called L, with the gradient given"


def test_hooks():
    x = tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g * 2)
    player = step_through((x * 3.0).sum())
    assert dense(player.gradients["x"]).tolist() == [6, 6]
    assert player.text().endswith("gradients\n  ∂L/∂x = [3, 3], and [6, 6] after its hooks\n")


def test_the_result_can_be_used_by_itself():
    x = scalar(2.0)
    y = x * x
    z = y + 0.0 * y
    assert [s.branch for s in step_through(z) if s.target_name == "y"] == [
        "this is use 1 of 2 of y: 1", "this is use 2 of 2 of y: 1 + 0 = 1",
    ]  # fmt: skip


def freed():
    y = scalar() ** 2
    y.backward()
    return y


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: step_through(3.0), DTypeError, "step_through: wants a Tensor, got float 3.0"),
        (lambda: step_through(scalar()), GraphError, "there is nothing to step through"),
        (lambda: step_through(tensor(2.0) * 3), GraphError, "there is nothing to step through"),
        (lambda: step_through(autograd.ones(2, requires_grad=True) * 2), GraphError, r"this Tensor has shape \(2,\)"),
        (lambda: step_through(scalar() * 2, gradient=[1.0, 2.0]), autograd.ShapeError, "step_through: the gradient"),
        (lambda: step_through(freed()), GraphError, r"step through it before backward\(\)"),
        (lambda: lecture().save("steps.gif"), ValueError, r"there are \.html and \.txt"),
        (lambda: lecture().save("/no/such/folder/x.html"), FileNotFoundError, "there is no folder /no/such/folder"),
        (lambda: lecture().html(limit=1), ValueError, "limit must be at least 2 steps, got 1"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def page_data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


AWKWARD = '</script><script>alert(1)</script>"&|{}\\ <b>'


def test_page_needs_nothing_else_and_shows_names_as_text():
    x = scalar()
    page = step_through(x * 2.0, names={AWKWARD: x}).html(title="a & <b>")
    assert page.count("<script") == 2 and "alert(1)</script>" not in page and "<title>a &amp; &lt;b&gt;</title>" in page
    assert not re.search(r"(src|href)\s*=", page.replace("xmlns:xlink", ""))
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert page_data(page)["steps"][-1]["formula"] == f"∂L/∂{AWKWARD} = g · 2"


def test_page_of_a_big_graph_says_what_it_leaves_out():
    y = scalar(1.0)
    for _ in range(3000):
        y = y * 1.0001
    player = step_through(y)
    assert len(player) == 6001
    data = page_data(player.html(limit=60))
    assert [s["number"] for s in data["steps"]] == list(range(2971, 3031))
    assert data["note"].startswith("This page plays 60 of the 6,001 steps, those nearest to the result")
    assert page_data(lecture().html())["note"] == ""


def test_notebook_shows_a_frame_that_is_kept_with_the_notebook():
    player = lecture()
    bundle = player._repr_mimebundle_()
    assert bundle == {"text/plain": "<Player: 3 forward and 7 backward steps>", "text/html": player._repr_html_()}
    frame = re.fullmatch(r'<iframe [^<>]*?srcdoc="([^"<>]*)"[^<>]*></iframe>', bundle["text/html"])
    assert html.unescape(frame[1]) == player.html()


def test_files(tmp_path):
    assert lecture().save(tmp_path / "steps.txt") == str(tmp_path / "steps.txt")
    assert (tmp_path / "steps.txt").read_text(encoding="utf-8") == LECTURE
    lecture().save(tmp_path / "steps.html")
    assert "<title>steps.html</title>" in (tmp_path / "steps.html").read_text(encoding="utf-8")


def test_no_tensor_is_kept_alive():
    def made():
        x = autograd.ones(3, requires_grad=True)
        y = (x * x).sum()
        return weakref.ref(y), step_through(y)

    result, player = made()
    assert result() is None and len(player) == 6
