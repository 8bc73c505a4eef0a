"""The array namespaces in which forward functions and gradient rules are evaluated.

Each module here has the same names (``VOCABULARY``): NumPy's own where NumPy has one, and a handful
of shims for what it lacks. ``numpy`` computes, ``tensor`` records (so that gradients have gradients),
``jax`` is traced by ``jax.jit``.
"""

VOCABULARY = (
    # NumPy's names
    "abs", "argmax", "argmin", "broadcast_to", "ceil", "concatenate", "cos", "exp", "expm1", "floor", "log", "log1p",
    "logical_and", "logical_not", "logical_or", "matmul",
    "max", "maximum", "min", "minimum", "ones_like", "sign", "sin", "sqrt", "stack", "sum", "swapaxes", "tanh",
    "transpose", "where", "zeros_like",
    # the shims
    "add_at", "astype", "index", "one_hot", "repeat_to", "set_at", "softmax", "winners",
)  # fmt: skip
