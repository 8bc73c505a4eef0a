"""Module: the base class of layers and models, with the registration and naming of PyTorch's."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import autograd
from autograd import DTypeError, RemovableHandle, ShapeError, Tensor, no_grad
from autograd.errors import describe

from .parameter import Parameter

__all__ = ["IncompatibleKeys", "Module"]

M = TypeVar("M", bound="Module")
_NEEDED = {
    "parameter": ((Parameter,), "an nn.Parameter"),
    "buffer": ((Tensor,), "a Tensor"),
    "module": (None, "an nn.Module"),
}


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` found on only one of the two sides."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Module:
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
    _kinds: dict[str, str]
    _non_persistent: set[str]
    _forward_hooks: dict[int, tuple[Callable[..., Any], bool]]
    _forward_pre_hooks: dict[int, tuple[Callable[..., Any], bool]]

    def __init__(self) -> None:
        # Values live in the instance's own dict, where Python finds them at once; `_kinds` says which of them count.
        self.__dict__.update(
            training=True, _kinds={}, _non_persistent=set(), _forward_hooks={}, _forward_pre_hooks={}, _hook_count=0
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; every module writes its own."""
        raise NotImplementedError(
            f"{type(self).__name__}: has no forward method; define forward(self, ...) in the class"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._forward_hooks or self._forward_pre_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        kind = "parameter" if isinstance(value, Parameter) else "module" if isinstance(value, Module) else None
        kinds = self.__dict__.get("_kinds")
        if kinds is None:
            if kind is not None:
                raise AttributeError(
                    f"{type(self).__name__}: cannot assign {kind} {name!r} before super().__init__() was called; "
                    "make it the first line of __init__"
                )
            super().__setattr__(name, value)
            return
        old = kinds.get(name)
        if kind is not None:
            if old != kind:
                kinds.pop(name, None)
                self._non_persistent.discard(name)
                kinds[name] = kind
            self.__dict__[name] = value
        elif old is not None:
            classes, wanted = _NEEDED[old]
            if value is not None and not isinstance(value, classes or Module):
                raise TypeError(
                    f"{type(self).__name__}: {name!r} is a {old}, so it can be {wanted} or None, "
                    f"got {describe(value)}; del the attribute first to use the name for something else"
                )
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._kinds.pop(name, None)
        self._non_persistent.discard(name)

    def __getattr__(self, name: str) -> Any:
        owner = type(self).__name__
        if "_kinds" not in self.__dict__ and not name.startswith("__"):
            raise AttributeError(
                f"{owner}: has no attribute {name!r}, and super().__init__() was not called; "
                "make it the first line of __init__"
            )
        # Private names are what copy and pickle ask for; people mistype the others.
        names = [] if name.startswith("_") else [n for n in dir(self) if not n.startswith("_")]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"{owner}: has no attribute {name!r}{hint}", name=name, obj=self)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under ``name``; None keeps the name for one that there is not."""
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a Tensor that belongs to the module without being learned.

        Arguments:
            name: the attribute's name.
            tensor: of any shape and dtype, or None to keep the name.
            persistent: whether ``state_dict`` holds it.

        >>> import nn
        >>> m = nn.Module(); m.register_buffer("mean", autograd.zeros(2)); m.state_dict()
        {'mean': tensor([0., 0.])}
        """
        self._register("buffer", name, tensor)
        if persistent:
            self._non_persistent.discard(name)
        else:
            self._non_persistent.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under ``name``."""
        self._register("module", name, module)

    add_module = register_module

    def _register(self, kind: str, name: str, value: Any) -> None:
        owner = type(self).__name__
        classes, wanted = _NEEDED[kind]
        if "_kinds" not in self.__dict__:
            raise AttributeError(f"{owner}: cannot register {kind} {name!r} before super().__init__() was called")
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"{owner}: the name of a {kind} must be a string without dots and not empty, got {name!r}")
        if self._kinds.get(name) != kind and (name in self.__dict__ or hasattr(type(self), name)):
            raise KeyError(f"{owner}: there is already an attribute {name!r}, it cannot become a {kind}")
        if value is not None and not isinstance(value, classes or Module):
            raise TypeError(f"{owner}: {kind} {name!r} must be {wanted} or None, got {describe(value)}")
        if isinstance(value, Tensor) and not value.is_leaf:
            raise ValueError(
                f"{owner}: {kind} {name!r} is the result of {value.grad_fn and value.grad_fn.name}, not a leaf; "
                "detach() it first"
            )
        self._kinds[name] = kind
        self.__dict__[name] = value

    def _own(self, kind: str) -> list[tuple[str, Any]]:
        values = self.__dict__
        return [(name, values[name]) for name, k in self._kinds.items() if k == kind and values[name] is not None]

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

    # State

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Every parameter and persistent buffer by dotted name, detached and sharing memory with the module.

        >>> import nn
        >>> {name: t.shape for name, t in nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}
        """
        return {name: value.detach() for name, value in self._state(prefix)}

    def _state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        buffers = [(n, b) for n, b in self._own("buffer") if n not in self._non_persistent]
        for name, value in self._own("parameter") + buffers:
            yield prefix + name, value
        for name, child in self._own("module"):
            yield from child._state(f"{prefix}{name}.")

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copies the values of ``state_dict`` into the parameters and buffers of the same names.

        Arguments:
            state_dict: Tensors or arrays by dotted name, of the module's shapes; they are cast to its dtypes.
            strict: whether names on only one of the two sides are an error.

        Returns the missing and the unexpected keys.

        Raises:
            ShapeError: shapes differ, or (with ``strict``) names; one error lists everything. Nothing is copied then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: wants a mapping from names to Tensors, got {describe(state_dict)}")
        own = dict(self._state())
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        given = {name: autograd.as_tensor(state_dict[name]).detach() for name in own if name in state_dict}
        misshaped = [
            f"{name} is {given[name].shape} in the state and {own[name].shape} in the module"
            for name in given
            if given[name].shape != own[name].shape
        ]
        problems = [f"shapes differ: {'; '.join(misshaped)}"] if misshaped else []
        if strict:
            problems += [f"missing keys: {', '.join(missing)}"] if missing else []
            problems += [f"unexpected keys: {', '.join(map(str, unexpected))}"] if unexpected else []
        if problems:
            keys = bool(strict and (missing or unexpected))
            raise ShapeError(
                f"load_state_dict: the state does not fit {type(self).__name__}\n  "
                + "\n  ".join(problems)
                + ("\n  strict=False loads what is on both sides" if keys and not misshaped else "")
            )
        with no_grad():
            for name, value in given.items():
                own[name].copy_(value.to(own[name].dtype))
        return IncompatibleKeys(missing, unexpected)

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

    # Hooks

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after every forward; what it returns, unless None, is the output.

        Arguments:
            prepend: call it before the hooks that there are.
            with_kwargs: call ``hook(module, args, kwargs, output)``.

        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook("_forward_hooks", hook, prepend, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before every forward; what it returns, unless None, are the arguments.

        Arguments:
            prepend: call it before the hooks that there are.
            with_kwargs: call ``hook(module, args, kwargs)``, which returns None or (args, kwargs).

        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook("_forward_pre_hooks", hook, prepend, with_kwargs)

    def _add_hook(self, where: str, hook: Callable[..., Any], prepend: bool, with_kwargs: bool) -> RemovableHandle:
        if not callable(hook):
            raise TypeError(f"{type(self).__name__}: a hook must be callable, got {describe(hook)}")
        hooks = self.__dict__[where]
        self.__dict__["_hook_count"] = key = self._hook_count + 1
        others = list(hooks.items()) if prepend else []
        if prepend:
            hooks.clear()
        hooks[key] = (hook, with_kwargs)
        hooks.update(others)
        return RemovableHandle(hooks, key)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
            changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if changed is None:
                continue
            if with_kwargs:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise TypeError(
                        f"{type(self).__name__}: a forward pre-hook with_kwargs must return None or (args, kwargs), "
                        f"got {describe(changed)}"
                    )
                args, kwargs = changed
            else:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
            output = output if changed is None else changed
        return output

    # Text

    def extra_repr(self) -> str:
        """What stands between the parentheses of the layer's repr."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._own("module")]
        if not children:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__})
