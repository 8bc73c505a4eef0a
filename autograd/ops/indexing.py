"""Reading and writing parts of a Tensor by index, with gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, GraphError, ShapeError, describe
from ..inplace import write_at
from ..node import Node
from ..primitive import constant, primitive


@primitive(view=True, selects=True)
def getitem(xp, x, *, key):
    """x[key], with all of NumPy's indexing."""
    return xp.index(x, key)


getitem.grads(x=lambda xp, g, out, x, *, key: xp.add_at(g, key, x.shape))


@primitive
def add_at(xp, g, *, key, shape):
    """Zeros of ``shape`` with g added at ``key``: the transpose of ``getitem``."""
    return xp.add_at(g, key, shape)


add_at.grads(g=lambda xp, u, out, g, *, key, shape: xp.index(u, key))


@primitive(selects=True)
def setitem(xp, x, value, *, key):
    """A copy of x with ``value`` at ``key``; of entries named twice the last one counts."""
    return xp.set_at(x, value, key)


def _setitem_value(xp, g, out, x, value, *, key):
    g_value = xp.index(g, key)
    return g_value * xp.winners(x.shape, key) if _repeats(key) else g_value


setitem.grads(
    x=lambda xp, g, out, x, value, *, key: xp.set_at(g, 0, key),
    value=_setitem_value,
)


@primitive(selects=True)
def gather(xp, x, indices, *, axis):
    """x[..., indices[..., i, ...], ...]: entries of x picked along ``axis`` by integers of x's other sizes."""
    return xp.index(x, along(indices, axis))


gather.grads(x=lambda xp, g, out, x, indices, *, axis: xp.add_at(g, along(indices, axis), x.shape))


def along(indices: Any, axis: int) -> tuple[Any, ...]:
    """The key of the entries that are named along ``axis`` by ``indices``, and by their own place elsewhere."""
    indices = indices._array if isinstance(indices, Node) else indices
    grids = []
    for d, n in enumerate(indices.shape):
        line = [1] * len(indices.shape)
        line[d] = n
        grids.append(indices if d == axis else np.arange(n).reshape(line))
    return tuple(grids)


_PLAIN = frozenset({int, type(None)})


def _repeats(key: Any) -> bool:
    return any(getattr(k, "ndim", 0) and k.dtype.kind in "iu" for k in (key if isinstance(key, tuple) else (key,)))


def normal_key(name: str, x: Any, key: Any) -> Any:
    """``key`` with Tensors and lists as arrays, an error for what NumPy would not take, as a tuple or one array."""
    if type(key) is int and x.ndim:
        return (key,)
    if isinstance(key, tuple):
        parts = tuple([_part(name, k) for k in key])
    else:
        part = _part(name, key)
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu":
            _check_range(name, x, part, 0)
            return part
        parts = (part,)
    used = sum(
        k.ndim if isinstance(k, np.ndarray) and k.dtype.kind == "b" else k is not None and k is not Ellipsis
        for k in parts
    )
    if used > x.ndim:
        raise IndexError(f"{name}: too many indices: {used} for a Tensor of shape {tuple(x.shape)}")
    return parts


def _part(name: str, k: Any) -> Any:
    if type(k) is int or (type(k) is slice and {type(k.start), type(k.stop), type(k.step)} <= _PLAIN):
        return k
    if isinstance(k, Node):
        # A copy: what is written into k later must not change where the gradient goes.
        k = np.array(k._array) if isinstance(k._array, (np.ndarray, np.generic)) else k._array
        return _checked(name, k)
    if k is None or k is Ellipsis or isinstance(k, (slice, np.bool_, bool)):
        if isinstance(k, slice):
            return slice(*(None if v is None else _bound(name, v) for v in (k.start, k.stop, k.step)))
        return np.asarray(k) if isinstance(k, (bool, np.bool_)) else k
    if isinstance(k, (list, range, np.ndarray)):
        array = np.array([e._array if isinstance(e, Node) else e for e in k] if isinstance(k, list) else k)
        return _checked(name, array.astype(np.int64) if array.size == 0 and array.dtype.kind == "f" else array)
    if hasattr(k, "__index__"):
        return k.__index__()
    if hasattr(k, "dtype") and hasattr(k, "aval"):  # a value that jax is tracing
        return k
    raise IndexError(
        f"{name}: an index must be an int, slice, None, Ellipsis, or a list, array or Tensor of ints or bools; "
        f"got {describe(k)}"
    )


def _bound(name: str, v: Any) -> int:
    if not hasattr(v, "__index__"):
        raise IndexError(f"{name}: the bounds of a slice must be ints, got {describe(v)}")
    return v.__index__()


def _checked(name: str, k: Any) -> Any:
    if k.dtype.kind not in "iub":
        raise IndexError(f"{name}: an index array must be integer or bool, got {describe(k)}; convert it: k.long()")
    return k


def _check_range(name: str, x: Any, k: Any, d: int) -> None:
    if x.ndim == 0:
        raise IndexError(f"{name}: too many indices: 1 for a 0-d Tensor")
    n = x.shape[d]
    if k.size and not (-n <= k.min() and k.max() < n):
        bad = k.max() if k.max() >= n else k.min()
        raise IndexError(f"{name}: index {bad} is out of range for dim {d} of size {n}")


def known(name: str, x: Any) -> Any:
    """The array of ``x`` for what must look at its values; a GraphError inside a compiled function."""
    try:
        return np.asarray(x._array if isinstance(x, Node) else x)
    except TypeError:  # JAX's, of a value that it is tracing
        raise GraphError(
            f"{name}: the shape of the result depends on values, and inside a compiled function there are none yet; "
            "take this part out of the function, or use where() on the whole Tensor"
        ) from None


def set_item(x: Any, key: Any, value: Any, name: str = "setitem") -> None:
    """``x[key] = value``, in place, with gradient to the rest of x and to the value."""
    key = normal_key(name, x, key)
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    value = constant(name, value)
    tracing = hasattr(x._array, "aval")
    part = None if tracing else _read(name, x._array, key)
    if isinstance(value, Node):
        array = value._array
        if x.dtype.kind != "f" and array.dtype.kind == "f":
            raise DTypeError(
                f"{name}: the value is {array.dtype}, and the Tensor that it should go into {x.dtype}; "
                "convert one of them first: x.float() or value.long()"
            )
        if part is not None and not _fits(array.shape, part.shape):
            raise ShapeError(
                f"{name}: a value of shape {tuple(array.shape)} does not broadcast to {tuple(part.shape)}, "
                f"the shape of x[{', '.join(map(_shown, key if isinstance(key, tuple) else (key,)))}]"
            )
    write_at(x, setitem, key, value, name)


def _read(name: str, array: Any, key: Any) -> Any:
    try:
        return array[key]
    except IndexError as error:
        raise IndexError(f"{name}: {error} (the Tensor is {describe(array)})") from None


def _shown(k: Any) -> str:
    if k is None:
        return "None"
    if isinstance(k, slice):
        return ":".join("" if v is None else str(v) for v in (k.start, k.stop, k.step)).removesuffix(":")
    return "..." if k is Ellipsis else describe(k) if hasattr(k, "dtype") else str(k)


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, into) == tuple(into)
    except ValueError:
        return False
