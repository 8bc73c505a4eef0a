"""Attention of several heads as a layer."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import ShapeError, Tensor
from autograd.errors import describe

from . import functional as F
from . import init
from .arguments import check_size
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear`` under the name that PyTorch gives to the last map of its attention."""


class MultiheadAttention(Module):
    """W_o [head₁, …] + b_o with headᵢ = softmax(Qᵢ Kᵢᵀ / √d) Vᵢ: each head averages the values by its own likeness.

    Q, K and V are affine maps of query, key and value, of which every head has its share of d = embed_dim / num_heads
    columns. The weights of these maps start as ``xavier_uniform_`` does, their biases at 0, ``bias_k`` and ``bias_v``
    as ``xavier_normal_``; W_o starts as a ``Linear`` does, b_o at 0.

    Arguments:
        embed_dim: E, the last size of query and output.
        num_heads: h, which must divide it.
        dropout: with which probability a weight of an average is left out while training.
        bias: whether the affine maps have biases.
        add_bias_kv: one more entry, which is learned, for K and for V.
        add_zero_attn: one more entry of zeros.
        kdim, vdim: the last sizes of key and value, E by default.
        batch_first: query, key, value and output are (N, length, size) instead of (length, N, size).
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: query (L, N, E) or (L, E), key (S, N, kdim) or (S, kdim), value (S, N, vdim) or (S, vdim); output as query,
    and the weights (N, L, S) or (N, h, L, S). ``in_proj_weight`` (3 E, E), or with other sizes of key or value
    ``q_proj_weight`` (E, E), ``k_proj_weight`` (E, kdim), ``v_proj_weight`` (E, vdim); ``in_proj_bias`` (3 E,);
    ``bias_k``, ``bias_v`` (1, 1, E); ``out_proj``, a ``Linear``.

    Raises:
        ValueError: num_heads does not divide embed_dim. ShapeError, DTypeError: what is given does not fit.

    Source: Vaswani and others, Attention Is All You Need, 2017.

    >>> attention = MultiheadAttention(8, 2, batch_first=True)
    >>> x = autograd.ones(4, 5, 8)
    >>> out, weights = attention(x, x, x)
    >>> out.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = "MultiheadAttention"
        self.embed_dim = check_size(name, "embed_dim", embed_dim, 1)
        self.num_heads = check_size(name, "num_heads", num_heads, 1)
        if embed_dim % num_heads:
            raise ValueError(f"{name}: num_heads must divide embed_dim={embed_dim}, got {num_heads}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout must be within 0 and 1, got {dropout}")
        self.kdim = embed_dim if kdim is None else check_size(name, "kdim", kdim, 1)
        self.vdim = embed_dim if vdim is None else check_size(name, "vdim", vdim, 1)
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn
        how = {"device": device, "dtype": dtype}
        one = self.kdim == self.vdim == embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "q_proj_weight": None if one else (embed_dim, embed_dim),
            "k_proj_weight": None if one else (embed_dim, self.kdim),
            "v_proj_weight": None if one else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if one else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        self._declare(shapes, how)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **how)
        extra = (1, 1, embed_dim) if add_bias_kv else None
        self._declare({"bias_k": extra, "bias_v": extra}, how)
        self.reset_parameters()

    def _declare(self, shapes: dict[str, tuple[int, ...] | None], how: dict[str, Any]) -> None:
        for role, shape in shapes.items():
            self.register_parameter(role, None if shape is None else Parameter(autograd.empty(shape, **how)))

    def reset_parameters(self) -> None:
        """Draws all parameters but W_o anew."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The averages (L, N, E), and their weights if ``need_weights``.

        Arguments:
            query, key, value: (length, N, size), (N, length, size) with ``batch_first``, or (length, size).
            key_padding_mask: (N, S) or (S,), bool, True where a key is not to be looked at, or floating and added.
            need_weights: return the weights too; without them it is quicker.
            attn_mask: (L, S) or (N · h, L, S), bool, True where a query may not look, or floating and added.
            average_attn_weights: return the mean of the weights over the heads instead of all.
            is_causal: query i looks at the keys 0 to i only; an ``attn_mask`` must say the same, and need not be given.
        """
        for role, x, size in (("query", query, self.embed_dim), ("key", key, self.kdim), ("value", value, self.vdim)):
            if not isinstance(x, Tensor) or x.ndim not in (2, 3) or x.shape[-1] != size:
                order = "N, length" if self.batch_first else "length, N"
                raise ShapeError(
                    f"MultiheadAttention: {role} must have shape ({order}, {size}) or (length, {size}), "
                    f"got {describe(x)}"
                )
        turned = self.batch_first and query.ndim == 3
        if turned:
            # One Tensor stays one, so that its three maps stay one product.
            distinct = {id(x): x.transpose(0, 1) for x in (query, key, value) if x.ndim == 3}
            query, key, value = (distinct.get(id(x), x) for x in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias,
            self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            self.training, key_padding_mask, need_weights, attn_mask, self.in_proj_weight is None,
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (out.transpose(0, 1) if turned else out), weights
