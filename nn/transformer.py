"""Transformers: stacks of layers of attention and of affine maps, for encoding and decoding sequences."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor
from autograd.errors import describe

from . import functional as F
from . import init
from .arguments import check_size
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


def _activation(layer: str, activation: Any) -> Any:
    named = {"relu": F.relu, "gelu": F.gelu}
    if callable(activation):
        return activation
    if activation not in named:
        raise ValueError(f"{layer}: activation must be 'relu', 'gelu' or a function of a Tensor, got {activation!r}")
    return named[activation]


def _is_causal(mask: Tensor | None, is_causal: bool | None, length: int) -> bool:
    """Whether ``mask`` lets each of ``length`` entries look at itself and those before, and at nothing else."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    if mask.requires_grad or mask.shape != (length, length):
        return False  # what is learned is added to the scores even where it starts like this
    later = np.triu(np.ones((length, length), bool), 1)
    given = mask.detach().numpy()
    if given.dtype == bool:
        return bool((given == later).all())
    return bool((given[later] == -np.inf).all() and not given[~later].any())


def _length(x: Tensor, layers: ModuleList) -> int:
    """How long sequences are that the layers, of which there may be none, take."""
    attention = getattr(layers[0], "self_attn", None) if len(layers) else None
    if getattr(attention, "batch_first", False) and x.ndim == 3:
        return x.shape[1]
    return x.shape[0] if x.ndim else 0  # a layer says what is wrong with it


def _final_size(layer: str, role: str, x: Any, size: int) -> None:
    if not isinstance(x, Tensor) or x.ndim not in (2, 3) or x.shape[-1] != size:
        raise ShapeError(
            f"{layer}: {role} must have 2 or 3 dimensions, the last of size d_model={size}, got {describe(x)}"
        )


class _Layer(Module):
    """What both kinds of layers share: attention to their own input, and an affine map there and back."""

    def __init__(
        self,
        attentions: tuple[str, ...],
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        how: dict[str, Any],
    ) -> None:
        super().__init__()
        check_size(type(self).__name__, "d_model", d_model, 1)
        check_size(type(self).__name__, "dim_feedforward", dim_feedforward)
        for name in attentions:
            attention = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **how)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **how)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **how)
        self.norm_first = norm_first
        # A sublayer for each attention, and one for the affine maps.
        for number in range(1, len(attentions) + 2):
            setattr(self, f"norm{number}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **how))
        for number in range(1, len(attentions) + 2):
            setattr(self, f"dropout{number}", Dropout(dropout))
        self.activation = _activation(type(self).__name__, activation)

    def _sublayer(self, number: int, x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """x + compute(x), normalised: what goes into ``compute`` if ``norm_first``, the sum otherwise."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        if self.norm_first:
            return x + dropout(compute(norm(x)))
        return norm(x + dropout(compute(x)))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """x ↦ norm(x + attention(x)) ↦ norm(x + W₂ φ(W₁ x + b₁) + b₂), with dropout on what is added.

    Arguments:
        d_model: the size of x.
        nhead: how many heads the attention has.
        dim_feedforward: the size of W₁ x.
        dropout: with which probability entries are left out while training, also within the attention and after φ.
        activation: φ, ``"relu"``, ``"gelu"`` or a function.
        layer_norm_eps: what is added to variances in the norms.
        batch_first: (N, T, d_model) instead of (T, N, d_model).
        norm_first: normalise what goes into attention and affine maps, instead of the sums.
        bias: whether affine maps and norms have biases.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: src and output (T, N, d_model) or (T, d_model).

    Source: Vaswani and others, Attention Is All You Need, 2017; Xiong and others, On Layer Normalization in the
    Transformer Architecture, 2020, for norm_first.

    >>> TransformerEncoderLayer(8, 2, 16)(autograd.ones(5, 4, 8), is_causal=True).shape
    (5, 4, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, {"device": device, "dtype": dtype},
        )  # fmt: skip

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """(T, N, d_model) ↦ (T, N, d_model); the masks are those of ``MultiheadAttention``."""
        _final_size("TransformerEncoderLayer", "src", src, self.self_attn.embed_dim)

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._sublayer(2, self._sublayer(1, src, attend), self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """As ``TransformerEncoderLayer``, with attention to ``memory``, the encoder's output, between the two sublayers.

    Arguments: as those of ``TransformerEncoderLayer``.

    Shapes: tgt and output (T, N, d_model) or (T, d_model), memory (S, N, d_model) or (S, d_model).

    Source: Vaswani and others, Attention Is All You Need, 2017.

    >>> TransformerDecoderLayer(8, 2, 16)(autograd.ones(5, 4, 8), autograd.ones(3, 4, 8)).shape
    (5, 4, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
            batch_first, norm_first, bias, {"device": device, "dtype": dtype},
        )  # fmt: skip

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(T, N, d_model), (S, N, d_model) ↦ (T, N, d_model); the masks are those of ``MultiheadAttention``."""
        _final_size("TransformerDecoderLayer", "tgt", tgt, self.self_attn.embed_dim)
        _final_size("TransformerDecoderLayer", "memory", memory, self.self_attn.embed_dim)

        def attend(x: Tensor) -> Tensor:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look_up(x: Tensor) -> Tensor:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        return self._sublayer(3, self._sublayer(2, self._sublayer(1, tgt, attend), look_up), self._feed_forward)


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer, one after the other, and a norm at the end if there is one.

    Arguments:
        encoder_layer: what is copied, parameters and all.
        num_layers: how many times.
        norm: what follows, or None.
        enable_nested_tensor, mask_check: without effect, as padded entries are always computed.

    >>> encoder = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2)
    >>> encoder(autograd.ones(5, 4, 8), mask=Transformer.generate_square_subsequent_mask(5)).shape
    (5, 4, 8)
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.num_layers = check_size("TransformerEncoder", "num_layers", num_layers)
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """``src`` through all layers; whether the mask is causal is found out if ``is_causal`` is None."""
        causal = _is_causal(mask, is_causal, _length(src, self.layers))
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """``num_layers`` copies of a layer, one after the other, and a norm at the end if there is one.

    Arguments:
        decoder_layer: what is copied, parameters and all.
        num_layers: how many times.
        norm: what follows, or None.

    >>> decoder = TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 2)
    >>> decoder(autograd.ones(5, 4, 8), autograd.ones(3, 4, 8), tgt_is_causal=True).shape
    (5, 4, 8)
    """

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = check_size("TransformerDecoder", "num_layers", num_layers)
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """``tgt`` through all layers; whether its mask is causal is found out if ``tgt_is_causal`` is None."""
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, self.layers))
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of ``src``, and a decoder of ``tgt`` that looks at what the encoder gives.

    All weights of two and more dimensions start as ``xavier_uniform_`` does.

    Arguments:
        num_encoder_layers, num_decoder_layers: how many layers each has; a ``LayerNorm`` follows.
        custom_encoder, custom_decoder: modules to be used instead.
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype: as those of ``TransformerEncoderLayer``.

    Shapes: src (S, N, d_model), tgt and output (T, N, d_model), with N first if ``batch_first``; or all without N.

    Raises:
        ShapeError: src and tgt have different batches, or not d_model as their last size.

    Source: Vaswani and others, Attention Is All You Need, 2017.

    >>> model = Transformer(8, 2, 1, 1, 16)
    >>> model(autograd.ones(3, 4, 8), autograd.ones(5, 4, 8), tgt_is_causal=True).shape
    (5, 4, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        how = {"device": device, "dtype": dtype}
        layer: tuple[Any, ...] = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
        )  # fmt: skip
        norm = {"eps": layer_norm_eps, "bias": bias, **how}
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*layer, **how)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, LayerNorm(d_model, **norm))
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*layer, **how)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, LayerNorm(d_model, **norm))
        self.decoder = custom_decoder
        self.reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def reset_parameters(self) -> None:
        """Draws all parameters of two and more dimensions anew."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """``tgt`` decoded with what ``src`` is encoded as; the masks are those of ``MultiheadAttention``."""
        _final_size("Transformer", "src", src, self.d_model)
        _final_size("Transformer", "tgt", tgt, self.d_model)
        place = 0 if self.batch_first else 1
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[place] != tgt.shape[place]):
            raise ShapeError(
                f"Transformer: src and tgt must have one batch, dimension {place}, got shapes {src.shape} "
                f"and {tgt.shape} (batch_first={self.batch_first})"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal,
            memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz), −∞ above the diagonal and 0 elsewhere: each entry may look at itself and those before.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return autograd.full((sz, sz), float("-inf"), device=device, dtype=dtype).triu(1)
