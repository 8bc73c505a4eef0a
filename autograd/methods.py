"""The operators and methods of a Tensor that are operations: one line each, the work is in ``ops``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import creation, distributions, inplace, layout, legacy
from .errors import DTypeError, GraphError, ShapeError
from .node import Node
from .ops import (
    activations,
    arithmetic,
    broadcasting,
    comparison,
    decompositions,
    diagonals,
    functions,
    fused,
    gathering,
    indexing,
    joining,
    linalg,
    matrix_functions,
    products,
    rearranging,
    reduction,
    scans,
    scattering,
    slicing,
    solvers,
    sorting,
    special,
    statistics,
    windows,
)
from .ops import elementwise as ew
from .ops import shape as shapes
from .primitive import Primitive, binary_operator, constant

if TYPE_CHECKING:
    from .tensor import Tensor


def _method(op: Primitive) -> Callable[..., Tensor]:
    """A primitive as a method: only functions bind to an instance."""

    def method(self: Tensor, *inputs: Any, **static: Any) -> Tensor:
        return op(self, *inputs, **static)

    method.__name__, method.__doc__ = op.name, op.__doc__
    return method


def _in_place(function: Callable[..., Any], name: str, of_a_copy: bool = False) -> Callable[..., Tensor]:
    """The method that puts a function's result into the Tensor's own memory.

    ``of_a_copy`` is for functions of several steps of which not only the last one needs the Tensor's value.
    """

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return inplace.write(self, function(ew.clone(self) if of_a_copy else self, *args, **kwargs), name)

    method.__name__, method.__doc__ = name, f"In place: {function.__doc__}"
    return method


def _overwrite(function: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """``_in_place`` for functions without gradient: what is overwritten gets none."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        indexing.set_item(self, Ellipsis, function(self, *args, **kwargs), name)
        return self

    method.__name__, method.__doc__ = name, f"In place: {function.__doc__}"
    return method


def _reshaping(name: str) -> Callable[..., Tensor]:
    """The method of PyTorch's that would change a Tensor's shape in place, refused."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        raise GraphError(f"{name}: a Tensor's shape does not change in place; write x = x.{name.rstrip('_')}(...)")

    method.__name__, method.__doc__ = name, f"Refused: use ``x = x.{name.rstrip('_')}(...)``."
    return method


class Operations(Node):
    """What Tensors can be computed with."""

    __slots__ = ()

    # Arithmetic and comparison

    __add__ = binary_operator(ew.add, operator.add, arrays=True)
    __radd__ = binary_operator(ew.add, operator.add, reflected=True, arrays=True)
    __sub__ = binary_operator(ew.sub, operator.sub, arrays=True)
    __rsub__ = binary_operator(ew.sub, operator.sub, reflected=True, arrays=True)
    __mul__ = binary_operator(ew.mul, operator.mul, arrays=True)
    __rmul__ = binary_operator(ew.mul, operator.mul, reflected=True, arrays=True)
    __truediv__ = binary_operator(ew.div, operator.truediv, arrays=True)
    __rtruediv__ = binary_operator(ew.div, operator.truediv, reflected=True, arrays=True)
    __floordiv__ = binary_operator(ew.floor_divide, operator.floordiv)
    __rfloordiv__ = binary_operator(ew.floor_divide, operator.floordiv, reflected=True)
    __mod__ = binary_operator(ew.remainder, operator.mod)
    __rmod__ = binary_operator(ew.remainder, operator.mod, reflected=True)
    __pow__ = binary_operator(ew.pow, operator.pow)
    __rpow__ = binary_operator(ew.pow, operator.pow, reflected=True)
    __matmul__ = _method(linalg.matmul)
    __neg__ = _method(ew.neg)
    __abs__ = _method(ew.abs)
    __lt__ = _method(ew.lt)
    __le__ = _method(ew.le)
    __gt__ = _method(ew.gt)
    __ge__ = _method(ew.ge)
    __and__ = __rand__ = _method(ew.bitwise_and)
    __or__ = __ror__ = _method(ew.bitwise_or)
    __invert__ = _method(ew.bitwise_not)
    __xor__ = __rxor__ = _method(arithmetic.bitwise_xor)
    __lshift__ = binary_operator(arithmetic.bitwise_left_shift, operator.lshift)
    __rlshift__ = binary_operator(arithmetic.bitwise_left_shift, operator.lshift, reflected=True)
    __rshift__ = binary_operator(arithmetic.bitwise_right_shift, operator.rshift)
    __rrshift__ = binary_operator(arithmetic.bitwise_right_shift, operator.rshift, reflected=True)

    def __rmatmul__(self, other: Any) -> Tensor:
        return linalg.matmul(constant("matmul", other), self)

    def __eq__(self, other: Any) -> Any:
        return ew.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ew.ne(self, other) if _comparable(other) else NotImplemented

    def __pos__(self: Any) -> Tensor:
        return self

    add, sub, mul, div = arithmetic.add, arithmetic.sub, _method(ew.mul), arithmetic.div
    subtract, multiply, divide, true_divide = sub, mul, div, div
    floor_divide, remainder, pow, neg = (_method(op) for op in (ew.floor_divide, ew.remainder, ew.pow, ew.neg))
    eq, ne, lt, le, gt, ge = (_method(op) for op in (ew.eq, ew.ne, ew.lt, ew.le, ew.gt, ew.ge))
    logical_and, logical_or, logical_not = (_method(op) for op in (ew.logical_and, ew.logical_or, ew.logical_not))
    exp, expm1, log, log1p, sqrt, square = (
        _method(op) for op in (ew.exp, ew.expm1, ew.log, ew.log1p, ew.sqrt, ew.square)
    )
    abs, sign, floor, ceil, sin, cos = (_method(op) for op in (ew.abs, ew.sign, ew.floor, ew.ceil, ew.sin, ew.cos))
    tanh, sigmoid, relu = (_method(op) for op in (ew.tanh, ew.sigmoid, ew.relu))
    maximum, minimum, clone = (_method(op) for op in (ew.maximum, ew.minimum, ew.clone))
    clamp = clip = ew.clamp

    def where(self, condition: Any, other: Any) -> Tensor:
        """This Tensor where the condition holds, ``other`` elsewhere."""
        return ew.where(condition, self, other)

    masked_fill = arithmetic.masked_fill

    tan, asin, acos, atan = (_method(op) for op in (functions.tan, functions.asin, functions.acos, functions.atan))
    sinh, cosh = _method(functions.sinh), _method(functions.cosh)
    asinh, acosh, atanh = (_method(op) for op in (functions.asinh, functions.acosh, functions.atanh))
    arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
    exp2, log2, log10 = (_method(op) for op in (functions.exp2, functions.log2, functions.log10))
    rsqrt, reciprocal, logit = _method(functions.rsqrt), _method(functions.reciprocal), functions.logit
    erf, erfc, erfinv = (_method(op) for op in (functions.erf, functions.erfc, functions.erfinv))
    lgamma, digamma, sinc = (_method(op) for op in (functions.lgamma, functions.digamma, functions.sinc))
    trunc = fix = _method(functions.trunc)
    round, frac, nan_to_num = functions.round, functions.frac, functions.nan_to_num
    rad2deg, deg2rad, positive = functions.rad2deg, functions.deg2rad, functions.positive
    absolute, negative, sgn, signbit = abs, neg, sign, _method(functions.signbit)

    i0, mvlgamma = _method(special.i0), special.multigammaln
    igamma, igammac = _method(special.gammainc), _method(special.gammaincc)

    def polygamma(self: Any, n: int) -> Tensor:
        """Derivative number n of ``digamma``."""
        return functions.polygamma(n, self)

    lerp, addcmul, addcdiv = arithmetic.lerp, arithmetic.addcmul, arithmetic.addcdiv
    fmod, hypot, xlogy = (_method(op) for op in (arithmetic.fmod, arithmetic.hypot, arithmetic.xlogy))
    atan2 = arctan2 = _method(arithmetic.atan2)
    logaddexp, logaddexp2 = _method(arithmetic.logaddexp), _method(arithmetic.logaddexp2)
    copysign, nextafter = _method(arithmetic.copysign), _method(arithmetic.nextafter)
    ldexp, float_power, heaviside = arithmetic.ldexp, arithmetic.float_power, _method(arithmetic.heaviside)
    fmax, fmin, gcd, lcm = (_method(op) for op in (arithmetic.fmax, arithmetic.fmin, arithmetic.gcd, arithmetic.lcm))
    clamp_min, clamp_max = arithmetic.clamp_min, arithmetic.clamp_max
    bitwise_and, bitwise_or = _method(ew.bitwise_and), _method(ew.bitwise_or)
    bitwise_not, bitwise_xor = _method(ew.bitwise_not), _method(arithmetic.bitwise_xor)
    bitwise_left_shift = _method(arithmetic.bitwise_left_shift)
    bitwise_right_shift = _method(arithmetic.bitwise_right_shift)

    greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
    logical_xor, isclose, allclose = _method(comparison.logical_xor), comparison.isclose, comparison.allclose
    equal, isreal = comparison.equal, _method(comparison.isreal)
    isnan, isinf, isfinite = (_method(op) for op in (comparison.isnan, comparison.isinf, comparison.isfinite))
    isposinf, isneginf = _method(comparison.isposinf), _method(comparison.isneginf)

    # Reductions

    sum, mean, var, std = reduction.sum, reduction.mean, reduction.var, reduction.std
    max, min, amax, amin, norm = reduction.max, reduction.min, reduction.amax, reduction.amin, reduction.norm
    softmax, log_softmax, logsumexp = fused.softmax, fused.log_softmax, fused.logsumexp
    prelu, hardshrink = activations.prelu, activations.hardshrink
    argmax, argmin = reduction.argmax, reduction.argmin
    all, any = reduction.all, reduction.any
    aminmax, dist, renorm = reduction.aminmax, reduction.dist, reduction.renorm
    prod, cumsum, cumprod, logcumsumexp = scans.prod, scans.cumsum, scans.cumprod, scans.logcumsumexp
    cummax, cummin, diff = scans.cummax, scans.cummin, scans.diff
    sort, argsort, msort, topk, kthvalue = sorting.sort, sorting.argsort, sorting.msort, sorting.topk, sorting.kthvalue
    median, nanmedian, mode = sorting.median, sorting.nanmedian, sorting.mode
    unique, unique_consecutive = sorting.unique, sorting.unique_consecutive
    quantile, nanquantile, nansum = statistics.quantile, statistics.nanquantile, statistics.nansum
    nanmean, count_nonzero, bincount = statistics.nanmean, statistics.count_nonzero, statistics.bincount
    histc, histogram, cov, corrcoef = statistics.histc, statistics.histogram, statistics.cov, statistics.corrcoef

    # Shape

    reshape, flatten, unflatten, ravel = shapes.reshape, shapes.flatten, shapes.unflatten, shapes.ravel
    permute, transpose, movedim, t, adjoint = (
        shapes.permute, shapes.transpose, shapes.movedim, shapes.t, shapes.adjoint
    )  # fmt: skip
    swapaxes, swapdims, moveaxis = shapes.transpose, shapes.transpose, shapes.movedim
    expand, squeeze, unsqueeze, broadcast_to = shapes.expand, shapes.squeeze, shapes.unsqueeze, shapes.expand
    split, chunk, unbind = shapes.split, shapes.chunk, shapes.unbind
    split_with_sizes, sum_to_size = slicing.split_with_sizes, slicing.sum_to_size
    unsafe_split, unsafe_chunk, unsafe_split_with_sizes = split, chunk, split_with_sizes
    unfold = windows.unfold_along
    tensor_split, hsplit, vsplit, dsplit = joining.tensor_split, joining.hsplit, joining.vsplit, joining.dsplit
    repeat, tile, repeat_interleave = broadcasting.repeat, broadcasting.tile, broadcasting.repeat_interleave
    flip, fliplr, flipud, roll, rot90 = (
        rearranging.flip, rearranging.fliplr, rearranging.flipud, rearranging.roll, rearranging.rot90
    )  # fmt: skip
    diag, diagonal, diag_embed, diagflat = (
        diagonals.diag, diagonals.diagonal, diagonals.diag_embed, diagonals.diagflat
    )  # fmt: skip
    tril, triu, diagonal_scatter = diagonals.tril, diagonals.triu, diagonals.diagonal_scatter
    tril_, triu_ = _in_place(tril, "tril_"), _in_place(triu, "triu_")
    fill_diagonal_ = _in_place(slicing.fill_diagonal, "fill_diagonal_")
    squeeze_, unsqueeze_, t_, transpose_, swapaxes_, swapdims_, resize_ = (
        _reshaping(name) for name in ("squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_", "swapdims_", "resize_")
    )
    is_contiguous, stride = layout.is_contiguous, layout.stride
    storage_offset, data_ptr = layout.storage_offset, layout.data_ptr
    new_tensor, new_zeros, new_ones = creation.new_tensor, creation.new_zeros, creation.new_ones
    new_empty, new_full, new = creation.new_empty, creation.new_full, legacy.new
    matmul = _method(linalg.matmul)
    mm, bmm, mv, dot, vdot, inner = (
        products.mm, products.bmm, products.mv, products.dot, products.vdot, products.inner
    )  # fmt: skip
    outer, ger, kron, cross, trace = products.outer, products.ger, products.kron, products.cross, products.trace
    addmm, addmv, addr = products.addmm, products.addmv, products.addr
    addbmm, baddbmm = products.addbmm, products.baddbmm
    addmm_, addmv_, addr_ = _in_place(addmm, "addmm_"), _in_place(addmv, "addmv_"), _in_place(addr, "addr_")
    addbmm_, baddbmm_ = _in_place(addbmm, "addbmm_"), _in_place(baddbmm, "baddbmm_")
    det, slogdet, logdet = matrix_functions.det, matrix_functions.slogdet, matrix_functions.logdet
    matrix_exp, matrix_power = matrix_functions.matrix_exp, matrix_functions.matrix_power
    inverse, pinverse = solvers.inverse, solvers.pinverse
    cholesky_solve, cholesky_inverse = solvers.cholesky_solve, solvers.cholesky_inverse
    cholesky, qr, svd = decompositions.classic_cholesky, decompositions.classic_qr, decompositions.classic_svd

    def triangular_solve(self: Any, *args: Any, **options: Any) -> Tensor:
        """Refused; use linalg.solve_triangular."""
        from . import linalg as refusing

        return refusing.triangular_solve(self, *args, **options)

    def view(self: Any, *shape: Any) -> Tensor:
        """In another shape, as ``reshape``."""
        if len(shape) == 1 and isinstance(shape[0], (np.dtype, type)):
            raise DTypeError(
                f"view: reading the memory as another dtype ({shape[0]}) is not supported; "
                "to(dtype) converts, and t.numpy().view(dtype) reinterprets"
            )
        return shapes.reshape(self, *shape)

    def view_as(self: Any, other: Tensor) -> Tensor:
        """In the shape of ``other``."""
        return self.reshape(other.shape)

    reshape_as = view_as

    def expand_as(self: Any, other: Tensor) -> Tensor:
        """Expanded to the shape of ``other``."""
        return self.expand(other.shape)

    @property
    def T(self: Any) -> Tensor:
        """The dimensions in reverse order."""
        return shapes.permute_to(self, dims=tuple(range(self.ndim))[::-1])

    @property
    def mT(self: Any) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise ShapeError(f"mT: wants at least 2 dimensions, got shape {self.shape}")
        return shapes.transpose(self, -2, -1)

    @property
    def H(self: Any) -> Tensor:
        """A matrix transposed: of real numbers the conjugate transpose."""
        if self.ndim not in (0, 2):
            raise ShapeError(f"H: wants a matrix, got shape {self.shape}; mT exchanges the last two dimensions")
        return self.T

    mH = mT

    # Indexing

    def __getitem__(self, key: Any) -> Tensor:
        return indexing.getitem(self, key=indexing.normal_key("getitem", self, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.set_item(self, key, value)

    gather, take, take_along_dim = gathering.gather, gathering.take, gathering.take_along_dim
    index_select, select, narrow = gathering.index_select, gathering.select, gathering.narrow
    narrow_copy, select_scatter, slice_scatter = slicing.narrow_copy, slicing.select_scatter, slicing.slice_scatter
    masked_select, nonzero, argwhere = gathering.masked_select, gathering.nonzero, gathering.argwhere
    scatter, scatter_add, scatter_reduce = scattering.scatter, scattering.scatter_add, scattering.scatter_reduce
    index_add, index_copy, index_fill = scattering.index_add, scattering.index_copy, scattering.index_fill
    index_put, put, masked_scatter = scattering.index_put, scattering.put, scattering.masked_scatter
    index_reduce = scattering.index_reduce
    scatter_, scatter_add_ = _in_place(scatter, "scatter_"), _in_place(scatter_add, "scatter_add_")
    scatter_reduce_ = _in_place(scatter_reduce, "scatter_reduce_", of_a_copy=True)
    index_add_, index_copy_ = _in_place(index_add, "index_add_"), _in_place(index_copy, "index_copy_")
    index_fill_, index_put_ = _in_place(index_fill, "index_fill_"), _in_place(index_put, "index_put_")
    index_reduce_ = _in_place(index_reduce, "index_reduce_", of_a_copy=True)
    put_, masked_scatter_ = _in_place(put, "put_"), _in_place(masked_scatter, "masked_scatter_")

    # In place

    add_ = __iadd__ = _in_place(add, "add_")
    sub_ = __isub__ = _in_place(sub, "sub_")
    mul_ = __imul__ = _in_place(mul, "mul_")
    div_ = __itruediv__ = _in_place(div, "div_")
    pow_ = __ipow__ = _in_place(pow, "pow_")
    exp_, log_, sqrt_, neg_ = (_in_place(f, f"{f.__name__}_") for f in (exp, log, sqrt, neg))
    abs_, tanh_, sigmoid_, relu_ = (_in_place(f, f"{f.__name__}_") for f in (abs, tanh, sigmoid, relu))
    cumsum_, cumprod_ = _in_place(cumsum, "cumsum_"), _in_place(cumprod, "cumprod_")
    renorm_ = _in_place(renorm, "renorm_", of_a_copy=True)
    clamp_, masked_fill_ = _in_place(clamp, "clamp_"), _in_place(masked_fill, "masked_fill_")
    clip_ = clamp_
    subtract_, multiply_, divide_, true_divide_, negative_, absolute_ = sub_, mul_, div_, div_, neg_, abs_
    remainder_ = __imod__ = _in_place(remainder, "remainder_")
    expm1_, log1p_, square_, sin_, cos_ = (_in_place(f, f"{f.__name__}_") for f in (expm1, log1p, square, sin, cos))
    sign_, floor_, ceil_, trunc_ = (_in_place(f, f"{f.__name__}_") for f in (sign, floor, ceil, trunc))
    sgn_, fix_, round_ = sign_, trunc_, _in_place(round, "round_")
    tan_, asin_, acos_, atan_ = (_in_place(f, f"{f.__name__}_") for f in (tan, asin, acos, atan))
    sinh_, cosh_, asinh_ = (_in_place(f, f"{f.__name__}_") for f in (sinh, cosh, asinh))
    acosh_, atanh_ = _in_place(acosh, "acosh_"), _in_place(atanh, "atanh_")
    arcsin_, arccos_, arctan_, arcsinh_, arccosh_, arctanh_ = asin_, acos_, atan_, asinh_, acosh_, atanh_
    exp2_, log2_, log10_ = (_in_place(f, f"{f.__name__}_") for f in (exp2, log2, log10))
    rsqrt_, reciprocal_, frac_ = (_in_place(f, f"{f.__name__}_") for f in (rsqrt, reciprocal, frac))
    erf_, erfc_, erfinv_ = (_in_place(f, f"{f.__name__}_") for f in (erf, erfc, erfinv))
    lgamma_, digamma_, sinc_ = (_in_place(f, f"{f.__name__}_") for f in (lgamma, digamma, sinc))
    polygamma_, logit_ = _in_place(polygamma, "polygamma_"), _in_place(logit, "logit_", of_a_copy=True)
    rad2deg_, deg2rad_, nan_to_num_ = (_in_place(f, f"{f.__name__}_") for f in (rad2deg, deg2rad, nan_to_num))
    lerp_, addcmul_, addcdiv_ = (_in_place(f, f"{f.__name__}_") for f in (lerp, addcmul, addcdiv))
    fmod_, hypot_, xlogy_ = (_in_place(f, f"{f.__name__}_") for f in (fmod, hypot, xlogy))
    atan2_ = arctan2_ = _in_place(atan2, "atan2_")
    copysign_, ldexp_, float_power_ = (_in_place(f, f"{f.__name__}_") for f in (copysign, ldexp, float_power))
    i0_, igamma_, igammac_ = _in_place(i0, "i0_"), _in_place(igamma, "igamma_"), _in_place(igammac, "igammac_")
    mvlgamma_ = _in_place(mvlgamma, "mvlgamma_", of_a_copy=True)
    clamp_min_, clamp_max_ = _in_place(clamp_min, "clamp_min_"), _in_place(clamp_max, "clamp_max_")

    floor_divide_ = __ifloordiv__ = _overwrite(floor_divide, "floor_divide_")
    nextafter_, heaviside_ = _overwrite(nextafter, "nextafter_"), _overwrite(heaviside, "heaviside_")
    gcd_, lcm_ = _overwrite(gcd, "gcd_"), _overwrite(lcm, "lcm_")
    eq_, ne_, lt_, le_, gt_, ge_ = (_overwrite(f, f"{f.__name__}_") for f in (eq, ne, lt, le, gt, ge))
    greater_, greater_equal_, less_, less_equal_, not_equal_ = gt_, ge_, lt_, le_, ne_
    logical_and_, logical_or_ = _overwrite(logical_and, "logical_and_"), _overwrite(logical_or, "logical_or_")
    logical_not_, logical_xor_ = _overwrite(logical_not, "logical_not_"), _overwrite(logical_xor, "logical_xor_")
    bitwise_and_ = __iand__ = _overwrite(bitwise_and, "bitwise_and_")
    bitwise_or_ = __ior__ = _overwrite(bitwise_or, "bitwise_or_")
    bitwise_xor_ = __ixor__ = _overwrite(bitwise_xor, "bitwise_xor_")
    bitwise_not_ = _overwrite(bitwise_not, "bitwise_not_")
    bitwise_left_shift_ = __ilshift__ = _overwrite(bitwise_left_shift, "bitwise_left_shift_")
    bitwise_right_shift_ = __irshift__ = _overwrite(bitwise_right_shift, "bitwise_right_shift_")

    def fill_(self, value: Any) -> Tensor:
        """Puts ``value`` into every entry."""
        indexing.set_item(self, Ellipsis, value, "fill_")
        return self  # type: ignore[return-value]

    def zero_(self) -> Tensor:
        """Puts 0 into every entry."""
        indexing.set_item(self, Ellipsis, 0, "zero_")
        return self  # type: ignore[return-value]

    def copy_(self, source: Any) -> Tensor:
        """Puts the entries of ``source``, which broadcasts to this shape, into this Tensor."""
        indexing.set_item(self, Ellipsis, source, "copy_")
        return self  # type: ignore[return-value]

    uniform_, normal_, log_normal_ = distributions.uniform_, distributions.normal_, distributions.log_normal_
    exponential_, cauchy_, geometric_ = distributions.exponential_, distributions.cauchy_, distributions.geometric_
    bernoulli_, random_ = distributions.bernoulli_, distributions.random_
    bernoulli, multinomial = distributions.bernoulli, distributions.multinomial

    # NumPy's functions

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from .interop import array_ufunc

        return array_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .interop import array_function

        return array_function(function, args, kwargs)


def _comparable(other: Any) -> bool:
    return isinstance(other, (Node, np.ndarray, np.generic, float, int)) or hasattr(other, "aval")
