"""The notebooks: what they show is what a run gives, exercises fail with help and are solved, all of it reads well."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
LESSONS = 14
LINES, CHARACTERS = 30, 2500  # that a cell may print
CHECK = re.compile(r'^check\("(\d+\.\d+)"', re.MULTILINE)
TRACES = ("/tmp", "/home", "/root", "site-packages", "at 0x")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def exercises():
    """The module of the exercises, found as a notebook finds it: beside itself."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("course.exercises")
    sys.path.remove(str(FOLDER))


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def texts(cell):
    """All that a cell prints or shows as text."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            yield "".join(output["text"])
        elif output["output_type"] == "error":
            yield output["evalue"]
        elif not any(kind.startswith("image/") for kind in output["data"]):
            html = "".join(output["data"].get("text/html", ""))
            if "<iframe" not in html:
                rows = re.sub(r"<style.*?</style>|<[^>]*>", "", html.replace("</tr>", "\n"), flags=re.DOTALL)
                yield re.sub(r"\n\s*\n+", "\n", rows) or "".join(output["data"].get("text/plain", ""))


def shows_a_picture(cell):
    return any(
        "image/png" in output["data"] or "<iframe" in "".join(output["data"].get("text/html", ""))
        for output in cell.get("outputs", [])
        if "data" in output
    )


def test_the_course_is_complete():
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, LESSONS + 1))


@pytest.mark.slow
@each_notebook
def test_a_fresh_run_gives_what_is_stored(path):
    run = subprocess.run(
        [sys.executable, "tools/course.py", "--compare", str(int(path.name[:2]))],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@each_notebook
def test_it_begins_and_ends_as_all_do(path):
    first, *_, last = cells(path)
    assert re.match(rf"# {int(path.name[:2])}\. \S", source(first))
    assert re.search(r"\d+ minutes", source(first))
    assert last["cell_type"] == "markdown"
    assert source(last).startswith("## What to read next")
    assert re.search(r"\]\([^)]+\)", source(last))


@each_notebook
def test_it_was_stored_by_a_run_from_top_to_bottom(path):
    counts = [cell["execution_count"] for cell in cells(path) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_exercises_fail_with_help_and_their_solutions_pass(path, exercises):
    asked, solved = [], []
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    for cell in code:
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        if "exercise" in tags(cell):
            asked += CHECK.findall(source(cell))
            assert [error["ename"] for error in errors] == ["NotYet"], source(cell)
            assert re.match(rf"Exercise {asked[-1]}: not yet\. .+\nHint: .+", errors[0]["evalue"]), errors[0]["evalue"]
        else:
            assert not errors
        if "solution" in tags(cell):
            solved += CHECK.findall(source(cell))
            assert f"Exercise {solved[-1]}: right." in "".join(texts(cell))
            assert cell["metadata"]["jupyter"]["source_hidden"]
    assert len(asked) >= 3
    assert asked == solved == list(exercises.exercises(int(path.name[:2])))


@each_notebook
def test_it_reads_well(path):
    notebook = cells(path)
    for i, cell in enumerate(notebook):
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"cell {i} warns: {output}"
        printed = "\n".join(texts(cell))
        assert printed.count("\n") <= LINES and len(printed) <= CHARACTERS, f"cell {i} prints a wall"
        assert not any(trace in printed for trace in TRACES), f"cell {i} prints what is of one machine: {printed}"
        if shows_a_picture(cell):
            below = notebook[i + 1]
            assert below["cell_type"] == "markdown" and source(below)[0] not in "#*", f"no sentence under cell {i}"
            assert sum(map(shows_a_picture, [cell])) == 1
    assert path.stat().st_size < 1_000_000


@each_notebook
def test_its_links_lead_somewhere(path):
    for cell in cells(path):
        if cell["cell_type"] == "markdown":
            for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", source(cell)):
                assert (path.parent / link).is_file() or re.match(r"https://[a-z.]+\.[a-z]+/", link), link


def test_an_exercise_that_is_not_there(exercises):
    for name, sentence in [("1.99", "notebook 1 has 1.1, "), (1.1, "as in check"), ("99.1", "as in"), ("one", "as in")]:
        with pytest.raises(ValueError, match=f"there is no exercise {name!r}.*{sentence}"):
            exercises.check(name, 3)


def test_wrong_answers_are_told_what_is_wrong(exercises):
    """One row for each way to be wrong."""
    x = np.arange(6.0).reshape(2, 3) + 1

    def broken(x):
        return x.no_such_name

    rows = [
        (..., 1.0, "still ..."),
        (None, 1.0, "still None"),
        (2.0, 1.0, "is 2; wanted 1: 2 times that"),
        (-1.0, 1.0, "the sign is the wrong way round"),
        (x.T, x, "transpose it"),
        (x[:1], x, r"has shape \(1, 3\); \(2, 3\) is wanted"),
        (np.where(x == 5, 0, x), x, r"1 of 6 entries; the first is at \[1, 1\]: 0, wanted 5"),
        (x * np.nan, x, "NaN"),
        ("one", 1.0, "of type str"),
        ((1.0,), (1.0, 2.0), "to be 2 things"),
        ((1.0, 3.0), (1.0, 2.0), r"\[1\] is 3; wanted 2"),
        ({"a": 1.0}, {"b": 1.0}, "no key 'b'"),
        ("left", "right", "'left', and that is not right"),
        (autograd.tensor([1.0, 2.5]), [1.0, 2.0], r"is \[1, 2.5\]; wanted \[1, 2\]"),
    ]
    for got, wanted, sentence in rows:
        with pytest.raises(exercises.NotYet, match=sentence):
            exercises.Answer(got, "answer").gives(wanted)
    for function, sentence in [
        (lambda x: None, r"answer\(3\) returned None"),
        (broken, r"broken\(3\) raised AttributeError"),
        (3.0, "is to be a function"),
    ]:
        with pytest.raises(exercises.NotYet, match=sentence):
            exercises.Answer(function, "answer")(3.0)
    exercises.Answer(lambda x: autograd.tensor([x, 2.0]), "answer")(1.0).gives(np.array([1.0, 2.0]))
