// Keys: "?" shows the list. One may switch them off, for those who speak or type into the page by
// other means (WCAG 2.1.4). Everything they do is a link or a button somewhere.
"use strict";

(() => {
  const OFF = "run-studio-keys-off";
  const dialog = () => document.getElementById("keys");
  let before = "";

  function off() {
    try { return localStorage.getItem(OFF) === "1"; } catch { return false; }
  }

  function typing(target) {
    if (/^(checkbox|radio|button|submit)$/.test(target.type)) return false;
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function follow(selector) {
    const found = document.querySelector(selector);
    if (!found) return false;
    if (found.tagName === "DETAILS") {
      found.open = true;
      found.querySelector("input:not([type=hidden])")?.focus();
    } else if (found.tagName === "INPUT") found.focus();
    else found.click();
    return true;
  }

  function places() {
    const found = {};
    for (const row of document.querySelectorAll("#keys [data-key]")) found[row.dataset.key] = row.dataset.does;
    return found;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!dialog() || (dialog().open && event.key !== "?")) return;
    if (event.key === "?") {
      event.preventDefault();
      if (dialog().open) dialog().close(); else dialog().showModal();
      return;
    }
    if (off()) return;
    const pressed = before === "g" ? `g ${event.key}` : event.key;
    before = event.key;
    const does = places()[pressed];
    if (does && follow(does)) {
      event.preventDefault();
      before = "";
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("keys-on");
    if (!box) return;
    box.checked = !off();
    box.addEventListener("change", () => {
      try { localStorage.setItem(OFF, box.checked ? "0" : "1"); } catch { /* not kept, then */ }
    });
    document.getElementById("keys-close").addEventListener("click", () => dialog().close());
    document.getElementById("keys-open").addEventListener("click", () => dialog().showModal());
  });
})();
