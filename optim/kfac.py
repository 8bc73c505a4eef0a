"""K-FAC: natural gradient descent, with a Fisher matrix that is a Kronecker product in each layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, is_grad_enabled
from autograd.errors import describe

from .optimizer import Optimizer
from .sgd import sgd

__all__ = ["KFAC", "kfac_damped_inverses"]

FACTORS = ("factor_a", "factor_g", "inverse_a", "inverse_g")


def kfac_damped_inverses(a: np.ndarray, g: np.ndarray, damping: float) -> tuple[np.ndarray, np.ndarray]:
    """(A + π √λ I)⁻¹ and (G + √λ / π I)⁻¹, with π = √((tr A / dim A) / (tr G / dim G)).

    Arguments:
        a, g: symmetric, positive semidefinite, (n, n) and (m, m).
        damping: λ.

    >>> import numpy as np
    >>> kfac_damped_inverses(3 * np.eye(1), 3 * np.eye(1), 1.0)
    (array([[0.25]]), array([[0.25]]))
    """
    mean_a, mean_g = np.trace(a) / len(a), np.trace(g) / len(g)
    # Where one of them vanishes, as behind dead units, no ratio says how to share the damping.
    pi = float((mean_a / mean_g) ** 0.5) if mean_a > 0 and mean_g > 0 else 1.0
    root = damping**0.5
    a = np.linalg.inv(a + np.eye(len(a), dtype=a.dtype) * np.asarray(pi * root, a.dtype))
    g = np.linalg.inv(g + np.eye(len(g), dtype=g.dtype) * np.asarray(root / pi, g.dtype))
    return a, g


class _Layer:
    """A Linear or Conv2d of the model, and what was seen of it since the last step."""

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.module = name, module
        self.conv = hasattr(module, "kernel_size")
        self.seen: list[tuple[np.ndarray, np.ndarray, int]] = []  # inputs (rows, n), gradients (rows, m), batch

    @property
    def params(self) -> list[Tensor]:
        weight, bias = self.module.weight, self.module.bias
        return [weight] if bias is None or not bias.requires_grad else [weight, bias]

    def rows(self, x: Tensor) -> np.ndarray:
        """The inputs that meet the weight, one in each row, with 1 for the bias."""
        if not self.conv:
            flat = x.detach().reshape(-1, x.shape[-1]).numpy()
        else:
            m = self.module
            if isinstance(m.padding, str) or m.padding_mode != "zeros":
                x = autograd.pad(x.detach(), *_padding(m))
                padding: Any = 0
            else:
                padding = m.padding
            patches = autograd.unfold(x.detach(), m.kernel_size, m.dilation, padding, m.stride)
            flat = patches.transpose(1, 2).reshape(-1, patches.shape[1]).numpy()  # (batch · places, n)
        if len(self.params) == 2:
            flat = np.concatenate([flat, np.ones((len(flat), 1), flat.dtype)], 1)
        return flat

    def watch(self, x: Tensor, out: Tensor) -> None:
        """Remembers the inputs now and the gradients of the outputs when they come."""
        inputs = self.rows(x)
        batch = out.shape[0] if out.ndim > 1 else 1

        def keep(g: Tensor) -> None:
            g = g.detach()
            flat = g.movedim(1, -1) if self.conv else g
            self.seen.append((inputs, flat.reshape(len(inputs), -1).numpy(), batch))

        out.register_hook(keep)

    def factors(self, averaged: bool) -> tuple[np.ndarray, np.ndarray]:
        """A (n, n) and G (m, m) of what was seen, which is then forgotten."""
        n, m = self.seen[0][0].shape[1], self.seen[0][1].shape[1]
        a, g = np.zeros((n, n), self.seen[0][0].dtype), np.zeros((m, m), self.seen[0][1].dtype)
        for inputs, gradients, batch in self.seen:
            # A sums over the places of an example, G is the mean over them; a plain layer has one place.
            a += inputs.T @ inputs / batch
            g += gradients.T @ gradients * ((batch * batch if averaged else 1) / len(gradients))
        g /= len(self.seen)
        a /= len(self.seen)
        self.seen.clear()
        return a, g


def _padding(m: Any) -> tuple[list[int], str]:
    if isinstance(m.padding, str):
        totals = [d * (k - 1) if m.padding == "same" else 0 for d, k in zip(m.dilation, m.kernel_size, strict=True)]
        sides = [(total // 2, total - total // 2) for total in totals]
    else:
        sides = [(p, p) for p in m.padding]
    mode = "constant" if m.padding_mode == "zeros" else m.padding_mode
    return [n for side in reversed(sides) for n in side], mode


class KFAC(Optimizer):
    """p ← p − lr · b with b ← momentum · b + Δ, where Δ = G⁻¹ ∇W A⁻¹ in the Linear and Conv2d layers of a model.

    A = E[a aᵀ] of a layer's inputs, with 1 for the bias, and G = E[g gᵀ] of its output gradients, example by example,
    are running means; their Kronecker product is the layer's block of the Fisher matrix. Damping λ + weight_decay is
    shared between them by π (``kfac_damped_inverses``). In a convolution A sums over the places and G is the mean over
    them. Other parameters follow their plain gradient.

    What passes through the model while ``optimizer.watching`` is True, forward and then backward, makes A and G. With
    the loss alone this is the empirical Fisher matrix, good enough to classify with. For the true one, as in the paper,
    watch a pass with targets drawn from the model's predictions instead, as the example does; a regression needs it.

    Source: Martens and Grosse 2015, Optimizing neural networks with Kronecker-factored approximate curvature;
    convolutions: Grosse and Martens 2016, A Kronecker-factored approximate Fisher matrix for convolution layers.

    Arguments:
        model: the module whose layers are watched, by hooks that ``detach()`` removes.
        lr: the learning rate.
        momentum: how much stays of the buffer that Δ is added into.
        damping: λ.
        decay: how much of the running means stays, at most: at step t it is min(1 − 1/t, decay).
        weight_decay: η, which adds η p to the gradient and η to λ.
        factor_every, inverse_every: A and G are updated, and inverted, at every so many steps, the first included.
        batch_averaged: whether the loss is the mean over the batch and not the sum.
        maximize: go up instead of down; the Fisher matrix stays positive.

    Raises:
        ValueError: a number out of range, or a model without a parameter that requires a gradient. TypeError: not a
            module. GraphError: a sparse gradient.

    >>> import autograd, nn
    >>> _ = autograd.manual_seed(0)
    >>> x = autograd.randn(64, 3) * autograd.tensor([10.0, 1.0, 0.1])
    >>> y = x @ autograd.tensor([[1.0], [-2.0], [3.0]])
    >>> model = nn.Linear(3, 1)
    >>> optimizer = KFAC(model, lr=1.0, momentum=0.0, damping=1e-6)
    >>> for _ in range(10):
    ...     optimizer.watching = True  # now with targets drawn from what the model predicts
    ...     out = model(x)
    ...     (0.5 * (out - out.detach() - autograd.randn(64, 1)) ** 2).mean().backward()
    ...     optimizer.watching = False
    ...     optimizer.zero_grad()
    ...     loss = (0.5 * (model(x) - y) ** 2).mean()
    ...     loss.backward()
    ...     optimizer.step()
    >>> loss.item() < 1e-4
    True
    """

    rule = staticmethod(sgd)

    def __init__(
        self,
        model: Any,
        lr: float = 1e-2,
        momentum: float = 0.9,
        damping: float = 1e-3,
        decay: float = 0.95,
        weight_decay: float = 0.0,
        factor_every: int = 1,
        inverse_every: int = 10,
        batch_averaged: bool = True,
        *,
        maximize: bool = False,
    ) -> None:
        if not hasattr(model, "named_modules"):
            raise TypeError(f"KFAC: model must be a module, whose layers it watches, got {describe(model)}")
        defaults = {
            "lr": lr, "momentum": momentum, "damping": damping, "decay": decay, "weight_decay": weight_decay,
            "factor_every": factor_every, "inverse_every": inverse_every, "batch_averaged": batch_averaged,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__([(name, p) for name, p in model.named_parameters() if p.requires_grad], defaults)
        self.watching = True
        self.steps = 0
        self._watch(model)

    def _watch(self, model: Any) -> None:
        ours = set(self.param_groups[0]["params"])
        self.model = model
        self._layers: list[_Layer] = []
        self._handles: list[Any] = []
        for name, module in model.named_modules():
            weight = getattr(module, "weight", None)
            linear = hasattr(module, "in_features") and hasattr(module, "out_features")
            conv = hasattr(module, "kernel_size") and getattr(module, "groups", 0) == 1
            conv = conv and not getattr(module, "transposed", False) and "Transpose" not in type(module).__name__
            ndim = 2 if linear else 4 if conv else None
            if ndim and weight is not None and weight in ours and weight.ndim == ndim and hasattr(module, "bias"):
                layer = _Layer(name, module)
                self._layers.append(layer)
                self._handles.append(module.register_forward_hook(self._hook(layer)))

    def _hook(self, layer: _Layer) -> Any:
        def see(module: Any, args: tuple[Any, ...], out: Any) -> None:
            every = self.param_groups[0]["factor_every"]
            if module is not layer.module:  # a copy of the model, which has the hook too
                return
            if self.watching and module.training and is_grad_enabled() and out.requires_grad and not self.steps % every:
                layer.watch(args[0], out)

        return see

    def detach(self) -> None:
        """Takes the hooks away from the model."""
        for handle in self._handles:
            handle.remove()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuses a second group: what is optimized is the model."""
        if self.param_groups:
            raise ValueError("KFAC: its parameters are those of the model, in one group; make another KFAC for others")
        super().add_param_group(param_group)

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        self._wants(group, "momentum", "weight_decay")
        if not group["damping"] > 0:
            raise ValueError(f"KFAC: damping must be above 0, got {group['damping']}")
        if not 0 <= group["decay"] < 1:
            raise ValueError(f"KFAC: decay must be at least 0 and below 1, got {group['decay']}")
        for name in ("factor_every", "inverse_every"):
            if not isinstance(group[name], int) or group[name] < 1:
                raise ValueError(f"KFAC: {name} must be a whole number above 0, got {group[name]}")

    def state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def number_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ()

    def hyper(self, group: dict[str, Any]) -> dict[str, Any]:
        # Decay and direction are in the gradient before it is preconditioned.
        return {"lr": float(group["lr"]), "momentum": float(group["momentum"])}

    def _may_apply(self, gradients: Iterable[tuple[str, Any]]) -> bool:
        applied = False
        try:
            applied = super()._may_apply(gradients)
        finally:
            if not applied:  # what was seen is not finite either
                for layer in self._layers:
                    layer.seen.clear()
        return applied

    def _prepared(self, params: list[Tensor], gradients: list[Any]) -> list[Any]:
        group = self.param_groups[0]
        decay = float(group["weight_decay"])
        sign = -1 if group["maximize"] else 1
        gradients = [sign * g + decay * p.numpy() for p, g in zip(params, gradients, strict=True)]
        place = {p: i for i, p in enumerate(params)}
        for layer in self._layers:
            weight = layer.module.weight
            entry = self.state.get(weight)
            where = [place[p] for p in layer.params if p in place]
            if entry is None or len(where) < len(layer.params):
                layer.seen.clear()
                continue
            self._curve(layer, entry, group, decay)
            if "inverse_a" not in entry:
                continue
            inverse_a, inverse_g = entry["inverse_a"].numpy(), entry["inverse_g"].numpy()
            w = gradients[where[0]]
            whole = w.reshape(len(w), -1)  # (m, n)
            if len(where) == 2:
                whole = np.concatenate([whole, gradients[where[1]][:, None]], 1)
            if whole.shape != (len(inverse_g), len(inverse_a)):
                raise ShapeError(
                    f"KFAC: layer {layer.name or 'model'} has a weight of shape {w.shape} now, and its factors are "
                    f"{inverse_g.shape} and {inverse_a.shape}; optimizer.state.pop(weight) to start afresh"
                )
            whole = inverse_g @ whole @ inverse_a
            if len(where) == 2:
                gradients[where[1]], whole = np.ascontiguousarray(whole[:, -1]), whole[:, :-1]
            gradients[where[0]] = np.ascontiguousarray(whole).reshape(w.shape)
        self.steps += 1
        return gradients

    def _curve(self, layer: _Layer, entry: dict[str, Any], group: dict[str, Any], weight_decay: float) -> None:
        """Brings the layer's running means and inverses up to date."""
        if layer.seen:
            new = layer.factors(group["batch_averaged"])
            updates = self.steps // group["factor_every"] + 1
            keep = min(1 - 1 / updates, float(group["decay"])) if "factor_a" in entry else 0.0
            for name, factor in zip(("factor_a", "factor_g"), new, strict=True):
                if name in entry and entry[name].shape == factor.shape:
                    factor = keep * entry[name].numpy() + (1 - keep) * factor
                entry[name] = autograd.from_numpy(factor)
        if "factor_a" in entry and ("inverse_a" not in entry or self.steps % group["inverse_every"] == 0):
            damping = float(group["damping"]) + weight_decay
            a, g = kfac_damped_inverses(entry["factor_a"].numpy(), entry["factor_g"].numpy(), damping)
            entry["inverse_a"], entry["inverse_g"] = autograd.from_numpy(a), autograd.from_numpy(g)

    # State

    def state_dict(self) -> dict[str, Any]:
        """The state by parameter number and the groups, as of any optimizer, and the number of steps."""
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over what ``state_dict`` returned, as copies.

        Raises:
            ValueError: groups or parameters differ in number. ShapeError: a state does not fit its parameter.
        """
        super().load_state_dict(state_dict)
        self.steps = int(state_dict.get("steps", 0))

    def _loaded(self, entry: Mapping[str, Any], p: Tensor, group: dict[str, Any], where: str) -> dict[str, Any]:
        rest = {name: value for name, value in entry.items() if name not in FACTORS}
        loaded = super()._loaded(rest, p, group, where)
        inputs = int(np.prod(p.shape[1:]))
        for name in FACTORS:
            if name in entry:
                array = np.array(entry[name].detach().numpy())
                sizes = (p.shape[0],) if name.endswith("_g") else (inputs, inputs + 1)
                if array.shape not in [(n, n) for n in sizes]:
                    raise ShapeError(
                        f"KFAC.load_state_dict: {name} of {where} has shape {array.shape} in the state, and "
                        f"{(sizes[-1], sizes[-1])} belongs to the parameter, whose shape is {p.shape}"
                    )
                loaded[name] = autograd.from_numpy(array.astype(p.dtype))
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_layers": [], "_handles": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._watch(self.model)
