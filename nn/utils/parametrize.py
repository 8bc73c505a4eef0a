"""Parameters that are computed from others each time they are read: constrained, normalised or tied ones."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

from autograd import DTypeError, ShapeError, Tensor, no_grad
from autograd.errors import describe

from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "type_before_parametrizations",
]  # fmt: skip

_cache: dict[tuple[int, str], Tensor] = {}
_cached_blocks = 0


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Inside, every parametrized Tensor is computed once, the first time it is read.

    For models that read one several times in a forward, as recurrent ones do. The block must not contain an
    optimizer's step, after which the values are others.

    >>> import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> with cached():
    ...     layer.weight is layer.weight
    True
    """
    global _cached_blocks
    _cached_blocks += 1
    try:
        yield
    finally:
        _cached_blocks -= 1
        if not _cached_blocks:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one Tensor, the first applied first, with the Tensor or Tensors it is computed from.

    Those are ``original``, or ``original0``, ``original1``, … if ``right_inverse`` gives several.

    >>> import nn
    >>> ParametrizationList([nn.Tanh()], nn.Parameter(nn.functional.tanh(nn.Linear(1, 1).weight)).detach())().shape
    (1, 1)
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: wants one parametrization or more, got none")
        super().__init__(modules)
        self.unsafe = unsafe
        before, shape = original.detach(), original.shape
        with no_grad():
            new = self._inverse(original, must=False)
        self.is_tensor = isinstance(new, Tensor)
        if isinstance(new, Tensor):
            self.ntensors = 1
            if new is not original:
                _same_dtype(new, original, "right_inverse")
                original.data = new.detach()
            _register(self, "original", original)
        else:
            new = _several(new)
            self.ntensors = len(new)
            for i, part in enumerate(new):
                part = part.detach().clone()
                parameter = Parameter(part, original.requires_grad) if isinstance(original, Parameter) else part
                _register(self, f"original{i}", parameter)
        if not unsafe:
            try:
                self._fits(before.dtype, shape)
            except Exception:
                original.data = before
                raise

    def _fits(self, dtype: Any, shape: tuple[int, ...]) -> None:
        with no_grad():
            value = self()
        if not isinstance(value, Tensor):
            raise DTypeError(f"{_name(self[-1])}: a parametrization must return a Tensor, got {describe(value)}")
        if value.dtype != dtype:
            raise DTypeError(
                f"{_name(self[-1])}: changes the dtype from {dtype} to {value.dtype}; "
                "pass unsafe=True if it is meant to"
            )
        if value.shape != shape:
            raise ShapeError(
                f"{_name(self[-1])}: changes the shape from {shape} to {value.shape}; "
                "pass unsafe=True if it is meant to"
            )

    def _inverse(self, value: Any, must: bool) -> Any:
        for module in reversed(list(self)):
            inverse = getattr(module, "right_inverse", None)
            if inverse is not None:
                try:
                    value = inverse(value)
                except NotImplementedError:
                    if must:
                        raise
            elif must:
                raise RuntimeError(
                    f"{_name(module)}: has no right_inverse, so the Tensor that it computes cannot be assigned; define "
                    "right_inverse(self, value) in the class"
                )
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Sets the originals so that the parametrized Tensor becomes ``value``, as far as it can."""
        with no_grad():
            new = self._inverse(value, must=True)
            parts = [new] if self.is_tensor else _several(new)
            originals = self._originals()
            if len(parts) != len(originals):
                raise ValueError(f"right_inverse: must return {len(originals)} Tensors, got {len(parts)}")
            for original, part in zip(originals, parts, strict=True):
                _same_dtype(part, original, "right_inverse")
                original.data = part.detach().clone()

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        """The parametrized Tensor."""
        first, *others = self
        value = first(*self._originals())
        for module in others:
            value = module(value)
        return value


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Computes a module's parameter (or buffer) by ``parametrization`` from now on, each time it is read.

    ``module.weight`` is then ``parametrization(original)``, and what is learned is
    ``module.parametrizations.weight.original``. A second one is applied to the result of the first.

    Arguments:
        module: any, whose class becomes a subclass of its own with the computed attribute.
        tensor_name: the parameter's or buffer's name.
        parametrization: a module of one Tensor. With a method ``right_inverse`` it can be assigned to, and starts
            from the value that there is; where that returns several Tensors, forward gets all of them.
        unsafe: allow that it changes shape or dtype.

    Returns the module.

    Raises:
        ValueError: there is no such Tensor. ShapeError, DTypeError: shape or dtype change.

    Weights are tied by giving two modules one Parameter, and up to a function by a parametrization of the one that
    holds the other:

    >>> import autograd, nn
    >>> class TransposeOf(nn.Module):
    ...     def __init__(self, layer):
    ...         super().__init__()
    ...         self.layer = [layer]   # in a list, so that its parameters are not counted twice
    ...     def forward(self, unused):
    ...         return self.layer[0].weight.T
    >>> encode, decode = nn.Linear(4, 2), nn.Linear(2, 4)
    >>> _ = register_parametrization(decode, "weight", TransposeOf(encode))
    >>> autograd.equal(decode.weight, encode.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        found = module.parametrizations[tensor_name]
        with no_grad():
            before = found()
            inverse = getattr(parametrization, "right_inverse", None)
            new = before if inverse is None else inverse(before)
            if not isinstance(new, Tensor):
                raise ValueError(
                    f"{_name(parametrization)}: only the first parametrization of a Tensor may be computed from several"
                )
        found.append(parametrization)
        try:
            if not (unsafe or found.unsafe):
                found._fits(before.dtype, before.shape)
            if inverse is not None:
                found.right_inverse(before)
        except Exception:
            found.pop(-1)
            raise
        return module
    if module._kinds.get(tensor_name) not in ("parameter", "buffer") or getattr(module, tensor_name) is None:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer {tensor_name!r}"
        )
    original = getattr(module, tensor_name)
    holder = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = holder
    _choose_class(module)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has a parametrized Tensor, or that of the given name is one."""
    found = module.__dict__.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes a parametrized Tensor a plain parameter (or buffer) again.

    Arguments:
        leave_parametrized: keep the computed value; False: that of ``original``.

    Returns the module.

    Raises:
        ValueError: the Tensor is not parametrized, or it is computed from several and ``leave_parametrized`` is False.

    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
    >>> remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=1, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {_name(module)} has no parametrized Tensor {tensor_name!r}")
    holder = module.parametrizations[tensor_name]
    if not leave_parametrized and not holder.is_tensor:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is computed from {holder.ntensors} Tensors, so there is no "
            "original to go back to; leave_parametrized=True keeps the computed value"
        )
    originals = holder._originals()
    with no_grad():
        value = holder().detach().clone()
    original = originals[0]
    if not holder.is_tensor:
        learned = any(isinstance(x, Parameter) for x in originals)
        original = Parameter(value, any(x.requires_grad for x in originals)) if learned else value
    elif leave_parametrized:
        original.data = value
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        del module.parametrizations
    _choose_class(module)
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before something of it was parametrized."""
    return type(module).__mro__[1] if issubclass(type(module), _Parametrized) else type(module)


class _Parametrized:
    """What the classes of parametrized modules have in common."""

    _computed: frozenset[str] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._computed:
            self.__dict__["parametrizations"][name].right_inverse(value)
        else:
            super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The class is made here and cannot be imported by its name.
        return _empty, (type(self).__mro__[1], self._computed), self.__dict__


def _empty(cls: type, names: frozenset[str]) -> Any:
    return object.__new__(_class_with(cls, names))


@functools.cache
def _class_with(cls: type, names: frozenset[str]) -> type:
    """The subclass of ``cls`` in which these Tensors are computed."""
    body: dict[str, Any] = {name: property(functools.partial(_value, name)) for name in names}
    body |= {"_computed": names, "__setattr__": _Parametrized.__setattr__, "__reduce_ex__": _Parametrized.__reduce_ex__}
    return type(f"Parametrized{cls.__name__}", (cls, _Parametrized), body)


def _value(name: str, module: Any) -> Tensor:
    holder = module.__dict__["parametrizations"].__dict__[name]
    if not _cached_blocks:
        return holder()
    key = (id(module), name)
    if key not in _cache:
        _cache[key] = holder()
    return _cache[key]


def _choose_class(module: Module) -> None:
    names = frozenset(module.parametrizations) if is_parametrized(module) else frozenset()
    plain = type_before_parametrizations(module)
    object.__setattr__(module, "__class__", _class_with(plain, names) if names else plain)


def tensor_of(function: str, module: Module, name: str) -> Tensor:
    """The module's Tensor of that name."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{function}: {type(module).__name__} has no parameter or buffer {name!r}, {describe(weight)}")
    return weight


def _register(module: Module, name: str, value: Tensor) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def _several(value: Any) -> list[Tensor]:
    if not isinstance(value, Sequence) or not all(isinstance(part, Tensor) for part in value):
        raise ValueError(f"right_inverse: must return a Tensor or several, got {describe(value)}")
    return list(value)


def _same_dtype(value: Any, original: Tensor, name: str) -> None:
    if not isinstance(value, Tensor) or value.dtype != original.dtype:
        raise DTypeError(f"{name}: must return a Tensor of dtype {original.dtype}, got {describe(value)}")


def _name(module: Any) -> str:
    return type(module).__name__
