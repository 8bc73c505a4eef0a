"""The player's page in a real browser: buttons, slider, keys, colours, what is highlighted, a notebook's frame."""

from __future__ import annotations

import pytest
from browser import END, HOME, LEFT, RIGHT, SPACE, Browser

import autograd
from autograd import maximum, step_through, tensor

pytestmark = pytest.mark.slow

HIGHLIGHTED = """
const marked = c => [...document.querySelectorAll("#stage g.node." + c)].map(g => g.querySelector("text").textContent);
const edges = [...document.querySelectorAll("#stage g.edge.now.done text")].map(t => t.textContent.trim());
return [marked("now"), marked("to"), edges];
"""
AWKWARD = "</script><script>document.title='run'</script>\"&|{}\\ <b>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    x, y, z = (tensor(v, requires_grad=True) for v in (1.0, 2.0, 0.0))
    f = (x + y) * maximum(y, z)
    player = step_through(f)
    player.save(folder / "lecture.html")
    frame = f"<!DOCTYPE html><title>notebook</title><body>{player._repr_html_()}</body>"
    (folder / "notebook.html").write_text(frame, encoding="utf-8")
    step_through(x * 2.0, names={AWKWARD: x}).save(folder / "awkward.html")
    long = x
    for _ in range(600):
        long = long * 1.001
    step_through(long).save(folder / "long.html")
    images, weight = autograd.ones(5, 3), autograd.zeros(2, 3, requires_grad=True)
    step_through(autograd.linear(images, weight).tanh().mean()).save(folder / "network.html")
    return folder


@pytest.fixture(scope="module")
def browser():
    with Browser() as window:
        yield window


def place(browser):
    return browser.text("#place")


def test_buttons_go_on_and_back(browser, pages):
    browser.open(pages / "lecture.html")
    assert place(browser) == "step 1 of 10" and browser.run(HIGHLIGHTED) == [["add"], ["x", "y"], []]
    assert "add = x + y" in browser.text("#panel")
    browser.click("#last")
    assert place(browser) == "step 10 of 10" and browser.run(HIGHLIGHTED) == [["add"], ["y"], ["2 × 1 = 2"]]
    panel = browser.text("#panel")
    for text in ("This is use 2 of 2 of y:", "∂f/∂y = 3 + 2 = 5", "+ distributes", "∂f/∂y = g"):
        assert text in panel
    browser.click("#next")
    assert place(browser) == "step 10 of 10"
    for _ in range(3):
        browser.click("#back")
    assert place(browser) == "step 7 of 10" and browser.run(HIGHLIGHTED) == [["maximum"], ["y"], ["3 × 1 = 3"]]
    panel = browser.text("#panel")
    for text in (
        "max routes",
        "y is the larger one",
        "upstream g\n∂f/∂maximum\n3",
        "local\n∂maximum/∂y\n1",
        "downstream\n∂f/∂y\n3",
    ):
        assert text in panel
    browser.click("#first")
    browser.click("#back")
    assert place(browser) == "step 1 of 10"
    assert browser.errors() == []


def test_slider(browser, pages):
    browser.open(pages / "lecture.html")
    browser.drag("#slider", (0.02, 0.5), (0.999, 0.5))
    assert place(browser) == "step 10 of 10"
    browser.drag("#slider", (0.98, 0.5), (0.5, 0.5))
    assert place(browser) in ("step 5 of 10", "step 6 of 10")
    assert browser.run("return document.querySelector('#slider').value") in ("4", "5")


def test_keys(browser, pages):
    browser.open(pages / "lecture.html")
    browser.keys(RIGHT * 4)
    assert place(browser) == "step 5 of 10"
    browser.keys(LEFT)
    assert place(browser) == "step 4 of 10"
    browser.keys(END)
    assert place(browser) == "step 10 of 10"
    browser.keys(HOME)
    assert place(browser) == "step 1 of 10"
    # The slider has keys of its own, which must not step a second time.
    browser.run("document.querySelector('#slider').focus()")
    browser.keys(RIGHT)
    assert place(browser) == "step 2 of 10"


def test_play_and_pause(browser, pages):
    browser.open(pages / "lecture.html")
    browser.run("const s = document.querySelector('#speed'); s.value = '500'; s.dispatchEvent(new Event('change'))")
    browser.keys(SPACE)
    assert "pause" in browser.text("#play")
    browser.wait("return document.querySelector('#place').textContent === 'step 3 of 10'")
    browser.click("#play")
    now = place(browser)
    assert "play" in browser.text("#play")
    browser.run("return new Promise(done => setTimeout(done, 900))")
    assert place(browser) == now
    browser.click("#last")
    browser.click("#play")  # plays again from the beginning
    assert place(browser) == "step 1 of 10"
    browser.keys(RIGHT)
    assert "play" in browser.text("#play") and place(browser) == "step 2 of 10"


def test_gradients_appear_when_they_are_known(browser, pages):
    browser.open(pages / "lecture.html")
    seen = """return [...document.querySelectorAll("#stage text")].filter(
        t => getComputedStyle(t).visibility === "visible" && /∂|×/.test(t.textContent)
        ).map(t => t.textContent.trim())"""
    browser.keys(RIGHT * 2)
    assert browser.run(seen) == []
    browser.keys(RIGHT * 2)
    assert sorted(browser.run(seen)) == ["1 × 2 = 2", "∂ 1", "∂ 2"]
    browser.keys(RIGHT * 2)
    assert "∂ 5" not in browser.run(seen) and "3 × 1 = 3" in browser.run(seen)
    browser.keys(END)
    assert sorted(browser.run(seen)) == sorted(
        ["∂ 2", "∂ 5", "∂ 0", "∂ 2", "∂ 3", "∂ 1", "1 × 2 = 2", "1 × 3 = 3", "3 × 1 = 3", "3 × 0 = 0"]
        + ["2 × 1 = 2"] * 2
    )


def test_a_click_on_a_node_goes_to_it(browser, pages):
    browser.open(pages / "lecture.html")
    browser.click("#stage g.node.output")
    assert place(browser) == "step 3 of 10"
    browser.click("#stage g.node.output")
    assert place(browser) == "step 4 of 10"


def test_light_and_dark(pages):
    def colours(browser):
        return browser.run(
            "const c = e => getComputedStyle(document.querySelector(e));"
            "return [c('body').backgroundColor, c('#stage text').fill, c('#stage g.node.variable path').fill]"
        )

    with Browser(dark=True) as browser:
        browser.open(pages / "lecture.html")
        dark = colours(browser)
        browser.click("#theme")
        light = colours(browser)
        browser.click("#theme")
        assert colours(browser) == dark
        browser.prefer("light")
        browser.open(pages / "lecture.html")
        assert colours(browser) == light

    def brightness(colour):
        return sum(map(int, colour.strip("rgb()").split(",")))

    assert brightness(dark[0]) < 150 < 600 < brightness(light[0])
    assert brightness(dark[1]) > 600 and brightness(light[1]) < 150
    assert dark[2] != light[2]


def test_nothing_lies_over_anything_else(browser, pages):
    overlapping = """
    const parts = [...document.querySelectorAll("#stage g.node, #stage g.edge text")];
    const boxes = parts.map(e => e.getBoundingClientRect());
    let found = 0;
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) found++;
    }));
    return found;
    """
    inside = """
    return [...document.querySelectorAll("#stage g.node")].filter(g => {
      const box = g.querySelector("path, polygon").getBoundingClientRect();
      return [...g.querySelectorAll("text")].some(t => {
        const text = t.getBoundingClientRect();
        return text.left < box.left - 1 || text.right > box.right + 1;
      });
    }).length
    """
    for name in ("lecture", "network", "awkward"):
        browser.open(pages / f"{name}.html")
        browser.keys(END)
        assert browser.run(overlapping) == 0 and browser.run(inside) == 0, name
        assert browser.run(
            "return document.querySelector('#panel').scrollWidth <= document.querySelector('#panel').clientWidth"
        )


def test_names_are_text(browser, pages):
    browser.open(pages / "awkward.html")
    browser.keys(END)
    assert AWKWARD in browser.text("#panel") and browser.run("return document.title") == "awkward.html"
    drawn = browser.run("return [...document.querySelectorAll('#stage g.node.variable text')][0].textContent")
    assert drawn.endswith("…") and AWKWARD.startswith(drawn[:-1].replace("\u00a0", " "))
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.errors() == []


def test_a_long_page_follows_its_steps(browser, pages):
    browser.open(pages / "long.html")
    assert browser.text("#left-out").startswith("This page plays 400 of the 1,201 steps")
    for _ in range(3):
        browser.keys(RIGHT)
        box, view = browser.run(
            "const b = e => { const r = document.querySelector(e).getBoundingClientRect(); return [r.left, r.right] };"
            "return [b('#stage g.node.now'), b('#stage')]"
        )
        assert view[0] <= box[0] and box[1] <= view[1]


def test_in_a_notebooks_frame(browser, pages):
    browser.open(pages / "notebook.html")
    browser.frame("iframe")
    browser.click("#next")
    assert place(browser) == "step 2 of 10"
    browser.keys(RIGHT)
    assert place(browser) == "step 3 of 10"
    browser.frame(None)
    assert browser.run("return document.title") == "notebook" and browser.errors() == []
