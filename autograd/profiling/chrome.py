"""A profile's events in Chrome's trace format, which chrome://tracing and Perfetto show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["trace"]

# The categories, where they are called otherwise than the events here.
_NAMES = {"visit": "backward", "backward": "pass"}


def trace(events: Sequence[tuple[Any, ...]] | None, origin: int | None) -> dict[str, Any]:
    """Complete events, ``"ph": "X"``, in microseconds since the profile was first opened, parents before children."""
    if events is None:
        raise RuntimeError("trace: nothing was kept of the events; open the profile with trace=True")
    found = []
    for kind, name, began, ended, place, facts in events:
        args: dict[str, Any] = {}
        if place.module:
            args["module"] = ".".join(n or kind for n, kind in place.module)
        if facts.get("line"):
            args["line"] = "{}:{}".format(*facts["line"])
        if facts.get("shapes"):
            args["shapes"] = " ".join(str(tuple(shape)) for shape in facts["shapes"])
        args |= {key: facts[key] for key in ("flops", "bytes") if facts.get(key)}
        found.append({
            "name": f"{name} backward" if kind == "visit" else name,
            "cat": _NAMES.get(kind, kind), "ph": "X", "pid": 1, "tid": 1,
            "ts": (began - (origin or 0)) / 1000, "dur": (ended - began) / 1000, "args": args,
        })  # fmt: skip
    found.sort(key=lambda event: (event["ts"], -event["dur"]))
    return {"traceEvents": found, "displayTimeUnit": "ms"}
