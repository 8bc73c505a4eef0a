"""The public names: those of PyTorch, and a row of the op table for each that computes."""

from __future__ import annotations

import inspect
import types

import pytest
from rows import LIBRARY, ROWS

import autograd
from autograd import Tensor, linalg
from autograd.primitive import Primitive, registry

# Public functions without a row, by the reason.
NOT_OPS = {
    "they make Tensors from numbers, and have no Tensor to differentiate": """
        arange as_tensor asarray empty empty_like eye from_numpy full full_like linspace logspace ones
        ones_like scalar_tensor tensor tril_indices triu_indices zeros zeros_like
    """,
    "they are random; their distributions, seeds and gradients are tested apart": """
        alpha_dropout bernoulli dropout dropout1d dropout2d dropout3d feature_alpha_dropout get_rng_state initial_seed
        manual_seed multinomial normal poisson rand rand_like randint randint_like randn randn_like randperm rrelu seed
        set_rng_state
    """,
    "they answer with a Python value and not with a Tensor": """
        allclose are_deterministic_algorithms_enabled broadcast_shapes can_cast equal get_default_device
        get_default_dtype get_float32_matmul_precision get_num_threads get_printoptions
        is_anomaly_check_nan_enabled is_anomaly_enabled is_complex is_floating_point is_grad_enabled is_profiling
        is_tensor numel promote_types result_type typename
    """,
    "they set something": """
        increment_version set_default_device set_default_dtype set_float32_matmul_precision set_num_threads
        set_printoptions use_deterministic_algorithms
    """,
    "they differentiate, or help to": """
        backward checkpoint draw elementwise_grad expand explain grad gradcheck gradgradcheck hessian hvp jacobian jvp
        once_differentiable primitive verify step_through value_and_grad vjp
    """,
    "how long the result is depends on the values, which jax.jit cannot compile": """
        bincount unique unique_consecutive
    """,
    "its row is that of the primitive behind it, symmetric_eigen": "linalg.eigh",
}
EXEMPT = {name: reason for reason, names in NOT_OPS.items() for name in names.split()}


def public_functions(module):
    """Its functions by name, without those that only say what to use instead."""
    return {
        name: value
        for name, value in ((name, getattr(module, name)) for name in dir(module))
        if not name.startswith("_") and isinstance(value, (types.FunctionType, Primitive))
        and value.__module__.startswith("autograd") and not (value.__doc__ or "").startswith("Refused")
    }  # fmt: skip


FUNCTIONS = public_functions(autograd) | {f"linalg.{n}": f for n, f in public_functions(linalg).items()}
ROW_NAMES = {row.name.split(" ")[0] for row in ROWS}
ROW_FUNCTIONS = {id(row.function) for row in ROWS} | {id(registry[name]) for name in LIBRARY}


def has_a_row(name, function):
    """A row of that name, or of that name and more words, or of the same function under another name."""
    return name in ROW_NAMES or name.removeprefix("linalg.") in ROW_NAMES or id(function) in ROW_FUNCTIONS


def test_every_public_function_has_a_row_or_a_reason():
    missing = sorted(
        name for name, f in FUNCTIONS.items()
        if not has_a_row(name, f) and getattr(f, "__name__", name) not in ROW_NAMES and name not in EXEMPT
    )  # fmt: skip
    assert not missing, f"add a row to tests/rows_*.py for {missing}, or say in NOT_OPS why there is none"


def test_every_reason_is_of_a_function_that_is_there_and_has_no_row():
    assert not [name for name in EXEMPT if name not in FUNCTIONS]
    assert not [name for name in EXEMPT if has_a_row(name, FUNCTIONS[name])]


@pytest.mark.reference
def test_at_least_250_ops_have_pytorchs_names():
    import torch

    functions = {
        name for name in public_functions(autograd) if name not in EXEMPT and callable(getattr(torch, name, None))
    }
    functional = {name for name in public_functions(autograd) if name in vars(torch.nn.functional)} - set(EXEMPT)
    of_linalg = {f"linalg.{name}" for name in public_functions(linalg) if hasattr(torch.linalg, name)}
    methods = {
        name for name in dir(Tensor)
        if not name.startswith("_") and callable(method := getattr(Tensor, name, None)) and hasattr(torch.Tensor, name)
        and not (method.__doc__ or "").startswith("Refused")
    }  # fmt: skip
    in_place = {name for name in methods if name.endswith("_")}
    ops = functions | functional | of_linalg
    print(f"{len(functions)} functions, {len(functional - functions)} of nn.functional, {len(of_linalg)} of linalg, "
          f"{len(methods)} methods, {len(in_place)} of them in place")  # fmt: skip
    assert len(ops) >= 250, sorted(ops)
    assert len(methods - in_place) >= 250 and len(in_place) >= 40, (len(methods), sorted(in_place))


@pytest.mark.reference
def test_the_first_argument_has_pytorchs_name():
    """Where PyTorch calls it ``input``, ``f(input=x)`` works; primitives take PyTorch's names for all of theirs."""
    import re

    import torch

    wrong = []
    for name, function in public_functions(autograd).items():
        theirs = getattr(torch, name, None)
        called_input = re.match(rf"\s*{name}\(input\b", getattr(theirs, "__doc__", None) or "")
        # det, slogdet and matrix_power are linalg's, and there the argument is A in both libraries.
        if called_input and not isinstance(function, Primitive) and function is not getattr(linalg, name, None):
            first = next(iter(inspect.signature(function).parameters))
            if first != "input":
                wrong.append(f"{name}({first}, …)")
    assert not wrong


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: autograd.ones(2).to_sparse(), "Tensor has no attribute 'to_sparse': sparse layouts are not supported"),
        (lambda: autograd.ones(2).imag, "Tensor has no attribute 'imag': complex numbers are not supported"),
        (lambda: autograd.sparse_coo_tensor, "module 'autograd' has no attribute 'sparse_coo_tensor': sparse layouts"),
        (lambda: autograd.nn, "import nn, import optim"),
        (lambda: autograd.no_such_name, "module 'autograd' has no attribute 'no_such_name'"),
        (lambda: autograd.ones(2).no_such_name, "no_such_name"),
    ],
)
def test_a_missing_name_says_what_to_use(call, fragment):
    with pytest.raises(AttributeError) as raised:
        call()
    assert fragment in str(raised.value)


# Those that PyTorch gives no keyword that we lack.
WITHOUT_OUT = {
    name
    for reason, names in NOT_OPS.items()
    if reason.startswith(("they answer", "they set", "they differentiate"))
    for name in names.split()
}
INSTEAD = {"out": "copy_()", "layout": "are dense", "memory_format": "in order", "names": "use their numbers"}
NOT_TAKEN = [
    (name, keyword)
    for name, f in sorted(FUNCTIONS.items())
    for keyword in INSTEAD
    if isinstance(f, types.FunctionType) and name not in WITHOUT_OUT and keyword not in inspect.signature(f).parameters
]


@pytest.mark.parametrize(("name", "keyword"), NOT_TAKEN)
def test_a_keyword_of_pytorchs_that_is_not_taken_says_what_to_use(name, keyword):
    with pytest.raises(TypeError, match=f"keyword '{keyword}' is not supported") as raised:
        FUNCTIONS[name](**{keyword: autograd.ones(1)})
    assert INSTEAD[keyword] in str(raised.value)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda x: autograd.mean(x, 0, keep_dim=True), "mean: keyword 'keep_dim' is not supported; did you mean"),
        (lambda x: x.sum(out=x), "sum: keyword 'out' is not supported; use what is returned"),
        (lambda x: x.to("cpu", memory_format=1), "to: keyword 'memory_format' is not supported; entries are in order"),
        (lambda x: x.clone(memory_format=1), "clone: keyword 'memory_format' is not supported; entries are in order"),
        (lambda x: x.contiguous(memory_format=1), "contiguous: keyword 'memory_format' is not supported"),
        (lambda x: autograd.zeros(2, pin_memory=True), "zeros: keyword 'pin_memory' is not supported; there is only"),
        (lambda x: autograd.linalg.inv(x, out=x), "keyword 'out' is not supported"),
    ],
)  # fmt: skip
def test_an_unknown_keyword_of_a_function_or_method(call, fragment):
    with pytest.raises(TypeError) as raised:
        call(autograd.eye(2))
    assert fragment in str(raised.value)


def test_no_name_that_is_there_is_called_unsupported():
    from autograd.unsupported import REASONS

    assert not [name for name in REASONS if name in vars(autograd) or hasattr(Tensor, name)]
