"""A profile: every nanosecond has a place, once, and the counts are right."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import programs_profiled
import pytest
from programs_profiled import PROGRAMS, checkpointed, closures, function, step, unhurried

import autograd
import nn
import optim
from autograd import modes, profile, tensor
from autograd.profiling import memory


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_the_parts_are_the_whole(program):
    program()  # imports and such
    with profile() as p:
        program()
    assert p.wall_ns == p.total_ns + p.overhead_ns
    assert p.overhead_ns > 0
    assert all(cell.ns >= 0 for cell in p._cells.values())
    assert p.total_ns == p.forward_ns + p.backward_ns + p.outside_ns
    ops = p.by_op()
    assert sum(row.time_ns for row in ops) + p.outside_ns == p.total_ns
    assert sum(row.forward_ns for row in ops) == p.forward_ns > 0
    assert sum(row.backward_ns for row in ops) == p.backward_ns > 0
    for table in (p.by_module(), p.by_region()):
        assert sum(row.time_ns for row in table) == p.total_ns
        assert sum(row.total_ns for row in table if row.depth == 0) == p.total_ns
    assert sum(row.time_ns for row in p.by_line()) + p.outside_ns == p.total_ns
    for name in ("calls", "bytes", "gradient_bytes", "flops"):
        of_lines = sum(getattr(row, name) for row in p.by_line())
        assert sum(getattr(row, name) for row in ops) == of_lines, name
    assert all(row.time_ns >= 0 for table in (ops, p.by_module(), p.by_line()) for row in table)
    assert modes.local.profiler is None
    assert not modes.local.watchers


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_events_lie_in_each_other(program):
    with profile() as p:
        program()
    events = json.loads(json.dumps(p.trace()))["traceEvents"]
    open_ends = []
    for event in events:
        assert event["ph"] == "X"
        assert event["dur"] >= 0
        start, end = event["ts"], event["ts"] + event["dur"]
        while open_ends and open_ends[-1] <= start + 1e-4:
            open_ends.pop()
        assert not open_ends or end <= open_ends[-1] + 1e-4, event["name"]
        open_ends.append(end)
    assert events[0]["name"] == "profile"
    assert events[0]["dur"] == p.wall_ns / 1000
    assert sum(event["cat"] == "backward" for event in events) >= sum(row.visits for row in p.by_op()) > 0


def test_the_trace_has_each_operation_once():
    with profile() as p:
        step()
    events = p.trace()["traceEvents"]
    for row in p.by_op():
        mine = [event for event in events if event["name"] == row.name and event["cat"] == "forward"]
        assert len(mine) == row.calls
        lengths = [round(1000 * event["dur"]) for event in mine]
        assert sum(n - min(n, p._reading) for n in lengths) == row.forward_ns
        back = [event for event in events if event["name"] == f"{row.name} backward"]
        assert len(back) == row.visits
        # An event's length has the profiler's own work in it, a row's has not.
        assert sum(event["dur"] for event in back) >= row.backward_ns / 1000 - 1e-3 or row.name == "(walk)"
    names = [event["name"] for event in events if event["cat"] in ("region", "pass")]
    assert names == ["data", "backward", "Adam.step"] * 2
    linear = next(event for event in events if event["name"] == "linear")
    assert linear["args"]["module"] == "model.0"
    assert linear["args"]["shapes"] == "(6, 3) (4, 3) (4,)"
    assert linear["args"]["flops"] == 2 * 6 * 3 * 4
    assert linear["args"]["line"].startswith(programs_profiled.__file__)


def test_time_goes_where_it_was_spent():
    x = tensor([1.0], requires_grad=True)

    def dawdle(g):
        time.sleep(0.01)

    x.register_hook(dawdle)
    with profile() as p:
        y = unhurried(x)
        with profile.region("outer"), profile.region("asleep"):
            time.sleep(0.01)
        y.backward()
    rows = {row.name: row for row in p.by_op()}
    assert rows["unhurried"].forward >= 0.01
    assert rows["unhurried"].backward >= 0.02
    assert rows["(walk)"].backward >= 0.01  # hooks of leaves
    assert p.outside >= 0.01
    regions = {row.name: row for row in p.by_region()}
    assert regions["outer/asleep"].outside >= 0.01
    assert regions["outer"].total_ns == regions["outer"].time_ns + regions["outer/asleep"].time_ns
    assert p.total >= 0.05


def test_a_function_and_a_checkpoint_are_credited_to_what_runs_in_them():
    with profile() as p:
        function()
    rows = {row.name: row for row in p.by_op()}
    assert p.outside >= 0.01  # its forward is Python
    assert rows["Slow"].backward >= 0.02
    assert rows["mul"].calls == 3  # x * 2, and one in each direction of Slow
    assert rows["mul"].visits == 1
    with profile() as p:
        checkpointed()
    rows = {row.name: row for row in p.by_op()}
    assert rows["linear"].calls == 2
    assert rows["linear"].visits == 1
    assert rows["checkpoint"].visits == 1
    modules = {row.name: row for row in p.by_module()}
    assert modules["block.inner"].calls == 2
    assert modules["block.inner"].flops == (2 + 2) * 2 * 5 * 4 * 4 + 5 * 4  # twice forward, both factors, the bias


def test_counts_of_a_step():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = autograd.randn(6, 3)
    with profile() as p:
        loss = model(x).sum()
        loss.backward()
    rows = {row.name: row for row in p.by_op()}
    assert {name: (row.calls, row.visits) for name, row in rows.items()} == {
        "linear": (2, 2), "tanh": (1, 1), "sum": (1, 1), "(walk)": (0, 0)
    }  # fmt: skip
    assert rows["linear"].bytes == 4 * (6 * 4 + 6 * 2)
    assert rows["linear"].gradient_bytes == 4 * (4 * 3 + 4 + 2 * 4 + 2 + 6 * 4)  # x needs none
    assert rows["tanh"].gradient_bytes == rows["tanh"].bytes == 4 * 6 * 4
    assert rows["linear"].flops == 2 * (6 * 3 * 4 + 6 * 4 * 2) + 2 * (6 * 3 * 4 + 2 * 6 * 4 * 2) + 6 * 4 + 6 * 2
    assert p.flops == sum(row.flops for row in rows.values())
    assert [(row.name, row.kind, row.calls, row.depth) for row in p.by_module()] == [
        ("model", "Sequential", 1, 0), ("model.0", "Linear", 1, 1), ("model.1", "Tanh", 1, 1),
        ("model.2", "Linear", 1, 1), ("(no module)", "", 0, 0),
    ]  # fmt: skip
    whole, first, tanh, last, rest = p.by_module()
    assert whole.total_ns == sum(row.time_ns for row in (whole, first, tanh, last))
    assert first.forward_ns + last.forward_ns == rows["linear"].forward_ns
    assert first.backward_ns + last.backward_ns == rows["linear"].backward_ns
    assert tanh.backward_ns == rows["tanh"].backward_ns
    assert rest.visits == 1
    lines = {row.text: row for row in p.by_line()}
    assert set(lines) == {"loss = model(x).sum()", ""}
    assert lines["loss = model(x).sum()"].visits == 4
    assert lines[""].name == "(no line)"
    assert lines[""].calls == 0


def test_gradients_of_gradients_belong_to_the_line_they_are_of():
    x = tensor([1.0, 2.0], requires_grad=True)
    with profile() as p:
        y = (x**3).sum()
        y.backward(create_graph=True)
        x.grad.sum().backward()
    lines = {row.text: row for row in p.by_line()}
    assert set(lines) == {"y = (x**3).sum()", "x.grad.sum().backward()", ""}
    assert lines["y = (x**3).sum()"].backward_ns > 0


def test_views_take_no_memory_and_copies_do():
    x = autograd.ones(8, 8, requires_grad=True)
    with profile() as p:
        y = x.reshape(64).reshape(4, 16).T[1:]  # views
        z = y.reshape(-1)  # a copy
        z.sum().backward()
    rows = {row.name: row for row in p.by_op()}
    assert rows["reshape"].bytes == z.nbytes == 240
    assert rows["permute"].bytes == rows["getitem"].bytes == 0
    assert rows["getitem"].gradient_bytes == 256  # where nothing was read there are zeros


def test_peak_memory():
    with profile() as p:
        x = autograd.ones(1000)
        y = x * 2.0
        z = y * 2.0
        del y
        z = z * 2.0
        del z
        w = x * 2.0
    assert w.nbytes == 4000
    assert p.peak_bytes == 8000
    with p:
        pass
    assert p.peak_bytes == 8000
    live = memory.Live()
    array = np.zeros(10)
    assert [live.take(array[2:], set()), live.take(array, set()), live.bytes] == [80, 0, 80]
    del array
    assert live.bytes == 0
    assert live.peak == 80


def test_opened_again_it_adds():
    x = autograd.ones(3)
    p = profile()
    for n in range(1, 4):
        with p:
            x.exp()
        assert p.by_op()[0].calls == n
    assert p.wall_ns == p.total_ns + p.overhead_ns
    assert len([e for e in p.trace()["traceEvents"] if e["name"] == "profile"]) == 3


def test_one_at_a_time():
    message = r"one is open in this thread already.*profile\.region"
    with profile() as p, pytest.raises(RuntimeError, match=message), profile():
        pass
    with pytest.raises(ZeroDivisionError), p:
        autograd.ones(2) * 2
        raise ZeroDivisionError
    assert {row.name: row.calls for row in p.by_op()} == {"mul": 1}
    assert modes.local.profiler is None


def test_other_threads_are_not_seen():
    def work():
        (autograd.ones(2, requires_grad=True) * 2).sum().backward()
        nn.Linear(2, 2)(autograd.ones(2))

    with profile() as p:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        autograd.ones(2).exp()
    assert [row.name for row in p.by_op()] == ["exp"]
    assert [row.name for row in p.by_module()] == ["(no module)"]


def test_results_are_the_same_bit_for_bit():
    def train():
        autograd.manual_seed(3)
        model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2))
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(autograd.randn(4, 1, 6, 6)), autograd.tensor([0, 1, 0, 1])).backward()
            optimizer.step()
        return [value.numpy() for value in model.state_dict().values()]

    bare = train()
    with profile():
        seen = train()
    assert all(np.array_equal(a, b) for a, b in zip(bare, seen, strict=True))


def test_regions():
    with profile.region("nothing is open"):
        pass

    @profile.region("half")
    def half(x):
        return x / 2

    with profile() as p:
        for _ in range(3):
            half(autograd.ones(2))
    row = next(row for row in p.by_region() if row.name == "half")
    assert (row.calls, row.depth) == (3, 0)
    assert row.forward_ns == p.by_op()[0].forward_ns
    with pytest.raises(TypeError, match="wants a name, got 3"):
        profile.region(3)


def test_a_step_of_an_optimizer_is_one_region():
    with profile() as p:
        closures()
    regions = {row.name: row for row in p.by_region()}
    assert set(regions) == {"LBFGS.step", "(no region)"}
    assert regions["LBFGS.step"].calls == 1
    assert regions["LBFGS.step"].backward_ns == p.backward_ns > 0


def test_modules_are_noted_for_pictures_too():
    model = nn.Sequential(nn.Linear(2, 2))
    with autograd.record(), profile() as p:
        loss = model(autograd.ones(1, 2)).sum()
    assert [row.name for row in p.by_module()] == ["model", "model.0", "(no module)"]
    assert autograd.draw(loss).graph.vertices[-2].module == (("model", "Sequential"), ("0", "Linear"))


def test_a_region_entered_once_is_not_a_part_of_itself():
    def rows(once):
        with autograd.profile() as p:
            with autograd.profile.region("outer", once=once), autograd.profile.region("outer", once=once):
                autograd.ones(2).exp()
            with autograd.profile.region("other", once=once):
                autograd.ones(2).exp()
        return [(row.name, row.calls) for row in p.by_region() if row.calls]

    assert ("outer", 1) in rows(True) and len(rows(True)) == 2
    assert sum(calls for _, calls in rows(False)) == 3
    assert not autograd.is_profiling()
