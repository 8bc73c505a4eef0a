"""Neural networks on the engine: modules, losses, initialisation and data, under PyTorch's names.

Nothing here defines a derivative; layers and losses compose the engine's operations.

>>> import autograd, nn
>>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
>>> model(autograd.ones(4, 2)).shape
(4, 1)
"""

import autograd

if not hasattr(autograd, "Primitive"):
    raise ImportError(
        f"nn: `import autograd` finds the older package of that name (HIPS) in {autograd.__file__}, not Glassgrad; "
        "run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

from . import activation, container, data, functional, init, linear, loss
from .activation import *
from .container import *
from .linear import *
from .loss import *
from .module import Module
from .parameter import Parameter

__all__ = ["Module", "Parameter", "data", "functional", "init"]
__all__ += activation.__all__
__all__ += container.__all__
__all__ += linear.__all__
__all__ += loss.__all__
