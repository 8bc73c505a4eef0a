"""jax.numpy's names, the same few shims, and ``jit``.

Imported only by those who have JAX: ``pip install glassgrad[jax]``.
"""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Callable
from typing import Any

try:
    import jax
except ImportError as error:
    raise ImportError("autograd.backends.jax: JAX is not installed; pip install 'glassgrad[jax]'") from error
import jax.numpy as jnp
import numpy as np
from jax.numpy import (
    abs,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    argmax,
    argmin,
    asarray,
    broadcast_to,
    ceil,
    concatenate,
    copysign,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    floor,
    fmax,
    fmin,
    fmod,
    gcd,
    hypot,
    isclose,
    lcm,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logical_and,
    logical_not,
    logical_or,
    matmul,
    max,
    maximum,
    min,
    minimum,
    nextafter,
    ones_like,
    round,
    sign,
    signbit,
    sin,
    sinc,
    sinh,
    sqrt,
    stack,
    sum,
    swapaxes,
    tan,
    tanh,
    transpose,
    trunc,
    where,
    zeros_like,
)

from .. import modes
from ..node import Node
from ..primitive import wrap
from . import FORWARD, VOCABULARY
from . import jax_linalg as linalg
from .jax_scans import argsort, argtop, cumlogsumexp, cummax, cummin, cumprod, cumsum, linear_recurrence, searchsorted
from .jax_windows import convolve, convolve_back, correlate, overlap_add, sliding_windows

__all__ = [*FORWARD, *VOCABULARY, "asarray", "jit"]


def astype(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x.astype(dtype)


def special(name: str, *args: Any) -> Any:
    """The function ``name`` of ``scipy.special``, as JAX has it."""
    import jax.scipy.special

    return getattr(jax.scipy.special, name)(*args)


def index(x: Any, key: Any) -> Any:
    """``x[key]``."""
    return x[key]


def set_at(x: Any, value: Any, key: Any) -> Any:
    """A copy of ``x`` with ``value`` at ``x[key]``."""
    return jnp.asarray(x).at[key].set(value)


def repeat_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` broadcast to ``shape``."""
    return jnp.broadcast_to(x, shape)


def add_at(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``key``."""
    return jnp.zeros(shape, g.dtype).at[key].add(g)


def add_rows(g: Any, key: Any, shape: tuple[int, ...], skipped: int | None, sparse: bool = True) -> Any:
    """Zeros of ``shape`` with the rows of ``g`` added at those that ``key`` names, but for row ``skipped``; dense."""
    if skipped is not None:
        g = jnp.where((key != skipped).reshape(key.shape + (1,) * (len(shape) - 1)), g, 0)
    return add_at(g, key, shape)


def extreme_at(x: Any, value: Any, key: Any, largest: bool) -> Any:
    """A copy of ``x`` with the larger (smaller) of itself and all of ``value`` at ``key``."""
    at = jnp.asarray(x).at[key]
    return at.max(value) if largest else at.min(value)


def diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """The diagonal of a plane of ``x`` as the last dimension."""
    return jnp.diagonal(x, offset, dim1, dim2)


def embed_diagonal(g: Any, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``g`` on that diagonal."""
    rows = jnp.arange(g.shape[-1]) + builtins.max(-offset, 0)
    columns = rows + offset
    planes = jnp.moveaxis(jnp.zeros(shape, g.dtype), (dim1, dim2), (-2, -1))
    return jnp.moveaxis(planes.at[..., rows, columns].set(g), (-2, -1), (dim1, dim2))


def one_hot(classes: Any, n: int, dtype: Any) -> Any:
    """Rows of zeros with a one at each class."""
    return jax.nn.one_hot(classes, n, dtype=dtype)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), without overflow at either end."""
    return jax.nn.sigmoid(x)


def normal_cdf(x: Any) -> Any:
    """The normal distribution function Φ(x)."""
    return jax.scipy.special.ndtr(x)


def softmax(x: Any, axis: int) -> Any:
    """eˣ / Σ eˣ along ``axis``."""
    return jax.nn.softmax(x, axis=axis)


def winners(shape: tuple[int, ...], key: Any) -> Any:
    """Ones where ``x[key] = value`` leaves the entry of ``value`` in place."""
    order = jnp.arange(jnp.zeros(shape, bool)[key].size).reshape(jnp.zeros(shape, bool)[key].shape)
    return jnp.full(shape, -1).at[key].max(order)[key] == order


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, compiled by XLA at its first call with each combination of shapes.

    Inside, Tensors hold the values that JAX traces, so ops, ``grad`` and ``backward`` on Tensors made inside
    work as ever, and the whole computation becomes one XLA program. All Tensors that it depends on must be
    arguments or results (in dicts, lists and tuples as one likes): any other is frozen at its value of the
    first call. One that requires grad is therefore refused when it is not an argument.

    >>> import autograd
    >>> def step(w, x):
    ...     w = w.detach().requires_grad_()
    ...     (g,) = autograd.grad(((w * x) ** 2).sum(), w)
    ...     return w - 0.1 * g
    >>> jit(step)(autograd.tensor([1.0]), autograd.tensor([2.0]))
    tensor([0.2000])
    """

    def run(tree: Any, requires_grad: tuple[bool, ...], arrays: list[Any]) -> Any:
        leaves = [wrap(a) for a in arrays]
        for leaf, required in zip(leaves, requires_grad, strict=True):
            leaf._requires_grad = required
        with modes.namespace(sys.modules[__name__]):
            result = function(*jax.tree_util.tree_unflatten(tree, leaves))
        return jax.tree_util.tree_map(lambda v: v._array if _is_tensor(v) else v, result, is_leaf=_is_tensor)

    compiled = jax.jit(run, static_argnums=(0, 1))

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        leaves, tree = jax.tree_util.tree_flatten(args, is_leaf=_is_tensor)
        arrays = [v._array if _is_tensor(v) else v for v in leaves]
        requires_grad = tuple(_is_tensor(v) and v._requires_grad for v in leaves)
        return jax.tree_util.tree_map(lambda a: wrap(np.asarray(a)[()]), compiled(tree, requires_grad, arrays))

    return call


def _is_tensor(v: Any) -> bool:
    return isinstance(v, Node)
