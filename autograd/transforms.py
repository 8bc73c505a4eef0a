"""Derivatives of functions: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp, elementwise_grad.

Each takes a function of Tensors and returns a function. They nest: a result is recorded whenever something
outside still wants to differentiate it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import modes
from .backward import grad as gradients_of
from .backward import history
from .creation import as_tensor
from .errors import DTypeError, ShapeError, describe
from .node import Node
from .ops.elementwise import clone
from .ops.shape import stack
from .primitive import wrap
from .tree import flatten

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["elementwise_grad", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Argnums = int | Sequence[int]


class _Arguments:
    """The arguments that are differentiated, made into fresh Tensors, and how to give results their form."""

    def __init__(self, name: str, args: tuple[Any, ...], argnums: Argnums) -> None:
        self.name = name
        self.single = isinstance(argnums, int)
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        self.args = list(args)
        self.leaves: list[Any] = []
        self._forms: list[tuple[int, Any]] = []
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise IndexError(f"{name}: argnums has {i}, and the function was called with {len(args)} arguments")
            leaves, rebuild = flatten(args[i])
            fresh = [self._fresh(leaf, i) for leaf in leaves]
            self.leaves += fresh
            self._forms.append((len(leaves), rebuild))
            self.args[i] = rebuild(fresh)

    def _fresh(self, leaf: Any, i: int) -> Any:
        if isinstance(leaf, int) and not isinstance(leaf, bool):
            leaf = float(leaf)
        if not isinstance(leaf, (Node, float, np.ndarray, np.generic)):
            raise DTypeError(f"{self.name}: argument {i} holds {describe(leaf)}, which has no derivative; "
                             "differentiate floating Tensors, or choose other arguments with argnums")  # fmt: skip
        x = as_tensor(leaf)
        if x.dtype.kind != "f":
            raise DTypeError(
                f"{self.name}: argument {i} holds {describe(x)}; only floating Tensors have derivatives: x.float()"
            )
        # What something outside differentiates already must stay connected to it.
        return clone(x) if x.requires_grad else x.detach().requires_grad_()

    def close(self) -> None:
        """Ends the differentiation: nothing outside is to take the fresh Tensors for something to watch."""
        for leaf in self.leaves:
            if leaf._primitive is None:
                leaf._requires_grad = False

    def formed(self, values: list[Any]) -> Any:
        """``values``, one for each leaf, in the form of the arguments."""
        rest = iter(values)
        trees = [rebuild([next(rest) for _ in range(n)]) for n, rebuild in self._forms]
        return trees[0] if self.single else tuple(trees)


def _call(name: str, function: Callable[..., Any], arguments: _Arguments, kwargs: Any, has_aux: bool) -> Any:
    with modes.enable_grad():
        out = function(*arguments.args, **kwargs)
    aux = None
    if has_aux:
        if not isinstance(out, tuple) or len(out) != 2:
            raise TypeError(f"{name}: with has_aux=True the function returns (value, aux), got {describe(out)}")
        out, aux = out
    return out, aux


def _watched(outputs: list[Any], leaves: list[Any]) -> bool:
    """Whether something outside the transform may still differentiate the outputs."""
    if not modes.local.grad:
        return False
    own = set(leaves)
    if any(leaf._primitive is not None for leaf in leaves):
        return True
    return any(
        isinstance(x, Node) and x._requires_grad and x._primitive is None and x not in own
        for node in history([y for y in outputs if y._requires_grad])
        for x in node._inputs or ()
    )


def _gradients(outputs: list[Any], leaves: list[Any], upstreams: Any, create_graph: bool, retain: bool) -> list[Any]:
    pairs = [(y, u) for y, u in zip(outputs, upstreams, strict=True) if y._requires_grad]
    if not pairs:
        return [wrap(np.zeros(x.shape, x.dtype)[()]) for x in leaves]
    found = gradients_of(
        [y for y, _ in pairs],
        leaves,
        [u for _, u in pairs],
        retain_graph=retain or create_graph,
        create_graph=create_graph,
        materialize_grads=True,
    )
    return list(found)


def _settled(value: Any, watched: bool) -> Any:
    leaves, rebuild = flatten(value)
    return value if watched else rebuild([v.detach() if isinstance(v, Node) else v for v in leaves])  # type: ignore[attr-defined]


def _scalar(name: str, out: Any) -> Any:
    if not isinstance(out, Node):
        raise DTypeError(f"{name}: the function must return a Tensor, got {describe(out)}")
    if out._array.size != 1:
        raise ShapeError(
            f"{name}: the function must return a scalar, got shape {tuple(out.shape)}; reduce it (.sum(), .mean()), "
            "or use jacobian or elementwise_grad"
        )
    return out


def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """x ↦ (f(x), ∇f(x)), for a scalar function f.

    Arguments:
        function: takes Tensors, also in nested dicts, lists, tuples and dataclasses, and returns a scalar Tensor.
        argnums: which arguments to differentiate, an index or several.
        has_aux: the function returns (value, aux); then the result is ((value, aux), gradient).

    Returns a function of the same arguments. The gradient has the form of the differentiated argument; for
    several ``argnums`` it is a tuple.

    Raises:
        ShapeError: the value is not a scalar. DTypeError: an argument is not floating.

    >>> import autograd
    >>> autograd.value_and_grad(lambda x: (x ** 2).sum())(autograd.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """

    @functools.wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        arguments = _Arguments("grad", args, argnums)
        out, aux = _call("grad", function, arguments, kwargs, has_aux)
        _scalar("grad", out)
        watched = _watched([out], arguments.leaves)
        gradients = arguments.formed(_gradients([out], arguments.leaves, [None], watched, False))
        arguments.close()
        value = _settled(out, watched)
        return ((value, _settled(aux, watched)) if has_aux else value), gradients

    return transformed


@overload
def grad(outputs: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
@overload
def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]: ...
def grad(outputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Gradients: of Tensors with respect to Tensors, or, given a function, the function x ↦ ∇f(x).

    ``grad(y, x)`` is PyTorch's, see ``autograd.backward.grad`` for its arguments. ``grad(f, argnums=0,
    has_aux=False)`` transforms a function, with the arguments of ``value_and_grad``.

    >>> import autograd
    >>> x = autograd.tensor(3.0, requires_grad=True)
    >>> autograd.grad(x ** 2, x)
    (tensor(6.),)
    >>> autograd.grad(lambda x: x ** 2)(3.0)
    tensor(6.)
    """
    if callable(outputs) and not isinstance(outputs, Node):
        return _grad_of(outputs, *args, **kwargs)
    return gradients_of(outputs, *args, **kwargs)


def _grad_of(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return transformed


def elementwise_grad(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """x ↦ f′(x) entry by entry, for a function that works on each entry alone.

    In general it is the gradient of the sum of all entries of f(x).

    >>> import autograd
    >>> autograd.elementwise_grad(lambda x: x ** 3)(autograd.tensor([1.0, 2.0]))
    tensor([ 3., 12.])
    """
    return _grad_of(functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs).sum()), argnums)


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f(primals), and the function u ↦ uᵀ J that carries an upstream gradient back.

    Arguments:
        function: returns Tensors in any nesting.
        primals: its arguments, all differentiated.
        has_aux: the function returns (value, aux), and the result is (value, vjp, aux).

    >>> import autograd
    >>> y, pull = autograd.vjp(lambda x: x ** 2, autograd.tensor([1.0, 2.0]))
    >>> pull(autograd.tensor([1.0, 1.0]))
    (tensor([2., 4.]),)
    """
    arguments = _Arguments("vjp", primals, tuple(range(len(primals))))
    out, aux = _call("vjp", function, arguments, {}, has_aux)
    outputs, _ = flatten(out)
    watched = _watched(outputs, arguments.leaves)

    def pull(upstream: Any) -> Any:
        """The gradients with respect to the primals, a tuple, for the upstream gradient of the outputs."""
        upstreams = [as_tensor(u) for u in flatten(upstream)[0]]
        if [u.shape for u in upstreams] != [y.shape for y in outputs]:
            raise ShapeError(
                f"vjp: the outputs have shapes {[y.shape for y in outputs]}, the upstream gradient "
                f"{[u.shape for u in upstreams]}; they must be the same"
            )
        recording = watched or (modes.local.grad and any(u.requires_grad for u in upstreams))
        return arguments.formed(_gradients(outputs, arguments.leaves, upstreams, recording, True))

    value = _settled(out, watched)
    return (value, pull, _settled(aux, watched)) if has_aux else (value, pull)


def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(primals) and J v, how the result moves when the primals move along the tangents v.

    u ↦ uᵀ J is linear in u, so its own gradient, taken backward a second time, is J v.

    >>> import autograd
    >>> autograd.jvp(lambda x: x ** 2, [autograd.tensor([1.0, 2.0])], [autograd.tensor([1.0, 0.0])])
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("jvp: primals and tangents are lists or tuples, one item for each argument of the function")
    arguments = _Arguments("jvp", tuple(primals), tuple(range(len(primals))))
    directions = [as_tensor(v) for v in flatten(list(tangents))[0]]
    if [v.shape for v in directions] != [x.shape for x in arguments.leaves]:
        raise ShapeError(
            f"jvp: the primals have shapes {[x.shape for x in arguments.leaves]}, the tangents "
            f"{[v.shape for v in directions]}; they must be the same"
        )
    out, _ = _call("jvp", function, arguments, {}, False)
    outputs, rebuild = flatten(out)
    watched = _watched(outputs, arguments.leaves) or (modes.local.grad and any(v.requires_grad for v in directions))
    pushed = _pushed(outputs, arguments.leaves, directions, watched)
    arguments.close()
    return _settled(out, watched), rebuild(pushed)


def _pushed(outputs: list[Any], leaves: list[Any], directions: list[Any], watched: bool) -> list[Any]:
    dummies = [wrap(np.zeros(y.shape, y.dtype)[()]).requires_grad_() for y in outputs]
    with modes.enable_grad():
        pulled = _gradients(outputs, leaves, dummies, True, True)
    reached = [(g, v) for g, v in zip(pulled, directions, strict=True) if g._requires_grad]
    if not reached:
        return [wrap(np.zeros(y.shape, y.dtype)[()]) for y in outputs]
    found = gradients_of(
        [g for g, _ in reached],
        dummies,
        [v for _, v in reached],
        retain_graph=True,
        create_graph=watched,
        materialize_grads=True,
    )
    return list(found)


def jacobian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """x ↦ ∂f/∂x, of shape (*f(x).shape, *x.shape).

    Row by row with one backward pass for each entry of f(x), or column by column where x has fewer entries.

    Arguments: as ``value_and_grad``; the function may return Tensors of any shape, in any nesting, and the
    result has the form of the outputs, each holding the form of the arguments.

    >>> import autograd
    >>> autograd.jacobian(lambda x: x ** 2)(autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        arguments = _Arguments("jacobian", args, argnums)
        out, _ = _call("jacobian", function, arguments, kwargs, False)
        outputs, rebuild = flatten(out)
        for y in outputs:
            if not isinstance(y, Node):
                raise DTypeError(f"jacobian: the function must return Tensors, got {describe(y)}")
        watched = _watched(outputs, arguments.leaves)
        rows = sum(y.numel() for y in outputs)
        columns = sum(x.numel() for x in arguments.leaves)
        by_column = columns < rows and columns > 0
        blocks = (_by_column if by_column else _by_row)(outputs, arguments.leaves, watched)
        arguments.close()
        return rebuild([arguments.formed(row) for row in blocks])

    return transformed


def _by_row(outputs: list[Any], leaves: list[Any], watched: bool) -> list[list[Any]]:
    result = []
    for y in outputs:
        rows = []
        for i in range(y.numel()):
            unit = np.zeros(y.shape, y.dtype)
            unit.reshape(-1)[i] = 1
            rows.append(_gradients([y], leaves, [wrap(unit[()])], watched, True))
        result.append([_joined([row[j] for row in rows], (*y.shape, *x.shape), x) for j, x in enumerate(leaves)])
    return result


def _by_column(outputs: list[Any], leaves: list[Any], watched: bool) -> list[list[Any]]:
    columns: list[list[list[Any]]] = [[[] for _ in leaves] for _ in outputs]
    for j, x in enumerate(leaves):
        for i in range(x.numel()):
            directions = [wrap(np.zeros(o.shape, o.dtype)) for o in leaves]
            directions[j]._array.reshape(-1)[i] = 1
            for k, pushed in enumerate(_pushed(outputs, leaves, directions, watched)):
                columns[k][j].append(pushed)
    result = []
    for k, y in enumerate(outputs):
        row = []
        for j, x in enumerate(leaves):
            together = _joined(columns[k][j], (*x.shape, *y.shape), x)
            n = len(x.shape)
            row.append(together.permute(*range(n, n + len(y.shape)), *range(n)))  # (*y.shape, *x.shape)
        result.append(row)
    return result


def _joined(parts: list[Any], shape: tuple[int, ...], like: Any) -> Any:
    return stack(parts).reshape(shape) if parts else wrap(np.zeros(shape, like.dtype))


def hessian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """x ↦ ∂²f/∂x², of shape (*x.shape, *x.shape), for a scalar function f.

    >>> import autograd
    >>> autograd.hessian(lambda x: (x ** 3).sum())(autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(_grad_of(function, argnums), argnums)


def hvp(function: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """f(x) and H v, the Hessian of a scalar function times a vector, without forming the Hessian.

    Arguments:
        function: takes ``primals`` and returns a scalar.
        primals, tangents: a Tensor each, or a list or tuple with one item for each argument.

    >>> import autograd
    >>> autograd.hvp(lambda x: (x ** 3).sum(), autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 0.0]))
    (tensor(9.), tensor([6., 0.]))
    """
    single = not isinstance(primals, (tuple, list))
    points = [primals] if single else list(primals)
    directions = [tangents] if single else list(tangents)
    if len(points) != len(directions):
        raise ValueError(f"hvp: got {len(points)} primals and {len(directions)} tangents; give one for each")
    every = tuple(range(len(points)))
    (value, _), (_, moved) = jvp(value_and_grad(function, every), points, directions)
    return value, moved[0] if single else moved
