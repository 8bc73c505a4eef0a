"""Names of PyTorch's that are left out, each with what to use instead.

Only looked at when a name was not found, so nothing is slower for it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

_SPARSE = "sparse layouts are not supported; keep the Tensor dense, and index the rows that are needed"
_COMPLEX = "complex numbers are not supported; keep real and imaginary parts apart"
_QUANTIZED = "quantized dtypes are not supported; use float32 or int64"
_NAMED = "named dimensions are not supported; use their numbers"
_DEVICES = "there is only the CPU; leave this call out"
_MEMORY = "the memory behind a Tensor is its NumPy array: numpy() gives it, stride() and data_ptr() say how it lies"
_LINALG = "it is gone from PyTorch too, or belongs to its linalg; use linalg.solve, lstsq, eigh, qr, svd or matrix_rank"
_NN = "it is in nn.functional"
_LAYERS = "use the layer or cell of nn: RNN, LSTM, GRU, RNNCell, LSTMCell or GRUCell"
_MIXED = "there is no automatic mixed precision; compute in float32, or convert the model with half()"
_COMPILED = "there is no compilation of Tensor programs but autograd.backends.jax.jit"
_SYMBOLIC = "shapes are plain ints, never symbols; use Python's own operators on them"
_PROCESSES = "there is one process and no distributed training; leave this out"
_INTERNAL = "it is internal to PyTorch; use the function without this prefix or suffix"

_REASONS = {
    "there is no export of models; nn.training.save writes weights that other libraries read": "onnx",
    _SPARSE: """
        to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc to_dense coalesce is_coalesced
        sparse_mask sparse_coo_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor
        sparse_compressed_tensor sparse_dim dense_dim sparse smm sspaddmm dsmm hsmm hspmm spmm saddmm sparse_coo
        sparse_csr sparse_csc sparse_bsr sparse_bsc sparse_resize_ sparse_resize_and_clear_ resize_as_sparse_ indices
        values crow_indices col_indices ccol_indices row_indices segment_reduce masked nested jagged to_padded_tensor
    """,
    _COMPLEX: """
        imag angle conj conj_physical conj_physical_ resolve_conj view_as_complex view_as_real is_conj complex64
        complex128 complex32 cfloat cdouble chalf fft stft istft eig resolve_neg
    """,
    _QUANTIZED: """
        quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel dequantize int_repr q_scale q_zero_point
        q_per_channel_axis q_per_channel_scales q_per_channel_zero_points qscheme qint8 quint8 qint32 quint4x2 quint2x4
        per_channel_affine per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine per_tensor_symmetric
        quantization ao choose_qparams_optimized empty_quantized
    """,
    _NAMED: "names rename rename_ refine_names align_to align_as",
    _DEVICES: """
        pin_memory is_pinned share_memory_ is_shared xpu mps ipu hpu mtia accelerator Stream Event record_stream
        get_device_module is_vulkan_available to_mkldnn multiprocessing AcceleratorError OutOfMemoryError
    """,
    _MEMORY: """
        storage untyped_storage storage_type as_strided as_strided_ as_strided_scatter set_ is_set_to
        const_data_ptr dim_order new_empty_strided is_storage from_file Storage slice_inverse module_load
    """,
    _LINALG: "solve symeig lstsq lu lu_solve lu_unpack geqrf orgqr ormqr matrix_rank lobpcg svd_lowrank pca_lowrank",
    _NN: """
        kl_div ctc_loss binary_cross_entropy_with_logits cosine_embedding_loss hinge_embedding_loss margin_ranking_loss
        poisson_nll_loss triplet_margin_loss celu_ selu_ rrelu_ threshold_
    """,
    _LAYERS: "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
    _MIXED: "amp autocast GradScaler clear_autocast_cache",
    _COMPILED: "compile jit vmap export fx compiler library cond while_loop",
    _PROCESSES: "distributed futures fork wait",
    "half precision here is float16; bfloat16 is not supported: use float32": "bfloat16",
    "layers, losses and optimizers are packages of their own: import nn, import optim": "nn optim",
    "memory layouts are not supported; contiguous() gives entries in order": """
        channels_last channels_last_3d memory_format strided contiguous_format preserve_format empty_permuted
        legacy_contiguous_format
    """,
    "PyTorch's torch.autograd is this very module: import autograd": "autograd",
    "grad, vjp, jvp, jacobian, hessian and hvp of functions are in autograd, functional_call in nn.utils.stateless":
        "func",
    "torch.utils.data is nn.data, checkpoint is autograd.checkpoint": "utils",
    "it is deprecated in PyTorch; use arange, which leaves the end out": "range",
    "it is deprecated in PyTorch; use set_default_dtype": "set_default_tensor_type",
    "make the window with scipy.signal.windows, and tensor() of it": """
        bartlett_window blackman_window hamming_window hann_window kaiser_window signal windows
    """,
    "use linalg.matrix_norm(x, 'fro') or linalg.matrix_norm(x, 'nuc')": "frobenius_norm nuclear_norm norm_except_dim",
    "numpy.gradient, numpy.histogramdd and numpy.frexp of x.numpy() give the values, without gradient; diff has one":
        "gradient histogramdd frexp",
    "use from_numpy(numpy.frombuffer(...)) or from_numpy(numpy.from_dlpack(...))": "frombuffer from_dlpack to_dlpack",
    "use from_numpy(autograd.default_generator.numpy().binomial(count, prob))": "binomial",
    "SciPy has these sequences: tensor(scipy.stats.qmc.Sobol(d).random(n))": "quasirandom",
    "model files are not fetched; load a state with nn.training.load": "hub package serialization",
    "use pad(input, pad, 'constant', value)": "constant_pad_nd",
    "use conv1d, conv2d or conv3d": "convolution conv_tbc",
    "use grid_sample or affine_grid": "grid_sampler grid_sampler_2d grid_sampler_3d affine_grid_generator",
    "use max_pool1d(..., return_indices=True)": "max_pool1d_with_indices",
    "use nn.functional.dropout, or alpha_dropout, feature_alpha_dropout or dropout2d, with inplace=True": """
        dropout_ alpha_dropout_ feature_alpha_dropout_ feature_dropout feature_dropout_
    """,
    "use full_like(x, value), or x.fill_(value)": "fill",
    "the rows of an embedding are shortened by embedding(..., max_norm=...)": "embedding_renorm_",
    "a Tensor's shape does not change in place; write x = x.reshape(...), or x.new_empty(...)":
        "resize resize_as resize_as_",
    "x.copy_(f(x)) does it for all entries at once; from_numpy(numpy.vectorize(f)(x.numpy())) calls f on each":
        "apply_ map_ map2_",
    "operations return plain Tensors, whatever class theirs have; write a function of Tensors": "as_subclass",
    "how long the result is depends on the values; use nonzero()": "nonzero_static",
    "wrap the code in no_grad()": "volatile",
    "use x[...]; x.index_select takes one dimension": "index",
    "write the loss yourself: minus the log-probability of what was chosen, times its reward": "reinforce",
    "look at grad_fn, draw(x) or watch(x)": "name output_nr",
    "its gradient has the Tensor's own dtype; convert it where it is used": "grad_dtype",
    "compare with equal(), or hash x.numpy().tobytes()": "hash_tensor",
    "ask is_grad_enabled()": "is_inference_mode_enabled",
    "use set_detect_anomaly": "set_anomaly_enabled",
    "use set_num_threads": "set_num_interop_threads get_num_interop_threads init_num_threads",
    "use Python's module warnings": "set_warn_always is_warn_always_enabled",
    "use use_deterministic_algorithms; results are the same from run to run anyway": """
        set_deterministic_debug_mode get_deterministic_debug_mode is_deterministic_algorithms_warn_only_enabled
    """,
    "numbers too small for the dtype's full precision are computed with as they are": "set_flush_denormal",
    "use Generator(), and give each thread its own": "thread_safe_generator",
    "use numpy.testing or allclose()": "testing",
    "use autograd.profile, or draw(y) and step_through(y) to look at the graph": "profiler monitor",
    "use autograd.profile.region": "record_function",
    "nn.ParameterDict, nn.ModuleDict and register_buffer are in nn": "ParameterDict ModuleDict BufferDict",
    "operations are primitives and composed functions; see autograd.primitive": "overrides classes",
    "backward walks one graph at a time in the thread that calls it; leave this out": """
        set_multithreading_enabled is_multithreading_enabled grad_mode enforce_grad_layout_policy
    """,
    "derivatives forward are jvp's": "forward_ad",
    "use Function": "NestedIOFunction",
    "a Variable is a Tensor; use Tensor": "variable",
    "several results come as a named tuple, whose fields are PyTorch's": "return_types",
    "annotate with Tensor, numpy.dtype and Python's own types": "types",
    "importlib.metadata.version('glassgrad') says which version this is": "version torch_version",
}  # fmt: skip
REASONS = {name: reason for reason, names in _REASONS.items() for name in names.split()}

# Families of names: those of PyTorch's inner functions, and of dtypes that no computation has; and names that mean
# something else here.
_FAMILIES = {
    r"cpu": _DEVICES,
    r"layout": "memory layouts are not supported; contiguous() gives entries in order",
    r"(quantized|fake_quantize|fbgemm|fused_moving)_.+|QU?Int.+": _QUANTIZED,
    r".*(_autocast|autocast_).*": _MIXED,
    r"sym_.+|Sym.+": _SYMBOLIC,
    r".*Storage(Base)?": _MEMORY,
    r"Script.+|parse_.+|import_ir.+": _COMPILED,
    r"(cudnn|miopen|mkldnn|native)_.+|batch_norm_.+|.+_copy": _INTERNAL,
    r"u?int[1-7]|bits.+|bit|float[48]_.+": "such small numbers are not supported; use int8, uint8 or float16",
    r"BFloat16.+": "half precision here is float16; bfloat16 is not supported: use float32",
}


# Those that are attributes of a Tensor in PyTorch.
_OF_TENSORS = """
    to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc to_dense coalesce is_coalesced
    sparse_mask sparse_dim dense_dim smm sspaddmm sparse_resize_ sparse_resize_and_clear_ resize_as_sparse_ indices
    values crow_indices col_indices ccol_indices row_indices to_padded_tensor
    imag angle conj conj_physical conj_physical_ resolve_conj resolve_neg is_conj cfloat cdouble chalf stft istft eig
    dequantize int_repr q_scale q_zero_point q_per_channel_axis q_per_channel_scales q_per_channel_zero_points qscheme
    names rename rename_ refine_names align_to align_as
    pin_memory is_pinned share_memory_ is_shared xpu ipu mtia record_stream to_mkldnn bfloat16
    storage untyped_storage storage_type as_strided as_strided_ as_strided_scatter set_ is_set_to const_data_ptr
    dim_order new_empty_strided slice_inverse module_load layout
    solve symeig lstsq lu lu_solve geqrf orgqr ormqr
    frexp resize resize_as resize_as_ apply_ map_ map2_ as_subclass nonzero_static volatile index reinforce name
    output_nr grad_dtype hash_tensor
"""


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
    for name in _OF_TENSORS.split():
        setattr(tensor, name, _Refused(name))


def missing(owner: str, name: str, names: Iterable[str] = ()) -> AttributeError:
    """The error for a name that ``owner`` does not have; ``names`` are those that it has."""
    reason = REASONS.get(name)
    if reason is None:
        reason = next((why for family, why in _FAMILIES.items() if re.fullmatch(family, name)), None)
    if reason is not None:
        return AttributeError(f"{owner} has no attribute {name!r}: {reason}")
    # Names that begin with an underscore are asked for by programs; people mistype the others.
    close = [] if name.startswith("_") else difflib.get_close_matches(name, list(names), n=1, cutoff=0.7)
    return AttributeError(f"{owner} has no attribute {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
