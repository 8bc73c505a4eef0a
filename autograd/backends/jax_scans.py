"""Running results, sort orders and searches on what JAX traces."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = [
    "argsort", "argtop", "cumlogsumexp", "cummax", "cummin", "cumprod", "cumsum", "linear_recurrence", "searchsorted",
]  # fmt: skip


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running sum along ``axis``, from its end if ``reverse``."""
    return jax.lax.cumsum(jnp.asarray(x), axis, reverse=reverse)


def cumprod(x: Any, axis: int, reverse: bool = False) -> Any:
    """Running product along ``axis``, from its end if ``reverse``."""
    return jax.lax.cumprod(jnp.asarray(x), axis, reverse=reverse)


def cummax(x: Any, axis: int) -> Any:
    """Largest entry so far along ``axis``."""
    return jax.lax.cummax(jnp.asarray(x), axis)


def cummin(x: Any, axis: int) -> Any:
    """Smallest entry so far along ``axis``."""
    return jax.lax.cummin(jnp.asarray(x), axis)


def cumlogsumexp(x: Any, axis: int) -> Any:
    """ln of the running sum of eˣ along ``axis``."""
    return jax.lax.cumlogsumexp(jnp.asarray(x), axis)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool = False) -> Any:
    """hₜ = bₜ + aₜ hₜ₋₁ along ``axis``; the first a counts for nothing."""
    a, b = jnp.moveaxis(a, axis, 0), jnp.moveaxis(b, axis, 0)
    n = b.shape[0]
    if n == 0:
        return jnp.moveaxis(b, 0, axis)
    a = a.at[-1 if reverse else 0].set(0)

    def step(level: Any, factor_and_term: Any) -> Any:
        factor, term = factor_and_term
        level = term + factor * level
        return level, level

    _, h = jax.lax.scan(step, jnp.zeros_like(b[0]), (a, b), reverse=reverse)
    return jnp.moveaxis(h, 0, axis)


def argsort(x: Any, axis: int) -> Any:
    """The indices that sort x along ``axis``, stable, NaNs last."""
    return jnp.argsort(x, axis=axis, stable=True)


def argtop(x: Any, k: int, axis: int, largest: bool) -> Any:
    """The first k of the indices that sort x along ``axis``, with the largest first or the smallest."""
    order = jnp.argsort(jnp.flip(x, axis) if largest else x, axis=axis, stable=True)
    order = x.shape[axis] - 1 - jnp.flip(order, axis) if largest else order
    return jax.lax.slice_in_dim(order, 0, k, axis=axis)


def searchsorted(a: Any, v: Any, side: str) -> Any:
    """Where v goes into a, row by row if a has several."""
    if a.ndim == 1:
        return jnp.searchsorted(a, v, side).astype("int64")
    rows, values = a.reshape(-1, a.shape[-1]), v.reshape(-1, v.shape[-1])
    places = jax.vmap(lambda row, value: jnp.searchsorted(row, value, side))(rows, values)
    return places.reshape(v.shape).astype("int64")
