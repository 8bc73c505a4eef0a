"""Data sets, the order of their items, mini-batches, and what is done to data before training."""

from __future__ import annotations

from typing import NoReturn

from . import augmentation, collate, dataset, loader, preprocessing, readers, sampler
from .augmentation import *
from .collate import *
from .dataset import *
from .loader import *
from .preprocessing import *
from .readers import *
from .sampler import *

__all__ = ["augmentation", "preprocessing", "readers"]
__all__ += augmentation.__all__
__all__ += collate.__all__
__all__ += dataset.__all__
__all__ += loader.__all__
__all__ += preprocessing.__all__
__all__ += readers.__all__
__all__ += sampler.__all__

_INSTEAD = {
    "DistributedSampler": "training runs in one process; use RandomSampler",
    "get_worker_info": "a loader prepares batches in one thread, which sees the whole data set; leave the question out",
    "IterDataPipe": "data pipes are gone from PyTorch too; use IterableDataset",
    **dict.fromkeys(
        (
            "DFIterDataPipe",
            "DataChunk",
            "argument_validation",
            "functional_datapipe",
            "guaranteed_datapipes_determinism",
            "non_deterministic",
            "runtime_validation",
            "runtime_validation_disabled",
        ),
        "data pipes are gone from PyTorch too; use Dataset or IterableDataset",
    ),
    "MapDataPipe": "data pipes are gone from PyTorch too; use Dataset",
}


def __getattr__(name: str) -> NoReturn:
    if name in _INSTEAD:
        raise AttributeError(f"module 'nn.data' has no attribute {name!r}: {_INSTEAD[name]}")
    raise AttributeError(f"module 'nn.data' has no attribute {name!r}")
