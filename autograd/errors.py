"""The errors that the engine raises, each of a type that NumPy's and PyTorch's users already catch."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["DTypeError", "GraphError", "LinAlgError", "ShapeError", "describe"]


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit: a ``ValueError`` as in NumPy and a ``RuntimeError`` as in PyTorch."""


class DTypeError(TypeError, RuntimeError):
    """A dtype or type that an operation does not take: a ``TypeError`` and a ``RuntimeError``."""


class GraphError(RuntimeError):
    """Something that the recorded graph cannot give: freed, overwritten, not recorded."""


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix that an operation of linear algebra cannot take, a singular one say: NumPy's and PyTorch's type."""


def describe(value: Any) -> str:
    """Shape and dtype of an array or Tensor, or the Python type, for error messages.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3), np.float32)), describe(2.5)
    ('float32 of shape (2, 3)', 'float 2.5')
    """
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is not None and shape is not None:
        return f"{dtype} of shape {tuple(shape)}"
    if isinstance(value, (bool, int, float, complex)):
        return f"{type(value).__name__} {value!r}"
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
