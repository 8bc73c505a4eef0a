"""Rows of attention and transformers."""

from __future__ import annotations

import numpy as np
from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError


def ones(*shape, dtype=autograd.float32):
    return autograd.ones(*shape, dtype=dtype)


def later(length, width=None):
    """True above the diagonal."""
    return np.triu(np.ones((length, width or length), bool), 1)


def minus_infinity(mask):
    return np.where(mask, -np.inf, 0.0)


def padded(batch, length):
    """The last entries of the second sequence, and of those that follow."""
    mask = np.zeros((batch, length), bool)
    mask[1:, -2:] = True
    return mask


def with_masks(shapes, *masks):
    """Standard normal arrays, and behind them constants, or None."""
    return lambda rng: [*(rng.standard_normal(shape) for shape in shapes), *masks]


def attended(module, query, key, value, padding=None, weights=True, mask=None):
    """Head by head and sequence by sequence; masks are bool."""
    p = {n: a.detach().numpy() for n, a in module.named_parameters()}
    if module.batch_first:
        query, key, value = (x.swapaxes(0, 1) for x in (query, key, value))
    maps = np.split(p["in_proj_weight"], 3) if "in_proj_weight" in p else [p[f"{r}_proj_weight"] for r in "qkv"]
    biases = np.split(p["in_proj_bias"], 3) if "in_proj_bias" in p else [0, 0, 0]
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), maps, biases, strict=True))
    batch, size = q.shape[1], module.head_dim
    forbidden = np.zeros((batch, q.shape[0], k.shape[0]), bool)
    if mask is not None:
        forbidden |= mask
    if padding is not None:
        forbidden |= padding[:, None]
    for add in ([p["bias_k"][0], p["bias_v"][0]] if "bias_k" in p else None, [0, 0] if module.add_zero_attn else None):
        if add is not None:
            k, v = (np.concatenate([x, np.zeros((1, *x.shape[1:])) + a]) for x, a in zip((k, v), add, strict=True))
            forbidden = np.concatenate([forbidden, np.zeros((*forbidden.shape[:2], 1), bool)], -1)
    out = np.zeros(q.shape)
    for n in range(batch):
        for start in range(0, q.shape[2], size):
            part = slice(start, start + size)
            scores = q[:, n, part] @ k[:, n, part].T / np.sqrt(size)
            e = np.where(forbidden[n], 0, np.exp(scores))
            out[:, n, part] = e / e.sum(-1, keepdims=True) @ v[:, n, part]
    out = out @ p["out_proj.weight"].T + p.get("out_proj.bias", 0)
    return out.swapaxes(0, 1) if module.batch_first else out


THREE = ((3, 2, 4), (5, 2, 4), (5, 2, 4))
OTHER_SIZES = ((3, 2, 4), (5, 2, 3), (5, 2, 6))
REFUSED = (
    (lambda: (ones(3, 2, 5), ones(3, 2, 4), ones(3, 2, 4)), ShapeError, "query must have shape"),
    (lambda: (ones(3, 2, 4), ones(3, 1, 4), ones(3, 1, 4)), ShapeError, "must have one batch"),
    (lambda: (ones(3, 2, 4), ones(3, 2, 4), ones(4, 2, 4)), ShapeError, "one length"),
    (lambda: (ones(3, 2, 4), ones(3, 4), ones(3, 4)), ShapeError, "key must be"),
    (lambda: (*(ones(3, 2, 4),) * 3, ones(2, 4)), ShapeError, "key_padding_mask must have shape"),
    (lambda: (*(ones(3, 2, 4),) * 3, None, True, ones(3, 2)), ShapeError, "attn_mask must have shape"),
    (lambda: (*(ones(3, 2, 4),) * 3, None, True, ones(3, 3).long()), DTypeError, "attn_mask must be a bool"),
)


def encoder_layer(lib, **how):
    return lib.nn.TransformerEncoderLayer(4, 2, 3, **{"dropout": 0.0, **how})


def decoder_layer(lib, **how):
    return lib.nn.TransformerDecoderLayer(4, 2, 3, **{"dropout": 0.0, **how})


def encoder(lib, layers=2, norm=False, **how):
    final = lib.nn.LayerNorm(4) if norm else None
    return lib.nn.TransformerEncoder(encoder_layer(lib, **how), layers, final, enable_nested_tensor=False)


def decoder(lib, layers=2, norm=False, **how):
    return lib.nn.TransformerDecoder(decoder_layer(lib, **how), layers, lib.nn.LayerNorm(4) if norm else None)


def transformer(lib, **how):
    layers = {"num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 3}
    # Said by name, so that PyTorch does not warn that a batch that comes second is slower.
    return lib.nn.Transformer(4, 2, **{**layers, "dropout": 0.0, "batch_first": True, **how})


LAYERS = {
    "MultiheadAttention": [
        Row(lambda lib: lib.nn.MultiheadAttention(4, 2), floats(*THREE), attended, REFUSED),
        Row(lambda lib: lib.nn.MultiheadAttention(4, 1, bias=False), with_masks(THREE, None, None), attended),
        Row(lambda lib: lib.nn.MultiheadAttention(4, 2, kdim=3, vdim=6), floats(*OTHER_SIZES), attended),
        Row(
            lambda lib: lib.nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True),
            with_masks(THREE, padded(2, 5), None, later(3, 5)), attended,
        ),
        Row(
            lambda lib: lib.nn.MultiheadAttention(6, 3, kdim=2, vdim=3, add_bias_kv=True, bias=False, batch_first=True),
            with_masks(((2, 3, 6), (2, 4, 2), (2, 4, 3)), padded(2, 4)), attended,
        ),
        Row(
            lambda lib: lib.nn.MultiheadAttention(4, 2, batch_first=True),
            with_masks(((2, 4, 4),) * 3, None, None, later(4)), attended,
        ),
        Row(
            lambda lib: lib.nn.MultiheadAttention(4, 2),
            with_masks(((4, 2, 4),) * 3, minus_infinity(padded(2, 4)), np.array(True), minus_infinity(later(4))),
        ),
        # A mask for each head of each sequence, and weights for each head.
        Row(
            lambda lib: lib.nn.MultiheadAttention(4, 2),
            lambda rng: [
                *(rng.standard_normal(s) for s in THREE), None, np.array(True), rng.standard_normal((4, 3, 5)), None
            ],
        ),
        Row(lambda lib: lib.nn.MultiheadAttention(4, 2), floats((3, 4), (5, 4), (5, 4))),
        Row(lambda lib: lib.nn.MultiheadAttention(4, 2), with_masks(((3, 4),) * 3, padded(2, 3)[1], None, later(3))),
        Row(lambda lib: lib.nn.MultiheadAttention(4, 2, dropout=0.5), floats(*THREE), random=True),
    ],
    "TransformerEncoderLayer": [
        Row(
            encoder_layer, floats((3, 2, 4)),
            refuses=((lambda: (ones(3, 2, 5),), ShapeError, "src must have"),),
        ),
        Row(
            lambda lib: encoder_layer(lib, norm_first=True, activation="gelu", bias=False, batch_first=True),
            with_masks(((2, 3, 4),), later(3), padded(2, 3)),
        ),
        Row(lambda lib: encoder_layer(lib, layer_norm_eps=0.1, activation=lib.nn.Tanh()), floats((3, 4))),
        Row(lambda lib: encoder_layer(lib, dropout=0.3), floats((3, 2, 4)), random=True),
    ],
    "TransformerDecoderLayer": [
        Row(
            decoder_layer, floats((3, 2, 4), (5, 2, 4)),
            refuses=(
                (lambda: (ones(3, 2, 5), ones(5, 2, 4)), ShapeError, "tgt must have"),
                (lambda: (ones(3, 2, 4), ones(5, 2, 3)), ShapeError, "memory must have"),
            ),
        ),
        Row(
            lambda lib: decoder_layer(lib, norm_first=True, activation="gelu", bias=False, batch_first=True),
            with_masks(((2, 3, 4), (2, 5, 4)), later(3), later(3, 5), padded(2, 3), padded(2, 5)),
        ),
        Row(lambda lib: decoder_layer(lib), floats((3, 4), (2, 4))),
        Row(lambda lib: decoder_layer(lib, dropout=0.3), floats((3, 2, 4), (5, 2, 4)), random=True),
    ],
    "TransformerEncoder": [
        Row(
            encoder, floats((3, 2, 4)),
            refuses=((lambda: (ones(3, 2, 5),), ShapeError, "src must have"),),
        ),
        Row(
            lambda lib: encoder(lib, 1, norm=True, batch_first=True),
            with_masks(((2, 4, 4),), minus_infinity(later(4)), minus_infinity(padded(2, 4))),
        ),
        Row(lambda lib: encoder(lib, batch_first=True), with_masks(((2, 4, 4),), later(4))),
        Row(lambda lib: encoder(lib), with_masks(((4, 4),), later(4))),
        Row(lambda lib: encoder(lib, dropout=0.3), floats((3, 2, 4)), random=True),
    ],
    "TransformerDecoder": [
        Row(
            decoder, floats((3, 2, 4), (5, 2, 4)),
            refuses=((lambda: (ones(3, 2, 5), ones(5, 2, 4)), ShapeError, "tgt must have"),),
        ),
        Row(
            lambda lib: decoder(lib, 1, norm=True, batch_first=True),
            with_masks(((2, 3, 4), (2, 5, 4)), later(3), None, None, padded(2, 5)),
        ),
        Row(lambda lib: decoder(lib, dropout=0.3), floats((3, 2, 4), (5, 2, 4)), random=True),
    ],
    "Transformer": [
        Row(
            transformer, floats((2, 3, 4), (2, 5, 4)),
            refuses=(
                (lambda: (ones(2, 3, 4), ones(1, 3, 4)), ShapeError, "must have one batch"),
                (lambda: (ones(2, 3, 4), ones(3, 4)), ShapeError, "must have one batch"),
                (lambda: (ones(2, 3, 5), ones(2, 3, 4)), ShapeError, "src must have"),
            ),
        ),
        Row(
            lambda lib: transformer(lib, activation="gelu", num_decoder_layers=2),
            with_masks(((2, 4, 4), (2, 3, 4)), later(4), later(3), None, padded(2, 4), padded(2, 3)),
        ),
        Row(lambda lib: transformer(lib, dropout=0.3), floats((2, 3, 4), (2, 5, 4)), random=True),
    ],
}  # fmt: skip
