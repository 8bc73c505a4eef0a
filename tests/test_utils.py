"""nn.utils: clipping, vectors, normalised and parametrized weights, calls with other parameters."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

import autograd
import nn

utils = nn.utils


def with_gradients(lib, tensor, arrays):
    parameters = [lib.Parameter(tensor(np.zeros_like(a))) for a in arrays]
    for p, a in zip(parameters, arrays, strict=True):
        p.grad = tensor(a)
    return parameters


ARRAYS = [np.array([[3.0, -4.0]]), np.array(12.0), np.array([0.5, 0.0, -0.25])]


@pytest.mark.reference
@pytest.mark.parametrize("order", [2.0, 1.0, 3, float("inf")])
@pytest.mark.parametrize("most", [1.0, 13.5, 100.0])
def test_clipping_equals_pytorchs(order, most):
    import torch

    ours = with_gradients(nn, autograd.tensor, ARRAYS)
    theirs = with_gradients(torch.nn, torch.tensor, ARRAYS)
    a = utils.clip_grad_norm_(iter(ours), most, norm_type=order, foreach=True)
    b = torch.nn.utils.clip_grad_norm_(iter(theirs), most, norm_type=order)
    np.testing.assert_allclose(a.item(), b.item(), rtol=1e-14)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-13)
    utils.clip_grad_value_(ours, 0.3)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-13)


def test_clipping():
    parameters = with_gradients(nn, autograd.tensor, ARRAYS)
    memory = parameters[0].grad.numpy()
    parameters.append(nn.Parameter(autograd.zeros(2)))
    total = utils.clip_grad_norm_(parameters, 1.0)
    np.testing.assert_allclose(total.item(), np.sqrt(9 + 16 + 144 + 0.25 + 0.0625))
    np.testing.assert_allclose(utils.get_total_norm([p.grad for p in parameters[:3]]).item(), 1.0, rtol=1e-6)
    assert parameters[0].grad.numpy() is memory and parameters[3].grad is None
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    parameters[1].grad = autograd.tensor(np.nan, dtype=autograd.float64)
    with pytest.raises(RuntimeError, match="norm of order 2 of the gradients is nan"):
        utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    np.testing.assert_allclose(parameters[0].grad.numpy(), memory, err_msg="changed although refused")
    assert np.isnan(utils.clip_grad_norm_(parameters, 1.0).item())
    with pytest.raises(autograd.DTypeError, match=r"wants Tensors, got str; pass model.parameters\(\)"):
        utils.clip_grad_norm_(dict(nn.Linear(1, 1).named_parameters()), 1.0)


@pytest.mark.parametrize("clip", [lambda u, p: u.clip_grad_norm_(p, 0.5), lambda u, p: u.clip_grad_value_(p, 1.5)])
def test_sparse_gradients_are_clipped_and_stay_sparse(clip):
    sparse, dense = nn.Embedding(9, 3, sparse=True), nn.Embedding(9, 3)
    for layer in (sparse, dense):
        layer(autograd.tensor([1, 2, 1, 1])).sum().backward()
        norm = clip(utils, layer.parameters())
        assert norm is None or abs(norm.item() - np.sqrt(3 * 9 + 3)) < 1e-5
    assert sparse.weight.grad.is_sparse
    np.testing.assert_allclose(sparse.weight.grad.to_dense().numpy(), dense.weight.grad.numpy(), rtol=1e-6)


def test_vectors():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (11,) and vector.requires_grad
    np.testing.assert_array_equal(vector[6:8].tolist(), net[0].bias.tolist())
    utils.vector_to_parameters(autograd.arange(11.0), net.parameters())
    assert net[0].bias.tolist() == [6.0, 7.0] and net[1].weight.tolist() == [[8.0, 9.0]]
    with pytest.raises(autograd.ShapeError, match=r"must have shape \(11,\), as the parameters, got \(12,\)"):
        utils.vector_to_parameters(autograd.arange(12.0), net.parameters())
    with pytest.raises(ValueError, match="no parameters"):
        utils.parameters_to_vector([])


@pytest.mark.reference
@pytest.mark.parametrize(
    "name", ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "parameters_to_vector",
             "vector_to_parameters", "weight_norm", "spectral_norm", "remove_weight_norm", "remove_spectral_norm",
             "parametrize.register_parametrization", "parametrize.remove_parametrizations",
             "parametrize.is_parametrized", "parametrizations.weight_norm", "parametrizations.spectral_norm",
             "parametrizations.orthogonal"],
)  # fmt: skip
def test_signatures_equal_pytorchs(name):
    import torch

    ours, theirs = utils, torch.nn.utils
    for part in name.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    given, wanted = (inspect.signature(f).parameters for f in (ours, theirs))
    assert [(n, p.default, p.kind) for n, p in given.items()] == [(n, p.default, p.kind) for n, p in wanted.items()]


NORMALISED = {
    "weight_norm": lambda u, m: u.weight_norm(m),
    "weight_norm dim 1": lambda u, m: u.weight_norm(m, dim=1),
    "weight_norm whole": lambda u, m: u.weight_norm(m, dim=None),
    "weight_norm bias": lambda u, m: u.weight_norm(m, "bias"),
    "spectral_norm": lambda u, m: u.spectral_norm(m, n_power_iterations=2),
    "spectral_norm dim 1": lambda u, m: u.spectral_norm(m, dim=1),
    "parametrized weight_norm": lambda u, m: u.parametrizations.weight_norm(m),
    "parametrized weight_norm dim 1": lambda u, m: u.parametrizations.weight_norm(m, dim=1),
    "parametrized spectral_norm": lambda u, m: u.parametrizations.spectral_norm(m),
    "parametrized spectral_norm dim 1": lambda u, m: u.parametrizations.spectral_norm(m, dim=1, n_power_iterations=3),
    "parametrized spectral_norm bias": lambda u, m: u.parametrizations.spectral_norm(m, "bias"),
    "both": lambda u, m: u.parametrizations.spectral_norm(u.parametrizations.weight_norm(m, "bias")),
    "twice": lambda u, m: u.parametrizations.spectral_norm(u.parametrizations.weight_norm(m)),
}


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")
@pytest.mark.parametrize("make", NORMALISED.values(), ids=NORMALISED)
def test_normalised_weights_equal_pytorchs(make):
    import torch

    theirs = make(torch.nn.utils, torch.nn.Linear(4, 3)).double()
    ours = make(utils, nn.Linear(4, 3)).double()
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((5, 4))
    for training in (True, True, False):
        a = ours.train(training)(autograd.tensor(x))
        b = theirs.train(training)(torch.tensor(x))
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
        ours.zero_grad()
        theirs.zero_grad()
        a.square().sum().backward()
        b.square().sum().backward()
        for (n, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-13, err_msg=n)
        for (n, s), t in zip(ours.named_buffers(), theirs.buffers(), strict=True):
            np.testing.assert_allclose(s.numpy(), t.numpy(), rtol=1e-11, err_msg=n)


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("kind", [k for k in NORMALISED if "bias" not in k and k != "both"])
def test_normalised_convolutions_equal_pytorchs(name, kind):
    import torch

    theirs = NORMALISED[kind](torch.nn.utils, getattr(torch.nn, name)(2, 3, 3).double())
    ours = NORMALISED[kind](utils, getattr(nn, name)(2, 3, 3).double())
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in state.items()}
    ours.load_state_dict(state)
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 5))
    a, b = ours(autograd.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_normalisation_by_hook_goes_away(kind):
    layer = getattr(utils, kind)(nn.Linear(4, 3).double())
    x = autograd.ones(2, 4, dtype=autograd.float64)
    before = layer.eval()(x).tolist()
    with pytest.raises(RuntimeError, match=f"{kind}: 'weight' of this Linear has it already"):
        getattr(utils, kind)(layer)
    getattr(utils, f"remove_{kind}")(layer)
    np.testing.assert_allclose(layer(x).tolist(), before, rtol=1e-14)
    assert [n for n, _ in layer.named_parameters()] == ["bias", "weight"] and not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="was not normalised"):
        getattr(utils, f"remove_{kind}")(layer)


def test_older_names_of_weight_norm_are_read():
    old = utils.weight_norm(nn.Linear(4, 3))
    new = utils.parametrizations.weight_norm(nn.Linear(4, 3))
    new.load_state_dict(old.state_dict())
    assert new(autograd.ones(1, 4)).tolist() == old(autograd.ones(1, 4)).tolist()


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T

    def right_inverse(self, x):
        return x.triu()


class Exponential(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x.exp()


class Halves(nn.Module):
    def forward(self, a, b):
        return autograd.cat([a, b])

    def right_inverse(self, x):
        return x[:2], x[2:]


def symmetric():
    return utils.parametrize.register_parametrization(nn.Linear(3, 3).double(), "weight", Symmetric())


def test_parametrized_weight():
    plain = nn.Linear(3, 3)
    weight = plain.weight
    layer = utils.parametrize.register_parametrization(plain, "weight", Symmetric())
    assert layer is plain and utils.parametrize.is_parametrized(layer) and isinstance(layer, nn.Linear)
    assert not utils.parametrize.is_parametrized(layer, "bias")
    assert utils.parametrize.type_before_parametrizations(layer) is nn.Linear
    assert layer.parametrizations.weight.original is weight, "an optimizer would not know the new one"
    assert autograd.equal(layer.weight, layer.weight.T)
    layer(autograd.ones(1, 3)).sum().backward()
    assert weight.grad.tolist() == [[1.0, 2.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]]
    value = autograd.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    layer.weight = nn.Parameter(value)
    assert layer.weight.tolist() == value.tolist()
    assert weight.tolist() == [[1.0, 2.0, 3.0], [0.0, 4.0, 5.0], [0.0, 0.0, 6.0]]
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_parametrized_modules_are_copied(copied):
    layer = symmetric()
    twin = copied(layer)
    utils.parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and type(twin).__name__ == "ParametrizedLinear"
    assert twin.weight.tolist() == layer.weight.tolist()
    twin.weight = autograd.zeros(3, 3, dtype=autograd.float64)
    assert layer.weight.abs().sum().item() > 0


def test_removing_parametrizations():
    layer = symmetric()
    original, value = layer.parametrizations.weight.original, layer.weight.tolist()
    utils.parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight is original and original.tolist() == value and not hasattr(layer, "parametrizations")
    layer = symmetric()
    before = layer.parametrizations.weight.original.tolist()
    utils.parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight.tolist() == before
    layer = utils.parametrize.register_parametrization(nn.Linear(1, 4), "weight", Halves())
    with pytest.raises(ValueError, match="computed from 2 Tensors, so there is no original"):
        utils.parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    value = layer.weight.tolist()
    utils.parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.tolist() == value and layer.weight.requires_grad and type(layer.weight) is nn.Parameter


def test_several_parametrizations_and_buffers():
    layer = symmetric()
    before = layer.weight.detach()
    utils.parametrize.register_parametrization(layer, "weight", Exponential())
    np.testing.assert_allclose(layer.weight.tolist(), before.exp().tolist())
    with pytest.raises(RuntimeError, match="Exponential: has no right_inverse"):
        layer.weight = before
    net = nn.Module()
    net.register_buffer("scale", autograd.zeros(2))
    utils.parametrize.register_parametrization(net, "scale", Exponential())
    assert net.scale.tolist() == [1.0, 1.0] and list(net.state_dict()) == ["parametrizations.scale.original"]
    utils.parametrize.remove_parametrizations(net, "scale")
    assert [n for n, _ in net.named_buffers()] == ["scale"]


def test_values_are_kept_inside_cached():
    layer = utils.parametrize.register_parametrization(nn.Linear(2, 2), "weight", Exponential())
    counted = layer.parametrizations.weight[0]
    start = counted.calls
    with utils.parametrize.cached():
        with utils.parametrize.cached():
            (layer(autograd.ones(1, 2)) + layer(autograd.ones(1, 2))).sum().backward()
        assert counted.calls == start + 1 and layer.weight is layer.weight
    assert layer.weight is not layer.weight
    np.testing.assert_allclose(
        layer.parametrizations.weight.original.grad.tolist(), (2 * layer.weight).tolist(), rtol=1e-6
    )


class Changes(nn.Module):
    def __init__(self, result):
        super().__init__()
        self.result = result

    def forward(self, x):
        return self.result(x)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda x: x[:1], autograd.ShapeError, r"Changes: changes the shape from \(2, 2\) to \(1, 2\); pass unsafe"),
        (lambda x: x.double(), autograd.DTypeError, "Changes: changes the dtype from float32 to float64; pass unsafe"),
        (lambda x: 3, autograd.DTypeError, "must return a Tensor, got int 3"),
    ],
)
def test_parametrizations_that_change_too_much_are_refused(make, kind, message):
    for layer in (nn.Linear(2, 2), utils.parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())):
        before = repr(layer)
        with pytest.raises(kind, match=message):
            utils.parametrize.register_parametrization(layer, "weight", Changes(make))
        assert repr(layer) == before and layer(autograd.ones(1, 2)).shape == (1, 2)


def test_a_refused_parametrization_leaves_the_values():
    class Wrong(Symmetric):
        def forward(self, x):
            return x[:1]

    layer = nn.Linear(3, 3)
    before = layer.weight.tolist()
    with pytest.raises(autograd.ShapeError, match="Wrong: changes the shape"):
        utils.parametrize.register_parametrization(layer, "weight", Wrong())
    assert layer.weight.tolist() == before and type(layer) is nn.Linear


def test_missing_parameters_are_refused():
    with pytest.raises(ValueError, match="Linear has no parameter or buffer 'wieght'"):
        utils.parametrize.register_parametrization(nn.Linear(2, 2), "wieght", Symmetric())
    with pytest.raises(ValueError, match="Linear has no parametrized Tensor 'weight'"):
        utils.parametrize.remove_parametrizations(nn.Linear(2, 2), "weight")
    with pytest.raises(ValueError, match="weight_norm: Tanh has no parameter or buffer 'weight'"):
        utils.weight_norm(nn.Tanh())
    with pytest.raises(IndexError, match="dim must be from -2 to 1, got 2"):
        utils.parametrizations.weight_norm(nn.Linear(2, 2), dim=2)
    with pytest.raises(ValueError, match="must be one of matrix_exp, cayley, householder, got 'qr'"):
        utils.parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    with pytest.raises(autograd.ShapeError, match=r"wants a matrix or several, got shape \(2,\)"):
        utils.parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="householder needs use_trivialization=True"):
        utils.parametrizations.orthogonal(nn.Linear(2, 3), use_trivialization=False)


ORTHOGONAL = [
    (shape, name) for shape in [(4, 4), (3, 5), (5, 3)] for name in (None, "matrix_exp", "cayley", "householder")
]


@pytest.mark.reference
@pytest.mark.parametrize(("shape", "name"), ORTHOGONAL)
def test_orthogonal_equals_pytorchs(shape, name):
    import torch

    theirs = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(*shape).double(), orthogonal_map=name)
    ours = utils.parametrizations.orthogonal(nn.Linear(*shape).double(), orthogonal_map=name)
    state = theirs.state_dict()
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [(k, tuple(v.shape)) for k, v in state.items()]
    step = np.random.default_rng(0).standard_normal(theirs.weight.shape)
    with torch.no_grad():
        # Away from the start, but the diagonal keeps its signs, which are all that the reflections look at.
        original = theirs.parametrizations.weight.original
        original += torch.tensor(0.3 * step * (1 - np.eye(*step.shape)))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), atol=1e-13)
    (ours.weight * autograd.tensor(step)).sum().backward()
    (theirs.weight * torch.tensor(step)).sum().backward()
    np.testing.assert_allclose(
        ours.parametrizations.weight.original.grad.numpy(), original.grad.numpy(), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("shape", "name"), ORTHOGONAL)
def test_orthogonal_stays_orthogonal(shape, name):
    layer = utils.parametrizations.orthogonal(nn.Linear(*shape).double(), orthogonal_map=name)
    target = autograd.randn(*layer.weight.shape, dtype=autograd.float64)
    for _ in range(3):
        layer.zero_grad()
        (layer.weight - target).square().sum().backward()
        with autograd.no_grad():
            layer.parametrizations.weight.original.sub_(0.1 * layer.parametrizations.weight.original.grad)
    w = layer.weight if shape[0] <= shape[1] else layer.weight.T
    gram = (w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T).detach().numpy()
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_orthogonal_without_a_base():
    layer = utils.parametrizations.orthogonal(nn.Linear(3, 3).double(), use_trivialization=False)
    np.testing.assert_allclose((layer.weight.T @ layer.weight).tolist(), np.eye(3), atol=1e-12)
    with pytest.raises(NotImplementedError, match="cannot be assigned; leave use_trivialization=True"):
        layer.weight = autograd.eye(3, dtype=autograd.float64)


def test_an_orthogonal_matrix_is_kept_and_can_be_assigned():
    layer = nn.Linear(3, 3).double()
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    layer.load_state_dict({"weight": turned, "bias": np.zeros(3)})
    utils.parametrizations.orthogonal(layer, orthogonal_map="cayley")
    np.testing.assert_allclose(layer.weight.tolist(), turned, atol=1e-14)
    layer.weight = autograd.tensor(turned.T.copy())
    np.testing.assert_allclose(layer.weight.tolist(), turned.T, atol=1e-14)


def test_functional_call():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    net[2].weight = net[0].weight
    own = dict(net.named_parameters())
    x = autograd.ones(1, 2)
    new = {"0.weight": autograd.eye(2).requires_grad_(), "0.bias": autograd.zeros(2)}
    out = utils.stateless.functional_call(net, new, x)
    np.testing.assert_allclose(out.tolist(), (np.tanh([[1.0, 1.0]]) + net[2].bias.tolist()).tolist(), rtol=1e-6)
    out.sum().backward()
    assert new["0.weight"].grad is not None and net[0].weight.grad is None
    assert dict(net.named_parameters()) == own and net[2].weight is net[0].weight
    untied = utils.stateless.functional_call(net, new, (x,), tie_weights=False)
    assert untied.tolist() != out.tolist()
    with pytest.raises(autograd.ShapeError, match="0: Linear"):
        utils.stateless.functional_call(net, {"0.weight": autograd.eye(3)}, x)
    assert net[0].weight is own["0.weight"], "not put back after an error"
    with pytest.raises(ValueError, match=r"Sequential has no 1.weight and needs 0.bias, 2.weight, 2.bias too"):
        utils.stateless.functional_call(net, {"1.weight": x, "0.weight": x}, x, strict=True)
    with pytest.raises(TypeError, match=r"wants an nn\.Module"):
        utils.stateless.functional_call(3, {}, x)
