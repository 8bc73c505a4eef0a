"""State dicts: a module's parameters and buffers by name, given out and taken in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import autograd
from autograd import DTypeError, RemovableHandle, ShapeError, no_grad
from autograd.errors import describe

from .module_hooks import Hooks
from .parameter import Parameter

__all__ = ["IncompatibleKeys", "State"]

_EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` found on only one of the two sides."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class State(Hooks):
    """The part of ``Module`` that saves and loads."""

    # By what they are called at: "save_before", "save_after", "load_before", "load_after".
    _state_hooks: dict[str, dict[int, Callable[..., Any]]]

    def get_extra_state(self) -> Any:
        """What a state dict is to hold besides Tensors, under ``"_extra_state"``; a class may define it."""
        raise NotImplementedError(f"{type(self).__name__}: has no get_extra_state; define it in the class")

    def set_extra_state(self, state: Any) -> None:
        """Takes what ``get_extra_state`` gave, when a state dict is loaded; a class that has one has the other."""
        raise NotImplementedError(f"{type(self).__name__}: has no set_extra_state; define it in the class")

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Every parameter and persistent buffer by dotted name, detached and sharing memory with the module.

        Arguments:
            destination: a dict to write into instead of a new one.
            prefix: what every name begins with.
            keep_vars: give the parameters themselves, not detached.

        >>> import nn
        >>> {name: t.shape for name, t in nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}
        """
        state = {} if destination is None else destination
        self._save(state, prefix, keep_vars)
        return state

    def _save(self, state: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for hook in self._hooks_at("save_before"):
            hook(self, prefix, keep_vars)
        for name, value in self._own_state():
            state[prefix + name] = value if keep_vars else value.detach()
        if self._has_extra_state():
            state[prefix + _EXTRA] = self.get_extra_state()
        for name, child in self._own("module"):
            child._save(state, f"{prefix}{name}.", keep_vars)
        for hook in self._hooks_at("save_after"):
            hook(self, state, prefix, {})

    def _own_state(self) -> list[tuple[str, Any]]:
        return self._own("parameter") + [(n, b) for n, b in self._own("buffer") if n not in self._non_persistent]

    def _has_extra_state(self) -> bool:
        return type(self).get_extra_state is not State.get_extra_state

    def _places(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Every module with what its names begin with; a shared one as often as it has names."""
        yield prefix, self
        for name, child in self._own("module"):
            yield from child._places(f"{prefix}{name}.")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies the values of ``state_dict`` into the parameters and buffers of the same names.

        Arguments:
            state_dict: Tensors or arrays by dotted name, of the module's shapes; they are cast to its dtypes.
            strict: whether names on only one of the two sides are an error.
            assign: put the given Tensors themselves in place of the module's, with their dtypes. An optimizer made
                before does not know them.

        Returns the missing and the unexpected keys.

        Raises:
            ShapeError: shapes differ, or (with ``strict``) names; one error lists everything. Nothing is loaded then,
                except that names are judged after the hooks of ``register_load_state_dict_post_hook``, if there are.
            DTypeError: a value is no array of numbers.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: wants a mapping from names to Tensors, got {describe(state_dict)}")
        state = dict(state_dict)
        keys = IncompatibleKeys([], [])
        problems: list[str] = []
        places = list(self._places())
        for path, module in places:
            for hook in module._hooks_at("load_before"):
                hook(module, state, path, {}, strict, *keys, problems)
        own = {path + name: (module, name, value) for path, module in places for name, value in module._own_state()}
        extra = {path + _EXTRA: module for path, module in places if module._has_extra_state()}
        keys.missing_keys.extend(name for name in [*own, *extra] if name not in state)
        keys.unexpected_keys.extend(name for name in state if name not in own and name not in extra)
        given = {name: _tensor(name, state[name]) for name in own if name in state}
        misshaped = [
            f"{name} is {value.shape} in the state and {own[name][2].shape} in the module"
            for name, value in given.items()
            if value.shape != own[name][2].shape
        ]
        problems += [f"shapes differ: {'; '.join(misshaped)}"] if misshaped else []
        afterwards = [(hook, module) for _, module in reversed(places) for hook in module._hooks_at("load_after")]
        if problems or not afterwards:
            self._judge(keys, problems, strict)
        with no_grad():
            for name, value in given.items():
                module, attribute, old = own[name]
                if not assign:
                    old.copy_(value.detach().to(old.dtype))
                elif isinstance(old, Parameter):
                    setattr(module, attribute, Parameter(value, old.requires_grad))
                else:
                    setattr(module, attribute, value.detach())
        for name, module in extra.items():
            if name in state:
                module.set_extra_state(state[name])
        for hook, module in afterwards:
            if hook(module, keys) is not None:
                raise ValueError(
                    "load_state_dict: a post-hook must return None; it can change the lists of its second argument"
                )
        self._judge(keys, problems, strict)
        return keys

    def _judge(self, keys: IncompatibleKeys, problems: list[str], strict: bool) -> None:
        """Raises an error that says everything in which state and module differ."""
        missing, unexpected = (keys.missing_keys, keys.unexpected_keys) if strict else ([], [])
        if not (problems or missing or unexpected):
            return
        lines = list(problems)
        if missing:
            lines.append(f"missing keys: {', '.join(missing)}")
        if unexpected:
            lines.append("unexpected keys: " + ", ".join(f"{key}{_meant(key, missing)}" for key in unexpected))
        if not problems:
            lines.append("strict=False loads what is on both sides")
        raise ShapeError(f"load_state_dict: the state does not fit {type(self).__name__}\n  " + "\n  ".join(lines))

    # Hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, prefix, keep_vars)`` before ``state_dict`` reads this module."""
        return self._add_state_hook("save_before", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, {})`` when this module is in the state; it may change the dict."""
        return self._add_state_hook("save_after", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls a hook before ``load_state_dict`` compares names: to rename those of an older version, say.

        It is ``hook(module, state_dict, prefix, {}, strict, missing_keys, unexpected_keys, error_msgs)``: it may change
        the dict, a copy of what was given, and add to the three lists.

        Returns a handle whose ``remove()`` takes the hook away.

        >>> import nn
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> def rename(module, state_dict, prefix, *_):
        ...     state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
        >>> handle = layer.register_load_state_dict_pre_hook(rename)
        >>> layer.load_state_dict({"w": autograd.ones(1, 1)})
        <All keys matched successfully>
        """
        return self._add_state_hook("load_before", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)`` after a state was loaded; it may take keys out of the two lists."""
        return self._add_state_hook("load_after", hook)

    def _hooks_at(self, when: str) -> list[Callable[..., Any]]:
        return list(self._state_hooks[when].values()) if when in self._state_hooks else []

    def _add_state_hook(self, when: str, hook: Callable[..., Any]) -> RemovableHandle:
        return self._add_hook(self._state_hooks.setdefault(when, {}), hook, hook)


def _tensor(name: str, value: Any) -> autograd.Tensor:
    try:
        return autograd.as_tensor(value)
    except DTypeError as error:
        raise DTypeError(f"load_state_dict: {name} must be a Tensor or an array, got {describe(value)}") from error


def _meant(key: Any, missing: list[str]) -> str:
    close = difflib.get_close_matches(str(key), missing, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
