"""Special functions under the names of ``torch.special``.

>>> import autograd
>>> autograd.special.expit(autograd.tensor([0.0]))
tensor([0.5000])
"""

from __future__ import annotations

import re
from typing import NoReturn

from .ops.arithmetic import xlogy
from .ops.elementwise import expm1, log1p
from .ops.elementwise import sigmoid as expit
from .ops.functions import digamma, erf, erfc, erfinv, exp2, logit, polygamma, round, sinc
from .ops.functions import lgamma as gammaln
from .ops.fused import log_softmax, logsumexp, softmax
from .ops.special import (
    entr,
    erfcx,
    gammainc,
    gammaincc,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    multigammaln,
    ndtr,
    ndtri,
    xlog1py,
    zeta,
)

psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr",
    "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta",
]  # fmt: skip


def __getattr__(name: str) -> NoReturn:
    if re.match("airy|.*bessel_|.*_polynomial_", name):
        raise AttributeError(
            f"module 'autograd.special' has no attribute {name!r}: SciPy has it without gradient, "
            "tensor(scipy.special.…(x.numpy())); a Function can give it one"
        )
    raise AttributeError(f"module 'autograd.special' has no attribute {name!r}")
