"""Rows of linear algebra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sampling import Row, Sample, draw

import autograd
from autograd import linalg
from autograd.primitive import registry


def matrix(shape: tuple[int, ...], seed: int = 0, shift: float = 4.0, scale: float = 0.5) -> np.ndarray:
    """Matrices far from singular, with distinct singular values and eigenvalues."""
    (x,) = draw(shape, seed=seed)
    k = min(shape[-2:])
    x = x * scale
    x[..., np.arange(k), np.arange(k)] += shift + np.arange(k)
    return x


def flipped(n: int, m: int, seed: int = 9) -> np.ndarray:
    """A matrix of negative strides."""
    return np.ascontiguousarray(matrix((n, m), seed)[::-1, ::-1])[::-1, ::-1]


SQUARES = [(1, 1), (3, 3), (2, 2, 2), (0, 0), (0, 2, 2)]


def squares(shapes: Any = SQUARES, **static: Any) -> list[Sample]:
    return [Sample((matrix(s, seed=i),), static) for i, s in enumerate(shapes)] + [Sample((flipped(3, 3).T,), static)]


def pairs(*shapes: Any, **static: Any) -> list[Sample]:
    return [Sample(tuple(draw(*s, seed=i)), static) for i, s in enumerate(shapes)]


def named(name: str, samples: Any, reference: Any = None, **options: Any) -> Row:
    """A function of ``autograd`` and of ``torch`` under one name."""
    return Row(name, samples, reference or getattr(np, name), name, op=getattr(autograd, name), **options)


def in_linalg(name: str, samples: Any, reference: Any = None, **options: Any) -> Row:
    """A function of ``autograd.linalg`` and of ``torch.linalg`` under one name."""
    return Row(
        f"linalg.{name}",
        samples,
        reference or getattr(np.linalg, name),
        lambda torch, *xs, **static: getattr(torch.linalg, name)(*xs, **static),
        op=getattr(linalg, name),
        **options,
    )


def symmetric(x: Any) -> Any:
    return x + (np.swapaxes(x, -1, -2) if isinstance(x, np.ndarray) else x.mT)


def positive(x: Any) -> Any:
    """Symmetric and positive-definite."""
    return (np.swapaxes(x, -1, -2) if isinstance(x, np.ndarray) else x.mT) @ x


# What does not depend on the signs that LAPACK gives vectors.


def mt(x: Any) -> Any:
    return np.swapaxes(x, -1, -2) if isinstance(x, np.ndarray) else x.mT


def svd_of(module: Any, x: Any, full_matrices: bool) -> tuple[Any, ...]:
    u, s, vt = module.svd(x, full_matrices=full_matrices)
    k = min(x.shape[-2:])
    parts = [s, (u[..., :k] * s[..., None, :]) @ vt[..., :k, :], u[..., :k] ** 2, vt[..., :k, :] ** 2]
    # Of the columns beyond the k-th only the space that they span is determined.
    if full_matrices and x.shape[-2] > k:
        parts.append(u[..., k:] @ mt(u[..., k:]))
    if full_matrices and x.shape[-1] > k:
        parts.append(mt(vt[..., k:, :]) @ vt[..., k:, :])
    return tuple(parts)


def rebuilt(usv: Any) -> tuple[Any, Any]:
    u, s, v = usv
    return s, (u * s) @ v.mT


def in_reduced_terms(torch: Any, x: Any, full_matrices: bool) -> tuple[Any, ...]:
    """PyTorch gives no gradient to the further columns: the projection on them is made of the first ones here."""
    u, s, vt = torch.linalg.svd(x, full_matrices=False)
    k = min(x.shape[-2:])
    parts = [s, (u * s[..., None, :]) @ vt, u**2, vt**2]
    if full_matrices and x.shape[-2] > k:
        parts.append(torch.eye(x.shape[-2], dtype=x.dtype) - u @ u.mT)
    if full_matrices and x.shape[-1] > k:
        parts.append(torch.eye(x.shape[-1], dtype=x.dtype) - vt.mT @ vt)
    return tuple(parts)


def eigh_of(module: Any, x: Any, upper: bool) -> tuple[Any, ...]:
    w, v = module.eigh(symmetric(x), "U" if upper else "L")
    return w, v**2, (v**2) @ mt(v**2)


def qr_of(module: Any, x: Any, mode: str) -> tuple[Any, ...]:
    q, r = module.qr(x, mode)
    return q @ r, q**2, r**2


TALL = [(3, 2), (2, 2), (2, 4, 2), (1, 1), (0, 3, 2)]
WIDE = [(2, 3), (2, 2, 3)]


def rectangles(shapes: Any, **static: Any) -> list[Sample]:
    return [Sample((matrix(s, seed=i),), static) for i, s in enumerate(shapes)] + [Sample((flipped(3, 2),), static)]


EIGH = [(1, 1), (3, 3), (2, 3, 3), (0, 2, 2)]

SYSTEMS = [((3, 3), (3, 2)), ((2, 2, 2), (2, 2, 1)), ((2, 2), (3, 2, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((0, 0), (0, 2))]


def systems(shapes: Any, **static: Any) -> list[Sample]:
    return [Sample((matrix(a, seed=i), *draw(b, seed=i + 50)), static) for i, (a, b) in enumerate(shapes)] + [
        Sample((flipped(3, 3), draw((3, 2))[0][::-1, ::-1]), static)
    ]


def numpy_triangular(a: Any, b: Any, upper: bool, unitriangular: bool, left: bool = True) -> Any:
    a = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        eye = np.eye(a.shape[-1])
        a = a * (1 - eye) + eye
    return np.linalg.solve(a, b) if left else mt(np.linalg.solve(mt(a), mt(b)))


def numpy_cofactors(x: Any) -> Any:
    out = np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        rest = np.delete(np.delete(x[at[:-2]], at[-2], 0), at[-1], 1)
        out[at] = (-1) ** (at[-1] + at[-2]) * np.linalg.det(rest)
    return out


def torch_cofactors(torch: Any, x: Any) -> Any:
    return torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT


def numpy_expm(x: Any) -> Any:
    from scipy.linalg import expm

    return expm(x) if x.size else x


def small_squares() -> list[Sample]:
    samples = [Sample((matrix(s, seed=i, shift=0.1, scale=0.3),)) for i, s in enumerate([(2, 2, 2), (0, 0)])]
    return [*samples, Sample((flipped(2, 2).T / 4,))]


EINSUM: list[tuple[str, Any]] = [
    ("ij,jk->ik", ((2, 3), (3, 2))),
    ("ij,jk", ((2, 3), (3, 2))),
    ("ij,ij->", ((2, 3), (2, 3))),
    ("i,i", ((3,), (3,))),
    ("i,j->ji", ((2,), (3,))),
    ("bij,bjk->bki", ((2, 2, 3), (2, 3, 2))),
    ("bhqd,bhkd->bhqk", ((1, 2, 2, 3), (1, 2, 3, 3))),
    ("...ij,...jk->...ik", ((2, 1, 2, 3), (3, 3, 2))),
    ("...i,...i", ((2, 3), (2, 3))),
    ("i...,i...->...", ((3, 2), (3, 2))),
    ("ii", ((3, 3),)),
    ("ii->i", ((3, 3),)),
    ("iij->ji", ((2, 2, 3),)),
    ("ijij->j", ((2, 3, 2, 3),)),
    ("...ii->...i", ((2, 3, 3),)),
    ("ij->", ((2, 3),)),
    ("ij->j", ((2, 3),)),
    ("ji", ((2, 3),)),
    ("ij,k->k", ((2, 3), (2,))),
    ("ij,jk,kl->il", ((2, 3), (3, 2), (2, 4))),
    ("i,ij,j->", ((2,), (2, 3), (3,))),
    ("ab,bc,ca,c->c", ((2, 3), (3, 2), (2, 2), (2,))),
    ("ij,jk->ik", ((2, 1), (3, 2))),
    ("ij,ij->ij", ((2, 1), (1, 3))),
    ("i,i,i->", ((3,), (1,), (1,))),
    ("iij,j->i", ((2, 2, 3), (3,))),
    (" i , -> i ", ((3,), ())),
    (",->", ((), ())),
    ("ij,jk->ik", ((2, 0), (0, 3))),
    ("Ab,bc->Ac", ((0, 2), (2, 3))),
    ("i...->...", ((3, 2),)),
]


def einsum_samples() -> list[Sample]:
    samples = [Sample((eq, *draw(*shapes, seed=i))) for i, (eq, shapes) in enumerate(EINSUM)]
    x, y = draw((3, 4), (2, 3), seed=77)
    return [*samples, Sample(("ij,kj->ki", x[::-1, ::-1].T, y[::-1, ::-1]))]


def numpy_einsum(equation: str, *xs: Any) -> Any:
    return np.einsum(equation.replace(" ", ""), *xs)


def torch_einsum(torch: Any, equation: str, *xs: Any) -> Any:
    return torch.einsum(equation, *xs)


def numpy_matrix_norm(x: Any, ord: Any, dim: Any = (-2, -1), keepdim: bool = False) -> Any:
    return np.linalg.norm(x, ord, axis=dim, keepdims=keepdim)


def matrix_norms(ord: Any) -> Row:
    shapes = [(2, 3), (2, 3, 2)]
    samples = [Sample((matrix(s, seed=i, scale=0.4),), {"ord": ord}) for i, s in enumerate(shapes)]
    samples.append(Sample((matrix((2, 2, 3), seed=5),), {"ord": ord, "dim": (0, 2), "keepdim": True}))
    samples.append(Sample((matrix((2, 2, 3), seed=6),), {"ord": ord, "dim": (2, 1), "keepdim": False}))
    # Entries of one grid can have equal sums; these have not.
    samples = [Sample((s.inputs[0] + 0.01 * np.sin(s.inputs[0]),), s.static) for s in samples]
    return Row(
        f"linalg.matrix_norm {ord}",
        samples,
        numpy_matrix_norm,
        lambda torch, x, **static: torch.linalg.matrix_norm(x, **static),
        op=linalg.matrix_norm,
    )


def vector_norms(ord: float) -> Row:
    positive_ = ord in (math.inf, -math.inf)
    cases = [((), None, False), ((2, 3), None, False), ((2, 3, 2), (0, -1), True)]
    samples = [
        Sample(tuple(draw(s, low=0.1 if positive_ else -2, avoid=(0,), seed=i)), {"ord": ord, "dim": d, "keepdim": k})
        for i, (s, d, k) in enumerate(cases)
    ]
    return Row(
        f"linalg.vector_norm {ord}",
        samples,
        lambda x, ord, dim, keepdim: numpy_vector_norm(x, ord, dim, keepdim),
        lambda torch, x, **static: torch.linalg.vector_norm(x, **static),
        op=linalg.vector_norm,
        gradient=ord != 0,
    )


def numpy_vector_norm(x: Any, ord: Any, dim: Any, keepdim: bool) -> Any:
    a = np.abs(x)
    if ord == 0:
        return np.sum(a != 0, axis=dim, keepdims=keepdim).astype(x.dtype)
    if math.isinf(ord):
        return (np.max if ord > 0 else np.min)(a, axis=dim, keepdims=keepdim)
    return np.sum(a**ord, axis=dim, keepdims=keepdim) ** (1 / ord)


def numpy_cdist(x: Any, y: Any, p: float = 2.0) -> Any:
    d = np.abs(x[..., :, None, :] - y[..., None, :, :])
    if math.isinf(p):
        return d.max(-1)
    return np.sum(d != 0, -1).astype(x.dtype) if p == 0 else np.sum(d**p, -1) ** (1 / p)


POINTS = [((2, 3), (4, 3)), ((1, 1), (1, 1)), ((2, 2, 2), (2, 1, 2)), ((3, 1, 2, 2), (2, 2, 2)), ((0, 2), (3, 2))]


def points(*shapes: Any, **static: Any) -> list[Sample]:
    """Two sets of points; those of one grid can have equal differences, these have not."""
    return [Sample(tuple(x + 0.05 * np.sin(3 * x) for x in s.inputs), static) for s in pairs(*shapes)]


def numpy_cosine(x: Any, y: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    x, y = np.broadcast_arrays(x, y)

    def norm(a: Any) -> Any:
        return np.maximum(np.sqrt(np.sum(a * a, axis=dim, keepdims=True)), eps)

    return np.sum(x / norm(x) * (y / norm(y)), axis=dim)


def added(name: str, shapes: Any, numpy: Any) -> Row:
    samples = [
        Sample(tuple(draw(*s, seed=i)), {"beta": beta, "alpha": alpha})
        for i, s in enumerate(shapes)
        for beta, alpha in ((1, 1), (0.5, -2), (0, 1.5))[i : None if i == 0 else i + 1]
    ]
    return named(name, samples, lambda x, a, b, beta, alpha: beta * x + alpha * numpy(a, b))


def lstsq_of(module: Any, a: Any, b: Any, driver: Any) -> tuple[Any, ...]:
    found = module.lstsq(a, b, driver=driver)
    return (found.solution, found.residuals) if driver else (found.solution,)


def numpy_lstsq(a: Any, b: Any, driver: Any) -> tuple[Any, ...]:
    x = np.linalg.pinv(a) @ b
    return (x, np.sum((a @ x - b) ** 2, axis=-2 if b.ndim > 1 else -1, keepdims=b.ndim == 1)) if driver else (x,)


def numpy_slogdet(x: Any) -> tuple[Any, ...]:
    return tuple(np.linalg.slogdet(x))


def torch_cond(torch: Any, x: Any, p: Any) -> Any:
    """As PyTorch defines it; its own fails in backward when p is neither None nor ±2."""
    if p is None or p == -2:
        return torch.linalg.cond(x, p)
    return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)


ROWS = [
    # Products
    named("mm", pairs(((2, 3), (3, 4)), ((1, 1), (1, 1)), ((2, 0), (0, 3))), np.matmul),
    named("bmm", pairs(((2, 2, 3), (2, 3, 1)), ((0, 2, 3), (0, 3, 1))), np.matmul),
    named("mv", pairs(((2, 3), (3,)), ((0, 3), (3,))), np.matmul),
    named("dot", [*pairs(((3,), (3,)), ((0,), (0,))), Sample((np.arange(4.0)[::-1], np.arange(4.0)))]),
    named("vdot", pairs(((3,), (3,)), ((1,), (1,)))),
    named("inner", pairs(((3,), (3,)), ((2, 3), (4, 3)), ((2, 1, 3), (3,)), ((), (2,)), ((2, 0), (3, 0)))),
    named("outer", pairs(((3,), (2,)), ((1,), (0,)))),
    named("ger", pairs(((3,), (2,))), np.outer),
    added("addmm", [((2, 2), (2, 3), (3, 2)), ((2,), (2, 3), (3, 2)), ((), (1, 1), (1, 2))], np.matmul),
    added("addmv", [((2,), (2, 3), (3,)), ((1,), (2, 3), (3,))], np.matmul),
    added("addr", [((2, 3), (2,), (3,)), ((2, 1), (2,), (3,))], np.outer),
    added("baddbmm", [((2, 2, 2), (2, 2, 3), (2, 3, 2)), ((2, 1), (2, 2, 3), (2, 3, 2))], np.matmul),
    added("addbmm", [((2, 2), (3, 2, 3), (3, 3, 2))], lambda a, b: (a @ b).sum(0)),
    Row(
        "linalg.vecdot",
        [*pairs(((3,), (3,)), ((2, 3), (3,))), *pairs(((2, 3), (2, 1)), dim=0)],
        lambda x, y, dim=-1: np.sum(x * y, axis=dim),
        lambda torch, x, y, dim=-1: torch.linalg.vecdot(x, y, dim=dim),
        op=linalg.vecdot,
    ),
    named(
        "tensordot",
        [
            *pairs(((2, 3, 2), (3, 2, 4)), dims=2),
            *pairs(((2, 3), (2,)), dims=0),
            *pairs(((2, 3, 4), (4, 2)), dims=([2, 0], [0, 1])),
            *pairs(((2, 0), (0, 2)), ((3,), (3,)), dims=1),
        ],
        lambda a, b, dims: np.tensordot(a, b, dims),
    ),
    named("kron", pairs(((2, 3), (2, 2)), ((2,), (3, 1)), ((), (2,)), ((1, 2, 1), (2, 1, 3)))),
    named("cross", [*pairs(((2, 3), (2, 3)), ((3,), (3,)), dim=-1), *pairs(((3, 2), (3, 1)), dim=0)],
          lambda x, y, dim: np.cross(*np.broadcast_arrays(x, y), axis=dim)),
    Row(
        "linalg.cross",
        pairs(((2, 3), (1, 3)), ((3,), (3,)), ((2, 2, 3), (2, 2, 3))),
        lambda x, y: np.cross(*np.broadcast_arrays(x, y)),
        lambda torch, x, y: torch.linalg.cross(x, y),
        op=linalg.cross,
    ),
    Row(
        "linalg.multi_dot",
        pairs(((2, 3), (3, 1), (1, 4), (4, 2)), ((3,), (3, 2), (2,)), ((2, 3), (3,)), ((2, 3), (3, 0))),
        lambda *xs: np.linalg.multi_dot(xs) if len(xs) > 2 else xs[0] @ xs[1],
        lambda torch, *xs: torch.linalg.multi_dot(xs),
        op=lambda *xs: linalg.multi_dot(xs),
    ),
    Row("chain_matmul", pairs(((2, 3), (3, 1), (1, 2))), lambda x, y, z: x @ y @ z,
        lambda torch, *xs: torch.linalg.multi_dot(xs), op=autograd.chain_matmul),
    named("trace", [*squares([(1, 1), (3, 3), (0, 0)]), Sample((matrix((2, 3)),)), Sample((matrix((3, 2)),))]),
    Row("linalg.diagonal", [Sample((matrix((2, 2, 3)),), {"offset": k}) for k in (0, 1, -1)],
        lambda x, offset: np.diagonal(x, offset, -2, -1),
        lambda torch, x, offset: torch.linalg.diagonal(x, offset=offset), op=linalg.diagonal),
    Row(
        "einsum_pair",
        [Sample(tuple(draw((2, 3, 2), (2, 2, 4), seed=1)), {"subscripts": ("bij", "bjk", "kbi")}),
         Sample(tuple(draw((2, 3), (4,), seed=2)), {"subscripts": ("ij", "k", "jki")})],
        lambda x, y, subscripts: np.einsum("{},{}->{}".format(*subscripts), x, y),
        lambda torch, x, y, subscripts: torch.einsum("{},{}->{}".format(*subscripts), x, y),
        op=lambda x, y, subscripts: registry["einsum_pair"](x, y, subscripts=tuple(map(tuple, subscripts))),
    ),
    Row("einsum", einsum_samples(), numpy_einsum, torch_einsum, op=autograd.einsum),
    # Functions of a square matrix
    Row("determinant", squares(), np.linalg.det, "det"),
    named("det", squares([(2, 2)]), np.linalg.det),
    Row("cofactor_matrix", squares([(1, 1), (3, 3), (2, 2, 2)]), numpy_cofactors, torch_cofactors),
    Row("sign_and_log_determinant", squares(), numpy_slogdet, lambda torch, x: tuple(torch.linalg.slogdet(x))),
    in_linalg("slogdet", [Sample((-matrix((3, 3)),))], numpy_slogdet),
    named("logdet", squares([(1, 1), (3, 3), (2, 2, 2)]), lambda x: np.linalg.slogdet(x)[1]),
    Row("matrix_exponential", small_squares(), numpy_expm, "matrix_exp"),
    named("matrix_exp", small_squares()[:1], numpy_expm),
    *[
        Row(
            f"matrix_power {n}",
            [Sample((matrix(s, seed=i, shift=1.0, scale=0.2),), {"n": n}) for i, s in enumerate([(3, 3), (2, 2, 2)])],
            lambda x, n: np.linalg.matrix_power(x, n),
            "matrix_power",
            op=autograd.matrix_power,
            gradient=n != 0,
        )
        for n in (-2, 0, 1, 2, 5)
    ],
    # Solving
    Row("inverse_of", squares(), np.linalg.inv, "inverse"),
    in_linalg("inv", squares([(2, 2)])),
    named("inverse", squares([(2, 2)]), np.linalg.inv),
    Row("solve_systems", systems(SYSTEMS), np.linalg.solve, lambda torch, a, b: torch.linalg.solve(a, b)),
    in_linalg("solve", [*systems([((2, 2), (2,)), ((2, 3, 3), (2, 3))])[:2],
                        *systems([((2, 2), (3, 2))], left=False)[:1]],
              lambda a, b, left=True: np.linalg.solve(a, b[..., None])[..., 0] if left else b @ np.linalg.inv(a)),
    *[
        Row(
            name,
            [s for upper in (False, True) for unit in (False, True)
             for s in systems(shapes[: 2 if unit else None], upper=upper, unitriangular=unit, **static)[:last]],
            numpy_triangular,
            lambda torch, a, b, **static: torch.linalg.solve_triangular(a, b, **static),
            op=op,
        )
        for name, shapes, last, static, op in (
            ("solve_triangular_systems", SYSTEMS, None, {}, None),
            ("linalg.solve_triangular", [((2, 2), (3, 2))], -1, {"left": False}, linalg.solve_triangular),
        )
    ],
    Row(
        "pseudoinverse",
        rectangles([*TALL, *WIDE, (0, 2), (3, 0)]),
        np.linalg.pinv,
        lambda torch, x: torch.linalg.pinv(x),
        op=lambda x: linalg.pinv(x),
    ),
    in_linalg("pinv", [Sample((matrix((3, 2)),), {"rtol": 1e-3}),
                       Sample((symmetric(matrix((2, 2))),), {"hermitian": True})],
              lambda x, rtol=None, hermitian=False: np.linalg.pinv(x)),
    named("pinverse", rectangles([(3, 2)]), np.linalg.pinv),
    Row(
        "linalg.lstsq",
        [*systems([((4, 2), (4, 3)), ((2, 3, 2), (2, 3, 1)), ((2, 3), (2, 1)), ((2, 2), (2, 2))], driver=None)[:4],
         *systems([((4, 2), (4, 3)), ((3, 2), (3,))], driver="gelsd")[:2]],
        numpy_lstsq,
        lambda torch, a, b, driver: lstsq_of(torch.linalg, a, b, driver),
        op=lambda a, b, driver: lstsq_of(linalg, a, b, driver),
    ),
    # Of the factor PyTorch's gradient is right only where it is triangular.
    Row("cholesky_solve", [Sample((*draw((3, 2)), matrix((3, 3))), {"upper": u}) for u in (False, True)],
        lambda b, f, upper: np.linalg.solve(np.triu(f).T @ np.triu(f) if upper else np.tril(f) @ np.tril(f).T, b),
        lambda torch, b, f, upper: torch.cholesky_solve(b, f.triu() if upper else f.tril(), upper),
        op=autograd.cholesky_solve),
    Row("cholesky_inverse", squares([(1, 1), (2, 3, 3)]), lambda f: np.linalg.inv(np.tril(f) @ mt(np.tril(f))),
        lambda torch, f: torch.cholesky_inverse(f.tril()), op=autograd.cholesky_inverse),
    in_linalg("tensorinv", [Sample((matrix((4, 4)).reshape(2, 2, 4),), {"ind": 2})]),
    in_linalg("tensorsolve", [Sample((matrix((4, 4)).reshape(4, 2, 2), *draw((4,))))]),
    # Decompositions
    Row("cholesky_factor", squares(), lambda x: np.linalg.cholesky(positive(x)),
        lambda torch, x: torch.linalg.cholesky(positive(x)), op=lambda x: linalg.cholesky(positive(x))),
    Row("linalg.cholesky upper", squares([(3, 3)]), lambda x: mt(np.linalg.cholesky(positive(x))),
        lambda torch, x: torch.linalg.cholesky(positive(x), upper=True),
        op=lambda x: linalg.cholesky(positive(x), upper=True)),
    Row("qr_factors", [*rectangles([(0, 3, 2), (2, 4, 2), (2, 3)], mode="reduced"),
                       *squares([(2, 2)], mode="complete")[:1], *rectangles([(2, 3)], mode="complete")[:1]],
        lambda x, mode: qr_of(np.linalg, x, mode), lambda torch, x, mode: qr_of(torch.linalg, x, mode),
        op=lambda x, mode: qr_of(linalg, x, mode)),
    Row("singular_values_and_vectors",
        [*rectangles([(2, 3), (0, 3, 2), (2, 2, 2)], full_matrices=False),
         *rectangles([(4, 2), (2, 3)], full_matrices=True)[:2]],
        lambda x, full_matrices: svd_of(np.linalg, x, full_matrices), in_reduced_terms,
        op=lambda x, full_matrices: svd_of(linalg, x, full_matrices)),
    Row("linalg.svdvals", rectangles([*TALL, *WIDE]), lambda x: np.linalg.svd(x, compute_uv=False),
        lambda torch, x: torch.linalg.svdvals(x), op=linalg.svdvals),
    Row("svd", rectangles([(2, 3)]), lambda x: (np.linalg.svd(x)[1], x),
        lambda torch, x: rebuilt(torch.svd(x)),
        op=lambda x: rebuilt(autograd.svd(x))),
    Row("symmetric_eigen", [*squares(EIGH[1:], upper=False), *squares([(2, 2)], upper=True)[:1]],
        lambda x, upper: eigh_of(np.linalg, x, upper), lambda torch, x, upper: eigh_of(torch.linalg, x, upper),
        op=lambda x, upper: eigh_of(linalg, x, upper)),
    Row("linalg.eigvalsh", squares(EIGH), lambda x: np.linalg.eigvalsh(symmetric(x)),
        lambda torch, x: torch.linalg.eigvalsh(symmetric(x)), op=lambda x: linalg.eigvalsh(symmetric(x))),
    # Norms, and what singular values tell
    *[matrix_norms(ord) for ord in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)],
    *[vector_norms(ord) for ord in (0, 0.5, 1, 2, 3, -1, -2, math.inf, -math.inf)],
    Row("linalg.norm",
        [Sample(tuple(draw((2, 3), avoid=(0,))), {"ord": None, "dim": None}),
         Sample(tuple(draw((3,), avoid=(0,))), {"ord": 3, "dim": None}),
         Sample((matrix((2, 3)),), {"ord": 2, "dim": None}),
         Sample(tuple(draw((2, 3), avoid=(0,))), {"ord": 1, "dim": 0}),
         Sample((matrix((2, 3)),), {"ord": "nuc", "dim": (0, 1)})],
        lambda x, ord, dim: np.linalg.norm(x, ord, dim),
        lambda torch, x, ord, dim: torch.linalg.norm(x, ord, dim), op=linalg.norm),
    Row("linalg.matrix_rank",
        [Sample((np.ones((3, 3)),), {}), Sample((matrix((2, 3, 2)),), {}),
         Sample((np.diag([3.0, 1.0]),), {"atol": 2.0}), Sample((np.diag([3.0, -1.0, 0.0]),), {"hermitian": True})],
        lambda x, atol=None, hermitian=False: np.linalg.matrix_rank(x, atol),
        lambda torch, x, **static: torch.linalg.matrix_rank(x, **static), op=linalg.matrix_rank, gradient=False),
    *[
        Row(f"linalg.cond {p}", squares([(2, 3, 3)], p=p)[:1], np.linalg.cond,
            torch_cond, op=linalg.cond)
        for p in (None, -2, 1, "fro", "nuc", math.inf)
    ],
    # Distances
    Row("euclidean_distances", pairs(*POINTS), numpy_cdist, "cdist"),
    *[
        Row(f"cdist p={p}", points(POINTS[0], POINTS[3], p=p), numpy_cdist, "cdist", op=autograd.cdist, gradient=p != 0)
        for p in (0.0, 1.0, 1.5, 2.0, 3.0, math.inf)
    ],
    *[
        Row(f"pdist p={p}", points(((4, 3),), ((1, 2),), p=p),
            lambda x, p: numpy_cdist(x, x, p)[np.triu_indices(len(x), 1)], "pdist", op=autograd.pdist)
        for p in (1.0, 2.0, 3.0, math.inf)
    ],
    *[
        named("pairwise_distance", [*pairs(((2, 3), (2, 3)), ((3,), (2, 3)), p=2.0),
                                    *pairs(((2, 3), (2, 3)), p=1.0, keepdim=True)],
              lambda x, y, p, keepdim=False: numpy_vector_norm(x - y + 1e-6, p, -1, keepdim))
    ],
    named("cosine_similarity",
          [*pairs(((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 3, 2), (3, 2))), *pairs(((3,), (3,)), ((3,), (2, 3)), dim=0),
           *pairs(((2, 3), (2, 3)), dim=-1, eps=0.5)], numpy_cosine),
]  # fmt: skip
