"""Every public name of PyTorch's that a model file may use is here, or its absence is explained by a sentence."""

from __future__ import annotations

import importlib
import types
import typing

import pytest

import autograd
import nn
import optim
from autograd import Tensor

# What is public by its spelling only.
INNER = {
    "the graphs and types of TorchScript, and what C++ binds for it": """
        AggregationType AVG SUM AliasDb AnyType Argument ArgumentSpec AwaitType Block BoolType CallStack Capsule
        ClassType Code CompilationUnit CompleteArgumentSpec ComplexType ConcreteModuleType ConcreteModuleTypeBuilder
        DeepCopyMemoTable DeserializationStorageContext DeviceObjType DictType EnumType ErrorReport ExecutionPlan
        FileCheck FloatType FunctionSchema Future FutureType Gradient Graph GraphExecutorState IODescriptor InferredType
        IntType InterfaceType JITException ListType LiteScriptModule Node NoneType NumberType OperatorInfo OptionalType
        PyObjectType RRefType SerializationStorageContext StaticModule StreamObjType StringType TensorType TracingState
        TupleType Type UnionType Use Value merge_type_from_type_comment unify_type_list
    """,
    "how PyTorch's own code is dispatched, logged, measured, saved and built": """
        BenchmarkConfig BenchmarkExecutionStats DisableTorchFunction DisableTorchFunctionSubclass DispatchKey
        DispatchKeySet ExcludeDispatchKeyGuard FatalError LockingLogger LoggerBase NoopLogger PRIVATE_OPS
        PyTorchFileReader PyTorchFileWriter Tag ThroughputBenchmark USE_GLOBAL_DEPS USE_RTLD_GLOBAL_WITH_LIBTORCH
        classproperty compiled_with_cxx11_abi get_file_path has_lapack has_mkl has_openmp has_spectral
        prepare_multiprocessing_environment profiler_allow_cudagraph_cupti_lazy_reinit_cuda12 cpp
        boolean_dispatch assert_int_or_pair GRID_SAMPLE_INTERPOLATION_MODES GRID_SAMPLE_PADDING_MODES
        handle_torch_function has_torch_function has_torch_function_unary has_torch_function_variadic
        ScalingType SwizzleType DType T_destination call_super_init dump_patches profile_hook_step
        OptimizerPreHook OptimizerPostHook
    """,
    "texts that docstrings are put together from": """
        common_notes common_args multi_dim_common reproducibility_notes sparse_support_notes tf32_notes
        factory_common_args
    """,
    "an experiment of PyTorch's, for steps under torch.compile": "swap_in_optimizer_params_and_state",
    "types to annotate with": "BroadcastingList1 BroadcastingList2 BroadcastingList3 Optional",
}
EXCEPTIONS = {name: reason for reason, names in INNER.items() for name in names.split()}

# PyTorch's namespaces beside ours; of instances where attributes are refused when they are asked for.
WEIGHT = autograd.zeros(1, requires_grad=True)
NAMESPACES = {
    "": autograd,
    "Tensor": Tensor,
    "autograd": autograd,
    "autograd.functional": autograd.functional,
    "linalg": autograd.linalg,
    "special": autograd.special,
    "nn": nn,
    "nn.Module": nn.Module(),
    "nn.functional": nn.functional,
    "nn.init": nn.init,
    "nn.utils": nn.utils,
    "nn.utils.rnn": nn.utils.rnn,
    "nn.utils.rnn.PackedSequence": nn.utils.rnn.pack_sequence([autograd.zeros(1)]),
    "optim": optim,
    "optim.Optimizer": optim.SGD([WEIGHT], lr=0.1),
    "optim.lr_scheduler": optim.lr_scheduler,
    "utils.data": nn.data,
}


def public_names(theirs):
    """Those of ``__all__`` where there is one that is complete, else those without an underscore and not imported."""
    if hasattr(theirs, "__all__") and theirs.__name__ != "torch":
        return sorted(name for name in theirs.__all__ if not name.startswith("_"))
    found = []
    for name in dir(theirs):
        if name.startswith("_"):
            continue
        value = getattr(theirs, name, None)
        module = getattr(value, "__module__", None) or ""
        imported = isinstance(value, types.ModuleType) and not value.__name__.startswith("torch.")
        of_python = str(module).split(".")[0] in (
            "typing",
            "typing_extensions",
            "collections",
            "functools",
            "dataclasses",
        )
        if not (imported or of_python or value is typing.TYPE_CHECKING or name in ("torch", "math", "warnings", "np")):
            found.append(name)
    return found


def explained(ours, name):
    """None if the name is there, or else what is said when it is asked for."""
    try:
        getattr(ours, name)
    except (AttributeError, NotImplementedError) as error:
        return str(error)
    return None


@pytest.mark.reference
@pytest.mark.parametrize("path", NAMESPACES)
def test_every_public_name_is_here_or_says_what_to_use(path):
    theirs = importlib.import_module("torch")
    for part in filter(None, path.split(".")):
        submodule = f"{theirs.__name__}.{part}" if isinstance(theirs, types.ModuleType) else None
        if not hasattr(theirs, part):
            importlib.import_module(submodule)
        theirs = getattr(theirs, part)
    silent = []
    for name in public_names(theirs):
        message = None if name in EXCEPTIONS else explained(NAMESPACES[path], name)
        # "… has no attribute 'name': the sentence"
        if message is not None and len(message.split(f"'{name}'", 1)[-1]) < 10:
            silent.append(name)
    assert not silent


@pytest.mark.reference
def test_every_exception_is_a_name_that_is_not_here():
    assert not [name for name in EXCEPTIONS if name in vars(autograd) or name in vars(nn) or hasattr(Tensor, name)]
