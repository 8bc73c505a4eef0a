"""Neurons, layers and networks of single numbers: every weight and every product is a node of its own.

This is a network as a first lecture draws it, for looking at; ``nn.Linear`` computes the same with one matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Generator, ShapeError, Tensor
from autograd.errors import describe

from . import init
from .arguments import check_size
from .module import Module
from .parameter import Parameter

__all__ = ["MLP", "Layer", "Neuron"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": autograd.tanh,
    "sigmoid": autograd.sigmoid,
    "relu": autograd.relu,
}


def _scalars(who: str, x: Any, n: int) -> list[Any]:
    """The n inputs one by one, from a sequence of numbers and 0-d Tensors or a 1-d Tensor or array."""
    values = list(x)
    if len(values) != n:
        raise ShapeError(f"{who}: wants {n} numbers, got {len(values)}")
    for i, value in enumerate(values):
        if getattr(value, "ndim", 0) != 0:
            raise ShapeError(
                f"{who}: input {i} must be a single number, got {describe(value)}; give one item at a time"
            )
    return values


class Neuron(Module):
    """f(w0 x0 + w1 x1 + … + b), one number from several.

    Arguments:
        n_inputs: how many inputs there are.
        activation: f: ``"tanh"``, ``"sigmoid"``, ``"relu"``, or None for the sum itself.
        bias: whether there is a b.
        generator: the source of the first weights; the common stream by default.

    Parameters: ``w0``, ``w1``, … and ``b``, each a 0-d Tensor. Weights start uniform on ±1, b at 0.

    Source: Rosenblatt 1958, The perceptron; with the logistic function, McCulloch and Pitts 1943 made smooth.

    >>> neuron = Neuron(2)
    >>> neuron
    Neuron(2 inputs, tanh)
    >>> [name for name, _ in neuron.named_parameters()]
    ['w0', 'w1', 'b']
    >>> neuron([1.0, -2.0]).shape
    ()
    """

    def __init__(
        self, n_inputs: int, activation: str | None = "tanh", bias: bool = True, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.n_inputs = check_size("Neuron", "n_inputs", n_inputs, 1)
        if activation is not None and activation not in _ACTIVATIONS:
            raise ValueError(f"Neuron: activation must be one of {[*_ACTIVATIONS]} or None, got {activation!r}")
        self.activation = activation
        for i in range(n_inputs):
            self.register_parameter(f"w{i}", Parameter(init.uniform_(autograd.empty(()), -1, 1, generator)))
        self.register_parameter("b", Parameter(autograd.zeros(())) if bias else None)

    def weights(self) -> list[Parameter]:
        """[w0, w1, …]."""
        return [getattr(self, f"w{i}") for i in range(self.n_inputs)]

    def forward(self, x: Any) -> Tensor:
        """n_inputs numbers ↦ one."""
        values = _scalars("Neuron", x, self.n_inputs)
        # From left to right, as one adds by hand: each step is a node of the graph.
        total: Any = None
        for w, value in zip(self.weights(), values, strict=True):
            total = w * value if total is None else total + w * value
        if self.b is not None:
            total = total + self.b
        return total if self.activation is None else _ACTIVATIONS[self.activation](total)

    def extra_repr(self) -> str:
        inputs = f"{self.n_inputs} input{'s' if self.n_inputs > 1 else ''}"
        return f"{inputs}, {self.activation or 'linear'}{'' if self.b is not None else ', no bias'}"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Arguments:
        n_inputs, n_outputs: how many inputs each has, and how many neurons there are.
        activation, bias, generator: as those of ``Neuron``.

    Submodules: ``n0``, ``n1``, ….

    >>> Layer(2, 3, activation=None)
    Layer(3 of Neuron(2 inputs, linear))
    >>> len(Layer(2, 3)([1.0, -2.0]))
    3
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: str | None = "tanh",
        bias: bool = True,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_inputs = n_inputs
        self.n_outputs = check_size("Layer", "n_outputs", n_outputs, 1)
        for i in range(n_outputs):
            self.register_module(f"n{i}", Neuron(n_inputs, activation, bias, generator))

    def neurons(self) -> list[Neuron]:
        """[n0, n1, …]."""
        return [getattr(self, f"n{i}") for i in range(self.n_outputs)]

    def forward(self, x: Any) -> list[Tensor]:
        """n_inputs numbers ↦ a list of n_outputs."""
        values = list(x)
        return [neuron(values) for neuron in self.neurons()]

    def __repr__(self) -> str:
        return f"Layer({self.n_outputs} of {self.n0!r})"


class MLP(Module):
    """Layers one after the other.

    Arguments:
        n_inputs: how many inputs there are.
        n_outputs: how many neurons each layer has, the last one included.
        activation: of the hidden layers, as that of ``Neuron``.
        output_activation: of the last layer.
        generator: as that of ``Neuron``.

    Submodules: ``l0``, ``l1``, …. The value is a list of numbers, or one number where the last layer has one neuron.

    >>> MLP(2, [4, 1])
    MLP(
      (l0): Layer(4 of Neuron(2 inputs, tanh))
      (l1): Layer(1 of Neuron(4 inputs, linear))
    )
    >>> MLP(2, [4, 1])([0.5, -1.0]).shape
    ()
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: Sequence[int],
        activation: str | None = "tanh",
        output_activation: str | None = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(n_outputs, Sequence) or len(n_outputs) == 0:
            raise ValueError(f"MLP: n_outputs must be the sizes of the layers, [4, 1] say, got {n_outputs!r}")
        self.n_inputs = n_inputs
        sizes = [n_inputs, *n_outputs]
        for i, size in enumerate(n_outputs):
            last = i == len(n_outputs) - 1
            layer = Layer(sizes[i], size, output_activation if last else activation, generator=generator)
            self.register_module(f"l{i}", layer)

    def layers(self) -> list[Layer]:
        """[l0, l1, …]."""
        return list(self.children())  # type: ignore[arg-type]

    def forward(self, x: Any) -> Any:
        """n_inputs numbers ↦ a list of those of the last layer, or the only one."""
        for layer in self.layers():
            x = layer(x)
        return x[0] if len(x) == 1 else x
