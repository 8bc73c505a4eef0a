"""The errors of activations, normalisations, attention, dropout, losses and embeddings are sentences with the fix."""

from __future__ import annotations

import pytest

import autograd as ag
import nn.functional as F
from autograd import DTypeError, GraphError, ShapeError, tensor

x, q = ag.zeros(2, 3), ag.zeros(2, 4, 8)
whole = tensor([[1, 2, 3]])
table = ag.zeros(5, 2)
ERRORS = {
    "gelu form": (lambda: F.gelu(x, approximate="fast"), ValueError, ["gelu", "'none'", "'tanh'", "'fast'"]),
    "gelu of integers": (lambda: F.gelu(whole), DTypeError, ["gelu", "int64", ".float()"]),
    "silu of a list": (lambda: F.silu([1.0]), DTypeError, ["silu", "list", "autograd.tensor"]),
    "softplus beta": (lambda: F.softplus(x, 0), ValueError, ["softplus", "beta"]),
    "celu alpha": (lambda: F.celu(x, 0), ValueError, ["celu", "alpha"]),
    "hardtanh bounds": (lambda: F.hardtanh(x, 1.0, -1.0), ValueError, ["hardtanh", "min_val"]),
    "softshrink lambd": (lambda: F.softshrink(x, -1.0), ValueError, ["softshrink", "lambd"]),
    "rrelu bounds": (lambda: F.rrelu(x, 0.4, 0.2), ValueError, ["rrelu", "0.4", "0.2"]),
    "prelu channels": (lambda: F.prelu(x, ag.ones(2)), ShapeError, ["prelu", "3 channels", "(2,)"]),
    "prelu weight": (lambda: F.prelu(x, ag.ones(3, 1)), ShapeError, ["prelu", "(3, 1)"]),
    "glu of an odd size": (lambda: F.glu(x), ShapeError, ["glu", "even", "(2, 3)"]),
    "layer_norm sizes": (lambda: F.layer_norm(x, (2,)), ShapeError, ["layer_norm", "(2,)", "(2, 3)"]),
    "layer_norm weight": (lambda: F.layer_norm(x, 3, ag.ones(2)), ShapeError, ["layer_norm", "weight", "(3,)"]),
    "layer_norm of no size": (lambda: F.layer_norm(x, ()), ShapeError, ["layer_norm", "normalized_shape"]),
    "layer_norm dtypes": (lambda: F.layer_norm(x.double(), 3, ag.ones(3)), DTypeError, ["layer_norm", "float64"]),
    "layer_norm of integers": (lambda: F.layer_norm(whole, 3), DTypeError, ["layer_norm", "int64"]),
    "batch_norm of one value": (
        lambda: F.batch_norm(x[:1], None, None, training=True),
        ShapeError,
        ["batch_norm", "more than one value", "(1, 3)", "eval()"],
    ),
    "batch_norm without moments": (lambda: F.batch_norm(x, None, None), ValueError, ["batch_norm", "running_mean"]),
    "batch_norm channels": (
        lambda: F.batch_norm(x, ag.zeros(2), ag.ones(3)),
        ShapeError,
        ["batch_norm", "running_mean", "(3,)", "(2,)"],
    ),
    "batch_norm of a vector": (lambda: F.batch_norm(x[0], None, None), ShapeError, ["batch_norm", "(3,)"]),
    "batch_norm momentum": (
        lambda: F.batch_norm(x, None, None, training=True, momentum=None),
        TypeError,
        ["batch_norm", "momentum", "None", "1 /"],
    ),
    "instance_norm": (lambda: F.instance_norm(x), ShapeError, ["instance_norm", "(2, 3)"]),
    "group_norm groups": (lambda: F.group_norm(x, 2), ShapeError, ["group_norm", "3 channels", "2"]),
    "normalize into": (lambda: F.normalize(x, out=x), ValueError, ["normalize", "out", "copy_"]),
    "attention sizes": (
        lambda: F.scaled_dot_product_attention(q, q[..., :4], q),
        ShapeError,
        ["scaled_dot_product_attention", "(2, 4, 8)", "(2, 4, 4)"],
    ),
    "attention of other batches": (
        lambda: F.scaled_dot_product_attention(q, ag.zeros(3, 4, 8), ag.zeros(3, 4, 8)),
        ShapeError,
        ["scaled_dot_product_attention", "leading sizes", "(2,) and (3,)", "2 against 3"],
    ),
    "attention of a vector": (lambda: F.scaled_dot_product_attention(q[0, 0], q, q), ShapeError, ["query", "(8,)"]),
    "attention heads": (
        lambda: F.scaled_dot_product_attention(ag.zeros(3, 4, 8), q, q, enable_gqa=True),
        ShapeError,
        ["enable_gqa", "multiple", "(3, 4, 8)", "(2, 4, 8)"],
    ),
    "attention mask and causal": (
        lambda: F.scaled_dot_product_attention(q, q, q, ag.zeros(4, 4), is_causal=True),
        ValueError,
        ["attn_mask", "is_causal"],
    ),
    "attention mask": (
        lambda: F.scaled_dot_product_attention(q, q, q, ag.zeros(3, 4)),
        ShapeError,
        ["attn_mask", "(3, 4)", "(2, 4, 4)"],
    ),
    "attention mask of integers": (
        lambda: F.scaled_dot_product_attention(q, q, q, ag.zeros(4, 4).long()),
        DTypeError,
        ["attn_mask", "bool", "int64"],
    ),
    "dropout p": (lambda: F.dropout(x, 1.5), ValueError, ["dropout", "probability", "1.5"]),
    "dropout2d": (lambda: F.dropout2d(x), ShapeError, ["dropout2d", "(2, 3)"]),
    "bce range": (
        lambda: F.binary_cross_entropy(x + 2, x),
        ValueError,
        ["binary_cross_entropy", "2", "binary_cross_entropy_with_logits"],
    ),
    "bce of integers": (lambda: F.binary_cross_entropy(x, x.long()), DTypeError, ["target", "int64", ".float()"]),
    "deprecated word": (lambda: F.mse_loss(x, x, size_average=False), TypeError, ["mse_loss", "reduction='mean'"]),
    "beta": (lambda: F.smooth_l1_loss(x, x, beta=-1), ValueError, ["smooth_l1_loss", "beta"]),
    "delta": (lambda: F.huber_loss(x, x, delta=0), ValueError, ["huber_loss", "delta"]),
    "batchmean": (lambda: F.kl_div(x, x, reduction="avg"), ValueError, ["kl_div", "'batchmean'", "'avg'"]),
    "variance": (lambda: F.gaussian_nll_loss(x, x, x - 1), ValueError, ["gaussian_nll_loss", "negative"]),
    "variance shape": (lambda: F.gaussian_nll_loss(x, x, ag.ones(3)), ShapeError, ["gaussian_nll_loss", "(3,)"]),
    "triplet margin": (lambda: F.triplet_margin_loss(x, x, x, margin=0), ValueError, ["margin", "above 0"]),
    "triplet shapes": (lambda: F.triplet_margin_loss(x, x, x[:1]), ShapeError, ["triplet_margin_loss", "(1, 3)"]),
    "cosine": (lambda: F.cosine_embedding_loss(x, x, x), ShapeError, ["cosine_embedding_loss", "(2, 3)"]),
    "multi margin p": (lambda: F.multi_margin_loss(x, tensor([0, 1]), p=3), ValueError, ["p must be 1 or 2"]),
    "multi margin class": (lambda: F.multi_margin_loss(x, tensor([0, 3])), IndexError, ["class 3", "0 to 2"]),
    "ctc": (lambda: F.ctc_loss(x, x, (2,), (1,)), DTypeError, ["ctc_loss", "targets", "integer classes"]),
    "sparse maximum": (
        lambda: F.embedding_bag(whole, table, mode="max", sparse=True),
        ValueError,
        ["embedding_bag", "sparse", "'sum' and 'mean'"],
    ),
    "bag mode": (lambda: F.embedding_bag(whole, table, mode="min"), ValueError, ["embedding_bag", "'min'"]),
    "bag without offsets": (lambda: F.embedding_bag(whole[0], table), ShapeError, ["embedding_bag", "offsets"]),
    "bag offsets": (
        lambda: F.embedding_bag(whole[0], table, tensor([0, 4])),
        ValueError,
        ["embedding_bag", "offsets", "[0, 4]"],
    ),
    "bag weights": (
        lambda: F.embedding_bag(whole, table, per_sample_weights=ag.ones(1, 3)),
        ValueError,
        ["per_sample_weights", "'sum'"],
    ),
    "bilinear": (lambda: F.bilinear(x, x, ag.ones(2, 3, 4)), ShapeError, ["bilinear", "(2, 3, 4)"]),
    "response norm": (lambda: F.local_response_norm(x, 2), ShapeError, ["local_response_norm", "(2, 3)"]),
    "leaf in place": (lambda: F.elu_(ag.zeros(2, requires_grad=True)), GraphError, ["elu_", "leaf"]),
}
PAIRED = [
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "kl_div", "poisson_nll_loss",
    "binary_cross_entropy_with_logits", "hinge_embedding_loss", "soft_margin_loss", "multilabel_soft_margin_loss",
]  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_the_error_says_what_is_wrong(case):
    call, kind, fragments = ERRORS[case]
    with pytest.raises(kind) as error:
        call()
    for fragment in fragments:
        assert fragment in str(error.value), str(error.value)


@pytest.mark.parametrize("name", PAIRED)
def test_predictions_and_targets_of_two_shapes_are_refused(name):
    with pytest.raises(ShapeError, match=rf"{name}.*squeeze\(-1\)"):
        getattr(F, name)(ag.zeros(4, 1), ag.zeros(4))
    with pytest.raises(ValueError, match=f"{name}.*'avg'"):
        getattr(F, name)(ag.zeros(4), ag.zeros(4), reduction="avg")
    with pytest.raises(DTypeError, match=f"{name}.*list"):
        getattr(F, name)(ag.zeros(4), [0.0] * 4)
