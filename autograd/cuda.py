"""There is no CUDA here: what scripts ask about it is answered, and what would need it says so."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "current_device", "device_count", "empty_cache", "get_device_name", "is_available", "manual_seed",
    "manual_seed_all", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """False.

    >>> is_available()
    False
    """
    return False


def device_count() -> int:
    """0.

    >>> device_count()
    0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Nothing, as in PyTorch where there is no CUDA; ``autograd.manual_seed`` seeds the CPU's stream."""


def manual_seed_all(seed: int) -> None:
    """Nothing, as ``manual_seed``."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def _unsupported(name: str) -> NoReturn:
    raise RuntimeError(f"cuda.{name}: there is no CUDA device; Tensors are on the CPU (cuda.is_available() is False)")


def synchronize(device: Any = None) -> NoReturn:
    """Refused: there is nothing to wait for."""
    _unsupported("synchronize")


def current_device() -> NoReturn:
    """Refused: there is none."""
    _unsupported("current_device")


def get_device_name(device: Any = None) -> NoReturn:
    """Refused: there is none."""
    _unsupported("get_device_name")
