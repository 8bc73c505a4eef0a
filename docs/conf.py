"""The documentation site: `make docs` builds it into build/docs, from these pages, the code and the course."""

from __future__ import annotations

import html
import json
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "extensions")]

project = "Glassgrad"
author = "the Glassgrad developers"
copyright = author
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_nb", "sphinx_design", "sphinx_copybutton", "mathematics", "name_links", "reference"]
exclude_patterns = ["extensions", "**.ipynb_checkpoints"]
templates_path = []
nitpicky = True
# A copy without notebooks has a site, too.
suppress_warnings = [] if any((ROOT / "notebooks").glob("*.ipynb")) else ["toc.glob"]
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
add_function_parentheses = False
pygments_style = "default"

# Pages

myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath", "attrs_inline", "attrs_block", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
# Formulas are drawn by the browser itself; nothing is fetched.
html_math_renderer = "mathml"

# Notebooks of the course come with their outputs; the pages here that have code cells are run when the site is built.
nb_execution_mode = "auto"
nb_execution_excludepatterns = ["course/*"]
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_merge_streams = True
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [
    ("html", "text/html", 0),
    ("html", "image/svg+xml", 1),
    ("html", "image/png", 2),
    ("html", "text/plain", 20),
]
# What is folded is solutions.
nb_code_prompt_show = "Solution"
nb_code_prompt_hide = "Solution"

# Looks

html_theme = "pydata_sphinx_theme"
html_title = "Glassgrad"
html_static_path = ["static"]
html_css_files = ["glassgrad.css"]
html_js_files = ["frames.js"]
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_favicon = "static/mark.svg"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "Glassgrad", "image_light": "static/mark.svg", "image_dark": "static/mark.svg", "alt_text": ""},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "gallery": [], "course": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 1,
    "navigation_depth": 2,
    "back_to_top_button": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "gallery": [], "changelog": []}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"


# Pages of the repository under their names here.
IN_THE_SITE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.md": "index.md"}


def course(app, config):
    """Puts copies of the notebooks where Sphinx reads pages, with their links to other pages made for there."""
    there = HERE / "course"
    there.mkdir(exist_ok=True)
    books = {path.name: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
    for path in there.glob("*.ipynb"):
        if path.name not in books:
            path.unlink()
    chapters = []
    for name, path in books.items():
        book = json.loads(path.read_text(encoding="utf-8"))
        book["metadata"].setdefault("language_info", {"name": "python", "pygments_lexer": "ipython3"})
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = for_the_site("".join(cell["source"]), books)
            tags = cell["metadata"].setdefault("tags", [])
            if "solution" in tags and "hide-input" not in tags:
                tags.append("hide-input")
            cell["outputs"] = [as_a_note(output) for output in cell.get("outputs", [])]
            if cell["cell_type"] != "code":
                del cell["outputs"]
        text = json.dumps(book, ensure_ascii=False)
        write(there / name, text)
        chapters.append(chapter(name, "".join(book["cells"][0]["source"])))
    write(there / "chapters.txt", "\n".join(chapters))


def write(path, text):
    """Writes a file only where it would change, so that nothing is built anew without need."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def chapter(name, beginning):
    """A chapter in the list of them: its title, how long it takes, and its first paragraph."""
    title, _, text = beginning.partition("\n")
    about = re.search(r"\s*About (\d+ minutes)\.", text)
    first = text.replace(about[0] if about else "", "").strip().split("\n\n")[0]
    time = f" · {about[1]}" if about else ""
    return f"[{title.removeprefix('# ')}](course/{name}){time}\n: {' '.join(first.split())}\n"


def for_the_site(text, books):
    """Links of a notebook as they are from the copy. What is no page of the site is named and not linked."""

    def link(match):
        words, target = match.groups()
        path, _, anchor = target.partition("#")
        if path.endswith(".ipynb"):
            return match[0] if path in books else words
        page = re.sub(r"^(\.\./)+(docs/)?", "", path)
        page = IN_THE_SITE.get(page, page)
        if not (HERE / page).is_file():
            return words
        return f"[{words}](../{page}{'#' + anchor if anchor else ''})"

    return re.sub(r"(?<!!)\[([^\[\]]+)\]\((?![a-z]+:|#)([^()\s]+)\)", link, text)


def as_a_note(output):
    """What an exercise says until it is solved is a note to the reader; printed sentences are broken into lines."""
    if output["output_type"] == "error" and output["ename"] == "NotYet":
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(output["evalue"])).replace("\n", "<br>")
        return display(f'<div class="not-yet">{said}</div>', output["evalue"])
    text = "".join(output.get("text", ""))
    if output["output_type"] == "stream" and len(max(text.split("\n"), key=len)) > 70 and "  " not in text:
        return display(f'<pre class="sentences">{html.escape(text)}</pre>', text)
    return output


def display(markup, text):
    data = {"text/html": markup, "text/plain": text}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def setup(app):
    app.connect("config-inited", course)
