"""Glassgrad's engine: Tensors that remember how they came about, and their derivatives.

>>> import autograd
>>> x = autograd.tensor(3.0, requires_grad=True)
>>> (x ** 3).backward()
>>> x.grad
tensor(27.)
"""

from __future__ import annotations

import os as _os
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

import numpy as _np

if _os.path.exists(_os.path.join(_os.path.dirname(__file__), "numpy", "numpy_wrapper.py")):
    raise ImportError(
        "autograd: the older package named autograd (HIPS) is installed into the same folder as Glassgrad, and their "
        "files are mixed; run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

# First of all: it loads the submodules whose names functions of the same name then take (tensor, backward, primitive).
from .tensor import Tensor  # isort: split

from . import backends, cuda, functional, legacy, linalg, random, special
from .anomaly import (
    AnomalyError,
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from .backward import backward
from .checkpoint import checkpoint
from .constants import e, inf, nan, newaxis, pi
from .creation import (
    arange,
    as_tensor,
    asarray,
    complex,
    empty,
    empty_like,
    empty_strided,
    eye,
    from_numpy,
    full,
    full_like,
    is_tensor,
    linspace,
    logspace,
    numel,
    ones,
    ones_like,
    polar,
    scalar_tensor,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .devices import (
    can_cast,
    device,
    finfo,
    get_default_device,
    iinfo,
    is_complex,
    is_floating_point,
    promote_types,
    result_type,
    set_default_device,
    typename,
)
from .distributions import bernoulli, multinomial, normal, poisson
from .dtypes import (
    bool,
    bool_,
    double,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    set_default_dtype,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .errors import DTypeError, GraphError, ShapeError
from .function import Function, once_differentiable
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .graph import HOMES as _PICTURES
from .inplace import increment_version
from .modes import enable_grad, inference_mode, is_grad_enabled, is_profiling, no_grad, set_grad_enabled
from .ops.activations import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu6,
    rrelu,
    selu,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)
from .ops.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from .ops.arithmetic import (
    add,
    addcdiv,
    addcmul,
    atan2,
    bitwise_left_shift,
    bitwise_right_shift,
    bitwise_xor,
    clamp_max,
    clamp_min,
    copysign,
    div,
    float_power,
    fmax,
    fmin,
    fmod,
    gcd,
    heaviside,
    hypot,
    lcm,
    ldexp,
    lerp,
    logaddexp,
    logaddexp2,
    masked_fill,
    nextafter,
    rsub,
    sub,
    where,
    xlogy,
)
from .ops.attention import masked_softmax, scaled_dot_product_attention
from .ops.broadcasting import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    repeat_interleave,
    tile,
)
from .ops.comparison import (
    allclose,
    equal,
    greater,
    greater_equal,
    isclose,
    isfinite,
    isin,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    less,
    less_equal,
    logical_xor,
    not_equal,
)
from .ops.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from .ops.decompositions import classic_cholesky as cholesky
from .ops.decompositions import classic_qr as qr
from .ops.decompositions import classic_svd as svd
from .ops.diagonals import diag, diag_embed, diagflat, diagonal, diagonal_scatter, tril, triu
from .ops.distances import cdist, cosine_similarity, pairwise_distance, pdist
from .ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .ops.einsum import einsum
from .ops.elementwise import (
    abs,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    ceil,
    clamp,
    clone,
    cos,
    eq,
    exp,
    expm1,
    floor,
    floor_divide,
    ge,
    gt,
    le,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    neg,
    pow,
    relu,
    remainder,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    tanh,
)
from .ops.embeddings import bilinear, embedding, embedding_bag, scale_gradient
from .ops.functions import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cosh,
    deg2rad,
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    frac,
    lgamma,
    log2,
    log10,
    logit,
    nan_to_num,
    polygamma,
    positive,
    rad2deg,
    reciprocal,
    round,
    rsqrt,
    signbit,
    sinc,
    sinh,
    tan,
    trunc,
)
from .ops.fused import cross_entropy, linear, log_softmax, logsumexp, softmax, softmin
from .ops.gathering import (
    argwhere,
    gather,
    index_select,
    masked_select,
    narrow,
    nonzero,
    one_hot,
    select,
    take,
    take_along_dim,
)
from .ops.grids import cartesian_prod, combinations, meshgrid, unravel_index, vander
from .ops.joining import block_diag, column_stack, dsplit, dstack, hsplit, hstack, tensor_split, vsplit, vstack
from .ops.linalg import matmul
from .ops.losses import bernoulli_nll, logistic_nll
from .ops.matrix_functions import det, logdet, matrix_exp, matrix_power, slogdet
from .ops.normalization import batch_norm, group_norm, instance_norm, layer_norm, normalize, rms_norm, standardize
from .ops.padding import pad
from .ops.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from .ops.products import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    bmm,
    chain_matmul,
    cross,
    dot,
    ger,
    inner,
    kron,
    mm,
    mv,
    outer,
    tensordot,
    trace,
    vdot,
)
from .ops.rearranging import flip, fliplr, flipud, roll, rot90
from .ops.recurrent import gru_scan, lstm_scan, rnn_scan
from .ops.reduction import (
    all,
    amax,
    amin,
    aminmax,
    any,
    argmax,
    argmin,
    dist,
    max,
    mean,
    min,
    norm,
    renorm,
    std,
    sum,
    var,
)
from .ops.resampling import (
    affine_grid,
    channel_shuffle,
    grid_sample,
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
    upsample,
)
from .ops.scans import (
    cummax,
    cummin,
    cumprod,
    cumsum,
    cumulative_trapezoid,
    diff,
    logcumsumexp,
    prod,
    trapezoid,
)
from .ops.scattering import (
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_reduce,
    masked_scatter,
    put,
    scatter,
    scatter_add,
    scatter_reduce,
)
from .ops.shape import (
    adjoint,
    cat,
    chunk,
    flatten,
    movedim,
    permute,
    ravel,
    reshape,
    split,
    squeeze,
    stack,
    t,
    transpose,
    unbind,
    unflatten,
    unsqueeze,
)
from .ops.slicing import narrow_copy, select_scatter, slice_scatter, split_with_sizes
from .ops.solvers import cholesky_inverse, cholesky_solve, inverse, pinverse
from .ops.sorting import (
    argsort,
    bucketize,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    searchsorted,
    sort,
    topk,
    unique,
    unique_consecutive,
)
from .ops.statistics import (
    bincount,
    corrcoef,
    count_nonzero,
    cov,
    histc,
    histogram,
    nanmean,
    nanquantile,
    nansum,
    quantile,
    std_mean,
    var_mean,
)
from .ops.windows import fold, unfold
from .primitive import Primitive, primitive
from .random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from .settings import (
    are_deterministic_algorithms_enabled,
    get_float32_matmul_precision,
    get_num_threads,
    get_printoptions,
    load,
    save,
    set_float32_matmul_precision,
    set_num_threads,
    set_printoptions,
    use_deterministic_algorithms,
)
from .sparse_gradient import SparseGradient
from .tensor import RemovableHandle
from .transforms import elementwise_grad, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .unsupported import missing as _missing
from .watching import watch

clip = clamp
triangular_solve = linalg.triangular_solve
trapz = trapezoid
subtract, multiply, divide, true_divide, negative, absolute, sgn = sub, mul, div, div, neg, abs, sign
arcsin, arccos, arctan, arcsinh, arccosh, arctanh, arctan2 = asin, acos, atan, asinh, acosh, atanh, atan2
fix, real = trunc, positive
i0, igamma, igammac, mvlgamma = special.i0, special.gammainc, special.gammaincc, special.multigammaln
concat = concatenate = cat
unsafe_split, unsafe_chunk, unsafe_split_with_sizes = split, chunk, split_with_sizes
row_stack = vstack
Size, dtype, Variable = tuple, _np.dtype, legacy.Variable
FloatTensor, DoubleTensor, HalfTensor = legacy.FloatTensor, legacy.DoubleTensor, legacy.HalfTensor
LongTensor, IntTensor, ShortTensor = legacy.LongTensor, legacy.IntTensor, legacy.ShortTensor
CharTensor, ByteTensor, BoolTensor = legacy.CharTensor, legacy.ByteTensor, legacy.BoolTensor
swapaxes = swapdims = transpose
moveaxis = movedim


if _TYPE_CHECKING:
    from .graph.drawing import Drawing, draw
    from .graph.expand import Expansion, expand
    from .graph.explain import Explanation, explain
    from .graph.player import Player, step_through
    from .graph.record import record
    from .graph.verify import Verification, verify
    from .profiling import profile


_LAZY = {**{name: f".graph.{home}" for name, home in _PICTURES.items()}, "profile": ".profiling"}


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


if not _TYPE_CHECKING:  # a type checker is to report names that are not there
    # Methods that PyTorch has as functions, too; so it has all those that work in place.
    _METHODS = "detach get_device is_distributed is_inference is_neg is_nonzero is_same_size is_signed"

    def __getattr__(name: str) -> _Any:
        if name in _LAZY:
            value = globals()[name] = getattr(_import_module(_LAZY[name], __name__), name)
            return value
        if name in _METHODS.split() or (name.endswith("_") and not name.startswith("_") and hasattr(Tensor, name)):
            return getattr(Tensor, name)
        raise _missing("module 'autograd'", name, [known for known in __dir__() if not known.startswith("_")])
