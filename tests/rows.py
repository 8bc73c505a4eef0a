"""The op table: one row for each primitive, and for each public function that is composed of them.

A new op needs one row, in the file of its family.
"""

from __future__ import annotations

import importlib
import pkgutil

import rows_elementwise
import rows_fused
import rows_reduction
import rows_shape

import autograd.ops
from autograd.primitive import registry

for _module in pkgutil.iter_modules(autograd.ops.__path__):
    importlib.import_module(f"autograd.ops.{_module.name}")

ROWS = [*rows_elementwise.ROWS, *rows_reduction.ROWS, *rows_shape.ROWS, *rows_fused.ROWS]

# As it is before any test or doctest has made a primitive of its own.
LIBRARY = sorted(name for name, op in registry.items() if op.__module__.startswith("autograd."))
