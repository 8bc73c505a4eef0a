"""Groups that follow from the parameters: which parameters decay."""

from __future__ import annotations

import pytest

import autograd
import nn
import optim


def model():
    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 1, bias=False))


def names(groups):
    return [(group["weight_decay"], [name for name, _ in group["params"]]) for group in groups]


def test_biases_and_scales_do_not_decay():
    groups = optim.decay_groups(model().named_parameters(), 0.1)
    assert names(groups) == [(0.1, ["0.weight", "2.weight"]), (0.0, ["0.bias", "1.weight", "1.bias"])]
    groups = optim.decay_groups(model().named_parameters(), 0.1, decay_vectors=True)
    assert names(groups) == [(0.1, ["0.weight", "1.weight", "2.weight"]), (0.0, ["0.bias", "1.bias"])]


def test_a_step_shrinks_weights_alone():
    net = nn.Linear(2, 2)
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = optim.SGD(optim.decay_groups(net.parameters(), 0.5), lr=0.5)
    for p in net.parameters():
        p.grad = autograd.zeros_like(p)
    optimizer.step()
    assert autograd.allclose(net.weight, before[0] * 0.75)
    assert autograd.equal(net.bias.detach(), before[1])


def test_no_group_is_empty():
    assert len(optim.decay_groups(nn.Linear(2, 2, bias=False).parameters(), 0.5)) == 1


def test_errors_say_what_is_wrong():
    with pytest.raises(TypeError, match=r"decay_groups: parameter 0 must be a Tensor, got float 1\.0"):
        optim.decay_groups([1.0], 0.1)
    with pytest.raises(TypeError, match=r"decay_vectors=True goes by names; pass model.named_parameters\(\)"):
        optim.decay_groups(model().parameters(), 0.1, decay_vectors=True)
