"""Rows of what repeats, reorders, joins, splits and pads, and of diagonals and grids."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.linalg
from sampling import Row, Sample, draw

import autograd


def one(shape: tuple[int, ...], /, **static: Any) -> Sample:
    return Sample(tuple(draw(shape)), static)


def flipped(**static: Any) -> Sample:
    return Sample((draw((4, 3), seed=9)[0][::-1, ::-1],), static)


def several(*shapes: Any, **static: Any) -> Sample:
    return Sample(tuple(draw(*shapes)), static)


def listed(name: str) -> Any:
    """PyTorch's function of a sequence, called with the Tensors one by one."""
    return lambda torch, *xs, **static: getattr(torch, name)(xs, **static)


def ours_listed(function: Any) -> Any:
    return lambda *xs, **static: function(list(xs), **static)


def numpy_pad(x: Any, pad: Any, mode: str, value: Any = None) -> Any:
    widths = [(0, 0)] * (x.ndim - len(pad) // 2) + [tuple(pad[i : i + 2]) for i in range(0, len(pad), 2)][::-1]
    x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, widths, strict=True))]
    widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return np.pad(x, widths, constant_values=0 if value is None else value)
    return np.pad(x, widths, {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode])


def torch_pad(torch: Any, x: Any, pad: Any, mode: str, value: Any = None) -> Any:
    """PyTorch pads the last 1, 2 or 3 dimensions of 2 to 5, so a dimension in front is added where it wants one."""
    if mode != "constant" and x.ndim == len(pad) // 2:
        return torch.nn.functional.pad(x[None], pad, mode, value)[0]
    return torch.nn.functional.pad(x, pad, mode, value)


PADS = [
    one((3,), pad=(1, 2), mode="constant"),
    one((2, 3), pad=(1, 0, 0, 2), mode="constant", value=1.5),
    one((4, 3), pad=(-1, 2, 1, -2), mode="constant"),
    one((4, 3), pad=(-1, -1), mode="constant"),
    one((0, 2), pad=(0, 0, 1, 1), mode="constant", value=-2.0),
    one((2, 3), pad=(), mode="constant"),
    flipped(pad=(1, 1, 1, 1), mode="constant"),
    *[one((1, 4), pad=(2, 3), mode=mode) for mode in ("reflect", "replicate", "circular")],
    *[one((2, 3, 4), pad=(3, 1, 0, 2), mode=mode) for mode in ("reflect", "replicate", "circular")],
    one((1, 1, 2, 2, 2), pad=(1, 1, 1, 0, 0, 1), mode="reflect"),
    one((1, 1, 2), pad=(5, 4), mode="replicate"),
]

REPEATS = [
    one((2,), sizes=(3,)),
    one((2, 3), sizes=(2, 2)),
    one((2, 1), sizes=(2, 1, 3)),
    one((), sizes=(2, 2)),
    one((), sizes=()),
    one((2, 3), sizes=(1, 1)),
    one((2,), sizes=(0,)),
    flipped(sizes=(1, 2)),
]
OFFSETS = (0, 1, -1, 5)
TRIANGLES = [
    *[one(shape, diagonal=k) for shape in ((3, 3), (2, 4), (4, 2)) for k in (0, 1, -1)],
    one((2, 2, 3), diagonal=0),
    one((0, 3), diagonal=0),
    flipped(diagonal=1),
]
DIAGONALS = [
    *[one((3, 4), offset=k, dim1=0, dim2=1) for k in OFFSETS],
    one((4, 3), offset=-1, dim1=1, dim2=0),
    one((2, 3, 2), offset=0, dim1=-1, dim2=0),
    one((2, 3, 3, 2), offset=1, dim1=1, dim2=2),
    flipped(offset=0, dim1=0, dim2=1),
]
EMBEDDINGS = [
    *[one((3,), offset=k, dim1=-2, dim2=-1) for k in (0, 2, -1)],
    one((2, 3), offset=1, dim1=0, dim2=2),
    one((2, 3), offset=-1, dim1=2, dim2=0),
    one((0,), offset=0, dim1=0, dim2=1),
]


def numpy_embed(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    n = x.shape[-1] + abs(offset)
    dim1, dim2 = dim1 % (x.ndim + 1), dim2 % (x.ndim + 1)
    shape = list(x.shape[:-1])
    for d in sorted((dim1, dim2)):
        shape.insert(d, n)
    out = np.zeros(shape)
    part = np.diagonal(out, offset, dim1, dim2)
    part.flags.writeable = True
    part[...] = x
    return out


def embedded(sample: Sample) -> Sample:
    """The primitive's sample: with the shape of the result, and dimensions counted from 0."""
    (x,), static = sample.inputs, sample.static
    dims = {name: static[name] % (x.ndim + 1) for name in ("dim1", "dim2")}
    return Sample((x,), {"offset": static["offset"], **dims, "shape": numpy_embed(x, **static).shape})


def from_zero(sample: Sample) -> Sample:
    dims = {name: sample.static[name] % sample.inputs[0].ndim for name in ("dim1", "dim2")}
    return Sample(sample.inputs, {**sample.static, **dims})


def method(name: str) -> Any:
    """PyTorch's method with one static argument, whatever it is called."""
    return lambda torch, x, **static: getattr(x, name)(*static.values())


def written_diagonal(x: Any, src: Any, offset: int) -> Any:
    out = np.array(x)
    part = np.diagonal(out, offset)
    part.flags.writeable = True
    part[...] = src
    return out


def numpy_combinations(x: Any, r: int, again: bool) -> Any:
    choose = itertools.combinations_with_replacement if again else itertools.combinations
    return np.array(list(choose(x, r))).reshape(-1, r)


def torch_vander(torch: Any, x: Any, N: Any, increasing: bool) -> Any:
    """From powers, since ``torch.vander`` fails in its own backward pass when there are four columns."""
    powers = range(x.shape[-1] if N is None else N)
    return torch.stack([x**k for k in (powers if increasing else reversed(powers))], -1)


ROWS = [
    Row(
        "flip_along",
        [*[one((2, 3), axes=axes) for axes in ((0,), (1,), (0, 1), ())], one((3,), axes=(0,)), flipped(axes=(0,))],
        lambda x, axes: np.flip(x, axes),
        lambda torch, x, axes: torch.flip(x, axes),
    ),
    Row(
        "flip",
        [one((2, 3), dims=(-1,)), one((2, 3, 2), dims=(0, 2)), one((), dims=()), one((0, 2), dims=(0,))],
        lambda x, dims: np.flip(x, dims),
        lambda torch, x, dims: torch.flip(x, dims),
        op=lambda x, dims: autograd.flip(x, *dims),
    ),
    Row("fliplr", [one((2, 3))], np.fliplr, "fliplr", op=autograd.fliplr),
    Row("flipud", [one((2, 3)), one((3,))], np.flipud, "flipud", op=autograd.flipud),
    Row(
        "roll",
        [
            one((5,), shifts=2, dims=None),
            one((2, 3), shifts=-1, dims=None),
            one((2, 3), shifts=4, dims=1),
            one((2, 3), shifts=(1, -1), dims=(0, 1)),
            one((2, 3), shifts=3, dims=-1),
            one((0, 3), shifts=1, dims=0),
            flipped(shifts=(1, 1), dims=(0, 0)),
        ],
        lambda x, shifts, dims: np.roll(x, shifts, dims),
        lambda torch, x, shifts, dims: torch.roll(x, shifts, dims),
        op=autograd.roll,
    ),
    Row(
        "rot90",
        [one((2, 3), k=k, dims=(0, 1)) for k in (0, 1, 2, 3, -1)] + [one((2, 3, 2), k=1, dims=(2, 0))],
        lambda x, k, dims: np.rot90(x, k, dims),
        "rot90",
        op=autograd.rot90,
    ),
    Row(
        "repeat",
        REPEATS,
        lambda x, sizes: np.tile(x, sizes),
        lambda torch, x, sizes: x.repeat(sizes),
        op=lambda x, sizes: x.repeat(*sizes),
    ),
    Row(
        "tile",
        [*REPEATS, one((2, 3), sizes=(2,)), one((2,), sizes=())],
        lambda x, sizes: np.tile(x, sizes),
        lambda torch, x, sizes: torch.tile(x, sizes),
        op=lambda x, sizes: autograd.tile(x, sizes),
    ),
    Row(
        "repeat_interleave",
        [
            one((3,), repeats=2, dim=None),
            one((2, 3), repeats=2, dim=None),
            one((2, 3), repeats=3, dim=1),
            one((2, 3), repeats=1, dim=0),
            one((2, 3), repeats=np.array([1, 0, 2]), dim=-1),
            one((2, 3), repeats=np.array([2]), dim=0),
            one((2, 3), repeats=0, dim=0),
            one((1, 3), repeats=np.array([2]), dim=0),
            one((), repeats=2, dim=None),
        ],
        lambda x, repeats, dim: np.repeat(x, repeats, dim),
        lambda torch, x, repeats, dim: torch.repeat_interleave(
            x, torch.tensor(repeats) if isinstance(repeats, np.ndarray) else repeats, dim
        ),
        op=autograd.repeat_interleave,
    ),
    Row(
        "broadcast_to by size",
        [one((3,), size=(2, 3)), one((2, 1), size=(4, 2, 3)), one((), size=(2,))],
        lambda x, size: np.broadcast_to(x, size),
        "broadcast_to",
        op=lambda x, size: autograd.broadcast_to(x, size),
    ),
    Row(
        "broadcast_tensors",
        [several((2, 1), (3,)), several((), (2,), (1, 1)), several((2,))],
        lambda *xs: np.broadcast_arrays(*xs),
        "broadcast_tensors",
        op=autograd.broadcast_tensors,
    ),
    *[
        Row(name, [*map(one, [(), (3,), (2, 3), (2, 1, 2)])], getattr(np, name), name, op=getattr(autograd, name))
        for name in ("atleast_1d", "atleast_2d", "atleast_3d")
    ],
    Row(
        "atleast_2d of several",
        [several((), (2,))],
        lambda *xs: tuple(np.atleast_2d(*xs)),
        "atleast_2d",
        op=autograd.atleast_2d,
    ),
    Row(
        "unflatten",
        [one((6, 2), dim=0, sizes=(2, 3)), one((2, 6), dim=-1, sizes=(3, -1)), one((4,), dim=0, sizes=(4, 1))],
        lambda x, dim, sizes: x.reshape(*x.shape[: dim % x.ndim], *sizes, *x.shape[dim % x.ndim + 1 :]),
        "unflatten",
        op=autograd.unflatten,
    ),
    Row("ravel", [one((2, 3)), one(()), flipped()], np.ravel, "ravel", op=autograd.ravel),
    Row("t", [one((2, 3)), one((3,)), one(())], np.transpose, "t", op=autograd.t),
    Row("adjoint", [one((2, 3)), one((2, 1, 3))], lambda x: np.swapaxes(x, -1, -2), "adjoint", op=autograd.adjoint),
    Row(
        "swapaxes",
        [one((2, 3, 4), axis0=0, axis1=-1)],
        lambda x, axis0, axis1: np.swapaxes(x, axis0, axis1),
        "swapaxes",
        op=lambda x, axis0, axis1: autograd.swapaxes(x, axis0, axis1),
    ),
    Row(
        "moveaxis",
        [one((2, 3, 4), source=(0, 1), destination=(-1, 0))],
        lambda x, source, destination: np.moveaxis(x, source, destination),
        "moveaxis",
        op=autograd.moveaxis,
    ),
    Row(
        "view",
        [one((2, 3), shape=(3, -1)), one((), shape=(1, 1))],
        lambda x, shape: x.reshape(shape),
        lambda torch, x, shape: x.view(shape),
        op=lambda x, shape: x.view(*shape),
    ),
    # joining and splitting
    Row(
        "cat with an empty vector",
        [several((0,), (2, 3))],
        lambda *xs: xs[1],
        listed("cat"),
        op=ours_listed(autograd.cat),
        gradient=False,
    ),
    *[
        Row(name, samples, lambda *xs, name=name: getattr(np, name)(xs), listed(name), op=ours_listed(op))
        for name, op, samples in (
            ("hstack", autograd.hstack, [several((2,), (3,)), several((2, 1), (2, 3)), several((), ())]),
            ("vstack", autograd.vstack, [several((2,), (2,)), several((2, 3), (3,)), several((), ())]),
            ("dstack", autograd.dstack, [several((2,), (2,)), several((2, 3), (2, 3)), several((2, 1, 1), (2, 1, 2))]),
            ("column_stack", autograd.column_stack, [several((2,), (2, 2)), several((2,), (2,)), several((), ())]),
        )
    ],
    Row(
        "block_diag",
        [several((2, 3), (1, 1)), several((), (2,), (2, 1)), several((2, 2))],
        lambda *xs: scipy.linalg.block_diag(*xs),
        lambda torch, *xs: torch.block_diag(*xs),
        op=autograd.block_diag,
    ),
    Row(
        "tensor_split",
        [
            one((5, 2), sections=3, dim=0),
            one((5,), sections=(1, 3), dim=0),
            one((3,), sections=(2, 1, 7), dim=0),
            one((2, 3), sections=4, dim=-1),
        ],
        lambda x, sections, dim: tuple(np.array_split(x, sections, dim)),
        lambda torch, x, sections, dim: torch.tensor_split(x, sections, dim),
        op=lambda x, sections, dim: autograd.tensor_split(x, sections, dim),
    ),
    *[
        Row(
            name,
            [one(shape, sections=n) for shape, n in cases],
            lambda x, sections, name=name: tuple(getattr(np, name)(x, sections)),
            lambda torch, x, sections, name=name: getattr(torch, name)(x, sections),
            op=lambda x, sections, name=name: getattr(autograd, name)(x, sections),
        )
        for name, cases in (
            ("hsplit", [((4,), 2), ((2, 4), 2), ((2, 4), (1,))]),
            ("vsplit", [((4, 2), 2), ((4, 2), (1, 3))]),
            ("dsplit", [((1, 2, 4), 2), ((1, 2, 4), (3,))]),
        )
    ],
    # diagonals and triangles
    Row(
        "diagonal_of",
        [from_zero(s) for s in DIAGONALS],
        lambda x, offset, dim1, dim2: np.diagonal(x, offset, dim1, dim2),
        "diagonal",
    ),
    Row(
        "diagonal",
        DIAGONALS,
        lambda x, offset, dim1, dim2: np.diagonal(x, offset, dim1, dim2),
        "diagonal",
        op=autograd.diagonal,
    ),
    Row(
        "embed_diagonal",
        [embedded(s) for s in EMBEDDINGS],
        lambda x, offset, dim1, dim2, shape: numpy_embed(x, offset, dim1, dim2),
        lambda torch, x, offset, dim1, dim2, shape: torch.diag_embed(x, offset, dim1, dim2),
    ),
    Row("diag_embed", EMBEDDINGS, numpy_embed, "diag_embed", op=autograd.diag_embed),
    Row(
        "diag",
        [one(shape, diagonal=k) for shape in ((3,), (3, 4)) for k in (0, 1, -1)],
        lambda x, diagonal: np.diag(x, diagonal),
        "diag",
        op=autograd.diag,
    ),
    Row(
        "diagflat",
        [one((2, 2), offset=0), one((3,), offset=-1), one((), offset=1)],
        lambda x, offset: np.diagflat(x, offset),
        "diagflat",
        op=autograd.diagflat,
    ),
    Row(
        "diagonal_scatter",
        [several((3, 3), (3,), offset=0), several((2, 4), (2,), offset=1)],
        written_diagonal,
        "diagonal_scatter",
        op=autograd.diagonal_scatter,
    ),
    Row("tril", TRIANGLES, lambda x, diagonal: np.tril(x, diagonal), "tril", op=autograd.tril),
    Row("triu", TRIANGLES, lambda x, diagonal: np.triu(x, diagonal), "triu", op=autograd.triu),
    Row("pad", PADS, numpy_pad, torch_pad, op=autograd.pad),
    # grids
    Row(
        "meshgrid",
        [several((2,), (3,), indexing=how) for how in ("ij", "xy")]
        + [several((2,), (1,), (3,), indexing="xy"), several((), (2,), indexing="ij"), several((2,), indexing="xy")],
        lambda *xs, indexing: tuple(np.meshgrid(*xs, indexing=indexing)),
        "meshgrid",
        op=autograd.meshgrid,
    ),
    Row(
        "cartesian_prod",
        [several((2,), (3,)), several((2,)), several((2,), (1,), (2,))],
        lambda *xs: xs[0] if len(xs) == 1 else np.stack([m.reshape(-1) for m in np.meshgrid(*xs, indexing="ij")], 1),
        "cartesian_prod",
        op=autograd.cartesian_prod,
    ),
    Row(
        "combinations",
        [one((n,), r=r, again=again) for n, r, again in ((4, 2, False), (3, 2, True), (3, 3, False), (2, 3, False))],
        numpy_combinations,
        lambda torch, x, r, again: torch.combinations(x, r, again),
        op=lambda x, r, again: autograd.combinations(x, r, again),
    ),
    Row(
        "vander",
        [one((3,), N=None, increasing=False), one((3,), N=2, increasing=True), one((2,), N=4, increasing=False)],
        lambda x, N, increasing: np.vander(x, N, increasing),
        torch_vander,
        op=autograd.vander,
    ),
]
