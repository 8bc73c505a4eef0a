"""What the pages in docs show is true: their code runs, prints what it says, and their links and names are there."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import pathlib
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import autograd
import nn
import optim

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
ELSEWHERE = {
    "extending": "test_extending.py runs it",
    "index": "its program is the README's, which test_readme.py runs",
}
RUN = [name for name, text in PAGES.items() if "```python\n" in text and name not in ELSEWHERE]
PYTORCH = "# PyTorch\n"


def blocks(text, language="python"):
    """The code of a page, also of blocks within lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(code) for _, code in found]


def printed_by(code, folder):
    """What a program prints; a warning ends it."""
    program = folder / "page.py"
    program.write_text(code, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(program)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_pages_with_code_are_known():
    assert {"coming_from_pytorch", "coming_from_micrograd", "coming_from_hips_autograd"} <= set(RUN)
    assert all("```python\n" in PAGES[name] for name in ELSEWHERE)


@pytest.mark.parametrize("page", RUN)
def test_code_runs_and_prints_what_it_says(page, tmp_path):
    source = "\n".join(blocks(PAGES[page]))
    printed = printed_by(source, tmp_path)
    promised = re.findall(r"^ *print\(.*\)  # (.+)$", source, re.MULTILINE)
    promised = [text for text in promised if re.match(r"[\d(\[{]|tensor", text)]
    assert promised
    place = 0
    for text in promised:
        place = printed.find(text, place)
        assert place >= 0, f"{text!r} is not printed, or not in its turn: {printed}"
        place += len(text)


def test_the_first_page_has_the_programs_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = blocks(PAGES["index"])
    assert program == blocks(readme)[0]


@pytest.mark.reference
def test_pytorchs_program_ends_at_the_same_loss(tmp_path):
    (theirs,) = [code for code in blocks(PAGES["coming_from_pytorch"], "py") if code.startswith(PYTORCH)]
    ours = blocks(PAGES["coming_from_pytorch"])[0]
    printed = []
    for code in (theirs, ours):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, {})
        printed.append(output.getvalue())
    assert re.fullmatch(r"loss 0\.\d{4}\n", printed[0])
    assert printed[0] == printed[1]


def test_only_the_imports_of_pytorchs_program_differ():
    theirs = blocks(PAGES["coming_from_pytorch"], "py")[0].removeprefix(PYTORCH).splitlines()
    ours = blocks(PAGES["coming_from_pytorch"])[0].splitlines()
    assert len(theirs) == len(ours)
    differing = [(a, b) for a, b in zip(theirs, ours, strict=True) if a != b]
    assert len(differing) == 3
    assert all("import" in a and "import" in b for a, b in differing)


def test_only_the_imports_of_the_program_in_hips_autograd_differ():
    theirs = blocks(PAGES["coming_from_hips_autograd"], "py")[0].splitlines()
    ours = blocks(PAGES["coming_from_hips_autograd"])[0].splitlines()
    differing = [line for line in theirs[1:] if line not in ours]
    assert differing == ["import autograd.numpy as np", "print(loss(weights, inputs, targets))"]


def rows(page, heading):
    """The cells of the tables under a heading."""
    part = PAGES[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in part.splitlines()
            if line.startswith("|") and not line.startswith(("|---", "| |"))]  # fmt: skip


def find(name):
    """What a dotted name of this project stands for."""
    value = {"autograd": autograd, "nn": nn, "optim": optim}[name.split(".")[0]]
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def test_what_is_said_not_to_be_there_says_what_to_use():
    names = [name for left, _ in rows("coming_from_pytorch", "What is not there, and what to use instead")[1:]
             for name in re.findall(r"`((?:torch|nn)\.[\w.]+)`", left)]  # fmt: skip
    assert len(names) >= 15
    files = {"torch.save", "torch.load"}  # these are there, and refuse
    for name in names:
        ours = name.replace("torch.", "autograd.")
        if name in files:
            with pytest.raises(NotImplementedError, match=r"nn\.training"):
                find(ours)("x", "y")
            continue
        with pytest.raises(AttributeError, match=rf"'{name.rpartition('.')[2]}': ..."):
            find(ours)


EXPRESSIONS = [row for part in ("Making Tensors", "Mixing them", "What an operation makes of them")
               for row in rows("dtypes", part)[1:]]  # fmt: skip


@pytest.mark.parametrize(("code", "said"), EXPRESSIONS)
def test_dtypes(code, said):
    assert str(evaluated(code, autograd).dtype) == re.match(r"\w+", said)[0]


@pytest.mark.reference
@pytest.mark.parametrize(("code", "said"), EXPRESSIONS)
def test_dtypes_are_pytorchs(code, said):
    import torch

    assert evaluated(code, torch).dtype == getattr(torch, re.match(r"\w+", said)[0])


@pytest.mark.parametrize(("code", "said"), rows("dtypes", "What is refused")[1:])
def test_refused_dtypes(code, said):
    with pytest.raises((autograd.DTypeError, OverflowError)) as raised:
        evaluated(code, autograd)
    assert raised.type.__name__ == re.match(r"\w+", said)[0]


def test_a_gradient_has_the_dtype_of_what_it_is_of():
    x = autograd.ones(2, requires_grad=True)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype == autograd.float32


def evaluated(code, library):
    return eval(code.strip("`"), {**vars(library), "np": np, "tensor": library.tensor})


def test_the_dark_picture_is_the_first_pages_bright_one():
    x, y, z = (autograd.tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    f = (x + y) * autograd.maximum(y, z)
    for theme, name in (("light", "lecture.svg"), ("dark", "lecture-dark.svg")):
        picture = autograd.draw(f, names={"x": x, "y": y, "z": z, "f": f}, theme=theme).svg()
        stored = (DOCS / "images" / name).read_text(encoding="utf-8")
        assert texts(stored) == texts(picture)
        assert colours(stored) == colours(picture)


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def colours(svg):
    return set(re.findall(r"#[0-9a-f]{6}\b", svg))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_names_in_code_are_there(page):
    names = re.findall(r"`((?:autograd|nn|optim)(?:\.\w+)+)(?:\([^`]*)?`", PAGES[page])
    if page == "coming_from_hips_autograd":  # whose left column is that package's own
        theirs = {name for row in rows(page, "What is where") for name in re.findall(r"`([\w.]+)", row[0])}
        names = [name for name in names if name not in theirs | {"autograd.scipy"}]
    if page == "coming_from_pytorch":
        theirs = {name for row in rows(page, "What is not there, and what to use instead")
                  for name in re.findall(r"`([\w.]+)", row[0])}  # fmt: skip
        names = [name for name in names if name not in theirs]
    if page == "lectures":
        assert len(names) > 100
    for name in names:
        if name == "autograd.backends.jax.jit":  # to look it up is to load JAX
            assert "def jit(" in (ROOT / "autograd" / "backends" / "jax.py").read_text(encoding="utf-8")
        else:
            find(name)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_are_to_files(page):
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("https://"):
            assert (DOCS / target.partition("#")[0]).is_file(), target


def test_every_page_is_in_the_site():
    """Each page stands in the table of contents of another, or is the first."""
    listed = {line.strip() for text in PAGES.values() for tree in re.findall(r"```{toctree}\n(.*?)```", text, re.DOTALL)
              for line in tree.splitlines()}  # fmt: skip
    assert set(PAGES) - listed == {"index"}


def test_the_reference_has_a_place_for_every_name(monkeypatch):
    """Quickly what test_site.py sees in the built site: the pages are written from the code, and none is left over."""
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    reference = importlib.import_module("reference")
    pages = reference.pages()
    assert "others.rst" not in pages
    described = [name for entry in reference.entries() for name in entry.names]
    assert len(described) == len(set(described)) > 1000
    text = "\n".join(pages.values())
    assert all(re.search(rf"^(\.\. py:\w+:: | +){re.escape(name)}(\(|$)", text, re.MULTILINE) for name in described)
    for module in (nn, nn.functional, nn.init, optim, optim.lr_scheduler, autograd.linalg):
        public = {f"{module.__name__}.{name}" for name in module.__all__ if not inspect.ismodule(getattr(module, name))}
        assert public <= set(described)
    assert "autograd.softplus" in described


def test_the_makefile_builds_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^docs: \.venv/\.installed-docs\n\t(.*)$", makefile, re.MULTILINE)
    assert "-m sphinx" in command and " -W " in command and command.endswith(" docs build/docs")
