"""``profile``: every nanosecond is credited once, to the right operation, module, line and region."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import modes, profile, tensor
from autograd.profiling import machine, memory

HERE = __file__


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(autograd.tanh(self.inner(x))) + x


class Slow(autograd.Function):
    """The identity, taking its time in both directions."""

    @staticmethod
    def forward(ctx, x):
        time.sleep(0.01)
        return x * 1

    @staticmethod
    def backward(ctx, g):
        time.sleep(0.02)
        return g * 1


@autograd.primitive(elementwise=True)
def unhurried(xp, x):
    """x, after 10 ms; its gradient takes 20."""
    time.sleep(0.01)
    return x * 1


def _after_a_while(xp, g, out, x):
    time.sleep(0.02)
    return g * 1


unhurried.grads(x=_after_a_while)


def step():
    autograd.manual_seed(0)
    model, criterion = nn.Sequential(nn.Linear(3, 4), Block(), nn.ReLU(), nn.Linear(4, 2)), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters())
    for _ in range(2):
        with profile.region("data"):
            x, y = autograd.randn(6, 3), autograd.randint(0, 2, (6,))
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def double_backward():
    x = tensor([1.0, 2.0], requires_grad=True)
    (g,) = autograd.grad((x**3).sum(), x, create_graph=True)
    (g * g).sum().backward()


def checkpointed():
    block = Block()
    x = autograd.randn(5, 4, requires_grad=True)
    autograd.checkpoint(block, x).sum().backward()


def function():
    x = autograd.randn(3, requires_grad=True)
    Slow.apply(x * 2).sum().backward()


def in_place():
    x = autograd.randn(4, 4, requires_grad=True)
    y = x * 2
    part = y[0]
    y.mul_(3.0)
    y[1] = 0.0
    part.add_(1.0)
    (y.sum() + part.sum()).backward()


def several_passes():
    x = autograd.randn(3, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with autograd.no_grad():
        (x * 2).exp()
    with autograd.record(), autograd.detect_anomaly():
        (x * x).sum().backward()


def hooks():
    x = autograd.randn(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * autograd.ones(3))
    other = autograd.ones(2, requires_grad=True)
    x.register_hook(lambda g: (other * 2).sum().backward())
    y.sum().backward()


def closures():
    model = nn.Linear(2, 1)
    optimizer = optim.LBFGS(model.parameters(), max_iter=3)
    x = autograd.randn(5, 2)

    def closure():
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)


def sparse():
    table = nn.Embedding(10, 3, sparse=True)
    table(autograd.tensor([1, 1, 2])).sum().backward()


def recurrent():
    lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    out, _ = lstm(autograd.randn(5, 2, 3))
    out.sum().backward()


def running_means():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, momentum=None), nn.ReLU(), nn.MaxPool2d(2))
    for _ in range(2):
        model(autograd.randn(4, 1, 6, 6)).sum().backward()


@autograd.primitive
def named_inside(xp, x):
    """x, with a region in the middle."""
    time.sleep(0.001)
    with profile.region("inside"):
        time.sleep(0.001)
    time.sleep(0.001)
    return x * 1


named_inside.grads(x=lambda xp, g, out, x: g * 1)


def regions_in_an_operation():
    named_inside(autograd.ones(2, requires_grad=True)).sum().backward()


def caught():
    x = autograd.randn(3, requires_grad=True)
    for bad in (lambda: x @ autograd.ones(4), lambda: (x * 2).backward(), lambda: nn.Linear(2, 2)(x)):
        with pytest.raises(Exception, match=r"."):
            bad()

    def refuse(g):
        raise ArithmeticError("no")

    y = x * 2
    y.register_hook(refuse)
    with pytest.raises(ArithmeticError):
        y.sum().backward()
    (x * 3).sum().backward()


PROGRAMS = [
    step, double_backward, checkpointed, function, in_place, several_passes, hooks, closures, sparse, recurrent, caught,
    running_means, regions_in_an_operation,
]  # fmt: skip


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
    assert linear["args"]["line"].startswith(HERE)


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


def test_floor_and_share(monkeypatch):
    monkeypatch.setattr(machine, "product_rate", lambda itemsize: 1e9 if itemsize == 4 else 5e8)
    monkeypatch.setattr(machine, "bandwidth", lambda count: 1e8)
    a, b = autograd.ones(20, 30), autograd.ones(30, 40)
    with profile() as p:
        a @ b
        a.double() @ b.double()
        turned = (a + 1).T
    assert turned.shape == (30, 20)
    rows = {row.name: row for row in p.by_op()}
    touched = 4 * (20 * 30 + 30 * 40 + 20 * 40)
    by_bytes, by_work = touched / 1e8, 2 * 20 * 30 * 40 / 1e9
    assert rows["matmul"].floor == pytest.approx(max(by_bytes, by_work) + max(2 * by_bytes, 2 * by_work))
    assert rows["add"].floor == pytest.approx(2 * 4 * 600 / 1e8)
    assert rows["permute"].floor == 0
    assert rows["permute"].share is None
    assert rows["add"].share == pytest.approx(rows["add"].floor / rows["add"].time)
    assert p.floor == pytest.approx(sum(row.floor for row in rows.values()))
    assert p.share == pytest.approx(p.floor / p.total)


def test_the_floor_of_a_gradient(monkeypatch):
    monkeypatch.setattr(machine, "product_rate", lambda itemsize: 1e12)
    monkeypatch.setattr(machine, "bandwidth", lambda count: 1e6)
    x, w = autograd.ones(5, 7, requires_grad=True), autograd.ones(7, 3, requires_grad=True)
    y = (x @ w).exp() + 1.0
    with profile() as p:
        y.backward(autograd.ones(5, 3))
    rows = {row.name: row for row in p.by_op()}
    assert rows["add"].floor == 0  # hands the upstream gradient on
    assert rows["exp"].backward_floor == pytest.approx(4 * 2 * 15 / 1e6)  # reads one, writes one
    entries = 15 + (35 + 21) + (21 + 35)  # upstream; each gradient and the other factor
    assert rows["matmul"].backward_floor == pytest.approx(4 * entries / 1e6)


def test_the_machines_rates():
    assert machine.product_rate(4) == machine.product_rate(2) > machine.bandwidth(0) / 100
    rates = [machine.bandwidth(n) for n in (1, 1 << 14, 1 << 20, 1 << 40)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] > 0
    assert machine.floor(0, 0, 4) == 0
    assert machine.floor(10**6, 10, 8) == 10**6 / machine.product_rate(8)


def test_tables():
    with profile() as p:
        step()
    assert repr(profile()) == "<profile: nothing yet>"
    times = [row.time for row in p.by_op()]
    assert times == sorted(times, reverse=True)
    names = [row.name for row in p.by_op(sort="name")]
    assert names == sorted(names)
    in_order = [row.name for row in p.by_op(sort=None) if row.visits]
    assert in_order == ["linear", "tanh", "normalization", "add", "relu", "cross_entropy"]
    flops = [row.flops for row in p.by_op(sort="flops")]
    assert flops == sorted(flops, reverse=True)
    assert all(row.share is None or row.share > 0 for row in p.by_op(sort="share"))
    short = p.by_op(limit=2)
    assert len(short) == len(names)
    assert [row.name for row in short[:2]] == [row.name for row in p.by_op()][:2]
    lines = repr(short).splitlines()
    assert lines[0].split() == ["op", "calls", "forward", "backward", "of", "total", "memory", "gradients", "FLOPs",
                                "floor/time"]  # fmt: skip
    assert len(lines) == 5
    assert lines[-1].startswith(f"and {len(names) - 2} more, ")
    for wrong in ({"sort": "speed"}, {"limit": -1}, {"limit": True}):
        with pytest.raises(ValueError, match="by_op: "):
            p.by_op(**wrong)
    text = repr(p)
    for word in ("linear", "total ", "outside", "regions: data", "Adam.step", "the profiler itself took", "floor"):
        assert word in text
    assert "  1: Block" in repr(p.by_module())
    assert "    inner: Linear" in repr(p.by_module())


def test_in_a_notebook():
    with profile() as p:
        step()
    page = ET.fromstring(f"<div>{p._repr_html_().replace('<br>', '<br/>')}</div>")
    tables = page.findall(".//table")
    assert len(tables) == 3
    rows = tables[0].findall(".//tbody/tr")
    assert [row.find("td").text for row in rows] == [row.name for row in p.by_op()][:12]
    bars = [[float(b.get("style").split("width: ")[1].split("px")[0]) for b in row.findall(".//td/span/span")]
            for row in rows]  # fmt: skip
    assert sum(bars[0]) == pytest.approx(120, abs=1)
    assert all(sum(bar) <= 120.1 for bar in bars)


SVG = "{http://www.w3.org/2000/svg}"


def test_files(tmp_path):
    with profile(clock="cpu") as p:
        step()
    for theme in ("light", "dark", "print", "colour-blind"):
        drawn = ET.fromstring(p.svg(theme))
        words = {t.text for t in drawn.iter(f"{SVG}text")}
        assert {"(outside)", *(row.name for row in p.by_op()[:14])} <= words
        boxes = [t.text for t in drawn.iter(f"{SVG}title")]
        assert boxes[0].startswith("model: ")
        assert len(boxes) > 2  # as many as are wide enough to be seen
    with pytest.raises(ValueError, match=r"theme is one of .*'sepia'"):
        p.svg("sepia")
    for ending in ("svg", "html", "json", "txt"):
        path = tmp_path / f"step.{ending}"
        assert p.save(path) == str(path)
    assert json.loads((tmp_path / "step.json").read_text())["traceEvents"] == p.trace()["traceEvents"]
    assert (tmp_path / "step.txt").read_text(encoding="utf-8") == p.text()
    assert "<h2>modules</h2>" in (tmp_path / "step.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"'step.xml' says which format"):
        p.save(tmp_path / "step.xml")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        p.save(tmp_path / "none" / "step.svg")
    with profile(trace=False) as quiet:
        step()
    with pytest.raises(RuntimeError, match="trace=True"):
        quiet.save(tmp_path / "step.json")


def test_a_bitmap(tmp_path):
    pytest.importorskip("resvg_py")
    with profile() as p:
        step()
    assert (tmp_path / "step.png").parent.exists()
    with open(p.save(tmp_path / "step.png"), "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_bars_are_as_long_as_their_times():
    with profile() as p:
        step()
    drawn = ET.fromstring(p.svg())
    pale = [float(r.get("width")) for r in drawn.iter(f"{SVG}rect") if r.get("fill-opacity")]
    wanted = []
    for row in p.by_op()[:14]:
        wanted += [ns for ns in (row.forward_ns, row.backward_ns) if ns]
    wanted.append(p.outside_ns)
    scale = max(pale) / max(wanted)
    assert pale == pytest.approx([ns * scale for ns in wanted], abs=0.01)


def test_nothing_is_loaded_or_watched_unasked():
    program = (
        "import sys, autograd, nn, optim; assert not [m for m in sys.modules if 'profiling' in m]; "
        "autograd.profile; assert 'autograd.profiling.picture' not in sys.modules; assert 'profile' in dir(autograd)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    before = modes.active
    with profile():
        assert modes.active == before + 1
    assert modes.active == before
    assert autograd.record.active == 0


def test_processor_time_does_not_count_waiting():
    def wait():
        (unhurried(autograd.ones(1, requires_grad=True)) * 2).backward()

    wait()
    with profile(clock="cpu") as p:
        wait()
    assert p.wall_ns == p.total_ns + p.overhead_ns
    assert sum(row.time_ns for row in p.by_op()) + p.outside_ns == p.total_ns > 0
    assert p.wall < 0.03 <= 0.01 + 0.02  # seconds that it slept
    assert modes.local.clock is time.perf_counter_ns
    with pytest.raises(ValueError, match="clock is 'wall' or 'cpu', got 'sun'"):
        profile(clock="sun")


def test_the_page_is_true(tmp_path):
    page = pathlib.Path(__file__).parents[1] / "docs" / "profiling.md"
    source = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    program = tmp_path / "profiling.py"
    program.write_text(source, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(program)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for word in ("linear", "regions: data", "Adam.step", "self_attn: MultiheadAttention"):
        assert word in run.stdout
    assert (tmp_path / "step.svg").read_text(encoding="utf-8").endswith("</svg>")
    assert (page.parent / "images" / "profile.svg").is_file()


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
