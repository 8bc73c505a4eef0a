"""Images and signals at another resolution: interpolation, sampling at places, pixels exchanged for channels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError, describe, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import wrap
from . import adaptive_pooling
from .elementwise import check_floating, where
from .indexing import getitem
from .linalg import check_same_dtype
from .windows import sizes

if TYPE_CHECKING:
    from ..tensor import Tensor

# The number of dimensions that are resampled in each mode.
_MODES: dict[str, tuple[int, ...]] = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "trilinear": (3,),
    "bicubic": (2,),
}


@composed
def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Signals, images or volumes at another resolution.

    Entry i of m looks at the place (i + ½) n / m − ½ among the n it had, or at i (n − 1) / (m − 1) with
    ``align_corners``; what lies there is interpolated from the entries around it.

    Arguments:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the new sizes. scale_factor: how many times larger, instead of ``size``.
        mode: ``"nearest"`` (⌊i n / m⌋), ``"nearest-exact"`` (rounded to the middle), ``"linear"``, ``"bilinear"``,
            ``"trilinear"``, ``"bicubic"`` (for 1, 2, 3 and 2 dimensions), or ``"area"`` (means of bins).
        align_corners: for the linear and cubic modes: the first and last entries stay where they are.
        recompute_scale_factor: use the ratio of the sizes, which are rounded, in place of ``scale_factor``.
        antialias: not supported.

    >>> import autograd
    >>> autograd.interpolate(autograd.tensor([[[0.0, 1.0]]]), 4, mode="linear")
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    name = "interpolate"
    if not isinstance(input, Node) or input.ndim not in (3, 4, 5):
        raise ShapeError(
            f"{name}: wants input (N, C, L), (N, C, H, W) or (N, C, D, H, W), got {describe(input)}; "
            "add a dimension with unsqueeze"
        )
    check_floating(name, input)
    dims = input.ndim - 2
    if 0 in input.shape[2:]:
        raise ShapeError(f"{name}: only batch and channels may have size 0, got input of shape {tuple(input.shape)}")
    if mode not in _MODES:
        raise ValueError(f"{name}: mode must be one of {', '.join(_MODES)}; got {mode!r}")
    if dims not in _MODES[mode]:
        raise ShapeError(f"{name}: mode {mode!r} does not fit input of shape {tuple(input.shape)}; it has {dims} sizes")
    if antialias:
        raise ValueError(f"{name}: antialias=True is not supported; smooth first, for example with avg_pool{dims}d")
    smooth = mode.endswith(("linear", "cubic"))
    if align_corners is not None and not smooth:
        raise ValueError(f"{name}: align_corners is for the linear and cubic modes, not for {mode!r}")
    wanted, factors = _wanted(input, dims, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        pool = getattr(adaptive_pooling, f"adaptive_avg_pool{dims}d")
        return pool(input, wanted)
    x: Any = input
    for d, (m, factor) in enumerate(zip(wanted, factors, strict=True), start=2):
        n = x.shape[d]
        if smooth and align_corners:
            step = (n - 1) / (m - 1) if m > 1 else 0.0
        else:
            step = 1 / factor if factor is not None else n / m
        x = _resampled(x, d, _sources(mode, n, m, step, bool(align_corners), x.dtype))
    return x


def _wanted(
    x: Any, dims: int, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], Sequence[float | None]]:
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: give either size or scale_factor, got {size!r} and {scale_factor!r}")
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor is for scale_factor, and size was given")
        return sizes("interpolate", "size", size, dims), (None,) * dims
    factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * dims
    if len(factors) != dims or not all(isinstance(f, (int, float)) and f > 0 for f in factors):
        raise ValueError(
            f"interpolate: scale_factor must be a number above 0 or {dims} of them, got {scale_factor!r} for input of "
            f"shape {tuple(x.shape)}"
        )
    wanted = tuple(math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True))
    if min(wanted) < 1:
        raise ShapeError(f"interpolate: scale_factor {scale_factor} leaves nothing of size {tuple(x.shape[2:])}")
    return wanted, (None,) * dims if recompute else factors


def _sources(mode: str, n: int, m: int, step: float, align: bool, dtype: Any) -> list[tuple[Any, Any]]:
    """For each of m entries which of n entries make it up, and with which weights; None for a weight of 1."""
    if mode.startswith("nearest"):
        # In single precision whatever the dtype, as in PyTorch: it decides which side of a tie is taken.
        i = np.arange(m, dtype=np.float32) + np.float32(0.5 if mode == "nearest-exact" else 0)
        return [(np.minimum(np.floor(i * np.float32(step)), n - 1).astype(np.int64), None)]
    i = np.arange(m, dtype=dtype)
    at = i * dtype.type(step) if align else dtype.type(step) * (i + dtype.type(0.5)) - dtype.type(0.5)
    if mode == "bicubic":
        low = np.floor(at)
        t = at - low
        near = [np.clip(low.astype(np.int64) + k, 0, n - 1) for k in (-1, 0, 1, 2)]
        return list(zip(near, (_far(t + 1), _close(t), _close(1 - t), _far(2 - t)), strict=True))
    at = np.maximum(at, 0)
    low = np.minimum(at.astype(np.int64), n - 1)
    t = np.clip(at - low.astype(dtype), 0, 1)
    return [(low, 1 - t), (np.minimum(low + 1, n - 1), t)]


# Keys' cubic kernel with a = −0.75, within distance 1 and between 1 and 2.
def _close(t: Any) -> Any:
    return (1.25 * t - 2.25) * t * t + 1


def _far(t: Any) -> Any:
    return ((-0.75 * t + 3.75) * t - 6) * t + 3


def _resampled(x: Tensor, axis: int, sources: list[tuple[Any, Any]]) -> Tensor:
    total: Any = None
    for at, weight in sources:
        part = getitem(x, key=(*(slice(None),) * axis, at))
        if weight is not None:
            part = part * wrap(weight.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1 - axis)))
        total = part if total is None else total + part
    return total


@composed
def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The older name of ``interpolate``.

    >>> import autograd
    >>> autograd.upsample(autograd.tensor([[[0.0, 1.0]]]), scale_factor=2)
    tensor([[[0., 0., 1., 1.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


@composed
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels spread over pixels: (…, C r², H, W) ↦ (…, C, H r, W r).

    Source: Shi et al. 2016, Real-time single image and video super-resolution.

    >>> import autograd
    >>> autograd.pixel_shuffle(autograd.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = _factor("pixel_shuffle", input, upscale_factor)
    *batch, c, h, w = input.shape
    if c % r**2:
        raise ShapeError(f"pixel_shuffle: {c} channels of shape {tuple(input.shape)} do not divide by {r}² = {r * r}")
    x = input.reshape(math.prod(batch), c // r**2, r, r, h, w)
    return x.permute(0, 1, 4, 2, 5, 3).reshape(*batch, c // r**2, h * r, w * r)


@composed
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels gathered into channels, the inverse of ``pixel_shuffle``: (…, C, H r, W r) ↦ (…, C r², H, W).

    >>> import autograd
    >>> autograd.pixel_unshuffle(autograd.arange(4.0).reshape(1, 2, 2), 2).reshape(4)
    tensor([0., 1., 2., 3.])
    """
    r = _factor("pixel_unshuffle", input, downscale_factor)
    *batch, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle: the last two sizes of shape {tuple(input.shape)} do not divide by {r}")
    x = input.reshape(math.prod(batch), c, h // r, r, w // r, r)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(*batch, c * r**2, h // r, w // r)


def _factor(name: str, x: Any, factor: Any) -> int:
    if not isinstance(x, Node) or x.ndim < 3:
        raise ShapeError(f"{name}: wants a Tensor (…, channels, height, width), got {describe(x)}")
    return sizes(name, "the factor", factor, 1)[0]


@composed
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, …) in another order: one of each group after the other.

    Source: Zhang et al. 2018, ShuffleNet.

    >>> import autograd
    >>> autograd.channel_shuffle(autograd.arange(4.0).reshape(1, 4, 1), 2).reshape(4)
    tensor([0., 2., 1., 3.])
    """
    (g,) = sizes("channel_shuffle", "groups", groups, 1)
    if not isinstance(input, Node) or input.ndim < 3 or input.shape[1] % g:
        raise ShapeError(f"channel_shuffle: wants a Tensor (N, C, …) with C divisible by {g}, got {describe(input)}")
    n, c, *size = input.shape
    return input.reshape(n, g, c // g, *size).transpose(1, 2).reshape(input.shape)


@composed
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """For each pixel of an image of ``size`` the place that an affine map takes it to, as ``grid_sample`` wants it.

    Arguments:
        theta: (N, 2, 3) for size (N, C, H, W), or (N, 3, 4) for (N, C, D, H, W).
        align_corners: −1 and 1 are the middles of the outermost pixels, else their outer edges.

    Returns (N, H, W, 2), or (N, D, H, W, 3).

    >>> import autograd
    >>> autograd.affine_grid(autograd.eye(3)[None, :2], (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    dims = len(size) - 2
    if not isinstance(theta, Node) or dims not in (2, 3) or tuple(theta.shape) != (size[0], dims, dims + 1):
        raise ShapeError(
            "affine_grid: wants theta (N, 2, 3) and size (N, C, H, W), or (N, 3, 4) and (N, C, D, H, W); "
            f"got {describe(theta)} and {tuple(size)}"
        )
    check_floating("affine_grid", theta)
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in size[2:]]
    if not align_corners:
        axes = [axis * (n - 1) / n for axis, n in zip(axes, size[2:], strict=True)]
    grids = np.meshgrid(*axes, indexing="ij")[::-1]  # x comes before y
    places = np.stack([*grids, np.ones(grids[0].shape)], axis=-1).reshape(-1, dims + 1)
    grid = wrap(places.astype(theta.dtype)) @ theta.mT
    return grid.reshape(size[0], *size[2:], dims)


@composed
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Images at the places that ``grid`` names, which are (x, y) from −1 to 1; with gradient to both.

    Arguments:
        input: (N, C, H, W), or (N, C, D, H, W). grid: (N, h, w, 2), or (N, d, h, w, 3).
        mode: ``"bilinear"`` or ``"nearest"`` (no gradient to the grid).
        padding_mode: outside the image there are ``"zeros"``, or its nearest pixel (``"border"``), or its mirror
            image (``"reflection"``).
        align_corners: −1 and 1 are the middles of the outermost pixels, else their outer edges.

    Returns (N, C, h, w), or (N, C, d, h, w).

    Source: Jaderberg et al. 2015, Spatial transformer networks.

    >>> import autograd
    >>> autograd.grid_sample(autograd.tensor([[[[1.0, 3.0]]]]), autograd.zeros(1, 1, 1, 2))
    tensor([[[[2.]]]])
    """
    name = "grid_sample"
    for what, t in (("input", input), ("grid", grid)):
        if not isinstance(t, Node):
            raise no_tensor(name, what, t)
    dims = input.ndim - 2
    if dims not in (2, 3) or grid.ndim != dims + 2 or grid.shape[0] != input.shape[0] or grid.shape[-1] != dims:
        raise ShapeError(
            f"{name}: wants input (N, C, H, W) and grid (N, h, w, 2), or (N, C, D, H, W) and (N, d, h, w, 3); "
            f"got {tuple(input.shape)} and {tuple(grid.shape)}"
        )
    check_floating(name, input)
    check_same_dtype(name, input._array, grid._array)
    if mode not in ("bilinear", "nearest"):
        raise ValueError(f"{name}: mode must be 'bilinear' or 'nearest', got {mode!r}; 'bicubic' is not supported")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"{name}: padding_mode must be 'zeros', 'border' or 'reflection', got {padding_mode!r}")
    n, c, *size = input.shape
    places = math.prod(grid.shape[1:-1])
    at = [
        _coordinate(grid[..., dims - 1 - d], m, padding_mode, bool(align_corners)).reshape(n, 1, places)
        for d, m in enumerate(size)
    ]
    if mode == "nearest":
        corners: Any = [tuple(_half_to_even(a.detach()) for a in at)]
    else:
        low = [a.detach().floor() for a in at]
        corners = itertools.product(*[(a, a + 1) for a in low])
    total: Any = None
    flat = input.reshape(-1)
    channels = wrap(np.arange(n * c).reshape(n, c, 1) * math.prod(size))
    for corner in corners:
        inside: Any = None
        place: Any = 0
        for a, m in zip(corner, size, strict=True):
            within = (a >= 0) & (a <= m - 1)
            inside = within if inside is None else inside & within
            place = place * m + a.clamp(0, m - 1).to(np.dtype(np.int64))
        value = where(inside, getitem(flat, key=(channels + place)._array), 0.0)  # (N, C, places)
        if mode == "bilinear":
            for a, exact in zip(corner, at, strict=True):
                value = value * (1 - (exact - a).abs())
        total = value if total is None else total + value
    return total.reshape(n, c, *grid.shape[1:-1])


def _coordinate(g: Tensor, n: int, padding_mode: str, align: bool) -> Tensor:
    """Where −1 … 1 is among n pixels, counted from 0."""
    at: Any = (g + 1) * ((n - 1) / 2) if align else ((g + 1) * n - 1) / 2
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, n - 1) if align else (-0.5, n)
        if span == 0:
            return at * 0
        distance = (at - low).abs()
        flips = (distance.detach() / span).floor()
        odd = flips - (flips / 2).floor() * 2
        at = (distance - flips * span) * (1 - odd * 2) + odd * span + low
    return at.clamp(0, n - 1)


def _half_to_even(x: Any) -> Any:
    """x rounded, halves to the even neighbour."""
    low = x.floor()
    odd = low - (low / 2).floor() * 2
    return low + where((x - low > 0.5) | ((x - low == 0.5) & (odd == 1)), 1.0, 0.0).to(x.dtype)
