"""The page of a drawing in a real browser: moving about, searching, opening and closing modules."""

import html
import re

import models_drawn
import pytest
from browser import Browser

import autograd
from autograd import draw, maximum, tensor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with Browser() as window:
        yield window
        assert window.errors() == []


@pytest.fixture
def page(browser, tmp_path):
    def opened(drawing):
        browser.open(drawing.save(tmp_path / "picture.html"))
        return browser

    return opened


def headings(browser):
    return browser.run("return [...document.querySelectorAll('g.box')].map(g => g.querySelector('text').textContent)")


def view(browser):
    return browser.run("const b = svg.viewBox.baseVal; return [b.x, b.y, b.width, b.height]")


def place(browser, name):
    """Left, top, right and bottom on the screen of the box or frame with this heading."""
    return browser.run(
        "const g = [...document.querySelectorAll('g.box, g.title')]"
        ".find(g => g.querySelector('text').textContent.includes(arguments[0]));"
        "const r = [...g.querySelectorAll('rect')].pop().getBoundingClientRect();"
        "return [r.left, r.top, r.right, r.bottom]",
        name,
    )


def press(browser, name):
    browser.run(
        "[...document.querySelectorAll('g.box.group, g.title')]"
        ".find(g => g.querySelector('text').textContent.includes(arguments[0])).dataset.pressed = 1",
        name,
    )
    browser.click("[data-pressed] rect:last-of-type")


def overlapping(browser):
    """Pairs of boxes that cover each other, and texts that leave their boxes."""
    return browser.run(
        """const boxes = [...document.querySelectorAll('g.box')].map(g => {
             const rects = g.querySelectorAll('rect'), r = rects[rects.length - 1].getBoundingClientRect();
             const texts = [...g.querySelectorAll('text')].map(t => t.getBoundingClientRect());
             return {name: g.textContent, r, texts};
           }), found = [];
           for (const a of boxes) {
             for (const t of a.texts) if (t.left < a.r.left - 1 || t.right > a.r.right + 1 || t.bottom > a.r.bottom + 1)
               found.push('text of ' + a.name);
             for (const b of boxes) if (a !== b && a.r.left < b.r.right - 1 && b.r.left < a.r.right - 1
                 && a.r.top < b.r.bottom - 1 && b.r.top < a.r.bottom - 1) found.push(a.name + ' over ' + b.name);
           }
           return found"""
    )


def test_the_lecture_example(page):
    x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    browser = page(draw((x + y) * maximum(y, z)))
    shown = browser.run("return [...document.querySelectorAll('svg text')].map(t => t.textContent)")
    for text in ("2 × 1 = 2", "3 × 1 = 3", "3 × 0 = 0", "1 × 2 = 2", "1 × 3 = 3", "grad 2 + 3 = 5", "value 6"):
        assert text in shown
    assert overlapping(browser) == []
    assert not browser.visible("#more") and browser.visible("#fit")


def test_modules_open_and_close(page):
    browser = page(models_drawn.gpt())
    assert any("Block ×4" in h for h in headings(browser))
    before = place(browser, "Block ×4")
    press(browser, "Block ×4")
    after = place(browser, "Block ×4")
    assert after[:2] == pytest.approx(before[:2], abs=2)  # what was clicked stays where it is
    blocks = [h for h in headings(browser) if "Block" in h]
    assert [b.split(": ")[0] for b in blocks] == [f"⊞ model.blocks.{i}" for i in range(4)]
    press(browser, "model.blocks.1: Block")
    assert any("model.blocks.1.attention" in h for h in headings(browser))
    assert overlapping(browser) == []
    press(browser, "model.blocks.1: Block")
    assert not any("model.blocks.1.attention" in h for h in headings(browser))


def test_the_keyboard_opens_modules(page):
    browser = page(models_drawn.lenet(depth=1))
    browser.run("document.querySelector('g.box.group').focus()")
    browser.keys("\ue007")
    assert any("model.features.0" in h for h in headings(browser))
    browser.keys(" ")
    assert not any("model.features.0" in h for h in headings(browser))


@pytest.mark.parametrize("model", ["lenet", "lstm", "gpt"])
def test_everything_opened_overlaps_nowhere(page, model):
    browser = page(getattr(models_drawn, model)())
    for _ in range(8):
        if browser.run("return document.getElementById('more').disabled"):
            break
        browser.click("#more")
    assert browser.run("return document.getElementById('more').disabled")
    drawn = getattr(models_drawn, model)(limit=None)
    assert len(headings(browser)) == len(drawn.graph.vertices)
    assert overlapping(browser) == []
    browser.click("#fewer")
    assert len(headings(browser)) < 20


def test_search_opens_what_is_closed(page):
    browser = page(models_drawn.gpt())
    assert not any("blocks.2.mlp.0.weight" in h for h in headings(browser))
    browser.click("input")
    browser.keys("blocks.2.mlp.0.weight")
    assert browser.text("output") == "1 of 1"
    assert browser.run("return document.querySelector('.found text').textContent") == "model.blocks.2.mlp.0.weight"
    left, top, right, bottom = place(browser, "blocks.2.mlp.0.weight")
    assert 0 < left < right < 1280 and 0 < top < bottom < 800
    for _ in range(30):
        browser.keys("\ue003")  # backspace
    browser.keys("gelu")
    assert browser.text("output") == "1 of 4"
    browser.keys("\ue007")
    assert browser.text("output") == "2 of 4"
    for _ in range(4):
        browser.keys("\ue003")
    browser.keys("nothing of the sort")
    assert browser.text("output") == "none"


def test_moving_and_zooming(page):
    browser = page(models_drawn.lenet(depth=1))
    x, y, width, _ = view(browser)
    browser.drag("svg", (0.1, 0.9), (0.3, 0.8))
    moved = view(browser)
    assert moved[0] < x and moved[1] > y and moved[2] == pytest.approx(width)
    wheel = [{"type": "scroll", "x": 640, "y": 400, "deltaX": 0, "deltaY": -400, "duration": 10}]
    browser.actions([{"type": "wheel", "id": "wheel", "actions": wheel}])
    assert view(browser)[2] < 0.8 * width
    browser.click("#fit")
    assert view(browser)[0] == -10


def test_colours_follow_the_reader(page, tmp_path):
    drawing = models_drawn.lenet()
    ground = "return getComputedStyle(document.body).backgroundColor"
    with Browser(dark=True) as dark:
        dark.open(drawing.save(tmp_path / "dark.html"))
        assert dark.run(ground) == "rgb(22, 24, 28)"
        dark.click("#theme")
        assert dark.run(ground) == "rgb(255, 255, 255)"
        assert dark.errors() == []
    assert page(drawing).run(ground) == "rgb(255, 255, 255)"


def test_names_are_text(page, browser):
    name = '"><img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>'
    x = tensor(1.0, requires_grad=True)
    page(draw(x * 2.0, names={name: x}))
    assert name in headings(browser)
    assert browser.run("return document.title") == "picture.html"
    assert browser.run("return document.querySelectorAll('img').length") == 0


def test_in_a_notebook(browser, tmp_path):
    path = tmp_path / "notebook.html"
    cells = [models_drawn.lenet(depth=1), models_drawn.lenet()]
    frames = [cell._repr_mimebundle_()[0]["text/html"] for cell in cells]
    assert all("</iframe>" not in html.unescape(re.search('srcdoc="(.*?)"', frame, re.DOTALL)[1]) for frame in frames)
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{''.join(frames)}", encoding="utf-8")
    browser.open(path)
    browser.frame("iframe")
    browser.wait("return document.querySelector('g.box.group')")
    press(browser, "model.features")
    assert any("model.features.0" in h for h in headings(browser))
    browser.frame(None)


def test_ten_thousand_nodes(page):
    autograd.manual_seed(0)
    browser = page(models_drawn.layered(1000))
    press(browser, "×1000")
    press(browser, "1 – 40")
    assert sum("… #" in h for h in headings(browser)) == 40
