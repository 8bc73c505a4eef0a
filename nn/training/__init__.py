"""Training: one call that fits a model, what it measures, and files that it goes on from.

>>> import autograd, nn, optim
>>> x = autograd.linspace(-1, 1, 64).reshape(64, 1)
>>> model = nn.Linear(1, 1)
>>> history = nn.training.fit(
...     model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.5), (x, 2 * x + 1), epochs=20, progress=False)
>>> history["loss"][-1] < 1e-4
True
"""

from . import callbacks, checkpoint, confusion, files, health_callback, history, metric, metrics, run
from .callbacks import *
from .checkpoint import *
from .confusion import *
from .files import *
from .fit import evaluate, fit
from .health_callback import *
from .history import *
from .metric import *
from .metrics import *
from .run import *

__all__ = ["evaluate", "fit"]
__all__ += callbacks.__all__
__all__ += checkpoint.__all__
__all__ += confusion.__all__
__all__ += files.__all__
__all__ += health_callback.__all__
__all__ += history.__all__
__all__ += metric.__all__
__all__ += metrics.__all__
__all__ += run.__all__
