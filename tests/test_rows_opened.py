"""Every operation of the table, taken apart into scalars and checked node by node."""

import numpy as np
import pytest
from rows import ROWS

import autograd
from autograd import GraphError, expand, tensor, verify

# What is not made of elementary operations; all else opens, but for arrays without entries and for ties.
WHOLE = {
    "amax", "amin", "cdist", "cholesky", "cofactors", "conv_transpose", "correlate", "det", "eigh", "extreme_at", "inv",
    "logcumsumexp", "logsumexp", "masked_softmax", "matrix_exp", "mean", "median", "norm", "normalization", "pinv",
    "prod", "qr", "rms_norm", "scale_gradient", "slogdet", "solve", "solve_triangular", "sum", "svd", "softmax",
    "log_softmax",
}  # fmt: skip


def graphs(row):
    """For each sample with a gradient the inputs that get one, and a scalar result."""
    for sample in row.samples:
        places = row.differentiable(sample)
        inputs = [
            tensor(x.astype(np.float64) if i in places else x, requires_grad=i in places)
            if isinstance(x, np.ndarray)
            else x
            for i, x in enumerate(sample.inputs)
        ]
        with np.errstate(all="ignore"):
            result = row.function(*inputs, **sample.static) if places else ()
        results = [
            y
            for y in (result if isinstance(result, (tuple, list)) else [result])
            if isinstance(y, autograd.Tensor) and y.requires_grad
        ]
        if results:
            rng = np.random.default_rng(0)
            loss = sum((y * tensor(rng.normal(size=y.shape))).sum() for y in results)
            yield {f"input{i}": inputs[i] for i in places}, loss


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_verified_and_opened(row):
    for inputs, loss in graphs(row):
        found = verify(loss)
        assert found.ok, found.table
        try:
            picture = expand(loss, names=inputs, limit=4000)
        except GraphError as error:
            assert "more than 4000 scalars" in str(error)
            continue
        assert set(picture.whole) <= WHOLE, picture.whole
        slopes = autograd.grad(loss, list(inputs.values()), retain_graph=True, allow_unused=True)
        for (name, x), g in zip(inputs.items(), slopes, strict=True):
            if g is None:
                continue
            expected = (g.to_dense() if g.is_sparse else g).numpy()
            mine = np.zeros(x.shape)
            for index in np.ndindex(*x.shape):
                mine[index] = picture.scalars[name, index].gradient or 0.0
            np.testing.assert_allclose(mine, expected, rtol=1e-6, atol=1e-9)
