"""Learning rate schedules under PyTorch's names, and those of the lectures.

>>> import autograd, optim
>>> w = autograd.tensor(3.0, requires_grad=True)
>>> optimizer = optim.SGD([w], lr=0.1)
>>> scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
>>> rates = []
>>> for epoch in range(5):
...     rates += scheduler.get_last_lr()
...     optimizer.zero_grad()
...     (w * w).backward()
...     optimizer.step()
...     scheduler.step()
>>> rates
[0.1, 0.1, 0.05, 0.05, 0.025]
"""

from .base import LRScheduler
from .combined import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cyclic import CyclicLR, OneCycleLR
from .decays import ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR
from .functions import ConstantThenInverseLR, InverseTimeLR, LambdaLR, MultiplicativeLR
from .plateau import HalveWhenWorseLR, ReduceLROnPlateau
from .preview import preview

__all__ = [
    "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR",
    "SequentialLR", "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau", "CyclicLR",
    "CosineAnnealingWarmRestarts", "OneCycleLR", "PolynomialLR", "LRScheduler",
    "ConstantThenInverseLR", "HalveWhenWorseLR", "InverseTimeLR", "preview",
]  # fmt: skip
