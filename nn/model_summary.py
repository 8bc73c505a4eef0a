"""What a model is made of and what it costs: shapes, parameters, operations and memory of each layer."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import describe
from autograd.profiling import flops

from .container import ModuleDict, ModuleList
from .display import html_table, text_table
from .module import Module
from .parameter_containers import ParameterDict, ParameterList
from .utils.stateless import functional_call

__all__ = ["Summary", "summary"]


@dataclass
class LayerSummary:
    """One row of a ``Summary``; all numbers are the layer's own, without those of the layers inside it."""

    path: str
    kind: str
    holds: bool = False  # a container, which is not called itself
    calls: int = 0
    inputs: Any = None
    outputs: Any = None
    parameters: int = 0
    trainable: int = 0
    flops: int = 0
    multiply_adds: int = 0
    kept_bytes: int = 0


@dataclass
class Summary:
    """What ``nn.summary`` returns: prints as a table, also in notebooks.

    ``rows`` are the layers in the order of the model. The totals are sums over them: ``parameters`` and of these
    ``trainable``; ``flops``; ``multiply_adds`` of matrix products and convolutions; ``kept_bytes``, the memory of what
    the forward keeps for the backward.
    """

    rows: list[LayerSummary] = field(default_factory=list)
    parameter_bytes: int = 0

    @property
    def parameters(self) -> int:
        """How many numbers the parameters hold, shared ones once."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self) -> int:
        """How many of them require grad."""
        return sum(row.trainable for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations of one forward."""
        return sum(row.flops for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of matrix products and convolutions in one forward."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def kept_bytes(self) -> int:
        """Bytes of what one forward keeps for the backward."""
        return sum(row.kept_bytes for row in self.rows)

    def _cells(self) -> list[list[str]]:
        lines = [["layer", "input", "output", "parameters", "FLOPs", "kept for backward"]]
        for row in self.rows:
            depth = row.path.count(".") + 1 if row.path else 0
            name = row.path.rpartition(".")[2]
            times = f" × {row.calls}" if row.calls > 1 else ""
            frozen = " frozen" if row.parameters and not row.trainable else ""
            lines.append([
                "  " * depth + (f"{name}: " if name else "") + row.kind + times,
                _shape_text(row.inputs) if row.calls or row.holds else "not called",
                _shape_text(row.outputs) if row.calls else "",
                f"{row.parameters:,}{frozen}" if row.parameters else "",
                f"{row.flops:,}" if row.flops else "",
                _bytes(row.kept_bytes) if row.kept_bytes else "",
            ])  # fmt: skip
        return lines

    def _totals(self) -> list[str]:
        return [
            f"parameters: {self.parameters:,}, {self.trainable:,} of them trainable, {_bytes(self.parameter_bytes)}",
            f"FLOPs of a forward: {self.flops:,}, with 2 for each of the {self.multiply_adds:,} multiply-adds of "
            "products, 1 for each entry elsewhere",
            f"kept for backward: {_bytes(self.kept_bytes)}",
            "The numbers of a row are its own, without those of the layers inside it.",
        ]

    def __repr__(self) -> str:
        head, *body = text_table(self._cells(), left=(0, 1, 2))
        rule = "─" * max(map(len, (head, *body)))
        return "\n".join([head, rule, *body, rule, *self._totals()])

    def _repr_html_(self) -> str:
        totals = "<br>".join(map(html.escape, self._totals()))
        return f"{html_table(self._cells(), left=(0, 1, 2))}<p>{totals}</p>"


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _shapes(value: Any) -> Any:
    """The shapes of the Tensors in ``value``, nested as it is; None for anything else."""
    if isinstance(value, Tensor):
        return value.shape
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [_shapes(part) for part in value]
    return None


def _shape_text(shapes: Any) -> str:
    if isinstance(shapes, list):
        return ", ".join(text for text in map(_shape_text, shapes) if text)
    return "" if shapes is None else str(shapes)


def _work(op: Any) -> tuple[int, int]:
    """(FLOPs, multiply-adds of products) of one operation."""
    results = op.result if isinstance(op.result, tuple) else (op.result,)
    shapes = [getattr(x, "shape", ()) for x in op.inputs]
    given = op.primitive, shapes, [x.shape for x in results], op.static
    return flops.forward(*given), flops.multiply_adds(*given)


def _memory(array: Any) -> Any:
    """The array that owns the memory of ``array``."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


_HOLDERS = (ModuleDict, ModuleList, ParameterDict, ParameterList)


class _Counter:
    """Sees every call of a module and every operation of one forward, and credits them to rows."""

    def __init__(self, model: Module) -> None:
        self.rows = {
            module: LayerSummary(path, type(module).__name__, isinstance(module, _HOLDERS))
            for path, module in model.named_modules()
        }
        self.calling: list[LayerSummary] = []
        self.seen: dict[int, Any] = {}  # with the arrays, so that no other gets the number of one that is gone

    def enter(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        row = self.rows[module]
        if not row.calls:
            row.inputs = _shapes([*args, *kwargs.values()])
        row.calls += 1
        self.calling.append(row)

    def leave(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        row = self.calling.pop()
        row.outputs = row.outputs or _shapes(output)

    def skip(self, tensors: Any) -> None:
        """Leaves out the memory of what was there before the forward."""
        for x in tensors:
            array = _memory(x.numpy())
            self.seen[id(array)] = array

    def ran(self, op: Any) -> None:
        row = self.calling[-1]
        work, multiply_adds = _work(op)
        row.flops += work
        row.multiply_adds += multiply_adds
        for array in map(_memory, op.kept()):
            if id(array) not in self.seen:
                self.seen[id(array)] = array
                row.kept_bytes += array.nbytes


def _arguments(model: Module, input: Any) -> tuple[Any, ...]:
    """The arguments of forward: Tensors as given, and for shapes Tensors of ones."""
    dtype = next((p.dtype for p in model.parameters()), autograd.get_default_dtype())
    if isinstance(input, (Tensor, np.ndarray)):
        return (autograd.as_tensor(input),)
    if isinstance(input, (tuple, list)):
        if input and all(isinstance(n, int) for n in input):
            return (autograd.ones(*input, dtype=dtype),)
        return tuple(
            autograd.ones(*x, dtype=dtype)
            if isinstance(x, (tuple, list)) and x and all(isinstance(n, int) for n in x)
            else autograd.as_tensor(x)
            if isinstance(x, np.ndarray)
            else x
            for x in input
        )
    raise TypeError(f"summary: input must be a Tensor, a tuple of Tensors, or a shape, got {describe(input)}")


def summary(model: Module, input: Any, **kwargs: Any) -> Summary:
    """Runs one forward and tells for each layer its shapes, parameters, operations and memory.

    FLOPs are counted from the operations that really run, so that forwards of one's own count too, and as
    ``autograd.profile`` counts them: 2 for each multiply-add of matrix products and convolutions (m × k times k × n has
    m k n), 1 for each entry of a window that is pooled, the textbook's number for decompositions of matrices, and 1 for
    each entry, of input or result, of every other operation; moving entries counts nothing. Memory is that of all
    arrays that the recorded graph keeps alive for the backward, those of parameters, buffers and input left out.

    The model is not changed: training mode, buffers, gradients and the random stream are as before. (Hooks of one's
    own are called.)

    Arguments:
        model: any module.
        input: a Tensor, a tuple of Tensors (the arguments of forward), or a shape such as (32, 3, 28, 28), for which
            ones of the parameters' dtype are passed, or a tuple of shapes. Indices of an Embedding have to be given.
        kwargs: keyword arguments of forward.

    Returns a ``Summary``.

    Raises:
        TypeError: something else as model or input.

    >>> import nn
    >>> nn.summary(nn.Sequential(nn.Linear(8, 4), nn.Tanh()), (32, 8))
    layer        input    output   parameters  FLOPs  kept for backward
    ───────────────────────────────────────────────────────────────────
    Sequential   (32, 8)  (32, 4)
      0: Linear  (32, 8)  (32, 4)          36  2,048              512 B
      1: Tanh    (32, 4)  (32, 4)                128              512 B
    ───────────────────────────────────────────────────────────────────
    parameters: 36, 36 of them trainable, 144 B
    FLOPs of a forward: 2,176, with 2 for each of the 1,024 multiply-adds of products, 1 for each entry elsewhere
    kept for backward: 1.0 KiB
    The numbers of a row are its own, without those of the layers inside it.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: wants an nn.Module, got {describe(model)}")
    args = _arguments(model, input)
    counter = _Counter(model)
    result = Summary(list(counter.rows.values()))
    counted: set[Tensor] = set()
    for module, row in counter.rows.items():
        for p in module.parameters(recurse=False):
            if p not in counted:
                counted.add(p)
                row.parameters += p.numel()
                row.trainable += p.numel() if p.requires_grad else 0
                result.parameter_bytes += p.nbytes
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    counter.skip([*counted, *buffers.values(), *(x for x in (*args, *kwargs.values()) if isinstance(x, Tensor))])
    handles = []
    for module in counter.rows:
        handles.append(module.register_forward_pre_hook(counter.enter, prepend=True, with_kwargs=True))
        handles.append(module.register_forward_hook(counter.leave, always_call=True))
    stream = autograd.get_rng_state()
    try:
        with autograd.enable_grad(), autograd.watch(counter.ran):
            functional_call(model, buffers, args, kwargs)
    finally:
        autograd.set_rng_state(stream)
        for handle in handles:
            handle.remove()
    return result
