"""Penalties and constraints on the weights of any model: L2, L1, elastic net, max-norm; biases are left alone.

>>> import autograd, nn
>>> model = nn.Linear(2, 1)
>>> penalty = nn.regularizers.L2(1e-2)
>>> loss = nn.functional.mse_loss(model(autograd.ones(3, 2)), autograd.zeros(3, 1)) + penalty(model)
>>> loss.backward()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import autograd
from autograd import Tensor, no_grad
from autograd.errors import describe

from .module import Module
from .parameter import Parameter

__all__ = ["L1", "L2", "ElasticNet", "is_bias", "max_norm_", "regularized_parameters"]

Which = Callable[[str, Parameter], bool]


def is_bias(name: str) -> bool:
    """Whether a parameter of this dotted name is a bias.

    >>> is_bias("encoder.0.bias"), is_bias("lstm.bias_ih_l0"), is_bias("attention.in_proj_bias"), is_bias("0.weight")
    (True, True, True, False)
    """
    last = name.rpartition(".")[2]
    return last.startswith("bias") or last.endswith("_bias")


def regularized_parameters(model: Module, biases: bool = False, which: Which | None = None) -> Iterator[Parameter]:
    """The parameters of ``model`` that a penalty is about, a shared one once.

    Arguments:
        model: any module.
        biases: whether those whose name says that they are biases are among them.
        which: ``which(name, parameter)``, to choose further; all by default.

    Raises:
        TypeError: model is not a Module. ValueError: no parameter is left, so that the penalty would do nothing.

    >>> import nn
    >>> [p.shape for p in regularized_parameters(nn.Linear(2, 3))]
    [(3, 2)]
    """
    if not isinstance(model, Module):
        raise TypeError(f"regularizer: wants a model (an nn.Module), got {describe(model)}")
    chosen = [
        p
        for name, p in model.named_parameters()
        if p.requires_grad and (biases or not is_bias(name)) and (which is None or which(name, p))
    ]
    if not chosen:
        raise ValueError(
            f"regularizer: {type(model).__name__} has no parameter left to regularize: those without gradient"
            f"{'' if biases else ', biases'} and those that which= turns down do not count"
        )
    return iter(chosen)


class _Penalty:
    """A number that is added to the loss, computed from the weights of a model."""

    def __init__(self, biases: bool, which: Which | None, **strengths: float) -> None:
        for name, strength in strengths.items():
            if not strength >= 0:
                raise ValueError(f"{type(self).__name__}: {name} must not be negative, got {strength}")
            setattr(self, name, strength)
        self.biases, self.which = biases, which
        self._strengths = strengths

    def of(self, weight: Tensor) -> Tensor:
        """The penalty of one parameter."""
        raise NotImplementedError

    def __call__(self, model: Module) -> Tensor:
        parts: Iterable[Tensor] = (self.of(p) for p in regularized_parameters(model, self.biases, self.which))
        total, *rest = parts
        for part in rest:
            total = total + part
        return total

    def __repr__(self) -> str:
        inside = [f"{name}={value}" for name, value in self._strengths.items()]
        return f"{type(self).__name__}({', '.join([*inside, *(['biases=True'] if self.biases else [])])})"


class L2(_Penalty):
    """λ Σ w² over all weights: pulls each towards 0 in proportion to its size.

    Its gradient is 2 λ w, so plain SGD takes the same steps with ``weight_decay=2λ``; under Adam the two differ. With
    λ = α/2 it is the form (α/2) ‖w‖² with gradient α w.

    Source: lectures, regularization by the squared Frobenius norm of each weight matrix, biases left out.

    Arguments:
        strength: λ, not negative.
        biases: whether biases count too.
        which: ``which(name, parameter)`` chooses the parameters that count; all by default.

    Called with a model it returns a 0-d Tensor to add to the loss.

    Raises:
        ValueError: a negative strength, or a model without parameters to count.

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> L2(0.5)(model)
    tensor(9., grad_fn=<mul>)
    """

    strength: float

    def __init__(self, strength: float, *, biases: bool = False, which: Which | None = None) -> None:
        super().__init__(biases, which, strength=strength)

    def of(self, weight: Tensor) -> Tensor:
        """λ Σ w²."""
        return (weight * weight).sum() * self.strength


class L1(_Penalty):
    """λ Σ |w| over all weights: pulls each towards 0 with the same force, so that many become very small.

    At w = 0 its gradient is 0, as that of ``abs``.

    Arguments:
        strength: λ, not negative.
        biases, which: as in ``L2``.

    Raises:
        ValueError: a negative strength, or a model without parameters to count.

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(model.weight, -3.0)
    >>> L1(0.5)(model)
    tensor(3., grad_fn=<mul>)
    """

    strength: float

    def __init__(self, strength: float, *, biases: bool = False, which: Which | None = None) -> None:
        super().__init__(biases, which, strength=strength)

    def of(self, weight: Tensor) -> Tensor:
        """λ Σ |w|."""
        return weight.abs().sum() * self.strength


class ElasticNet(_Penalty):
    """λ₁ Σ |w| + λ₂ Σ w².

    Source: Zou and Hastie 2005, Regularization and variable selection via the elastic net.

    Arguments:
        l1, l2: λ₁ and λ₂, not negative.
        biases, which: as in ``L2``.

    Raises:
        ValueError: a negative strength, or a model without parameters to count.

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(model.weight, -3.0)
    >>> ElasticNet(l1=0.5, l2=0.5)(model)
    tensor(12., grad_fn=<add>)
    """

    l1: float
    l2: float

    def __init__(self, l1: float, l2: float, *, biases: bool = False, which: Which | None = None) -> None:
        super().__init__(biases, which, l1=l1, l2=l2)

    def of(self, weight: Tensor) -> Tensor:
        """λ₁ Σ |w| + λ₂ Σ w²."""
        return weight.abs().sum() * self.l1 + (weight * weight).sum() * self.l2


def max_norm_(model: Module, limit: float, which: Which | None = None) -> Module:
    """In place: scales each unit's incoming weights down to the norm ``limit`` where theirs is larger.

    w ← w · min(1, limit / ‖w‖₂) for the weights of each output, those of one index along dimension 0. Call it after
    ``optimizer.step()``. Parameters of fewer than two dimensions (biases, the scales of normalizations) are left alone.

    Source: Srivastava et al. 2014, Dropout, section 5.1.

    Arguments:
        model: any module; its parameters are changed in their own memory.
        limit: the largest norm, above 0.
        which: ``which(name, parameter)`` chooses the parameters that are limited.

    Returns the model.

    Raises:
        ValueError: limit is not above 0, or there is no parameter to limit.

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> _ = max_norm_(model, 1.0)
    >>> model.weight.detach()
    tensor([[0.7071, 0.7071]])
    """
    if not limit > 0:
        raise ValueError(f"max_norm_: limit must be above 0, got {limit}")
    with no_grad():
        for p in regularized_parameters(model, False, which):
            if p.ndim > 1:
                norm = autograd.linalg.vector_norm(p, dim=tuple(range(1, p.ndim)), keepdim=True)  # (units, 1, …)
                p.mul_(limit / norm.clamp(min=limit))
    return model
