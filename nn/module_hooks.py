"""Calling a module: hooks around its forward and backward, and errors that say in which module they happened."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import autograd
from autograd import DTypeError, GraphError, RemovableHandle, ShapeError, Tensor, record
from autograd.errors import LinAlgError, describe, not_a_tensor

from .module_attributes import Attributes

__all__ = ["Hooks"]

_ENGINES_ERRORS = (ShapeError, DTypeError, GraphError, LinAlgError)
# Subclasses of these belong to others, who may look at their arguments.
_PLAIN_ERRORS = frozenset({IndexError, TypeError, ValueError})


class Hooks(Attributes):
    """The part of ``Module`` that is called."""

    _hooked: bool  # False while no hook was registered, the usual case, in which nothing else is looked at
    _hook_count: int
    _forward_hooks: dict[int, tuple[Callable[..., Any], bool, bool]]
    _forward_pre_hooks: dict[int, tuple[Callable[..., Any], bool]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _backward_pre_hooks: dict[int, Callable[..., Any]]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooked or record.active:
                with record.module(self):
                    return self._call_with_hooks(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            explained = not_a_tensor(error, type(self).__name__, self.forward, args, kwargs)
            _locate(self, explained or error)
            if explained is not None:
                raise explained from error
            raise

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; every module writes its own."""
        raise NotImplementedError(
            f"{type(self).__name__}: has no forward method; define forward(self, ...) in the class"
        )

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after every forward; what it returns, unless None, is the output.

        Arguments:
            prepend: call it before the hooks that there are.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it also when forward raised an error; the output is then None.

        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook(self._forward_hooks, hook, (hook, with_kwargs, always_call), prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before every forward; what it returns, unless None, are the arguments.

        Arguments:
            prepend: call it before the hooks that there are.
            with_kwargs: call ``hook(module, args, kwargs)``, which returns None or (args, kwargs).

        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook(self._forward_pre_hooks, hook, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs are computed.

        Both are tuples: with an entry for each positional argument of forward, and for each Tensor that it returned;
        None where there is no gradient. What the hook returns, unless None, takes the place of ``grad_input``. Where
        no argument requires grad, it is called as soon as ``grad_output`` is there.

        Arguments:
            prepend: call it before the hooks that there are.

        Returns a handle whose ``remove()`` takes the hook away.

        >>> import nn
        >>> layer = nn.Tanh()
        >>> _ = layer.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input))
        >>> layer(autograd.zeros(2, requires_grad=True)).sum().backward()
        (tensor([1., 1.]),)
        """
        return self._add_hook(self._backward_hooks, hook, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` before the module's backward; what it returns replaces ``grad_output``.

        Arguments:
            prepend: call it before the hooks that there are.

        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook(self._backward_pre_hooks, hook, hook, prepend)

    def _add_hook(
        self, hooks: dict[int, Any], hook: Callable[..., Any], entry: Any, prepend: bool = False
    ) -> RemovableHandle:
        if not callable(hook):
            raise TypeError(f"{type(self).__name__}: a hook must be callable, got {describe(hook)}")
        self.__dict__["_hook_count"] = key = self._hook_count + 1
        self.__dict__["_hooked"] = True
        others = list(hooks.items()) if prepend else []
        if prepend:
            hooks.clear()
        hooks[key] = entry
        hooks.update(others)
        return RemovableHandle(hooks, key)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks):
            self.__dict__["_hooked"] = False
            return self.forward(*args, **kwargs)
        called: set[int] = set()
        output = None
        try:
            args, kwargs = self._run_pre_hooks(args, kwargs)
            walk = _BackwardHooks(self) if self._backward_hooks or self._backward_pre_hooks else None
            if walk is not None:
                args = walk.inputs(args)
            output = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in list(self._forward_hooks.items()):
                called.add(key)
                changed = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                output = output if changed is None else changed
            return output if walk is None else walk.outputs(output)
        except Exception:
            for key, (hook, with_kwargs, always_call) in list(self._forward_hooks.items()):
                if always_call and key not in called:
                    try:
                        hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                    except Exception as error:  # the first error is the one to be raised
                        warnings.warn(
                            f"{type(self).__name__}: a forward hook with always_call=True raised {error!r} "
                            "after forward had raised",
                            stacklevel=3,
                        )
            raise

    def _run_pre_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
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
        return args, kwargs


class _Gate(autograd.Function):
    """The identity on some Tensors, which shows their gradients to ``seen`` and passes on what that returns."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.seen = seen
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return None, *ctx.seen(upstream)


class _BackwardHooks:
    """The backward hooks of one call of a module: a gate in front of it, and one behind it."""

    def __init__(self, module: Hooks) -> None:
        self.module = module
        self.grad_output: tuple[Any, ...] = ()
        self.gated = False

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments by way of the gate whose gradients are ``grad_input``."""
        self.count = len(args)
        self.zeros = [(x.shape, x.dtype) if isinstance(x, Tensor) else None for x in args]
        args, self.gated = self._through(args, self._before)
        return args

    def outputs(self, output: Any) -> Any:
        """The result by way of the gate whose gradients are ``grad_output``."""
        if isinstance(output, Tensor):
            return self._through((output,), self._after)[0][0]
        if isinstance(output, (tuple, list)):
            gated = self._through(tuple(output), self._after)[0]
            if hasattr(output, "_fields"):
                return type(output)(*gated)
            return type(output)(gated)
        if isinstance(output, dict):
            return dict(zip(output, self._through(tuple(output.values()), self._after)[0], strict=True))
        raise TypeError(
            f"{type(self.module).__name__}: a module with backward hooks must return a Tensor, or a tuple, list or "
            f"dict of Tensors, got {describe(output)}"
        )

    def _through(self, values: tuple[Any, ...], seen: Callable[..., Any]) -> tuple[tuple[Any, ...], bool]:
        count = len(values)
        places = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
        if not places or not autograd.is_grad_enabled():
            return values, False

        def show(gradients: tuple[Any, ...]) -> list[Any]:
            everywhere: list[Any] = [None] * count
            for i, g in zip(places, gradients, strict=True):
                everywhere[i] = g
            changed = seen(tuple(everywhere))
            return [changed[i] for i in places]

        passed = list(values)
        for i, y in zip(places, _Gate.apply(show, *(values[i] for i in places)), strict=True):
            passed[i] = y
        return tuple(passed), True

    def _after(self, grad_output: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.module._backward_pre_hooks.values()):
            grad_output = self._replaced(hook(self.module, grad_output), grad_output, "grad_output")
        if self.gated:
            self.grad_output = grad_output
        else:
            for hook in list(self.module._backward_hooks.values()):
                if hook(self.module, (None,) * self.count, grad_output) is not None:
                    raise GraphError(
                        f"{type(self.module).__name__}: a backward hook returned gradients of the inputs, "
                        "and none of them requires grad"
                    )
        return grad_output

    def _before(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_input = tuple(
            autograd.zeros(*zeros[:1], dtype=zeros[1]) if g is None and zeros is not None else g
            for g, zeros in zip(grad_input, self.zeros, strict=True)
        )
        for hook in list(self.module._backward_hooks.values()):
            grad_input = self._replaced(hook(self.module, grad_input, self.grad_output), grad_input, "grad_input")
        self.grad_output = ()
        return grad_input

    def _replaced(self, changed: Any, gradients: tuple[Any, ...], name: str) -> tuple[Any, ...]:
        if changed is None:
            return gradients
        changed = changed if isinstance(changed, tuple) else (changed,)
        if len(changed) != len(gradients):
            raise GraphError(
                f"{type(self.module).__name__}: a backward hook returned {len(changed)} gradients for {name}, "
                f"which has {len(gradients)}; return one for each, None for those that have none"
            )
        return changed


def _locate(module: Any, error: Exception) -> None:
    """Writes into the message in which module the error happened: its repr, and on the way up its dotted name."""
    if not (isinstance(error, _ENGINES_ERRORS) or type(error) in _PLAIN_ERRORS):
        return
    if len(error.args) != 1 or not isinstance(error.args[0], str):
        return
    message = error.args[0]
    # Numbers and not modules, since errors are pickled when they leave a process.
    below, named = getattr(error, "_passed", (None, False))
    if below is None:
        name = type(module).__name__
        # The repr of a module with children is long, and the path says where those are.
        text = name if next(module.children(), None) is not None else repr(module).replace("\n", " ")
        if not message.startswith(f"{text}:"):
            message = f"{text}: {message.removeprefix(f'{name}: ')}"
    else:
        path = next((path for path, m in module.named_modules() if id(m) == below), "")
        if path:
            message = f"{path}{'.' if named else ': '}{message}"
            named = True
    error.args = (message,)
    error._passed = (id(module), named)  # type: ignore[attr-defined]
