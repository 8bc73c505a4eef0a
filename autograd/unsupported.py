"""Names of PyTorch's that are left out, each with what to use instead.

Only looked at when a name was not found, so nothing is slower for it.
"""

from __future__ import annotations

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


def missing(owner: str, name: str) -> AttributeError:
    """The error for a name that ``owner`` does not have."""
    reason = REASONS.get(name)
    return AttributeError(f"{owner} has no attribute {name!r}" + (f": {reason}" if reason else ""))
