"""Rows of interpolation, sampling at places, and what trades channels for pixels; the references are loops."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from rows_windows import adaptive, given, in_torch
from sampling import Row, Sample, draw

import autograd


def source(i: int, n: int, m: int, factor: float | None, align: bool) -> float:
    """Where among n entries the entry i of m looks."""
    if align:
        return i * (n - 1) / (m - 1) if m > 1 else 0.0
    return (i + 0.5) * (n / m if factor is None else 1 / factor) - 0.5


def weights(mode: str, n: int, m: int, factor: float | None, align: bool) -> Any:
    """(m, n): how much of each entry goes into each new one."""
    result = np.zeros((m, n))
    for i in range(m):
        at = source(i, n, m, factor, align)
        if mode == "nearest":
            result[i, min(math.floor(i * (n / m if factor is None else 1 / factor)), n - 1)] = 1
        elif mode == "nearest-exact":
            result[i, min(math.floor(at + 0.5), n - 1)] = 1
        elif mode == "bicubic":
            for j in range(math.floor(at) - 1, math.floor(at) + 3):
                r = abs(at - j)
                near, far = 1.25 * r**3 - 2.25 * r**2 + 1, -0.75 * (r**3 - 5 * r**2 + 8 * r - 4)
                result[i, min(max(j, 0), n - 1)] += near if r <= 1 else far
        else:
            at = max(at, 0)
            low = min(math.floor(at), n - 1)
            result[i, low] += 1 - (at - low)
            result[i, min(low + 1, n - 1)] += at - low
    return result


def interpolated(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
) -> Any:
    dims = x.ndim - 2
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * dims
    if size is None:
        size = tuple(math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True))
    size = size if isinstance(size, tuple) else (size,) * dims
    if mode == "area":
        return adaptive(x, size, np.mean)
    for d, (m, factor) in enumerate(zip(size, factors, strict=True), start=2):
        factor = None if recompute_scale_factor else factor
        x = np.moveaxis(weights(mode, x.shape[d], m, factor, bool(align_corners)) @ np.moveaxis(x, d, -2), -2, d)
    return x


def interpolated_lines(x: Any, **how: Any) -> Any:
    """A signal has no second-last dimension to multiply with."""
    return (
        interpolated(x[..., None], **{**how, "size": (how["size"], 1)})[..., 0]
        if x.ndim == 3
        else interpolated(x, **how)
    )


MODES: list[tuple[str, list[Sample]]] = [
    (
        "nearest",
        [
            given((2, 1, 3), size=5),
            given((1, 2, 3, 2), scale_factor=2),
            given((1, 2, 3, 4), scale_factor=(1.7, 0.6)),
            given((1, 1, 2, 3, 2), size=(3, 2, 4)),
            given((0, 1, 3, 2), size=2),
        ],
    ),
    ("nearest-exact", [given((1, 2, 3, 4), size=(5, 2)), given((1, 2, 3, 4), scale_factor=1.7)]),
    ("linear", [given((2, 1, 3), size=5), given((2, 1, 3), size=5, align_corners=True)]),
    (
        "bilinear",
        [
            given((1, 2, 3, 4), size=(5, 2)),
            given((1, 2, 3, 4), size=(5, 1), align_corners=True),
            given((1, 2, 3, 4), scale_factor=1.7, align_corners=False),
            given((1, 2, 3, 4), scale_factor=1.7, recompute_scale_factor=True),
        ],
    ),
    ("trilinear", [given((1, 1, 2, 3, 2), size=(3, 2, 4))]),
    ("bicubic", [given((1, 2, 3, 4), size=(5, 2)), given((1, 2, 3, 4), size=5, align_corners=True)]),
    ("area", [given((1, 2, 3, 4), size=(2, 3))]),
]


def sampled(
    x: Any, grid: Any, *, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
) -> Any:
    """Place by place and corner by corner."""
    dims, size = x.ndim - 2, x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for i in np.ndindex(*grid.shape[:-1]):
        at = []
        for n, g in zip(size, grid[i][::-1], strict=True):
            a = (g + 1) / 2 * (n - 1) if align_corners else ((g + 1) * n - 1) / 2
            low, high = (0, n - 1) if align_corners else (-0.5, n - 0.5)
            while padding_mode == "reflection" and high > low and not low <= a <= high:
                a = 2 * low - a if a < low else 2 * high - a
            at.append(a if padding_mode == "zeros" else min(max(a, 0), n - 1))
        for corner in itertools.product((0, 1), repeat=dims):
            if mode == "nearest":
                if any(corner):
                    continue
                place, weight = [round(a) for a in at], 1.0
            else:
                place = [math.floor(a) + c for a, c in zip(at, corner, strict=True)]
                weight = math.prod(1 - abs(a - p) for a, p in zip(at, place, strict=True))
            if all(0 <= p < n for p, n in zip(place, size, strict=True)):
                y[(i[0], slice(None), *i[1:])] += weight * x[(i[0], slice(None), *place)]
    return y


def grid_samples(mode: str) -> list[Sample]:
    return [
        Sample(
            (*draw(shape), *draw((shape[0], *places, len(places)), low=-1.9, high=1.9, seed=i)),
            {"mode": mode, "padding_mode": padding, "align_corners": align},
        )
        for i, (shape, places, padding, align) in enumerate(
            [
                ((2, 2, 3, 4), (2, 3), "zeros", False),
                ((1, 2, 3, 4), (2, 3), "border", False),
                ((1, 1, 3, 2), (2, 2), "reflection", True),
                ((1, 1, 3, 2), (2, 2), "reflection", False),
                ((1, 1, 2, 3, 2), (2, 1, 2), "zeros", True),
            ]
        )
    ]


def affine(theta: Any, size: Any, align_corners: bool) -> Any:
    dims = len(size) - 2
    out = np.zeros((*size[:1], *size[2:], dims))
    for i in np.ndindex(*out.shape[:-1]):
        place = []
        for a, n in zip(i[1:], size[2:], strict=True):
            place.append((2 * a / (n - 1) - 1 if n > 1 else 0.0) if align_corners else (2 * a + 1) / n - 1)
        out[i] = theta[i[0]] @ np.array([*place[::-1], 1.0])
    return out


def shuffled(x: Any, upscale_factor: int) -> Any:
    r = upscale_factor
    *batch, c, h, w = x.shape
    y = np.zeros((*batch, c // r**2, h * r, w * r))
    for a, b in itertools.product(range(r), repeat=2):
        y[..., a::r, b::r] = x[..., a * r + b :: r * r, :, :]
    return y


def unshuffled(x: Any, downscale_factor: int) -> Any:
    r = downscale_factor
    parts = [x[..., a::r, b::r] for a, b in itertools.product(range(r), repeat=2)]
    stacked = np.stack(parts, axis=-3)  # (…, C, r², H, W)
    return stacked.reshape(*x.shape[:-3], -1, *stacked.shape[-2:])


ROWS = [
    *[
        Row(
            f"interpolate ({mode})",
            [Sample(s.inputs, {**s.static, "mode": mode}) for s in samples],
            interpolated_lines,
            in_torch("interpolate"),
            op=autograd.interpolate,
        )
        for mode, samples in MODES
    ],
    Row("upsample", [given((1, 1, 2, 3), scale_factor=2)], interpolated, in_torch("interpolate"), op=autograd.upsample),
    Row("grid_sample", grid_samples("bilinear"), sampled, in_torch("grid_sample"), op=autograd.grid_sample),
    Row(
        "grid_sample (nearest)",
        grid_samples("nearest"),
        sampled,
        in_torch("grid_sample"),
        op=autograd.grid_sample,
        constant=(1,),
    ),
    Row(
        "affine_grid",
        [
            given((2, 2, 3), size=(2, 1, 3, 2), align_corners=False),
            given((1, 2, 3), size=(1, 1, 2, 3), align_corners=True),
            given((1, 3, 4), size=(1, 1, 2, 1, 3), align_corners=False),
        ],
        affine,
        in_torch("affine_grid"),
        op=autograd.affine_grid,
    ),
    Row(
        "pixel_shuffle",
        [
            given((2, 8, 2, 3), upscale_factor=2),
            given((4, 1, 1), upscale_factor=2),
            given((0, 4, 1, 1), upscale_factor=1),
        ],
        shuffled,
        in_torch("pixel_shuffle"),
        op=autograd.pixel_shuffle,
    ),
    Row(
        "pixel_unshuffle",
        [given((2, 2, 2, 6), downscale_factor=2), given((1, 3, 3), downscale_factor=3)],
        unshuffled,
        in_torch("pixel_unshuffle"),
        op=autograd.pixel_unshuffle,
    ),
    Row(
        "channel_shuffle",
        [given((2, 6, 2), groups=3), given((1, 4, 1, 2), groups=2)],
        lambda x, groups: np.stack(np.split(x, groups, 1), 2).reshape(x.shape),
        in_torch("channel_shuffle"),
        op=autograd.channel_shuffle,
    ),
]
