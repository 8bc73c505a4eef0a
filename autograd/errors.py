"""The errors that the engine raises, each of a type that NumPy's and PyTorch's users already catch."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .node import Node

__all__ = ["DTypeError", "GraphError", "LinAlgError", "ShapeError", "describe", "no_tensor", "not_a_tensor"]


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


def location(where: tuple[str, int], folder: bool = True) -> str:
    """A line of a program, for messages: ``file:12``; ``cell [3], line 12`` for a notebook's cell, by its number there.

    >>> location(("/home/models/gpt.py", 12)), location(("/home/models/gpt.py", 12), folder=False)
    ('/home/models/gpt.py:12', 'gpt.py:12')
    """
    file, line = where
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    numbered = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(file)
    if numbered:  # ("Cell", "In[3]")
        return f"cell {numbered[1].removeprefix('In')}, line {line}"
    return f"{file if folder else os.path.basename(file)}:{line}"


def no_tensor(name: str, argument: str, value: Any, wanted: str = "a Tensor") -> DTypeError:
    """The error for an argument that is no Tensor.

    >>> no_tensor("relu", "x", [1.0])
    DTypeError('relu: x must be a Tensor, got list; make one with autograd.tensor')
    """
    given = f"a NumPy array, {describe(value)}" if isinstance(value, np.ndarray) else describe(value)
    return DTypeError(f"{name}: {argument} must be {wanted}, got {given}; make one with autograd.tensor")


def blames(error: Exception, value: Any) -> bool:
    """Whether Python's own error is about this value: one that it has no attribute, or one that names its type."""
    if isinstance(error, AttributeError):
        return error.obj is value
    return type(error) is TypeError and f"'{type(value).__name__}'" in str(error)


_TENSOR_OR_NUMBER = frozenset({"Tensor", "None", "float", "int", "bool"})


def not_a_tensor(
    error: Exception, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> DTypeError | None:
    """The error that says which argument of ``function`` should have been a Tensor, if that is what ``error`` is about.

    Asked only after something went wrong, so that calls that go well pay nothing for it. What has to be a Tensor is
    read from the annotations.
    """
    if not isinstance(error, AttributeError) and type(error) is not TypeError:
        return None
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return None
    for argument, value in bound.arguments.items():
        annotation = signature.parameters[argument].annotation
        text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        kinds = set(re.findall(r"(\w+) *(?:\||$)", text))
        if (
            "Tensor" in kinds <= _TENSOR_OR_NUMBER
            and not isinstance(value, Node)
            and not (value is None and "None" in kinds)
            and blames(error, value)
        ):
            return no_tensor(name, argument, value, "a Tensor or a number" if kinds & {"float", "int"} else "a Tensor")
    return None


def mismatch(shapes: list[tuple[int, ...]]) -> str:
    """Where shapes stop broadcasting, in words, with the rule.

    >>> mismatch([(2, 3), (4,)])
    '(2, 3) and (4,) do not broadcast: dimension -1 is 3 against 4; sizes must be equal or 1, counted from the last'
    """
    text = " and ".join(str(s) for s in shapes) + " do not broadcast"
    for d in range(1, max(map(len, shapes)) + 1):
        sizes = list(dict.fromkeys(s[-d] for s in shapes if len(s) >= d and s[-d] != 1))
        if len(sizes) > 1:
            return f"{text}: dimension -{d} is {' against '.join(map(str, sizes))}; " + (
                "sizes must be equal or 1, counted from the last"
            )
    return text
