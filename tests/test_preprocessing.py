"""Preprocessing against closed forms and scikit-learn, on Tensors and arrays."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import scipy.stats

import autograd
from nn.data import (
    MeanSubtraction,
    NotFittedError,
    PCAWhitening,
    QuantileNormalization,
    Standardization,
    ZCAWhitening,
)

STEPS = {
    "mean": MeanSubtraction,
    "one mean": lambda: MeanSubtraction(per_feature=False),
    "standard": Standardization,
    "one standard": lambda: Standardization(per_feature=False),
    "pca": PCAWhitening,
    "zca": lambda: ZCAWhitening(eps=0.1),
    "uniform": QuantileNormalization,
    "normal": lambda: QuantileNormalization(output="normal"),
}


def data(n=60, shape=(4,), seed=0):
    """Correlated features of different sizes."""
    rng = np.random.default_rng(seed)
    d = int(np.prod(shape))
    x = 3 * rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 10 * rng.standard_normal(d)
    return x.reshape(n, *shape)


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_back_and_forth_in_any_shape_and_kind(make, shape):
    x, new = data(shape=shape), data(7, shape, seed=1)
    step = make()
    assert step.fit(x) is step
    out = step.transform(x)
    assert type(out) is np.ndarray and out.dtype == np.float64 and len(out) == 60
    np.testing.assert_array_equal(make().fit_transform(x), out)
    np.testing.assert_allclose(step.inverse_transform(out), x, rtol=1e-9, atol=1e-9)
    tensors = step.transform(autograd.tensor(new))
    assert isinstance(tensors, autograd.Tensor) and tensors.dtype == autograd.float64
    np.testing.assert_array_equal(tensors.numpy(), step.transform(new))
    small = step.transform(new.astype("f"))
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, tensors.numpy(), rtol=1e-3, atol=1e-3)
    assert step.transform(new[:0]).shape == tensors.numpy()[:0].shape


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
def test_state_goes_over_to_another(make):
    x, new = data(), data(5, seed=1)
    step, other = make().fit(x), make()
    other.load_state_dict(step.state_dict())
    np.testing.assert_array_equal(other.transform(new), step.transform(new))
    before = step.transform(new)
    for value in step.state_dict().values():
        value.zero_()
    np.testing.assert_array_equal(step.transform(new), before)
    np.testing.assert_array_equal(copy.deepcopy(step).transform(new), before)
    # Learned anew, nothing of the first data is left.
    np.testing.assert_array_equal(step.fit(new).transform(x), make().fit(new).transform(x))


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
def test_integers_become_the_default_dtype(make):
    x = np.arange(24).reshape(6, 4) ** 2 % 17
    assert make().fit_transform(x).dtype == np.float32
    assert make().fit_transform(autograd.tensor(x)).dtype == autograd.float32


@pytest.mark.parametrize("name", ["mean", "standard", "pca", "zca"])
def test_gradient_flows_through(name):
    step = STEPS[name]().fit(data())
    assert autograd.gradcheck(step.transform, [autograd.tensor(data(3, seed=1), requires_grad=True)])
    assert autograd.gradcheck(step.inverse_transform, [autograd.tensor(data(3, seed=1), requires_grad=True)])


def test_mean_and_deviation():
    x = data(shape=(2, 3))
    out = Standardization().fit_transform(x)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=0), 1, rtol=1e-12)
    step = Standardization(per_feature=False).fit(x)
    np.testing.assert_allclose(step.transform(x), (x - x.mean()) / x.std(), rtol=1e-12)
    assert step.mean_.shape == () and step.transform(np.zeros((2, 9))).shape == (2, 9)
    np.testing.assert_allclose(MeanSubtraction().fit(x).transform(x[:3]), x[:3] - x.mean(axis=0), rtol=1e-12)


def test_constant_features_are_only_shifted():
    # The mean of many 0.1s is not 0.1: by a deviation of rounding errors one would divide to something large.
    x = np.stack([np.full(49, 0.1), np.arange(49.0)], axis=1)
    step = Standardization().fit(x)
    assert step.scale_[0] == 1.0 and (step.transform(x)[:, 0] == 0).all()
    np.testing.assert_allclose(step.transform(np.array([[2.1, 0.0]]))[0, 0], 2.0)
    assert (Standardization(per_feature=False).fit_transform(np.full((3, 2), 0.1)) == 0).all()


@pytest.mark.parametrize("kind", [PCAWhitening, ZCAWhitening])
def test_whitened_covariance_is_the_identity(kind):
    out = kind().fit_transform(data(shape=(2, 3))).reshape(60, 6)
    np.testing.assert_allclose(np.cov(out.T), np.eye(6), atol=1e-10)


def test_zca_is_the_inverse_root_of_the_covariance():
    x = data()
    step = ZCAWhitening(eps=0.01).fit(x)
    root = np.linalg.inv(scipy.linalg.sqrtm(np.cov(x.T) + 0.01 * np.eye(4)))
    np.testing.assert_allclose(step.transform(x), (x - x.mean(axis=0)) @ root, rtol=1e-9, atol=1e-10)
    assert step.transform(data(3, (4,))).shape == (3, 4)


@pytest.mark.parametrize("kind", [PCAWhitening, ZCAWhitening])
def test_directions_without_variance_stay_finite(kind):
    x = data(20, (3,))
    x = np.concatenate([x, x[:, :1] + x[:, 1:2], np.full((20, 1), 5.0)], axis=1)
    step = kind().fit(x)
    assert (step.explained_variance_[3:] == 0).all() and (step.explained_variance_[:3] > 0).all()
    out = step.transform(x)
    assert np.abs(out).max() < 10
    np.testing.assert_allclose(step.inverse_transform(out), x, atol=1e-9)
    few = kind().fit(x[:3])
    assert np.abs(few.transform(x[:3])).max() < 10


def test_pca_keeps_the_directions_of_most_variance():
    x = data(shape=(2, 3))
    full, part = PCAWhitening().fit(x), PCAWhitening(n_components=2).fit(x)
    assert (np.diff(full.explained_variance_) <= 0).all() and part.transform(x).shape == (60, 2)
    np.testing.assert_array_equal(part.transform(x), full.transform(x)[:, :2])
    kept, lost = full.explained_variance_[:2].sum(), full.explained_variance_[2:].sum()
    left = ((part.inverse_transform(part.transform(x)) - x) ** 2).sum() / 59
    np.testing.assert_allclose(left, lost, rtol=1e-9)
    np.testing.assert_allclose(kept + lost, x.var(axis=0, ddof=1).sum(), rtol=1e-12)


def test_quantiles_make_any_distribution_uniform_or_normal():
    x = np.random.default_rng(0).lognormal(size=(5000, 1)) ** 3
    new = np.random.default_rng(1).lognormal(size=(5000, 1)) ** 3
    uniform, normal = (QuantileNormalization(output=o).fit(x).transform(new)[:, 0] for o in ("uniform", "normal"))
    assert scipy.stats.kstest(uniform, "uniform").statistic < 0.03
    assert scipy.stats.kstest(normal, "norm").statistic < 0.03
    ends = QuantileNormalization(output="normal").fit(x).transform(np.array([[-1.0], [1e9]]))
    np.testing.assert_allclose(ends[:, 0], [-5.19934, 5.19934], rtol=1e-5)


def test_equal_values_go_to_the_middle_of_their_ranks():
    x = np.array([[0.0], [1.0], [1.0], [1.0], [2.0]])
    assert QuantileNormalization().fit_transform(x)[:, 0].tolist() == [0.0, 0.5, 0.5, 0.5, 1.0]
    assert QuantileNormalization().fit(np.ones((4, 1))).transform(np.array([[0.0], [2.0]]))[:, 0].tolist() == [0.0, 1.0]


def test_equals_scikit_learn():
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    x, new = data(500), data(50, seed=1)
    new[0] = x[3]
    new[1] = -1e6
    x[:, 2] = np.round(x[:, 2])
    pairs = [
        (Standardization(), StandardScaler()),
        (MeanSubtraction(), StandardScaler(with_std=False)),
        (PCAWhitening(), PCA(whiten=True, svd_solver="full")),
        (PCAWhitening(n_components=2), PCA(2, whiten=True, svd_solver="full")),
    ]
    for output in ("uniform", "normal"):
        theirs = QuantileTransformer(n_quantiles=100, output_distribution=output, subsample=None)
        pairs.append((QuantileNormalization(100, output), theirs))
    for ours, theirs in pairs:
        a, b = ours.fit(x), theirs.fit(x)
        if hasattr(theirs, "quantiles_"):
            np.testing.assert_allclose(a.quantiles_, b.quantiles_, rtol=1e-12)
        np.testing.assert_allclose(a.transform(new), b.transform(new), rtol=1e-9, atol=1e-9)
        inside = b.transform(x)[:20]
        np.testing.assert_allclose(a.inverse_transform(inside), b.inverse_transform(inside), rtol=1e-9, atol=1e-9)


def fitted(**arguments):
    return Standardization(**arguments).fit(data())


ERRORS = {
    "not fitted": (
        lambda: PCAWhitening().transform(data()), NotFittedError,
        r"PCAWhitening.transform: the step has learned nothing yet; call fit\(training_data\) first",
    ),
    "no state": (lambda: MeanSubtraction().state_dict(), ValueError, "learned nothing yet"),
    "features": (
        lambda: fitted().transform(np.ones((2, 5))), autograd.ShapeError, r"items of shape \(4,\), .* got \(5,\)",
    ),
    "0-d": (lambda: fitted().transform(1.0), autograd.ShapeError, r"wants data \(N, …\)"),
    "nothing": (lambda: Standardization().fit(np.ones((0, 2))), autograd.ShapeError, "float64 of shape"),
    "nan": (lambda: Standardization().fit([[1.0], [np.nan]]), ValueError, r"entry \(1, 0\) is nan; replace"),
    "inf": (lambda: fitted().transform(np.full((1, 4), np.inf)), ValueError, r"transform: entry \(0, 0\) is inf"),
    "one item": (lambda: PCAWhitening().fit(np.ones((1, 2))), ValueError, "at least 2 items, got 1"),
    "components": (lambda: PCAWhitening(5).fit(data()), ValueError, "have 4 components, got n_components=5"),
    "eps": (lambda: ZCAWhitening(eps=-1.0), ValueError, "eps must be a number of at least 0, got float -1.0"),
    "output": (lambda: QuantileNormalization(output="gauss"), ValueError, "'uniform' or 'normal', got 'gauss'"),
    "flag": (lambda: Standardization(1), TypeError, "Standardization: per_feature must be True or False"),
    "gradient": (
        lambda: QuantileNormalization().fit(data()).transform(autograd.ones(1, 4, requires_grad=True)),
        autograd.GraphError, "ranks have no gradient",
    ),
    "state": (
        lambda: Standardization().load_state_dict(MeanSubtraction().fit(data()).state_dict()), ValueError,
        r"wants \['mean_', 'scale_'\], got \['mean_'\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
