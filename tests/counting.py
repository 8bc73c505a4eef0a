"""Work that is counted and not timed, so that it comes out the same on any machine."""

from __future__ import annotations

import gc
import sys


def calls_of(run):
    """How many functions, of Python and of C, are called while ``run()`` runs."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls
