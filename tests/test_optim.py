"""Optimizers: one row each, followed against its formula and against PyTorch on three problems in two dtypes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from optimizers import IDS, ROWS, VARIANTS, label, make, pytorch_has

import autograd
import nn
import optim

# Optimizers that take more than gradients to a step; their tests have files of their own.
OF_THEIR_OWN = {"KFAC": "test_kfac", "LBFGS": "test_lbfgs", "SparseAdam": "test_sparse_optim"}


def test_every_optimizer_has_a_row():
    exported = {
        name for name in optim.__all__
        if isinstance(getattr(optim, name), type) and issubclass(getattr(optim, name), optim.Optimizer)
    }  # fmt: skip
    assert exported - {"Optimizer", *OF_THEIR_OWN} == set(ROWS)


# Each problem: starting arrays and the loss as a function of Tensors, for the engine and for PyTorch alike.


def quadratic(x):
    return (x[0] * x[0]).sum() * 5 + (x[1] * x[0][:2]).sum() + (x[1] * x[1]).sum() * 0.5


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] * x[0]) ** 2


def mlp(x):
    w1, b1, w2, b2, inputs, targets = x
    return ((((inputs @ w1.T + b1).tanh() @ w2.T + b2) - targets) ** 2).mean()


def factors(x):
    return ((x[0] @ x[1] - x[2]) ** 2).sum()


def starts(problem):
    rng = np.random.default_rng(0)
    if problem is quadratic:
        return [rng.standard_normal(3), rng.standard_normal(2)], []
    if problem is rosenbrock:
        return [np.array(-1.2), np.array(1.0)], []
    if problem is factors:
        return [rng.standard_normal((4, 3)), rng.standard_normal((3, 5))], [rng.standard_normal((4, 5))]
    inputs = rng.standard_normal((16, 5))
    return (
        [rng.standard_normal(s) * 0.4 for s in ((8, 5), (8,), (2, 8), (2,))],
        [inputs, np.stack([np.sin(inputs[:, 0]), inputs[:, 1] ** 2], 1)],
    )


CASES = [
    pytest.param(name, kwargs, problem, id=f"{label(name, kwargs)}-{problem.__name__}")
    for name, kwargs in VARIANTS
    for problem in ([factors] if ROWS[name].matrices else [quadratic, rosenbrock, mlp])
]


def trajectory(name, kwargs, problem, dtype, library, optimizers, steps=100):
    learned, fixed = starts(problem)
    leaves = [library.tensor(np.array(a, dtype)) for a in learned]
    for leaf in leaves:
        leaf.requires_grad = True
    constants = [library.tensor(np.array(a, dtype)) for a in fixed]
    optimizer = getattr(optimizers, name)(leaves, **kwargs)
    points = []
    for _ in range(steps):
        optimizer.zero_grad()
        problem(leaves + constants).backward()
        optimizer.step()
        points.append(np.concatenate([p.detach().numpy().reshape(-1) for p in leaves]))
    return np.array(points)


@pytest.mark.reference
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "kwargs", "problem"), [c for c in CASES if pytorch_has(*c.values[:2])])
def test_follows_pytorch(name, kwargs, problem, dtype):
    import torch

    ours = trajectory(name, kwargs, problem, dtype, autograd, optim)
    # PyTorch keeps ASGD's and NAdam's numbers in its default dtype.
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        theirs = trajectory(name, kwargs, problem, dtype, torch, torch.optim)
    finally:
        torch.set_default_dtype(torch.float32)
    assert ours.dtype == dtype
    atol = ROWS[name].atol[dtype == "float64"]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol * np.abs(theirs).max())


@pytest.mark.parametrize(("name", "kwargs", "problem"), CASES)
def test_follows_its_formula(name, kwargs, problem):
    ours = trajectory(name, kwargs, problem, "float64", autograd, optim)
    learned, fixed = starts(problem)
    values, states = [np.array(a) for a in learned], [{} for _ in learned]
    constants = [autograd.tensor(a) for a in fixed]
    for point in ours:
        leaves = [autograd.tensor(v, requires_grad=True) for v in values]
        gradients = autograd.grad(problem(leaves + constants), leaves)
        values = [
            np.asarray(ROWS[name].step(v, g.numpy(), s, **kwargs))
            for v, g, s in zip(values, gradients, states, strict=True)
        ]
        flat = np.concatenate([v.reshape(-1) for v in values])
        np.testing.assert_allclose(point, flat, rtol=1e-9, atol=1e-11 * np.abs(flat).max())


@pytest.mark.jax
@pytest.mark.parametrize(("name", "kwargs"), VARIANTS, ids=IDS)
def test_the_rule_runs_under_jax(name, kwargs):
    import jax
    import jax.numpy as jnp

    kind = getattr(optim, name)
    rng = np.random.default_rng(0)
    p, gradients = rng.standard_normal((5, 2)).astype("f"), rng.standard_normal((3, 5, 2)).astype("f")
    leaf = autograd.tensor(p, requires_grad=True)
    optimizer = kind([leaf], **kwargs)
    group = optimizer.param_groups[0]
    hyper = {k: v for k, v in optimizer.hyper(group).items() if k != "lr"}

    def call(p, g, state, step, lr):
        return kind.rule(jnp, p, g, state, step, lr=lr, **hyper)

    # A step at which something happens only now and then must be known while tracing.
    step = call if kwargs.get("update_freq", 1) > 1 else jax.jit(call)
    traced, state = jnp.asarray(p), optimizer.start_state(leaf, group, jnp)
    for t, g in enumerate(gradients, 1):
        traced, state = step(traced, g, state, float(t), jnp.float32(group["lr"]))
        leaf.grad = autograd.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(leaf.numpy(), traced, rtol=1e-5, atol=1e-6)


def model_and_data(dtype="float32", seed=0, matrices=False):
    autograd.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8, dtype=dtype), nn.Tanh(), nn.Linear(8, 3, dtype=dtype))
    x = autograd.randn(20, 4, dtype=dtype)
    if matrices:
        for layer in (model[0], model[2]):
            layer.bias.requires_grad_(False)
    return model, x, autograd.randint(0, 3, (20,))


def run(model, optimizer, x, y, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def values(model):
    return [p.numpy().copy() for p in model.parameters()]


def learned_by(model):
    return [p for p in model.parameters() if p.requires_grad]


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(("name", "kwargs"), VARIANTS, ids=IDS)
def test_saved_state_continues_bit_for_bit(name, kwargs):
    matrices = ROWS[name].matrices
    model, x, y = model_and_data(matrices=matrices)
    optimizer = make(name, learned_by(model), **kwargs)
    run(model, optimizer, x, y, 5)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    run(model, optimizer, x, y, 5)

    again, _, _ = model_and_data(seed=1, matrices=matrices)
    other = make(name, learned_by(again), lr=123.0)
    again.load_state_dict(weights)
    other.load_state_dict(saved)
    assert other.param_groups[0]["lr"] == kwargs["lr"]
    run(again, other, x, y, 5)
    assert_same(values(model), values(again))


@pytest.mark.reference
@pytest.mark.parametrize(("name", "kwargs"), [v for v in VARIANTS if pytorch_has(*v)], ids=lambda v: str(v))
def test_state_dict_has_pytorchs_layout(name, kwargs):
    import torch

    p, q = autograd.ones(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    ours, theirs = make(name, [p], **kwargs), getattr(torch.optim, name)([q], **kwargs)
    p.grad, q.grad = autograd.ones(2, 3), torch.ones(2, 3)
    ours.step(), theirs.step()
    a, b = ours.state_dict(), theirs.state_dict()
    assert a["state"].keys() == b["state"].keys()
    for i in b["state"]:
        assert a["state"][i].keys() == b["state"][i].keys()
        for key, value in b["state"][i].items():
            np.testing.assert_allclose(a["state"][i][key].numpy(), value.numpy(), rtol=1e-6)
    for key, value in b["param_groups"][0].items():
        assert a["param_groups"][0][key] == value, key
    fresh = make(name, [p], lr=9.0)
    fresh.load_state_dict(b)
    p.grad, q.grad = autograd.ones(2, 3) * 2, torch.ones(2, 3) * 2
    fresh.step(), theirs.step()
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=ROWS[name].atol[0] / 20)


LAYOUTS = {
    "many small": [(3, 2), (), (5,), (1, 1), (4, 0)],
    "large": [(300, 200), (7,)],
    "many blocks of small": [(90, 100)] * 9,
}


@pytest.mark.parametrize("shapes", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.by_entry])
def test_memory_stays_and_the_layout_does_not_matter(name, shapes):
    kwargs = ROWS[name].variants[1]
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(s) for s in shapes]
    leaves = [autograd.tensor(a, requires_grad=True) for a in starts]
    # A transposed and a strided view of larger arrays.
    base = rng.standard_normal((6, 4))
    for view in (base.T[:2], base[::2, 3]):
        leaves.append(autograd.from_numpy(view).requires_grad_())
        starts.append(view.copy())
    arrays = [leaf.numpy() for leaf in leaves]
    optimizer = make(name, leaves, **kwargs)
    states, expected = [{} for _ in leaves], starts
    for _ in range(3):
        gradients = [np.asarray(rng.standard_normal(a.shape)) for a in starts]
        for leaf, g in zip(leaves, gradients, strict=True):
            leaf.grad = autograd.tensor(np.array(g, order="F"))
        optimizer.step()
        expected = [ROWS[name].step(p, g, s, **kwargs) for p, g, s in zip(expected, gradients, states, strict=True)]
    for leaf, array, value in zip(leaves, arrays, expected, strict=True):
        assert leaf.numpy() is array
        np.testing.assert_allclose(array, value, rtol=1e-12, atol=1e-14)


def test_state_shows_current_values():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([w], betas=(0.5, 0.9))
    for _ in range(2):
        w.grad = autograd.ones(2)
        optimizer.step()
    state = optimizer.state[w]
    assert state["step"].item() == 2
    np.testing.assert_allclose(state["exp_avg"].numpy(), [0.75, 0.75])
    state["exp_avg"].zero_()
    w.grad = autograd.zeros(2)
    before = w.numpy().copy()
    optimizer.step()
    np.testing.assert_array_equal(w.numpy(), before)


def singles(arrays, gradients_by_step, **kwargs):
    """Each parameter with an optimizer of its own: what any grouping must equal."""
    out = []
    for i, a in enumerate(arrays):
        leaf = autograd.tensor(a, requires_grad=True)
        optimizer = optim.Adam([leaf], **kwargs)
        for gradients in gradients_by_step:
            leaf.grad = None if gradients[i] is None else autograd.tensor(gradients[i])
            optimizer.step()
        out.append(leaf.numpy())
    return out


def test_parameters_without_gradient_are_left_alone_and_keep_their_own_step_count():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(3) for _ in range(4)]
    steps = [[rng.standard_normal(3) if (i + t) % 3 or t > 5 else None for i in range(4)] for t in range(9)]
    leaves = [autograd.tensor(a, requires_grad=True) for a in arrays]
    optimizer = optim.Adam(leaves, lr=0.1)
    for gradients in steps:
        for leaf, g in zip(leaves, gradients, strict=True):
            leaf.grad = None if g is None else autograd.tensor(g)
        optimizer.step()
    for leaf, expected in zip(leaves, singles(arrays, steps, lr=0.1), strict=True):
        np.testing.assert_array_equal(leaf.numpy(), expected)


def test_new_memory_of_a_parameter_is_noticed():
    rng = np.random.default_rng(0)
    a, b = (autograd.tensor(rng.standard_normal(3), requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([a, b], lr=1.0, momentum=0.5)
    for _ in range(2):
        a.grad, b.grad = autograd.ones(3, dtype="float64"), autograd.ones(3, dtype="float64")
        optimizer.step()
    old, other = a.numpy(), b.numpy().copy()
    kept = old.copy()
    a.data = autograd.zeros(3, dtype="float64")
    optimizer.step()
    np.testing.assert_array_equal(old, kept)
    np.testing.assert_allclose(a.numpy(), -1.75)  # the momentum of two steps was carried over
    np.testing.assert_allclose(b.numpy(), other - 1.75)
    a.data = autograd.zeros(4, dtype="float64")
    with pytest.raises(
        autograd.ShapeError, match=r"SGD: parameter 0 of group 0 has shape \(4,\) now, and its momentum"
    ):
        a.grad = autograd.ones(4, dtype="float64")
        optimizer.step()
    del optimizer.state[a]
    optimizer.step()
    np.testing.assert_allclose(a.numpy(), -1.0)


def test_a_gradient_from_before_the_change_is_refused():
    a = autograd.ones(3, requires_grad=True)
    a.grad = autograd.ones(3)
    a.data = autograd.ones(3, 1)
    with pytest.raises(autograd.ShapeError, match="changed after the backward pass"):
        optim.SGD([a]).step()


def test_parameters_that_share_memory_are_both_applied():
    a = autograd.ones(3, requires_grad=True)
    b = autograd.from_numpy(a.numpy()).requires_grad_()
    optimizer = optim.SGD([a, b], lr=1.0)
    a.grad, b.grad = autograd.ones(3), autograd.ones(3) * 2
    optimizer.step()
    assert a.tolist() == [-2.0, -2.0, -2.0]


def test_rates_groups_and_added_parameters_take_effect():
    a, b, c = (autograd.zeros(2, requires_grad=True) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 2.0}], lr=1.0)
    for p in (a, b, c):
        p.grad = autograd.ones(2)
    optimizer.step()
    assert (a[0].item(), b[0].item()) == (-1.0, -2.0)
    optimizer.param_groups[0]["lr"] = np.float64(10.0)
    optimizer.param_groups[1]["momentum"] = 0.5
    optimizer.add_param_group({"params": c})
    optimizer.step()
    optimizer.step()
    assert (a[0].item(), b[0].item(), c[0].item()) == (-21.0, -7.0, -2.0)
    assert a.dtype == autograd.float32


def test_a_stale_graph_raises():
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = autograd.ones(2)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(autograd.GraphError, match="overwritten in place"):
        loss.backward()


def test_closure_and_zero_grad():
    w = autograd.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with autograd.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert w.item() == 0.5
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.item() == 0.0
    optimizer.zero_grad()
    assert w.grad is None
    assert optimizer.step() is None


def test_copies_are_independent():
    model, x, y = model_and_data()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    run(model, optimizer, x, y, 3)
    twin, twin_optimizer = copy.deepcopy((model, optimizer))
    run(model, optimizer, x, y, 3)
    run(twin, twin_optimizer, x, y, 3)
    assert_same(values(model), values(twin))


def leaf(*shape):
    return autograd.zeros(*shape, requires_grad=True)


def load_other(change):
    optimizer = optim.Adam([leaf(2), leaf(3)])
    for p in optimizer.param_groups[0]["params"]:
        p.grad = autograd.ones_like(p)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    change(state)
    optim.Adam([leaf(2), leaf(4)]).load_state_dict(state)


ERRORS = {
    "empty": (lambda: optim.SGD([]), ValueError, "SGD: the parameter list is empty"),
    "a model": (lambda: optim.SGD(nn.Linear(1, 1)), TypeError, "SGD: params must be .*Linear; pass its parameters"),
    "one tensor": (lambda: optim.SGD(leaf(2)), TypeError, "Adam|SGD: params must be a list of Tensors"),
    "not a tensor": (lambda: optim.Adam([1.0]), TypeError, "parameter 0 of group 0 must be a Tensor, got float 1.0"),
    "not a leaf": (lambda: optim.Adam([leaf(2) * 2]), autograd.GraphError, "not a leaf but the result of mul"),
    "twice": (lambda: optim.Adam([p := leaf(2), p]), ValueError, "parameter 1 of group 0 .* is given twice"),
    "set": (lambda: optim.Adam([{"params": {leaf(2)}}]), TypeError, "params are a set"),
    "group lr": (lambda: optim.Adam([{"params": [leaf(2)], "lr": -1}]), ValueError, "lr must not be negative"),
    "state shape": (
        lambda: load_other(lambda s: None), autograd.ShapeError,
        r"Adam.load_state_dict: exp_avg of parameter 1 of group 0 has shape \(3,\) in the state, and \(4,\) belongs",
    ),
    "state groups": (
        lambda: load_other(lambda s: s["param_groups"].clear()), ValueError, "0 parameter groups, the optimizer 1",
    ),
    "state params": (
        lambda: load_other(lambda s: s["param_groups"][0]["params"].pop()), ValueError, "group 0 has 1 parameters",
    ),
    "state kind": (lambda: optim.Adam([leaf(2)]).load_state_dict([]), ValueError, "wants a dict with 'state'"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.reference
@pytest.mark.parametrize("name", [*(name for name in ROWS if not ROWS[name].ours_alone), "SparseAdam", "LBFGS"])
def test_signature_and_groups_are_pytorchs(name):
    import inspect

    import torch

    ours = list(inspect.signature(getattr(optim, name)).parameters.values())
    theirs = list(inspect.signature(getattr(torch.optim, name)).parameters.values())
    assert [(a.name, a.kind, repr(a.default)) for a in ours[: len(theirs)]] == [
        (b.name, b.kind, repr(b.default)) for b in theirs
    ]
    assert all(a.kind is a.KEYWORD_ONLY for a in ours[len(theirs) :])
    mine = str(make(name, [leaf(2, 2)])).splitlines()
    for line in str(getattr(torch.optim, name)([torch.zeros(2, 2, requires_grad=True)])).splitlines():
        assert line in mine


def test_a_rule_may_return_new_arrays_instead_of_writing_in_place():
    """With one parameter, with several, which are updated together, and with a state that is a number."""

    class InPlace(optim.Optimizer):
        @staticmethod
        def rule(xp, p, g, state, step, *, lr):
            m = state["m"]
            m *= 0.5
            m += g
            p -= lr * m
            return p, {"m": m, "count": state["count"] + 1}

        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def state_names(self, group):
            return ("m",)

        def number_names(self, group):
            return ("step", "count")

    class New(InPlace):
        @staticmethod
        def rule(xp, p, g, state, step, *, lr):
            m = 0.5 * state["m"] + g
            return p - lr * m, {"m": m, "count": state["count"] + 1}

    for shapes in ([(3,)], [(3,), (2, 2), ()], [(200, 200)]):
        ended = []
        for kind in (InPlace, New):
            params = [autograd.ones(*shape).requires_grad_() for shape in shapes]
            optimizer = kind(params)
            for _ in range(3):
                optimizer.zero_grad()
                sum((p * p).sum() for p in params).backward()
                optimizer.step()
            ended.append([p.detach().numpy() for p in params])
            state = optimizer.state[params[0]]
            assert state["count"].item() == 3 and np.abs(state["m"].numpy()).min() > 0
        for one, other in zip(*ended, strict=True):
            assert np.allclose(one, other) and not np.allclose(one, 1.0)
