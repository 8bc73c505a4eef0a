"""docs/lectures.md: every name in it is there, and every test too."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
LINES = (ROOT / "docs" / "lectures.md").read_text(encoding="utf-8").splitlines()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in LINES
    if line.startswith("| ") and not line.startswith("| Technique")
]


def found(name: str) -> object:
    """The object of a dotted name."""
    package, *rest = name.split(".")
    thing = importlib.import_module(package)
    for part in rest:
        thing = getattr(thing, part)
    return thing


def test_there_are_rows_for_every_document():
    assert len(ROWS) > 150 and sum(line.startswith("## ") for line in LINES) == 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_what_a_row_names_is_there(row):
    technique, here, shown = row
    names = re.findall(r"`([^`]+)`", here)
    assert names, f"{technique} is nowhere"
    for name in names:
        assert found(name) is not None
    tests = re.findall(r"`([^`]+)`", shown)
    assert tests, f"{technique} is not shown"
    for place in tests:
        # A test, not a mere file: a whole file shows everything and nothing.
        path, _, test = place.partition("::")
        assert f"\ndef {test}(" in (ROOT / path).read_text(encoding="utf-8"), place
