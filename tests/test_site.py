"""The documentation site, built once: no warning, no dead link, every public name, and pages that work in a browser."""

from __future__ import annotations

import html
import html.parser
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import types
import urllib.parse
import zlib

import pytest
from browser import Browser

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[1]
_NAMESPACES = """
    autograd autograd.linalg autograd.special autograd.functional autograd.random autograd.cuda
    nn nn.functional nn.init nn.data nn.regularizers nn.scalar nn.averaging nn.training
    nn.utils nn.utils.rnn nn.utils.parametrize nn.utils.parametrizations nn.utils.stateless
    optim optim.lr_scheduler optim.swa_utils
"""
NAMESPACES = _NAMESPACES.split()
HOSTS = {"dlmf.nist.gov", "keepachangelog.com", "semver.org"}
WIDTHS = (375, 1280)


BOOKS = {path.stem: json.loads(path.read_text(encoding="utf-8"))["cells"]
         for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-j", "2", "-q",
               "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    print(f"the site takes {time.perf_counter() - start:.0f} s to build")
    return folder / "html"


class Page(html.parser.HTMLParser):
    """What a page has: anchors, links, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads, self.undescribed = set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("href") and given.get("rel") not in ("canonical", "author"):
            leads = given.get("rel") in ("index", "search", "next", "prev")
            (self.links if leads else self.loads).append(given["href"])
        if tag in ("script", "img", "iframe", "source", "video") and given.get("src"):
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))
            if "_static" not in path.parts}  # fmt: skip


def test_every_link_leads_somewhere(site, pages):
    dead = []
    for name, page in pages.items():
        for link in page.links:
            there = urllib.parse.urlsplit(link)
            if there.scheme or there.netloc:
                if there.scheme != "https" or there.hostname not in HOSTS:
                    dead.append((name, link))
                continue
            path = (site / name).parent / urllib.parse.unquote(there.path) if there.path else site / name
            target = path.resolve().relative_to(site.resolve()).as_posix()
            anchor = urllib.parse.unquote(there.fragment)
            known = target in pages and (not anchor or anchor in pages[target].anchors)
            if not (known or (not anchor and path.is_file())):
                dead.append((name, link))
    assert not dead
    assert sum(len(page.links) for page in pages.values()) > 5000


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for name, page in pages.items():
        for source in page.loads:
            if source.startswith("data:"):
                continue
            there = urllib.parse.urlsplit(source)
            assert not there.scheme and not there.netloc, (name, source)
            assert ((site / name).parent / urllib.parse.unquote(there.path)).is_file(), (name, source)
    for sheet in (site / "_static").rglob("*.css"):
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet.read_text(encoding="utf-8")):
            if not address.startswith("data:"):
                path = urllib.parse.urlsplit(address)
                assert not path.netloc and (sheet.parent / path.path).is_file(), (sheet.name, address)


def objects(site):
    """The names in ``objects.inv`` in their order, each with the kind of thing that it is and its address."""
    data = (site / "objects.inv").read_bytes()
    head, body = data.split(b"zlib.\n", 1)
    assert head.startswith(b"# Sphinx inventory version 2")
    lines = zlib.decompress(body).decode().splitlines()
    found = [re.match(r"(.+?) (py:\w+) (-?\d+) (\S+) (.*)$", line) for line in lines if " py:" in line]
    return [(match[1], match[2], match[4]) for match in found]


def public_names():
    """Every public name, qualified; and that no namespace was forgotten."""
    names = []
    for space in NAMESPACES:
        module = importlib.import_module(space)
        listed = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
        for name in listed:
            value = getattr(module, name)
            if isinstance(value, type(annotations)):
                continue
            if isinstance(value, types.ModuleType):
                public = getattr(module, "__all__", None) is not None
                full = f"{space}.{name}"
                if public and space != "nn.data":  # whose files are named in its __all__, too
                    assert full in NAMESPACES, f"{full} is public, and its names are to be in the reference"
                continue
            names.append(f"{space}.{name}")
    return names


def test_every_public_name_is_in_the_reference_once(site):
    found = [name for name, _, _ in objects(site)]
    assert len(found) == len(set(found))
    names = public_names()
    assert len(names) > 900
    assert not sorted(set(names) - set(found))
    methods = [name for name in found if name.startswith("autograd.Tensor.")]
    assert len(methods) > 350 and "nn.Module.state_dict" in found and "optim.Optimizer.zero_grad" in found


def test_the_reference_has_no_name_that_is_not_there(site):
    for name, _, _ in objects(site):
        parts = name.split(".")
        for split in range(len(parts) - 1, 0, -1):
            try:
                value = importlib.import_module(".".join(parts[:split]))
            except ModuleNotFoundError:
                continue
            break
        for part in parts[split:]:
            value = vars(value)[part] if part in getattr(value, "__dict__", {}) else getattr(value, part)


def test_docstrings_are_read_as_what_they_are(site):
    """Sections, doctests and links of one function, and no trace of markup that was not understood."""
    text = (site / "api" / "training.html").read_text(encoding="utf-8")
    entry = text.split('id="nn.training.fit"')[1].split('id="nn.training.EarlyStopping"')[0]
    assert re.search(r'<p class="section rubric">Arguments</p>', entry)
    for name in ("model", "nonfinite", "progress"):
        assert re.search(rf"<dt><code[^>]*><span class=\"pre\">{name}</span></code></dt>", entry), name
    assert "FloatingPointError" in entry and "CheckpointError" in entry
    assert '<span class="gp">&gt;&gt;&gt; </span>' in entry
    for path in (site / "api").glob("*.html"):
        plain = re.sub(r"<pre>.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        plain = re.sub(r"<[^>]+>", "", plain.split('<article class="bd-article"')[1].split("</article>")[0])
        assert "``" not in plain, path.name
        assert not re.search(r"^\s*(Arguments|Raises|Shapes|Attributes):\s*$", plain, re.MULTILINE), path.name


@pytest.mark.parametrize("book", BOOKS)
def test_notebooks_are_pages_with_their_outputs(site, book):
    cells = BOOKS[book]
    page = (site / "course" / f"{book}.html").read_text(encoding="utf-8")
    title = "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
    assert f"<h1>{html.escape(title, quote=False).replace(chr(39), '’')}" in page
    contents = (site / "course.html").read_text(encoding="utf-8")
    assert f'href="course/{book}.html"' in contents
    solutions = [cell for cell in cells if "solution" in cell["metadata"].get("tags", [])]
    assert solutions
    folded = re.findall(r'<details class="[^"]*hide[^"]*">(.*?)</details>', page, re.DOTALL)
    assert len(folded) >= len(solutions)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    left_open = [output for output in outputs if output["output_type"] == "error" and output["ename"] == "NotYet"]
    assert page.count('<div class="not-yet">') == len(left_open)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(re.findall(r"<img[^>]+_images/", page)) == len(pictures)


@pytest.fixture(scope="module")
def browser():
    with Browser() as window:
        yield window


def resize(browser, width, height=900):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    body = {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}
    browser._send("POST", f"{browser.session}/goog/cdp/execute", body)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways_and_no_script_complains(browser, site, pages, width):
    resize(browser, width)
    browser.errors()
    for name in pages:
        browser.open(site / name)
        inner, whole = browser.run("return [window.innerWidth, document.documentElement.scrollWidth]")
        assert inner == width, name
        assert whole <= inner, f"{name} is {whole} pixels wide in a window of {inner}"
        # The theme lets an article scroll that is too wide for its column; code and tables scroll by themselves.
        column, article = browser.run(
            "const a = document.querySelector('.bd-article-container'); return [a.clientWidth, a.scrollWidth]"
        )
        assert article <= column, f"the article of {name} is {article} pixels wide in a column of {column}"
        assert not browser.errors(), name


def test_the_player_in_the_gallery_plays(browser, site):
    resize(browser, 1280)
    browser.open(site / "gallery.html")
    frames = browser.run(
        "return [...document.querySelectorAll('.cell_output iframe')].map((f, i) => (f.id = 'frame' + i,"
        "f.srcdoc.includes('step 1') || f.srcdoc.includes('id=\"next\"')))"
    )
    assert sum(frames) == 1
    place = f"#frame{frames.index(True)}"
    browser.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})", place)
    browser.frame(place)
    assert browser.text("#place") == "step 1 of 10"
    browser.click("#next")
    assert browser.text("#place") == "step 2 of 10"
    browser.click("#last")
    assert browser.text("#place") == "step 10 of 10" and "∂f/∂y = 3 + 2 = 5" in browser.text("#panel")
    browser.frame(None)


def test_the_wheel_zooms_a_graph_only_after_a_click_into_it(browser, site):
    resize(browser, 1280)
    browser.open(site / "gallery.html")
    frame = "document.querySelector('.cell_output iframe')"
    browser.run(f"{frame}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    browser.wait(f"return {frame}.contentWindow.guarded")
    place = f"const b = {frame}.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]"
    x, y = map(round, browser.run(place))
    top = f"{frame}.getBoundingClientRect().top"
    width = f"{frame}.contentDocument.querySelector('main svg').viewBox.baseVal.width"  # of the part that is seen
    before = browser.run(f"return [{top}, {width}]")

    def turn(distance):
        scroll = {"type": "scroll", "duration": 0, "x": x, "y": y, "deltaX": 0, "deltaY": distance}
        browser.actions([{"type": "wheel", "id": "wheel", "actions": [scroll]}])

    turn(60)
    browser.wait(f"return {before[0]} - {top} > 40")
    turn(-60)
    browser.wait(f"return Math.abs({before[0]} - {top}) < 2")
    assert browser.run(f"return {width}") == before[1]
    press = [{"type": "pointerMove", "duration": 0, "x": x, "y": y}, {"type": "pointerDown", "button": 0},
             {"type": "pointerUp", "button": 0}]  # fmt: skip
    browser.actions([{"type": "pointer", "id": "mouse", "actions": press}])
    turn(-60)
    browser.wait(f"return {width} < {before[1]}")
    assert abs(browser.run(f"return {top}") - before[0]) < 2


def test_pictures_in_frames_go_with_the_colours_of_the_page(browser, site):
    resize(browser, 1280)
    browser.open(site / "gallery.html")
    colours = []
    for mode in ("dark", "light"):
        browser.run(
            "document.documentElement.dataset.theme = document.documentElement.dataset.mode = arguments[0]", mode
        )
        browser.frame(".cell_output iframe")
        dark = browser.wait("return [matchMedia('(prefers-color-scheme: dark)').matches]")[0]
        colours.append((dark, browser.run("return getComputedStyle(document.body).backgroundColor")))
        browser.frame(None)
    assert colours[0][0] and not colours[1][0] and colours[0][1] != colours[1][1]


def test_a_solution_is_folded_until_it_is_clicked(browser, site):
    resize(browser, 375)
    browser.open(site / "course" / f"{min(BOOKS)}.html")
    code, summary = ".cell.tag_solution .cell_input .highlight", ".cell.tag_solution details summary"
    browser.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})", summary)
    assert not browser.visible(code)
    browser.click(summary)
    browser.wait("return document.querySelector('.cell.tag_solution details').open")
    browser.wait("return document.getAnimations().every(one => one.playState === 'finished')")  # it fades in
    assert browser.visible(code)


def test_search_finds_a_layer(browser, site):
    resize(browser, 1280)
    browser.open((site / "search.html").as_uri() + "?q=TransformerEncoderLayer")
    found = browser.wait("return [...document.querySelectorAll('#search-results li a')].map(a => a.href)", 20)
    assert any("sequences.html#nn.TransformerEncoderLayer" in address for address in found)
