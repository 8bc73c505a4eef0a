"""What a row of the op table is, and how its inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.primitive import registry


@dataclass(frozen=True)
class Sample:
    """One call: positional inputs (arrays become Tensors, all else is passed as it is) and static arguments."""

    inputs: tuple[Any, ...]
    static: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shapes = [x.shape if isinstance(x, np.ndarray) else x for x in self.inputs]
        return f"{shapes} {self.static or ''}"


@dataclass(frozen=True)
class Row:
    """An operation, calls of it, and what says what they should give.

    ``numpy`` gets the arrays, ``torch`` the module and then PyTorch's tensors (or is the name of its function).
    Gradients are checked with respect to every floating array but those at the places ``constant``,
    with finite differences unless ``cut``: the gradient is then kept from an input on purpose.
    """

    name: str
    samples: Sequence[Sample]
    numpy: Callable[..., Any]
    torch: str | Callable[..., Any] | None = None
    op: Callable[..., Any] | None = None
    gradient: bool = True
    constant: tuple[int, ...] = ()
    cut: bool = False

    @property
    def function(self) -> Callable[..., Any]:
        return self.op or registry[self.name]

    def in_torch(self, torch: Any) -> Callable[..., Any]:
        if isinstance(self.torch, str):
            return getattr(torch, self.torch)
        assert self.torch is not None
        return lambda *inputs, **static: self.torch(torch, *inputs, **static)  # type: ignore[operator, misc]

    def differentiable(self, sample: Sample) -> list[int]:
        if not self.gradient:
            return []
        return [
            i
            for i, x in enumerate(sample.inputs)
            if isinstance(x, np.ndarray) and x.dtype.kind == "f" and i not in self.constant
        ]


def draw(
    *shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0, avoid: Sequence[float] = (), seed: int = 0
) -> list[np.ndarray]:
    """Arrays of the shapes with entries in (low, high), all different, and off the points in ``avoid``.

    They are drawn from one grid, so that no two are closer than finite differences can tell apart: neither
    an extreme nor a comparison changes when one of them is moved a little.
    """
    sizes = [int(np.prod(s)) for s in shapes]
    grid = np.linspace(low, high, 4 * sum(sizes) + 32)[1:-1]
    for point in avoid:
        grid = grid[np.abs(grid - point) > 0.03]
    chosen = np.random.default_rng(seed).choice(grid, sum(sizes), replace=False)
    parts = np.split(chosen, np.cumsum(sizes)[:-1])
    return [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]


UNARY_SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (2, 1, 2, 2)]
BINARY_SHAPES = [
    ((), ()), ((3,), (3,)), ((3,), ()), ((), (3,)), ((1,), (1,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0, 3), (1, 3)),
    ((3, 1, 2), (2, 1)), ((1, 2, 1, 2), (2, 1, 1)),
]  # fmt: skip


def unary_samples(low: float = -2.0, high: float = 2.0, avoid: Sequence[float] = (), **static: Any) -> list[Sample]:
    """One array: of several shapes, with negative strides, and with its dimensions exchanged."""
    samples = [Sample(tuple(draw(s, low=low, high=high, avoid=avoid)), static) for s in UNARY_SHAPES]
    (a,) = draw((4, 3), low=low, high=high, avoid=avoid, seed=1)
    return [*samples, Sample((a[::-1, ::-2],), static), Sample((a.T,), static)]


def binary_samples(
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    numbers: Sequence[float] = (1.5, 2, -1),
    second: tuple[float, float] | None = None,
) -> list[Sample]:
    """Two arrays that broadcast, and an array with a Python number on either side."""
    samples = []
    for i, (s, t) in enumerate([*BINARY_SHAPES, ((4, 3), (4, 3))]):
        x, y = draw(s, t, low=low, high=high, avoid=avoid, seed=i)
        if second is not None:
            (y,) = draw(t, low=second[0], high=second[1], avoid=avoid, seed=i)
        if s == (4, 3):
            x, y = x[::-1, ::-2], y[::-1, ::-2]
        samples.append(Sample((x, y)))
    (x,) = draw((2, 3), low=low, high=high, avoid=(*avoid, *numbers), seed=20)
    (y,) = draw((2, 3), low=(second or (low, high))[0], high=(second or (low, high))[1], avoid=(*avoid, *numbers))
    for n in numbers:
        samples.append(Sample((x, n)))
        if second is None or n > 0:
            samples.append(Sample((n, y)))
    samples.append(Sample((np.array(0.7), numbers[0])))
    return samples


def names_of(shape: tuple[int, ...], key: Any) -> np.ndarray:
    """The number of each entry that ``key`` names, counted along the flattened array."""
    return np.asarray(np.arange(int(np.prod(shape))).reshape(shape)[key])
