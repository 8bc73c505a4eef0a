"""NumPy's functions on Tensors: what ``np.exp(t)`` and ``np.sum(t, axis=0)`` mean.

They mean what NumPy says (its argument names, its defaults) and are computed by the functions of this package, so
they are recorded. The tables hold names, which are looked up at the first use.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes, numpy_functions, numpy_linalg
from .creation import as_tensor
from .errors import DTypeError
from .node import Node
from .primitive import constant
from .tree import map_leaves

__all__ = ["array_function", "array_ufunc"]

# NumPy's ufuncs whose name here is another one; those of the same name need no entry.
_OTHER_NAMES = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "negative": "neg",
    "absolute": "abs", "fabs": "abs", "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le",
    "greater": "gt", "greater_equal": "ge", "invert": "bitwise_not", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "rint": "round",
    "mod": "remainder", "degrees": "rad2deg", "radians": "deg2rad",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "conjugate": "clone",
    "gammaln": "lgamma", "psi": "digamma", "expit": "sigmoid",  # SciPy's are ufuncs too
}  # fmt: skip
_SAME_NAMES = frozenset({
    "add", "floor_divide", "remainder", "matmul", "maximum", "minimum", "fmax", "fmin", "fmod", "exp", "expm1", "exp2",
    "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "sqrt", "square", "reciprocal", "sign", "signbit",
    "floor", "ceil", "trunc", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "copysign", "heaviside", "isnan",
    "isinf", "isfinite", "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or",
    "bitwise_xor", "gcd", "lcm", "deg2rad", "rad2deg", "nextafter", "ldexp", "positive",
    "erf", "erfc", "erfinv", "logit", "xlogy", "float_power",
})  # fmt: skip

# ufunc.reduce and ufunc.accumulate, as functions of NumPy that mean the same.
_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min, "logical_and": np.all,
    "logical_or": np.any,
}  # fmt: skip
_SCANS: dict[str, Callable[..., Any]] = {"add": np.cumsum, "multiply": np.cumprod}

# Functions that only look: they get the arrays, and give what NumPy gives.
_LOOKING = (
    np.shape, np.ndim, np.size, np.array_equal, np.array_equiv, np.allclose, np.may_share_memory, np.shares_memory,
    np.result_type, np.can_cast, np.min_scalar_type, np.iscomplexobj, np.isrealobj, np.array_repr, np.array_str,
    np.array2string, np.save, np.savez, np.savez_compressed, np.savetxt, np.broadcast_shapes, np.histogram_bin_edges,
    np.histogram, np.bincount, np.digitize, np.nonzero, np.argwhere, np.flatnonzero, np.count_nonzero, np.isin,
    np.unique, np.searchsorted, np.lexsort, np.iscomplex, np.isreal, np.linalg.matrix_rank, np.linalg.cond,
)  # fmt: skip


@functools.cache
def _operation(name: str) -> Callable[..., Any] | None:
    import autograd

    ours = _OTHER_NAMES.get(name, name if name in _SAME_NAMES else "")
    return getattr(autograd, ours, None)


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a NumPy ufunc of which some input is a Tensor.

    Raises DTypeError for a ufunc, a method of it or an argument that has no gradient here.
    """
    name = ufunc.__name__
    kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and (v is not None or k == "axis")}
    if "out" in kwargs and any(o is not None for o in kwargs["out"]):
        raise DTypeError(
            f"np.{name}: an ndarray cannot hold the gradient of a Tensor, so out= and in-place operators such as "
            "array += tensor are refused; write array = array + tensor"
        )
    op = _operation(name)
    if method == "reduce" and name in _REDUCTIONS:
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        if set(kwargs) <= {"keepdims"}:
            return array_function(_REDUCTIONS[name], (inputs[0], axis), kwargs)
    elif method == "accumulate" and name in _SCANS and not kwargs.keys() - {"axis"}:
        return array_function(_SCANS[name], (inputs[0], *inputs[1:]), {} if len(inputs) > 1 else {"axis": 0, **kwargs})
    elif method == "outer" and op is not None and not kwargs:
        a, b = (as_tensor(x) for x in inputs)
        return op(a.reshape(*a.shape, *[1] * b.ndim), b)
    elif method == "__call__" and not kwargs:
        if op is not None:
            return op(*[constant(name, x) for x in inputs])
        if name == "divmod":
            return tuple(array_ufunc(u, method, inputs, {}) for u in (np.floor_divide, np.remainder))
    what = f"np.{name}" + (f".{method}" if method != "__call__" else "")
    return _on_arrays(what, getattr(ufunc, method), inputs, kwargs)


def array_function(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a NumPy function to which a Tensor was given.

    Raises DTypeError for a function that has no counterpart here, and for arguments that it does not take.
    """
    if function in _LOOKING:
        return function(*_arrays(args), **_arrays(kwargs))
    name = _name(function)
    ours = _table().get(function)
    if ours is None:
        return _on_arrays(name, function, args, kwargs)
    try:
        bound = inspect.signature(ours).bind(*args, **kwargs)
    except TypeError as error:
        raise DTypeError(
            f"{name}: {error}, or not for Tensors; t.detach().numpy() gives the plain array, with all of NumPy"
        ) from None
    given = {k: v for k, v in bound.arguments.items() if v is not np._NoValue}
    for refused in ("out", "where", "initial"):
        if given.get(refused) is not None:
            raise DTypeError(
                f"{name}: {refused}= is not supported with Tensors; t.detach().numpy() gives the plain array"
            )
        given.pop(refused, None)
    bound.arguments = given
    return ours(*bound.args, **bound.kwargs)


@functools.cache
def _table() -> dict[Any, Callable[..., Any]]:
    """NumPy's function to ours: those of ``numpy_functions`` and ``numpy_linalg``, named after NumPy's."""
    table: dict[Any, Callable[..., Any]] = {}
    for module in (numpy_functions, numpy_linalg):
        for name, ours in vars(module).items():
            if inspect.isfunction(ours) and ours.__module__ == module.__name__ and not name.startswith("_"):
                of = np.linalg if name.startswith("linalg_") else np
                theirs = getattr(of, name.removeprefix("linalg_"), None)
                if theirs is not None:
                    table[theirs] = ours
    return table


def _name(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", "numpy") or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{getattr(function, '__name__', function)}"


def _arrays(tree: Any) -> Any:
    return map_leaves(lambda x: np.asarray(x) if isinstance(x, Node) else x, tree)


def _on_arrays(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What NumPy gives for the arrays, unless that would lose a gradient."""

    def check(x: Any) -> Any:
        if isinstance(x, Node) and x._requires_grad and modes.local.grad:
            raise DTypeError(
                f"{name}: there is no gradient for this on Tensors; use autograd's function of that meaning, "
                "or t.detach().numpy() for the plain array"
            )
        return x

    map_leaves(check, [args, kwargs])
    return function(*_arrays(args), **_arrays(kwargs))
