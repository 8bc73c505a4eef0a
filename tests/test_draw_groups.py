"""Pictures of models: what belongs together, what is closed and folded, and what stays readable at any size."""

import pathlib
import re
import threading
from graphlib import TopologicalSorter

import models_drawn
import numpy as np
import pytest
from counting import calls_of
from models_drawn import gpt, layered, lenet, lstm

import autograd
import nn
from autograd import GraphError, draw, record, tensor
from autograd.graph.clusters import Group


def frames(drawing):
    """The headings of the open groups, in the order of the DOT text."""
    return re.findall(r'subgraph cluster_\w+ \{\n\t*graph \[.*? label="?(.*?)"? label', drawing.source)


def boxes(drawing):
    """The headings of the boxes."""
    return re.findall(r'^\t+[ng]\d+ \[label="\{?((?:[^|"\\}]|\\.)*)', drawing.source, re.MULTILINE)


def extra(x):
    return x._extra or {}


# Recording


def test_record_notes_line_module_call_and_time():
    model, x = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh())), autograd.ones(1, 2)
    with record():
        y = model(x)
    note = extra(y)
    file, line = note["where"]
    assert pathlib.Path(file) == pathlib.Path(__file__)
    assert "y = model(x)" in pathlib.Path(file).read_text().splitlines()[line - 1]
    assert note["module"] == (("model", "Sequential"), ("1", "Sequential"), ("0", "Tanh"))
    assert len(note["call"]) == 3 and note["seconds"] > 0
    linear = extra(y._inputs[0])
    assert linear["module"] == (("model", "Sequential"), ("0", "Linear"))
    assert linear["call"][0] == note["call"][0] and linear["call"][1] != note["call"][1]


def test_nothing_is_noted_outside():
    model, x = nn.Linear(2, 3), autograd.ones(1, 2)
    assert model(x)._extra is None
    with record():
        pass
    assert model(x)._extra is None and record.active == 0


def test_record_ends_with_an_error_and_nests():
    x = tensor(1.0, requires_grad=True)
    with pytest.raises(KeyError), record(), record():
        assert record.active == 2
        raise KeyError
    assert record.active == 0 and (x * 2)._extra is None

    @record()
    def double():
        return x * 2

    assert "where" in extra(double())


def test_record_is_of_one_thread():
    x, found = tensor(1.0, requires_grad=True), []
    with record():
        thread = threading.Thread(target=lambda: found.append(nn.Tanh()(x)))
        thread.start()
        thread.join()
        inside = nn.Tanh()(x)
    assert found[0]._extra is None and extra(inside)["module"] == (("", "Tanh"),)


def test_an_error_in_a_module_leaves_its_place():
    model = nn.Sequential(nn.Linear(2, 3))
    with record():
        with pytest.raises(autograd.ShapeError):
            model(autograd.ones(1, 5))
        y = tensor(1.0, requires_grad=True) * 2
    assert "module" not in extra(y)


def test_what_cuts_a_gradient_off_is_noted():
    x = tensor([1.0, 2.0], requires_grad=True)
    with record():
        with autograd.no_grad():
            silent = x * 2
        assert extra(silent)["cut"] == "no_grad"
        assert extra(x.detach())["cut"] == "detach"
        assert extra(autograd.argmax(x))["cut"] == "argmax"
        assert "cut" not in extra(x * 2)


def test_ops_in_place_functions_and_checkpoints_are_noted():
    class Double(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tensor([1.0, 2.0], requires_grad=True)
    with record():
        y = x * 1
        y += 1
        z, checked = Double.apply(x), autograd.checkpoint(autograd.exp, x)
    for t in (y, z, checked):
        assert extra(t)["where"][0] == __file__


# Groups


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tensor(2.0))
        self.inner = nn.Module()

    def forward(self, x):
        return (x * self.scale).tanh()


def two_calls(**options):
    twice, x = Twice(), tensor(0.5)
    return draw(lambda: twice(twice(x)), **options)


def test_modules_in_dot():
    body = two_calls().source.split("\n")
    shown = [line.strip() for line in body]
    start = next(i for i, line in enumerate(shown) if line.startswith("n0 "))
    colours = r' ?\b(tooltip|color|fillcolor|fontcolor|style|penwidth|labelloc|labeljust)=("[^"]*"|[^ \]]+)'
    text = re.sub(colours, "", "\n".join(shown[start:])).replace("[ ", "[").replace(" []", "")
    assert text.splitlines() == [
        r'n0 [label="x|scalar float32\lvalue 0.5\l"]',
        r'n1 [label="twice.scale|scalar float32\lvalue 2\lgrad 0.07277 + 0.132 = 0.2047\l"]',
        "subgraph cluster_g0 {",
        'graph [label="twice: Twice, call 1"]',
        r'n2 [label="mul|value 1\lgrad 0.1455\l"]',
        r'n3 [label="tanh|value 0.7616\lgrad 0.3465\l"]',
        "}",
        "subgraph cluster_g1 {",
        'graph [label="twice: Twice, call 2"]',
        r'n4 [label="mul|value 1.523\lgrad 0.1733\l"]',
        r'n5 [label="tanh|value 0.9093\lgrad 1\l"]',
        "}",
        "n0 -> n2",
        'n1 -> n2 [label=" 0.1455 × 0.5 = 0.07277 "]',
        'n2 -> n3 [label=" 0.3465 × 0.42 = 0.1455 "]',
        'n3 -> n4 [label=" 0.1733 × 2 = 0.3465 "]',
        'n1 -> n4 [label=" 0.1733 × 0.7616 = 0.132 "]',
        'n4 -> n5 [label=" 1 × 0.1733 = 0.1733 "]',
        "}",
    ]


def test_lenet():
    d = lenet()
    assert frames(d)[:3] == ["model: LeNet", "model.features: Sequential", "model.features.0: Conv2d"]
    assert boxes(d).count("window_sum") == 2 and "model.classifier.5.weight" in boxes(d)
    closed = lenet(depth=1)
    assert frames(closed) == ["model: LeNet"]
    assert boxes(closed)[:3] == ["images", "model.features: Sequential", "model.classifier: Sequential"]


def test_collapse_and_expand():
    assert frames(lenet(collapse="Sequential")) == ["model: LeNet"]
    assert frames(lenet(collapse="*.classifier"))[-1] == "model.features.5: AvgPool2d"
    assert frames(lenet(collapse="classifier")) == frames(lenet(collapse="*.classifier"))
    by_rule = lenet(collapse=lambda path, kind: kind == "Conv2d")
    assert [b for b in boxes(by_rule) if "Conv2d" in b] == ["model.features.0: Conv2d", "model.features.3: Conv2d"]
    opened = lenet(depth=1, expand=["*.features", "*.features.3"])
    assert frames(opened) == ["model: LeNet", "model.features: Sequential", "model.features.3: Conv2d"]


def test_lstm_of_twenty_steps():
    d = lstm()
    assert any("LSTMCell ×18" in box for box in boxes(d))
    assert len(boxes(d)) < 15 and "129 nodes: modules at depth 1 and below are closed" in d.note
    assert d.note in d.source
    every = lstm(limit=None)
    assert [f for f in frames(every) if "LSTMCell" in f] == [f"model.cell: LSTMCell, call {n}" for n in range(1, 21)]
    assert not every.note


def test_gpt_is_closed_to_its_blocks():
    d = gpt()
    assert "model.blocks.0 … model.blocks.3: Block ×4" in boxes(d)
    assert len(boxes(d)) < 12
    width = float(re.search(r'<svg width="([\d.]+)pt"', d.svg())[1])
    assert width < 2000
    assert len([b for b in boxes(gpt(fold=False)) if "Block" in b]) == 4
    assert len(gpt(limit=None).graph.vertices) == len(re.findall(r"^\t+n\d+ \[", gpt(limit=None).source, re.MULTILINE))


@pytest.mark.parametrize(
    "drawn", [gpt, lstm, lambda: gpt(depth=2), lambda: layered(60), lambda: layered(60, fold=False)]
)
def test_no_picture_of_a_closed_group_has_a_cycle(drawn):
    order = TopologicalSorter()
    for source, target in re.findall(r"^\t+([ng]\d+) -> ([ng]\d+)", drawn().source, re.MULTILINE):
        order.add(target, source)
    order.prepare()  # raises for a cycle


def test_what_may_stay_open_is_left_open():
    x = tensor(1.0, requires_grad=True)
    model = nn.Sequential(*[nn.Sequential(nn.Tanh(), nn.Tanh(), nn.Tanh()) for _ in range(20)])
    d = draw(lambda: model(x), limit=50, fold=False)
    assert len(boxes(d)) == 2 and "depth 0" in d.note  # x, and the model: a third of 50 is less than 20 layers
    d = draw(lambda: model(x), limit=70, fold=False)
    assert len(boxes(d)) == 61 and not d.note
    d = draw(lambda: [layer(x) for layer in model], limit=50, fold=False)
    assert len(boxes(d)) == 21 and "depth 0" in d.note  # too many for a third, but not for the limit


def test_a_function_may_give_several_results():
    x = tensor(2.0, requires_grad=True)
    d = draw(lambda: {"double": x * 2, "others": (x * 3, [x + 1])}, constants=False)
    assert [v.operation for v in d.graph.vertices if v.output] == ["mul", "mul", "add"]
    with pytest.raises(autograd.DTypeError, match="wants a Tensor or a list of Tensors"):
        draw(lambda: 3.0)


def test_every_vertex_is_in_one_place():
    for drawing in (gpt(), lstm(), lenet(), layered(200), layered(200, fold=False)):
        inside = [v.id for v in drawing._root.vertices()]
        assert sorted(inside) == sorted(v.id for v in drawing.graph.vertices)
        ids = [g.id for g in drawing._root.groups()]
        assert len(set(ids)) == len(ids)


def test_repeated_operations_fold_above_the_limit():
    d = layered(100)
    assert "1,102 nodes: what repeats is folded" in d.note and "groups by modules" in d.note
    assert [b for b in boxes(d) if "×" in b] == ["matmul, add, tanh, add, … ×100"]
    stretches = layered(100, fold=False)
    assert "in stretches" in stretches.note and "1 – 40" in boxes(stretches) and "sum" in boxes(stretches)
    assert not layered(5).note


@pytest.mark.parametrize("options", [{}, {"fold": False}])
def test_ten_thousand_nodes(options):
    d = layered(1000, **options)
    assert d.svg() and d.html()
    assert len(d.graph.vertices) > 10_000


def test_ten_thousand_nodes_of_modules():
    d = gpt(280)
    assert len(d.graph.vertices) > 9_000
    assert d.svg() and d.html()


@pytest.mark.parametrize(
    "make",
    [lambda n: layered(4 * n), lambda n: layered(4 * n, fold=False), gpt],
    ids=["folded", "stretches", "modules"],
)
def test_work_grows_as_the_graph_does(make):
    def page(n):
        return calls_of(lambda: make(n).html())

    page(30)  # what is loaded and remembered once
    assert page(60) < 2.4 * page(30)


# What is hidden


def test_parameters_and_intermediate_results_can_be_left_out():
    x = tensor([1.0, 2.0], requires_grad=True)
    w = tensor([3.0, 4.0], requires_grad=True)
    hidden = (x * w).exp() + 1
    loss = (hidden.tanh() * 2).sum()
    assert [v.name for v in draw(loss, parameters=False).graph.vertices if v.kind == "variable"] == []
    d = draw(loss, intermediates=False)
    assert [v.name for v in d.graph.vertices if v.kind != "number"] == ["x", "w", "hidden", "loss"]
    pairs = [(e.source, e.target) for e in d.graph.edges]
    names = {v.id: v.name for v in d.graph.vertices}
    assert ("x", "hidden") in [(names[a], names[b]) for a, b in pairs]
    assert ("hidden", "loss") in [(names[a], names[b]) for a, b in pairs]
    bare = draw(loss, intermediates=False, parameters=False, constants=False)
    assert [v.name for v in bare.graph.vertices] == ["hidden", "loss"] and len(bare.graph.edges) == 1


# What boxes tell


def test_large_arrays_show_their_distribution():
    x = tensor(np.arange(100.0), requires_grad=True)
    d = draw((x * x).sum())
    assert "0 ██████████ 99" in d.source and "mean 49.5 ± 28.87" in d.source
    spoiled = tensor(np.array([1.0, np.nan, np.inf, 2.0, 3.0]), requires_grad=True)
    assert "1 NaN, 1 Inf" in draw(spoiled.sum()).source
    same = autograd.full((10,), 7.0, requires_grad=True)
    assert "all 7" in draw(same.sum()).source


def test_source_line_and_module_are_in_the_tooltip():
    model, x = nn.Sequential(nn.Tanh(), nn.Tanh()), tensor(1.0, requires_grad=True)
    d = draw(lambda: model(x) * 2)  # the line of both
    line = f"test_draw_groups.py:{test_source_line_and_module_are_in_the_tooltip.__code__.co_firstlineno + 2}"
    assert f"{line}: d = draw(lambda: model(x) * 2)  # the line of both" in d.source
    assert "in model.1" in d.source
    assert "tooltip" not in draw(model(x) * 2).source


def test_colours_by_amount():
    model, x = nn.Linear(3, 2), autograd.ones(5, 3)
    loss = (model(x) ** 2).sum()
    assert "colour: root mean square of the gradient" in draw(loss, color="gradient").source
    assert "colour: memory of the values, " in draw(loss, color="memory").source
    with pytest.raises(GraphError, match=r"needs the times that autograd.record\(\) notes"):
        draw(loss, color="time")
    assert "colour: time of the forward pass" in draw(lambda: (model(x) ** 2).sum(), color="time").source
    small, large = tensor(1.0, requires_grad=True), tensor(1.0, requires_grad=True)
    source = draw(small * 1e-3 + large * 1e3, color="gradient", constants=False).source
    fills = dict(re.findall(r'label="(\w+)\|.*? fillcolor="(#\w+)"', source))
    assert fills["small"] == "#fff7d6" and fills["large"] == "#a81c1c"


@pytest.mark.parametrize("theme", ["light", "dark", "print", "colour-blind"])
def test_themes_are_readable(theme):
    from autograd.graph.themes import THEMES

    def brightness(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in
                  (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))]  # fmt: skip
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a, b):
        bright, dark = sorted((brightness(a), brightness(b)), reverse=True)
        return (bright + 0.05) / (dark + 0.05)

    found = THEMES[theme]
    pairs = [found.box(kind)[1:] for kind in ("operation", "variable", "constant", "output", "group")]
    pairs += [found.warm(part / 12) for part in range(13)]
    pairs += [(found.background, found.gradient), (found.background, found.faint), (found.frames[1], found.gradient)]
    assert min(contrast(*pair) for pair in pairs) >= 4.5  # what the accessibility guidelines ask of small text
    x = tensor(2.0, requires_grad=True)
    assert found.background in draw(x * 3, theme=theme).source


def test_names_that_look_like_markup():
    class Evil(nn.Module):
        def forward(self, x):
            return x.tanh() * 2

    Evil.__name__ = '<script>alert("1")</script>'
    model, x = nn.Sequential(), tensor(1.0, requires_grad=True)
    model.add_module('<b>&"', Evil())
    for depth in (None, 1):
        d = draw(lambda: model(model(x)), depth=depth)
        assert "<script>" not in d.svg() and "<b>" not in d.svg()
        assert "&lt;script&gt;" in d.svg()
        assert "alert" not in re.sub(r'<script type="application/json".*?</script>', "", d.html(), flags=re.DOTALL)
        assert d.html().count("</script>") == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"theme": "blue"}, "theme is one of 'light', 'dark', 'print', 'colour-blind', got 'blue'"),
        ({"color": "size"}, "color is one of 'gradient', 'memory', 'time', got 'size'"),
        ({"depth": -1}, "depth is a number of at least 0, or None, got -1"),
        ({"limit": 2.5}, "limit is a number of at least 0"),
        ({"collapse": [3]}, r"collapse wants patterns such as '\*\.blocks\.\*' or functions"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        draw(tensor(1.0, requires_grad=True) * 2, **options)


def test_a_group_knows_what_is_in_it():
    d = lenet(depth=1)
    features = next(g for g in d._root.groups() if g.path == "model.features")
    assert isinstance(features, Group) and features.closed
    assert {v.operation for v in features.vertices() if v.operation} == {"conv", "tanh", "window_sum", "div"}
    assert models_drawn.LeNet.__name__ == "LeNet"
