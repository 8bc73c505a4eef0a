"""The scalar graph inside a graph of Tensors: its entries are the Tensors' entries, in value and in gradient."""

import numpy as np
import pytest

import autograd
from autograd import DTypeError, GraphError, expand, tensor
from autograd.primitive import primitive

F = autograd


def param(*shape, seed=0, dtype=np.float64, low=-2.0, high=2.0):
    values = np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)
    return autograd.tensor(values, requires_grad=True)


def network(dtype=np.float64):
    """3-4-2, on one input."""
    x = tensor(np.array([0.5, -1.0, 2.0], dtype))
    w1, b1, w2, b2 = (param(*s, seed=i, dtype=dtype) for i, s in enumerate(((3, 4), (4,), (4, 2), (2,))))
    h = autograd.tanh(x @ w1 + b1)
    loss = (((h @ w2 + b2) - tensor(np.array([1.0, 0.0], dtype))) ** 2).mean()
    return loss, {"x": x, "w1": w1, "b1": b1, "w2": w2, "b2": b2, "h": h}


def agree(picture, loss, leaves):
    """Every scalar of every leaf has the entry of the leaf's gradient, and its value."""
    names = list(leaves)
    grads = autograd.grad(loss, [leaves[n] for n in names], retain_graph=True)
    for name, g in zip(names, grads, strict=True):
        values, slopes = leaves[name].numpy(), g.numpy()
        tolerance = 1e-10 if values.dtype == np.float64 else 1e-5
        for index in np.ndindex(*values.shape):
            record = picture.scalars[name, index]
            assert record.value == pytest.approx(float(values[index]), abs=1e-12)
            assert record.gradient == pytest.approx(float(slopes[index]), rel=100 * tolerance, abs=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_network_of_3_4_2(dtype):
    loss, t = network(dtype)
    picture = expand(loss, names=t)
    assert picture.whole == {}
    agree(picture, loss, {n: t[n] for n in ("w1", "b1", "w2", "b2")})
    (dh,) = autograd.grad(loss, t["h"], retain_graph=True)
    assert [picture.scalars["h", (i,)].gradient for i in range(4)] == pytest.approx(dh.numpy().tolist(), rel=1e-4)
    assert picture.scalars["x", (1,)].gradient is None and picture.scalars["x", (1,)].value == -1
    operations = [v.operation for v in picture.graph.vertices]
    assert operations.count("mul") == 3 * 4 + 4 * 2
    assert operations.count("sum") == 4 + 2 and operations.count("tanh") == 4
    assert repr(picture) == f"<Expansion: {len(picture.scalars)} scalars, {len(picture.graph.vertices)} nodes>"


def test_multiplications_and_additions_have_values_and_gradients():
    w, x = tensor([3.0, 4.0], requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    y = w @ x
    shown = {(v.name, v.operation, float(v.value.entries), float(v.gradient.entries)) for v in expand(y).graph.vertices}
    assert shown == {
        ("w[0]", None, 3, 1), ("w[1]", None, 4, 2), ("x[0]", None, 1, 3), ("x[1]", None, 2, 4),
        (None, "mul", 3, 1), (None, "mul", 8, 1), ("y", "add", 11, 1),
    }  # fmt: skip


def test_columns_run_from_the_inputs_to_the_loss():
    loss, t = network()
    picture = expand(loss, names=t)
    x = {float(n.get("x")) for n in boxes(picture, "x[")}
    w = {float(n.get("x")) for n in boxes(picture, "w1[")}
    h = {float(n.get("x")) for n in boxes(picture, "h[")}
    assert len(x) == len(h) == 1 and max(x) < min(w) < max(h)
    heights = [float(n.get("y")) for i in range(4) for n in boxes(picture, f"h[{i}]")]
    assert heights == sorted(heights)


def boxes(picture, begins):
    import xml.etree.ElementTree as xml

    return [
        t
        for t in xml.fromstring(picture.svg()).iter("{http://www.w3.org/2000/svg}text")
        if (t.text or "").startswith(begins)
    ]


def test_weights_on_edges():
    loss, t = network()
    picture = expand(loss, names=t, weights="edges")
    assert not [v for v in picture.graph.vertices if (v.name or "").startswith(("w1", "b1"))]
    assert "mul" not in [v.operation for v in picture.graph.vertices]
    weight = picture.scalars["w1", (0, 0)]
    assert f"× {weight.value:.4g} \\n ∇ {weight.gradient:.4g}" in picture.source
    agree(picture, loss, {n: t[n] for n in ("w1", "b1", "w2", "b2")})


CASES = {
    "linear": lambda a, b: F.linear(a, b, b[:, 0]),
    "batched matmul": lambda a, b: a.reshape(2, 1, 3) @ b.T,
    "einsum": lambda a, b: F.einsum("ij,kj->ik", a, b),
    "broadcast": lambda a, b: a[:, None] * b + a.sum(0),
    "mean": lambda a, b: a.mean(1) / b.mean(),
    "var": lambda a, b: a.var(0) + b.std(),
    "softmax": lambda a, b: F.softmax(a @ b.T, 1) * b[:2],
    "softmax of large": lambda a, b: F.softmax(a * 100, 1) * b[:2],
    "log_softmax": lambda a, b: F.log_softmax(a, 0) * b[:2],
    "logsumexp": lambda a, b: F.logsumexp(a, 1) + F.logsumexp(b * 100, 0, keepdim=True).sum(),
    "cross_entropy": lambda a, b: F.cross_entropy(a @ b.T, tensor([2, 0])),
    "label smoothing": lambda a, b: F.cross_entropy(a @ b.T, tensor([2, 0]), label_smoothing=0.1),
    "class weights": lambda a, b: F.cross_entropy(a @ b.T, tensor([2, -100]), weight=tensor([1.0, 2.0, 3.0]).double()),
    "relu": lambda a, b: F.relu(a) + F.relu(b)[:2],
    "maximum": lambda a, b: F.maximum(a, b[:2]),
    "amax": lambda a, b: a.amax(1) * b.amin(),
    "max along dim": lambda a, b: a.max(1).values + b.max(),
    "where": lambda a, b: F.where(a > 0, a, b[:2]),
    "indexing": lambda a, b: a[[0, 0, 1], 1] * b[1:, ::-1][0],
    "setitem": lambda a, b: F.where(a > 9, a, a).index_fill(1, tensor([0]), 3.0) * b[:2],
    "cat and stack": lambda a, b: F.cat([a, b]) * F.stack([a, b[:2]]).sum(),
    "split": lambda a, b: F.mul(*F.split(F.cat([a, b[:2]]), 2)),
    "expand and permute": lambda a, b: a[:, None].expand(2, 3, 3).permute(2, 1, 0) * b[:, :, None],
    "cumsum": lambda a, b: a.cumsum(1) * b.cumprod(0)[:2],
    "norm": lambda a, b: a.norm() * b.norm(dim=1),
    "gelu and silu": lambda a, b: F.gelu(a) + F.silu(b)[:2],
    "embedding": lambda a, b: F.embedding(tensor([0, 1, 1]), a) * b,
    "layer norm": lambda a, b: F.layer_norm(a, (3,), b[0], b[1]),
    "conv1d": lambda a, b: F.conv1d(a[:, None], b[:, None, :2], b[:, 0], padding=1, stride=2),
    "max_pool": lambda a, b: F.max_pool1d(a[:, None], 2, 1) * b[0, 0],
    "avg_pool": lambda a, b: F.avg_pool1d(a[:, None], 2, 1) * b[0, 0],
    "conv2d": lambda a, b: F.conv2d(a.reshape(1, 1, 2, 3), b[:2, :2].reshape(1, 1, 2, 2)),
    "bce with logits": lambda a, b: F.logistic_nll(a, F.sigmoid(b[:2])),
    "mse": lambda a, b: ((a - b[:2]) ** 2).mean(),
    "scalars": lambda a, b: a[0, 0] * b[0, 0] - a[1, 1] / 2,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_scalars_carry_the_entries_of_the_gradients(case):
    a, b = param(2, 3), param(3, 3, seed=1)
    weighing = np.random.default_rng(2)
    out = CASES[case](a, b)
    loss = (out * tensor(weighing.normal(size=out.shape))).sum()
    picture = expand(loss, names={"a": a, "b": b})
    assert picture.whole == {}
    agree(picture, loss, {"a": a, "b": b})


def test_running_moments_are_left_alone():
    mean = tensor([0.0, 0.0, 0.0], dtype=autograd.float64)
    a, var = param(2, 3), mean + 1
    loss = (F.batch_norm(a, mean, var, training=True) ** 3).sum()
    before = mean.clone()
    assert expand(loss).whole == {}
    assert (mean == before).all() and mean.any()
    agree(expand(loss), loss, {"a": a})


def test_moving_entries_makes_no_node():
    a = param(2, 3)
    y = a.T.reshape(6)[1:].sum()
    assert {v.operation for v in expand(y).graph.vertices} == {None, "sum"}
    assert {name for name, _ in expand(y).scalars} == {"a", "y"}


def test_what_cannot_be_opened_stays_whole_and_says_so():
    a, v = param(2, 2), param(2)
    x = autograd.linalg.solve(a, v)
    loss = (x * x).sum()
    picture = expand(loss)
    (name,) = picture.whole
    assert name in ("solve", "linalg_solve") and picture.whole[name]
    assert "stays whole" in picture.source
    whole = [v for v in picture.graph.vertices if v.operation == name]
    assert len(whole) == 1
    assert len([e for e in picture.graph.edges if e.target == whole[0].id]) == 6
    agree(picture, loss, {"a": a, "v": v})


def test_a_function_of_ones_own_stays_whole():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            return g * 3 * ctx.saved_tensors[0] ** 2

    a = param(3)
    loss = Cube.apply(a * 2).sum()
    picture = expand(loss)
    assert list(picture.whole) == ["Cube"]
    agree(picture, loss, {"a": a})


def test_a_rule_that_disagrees_with_the_forward_stays_whole():
    @primitive
    def doubled_sum(xp, x):
        return xp.sum(x * 2, axis=0)

    doubled_sum.grads(x=lambda xp, g, out, x: xp.broadcast_to(g, x.shape))  # wrong: should be 2 g
    a = param(3)
    y = doubled_sum(a)
    picture = expand(y)
    assert "differently" in picture.whole["doubled_sum"]
    assert picture.scalars["a", (0,)].gradient == 1


def test_ties_share_as_the_rule_says():
    a = tensor([1.0, 1.0, 1.0, 0.0], requires_grad=True)
    picture = expand(a.amax())
    assert [picture.scalars["a", (i,)].gradient for i in range(4)] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert list(picture.whole) == ["amax"]


def test_one_node_of_a_bigger_graph():
    loss, t = network()
    h = t["h"]
    picture = expand(h, loss=loss, depth=1, names=t)
    assert [v.operation for v in picture.graph.vertices].count("tanh") == 4 and len(picture.graph.vertices) == 8
    (dh,) = autograd.grad(loss, h, retain_graph=True)
    assert [picture.scalars["h", (i,)].gradient for i in range(4)] == pytest.approx(dh.tolist())
    slope = dh.numpy() * (1 - h.numpy() ** 2)
    assert [picture.scalars["add", (i,)].gradient for i in range(4)] == pytest.approx(slope.tolist())
    deeper = expand(h, loss=loss, depth=3, names=t)
    assert ("w1", (0, 0)) in deeper.scalars and ("w1", (0, 0)) not in picture.scalars
    agree(deeper, loss, {"w1": t["w1"], "b1": t["b1"]})


def test_gradient_can_be_given_or_left_out():
    a = param(3)
    assert expand(a * 2).scalars["a", (0,)].gradient is None
    picture = expand(a * 2, gradient=[1.0, 10.0, 100.0])
    assert [picture.scalars["a", (i,)].gradient for i in range(3)] == [2, 20, 200]


def test_results_are_ordinary_tensors():
    a, b = param(2), param(2, seed=1)
    picture = expand((a * b).sum())
    (root,) = picture.results
    a0, b0 = picture.names["a[0]"], picture.names["b[0]"]
    (slope,) = autograd.grad(root, a0, create_graph=True)
    assert slope.item() == b.numpy()[0]
    assert autograd.grad(slope, b0)[0].item() == 1
    assert "a[1]" in autograd.draw(root, names=picture.names).source


def test_nothing_is_changed():
    loss, t = network()
    with autograd.no_grad():
        expand(loss)
    assert all(x.grad is None for x in t.values())
    loss.backward()
    assert t["w1"].grad is not None


def test_retained_gradients_and_hooks_are_left_alone():
    a, b = param(2, 3), param(3, 2, seed=1)
    y = a @ b
    y.retain_grad()
    heard = []
    y.register_hook(heard.append)
    loss = (y * y).sum()
    expand(loss)
    assert y.grad is None and not heard
    expand(y, loss=loss, depth=1)
    assert y.grad is None and y.retains_grad
    loss.backward()
    assert y.grad is not None


def test_a_primitive_of_ones_own_with_the_name_of_another():
    @primitive
    def softmax_cross_entropy(xp, x):
        return xp.sum(x * x, axis=0)

    softmax_cross_entropy.grads(x=lambda xp, g, out, x: 2 * g * x)
    a = param(3)
    loss = softmax_cross_entropy(a)
    picture = expand(loss)
    assert picture.whole == {}
    agree(picture, loss, {"a": a})


def test_a_leaf_has_no_operation():
    a = param()
    assert [v.name for v in expand(a).graph.vertices] == ["a"]
    assert expand(a).scalars["a", ()].gradient == 1


def test_many_layers_and_limit():
    w = param(20, 20)
    loss = (w @ w).sum()
    with pytest.raises(GraphError, match=r"more than 1000 scalars, reached at matmul of shape \(20, 20\).*limit="):
        expand(loss)
    with pytest.raises(GraphError, match=r"reached at a Tensor of shape \(300, 300\)"):
        expand(autograd.ones(300, 300, requires_grad=True).sum())
    assert len(expand((w[:2] @ w[:, :2]).sum(), limit=2000).scalars) == 405


def test_what_is_refused():
    a = param(3)
    with pytest.raises(DTypeError, match="wants a Tensor or a list of Tensors, got float"):
        expand(3.0)
    with pytest.raises(DTypeError, match="floating"):
        expand(tensor([1, 2]))
    with pytest.raises(ValueError, match="weights is one of 'nodes', 'edges'"):
        expand(a.sum(), weights="none")
    with pytest.raises(ValueError, match="depth counts operations, from 1"):
        expand(a.sum(), depth=0)
    with pytest.raises(GraphError, match="loss does not depend on this Tensor"):
        expand(a * 2, loss=a.sum())
    y = a.sum()
    y.backward()
    with pytest.raises(GraphError, match=r"freed by backward\(\); expand it before backward"):
        expand(y)
    y = (a * a).sum()
    with autograd.no_grad():
        a.add_(1.0)
    with pytest.raises(GraphError, match=r"value that mul used was overwritten in place at .*test_expand.py:\d+ since"):
        expand(y)


def test_files_and_notebook(tmp_path):
    loss, t = network()
    picture = expand(loss, names={"<w&>": t["w1"]})
    for ending, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE"), ("pdf", b"%PDF")):
        path = picture.save(tmp_path / f"picture.{ending}")
        with open(path, "rb") as file:
            assert file.read(10).startswith(begins)
    assert "image/svg+xml" in picture._repr_mimebundle_()[0]
    assert "&lt;w&amp;&gt;[0, 0]" in picture.svg()


def test_changes_in_place_that_were_recorded():
    a, b = param(2, 3), param(3, 3, seed=1)
    y = a * b[:2]
    y[0] = y[1] * 2
    y += b[1:]
    loss = (y * y).sum()
    picture = expand(loss)
    assert picture.whole == {}
    agree(picture, loss, {"a": a, "b": b})


def test_padding_is_constant():
    a = param(2, 3)
    loss = (F.conv_transpose1d(a[None], param(2, 1, 2, seed=1), stride=2) ** 2).sum()
    picture = expand(loss)
    assert picture.whole == {}
    agree(picture, loss, {"a": a})
