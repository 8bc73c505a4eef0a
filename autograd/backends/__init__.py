"""The array namespaces in which forward functions and gradient rules are evaluated.

Each module here has the same names (``VOCABULARY``): NumPy's own where NumPy has one, and a handful
of shims for what it lacks. ``numpy`` computes, ``tensor`` records (so that gradients have gradients),
``jax`` is traced by ``jax.jit``.
"""

VOCABULARY = (
    # NumPy's names
    "abs", "argmax", "argmin", "broadcast_to", "ceil", "concatenate", "cos", "cosh", "exp", "expm1", "floor",
    "log", "log1p", "logical_and", "logical_not", "logical_or", "matmul",
    "max", "maximum", "min", "minimum", "ones_like", "sign", "sin", "sinh", "sqrt", "stack", "sum", "swapaxes", "tanh",
    "transpose", "trunc", "where", "zeros_like",
    # a namespace within: inv, solve, cholesky, qr, svd, eigh, det, … (see numpy_linalg)
    "linalg",
    # the shims
    "cumprod", "cumsum", "linear_recurrence",
    "diagonal", "embed_diagonal",
    "convolve", "convolve_back", "correlate", "overlap_add", "sliding_windows",
    "add_at", "add_rows", "astype", "index", "normal_cdf", "one_hot", "repeat_to", "set_at", "sigmoid", "softmax",
    "special", "winners",
)  # fmt: skip

# NumPy's names that only forward functions use; the namespace of Tensors, where rules run, has no need of them.
FORWARD = (
    "argsort", "argtop", "cumlogsumexp", "cummax", "cummin", "searchsorted",
    "extreme_at",
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "copysign", "exp2", "fmax", "fmin",
    "fmod", "gcd", "hypot", "isclose", "lcm", "log10", "log2", "logaddexp", "logaddexp2", "nextafter", "round",
    "signbit", "sinc", "tan",
)  # fmt: skip
