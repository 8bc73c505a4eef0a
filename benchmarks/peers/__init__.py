"""The same work in each library: what `benchmarks/compare.py` measures.

    inputs.py         data and first weights of every workload, as NumPy arrays
    define_by_run.py  in Glassgrad and in PyTorch, whose users write it in the same words
    by_hand.py        in NumPy, forward and backward written out for this model alone, with buffers made once
    functions.py      in JAX (compiled) and in HIPS autograd, as functions of their weights
    in_mygrad.py, in_tinygrad.py, in_micrograd.py
    worker.py         the process that runs one library's

A workload is a function without arguments that prepares, and returns ``step``: one training step, which returns its
loss as the library has it. A library that cannot do one leaves it out.
"""
