"""Neural networks on the engine: modules, losses, initialisation and data, under PyTorch's names.

Nothing here defines a derivative; layers and losses compose the engine's operations.

>>> import autograd, nn
>>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
>>> model(autograd.ones(4, 2)).shape
(4, 1)
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

import autograd

if not hasattr(autograd, "Primitive"):
    raise ImportError(
        f"nn: `import autograd` finds the older package of that name (HIPS) in {autograd.__file__}, not Glassgrad; "
        "run `pip uninstall autograd glassgrad` and then install glassgrad again"
    )

from . import (
    activation,
    adaptive_softmax,
    attention,
    class_losses,
    container,
    convolution,
    density_losses,
    distance,
    dropout,
    embedding,
    functional,
    init,
    linear,
    loss,
    margin_losses,
    noise,
    normalization,
    padding,
    parameter_containers,
    pooling,
    rectifiers,
    recurrent,
    recurrent_cells,
    resampling,
    sequence_losses,
    transformer,
    tying,
    utils,
)
from .activation import *
from .adaptive_softmax import *
from .attention import *
from .class_losses import *
from .container import *
from .convolution import *
from .density_losses import *
from .distance import *
from .dropout import *
from .embedding import *
from .linear import *
from .loss import *
from .margin_losses import *
from .module import Module
from .noise import *
from .normalization import *
from .padding import *
from .parameter import Buffer, Parameter
from .parameter_containers import *
from .pooling import *
from .rectifiers import *
from .recurrent import *
from .recurrent_cells import *
from .resampling import *
from .sequence_losses import *
from .transformer import *
from .tying import *
from .unsupported import REASONS as _REASONS
from .unsupported import missing as _missing

if _TYPE_CHECKING:
    from . import averaging, data, regularizers, scalar, training
    from .ensemble import Ensemble, bootstrap
    from .model_health import Health, LayerHealth, health
    from .model_summary import Summary, summary

__all__ = [
    "Buffer", "Ensemble", "Health", "LayerHealth", "Module", "Parameter", "Summary", "averaging", "bootstrap", "data",
    "functional", "health", "init", "regularizers", "scalar", "summary", "training", "utils",
]  # fmt: skip
__all__ += activation.__all__
__all__ += adaptive_softmax.__all__
__all__ += attention.__all__
__all__ += class_losses.__all__
__all__ += container.__all__
__all__ += convolution.__all__
__all__ += density_losses.__all__
__all__ += distance.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += linear.__all__
__all__ += loss.__all__
__all__ += margin_losses.__all__
__all__ += noise.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += parameter_containers.__all__
__all__ += pooling.__all__
__all__ += rectifiers.__all__
__all__ += recurrent.__all__
__all__ += recurrent_cells.__all__
__all__ += resampling.__all__
__all__ += sequence_losses.__all__
__all__ += transformer.__all__
__all__ += tying.__all__

# Loaded when first asked for: they take as long to import as all the layers, and many programs need none of them.
_PACKAGES = ["averaging", "data", "ensemble", "model_health", "model_summary", "regularizers", "scalar", "training"]
_LAZY = {
    "Ensemble": ".ensemble", "bootstrap": ".ensemble", "Health": ".model_health", "LayerHealth": ".model_health",
    "health": ".model_health", "Summary": ".model_summary", "summary": ".model_summary",
}  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_PACKAGES})


if not _TYPE_CHECKING:  # a type checker is to report names that are not there

    def __getattr__(name: str) -> _Any:
        if name in _PACKAGES:
            return _import_module(f".{name}", __name__)
        if name in _LAZY:
            value = globals()[name] = getattr(_import_module(_LAZY[name], __name__), name)
            return value
        raise _missing(__name__, name, _REASONS, __all__)
