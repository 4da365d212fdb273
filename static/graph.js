// Zoom and pan of a workflow's picture in place. Without this file the zoom links load the page
// anew, and the picture scrolls in its box.
"use strict";

(() => {
  const STEPS = [25, 35, 50, 65, 75, 90, 100, 125, 150, 200];
  let zoom = null; // per cent, or "fit"; null: as the server drew it

  const box = () => document.getElementById("graph-scroll");
  const graph = () => document.getElementById("graph");

  function percent() {
    const svg = graph();
    const rect = svg.getBoundingClientRect();
    return 100 * Math.min(rect.width / svg.dataset.width, rect.height / svg.dataset.height);
  }

  // Sizes as attributes; the point (x, y) of the window stays where it is.
  function apply(wanted, x, y) {
    const area = box(), svg = graph();
    if (!area || !svg) return;
    const before = svg.getBoundingClientRect();
    const fits = wanted === "fit";
    area.classList.toggle("graph-fits", fits);
    const scale = fits ? 1 : wanted / 100;
    svg.setAttribute("width", Math.round(svg.dataset.width * scale));
    svg.setAttribute("height", Math.round(svg.dataset.height * scale));
    for (const link of document.querySelectorAll("[data-zoom]")) {
      if (link.dataset.zoom === String(wanted)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (x === undefined || fits) return;
    const after = svg.getBoundingClientRect();
    area.scrollLeft += after.left + (x - before.left) / before.width * after.width - x;
    area.scrollTop += after.top + (y - before.top) / before.height * after.height - y;
  }

  function zoomTo(wanted, x, y) {
    zoom = wanted;
    apply(zoom, x, y);
    const address = new URL(location.href);
    address.searchParams.set("zoom", zoom);
    history.replaceState(history.state, "", address);
  }

  function zoomBy(direction, x, y) {
    const now = percent();
    const next = direction > 0 ? STEPS.find((s) => s > now + 1) : STEPS.findLast((s) => s < now - 1);
    if (!next) return;
    const area = box().getBoundingClientRect();
    zoomTo(next, x ?? area.left + area.width / 2, y ?? area.top + area.height / 2);
  }

  // Scrolls the box, and not the page.
  function bringIntoView(node) {
    const area = box();
    if (!area || !node) return;
    const inner = node.getBoundingClientRect(), outer = area.getBoundingClientRect();
    area.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    area.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
  }

  function place() {
    const here = document.querySelector("[data-here]");
    const wanted = decodeURIComponent(location.hash.slice(1) || here?.hash.slice(1) || "");
    const first = document.querySelector(".node");
    const node = wanted && document.getElementById(wanted);
    if (node) bringIntoView(node);
    else if (first && box()) {
      // A wide picture may begin off the window's left edge.
      const off = first.getBoundingClientRect().right - box().getBoundingClientRect().right;
      if (off > 0) box().scrollLeft += off + 20;
    }
  }

  document.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest?.("[data-zoom], [data-here]");
    if (!link || !graph()) return;
    event.preventDefault();
    if (link.dataset.zoom) {
      zoomTo(link.dataset.zoom === "fit" ? "fit" : Number(link.dataset.zoom));
      return;
    }
    const node = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (percent() < 50) zoomTo(100);
    bringIntoView(node);
    node?.focus({ preventScroll: true });
  });

  document.addEventListener("keydown", (event) => {
    if (!box()?.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") zoomBy(1);
    else if (event.key === "-") zoomBy(-1);
    else if (event.key === "0") zoomTo("fit");
    else return;
    event.preventDefault();
  });

  document.addEventListener("wheel", (event) => {
    if (!(event.ctrlKey || event.metaKey) || !box()?.contains(event.target)) return;
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? 1 : -1, event.clientX, event.clientY);
  }, { passive: false });

  // Dragging: only a mouse needs it, fingers scroll.
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button || !box()?.contains(event.target)) return;
    const edge = box().getBoundingClientRect();
    if (event.clientX > edge.left + box().clientWidth || event.clientY > edge.top + box().clientHeight) return;
    drag = { x: event.clientX, y: event.clientY, left: box().scrollLeft, top: box().scrollTop, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || !box()) return;
    const x = event.clientX - drag.x, y = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(x, y) < 5) return;
    drag.moved = true;
    box().classList.add("graph-grabbed");
    box().scrollLeft = drag.left - x;
    box().scrollTop = drag.top - y;
  });
  document.addEventListener("pointerup", () => {
    box()?.classList.remove("graph-grabbed");
    if (drag?.moved) addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
    drag = null;
  });
  function swallow(event) { event.preventDefault(); event.stopPropagation(); }
  document.addEventListener("dragstart", (event) => box()?.contains(event.target) && event.preventDefault());

  document.addEventListener("DOMContentLoaded", () => {
    box()?.classList.add("graph-grab");
    place();
  });
  document.addEventListener("htmx:after:swap", () => {
    box()?.classList.add("graph-grab");
    if (zoom !== null) apply(zoom);
  });
})();
