"""Exercises: ``check("1.2", answer)`` says that an answer is right, or what is wrong with it.

Those of notebook N are in ``lesson_N.py``, each a function of its answers:

    @exercise("1.2")
    def gates(downstream):
        "Multiply switches: the gradient for x is upstream times y."
        downstream(1.0, 3.0, 2.0).gives((2.0, 3.0))
        return "A gate needs nothing but its own inputs."

Each answer comes wrapped in an `Answer`. The docstring is the hint, and what the function returns is said when all is
right.
"""

from __future__ import annotations

import importlib
import importlib.util
import numbers
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

import autograd

_EXERCISES: dict[str, Callable[..., str | None]] = {}

_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 60


class NotYet(AssertionError):
    """An exercise that is not solved yet; the message says what is wrong."""

    def _render_traceback_(self) -> list[str]:
        """In a notebook: the message alone, without the way it came."""
        return [str(self)]


def exercise(name: str) -> Callable[[Callable[..., str | None]], Callable[..., str | None]]:
    """Enters an exercise under its number, such as "1.2"."""

    def enter(test: Callable[..., str | None]) -> Callable[..., str | None]:
        assert name not in _EXERCISES, f"two exercises are called {name}"
        _EXERCISES[name] = test
        return test

    return enter


def exercises(lesson: int) -> dict[str, Callable[..., str | None]]:
    """All exercises of a notebook, by number; none where there is no such notebook."""
    if importlib.util.find_spec(f"{__package__}.lesson_{lesson:02}") is None:
        return {}
    importlib.import_module(f"{__package__}.lesson_{lesson:02}")
    return {name: test for name, test in _EXERCISES.items() if name.split(".")[0] == str(lesson)}


def check(name: str, *answers: Any) -> None:
    """Prints that the answers to an exercise are right.

    Arguments:
        name: the exercise's number, such as "1.2".
        answers: what the exercise asks for, numbers, arrays or functions.

    Raises:
        NotYet: they are not; the message says how.
    """
    number = str(name).split(".")[0]
    known = exercises(int(number)) if number.isdecimal() else {}
    if name not in known:
        there = f"; notebook {number} has {', '.join(known)}" if known else ""
        raise ValueError(f'check: there is no exercise {name!r}, they are called as in check("1.2", answer){there}')
    test = known[name]
    names = test.__code__.co_varnames[: test.__code__.co_argcount]
    if len(answers) != len(names):
        raise TypeError(f"exercise {name} asks for {len(names)} answers, {', '.join(names)}; it got {len(answers)}")
    try:
        said = test(*(Answer(answer, label) for answer, label in zip(answers, names, strict=True)))
    except NotYet as wrong:
        hint = " ".join((test.__doc__ or "").split())
        raise NotYet(f"Exercise {name}: not yet. {wrong}" + (f"\nHint: {hint}" if hint else "")) from None
    print(f"Exercise {name}: right." + (f" {said}" if said else ""))


def wrong(sentence: str) -> NoReturn:
    """Ends an exercise with what is wrong."""
    raise NotYet(sentence)


class Answer:
    """What a learner hands in, with the words to say what is wrong with it.

    Arguments:
        value: the answer: a value, or a function to be called with examples.
        label: how messages call it.
    """

    def __init__(self, value: Any, label: str) -> None:
        self.value, self.label = value, label

    def __call__(self, *inputs: Any, **keywords: Any) -> Answer:
        """The answer's value for an example; an error inside of it is told with the call that led there."""
        function = self.done().value
        if not callable(function):
            wrong(f"{self.label} is {_SHORT.repr(function)}; it is to be a function.")
        shown = [_shown(x) for x in inputs] + [f"{key}={_shown(x)}" for key, x in keywords.items()]
        name = getattr(function, "__name__", self.label)
        call = f"{self.label if name == '<lambda>' else name}({', '.join(shown)})"
        try:
            value = function(*inputs, **keywords)
        except NotYet:
            raise
        except NotImplementedError:
            wrong(f"{call} is not written yet.")
        except Exception as error:
            raise NotYet(f"{call} raised {type(error).__name__}: {error}") from error
        if value is None:
            wrong(f"{call} returned None: its body is still to be written, or `return` is missing.")
        return Answer(value, call)

    def done(self) -> Answer:
        """Refuses the placeholder that an exercise begins with."""
        if self.value is ... or self.value is None:
            wrong(f"{self.label} is still {'...' if self.value is ... else 'None'}: put your answer there.")
        return self

    def number(self) -> float:
        """The answer as a float; refuses what is no number, and NaN."""
        array = _array(self.done().value, self.label)
        if array.size != 1:
            wrong(f"{self.label} has shape {array.shape}; one number is wanted.")
        if np.isnan(array).any():
            wrong(f"{self.label} is NaN.")
        return float(array.item())

    def gives(self, wanted: Any, rtol: float = 1e-5, atol: float = 1e-8) -> Answer:
        """Refuses what differs from ``wanted``: numbers, arrays and Tensors by value, the rest by ==."""
        _compare(self.done().value, wanted, self.label, rtol, atol)
        return self

    def holds(self, truth: Any, sentence: str) -> Answer:
        """Refuses what is not so, with a sentence that says what is wrong: "{label} ..."."""
        if not truth:
            wrong(f"{self.done().label} {sentence}")
        return self


def _compare(got: Any, wanted: Any, label: str, rtol: float, atol: float) -> None:
    if got is ... or got is None:
        wrong(f"{label} is still {'...' if got is ... else 'None'}: put your answer there.")
    if isinstance(wanted, Mapping):
        if not isinstance(got, Mapping):
            wrong(f"{label} is of type {type(got).__name__}; a dict with the keys {list(wanted)} is wanted.")
        for key, value in wanted.items():
            if key not in got:
                wrong(f"{label} has no key {key!r}; it has {list(got)}.")
            _compare(got[key], value, f"{label}[{key!r}]", rtol, atol)
    elif isinstance(wanted, tuple | list) and not isinstance(got, np.ndarray | autograd.Tensor):
        if not isinstance(got, Sequence) or len(got) != len(wanted):
            count = f"{len(got)} of them" if isinstance(got, Sequence) else f"one {type(got).__name__}"
            wrong(f"{label} is to be {len(wanted)} things, {_shown(wanted)}; it is {count}: {_shown(got)}.")
        for i, (one, other) in enumerate(zip(got, wanted, strict=True)):
            _compare(one, other, f"{label}[{i}]", rtol, atol)
    elif isinstance(wanted, bool | str):
        if got != wanted:
            wrong(f"{label} is {_SHORT.repr(got)}, and that is not right.")
    else:
        _compare_numbers(_array(got, label), _array(wanted, label), label, rtol, atol)


def _compare_numbers(got: np.ndarray, wanted: np.ndarray, label: str, rtol: float, atol: float) -> None:
    if got.shape != wanted.shape:
        transposed = " (yours is the other way round: transpose it)" if got.T.shape == wanted.shape else ""
        wrong(f"{label} has shape {got.shape}; {wanted.shape} is wanted{transposed}.")
    if np.allclose(got, wanted, rtol=rtol, atol=atol, equal_nan=True):
        return
    if np.isnan(got).any() and not np.isnan(wanted).any():
        wrong(f"{label} has NaN in it: {_shown(got)}; wanted {_shown(wanted)}.")
    told = f"{label} is {_shown(got)}; wanted {_shown(wanted)}"
    if got.ndim == 2 and got.T.shape == wanted.shape and np.allclose(got.T, wanted, rtol=rtol, atol=atol):
        wrong(f"{told}: yours is its transpose.")
    large = np.abs(wanted) > 1e-6 * np.abs(wanted).max(initial=0.0)
    if large.any():
        factors = got[large] / wanted[large]
        factor = factors.flat[0]
        if factor and np.allclose(factors, factor, rtol=1e-4) and np.allclose(got[~large], 0, atol=1e-6):
            how = "the sign is the wrong way round" if np.isclose(factor, -1) else f"{factor:.4g} times that"
            wrong(f"{told}: {how}.")
    if got.size > 4:
        off = ~np.isclose(got, wanted, rtol=rtol, atol=atol, equal_nan=True)
        at = tuple(int(i) for i in np.argwhere(off)[0])
        wrong(
            f"{label} is wrong in {off.sum()} of {got.size} entries; the first is at {list(at)}: "
            f"{_number(got[at])}, wanted {_number(wanted[at])}."
        )
    wrong(f"{told}.")


def _array(value: Any, label: str) -> np.ndarray:
    if isinstance(value, autograd.Tensor):
        return value.detach().numpy()
    if isinstance(value, numbers.Number | np.ndarray | np.generic | list | tuple):
        try:
            return np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            wrong(f"{label} is {_shown(value)}; numbers are wanted.")
    wrong(f"{label} is of type {type(value).__name__}; a number, an array or a Tensor is wanted.")


def _number(value: Any) -> str:
    return f"{float(value):.5g}"


def _shown(value: Any) -> str:
    """A value within a sentence."""
    if isinstance(value, autograd.Tensor):
        value = value.detach().numpy()
    if isinstance(value, tuple | list):
        inner = ", ".join([*(_shown(x) for x in value[:6]), *(["…"] if len(value) > 6 else [])])
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, bool | str):
        return _SHORT.repr(value)
    if isinstance(value, numbers.Real | np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return _number(value)
    if isinstance(value, np.ndarray):
        if value.size <= 6 and value.dtype.kind in "fiub":
            return _shown(value.tolist())
        return f"an array of shape {value.shape}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = _SHORT.repr(value)
    return type(value).__name__ if " at 0x" in text else text
