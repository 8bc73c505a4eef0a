"""What a script sets once: how Tensors are printed, how many threads there are; and how not to save."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any, NoReturn

from . import printing, threads
from .printing import Options

__all__ = [
    "are_deterministic_algorithms_enabled", "get_float32_matmul_precision", "get_num_threads", "get_printoptions",
    "load", "save", "set_float32_matmul_precision", "set_num_threads", "set_printoptions",
    "use_deterministic_algorithms",
]  # fmt: skip

_PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how Tensors are written; what is None stays as it is.

    Arguments:
        precision: digits behind the point, 4 at first.
        threshold: of how many entries on the middle is left out, 1000 at first.
        edgeitems: how many entries are shown at each end then, 3 at first.
        linewidth: characters in a line, 80 at first.
        profile: ``"default"``, ``"short"`` or ``"full"``, to start from.
        sci_mode: write 1.5000e+00 always (True) or never (False); as ``profile`` is given again, by their size.

    >>> import autograd
    >>> set_printoptions(precision=2, sci_mode=True)
    >>> autograd.tensor([1.5, 0.25])
    tensor([1.50e+00, 2.50e-01])
    >>> set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {sorted(_PROFILES)}, got {profile!r}")
        for name, value in vars(_PROFILES[profile]).items():
            setattr(printing.options, name, value)
    for name, value in (("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems),
                        ("linewidth", linewidth), ("sci_mode", sci_mode)):  # fmt: skip
        if value is not None:
            if name != "sci_mode" and value < 0:
                raise ValueError(f"set_printoptions: {name} must not be negative, got {value}")
            setattr(printing.options, name, value)


def get_printoptions() -> dict[str, Any]:
    """What ``set_printoptions`` set.

    >>> get_printoptions()["precision"]
    4
    """
    return dict(vars(printing.options))


_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def get_num_threads() -> int:
    """How many threads matrix products may use.

    As threadpoolctl knows it, if that is installed; else what the environment of the process says.

    >>> get_num_threads() >= 1
    True
    """
    controller = _threadpoolctl()
    if controller is not None:
        pools = [pool["num_threads"] for pool in controller.threadpool_info() if pool["user_api"] == "blas"]
        if pools:
            return max(pools)
    for name in _THREAD_VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return os.cpu_count() or 1


def set_num_threads(n: int) -> None:
    """Lets matrix products, and work that is spread over threads, use ``n`` of them.

    NumPy's library for products is told by threadpoolctl (``pip install threadpoolctl``; scikit-learn brings it).
    Without it their number cannot change once NumPy is loaded, and a warning says so.
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: wants a whole number above 0, got {n!r}")
    threads.limit(n)
    controller = _threadpoolctl()
    if controller is not None:
        controller.threadpool_limits(limits=n, user_api="blas")
    elif n != get_num_threads():
        warnings.warn(
            f"set_num_threads: nothing changed for matrix products; install threadpoolctl, or set "
            f"{_THREAD_VARIABLES[0]}={n} in the environment before Python starts",
            stacklevel=2,
        )


def _threadpoolctl() -> Any:
    try:
        import threadpoolctl  # type: ignore[import-untyped]
    except ImportError:
        return None
    return threadpoolctl


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted, so that scripts run: products of float32 are computed in float32 here."""
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: 'highest', 'high' or 'medium', got {precision!r}")


def get_float32_matmul_precision() -> str:
    """``"highest"``: products of float32 are computed in float32, whatever was set."""
    return "highest"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted, so that scripts run: with the same seed all results are the same from run to run here."""
    if not isinstance(mode, bool):
        raise TypeError(f"use_deterministic_algorithms: mode must be True or False, got {mode!r}")


def are_deterministic_algorithms_enabled() -> bool:
    """True: there are no others here."""
    return True


def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused: PyTorch's files are pickles, which run code when they are read."""
    raise NotImplementedError(
        "save: there are no files in PyTorch's pickle format here, because reading one runs code; "
        'nn.training.save(model, "model.safetensors") or "model.npz" writes a state_dict, without nn numpy.savez does'
    )


def load(f: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused, as ``save`` is."""
    raise NotImplementedError(
        "load: PyTorch's pickle files are not read here, because reading one runs code; write them in PyTorch with "
        "safetensors.torch.save_model, and read them with model.load_state_dict(nn.training.load(path)), "
        "without nn with numpy.load"
    )
