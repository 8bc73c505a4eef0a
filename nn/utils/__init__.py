"""Tools around modules: clipping gradients, flattening parameters, and parameters computed from others.

>>> import autograd, nn
>>> w = nn.Parameter(autograd.zeros(2))
>>> w.grad = autograd.tensor([3.0, 4.0])
>>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
tensor(5.)
>>> w.grad
tensor([0.6000, 0.8000])
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from ..unsupported import UTILS_REASONS as _REASONS
from ..unsupported import missing as _missing
from . import clip, normalized, parametrizations, parametrize, rnn, stateless, vectors
from .clip import *
from .normalized import *
from .vectors import *

__all__ = ["parametrizations", "parametrize", "rnn", "stateless"]
__all__ += clip.__all__
__all__ += normalized.__all__
__all__ += vectors.__all__

if not _TYPE_CHECKING:  # a type checker is to report names that are not there

    def __getattr__(name: str) -> _Any:
        raise _missing(__name__, name, _REASONS, __all__)
