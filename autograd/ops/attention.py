"""Scaled dot-product attention: two matrix products, and between them a softmax with a mask."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import modes
from ..backends import numpy as numpy_namespace
from ..errors import DTypeError, ShapeError, describe, mismatch
from ..keywords import composed
from ..node import Node
from ..primitive import primitive, wrap
from .activations import floating
from .along import Along
from .broadcasting import repeat_interleave
from .elementwise import where
from .linalg import check_same_dtype, matmul
from .numpy_attention import attended, attended_back

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor

__all__ = ["scaled_dot_product_attention"]


@primitive
def masked_softmax(xp, x, mask=None, *, causal=False):
    """softmax(x + mask) along the last dimension; a row of −∞ only becomes one of zeros.

    Arguments:
        x: (…, L, S).
        mask: what is added to x, a shape that broadcasts to x's; or None.
        causal: whether −∞ is added above the diagonal, where the column's number is larger than the row's.

    >>> import autograd
    >>> autograd.masked_softmax(autograd.zeros(2, 2), causal=True)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    return _softmax(xp, x, mask, causal)


def _softmax(xp, x, mask, causal):
    if mask is not None:
        x = x + mask
    if causal:
        x = x + _above_the_diagonal(*x.shape[-2:], x.dtype)
    if not x.size:
        return xp.zeros_like(x)
    if mask is None:
        return xp.softmax(x, axis=-1)
    # Where there is nothing but −∞ the largest entry is replaced, since ∞ − ∞ has no value.
    e = xp.exp(x - xp.maximum(xp.max(x, axis=-1, keepdims=True), float(np.finfo(x.dtype).min)))
    e /= xp.maximum(xp.sum(e, axis=-1, keepdims=True), float(np.finfo(x.dtype).tiny))
    return e


@functools.lru_cache(maxsize=8)
def _above_the_diagonal(rows: int, columns: int, dtype: Any) -> Any:
    """−∞ there and 0 elsewhere; of a few sizes, which come again in every step."""
    mask = np.triu(np.full((rows, columns), -np.inf, dtype), 1)
    mask.flags.writeable = False
    return mask


def _masked_softmax_x(xp, g, out, x, mask=None, *, causal=False):
    return out * (g - xp.sum(g * out, axis=-1, keepdims=True))


masked_softmax.grads(x=_masked_softmax_x, mask=_masked_softmax_x)


@primitive(saves=("weights", "_along"), name="attention")
def attend(xp, query, key, value, mask=None, *, scale, causal=False):
    """softmax(scale · query keyᵀ + mask) value; see ``scaled_dot_product_attention``."""
    if xp is numpy_namespace:  # a third of the time
        done = attended(query, key, value, mask, scale, causal, lambda x, mask: _softmax(xp, x, mask, causal))
        if done is not None:
            return (*done, Along())
    weights = _softmax(xp, xp.matmul(query * scale, xp.swapaxes(key, -1, -2)), mask, causal)
    return xp.matmul(weights, value), weights, Along()


def _weights(xp, query, key, mask, scale, causal, weights):
    """The softmax; computed again where it has to be differentiated."""
    if weights is not None:
        return weights
    return masked_softmax(xp.matmul(query * scale, xp.swapaxes(key, -1, -2)), mask, causal=causal)


def _slope(xp, g, value, weights):
    """The gradient in what the softmax is of."""
    g = xp.matmul(g, xp.swapaxes(value, -1, -2))
    return weights * (g - xp.sum(g * weights, axis=-1, keepdims=True))


def _attend_query(xp, g, out, query, key, value, mask=None, *, scale, causal=False, weights=None, _along=None):
    if xp is numpy_namespace and weights is not None:  # with those in key and value, which need the same
        gradients = attended_back(g, out, query, key, value, weights, scale)
        if gradients is not None:
            if _along is not None:
                _along.put(g, key=gradients[1], value=gradients[2])
            return gradients[0]
    weights = _weights(xp, query, key, mask, scale, causal, weights)
    return xp.matmul(_slope(xp, g, value, weights) * scale, key)


def _attend_key(xp, g, out, query, key, value, mask=None, *, scale, causal=False, weights=None, _along=None):
    ready = None if _along is None else _along.take(g, "key")
    if ready is not None:
        return ready
    weights = _weights(xp, query, key, mask, scale, causal, weights)
    return xp.matmul(xp.swapaxes(_slope(xp, g, value, weights) * scale, -1, -2), query)


def _attend_value(xp, g, out, query, key, value, mask=None, *, scale, causal=False, weights=None, _along=None):
    ready = None if _along is None else _along.take(g, "value")
    if ready is not None:
        return ready
    weights = _weights(xp, query, key, mask, scale, causal, weights)
    return xp.matmul(xp.swapaxes(weights, -1, -2), g)


def _attend_mask(xp, g, out, query, key, value, mask=None, *, scale, causal=False, weights=None, _along=None):
    return _slope(xp, g, value, _weights(xp, query, key, mask, scale, causal, weights))


attend.grads(query=_attend_query, key=_attend_key, value=_attend_value, mask=_attend_mask)


@composed
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """softmax(scale · query keyᵀ + mask) value: for each query the average of the values, by its likeness to the keys.

    Arguments:
        query: (…, L, E), key: (…, S, E), value: (…, S, V), of one floating dtype; leading sizes broadcast.
        attn_mask: broadcasts to (…, L, S); bool, True where a query may look, or of query's dtype and added.
            A query that may look nowhere gets zeros.
        dropout_p: with which probability a weight is left out; the others grow by 1 / (1 − dropout_p).
        is_causal: query i looks at the keys 0 to i only; instead of a mask.
        scale: 1 / √E if left out.
        enable_gqa: query (…, n·H, L, E) has n times the heads of key and value, (…, H, S, E) and (…, H, S, V), and
            n neighbouring heads of it share one of theirs.
        generator: the stream for dropout.

    Returns (…, L, V).

    Source: Vaswani and others, Attention Is All You Need, 2017.

    >>> import autograd
    >>> q = autograd.zeros(1, 2); kv = autograd.tensor([[1.0, 3.0], [3.0, 5.0]])
    >>> autograd.scaled_dot_product_attention(q, kv, kv)
    tensor([[2., 4.]])
    """
    name = "scaled_dot_product_attention"
    for role, x in (("query", query), ("key", key), ("value", value)):
        floating(name, x)
        if x.ndim < 2:
            raise ShapeError(f"{name}: {role} must have at least 2 dimensions, (…, length, size), got {tuple(x.shape)}")
    check_same_dtype(name, query, key, value)
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"{name}: query (…, L, E), key (…, S, E) and value (…, S, V) must agree in E and in S, got shapes "
            f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    if enable_gqa:
        key, value = _shared_heads(name, query, key), _shared_heads(name, query, value)
    leading = [tuple(x.shape[:-2]) for x in (query, key, value)]
    try:
        np.broadcast_shapes(*leading)
    except ValueError:
        raise ShapeError(f"{name}: the leading sizes of query, key and value {mismatch(leading)}") from None
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name}: give attn_mask or is_causal=True, not both")
    if not 0 <= dropout_p <= 1:
        raise ValueError(f"{name}: dropout_p must be within 0 and 1, got {dropout_p}")
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    if attn_mask is not None:
        attn_mask = _added(name, attn_mask, query, key)
    if not dropout_p and not (modes.active and modes.local.recording):
        # A graph that is recorded to be looked at shows the weights.
        return attend(query, key, value, attn_mask, scale=scale, causal=is_causal)
    weights = masked_softmax(matmul(query * scale, key.mT), attn_mask, causal=is_causal)  # (…, L, S)
    if dropout_p:
        from .dropout import dropout

        weights = dropout(weights, dropout_p, generator=generator)
    return matmul(weights, value)


def _shared_heads(name: str, query: Any, x: Any) -> Any:
    """Each head of a key or value as often as query has heads for it."""
    if query.ndim < 3 or x.ndim < 3 or not x.shape[-3] or query.shape[-3] % x.shape[-3]:
        raise ShapeError(
            f"{name}: with enable_gqa the number of query's heads, (…, heads, L, E), must be a multiple of those of "
            f"key and value, got shapes {tuple(query.shape)} and {tuple(x.shape)}"
        )
    times = query.shape[-3] // x.shape[-3]
    return x if times == 1 else repeat_interleave(x, times, -3)


def _added(name: str, mask: Any, query: Any, key: Any) -> Any:
    if not isinstance(mask, Node) or (mask.dtype.kind != "b" and mask.dtype != query.dtype):
        raise DTypeError(
            f"{name}: attn_mask must be a bool Tensor (True: may look) or one of query's dtype {query.dtype} that is "
            f"added, got {describe(mask)}"
        )
    try:
        scores = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
        fits = np.broadcast_shapes(mask.shape, scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: attn_mask of shape {tuple(mask.shape)} does not broadcast to the scores' {scores}")
    if mask.dtype.kind != "b":
        return mask
    nowhere, zero = (wrap(query.dtype.type(v)) for v in (-math.inf, 0))
    return where(mask, zero, nowhere)
