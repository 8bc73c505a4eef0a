"""Linear algebra beyond the op table: singular and degenerate matrices, notation, in-place forms."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import gradcheck, linalg, tensor
from autograd.backends import numpy_linalg, tensor_linalg


def drawn(*shape, seed=0, grad=False):
    return tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=grad)


NAMES = (
    "inv", "solve", "solve_triangular", "cholesky", "qr", "svd", "eigh", "det", "slogdet", "cofactors", "expm",
    "distances",
)  # fmt: skip


def test_every_namespace_has_the_same_linear_algebra():
    for name in NAMES:
        assert callable(getattr(numpy_linalg, name)), name
        assert callable(getattr(tensor_linalg, name)), name


@pytest.mark.jax
def test_jax_has_the_same_linear_algebra():
    from autograd.backends import jax_linalg

    for name in NAMES:
        assert callable(getattr(jax_linalg, name)), name


def test_every_public_name_of_linalg_is_there():
    assert all(hasattr(linalg, name) for name in linalg.__all__)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_gradient_of_det_is_the_cofactors_also_of_a_singular_matrix(rank):
    # Small integers: the matrix is exactly singular, and so are its minors exact.
    a = np.arange(1.0, 10.0).reshape(3, 3) if rank == 2 else np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]) * rank
    x = tensor(a, requires_grad=True)
    ag.det(x).backward()
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)] for i in range(3)]
    signs = (-1.0) ** np.add.outer(range(3), range(3))
    np.testing.assert_allclose(x.grad.numpy(), minors * signs, atol=1e-9)


def test_a_singular_matrix_among_others_has_its_gradient():
    x = tensor([[[1.0, 2.0], [2.0, 4.0]], [[3.0, 1.0], [0.0, 1.0]]], dtype="float64", requires_grad=True)
    ag.det(x).sum().backward()
    expected = [[[4.0, -2.0], [-2.0, 1.0]], [[1.0, 0.0], [-1.0, 3.0]]]
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


def test_det_of_a_singular_matrix_is_0_and_logdet_minus_infinity():
    x = ag.zeros(2, 2)
    assert ag.det(x) == 0
    assert ag.logdet(x) == -np.inf
    assert np.isnan(ag.logdet(tensor([[-1.0]])).item())


def test_values_of_coinciding_eigenvalues_have_a_gradient():
    x = ag.eye(3, dtype="float64").requires_grad_()
    for function in (linalg.eigvalsh, linalg.svdvals):
        (g,) = ag.grad(function(x).sum(), x)
        np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-14)


def test_the_choice_of_the_further_singular_vectors_does_not_matter():
    def projection(x):
        u = linalg.svd(x).U[:, 2:]
        return u @ u.mT

    assert gradcheck(projection, drawn(4, 2, grad=True))


def test_a_wide_matrix_of_zeros_and_ones_has_a_pseudoinverse():
    a = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(linalg.pinv(tensor(a)).numpy(), np.linalg.pinv(a), atol=1e-15)
    assert linalg.matrix_rank(tensor(a)).item() == 1
    # The gradient of the smallest solution, where the rank is fixed by moving one column.
    assert gradcheck(lambda t: linalg.pinv(ag.stack([t, t], 1)), drawn(3, grad=True))


def test_lstsq_fits_a_line_with_gradient():
    x = np.linspace(0, 1, 20)
    a = tensor(np.stack([x, np.ones(20)], 1))
    y = tensor(3 * x + 1, requires_grad=True)
    found = linalg.lstsq(a, y[:, None], driver="gelsd")
    np.testing.assert_allclose(found.solution.detach().numpy()[:, 0], [3, 1], rtol=1e-12)
    assert found.rank.item() == 2
    np.testing.assert_allclose(found.singular_values.numpy(), np.linalg.svd(a.numpy())[1], rtol=1e-12)
    found.solution[0].backward()
    np.testing.assert_allclose(y.grad.numpy(), np.linalg.pinv(a.numpy())[0], atol=1e-12)


def test_a_zero_on_the_diagonal_of_a_triangle_gives_infinities():
    out = linalg.solve_triangular(tensor([[1.0, 0.0], [0.0, 0.0]]), ag.ones(2, 1), upper=False)
    assert out.tolist() == [[1.0], [float("inf")]]


def test_cond_of_a_singular_matrix_is_infinite():
    assert linalg.cond(tensor([[1.0, 1.0], [1.0, 1.0]]), 1) == np.inf


def test_einsum_takes_a_list_and_numbers_for_letters():
    a, b = drawn(2, 3), drawn(3, 4, seed=1)
    product = a.numpy() @ b.numpy()
    for out in (
        ag.einsum("ij,jk->ik", [a, b]),
        ag.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        ag.einsum(a, [0, 1], b, [1, 2]),
        ag.einsum(a, [Ellipsis, 1], b, [1, 30], [Ellipsis, 30]),
    ):
        np.testing.assert_allclose(out.numpy(), product, rtol=1e-14)


def test_einsum_sums_over_an_ellipsis_that_the_result_lacks():
    x = drawn(2, 3, 4)
    np.testing.assert_allclose(ag.einsum("...i->i", x).numpy(), x.numpy().sum((0, 1)), rtol=1e-12)


def test_einsum_multiplies_the_cheap_pair_first():
    a, b, c = drawn(500, 2, grad=True), drawn(2, 500, seed=1), drawn(500, 2, seed=2)
    out = ag.einsum("ij,jk,kl->il", a, b, c)
    assert sorted(tuple(x.shape) for x in out._inputs[0]._inputs) == [(2, 2), (500, 2)]
    np.testing.assert_allclose(out.detach().numpy(), a.detach().numpy() @ b.numpy() @ c.numpy(), rtol=1e-10)


def test_points_that_coincide_have_gradient_0():
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for p in (0.5, 1.0, 1.5, 2.0, 3.0, np.inf):
        (g,) = ag.grad(ag.cdist(x, x.detach(), p=p).diagonal().sum(), x)
        assert not g.numpy().any(), p
        if p != 0.5:
            (g,) = ag.grad(ag.pdist(ag.stack([x[0], x[0]]), p=p).sum(), x)
            assert not g.numpy().any(), p


def test_distances_far_from_the_origin_keep_their_gradients_digits():
    near, far = drawn(3, 2).float(), 1e4
    x = (near + far).requires_grad_()
    other = (drawn(4, 2, seed=1).float() + far).detach()
    ag.cdist(x, other).sum().backward()
    exact = x.detach().double().requires_grad_()
    ag.cdist(exact, other.double()).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), exact.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_a_vector_shorter_than_eps_is_divided_by_eps():
    x, y = tensor([[1e-10, 0.0]]), tensor([[1.0, 0.0]])
    assert ag.cosine_similarity(x, y).item() == pytest.approx(1e-2)


@pytest.mark.reference
def test_cosine_similarity_of_short_vectors_has_pytorchs_gradient():
    import torch

    values = [[0.1, 0.2], [0.0, 0.0]]
    x = tensor(values, dtype="float64", requires_grad=True)
    t = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    ag.cosine_similarity(x, ag.ones(2, 2, dtype="float64"), eps=0.5).sum().backward()
    torch.cosine_similarity(t, torch.ones(2, 2, dtype=torch.float64), eps=0.5).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-12)


IN_PLACE = {
    "addmm_": ((2, 2), (2, 3), (3, 2)),
    "addmv_": ((2,), (2, 3), (3,)),
    "addr_": ((2, 3), (2,), (3,)),
    "addbmm_": ((2, 2), (4, 2, 3), (4, 3, 2)),
    "baddbmm_": ((4, 2, 2), (4, 2, 3), (4, 3, 2)),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_forms_give_what_the_others_give(name):
    xs = [drawn(*s, seed=i, grad=True) for i, s in enumerate(IN_PLACE[name])]
    expected = getattr(ag, name[:-1])(*xs, beta=0.5, alpha=2)
    wanted = ag.grad(expected.sum(), xs)
    copy = xs[0].clone()
    assert getattr(copy, name)(*xs[1:], beta=0.5, alpha=2) is copy
    np.testing.assert_array_equal(copy.detach().numpy(), expected.detach().numpy())
    for a, b in zip(ag.grad(copy.sum(), xs), wanted, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


METHODS = (
    "mm", "bmm", "mv", "dot", "vdot", "inner", "outer", "ger", "kron", "cross", "trace", "addmm", "addmv", "addr",
    "addbmm", "baddbmm", "det", "slogdet", "logdet", "matrix_exp", "matrix_power", "inverse", "pinverse",
    "cholesky", "cholesky_solve", "cholesky_inverse", "qr", "svd",
)  # fmt: skip


def test_methods_are_the_functions():
    for name in METHODS:
        assert getattr(ag.Tensor, name) is getattr(ag, name), name


def test_with_beta_0_the_input_is_not_looked_at():
    x = ag.full((2, 2), float("nan"), requires_grad=True)
    out = ag.addmm(x, ag.ones(2, 1), ag.ones(1, 2), beta=0)
    assert out.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    out.sum().backward()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("power", [3, -1])
def test_a_matrix_power_is_differentiable_twice(power):
    four = 4 * ag.eye(3, dtype="float64")
    assert ag.gradgradcheck(lambda x: ag.matrix_power(x + four, power), drawn(3, 3, grad=True))
