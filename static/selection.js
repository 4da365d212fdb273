// Ticking many rows of the list of runs: all of a page, or from one to another with Shift.
"use strict";

(() => {
  let last = null;

  const boxes = () => [...document.querySelectorAll("#run-list input[name=run]")];

  function showAll() {
    const all = document.querySelector("[data-tick-all]");
    if (!all) return;
    const found = boxes();
    const ticked = found.filter((box) => box.checked).length;
    all.hidden = false;
    all.checked = ticked > 0 && ticked === found.length;
    all.indeterminate = ticked > 0 && ticked < found.length;
  }

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches?.("#run-list input[name=run]")) return;
    const found = boxes();
    const from = found.indexOf(last);
    if (event.shiftKey && from >= 0) {
      const [first, end] = [from, found.indexOf(box)].sort((a, b) => a - b);
      for (const other of found.slice(first, end + 1)) other.checked = box.checked;
    }
    last = box;
  });

  // Before htmx hears of the change and sends the form.
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (all.matches?.("[data-tick-all]")) for (const box of boxes()) box.checked = all.checked;
    showAll();
  }, true);

  document.addEventListener("DOMContentLoaded", showAll);
  document.addEventListener("htmx:after:swap", showAll);
})();
