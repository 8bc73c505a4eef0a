"""Optimizers under PyTorch's names: pure update rules, written once, under a thin stateful shell.

>>> import autograd, optim
>>> w = autograd.tensor(3.0, requires_grad=True)
>>> optimizer = optim.SGD([w], lr=0.1, momentum=0.5)
>>> for _ in range(50):
...     optimizer.zero_grad()
...     (w * w).backward()
...     optimizer.step()
>>> abs(w.item()) < 1e-3
True

Gradients add up until they are cleared, so several small batches can make one step as a large one would: divide each
loss by their number, go backward from each, then step.

>>> import nn
>>> model, x, y = nn.Linear(3, 1), autograd.randn(8, 3), autograd.randn(8, 1)
>>> optimizer = optim.SGD(model.parameters(), lr=0.1)
>>> batches = list(zip(x.split(2), y.split(2)))
>>> for inputs, targets in batches:
...     loss = nn.functional.mse_loss(model(inputs), targets) / len(batches)
...     loss.backward()
>>> accumulated = model.weight.grad
>>> optimizer.zero_grad()
>>> nn.functional.mse_loss(model(x), y).backward()
>>> autograd.allclose(accumulated, model.weight.grad, atol=1e-6)
True
>>> optimizer.step()
"""

import autograd

if not hasattr(autograd, "Primitive"):
    raise ImportError(
        f"optim: `import autograd` finds the older package of that name (HIPS) in {autograd.__file__}, not Glassgrad; "
        "run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

from . import lr_scheduler, swa_utils
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .gradient_noise import GradientNoise
from .groups import decay_groups, fan_in_groups
from .kfac import KFAC
from .lbfgs import LBFGS
from .line_search import LineSearchResult, line_search
from .lion import Lion
from .lr_finder import LRFinderResult, lr_finder
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD, plain_mean
from .shampoo import Shampoo
from .sparse_adam import SparseAdam

__all__ = [
    "Adam",
    "GradientNoise",
    "LRFinderResult",
    "LineSearchResult",
    "Optimizer",
    "SGD",
    "fan_in_groups",
    "line_search",
    "lr_finder",
    "lr_scheduler",
    "swa_utils",
]

__all__ += [
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "AdamW", "Adamax", "KFAC", "LBFGS", "Lion", "Muon", "NAdam", "RAdam",
    "RMSprop", "Rprop", "Shampoo", "SparseAdam", "decay_groups", "plain_mean",
]  # fmt: skip
