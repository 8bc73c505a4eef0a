"""Runs one batch through a model and back, and measures what each layer did."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import describe

from ..activation import Hardsigmoid, Hardtanh, Maxout, Sigmoid, Softmax, Tanh
from ..attention import MultiheadAttention
from ..convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..embedding import Embedding
from ..linear import Bilinear, Linear
from ..module import Module
from ..normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    LayerNorm,
    RMSNorm,
)
from ..rectifiers import ReLU, ReLU6
from ..recurrent import GRU, LSTM, RNN
from ..utils.stateless import functional_call
from .diagnosis import diagnose
from .report import Health, LayerHealth
from .statistics import dead_units, describe_entries, effective_rank, saturated_entries, units

__all__ = ["health"]

# What is dead where it is 0, and between which values a slope is worth something; by class and by operation.
_RECTIFIERS = (ReLU, ReLU6)
_BOUNDED: dict[type, tuple[float, float]] = {
    Tanh: (-0.99, 0.99), Sigmoid: (0.01, 0.99), Softmax: (-math.inf, 0.99), Hardsigmoid: (0.01, 0.99),
}  # fmt: skip
_OPERATIONS: dict[str, tuple[float, float] | None] = {
    "relu": None, "tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99), "softmax": (-math.inf, 0.99),
}  # fmt: skip
# Which dimension of an output counts the units; the others keep that of the layer in front.
_CHANNELS_SECOND = (
    Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, BatchNorm1d, BatchNorm2d, BatchNorm3d,
    InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, GroupNorm,
)  # fmt: skip
_CHANNELS_LAST = (Linear, Bilinear, Maxout, Embedding, LayerNorm, RMSNorm, RNN, GRU, LSTM, MultiheadAttention)


@dataclass
class _Layer:
    """What is gathered of one layer while the batch runs."""

    row: LayerHealth
    module: Module | None = None
    bounds: tuple[float, float] | None = None
    rectifies: bool = False
    axis: int = -1
    outputs: list[Tensor] = field(default_factory=list)
    inputs: list[np.ndarray] = field(default_factory=list)


def health(
    model: Module,
    batch: Any,
    *,
    loss: Callable[[Any, Any], Tensor] | None = None,
    optimizer: Any = None,
    before: Mapping[str, Tensor] | None = None,
) -> Health:
    """Looks at what every layer does on one batch, forward and backward, and says what is wrong and what helps.

    A row for each layer: the distribution of its output and of the gradient that reaches it, the units that are dead
    (a ReLU's that are 0 on the whole batch) or saturated (|tanh| above 0.99, a sigmoid beyond 0.01 and 0.99, a softmax
    above 0.99), the effective ranks of outputs and weights, the gradients of the weights, and how far a step moves
    them. The warnings are about what keeps a model from learning: dead and saturated units, gradients that vanish or
    explode between first and last layer, weights that are all alike or of low rank, steps that are far too large or
    small, numbers that are not finite.

    Layers are modules that have no modules in them or have parameters of their own, and the activations (relu, tanh,
    sigmoid, softmax) that the forward of a larger module calls as functions. The batch runs in the mode, training or
    evaluation, that the model is in. Model, buffers, gradients, optimizer and the random streams are left as they were.
    (Hooks of one's own are called.)

    Arguments:
        model: any module.
        batch: (input, target) or (input, input, …, target), as for ``nn.training.fit``; without a loss an input, or a
            tuple of inputs.
        loss: a function or module of (output, target) that gives a scalar. Without one there are gradients only if the
            model's output is a scalar.
        optimizer: of the model's parameters; a step of a copy tells how far it moves the weights.
        before: instead of it the ``state_dict`` before the last step, copied (``copy.deepcopy(model.state_dict())``).

    Returns a ``Health``: print it, ``plot()`` it, and look at its ``layers`` and ``warnings``.

    Raises:
        TypeError: something else as model or batch. ValueError: both optimizer and before, or one that is of another
            model. ShapeError: a loss that is no scalar.

    Source: lectures; Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Networks, 2010.

    >>> import nn
    >>> _ = autograd.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> _ = nn.init.constant_(model[0].bias, -10.0)
    >>> report = nn.health(model, (autograd.randn(32, 4), autograd.zeros(32).long()), loss=nn.CrossEntropyLoss())
    >>> report.warnings[0][:53]
    '100 % of units in `1` (ReLU) are 0 on this batch, and'
    """
    if not isinstance(model, Module):
        raise TypeError(f"health: model must be an nn.Module, got {describe(model)}")
    if optimizer is not None and before is not None:
        raise ValueError("health: give either an optimizer or the state before its step, got both")
    if optimizer is not None and loss is None:
        raise ValueError("health: a step of the optimizer wants a loss; give loss=")
    inputs, target = _split(batch, loss is not None)

    def objective(output: Any) -> Any:
        value = output if loss is None else loss(output, target)
        if loss is not None and not (isinstance(value, Tensor) and value.numel() == 1):
            raise autograd.ShapeError(f"health: the loss must be one number, got {describe(value)}; take its mean")
        return value

    with _streams_kept(model, loss), autograd.enable_grad():
        layers, value = _run(model, inputs, objective)
    scalar = isinstance(value, Tensor) and value.numel() == 1
    gradients = _gradients(value, layers, model) if scalar and value.requires_grad else {}
    steps: dict[Any, np.ndarray] = {}
    if optimizer is not None:
        with _streams_kept(model, loss):
            steps = _steps_of_a_copy(model, optimizer, inputs, objective)
    elif before is not None:
        steps = _steps_since(model, before)
    rows = [_measured(layer, gradients, steps) for layer in layers]
    return Health(rows, diagnose(rows), float(value.item()) if scalar else None)


def _split(batch: Any, with_target: bool) -> tuple[list[Any], Any]:
    fields = list(batch) if isinstance(batch, (tuple, list)) else [batch]
    if with_target and len(fields) < 2:
        raise TypeError(f"health: batch must be (input, target) where there is a loss, got {describe(batch)}")
    fields = [autograd.from_numpy(f) if isinstance(f, np.ndarray) else f for f in fields]
    if not fields or not isinstance(fields[0], Tensor):
        raise TypeError(
            f"health: batch must be of Tensors or arrays, got {describe(fields[0]) if fields else 'an empty tuple'}"
        )
    return (fields[:-1], fields[-1]) if with_target else (fields, None)


@contextmanager
def _streams_kept(model: Module, loss: Any) -> Any:
    """Puts all random streams back, the common one and those that modules hold."""
    tops = [m for m in (model, loss) if isinstance(m, Module)]
    held = [v for top in tops for m in top.modules() for v in vars(m).values()]
    generators = [v for v in held if isinstance(v, autograd.Generator)]
    numpys = [v.bit_generator for v in held if isinstance(v, np.random.Generator)]
    states = [g.get_state() for g in generators], [b.state for b in numpys], autograd.get_rng_state()
    try:
        yield
    finally:
        for generator, state in zip(generators, states[0], strict=True):
            generator.set_state(state)
        for bits, place in zip(numpys, states[1], strict=True):
            bits.state = place
        autograd.set_rng_state(states[2])


class _Watcher:
    """Sees the calls of all layers of one forward, and the activations that are called as functions."""

    def __init__(self, model: Module) -> None:
        self.paths = {module: path for path, module in model.named_modules()}
        self.layers: dict[Any, _Layer] = {}  # by module, or by (module, operation, how many before it)
        self.calling: list[tuple[Module, dict[str, int]]] = []
        self.axis = -1
        self.parents = {m for m in self.paths if next(m.children(), None) is not None}
        self.watched = {
            m for m in self.paths if m not in self.parents or next(m.parameters(recurse=False), None) is not None
        }

    def enter(self, module: Module, args: tuple[Any, ...]) -> None:
        self.calling.append((module, {}))

    def leave(self, module: Module, args: tuple[Any, ...], output: Any) -> Any:
        self.calling.pop()
        place, result = _first_tensor(output)
        if module not in self.watched or result is None:
            return None
        layer = self.layers.get(module)
        if layer is None:
            layer = _Layer(LayerHealth(self.paths[module], type(module).__name__), module)
            layer.rectifies = isinstance(module, _RECTIFIERS)
            layer.bounds = next((b for kind, b in _BOUNDED.items() if isinstance(module, kind)), None)
            if type(module) is Hardtanh:
                margin = 0.005 * (module.max_val - module.min_val)
                layer.bounds = (module.min_val + margin, module.max_val - margin)
            self.layers[module] = layer
        if isinstance(module, _CHANNELS_SECOND):
            self.axis = 1
        elif isinstance(module, _CHANNELS_LAST) or result.ndim < 3:
            self.axis = -1
        layer.axis = self.axis if result.ndim > 2 else -1
        layer.outputs.append(result)
        if args and isinstance(args[0], Tensor) and args[0].is_floating_point() and len(layer.inputs) == 0:
            layer.inputs.append(units(args[0].detach().numpy(), layer.axis))
        # A copy goes on, so that what is written into it later changes neither the values nor the gradients seen here.
        if place is None:
            return result.clone()
        if isinstance(output, (tuple, list)) and not hasattr(output, "_fields"):
            return type(output)([*output[:place], result.clone(), *output[place + 1 :]])
        return None

    def ran(self, operation: Any) -> None:
        """An operation that ran in the forward of a module."""
        name = operation.primitive.name
        if name not in _OPERATIONS or not self.calling:
            return
        module, counts = self.calling[-1]
        # Of an activation layer it is what the layer gives, and in the cells of a recurrent one gates are to close.
        if type(module).__module__.partition(".")[0] == "nn" and module not in self.parents:
            return
        counts[name] = number = counts.get(name, 0) + 1
        key = (module, name, number)
        layer = self.layers.get(key)
        if layer is None:
            path = f"{self.paths[module]}: {name}()" + (f" {number}" if number > 1 else "")
            layer = _Layer(LayerHealth(path.removeprefix(": "), name), None, _OPERATIONS[name], name == "relu")
            self.layers[key] = layer
        layer.axis = self.axis if operation.result.ndim > 2 else -1
        layer.outputs.append(operation.result)


def _run(model: Module, inputs: list[Any], objective: Callable[[Any], Any]) -> tuple[list[_Layer], Any]:
    """The layers that ran on the inputs, in that order and behind them those that have only parameters; the loss."""
    watcher = _Watcher(model)
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    handles = []
    for module in watcher.paths:
        handles.append(module.register_forward_pre_hook(watcher.enter, prepend=True))
        handles.append(module.register_forward_hook(watcher.leave))
    try:
        with autograd.watch(watcher.ran):
            output = functional_call(model, buffers, tuple(inputs))
    finally:
        for handle in handles:
            handle.remove()
    for module in watcher.watched:
        if module not in watcher.layers and next(module.parameters(recurse=False), None) is not None:
            watcher.layers[module] = _Layer(LayerHealth(watcher.paths[module], type(module).__name__), module)
    return list(watcher.layers.values()), objective(output)


def _first_tensor(output: Any) -> tuple[int | None, Tensor | None]:
    """The floating Tensor that is the output, or the first in it, and its place."""
    if isinstance(output, Tensor):
        return None, output if output.is_floating_point() else None
    if isinstance(output, (tuple, list)):
        for place, part in enumerate(output):
            if isinstance(part, Tensor) and part.is_floating_point():
                return place, part
    return None, None


def _gradients(value: Tensor, layers: list[_Layer], model: Module) -> dict[Any, np.ndarray | None]:
    """The gradients of the loss with respect to outputs and parameters; nothing is written into ``.grad``."""
    wanted = [t for layer in layers for t in layer.outputs if t.requires_grad]
    wanted += [p for p in model.parameters() if p.requires_grad]
    wanted = list(dict.fromkeys(wanted))
    found = autograd.grad(value, wanted, allow_unused=True)
    return {t: None if g is None else g.detach().numpy() for t, g in zip(wanted, found, strict=True)}


def _steps_of_a_copy(
    model: Module, optimizer: Any, inputs: list[Any], objective: Callable[[Any], Any]
) -> dict[Any, np.ndarray]:
    """How far a step of the optimizer moves each parameter: made by copies of it and of the model."""
    own = set(model.parameters())
    if not any(p in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("health: the optimizer has none of the model's parameters; give that of this model")
    twin, stepper = copy.deepcopy((model, optimizer))

    def closure() -> Tensor:
        stepper.zero_grad()
        value = objective(twin(*inputs))
        value.backward()
        return value

    before = [p.detach().numpy().copy() for p in twin.parameters()]
    takes = inspect.signature(stepper.step).parameters.values()
    needs = any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in takes)
    with autograd.enable_grad():
        if needs or getattr(stepper, "wants_closure", False):
            stepper.step(closure)
        else:
            closure()
            stepper.step()
    after = [p.detach().numpy() for p in twin.parameters()]
    return {p: b - a for p, a, b in zip(model.parameters(), before, after, strict=True)}


def _steps_since(model: Module, before: Mapping[str, Tensor]) -> dict[Any, np.ndarray]:
    steps = {}
    for name, p in model.named_parameters():
        if name not in before or tuple(before[name].shape) != p.shape:
            got = describe(before[name]) if name in before else "none of that name"
            raise ValueError(f"health: before must have {name} of shape {p.shape}, got {got}")
        steps[p] = p.detach().numpy() - autograd.as_tensor(before[name]).detach().numpy()
    if all(p.data_ptr() == before[n].data_ptr() for n, p in model.named_parameters() if isinstance(before[n], Tensor)):
        raise ValueError("health: before shares the model's memory; take it as copy.deepcopy(model.state_dict())")
    return steps


def _measured(layer: _Layer, gradients: dict[Any, np.ndarray | None], steps: dict[Any, np.ndarray]) -> LayerHealth:
    row = layer.row
    if layer.outputs:
        arrays = [t.detach().numpy() for t in layer.outputs]
        row.shape = tuple(arrays[0].shape)
        row.activation = describe_entries(arrays)
        reached = [g for t in layer.outputs if (g := gradients.get(t)) is not None]
        row.gradient = describe_entries(reached)
        matrices = [units(a, layer.axis) for a in arrays]
        matrix = np.concatenate(matrices) if len({m.shape[1] for m in matrices}) == 1 else matrices[0]
        row.samples, row.units = matrix.shape
        if row.units > 1 and row.samples > 1:
            row.rank = effective_rank(matrix, centred=True)
            if layer.inputs and layer.inputs[0].shape[0] > 1:
                row.input_rank = effective_rank(layer.inputs[0], centred=True)
        if layer.rectifies:
            row.dead = dead_units(matrix)
        if layer.bounds is not None:
            # Of a softmax one entry decides; where it is near 1 all slopes of the row are near 0.
            decides = matrix.max(1, keepdims=True) if layer.bounds[0] == -math.inf else matrix
            row.saturated = saturated_entries(decides, *layer.bounds)
    own = [] if layer.module is None else list(layer.module.parameters(recurse=False))
    if own:
        row.weights = _norm([p.detach().numpy() for p in own])
        found = [g for p in own if (g := gradients.get(p)) is not None]
        row.weight_gradient = _norm(found) if found else None
        moved = [steps[p] for p in own if p in steps]
        row.update = _norm(moved) / row.weights if moved and row.weights else None
        matrices = [p.detach().numpy() for p in own if p.ndim > 1]
        if matrices:
            largest = max(matrices, key=lambda m: m.size)
            weight = largest.reshape(largest.shape[0], -1)
            row.weight_rank, row.weight_size = effective_rank(weight), min(weight.shape)
            row.constant = (
                weight.size > 1 and bool((weight == weight[:1]).all()) and (len(weight) > 1 or not weight.any())
            )
    return row


def _norm(arrays: list[np.ndarray]) -> float:
    return math.sqrt(sum(float(np.square(a, dtype=np.float64).sum()) for a in arrays))
