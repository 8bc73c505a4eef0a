// A graph in a frame zooms with the wheel, and a page is scrolled with it. So a frame gets the wheel only after a click
// into it, until the pointer leaves; before that the page scrolls on over it.
function guard(frame) {
  const inside = frame.contentWindow;
  if (!inside || inside.guarded) return;
  inside.guarded = true;
  let active = false;
  inside.addEventListener("pointerdown", () => { active = true; }, true);
  inside.document.documentElement.addEventListener("pointerleave", () => { active = false; });
  // A finger that goes up or down scrolls the page, too.
  inside.document.head.append(Object.assign(document.createElement("style"),
    { textContent: "main svg { touch-action: pan-y pinch-zoom !important }" }));
  inside.addEventListener("wheel", event => { if (!active) event.stopImmediatePropagation(); }, true);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const frame of document.querySelectorAll(".cell_output iframe[srcdoc]")) {
    frame.addEventListener("load", () => guard(frame));
    if (frame.contentDocument?.readyState === "complete") guard(frame);
  }
});
