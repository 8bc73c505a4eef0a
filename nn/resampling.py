"""Other resolutions: signals, images and volumes enlarged, and channels traded for pixels."""

from __future__ import annotations

from collections.abc import Sequence

from autograd import Tensor

from . import functional as F
from .arguments import check_size
from .module import Module

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip

_MODES = ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area")


class Upsample(Module):
    """Signals, images or volumes at another resolution, interpolated from the entries around each place.

    Entry i of m looks at the place (i + ½) n / m − ½ among the n that there were, or at i (n − 1) / (m − 1) with
    ``align_corners``.

    Arguments:
        size: the new sizes, an int for all or one for each spatial dimension.
        scale_factor: how many times as large, instead of ``size``.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"linear"`` (for sequences), ``"bilinear"`` and ``"bicubic"`` (for
            images), ``"trilinear"`` (for volumes), or ``"area"``, means of bins.
        align_corners: for the linear and cubic modes: the first and last entries stay where they are.
        recompute_scale_factor: use the ratio of the sizes, which are rounded, in place of ``scale_factor``.

    Shapes: input (N, C, L), (N, C, H, W) or (N, C, D, H, W), output with the new sizes.

    Raises:
        ValueError: neither or both of size and scale_factor, an unknown mode. ShapeError: a mode that is for another
        number of dimensions.

    >>> from autograd import tensor
    >>> Upsample(scale_factor=2, mode="linear")(tensor([[[0.0, 1.0]]]))
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """

    scale_factor: float | tuple[float, ...] | None

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = self._get_name()
        if (size is None) == (scale_factor is None):
            raise ValueError(
                f"{self.name}: give either size or scale_factor, got size={size!r}, scale_factor={scale_factor!r}"
            )
        if mode not in _MODES:
            raise ValueError(f"{self.name}: mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}")
        self.size = size
        if scale_factor is None:
            self.scale_factor = None
        elif isinstance(scale_factor, (tuple, list)):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor)  # type: ignore[arg-type]
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) ↦ (N, C, …), of the new sizes."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        which = "size" if self.scale_factor is None else "scale_factor"
        return f"{which}={getattr(self, which)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """``Upsample`` of images by ⌊i n / m⌋, the nearest entry on the left or above.

    Arguments:
        size, scale_factor: as in ``Upsample``, either of them.

    >>> from autograd import tensor
    >>> UpsamplingNearest2d(scale_factor=2)(tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """``Upsample`` of images, linear in both dimensions, with the corners where they are (``align_corners=True``).

    Arguments:
        size, scale_factor: as in ``Upsample``, either of them.

    >>> from autograd import tensor
    >>> UpsamplingBilinear2d(size=(1, 3))(tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """Channels dealt out as pixels: (…, C r², H, W) ↦ (…, C, H r, W r), a convolution's way to enlarge an image.

    Arguments:
        upscale_factor: r.

    Raises:
        ValueError: r is below 1. ShapeError: an input below 3 dimensions, or of channels that r² does not divide.

    Source: Shi and others, Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network, 2016.

    >>> from autograd import arange
    >>> PixelShuffle(2)(arange(4.0).reshape(4, 1, 1))
    tensor([[[0., 1.],
             [2., 3.]]])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = check_size("PixelShuffle", "upscale_factor", upscale_factor, 1)

    def forward(self, input: Tensor) -> Tensor:
        """(…, C r², H, W) ↦ (…, C, H r, W r)."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels gathered as channels, the opposite of ``PixelShuffle``: (…, C, H r, W r) ↦ (…, C r², H, W).

    Arguments:
        downscale_factor: r.

    Raises:
        ValueError: r is below 1. ShapeError: an input below 3 dimensions, or of sizes that r does not divide.

    >>> from autograd import arange
    >>> PixelUnshuffle(2)(arange(4.0).reshape(1, 2, 2)).reshape(-1)
    tensor([0., 1., 2., 3.])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = check_size("PixelUnshuffle", "downscale_factor", downscale_factor, 1)

    def forward(self, input: Tensor) -> Tensor:
        """(…, C, H r, W r) ↦ (…, C r², H, W)."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels dealt out anew so that each group of the next grouped convolution sees some of every group.

    Arguments:
        groups: g; channel i of group j comes to be the j-th of those in place i.

    Shapes: input (N, C, …) with C a multiple of g, output the same.

    Raises:
        ValueError: g is below 1. ShapeError: channels that g does not divide.

    Source: Zhang, Zhou, Lin and Sun, ShuffleNet, 2018.

    >>> from autograd import arange
    >>> ChannelShuffle(2)(arange(4.0).reshape(1, 4, 1)).reshape(-1)
    tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = check_size("ChannelShuffle", "groups", groups, 1)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, …) ↦ (N, C, …)."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
