// Niceties only: everything works without this file.
// Times in the reader's zone, durations that count on, filters that apply themselves, and a word
// when polls get no answer. The tab's icon carries the run's status.
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

  function localize(root) {
    for (const element of root.querySelectorAll("time[datetime]:not([data-since])")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const text = format.format(at);
      if (element.textContent === text) continue;
      element.title = element.dateTime;
      element.textContent = text;
    }
    count(root);
  }

  function count(root) {
    const now = Date.now();
    for (const element of root.querySelectorAll("[data-since]")) {
      const from = new Date(element.dataset.since).getTime();
      if (!Number.isNaN(from)) element.textContent = lasted(now - from);
    }
  }

  // The address names what is asked for; where that is nothing, it says so.
  function withoutBlanks(fields) {
    for (const [name, value] of [...fields]) if (value === "") fields.delete(name);
    if ([...fields].length === 0) fields.set("all", "1");
  }

  function icon() {
    const wanted = document.getElementById("run-live")?.dataset.icon;
    const link = document.getElementById("icon");
    if (wanted && link && link.getAttribute("href") !== wanted) link.href = wanted;
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
    localize(document);
    setInterval(() => count(document), 1000);
    for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
      form.addEventListener("change", () => form.requestSubmit());
      form.addEventListener("formdata", ({ formData }) => withoutBlanks(formData));
      form.querySelector("button[type=submit]")?.setAttribute("hidden", "");
    }
  });

  document.addEventListener("htmx:after:swap", () => { localize(document); icon(); });
  document.addEventListener("htmx:response:error", (event) => isPoll(event) && stalled(true));
  document.addEventListener("htmx:error", (event) => isPoll(event) && stalled(true));
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.status ?? 0;
    if (isPoll(event) && (status === 304 || status < 400)) stalled(false);
  });
})();
