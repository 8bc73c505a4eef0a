"""Glassgrad's engine: Tensors that remember how they came about, and their derivatives.

>>> import autograd
>>> x = autograd.tensor(3.0, requires_grad=True)
>>> (x ** 3).backward()
>>> x.grad
tensor(27.)
"""

from __future__ import annotations

import os as _os

if _os.path.exists(_os.path.join(_os.path.dirname(__file__), "numpy", "numpy_wrapper.py")):
    raise ImportError(
        "autograd: the older package named autograd (HIPS) is installed into the same folder as Glassgrad, and their "
        "files are mixed; run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

# First of all: it loads the submodules whose names functions of the same name then take (tensor, backward, primitive).
from .tensor import Tensor  # isort: split

from . import backends, random
from .backward import backward
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
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
)
from .errors import DTypeError, GraphError, ShapeError
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .graph import Drawing, draw
from .inplace import increment_version
from .modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .ops.elementwise import (
    abs,
    add,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    ceil,
    clamp,
    clone,
    cos,
    div,
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
    sub,
    tanh,
    where,
)
from .ops.fused import cross_entropy, embedding, linear, log_softmax, logsumexp, softmax
from .ops.linalg import matmul
from .ops.reduction import all, amax, amin, any, argmax, argmin, max, mean, min, norm, std, sum, var
from .ops.shape import (
    cat,
    chunk,
    expand,
    flatten,
    movedim,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    transpose,
    unbind,
    unsqueeze,
)
from .primitive import Primitive, primitive
from .random import Generator, manual_seed, rand, rand_like, randint, randn, randn_like, randperm
from .tensor import RemovableHandle
from .transforms import elementwise_grad, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

clip = clamp
concat = concatenate = cat
