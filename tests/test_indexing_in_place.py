"""Writing at indices in place, views of what is picked, and where the gradient goes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import grad, tensor

X = np.arange(12.0).reshape(3, 4)
INDEX = np.array([[0, 2, 2], [3, 1, 0]])
SRC = np.array([[1.5, -2.0, 0.5], [4.0, -0.25, 7.0]])
AT = np.array([2, 0])

# name -> (arguments of the op without x, places of those that have a gradient)
IN_PLACE = {
    "scatter": ((1, INDEX, SRC), (2,)),
    "scatter_add": ((1, INDEX, SRC), (2,)),
    "scatter_reduce": ((1, INDEX, SRC, "prod"), (2,)),
    "index_add": ((0, AT, X[:2] + 0.5), (2,)),
    "index_copy": ((0, AT, X[:2] + 0.5), (2,)),
    "index_fill": ((1, AT, 0.5), ()),
    "index_put": (((AT, AT), np.array([0.5, 1.5])), (1,)),
    "put": ((np.array([[5, -1]]), np.array([0.5, 1.5])), (1,)),
    "masked_scatter": ((X > 7, np.arange(4.0) + 0.5), (1,)),
    "tril": ((1,), ()),
    "triu": ((), ()),
}


def arguments(name):
    given, with_gradient = IN_PLACE[name]
    given = [
        tuple(map(tensor, a)) if isinstance(a, tuple) else tensor(a) if isinstance(a, np.ndarray) else a for a in given
    ]
    return given, [given[i].requires_grad_() for i in with_gradient]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_is_the_same_with_the_same_gradient(name):
    g = tensor(np.sin(X))
    results = []
    for suffix in ("", "_"):
        x = tensor(X, requires_grad=True)
        given, sources = arguments(name)
        y = x * x
        z = getattr(y, name + suffix)(*given)
        assert (z is y) == (suffix == "_")
        results.append([z.detach(), *grad(z * z, [x, *sources], g)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("name", IN_PLACE)
def test_the_function_leaves_its_input_as_it_is(name):
    x = tensor(X)
    given, _ = arguments(name)
    result = getattr(x, name)(*given)
    np.testing.assert_array_equal(x.numpy(), X)
    with autograd.no_grad():
        result.fill_(100.0)
    np.testing.assert_array_equal(x.numpy(), X)


@pytest.mark.parametrize("name", ["scatter", "index_copy", "index_put", "setitem"])
def test_of_values_for_one_place_the_last_counts_and_gets_the_gradient_alone(name):
    values = tensor([1.0, 2.0, 3.0], requires_grad=True)
    at = tensor([1, 1, 0])
    if name == "setitem":
        out = autograd.zeros(3) * 1
        out[at] = values
    elif name == "index_put":
        out = autograd.index_put(autograd.zeros(3), (at,), values)
    else:
        out = getattr(autograd, name)(autograd.zeros(3), 0, at, values)
    assert out.tolist() == [3.0, 2.0, 0.0]
    (g,) = grad(out, values, tensor([10.0, 20.0, 30.0]))
    assert g.tolist() == [0.0, 20.0, 10.0]


@pytest.mark.parametrize(
    "pick",
    [
        lambda x, i: x[i],
        lambda x, i: autograd.index_select(x, 0, i),
        lambda x, i: autograd.gather(x, 0, i),
        lambda x, i: autograd.take(x, i),
        lambda x, i: autograd.scatter_add(x * 0, 0, i, x[: len(i)]),
    ],
    ids=["getitem", "index_select", "gather", "take", "scatter_add"],
)
def test_an_index_that_is_changed_later_does_not_move_the_gradient(pick):
    def gradient(change):
        x, i = tensor([1.0, 2.0, 3.0], requires_grad=True), tensor([0, 0])
        y = pick(x, i)
        if change:
            i.add_(1)
        return grad(y, x, autograd.ones(*y.shape))[0].tolist()

    assert gradient(change=True) == gradient(change=False)


def test_a_mask_that_is_changed_later_does_not_move_the_gradient():
    for pick in (lambda x, m: x[m], autograd.masked_select):
        x, mask = tensor([1.0, 2.0], requires_grad=True), tensor([True, False])
        y = pick(x, mask)
        mask.fill_(False)
        assert grad(y, x, autograd.ones(1))[0].tolist() == [1.0, 0.0]


def test_views_share_memory_and_copies_do_not():
    x = autograd.zeros(3, 3)
    for view in (x.diagonal(), x.select(0, 1), x.narrow(1, 0, 2), x.tensor_split(2)[1], x.unflatten(0, (3, 1)), x.t()):
        before = x.numpy().sum()
        view += 1
        assert x.numpy().sum() == before + view.numel()
    before = x.tolist()
    copies = [
        x.flip(0), x.roll(0, 0), x.roll(1, 0), x.rot90(0), x.rot90(1), x.repeat(1, 1), x.tile(()), x.diag(), x.tril(9),
        x.repeat_interleave(1, 0), autograd.pad(x, (0, 0)), autograd.pad(x, (0, 0), "circular"), x.fliplr(),
        x.index_select(0, tensor([0])), x.repeat(1, 1, 1),
    ]  # fmt: skip
    for copy in copies:
        copy += 1
        assert x.tolist() == before


def test_a_diagonal_is_written_with_gradient():
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    y.diagonal().mul_(10.0)
    assert y.tolist() == [[10.0, 2.0], [3.0, 40.0]]
    assert grad(y, x, autograd.ones(2, 2))[0].tolist() == [[10.0, 1.0], [1.0, 10.0]]


def test_a_diagonal_of_what_cannot_be_written_cannot_be_written():
    array = np.zeros((2, 2))
    array.flags.writeable = False
    with pytest.raises(autograd.GraphError, match="cannot be written"):
        autograd.as_tensor(array).diagonal().fill_(1.0)
    assert array.sum() == 0


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "float32"])
def test_dtypes_stay(dtype):
    x = tensor([[1, 0], [1, 1]], dtype=dtype)
    i, rows = tensor([[1, 0]]), tensor([1, 1])
    for y in (
        x.tril(), x.flip(0), x.roll(1), x.diag(), x.diag().diag_embed(), x.gather(0, i), x.scatter(0, i, 1),
        x.index_select(0, rows), x.index_fill(0, rows, 1), x.take(rows), x.masked_select(x.bool()), x.repeat(2, 1),
        autograd.pad(x, (1, 1)), autograd.pad(x, (1, 1), value=1), autograd.hstack([x, x]), autograd.block_diag(x, x),
    ):  # fmt: skip
        assert y.dtype == dtype
    if dtype != "bool":
        assert x.scatter_add(0, i, x[:1]).dtype == dtype
        assert x.scatter_reduce(0, i, x[:1], "mean").dtype == dtype
        assert x.index_add(0, rows, x).tolist() == [[1, 0], [3, 2]]


@pytest.mark.reference
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce_of_ties_and_integers_is_pytorchs(reduce, include_self):
    import torch

    x, src, index = np.array([2.0, 1.0, 5.0]), np.array([2.0, 2.0, 1.0, 3.0, 3.0]), np.array([0, 0, 0, 1, 1])
    for dtype in ("float64", "int64"):
        ours = tensor(x, dtype=dtype), tensor(src, dtype=dtype)
        theirs = torch.tensor(x, dtype=getattr(torch, dtype)), torch.tensor(src, dtype=getattr(torch, dtype))
        if dtype == "float64":
            for v in (*ours, *theirs):
                v.requires_grad_()
        y = autograd.scatter_reduce(ours[0], 0, tensor(index), ours[1], reduce, include_self=include_self)
        z = theirs[0].scatter_reduce(0, torch.tensor(index), theirs[1], reduce, include_self=include_self)
        assert y.tolist() == z.tolist()
        # Without self PyTorch still counts it among the entries that share, so that a part of the gradient is lost.
        if dtype == "float64" and (include_self or reduce not in ("amax", "amin")):
            g = [1.0, 10.0, 100.0]
            expected = torch.autograd.grad(z, theirs, torch.tensor(g).double())
            for a, b in zip(grad(y, ours, tensor(g, dtype=dtype)), expected, strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy())


def test_a_tie_with_a_self_that_is_not_included_takes_no_part_of_the_gradient():
    x, src = tensor([2.0], requires_grad=True), tensor([2.0, 2.0, 1.0], requires_grad=True)
    y = autograd.scatter_reduce(x, 0, tensor([0, 0, 0]), src, "amax", include_self=False)
    assert [g.tolist() for g in grad(y, [x, src])] == [[0.0], [0.5, 0.5, 0.0]]
