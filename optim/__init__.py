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
"""

import autograd

if not hasattr(autograd, "Primitive"):
    raise ImportError(
        f"optim: `import autograd` finds the older package of that name (HIPS) in {autograd.__file__}, not Glassgrad; "
        "run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["Adam", "Optimizer", "SGD"]
