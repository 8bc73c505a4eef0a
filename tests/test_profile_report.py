"""What a profile shows: the floor, tables, pages, pictures and files."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from programs_profiled import step, unhurried

import autograd
from autograd import modes, profile
from autograd.profiling import machine


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


def test_names_of_pytorchs_profiler_say_what_to_use():
    with profile() as p:
        step()
    for name, hint in [("key_averages", r"by_op\(\)"), ("export_chrome_trace", "trace.json"), ("step", "it adds")]:
        with pytest.raises(AttributeError, match=f"profile: there is no '{name}'; .*{hint}"):
            getattr(p, name)
    with pytest.raises(AttributeError, match=r"no 'by_opp'$"):
        p.by_opp()
    with pytest.raises(AttributeError, match=r"use autograd\.profile\.region"):
        autograd.record_function("data")
