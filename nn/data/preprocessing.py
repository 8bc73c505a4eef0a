"""Preprocessing that is fitted on the training set and then applied to all data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

import autograd
from autograd import DTypeError, GraphError, ShapeError, Tensor
from autograd.errors import describe

from ..arguments import check_size
from .sampler import check_flag

__all__ = [
    "MeanSubtraction", "NotFittedError", "PCAWhitening", "QuantileNormalization", "Standardization", "ZCAWhitening",
]  # fmt: skip

P = TypeVar("P", bound="Preprocessing")


class NotFittedError(ValueError, AttributeError):
    """Something was asked of a preprocessing step before ``fit``: the types that scikit-learn's error has too."""


class Preprocessing:
    """What the steps share: ``fit`` learns from the training data, ``transform`` applies what was learned.

    Data are Tensors or arrays (N, …), with N items; results are of the same kind, floating dtypes stay, and others
    become the default dtype. What is learned is kept in float64, in attributes that end in ``_``.
    """

    _learned: tuple[str, ...] = ()

    def fit(self: P, x: Any) -> P:
        """Learns from the training data (N, …), and returns the step itself."""
        self._fit(self._items("fit", x).detach().numpy().astype(np.float64))
        return self

    def transform(self, x: Any) -> Any:
        """The data (n, …) as the step changes them."""
        self._check_fitted("transform")
        return _as(x, self._transform(self._same("transform", self._items("transform", x), self._shape())))

    def fit_transform(self, x: Any) -> Any:
        """``fit(x).transform(x)``: for the training set only."""
        return self.fit(x).transform(x)

    def inverse_transform(self, x: Any) -> Any:
        """Transformed data (n, …) as they were before."""
        self._check_fitted("inverse_transform")
        t = self._items("inverse_transform", x)
        return _as(x, self._inverse(self._same("inverse_transform", t, self._shape_after())))

    def state_dict(self) -> dict[str, Tensor]:
        """What was learned, by name; for ``load_state_dict``."""
        self._check_fitted("state_dict")
        return {name: autograd.tensor(getattr(self, name)) for name in self._learned}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict()`` of a step made with the same arguments gave."""
        if set(state_dict) != set(self._learned):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: wants {list(self._learned)}, got {list(state_dict)}; give the "
                "state of a step of the same kind"
            )
        for name, value in state_dict.items():
            array = value.detach().numpy() if isinstance(value, Tensor) else value
            setattr(self, name, np.array(array, np.float64))

    def _fit(self, x: np.ndarray) -> None:
        raise NotImplementedError

    def _transform(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _shape(self) -> tuple[int, ...] | None:
        """The shape of an item; None where any will do."""
        raise NotImplementedError

    def _shape_after(self) -> tuple[int, ...] | None:
        """The shape of a transformed item."""
        return self._shape()

    def _check_fitted(self, method: str) -> None:
        if not hasattr(self, self._learned[0]):
            raise NotFittedError(
                f"{type(self).__name__}.{method}: the step has learned nothing yet; call fit(training_data) first"
            )

    def _items(self, method: str, x: Any) -> Tensor:
        t = autograd.as_tensor(x)
        if t.ndim == 0 or (method == "fit" and len(t) == 0):
            raise ShapeError(f"{type(self).__name__}.{method}: wants data (N, …) with N items, got {describe(t)}")
        if t.dtype.kind not in "fiub":
            raise DTypeError(f"{type(self).__name__}.{method}: wants real numbers, got {describe(t)}")
        if not t.is_floating_point():
            t = t.to(autograd.get_default_dtype())
        if not np.isfinite(t.detach().numpy()).all():
            where = tuple(np.argwhere(~np.isfinite(t.detach().numpy()))[0].tolist())
            raise ValueError(
                f"{type(self).__name__}.{method}: entry {where} is {t.detach()[where].item()}; replace what is missing "
                "or infinite, or leave these items out"
            )
        return t

    def _same(self, method: str, t: Tensor, shape: tuple[int, ...] | None) -> Tensor:
        if shape is not None and t.shape[1:] != shape:
            raise ShapeError(
                f"{type(self).__name__}.{method}: wants items of shape {shape}, as the fit makes them, got "
                f"{t.shape[1:]} in data of shape {t.shape}"
            )
        return t


def _as(like: Any, t: Tensor) -> Any:
    """A Tensor for a Tensor, else an array."""
    return t if isinstance(like, Tensor) else t.numpy()


def _constant(array: Any, t: Tensor) -> Tensor:
    """What was learned, in the dtype of the data."""
    return autograd.tensor(array, dtype=t.dtype)


class MeanSubtraction(Preprocessing):
    """x − mean: each feature has mean 0 on the training set.

    Arguments:
        per_feature: a mean for each place of an item; else one for all.

    Learns ``mean_``, of the shape of an item or ().

    >>> step = MeanSubtraction().fit(autograd.tensor([[1.0, 10.0], [3.0, 30.0]]))
    >>> step.transform(autograd.tensor([[2.0, 50.0]]))
    tensor([[ 0., 30.]])
    """

    _learned: tuple[str, ...] = ("mean_",)
    mean_: np.ndarray

    def __init__(self, per_feature: bool = True) -> None:
        self.per_feature = check_flag(type(self).__name__, "per_feature", per_feature)

    def _fit(self, x: np.ndarray) -> None:
        self.mean_ = np.asarray(x.mean(axis=0 if self.per_feature else None))

    def _transform(self, x: Tensor) -> Tensor:
        return x - _constant(self.mean_, x)

    def _inverse(self, x: Tensor) -> Tensor:
        return x + _constant(self.mean_, x)

    def _shape(self) -> tuple[int, ...] | None:
        return self.mean_.shape if self.per_feature else None


class Standardization(MeanSubtraction):
    """(x − mean) / standard deviation: each feature has mean 0 and variance 1 on the training set.

    The variance is that of the training set itself (divided by N). A feature that is constant there is only shifted.

    Arguments:
        per_feature: a mean and deviation for each place of an item; else one for all.

    Learns ``mean_`` and ``scale_``, of the shape of an item or ().

    >>> Standardization().fit_transform(autograd.tensor([[1.0, 5.0], [3.0, 5.0]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    """

    _learned = ("mean_", "scale_")
    scale_: np.ndarray

    def _fit(self, x: np.ndarray) -> None:
        super()._fit(x)
        axis = 0 if self.per_feature else None
        # Not the deviation tells whether a feature is constant: rounding of the mean can leave a little of it.
        constant = x.max(axis=axis) == x.min(axis=axis)
        self.mean_ = np.asarray(np.where(constant, x.min(axis=axis), self.mean_))
        self.scale_ = np.asarray(np.where(constant, 1.0, x.std(axis=axis)))

    def _transform(self, x: Tensor) -> Tensor:
        return super()._transform(x) / _constant(self.scale_, x)

    def _inverse(self, x: Tensor) -> Tensor:
        return super()._inverse(x * _constant(self.scale_, x))


class PCAWhitening(Preprocessing):
    """V (x − mean) / √(λ + eps): uncorrelated features of variance 1, the directions of most variance first.

    V are the directions of principal components, λ the variances along them (divided by N − 1). A direction along
    which the training set has no variance is not divided. Items of several dimensions are flattened.

    Arguments:
        n_components: how many directions are kept, all min(N, features) by default.
        eps: added to the variances, so that directions of little more than noise are not blown up.

    Learns ``mean_`` (of the shape of an item), ``components_`` (k, features) and ``explained_variance_`` (k,).

    Raises:
        ValueError: fewer than 2 items, or more components than there are.

    >>> x = autograd.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> PCAWhitening().fit_transform(x).abs()
    tensor([[1.2247, 0.0000],
            [1.2247, 0.0000],
            [0.0000, 1.2247],
            [0.0000, 1.2247]])
    """

    _learned = ("mean_", "components_", "explained_variance_")
    mean_: np.ndarray
    components_: np.ndarray
    explained_variance_: np.ndarray

    def __init__(self, n_components: int | None = None, eps: float = 0.0) -> None:
        self.n_components = (
            None if n_components is None else check_size("PCAWhitening", "n_components", n_components, 1)
        )
        self.eps = _check_eps("PCAWhitening", eps)

    def _fit(self, x: np.ndarray) -> None:
        if len(x) < 2:
            raise ValueError(f"{type(self).__name__}.fit: wants at least 2 items, got {len(x)}")
        mean = x.mean(axis=0)
        flat = (x - mean).reshape(len(x), -1)  # (N, features)
        k = min(flat.shape) if self.n_components is None else self.n_components
        if k > min(flat.shape):
            raise ValueError(
                f"{type(self).__name__}.fit: {len(x)} items of {flat.shape[1]} features have {min(flat.shape)} "
                f"components, got n_components={k}"
            )
        # Of a tall matrix the triangle of its QR decomposition has the same singular values and directions.
        tall = flat.shape[0] > flat.shape[1]
        import scipy.linalg  # takes a tenth of a second, for those who need it

        triangle = scipy.linalg.qr(flat, mode="r", check_finite=False)[0][: flat.shape[1]] if tall else flat
        _, values, directions = scipy.linalg.svd(triangle, full_matrices=False, check_finite=False)
        # The decomposition leaves the signs open; the largest entry of each direction is to be positive.
        largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], 1)
        variance = values**2 / (len(x) - 1)
        rounding = values[0] * max(flat.shape) * np.finfo(np.float64).eps
        self.mean_ = mean
        self.components_ = (directions * np.where(largest < 0, -1.0, 1.0))[:k]
        self.explained_variance_ = np.where(values <= rounding, 0.0, variance)[:k]

    def _scale(self) -> np.ndarray:
        variance = self.explained_variance_ + self.eps
        return np.sqrt(np.where(variance == 0, 1.0, variance))

    def _transform(self, x: Tensor) -> Tensor:
        flat = (x - _constant(self.mean_, x)).reshape(len(x), self.mean_.size)
        return flat @ _constant(self.components_.T / self._scale(), x)

    def _inverse(self, x: Tensor) -> Tensor:
        flat = x @ _constant(self._scale()[:, None] * self.components_, x)
        return flat.reshape(len(x), *self.mean_.shape) + _constant(self.mean_, x)

    def _shape(self) -> tuple[int, ...] | None:
        return self.mean_.shape

    def _shape_after(self) -> tuple[int, ...] | None:
        return self.explained_variance_.shape


class ZCAWhitening(PCAWhitening):
    """Vᵀ (λ + eps)^−½ V (x − mean): white features that are as close as possible to the old ones.

    It is ``PCAWhitening`` turned back to the old axes, so that images still look like images, and items keep their
    shape. What lies outside the directions of variance goes.

    Arguments:
        eps: added to the variances; for images something like 1e-2 of the largest.

    >>> x = autograd.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> ZCAWhitening().fit_transform(x)[0]
    tensor([1.2247, 0.0000])
    """

    def __init__(self, eps: float = 0.0) -> None:
        self.n_components = None
        self.eps = _check_eps("ZCAWhitening", eps)

    def _transform(self, x: Tensor) -> Tensor:
        return (super()._transform(x) @ _constant(self.components_, x)).reshape(x.shape)

    def _inverse(self, x: Tensor) -> Tensor:
        return super()._inverse(x.reshape(len(x), self.mean_.size) @ _constant(self.components_.T, x))

    def _shape_after(self) -> tuple[int, ...] | None:
        return self.mean_.shape


def _check_eps(step: str, eps: Any) -> float:
    if isinstance(eps, bool) or not isinstance(eps, (int, float)) or not 0 <= eps < np.inf:
        raise ValueError(f"{step}: eps must be a number of at least 0, got {describe(eps)}")
    return float(eps)


class QuantileNormalization(Preprocessing):
    """Each feature by its rank in the training set: its distribution becomes uniform on [0, 1], or normal.

    Between the learned quantiles values are interpolated, in the middle where several quantiles are equal; what lies
    outside the training set becomes 0 or 1. For the normal output these are ±5.2.

    Arguments:
        n_quantiles: how many are learned, evenly spaced; no more than there are items.
        output: ``"uniform"`` or ``"normal"``.

    Learns ``quantiles_`` (n_quantiles, …). The transform is piecewise and without gradient.

    >>> QuantileNormalization().fit_transform(autograd.tensor([[1.0], [10.0], [1000.0]])).flatten()
    tensor([0.0000, 0.5000, 1.0000])
    """

    _learned = ("quantiles_",)
    quantiles_: np.ndarray
    _margin = 1e-7

    def __init__(self, n_quantiles: int = 1000, output: str = "uniform") -> None:
        self.n_quantiles = check_size("QuantileNormalization", "n_quantiles", n_quantiles, 2)
        if output not in ("uniform", "normal"):
            raise ValueError(f"QuantileNormalization: output must be 'uniform' or 'normal', got {output!r}")
        self.output = output

    def _fit(self, x: np.ndarray) -> None:
        if len(x) < 2:
            raise ValueError(f"QuantileNormalization.fit: wants at least 2 items, got {len(x)}")
        at = np.linspace(0, 1, min(self.n_quantiles, len(x)))
        # Rounding in the interpolation may put two neighbours in the wrong order.
        self.quantiles_ = np.maximum.accumulate(np.quantile(x, at, axis=0))

    def _transform(self, x: Tensor) -> Tensor:
        self._check_no_gradient("transform", x)

        def uniform(column: np.ndarray, q: np.ndarray, at: np.ndarray) -> np.ndarray:
            # Where quantiles are equal the two directions give the ends of the step, and their mean its middle.
            out = 0.5 * (np.interp(column, q, at) - np.interp(-column, -q[::-1], -at[::-1]))
            out[column <= q[0]] = 0.0
            out[column >= q[-1]] = 1.0
            return out

        result = self._by_column(x, uniform)
        if self.output == "normal":
            import scipy.special

            ends = scipy.special.ndtri([self._margin, 1 - self._margin])
            result = np.clip(scipy.special.ndtri(result), *ends)
        return _constant(result, x)

    def _inverse(self, x: Tensor) -> Tensor:
        self._check_no_gradient("inverse_transform", x)

        def back(column: np.ndarray, q: np.ndarray, at: np.ndarray) -> np.ndarray:
            if self.output == "normal":
                import scipy.special

                column = scipy.special.ndtr(column)
                # What `transform` cut off was 0 and 1, up to rounding.
                margin = self._margin * (1 + 1e-6)
                column = np.where(column <= margin, 0.0, np.where(1 - column <= margin, 1.0, column))
            return np.interp(column, at, q)

        return _constant(self._by_column(x, back), x)

    def _by_column(self, x: Tensor, function: Any) -> np.ndarray:
        columns = x.numpy().astype(np.float64).reshape(len(x), math.prod(x.shape[1:]))
        quantiles = self.quantiles_.reshape(len(self.quantiles_), -1)
        at = np.linspace(0, 1, len(quantiles))
        results = [function(c, q, at) for c, q in zip(columns.T, quantiles.T, strict=True)]
        return np.stack(results, axis=1).reshape(x.shape) if results else columns.reshape(x.shape)

    def _check_no_gradient(self, method: str, x: Tensor) -> None:
        if x.requires_grad:
            raise GraphError(
                f"QuantileNormalization.{method}: ranks have no gradient, and the data want one; detach() them"
            )

    def _shape(self) -> tuple[int, ...] | None:
        return self.quantiles_.shape[1:]
