"""FLOPs are those of the loops written out, and for products those that PyTorch counts."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import autograd
import nn
from autograd import profile
from autograd.primitive import Primitive, registry
from autograd.profiling import flops

F = nn.functional


class Counted:
    """A number that counts the multiplications it takes part in."""

    count = 0

    def __mul__(self, other):
        Counted.count += 1
        return self

    def __add__(self, other):
        return self

    __radd__ = __add__


def multiplications(function, *shapes):
    """How many a program on arrays makes."""
    arrays = [np.array([Counted() for _ in range(int(np.prod(shape)))], object).reshape(shape) for shape in shapes]
    Counted.count = 0
    function(*arrays)
    return Counted.count


def product(x, y):
    return x @ y


def affine(x, w):
    return x.reshape(-1, x.shape[-1]) @ w.T


def convolution(stride=1, padding=0, dilation=1, groups=1):
    """A convolution as loops over everything, the zeros of the padding multiplied too."""

    def run(x, w):
        dims = x.ndim - 2
        pads = [(0, 0), (0, 0)] + [(padding, padding)] * dims
        x = np.pad(x, pads, constant_values=Counted())
        out = [(n - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
        each = w.shape[0] // groups
        for n, o in itertools.product(range(x.shape[0]), range(w.shape[0])):
            for place in itertools.product(*map(range, out)):
                for c, *at in itertools.product(*map(range, w.shape[1:])):
                    where = [stride * p + dilation * k for p, k in zip(place, at, strict=True)]
                    x[(n, o // each * w.shape[1] + c, *where)] * w[(o, c, *at)]

    return run


def transposed(groups=1):
    """Every entry of x goes to as many places as a kernel has, in each of the output channels of its group."""

    def run(x, w):
        each = x.shape[1] // groups
        for place in itertools.product(*map(range, x.shape)):
            for k in itertools.product(*map(range, w.shape[1:])):
                x[place] * w[(place[1] % each + place[1] // each * each, *k)]

    return run


def recurrence(x, w, h):
    """The products of W with the state, for each row of each step."""
    for _ in range(x.shape[0] // h.shape[0]):
        h @ w.T


def distances(x, y):
    for a, b in itertools.product(x, y):
        sum(p * q for p, q in zip(a, b, strict=True))


def einsum(x, y):
    for b, i, j, k in itertools.product(*map(range, (*x.shape, y.shape[2]))):
        x[b, i, j] * y[b, j, k]


# name: (the op on Tensors, the same in loops, shapes, how many times the forward the backward is)
PRODUCTS = {
    "matmul": (autograd.matmul, product, [(3, 4), (4, 5)], 2),
    "matmul, one of them": (lambda x, y: x.detach() @ y, product, [(2, 7), (7, 3)], 1),
    "vectors": (autograd.matmul, product, [(6,), (6,)], 2),
    "matrix and vector": (autograd.matmul, product, [(3, 6), (6,)], 2),
    "batches": (autograd.matmul, product, [(2, 3, 4, 5), (2, 3, 5, 2)], 2),
    "one matrix for a batch": (autograd.matmul, product, [(5, 3, 4), (4, 2)], 2),
    "bmm": (autograd.bmm, product, [(4, 2, 3), (4, 3, 2)], 2),
    "linear": (autograd.linear, affine, [(4, 3), (5, 3)], 2),
    "linear in 3 dimensions": (autograd.linear, affine, [(2, 4, 3), (6, 3)], 2),
    "einsum": (lambda x, y: autograd.einsum("bij,bjk->bik", x, y), einsum, [(2, 3, 4), (2, 4, 5)], 2),
    "conv1d": (F.conv1d, convolution(), [(2, 3, 7), (4, 3, 3)], 2),
    "conv2d": (F.conv2d, convolution(), [(2, 2, 5, 6), (3, 2, 2, 3)], 2),
    "conv3d": (F.conv3d, convolution(), [(1, 2, 3, 4, 3), (2, 2, 2, 2, 2)], 2),
    "conv2d, padded and strided": (
        lambda x, w: F.conv2d(x, w, stride=2, padding=1), convolution(2, 1), [(1, 2, 6, 6), (3, 2, 3, 3)], 2,
    ),
    "conv1d, dilated": (
        lambda x, w: F.conv1d(x, w, dilation=2), convolution(dilation=2), [(2, 2, 9), (2, 2, 3)], 2,
    ),
    "conv2d in groups": (
        lambda x, w: F.conv2d(x, w, groups=2), convolution(groups=2), [(2, 4, 4, 4), (6, 2, 2, 2)], 2,
    ),
    "conv_transpose1d": (F.conv_transpose1d, transposed(), [(2, 3, 5), (3, 4, 3)], 2),
    "conv_transpose2d": (
        lambda x, w: F.conv_transpose2d(x, w, stride=2), transposed(), [(1, 3, 4, 3), (3, 2, 2, 2)], 2,
    ),
    "conv_transpose2d in groups": (
        lambda x, w: F.conv_transpose2d(x, w, groups=2), transposed(2), [(1, 4, 3, 3), (4, 3, 2, 2)], 2,
    ),
    "rnn": (
        lambda x, w, h: autograd.rnn_scan(x, w, h, batch_sizes=(2, 2, 2))[0], recurrence, [(6, 3), (3, 3), (2, 3)], 2,
    ),
    "gru": (
        lambda x, w, h: autograd.gru_scan(x, w, h, batch_sizes=(2, 2))[0], recurrence, [(4, 9), (9, 3), (2, 3)], 2,
    ),
    "lstm": (
        lambda x, w, h: autograd.lstm_scan(x, w, h, autograd.zeros(3, 2), batch_sizes=(3, 3))[0], recurrence,
        [(6, 8), (8, 2), (3, 2)], 2,
    ),
    "cdist": (autograd.cdist, distances, [(4, 3), (5, 3)], 2),
}  # fmt: skip


def counted(function, inputs):
    """FLOPs of the products among the ops of a program, forward and backward."""
    with profile() as p:
        out = function(*inputs)
    ahead = {row.name: row.flops for row in p.by_op()}
    with profile() as p:
        out.backward(autograd.ones_like(out))
    return ahead, {row.name: row.flops for row in p.by_op()}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_the_multiplications_of_their_loops(name):
    op, loops, shapes, times = PRODUCTS[name]
    count = multiplications(loops, *shapes)
    ahead, back = counted(op, [autograd.rand(*shape, requires_grad=True) for shape in shapes])
    names = {r.name for r in registry.values() if flops.kind(r) in ("product", "scan")}
    assert sum(n for k, n in ahead.items() if k in names) == 2 * count > 0
    assert sum(n for k, n in back.items() if k in names) == 2 * times * count


def test_biases_add_up_the_upstream_gradient():
    x = autograd.rand(4, 3)
    w, b = autograd.rand(5, 3, requires_grad=True), autograd.rand(5, requires_grad=True)
    ahead, back = counted(autograd.linear, [x, w, b])
    assert (ahead["linear"], back["linear"]) == (2 * 4 * 3 * 5, 2 * 4 * 3 * 5 + 20)
    image, kernel = autograd.rand(2, 3, 6, 6, requires_grad=True), autograd.rand(4, 3, 3, 3)
    ahead, back = counted(F.conv2d, [image, kernel, autograd.rand(4, requires_grad=True)])
    once = 2 * 2 * 4 * 4 * 4 * 3 * 3 * 3
    assert (ahead["conv"], back["conv"]) == (once, once + 2 * 4 * 4 * 4)


def test_attention_is_its_two_products_and_a_softmax():
    q, k, v = (autograd.rand(2, 3, n, 4, requires_grad=True) for n in (5, 6, 6))
    products, shares = 2 * (2 * 3 * 5 * 6 * 4) * 2, 2 * 3 * 5 * 6
    ahead, back = counted(functools.partial(autograd.scaled_dot_product_attention, dropout_p=0.1), [q, k, v])
    assert (ahead["matmul"], back["matmul"]) == (products, 2 * products)
    assert (ahead["masked_softmax"], back["masked_softmax"]) == (shares, shares)
    ahead, back = counted(autograd.scaled_dot_product_attention, [q, k, v])
    assert (ahead["attention"], back["attention"]) == (products + shares, 2 * products + shares)


def test_a_gradient_made_of_operations_counts_as_much():
    x, y = autograd.rand(3, 4, requires_grad=True), autograd.rand(4, 5, requires_grad=True)
    once = 2 * 3 * 4 * 5
    with profile() as p:
        gradients = autograd.grad((x @ y).sum(), (x, y), create_graph=True)
    row = next(row for row in p.by_op() if row.name == "matmul")
    assert (row.flops, row.calls, row.visits) == (3 * once, 3, 1)
    with profile() as p:
        sum(g.square().sum() for g in gradients).backward()
    row = next(row for row in p.by_op() if row.name == "matmul")
    assert (row.flops, row.calls, row.visits) == (2 * once, 0, 2)  # each of two products, by the factor that is x or y


# (the op, the shapes, FLOPs forward, FLOPs backward)
ENTRIES = {
    "exp": (autograd.exp, [(3, 4)], 12, 12),
    "broadcast": (autograd.mul, [(3, 4), (4,)], 12, 24),  # the second is summed down from 12
    "add hands on": (autograd.add, [(3, 4), (3, 4)], 12, 0),
    "add sums what was broadcast": (autograd.add, [(3, 4), (4,)], 12, 12),
    "sum": (autograd.sum, [(3, 4)], 12, 12),
    "mean along": (lambda x: x.mean(0), [(3, 4)], 12, 12),
    "softmax": (lambda x: autograd.softmax(x, 1), [(3, 4)], 12, 12),
    "views": (lambda x: x.reshape(4, 3).T[1:], [(3, 4)], 0, 0),
    "cat": (lambda x, y: autograd.cat([x, y]), [(3, 4), (2, 4)], 0, 0),
    "expand": (lambda x: x.expand(5, 4), [(1, 4)], 0, 20),
    "index": (lambda x: x[autograd.tensor([0, 0, 1])], [(3, 4)], 0, 12),
    "average pooling": (lambda x: F.avg_pool2d(x, 2), [(1, 2, 4, 6)], 2 * 6 * 4, 2 * 6 * 4),
    "largest of windows": (lambda x: F.max_pool2d(x, 2), [(1, 2, 4, 6)], 2 * 6 * 4, 2 * 6 * 4),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_entries(name):
    op, shapes, forward, backward = ENTRIES[name]
    ahead, back = counted(op, [autograd.rand(*shape, requires_grad=True) for shape in shapes])
    scale = {"mul", "div"} if "pooling" in name else set()  # by which an average divides
    assert sum(n for k, n in ahead.items() if k not in scale) == forward
    assert sum(n for k, n in back.items() if k not in scale) == backward


DECOMPOSITIONS = {
    "inverse": (autograd.linalg.inv, [(4, 4)], 2 * 4**3, 4 * 4**3),
    "inverses": (autograd.linalg.inv, [(3, 5, 5)], 3 * 2 * 5**3, 3 * 4 * 5**3),
    # A factorization, two triangles for each column; backward that twice over, and the product of two columns.
    "solve": (autograd.linalg.solve, [(6, 6), (6, 2)], 144 + 144, 2 * (144 + 144) + 144),
    "cholesky": (lambda x: autograd.linalg.cholesky(x @ x.T), [(6, 6)], 72, 144),
    "eigh": (lambda x: autograd.linalg.eigh(x @ x.T)[0], [(3, 3)], 9 * 27, 2 * 9 * 27),
    "qr": (lambda x: autograd.linalg.qr(x)[1], [(6, 3)], 4 * 6 * 9 - 4 * 9, 2 * (4 * 6 * 9 - 4 * 9)),
    "svd": (lambda x: autograd.linalg.svd(x, full_matrices=False)[1], [(5, 3)], 630 + 216, 2 * (630 + 216)),
}


@pytest.mark.parametrize("name", DECOMPOSITIONS)
def test_decompositions(name):
    op, shapes, forward, backward = DECOMPOSITIONS[name]
    autograd.manual_seed(1)
    inputs = [autograd.rand(*shape, requires_grad=True) for shape in shapes]
    names = {r.name for r in registry.values() if flops.kind(r) == "decomposition"}
    ahead, back = counted(op, inputs)
    assert sum(n for k, n in ahead.items() if k in names) == forward
    assert sum(n for k, n in back.items() if k in names) == backward


def test_every_primitive_has_a_class():
    classes = {"product", "scan", "decomposition", "window", "view", "move", "entries"}
    kinds = {name: flops.kind(op) for name, op in registry.items()}
    assert {name for name, kind in kinds.items() if kind not in classes} == set()
    assert set(kinds.values()) == classes
    listed = {
        *flops._PRODUCTS, *flops._SCANS, *flops._DECOMPOSITIONS, *flops._WINDOWS, *flops._MOVES, *flops._READ_AGAIN,
        *flops._ENTRIES, *flops._BIASED,
    }  # fmt: skip
    assert listed <= set(registry)
    groups = [flops._PRODUCTS, flops._SCANS, flops._DECOMPOSITIONS, flops._WINDOWS, flops._MOVES, flops._ENTRIES]
    assert sum(map(len, groups)) == len(set().union(*groups)), "one class each"
    assert all(flops.kind(op) == "entries" for op in registry.values() if op.elementwise and not op.view
               and op.forward.__name__ not in flops._MOVES)  # fmt: skip


def test_operations_of_ones_own_count_by_entries():
    def triple(xp, x):
        return x * 3

    def window(xp, x):
        return x[1:]

    own = Primitive(triple, elementwise=False, promote=None, selects=False, view=False, saves=(), name="matmul")
    own.grads(x=lambda xp, g, out, x: g * 3)
    assert flops.kind(own) == "entries"
    assert flops.kind(
        Primitive(window, elementwise=False, promote=None, selects=False, view=True, saves=(), name=None)
    ) == "view"  # fmt: skip
    ahead, back = counted(own, [autograd.rand(5, 2, requires_grad=True)])
    assert ahead == {"matmul": 10}
    assert back["matmul"] == 10


@pytest.mark.reference
@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (lambda nn: nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)), (4, 5)),
        (lambda nn: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 2, 2)), (2, 3, 8, 8)),
        # PyTorch counts the gradient of a weight in groups as if it were in one, so that there are none here.
        (lambda nn: nn.Sequential(nn.Conv1d(4, 6, 3, dilation=2)), (3, 4, 9)),
        (lambda nn: nn.Sequential(nn.ConvTranspose2d(3, 5, 3, stride=2)), (2, 3, 4, 4)),
        (lambda nn: nn.Sequential(nn.Conv3d(2, 3, 2)), (1, 2, 4, 4, 4)),
    ],
)
def test_products_count_as_in_pytorch(model, shape):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    theirs = model(torch.nn)
    with FlopCounterMode(display=False) as counter:
        theirs(torch.ones(*shape, requires_grad=True)).sum().backward()
    ours = model(nn)
    with profile() as p:
        ours(autograd.ones(*shape, requires_grad=True)).sum().backward()
    names = {r.name for r in registry.values() if flops.kind(r) == "product"}
    # PyTorch counts nothing for biases; here their gradients are sums, and those of a transposed convolution an add's.
    biases, x = 0, autograd.ones(*shape)
    for layer in ours:
        x = layer(x)
        biases += x.numel() if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)) else 0
    assert sum(row.flops for row in p.by_op() if row.name in names) == counter.get_total_flops() + biases
