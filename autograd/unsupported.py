"""Names of PyTorch's that are left out, each with what to use instead.

Only looked at when a name was not found, so nothing is slower for it.
"""

from __future__ import annotations

from typing import Any

_SPARSE = "sparse layouts are not supported; keep the Tensor dense, and index the rows that are needed"
_COMPLEX = "complex numbers are not supported; keep real and imaginary parts apart"
_QUANTIZED = "quantized dtypes are not supported; use float32 or int64"
_NAMED = "named dimensions are not supported; use their numbers"
_DEVICES = "there is only the CPU; leave this call out"

_REASONS = {
    _SPARSE: """
        to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_dense coalesce is_coalesced sparse_mask
        sparse_coo_tensor sparse_csr_tensor sparse_dim dense_dim sparse smm sspaddmm
    """,
    _COMPLEX: """
        imag angle conj conj_physical resolve_conj view_as_complex view_as_real is_conj complex64 complex128 cfloat
        cdouble fft stft istft
    """,
    _QUANTIZED: "quantize_per_tensor quantize_per_channel dequantize int_repr q_scale qint8 quint8 qint32",
    _NAMED: "names rename rename_ refine_names align_to align_as",
    _DEVICES: "pin_memory is_pinned share_memory_ is_shared xpu mps ipu hpu",
    "half precision here is float16; bfloat16 is not supported: use float32": "bfloat16",
    "there is no compilation of Tensor programs but autograd.backends.jax.jit": "compile jit vmap",
    "layers, losses and optimizers are packages of their own: import nn, import optim": "nn optim",
    "memory layouts are not supported; contiguous() gives entries in order": "channels_last memory_format strided",
}
REASONS = {name: reason for reason, names in _REASONS.items() for name in names.split()}


# Those that are attributes of a Tensor in PyTorch.
_OF_TENSORS = (
    "to_sparse", "to_sparse_coo", "to_sparse_csr", "to_dense", "coalesce", "is_coalesced", "sparse_mask", "sparse_dim",
    "dense_dim", "smm", "imag", "angle", "conj", "conj_physical", "resolve_conj", "is_conj", "stft", "istft",
    "dequantize", "int_repr", "q_scale", "names", "rename", "rename_", "refine_names", "align_to", "align_as",
    "pin_memory", "is_pinned", "share_memory_", "is_shared", "bfloat16",
)  # fmt: skip


class _Refused:
    """An attribute that is not there, but says why when it is asked for.

    A ``__getattr__`` would do the same for all names, and slow down every attribute of the class.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise missing(owner.__name__, self._name)


def refuse_methods(tensor: type) -> None:
    """Gives ``tensor`` the attributes that say what is not supported."""
    for name in _OF_TENSORS:
        setattr(tensor, name, _Refused(name))


def missing(owner: str, name: str) -> AttributeError:
    """The error for a name that ``owner`` does not have."""
    reason = REASONS.get(name)
    return AttributeError(f"{owner} has no attribute {name!r}" + (f": {reason}" if reason else ""))
