"""The page of a drawing: its frame, its colours and its script."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<strong>{title}</strong>
<input type="search" placeholder="search" aria-label="search names, operations, values">
<output></output>
<span class="space"></span>
<button id="more" title="open every closed module that is seen">open all</button>
<button id="fewer" title="close all modules">close all</button>
<button id="fit" title="show everything (double-click)">fit</button>
<button id="theme" title="bright or dark">◐</button>
</header>
<main></main>
<footer></footer>
<script type="application/json" id="data">{data}</script>
<script>
{script}</script>
</body>
</html>
"""

STYLE = """html, body { margin: 0; height: 100%; }
body { display: flex; flex-direction: column; background: var(--background); color: var(--ink);
  font: 13px "DejaVu Sans", Verdana, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 6px 10px;
  border-bottom: 1px solid #8885; }
header strong { font-weight: 600; max-width: 40%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.space { flex: 1; }
button, input { font: inherit; color: inherit; background: transparent; border: 1px solid #8888; border-radius: 5px;
  padding: 3px 8px; }
input { width: 12em; }
button { cursor: pointer; }
button:hover { background: #8883; }
button:disabled { opacity: 0.4; cursor: default; }
output { color: var(--faint); min-width: 4em; }
main { flex: 1; min-height: 0; }
main svg { width: 100%; height: 100%; display: block; cursor: grab; touch-action: none; user-select: none; }
footer { padding: 5px 10px; border-top: 1px solid #8885; color: var(--faint); font-size: 12px; line-height: 1.45; }
.box rect { stroke-width: 1; }
.box.operation rect { fill: var(--operation-fill); stroke: var(--operation); }
.box.variable rect { fill: var(--variable-fill); stroke: var(--variable); }
.box.constant rect, .box.number rect { fill: var(--constant-fill); stroke: var(--constant); stroke-dasharray: 4 3; }
.box.output rect { fill: var(--output-fill); stroke: var(--output); stroke-width: 1.8; }
.box.group rect { fill: var(--group-fill); stroke: var(--group); stroke-width: 1.6; }
.box text { fill: var(--operation-ink); font-size: 11px; }
.box.constant text, .box.number text { fill: var(--constant-ink); }
.box text, .box line, .title text { pointer-events: none; }
.box.group, .title { cursor: pointer; }
.box.group:hover rect, .title:hover { filter: brightness(1.12); }
.box.group rect.pile { stroke-width: 1; }
.box line { stroke: currentColor; opacity: 0.35; }
.port text { fill: var(--faint); font-size: 10px; font-style: italic; }
.frame > rect { stroke: var(--group); fill: var(--frame-even); }
.frame.odd > rect { fill: var(--frame-odd); }
.title rect { fill: transparent; }
.title text { fill: var(--faint); font-size: 11px; }
.arrow path { fill: none; stroke: var(--line); }
.arrow text { fill: var(--gradient); font-size: 10px; text-anchor: middle; }
marker path { fill: var(--line); }
.found rect { stroke: #e4007c !important; stroke-width: 3 !important; }
:focus-visible { outline: 2px solid #2f7fe0; }
g:focus-visible { outline: none; }
g:focus-visible > rect { stroke: #2f7fe0 !important; stroke-width: 2.5 !important; }
"""

SCRIPT = r"""const data = JSON.parse(document.getElementById("data").textContent);
const main = document.querySelector("main"), root = document.documentElement;
const make = (tag, attributes, parent) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  if (parent) parent.append(element);
  return element;
};
const button = id => document.getElementById(id);

// Colours

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let dark = data.look || prefersDark.matches;
function paint() {
  if (!data.themes) return;
  const theme = data.themes[dark ? 1 : 0], set = (name, value) => root.style.setProperty("--" + name, value);
  root.style.colorScheme = dark ? "dark" : "light";
  for (const name of ["background", "ink", "faint", "line", "gradient"]) set(name, theme[name]);
  set("frame-even", theme.frames[0]);
  set("frame-odd", theme.frames[1]);
  for (const kind in theme.kinds) {
    set(kind, theme.kinds[kind][0]);
    set(kind + "-fill", theme.kinds[kind][1]);
    set(kind + "-ink", theme.kinds[kind][2]);
  }
}
paint();
prefersDark.addEventListener("change", e => { dark = e.matches; paint(); });
button("theme").addEventListener("click", () => { dark = !dark; paint(); });

// Places: an opened group pushes apart what is beside, above and below it

const open = new Set(data.open || []);
const TITLE = 20, PAD = 10, BUTTON = { tabindex: 0, role: "button" };

// A map of one axis that is stretched along the given spans [from, to, length], where they overlap by the most.
function stretched(spans) {
  const cuts = [...new Set(spans.flatMap(s => [s[0], s[1]]))].sort((a, b) => a - b);
  const shift = [0];
  for (let i = 1; i < cuts.length; i++) {
    let slope = 0;
    for (const [from, to, length] of spans)
      if (from <= cuts[i - 1] && to >= cuts[i]) slope = Math.max(slope, (length - (to - from)) / (to - from));
    shift.push(shift[i - 1] + slope * (cuts[i] - cuts[i - 1]));
  }
  return x => {
    if (!cuts.length || x <= cuts[0]) return x;
    let low = 0, high = cuts.length - 1;
    if (x >= cuts[high]) return x + shift[high];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (cuts[middle] <= x) low = middle; else high = middle;
    }
    return x + shift[low] + (shift[high] - shift[low]) * (x - cuts[low]) / (cuts[high] - cuts[low]);
  };
}

function arranged(id) {
  const level = data.levels[id], inner = new Map(), across = [], down = [];
  for (const node of level.nodes) {
    if (!open.has(node.id) || node.kind !== "group") continue;
    const plan = arranged(node.id);
    inner.set(node.id, plan);
    across.push([node.x - node.w / 2, node.x + node.w / 2, Math.max(node.w, plan.w + 2 * PAD)]);
    down.push([node.y - node.h / 2, node.y + node.h / 2, Math.max(node.h, plan.h + TITLE + PAD)]);
  }
  const X = stretched(across), Y = stretched(down);
  return { level, inner, X, Y, w: X(level.w), h: Y(level.h) };
}

// Drawing

let svg, box, whole = { w: 100, h: 100 };
const seen = new Map();

function drawLevel(plan, parent, x0, y0, depth) {
  const { level, inner, X, Y } = plan, moved = new Map();
  for (const node of level.nodes) {
    const plan = inner.get(node.id);
    if (plan) {
      const left = X(node.x - node.w / 2), right = X(node.x + node.w / 2);
      const top = Y(node.y - node.h / 2), bottom = Y(node.y + node.h / 2);
      const name = depth % 2 ? "frame odd" : "frame";
      const frame = make("g", { class: name, transform: `translate(${left} ${top})` }, parent);
      make("rect", { width: right - left, height: bottom - top, rx: 8 }, frame);
      const title = make("g", { class: "title", ...BUTTON, "aria-expanded": "true", "data-id": node.id }, frame);
      make("rect", { width: right - left, height: TITLE, rx: 8 }, title);
      write(title, "⊟ " + node.lines[0], 8, 14, right - left - 16);
      title.append(hint("close " + node.lines[0]));
      seen.set(node.id, { element: frame, x: x0 + left, y: y0 + top, w: right - left, h: bottom - top });
      const dx = (right - left - plan.w) / 2, dy = TITLE + (bottom - top - TITLE - PAD - plan.h) / 2;
      const inside = make("g", { transform: `translate(${dx} ${dy})` }, frame);
      drawLevel(plan, inside, x0 + left + dx, y0 + top + dy, depth + 1);
    } else {
      const x = X(node.x), y = Y(node.y);
      moved.set(node.id, [x - node.x, y - node.y]);
      const left = x - node.w / 2, top = y - node.h / 2;
      drawBox(node, parent, left, top);
      seen.set(node.id, { element: parent.lastChild, x: x0 + left, y: y0 + top, w: node.w, h: node.h });
    }
  }
  for (const edge of level.edges) drawArrow(edge, plan, parent, moved);
}

function hint(text) {
  const title = make("title", {});
  title.textContent = text;
  return title;
}

function write(parent, text, x, y, room, anchor) {
  const element = make("text", { x, y, "text-anchor": anchor || "start", "xml:space": "preserve" }, parent);
  element.textContent = text;
  // A font that is wider than the one that was measured must not run out of its box.
  if (text.length * 8 > room && element.getComputedTextLength() > room) {
    element.setAttribute("textLength", room);
    element.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
  return element;
}

function drawBox(node, parent, x, y) {
  const group = make("g", { class: node.kind === "port" ? "port" : "box " + node.kind, "data-id": node.id,
    transform: `translate(${x} ${y})` }, parent);
  const { w, h, lines } = node, [heading, ...others] = lines;
  if (node.kind === "port") { write(group, heading, w / 2, h / 2 + 3.5, w, "middle"); return; }
  if (node.times)
    for (const by of [6, 3]) make("rect", { class: "pile", x: by, y: -by, width: w, height: h, rx: 6 }, group);
  const rect = make("rect", { width: w, height: h, rx: node.kind === "number" ? 4 : 6 }, group);
  if (node.fill) { rect.style.fill = node.fill; group.style.color = node.ink; }
  const top = others.length ? h - (13.2 * others.length + 7) : h;
  const texts = [write(group, node.kind === "group" ? "⊞ " + heading : heading, w / 2, top / 2 + 4, w - 6, "middle")];
  if (others.length) make("line", { x1: 0, x2: w, y1: top, y2: top }, group);
  others.forEach((line, i) => texts.push(write(group, line, 8, top + 13.5 + 13.2 * i, w - 12)));
  if (node.ink) for (const text of texts) text.style.fill = node.ink;
  if (node.kind === "group") {
    for (const name in BUTTON) group.setAttribute(name, BUTTON[name]);
    group.setAttribute("aria-expanded", "false");
  }
  if (node.hint) group.append(hint(node.hint));
}

function drawArrow(edge, plan, parent, moved) {
  const { X, Y } = plan, points = [];
  for (let i = 0; i < edge.d.length; i += 2) {
    // The ends stay at their boxes, which move as a whole.
    const end = i < 4 ? moved.get(edge.from) : i >= edge.d.length - 6 ? moved.get(edge.to) : null;
    points.push(end ? [edge.d[i] + end[0], edge.d[i + 1] + end[1]] : [X(edge.d[i]), Y(edge.d[i + 1])]);
  }
  const tip = points.pop();
  const at = p => p[0].toFixed(1) + " " + p[1].toFixed(1);
  const d = "M" + at(points[0]) + "C" + points.slice(1).map(at).join(" ") + "L" + at(tip);
  const group = make("g", { class: "arrow" }, parent);
  make("path", { d, "marker-end": "url(#tip)" }, group);
  (edge.lines || []).forEach((line, i, all) =>
    write(group, line, X(edge.x), Y(edge.y) + 3.5 + 12 * (i - (all.length - 1) / 2), 1e9, "middle"));
}

function draw() {
  seen.clear();
  if (data.svg) {
    if (!svg) {
      main.append(new DOMParser().parseFromString(data.svg, "image/svg+xml").documentElement);
      svg = main.firstChild;
      const size = svg.viewBox.baseVal;
      whole = { w: size.width, h: size.height };
      svg.removeAttribute("width");
      svg.removeAttribute("height");
    }
  } else {
    const plan = arranged("");
    whole = plan;
    if (!svg) svg = make("svg", { viewBox: "0 0 1 1" }, main);
    svg.replaceChildren();
    const marker = make("marker", { id: "tip", viewBox: "0 0 10 8", refX: 9, refY: 4, markerWidth: 8, markerHeight: 7,
      orient: "auto", markerUnits: "userSpaceOnUse" }, make("defs", {}, svg));
    make("path", { d: "M0 0L10 4L0 8z" }, marker);
    drawLevel(plan, make("g", {}, svg), 0, 0, 0);
  }
  box = svg.viewBox.baseVal;
  const groups = Object.values(data.levels || {}).flatMap(l => l.nodes).filter(n => n.kind === "group");
  button("more").disabled = ![...seen.keys()].some(id => data.levels[id] && !open.has(id));
  button("fewer").disabled = open.size === 0;
  button("more").hidden = button("fewer").hidden = groups.length === 0;
}

const show = (x, y, w, h) => svg.setAttribute("viewBox", [x, y, w, h].join(" "));
const all = () => show(-10, -10, whole.w + 20, whole.h + 20);

// A long graph that fits the window whole is too small to read: begin at a readable size, at the result.
function begin() {
  const view = svg.getBoundingClientRect(), k = Math.max(whole.w / view.width, whole.h / view.height);
  if (k < 2) {
    const grow = Math.max(k, 0.7) / (k || 1);
    const w = (whole.w + 20) * grow, h = (whole.h + 20) * grow;
    return show((whole.w - w) / 2, (whole.h - h) / 2, w, h);
  }
  const w = Math.min(1.2 * view.width, whole.w), h = Math.min(1.2 * view.height, whole.h);
  const result = [...seen.values()].find(s => s.element.classList.contains("output"));
  const x = result ? result.x + result.w + 20 - w : whole.w - w, y = result ? result.y + result.h / 2 - h / 2 : 0;
  show(Math.max(-10, x), Math.max(-10, Math.min(y, whole.h + 10 - h)), w, h);
}

// Opening and closing: what was clicked stays where it is

function toggle(id) {
  const before = seen.get(id);
  if (open.has(id)) open.delete(id); else open.add(id);
  draw();
  const after = seen.get(id);
  if (before && after) show(box.x + after.x - before.x, box.y + after.y - before.y, box.width, box.height);
  const place = svg.querySelector(`[data-id="${id}"]`);
  if (place) place.focus({ preventScroll: true });
}
const groupOf = e => {
  const place = e.target.closest("g.box.group, g.title");
  return place && place.dataset.id;
};
button("more").addEventListener("click", () => {
  for (const id of [...seen.keys()]) if (data.levels[id]) open.add(id);
  draw(); all();
});
button("fewer").addEventListener("click", () => { open.clear(); draw(); all(); });
button("fit").addEventListener("click", all);

// Search: in what is closed too, which opens on the way

const home = new Map();
for (const id in data.levels || {})
  for (const node of data.levels[id].nodes) if (node.kind !== "port") home.set(node.id, id);
const field = document.querySelector("input"), count = document.querySelector("output");
let found = [], current = -1;
function mark() {
  for (const element of svg.querySelectorAll(".found")) element.classList.remove("found");
  const place = seen.get(found[current]);
  if (place) place.element.classList.add("found");
  count.textContent = field.value ? (found.length ? `${current + 1} of ${found.length}` : "none") : "";
}
function go(to) {
  if (!found.length) { current = -1; mark(); return; }
  current = (to + found.length) % found.length;
  let changed = false;
  for (let id = home.get(found[current]); id; id = home.get(id)) if (!open.has(id)) { open.add(id); changed = true; }
  if (changed) draw();
  const place = seen.get(found[current]), view = svg.getBoundingClientRect();
  const w = Math.max(place.w * 1.5, Math.min(box.width, view.width)), h = w * view.height / view.width;
  show(place.x + place.w / 2 - w / 2, place.y + place.h / 2 - h / 2, w, h);
  mark();
}
field.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  found = [];
  if (wanted) for (const id in data.levels || {}) for (const node of data.levels[id].nodes)
    if (node.kind !== "port" && [...node.lines, node.hint || ""].some(line => line.toLowerCase().includes(wanted)))
      found.push(node.id);
  // What can be seen comes first.
  found.sort((a, b) => seen.has(b) - seen.has(a));
  go(0);
});
field.addEventListener("keydown", e => { if (e.key === "Enter") go(current + (e.shiftKey ? -1 : 1)); });
if (data.svg) field.hidden = count.hidden = button("theme").hidden = true;

// Moving about

draw();
begin();
const at = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
let held = null, dragged = false;
svg.addEventListener("wheel", e => {
  e.preventDefault();
  const p = at(e), k = Math.exp(e.deltaY * 0.0015);
  show(p.x + (box.x - p.x) * k, p.y + (box.y - p.y) * k, box.width * k, box.height * k);
}, { passive: false });
svg.addEventListener("pointerdown", e => { held = { p: at(e), x: e.clientX, y: e.clientY }; dragged = false; });
addEventListener("pointerup", () => held = null);
addEventListener("pointermove", e => {
  if (!held) return;
  if (!dragged && Math.hypot(e.clientX - held.x, e.clientY - held.y) < 4) return;
  dragged = true;
  const p = at(e);
  show(box.x + held.p.x - p.x, box.y + held.p.y - p.y, box.width, box.height);
});
svg.addEventListener("click", e => { const id = groupOf(e); if (id && !dragged) toggle(id); });
svg.addEventListener("dblclick", e => { if (!groupOf(e)) all(); });
svg.addEventListener("keydown", e => {
  const id = groupOf(e);
  if (id && (e.key === "Enter" || e.key === " ")) { e.preventDefault(); toggle(id); }
});
const footer = document.querySelector("footer");
for (const note of [...(data.notes || []), "drag to move, wheel to zoom, double-click to see all"
    + (Object.keys(data.levels || {}).length > 1 ? ", click a module to open or close it" : "")])
  footer.append(Object.assign(document.createElement("div"), { textContent: note }));
"""
