// Niceties only: everything works without this file.
// Times in the reader's zone, durations that count on, filters that apply themselves, steps that an
// address points at, and a word when polls get no answer. The tab's icon carries the run's status.
"use strict";

(() => {
  const format = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function lasted(ms) {
    let seconds = Math.max(0, Math.round(ms / 1000));
    const parts = [];
    for (const [unit, size] of units) {
      const count = Math.floor(seconds / size);
      seconds -= count * size;
      if (count) parts.push(`${count} ${unit}`);
      else if (parts.length) break;
    }
    return parts.slice(0, 2).join(" ") || "0 s";
  }

  // The server wrote the time in UTC: that stays, to be read by pointing at it.
  function localize() {
    for (const element of document.querySelectorAll("time[datetime]:not([data-since])")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const text = format.format(at);
      if (element.textContent === text) continue;
      element.title = element.textContent;
      element.textContent = text;
    }
    count();
  }

  function nameZone() {
    const note = document.getElementById("zone");
    const zone = format.resolvedOptions().timeZone;
    if (note && zone !== "UTC") note.textContent = `Times are in ${zone}; point at one to see it in UTC.`;
  }

  function count() {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-since]")) {
      const from = new Date(element.dataset.since).getTime();
      const text = lasted(now - from);
      if (!Number.isNaN(from) && element.textContent !== text) element.textContent = text;
    }
  }

  function icon() {
    const wanted = document.querySelector("[data-icon]")?.dataset.icon;
    const link = document.getElementById("icon");
    if (wanted && link && link.getAttribute("href") !== wanted) link.href = wanted;
  }

  // A step that the address points at is opened, and what is around it.
  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inner = target.querySelector(":scope > details");
    if (inner) inner.open = true;
    for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    target.scrollIntoView({ block: "start" });
  }

  // What was chosen with a pointer applies at once. By keyboard a list is walked through: Enter applies.
  function applyAtOnce() {
    let pointed = false;
    document.addEventListener("pointerdown", () => { pointed = true; }, true);
    document.addEventListener("keydown", () => { pointed = false; }, true);
    document.addEventListener("change", (event) => {
      const form = event.target.closest?.("form[data-submit-on-change]");
      if (form && pointed && event.target.matches("select, [type=checkbox], [type=radio]")) form.requestSubmit();
    });
  }

  function stalled(yes) {
    const note = document.getElementById("stalled");
    if (note) note.hidden = !yes;
  }

  function isPoll(event) {
    const element = event.detail?.ctx?.sourceElement;
    return Boolean(element?.getAttribute?.("hx-trigger")?.startsWith("every"));
  }

  document.addEventListener("DOMContentLoaded", () => {
    localize();
    nameZone();
    openTarget();
    applyAtOnce();
    setInterval(count, 1000);
  });
  addEventListener("hashchange", openTarget);

  document.addEventListener("htmx:after:swap", () => { localize(); icon(); });
  document.addEventListener("htmx:response:error", (event) => isPoll(event) && stalled(true));
  document.addEventListener("htmx:error", (event) => isPoll(event) && stalled(true));
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.status ?? 0;
    if (isPoll(event) && (status === 304 || status < 400)) stalled(false);
  });
})();
