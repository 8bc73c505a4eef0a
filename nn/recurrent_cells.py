"""Recurrent cells: one step of a recurrent layer, for loops of one's own."""

from __future__ import annotations

import math
from typing import Any

import autograd
from autograd import DTypeError, ShapeError, Tensor
from autograd.errors import describe

from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


def check_nonlinearity(layer: str, nonlinearity: Any) -> str:
    """``"tanh"`` or ``"relu"``, or the ValueError of what is neither."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{layer}: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    return nonlinearity


class _Cell(Module):
    """What the cells share: parameters, and one step for a batch or a single vector."""

    _gates: int

    def __init__(self, input_size: int, hidden_size: int, bias: bool, device: Any, dtype: Any) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = check_size(name, "input_size", input_size)
        self.hidden_size = check_size(name, "hidden_size", hidden_size)
        self.bias = bias
        rows = self._gates * hidden_size
        self.weight_ih = Parameter(autograd.empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(autograd.empty(rows, hidden_size, device=device, dtype=dtype))
        for role in ("bias_ih", "bias_hh"):
            self.register_parameter(role, Parameter(autograd.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew, uniform on ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")

    def _checked(self, input: Any, states: Any, count: int) -> tuple[Tensor, list[Tensor]]:
        """Input (B, input_size) and states (B, hidden_size), zeros by default."""
        name = type(self).__name__
        if not isinstance(input, Tensor) or input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input must have shape (B, {self.input_size}) or ({self.input_size},), got {describe(input)}"
            )
        if input.dtype != self.weight_ih.dtype:
            raise DTypeError(
                f"{name}: input is {input.dtype} and the parameters {self.weight_ih.dtype}; "
                "convert one of them with .to(dtype)"
            )
        wanted = (*input.shape[:-1], self.hidden_size)
        if states is None:
            states = [autograd.zeros(wanted, dtype=input.dtype)] * count
        for state in states:
            if not isinstance(state, Tensor) or state.shape != wanted:
                raise ShapeError(f"{name}: hx must have shape {wanted} to fit the input, got {describe(state)}")
        if input.ndim == 1:
            return input.unsqueeze(0), [state.unsqueeze(0) for state in states]
        return input, list(states)

    def _inputs(self, input: Tensor) -> Tensor:
        bias = self.bias_ih + self.bias_hh if self.bias else None
        return autograd.linear(input, self.weight_ih, bias)


class RNNCell(_Cell):
    """h′ = φ(W_ih x + b_ih + W_hh h + b_hh): one step of an ``RNN``.

    Arguments:
        input_size, hidden_size: the sizes of x and of h.
        bias: whether there are b_ih and b_hh.
        nonlinearity: φ, ``"tanh"`` or ``"relu"``.
        device: None or ``"cpu"``.
        dtype: of the parameters, the default dtype by default.

    Shapes: input (B, input_size) or (input_size,); hx and output (B, hidden_size) or (hidden_size,).

    >>> RNNCell(3, 5)(autograd.ones(4, 3)).shape
    (4, 5)
    """

    _gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = check_nonlinearity("RNNCell", nonlinearity)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """(B, input_size), (B, hidden_size) ↦ (B, hidden_size)."""
        x, (h,) = self._checked(input, None if hx is None else [hx], 1)
        how: dict[str, Any] = {"batch_sizes": (x.shape[0],), "nonlinearity": self.nonlinearity}
        h, _ = autograd.rnn_scan(self._inputs(x), self.weight_hh, h, **how)
        return h if input.ndim == 2 else h.squeeze(0)


class LSTMCell(_Cell):
    """One step of an ``LSTM``, whose formula and start it has.

    Arguments:
        input_size, hidden_size, bias, device, dtype: as in ``RNNCell``.

    Shapes: input (B, input_size) or (input_size,); hx a pair (h, c) of (B, hidden_size) or (hidden_size,), zeros if
    left out; output such a pair.

    >>> h, c = LSTMCell(3, 5)(autograd.ones(4, 3))
    >>> h.shape, c.shape
    ((4, 5), (4, 5))
    """

    _gates = 4

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """(B, input_size), (h, c) ↦ (h′, c′)."""
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError(f"LSTMCell: hx must be a pair (h, c), got {describe(hx)}")
        x, states = self._checked(input, hx, 2)
        h, _, c = autograd.lstm_scan(self._inputs(x), self.weight_hh, *states, batch_sizes=(x.shape[0],))
        return (h, c) if input.ndim == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(_Cell):
    """One step of a ``GRU``, whose formula and start it has.

    Arguments:
        input_size, hidden_size, bias, device, dtype: as in ``RNNCell``.

    Shapes: input (B, input_size) or (input_size,); hx and output (B, hidden_size) or (hidden_size,).

    >>> GRUCell(3, 5)(autograd.ones(4, 3)).shape
    (4, 5)
    """

    _gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """(B, input_size), (B, hidden_size) ↦ (B, hidden_size)."""
        x, (h,) = self._checked(input, None if hx is None else [hx], 1)
        bias = (self.bias_hh,) if self.bias else ()
        inputs = autograd.linear(x, self.weight_ih, self.bias_ih)
        h, _ = autograd.gru_scan(inputs, self.weight_hh, h, *bias, batch_sizes=(x.shape[0],))
        return h if input.ndim == 2 else h.squeeze(0)
