"""Recurrent layers over sequences: plain, long short-term memory, and gated recurrent units."""

from __future__ import annotations

import math
import warnings
from typing import Any

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

from . import functional as F
from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter
from .recurrent_cells import check_nonlinearity
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(Module):
    """What the layers share: parameters, layers and directions one after the other, and states."""

    _gates: int  # how many blocks of hidden_size rows a weight has

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.mode = mode
        self.input_size = check_size(name, "input_size", input_size)
        self.hidden_size = check_size(name, "hidden_size", hidden_size, 1)
        self.num_layers = check_size(name, "num_layers", num_layers, 1)
        self.bias = bias
        self.batch_first = batch_first
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout must be a probability within 0 and 1, got {dropout!r}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} has no effect, since it is put between layers and there is only one; "
                "use num_layers of at least 2",
                stacklevel=3,
            )
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = check_size(name, "proj_size", proj_size)
        if proj_size >= hidden_size:
            raise ValueError(f"{name}: proj_size must be less than hidden_size={hidden_size}, got {proj_size}")
        width, rows, directions = self.proj_size or self.hidden_size, self._gates * self.hidden_size, 1 + bidirectional
        for layer in range(num_layers):
            size = input_size if layer == 0 else width * directions
            shapes = {"weight_ih": (rows, size), "weight_hh": (rows, width)}
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
            if proj_size:
                shapes["weight_hr"] = (width, self.hidden_size)
            for suffix in self._suffixes(layer):
                for role, shape in shapes.items():
                    parameter = Parameter(autograd.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(role + suffix, parameter)
        self.reset_parameters()

    def _suffixes(self, layer: int) -> tuple[str, ...]:
        return (f"_l{layer}", f"_l{layer}_reverse") if self.bidirectional else (f"_l{layer}",)

    def reset_parameters(self) -> None:
        """Draws all parameters anew, uniform on ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def _all_weights(self) -> list[list[str]]:
        """The names of ``all_weights``, which loops over PyTorch's layers go by."""
        roles = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [
            [role + suffix for role in roles if hasattr(self, role + suffix)]
            for layer in range(self.num_layers)
            for suffix in self._suffixes(layer)
        ]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Does nothing: it is for GPUs."""

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        return text + "".join(f", {k}={getattr(self, k)}" for k, v in defaults.items() if getattr(self, k) != v)

    # What a kind of layer says: its states' sizes, and its steps

    def _widths(self) -> tuple[int, ...]:
        return (self.hidden_size,)

    def _scan(
        self, rows: Tensor, suffix: str, states: list[Tensor], batch_sizes: tuple[int, ...], reverse: bool
    ) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _inputs(self, rows: Tensor, suffix: str) -> Tensor:
        """What the gates get from the input, with both biases: one product for all steps."""
        weight = getattr(self, "weight_ih" + suffix)
        if not self.bias:
            return autograd.linear(rows, weight)
        return autograd.linear(rows, weight, getattr(self, "bias_ih" + suffix) + getattr(self, "bias_hh" + suffix))

    def _run(
        self, rows: Tensor, states: list[Tensor], batch_sizes: tuple[int, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The last layer's results (N, D · width), and the last states (L · D, B, width)."""
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                rows = F.dropout(rows, self.dropout, self.training)
            outs = []
            for reverse, suffix in enumerate(self._suffixes(layer)):
                first = [state[len(last)] for state in states]
                out, *ends = self._scan(rows, suffix, first, batch_sizes, bool(reverse))
                outs.append(out)
                last.append(tuple(ends))
            rows = outs[0] if len(outs) == 1 else autograd.cat(outs, -1)
        return rows, tuple(autograd.stack(ends) for ends in zip(*last, strict=True))

    def _states(self, hx: Any, batch: int, batched: bool, dtype: Any) -> list[Tensor]:
        """The first states, checked, each (L · D, B, width); zeros by default."""
        name, count = type(self).__name__, self.num_layers * (1 + self.bidirectional)
        wanted = [(count, batch, width) if batched else (count, width) for width in self._widths()]
        if hx is None:
            states = [autograd.zeros(shape, dtype=dtype) for shape in wanted]
        elif len(wanted) == 1:
            states = [hx]
        else:
            if not isinstance(hx, (tuple, list)) or len(hx) != len(wanted):
                raise TypeError(f"{name}: hx must be a pair (h_0, c_0), got {describe(hx)}")
            states = list(hx)
        for role, state, shape in zip(("h_0", "c_0"), states, wanted, strict=False):
            if not isinstance(state, Tensor) or state.shape != shape:
                raise ShapeError(
                    f"{name}: {role} must have shape {shape}, (layers · directions, "
                    f"{'batch, ' if batched else ''}size), got {describe(state)}"
                )
            if state.dtype != dtype:
                raise DTypeError(
                    f"{name}: {role} is {state.dtype} and input {dtype}; convert one of them with .to(dtype)"
                )
        return states if batched else [state.unsqueeze(1) for state in states]

    def forward(self, input: Tensor | PackedSequence, hx: Any = None) -> tuple[Any, Any]:
        """(T, B, input_size) ↦ the last layer's states at every step, and every layer's last states."""
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        name = type(self).__name__
        if not isinstance(input, Tensor) or input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            wanted = ("B, T", "T") if self.batch_first else ("T, B", "T")
            raise ShapeError(
                f"{name}: input must have shape ({wanted[0]}, {self.input_size}), or ({wanted[1]}, {self.input_size}) "
                f"without a batch, or be a PackedSequence, got {describe(input)}"
            )
        batched = input.ndim == 3
        if batched and self.batch_first:
            input = input.transpose(0, 1)
        steps, batch = input.shape[0], input.shape[1] if batched else 1
        if not steps:
            raise ShapeError(f"{name}: input must have at least one step, got shape {input.shape} (steps, …)")
        self._check_dtype(input)
        states = self._states(hx, batch, batched, input.dtype)
        out, last = self._run(input.reshape(steps * batch, self.input_size), states, (batch,) * steps)
        if batched:
            out = out.reshape(steps, batch, out.shape[-1])
            out = out.transpose(0, 1) if self.batch_first else out
        else:
            last = tuple(state.squeeze(1) for state in last)
        return out, last if len(last) > 1 else last[0]

    def _check_dtype(self, input: Tensor) -> None:
        wanted = self.weight_ih_l0.dtype
        if input.dtype != wanted:
            raise DTypeError(
                f"{type(self).__name__}: input is {input.dtype} and the parameters {wanted}; "
                "convert one of them with .to(dtype)"
            )

    def _forward_packed(self, input: PackedSequence, hx: Any) -> tuple[Any, Any]:
        rows, batch_sizes, order, back = input
        if rows.ndim != 2 or rows.shape[1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: input's data must have shape (N, {self.input_size}), got {describe(rows)}"
            )
        self._check_dtype(rows)
        sizes = tuple(batch_sizes.tolist())
        states = self._states(hx, sizes[0], True, rows.dtype)
        if order is not None and hx is not None:
            states = [state.index_select(1, order) for state in states]
        out, last = self._run(rows, states, sizes)
        if back is not None:
            last = tuple(state.index_select(1, back) for state in last)
        return PackedSequence(out, batch_sizes, order, back), last if len(last) > 1 else last[0]


class RNN(_Recurrent):
    """hₜ = φ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh) at each step, in one layer or several.

    Parameters start uniform on ±1/√hidden_size.

    Arguments:
        input_size, hidden_size: the sizes of xₜ and of hₜ.
        num_layers: how many layers; each takes the states of the one below as its input.
        nonlinearity: φ, ``"tanh"`` or ``"relu"``.
        bias: whether there are b_ih and b_hh.
        batch_first: input and output are (B, T, …) instead of (T, B, …); the states are not concerned.
        dropout: with which probability entries between layers are left out while training.
        bidirectional: a second set of layers takes the last step first; the results are joined.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes, with L layers and D directions: input (T, B, input_size), (T, input_size) or a PackedSequence; hx
    (L · D, B, hidden_size), zeros if left out; output (T, B, D · hidden_size), and the last states as hx.
    ``weight_ih_l0`` (hidden_size, input_size), ``weight_hh_l0`` (hidden_size, hidden_size), ``bias_ih_l0`` and
    ``bias_hh_l0`` (hidden_size,), and so on for ``_l0_reverse``, ``_l1``.

    Raises:
        ShapeError: input or hx do not fit. DTypeError: input has another dtype than the parameters.

    Source: Elman, Finding Structure in Time, 1990.

    >>> out, h = RNN(3, 5, num_layers=2)(autograd.ones(7, 4, 3))
    >>> out.shape, h.shape
    ((7, 4, 5), (2, 4, 5))
    """

    _gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        mode = f"RNN_{check_nonlinearity('RNN', nonlinearity).upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity

    def _scan(
        self, rows: Tensor, suffix: str, states: list[Tensor], batch_sizes: tuple[int, ...], reverse: bool
    ) -> tuple[Tensor, ...]:
        return autograd.rnn_scan(
            self._inputs(rows, suffix), getattr(self, "weight_hh" + suffix), *states,
            batch_sizes=batch_sizes, nonlinearity=self.nonlinearity, reverse=reverse,
        )  # fmt: skip


class LSTM(_Recurrent):
    """Long short-term memory: a cell that is written to, kept and read by gates.

    i, f, u, o = σ, σ, tanh, σ of the quarters of W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh; cₜ = f cₜ₋₁ + i u;
    hₜ = o tanh cₜ, or W_hr (o tanh cₜ) with a proj_size. Parameters start uniform on ±1/√hidden_size.

    Arguments:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in ``RNN``.
        proj_size: the size of hₜ, less than hidden_size, if it is not hidden_size.

    Shapes, with L layers, D directions and R = proj_size or hidden_size: input (T, B, input_size), (T, input_size) or
    a PackedSequence; hx a pair (h_0, c_0) of (L · D, B, R) and (L · D, B, hidden_size), zeros if left out; output
    (T, B, D · R), and the last states as such a pair. ``weight_ih_l0`` (4 hidden_size, input_size), ``weight_hh_l0``
    (4 hidden_size, R), ``bias_ih_l0`` and ``bias_hh_l0`` (4 hidden_size,), ``weight_hr_l0`` (R, hidden_size).

    Raises:
        TypeError: hx is not a pair. ShapeError: input or hx do not fit. DTypeError: input has another dtype.

    Source: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Sak and others, Long Short-Term Memory Based
    Recurrent Neural Network Architectures, 2014, for the projection.

    >>> out, (h, c) = LSTM(3, 5, bidirectional=True)(autograd.ones(7, 4, 3))
    >>> out.shape, h.shape, c.shape
    ((7, 4, 10), (2, 4, 5), (2, 4, 5))
    """

    _gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            device, dtype,
        )  # fmt: skip

    def _widths(self) -> tuple[int, ...]:
        return self.proj_size or self.hidden_size, self.hidden_size

    def _scan(
        self, rows: Tensor, suffix: str, states: list[Tensor], batch_sizes: tuple[int, ...], reverse: bool
    ) -> tuple[Tensor, ...]:
        projection = (getattr(self, "weight_hr" + suffix),) if self.proj_size else ()
        return autograd.lstm_scan(
            self._inputs(rows, suffix), getattr(self, "weight_hh" + suffix), *states, *projection,
            batch_sizes=batch_sizes, reverse=reverse,
        )  # fmt: skip


class GRU(_Recurrent):
    """Gated recurrent units: a state of which gates say how much is kept.

    With x = W_ih xₜ + b_ih and a = W_hh hₜ₋₁ + b_hh: r, z = σ(x + a) in the first two thirds; n = tanh(x + r a) in the
    last; hₜ = (1 − z) n + z hₜ₋₁. Parameters start uniform on ±1/√hidden_size.

    Arguments:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in ``RNN``.

    Shapes: as ``RNN``, with ``weight_ih_l0`` (3 hidden_size, input_size), ``weight_hh_l0`` (3 hidden_size,
    hidden_size), ``bias_ih_l0`` and ``bias_hh_l0`` (3 hidden_size,).

    Raises:
        ShapeError: input or hx do not fit. DTypeError: input has another dtype than the parameters.

    Source: Cho and others, Learning Phrase Representations using RNN Encoder-Decoder, 2014.

    >>> out, h = GRU(3, 5, batch_first=True)(autograd.ones(4, 7, 3))
    >>> out.shape, h.shape
    ((4, 7, 5), (1, 4, 5))
    """

    _gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

    def _scan(
        self, rows: Tensor, suffix: str, states: list[Tensor], batch_sizes: tuple[int, ...], reverse: bool
    ) -> tuple[Tensor, ...]:
        inputs = autograd.linear(rows, getattr(self, "weight_ih" + suffix), getattr(self, "bias_ih" + suffix, None))
        bias = (getattr(self, "bias_hh" + suffix),) if self.bias else ()
        return autograd.gru_scan(
            inputs, getattr(self, "weight_hh" + suffix), *states, *bias, batch_sizes=batch_sizes, reverse=reverse
        )
