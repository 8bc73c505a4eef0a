"""The page of the player. Nothing in it is fetched from elsewhere, which its own policy forbids too."""

TEMPLATE = r"""<!DOCTYPE html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{{title}}</title>
<style>
:root {
  color-scheme: light; --paper: #ffffff; --panel: #f6f7f9; --ink: #1d2127; --faint: #646b76; --line: #d5d9e0;
  --node: #ffffff; --edge: #8a919c; --variable: #e3eefb; --variable-line: #2f6db5; --output: #fdf0d2;
  --output-line: #b07a00; --forward: #1f7a4d; --backward: #b3206b; --up: #7a3ea8; --local: #1e6fae;
  --forward-soft: #dff3e8; --backward-soft: #fbe3ef;
}
html[data-theme="dark"] {
  color-scheme: dark; --paper: #16191e; --panel: #1e2228; --ink: #e6e9ee; --faint: #9aa3b0; --line: #363c46;
  --node: #1e2228; --edge: #79828f; --variable: #1b3049; --variable-line: #6aa7ea; --output: #3a2f12;
  --output-line: #e0b14a; --forward: #58c98f; --backward: #f27ab4; --up: #c79af0; --local: #74b8f2;
  --forward-soft: #173527; --backward-soft: #43192f;
}
@media (prefers-color-scheme: dark) {
  html[data-theme="auto"] {
    color-scheme: dark; --paper: #16191e; --panel: #1e2228; --ink: #e6e9ee; --faint: #9aa3b0; --line: #363c46;
    --node: #1e2228; --edge: #79828f; --variable: #1b3049; --variable-line: #6aa7ea; --output: #3a2f12;
    --output-line: #e0b14a; --forward: #58c98f; --backward: #f27ab4; --up: #c79af0; --local: #74b8f2;
    --forward-soft: #173527; --backward-soft: #43192f;
  }
}
* { box-sizing: border-box; }
html, body { margin: 0; height: 100%; }
body {
  display: flex; flex-direction: column; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "DejaVu Sans", Verdana, sans-serif;
}
main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(0, 1fr) clamp(320px, 38%, 430px); }
#stage { overflow: auto; display: flex; padding: 16px; min-width: 0; position: relative; }
#stage > svg { margin: auto; flex: none; display: block; }
#panel { overflow: auto; padding: 14px 18px; background: var(--panel); border-left: 1px solid var(--line); }
nav {
  display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 8px 12px; border-top: 1px solid var(--line);
}
button, select {
  font: inherit; color: inherit; background: var(--node); border: 1px solid var(--line); border-radius: 6px;
  padding: 3px 11px; cursor: pointer;
}
button:hover, select:hover { border-color: var(--faint); }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--local); }
#play { min-width: 5.5em; }
#slider { flex: 1; min-width: 120px; accent-color: var(--backward); }
#place { min-width: 7em; text-align: right; font-variant-numeric: tabular-nums; color: var(--faint); }
h1 { font-size: 17px; margin: 4px 0 10px; overflow-wrap: anywhere; }
h2 { font-size: 12px; font-weight: 600; margin: 16px 0 5px; color: var(--faint); }
.phase { display: inline-block; padding: 1px 10px; border-radius: 10px; font-size: 13px; font-weight: 600; }
.phase.forward { background: var(--forward-soft); color: var(--forward); }
.phase.backward { background: var(--backward-soft); color: var(--backward); }
.formula, .rule { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
.formula { font: 16px/1.5 "DejaVu Sans", Verdana, sans-serif; }
.rule { color: var(--faint); font-size: 13px; margin-top: 3px; }
table.values { border-collapse: collapse; width: 100%; table-layout: fixed; }
table.values > tbody > tr > td:first-child { width: 42%; }
table.values td { padding: 2px 12px 2px 0; vertical-align: top; overflow-wrap: anywhere; }
table.values small { color: var(--faint); font-size: 13px; }
table.matrix { border-collapse: collapse; border-left: 2px solid; border-right: 2px solid; border-radius: 3px;
  display: inline-table; vertical-align: middle; font-variant-numeric: tabular-nums; }
table.matrix td { padding: 0 6px; text-align: right; white-space: nowrap; color: inherit; }
.product, .group { display: flex; flex-wrap: wrap; gap: 7px; align-items: stretch; max-width: 100%; }
.group { flex-wrap: nowrap; }
.product .sign { align-self: center; font-size: 18px; padding-top: 14px; }
.factor {
  min-width: 0; overflow: auto;
  border: 1px solid var(--line); border-radius: 8px; padding: 4px 10px 6px; background: var(--node); max-width: 100%;
}
.factor b { display: block; font-size: 12px; font-weight: 600; }
.factor small { display: block; font-size: 12px; color: var(--faint); overflow-wrap: anywhere; }
.factor span { font-size: 17px; overflow-wrap: anywhere; }
.factor.up b { color: var(--up); } .factor.local b { color: var(--local); } .factor.down b { color: var(--backward); }
.sum { font-size: 16px; margin: 0; overflow-wrap: anywhere; }
.note { margin: 14px 0 0; padding: 8px 12px; border-left: 3px solid var(--line); color: var(--ink); }
.place { color: var(--faint); font-size: 13px; overflow-wrap: anywhere; margin: 10px 0 0; }
#left-out { margin: 0; padding: 5px 14px; background: var(--output); font-size: 13px; }
#stage text { fill: var(--ink); }
#stage .node path, #stage .node polygon { fill: var(--node); stroke: var(--edge); }
#stage .node.variable path, #stage .node.variable polygon { fill: var(--variable); stroke: var(--variable-line); }
#stage .node.output path, #stage .node.output polygon { fill: var(--output); stroke: var(--output-line); }
#stage .node.constant path, #stage .node.number path { stroke-dasharray: 4 3; }
#stage .node.constant text, #stage .node.number text { fill: var(--faint); }
#stage .edge path { stroke: var(--edge); } #stage .edge polygon { stroke: var(--edge); fill: var(--edge); }
#stage .edge text { fill: var(--backward); visibility: hidden; }
#stage .edge.done text { visibility: visible; }
#stage .node text.later { fill: var(--backward); visibility: hidden; }
#stage .node.done text.later { visibility: visible; }
#stage .node.ahead { opacity: 0.45; }
#stage .node.now path, #stage .node.now polygon { stroke: var(--hot); stroke-width: 3; fill: var(--soft); }
#stage .node.to path, #stage .node.to polygon { stroke: var(--hot); stroke-width: 2.4; }
#stage .edge.now path { stroke: var(--hot); stroke-width: 2.6; }
#stage .edge.now polygon { stroke: var(--hot); fill: var(--hot); }
#stage .edge.now text { font-weight: 700; }
#stage.forward { --hot: var(--forward); --soft: var(--forward-soft); }
#stage.backward { --hot: var(--backward); --soft: var(--backward-soft); }
@media (max-width: 720px) {
  main { grid-template-columns: minmax(0, 1fr); grid-template-rows: minmax(160px, 45%) minmax(0, 1fr); }
  #panel { border-left: 0; border-top: 1px solid var(--line); }
}
</style>
</head>
<body>
<p id="left-out" hidden></p>
<main>
<div id="stage" aria-label="the graph">
{{drawing}}
</div>
<section id="panel" aria-live="polite"></section>
</main>
<nav>
  <button id="first" title="to the beginning (Home)" aria-label="first step">|◀</button>
  <button id="back" title="one step back (←)" aria-label="back">◀</button>
  <button id="play" title="play or pause (space)">▶ play</button>
  <button id="next" title="one step on (→)" aria-label="next">▶</button>
  <button id="last" title="to the end (End)" aria-label="last step">▶|</button>
  <input id="slider" type="range" min="0" value="0" aria-label="step">
  <span id="place"></span>
  <select id="speed" aria-label="speed" title="speed">
    <option value="3000">slow</option><option value="1500" selected>normal</option><option value="500">fast</option>
  </select>
  <button id="smaller" title="zoom out (−)" aria-label="zoom out">−</button>
  <button id="larger" title="zoom in (+)" aria-label="zoom in">+</button>
  <button id="theme" title="light or dark" aria-label="light or dark">◐</button>
</nav>
<script type="application/json" id="data">{{data}}</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent), steps = data.steps;
const by = id => document.getElementById(id);
const stage = by("stage"), panel = by("panel"), slider = by("slider"), svg = stage.querySelector("svg");
const nodes = {}, edges = [];
for (const g of svg.querySelectorAll("g.edge")) edges[+g.id.slice("passage".length)] = g;
for (const g of svg.querySelectorAll("g.node")) {
  nodes[g.querySelector("title").textContent] = g;
  for (const t of g.querySelectorAll("text")) if (t.textContent.startsWith("∂ ")) t.classList.add("later");
}
// Their titles are the renderer's ids, which a reader has no use for.
for (const t of svg.querySelectorAll("title")) t.remove();
const firstBack = steps.findIndex(s => s.phase === "backward");
const madeAt = {}, doneAt = {}, cameAt = {};
steps.forEach((s, i) => {
  if (s.phase === "forward") madeAt[s.node] = i;
  else { doneAt[s.target] = i; if (s.edge != null) cameAt[s.edge] = i; }
});

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
function shown(value) {
  if (!Array.isArray(value)) return make("span", "", value);
  const table = make("table", "matrix");
  for (const row of value) {
    const line = table.insertRow();
    for (const entry of row) line.insertCell().textContent = entry;
  }
  return table;
}
function factor(kind, word, part) {
  const box = make("div", "factor " + kind);
  box.append(make("b", "", word), make("small", "", part[0]), shown(part[1]));
  return box;
}
function row(table, name, argument, value) {
  const line = table.insertRow(), cell = line.insertCell();
  cell.append(name);
  if (argument !== name) cell.append(make("small", "", ", " + argument + " in the rule"));
  line.insertCell().append(shown(value));
}
function describe(s) {
  const made = [make("span", "phase " + s.phase, s.phase)];
  const all = (...parts) => made.push(...parts);
  all(make("h1", "", s.heading));
  all(make("p", "formula", s.formula));
  if (s.rule !== s.formula) all(make("p", "rule", "the rule: " + s.rule));
  if (s.phase === "backward" && s.downstream) {
    all(make("h2", "", s.local ? "upstream × local = downstream" : s.upstream ? "upstream → downstream" : "gradient"));
    const line = make("div", "product");
    // A sign stays with what comes after it.
    const add = (sign, box) => {
      const group = make("div", "group");
      if (sign) group.append(make("span", "sign", sign));
      group.append(box);
      line.append(group);
    };
    if (s.upstream) add("", factor("up", "upstream g", s.upstream));
    if (s.local) add("×", factor("local", "local", s.local));
    const sign = s.local ? "=" : s.upstream ? "→" : "";
    add(sign, factor("down", s.argument == null ? "start" : "downstream", s.downstream));
    all(line);
  }
  if (s.sum) all(make("h2", "", s.use), make("p", "sum", s.sum));
  if (s.note) all(make("p", "note", s.note));
  all(make("h2", "", "values"));
  const table = make("table", "values");
  for (const [argument, name, value] of s.inputs) row(table, name, argument, value);
  row(table, s.name, "out", s.value);
  all(table);
  if (s.module) all(make("p", "place", "in " + s.module));
  if (s.where) all(make("p", "place", s.where));
  panel.replaceChildren(...made);
  panel.scrollTop = 0;
}

let at = 0, timer = null, zoom = 1;
const natural = svg.viewBox.baseVal.width * 4 / 3, ratio = svg.viewBox.baseVal.height / svg.viewBox.baseVal.width;
function resize() {
  svg.setAttribute("width", natural * zoom);
  svg.setAttribute("height", natural * zoom * ratio);
}
function fit() {
  const wide = (stage.clientWidth - 32) / natural, high = (stage.clientHeight - 32) / (natural * ratio);
  // What would be too small to read is scrolled to instead.
  zoom = Math.min(1.4, Math.max(0.75, Math.min(wide, high)));
  resize();
}
function follow() {
  const s = steps[at], view = stage.getBoundingClientRect();
  if (!nodes[s.node]) return;
  const box = nodes[s.node].getBoundingClientRect();
  let [left, right, top, bottom] = [box.left, box.right, box.top, box.bottom];
  // Where the gradient goes should be in sight as well, if there is room for both.
  const to = s.target && nodes[s.target] ? nodes[s.target].getBoundingClientRect() : box;
  if (Math.max(right, to.right) - Math.min(left, to.left) < view.width)
    [left, right] = [Math.min(left, to.left), Math.max(right, to.right)];
  if (Math.max(bottom, to.bottom) - Math.min(top, to.top) < view.height)
    [top, bottom] = [Math.min(top, to.top), Math.max(bottom, to.bottom)];
  stage.scrollLeft += (left + right) / 2 - view.left - view.width / 2;
  stage.scrollTop += (top + bottom) / 2 - view.top - view.height / 2;
}
function show(i) {
  at = Math.max(0, Math.min(steps.length - 1, i));
  const s = steps[at], back = s.phase === "backward";
  stage.className = s.phase;
  for (const [id, g] of Object.entries(nodes)) {
    g.classList.toggle("now", id === s.node);
    g.classList.toggle("to", back ? id === s.target : s.inputs.some(x => x[3] === id));
    g.classList.toggle("ahead", madeAt[id] > at);
    g.classList.toggle("done", doneAt[id] <= at);
  }
  const into = back ? [s.edge] : data.incoming[s.node] || [];
  edges.forEach((g, k) => {
    g.classList.toggle("now", into.includes(k));
    g.classList.toggle("done", cameAt[k] <= at);
  });
  slider.value = at;
  slider.setAttribute("aria-valuetext", "step " + (at + 1) + ": " + s.formula);
  by("place").textContent = "step " + (at + 1) + " of " + steps.length;
  describe(s);
  follow();
}
function pause() { clearInterval(timer); timer = null; by("play").textContent = "▶ play"; }
function play() {
  if (timer) return pause();
  if (at === steps.length - 1) show(0);
  by("play").textContent = "❚❚ pause";
  timer = setInterval(() => { at < steps.length - 1 ? show(at + 1) : pause(); }, +by("speed").value);
}
function go(i) { pause(); show(i); }
const scale = k => { zoom = Math.min(4, Math.max(0.1, zoom * k)); resize(); follow(); };
const actions = {
  first: () => go(0), back: () => go(at - 1), play, next: () => go(at + 1), last: () => go(steps.length - 1),
  smaller: () => scale(1 / 1.25), larger: () => scale(1.25),
  theme: () => {
    const root = document.documentElement, dark = getComputedStyle(root).colorScheme === "dark";
    root.dataset.theme = dark ? "light" : "dark";
  },
};
for (const [id, action] of Object.entries(actions)) by(id).addEventListener("click", action);
slider.addEventListener("input", () => go(+slider.value));
by("speed").addEventListener("change", () => { if (timer) { pause(); play(); } });
const keys = {
  ArrowRight: "next", ArrowLeft: "back", ArrowDown: "next", ArrowUp: "back", " ": "play", Home: "first", End: "last",
  "+": "larger", "-": "smaller",
};
document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === "SELECT" || !(e.key in keys)) return;
  e.preventDefault();
  actions[keys[e.key]]();
});
// A click on a node goes to where it was computed, a second one to where its gradient was complete.
for (const [id, g] of Object.entries(nodes)) g.addEventListener("click", () => {
  const places = [madeAt[id], doneAt[id]].filter(i => i !== undefined);
  if (places.length) go(places[(places.indexOf(at) + 1) % places.length]);
});
slider.max = steps.length - 1;
if (data.note) { by("left-out").textContent = data.note; by("left-out").hidden = false; }
fit();
show(0);
addEventListener("resize", () => { fit(); follow(); });
</script>
</body>
</html>
"""
