"""What is assigned to a module: which of its attributes are parameters, buffers and submodules."""

from __future__ import annotations

import difflib
from typing import Any

from autograd import Tensor
from autograd.errors import describe

from .module_views import Kept
from .parameter import Buffer, Parameter

__all__ = ["Attributes"]

_REFUSED = {
    "cuda": "there is only the CPU; leave this call out",
    "xpu": "there is only the CPU; leave this call out",
    "ipu": "there is only the CPU; leave this call out",
    "mtia": "there is only the CPU; leave this call out",
    "share_memory": "Tensors are not shared between processes; send a state_dict() of NumPy arrays instead",
    "to_empty": "there is no meta device to come from; build the module again, or call its reset_parameters()",
    "bfloat16": "half precision here is float16; use half() or float()",
    "compile": "there is no compilation of modules but autograd.backends.jax.jit of a function that calls one",
    "register_backward_hook": "PyTorch deprecated it; use register_full_backward_hook",
}

_NEEDED = {
    "parameter": ((Parameter,), "an nn.Parameter"),
    "buffer": ((Tensor,), "a Tensor"),
    "module": (None, "an nn.Module"),
}


class Attributes:
    """The part of ``Module`` that keeps its values in the instance's own dict, and knows what each of them is."""

    _kinds: dict[str, str]
    _non_persistent: set[str]

    def __setattr__(self, name: str, value: Any) -> None:
        kind = "parameter" if isinstance(value, Parameter) else "module" if isinstance(value, Attributes) else None
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
            if value is not None and not isinstance(value, classes or Attributes):
                raise TypeError(
                    f"{type(self).__name__}: {name!r} is a {old}, so it can be {wanted} or None, "
                    f"got {describe(value)}; del the attribute first to use the name for something else"
                )
            self.__dict__[name] = value
        elif isinstance(value, Buffer):
            self.register_buffer(name, value, value.persistent)
        else:
            super().__setattr__(name, value)

    @property
    def _parameters(self) -> Kept:
        return Kept(self, "parameter")

    @property
    def _buffers(self) -> Kept:
        return Kept(self, "buffer")

    @property
    def _modules(self) -> Kept:
        return Kept(self, "module")

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
        if name in _REFUSED:
            raise AttributeError(f"{owner}: has no attribute {name!r}: {_REFUSED[name]}", name=name, obj=self)
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

        >>> import autograd, nn
        >>> m = nn.Module(); m.register_buffer("mean", autograd.zeros(2)); m.state_dict()
        {'mean': tensor([0., 0.])}
        """
        self._register("buffer", name, tensor)
        if persistent:
            self._non_persistent.discard(name)
        else:
            self._non_persistent.add(name)

    def register_module(self, name: str, module: Attributes | None) -> None:
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
        if value is not None and not isinstance(value, classes or Attributes):
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
