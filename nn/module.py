"""Module: the base class of layers and models, with the registration and naming of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import autograd
from autograd import DTypeError, Tensor
from autograd.errors import describe
from autograd.keywords import explain_keywords

from .module_state import State
from .parameter import Parameter

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


def _fresh() -> dict[str, Any]:
    """What a module's dict holds before anything is assigned."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_hooks")
    return {
        "training": True, "_kinds": {}, "_non_persistent": set(), "_hooked": False, "_hook_count": 0,
        **{name: {} for name in hooks},
    }  # fmt: skip


class Module(State):
    """Base class of layers and models: what is assigned as an attribute is found by name.

    Write ``forward``; call the module itself. Parameters, buffers and submodules are kept under PyTorch's names,
    ``"0.weight"`` say, in the order in which they were assigned.

    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(2, 3)
    ...         self.scale = nn.Parameter(autograd.ones(3))
    ...     def forward(self, x):
    ...         return self.hidden(x).tanh() * self.scale
    >>> net = Net()
    >>> [name for name, _ in net.named_parameters()]
    ['scale', 'hidden.weight', 'hidden.bias']
    >>> net(autograd.ones(4, 2)).shape
    (4, 3)
    """

    training: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        explain_keywords(cls, "nn")

    def __init__(self) -> None:
        # Values live in the instance's own dict, where Python finds them at once; `_kinds` says which of them count.
        self.__dict__.update(_fresh())

    # Walking

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of each direct submodule, a shared one once."""
        seen: set[Module] = set()
        for name, child in self._own("module"):
            if child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Each direct submodule."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) of this module and all below it, a shared one once.

        >>> import nn
        >>> [name for name, _ in nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU())).named_modules()]
        ['', '0', '1', '1.0']
        """
        seen = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self
        for name, child in self._own("module"):
            yield from child.named_modules(seen, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[Any] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in module._own(kind):
                if remove_duplicate:
                    if value in seen:
                        continue
                    seen.add(value)
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) of every parameter, a shared one once, under its first name."""
        return self._named("parameter", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter once, for an optimizer."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) of every buffer, a shared one once."""
        return self._named("buffer", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module under a dotted name; the module itself for ``""``."""
        module = self
        for name in target.split(".") if target else ():
            if module._kinds.get(name) != "module":
                raise AttributeError(
                    f"get_submodule: {type(module).__name__} has no submodule {name!r} (in {target!r})"
                )
            module = getattr(module, name)
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts a module under a dotted name; with ``strict`` there has to be one already.

        >>> import nn
        >>> net = nn.Sequential(nn.Sequential(nn.ReLU()))
        >>> net.set_submodule("0.0", nn.Tanh()); net[0][0]
        Tanh()
        """
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule: wants an nn.Module, got {describe(module)}")
        if parent._kinds.get(name) != "module":
            if strict:
                raise AttributeError(
                    f"set_submodule: {type(parent).__name__} has no submodule {name!r} (in {target!r}); "
                    "strict=False adds one"
                )
            parent.register_module(name, module)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter under a dotted name."""
        return self._get("parameter", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer under a dotted name."""
        return self._get("buffer", target)

    def _get(self, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module._kinds.get(name) != kind:
            raise AttributeError(f"get_{kind}: {type(module).__name__} has no {kind} {name!r} (in {target!r})")
        return getattr(module, name)

    # Switches

    def train(self: M, mode: bool = True) -> M:
        """Puts this module and all below it into training mode (``mode=False``: evaluation)."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, got {describe(mode)}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Puts this module and all below it into evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Switches the gradients of all parameters on or off: ``requires_grad_(False)`` freezes the module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or with ``set_to_none=False`` fills them with 0."""
        # Called in every training step: a walk of its own, without the names, takes a tenth of parameters().
        found, seen = [self], {self}
        for module in found:
            for name, kind in module._kinds.items():
                value = module.__dict__[name]
                if value is None or kind == "buffer":
                    continue
                if kind == "module":
                    if value not in seen:
                        seen.add(value)
                        found.append(value)
                elif set_to_none or value.grad is None:
                    value.grad = None
                else:
                    value.grad = value.grad.detach().zero_()

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Calls ``fn`` on every module, children before their parent: for initialisation, say.

        >>> import nn
        >>> net = nn.Sequential(nn.Linear(1, 1))
        >>> _ = net.apply(lambda m: nn.init.zeros_(m.weight) if isinstance(m, nn.Linear) else None)
        >>> net[0].weight.item()
        0.0
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self: M, *args: Any, dtype: Any = None, device: Any = None) -> M:
        """Converts every floating parameter, its gradient, and every floating buffer to a dtype, in place.

        Arguments:
            args, dtype, device: as those of ``Tensor.to``; the only device is ``"cpu"``.

        >>> import nn
        >>> nn.Linear(2, 1).to(autograd.float64).weight.dtype
        dtype('float64')
        """
        wanted = autograd.empty(0).to(*args, dtype=dtype, device=device).dtype
        if wanted.kind != "f":
            raise DTypeError(
                f"{type(self).__name__}.to: modules can be converted to floating dtypes only, got {wanted}"
            )
        if dtype is None and not any(not isinstance(a, str) or a != "cpu" for a in args):
            return self
        for parameter in self.parameters():
            gradient, parameter.grad = parameter.grad, None
            parameter.data = parameter.detach().to(wanted)
            parameter.grad = None if gradient is None else gradient.to(wanted)
        for buffer in self.buffers():
            if buffer.is_floating_point():
                buffer.data = buffer.detach().to(wanted)
        return self

    def type(self: M, dst_type: Any) -> M:
        """The same as ``to(dst_type)``."""
        return self.to(dtype=dst_type)

    def float(self: M) -> M:
        """Converts to float32."""
        return self.to(autograd.float32)

    def double(self: M) -> M:
        """Converts to float64."""
        return self.to(autograd.float64)

    def half(self: M) -> M:
        """Converts to float16."""
        return self.to(autograd.float16)

    def cpu(self: M) -> M:
        """The module itself: it is on the CPU."""
        return self

    # Copies

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What an older version wrote may lack what this one keeps.
        self.__dict__.update(_fresh() | state)

    # Text

    def extra_repr(self) -> str:
        """What stands between the parentheses of the layer's repr."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._own("module")]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__})
