"""Convolutions in one, two and three dimensions.

A convolution is linear in its input and in its weight, so it comes as three operations, each of which is the
transpose of the others: ``convolve`` (x, w ↦ y), ``convolve_back`` (y, w ↦ x, the transposed convolution) and
``correlate`` (x, y ↦ w). The sum of products x·w·y over all places where they meet is the same number for all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError, no_tensor
from ..keywords import composed
from ..node import Node
from ..primitive import primitive
from .elementwise import check_floating
from .linalg import check_same_dtype
from .windows import batched, layout, sizes

if TYPE_CHECKING:
    from ..tensor import Tensor


@primitive(name="conv")
def convolve(xp, x, w, bias=None, *, stride, padding, dilation, groups):
    """y of a convolution; see ``conv2d``."""
    y = xp.convolve(x, w, stride, padding, dilation, groups)
    if bias is not None:
        y += bias.reshape(-1, *[1] * (y.ndim - 2))
    return y


@primitive(name="conv_transpose")
def convolve_back(xp, y, w, *, size, stride, padding, dilation, groups):
    """The x whose product with any x′ is that of y with the convolution of x′; see ``conv_transpose2d``."""
    return xp.convolve_back(y, w, size, stride, padding, dilation, groups)


@primitive
def correlate(xp, x, y, *, kernel, stride, padding, dilation, groups):
    """The w whose product with any w′ is that of y with the convolution of x by w′."""
    return xp.correlate(x, y, kernel, stride, padding, dilation, groups)


convolve.grads(
    x=lambda xp, g, out, x, w, bias=None, **how: xp.convolve_back(g, w, x.shape[2:], *_in_order(how)),
    w=lambda xp, g, out, x, w, bias=None, **how: xp.correlate(x, g, w.shape[2:], *_in_order(how)),
    bias=lambda xp, g, out, x, w, bias=None, **how: xp.sum(g, axis=(0, *range(2, g.ndim))),
)
convolve_back.grads(
    y=lambda xp, g, out, y, w, *, size, **how: _cropped(xp.convolve(g, w, *_in_order(how)), y.shape),
    w=lambda xp, g, out, y, w, *, size, **how: xp.correlate(g, y, w.shape[2:], *_in_order(how)),
)
correlate.grads(
    x=lambda xp, g, out, x, y, *, kernel, **how: xp.convolve_back(y, g, x.shape[2:], *_in_order(how)),
    y=lambda xp, g, out, x, y, *, kernel, **how: _cropped(xp.convolve(x, g, *_in_order(how)), y.shape),
)


def _in_order(how: dict[str, Any]) -> tuple[Any, ...]:
    return how["stride"], how["padding"], how["dilation"], how["groups"]


def _cropped(y: Any, shape: tuple[int, ...]) -> Any:
    """y without the places that a transposed convolution with much ``output_padding`` was not computed from."""
    return y if y.shape == shape else y[tuple(slice(n) for n in shape)]


def _convolution(
    name: str, dims: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    x, has_batch = _checked(name, dims, x, weight, bias, groups, transposed=False)
    stride, dilation = sizes(name, "stride", stride, dims), sizes(name, "dilation", dilation, dims)
    if x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(
            f"{name}: the weight {tuple(weight.shape)} with groups={groups} wants {weight.shape[1] * groups} channels, "
            f"and the input of shape {tuple(x.shape)} has {x.shape[1]}"
        )
    if weight.shape[0] % groups:
        raise ShapeError(f"{name}: {weight.shape[0]} output channels do not divide into {groups} groups")
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(f"{name}: padding must be ints, 'valid' or 'same', got {padding!r}")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError(f"{name}: padding='same' wants stride 1, got {stride}")
        # Where the two sides cannot be equal, the second gets the extra place, as in PyTorch.
        pads = [((s - 1) // 2, s - 1 - (s - 1) // 2) if padding == "same" else (0, 0) for s in spans]
    else:
        pads = [(p, p) for p in sizes(name, "padding", padding, dims, 0)]
    for n, (before, after), span in zip(x.shape[2:], pads, spans, strict=True):
        if n + before + after < span:
            raise ShapeError(
                f"{name}: a kernel that spans {spans} does not fit into the input of size {tuple(x.shape[2:])} "
                f"padded by {pads}"
            )
    inputs = (x, weight) if bias is None else (x, weight, bias)
    y = convolve(*inputs, stride=stride, padding=tuple(pads), dilation=dilation, groups=groups)
    return y if has_batch else y.squeeze(0)


def _checked(
    name: str, dims: int, x: Any, weight: Any, bias: Any, groups: Any, transposed: bool
) -> tuple[Tensor, bool]:
    for what, t in (("input", x), ("weight", weight), ("bias", bias)):
        if not isinstance(t, Node) and not (what == "bias" and t is None):
            raise no_tensor(name, what, t)
    x, has_batch = batched(name, x, dims)
    check_floating(name, x)
    check_same_dtype(name, x._array, weight._array, None if bias is None else bias._array)
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        raise ValueError(f"{name}: groups must be an int of at least 1, got {groups!r}")
    if weight.ndim != dims + 2:
        order = "in, out / groups" if transposed else "out, in / groups"
        kernel = layout(dims).removeprefix("(batch, channels, ")
        raise ShapeError(f"{name}: wants weight ({order}, {kernel} of the kernel, got shape {tuple(weight.shape)}")
    out = weight.shape[1] * groups if transposed else weight.shape[0]
    if bias is not None and tuple(bias.shape) != (out,):
        raise ShapeError(f"{name}: bias must have shape ({out},), one entry for each output; got {tuple(bias.shape)}")
    return x, has_batch


def _transposed(
    name: str,
    dims: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    x, has_batch = _checked(name, dims, x, weight, bias, groups, transposed=True)
    stride, dilation = sizes(name, "stride", stride, dims), sizes(name, "dilation", dilation, dims)
    pads = sizes(name, "padding", padding, dims, 0)
    extra = sizes(name, "output_padding", output_padding, dims, 0)
    if x.shape[1] != weight.shape[0] or weight.shape[0] % groups:
        raise ShapeError(
            f"{name}: the weight {tuple(weight.shape)} wants {weight.shape[0]} channels that divide into "
            f"groups={groups}, and the input of shape {tuple(x.shape)} has {x.shape[1]}"
        )
    for e, s, d in zip(extra, stride, dilation, strict=True):
        if e >= max(s, d):
            raise ValueError(
                f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}"
            )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x.shape[2:], stride, pads, dilation, weight.shape[2:], extra, strict=True)
    )
    if min(size) < 1 or 0 in x.shape[2:]:
        raise ShapeError(
            f"{name}: the output of input {tuple(x.shape)} would have size {size}; use less padding or a larger input"
        )
    how = {"stride": stride, "padding": tuple((p, p) for p in pads), "dilation": dilation, "groups": groups}
    y = convolve_back(x, weight, size=size, **how)
    if bias is not None:
        y = y + bias.reshape(-1, *[1] * dims)
    return y if has_batch else y.squeeze(0)


@composed
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """yₒ = Σ_c Σ_k w[o, c, k] · x[c, stride·t + dilation·k − padding] + bₒ; arguments as ``conv2d``.

    >>> import autograd
    >>> autograd.conv1d(autograd.tensor([[1.0, 2.0, 4.0]]), autograd.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composed
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of images with kernels, as neural networks define convolution.

    Arguments:
        input: (N, C, H, W), or (C, H, W).
        weight: (out, C / groups, kH, kW). bias: (out,) or None.
        stride: how far the kernel moves.
        padding: zeros put on each side, or ``"same"`` (the size stays) or ``"valid"`` (none).
        dilation: the distance of the kernel's entries.
        groups: input and output channels are split into so many groups that do not see each other.

    Returns (N, out, ⌊(H + 2 padding − dilation (kH − 1) − 1) / stride⌋ + 1, …).

    Source: Dumoulin and Visin 2016, A guide to convolution arithmetic.

    >>> import autograd
    >>> autograd.conv2d(autograd.ones(1, 1, 3, 3), autograd.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composed
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """``conv2d`` for volumes: input (N, C, D, H, W), weight (out, C / groups, kD, kH, kW).

    >>> import autograd
    >>> autograd.conv3d(autograd.ones(1, 1, 2, 2, 2), autograd.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    return _convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@composed
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The transpose of ``conv1d``; arguments as ``conv_transpose2d``.

    >>> import autograd
    >>> autograd.conv_transpose1d(autograd.tensor([[1.0, 2.0]]), autograd.tensor([[[1.0, 1.0]]]), stride=2)
    tensor([[1., 1., 2., 2.]])
    """
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composed
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The transpose of ``conv2d`` as a linear map, which is also its gradient: every entry paints a kernel.

    Arguments:
        input: (N, C, H, W), or (C, H, W). weight: (C, out / groups, kH, kW). bias: (out,) or None.
        stride, padding, dilation, groups: those of the convolution that it transposes.
        output_padding: extra rows and columns at the end, to choose between the sizes that stride makes equal.

    Returns (N, out, (H − 1) stride − 2 padding + dilation (kH − 1) + output_padding + 1, …).

    >>> import autograd
    >>> autograd.conv_transpose2d(autograd.ones(1, 1, 2, 2), autograd.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composed
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """The transpose of ``conv3d``; arguments as ``conv_transpose2d``.

    >>> import autograd
    >>> autograd.conv_transpose3d(autograd.ones(1, 1, 1, 1, 1), autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 2, 2, 2)
    """
    return _transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)
