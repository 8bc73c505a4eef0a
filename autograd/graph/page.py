"""A drawing as one HTML page that needs nothing else, with panning and zooming."""

from __future__ import annotations

import html

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ margin: 0; height: 100%; background: white; }}
body {{ display: flex; flex-direction: column; font: 13px DejaVu Sans, Verdana, sans-serif; color: #555; }}
main {{ flex: 1; min-height: 0; }}
main svg {{ width: 100%; height: 100%; display: block; cursor: grab; touch-action: none; }}
p {{ margin: 0; padding: 6px 10px; border-top: 1px solid #ddd; }}
</style>
</head>
<body>
<main>
{drawing}
</main>
<p>{title} · drag to move, wheel to zoom, double-click to see all</p>
<script>
const svg = document.querySelector("main svg"), box = svg.viewBox.baseVal;
const all = [box.x, box.y, box.width, box.height];
const show = (x, y, w, h) => svg.setAttribute("viewBox", [x, y, w, h].join(" "));
const at = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
svg.removeAttribute("width");
svg.removeAttribute("height");
// A long graph that fits the window whole is too small to read: begin at its natural size, at the result.
const view = svg.getBoundingClientRect();
if (all[2] > 2 * view.width || all[3] > 2 * view.height)
  show(all[0] + Math.max(0, all[2] - view.width), all[1], Math.min(view.width, all[2]), Math.min(view.height, all[3]));
svg.addEventListener("wheel", e => {{
  e.preventDefault();
  const p = at(e), k = Math.exp(e.deltaY * 0.0015);
  show(p.x + (box.x - p.x) * k, p.y + (box.y - p.y) * k, box.width * k, box.height * k);
}}, {{ passive: false }});
let held = null;
svg.addEventListener("pointerdown", e => {{ held = at(e); svg.setPointerCapture(e.pointerId); }});
svg.addEventListener("pointerup", () => held = null);
svg.addEventListener("pointermove", e => {{
  if (held) {{ const p = at(e); show(box.x + held.x - p.x, box.y + held.y - p.y, box.width, box.height); }}
}});
svg.addEventListener("dblclick", () => show(...all));
</script>
</body>
</html>
"""


def page(drawing: str, title: str) -> str:
    """The HTML page that shows an ``<svg>`` element."""
    return _PAGE.format(drawing=drawing, title=html.escape(title))
