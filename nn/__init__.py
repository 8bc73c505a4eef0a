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

from . import data, functional, init
from .activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from .container import Sequential
from .linear import Flatten, Identity, Linear
from .loss import CrossEntropyLoss, MSELoss, NLLLoss
from .module import Module
from .parameter import Parameter

__all__ = [
    "CrossEntropyLoss", "Flatten", "Identity", "Linear", "LogSoftmax", "MSELoss", "Module", "NLLLoss", "Parameter",
    "ReLU", "Sequential", "Sigmoid", "Softmax", "Tanh", "data", "functional", "init",
]  # fmt: skip
