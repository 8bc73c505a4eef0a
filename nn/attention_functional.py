"""Multi-head attention as a function."""

from __future__ import annotations

import math
from typing import Any

import autograd
from autograd import DTypeError, ShapeError, Tensor, linear
from autograd.errors import describe

__all__ = ["multi_head_attention_forward"]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """W_o [head₁, …] + b_o with headᵢ = softmax(Q Kᵀ / √d + mask) V, where Q, K and V are parts of three affine maps.

    Arguments:
        query: (L, N, E), key: (S, N, E_k), value: (S, N, E_v); or all three without N.
        embed_dim_to_check: E. num_heads: h, which divides it; d = E / h.
        in_proj_weight: (3 E, E), those of Q, K and V in one; or ``use_separate_proj_weight``, and ``q_proj_weight``
            (E, E), ``k_proj_weight`` (E, E_k) and ``v_proj_weight`` (E, E_v).
        in_proj_bias: (3 E,) or None.
        bias_k, bias_v: (1, 1, E), one more entry of K and of V; or None.
        add_zero_attn: one more entry of zeros.
        dropout_p: with which probability a weight of the average is left out, if ``training``.
        out_proj_weight: W_o (E, E), out_proj_bias: b_o (E,) or None.
        key_padding_mask: (N, S), bool, True where a key is not to be looked at, or floating and added.
        need_weights: also return the weights of the averages.
        attn_mask: (L, S) or (N · h, L, S), bool, True where a query may not look, or floating and added.
        static_k, static_v: (N · h, S, d), instead of K and V.
        average_attn_weights: return the mean of the weights over the heads.
        is_causal: query i looks at the keys 0 to i only; an ``attn_mask`` must say the same, and need not be given.

    Returns (L, N, E), and the weights (N, L, S), or (N, h, L, S), or None.

    Raises:
        ShapeError: shapes do not fit each other. DTypeError: a mask is neither bool nor of query's dtype.

    Source: Vaswani and others, Attention Is All You Need, 2017.

    >>> x, w = autograd.ones(3, 1, 2), autograd.eye(2)
    >>> projections = dict(in_proj_weight=autograd.cat([w, w, w]), in_proj_bias=None, bias_k=None, bias_v=None)
    >>> out, weights = multi_head_attention_forward(x, x, x, 2, 1, **projections, add_zero_attn=False, dropout_p=0.0,
    ...     out_proj_weight=w, out_proj_bias=None, is_causal=True)
    >>> weights
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.5000, 0.5000, 0.0000],
             [0.3333, 0.3333, 0.3333]]])
    """
    name = "multi_head_attention_forward"
    batched = _check_inputs(name, query, key, value, embed_dim_to_check, num_heads)
    if not batched:
        same = key is value, query is key
        query, key = query.unsqueeze(1), key.unsqueeze(1)
        key = query if same[1] else key
        value = key if same[0] else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    size = width // num_heads
    if use_separate_proj_weight:
        weights = [
            _given(name, w, role) for w, role in zip((q_proj_weight, k_proj_weight, v_proj_weight), "qkv", strict=True)
        ]
        biases: Any = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    else:
        q, k, v = _projected(query, key, value, _given(name, in_proj_weight, "in"), in_proj_bias)
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))  # (N, h, L, d), (N, h, S, d)
    if static_k is not None:
        k = _static(name, "static_k", static_k, batch, num_heads, size)
    if static_v is not None:
        v = _static(name, "static_v", static_v, batch, num_heads, size)
    own = k.shape[2]
    if (bias_k is None) != (bias_v is None):
        raise ValueError(f"{name}: bias_k and bias_v go together; give both or neither")
    if bias_k is not None and bias_v is not None:
        k, v = (
            autograd.cat([x, _heads(extra, num_heads).expand(batch, num_heads, 1, size)], 2)
            for x, extra in ((k, bias_k), (v, bias_v))
        )
    if add_zero_attn:
        nothing = autograd.zeros(batch, num_heads, 1, size, dtype=k.dtype)
        k, v = autograd.cat([k, nothing], 2), autograd.cat([v, nothing], 2)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # it would only say the same again
    elif attn_mask is not None:
        is_causal = False
    added = k.shape[2] - own
    if is_causal and added:
        # What is added to the keys may be looked at by all.
        attn_mask, is_causal = autograd.ones(length, own, dtype=autograd.bool).triu(1), False
    mask = _mask(name, attn_mask, key_padding_mask, q, own, added)
    p = dropout_p if training else 0.0
    if need_weights:
        scores = autograd.matmul(q * (1 / math.sqrt(size)), k.mT)  # (N, h, L, S)
        shares = autograd.masked_softmax(scores, mask, causal=is_causal)
        shares = autograd.dropout(shares, p) if p else shares
        out = autograd.matmul(shares, v)
    elif mask is not None and is_causal:
        causal = autograd.ones(length, k.shape[2], dtype=autograd.bool).triu(1)
        out = autograd.scaled_dot_product_attention(q, k, v, mask.masked_fill(causal, -math.inf), p)
    else:
        out = autograd.scaled_dot_product_attention(q, k, v, mask, p, is_causal)
    out = out.permute(2, 0, 1, 3).reshape(length, batch, width)  # (L, N, E)
    out = linear(out, out_proj_weight, out_proj_bias)
    if not need_weights:
        return (out if batched else out.squeeze(1)), None
    shares = shares.mean(1) if average_attn_weights else shares
    return (out, shares) if batched else (out.squeeze(1), shares.squeeze(0))


def _check_inputs(name: str, query: Any, key: Any, value: Any, width: int, num_heads: int) -> bool:
    """Whether there is a dimension of the batch."""
    for role, x in (("query", query), ("key", key), ("value", value)):
        if not isinstance(x, Tensor) or x.ndim not in (2, 3) or x.ndim != query.ndim:
            raise ShapeError(
                f"{name}: {role} must be (length, batch, size), or all three (length, size), got {describe(x)}"
                + (f" with a query of shape {query.shape}" if role != "query" else "")
            )
    if query.shape[-1] != width or width % num_heads:
        raise ShapeError(
            f"{name}: query must have a last size of {width}, which {num_heads} heads must divide, got {query.shape}"
        )
    if key.shape[:-1] != value.shape[:-1] or key.shape[1:-1] != query.shape[1:-1]:
        raise ShapeError(
            f"{name}: query, key and value must have one batch, and key and value one length, got shapes "
            f"{query.shape}, {key.shape} and {value.shape} (length first)"
        )
    return query.ndim == 3


def _given(name: str, weight: Tensor | None, role: str) -> Tensor:
    if weight is None:
        raise ValueError(f"{name}: {role}_proj_weight is missing")
    return weight


def _projected(query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
    """Q, K and V, with one product for those that are made of the same Tensor."""
    width = query.shape[-1]
    if query is key and key is value:
        return linear(query, weight, bias).chunk(3, -1)
    if key is value:
        b, c = (None, None) if bias is None else (bias[:width], bias[width:])
        return linear(query, weight[:width], b), *linear(key, weight[width:], c).chunk(2, -1)
    biases: Any = (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weight.chunk(3), biases, strict=True)]


def _heads(x: Tensor, heads: int) -> Tensor:
    length, batch, width = x.shape
    return x.reshape(length, batch, heads, width // heads).permute(1, 2, 0, 3)  # (N, h, L, d)


def _static(name: str, role: str, x: Tensor, batch: int, heads: int, size: int) -> Tensor:
    if x.ndim != 3 or x.shape[0] != batch * heads or x.shape[2] != size:
        raise ShapeError(f"{name}: {role} must have shape ({batch * heads}, S, {size}), got {x.shape}")
    return x.reshape(batch, heads, x.shape[1], size)


def _mask(name: str, attn_mask: Any, padding: Any, q: Tensor, keys: int, added: int) -> Tensor | None:
    """What is added to the scores (N, h, L, S), or None: the masks together, and 0 for keys that were added."""
    batch, heads, length, _ = q.shape
    if attn_mask is not None:
        attn_mask = _additive(name, "attn_mask", attn_mask, q.dtype)
        if attn_mask.shape == (batch * heads, length, keys):
            attn_mask = attn_mask.reshape(batch, heads, length, keys)
        elif attn_mask.shape != (length, keys):
            raise ShapeError(
                f"{name}: attn_mask must have shape {(length, keys)} or {(batch * heads, length, keys)}, "
                f"got {attn_mask.shape}"
            )
    if padding is not None:
        padding = _additive(name, "key_padding_mask", padding, q.dtype)
        if padding.shape != (batch, keys):
            raise ShapeError(f"{name}: key_padding_mask must have shape {(batch, keys)}, got {padding.shape}")
        padding = padding.reshape(batch, 1, 1, keys)
    given = [m for m in (attn_mask, padding) if m is not None]
    mask = sum(given[1:], given[0]) if given else None
    if mask is None or not added:
        return mask
    return autograd.cat([mask, autograd.zeros(*mask.shape[:-1], added, dtype=mask.dtype)], -1)


def _additive(name: str, role: str, mask: Any, dtype: Any) -> Tensor:
    if not isinstance(mask, Tensor) or (mask.dtype != autograd.bool and mask.dtype != dtype):
        raise DTypeError(
            f"{name}: {role} must be a bool Tensor (True: may not look) or one of query's dtype {dtype} that is added, "
            f"got {describe(mask)}"
        )
    return autograd.zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf) if mask.dtype == autograd.bool else mask
