"""Checks that constructors of layers share."""

from __future__ import annotations

from typing import Any

from autograd.errors import describe

__all__ = ["check_size", "check_sizes"]


def check_size(layer: str, argument: str, size: Any, least: int = 0) -> int:
    """``size`` as an int, or the TypeError or ValueError of what is none or below ``least``.

    >>> check_size("Linear", "in_features", 3)
    3
    """
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise TypeError(f"{layer}: {argument} must be an int, got {describe(size)}")
    if size < least:
        wanted = "not be negative" if least == 0 else f"be at least {least}"
        raise ValueError(f"{layer}: {argument} must {wanted}, got {size}")
    return size.__index__()


def check_sizes(layer: str, argument: str, value: Any, dims: int, least: int = 1) -> tuple[int, ...]:
    """``value``, an int or one for each of ``dims`` dimensions, as a tuple, or the error of what is neither.

    >>> check_sizes("MaxPool2d", "kernel_size", 3, 2)
    (3, 3)
    """
    if not isinstance(value, (tuple, list)):
        return (check_size(layer, argument, value, least),) * dims
    if len(value) != dims:
        raise ValueError(f"{layer}: {argument} must be an int or {dims} of them, got {value!r}")
    return tuple(check_size(layer, argument, size, least) for size in value)
