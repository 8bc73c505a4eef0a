"""Random Tensors from seeded streams.

One stream serves everyone, ``manual_seed`` starts it anew, and every function takes a ``generator`` of
one's own instead. The numbers are NumPy's (PCG64), not PyTorch's.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, modes
from .creation import _leaf, check_device
from .errors import GraphError
from .keywords import composed
from .ops.dims import sizes_of

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "rand", "rand_like",
    "randint", "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


class Generator:
    """A stream of random numbers, the same for the same seed.

    >>> a = Generator().manual_seed(0); b = Generator().manual_seed(0)
    >>> (randn(3, generator=a) == randn(3, generator=b)).all()
    tensor(True)
    """

    def __init__(self, device: Any = "cpu") -> None:
        check_device("Generator", device)
        self._lock = threading.Lock()
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream of ``seed``, and returns the generator."""
        self._seed = int(seed)
        self._stream = np.random.Generator(np.random.PCG64(self._seed % 2**64))
        return self

    def seed(self) -> int:
        """Starts a stream that differs from run to run, and returns its seed."""
        self.manual_seed(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream was started with."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """Where the stream is, as plain numbers that JSON can hold; for ``set_state``."""
        return {"seed": self._seed, "stream": self._stream.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> Generator:
        """Goes back to where ``get_state`` was asked."""
        try:
            seed, stream = int(state["seed"]), state["stream"]
            self._stream.bit_generator.state = stream
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Generator.set_state: this is not a state that get_state() gave ({error})") from None
        self._seed = seed
        return self

    def numpy(self) -> np.random.Generator:
        """The stream as NumPy's generator, for what NumPy draws and this module does not."""
        if modes.local.namespace is not None:
            raise GraphError(
                "random: inside a compiled function the numbers drawn would be frozen at the first call; "
                "draw them outside and pass them as arguments"
            )
        return self._stream


default_generator = Generator()


@composed
def manual_seed(seed: int) -> Generator:
    """Starts the common stream anew with ``seed``.

    >>> _ = manual_seed(0); a = rand(2); _ = manual_seed(0)
    >>> (a == rand(2)).all()
    tensor(True)
    """
    return default_generator.manual_seed(seed)


@composed
def seed() -> int:
    """Starts the common stream anew, different from run to run, and returns its seed."""
    return default_generator.seed()


@composed
def initial_seed() -> int:
    """The seed of the common stream."""
    return default_generator.initial_seed()


@composed
def get_rng_state() -> dict[str, Any]:
    """Where the common stream is; for ``set_rng_state``."""
    return default_generator.get_state()


@composed
def set_rng_state(state: dict[str, Any]) -> None:
    """Takes the common stream back to where ``get_rng_state`` was asked."""
    default_generator.set_state(state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Within it the common stream may be used or seeded; behind it the stream goes on as if nothing had happened.

    Arguments:
        devices: not used: there is only the CPU.
        enabled: False does nothing.

    >>> _ = manual_seed(0); a = rand(1); _ = manual_seed(0)
    >>> with fork_rng():
    ...     _ = rand(5)
    >>> (a == rand(1)).all()
    tensor(True)
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


def stream(generator: Generator | None) -> np.random.Generator:
    """NumPy's generator behind ``generator``, or behind the common stream."""
    return (default_generator if generator is None else generator).numpy()


def _draw(name: str, draw: Any, size: Sequence[Any], dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    check_device(name, device)
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    shape = sizes_of(name, size)
    # NumPy draws float32 and float64; half precision is rounded from the former.
    array = np.asarray(draw(shape, np.float64 if dtype == np.float64 else np.float32)).astype(dtype, copy=False)
    return _leaf(name, array[()], requires_grad)


@composed
def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform on [0, 1), of shape ``size``.

    >>> rand(2, 3).shape
    (2, 3)
    """
    return _draw("rand", stream(generator).random, size, dtype, device, requires_grad)


@composed
def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal with mean 0 and variance 1, of shape ``size``.

    >>> randn(2, 3).shape
    (2, 3)
    """
    return _draw("randn", stream(generator).standard_normal, size, dtype, device, requires_grad)


@composed
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1), of x's shape and dtype.

    >>> rand_like(randn(2, 3)).shape
    (2, 3)
    """
    return rand(
        *input.shape, generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad
    )


@composed
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with mean 0 and variance 1, of x's shape and dtype.

    >>> randn_like(rand(2, 3)).shape
    (2, 3)
    """
    return randn(
        *input.shape, generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad
    )


@composed
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from ``low`` (0 if left out) up to but not including ``high``, of shape ``size``.

    >>> randint(10, (2, 3)).dtype
    dtype('int64')
    """
    if size is None:
        low, high, size = 0, low, high
    if size is None or high is None:
        raise TypeError("randint: wants (high, size) or (low, high, size), with size a tuple")
    check_device("randint", device)
    if high <= low:
        raise ValueError(f"randint: low must be below high, got {low} and {high}")
    array = stream(generator).integers(low, high, sizes_of("randint", (size,)))
    return _leaf("randint", np.asarray(array).astype(dtypes.as_dtype(dtype or "int64"))[()], requires_grad)


@composed
def randint_like(
    input: Tensor,
    low: int,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from ``low`` (0 if only one bound is given) up to but not including ``high``, of x's shape and dtype.

    >>> import autograd
    >>> randint_like(autograd.zeros(2, 3), 10).dtype
    dtype('float32')
    """
    low, high = (0, low) if high is None else (low, high)
    return randint(
        low,
        high,
        tuple(input.shape),
        generator=generator,
        dtype=dtype or input.dtype,
        device=device,
        requires_grad=requires_grad,
    )


@composed
def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """0, …, n − 1 in random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    check_device("randperm", device)
    return _leaf("randperm", stream(generator).permutation(n).astype(dtypes.as_dtype(dtype or "int64")), False)
