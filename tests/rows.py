"""The op table: one row for each primitive, and for each public function that is composed of them.

A new op needs one row, in the file of its family.
"""

from __future__ import annotations

import importlib
import pathlib
import pkgutil

import autograd.ops
from autograd.primitive import registry

for _module in pkgutil.iter_modules(autograd.ops.__path__):
    importlib.import_module(f"autograd.ops.{_module.name}")

_families = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("rows_*.py"))
ROWS = [row for family in _families for row in importlib.import_module(family).ROWS]

# As it is before any test or doctest has made a primitive of its own.
LIBRARY = sorted(name for name, op in registry.items() if op.__module__.startswith("autograd."))
