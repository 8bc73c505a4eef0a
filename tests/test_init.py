"""First values of parameters: by mean and deviation, by their laws, and against PyTorch."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.stats

import autograd
import nn

# Each with the mean and standard deviation of a weight (400, 100).
INIT = {
    "uniform_": (lambda t, g: nn.init.uniform_(t, -1, 3, generator=g), 1.0, 4 / np.sqrt(12)),
    "normal_": (lambda t, g: nn.init.normal_(t, 2.0, 0.5, generator=g), 2.0, 0.5),
    "trunc_normal_": (
        lambda t, g: nn.init.trunc_normal_(t, 1.0, 2.0, 0.0, 4.0, generator=g),
        scipy.stats.truncnorm.mean(-0.5, 1.5, 1, 2), scipy.stats.truncnorm.std(-0.5, 1.5, 1, 2),
    ),
    "constant_": (lambda t, g: nn.init.constant_(t, 3.0), 3.0, 0.0),
    "zeros_": (lambda t, g: nn.init.zeros_(t), 0.0, 0.0),
    "ones_": (lambda t, g: nn.init.ones_(t), 1.0, 0.0),
    "eye_": (lambda t, g: nn.init.eye_(t), 1 / 400, np.sqrt(1 / 400 - 1 / 400**2)),
    "orthogonal_": (lambda t, g: nn.init.orthogonal_(t, 2.0, generator=g), 0.0, 2 / np.sqrt(400)),
    "sparse_": (lambda t, g: nn.init.sparse_(t, 0.75, 1.0, generator=g), 0.0, np.sqrt(1 / 4)),
    "kaiming_uniform_": (
        lambda t, g: nn.init.kaiming_uniform_(t, nonlinearity="relu", generator=g), 0.0, np.sqrt(2 / 100)
    ),
    "kaiming_normal_": (
        lambda t, g: nn.init.kaiming_normal_(t, a=1.0, mode="fan_out", generator=g), 0.0, np.sqrt(1 / 400)
    ),
    "xavier_uniform_": (lambda t, g: nn.init.xavier_uniform_(t, 2.0, generator=g), 0.0, 2 * np.sqrt(2 / 500)),
    "xavier_normal_": (lambda t, g: nn.init.xavier_normal_(t, generator=g), 0.0, np.sqrt(2 / 500)),
    "he_uniform_": (lambda t, g: nn.init.he_uniform_(t, generator=g), 0.0, np.sqrt(2 / 100)),
    "he_normal_": (lambda t, g: nn.init.he_normal_(t, generator=g), 0.0, np.sqrt(2 / 100)),
    "glorot_uniform_": (lambda t, g: nn.init.glorot_uniform_(t, generator=g), 0.0, np.sqrt(2 / 500)),
    "glorot_normal_": (lambda t, g: nn.init.glorot_normal_(t, generator=g), 0.0, np.sqrt(2 / 500)),
    "lecun_uniform_": (lambda t, g: nn.init.lecun_uniform_(t, generator=g), 0.0, np.sqrt(1 / 100)),
    "lecun_normal_": (lambda t, g: nn.init.lecun_normal_(t, generator=g), 0.0, np.sqrt(1 / 100)),
    "fan_in_normal_": (lambda t, g: nn.init.fan_in_normal_(t, generator=g), 0.0, 1 / 100),
}  # fmt: skip

# Those of other shapes, which have tests of their own below.
OTHERS = {"dirac_", "mean_target_", "log_odds_", "class_log_priors_"}


def seeded(seed=0):
    return autograd.Generator().manual_seed(seed)


def test_every_init_has_a_row():
    assert {n for n in nn.init.__all__ if n.endswith("_")} == set(INIT) | OTHERS


@pytest.mark.parametrize(("fill", "mean", "std"), INIT.values(), ids=INIT)
def test_init(fill, mean, std):
    p = nn.Parameter(autograd.empty(400, 100))
    assert fill(p, seeded()) is p and p.requires_grad and p.is_leaf
    a = p.numpy().copy()
    assert abs(a.mean() - mean) <= 0.02 * std + 1e-6 and abs(a.std() - std) <= 0.02 * std + 1e-6
    fill(p, seeded())
    np.testing.assert_array_equal(p.numpy(), a)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (0, 1, 5, 7), (3, 0.5, -1, 0), (0, 1, 40, 41)])
def test_truncated_normal_follows_its_law_far_out_too(mean, std, a, b):
    x = nn.init.trunc_normal_(autograd.empty(4000, dtype=autograd.float64), mean, std, a, b, seeded()).numpy()
    assert a <= x.min() and x.max() <= b
    law = scipy.stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert scipy.stats.kstest(x, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 2), (2, 3, 2)])
def test_orthogonal_rows_or_columns(shape):
    w = nn.init.orthogonal_(autograd.empty(*shape, dtype=autograd.float64), 3.0).numpy().reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 9 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_is_uniform():
    # Of a rotation or mirror image drawn uniformly, the angle of the first column is uniform.
    generator = seeded()
    first = [nn.init.orthogonal_(autograd.empty(2, 2), generator=generator).numpy()[:, 0] for _ in range(2000)]
    angles = np.arctan2(*np.transpose(first)[::-1])
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


def test_sparse_counts_each_column():
    zero = nn.init.sparse_(autograd.empty(10, 300), 0.25, generator=seeded()).numpy() == 0
    assert (zero.sum(axis=0) == 3).all()
    assert zero.sum(axis=1).min() > 60 and zero.sum(axis=1).max() < 120


def test_small_weights_keep_the_variance():
    """LeCun's weights pass on the variance of their inputs, those of standard deviation 1/m shrink it by m."""
    x = autograd.randn(2000, 100, generator=seeded())
    for fill, variance in ((nn.init.lecun_normal_, 1.0), (nn.init.fan_in_normal_, 0.01)):
        z = x @ fill(autograd.empty(50, 100), generator=seeded(1)).T
        assert abs(z.var().item() / variance - 1) < 0.1


def test_output_biases_are_the_best_constants():
    rng = np.random.default_rng(0)
    numbers, bits, classes = rng.standard_normal((50, 2)), rng.integers(0, 2, (50, 3)), rng.integers(0, 4, 50)
    for fill, target, outputs, loss in (
        (nn.init.mean_target_, numbers, 2, nn.MSELoss()),
        (nn.init.log_odds_, bits.astype(float), 3, nn.BCEWithLogitsLoss()),
        (nn.init.class_log_priors_, classes, 4, nn.CrossEntropyLoss()),
    ):
        bias = nn.Parameter(autograd.empty(outputs, dtype=autograd.float64))
        assert fill(bias, target) is bias
        loss(bias.expand(50, outputs), autograd.tensor(target)).backward()
        np.testing.assert_allclose(bias.grad.numpy(), 0, atol=1e-15)
    np.testing.assert_allclose(bias.exp().sum().item(), 1)
    bias = autograd.empty(3, dtype=autograd.float64)
    np.testing.assert_allclose(
        nn.init.class_log_priors_(bias, autograd.tensor([0, 0, 1]), smoothing=1.0).exp().tolist(), [3 / 6, 2 / 6, 1 / 6]
    )
    assert nn.init.mean_target_(autograd.empty(1), autograd.tensor([[1.0], [2.0]])).tolist() == [1.5]


ERRORS = {
    "slope": (lambda: nn.init.calculate_gain("leaky_relu", True), ValueError, "must be a number, got bool True"),
    "trunc std": (lambda: nn.init.trunc_normal_(autograd.empty(1), std=0.0), ValueError, "wants std > 0 and a < b"),
    "trunc limits": (lambda: nn.init.trunc_normal_(autograd.empty(1), a=1, b=1), ValueError, "a=1, b=1"),
    "eye": (lambda: nn.init.eye_(autograd.empty(2, 2, 2)), autograd.ShapeError, "eye_: wants a Tensor of 2 dim"),
    "dirac": (lambda: nn.init.dirac_(autograd.empty(2, 2)), autograd.ShapeError, r"3 to 5 dimensions, got .*\(2, 2\)"),
    "dirac groups": (lambda: nn.init.dirac_(autograd.empty(5, 2, 2), 2), ValueError, "divide the 5 output channels"),
    "orthogonal": (lambda: nn.init.orthogonal_(autograd.empty(3)), autograd.ShapeError, "at least 2 dimensions"),
    "sparse": (lambda: nn.init.sparse_(autograd.empty(3), 0.1), autograd.ShapeError, "sparse_: wants a Tensor of 2"),
    "sparsity": (lambda: nn.init.sparse_(autograd.empty(3, 3), 1.5), ValueError, "between 0 and 1, got 1.5"),
    "lecun": (lambda: nn.init.lecun_normal_(autograd.empty(3)), autograd.ShapeError, "lecun_normal_: wants a weight"),
    "mean shape": (
        lambda: nn.init.mean_target_(autograd.empty(2), np.ones((4, 3))), autograd.ShapeError, r"\(2,\) and \(4, 3\)",
    ),
    "odds range": (lambda: nn.init.log_odds_(autograd.empty(1), [0, 2]), ValueError, "lie between 0 and 1"),
    "odds sure": (lambda: nn.init.log_odds_(autograd.empty(1), [1, 1]), ValueError, "output 0 are 1, .*infinite"),
    "priors": (lambda: nn.init.class_log_priors_(autograd.empty(3), [0, 1]), ValueError, "class 2 is not among"),
    "priors range": (lambda: nn.init.class_log_priors_(autograd.empty(2), [0, 2]), IndexError, "from 0 to 2, .* 2 cl"),
    "priors dtype": (lambda: nn.init.class_log_priors_(autograd.empty(2), [0.5]), autograd.DTypeError, "integer cl"),
    "old name": (lambda: nn.init.uniform, AttributeError, "no attribute 'uniform'; write uniform_"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.reference
def test_gains_equal_pytorchs():
    import torch

    names = [*nn.init._GAINS, "leaky_relu"]
    assert len(names) == 12
    for name in names:
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


@pytest.mark.reference
def test_names_and_arguments_are_pytorchs():
    import torch

    theirs = {
        name: f for name, f in vars(torch.nn.init).items()
        if inspect.isfunction(f) and name.endswith("_") and not name.startswith("_")
    }  # fmt: skip
    assert not set(theirs) - set(nn.init.__all__)
    for name, f in theirs.items():
        ours, wanted = (inspect.signature(g).parameters for g in (getattr(nn.init, name), f))
        assert list(ours) == list(wanted), name
        assert [p.default for p in ours.values()] == [p.default for p in wanted.values()], name


@pytest.mark.reference
@pytest.mark.parametrize(
    ("shape", "groups"), [((2, 3, 3), 1), ((4, 2, 3, 2), 2), ((6, 3, 1, 2, 3), 3), ((3, 5, 4), 1), ((4, 1, 3), 4)]
)
def test_dirac_equals_pytorchs(shape, groups):
    import torch

    ours = nn.init.dirac_(autograd.empty(*shape), groups).numpy()
    np.testing.assert_array_equal(ours, torch.nn.init.dirac_(torch.empty(shape), groups).numpy())


@pytest.mark.reference
@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 3), (0, 2)])
def test_eye_equals_pytorchs(shape):
    import torch

    np.testing.assert_array_equal(
        nn.init.eye_(autograd.empty(*shape)).numpy(), torch.nn.init.eye_(torch.empty(shape)).numpy()
    )


LAWS = {
    "trunc_normal_": {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 3.0},
    "kaiming_uniform_": {"a": 0.5, "mode": "fan_out"},
    "kaiming_normal_": {"nonlinearity": "tanh"},
    "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {},
    "orthogonal_": {"gain": 0.5},
    "sparse_": {"sparsity": 0.3, "std": 1.0},
}


@pytest.mark.reference
@pytest.mark.parametrize(("name", "arguments"), LAWS.items(), ids=LAWS)
def test_distributions_are_pytorchs(name, arguments):
    import torch

    torch.manual_seed(0)
    shape = (60, 40) if name == "sparse_" else (60, 8, 5)
    ours = getattr(nn.init, name)(autograd.empty(*shape), **arguments, generator=seeded()).numpy().reshape(-1)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **arguments).numpy().reshape(-1)
    assert (ours == 0).sum() == (theirs == 0).sum()
    assert scipy.stats.ks_2samp(ours[ours != 0], theirs[theirs != 0]).pvalue > 1e-3
